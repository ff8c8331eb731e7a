"""What it was worth: the three columns of the first screen, and the section on what would make it pay.

Cash released, capacity released and full economic value stand side by side, in that order, and no
sentence or row holds two of them. The numbers come from ``document["valuation"]``; where it says that
nothing was worked out the page says so and why, and still what it cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ucimpact import words
from ucimpact.report.figures import may_claim
from ucimpact.report.phrases import stopped
from ucimpact.report.section import Note, Section
from ucimpact.report.tables import Table, table
from ucimpact.words import MINUS, NO_MONEY, capital, number, plainly
from ucimpact.words import value as said
from ucimpact.words.numbers import mid_sentence

KINDS = ("cash", "capacity", "economic")
HEADS = {
    "cash": ("Cash released", "money that can be spent again"),
    "capacity": ("Capacity released", "freed for other people"),
    "economic": ("Full economic value", "all NHS resource, at average cost"),
}
UNDECLARED = "no outcome declares it"
SAME_PEOPLE = 0.05
"""Share by which two effects per 100 people may differ and still be of the same people (rounding)."""
FLAT = "Chances take every size of effect as equally likely beforehand."
JOINED = "\u2060"
"""Keeps a minus and its pounds on one line."""
WHY_NO_CASH = "Where a contract pays a fixed sum, less activity frees time and beds; the bill stays the same."


@dataclass(frozen=True, kw_only=True)
class Column:
    """One kind of value: its head, what it came to, and the chance that it exceeds the cost."""

    head: str
    about: str
    value: str
    value_note: str
    chance: str
    chance_note: str


@dataclass(frozen=True, kw_only=True)
class Worth:
    """The block "Is it worth the money?"; no columns where the value is not worked out."""

    spent: str
    each: str
    columns: tuple[Column, ...]
    notes: str


def worth(document: Mapping[str, Any]) -> Worth | None:
    """The block of the first screen; None where the study declares no value of an event."""
    valuation = document.get("valuation") or {}
    refused, columns = valuation.get("not_worked_out"), valuation.get("columns") or {}
    if not refused and not columns:
        return None
    cost = valuation.get("cost") or {}
    spent = words.money(cost["total"]) if cost else ""
    each = ""
    if cost.get("people") and cost.get("per_person") is not None:
        each = f": {words.per_person(cost['per_person'])} for each of {number(cost['people'])} people"
    if cost:
        each += f", in {cost['price_year']} prices"
    if refused:
        return Worth(spent=spent, each=each, columns=(), notes=f"Its worth is {NO_MONEY}: {stopped(refused)}")
    made = tuple(_column(kind, columns.get(kind)) for kind in KINDS)
    chances = any(columns[kind].get("chance") is not None for kind in columns)
    of = _of_others(document, valuation).removeprefix(" on ")
    notes = [f"The value is of {of} alone." if of else "", _own(valuation), FLAT if chances else ""]
    return Worth(spent=spent, each=each, columns=made, notes=" ".join(note for note in notes if note))


def _own(valuation: Mapping[str, Any]) -> str:
    """What share of the change is counted as the pilot's own; empty where nothing was declared."""
    own = valuation.get("attribution")
    return said.own_share(own["share"], own["low"], own["high"]) if own else ""


def _column(kind: str, column: Mapping[str, Any] | None) -> Column:
    head, about = HEADS[kind]
    if column is None or column.get("value") is None:
        return Column(
            head=head, about=about, value=capital(NO_MONEY), value_note=UNDECLARED, chance="", chance_note=""
        )
    chance = "" if column.get("chance") is None else words.chance(column["chance"])
    if kind == "cash" and not column["value"]:
        note = column.get("note") or words.NO_CASH
        return Column(head=head, about=about, value="£0", value_note=note, chance=chance, chance_note="")
    if column.get("units") is not None and column.get("units_low") is not None:
        value = _units(column["units"], column["unit"])
        note = f"{number(column['units_low'])} to {number(column['units_high'])}"
        return Column(
            head=head, about=about, value=value, value_note=note, chance=chance,
            chance_note=f"at {words.per_person(column['unit_price'])} a {column['unit']}",
        )  # fmt: skip
    return Column(
        head=head, about=about, value=words.money(column["value"]),
        value_note=words.money_range(column["low"], column["high"]), chance=chance, chance_note="",
    )  # fmt: skip


