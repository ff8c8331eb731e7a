"""From value, price and certainty to a verdict, its reason and what would change it.

The rows are tried in order and the first that matches wins; ``p`` is the chance that the value per
person ``V`` exceeds the price, ``T`` the chance that the rule asks for:

0. Cannot say yet: a figure is missing, or a key check fails.
1. Mainstream: ``p >= T``, certainty as asked, no key check in doubt, no claim of harm.
2. Extend with evaluation: ``p >= T``, and only certainty or a doubt stands in the way.
3. Extend with evaluation: ``V > 0``, and a second year of evidence is worth more than it costs.
4. Extend if cheaper: ``V >= price``, and harm is not claimed: what is worth its price more often than not is
   not stopped at that price because more evidence would not pay for itself.
5. Extend if cheaper: ``price/2 <= V < price``, a benefit is claimed and certainty is low or better.
6. Stop at this price.

The worth of evidence counts chance error only: it never buys off a doubtful check.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from ucimpact.words.certainty import QUESTIONS
from ucimpact.words.claims import BENEFIT, HARM, UNCLEAR
from ucimpact.words.numbers import capital, chance, exact, joint
from ucimpact.words.pounds import money, offer, per_person, thousands
from ucimpact.words.sentences import rank
from ucimpact.words.steps import PHRASES

RULE = 0.8
"""The chance of being worth its price that the rule asks for, unless the study says otherwise."""
CHEAPER = 0.5
"""Below this share of the price a lower price is not worth asking for (a judgement)."""
ANOTHER_USE = 1 / 3
"""Below this share of the price only another purpose could change the verdict (a judgement)."""

EVEN = 0.5

TO_BE_AGREED = "at a price to be agreed"
VERDICTS = (
    "Cannot say yet",
    "Mainstream",
    "Extend with evaluation",
    "Extend if cheaper",
    "Stop at this price",
)
NO_PRICE = "Stop: no price would repay it"
"""The last verdict where what was gained is worth nothing, or was lost."""
SHORT = ("mainstream", "extend", "only if cheaper", "stop")
"""Verdicts in brackets behind a price, from the best to the worst."""
MISSING = {
    "price": "a price per person",
    "people": "the number of people",
    "interval": "a likely range",
    "value": "a value for what is avoided",
    "checks": "a comparison that passes its checks",
    "worth": "a value that can be worked out",
}
"""What a verdict needs, in the order in which it is named when it is not there."""
GIVEN = ("price", "people", "value")
"""What a study says or leaves out; the others come of the analysis."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A verdict with the row that fired and the price it names, if it names one."""

    row: int
    name: str
    text: str
    price: float | None = None


def verdict(
    *,
    value: float | None = None,
    price: float | None = None,
    chance_: float | None = None,
    price_at_rule: float | None = None,
    level: str = "very low",
    claim_code: str | None = None,
    key_doubt: bool = False,
    key_fail: bool = False,
    evsi: float | None = None,
    evsi_cost: float | None = None,
    rule: float = RULE,
    min_certainty: str = "low",
    months: int | None = None,
    missing: Sequence[str] = (),
) -> Verdict:
    """The first row that matches.

    Parameters
    ----------
    value, price : float
        ``V``, mean value per person in the deciding column, and the price per person, in pounds.
    chance_ : float
        ``p``, from draws of the procedure that gave the interval.
    price_at_rule : float
        ``P_T``, the price at which the chance is what the rule asks for.
    level, claim_code : str
        Certainty and the claim of the headline.
    key_doubt, key_fail : bool
        A key check (``unmeasured`` apart) is in doubt, or fails.
    evsi, evsi_cost : float
        What a second year of evidence is worth in that column, and what it costs.
    months : int, optional
        For a pilot's own report: "Extend for 12 months, with evaluation".
    missing : sequence of str
        Keys of :data:`MISSING` known to be absent; those that show as None are found here. ``"worth"`` where
        the study declares values and the analysis cannot use them.
    """
    absent = {
        "price": price is None,
        "interval": claim_code is None,
        "value": value is None or (price is not None and chance_ is None),
        "checks": key_fail,
    }
    lacking = [key for key in MISSING if absent.get(key) or key in missing]
    if value is None and not {"interval", "checks", "worth"}.isdisjoint(lacking) and "value" not in missing:
        lacking.remove("value")  # it follows from what is missing: the study gives what one event is worth
    if "checks" in missing:
        lacking = ["checks"]
    if value is None or price is None or chance_ is None or lacking:
        return Verdict(row=0, name=VERDICTS[0], text=f"{VERDICTS[0]}: {_lacking(lacking)}")
    sure = rank(level) >= rank(min_certainty)
    if chance_ >= rule and claim_code not in HARM:
        if sure and not key_doubt:
            return Verdict(row=1, name=VERDICTS[1], text=VERDICTS[1], price=price)
        return _extend(2, months, None, price)
    if value > 0 and evsi is not None and evsi_cost is not None and evsi > evsi_cost:
        return _extend(3, months, None if value >= price else value, price)
    if value >= max(price, PENNY) and claim_code not in HARM:
        return _cheaper(4, price_at_rule)
    beneficial = claim_code in BENEFIT and rank(level) >= rank("low")
    if beneficial and 0 < value < price and value >= CHEAPER * price:
        return _cheaper(5, value)
    if value <= 0:
        return Verdict(row=6, name=VERDICTS[4], text=NO_PRICE)
    return Verdict(row=6, name=VERDICTS[4], text=VERDICTS[4], price=value)


