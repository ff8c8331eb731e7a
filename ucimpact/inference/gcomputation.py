r"""Effects a person from a model: its mean outcomes for the same people with and without the service.

The effect on the people of a target group (the pilot people: ATT) compares the mean outcome that the model
foresees for them with and without the service, all else being theirs:

.. math:: \Delta = \bar\mu^1 - \bar\mu^0, \quad \log R = \log\bar\mu^1 - \log\bar\mu^0, \quad
          \bar\mu^a = \sum_{i \in T} v_i\, g^{-1}(o_i + x_i(a)'\hat\beta) \Big/ \sum_{i \in T} v_i

[1]_, with influences by the chain rule. Who is in the target group is taken as given: the question is what
the service changed for those who had it.

References
----------
.. [1] Snowden, J. M., Rose, S. and Mortimer, K. M. (2011). Implementation of G-computation on a simulated
   data set. *American Journal of Epidemiology* 173(7), 731-738.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.glm import Fit, mean

Array = np.ndarray


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
        outcome, gradient = _foreseen(fit, treatment, value, share, offset)
        means.append(outcome)
        influences.append(fit.influence @ gradient)
    return Contrast(means[0], means[1], influences[0], influences[1], len(fit.coef))


def _foreseen(
    fit: Fit, treatment: int, value: float, share: Array, offset: Array | None = None
) -> tuple[float, Array]:
    """Weighted mean outcome with the treatment column at a value, and its gradient by the coefficients."""
    x = fit.x.copy()
    x[:, treatment] = value
    mu, slope, _ = mean(fit.family, (fit.offset if offset is None else offset) + x @ fit.coef)
    return float(share @ mu), np.asarray((share * slope) @ x)
