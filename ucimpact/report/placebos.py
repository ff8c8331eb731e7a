"""Places and dates without the pilot: what the same analysis finds where nothing happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ucimpact.report import staggered
from ucimpact.report.chart_parts import Label
from ucimpact.report.charts import Path, Placebo
from ucimpact.report.figures import (
    Figure,
    change_of,
    effects,
    how_measured,
    key_of,
    labels_of,
    minus_is,
    noun_of,
    primary,
    short_period,
    signed,
    source_of,
    told_path,
    worded_for,
)
from ucimpact.report.scale import decimals_for
from ucimpact.report.tables import Table, table
from ucimpact.words import Measure, capital, number


def placebo(document: Mapping[str, Any]) -> Figure | None:
    """The pilot's path among those of the units without it."""
    entry, finding = primary(document), document["finding"]
    found = (entry.get("extras") or {}).get("placebo") or {}
    paths = found.get("paths") or []
    own = {row["event_time"]: row for row in effects(entry, "event")}
    times = found.get("event_time") or []
    if not paths or not own:
        return None
    change, noun = change_of(entry), noun_of(document)
    pilot = [change(own[t]["estimate"]) if t in own else 0.0 if t == -1 else None for t in times]
    how = how_measured(finding, pilot)
    others = [[None if v is None else change(v) for v in values] for values in paths]
    sizes = sorted(abs(v) for values in others for v in values if v is not None)
    limit = max(1.15 * max(abs(v) for v in pilot if v is not None), sizes[int(0.95 * (len(sizes) - 1))])
    away = sum(any(v is not None and abs(v) > limit for v in values) for values in others)
    dated = _dated(entry, own, times)
    shorts = dated or [staggered.short(t) for t in times]
    start = next(k for k, t in enumerate(times) if t >= 0)
    count = len(others)
    units = "per cent" if entry["scale"] == "log" else finding["chart_per"]
    note = "" if not away else f" {away} of the {count} run off the scale in some {noun}."
    return Figure(
        ident="placebo-chart",
        title="The pilot among places without it",
        measure=f"{finding['label']}, {units}: each place against all the others",
        chart=Placebo(
            labels=shorts,
            pilot=pilot,
            others=others,
            start=start,
            limit=limit,
            start_label=f"pilot starts, {shorts[start]}" if dated else "pilot starts",
            axis_label="" if dated else f"{noun}s since the start (0 is the first {noun} with the pilot)",
            pilot_label=Label(head="The pilot", short=("The pilot",)),
            others_label=Label(
                head=f"{count} others",
                rest=("each treated as if", "it were the pilot"),
                short=(f"{count} others, each as if it were the pilot",),
            ),
            worded=worded_for(how),
        ),
        name=f"{finding['label']}: the gap of the pilot among those of {count} places without it",
        description=f"The pilot in blue and {count} other places in grey, each against all the others.{note}",
        source=(source_of(document) + note).strip(),
        table=_table(entry, found, change, how),
    )


def _dated(entry: Mapping[str, Any], own: Mapping[int, Mapping[str, Any]], times: Sequence[int]) -> list[str]:
    """The times as dates; empty where one of them has none, so that dates and counts never mix."""
    labels = labels_of(entry)
    by_since = {
        row["since"]: short_period(row["period"], row["label"])
        for row in entry.get("counterfactual") or ()
        if row.get("period")
    }
    names = [labels.get(own.get(t, {}).get("period"), (by_since.get(t, ""),))[0] for t in times]
    return names if all(names) else []


def _ratio(value: float | None) -> str:
    return "not worked out" if value is None else number(value, 1)


def _table(
    entry: Mapping[str, Any], found: Mapping[str, Any], change: Callable[[float], float], how: Measure
) -> Table | None:
    names, estimates = found.get("units") or (), found.get("estimates") or ()
    if len(names) != len(estimates) or not names:
        return None
    pairs = [(change(v), str(name)) for name, v in zip(names, estimates, strict=True) if v is not None]
    pairs.append((change(entry["effects"][0]["estimate"]), "The pilot"))
    decimals = decimals_for([v for v, _ in pairs])
    told = [[name, *signed(how, decimals, v)] for v, name in sorted(pairs)]
    caption = f"Average gap after the start, lowest first ({minus_is(how)})"
    return table(caption, ["Place", "Average gap"], told, (1,))


def fake_starts(document: Mapping[str, Any]) -> Figure | None:
    """The step at the start among steps at dates on which nothing happened."""
    entry, finding, noun = primary(document), document["finding"], noun_of(document)
    rows = [
        r for r in (entry.get("extras") or {}).get("placebo_dates") or () if r.get("level_change") is not None
    ]
    real = next(iter(effects(entry, "level_change")), None)
    if len(rows) < 2 or real is None:
        return None
    started = next((r for r in entry.get("counterfactual") or () if r["since"] == 0), None)
    change = change_of(entry)
    shorts = {long: short for short, long in labels_of(entry).values()}
    names = [(shorts.get(str(r["start"]), str(r["start"])), str(r["start"])) for r in rows]
    began = "start of the pilot" if started is None else started["label"]
    room = -(-len(rows) // 6)
    blank: list[tuple[Any, ...]] = [(None, None, None)] * room
    names = [*names, *[("", "")] * room, (shorts.get(began, began), began), *[("", "")] * room]
    steps: list[tuple[Any, ...]] = [(r["level_change"], r["conf_low"], r["conf_high"]) for r in rows]
    steps = [*steps, *blank, (real["estimate"], real["conf_low"], real["conf_high"]), *blank]
    values = [[None if v is None else change(v) for v in column] for column in zip(*steps, strict=True)]
    start = len(rows) + room
    known = [v for column in values for v in column]
    how, decimals = how_measured(finding, known), decimals_for(known)
    none: list[float | None] = [None] * len(names)
    told = [
        [long, *signed(how, decimals, values[0][k], (values[1][k], values[2][k]))]
        for k, (_, long) in enumerate(names)
        if long
    ]
    told[-1][0] += " (the pilot)"
    head = [capital(noun), "Step", "Likely range"]
    if all(r.get("t") is not None for r in rows):
        head += ["Average from then on", "Average over its standard error"]
        average = next(iter(effects(entry, "average")), {}).get("estimate")
        ratios = [*(r["t"] for r in rows), ((entry["extras"].get("placebo_rank") or {}).get("t"))]
        for line, v, t in zip(told, [*(r["average"] for r in rows), average], ratios, strict=True):
            line += [*signed(how, decimals, None if v is None else change(v)), _ratio(t)]
    return Figure(
        ident="dates-chart",
        title="The step at the start among steps at other dates",
        measure=f"{finding['label']} {finding['chart_per']}: step at each date, with 95% interval",
        chart=Path(
            labels=[short for short, _ in names],
            estimates=values[0],
            low=values[1],
            high=values[2],
            band_low=none,
            band_high=none,
            start=start,
            divide=start - (room + 1) / 2,
            before_label="dates when nothing happened",
            after_label="pilot",
            worded=worded_for(how),
        ),
        name=f"Step in {finding['outcome']} at the start of the pilot and at {len(rows)} earlier dates",
        description=told_path(names, values[0], how),
        key=tuple(key_of({"low": values[1], "high": values[2], "band_low": none, "band_high": none}, how)),
        table=table(
            f"Step, and average change, from each {noun} on ({minus_is(how)})",
            head,
            told,
            range(1, len(head)),
        ),
    )
