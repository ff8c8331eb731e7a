r"""Full matching with sets of limited size: a flow of least cost from pilot people to comparison people.

.. math:: \min_x \sum d_{ij} x_{ij}, \qquad x_{ij} \in \{0, 1\}, \qquad
          1 \le \sum_j x_{ij} \le u, \qquad 1 \le \sum_i x_{ij} \le m .

It is a network, so the linear programme has whole numbers for its answer [1]_. Two are solved. The first
asks how many people can have a place at all, as limits or a caliper may leave none for some. The second
finds the least cost among the answers that give as many a place.

Only near pairs are in the programmes to begin with. Their prices (duals) then say of every other pair whether
it could make the answer better, and those that could are added until there is none: the answer is that over
all pairs. That takes seconds for a thousand people and minutes for many, so more are refused.

References
----------
.. [1] Hansen, B. B. and Klopfer, S. O. (2006). Optimal full matching and related designs via network flows.
   *Journal of Computational and Graphical Statistics* 15(3), 609-627.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array, eye_array

from ucimpact.errors import EstimationError
from ucimpact.inference.neighbours import Neighbours

Array = np.ndarray
FIRST_LIST = 16
"""Nearest pairs of each pilot person in the programme to begin with."""

ADDED = 50
"""Pairs of a pilot person added in one round."""

ROUNDS = 200
NONE = 1e-9
"""A price below this is none: distances are scaled to at most 1."""

MOST_PEOPLE = 6_000
WAY_OUT = 'Leave min_ratio and max_ratio out, or use matching = "nearest"'

Seed = tuple[Array, Array, Array]
"""Pilot people by number, places on the line and distances."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many people a set may have.

    Attributes
    ----------
    most : int
        Comparison people of one pilot person.
    shared : int
        Pilot people of one comparison person.
    """

    most: int
    shared: int


def capped(near: Neighbours, limits: Limits, seed: Seed) -> Seed:
    """The pairs of the answer.

    ``seed`` are pairs that the answer is likely to hold.

    Raises
    ------
    EstimationError
        Where there are too many people, naming the way out.
    """
    people = near.number + len(near.field.rows)
    if people > MOST_PEOPLE:
        raise EstimationError(
            f"sets of limited size at the least cost are for up to {MOST_PEOPLE:,} people, and here are "
            f"{people:,}. {WAY_OUT}"
        )
    pairs = _Pairs(near, seed)
    if not len(pairs.far):
        return pairs.pilots, pairs.places, pairs.far
    served = None
    for _ in range(ROUNDS):
        programme = _Programme(near, pairs, limits)
        if served is None:
            first = programme.solve(-programme.place, None)
            if first.value > -programme.place.sum() and pairs.extend(first):
                continue
            served = first.value
        answer = programme.solve(programme.cost, served)
        if not pairs.extend(answer):
            break
    else:
        raise EstimationError(f"the cheapest sets were not found in {ROUNDS} rounds. {WAY_OUT}")
    taken = answer.x > 0.5
    if np.abs(answer.x - taken).max(initial=0.0) > 1e-6:
        raise EstimationError(
            "the cheapest sets came out in fractions. This is a fault in ucimpact; please report it"
        )
    return pairs.pilots[taken], pairs.places[taken], pairs.far[taken]


@dataclass(frozen=True, eq=False)
class _Answer:
    """Whether each pair is taken, the value, and what one more place of each person is worth.

    ``weight`` says how much distances counted: 1, or 0 in the first programme.
    """

    x: Array
    value: float
    of_pilot: Array
    of_other: Array
    weight: float


class _Pairs:
    """The pairs in the programme."""

    def __init__(self, near: Neighbours, seed: Seed) -> None:
        self.near = near
        lists = [near.closest(person, FIRST_LIST) for person in range(near.number)]
        own = [np.full(len(found.places), person) for person, found in enumerate(lists)]
        pilots = np.concatenate([seed[0], *own]).astype(np.int64)
        places = np.concatenate([seed[1], *(found.places for found in lists)]).astype(np.int64)
        far = np.concatenate([seed[2], *(found.far for found in lists)])
        first = np.unique(pilots * len(near.field.rows) + places, return_index=True)[1]
        self.pilots, self.places, self.far = pilots[first], places[first], far[first]
        self.inside: list[set[int]] = [set() for _ in range(near.number)]
        for person, place in zip(self.pilots.tolist(), self.places.tolist(), strict=True):
            self.inside[person].add(place)
        reach = max((float(near.all_of(p).far.max(initial=0.0)) for p in range(near.number)), default=0.0)
        self.unit = reach or 1.0

    def extend(self, answer: _Answer) -> bool:
        """Add the pairs that could make the answer better; whether there were any."""
        found = []
        for person in range(self.near.number):
            all_of = self.near.all_of(person)
            gain = answer.weight * all_of.far / self.unit
            gain = gain - answer.of_pilot[person] - answer.of_other[all_of.places]
            better = np.flatnonzero(gain < -NONE)
            if len(better) > ADDED:
                # Of those that gain as much the nearest.
                better = better[np.lexsort((all_of.far[better], gain[better]))[:ADDED]]
            for at in better:
                if (place := int(all_of.places[at])) not in self.inside[person]:
                    self.inside[person].add(place)
                    found.append((person, place, float(all_of.far[at])))
        if not found:
            return False
        pilots, places, far = zip(*found, strict=True)
        self.pilots = np.concatenate([self.pilots, pilots])
        self.places = np.concatenate([self.places, places])
        self.far = np.concatenate([self.far, far])
        return True


class _Programme:
    """Pairs, then first and further places of pilot people, then those of comparison people."""

    def __init__(self, near: Neighbours, pairs: _Pairs, limits: Limits) -> None:
        self.pilots, self.number = near.number, len(pairs.far)
        line = len(near.field.rows)
        ones, at = np.ones(self.number), np.arange(self.number)
        by_pilot = coo_array((ones, (pairs.pilots, at)), shape=(self.pilots, self.number))
        by_other = coo_array((ones, (pairs.places, at)), shape=(line, self.number))
        each, every = -eye_array(self.pilots), -eye_array(line)
        self.balance = block_array(
            [[by_pilot, each, each, None, None], [by_other, None, None, every, every]], format="csr"
        )
        sizes = (self.number, self.pilots, self.pilots, line, line)
        self.top = np.repeat([1.0, 1.0, limits.most - 1.0, 1.0, limits.shared - 1.0], sizes)
        self.place = np.repeat([0.0, 1.0, 0.0, 1.0, 0.0], sizes)
        self.cost = np.zeros(len(self.top))
        self.cost[: self.number] = pairs.far / pairs.unit

    def solve(self, cost: Array, served: float | None) -> _Answer:
        """The cheapest, among those that give as many a place where that is known (as less than 0)."""
        from scipy import optimize  # slow to load, and few need it

        linprog: Any = optimize.linprog
        made = linprog(
            cost,
            A_ub=None if served is None else csr_array(-self.place[None, :]),
            b_ub=None if served is None else [served],
            A_eq=self.balance,
            b_eq=np.zeros(self.balance.shape[0]),
            bounds=np.column_stack([np.zeros(len(self.top)), self.top]),
            method="highs-ds",
        )
        if made.status != 0:
            raise EstimationError(f"the cheapest sets were not found ({made.message}). {WAY_OUT}")
        prices = np.asarray(made.eqlin.marginals)
        return _Answer(
            made.x[: self.number],
            float(np.round(made.fun)) if served is None else float(made.fun),
            prices[: self.pilots],
            prices[self.pilots :],
            0.0 if served is None else 1.0,
        )
