r"""Generalised linear models by exact Newton steps, robust variances, and effects by g-computation.

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

Only the mean has to be right: the robust variances below hold whatever the variance of the outcome is
[1]_. Each row adds :math:`B s_i` to the coefficients (its *influence*), and a variance is a sum of squares
of influences, summed first within clusters:

===== ==================================== ========================================
name  clusters                             factor
===== ==================================== ========================================
HC0   every row its own                    1
HC1   every row its own                    n/(n-K)
CR0   given                                1
CR1   given                                G/(G-1) x (n-1)/(n-K)
===== ==================================== ========================================

CR1 is ``vcovCL(type = "HC1")`` of the R package sandwich. Two-way clustering adds the two variances and
takes off that of the groups where both agree, each with its own factor [2]_; if that leaves a negative
variance somewhere, its negative part is taken as 0. B is made from the expected information, as in R.

**G-computation.** The effect on the people of a target group (the pilot people: ATT) compares the mean
outcome that the model foresees for them with and without the service, all else being theirs:

.. math:: \Delta = \bar\mu^1 - \bar\mu^0, \quad \log R = \log\bar\mu^1 - \log\bar\mu^0, \quad
          \bar\mu^a = \sum_{i \in T} v_i\, g^{-1}(o_i + x_i(a)'\hat\beta) \Big/ \sum_{i \in T} v_i ,

with influences by the chain rule. Who is in the target group is taken as given: the question is what the
service changed for those who had it.

References
----------
.. [1] Gourieroux, C., Monfort, A. and Trognon, A. (1984). Pseudo maximum likelihood methods: applications
   to Poisson models. *Econometrica* 52(3), 701-720.
.. [2] Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2011). Robust inference with multiway clustering.
   *Journal of Business & Economic Statistics* 29(2), 238-249, eq. 2.11 and section 2.3.
.. [3] Boos, D. D. (1992). On generalized score tests. *The American Statistician* 46(4), 327-333.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from ucimpact.errors import EstimationError

Array = np.ndarray
Family = Literal["poisson", "gamma", "gaussian", "logit"]
Kind = Literal["model", "HC0", "HC1", "CR0", "CR1"]
Clusters = Array | tuple[Array, Array]

STEPS = 100
TOLERANCE = 1e-15
"""A step that would change the deviance by less than this share of it is the last."""
ROUNDING = 1e-12
SMALLEST_SHARE = 1e-6
"""A step is halved while it makes the fit worse, to no less than this share of it."""
COLLINEAR = 1e-9
LARGEST = 700.0
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
    scores : array (n_rows, n_columns)
    dispersion : float
        Pearson's chi-squared over its degrees of freedom; 1 is what the Poisson and logit models expect.
    deviance : float
    iterations : int
        A fit that does not converge is refused.
    """

    family: Family
    coef: Array
    x: Array
    mu: Array
    offset: Array
    weights: Array
    bread: Array
    scores: Array
    dispersion: float
    deviance: float
    iterations: int

    @property
    def influence(self) -> Array:
        """What each row adds to each coefficient, shape (n_rows, n_columns)."""
        return np.asarray(self.scores @ self.bread)

    def cov(self, kind: Kind = "HC1", clusters: Clusters | None = None) -> Array:
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


