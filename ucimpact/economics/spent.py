"""What the pilot cost: the price that decides, and what stands beside it, shown apart.

With :math:`F` pounds of running cost whatever the number of people, :math:`p` for each of :math:`n`,
:math:`O` spent once (setting up, and running below full numbers), and :math:`H` hours of volunteers at
:math:`w`,

.. math:: price = (F + p n + O) / n, \\qquad once running = (F + p n) / n, \\qquad
   with volunteers = (F + p n + O + H w) / n

The first decides: it was spent. A service that goes on costs the second. Nobody pays the volunteers.
"""

from __future__ import annotations

import math
from typing import Any

from ucimpact.study import Cost


def spent(cost: Cost | None, people: float | None) -> dict[str, Any] | None:
    """What the pilot cost; None where nothing is declared, without a price where nobody knows for how many.

    ``parts`` is there where something was spent once or volunteers gave their time.
    """
    if cost is None:
        return None
    n = cost.people or (None if people is None else _round(people))
    if cost.per_person and not n:
        return None
    running = cost.fixed + cost.per_person * (n or 0)
    total = running + cost.once
    found: dict[str, Any] = {
        "total": total,
        "fixed": cost.fixed,
        "per_person": total / n if n else None,
        "people": n,
        "price_year": cost.price_year,
    }
    if cost.once or cost.volunteers:
        found["parts"] = {
            "running": running,
            "set_up": cost.set_up,
            "ramp": cost.ramp,
            "volunteers": cost.volunteers or None,
            "price_running": running / n if n and cost.once else None,
            "price_with_volunteers": (total + cost.volunteers) / n if n and cost.volunteers else None,
        }
    return found


def _round(people: float) -> float:
    """People who stand in a price that nobody declared: to the nearest 5, as a count of people is shown."""
    return max(5.0, 5.0 * math.floor(people / 5 + 0.5))
