"""Dates of people: a column of days, read by one form, with what is wrong with each cell that is none.

A column has one form. Of all that fit, day first is taken; where no cell shows which way round it is, a
note says so. Cells that a spreadsheet keeps as dates (or as its day numbers, counted from 30 December
1899) need no form. 1 January 1900 is what software writes for an empty date, and is read as one.

A spreadsheet set to American dates turns 03/04/2023 (3 April) into 4 March and leaves 13/04/2023 as
text, because there is no thirteenth month. Such a column is refused: half of it is wrong already.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.data.cells import ABSENT, CellProblem, counted, is_empty
from ucimpact.data.periods import DATE_FORMS, YEARS

FORMS = (*(form for form in DATE_FORMS if "%H" not in form), "%Y/%m/%d", "%Y%m%d", "%d %B %y", "%d %b %y")
MONTH_FIRST = ("%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m.%d.%Y")
CLOCK = re.compile(r"[T ]\s*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[AP]M)?Z?$", re.IGNORECASE)
SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
ORDINAL = re.compile(r"^([0-9]{1,2})(?:st|nd|rd|th)\b", re.IGNORECASE)
EPOCH = dt.date(1899, 12, 30)
SERIALS = (10_000, 73_050)
"""Day numbers of a spreadsheet that are read: 18 May 1927 to 31 December 2099. A year (2023) is not one."""
PLACEHOLDERS = tuple(EPOCH + dt.timedelta(days=n) for n in range(3))
"""Nought as a day of a spreadsheet, and 1 January 1900 (two ways of counting give the days before it)."""
PLACEHOLDER_TEXTS = ("0", "1", "01/01/1900", "1/1/1900", "1900-01-01", "1 January 1900", "01-Jan-1900")
NUMBERED = (
    (5, "", "the day numbers of a spreadsheet, read as dates"),
    (8, "%Y%m%d", "years, months and days in one number, read as dates"),
    (6, "%Y%m", "years and months in one number, read as months"),
)
"""Digits, form and account of periods that are written as numbers."""
RECENT = dt.date(1980, 1, 1)
"""Numbers that would be earlier days are numbers."""
TWO_DIGITS = "years of two digits"
SWAPPED = 4
"""Dates, and texts, from which a column split at the twelfth of the month is no chance."""

WAY_OUT = "Write it as day/month/year, such as 05/04/2023, or leave the cell empty if there is no date"
ONE_FORM = "Write every date of the column in one form, such as 05/04/2023"
SAY_MONTH_FIRST = 'Say so under [data]: dates = { format = "%m/%d/%Y" }'


@dataclass(frozen=True, eq=False)
class Dates:
    """A column read as days.

    Attributes
    ----------
    days : array of datetime64[D], shape (n_rows,)
        ``NaT`` where a cell is empty or has a problem.
    notes : tuple of str
        What was read otherwise than as it stands, in words.
    problems : tuple of CellProblem
        Cells that are no date; they hold no value.
    """

    days: np.ndarray
    notes: tuple[str, ...]
    problems: tuple[CellProblem, ...]


def read_dates(cells: Sequence[Any], form: str | None = None) -> Dates:
    """Read a column of dates.

    Parameters
    ----------
    cells : sequence
        One cell a row: text, dates, or day numbers of a spreadsheet; None for an empty cell.
    form : str, optional
        The ``strptime`` form of the cells that are text.
    """
    days: list[dt.date | None] = [None] * len(cells)
    texts: dict[int, str] = {}
    problems: list[CellProblem] = []
    serials, clocks, absent, typed = 0, 0, 0, []
    for at, cell in enumerate(cells):
        if is_empty(cell):
            continue
        if isinstance(cell, dt.datetime):
            clocks += cell.time() != dt.time()
            days[at] = cell.date()
            typed.append(at)
        elif isinstance(cell, dt.date):
            days[at] = cell
            typed.append(at)
        elif isinstance(cell, np.datetime64):
            days[at] = cell.astype("datetime64[D]").item()
            typed.append(at)
        elif isinstance(cell, bool) or not isinstance(cell, (str, int, float, np.number)):
            problems.append(CellProblem(at, "not a date", WAY_OUT))
        else:
            text = _plain(cell)
            if form is None and SERIAL.fullmatch(text) and SERIALS[0] <= float(text) <= SERIALS[1]:
                days[at] = EPOCH + dt.timedelta(days=int(float(text)))
                serials += 1
            elif CLOCK.sub("", text) in PLACEHOLDER_TEXTS:
                days[at] = PLACEHOLDERS[0]
            elif ABSENT.fullmatch(text) and not text.startswith("#"):
                absent += 1
            else:
                texts[at] = text
    bare = {at: CLOCK.sub("", text) for at, text in texts.items()} if form is None else texts
    clocks += sum(bare[at] != text for at, text in texts.items())
    read, notes, wrong = _read(bare, form)
    problems += wrong
    for at, day in read.items():
        days[at] = day
    problems += _swapped([days[at] for at in typed], [(at, read.get(at)) for at in bare])
    empty = [at for at, day in enumerate(days) if day in PLACEHOLDERS]
    for at in empty:
        days[at] = None
    for at, day in enumerate(days):
        if day is not None and not YEARS[0] <= day.year <= YEARS[1]:
            days[at] = None
            problems.append(
                CellProblem(at, f"a year that is not between {YEARS[0]} and {YEARS[1]}", "Correct the slip")
            )
    notes += counted(
        (serials, "held as the day number of a spreadsheet, read as a date"),
        (clocks, "with a time of day, which is left out"),
        (len(empty), "of 1 January 1900, which stands for no date, read as empty"),
        (absent, "that is a sign for a missing date, read as empty"),
        noun="cell",
    )
    if typed and bare and not problems:
        notes.append(
            f"{len(bare):,} of {len(typed) + len(bare):,} dates are text, and were read beside the rest"
        )
    return Dates(
        np.array(days, dtype="datetime64[D]"), tuple(notes), tuple(sorted(problems, key=lambda p: p.at))
    )


def days_in_numbers(cells: Sequence[Any]) -> tuple[list[Any], str] | None:
    """A column of periods that are days or months written as numbers, as dates; None for other columns.

    A workbook whose column lost its date format holds 45017 for 1 April 2023, and many exports write 202304.
    As numbered periods they would have gaps. Cells that are empty stay so.
    """
    filled = [cell for cell in cells if not is_empty(cell)]
    if not filled or any(
        isinstance(cell, bool) or not isinstance(cell, (str, int, float)) for cell in filled
    ):
        return None
    for digits, form, what in NUMBERED:
        days = [_numbered(_plain(cell), digits, form) for cell in filled]
        if all(days):
            rest = iter(days)
            return [None if is_empty(cell) else next(rest) for cell in cells], what
    return None


def _numbered(text: str, digits: int, form: str) -> dt.date | None:
    if len(text) != digits or not (text.isascii() and text.isdigit()):
        return None
    if form:
        day = _day(text, form)
        return day if day is not None and RECENT.year <= day.year < 2100 else None
    day = EPOCH + dt.timedelta(days=int(text))
    return day if RECENT <= day < dt.date(2100, 1, 1) else None


def _plain(cell: Any) -> str:
    """A cell as text: single spaces, "1st April" as "1 April", a workbook's 20230405.0 as 20230405."""
    if isinstance(cell, (float, np.floating)) and np.isfinite(cell) and float(cell).is_integer():
        return str(int(cell))
    text = " ".join(str(cell).split())
    return ORDINAL.sub(r"\1", text)


