r"""What a series leaves over: what is new in each period, and whether it still has a pattern.

Ljung and Box hold each autocorrelation :math:`r_k` of residuals :math:`w` against a mean of 0 and the
variance of independent draws. Residuals of a regression of :math:`n` points on :math:`p` terms are
neither: with 8 terms and 48 points a nominal 5% rejects 15%. As ratios of quadratic forms in normal
errors they have exact moments [1]_. With :math:`M` the projection off the design, :math:`\nu = n - p`
and :math:`B_k` one half on both :math:`k`-th diagonals,

.. math:: E\,r_k = \frac{\mathrm{tr}\,MB_k}{\nu}, \qquad
   E\,r_k^2 = \frac{2\,\mathrm{tr}(MB_k)^2 + (\mathrm{tr}\,MB_k)^2}{\nu(\nu + 2)}, \qquad
   Q = \sum_k \frac{(r_k - E r_k)^2}{\mathrm{var}\,r_k}

which rejects 5% to 6%. In a long series with few terms it is Ljung and Box's :math:`Q`.

References
----------
.. [1] Dufour, J.-M. and Roy, R. (1986). Generalized portmanteau statistics and tests of randomness.
   *Communications in Statistics - Theory and Methods* 15(10), 2953-2972.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc


def innovations(values: np.ndarray, rho: float, used: np.ndarray) -> np.ndarray:
    """What is new in each period after what carried over, shape (n,) or (n, k); 0 where not used.

    Across ``k`` periods without a value ``rho**k`` carries over. Scaled so that each has the same
    variance.
    """
    out = np.zeros_like(values, dtype=float)
    at = np.flatnonzero(used)
    carried = rho ** np.diff(at)
    scale = np.sqrt((1 - rho**2) / (1 - carried**2))
    if values.ndim == 2:
        carried, scale = carried[:, None], scale[:, None]
    out[at[0]] = values[at[0]] * np.sqrt(1 - rho**2)
    out[at[1:]] = (values[at[1:]] - carried * values[at[:-1]]) * scale
    return out


def durbin_watson(residuals: np.ndarray) -> float:
    """Sum of squared changes over sum of squares: 2 where nothing carries over, less where something does."""
    total = float(residuals @ residuals)
    return float(np.sum(np.diff(residuals) ** 2)) / total if total > 0 else 2.0


@dataclass(frozen=True)
class LjungBox:
    """Whether what is left over still hangs together."""

    statistic: float
    lags: int
    df: int
    p_value: float


def ljung_box(fresh: np.ndarray, design: np.ndarray, used: np.ndarray, lags: int, *, fitted: int) -> LjungBox:
    """The test of the top of this page, on ``lags - fitted`` degrees of freedom.

    Parameters
    ----------
    fresh : array (n,)
        Residuals with what carried over taken out, 0 where not used: :func:`innovations`.
    design : array (n, p)
        The regression's columns, treated alike.
    used : array (n,)
    lags : int
    fitted : int
        Autocorrelations that were fitted: 1 for an AR(1).
    """
    means, variances = ratio_moments(design, used, lags)
    total = float(fresh @ fresh)
    statistic = 0.0
    for lag in range(1, lags + 1):
        mean, variance = means[lag - 1], variances[lag - 1]
        r = float(fresh[lag:] @ fresh[:-lag]) / total if total > 0 else mean
        statistic += (r - mean) ** 2 / variance
    df = max(lags - fitted, 1)
    return LjungBox(statistic, lags, df, float(chdtrc(df, statistic)))


def ljung_box_as_printed(fresh: np.ndarray, used: np.ndarray, lags: int) -> LjungBox:
    r"""The test as other programs print it, :math:`Q = n(n+2) \sum_k r_k^2 / (n-k)` on ``lags`` df.

    It takes residuals for independent draws with mean 0: beside :func:`ljung_box`, for comparison.
    """
    left = fresh[used] - fresh[used].mean()
    n, total = len(left), float(left @ left)
    shares = np.array([left[lag:] @ left[:-lag] for lag in range(1, lags + 1)]) / total if total > 0 else 0.0
    statistic = float(n * (n + 2) * np.sum(shares**2 / (n - np.arange(1, lags + 1))))
    return LjungBox(statistic, lags, lags, float(chdtrc(lags, statistic)))


def ratio_moments(design: np.ndarray, used: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact mean and variance of each autocorrelation of residuals, shape (lags,) each.

    Parameters
    ----------
    design : array (n, p)
        0 where not used.
    used : array (n,)
    lags : int
    """
    basis = np.linalg.qr(design)[0]
    projection = np.diag(used.astype(float)) - basis @ basis.T
    nu = int(used.sum()) - design.shape[1]
    means, variances = np.empty(lags), np.empty(lags)
    for lag in range(1, lags + 1):
        shifted = np.zeros_like(projection)
        shifted[lag:] += projection[:-lag] / 2
        shifted[:-lag] += projection[lag:] / 2
        first = float(np.trace(projection, lag))
        second = (2 * float(np.sum(shifted * shifted.T)) + first**2) / (nu * (nu + 2))
        means[lag - 1], variances[lag - 1] = first / nu, second - (first / nu) ** 2
    return means, variances
