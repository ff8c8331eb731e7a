"""What the result of a series of counts says to be careful about.

The figures are those of ``docs/methods/count_its.md``: what cannot be learned from a short series, and
where a nominal 95% covers less.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ucimpact.inference.residuals import LjungBox
from ucimpact.methods.count_its_design import CountDesign
from ucimpact.methods.series_findings import counted
from ucimpact.methods.series_fit import PATTERN

LEARNED_FROM = 48
"""Periods below which the share of the variation that carries over cannot be learned."""

HIGH_RHO = 0.6
WANDERS = 2.0
"""Dispersion from which a high autocorrelation is one of the rate and not of chance."""

TOO_EVEN = 0.8
"""Dispersion below which counts vary less than chance alone would make them."""

BEYOND = 0.5
"""How far outside the rates before the start, as a share of their range, an expected rate is far."""

INDEPENDENT = {
    "quasi-poisson": "quasi-Poisson",
    "negative-binomial": "negative binomial",
    "hac": "Newey-West",
}


def care(design: CountDesign, *, route: str, left_over: LjungBox, counterfactual: pd.DataFrame) -> list[str]:
    """Sentences for the reader."""
    noun, used = design.data.frequency.noun, int(design.segments.used.sum())
    texts = [*_of_the_errors(design, route, noun, counted(used, noun), few=used < LEARNED_FROM)]
    if (dispersion := design.series.dispersion) < TOO_EVEN:
        texts.append(
            f"The counts vary less than chance alone would make them (dispersion {dispersion:.2f}), as where "
            f"a capacity limits them: the range is wider than it need be, and the effect is one on what was "
            f"done."
        )
    if left_over.p_value < PATTERN:
        texts.append(
            f"What the model leaves over still has a pattern from {noun} to {noun} (Ljung-Box, "
            f"{left_over.lags} lags). The range may be too narrow."
        )
    rate = counterfactual["expected"].to_numpy() / (design.unit * design.exposure)
    seen = design.y[design.segments.before] / design.exposure[design.segments.before]
    margin, after = BEYOND * np.ptp(seen), rate[design.segments.after]
    if outside := int(((after < seen.min() - margin) | (after > seen.max() + margin)).sum()):
        texts.append(
            f"What is expected without the pilot lies far from all that was seen before the start in "
            f"{outside} of {counted(len(after), noun)}."
        )
    return texts


def _of_the_errors(design: CountDesign, route: str, noun: str, periods: str, *, few: bool) -> list[str]:
    """What the way the errors are modelled can and cannot know."""
    rho = design.series.reml.rho
    if route in INDEPENDENT:
        return [
            f"The range is that of a {INDEPENDENT[route]} regression, which is too narrow where rates wander "
            f"from {noun} to {noun}: a nominal 95% covered as little as 51%."
        ]
    texts = []
    if few:
        averaged = "averages over it" if route == "mixture" else "takes all of it to persist alike"
        texts.append(
            f"The share of {noun}-to-{noun} variation that persists cannot be learned from {periods}; the "
            f"range {averaged}."
        )
    if route != "mixture":
        texts.append(
            "An AR(1) alone takes chance variation for part of what carries over: a nominal 95% covered 76% "
            "to 98%, and less the longer the series. The default averages over both."
        )
    elif rho > HIGH_RHO and design.series.dispersion > WANDERS:
        texts.append(
            f"What raises or lowers the rate in one {noun} carries over strongly to the next "
            f"(autocorrelation {rho:.2f}). In simulations like this a nominal 95% covered 91% to 98%."
        )
    return texts
