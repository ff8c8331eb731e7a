"""What the number in each row of a table of effects is of: people, events, pounds, or a ratio."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

BASE = re.compile(r" per ([\d,]+)$")
RATIOS = {
    "relative": "share of what was expected",
    "rate_ratio": "ratio",
    "event_log": "logarithm of a ratio",
}
EVENTS = {
    "count": "events",
    "cost": "pounds",
    "binary": "people",
    "duration": "days",
    "score": "points",
}
"""What a total of each kind is of."""


def unit_of(entry: Mapping[str, Any], row: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """The unit of one effect, in words.

    Parameters
    ----------
    entry : mapping
        The analysis, as it stands among the document's ``estimates``.
    row : mapping
        One of its effects.
    document : mapping
    """
    term, kind = str(row["term"]), str(entry.get("kind"))
    if term == "site_average" and entry["extras"]["pooled"]["scale"] == "log":
        return RATIOS["relative"]
    if term in RATIOS:
        return RATIOS[term]
    if term.startswith("log_"):
        return "log ratio"
    what = EVENTS.get(kind, "units of the outcome")
    if term in ("cumulative", "cumulative_realised"):
        return what
    if document["data"]["kind"] == "cohort":
        if term == "rate_difference":
            return f"{what} per 1,000 people a year"
        return "share of people" if kind == "binary" else f"{what} a person"
    noun = str(document["data"].get("frequency") or "period")
    base = _base(entry, document)
    if base is None:
        one = "" if document["data"]["kind"] == "series" else f" a {document['data']['unit_noun']} and"
        return f"{what}{one or ' a'} {noun}"
    return f"{'' if kind == 'count' else f'{what} '}per {base} people a {noun}"


def label_of(entry: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """The label of the outcome that an analysis is of."""
    own = entry["role"] in ("outcome", "control")
    return str(entry["label"] if own else document["finding"]["label"])


def _base(entry: Mapping[str, Any], document: Mapping[str, Any]) -> str | None:
    """People that a rate is told by; None where the outcome is no rate."""
    primary: Mapping[str, Any] = next((e for e in document["estimates"] if e["role"] == "primary"), {})
    for one in (entry, primary) if entry.get("outcome") == primary.get("outcome") else (entry,):
        per = (one.get("extras") or {}).get("per")
        if per:
            return f"{float(per):,.0f}"
        if found := BASE.search(str(one.get("outcome") or "")):
            return found[1]
    return None
