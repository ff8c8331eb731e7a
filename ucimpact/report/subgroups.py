"""Did it differ between groups of people: a change in per cent in each, and whether they differ.

Made from ``data.cohort.subgroups``, whose rows are ratios of rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.report import intervals
from ucimpact.report.figures import may_claim
from ucimpact.report.groups import held
from ucimpact.report.intervals import Result
from ucimpact.report.phrases import stopped
from ucimpact.report.section import Section
from ucimpact.words import capital, joint, measure, number

DIFFER = 0.05
"""Chance below which groups are said to differ; with several sets of groups it is shared among them."""
FEW = "Too few people, or too few had it, to be shown"
CARE = (
    "Looking in many groups finds differences by chance, and each group is small. What is asked is whether "
    "the groups differ from one another, and not whether one range by itself leaves out no change."
)


def subgroups(document: Mapping[str, Any]) -> Section | None:
    """The effect in each group of people, where an effect may be claimed at all."""
    blocks = held(document).get("subgroups") or ()
    finding = document["finding"]
    if not blocks or not may_claim(finding):
        return None
    groups, untold = [], []
    for block in blocks:
        shown = [row for row in block["rows"] if row.get("estimate") is not None]
        untold += [
            (
                f"{capital(block['label'])}: {_group(row['group'])}",
                stopped(capital(str(row.get("why") or FEW))),
            )
            for row in block["rows"]
            if row.get("estimate") is None
        ]
        if shown:
            groups.append((_heading(block), [_result(row) for row in shown]))
    if not groups:
        return None
    rows = intervals.rows(
        f"Change in {finding['outcome']} by group, per cent",
        "Group",
        groups,
        measure(finding["kind"], percent=True),
    )
    return Section(
        ident="subgroups",
        heading="Did it differ between groups of people?",
        kind="rows",
        bold=_verdict(blocks),
        text=(CARE,),
        items=(f"Change in {finding['outcome']}, in per cent, with 95% interval",),
        rows=rows,
        refused=tuple(untold),
    )


def _verdict(blocks: Any) -> str:
    """Whether any set of groups differs by more than chance."""
    known = [block for block in blocks if block.get("p_interaction") is not None]
    if not known:
        return "Whether the groups differ cannot be told."
    limit = DIFFER / len(known)
    apart = [str(block["label"]) for block in known if block["p_interaction"] < limit]
    if apart:
        return f"It differed by {joint([_mid(name) for name in apart])}, by more than chance would give."
    return "No: the groups differ by no more than chance would give."


def _heading(block: Mapping[str, Any]) -> str:
    p = block.get("p_interaction")
    name = capital(str(block["label"]))
    if p is None:
        return name
    told = "under 0.001" if p < 0.001 else number(p, 3 if p < 0.1 else 2)
    return f"{name} (p-value of a difference between the groups: {told})"


def _mid(name: str) -> str:
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _group(name: Any) -> str:
    """A kind; of a yes or no the answer."""
    return {"0": "No", "1": "Yes", "0.0": "No", "1.0": "Yes"}.get(str(name), str(name))


def _result(row: Mapping[str, Any]) -> Result:
    low, high = row.get("conf_low"), row.get("conf_high")
    people = "" if row.get("n_pilot") is None else f"{number(row['n_pilot'])} people supported"
    return Result(
        label=_group(row["group"]),
        detail=people,
        est=100 * (row["estimate"] - 1),
        lo=None if low is None else 100 * (low - 1),
        hi=None if high is None else 100 * (high - 1),
    )
