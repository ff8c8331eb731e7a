"""How far the answer hangs on choices: every combination as a dot, and what each chose in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from ucimpact.report.figures import Figure, how_measured, may_claim, primary, source_of, worded_for
from ucimpact.report.phrases import stopped
from ucimpact.report.section import Note, Section
from ucimpact.report.spread import Dot, Spread, runs_off
from ucimpact.report.tables import Table, download, table
from ucimpact.words import Measure, capital, spoken

Spec = dict[str, Any]
"""A row of the curve with its ``est, lo, hi`` as released."""

READING = (
    "Each dot is the same question answered with another combination of choices, sorted from left to right; "
    "the line through it is its likely range. Analyses of the same records are no independent evidence: many "
    "that agree show that little hangs on the choices, and not that the answer is surer."
)


def curve(document: Mapping[str, Any]) -> Section | None:
    """The picture, the choices below it, and what could not be fitted."""
    held = (document.get("robust") or {}).get("curve")
    if not held:
        return None
    specs = _specs(document, held)
    refused = tuple((row["label"], stopped(capital(row["why"]))) for row in held["refused"])
    if len(specs) < 2:
        if not refused:
            return None
        specs = []
    finding = document["finding"]
    how = how_measured(finding, [v for spec in specs for v in (spec["est"], spec["lo"], spec["hi"])])
    text = list(held["text"])
    if specs:
        text.insert(0, _middle(specs, how))
    if not may_claim(finding):
        text.append("None of these figures is a finding: the reason stands with the answer at the top.")
    return Section(
        ident="curve",
        heading="How far does the answer hang on the choices made?",
        kind="curve",
        bold=held["answer"],
        text=tuple(text),
        figure=_figure(document, specs, how) if specs else None,
        note=Note(name="How to read the choices", paragraphs=(("How to read this", READING),))
        if specs
        else None,
        tables=(_choices(held, specs, how),) if specs else (),
        refused=refused,
    )


def _specs(document: Mapping[str, Any], held: Mapping[str, Any]) -> list[Spec]:
    """The rows with their numbers as released, sorted; one whose numbers are hidden is left out."""
    entries = {entry["label"]: entry for entry in document["estimates"] if entry["role"] == "curve"}
    found = []
    for row in held["rows"]:
        entry = primary(document) if row["main"] else entries.get(row["label"]) or {}
        if entry.get("est") is not None:
            found.append({**row, **{name: entry.get(name) for name in ("est", "lo", "hi")}})
    return sorted(found, key=lambda spec: float(spec["est"]))


def _middle(specs: Sequence[Spec], how: Measure) -> str:
    """The middle estimate, and where ours stands among them."""
    middle = median(float(spec["est"]) for spec in specs)
    place = next((at for at, spec in enumerate(specs, start=1) if spec["main"]), None)
    told = f"The middle of the {len(specs)} estimates is {spoken(middle, middle, middle, how).difference}"
    return f"{told}." if place is None else f"{told}; ours is number {place} from the lowest."


def _figure(document: Mapping[str, Any], specs: Sequence[Spec], how: Measure) -> Figure:
    finding = document["finding"]
    unit = "per cent" if finding["scale"] == "log" else finding["per"]
    chart = Spread(
        dots=[Dot(estimate=s["est"], low=s["lo"], high=s["hi"], main=s["main"]) for s in specs],
        worded=worded_for(how),
        axis_label="each combination of choices, sorted by its estimate",
        main_label="main analysis",
    )
    key = []
    if any(s["hi"] is not None and s["hi"] < 0 for s in specs):
        key.append(("f", f"{how.fewer.capitalize()}: the range leaves out no change"))
    if any(s["lo"] is not None and s["lo"] > 0 for s in specs):
        key.append(("r", f"{how.more.capitalize()}: the range leaves out no change"))
    key.append(("", "Could not tell"))
    off = runs_off(chart)
    source = source_of(document)
    if off:
        source += f" {off} {'range runs' if off == 1 else 'ranges run'} off the plot; the table holds it."
    first, last = (_told(s, how) for s in (specs[0], specs[-1]))
    return Figure(
        ident="curve-chart",
        title="Every combination of choices, from the lowest estimate to the highest",
        measure=f"Difference in {finding['outcome']}, {unit}, with 95% intervals",
        chart=chart,
        name=f"{finding['label']}: estimates of {len(specs)} combinations of choices, sorted",
        description=f"From {first} to {last}.",
        source=source,
        key=tuple(key),
        download=download(
            f"{finding['label']} by choices",
            [
                {
                    "analysis": s["label"],
                    **s["choices"],
                    "estimate": s["est"],
                    "low": s["lo"],
                    "high": s["hi"],
                }
                for s in specs
            ],
        ),
    )


def _told(spec: Spec, how: Measure) -> str:
    est, low, high = spec["est"], spec["lo"], spec["hi"]
    if low is None or high is None:
        return f"{spoken(est, est, est, how).difference}, no likely range"
    said = spoken(est, low, high, how)
    return f"{said.difference} ({said.range})"


def _choices(held: Mapping[str, Any], specs: Sequence[Spec], how: Measure) -> Table:
    """What each combination chose, in the order of the dots."""
    axes = held["axes"]
    rows = []
    for at, spec in enumerate(specs, start=1):
        name = f"{at}, the main analysis" if spec["main"] else f"{at}"
        rows.append((name, _told(spec, how), *(str(spec["choices"].get(axis["key"], "")) for axis in axes)))
    head = ("Place", "Difference (95% interval)", *(axis["label"] for axis in axes))
    return table("The choices behind each dot, from the left", head, rows, ())
