r"""A two-part model: whether there is any cost, and how much when there is.

.. math:: E[y \mid x] = P(y > 0 \mid x)\, E[y \mid y > 0, x],

the first by a logit model of all rows, the second by a gamma model with a log link of the rows above 0
[1]_. Effects are those of g-computation on the product: the parts by themselves answer no question that
a commissioner has, since the people with any cost are not the same people in the two groups.

References
----------
.. [1] Belotti, F., Deb, P., Manning, W. G. and Norton, E. C. (2015). twopm: two-part models. *Stata
   Journal* 15(1), 3-20.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference import glm
from ucimpact.inference.gcomputation import Contrast

Array = np.ndarray


@dataclass(frozen=True)
class TwoPart:
    """A fitted two-part model.

    Attributes
    ----------
    any : Fit
        Logit model of an outcome above 0, all rows.
    amount : Fit
        Gamma model of the rows above 0.
    positive : array of bool (n_rows,)
        Which rows those are.
    """

    any: glm.Fit
    amount: glm.Fit
    positive: Array


def two_part(y: Array, x: Array, weights: Array | None = None) -> TwoPart:
    """Fit both parts. ``y`` (n_rows,) is not below 0; ``x`` (n_rows, n_columns) holds the intercept."""
    if (y < 0).any():
        raise EstimationError("a two-part model needs outcomes of at least 0")
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    positive = (y > 0) & (w > 0)
    return TwoPart(
        glm.logit((y > 0).astype(float), x, w),
        glm.gamma(y[positive], x[positive], weights=w[positive]),
        positive,
    )


def gcomputation(fit: TwoPart, treatment: int, target: Array, *, weights: Array | None = None) -> Contrast:
    """Mean outcomes of the target rows with the treatment column at 1 and at 0.

    The two parts are fitted on the same rows, so a row's influence is the sum of what it adds through
    each.
    """
    share = np.where(target, fit.any.weights if weights is None else weights, 0.0)
    share = share / share.sum()
    means, influences = [], []
    for value in (1.0, 0.0):
        x = fit.any.x.copy()
        x[:, treatment] = value
        chance = 1.0 / (1.0 + np.exp(-(x @ fit.any.coef)))
        amount = np.exp(x @ fit.amount.coef)
        product = share * chance * amount
        influence = fit.any.influence @ ((product * (1 - chance)) @ x)
        influence[fit.positive] += fit.amount.influence @ (product @ x)
        means.append(float(product.sum()))
        influences.append(influence)
    return Contrast(means[0], means[1], influences[0], influences[1], len(fit.any.coef))
