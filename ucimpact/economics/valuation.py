r"""What an effect is worth, in three columns that are never mixed.

With :math:`\Delta_j` the change in the number of events of outcome :math:`j` over the pilot (negative =
fewer), :math:`u_{cj}` what one event is worth in column :math:`c`, and :math:`n` the people behind it,

.. math:: V_c = -\frac{1}{n} \sum_j u_{cj} \Delta_j

is the value per person in that column, set against the price :math:`P` = cost / people. Draws of
:math:`\Delta` are joint (:func:`ucimpact.estimate.joint_draws`), so the chance :math:`p = P(V > P)` and the
printed range agree: above 97.5% if and only if the range of the net lies above 0. A second year of the same
size would be worth, to the :math:`N` people of the year after [1]_,

.. math:: EVSI = N \, s L(|V - P| / s), \qquad s = sd(V) / \sqrt 2, \qquad L(x) = \phi(x) - x (1 - \Phi(x))

with :math:`s` the spread of what the mean of two years will be, seen from the first. Best estimates are the
printed effects times the unit costs, so that a reader can check each by hand.

References
----------
.. [1] Raiffa, H. and Schlaifer, R. (1961). *Applied Statistical Decision Theory*, chapter 5: preposterior
   analysis with a normal prior and a linear loss.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

import numpy as np

from ucimpact import serialise, words
from ucimpact.economics.money import KINDS, Pounds
from ucimpact.economics.ratios import fieller
from ucimpact.economics.unit_costs import UnitCost, inflator, unit_cost
from ucimpact.errors import EstimationError, ImpactError
from ucimpact.estimate import DRAWS, Estimate, joint_draws, share_units
from ucimpact.study import Cost, DecisionRule, Outcome, Study, Value
from ucimpact.words.decision import normal_loss

Array = np.ndarray
QUANTILES: Literal["hazen"] = "hazen"
"""Draws stand at the middle of equal shares of chance, so their quantiles are those of the interval."""
CRITICAL = 1.959963984540054
CERTAIN = 0.975
"""The chance above which the whole 95% range of the net lies above 0."""
DOTS = 20
PRICES = "2024/25"
"""Prices of a study that names no cost."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """An outcome with a value, and the estimate of its change."""

    outcome: Outcome
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class Valuation:
    """What the pilot was worth, against what it cost; plain values, in pounds.

    Attributes
    ----------
    columns : dict
        By column: ``value, low, high, chance, per_person, per_person_low, per_person_high, note, units,
        units_low, units_high, unit, unit_price``. A column that no outcome declares is not there.
    outcomes : list of dict
        One row an outcome with a value.
    cost, net, per_pound, cost_per_event, break_even : dict
    draws : list of float
        Twenty equally likely values of the net in the column that decides.
    price_at_rule, sd, evsi : float or None
        Per person and in the column that decides; ``evsi`` over the people of a year.
    not_worked_out : str or None
        Why there is no value, in a sentence.
    """

    counted: str
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    cost: dict[str, Any] | None = None
    net: dict[str, float] | None = None
    per_pound: dict[str, float] | None = None
    cost_per_event: dict[str, Any] | None = None
    break_even: dict[str, Any] | None = None
    draws: list[float] = field(default_factory=list)
    price_at_rule: float | None = None
    sd: float | None = None
    evsi: float | None = None
    sources: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_worked_out: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)}

    @property
    def deciding(self) -> dict[str, Any] | None:
        """The column that the rule counts."""
        return self.columns.get(self.counted)

    @property
    def carried(self) -> dict[str, str]:
        """Labels of the outcomes that the value in that column is made of, by their columns."""
        return {row["column"]: row["label"] for row in self.outcomes if row.get(self.counted)}


def value_problems(study: Study) -> list[str]:
    """What cannot be valued as the study declares it: items and years that are not known."""
    found = []
    year = study.cost.price_year if study.cost else PRICES
    costs = [o.label for o in study.outcomes if o.kind == "cost" and o.value and o.value.economic]
    events = [o.label for o in study.outcomes if o.kind != "cost" and o.value and o.value.economic]
    if costs and events:
        found.append(
            f"{words.joint(costs)} and {words.joint(events)}: a cost and the events that cost it would count "
            "the same thing twice. Give an economic value to one of them"
        )
    for outcome in study.outcomes:
        for key in ("capacity", "economic"):
            what = getattr(outcome.value, key, None)
            if isinstance(what, str):
                try:
                    unit_cost(what).in_prices_of(year)
                except ImpactError as error:
                    found.append(f"{outcome.label}, value, {key}: {error}")
        told = outcome.value
        if told is not None and (told.capacity is None) != (told.capacity_per_event is None):
            found.append(
                f"{outcome.label}, value: capacity names what is freed and capacity_per_event how much "
                "of it. Give both"
            )
    return found


def value(
    study: Study,
    counted: Sequence[Counted],
    *,
    claim: str | None,
    found: dict[str, Any],
    people: float | None = None,
    refused: str | None = None,
) -> Valuation | None:
    """What the pilot was worth.

    Parameters
    ----------
    study : Study
    counted : sequence of Counted
        Outcomes that declare a value, the main one first if it is among them.
    claim, found
        Claim and numbers of the finding: ``est, lo, hi, base, avoided, outcome``.
    people : float, optional
        People behind the change; by default those that the cost is for.
    refused : str, optional
        Why no value may be worked out.

    Returns
    -------
    Valuation or None
        None where the study declares neither a value nor a cost.
    """
    rule = study.decision or DecisionRule()
    year = study.cost.price_year if study.cost else PRICES
    spent = _spent(study.cost, people)
    declared = any(outcome.value is not None for outcome in study.outcomes)
    if not declared and study.cost is None:
        return None
    rows = [_Row.of(entry, year) for entry in counted if entry.outcome.value is not None]
    why = refused or (None if rows else "no outcome that could be estimated declares what one event is worth")
    if declared and why is None:
        return _Work(rows, spent, rule, study, claim, found, people).valuation()
    return Valuation(
        counted=rule.value_counted, cost=spent, not_worked_out=why if declared else None, break_even=None
    )


@dataclass(frozen=True, eq=False)
class _Amount:
    """Pounds of one kind, and draws of how far chance could move them."""

    pounds: Pounds
    draws: Array

    def __add__(self, other: Self) -> Self:
        return type(self)(self.pounds + other.pounds, self.draws + other.draws)

    def __mul__(self, times: float) -> Self:
        return type(self)(self.pounds * times, self.draws * times)

    @property
    def best(self) -> float:
        return self.pounds.value

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Likely range."""
        low, high = np.quantile(self.draws, [(1 - level) / 2, (1 + level) / 2], method=QUANTILES)
        return float(low), float(high)

    def chance_above(self, cost: float) -> float:
        """Share of draws above an amount."""
        return float((self.draws > cost).mean())

    def at_chance(self, chance: float) -> float:
        """The amount that is exceeded with this chance."""
        return float(np.quantile(self.draws, 1 - chance, method=QUANTILES))


