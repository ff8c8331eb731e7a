r"""Cost per quality-adjusted life year, only where a study brings the QALYs.

With :math:`q` the QALYs that one person gains, :math:`V` the value per person in the economic column and
:math:`P` the price, the extra cost is :math:`P - V` and

.. math:: ICER = \frac{P - V}{q}, \qquad NMB(k) = k q - (P - V)

at :math:`k` pounds a QALY. Draws of :math:`q` have the limits that the study gives, stretched on either side
of its best estimate as those of an effect are, and are independent of the draws of :math:`V`. Fieller's
theorem bounds the ratio, which is not defined where the range of :math:`q` includes no gain.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from ucimpact.economics import uncertainty
from ucimpact.economics.amounts import CRITICAL, QUANTILES, Amount, Array
from ucimpact.economics.ratios import fieller
from ucimpact.study import Qaly

TABLE = Path(__file__).with_name("thresholds.toml")
STREAM = 4


@cache
def thresholds() -> tuple[dict[str, Any], ...]:
    """What a QALY is held to be worth, lowest first, each with its source."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["threshold"]
    return tuple(sorted(rows, key=lambda row: row["pounds"]))


def draws_of_gain(qaly: Qaly, n: int, seed: int) -> Array:
    """Draws of the gain per person, shape (n,), with the limits as their 2.5% and 97.5% points."""
    unit = ndtri((np.random.default_rng((seed, STREAM)).permutation(n) + 0.5) / n) / CRITICAL
    return np.asarray(
        qaly.per_person + unit * np.where(unit > 0, qaly.high - qaly.per_person, qaly.per_person - qaly.low)
    )


def health(qaly: Qaly, economic: Amount, people: float, price: float, seed: int) -> dict[str, Any]:
    """The ratio with its limits, and the net benefit at each threshold.

    ``ratio`` is None where it is not defined or means nothing; ``side`` says why: ``"no range"``,
    ``"dominates"`` (gains health and costs less), ``"dominated"`` (gains none), else ``"ratio"``.
    """
    each = economic.draws / people
    gained = draws_of_gain(qaly, len(each), seed)
    best_cost = price - economic.best / people
    effects = np.column_stack([np.zeros_like(gained), gained])
    costs = np.column_stack([np.zeros_like(each), price - each])
    worths = np.array([float(row["pounds"]) for row in thresholds()])
    chances = uncertainty.acceptability(effects, costs, worths, 1)[:, 0]
    known = uncertainty.perfect_information(effects, costs, worths)
    rows = []
    for row, k, chance, evpi in zip(thresholds(), worths, chances, known, strict=True):
        low, high = np.quantile(k * gained - (price - each), [0.025, 0.975], method=QUANTILES)
        rows.append(
            {
                **row,
                "value": k * qaly.per_person - best_cost,
                "low": float(low),
                "high": float(high),
                "chance": float(chance),
                "evpi": people * float(evpi),
            }
        )
    side, ratio = _ratio(qaly, best_cost, float(each.std()))
    return {
        "per_person": qaly.per_person,
        "low": qaly.low,
        "high": qaly.high,
        "source": qaly.source,
        "extra_cost": best_cost,
        "side": side,
        "ratio": ratio,
        "rows": rows,
    }


def _ratio(qaly: Qaly, extra: float, spread: float) -> tuple[str, dict[str, float] | None]:
    if qaly.per_person <= 0:
        return "dominated", None
    if qaly.low <= 0:
        return "no range", None
    if extra <= 0:
        return "dominates", None
    half = (qaly.high - qaly.low) / 2 / CRITICAL
    limits = fieller(extra, qaly.per_person, var_numerator=spread**2, var_denominator=half**2)
    if limits is None:
        return "no range", None
    return "ratio", {"value": extra / qaly.per_person, "low": limits[0], "high": limits[1]}
