"""Patterns and numbers of finished sentences, for the grids that read them back; apart from the code that writes.

Nothing of the package is imported.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

import reader
from reader import Unreadable
from test_grid import chance_faults

WORDS = (
    "none",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
NAMES = ("Ashby", "Bolton Road", "Cold Hill", "Dunvale", "Eskmere", "Fell End", "Garth")
CHANCES = (0.004, 0.01, 0.2, 0.499, 0.5, 0.595, 0.6, 0.799, 0.8, 0.95, 0.996)
POUNDS = (-251_340.0, -5_049.0, -49.0, -0.4, 0.0, 0.4, 37.0, 96.0, 149.6, 5_050.0, 88_249.0, 1_204_550.0)
LEVELS = ("very low", "low", "moderate", "high")
N = r"[\u2212£\d][£\d,.]*p?"
P = r"(?:under |over )?\d+%"
S = r"(?:under )?[\d.]+%"
COUNT = f"(?:{'|'.join((*WORDS, *map(str.capitalize, WORDS)))}|\\d+)"


def read(pattern: str, text: str) -> dict[str, str]:
    """The named parts of a text that has to be of this form, whole."""
    found = re.fullmatch(pattern, text)
    if found is None:
        raise Unreadable(f"{text!r} is not of the form {pattern!r}")
    return {name: part or "" for name, part in found.groupdict().items()}


def count(text: str) -> int:
    low = text.lower()
    return WORDS.index(low) if low in WORDS else 0 if low == "no" else int(low.replace(",", ""))


def told_count(text: str, n: int) -> list[str]:
    """Words to twelve and figures from there."""
    faults = [] if count(text) == n else [f"count: {n} told as {text!r}"]
    return faults + ([] if (n <= 12) == (not text[:1].isdigit()) else [f"count: {n} written as {text!r}"])


def listed(text: str, last: str = "and") -> list[str]:
    """ "a, b and c" as three names, "five pilots" as that many without one."""
    if many := re.fullmatch(rf"({COUNT}) pilots?", text):
        return [""] * count(many[1])
    return [part for part in re.split(rf", | {last} ", text) if part]


def pounds(text: str, x: float, *steps: int) -> list[str]:
    """Pounds to the first step that does not print 0 for what is not; then "under 1p" or pence."""
    if text == "under 1p" or text.endswith("p"):
        return [] if abs(x) < 0.5 else [f"size: {x!r} printed as {text}"]
    for step in steps:
        if (size := reader.away_from_zero(x, step)) or not x:
            shown = reader.number(text).value
            return [] if shown == size else [f"size: {x!r} printed as {text}, {size} expected"]
    return [f"size: {x!r} printed as {text}"]


def money(text: str, x: float) -> list[str]:
    return pounds(text, x, 100, 10, 1)


def money_range(text: str, lo: float, hi: float) -> list[str]:
    ends = text.split(" to ")
    return money(ends[0], lo) + money(ends[1], hi) if len(ends) == 2 else [f"range: {text}"]


def chance(text: str, p: float) -> list[str]:
    return chance_faults(reader.number(text.removesuffix("%").removesuffix(" chances")), p)


def same(told: Sequence[str], names: Sequence[str]) -> bool:
    """Whether these names were told, or, of three and more, how many they are."""
    return list(told) == list(names) or (len(names) > 2 and list(told) == [""] * len(names))


def sample(cases: Iterator[tuple], most: int, seed: int = 1) -> list[tuple]:
    """Some of many cases, the same each time."""
    every = list(cases)
    return every if len(every) <= most else random.Random(seed).sample(every, most)


def share(text: str, x: float) -> list[str]:
    """A share in per cent: whole, or one decimal where it would read as none or all."""
    shown = text.removesuffix("%")
    if shown == "under 0.1":
        return [] if 0 < x < 0.0005 else [f"size: share {x} told as {text}"]
    whole = reader.away_from_zero(100 * x)
    close = f"{whole:.0f}" if 0 < whole < 100 or x in (0, 1) else f"{reader.away_from_zero(100 * x, 0.1):g}"
    return [] if shown == close else [f"size: share {x} told as {text}"]
