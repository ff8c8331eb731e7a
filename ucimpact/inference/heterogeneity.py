r"""How far the effects of several sites differ beyond chance: the variance between sites, tau squared.

Each of :math:`k` sites has an effect :math:`y_i` with sampling variance :math:`v_i`,

.. math:: y_i = x_i'\beta + u_i + e_i, \qquad u_i \sim (0, \tau^2), \quad e_i \sim (0, v_i)

With :math:`W = \mathrm{diag}\{1/(v_i + \tau^2)\}`, :math:`P = W - WX(X'WX)^{-1}X'W` and
:math:`p` columns in :math:`X` (one of ones, for an average):

- ``"reml"`` and ``"ml"`` solve :math:`y'PPy = \mathrm{tr} P` and :math:`y'PPy = \mathrm{tr} W` [1]_
- ``"pm"`` and ``"eb"`` solve :math:`y'Py = k - p` (Paule-Mandel and empirical Bayes: one equation)
- ``"dl"`` [2]_, ``"he"`` and ``"sj"`` [3]_ have closed forms: a weighted sum of squares, with weights
  :math:`1/v_i`, with none, and with :math:`1/(v_i + \tau_0^2)`, :math:`\tau_0^2` the plain variance of
  the effects around their mean
- ``"fixed"`` is 0: one effect in all sites

An estimate below 0 is taken as 0. The standard error of :math:`\tau^2` is that of the restricted (or
whole) likelihood, :math:`\sqrt{2 / \mathrm{tr} PP}` (:math:`\sqrt{2/\mathrm{tr}WW}`), or follows from the
variance of the quadratic form that was solved. Limits come from
:math:`Q(\tau^2) = y'Py \sim \chi^2_{k-p}` turned round (Q-profile [1]_): with few sites
:math:`\tau^2 \pm 1.96\,se` means little.

References
----------
.. [1] Viechtbauer, W. (2007). Confidence intervals for the amount of heterogeneity in meta-analysis.
   *Statistics in Medicine* 26(1), 37-52.
.. [2] DerSimonian, R. and Laird, N. (1986). Meta-analysis in clinical trials. *Controlled Clinical
   Trials* 7(3), 177-188.
.. [3] Sidik, K. and Jonkman, J. N. (2005). Simple heterogeneity variance estimation for meta-analysis.
   *Applied Statistics* 54(2), 367-384.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError

ESTIMATORS = ("reml", "ml", "dl", "pm", "he", "sj", "eb", "fixed")
DOUBLINGS = 200
HALVINGS = 200
CLOSE = 1e-13
"""Relative width at which a bracket counts as a root."""

SCAN = 60
"""Values of tau squared among which the least deviance is looked for first."""

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighted:
    """The regression of effects at one tau squared.

    Attributes
    ----------
    coef : array (p,)
    inverse : array (p, p)
        :math:`(X'WX)^{-1}`.
    weights : array (k,)
        :math:`1/(v_i + \\tau^2)`.
    residuals : array (k,)
    projection : array (k, k)
        P above.
    """

    coef: Array
    inverse: Array
    weights: Array
    residuals: Array
    projection: Array

    @classmethod
    def at(cls, y: Array, weights: Array, x: Array) -> Weighted:
        """Weighted least squares of ``y`` (k,) on ``x`` (k, p)."""
        weighted = weights[:, None] * x
        inverse = np.linalg.inv(x.T @ weighted)
        coef = inverse @ (weighted.T @ y)
        return cls(
            coef=coef,
            inverse=inverse,
            weights=weights,
            residuals=y - x @ coef,
            projection=np.diag(weights) - weighted @ inverse @ weighted.T,
        )

    @property
    def q(self) -> float:
        """The weighted sum of squares, :math:`y'Py`."""
        return float(self.weights @ self.residuals**2)

    @property
    def pull(self) -> float:
        """:math:`y'PPy`."""
        return float(self.weights**2 @ self.residuals**2)


@dataclass(frozen=True)
class Heterogeneity:
    """Tau squared and its standard error; the latter is 0 where it was fixed at 0."""

    tau2: float
    std_error: float


def heterogeneity(y: Array, v: Array, x: Array, method: str) -> Heterogeneity:
    """Tau squared of effects ``y`` (k,) with variances ``v`` (k,) around ``x`` (k, p).

    Raises
    ------
    EstimationError
        For variances that are not positive, or no more sites than terms.
    ValueError
        For a method that is not in :data:`ESTIMATORS`.
    """
    if method not in ESTIMATORS:
        raise ValueError(f'there is no estimator "{method}" of tau squared; use one of {ESTIMATORS}')
    if not (np.isfinite(v).all() and (v > 0).all() and np.isfinite(y).all()):
        raise EstimationError("each effect needs a number and a variance above 0; leave the others out")
    k, p = x.shape
    if k <= p:
        raise EstimationError(f"{k} sites cannot carry {p} terms; bring more sites")
    if method == "fixed":
        return Heterogeneity(0.0, 0.0)
    if method in ("dl", "he", "sj"):
        return _closed(y, v, x, method)

    def at(tau2: float) -> Weighted:
        return Weighted.at(y, 1 / (v + tau2), x)

    if method in ("pm", "eb"):
        tau2 = _root(lambda t: at(t).q - (k - p), float(v.mean()))
        trace = float(np.trace(at(tau2).projection))
        return Heterogeneity(tau2, float(np.sqrt(2 * (k - p)) / trace))
    tau2 = _likeliest(at, v, y, restricted=method == "reml")
    fit = at(tau2)
    information = np.sum(fit.projection**2) if method == "reml" else np.sum(fit.weights**2)
    return Heterogeneity(tau2, float(np.sqrt(2 / information)))


def q_profile(y: Array, v: Array, x: Array, level: float) -> tuple[float, float]:
    """Limits of tau squared from the chi-squared of Q; each at least 0."""
    from scipy.special import chdtri

    df = len(y) - x.shape[1]
    tail = (1 - level) / 2

    def limit(quantile: float) -> float:
        return _root(lambda t: Weighted.at(y, 1 / (v + t), x).q - quantile, float(v.mean()))

    return limit(float(chdtri(df, tail))), limit(float(chdtri(df, 1 - tail)))


def _closed(y: Array, v: Array, x: Array, method: str) -> Heterogeneity:
    """A quadratic form :math:`y'Ay` less what chance gives it, over :math:`\\mathrm{tr} A`."""
    k, p = x.shape
    if method == "sj":
        start = float(np.mean((y - y.mean()) ** 2))
        if start == 0:
            return Heterogeneity(0.0, 0.0)
        form = Weighted.at(y, 1 / (v + start), x).projection * start / (k - p)
        tau2 = float(y @ form @ y)
        return Heterogeneity(tau2, _spread(form, v + tau2))
    form = Weighted.at(y, 1 / v if method == "dl" else np.ones(k), x).projection
    form = form / np.trace(form)
    tau2 = max(float(y @ form @ y) - float(np.diag(form) @ v), 0.0)
    return Heterogeneity(tau2, _spread(form, v + tau2))


def _spread(form: Array, variance: Array) -> float:
    """Standard deviation of a quadratic form in normal effects with these variances."""
    moved = form * variance
    return float(np.sqrt(2 * np.sum(moved * moved.T)))


def _root(falling: Callable[[float], float], step: float) -> float:
    """Where a falling function of tau squared crosses 0; 0 where it starts below."""
    if falling(0.0) <= 0:
        return 0.0
    low, high = 0.0, step
    for _ in range(DOUBLINGS):
        if falling(high) <= 0:
            break
        low, high = high, 2 * high
    return _halve(falling, low, high)


def _halve(falling: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(HALVINGS):
        if high - low <= CLOSE * high:
            break
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def _likeliest(at: Callable[[float], Weighted], v: Array, y: Array, *, restricted: bool) -> float:
    """The tau squared of least (restricted) deviance: a scan, then the score inside its bracket."""

    def deviance(tau2: float) -> float:
        fit = at(tau2)
        size = -float(np.linalg.slogdet(fit.inverse)[1]) if restricted else 0.0
        return fit.q - float(np.log(fit.weights).sum()) + size

    def score(tau2: float) -> float:
        fit = at(tau2)
        trace = np.trace(fit.projection) if restricted else fit.weights.sum()
        return fit.pull - float(trace)

    most = max(10 * float(np.var(y)), float(v.min()))
    tried = np.concatenate([[0.0], np.geomspace(min(1e-4 * float(v.min()), most / 2), most, SCAN)])
    best = int(np.argmin([deviance(t) for t in tried]))
    low, high = tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)]
    if score(low) <= 0:
        return float(low)
    return _halve(score, float(low), float(high))
