r"""What a series would have added up to, from its past alone, with the noise of the periods themselves.

The effect that was *realised* over periods :math:`t \in A` is what was observed less what would have been
observed, :math:`\sum_A w_t (y_t - y^0_t)`. The second part was never seen. From the periods before,
:math:`y_B = X_B\beta + u_B` with :math:`u_t = \rho u_{t-1} + \epsilon_t`, its best forecast is [1]_

.. math:: \sum_A w_t \left[x_t'b + \rho^{h_t} (y_n - x_n'b)\right]

where :math:`n` is the last period before and :math:`h_t` the number of periods since. The error of that sum
has two parts that are independent given :math:`\rho`: the noise still to come, and not knowing
:math:`\beta`. As :math:`u_t = \rho^{h_t}u_n + \sum_{j \le t} \rho^{t-j}\epsilon_j`, the first is
:math:`\sum_j g_j \epsilon_j` with :math:`g_j = \sum_{t \ge j} w_t \rho^{t-j}`, and so

.. math:: \operatorname{var} = \sigma_\epsilon^2 \left[\sum_j g_j^2 + d'N^{-1}d\right], \qquad
   d = \sum_A w_t (x_t - \rho^{h_t} x_n), \qquad g_j = w_j + \rho\, g_{j+1}

with :math:`\sigma_\epsilon^2 = s/(n - p)` and :math:`N` those of :mod:`ucimpact.inference.timeseries`. The
standardised error is t distributed on :math:`n - p` degrees of freedom for each :math:`\rho`; the
distribution given is its average over :math:`\rho` [2]_, weighted as in
:attr:`~ucimpact.inference.timeseries.Ar1Fit.averaged`.

No shape of the effect is assumed: the periods after the start are not fitted. Summed limits of single
periods, or the spread of :math:`y_t - \hat y_t`, would not do: errors of a forecast move together.

References
----------
.. [1] Goldberger, A. S. (1962). Best linear unbiased prediction in the generalized linear regression
   model. *Journal of the American Statistical Association* 57(298), 369-375.
.. [2] Zellner, A. and Tiao, G. C. (1964). Bayesian analysis of the regression model with
   autocorrelated errors. *Journal of the American Statistical Association* 59(307), 763-778.
"""

from __future__ import annotations

import numpy as np

from ucimpact.inference.mixture import TMixture, normalised
from ucimpact.inference.timeseries import AVERAGED, Statistics


def forecast_total(
    y: np.ndarray, x: np.ndarray, ahead: np.ndarray, weights: np.ndarray, *, rhos: np.ndarray = AVERAGED
) -> TMixture:
    """The distribution of the weighted sum of what comes after, as one coefficient.

    Parameters
    ----------
    y : array (n,)
        The periods before, in order; one that does not count has a column of its own in ``x``.
    x : array (n, p)
        Full column rank.
    ahead : array (h, p)
        The same columns in the periods that follow the last, one row each.
    weights : array (h,)
        What each counts for in the sum, 0 for none.
    rhos : array (k,)
        Values that are averaged over; one of them takes it as known.
    """
    statistics = Statistics.of(y, x)
    deviance, coef, inverse, squares = statistics.at(rhos)
    turned = ahead @ statistics.from_basis
    last = statistics.basis[-1]
    decay = rhos[:, None] ** np.arange(1, len(ahead) + 1)
    carried = decay @ weights
    toward = weights @ turned - carried[:, None] * last
    whole = statistics.least_squares + coef
    centre = (whole * (weights @ turned)).sum(axis=1) + carried * (y[-1] - whole @ last)
    unknown = np.einsum("ki,kij,kj->k", toward, inverse, toward)
    to_come = (_still_to_come(rhos, weights) ** 2).sum(axis=1)
    variance = np.maximum(squares, 0.0) / statistics.residual_df * (unknown + to_come)
    return TMixture(
        weights=normalised(-0.5 * deviance) if len(rhos) > 1 else np.ones(1),
        coef=centre[:, None],
        cov=variance[:, None, None],
        df=statistics.residual_df,
    )


def _still_to_come(rhos: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """How much each new error moves the sum, shape (k, h)."""
    moved = np.empty((len(rhos), len(weights)))
    reach = np.zeros(len(rhos))
    for at in range(len(weights) - 1, -1, -1):
        reach = weights[at] + rhos * reach
        moved[:, at] = reach
    return moved
