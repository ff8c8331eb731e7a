"""What a column of cells says as numbers, and what is wrong with each cell that says none.

Cells come as they stand in the file: text, or the typed values of a workbook or Parquet file. Plain
numbers and numbers with thousands commas are read; anything else is named, with the way out. A
suppressed number ("*", "<5") is never taken for zero, nor quietly for a missing one.
"""

from __future__ import annotations

import datetime as dt
import math
import re
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

PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
COMMAS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
POUNDS = re.compile(r"([+-]?)£ ?([0-9][0-9,]*(?:\.[0-9]*)?)")
PERCENT = re.compile(r"[+-]?[0-9.,]+ ?%")
INFINITE = re.compile(r"[+-]?(?:inf|infinity)", re.IGNORECASE)
HIDDEN = re.compile(r"\*+|[<>≤≥] ?[0-9]+|[0-9]+ ?[-–] ?[0-9]+|c|suppressed|low", re.IGNORECASE)
ABSENT = re.compile(r"-+|–|—|\.+|:|x|n/?a|null|none|nan|missing|unknown|#[A-Z0-9/!?]+", re.IGNORECASE)

YES_NO = {"yes": 1.0, "y": 1.0, "true": 1.0, "t": 1.0, "no": 0.0, "n": 0.0, "false": 0.0, "f": 0.0}

LEAVE_EMPTY = "Write a number, or leave the cell empty if it is not known"
UNHIDE = (
    "Ask for the number, or add small places together until none is hidden; "
    "an empty cell is left out of the analysis, which favours large counts"
)


@dataclass(frozen=True)
class CellProblem:
    """One cell that cannot be used: its place in the column (from 0), what is wrong, the way out."""

    at: int
    what: str
    do: str


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column read as numbers: ``nan`` where a cell is empty or has a problem."""

    values: np.ndarray
    problems: tuple[CellProblem, ...]
    notes: tuple[str, ...]
    """What was read otherwise than as it stands, in words."""


def is_empty(cell: Cell) -> bool:
    """Whether nothing stands in the cell."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return True
    return isinstance(cell, float) and math.isnan(cell)


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
    commas = pounds = truths = 0
    for at, cell in enumerate(cells):
        if is_empty(cell):
            if kind in REQUIRED:
                problems.append(CellProblem(at, f"the {kind} is missing", "Fill it in or leave the row out"))
            continue
        if isinstance(cell, bool) and kind == "binary":
            values[at] = float(cell)
            truths += 1
            continue
        number, wrong = _number(cell, kind)
        if number is None:
            problems.append(CellProblem(at, *wrong))
            continue
        if isinstance(cell, str):
            pounds += "£" in cell
            commas += "£" not in cell and "," in cell
        wrong = _out_of_range(number, kind)
        if wrong[0]:
            problems.append(CellProblem(at, *wrong))
            continue
        values[at] = number
    notes = counted(
        (commas, "with thousands commas, such as 1,000, read without them"),
        (pounds, "with a pound sign, read as pounds"),
        (truths, "true or false, read as 1 or 0"),
    )
    return Numbers(values, tuple(problems), tuple(notes))


def yes_no(cells: Sequence[Cell]) -> Numbers:
    """Read a column of yes and no as 1 and 0: "Yes", "y", "true", 1, "No ", "n", "false", 0.

    An empty cell is ``nan``: whether it means no is for the reader of the column to say.
    """
    values = np.full(len(cells), np.nan)
    problems: list[CellProblem] = []
    words = truths = 0
    for at, cell in enumerate(cells):
        if is_empty(cell):
            continue
        if isinstance(cell, (bool, np.bool_)):
            values[at] = float(cell)
            truths += 1
        elif isinstance(cell, str) and cell.strip().lower() in YES_NO:
            values[at] = YES_NO[cell.strip().lower()]
            words += 1
        elif (number := _number(cell, "binary")[0]) in (0.0, 1.0):
            values[at] = number
        else:
            problems.append(CellProblem(at, "neither yes nor no", "Write 1 for yes and 0 for no"))
    notes = counted((words, "yes or no, read as 1 or 0"), (truths, "true or false, read as 1 or 0"))
    return Numbers(values, tuple(problems), tuple(notes))


def counted(*found: tuple[int, str], noun: str = "value") -> list[str]:
    """A note for each thing that was found: "2 values with a pound sign, read as pounds"."""
    return [f"{n:,} {noun}{'s' if n > 1 else ''} {how}" for n, how in found if n]


def _number(cell: Cell, kind: str) -> tuple[float | None, tuple[str, str]]:
    """The number in a cell that is not empty, or what is wrong with it."""
    if isinstance(cell, bool):
        return None, ("true or false, where a number belongs", "Write 1 or 0")
    if isinstance(cell, (int, float, Decimal, np.integer, np.floating)):
        try:
            number = float(cell)
        except OverflowError:
            number = math.inf
        return (number, ("", "")) if math.isfinite(number) else (None, _infinite())
    if isinstance(cell, (dt.date, dt.time, dt.timedelta)):
        return None, (
            "a date or time, where a number belongs",
            "Give the cell a number format and its number",
        )
    text = str(cell).strip()
    if PLAIN.fullmatch(text):
        number = float(text)
        return (number, ("", "")) if math.isfinite(number) else (None, _infinite())
    if COMMAS.fullmatch(text):
        return float(text.replace(",", "")), ("", "")
    if (pounds := POUNDS.fullmatch(text)) and (PLAIN.fullmatch(pounds[2]) or COMMAS.fullmatch(pounds[2])):
        if kind == "cost":
            return float(pounds[1] + pounds[2].replace(",", "")), ("", "")
        return None, ("an amount of money, where a number belongs", 'Take the £ away, or say kind = "cost"')
    if PERCENT.fullmatch(text):
        return None, ("a percentage, where a number belongs", "Give the number itself, without the % sign")
    if INFINITE.fullmatch(text):
        return None, _infinite()
    if HIDDEN.fullmatch(text):
        return None, ("a hidden (suppressed) number", UNHIDE)
    if ABSENT.fullmatch(text):
        return None, (
            "a sign for a missing number",
            "Write 0 if it is nought, or leave the cell empty if it is not known",
        )
    return None, ("text, where a number belongs", LEAVE_EMPTY)


def _infinite() -> tuple[str, str]:
    return (
        "an infinite number",
        "Correct it (often a division by 0), or leave the cell empty if it is not known",
    )


def _out_of_range(number: float, kind: str) -> tuple[str, str]:
    """What is wrong with a number of this kind; empty where nothing is."""
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
    return "", ""
