"""Where the money should go, and whether another belief would send it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact import words
from ucimpact.report.league_parts import (
    COLUMNS,
    MANY,
    NOT_WORKED_OUT,
    Field,
    LeagueSection,
    MoneyRow,
    by_net,
    joined,
    worth,
)
from ucimpact.report.phrases import stopped
from ucimpact.report.section import Section
from ucimpact.report.tables import Table, table
from ucimpact.words import chance, number
from ucimpact.words import league_page as said
from ucimpact.words.numbers import few

FEW_NAMES = 4
"""A set of more pilots than this is told by how it differs from the first."""
ROUNDED = "Figures are rounded separately."


def budget(field: Field) -> LeagueSection:
    """Each pilot for one more year, the chosen set, and what the raw results would have done."""
    portfolio = field.document.get("portfolio")
    chosen = portfolio["funded"] if portfolio else []
    order = sorted(by_net(field.pilots), key=lambda p: p["id"] not in chosen)
    counted = COLUMNS.get(field.estimand.get("counted") or "", "value in the column that decides")
    bold, text = _answer(field, portfolio)
    often = any(p.get("in_best") is not None for p in field.pilots)
    head = [
        "Pilot",
        "Cost",
        "Value",
        "Net",
        "Likely range of net",
        "Chance net is above 0",
        "Worth of more evidence",
    ]
    if often:
        head += ["In the best set, of 100", "The same, expecting little"]
        text.append(said.NOT_A_PREDICTION)
    beyond = stopped(((portfolio or {}).get("beyond") or {}).get("text") or "")
    total = None
    if portfolio and chosen:
        name = f"The {few(len(chosen))} funded" if len(chosen) > 1 else "The one funded"
        total = MoneyRow(
            name=name,
            funded="",
            cells=(*_amounts(portfolio, portfolio.get("chance")), *[""] * (1 + 2 * often)),
        )
    return LeagueSection(
        ident="budget", heading="Where should the money go?", kind="budget", bold=bold, text=tuple(text),
        more=(joined(beyond),) if beyond else (), head=tuple(head),
        caption=f"Each pilot for one more year at today’s price: {counted}",
        money=tuple(_row(field, p, chosen, often=often) for p in order), total=total,
        closing=f"{words.RANGES.replace('in one is', 'in one pilot is')} {ROUNDED}", whole=field.n <= MANY,
    )  # fmt: skip


def _answer(field: Field, portfolio: Mapping[str, Any] | None) -> tuple[str, list[str]]:
    """The bold answer and what follows it."""
    if portfolio is None:
        return "Each by its own decision.", [said.NO_SET]
    names = field.names(portfolio["funded"])
    bold = said.funded(names) if len(names) <= 2 * FEW_NAMES else f"To {few(len(names))} of them."
    text = [said.WITHIN if portfolio.get("budget") is not None else said.WITHOUT_LIMIT]
    text.append(stopped(portfolio.get("text") or ""))
    return bold, [joined(part) for part in text if part]


def _row(field: Field, p: Mapping[str, Any], chosen: Sequence[str], *, often: bool) -> MoneyRow:
    evsi = p.get("evsi")
    cells = [*_amounts(p.get("year") or {}, worth(p, "chance"))]
    cells.append(NOT_WORKED_OUT if evsi is None else said.evidence(evsi))
    if often:
        cells += [_share(p.get("in_best")), _share(p.get("in_best_sceptical"))]
    scale = p.get("scale")
    part = f" at {number(100 * scale)}% of its size" if scale and scale != 1 else ""
    return MoneyRow(
        name=field.short[p["id"]], funded=f"funded{part}" if p["id"] in chosen else "", cells=tuple(cells)
    )


def _amounts(year: Mapping[str, Any], likely: float | None) -> list[str]:
    cells = [
        NOT_WORKED_OUT if year.get(name) is None else joined(words.money(year[name]))
        for name in ("cost", "value", "net")
    ]
    spans = None not in (year.get("low"), year.get("high"))
    cells.append(joined(words.money_range(year["low"], year["high"])) if spans else NOT_WORKED_OUT)
    cells.append(NOT_WORKED_OUT if likely is None else chance(likely))
    return cells


def _share(value: float | None) -> str:
    return NOT_WORKED_OUT if value is None else said.of_hundred(value)


def beliefs(field: Field) -> Section | None:
    """The number of the apparent winner, the funded set and its claim, under each prior belief."""
    rows = field.document.get("priors") or ()
    if not rows:
        return None
    chosen = bool(field.document.get("portfolio"))
    sets = [frozenset(row.get("funded") or ()) for row in rows]
    return Section(
        ident="belief", heading="Would another belief change it?", kind="tables",
        bold=said.beliefs(sets, chosen=chosen), text=(said.BELIEFS,),
        tables=(_believed(field, rows, "What each belief leads to", "Belief beforehand", chosen=chosen),),
    )  # fmt: skip


def shared(field: Field) -> Section | None:
    """Pilots that share comparison people or places, and both bounds where nothing says how."""
    linked = field.document.get("covariance") or {}
    bounds = linked.get("bounds") or {}
    rows = bounds.get("rows") or ()
    if linked.get("how") in (None, "none shared"):
        return None
    chosen = bool(field.document.get("portfolio"))
    tables = [_believed(field, rows, "Worked out under both bounds", "Bound", chosen=chosen)] if rows else []
    if rows and all(row.get("verdicts") for row in rows):
        told = [
            [field.short[p["id"]], *(row["verdicts"].get(p["id"], NOT_WORKED_OUT) for row in rows)]
            for p in field.pilots
        ]
        head = ["Pilot", *(row["name"] for row in rows)]
        tables.append(table("The verdict on each pilot under both bounds", head, told, ()))
    return Section(
        ident="shared", heading="Do they share comparison people?", kind="tables", bold=said.SHARED,
        tables=tuple(tables), text=tuple(stopped(part.get("text") or "") for part in (linked, bounds)),
    )  # fmt: skip


def _believed(
    field: Field, rows: Sequence[Mapping[str, Any]], caption: str, first: str, *, chosen: bool
) -> Table:
    leader = field.document.get("leader")
    name = field.short.get(leader, "the apparent winner") if leader else "the apparent winner"
    head = [first, f"{name}: change", "Likely range"]
    if chosen:
        head += ["Funded", "Net value claimed"]
    told = []
    base = set(rows[0].get("funded") or ())
    for k, row in enumerate(rows):
        difference, spread = field.change(
            {"est": row.get("leader_est"), "lo": row.get("leader_lo"), "hi": row.get("leader_hi")}
        )
        cells = [row["name"], difference, spread]
        if chosen:
            own = row.get("funded") or ()
            cells += [_set(field, own, base, first=k == 0)]
            cells += [NOT_WORKED_OUT if row.get("claim") is None else words.money(row["claim"])]
        told.append(cells)
    return table(caption, head, told, (4,))


def _set(field: Field, own: Sequence[str], base: set[str], *, first: bool) -> str:
    """A funded set: by names if few, else by how it differs from the first."""
    if not own:
        return "none"
    if len(own) <= FEW_NAMES:
        return words.joint(field.names(own))
    n = f"{number(len(own))} pilots"
    if first:
        return n
    if set(own) == base:
        return f"the same {n}"
    changes = []
    for word, ids in (("without", base - set(own)), ("with", set(own) - base)):
        names = field.names(list(ids))
        if names:
            changes.append(
                f"{word} {words.joint(names) if len(names) <= FEW_NAMES else f'{len(names)} others'}"
            )
    return f"{n}, {' and '.join(changes)}"
