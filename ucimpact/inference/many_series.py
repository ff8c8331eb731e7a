r"""Regressions with AR(1) errors of many series that share one design, all at once.

The arithmetic is that of :mod:`ucimpact.inference.timeseries`; here it is arranged so that no series
needs a matrix of its own, see :mod:`ucimpact.inference.many_series_design`. A series enters through its
least-squares coefficients, its residuals :math:`e` and

.. math:: X'D_1e, \qquad X'D_2e = -V(e_1, e_n)', \qquad e'D_0e, \quad e'D_1e, \quad e'D_2e

Each series has its own :math:`\hat\rho`: least deviance on a shared grid, then exact Newton steps
inside the bracket until the step is under 1e-11.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.inference.many_series_design import OverRho, Precision, SharedDesign, precisions
from ucimpact.inference.timeseries import EXACT, FLOOR_DF, LARGEST_VAR_RHO, RHO_BOUND, SEARCH

NEWTON_STEPS = 100
STEP = 1e-11
ON_BOUND = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class ManyStatistics:
    """What many series say about every rho; N series, p columns.

    Attributes
    ----------
    least_squares : array (p, N)
        Coefficients of the basis.
    residuals : array (N, n)
    beside : array (p, N)
        ``X' D1 e``.
    ends : array (2, N)
        First and last residual.
    squares : array (3, N)
        ``e' D_k e``.
    exact : array (N,)
        Series of which the design leaves nothing over.
    """

    design: SharedDesign
    least_squares: np.ndarray
    residuals: np.ndarray
    beside: np.ndarray
    ends: np.ndarray
    squares: np.ndarray
    exact: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, design: SharedDesign) -> ManyStatistics:
        """The statistics of ``y`` (N, n)."""
        coef = design.basis.T @ y.T
        residuals = y - coef.T @ design.basis.T
        squares = np.empty((3, len(y)))
        squares[0] = np.einsum("it,it->i", residuals, residuals)
        squares[1] = 2 * np.einsum("it,it->i", residuals[:, 1:], residuals[:, :-1])
        squares[2] = squares[0] - residuals[:, 0] ** 2 - residuals[:, -1] ** 2
        total = np.einsum("it,it->i", y, y)
        return cls(
            design=design,
            least_squares=coef,
            residuals=residuals,
            beside=design.beside.T @ residuals.T,
            ends=residuals[:, [0, -1]].T,
            squares=squares,
            exact=squares[0] <= EXACT * np.maximum(total, np.finfo(float).tiny),
        )

    def take(self, which: np.ndarray) -> ManyStatistics:
        """Some of the series."""
        return ManyStatistics(
            design=self.design,
            least_squares=self.least_squares[:, which],
            residuals=self.residuals[which],
            beside=self.beside[:, which],
            ends=self.ends[:, which],
            squares=self.squares[:, which],
            exact=self.exact[which],
        )

    def deviances(self, rhos: np.ndarray) -> np.ndarray:
        """The restricted deviance at rhos that all share, shape (k, N)."""
        inverses, log_sizes = precisions(self.design, rhos)
        out = np.empty((len(rhos), self.squares.shape[1]))
        second = -self.design.ends.T @ self.ends
        for at, rho in enumerate(rhos):
            vector = rho * (rho * second - self.beside)
            quadratic = np.einsum("pi,pi->i", vector, inverses[at] @ vector)
            left = self.squares[0] - rho * self.squares[1] + rho**2 * self.squares[2] - quadratic
            out[at] = self.design.residual_df * np.log(left) - np.log1p(-(rho**2)) + log_sizes[at]
        return out


@dataclass(frozen=True, kw_only=True, eq=False)
class ManySlopes:
    """The deviance of each series near its own rho; ``first`` and ``second`` are its derivatives (N,)."""

    precision: Precision
    coef: np.ndarray
    s: np.ndarray
    ds: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, statistics: ManyStatistics, rhos: np.ndarray) -> ManySlopes:
        """At one rho for each series."""
        design, q = statistics.design, statistics.squares
        n = Precision(design, rhos)
        last = -design.ends.T @ statistics.ends
        vector = rhos * (rhos * last - statistics.beside)
        d_vector = 2 * rhos * last - statistics.beside
        coef = n.solve(vector)
        moved = n.moved(coef)
        shift = d_vector - moved
        s = q[0] - rhos * q[1] + rhos**2 * q[2] - np.einsum("pi,pi->i", vector, coef)
        ds = -q[1] + 2 * rhos * q[2] + np.einsum("pi,pi->i", moved - 2 * d_vector, coef)
        d2s = 2 * q[2] + np.einsum("pi,pi->i", n.moved_twice(coef) - 4 * last, coef)
        d2s -= 2 * np.einsum("pi,pi->i", shift, n.solve(shift))
        size, d_size = n.log_size_slopes()
        rest, df = 1 - rhos**2, design.residual_df
        with np.errstate(divide="ignore", invalid="ignore"):
            first = df * ds / s + 2 * rhos / rest + size
            second = df * (d2s / s - (ds / s) ** 2) + 2 / rest + 4 * rhos**2 / rest**2 + d_size
        return cls(precision=n, coef=coef, s=s, ds=ds, first=first, second=second)


@dataclass(frozen=True, kw_only=True, eq=False)
class ManyAr1:
    """Series fitted at once: N series, m contrasts.

    Attributes
    ----------
    rho, sigma : array (N,)
        Autocorrelation, and the standard deviation of one period's error.
    at_bound : array (N,)
    var_rho : array (N,)
        0 where rho was given.
    coef : array (p, N)
        Coefficients of the basis of the design.
    estimates, std_errors, dfs : array (m, N)
        Each contrast; its Kenward-Roger standard error; its Satterthwaite degrees of freedom.
    products, added : array (m * (m + 1) / 2, N)
        Upper triangle of the covariance of the contrasts with rho as known, and of what estimating
        rho adds, both as variances.
    """

    statistics: ManyStatistics
    contrasts: np.ndarray
    rho: np.ndarray
    sigma: np.ndarray
    at_bound: np.ndarray
    var_rho: np.ndarray
    curvature: np.ndarray
    d_log_s: np.ndarray
    coef: np.ndarray
    estimates: np.ndarray
    products: np.ndarray
    moved: np.ndarray
    added: np.ndarray

    @property
    def _own(self) -> np.ndarray:
        m = len(self.contrasts)
        rows, columns = np.triu_indices(m)
        return np.flatnonzero(rows == columns)

    def _pair(self, i: int, j: int) -> int:
        rows, columns = np.triu_indices(len(self.contrasts))
        return int(np.flatnonzero((rows == min(i, j)) & (columns == max(i, j)))[0])

    @cached_property
    def std_errors(self) -> np.ndarray:
        return np.asarray(np.sqrt(np.maximum((self.products + self.added)[self._own], 0.0)))

    @cached_property
    def dfs(self) -> np.ndarray:
        return self.dfs_of(self.products[self._own], self.moved[self._own], slice(None))

    def dfs_of(self, product: np.ndarray, moved: np.ndarray, which: np.ndarray | slice) -> np.ndarray:
        """Satterthwaite degrees of freedom of quadratic forms in the covariance and in ``moved``."""
        df = float(self.statistics.design.residual_df)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = self.d_log_s[which] - moved / product
            out = np.maximum(df / (1 + df * slope**2 / self.curvature[which]), FLOOR_DF)
        out = np.where(self.at_bound[which], FLOOR_DF, out)
        return np.where(self.var_rho[which] > 0, out, df)

    def along(
        self, top: int, bottom: int, theta: np.ndarray, which: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Estimate, standard error and degrees of freedom of one contrast less ``theta`` times another.

        In the series ``which`` (k,), each with its own ``theta`` (k,).
        """
        a, ab, b = self._pair(top, top), self._pair(top, bottom), self._pair(bottom, bottom)

        def quadratic(part: np.ndarray) -> np.ndarray:
            return np.asarray(part[a, which] - 2 * theta * part[ab, which] + theta**2 * part[b, which])

        product = quadratic(self.products)
        error = np.sqrt(np.maximum(product + quadratic(self.added), 0.0))
        df = self.dfs_of(product, quadratic(self.moved), which)
        return self.estimates[top, which] - theta * self.estimates[bottom, which], error, df

    @property
    def residuals(self) -> np.ndarray:
        """What the design does not reach, shape (N, n)."""
        own = self.coef - self.statistics.least_squares
        return np.asarray(self.statistics.residuals - own.T @ self.statistics.design.basis.T)


