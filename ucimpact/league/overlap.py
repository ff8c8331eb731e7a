"""Where pilots of a league stand in one another's way: plain warnings, by the names that evaluations give.

A place that had one pilot and is a comparison place of another makes the second look smaller, or larger, by
what the first changed. A place that had two pilots at once cannot say which of them it was. No link between
errors mends either: the pages say so, with the way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations

from ucimpact.league.pilot import Pilot
from ucimpact.words import league_shared as said


def overlaps(pilots: Sequence[Pilot]) -> list[str]:
    """What a reader of a league must know of pilots that touch one another.

    Parameters
    ----------
    pilots : sequence of Pilot
    """
    told = [
        said.crossed(beside.short, other.short, places)
        for beside, other in permutations(pilots, 2)
        if (places := crossed(beside, other))
    ]
    for one, other in combinations(pilots, 2):
        if places := both(one, other):
            told.append(said.twice_in(one.short, other.short, places))
        elif _same_people(one, other):
            told.append(said.same_people(one.short, other.short))
    return told


def crossed(beside: Pilot, other: Pilot) -> list[str]:
    """Comparison places of the first that had the second before its data end."""
    controls, starts = beside.comparable["controls"], _starts(other)
    return sorted(name for name in controls["units"] or () if name in starts and _by(starts[name], beside))


def both(one: Pilot, other: Pilot) -> list[str]:
    """Places that had both pilots before the data of either end."""
    first, second = _starts(one), _starts(other)
    return sorted(
        name for name in set(first) & set(second) if _by(first[name], other) and _by(second[name], one)
    )


def _starts(pilot: Pilot) -> dict[str, str | None]:
    return dict(pilot.comparable["controls"].get("pilot_units") or {})


def _by(start: str | None, other: Pilot) -> bool:
    """Whether what started then was there while the other was watched; numbered periods say nothing."""
    until = other.comparable["controls"].get("until")
    return start is None or until is None or start <= until


def _same_people(one: Pilot, other: Pilot) -> bool:
    """Whether two results come of one file with as many people who had the service."""
    a, b = (pilot.comparable for pilot in (one, other))
    same = a["analysed"] is not None and a["analysed"] == b["analysed"]
    return same and bool(set(a["controls"]["files"]) & set(b["controls"]["files"]))
