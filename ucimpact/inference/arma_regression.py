r"""The deviance of a regression with ARMA errors, and where it is lowest.

The mathematics stand in :mod:`~ucimpact.inference.arma`. Worked in an orthonormal basis of the columns and
from the least-squares residual, so that neither the units of a column nor a large mean costs digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.arma_errors import ArmaErrors
from ucimpact.inference.timeseries import EXACT

REACH = 3.0
"""Partial autocorrelations are searched up to tanh(REACH) = 0.995."""

STEP = 1e-4
POLISHES = 12


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


Found = dict[tuple[int, int], np.ndarray]


def lowest(regression: Regression, p: int, q: int, known: Found | None = None) -> np.ndarray:
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
        smaller = lowest(regression, p - 1, q, known)
        yield np.concatenate([smaller[: p - 1], [0.0], smaller[p - 1 :]])
    if q:
        yield np.append(lowest(regression, p, q - 1, known), 0.0)
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
