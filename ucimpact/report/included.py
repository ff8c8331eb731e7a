"""Who and what was included: from the file to the analysis, how cells were read, what was hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.report import figures, method, trials
from ucimpact.report.names import COUNTS
from ucimpact.report.phrases import number_of, quoted, stopped
from ucimpact.report.section import Note, Section, Step
from ucimpact.report.tables import table
from ucimpact.words import capital, number, plural_of

MOST_STARTS = 12
"""More starts than this are told by their first and last."""
OF_TRIALS = {
    "rows": "Person-{every}s in the trials",
    "persons": "Different people in the trials",
    "pilot": "Starts of the service in a trial",
    "comparison": "Person-{every}s beside them",
    "people": "Different people in the records",
    "events": "Events in the records",
}
"""What counts are called where a person may be in it on many days."""
NOT_OF_TRIALS = ("sets", "matched_pilot", "matched_comparison", "starts", "comparison_rows")
"""Counts that would say the same again, or of the pictures alone."""
PROFILES = {
    "hes2018": "Counts from 1 to 7 are hidden and all others are rounded to the nearest 5 "
    "(rule for hospital episodes).",
    "none": "No small-number rule was applied: the data are open figures about organisations.",
}


FAR = "Values far from the rest"
"""A fact that the paper shows too: one such value can carry a result."""


def who(document: Mapping[str, Any]) -> Section | None:
    """From the file to the analysis."""
    held = document["data"]
    rows = (held.get("cohort") or {}).get("flow") or held["flow"]
    flow = tuple(Step(kind=row["kind"], n=_n(row["n"]), text=row["text"]) for row in rows)
    facts = method.named(*_counts(document))
    if not flow and not facts:
        return None
    study = document["study"]
    asked = (
        ("The pilot", study["pilot"]),
        ("The starts", _starts(document)),
        ("The population", study["population"]),
        ("The comparison", study["comparator"]),
        (FAR, " ".join(quoted(text) for text in held.get("far") or ())),
    )
    told = {step.text for step in flow}
    untold = [row for row in held["left_out"] if row["reason"] not in told]
    tables = []
    if untold:
        rows = [[capital(str(row["reason"])), _n(row["n"])] for row in untold]
        tables.append(table("Also left out, and why", ["Reason", "Number"], rows, (1,)))
    return Section(
        ident="who",
        heading="Who and what was included?",
        kind="flow",
        flow=flow,
        text=tuple(text for text in (trials.timing(document),) if text),
        figure=trials.delays(document),
        facts=tuple((name, text) for name, text in asked if text),
        tables=tuple(tables),
        note=Note(name="What was analysed", paragraphs=(("What was analysed", ""),), facts=facts)
        if facts
        else None,
    )


def _counts(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What was analysed and what to call it: units by their name, places where they are not units."""
    held, names = document["data"], dict(COUNTS)
    counts = dict(held["counts"])
    if counts.get("units") is not None and counts.get("units") == counts.get("places"):
        counts = {name: n for name, n in counts.items() if name not in ("places", "pilot_places")}
    if counts.get("units") == counts.get("sites"):
        counts.pop("sites", None)
    for name in ("silent_units", "sites_refused"):
        if not counts.get(name):
            counts.pop(name, None)
    if figures.primary(document).get("method") == "sequential-trials":
        counts = {name: n for name, n in counts.items() if name not in NOT_OF_TRIALS}
        every = (figures.primary(document).get("spec") or {}).get("every") or "day"
        names |= {name: text.format(every=every) for name, text in OF_TRIALS.items()}
    units = plural_of(figures.unit_of(document))
    if units != "units":
        names |= {
            "units": capital(units),
            "pilot_units": f"Pilot {units}",
            "comparison_units": f"Comparison {units}",
        }
    if len(held.get("starts") or ()) > 1:
        names |= {"before": "Periods before a start, at most", "after": "Periods with the pilot, at most"}
        names["comparison_units"] = f"{capital(units)} that never started"
    return counts, names


def _starts(document: Mapping[str, Any]) -> str:
    """How many units started when, where they did not start at once."""
    starts = document["data"].get("starts") or ()
    if len(starts) < 2 or any(row.get("units") is None for row in starts):
        return ""
    if len(starts) > MOST_STARTS:
        return str(document["finding"]["sentences"].get("starts") or "")
    return "; ".join(f"{row['label']}: {number(row['units'])}" for row in starts) + "."


def data(document: Mapping[str, Any]) -> Section | None:
    """Files and their fingerprints, how cells were read, small numbers."""
    study, held, released = document["study"], document["data"], document["disclosure"]
    facts = []
    if held.get("coercions"):
        told = [quoted(stopped(capital(str(text)))) for text in held["coercions"]]
        facts.append(("How cells were read", " ".join(told)))
    profile = released.get("profile")
    if profile:
        rule = PROFILES.get(profile, f"Rule: {profile}.")
        if profile != "none":
            rule += f" {number_of(released.get('suppressed'), 'figure is hidden', 'figures are hidden')}"
            rule += f" {number_of(released.get('rounded'), 'figure is rounded', 'figures are rounded')}"
        facts.append(("Small numbers", rule))
    if study["by"]:
        facts.append(("Answerable for this report", stopped(study["by"])))
    tables = []
    if study["fingerprints"]:
        rows = [
            [str(row["file"]), _rows(row["rows"]), _columns(row["columns"]), str(row["sha256"])]
            for row in study["fingerprints"]
        ]
        tables.append(table("Files read", ["File", "Rows", "Columns", "SHA-256"], rows, (1, 2)))
    return Section(
        ident="data",
        heading="About the data",
        kind="data",
        facts=tuple(facts),
        tables=tuple(tables),
        items=tuple(str(line) for line in released.get("log") or ()),
    )


def _n(value: Any) -> str:
    if value is None:
        return "hidden"
    return value if isinstance(value, str) else number(value)


def _rows(rows: int | None) -> str:
    """Rows of a file; a file that a query read is not counted apart."""
    return "read by a query" if rows is None else number(rows)


def _columns(columns: Any) -> str:
    if columns is None:
        return "read by a query"
    return number(len(columns) if isinstance(columns, (list, tuple)) else columns)
