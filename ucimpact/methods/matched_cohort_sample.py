"""The matched people whose outcome is known, and by which units they are evidence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.errors import DesignError
from ucimpact.inference.sandwich import Clusters, sandwich
from ucimpact.inference.uneven import worth
from ucimpact.methods.cohort_sample import AtRisk, refuse_none
from ucimpact.methods.matched_cohort_pairs import Pairs

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Sample(AtRisk):
    """The people of those sets in which an outcome is known on both sides, one line a person and set."""

    cohort: Cohort
    pairs: Pairs
    place: Array
    """Line of ``pairs.sets`` of each line here."""
    set: Array
    row: Array
    treated: Array
    weight: Array

    @classmethod
    def of(cls, cohort: Cohort, pairs: Pairs, known: Array) -> Sample:
        frame = pairs.sets
        codes, treated = frame["set"].to_numpy(), frame["treated"].to_numpy()
        keep = known[frame["row"].to_numpy()]
        number = int(codes.max()) + 1 if len(codes) else 0
        pilot = np.bincount(codes[keep & treated], minlength=number)
        others = np.bincount(codes[keep & ~treated], minlength=number)
        keep &= ((pilot > 0) & (others > 0))[codes]
        codes, treated = codes[keep], treated[keep]
        weight = np.where(treated, 1.0, pilot[codes] / np.maximum(others[codes], 1))
        row = frame["row"].to_numpy()[keep]
        return cls(cohort, pairs, np.flatnonzero(keep), codes, row, treated, weight)

    @property
    def sets(self) -> int:
        """Sets with people on both sides."""
        return len(np.unique(self.set))

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """Pilot people lost because an outcome was empty."""
        lost = len(self.pairs.matched.treated) - self.size
        if not lost:
            return []
        reason = "the outcome was empty for the pilot person of a matched set, or for all the others of it"
        return [{"n": lost, "pilot": lost, "reason": reason}]

    @property
    def names(self) -> tuple[str, ...]:
        """A name for every matched set: the same matching gives the same names for every outcome."""
        mark = hashlib.sha256(self.pairs.sets[["set", "row"]].to_numpy().tobytes()).hexdigest()[:6]
        return tuple(f"set {k + 1} of {mark}" for k in range(self.pairs.matched.number))

    @property
    def recurs(self) -> bool:
        """Whether anybody stands in it twice."""
        return self.cohort.recurs or len(np.unique(self.row)) < len(self.row)

    @property
    def words(self) -> str:
        """The units of evidence."""
        if self.cohort.cluster is not None:
            return f"matched set and {self.cohort.cluster.replace('_', ' ')}"
        return "matched set and person" if self.recurs else "matched set"

    @property
    def ways(self) -> tuple[Array, ...]:
        """The codes by which lines are not evidence of their own."""
        if self.cohort.clusters is not None:
            return self.set, self.cohort.clusters[self.row]
        return (self.set, self.cohort.persons[self.row]) if self.recurs else (self.set,)

    @property
    def clusters(self) -> Clusters:
        """The same, as a variance takes them."""
        return (self.ways[0], self.ways[1]) if len(self.ways) == 2 else self.ways[0]

    def cov(self, influence: Array, parameters: int) -> Array:
        """Covariance of what has these influences, by set and (where they recur) person or cluster."""
        return sandwich(influence, self.clusters, "CR1", parameters)

    def df(self, influence: Array) -> float:
        """Degrees of freedom that the variance of one effect is worth: the fewest of the ways."""
        return min(worth(influence, codes) for codes in self.ways)

    def by_set(self, influence: Array) -> Array:
        """Influence of every matched set, 0 for those not used."""
        sums = np.zeros((self.pairs.matched.number, influence.shape[1]))
        np.add.at(sums, self.set, influence)
        return sums

    def events(self, y: Array) -> tuple[float, float]:
        """Sum of an outcome over the different pilot and comparison people."""
        pilot, others = (np.unique(self.row[side]) for side in (self.treated, ~self.treated))
        return float(y[pilot].sum()), float(y[others].sum())

    def share(self, y: Array) -> float:
        """Mean of an outcome over all the different people."""
        return float(y[np.unique(self.row)].mean())

    def enforce(self, outcome: str, events: tuple[float, float] | None) -> None:
        """Refuse what nothing can be worked out from."""
        if self.sets < 2:
            lost = self.pairs.lost
            why = "; ".join(f"{row['n']:,}: {row['reason']}" for row in lost["reasons"])
            raise DesignError(
                f"{self.size} of {lost['of']:,} pilot people could be matched and compared, in {self.sets} "
                f"sets, and at least 2 are needed{f' ({why})' if why else ''}. Match on fewer kinds, widen "
                "the caliper, or bring more people."
            )
        refuse_none(outcome, events, "the matched pilot people", "their comparison people")
