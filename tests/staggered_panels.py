"""Staggered panels drawn at random, and the same regressions written out with one column an effect."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ucimpact.inference.two_way import CohortPanel

Array = np.ndarray


@dataclass(frozen=True)
class Drawn:
    """Grids of a random panel: outcome, weights (0: not seen), starts (inf: never), covariates."""

    y: Array
    w: Array
    start: Array
    x: Array

    @property
    def periods(self) -> Array:
        return np.arange(1, self.y.shape[1] + 1)

    @property
    def cohorts(self) -> Array:
        return np.unique(self.start[np.isfinite(self.start)]).astype(int)

    @property
    def cohort(self) -> Array:
        return np.searchsorted(self.cohorts, np.where(np.isfinite(self.start), self.start, np.inf))

    @property
    def since(self) -> Array:
        return np.asarray(self.periods[None, :] - self.cohorts[:, None])

    @property
    def treated(self) -> Array:
        return np.asarray(self.periods[None, :] >= self.start[:, None])

    @property
    def panel(self) -> CohortPanel:
        return CohortPanel(
            self.y, self.w, self.cohort, len(self.cohorts) + 1, self.x if len(self.x) else None
        )

    def table(self) -> pd.DataFrame:
        """Rows that were seen, for a Panel: unit, period, start (0: never), y, w, x0, x1, ..."""
        units, periods = np.nonzero(self.w)
        columns = {
            "unit": [f"practice {u:03d}" for u in units],
            "period": self.periods[periods],
            "start": np.where(np.isfinite(self.start), self.start, 0)[units].astype(int),
            "y": self.y[units, periods],
            "w": self.w[units, periods],
        }
        columns |= {f"x{k}": x[units, periods] for k, x in enumerate(self.x)}
        return pd.DataFrame(columns)


def drawn(
    seed: int,
    *,
    sizes: tuple[int, ...] = (4, 5, 3, 9),
    starts: tuple[int, ...] = (4, 6, 7),
    periods: int = 9,
    covariates: int = 0,
    weights: str = "one",
    gaps: float = 0.0,
    effect: float = 0.0,
) -> Drawn:
    """The last of ``sizes`` never starts. ``weights``: "one", "unit" (one a unit) or "cell"."""
    rng = np.random.default_rng(seed)
    start = np.repeat([*map(float, starts), np.inf], sizes)
    start = start[rng.permutation(len(start))]
    n = len(start)
    noise = rng.normal(size=(n, periods))
    for t in range(1, periods):
        noise[:, t] += 0.5 * noise[:, t - 1]
    y = rng.normal(20, 3, (n, 1)) + rng.normal(0, 1, periods) + noise
    time = np.arange(1, periods + 1)
    late = np.clip(time[None, :] - start[:, None] + 1, 0, None)
    y = y + effect * np.where(np.isfinite(late), late, 0.0)
    w = {
        "one": np.ones((n, periods)),
        "unit": np.repeat(rng.uniform(0.5, 2, (n, 1)), periods, axis=1),
        "cell": rng.uniform(0.5, 2, (n, periods)),
    }[weights]
    w = np.where(rng.random((n, periods)) < gaps, 0.0, w)
    x = rng.normal(size=(covariates, n, periods)) + rng.normal(size=(covariates, n, 1))
    return Drawn(y, w, start, x)


@dataclass(frozen=True)
class Dense:
    """Weighted least squares with a column for every effect, by numpy alone."""

    columns: Array
    coef: Array
    inverse: Array
    residuals: Array
    weights: Array
    unit: Array

    def scores(self, which: slice) -> Array:
        """What each unit adds to some of the coefficients, shape (n_units, k)."""
        each = (self.weights * self.residuals)[:, None] * self.columns @ self.inverse[:, which]
        out = np.zeros((int(self.unit.max()) + 1, each.shape[1]))
        np.add.at(out, self.unit, each)
        return out

    @property
    def rank(self) -> int:
        return int(np.linalg.matrix_rank(self.columns))


def dense(data: Drawn, columns: Array, *, where: Array | None = None) -> Dense:
    """Columns (k, n, T) first, then covariates, then dummies of units and periods."""
    there = (data.w > 0) if where is None else (data.w > 0) & where
    unit, period = np.nonzero(there)
    n, periods = data.y.shape
    parts = [column[there] for column in np.concatenate([columns, data.x])]
    parts += [(unit == u).astype(float) for u in range(n)]
    parts += [(period == t).astype(float) for t in range(periods)]
    x = np.column_stack(parts)
    w, y = data.w[there], data.y[there]
    inverse = np.linalg.pinv((x * w[:, None]).T @ x, rcond=1e-12, hermitian=True)
    coef = inverse @ (x.T @ (w * y))
    return Dense(x, coef, inverse, y - x @ coef, w, unit)


def of_cells(data: Drawn, table: Array) -> Array:
    """Tables (k, n_cohorts + 1, T) as columns (k, n, T)."""
    return np.asarray(table[:, data.cohort, :])


def repeated(data: Drawn, times: Array) -> Drawn:
    """Each unit as many times over as ``times`` says, weights taken out."""
    units = np.repeat(np.arange(len(times)), times)
    return replace(
        data, y=data.y[units], w=(data.w[units] > 0) * 1.0, start=data.start[units], x=data.x[:, units]
    )
