r"""Counts in several series fitted together: one log-linear regression, one autocorrelation within each.

The working regression of :mod:`ucimpact.inference.count_series`, at the means of the Poisson fit, with the
errors of :mod:`ucimpact.inference.stacked_series`: each series has its own AR(1) path of Pearson residuals,
all with one :math:`\rho`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ucimpact.inference.count_series import CountSeries
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
        Where the Poisson fit has no finite coefficients, or a fitted mean is next to nothing.
    """
    return stacked_reml(*series.working, lengths)
