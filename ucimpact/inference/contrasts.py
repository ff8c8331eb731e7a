r"""One number a place: what each place adds to each effect.

An effect is a weighted sum of cells, :math:`b = \sum_{it} a_{it} y_{it}`, whose loadings :math:`a` come
from least squares. Take the effects of units, periods and covariates out of the outcome and leave the
pilot in (:math:`y^*`); place :math:`i` then adds :math:`g_i = \sum_t a_{it} y^*_{it}`. Divided by half
of its absolute loadings, with the sign of its group, this is a change in natural units, after minus
before:

.. math:: h_i = \tfrac12 \max\Bigl(\sum_t |a^0_{it}|, \sum_t |a_{it} - a^0_{it}|\Bigr), \qquad
          \omega_i = \pm h_i, \qquad c_i = g_i / \omega_i, \qquad b = \sum_i \omega_i c_i .

:math:`a^0` are the loadings without covariates (the same where there are none): adjusting spreads a
little weight over every cell, which belongs to the noise of a contrast and not to its size.

On a balanced panel without covariates :math:`c_i` is the mean after less the mean before, less a
constant that all places share, and :math:`\omega_i` is :math:`1/n_1` in a pilot place and :math:`-1/n_0`
in another: the two-way regression is a comparison of two groups of one number a place (Bertrand, Duflo
and Mullainathan 2004, *QJE* 119(1)). A place of several units is their sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from ucimpact.inference.covariance import Design
from ucimpact.inference.linear import Fit, sum_by

Array = np.ndarray


class Dealing(Protocol):
    """Other ways in which the pilot could have been dealt out to the places."""

    def choices(self) -> int:
        """How many ways there are, the data's own included."""
        ...

    def only(self, which: slice) -> Dealing:
        """For some of the effects."""
        ...

    def effects(self, most: int, seed: int) -> Iterator[tuple[Array, Array]]:
        """For each effect what it would be under each dealing, and what an effect of 1 would make of it."""
        ...

    def of_t(self, most: int, seed: int) -> Array:
        """The studentised first effect under each dealing; entry 0 is the data's own."""
        ...

    def parts_of_t(self, estimate: float, most: int, seed: int) -> tuple[Array, ...]:
        """What :meth:`of_t` is made of at other supposed effects."""
        ...

    def standardised(self, sd: Array, most: int, seed: int) -> Array:
        """The first effect under each dealing with each place divided by ``sd`` (n_places,)."""
        ...


NO_SHARE = 1e-8
"""A place with less than this part of the largest share says nothing about an effect: its share is 0."""


