"""From a finding and its value to what to do: the verdict, why, and what would change it.

Every figure comes from the draws of the value per person in the column that the study's rule counts; every
sentence from :mod:`ucimpact.words.decision`. Without a value the verdict is that none can be given yet, and
what to do until then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact import words
from ucimpact.economics.valuation import Valuation
from ucimpact.study import Cost, DecisionRule, Study
from ucimpact.words.numbers import mid_sentence

ALONE = "before-after"
COMPARE = (
    "Decide nothing on this result.",
    "Find people picked in the same way who were not supported, and compare with them.",
)
"""What to do where nobody was compared."""
NOT_COUNTED = ("unmeasured",)
"""Key checks that never bar a verdict by a doubt."""


def decide(
    study: Study,
    found: Mapping[str, Any],
    grade: Mapping[str, Any],
    checks: Sequence[Mapping[str, Any]],
    valuation: Valuation | None,
) -> dict[str, Any]:
    """The decision of a study.

    Parameters
    ----------
    study : Study
    found, grade : mapping
        The finding's numbers; the certainty with its steps.
    checks : sequence of mapping
        The checks as plain values.
    valuation : Valuation or None
    """
    rule = study.decision or DecisionRule()
    facts = _facts(found, grade, checks, valuation, rule)
    missing = ["checks"] if found.get("design") == ALONE else _missing(study, found, valuation)
    made = words.verdict(**facts, missing=missing)
    deciding = None if valuation is None else valuation.deciding
    if made.row == 0 or deciding is None:
        return {
            "verdict": made.text,
            "row": made.row,
            "because": "",
            "next_steps": list(COMPARE)
            if found.get("design") == ALONE
            else _next_steps(found, grade, missing),
            "would_change": [],
            "cost": _said(study.cost, valuation),
        }
    doubt = _doubt(checks)
    return {
        "verdict": made.text,
        "row": made.row,
        "because": words.because(
            made.name,
            p=facts["chance_"],
            price=facts["price"],
            rule=facts["rule"],
            size=_gained(found, valuation),
            value=facts["value"],
            claim_code=found["claim"] if _priced(found, valuation) else None,
            outcome=found["outcome"],
            evsi=facts["evsi"],
            evsi_cost=facts["evsi_cost"],
            doubt=doubt if made.row == 2 else None,
            level=grade["level"] if made.row == 2 else None,
            min_certainty=rule.mainstream_if.min_certainty,
            largest_step=_largest(grade),
            people=round(float(found["people_analysed"])) if found.get("people_analysed") else None,
            keys_hold=words.keys_hold(checks),
        ),
        "next_steps": _next_steps(found, grade, missing) if found["claim"] in words.HARM else [],
        "would_change": []
        if _is_loss(found, facts)
        else [
            words.would_change(
                made.name,
                value=facts["value"],
                price=facts["price"],
                price_at_rule=facts["price_at_rule"],
                evsi=facts["evsi"],
                evsi_cost=facts["evsi_cost"],
                claim_code=found["claim"],
                level=grade["level"],
                doubt=doubt,
                min_certainty=rule.mainstream_if.min_certainty,
                rule=facts["rule"],
                pays=None if valuation is None else valuation.evsi_pays,
            )
        ],
        "cost": _said(study.cost, valuation),
        "value": deciding["per_person"],
        "price": facts["price"],
        "chance": facts["chance_"],
        "price_at_rule": facts["price_at_rule"],
        "evsi": facts["evsi"],
    }


def _is_loss(found: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether harm is claimed and nothing was gained: its cause comes before any other purpose."""
    return bool(found["claim"] in words.HARM and facts["value"] <= 0)


def _facts(
    found: Mapping[str, Any],
    grade: Mapping[str, Any],
    checks: Sequence[Mapping[str, Any]],
    valuation: Valuation | None,
    rule: DecisionRule,
) -> dict[str, Any]:
    """What the rows of the rule ask."""
    deciding = None if valuation is None else valuation.deciding
    cost = None if valuation is None else valuation.cost
    return {
        "value": None if deciding is None else deciding["per_person"],
        "price": None if cost is None else cost["per_person"],
        "chance_": None if deciding is None else deciding["chance"],
        "price_at_rule": None if valuation is None else valuation.price_at_rule,
        "level": grade["level"],
        "claim_code": found["claim"],
        "key_doubt": _doubt(checks) is not None,
        "key_fail": found["key_fail"],
        "evsi": None if valuation is None else valuation.evsi,
        "evsi_cost": rule.another_year_costs,
        "rule": rule.mainstream_if.chance_worth_its_cost,
        "min_certainty": rule.mainstream_if.min_certainty,
    }


