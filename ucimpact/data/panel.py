"""Units followed over periods, some of which start a pilot.

A Panel names the roles of the columns of a tidy table (one row a unit and period) and checks them
once: every problem is listed together in one :class:`~ucimpact.errors.DataError`. Estimators read
it and never change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.periods import Frequency, one_period, parse_periods
from ucimpact.errors import DataError, Problem

HEADER_ROWS = 2
"""Row 0 of a table is line 2 of the file it came from."""


CODES = np.int32
"""Units and periods of rows: half the memory of the widest, and 2,000 million of each."""

AT_ONCE = 65_536
"""Rows looked up at a time."""

COPY_ON_WRITE = int(pd.__version__.split(".")[0]) >= 3
"""From pandas 3 a shallow copy keeps what it shows whatever is done to the original."""


@dataclass(frozen=True)
class _Said:
    """Words for a column of starts, or of ends."""

    noun: str
    a: str
    verb: str
    past: str
    way_out: str


STARTS = _Said(
    "start",
    "a start",
    "starts",
    "started",
    "Write the first pilot period, or leave it empty for a unit that never starts",
)
ENDS = _Said(
    "end",
    "an end",
    "stops",
    "stopped",
    "Write the last pilot period, or leave it empty where the pilot goes on",
)


@dataclass(frozen=True)
class Rate:
    """A column made as ``numerator / population * per``: say "per 1,000 registered patients"."""

    numerator: str
    per: float


@dataclass(frozen=True, eq=False)
class Panel:
    """Unit by period data, with the pilot's start in each unit.

    Parameters
    ----------
    table : DataFrame
        One row a unit and period, in any order. It is copied, never changed.
    unit, period, start : str
        Columns: the unit (practice, trust, ward); the period (dates, months, weeks, numbers); the
        unit's first pilot period. A start that is missing, infinite, or (numbered periods) 0 before
        the first period means never.
    population : str, optional
        The denominator: list size, residents. Positive.
    weight : str, optional
        Analysis weights, not negative.
    cluster : str, optional
        The place or decision at which the pilot was given out, where that is not the unit.
    end : str, optional
        The unit's last pilot period, empty where the pilot goes on. The estimators that exist suppose
        that a pilot, once begun, goes on, and refuse one that stops within the data.

    Raises
    ------
    DataError
        Listing every problem: columns absent, a unit twice in a period, a start outside the
        window or changing within a unit, a population that is not positive.
    """

    table: pd.DataFrame
    unit: str = field(default="unit", kw_only=True)
    period: str = field(default="period", kw_only=True)
    start: str = field(default="start", kw_only=True)
    population: str | None = field(default=None, kw_only=True)
    weight: str | None = field(default=None, kw_only=True)
    cluster: str | None = field(default=None, kw_only=True)
    end: str | None = field(default=None, kw_only=True)
    rates: Mapping[str, Rate] = field(default_factory=lambda: MappingProxyType({}), kw_only=True)

    def __post_init__(self) -> None:
        problems = self._role_problems()
        if problems:
            raise DataError(problems)
        frame = self.table.copy(deep=not COPY_ON_WRITE)
        if not len(frame):
            raise DataError(Problem("there are no rows", "A panel needs units before and after a start"))
        frequency, ordinals, period_codes = coded_periods(frame[self.period])
        units, unit_codes = _coded_names(frame[self.unit])
        object.__setattr__(self, "table", frame)
        object.__setattr__(self, "frequency", frequency)
        object.__setattr__(self, "units", units)
        object.__setattr__(self, "unit_codes", unit_codes)
        object.__setattr__(self, "ordinals", ordinals)
        object.__setattr__(self, "period_codes", period_codes)
        start_ordinals, problems = self._unit_days(self.start, STARTS)
        ends, found = self._unit_days(self.end, ENDS) if self.end else (np.full(len(units), np.nan), [])
        object.__setattr__(self, "start_ordinals", start_ordinals)
        object.__setattr__(self, "end_ordinals", ends)
        problems += found or self._wrong_ends()
        problems += self._row_problems()
        if problems:
            raise DataError(problems)

    frequency: Frequency = field(init=False, repr=False)
    units: tuple[str, ...] = field(init=False, repr=False)
    unit_codes: np.ndarray = field(init=False, repr=False)
    ordinals: np.ndarray = field(init=False, repr=False)
    period_codes: np.ndarray = field(init=False, repr=False)
    start_ordinals: np.ndarray = field(init=False, repr=False)
    """Ordinal of the first pilot period of each unit (float), ``nan`` for never."""
    end_ordinals: np.ndarray = field(init=False, repr=False)
    """Ordinal of the last pilot period of each unit (float), ``nan`` where the pilot goes on."""

    def _role_problems(self) -> list[Problem]:
        roles = {
            "unit": self.unit,
            "period": self.period,
            "start": self.start,
            "end": self.end,
            "population": self.population,
            "weight": self.weight,
            "cluster": self.cluster,
        }
        have = list(map(str, self.table.columns))
        problems = []
        for role, column in roles.items():
            if column is not None and have.count(column) != 1:
                what = "there is no such column" if column not in have else "this name stands twice"
                problems.append(
                    Problem(
                        f"{what} for the {role}", f"The columns are: {', '.join(have[:12])}", column=column
                    )
                )
        if not problems and self.table[self.unit].isna().any():
            rows = np.flatnonzero(self.table[self.unit].isna().to_numpy())
            problems += [
                Problem(
                    "no unit", "Name the unit or take the row out", row=int(r) + HEADER_ROWS, column=self.unit
                )
                for r in rows
            ]
        return problems

    def _unit_days(self, column_name: str, said: _Said) -> tuple[np.ndarray, list[Problem]]:
        """The first (or last) pilot period of each unit, and what is wrong with the column."""
        column = self.table[column_name]
        codes, values = coded(column)
        place = np.array([self._one_start(value) for value in values] + [np.nan])
        unreadable = place == np.inf
        problems = [
            Problem(
                f"not {said.a} that fits {self.frequency.noun}s",
                said.way_out,
                row=int(row) + HEADER_ROWS,
                column=column_name,
                value=str(column.iloc[row]),
            )
            for row in (np.flatnonzero(unreadable[codes]) if unreadable.any() else ())
        ]
        days = np.full(len(self.units), np.nan)
        if problems:
            return days, problems
        day = np.empty(len(self.units), dtype=CODES)
        day[self.unit_codes[::-1]] = codes[::-1]  # so that the first row of each unit stays
        days = place[day]
        for unit, row in self._changing(codes, day, place):
            empty, value = _found(column.iloc[row])
            problems.append(
                Problem(
                    f"the {said.noun} of {self.units[unit]} changes from row to row{empty}",
                    f"A unit {said.verb} once: give the same {said.noun} in each of its rows",
                    row=row + HEADER_ROWS,
                    column=column_name,
                    value=value,
                )
            )
        low, high = self.ordinals[0], self.ordinals[-1]
        late = days > high if said is STARTS else np.zeros(len(days), dtype=bool)
        for code in np.flatnonzero((days < low) | late):
            label = self.frequency.label(int(days[code]))
            window = f"{self.frequency.label(int(low))} to {self.frequency.label(int(high))}"
            problems.append(
                Problem(
                    f"{self.units[code]} {said.verb} outside the data ({window})",
                    f"Leave the unit out, or add the missing periods; empty its {said.noun} only if it never "
                    f"{said.past}",
                    column=column_name,
                    row=int(np.argmax(self.unit_codes == code)) + HEADER_ROWS,
                    value=label,
                )
            )
        return days, problems

    def _changing(self, codes: np.ndarray, day: np.ndarray, place: np.ndarray) -> list[tuple[int, int]]:
        """Units whose rows do not all say the same, and the first row that says something else."""
        rows = np.flatnonzero(codes != day[self.unit_codes])
        units = self.unit_codes[rows]
        read, expected = place[codes[rows]], place[day[units]]
        differs = (read != expected) & ~(np.isnan(read) & np.isnan(expected))
        found, first = np.unique(units[differs], return_index=True)
        return [(int(code), int(row)) for code, row in zip(found, rows[differs][first], strict=True)]

    def _wrong_ends(self) -> list[Problem]:
        """Units that stop before they start, or stop and never start."""
        stops = ~np.isnan(self.end_ordinals)
        wrong = stops & ~(self.end_ordinals >= self.start_ordinals)
        return [
            Problem(
                f"{self.units[code]} stops before it starts, or never starts",
                "Write the last period of its pilot, or leave it empty where the pilot goes on",
                column=self.end,
                value=self.frequency.label(int(self.end_ordinals[code])),
            )
            for code in np.flatnonzero(wrong)
        ]

    def _one_start(self, value: object) -> float:
        """Ordinal of a start; nan for never; inf where it cannot be read."""
        if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
            return np.nan
        if isinstance(value, str) and value.strip().lower() in ("", "never"):
            return np.nan
        try:
            ordinal = one_period(value, self.frequency)
        except (ValueError, TypeError):
            return np.inf
        if self.frequency.kind == "number" and ordinal == 0 and self.ordinals[0] > 0:
            return np.nan
        return float(ordinal)

    def _keys(self, rows: slice) -> np.ndarray:
        """One number for each pair of unit and period."""
        key = self.unit_codes[rows].astype(np.int64)
        key *= len(self.ordinals)
        key += self.period_codes[rows]
        return key

    def _in_order(self) -> bool:
        """Whether rows stand unit by unit and period by period, so that none stands twice."""
        last = -1
        for at in range(0, len(self.unit_codes), AT_ONCE):
            key = self._keys(slice(at, at + AT_ONCE))
            if key[0] <= last or not bool((key[1:] > key[:-1]).all()):
                return False
            last = int(key[-1])
        return True

    def _row_problems(self) -> list[Problem]:
        problems: list[Problem] = []
        key = np.empty(0, dtype=np.int64) if self._in_order() else self._keys(slice(None))
        for row in _first_of_repeats(key):
            label = self.frequency.label(int(self.ordinals[self.period_codes[row]]))
            twice = np.flatnonzero(key == key[row])
            problems.append(
                Problem(
                    f"{self.units[self.unit_codes[row]]} stands {len(twice)} times in {label}",
                    "Keep one row for each unit and period, or add the rows up before",
                    row=int(twice[1]) + HEADER_ROWS,
                )
            )
        for role, column, good in (
            ("population", self.population, lambda v: np.isfinite(v) & (v > 0)),
            ("weight", self.weight, lambda v: np.isfinite(v) & (v >= 0)),
        ):
            if column is not None:
                problems += _not_good(self.table[column], column, role, good)
        if self.cluster is not None:
            places = _coded_names(self.table[self.cluster])[1]
            pairs = pd.DataFrame({"unit": self.unit_codes, "cluster": places})
            many = pairs.drop_duplicates().groupby("unit").size()
            for code in many.index[many > 1]:
                problems.append(
                    Problem(
                        f"{self.units[code]} is in more than one place",
                        "A unit belongs to one place throughout",
                        column=self.cluster,
                    )
                )
        return problems

    # -- what estimators read ------------------------------------------------------------

    def values(self, column: str) -> np.ndarray:
        """A column as numbers, shape (n_rows,); missing stays ``nan``.

        Raises
        ------
        DataError
            For a column that is absent, or values that are text or infinite.
        """
        if column not in self.table.columns:
            have = ", ".join(map(str, list(self.table.columns)[:12]))
            raise DataError(Problem("there is no such column", f"The columns are: {have}", column=column))
        return numbers(self.table[column], column)

    @cached_property
    def pilot_units(self) -> np.ndarray:
        """Whether each unit ever starts, shape (n_units,)."""
        starts: np.ndarray = ~np.isnan(self.start_ordinals)
        return starts

    @cached_property
    def stopped(self) -> np.ndarray:
        """Units whose pilot ends before the data do, shape (n_units,)."""
        before: np.ndarray = self.end_ordinals < self.ordinals[-1]
        return before

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The different start periods, as ordinals."""
        return tuple(int(s) for s in np.unique(self.start_ordinals[self.pilot_units]))

    @cached_property
    def treated(self) -> np.ndarray:
        """Whether the pilot runs in each row, shape (n_rows,)."""
        begun: np.ndarray = self.ordinals[self.period_codes] >= self.start_ordinals[self.unit_codes]
        return begun

    @cached_property
    def is_balanced(self) -> bool:
        """Whether every unit has a row in every period."""
        return len(self.table) == len(self.units) * len(self.ordinals)

    @cached_property
    def cluster_codes(self) -> np.ndarray:
        """The place of each unit, coded from 0, shape (n_units,); the unit itself without ``cluster``."""
        if self.cluster is None:
            return np.arange(len(self.units))
        first = np.zeros(len(self.units), dtype=np.int64)
        first[self.unit_codes] = np.arange(len(self.table))
        return _coded_names(self.table[self.cluster].iloc[first])[1]

    @property
    def place_names(self) -> tuple[str, ...]:
        """What the places of :attr:`cluster_codes` are called: the units themselves without ``cluster``."""
        return self.units if self.cluster is None else _coded_names(self.table[self.cluster])[0]

    def labels(self) -> list[str]:
        """Each period as a person writes it."""
        return [self.frequency.label(int(o)) for o in self.ordinals]

    def counts(self) -> dict[str, Any]:
        """Rows, units, pilot units, comparison units, places and periods."""
        places = self.cluster_codes
        return {
            "rows": len(self.table),
            "units": len(self.units),
            "pilot_units": int(self.pilot_units.sum()),
            "comparison_units": int((~self.pilot_units).sum()),
            "places": int(np.unique(places).size),
            "pilot_places": int(np.unique(places[self.pilot_units]).size),
            "periods": len(self.ordinals),
        }

    # -- panels made from this one -------------------------------------------------------

    def with_rate(self, column: str, *, per: float, name: str | None = None) -> Panel:
        """A panel with the extra column ``column / population * per``, and a note of how it was made.

        Estimators use the note to turn an effect on the rate into a number of events.
        """
        if self.population is None:
            raise DataError(
                Problem("a rate needs a population", "Name the column of list sizes", column=column)
            )
        name = name or f"{column} per {per:,.0f}"
        table = self.table.assign(**{name: self.values(column) / self.values(self.population) * per})
        return replace(self, table=table, rates=MappingProxyType({**self.rates, name: Rate(column, per)}))

    def weighted_by_people(self) -> Panel:
        """A panel whose weight is each unit's mean population, so that an effect is per person.

        The mean is held over time: an effect then weighs units alike before and after the start.
        """
        if self.population is None:
            raise DataError(Problem("weights by people need a population", "Name the column of list sizes"))
        people = self.values(self.population)
        rows = np.bincount(self.unit_codes, minlength=len(self.units))
        mean = np.bincount(self.unit_codes, people, len(self.units)) / rows
        name = f"mean {self.population}"
        return replace(self, table=self.table.assign(**{name: mean[self.unit_codes]}), weight=name)

    def where(self, keep: np.ndarray) -> Panel:
        """The rows marked True, as a panel of their own."""
        return replace(self, table=self.table.loc[np.asarray(keep, dtype=bool)].reset_index(drop=True))


