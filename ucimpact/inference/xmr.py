r"""The XmR chart of Making Data Count: is this month like those before?

Limits come from the mean and the average moving range of a baseline of :math:`b` points,

.. math:: \bar y \pm 2.66\,\overline{MR}, \qquad \overline{MR} = \text{mean of } |y_t - y_{t-1}|
   \text{ not above } 3.267 \times \text{their mean}

2.66 is :math:`3/d_2` and 3.267 is :math:`D_4` for ranges of two [1]_. The baseline is the time before the
pilot and stays locked. Four rules [2]_ mark a point as more than ordinary variation:

* **outside**: beyond a limit;
* **shift**: one of seven or more in a row on one side of the mean;
* **trend**: one of seven or more in a row, each above (or each below) the one before;
* **near**: two of three in a row beyond two thirds of the way to the same limit.

A companion for watching a service. It knows no season, no trend and no carry-over from one month to the
next, each of which makes these rules speak without cause, and its limits are those of single months: they
are not a range for an effect.

References
----------
.. [1] Wheeler, D. J. (2000). *Understanding Variation: The Key to Managing Chaos*, 2nd edition.
.. [2] NHS England. *Making Data Count: Strengthening your decisions*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LIMIT, SCREEN = 2.66, 3.267
IN_A_ROW = 7
LEAST_BASELINE = 12
RULES = ("outside", "shift", "trend", "near")


@dataclass(frozen=True, kw_only=True, eq=False)
class Xmr:
    """Limits of a baseline and the points that are not like it.

    Attributes
    ----------
    mean, low, high : float
        Centre line and limits.
    moving_range : float
        Average, after screening.
    baseline : int
        Points that the limits were made of.
    marks : dict of bool arrays (n,)
        For each rule of :data:`RULES` the points it marks.
    direction : array of int (n,)
        1 for a point that is marked as high or rising, -1 as low or falling, 0 for one that is not marked.
        The side of the mean decides, unless a trend alone marks it.
    """

    mean: float
    low: float
    high: float
    moving_range: float
    baseline: int
    marks: dict[str, np.ndarray]
    direction: np.ndarray


def xmr(values: np.ndarray, baseline: np.ndarray) -> Xmr | None:
    """The chart of a series; None with fewer than 12 points in its baseline.

    Parameters
    ----------
    values : array (n,)
        In time order; nan where there is no value. A run does not go on across one.
    baseline : array of bool (n,)
        The points that make the limits, those before the pilot.
    """
    known = np.isfinite(values)
    made = values[baseline & known]
    if len(made) < LEAST_BASELINE:
        return None
    moves = np.abs(np.diff(values))
    moves = moves[(baseline & known)[1:] & (baseline & known)[:-1]]
    kept = moves[moves <= SCREEN * moves.mean()] if len(moves) else moves
    moving_range = float(kept.mean()) if len(kept) else 0.0
    mean, reach = float(made.mean()), LIMIT * moving_range
    from_mean = np.where(known, values - mean, 0.0)
    step = np.where(known[1:] & known[:-1], np.diff(np.where(known, values, 0.0)), 0.0)
    trend = np.zeros(len(values))
    for first, last in _runs(np.sign(step), IN_A_ROW - 1):
        trend[first : last + 2] = np.sign(step[first])
    shift = np.zeros(len(values), dtype=bool)
    for first, last in _runs(np.sign(from_mean), IN_A_ROW):
        shift[first : last + 1] = True
    marks = {
        "outside": np.abs(from_mean) > reach,
        "shift": shift,
        "trend": trend != 0,
        "near": _two_of_three(from_mean > 2 * reach / 3) | _two_of_three(from_mean < -2 * reach / 3),
    }
    by_side = marks["outside"] | marks["shift"] | marks["near"]
    return Xmr(
        mean=mean,
        low=mean - reach,
        high=mean + reach,
        moving_range=moving_range,
        baseline=len(made),
        marks=marks,
        direction=np.where(by_side, np.sign(from_mean), trend).astype(int),
    )


def _runs(signs: np.ndarray, least: int) -> list[tuple[int, int]]:
    """First and last place of each run of one sign, not 0, of ``least`` or more."""
    ends = np.flatnonzero(np.diff(signs)) + 1
    firsts, lasts = np.concatenate([[0], ends]), np.concatenate([ends, [len(signs)]]) - 1
    return [
        (int(first), int(last))
        for first, last in zip(firsts, lasts, strict=True)
        if len(signs) and signs[first] != 0 and last - first + 1 >= least
    ]


def _two_of_three(beyond: np.ndarray) -> np.ndarray:
    """Points beyond that have another among the two before or after them."""
    padded = np.concatenate([[False, False], beyond, [False, False]])
    beside = padded[:-4] | padded[1:-3] | padded[3:-1] | padded[4:]
    return np.asarray(beyond & beside)
