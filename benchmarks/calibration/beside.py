"""Series beside others: against a control, over many sites, and foretold from controls that wander.

Nothing is planted in the first two, where the question is how often an effect is found; in the third a fall
is planted and the question is how often the limits hold it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from benchmarks.calibration.board import Cell, Family, Method, Record, Target
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.data.simulate_controls import SeriesWithControls
from ucimpact.data.simulate_sites import PilotAndControl, PilotSites
from ucimpact.methods import build

FALSE_POSITIVES = Target(measure="false positives", high=0.07)
LEVEL = 0.05


def _found(effect: dict[str, Any]) -> Record:
    p = effect["p_value"]
    if pd.isna(p):
        return {"refused": True, "reason": "no p-value"}
    return {"refused": False, "false positives": bool(p < LEVEL)}


# -- a control -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Controlled:
    """A pilot and its control, to both of which a change comes at the start."""

    design: PilotAndControl

    def draw(self, seed: int) -> Series:
        """The series of a seed."""
        return Series(self.design.draw(seed).table, period="month", start=self.design.start)


def against_control(form: str, series: Series) -> Iterator[Record]:
    """One form of the controlled analysis."""
    estimate = build("controlled-its", {"controls": ["neighbour"], "form": form}, outcome="admissions").fit(
        series
    )
    yield {"term": "average", **_found(estimate.headline)}


def without_control(series: Series) -> Iterator[Record]:
    """The same without the control: what the change that came to both looks like."""
    estimate = build("its", {}, outcome="admissions").brief(series)
    yield {"term": "average", **_found(estimate.headline)}


# -- many sites ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Sites:
    """Sites with starts of their own."""

    design: PilotSites

    def draw(self, seed: int) -> Panel:
        """The panel of a seed."""
        table = self.design.draw(seed).table
        return Panel(table, unit="site", period="month", start="start", population="people")


def _sites(sites: int, months: int, rho: float, tau: float) -> PilotSites:
    before = round(0.6 * months)
    return PilotSites(sites=sites, never=0, months=months, before=before, rho=rho, tau=tau, as_counts=True)


def over_sites(tau: float, panel: Panel) -> Iterator[Record]:
    """The average over sites, and the sites added up where that has no effect either."""
    estimate = build("multi-site-its", {}, outcome="admissions").fit(panel)
    yield {"term": "site_average", **_found(estimate.effect("site_average"))}
    if not tau:
        yield {"term": "att", **_found(estimate.headline)}


# -- controls that wander ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Wandering:
    """Months beside series that wander."""

    design: SeriesWithControls

    def draw(self, seed: int) -> tuple[pd.DataFrame, SeriesWithControls]:
        """The table of a seed, and what made it."""
        return self.design.draw(seed), self.design


def foretold(drawn: tuple[pd.DataFrame, SeriesWithControls]) -> Iterator[Record]:
    """The structural model with its defaults."""
    table, design = drawn
    names = [name for name in table if name.startswith("x")]
    series = Series(table, start=table["period"][design.start])
    estimate = build("structural", {"controls": names, "season": "none"}, outcome="y").fit(series)
    yield _held(estimate.effect("average"), design.effect)


def _held(effect: dict[str, Any], truth: float) -> Record:
    low, high = float(effect["conf_low"]), float(effect["conf_high"])
    record: Record = {"term": "average", "coverage": bool(low <= truth <= high), "width": high - low}
    return record | {"bias": float(effect["estimate"]) - truth}


def foretold_in_rust(drawn: tuple[pd.DataFrame, SeriesWithControls]) -> Iterator[Record]:
    """bsts-causalimpact with its defaults."""
    from causal_impact import CausalImpact

    table, design = drawn
    index = pd.date_range("1990-01-01", periods=len(table), freq="MS")
    frame = table.drop(columns="period").set_index(index)
    first = design.start
    before, after = [index[0], index[first - 1]], [index[first], index[-1]]
    found = CausalImpact(frame, [str(d.date()) for d in before], [str(d.date()) for d in after])
    summary = found.summary_stats
    effect = {
        "estimate": summary["point_effect_mean"],
        "conf_low": summary["ci_lower"],
        "conf_high": summary["ci_upper"],
    }
    yield _held(effect, design.effect)


FAMILIES = (
    Family(
        name="controlled-its",
        title="Against a control, nothing planted (false positives 7% or fewer)",
        about="A pilot and its control share a season, some of their shocks and a change at the start of one "
        "standard deviation. `its` looks at the pilot alone.",
        cells=tuple(
            Cell(
                name=f"{months} months, AR(1) {rho:g}, {shared:.0%} of the shocks shared",
                process=Controlled(
                    design=PilotAndControl(
                        months=months, before=round(0.6 * months), rho=rho, shared=shared, common_change=5.0
                    )
                ),
                methods=(
                    *(
                        Method(name=form, read=partial(against_control, form))
                        for form in ("difference", "ratio", "regression")
                    ),
                    Method(name="its", read=without_control, most=200),
                ),
                draws=500,
                targets=(FALSE_POSITIVES,),
            )
            for months in (24, 48, 96)
            for rho in (0.0, 0.3, 0.6)
            for shared in (0.0, 0.5)
        ),
        layout="by method",
    ),
    Family(
        name="multi-site-its",
        title="Sites pooled, nothing planted on average (false positives 7% or fewer)",
        about="Counts of sites with starts within a year, trends, seasons and AR(1) shocks of their own.",
        cells=tuple(
            Cell(
                name=f"{sites} sites, {months} months, AR(1) {rho:g}, sites differ by {tau:.0%}",
                process=Sites(design=_sites(sites, months, rho, tau)),
                methods=(Method(name="multi-site-its", read=partial(over_sites, tau)),),
                draws=200,
                targets=(FALSE_POSITIVES,),
            )
            for sites in (6, 12)
            for months in (48,)
            for rho in (0.0, 0.3, 0.6)
            for tau in (0.0, 0.05)
        ),
        layout="by method",
    ),
    Family(
        name="structural",
        title="Foretold from series that wander (covered in 93% to 97%)",
        about="Ten random walks, of which three carry the outcome, or none of them; a fall of two standard "
        "deviations of a month's noise is planted.",
        cells=tuple(
            Cell(
                name=f"{n} months, {'three of ten controls matter' if weights else 'no control matters'}",
                process=Wandering(design=SeriesWithControls(n=n, weights=weights)),
                methods=(
                    Method(name="structural", read=foretold),
                    Method(name="bsts-causalimpact", read=foretold_in_rust, package="causal_impact"),
                ),
                draws=200,
                targets=(Target(measure="coverage", low=0.93, high=0.97),) if weights else (),
            )
            for n in (120, 300)
            for weights in ((1.0, -0.8, 0.8), ())
        ),
        layout="methods across",
    ),
)