def coded(values: pd.Series) -> tuple[np.ndarray, Any]:
    """Code of each row, -1 where there is no value, and the different values; whole numbers by look-up.

    A look-up of numbers that lie close needs no table of hashes and no codes of eight bytes.
    """
    if pd.api.types.is_integer_dtype(values) and isinstance(held := values.to_numpy(copy=False), np.ndarray):
        low, high = int(held.min()), int(held.max())
        if high - low <= len(held) + 1_000_000 and held.dtype.kind in "iu":
            there = np.zeros(high - low + 1, dtype=bool)
            parts = [slice(at, at + AT_ONCE) for at in range(0, len(held), AT_ONCE)]
            for part in parts:
                there[held[part] - low] = True
            rank = np.cumsum(there, dtype=CODES) - CODES(1)
            codes = np.empty(len(held), dtype=CODES)
            for part in parts:
                codes[part] = rank[held[part] - low]
            return codes, pd.Index(np.flatnonzero(there) + low)
    found, different = pd.factorize(values)
    return found.astype(CODES), different


def coded_periods(values: pd.Series) -> tuple[Frequency, np.ndarray, np.ndarray]:
    """Spacing, ordinals in order and the code of each row; each different value is read once."""
    codes, different = coded(values)
    if (codes < 0).any():
        parse_periods(values)  # says which rows have none
    try:
        parsed = parse_periods(pd.Series(different, name=values.name))
    except DataError:
        parsed = parse_periods(values)  # the same complaint, with the rows of the table
        codes = np.arange(len(values))
    ordinals, places = np.unique(parsed.ordinals, return_inverse=True)
    narrow = np.int16 if len(ordinals) < np.iinfo(np.int16).max else CODES
    return parsed.frequency, ordinals, places.reshape(-1).astype(narrow)[codes]


