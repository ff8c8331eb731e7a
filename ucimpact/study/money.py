"""What a study declares of money: what an event is worth, what the pilot cost, and the rule to decide by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ucimpact.study.base import Certainty, Declared, Number, Text, Whole
from ucimpact.study.said import shown

COLUMN_NAMES = ("cash", "capacity", "economic")
ONE = 1e-6
"""Shares may miss 1 by so much: they are typed with a few decimals."""


@dataclass(frozen=True)
class Share(Declared):
    """A share between 0 and 1, with its likely range where it is not known for certain.

    Without ``share`` the best guess is the middle of the range.
    """

    share: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def best(self) -> float:
        """The share to count with."""
        if self.share is not None:
            return self.share
        assert self.low is not None and self.high is not None
        return (self.low + self.high) / 2

    @property
    def ranged(self) -> bool:
        """Whether it is uncertain."""
        return self.low is not None and self.high is not None and self.low < self.high


def share_of(told: float | Share) -> Share:
    """A share that was declared as a number, or with its range."""
    return told if isinstance(told, Share) else Share(share=float(told))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _read_share(value: Any, way_out: str, more: tuple[str, ...] = ()) -> Share:
    """``0.4`` or ``{ share = 0.4, low = 0.3, high = 0.5 }``.

    Raises
    ------
    ValueError
        Saying what was found and how it is written.
    """
    if isinstance(value, Share):
        return value
    if _is_number(value):
        value = {"share": value}
    if not isinstance(value, Mapping):
        raise ValueError(f"expects a share between 0 and 1, found {shown(value)}. Write {way_out}")
    own = {key: each for key, each in value.items() if key not in more}
    odd = [key for key in own if key not in ("share", "low", "high")]
    if odd:
        raise ValueError(
            f"there is no key `{odd[0]}` in a share. There are: share, low, high. Write {way_out}"
        )
    for key, each in own.items():
        if not _is_number(each) or not 0 <= each <= 1:
            raise ValueError(f"{key} is a share between 0 and 1, found {shown(each)}. Write {way_out}")
    made = Share(**{key: float(each) for key, each in own.items()})
    if (made.low is None) != (made.high is None):
        lacking = "low" if made.low is None else "high"
        raise ValueError(f"a likely range has two ends, and {lacking} is missing. Write {way_out}")
    if made.share is None and made.low is None:
        raise ValueError(f"holds no share. Write {way_out}")
    if made.low is not None and made.high is not None:
        if made.low > made.high:
            raise ValueError(f"low = {made.low:g} lies above high = {made.high:g}. Write {way_out}")
        if made.low < made.high and not made.low < made.best < made.high:
            raise ValueError(
                f"share = {made.best:g} lies outside {made.low:g} to {made.high:g}, or at its edge. "
                f"Write {way_out}"
            )
        if made.low == made.high != made.best:
            raise ValueError(f"share = {made.best:g} is not {made.low:g}. Write {way_out}")
    return made


def _marginal(value: Any) -> Any:
    """The share of the full cost that is really freed: a number stays one."""
    if value is None or isinstance(value, Share):
        return value
    made = _read_share(value, "marginal = 0.4, or { low = 0.3, high = 0.5 }")
    if made.best <= 0:
        raise ValueError("expects a share above 0, found 0. Take the key out where nothing is freed")
    return float(value) if _is_number(value) else made


@dataclass(frozen=True, kw_only=True)
class Part(Declared):
    """One kind among the events avoided: an item of the table of unit costs, or a name with its pounds."""

    item: str
    share: Share
    pounds: float | None = None


@dataclass(frozen=True)
class Mix(Declared):
    """Of what kinds the events avoided are, with the share of each; the shares add up to 1."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Mix:
        """``{ "non-elective-short-stay" = 0.45, "non-elective-long-stay" = 0.55 }``, read and checked.

        Raises
        ------
        ValueError
            Saying what is wrong and how it is written.
        """
        if len(told) < 2:
            raise ValueError(f"a mix names two kinds or more, found {len(told)}. Write {MIX}")
        parts = []
        for item, value in told.items():
            pounds = value.get("pounds") if isinstance(value, Mapping) else None
            if pounds is not None and (not _is_number(pounds) or pounds < 0):
                raise ValueError(f"{item}: pounds are a number from 0, found {shown(pounds)}. Write {MIX}")
            try:
                share = _read_share(value, MIX, ("pounds",))
            except ValueError as error:
                raise ValueError(f"{item}: {error}") from None
            parts.append(Part(item=item, share=share, pounds=None if pounds is None else float(pounds)))
        total = sum(part.share.best for part in parts)
        if abs(total - 1) > ONE:
            raise ValueError(f"the shares add up to {total:.4g}, and must add up to 1. Write {MIX}")
        if sum(part.share.ranged for part in parts) > 1:
            raise ValueError(f"one share may have a range, and the others take the rest. Write {MIX_RANGED}")
        return cls(parts=tuple(parts))


