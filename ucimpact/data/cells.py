"""What a column of cells says as numbers, and what is wrong with each cell that says none.

Cells come as they stand in the file: text, or the typed values of a workbook or Parquet file. Numbers
are read as people write them (17,035, £1,234.50, (250), 77.7%) and each way of writing is counted in a
note; anything else is named, with the way out. A suppressed number ("*", "<5") is an interval: never
nought, and never quietly a missing one.

A dash is nought in some tables and "not known" in others. In a count, cost, duration or yes-or-no
outcome either may be meant, and the two give different answers, so that it is refused; in a score (a
percentage of nothing, a mean of nobody) and in a covariate it can only be missing, and is.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

Cell = Any
"""``None``, text, a number, a truth value, a date."""

NEVER_NEGATIVE = ("count", "cost", "duration", "weight")
REQUIRED = ("population", "weight")
"""Roles in which an empty cell is a mistake, not a missing measurement."""
IN_POUNDS = ("cost", "covariate", "weight")
IN_PER_CENT = ("score", "covariate")
MAY_BE_ABSENT = ("score", "covariate")
MAY_BE_HIDDEN = ("covariate",)

PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
COMMAS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
POUNDS = re.compile(r"([+-]?)£ ?([+-]?)(\(?[0-9][0-9,]*(?:\.[0-9]*)?\)?)")
BRACKETS = re.compile(r"\((£? ?[0-9][0-9,]*(?:\.[0-9]*)?)\)")
PERCENT = re.compile(r"([+-]?[0-9.,]+) ?%")
INFINITE = re.compile(r"[+-]?(?:inf|infinity)", re.IGNORECASE)
BELOW = re.compile(r"(?:<|fewer than|less than|under) ?([0-9]{1,9})", re.IGNORECASE)
UP_TO = re.compile(r"(?:≤|<=) ?([0-9]{1,9})|([0-9]{1,9}) or (?:fewer|less)", re.IGNORECASE)
ABOVE = re.compile(r"(?:>|more than|over) ?([0-9]{1,9})", re.IGNORECASE)
FROM = re.compile(r"(?:≥|>=) ?([0-9]{1,9})|([0-9]{1,9}) ?\+", re.IGNORECASE)
BETWEEN = re.compile(r"([0-9]{1,9}) ?(?:[-–]|to) ?([0-9]{1,9})", re.IGNORECASE)
SUPPRESSED = re.compile(r"\*+|\[?c\]?|\[?low\]?|\[?s\]?|supp(?:ressed)?|hidden", re.IGNORECASE)
ABSENT = re.compile(
    r"-+|–|—|\.+|:|\[?[xz]\]?|n/?a|n\.a\.|null|none|nan|missing|(?:not )?unknown"
    r"|not (?:known|available|recorded)|#[A-Z0-9/!?-]+",
    re.IGNORECASE,
)
YES_NO = {"yes": 1.0, "y": 1.0, "true": 1.0, "t": 1.0, "no": 0.0, "n": 0.0, "false": 0.0, "f": 0.0}

HOW = {
    "commas": "with thousands commas, such as 1,000, read without them",
    "pounds": "with a pound sign, read as pounds",
    "brackets": "in brackets, such as (250), read as below 0",
    "per cent": "with a % sign, read as so many in a hundred",
    "minus": "with a long minus sign, read as below 0",
    "words": "yes or no, read as 1 or 0",
    "truths": "true or false, read as 1 or 0",
    "absent": "written as a sign for a missing number, read as empty and not as 0",
    "hidden": "hidden (suppressed), known to lie in a range only: left empty, and not read as 0",
}
LEAVE_EMPTY = "Write a number, or leave the cell empty if it is not known"
UNHIDE = (
    "Ask for the number, or add small places together until none is hidden; "
    "an empty cell is left out of the analysis, which favours large counts"
)
NOUGHT_OR_EMPTY = "Write 0 if it is nought, or leave the cell empty if it is not known"
NUMBER_OR_KIND = "Write a number; or, where the ranges are kinds such as age bands, match exactly on them"
ONE_OR_NOUGHT = "Write 1 for yes and 0 for no, or leave the cell empty if it is not known"


@dataclass(frozen=True)
class CellProblem:
    """One cell that cannot be used: its place in the column (from 0), what is wrong, the way out."""

    at: int
    what: str
    do: str


@dataclass(frozen=True)
class Hidden:
    """A suppressed number: its place in the column (from 0), and the least and most that it can be."""

    at: int
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column read as numbers.

    Attributes
    ----------
    values : array (n_rows,)
        ``nan`` where a cell is empty, hidden or has a problem.
    problems : tuple of CellProblem
        They hold no value.
    notes : tuple of str
        What was read otherwise than as it stands, in words.
    hidden : tuple of Hidden
        Suppressed numbers. In an outcome each is a problem as well.
    """

    values: np.ndarray
    problems: tuple[CellProblem, ...]
    notes: tuple[str, ...]
    hidden: tuple[Hidden, ...] = ()


