r"""Two groups and two periods: outcome regression, weighting, and both together.

With :math:`D` the pilot, :math:`\Delta Y = Y_1 - Y_0`, covariates :math:`X` (with an intercept), analysis
weights :math:`w` and :math:`E_u[z] = \sum u_i z_i / \sum u_i`, the average effect on the pilot units is

.. math:: \tau = E_{w D}[\Delta Y - X'\beta] - E_{v}[\Delta Y - X'\beta], \qquad
          v = w (1 - D) \frac{e(X)}{1 - e(X)} .

============= ==================================== ============================================
estimator     score :math:`e`                      :math:`\beta`, from the comparison units
============= ==================================== ============================================
"reg"         none: :math:`v = 0`                  least squares, weights :math:`w`
"ipw"         logit by maximum likelihood          0
"dr"          logit by maximum likelihood          least squares, weights :math:`w`
"dr-improved" logit by inverse probability tilting least squares, weights :math:`v`
============= ==================================== ============================================

"dr" is right when either the score or the regression is. "dr-improved" is too, and its error does not
depend on how the two were estimated [1]_. The tilted score solves :math:`\sum w \{D - (1 - D) e^{X'\gamma}\}
X = 0`, so that the weighted comparison units have the covariate means of the pilot units exactly [2]_.
Weights of comparison units always add up to 1 (Hajek); only ``"ipw-ht"`` divides by the number of pilot
units instead, as Horvitz and Thompson did, and is there for comparison.

A comparison unit with a score of 0.995 or more would count for 199 others, and is left out of :math:`v`.
Low scores are harmless here and are never touched: among 20 pilot units of 6,000 nearly all scores are
below 0.01, and clipping them there moves the effect by a tenth.

Each row's *influence* :math:`\psi_i` holds its own part and what it does to :math:`\beta` and :math:`\gamma`;
the estimate is off by about :math:`\sum_i \psi_i`, so that the variance is :math:`\sum_i \psi_i^2` over
independent rows. On a panel it is linear in the change,

.. math:: \psi_i = s_i \Delta Y_i + l_i' R ,

with :math:`s` and :math:`l` the same for every outcome, so one fit serves many periods at once.

References
----------
.. [1] Sant'Anna, P. H. C. and Zhao, J. (2020). Doubly robust difference-in-differences estimators.
   *Journal of Econometrics* 219(1), 101-122. Equations 2.5 to 3.10.
.. [2] Graham, B., Pinto, C. and Egel, D. (2012). Inverse probability tilting for moment condition models
   with missing data. *Review of Economic Studies* 79(3), 1053-1079.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray
Estimator = Literal["dr", "dr-improved", "ipw", "reg", "ipw-ht"]

TRIM = 0.995
"""From this score on a comparison unit takes no part in the weighted comparison."""
COLLINEAR = 1e-9
STEPS = 50
CLOSE = 1e-9
STILL = 1e-6
"""The last step is below CLOSE in the metric of the likelihood and below STILL in the coefficients: rounding
leaves more there where columns all but repeat one another; where groups are told apart steps stay near 1."""
FLAT = 1e-12
LARGEST = 300.0
"""A coefficient beyond this, columns having a spread of 1, tells the groups apart."""


class Indistinct(EstimationError):
    """The covariates cannot do their work; ``column`` numbers the one at fault from 0, where one is."""

    def __init__(self, text: str, column: int | None = None) -> None:
        super().__init__(text)
        self.column = column


@dataclass(frozen=True)
class Effects:
    """Effects of one comparison on several outcomes, and each row's influence on them.

    Attributes
    ----------
    estimate : array (n_outcomes,)
    own : array (n_rows,)
        :math:`s` above.
    left : array (n_rows, n_parts)
        :math:`l` above.
    right : array (n_parts, n_outcomes)
        R above.
    """

    estimate: Array
    own: Array
    left: Array
    right: Array

    def influence(self, change: Array) -> Array:
        """Shape (n_rows, n_outcomes), from the same changes."""
        return np.asarray(self.own[:, None] * change + self.left @ self.right)


@dataclass(frozen=True)
class TwoGroups:
    """Pilot and comparison units on a panel, ready for the change of any outcome: see :func:`two_groups`.

    Attributes
    ----------
    estimator : str
    treated : array (n_rows,) of bool
    x : array (n_rows, n_columns)
        Intercept and covariates, in columns that span the same space.
    weights : array (n_rows,)
    odds : array (n_rows,)
        :math:`v`; 0 for pilot units, and throughout for "reg".
    score : array (n_rows,) or None
        :math:`e`.
    dropped : int
        Comparison units left out for a score of 0.995 or more.
    """

    estimator: Estimator
    treated: Array
    x: Array
    weights: Array
    odds: Array
    score: Array | None
    dropped: int
    gram: Array | None
    """Inverse of the cross product of the regression."""
    bread: Array | None
    """Inverse of the information of the score."""

    def effects(self, change: Array, combination: Array | None = None) -> Effects:
        """The effect on each outcome.

        Parameters
        ----------
        change : array (n_rows, n_outcomes)
            After less before.
        combination : array (n_columns, n_outcomes), optional
            Makes the changes of ``change``, then (n_rows, n_columns); they are never made row by row.
        """

        def summed(weights: Array) -> Array:
            sums = weights.T @ change
            return np.asarray(sums if combination is None else sums @ combination)

        treated, x, w, v = self.treated, self.x, self.weights, self.odds
        pilot = np.where(treated, w, 0.0) / w[treated].sum()
        other = self._other_shares()
        own = pilot - other
        pilot_x = pilot @ x
        left = [np.column_stack([-pilot, other])]
        beta = None
        if self.gram is not None:
            base = v if self.estimator == "dr-improved" else np.where(treated, 0.0, w)
            beta = self.gram @ summed(x * base[:, None])
            if self.estimator != "dr-improved":
                own = own - base * (x @ (self.gram @ (pilot_x - other @ x)))
            left.append(own[:, None] * x)
        means = summed(np.column_stack([pilot, other]))
        if beta is not None:
            means -= np.stack([pilot @ x @ beta, other @ x @ beta])
        estimate = means[0] - means[1]
        right = [np.stack([estimate, np.zeros_like(estimate)]) if self._one_mean else means]
        if beta is not None:
            right.append(-beta)
        if self.bread is not None:
            weighted = x * other[:, None]
            slope = summed(weighted)
            if beta is not None:
                slope -= weighted.T @ x @ beta
            if not self._one_mean:
                slope -= np.outer(other @ x, means[1])
            assert self.score is not None
            left.append((w * (self.score - treated))[:, None] * x)
            right.append(self.bread @ slope)
        return Effects(estimate, own, np.concatenate(left, axis=1), np.concatenate(right))

    @property
    def _one_mean(self) -> bool:
        """Whether the comparison has no mean of its own beside what is taken from the pilot's."""
        return self.estimator in ("reg", "ipw-ht")

    def _other_shares(self) -> Array:
        if self.estimator == "reg":
            return np.zeros(len(self.weights))
        total = self.weights[self.treated] if self.estimator == "ipw-ht" else self.odds
        return np.asarray(self.odds / total.sum())


