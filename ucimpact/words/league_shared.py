"""What a league says of pilots that share those they are compared with."""

from __future__ import annotations

from collections.abc import Sequence

from ucimpact.words.league import named
from ucimpact.words.numbers import capital, chance, few, joint
from ucimpact.words.pounds import money

ALL_KEPT = 0.995
"""A part of the links that prints as less than the whole."""
SHARED = {
    "influence": "what each place added to each result says how far they are linked",
    "control arm": "they are taken to be held against the same people throughout, the strongest link",
    "bounds": "nothing says how far, so all is worked out twice: as if apart, and as if half linked",
}


LINKS_APART = "Two that share nothing are taken to be apart, though a third shares with both."
PLACES = 4
"""Places that are named; of more only their number is."""
SETS = 3
"""Sets of pilots that share a comparison and are named; of more only the number of pilots is."""


def shared(
    groups: Sequence[tuple[str, Sequence[str]]], n: int, *, apart: bool = False, kept: float = 1.0
) -> str:
    """How pilots that share a comparison were taken to be linked.

    Parameters
    ----------
    groups : sequence of (kind, names)
        Pilots of which each shares with each other, and how the links of them are known.
    apart : bool
        Two that share nothing with one another share with a third.
    kept : float
        The part of every link that was kept, because not all can hold together.
    """
    if not groups:
        return (
            f"No two of the {few(n)} name the same comparison, or share a file or a comparison place, "
            "so their errors are taken to be apart."
        )
    told = []
    for kind in SHARED:
        sets = [names for found, names in groups if found == kind]
        if not sets:
            continue
        if len(sets) > SETS:
            members = len({name for names in sets for name in names})
            whose = f"All {few(n)}" if members == n else f"{capital(few(members))} of the {few(n)}"
            told.append(f"{whose} share a comparison with some of the others.")
        else:
            for names in sets:
                who = f"All {few(n)}" if len(names) == n and n > 2 else capital(named(names, 25))
                told.append(f"{who} share a comparison.")
        told.append(f"{capital(SHARED[kind])}.")
    if apart:
        told.append(LINKS_APART)
    if kept < ALL_KEPT:
        part = chance(kept)
        told.append(f"Links of that strength cannot all hold at once, so each is taken at {part} of it.")
    return " ".join(told)


def crossed(beside: str, other: str, places: Sequence[str]) -> str:
    """Comparison places of one pilot that had another."""
    return (
        f"{_in(places)} had the pilot of {other} and {_stand(places)} in the comparison of {beside}. "
        f"So what {other} changed there moves both results. "
        f"Leave {_them(places)} out of the file of {beside}, and run it again."
    )


def twice_in(one: str, other: str, places: Sequence[str]) -> str:
    """Places that had two pilots of a league."""
    return (
        f"{_in(places)} had the pilot of {one} and that of {other}. What happened there is counted in both, "
        "and nothing shows which of them it was."
    )


def same_people(one: str, other: str) -> str:
    """Two results of one file with as many people who had the service."""
    return (
        f"{capital(one)} and {other} come from one file, with as many people who had the service. "
        "If they are one pilot told twice, take one out."
    )


def _in(places: Sequence[str]) -> str:
    """The places at the head of a sentence."""
    return capital(f"{few(len(places))} places") if len(places) > PLACES else joint(list(places))


def _stand(places: Sequence[str]) -> str:
    return "stands" if len(places) == 1 else "stand"


def _them(places: Sequence[str]) -> str:
    return "it" if len(places) == 1 else "them"


def bounds_name(rho: float) -> str:
    """One of the two bounds."""
    return "Comparisons taken to be apart" if rho == 0 else "Comparisons taken to be half linked"


UNSURE = "how far the pilots share their comparison"
"""What is missing where the two bounds give two verdicts."""


def bounds_differ(names: Sequence[str]) -> str:
    """For whom nothing can be decided before it is known what is shared."""
    if not names:
        return "Both give every pilot the same verdict."
    it = "its verdict turns" if len(names) == 1 else "their verdicts turn"
    return f"For {named(names, 14)} nothing can be decided yet: {it} on how far the comparison is shared."


def undecided(names: Sequence[str], cost: float, left: float) -> str:
    """What to do about pilots for which the two bounds give two verdicts, where money is left."""
    if not names:
        return ""
    it, costs = ("it", "It costs") if len(names) == 1 else ("them", "They cost")
    first = (
        f"Nothing can be decided yet for {named(names, 12)}: it turns on how far the comparison is shared."
    )
    if cost <= left:
        return f"{first} Keep back {money(cost)} for {it}."
    return f"{first} {costs} {money(cost)}, and {money(left)} is left."


def claims_of_bounds(apart: float | None, linked: float | None) -> str:
    """What the funded set would claim under each bound; empty where both claim the same."""
    if apart is None or linked is None or money(apart) == money(linked):
        return ""
    return (
        f"If the comparisons are apart, what would be funded claims {money(apart)}; "
        f"if half linked, {money(linked)}."
    )
