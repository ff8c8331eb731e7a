r"""Counts in one series: a log-linear mean, and errors that carry over from one period to the next.

.. math:: E(y_t) = \mu_t = \exp(o_t + x_t'\beta), \qquad
   y_t = \mu_t + \sqrt{\mu_t}\,u_t, \qquad \mathrm{var}(u) = \sigma^2 V

:math:`o_t` is the log of the people at risk, or of the days. On the scale of Pearson's residuals
:math:`u` the counts have one variance, above 1 where they vary more than Poisson counts. With
:math:`b` the Poisson estimate and :math:`m_t` its means the model is, to first order, a regression,

.. math:: \sqrt{m_t}\,\bigl\{(y_t - m_t)/m_t + x_t'b\bigr\} = \sqrt{m_t}\,x_t'\beta + u_t ,

so that all that holds for a series of measurements holds for its *working response* (left) and its
weighted columns. One step from a consistent estimate is as good as many [1]_, and here safer: with
:math:`\rho` near 1 in a short series of small counts the steps need not come to rest. What V may be is
in :mod:`~ucimpact.inference.count_series_errors`.

The ratio of what happened to what was expected over the periods A with the pilot is

.. math:: \theta = \log \sum_A \mu_t - \log \sum_A \mu^0_t, \qquad
   \frac{\partial\theta}{\partial\beta} = \frac{\sum_A \mu_t x_t}{\sum_A \mu_t}
   - \frac{\sum_A \mu^0_t x^0_t}{\sum_A \mu^0_t} .

A period that does not count has weight 0 in the Poisson fit and a column of its own in the working
regression. That column's coefficient is what was seen there less its best forecast from the others
(:meth:`CountSeries.foretold` reads the forecast of periods never seen off it).

References
----------
.. [1] van der Vaart, A. W. (1998). *Asymptotic Statistics*, section 5.7. Cambridge University Press.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference import glm
from ucimpact.inference.timeseries import Ar1Fit, Reml

LEAST_MEAN = 1e-3
"""A fitted mean below this is a period in which the model expects nothing: its log says nothing."""

EXACT = 1e-12
"""Pearson dispersion under which the counts are the model, with nothing left over."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CountSeries:
    """A series of counts and its regression; n periods, p columns.

    Attributes
    ----------
    y : array (n,)
        Counts; anything where not used.
    x : array (n, p)
        With a column of ones.
    offset : array (n,)
        Log of the people at risk, or of the days.
    used : array (n,)
        Periods that count. The others keep the distance between their neighbours.
    """

    y: np.ndarray
    x: np.ndarray
    offset: np.ndarray
    used: np.ndarray

    @property
    def columns(self) -> int:
        """Terms of the log mean."""
        return int(self.x.shape[1])

    @property
    def residual_df(self) -> int:
        """Periods that count less columns."""
        return int(self.used.sum()) - self.columns

    @cached_property
    def poisson(self) -> glm.Fit:
        """The mean by Poisson likelihood, whatever the variance.

        Raises
        ------
        EstimationError
            Where a coefficient has no finite value, a fitted mean is next to nothing, or nothing is
            left over to measure chance by.
        """
        try:
            fit = glm.poisson(self.y, self.x, self.offset, self.used.astype(float))
        except EstimationError:
            if np.linalg.matrix_rank(self.x[self.used]) < self.columns:
                raise
            text = "a term of the model marks periods without a single event, and there is no log of nothing"
            raise EstimationError(text) from None
        if (least := float(fit.mu[self.used].min())) < LEAST_MEAN:
            raise EstimationError(f"the fitted mean falls to {least:.1g} events in a period")
        if fit.dispersion < EXACT:
            raise EstimationError("the model leaves nothing over to measure chance by")
        return fit

    @property
    def dispersion(self) -> float:
        """Pearson's chi-squared over its degrees of freedom; 1 for Poisson counts."""
        return self.poisson.dispersion

    @cached_property
    def working(self) -> tuple[np.ndarray, np.ndarray]:
        """The working response (n,) and the weighted columns (n, p + k).

        Each of the k periods that do not count has a column of its own, after the p; the response there
        is what the Poisson fit expects.
        """
        fit = self.poisson
        root = np.sqrt(np.clip(fit.mu, LEAST_MEAN, None))
        surprise = np.where(self.used, (self.y - fit.mu) / root, 0.0)
        response = surprise + root * (self.x @ fit.coef)
        return response, np.column_stack([root[:, None] * self.x, np.eye(len(root))[:, ~self.used]])

    def foretold(self, which: np.ndarray) -> tuple[float, np.ndarray]:
        """The total of periods that do not count, as if they had been like the others.

        Parameters
        ----------
        which : array (n,)
            Of the periods that do not count.

        Returns
        -------
        total : float
            What the Poisson fit expects.
        contrast : array (p + k,)
            Of the working regression: by how much the total lies elsewhere, over ``total``. Its
            variance holds the noise of those periods, its centre what carries over into them.
        """
        mu = self.poisson.mu
        total = float(mu[which].sum())
        own = -np.where(which, np.sqrt(mu), 0.0)[~self.used] / total
        return total, np.concatenate([np.zeros(self.columns), own])

    @cached_property
    def reml(self) -> Ar1Fit:
        """The working regression with AR(1) errors, those of periods that do not count after the p."""
        return Reml().of(*self.working)

    @property
    def pearson(self) -> np.ndarray:
        """Pearson's residuals of the Poisson fit, shape (n,); 0 where not used."""
        mu = np.clip(self.poisson.mu, LEAST_MEAN, None)
        return np.where(self.used, (self.y - mu) / np.sqrt(mu), 0.0)
