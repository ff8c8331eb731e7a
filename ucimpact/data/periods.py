"""Months, quarters, weeks, financial years, days and plain numbers as places on a line.

A period is held as an integer *ordinal* that rises by one from each period to the next, so that
gaps, leads and event time are subtraction. A :class:`Frequency` knows how to write an ordinal for
a person ("April 2022") and for a machine ("2022-04").

Dates are read by a fixed list of forms, one form to a column. A column that fits only
day/month/year is read so; one that fits both day first and month first is read day first, and
says so; one that needs both is refused.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ucimpact.errors import DataError, Problem

Kind = Literal["month", "quarter", "week", "day", "financial-year", "number"]
Ordinals = np.ndarray

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
DAYS_IN_YEAR = 365.25
PER_YEAR = {"month": 12.0, "quarter": 4.0, "week": 365.25 / 7, "day": 365.25, "financial-year": 1.0}
DATE_FORMS = (
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y",
    "%d/%m/%y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d %B %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
)
MONTH_FORMS = ("%Y-%m", "%B %Y", "%b %Y", "%b-%y", "%b-%Y", "%B-%Y", "%m/%Y", "%Y/%m")
NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
QUARTER = re.compile(r"(?:(\d{4})[ -]?Q([1-4])|Q([1-4])[ -](\d{4}))", re.IGNORECASE)
WEEK = re.compile(r"(\d{4})-?W(\d{2})", re.IGNORECASE)
YEAR = re.compile(r"(\d{4})[/-](\d{2}|\d{4})")
YEARS = (1800, 2199)
"""First and last year in which a record can lie; others are slips."""


@dataclass(frozen=True)
class Frequency:
    """The spacing of a line of periods.

    ``anchor`` is the weekday on which weeks begin (0 = Monday); other kinds leave it 0.
    """

    kind: Kind
    anchor: int = 0

    @property
    def per_year(self) -> float | None:
        """Periods in a year, or None for plain numbers."""
        return PER_YEAR.get(self.kind)

    @property
    def noun(self) -> str:
        """What one period is called: "month", "week", "period"."""
        nouns = {"financial-year": "financial year", "number": "period"}
        return nouns.get(self.kind, self.kind)

    def ordinal(self, day: dt.date) -> int:
        """The period that holds this day."""
        if self.kind == "month":
            return day.year * 12 + day.month - 1
        if self.kind == "quarter":
            return day.year * 4 + (day.month - 1) // 3
        if self.kind == "week":
            return (day.toordinal() - 1 - self.anchor) // 7
        if self.kind == "financial-year":
            return day.year - (day.month < 4)
        if self.kind == "day":
            return day.toordinal()
        raise ValueError("numbered periods hold no days")

    def first_day(self, ordinal: int) -> dt.date:
        """The first day of a period."""
        if self.kind == "month":
            return dt.date(ordinal // 12, ordinal % 12 + 1, 1)
        if self.kind == "quarter":
            return dt.date(ordinal // 4, ordinal % 4 * 3 + 1, 1)
        if self.kind == "week":
            return dt.date.fromordinal(ordinal * 7 + 1 + self.anchor)
        if self.kind == "financial-year":
            return dt.date(ordinal, 4, 1)
        if self.kind == "day":
            return dt.date.fromordinal(ordinal)
        raise ValueError("numbered periods hold no days")

    def length(self, ordinal: int) -> float:
        """Days of a month or quarter over the average; 1 for periods that are all as long.

        February has a tenth fewer days than March: a count that follows its days falls by a tenth.
        """
        if self.kind not in ("month", "quarter") or self.per_year is None:
            return 1.0
        days = (self.first_day(ordinal + 1) - self.first_day(ordinal)).days
        return days * self.per_year / DAYS_IN_YEAR

    def label(self, ordinal: int) -> str:
        """How a person writes the period: "April 2022", "week from 5 January 2023"."""
        if self.kind == "number":
            return str(ordinal)
        if self.kind == "financial-year":
            return f"{ordinal}/{(ordinal + 1) % 100:02d}"
        day = self.first_day(ordinal)
        if self.kind == "month":
            return f"{MONTHS[day.month - 1]} {day.year}"
        if self.kind == "quarter":
            return f"{MONTHS[day.month - 1]} to {MONTHS[day.month + 1]} {day.year}"
        written = f"{day.day} {MONTHS[day.month - 1]} {day.year}"
        return f"week from {written}" if self.kind == "week" else written

    def iso(self, ordinal: int) -> str:
        """How a file writes the period: "2022-04", "2022-Q2", "2023-01-05", "2022/23"."""
        if self.kind in ("number", "financial-year"):
            return self.label(ordinal)
        day = self.first_day(ordinal)
        if self.kind == "month":
            return f"{day:%Y-%m}"
        if self.kind == "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        return day.isoformat()


@dataclass(frozen=True)
class Parsed:
    """A column of periods: their frequency, one ordinal a row, and how they were read."""

    frequency: Frequency
    ordinals: Ordinals
    note: str = ""


def parse_periods(values: pd.Series, *, form: str | None = None) -> Parsed:
    """Read a column of periods.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        Dates, pandas periods, whole numbers, or text in one of the forms of this module.
    form : str, optional
        A ``strptime`` form, for a column that could be read in two ways.

    Raises
    ------
    DataError
        Naming the rows that cannot be read, or that break the form of the rest.
    """
    parsed = _parsed(values, form)
    if parsed.frequency.kind == "number":
        return parsed
    low = parsed.frequency.ordinal(dt.date(YEARS[0], 1, 1))
    high = parsed.frequency.ordinal(dt.date(YEARS[1], 12, 31))
    slips = np.flatnonzero((parsed.ordinals < low) | (parsed.ordinals > high))
    if slips.size:
        raise DataError(
            [
                Problem(
                    f"a year that is not between {YEARS[0]} and {YEARS[1]}",
                    "Correct the slip",
                    row=int(row) + 2,
                    column=str(values.name),
                    value=str(values.iloc[row]),
                )
                for row in slips
            ]
        )
    return parsed


def _parsed(values: pd.Series, form: str | None) -> Parsed:
    name = str(values.name)
    if values.isna().any():
        rows = np.flatnonzero(values.isna().to_numpy())
        raise DataError(
            [
                Problem("no period", "Fill it in or take the row out", row=int(r) + 2, column=name)
                for r in rows
            ]
        )
    if isinstance(values.dtype, pd.PeriodDtype):
        declared = _frequency_of(values.dtype)
        days = [stamp.date() for stamp in values.dt.start_time]
        if declared is not None:
            return Parsed(declared, np.array([declared.ordinal(day) for day in days], dtype=np.int64))
        return _from_days(days)
    if pd.api.types.is_datetime64_any_dtype(values):
        return _from_days([stamp.date() for stamp in values])
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype=float)
        bad = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.round(numbers)))
        if bad.size:
            raise DataError(
                [
                    Problem(
                        "not a whole number",
                        "Number the periods 1, 2, 3",
                        row=int(r) + 2,
                        column=name,
                        value=str(numbers[r]),
                    )
                    for r in bad
                ]
            )
        return Parsed(Frequency("number"), numbers.astype(np.int64))
    if len(values) and all(isinstance(v, dt.date) for v in values):
        return _from_days([v.date() if isinstance(v, dt.datetime) else v for v in values])
    return _from_text([str(v).strip() for v in values], name, form)


def as_periods(frequency: Frequency, ordinals: np.ndarray) -> pd.Series:
    """Ordinals as a column that keeps its frequency: pandas periods, or whole numbers.

    ``nan`` becomes a missing value. :func:`parse_periods` reads the column back without guessing.
    """
    known = np.asarray(ordinals, dtype=float)
    if frequency.kind == "number":
        whole = np.isfinite(known).all()
        return pd.Series(known.astype(np.int64) if whole else known)
    code = {"month": "M", "quarter": "Q", "day": "D", "financial-year": "Y-MAR"}.get(
        frequency.kind, f"W-{WEEKDAYS[(frequency.anchor - 1) % 7]}"
    )
    days = {o: np.datetime64(frequency.first_day(int(o)), "s") for o in np.unique(known[np.isfinite(known)])}
    stamps = np.array([days.get(o, np.datetime64("NaT")) for o in known], dtype="datetime64[s]")
    return pd.Series(pd.DatetimeIndex(stamps).to_period(code))


def _frequency_of(dtype: pd.PeriodDtype) -> Frequency | None:
    """The frequency that a column of pandas periods declares; None for those we have no line for."""
    code, _, suffix = dtype.name.removeprefix("period[").removesuffix("]").partition("-")
    if code == "W":
        return Frequency("week", anchor=(WEEKDAYS.index(suffix) + 1) % 7)
    if code in ("Y", "A"):
        return Frequency("financial-year") if suffix == "MAR" else None
    kinds: dict[str, Kind] = {"M": "month", "Q": "quarter", "D": "day"}
    return Frequency(kinds[code]) if code in kinds else None


def parse_day(text: str, *, form: str | None = None) -> dt.date:
    """Read one date or month (a month means its first day); ``ValueError`` where it is neither."""
    text = text.strip()
    for known in (form,) if form else DATE_FORMS + MONTH_FORMS:
        day = _strptime(text, known)
        if day is not None:
            return day
    raise ValueError(f"{text!r} is not a date in a form we read")


def _strptime(text: str, form: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, form).date()
    except ValueError:
        return None


def _read_by(texts: Sequence[str], form: str) -> list[dt.date | None]:
    known: dict[str, dt.date | None] = {t: _strptime(t, form) for t in set(texts)}
    return [known[t] for t in texts]


def _from_text(texts: Sequence[str], name: str, form: str | None) -> Parsed:
    if form is not None:
        days = _read_by(texts, form)
        problems = [
            Problem(
                f'not a date of the form "{form}", such as {_example(form)}',
                "Write every period in that form, or correct dates = { format = ... } under [data]",
                row=row + 2,
                column=name,
                value=text,
            )
            for row, (day, text) in enumerate(zip(days, texts, strict=True))
            if day is None
        ]
        if problems:
            raise DataError(problems)
        return _from_days([day for day in days if day])
    if all(NUMBER.fullmatch(t) for t in texts):
        return Parsed(Frequency("number"), np.array([int(t) for t in texts], dtype=np.int64))
    for pattern, build in ((QUARTER, _quarter), (WEEK, _iso_week), (YEAR, _financial_year)):
        found = [pattern.fullmatch(t) for t in texts]
        if all(found):
            built = [build(match) for match in found if match]
            if all(b is not None for b in built):
                kind: Kind = {QUARTER: "quarter", WEEK: "week", YEAR: "financial-year"}[pattern]  # type: ignore[assignment]
                return Parsed(Frequency(kind), np.array(built, dtype=np.int64))
    for known in MONTH_FORMS:
        days = _read_by(texts, known)
        if all(days):
            ordinals = [Frequency("month").ordinal(day) for day in days if day]
            return Parsed(Frequency("month"), np.array(ordinals, dtype=np.int64))
    for known in DATE_FORMS:
        days = _read_by(texts, known)
        if all(days):
            return _from_dates([day for day in days if day], texts, name, known)
    raise DataError(_unread(texts, name))


def _from_dates(days: list[dt.date], texts: Sequence[str], name: str, form: str) -> Parsed:
    """Dates that all fit one form; refused where they fit month first as well and mean more so."""
    parsed = _from_days(days)
    if not form.startswith("%d/%m") or any(day.day > 12 for day in days):
        return parsed
    swapped = _from_days([day.replace(month=day.day, day=day.month) for day in days])
    if parsed.frequency.kind == "day" and swapped.frequency.kind != "day":
        raise DataError(
            Problem(
                "these dates could be day first or month first",
                'Say which under [data]: dates = { format = "%d/%m/%Y" } or { format = "%m/%d/%Y" }',
                column=name,
                value=texts[0],
            )
        )
    note = f"`{name}` was read as day/month/year; no row shows which way round it is"
    return Parsed(parsed.frequency, parsed.ordinals, note)


def _unread(texts: Sequence[str], name: str) -> list[Problem]:
    """What is wrong with a column that no one form reads: the rows that break the form of most."""
    fits: dict[str, list[bool]] = {}
    for form in MONTH_FORMS + DATE_FORMS:
        fits[_example(form)] = [day is not None for day in _read_by(texts, form)]
    fits["1"] = [bool(NUMBER.fullmatch(text)) for text in texts]
    for example, pattern, build in (
        ("2022 Q2", QUARTER, _quarter),
        ("2022-W14", WEEK, _iso_week),
        ("2022/23", YEAR, _financial_year),
    ):
        matches = [pattern.fullmatch(text) for text in texts]
        fits[example] = [match is not None and build(match) is not None for match in matches]
    like = max(fits, key=lambda example: sum(fits[example]))
    day_first = fits[_example("%d/%m/%Y")]
    month_first = [day is not None for day in _read_by(texts, "%m/%d/%Y")]
    if all(month_first):
        way_out = 'Say so under [data]: dates = { format = "%m/%d/%Y" }'
        return [Problem("these dates are month first", way_out, row=2, column=name, value=texts[0])]
    if fits[like] == day_first and all(a or b for a, b in zip(day_first, month_first, strict=True)):
        row = day_first.index(False)
        way_out = (
            'Write every date the same way, then say which under [data]: dates = { format = "%d/%m/%Y" }'
        )
        what = "day/month and month/day dates are mixed"
        return [Problem(what, way_out, row=row + 2, column=name, value=texts[row])]
    rest = f", where the rest are like {like}" if any(fits[like]) else ""
    return [
        Problem(
            f"not a period we can read{rest}",
            "Write every period in one form, such as 2022-04, 01/04/2022 or April 2022",
            row=row + 2,
            column=name,
            value=text,
        )
        for row, (text, fit) in enumerate(zip(texts, fits[like], strict=True))
        if not fit
    ]


def _example(form: str) -> str:
    return dt.date(2022, 4, 1).strftime(form)


def _quarter(match: re.Match[str]) -> int:
    year, quarter = (match[1], match[2]) if match[1] else (match[4], match[3])
    return int(year) * 4 + int(quarter) - 1


def _iso_week(match: re.Match[str]) -> int | None:
    try:
        return Frequency("week").ordinal(dt.date.fromisocalendar(int(match[1]), int(match[2]), 1))
    except ValueError:
        return None


def _financial_year(match: re.Match[str]) -> int | None:
    first, second = int(match[1]), int(match[2])
    return first if second % 100 == (first + 1) % 100 and (second < 100 or second == first + 1) else None


def _from_days(days: Sequence[dt.date]) -> Parsed:
    """Months if every day is the first (or the last) of one; weeks if seven days apart; else days."""
    distinct = sorted(set(days))
    month = Frequency("month")
    firsts = all(day.day == 1 for day in distinct)
    lasts = all(day.day == calendar.monthrange(day.year, day.month)[1] for day in distinct)
    if firsts or lasts:
        months = np.array([month.ordinal(day) for day in days], dtype=np.int64)
        steps: np.ndarray = np.diff(np.unique(months))
        if steps.size > 1 and np.all(steps % 3 == 0) and np.unique(months % 3).size == 1:
            quarter = Frequency("quarter")
            if all(day.month % 3 == (1 if firsts else 0) for day in distinct):
                if np.all(steps % 12 == 0) and all(day.month == (4 if firsts else 3) for day in distinct):
                    year = Frequency("financial-year")
                    return Parsed(year, np.array([year.ordinal(d) for d in days], dtype=np.int64))
                return Parsed(quarter, np.array([quarter.ordinal(d) for d in days], dtype=np.int64))
        return Parsed(month, months)
    gaps: np.ndarray = np.diff([day.toordinal() for day in distinct])
    if gaps.size and np.all(gaps % 7 == 0):
        week = Frequency("week", anchor=distinct[0].weekday())
        return Parsed(week, np.array([week.ordinal(day) for day in days], dtype=np.int64))
    daily = Frequency("day")
    return Parsed(daily, np.array([daily.ordinal(day) for day in days], dtype=np.int64))


def one_period(value: object, frequency: Frequency, *, form: str | None = None) -> int:
    """Place one value (a start, an end of a window) on a line of periods already read.

    Raises
    ------
    ValueError
        Where the value is not a date, a month or a number that fits the line.
    """
    if frequency.kind == "number":
        number = float(str(value))
        if number != round(number):
            raise ValueError(f"{value!r} is not a whole number")
        return int(number)
    if isinstance(value, pd.Period):
        value = value.start_time
    if isinstance(value, (dt.datetime, pd.Timestamp)):
        return _placed(value.date(), frequency)
    if isinstance(value, dt.date):
        return _placed(value, frequency)
    text = str(value).strip()
    for pattern, build, kind in (
        (QUARTER, _quarter, "quarter"),
        (WEEK, _iso_week, "week"),
        (YEAR, _financial_year, "financial-year"),
    ):
        match = pattern.fullmatch(text)
        if match and frequency.kind == kind:
            built = build(match)
            if built is not None:
                return built
    return _placed(parse_day(text, form=form), frequency)


def _placed(day: dt.date, frequency: Frequency) -> int:
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise ValueError(f"{day} is not between {YEARS[0]} and {YEARS[1]}")
    return frequency.ordinal(day)
