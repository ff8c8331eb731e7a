r"""How the errors of a series of counts hang together, and the intervals that follow.

On the working scale of :mod:`~ucimpact.inference.count_series`, :math:`\mathrm{var}(u) = \sigma^2 V`:

===================== ================================ =================================================
choice                V                                interval
===================== ================================ =================================================
``Mixture()``         :math:`(1-c)I + cR(\rho)`        t averaged over :math:`\rho` and c, the default
``WeightedReml()``    :math:`R(\rho)`, an AR(1)        REML, Kenward-Roger, Satterthwaite; the average
                                                       over :math:`\rho` where degrees of freedom are < 5
``QuasiPoisson()``    I                                t on n - p
``NegativeBinomial()`` I, variance :math:`\mu + \mu^2/\theta` maximum likelihood, t on n - p
``HacPoisson()``      any, by Newey and West           t on n - p
===================== ================================ =================================================

**Mixture.** A rate that wanders, seen through the chance variation of counts [1]_, is an AR(1) plus
white noise. From a few dozen months the share c that carries over cannot be learned, and an AR(1) alone
takes it to be all: it then understates how long things carry over, the more so the longer the series.
So effects are averaged over seven values of :math:`\rho` and four of c
(:func:`~ucimpact.inference.mixture.ar1_plus_noise`) with the prior

.. math:: (1 + \rho)\,(1 - \rho)^{-0.3}\, c^2

in each cell of the grid times its width. It was chosen among some twenty by simulation: of those under
which the cover stayed above 90% for 16 to 192 months with :math:`\rho` up to 0.8, it was among the
narrowest (``docs/methods/count_its.md``). The estimate is the mean of that average.

**WeightedReml.** With :math:`\rho` by moments this would be a generalised estimating equation with a
working AR(1) correlation [2]_. Its sandwich does not exist here: one series is one cluster, whose score
is 0 at the estimate. So its variance is that of the model.

**HacPoisson.** :math:`B\{\Gamma_0 + \sum_{l \le L} (1 - \tfrac{l}{L+1})(\Gamma_l + \Gamma_l')\}B` with
:math:`\Gamma_l = \sum_t s_t s_{t-l}'`, scores :math:`s_t = (y_t - \mu_t)x_t` and
:math:`B = (X'WX)^{-1}` [3]_, times n / (n - p) where ``adjust`` says so; L = 0 without it is HC0. In
short series with a trend it covers 80% at a nominal 95%, whatever L: for comparison only.

References
----------
.. [1] Zeger, S. L. (1988). A regression model for time series of counts. *Biometrika* 75(4), 621-629.
.. [2] Liang, K.-Y. and Zeger, S. L. (1986). Longitudinal data analysis using generalized linear
   models. *Biometrika* 73(1), 13-22.
.. [3] Newey, W. K. and West, K. D. (1987). A simple, positive semi-definite, heteroskedasticity and
   autocorrelation consistent covariance matrix. *Econometrica* 55(3), 703-708.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtri

from ucimpact.errors import UsageError
from ucimpact.inference.count_series import CountSeries
from ucimpact.inference.fitted_series import WithT
from ucimpact.inference.mixture import COUNTED, TMixture, ar1_plus_noise
from ucimpact.inference.negative_binomial import NegativeBinomialFit, negative_binomial
from ucimpact.inference.timeseries import LEAST_DF, Ar1Fit, Ols


@dataclass(frozen=True, kw_only=True, eq=False)
class OneT(WithT):
    """Coefficients with one covariance and one number of degrees of freedom.

    Attributes
    ----------
    coef : array (p,)
    cov : array (p, p)
    df : float
    """

    coef: np.ndarray
    cov: np.ndarray
    df: float

    @property
    def adjusted_cov(self) -> np.ndarray:
        """Covariance that the intervals use; shape (p, p)."""
        return self.cov

    def dfs(self, contrasts: np.ndarray) -> np.ndarray:
        """Degrees of freedom of each contrast, shape (m,)."""
        return np.full(len(np.atleast_2d(contrasts)), self.df)


Spread = TMixture | Ar1Fit | OneT


@dataclass(frozen=True, kw_only=True, eq=False)
class CountFit:
    """The log mean of a series of counts, and how sure it is.

    Attributes
    ----------
    series : CountSeries
    spread : TMixture, Ar1Fit or OneT
        Distribution of the coefficients, those of periods that do not count after the p.
    mu : array (n,)
        Means by which the counts were fitted, before what carries over.
    negative_binomial : NegativeBinomialFit, optional
    """

    series: CountSeries
    spread: Spread
    mu: np.ndarray
    negative_binomial: NegativeBinomialFit | None = None

    @cached_property
    def coef(self) -> np.ndarray:
        """Coefficients of the log mean, shape (p,)."""
        whole = self.spread.coef
        if isinstance(self.spread, TMixture):
            whole = self.spread.weights @ whole
        return np.asarray(whole[: self.series.columns])

    @cached_property
    def cov(self) -> np.ndarray:
        """Covariance of the coefficients, shape (p, p); of an average, within cells and between them."""
        p = self.series.columns
        if not isinstance(self.spread, TMixture):
            return self.spread.adjusted_cov[:p, :p]
        away = self.spread.coef[:, :p] - self.coef
        within = np.tensordot(self.spread.weights, self.spread.cov[:, :p, :p], axes=1)
        return np.asarray(within * _t_variance(self.spread.df) + (away.T * self.spread.weights) @ away)

    @property
    def rho(self) -> float | None:
        """Autocorrelation from one period to the next, where it has one value."""
        return self.spread.rho if isinstance(self.spread, Ar1Fit) and self.spread.var_rho > 0 else None

    def padded(self, contrasts: np.ndarray) -> np.ndarray:
        """Contrasts of the p coefficients with noughts for periods that do not count, shape (m, p + k)."""
        contrasts = np.atleast_2d(contrasts)
        return np.pad(contrasts, ((0, 0), (0, self.spread.coef.shape[-1] - contrasts.shape[1])))

    def decided(self, contrast: np.ndarray) -> tuple[str, Spread]:
        """Key of the procedure of a contrast, see :data:`ROUTES`, and the procedure."""
        if isinstance(self.spread, TMixture):
            return "mixture", self.spread
        if isinstance(self.spread, OneT):
            return ("hac" if self.negative_binomial is None else "negative-binomial"), self.spread
        if self.spread.var_rho == 0:
            return "quasi-poisson", self.spread
        own = self.spread.dfs(self.padded(contrast))[0] >= LEAST_DF
        return ("kenward-roger", self.spread) if own else ("rho-averaged", self.spread.averaged)

    def df(self, contrast: np.ndarray) -> float:
        """Degrees of freedom of a contrast; ``nan`` for an average."""
        spread = self.decided(contrast)[1]
        return np.nan if isinstance(spread, TMixture) else float(spread.dfs(self.padded(contrast))[0])

    def limits(self, contrasts: np.ndarray, level: float, *, leader: np.ndarray) -> np.ndarray:
        """Limits of contrasts by the procedure of one of them, the ``leader``; shape (m, 2)."""
        return self.decided(leader)[1].limits(self.padded(contrasts), level)

    def row(self, contrast: np.ndarray, level: float, *, shift: float = 0.0) -> dict[str, Any]:
        """An effect ``contrast @ coef + shift`` with its interval; a contrast of (p,) or (p + k,).

        Of an average there is no single t: ``df`` is empty and ``std_error`` is the half-width over the
        normal quantile.
        """
        spread, wide = self.decided(contrast)[1], self.padded(contrast)
        moved = replace(spread, coef=spread.coef + wide[0] * (shift / (wide[0] @ wide[0])))
        low, high = map(float, moved.limits(wide, level)[0])
        below = float(moved.below(wide)[0])
        if isinstance(moved, TMixture):
            estimate = float(moved.weights @ moved.coef @ wide[0])
            error = (high - low) / 2 / float(ndtri((1 + level) / 2))
        else:
            estimate, error = float(moved.coef @ wide[0]), float(moved.std_errors(wide)[0])
        return {
            "estimate": estimate,
            "std_error": error,
            "statistic": estimate / error,
            "df": self.df(contrast),
            "p_value": 2 * min(below, 1 - below),
            "conf_low": low,
            "conf_high": high,
        }


def _t_variance(df: float) -> float:
    """Variance of a t over its squared scale."""
    return df / (df - 2) if df > 2 else np.inf


ROUTES = {
    "mixture": "log-linear regression of counts, AR(1) seen through chance variation, t averaged over both",
    "kenward-roger": "weighted REML AR(1) on the working response of counts, Kenward-Roger variance, "
    "t on {df:.1f} degrees of freedom (Satterthwaite)",
    "rho-averaged": "weighted AR(1) on the working response of counts, t averaged over the autocorrelation",
    "quasi-poisson": "quasi-Poisson, independent periods, t on {df:.0f} degrees of freedom",
    "negative-binomial": "negative binomial, independent periods, t on {df:.0f} degrees of freedom",
    "hac": "Poisson with Newey-West variance of the scores, t on {df:.0f} degrees of freedom",
}
"""How an interval came about, by its key."""


@dataclass(frozen=True)
class Mixture:
    """A rate that wanders, seen through the chance variation of counts; averaged over what is not known."""

    def of(self, series: CountSeries) -> CountFit:
        """Fit a series."""
        spread = ar1_plus_noise(*series.working, COUNTED)
        return CountFit(series=series, spread=spread, mu=series.poisson.mu)


@dataclass(frozen=True)
class WeightedReml:
    """Errors that are an AR(1) on the working scale: a working correlation, with the model's own variance."""

    def of(self, series: CountSeries) -> CountFit:
        """Fit a series."""
        return CountFit(series=series, spread=series.reml, mu=series.poisson.mu)


