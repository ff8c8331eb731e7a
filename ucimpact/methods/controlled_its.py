r"""Controlled interrupted time series: the pilot's path against that of a place or a service without it.

One series alone cannot tell the pilot from anything else that came at the same date. A control that had all
of it except the pilot can. With the pilot's series :math:`y_t` and the control's :math:`c_t`, three forms:

- ``"difference"`` (default): a segmented regression of :math:`y_t - k c_t`. What comes to both drops out,
  shock by shock. :math:`k` is 1 where the two stood at like levels before the start (within a factor of
  1.15), where a number and a per cent are much the same; further apart it is :math:`\bar y / \bar c` before
  the start, and what comes to both in the same per cent drops out.
- ``"ratio"``: the same of :math:`\log y_t - \log c_t`, the control as an offset [1]_. What comes to both in
  the same per cent drops out.
- ``"regression"``: both series in one regression, group times level, line, change and change of slope, with a
  season that they share and one autocorrelation within each [2]_:

.. math:: y_{gt} = \alpha + \beta t + \delta\,1\{t \ge t_1\} + \gamma (t - t_1)_+ + \text{season}_t
   + g\,[\alpha' + \beta' t + \delta'\,1\{t \ge t_1\} + \gamma'(t - t_1)_+] + u_{gt}

The effect is what the pilot's series did at the start beyond what the control did:
:math:`\delta' + \gamma'(t - t_1)`. It is the pilot's effect if, without the pilot, the *gap* between the two
would have gone on along its own line: all else that changed at the start came to both alike, and nothing of
the pilot reached the control [3]_.

The two form one region, so shocks come to both, and a difference drops them: it is less noisy than the pilot
alone where more than half is shared. The regression takes the two as independent, so its interval is then too
wide; where nothing is shared it is somewhat narrower, with one season to fit and not two. The
difference is the default; what the three cost is in ``docs/methods/controlled_its.md``. A ratio wants numbers
above 0; a difference of others takes the control as it is, and wants places of like size.

:math:`k` is so decided because what comes to a whole region comes to its places in the same per cent more
often than in the same number. With :math:`k = 1` a fall of 10% in both was found as an effect in 18% of
series with the control at 1.5 times the level of the pilot, and in 35% at twice. What comes to both in the
same number is in turn not taken out where levels lie far apart; ``form="regression"`` does that.

Whether the two moved in parallel *before* the start is in ``extras["pre_trend"]``: the slope of the gap, from
the periods before the start alone. A slope there is taken out of the effect, and the answer then leans on its
going on. The estimate without a control stands beside (``extras["single"]``), and what the control itself did
at the start (``extras["control"]``).

References
----------
.. [1] Bottomley, C., Scott, J. A. G. and Isham, V. (2019). Analysing interrupted time series with a control.
   *Epidemiologic Methods* 8(1), 20180010.
.. [2] Linden, A. (2015). Conducting interrupted time-series analysis for single- and multiple-group
   comparisons. *Stata Journal* 15(2), 480-500.
.. [3] Lopez Bernal, J., Cummins, S. and Gasparrini, A. (2018). The use of controls in interrupted time
   series studies of public health interventions. *Int. J. Epidemiology* 47(6), 2082-2093.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import pandas as pd

from ucimpact import serialise
from ucimpact.data.series import Series
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.methods.controlled_account import account, alone, care
from ucimpact.methods.controlled_choices import COUNTS, ControlChoices
from ucimpact.methods.controlled_forms import adjusted, told
from ucimpact.methods.design_finding import Finding, enforce, need
from ucimpact.methods.its_design import SegmentedDesign


@dataclass(frozen=True, kw_only=True)
class ControlledITS(ControlChoices):
    """Compare a series after a date with its own path before, and with that of a control."""

    def design(self, data: Series) -> SegmentedDesign:
        """The regression of the pilot's series, adjusted by the control in the difference and the ratio."""
        return adjusted(self, data)

    def check_design(self, data: Series) -> list[Finding]:
        """What speaks against this analysis of these data, each with the way out. Nothing is fitted."""
        need(data, Series, "Series(table, period=..., start=...)")
        data.values(self.outcome)
        ratio = self.form == "ratio"
        if refused := self.control.refusals(data, positive=ratio):
            return refused
        found = super().check_design(data)
        if any(finding.level == "refuse" for finding in found):
            return found
        if ratio or self.family == COUNTS:
            return found
        return [*found, *self.control.cautions(data, self.design(data), form=self.form)]

    def fit(self, data: Series) -> Estimate:
        """Return the average effect beyond the control, then those it is made of and those that follow."""
        warnings = enforce(self.check_design(data))
        found = told(self, data)
        single, control = alone(self, data)
        design = found.design
        counterfactual = pd.DataFrame(
            {
                "period": [data.frequency.iso(int(o)) for o in data.ordinals],
                "label": data.labels(),
                "since": design.since,
                "observed": data.values(self.outcome),
                "expected": found.expected,
                "low": found.low,
                "high": found.high,
                "control": self.control.path(data),
                "used": design.used,
            }
        )
        extras = account(self, data, found, single, control)
        return Estimate(
            method="controlled-its",
            estimand="average effect after the start, beyond the control",
            outcome=self.outcome,
            effects=effects_frame(found.rows),
            counterfactual=counterfactual,
            counts=data.counts() | {"used": int(design.used.sum()), "left_out": design.left_out},
            warnings=warnings + tuple(care(self, data, found, counterfactual, extras)),
            spec={f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)},
            draws_from=found.draws_from,
            extras=serialise.plain(extras),
        )
