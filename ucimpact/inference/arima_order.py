r"""Which ARIMA order a series is given: differences by two stated rules, the rest by a small grid.

**Seasonal difference** (:math:`D = 1`), with three years or more: where a level for each time of year
explains more than 0.64 of the variance that the regression, with the season it has already, leaves over
(the threshold of [1]_; the share is adjusted for the number of levels). A season that the regression holds
is not taken out twice.

**Difference** (:math:`d = 1`): where what is left over drifts too far from 0, by the statistic of KPSS [2]_
on the residuals :math:`e` of the regression,

.. math:: \eta = \frac{\sum_t \bigl(\sum_{i \le t} e_i\bigr)^2}{n^2\, s^2(l)}, \qquad
   s^2(l) = \hat\gamma_0 + 2\sum_{k=1}^{l}\Bigl(1 - \frac{k}{l+1}\Bigr)\hat\gamma_k, \qquad
   l = \lfloor 4 (n/100)^{1/4} \rfloor

against its own 95th hundredth under independent errors with the same regressors, drawn with a seed: trend and
breaks among the regressors make the published points far too large. Never two differences: a line is among
the regressors.

**The rest**: all :math:`p + q \le 2` with :math:`P + Q \le 1`, the least AICc of the maximum likelihood.
Likelihoods after different differences are of different data and are not compared.

References
----------
.. [1] Hyndman, R. J. and Athanasopoulos, G. (2021). *Forecasting: principles and practice*, 3rd ed., 9.1.
.. [2] Kwiatkowski, D. et al. (1992). Testing the null hypothesis of stationarity against the alternative of a
   unit root. *Journal of Econometrics* 54, 159-178.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.arima import Fitting, aicc
from ucimpact.inference.arima_likelihood import VANISHED, Order

STRONG = 0.64
YEARS_FOR_SEASON = 3
DRAWS = 999
LEAST_POINTS = 10
MOST = 2
"""Most of p and q together."""

MOST_SEASONAL = 1


@dataclass(frozen=True, kw_only=True)
class Differences:
    """How often a series is differenced, and why.

    Attributes
    ----------
    d, seasonal_d : int
    season_left : float
        Share of what the regression leaves over that a level for each time of year explains.
    drift, drift_limit : float
        The statistic of KPSS and what it is held against.
    """

    d: int
    seasonal_d: int
    season_left: float
    drift: float
    drift_limit: float


def differences(
    y: np.ndarray, x: np.ndarray, used: np.ndarray, s: int, *, seed: int, seasonal_d: int | None = None
) -> Differences:
    """The differences by the rules of the top of this page; ``seasonal_d`` where it is given."""
    left = _season_left(y, x, used, s)
    if seasonal_d is None:
        enough = s > 1 and int(used.sum()) >= YEARS_FOR_SEASON * s
        seasonal_d = int(enough and left > STRONG)
    order = Order(seasonal_d=seasonal_d, s=s)
    missing = np.eye(len(y))[:, ~used]
    w = order.differenced(np.where(used, y, 0.0))
    columns = order.differenced(np.column_stack([x, missing]))
    kept = np.abs(columns).max(axis=0) > VANISHED * np.maximum(np.abs(x).max(initial=0.0), 1.0)
    basis = np.linalg.qr(columns[:, kept])[0]
    if len(w) - basis.shape[1] < LEAST_POINTS:
        return Differences(d=0, seasonal_d=seasonal_d, season_left=left, drift=np.nan, drift_limit=np.nan)
    drawn = np.random.default_rng(seed).standard_normal((len(w), DRAWS))
    found = _drift(_beyond(w[:, None], basis))
    limit = float(np.quantile(_drift(_beyond(drawn, basis)), 0.95))
    return Differences(
        d=int(found[0] > limit),
        seasonal_d=seasonal_d,
        season_left=left,
        drift=float(found[0]),
        drift_limit=limit,
    )


def _beyond(values: np.ndarray, basis: np.ndarray) -> np.ndarray:
    once = values - basis @ (basis.T @ values)
    return np.asarray(once - basis @ (basis.T @ once))


def _season_left(y: np.ndarray, x: np.ndarray, used: np.ndarray, s: int) -> float:
    """Adjusted share of the residual variance that a level for each time of year explains; 0 to 1."""
    if s <= 1 or used.sum() - x.shape[1] - s < LEAST_POINTS:
        return 0.0
    levels = (np.arange(len(y)) % s)[:, None] == np.arange(s)
    plain = np.linalg.qr(x[used])[0]
    both, triangle = np.linalg.qr(np.column_stack([plain, levels[used].astype(float)]))
    both = both[:, np.abs(np.diag(triangle)) > VANISHED]
    n = int(used.sum())
    before, after = (
        float((_beyond(y[used][:, None], basis) ** 2).sum()) / (n - basis.shape[1]) for basis in (plain, both)
    )
    return max(0.0, 1 - after / before) if before > 0 else 0.0


def _drift(residuals: np.ndarray) -> np.ndarray:
    """The statistic of KPSS of each column, shape (m,)."""
    n = len(residuals)
    lags = int(4 * (n / 100) ** 0.25)
    variance = (residuals**2).sum(axis=0)
    for k in range(1, lags + 1):
        variance = variance + 2 * (1 - k / (lags + 1)) * (residuals[k:] * residuals[:-k]).sum(axis=0)
    path = np.cumsum(residuals, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((path**2).sum(axis=0) / (n * variance))


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An order of the grid and its criterion."""

    order: Order
    aicc: float


def candidates(fitting: Fitting, order: Order, *, seasonal: bool) -> list[Candidate]:
    """The grid for given differences, the best first; of orders alike, the plainer.

    Parameters
    ----------
    fitting : Fitting
        By maximum likelihood.
    order : Order
        With its differences, and its seasonal terms where these are given.
    seasonal : bool
        Whether seasonal terms are looked for.

    Raises
    ------
    EstimationError
        Where the series carries none of them.
    """
    pairs = [(p, q) for p in range(MOST + 1) for q in range(MOST + 1 - p)]
    given = (order.seasonal_p, order.seasonal_q)
    seasons = [(0, 0), (1, 0), (0, 1)][: 1 + 2 * MOST_SEASONAL] if seasonal else [given]
    found = []
    for p, q in pairs:
        for seasonal_p, seasonal_q in seasons:
            one = replace(order, p=p, q=q, seasonal_p=seasonal_p, seasonal_q=seasonal_q)
            try:
                data, value = fitting.data(one), fitting.log_likelihood(one)
            except EstimationError:
                continue
            found.append(Candidate(order=one, aicc=aicc(value, data.regressors + one.terms + 1, data.points)))
    found = [one for one in found if np.isfinite(one.aicc)]
    if not found:
        raise EstimationError("the series is too short for any ARIMA order of the grid")
    return sorted(found, key=lambda one: (one.aicc, one.order.terms))
