r"""Matching one trial day at a time: those who start today beside those who could have and did not.

On day d after its own day 0 a row (a discharge, or a person) is eligible when nothing has ended its time yet
and the service has not begun before,

.. math:: e_i > d, \qquad b_i \ge d \;\text{or never},

and it is treated on that day when :math:`b_i = d`. Whoever starts is matched among the eligible of the same
day, whatever becomes of them later: to leave out those who start tomorrow would be to choose comparison
people by their future [1]_. A comparison row may serve on several days, and within a day at most
``reuse_within_day`` times.

The table of rows by days is never made. A day is a mask over the rows, a score and a matching, and then it
is forgotten; what stays is the sets and the audit. So 15 days of two million discharges need the memory of
one day.

References
----------
.. [1] Lu, B. (2005). Propensity score matching with time-dependent covariates. *Biometrics* 61(3), 721-728.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.matched_sets import Sets, audit
from ucimpact.inference.pairing import Order, nearest

Array = np.ndarray
NEVER = -1
"""Day on which the service begins for a row for which it does not."""


@dataclass(frozen=True, eq=False)
class TrialDays:
    """Who is eligible on which day of its own.

    Parameters
    ----------
    begins : array (n,) of int
        Day on which the service begins; ``NEVER`` where it does not within the trial.
    ends : array (n,) of int
        First day on whose end a row is no longer eligible: readmitted, dead, gone.
    first : array (n,) of int, optional
        First day on whose end it is eligible; 0 if not given.
    """

    begins: Array
    ends: Array
    first: Array | None = None

    def eligible(self, day: int) -> Array:
        """Rows whose trial of this day they are in, rising."""
        there = (self.ends > day) & ((self.begins == NEVER) | (self.begins >= day))
        if self.first is not None:
            there &= self.first <= day
        return np.flatnonzero(there)

    def starts(self, day: int, rows: Array) -> Array:
        """Which of these rows begin on this day."""
        return np.asarray(self.begins[rows] == day)


@dataclass(frozen=True, eq=False)
class DaySets:
    """Sets of every day, and what was checked of them.

    Attributes
    ----------
    day : array (n_sets,) of int
    sets : Sets
        Rows of those treated, in the order of days, and of the comparison rows of each.
    unmatched_day : array of int
        Day of each of ``sets.unmatched``.
    eligible : dict of int
        Eligible rows by day.
    audit : dict
        Sums over days of what :func:`~ucimpact.inference.matched_sets.audit` counted, ``most_used`` within
        a day.
    """

    day: Array
    sets: Sets
    unmatched_day: Array
    eligible: dict[int, int]
    audit: dict[str, int]


def spread_of_score(days: Iterable[int], who: TrialDays, score: Callable[[int, Array], Array]) -> float:
    """Standard deviation of the score over all eligible rows and days."""
    number, total, squares, centre = 0, 0.0, 0.0, None
    for day in days:
        rows = who.eligible(day)
        if not len(rows):
            continue
        values = np.asarray(score(day, rows), dtype=float)
        centre = float(values.mean()) if centre is None else centre
        number += len(values)
        total += float((values - centre).sum())
        squares += float(((values - centre) ** 2).sum())
    if number < 2:
        raise EstimationError("fewer than two rows are eligible on any day, so there is nobody to match")
    return float(np.sqrt(max(squares - total**2 / number, 0.0) / (number - 1)))


def match_days(
    days: Iterable[int],
    who: TrialDays,
    score: Callable[[int, Array], Array],
    *,
    strata: Array | None = None,
    forbid: Array | None = None,
    caliper: float | None = None,
    ratio: int = 3,
    reuse_within_day: int = 1,
    order: Order = "largest",
    seed: int = 1,
) -> DaySets:
    """Match every start within its day, and check each set against every rule again.

    Parameters
    ----------
    days : iterable of int
    who : TrialDays
    score : callable
        The score of some rows on a day, (day, rows (m,)) to (m,): what makes rows near.
    strata : array (n,) of int, optional
        Codes that must be the same within a set.
    forbid : array (n,) of int, optional
        Codes that must differ within a set, such as the person.
    caliper : float, optional
        Largest difference of the score.
    ratio, reuse_within_day : int
        Comparison rows sought for each start, and sets of one day that a row may serve.

    Raises
    ------
    EstimationError
        Where the audit finds a broken rule.
    """
    found_days, treated, controls, unmatched, unmatched_days = [], [], [], [], []
    eligible, checked = {}, {"sets": 0, "pairs": 0, "unmatched": 0, "most_used": 0}
    for day in days:
        rows = who.eligible(day)
        eligible[day] = len(rows)
        starts = who.starts(day, rows)
        if not starts.any():
            continue
        if strata is not None:
            rows, starts = _of_wanted_strata(rows, starts, strata)
        near = np.asarray(score(day, rows), dtype=float)
        rules: dict[str, Any] = {
            "strata": None if strata is None else strata[rows],
            "forbid": () if forbid is None else (forbid[rows],),
            "caliper": caliper,
            "ratio": ratio,
            "reuse_max": reuse_within_day,
        }
        sets = nearest(near, starts, order=order, seed=seed, **rules)
        told = audit(sets, near, starts, **rules)
        for name in told:
            more = max if name == "most_used" else int.__add__
            checked[name] = more(checked.get(name, 0), told[name])
        _check_day(who, day, rows, sets)
        found_days.append(np.full(len(sets.treated), day))
        treated.append(rows[sets.treated])
        controls.append(np.where(sets.controls >= 0, rows[sets.controls], -1))
        unmatched.append(rows[sets.unmatched])
        unmatched_days.append(np.full(len(sets.unmatched), day))
    none = np.zeros(0, dtype=np.int64)
    return DaySets(
        day=np.concatenate([none, *found_days]),
        sets=Sets(
            np.concatenate([none, *treated]),
            np.concatenate([np.zeros((0, ratio), dtype=np.int64), *controls]),
            np.concatenate([none, *unmatched]),
        ),
        unmatched_day=np.concatenate([none, *unmatched_days]),
        eligible=eligible,
        audit=checked,
    )


def _of_wanted_strata(rows: Array, starts: Array, strata: Array) -> tuple[Array, Array]:
    """Only the rows of strata in which somebody starts."""
    wanted = np.zeros(int(strata.max(initial=0)) + 1, dtype=bool)
    wanted[strata[rows[starts]]] = True
    keep = wanted[strata[rows]]
    return rows[keep], starts[keep]


def _check_day(who: TrialDays, day: int, rows: Array, sets: Sets) -> None:
    """The dates of a day's sets again, from the rows alone: one clock for both arms."""
    _, treated, control = sets.pairs()
    treated, control = rows[treated], rows[control]
    begins = who.begins[control]
    late = np.zeros(len(control), dtype=bool) if who.first is None else who.first[control] > day
    broken = {
        "somebody whose service did not begin on the day": who.begins[treated] != day,
        "a comparison row that had begun by the day": (begins != NEVER) & (begins <= day),
        "a row whose time had ended by the day": (who.ends[control] <= day) | (who.ends[treated] <= day),
        "a row whose time had not come": late,
    }
    for rule, wrong in broken.items():
        if wrong.any():
            raise EstimationError(
                f"the sets of day {day} hold {rule} ({int(wrong.sum())} times): nothing was estimated. "
                "This is a fault in ucimpact; please report it"
            )
