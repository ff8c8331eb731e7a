"""What a budget buys of the pilots of a league.

Money goes to those that the rule makes permanent, and to those that it extends at today's price. Which set of
them is worth most is found over all sets that the budget reaches
(:mod:`ucimpact.decision.portfolio`). Beside it
stand the set that the results as measured would have bought, and what is left under a more doubtful belief.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ucimpact.decision.funding import Raw, by_raw
from ucimpact.decision.portfolio import Option, Portfolio, best
from ucimpact.league.reading import Reading
from ucimpact.league.verdicts import Judged

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Funded:
    """What is funded, at what scale, and what to expect of it.

    Attributes
    ----------
    scale : array (K,)
        0 where it is not funded.
    net, value, cost : float
        Pounds of a year.
    in_best : array (K,)
        How often each belongs to the best set if the truth were known; nan for one without a price.
    """

    scale: Array
    cost: float
    value: float
    net: float
    low: float
    high: float
    chance: float
    in_best: Array
    unspent: float | None

    @property
    def chosen(self) -> list[int]:
        """Places of the funded pilots."""
        return [int(k) for k in np.flatnonzero(self.scale > 0)]


def fund(reading: Reading, judged: Sequence[Judged], *, brief: bool = False) -> Funded:
    """Spend the budget on what the rule lets through.

    ``brief``: the set and what to expect of it alone, without its range or how often each is in the best set,
    which takes a program for every draw where there are many pilots.
    """
    stakes, weighed = reading.stakes, reading.weighed
    draws = reading.net[None] if brief else reading.net_draws
    options = [
        Option(
            name=reading.pilots[k].id,
            cost=float(stakes.cost[k]),
            draws=draws[:, k],
            at_least=reading.pilots[k].at_least,
            at_most=reading.pilots[k].at_most,
            allowed=judged[k].is_funded,
            worth=float((weighed.for_good if judged[k].made.row == 1 else weighed.for_a_year)[k]),
        )
        for k in reading.priced
    ]
    n = len(reading.pilots)
    scale, in_best = np.zeros(n), np.full(n, np.nan)
    if not options:
        return Funded(
            scale=scale,
            cost=0.0,
            value=0.0,
            net=0.0,
            low=0.0,
            high=0.0,
            chance=0.0,
            in_best=in_best,
            unspent=None,
        )
    found: Portfolio = best(options, reading.rules.budget)
    scale[reading.priced], in_best[reading.priced] = found.chosen, found.in_best
    net = float(reading.net @ scale)
    return Funded(
        scale=scale,
        cost=found.cost,
        value=net + found.cost,
        net=net,
        low=found.low,
        high=found.high,
        chance=found.chance,
        in_best=in_best,
        unspent=found.unspent,
    )


def as_measured(reading: Reading) -> Raw:
    """What the results as measured would have bought."""
    return by_raw(reading.y, reading.shrunk, reading.stakes, budget=reading.rules.budget)


def expected_of(reading: Reading, funded: Funded) -> float:
    """What a set that was chosen elsewhere can expect in this reading, pounds of a year."""
    return float(reading.net @ funded.scale)
