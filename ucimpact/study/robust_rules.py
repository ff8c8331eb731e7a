"""What ``[curve]`` and ``[[triangulation]]`` demand of the rest of a study file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ucimpact.study.base import Window
from ucimpact.study.declare import Data, Method, Outcome
from ucimpact.study.lines import Path as KeyPath
from ucimpact.study.money import Cost, DecisionRule
from ucimpact.study.robust import COLUMN_SETS, MOST, OWN_PAST, Curve, Triangulation, number_of_combinations
from ucimpact.study.rules import window_rules
from ucimpact.study.said import Said

Judge = Callable[[str, Mapping[str, Any], str | None], Sequence[tuple[Any, str]]]
"""As in :mod:`ucimpact.study.toml`: what is wrong with options of a method, each with its option."""


def judged_curve(judge: Judge, curve: Curve | None, data: Data | None, method: Method | None) -> list[Said]:
    """Methods that are not there or are for other data, and choices that no method has."""
    if curve is None or data is None or method is None:
        return []
    problems = [
        Said(("curve", "methods"), text)
        for name in curve.methods
        for key, text in judge(name, {}, data.shape)
        if key == "name"
    ]
    if problems:
        return problems
    names = dict.fromkeys((method.name, *curve.methods))
    for key in (*COLUMN_SETS, "log"):
        listed = getattr(curve, key)
        if listed and all(_refuses(judge, name, key, listed[-1], data.shape) for name in names):
            text = f"is an option that {' and '.join(names)} cannot take. Take the key out"
            problems.append(Said(("curve", key), text))
    return problems


def _refuses(judge: Judge, name: str, key: str, value: Any, shape: str) -> bool:
    given = list(value) if isinstance(value, tuple) else value
    return any(option == key for option, _ in judge(name, {key: given}, shape))


def curve_problems(curve: Curve | None, data: Data | None, method: Method | None) -> list[Said]:
    """What is wrong in ``[curve]``, beside the methods that it names."""
    if curve is None or data is None or method is None:
        return []
    problems = []
    if curve.log and data.kind == "cohort":
        problems.append(Said(("curve", "log"), "is for places and series. Take the key out"))
    for key in ("adjust", "controls"):
        if getattr(curve, key) and data.kind != "series":
            text = 'is for kind = "series" only. Use covariates, or take the key out'
            problems.append(Said(("curve", key), text))
    for at, window in enumerate(curve.windows):
        if isinstance(window, Window):
            problems += window_rules(window, ("curve", "windows", at))
    n = number_of_combinations(curve, method.name, method.options, data.window or "all")
    if n > MOST:
        text = f"asks for {n} combinations, and {MOST} are the most. Shorten a list"
        problems.append(Said(("curve",), text))
    if n < 2 and not problems:
        text = "names no choice beside those of the main analysis. Add one, or take the table out"
        problems.append(Said(("curve",), text))
    return problems


def triangulation_problems(entries: Sequence[Triangulation | None], data: Data | None) -> list[Said]:
    """What is wrong in ``[[triangulation]]``."""
    problems = []
    for at, entry in enumerate(entries):
        if entry is None:
            continue
        path: KeyPath = ("triangulation", at)
        if (entry.study is None) == (entry.method is None):
            text = 'names one of two: study = "other/study.toml", or method = "its"'
            problems.append(Said(path, text))
        elif entry.method is not None and entry.method not in OWN_PAST:
            known = " or ".join(f'"{name}"' for name in OWN_PAST)
            text = (
                f"is {known} here: the pilot places added up, against their own past. Found {entry.method!r}"
            )
            problems.append(Said((*path, "method"), text))
        elif entry.method is not None and data is not None and data.kind != "panel":
            text = 'is for kind = "panel", whose pilot places can be added up. Name another study instead'
            problems.append(Said((*path, "method"), text))
    return problems


def break_even_problems(
    outcomes: Sequence[Outcome | None], cost: Cost | None, decision: DecisionRule | None
) -> list[Said]:
    """What ``worthwhile = "break-even"`` needs: a price, and what an event is worth where it counts."""
    counted = (decision or DecisionRule()).value_counted
    problems = []
    for at, outcome in enumerate(outcomes):
        if outcome is None or outcome.worthwhile is None or outcome.worthwhile.form != "break-even":
            continue
        if not outcome.primary:
            text = '"break-even" is for the primary outcome, which repays the price. Agree a size'
            problems.append(Said(("outcome", at, "worthwhile"), text))
            continue
        lacking = [] if cost is not None else ["a [cost]"]
        if outcome.value is None or getattr(outcome.value, counted) is None:
            lacking.append(f"value = {{ {counted} = ... }} of this outcome, the column that decides")
        if lacking:
            told = " and ".join(lacking)
            text = f'"break-even" needs {told}. Add what is missing'
            problems.append(Said(("outcome", at, "worthwhile"), text))
    return problems