def _lacking(keys: Sequence[str]) -> str:
    """What is not there, and that the study does not give it where nothing else is missing."""
    if set(keys) <= set(GIVEN):
        plain = [MISSING[key].removeprefix("a ").removeprefix("the ") for key in keys]
        return f"the study gives no {joint(plain, 'or')}"
    return joint([MISSING[key] for key in keys])


def decide(**facts: Any) -> str:
    """The verdict in words; the keywords are those of :func:`verdict`."""
    return verdict(**facts).text


def _extend(row: int, months: int | None, value: float | None, price: float) -> Verdict:
    text = VERDICTS[2] if months is None else f"Extend for {months} months, with evaluation"
    if value is not None:
        text += f", at {offer(value)} a person or less" if value >= 1 else f", {TO_BE_AGREED}"
    return Verdict(row=row, name=VERDICTS[2], text=text, price=price if value is None else value)


def _cheaper(row: int, price: float | None) -> Verdict:
    if price is None or price <= 0:
        return Verdict(row=row, name=VERDICTS[3], text=f"{VERDICTS[3]}, {TO_BE_AGREED}")
    return Verdict(
        row=row, name=VERDICTS[3], text=f"{VERDICTS[3]}: {per_person(price)} a person or less", price=price
    )


def because(
    name: str,
    *,
    p: float | None = None,
    price: float | None = None,
    rule: float = RULE,
    size: str = "",
    value: float | None = None,
    claim_code: str | None = None,
    outcome: str = "",
    evsi: float | None = None,
    evsi_cost: float | None = None,
    doubt: str | None = None,
    level: str | None = None,
    min_certainty: str = "low",
    largest_step: str | None = None,
    people: int | None = None,
    missing: Sequence[str] = (),
    keys_hold: bool = True,
) -> str:
    """At most two sentences, from the row that fired.

    Parameters
    ----------
    name : str
        The verdict: one of :data:`VERDICTS`.
    size : str
        "About 4 fewer per 100".
    doubt, level : str, optional
        What bars mainstreaming though the chance is there (row 2): the question of a doubtful check,
        or a level below ``min_certainty``.
    largest_step : str, optional
        Code in :data:`~ucimpact.words.steps.PHRASES` of the largest step but A (rows 4 to 6);
        with ``people``, imprecision is said as "only 310 people".
    keys_hold : bool
        Whether every key check holds, that for what was not recorded among them (row 1); where one cannot
        tell, none need stand against it. From :func:`keys_hold`.
    """
    if name == VERDICTS[0]:
        lacking = [text for key, text in MISSING.items() if key in missing]
        return f"Still needed: {joint(lacking)}." if lacking else "A figure is missing."
    if name == VERDICTS[1]:
        checks = "and the checks hold" if keys_hold else "and no key check stands against it"
        return (
            f"{_chance_of(p or 0)} of being worth {per_person(price or 0)} a person; "
            f"the rule asks for {chance(rule)}, {checks}."
        )
    worth = f"{size}, worth {per_person(value or 0)}" if size else f"Worth {per_person(value or 0)}"
    if name == VERDICTS[2]:
        return _because_extended(
            worth, price, claim_code, outcome, evsi, evsi_cost, doubt, level, min_certainty
        )
    text = f"{worth} a person against {per_person(price or 0)}"
    if largest_step:
        wide = largest_step.startswith("P") and people is not None
        text += f"; only {people:,} people" if wide else f"; {PHRASES[largest_step]}"
    return f"{text}."


