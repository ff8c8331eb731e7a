r"""Effects averaged over the ARMA coefficients that a short series cannot tell.

The normal interval of a maximum likelihood fit takes the polynomials nearly as known. With 48 months, a
trend, two breaks and two waves its 95% covered 80% to 82% of the time under an AR(1) of 0.3, and 60% to 67%
under an ARIMA(0,1,1). Here the t distribution of the regression is averaged over the polynomials, each set
weighted by its restricted likelihood (:math:`\beta` and :math:`\log\sigma` integrated out with flat priors):

.. math:: w(\eta) \propto |\Gamma|^{-1/2}\, |M'\Gamma^{-1}M|^{-1/2}\, |Z'\Gamma^{-1}Z|^{-1/2}\,
   S^{-(\nu-r)/2}, \qquad c'\beta \mid \eta \sim t_{\nu-r}\!\left(c'\hat\beta(\eta),\;
   \tfrac{S}{\nu-r}\, c'(Z'\Gamma^{-1}Z)^{-1}c\right)

The prior of an autoregressive part is flat on the arcsine of each partial autocorrelation,
:math:`(1-\pi^2)^{-1/2}`, as :attr:`~ucimpact.inference.timeseries.Ar1Fit.averaged` has it for an AR(1). That
of a moving average is flat on the partial autocorrelation itself: short series pile up at 1 without more
weight there. A lattice is laid twice, once over the whole cube and again over the part with the weight.

An order that was chosen by its AICc is not known either: :func:`over_orders` averages over those nearly as
good, each weighted by :math:`\exp(-\tfrac12\Delta\mathrm{AICc})` [1]_.

References
----------
.. [1] Buckland, S. T., Burnham, K. P. and Augustin, N. H. (1997). Model selection: an integral part of
   inference. *Biometrics* 53(2), 603-618.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.arima_likelihood import Differenced
from ucimpact.inference.mixture import TMixture, normalised

LATTICE = {0: 1, 1: 41, 2: 17, 3: 9, 4: 7}
"""Values of each coefficient by how many there are."""

FEWEST = 5
LARGEST = np.arctanh(0.995)
FAINT = np.log(1e-4)
"""Log weight, less the largest, under which a cell is not part of the second lattice."""

GONE = 1e-9
"""Weight under which a cell is dropped."""


def averaged(data: Differenced, columns: int) -> TMixture:
    """The regression averaged over the polynomials of its order.

    Parameters
    ----------
    data : Differenced
    columns : int
        p, of the regression before differencing; what differencing took has coefficient 0.
    """
    terms = data.order.terms
    edge = float(np.arcsin(np.tanh(LARGEST)))
    low, high = np.full(terms, -edge), np.full(terms, edge)
    for _ in range(2 if terms else 1):
        angles = _lattice(low, high)
        logs = np.array([_log_weight(data, angle) for angle in angles])
        if not np.isfinite(logs.max()):
            raise EstimationError(f"the likelihood of ARIMA{data.order} cannot be worked out for this series")
        seen = angles[logs > logs.max() + FAINT]
        step = (high - low) / LATTICE.get(terms, FEWEST)
        low, high = (
            np.maximum(seen.min(axis=0) - step, -edge),
            np.minimum(seen.max(axis=0) + step, edge),
        )
    weights = normalised(logs)
    keep = weights > GONE
    df = data.points - data.regressors
    coefs, covs = [], []
    for angle in angles[keep]:
        point = data.point(_search_point(angle), restricted=True)
        coef, cov = np.zeros(columns), np.zeros((columns, columns))
        coef[data.kept] = data.beta(point)
        cov[np.ix_(data.kept, data.kept)] = data.scale**2 * point.squares / df * data.shape(point)
        coefs.append(coef)
        covs.append(cov)
    return TMixture(
        weights=weights[keep] / weights[keep].sum(), coef=np.array(coefs), cov=np.array(covs), df=df
    )


def over_orders(mixtures: Sequence[TMixture], weights: np.ndarray) -> TMixture:
    """Several orders of one regression, with the same differences, as one mixture.

    Parameters
    ----------
    mixtures : sequence of TMixture
    weights : array (n_orders,)
        Of the orders, in any unit.
    """
    shares = weights / weights.sum()
    return TMixture(
        weights=np.concatenate([share * one.weights for share, one in zip(shares, mixtures, strict=True)]),
        coef=np.concatenate([one.coef for one in mixtures]),
        cov=np.concatenate([one.cov for one in mixtures]),
        df=mixtures[0].df,
    )


def _lattice(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Middles of cells of the same size, shape (cells, terms)."""
    terms = len(low)
    number = LATTICE.get(terms, FEWEST)
    middles = (np.arange(number) + 0.5) / number
    each = [a + (b - a) * middles for a, b in zip(low, high, strict=True)]
    return np.array(list(itertools.product(*each))).reshape(number**terms, terms)


def _search_point(angle: np.ndarray) -> np.ndarray:
    return np.asarray(np.arctanh(np.sin(angle)))


def _log_weight(data: Differenced, angle: np.ndarray) -> float:
    order = data.order
    moving = np.zeros(order.terms, dtype=bool)
    moving[order.p : order.p + order.q] = True
    moving[order.terms - order.seasonal_q :] = order.seasonal_q > 0
    point = data.at(order.coefficients(_search_point(angle)), restricted=True)
    if point is None:
        return -np.inf
    return point.value + float(np.log(np.cos(angle[moving])).sum())
