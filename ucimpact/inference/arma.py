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

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import toeplitz

from ucimpact.errors import DesignError, EstimationError
from ucimpact.inference.arma_errors import ArmaErrors
from ucimpact.inference.fitted_series import WithT, quadratic
from ucimpact.inference.timeseries import EXACT, FLOOR_DF, LARGEST_VAR_RHO

METHODS = ("reml", "ml")
LARGEST_ORDER = 3
BOUND = 0.98
"""A partial autocorrelation beyond this counts as at its bound."""

REACH = 3.0
"""Partial autocorrelations are searched up to tanh(REACH) = 0.995."""

STEP = 1e-4
POLISHES = 12


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
class Regression:
    """A series and its design, in an orthonormal basis of the columns and from the least-squares residual."""

    y: np.ndarray
    x: np.ndarray
    restricted: bool
    basis: np.ndarray
    from_basis: np.ndarray
    least_squares: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, x: np.ndarray, *, restricted: bool) -> Regression:
        """Of ``y`` (n,) and ``x`` (n, k), which must have full column rank."""
        if len(y) <= x.shape[1]:
            raise EstimationError(f"{len(y)} points cannot carry {x.shape[1]} terms; use fewer terms")
        basis, to_basis = np.linalg.qr(x)
        coef = basis.T @ y
        return cls(
            y=y,
            x=x,
            restricted=restricted,
            basis=basis,
            from_basis=np.linalg.inv(to_basis),
            least_squares=coef,
            rest=y - basis @ coef,
        )

    @property
    def residual_df(self) -> int:
        """Points less terms."""
        return int(self.x.shape[0] - self.x.shape[1])

    @property
    def is_exact(self) -> bool:
        """Whether the design leaves nothing over."""
        return bool(self.rest @ self.rest <= EXACT * max(self.y @ self.y, np.finfo(float).tiny))

    def deviance(self, errors: ArmaErrors) -> float:
        """Of these errors, all else profiled out."""
        return self._solved(errors)[0]

    def _solved(self, errors: ArmaErrors) -> tuple[float, np.ndarray, np.ndarray, float, float, float]:
        white, log_size = errors.whitened(self._both)
        products = white.T @ white
        lower = np.linalg.cholesky(products[:-1, :-1])
        half = np.linalg.solve(lower, products[:-1, -1])
        squares = float(products[-1, -1] - half @ half)
        information = 2 * float(np.log(np.diag(lower)).sum())
        count = self.residual_df if self.restricted else len(self.y)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviance = count * float(np.log(squares)) + log_size + (information if self.restricted else 0.0)
        return deviance, lower, half, squares, log_size, information

    @cached_property
    def _both(self) -> np.ndarray:
        return np.column_stack([self.basis, self.rest])

    def at(self, errors: ArmaErrors) -> Solved:
        """Generalised least squares with these errors."""
        deviance, lower, half, squares, log_size, information = self._solved(errors)
        turn = np.linalg.inv(lower)
        return Solved(
            deviance=deviance,
            coef=self.from_basis @ (self.least_squares + turn.T @ half),
            inverse=self.from_basis @ (turn.T @ turn) @ self.from_basis.T,
            squares=max(squares, 0.0),
            log_size=log_size,
            information=information,
        )

    def operator(self, errors: ArmaErrors) -> np.ndarray:
        """What turns the series into coefficients of the basis, shape (k, n)."""
        n, k = self.basis.shape
        white, _ = errors.whitened(np.column_stack([self.basis, np.eye(n)]))
        return np.asarray(np.linalg.lstsq(white[:, :k], white[:, k:], rcond=None)[0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Solved:
    """A regression at given errors; ``inverse`` is N inverse in the columns of the design."""

    deviance: float
    coef: np.ndarray
    inverse: np.ndarray
    squares: float
    log_size: float
    information: float


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
        partial = _lowest(regression, p, q)
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


Found = dict[tuple[int, int], np.ndarray]


def _lowest(regression: Regression, p: int, q: int, known: Found | None = None) -> np.ndarray:
    """Partial autocorrelations of least deviance, never above that of a smaller model."""
    if p + q == 0:
        return np.empty(0)
    known = {} if known is None else known
    if (p, q) in known:
        return known[p, q]

    def deviance(z: np.ndarray) -> float:
        partial = np.tanh(np.clip(z, -REACH, REACH))
        return regression.deviance(ArmaErrors.of_partial(partial, p))

    found = [_descended(deviance, np.arctanh(start)) for start in _starts(regression, p, q, known)]
    known[p, q] = np.tanh(_polished(deviance, *min(found, key=lambda pair: pair[1])))
    return known[p, q]


def _starts(regression: Regression, p: int, q: int, known: Found) -> Iterator[np.ndarray]:
    """Where to look from: the best of each smaller model, with 0 for what it lacks, and a few more."""
    if p:
        smaller = _lowest(regression, p - 1, q, known)
        yield np.concatenate([smaller[: p - 1], [0.0], smaller[p - 1 :]])
    if q:
        yield np.append(_lowest(regression, p, q - 1, known), 0.0)
    for first in (0.7, -0.4):
        start = np.zeros(p + q)
        start[0] = first
        if p and q:
            start[p] = -first / 2
        yield start


def _descended(deviance: Any, z: np.ndarray) -> tuple[np.ndarray, float]:
    """The minimum near a start."""
    from scipy.optimize import minimize  # 14 MB that few need

    bounds = [(-REACH, REACH)] * len(z)
    near = minimize(deviance, np.clip(z, -REACH, REACH), method="L-BFGS-B", bounds=bounds)
    return np.asarray(near.x), float(near.fun)


def _polished(deviance: Any, best: np.ndarray, low: float) -> np.ndarray:
    """Newton steps from near a minimum to where the slope is 0."""
    unit = np.eye(len(best)) * STEP
    for _ in range(POLISHES):
        if np.abs(best).max() > REACH - 2 * STEP:
            break
        up = np.array([deviance(best + e) for e in unit])
        down = np.array([deviance(best - e) for e in unit])
        slope = (up - down) / (2 * STEP)
        curvature = np.diag((up + down - 2 * low) / STEP**2)
        for i in range(len(best)):
            for j in range(i):
                cross = deviance(best + unit[i] + unit[j]) - up[i] - up[j] + low
                curvature[i, j] = curvature[j, i] = cross / STEP**2
        if np.linalg.eigvalsh(curvature)[0] <= 0:
            break
        move = np.clip(np.linalg.solve(curvature, -slope), -0.5, 0.5)
        there = np.clip(best + move, -REACH, REACH)
        value = deviance(there)
        if not value <= low + 1e-9:
            break
        best, low = there, min(value, low)
        if np.abs(move).max() < 1e-8:
            break
    return best
