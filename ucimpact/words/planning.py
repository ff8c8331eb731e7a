"""How many people or places it takes, and how long that is, in words for a provider.

The people that settle a question follow from an evaluation that did not: what ``n`` people could find at
2.8 standard errors takes ``n (2.8 se / w)^2`` people to find at ``w``, if they are people of the same
kind, analysed in the same way.
"""

from __future__ import annotations

import math

from ucimpact.inference.power import FOUR_IN_FIVE
from ucimpact.words.claims import good_change
from ucimpact.words.numbers import capital, few, joint, measure, number, plainly, rounded
from ucimpact.words.sentences import settles

TOGETHER = 2
"""Years in which places that share a question should have answered it."""
SLACK = 0.05
"""A year or place more is not counted for a part as small as this."""


def people_needed(analysed: float, se: float, w: float) -> float:
    """People with whom a change of ``w`` would be found four times in five.

    Parameters
    ----------
    analysed : float
        People supported who were analysed.
    se : float
        ``found_se`` of their finding.
    w : float
        Smallest worthwhile effect, above 0.
    """
    return analysed * settles(se, w)


def takes(
    people: float,
    w: float,
    base: int | None = None,
    *,
    per_year: float | None = None,
    analysed: float | None = None,
    better: str = "lower",
    kind: str = "count",
    per: str = "",
    pace: str = "at this year’s pace",
) -> str:
    """How many people find a change of ``w``, and how long that is.

    Parameters
    ----------
    people : float
        From :func:`people_needed` or from a plan.
    per_year : float, optional
        People supported in a year; with it the time, and the way to share it.
    analysed : float, optional
        People analysed so far, where the pace is not known: "six times as many as here".
    """
    head = (
        f"To find {_change(w, base, better, kind, per)} four times in five takes about {about(people)} people"
    )
    return f"{head}{_how_long(people, per_year, analysed, pace)}."


def would_settle(
    people: float,
    w: float,
    base: int | None = None,
    *,
    per_year: float | None = None,
    analysed: float | None = None,
    better: str = "lower",
    kind: str = "count",
    per: str = "",
) -> str:
    """The same for one who asks what would settle it: "six years here alone, or two years shared by ..."."""
    head = f"About {about(people)} people to find {_change(w, base, better, kind, per)} four times in five"
    tail = _how_long(people, per_year, analysed, "here alone")
    return f"{head}{tail}{' using one method' if ' shared by ' in tail else ''}."


def about(people: float) -> str:
    """Three figures at most: "37", "1,050", "12,300"."""
    whole = math.ceil(people - 1e-9)
    if whole < 1_000:
        return number(whole)
    step = 10 ** (len(str(whole)) - 3)
    return number(float(rounded(people / step)) * step)


def lasting(years: float) -> str:
    """A time to plan by, in months up to two years, then in whole years, rounded up."""
    if years < TOGETHER:
        months = max(1, math.ceil(12 * years - SLACK))
        if months % 12:
            return f"{counted(months)} month{'s' if months > 1 else ''}"
        years = months / 12
    whole = math.ceil(years - SLACK)
    return f"{counted(whole)} year{'s' if whole > 1 else ''}"


def counted(n: int) -> str:
    """In letters up to twelve."""
    return few(n, none="no")


def _change(w: float, base: int | None, better: str, kind: str, per: str) -> str:
    how = measure(kind)
    unit = f" per {base:,}" if base is not None else f" {per}" if per else ""
    size = number(w) if w >= 100 else plainly(w)
    return f"a {good_change(better)} of {how.before}{size}{how.after}{unit}"


def _how_long(people: float, per_year: float | None, analysed: float | None, alone: str) -> str:
    if per_year:
        years = people / per_year
        text = f": {lasting(years)} {alone}"
        if years > TOGETHER + SLACK:
            places = math.ceil(years / TOGETHER - SLACK)
            text += f", or {lasting(years / places)} shared by {counted(places)} places"
        return text
    if analysed and people > analysed:
        times = rounded(people / analysed, 0 if people >= 10 * analysed else 1)
        size = str(times).removesuffix(".0")
        return f": {counted(int(size)) if size.isdigit() else size} times as many as here"
    return ""