def _units(n: float, unit: str) -> str:
    shown = number(n) if abs(n) >= 1 else plainly(n)
    return f"{shown} {unit}{'' if shown in ('1', f'{MINUS}1') else 's'}"


def money(document: Mapping[str, Any]) -> Section | None:
    """What would make it pay: prices and effects at which value and cost are equal; None without a value."""
    valuation = document.get("valuation") or {}
    columns = valuation.get("columns") or {}
    if not columns:
        return None
    bold, text = _answer(valuation, _of_others(document, valuation))
    text += _beside(valuation)
    tables = [_made_up(document, valuation), _break_even(document, valuation)]
    return Section(
        ident="money",
        heading="What would make it pay?",
        kind="money",
        bold=bold,
        text=(" ".join(part for part in text if part).replace(f"{MINUS}£", f"{MINUS}{JOINED}£"),),
        tables=tuple(made for made in tables if made is not None),
        closing=" ".join(stopped(text) for text in valuation.get("notes") or ()),
        note=_note(document, valuation),
    )


def _beside(valuation: Mapping[str, Any]) -> list[str]:
    """What the price holds, what is freed in the short run, the value at either end of the pilot's share."""
    text = []
    cost = valuation.get("cost") or {}
    if cost.get("parts") and cost.get("per_person") is not None:
        parts = cost["parts"]
        text.append(said.prices(cost["per_person"], parts["price_running"], parts["price_with_volunteers"]))
    freed = valuation.get("short_run")
    if freed:
        size = (freed["share"], freed["share_low"], freed["share_high"])
        text.append(said.freed(*size, freed["value"], freed["low"], freed["high"]))
    own = valuation.get("attribution")
    if own and own["value_low"] is not None and own["low"] < own["high"]:
        text.append(said.attributed_value(own["low"], own["high"], own["value_low"], own["value_high"]))
    return text


def _of_others(document: Mapping[str, Any], valuation: Mapping[str, Any]) -> str:
    """Where the main outcome has no value of its own, the outcomes that have: " on emergency admissions"."""
    counted = valuation.get("counted") or "economic"
    rows = [row for row in valuation.get("outcomes") or () if row.get(counted)]
    if not rows or (document.get("finding") or {}).get("column") in [row.get("column") for row in rows]:
        return ""
    return f" on {words.joint([mid_sentence(row['label']) for row in rows])}"


def _answer(valuation: Mapping[str, Any], of: str = "") -> tuple[str, list[str]]:
    """The bold answer and the sentences after it, all of the column that decides.

    ``of`` says on what the effect is, where it is not that of the headline.
    """
    counted = valuation.get("counted") or "economic"
    column = (valuation.get("columns") or {}).get(counted) or {}
    cost, each = valuation.get("cost") or {}, column.get("per_person")
    price = cost.get("per_person")
    if each is None or price is None:
        return "A price cannot be set against the value yet.", [
            "The study file gives no value in the column that decides, or no price, or no number of people."
        ]
    name = words.COLUMNS[KINDS.index(counted)]
    gave = f"On the best estimate each person had {words.per_person(each)} of {name}, at a price of "
    text = [f"{gave}{words.per_person(price)}."]
    if each > 0 and price > 0 and column.get("per_person_low") is not None:
        bought = words.bought(each, column["per_person_low"], column["per_person_high"], price)
        text.append(f"Each £1 bought {bought}.")
    if valuation.get("net"):
        text.append(words.net(valuation["net"]["low"], valuation["net"]["high"]))
    text.append((valuation.get("cost_per_event") or {}).get("text") or "")
    if each <= 0:
        return "No price: the best estimate is of no value at all.", text
    if not price:
        return "It cost nothing, so any value repays it.", text
    if each >= price:
        text.insert(1, f"It would still pay with {number(100 * price / each)}% of the effect{of}.")
        return f"On the best estimate it pays, at any price up to {words.per_person(each)} a person.", text
    times = plainly(price / each)
    effect = f", or an effect{of} {times} times as large" if times != "1" else ""
    return f"A price of {words.per_person(each)} a person{effect}.", text


