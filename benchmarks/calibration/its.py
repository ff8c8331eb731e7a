"""Interrupted time series with a level and a slope change planted in AR(1) noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.calibration.board import Cell, Family, Method, Record, Target
from ucimpact.data.series import Series
from ucimpact.data.simulate import gaussian_series
from ucimpact.methods.its import InterruptedTimeSeries

LEVEL, SLOPE = 2.0, 0.1
"""Planted."""


@dataclass(frozen=True, kw_only=True)
class LeanSeries:
    """A short series of months, three fifths of them before the pilot."""

    months: int
    rho: float

    def draw(self, seed: int) -> tuple[Series, dict[str, float]]:
        """The series of a seed and what was planted."""
        rng = np.random.default_rng([self.months, round(10 * self.rho), seed])
        before = round(0.6 * self.months)
        table = gaussian_series(rng, n=self.months, rho=self.rho, level_change=LEVEL, slope_change=SLOPE)
        total = float(np.sum(LEVEL + SLOPE * np.arange(self.months - before)))
        truth = {"level_change": LEVEL, "slope_change": SLOPE, "cumulative": total}
        return Series(table, start=table["period"][before]), truth


def read(drawn: tuple[Series, dict[str, float]]) -> Iterator[Record]:
    """Whether each interval holds what was planted."""
    series, truth = drawn
    estimate = InterruptedTimeSeries(outcome="y").fit(series)
    for term, value in truth.items():
        effect = estimate.effect(term)
        held = bool(effect["conf_low"] <= value <= effect["conf_high"])
        yield {"term": term, "coverage": held, "bias": effect["estimate"] - value}


FAMILIES = (
    Family(
        name="its",
        title="Interrupted time series (target: level and cumulative covered in 91% to 98%)",
        about="A rising line with AR(1) noise of standard deviation 1 and a level and a slope change.",
        cells=tuple(
            Cell(
                name=f"{months} months, AR(1) {rho:g}",
                process=LeanSeries(months=months, rho=rho),
                methods=(Method(name="its", read=read),),
                draws=1_000,
                targets=(
                    Target(measure="coverage", low=0.91, high=0.98, terms=("level_change", "cumulative")),
                ),
            )
            for months in (24, 48, 96)
            for rho in (0.0, 0.3, 0.6)
        ),
    ),
)
