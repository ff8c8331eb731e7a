"""What else goes where a handful of people had what the study asks about.

Where a count of a valued outcome is hidden, so is its effect. What is worked out from that effect says it
again: a value divided by the price of one event is the number of events. So the value, the verdict that
stands on it, and the words of a check or of a step that follow from the range go with it. What the pilot cost
is no count of anybody and stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ucimpact import words
from ucimpact.diagnostics.check import Check
from ucimpact.disclosure.counts import Log, coarse
from ucimpact.disclosure.people import TOO_FEW
from ucimpact.evaluation import Analysis

REASON = TOO_FEW[:1].lower() + TOO_FEW[1:-1]
STAYS = ("counted", "cost", "volunteers", "set_up")
"""Of a valuation: what says nothing of an effect."""
OF_THE_RANGE = ("unmeasured",)
"""Checks whose answer follows from the range itself."""
FIGURES = ("value", "chance", "price_at_rule", "evsi")
"""Of a decision: modelled figures, which beside one another would give a number of events back."""


def is_unsaid(analyses: Sequence[Analysis], valuation: Mapping[str, Any] | None) -> bool:
    """Whether the main effect is hidden, or that of another outcome which the value is made of."""
    valued = {row["label"] for row in (valuation or {}).get("outcomes") or ()}
    return any(
        analysis.refused == TOO_FEW and (analysis.role == "primary" or analysis.label in valued)
        for analysis in analyses
    )


def of_money(valuation: Mapping[str, Any], log: Log) -> dict[str, Any]:
    """A valuation of which only the cost is left."""
    log.hidden.append("valuation: what is worked out from a hidden effect")
    kept = {name: valuation[name] for name in STAYS if name in valuation}
    return {"columns": {}, "outcomes": [], "sources": [], "notes": [], **kept, "not_worked_out": REASON}


def of_decision(decision: Mapping[str, Any], finding: Mapping[str, Any]) -> dict[str, Any]:
    """The decision without a range: none can be made yet."""
    kept = {name: value for name, value in decision.items() if name not in FIGURES}
    steps = words.next_steps(None, finding["level"], refused=REASON) if finding.get("refused") else []
    return {
        **kept,
        "verdict": words.decide(value=0.0, price=0.0, chance_=0.0),
        "row": 0,
        "because": "",
        "next_steps": steps,
        "would_change": [],
    }


def in_figures(decision: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a decision about people to three figures, as those of the value are."""
    return {
        **decision,
        **{name: coarse(decision[name]) for name in FIGURES if decision.get(name) is not None},
    }


def of_certainty(certainty: Mapping[str, Any]) -> dict[str, Any]:
    """The steps without what the range would be told by."""
    steps = [
        {**step, "text": f"the range is not shown. {TOO_FEW}"} if step["code"].startswith("P") else step
        for step in certainty["steps"]
    ]
    return {**certainty, "steps": steps}


def of_check(check: Check) -> Check:
    """A check of the range itself, of which nothing is said."""
    if check.name not in OF_THE_RANGE:
        return check
    return replace(check, answer="cannot tell", text=TOO_FEW, statistic=None, p_value=None, table=[])
