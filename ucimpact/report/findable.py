"""What could have been found: the curve of chances, and the people it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.inference.power import HALF_RANGE, Precision
from ucimpact.report.charts import Power
from ucimpact.report.figures import Figure, how_measured, may_claim, primary, toward_good
from ucimpact.report.tables import table
from ucimpact.words import POWER, number, people_needed, plainly, takes, times


def people_it_takes(document: Mapping[str, Any]) -> str:
    """How many people find the worthwhile change, where those of a cohort were too few; else ""."""
    finding, counts = document["finding"], primary(document).get("counts") or {}
    unit, w, analysed = finding.get("found_se"), finding.get("w"), counts.get("matched_pilot")
    if not (unit and w and analysed) or not may_claim(finding) or POWER * unit <= w:
        return ""
    units = {"better": finding["better"], "kind": finding["kind"], "per": finding["per"]}
    return takes(people_needed(analysed, unit, w), w, finding["base"], analysed=analysed, **units)


def power(document: Mapping[str, Any]) -> Figure | None:
    """The chance of finding a change, by its true size.

    A change is found where the estimate lies further from 0 than half the likely range; half a range and
    0.84 standard errors is found four times in five, and that is 2.8 times ``found_se``.
    """
    finding = document["finding"]
    unit, w = finding.get("found_se"), finding.get("w")
    if not unit or not may_claim(finding):
        return None
    found_at = POWER * unit
    half = (finding["hi"] - finding["lo"]) / 2
    precision = Precision.finding(found_at, finding.get("se") or half / HALF_RANGE)
    how = how_measured(finding, [])
    good = how.fewer if toward_good(finding) < 0 else how.more
    fall = "fall" if toward_good(finding) < 0 else "rise"

    def size(v: float) -> str:
        whole = how.before and abs(v) >= 1
        return f"{how.before}{number(v) if whole else plainly(v)}{how.after}"

    def chance(v: float) -> float:
        return 100 * precision.chance(v)

    def in_100(v: float) -> str:
        return times(precision.chance(v))

    top = max(1.8 * found_at, 1.25 * (w or 0.0))
    sizes = [top * k / 80 for k in range(81)]
    listed = sorted({*(found_at * k / 4 for k in range(1, 6)), *([w] if w else [])})
    per = finding["per"] if finding["scale"] != "log" else "of the typical value"
    return Figure(
        ident="power-chart",
        title=f"The larger the true {fall}, the more surely it would be found",
        measure=f"Times in 100 that it would be found; {finding['outcome']}, {per}",
        chart=Power(
            sizes=sizes,
            chances=[chance(v) for v in sizes],
            found_at=found_at,
            found_label=(f"{size(found_at)} {good}:", "four times", "in five"),
            worthwhile=w,
            worthwhile_label=(
                f"{size(w or 0.0)} {good}, smallest worthwhile:",
                f"found {in_100(w or 0.0)}",
            ),
            axis_label=f"true size of the {fall}",
        ),
        name=f"A {fall} of {size(found_at)} or more would be found four times in five",
        description="The chance rises with the true size: "
        + "; ".join(f"{size(v)} {good}, {in_100(v)}" for v in listed)
        + ".",
        table=table(
            f"Chance of finding a {fall}",
            [f"True {fall}", "Found"],
            [[f"{size(v)} {good}", in_100(v)] for v in listed],
            (0, 1),
        ),
    )
