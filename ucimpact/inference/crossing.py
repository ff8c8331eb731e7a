"""Where a rising chance reaches a quantile, for many at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

DOUBLINGS = 60
STEPS = 80
NEAR = 1e-9
"""Share of the first step at which a crossing is found."""

TINY = 1e-300

Below = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From which (k,) of the N and where (k,) to the chance there (k,)."""


def crossings(below: Below, centre: np.ndarray, step: np.ndarray, q: float) -> np.ndarray:
    """Where each rising chance is ``q``, looked for outward from ``centre``; ``nan`` where it never is.

    Steps double until ``q`` is passed. Inside that bracket a false position of the Illinois kind works on
    the normal scale, where a chance is close to a line.

    Parameters
    ----------
    below : callable
    centre, step : array (N,)
        Where to begin, and how far the first step goes (above 0).
    q : float
    """
    goal, count = float(ndtri(q)), len(centre)

    def value(which: np.ndarray, at: np.ndarray) -> np.ndarray:
        return np.asarray(ndtri(np.clip(below(which, at), TINY, 1 - 1e-16)) - goal)

    near, far, open_ = centre.copy(), centre.copy(), np.arange(count)
    at_near, at_far = value(open_, near), np.full(count, np.nan)
    side = np.where(at_near < 0, 1.0, -1.0)  # which way the quantile lies
    stride = side * step
    for _ in range(DOUBLINGS):
        far[open_] += stride[open_]
        at_far[open_] = value(open_, far[open_])
        open_ = open_[at_far[open_] * side[open_] <= 0]
        if not len(open_):
            break
        near[open_], at_near[open_] = far[open_], at_far[open_]
        stride[open_] *= 2
    found = np.where(at_far * side > 0, far, np.nan)
    open_ = np.flatnonzero(np.isfinite(found))
    kept = np.zeros(count)
    for _ in range(STEPS):
        if not len(open_):
            break
        a, b, fa, fb = near[open_], far[open_], at_near[open_], at_far[open_]
        new = b - fb * (b - a) / (fb - fa)
        new = np.where(np.isfinite(new), new, (a + b) / 2)
        f = value(open_, new)
        moves_far = f * side[open_] > 0
        # the end that stays twice counts for half, or it would stay for good
        fa = np.where(moves_far & (kept[open_] == 1), fa / 2, fa)
        fb = np.where(~moves_far & (kept[open_] == -1), fb / 2, fb)
        kept[open_] = np.where(moves_far, 1, -1)
        near[open_], at_near[open_] = np.where(moves_far, a, new), np.where(moves_far, fa, f)
        far[open_], at_far[open_] = np.where(moves_far, new, b), np.where(moves_far, f, fb)
        moved = np.minimum(np.abs(new - a), np.abs(new - b))
        found[open_] = new
        open_ = open_[(moved > NEAR * step[open_]) & (f != 0)]
    return found
