r"""Negative binomial regression by maximum likelihood: counts that vary more the larger their mean.

.. math:: \mathrm{var}(y_i) = \mu_i + \mu_i^2/\theta, \qquad \log\mu_i = o_i + x_i'\beta

(the form called NB2 [1]_). The likelihood of a row is

.. math:: \ell_i = \log\Gamma(y_i + \theta) - \log\Gamma(\theta) - \log\Gamma(y_i + 1)
   + \theta\log\theta + y_i\log\mu_i - (y_i + \theta)\log(\mu_i + \theta)

Coefficients by Newton steps (the likelihood is concave in them), :math:`\theta` by Newton steps on its
logarithm, in turn until both stay: the two are orthogonal [2]_. The covariance of the coefficients is
the inverse of the expected information, as in R's ``glm.nb``; the standard error of :math:`\theta` comes
from the observed one. With weights :math:`w_i` it is :math:`\sum_i w_i \ell_i` that is largest.

A row adds :math:`B s_i` to the coefficients, with B their covariance and
:math:`s_i = w_i (y_i - \mu_i) x_i / (1 + \mu_i/\theta)`. The robust variances made of it hold whatever the
spread of the counts is, so long as their means are right; since the two are orthogonal, that
:math:`\theta` was estimated adds nothing.

References
----------
.. [1] Cameron, A. C. and Trivedi, P. K. (1986). Econometric models based on count data. *Journal of
   Applied Econometrics* 1(1), 29-53.
.. [2] Lawless, J. F. (1987). Negative binomial and mixed Poisson regression. *The Canadian Journal of
   Statistics* 15(3), 209-225.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, polygamma, xlogy

from ucimpact.errors import EstimationError
from ucimpact.inference import glm

ROUNDS = 200
STEPS = 50
SETTLED = 1e-11
LARGEST = 1e7
"""Theta beyond this is a Poisson distribution."""


class NoSpread(EstimationError):
    """The counts vary no more than Poisson counts, so theta has no finite value."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NegativeBinomialFit:
    """A fitted negative binomial regression.

    Attributes
    ----------
    coef : array (p,)
    cov : array (p, p)
        Inverse of the expected information.
    mu : array (n,)
    theta, theta_std_error : float
    log_likelihood, deviance : float
    """

    coef: np.ndarray
    cov: np.ndarray
    mu: np.ndarray
    theta: float
    theta_std_error: float
    log_likelihood: float
    deviance: float


def negative_binomial(
    y: np.ndarray,
    x: np.ndarray,
    offset: np.ndarray,
    *,
    start: np.ndarray,
    weights: np.ndarray | None = None,
) -> NegativeBinomialFit:
    """Fit counts.

    Parameters
    ----------
    y : array (n,)
    x : array (n, p)
        Full column rank, with a column of ones.
    offset : array (n,)
        Log of the exposure.
    start : array (p,)
        Coefficients of the Poisson fit.
    weights : array (n,), optional
        All above 0.

    Raises
    ------
    EstimationError
        Where the counts vary no more than Poisson counts, so that theta has no finite value.
    """
    w = np.ones(len(y)) if weights is None else weights
    basis, to_basis = np.linalg.qr(x)
    coef = to_basis @ start
    mu = np.exp(offset + basis @ coef)
    log_theta = np.log(_moment(y, mu, w, x.shape[1]))
    for _ in range(ROUNDS):
        new = _theta_step(y, mu, w, log_theta)
        next_coef = _coefficients(y, basis, offset, w, coef, float(np.exp(new)))
        moved = max(abs(new - log_theta), float(np.abs(basis @ (next_coef - coef)).max()))
        coef, log_theta = next_coef, new
        mu = np.exp(offset + basis @ coef)
        if moved < SETTLED:
            break
    else:
        raise EstimationError(f"the negative binomial model did not settle in {ROUNDS} rounds")
    theta = float(np.exp(log_theta))
    from_basis = np.linalg.inv(to_basis)
    inverse = np.linalg.inv((basis * (w * mu / (1 + mu / theta))[:, None]).T @ basis)
    deviance = 2 * (xlogy(y, y) - xlogy(y, mu) - (y + theta) * np.log((y + theta) / (mu + theta)))
    return NegativeBinomialFit(
        coef=from_basis @ coef,
        cov=from_basis @ inverse @ from_basis.T,
        mu=mu,
        theta=theta,
        theta_std_error=float(1 / np.sqrt(max(_information(y, mu, w, theta), np.finfo(float).tiny))),
        log_likelihood=_log_likelihood(y, mu, w, theta),
        deviance=float(w @ deviance),
    )


