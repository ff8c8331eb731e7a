r"""Ratios of means with an effect for every unit and every period: counts, and amounts with zeros.

.. math:: E(y_{it}) = \mu_{it} = n_{it} \exp(\alpha_i + \gamma_t + \delta_{c(it)} + x_{it}'\beta)

with exposure :math:`n_{it}` (list size, person-years), saturated cells :math:`c` and covariates. Only the
mean has to be right [1]_. The estimate solves :math:`\sum r_{it} z_{it} = 0` for every column :math:`z`, with

======== ========================================== ============================
family   :math:`r_{it}`                              working weight :math:`v_{it}`
======== ========================================== ============================
poisson  :math:`w_{it}(y_{it} - \mu_{it})`           :math:`w_{it}\mu_{it}`
gamma    :math:`w_{it}(y_{it} - \mu_{it})/\mu_{it}`  :math:`w_{it}`
======== ========================================== ============================

Gamma is the quasi-score of a spread that goes with the mean: zeros are allowed. Newton steps are exact:
with :math:`U` the sums of the working weights of each unit by column and :math:`D` their cross-products,
unit effects drop out of :math:`S = D - U'\operatorname{diag}(1/v_{i\cdot})U`, a system of one equation a
period, cell and covariate, so that no table of dummies is ever made.

A unit, a period or a cell in which nothing ever happened has no finite effect; its rows say nothing of the
others and are left out, again and again until none is left [2]_. What was left out is named in the fit.

Each unit adds :math:`S^{-1}\sum_t r_{it}(z_{it} - \bar z_i)` to the coefficients, :math:`\bar z_i` its mean
by working weight. Clustered errors are fixest's by default: :math:`\frac{G}{G-1}\frac{N-1}{N-K}`, with K the
coefficients and the effects not nested in the clusters.

References
----------
.. [1] Gourieroux, C., Monfort, A. and Trognon, A. (1984). Pseudo maximum likelihood methods: applications
   to Poisson models. *Econometrica* 52(3), 701-720.
.. [2] Correia, S., Guimaraes, P. and Zylkin, T. (2020). Fast Poisson estimation with high-dimensional fixed
   effects. *Stata Journal* 20(1), 95-115.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special
from scipy.linalg import cho_factor, cho_solve

from ucimpact.errors import EstimationError

Array = np.ndarray
Family = Literal["poisson", "gamma"]

STEPS = 60
TOLERANCE = 1e-11
"""The last step changed no effect and no coefficient by more than this."""
SMALLEST_SHARE = 1e-4
GENTLE = 4
"""Steps by the expected curvature before that at the data is used."""
FARTHEST = 25.0
"""A coefficient beyond this (a ratio of 7e10) is running away: there is no finite one."""
COLLINEAR = 1e-11


@dataclass(frozen=True, eq=False)
class PpmlFit:
    """A fitted model on a grid of units by periods.

    Attributes
    ----------
    family : str
    unit_effects : array (n_units,)
        :math:`\\alpha`; ``-inf`` for a unit in which nothing happened, ``nan`` for one without rows.
    period_effects : array (n_periods,)
        :math:`\\gamma`, 0 in the first period kept of each set that units connect; else as for units.
    cell_effects : array (n_cells,)
        :math:`\\delta`; ``-inf`` for a cell in which nothing happened.
    coef : array (n_covariates,)
    mu : array (n_units, n_periods)
        Fitted means; 0 in cells that took no part.
    used : bool array (n_units, n_periods)
        Rows that took part.
    bread : array (n_free, n_free)
        :math:`S^{-1}`, of the period effects kept but the first, the cells kept, and the covariates.
    scores : array (n_units, n_free)
    columns : array (n_free,)
        What each column of ``bread`` is: period t as t, cell c as n_periods + c, covariate k as
        n_periods + n_cells + k.
    iterations : int
    silent_units, silent_periods, silent_cells : array of int
        Left out because nothing ever happened there.
    dispersion : float
        Pearson's chi-squared over its degrees of freedom.
    """

    family: Family
    unit_effects: Array
    period_effects: Array
    cell_effects: Array
    coef: Array
    mu: Array
    used: Array
    bread: Array
    scores: Array
    columns: Array
    iterations: int
    silent_units: Array
    silent_periods: Array
    silent_cells: Array
    dispersion: float

    @property
    def free(self) -> int:
        """Coefficients besides the effects of units and periods."""
        return int((self.columns >= len(self.period_effects)).sum())

    def influence(self, clusters: Array | None = None) -> Array:
        """What each unit, or cluster, adds to each column, shape (n_clusters, n_free)."""
        added = self.scores @ self.bread
        return added if clusters is None else _sums(added, clusters)

    def cov(self, clusters: Array | None = None, *, adjust: bool = True) -> Array:
        """Covariance of the coefficients, cells first and covariates last, clustered by unit or place.

        Parameters
        ----------
        clusters : array (n_units,), optional
            Codes of the clusters; the units themselves if left out. Units lie within clusters.
        adjust : bool, default True
            Multiply by fixest's factor.
        """
        took_part = self.used.any(axis=1)
        codes: Array = np.arange(len(self.unit_effects)) if clusters is None else np.asarray(clusters)
        kept = self.columns >= len(self.period_effects)
        added = self.influence(codes)[:, kept]
        out = added.T @ added
        if not adjust:
            return np.asarray(out)
        n, groups = int(self.used.sum()), len(np.unique(codes[took_part]))
        parameters = int(kept.sum()) + int(self.used.any(axis=0).sum())
        return np.asarray(out * groups / (groups - 1) * (n - 1) / (n - parameters))


def ppml(
    y: Array,
    weights: Array,
    *,
    exposure: Array | None = None,
    cells: Array | None = None,
    x: Array | None = None,
    family: Family = "poisson",
) -> PpmlFit:
    """Fit the model.

    Parameters
    ----------
    y, weights : array (n_units, n_periods)
        Outcome, 0 or more, and weight of each row; weight 0 where there is none.
    exposure : array (n_units, n_periods), optional
        Positive: people, person-years. 1 if left out.
    cells : int array (n_units, n_periods), optional
        Code of the saturated cell of each row from 0, -1 for rows in none. A cell lies in one period.
    x : array (n_covariates, n_units, n_periods), optional
    family : {"poisson", "gamma"}

    Raises
    ------
    EstimationError
        Where nothing happened at all, a coefficient cannot be told from the effects, or has no finite
        value.
    """
    w = np.where(weights > 0, weights, 0.0)
    there = w > 0
    exposed = np.ones_like(w) if exposure is None else np.where(there, exposure, 1.0)
    y = np.where(there, y, 0.0)
    if not np.isfinite(y).all():
        raise EstimationError("the outcome has cells that are not numbers")
    if (y < 0).any():
        raise EstimationError("a ratio of means needs outcomes of at least 0. Use a difference of means")
    coded = np.full(y.shape, -1) if cells is None else np.asarray(cells)
    number = int(coded.max()) + 1 if coded.size else 0
    used, silent = _without_silence(y, there, coded, number)
    if not used.any():
        raise EstimationError("the outcome never happened to anybody, so there is nothing to compare")
    columns = np.zeros((0, *y.shape)) if x is None else np.asarray(x, dtype=float)
    return _Newton(family, y, np.where(used, w, 0.0), exposed, coded, number, columns, used).solve(silent)


def _without_silence(
    y: Array, there: Array, cells: Array, number: int
) -> tuple[Array, tuple[Array, Array, Array]]:
    """Rows that remain when units, periods and cells without an event are left out, and which were.

    A row that is alone in its unit, period or cell is fitted exactly and says nothing of the others: what is
    silent but for such rows is silent.
    """
    used = there.copy()
    silent = (np.zeros(y.shape[0], bool), np.zeros(y.shape[1], bool), np.zeros(number, bool))
    while True:
        before = int(used.sum())
        core = _without_lone(used, cells, number)
        live = core & (y > 0)
        for axis, gone in ((1, silent[0]), (0, silent[1])):
            gone |= core.any(axis=axis) & ~live.any(axis=axis)
            gone |= used.any(axis=axis) & ~(used & (y > 0)).any(axis=axis)
        if number:
            inside = used & (cells >= 0)
            present = np.bincount(cells[inside], minlength=number) > 0
            happened = np.bincount(cells[inside & (y > 0)], minlength=number) > 0
            silent[2][:] |= present & ~happened
            used &= ~((cells >= 0) & silent[2][np.maximum(cells, 0)])
        used &= ~silent[0][:, None] & ~silent[1][None, :]
        if int(used.sum()) == before:
            return used, silent


def _without_lone(used: Array, cells: Array, number: int) -> Array:
    """Rows that are not alone in their unit, period or cell, once such rows are out."""
    core = used.copy()
    while True:
        before = int(core.sum())
        core &= (core.sum(axis=1) > 1)[:, None] & (core.sum(axis=0) > 1)
        if number:
            inside = core & (cells >= 0)
            alone = np.bincount(cells[inside], minlength=number) == 1
            core &= ~(inside & alone[np.maximum(cells, 0)])
        if int(core.sum()) == before:
            return core


class _Newton:
    """The arithmetic of one fit."""

    def __init__(
        self,
        family: Family,
        y: Array,
        w: Array,
        exposure: Array,
        cells: Array,
        number: int,
        x: Array,
        used: Array,
    ) -> None:
        self.family, self.y, self.w, self.used = family, y, w, used
        self.log_exposure = np.log(exposure)
        self.units = np.flatnonzero(used.any(axis=1))
        self.periods = np.flatnonzero(used.any(axis=0))
        self.moving = self.periods[~_first_of_each(used[:, self.periods])]
        inside = used & (cells >= 0)
        self.kept_cells = np.unique(cells[inside])
        self.number, self.shape = number, y.shape
        position = np.full(max(number, 1), -1)
        position[self.kept_cells] = np.arange(len(self.kept_cells))
        self.cell = np.where(inside, position[np.maximum(cells, 0)], -1)
        self.in_cell = self.cell >= 0
        self.at = self.cell[self.in_cell]
        self.unit_at, self.period_at = np.nonzero(self.in_cell)
        self.x = np.where(used, x, 0.0)
        self.c, self.p = len(self.kept_cells), len(x)

    def solve(self, silent: tuple[Array, Array, Array]) -> PpmlFit:
        n, length = self.shape
        rows, first = self.units, self.moving
        total = np.where(self.used, self.w * np.exp(self.log_exposure), 0.0).sum(axis=1)
        alpha = np.zeros(n)
        alpha[rows] = np.log((self.w * self.y).sum(axis=1)[rows] / total[rows])
        gamma, delta, beta = np.zeros(length), np.zeros(self.c), np.zeros(self.p)
        mu = self._mean(alpha, gamma, delta, beta)
        deviance = self._deviance(mu)
        for taken in range(1, STEPS + 1):
            step, unit_step = self._step(mu, curved=taken > GENTLE)
            share = 2.0
            while True:
                share /= 2
                tried = (
                    alpha + share * unit_step,
                    gamma + share * _placed(step[: len(first)], first, length),
                    delta + share * step[len(first) : len(first) + self.c],
                    beta + share * step[len(first) + self.c :],
                )
                with np.errstate(over="ignore", invalid="ignore"):
                    mu = self._mean(*tried)
                    reached = self._deviance(mu)
                if reached <= deviance + 1e-12 * (1 + abs(deviance)) or share < SMALLEST_SHARE:
                    break
            alpha, gamma, delta, beta = tried
            deviance = reached
            largest = max(np.abs(step).max(initial=0.0), np.abs(unit_step).max(initial=0.0))
            if not np.isfinite(deviance) or np.abs(beta).max(initial=0.0) > FARTHEST:
                break
            if largest <= TOLERANCE:
                return self._fit(alpha, gamma, delta, beta, mu, taken, silent)
        raise EstimationError(
            f"the {self.family} model with unit and period effects did not converge in {STEPS} steps: a "
            "coefficient has no finite value, because the outcome never happens where a column is at its end"
        )

    def _step(self, mu: Array, *, curved: bool) -> tuple[Array, Array]:
        """The next step of the columns and of the unit effects."""
        system, u, totals, score, unit_score, _ = self._system(mu, curved=curved)
        try:
            step = _solve(system, score - u.T @ _over(unit_score, totals))
        except EstimationError:
            if not curved or self.family != "gamma":
                raise
            return self._step(mu, curved=False)  # zeros have no curvature of their own
        return step, _over(unit_score - u @ step, totals)

    def _mean(self, alpha: Array, gamma: Array, delta: Array, beta: Array) -> Array:
        eta = self.log_exposure + alpha[:, None] + gamma + np.tensordot(beta, self.x, axes=1)
        eta[self.in_cell] += delta[self.at]
        return np.where(self.used, np.exp(np.clip(eta, -700.0, 700.0)), 0.0)

    def _deviance(self, mu: Array) -> float:
        y, m, w = self.y[self.used], mu[self.used], self.w[self.used]
        if self.family == "gamma":
            return float((w * (y / m + np.log(m))).sum())
        return float((w * (m - special.xlogy(y, m))).sum())

    def _system(self, mu: Array, *, curved: bool = False) -> tuple[Array, Array, Array, Array, Array, Array]:
        """The Schur complement, the units' sums, their totals, and the scores.

        ``curved`` takes the curvature at the data where the family's is that expected: the last steps of a
        gamma model would be small ones otherwise.
        """
        if self.family == "gamma":
            ratio = np.where(self.used, self.y / np.where(self.used, mu, 1.0), 0.0)
            r = np.where(self.used, self.w * (ratio - 1), 0.0)
            v = np.where(self.used, self.w * (ratio if curved else 1.0), 0.0)
        else:
            r, v = self.w * (self.y - mu), self.w * mu
        t, c, p = len(self.moving), self.c, self.p
        n = self.shape[0]
        u = np.zeros((n, t + c + p))
        u[:, :t] = v[:, self.moving]
        d = np.zeros((t + c + p, t + c + p))
        d[range(t), range(t)] = v.sum(axis=0)[self.moving]
        score = np.zeros(t + c + p)
        score[:t] = r.sum(axis=0)[self.moving]
        if c:
            inside = v[self.in_cell]
            np.add.at(u, (self.unit_at, t + self.at), inside)
            sums = np.bincount(self.at, inside, c)
            d[range(t, t + c), range(t, t + c)] = sums
            period = np.zeros(c, dtype=int)
            column = np.full(self.shape[1], -1)
            column[self.moving] = np.arange(t)
            period[self.at] = column[self.period_at]
            later = np.flatnonzero(period >= 0)
            d[period[later], t + later] = d[t + later, period[later]] = sums[later]
            score[t : t + c] = np.bincount(self.at, r[self.in_cell], c)
        if p:
            vx = v * self.x
            flat = vx.reshape(p, -1)
            u[:, t + c :] = vx.sum(axis=2).T
            by_period = vx.sum(axis=1)[:, self.moving]
            d[:t, t + c :], d[t + c :, :t] = by_period.T, by_period
            d[t + c :, t + c :] = flat @ self.x.reshape(p, -1).T
            for k in range(p if c else 0):
                crossed = np.bincount(self.at, vx[k][self.in_cell], c)
                d[t : t + c, t + c + k] = d[t + c + k, t : t + c] = crossed
            score[t + c :] = (r * self.x).sum(axis=(1, 2))
        totals = v.sum(axis=1)
        return d - u.T @ _over(u, totals[:, None]), u, totals, score, r.sum(axis=1), r

    def _fit(
        self,
        alpha: Array,
        gamma: Array,
        delta: Array,
        beta: Array,
        mu: Array,
        taken: int,
        silent: tuple[Array, Array, Array],
    ) -> PpmlFit:
        system, u, totals, _, unit_score, r = self._system(mu)
        t, (n, length) = len(self.moving), self.shape
        scores = np.zeros((n, len(system)))
        scores[:, :t] = r[:, self.moving]
        if self.c:
            np.add.at(scores, (self.unit_at, t + self.at), r[self.in_cell])
        if self.p:
            scores[:, t + self.c :] = (r * self.x).sum(axis=2).T
        scores -= _over(u, totals[:, None]) * unit_score[:, None]
        variance = mu**2 if self.family == "gamma" else mu
        pearson = (self.w * _over((self.y - mu) ** 2, variance)).sum()
        residual = int(self.used.sum()) - len(self.units) - len(system)
        columns = np.concatenate(
            [self.moving, length + self.kept_cells, length + self.number + np.arange(self.p)]
        )
        effects: list[Array] = []
        for values, kept, size in (
            (alpha, self.units, n),
            (gamma, self.periods, length),
            (delta, self.kept_cells, self.number),
        ):
            out = np.full(size, np.nan)
            out[kept] = values if len(values) == len(kept) else values[kept]
            effects.append(out)
        for out, gone in zip(effects, silent, strict=True):
            out[gone] = -np.inf
        return PpmlFit(
            self.family,
            effects[0],
            effects[1],
            effects[2],
            beta,
            mu,
            self.used,
            _solve(system, np.eye(len(system))),
            scores,
            columns,
            taken,
            np.flatnonzero(silent[0]),
            np.flatnonzero(silent[1]),
            np.flatnonzero(silent[2]),
            float(pearson / residual) if residual > 0 else float("nan"),
        )


def _first_of_each(used: Array) -> Array:
    """Whether a period is the first of those that units connect, shape (n_periods,)."""
    left = np.ones(used.shape[1], dtype=bool)
    first = np.zeros(used.shape[1], dtype=bool)
    while left.any():
        reached = np.zeros(used.shape[1], dtype=bool)
        start = int(np.flatnonzero(left)[0])
        first[start] = reached[start] = True
        while True:
            wider = used[used[:, reached].any(axis=1)].any(axis=0) | reached
            if (wider == reached).all():
                break
            reached = wider
        left &= ~reached
    return first


def _solve(system: Array, right: Array) -> Array:
    if not len(system):
        return np.zeros_like(right)
    scale = np.sqrt(np.maximum(np.diag(system), 0.0))
    if not np.all(scale > 0):
        raise EstimationError("a column cannot be told from the effects of units and periods")
    try:
        factor = cho_factor(system / np.outer(scale, scale), check_finite=False)
    except (np.linalg.LinAlgError, ValueError):
        factor = None
    if factor is None or np.diag(factor[0]).min() ** 2 < COLLINEAR:
        raise EstimationError("a column cannot be told from the effects of units and periods")
    wide = scale[:, None] if right.ndim == 2 else scale
    return np.asarray(cho_solve(factor, right / wide, check_finite=False) / wide)


def _over(a: Array, b: Array) -> Array:
    """a / b, 0 where b is 0."""
    return np.asarray(np.where(b > 0, a / np.where(b > 0, b, 1.0), 0.0))


def _placed(values: Array, at: Array, length: int) -> Array:
    out = np.zeros(length)
    out[at] = values
    return out


def _sums(values: Array, codes: Array) -> Array:
    out = np.zeros((int(codes.max()) + 1, values.shape[1]))
    np.add.at(out, codes, values)
    return out
