"""Could something unrecorded explain it: what the service cannot change, and the bias that is left open.

Made from ``data.cohort``: ``controls`` (rows and their pooled ratio), ``bias`` and ``sensitivity``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.report import intervals
from ucimpact.report.groups import held
from ucimpact.report.intervals import Result
from ucimpact.report.phrases import first_sentence, plainly_named, stopped
from ucimpact.report.section import Section
from ucimpact.report.tables import Table, table
from ucimpact.words import capital, measure, number

REACH = {
    "deaths": "deaths: the service can hardly change them",
    "after": "after the start, but beyond what the service can change",
    "before": "before the start, and not used to choose people",
}
CONTROLS = (
    "Each row is something that the service cannot have changed, or hardly. If the two groups are alike in "
    "what was not recorded too, the rows lie near no difference."
)
LEVEL = 1.96


def unrecorded(document: Mapping[str, Any]) -> Section | None:
    """What outcomes beyond the service's reach show, and what is left open."""
    cohort = held(document)
    controls, bias = cohort.get("controls") or {}, cohort.get("bias") or {}
    results = [_result(row) for row in controls.get("rows") or () if row.get("ratio") is not None]
    untold = [
        (_label(row), stopped(capital(str(row.get("why") or "Too few had it for figures to be shown"))))
        for row in controls.get("rows") or ()
        if row.get("ratio") is None
    ]
    pooled = _pooled(controls.get("pooled") or {}, len(results))
    text = [CONTROLS] if results else []
    text += _strengths(cohort.get("sensitivity") or {})
    bold, rest = first_sentence(str(bias.get("text") or ""))
    if not results and not bold:
        return None
    if rest:
        text.insert(0, rest)
    return Section(
        ident="unrecorded",
        heading="Could something unrecorded explain it?",
        kind="rows",
        bold=bold,
        text=(" ".join(text),),
        items=("Difference between the groups in what the service cannot change, in per cent",),
        rows=_rows([*([pooled] if pooled else []), *results]) if results else None,
        refused=tuple(untold),
        tables=tuple(made for made in (_sizes(bias), _tipping(cohort)) if made is not None),
    )


def _sizes(bias: Mapping[str, Any]) -> Table | None:
    """The bias that is not excluded, for readers who hold another multiple."""
    rows = [row for row in bias.get("rows") or () if row.get("ratio")]
    if not rows:
        return None
    told = [
        [
            number(row["times"], 1).removesuffix(".0"),
            f"{number(100 * (row['ratio'] - 1))}% more, or {number(100 * (1 - 1 / row['ratio']))}% fewer",
        ]
        for row in rows
    ]
    head = ["How many times as far as the rows above it moves the result", "Not excluded: up to"]
    return table("Size of a hidden bias that is not excluded", head, told, (0, 1))


def _tipping(cohort: Mapping[str, Any]) -> Table | None:
    """How many of the people supported would have to have something unrecorded."""
    gauge = (cohort.get("sensitivity") or {}).get("tipping") or {}
    rows = [row for row in gauge.get("rows") or () if row.get("strength")]
    if not rows:
        return None
    told = [
        [
            number(row["strength"], 1).removesuffix(".0"),
            f"{number(100 * row['comparison'])}%",
            *(_must(row.get(name)) for name in ("estimate", "limit")),
        ]
        for row in rows
    ]
    head = [
        "Multiplies the outcome by", "Comparison people who have it",
        "Supported people who must: for the estimate", "For the range to reach no change",
    ]  # fmt: skip
    return table(
        "What something unrecorded would have to be like to explain the result", head, told, (0, 1, 2, 3)
    )


def _must(share: float | None) -> str:
    return "no share would do" if share is None else f"{number(100 * share)}%"


def _rows(results: Sequence[Result]) -> intervals.Rows:
    return intervals.rows(
        "What the service cannot change: difference between the groups, per cent",
        "Not the service",
        [("", results)],
        measure("count", percent=True),
    )


def _label(row: Mapping[str, Any]) -> str:
    return capital(plainly_named(row.get("label") or row.get("column") or ""))


def _result(row: Mapping[str, Any]) -> Result:
    low, high = row.get("low"), row.get("high")
    return Result(
        label=_label(row),
        detail=capital(REACH.get(str(row.get("reach")), "")),
        est=100 * (row["ratio"] - 1),
        lo=None if low is None else 100 * (low - 1),
        hi=None if high is None else 100 * (high - 1),
    )


def _pooled(pooled: Mapping[str, Any], count: int) -> Result | None:
    """All of them together, weighed by how sure each is."""
    log, error = pooled.get("log_ratio"), pooled.get("std_error")
    if log is None or error is None or count < 2:
        return None
    low, high = (100 * math.expm1(log + side * LEVEL * error) for side in (-1, 1))
    return Result(
        label=f"All {number(count)} together", est=100 * math.expm1(log), lo=low, hi=high, main=True
    )


def _strengths(sensitivity: Mapping[str, Any]) -> list[str]:
    """How strong something unrecorded would have to be, in the words that came with it."""
    told = []
    for name in ("rosenbaum", "tipping", "bias_analysis"):
        text = (
            (sensitivity.get(name) or {}).get("text") if isinstance(sensitivity.get(name), Mapping) else None
        )
        if text:
            told.append(stopped(str(text)))
    return told
