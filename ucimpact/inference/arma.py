r"""Regression on a series with ARMA errors, by exact restricted or full maximum likelihood.

.. math:: y_t = x_t'\beta + u_t, \qquad u_t \sim \text{ARMA}(p, q)

With :math:`V(\vartheta)` the covariance of the errors over the innovation variance (see
:mod:`~ucimpact.inference.arma_errors`), :math:`N = X'V^{-1}X`, :math:`k` columns and :math:`s` the
generalised residual sum of squares, the deviance with :math:`\beta` and the variance profiled out is

.. math:: f_{REML} = (n-k)\log s + \log|V| + \log|N|, \qquad f_{ML} = n\log s + \log|V|

It is lowest at :math:`\hat\vartheta`, looked for from every model with one parameter fewer (so that a
larger model never fits worse than one inside it) and from several other starts.

**Variance and degrees of freedom** generalise those of :mod:`~ucimpact.inference.timeseries` to several
parameters. With :math:`W = 2 H^{-1}`, :math:`H` the matrix of second derivatives of :math:`f`,
:math:`v_c(\vartheta) = \frac{s}{n-k}\, c'N^{-1}c`, and :math:`B = N^{-1}X'V^{-1}`,

.. math:: \nu_c = \frac{2}{\frac{2}{n-k} + g_c'Wg_c}, \quad g_c = \frac{\partial\log v_c}{\partial\vartheta},
   \qquad \mathrm{var}(c'b) = v_c + 2\,\frac{s}{n-k} \sum_{ij} W_{ij}\,
   c'\,\frac{\partial B}{\partial\vartheta_i} V \frac{\partial B'}{\partial\vartheta_j}\,c

(Satterthwaite; Kackar and Harville, Kenward and Roger [1]_), both from central differences. A direction
in which the deviance is flat is given the variance 0.35 and no more, as a correlation has bounds.

References
----------
.. [1] Kenward, M. G. and Roger, J. H. (1997). Small sample inference for fixed effects from
   restricted maximum likelihood. *Biometrics* 53(3), 983-997.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import toeplitz

from ucimpact.errors import DesignError
from ucimpact.inference.arma_errors import ArmaErrors
from ucimpact.inference.arma_regression import STEP, Regression, Solved, lowest
from ucimpact.inference.fitted_series import WithT, quadratic
from ucimpact.inference.timeseries import FLOOR_DF, LARGEST_VAR_RHO

METHODS = ("reml", "ml")
LARGEST_ORDER = 3
BOUND = 0.98
"""A partial autocorrelation beyond this counts as at its bound."""


@dataclass(frozen=True)
class Arma:
    """Errors that remember ``p`` periods and the last ``q`` innovations.

    Parameters
    ----------
    p, q : int, default 1 and 1
        Up to 3 each.
    method : str, default "reml"
        ``"reml"`` or ``"ml"``.
    """

    p: int = 1
    q: int = 1
    method: str = "reml"

    def __post_init__(self) -> None:
        wrong = [
            f"{name} = {order} is not a whole number from 0 to {LARGEST_ORDER}"
            for name, order in (("p", self.p), ("q", self.q))
            if not (isinstance(order, int) and 0 <= order <= LARGEST_ORDER)
        ]
        if self.method not in METHODS:
            wrong.append(f'method = "{self.method}" is not known; choose "reml" or "ml"')
        if wrong:
            raise DesignError(f"Arma: {'; '.join(wrong)}")

    def of(self, y: np.ndarray, x: np.ndarray) -> ArmaFit:
        """Fit ``y`` of shape (n,) on ``x`` of shape (n, k)."""
        return ArmaFit.at_best(Regression.of(y, x, restricted=self.method == "reml"), self.p, self.q)


@dataclass(frozen=True)
class Ml:
    """Errors that carry over, with autocorrelation estimated by maximum likelihood.

    Other programs' default; in short series it takes the autocorrelation for smaller than it is.
    """

    def of(self, y: np.ndarray, x: np.ndarray) -> ArmaFit:
        """Fit ``y`` of shape (n,) on ``x`` of shape (n, k)."""
        return ArmaFit.at_best(Regression.of(y, x, restricted=False), 1, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class ArmaFit(WithT):
    """A regression with ARMA errors at its lowest deviance.

    Attributes
    ----------
    partial : array (p + q,)
        Partial autocorrelations of the autoregression, then of the moving average.
    errors : ArmaErrors
    coef : array (k,)
    cov : array (k, k)
        With the errors' parameters taken as known.
    sigma : float
        Standard deviation of one period's error.
    loglik : float
        Restricted where the fit is, and then dependent on the units of the columns (as in R's nlme).
    rho : float
        Autocorrelation from one period to the next.
    """

    regression: Regression = field(repr=False)
    partial: np.ndarray
    errors: ArmaErrors
    solved: Solved = field(repr=False)
    coef: np.ndarray
    cov: np.ndarray
    sigma: float
    loglik: float
    rho: float

    @classmethod
    def at_best(cls, regression: Regression, p: int, q: int) -> ArmaFit:
        """The fit of lowest deviance of this order."""
        if regression.is_exact:
            p = q = 0
        partial = lowest(regression, p, q)
        errors = ArmaErrors.of_partial(partial, p)
        solved = regression.at(errors)
        n, k = regression.x.shape
        count = n - k if regression.restricted else n
        gamma = errors.autocovariances(2)
        with np.errstate(divide="ignore"):
            twice = count * (np.log(2 * np.pi * solved.squares / count) + 1) + solved.log_size
        if regression.restricted:
            twice += solved.information - 2 * np.log(np.abs(np.diag(regression.from_basis))).sum()
        return cls(
            regression=regression,
            partial=partial,
            errors=errors,
            solved=solved,
            coef=solved.coef,
            cov=solved.squares / (n - k) * solved.inverse,
            sigma=float(np.sqrt(solved.squares / count * gamma[0])),
            loglik=float(-twice / 2),
            rho=float(gamma[1] / gamma[0]),
        )

    @property
    def order(self) -> tuple[int, int]:
        """p and q."""
        return len(self.errors.phi), len(self.errors.theta)

    @property
    def fitted(self) -> int:
        """How many autocorrelations were estimated."""
        return len(self.partial)

    @property
    def route(self) -> str:
        """Key of the procedure of this fit's own t."""
        return "arma-reml" if self.regression.restricted else "arma-ml"

    @property
    def residuals(self) -> np.ndarray:
        """What the design does not reach, shape (n,)."""
        return np.asarray(self.regression.y - self.regression.x @ self.coef)

    @cached_property
    def _moves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """W, d cov over d each parameter, and what estimating the parameters adds to the variance."""
        regression, p, count = self.regression, self.order[0], len(self.partial)
        at = np.clip(self.partial, -1 + 3 * STEP, 1 - 3 * STEP)
        steps = STEP * np.eye(count)

        def errors(shift: np.ndarray) -> ArmaErrors:
            return ArmaErrors.of_partial(at + shift, p)

        curvature = np.empty((count, count))
        for i in range(count):
            for j in range(i + 1):
                ends = [
                    regression.deviance(errors(a * steps[i] + b * steps[j])) * a * b
                    for a in (1, -1)
                    for b in (1, -1)
                ]
                curvature[i, j] = curvature[j, i] = sum(ends) / (4 * STEP**2)
        values, vectors = np.linalg.eigh(curvature)
        w = (vectors * (2 / np.maximum(values, 2 / LARGEST_VAR_RHO))) @ vectors.T
        pairs = [(errors(step), errors(-step)) for step in steps]
        slopes = [
            (self._cov_at(regression.at(up)) - self._cov_at(regression.at(down))) / (2 * STEP)
            for up, down in pairs
        ]
        turns = [(regression.operator(up) - regression.operator(down)) / (2 * STEP) for up, down in pairs]
        n = len(regression.y)
        v = toeplitz(self.errors.autocovariances(n))
        turned = np.array(turns).reshape(count, -1, n)
        added = np.einsum("ij,ian,nm,jbm->ab", w, turned, v, turned, optimize=True)
        scale = 2 * self.solved.squares / regression.residual_df
        extra = scale * regression.from_basis @ added @ regression.from_basis.T
        return w, np.array(slopes), extra

    def _cov_at(self, solved: Solved) -> np.ndarray:
        return np.asarray(solved.squares / self.regression.residual_df * solved.inverse)

    @property
    def at_bound(self) -> bool:
        """Whether a partial autocorrelation cannot be told from its bound."""
        return bool(len(self.partial) and np.abs(self.partial).max() > BOUND)

    @cached_property
    def adjusted_cov(self) -> np.ndarray:
        """Covariance that the intervals use: with what estimating the errors adds; shape (k, k)."""
        return self.cov + self._moves[2] if len(self.partial) else self.cov

    def dfs(self, contrasts: np.ndarray) -> np.ndarray:
        """Satterthwaite degrees of freedom of each contrast, shape (m,)."""
        contrasts = np.atleast_2d(contrasts)
        whole = float(self.regression.residual_df)
        if not len(self.partial):
            return np.full(len(contrasts), whole)
        if self.at_bound:
            return np.full(len(contrasts), FLOOR_DF)
        w, slopes, _ = self._moves
        variance = quadratic(contrasts, self.cov)
        with np.errstate(divide="ignore", invalid="ignore"):
            g = np.array([quadratic(contrasts, slope) / variance for slope in slopes])
        df = 2 / (2 / whole + np.einsum("im,ij,jm->m", g, w, g))
        return np.asarray(np.maximum(df, FLOOR_DF))

    def whitened(self, values: np.ndarray, used: np.ndarray) -> np.ndarray:
        """What is new in each period after what carried over, shape (n,) or (n, k); 0 where not used."""
        at = np.flatnonzero(used)
        gamma = self.errors.autocovariances(int(at[-1] - at[0]) + 1)
        factor = np.linalg.cholesky(gamma[np.abs(np.subtract.outer(at, at))])
        out = np.zeros_like(values, dtype=float)
        out[at] = np.linalg.solve(factor, values[at])
        return out

    def account(self) -> dict[str, Any]:
        """How the errors were fitted, as plain values."""
        k = self.regression.x.shape[1]
        return {
            "choice": "Arma" if self.regression.restricted or self.order != (1, 0) else "Ml",
            "method": "reml" if self.regression.restricted else "ml",
            "order": list(self.order),
            "phi": self.errors.phi.tolist(),
            "theta": self.errors.theta.tolist(),
            "loglik": self.loglik,
            "aic": -2 * self.loglik + 2 * (k + self.fitted + 1),
        }
