r"""One answer from the effects of several sites: random-effects meta-analysis.

.. math:: \hat\beta = (X'WX)^{-1}X'Wy, \qquad w_i = \frac{1}{v_i + \hat\tau^2}

With a column of ones, :math:`\hat\beta` is the average effect over a population of sites like these. How
far the sites differ, :math:`\tau^2`, is found as in :mod:`ucimpact.inference.heterogeneity`.

**Uncertainty.** Few sites leave :math:`\tau^2` open, and a normal interval that takes it as known is too
narrow. Hartung and Knapp [1]_ [2]_ measure the scatter of the sites themselves,

.. math:: q = \frac{1}{k-p}\sum_i w_i (y_i - x_i'\hat\beta)^2, \qquad
   \widehat{\mathrm{var}}(\hat\beta) = q\,(X'WX)^{-1}, \qquad t_{k-p}

With few sites of unequal size :math:`q` can fall far under 1 by chance. ``"modified"`` therefore uses
:math:`\max(1, q)` [3]_: with the t of :math:`k - p` degrees of freedom it is never narrower than the
ordinary interval. ``"knapp-hartung"`` is the plain form (what other programs call knha) and ``"normal"``
the ordinary one.

**A new site.** The prediction interval of Higgins, Thompson and Spiegelhalter [4]_,

.. math:: \hat\beta \pm t_{k-p-1}\sqrt{\hat\tau^2 + \widehat{\mathrm{var}}(\hat\beta)}

has :math:`k - 2` degrees of freedom for an average. Other programs use :math:`k - p`, or the normal: the
convention is a choice (``df``).

**How alike the sites are.** :math:`Q` is the weighted scatter at :math:`\tau^2 = 0`;
:math:`I^2 = \tau^2/(\tau^2 + \tilde v)` with the typical variance
:math:`\tilde v = (k-p)/\mathrm{tr}\,P(0)`; :math:`H^2 = 1 + \tau^2/\tilde v`. For one effect in all sites
(``"fixed"``) :math:`I^2 = \max(0, 1 - (k-p)/Q)`.

References
----------
.. [1] Hartung, J. and Knapp, G. (2001). A refined method for the meta-analysis of controlled clinical
   trials with binary outcome. *Statistics in Medicine* 20(24), 3875-3889.
.. [2] Knapp, G. and Hartung, J. (2003). Improved tests for a random effects meta-regression with a single
   covariate. *Statistics in Medicine* 22(17), 2693-2710.
.. [3] Roever, C., Knapp, G. and Friede, T. (2015). Hartung-Knapp-Sidik-Jonkman approach and its
   modification for random-effects meta-analysis with few studies. *BMC Medical Research Methodology* 15, 99.
.. [4] Higgins, J. P. T., Thompson, S. G. and Spiegelhalter, D. J. (2009). A re-evaluation of
   random-effects meta-analysis. *JRSS A* 172(1), 137-159.
.. [5] Egger, M. et al. (1997). Bias in meta-analysis detected by a simple, graphical test. *BMJ* 315,
   629-634.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

from ucimpact.errors import EstimationError
from ucimpact.inference.heterogeneity import ESTIMATORS, Weighted, heterogeneity, q_profile

Array = np.ndarray
ADJUSTMENTS = ("modified", "knapp-hartung", "normal")
LEAST_FOR_EGGER = 3

__all__ = ["ADJUSTMENTS", "ESTIMATORS", "Pooled", "pool"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pooled:
    """Effects of sites put together.

    Attributes
    ----------
    y, v : array (k,)
        Effects and their sampling variances.
    x : array (k, p)
        A column of ones, and what the effects may depend on.
    estimator, adjust : str
        How tau squared and the uncertainty were found.
    tau2, tau2_se : float
        Variance between sites, and its standard error.
    coef : array (p,)
        The average effect first.
    cov : array (p, p)
    scale : float
        What the ordinary covariance was multiplied by: :math:`q`, :math:`\\max(1, q)` or 1.
    df : float
        Of the t; infinite for the normal.
    q : float
        Scatter of the sites at tau squared 0, with k - p degrees of freedom.
    """

    y: Array
    v: Array
    x: Array
    estimator: str
    adjust: str
    tau2: float
    tau2_se: float
    coef: Array
    cov: Array
    scale: float
    df: float
    q: float

    @property
    def k(self) -> int:
        """How many sites there are."""
        return len(self.y)

    @property
    def residual_df(self) -> int:
        """Sites less terms."""
        return int(self.x.shape[0] - self.x.shape[1])

    @property
    def estimate(self) -> float:
        """The average effect."""
        return float(self.coef[0])

    @property
    def std_error(self) -> float:
        """Of the average effect."""
        return float(np.sqrt(self.cov[0, 0]))

    @property
    def std_errors(self) -> Array:
        """Of each coefficient, shape (p,)."""
        return np.asarray(np.sqrt(np.diag(self.cov)))

    @property
    def weights(self) -> Array:
        """Share of each site in the average, adding up to 1; shape (k,)."""
        weights = 1 / (self.v + self.tau2)
        return np.asarray(weights / weights.sum())

    @property
    def p_values(self) -> Array:
        """Of each coefficient against 0, shape (p,)."""
        z = np.abs(self.coef) / self.std_errors
        return np.asarray(2 * (ndtr(-z) if np.isinf(self.df) else stdtr(self.df, -z)))

    def limits(self, level: float = 0.95) -> Array:
        """Limits of each coefficient, shape (p, 2)."""
        half = _quantile(self.df, level) * self.std_errors
        return np.column_stack([self.coef - half, self.coef + half])

    def prediction(self, level: float = 0.95, df: float | None = None) -> tuple[float, float]:
        """Where the true effect of another such site lies; without one at k - p - 1 = 0, all numbers.

        Parameters
        ----------
        level : float
        df : float, optional
            Of the t; k - p - 1 if left out (k - 2 for an average).
        """
        df = self.residual_df - 1.0 if df is None else df
        if df <= 0:
            return -np.inf, np.inf
        half = _quantile(df, level) * float(np.sqrt(self.tau2 + self.cov[0, 0]))
        return self.estimate - half, self.estimate + half

    @property
    def typical_variance(self) -> float:
        """Sampling variance of a typical site."""
        return self.residual_df / float(np.trace(Weighted.at(self.y, 1 / self.v, self.x).projection))

    @property
    def i2(self) -> float:
        """Share of the scatter that is not chance, from 0 to 1."""
        if self.estimator == "fixed":
            return max(0.0, 1 - self.residual_df / self.q) if self.q > 0 else 0.0
        return self.tau2 / (self.tau2 + self.typical_variance)

    @property
    def h2(self) -> float:
        """Scatter over what chance alone would give: :math:`1/(1 - I^2)`."""
        return 1 / (1 - self.i2)

    @property
    def q_p_value(self) -> float:
        """Chance of a scatter as large where all sites have one effect."""
        return float(chdtrc(self.residual_df, self.q))

    def tau2_limits(self, level: float = 0.95) -> tuple[float, float]:
        """Q-profile limits of tau squared."""
        return q_profile(self.y, self.v, self.x, level)

    def leave_one_out(self) -> list[Pooled]:
        """The same without each site in turn, in the order of the sites."""
        keep = ~np.eye(self.k, dtype=bool)
        return [
            pool(self.y[rows], self.v[rows], self.x[rows], estimator=self.estimator, adjust=self.adjust)
            for rows in keep
        ]

    def egger(self) -> tuple[float, float]:
        """Whether small sites have other effects [5]_: statistic and p-value.

        The effects on their own standard errors, with tau squared and uncertainty found as here. A t where
        the average has one, else a normal.

        Raises
        ------
        EstimationError
            For fewer than three sites more than terms, or sites that all have one standard error.
        """
        spread = np.sqrt(self.v)
        if self.residual_df < LEAST_FOR_EGGER or np.ptp(spread) <= 1e-12 * spread.max():
            raise EstimationError("too few sites, or sites too much alike in size, to see an effect of size")
        wider = np.column_stack([self.x, spread])
        fit = pool(self.y, self.v, wider, estimator=self.estimator, adjust=self.adjust)
        return float(fit.coef[-1] / fit.std_errors[-1]), float(fit.p_values[-1])


def pool(
    y: Array,
    v: Array,
    x: Array | None = None,
    *,
    estimator: str = "reml",
    adjust: str = "modified",
) -> Pooled:
    """The average of effects, or their regression on what sites are like.

    Parameters
    ----------
    y : array (k,)
        Effects.
    v : array (k,)
        Their sampling variances.
    x : array (k, p), optional
        Columns, with the one of ones; only that if left out.
    estimator : str
        Of tau squared: one of :data:`ESTIMATORS`.
    adjust : {"modified", "knapp-hartung", "normal"}

    Raises
    ------
    EstimationError
        For no more sites than terms, or variances that are not above 0.
    """
    if adjust not in ADJUSTMENTS:
        raise ValueError(f'there is no adjustment "{adjust}"; use one of {ADJUSTMENTS}')
    y, v = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
    x = np.ones((len(y), 1)) if x is None else np.asarray(x, dtype=float)
    found = heterogeneity(y, v, x, estimator)
    fit = Weighted.at(y, 1 / (v + found.tau2), x)
    residual_df = len(y) - x.shape[1]
    q = fit.q / residual_df
    scale = {"normal": 1.0, "knapp-hartung": q, "modified": max(1.0, q)}[adjust]
    return Pooled(
        y=y,
        v=v,
        x=x,
        estimator=estimator,
        adjust=adjust,
        tau2=found.tau2,
        tau2_se=found.std_error,
        coef=fit.coef,
        cov=scale * fit.inverse,
        scale=scale,
        df=np.inf if adjust == "normal" else float(residual_df),
        q=Weighted.at(y, 1 / v, x).q,
    )


def _quantile(df: float, level: float) -> float:
    return float(ndtri((1 + level) / 2) if np.isinf(df) else stdtrit(df, (1 + level) / 2))
