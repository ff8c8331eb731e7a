"""People followed from an index date, some of whom had the service.

A Cohort names the roles of the columns of a tidy table (one row a person, or a person and trial) and
checks them once: every problem is listed together in one :class:`~ucimpact.errors.DataError`. Rows are
people, so a problem is told by its row and column and never by a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.panel import HEADER_ROWS
from ucimpact.data.people_columns import (
    MISSING,
    WRITE_DATES,
    at_rows,
    coded,
    day_numbers,
    need,
    numbers_unseen,
)
from ucimpact.errors import DataError, Problem

__all__ = ["MISSING", "Cohort"]


@dataclass(frozen=True, eq=False)
class Cohort:
    """One row a person, with the day on which the clock starts and the days at risk.

    Parameters
    ----------
    table : DataFrame
        One row a person, in any order. It is copied, never changed.
    person : str
        Column that tells people apart. Somebody may have several rows (several discharges).
    pilot : str, optional
        Column of 1 (had the service) and 0; without it everybody had the service.
    index_date : str, optional
        The day on which the clock starts, for both groups: discharge, referral.
    service_start : str, optional
        The day on which the service really began; empty for those who never had it.
    follow_up : str, optional
        Days at risk, above 0; death and leaving the area end them.
    horizon : float, optional
        Days for which everybody was meant to be followed; by default the longest follow-up.
    before : tuple of str, default ()
        Columns of use before the index date, for a before/after and regression to the mean.
    cluster : str, optional
        The level at which people are alike, such as a team.

    Raises
    ------
    DataError
        Listing every problem: columns absent, rows without a person, a pilot that is not 1 or 0, dates
        that cannot be read, days at risk that are missing, not above 0 or beyond the horizon.
    """

    table: pd.DataFrame
    person: str = field(kw_only=True)
    pilot: str | None = field(default=None, kw_only=True)
    index_date: str | None = field(default=None, kw_only=True)
    service_start: str | None = field(default=None, kw_only=True)
    follow_up: str | None = field(default=None, kw_only=True)
    horizon: float | None = field(default=None, kw_only=True)
    before: tuple[str, ...] = field(default=(), kw_only=True)
    cluster: str | None = field(default=None, kw_only=True)

    is_pilot: np.ndarray = field(init=False, repr=False)
    """Whether the person of each row had the service, shape (n_rows,)."""
    days: np.ndarray | None = field(init=False, repr=False)
    """Days at risk, shape (n_rows,); None where no column holds them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", tuple(self.before))
        problems = self._role_problems()
        if problems:
            raise DataError(problems)
        if not len(self.table):
            raise DataError(Problem("there are no rows", "A cohort needs people"))
        object.__setattr__(self, "table", self.table.reset_index(drop=True))
        problems = [
            *self._empty_problems(self.person, "no person", "Give everybody a made-up number of their own"),
            *self._read_pilot(),
            *self._read_days(),
            *self._date_problems(),
        ]
        if self.cluster is not None:
            problems += self._empty_problems(self.cluster, "no cluster", "Fill it in or leave the row out")
        for column in self.before:
            try:
                self.values(column)
            except DataError as error:
                problems += error.problems
        if problems:
            raise DataError(problems)

    # -- checks --------------------------------------------------------------------------

    def _role_problems(self) -> list[Problem]:
        names = ("person", "pilot", "index_date", "service_start", "follow_up", "cluster")
        roles = [(name.replace("_", " "), getattr(self, name)) for name in names]
        roles += [("use before the index date", column) for column in self.before]
        have = list(map(str, self.table.columns))
        problems = []
        for role, column in roles:
            if column is not None and have.count(column) != 1:
                what = "there is no such column" if column not in have else "this name stands twice"
                do = f"The columns are: {', '.join(have[:12])}"
                problems.append(Problem(f"{what} for the {role}", do, column=column))
        if self.service_start is not None and self.index_date is None:
            problems.append(
                Problem(
                    "the day on which the service began needs the day on which the clock starts",
                    "Name the column of index dates",
                    column=self.service_start,
                )
            )
        if self.horizon is not None and not (np.isfinite(self.horizon) and self.horizon > 0):
            problems.append(Problem("the horizon is not above 0", "Give the days of follow-up, such as 90"))
        return problems

    def _empty_problems(self, column: str, what: str, do: str) -> list[Problem]:
        return at_rows(np.flatnonzero(self.codes(column) == MISSING), column, what, do)

    def _read_pilot(self) -> list[Problem]:
        if self.pilot is None:
            object.__setattr__(self, "is_pilot", np.ones(len(self.table), dtype=bool))
            return []
        do = "Write 1 for people who had the service and 0 for those who had not"
        try:
            read = self.values(self.pilot)
        except DataError as error:
            rows = [p.row - HEADER_ROWS for p in error.problems if p.row is not None]
            return at_rows(rows, self.pilot, "not 1 or 0", do)
        object.__setattr__(self, "is_pilot", read == 1)
        return at_rows(np.flatnonzero(~((read == 0) | (read == 1))), self.pilot, "not 1 or 0", do)

    def _read_days(self) -> list[Problem]:
        object.__setattr__(self, "days", None)
        if self.follow_up is None:
            return []
        try:
            days = self.values(self.follow_up)
        except DataError as error:
            return list(error.problems)
        good = np.isfinite(days) & (days > 0)
        problems = at_rows(
            np.flatnonzero(~good),
            self.follow_up,
            "days at risk are missing or not above 0",
            "Count the index date as a day, or leave the row out",
        )
        if self.horizon is None:
            object.__setattr__(self, "horizon", float(days[good].max()) if good.any() else None)
        else:
            problems += at_rows(
                np.flatnonzero(good & (days > self.horizon * (1 + 1e-9))),
                self.follow_up,
                f"more days at risk than the {self.horizon:g} of the follow-up",
                "Cut the days there, and count only what happened within them",
            )
        object.__setattr__(self, "days", days)
        return problems

    def _date_problems(self) -> list[Problem]:
        problems = []
        for column in (self.index_date, self.service_start):
            if column is not None:
                day, bad = day_numbers(self.table[column])
                problems += at_rows(np.flatnonzero(bad), column, "not a date", WRITE_DATES)
                if column == self.index_date:
                    empty = np.flatnonzero(np.isnan(day) & ~bad)
                    problems += at_rows(
                        empty, column, "no index date", "Everybody's clock needs a start: fill it in"
                    )
        return problems

    # -- what estimators read ------------------------------------------------------------

    def values(self, column: str) -> np.ndarray:
        """A column as numbers, shape (n_rows,); missing stays ``nan``.

        Raises
        ------
        DataError
            For a column that is absent, or values that are text or infinite; no value is shown.
        """
        return numbers_unseen(self.table, column)

    def codes(self, column: str) -> np.ndarray:
        """A column of any kind as whole numbers from 0, shape (n_rows,); an empty cell is -1.

        Kinds are numbered in the order of their size or text, so that the order of rows changes nothing.
        """
        need(self.table, column)
        return coded(self.table[column])[0]

    @cached_property
    def persons(self) -> np.ndarray:
        """The person of each row, coded from 0, shape (n_rows,)."""
        return self.codes(self.person)

    @cached_property
    def recurs(self) -> bool:
        """Whether anybody has more than one row."""
        return self._people < len(self.table)

    @property
    def _people(self) -> int:
        return int(self.persons.max()) + 1

    @cached_property
    def clusters(self) -> np.ndarray | None:
        """The cluster of each row, coded from 0, shape (n_rows,); None without the column."""
        return None if self.cluster is None else self.codes(self.cluster)

    @cached_property
    def delay(self) -> np.ndarray | None:
        """Days from the index date to the start of the service in each pilot row, shape (n_pilot,).

        ``nan`` where the start is not known; None where no column holds it.
        """
        if self.index_date is None or self.service_start is None:
            return None
        began, index = (day_numbers(self.table[name])[0] for name in (self.service_start, self.index_date))
        late: np.ndarray = (began - index)[self.is_pilot]
        return late

    def counts(self) -> dict[str, Any]:
        """Rows, people, and rows with and without the service."""
        return {
            "rows": len(self.table),
            "persons": self._people,
            "pilot": int(self.is_pilot.sum()),
            "comparison": int((~self.is_pilot).sum()),
        }

    def where(self, keep: np.ndarray) -> Cohort:
        """The rows marked True, as a cohort of their own with the same horizon."""
        return replace(self, table=self.table.loc[np.asarray(keep, dtype=bool)])
