r"""Weights that make pilot and comparison people alike, and what estimating them adds to an error.

With :math:`e_i` the chance of having had the service, of person :math:`i` with and without it:

======== ============================= ===================== =====================
target   for the people                :math:`T_i = 1`       :math:`T_i = 0`
======== ============================= ===================== =====================
ATT      who had the service           1                     :math:`e_i/(1-e_i)`
ATC      who had not                   :math:`(1-e_i)/e_i`   1
ATE      all                           :math:`1/e_i`         :math:`1/(1-e_i)`
ATO      about whom it was open [1]_   :math:`1-e_i`         :math:`e_i`
======== ============================= ===================== =====================

or, by entropy balancing, the weights nearest to even under which both groups have the means of the target
people (:mod:`ucimpact.inference.entropy_balancing`).

**Estimated weights.** Each of them is :math:`w_i(x_i'\theta)` with :math:`\hat\theta` the solution of
:math:`\sum_i \psi_i x_i = 0`: for the logit :math:`\psi_i = T_i - e_i`; for entropy balancing
:math:`\psi_i = T_i - (1-T_i) w_i`, in which :math:`w_i = \exp(x_i'\theta)`. An estimate whose rows add
:math:`u_i` to it for weights as known has, for estimated weights, the influences [2]_

.. math:: u_i + \psi_i\, x_i' A^{-1} \sum_j u_j\, \frac{\partial \log w_j}{\partial \theta}, \qquad
          A = -\sum_i \frac{\partial \psi_i}{\partial (x_i'\theta)} x_i x_i' .

For the ATE and ATO weights as known give too wide a range; for the ATT they may err to either side.

References
----------
.. [1] Li, F., Morgan, K. L. and Zaslavsky, A. M. (2018). Balancing covariates via propensity score weighting.
   *Journal of the American Statistical Association* 113(521), 390-400.
.. [2] Lunceford, J. K. and Davidian, M. (2004). Stratification and weighting via the propensity score in
   estimation of causal treatment effects: a comparative study. *Statistics in Medicine* 23(19), 2937-2960.
.. [3] Kish, L. (1965). *Survey Sampling*. Wiley, section 11.7.
.. [4] Crump, R. K., Hotz, V. J., Imbens, G. W. and Mitnik, O. A. (2009). Dealing with limited overlap in
   estimation of average treatment effects. *Biometrika* 96(1), 187-199.
.. [5] Lee, B. K., Lessler, J. and Stuart, E. A. (2011). Weight trimming and propensity score weighting.
   *PLoS ONE* 6(3), e18174.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ucimpact.inference import entropy_balancing, propensity

Array = np.ndarray
Target = Literal["ATT", "ATE", "ATC", "ATO"]

BLOCK = 65_536
GONE = 1e-12


@dataclass(frozen=True, eq=False)
class Equations:
    """The equations by which a part of the weights was estimated.

    Attributes
    ----------
    left : array (n,)
        psi above.
    curvature : array (n,)
        Its derivative, turned.
    pull : array (n,)
        Derivative of each log weight by the linear predictor.
    """

    left: Array
    curvature: Array
    pull: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """Weights of everybody.

    Attributes
    ----------
    weights : array (n,)
        By the table above; of entropy balancing mean 1 in a group that is weighted.
    target : str
    x : array (n, k)
    treated : array (n,) of bool
    equations : tuple of Equations
        Empty where a learner gave the score, whose share in the error is not known.
    score : array (n,) or None
    capped : int
        Weights that were cut.
    """

    weights: Array
    target: Target
    x: Array
    treated: Array
    equations: tuple[Equations, ...] = ()
    score: Array | None = None
    capped: int = 0

    def even(self) -> Weights:
        """The same with groups that add up alike: to the people of the target that have weight 1 or, where
        nobody has, to everybody."""
        arms = {"ATT": self.treated, "ATC": ~self.treated}
        total = float(arms[self.target].sum()) if self.target in arms else float(len(self.weights))
        sums = np.array([self.weights[~self.treated].sum(), self.weights[self.treated].sum()])
        return replace(self, weights=self.weights * (total / sums)[self.treated.astype(int)])

    def cut(self, share: float) -> Weights:
        """The weights of each group no larger than this quantile of them [5]_."""
        weights, over = self.weights.copy(), np.zeros(len(self.weights), dtype=bool)
        for arm in (self.treated, ~self.treated):
            limit = np.quantile(weights[arm], share)
            over |= arm & (weights > limit * (1 + 1e-12))
            weights[arm] = np.minimum(weights[arm], limit)
        held = tuple(replace(part, pull=np.where(over, 0.0, part.pull)) for part in self.equations)
        return replace(self, weights=weights, equations=held, capped=int(over.sum()))

    def with_capped(self, cut: Array) -> Weights:
        """The same, telling that the weights marked True were held back where the score was."""
        return replace(self, capped=int(cut.sum()))

    def carried(self, influence: Array) -> Array:
        """What estimating the weights adds to these influences (n, m) of weights as known.

        Weights that are later brought to one sum in each group give the same.
        """
        added = np.zeros_like(influence)
        centre, scale = _standards(self.x)
        for part in self.equations:
            moves = self._moves(part, influence, centre, scale)
            curvature = np.zeros((len(moves), len(moves)))
            for rows, columns in _blocks(self.x, centre, scale):
                curvature += columns.T @ (columns * part.curvature[rows, None])
            carried = _solve(curvature, moves)
            for rows, columns in _blocks(self.x, centre, scale):
                added[rows] += part.left[rows, None] * (columns @ carried)
        return added

    def _moves(self, part: Equations, influence: Array, centre: Array, scale: Array) -> Array:
        """How the estimate moves with theta while the weights of each group keep their sum."""
        arms = (~self.treated, self.treated)
        total = np.zeros((self.x.shape[1] + 1, influence.shape[1]))
        mean = np.zeros((2, len(total)))
        for rows, columns in _blocks(self.x, centre, scale):
            pulled = columns * part.pull[rows, None]
            total += pulled.T @ influence[rows]
            for side, arm in enumerate(arms):
                mean[side] += (self.weights[rows] * arm[rows]) @ pulled
        for side, arm in enumerate(arms):
            total -= np.outer(mean[side] / self.weights[arm].sum(), influence[arm].sum(axis=0))
        return total


def by_score(score: Array, x: Array, treated: Array, target: Target, *, fitted: bool = True) -> Weights:
    """Weights by the table above.

    Parameters
    ----------
    score : array (n,)
        The chance of having had the service, strictly between 0 and 1.
    x : array (n, k)
        What the score was fitted to.
    treated : array (n,) of bool
    fitted : bool, default True
        The score is the logit model's of ``x``, so that its own error can be carried through.
    """
    odds = score / (1 - score)
    forms: dict[Target, tuple[Array, Array, Array, Array]] = {  # weights with and without, and their pulls
        "ATT": (np.ones_like(score), odds, np.zeros_like(score), np.ones_like(score)),
        "ATC": (1 / odds, np.ones_like(score), -np.ones_like(score), np.zeros_like(score)),
        "ATE": (1 / score, 1 / (1 - score), score - 1, score),
        "ATO": (1 - score, score, -score, 1 - score),
    }
    pilot, others, pilot_pull, others_pull = forms[target]
    pull = np.where(treated, pilot_pull, others_pull)
    equations = (Equations(treated - score, score * (1 - score), pull),) if fitted else ()
    weights = np.where(treated, pilot, others)
    return Weights(weights=weights, target=target, x=x, treated=treated, equations=equations, score=score)


def by_logit(x: Array, treated: Array, target: Target = "ATT") -> Weights:
    """Weights by a propensity score of maximum likelihood."""
    return by_score(propensity.fit(x, treated).score, x, treated, target)


def by_entropy(x: Array, treated: Array, target: Target = "ATT", spread: Array | None = None) -> Weights:
    """Weights by entropy balancing, which knows no overlap target.

    Parameters
    ----------
    spread : array (k,), optional
        Standard deviations in which balance is judged.

    Raises
    ------
    EstimationError
        Where no weights balance; the column is named by its number, from 0.
    """
    if target == "ATO":
        raise ValueError("entropy balancing brings both groups to given means, and ATO gives none")
    weights, equations = np.ones(len(treated)), []
    aim = {"ATT": treated, "ATC": ~treated, "ATE": np.ones(len(treated), dtype=bool)}[target]
    means = x[aim].mean(axis=0, dtype=np.float64)
    for arm in (~treated, treated):
        if np.array_equal(arm, aim):
            continue
        weights[arm] = entropy_balancing.balance(x[arm], means, spread).weights
        full = np.where(arm, weights, 0.0) * (aim.sum() / arm.sum())
        equations.append(Equations(aim - full, full, arm.astype(float)))
    return Weights(weights=weights, target=target, x=x, treated=treated, equations=tuple(equations))


def effective_size(weights: Array) -> float:
    """How many people without weights would tell as much of a mean [3]_."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def within(score: Array, treated: Array, target: Target, rule: float | Literal["common"]) -> Array:
    """Who is kept, shape (n,) of bool.

    Parameters
    ----------
    rule : float or "common"
        A number a leaves out chances above 1 - a and, where comparison people are not the measure of all
        (``ATT``), those below a [4]_. ``"common"`` leaves out people of the target beyond everybody of the
        other group.
    """
    if rule != "common":
        low = 0.0 if target == "ATT" else rule
        high = 1.0 if target == "ATC" else 1 - rule
        return np.asarray((score >= low) & (score <= high))
    keep = np.ones(len(score), dtype=bool)
    sides = {"ATT": (True,), "ATC": (False,)}.get(target, (True, False))
    for side in sides:
        own, other = treated == side, treated != side
        beyond = (score < score[other].min()) | (score > score[other].max())
        keep &= ~(own & beyond)
    return keep


def _standards(x: Array) -> tuple[Array, Array]:
    spread = x.std(axis=0, dtype=np.float64)
    return x.mean(axis=0, dtype=np.float64), np.where(spread > 0, spread, 1.0)


def _blocks(x: Array, centre: Array, scale: Array) -> Iterator[tuple[slice, Array]]:
    """Rows and their columns, standardised, behind a column of ones; a block at a time."""
    for start in range(0, len(x), BLOCK):
        rows = slice(start, min(start + BLOCK, len(x)))
        yield rows, np.column_stack([np.ones(rows.stop - start), (x[rows] - centre) / scale])


def _solve(matrix: Array, right: Array) -> Array:
    """Solution on a unit diagonal, of least size where columns say the same."""
    scale = 1 / np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    found = np.linalg.lstsq(matrix * np.outer(scale, scale), scale[:, None] * right, rcond=GONE)[0]
    return np.asarray(scale[:, None] * found)