def fit_ar1(
    statistics: ManyStatistics, contrasts: np.ndarray, added: OverRho, *, independent: bool = False
) -> ManyAr1:
    """Restricted maximum likelihood of each series, or least squares with independent errors.

    Parameters
    ----------
    statistics : ManyStatistics
    contrasts : array (m, p)
        Of the columns of the design.
    added : OverRho
        ``design.added(contrasts)``, made once for all chunks of series.
    independent : bool
        Take rho as 0.
    """
    design = statistics.design
    count = statistics.squares.shape[1]
    rows = design.in_basis(contrasts)
    rhos = np.zeros(count) if independent else _least_deviance(statistics)
    slopes = ManySlopes.of(statistics, rhos)
    known = statistics.exact | independent
    at_bound = ~known & ((np.abs(rhos) >= RHO_BOUND - ON_BOUND) | ~(slopes.second > 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        var_rho = np.where(at_bound, LARGEST_VAR_RHO, np.minimum(2 / slopes.second, LARGEST_VAR_RHO))
        d_log_s = np.where(slopes.s > 0, slopes.ds / slopes.s, 0.0)
    var_rho = np.where(known, 0.0, var_rho)
    variance = np.maximum(slopes.s / design.residual_df, 0.0)
    solved = [slopes.precision.solve(np.tile(row[:, None], (1, count))) for row in rows]
    shifted = [slopes.precision.moved(vector) for vector in solved]
    upper = list(zip(*np.triu_indices(len(rows)), strict=True))
    coef = statistics.least_squares + slopes.coef
    return ManyAr1(
        statistics=statistics,
        contrasts=np.atleast_2d(contrasts),
        rho=rhos,
        sigma=np.sqrt(variance / (1 - rhos**2)),
        at_bound=at_bound,
        var_rho=var_rho,
        curvature=slopes.second,
        d_log_s=d_log_s,
        coef=coef,
        estimates=rows @ coef,
        products=variance * np.array([rows[i] @ solved[j] for i, j in upper]),
        moved=variance * np.array([np.einsum("pi,pi->i", solved[i], shifted[j]) for i, j in upper]),
        added=np.zeros((len(upper), count)) if independent else variance * var_rho * added.at(rhos),
    )


def _least_deviance(statistics: ManyStatistics) -> np.ndarray:
    """The rho of least deviance of each series: the best of a grid, then Newton inside its bracket."""
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.argmin(statistics.deviances(SEARCH), axis=0)
    low, high = SEARCH[np.maximum(best - 1, 0)], SEARCH[np.minimum(best + 1, len(SEARCH) - 1)]
    rhos: np.ndarray = SEARCH[best].copy()
    rhos[statistics.exact] = 0.0
    open_ = np.flatnonzero(~statistics.exact)
    for _ in range(NEWTON_STEPS):
        if not len(open_):
            break
        rho, some = rhos[open_], statistics if len(open_) == len(rhos) else statistics.take(open_)
        slopes = ManySlopes.of(some, rho)
        rises = slopes.first > 0
        low[open_], high[open_] = np.where(rises, low[open_], rho), np.where(rises, rho, high[open_])
        a, b = low[open_], high[open_]
        with np.errstate(divide="ignore", invalid="ignore"):
            new = rho - slopes.first / slopes.second
        new = np.where((slopes.second > 0) & (new >= a) & (new <= b), new, (a + b) / 2)
        rhos[open_] = new
        open_ = open_[(np.abs(new - rho) >= STEP) & (b - a >= STEP)]
    return rhos
