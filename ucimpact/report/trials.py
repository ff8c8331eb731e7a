"""What is told where many trials were put together: the question, other answers, why they mislead, the delay.

Made from ``data.cohort.trials``. Ratios are shown as changes in per cent; no sentence here says more than the
document does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ucimpact.report import intervals
from ucimpact.report.columns import Columns
from ucimpact.report.figures import Figure, effects, may_claim, primary, source_of
from ucimpact.report.groups import held
from ucimpact.report.intervals import Result
from ucimpact.report.phrases import stopped
from ucimpact.report.section import Section
from ucimpact.report.tables import table
from ucimpact.words import capital, joint, measure, number
from ucimpact.words.trials import ASKED, delay_sentence, later_sentence

OURS = "This evaluation"
MISLED = (
    "Each row is what a simpler comparison of the same records says. They differ because of how people were "
    "chosen, when the clock started and who was left out, and not because of {subject}."
)
AGREE = "The other ways of comparing the same people agree."
APART = "The other ways of comparing the same people do not agree: too few people may be alike."
SIMPLER = "A simpler comparison: no finding"
NOT_FINDINGS = "None of these figures is a finding."


def told(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the document says of the trials; empty for none."""
    return held(document).get("trials") or {}


def question(document: Mapping[str, Any]) -> tuple[str, str]:
    """Which question the number answers, for the first screen: its head, and the question."""
    text = stopped(str(told(document).get("question") or ""))
    head, colon, rest = text.partition(": ")
    return (f"{head}:", capital(rest)) if colon else ("", text)


# Simpler comparisons


def simpler(document: Mapping[str, Any]) -> Section | None:
    """What simpler comparisons would have said, each with why it misleads."""
    rows = [row for row in told(document).get("naive") or () if row.get("ratio") is not None]
    if not rows:
        return None
    immortal = told(document).get("immortal") or {}
    finding, main = document["finding"], _main(document)
    results = [] if main is None else [main]
    results += [replace(_result(row, "why"), raw=True) for row in rows]
    text = [MISLED.format(subject=finding["subject"])]
    if immortal.get("text"):
        text.append(stopped(str(immortal["text"])))
    if main is None:
        text.append(NOT_FINDINGS)
    return Section(
        ident="simpler",
        heading="What would simpler comparisons have said?",
        kind="rows",
        bold=_spread(results if main is None else results[1:]),
        text=(" ".join(text),),
        items=(f"Change in {finding['outcome']}, in per cent, with 95% interval",),
        rows=intervals.rows(
            f"Simpler comparisons: change in {finding['outcome']}, per cent",
            "Comparison",
            [("", results)],
            measure(finding["kind"], percent=True),
            raw=SIMPLER,
        ),
    )


def _main(document: Mapping[str, Any]) -> Result | None:
    """The main result in per cent, where it may be claimed."""
    if not may_claim(document["finding"]):
        return None
    row = next(iter(effects(primary(document), "relative")), None)
    if row is None or row.get("estimate") is None:
        return None
    low, high = row.get("conf_low"), row.get("conf_high")
    return Result(
        label=OURS,
        est=100 * row["estimate"],
        lo=None if low is None else 100 * low,
        hi=None if high is None else 100 * high,
        main=True,
    )


def _result(row: Mapping[str, Any], beside: str) -> Result:
    """A ratio as a change in per cent."""
    low, high = row.get("low"), row.get("high")
    return Result(
        label=capital(str(row.get("label") or row.get("name"))),
        detail=stopped(capital(str(row.get(beside) or ""))),
        est=100 * (row["ratio"] - 1),
        lo=None if low is None else 100 * (low - 1),
        hi=None if high is None else 100 * (high - 1),
    )


def _spread(results: Sequence[Result]) -> str:
    """From the lowest to the highest of the answers."""
    low, high = min(r.est for r in results), max(r.est for r in results)
    if len(results) < 2 or number(low) == number(high):
        return f"It would have said {_change(low)}."
    return f"Anything from {_change(low)} to {_change(high)}."


def _change(per_cent: float) -> str:
    if not round(per_cent):
        return "next to no change"
    return f"a {'fall' if per_cent < 0 else 'rise'} of {number(abs(per_cent))}%"


# The same comparison in other ways


def alternatives(document: Mapping[str, Any]) -> Section | None:
    """The same trials compared in other ways."""
    rows = [row for row in told(document).get("alternatives") or () if row.get("ratio") is not None]
    main, finding = _main(document), document["finding"]
    if not rows or main is None:
        return None
    agree = told(document).get("agree")
    bold = ""
    if agree is not None:
        bold = AGREE if agree else APART
    return Section(
        ident="alternatives",
        heading="Does the way of comparing matter?",
        kind="rows",
        bold=bold,
        text=("The same people and days, compared in other ways, or asked a neighbouring question.",),
        items=(f"Change in {finding['outcome']}, in per cent, with 95% interval",),
        rows=intervals.rows(
            f"Other ways: change in {finding['outcome']}, per cent",
            "Way",
            [("", [main, *(_result(row, "note") for row in rows)])],
            measure(finding["kind"], percent=True),
        ),
    )


# The delay


def delays(document: Mapping[str, Any]) -> Figure | None:
    """On which day the service began."""
    rows = sorted(told(document).get("delays") or (), key=lambda row: row["day"])
    if len(rows) < 2 or not any(row.get("n") for row in rows):
        return None
    labels = [_days(row) for row in rows]
    trigger = told(document).get("trigger")
    since = f"days since {_mid(trigger)}" if trigger else "days until the service began"
    hidden = [label for label, row in zip(labels, rows, strict=True) if row.get("n") is None]
    mean = told(document).get("mean_delay")
    title = (
        f"The service began {number(mean, 1)} days on average after {_mid(trigger)}"
        if trigger and mean is not None
        else "On which day the service began"
    )
    few = (
        f" On {'day' if len(hidden) == 1 else 'days'} {joint(hidden)} there were fewer than 8."
        if hidden
        else ""
    )
    body = [
        [label, "hidden" if row.get("n") is None else number(row["n"])]
        for label, row in zip(labels, rows, strict=True)
    ]
    return Figure(
        ident="delay-chart",
        title=title,
        measure=f"People supported, by {since}",
        chart=Columns(
            labels=labels,
            values=[row.get("n") for row in rows],
            together=[row.get("to", row["day"]) != row["day"] for row in rows],
            axis_label=since,
        ),
        name=f"People supported, by {since}",
        description="; ".join(f"{label}: {n}" for label, n in body) + ".",
        source=f"{source_of(document)}{few}",
        table=table(f"People supported, by {since}", ["Day", "People"], body, (1,)),
    )


def _mid(trigger: Any) -> str:
    text = str(trigger)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _days(row: Mapping[str, Any]) -> str:
    last = row.get("to", row["day"])
    return number(row["day"]) if last == row["day"] else f"{number(row['day'])}–{number(last)}"


def timing(document: Mapping[str, Any]) -> str:
    """How soon the service began, and how many of those beside them had it later."""
    found, parts = told(document), []
    if found.get("delay") or found.get("later"):
        return " ".join(str(found[name]) for name in ("delay", "later") if found.get(name))
    if found.get("mean_delay") is not None and found.get("trigger"):
        parts.append(delay_sentence(found["mean_delay"], since=_mid(found["trigger"])))
    if found.get("later_share") is not None and found.get("estimand") in ASKED:
        horizon = held(document).get("horizon") or (primary(document).get("extras") or {}).get("horizon")
        parts.append(later_sentence(found["estimand"], found["later_share"], horizon=horizon))
    return " ".join(parts)
