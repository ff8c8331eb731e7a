r"""Difference-in-differences for costs, by ratio: zeros, a long tail, and starts that differ.

.. math:: E(y_{it}) = n_{it}\exp(\alpha_i + \gamma_t + \delta_{g(i)t} D_{it}), \qquad
          \sum \frac{y_{it} - \mu_{it}}{\mu_{it}} z_{it} = 0

The gamma quasi-score takes a spread that goes with the mean, as costs have it, and needs no logarithm of a
cost, so zeros stay as they are [1]_. ``family="poisson"`` weighs pounds alike instead. Only the mean has to
be right in either. What was expected, and the ratio, the difference and the total from one number, are as in
:class:`~ucimpact.methods.count_did.CountDiD`.

It answers what would have happened if costs had moved by the same *per cent* everywhere. The difference in
pounds, had they moved by the same *number* of pounds, stands beside it (``extras["scales"]``).

How sure a ratio of costs is with few pilot places is not settled: below six places in either group the
estimate stands and the p-value and the range are refused. A cost has a long tail, so that one place may carry
the result: ``extras["carried"]`` says which, and what is found without it.

References
----------
.. [1] Manning, W. G. and Mullahy, J. (2001). Estimating log models: to transform or not to transform?
   *Journal of Health Economics* 20(4), 461-494.
.. [2] Wooldridge, J. M. (2023). Simple approaches to nonlinear difference-in-differences with panel data.
   *The Econometrics Journal* 26(3), C31-C66.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate
from ucimpact.inference.cost_rule import choose_for_costs
from ucimpact.inference.count_effects import Counts, Found, Sets, expected_by_ratio, found_in
from ucimpact.inference.count_rule import Rule
from ucimpact.methods.count_did_fit import RatioFit
from ucimpact.methods.count_did_sample import CONTROLS, Control, CountSample, lay_out
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.field_checks import (
    PEOPLE,
    PERIODS,
    below,
    level_problem,
    not_above,
    not_one_of,
    refuse_fields,
)

Array = np.ndarray
Family = Literal["gamma", "poisson"]
CARRIES = 0.5
"""A place with this part of the spread, or without which so much of the effect is gone, carries it."""


@dataclass(frozen=True, kw_only=True)
class CostDiD:
    """Compare how mean costs moved in pilot units and in others, by ratio.

    Parameters
    ----------
    outcome : str
        Panel column of pounds, 0 or more; or a rate made of one by ``Panel.with_rate``.
    family : {"gamma", "poisson"}, default "gamma"
        Whether every unit and period counts alike by its ratio to what was expected, or every pound.
    control_group : {"not-yet-treated", "never-treated"}, default "not-yet-treated"
        Whose costs say how the others would have moved: all units until they start, or those that never do.
    anticipation : int, default 0
        Periods before the start in which the pilot may already have had an effect.
    per : float, optional
        People that costs are told by where the panel has a population; left out, 1,000, or as its rate says.
    level : float, default 0.95
        Coverage of the intervals.
    """

    takes: ClassVar[type] = Panel

    outcome: str
    family: Family = "gamma"
    control_group: Control = "not-yet-treated"
    anticipation: int = 0
    per: float | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        refuse_fields(
            level_problem(self.level),
            not_one_of("family", self.family, ("gamma", "poisson")),
            not_one_of("control_group", self.control_group, CONTROLS),
            below("anticipation", self.anticipation, 0, PERIODS),
            not_above("per", self.per, 0, PEOPLE),
        )

    def check_design(self, panel: Panel) -> list[Finding]:
        """What these data refuse, and what needs care, before anything is worked out."""
        return lay_out(self, panel, family=self.family, counted=False)[0]

    def fit(self, panel: Panel) -> Estimate:
        """The effect on the mean cost (``att``), on the total, the ratio, and the path.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """

        def told(fit: RatioFit, warnings: tuple[str, ...]) -> Estimate:
            found, care = carried(fit)
            return fit.estimate(warnings + care, {"carried": found, "family": self.family})

        return self._fitted(panel, told)

    def brief(self, panel: Panel) -> Estimate:
        """The same without its path and its averages, for an analysis that is done again and again.

        Raises
        ------
        DesignError
            As :meth:`fit` does.
        """
        return self._fitted(panel, lambda fit, warnings: fit.headline(warnings))

    def _fitted(self, panel: Panel, told: Callable[[RatioFit, tuple[str, ...]], Estimate]) -> Estimate:
        findings, sample = lay_out(self, panel, family=self.family, counted=False)
        warnings = enforce(findings)
        assert sample is not None
        return told(RatioFit(self, "cost-did", sample, self._rule), warnings)

    def _rule(self, main: Found, sample: CountSample, whole: Sets) -> Rule:  # noqa: ARG002  one shape for all
        return choose_for_costs(main, sample.expected, noun=sample.noun, dispersion=sample.fit.dispersion)


def carried(fit: RatioFit) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Which place moves the result most, its part of the spread, and the effect without it."""
    sample = fit.sample
    added = fit.main.found.contributions.added[0]
    squares = added**2
    if squares.sum() <= 0:
        return {}, ()
    share = squares / squares.sum()
    effect = float(fit.main.rate.estimate[0])
    # a lone pilot place has no deviation: its weight is its part of what was expected
    pilot = sample.counts.place_pilot
    candidates = [k for k in np.argsort(-share)[:3] if not pilot[k] or pilot.sum() > 1]
    rows: list[dict[str, Any]] = []
    for k in candidates:
        without = _without(sample, sample.counts.places != k)
        if without is not None:
            rows.append(
                {"place": sample.sample.place_names[int(k)], "share": float(share[k]), "att": without}
            )
    if not rows:
        return {}, ()
    worst = max(rows, key=lambda row: abs(row["att"] - effect))
    told = {"att": effect, "places": rows}
    gone = abs(worst["att"] - effect) >= CARRIES * abs(effect) or worst["att"] * effect < 0
    if not (gone or rows[0]["share"] > CARRIES):
        return told, ()
    if gone:
        what = "has the other sign" if worst["att"] * effect < 0 else "changes by half or more"
        text = f"One of {len(pilot)} {sample.noun} carries the result: without it the effect {what}"
    else:
        text = (
            f"One of {len(pilot)} {sample.noun} makes {rows[0]['share']:.0%} of the spread of the result, so "
            "the range is hardly that of an average"
        )
    return {**told, "carries": True}, (f"{text}. Look at its costs before believing it.",)


def _without(sample: CountSample, units: Array) -> float | None:
    """The effect on the rate without some units."""
    whole = sample.counts
    if not (sample.told & units[:, None]).any() or not (whole.never & units).any():
        return None
    counts = Counts(
        whole.y[units],
        whole.people[units],
        whole.weights[units],
        whole.cohort[units],
        np.unique(whole.places[units], return_inverse=True)[1].reshape(-1),
        whole.never[units],
    )
    try:
        expected, _ = expected_by_ratio(counts, sample.free[units], family=sample.family, counted=False)
    except EstimationError:
        return None
    there = sample.told[units] & ~np.isnan(expected.value)
    if not there.any():
        return None
    found = found_in(expected, Sets(np.where(there, 0, -1), 1), 1.0)
    return float((found.observed[0] - found.expected[0]) / found.people[0] * sample.per)