@dataclass(frozen=True)
class Contrasts:
    """A number and a share for each place and effect.

    Attributes
    ----------
    estimate : array (n_effects,)
        The effects, ``(values * shares).sum(axis=1)``.
    values, shares : array (n_effects, n_places)
        :math:`c` and :math:`\\omega`; shares of pilot places add up to 1, of the others to -1.
    pilot : array (n_places,)
        Whether the place has the pilot.
    design : callable
        Lays out the regression behind the effects, for a variance from its residuals.
    scale : float
        Largest absolute outcome: what a spread is held against to tell noise from rounding.
    spread : array (n_effects, n_places), optional
        Relative variances that follow from the design: pilot places that start at other times are
        compared over other periods. 1 without.
    beside : array (n_effects,), optional
        Relative variance of what places add that stand in an effect as comparison alone. 0 without.
    deal : Dealing, optional
        How the pilot is dealt out anew where starts differ; without it, by exchanging the two groups.
    """

    estimate: Array
    values: Array
    shares: Array
    pilot: Array
    design: Callable[[], Design]
    scale: float = 0.0
    spread: Array | None = None
    beside: Array | None = None
    deal: Dealing | None = None

    @cached_property
    def per_effect(self) -> Array:
        """What an effect of 1 adds to the contrast of each pilot place, shape (n_effects,)."""
        return np.asarray(1.0 / self.shares[:, self.pilot].sum(axis=1))

    @cached_property
    def heard(self) -> Array:
        """Which places say anything about each effect, shape (n_effects, n_places)."""
        return np.asarray(self.shares != 0)

    @cached_property
    def relative(self) -> Array:
        """Relative variances that follow from the design, shape (n_effects, n_places)."""
        return np.ones_like(self.values) if self.spread is None else self.spread

    def noise(self, spread: Array) -> Array:
        """Variance of each effect for a variance of 1 of a contrast with relative variance 1.

        Parameters
        ----------
        spread : array (..., n_places)
            Relative variances, :attr:`relative` included.
        """
        total = (self.shares**2 * spread).sum(axis=-1)
        return np.asarray(total if self.beside is None else total + self.beside)

    def only(self, which: slice) -> Contrasts:
        """Some of the effects by themselves; the design still holds them all."""
        return replace(
            self,
            estimate=self.estimate[which],
            values=self.values[which],
            shares=self.shares[which],
            spread=None if self.spread is None else self.spread[which],
            beside=None if self.beside is None else self.beside[which],
            deal=None if self.deal is None else self.deal.only(which),
        )

    def residuals(self, spread: Array | None = None) -> Array:
        """Deviation of each place from the mean of its group, shape (n_effects, n_places).

        ``spread`` (n_places,) or (n_effects, n_places) holds relative variances; the mean is weighted by
        their inverse. A place that says nothing has 0."""
        weight = self.heard / (1.0 if spread is None else spread)
        out = np.zeros_like(self.values)
        for group in (self.pilot, ~self.pilot):
            w = weight[:, group]
            total = w.sum(axis=1, keepdims=True)
            mean = (w * self.values[:, group]).sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
            out[:, group] = np.where(self.heard[:, group], self.values[:, group] - mean, 0.0)
        return out

    def influence(self) -> Array:
        """What each place adds to each effect, its group's mean out, shape (n_places, n_effects)."""
        return np.asarray((self.shares * self.residuals()).T)

    def correlation(self) -> Array:
        """Correlation of the effects over places, pooled within groups, shape (n_effects, n_effects)."""
        parts = self.residuals()
        cov = parts @ parts.T
        sd = np.sqrt(np.diag(cov))
        scale = np.where(sd > 0, sd, 1.0)
        out = np.clip(cov / np.outer(scale, scale), -1.0, 1.0)
        np.fill_diagonal(out, 1.0)
        return np.asarray(out)


def contrasts_of(
    fit: Fit,
    left: Array,
    combinations: Array,
    places: Array,
    pilot: Array,
    design: Callable[[], Design],
    scale: float,
) -> Contrasts:
    """Contrasts of combinations of the first coefficients of a fit; the rest are covariates.

    Parameters
    ----------
    fit : Fit
    left : array (n_units, n_periods)
        :math:`y^*`: residuals plus what the pilot columns explain.
    combinations : array (n_effects, n_pilot_columns)
    places : array (n_units,)
        Place of each unit, coded from 0.
    pilot : array (n_places,)
    design, scale
        See :class:`Contrasts`.
    """
    number = combinations.shape[1]
    loadings = np.tensordot(combinations, fit.loadings[:number], axes=1)
    added = (loadings * left).sum(axis=-1)
    alone = np.tensordot(combinations, fit.loadings_alone(number), axes=1)
    size = np.fmax(np.abs(alone).sum(axis=-1), np.abs(loadings - alone).sum(axis=-1)) / 2
    return from_units(added, size, places, pilot, design, scale)


def from_units(
    added: Array,
    size: Array,
    places: Array,
    pilot: Array,
    design: Callable[[], Design],
    scale: float,
) -> Contrasts:
    """Contrasts by place from what units add (n_effects, n_units) and half of their absolute
    loadings."""
    added, size = sum_by(added, places), sum_by(size, places)
    shares = np.where(pilot, size, -size)
    heard = size > NO_SHARE * size.max(axis=1, keepdims=True)
    shares = np.where(heard, shares, 0.0)
    values = np.where(heard, added / np.where(heard, shares, 1.0), 0.0)
    return Contrasts(added.sum(axis=1), values, shares, pilot, design, scale)
