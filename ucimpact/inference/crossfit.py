r"""Doubly robust means by cross-fitting: right where either the chance or the mean was learned well.

With :math:`e(x)` the chance of having had the service and :math:`m_a(x)` the mean outcome with
(:math:`a = 1`) and without it, both learned from other people than those they are used for, the mean that
those with the service would have had without it is

.. math:: \hat\mu_0 = \frac{\sum T_i m_0(x_i)}{\sum T_i}
          + \frac{\sum (1-T_i) w_i \{y_i - m_0(x_i)\}}{\sum (1-T_i) w_i}, \qquad w_i = \frac{e_i}{1-e_i},

the mean that the model foresees for them, put right by what it misses among comparison people like them
[1]_; :math:`\hat\mu_1` is their own mean. For everybody (ATE) both means are

.. math:: \hat\mu_a = \frac1n \sum m_a(x_i)
          + \frac{\sum 1\{T_i=a\} w_i \{y_i - m_a(x_i)\}}{\sum 1\{T_i=a\} w_i},
          \qquad w_i = \frac{1}{P(T_i = a \mid x_i)} .

An error in either part matters only times the error in the other, so what the learners cost is of second
order: the influence of a row is that of known :math:`e` and m [2]_. Weights are divided by their sum, which
keeps a mean of 0/1 outcomes near where it can be. Dealing people into parts leaves some chance in the
answer; it is taken several times and averaged.

A mean foreseen beyond all outcomes that were seen is brought back to the nearest of them, and our own models
are fitted with the weights :math:`w_i` above, so that they fit best where they are asked [3]_. Log-linear
means are as wild as that: one foresees 70 admissions for somebody with many before, who then decides alone.
In 150 made-up cohorts of 4,600 the log ratio varied by 0.16 with log-linear means held to what was seen, and
by 0.09 with linear ones, as by weights alone.

A rate is the ratio of two such means, of events and of days at risk.

References
----------
.. [1] Robins, J. M., Rotnitzky, A. and Zhao, L. P. (1994). Estimation of regression coefficients when some
   regressors are not always observed. *Journal of the American Statistical Association* 89(427), 846-866.
.. [2] Chernozhukov, V., Chetverikov, D., Demirer, M., Duflo, E., Hansen, C., Newey, W. and Robins, J. (2018).
   Double/debiased machine learning for treatment and structural parameters. *The Econometrics Journal*
   21(1), C1-C68, section 5.
.. [3] Kang, J. D. Y. and Schafer, J. L. (2007). Demystifying double robustness: a comparison of alternative
   strategies for estimating a population mean from incomplete data. *Statistical Science* 22(4), 523-539.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.learners import Learner, Linear, name_of, regressor

Array = np.ndarray
Target = Literal["ATT", "ATE", "ATC"]
Family = Literal["poisson", "gaussian"]


@dataclass(frozen=True, eq=False)
class Means:
    """Mean outcomes with and without the service, and what each row adds to them.

    Attributes
    ----------
    with_service, without : float
    with_influence, without_influence : array (n,)
    """

    with_service: float
    without: float
    with_influence: Array
    without_influence: Array

    def over(self, days: Means) -> Means:
        """Rates: these means over those of days at risk."""
        rates = (self.with_service / days.with_service, self.without / days.without)
        with_rate = (self.with_influence - rates[0] * days.with_influence) / days.with_service
        without_rate = (self.without_influence - rates[1] * days.without_influence) / days.without
        return Means(*rates, with_rate, without_rate)


def averaged(found: list[Means]) -> Means:
    """The mean over several dealings of people into parts."""
    names = ("with_service", "without", "with_influence", "without_influence")
    parts = [np.mean([getattr(means, name) for means in found], axis=0) for name in names]
    return Means(float(parts[0]), float(parts[1]), np.asarray(parts[2]), np.asarray(parts[3]))


def foreseen(
    learner: str | Learner,
    family: Family,
    x: Array,
    y: Array,
    weights: Array,
    part: Array,
    seed: int = 1,
) -> Array:
    """The mean of each row by models of the rows of the other parts, shape (n,).

    Parameters
    ----------
    y : array (n,)
    weights : array (n,)
        0 for rows that are not learned from; sizes matter to our own models only.
    """
    out = np.empty(len(part))
    for k in range(int(part.max()) + 1):
        held = part == k
        rows = (weights > 0) & ~held
        out[held] = _learned(learner, family, x[rows], y[rows], weights[rows], x[held], seed)
    return out


def _learned(
    learner: str | Learner, family: Family, x: Array, y: Array, weights: Array, ask: Array, seed: int
) -> Array:
    if len(y) and (y == y[0]).all():  # nothing to learn, which some learners do not take
        return np.full(len(ask), float(y[0]))
    fitted: Any = regressor(learner, family, seed)
    if isinstance(fitted, Linear):
        fitted.fit(x, y, weights)
    else:
        fitted.fit(x, y)
    found = np.asarray(fitted.predict(ask), dtype=float).reshape(-1)
    if not np.isfinite(found).all():
        raise EstimationError(f"the learner {name_of(fitted)} foresaw a mean that is not a number")
    return np.asarray(np.clip(found, y.min(), y.max()))


def inverse_chances(score: Array, target: Target) -> tuple[Array, Array]:
    """The weights of people with and without the service, for everybody."""
    one = np.ones(len(score))
    odds = score / (1 - score)
    return {"ATT": (one, odds), "ATC": (1 / odds, one), "ATE": (1 / score, 1 / (1 - score))}[target]


def means(
    y: Array, treated: Array, score: Array, with_mean: Array, without_mean: Array, target: Target
) -> Means:
    """The doubly robust means for one dealing.

    Parameters
    ----------
    y : array (n,)
    treated : array (n,) of bool
    score : array (n,)
        Cross-fitted chances, strictly between 0 and 1.
    with_mean, without_mean : array (n,)
        Cross-fitted means; that of the target's own group is not used for the ATT and ATC.
    """
    n = len(y)
    aim = {"ATT": treated, "ATC": ~treated, "ATE": np.ones(n, dtype=bool)}[target].astype(float)
    inverse = inverse_chances(score, target)
    own = {"ATT": 1, "ATC": 0, "ATE": None}[target]
    found = []
    for value, weight, mean in ((1, inverse[0], with_mean), (0, inverse[1], without_mean)):
        arm = (treated == bool(value)).astype(float)
        foreseen_mean = np.zeros(n) if value == own else mean
        weight = arm * weight
        base = float(aim @ foreseen_mean / aim.sum())
        left = float(weight @ (y - foreseen_mean) / weight.sum())
        influence = aim * (foreseen_mean - base) / aim.sum()
        influence += weight * (y - foreseen_mean - left) / weight.sum()
        found.append((base + left, influence))
    return Means(found[0][0], found[1][0], found[0][1], found[1][1])
