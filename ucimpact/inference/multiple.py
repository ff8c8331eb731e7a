r"""Several questions at once: chances adjusted for how many there are, and ranges that hold together.

With :math:`p_{(1)} \le \dots \le p_{(m)}` the chances of seeing as much where nothing changed,

.. math::
   \tilde p^{Holm}_{(j)} = \max_{i \le j} \min\{1, (m - i + 1) p_{(i)}\}, \qquad
   \tilde p^{BH}_{(j)} = \min_{i \ge j} \min\{1, m\, p_{(i)} / i\}

Holm [1]_ bounds the chance of any false finding whatever the questions share; Benjamini and Hochberg [2]_
bound the expected share of false ones among the findings where they are independent or move together. Romano
and Wolf [3]_ use how the questions move together: with statistics :math:`s_{(1)} \ge \dots \ge s_{(m)}` and
draws :math:`S` of what they would be if nothing had changed,

.. math:: \tilde p^{RW}_{(j)} = \max_{i \le j} \frac{1 + \#\{\max_{l \ge i} S_{(l)} \ge s_{(i)}\}}{1 + n}

(the form of [4]_, in which no chance is 0). The statistics here are how many times its half-width an estimate
lies from no change, and :math:`S = |T| / t_{0.975}`, where the :math:`T` are drawn from :math:`t` of each
estimate's own degrees of freedom joined by a Gaussian copula. So a single question stands, at 5%, if and only
if its printed 95% range leaves out no change. Of the largest :math:`\max_l S_l`, the 95% quantile :math:`c`
stretches every range so that all of them hold the truth together 95 times in 100.

References
----------
.. [1] Holm, S. (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal of
   Statistics* 6, 65-70.
.. [2] Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. *Journal of the Royal
   Statistical Society B* 57, 289-300.
.. [3] Romano, J. P. and Wolf, M. (2005). Stepwise multiple testing as formalized data snooping.
   *Econometrica* 73, 1237-1282.
.. [4] Romano, J. P. and Wolf, M. (2016). Efficient computation of adjusted p-values for resampling-based
   stepdown multiple testing. *Statistics and Probability Letters* 113, 38-40.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtr, stdtrit

Array = np.ndarray
TAIL = 0.975
DRAWS = 20_000


def holm(p: Sequence[float] | Array) -> Array:
    """Chances adjusted by Holm's steps, in the order given, shape (m,)."""
    values = _chances(p)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return _in_place(np.minimum(steps, 1.0), order)


def benjamini_hochberg(p: Sequence[float] | Array) -> Array:
    """Chances adjusted for the share of false findings, in the order given, shape (m,)."""
    values = _chances(p)
    order = np.argsort(values, kind="stable")
    m = len(values)
    steps = np.minimum.accumulate((values[order] * m / np.arange(1, m + 1))[::-1])[::-1]
    return _in_place(np.minimum(steps, 1.0), order)


def romano_wolf(statistics: Sequence[float] | Array, draws: Array) -> Array:
    """Chances adjusted by Romano and Wolf's steps, in the order given, shape (m,).

    Parameters
    ----------
    statistics : array (m,)
        Sizes, the larger the further from no change.
    draws : array (n, m)
        The same statistics together, where nothing has changed.
    """
    found = np.asarray(statistics, dtype=float)
    if draws.ndim != 2 or draws.shape[1] != len(found):
        raise ValueError(f"draws have shape {draws.shape}; {len(found)} statistics need as many columns")
    order = np.argsort(-found, kind="stable")
    largest = np.maximum.accumulate(draws[:, order][:, ::-1], axis=1)[:, ::-1]
    above = (largest >= found[order]).sum(axis=0)
    steps = np.maximum.accumulate((1 + above) / (1 + len(draws)))
    return _in_place(steps, order)


def null_sizes(correlation: Array, df: Sequence[float] | Array, n: int = DRAWS, seed: int = 1) -> Array:
    r"""Draws of :math:`|T| / t_{0.975}` together, shape (n, m), where nothing has changed.

    Parameters
    ----------
    correlation : array (m, m)
    df : array (m,)
        Degrees of freedom of each; infinite for a normal.
    """
    freedom = np.asarray(df, dtype=float)
    normal = np.random.default_rng(seed).standard_normal((n, len(freedom)))
    values, vectors = np.linalg.eigh(np.asarray(correlation, dtype=float))
    joined = normal @ (vectors * np.sqrt(np.clip(values, 0.0, None))).T
    lower = -np.abs(joined)  # the tail in which chances keep their digits
    sizes: Array = np.empty(joined.shape)
    for k, own in enumerate(freedom):
        chances = stdtr(np.inf, lower[:, k])
        sizes[:, k] = -stdtrit(float(own), chances) / stdtrit(float(own), TAIL)
    return sizes


def stretch(draws: Array, level: float = 0.95) -> float:
    """How many times wider every range is to be so that all hold together; never under 1."""
    largest: Array = draws.max(axis=1)
    return max(1.0, float(np.quantile(largest, float(level), method="higher")))


def bonferroni_stretch(df: Sequence[float] | Array, level: float = 0.95) -> Array:
    """How many times wider each range is to be, by Bonferroni, whatever the questions share; shape (m,)."""
    freedom = np.asarray(df, dtype=float)
    single = 1 - (1 - level) / 2
    together = 1 - (1 - level) / 2 / len(freedom)
    return np.asarray(stdtrit(freedom, together) / stdtrit(freedom, single))


def size_of(estimate: float, low: float, high: float) -> float:
    """How many times the distance to its limit nearest no change an estimate lies from no change."""
    side = estimate - low if estimate > 0 else high - estimate
    return float("inf") if side <= 0 < abs(estimate) else abs(estimate) / side if side > 0 else 0.0


def chance_of(size: float, df: float) -> float:
    """The chance of so large a size where nothing changed: under 5% just where the range leaves out 0."""
    reached = float(-size * stdtrit(df, TAIL))
    return float(2 * stdtr(df, reached))


def _chances(p: Sequence[float] | Array) -> Array:
    values = np.asarray(p, dtype=float)
    if values.ndim != 1 or not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("chances are one or more numbers between 0 and 1")
    return values


def _in_place(ordered: Array, order: Array) -> Array:
    out = np.empty(len(order))
    out[order] = ordered
    return out
