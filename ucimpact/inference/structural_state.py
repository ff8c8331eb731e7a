r"""The unobserved path of a structural time series: level, slope and season, drawn in one piece.

.. math::
   y_t = \mu_t + \gamma_t + r_t + \epsilon_t, \qquad
   \mu_{t+1} = \mu_t + \delta_t + \eta_t, \qquad
   \delta_{t+1} = \delta_t + \zeta_t, \qquad
   \gamma_t = -\sum_{j=1}^{S-1} \gamma_{t-j} + \omega_t

with normal :math:`\epsilon, \eta, \zeta, \omega` of variances :math:`\sigma^2, \sigma_\eta^2, \sigma_\zeta^2,
\sigma_\omega^2`. All states in order of time are one vector :math:`a`. Each equation says that a sparse
:math:`D_k a` is noise, so that given the variances

.. math:: a \sim N(Q^{-1}q,\; Q^{-1}), \qquad
   Q = P + \frac{Z'Z}{\sigma^2} + \sum_k \frac{D_k'D_k}{\sigma_k^2}, \qquad
   q = P m + \frac{Z'(y - r)}{\sigma^2}

where :math:`Z` picks the states of the periods with a value and :math:`P, m` are the prior of the first
states. :math:`Q` is banded: one banded Cholesky :math:`Q = LL'` and two solves give a draw [1]_, and
nothing is filtered. A period without a value has no row in :math:`Z`.

References
----------
.. [1] Chan, J. C. C. and Jeliazkov, I. (2009). Efficient simulation and integrated likelihood estimation in
   state space models. *Int. J. Mathematical Modelling and Numerical Optimisation* 1(1/2), 101-120.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpbtrf, dtbtrs
from scipy.sparse import coo_array, csr_array

from ucimpact.errors import EstimationError


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the path is made of.

    Attributes
    ----------
    slope : bool
        Whether the level has a slope that itself wanders (local linear trend).
    season : int
        Periods after which the season repeats; 0 without one.
    """

    slope: bool = False
    season: int = 0

    @property
    def noises(self) -> tuple[str, ...]:
        """The noises of the path, in the order in which their variances are given."""
        return ("level", *(("slope",) if self.slope else ()), *(("season",) if self.season else ()))


@dataclass(frozen=True, kw_only=True)
class Start:
    """The prior of the first states: independent normals.

    Attributes
    ----------
    level, slope : float
        Means of the first level and slope; the first seasons have mean 0.
    sd : float
        Standard deviation of each.
    """

    level: float
    slope: float = 0.0
    sd: float = 1.0


