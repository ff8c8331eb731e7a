r"""How an answer changes when the two groups need not have moved in parallel.

Before the start the effects by event time show how far the groups drifted apart. Instead of asking that
the drift stop, let it go on within bounds that what was seen suggests [1]_:

- ``"relative-magnitudes"``: from one period to the next it moves by at most :math:`\bar M` times the
  largest move before the start (:math:`\Delta^{RM}`). :math:`\bar M = 1`: as bad as the worst seen.
- ``"smoothness"``: its slope changes by at most M a period (:math:`\Delta^{SD}`). M = 0: whatever line it
  was on before goes on.
- ``"both"``: its slope changes by at most :math:`\bar M` times the largest change of slope before the
  start (:math:`\Delta^{SDRM}`).

The target is any weighted sum of the effects after the start. Confidence sets hold it with the chance
asked, whatever drift within the bounds: the hybrid test of
:mod:`~ucimpact.inference.honest_magnitudes` for the first and third, the fixed-length interval of
:mod:`~ucimpact.inference.honest_smooth` for the second. The **breakdown value** is the largest bound at
which 0 is left out.

The bounds say nothing of a sudden change at the start itself that no period before could show.

References
----------
.. [1] Rambachan, A. and Roth, J. (2023). A more credible approach to parallel trends. *Review of
   Economic Studies* 90(5), 2555-2591.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.special import ndtri

from ucimpact.errors import EstimationError, UsageError
from ucimpact.inference.honest_magnitudes import pieces
from ucimpact.inference.honest_path import Differenced, EventPath, differenced
from ucimpact.inference.honest_smooth import shortest

Array = np.ndarray
Kind = Literal["relative-magnitudes", "smoothness", "both"]
KINDS: tuple[Kind, ...] = ("relative-magnitudes", "smoothness", "both")
MOST = 10.0
"""Times the worst seen beyond which no breakdown is looked for."""
FIRST_TRIED, GROWTH = 0.02, 1.25
HALVINGS = 14


def in_differences(path: EventPath, weights: Array, kind: Kind) -> Differenced:
    """The target in the differences that the bound is written in.

    Raises
    ------
    EstimationError
        With too few periods before the start to bound anything by.
    """
    if kind not in KINDS:
        raise UsageError(f"kind = {kind!r}: give one of {', '.join(KINDS)}")
    target = differenced(path, weights, 1 if kind == "relative-magnitudes" else 2)
    if kind == "both" and not len(target.before):
        raise EstimationError(
            "a change of slope before the start needs three periods before it, the reference among them"
        )
    return target


def original(path: EventPath, weights: Array, level: float) -> tuple[float, float]:
    """The interval that supposes the groups to have moved in parallel."""
    loading = path.loading(np.asarray(weights, dtype=float))
    half = float(ndtri((1 + level) / 2)) * path.std_error(loading)
    return float(loading @ path.estimate) - half, float(loading @ path.estimate) + half


def confidence(
    path: EventPath, weights: Array, kind: Kind, bound: float, level: float
) -> tuple[float, float]:
    """The interval that allows any drift within the bound.

    Parameters
    ----------
    path : EventPath
    weights : array (n_after,)
        Of the effects after the reference.
    kind : {"relative-magnitudes", "smoothness", "both"}
    bound : float
        :math:`\\bar M`, or M in units of the outcome per period squared.
    level : float
        Coverage.

    Returns
    -------
    low, high : float
        The smallest interval that holds the confidence set.
    """
    if not bound >= 0 or not np.isfinite(bound):
        raise UsageError(f"bound = {bound}: give a number from 0 up")
    return _interval(in_differences(path, weights, kind), kind, bound, level)


def _interval(target: Differenced, kind: Kind, bound: float, level: float) -> tuple[float, float]:
    if kind == "smoothness":
        found = shortest(target, bound, 1 - level)
        return found.estimate - found.half, found.estimate + found.half
    return pieces(target, bound, 1 - level).interval()


def identified(path: EventPath, weights: Array, kind: Kind, bound: float) -> tuple[float, float]:
    """What the bound allows if the estimates were the truth: the interval without chance.

    Under smoothness the drift before the start may itself break the bound: the interval is then empty, and
    ``nan`` is given.
    """
    target = in_differences(path, weights, kind)
    seen = float(np.abs(target.before @ path.estimate).max()) if len(target.before) else 0.0
    if kind == "smoothness":
        if seen > bound * (1 + 1e-9):
            return float("nan"), float("nan")
        room = bound
    else:
        room = bound * seen
    half = room * float(np.abs(target.shares).sum())
    return target.estimate - half, target.estimate + half


def breakdown(path: EventPath, weights: Array, kind: Kind, level: float, most: float = MOST) -> float:
    """The largest bound at which the interval leaves out 0; 0 where it never does.

    Parameters
    ----------
    most : float
        Times the worst seen at which the search ends, returned where 0 is still left out there. Under
        smoothness there is always an end.
    """
    target = in_differences(path, weights, kind)
    unit, end = (smallest_bend(target), np.inf) if kind == "smoothness" else (1.0, most)

    def holds(bound: float) -> bool:
        low, high = _interval(target, kind, bound, level)
        return low > 0 or high < 0

    return _last(holds, unit, end)


def smallest_bend(target: Differenced) -> float:
    """The M at which the drift after the start could move the target by one standard error."""
    weights = target.path.loading(target.after[:, target.path.after].T @ target.shares)
    return target.path.std_error(weights) / float(np.abs(target.shares).sum())


def _last(holds: Callable[[float], bool], unit: float, most: float) -> float:
    """The end of the stretch from 0 on which ``holds``, to a part in ten thousand."""
    if not holds(0.0):
        return 0.0
    low, high = 0.0, FIRST_TRIED * unit
    while high < most and holds(high):
        low, high = high, high * GROWTH
    if high >= most:
        high = most
        if holds(high):
            return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
