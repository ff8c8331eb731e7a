"""What the tables of money demand of one another, in what could be read of a study file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ucimpact.study.lines import Path as KeyPath
from ucimpact.study.money import COLUMN_NAMES, ONE, Attribution, Budget, Cost, DecisionRule, Payers, Qaly
from ucimpact.study.said import Said, shown

AREA = (0.8, 1.5)
"""Factors outside these are taken for a slip, such as 107 for 1.07."""


def money_problems(parts: Mapping[str, Any], outcomes: Sequence[Any], eligible: float | None) -> list[Said]:
    """What is wrong in and between ``[cost]``, ``[attribution]``, ``[budget]``, ``[payers]`` and ``[qaly]``.

    Parameters
    ----------
    parts : mapping
        The tables that could be read, by name.
    outcomes : sequence
        Outcomes in their places; None for one that could not be read.
    eligible : float or None
        People eligible, as ``[data]`` says.
    """
    cost = parts.get("cost")
    values = [outcome.value for outcome in outcomes if outcome is not None and outcome.value is not None]
    found = list(_cost(cost)) if cost is not None else []
    if (attribution := parts.get("attribution")) is not None:
        found += _attribution(attribution)
    if (budget := parts.get("budget")) is not None:
        found += _budget(budget, cost, eligible)
    if (payers := parts.get("payers")) is not None:
        found += _payers(payers, parts.get("decision") or DecisionRule())
    if (qaly := parts.get("qaly")) is not None:
        found += _qaly(qaly)
    needed = [name for name in ("attribution", "budget", "payers", "qaly") if parts.get(name) is not None]
    if not values and None not in outcomes:
        text = "needs what an event is worth. Add value = { economic = 2711 } to an outcome, or take it out"
        found += [Said((name,), text) for name in needed]
    if cost is None:
        text = "needs what the pilot cost. Add [cost], or take the table out"
        found += [Said((name,), text) for name in needed if name != "attribution"]
    return found


def _cost(cost: Cost) -> Iterator[Said]:
    if (cost.volunteer_hours is None) != (cost.volunteer_hour is None):
        lacking = "volunteer_hours" if cost.volunteer_hours is None else "volunteer_hour"
        example = "1800, the hours given" if lacking == "volunteer_hours" else "14, the pounds of a paid hour"
        yield Said(("cost", lacking), f"is missing: hours go with pounds an hour. Add {lacking} = {example}")
    factor = cost.area_cost_factor
    if factor is not None and not AREA[0] <= factor <= AREA[1]:
        text = f"is a factor between {AREA[0]:g} and {AREA[1]:g}, found {shown(factor)}. 1.07 is 7% dearer"
        yield Said(("cost", "area_cost_factor"), text)


def _attribution(told: Attribution) -> Iterator[Said]:
    if told.low > told.high:
        text = f"lies above high: {told.low:g} and {told.high:g}. Write low = 0.6 and high = 0.9"
        yield Said(("attribution", "low"), text)
    elif told.share is not None and told.low < told.high and not told.low < told.share < told.high:
        text = f"lies outside {told.low:g} to {told.high:g}, or at its edge: {told.share:g}. Move one of them"
        yield Said(("attribution", "share"), text)
    elif told.low == told.high and told.share not in (None, told.low):
        yield Said(("attribution", "share"), f"is not low and high, which are {told.low:g}. Take it out")


def _budget(budget: Budget, cost: Cost | None, eligible: float | None) -> Iterator[Said]:
    years = budget.years
    if bool(budget.people) == bool(budget.uptake):
        text = "stands beside uptake. Give one of the two" if budget.people else "is missing"
        way_out = "" if budget.people else f". Add people = {[400] * years}, one a year, or uptake"
        yield Said(("budget", "people"), text + way_out)
    for name in ("people", "uptake", "effect"):
        n = len(getattr(budget, name))
        if n not in (0, years):
            text = f"has {n} value{'s' * (n != 1)} for {years} year{'s' * (years != 1)}. Give one a year"
            yield Said(("budget", name), text)
    if budget.uptake and budget.eligible is None and eligible is None:
        yield Said(("budget", "eligible"), "is missing: uptake is a share of it. Add eligible = 2000")
    if budget.fixed is not None and cost is not None and not cost.per_person:
        text = "is pounds a year beside the pilot’s per_person, which is 0. Add per_person to [cost]"
        yield Said(("budget", "fixed"), text)


def _payers(payers: Payers, rule: DecisionRule) -> Iterator[Said]:
    sets: list[tuple[KeyPath, Mapping[str, float]]] = [(("payers", "pays"), payers.pays)]
    sets += [(("payers", "gains", name), shares) for name, shares in payers.gains.items()]
    for path, shares in sets:
        total = sum(shares.values())
        if abs(total - 1) > ONE:
            text = f"adds up to {total:.4g}, and must add up to 1"
            yield Said(path, f'{text}. Write {path[-1]} = {{ "ICB" = 0.6, "Local authority" = 0.4 }}')
    if rule.value_counted not in payers.gains:
        there = " or ".join(f'"{name}"' for name in COLUMN_NAMES)
        text = f"lacks {rule.value_counted}, the column that decides"
        way_out = f'Add {rule.value_counted} = {{ "Trust" = 1.0 }} (columns: {there})'
        yield Said(("payers", "gains"), f"{text}. {way_out}")


def _qaly(qaly: Qaly) -> Iterator[Said]:
    if not qaly.low <= qaly.per_person <= qaly.high:
        text = f"lies outside {qaly.low:g} to {qaly.high:g}: {qaly.per_person:g}. Move one of them"
        yield Said(("qaly", "per_person"), text)
    for name in ("per_person", "low", "high"):
        if abs(getattr(qaly, name)) > 1:
            text = f"is in years of full health a person, found {shown(getattr(qaly, name))}"
            yield Said(("qaly", name), f"{text}. Write 0.01 for three and a half days")
