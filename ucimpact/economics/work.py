"""The steps of one valuation: draws of the changes, the columns they are worth, and what stands beside.

Where unit costs of a mix, or the share of the change that is the pilot's, are uncertain, each draw of the
changes is multiplied by a draw of them, independent of it: the chance and the range of a value hold their
doubt too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.economics.amounts import CRITICAL, QUANTILES, Amount, Array
from ucimpact.economics.events import break_even, per_event
from ucimpact.economics.money import KINDS
from ucimpact.economics.prices import Row
from ucimpact.economics.second_year import SecondYear
from ucimpact.economics.shares import draws_of
from ucimpact.economics.unit_costs import unit_costs
from ucimpact.errors import EstimationError
from ucimpact.estimate import DRAWS, joint_draws, share_units
from ucimpact.study import DecisionRule, Share, Study
from ucimpact.words import value as said

CERTAIN = 0.975
"""The chance above which the whole 95% range of the net lies above 0."""
DOTS = 20
OWN, MIXED, FREED = 1, 2, 3
"""Streams of draws, each in an order of its own."""


class Work:
    """The steps of one valuation.

    Attributes
    ----------
    rows : list of Row
    drawn, best : array (n, k), list
        Draws and best estimates of the changes.
    scale : list
        Of each outcome, from those it was analysed in to those whom the cost is for.
    own : Share
        Of the change, what is the pilot's.
    people : float or None
        Whom the value is spread over.
    """

    def __init__(
        self,
        rows: list[Row],
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
        seed = study.release.seed
        self.drawn = joint_draws(estimates, DRAWS, seed, signs=signs)
        self.assumed = len(rows) > 1 and not share_units(estimates)
        self.best = [float(row.estimate.effect("cumulative")["estimate"]) for row in rows]
        paid = None if cost is None else cost["people"]
        self.people = paid or people
        self.scale = [self._from_analysed(row, people) for row in rows]
        self.own = Share(share=1.0) if study.attribution is None else study.attribution.told
        self.own_draws = draws_of(self.own, DRAWS, (seed, OWN))
        self.mixed = {k: self._mixed(row, (seed, MIXED, k)) for k, row in enumerate(rows)}
        self.freed = {
            k: draws_of(row.marginal, DRAWS, (seed, FREED, k))
            for k, row in enumerate(rows)
            if row.marginal is not None
        }

    def _from_analysed(self, row: Row, people: float | None) -> float:
        counts = row.estimate.counts
        analysed = counts.get("matched_pilot") or counts.get("analysed") or people
        return self.people / analysed if people and analysed and self.people else 1.0

    def _mixed(self, row: Row, stream: tuple[int, ...]) -> Array | None:
        """Draws of the worth of one event over its best guess; None where it is certain."""
        kind = None if row.economic is None else row.economic.uncertain
        if row.economic is None or kind is None or not row.economic.pounds:
            return None
        return np.asarray(row.economic.at(draws_of(kind.share, DRAWS, stream))) / row.economic.pounds

    # -- columns -------------------------------------------------------------------------

    def column(self, name: str, *, only_effects: bool = False, short_run: bool = False) -> Amount | None:
        """One kind of pounds over the whole pilot; None where no outcome declares it.

        Parameters
        ----------
        name : {"cash", "capacity", "economic"}
        only_effects : bool
            Shares and unit costs at their best guesses in every draw.
        short_run : bool
            Of the full cost, only what is really freed in the short run.
        """
        kind = KINDS[name]
        total: Amount | None = None
        for k, row in enumerate(self.rows):
            if name not in row.each:
                continue
            times = row.toward * row.each[name] * self.scale[k]
            drawn, best = self.drawn[:, k], self.best[k] * times
            if name == "economic" and not only_effects:
                drawn = drawn if self.mixed[k] is None else drawn * self.mixed[k]
            if short_run and row.marginal is not None:
                best, drawn = best * row.marginal.best, drawn * self.freed[k]
            part = Amount(kind(best), drawn * times)
            total = part if total is None else total + part
        if total is None or (not self.own.ranged and self.own.best == 1):
            return total
        own = self.own.best if only_effects else self.own_draws
        return Amount(total.pounds * self.own.best, total.draws * own)

    def best_value(
        self,
        name: str,
        *,
        changes: Sequence[float] | None = None,
        each: Sequence[float] | None = None,
        own: float | None = None,
    ) -> float:
        """The best estimate of a column with some of its inputs at other values."""
        changes = self.best if changes is None else changes
        each = [row.each.get(name, 0.0) for row in self.rows] if each is None else each
        parts = [
            row.toward * pounds * times * change
            for row, pounds, times, change in zip(self.rows, each, self.scale, changes, strict=True)
        ]
        return (self.own.best if own is None else own) * sum(parts)

    def totals(self) -> dict[str, Amount]:
        """Every column that an outcome declares, over the whole pilot."""
        return {name: total for name in KINDS if (total := self.column(name)) is not None}

    def numbers(self, totals: Mapping[str, Amount]) -> dict[str, Any]:
        """What a valuation holds of them."""
        counted = self.rule.value_counted
        deciding = totals.get(counted)
        price = None if self.cost is None else self.cost["per_person"]
        extra: dict[str, Any] = {}
        if deciding is not None and price is not None and self.people:
            extra = self._against(deciding, price)
        return {
            "counted": counted,
            "columns": {name: self._shown(name, total) for name, total in totals.items()},
            "outcomes": [self._outcome(k) for k in range(len(self.rows))],
            "cost": self.cost,
            "cost_per_event": self._per_event(),
            "break_even": None if price is None else self._break_even(price, deciding),
            "sources": list(dict.fromkeys(s for row in self.rows for s in self._sources(row))),
            "notes": self._notes(),
            **extra,
        }

    def _against(self, deciding: Amount, price: float) -> dict[str, Any]:
        """The column that decides, against the price."""
        assert self.cost is not None and self.people
        each = deciding * (1 / self.people)
        total = self.cost["total"]
        low, high = deciding.interval()
        chance = self.rule.mainstream_if.chance_worth_its_cost
        sd = (high - low) / (2 * CRITICAL) / self.people
        if (each.chance_above(price) > CERTAIN) != (low > total):
            raise EstimationError("the chance that the value exceeds the cost contradicts the likely range")
        second, another = self._second_year(deciding), self.rule.another_year_costs
        middles = (np.arange(DOTS) + 0.5) / DOTS
        found: dict[str, Any] = {
            "net": {"value": deciding.best - total, "low": low - total, "high": high - total},
            "draws": [float(v) - total for v in np.quantile(deciding.draws, middles, method=QUANTILES)],
            "price_at_rule": each.at_chance(chance),
            "sd": sd,
            "evsi": second.worth(price),
            "evsi_pays": None if another is None else list(second.pays(another, price)),
        }
        if total > 0:
            found["per_pound"] = {"value": deciding.best / total, "low": low / total, "high": high / total}
        return found

    def _second_year(self, deciding: Amount) -> SecondYear:
        """Per person; what a second year would narrow is the changes alone."""
        assert self.people
        certain = not self.own.ranged and all(draws is None for draws in self.mixed.values())
        alone = deciding if certain else self.column(self.rule.value_counted, only_effects=True)
        assert alone is not None
        draws = (deciding.draws / self.people, alone.draws / self.people)
        return SecondYear(value=draws[0], taught=draws[1], people=self.people)

    def _shown(self, name: str, total: Amount) -> dict[str, Any]:
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
        found = {
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
        if row.economic is not None:
            found |= _kinds(row) | self._usual(k, change * row.toward)
        return found

    def _usual(self, k: int, change: float) -> dict[str, Any]:
        """Where an event carries an average over kinds: what those avoided usually are, and what follows."""
        priced = self.rows[k].economic
        usual = unit_costs()[priced.item].usual if priced is not None and priced.item else ""
        if priced is None or not usual:
            return {}
        item, mean = unit_costs()[usual], unit_costs()[priced.item]
        pounds = priced.pounds * item.in_prices_of(mean.price_year) / mean.pounds
        each = [pounds if j == k else row.each.get("economic", 0.0) for j, row in enumerate(self.rows)]
        told = {"name": item.several, "pounds": pounds, "mean": priced.pounds, "value": change * pounds}
        return {"usual": told | {"whole": self.best_value("economic", each=each)}}

    def _per_event(self) -> dict[str, Any] | None:
        """The cost of each event of the main outcome avoided."""
        main = next((k for k, row in enumerate(self.rows) if row.outcome.primary), None)
        if main is None or self.cost is None or self.claim is None:
            return None
        limits = None
        if self.own.ranged:
            avoided = -self.drawn[:, main] * self.scale[main] * self.own_draws
            low, high = np.quantile(avoided, [1 - CERTAIN, CERTAIN], method=QUANTILES)
            limits = (float(low), float(high))
        return per_event(
            self.rows[main], self.scale[main], self.cost["total"], self.claim,
            own=self.own.best, own_limits=limits,
        )  # fmt: skip

    def _break_even(self, price: float, deciding: Amount | None) -> dict[str, Any] | None:
        """How many events of the main outcome, per 100 people, would repay the price."""
        row = next((row for row in self.rows if row.outcome.primary), None)
        if row is None:
            return None
        found = break_even(row, price, self.own.best) | {"base": self.found.get("base")}
        if deciding is not None and self.people and deciding.best > 0 and self.found.get("est"):
            each_person = deciding.best / self.people
            found["worth"] = each_person
            found["effect"] = words.switching_effect(self.found["est"], price, each_person)
        return found

    def _sources(self, row: Row) -> list[str]:
        parts = [part for part in (row.economic, row.capacity) if part is not None]
        return [f"{part.source}." for part in parts]

    def _notes(self) -> list[str]:
        notes = [words.ADDED]
        if self.cost is not None:
            notes.append(f"In {self.cost['price_year']} prices.")
        factor = None if self.study.cost is None else self.study.cost.area_cost_factor
        if factor not in (None, 1.0):
            notes.append(said.area(factor))
        notes += [told for row in self.rows if (told := _dearer_part(row))]
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


def _dearer_part(row: Row) -> str:
    """Where what an event frees is priced above all that it costs, a sentence that says so."""
    part, whole = row.each.get("capacity", 0.0), row.each.get("economic")
    if row.capacity is None or whole is None or part <= whole:
        return ""
    return said.dearer_part(words.one_of(row.outcome.label), row.capacity.unit, row.units, part, whole)


def _kinds(row: Row) -> dict[str, Any]:
    """The kinds that one event is of, where the study gives a mix."""
    priced = row.economic
    if priced is None or not priced.kinds:
        return {}
    kinds = [
        {"name": k.name, "share": k.share.best, "low": k.share.low, "high": k.share.high, "pounds": k.pounds}
        for k in priced.kinds
    ]
    found: dict[str, Any] = {"kinds": kinds}
    if (kind := priced.uncertain) is not None:
        assert kind.share.low is not None and kind.share.high is not None
        found["worth_low"], found["worth_high"] = (
            float(priced.at(share)) for share in (kind.share.low, kind.share.high)
        )
    return {"mix": found}
