"""From a document to the drawings it allows: chart data, labels, the table behind each chart.

A figure that the document has no numbers for is None, and the report leaves it out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact.report import course, staggered
from ucimpact.report.chart_parts import Label
from ucimpact.report.charts import Chart, ObservedExpected, Path
from ucimpact.report.columns import Columns
from ucimpact.report.forest import Forest
from ucimpact.report.funnel import Funnel
from ucimpact.report.lines import Lines
from ucimpact.report.love import Love
from ucimpact.report.money_curve import Chances
from ucimpact.report.monitor import Monitor
from ucimpact.report.scale import decimals_for
from ucimpact.report.single import Claim, Interval
from ucimpact.report.spread import Spread
from ucimpact.report.tables import Download, Table, download, table
from ucimpact.words import (
    MINUS,
    Measure,
    capital,
    measure,
    number,
    plural_of,
    rounded,
    spoken,
)
from ucimpact.words.statement import is_naive

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
APART = 0.75
"""A comparison line further from the pilot's than this share of its spread is left to the table."""


Drawn = Chart | Interval | Claim | Forest | Funnel | Monitor | Lines | Love | Columns | Spread | Chances
"""Everything that can be drawn."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart with all that stands round it.

    Attributes
    ----------
    ident : str
        Prefix of ids, unique on the page.
    title, measure : str
        What to see; what is measured.
    name, description : str
        Text alternative.
    """

    ident: str
    title: str
    measure: str
    chart: Drawn
    name: str
    description: str
    source: str = ""
    key: tuple[tuple[str, str], ...] = ()
    table: Table | None = None
    download: Download | None = None


