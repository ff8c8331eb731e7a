r"""Counts of one series whose rate wanders, with the truth known.

.. math:: \log r_t = \text{trend} + \text{season} + \text{effect}_t + s\,z_t, \qquad
   z_t = \rho z_{t-1} + \sqrt{1-\rho^2}\,\epsilon_t, \qquad
   \mathrm{var}(y_t \mid z) = \phi\, E(y_t \mid z)

What wanders is the rate, not the count: seen through the counts it is an AR(1) plus white noise, of which
it makes up about :math:`\mu s^2 / (\phi + \mu s^2)`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ucimpact.data.simulate import ar1, counts

YEAR = 12


def count_series(
    rng: np.random.Generator,
    *,
    n: int,
    mean: float = 50.0,
    dispersion: float = 1.0,
    rho: float = 0.0,
    sd: float = 0.1,
    before: int | None = None,
    level: float = 0.0,
    slope: float = 0.0,
    trend: float = 0.02,
    season: float = 0.1,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Months from January 2010, each as long as any other.

    Parameters
    ----------
    rng : Generator
    n : int
        Months.
    mean : float
        Events in the first month with the pilot had there been none, in a month of average season.
    dispersion : float
        Variance of a count over its mean, given its rate; 1 for Poisson counts.
    rho, sd : float
        Autocorrelation and standard deviation of what wanders in the log rate.
    before : int, optional
        Months before the start; three fifths of ``n`` unless given.
    level, slope : float
        Log ratio in the first month with the pilot, and its change per month.
    trend : float
        Change of the log rate in a year.
    season : float
        Height of the yearly wave in the log rate.

    Returns
    -------
    table : DataFrame
        ``period, y``; the pilot starts in row ``before``.
    truth : dict
        ``log_level_change, log_slope_change, log_average, relative``, and ``average`` and ``cumulative``
        in expected events.
    """
    before = round(0.6 * n) if before is None else before
    since = np.arange(n) - before
    without = np.log(mean) + trend * since / YEAR + season * np.cos(2 * np.pi * since / YEAR)
    effect = np.where(since >= 0, level + slope * since, 0.0)
    rate = np.exp(without + effect + sd * ar1(rng, 1, n, rho)[0])
    month = np.asarray(pd.period_range("2010-01", periods=n, freq="M").astype(str), dtype=object)
    table = pd.DataFrame({"period": month, "y": counts(rng, rate, dispersion)})
    lift = np.exp(sd**2 / 2)
    with_it, expected = (lift * np.exp(part)[before:].sum() for part in (without + effect, without))
    truth = {
        "log_level_change": level,
        "log_slope_change": slope,
        "log_average": float(np.log(with_it / expected)),
        "relative": float(with_it / expected - 1),
        "average": float(with_it - expected) / (n - before),
        "cumulative": float(with_it - expected),
    }
    return table, truth
