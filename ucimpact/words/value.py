"""Sentences of a value: the kinds it is of, whose it is, what stands beside the price, and the years ahead.

Cash released, capacity released and full economic value never share a sentence. A share is whole per cent,
money and prices as :mod:`ucimpact.words.pounds` has them.
"""

from __future__ import annotations

from collections.abc import Sequence

from ucimpact.words.claims import BENEFIT, HARM
from ucimpact.words.numbers import capital, chance, joint, number, plainly
from ucimpact.words.pounds import money, money_range, per_person, thousands

HAIRCUT = {"high": 0.0, "moderate": 0.1, "low": 0.25, "very low": 0.5}
"""By how much a cautious reader might cut a value, by its certainty (a judgement)."""
JUDGED = "A rule of thumb, no estimate: it never decides."


def share(x: float) -> str:
    """A share as a whole per cent; one decimal where that would read 0% or 100% and is not."""
    whole = number(100 * x)
    if (whole == "0" and x > 0) or (whole == "100" and x < 1):
        return f"{plainly(100 * x)}%"
    return f"{whole}%"


def a(noun: str) -> str:
    """With its article: "an emergency admission"."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def for_the_area(factor: float) -> str:
    """After the source of a unit cost; empty for a factor of 1."""
    return "" if factor == 1 else f", times {factor:.3g} for the area"


def area(factor: float) -> str:
    """That unit costs were multiplied once."""
    return (
        f"Unit costs of the NHS are multiplied once by {factor:.3g}, the area’s cost factor. What the pilot "
        "cost, and pounds that the study gives, are not."
    )


# -- what one event is worth -------------------------------------------------------------


def mix(events: str, kinds: Sequence[tuple[str, float, float]], claim: str | None) -> str:
    """ "45% of the admissions avoided would have been short stays (£826) and 55% long stays (£5,419)."

    Parameters
    ----------
    events : str
        The outcome within a sentence: "emergency admissions".
    kinds : sequence of (name, share, pounds)
    claim : str or None
        Whether events were avoided, were added, or cannot be told.
    """
    parts = [f"{share(size)} {name} ({per_person(pounds)})" for name, size, pounds in kinds]
    first, rest = parts[0].split(" ", 1)
    listed = joint([rest, *parts[1:]])
    if claim in BENEFIT:
        return f"{first} of the {events} avoided would have been {listed}."
    if claim in HARM:
        return f"Of the {events} added, {first} are taken to be {listed}."
    return f"Of any {events} avoided, {first} would have been {listed}."


def mix_range(name: str, low: float, high: float, worth_low: float, worth_high: float) -> str:
    """How far the worth of one moves with the share that is uncertain."""
    ends = sorted((worth_low, worth_high))
    return (
        f"If {share(low)} to {share(high)} are {name}, one is worth {per_person(ends[0])} to "
        f"{per_person(ends[1])}."
    )


def usually(
    events: str, name: str, pounds: float, mean: float, value: float, *, row: float, whole: float
) -> str:
    """That an average over all events is no average of those avoided, and what the value would be.

    Parameters
    ----------
    value, row : float
        Of these events, at what those avoided usually cost and at the average.
    whole : float
        Of everything that is counted, with these events at what those avoided usually cost.
    """
    told = f"{per_person(mean)} is the average of all {events}, and those avoided are usually {name}."
    if money(whole) == money(value):
        return f"{told} At {per_person(pounds)} each the value would be {money(value)}."
    return (
        f"{told} At {per_person(pounds)} each the {money(row)} counted for them would be {money(value)}, and "
        f"the whole value {money(whole)}."
    )


def dearer_part(event: str, unit: str, units: float, part: float, whole: float) -> str:
    """That what is freed by an event is priced above all that the event costs."""
    return (
        f"{capital(a(event))} is taken to free {plainly(units)} {unit if units == 1 else f'{unit}s'}, at "
        f"{per_person(part)} in all, and to cost the NHS {per_person(whole)} in full. A part cannot cost "
        "more than the whole: one of the two figures is not of the events avoided."
    )


def freed(size: float, low: float | None, high: float | None, value: float, lo: float, hi: float) -> str:
    """What is really freed in the short run, of the full cost."""
    ranged = "" if low is None or high is None else f" ({share(low)} to {share(high)})"
    return (
        f"If {share(size)}{ranged} of the full cost is really freed in the short run, the value is "
        f"{money(value)} (likely range {money_range(lo, hi)})."
    )


# -- whose the value is ------------------------------------------------------------------


def attributed(best: float, low: float, high: float, because: str) -> str:
    """What share of the change is counted as the pilot’s own."""
    reason = because.rstrip(". ")
    ends = f"between {share(low)} and {share(high)}" if low < high else share(low)
    counted = f", and {share(best)} is counted" if low < high else ""
    return (
        f"{capital(ends)} of the change is taken to be the pilot’s own{counted}. The reason given: {reason}."
    )


def others_share(own: float) -> str:
    """What is not counted, at the head of a row."""
    return f"Other services’ share, {share(1 - own)}"


def own_share(best: float, low: float, high: float) -> str:
    """In a line: what share of the change is counted."""
    ends = "" if low >= high else f" (it may be {share(low)} to {share(high)})"
    return f"Other services worked on the same people: {share(best)} of the change is counted{ends}."


def attributed_value(low: float, high: float, value_low: float, value_high: float) -> str:
    """The value at either end of the share."""
    ends = sorted((value_low, value_high))
    return (
        f"At {share(low)} of the change the best estimate is {money(value_low)}, at {share(high)} it is "
        f"{money(value_high)}."
        if low < high
        else f"The best estimate is {money(ends[0])}."
    )


# -- what stands beside the price --------------------------------------------------------


def prices(price: float, running: float | None, with_volunteers: float | None) -> str:
    """The price with and without what was spent once, and with the time of volunteers."""
    text = []
    if running is not None:
        text.append(
            f"The price of {per_person(price)} a person holds what was spent once on starting; once running "
            f"it is {per_person(running)}."
        )
    if with_volunteers is not None:
        text.append(
            f"With volunteers’ time at what a paid person would cost it is {per_person(with_volunteers)}; "
            "nobody pays that part, so it does not decide."
        )
    return " ".join(text)


def haircut(level: str, cut: float, worth: float, price: float | None) -> str:
    """The value cut by its certainty, beside the price; it never decides."""
    if not cut:
        return f"Certainty is {level}, so nothing is taken off for it."
    repays = "" if price is None else f", which {'repays' if worth > price else 'does not repay'} the price"
    left = f"Taking {share(cut)} off for it leaves {per_person(worth)} a person{repays}."
    return f"Certainty is {level}. {left} {JUDGED}"


# -- what is uncertain --------------------------------------------------------------------

EFFECT = "the change in {}"
EFFECTS = "the changes together"
EFFECT_ENDS = ("the worse end of its range", "the best estimate", "the better end of its range")
MIXED = "how many are {}"
OWN = "how much of the change is the pilot’s own"
SHORT_RUN = "counting only what is freed in the short run"
PRICE = "what the price holds"
ALL = "all of it"
OTHER_WAY = "only if it had gone the other way"


DRAWN = (
    "A share that is known within a range is drawn from a beta distribution: its mean is the share counted, "
    "and 95% of its chance lies within the range."
)


# -- what more knowledge is worth --------------------------------------------------------


def knowing(perfect: float, second_year: float | None) -> str:
    """What a second year, and knowing the truth, would be worth to the people of a year."""
    text = []
    if second_year is not None and (second_year >= 1 or not second_year):
        text.append(f"A second year of evidence is worth about {thousands(second_year)}.")
    text.append(
        f"Knowing the truth would be worth {thousands(perfect)} to the people of one year, and no evaluation "
        "can be worth more to them."
    )
    return " ".join(text)


def curve(price: float, at: float, rule: float, price_at_rule: float | None, column: str) -> str:
    """The curve of chances in one sentence, with the price at which the rule is met where there is one."""
    told = f"At {per_person(price)} a person the chance that the {column} exceeds the price is {chance(at)}"
    if price_at_rule is None or price_at_rule <= 0:
        return f"{told}; at no price is it {share(rule)}, which the rule asks for."
    return f"{told}; it is {share(rule)}, which the rule asks for, at {per_person(price_at_rule)}."


def most_moved(label: str, low: float, high: float) -> str:
    """Which uncertain input moves the answer most."""
    ends = sorted((low, high))
    return (
        f"What moves the answer most is {label}: across its range the net runs from {per_person(ends[0])} to "
        f"{per_person(ends[1])} a person."
    )


# -- the years ahead ---------------------------------------------------------------------


def budget(years: int, cost: float, discounted: float, discount: float, people: float) -> str:
    """What the years ahead would cost."""
    told = "a year" if years == 1 else f"{years} years"
    head = f"Over {told} the service would cost {money(cost)} for {number(people)} people"
    if years == 1 or not discount:
        return f"{head}."
    return f"{head}: {money(discounted)} where later years count {plainly(100 * discount)}% less a year."


def ahead(column: str, value: float, low: float, high: float, *, less: bool = False) -> str:
    """What the years ahead would be worth in one column; ``less`` where later years count less."""
    counted = ", later years counted less as well" if less else ""
    return f"In {column} they would be worth {money(value)} (likely range {money_range(low, high)}){counted}."


def scale(
    fixed: bool, effect: bool, set_up: float | None, spent_once: float, months: float | None = None
) -> list[str]:
    """What the years ahead take for granted."""
    told = ["Each person is taken to gain as much as one did in the pilot."]
    if effect:
        told = ["Each year keeps the share of the pilot’s effect that the study gives."]
    if months is not None:
        told.append(
            f"The pilot spanned {plainly(months)} months, and a year holds 12 months of cost and effect."
        )
    if not fixed:
        told.append("Each costs what one cost in the pilot, once running.")
    if set_up:
        told.append(f"The first year holds {money(set_up)} to set up again.")
    elif spent_once:
        told.append(f"The {money(spent_once)} that the pilot spent on starting is not spent again.")
    return told


LATER = (
    "A pound in a later year counts less than one today, by the same share each year. The first year counts "
    "in full. Costs and values are in the same prices."
)
IN_STEP = "The same doubt stands behind every year: if the effect is smaller than it seems, it is so in all."


def ahead_chance(chance_: float) -> str:
    """The chance that the years ahead are worth what they cost."""
    return f"The chance that they are worth more than they cost is {chance(chance_)}."


def in_their_pounds(inflation: float, cost: float) -> str:
    """The cost in the pounds of each year."""
    return f"If prices rise {plainly(100 * inflation)}% a year, what is paid adds up to {money(cost)}."


# -- who pays and who gains --------------------------------------------------------------


def gainers(payers: Sequence[tuple[str, float]], gains: Sequence[tuple[str, float]], column: str) -> str:
    """Who pays and who gains in one column, the largest first."""
    pay = joint([f"{_inside(name)} pays {share(size)}" for name, size in payers])
    (first, most), *rest = [(_inside(name), size) for name, size in gains]
    gain = joint([f"{share(most)} is with {first}", *(f"{share(size)} with {name}" for name, size in rest)])
    return f"{capital(pay)} of the cost. Of the {column} {gain}."


def _inside(name: str) -> str:
    """A party within a sentence: "the ICB"; other names as they are written."""
    return f"the {name[4:]}" if name.startswith("The ") else name


PARTIES = (
    "Shares are those that the study gives. A gain in capacity or at full cost is no money in anybody’s "
    "account, so it cannot be billed."
)


# -- years of full health ----------------------------------------------------------------


def per_qaly(value: float, low: float | None, high: float | None) -> str:
    """What a year of full health costs, with its range where it has one."""
    ranged = ""
    if high is not None:
        ends = f"up to {money(high)}" if low is None or low <= 0 else money_range(low, high)
        ranged = f" (likely range {ends})"
    return f"Each quality-adjusted life year gained cost {money(value)}{ranged}, after what was freed."


NO_RATIO = (
    "The cost of a quality-adjusted life year is not defined, because the likely range includes no gain."
)
DOMINATES = (
    "On the best estimate the pilot gained health and freed more than it cost, so there is no price per year."
)
DOMINATED = "On the best estimate people gained no health, so there is no cost of a year gained."
