"""The same question by other designs, one row each, and whether they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ucimpact.report import intervals
from ucimpact.report.figures import may_claim
from ucimpact.report.intervals import Result
from ucimpact.report.phrases import stopped
from ucimpact.report.section import Section
from ucimpact.report.tables import Table, table
from ucimpact.words import Measure, capital, measure
from ucimpact.words.numbers import rounded

MOST_DECIMALS = 2
"""Of a per cent; two designs that differ by less are printed alike."""
SAID = {"agree": "Agrees", "conflict": "In conflict", "cannot tell": "Cannot tell"}


def triangulation(document: Mapping[str, Any]) -> Section | None:
    """Designs beside one another in per cent; None where the study names no other."""
    held = (document.get("robust") or {}).get("triangulation")
    if not held:
        return None
    finding = document["finding"]
    shown = [row for row in held["rows"] if row["est"] is not None]
    refused = tuple(
        (row["label"], stopped(capital(row["refused"]))) for row in held["rows"] if row.get("refused")
    )
    rows = None
    if len(shown) > 1 and may_claim(finding):
        rows = intervals.rows(
            f"Change in {finding['outcome']} by design, per cent of what was expected",
            "Design",
            [("", [_result(row) for row in shown])],
            _measure(finding["kind"], shown),
        )
    beside = [row for row in shown if not row.get("main")]
    return Section(
        ident="triangulation",
        heading="Do other designs agree?",
        kind="rows",
        bold=held["answer"],
        text=tuple(held["text"]) if shown[1:] else (),
        items=(f"Change in {finding['outcome']}, in per cent, with 95% interval",),
        rows=rows,
        tables=(_table(beside),) if beside and rows else (),
        refused=refused,
    )


def _measure(kind: str, shown: Sequence[Mapping[str, Any]]) -> Measure:
    """Whole per cent, and decimals where an estimate would else be printed on, or past, a limit beside it.

    Whether an estimate lies within another range has to be seen in what is printed.
    """
    whole = measure(kind, percent=True)
    for decimals in range(MOST_DECIMALS):
        if not _hidden(shown, decimals):
            return whole if not decimals else replace(whole, decimals=(decimals, decimals + 1))
    return replace(whole, decimals=(MOST_DECIMALS,))


def _hidden(shown: Sequence[Mapping[str, Any]], decimals: int) -> bool:
    """Whether so many decimals leave open if an estimate, ours or another, lies within the other range."""
    ours, *others = shown
    for row in others:
        for one, other in ((ours, row), (row, ours)):
            inside = other["low"] <= one["est"] <= other["high"]
            est, low, high = (rounded(value, decimals) for value in (one["est"], other["low"], other["high"]))
            if inside != (low <= est <= high) or est in (low, high):
                return True
    return False


def _result(row: Mapping[str, Any]) -> Result:
    main = bool(row.get("main"))
    return Result(
        label="Main analysis" if main else row["label"],
        detail=f"Against: {row['comparison'][:1].lower()}{row['comparison'][1:]}",
        est=row["est"],
        lo=row["low"],
        hi=row["high"],
        main=main,
    )


def _table(rows: list[Mapping[str, Any]]) -> Table:
    """What each other design says of ours, and how sure it is by itself."""
    cells = [
        (
            row["label"],
            SAID[row["verdict"]] if row.get("verdict") else "Not held against ours",
            capital(row.get("why") or ""),
            row.get("level") or "",
        )
        for row in rows
    ]
    head = ("Design", "Beside ours", "Because", "Its own certainty")
    return table("What each other design says of this one", head, cells, ())
