r"""What one event is worth: an item of the table of unit costs, pounds of the study, or a mix of kinds.

Where the events avoided are of several kinds, with shares :math:`s_j` that add up to 1 and costs
:math:`u_j`, one is worth :math:`\sum_j s_j u_j`. If the share of kind :math:`k` is uncertain and is
:math:`x`, the others keep their proportions:

.. math:: u(x) = x u_k + (1 - x) \sum_{j \neq k} \frac{s_j}{1 - s_k} u_j

Unit costs of the table are multiplied once by the area's cost factor. Pounds that the study gives are not:
they are its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from ucimpact import words
from ucimpact.economics.unit_costs import UnitCost, inflator, unit_cost
from ucimpact.estimate import Estimate
from ucimpact.study import Mix, Outcome, Share, Study, Value
from ucimpact.study.money import share_of
from ucimpact.words import value as said

PRICES = "2024/25"
"""Prices of a study that names no cost."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """An outcome with a value, and the estimate of its change."""

    outcome: Outcome
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of events in a mix: what several are called, their share, and what one costs."""

    name: str
    share: Share
    pounds: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Priced:
    """What one of something costs in the study's prices, in words too; ``kinds`` where it is a mix."""

    pounds: float
    label: str
    unit: str
    source: str
    kinds: tuple[Kind, ...] = ()
    item: str = ""

    @classmethod
    def of(cls, what: str | float | Mix, year: str, factor: float = 1.0) -> Self:
        """An item of the table, pounds as the study declares them, or a mix."""
        if isinstance(what, Mix):
            return cls._of_mix(what, year, factor)
        if not isinstance(what, str):
            text = f"£{what:,.2f}".removesuffix(".00")
            return cls(
                pounds=float(what), label=text, unit="event", source=f"{text}, as the study declares it"
            )
        cost: UnitCost = unit_cost(what)
        pounds = cost.pounds * inflator(cost.price_year, year) * factor
        told = f"{cost.label} {words.per_person(pounds)}: {cost.told(year)}{said.for_the_area(factor)}"
        return cls(pounds=pounds, label=cost.label, unit=cost.unit, source=told, item=what)

    @classmethod
    def _of_mix(cls, mix: Mix, year: str, factor: float) -> Self:
        kinds = []
        for part in mix.parts:
            one = cls.of(part.item if part.pounds is None else part.pounds, year, factor)
            name = unit_cost(part.item).several if part.pounds is None else part.item
            source = one.source if part.pounds is None else f"{part.item} {one.source}"
            kinds.append(Kind(name=name, share=part.share, pounds=one.pounds, source=source))
        pounds = sum(kind.share.best * kind.pounds for kind in kinds)
        sources = ". ".join(kind.source for kind in kinds)
        label = words.joint([f"{said.share(kind.share.best)} {kind.name}" for kind in kinds])
        return cls(pounds=pounds, label=label, unit="event", source=sources, kinds=tuple(kinds))

    @property
    def uncertain(self) -> Kind | None:
        """The kind whose share has a range."""
        return next((kind for kind in self.kinds if kind.share.ranged), None)

    def at(self, share: float | np.ndarray) -> float | np.ndarray:
        """What one is worth where the uncertain kind has this share."""
        kind = self.uncertain
        assert kind is not None
        others = sum(k.share.best * k.pounds for k in self.kinds if k is not kind) / (1 - kind.share.best)
        return share * kind.pounds + (1 - share) * others


@dataclass(frozen=True, kw_only=True)
class Row:
    """One outcome: the change, and what one event is worth in each column."""

    outcome: Outcome
    estimate: Estimate
    each: dict[str, float]
    capacity: Priced | None
    economic: Priced | None

    @classmethod
    def of(cls, entry: Counted, year: str, factor: float = 1.0) -> Row:
        told = entry.outcome.value or Value()
        capacity = None if told.capacity is None else Priced.of(told.capacity, year, factor)
        economic = None if told.economic is None else Priced.of(told.economic, year, factor)
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

    @property
    def marginal(self) -> Share | None:
        """The share of the full cost that is really freed in the short run."""
        told = self.outcome.value
        return None if told is None or told.marginal is None else share_of(told.marginal)


def year_and_factor(study: Study) -> tuple[str, float]:
    """The prices of a study, and what unit costs of the table are multiplied by."""
    if study.cost is None:
        return PRICES, 1.0
    return study.cost.price_year, study.cost.area_cost_factor or 1.0


def worth_of_one(study: Study, outcome: Outcome, column: str) -> float:
    """Pounds that one event of an outcome is worth in a column, the pilot's own share of it.

    A mix of kinds, the area's cost factor and the share of the change that is the pilot's are in it.

    Parameters
    ----------
    column : {"cash", "capacity", "economic"}

    Raises
    ------
    UsageError
        For an item or a price year that is not known.
    """
    told = outcome.value or Value()
    year, factor = year_and_factor(study)
    own = 1.0 if study.attribution is None else study.attribution.told.best
    if column == "cash":
        return own * float(told.cash or 0.0)
    what = told.economic if column == "economic" else told.capacity
    if what is None:
        return 0.0
    times = 1.0 if column == "economic" else float(told.capacity_per_event or 0)
    return own * times * Priced.of(what, year, factor).pounds