class StatePath:
    """The states of ``n`` periods as one normal vector with a banded precision.

    Parameters
    ----------
    form : Form
    start : Start
    seen : array (n,) of bool
        Periods with a value.
    """

    def __init__(self, form: Form, start: Start, seen: np.ndarray) -> None:
        self.form, self.seen, n = form, np.asarray(seen, dtype=bool), len(seen)
        ahead = max(form.season - 2, 0)
        kinds = [np.full(ahead, 2), np.zeros(n), *([np.ones(n)] if form.slope else [])]
        times = [np.arange(-ahead, 0), np.arange(n), *([np.arange(n)] if form.slope else [])]
        if form.season:
            kinds, times = [*kinds, np.full(n, 2)], [*times, np.arange(n)]
        kind, time = np.concatenate(kinds), np.concatenate(times)
        order = np.lexsort((kind, time))
        kind = kind[order]
        self.size = len(kind)
        self.level, self.slope, self.season = (np.flatnonzero(kind == k) for k in (0, 1, 2))

        self.noises: dict[str, csr_array] = {}
        level, slope, season = self.level, self.slope, self.season
        self.noises["level"] = self._rows(
            [(level[1:], 1.0), (level[:-1], -1.0), *([(slope[:-1], -1.0)] if form.slope else [])], n - 1
        )
        if form.slope:
            self.noises["slope"] = self._rows([(slope[1:], 1.0), (slope[:-1], -1.0)], n - 1)
        if form.season:
            lagged = [(season[lag : lag + n - 1], 1.0) for lag in range(form.season)]
            self.noises["season"] = self._rows(lagged, n - 1)
        picked = [(level[self.seen], 1.0)]
        if form.season:
            picked.append((season[ahead:][self.seen], 1.0))
        self.picks = self._rows(picked, int(self.seen.sum()))
        self._back = csr_array(self.picks.T)

        first = np.concatenate([level[:1], slope[:1], season[: form.season - 1] if form.season else []])
        mean = np.concatenate([[start.level], [start.slope] * form.slope, [0.0] * max(form.season - 1, 0)])
        self._prior = np.zeros(self.size)
        self._prior[first.astype(int)] = 1 / start.sd**2
        self._pull = np.zeros(self.size)
        self._pull[first.astype(int)] = mean / start.sd**2

        squares = {name: (rows.T @ rows).tocoo() for name, rows in self.noises.items()}
        observed = (self.picks.T @ self.picks).tocoo()
        self.width = max(int(np.max(s.row - s.col, initial=0)) for s in (*squares.values(), observed))
        self._observed = self._banded(observed)
        self._squares = {name: self._banded(square) for name, square in squares.items()}

    def _rows(self, parts: Sequence[tuple[np.ndarray, float]], number: int) -> csr_array:
        """Rows that each add one state of every part, with its sign."""
        row = np.concatenate([np.arange(number)] * len(parts))
        column = np.concatenate([at for at, _ in parts])
        value = np.concatenate([np.full(len(at), sign) for at, sign in parts])
        return csr_array((value, (row, column)), shape=(number, self.size))

    def _banded(self, square: coo_array) -> np.ndarray:
        """The lower band of a symmetric matrix as LAPACK keeps it, shape (width + 1, size)."""
        band = np.zeros((self.width + 1, self.size), order="F")
        row, column, value = square.row, square.col, square.data
        lower = row >= column
        band[(row - column)[lower], column[lower]] = value[lower]
        return band

    def precision(self, noise: float, variances: Sequence[float]) -> np.ndarray:
        """The band of :math:`Q`, shape (width + 1, size), given all variances."""
        band = self._observed / noise
        for square, variance in zip(self._squares.values(), variances, strict=True):
            band += square / variance
        band[0] += self._prior
        return band

    def pull(self, target: np.ndarray, noise: float) -> np.ndarray:
        """The vector :math:`q` for the values less their regression, shape (n_seen,)."""
        return np.asarray(self._pull + self._back @ (target / noise))

    def draw(
        self, rng: np.random.Generator, target: np.ndarray, noise: float, variances: Sequence[float]
    ) -> np.ndarray:
        """One draw of all states, shape (size,).

        Parameters
        ----------
        target : array (n_seen,)
            Values less their regression, in the periods that have one.
        noise : float
            Variance of a value about its mean.
        variances : sequence of float
            Those of the path, in the order of ``form.noises``.
        """
        factor, failed = dpbtrf(self.precision(noise, variances), lower=1, overwrite_ab=1)
        if failed:
            raise EstimationError("the precision of the path is not positive definite")
        half, _ = dtbtrs(factor, self.pull(target, noise)[:, None], uplo="L")
        half[:, 0] += rng.standard_normal(self.size)
        states, _ = dtbtrs(factor, half, uplo="L", trans="T", overwrite_b=1)
        return np.asarray(states[:, 0])

    def squares(self, states: np.ndarray) -> list[float]:
        """Sum of squares of each noise of the path, in the order of ``form.noises``."""
        return [float(np.square(rows @ states).sum()) for rows in self.noises.values()]

    def mean(self, states: np.ndarray) -> np.ndarray:
        """Level plus season of each period, shape (..., n) for states of shape (..., size)."""
        level = states[..., self.level]
        if not self.form.season:
            return np.asarray(level)
        return np.asarray(level + states[..., self.season[max(self.form.season - 2, 0) :]])

    def ahead(
        self, rng: np.random.Generator, states: np.ndarray, variances: np.ndarray, periods: int
    ) -> np.ndarray:
        """Level plus season of the periods after the last, shape (draws, periods).

        Parameters
        ----------
        states : array (draws, size)
        variances : array (draws, n_noises)
        periods : int
        """
        draws = len(states)
        spread = dict(zip(self.form.noises, np.sqrt(variances).T, strict=True))
        level = states[:, self.level[-1]]
        slope = states[:, self.slope[-1]] if self.form.slope else np.zeros(draws)
        seasons = states[:, self.season[-(self.form.season - 1) :]] if self.form.season else None
        out = np.empty((draws, periods))
        for period in range(periods):
            level = level + slope + spread["level"] * rng.standard_normal(draws)
            if self.form.slope:
                slope = slope + spread["slope"] * rng.standard_normal(draws)
            out[:, period] = level
            if seasons is not None:
                new = -seasons.sum(axis=1) + spread["season"] * rng.standard_normal(draws)
                seasons = np.column_stack([seasons[:, 1:], new])
                out[:, period] += new
        return out
