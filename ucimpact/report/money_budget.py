"""The years ahead: what the service would cost and be worth each year, one table a column of value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact import words
from ucimpact.report.section import Note, Section
from ucimpact.report.tables import Table, table
from ucimpact.words import MINUS, capital, number, plainly
from ucimpact.words import value as said

KINDS = ("cash", "capacity", "economic")
JOINED = "\u2060"


def budget(document: Mapping[str, Any]) -> Section | None:
    """The section; None where the study declares no years ahead or nothing has a value."""
    valuation = document.get("valuation") or {}
    found = valuation.get("budget")
    if not found:
        return None
    total, counted = found["total"], valuation["counted"]
    name = words.COLUMNS[KINDS.index(counted)]
    text = []
    late, less = total["columns_discounted"].get(counted), found["years"] > 1 and bool(found["discount"])
    if late is not None and (late["value"] or counted != "cash"):
        text.append(said.ahead(name, late["value"], late["low"], late["high"], less=less))
    if late is not None:
        spent = total["cost_discounted"]
        text.append(words.net(late["low"] - spent, late["high"] - spent))
        if found.get("chance") is not None:
            text.append(said.ahead_chance(found["chance"]))
    if found.get("inflation") is not None:
        text.append(said.in_their_pounds(found["inflation"], total["cost_in_its_pounds"]))
    made = [
        _table(found, kind, year_of(valuation), with_cost=kind == counted)
        for kind in sorted(KINDS, key=lambda kind: kind != counted)
        if kind in total["columns"] and (total["columns"][kind]["value"] or kind == counted)
    ]
    once = valuation["cost"].get("parts") or {}
    spent_once = (once.get("set_up") or 0.0) + (once.get("ramp") or 0.0)
    return Section(
        ident="budget",
        heading="What would the next year cost?"
        if found["years"] == 1
        else f"What would the next {found['years']} years cost?",
        kind="money",
        bold=said.budget(
            found["years"], total["cost"], total["cost_discounted"], found["discount"], total["people"]
        ),
        text=(" ".join(text).replace(f"{MINUS}£", f"{MINUS}{JOINED}£"),),
        tables=tuple(made),
        closing=" ".join(
            said.scale(
                found["fixed"] is not None, found["scaled"], found["set_up"], spent_once, found.get("months")
            )
        ),
        note=Note(
            name="About the years ahead",
            paragraphs=(("Later years", said.LATER), ("The range", said.IN_STEP)),
        ),
    )


def year_of(valuation: Mapping[str, Any]) -> str:
    """The prices of a valuation."""
    return str(valuation["cost"]["price_year"])


def _table(found: Mapping[str, Any], kind: str, year: str, *, with_cost: bool) -> Table:
    """One column of value by year, with the cost beside the column that decides."""
    rows = [
        [number(row["year"]), number(row["people"]), *_cells(row["cost"], row["columns"][kind], with_cost)]
        for row in found["rows"]
    ]
    total = found["total"]
    if found["years"] > 1:
        rows.append(
            ["In all", number(total["people"]), *_cells(total["cost"], total["columns"][kind], with_cost)]
        )
        if found["discount"]:
            less = f"Later years {plainly(100 * found['discount'])}% less a year"
            rows.append(
                [
                    less,
                    number(total["people"]),
                    *_cells(total["cost_discounted"], total["columns_discounted"][kind], with_cost),
                ]
            )
    head = ["Year", "People", *(["Cost"] if with_cost else []), "Value", "Likely range"]
    name = words.COLUMNS[KINDS.index(kind)]
    return table(f"{capital(name)}, year by year, in {year} prices", head, rows, tuple(range(1, len(head))))


def _cells(cost: float, worth: Mapping[str, float], with_cost: bool) -> Sequence[str]:
    shown = [words.money(worth["value"]), words.money_range(worth["low"], worth["high"])]
    return [words.money(cost), *shown] if with_cost else shown
