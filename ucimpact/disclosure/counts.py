"""A count as it may be shown: hidden from 1 to 7, else rounded to the nearest 5; and numbers coarse enough.

Everything that hides or rounds asks these few functions.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

HIDDEN = (1, 7)
ROUND_TO = 5
FIGURES = 3
COUNTED = re.compile(
    r"(?<![\d.,£])(\d{1,3}(?:,\d{3})+|\d+)(?! (?:day|week|month|year|night|hour)s?\b)"
    r"(?= (?:of \d|of the \d|\w+ ){0,3}"
    r"(?:people|persons|patients|them|those|pilot|comparison|sets|pairs|clusters|rows|events|deaths|discharges|"
    r"starts|had|were|have|others|times)\b)"
)
"""A number of people in a sentence; days and months are no people."""
REASON = re.compile(r"([(;] ?)(\d{1,3}(?:,\d{3})*|\d+):")
"""A number of people before its reason: "(12: nobody else was alike; 3: ...)"."""
GIVE_BACK = (
    *("residuals", "placebo", "placebo_dates", "placebo_rank", "reference", "rho", "coefficients"),
    *("observed", "cells", "loadings", "bacon", "leave_one_out", "sites"),
)
"""Extras from which a hidden count could be worked out again."""


@dataclass
class Log:
    """What was hidden and rounded, by place in the document; never the value itself."""

    hidden: list[str] = field(default_factory=list)
    rounded: int = 0

    def count(self, value: float | None, where: str) -> float | None:
        """The count as it may be shown: None where hidden."""
        if value is None or not math.isfinite(value):
            return None
        size = abs(value)
        if HIDDEN[0] <= round(size) <= HIDDEN[1]:
            self.hidden.append(where)
            return None
        self.rounded += 1
        return math.copysign(ROUND_TO * math.floor(size / ROUND_TO + 0.5), value) if size else 0.0


def nearest(value: float) -> float:
    """A modelled number of events to the nearest 5: it is no count of anybody, so none is hidden."""
    if value is None or not math.isfinite(value):
        return float("nan")
    return math.copysign(ROUND_TO * math.floor(abs(value) / ROUND_TO + 0.5), value) + 0.0


def coarse(value: float) -> float:
    """A number to three figures."""
    return float(f"{value:.{FIGURES}g}") if value is not None and math.isfinite(value) else value


def coarsely(value: Any) -> Any:
    """Every broken number inside, to three figures; whole ones and those without an end stay."""
    if isinstance(value, dict):
        return {name: coarsely(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [coarsely(entry) for entry in value]
    return coarse(value) if isinstance(value, float) and not value.is_integer() else value


def rounded_in(text: str) -> str:
    """A sentence with each number of people rounded as a count is, and a small one not said."""
    text = REASON.sub(lambda found: f"{found[1]}{told(int(found[2].replace(',', '')))}:", text)

    return COUNTED.sub(lambda found: told(int(found[1].replace(",", ""))), text)


def told(n: int) -> str:
    """A number of people in words."""
    if not n:
        return "0"
    return "a few" if n <= HIDDEN[1] else f"about {int(nearest(n)):,}"


def few(share: float | None, n: float | None) -> bool:
    """Whether a share of so many people is of a handful, or of all but a handful."""
    if share is None or not n:
        return False
    return any(HIDDEN[0] <= round(part * n) <= HIDDEN[1] for part in (share, 1 - share))
