r"""Generalised linear models by Newton steps to the last digit, and what each row adds to them.

A model says that the mean :math:`\mu_i` of an outcome follows :math:`g(\mu_i) = o_i + x_i'\beta` and that
its variance goes with :math:`V(\mu_i)`. With weights :math:`w_i` and :math:`h_i = d\mu_i/d\eta_i` the
estimate solves

.. math:: \sum_i s_i = 0, \quad s_i = w_i \frac{h_i}{V(\mu_i)} (y_i - \mu_i) x_i, \qquad
          B = \Bigl(\sum_i w_i \frac{h_i^2}{V(\mu_i)} x_i x_i'\Bigr)^{-1} .

======== ======== ======================= =====================================================
family   link     :math:`V(\mu)`          for
======== ======== ======================= =====================================================
poisson  log      :math:`\mu`             counts, 0/1, and any amount not below 0 (ratio of means)
gamma    log      :math:`\mu^2`           amounts above 0
gaussian identity 1                       differences of means
logit    logit    :math:`\mu(1-\mu)`      yes or no
======== ======== ======================= =====================================================

Only the mean has to be right: the robust variances of :mod:`ucimpact.inference.sandwich` hold whatever the
variance of the outcome is [1]_. Each row adds :math:`B s_i` to the coefficients (its *influence*). B is made
from the expected information, as in R.

References
----------
.. [1] Gourieroux, C., Monfort, A. and Trognon, A. (1984). Pseudo maximum likelihood methods: applications
   to Poisson models. *Econometrica* 52(3), 701-720.
.. [2] Boos, D. D. (1992). On generalized score tests. *The American Statistician* 46(4), 327-333.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from ucimpact.errors import EstimationError
from ucimpact.inference.sandwich import Clusters, Kind, sandwich

Array = np.ndarray
Family = Literal["poisson", "gamma", "gaussian", "logit"]
Fitted = Literal[Family, "negative-binomial"]
"""A negative binomial model is fitted elsewhere, since it has a spread of its own to find."""

STEPS = 100
TOLERANCE = 1e-15
"""A step that would change the deviance by less than this share of it is the last."""
ROUNDING = 1e-12
SMALLEST_SHARE = 1e-6
"""A step is halved while it makes the fit worse, to no less than this share of it."""
COLLINEAR = 1e-9
LARGEST = 700.0
NO_MAXIMUM = "the model has no largest likelihood: a group of people never, or always, had the outcome"
SEPARATED = 1e3
"""Variance of a coefficient, in standard deviations of its column and events a row, that no data give."""


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    family : str
    coef : array (n_columns,)
    x : array (n_rows, n_columns)
    mu : array (n_rows,)
        Fitted means.
    offset, weights : array (n_rows,)
    bread : array (n_columns, n_columns)
        B above.
    influence : array (n_rows, n_columns)
        What each row adds to each coefficient; 0 in a row of weight 0.
    dispersion : float
        Pearson's chi-squared over its degrees of freedom; 1 is what the Poisson and logit models expect.
    deviance : float
    iterations : int
        A fit that does not converge is refused.
    """

    family: Fitted
    coef: Array
    x: Array
    mu: Array
    offset: Array
    weights: Array
    bread: Array
    influence: Array
    dispersion: float
    deviance: float
    iterations: int

    def cov(self, kind: Kind | Literal["model"] = "HC1", clusters: Clusters | None = None) -> Array:
        """Covariance of the coefficients.

        Parameters
        ----------
        kind : {"HC0", "HC1", "CR0", "CR1", "model"}
            "model" believes the variance of the family (times the dispersion for gamma and gaussian).
        clusters : array (n_rows,) or two such arrays
            Codes of clusters for CR0 and CR1.
        """
        if kind == "model":
            scale = self.dispersion if self.family in ("gamma", "gaussian") else 1.0
            return np.asarray(self.bread * scale)
        used = self.weights > 0
        if isinstance(clusters, tuple):
            clusters = (clusters[0][used], clusters[1][used])
        elif clusters is not None:
            clusters = clusters[used]
        return sandwich(self.influence[used], clusters, kind, len(self.coef))


def poisson(y: Array, x: Array, offset: Array | None = None, weights: Array | None = None) -> Fit:
    """Log-linear model of a mean. ``x`` (n_rows, n_columns) holds the intercept; offset is log exposure."""
    return fit("poisson", y, x, offset, weights)


def gamma(y: Array, x: Array, offset: Array | None = None, weights: Array | None = None) -> Fit:
    """Log-linear model of the mean of amounts above 0, whose spread goes with the mean."""
    return fit("gamma", y, x, offset, weights)


def gaussian(y: Array, x: Array, weights: Array | None = None) -> Fit:
    """Weighted least squares, as the others give it."""
    return fit("gaussian", y, x, None, weights)


