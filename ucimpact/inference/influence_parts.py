r"""Influence of many units on many effects, kept as the few numbers of each unit that it is made of.

Units of one cohort add to every effect through the same matrix, :math:`\psi_i = M_c' z_i`, with :math:`z_i`
their outcomes and a few numbers more. So for 131 effects on 100,000 units nothing of 100,000 by 131 has to be
made:

.. math:: \sum_i \psi_i \psi_i' = \sum_c M_c' \Bigl(\sum_{i \in c} z_i z_i'\Bigr) M_c , \qquad
          \sum_i V_i \psi_i = \sum_c M_c' \sum_{i \in c} V_i z_i .

Places of several units have the sum of their units' :math:`z`, as long as those belong to one cohort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ucimpact.inference.linear import sum_by
from ucimpact.inference.multiplier import Multiplied, Signs, flips

Array = np.ndarray
HELD = 1_000_000
"""Numbers up to which parts are kept and not made anew each time they are used."""


@dataclass(frozen=True)
class Part:
    """Units that add to the effects through one matrix.

    Attributes
    ----------
    units : array (n_part,)
    numbers : array (n_part, n_numbers)
        :math:`z`.
    matrix : array (n_numbers, n_effects)
        :math:`M`.
    """

    units: Array
    numbers: Array
    matrix: Array


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts that are made one after the other; each unit is in one of them.

    Attributes
    ----------
    make : callable
        Given whether units that may share a place must stay in one part.
    """

    make: Callable[[bool], Iterator[Part]]

    @cached_property
    def _kept(self) -> tuple[Part, ...] | None:
        """The parts, where they are small enough to hold."""
        kept: list[Part] = []
        for part in self.make(False):
            kept.append(part)
            if sum(one.numbers.size for one in kept) > HELD:
                return None
        return tuple(kept)

    def __iter__(self) -> Iterator[Part]:
        return self.make(False) if self._kept is None else iter(self._kept)

    @cached_property
    def products(self) -> tuple[tuple[Array, Array, Array], ...]:
        """Units of each part, the products of their numbers added up, and their matrix."""
        return tuple((part.units, part.numbers.T @ part.numbers, part.matrix) for part in self)


@dataclass(frozen=True, eq=False)
class InParts:
    """Influence (n_units, n_effects) that is worked out where it is asked for.

    Indexing by effects (``influence[:, which]``) and multiplying by a matrix give another one, without work;
    ``np.asarray(influence)`` is the array. Second moments and bootstrap draws are made from the parts.

    Attributes
    ----------
    parts : Parts
    shape : tuple of int
    combination : array (n_all_effects, n_effects), optional
        These effects as sums of those of the parts.
    """

    parts: Parts
    shape: tuple[int, int]
    combination: Array | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: tuple[slice, Any]) -> InParts:
        rows, which = key
        if rows != slice(None):
            raise IndexError("effects are chosen for all units: influence[:, which]")
        every = np.arange(self.shape[1])[which]
        pick = np.zeros((self.shape[1], len(every)))
        pick[every, np.arange(len(every))] = 1.0
        return self @ pick

    def __matmul__(self, matrix: Array) -> InParts:
        combination = matrix if self.combination is None else self.combination @ matrix
        return InParts(self.parts, (self.shape[0], matrix.shape[1]), combination)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        out = np.zeros(self.shape)
        for part in self.parts:
            out[part.units] = part.numbers @ self._own(part.matrix)
        return out.astype(float if dtype is None else dtype, copy=bool(copy))

    @property
    def T(self) -> Array:
        """As an array, turned."""
        return np.asarray(self).T

    def _own(self, matrix: Array) -> Array:
        return matrix if self.combination is None else matrix @ self.combination

    def by_place(self, places: Array) -> InParts:
        """Units added up by place; all units of a place must be in one part.

        Parameters
        ----------
        places : array (n_units,)
            Codes from 0.
        """
        number = int(places.max()) + 1
        if number == len(places) and bool((places == np.arange(number)).all()):
            return self
        parts = Parts(lambda _: _placed(self.parts.make(True), places))
        return InParts(parts, (number, self.shape[1]), self.combination)

    def second_moments(self, weight: Array | None = None) -> Array:
        """Sum over units of the products of their influence, shape (n_effects, n_effects).

        Parameters
        ----------
        weight : array (n_units,), optional
            Each unit's weight in the sum; 1 without.
        """
        out = np.zeros((self.shape[1], self.shape[1]))
        alike = weight is None or all(np.ptp(weight[units]) == 0 for units, _, _ in self.parts.products)
        if weight is not None and not alike:
            for part in self.parts:
                own = self._own(part.matrix)
                products = (part.numbers * weight[part.units, None]).T @ part.numbers
                out += own.T @ (products @ own)
            return out
        for units, products, matrix in self.parts.products:
            own = self._own(matrix)
            out += (1.0 if weight is None else weight[units[0]]) * (own.T @ (products @ own))
        return out

    def multiplied(self, draws: int = 999, seed: int = 1, signs: Signs = "rademacher") -> Multiplied:
        """The multiplier bootstrap; see :mod:`~ucimpact.inference.multiplier`."""
        generator = np.random.default_rng(seed)
        out = np.zeros((draws, self.shape[1]))
        for part in self.parts:
            out += flips(generator, part.numbers, draws, signs) @ self._own(part.matrix)
        return Multiplied(out)


def _placed(parts: Iterator[Part], places: Array) -> Iterator[Part]:
    for part in parts:
        names, codes = np.unique(places[part.units], return_inverse=True)
        summed = np.ascontiguousarray(sum_by(part.numbers.T, codes.reshape(-1)).T)
        yield Part(names, summed, part.matrix)
