"""What one key of a study file demands of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ucimpact.data.periods import parse_day
from ucimpact.study.base import Window
from ucimpact.study.declare import Context, Data, Outcome, Plan, Release, Sensitivity
from ucimpact.study.histories_rules import ONLY_HISTORIES, counted_rules, histories_rules
from ucimpact.study.lines import Path as KeyPath
from ucimpact.study.places import file_problems
from ucimpact.study.said import Said, shown
from ucimpact.study.source import of_events
from ucimpact.study.worthwhile import Worthwhile

ONLY_COHORT = (
    *("person", "pilot", "index_date", "service_start", "follow_up", "cluster"),
    *("follow_up_days", "before_days", "chosen", "eligible", "linked", "asked_days"),
    *("died", "left", "registered", "events"),
)
NEVER_COHORT = (
    *("period", "start", "end", "unit", "population", "weight", "places", "covid", "incomplete"),
    "definition",
)

PLAN_KEYS = {
    **dict.fromkeys(("sd", "ratio", "cluster_size", "icc", "people_per_month"), ('"cohort"',)),
    **dict.fromkeys(("uptake", "found_match", "later", "design_effect"), ('"cohort"',)),
    **dict.fromkeys(("pilot_places", "comparison_places", "change_sd"), ('"panel"',)),
    **dict.fromkeys(
        ("months_before", "months_after", "month_sd", "autocorrelation"), ('"panel"', '"series"')
    ),
}
"""Keys of ``[plan]`` that belong to some kinds of data only."""

Outcomes = tuple[Outcome | None, ...]
"""In their places; None for one that could not be read."""


def rule_problems(
    data: Data | None,
    outcomes: Outcomes,
    sensitivity: tuple[Sensitivity | None, ...],
    release: Release | None,
    context: Context | None,
) -> list[Said]:
    """What is wrong between keys, in what could be read of a study file."""
    problems = _outcome_rules(data, outcomes)
    for at, entry in enumerate(sensitivity):
        if entry is not None and isinstance(entry.window, Window):
            problems += window_rules(entry.window, ("sensitivity", at, "window"))
    if data is not None:
        if data.kind == "series" and context is not None and context.allocation == "lot":
            text = "is for places drawn by lot: one series has no place beside it. Take the key out"
            problems.append(Said(("context", "allocation"), text))
        problems += [Said(("data", key), text) for key, text in _data_rules(data)]
        problems += window_rules(data.window, ("data", "window")) if data.window else []
        if not data.show and release is not None and release.profile == "none":
            text = 'small numbers of people are always hidden: "none" is for open data about organisations'
            problems.append(Said(("release", "profile"), text))
    return problems


def missing_files(data: Data | None, folder: Path) -> list[Said]:
    """What is wrong with the files and folders that a study names."""
    if data is None:
        return []
    found = [Said(("data", key), text) for key, text in file_problems(data, folder)]
    if data.events is not None:
        own = file_problems(of_events(data), folder)
        own = [(key, text) for key, text in own if getattr(data.events, key, None) is not None]
        found += [Said(("data", "events", key), text) for key, text in own]
    return found


def plan_problems(plan: Plan | None, data: Data | None, outcomes: Outcomes) -> list[Said]:
    """What is wrong in ``[plan]``, beside what the study is about."""
    if plan is None or data is None:
        return []
    primary = next((outcome for outcome in outcomes if outcome is not None and outcome.primary), None)
    of_kind = {"cohort": _plan_of_people, "panel": _plan_of_places, "series": _plan_of_a_series}
    problems = of_kind[data.kind](plan, primary)
    problems += [
        (key, f"is a share of the level, found {value:g}. Write {value / 100:.4g} for {value:g}%")
        for key in ("change_sd", "month_sd")
        if (value := getattr(plan, key)) is not None and value >= 1
    ]
    problems += [
        (key, f"is for kind = {' or '.join(kinds)} only. Take the key out")
        for key, kinds in PLAN_KEYS.items()
        if getattr(plan, key) is not None and f'"{data.kind}"' not in kinds
    ]
    return [Said(("plan", key) if key else ("plan",), text) for key, text in problems]


def _plan_of_people(plan: Plan, primary: Outcome | None) -> list[tuple[str, str]]:
    problems = []
    if plan.base is None:
        problems.append(("base", "is missing. Add base = 38, what is expected without the pilot"))
    if primary is not None:
        counted = primary.kind in ("count", "binary")
        if counted and plan.sd is not None:
            problems.append(("sd", "is for a cost, score or duration. Take the key out"))
        if not counted and plan.sd is None:
            problems.append(("sd", f"is missing: how far people differ in {primary.column}. Add it"))
        if primary.kind != "count" and plan.dispersion is not None:
            problems.append(("dispersion", "is for a count. Take the key out"))
        if primary.kind == "binary" and plan.base is not None and plan.base >= 100:
            problems.append(("base", f"cannot be {shown(plan.base)} in 100 people of whom each counts once"))
    if (plan.icc is None) != (plan.cluster_size is None):
        lacking = "icc" if plan.icc is None else "cluster_size"
        problems.append((lacking, "is missing: cluster_size and icc go together, as in 20 and 0.02"))
    elif plan.icc is not None and plan.design_effect is not None:
        problems.append(("design_effect", "stands beside icc, which gives it. Take one of them out"))
    return problems


def _plan_of_places(plan: Plan, primary: Outcome | None) -> list[tuple[str, str]]:
    """Without ``base`` the table only gives the sizes of a plan that is made from the file of places."""
    if plan.base is None:
        return []
    needed = {"pilot_places": 4, "comparison_places": 8, "months_before": 12, "months_after": 12}
    problems = [
        (key, f"is missing. Add {key} = {example}")
        for key, example in needed.items()
        if getattr(plan, key) is None
    ]
    if primary is not None and primary.kind != "count":
        text = f"is for counts where places are compared, and {primary.column} is not one. Take the table out"
        problems.append(("", text))
    if plan.change_sd is None and plan.month_sd is None:
        text = "is missing: how far places drift apart, as a share. Add change_sd = 0.08, from earlier years"
        problems.append(("change_sd", text))
    if plan.autocorrelation is not None and plan.month_sd is None:
        problems.append(("month_sd", "is missing: autocorrelation is of ups and downs. Add month_sd = 0.1"))
    return problems


def _plan_of_a_series(plan: Plan, primary: Outcome | None) -> list[tuple[str, str]]:
    """Without ``base`` the level comes from the file of the series."""
    problems = []
    if plan.dispersion is not None and plan.dispersion < 1:
        problems.append(("dispersion", "is under 1, and counts of one series vary at least by chance"))
    if primary is not None and primary.kind != "count" and plan.dispersion is not None:
        problems.append(("dispersion", "is for a count. Take the key out"))
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
        if data.definition is not None:
            problems.append(("definition", 'is for kind = "series" only. Take the key out'))
        if data.covid in ("dummy", "segment"):
            text = "is for a series: the period effects of a panel take in what all units share"
            problems.append(("covid", f'"{data.covid}" {text}. Write "drop" or "none"'))
    else:
        only_panel = ("unit", "end", "places", "weight", "incomplete")
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
    if data.events is not None:
        return problems + histories_rules(data, data.events)
    problems += [
        (key, "is for people with a table of events, [data.events]. Take the key out")
        for key in ONLY_HISTORIES
        if getattr(data, key) is not None
    ]
    if data.service_start is not None and data.index_date is None:
        problems.append(("index_date", "is missing: service_start is held against it. Name the column"))
    return problems


def window_rules(window: Window, path: KeyPath) -> list[Said]:
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
    named: tuple[str, ...] = ("period", "unit", "places", "person", "pilot", "index_date")
    named += ("service_start", "follow_up", "died", "left", "registered", "cluster")
    roles = {} if data is None else {getattr(data, key): key for key in named}
    if data is not None and data.kind == "panel":
        roles |= {str(data.start): "start", data.end: "end"}
    seen: set[str] = set()
    people = data is not None and data.kind == "cohort"
    for at, outcome in enumerate(outcomes):
        if outcome is None:
            continue
        if outcome.column in seen:
            text = f"`{outcome.column}` is an outcome twice. Keep one"
            problems.append(Said(("outcome", at, "column"), text))
        seen.add(outcome.column)
        if outcome.primary and outcome.method is not None:
            text = "the primary outcome is analysed by [method]. Name the method there"
            problems.append(Said(("outcome", at, "method"), text))
        if outcome.column in roles:
            text = f"`{outcome.column}` is the {roles[outcome.column]} in [data]. Name another column"
            problems.append(Said(("outcome", at, "column"), text))
        if not people:
            problems += [
                Said(("outcome", at, key), 'is for kind = "cohort" only. Take the key out')
                for key in ("before", "negative_control")
                if getattr(outcome, key) and not (key == "negative_control" and _is_left_alone(outcome, data))
            ]
        problems += [Said(("outcome", at, key), text) for key, text in counted_rules(outcome, data)]
        if outcome.negative_control and outcome.primary:
            text = "the pilot cannot have changed it, so it cannot be the primary outcome. Mark another"
            problems.append(Said(("outcome", at, "negative_control"), text))
        if outcome.worthwhile is not None:
            text = _worthwhile_rule(outcome, outcome.worthwhile, data)
            problems += [Said(("outcome", at, "worthwhile"), text)] if text else []
    return problems


def _is_left_alone(outcome: Outcome, data: Data | None) -> bool:
    """Whether an outcome of places, or of one series, is one that the pilot cannot have changed."""
    return data is not None and data.kind in ("panel", "series") and outcome.negative_control is True


def _worthwhile_rule(outcome: Outcome, agreed: Worthwhile, data: Data | None) -> str:
    if agreed.form == "break-even":
        counts = outcome.kind == "count" and not outcome.each
        return "" if counts else '"break-even" is for a count of events. Agree a size'
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
