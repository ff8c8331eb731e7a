"""How sure the money is: the chance at every price, what moves the answer, and what knowing more is worth.

Made from ``valuation.curve``, ``inputs``, ``evpi``, ``known`` and ``qaly``; every figure is of the column
that decides, but those of the short run, which are of what is freed of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ucimpact import words
from ucimpact.report import intervals
from ucimpact.report.chart_parts import Label
from ucimpact.report.figures import Figure
from ucimpact.report.intervals import Result, Rows
from ucimpact.report.money_curve import Chances
from ucimpact.report.section import Note, Section
from ucimpact.report.tables import Table, download, table
from ucimpact.words import MINUS, Measure, capital, plainly
from ucimpact.words import value as said

KINDS = ("cash", "capacity", "economic")
JOINED = "\u2060"
HOW = Measure(fewer="short", more="over", before="£", decimals=(0, 2))
"""A value against a price: "£48 short", "£12 over"."""
READING = (
    "The line falls as the price rises. Where it meets today’s price stands the chance that the page prints; "
    "at an even bet it crosses 50%."
)
MOVES = (
    "Each row moves one thing from end to end of its range and leaves the others as they are. A row on both "
    "sides of 0 could change the answer by itself."
)


def decide_money(document: Mapping[str, Any]) -> Section | None:
    """The section; None where no value stands against a price."""
    valuation = document.get("valuation") or {}
    found = valuation.get("curve")
    if not found or not valuation.get("columns"):
        return None
    name = words.COLUMNS[KINDS.index(valuation["counted"])]
    price = found["price"]
    bold = said.curve(price, found["at_price"], found["rule"], valuation.get("price_at_rule"), name)
    rows = _inputs(valuation, price)
    tables = [_switches(valuation), _known(valuation), _health(valuation)]
    paragraphs = [("How to read the line", READING), ("How to read the rows", MOVES)]
    ranged = any(row["key"].startswith(("mix", "attribution")) for row in valuation.get("inputs") or ())
    if ranged or (valuation.get("short_run") or {}).get("share_low") is not None:
        paragraphs.append(("Shares with a range", said.DRAWN))
    return Section(
        ident="decide-money",
        heading="How sure is the money?",
        kind="sure",
        bold=bold,
        text=(" ".join(_told(valuation, price)).replace(f"{MINUS}£", f"{MINUS}{JOINED}£"),),
        figure=_figure(found, name, bold),
        items=("Value less today’s price, per person",),
        rows=rows,
        tables=tuple(made for made in tables if made is not None),
        note=Note(name="How to read this", paragraphs=tuple(paragraphs)),
    )


def _told(valuation: Mapping[str, Any], price: float) -> list[str]:
    """The sentences after the chance."""
    text = []
    inputs = list(valuation.get("inputs") or ())
    if len(inputs) > 1:
        first = inputs[0]
        text.append(said.most_moved(first["label"], first["low"] - price, first["high"] - price))
    if valuation.get("evpi") is not None:
        text.append(said.knowing(valuation["evpi"], valuation.get("evsi")))
    cut = valuation.get("haircut")
    if cut:
        text.append(said.haircut(cut["level"], cut["cut"], cut["per_person"], price))
    return text


def _figure(found: Mapping[str, Any], name: str, told: str) -> Figure:
    """The curve, with its numbers behind it."""
    prices = found["prices"]
    lines = [(capital(name), [100 * p for p in found["chance"]])]
    if found.get("short_run"):
        lines.append(("Freed in the short run", [100 * p for p in found["short_run"]]))
    series = [(Label(head=head, short=(head,)), values) for head, values in lines]
    today = f"today’s price, {words.per_person(found['price'])}"
    body = [
        [words.per_person(price), *(words.chance(values[k] / 100) for _, values in lines)]
        for k, price in enumerate(prices)
    ]
    file = [
        {"price": price, **{head: values[k] / 100 for head, values in lines}}
        for k, price in enumerate(prices)
    ]
    return Figure(
        ident="chance-chart",
        title="The higher the price, the less likely it is to pay",
        measure="Chance that the value exceeds the price, by the price of one person",
        chart=Chances(prices=prices, series=series, price=found["price"], price_label=today),
        name=f"Chance that {name} exceeds the price, for £0 to {words.per_person(prices[-1])} a person",
        description=told,
        table=table(
            "Chance that the value exceeds the price", ["Price a person", *(head for head, _ in lines)], body,
            range(len(lines) + 1),
        ),
        download=download("chance by price", file),
    )  # fmt: skip


def _inputs(valuation: Mapping[str, Any], price: float) -> Rows | None:
    """Each uncertain input from end to end, that which moves the answer most first."""
    inputs = valuation.get("inputs") or ()
    if not inputs:
        return None
    results = [
        Result(
            label=capital(row["label"]),
            detail=_ends(row),
            est=row["best"] - price,
            lo=min(row["low"], row["high"], row["best"]) - price,
            hi=max(row["low"], row["high"], row["best"]) - price,
        )
        for row in inputs
    ]
    made = intervals.rows("What moves the answer, one thing at a time", "What is moved", [("", results)], HOW)
    return replace(
        made,
        difference_head="Value less price (from end to end)",
        fewer="Short of the price throughout",
        more="Over the price throughout",
        unsure="Either: the range holds the price",
    )


def _ends(row: Mapping[str, Any]) -> str:
    if row["key"].startswith("effect"):
        return "over its likely range"
    return f"{row['best_told']} counted, from {row['low_told']} to {row['high_told']}"


def _switches(valuation: Mapping[str, Any]) -> Table | None:
    """At what value of each input the answer would switch."""
    inputs = valuation.get("inputs") or ()
    if not inputs:
        return None
    rows = [[capital(row["label"]), row["best_told"], _switch(row)] for row in inputs]
    return table(
        "Where value and price would be equal", ["What is moved", "Counted here", "Equal at"], rows, ()
    )


def _switch(row: Mapping[str, Any]) -> str:
    if row["switch"] is None:
        return "at no possible value"
    if row["switch_kind"] == "share":
        return said.share(row["switch"])
    if row["switch_kind"] == "pounds":
        return words.per_person(row["switch"])
    if row["switch"] <= 0:
        return said.OTHER_WAY
    return f"{plainly(row['switch'])} times what was found"


def _known(valuation: Mapping[str, Any]) -> Table | None:
    """What it would be worth to know one input, the others staying uncertain."""
    known = valuation.get("known") or ()
    if not known:
        return None
    rows = [[capital(row["label"]), _worth(row["worth"])] for row in known]
    rows.append(["All of it", _worth(valuation["evpi"])])
    head = ["What would be known for certain", "Worth to the people of one year"]
    return table("What it would be worth to know", head, rows, (1,))


def _worth(value: float) -> str:
    return (
        words.thousands(value) if value >= 1 else "under £1" if value > 0 else "£0: it would change nothing"
    )


def _health(valuation: Mapping[str, Any]) -> Table | None:
    """Net benefit per person at each worth of a year of full health."""
    found = valuation.get("qaly")
    if not found:
        return None
    rows = [
        [
            f"{words.money(row['pounds'])}, {row['label']}",
            words.per_person(row["value"]),
            f"{words.per_person(row['low'])} to {words.per_person(row['high'])}",
            words.chance(row["chance"]),
            _worth(row["evpi"]),
        ]
        for row in found["rows"]
    ]
    head = ["Worth of a year of full health", "Net benefit a person", "Likely range", "Chance it is above 0"]
    gain = f"{found['per_person']:.3g} of a year a person ({found['low']:.3g} to {found['high']:.3g})"
    caption = f"With health counted: {gain}. {health_told(found)} Source of the gain: {found['source']}"
    return table(caption, [*head, "Knowing is worth"], rows, (1, 2, 3, 4))


def health_told(found: Mapping[str, Any]) -> str:
    """The cost of a quality-adjusted life year, or why there is none."""
    ratio = found.get("ratio")
    if ratio is not None:
        return said.per_qaly(ratio["value"], ratio["low"], ratio["high"])
    return {"dominates": said.DOMINATES, "dominated": said.DOMINATED}.get(found["side"], said.NO_RATIO)