def keys_hold(checks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every key check that was asked holds."""
    asked = [check for check in checks if check.get("counted", True) and check["name"] in QUESTIONS]
    return all(check["answer"] == "holds" for check in asked)


def _chance_of(p: float) -> str:
    """ "85% chance"; 95 of them otherwise: "95% chance" is what a likely range is often taken for."""
    said = chance(p)
    return "A 95 in 100 chance" if said == "95%" else f"{capital(said)} chance"


def _because_extended(
    worth: str,
    price: float | None,
    claim_code: str | None,
    outcome: str,
    evsi: float | None,
    evsi_cost: float | None,
    doubt: str | None,
    level: str | None,
    min_certainty: str,
) -> str:
    wide = ", but the range is wide" if claim_code == "B" else ""
    first = f"{worth} against {per_person(price or 0)}{wide}."
    if claim_code in UNCLEAR:
        first = f"We could not tell if {outcome or 'the outcome'} changed."
    if doubt:
        return f"{first} “{doubt}” is in doubt."
    if level is not None and rank(level) < rank(min_certainty):
        return f"{first} Certainty is {level}, and the rule asks for {min_certainty}."
    if evsi is None or evsi_cost is None:
        return first
    return f"{first} A second year of evidence is worth about {thousands(evsi)} and costs {money(evsi_cost)}."


def would_change(
    name: str,
    *,
    value: float,
    price: float | None = None,
    price_at_rule: float | None = None,
    evsi: float | None = None,
    evsi_cost: float | None = None,
    claim_code: str = "B",
    level: str = "low",
    doubt: str | None = None,
    min_certainty: str = "low",
    rule: float = RULE,
    pays: Sequence[float] | None = None,
) -> str:
    """The nearest changes of one input, others fixed, that move the verdict; at most two.

    What evidence is worth follows the price: it is most at an even bet and falls off on either side, so a
    verdict can turn better again where the price comes near an even bet. That is no reason to pay more or to
    ask for less: a switch that is printed for a higher price is to a worse verdict than all before it, and
    one for a lower price to a better one.

    Parameters
    ----------
    doubt : str, optional
        The question of the key check in doubt, None where none is.
    pays : (low, high), optional
        Prices between which a second year is worth what it costs; empty where it is at none. Without them it
        is taken to fall off as the unit normal loss, and where ``evsi`` is not known to be worth its cost up
        to ``value``.
    """
    if name not in VERDICTS[1:]:
        raise ValueError(f"a verdict that can change is one of {', '.join(VERDICTS[1:])}; this is {name!r}")
    line = _PriceLine(
        value=value, price=price, at_rule=price_at_rule, evsi=evsi, cost=evsi_cost, claim_code=claim_code,
        level=level, doubtful=doubt is not None, min_certainty=min_certainty, rule=rule, pays=pays,
    )  # fmt: skip
    barred = price is not None and price_at_rule is not None and price <= price_at_rule
    if name == VERDICTS[1]:
        ways = line.switches("the price rose above", start=price or 0, up=True)
    elif name == VERDICTS[2] and barred:
        settled = f"“{doubt}” were settled" if doubt else f"certainty rose to {min_certainty}"
        ways = [f"{settled} (mainstream)", *line.switches("the price passed", start=price or 0, up=True)]
    elif name == VERDICTS[2] and (price is None or value >= price):
        settled = f" and “{doubt}” were settled" if doubt else ""
        above = line.switches("the price passed", start=price or 0, up=True)
        ways = [f"a second year agreed{settled} (mainstream)", *above]
    elif name == VERDICTS[2]:
        ways = line.to_mainstream()
        ways.append(
            f"{f'{offer(value)} a person' if value >= 1 else 'a lower price'} cannot be agreed (stop)"
        )
    elif name == VERDICTS[3]:
        ways = [line.agreement()]
    elif value <= 0 or (price is not None and value < ANOTHER_USE * price):
        ways = []
    else:
        ways = line.switches("the price fell to", start=price or math.inf, up=False)
    return f"{', or '.join(ways[:2]) or 'it is bought for something else, and judged on that'}."


@dataclass(frozen=True, kw_only=True)
class _PriceLine:
    """The verdict at every price, other inputs fixed."""

    value: float
    price: float | None
    at_rule: float | None
    evsi: float | None
    cost: float | None
    claim_code: str
    level: str
    doubtful: bool
    min_certainty: str
    rule: float
    pays: Sequence[float] | None = None

    def at(self, price: float) -> str:
        """The verdict's short name; a price asked below today's is "only if cheaper"."""
        chance_ = self.rule if self.at_rule is not None and price <= self.at_rule else 0.0
        made = verdict(
            value=self.value, price=price, chance_=chance_, price_at_rule=self.at_rule, level=self.level,
            claim_code=self.claim_code, key_doubt=self.doubtful, evsi=1.0 if self.teaches(price) else 0.0,
            evsi_cost=0.5, rule=self.rule, min_certainty=self.min_certainty,
        )  # fmt: skip
        asked = made.row == 3 and self.value < price
        return SHORT[2] if asked else SHORT[VERDICTS.index(made.name) - 1]

    def teaches(self, price: float) -> bool:
        """Whether a second year of evidence would be worth its cost at a price."""
        if self.pays is not None:
            return len(self.pays) == 2 and self.pays[0] < price < self.pays[1]
        if self.evsi is None or self.cost is None:
            return price <= self.value
        return abs(price - self.value) < self.reach

    @property
    def reach(self) -> float:
        """How far from an even bet evidence is worth its cost: the root of the unit normal loss."""
        assert self.evsi is not None and self.cost is not None
        fixed = math.inf if self.evsi > self.cost else 0.0
        if self.price is None or self.at_rule is None or self.at_rule >= self.value or self.evsi <= 0:
            return fixed
        if self.rule <= EVEN:
            return fixed  # an even bet says nothing of the spread
        spread = (self.value - self.at_rule) / NormalDist().inv_cdf(self.rule) / math.sqrt(2)
        today = normal_loss(abs(self.value - self.price) / spread)
        if not today:
            return fixed
        wanted = self.cost * today / self.evsi
        if normal_loss(0) <= wanted:
            return 0.0
        near, far = 0.0, 40.0
        for _ in range(60):
            middle = (near + far) / 2
            near, far = (middle, far) if normal_loss(middle) > wanted else (near, middle)
        return near * spread

    def switches(self, words: str, *, start: float, up: bool) -> list[str]:
        """The first two prices, going up or down, at which the verdict's short name changes."""
        points = [self.value, self.value / CHEAPER, *([self.at_rule] if self.at_rule is not None else [])]
        if self.pays is not None:
            points += self.pays
        elif self.evsi is not None and self.cost is not None and math.isfinite(self.reach):
            points += [self.value - self.reach, self.value + self.reach]
        ahead = sorted((p for p in points if p >= 1 and (p > start if up else p < start)), reverse=not up)
        found: list[str] = []
        last = SHORT.index(self.at(start + PENNY if up else start - PENNY))
        for point in ahead:
            there = SHORT.index(self.at(point + PENNY if up else point - PENNY))
            if (there > last if up else there < last) and len(found) < 2:
                found.append(f"{per_person(point)} ({SHORT[there]})")
                last = there
        return [f"{words} {found[0]}", *found[1:]] if found else []

    def to_mainstream(self) -> list[str]:
        """The price at which a pilot above its worth would be mainstreamed, if there is one."""
        if self.at_rule is None or self.at_rule < 1 or self.at(self.at_rule - PENNY) != "mainstream":
            return []
        return [f"the price fell to {per_person(self.at_rule)} (mainstream)"]

    def agreement(self) -> str:
        """The price to agree on, and what follows."""
        asked = self.at_rule if self.price is not None and self.value >= self.price else self.value
        if asked is None or asked <= 0:
            return "a lower price is agreed (extend), or is refused (stop)"
        after = (
            "mainstream" if asked is not self.value and self.at(asked - PENNY) == "mainstream" else "extend"
        )
        return f"a price of {per_person(asked)} or less is agreed ({after}), or is refused (stop)"


PENNY = 0.01


def normal_loss(x: float) -> float:
    """``E max(Z - x, 0)`` for a standard normal ``Z``: how the worth of evidence falls off."""
    unit = NormalDist()
    return unit.pdf(x) - x * unit.cdf(-x)


# -- switching figures -----------------------------------------------------------------


def normal_price_at_rule(value: float, sd: float, rule: float = RULE) -> float:
    """``P_T`` where the value per person is normal: ``V - z_T sd``."""
    return value - NormalDist().inv_cdf(rule) * sd


def switching_effect(est: float, price: float, value: float) -> float:
    """The size of effect that would repay the price, other outcomes in proportion."""
    return abs(est) * price / value


def second_year_for_mainstream(est: float, value: float, sd: float, price: float, rule: float = RULE) -> int:
    """What a second year must show, so that both together pass the rule; rounded up.

    The two years' mean, with a spread smaller by the root of 2, is to be worth ``price`` with chance
    ``rule``: ``y = (2(price + z_T sd / sqrt 2) - V) |est| / V``.
    """
    needed = 2 * (price + NormalDist().inv_cdf(rule) * sd / math.sqrt(2)) - value
    return up(needed * abs(est) / value)


def up(value: float) -> int:
    """Up to a whole number: a threshold that a future result must reach."""
    return math.ceil(exact(value))