def _coded_names(values: pd.Series) -> tuple[tuple[str, ...], np.ndarray]:
    """Names as text, in order (numbers by size), and the code of each row."""
    if pd.api.types.is_integer_dtype(values) and not values.hasnans:
        codes, different = coded(values)
        if different.is_monotonic_increasing:
            return tuple(map(str, different.tolist())), codes
    else:
        codes, different = pd.factorize(values, use_na_sentinel=False)
    if pd.api.types.is_integer_dtype(different):
        order = np.argsort(np.asarray(different))
        return tuple(str(v) for v in np.asarray(different)[order]), np.argsort(order).astype(CODES)[codes]
    names, places = np.unique(np.array([str(v) for v in different], dtype=object), return_inverse=True)
    return tuple(names), places.reshape(-1).astype(CODES)[codes]


def _first_of_repeats(key: np.ndarray) -> np.ndarray:
    """First row of each key that stands more than once."""
    if not len(key):
        return np.empty(0, dtype=np.intp)
    if int(key.max()) <= 4 * len(key) + 1_000_000 and not (np.bincount(key) > 1).any():
        return np.empty(0, dtype=np.intp)
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    return np.asarray(first[counts > 1])


def numbers(values: pd.Series, column: str) -> np.ndarray:
    """A column as floats; text and infinities are refused, row by row."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        out = values.to_numpy(dtype=float, na_value=np.nan)
        text = np.zeros(len(out), dtype=bool)
    else:
        read = pd.to_numeric(values.astype(object).where(values.notna(), None), errors="coerce")
        out = read.to_numpy(dtype=float)
        text = np.isnan(out) & values.notna().to_numpy()
    bad = np.flatnonzero(text | np.isinf(out))
    if bad.size:
        raise DataError(
            [
                Problem(
                    "not a number" if text[row] else "an infinite number",
                    "Write a number, or leave the cell empty if it is not known",
                    row=int(row) + HEADER_ROWS,
                    column=column,
                    value=str(values.iloc[row]),
                )
                for row in bad
            ]
        )
    return out


def _found(value: object) -> tuple[str, str | None]:
    """What a message says of an empty cell, and the value it shows of any other."""
    empty = value is None or value is pd.NaT or value is pd.NA or value != value or str(value).strip() == ""
    return (" (found an empty cell)", None) if empty else ("", str(value))


def _not_good(
    values: pd.Series, column: str, role: str, good: Callable[[np.ndarray], np.ndarray]
) -> list[Problem]:
    try:
        read = numbers(values, column)
    except DataError as error:
        return list(error.problems)
    rows = np.flatnonzero(~good(read))
    wanted = "above 0" if role == "population" else "0 or more"
    cells = [(int(r), *_found(values.iloc[r])) for r in rows]
    return [
        Problem(
            f"the {role} is missing or not {wanted}{empty}",
            "Fill it in or leave the row out",
            row=r + HEADER_ROWS,
            column=column,
            value=value,
        )
        for r, empty, value in cells
    ]