def _day(text: str, form: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, form).date()
    except (ValueError, OverflowError):
        return None


def _any_form(text: str) -> bool:
    return any(_day(text, known) for known in FORMS)


def _read(
    texts: dict[int, str], form: str | None
) -> tuple[dict[int, dt.date | None], list[str], list[CellProblem]]:
    """The days of cells that are text by one form, with the notes and the problems."""
    if not texts:
        return {}, [], []
    distinct = set(texts.values())
    forms = (form,) if form else FORMS
    by_form = {known: {text: _day(text, known) for text in distinct} for known in forms}
    rows = dict.fromkeys(distinct, 0)
    for text in texts.values():
        rows[text] += 1
    fits = {known: sum(rows[text] for text, day in read.items() if day) for known, read in by_form.items()}
    best = max(forms, key=lambda known: fits[known])  # the first of those that fit as many
    read = by_form[best]
    days = {at: read[text] for at, text in texts.items()}
    if fits[best] == len(texts):
        return days, _told(best, [day for day in read.values() if day], form), []
    if form is None and (american := _month_first(texts, best, read)):
        return dict.fromkeys(texts), [], american
    like = f"; the others are like {dt.date(2023, 4, 5).strftime(best)}" if fits[best] else ""
    wrong = [
        CellProblem(at, _what(texts[at], form) + like, _way_out(texts[at], form))
        for at, day in days.items()
        if day is None
    ]
    return days, [], wrong


def _told(form: str, days: list[dt.date], given: str | None) -> list[str]:
    """What a reader has to know of how the dates were read."""
    if given is not None:
        return []
    notes = []
    if form[:2] == "%d" and form[3:5] == "%m" and all(day.day <= 12 for day in days):
        notes.append("read as day/month/year; no row shows which way round it is")
    if form.endswith("%y"):
        notes.append(f"{TWO_DIGITS} were read as 1969 to 2068")
    return notes


def _month_first(texts: dict[int, str], best: str, read: dict[str, dt.date | None]) -> list[CellProblem]:
    """One problem where every date is month first; one a row where some can only be so; else nothing."""
    for form in MONTH_FIRST:
        swapped = {text: _day(text, form) for text in read}
        if all(swapped.values()):
            first = next(at for at, text in texts.items() if read[text] is None)
            return [CellProblem(first, "these dates are month first", SAY_MONTH_FIRST)]
        unread = [text for text, day in read.items() if day is None]
        if form[2] == best[2] and all(swapped[text] and not _any_form(text) for text in unread):
            what = "a date that can only be month first, where others can only be day first"
            return [CellProblem(at, what, ONE_FORM) for at, text in texts.items() if read[text] is None]
    return []


def _what(text: str, form: str | None) -> str:
    if form is not None:
        return f'not a date of the form "{form}"'
    if _any_form(text):
        return "a date of another form"
    if re.fullmatch(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}", text):
        return "a day that is not in the calendar"
    return "not a date"


def _way_out(text: str, form: str | None) -> str:
    if form is not None:
        return "Write every date in that form, or correct dates = { format = ... } under [data]"
    return ONE_FORM if _any_form(text) else WAY_OUT


def _swapped(typed: list[dt.date | None], texts: list[tuple[int, dt.date | None]]) -> list[CellProblem]:
    """A column whose dates all lie before the thirteenth and whose texts all lie after the twelfth."""
    cells = [day.day <= 12 for day in typed if day]
    after = [day.day > 12 for _, day in texts if day]
    if len(cells) < SWAPPED or len(after) < SWAPPED or not (all(cells) and all(after)):
        return []
    what = "the column is split: to the 12th of a month it holds dates, from the 13th it holds text"
    do = "A spreadsheet has swapped day and month in the first. Import the exported file again, as text"
    return [CellProblem(texts[0][0], what, do)]
