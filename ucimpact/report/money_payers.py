"""Who pays and who gains: each party with what it paid and had, and whose money bought it for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact import words
from ucimpact.report.section import Section
from ucimpact.report.tables import Table, table
from ucimpact.words import capital
from ucimpact.words import value as said

KINDS = ("cash", "capacity", "economic")


def payers(document: Mapping[str, Any]) -> Section | None:
    """The section; None where the study does not say who pays."""
    valuation = document.get("valuation") or {}
    found = valuation.get("payers")
    if not found or not found["gains"].get(found["counted"]):
        return None
    name = words.COLUMNS[KINDS.index(found["counted"])]
    pays = [(row["name"], row["share"]) for row in found["pays"]]
    gains = [(row["name"], row["share"]) for row in found["gains"][found["counted"]]]
    tables = [_parties(found, name), _matrix(found, name)]
    tables += [_gains(found, kind) for kind in KINDS if kind != found["counted"] and kind in found["gains"]]
    return Section(
        ident="payers",
        heading="Who pays, and who gains?",
        kind="money",
        bold=said.gainers(pays, gains, name),
        text=(said.PARTIES,),
        tables=tuple(made for made in tables if made is not None),
    )


def _parties(found: Mapping[str, Any], name: str) -> Table:
    rows = [
        [
            row["name"],
            words.money(row["pays"]),
            words.money(row["gains"]),
            words.money_range(row["gains_low"], row["gains_high"]) if row["gains"] else "none",
            words.money(row["gains"] - row["pays"]),
        ]
        for row in found["rows"]
    ]
    head = ["Who", "Pays", "Gains", "Likely range of the gain", "Gains less pays"]
    return table(f"What each pays and gains, in {name}", head, rows, (1, 2, 3, 4))


def _matrix(found: Mapping[str, Any], name: str) -> Table | None:
    """Whose money bought what for whom; not where one pays, or one gains, all."""
    matrix = found["matrix"]
    if len(matrix) < 2 or len(matrix[0]["to"]) < 2:
        return None
    gainers = list(matrix[0]["to"])
    rows = [[row["name"], *(words.money(row["to"][who]) for who in gainers)] for row in matrix]
    head = ["Bought with the money of", *(f"had by {_inside(who)}" for who in gainers)]
    return table(f"{capital(name)}, by whose money bought it and who had it", head, rows, range(1, len(head)))


def _inside(who: str) -> str:
    """A name within a phrase: "The hospital trust" begins small there, "Northmoor Council" does not."""
    return f"the {who.removeprefix('The ')}" if who.startswith("The ") else who


def _gains(found: Mapping[str, Any], kind: str) -> Table | None:
    """What each gains in a column that does not decide; None where it is nothing."""
    rows = found["gains"][kind]
    if not any(row["value"] for row in rows):
        return None
    name = words.COLUMNS[KINDS.index(kind)]
    body = [
        [
            row["name"],
            said.share(row["share"]),
            words.money(row["value"]),
            words.money_range(row["low"], row["high"]),
        ]
        for row in rows
    ]
    return table(f"Who gains in {name}", ["Who", "Share", "Value", "Likely range"], body, (1, 2, 3))
