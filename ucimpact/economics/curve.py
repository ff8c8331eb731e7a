"""The chance that a value exceeds a price, over a range of prices: a curve of acceptability without QALYs.

The same draws give the printed range and the printed chance, so the curve passes through that chance at
today's price, and through 97.5% and 2.5% at the limits of the value per person.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ucimpact.economics.amounts import QUANTILES, Amount

STEPS = 20
"""About so many prices."""
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


def curve(
    deciding: Amount, short_run: Amount | None, people: float, price: float, rule: float
) -> dict[str, Any]:
    """Prices with the chance at each, that at today's, and the chance that the rule asks for.

    ``chance`` is of the column that decides; ``short_run``, where a study says what is really freed, of that.
    """
    each = deciding.draws / people
    top = max(1.5 * price, float(np.quantile(each, 0.975, method=QUANTILES)), 1.0)
    step = _round_step(top / STEPS)
    prices = [step * k for k in range(math.ceil(top / step) + 1)]
    found: dict[str, Any] = {
        "prices": prices,
        "chance": [float((each > at).mean()) for at in prices],
        "short_run": None,
        "price": price,
        "at_price": float((each > price).mean()),
        "rule": rule,
    }
    if short_run is not None:
        freed = short_run.draws / people
        found["short_run"] = [float((freed > at).mean()) for at in prices]
    return found


def _round_step(size: float) -> float:
    power = 10.0 ** math.floor(math.log10(size))
    return next(power * step for step in ROUND if power * step >= size * (1 - 1e-9))
