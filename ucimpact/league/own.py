r"""The money of two pilots, which their own reports decide.

Of two there is little to learn from the other, so value, chance and the worth of a second year are those of
the reports read alone, in the prices of the league. With :math:`V` the value a person, :math:`s` its spread
from the printed range and :math:`n` people, the year's net is :math:`n (V - price)`; a second year as large
leaves half of :math:`s^2`, and is worth

.. math:: n \, \frac{s}{\sqrt 2} \, L\!\left( \frac{|V - price| \sqrt 2}{s} \right)

with :math:`L` the unit normal loss. What the posterior of the two says stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.decision.funding import Kind, Weighed
from ucimpact.decision.information import unit_loss, years_left
from ucimpact.league.pilot import Pilot
from ucimpact.league.reading import DRAWS, Reading

Array = np.ndarray

CRITICAL = 1.959963984540054


def own_numbers(pilot: Pilot) -> dict[str, Any]:
    """Value a person by the pilot's own report in the league's prices, its spread, chance and EVSI."""
    none: dict[str, Any] = dict.fromkeys(("value", "sd", "chance", "price", "evsi"))
    told = pilot.comparable
    columns = (pilot.document.get("valuation") or {}).get("columns") or {}
    column = columns.get(told["counted"])
    if column is None or column.get("per_person") is None:
        return none
    unit = told["unit_value"]
    times = pilot.unit_value / unit if pilot.unit_value and unit else 1.0
    value = column["per_person"] * times
    sd = (column["per_person_high"] - column["per_person_low"]) * times / (2 * CRITICAL)
    chance = column.get("chance")
    if pilot.price is not None and (pilot.agreed or chance is None):
        chance = NormalDist().cdf((value - pilot.price) / sd) if sd > 0 else float(value > pilot.price)
    spread, gain = sd / 2**0.5, 0.0
    if sd and pilot.price is not None:
        gain = (pilot.people or 0.0) * spread * words.normal_loss(abs(value - pilot.price) / spread)
    return {"value": value, "sd": sd, "chance": chance, "price": pilot.price, "evsi": gain}


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnReading(Reading):
    """A reading whose effects are those of the two together and whose money is that of their own reports."""

    @cached_property
    def told(self) -> list[dict[str, Any]]:
        """What each report says."""
        return [own_numbers(pilot) for pilot in self.pilots]

    def _of(self, name: str) -> Array:
        """One figure of all; 0 of those without a price or a value, who add nothing."""
        return np.array(
            [told[name] if k in self.priced else 0.0 for k, told in enumerate(self.told)], dtype=float
        )

    @cached_property
    def priced(self) -> list[int]:
        """Places of the pilots whose report says what a person is worth."""
        return [
            k
            for k, pilot in enumerate(self.pilots)
            if pilot.is_priced and self.told[k]["value"] is not None and self.told[k]["chance"] is not None
        ]

    @cached_property
    def per_person(self) -> Array:
        """Expected pounds of value for each person."""
        return self._of("value")

    @cached_property
    def at_rule(self) -> Array:
        """The price a person that each is worth with the chance that the rule asks for."""
        return self._of("value") - NormalDist().inv_cdf(self.rules.chance) * self._of("sd")

    @property
    def value_limits(self) -> tuple[Array, Array]:
        """Ends of the likely ranges of value."""
        half = CRITICAL * self._of("sd")
        return self.per_person - half, self.per_person + half

    @cached_property
    def net_draws(self) -> Array:
        """Pounds of a year in each account, linked as the results are."""
        root = np.sqrt(np.diag(self.cov))
        rng = np.random.default_rng(self.seed)
        drawn = rng.multivariate_normal(np.zeros(len(root)), self.cov / np.outer(root, root), size=DRAWS)
        people, spread = self.stakes.people, self._of("sd")
        return np.asarray(people * (self.per_person - self.stakes.price + drawn * spread))

    @cached_property
    def weighed(self) -> Weighed:
        """What the rule says of each by its report's numbers."""
        rules, people, sd = self.rules, self.stakes.people, self._of("sd")
        whole, left = (
            years_left(rules.years, rules.discount, after=0),
            years_left(rules.years, rules.discount),
        )
        net, sure = people * (self.per_person - self.stakes.price), self._of("chance")
        evsi, costs = self._of("evsi"), rules.another_year_costs or 0.0
        to_extend = costs + np.maximum(0.0, -net)
        kinds: list[Kind] = [
            "mainstream" if p >= rules.chance else "extend" if p >= rules.floor and gain > paid else "stop"
            for p, gain, paid in zip(sure, evsi, to_extend, strict=True)
        ]
        away = np.abs(self.per_person - self.stakes.price) / np.where(sd > 0, sd, 1.0)
        return Weighed(
            chance=sure,
            net=net,
            perfect=people * sd * unit_loss(away),
            evsi=evsi,
            to_extend=to_extend,
            kind=tuple(kinds),
            for_good=whole * net,
            for_a_year=net + evsi + left * np.maximum(0.0, net) - costs,
        )
