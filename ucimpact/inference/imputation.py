r"""What would have happened, imputed from everything seen without the pilot (Borusyak, Jaravel and Spiess).

Unit effects, period effects and slopes are fitted to the untreated observations :math:`\Omega_0` alone; each
treated observation is held against what they say of it [1]_:

.. math:: y_{it} = \alpha_i + \gamma_t + x_{it}'\beta + \varepsilon_{it} \quad (it \in \Omega_0), \qquad
          \hat\tau_{it} = y_{it} - \hat\alpha_i - \hat\gamma_t - x_{it}'\hat\beta \quad (it \in \Omega_1) .

An effect is a weighted sum of them, :math:`\hat\tau = \sum_{\Omega_1} v_{it}\hat\tau_{it} = \sum_{it} v_{it}
y_{it}`, and so a weighted sum of outcomes. With Z the dummies and covariates and W the weights of regression
the loadings of untreated observations are :math:`v_0 = -W_0 Z_0 (Z_0'W_0Z_0)^{-1} Z_1'v_1`.

**Variance** (their theorem 3), conservative where effects differ within a cell, clustered by place:

.. math:: \hat\sigma^2 = \sum_p \Bigl(\sum_{it \in p} v_{it}\tilde\varepsilon_{it}\Bigr)^2, \qquad
          \tilde\varepsilon_{it} = \begin{cases} y_{it} - \hat\alpha_i - \hat\gamma_t - x_{it}'\hat\beta &
          \Omega_0 \\ \hat\tau_{it} - \bar\tau_{m(it)} & \Omega_1 \end{cases}

:math:`\bar\tau_m` are auxiliary averages over groups of treated observations, here a cohort at one time since
its start: :math:`\sum w_{it}^2\hat\tau_{it} / \sum w_{it}^2`, the plain mean where observations weigh alike
(their equation 8 with a unit as the cluster). The **leave-out** form takes :math:`\bar\tau` from the other
places, and so undoes the shrinking of a residual about a mean that it helped to make (their appendix): with
few places a group it is much the safer. There a place counts as one: with :math:`W_{pm}` its weight in the
group and :math:`T_{pm}` its weighted effects, :math:`\bar\tau_{m,-p} = \sum_{q \ne p} W_{qm}T_{qm} /
\sum_{q \ne p} W_{qm}^2` (equation 8 with a place as the cluster).

A cohort of one place has no mean but its own. Such cohorts are put together with the cohort that starts
nearest, and a time since the start that only one place has reached with the time before it; the variance is
then cautious, since it takes the difference between them for noise.

An untreated observation of unit i adds through its period and its covariates alone: residuals of a unit add
up to 0. So nothing of one row an observation and one column an effect is made.

References
----------
.. [1] Borusyak, K., Jaravel, X. and Spiess, J. (2024). Revisiting event-study designs: robust and efficient
   estimation. *Review of Economic Studies* 91(6), 3253-3285.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ucimpact.inference.cell_averages import Averages
from ucimpact.inference.two_way import CohortPanel, by_cohort, unit_scores

Array = np.ndarray


@dataclass(frozen=True)
class Imputation:
    """A panel, and where the pilot runs in it.

    Attributes
    ----------
    panel : CohortPanel
        Its last cohort never starts.
    treated : bool array (n_units, n_periods)
    """

    panel: CohortPanel
    treated: Array

    @cached_property
    def untreated(self) -> CohortPanel:
        """The same panel with no weight where the pilot runs."""
        p = self.panel
        weights = np.where(self.treated, 0.0, p.weights)
        return CohortPanel(p.outcome, weights, p.cohort, p.n_cohorts, p.covariates)

    @cached_property
    def known(self) -> Array:
        """Treated observations whose unit and period the untreated ones tie together."""
        there = (self.panel.weights > 0) & self.treated
        weights = self.untreated.weights
        if np.all(weights[:, 0] > 0):  # every unit was seen without the pilot in one same period
            return np.asarray(there & (weights > 0).any(axis=0))
        units, periods = np.nonzero(weights)
        n, t = weights.shape
        links = csr_array((np.ones(len(units)), (units, n + periods)), shape=(n + t, n + t))
        group = connected_components(links, directed=False)[1]
        return np.asarray(there & (group[:n, None] == group[None, n:]))

    @cached_property
    def treated_weights(self) -> Array:
        """Weights of the treated observations that have an effect, shape (n_units, n_periods)."""
        return np.where(self.known, self.panel.weights, 0.0)

    @cached_property
    def mass(self) -> Array:
        """Their weight in each cell, shape (n_cohorts, n_periods); the last row, of never, is 0."""
        return self.panel.sums(self.treated_weights)

    @cached_property
    def _x_inverse(self) -> Array:
        x = self.untreated.x_within
        return np.linalg.inv(np.tensordot(self.untreated.weights * x, x, axes=((1, 2), (1, 2))))

    @cached_property
    def slopes(self) -> Array:
        """:math:`\\hat\\beta`, shape (n_covariates,)."""
        x = self.untreated.weights * self.untreated.x_within
        return np.asarray(self._x_inverse @ np.tensordot(x, self.untreated.y_within, axes=2))

    @cached_property
    def residuals(self) -> Array:
        """Of the untreated observations, 0 elsewhere, shape (n_units, n_periods)."""
        return np.asarray(
            self.untreated.y_within - np.tensordot(self.slopes, self.untreated.x_within, axes=1)
        )

    @cached_property
    def effects(self) -> Array:
        """:math:`\\hat\\tau_{it}`, 0 where there is none, shape (n_units, n_periods)."""
        return self._gap(self.panel.outcome) - np.tensordot(self.slopes, self._x_gap, axes=1)

    @cached_property
    def _x_gap(self) -> Array:
        return self._gap(self.panel.x)

    def _gap(self, values: Array) -> Array:
        """``values`` less what unit and period effects of the untreated say, where an effect is known."""
        w = self.untreated.weights
        left = values - self.untreated.effects.period_effects(values)[..., None, :]
        total = w.sum(axis=1, keepdims=True)
        left = left - (w * left).sum(axis=-1, keepdims=True) / np.where(total > 0, total, 1.0)
        return np.where(self.known, left, 0.0)

    @cached_property
    def cells(self) -> Array:
        """Mean effect of each cohort in each period, shape (n_cohorts, n_periods); 0 where there is none."""
        return self._means(self.effects)

    def _means(self, values: Array) -> Array:
        total = self.panel.sums(self.treated_weights * values)
        return np.asarray(total / np.where(self.mass > 0, self.mass, 1.0))

    # -- uncertainty ---------------------------------------------------------------------

    def influence(self, averages: Averages, *deviations: Array) -> tuple[Array, ...]:
        """What each unit adds to each effect, shape (n_units, n_effects), for each set of deviations.

        Parameters
        ----------
        averages : Averages
            Of the cohorts that start.
        *deviations : array (n_units, n_periods)
            See :meth:`deviations`; 0 where there is no effect.
        """
        panel = self.panel
        table = _with_never(averages.table)
        shares = np.moveaxis(table / np.where(self.mass > 0, self.mass, 1.0), 0, -1)
        weighted = self.untreated.weights * self.residuals
        rest = weighted @ self._period_parts(table, shares)
        if len(self.slopes):
            gaps = np.tensordot(self._means(self._x_gap), table, axes=((1, 2), (1, 2)))
            rest += unit_scores(self.untreated.x_within, weighted) @ self._x_inverse @ gaps
        return tuple(by_cohort(panel, self.treated_weights * aside, shares) - rest for aside in deviations)

    def _period_parts(self, table: Array, shares: Array) -> Array:
        """Part of each loading that an untreated observation owes to its period, (n_periods, n_effects)."""
        w = self.untreated.weights
        total = w.sum(axis=1, keepdims=True)
        share = w / np.where(total > 0, total, 1.0)
        by_unit = by_cohort(self.panel, self.treated_weights, shares)
        right = table.sum(axis=1).T - share.T @ by_unit
        normal = np.diag(w.sum(axis=0)) - w.T @ share
        return np.asarray(np.linalg.pinv(normal, rcond=1e-12, hermitian=True) @ right)

    @property
    def within_cells(self) -> Array:
        """Deviations from the cell's own mean, however few are in it, shape (n_units, n_periods)."""
        return np.where(self.known, self.effects - self.panel.of_units(self.cells), 0.0)

    def deviations(self, places: Array, since: Array, *, leave_out: bool) -> Array:
        """:math:`\\hat\\tau_{it} - \\bar\\tau_m`, 0 where there is no effect, shape (n_units, n_periods).

        Parameters
        ----------
        places : array (n_units,)
        since : array (n_cohorts, n_periods)
            Periods since the start of each cohort that starts.
        leave_out : bool
            Whether the averages leave out the place itself.
        """
        groups = pooled_cells(self.place_counts(places), since)[0]
        units, periods = np.nonzero(self.known)
        group = groups[self.panel.cohort[units], periods]
        effect, weight = self.effects[units, periods], self.panel.weights[units, periods]
        pairs, code = np.unique(places[units] * (groups.max() + 1) + group, return_inverse=True)
        of_pair = pairs % (groups.max() + 1)
        if not leave_out:
            squares = np.bincount(group, weight**2)
            mean = np.bincount(group, weight**2 * effect) / np.where(squares > 0, squares, 1.0)
            aside = mean[of_pair]
        else:
            own = np.bincount(code, weight)
            products = own * np.bincount(code, weight * effect)
            rest = np.bincount(of_pair, own**2)[of_pair] - own**2
            others = np.bincount(of_pair, products)[of_pair] - products
            alone = np.bincount(of_pair)[of_pair] == 1
            aside = np.where(alone, products / own**2, others / np.where(alone, 1.0, rest))
        out = np.zeros(self.known.shape)
        out[units, periods] = effect - aside[code]
        return out

    def place_counts(self, places: Array) -> Array:
        """Places with an effect in each cell, shape (n_cohorts - 1, n_periods)."""
        units, periods = np.nonzero(self.known)
        shape = self.mass.shape
        cell = self.panel.cohort[units] * shape[1] + periods
        pairs = np.unique(cell * (int(places.max()) + 1) + places[units])
        counts = np.bincount(pairs // (int(places.max()) + 1), minlength=shape[0] * shape[1])
        return np.asarray(counts.reshape(shape)[:-1])

    def loadings(self, averages: Averages) -> Array | None:
        """How the mean outcome of each cohort in each period enters, (n_cohorts, n_effects, n_periods).

        None where units of a cohort are not alike in what was seen of them, or there are covariates.
        """
        panel = self.panel
        if not panel.is_plain or len(panel.x):
            return None
        table = _with_never(averages.table)
        shares = np.moveaxis(table / np.where(self.mass > 0, self.mass, 1.0), 0, -1)
        period = self._period_parts(table, shares).T
        free = panel.sums(self.untreated.weights) > 0
        own = shares.sum(axis=1)  # (n_cohorts, n_effects), a unit of weight 1
        number = np.maximum(free.sum(axis=1), 1)
        unit = (own - free @ period.T) / number[:, None]
        untreated = -(unit[:, :, None] + period) * free[:, None, :] * panel.mass[:, :1, None]
        return np.asarray(untreated + np.moveaxis(table, 0, 1))


def _with_never(table: Array) -> Array:
    return np.concatenate([table, np.zeros_like(table[:, :1])], axis=1)


def pooled_cells(places: Array, since: Array) -> tuple[Array, list[int]]:
    """Groups of cells over which effects are averaged for the variance, and the cohorts put with others.

    Parameters
    ----------
    places : array (n_cohorts, n_periods)
        Places with an effect in each cell.
    since : array (n_cohorts, n_periods)
        Periods since the start.

    Returns
    -------
    groups : int array (n_cohorts + 1, n_periods)
        Codes from 0; cells without an effect, and the last row, have 0 and are never asked for.
    pooled : list of int
        Cohorts of one place.
    """
    have = places.max(axis=1, initial=0)
    sets = [[g] for g in range(len(places)) if have[g] > 0]
    pooled = [g for g in range(len(places)) if have[g] == 1]
    first = since[:, 0]  # falls with the start

    def distance(one: list[int], two: list[int]) -> int:
        return int(min(abs(first[a] - first[b]) for a in one for b in two))

    while len(sets) > 1 and (lone := next((s for s in sets if sum(have[g] for g in s) < 2), None)):
        rest = [s for s in sets if s is not lone]
        near = min(rest, key=lambda s: distance(lone, s))
        sets = [s for s in rest if s is not near] + [sorted(lone + near)]
    groups = np.zeros((len(places) + 1, places.shape[1]), dtype=np.int64)
    code = 0
    for members in sets:
        rows = np.array(members)
        number: dict[int, int] = {}
        for time in np.unique(since[rows][places[rows] > 0]):
            number[int(time)] = int(places[rows][since[rows] == time].sum())
        waiting: list[int] = []
        done: list[list[int]] = []
        for time in sorted(number):  # early times first, a lone one waits for the next
            waiting.append(time)
            if max(number[t] for t in waiting) > 1:
                done.append(waiting)
                waiting = []
        if waiting:  # the last ones go with the time before them
            if done:
                done[-1] += waiting
            else:
                done.append(waiting)
        for times in done:
            inside = np.isin(since[rows], times) & (places[rows] > 0)
            block = groups[rows]
            block[inside] = code
            groups[rows] = block
            code += 1
    return groups, pooled