def _made_up(document: Mapping[str, Any], valuation: Mapping[str, Any]) -> Table | None:
    """Activity, change, unit cost and value, down to the net, in the economic column alone."""
    rows = [row for row in valuation.get("outcomes") or () if row.get("economic") is not None]
    total = (valuation.get("columns") or {}).get("economic")
    if not rows or total is None:
        return None
    cells = [
        [
            row["label"],
            _change(row),
            words.per_person(row["unit_cost"]) if row.get("unit_cost") is not None else "not declared",
            words.money(row["economic"]),
        ]
        for row in rows
    ]
    own = valuation.get("attribution")
    if own and own["share"] < 1:
        others = total["value"] - sum(row["economic"] for row in rows)
        cells.append([said.others_share(own["share"]), "", "", words.money(others)])
    cells.append(["Full economic value", "", "", words.money(total["value"])])
    cost = valuation.get("cost")
    if cost:
        cells.append(["Cost of the pilot", "", "", words.money(-cost["total"])])
        net = valuation.get("net") if valuation.get("counted") == "economic" else None
        left = net["value"] if net else total["value"] - cost["total"]
        cells.append(["Net", "", "", words.money(left)])
    whose = _paid_for(document, valuation)
    head = [f"Activity{whose or ', whole pilot'}", "Change", "Unit cost", "Value"]
    return table("How the full economic value is made up", head, cells, (1, 2, 3))


def _paid_for(document: Mapping[str, Any], valuation: Mapping[str, Any]) -> str:
    """Whose change it is, where the cost is for others than those analysed: ", 759 people paid for"."""
    people = (valuation.get("cost") or {}).get("people")
    analysed = (document.get("finding") or {}).get("people_analysed")
    if not people or not analysed or round(people) == round(analysed):
        return ""
    return f", the {number(people)} people whom the cost is for"


def _change(row: Mapping[str, Any]) -> str:
    if row.get("change") is None:
        return "hidden"
    how = words.measure(row.get("kind") or "count")
    return words.spoken(row["change"], row["change"], row["change"], how).difference


def _break_even(document: Mapping[str, Any], valuation: Mapping[str, Any]) -> Table | None:
    """How many events for every 100 people would repay the price, at each worth of an event.

    Where the price is of other people than the headline counts by (those visited among all who are
    registered), the heading says whose hundred it is, and the effect that was found stands beside it.
    """
    found = valuation.get("break_even") or {}
    if not found.get("rows"):
        return None
    finding = document["finding"]
    how = words.measure(finding["kind"])
    fewer = how.word(-1 if finding["better"] == "lower" else 1)
    people, each = _of_the_cost(finding, valuation)
    beside = [] if each is None else [_found_of_the_cost(each, finding)]
    cells = [
        [row["label"], words.per_person(row["per_event"]), _needed(row), *beside]
        for row in found["rows"]
        if row["per_event"] > 0
    ]
    head = ["What is counted", "Worth of one", f"{capital(fewer)} needed per 100 people"]
    caption = f"How many {finding['outcome']} would repay {words.per_person(found['price'])} a person"
    if each is not None:
        head = [*head[:2], f"{capital(fewer)} needed per 100 of them", "Found per 100 of them"]
        caption += f", for every 100 of the {number(people)} people whom the pilot’s cost is for"
    return table(caption, head, cells, tuple(range(1, len(head))))