def _doubt(checks: Sequence[Mapping[str, Any]]) -> str | None:
    """The question of the first key check in doubt."""
    return next((check["question"] for check in _key_checks(checks) if check["answer"] == "doubtful"), None)


def _key_checks(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that a decision looks at."""
    return [
        check
        for check in checks
        if check.get("counted", True)
        and check["name"] in words.QUESTIONS
        and check["name"] not in NOT_COUNTED
    ]


def _missing(study: Study, found: Mapping[str, Any], valuation: Valuation | None) -> list[str]:
    """Keys of :data:`ucimpact.words.MISSING` for what a verdict cannot do without."""
    cost = study.cost
    missing = []
    if cost is None:
        missing += ["price", "people"]
    elif valuation is None or valuation.cost is None or not valuation.cost["people"]:
        missing.append("people")
    if found["claim"] is None:
        missing.append("interval")
    if valuation is None or (valuation.deciding is None and valuation.not_worked_out is None):
        missing.append("value")
    elif valuation.deciding is None and found["claim"] is not None and not found["key_fail"]:
        missing.append("worth")
    return missing


def _next_steps(found: Mapping[str, Any], grade: Mapping[str, Any], missing: Sequence[str]) -> list[str]:
    unit = "%" if found["scale"] == "log" else found["per"]
    return words.next_steps(
        found["claim"],
        grade["level"],
        missing,
        subject=found["subject"],
        outcome=found["outcome"],
        better=found["better"],
        plural=found["plural"],
        key_fail=found["key_fail"],
        refused=found["refused"],
        confounded=found["confounded"],
        one_place=found["one_place"] and found.get("design") is None,
        se=found["found_se"],
        w=found["w"],
        unit=unit,
    )


def _size(found: Mapping[str, Any]) -> str:
    """ "About 4 fewer per 100 people over 90 days"."""
    if found["est"] is None or found["claim"] in words.UNCLEAR:
        return ""
    how = words.measure(found["kind"], percent=found["scale"] == "log")
    said = words.spoken(found["est"], found["lo"], found["hi"], how, found["w"])
    unit = f" per {found['base']:,}" if found["base"] else f" {found['per']}"
    return words.capital(f"{said.about}{'' if found['scale'] == 'log' else unit}")


def _priced(found: Mapping[str, Any], valuation: Valuation | None) -> bool:
    """Whether the main outcome is among those that the value is made of."""
    return valuation is not None and found.get("column") in valuation.carried


def _gained(found: Mapping[str, Any], valuation: Valuation | None) -> str:
    """What the value is of: the size of the main effect, and any other outcome that carries some of it."""
    carried = {} if valuation is None else valuation.carried
    others = [mid_sentence(label) for column, label in carried.items() if column != found.get("column")]
    if not _priced(found, valuation):
        return f"The change in {words.joint(others)}" if others else ""
    size = _size(found)
    return f"{size}, with {words.joint(others)} counted too" if size and others else size


def _largest(grade: Mapping[str, Any]) -> str | None:
    """The step that cost most, that for not being chosen by lot apart."""
    steps = [step for step in grade["steps"] if step["cost"] > 0 and not step["code"].startswith("A")]
    if not steps:
        return None
    most = max(steps, key=lambda step: step["cost"])
    return f"P{most['cost']}" if most["code"] == "P" else str(most["code"])


def _said(cost: Cost | None, valuation: Valuation | None) -> dict[str, str] | None:
    """What the pilot cost, with its price year."""
    if cost is None:
        return None
    spent = None if valuation is None else valuation.cost
    if spent is None:
        each = f"{words.per_person(cost.per_person)} a person, and for how many is not said"
        also = f"{words.money(cost.fixed)}, and " if cost.fixed else ""
        return {"text": f"The pilot cost {also}{each}, in {cost.price_year} prices."}
    each = ""
    if spent["people"]:
        each = f": {words.per_person(spent['per_person'])} for each of {spent['people']:,.0f} people"
    return {"text": f"The pilot cost {words.money(spent['total'])}{each}, in {cost.price_year} prices."}
