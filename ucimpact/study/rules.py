"""What one key of a study file demands of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ucimpact.data.periods import parse_day
from ucimpact.study.declare import Context, Data, Outcome, Release, Sensitivity, Window, Worthwhile
from ucimpact.study.lines import Path as KeyPath
from ucimpact.study.places import file_problems
from ucimpact.study.said import Said, shown

ONLY_COHORT = (
    *("person", "pilot", "index_date", "service_start", "follow_up", "cluster"),
    *("follow_up_days", "before_days", "chosen", "eligible"),
)
NEVER_COHORT = (*("period", "start", "unit", "population", "weight", "places", "covid", "incomplete"),)

Outcomes = tuple[Outcome | None, ...]
"""In their places; None for one that could not be read."""


def rule_problems(
    data: Data | None,
    outcomes: Outcomes,
    sensitivity: tuple[Sensitivity | None, ...],
    release: Release | None,
    context: Context | None,
    folder: Path,
) -> list[Said]:
    """What is wrong between keys, in what could be read of a study file."""
    problems = _outcome_rules(data, outcomes)
    for at, entry in enumerate(sensitivity):
        if entry is not None and isinstance(entry.window, Window):
            problems += _window_rules(entry.window, ("sensitivity", at, "window"))
    if data is not None:
        if data.kind == "series" and context is not None and context.allocation == "lot":
            text = "is for places drawn by lot: one series has no place beside it. Take the key out"
            problems.append(Said(("context", "allocation"), text))
        problems += [Said(("data", key), text) for key, text in _data_rules(data)]
        problems += [Said(("data", key), text) for key, text in file_problems(data, folder)]
        problems += _window_rules(data.window, ("data", "window")) if data.window else []
        if not data.show and release is not None and release.profile == "none":
            text = 'small numbers of people are always hidden: "none" is for open data about organisations'
            problems.append(Said(("release", "profile"), text))
    return problems


def _data_rules(data: Data) -> list[tuple[str, str]]:
    problems = []
    if data.source is None and data.sql is None:
        problems.append(("", 'names no file. Add source = "practices.csv"'))
    if data.source is not None and data.sql is not None:
        problems.append(("source", "stands beside sql. Give one of the two"))
    if data.sheet is not None and not (data.source or "").lower().endswith(".xlsx"):
        problems.append(("sheet", "only an .xlsx file has sheets. Take the key out"))
    if data.kind == "cohort":
        return problems + _cohort_rules(data)
    problems += [
        (key, 'is for kind = "cohort" only. Take the key out')
        for key in ONLY_COHORT
        if getattr(data, key) is not None
    ]
    if data.period is None:
        problems.append(("period", 'is missing. Add period = "month", the column of months'))
    if data.start is None:
        problems.append(("start", "is missing. Say when the pilot began"))
        return problems
    if data.kind == "panel":
        if data.unit is None:
            problems.append(("unit", 'is missing. Add unit = "practice", the column of places'))
        if not isinstance(data.start, str):
            way_out = "Give each unit its first pilot period in a column"
            problems.append(("start", f"names a column in a panel, found {shown(data.start)}. {way_out}"))
        if data.covid in ("dummy", "segment"):
            text = "is for a series: the period effects of a panel take in what all units share"
            problems.append(("covid", f'"{data.covid}" {text}. Write "drop" or "none"'))
    else:
        only_panel = ("unit", "places", "weight", "incomplete")
        problems += [
            (key, 'is for kind = "panel" only. Take the key out')
            for key in only_panel
            if getattr(data, key) is not None
        ]
    return problems


def _cohort_rules(data: Data) -> list[tuple[str, str]]:
    problems = [
        (key, 'is for kind = "panel" or "series". Take the key out')
        for key in NEVER_COHORT
        if getattr(data, key) is not None
    ]
    if data.person is None:
        problems.append(("person", 'is missing. Add person = "id", the column that tells people apart'))
    if data.follow_up_days is None:
        problems.append(
            ("follow_up_days", "is missing. Say for how many days outcomes were counted: follow_up_days = 90")
        )
    if data.service_start is not None and data.index_date is None:
        problems.append(("index_date", "is missing: service_start is held against it. Name the column"))
    return problems


def _window_rules(window: Window, path: KeyPath) -> list[Said]:
    ends: dict[str, Any] = {"from": window.first, "to": window.last}
    if all(end is None for end in ends.values()):
        return [Said(path, "is empty. Write { from = 2021-04-01, to = 2023-03-31 }")]
    problems = []
    for key, end in ends.items():
        if isinstance(end, str):
            try:
                ends[key] = parse_day(end)
            except ValueError:
                problems.append(Said((*path, key), f"expects a date such as 2022-04-01, found {shown(end)}"))
    first, last = ends.values()
    if not problems and first is not None and last is not None:
        if isinstance(first, int) != isinstance(last, int):
            problems.append(Said(path, "one end is a date and the other a number. Write both alike"))
        elif first > last:
            problems.append(Said(path, f"ends ({shown(last)}) before it begins ({shown(first)})"))
    return problems


def _outcome_rules(data: Data | None, outcomes: Outcomes) -> list[Said]:
    problems = []
    primary = [at for at, outcome in enumerate(outcomes) if outcome is not None and outcome.primary]
    if len(outcomes) > 1 and len(primary) != 1 and None not in outcomes:
        found = "none is" if not primary else f"{len(primary)} are"
        text = f"one outcome decides the answer, and {found} marked. Write primary = true in one [[outcome]]"
        problems.append(Said(("outcome", primary[1], "primary") if primary else (), text))
    named = ("period", "unit", "places", "person", "pilot", "index_date", "service_start", "follow_up")
    roles = {} if data is None else {getattr(data, key): key for key in named}
    if data is not None and data.kind == "panel":
        roles[str(data.start)] = "start"
    seen: set[str] = set()
    people = data is not None and data.kind == "cohort"
    for at, outcome in enumerate(outcomes):
        if outcome is None:
            continue
        if outcome.column in seen:
            text = f"`{outcome.column}` is an outcome twice. Keep one"
            problems.append(Said(("outcome", at, "column"), text))
        seen.add(outcome.column)
        if outcome.column in roles:
            text = f"`{outcome.column}` is the {roles[outcome.column]} in [data]. Name another column"
            problems.append(Said(("outcome", at, "column"), text))
        if not people:
            problems += [
                Said(("outcome", at, key), 'is for kind = "cohort" only. Take the key out')
                for key in ("before", "negative_control")
                if getattr(outcome, key)
            ]
        elif outcome.negative_control and outcome.primary:
            text = "the pilot cannot have changed it, so it cannot be the primary outcome. Mark another"
            problems.append(Said(("outcome", at, "negative_control"), text))
        if outcome.worthwhile is not None:
            text = _worthwhile_rule(outcome, outcome.worthwhile, data)
            problems += [Said(("outcome", at, "worthwhile"), text)] if text else []
    return problems


def _worthwhile_rule(outcome: Outcome, agreed: Worthwhile, data: Data | None) -> str:
    lower = outcome.better == "lower"
    if (agreed.change >= 0) if lower else (agreed.change <= 0):
        way_out = "a negative number: -0.05 is 5% fewer" if lower else "a number above 0: 0.05 is 5% more"
        return f'is a change for the better, and better = "{outcome.better}". Write {way_out}'
    if agreed.form == "relative" and agreed.change <= -1:
        return "cannot be a fall of 100% or more. Write -0.05 for 5% fewer"
    if agreed.form == "per" and (agreed.base is None or agreed.base <= 0):
        return "needs a base above 0, as in { per = -4, base = 100 }"
    if data is not None and data.kind == "cohort":
        return ""
    fits = data is None or (data.kind == "panel" and data.population is not None)
    if agreed.form == "per" and not (fits and outcome.kind == "count"):
        return "needs a count in a panel with a population. Write -0.05 or { absolute = -50 }"
    return ""