@dataclass(frozen=True)
class _Read:
    """One cell: a number and the ways in which it was written, or what is wrong, or its interval."""

    number: float = math.nan
    how: tuple[str, ...] = ()
    wrong: tuple[str, str] | None = None
    hidden: tuple[float, float] | None = None


def is_empty(cell: Cell) -> bool:
    """Whether nothing stands in the cell."""
    if isinstance(cell, str):
        return not cell.strip()
    if cell is None:
        return True
    if isinstance(cell, Decimal):
        return cell.is_nan()
    return isinstance(cell, (float, np.floating)) and math.isnan(cell)


def read_numbers(cells: Sequence[Cell], kind: str) -> Numbers:
    """Read a column of one kind.

    Parameters
    ----------
    cells : sequence
        One cell a row, as they stand in the file.
    kind : str
        ``count, cost, binary, score, duration`` (outcomes), ``population``, ``weight`` or ``covariate``.
    """
    values = np.full(len(cells), np.nan)
    problems: list[CellProblem] = []
    hidden: list[Hidden] = []
    ways: Counter[str] = Counter()
    for at, cell in enumerate(cells):
        if is_empty(cell):
            if kind in REQUIRED:
                problems.append(CellProblem(at, f"the {kind} is missing", "Fill it in or leave the row out"))
            continue
        read = _cell(cell, kind)
        if read.hidden is not None:
            hidden.append(Hidden(at, *read.hidden))
        wrong = read.wrong or _out_of_range(read.number, kind)
        if wrong:
            problems.append(CellProblem(at, *wrong))
            continue
        ways.update(read.how)
        values[at] = read.number
    if ways["per cent"]:
        problems += _without_sign(cells, values)
    notes = counted(*((ways[way], told) for way, told in HOW.items()))
    if len(hidden) > np.isfinite(values).sum() and kind in MAY_BE_HIDDEN:
        problems += [
            CellProblem(each.at, "a range, where a number belongs", NUMBER_OR_KIND) for each in hidden
        ]
    ordered = tuple(sorted(problems, key=lambda problem: problem.at))
    return Numbers(values, ordered, tuple(notes), tuple(hidden))


def yes_no(cells: Sequence[Cell]) -> Numbers:
    """Read a column of yes and no as 1 and 0: "Yes", "y", "true", 1, "No ", "n", "false", 0.

    An empty cell is ``nan``: whether it means no is for the reader of the column to say.
    """
    return read_numbers(cells, "binary")


def counted(*found: tuple[int, str], noun: str = "value") -> list[str]:
    """A note for each thing that was found: "2 values with a pound sign, read as pounds"."""
    return [f"{n:,} {noun}{'s' if n > 1 else ''} {how}" for n, how in found if n]


def _cell(cell: Cell, kind: str) -> _Read:
    """One cell that is not empty."""
    if isinstance(cell, (bool, np.bool_)):
        if kind == "binary":
            return _Read(float(cell), ("truths",))
        return _Read(wrong=("true or false, where a number belongs", "Write 1 or 0"))
    if isinstance(cell, (int, float, Decimal, np.integer, np.floating)):
        try:
            return _finite(float(cell))
        except OverflowError:
            return _finite(math.inf)
    if isinstance(cell, (dt.date, dt.time, dt.timedelta)):
        what = "a date or time, where a number belongs"
        return _Read(wrong=(what, "Give the cell a number format and its number"))
    text = str(cell).strip()
    if kind == "binary" and text.lower() in YES_NO:
        return _Read(YES_NO[text.lower()], ("words",))
    if text.startswith("−"):
        read = _text(f"-{text[1:]}", kind)
        return read if read.wrong else _Read(read.number, (*read.how, "minus"), hidden=read.hidden)
    return _text(text, kind)


