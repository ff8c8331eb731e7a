r"""The rule by which pilots that were compared are funded.

A pilot is made **mainstream** where its chance of being worth its price is ``chance`` or more. It is
**extended** for a year, with evaluation, where what that year would teach is worth more than it costs and
the chance is ``floor`` or more; after the year it is kept where the chance is ``keep`` or more. All others
**stop**. With :math:`A` years in all and :math:`R` after the first, each counted at what it is worth today,
the three are worth

.. math:: A\,E\,NB, \qquad E\,NB + R\,\{EVSI + \max(0, E\,NB)\} - e, \qquad 0

pounds, where :math:`e` is the cost of the evaluation, and a budget goes to the set for which their sum is
largest. What extending costs is :math:`e + \max(0, -E\,NB)`: a year that is expected to lose money is not
free. In simulated funds in which nothing works, extending wherever :math:`R \cdot EVSI` passes that cost and
without a floor lost money in two funds of five; the floor and the higher bar for keeping cut that loss by
more than half (``docs/league_trials.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ucimpact.decision.information import Belief, Stakes, chance, expected, perfect, sample, years_left
from ucimpact.decision.portfolio import Option, Portfolio, best, best_set

Array = np.ndarray
Kind = Literal["mainstream", "extend", "stop"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What was agreed before the results were known.

    Attributes
    ----------
    chance : float
        Of being worth its price, to be made mainstream.
    keep : float
        The same, to be kept after a second year.
    floor : float
        The same, to be given a second year at all.
    another_year_costs : float
        Pounds, to evaluate one pilot for a second year.
    """

    chance: float = 0.80
    keep: float = 0.70
    floor: float = 0.50
    another_year_costs: float = 6_000.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighed:
    """What the rule says of each pilot by itself; arrays have shape (K,).

    Attributes
    ----------
    chance : array
        That it is worth more than its price.
    net : array
        Expected pounds a year beyond the price.
    perfect : array
        Pounds a year that knowing its effect would be worth.
    evsi : array
        Pounds, over the years after the next, that a second year's estimate is worth.
    to_extend : array
        Pounds that a second year costs: its evaluation, and what it is expected to lose.
    kind : tuple of {"mainstream", "extend", "stop"}
    for_good, for_a_year : array
        Expected pounds over all the years if it is funded for all of them, and if it is funded for one with
        evaluation and then kept or stopped.
    """

    chance: Array
    net: Array
    perfect: Array
    evsi: Array
    to_extend: Array
    kind: tuple[Kind, ...]
    for_good: Array
    for_a_year: Array

    @property
    def worth(self) -> Array:
        """Expected pounds over all the years under what the rule says."""
        mainstream, extend = (
            np.array([kind == said for kind in self.kind]) for said in ("mainstream", "extend")
        )
        return np.where(mainstream, self.for_good, np.where(extend, self.for_a_year, 0.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Funding:
    """What the rule says of each, and what the budget buys of it."""

    weighed: Weighed
    portfolio: Portfolio


@dataclass(frozen=True, kw_only=True, eq=False)
class Raw:
    """What the results as measured would fund, a year.

    Attributes
    ----------
    funded : array (K,) of bool
    claimed, expected : float
        Net benefit in pounds: as measured, and allowing for luck.
    """

    funded: Array
    claimed: float
    expected: float


def weigh(
    belief: Belief,
    stakes: Stakes,
    noise: Array,
    *,
    rule: Rule | None = None,
    years: int = 5,
    discount: float = 0.0,
) -> Weighed:
    """Apply the rule to each pilot, without a budget.

    Parameters
    ----------
    belief : Belief
        Of the benefits on the log scale, after shrinkage.
    stakes : Stakes
    noise : array (K,)
        Variance of a second year's estimate, from :func:`~ucimpact.decision.information.noise_of`.
    rule : Rule, optional
    years : int
        That the decision is for, the next one among them.
    discount : float
        A year, such as 0.035.
    """
    rule = rule or Rule()
    whole, left = years_left(years, discount, after=0), years_left(years, discount)
    sure, net = chance(belief, stakes), expected(belief, stakes)
    evsi = left * sample(belief, stakes, noise)
    to_extend = rule.another_year_costs + np.maximum(0.0, -net)
    mainstream = sure >= rule.chance
    extend = ~mainstream & (sure >= rule.floor) & (evsi > to_extend)
    kinds: list[Kind] = [
        "mainstream" if settled else "extend" if another else "stop"
        for settled, another in zip(mainstream, extend, strict=True)
    ]
    return Weighed(
        chance=sure,
        net=net,
        perfect=perfect(belief, stakes),
        evsi=evsi,
        to_extend=to_extend,
        kind=tuple(kinds),
        for_good=whole * net,
        for_a_year=net + evsi + left * np.maximum(0.0, net) - rule.another_year_costs,
    )


def fund(
    names: Sequence[str],
    belief: Belief,
    stakes: Stakes,
    noise: Array,
    draws: Array,
    *,
    budget: float | None = None,
    rule: Rule | None = None,
    years: int = 5,
    discount: float = 0.0,
    allowed: Sequence[bool] | None = None,
    at_least: Sequence[float] | None = None,
    at_most: Sequence[float] | None = None,
) -> Funding:
    """Apply the rule and spend a budget on what it lets through.

    Parameters
    ----------
    names : sequence of str
    belief, stakes, noise, rule, years, discount
        As in :func:`weigh`.
    draws : array (n, K)
        Of the benefits on the log scale, drawn together from the belief.
    budget : float, optional
        Pounds a year, for the services; an evaluation is paid for apart.
    allowed : sequence of bool, optional
        False for a pilot that its checks or its certainty bar.
    at_least, at_most : sequence of float, optional
        Scales between which each can run, where 1 is its present size.
    """
    weighed = weigh(belief, stakes, noise, rule=rule, years=years, discount=discount)
    net, one = stakes.net(draws), np.ones(len(names))
    options = [
        Option(
            name=name,
            cost=float(stakes.cost[k]),
            draws=net[:, k],
            at_least=float((one if at_least is None else at_least)[k]),
            at_most=float((one if at_most is None else at_most)[k]),
            allowed=weighed.kind[k] != "stop" and (allowed is None or bool(allowed[k])),
            worth=float(weighed.worth[k]),
        )
        for k, name in enumerate(names)
    ]
    return Funding(weighed=weighed, portfolio=best(options, budget))


def keep(belief: Belief, stakes: Stakes, rule: Rule | None = None) -> Array:
    """Which are kept once a second year's estimate is in the belief, shape (K,) of bool."""
    return chance(belief, stakes) >= (rule or Rule()).keep


def by_raw(measured: Array, belief: Belief, stakes: Stakes, *, budget: float | None = None) -> Raw:
    """Return what the results as measured would have funded, claimed and could expect.

    Parameters
    ----------
    measured : array (K,)
        Estimates of the benefit on the log scale, without any allowance for luck.
    belief, stakes, budget
        As in :func:`fund`.
    """
    claims = stakes.net(measured)
    funded = best_set(claims, stakes.cost, budget)
    return Raw(
        funded=funded,
        claimed=float(claims[funded].sum()),
        expected=float(expected(belief, stakes)[funded].sum()),
    )
