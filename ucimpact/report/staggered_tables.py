"""Tables of an analysis of staggered starts: by start, by calendar, on both scales, and what was compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.report.figures import effects, noun_of, primary, short_period, unit_of
from ucimpact.report.method import figure, mid, p_value, shown
from ucimpact.report.tables import Table, table
from ucimpact.words import capital, number, plural_of


def by_start(document: Mapping[str, Any]) -> Table | None:
    """The effect on the units of each start."""
    entry = primary(document)
    rows = effects(entry, "group")
    if not rows:
        return None
    starts = {row["start"]: row for row in (entry.get("extras") or {}).get("starts") or ()}
    told = []
    for row in rows:
        start = starts.get(row.get("group")) or {}
        units = start.get("units")
        told.append(
            [
                str(start.get("label") or row.get("group")),
                "not said" if units is None else shown(units),
                *_numbers(row),
            ]
        )
    head = ["Start", capital(plural_of(unit_of(document))), *HEAD]
    return table(
        f"Effect on {mid(document)} by start, each over its own time with the pilot",
        head,
        told,
        range(1, 6),
    )


def by_calendar(document: Mapping[str, Any]) -> Table | None:
    """The effect in each calendar period, on the units that had started."""
    entry = primary(document)
    rows = effects(entry, "calendar")
    if not rows:
        return None
    told = [[short_period(str(row["period"]), str(row["period"])), *_numbers(row)] for row in rows]
    caption = f"Effect on {mid(document)} in each {noun_of(document)}, on those that had started"
    return table(caption, [capital(noun_of(document)), *HEAD], told, range(1, 5))


SCALES = {"log": "Rates, by the same per cent", "level": "Rates, by the same number"}
HEAD = ("Estimate", "95% low", "95% high", "p-value")


def _numbers(row: Mapping[str, Any]) -> list[str]:
    limits = ("estimate", "conf_low", "conf_high")
    return [
        *("not worked out" if row.get(name) is None else figure(row[name]) for name in limits),
        p_value(row.get("p_value")),
    ]


def scales(document: Mapping[str, Any]) -> Table | None:
    """Parallel paths on the log scale beside parallel paths on the level scale."""
    entry = primary(document)
    told = (entry.get("extras") or {}).get("scales") or {}
    rows = [
        [
            name,
            *(_or_absent(row.get(key)) for key in ("effect", "effect_low", "effect_high", "slope")),
            p_value(row.get("p_value")),
        ]
        for key, name in SCALES.items()
        if (row := told.get(key))
    ]
    if not rows:
        return None
    noun = noun_of(document)
    head = ["Supposed to move alike", "Effect", "95% low", "95% high", f"Slope a {noun} before", "p-value"]
    caption = f"Effect on {mid(document)}, and the paths before the start, on both scales"
    return table(caption, head, rows, range(1, 6))


def compared(document: Mapping[str, Any]) -> Table | None:
    """What a two-way comparison, the main one or one beside it, is made of (Goodman-Bacon)."""
    for entry in document["estimates"]:
        told = (entry.get("extras") or {}).get("bacon") or {}
        if rows := told.get("by_kind"):
            cells = [
                [
                    KINDS.get(row["kind"], capital(str(row["kind"]))),
                    f"{number(100 * row['weight'])}%",
                    figure(row["estimate"]),
                ]
                for row in rows
            ]
            caption = "What the two-way comparison is made of"
            return table(caption, ["Comparison", "Weight", "Estimate"], cells, (1, 2))
    return None


KINDS = {
    "pilot against never": "Pilot units against units that never start",
    "earlier against later": "Earlier starters against units that had not started yet",
    "later against earlier": "Later starters against units that had the pilot",
}


def _or_absent(value: float | None) -> str:
    return "not worked out" if value is None else figure(value)
