"""What stands beside a value: what is freed in the short run, whose it is, what moves it, the years ahead.

None of it changes the value, its range or its chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.economics.ahead import ahead
from ucimpact.economics.amounts import Amount
from ucimpact.economics.curve import curve
from ucimpact.economics.health import health
from ucimpact.economics.inputs import knowing, one_at_a_time
from ucimpact.economics.parties import parties
from ucimpact.economics.work import Work
from ucimpact.words.value import HAIRCUT


def beside(work: Work, totals: Mapping[str, Amount]) -> dict[str, Any]:
    """Everything beside the columns, by its key in a valuation; what cannot be had is left out."""
    counted, study, cost = work.rule.value_counted, work.study, work.cost
    deciding, people = totals.get(counted), work.people
    price = None if cost is None else cost["per_person"]
    freed = _short_run(work)
    found: dict[str, Any] = {
        "short_run": _shown(freed, cost) | _share_freed(work) if freed is not None else None,
        "attribution": _attribution(work, counted, deciding),
    }
    if deciding is None or not people:
        return found
    found["haircut"] = _haircut(work, deciding.best / people)
    if price is None or cost is None:
        return found
    found |= knowing(work, deciding, price)
    rule = work.rule.mainstream_if.chance_worth_its_cost
    found["inputs"] = one_at_a_time(work, price)
    found["curve"] = curve(deciding, freed if counted == "economic" else None, people, price, rule)
    if study.budget is not None and study.cost is not None:
        eligible = study.data.eligible
        found["budget"] = ahead(study.budget, study.cost, cost, totals, counted, people, eligible)
    if study.payers is not None:
        found["payers"] = parties(study.payers, totals, counted, cost["total"])
    if study.qaly is not None and "economic" in totals:
        found["qaly"] = health(study.qaly, totals["economic"], people, price, study.release.seed)
    return found


def _short_run(work: Work) -> Amount | None:
    """What is really freed of the full economic value; None where no outcome says how much."""
    told = [row for row in work.rows if row.marginal is not None and row.economic is not None]
    return work.column("economic", short_run=True) if told else None


def _shown(amount: Amount, cost: Mapping[str, Any] | None) -> dict[str, Any]:
    low, high = amount.interval()
    chance = None if cost is None else amount.chance_above(cost["total"])
    return {"value": amount.best, "low": low, "high": high, "chance": chance}


def _share_freed(work: Work) -> dict[str, Any]:
    """The share of the first outcome that says one, the main one first."""
    told = sorted(
        (row for row in work.rows if row.marginal is not None), key=lambda row: not row.outcome.primary
    )
    share = told[0].marginal
    assert share is not None
    return {"share": share.best, "share_low": share.low, "share_high": share.high}


def _attribution(work: Work, counted: str, deciding: Amount | None) -> dict[str, Any] | None:
    """Whose the change is: the value at either end of the share, and at all of it."""
    told = work.study.attribution
    if told is None:
        return None
    found: dict[str, Any] = {
        "share": work.own.best, "low": told.low, "high": told.high, "because": told.because,
        "value_low": None, "value_high": None, "whole": None,
    }  # fmt: skip
    if deciding is not None:
        for name, own in (("value_low", told.low), ("value_high", told.high), ("whole", 1.0)):
            found[name] = work.best_value(counted, own=own)
    return found


def _haircut(work: Work, each: float) -> dict[str, Any] | None:
    """The value cut by its certainty; None where there is nothing to cut, or no certainty."""
    level = work.found.get("level")
    if level not in HAIRCUT or each <= 0:
        return None
    return {"level": level, "cut": HAIRCUT[level], "per_person": each * (1 - HAIRCUT[level])}
