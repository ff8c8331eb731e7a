r"""The total that the pilot's periods really differed by, with the noise of those periods in its range.

``cumulative`` is the sum of the expected effects: what the pilot does on average. What was *realised* over
the periods :math:`A` is the sum of what was observed less what would have been observed,
:math:`\sum_A w_t (y_t - y^0_t)`, which is no expectation: its range holds the noise of periods that never
were.

Every period with the pilot gets an effect of its own in the regression, so that those periods say nothing
of the path without it, whatever shape the effect has. The generalised least squares estimate of such an
effect is the observed value less Goldberger's best forecast [1]_, and the covariance of these effects is
that of the errors of the forecast. With errors :math:`\Sigma`, the periods without the pilot
:math:`B`, and :math:`K = \Sigma_{AB}\Sigma_{BB}^{-1}`,

.. math:: \hat y^0_A = X_A b + K(y_B - X_B b), \qquad
   \operatorname{var}(\hat y^0_A - y^0_A) = \Sigma_{AA} - K\Sigma_{BA}
   + (X_A - K X_B)\operatorname{var}(b)(X_A - K X_B)'

so one contrast, with the weights :math:`w`, has the variance of the whole sum: the noise still to come given
what was last seen, and not knowing level, line and season. Limits of single periods are never summed. The
errors and the procedure are those of every other effect of the analysis.

References
----------
.. [1] Goldberger, A. S. (1962). Best linear unbiased prediction in the generalized linear regression
   model. *Journal of the American Statistical Association* 57(298), 369-375.
"""

from __future__ import annotations

from typing import Any

from ucimpact.inference.timeseries import Errors
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_ranges import Ranges

FROM_RESIDUALS = ("newey-west", "hac")

LEAST_DF = 3
"""Periods without the pilot less terms under which nothing is foretold."""


def realised(design: SegmentedDesign, errors: Errors, level: float) -> dict[str, Any] | None:
    """The row ``cumulative_realised``; None where the other periods cannot foretell those with the pilot.

    That is so where something is in the pilot's periods that was not there before (another change after the
    start), where the season comes from elsewhere, where the other periods are hardly more than the terms, and
    with a covariance read from the residuals: a period with an effect of its own leaves none.
    """
    found = design.period_by_period()
    if design.profile is not None or found is None:
        return None
    x, contrast = found
    if len(design.y) - x.shape[1] < LEAST_DF:
        return None
    fit = errors.of(design.y, x)
    if fit.route in FROM_RESIDUALS:
        return None
    ranges = Ranges.of(fit, contrast, used=int(design.used.sum()), level=level)
    return ranges.row("cumulative_realised", contrast)