def logit(y: Array, x: Array, weights: Array | None = None) -> Fit:
    """Logistic regression of a 0/1 outcome."""
    return fit("logit", y, x, None, weights)


def fit(family: Family, y: Array, x: Array, offset: Array | None = None, weights: Array | None = None) -> Fit:
    """Fit a family.

    Parameters
    ----------
    y : array (n_rows,)
    x : array (n_rows, n_columns)
        With a column of ones for the intercept.
    offset : array (n_rows,), optional
        Log of the exposure, for the log links.
    weights : array (n_rows,), optional
        A row of weight 0 takes no part.

    Raises
    ------
    EstimationError
        Where a column is a combination of those before it, the outcome is always 0, or a group of
        people never (or always) has the outcome, so that its coefficient has no finite value.
    """
    n = len(y)
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    o = np.zeros(n) if offset is None else np.asarray(offset, dtype=float)
    used = w > 0
    there = _Rows(family, y[used], o[used], w[used])
    _refuse(family, there.y)
    basis, to_basis = _basis(x[used], there.w)
    inner, bread, iterations = _newton(there, basis)
    from_basis = np.linalg.inv(to_basis)
    coef = from_basis @ inner
    eta = o + x @ coef
    eta[used] = there.o + basis @ inner
    mu, slope, variance = mean(family, eta)
    bread_out = from_basis @ bread @ from_basis.T
    _refuse_separation(family, there, x[used], bread_out)
    influence = np.zeros(x.shape)
    score = (w * slope / variance * (y - mu))[used, None] * basis
    influence[used] = score @ bread @ from_basis.T
    residual = int(used.sum()) - len(coef)
    pearson = float((w * (y - mu) ** 2 / variance)[used].sum())
    dispersion = pearson / residual
    deviance = there.deviance(mu[used])
    return Fit(family, coef, x, mu, o, w, bread_out, influence, dispersion, deviance, iterations)


@dataclass(frozen=True)
class _Rows:
    """The rows that take part."""

    family: Family
    y: Array
    o: Array
    w: Array

    def deviance(self, mu: Array) -> float:
        y = self.y
        if self.family == "gaussian":
            parts = (y - mu) ** 2
        elif self.family == "logit":
            parts = -2 * (special.xlogy(y, mu) + special.xlogy(1 - y, 1 - mu))
        elif self.family == "poisson":
            parts = 2 * (special.xlogy(y, y) - special.xlogy(y, mu) - y + mu)
        else:
            parts = 2 * (y / mu - 1 - np.log(y / mu))
        return float((self.w * parts).sum())

    def first_eta(self) -> Array:
        """Each outcome drawn half way to the average of all, on the scale of the link."""
        if self.family == "gaussian":
            return self.o
        half = (self.y + np.average(self.y, weights=self.w)) / 2
        return np.asarray(np.log(half / (1 - half)) if self.family == "logit" else np.log(half))

    def size(self) -> float:
        """How large the deviance of the outcome itself is, to tell a small step from a large one."""
        m = float(np.average(self.y, weights=self.w))
        variance = {"gaussian": 1.0, "logit": m * (1 - m), "poisson": m, "gamma": m**2}
        return float((self.w * self.y**2).sum() / variance[self.family])


def _basis(x: Array, w: Array) -> tuple[Array, Array]:
    """Columns that say what those of x say, apart from one another: x = basis @ to_basis.

    A year or a day number beside an intercept would cost half of the digits; here it costs none.
    """
    if len(x) <= x.shape[1]:
        raise EstimationError(f"{len(x)} rows cannot tell {x.shape[1]} coefficients apart")
    if not np.isfinite(x).all():
        raise EstimationError("a column of the model has cells that are not numbers")
    root = np.sqrt(w)[:, None]
    length = np.linalg.norm(x * root, axis=0)
    length = np.where(length > 0, length, 1.0)
    q, r = np.linalg.qr(x * root / length)
    lost = np.flatnonzero(np.abs(np.diag(r)) <= COLLINEAR)
    if len(lost):
        raise EstimationError(f"column {lost[0]} of the model is a combination of the columns before it")
    return q / root, r * length


