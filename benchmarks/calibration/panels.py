r"""Pilots in panels: the processes that the difference-in-differences cells draw from.

Unit i, month t of 24, lists of :math:`M_i` people, :math:`e_{it}` AR(1) with 0.5 and variance 1,
:math:`t^* = (t - 12.5)/12` in years:

.. math::
   \text{Gaussian: } y_{it} = 20 + 2 a_i + c_t + \sqrt{6000/M_i}\, e_{it} + 0.5\, g_i t^* + \tau D_{it}

.. math::
   \text{counts: } \log \lambda_{it} = \log 0.008 + 0.15 a_i + s_t + 0.03 c_t + 0.10 e_{it} + 0.05\, g_i
   t^* + \log(1 + \delta) D_{it},

with counts of variance 1.3 times their mean :math:`M_i \lambda_{it}` (negative binomial), a winter
:math:`s_t` and :math:`a_i, g_i, c_t` standard normal. Where lists are unequal they are drawn from 2,000
to 20,000, evenly on the log scale, so the variance of a unit's change falls with its list.

The planted Gaussian effect is the one that a pooled t would find half the time with lists of equal size;
counts fall by a quarter. Truths hold the draw's own levels, drifts and shocks.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from ucimpact.data.panel import Panel

Array = np.ndarray
MONTHS, START, AR = 24, 13, 0.5
DRIFT, NOISE_AT = 0.5, 6000.0
RATE, LEVEL, LUCK, SHOCK, COUNT_DRIFT, DISPERSION, FALL = 0.008, 0.15, 0.03, 0.10, 0.05, 1.3, -0.25
SMALLEST_LIST, LARGEST_LIST = 2_000, 20_000
FIRST_STARTS = (9, 17)
"""First and last start of staggered pilots; the others lie evenly between."""

Lists = Literal["equal", "random", "smallest", "largest"]


@dataclass(frozen=True)
class Drawn:
    """One draw without an effect, and the same with one.

    Attributes
    ----------
    without : DataFrame
        ``unit, period, start, size`` and ``y`` or ``events``; ``start`` is 0 for a unit that never starts.
    planted : DataFrame or None
        The same luck with the effect; None where this draw is not used for power and coverage.
    truth : dict
        What was planted, by term.
    """

    without: pd.DataFrame
    planted: pd.DataFrame | None
    truth: dict[str, float]

    @cached_property
    def panels(self) -> tuple[Panel, Panel | None]:
        """For our methods, read once for all of them; counts come with a rate per 1,000."""
        return _panel(self.without), None if self.planted is None else _panel(self.planted)


def _panel(table: pd.DataFrame) -> Panel:
    panel = Panel(table, population="size")
    return panel.with_rate("events", per=1000.0, name="rate") if "events" in table else panel


@dataclass(frozen=True, kw_only=True)
class Pilots:
    """Some of many units with the pilot.

    Parameters
    ----------
    units, pilots : int
    lists : {"equal", "random", "smallest", "largest"}
        All of 6,000, or of 2,000 to 20,000 with the pilot in random units, the smallest or the largest.
    outcome : {"gaussian", "counts"}
    staggered : bool, default False
        Starts spread over months 9 to 17; else all in month 13.
    planted_every : int, default 1
        One draw in how many is used with an effect too.
    """

    units: int
    pilots: int
    lists: Lists = "equal"
    outcome: Literal["gaussian", "counts"] = "gaussian"
    staggered: bool = False
    planted_every: int = 1

    @property
    def name(self) -> str:
        """For the tables."""
        told = "equal lists" if self.lists == "equal" else f"unequal lists, pilot in {WHERE[self.lists]}"
        return f"{self.pilots} of {self.units}, {told}"

    @property
    def starts(self) -> Array:
        """First pilot month of each pilot."""
        if not self.staggered or self.pilots == 1:
            return np.full(self.pilots, START)
        return np.rint(np.linspace(*FIRST_STARTS, self.pilots)).astype(int)

    def draw(self, seed: int) -> Drawn:
        """The draw of a seed; every design has luck of its own."""
        design = zlib.crc32(f"{self.name}, {self.outcome}, {self.staggered}".encode())
        for_lists, for_places, for_luck = np.random.default_rng([design, seed]).spawn(3)
        size = np.full(self.units, NOISE_AT)
        if self.lists != "equal":
            ends = math.log(SMALLEST_LIST), math.log(LARGEST_LIST)
            size = np.rint(np.exp(for_lists.uniform(*ends, self.units)))
        order = {"smallest": np.argsort(size), "largest": np.argsort(-size)}
        chosen = order.get(self.lists, for_places.permutation(self.units))[: self.pilots]
        start = np.zeros(self.units, dtype=int)
        start[chosen] = for_places.permutation(self.starts)
        month = np.arange(1, MONTHS + 1)
        running = (start[:, None] > 0) & (month >= start[:, None])
        planted = seed % self.planted_every == 0
        made = self._counts if self.outcome == "counts" else self._gaussian
        outcomes, truth = made(for_luck, size, running, planted)
        table = pd.DataFrame(
            {
                "unit": np.repeat(np.arange(self.units), MONTHS),
                "period": np.tile(month, self.units),
                "start": np.repeat(start, MONTHS),
                "size": np.repeat(size, MONTHS),
                "running": running.reshape(-1).astype(float),
            }
        )
        column = "events" if self.outcome == "counts" else "y"
        without, *more = (table.assign(**{column: y.reshape(-1)}) for y in outcomes)
        return Drawn(without, more[0] if more else None, truth)

    def _gaussian(
        self, rng: np.random.Generator, size: Array, running: Array, planted: bool
    ) -> tuple[list[Array], dict[str, float]]:
        noise = np.sqrt(NOISE_AT / size)[:, None] * ar1(rng, self.units)
        y = 20 + 2 * rng.standard_normal(self.units)[:, None] + rng.standard_normal(MONTHS) + noise
        y = y + DRIFT * rng.standard_normal(self.units)[:, None] * years()
        effect = stated_effect(self.units, self.starts)
        return [y, y + effect * running] if planted else [y], {"att": effect}

    def _counts(
        self, rng: np.random.Generator, size: Array, running: Array, planted: bool
    ) -> tuple[list[Array], dict[str, float]]:
        log_rate = math.log(RATE) + LEVEL * rng.standard_normal(self.units)[:, None]
        log_rate = log_rate + 0.06 * np.cos(2 * np.pi * np.arange(MONTHS) / 12)
        log_rate = log_rate + LUCK * rng.standard_normal(MONTHS) + SHOCK * ar1(rng, self.units)
        log_rate = log_rate + COUNT_DRIFT * rng.standard_normal(self.units)[:, None] * years()
        rate = np.exp(log_rate)
        expected = size[:, None] * rate
        change = FALL * expected[running]
        truth = {
            "att": 1000 * FALL * float(rate[running].mean()),
            "events": float(change.mean()),
            "cumulative": float(change.sum()),
            "ratio": 1 + FALL,
        }
        means = [expected, expected * np.where(running, 1 + FALL, 1.0)] if planted else [expected]
        return [overdispersed(rng, mean) for mean in means], truth


WHERE = {"random": "random units", "smallest": "the smallest", "largest": "the largest"}


def ar1(rng: np.random.Generator, units: int) -> Array:
    """Stationary AR(1) paths of variance 1, shape (units, months)."""
    out = rng.standard_normal((units, MONTHS))
    out[:, 1:] *= math.sqrt(1 - AR**2)
    for t in range(1, MONTHS):
        out[:, t] += AR * out[:, t - 1]
    return out


def years() -> Array:
    """Time from the middle of the panel, in years."""
    return (np.arange(1, MONTHS + 1) - (MONTHS + 1) / 2) / 12


def overdispersed(rng: np.random.Generator, mean: Array) -> Array:
    """Counts whose variance is :data:`DISPERSION` times their mean."""
    return rng.poisson(rng.gamma(mean / (DISPERSION - 1), DISPERSION - 1))


def stated_effect(units: int, starts: Array) -> float:
    """The effect that a pooled t would find half the time, with lists of equal size: 1.96 of its errors."""
    month = np.arange(1, MONTHS + 1)
    after = month >= starts[:, None]
    weight = after / after.sum(axis=1, keepdims=True) - ~after / (~after).sum(axis=1, keepdims=True)
    noise = AR ** np.abs(month[:, None] - month) + DRIFT**2 * np.outer(years(), years())
    own = np.einsum("gs,st,gt->g", weight, noise, weight).sum() / len(starts) ** 2
    shared = weight.mean(axis=0) @ noise @ weight.mean(axis=0) / (units - len(starts))
    return 1.96 * math.sqrt(own + shared)
