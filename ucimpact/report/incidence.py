"""How it built up day by day: the share with the event, death beside it, and the mean number of events.

Made from ``data.cohort``: ``incidence`` (shares from 0 to 1) and ``cumulative_count`` (per 100 people).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.report.chart_parts import Label
from ucimpact.report.figures import Figure, may_claim, source_of
from ucimpact.report.groups import held, is_weighted
from ucimpact.report.lines import Group, Lines
from ucimpact.report.section import Note, Section
from ucimpact.report.tables import Table, download, table
from ucimpact.words import capital, measure, number, spoken

MOST_ROWS = 16
"""Days in the table behind a chart; the file holds every day."""
LOWER = "So these figures lie a little below those at the top, which are for people followed all that time."
DEATH_TEXT = (
    "To people who die it can happen no longer. They stay in the count as people to whom it did not happen, "
    "and deaths are drawn beside. Leaving the dead out would make a group in which more die look better."
)


def first_time(document: Mapping[str, Any]) -> Section | None:
    """The share of each group who had the event by each day, and who had died before it."""
    told = held(document).get("incidence") or {}
    drawn = shares(document)
    if drawn is None:
        return None
    return Section(
        ident="first",
        heading=f"{capital(_event(document, told))}: to how many, day by day?",
        kind="chart",
        bold=_by_the_end(told),
        text=tuple(text for text in (_difference(document, told), _died(told)) if text),
        figure=drawn,
        note=Note(
            name="How to read the lines",
            paragraphs=(
                (
                    "How to read this",
                    "Each line climbs as it happens to more people for the first time. Thick: it happened. "
                    "Thin: died without it. The shade is the likely range of each day by itself.",
                ),
                ("Death beside it", DEATH_TEXT),
            ),
        ),
    )


def shares(document: Mapping[str, Any]) -> Figure | None:
    """Cumulative incidence in both groups, per 100 people."""
    told = held(document).get("incidence") or {}
    rows = sorted(told.get("rows") or (), key=lambda row: row["day"])
    if not _drawable(rows, "pilot") or not _drawable(rows, "comparison"):
        return None
    rows = _from_zero(rows)
    beside = _beside(document)
    groups = [
        _group(rows, "pilot", Label(head="Supported", short=("Supported",)), 100.0),
        _group(rows, "comparison", Label(head=beside, short=(beside,)), 100.0),
    ]
    for arm, name in (("pilot", "Supported"), ("comparison", beside)):
        values = _values(rows, f"death_{arm}", 100.0)
        if any(values):
            label = Label(head=name, rest=("died without it",), short=(f"{name}: died without it",))
            groups.append(Group(values=values, pilot=arm == "pilot", thin=True, label=label))
    event, horizon = capital(_event(document, told)), number(told.get("horizon") or rows[-1]["day"])
    return Figure(
        ident="first-chart",
        title=_title(document, told, f"{event}, day by day"),
        measure=f"{event}: people per 100 to whom it had happened by each day",
        chart=Lines(labels=_days(rows), groups=groups, axis_label="days since the start", days=True),
        name=f"{event}: people per 100 to whom it happened in {horizon} days, in both groups, with deaths",
        description=f"{_by_the_end(told)} {_died(told)}".strip(),
        source=_source(document, rows, ("pilot", "comparison")),
        table=_share_table(rows, event, beside),
        download=download(f"{event} by day", _file(rows)),
    )


def mean_count(document: Mapping[str, Any]) -> Section | None:
    """The mean number of events by each day, where one person may have several."""
    told = held(document).get("cumulative_count") or {}
    rows = sorted(told.get("rows") or (), key=lambda row: row["day"])
    if not _drawable(rows, "pilot") or not _drawable(rows, "comparison"):
        return None
    rows, beside, event = _from_zero(rows), _beside(document), _event(document, told)
    last = rows[-1]
    per = f"per {number(told.get('per') or 100)} people"
    how = measure(document["finding"]["kind"], decimals=1)
    bold = ""
    if None not in (last.get("pilot"), last.get("comparison")):
        bold = (
            f"By day {number(last['day'])} there had been {how.amount(last['pilot'])} {per} among people "
            f"supported, and {how.amount(last['comparison'])} among similar people."
        )
    head = ["Day", "Supported", "Likely range", beside, "Likely range"]
    body = [
        [
            number(row["day"]),
            *(
                cell
                for arm in ("pilot", "comparison")
                for cell in (_one(row.get(arm), how), _range(row.get(f"{arm}_low"), row.get(f"{arm}_high")))
            ),
        ]
        for row in _thinned(rows)
    ]
    drawn = Figure(
        ident="mean-chart",
        title=f"{capital(event)} as they added up",
        measure=f"{capital(event)} {per} by each day, counting every one",
        chart=Lines(
            labels=_days(rows),
            groups=[
                _group(rows, "pilot", Label(head="Supported", short=("Supported",)), 1.0),
                _group(rows, "comparison", Label(head=beside, short=(beside,)), 1.0),
            ],
            axis_label="days since the start",
            days=True,
        ),
        name=f"{capital(event)} {per} by each day, in both groups",
        description=bold,
        source=_source(document, rows, ("pilot", "comparison")),
        table=table(f"{capital(event)} {per} by day", head, body, range(1, 5)),
        download=download(f"{event} added up by day", _file(rows)),
    )
    return Section(
        ident="mean",
        heading=f"How did {event} add up?",
        kind="chart",
        bold=bold or "Both lines count every event, the second and third of a person too.",
        text=(
            " ".join(
                [
                    "A person may have several, and each counts; after death nothing more is added.",
                    *_lower(document, last),
                ]
            ),
        ),
        figure=drawn,
    )


# Words


def _lower(document: Mapping[str, Any], last: Mapping[str, Any]) -> list[str]:
    """Why the last figure may lie below that of the first screen."""
    finding, here = document["finding"], last.get("pilot")
    top, base = finding.get("observed"), finding.get("base")
    if not may_claim(finding) or None in (top, here) or base != 100 or not top > here:
        return []
    return [LOWER]


def _event(document: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """What is counted, in mid-sentence; the main outcome by its label."""
    finding = document["finding"]
    name = str(told.get("event") or finding["outcome"])
    if name == finding["column"]:
        return str(finding["outcome"])
    return name[:1].lower() + name[1:] if name[1:2].islower() or name[1:2] == " " else name


def _beside(document: Mapping[str, Any]) -> str:
    return "Similar, weighted" if is_weighted(document) else "Similar people"


def _per_100(share: float | None) -> str:
    return "too few to be shown" if share is None else number(100 * share, 1)


def _last(told: Mapping[str, Any]) -> Mapping[str, Any]:
    rows: list[Mapping[str, Any]] = sorted(told.get("rows") or (), key=lambda row: row["day"])
    return rows[-1] if rows else {}


def _by_the_end(told: Mapping[str, Any]) -> str:
    """To how many of 100 it had happened by the last day."""
    last = _last(told)
    if last.get("pilot") is None or last.get("comparison") is None:
        return ""
    return (
        f"By day {number(last['day'])} it had happened to {_per_100(last['pilot'])} of 100 people supported, "
        f"and to {_per_100(last['comparison'])} of 100 similar people."
    )


def _difference(document: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """The difference of the shares on the last day; nothing where no effect may be claimed."""
    found = told.get("difference") or {}
    numbers = [found.get(name) for name in ("estimate", "conf_low", "conf_high")]
    if None in numbers or not may_claim(document["finding"]):
        return ""
    est, lo, hi = (100 * float(v) for v in numbers if v is not None)
    said = spoken(est, lo, hi, measure("count", decimals=1))
    return f"That is {said.difference} of 100 (likely range {said.range})."


def _died(told: Mapping[str, Any]) -> str:
    last = _last(told)
    shown = [last.get(f"death_{arm}") for arm in ("pilot", "comparison")]
    if "death_pilot" not in last:
        return ""
    if None in shown:
        return "Too few had died without it for figures to be shown in both groups."
    return f"Before it could happen, {_per_100(shown[0])} and {_per_100(shown[1])} of 100 had died."


def _title(document: Mapping[str, Any], told: Mapping[str, Any], plain: str) -> str:
    """What is to be seen, where the range leaves out no difference and an effect may be claimed."""
    found = told.get("difference") or {}
    low, high = found.get("conf_low"), found.get("conf_high")
    if low is None or high is None or not may_claim(document["finding"]):
        return plain
    day = number(_last(told).get("day") or told.get("horizon") or 0)
    if high < 0:
        return f"By day {day} it had happened to fewer of the people supported"
    if low > 0:
        return f"By day {day} it had happened to more of the people supported"
    return f"By day {day} the two groups are too close to tell apart"


# Data


def _drawable(rows: Sequence[Mapping[str, Any]], arm: str) -> bool:
    return sum(row.get(arm) is not None for row in rows) > 1


def _from_zero(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """With day 0, on which nothing has happened."""
    if rows[0]["day"] == 0:
        return list(rows)
    zero = {name: 0.0 for name in rows[0] if name != "day"}
    return [{**zero, "day": 0}, *rows]


def _values(rows: Sequence[Mapping[str, Any]], name: str, times: float) -> list[float | None]:
    return [None if row.get(name) is None else times * float(row[name]) for row in rows]


def _group(rows: Sequence[Mapping[str, Any]], arm: str, label: Label, times: float) -> Group:
    low, high = (_values(rows, f"{arm}_{end}", times) for end in ("low", "high"))
    ranged = any(v is not None for v in low) and any(v is not None for v in high)
    return Group(
        values=_values(rows, arm, times),
        low=low if ranged else (),
        high=high if ranged else (),
        pilot=arm == "pilot",
        label=label,
    )


def _days(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [number(row["day"]) for row in rows]


def _thinned(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Days at even steps, the last among them."""
    step = -(-(len(rows) - 1) // (MOST_ROWS - 1)) or 1
    last = len(rows) - 1
    return [row for k, row in enumerate(rows) if (last - k) % step == 0]


def _one(value: float | None, how: Any) -> str:
    return "hidden" if value is None else str(how.amount(value)) if value else "0"


def _range(low: float | None, high: float | None, times: float = 1.0) -> str:
    if low is None or high is None:
        return "not estimated"
    return f"{number(times * low, 1)} to {number(times * high, 1)}"


def _share_table(rows: Sequence[Mapping[str, Any]], event: str, beside: str) -> Table:
    deaths = any(row.get(f"death_{arm}") for row in rows for arm in ("pilot", "comparison"))
    head = ["Day", "Supported", "Likely range", beside, "Likely range"]
    head += ["Supported: died", f"{beside}: died"] if deaths else []
    body = []
    for row in _thinned(rows):
        cells = [number(row["day"])]
        for arm in ("pilot", "comparison"):
            cells.append("hidden" if row.get(arm) is None else _per_100(row[arm]))
            cells.append(_range(row.get(f"{arm}_low"), row.get(f"{arm}_high"), 100.0))
        if deaths:
            known = (row.get(f"death_{arm}") for arm in ("pilot", "comparison"))
            cells += ["hidden" if v is None else _per_100(v) for v in known]
        body.append(cells)
    return table(f"{event}: people per 100 to whom it had happened, by day", head, body, range(1, len(head)))


def _file(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]


def _source(document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], arms: Sequence[str]) -> str:
    text = source_of(document)
    if document["disclosure"].get("profile") != "hes2018":
        return text
    gap = any(row.get(arm) is None for row in rows for arm in arms)
    text += " Lines move in steps of five people"
    return f"{text}, and begin once 8 had had it." if gap else f"{text}."
