"""The steps of one valuation: draws of the changes, the columns they are worth, and what stands beside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.economics.amounts import CRITICAL, QUANTILES, Amount
from ucimpact.economics.events import break_even, per_event
from ucimpact.economics.money import KINDS
from ucimpact.economics.prices import Row
from ucimpact.errors import EstimationError
from ucimpact.estimate import DRAWS, joint_draws, share_units
from ucimpact.study import DecisionRule, Study
from ucimpact.words.decision import normal_loss

CERTAIN = 0.975
"""The chance above which the whole 95% range of the net lies above 0."""
DOTS = 20


class Work:
    """The steps of one valuation."""

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
        self.drawn = joint_draws(estimates, DRAWS, study.release.seed, signs=signs)
        self.assumed = len(rows) > 1 and not share_units(estimates)
        self.best = [float(row.estimate.effect("cumulative")["estimate"]) for row in rows]
        paid = None if cost is None else cost["people"]
        self.people = paid or people
        self.scale = [self._from_analysed(row, people) for row in rows]
        """Of each outcome, from those it was analysed in to those whom the cost is for."""

    def _from_analysed(self, row: Row, people: float | None) -> float:
        counts = row.estimate.counts
        analysed = counts.get("matched_pilot") or counts.get("analysed") or people
        return self.people / analysed if people and analysed and self.people else 1.0

    def column(self, name: str) -> Amount | None:
        """One kind of pounds over the whole pilot; None where no outcome declares it."""
        kind = KINDS[name]
        total: Amount | None = None
        for k, row in enumerate(self.rows):
            if name not in row.each:
                continue
            times = row.toward * row.each[name] * self.scale[k]
            part = Amount(kind(self.best[k] * times), self.drawn[:, k] * times)
            total = part if total is None else total + part
        return total

    def numbers(self) -> dict[str, Any]:
        """What a valuation holds."""
        totals = {name: total for name in KINDS if (total := self.column(name)) is not None}
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
        """The cost of each event of the main outcome avoided."""
        main = next((k for k, row in enumerate(self.rows) if row.outcome.primary), None)
        if main is None or self.cost is None or self.claim is None:
            return None
        return per_event(self.rows[main], self.scale[main], self.cost["total"], self.claim)

    def _break_even(self, price: float, deciding: Amount | None) -> dict[str, Any] | None:
        """How many events of the main outcome, per 100 people, would repay the price."""
        row = next((row for row in self.rows if row.outcome.primary), None)
        if row is None:
            return None
        found = break_even(row, price) | {"base": self.found.get("base")}
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
