"""A chart for watching a service from here on: the months since the start between the limits of those before.

It stands beside the evaluation and is no part of it. The words are those of NHS England's *Making Data
Count*: common cause for ordinary variation, special cause of an improving or concerning nature for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact.inference.xmr import Xmr, xmr
from ucimpact.report import course
from ucimpact.report.chart_parts import Label
from ucimpact.report.figures import Figure, noun_of, primary, short_period, source_of
from ucimpact.report.monitor import OUT, Monitor
from ucimpact.report.scale import decimals_for
from ucimpact.report.section import Note, Section
from ucimpact.report.tables import table
from ucimpact.words import capital, joint, number

NO_RANGE = (
    "This is a companion for watching the service, not an effect. Its limits are those of single {noun}s "
    "before the start; they are no range for what the pilot did."
)
RULES = {
    "outside": "beyond a limit",
    "shift": "one of seven or more in a row on one side of the mean",
    "trend": "one of seven or more in a row that {way}",
    "near": "one of two in three near the same limit",
}
NATURES = {
    "better": "special cause, improving",
    "worse": "special cause, concerning",
    "": "common cause",
    OUT: "not counted",
}


def section(document: Mapping[str, Any]) -> Section | None:
    """The chart with its words; None without a dated series of 12 periods or more before the start.

    None too where numbers are hidden: a mean of the others would be too high.
    """
    rows = primary(document).get("counterfactual") or []
    if document["data"].get("kind") != "series" or not any(row["since"] >= 0 for row in rows):
        return None
    if document["disclosure"].get("suppressed") and any(row["observed"] is None for row in rows):
        return None
    values = np.array([np.nan if row["observed"] is None else row["observed"] for row in rows], dtype=float)
    kept, baseline = course.watched(document["data"], rows)
    found = xmr(np.where(kept, values, np.nan), baseline)
    since = np.array([row["since"] for row in rows])
    if found is None or not np.isfinite(values[kept & (since >= 0)]).any():
        return None
    good = 1 if document["finding"]["better"] == "higher" else -1
    marks = ["" if way == 0 else "better" if way == good else "worse" for way in found.direction]
    marks = [mark if counts else OUT for mark, counts in zip(marks, kept, strict=True)]
    noun = noun_of(document)
    return Section(
        ident="monitor",
        heading="How could the service be watched from here on?",
        kind="chart",
        bold=_latest(rows, values, marks, found, noun),
        text=(NO_RANGE.format(noun=noun), _since(rows, marks, noun)),
        figure=_figure(document, rows, values, marks, found),
        note=Note(
            name="How to read the chart for watching",
            paragraphs=(
                (
                    "Marked",
                    f"A {noun} is marked if it lies beyond a limit, in a run of seven or more on one side of "
                    "the mean, in a run of seven or more that rise or fall, or if two of three lie near the "
                    "same limit. These are the rules of Making Data Count.",
                ),
                (
                    "Locked",
                    f"Mean and limits are those of the {found.baseline} {noun}s before the start that count, "
                    "and stay.",
                ),
                *((("Grey", text),) if (text := _left_out(document, rows, noun)) else ()),
                (
                    "What it does not know",
                    "Seasons, a trend from before, and what one "
                    f"{noun} carries over to the next. Each of them marks {noun}s without any cause.",
                ),
            ),
        ),
    )


def _latest(
    rows: Sequence[Mapping[str, Any]], values: np.ndarray, marks: Sequence[str], found: Xmr, noun: str
) -> str:
    counted = np.array([mark != OUT for mark in marks])
    at = int(np.flatnonzero(np.isfinite(values) & counted)[-1])
    head = f"The latest {noun}, {rows[at]['label']}, is"
    if not marks[at]:
        return f"{head} ordinary variation (common cause)."
    nature = "improving" if marks[at] == "better" else "concerning"
    return f"{head} out of the ordinary (special cause of {_an(nature)} nature): {_rules(found, at)}."


def _an(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _rules(found: Xmr, at: int) -> str:
    way = "rise" if found.direction[at] > 0 else "fall"
    return "; ".join(text.format(way=way) for name, text in RULES.items() if found.marks[name][at])


def _since(rows: Sequence[Mapping[str, Any]], marks: Sequence[str], noun: str) -> str:
    after = [mark for row, mark in zip(rows, marks, strict=True) if row["since"] >= 0 and mark != OUT]
    better, worse = after.count("better"), after.count("worse")
    told = f"Of {len(after)} {noun}s since the start {better + worse or 'none'} "
    told += "is marked" if better + worse == 1 else "are marked"
    return f"{told}: {better} improving, {worse} concerning." if better + worse else f"{told}."


def _left_out(document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], noun: str) -> str:
    """Which periods stand grey, outside the limits and the rules; "" where none does."""
    said = []
    since = {row["period"]: row["since"] for row in rows}
    for change in document["data"].get("changes") or ():
        if change["last"] is not None:
            said.append(f"{noun}s with {change['name']}")
        elif change["first"] in since:
            side = "before" if since[change["first"]] < 0 else "from"
            why = "counted in another way: " if change["recounted"] else ""
            said.append(f"{noun}s {side} {change['label']} ({why}{change['name']})")
    if document["data"].get("not_counted"):
        said.append(f"{noun}s that do not count in the evaluation")
    return f"{capital(joint(said))} stand in grey, without limits and rules." if said else ""


def _figure(
    document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], values: np.ndarray, marks: Sequence[str],
    found: Xmr,
) -> Figure:  # fmt: skip
    finding, noun = document["finding"], noun_of(document)
    shorts = [short_period(row["period"], row["label"]) for row in rows]
    start = next(k for k, row in enumerate(rows) if row["since"] >= 0)
    known = [float(v) if np.isfinite(v) else None for v in values]
    reaches = found.low >= 0 or any(v < 0 for v in known if v is not None)
    low = found.low if reaches else None
    decimals = decimals_for([*known, found.mean, found.high])
    limits = f"mean {number(found.mean, decimals)}, upper limit {number(found.high, decimals)}"
    limits += f", lower limit {number(low, decimals)}" if low is not None else ", no lower limit above 0"
    told = [
        [
            capital(row["label"]),
            "missing" if value is None else number(value, decimals),
            "missing" if value is None else NATURES[mark],
            _rules(found, k) or "none",
        ]
        for k, (row, value, mark) in enumerate(zip(rows, known, marks, strict=True))
    ]
    return Figure(
        ident="monitor-chart",
        title=f"Each {noun} between the limits of those before the start",
        measure=f"{finding['label']} {finding['chart_per']}",
        chart=Monitor(
            labels=shorts,
            values=known,
            marks=marks,
            mean=found.mean,
            low=low,
            high=found.high,
            start=start,
            start_label=f"pilot starts, {shorts[start]}",
            others=course.marks(document["data"], rows, shorts),
            mean_label=Label(head="Mean", rest=("before the start",), short=("Mean before the start",)),
            high_label=Label(head="Upper limit", short=(f"Limits of single {noun}s",)),
            low_label=Label(head="Lower limit", short=()),
        ),
        name=f"{finding['label']} as a chart of statistical process control",
        description=f"{capital(limits)}. {_since(rows, marks, noun)}",
        key=(
            ("f", "Special cause, improving"),
            ("r", "Special cause, concerning"),
            ("", "Common cause"),
            *([("g", "Not counted")] if OUT in marks else []),
        ),
        source=f"{source_of(document)} {capital(limits)}.",
        table=table(
            f"Each {noun} ({limits})", [capital(noun), "Observed", "Variation", "Marked as"], told, (1,)
        ),
    )
