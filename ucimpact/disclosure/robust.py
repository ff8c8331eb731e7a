"""Small-number rules for what stands beside the answer: chances, other designs, what could not be fitted.

Estimates of the curve are analyses like any other and are released with them. A chance is kept to three
figures, and goes where the outcome it is of is not shown; a design on people goes where a handful had it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.disclosure.counts import HIDDEN, Log, coarsely, rounded_in
from ucimpact.evaluation import Analysis

CHANCES = ("alone", "holm", "false_share", "romano_wolf", "allowing", "stretch", "df")


def released(
    robust: Mapping[str, Any], analyses: Sequence[Analysis], log: Log, *, of_people: bool
) -> dict[str, Any]:
    """The parts of ``robust`` as they may be shown.

    Parameters
    ----------
    analyses : sequence of Analysis
        As they are released.
    of_people : bool
        Whether rows are people.
    """
    made = dict(robust)
    if made.get("multiplicity") and of_people:
        made["multiplicity"] = _multiplicity(made["multiplicity"], analyses, log)
    if made.get("triangulation"):
        main = next(analysis for analysis in analyses if analysis.role == "primary")
        made["triangulation"] = _triangulation(
            made["triangulation"], log, of_people=of_people, main_shown=main.est is not None
        )
    if made.get("curve") and of_people:
        refused = [{**row, "why": rounded_in(row["why"])} for row in made["curve"]["refused"]]
        made["curve"] = {**made["curve"], "refused": refused}
    if made.get("planned") and of_people:
        rows = [
            {**row, "done": rounded_in(row["done"])} if row["what"] == "left out" else row
            for row in made["planned"]["rows"]
        ]
        made["planned"] = {**made["planned"], "rows": rows}
    return made


def _multiplicity(held: Mapping[str, Any], analyses: Sequence[Analysis], log: Log) -> dict[str, Any] | None:
    """Chances of outcomes that are shown; nothing where one of them is not, for the answer names them all."""
    shown = {
        "" if analysis.role == "primary" else analysis.label: analysis.est is not None
        for analysis in analyses
        if analysis.role in ("primary", "outcome")
    }
    if not all(shown.get("" if row["main"] else row["label"], False) for row in held["rows"]):
        log.hidden.append("many questions: an outcome that too few had")
        return None
    rows = [{**row, **{name: coarsely(row[name]) for name in CHANCES}} for row in held["rows"]]
    left = [{**row, "why": rounded_in(row["why"])} for row in held["left_out"]]
    return {**held, "rows": rows, "left_out": left}


def _triangulation(held: Mapping[str, Any], log: Log, *, of_people: bool, main_shown: bool) -> dict[str, Any]:
    """Designs in per cent; those of a handful of people without their numbers."""
    rows = []
    for row in held["rows"]:
        events = row.get("events") or {}
        people = of_people if row.get("main") else row.get("events") is not None
        made = {name: value for name, value in row.items() if name != "events"}
        if row.get("main") and not main_shown:
            made |= dict.fromkeys(("est", "low", "high"))
        elif any(n is not None and HIDDEN[0] <= n <= HIDDEN[1] for n in events.values()):
            log.hidden.append(f"other design: {row['label']}")
            made |= dict.fromkeys(("est", "low", "high", "verdict"))
            made |= {"refused": "too few people had it for figures to be shown", "why": ""}
        elif people:
            made |= {name: coarsely(row[name]) for name in ("est", "low", "high")}
            if made["refused"]:
                made["refused"] = rounded_in(made["refused"])
        rows.append(made)
    return {**held, "rows": rows}