def two_groups(
    treated: Array, x: Array | None = None, weights: Array | None = None, estimator: Estimator = "dr"
) -> TwoGroups:
    """Fit the score and factor the regression for a comparison of two groups on a panel.

    Parameters
    ----------
    treated : array (n_rows,) of bool
    x : array (n_rows, n_covariates), optional
        Without an intercept. None compares means.
    weights : array (n_rows,), optional
        Above 0.
    estimator : {"dr", "dr-improved", "ipw", "reg", "ipw-ht"}

    Raises
    ------
    EstimationError
        Where a group is empty, covariates are collinear among the comparison units, or they part pilot from
        comparison units so that the score has no maximum.
    """
    treated = np.asarray(treated, dtype=bool)
    w = np.ones(len(treated)) if weights is None else np.asarray(weights, dtype=float)
    n1 = int(treated.sum())
    if not 0 < n1 < len(treated):
        raise Indistinct(f"an effect needs pilot and comparison units; here {n1} of {len(treated)} are pilot")
    if x is None or x.shape[1] == 0:
        return _means(treated, w)
    x = basis(x, w)
    score = bread = gram = None
    odds, dropped = np.zeros(len(w)), 0
    if estimator != "reg":
        score, bread = score_of(x, treated, w, tilted=estimator == "dr-improved")
        odds, dropped = odds_of(score, treated, w)
    if estimator == "dr-improved":
        gram, bread = inverse_gram(x, odds), None
    elif estimator in ("dr", "reg"):
        gram = inverse_gram(x, np.where(treated, 0.0, w))
    return TwoGroups(estimator, treated, x, w, odds, score, dropped, gram, bread)


def _means(treated: Array, w: Array) -> TwoGroups:
    """Without covariates every estimator is the difference of two means."""
    score = np.full(len(w), w[treated].sum() / w.sum())
    odds = np.where(treated, 0.0, w)
    return TwoGroups("ipw", treated, np.ones((len(w), 1)), w, odds, score, 0, None, None)


