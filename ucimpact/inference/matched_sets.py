"""Matched sets, and the audit that trusts nothing but the rules and the rows.

A leading package was seen to return pairs outside the caliper it was given, in silence. So every matching
here is checked again from its result: one pass over all pairs that knows nothing of how they were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ucimpact.errors import EstimationError

Array = np.ndarray
Calipers = Sequence[tuple[Array, float]]
"""Each a column of numbers and the largest difference within a pair."""


@dataclass(frozen=True, eq=False)
class Sets:
    """Pilot people, each with comparison people of his or her own.

    Attributes
    ----------
    treated : array (n_sets,) of int
        Row of the pilot person of each set, rising.
    controls : array (n_sets, ratio) of int
        Rows of the comparison people in the order in which they were found; -1 where there was none.
    unmatched : array of int
        Rows of the pilot people for whom nobody was found, rising.
    """

    treated: Array
    controls: Array
    unmatched: Array

    @property
    def number(self) -> int:
        """How many sets there are."""
        return len(self.treated)

    @property
    def found(self) -> Array:
        """Comparison people in each set, shape (n_sets,)."""
        return np.asarray((self.controls >= 0).sum(axis=1))

    def pairs(self) -> tuple[Array, Array, Array]:
        """Set, row of the pilot person and row of the comparison person of every pair."""
        sets, places = np.nonzero(self.controls >= 0)
        return sets, self.treated[sets], self.controls[sets, places]

    def among(self, rows: Array) -> Sets:
        """The same sets where these people are the given rows of a table."""
        there = np.where(self.controls >= 0, rows[self.controls], -1)
        pilot = rows[self.treated]
        rising = np.argsort(pilot, kind="stable")
        return Sets(pilot[rising], there[rising], np.sort(rows[self.unmatched]))

    def weights(self, n: int) -> Array:
        """Weight of each of ``n`` rows for the effect on the pilot people, shape (n,).

        1 for a matched pilot person. A comparison person has 1/(people found in the set), summed over the
        sets he or she serves, the whole scaled so that comparison weights sum to the number of comparison
        people used (MatchIt's convention). 0 for everybody else.
        """
        out = np.zeros(n)
        sets, _, controls = self.pairs()
        np.add.at(out, controls, 1.0 / self.found[sets])
        if len(controls):
            out *= np.count_nonzero(out) / out.sum()
        out[self.treated] = 1.0
        return out

    def members(self) -> pd.DataFrame:
        """One line a person in a set: ``set`` (from 0), ``row``, ``treated``, ``weight``.

        The weight is 1 for the pilot person and 1/(people found) for the others, so the two sides of a set
        weigh the same.
        """
        sets, _, controls = self.pairs()
        frame = pd.DataFrame(
            {
                "set": np.concatenate([np.arange(len(self.treated)), sets]),
                "row": np.concatenate([self.treated, controls]),
                "treated": np.concatenate([np.ones(len(self.treated), bool), np.zeros(len(sets), bool)]),
                "weight": np.concatenate([np.ones(len(self.treated)), 1.0 / self.found[sets]]),
            }
        )
        return frame.sort_values("set", kind="stable", ignore_index=True)


def most_uses(replace: bool, reuse_max: int | None, n: int) -> int:
    """How many sets one comparison person may serve."""
    if reuse_max is not None:
        return reuse_max
    return n if replace else 1


def audit(
    sets: Sets,
    distance: Array | None,
    treated: Array,
    *,
    strata: Array | None = None,
    forbid: Sequence[Array] = (),
    caliper: float | None = None,
    calipers: Calipers = (),
    ratio: int = 1,
    replace: bool = False,
    reuse_max: int | None = None,
    wanted: Array | None = None,
) -> dict[str, int]:
    """Check every set against every rule, and count what was checked.

    Takes what :func:`~ucimpact.inference.pairing.nearest` took; ``wanted`` is the most comparison people of
    each pilot person, in the order of rows, in place of one ``ratio`` for all.

    Returns
    -------
    dict
        ``sets``, ``pairs``, ``unmatched``, ``controls`` (different comparison people), ``most_used`` (sets of
        the comparison person used most), and for each rule given (``strata``, ``forbid``, ``caliper``,
        ``calipers``) the pairs checked.

    Raises
    ------
    EstimationError
        Names the first rule broken and in how many pairs. That is a fault of this package, never of the data.
    """
    treated = np.asarray(treated, dtype=bool)
    n = len(treated)
    of_set, pilot, control = sets.pairs()
    rows = np.concatenate([sets.treated, sets.unmatched, control])
    limit = most_uses(replace, reuse_max, n)
    counts = {"sets": len(sets.treated), "pairs": len(control), "unmatched": len(sets.unmatched)}

    none_broken("a row that there is not", (rows < 0) | (rows >= n))
    everybody = np.bincount(np.concatenate([sets.treated, sets.unmatched]), minlength=n)
    none_broken("each pilot person once, matched or not, and nobody else", everybody != treated)
    none_broken("comparison people that are not pilot people", treated[control])
    none_broken("at least one comparison person a set", sets.found == 0)
    none_broken(f"at most {ratio} comparison people a set", sets.found > ratio)
    if wanted is not None:
        most = np.zeros(n, dtype=np.int64)
        most[np.flatnonzero(treated)] = wanted
        none_broken(
            "no more comparison people than a pilot person's own number", sets.found > most[sets.treated]
        )
    keys = np.sort(of_set * n + control)
    none_broken("nobody twice in one set", keys[1:] == keys[:-1])
    uses = np.bincount(control, minlength=n)
    none_broken(f"a comparison person in at most {limit} sets", uses > limit)
    counts |= {"controls": int(np.count_nonzero(uses)), "most_used": int(uses.max(initial=0))}

    if strata is not None:
        strata = np.asarray(strata)
        none_broken("the same stratum within a pair", strata[pilot] != strata[control])
        counts["strata"] = len(control)
    for codes in forbid:
        none_broken("a different code within a pair (anti-exact)", codes[pilot] == codes[control])
        counts["forbid"] = counts.get("forbid", 0) + len(control)
    if distance is not None and caliper is not None:
        none_broken("the caliper on the distance", ~(np.abs(distance[pilot] - distance[control]) <= caliper))
        counts["caliper"] = len(control)
    for number, (column, width) in enumerate(calipers):
        none_broken(f"caliper {number} on a covariate", ~(np.abs(column[pilot] - column[control]) <= width))
        counts["calipers"] = counts.get("calipers", 0) + len(control)
    return counts


def none_broken(rule: str, broken: Array) -> None:
    """Raise where a rule is broken anywhere."""
    if broken.any():
        raise EstimationError(
            f"the matched sets break a rule ({rule}) {int(broken.sum())} times: nothing was estimated. "
            f"This is a fault in ucimpact; please report it"
        )
