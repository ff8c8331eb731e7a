r"""The share of people to whom something has happened by each day, where death may come first.

Counting those who died as if they might still be readmitted (one less Kaplan-Meier) says too much. The
Aalen-Johansen estimate leaves them in the denominator with nothing more to come [1]_:

.. math:: F_1(t) = \sum_{u \le t} S(u^-) \frac{d_1(u)}{Y(u)} , \qquad
          S(u) = \prod_{v \le u} \Bigl(1 - \frac{d_1(v) + d_2(v)}{Y(v)}\Bigr)

with :math:`d_1` first events, :math:`d_2` deaths before any, and :math:`Y` still watched, each the sum of
weights. With one cause :math:`F_1` is one less Kaplan-Meier, and its variance Greenwood's.

Limits come from the scale of :math:`\log(-\log(1 - F))`, so that they stay between 0 and 1; those of the
difference of two groups from its own, with influences of both groups summed by cluster, so that matched
people (or a person who stands in both groups) are not taken for strangers, and a t distribution with as many
degrees of freedom as that variance is worth (:mod:`ucimpact.inference.uneven`).

References
----------
.. [1] Aalen, O. O. and Johansen, S. (1978). An empirical transition matrix for non-homogeneous Markov
   chains based on censored observations. *Scandinavian Journal of Statistics* 5(3), 141-150.
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

LEFT, HAPPENED, DIED = 0, 1, 2
"""What ended the watch over a person: it only ended, the event, or a death before any event."""


@dataclass(frozen=True, eq=False)
class Incidence:
    """Shares of one group by each day.

    Attributes
    ----------
    days : array (n_days,)
    share, std_error, low, high : array (n_days,)
        Of people to whom it has happened, from 0 to 1, with its limits.
    died : array (n_days,)
        Share of people who have died before it happened.
    n, events, deaths : int
        People of weight above 0, and those to whom it happened, or who died first, by the last day.
    """

    days: Array
    share: Array
    std_error: Array
    low: Array
    high: Array
    died: Array
    n: int
    events: int
    deaths: int


@dataclass(frozen=True, eq=False)
class TwoIncidences:
    """Shares of the pilot and of the comparison people, and their difference on the last day.

    Attributes
    ----------
    pilot, comparison : Incidence
    estimate, std_error, low, high : float
        Pilot less comparison on the last day.
    influence : array (n,)
        What each row adds to it.
    """

    pilot: Incidence
    comparison: Incidence
    estimate: float
    std_error: float
    low: float
    high: float
    influence: Array

    def to_dict(self, event: str) -> dict[str, Any]:
        """As plain values, one row a day."""
        a, b = self.pilot, self.comparison
        rows = [
            {
                "day": float(a.days[k]),
                "pilot": float(a.share[k]),
                "pilot_low": float(a.low[k]),
                "pilot_high": float(a.high[k]),
                "comparison": float(b.share[k]),
                "comparison_low": float(b.low[k]),
                "comparison_high": float(b.high[k]),
                "death_pilot": float(a.died[k]),
                "death_comparison": float(b.died[k]),
            }
            for k in range(len(a.days))
        ]
        return {
            "event": event,
            "horizon": float(a.days[-1]),
            "rows": rows,
            "n_pilot": a.n,
            "n_comparison": b.n,
            "events_pilot": a.events,
            "events_comparison": b.events,
            "deaths_pilot": a.deaths,
            "deaths_comparison": b.deaths,
            "difference": {"estimate": self.estimate, "conf_low": self.low, "conf_high": self.high},
        }


def first_of(event: Array, death: Array, until: Array) -> tuple[Array, Array]:
    """What came first for each person, and when: ``(time, cause)`` as the curves take them.

    Parameters
    ----------
    event, death : array (n,)
        Days from time zero to the first event and to death; ``nan`` or infinite for never. Either counts
        only up to ``until``; on the same day the event comes first.
    until : array (n,)
        Last day on which it would have been seen, not before day 0.
    """
    event = np.where(np.isnan(event), np.inf, event)
    death = np.where(np.isnan(death), np.inf, death)
    time = np.minimum(np.minimum(event, death), until)
    cause = np.where(event <= time, HAPPENED, np.where(death <= time, DIED, LEFT))
    return time, cause


def cumulative_incidence(
    time: Array,
    cause: Array,
    *,
    days: Array,
    weights: Array | None = None,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> Incidence:
    """Share of one group to whom it has happened by each of ``days``.

    Parameters
    ----------
    time : array (n,)
        Days from time zero to what ended the watch.
    cause : array (n,)
        0 (it only ended), 1 (the event) or 2 (a death before any event).
    days : array (n_days,)
        Rising.
    weights : array (n,), optional
    clusters : array (n,) or two such arrays, optional
        Codes of people who are not evidence of their own.
    level : float
    """
    everybody = np.ones(len(time), dtype=bool)
    return _People(time, cause, weights, clusters, days, level).incidence(everybody)[0]


def compare_incidence(
    time: Array,
    cause: Array,
    treated: Array,
    *,
    days: Array,
    weights: Array | None = None,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> TwoIncidences:
    """Shares of pilot and comparison people by each of ``days``; parameters as above."""
    treated = np.asarray(treated, dtype=bool)
    people = _People(time, cause, weights, clusters, days, level)
    pilot, first = people.incidence(treated)
    comparison, second = people.incidence(~treated)
    influence = first - second
    estimate = float(pilot.share[-1] - comparison.share[-1])
    error = float(np.sqrt(people.summed.of(influence)))
    half = float(stdtrit(fewest(influence, clusters), (1 + level) / 2)) * error
    return TwoIncidences(pilot, comparison, estimate, error, estimate - half, estimate + half, influence)


@dataclass(frozen=True, eq=False)
class DaysFree:
    """Mean days until something ends them, up to a day (the restricted mean).

    Attributes
    ----------
    mean, std_error : float
    influence : array (n,)
        What each row adds to the mean.
    """

    mean: float
    std_error: float
    influence: Array


def days_free(
    time: Array,
    ended: Array,
    until: float,
    *,
    weights: Array | None = None,
    clusters: Clusters | None = None,
) -> DaysFree:
    """Mean days before ``ended``, of the first ``until`` days: the area under Kaplan-Meier.

    With ``ended`` an event or a death these are days alive and free of the event.
    """
    time, ended = np.asarray(time, dtype=float), np.asarray(ended, dtype=bool)
    w = np.ones(len(time)) if weights is None else np.asarray(weights, dtype=float)
    row = np.flatnonzero(ended)
    curve = Curve(Watched(time, ended, w, row, time[row], np.ones(len(row))))
    steps = np.append(curve.times[curve.times < until], until)
    influence = np.zeros(len(time))
    for width, part in zip(np.diff(steps), curve.influences(steps[:-1]), strict=True):
        influence -= width * part
    error = float(np.sqrt(Summed(clusters).of(influence)))
    return DaysFree(curve.mean_until(until), error, influence)


class _People:
    """Everybody, what ended the watch over them, and the shares of a group of them."""

    def __init__(
        self,
        time: Array,
        cause: Array,
        weights: Array | None,
        clusters: Clusters | None,
        days: Array,
        level: float,
    ) -> None:
        self.time, self.cause = np.asarray(time, dtype=float), np.asarray(cause)
        self.weights = np.ones(len(self.time)) if weights is None else np.asarray(weights, dtype=float)
        self.days = np.asarray(days, dtype=float)
        if not len(self.days) or (np.diff(self.days) <= 0).any():
            raise EstimationError("the days of a curve must rise")
        self.summed, self.level = Summed(clusters), level

    def _curve(self, arm: Array, cause: int) -> Curve:
        ended, happened = self.cause[arm] != LEFT, np.flatnonzero(self.cause[arm] == cause)
        time = self.time[arm]
        amounts = np.ones(len(happened))
        return Curve(Watched(time, ended, self.weights[arm], happened, time[happened], amounts))

    def incidence(self, arm: Array) -> tuple[Incidence, Array]:
        """The shares of a group, and what everybody adds to that of the last day."""
        curve = self._curve(arm, HAPPENED)
        share = curve.at(self.days)
        whole, variances = np.zeros(len(self.time)), []
        for part in curve.influences(self.days):
            whole = np.zeros(len(self.time))
            whole[arm] = part
            variances.append(self.summed.of(whole))
        error = np.sqrt(variances)
        low, high = _limits(share, error, self.level)
        seen = arm & (self.weights > 0)
        by_then = seen & (self.time <= self.days[-1])
        found = Incidence(
            days=self.days,
            share=share,
            std_error=error,
            low=low,
            high=high,
            died=self._curve(arm, DIED).at(self.days),
            n=int(seen.sum()),
            events=int((by_then & (self.cause == HAPPENED)).sum()),
            deaths=int((by_then & (self.cause == DIED)).sum()),
        )
        return found, whole


def _limits(share: Array, error: Array, level: float) -> tuple[Array, Array]:
    """Limits between 0 and 1; those of a share of 0 or 1, which has no error, are itself."""
    inside = (share > 0) & (share < 1) & (error > 0)
    left = np.where(inside, 1 - share, 0.5)
    spread = ndtri((1 + level) / 2) * error / (left * -np.log(left))
    low, high = 1 - left ** np.exp(-spread), 1 - left ** np.exp(spread)
    return np.where(inside, low, share), np.where(inside, high, share)
