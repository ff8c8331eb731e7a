"""What a league says: who is left out, what was found, what to fund, and which report decides.

As everywhere a sentence is a function of numbers. The number of a pilot that looks best is never said without
what luck did for it, and no pilot is called the best on less than six chances in ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ucimpact.words.never import LONGEST
from ucimpact.words.numbers import Measure, capital, chance, few, joint, likely, mid_sentence, number, spoken
from ucimpact.words.pounds import money, money_range, per_person, thousands

CALLED_BEST = 0.6
"""Chance of being best below which no pilot is called so (a judgement)."""
MANY = 4
"""Pilots that a sentence names at most."""
LUCK = (
    (0.9, "nearly all"),
    (0.7, "about three quarters"),
    (0.6, "about two thirds"),
    (0.42, "about half"),
    (0.29, "about a third"),
    (0.15, "partly"),
)
"""Shares of the largest result that go once luck is allowed for, and the words for them."""
WAY_OUT = (
    "Compare pilots that measured one outcome, of the same people, over as long, valued alike. Where only "
    "the words for the people differ, write `who` in [league] of the league file"
)
KIND = {
    "count": "a number of events",
    "binary": "a yes or no",
    "cost": "a cost",
    "score": "a score",
    "duration": "a length of time",
}
COMPARED = {
    "people": "people beside people",
    "places": "places beside places",
    "months": "months beside earlier months",
}
COUNTED = {
    "cash": "cash released",
    "capacity": "capacity released",
    "economic": "full economic value",
}
TWO_ONLY = (
    "With two pilots there is little to learn from the other, and what was believed of such services before "
    "does most of the work. So each pilot’s own report decides."
)
NO_PRIZE = "No pilot can be called the best."


def named(names: Sequence[str], room: int, word: str = "and") -> str:
    """Names, as far as a sentence has room for so many words; else "five pilots"."""
    told = joint(list(names), word)
    if len(told.split()) <= room:
        return told
    return f"{few(len(names))} pilot{'' if len(names) == 1 else 's'}"


# -- who is left out ---------------------------------------------------------------------


def contrast(name: str) -> str:
    """The estimand of an estimate, as what was measured."""
    return "the change in those who had the service" if name == "ATT" else f"the {name.removeprefix('the ')}"


def left_out_alone(pilot: str, why: str) -> str:
    """A pilot that can stand beside nobody, whatever the others measured."""
    return f"{pilot} is left out: {why.rstrip('.')}."


def left_out_valued(pilot: str, x: str, y: str) -> str:
    """A pilot whose pounds are of another kind."""
    return f"{pilot} is left out: it valued {x}, the others {y}."


def priced(value: float, event: str, year: str | None) -> str:
    """ "an emergency admission at £2,711 in 2024/25 prices"."""
    article = "an" if event[:1].lower() in "aeiou" else "a"
    return f"{article} {event} at {per_person(value)}" + (f" in {year} prices" if year else "")


def vouched(who: str, names: Sequence[str]) -> str:
    """That the people are the same because the league file says so."""
    told = joint([f"“{name}”" for name in names])
    return f"The league file says that all are {who}; their own studies say {told}."


# -- what was found ----------------------------------------------------------------------


def cut(raw: float, shrunk: float) -> float | None:
    """The share of the largest benefit that goes once luck is allowed for; None where there is no benefit."""
    return None if raw <= 0 else min(max(1 - shrunk / raw, 0.0), 1.0)


def luck(share: float | None) -> str:
    """How much of the largest claim is luck, as a clause; empty where it is little."""
    told = next((text for least, text in LUCK if share is not None and share >= least), "")
    return f"the biggest claim is {told} luck" if told else ""


def headline(rows: Sequence[int], share: float | None) -> str:
    """The finding of a league as one line.

    Parameters
    ----------
    rows : sequence of int
        The row of the rule that fired, for each pilot.
    share : float, optional
        From :func:`cut`.
    """
    ready, extended = rows.count(1), sum(row in (2, 3) for row in rows)
    n, unknown = len(rows), rows.count(0)
    if unknown == n:
        first = f"The {few(n)} pilots cannot be told apart yet"
    elif ready:
        first = f"{capital(few(ready))} pilot{' is' if ready == 1 else 's are'} ready to mainstream"
    elif extended:
        worth = f"{few(extended)} {'is' if extended == 1 else 'are'} worth a second year"
        first = f"No pilot is ready to mainstream; {worth}"
    elif unknown or 4 in rows:
        first = "No pilot can be shown to be worth its price yet"
    else:
        first = "No pilot is worth its price yet"
    said = luck(share)
    joiner = ", and " if ";" in first else "; "
    return f"{first}{joiner}{said}" if said else first


def lead(
    *,
    ready: Sequence[tuple[str, float]],
    leader: str,
    how: Measure,
    per: str,
    outcome: str,
    raw: tuple[float, float, float],
    shrunk: float,
    corrected: tuple[float, float] | None,
    better: str = "lower",
    percent_too: float | None = None,
) -> str:
    """The first lines under the headline: what is ready, and what the largest claim comes down to.

    Parameters
    ----------
    ready : sequence of (called, chance)
        Pilots to be mainstreamed, and their chance of being worth their price.
    leader : str
        The pilot with the largest result: "link workers in Oldcastle".
    per : str
        " per 100 people".
    raw : (est, lo, hi)
        As it was measured; ``shrunk`` allowing for luck, ``corrected`` its range, None where the pilot is too
        little ahead to have one.
    percent_too : float, optional
        The raw result in per cent, where another pilot's is larger in numbers.
    """
    told = [worth_sentence(*pilot) for pilot in ready]
    if len(ready) > 2:
        told = [_ready(ready)]
    est, lo, hi = raw
    if (-est if better == "lower" else est) <= 0:
        told.append(f"No pilot measured a change for the better in {outcome}.")
        return " ".join(told)
    also = "" if percent_too is None else f", {number(abs(percent_too))}% of what was expected"
    size = f"{spoken(est, lo, hi, how).difference}{of(outcome, how)}{per}"
    told.append(f"The largest {change_of(est)} is claimed by {leader}: {size}{also}.")
    if corrected is None:
        guess = spoken(shrunk, shrunk, shrunk, how).difference
        told.append(
            f"After allowing for luck, {guess} is a better guess. The lead is too small for a range that "
            "allows for having been picked as the largest."
        )
        return " ".join(told)
    low, high = corrected
    guess = spoken(shrunk, min(shrunk, low), max(shrunk, high), how).difference
    ranged = likely(low, high, how)
    if low <= shrunk <= high:
        told.append(
            f"After allowing for having been picked as the largest, {guess} is a better guess, "
            f"and the range runs from {ranged}."
        )
    else:
        told.append(
            f"After allowing for luck, {guess} is a better guess. The range that allows for having been "
            f"picked as the largest runs from {ranged}: it takes nothing from the others, so the two need "
            "not agree."
        )
    return " ".join(told)


def _ready(ready: Sequence[tuple[str, float]]) -> str:
    """Pilots that are ready, as many by name as a sentence holds."""
    for kept in range(MANY, -1, -1):
        names = [f"{called} ({chance(p)})" for called, p in ready[:kept]]
        more = len(ready) - len(names)
        rest = [f"{few(more)} more" if names else f"{few(more)} pilots"] if more else []
        told = f"Probably worth more than their price: {joint([*names, *rest])}."
        if len(told.split()) <= LONGEST:
            break
    return told


def worth_sentence(called: str, p: float) -> str:
    """ "Carer support calls in Westow will probably be worth more than the price (85 chances in 100)."."""
    return f"{capital(called)} will probably be worth more than the price ({of_hundred(p)} in 100)."


def of_hundred(p: float) -> str:
    """ "85 chances"; "over 99 chances"."""
    return f"{chance(p).removesuffix('%')} chances"


def change_of(est: float) -> str:
    """The noun for a change of this sign."""
    return "fall" if est < 0 else "rise"


def of(outcome: str, how: Measure) -> str:
    """ " emergency admissions" after how many fewer; in brackets after how much lower."""
    return f" {outcome}" if how.fewer == "fewer" else f" ({outcome})"


def nobody_best(could_be_first: int, n: int, best: float, name: str) -> str:
    """Whether a pilot can be called the best, and how many could be first."""
    if could_be_first == n:
        first = f"any of the {few(n)} could be in first place" if n > 2 else "either could be in first place"
    else:
        verb = "could be in first place"
        first = f"{few(could_be_first)} of the {few(n)} {verb}"
    if best < CALLED_BEST:
        return f"{NO_PRIZE} On these data, {first}."
    if could_be_first == 1:
        others = "the other" if n == 2 else "all the others"
        return f"{capital(name)} is ahead of {others} on these data."
    return f"{capital(name)} is likely to be the best ({of_hundred(best)} in 100). Even so, {first}."


def spread(est: float, low: float, high: float, matters: float | None) -> str:
    """Whether there is any difference between the pilots to rank; the spread is of logarithms."""
    size = f"about {_share(est)} (likely range {_share(low)} to {_share(high)})"
    told = f"The pilots’ true effects differ from their average by {size}."
    if matters is None:
        return told
    return f"{told} The chance that they differ enough to matter is {chance(matters)}."


def _share(value: float) -> str:
    said = number(100 * value)
    return "under 1%" if said == "0" else f"{said}%"


# -- what to do --------------------------------------------------------------------------


def fund_verdict(n: int, cost: float, budget: float | None, *, passed: int = 0) -> str:
    """The decision in a line; ``passed`` is how many the rule lets through."""
    if not n and passed:
        return "The budget is too small for any of them"
    if not n:
        return "Fund none of them at today’s prices"
    of_budget = "" if budget is None else f" of the {money(budget)}"
    return f"Fund {few(n)} pilot{'' if n == 1 else 's'}, {money(cost)}{of_budget}"


def fund_because(n: int, net: float, low: float, high: float, p: float, *, passed: int = 0) -> str:
    """What the funded set is worth."""
    if not n and passed:
        it = "One pilot passes" if passed == 1 else f"{capital(few(passed))} pilots pass"
        return f"{it} the rule, and {'it costs' if passed == 1 else 'each costs'} more than there is."
    if not n:
        return "None is likely enough to be worth today’s price, or worth a year of evidence at that price."
    they = "It is" if n == 1 else "Together they are"
    cost = "it costs" if n == 1 else "they cost"
    size = f"{money(abs(net))} {'more' if net > 0 else 'less'} than {cost}" if net else f"what {cost}"
    return (
        f"{they} worth about {size} (likely range {money_range(low, high)}). "
        f"The chance that {'it is' if n == 1 else 'they are'} worth it is {chance(p)}."
    )


def unspent_text(
    cheaper: Sequence[str],
    left_over: Sequence[str],
    *,
    too: str = "",
    price: float | None = None,
    least: tuple[str, float] | None = None,
) -> str:
    """What the rest of the budget is for.

    Parameters
    ----------
    cheaper : sequence of str
        Pilots that would be extended at a lower price.
    left_over : sequence of str
        Pilots worth their price for which the money does not reach.
    too : str
        That others would be expected to pay: :func:`ucimpact.words.league_beyond.also`.
    price : float, optional
        The price a person that would do, where one pilot alone is asked for a lower one.
    least : (name, cost), optional
        Where nothing could be bought: the pilot for which the least is missing.
    """
    if left_over and least is not None:
        verb = "passes" if len(left_over) == 1 else "pass"
        first = f"{capital(named(left_over, 16))} {verb} the rule, and cannot be bought with it."
        return f"{first} The least dear is {least[0]}, at {money(least[1])}."
    if left_over:
        verb = "is" if len(left_over) == 1 else "are"
        names = capital(named(left_over, 16))
        return f"{names} {verb} worth today’s price too, and would cost more than is left."
    told = "No other pilot passes the rule at today’s price."
    if too:
        told = f"{told} {too}"
    if not cheaper:
        return f"{told} Use it to buy evidence."
    where = named(cheaper, 16, "or")
    whose = "for" if where == named(cheaper, 0) else "in"
    enough = f" ({per_person(price)} a person would do)" if price is not None and len(cheaper) == 1 else ""
    return f"{told} Use it to buy a lower price {whose} {where}{enough}, or evidence."


def cash_clause(n: int, released: int, column: str = "economic") -> str:
    """What value means, where it decides: cash, or all resource."""
    if column == "cash":
        return "a price changed, or value means more than cash."
    said = "" if released else f"None of the {few(n)} releases cash."
    if released and released < n:
        said = f"Only {few(released)} of the {few(n)} release{'s' if released == 1 else ''} cash."
    return f"a price changed, or value means cash. {said}".strip()


def sceptical_changes(out: Sequence[str], joined: Sequence[str]) -> str:
    """That a more doubtful belief would fund others; empty where it would fund the same."""
    if not out and not joined:
        return ""
    told = []
    if out:
        told.append(f"{named(out, 7)} would not be funded")
    if joined:
        told.append(f"{named(joined, 7)} would be")
    return f"If such services are believed to change little on average, {' and '.join(told)}."


def raw_text(dropped: Sequence[str], added: Sequence[str], claimed: float, expected: float) -> str:
    """What choosing by the results as measured would have bought, claimed, and could expect."""
    head = "Choosing by the results as measured would have"
    if not dropped and not added:
        first = f"{head} bought the same"
    elif dropped and added:
        first = f"{head} swapped {named(dropped, 10)} for {named(added, 10)}"
    elif added:
        first = f"{head} added {named(added, 20)}"
    else:
        first = f"{head} left out {named(dropped, 20)}"
    worth = f"claimed {money(claimed)} of net value, and could expect {money(expected)}."
    if len(f"{first} {worth}".split()) > LONGEST:
        return f"{first}. It would have {worth}"
    return f"{first}, {worth}"


def sceptical_text(net: float) -> str:
    """The set under the more doubtful belief."""
    return (
        "If such services are believed to change little on average, the same set could expect "
        f"{money(net)} of net value."
    )


def likely_but_short(p: float, price: float, rule: float, evsi: float | None, cost: float | None) -> str:
    """Why a pilot worth its price more often than not is not funded at it."""
    sure = "A 95 in 100" if chance(p) == "95%" else capital(chance(p))
    worth = f"{sure} chance of being worth {per_person(price)} a person"
    first = f"{worth}; the rule asks for {chance(rule)}."
    if evsi is None or cost is None:
        return f"{first} What a second year of evidence would cost is not said."
    if evsi > cost:
        return f"{first} That is too little to buy a second year."
    return f"{first} A second year of evidence is worth about {thousands(evsi)} and costs {money(cost)}."


# -- one pilot, here and in its own report -----------------------------------------------


def governs(value: float, price: float, own: float | None, *, league: bool = True) -> str:
    """Both worths, and which decides."""
    here = f"Worth about {per_person(value)} a person here; the price is {per_person(price)}."
    if own is None:
        return here
    alone = f"Its own report, read alone, says {per_person(own)}"
    return f"{here} {alone}." if league else f"{here} {alone}, and decides."


def line(n: int, verdict: str, value: float | None, own: float | None) -> str:
    """What a pilot's own report adds once it has stood in a league."""
    beside = f"Beside {few(n - 1)} other pilot{'' if n == 2 else 's'}"
    if value is None:
        return f"{beside}, the verdict on it is “{verdict}”."
    here = f"{beside} it is worth about {per_person(value)} a person"
    alone = f", where this report alone says {per_person(own)}" if own is not None else ""
    return f"{here}{alone}. The verdict there is “{verdict}”."


