"""One reading of a league: its results in the light of one another, under one covariance and one prior.

What was measured is drawn towards the rest (:mod:`ucimpact.inference.shrinkage`); value, chance and the worth
of a second year come of that posterior by the exact forms of :mod:`ucimpact.decision.information`. The pilot
with the largest result has a second interval, for having been picked by it
(:mod:`ucimpact.inference.winners`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from ucimpact.decision.funding import Rule, Weighed, weigh
from ucimpact.decision.information import Belief, Mixture, Stakes, chance, expected, noise_of
from ucimpact.inference.shrinkage import Prior, Shrunk, shrink
from ucimpact.inference.winners import Corrected, hybrid
from ucimpact.league.pilot import Pilot, Scale

Array = np.ndarray

DRAWS = 20_000
DEFAULT = Prior()
PARTS = 600
NEARLY_ALL = 0.999
"""A posterior of more parts than this, which comes of a two-part prior, is cut to the heaviest of them."""
TIED = 0.5
"""Standard errors below which the corrected interval is no range: the leader is barely ahead."""
NOBODY = (1.0, 1.0, 0.0)
"""Stands in sums for a pilot without a price, and adds nothing."""
SCEPTICAL = Prior(mean_sd=0.05)
"""Believes that services like these change little on average: what stands beside every claim of a set."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a league decides by.

    Attributes
    ----------
    chance, keep, floor : float
        Of being worth its price: to be made permanent; to be kept after a second year; to be given one.
    another_year_costs : float or None
    """

    chance: float = 0.80
    keep: float = 0.70
    floor: float = 0.50
    min_certainty: str = "low"
    another_year_costs: float | None = None
    years: int = 2
    discount: float = 0.035
    budget: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """Numbers of all pilots under one prior; arrays over all K, but for money over those with a price.

    Attributes
    ----------
    scale : Scale
    cov : array (K, K)
        Of the log ratios.
    """

    pilots: Sequence[Pilot]
    scale: Scale
    cov: Array
    rules: Rules
    seed: int
    prior: Prior = field(default_factory=Prior)

    @cached_property
    def y(self) -> Array:
        """Benefits as measured."""
        return self.scale.toward * np.array([pilot.log for pilot in self.pilots])

    @cached_property
    def shrunk(self) -> Shrunk:
        """Benefits allowing for luck."""
        return shrink(self.y, self.cov, self.prior)

    @cached_property
    def limits(self) -> tuple[Array, Array]:
        """Ends of the likely ranges of those benefits."""
        return self.shrunk.interval()

    @cached_property
    def leader(self) -> int:
        """The pilot with the largest result."""
        return int(np.argmax(self.y))

    @cached_property
    def corrected(self) -> Corrected:
        """Its interval, corrected for having been picked."""
        return hybrid(self.y, self.cov, chosen=self.leader, seed=self.seed)

    @property
    def is_tied(self) -> bool:
        """Whether the leader is too little ahead for an interval that allows for having been picked."""
        return bool(
            self.corrected.high - self.corrected.low < TIED * np.sqrt(self.cov[self.leader, self.leader])
        )

    @property
    def judging(self) -> tuple[float, float]:
        """The interval that judges the leader: the corrected one, or both where that misses its number."""
        low, high = self.corrected.low, self.corrected.high
        if low <= self.shrunk.mean[self.leader] <= high and not self.is_tied:
            return low, high
        own = [float(limits[self.leader]) for limits in self.limits]
        return min(low, own[0]), max(high, own[1])

    @cached_property
    def draws(self) -> Array:
        """Likely accounts of the truth, benefits on the log scale."""
        return self.shrunk.draws(DRAWS, self.seed)

    # -- money ---------------------------------------------------------------------------

    @cached_property
    def priced(self) -> list[int]:
        """Places of the pilots whose worth can be set against a price."""
        return [k for k, pilot in enumerate(self.pilots) if pilot.is_priced]

    @cached_property
    def stakes(self) -> Stakes:
        """What there is to gain and to pay, of all; of nobody where it is not known."""
        told = [
            (pilot.value or 0.0, pilot.price or 0.0, pilot.people or 0.0) if pilot.is_priced else NOBODY
            for pilot in self.pilots
        ]
        value, price, people = np.array(told).T
        return Stakes(value=value, price=price, people=people, better=self.better)

    @property
    def better(self) -> Literal["lower", "higher"]:
        """Which way the outcome should go."""
        return self.scale.better

    @cached_property
    def weighed(self) -> Weighed:
        """What the rule says of each by its numbers alone, as it was tried on whole funds."""
        rule = Rule(
            chance=self.rules.chance,
            keep=self.rules.keep,
            floor=self.rules.floor,
            another_year_costs=self.rules.another_year_costs or 0.0,
        )
        noise = noise_of(np.array([pilot.used_se for pilot in self.pilots]))
        return weigh(
            self._belief,
            self.stakes,
            noise,
            rule=rule,
            years=self.rules.years,
            discount=self.rules.discount,
        )

    @cached_property
    def _belief(self) -> Belief:
        """The posterior; of one of very many parts those that hold nearly all of its weight."""
        weights = self.shrunk.weights
        if len(weights) <= PARTS:
            return self.shrunk
        order = np.argsort(-weights)
        keep = order[: min(PARTS, int(np.searchsorted(np.cumsum(weights[order]), NEARLY_ALL)) + 1)]
        share = weights[keep] / weights[keep].sum()
        return Mixture(weights=share, means=self.shrunk.means[keep], covs=self.shrunk.covs[keep])

    @property
    def chance(self) -> Array:
        """Of being worth more than its price."""
        return self.weighed.chance

    @property
    def net(self) -> Array:
        """Expected pounds of a year beyond the price."""
        return self.weighed.net

    @property
    def evsi(self) -> Array:
        """Pounds that a second year's estimate is worth over the years after it."""
        return self.weighed.evsi

    @cached_property
    def net_draws(self) -> Array:
        """The same in each account of the truth."""
        return self.stakes.net(self.draws)

    @cached_property
    def together(self) -> Array:
        """Expected pounds of value for each person, in the light of the others."""
        people = np.where(self.stakes.people > 0, self.stakes.people, 1.0)
        return np.asarray(expected(self._belief, self.stakes) / people + self.stakes.price)

    @property
    def per_person(self) -> Array:
        """The same, or what decides in its place."""
        return self.together

    @property
    def value_limits(self) -> tuple[Array, Array]:
        """Ends of the likely ranges of that value."""
        low, high = self.limits
        return self.stakes.gain(low), self.stakes.gain(high)

    @cached_property
    def at_rule(self) -> Array:
        """The price a person that each is worth with the chance that the rule asks for."""
        return self.stakes.gain(self.shrunk.quantile(1 - self.rules.chance))

    @cached_property
    def at_offer(self) -> Array:
        """The chance that each would be worth a price of its expected value."""
        offered = Stakes(
            value=self.stakes.value, price=self.per_person, people=self.stakes.people, better=self.better
        )
        return chance(self.shrunk, offered)
