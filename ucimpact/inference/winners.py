r"""The estimate of the one that looked best, corrected for having been picked.

With :math:`y \sim N(\theta, \Sigma)` and :math:`k = \arg\max_j y_j`, :math:`y_k` is too large on average and
its interval does not cover as often as it says. Given
:math:`z_j = y_j - (\Sigma_{jk}/\Sigma_{kk})\, y_k`, which does not vary with :math:`y_k`, pilot k is picked
when :math:`y_k` lies between

.. math:: L = \max_{j:\, \Sigma_{kk} > \Sigma_{jk}} \frac{\Sigma_{kk} z_j}{\Sigma_{kk} - \Sigma_{jk}}, \qquad
   U = \min_{j:\, \Sigma_{kk} < \Sigma_{jk}} \frac{\Sigma_{kk} z_j}{\Sigma_{kk} - \Sigma_{jk}}

(U is finite where a precise pilot won against noisy ones that move with it). Andrews, Kitagawa and McCloskey
[1]_ give three intervals, with :math:`s^2 = \Sigma_{kk}` and :math:`c_p` of
:mod:`ucimpact.inference.widest`:

- **hybrid**: :math:`\beta` of the error is spent on :math:`|y_k - \theta_k| \le c_{1-\beta}\, s`, the rest,
  at :math:`\alpha' = (\alpha - \beta)/(1 - \beta)`, on a normal cut off at both,

  .. math:: F(\mu) = \frac{\Phi((y_k - \mu)/s) - \Phi(l)}{\Phi(h) - \Phi(l)}, \quad
     l = \max\Big(\frac{L - \mu}{s}, -c\Big), \; h = \min\Big(\frac{U - \mu}{s}, c\Big);

  the number solves :math:`F = \tfrac12`, the limits :math:`F = 1 - \alpha'/2` and :math:`\alpha'/2`. F falls
  in :math:`\mu` and every root lies within :math:`y_k \pm c s`, so bisection cannot fail. In a dead heat all
  three are :math:`y_k - c s`. Without rivals it is the plain interval.
- **conditional**: the same without :math:`c`. Its number has no lower bound and its interval is often of no
  use: it is here to be compared with.
- **projection**: :math:`y_k \pm c_{1-\alpha}\, s`, which leaves the number as it was.

**Any other rule** of picking (net benefit, after a budget, the shrunken number): :math:`z` is held and the
rule run along :math:`y(t) = z + (\Sigma_{\cdot k}/\Sigma_{kk})\,t`; where it picks k is a union of intervals,
and F a ratio of sums of normal masses over them, within :math:`\mu \pm c s`.

References
----------
.. [1] Andrews, I., Kitagawa, T. and McCloskey, A. (2024). Inference on winners. *Quarterly Journal of
   Economics* 139(1), 305-358.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import erfcx, ndtr

from ucimpact.errors import EstimationError
from ucimpact.inference.joint import checked, proper
from ucimpact.inference.widest import widest

Array = np.ndarray

HALVINGS = 60
DOUBLINGS = 60
"""Of a standard error: as far as a limit of the conditional interval is looked for."""

__all__ = ["Corrected", "conditional", "hybrid", "hybrid_by_rule", "projection"]

PARALLEL = 1e-12
"""Relative difference below which two estimates move as one."""

REFINED = 12
"""Halvings of a cell in which another rule changes its mind."""


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """The picked estimate and its limits; ``chosen`` is its place in the row, from 0."""

    chosen: int
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Picked:
    """The picked estimate, its standard error, and between which values it would have been picked.

    ``sets`` (n, 2) are intervals, in order, in standard errors from the estimate itself, which lies in one.
    """

    chosen: int
    y: float
    std_error: float
    sets: Array


def hybrid(
    y: Array,
    cov: Array,
    *,
    chosen: int | None = None,
    level: float = 0.95,
    beta: float = 0.005,
    seed: int = 1,
) -> Corrected:
    """The largest estimate with the hybrid interval.

    Parameters
    ----------
    y : array (K,)
        Estimates, plus is good.
    cov : array (K, K)
    chosen : int, optional
        Which of several equal largest; the first if left out.
    level : float
    beta : float
        What is spent on the interval of all at once; below ``1 - level``.
    seed : int
        For correlations without one common cause.
    """
    y, cov = checked(y, cov)
    _proper(level, beta)
    picked = _largest(y, cov, chosen)
    return _hybrid(picked, widest(cov, 1 - beta, seed), level, beta)


def conditional(y: Array, cov: Array, *, chosen: int | None = None, level: float = 0.95) -> Corrected:
    """The largest estimate given that it is the largest: for comparison, never for a page."""
    y, cov = checked(y, cov)
    proper(level)
    picked = _largest(y, cov, chosen)
    tail = (1 - level) / 2
    return _corrected(picked, [_unbounded(picked, share) for share in (0.5, 1 - tail, tail)])


def projection(
    y: Array, cov: Array, *, chosen: int | None = None, level: float = 0.95, seed: int = 1
) -> Corrected:
    """The largest estimate with an interval that holds whichever is picked; the number is left as it was."""
    y, cov = checked(y, cov)
    proper(level)
    picked = _largest(y, cov, chosen)
    c = widest(cov, level, seed)
    return _corrected(picked, [0.0, -c, c])


def hybrid_by_rule(
    y: Array,
    cov: Array,
    rule: Callable[[Array], int],
    *,
    level: float = 0.95,
    beta: float = 0.005,
    seed: int = 1,
    cells: int = 240,
) -> Corrected:
    """The estimate that a rule picks, with the hybrid interval.

    Parameters
    ----------
    rule : callable
        From estimates (K,) to the place, from 0, of the one picked. The same estimates give the same place: a
        rule that draws anew each time is refused.
    cells : int
        On the line that is searched; a stretch where the rule picks otherwise, shorter than a cell, can be
        missed.
    """
    y, cov = checked(y, cov)
    _proper(level, beta)
    if cells < 2 or cells % 2:
        raise ValueError(f"cells are an even number, two or more; {cells} is not")
    chosen = _asked(rule, y)
    c = widest(cov, 1 - beta, seed)
    std_error = float(np.sqrt(cov[chosen, chosen]))
    slope = cov[:, chosen] / std_error

    def picks(x: float) -> bool:
        return _asked(rule, y + slope * x) == chosen

    if not picks(0.0):
        raise EstimationError("the rule picks another pilot when asked again: fix its seed")
    edges = np.linspace(-2 * c, 2 * c, cells + 1)
    return _hybrid(
        Picked(chosen=chosen, y=float(y[chosen]), std_error=std_error, sets=_kept(picks, edges)),
        c,
        level,
        beta,
    )


def _kept(picks: Callable[[float], bool], edges: Array) -> Array:
    """Intervals (n, 2) of the line in which the rule picks the same, ends found by halving."""
    points = np.sort(np.append((edges[1:] + edges[:-1]) / 2, 0.0))
    kept = [picks(float(point)) for point in points]
    ends = [edges[0]] if kept[0] else []
    for (before, left), (after, right) in pairwise(zip(kept, points, strict=True)):
        if before != after:
            for _ in range(REFINED):
                middle = (left + right) / 2
                left, right = (middle, right) if picks(float(middle)) == before else (left, middle)
            ends.append((left + right) / 2)
    if kept[-1]:
        ends.append(edges[-1])
    return np.reshape(ends, (-1, 2))


def _asked(rule: Callable[[Array], int], y: Array) -> int:
    place = int(rule(y))
    if not 0 <= place < len(y):
        raise ValueError(f"the rule picked place {place}; there are {len(y)} estimates, from 0")
    return place


def _proper(level: float, beta: float) -> None:
    proper(level)
    if not 0 < beta < 1 - level - PARALLEL:
        raise ValueError(f"beta lies between 0 and {1 - level:.3g}, what the level leaves; {beta} does not")


def _largest(y: Array, cov: Array, chosen: int | None) -> Picked:
    if chosen is None:
        chosen = int(np.argmax(y))
    elif not 0 <= chosen < len(y) or y[chosen] < y.max():
        raise ValueError(
            f"place {chosen} does not hold the largest estimate; for another way of picking there is "
            "hybrid_by_rule"
        )
    variance = cov[chosen, chosen]
    std_error = np.sqrt(variance)
    apart = 1 - cov[:, chosen] / variance
    rival = (np.abs(apart) > PARALLEL) & (np.arange(len(y)) != chosen)
    # in standard errors from y_k: where the line of j, which moves at the pace 1 - apart, is met
    met = (y[rival] - y[chosen]) / apart[rival] / std_error
    low = met[apart[rival] > 0].max(initial=-np.inf)
    high = met[apart[rival] < 0].min(initial=np.inf)
    return Picked(chosen=chosen, y=float(y[chosen]), std_error=float(std_error), sets=np.array([[low, high]]))


def _hybrid(picked: Picked, c: float, level: float, beta: float) -> Corrected:
    """The means, in standard errors from the estimate and between -c and c, at which F is as it should be."""
    tail = ((1 - level) - beta) / (1 - beta) / 2
    shares = np.array([0.5, 1 - tail, tail])
    low, high = np.full(3, -c), np.full(3, c)
    for _ in range(HALVINGS):
        mean = (low + high) / 2
        cut = np.clip(picked.sets, mean[:, None, None] - c, mean[:, None, None] + c)
        above = _share_below(cut, mean) > shares
        low, high = np.where(above, mean, low), np.where(above, high, mean)
    return _corrected(picked, [float(move) for move in (low + high) / 2])


def _corrected(picked: Picked, moves: list[float]) -> Corrected:
    estimate, low, high = (picked.y + picked.std_error * move for move in moves)
    return Corrected(chosen=picked.chosen, estimate=estimate, low=low, high=high)


def _unbounded(picked: Picked, share: float) -> float:
    """The same without c; infinite where F does not come to ``share`` within 1e18 standard errors."""
    first, last = picked.sets[0]

    def is_above(mean: float) -> bool:
        return _far_below(first, last, mean) > share

    step = 1.0
    for _ in range(DOUBLINGS):
        if not is_above(step) and is_above(-step):
            break
        step *= 2
    else:
        return np.inf if is_above(step) else -np.inf
    low, high = -step, step
    for _ in range(HALVINGS + DOUBLINGS):
        mean = (low + high) / 2
        low, high = (mean, high) if is_above(mean) else (low, mean)
    return (low + high) / 2


def _share_below(sets: Array, mean: Array) -> Array:
    """Share of normals of variance 1, cut off outside ``sets`` (m, n, 2), that is below 0; 0 where none is.

    ``mean`` and the answer have the shape (m,).
    """
    low, high = sets[..., 0] - mean[:, None], sets[..., 1] - mean[:, None]
    whole = _mass(low, high).sum(axis=1)
    part = _mass(low, np.clip(-mean[:, None], low, high)).sum(axis=1)
    return np.asarray(np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 0.0))


def _mass(low: Array, high: Array) -> Array:
    """Of a standard normal, taken in the tail where both are small."""
    right = low > 0
    return np.asarray(np.where(right, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low)))


def _far_below(low: float, high: float, mean: float) -> float:
    """The same for one set that holds 0, exact however far in the tail the mean lies.

    With both ends above the mean every tail is taken relative to that of the lower end,
    ``ndtr(-t) / ndtr(-a) = exp(-(t - a)(t + a)/2) erfcx(t/sqrt 2) / erfcx(a/sqrt 2)``, in which the distances
    t - a are known without subtraction.
    """
    start = low - mean
    if high <= mean:
        return 1 - _far_below(-high, -low, -mean)
    if start < 0:
        return float(_share_below(np.array([[[low, high]]]), np.array([mean]))[0])
    past, all_of_it = -low, high - low

    def nearer(distance: float) -> float:
        if np.isinf(distance):
            return 1.0
        ratio = erfcx((start + distance) / np.sqrt(2)) / erfcx(start / np.sqrt(2))
        return float(-np.expm1(-distance * (start + distance / 2) + np.log(ratio)))

    return nearer(past) / nearer(all_of_it) if all_of_it > 0 else 0.0