VALUE_IN_DOUBT = (
    "Its own report also allows for doubt in what one event is worth, or in how much of the change is its "
    "own; here both stand at their best guess."
)


def moved_prices(own: str, year: str) -> str:
    """That prices of another year were moved to the league's."""
    return f"Its prices of {own} are moved to {year}."


def others_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Outcomes that a pilot's own report values and the league does not."""
    if not rows:
        return ""
    names = joint([mid_sentence(str(row["label"])) for row in rows])
    return f"Its own report also values {names}; a league counts the main outcome alone."


# -- what the league is ------------------------------------------------------------------

QUESTION = "Which of these pilots are worth their price, and how sure is that?"
NO_MONEY = "No money can be shared out yet"
NO_MONEY_WHY = "No pilot has both a price for each person and a value for what it changes."
RULES_DIFFER = (
    "The studies ask for different chances before a pilot is made permanent, so 80% and low certainty are "
    "asked of all."
)


def title(n: int) -> str:
    """A league that nobody gave a title."""
    return f"{capital(few(n))} pilots compared"


def estimand_sentence(n: int, outcome: str, over: str, who: str, compared: str) -> str:
    """That only like is compared with like."""
    every = "Both" if n == 2 else f"All {few(n)}"
    return f"{every} measured {outcome} over {over}, for {who}, with {COMPARED[compared]}."