def takes_places(
    w: float,
    asked: tuple[int, int, int],
    chance: float,
    places: tuple[int, int] | None,
    months: int | None,
    noun: str = "fall",
) -> str:
    """How many places, or months, find a change of ``w`` per cent.

    Parameters
    ----------
    w : float
        In per cent, above 0.
    asked : tuple of int
        Pilot places, comparison places and months after the start that were thought of.
    chance : float
        With them.
    places : tuple of int, optional
        Pilot and comparison places that find it in the same months; None where no number does.
    months : int, optional
        After the start, in which the places thought of find it; None where no number does.
    """
    n1, n0, after = asked
    change, own = f"a {noun} of {plainly(w)}%", _places(n1, n0)
    if chance >= FOUR_IN_FIVE:
        found = f"{capital(change)} would be found {times(chance)}"
        return f"{found} with {own}, {counted(after)} {_months(after)} after the start."
    if places is None and months is None:
        return f"No number of places or months finds {change} four times in five: places drift apart by more."
    if places is None:
        return (
            f"To find {change} four times in five, {own} take {counted(months or 0)} months after the start; "
            "more places are no way out."
        )
    head = f"To find {change} four times in five takes {_places(*places)}, {counted(after)} {_months(after)}"
    if months is None:
        return f"{head} after the start. With {own} no number of months is enough."
    return f"{head} after the start. With {own} it takes {counted(months)} months."


def times(chance: float) -> str:
    """A chance as times in 100: "32 times in 100", "over 99 times in 100"."""
    size = "under 1" if chance < 0.01 else "over 99" if chance > 0.99 else number(100 * chance)
    return f"{size} time{'' if size == '1' else 's'} in 100"


def _places(n1: int, n0: int) -> str:
    pilot = f"{counted(n1)} pilot place{'' if n1 == 1 else 's'}"
    return f"{pilot} and {counted(n0)} other{'' if n0 == 1 else 's'}"


def _months(n: int) -> str:
    return "month" if n == 1 else "months"


def missed(n: int, place: str, period: tuple[int, str], share: float | None, noun: str = "fall") -> str:
    """The size that is found half of the time: "a fall smaller than about 9% would be missed ...".

    Parameters
    ----------
    n : int
        Pilot places.
    place : str
        Their name, for that number: "practices".
    period : tuple of int and str
        How many, and their name for that number: (12, "months").
    share : float, optional
        In per cent; None where not even a change of all is found.
    """
    head = f"With {n} {place} and {period[0]} {period[1]}"
    if share is None:
        return f"{head}, even a {noun} of all would be missed more often than not."
    return f"{head}, a {noun} smaller than about {per_cent(share)} would be missed more often than not."


def found_four_in_five(share: float | None, noun: str = "fall") -> str:
    """The size that is found four times in five."""
    if share is None:
        return f"No {noun} would be found four times in five."
    return f"A {noun} of {per_cent(share)} would be found four times in five."


def within_reach(w: float, chance: float, noun: str = "fall") -> str:
    """Whether the smallest change worth having is found."""
    head = f"The {noun} of {plainly(w)}% worth having would be found {times(chance)}"
    return f"{head}: within reach." if chance >= FOUR_IN_FIVE else f"{head}: out of reach."


def reach_needs(larger: tuple[int, str] | None, longer: tuple[int, str] | None) -> str:
    """The way out, where a change worth having is out of reach: more places, or more periods.

    Each a number and its noun, the smallest of the table that finds it; None where none does.
    """
    ways = [f"{one[0]} {one[1]}" for one in (larger, longer) if one]
    if not ways:
        return "No size in the table brings it within reach."
    return f"It is within reach with {joint(ways, 'or')}."


def false_alarms(rate: float) -> str:
    """How often the rule reports a change that is none, on these places."""
    return f"Where nothing happens, a change would still be reported {times(rate)}; 5 are agreed."


def either_way(half: float | None) -> str:
    """Half of the likely range."""
    if half is None:
        return "There would be no likely range."
    return f"The likely range would reach about {per_cent(half)} either way."


def per_cent(share: float) -> str:
    """Whole from 10% up, else one decimal."""
    return f"{number(share)}%" if share >= 9.95 else f"{plainly(share)}%"
