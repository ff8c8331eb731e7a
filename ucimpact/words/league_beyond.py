"""What a league says of pilots that would be expected to pay and that its rule does not fund."""

from __future__ import annotations

from collections.abc import Sequence

from ucimpact.words.league import named
from ucimpact.words.numbers import capital, chance
from ucimpact.words.pounds import money, thousands

Short = tuple[str, float, float]
"""A pilot expected to be worth more than it costs that does not pass the rule: its name, the pounds of a year
beyond its cost, and the chance that it is worth its price."""


def also(short: Sequence[Short], rule: float) -> str:
    """That buying more would be expected to pay, and by what chance it falls short."""
    names, nets, chances = zip(*short, strict=True)
    who = capital(named(names, 10))
    its = f"its chance is {chance(chances[0])}" if len(short) == 1 else f"their chances {_between(chances)}"
    return (
        f"{who} would be expected to add {money(sum(nets))} a year, but {its} and the rule asks for "
        f"{chance(rule)}."
    )


def _between(chances: Sequence[float]) -> str:
    """ "are 71% each", "run from 55% to 71%"."""
    low, high = chance(min(chances)), chance(max(chances))
    return f"are {low} each" if low == high else f"run from {low} to {high}"


def beyond_text(
    short: Sequence[Short],
    *,
    rule: float,
    cost: float,
    net: float,
    sceptical: float,
    evidence: tuple[float, float] | None = None,
    unspent: float | None = None,
    less_sure: bool = False,
) -> str:
    """Who is expected to pay and is not funded, by what rule, and what buying them too would add.

    Parameters
    ----------
    short : sequence of Short
        At least one.
    rule : float
        The chance that is asked for.
    cost : float
        Pounds of a year of all of them; ``net`` of the funded set beyond its cost, without them.
    sceptical : float
        What they would add if such services are believed to change little on average.
    evidence : (worth, cost), optional
        Of a second year, where there is one such pilot.
    unspent : float, optional
        What the budget has left.
    less_sure : bool
        Whether one with a smaller chance is funded, for what a second year of it would teach.
    """
    names, nets, chances = zip(*short, strict=True)
    one, added = len(short) == 1, sum(nets)
    who, it = capital(named(names, 12)), "it" if one else "they"
    told = [
        f"{who} {'is' if one else 'are'} not funded, though expected to be worth {money(added)} a year more "
        f"than {it} cost{'s' if one else ''}."
    ]
    its = f"The chance of that is {chance(chances[0])}" if one else f"The chances of that {_between(chances)}"
    told.append(f"{its}; the rule asks for {chance(rule)}.")
    if evidence is not None and evidence[0] <= evidence[1]:
        worth, paid = thousands(evidence[0]), money(evidence[1])
        told.append(f"A second year of evidence on it is worth about {worth} and costs {paid}.")
    if less_sure:
        told.append(
            "A less likely pilot is funded only where a year’s evidence on it is worth what it costs."
        )
    told.append(
        f"Buying {'it' if one else 'them'} too would cost {money(cost)} and be expected to add "
        f"{money(added)}, which makes {money(net + added)} in all."
    )
    if unspent is not None:
        than = "within" if cost <= unspent else "more than"
        told.append(f"Its cost is {than} the {money(unspent)} left." if one else
                    f"Their cost is {than} the {money(unspent)} left.")  # fmt: skip
    loss = f"here {chance(1 - chances[0])}" if one else "larger for each of them"
    told.append(
        "The rule guards against paying for what luck made look good: it takes a chance of a loss up to "
        f"{chance(1 - rule)}, {loss}."
    )
    told.append(
        f"If such services are believed to change little on average, {it} would be expected to "
        f"{'add' if sceptical >= 0 else 'lose'} {money(abs(sceptical))}."
    )
    return " ".join(told)


def raw_more(expected: float, net: float, sceptical: float, ours: float) -> str:
    """That the results as measured could expect more than the set of the rule; both under doubt as well."""
    return (
        f"That is {money(expected - net)} more than the set chosen here, by chances that the rule does not "
        "take. If such services are believed to change little on average, it could expect "
        f"{money(sceptical)}, and the set chosen here {money(ours)}."
    )
