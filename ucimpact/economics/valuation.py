r"""What an effect is worth, in three columns that are never mixed.

With :math:`\Delta_j` the change in the number of events of outcome :math:`j` over the pilot (negative =
fewer), :math:`u_{cj}` what one event is worth in column :math:`c`, and :math:`n` the people behind it,

.. math:: V_c = -\frac{1}{n} \sum_j u_{cj} \Delta_j

is the value per person in that column, set against the price :math:`P` = cost / people. Draws of
:math:`\Delta` are joint (:func:`ucimpact.estimate.joint_draws`), so the chance :math:`p = P(V > P)` and the
printed range agree: above 97.5% if and only if the range of the net lies above 0. From the same draws comes
what a second year of the same size would be worth to the :math:`N` people of the year after: with
:math:`M` the draws of :math:`V` drawn in to :math:`1/\sqrt 2` of their spread, as the mean of two years is,

.. math:: EVSI = N \{ E \max(0, M - P) - \max(0, E M - P) \}

which is :math:`N s L(|V - P| / s)`, with :math:`s = sd(V) / \sqrt 2` and :math:`L` the unit normal loss,
where :math:`V` is normal, and never more than knowing the truth (:mod:`ucimpact.economics.second_year`).
Best estimates are the printed effects times the unit costs, so that a reader can check each by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ucimpact import serialise, words
from ucimpact.economics.beside import beside
from ucimpact.economics.prices import PRICES, Counted, Priced, Row, year_and_factor
from ucimpact.economics.spent import spent
from ucimpact.economics.work import Work
from ucimpact.errors import ImpactError
from ucimpact.study import DecisionRule, Mix, Study
from ucimpact.study.lines import line_numbers, line_of

__all__ = ["PRICES", "Counted", "Valuation", "spent", "value", "value_problems"]


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
    evsi_pays : list of float or None
        Lowest and highest price of one person at which a second year is worth what it costs; empty where it
        is at none, None where no cost of it is given.
    not_worked_out : str or None
        Why there is no value, in a sentence.
    short_run, attribution, haircut, inputs, curve, evpi, known, budget, payers, qaly
        What stands beside the value and changes none of it; see :mod:`ucimpact.economics.beside` and the
        modules that it names.
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
    evsi_pays: list[float] | None = None
    sources: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_worked_out: str | None = None
    short_run: dict[str, Any] | None = None
    attribution: dict[str, Any] | None = None
    haircut: dict[str, Any] | None = None
    inputs: list[dict[str, Any]] = field(default_factory=list)
    curve: dict[str, Any] | None = None
    evpi: float | None = None
    known: list[dict[str, Any]] = field(default_factory=list)
    budget: dict[str, Any] | None = None
    payers: dict[str, Any] | None = None
    qaly: dict[str, Any] | None = None

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
    year, _ = year_and_factor(study)
    costs = [o.label for o in study.outcomes if o.kind == "cost" and o.value and o.value.economic]
    events = [o.label for o in study.outcomes if o.kind != "cost" and o.value and o.value.economic]
    if costs and events:
        found.append(
            f"{words.joint(costs)} and {words.joint(events)}: a cost and the events that cost it would count "
            "the same thing twice. Give an economic value to one of them"
        )
    lines = line_numbers(study.text)
    for k, outcome in enumerate(study.outcomes):
        at = f"line {line_of(('outcome', k, 'value'), lines)}, " if study.text else ""
        for key in ("capacity", "economic"):
            what = getattr(outcome.value, key, None)
            if isinstance(what, str | Mix):
                try:
                    Priced.of(what, year)
                except ImpactError as error:
                    found.append(f"{at}{outcome.label}, value, {key}: {error}")
        told = outcome.value
        if told is not None and (told.capacity is None) != (told.capacity_per_event is None):
            found.append(
                f"{at}{outcome.label}, value: capacity names what is freed and capacity_per_event how much "
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
    year, factor = year_and_factor(study)
    cost = spent(study.cost, people)
    declared = any(outcome.value is not None for outcome in study.outcomes)
    if not declared and study.cost is None:
        return None
    rows = [Row.of(entry, year, factor) for entry in counted if entry.outcome.value is not None]
    why = refused or (None if rows else "no outcome that could be estimated declares what one event is worth")
    if declared and why is None:
        work = Work(rows, cost, rule, study, claim, found, people)
        totals = work.totals()
        return Valuation(**work.numbers(totals), **beside(work, totals))
    return Valuation(
        counted=rule.value_counted, cost=cost, not_worked_out=why if declared else None, break_even=None
    )
