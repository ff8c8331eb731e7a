r"""Bounds on how fast a drift may bend: fixed-length intervals under smoothness.

The slope of the drift changes by at most M from one period to the next [1]_:

.. math:: \Delta^{SD}(M) = \{\delta : |\delta_{t+1} - 2 \delta_t + \delta_{t-1}| \le M \text{ for all } t\}.

With M = 0 a straight line before the start goes on after it, and is taken out. An estimator
:math:`b'\hat\beta` that weighs the effects after the start as the target does has a bounded bias only if
it takes out lines; every such estimator is

.. math:: b = a + V'q, \qquad \text{largest bias} = M (|c|_1 + |q|_1),

in second differences (see :mod:`ucimpact.inference.honest_path`), with :math:`q` free. The shortest
interval :math:`b'\hat\beta \pm \chi` has

.. math:: \chi = \min_q \sigma_b \, \mathrm{cv}_\alpha(\text{largest bias} / \sigma_b), \qquad
          \sigma_b^2 = (a + V'q)'\Sigma(a + V'q),

:math:`\mathrm{cv}_\alpha(t)` being the :math:`1 - \alpha` quantile of :math:`|N(t, 1)|` [2]_. The best
trade of bias against variance is a lasso in :math:`q`, whose solutions for all penalties are a path of
straight pieces [3]_: it is followed from one end to the other, and :math:`\chi` is minimised on it.

References
----------
.. [1] Rambachan, A. and Roth, J. (2023). A more credible approach to parallel trends. *Review of
   Economic Studies* 90(5), 2555-2591: section 4.1.
.. [2] Armstrong, T. and Kolesar, M. (2018). Optimal inference in a class of regression models.
   *Econometrica* 86(2), 655-683.
.. [3] Osborne, M., Presnell, B. and Turlach, B. (2000). A new approach to variable selection in least
   squares problems. *IMA Journal of Numerical Analysis* 20(3), 389-403.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri

from ucimpact.inference.honest_path import Differenced

Array = np.ndarray
Quantile = Callable[[Array, float], Array]
STEPS = 65
ROUNDING = 1e-12
TIE = 1e-9


@dataclass(frozen=True)
class FixedLength:
    """The shortest interval of fixed length.

    Attributes
    ----------
    weights : array (n_events,)
        Of the estimator, on all effects.
    estimate, half, bias, std_error : float
        Its value, half of its interval, its largest bias and its standard error.
    """

    weights: Array
    estimate: float
    half: float
    bias: float
    std_error: float


def folded_quantile(shift: Array, alpha: float) -> Array:
    r"""The :math:`1 - \alpha` quantile of :math:`|N(t, 1)|`, for each t of ``shift``."""
    t = np.abs(np.asarray(shift, dtype=float))
    q = np.maximum(t + ndtri(1 - alpha), ndtri(1 - alpha / 2))
    for _ in range(60):
        excess = ndtr(q - t) - ndtr(-q - t) - (1 - alpha)
        density = (np.exp(-((q - t) ** 2) / 2) + np.exp(-((q + t) ** 2) / 2)) / np.sqrt(2 * np.pi)
        step = excess / density
        q = q - step
        if np.all(np.abs(step) <= 1e-14 * q):
            break
    return np.asarray(q)


def trade(target: Differenced) -> Array:
    """Estimators that no other beats in both bias and variance, shape (n_points, n_events)."""
    cov, v, a = target.path.cov, target.before, target.loading
    knots = lasso_path(v @ cov @ v.T, v @ cov @ a)
    between = np.linspace(0.0, 1.0, STEPS)[1:, None]
    q = [knots[:1]] + [one + between * (two - one) for one, two in pairwise(knots)]
    return np.asarray(a + np.concatenate(q) @ v)


def shortest(
    target: Differenced, bound: float, alpha: float, quantile: Quantile = folded_quantile
) -> FixedLength:
    """The shortest fixed-length interval when the slope changes by at most ``bound`` a period.

    Parameters
    ----------
    target : Differenced
        In second differences.
    bound : float
        M, in units of the outcome per period squared.
    alpha : float
        One less the coverage.
    quantile : callable
        Of the folded normal.
    """
    points = trade(target)
    best, found = _shortest_of(target, points, bound, alpha, quantile)
    share = np.linspace(0.0, 1.0, STEPS)[:, None]
    for _ in range(3 if len(points) > 1 else 0):  # again between the neighbours of the best
        around = points[max(best - 1, 0) : best + 2]
        points = np.concatenate([one + share * (two - one) for one, two in pairwise(around)])
        best, found = _shortest_of(target, points, bound, alpha, quantile)
    return found


def _shortest_of(
    target: Differenced, points: Array, bound: float, alpha: float, quantile: Quantile
) -> tuple[int, FixedLength]:
    bias, sd = largest_bias(target, points, bound), deviation(target, points)
    half = np.where(sd > 0, sd * quantile(bias / np.where(sd > 0, sd, 1.0), alpha), bias)
    k = int(half.argmin())
    value = float(points[k] @ target.path.estimate)
    return k, FixedLength(points[k], value, float(half[k]), float(bias[k]), float(sd[k]))


def largest_bias(target: Differenced, weights: Array, bound: float) -> Array:
    """Of each estimator that takes out lines, shape (n_points,)."""
    if not len(target.before):
        return np.full(len(weights), bound * np.abs(target.shares).sum())
    own = weights - target.loading
    q = np.linalg.lstsq(target.before.T, own.T, rcond=None)[0]
    return np.asarray(bound * (np.abs(target.shares).sum() + np.abs(q).sum(axis=0)))


def deviation(target: Differenced, weights: Array) -> Array:
    """Standard error of each estimator, shape (n_points,); the larger where there are two covariances."""
    path = target.path
    known = [path.cov] if path.also is None else [path.cov, path.also]
    return np.asarray(
        np.sqrt(np.max([((weights @ cov) * weights).sum(axis=1) for cov in known], axis=0).clip(0))
    )


def lasso_path(square: Array, linear: Array) -> Array:
    r"""Knots of :math:`\arg\min_q \tfrac12 q'Hq + h'q + \lambda |q|_1` from the largest penalty to none.

    Parameters
    ----------
    square : array (n, n)
        H, positive semi-definite; it is given a floor where it is singular.
    linear : array (n,)
        h.

    Returns
    -------
    array (n_knots, n)
        The first is 0; between two the solution is straight.
    """
    n = len(linear)
    q = np.zeros(n)
    if not n or not np.abs(linear).max() > 0:
        return np.zeros((1, n))
    apart = TIE * np.abs(linear).max() * np.sqrt(np.arange(2, n + 2))  # so that no two join at once
    linear = linear + apart
    h = square + ROUNDING * np.trace(square) / n * np.eye(n)
    penalty = float(np.abs(linear).max())
    first = int(np.abs(linear).argmax())
    active, signs = [first], [-float(np.sign(linear[first]))]
    knots = [q]
    for _ in range(50 * n):
        pull = -(linear + h @ q)
        change = np.linalg.solve(h[np.ix_(active, active)], np.array(signs))
        fall = h[:, active] @ change
        step, joins, leaves, way = penalty, -1, -1, 1.0
        for k, j in enumerate(active):  # one that returns to 0 leaves
            to_zero = -q[j] / change[k] if change[k] != 0 else np.inf
            if ROUNDING * penalty < to_zero < step:
                step, joins, leaves = to_zero, -1, k
        for j in set(range(n)) - set(active):  # one whose pull reaches the penalty joins
            for side in (1.0, -1.0):
                closing = 1 - side * fall[j]
                if closing > ROUNDING:
                    reached = max((penalty - side * pull[j]) / closing, 0.0)
                    if reached < step:
                        step, joins, leaves, way = reached, j, -1, side
        q = q.copy()
        q[active] += step * change
        penalty -= step
        if leaves >= 0:
            q[active.pop(leaves)] = 0.0
            signs.pop(leaves)
        elif joins >= 0:
            active.append(joins)
            signs.append(way)
        knots.append(q)
        if joins < 0 and leaves < 0:
            break
    return np.array(knots)
