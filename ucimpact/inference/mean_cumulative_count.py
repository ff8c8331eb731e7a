r"""The mean number of events (or pounds, or bed days) a person has had by each day, until death.

.. math:: \mu(t) = \sum_{u \le t} S(u^-) \frac{dN(u)}{Y(u)}

with :math:`dN(u)` events on day :math:`u`, :math:`Y(u)` still watched and :math:`S` the Kaplan-Meier estimate
of being alive [1]_. Every event of a person counts, where a cumulative incidence counts the first. People who
died stay in the mean with nothing more to come: a service that kept people alive longer does not look better
for having had fewer people left to admit, as it would per day at risk, nor does one whose people died.

References
----------
.. [1] Ghosh, D. and Lin, D. Y. (2000). Nonparametric analysis of recurrent events and death. *Biometrics*
   56(2), 554-562.
.. [2] Dong, H., Robison, L. L., Leisenring, W. M., Martin, L. J., Armstrong, G. T. and Yasui, Y. (2015).
   Estimating the burden of recurrent events in the presence of competing risks: the method of mean
   cumulative count. *American Journal of Epidemiology* 181(7), 532-540.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from ucimpact.errors import EstimationError
from ucimpact.inference.cumulative_mean import Curve, Summed, Watched
from ucimpact.inference.sandwich import Clusters
from ucimpact.inference.uneven import fewest

Array = np.ndarray

PER = 100.0


@dataclass(frozen=True, eq=False)
class MeanCount:
    """Means of one group by each day.

    Attributes
    ----------
    days : array (n_days,)
    mean, std_error, low, high : array (n_days,)
        Per person; the limits are those of the log scale.
    alive : array (n_days,)
        Share of people alive.
    """

    days: Array
    mean: Array
    std_error: Array
    low: Array
    high: Array
    alive: Array


@dataclass(frozen=True, eq=False)
class TwoMeanCounts:
    """Means of the pilot and of the comparison people, with their difference and ratio on the last day.

    Attributes
    ----------
    pilot, comparison : MeanCount
    estimate, std_error, low, high : float
        Pilot less comparison on the last day, per person; a t distribution with what the variance is worth.
    log_ratio, log_ratio_std_error : float
        nan where a group has no event.
    influence, log_ratio_influence : array (n,)
        What each row adds to the difference and to the log ratio.
    """

    pilot: MeanCount
    comparison: MeanCount
    estimate: float
    std_error: float
    low: float
    high: float
    log_ratio: float
    log_ratio_std_error: float
    influence: Array
    log_ratio_influence: Array

    def to_dict(self, event: str, per: float = PER) -> dict[str, Any]:
        """As plain values per ``per`` people, one row a day."""
        rows = []
        for k, day in enumerate(self.pilot.days):
            row: dict[str, float] = {"day": float(day)}
            for name, group in (("pilot", self.pilot), ("comparison", self.comparison)):
                row |= {
                    name: float(group.mean[k] * per),
                    f"{name}_low": float(group.low[k] * per),
                    f"{name}_high": float(group.high[k] * per),
                }
            rows.append(row)
        return {"event": event, "per": per, "rows": rows}


def mean_cumulative_count(
    until: Array,
    died: Array,
    row: Array,
    day: Array,
    *,
    days: Array,
    amount: Array | None = None,
    weights: Array | None = None,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> MeanCount:
    """Mean number a person of one group has had by each of ``days``.

    Parameters
    ----------
    until : array (n,)
        Last day watched, counted from time zero.
    died : array of bool (n,)
        Whether the watch ended with a death.
    row : array of int (m,)
        Line of the person of each event.
    day : array (m,)
        Of each event, not after the last day watched of its person.
    days : array (n_days,)
        Rising.
    amount : array (m,), optional
        What each event brings, such as pounds or nights; 1 without it.
    weights : array (n,), optional
    clusters : array (n,) or two such arrays, optional
    level : float
    """
    everybody = np.ones(len(until), dtype=bool)
    people = _People(until, died, row, day, amount, weights, clusters, days, level)
    return people.mean(everybody)[0]


def compare_mean_counts(
    until: Array,
    died: Array,
    row: Array,
    day: Array,
    treated: Array,
    *,
    days: Array,
    amount: Array | None = None,
    weights: Array | None = None,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> TwoMeanCounts:
    """Means of pilot and comparison people by each of ``days``; parameters as above."""
    treated = np.asarray(treated, dtype=bool)
    people = _People(until, died, row, day, amount, weights, clusters, days, level)
    pilot, first = people.mean(treated)
    comparison, second = people.mean(~treated)
    influence = first - second
    one, other = float(pilot.mean[-1]), float(comparison.mean[-1])
    error = float(np.sqrt(people.summed.of(influence)))
    half = float(stdtrit(fewest(influence, clusters), (1 + level) / 2)) * error
    log, log_error, by_row = float("nan"), float("nan"), np.full(len(influence), np.nan)
    if min(one, other) > 0:
        by_row = first / one - second / other
        log, log_error = float(np.log(one / other)), float(np.sqrt(people.summed.of(by_row)))
    return TwoMeanCounts(
        pilot=pilot,
        comparison=comparison,
        estimate=one - other,
        std_error=error,
        low=one - other - half,
        high=one - other + half,
        log_ratio=log,
        log_ratio_std_error=log_error,
        influence=influence,
        log_ratio_influence=by_row,
    )


class _People:
    """Everybody, what happened to them, and the means of a group of them."""

    def __init__(
        self,
        until: Array,
        died: Array,
        row: Array,
        day: Array,
        amount: Array | None,
        weights: Array | None,
        clusters: Clusters | None,
        days: Array,
        level: float,
    ) -> None:
        n = len(until)
        self.until, self.died = np.asarray(until, dtype=float), np.asarray(died, dtype=bool)
        self.row, self.day = np.asarray(row, dtype=np.int64), np.asarray(day, dtype=float)
        self.amount = np.ones(len(self.row)) if amount is None else np.asarray(amount, dtype=float)
        self.weights = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
        self.days = np.asarray(days, dtype=float)
        if not len(self.days) or (np.diff(self.days) <= 0).any():
            raise EstimationError("the days of a curve must rise")
        self.summed, self.level = Summed(clusters), level

    def mean(self, arm: Array) -> tuple[MeanCount, Array]:
        """The means of a group, and what everybody adds to that of the last day."""
        place = np.cumsum(arm) - 1
        mine = arm[self.row]
        watched = Watched(
            self.until[arm],
            self.died[arm],
            self.weights[arm],
            place[self.row[mine]],
            self.day[mine],
            self.amount[mine],
        )
        curve = Curve(watched)
        mean = curve.at(self.days)
        whole, variances = np.zeros(len(self.until)), []
        for part in curve.influences(self.days):
            whole = np.zeros(len(self.until))
            whole[arm] = part
            variances.append(self.summed.of(whole))
        error = np.sqrt(variances)
        spread = np.divide(error, mean, out=np.zeros(len(mean)), where=mean > 0)
        times = np.exp(ndtri((1 + self.level) / 2) * spread)
        return MeanCount(
            self.days, mean, error, mean / times, mean * times, curve.surviving(self.days)
        ), whole
