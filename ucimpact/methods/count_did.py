r"""Difference-in-differences for counts, with the people at risk, for pilots that start when they start.

.. math:: E(y_{it}) = n_{it}\exp(\alpha_i + \gamma_t + \delta_{g(i)t} D_{it})

:math:`n_{it}` is the population (list size), which may change from month to month; every start g has an
effect of its own in every period. What was expected without the pilot is
:math:`E_{it} = n_{it}\exp(\alpha_i + \gamma_t)`, with unit and period effects from the cells without the
pilot [1]_, and the headline is

.. math:: b = \log \sum_{D=1} y_{it} - \log \sum_{D=1} E_{it} .

The rate ratio is :math:`e^b`; events avoided are :math:`Y_1(e^{-b} - 1)`, with the limits of b and the events
:math:`Y_1` of the pilot as they were seen; the effect on the rate is that over the people. So all of them
come from one number and never disagree.

It answers what would have happened if, without the pilot, rates had moved by the same *per cent* everywhere.
Where groups start from different rates that is not the same as by the same number: both are given side by
side. It is biased by anything else that changed for the pilot units at the start, and by comparison units
that the pilot reached. It takes counts; for a mean, a share of people or a cost use another method.

References
----------
.. [1] Wooldridge, J. M. (2023). Simple approaches to nonlinear difference-in-differences with panel data.
   *The Econometrics Journal* 26(3), C31-C66.
.. [2] Sun, L. and Abraham, S. (2021). Estimating dynamic treatment effects in event studies with
   heterogeneous treatment effects. *Journal of Econometrics* 225(2), 175-199.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from ucimpact.data.panel import Panel
from ucimpact.estimate import Estimate
from ucimpact.inference.count_effects import Found, Sets
from ucimpact.inference.count_rule import QuasiPoisson, Rule, choose
from ucimpact.inference.covariance import CR1
from ucimpact.inference.few_clusters import Auto
from ucimpact.methods.count_did_fit import RatioFit
from ucimpact.methods.count_did_sample import CONTROLS, Control, CountSample, lay_out
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.field_checks import (
    PEOPLE,
    PERIODS,
    below,
    level_problem,
    no_covariance,
    not_above,
    not_one_of,
    refuse_fields,
)


@dataclass(frozen=True, kw_only=True)
class CountDiD:
    """Compare how rates of events moved in pilot units and in others, by ratio.

    Parameters
    ----------
    outcome : str
        Panel column of counts, e.g. emergency admissions; or a rate made of one by ``Panel.with_rate``.
    control_group : {"not-yet-treated", "never-treated"}, default "not-yet-treated"
        Whose rates say how the others would have moved: all units until they start, or those that never do.
    anticipation : int, default 0
        Periods before the start in which the pilot may already have had an effect.
    per : float, optional
        People that rates are told by; left out, 1,000, or what the panel's rate says.
    cov : Auto, CR1 or QuasiPoisson, default Auto()
        How uncertainty is measured; the default counts places and says what it chose.
    level : float, default 0.95
        Coverage of the intervals.
    """

    takes: ClassVar[type] = Panel

    outcome: str
    control_group: Control = "not-yet-treated"
    anticipation: int = 0
    per: float | None = None
    cov: Auto | CR1 | QuasiPoisson = field(default_factory=Auto)
    level: float = 0.95

    def __post_init__(self) -> None:
        refuse_fields(
            level_problem(self.level),
            not_one_of("control_group", self.control_group, CONTROLS),
            below("anticipation", self.anticipation, 0, PERIODS),
            not_above("per", self.per, 0, PEOPLE),
            no_covariance(self.cov, (Auto, CR1, QuasiPoisson)),
        )

    def check_design(self, panel: Panel) -> list[Finding]:
        """What these data refuse, and what needs care, before anything is worked out."""
        return lay_out(self, panel)[0]

    def fit(self, panel: Panel) -> Estimate:
        """The effect on the rate (``att``), on the number of events, the ratio, and the path.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """
        return self._fitted(panel, lambda fit, warnings: fit.estimate(warnings))

    def brief(self, panel: Panel) -> Estimate:
        """The same without its path and its averages, for an analysis that is done again and again.

        Raises
        ------
        DesignError
            As :meth:`fit` does.
        """
        return self._fitted(panel, lambda fit, warnings: fit.headline(warnings))

    def _fitted(self, panel: Panel, told: Callable[[RatioFit, tuple[str, ...]], Estimate]) -> Estimate:
        findings, sample = lay_out(self, panel)
        warnings = enforce(findings)
        assert sample is not None
        seed = int(getattr(self.cov, "seed", 1))
        return told(RatioFit(self, "count-did", sample, self._rule, seed), warnings)

    def _rule(self, main: Found, sample: CountSample, whole: Sets) -> Rule:
        return choose(
            main,
            sample.expected,
            whole,
            self.cov,
            level=self.level,
            noun=sample.noun,
            dispersion=sample.fit.dispersion,
        )
