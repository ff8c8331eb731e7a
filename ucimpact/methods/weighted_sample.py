"""The weighed people, whose outcome is known, and what estimating their weights adds to an error."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.errors import DesignError
from ucimpact.inference.sandwich import Clusters, sandwich
from ucimpact.inference.uneven import worth
from ucimpact.methods.cohort_sample import AtRisk, refuse_none
from ucimpact.methods.cohort_weighing import Weighing

Array = np.ndarray

FEWEST = 5
"""People of either side without whom their own spread cannot be seen; as many starts are asked of trials."""

MOST_UNITS = 200_000
"""Of more people no influences are handed on: their names alone would fill the memory."""


@dataclass(frozen=True, eq=False)
class WeightedSample(AtRisk):
    """The people who were weighed, all of them with a known outcome, one line a row of the cohort.

    Every variance goes through :meth:`cov`, which adds to the influences of weights as known what estimating
    the weights adds; it is linear in them, so it holds for whatever is worked out from these people.
    """

    weighing: Weighing
    estimated: bool

    @property
    def cohort(self) -> Cohort:
        return self.weighing.columns.cohort

    @cached_property
    def at(self) -> Array:
        """Place of each line among those who were weighed: all who count for anything."""
        return np.flatnonzero(self.weighing.weights.weights > 0)

    @property
    def place(self) -> Array:
        """Rows of the cohort, in which every outcome has its lines."""
        return self.row

    @property
    def row(self) -> Array:
        return np.asarray(self.weighing.columns.row[self.at])

    @property
    def treated(self) -> Array:
        return np.asarray(self.weighing.columns.treated[self.at])

    @property
    def weight(self) -> Array:
        return np.asarray(self.weighing.weights.weights[self.at])

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """People whose weight is nothing."""
        gone = self.weighing.weights.weights <= 0
        if not gone.any():
            return []
        pilot = int((gone & self.weighing.columns.treated).sum())
        return [{"n": int(gone.sum()), "pilot": pilot, "reason": "they were like nobody of the other group"}]

    @property
    def words(self) -> str:
        """The units of evidence."""
        if self.cohort.cluster is None:
            return "person"
        place = self.cohort.cluster.replace("_", " ")
        return f"person and {place}" if self.cohort.recurs else place

    @property
    def clusters(self) -> Clusters:
        ways = self._ways(self.row)
        return (ways[0], ways[1]) if len(ways) == 2 else ways[0]

    def _ways(self, row: Array) -> tuple[Array, ...]:
        """The codes by which rows are not evidence of their own."""
        persons, clusters = self.cohort.persons[row], self.cohort.clusters
        if clusters is None:
            return (persons,)
        return (persons, clusters[row]) if self.cohort.recurs else (clusters[row],)

    def _whole(self, influence: Array) -> tuple[Array, Array]:
        """Rows of the cohort, and their influences with what the weights add."""
        if not (self.estimated and self.weighing.weights.equations):
            return self.row, influence
        whole = np.zeros((len(self.weighing.columns.row), influence.shape[1]))
        whole[self.at] = influence
        return self.weighing.columns.row, whole + self.weighing.weights.carried(whole)

    def cov(self, influence: Array, parameters: int) -> Array:
        """Covariance of what has these influences with weights as known, by person or cluster."""
        row, whole = self._whole(influence)
        if not self.cohort.recurs and self.cohort.cluster is None:  # the same, without looking who is who
            return sandwich(whole, None, "HC1", parameters)
        ways = self._ways(row)
        return sandwich(whole, (ways[0], ways[1]) if len(ways) == 2 else ways[0], "CR1", parameters)

    def df(self, influence: Array) -> float:
        """Degrees of freedom that the variance of one effect is worth: the fewest of the ways."""
        row, whole = self._whole(influence[:, None])
        return min(worth(whole[:, 0], codes) for codes in self._ways(row))

    def by_set(self, influence: Array) -> Array:
        """Influence of every person of the cohort; of nobody where they are too many to name."""
        number = self._people
        if number > MOST_UNITS:
            return np.zeros((0, influence.shape[1]))
        row, whole = self._whole(influence)
        codes = self.cohort.persons[row]
        return np.column_stack([np.bincount(codes, column, number) for column in whole.T])

    @property
    def _people(self) -> int:
        return int(self.cohort.persons.max()) + 1

    @property
    def names(self) -> tuple[str, ...]:
        """A name for every person: the same cohort gives the same names for every outcome."""
        number = self._people
        if number > MOST_UNITS:
            return ()
        people = np.column_stack([self.cohort.persons, self.cohort.is_pilot]).astype(np.int64)
        mark = hashlib.sha256(people.tobytes()).hexdigest()[:6]
        return tuple(f"person {k + 1} of {mark}" for k in range(number))

    def events(self, y: Array) -> tuple[float, float]:
        """Sum of an outcome over the pilot and comparison people."""
        return float(y[self.row[self.treated]].sum()), float(y[self.row[~self.treated]].sum())

    def share(self, y: Array) -> float:
        """Mean of an outcome over all the people."""
        return float(y[self.row].mean())

    def enforce(self, outcome: str, events: tuple[float, float] | None) -> None:
        """Refuse what nothing can be worked out from."""
        if min(self.size, len(self.row) - self.size) < FEWEST:
            raise DesignError(
                f"The outcome is known of {self.size} pilot people and {len(self.row) - self.size} "
                f"comparison people who could be weighed, and at least {FEWEST} of each are needed: so few "
                "may be alike by chance, and then nothing says how sure the result is. Bring more people."
            )
        refuse_none(outcome, events, "the pilot people", "the comparison people")