def _newton(rows: _Rows, x: Array) -> tuple[Array, Array, int]:
    """Coefficients on a basis, (X'WX)^-1 at them, and the steps it took."""
    family, y, o, w = rows.family, rows.y, rows.o, rows.w
    eta, deviance, size = rows.first_eta(), np.inf, rows.size()
    mu, slope, variance = mean(family, eta)
    bread = _inverse(x, w * slope**2 / variance)
    coef = np.zeros(x.shape[1])
    step = bread @ (x.T @ (w * slope / variance * (slope * (eta - o) + y - mu)))
    for taken in range(1, STEPS + 1):
        reached, share = np.nan, 2.0
        while not reached <= deviance * (1 + ROUNDING) + ROUNDING * size and share > SMALLEST_SHARE:
            share /= 2
            eta = o + x @ (coef + share * step)
            mu, slope, variance = mean(family, eta)
            reached = rows.deviance(mu)
        coef, deviance = coef + share * step, reached
        bread = _inverse(x, w * slope**2 / variance)
        gradient = x.T @ (w * slope / variance * (y - mu))
        step = bread @ gradient
        if float(gradient @ step) <= TOLERANCE * (deviance + size):
            return coef, bread, taken
    raise EstimationError(f"the {family} model did not converge in {STEPS} steps. Use fewer columns.")


def mean(family: Fitted, eta: Array) -> tuple[Array, Array, Array]:
    """Mean, its derivative by the linear predictor, and the variance function (all spread aside)."""
    if family == "gaussian":
        return eta, np.ones_like(eta), np.ones_like(eta)
    if family == "logit":
        mu = 1.0 / (1.0 + np.exp(-np.clip(eta, -LARGEST, LARGEST)))
        return mu, mu * (1 - mu), mu * (1 - mu)
    mu = np.exp(np.clip(eta, -LARGEST, LARGEST))
    return mu, mu, mu**2 if family == "gamma" else mu


def _inverse(x: Array, working: Array) -> Array:
    """(X'WX)^-1."""
    try:
        return np.asarray(np.linalg.inv((x * working[:, None]).T @ x))
    except np.linalg.LinAlgError:
        raise EstimationError(NO_MAXIMUM) from None


def _refuse(family: Family, y: Array) -> None:
    """Refuse what no step could mend."""
    if not np.isfinite(y).all():
        raise EstimationError("the outcome has cells that are not numbers")
    if family == "gamma" and (y <= 0).any():
        raise EstimationError("a gamma model needs outcomes above 0. Use two_part, or poisson.")
    if family == "poisson" and (y < 0).any():
        raise EstimationError("a poisson model needs outcomes of at least 0. Use gaussian.")
    if family in ("poisson", "logit") and not (y != 0).any():
        raise EstimationError("the outcome never happened to anybody, so there is nothing to compare")
    if family == "logit" and (y == 1).all():
        raise EstimationError("the outcome happened to everybody, so there is nothing to compare")


def _refuse_separation(family: Family, rows: _Rows, x: Array, bread: Array) -> None:
    """A group in which nothing (or all) happened has no finite coefficient, only ever smaller steps."""
    if family not in ("poisson", "logit"):
        return
    w = rows.w
    events = np.average(rows.y, weights=w)
    spread = np.average((x - np.average(x, axis=0, weights=w)) ** 2, axis=0, weights=w)
    wild = np.flatnonzero(np.diag(bread) * spread * events > SEPARATED)
    if len(wild):
        raise EstimationError(
            f"column {wild[0]} of the model marks people of whom none"
            f"{' or all' if family == 'logit' else ''} had the outcome, so that its coefficient has no "
            "finite value"
        )


@dataclass(frozen=True)
class Score:
    """A test of no effect that needs no event on either side.

    Attributes
    ----------
    z : float
        Standard normal where there is no effect; nan where no event happened at all.
    log_ratio : float
        The first step from no effect towards the estimate: near it where effects are small, and finite
        where a group has no event.
    std_error : float
    influence : array (n_rows,)
        What each row adds to ``log_ratio``.
    """

    z: float
    log_ratio: float
    std_error: float
    influence: Array


def score_test(
    y: Array,
    x: Array,
    treatment: int,
    *,
    offset: Array | None = None,
    weights: Array | None = None,
    clusters: Clusters | None = None,
) -> Score:
    """Robust score test of a log ratio of 0 in a Poisson model, for outcomes too rare for a Wald test [2]_.

    The model is fitted without the treatment; the score of the treatment, less what the other columns
    explain of it, is compared with its own spread between rows or clusters. Wald ratios of 15 to 35
    deaths were beyond 2.58 standard errors in 2-4% of clean cohorts, where 1% was meant.
    """
    others = np.delete(x, treatment, axis=1)
    null = poisson(y, others, offset, weights)
    working = null.weights * null.mu
    explained = others @ (null.bread @ (others.T @ (working * x[:, treatment])))
    left = x[:, treatment] - explained
    rows = null.weights * (y - null.mu) * left
    information = float(working @ left**2)
    influence = rows / information
    kind: Kind = "HC0" if clusters is None else "CR0"
    std_error = float(np.sqrt(sandwich(influence[:, None], clusters, kind)[0, 0]))
    return Score(float(influence.sum()) / std_error, float(influence.sum()), std_error, influence)