def fit(
    y: np.ndarray, x: np.ndarray, offset: np.ndarray | None = None, weights: np.ndarray | None = None
) -> tuple[glm.Fit, NegativeBinomialFit]:
    """Fit counts of people, as :func:`ucimpact.inference.glm.fit` gives them, and with theta.

    Parameters
    ----------
    y : array (n,)
    x : array (n, p)
        With a column of ones for the intercept.
    offset : array (n,), optional
        Log of the exposure.
    weights : array (n,), optional
        A row of weight 0 takes no part.

    Raises
    ------
    EstimationError
        As for a Poisson model, and where the counts vary no more than Poisson counts.
    """
    start = glm.poisson(y, x, offset, weights)
    w, o = start.weights, start.offset
    used = w > 0
    found = negative_binomial(y[used], x[used], o[used], start=start.coef, weights=w[used])
    mu = np.exp(o + x @ found.coef)
    influence = np.zeros(x.shape)
    slope = w[used] / (1 + mu[used] / found.theta)
    residual = y[used] - mu[used]
    influence[used] = (slope * residual)[:, None] * x[used] @ found.cov
    pearson = float((slope * residual**2 / mu[used]).sum())
    made = glm.Fit(
        family="negative-binomial",
        coef=found.coef,
        x=x,
        mu=mu,
        offset=o,
        weights=w,
        bread=found.cov,
        influence=influence,
        dispersion=pearson / (int(used.sum()) - x.shape[1]),
        deviance=found.deviance,
        iterations=start.iterations,
    )
    return made, found


def _moment(y: np.ndarray, mu: np.ndarray, w: np.ndarray, columns: int) -> float:
    """Theta that makes Pearson's chi-squared as large as its degrees of freedom."""
    low, high = np.log(1e-4), np.log(LARGEST)
    df = (1 - columns / len(y)) * float(w.sum())

    def excess(log_theta: float) -> float:
        return float((w * (y - mu) ** 2 / (mu + mu**2 / np.exp(log_theta))).sum()) - df

    if excess(high) <= 0:
        _refuse()
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return float(np.exp((low + high) / 2))


def _information(y: np.ndarray, mu: np.ndarray, w: np.ndarray, theta: float) -> float:
    """Less the second derivative of the likelihood by theta."""
    parts = polygamma(1, theta) - polygamma(1, y + theta) - 1 / theta + 2 / (mu + theta)
    return float(w @ (parts - (y + theta) / (mu + theta) ** 2))


def _theta_step(y: np.ndarray, mu: np.ndarray, w: np.ndarray, log_theta: float) -> float:
    """The logarithm of theta of largest likelihood at these means."""
    for _ in range(STEPS):
        theta = float(np.exp(log_theta))
        share = (y + theta) / (mu + theta)
        parts = digamma(y + theta) - digamma(theta) + np.log(theta / (mu + theta)) + 1 - share
        first, second = float(w @ parts), -_information(y, mu, w, theta)
        slope, curve = theta * first, theta * first + theta**2 * second
        step = -slope / curve if curve < 0 else np.sign(slope)
        step = float(np.clip(step, -1.0, 1.0))
        log_theta += step
        if np.exp(log_theta) > LARGEST:
            _refuse()
        if abs(step) < SETTLED:
            break
    return log_theta


def _coefficients(
    y: np.ndarray, x: np.ndarray, offset: np.ndarray, w: np.ndarray, coef: np.ndarray, theta: float
) -> np.ndarray:
    """Coefficients of largest likelihood at this theta: it is concave in them, so Newton steps find it."""
    reached = _log_likelihood(y, np.exp(offset + x @ coef), w, theta)
    for _ in range(STEPS):
        mu = np.exp(offset + x @ coef)
        working = w * mu * (1 + y / theta) / (1 + mu / theta) ** 2
        step = np.linalg.solve((x * working[:, None]).T @ x, x.T @ (w * (y - mu) / (1 + mu / theta)))
        share = 1.0
        while share > 1e-6:
            new = coef + share * step
            with np.errstate(over="ignore", invalid="ignore"):  # a step too far is halved
                value = _log_likelihood(y, np.exp(offset + x @ new), w, theta)
            if value >= reached - 1e-10 * abs(reached):
                break
            share /= 2
        coef, reached = new, value
        if np.abs(x @ step).max() < SETTLED / 10:
            break
    return np.asarray(coef)


def _log_likelihood(y: np.ndarray, mu: np.ndarray, w: np.ndarray, theta: float) -> float:
    parts = gammaln(y + theta) - gammaln(theta) - gammaln(y + 1) + theta * np.log(theta)
    return float(w @ (parts + xlogy(y, mu) - (y + theta) * np.log(mu + theta)))


def _refuse() -> None:
    raise NoSpread(
        "the counts vary no more than Poisson counts, so the negative binomial has no finite theta"
    )
