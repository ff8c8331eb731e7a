"""Were the two groups on the same path before the start: what happened to each, month by month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.report.chart_parts import Label
from ucimpact.report.figures import Figure, source_of
from ucimpact.report.groups import check_text, everyone_else, held, is_weighted
from ucimpact.report.lines import Group, Lines
from ucimpact.report.phrases import first_sentence
from ucimpact.report.scale import decimals_for
from ucimpact.report.section import Note, Section
from ucimpact.report.tables import Table, download, table
from ucimpact.words import MINUS, capital, number

BESIDE = {
    "Similar people, weighted": ("Similar people", "weighted"),
    "All who could have begun": ("Everyone", "who could have begun"),
}
"""Long names in a head and a line below it."""
TOWERS = 3.0
"""A last month this many times the highest before it would press the others flat, and stands in words."""
NEAR_TEXT = (
    "People are often referred after a bad month. A fair comparison has people who had the same bad month "
    "and were not referred: then the two lines rise together, and would have fallen together."
)


def before(document: Mapping[str, Any]) -> Section | None:
    """Both groups over the months before the start."""
    drawn = trajectory(document)
    if drawn is None:
        return None
    bold, rest = first_sentence(check_text(document, "trajectory"))
    return Section(
        ident="before",
        heading="Were they on the same path before?",
        kind="chart",
        bold=bold or "Month by month before the start, the two lines should lie together.",
        text=(rest,) if rest else (),
        figure=drawn,
        note=Note(name="Why the path matters", paragraphs=(("Why the path matters", NEAR_TEXT),)),
    )


def trajectory(document: Mapping[str, Any]) -> Figure | None:
    """Rates in each of the months before, for the people supported, those beside them, and everyone else."""
    told = held(document).get("trajectory") or {}
    rows = sorted(told.get("rows") or (), key=lambda row: row["month"])
    values = {arm: [row.get(arm) for row in rows] for arm in ("pilot", "comparison", "others")}
    told_of = [[v for v in values[arm] if v is not None] for arm in ("pilot", "comparison")]
    if len(rows) < 2 or not all(told_of) or not any(map(any, told_of)):
        return None
    beside = "Similar people, weighted" if is_weighted(document) else "Similar people"
    names = {"pilot": "Supported", "comparison": beside, "others": everyone_else(document)}
    apart = _last_apart(rows)
    drawn = rows[:-1] if apart else rows
    groups = [
        Group(
            values=values[arm][: len(drawn)],
            pilot=arm == "pilot",
            thin=arm == "others",
            label=_label(names[arm]),
        )
        for arm in values
        if any(v is not None for v in values[arm])
    ]
    event = str(told.get("event") or document["finding"]["label"])
    per = f"per {number(told.get('per') or 100)} people, in each 30 days"
    answer = next((c["answer"] for c in document["checks"] if c["name"] == "trajectory"), "")
    title = {
        "holds": "The two groups were on the same path before the start",
        "fails": "The two groups were not on the same path before the start",
        "doubtful": "The two groups may not have been on the same path before the start",
    }.get(answer, f"{capital(event)}, month by month before the start")
    return Figure(
        ident="before-chart",
        title=title,
        measure=f"{capital(event)} {per}, up to the start",
        chart=Lines(
            labels=[_month(row["month"]) for row in drawn],
            groups=groups,
            axis_label="30-day months before the start",
        ),
        name=f"{capital(event)} {per}, before the start, for both groups",
        description=_described(rows, names),
        source=" ".join(part for part in (_source(document, rows), apart) if part),
        table=_table(rows, names, f"{capital(event)} {per}", [arm for arm in values if any(values[arm])]),
        download=download(
            f"{event} before the start",
            [{"month": row["month"], **{arm: row.get(arm) for arm in values}} for row in rows],
        ),
    )


def _label(name: str) -> Label:
    """The name beside its line: what does not fit a short head goes below it."""
    head, rest = BESIDE.get(name, (name, ""))
    return Label(head=head, rest=(rest,) if rest else (), short=(name,))


def _last_apart(rows: list[Mapping[str, Any]]) -> str:
    """Why the last month is not drawn, where it towers above the others; "" where it does not.

    Where a stay in hospital opens the way to the service, everybody had it in the last month.
    """
    last = [rows[-1].get(arm) for arm in ("pilot", "comparison")]
    before = [row[arm] for row in rows[:-1] for arm in ("pilot", "comparison") if row.get(arm) is not None]
    if None in last or not before or min(v for v in last if v is not None) < TOWERS * max(before):
        return ""
    decimals = decimals_for(last)
    pilot, comparison = (number(v, decimals) for v in last if v is not None)
    return (
        f"The last month, which holds what brought people here, is left out of the chart: {pilot} and "
        f"{comparison}. The table has it."
    )


def _month(month: int) -> str:
    return f"{MINUS}{abs(month)}" if month < 0 else str(month)


def _described(rows: list[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """The first and the last month in which both are known."""
    known = [row for row in rows if None not in (row.get("pilot"), row.get("comparison"))]
    if not known:
        return "In no month are both groups shown."
    decimals = decimals_for([row[arm] for row in known for arm in ("pilot", "comparison")])
    ends = known[:1] if len(known) == 1 else [known[0], known[-1]]
    told = [
        f"month {_month(row['month'])}: {number(row['pilot'], decimals)} among people supported, "
        f"{number(row['comparison'], decimals)} among {names['comparison'].lower()}"
        for row in ends
    ]
    return capital("; ".join(told)) + "."


def _source(document: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> str:
    hidden = any(row.get(arm) is None for row in rows for arm in ("pilot", "comparison"))
    gap = " A line has a gap where fewer than 8 had it in a month." if hidden else ""
    return source_of(document) + (gap if document["disclosure"].get("suppressed") else "")


def _table(rows: list[Mapping[str, Any]], names: Mapping[str, str], caption: str, arms: list[str]) -> Table:
    decimals = decimals_for([row.get(arm) for row in rows for arm in arms])
    told = [
        [_month(row["month"]), *("hidden" if row.get(a) is None else number(row[a], decimals) for a in arms)]
        for row in rows
    ]
    return table(caption, ["Month", *(names[arm] for arm in arms)], told, range(1, len(arms) + 1))
