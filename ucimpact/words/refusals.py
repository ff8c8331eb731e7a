"""Refusals: one sentence why, one the way out. Never a blank, a dash or "n/a" alone."""

from __future__ import annotations

from ucimpact.words.numbers import COUNTED, measure, number, spoken

FEWEST_COMPARISON = 5
FEWEST_PERIODS = 3
FEWEST_EVENTS = 5

NO_RANGE = "No p-value or likely range can be had: "
NO_RANGE_GIVEN = "No p-value or likely range is given: "
"""What a rule says before its reason."""
NONE_GIVEN = ", so no p-value and no likely range are given"
"""How a method ends its reason; a headline says it at its beginning."""
NO_MONEY = "not worked out"
"""What a cell of money says, with the reason: a failed key check, no interval, a model of ratios."""


def few_comparison(n0: int, place: str = "place") -> str:
    """Too few comparison places for an interval."""
    places = f"{n0} comparison {place}{'' if n0 == 1 else 's'}"
    return f"{NO_RANGE}{places}, and at least {FEWEST_COMPARISON} are needed. A longer series could answer."


def few_comparison_reason(n0: int, place: str = "place") -> str:
    """The same as a reason in a headline."""
    are = "is" if n0 == 1 else "are"
    return (
        f"there {are} {n0} comparison {place}{'' if n0 == 1 else 's'} "
        f"and at least {FEWEST_COMPARISON} are needed"
    )


def coarse(n1: int, places: int, ways: int) -> str:
    """A permutation too coarse to say anything: ``ways`` ways of choosing ``n1`` of ``places``."""
    return (
        f"The smallest p-value that {n1} of {places} places allow is 1/{number(ways)}; none is printed. "
        "More comparison places would allow a smaller one."
    )


def short(before: int, after: int) -> str:
    """Too few periods either side of the start."""
    return (
        f"Three periods before and after are the least; there are {before} and {after}. "
        "A longer window could answer."
    )


def rare(before: int, after: int) -> str:
    """Under five events before or after: counts, and no interval."""
    return f"There were {number(before)} before and {number(after)} after: too few to judge."


def other_question(pilot: str, measured: str, others: str) -> str:
    """A pilot left out of a league because it measured something else."""
    return f"{pilot} is left out: it measured {measured}, the others {others}."


def estimate_alone(
    outcome: str,
    est: float,
    base: int | None = None,
    *,
    who: str = "people",
    when: str = "",
    per: str = "",
    kind: str = "count",
    percent: bool = False,
) -> str:
    """An estimate that stands without a range: the number, and that nothing follows from it yet."""
    said = spoken(est, est, est, measure(kind, percent=percent))
    unit = "" if percent else f" per {base:,} {who}{when}" if base is not None else f" {per}{when}"
    if not said.size:
        best = "is what was expected"
    elif kind in COUNTED:
        best = f"is {said.about} {outcome}"
    else:
        best = f"puts {outcome} {said.about}"
    return f"The best estimate {best}{unit.rstrip()}. How far it could be out is not known."