MIX = '{ "non-elective-short-stay" = 0.45, "non-elective-long-stay" = 0.55 }'
MIX_RANGED = (
    '{ "non-elective-short-stay" = { share = 0.45, low = 0.3, high = 0.6 }, "non-elective-long-stay" = 0.55 }'
)


def _economic(value: Any) -> Any:
    """A mix of kinds where a table stands; the rest as it is."""
    return Mix.of(value) if isinstance(value, dict) else value


@dataclass(frozen=True, kw_only=True)
class Value(Declared):
    """What one event is worth, in the three columns that are never mixed.

    Attributes
    ----------
    cash : float, optional
        Pounds that a contract would really return for each event avoided.
    capacity, capacity_per_event : str, float, optional
        Item of :mod:`ucimpact.economics.unit_costs` that is freed (``"bed-day"``), and how many an event.
    economic : str, float or Mix, optional
        Item whose full average cost an event carries, or pounds, or the kinds that the events avoided are of.
    marginal : float or Share, optional
        Share of the full cost that would really be freed in the short run; the report shows what the pilot
        would be worth, and need to avoid, at that share, beside the full cost.
    """

    cash: Annotated[Number, Field(ge=0)] | None = None
    capacity: Text | None = None
    capacity_per_event: Annotated[Number, Field(ge=0)] | None = None
    economic: Annotated[Text | Annotated[Number, Field(ge=0)] | Mix | None, BeforeValidator(_economic)] = None
    marginal: Annotated[float | Share | None, BeforeValidator(_marginal)] = None


@dataclass(frozen=True, kw_only=True)
class Cost(Declared):
    """What the pilot cost, in pounds over the window.

    Attributes
    ----------
    fixed, per_person : float
        Running cost: pounds whatever the number of people, and for each.
    people : float, optional
        People whom it was for.
    price_year : str
        Such as ``"2024/25"``.
    set_up, ramp : float, optional
        Pounds spent once: on setting up, and on running below full numbers while the service built up. They
        are part of the full cost and shown apart.
    volunteer_hours, volunteer_hour : float, optional
        Hours that volunteers gave, and what an hour of a paid person in their place would cost. Shown apart;
        nobody pays it, so it is not in the price.
    area_cost_factor : float, optional
        What unit costs of the NHS are multiplied by for this area, once.
    """

    fixed: Annotated[Number, Field(ge=0)] = 0.0
    per_person: Annotated[Number, Field(ge=0)] = 0.0
    people: Annotated[Number, Field(ge=0)] | None = None
    price_year: Annotated[str, Field(strict=True, pattern=r"^\d{4}/\d{2}$")]
    set_up: Annotated[Number | None, Field(ge=0)] = None
    ramp: Annotated[Number | None, Field(ge=0)] = None
    volunteer_hours: Annotated[Number | None, Field(ge=0)] = None
    volunteer_hour: Annotated[Number | None, Field(ge=0)] = None
    area_cost_factor: Annotated[Number | None, Field(gt=0)] = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values; a later key that is not declared is left out, so that hashes stay as they were."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": "Cost", **{key: v for key, v in told.items() if key not in LATER or v is not None}}

    @property
    def once(self) -> float:
        """Pounds spent once."""
        return (self.set_up or 0.0) + (self.ramp or 0.0)

    @property
    def volunteers(self) -> float:
        """What paid people in place of the volunteers would have cost."""
        return (self.volunteer_hours or 0.0) * (self.volunteer_hour or 0.0)


