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
straight pieces (:mod:`ucimpact.inference.lasso_path`): it is followed once, and :math:`\chi` is minimised
on it for each M.

References
----------
.. [1] Rambachan, A. and Roth, J. (2023). A more credible approach to parallel trends. *Review of
   Economic Studies* 90(5), 2555-2591: section 4.1.
.. [2] Armstrong, T. and Kolesar, M. (2018). Optimal inference in a class of regression models.
   *Econometrica* 86(2), 655-683.
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
COARSE, STEPS = 5, 65


@dataclass(frozen=True)
class FixedLength:
    """The shortest interval of fixed length.

    Attributes
    ----------
    along : array (n_before,)
        :math:`q`, what is added of the differences before the start.
    weights : array (n_events,)
        Of the estimator, on all effects.
    estimate, half, bias, std_error : float
        Its value, half of its interval, its largest bias and its standard error.
    """

    along: Array
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
    """The :math:`q` that no other beats in both bias and variance, shape (n_points, n_before)."""
    between = np.linspace(0.0, 1.0, COARSE)[1:, None]
    knots = target.knots
    return np.concatenate([knots[:1]] + [one + between * (two - one) for one, two in pairwise(knots)])


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
    for _ in range(3 if len(points) > 1 else 0):  # between the neighbours of the best, ever nearer
        around = points[max(best - 1, 0) : best + 2]
        points = np.concatenate([one + share * (two - one) for one, two in pairwise(around)])
        best, found = _shortest_of(target, points, bound, alpha, quantile)
    return found


def _shortest_of(
    target: Differenced, points: Array, bound: float, alpha: float, quantile: Quantile
) -> tuple[int, FixedLength]:
    weights = target.loading + points @ target.before
    bias, sd = largest_bias(target, points, bound), deviation(target, points)
    half = np.where(sd > 0, sd * quantile(bias / np.where(sd > 0, sd, 1.0), alpha), bias)
    k = int(half.argmin())
    value = float(weights[k] @ target.path.estimate)
    return k, FixedLength(points[k], weights[k], value, float(half[k]), float(bias[k]), float(sd[k]))


def largest_bias(target: Differenced, points: Array, bound: float) -> Array:
    """Of the estimator at each :math:`q`, shape (n_points,)."""
    return np.asarray(bound * (np.abs(target.shares).sum() + np.abs(points).sum(axis=1)))


def deviation(target: Differenced, points: Array) -> Array:
    """Standard error at each :math:`q`, shape (n_points,); the larger where there are two covariances."""
    path, weights = target.path, target.loading + points @ target.before
    known = [path.cov] if path.also is None else [path.cov, path.also]
    squares = np.max([((weights @ cov) * weights).sum(axis=1) for cov in known], axis=0)
    return np.asarray(np.sqrt(squares.clip(0.0)))
