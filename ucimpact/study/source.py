"""The table a study names, and the columns it names there."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ucimpact.data.reading import Table, read_query, read_table
from ucimpact.errors import DataError, Problem, UsageError
from ucimpact.study.declare import KINDS, NUMBERS, Data, Outcome, Study
from ucimpact.study.lines import Path as KeyPath
from ucimpact.study.places import file_problems, filled, folders_of, path_of

COLUMNS_SHOWN = 12
FEW = 3
"""Columns named, from which all being absent is told as one problem."""


def read_source(data: Data, folder: Path) -> Table:
    """Read the file, or run the query, that ``[data]`` names.

    Raises
    ------
    UsageError
        Where a file or folder is not there.
    DataError
        Where the file cannot be read as a table.
    """
    problems = file_problems(data, folder)
    if problems:
        raise UsageError("\n".join(f"[data] `{key}`: {text}" for key, text in problems))
    if data.source is not None:
        return read_table(path_of(data.source, folder), sheet=data.sheet)
    if data.sql is None:
        raise UsageError("[data] names no file: give source or sql")
    path = path_of(data.sql, folder)
    try:
        sql = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path.name} is not UTF-8 text. Save it as UTF-8") from None
    return read_query(path, filled(sql), folder=folder, folders=folders_of(data, folder), show=data.show)


def has_file(data: Data, folder: Path) -> bool:
    """Whether the file, or the query, that ``[data]`` names is there."""
    named = data.source or data.sql
    return named is not None and path_of(named, folder).is_file()


def of_events(data: Data) -> Data:
    """``[data]`` as if the table of events were its only one.

    Without a file of its own it is another sheet of the workbook of people.
    """
    assert data.events is not None
    own = data.events.source is not None or data.events.sql is not None
    source = data.events.source if own else data.source
    return replace(data, source=source, sql=data.events.sql, sheet=data.events.sheet, events=None)


KEYS = {
    "series": ("period", "population", "definition"),
    "panel": ("period", "population", "unit", "start", "end", "weight", "places"),
    "cohort": ("person", "pilot", "index_date", "service_start", "follow_up", "cluster"),
    "histories": ("person", "service_start", "died", "left", "registered", "cluster"),
}
"""Keys of [data] that name a column, by kind."""


def columns_named(
    data: Data,
    outcomes: Sequence[Outcome | None],
    by_methods: Sequence[tuple[KeyPath, str]] = (),
) -> list[tuple[KeyPath, str]]:
    """Each column that a study names, with the key that names it; ``by_methods`` as they are."""
    keys = KEYS[data.shape]
    named: list[tuple[KeyPath, str]] = [
        (("data", key), str(column)) for key in keys if (column := getattr(data, key)) is not None
    ]
    named += [
        (("outcome", at, "column"), outcome.column)
        for at, outcome in enumerate(outcomes)
        if outcome is not None and data.events is None
    ]
    named += [
        (("outcome", at, "before"), outcome.before)
        for at, outcome in enumerate(outcomes)
        if outcome is not None and outcome.before is not None
    ]
    named += [(("data", "chosen"), data.chosen.column)] if data.chosen is not None else []
    first = {column: path for path, column in reversed(by_methods)}
    return named + [(path, column) for column, path in reversed(first.items())]


def columns_of_people(study: Study) -> list[tuple[KeyPath, str]]:
    """Each column that a study names in its table of people, beside a table of events."""
    return columns_named(study.data, (), study.named((*NUMBERS, *KINDS)))


def columns_of_events(data: Data, values: Sequence[str] = ()) -> list[tuple[KeyPath, str]]:
    """Each column that a study names in its table of events; ``values`` are those whose values are summed."""
    events = data.events
    assert events is not None
    named = (("date", events.date), ("kind", events.kind), ("end", events.end))
    found: list[tuple[KeyPath, str]] = [(("data", "person"), str(data.person))]
    found += [(("data", "events", key), column) for key, column in named if column is not None]
    return found + [(("outcome",), column) for column in values]


def absent_columns(
    named: Sequence[tuple[KeyPath, str]], table: Table, *, show: bool
) -> list[tuple[KeyPath, str, str, str]]:
    """Columns that are named and not there, or there twice: key, column, what is wrong, the way out.

    ``show`` is False where rows are people: in a file without a header the names of the columns are the
    values of its first person.

    Raises
    ------
    DataError
        Where none of them is there, which is one problem and not as many as there are names.
    """
    there = list(table.columns)
    listed = ", ".join(there[:COLUMNS_SHOWN]) + (", ..." if len(there) > COLUMNS_SHOWN else "")
    named_here = {column for _, column in named}
    if len(named_here) >= FEW and not named_here & {*there, *table.twice}:
        row = " and ".join(str(line) for line in table.header)
        what = f"none of the {len(named_here)} columns that the study names is in the header, row {row}"
        holds = f"The header holds: {listed}" if show else "Check that the names of the columns stand there"
        raise DataError(Problem(what, holds, file=table.file))
    found = []
    for path, column in named:
        if column in table.twice:
            way_out = f"Name the one that is meant, from the left: `{column} (1)`, `{column} (2)`"
            found.append((path, column, f"this name stands twice in the header of {table.file}", way_out))
        elif column not in table.columns:
            near = difflib.get_close_matches(column, there, 1, 0.6)
            way_out = f"Did you mean `{near[0]}`?" if near else f"The columns are: {listed}"
            if not show and not near:
                way_out = "Correct the name, here or in the header"
            found.append((path, column, f"there is no such column in {table.file}", way_out))
    return found
