r"""Pilot and comparison units around one start, as arrays: the effect, its path, and the others'
own paths.

Two layouts give the same numbers where both apply. On a balanced panel without covariates, with weights
that do not change within a unit, an effect is a weighted sum over periods of each unit's row, :math:`d_i
= \sum_t l_t y_{it}`, averaged within the two groups; nothing else needs solving. Otherwise the two-way
regression is solved, once for the effect and once with one coefficient a period (relative to the last
period before the start), of which every path is a combination."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.contrasts import Contrasts, contrasts_of, from_units
from ucimpact.inference.covariance import Design
from ucimpact.inference.linear import Fit, TwoWay, least_squares, sum_by

Array = np.ndarray
LARGEST_PATH = 30_000_000
"""Cells of the regression with one coefficient a period, above which no path is worked out."""


@dataclass(frozen=True)
class Comparison:
    """Outcome, covariates and weights on a grid, and who has the pilot.

    Attributes
    ----------
    outcome : array (n_units, n_periods)
    covariates : array (n_covariates, n_units, n_periods)
    weights : array (n_units, n_periods)
        0 where nothing was observed.
    pilot : bool array (n_units,)
    since : array (n_periods,)
        Periods since the start: 0 in the first pilot period.
    places : array (n_units,)
        Place of each unit, coded from 0.
    """

    outcome: Array
    covariates: Array
    weights: Array
    pilot: Array
    since: Array
    places: Array

    @cached_property
    def after(self) -> Array:
        """Which periods the pilot runs in."""
        return np.asarray(self.since >= 0)

    @cached_property
    def place_pilot(self) -> Array:
        """Which places have the pilot, shape (n_places,)."""
        found = np.zeros(int(self.places.max()) + 1, dtype=bool)
        found[self.places[self.pilot]] = True
        return found

    @cached_property
    def mixed_places(self) -> int:
        """How many places hold both pilot and other units."""
        return len(np.intersect1d(self.places[self.pilot], self.places[~self.pilot]))

    @cached_property
    def is_simple(self) -> bool:
        """Whether each unit is its row: balanced, no covariates, one weight a unit."""
        w = self.weights
        return not len(self.covariates) and bool(
            np.all(w > 0) and np.all(np.ptp(w, axis=1) <= 1e-12 * w[:, 0])
        )

    @cached_property
    def scale(self) -> float:
        """Largest absolute outcome."""
        return float(np.abs(self.outcome[self.weights > 0]).max())

    @cached_property
    def effects(self) -> TwoWay:
        """Unit and period effects."""
        return TwoWay(self.weights)

    @cached_property
    def seen(self) -> Array:
        """Periods with both pilot and comparison units, as indices in order."""
        both = (self.weights[self.pilot].sum(axis=0) > 0) & (self.weights[~self.pilot].sum(axis=0) > 0)
        return np.flatnonzero(both)

    @property
    def before_seen(self) -> Array:
        """Those of :attr:`seen` before the start."""
        return np.asarray(self.seen[~self.after[self.seen]])

    @property
    def reference(self) -> int:
        """The period that a path is measured from: the last before the start."""
        return int(self.before_seen[-1])

    @property
    def spans_the_start(self) -> bool:
        """Whether pilot and comparison are seen together both before and after the start."""
        return bool(len(self.before_seen)) and bool(self.after[self.seen].any())

    @property
    def events(self) -> Array:
        """The periods of a path: those seen, but for the reference."""
        return np.asarray(self.seen[self.seen != self.reference])

    @property
    def treated(self) -> Array:
        """Where and when the pilot runs, shape (n_units, n_periods)."""
        return np.asarray((self.pilot[:, None] & self.after[None, :]).astype(float))

    # -- effects -------------------------------------------------------------------------

    @cached_property
    def fit(self) -> Fit:
        """The two-way regression on the pilot and the covariates, in this order."""
        columns = np.concatenate([self.treated[None], self.covariates])
        return least_squares(self.outcome, columns, self.effects)

    @cached_property
    def effect(self) -> Contrasts:
        """The average effect on the pilot units."""
        if self.is_simple:
            return self._by_rows(self.lag_weights(), parameters=1)
        fit = self.fit
        left = fit.residuals + fit.coef[0] * self.treated
        columns = np.concatenate([self.treated[None], self.covariates])
        return self._contrasts(fit, left, columns, np.ones((1, 1)))

    def lag_weights(self) -> Array:
        """Mean after less mean before as weights of periods, shape (1, n_periods)."""
        weights: Array = self.after / self.after.sum() - ~self.after / (~self.after).sum()
        return weights[None, :]

    @cached_property
    def _event_fit(self) -> tuple[Fit, Array]:
        size = len(self.events) * self.weights.size
        if size > LARGEST_PATH:
            raise EstimationError(f"a path of {len(self.events)} periods is too large to work out here")
        columns = np.zeros((len(self.events), *self.weights.shape))
        for k, period in enumerate(self.events):
            columns[k, self.pilot, period] = 1.0
        columns = np.concatenate([columns, self.covariates])
        return least_squares(self.outcome, columns, self.effects), columns

    def path(self, combinations: Array) -> Contrasts:
        """Combinations over periods of the pilot's difference from the others.

        Parameters
        ----------
        combinations : array (n_effects, n_periods)
            Rows add up to 0 and are 0 outside :attr:`seen`.

        Raises
        ------
        EstimationError
            Where the panel has too many gaps, or is too large, for one coefficient a period.
        """
        if self.is_simple:
            return self._by_rows(combinations, parameters=len(self.events))
        fit, columns = self._event_fit
        number = len(self.events)
        left = fit.residuals + np.tensordot(fit.coef[:number], columns[:number], axes=1)
        return self._contrasts(fit, left, columns, combinations[:, self.events])

    def event_combinations(self) -> Array:
        """Each period less the reference, shape (n_events, n_periods)."""
        rows = np.zeros((len(self.events), len(self.since)))
        rows[np.arange(len(self.events)), self.events] = 1.0
        rows[:, self.reference] -= 1.0
        return rows

    def gap_combinations(self) -> Array:
        """Each seen period less the pilot's mean before the start, shape (n_seen, n_periods)."""
        rows = np.zeros((len(self.seen), len(self.since)))
        rows[np.arange(len(self.seen)), self.seen] = 1.0
        share = self.weights[self.pilot].sum(axis=0)[self.before_seen]
        rows[:, self.before_seen] -= share / share.sum()
        return rows

    def slope_combination(self) -> Array:
        """The least-squares slope before the start, per period, shape (1, n_periods)."""
        row = np.zeros((1, len(self.since)))
        middle = self.since[self.before_seen] - self.since[self.before_seen].mean()
        row[0, self.before_seen] = middle / (middle**2).sum()
        return row

    def _by_rows(self, combinations: Array, *, parameters: int) -> Contrasts:
        rows = combinations @ self.outcome.T
        w = self.weights[:, 0]
        total = np.where(self.pilot, w[self.pilot].sum(), w[~self.pilot].sum())
        signed = np.where(self.pilot, w, -w) / total
        size = np.abs(signed) * np.abs(combinations).sum(axis=1, keepdims=True) / 2

        def design() -> Design:
            columns = np.column_stack([np.ones(len(w)), self.pilot.astype(float)])
            residuals = rows.copy()
            for group in (self.pilot, ~self.pilot):
                residuals[:, group] -= (rows[:, group] @ w[group] / w[group].sum())[:, None]
            direction = np.tile([[0.0], [1.0]], (1, len(rows)))
            n_rows, n_periods = self.weights.size, self.weights.shape[1]
            return Design(
                columns,
                residuals.T,
                direction,
                self.places,
                w,
                n_rows=n_rows,
                n_parameters=n_periods + parameters,
            )

        return from_units(signed * rows, size, self.places, self.place_pilot, design, self.scale)

    def _contrasts(self, fit: Fit, left: Array, columns: Array, combinations: Array) -> Contrasts:
        def design() -> Design:
            return self._long(fit, columns, combinations)

        return contrasts_of(fit, left, combinations, self.places, self.place_pilot, design, self.scale)

    def _long(self, fit: Fit, columns: Array, combinations: Array) -> Design:
        """The regression row by row, period effects as columns and unit effects taken out."""
        there = self.weights > 0
        used = np.flatnonzero(there.any(axis=0))
        dummies = np.zeros((len(used) - 1, *there.shape))
        for k, period in enumerate(used[1:]):
            dummies[k, :, period] = 1.0
        within = self.effects.absorb_units(np.concatenate([dummies, columns]))[:, there].T
        units = np.broadcast_to(np.arange(len(there))[:, None], there.shape)[there]
        directions = np.zeros((within.shape[1], len(combinations)))
        directions[len(dummies) : len(dummies) + combinations.shape[1]] = combinations.T
        return Design(
            within,
            fit.residuals[there],
            directions,
            self.places[units],
            self.weights[there],
            nested=units,
            n_parameters=within.shape[1] + 1,
        )

    # -- what the comparison units show --------------------------------------------------

    def variance_before(self) -> Array:
        """Variance of each place from period to period before the start, effects out, shape
        (n_places,)."""
        w = np.where(self.after, 0.0, self.weights)
        rest = TwoWay(w).absorb(self.outcome) * w
        total, rest = sum_by(w.T, self.places).T, sum_by(rest.T, self.places).T
        means = np.where(total > 0, rest / np.where(total > 0, total, 1.0), 0.0)
        months = (total > 0).sum(axis=1)
        variance = (means**2).sum(axis=1) / np.where(months > 1, months - 1, 1)
        return np.where(months > 1, variance, np.nan)

    def placebos(self) -> tuple[Array, Array]:
        """Each comparison place as if it had the pilot, against the other comparison places.

        Returns
        -------
        estimates : array (n_comparison_places,)
        paths : array (n_comparison_places, n_events)
            Relative to the reference period; ``nan`` where the place was not seen.
        """
        others = np.flatnonzero(~self.place_pilot)
        if not self.is_simple:
            found = [self._placebo(int(place)) for place in others]
            return np.array([f[0] for f in found]), np.array([f[1] for f in found])
        rows = np.concatenate([self.lag_weights(), self.event_combinations()]) @ self.outcome.T
        w = self.weights[:, 0]
        sums, size = sum_by(rows * w, self.places)[:, others], sum_by(w, self.places)[others]
        rest = (sums.sum(axis=1, keepdims=True) - sums) / (size.sum() - size)
        effects = sums / size - rest
        return effects[0], effects[1:].T

    def _placebo(self, place: int) -> tuple[float, Array]:
        mine = self.places == place
        rest = ~mine & ~self.pilot
        outcome = self.outcome - np.tensordot(self.fit.coef[1:], self.covariates, axes=1)
        both = TwoWay(np.where((mine | rest)[:, None], self.weights, 0.0))
        column = both.absorb((mine[:, None] & self.after[None, :]).astype(float)) * both.weights
        size = float((column * (mine[:, None] & self.after[None, :])).sum())
        path = []
        for group in (mine, rest):
            effects = TwoWay(self.weights[group])
            level = effects.period_effects(outcome[group])
            level = np.where(effects.weights.sum(axis=0) > 0, level, np.nan)
            path.append(level[self.events] - level[self.reference])
        estimate = float((column * outcome).sum()) / size if size > 0 else float("nan")
        return estimate, np.asarray(path[0] - path[1])
