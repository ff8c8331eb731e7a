"""Pounds of one kind with draws of how far chance could move them: their range, and the chance of more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from ucimpact.economics.money import Pounds

Array = np.ndarray
QUANTILES: Literal["hazen"] = "hazen"
"""Draws stand at the middle of equal shares of chance, so their quantiles are those of the interval."""
CRITICAL = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Amount:
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
