"""Sites that were each held against their own past: the forest plot, and the table behind it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ucimpact.diagnostics.site_checks import DOUBT
from ucimpact.report.figures import (
    Figure,
    how_measured,
    minus_is,
    primary,
    signed,
    source_of,
    unit_of,
    worded_for,
)
from ucimpact.report.forest import Forest, Line, runs_off
from ucimpact.report.scale import decimals_for
from ucimpact.report.tables import Table, download, table
from ucimpact.words import Measure, capital, measure, number, plural_of

MOST_DRAWN = 60
"""Sites beyond which only those that weigh most are drawn; the table holds all."""


def forest(document: Mapping[str, Any]) -> Figure | None:
    """Each site's own effect with its range, their average, and the range for another site.

    The average counts each site by how sure it is; it is not the total of the finding, and is told so.
    """
    entry, finding = primary(document), document["finding"]
    extras = entry.get("extras") or {}
    sites, pooled = extras.get("sites") or [], extras.get("pooled") or {}
    if not sites or pooled.get("estimate") is None:
        return None
    logs = pooled["scale"] == "log"
    change = _share if logs else _same
    values = [change(row[name]) for row in sites for name in ("estimate", "low", "high")]
    decimals = 0 if logs else decimals_for(values)
    how = measure(finding["kind"], decimals=decimals, percent=True) if logs else how_measured(finding, values)
    unit, lines = unit_of(document), [_line(row, change, how, decimals) for row in sites]
    drawn = sorted(sorted(lines, key=lambda line: -line.weight)[:MOST_DRAWN], key=lambda line: line.estimate)
    low, high = change(pooled["low"]), change(pooled["high"])
    text = _told(how, decimals, change(pooled["estimate"]), low, high)
    average = Line(
        name=f"Average of {len(sites)} {plural_of(unit)}",
        estimate=change(pooled["estimate"]),
        low=low,
        high=high,
        weight=1.0,
        text=text,
    )
    reach = None
    if pooled.get("prediction_low") is not None:
        reach = (change(pooled["prediction_low"]), change(pooled["prediction_high"]))
    in_units = "per cent of what was expected" if logs else finding["chart_per"]
    chart = Forest(
        lines=drawn,
        average=average,
        reach=reach,
        average_short="Average",
        reach_name=f"Another {unit} like these",
        reach_short=f"Another {unit}",
        reach_text="" if reach is None else _span(how, decimals, *reach),
        worded=worded_for(how),
        axis_label=f"change, {in_units}",
    )
    return Figure(
        ident="sites-chart",
        title=f"What each {unit} shows, and the average",
        measure=f"{finding['label']}, change in {in_units}, with 95% intervals; larger marks weigh more",
        chart=chart,
        name=f"{finding['label']}: the change at each of {len(sites)} {plural_of(unit)} and their average",
        description=_described(chart, text, unit),
        source=_source(document, chart, len(sites), unit),
        key=_key(drawn, how),
        table=_table(sites, pooled, change, how, decimals, unit),
        download=download(f"{finding['label']} by {unit}", _file_rows(sites, change)),
    )


def spread(document: Mapping[str, Any]) -> str:
    """How far true effects lie apart from site to site, with its range; "" where that is not known."""
    extras = primary(document).get("extras") or {}
    found, pooled = extras.get("heterogeneity") or {}, extras.get("pooled") or {}
    if found.get("tau2") is None:
        return ""
    times, unit = (100.0, " per cent") if pooled["scale"] == "log" else (1.0, "")
    ends = [times * math.sqrt(found[name]) for name in ("tau2", "tau2_low", "tau2_high")]
    decimals = decimals_for(ends)
    told, low, high = (number(value, decimals) for value in ends)
    by_chance = found.get("careful_p_value") is not None and found["careful_p_value"] >= DOUBT
    if by_chance or number(ends[1], decimals) == number(0, decimals):
        return (
            f"These {plural_of(unit_of(document))} are too few, or each too uncertain, to show whether their "
            f"true effects differ: the likely range of their spread (standard deviation) is {low} to "
            f"{high}{unit}."
        )
    return (
        f"The true effects of single {plural_of(unit_of(document))} spread by about {told}{unit} around the "
        f"average (standard deviation; likely range {low} to {high}). Of the scatter that is seen "
        f"{100 * found['i2']:.0f}% is not chance (I squared)."
    )


def _share(value: float) -> float:
    return 100 * math.expm1(value)


def _same(value: float) -> float:
    return value


def _told(how: Measure, decimals: int, estimate: float, low: float, high: float) -> str:
    told, span = signed(how, decimals, estimate, (low, high))
    return f"{told} ({span})"


def _span(how: Measure, decimals: int, low: float, high: float) -> str:
    return signed(how, decimals, low, (low, high))[1]


def _line(row: Mapping[str, Any], change: Callable[[float], float], how: Measure, decimals: int) -> Line:
    estimate, low, high = (change(row[name]) for name in ("estimate", "low", "high"))
    return Line(
        name=str(row["site"]),
        estimate=estimate,
        low=low,
        high=high,
        weight=float(row["weight"]),
        text=_told(how, decimals, estimate, low, high),
    )


def _key(lines: Sequence[Line], how: Measure) -> tuple[tuple[str, str], ...]:
    key = []
    if any(line.high < 0 for line in lines):
        key.append(("f", f"{how.fewer.capitalize()}: clear of no difference"))
    if any(line.low > 0 for line in lines):
        key.append(("r", f"{how.more.capitalize()}: clear of no difference"))
    return (*key, ("", "Could not tell"))


def _described(chart: Forest, average: str, unit: str) -> str:
    first, last = chart.lines[0], chart.lines[-1]
    said = (
        f"{len(chart.lines)} {plural_of(unit)} from {first.name}, {first.text}, to {last.name}, {last.text}. "
        f"{chart.average.name}: {average}."
    )
    return f"{said} {chart.reach_name}: {chart.reach_text}." if chart.reach is not None else said


def _source(document: Mapping[str, Any], chart: Forest, sites: int, unit: str) -> str:
    parts = [source_of(document)]
    parts.append(
        f"The average counts each {unit} by how sure it is; the answer of this report adds them up, so a "
        f"large {unit} counts for more."
    )
    if len(chart.lines) < sites:
        parts.append(f"Drawn are the {len(chart.lines)} that weigh most; the table holds all {sites}.")
    if off := runs_off(chart):
        run = f"range of one {unit} runs" if off == 1 else f"ranges of {off} {plural_of(unit)} run"
        parts.append(f"The {run} off the plot.")
    return " ".join(parts)


def _table(
    sites: Sequence[Mapping[str, Any]],
    pooled: Mapping[str, Any],
    change: Callable[[float], float],
    how: Measure,
    decimals: int,
    unit: str,
) -> Table:
    rows = []
    for row in sites:
        effect = signed(how, decimals, change(row["estimate"]), (change(row["low"]), change(row["high"])))
        weight = f"{100 * row['weight']:.0f}%"
        rows.append([str(row["site"]), row["start"], *effect, weight, f"{row['before']}", f"{row['after']}"])
    ends = (change(pooled["low"]), change(pooled["high"]))
    rows.append(["Average", "", *signed(how, decimals, change(pooled["estimate"]), ends), "100%", "", ""])
    if pooled.get("prediction_low") is not None:
        reach = (change(pooled["prediction_low"]), change(pooled["prediction_high"]))
        rows.append([f"Another {unit}", "", "", _span(how, decimals, *reach), "", "", ""])
    head = [capital(unit), "Started", "Change", "Likely range", "Weight", "Periods before", "Periods with it"]
    return table(f"Change at each {unit} ({minus_is(how)})", head, rows, (2, 3, 4, 5, 6))


def _file_rows(sites: Sequence[Mapping[str, Any]], change: Callable[[float], float]) -> list[dict[str, Any]]:
    return [
        {
            "site": row["site"],
            "start": row["start"],
            "change": change(row["estimate"]),
            "low": change(row["low"]),
            "high": change(row["high"]),
            "weight": row["weight"],
            "before": row["before"],
            "after": row["after"],
        }
        for row in sites
    ]
