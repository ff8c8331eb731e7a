"""Checks of people, told by the groups as they are released and never by more.

A check is answered from full numbers. Its table and its sentences are written again from what the report
shows of the same groups, so that no rate, mean or share beside a hidden count gives the count back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ucimpact.diagnostics import cohort_balance
from ucimpact.diagnostics.check import Check

FIGURES = 2
"""Of a statistic: an error to the last digit would give the number of events back."""


def of_groups(check: Check, raw: Mapping[str, Any], shown: Mapping[str, Any]) -> Check:
    """A check as its groups are shown.

    Parameters
    ----------
    raw, shown : mapping
        ``document["data"]["cohort"]`` in full, and as it may be shown.
    """
    made = replace(
        check,
        statistic=None if check.statistic is None else float(f"{check.statistic:.{FIGURES}g}"),
        p_value=None if check.p_value is None else float(f"{check.p_value:.{FIGURES}g}"),
    )
    again = WRITTEN.get(check.name)
    return made if again is None else again(made, raw, shown)


def _balance(check: Check, _: Mapping[str, Any], shown: Mapping[str, Any]) -> Check:
    """Differences as the balance table shows them."""
    known = {row["name"]: row for row in shown.get("balance") or ()}
    table = [
        {name: known.get(row.get("name"), {}).get(name, row[name]) for name in row} for row in check.table
    ]
    return replace(check, table=table)


def _trajectory(check: Check, raw: Mapping[str, Any], shown: Mapping[str, Any]) -> Check:
    """Rates as the months are shown; a gap in a month that is hidden is told without its size."""
    months, full = shown.get("trajectory") or {}, raw.get("trajectory") or {}
    rows = {row["month"]: row for row in months.get("rows") or ()}
    worst = cohort_balance.worst_month(full.get("rows") or ())
    table = cohort_balance.months(list(rows.values()))
    if worst is None or check.answer == "cannot tell":
        return replace(check, table=table)
    row = rows.get(worst, {"month": worst, "pilot": None, "comparison": None})
    hidden = row["pilot"] is None or row["comparison"] is None
    text = cohort_balance.course_told(row, check.answer, per=full.get("per", 100))
    return replace(check, text=text, table=table, statistic=None if hidden else check.statistic)


def _agreement(check: Check, _: Mapping[str, Any], shown: Mapping[str, Any]) -> Check:
    """Other ways of comparing as they are shown."""
    known = {row["label"]: row for row in (shown.get("trials") or {}).get("alternatives") or ()}
    return replace(check, table=[dict(known.get(row["label"], row)) for row in check.table])


def _overlap(check: Check, _: Mapping[str, Any], shown: Mapping[str, Any]) -> Check:
    """The share outside as it is shown."""
    told = shown.get("overlap") or {}
    text = cohort_balance.overlap_told(told.get("outside"), told.get("coefficient"), check.answer)
    return replace(check, text=text, statistic=told.get("outside"))


TOGETHER = re.compile(r"Among people with the service, [^(]*\([^)]*\)\.")
ROOM = re.compile(r"Outcomes that the service cannot change do not rule out .*? times as far\.")
NOT_TOGETHER = "Too few had some of these outcomes for all of them together to be shown."


def _controls(check: Check, raw: Mapping[str, Any], shown: Mapping[str, Any]) -> Check:
    """Nothing of all controls together where that would tell of one that is hidden."""
    pooled = [(groups.get("controls") or {}).get("pooled") for groups in (raw, shown)]
    if not pooled[0] or pooled[1]:
        return check
    text = ROOM.sub("", TOGETHER.sub(NOT_TOGETHER, check.text))
    return replace(check, text=" ".join(text.split()), statistic=None)


def _served_later(check: Check, _: Mapping[str, Any], shown: Mapping[str, Any]) -> Check:
    """The share as it is shown."""
    if (shown.get("trials") or {}).get("later_share") is not None:
        return check
    return replace(check, text="Too few for figures to be shown had the service later.", statistic=None)


WRITTEN: dict[str, Callable[[Check, Mapping[str, Any], Mapping[str, Any]], Check]] = {
    "balance": _balance,
    "trajectory": _trajectory,
    "agreement": _agreement,
    "negative_controls": _controls,
    "overlap": _overlap,
    "served_later": _served_later,
}
"""What writes each check again."""
