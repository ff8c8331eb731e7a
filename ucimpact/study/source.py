"""The table a study names, and the columns it names there."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from ucimpact.data.reading import Table, read_query, read_table
from ucimpact.errors import UsageError
from ucimpact.study.declare import Data, Outcome
from ucimpact.study.lines import Path as KeyPath
from ucimpact.study.places import file_problems, filled, folders_of, path_of

COLUMNS_SHOWN = 12


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


KEYS = {
    "series": ("period", "population"),
    "panel": ("period", "population", "unit", "start", "weight", "places"),
    "cohort": ("person", "pilot", "index_date", "service_start", "follow_up", "cluster"),
}
"""Keys of [data] that name a column, by kind."""


def columns_named(
    data: Data,
    outcomes: Sequence[Outcome | None],
    covariates: Sequence[str],
    kinds: Sequence[str] = (),
) -> list[tuple[KeyPath, str]]:
    """Each column that a study names, with the key that names it."""
    keys = KEYS[data.kind]
    named: list[tuple[KeyPath, str]] = [
        (("data", key), str(column)) for key in keys if (column := getattr(data, key)) is not None
    ]
    named += [
        (("outcome", at, "column"), outcome.column)
        for at, outcome in enumerate(outcomes)
        if outcome is not None
    ]
    named += [
        (("outcome", at, "before"), outcome.before)
        for at, outcome in enumerate(outcomes)
        if outcome is not None and outcome.before is not None
    ]
    named += [(("data", "chosen"), data.chosen.column)] if data.chosen is not None else []
    named += [(("method", "covariates"), column) for column in covariates]
    return named + [(("method", "exact"), column) for column in kinds if column not in covariates]


def absent_columns(named: Sequence[tuple[KeyPath, str]], table: Table) -> list[tuple[KeyPath, str, str, str]]:
    """Columns that are named and not there, or there twice: key, column, what is wrong, the way out."""
    there = list(table.columns)
    found = []
    for path, column in named:
        if column in table.twice:
            way_out = "Give each column a name of its own"
            found.append((path, column, f"this name stands twice in the header of {table.file}", way_out))
        elif column not in table.columns:
            near = difflib.get_close_matches(column, there, 1, 0.6)
            listed = ", ".join(there[:COLUMNS_SHOWN]) + (", ..." if len(there) > COLUMNS_SHOWN else "")
            way_out = f"Did you mean `{near[0]}`?" if near else f"The columns are: {listed}"
            found.append((path, column, f"there is no such column in {table.file}", way_out))
    return found
