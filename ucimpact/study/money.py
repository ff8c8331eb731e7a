"""What a study declares of money: what an event is worth, what the pilot cost, and the rule to decide by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ucimpact.study.base import Certainty, Declared, Number, Text


@dataclass(frozen=True, kw_only=True)
class Value(Declared):
    """What one event is worth, in the three columns that are never mixed.

    Attributes
    ----------
    cash : float, optional
        Pounds that a contract would really return for each event avoided.
    capacity, capacity_per_event : str, float, optional
        Item of :mod:`ucimpact.economics.unit_costs` that is freed (``"bed-day"``), and how many an event.
    economic : str or float, optional
        Item whose full average cost an event carries, or pounds.
    marginal : float, optional
        Share of the full cost that would really be freed in the short run; the report shows what the pilot
        would need to avoid at that share, beside the full cost.
    """

    cash: Annotated[Number, Field(ge=0)] | None = None
    capacity: Text | None = None
    capacity_per_event: Annotated[Number, Field(ge=0)] | None = None
    economic: Text | Annotated[Number, Field(ge=0)] | None = None
    marginal: Annotated[Number | None, Field(gt=0, le=1)] = None


@dataclass(frozen=True, kw_only=True)
class Cost(Declared):
    """What the pilot cost, in pounds over the window."""

    fixed: Annotated[Number, Field(ge=0)] = 0.0
    per_person: Annotated[Number, Field(ge=0)] = 0.0
    people: Annotated[Number, Field(ge=0)] | None = None
    price_year: Annotated[str, Field(strict=True, pattern=r"^\d{4}/\d{2}$")]


@dataclass(frozen=True, kw_only=True)
class Mainstream(Declared):
    """When the pilot would be made permanent."""

    chance_worth_its_cost: Annotated[Number, Field(gt=0, lt=1)] = 0.8
    min_certainty: Certainty = "low"


@dataclass(frozen=True, kw_only=True)
class DecisionRule(Declared):
    """The rule agreed before the result was known."""

    mainstream_if: Mainstream = Mainstream()
    value_counted: Literal["cash", "capacity", "economic"] = "economic"
    another_year_costs: Annotated[Number, Field(ge=0)] | None = None