@dataclass(frozen=True, kw_only=True)
class _Priced:
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
class _Row:
    """One outcome: the change, and what one event is worth in each column."""

    outcome: Outcome
    estimate: Estimate
    each: dict[str, float]
    capacity: _Priced | None
    economic: _Priced | None

    @classmethod
    def of(cls, entry: Counted, year: str) -> _Row:
        told = entry.outcome.value or Value()
        capacity = None if told.capacity is None else _Priced.of(told.capacity, year)
        economic = None if told.economic is None else _Priced.of(told.economic, year)
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


class _Work:
    """The steps of one valuation."""

    def __init__(
        self,
        rows: list[_Row],
        cost: dict[str, Any] | None,
        rule: DecisionRule,
        study: Study,
        claim: str | None,
        found: dict[str, Any],
        people: float | None,
    ) -> None:
        self.rows, self.cost, self.rule, self.study, self.claim = rows, cost, rule, study, claim
        self.found = found
        estimates = [row.estimate for row in rows]
        signs = [row.toward * (1.0 if row.each.get(rule.value_counted, 0.0) >= 0 else -1.0) for row in rows]
        self.drawn = joint_draws(estimates, DRAWS, study.release.seed, signs=signs)
        self.assumed = len(rows) > 1 and not share_units(estimates)
        self.best = [float(row.estimate.effect("cumulative")["estimate"]) for row in rows]
        paid = None if cost is None else cost["people"]
        self.people = paid or people
        self.scale = [self._from_analysed(row, people) for row in rows]
        """Of each outcome, from those it was analysed in to those whom the cost is for."""

    def _from_analysed(self, row: _Row, people: float | None) -> float:
        counts = row.estimate.counts
        analysed = counts.get("matched_pilot") or counts.get("analysed") or people
        return self.people / analysed if people and analysed and self.people else 1.0

    def column(self, name: str) -> _Amount | None:
        """One kind of pounds over the whole pilot; None where no outcome declares it."""
        kind = KINDS[name]
        total: _Amount | None = None
        for k, row in enumerate(self.rows):
            if name not in row.each:
                continue
            times = row.toward * row.each[name] * self.scale[k]
            part = _Amount(kind(self.best[k] * times), self.drawn[:, k] * times)
            total = part if total is None else total + part
        return total

    def valuation(self) -> Valuation:
        totals = {name: total for name in KINDS if (total := self.column(name)) is not None}
        counted = self.rule.value_counted
        deciding = totals.get(counted)
        price = None if self.cost is None else self.cost["per_person"]
        extra: dict[str, Any] = {}
        if deciding is not None and price is not None and self.people:
            extra = self._against(deciding, price)
        return Valuation(
            counted=counted,
            columns={name: self._shown(name, total) for name, total in totals.items()},
            outcomes=[self._outcome(k) for k in range(len(self.rows))],
            cost=self.cost,
            cost_per_event=self._per_event(),
            break_even=None if price is None else self._break_even(price, deciding),
            sources=list(dict.fromkeys(s for row in self.rows for s in self._sources(row))),
            notes=self._notes(),
            **extra,
        )

    def _against(self, deciding: _Amount, price: float) -> dict[str, Any]:
        """The column that decides, against the price."""
        assert self.cost is not None and self.people
        each = deciding * (1 / self.people)
        total = self.cost["total"]
        low, high = deciding.interval()
        chance = self.rule.mainstream_if.chance_worth_its_cost
        sd = (high - low) / (2 * CRITICAL) / self.people
        if (each.chance_above(price) > CERTAIN) != (low > total):
            raise EstimationError("the chance that the value exceeds the cost contradicts the likely range")
        gain = None
        if sd > 0:
            spread = sd / math.sqrt(2)
            gain = self.people * spread * normal_loss(abs(each.best - price) / spread)
        middles = (np.arange(DOTS) + 0.5) / DOTS
        found: dict[str, Any] = {
            "net": {"value": deciding.best - total, "low": low - total, "high": high - total},
            "draws": [float(v) - total for v in np.quantile(deciding.draws, middles, method=QUANTILES)],
            "price_at_rule": each.at_chance(chance),
            "sd": sd,
            "evsi": gain,
        }
        if total > 0:
            found["per_pound"] = {"value": deciding.best / total, "low": low / total, "high": high / total}
        return found

    def _shown(self, name: str, total: _Amount) -> dict[str, Any]:
        low, high = total.interval()
        cost = None if self.cost is None else self.cost["total"]
        n = self.people or math.nan
        shown: dict[str, Any] = {
            "value": total.best,
            "low": low,
            "high": high,
            "chance": None if cost is None else total.chance_above(cost),
            "per_person": total.best / n,
            "per_person_low": low / n,
            "per_person_high": high / n,
            "note": words.NO_CASH if name == "cash" and not total.draws.any() else None,
            "units": None,
            "unit": None,
            "unit_price": None,
        }
        kinds = {row.capacity for row in self.rows if row.capacity is not None}
        if name == "capacity" and len(kinds) == 1:
            one = next(iter(kinds))
            shown |= {"units": total.best / one.pounds, "unit": one.unit, "unit_price": one.pounds}
            shown |= {"units_low": low / one.pounds, "units_high": high / one.pounds}
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in shown.items()}

    def _outcome(self, k: int) -> dict[str, Any]:
        row = self.rows[k]
        effect = row.estimate.effect("cumulative")
        low, high = (float(effect[name]) * self.scale[k] for name in ("conf_low", "conf_high"))
        change = self.best[k] * self.scale[k]
        return {
            "label": row.outcome.label,
            "column": row.outcome.column,
            "kind": row.outcome.kind,
            "change": change,
            "low": low,
            "high": high,
            **{
                name: None if name not in row.each else row.toward * row.each[name] * change for name in KINDS
            },
            "unit_cost": row.each.get("economic"),
            "item": None if row.economic is None else row.economic.label,
            "source": None if row.economic is None else row.economic.source,
        }

    def _per_event(self) -> dict[str, Any] | None:
        """The cost of each event of the main outcome avoided, by Fieller's interval where it is defined."""
        main = next((k for k, row in enumerate(self.rows) if row.outcome.primary), None)
        if main is None or self.cost is None or self.claim is None or self.rows[main].outcome.kind != "count":
            return None
        if self.rows[main].outcome.better == "higher":
            return None
        effect = self.rows[main].estimate.effect("cumulative")
        avoided, low, high = (
            -float(effect[name]) * self.scale[main] for name in ("estimate", "conf_high", "conf_low")
        )
        total = self.cost["total"]
        event = words.one_of(self.rows[main].outcome.label)
        text = words.cost_per_event(total, avoided, low, high, self.claim, event)
        half = (high - low) / 2 / CRITICAL
        limits = fieller(total, avoided, var_denominator=half**2) if low > 0 else None
        if limits is not None and abs((high + low) / 2 - avoided) > 1e-9 * avoided:
            limits = (total / high, total / low)  # a range that leans to one side: its own limits
        shown = {} if limits is None else {"value": total / avoided, "low": limits[0], "high": limits[1]}
        return {"defined": limits is not None, "text": text, "event": event, **shown}

    def _break_even(self, price: float, deciding: _Amount | None) -> dict[str, Any] | None:
        """How many events of the main outcome, per 100 people, would repay the price."""
        row = next((row for row in self.rows if row.outcome.primary), None)
        if row is None:
            return None
        told = row.outcome.value or Value()
        event = words.one_of(row.outcome.label)
        lines = []
        if row.economic is not None:
            lines.append((f"Full average cost of each {event}", row.economic.pounds))
            if told.marginal is not None:
                share = f"{100 * told.marginal:.0f}%"
                lines.append(
                    (
                        f"The {share} of it that is really freed in the short run",
                        told.marginal * row.economic.pounds,
                    )
                )
        if row.capacity is not None and row.units:
            plural = "" if row.units == 1 else "s"
            what = f"{row.units:g} {row.capacity.unit}{plural}"
            lines.append((f"Freed with each {event}: {what}", row.each["capacity"]))
        if row.each["cash"]:
            lines.append((f"Cash released with each {event}", row.each["cash"]))
        rows = [
            {"label": label, "per_event": each, "events_per_100": 100 * price / each}
            for label, each in lines
            if each > 0
        ]
        found = {"price": price, "base": self.found.get("base"), "rows": rows, "effect": None}
        if deciding is not None and self.people and deciding.best > 0 and self.found.get("est"):
            each_person = deciding.best / self.people
            found["worth"] = each_person
            found["effect"] = words.switching_effect(self.found["est"], price, each_person)
        return found

    def _sources(self, row: _Row) -> list[str]:
        parts = [part for part in (row.economic, row.capacity) if part is not None]
        return [f"{part.source}." for part in parts]

    def _notes(self) -> list[str]:
        notes = [words.ADDED]
        if self.cost is not None:
            notes.append(f"In {self.cost['price_year']} prices.")
        if self.assumed:
            notes.append("Outcomes are taken to move in step, which gives the widest range.")
        elif len(self.rows) > 1:
            notes.append(words.RANGES)
        if any(abs(times - 1) > 1e-9 for times in self.scale):
            notes.append(
                "Those whom the cost is for and who could not be analysed are taken to have gained as much "
                "as the others."
            )
        return notes


def _round(people: float) -> float:
    """People who stand in a price that nobody declared: to the nearest 5, as a count of people is shown."""
    return max(5.0, 5.0 * math.floor(people / 5 + 0.5))


def _spent(cost: Cost | None, people: float | None) -> dict[str, Any] | None:
    """What the pilot cost; None where the number of people is not known."""
    if cost is None:
        return None
    n = cost.people or (None if people is None else _round(people))
    if cost.per_person and not n:
        return None
    total = cost.fixed + cost.per_person * (n or 0)
    return {
        "total": total,
        "fixed": cost.fixed,
        "per_person": total / n if n else None,
        "people": n,
        "price_year": cost.price_year,
    }