def primary(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The main analysis of a document."""
    return next(entry for entry in document["estimates"] if entry["role"] == "primary")


def effects(entry: Mapping[str, Any], term: str) -> list[Mapping[str, Any]]:
    """The effects of an analysis with this term."""
    return [row for row in entry.get("effects") or () if row["term"] == term]


def how_measured(finding: Mapping[str, Any], values: Sequence[float | None]) -> Measure:
    """Words for a difference in the units of the finding, with decimals for a table of such values."""
    percent = finding["scale"] == "log"
    whole = decimals_for(values) == 0
    return measure(finding["kind"], decimals=0 if whole else 1, percent=percent)


def may_claim(finding: Mapping[str, Any]) -> bool:
    """Whether there is a likely range, and nothing that bars an effect from being claimed."""
    barred = (
        finding.get("refused") or finding.get("key_fail") or finding.get("confounded") or is_naive(finding)
    )
    return not barred and None not in (finding["est"], finding["lo"], finding["hi"])


def toward_good(finding: Mapping[str, Any]) -> int:
    """-1 where fewer is better."""
    return 1 if finding["better"] == "higher" else -1


def noun_of(document: Mapping[str, Any]) -> str:
    """What a period is called."""
    return str(document["data"].get("frequency") or "period")


def source_of(document: Mapping[str, Any]) -> str:
    """Where the numbers come from, for the line below a chart."""
    files = ", ".join(str(row["file"]) for row in document["study"]["fingerprints"])
    window = document["data"].get("window")
    told = f"Source: {files or 'the records named in the study file'}"
    told += f", {window[0]} to {window[1]}." if window else "."
    return told + (" Invented numbers." if document["study"]["example"] else "")


def short_period(iso: str, label: str) -> str:
    """ "Apr 2022", "5 Jan 2023"; other periods by their label."""
    if found := re.fullmatch(r"(\d{4})-(\d\d)(?:-(\d\d))?", iso):
        year, month, day = found.groups()
        name = f"{MONTHS[int(month) - 1]} {year}"
        return f"{int(day)} {name}" if day else name
    if found := re.fullmatch(r"(\d{4})-Q([1-4])", iso):
        return f"{MONTHS[3 * int(found[2]) - 3]} {found[1]}"
    return label


def observed_expected(document: Mapping[str, Any]) -> Figure | None:
    """What happened to the pilot and what was expected, with the likely range from the start on."""
    every = primary(document).get("counterfactual") or []
    if not any(row["observed"] is not None for row in every):
        return None
    finding, noun, unit = document["finding"], noun_of(document), unit_of(document)
    own = staggered.by_own_start(every)
    if own:
        every = staggered.from_the_start(every, str(primary(document).get("method")))
    rows = staggered.seen_by_half(every) if own else every
    started = [k for k, row in enumerate(rows) if row["since"] >= 0]
    start = started[0] if started else None
    by_period = {row["period"]: row["mean"] for row in _extras(document).get("comparison") or ()}
    comparison = [by_period.get(row["period"]) for row in rows] if by_period else []
    drawn = comparison if _near(comparison, rows) else [None] * len(rows)
    after = set(started)
    lows = [row["low"] if k in after else None for k, row in enumerate(rows)]
    band = any(low is not None for low in lows)
    shorts = [_short(row, own=own) for row in rows]
    pilots = (f"mean of pilot {_units(document, 2)}",) if own else _pilots(document)
    chart = ObservedExpected(
        labels=shorts,
        marks=() if own else course.marks(document["data"], rows, shorts),
        observed=[row["observed"] for row in rows],
        expected=[row["expected"] for row in rows],
        low=lows,
        high=[row["high"] if k in after else None for k, row in enumerate(rows)],
        comparison=drawn,
        start=start or None,
        start_label=""
        if start is None
        else staggered.start_label(unit)
        if own
        else f"pilot starts, {_short(rows[start], own=False)}",
        axis_label=staggered.axis(noun, unit) if own else "",
        observed_label=Label(head="Observed", rest=pilots, short=(", ".join(("Observed", *pilots)),)),
        expected_label=Label(
            head="Expected",
            rest=("without the pilot", "(shaded: likely range)")[: 1 + band],
            short=("Expected without the pilot", "Likely range of what was expected")[: 1 + band],
        ),
        comparison_label=_comparison_label(document) if drawn is comparison and comparison else None,
    )
    outcome = finding["label"]
    estimated = any(row["expected"] is not None for row in rows)
    shown = f"{outcome}, observed and expected" if estimated else f"{outcome}, as observed"
    return Figure(
        ident="effect-chart",
        title=(may_claim(finding) and finding["sentences"].get("chart_title")) or shown,
        measure=f"{outcome} {finding['chart_per']}",
        chart=chart,
        name=(may_claim(finding) and finding["sentences"].get("alt")) or shown,
        description=_told(rows, start, unit if own else ""),
        source=" ".join(
            text for text in (source_of(document), own and staggered.told_of(rows, every, unit)) if text
        ),
        table=_numbers(
            document, every, [] if own else comparison, f"{outcome} {finding['chart_per']}, by {noun}"
        ),
        download=download(f"{finding['column']} by {noun}", _file_rows(every, [] if own else comparison)),
    )


def _short(row: Mapping[str, Any], *, own: bool) -> str:
    return staggered.short(row["since"]) if own else short_period(row["period"], row["label"])


def _extras(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return primary(document).get("extras") or {}


def _near(comparison: Sequence[float | None], rows: Sequence[Mapping[str, Any]]) -> bool:
    own = [v for row in rows for v in (row["observed"], row["expected"]) if v is not None]
    values = [v for v in comparison if v is not None]
    if not values:
        return False
    room = APART * (max(own) - min(own))
    return bool(min(own) - room <= min(values) and max(values) <= max(own) + room)


def unit_of(document: Mapping[str, Any]) -> str:
    """ "practice": what a unit is called, if the document says."""
    return str(document["data"].get("unit_noun") or "unit")


def _units(document: Mapping[str, Any], count: int) -> str:
    return unit_of(document) if count == 1 else plural_of(unit_of(document))


def _pilots(document: Mapping[str, Any]) -> tuple[str, ...]:
    pilots = document["data"]["counts"].get("pilot_units")
    if pilots is None:
        return ()
    units = _units(document, pilots)
    return (f"the pilot {units}",) if pilots == 1 else (f"mean of {pilots} pilot {units}",)


def _comparison_label(document: Mapping[str, Any]) -> Label:
    others = document["data"]["counts"].get("comparison_units")
    rest = "mean of the others" if others is None else f"mean of {others} other {_units(document, others)}"
    return Label(head="Comparison", rest=(rest,), short=(f"Comparison, {rest}",))


def _told(rows: Sequence[Mapping[str, Any]], start: int | None, unit: str = "") -> str:
    """The last period with everything known, in words for those who cannot see the lines.

    ``unit`` names the units where time is counted from the start of each.
    """
    span = f"{len(rows)} periods, {rows[0]['label']} to {rows[-1]['label']}"
    begun = "" if start is None else f"; the pilot starts in {rows[start]['label']}"
    if unit:
        begun = f", counted from the start of each {unit}"
    whole = [row for row in rows if None not in (row["observed"], row["expected"])]
    if not whole:
        return f"{span}{begun}."
    last = whole[-1]
    decimals = decimals_for([last["observed"], last["expected"]])
    when = capital(last["label"]) if unit else f"In {last['label']}"
    said = f"{when}: {number(last['observed'], decimals)} observed"
    said += f" and {number(last['expected'], decimals)} expected"
    if None not in (last["low"], last["high"]):
        said += f", likely range {number(last['low'], decimals)} to {number(last['high'], decimals)}"
    return f"{span}{begun}. {said}."


def _numbers(
    document: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    comparison: Sequence[float | None],
    caption: str,
) -> Table:
    values = [row[name] for row in rows for name in ("observed", "expected")]
    decimals = decimals_for(values)
    absent = "hidden" if document["disclosure"].get("suppressed") else "missing"
    head = [capital(noun_of(document)), "Observed", "Expected", "Likely range"]
    units = any(row.get("units") is not None for row in rows)
    if units:
        head.append(capital(_units(document, 2)))
    told = []
    for row in rows:
        expected = "not estimated" if row["expected"] is None else number(row["expected"], decimals)
        span = "not estimated"
        if None not in (row["low"], row["high"]):
            span = f"{number(row['low'], decimals)} to {number(row['high'], decimals)}"
        observed = absent if row["observed"] is None else number(row["observed"], decimals)
        told.append([capital(row["label"]), observed, expected, span])
        if units:
            told[-1].append(absent if row["units"] is None else number(row["units"]))
    if comparison:
        head.append("Comparison")
        for line, value in zip(told, comparison, strict=True):
            line.append(absent if value is None else number(value, decimals))
    return table(caption, head, told, range(1, len(head)))


def _file_rows(rows: Sequence[Mapping[str, Any]], comparison: Sequence[float | None]) -> list[dict[str, Any]]:
    names = {"observed": "observed", "expected": "expected", "low": "expected_low", "high": "expected_high"}
    own = staggered.by_own_start(rows)
    kept = [
        {
            "period": row["since"] if own else row["period"],
            **{new: row[old] for old, new in names.items()},
        }
        for row in rows
    ]
    if comparison:
        for row, value in zip(kept, comparison, strict=True):
            row["comparison"] = value
    return kept


# Effects by time since the start


def path(document: Mapping[str, Any]) -> Figure | None:
    """The gap between pilot and comparison, period by period, with the bands."""
    entry, finding, noun = primary(document), document["finding"], noun_of(document)
    found = sorted(effects(entry, "event"), key=lambda row: row["event_time"])
    if len(found) < 2:
        return None
    change = change_of(entry)
    unit, own = unit_of(document), staggered.by_own_start(entry.get("counterfactual") or [])
    rows = _with_reference(found, entry)
    values: dict[str, list[float | None]] = {
        name: [None if row.get(key) is None else change(row[key]) for row in rows]
        for name, key in (
            ("estimates", "estimate"), ("low", "conf_low"), ("high", "conf_high"),
            ("band_low", "conf_low_simultaneous"), ("band_high", "conf_high_simultaneous"),
        )
    }  # fmt: skip
    known = [v for column in values.values() for v in column]
    how, decimals = how_measured(finding, known), decimals_for(known)
    worthwhile = _worthwhile_in_path(document)
    names = _names(entry, rows, own=own)
    good = how.fewer if toward_good(finding) < 0 else how.more
    key = key_of(values, how)
    if worthwhile is not None:
        key.append(("d", f"Smallest worthwhile effect, {how.amount(abs(worthwhile))} {good}"))
    units = "per cent" if entry["scale"] == "log" else finding["chart_per"]
    told = [
        [
            long,
            *signed(
                how,
                decimals,
                values["estimates"][k],
                (values["low"][k], values["high"][k]),
                (values["band_low"][k], values["band_high"][k]),
            ),
        ]
        for k, (_, long) in enumerate(names)
    ]
    head = [capital(noun), "Gap", f"Likely range for that {noun}", "Band for all together"]
    drawn = _drawn(entry, rows, own=own)

    def kept(values: Sequence[Any]) -> list[Any]:
        return [values[k] for k in drawn]

    return Figure(
        ident="path-chart",
        title=f"The gap, {noun} by {noun}",
        measure=f"{finding['label']}, {units}: pilot less comparison, against the {noun} before the start",
        chart=Path(
            labels=[short for short, _ in kept(names)],
            start=next(k for k, row in enumerate(kept(rows)) if row["event_time"] >= 0),
            before_label="before the pilot",
            after_label="with the pilot",
            axis_label=staggered.axis(noun, unit) if own else "",
            worded=worded_for(how),
            worthwhile=worthwhile,
            estimates=kept(values["estimates"]),
            low=kept(values["low"]),
            high=kept(values["high"]),
            band_low=kept(values["band_low"]),
            band_high=kept(values["band_high"]),
        ),
        name=f"Gap between pilot and comparison in {finding['outcome']}, {noun} by {noun}",
        description=told_path(names, values["estimates"], how),
        key=tuple(key),
        table=table(f"The gap, {noun} by {noun} ({minus_is(how)})", head, told, (1, 2, 3)),
    )


def change_of(entry: Mapping[str, Any]) -> Callable[[float], float]:
    """Effects of a model of logarithms as per cent, others as they are."""
    if entry["scale"] == "log":
        return lambda v: 100 * math.expm1(v)
    return lambda v: v


def _with_reference(rows: list[Mapping[str, Any]], entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The path with the period that every gap is measured against: the last one analysed before the start."""
    told = (entry.get("extras") or {}).get("reference") or {}
    since = told.get("event_time", -1)
    if any(row["event_time"] == since for row in rows):
        return rows
    frame = entry.get("counterfactual") or []
    period = told.get("period") or next((row["period"] for row in frame if row["since"] == since), None)
    reference = {"event_time": since, "period": period, "estimate": 0.0, "conf_low": None, "conf_high": None}
    return sorted([*rows, reference], key=lambda row: row["event_time"])


def _names(
    entry: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, own: bool
) -> list[tuple[str, str]]:
    """The short and the long name of each gap's period."""
    if not own:
        labels = labels_of(entry)
        told = entry.get("counterfactual") or ()
        by_since = {row["since"]: (short_period(row["period"], row["label"]), row["label"]) for row in told}
        return [
            labels.get(row.get("period"))
            or by_since.get(row["event_time"], (staggered.short(row["event_time"]),) * 2)
            for row in rows
        ]
    long = {int(row["since"]): capital(row["label"]) for row in entry["counterfactual"]}
    times = [int(row["event_time"]) for row in rows]
    return [(staggered.short(at), long.get(at, staggered.short(at))) for at in times]


def _drawn(entry: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, own: bool) -> list[int]:
    """The gaps that the chart shows; the table behind it holds all of them."""
    if not own:
        return list(range(len(rows)))
    times = {int(row["since"]) for row in staggered.seen_by_half(entry["counterfactual"])}
    kept = [k for k, row in enumerate(rows) if int(row["event_time"]) in times]
    return kept if any(rows[k]["event_time"] >= 0 for k in kept) else list(range(len(rows)))


def labels_of(entry: Mapping[str, Any]) -> dict[Any, tuple[str, str]]:
    rows = entry.get("counterfactual") or ()
    return {row["period"]: (short_period(row["period"], row["label"]), row["label"]) for row in rows}


def _worthwhile_in_path(document: Mapping[str, Any]) -> float | None:
    """The smallest worthwhile effect in the units of the path, with its sign."""
    finding = document["finding"]
    w = finding.get("w")
    if w is None:
        return None
    sign = toward_good(finding)
    if finding["scale"] == "log":
        return float(sign * w)
    after = [
        row["expected"] for row in primary(document).get("counterfactual") or ()
        if row["since"] >= 0 and row["expected"] is not None
    ]  # fmt: skip
    told = _extras(document).get("observed")
    if staggered.by_own_start(primary(document).get("counterfactual") or []) and told is not None:
        after = [told - primary(document)["effects"][0]["estimate"]]
    if not finding.get("expected") or not after:
        return None
    return float(sign * w / abs(finding["expected"]) * sum(after) / len(after))


def worded_for(how: Measure) -> Callable[[float, int], str]:
    """Ticks of an axis of differences: "1.5 fewer"; finer ones by their sign."""

    def worded(value: float, decimals: int) -> str:
        if not value:
            return "0"
        if decimals > 1:
            return number(value, decimals)
        return f"{how.before}{number(abs(value), decimals)}{how.after} {how.word(value)}"

    return worded


def key_of(values: Mapping[str, Sequence[float | None]], how: Measure) -> list[tuple[str, str]]:
    lows = [b if b is not None else a for a, b in zip(values["low"], values["band_low"], strict=True)]
    highs = [b if b is not None else a for a, b in zip(values["high"], values["band_high"], strict=True)]
    key = []
    if any(v is not None and v < 0 for v in highs):
        key.append(("f", f"{how.fewer.capitalize()}: clear of no difference"))
    if any(v is not None and v > 0 for v in lows):
        key.append(("r", f"{how.more.capitalize()}: clear of no difference"))
    return [*key, ("", "Could not tell")]


Limits = tuple[float | None, float | None]


def signed(how: Measure, decimals: int, est: float | None, *ranges: Limits) -> list[str]:
    """A gap and its ranges as numbers with a sign, for a table."""

    def told(value: float) -> str:
        sign = MINUS if value < 0 and rounded(value, decimals) else ""
        return f"{sign}{how.before}{number(abs(value), decimals)}{how.after}"

    if est is not None and all(limit is None for pair in ranges for limit in pair):
        return [
            told(est),
            *["not estimated" if est else "none: the others are measured against it"] * len(ranges),
        ]
    spans = [
        "not estimated" if lo is None or hi is None else f"{told(lo)} to {told(hi)}" for lo, hi in ranges
    ]
    return ["not estimated" if est is None else told(est), *spans]


def minus_is(how: Measure) -> str:
    return f"a minus is {how.fewer}"


def told_path(names: Sequence[tuple[str, str]], estimates: Sequence[float | None], how: Measure) -> str:
    known = [(v, long) for (_, long), v in zip(names, estimates, strict=True) if v is not None]
    (low, when_low), (high, when_high) = min(known), max(known)
    ends = "; ".join(
        f"{spoken(v, v, v, how).difference} in {when}" for v, when in ((low, when_low), (high, when_high))
    )
    return f"{len(known)} gaps, {known[0][1]} to {known[-1][1]}. The lowest and the highest: {ends}."
