"""Of the outcomes asked about, which stand when the number of questions is allowed for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.report.figures import may_claim, primary
from ucimpact.report.scale import decimals_for
from ucimpact.report.section import Section
from ucimpact.report.tables import Table, table
from ucimpact.words import measure, number, spoken

STEPS = {
    "romano_wolf": "Romano and Wolf’s steps",
    "holm": "Holm’s steps",
    "false_share": "share of false findings (Benjamini and Hochberg)",
}


def multiplicity(document: Mapping[str, Any]) -> Section | None:
    """The answer, and each outcome with its range by itself and among all."""
    held = (document.get("robust") or {}).get("multiplicity")
    if not held or not may_claim(document["finding"]):
        return None
    rows = [made for row in held["rows"] if (made := _row(document, row)) is not None]
    if len(rows) < 2:
        return None
    shown = table(
        "Each outcome asked alone, and among all that were asked",
        ("Outcome", "Best estimate", "Likely range, one question", "Range allowing for all", "Stands"),
        rows,
        (1, 2, 3),
    )
    return Section(
        ident="multiplicity",
        heading="How many questions were asked?",
        kind="tables",
        bold=held["answer"],
        text=tuple(held["text"]),
        tables=(shown,),
        refused=tuple((row["label"], row["why"]) for row in held.get("left_out") or ()),
    )


def chances(document: Mapping[str, Any]) -> Table | None:
    """The chances behind the answer, for the appendix."""
    held = (document.get("robust") or {}).get("multiplicity")
    if not held or not may_claim(document["finding"]):
        return None
    known = [row for row in held["rows"] if row.get("alone") is not None]
    if len(known) < 2:
        return None
    keys = [key for key in STEPS if any(row.get(key) is not None for row in known)]
    return table(
        "How often chance alone would find as much, if nothing had changed",
        (
            "Outcome",
            "Chance finding, one question",
            *(f"Allowing for all: {STEPS[key]}" for key in keys),
        ),
        [(row["label"], *(told(row.get(key)) for key in ("alone", *keys))) for row in known],
        tuple(range(1, 2 + len(keys))),
    )


def told(chance: float | None) -> str:
    """A chance to three decimals, "under 0.001" below that."""
    if chance is None:
        return "not worked out"
    return "under 0.001" if chance < 0.001 else number(chance, 3)


def _row(document: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """An outcome's cells; None where its numbers are not shown."""
    if row["main"]:
        entry, per = primary(document), document["finding"]["per"]
    else:
        entry = next(
            (e for e in document["estimates"] if e["role"] == "outcome" and e["label"] == row["label"]), {}
        )
        per = entry.get("note") or ""
    est, low, high = (entry.get(name) for name in ("est", "lo", "hi"))
    if est is None or low is None or high is None or row.get("alone") is None:
        return None
    wide = (est - row["stretch"] * (est - low), est + row["stretch"] * (high - est))
    how = measure(entry.get("kind") or "count", decimals=1 if decimals_for([est, *wide]) else 0,
                  percent=entry.get("scale") == "log")  # fmt: skip
    alone, among = spoken(est, low, high, how), spoken(est, *wide, how)
    stands = "yes" if row["allowing"] < 0.05 else "asked alone" if row["alone"] < 0.05 else "could not tell"
    return (
        f"{row['label']}, {per}" if per else row["label"],
        alone.difference,
        alone.range,
        among.range,
        stands,
    )