def sandwich(
    influence: Array, clusters: Clusters | None = None, kind: Kind = "HC1", parameters: int = 0
) -> Array:
    """Covariance of whatever has these influences, by the conventions at the top.

    Parameters
    ----------
    influence : array (n_rows, n_effects)
    clusters : array (n_rows,) or two such arrays, optional
    kind : {"HC0", "HC1", "CR0", "CR1"}
    parameters : int
        K of the table: columns of the model that the rows were fitted with.
    """
    n = len(influence)
    if (clusters is None) != (kind in ("HC0", "HC1")):
        raise ValueError(f"{kind} needs {'no ' if kind in ('HC0', 'HC1') else ''}clusters")
    if clusters is None:
        return np.asarray(influence.T @ influence * (n / (n - parameters) if kind == "HC1" else 1.0))
    if not isinstance(clusters, tuple):
        return _one_way(influence, clusters, kind, parameters)
    first, second = clusters
    both = np.unique(np.column_stack([first, second]), axis=0, return_inverse=True)[1].reshape(-1)
    cov = _one_way(influence, first, kind, parameters) + _one_way(influence, second, kind, parameters)
    cov = cov - _one_way(influence, both, kind, parameters)
    values, vectors = np.linalg.eigh((cov + cov.T) / 2)
    return cov if values[0] >= 0 else np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _one_way(influence: Array, clusters: Array, kind: Kind, parameters: int) -> Array:
    n = len(influence)
    codes = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    groups = int(codes.max()) + 1
    if groups < 2:
        raise EstimationError("a variance between clusters needs 2 clusters or more; there is 1")
    sums = np.zeros((groups, influence.shape[1]))
    np.add.at(sums, codes, influence)
    factor = groups / (groups - 1) * (n - 1) / (n - parameters) if kind == "CR1" else 1.0
    return np.asarray(factor * sums.T @ sums)


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
    n, columns = x.shape
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    o = np.zeros(n) if offset is None else np.asarray(offset, dtype=float)
    used = w > 0
    _refuse(family, y[used], x[used], w[used])
    y, size = np.where(used, y, np.average(y[used])), _size(family, y, w)
    coef, eta, deviance = np.zeros(columns), _first_eta(family, o, y, w), np.inf
    mu, slope, variance = _mean(family, eta)
    bread = _inverse(x, w * slope**2 / variance)
    for iterations in range(1, STEPS + 1):  # noqa: B007 - how many it took is reported
        step = bread @ (x.T @ (w * slope / variance * (slope * (eta - o) + y - mu))) - coef
        reached, share = np.nan, 2.0
        while not reached <= deviance * (1 + ROUNDING) + ROUNDING * size and share > SMALLEST_SHARE:
            share /= 2
            eta = o + x @ (coef + share * step)
            mu, slope, variance = _mean(family, eta)
            reached = _deviance(family, y, mu, w)
        coef, deviance = coef + share * step, reached
        bread = _inverse(x, w * slope**2 / variance)
        scores = (w * slope / variance * (y - mu))[:, None] * x
        gradient = scores.sum(axis=0)
        if float(gradient @ bread @ gradient) <= TOLERANCE * (deviance + size):
            break
    else:
        raise EstimationError(f"the {family} model did not converge in {STEPS} steps")
    _refuse_separation(family, y, x, w, bread)
    residual = int(used.sum()) - columns
    pearson = float((w * (y - mu) ** 2 / variance)[used].sum())
    dispersion = pearson / residual if residual > 0 else float("nan")
    return Fit(family, coef, x, mu, o, w, bread, scores, dispersion, float(deviance), iterations)


def _mean(family: Family, eta: Array) -> tuple[Array, Array, Array]:
    """Mean, its derivative by the linear predictor, and the variance function."""
    if family == "gaussian":
        return eta, np.ones_like(eta), np.ones_like(eta)
    if family == "logit":
        mu = 1.0 / (1.0 + np.exp(-np.clip(eta, -LARGEST, LARGEST)))
        return mu, mu * (1 - mu), mu * (1 - mu)
    mu = np.exp(np.clip(eta, -LARGEST, LARGEST))
    return mu, mu, mu if family == "poisson" else mu**2


def _deviance(family: Family, y: Array, mu: Array, w: Array) -> float:
    if family == "gaussian":
        parts = (y - mu) ** 2
    elif family == "logit":
        parts = -2 * (special.xlogy(y, mu) + special.xlogy(1 - y, 1 - mu))
    elif family == "poisson":
        parts = 2 * (special.xlogy(y, y) - special.xlogy(y, mu) - y + mu)
    else:
        parts = 2 * (y / mu - 1 - np.log(y / mu))
    return float((w * parts).sum())


def _first_eta(family: Family, offset: Array, y: Array, w: Array) -> Array:
    """Each outcome drawn half way to the average of all, on the scale of the link."""
    if family == "gaussian":
        return offset
    mean = (y + np.average(y, weights=w)) / 2
    return np.asarray(np.log(mean / (1 - mean)) if family == "logit" else np.log(mean))


def _size(family: Family, y: Array, w: Array) -> float:
    """How large the deviance of the outcome itself is, to tell a small step from a large one."""
    mean = np.average(y[w > 0], weights=w[w > 0])
    variance = {"gaussian": 1.0, "logit": mean * (1 - mean), "poisson": mean, "gamma": mean**2}[family]
    return float((w * y**2)[w > 0].sum() / variance)


def _inverse(x: Array, working: Array) -> Array:
    """(X'WX)^-1, worked in columns of equal length."""
    normal = (x * working[:, None]).T @ x
    length = np.sqrt(np.where(np.diag(normal) > 0, np.diag(normal), 1.0))
    inverse = np.linalg.pinv(normal / np.outer(length, length), rcond=1e-14, hermitian=True)
    return np.asarray(inverse / np.outer(length, length))


