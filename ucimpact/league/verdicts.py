"""The verdict on each pilot of a league, from what it is worth beside the others.

In a league of three pilots or more the league's numbers decide: value, chance, worth of a second year and
claim come of the interval that allows for luck. For the pilot with the largest result the claim, and the step
that certainty takes for a wide range, come of the interval corrected for having been picked; where that
leaves out the number itself, as it does of a leader barely ahead, of both intervals together. Its other steps
are those of its own report. With two pilots there is nothing to speak of to learn from the other, and each
pilot's own report decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ucimpact import words
from ucimpact.league.own import own_numbers
from ucimpact.league.pilot import Pilot, Scale
from ucimpact.league.reading import Reading, Rules
from ucimpact.words import league as said
from ucimpact.words.steps import Step, imprecision_step

GOVERNS = 3
"""Pilots from which the league and not the pilot's own report decides."""
EVEN = 0.5
"""The chance that a normal value is above its mean."""
EVIDENCE = 3
"""The row of a pilot that is worth another year of evidence."""
SHORT_OF_THE_RULE = 4
"""The row of a pilot worth its price more often than not, and not as often as the rule asks."""
OWN_STEPS = ("P", "back", "cap")
"""Steps that follow from the range, or from the steps before them."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A verdict and what it follows from, in the units of a reader."""

    claim: str
    level: str
    steps: tuple[dict[str, Any], ...]
    made: words.Verdict
    value: float | None
    chance: float | None
    price_at_rule: float | None
    evsi: float | None

    @property
    def is_funded(self) -> bool:
        """Whether it would be funded for a year at today's price, if the budget reaches."""
        if self.made.row in (1, 2):
            return True
        return self.made.row == 3 and self.made.price is not None and self.at_todays_price

    @property
    def at_todays_price(self) -> bool:
        """Whether a second year is offered without asking for a lower price."""
        return self.made.text == self.made.name


def judge(reading: Reading, k: int) -> Judged:
    """The verdict on pilot ``k`` from the numbers of the league."""
    pilot, scale, rules = reading.pilots[k], reading.scale, reading.rules
    low, high = (limits[k] for limits in reading.limits)
    if k == reading.leader:
        low, high = reading.judging
    lo, hi = scale.ends(float(low), float(high), k)
    est = scale.natural(float(reading.shrunk.mean[k]), k)
    claim = words.claim(est, lo, hi, scale.worthwhile[k], scale.better)
    level, steps = graded(pilot, scale, k, claim, lo, hi)
    if not pilot.is_priced:
        return _judged(pilot, rules, claim, level, steps)
    evsi = float(reading.evsi[k])
    value, chance = float(reading.per_person[k]), float(reading.chance[k])
    sure = chance if value >= (pilot.price or 0.0) else float(reading.at_offer[k])
    return _judged(
        pilot,
        rules,
        claim,
        level,
        steps,
        value=value,
        chance=chance,
        price_at_rule=float(reading.at_rule[k]),
        evsi=evsi if sure >= rules.floor else min(evsi, 0.0),
        worth=evsi,
    )


def own(pilot: Pilot, rules: Rules) -> Judged:
    """The verdict on a pilot from its own report, under the rule of the league."""
    found, told = pilot.found, own_numbers(pilot)
    steps = tuple(dict(step) for step in pilot.document["certainty"]["steps"])
    level = pilot.document["certainty"]["level"]
    if told["value"] is None or not pilot.is_priced:
        return _judged(pilot, rules, found["claim"], level, steps)
    sd, price = told["sd"], pilot.price or 0.0
    sure = told["chance"] if told["value"] >= price else EVEN
    return _judged(
        pilot,
        rules,
        found["claim"],
        level,
        steps,
        value=told["value"],
        chance=told["chance"],
        price_at_rule=words.normal_price_at_rule(told["value"], sd, rules.chance),
        evsi=told["evsi"] if sure >= rules.floor else min(told["evsi"], 0.0),
        worth=told["evsi"],
    )


