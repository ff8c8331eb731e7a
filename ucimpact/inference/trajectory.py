"""Use month by month before time zero, of the pilot people and of those they are compared with.

People are referred at their worst, so a balance of the whole year before says little: two groups can have
had as many admissions, one of them all in the last month. A month here is 30 days, and month -1 the 30 days
up to time zero. Whoever counts the events says which windows they are counted in (:func:`windows`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.cumulative_mean import Summed
from ucimpact.inference.sandwich import Clusters

Array = np.ndarray

MONTHS, LENGTH, PER = 12, 30, 100.0


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Events per 100 people per month before time zero.

    Attributes
    ----------
    month : array of int (n_months,)
        -12 to -1.
    pilot, comparison : array (n_months,)
    others : array (n_months,), optional
        Of all who could have been chosen, without weights.
    difference, std_error : array (n_months,)
        Pilot less comparison, with its error by cluster.
    events_pilot, events_comparison, events_others : array (n_months,)
        How many events stand behind a rate, without weights.
    """

    month: Array
    pilot: Array
    comparison: Array
    others: Array | None
    difference: Array
    std_error: Array
    events_pilot: Array
    events_comparison: Array
    events_others: Array | None

    def to_dict(self) -> dict[str, Any]:
        """As plain values, one row a month."""
        rates = ("pilot", "comparison", "others", "difference", "std_error")
        events = ("events_pilot", "events_comparison", "events_others")
        held = [(name, getattr(self, name)) for name in (*rates, *events)]
        rows = [
            {"month": int(month)} | {name: float(values[k]) for name, values in held if values is not None}
            for k, month in enumerate(self.month)
        ]
        return {"per": PER, "rows": rows}


def windows(months: int = MONTHS, length: int = LENGTH) -> list[tuple[int, int, int]]:
    """``(month, first, last)`` of each month, oldest first: the days after ``first``, up to ``last``."""
    return [(-k, -length * k, -length * (k - 1)) for k in range(months, 0, -1)]


def trajectory(
    counts: Array,
    treated: Array,
    *,
    weights: Array | None = None,
    clusters: Clusters | None = None,
    others: Array | None = None,
) -> Trajectory:
    """Rates of each month.

    Parameters
    ----------
    counts : array (n, n_months)
        Events of each line of the sample in each of :func:`windows`, oldest first.
    treated : array of bool (n,)
    weights : array (n,), optional
    clusters : array (n,) or two such arrays, optional
    others : array (n_others, n_months), optional
        The same of all who could have been chosen.
    """
    counts, treated = np.asarray(counts, dtype=float), np.asarray(treated, dtype=bool)
    w = np.ones(len(treated)) if weights is None else np.asarray(weights, dtype=float)
    summed, months = Summed(clusters), counts.shape[1]
    if others is not None and np.shape(others)[1] != months:
        raise EstimationError("the months of the others are not those of the sample")
    rate, events, influence = [], [], np.zeros(counts.shape)
    for sign, arm in ((1.0, treated), (-1.0, ~treated)):
        total = float(w[arm].sum())
        if not total > 0:
            raise EstimationError("a trajectory needs people on both sides")
        mean = w[arm] @ counts[arm] / total
        influence[arm] = sign * (w[arm] / total)[:, None] * (counts[arm] - mean)
        rate.append(mean * PER)
        events.append(counts[arm & (w > 0)].sum(axis=0))
    return Trajectory(
        month=np.arange(-months, 0),
        pilot=rate[0],
        comparison=rate[1],
        others=None if others is None else np.asarray(others, dtype=float).mean(axis=0) * PER,
        difference=rate[0] - rate[1],
        std_error=np.sqrt([summed.of(column) for column in influence.T]) * PER,
        events_pilot=events[0],
        events_comparison=events[1],
        events_others=None if others is None else np.asarray(others, dtype=float).sum(axis=0),
    )
