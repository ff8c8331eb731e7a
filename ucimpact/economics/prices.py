"""What one event is worth: an item of the table of unit costs, or pounds of the study, in each column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ucimpact import words
from ucimpact.economics.unit_costs import UnitCost, inflator, unit_cost
from ucimpact.estimate import Estimate
from ucimpact.study import Outcome, Value


@dataclass(frozen=True, kw_only=True)
class Counted:
    """An outcome with a value, and the estimate of its change."""

    outcome: Outcome
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class Priced:
    """What one of something costs in the study's prices, in words too."""

    pounds: float
    label: str
    unit: str
    source: str

    @classmethod
    def of(cls, what: str | float, year: str) -> Self:
        """An item of the table, or pounds as the study declares them."""
        if not isinstance(what, str):
            text = f"£{what:,.2f}".removesuffix(".00")
            return cls(
                pounds=float(what), label=text, unit="event", source=f"{text}, as the study declares it"
            )
        cost: UnitCost = unit_cost(what)
        pounds = cost.pounds * inflator(cost.price_year, year)
        told = f"{cost.label} {words.per_person(pounds)}: {cost.told(year)}"
        return cls(pounds=pounds, label=cost.label, unit=cost.unit, source=told)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One outcome: the change, and what one event is worth in each column."""

    outcome: Outcome
    estimate: Estimate
    each: dict[str, float]
    capacity: Priced | None
    economic: Priced | None

    @classmethod
    def of(cls, entry: Counted, year: str) -> Row:
        told = entry.outcome.value or Value()
        capacity = None if told.capacity is None else Priced.of(told.capacity, year)
        economic = None if told.economic is None else Priced.of(told.economic, year)
        each = {"cash": float(told.cash or 0.0)}
        if capacity is not None:
            each["capacity"] = capacity.pounds * float(told.capacity_per_event or 0)
        if economic is not None:
            each["economic"] = economic.pounds
        return cls(
            outcome=entry.outcome, estimate=entry.estimate, each=each, capacity=capacity, economic=economic
        )

    @property
    def toward(self) -> float:
        """The sign of a benefit: fewer events are one, unless more are better."""
        return -1.0 if self.outcome.better == "lower" else 1.0

    @property
    def units(self) -> float:
        """How many units of capacity one event takes."""
        told = self.outcome.value
        return float(told.capacity_per_event or 0) if told else 0.0