def _needed(row: Mapping[str, Any]) -> str:
    """Events that would repay the price, with their range where a share has one."""
    if row.get("events_low") is None:
        return plainly(row["events_per_100"])
    return f"{plainly(row['events_per_100'])} ({plainly(row['events_low'])} to {plainly(row['events_high'])})"


def _of_the_cost(finding: Mapping[str, Any], valuation: Mapping[str, Any]) -> tuple[float, float | None]:
    """People whom the cost is for, and the events found per 100 of them.

    None for the second where the headline counts by the same people, or where the total is not known.
    """
    people = float((valuation.get("cost") or {}).get("people") or 0)
    own = (row for row in valuation.get("outcomes") or () if row.get("column") == finding.get("column"))
    change = next((row.get("change") for row in own), None)
    if not people or change is None or not finding.get("base") or not finding.get("est"):
        return people, None
    each = 100 * change / people
    headline = 100 * finding["est"] / finding["base"]
    return people, None if abs(each - headline) <= SAME_PEOPLE * abs(headline) else each


def _found_of_the_cost(each: float, finding: Mapping[str, Any]) -> str:
    if not may_claim(finding):
        return "cannot tell"
    return words.spoken(each, each, each, words.measure(finding["kind"], decimals=1)).difference


def _kinds(document: Mapping[str, Any], valuation: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of what kinds the events avoided are; where an average is counted, what they usually are."""
    claim, paragraphs = (document.get("finding") or {}).get("claim"), []
    for row in valuation.get("outcomes") or ():
        events, event = mid_sentence(row["label"]), words.one_of(row["label"])
        if mix := row.get("mix"):
            kinds = [(kind["name"], kind["share"], kind["pounds"]) for kind in mix["kinds"]]
            text = said.mix(events, kinds, claim)
            if mix.get("worth_low") is not None:
                kind = next(k for k in mix["kinds"] if k["low"] is not None and k["low"] < k["high"])
                ends = (kind["low"], kind["high"], mix["worth_low"], mix["worth_high"])
                text += f" {said.mix_range(kind['name'], *ends)}"
            paragraphs.append((f"Why {words.per_person(row['unit_cost'])} {said.a(event)}", text))
        elif (usual := row.get("usual")) and (row.get("economic") or 0) > 0:
            figures = (usual["pounds"], usual["mean"], usual["value"])
            text = said.usually(events, usual["name"], *figures, row=row["economic"], whole=usual["whole"])
            paragraphs.append(("What an average hides", text))
    return paragraphs


def _note(document: Mapping[str, Any], valuation: Mapping[str, Any]) -> Note | None:
    """Why an event is worth what it is, whose the change is, why no cash, sources and switching prices."""
    cash = (valuation.get("columns") or {}).get("cash") or {}
    paragraphs = _kinds(document, valuation)
    if own := valuation.get("attribution"):
        told = said.attributed(own["share"], own["low"], own["high"], own["because"])
        paragraphs.append(("Whose change it is", told))
    if cash and not cash["value"]:
        paragraphs.append(("Why no cash", WHY_NO_CASH))
    if valuation.get("sources"):
        told = " ".join(stopped(text) for text in valuation["sources"])
        paragraphs.append(("Where the unit costs come from", told))
    facts: list[tuple[str, str]] = []
    column = (valuation.get("columns") or {}).get(valuation.get("counted") or "") or {}
    if (column.get("per_person") or 0) > 0:
        facts.append(("Price at an even bet", words.per_person(column["per_person"])))
    if (valuation.get("price_at_rule") or 0) > 0:
        facts.append(("Price at which the rule is met", words.per_person(valuation["price_at_rule"])))
    if (valuation.get("evsi") or 0) >= 1:
        facts.append(("A second year of evidence is worth", words.thousands(valuation["evsi"])))
    if valuation.get("evpi"):
        facts.append(("Knowing the truth is worth", words.thousands(valuation["evpi"])))
    if not paragraphs and not facts:
        return None
    return Note(name="About the value", paragraphs=tuple(paragraphs), facts=tuple(facts))
