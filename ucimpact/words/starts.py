"""When the pilot started, where it did not start everywhere at once."""

from __future__ import annotations

from ucimpact.words.numbers import number, plainly

FEW_PERIODS = 3
"""A mean number of periods below this is told with a decimal."""


def periods_each(mean: float, noun: str) -> str:
    """ "14 months": how long the pilot has run in a unit, on average."""
    shown = plainly(mean) if mean < FEW_PERIODS else number(mean)
    return f"{shown} {noun}{'' if shown == '1' else 's'}"


def started(units: int, first: str, last: str, times: int, *, plural: str = "units") -> str:
    """ "28 practices started between June 2022 and July 2023, at 5 different times."."""
    who = f"{number(units)} {plural} started"
    if times == 1:
        return f"{who} in {first}."
    if times == 2:
        return f"{who}, some in {first} and some in {last}."
    return f"{who} between {first} and {last}, at {number(times)} different times."


def counted_from(plural: str = "units") -> str:
    """How time is counted in what follows."""
    return (
        f"Time is counted from each one’s own start, so one calendar month stands at different places for "
        f"different {plural}."
    )


def plural_of(noun: str) -> str:
    """ "practices", "surgeries"."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def article_of(noun: str) -> str:
    """ "a practice", "an area"; "a unit" sounds like "you"."""
    return "an" if noun[:1] in "aeio" else "a"
