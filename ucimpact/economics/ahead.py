r"""The years ahead: what the service would cost and be worth, year by year, if it goes on.

With :math:`n_y` people in year :math:`y`, the price :math:`p` of one once running (or :math:`F + p n_y`), the
value :math:`V` per person and the share :math:`k_y` of it that is kept at that scale, and :math:`r` the
discount rate,

.. math:: C = \sum_y \frac{p \, n_y}{(1 + r)^{y - 1}}, \qquad
   W = V \sum_y \frac{k_y n_y}{(1 + r)^{y - 1}}

Where the pilot was for residents over :math:`m` months, :math:`p` and :math:`V` are :math:`12/m` of theirs
over the pilot. The first year counts in full. Value and cost are in the prices of the study; with inflation
:math:`i` the cost of year :math:`y` in its own pounds is :math:`(1 + i)^{y - 1}` times as much, and is not
discounted. The same draws of :math:`V` stand behind every year, so ranges grow in proportion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact.economics.amounts import Amount
from ucimpact.study import Budget, Cost


def discount_factors(years: int, rate: float) -> list[float]:
    """What a pound of each year counts, the first in full."""
    return [(1 + rate) ** -y for y in range(years)]


def people_by_year(budget: Budget, eligible: float | None) -> list[float]:
    """People a year: as declared, or the uptake among those eligible."""
    if budget.people:
        return [float(n) for n in budget.people]
    return [share * float(budget.eligible or eligible or 0.0) for share in budget.uptake]


def span_of(budget: Budget) -> float:
    """How much of one person's price and value over the pilot falls into a year."""
    return 1.0 if budget.months is None else 12.0 / budget.months


def costs_by_year(
    budget: Budget, cost: Cost, spent: Mapping[str, Any], people: Sequence[float]
) -> list[float]:
    """What each year costs, in the prices of the study."""
    span = span_of(budget)
    if budget.fixed is not None:
        costs = [budget.fixed + cost.per_person * span * n for n in people]
    else:
        parts = spent.get("parts") or {}
        price = parts.get("price_running") or spent["per_person"]
        costs = [price * span * n for n in people]
    costs[0] += budget.set_up or 0.0
    return costs


def ahead(
    budget: Budget,
    cost: Cost,
    spent: Mapping[str, Any],
    totals: Mapping[str, Amount],
    counted: str,
    people: float,
    eligible: float | None,
) -> dict[str, Any]:
    """The years as rows, and their total.

    Parameters
    ----------
    spent : mapping
        What the pilot cost, with a price per person.
    totals : mapping
        Each column over the whole pilot.
    counted : str
        The column that decides.
    people : float
        People behind those totals.
    """
    numbers = people_by_year(budget, eligible)
    factors = discount_factors(budget.years, budget.discount)
    kept = list(budget.effect) or [1.0] * budget.years
    costs = costs_by_year(budget, cost, spent, numbers)
    inflation = budget.inflation
    each = {name: total * (span_of(budget) / people) for name, total in totals.items()}
    rows: list[dict[str, Any]] = [
        {
            "year": y + 1,
            "people": numbers[y],
            "kept": kept[y],
            "factor": factors[y],
            "cost": costs[y],
            "cost_discounted": costs[y] * factors[y],
            "cost_in_its_pounds": None if inflation is None else costs[y] * (1 + inflation) ** y,
            "columns": {name: _worth(amount, kept[y] * numbers[y]) for name, amount in each.items()},
        }
        for y in range(budget.years)
    ]
    reach = float(np.dot(numbers, kept))
    discounted = float(np.dot(np.multiply(numbers, kept), factors))
    total: dict[str, Any] = {
        "people": float(sum(numbers)),
        "cost": float(sum(costs)),
        "cost_discounted": float(np.dot(costs, factors)),
        "cost_in_its_pounds": None if inflation is None else sum(row["cost_in_its_pounds"] for row in rows),
        "columns": {name: _worth(amount, reach) for name, amount in each.items()},
        "columns_discounted": {name: _worth(amount, discounted) for name, amount in each.items()},
    }
    chance = None
    if counted in each and discounted > 0:
        chance = each[counted].chance_above(total["cost_discounted"] / discounted)
    return {
        "years": budget.years,
        "discount": budget.discount,
        "inflation": inflation,
        "fixed": budget.fixed,
        "set_up": budget.set_up,
        "months": budget.months,
        "scaled": bool(budget.effect),
        "rows": rows,
        "total": total,
        "chance": chance,
    }


def _worth(each: Amount, times: float) -> dict[str, float]:
    """A value per person for so many people."""
    low, high = each.interval()
    return {"value": each.best * times, "low": low * times, "high": high * times}
