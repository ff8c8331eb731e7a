r"""A difference of mean costs with limits by the bootstrap of matched sets or people.

A commissioner pays for all, so it is the mean of costs that counts, however skewed they are; and with a few
very large costs the limits are not even on both sides [1]_. Clusters (sets, people, practices) are drawn
again with replacement, everything of a cluster together. The difference of each draw is that of weighted
least squares with the covariates, exactly: a draw only counts the cross-products of each cluster anew.

The limits are the bias-corrected and accelerated ones [2]_: with :math:`z_0 = \Phi^{-1}` of the share of
draws below the estimate and :math:`a = \sum_g u_g^3 / \bigl(6 (\sum_g u_g^2)^{3/2}\bigr)`, they are the
quantiles of the draws at

.. math:: \Phi\Bigl(z_0 + \frac{z_0 + z}{1 - a (z_0 + z)}\Bigr)

with :math:`z` the two quantiles of the level of a t distribution, times :math:`\sqrt{G/(G-1)}`: draws of few
clusters are too alike [3]_. Its degrees of freedom are what so uneven a variance is worth
(:mod:`ucimpact.inference.uneven`).

References
----------
.. [1] Thompson, S. G. and Barber, J. A. (2000). How should cost data in pragmatic randomised trials be
   analysed? *BMJ* 320(7243), 1197-1200.
.. [2] Efron, B. (1987). Better bootstrap confidence intervals. *Journal of the American Statistical
   Association* 82(397), 171-185.
.. [3] Hesterberg, T. C. (2015). What teachers should know about the bootstrap: resampling in the
   undergraduate statistics curriculum. *The American Statistician* 69(4), 371-386, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from ucimpact.errors import EstimationError
from ucimpact.inference.uneven import worth

Array = np.ndarray

DRAWS = 2000
COLLINEAR = 1e-9
BLOCK = 2**22
"""Cluster counts drawn at a time."""
LEAST_CLUSTERS = 20
"""Limits of fewer hold a mean of skewed costs in fewer than nine samples of ten."""


@dataclass(frozen=True, eq=False)
class Redrawn:
    """A difference of means and its draws.

    Attributes
    ----------
    estimate, std_error : float
        The error is the standard deviation of the draws.
    low, high : float
    p_value : float
        Two-sided: the level at which the limits would just touch no difference.
    df : float
        Degrees of freedom of the t distribution.
    draws : array (n_draws,)
    """

    estimate: float
    std_error: float
    low: float
    high: float
    p_value: float
    df: float
    draws: Array

    def stretched(self, times: float) -> Redrawn:
        """The same about its estimate so many times as wide, for a variance that the draws do not hold."""
        if times == 1:
            return self
        e, df = self.estimate, self.df
        reach = float(stdtrit(df, self.p_value / 2)) / times if self.p_value > 0 else -np.inf
        return Redrawn(
            estimate=e,
            std_error=self.std_error * times,
            low=e + (self.low - e) * times,
            high=e + (self.high - e) * times,
            p_value=float(2 * stdtr(df, reach)),
            df=df,
            draws=e + (self.draws - e) * times,
        )


def redraw(
    y: Array,
    x: Array,
    treatment: int,
    *,
    weights: Array | None = None,
    clusters: Array | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
    seed: int = 1,
) -> Redrawn:
    """The coefficient of a column of weighted least squares, by the bootstrap of clusters.

    Parameters
    ----------
    y : array (n,)
    x : array (n, p)
        With a column of ones; without covariates the coefficient is the difference of weighted means.
    treatment : int
        The column of the service, 0 and 1.
    weights : array (n,), optional
    clusters : array (n,), optional
        Codes of what is drawn together; each row its own without them.
    draws, level, seed : int, float, int

    Raises
    ------
    EstimationError
        For fewer than 20 clusters, which the bootstrap cannot stand for.
    """
    n, p = x.shape
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    codes = np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1].reshape(-1)
    number = len(np.unique(codes))
    if number < LEAST_CLUSTERS:
        raise EstimationError(
            f"{number} clusters are too few to be drawn again, and at least {LEAST_CLUSTERS} are needed. "
            'Use family = "gaussian".'
        )
    basis, back = _basis(x, w)
    one, other = np.triu_indices(p)
    held = np.empty((number, len(one) + p))
    for place in range(len(one)):
        held[:, place] = np.bincount(codes, w * basis[:, one[place]] * basis[:, other[place]], number)
    for place in range(p):
        held[:, len(one) + place] = np.bincount(codes, w * basis[:, place] * y, number)

    def coefficient(sums: Array) -> Array:
        square = np.empty((len(sums), p, p))
        square[:, one, other] = square[:, other, one] = sums[:, : len(one)]
        sizes = np.linalg.eigvalsh(square)
        if (sizes[:, 0] <= COLLINEAR * sizes[:, -1]).any():
            raise EstimationError(
                "some draws hold nobody of one group, or a covariate that is the same for all: too few to be "
                "drawn again"
            )
        inner = np.linalg.solve(square, sums[:, len(one) :, None])[..., 0]
        return np.asarray(inner @ back[treatment])

    estimate = float(coefficient(held.sum(axis=0)[None])[0])
    rng, found = np.random.default_rng(seed), []
    block = max(1, min(draws, BLOCK // number))
    for first in range(0, draws, block):
        size = min(block, draws - first)
        taken = rng.integers(0, number, (size, number)) + number * np.arange(size)[:, None]
        counts = np.bincount(taken.reshape(-1), minlength=size * number).reshape(size, number)
        found.append(coefficient(counts @ held))
    drawn = np.concatenate(found)
    square = np.zeros((p, p))
    square[one, other] = square[other, one] = held[:, : len(one)].sum(axis=0)
    inner = np.linalg.solve(square, held[:, len(one) :].sum(axis=0))
    gain = basis @ np.linalg.solve(square, back[treatment])
    influence = np.bincount(codes, w * (y - basis @ inner) * gain, number)
    return _limits(estimate, drawn, influence, level)


def _basis(x: Array, w: Array) -> tuple[Array, Array]:
    """Columns apart from one another, and what turns their coefficients into those of x."""
    weighted = x * np.sqrt(w)[:, None]
    r = np.linalg.qr(weighted, mode="r")
    if (np.abs(np.diag(r)) <= COLLINEAR * np.linalg.norm(weighted, axis=0)).any():
        raise EstimationError("a column of the model is a combination of the columns before it")
    back = np.linalg.inv(r)
    return np.asarray(x @ back), back


def _limits(estimate: float, draws: Array, influence: Array, level: float) -> Redrawn:
    """Bias-corrected and accelerated limits, as wide as few clusters need."""
    error, number = float(draws.std(ddof=1)), len(influence)
    df = worth(influence, np.arange(number))
    if not error > 0:
        return Redrawn(estimate, 0.0, estimate, estimate, 1.0 if estimate == 0 else 0.0, df, draws)
    bias = float(ndtri(_share_below(draws, estimate)))
    speed = float((influence**3).sum() / (6 * (influence**2).sum() ** 1.5))
    wider = float(np.sqrt(number / (number - 1)))
    reach = float(stdtrit(df, (1 + level) / 2)) * wider
    low, high = (
        float(np.quantile(draws, ndtr(bias + z / (1 - speed * z)))) for z in (bias - reach, bias + reach)
    )
    reached = float(ndtri(_share_below(draws, 0.0))) - bias  # where a limit stands at no difference
    z = reached / (1 + speed * reached) - bias
    return Redrawn(estimate, error, low, high, float(2 * stdtr(df, -abs(z) / wider)), df, draws)


def _share_below(draws: Array, value: float) -> float:
    """Share of draws below a value, never 0 or 1."""
    below = float((draws < value).sum()) + 0.5 * float((draws == value).sum())
    return (below + 0.5) / (len(draws) + 1)