def graded(
    pilot: Pilot, scale: Scale, k: int, claim: str, lo: float, hi: float
) -> tuple[str, tuple[dict[str, Any], ...]]:
    """Certainty with the step for a wide range worked out again; every other step is the pilot's own.

    A step earned back is kept where the range takes none; none is earned here that the pilot did not earn.
    """
    own_certainty = pilot.document["certainty"]
    steps = [dict(step) for step in own_certainty["steps"] if step["code"] not in OWN_STEPS]
    wide = imprecision_step(
        claim, lo, hi, scale.worthwhile[k], better=scale.better, kind=scale.kind, percent=scale.percent
    )
    cost = sum(step["cost"] for step in steps)
    if wide is not None:
        at = next((n for n, step in enumerate(steps) if step["code"] in ("N", "W", "D")), len(steps))
        steps.insert(at, _plain(wide))
        cost += wide.cost
    back = [dict(step) for step in own_certainty["steps"] if step["code"] == "back"]
    earned = [step for step in back if step["cost"] < 0 and (wide is None or wide.cost == 0)]
    level = max(0, 3 - cost + len(earned))
    steps += earned
    caps = own_certainty.get("caps") or [
        {"level": step["head"].removeprefix("At most ").rstrip(":"), "text": step["text"]}
        for step in own_certainty["steps"]
        if step["code"] == "cap"
    ]
    lowest = min(caps, key=lambda cap: words.rank(cap["level"]), default=None)
    if lowest is not None and words.rank(lowest["level"]) < level:
        level = words.rank(lowest["level"])
        steps.append(
            {"code": "cap", "cost": 0, "head": f"At most {lowest['level']}:", "text": lowest["text"]}
        )
    return words.LEVELS[level], tuple(steps)


def _plain(step: Step) -> dict[str, Any]:
    return {"code": step.code, "cost": step.cost, "head": step.head, "text": step.text}


def _judged(
    pilot: Pilot,
    rules: Rules,
    claim: str,
    level: str,
    steps: Sequence[Mapping[str, Any]],
    *,
    value: float | None = None,
    chance: float | None = None,
    price_at_rule: float | None = None,
    evsi: float | None = None,
    worth: float | None = None,
) -> Judged:
    missing = []
    if pilot.price is None:
        missing.append("price")
    if not pilot.people:
        missing.append("people")
    made = words.verdict(
        value=value,
        price=pilot.price,
        chance_=chance,
        price_at_rule=price_at_rule,
        level=level,
        claim_code=claim,
        key_doubt=pilot.doubt is not None,
        evsi=evsi,
        evsi_cost=rules.another_year_costs,
        rule=rules.chance,
        min_certainty=rules.min_certainty,
        missing=missing,
    )
    return Judged(
        claim=claim,
        level=level,
        steps=tuple(dict(step) for step in steps),
        made=made,
        value=value,
        chance=chance,
        price_at_rule=price_at_rule,
        evsi=evsi if worth is None else worth,
    )


def reasons(reading: Reading, k: int, judged: Judged, *, est: float, lo: float, hi: float) -> str:
    """Why, in the words of a pilot's own report; ``est, lo, hi`` are in natural units."""
    pilot, scale, rules, made = reading.pilots[k], reading.scale, reading.rules, judged.made
    if made.row == 0:
        return made.text
    if made.row == SHORT_OF_THE_RULE:
        return said.likely_but_short(
            judged.chance or 0.0, pilot.price or 0.0, rules.chance, judged.evsi, rules.another_year_costs
        )
    numbers = [float(other.analysed or other.people or 0) for other in reading.pilots]
    few = numbers[k] < median(numbers)
    return words.because(
        made.name,
        p=judged.chance,
        price=pilot.price,
        rule=rules.chance,
        size=size(scale, judged.claim, est, lo, hi),
        value=judged.value,
        claim_code=judged.claim,
        outcome=pilot.found["outcome"],
        evsi=judged.evsi,
        evsi_cost=rules.another_year_costs,
        doubt=pilot.doubt if made.row == 2 else None,
        level=judged.level if made.row == 2 else None,
        min_certainty=rules.min_certainty,
        largest_step=largest(judged.steps),
        people=round(numbers[k]) if few and numbers[k] else None,
        keys_hold=words.keys_hold(pilot.document["checks"]),
    )


def size(scale: Scale, claim: str, est: float, lo: float, hi: float) -> str:
    """ "About 4 fewer per 100"; nothing where it could not be told."""
    if claim in words.UNCLEAR:
        return ""
    return words.capital(f"{words.spoken(est, min(lo, est), max(hi, est), scale.measure).about}{scale.per}")


def changes(pilot: Pilot, judged: Judged, rules: Rules) -> list[str]:
    """What would change the verdict."""
    if judged.made.row == 0 or judged.value is None:
        return []
    return [
        words.would_change(
            judged.made.name,
            value=judged.value,
            price=pilot.price,
            price_at_rule=judged.price_at_rule,
            evsi=judged.evsi,
            evsi_cost=rules.another_year_costs,
            claim_code=judged.claim,
            level=judged.level,
            doubt=pilot.doubt,
            min_certainty=rules.min_certainty,
            rule=rules.chance,
        )
    ]


def largest(steps: Sequence[Mapping[str, Any]]) -> str | None:
    """The step that cost most, that for not being chosen by lot apart."""
    costly = [step for step in steps if step["cost"] > 0 and not step["code"].startswith("A")]
    if not costly:
        return None
    most = max(costly, key=lambda step: step["cost"])
    return f"P{most['cost']}" if most["code"] == "P" else str(most["code"])
