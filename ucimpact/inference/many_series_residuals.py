"""The residual check of :mod:`ucimpact.inference.residuals` for many series of one design.

Each series has its own autocorrelation and so its own innovations. The exact moments that the check
needs depend on the design and on that autocorrelation alone: they are tabled over rho.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from ucimpact.inference.many_series_design import OverRho
from ucimpact.inference.residuals import innovations, ratio_moments


class ResidualCheck:
    """The check for all series of a design.

    Parameters
    ----------
    design : array (n, p)
        Columns of the regression, without those of periods that do not count.
    used : array (n,)
        Periods that count.
    lags : int
    """

    def __init__(self, design: np.ndarray, used: np.ndarray, lags: int) -> None:
        self.lags, self._at = lags, np.flatnonzero(used)
        self._gaps = np.diff(self._at)

        def moments(rho: float) -> np.ndarray:
            means, variances = ratio_moments(innovations(design, rho, used), used, lags)
            return np.concatenate([means, 1 / variances])

        self._moments = OverRho(moments)

    def innovations(self, residuals: np.ndarray, rhos: np.ndarray) -> np.ndarray:
        """What is new in each period of residuals (N, n), 0 where not used."""
        out = np.zeros_like(residuals)
        values = residuals[:, self._at]
        rho = rhos[:, None]
        whole = bool((self._gaps == 1).all())
        carried = rho if whole else rho**self._gaps
        fresh = values[:, 1:] - carried * values[:, :-1]
        if not whole:
            fresh *= np.sqrt((1 - rho**2) / (1 - carried**2))
        out[:, self._at[0]] = values[:, 0] * np.sqrt(1 - rhos**2)
        out[:, self._at[1:]] = fresh
        return out

    def p_values(self, residuals: np.ndarray, rhos: np.ndarray, fitted: np.ndarray) -> np.ndarray:
        """Of each series, shape (N,).

        Parameters
        ----------
        residuals : array (N, n)
        rhos : array (N,)
        fitted : array (N,)
            Autocorrelations that were fitted: 1 for an AR(1), 0 where rho was given.
        """
        fresh = self.innovations(residuals, rhos)
        total = np.einsum("it,it->i", fresh, fresh)
        means, weights = np.split(self._moments.at(rhos), 2)
        statistic = np.zeros(len(rhos))
        for lag in range(1, self.lags + 1):
            product = np.einsum("it,it->i", fresh[:, lag:], fresh[:, :-lag])
            with np.errstate(divide="ignore", invalid="ignore"):
                r = np.where(total > 0, product / total, means[lag - 1])
            statistic += (r - means[lag - 1]) ** 2 * weights[lag - 1]
        return np.asarray(chdtrc(np.maximum(self.lags - fitted, 1), statistic))