def odds_of(score: Array, treated: Array, w: Array) -> tuple[Array, int]:
    high = ~treated & (score >= TRIM)
    keep = ~treated & ~high
    if not keep.any():
        raise Indistinct("every comparison unit has a score of 0.995 or more: none is like a pilot unit")
    return np.where(keep, w * score / (1 - np.where(keep, score, 0.0)), 0.0), int(high.sum())


# -- the pieces --------------------------------------------------------------------------


def basis(x: Array, w: Array) -> Array:
    """Intercept and covariates as columns of about the same size, so that a year costs no digits."""
    if not np.isfinite(x).all():
        raise Indistinct("a covariate has a missing or infinite value")
    centre = np.average(x, axis=0, weights=w)
    away = x - centre
    scale = np.sqrt(np.average(away**2, axis=0, weights=w))
    flat = scale <= FLAT * np.maximum(np.abs(centre), 1e-300)
    if flat.any():
        raise Indistinct("a covariate is the same in all units", int(np.flatnonzero(flat)[0]))
    out = np.empty((len(x), x.shape[1] + 1))
    out[:, 0] = 1.0
    np.divide(away, scale, out=out[:, 1:])
    return out


def inverse_gram(x: Array, w: Array) -> Array:
    """Inverse of X'WX.

    Raises
    ------
    Indistinct
        Naming the column that repeats those before it.
    """
    cross = (x * w[:, None]).T @ x
    size = np.sqrt(np.diag(cross))
    size = np.where(size > 0, size, 1.0)
    scaled = cross / np.outer(size, size)
    lost = _repeats(scaled)
    if lost is not None:
        what = "is the same in all of them, or repeats other covariates"
        raise Indistinct(
            f"column {lost - 1} of the covariates says nothing of its own among comparison units: it {what}",
            lost - 1,
        )
    return np.asarray(np.linalg.inv(scaled) / np.outer(size, size))


def _repeats(scaled: Array) -> int | None:
    """First column that those before it explain, from a cross product with ones on its diagonal."""
    for k in range(scaled.shape[0]):
        before = scaled[:k, :k]
        left = scaled[k, k] - scaled[k, :k] @ np.linalg.solve(before, scaled[:k, k]) if k else scaled[k, k]
        if left <= COLLINEAR:
            return k
    return None


def score_of(x: Array, treated: Array, w: Array, *, tilted: bool) -> tuple[Array, Array]:
    """Scores (n_rows,) and the inverse of their information, by Newton's steps.

    The likelihood and the tilting criterion are both concave; a step is halved while it lowers them.
    """
    d = treated.astype(float)
    share = float(w @ d / w.sum())
    gamma = np.zeros(x.shape[1])
    gamma[0] = np.log(share / (1 - share))
    eta = np.full(len(d), gamma[0])
    reached = _criterion(eta, d, w, tilted=tilted)
    for _ in range(STEPS):
        slope, curve = _derivatives(eta, d, w, tilted=tilted)
        information = (x * curve[:, None]).T @ x
        gradient = slope @ x
        try:
            bread = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            raise _parted(gamma) from None
        step = bread @ gradient
        decrement = float(gradient @ step)
        if not np.isfinite(decrement):
            raise _parted(gamma)
        if decrement <= CLOSE**2 * w.sum() and np.abs(step).max() <= STILL:
            break
        size = 1.0
        while size > 1e-6:
            tried = gamma + size * step
            eta = x @ tried
            new = _criterion(eta, d, w, tilted=tilted)
            if new >= reached - 1e-12 * abs(reached):
                break
            size /= 2
        gamma, reached = tried, new
        if np.abs(gamma).max() > LARGEST:
            raise _parted(gamma)
    else:
        raise _parted(gamma)
    chance = 1.0 / (1.0 + np.exp(-eta))
    return chance, bread


def _criterion(eta: Array, d: Array, w: Array, *, tilted: bool) -> float:
    with np.errstate(over="ignore"):
        if tilted:
            return float(w @ np.where(d > 0, eta, -np.exp(eta)))
        return float(w @ (d * eta - np.maximum(eta, 0.0) - np.log1p(np.exp(-np.abs(eta)))))


def _derivatives(eta: Array, d: Array, w: Array, *, tilted: bool) -> tuple[Array, Array]:
    """By the logit: slope of the criterion and minus its curvature, of each row."""
    if tilted:
        odds = w * (1 - d) * np.exp(eta)
        return w * d - odds, odds
    chance = 1.0 / (1.0 + np.exp(-eta))
    return w * (d - chance), w * chance * (1 - chance)


def _parted(gamma: Array) -> Indistinct:
    column = int(np.abs(gamma[1:]).argmax())
    return Indistinct(
        f"column {column} of the covariates (perhaps with others) tells pilot from comparison units without "
        "error, so the propensity score has no maximum",
        column,
    )
