r"""Generalised estimating equations: a mean for people of the same place, who are alike.

The means follow the same models as :mod:`ucimpact.inference.glm`; what people of one cluster share is taken
into their weights by a working correlation, the same :math:`\alpha` between any two of them [1]_:

.. math:: \sum_g D_g' V_g^{-1} (y_g - \mu_g) = 0, \qquad
          V_g = \phi\, A_g^{1/2} \bigl((1 - \alpha) I + \alpha J\bigr) A_g^{1/2}

with :math:`A_g` the variance function. With Pearson's residuals :math:`r_{gi}`, :math:`\phi` is the mean of
their squares and :math:`\phi\alpha` the mean of :math:`r_{gi} r_{gj}` over all pairs of a cluster, both
without a correction for the coefficients, as in the R package geepack. Means are right whatever
:math:`\alpha` is; the errors are robust sums by cluster. Where places are of uneven size, or kinds of people
uneven between them, the weights are surer than those of independence, at the price of a pooled effect that
counts people of large places less.

References
----------
.. [1] Liang, K.-Y. and Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models.
   *Biometrika* 73(1), 13-22.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference import glm

Array = np.ndarray

ROUNDS = 100
SETTLED = 1e-12


@dataclass(frozen=True, eq=False)
class GeeFit:
    """A mean fitted with an exchangeable working correlation.

    Attributes
    ----------
    fit : Fit
        As :mod:`ucimpact.inference.glm` gives it. What rows add is right in sums by cluster only:
        ``fit.cov("CR0", clusters)`` is the robust covariance. Its deviance is that of independence.
    alpha : float
        Correlation between two people of a cluster.
    scale : float
        Mean of the squared Pearson residuals.
    """

    fit: glm.Fit
    alpha: float
    scale: float


def exchangeable(
    family: glm.Family, y: Array, x: Array, clusters: Array, *, offset: Array | None = None
) -> GeeFit:
    """Fit means with one correlation between any two people of a cluster.

    Parameters
    ----------
    family : {"poisson", "gamma", "gaussian", "logit"}
    y : array (n,)
    x : array (n, p)
        With a column of ones for the intercept.
    clusters : array (n,)
        Codes of places, in any order of rows.
    offset : array (n,), optional

    Raises
    ------
    EstimationError
        As for a model without clusters; where no cluster has two people; or where the correlation found
        cannot be one of clusters as large as these.
    """
    start = glm.fit(family, y, x, offset)
    codes = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    size = np.bincount(codes)
    pairs = float((size * (size - 1) / 2).sum())
    if not pairs:
        raise EstimationError("no cluster has two people, so they cannot be alike")
    coef = start.coef
    for taken in range(1, ROUNDS + 1):
        mu, slope, variance = glm.mean(family, start.offset + x @ coef)
        residual = (y - mu) / np.sqrt(variance)
        scale = float((residual**2).mean())
        together = np.bincount(codes, residual)
        alpha = float((together @ together - residual @ residual) / 2 / pairs / scale)
        if not -1 / (size.max() - 1) < alpha < 1:
            raise EstimationError(
                f"a correlation of {alpha:.3g} cannot be that of clusters of {size.max():,} people"
            )
        shared = alpha / (1 + (size - 1) * alpha)
        column = x * (slope / np.sqrt(variance))[:, None]
        sums = np.stack([np.bincount(codes, values) for values in column.T], axis=1)
        information = (column.T @ column - (sums * shared[:, None]).T @ sums) / (1 - alpha)
        score = column * ((residual - (shared * together)[codes]) / (1 - alpha))[:, None]
        bread = np.linalg.inv(information)
        step = bread @ score.sum(axis=0)
        if np.abs(x @ step).max() <= SETTLED * (1 + np.abs(x @ coef).max()):
            made = replace(
                start,
                coef=coef,
                mu=mu,
                bread=bread,
                influence=score @ bread,
                dispersion=scale,
                iterations=taken,
            )
            return GeeFit(made, alpha, scale)
        coef = coef + step
    raise EstimationError(f"the working correlation did not settle in {ROUNDS} rounds")
