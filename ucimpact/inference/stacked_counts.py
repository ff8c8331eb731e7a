r"""Counts in several series fitted together: one log-linear regression, one autocorrelation within each.

The working regression of :mod:`ucimpact.inference.count_series` with the errors of
:mod:`ucimpact.inference.stacked_series`: each series has its own AR(1) path of Pearson residuals, all with
one :math:`\rho`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.count_series import LARGEST_STEP, PASSES, SETTLED, CountSeries
from ucimpact.inference.stacked_series import stacked_reml
from ucimpact.inference.timeseries import Ar1Fit


def stacked_counts(series: CountSeries, lengths: Sequence[int]) -> Ar1Fit:
    """Series of counts that lie one after the other, with AR(1) errors within each.

    Parameters
    ----------
    series : CountSeries
        All of them, in the order of ``lengths``.
    lengths : sequence of int
        Periods of each, those that do not count included.

    Raises
    ------
    EstimationError
        Where the working regression does not settle, or a fitted mean is next to nothing.
    """
    p, coef = series.x.shape[1], series.poisson.coef
    for _ in range(PASSES):
        fit = stacked_reml(*series.working(coef), lengths)
        step = fit.coef[:p] - coef
        largest = float(np.abs(series.x @ step)[series.used].max())
        if largest < SETTLED:
            series.refuse_nothing(np.exp(series.offset + series.x @ coef))
            return fit
        coef = coef + step * min(1.0, LARGEST_STEP / largest)
    raise EstimationError(f"the working regression did not settle in {PASSES} passes")