@dataclass(frozen=True)
class QuasiPoisson:
    """Independent periods that vary more than Poisson counts. Too narrow where rates wander."""

    def of(self, series: CountSeries) -> CountFit:
        """Fit a series."""
        return CountFit(series=series, spread=Ols().of(*series.working), mu=series.poisson.mu)


@dataclass(frozen=True)
class NegativeBinomial:
    """Independent periods with variance ``mu + mu**2 / theta``. Too narrow where rates wander."""

    def of(self, series: CountSeries) -> CountFit:
        """Fit a series."""
        used = series.used
        fit = negative_binomial(
            series.y[used], series.x[used], series.offset[used], start=series.poisson.coef
        )
        spread = OneT(coef=fit.coef, cov=fit.cov, df=series.residual_df)
        mu = np.exp(series.offset + series.x @ fit.coef)
        return CountFit(series=series, spread=spread, mu=mu, negative_binomial=fit)


@dataclass(frozen=True)
class HacPoisson:
    """Poisson means with Newey and West's variance.

    Parameters
    ----------
    lags : int, optional
        Of the scores; left out, the whole part of ``4 (n / 100) ** (2 / 9)``.
    adjust : bool, default True
        Whether the variance is multiplied by n / (n - p).
    """

    lags: int | None = None
    adjust: bool = True

    def __post_init__(self) -> None:
        if self.lags is not None and self.lags < 0:
            raise UsageError(f"lags = {self.lags}: give a number of periods, 0 for none")

    def of(self, series: CountSeries) -> CountFit:
        """Fit a series."""
        fit = series.poisson
        lags = int(4 * (series.used.sum() / 100) ** (2 / 9)) if self.lags is None else self.lags
        scores = np.where(series.used, series.y - fit.mu, 0.0)[:, None] * series.x
        cov = fit.bread @ newey_west(scores, lags) @ fit.bread
        if self.adjust:
            cov = cov * (series.used.sum() / series.residual_df)
        return CountFit(series=series, spread=OneT(coef=fit.coef, cov=cov, df=series.residual_df), mu=fit.mu)


CountErrors = Mixture | WeightedReml | QuasiPoisson | NegativeBinomial | HacPoisson


def newey_west(scores: np.ndarray, lags: int) -> np.ndarray:
    """Variance of the sum of scores (n, p) that hang together over ``lags`` periods, shape (p, p)."""
    total = scores.T @ scores
    for lag in range(1, min(lags, len(scores) - 1) + 1):
        together = scores[lag:].T @ scores[:-lag]
        total = total + (1 - lag / (lags + 1)) * (together + together.T)
    return np.asarray(total)
