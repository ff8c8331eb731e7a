"""One service or area, one row a period, with the date on which something changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.panel import HEADER_ROWS, Rate, numbers
from ucimpact.data.periods import Frequency, one_period, parse_periods
from ucimpact.errors import DataError, Problem

GAPS_NAMED = 6
MONTH = Frequency("month")
LEAST_MONTHS = 3
"""Days from which one to a month is a habit."""
ROWS_SHOWN = 10
"""Rows of a table that a notebook shows."""


@dataclass(frozen=True, eq=False, repr=False)
class Series:
    """An evenly spaced series and the first period of the pilot.

    Parameters
    ----------
    table : DataFrame
        One row a period, in any order; sorted here, never changed.
    period : str
        Column of dates, months, weeks or numbers.
    start : object
        The first pilot period: a date, "2022-04", or a number that fits the column. A date inside
        a period means that period.
    population : str, optional
        The denominator, positive.
    definition : str, optional
        Column that says under which definition each period was counted.

    Raises
    ------
    DataError
        Listing every problem: a period twice, gaps (named), a start outside the series, a
        population that is not positive.
    """

    table: pd.DataFrame
    period: str = field(default="period", kw_only=True)
    start: Any = field(kw_only=True)
    population: str | None = field(default=None, kw_only=True)
    definition: str | None = field(default=None, kw_only=True)
    rates: Mapping[str, Rate] = field(default_factory=lambda: MappingProxyType({}), kw_only=True)

    frequency: Frequency = field(init=False, repr=False)
    ordinals: np.ndarray = field(init=False, repr=False)
    start_ordinal: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        have = list(map(str, self.table.columns))
        problems = [
            Problem(
                f"there is no such column for the {role}",
                f"The columns are: {', '.join(have[:12])}",
                column=c,
            )
            for role, c in (
                ("period", self.period),
                ("population", self.population),
                ("definition", self.definition),
            )
            if c is not None and have.count(c) != 1
        ]
        if problems:
            raise DataError(problems)
        if not len(self.table):
            raise DataError(Problem("there are no rows", "A series needs periods before and after the start"))
        parsed = parse_periods(self.table[self.period])
        order = np.argsort(parsed.ordinals, kind="stable")
        ordinals = parsed.ordinals[order]
        problems = self._spacing_problems(parsed.frequency, parsed.ordinals, ordinals)
        start = 0
        try:
            start = one_period(self.start, parsed.frequency)
        except (ValueError, TypeError):
            problems.append(
                Problem(
                    f"the start is not a date that fits {parsed.frequency.noun}s",
                    "Write start = 2022-04-01",
                    value=str(self.start),
                )
            )
        else:
            if not ordinals[0] <= start <= ordinals[-1]:
                ends = (parsed.frequency.label(int(ordinals[at])) for at in (0, -1))
                window = " to ".join(ends)
                problems.append(
                    Problem(
                        f"the start, {parsed.frequency.label(start)}, is outside the data ({window})",
                        "Correct the start or add the missing periods",
                    )
                )
        object.__setattr__(self, "table", self.table.iloc[order].reset_index(drop=True))
        object.__setattr__(self, "frequency", parsed.frequency)
        object.__setattr__(self, "ordinals", ordinals)
        object.__setattr__(self, "start_ordinal", start)
        if self.population is not None:
            problems += self._population_problems()
        if problems:
            raise DataError(problems)

    def __repr__(self) -> str:
        counts, noun, label = self.counts(), self.frequency.noun, self.frequency.label
        first, last = (label(int(self.ordinals[at])) for at in (0, -1))
        columns = ", ".join(str(name) for name in self.table.columns if name != self.period)
        return (
            f"Series of {counts['periods']} {noun}s, {first} to {last}: {counts['before']} before the start "
            f"in {label(self.start_ordinal)} and {counts['after']} from it on; columns {columns or 'none'}"
        )

    def _repr_html_(self) -> str:
        import html

        table = self.table.to_html(index=False, max_rows=ROWS_SHOWN, na_rep="")
        return f"<p>{html.escape(repr(self))}</p>{table}"

    def _spacing_problems(
        self, frequency: Frequency, unsorted: np.ndarray, ordinals: np.ndarray
    ) -> list[Problem]:
        problems = []
        steps = np.diff(ordinals)
        for at in np.flatnonzero(steps == 0):
            row = int(np.flatnonzero(unsorted == ordinals[at])[1])
            problems.append(
                Problem(
                    f"{frequency.label(int(ordinals[at]))} stands twice",
                    "Keep one row for each period, or add the rows up before",
                    row=row + HEADER_ROWS,
                    column=self.period,
                )
            )
        number = int((steps[steps > 0] - 1).sum())
        if number:
            absent = (o for a, b in pairwise(ordinals) for o in range(int(a) + 1, int(b)))
            named = ", ".join(frequency.label(o) for o in islice(absent, GAPS_NAMED))
            more = f" and {number - GAPS_NAMED:,} more" if number > GAPS_NAMED else ""
            way_out = "Add a row for each; leave the outcome empty where it is not known"
            if month := _month_of(frequency, ordinals):
                way_out = f"These look like one row a month: write {month}, without the day"
            problems.append(Problem(f"the series has gaps: {named}{more}", way_out, column=self.period))
        return problems

    def _population_problems(self) -> list[Problem]:
        assert self.population is not None
        try:
            read = self.values(self.population)
        except DataError as error:
            return list(error.problems)
        return [
            Problem(
                "the population is missing or not above 0",
                "Fill it in",
                row=int(r) + HEADER_ROWS,
                column=self.population,
                value=str(self.table[self.population].iloc[r]),
            )
            for r in np.flatnonzero(~(np.isfinite(read) & (read > 0)))
        ]

    def values(self, column: str) -> np.ndarray:
        """A column as numbers in time order, shape (n_periods,); missing stays ``nan``."""
        if column not in self.table.columns:
            have = ", ".join(map(str, list(self.table.columns)[:12]))
            raise DataError(Problem("there is no such column", f"The columns are: {have}", column=column))
        return numbers(self.table[column], column)

    @cached_property
    def since(self) -> np.ndarray:
        """Periods since the start: 0 in the first pilot period, negative before; shape (n_periods,)."""
        return self.ordinals - self.start_ordinal

    def ordinal(self, value: object) -> int:
        """The place on the line of one period, given like the start; it may lie outside the series.

        Raises
        ------
        ValueError
            Where the value is not a date or number that fits the periods.
        """
        return one_period(value, self.frequency)

    def labels(self) -> list[str]:
        """Each period as a person writes it."""
        return [self.frequency.label(int(o)) for o in self.ordinals]

    def counts(self) -> dict[str, Any]:
        """Rows, periods, and how many before and after the start."""
        before = int((self.since < 0).sum())
        return {
            "rows": len(self.table),
            "periods": len(self.ordinals),
            "before": before,
            "after": len(self.ordinals) - before,
        }

    @cached_property
    def exposure(self) -> np.ndarray:
        """People times the length of each period over the average, shape (n_periods,)."""
        if self.population is None:
            raise DataError(Problem("a rate needs a population", "Name the column of residents"))
        lengths = np.array([self.frequency.length(int(o)) for o in self.ordinals])
        return np.asarray(self.values(self.population) * lengths)

    def with_rate(self, column: str, *, per: float, name: str | None = None) -> Series:
        """A series with the extra column ``column / exposure * per``, and a note of how it was made.

        Months and quarters are taken as of average length, so that a short February is no fall.
        """
        if self.population is None:
            raise DataError(
                Problem("a rate needs a population", "Name the column of residents", column=column)
            )
        name = name or f"{column} per {per:,.0f}"
        table = self.table.assign(**{name: self.values(column) / self.exposure * per})
        return replace(self, table=table, rates=MappingProxyType({**self.rates, name: Rate(column, per)}))

    def where(self, keep: np.ndarray, *, start: object = None) -> Series:
        """The periods marked True, as a series of their own, with its own start if given."""
        table = self.table.loc[np.asarray(keep, dtype=bool)].reset_index(drop=True)
        return replace(self, table=table, start=self.start if start is None else start)


def _month_of(frequency: Frequency, ordinals: np.ndarray) -> str | None:
    """The last month as a file writes it, where days are one to a month; else None."""
    if frequency.kind != "day" or len(ordinals) < LEAST_MONTHS:
        return None
    months = [MONTH.ordinal(frequency.first_day(int(ordinal))) for ordinal in ordinals]
    apart = np.diff(months)
    return MONTH.iso(months[-1]) if apart.min() >= 1 and np.median(apart) == 1 else None