LATER = ("set_up", "ramp", "volunteer_hours", "volunteer_hour", "area_cost_factor")
"""Keys of a cost that are shown apart."""


@dataclass(frozen=True, kw_only=True)
class Attribution(Declared):
    """What share of the change is the pilot's own, where other services worked on the same people.

    Attributes
    ----------
    low, high : float
        The likely range, as shares.
    share : float, optional
        The share to count with; the middle of the range by default.
    because : str
        Which other services, and how the range was come to.
    """

    low: Annotated[Number, Field(ge=0, le=1)]
    high: Annotated[Number, Field(gt=0, le=1)]
    share: Annotated[Number | None, Field(gt=0, le=1)] = None
    because: Text

    @property
    def told(self) -> Share:
        """The share with its range."""
        return Share(share=self.share, low=self.low, high=self.high)


@dataclass(frozen=True, kw_only=True)
class Budget(Declared):
    """The years ahead, if the service goes on: how many people each year, and what changes with scale.

    Attributes
    ----------
    years : int
        One to five.
    people : tuple of float, optional
        People a year.
    uptake, eligible : tuple of float, float, optional
        In their place: the share of those eligible who take it up each year, and how many are eligible; by
        default those of ``[data]``.
    discount : float, default 0.035
        What a later year counts less, each year: 3.5% as the Treasury asks, 1.5% for effects on health.
    inflation : float, optional
        By how much prices are taken to rise each year, for the cost in the pounds of each year.
    months : float, optional
        How long the pilot's cost and effect per person span, where it was for residents and not for people
        taken on one by one: a year then costs and gives 12 / ``months`` as much of each.
    effect : tuple of float, optional
        Share of the pilot's effect per person that is kept each year at that scale; all of it by default.
    fixed : float, optional
        Pounds a year whatever the number of people; the rest is the pilot's ``per_person``. Without it each
        person costs what one cost in the pilot, once running.
    set_up : float, optional
        Pounds to set up again, in the first year. What the pilot spent on it is not spent again.
    """

    years: Annotated[Whole, Field(ge=1, le=5)]
    people: tuple[Annotated[Number, Field(ge=0)], ...] = ()
    uptake: tuple[Annotated[Number, Field(ge=0, le=1)], ...] = ()
    eligible: Annotated[Number | None, Field(gt=0)] = None
    discount: Annotated[Number, Field(ge=0, le=0.1)] = 0.035
    inflation: Annotated[Number | None, Field(ge=-0.1, le=0.2)] = None
    months: Annotated[Number | None, Field(gt=0)] = None
    effect: tuple[Annotated[Number, Field(ge=0, le=1)], ...] = ()
    fixed: Annotated[Number | None, Field(ge=0)] = None
    set_up: Annotated[Number | None, Field(ge=0)] = None


Shares = dict[Text, Annotated[Number, Field(ge=0, le=1)]]
"""Who has which share."""


@dataclass(frozen=True, kw_only=True)
class Payers(Declared):
    """Who pays for the service, and who gains in each column; every set of shares adds up to 1.

    Attributes
    ----------
    pays : dict
        Share of the cost, by name.
    gains : dict
        By column (``cash``, ``capacity``, ``economic``): share of the value, by name.
    """

    pays: Shares
    gains: dict[Literal["cash", "capacity", "economic"], Shares]


@dataclass(frozen=True, kw_only=True)
class Qaly(Declared):
    """Quality-adjusted life years that one person gains, only where somebody has measured or published them.

    Attributes
    ----------
    per_person, low, high : float
        Best estimate and 95% limits.
    source : str
        Where they come from.
    """

    per_person: Number
    low: Number
    high: Number
    source: Text


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
