"""Matched sets with several people on either side, and the audit that trusts nothing but the rules and rows.

Full matching, coarsened exact matching and subclasses put everybody of a kind into one set. What stands in
for the pilot people of a set are all its comparison people, each with the weight

    pilot people of the set / comparison people of the set ,

so that both sides weigh as much as the set has pilot people: the effect is that on the pilot people (ATT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ucimpact.inference.matched_sets import Calipers, none_broken

Array = np.ndarray
Cells = Sequence[tuple[Array, Array]]
"""Each a column of numbers and the rising cut points between which a set must lie."""

UNUSED = -1


@dataclass(frozen=True, eq=False)
class Groups:
    """Who is in which set.

    Attributes
    ----------
    label : array (n,) of int
        Set of each row, from 0; -1 for rows in none.
    is_treated : array (n,) of bool
    """

    label: Array
    is_treated: Array

    @classmethod
    def of(cls, kind: Array, treated: Array) -> Groups:
        """Sets of one kind each, numbered by kind; kinds without people on both sides are left out.

        ``kind`` is a code from 0 for each row, or -1.
        """
        kind, treated = np.asarray(kind), np.asarray(treated, dtype=bool)
        number = int(kind.max(initial=UNUSED)) + 1
        inside = kind != UNUSED
        pilot = np.bincount(kind[inside & treated], minlength=number)
        others = np.bincount(kind[inside & ~treated], minlength=number)
        both = (pilot > 0) & (others > 0)
        names = np.where(both, np.cumsum(both) - 1, UNUSED)
        return cls(np.where(inside, np.append(names, UNUSED)[kind], UNUSED), treated)

    @property
    def treated(self) -> Array:
        """Rows of the matched pilot people, rising."""
        return np.flatnonzero(self.is_treated & (self.label != UNUSED))

    @property
    def unmatched(self) -> Array:
        """Rows of the pilot people in no set, rising."""
        return np.flatnonzero(self.is_treated & (self.label == UNUSED))

    @property
    def number(self) -> int:
        """How many sets there are."""
        return int(self.label.max(initial=UNUSED)) + 1

    @property
    def sizes(self) -> tuple[Array, Array]:
        """Pilot and comparison people of each set."""
        used = self.label != UNUSED
        pilot, others = (
            np.bincount(self.label[used & arm], minlength=self.number)
            for arm in (self.is_treated, ~self.is_treated)
        )
        return pilot, others

    def weights(self, n: int) -> Array:
        """Weight of each row, comparison weights scaled to sum to the comparison people used."""
        pilot, others = self.sizes
        used = np.flatnonzero(self.label != UNUSED)
        out = np.zeros(n)
        out[used] = (pilot / np.maximum(others, 1))[self.label[used]]
        comparison = used[~self.is_treated[used]]
        if len(comparison):
            out[comparison] *= len(comparison) / out[comparison].sum()
        out[self.treated] = 1.0
        return out

    def members(self) -> pd.DataFrame:
        """One line a person in a set, by set and pilot people first: ``set, row, treated, weight``."""
        pilot, others = self.sizes
        rows = np.flatnonzero(self.label != UNUSED)
        label, arm = self.label[rows], self.is_treated[rows]
        weight = np.where(arm, 1.0, (pilot / np.maximum(others, 1))[label])
        frame = pd.DataFrame({"set": label, "row": rows, "treated": arm, "weight": weight})
        return frame.iloc[np.lexsort((rows, ~arm, label))].reset_index(drop=True)

    def among(self, rows: Array) -> Groups:
        """The same sets where these people are the given rows of a table."""
        n = int(rows.max(initial=-1)) + 1
        label, treated = np.full(n, UNUSED), np.zeros(n, dtype=bool)
        label[rows], treated[rows] = self.label, self.is_treated
        return Groups(label, treated)

    def pairs(self) -> tuple[Array, Array, Array]:
        """Set, pilot row and comparison row of every pair of a set with one person on one side."""
        frame = self.members()
        pilot, _ = self.sizes
        codes, rows, arm = (frame[name].to_numpy() for name in ("set", "row", "treated"))
        one_pilot = pilot == 1
        hub = np.zeros(self.number, dtype=np.int64)
        is_hub = np.where(one_pilot[codes], arm, ~arm)
        hub[codes[is_hub]] = rows[is_hub]
        rest = ~is_hub
        ends = hub[codes[rest]], rows[rest]
        pilots = np.where(arm[rest], ends[1], ends[0])
        return codes[rest], pilots, np.where(arm[rest], ends[0], ends[1])


def audit_groups(
    groups: Groups,
    treated: Array,
    *,
    distance: Array | None = None,
    strata: Array | None = None,
    forbid: Sequence[Array] = (),
    caliper: float | None = None,
    calipers: Calipers = (),
    cells: Cells = (),
    stars: bool = False,
    fewest: float = 0.0,
    most: float = np.inf,
) -> dict[str, int]:
    """Check every set against every rule, and count what was checked.

    Parameters
    ----------
    groups : Groups
    treated : array (n,) of bool
    distance, strata, forbid, caliper, calipers
        As in :func:`~ucimpact.inference.matched_sets.audit`; each pair of a set is checked, so all but
        ``strata`` are for sets with one person on one side.
    cells : sequence of (array (n,), array of cut points)
        Columns of which a set must lie between two neighbouring cut points.
    stars : bool
        Whether a set must have one person on one side.
    fewest, most : float
        Comparison people for each pilot person of a set.

    Returns
    -------
    dict
        ``sets, pairs`` (comparison places: people in sets less pilot people), ``unmatched, controls,
        most_used`` and one for each rule given.

    Raises
    ------
    EstimationError
        Names the first rule broken and how often. That is a fault of this package, never of the data.
    """
    treated = np.asarray(treated, dtype=bool)
    none_broken("each row once", np.array([len(groups.label) != len(treated)]))
    none_broken("pilot people as they were given", groups.is_treated != treated)
    pilot, others = groups.sizes
    used = groups.label != UNUSED
    rows = np.flatnonzero(used)
    none_broken("people of both sides in a set", (pilot == 0) | (others == 0))
    none_broken(
        f"from {fewest:g} to {most:g} comparison people a pilot person", _beyond(pilot, others, fewest, most)
    )
    counts = {
        "sets": groups.number,
        "pairs": int(others.sum()),
        "unmatched": int((treated & ~used).sum()),
        "controls": int(others.sum()),
        "most_used": int(bool(groups.number)),
    }
    if strata is not None:
        none_broken("the same stratum within a set", _spread(groups, np.asarray(strata)[rows], rows) > 0)
        counts["strata"] = len(rows)
    for column, cuts in cells:
        cell = np.searchsorted(cuts, np.asarray(column, dtype=float)[rows], side="right")
        none_broken("the same cell of a coarsened column within a set", _spread(groups, cell, rows) > 0)
        counts["cells"] = counts.get("cells", 0) + len(rows)
    if not stars:
        return counts
    none_broken("one person on one side of a set", np.minimum(pilot, others) > 1)
    _, ones, those = groups.pairs()
    counts["pairs"] = len(ones)
    for codes in forbid:
        none_broken("a different code within a pair (anti-exact)", codes[ones] == codes[those])
        counts["forbid"] = counts.get("forbid", 0) + len(ones)
    if distance is not None and caliper is not None:
        none_broken("the caliper on the distance", ~(np.abs(distance[ones] - distance[those]) <= caliper))
        counts["caliper"] = len(ones)
    for number, (column, width) in enumerate(calipers):
        none_broken(f"caliper {number} on a covariate", ~(np.abs(column[ones] - column[those]) <= width))
        counts["calipers"] = counts.get("calipers", 0) + len(ones)
    return counts


def _beyond(pilot: Array, others: Array, fewest: float, most: float) -> Array:
    """Sets with too few or too many comparison people; one to one is never too many or few."""
    ratio = others / np.maximum(pilot, 1)
    return np.asarray((ratio < fewest * (1 - 1e-12)) | (ratio > most * (1 + 1e-12)))


def _spread(groups: Groups, values: Array, rows: Array) -> Array:
    """Largest less smallest value within each set."""
    low = np.full(groups.number, np.iinfo(np.int64).max)
    high = np.full(groups.number, np.iinfo(np.int64).min)
    np.minimum.at(low, groups.label[rows], values)
    np.maximum.at(high, groups.label[rows], values)
    return np.asarray(high - low)