def _refuse(family: Family, y: Array, x: Array, w: Array) -> None:
    """Refuse what no step could mend."""
    if len(y) <= x.shape[1]:
        raise EstimationError(f"{len(y)} rows cannot tell {x.shape[1]} coefficients apart")
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise EstimationError("the outcome or a column of the model has cells that are not numbers")
    if family == "gamma" and (y <= 0).any():
        raise EstimationError("a gamma model needs outcomes above 0. Use two_part, or poisson.")
    if family == "poisson" and (y < 0).any():
        raise EstimationError("a poisson model needs outcomes of at least 0. Use gaussian.")
    if family in ("poisson", "logit") and not (y != 0).any():
        raise EstimationError("the outcome never happened to anybody, so there is nothing to compare")
    if family == "logit" and (y == 1).all():
        raise EstimationError("the outcome happened to everybody, so there is nothing to compare")
    root = x * np.sqrt(w)[:, None]
    length = np.linalg.norm(root, axis=0)
    left = np.abs(np.diag(np.linalg.qr(root, mode="r")))
    lost = np.flatnonzero(left <= COLLINEAR * np.where(length > 0, length, 1.0))
    if len(lost):
        raise EstimationError(f"column {lost[0]} of the model is a combination of the columns before it")


def _refuse_separation(family: Family, y: Array, x: Array, w: Array, bread: Array) -> None:
    """A group in which nothing (or all) happened has no finite coefficient, only ever smaller steps."""
    if family not in ("poisson", "logit"):
        return
    mean = np.average(y, weights=w)
    spread = np.average((x - np.average(x, axis=0, weights=w)) ** 2, axis=0, weights=w)
    wild = np.flatnonzero(np.diag(bread) * spread * mean > SEPARATED)
    if len(wild):
        raise EstimationError(
            f"column {wild[0]} of the model marks people of whom none"
            f"{' or all' if family == 'logit' else ''} had the outcome, so that its coefficient has no "
            "finite value"
        )


@dataclass(frozen=True)
class Contrast:
    """Mean outcomes of a target group with and without the service.

    Attributes
    ----------
    with_service, without : float
        The two means.
    with_influence, without_influence : array (n_rows,)
        What each row adds to each of them.
    parameters : int
        Columns of the model, for the factors of CR1 and HC1.
    """

    with_service: float
    without: float
    with_influence: Array
    without_influence: Array
    parameters: int

    @property
    def difference(self) -> float:
        """Effect a person, in units of the outcome."""
        return self.with_service - self.without

    @property
    def log_ratio(self) -> float:
        """Log of the ratio of the means."""
        if min(self.with_service, self.without) <= 0:
            raise EstimationError("a ratio needs means above 0. Use the difference of means.")
        return float(np.log(self.with_service / self.without))

    @property
    def difference_influence(self) -> Array:
        """What each row adds to the difference, shape (n_rows,)."""
        return np.asarray(self.with_influence - self.without_influence)

    @property
    def log_ratio_influence(self) -> Array:
        """What each row adds to the log ratio, shape (n_rows,)."""
        return np.asarray(self.with_influence / self.with_service - self.without_influence / self.without)


def gcomputation(
    fit: Fit,
    treatment: int,
    target: Array,
    *,
    weights: Array | None = None,
    offset: Array | None = None,
) -> Contrast:
    """Mean outcomes of the target rows with the treatment column at 1 and at 0.

    Parameters
    ----------
    fit : Fit
    treatment : int
        Which column of ``fit.x`` marks the service.
    target : array of bool (n_rows,)
        Rows whose people the effect is for: the pilot people, for the ATT.
    weights : array (n_rows,), optional
        Weights of the target rows; those of the fit if not given.
    offset : array (n_rows,), optional
        Log exposure to foresee the outcome for, such as the whole horizon; that of the fit if not given.
    """
    share = np.where(target, fit.weights if weights is None else weights, 0.0)
    share = share / share.sum()
    means, influences = [], []
    for value in (1.0, 0.0):
        mean, gradient = predicted(fit, treatment, value, share, offset)
        means.append(mean)
        influences.append(fit.influence @ gradient)
    return Contrast(means[0], means[1], influences[0], influences[1], len(fit.coef))


def predicted(
    fit: Fit, treatment: int, value: float, share: Array, offset: Array | None = None
) -> tuple[float, Array]:
    """Weighted mean outcome with the treatment column at a value, and its gradient by the coefficients."""
    x = fit.x.copy()
    x[:, treatment] = value
    mu, slope, _ = _mean(fit.family, (fit.offset if offset is None else offset) + x @ fit.coef)
    return float(share @ mu), np.asarray((share * slope) @ x)


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
    """Robust score test of a log ratio of 0 in a Poisson model, for outcomes too rare for a Wald test [3]_.

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