def _text(text: str, kind: str) -> _Read:
    if PLAIN.fullmatch(text):
        return _finite(float(text))
    if COMMAS.fullmatch(text):
        return _Read(float(text.replace(",", "")), ("commas",))
    if brackets := BRACKETS.fullmatch(text):
        inside = _text(brackets[1], kind)
        return inside if inside.wrong else _Read(-inside.number, (*inside.how, "brackets"))
    if (pounds := POUNDS.fullmatch(text)) and not (pounds[1] and pounds[2]):
        amount = _text(pounds[1] + pounds[2] + pounds[3], kind)
        if kind not in IN_POUNDS:
            do = 'Take the £ away, or say kind = "cost"'
            return _Read(wrong=("an amount of money, where a number belongs", do))
        if amount.wrong is None:
            ways = tuple(way for way in amount.how if way != "commas")
            return _Read(amount.number, (*ways, "pounds"))
    if percent := PERCENT.fullmatch(text):
        share = _text(percent[1], kind)
        if kind in IN_PER_CENT and share.wrong is None:
            return _Read(share.number, (*share.how, "per cent"))
        what, do = "a percentage, where a number belongs", "Give the number itself, without the % sign"
        return _Read(wrong=(what, do))
    if INFINITE.fullmatch(text):
        return _finite(math.inf)
    if (interval := _interval(text, kind)) is not None:
        if kind in MAY_BE_HIDDEN:
            return _Read(how=("hidden",), hidden=interval)
        return _Read(wrong=("a hidden (suppressed) number", UNHIDE), hidden=interval)
    if ABSENT.fullmatch(text):
        if kind in MAY_BE_ABSENT and not text.startswith("#"):
            return _Read(how=("absent",))
        do = ONE_OR_NOUGHT if kind == "binary" else NOUGHT_OR_EMPTY
        return _Read(wrong=("a sign for a missing number", do))
    if kind == "binary":
        return _Read(wrong=("neither yes nor no", ONE_OR_NOUGHT))
    return _Read(wrong=("text, where a number belongs", LEAVE_EMPTY))


def _interval(text: str, kind: str) -> tuple[float, float] | None:
    """The least and most that a suppressed number can be; None for other text."""
    least = -math.inf if kind in ("score", "covariate") else 0.0
    step = 1.0 if kind in ("count", "population") else 0.0
    if SUPPRESSED.fullmatch(text):
        return least, math.inf
    if found := BELOW.fullmatch(text):
        return least, float(found[1]) - step
    if found := UP_TO.fullmatch(text):
        return least, float(found[1] or found[2])
    if found := ABOVE.fullmatch(text):
        return float(found[1]) + step, math.inf
    if found := FROM.fullmatch(text):
        return float(found[1] or found[2]), math.inf
    if found := BETWEEN.fullmatch(text):
        return float(found[1]), float(found[2])
    return None


def _finite(number: float) -> _Read:
    if math.isfinite(number):
        return _Read(number)
    do = "Correct it (often a division by 0), or leave the cell empty if it is not known"
    return _Read(wrong=("an infinite number", do))


def _without_sign(cells: Sequence[Cell], values: np.ndarray) -> list[CellProblem]:
    """Numbers without a % sign in a column that has them: 0.777 beside 77.7% would be a hundredth of it."""
    what = "a number without a % sign in a column of percentages"
    do = "Write every cell of the column in the same way"
    found = [
        at for at, cell in enumerate(cells) if np.isfinite(values[at]) and values[at] and "%" not in str(cell)
    ]
    values[found] = np.nan
    return [CellProblem(at, what, do) for at in found]


def _out_of_range(number: float, kind: str) -> tuple[str, str] | None:
    """What is wrong with a number of this kind; None where nothing is."""
    if math.isnan(number):
        return None
    if kind in NEVER_NEGATIVE and number < 0:
        noun = "number" if kind == "count" else kind
        return f"a {noun} below 0", "Correct it, or leave the cell empty if it is not known"
    if kind == "population" and number <= 0:
        return "the population is not above 0", "Fill it in or leave the row out"
    if kind == "count" and number != round(number):
        return (
            "a count that is not a whole number",
            'Give the count itself, or say kind = "score" for a rate or mean',
        )
    if kind == "binary" and number not in (0.0, 1.0):
        return "neither 0 nor 1", "Write 1 for yes and 0 for no, or name another kind of outcome"
    return None
