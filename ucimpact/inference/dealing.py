r"""The starts of a staggered pilot dealt to other places, for randomisation.

With the shares of cohorts held, an effect under a dealing r is a sum of one number a place, :math:`b_r =
\sum_i M_{i, r(i)}`, whatever the dealing, so a thousand dealings cost a thousand look-ups a place. The
comparison places take part: they are those to whom no start was dealt."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ucimpact.inference.randomisation import COUNTLESS, number_of_choices

Array = np.ndarray
NOTHING = 1e-12
AT_ONCE = 4_000_000
"""Numbers held at a time while dealing."""
TOGETHER = 64
"""Effects dealt at a time."""


@dataclass(frozen=True)
class Dealt:
    """The same starts dealt to other places.

    Attributes
    ----------
    loadings : array (n_cohorts + 1, n_effects, n_periods)
    rest : array (n_places, n_periods)
        Outcome less the comparison's mean in the period.
    cohort : array (n_places,)
        Cohort of each place, coded from 0; the last for places that never start.
    weight : array (n_places,)
    patterns : bool array (n_effects, n_cohorts, n_periods)
        The cells in which each effect is supposed to be.
    """

    loadings: Array
    rest: Array
    cohort: Array
    weight: Array
    patterns: Array

    def _number(self) -> Array:
        return np.bincount(self.cohort, minlength=len(self.loadings))

    def choices(self) -> int:
        """How many ways there are of dealing the starts, the data's own included."""
        number = self._number()
        ways, left = 1, int(number.sum())
        for size in number:
            ways = min(ways * number_of_choices(left, int(size)), COUNTLESS)
            left -= int(size)
        return ways

    def only(self, which: slice) -> Dealt:
        """For some of the effects."""
        return replace(self, loadings=self.loadings[:, which], patterns=self.patterns[which])

    def effects(self, most: int, seed: int) -> Iterator[tuple[Array, Array]]:
        """Each effect under each dealing, and what an effect of 1 would make of it; entry 0 is the data's."""
        labels = self.labels(most, seed)
        part = self._parts(labels)
        for first in range(0, self.loadings.shape[1], TOGETHER):
            some = self.only(slice(first, first + TOGETHER))
            sums = np.einsum("pt,gkt->gpk", some.rest, some.loadings, optimize=True)
            begun = np.pad(some.patterns.astype(float), ((0, 0), (0, 1), (0, 0)))
            moves = np.einsum("kct,gkt->gck", begun, some.loadings, optimize=True)[:, self.cohort]
            yield from zip(_all_summed(sums, labels, part), _all_summed(moves, labels, part), strict=True)

    def of_t(self, most: int, seed: int) -> Array:
        """The first effect over the spread of places about their groups' means, under each dealing.

        Every place counts alike; two pilot places and two others are needed.
        """
        labels, sums = self.labels(most, seed), self.rest @ self.loadings[:, 0].T
        return np.asarray(_summed(sums, labels, None) / np.sqrt(self._spread(labels, sums, sums)))

    def parts_of_t(self, estimate: float, most: int, seed: int) -> tuple[Array, ...]:
        """What the studentised first effect is made of, with ``estimate`` taken out of the outcome.

        Returns
        -------
        tuple of five arrays (n_dealings,)
            The effect, what an effect of 1 adds to it, and the same for its variance: the square, half of
            the cross term, and the square of the effect's own part.
        """
        labels = self.labels(most, seed)
        lag, pilot = self.loadings[:, 0], self._pattern(0)
        moves = pilot @ lag.T
        base = self.rest @ lag.T - estimate * moves
        pairs = ((base, base), (base, moves), (moves, moves))
        tops = (_summed(sums, labels, None) for sums in (base, moves))
        return (*tops, *(self._spread(labels, one, two) for one, two in pairs))

    def _pattern(self, k: int) -> Array:
        """Where effect ``k`` is, shape (n_places, n_periods)."""
        begun = np.concatenate([self.patterns[k], np.zeros((1, self.rest.shape[1]), dtype=bool)])
        return np.asarray(begun[self.cohort].astype(float))

    def _spread(self, labels: Array, one: Array, two: Array) -> Array:
        """Covariance of the means of two numbers a place, its groups' own means out, under each dealing.

        Parameters
        ----------
        one, two : array (n_places, n_cohorts + 1)
            What each place would add in each cohort.
        """
        weight = np.abs(self.loadings[:, 0]).sum(axis=1) / 2
        weight = np.where(weight > NOTHING, weight, 1.0)
        number, last = self._number(), len(weight) - 1
        out = np.zeros(len(labels))
        places = np.arange(len(one))
        for first, block in _blocks(labels):
            never, cohort = block == last, block.astype(np.intp)
            rest = []
            for sums in (one, two) if two is not one else (one,):
                level = never @ sums / number[last]  # (n_dealings, n_cohorts + 1): the comparison's means
                own = np.take_along_axis(level, cohort, axis=1)
                rest.append((sums[places, cohort] - own) / weight[cohort])
            for group, n in ((~never, int(number[:last].sum())), (never, int(number[last]))):
                parts = []
                for value in rest:
                    mean = np.where(group, value, 0.0).sum(axis=1, keepdims=True) / n
                    parts.append(np.where(group, value - mean, 0.0))
                out[first : first + len(block)] += (parts[0] * parts[-1]).sum(axis=1) / (n * (n - 1))
        return out

    def standardised(self, sd: Array, most: int, seed: int) -> Array:
        """The first effect under each dealing with each place's outcome divided by ``sd`` (n_places,)."""
        labels = self.labels(most, seed)
        sums = (self.rest / sd[:, None]) @ self.loadings[:, 0].T
        return _summed(sums, labels, self._parts(labels))

    def _parts(self, labels: Array) -> Array | None:
        """Part of each place in the cohort it was dealt to; None where all places weigh alike."""
        weight = self.weight
        if np.ptp(weight) <= NOTHING * weight.max():
            return None
        part = np.empty(labels.shape)
        for g in range(len(self.loadings)):
            here = np.where(labels == g, weight, 0.0)
            part = np.where(labels == g, here / here.sum(axis=1, keepdims=True), part)
        return part

    def labels(self, most: int, seed: int) -> Array:
        """Cohort dealt to each place, shape (n_dealings, n_places); row 0 is the data's own.

        All dealings where there are no more than ``most``, else so many at random. Within a cohort places
        stand in the order of their first value, so that the dealings do not hang on what they are called.
        """
        cohort = self.cohort
        order = np.lexsort((self.rest[:, 0], cohort))
        sorted_cohort = cohort[order].astype(np.int16)
        if self.choices() <= most:
            every = np.array(list(_arrangements(np.bincount(cohort, minlength=len(self.loadings)))))
            own = (every == sorted_cohort).all(axis=1)
            every = np.concatenate([every[own], every[~own]])
            return _unsorted(every, order)
        rng = np.random.default_rng(seed)
        out = np.empty((most + 1, len(cohort)), dtype=np.int16)
        out[0] = sorted_cohort
        rows = max(1, AT_ONCE // len(cohort))
        for first in range(1, most + 1, rows):
            number = len(out[first : first + rows])
            out[first : first + rows] = rng.permuted(np.tile(sorted_cohort, (number, 1)), axis=1)
        return _unsorted(out, order)


def _summed(sums: Array, labels: Array, part: Array | None) -> Array:
    """:math:`\\sum_i M_{i, r(i)}` with means over cohorts, shape (n_dealings,)."""
    number = np.bincount(labels[0], minlength=sums.shape[1])
    places = np.arange(sums.shape[0])
    out = np.empty(len(labels))
    for first, block in _blocks(labels):
        picked = sums[places, block]
        weight = 1.0 / number[block] if part is None else part[first : first + len(block)]
        out[first : first + len(block)] = (picked * weight).sum(axis=1)
    return out


def _all_summed(sums: Array, labels: Array, part: Array | None) -> Array:
    """:func:`_summed` for many effects at once, (n_cohorts + 1, n_places, n_effects), by matrix products.

    Shape (n_effects, n_dealings)."""
    number = np.bincount(labels[0], minlength=len(sums))
    out = np.zeros((sums.shape[-1], len(labels)))
    for first, block in _blocks(labels):
        rows = slice(first, first + len(block))
        for g, of_cohort in enumerate(sums):
            here = (block == g) / float(number[g]) if part is None else np.where(block == g, part[rows], 0.0)
            out[:, rows] += of_cohort.T @ here.T
    return out


def _blocks(labels: Array) -> Iterator[tuple[int, Array]]:
    rows = max(1, AT_ONCE // labels.shape[1])
    for first in range(0, len(labels), rows):
        yield first, labels[first : first + rows]


def _unsorted(labels: Array, order: Array) -> Array:
    out = np.empty_like(labels)
    out[:, order] = labels
    return out


def _arrangements(number: Array) -> Iterator[Array]:
    """Every way of giving so many places to each cohort."""
    total = int(number.sum())

    def fill(cohort: int, free: tuple[int, ...], label: Array) -> Iterator[Array]:
        if cohort == len(number) - 1:
            label[list(free)] = cohort
            yield label.copy()
            return
        for chosen in itertools.combinations(free, int(number[cohort])):
            label[list(chosen)] = cohort
            yield from fill(cohort + 1, tuple(p for p in free if p not in chosen), label)

    yield from fill(0, tuple(range(total)), np.empty(total, dtype=np.int16))
