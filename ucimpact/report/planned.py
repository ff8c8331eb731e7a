"""Planned against done: a locked plan beside the study that was run, key by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.report.phrases import day
from ucimpact.report.section import Section
from ucimpact.report.tables import Table, table
from ucimpact.words import capital
from ucimpact.words import lock as words

TABLES = {
    "study": "the question",
    "data": "data",
    "outcome": "outcome",
    "method": "method",
    "sensitivity": "other analysis",
    "triangulation": "other design",
    "curve": "combinations of choices",
    "cost": "cost",
    "decision": "decision rule",
    "context": "context",
    "release": "release",
}


NAMES = ("column", "note")
"""Keys by which an entry goes already."""


def planned(document: Mapping[str, Any]) -> Section | None:
    """Whether the plan was kept; None where none was locked."""
    held = (document.get("robust") or {}).get("planned")
    if not held or held["locked"] == "no":
        return None
    away = [row for row in held["rows"] if row["what"] != "kept"]
    kept = [row for row in held["rows"] if row["what"] == "kept" and row["key"].split(": ")[-1] not in NAMES]
    tables = [_rows("What differs from the plan", away)] if away else []
    if kept:
        tables.append(_kept(kept))
    if len(held["locks"]) > 1:
        tables.append(_locks(held["locks"]))
    return Section(
        ident="planned",
        heading="Was the plan kept?",
        kind="planned",
        bold=words.planned_answer(
            day(held["when"]), held["timing"], changed=held["changed"], other=held["other"]
        ),
        text=(words.state_told(held["state"], held["timing"]), words.SHOWS, words.checkable(held["hash"])),
        tables=tuple(tables),
    )


def in_a_line(document: Mapping[str, Any]) -> str:
    """That no plan was locked, for the end of the appendix; "" where one was, or where nothing is known."""
    held = (document.get("robust") or {}).get("planned")
    return words.NOT_LOCKED if held and held["locked"] == "no" else ""


def _rows(caption: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    cells = [
        (
            _named(row),
            str(row["planned"]),
            str(row["done"]),
            f"{row['what']}, bears on the main answer" if row["bears"] else row["what"],
        )
        for row in rows
    ]
    return table(caption, ("Key", "Planned", "Done", "What became of it"), cells, ())


def _kept(rows: Sequence[Mapping[str, Any]]) -> Table:
    cells = [(_named(row), str(row["planned"])) for row in rows]
    return table("Kept as planned", ("Key", "Planned and done"), cells, ())


def _named(row: Mapping[str, Any]) -> str:
    where = TABLES.get(row["table"], row["table"])
    return capital(f"{where}: {str(row['key']).replace('_', ' ')}")


def _locks(locks: Sequence[Mapping[str, Any]]) -> Table:
    cells = [
        (day(each["when"]), words.state_told(each["state"], each["timing"]), each["version"])
        for each in locks
    ]
    return table("Every lock of this plan", ("Locked on", "Data", "Version"), cells, ())
