r"""The propensity score: the chance of having had the service, by maximum likelihood.

.. math:: \operatorname{logit} e_i = \alpha + x_i'\beta, \qquad
          \sum_i \binom{1}{x_i}(T_i - e_i) = 0 .

With ``groups`` each group has an intercept :math:`\alpha_g` of its own. Newton's step solves

.. math:: \begin{pmatrix} X'WX & X'WG \\ G'WX & G'WG \end{pmatrix}
          \begin{pmatrix} \Delta\beta \\ \Delta\alpha \end{pmatrix} =
          \begin{pmatrix} X'(T-e) \\ G'(T-e) \end{pmatrix},
          \qquad W = \operatorname{diag}\{e_i(1-e_i)\},

and since :math:`G'WG` is diagonal, sums by group are all that is needed: no table of dummies is made.

No penalty. A penalised or loosely fitted score (a tolerance that leaves errors of 0.02 in the logit) pairs
other people than the score that was meant. Rows are read in blocks and worked on as float64, whatever the
type of ``x``, so two million people need no copy of their columns. A large sample begins from a fit to all
the pilot people and a tenth of the others, its intercepts moved by the log of that share [1]_.

The score carries only what is in ``x``: balance on it says nothing about what is not [2]_.

References
----------
.. [1] Prentice, R. L. and Pyke, R. (1979). Logistic disease incidence models and case-control studies.
   *Biometrika* 66(3), 403-411.
.. [2] Rosenbaum, P. R. and Rubin, D. B. (1983). The central role of the propensity score in observational
   studies for causal effects. *Biometrika* 70(1), 41-55.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ucimpact.errors import EstimationError

Array = np.ndarray

BLOCK = 65_536
"""Rows worked on at a time: 12 columns of them fill the cache of a processor, not its memory."""

ONE_IN = 10
WARM_FROM = 200_000
"""From this many comparison people the first steps use one in ``ONE_IN`` of them."""

CLOSE = 1e-7
"""A largest step this small (columns standardised) is followed by one of about its square."""

ROUGH = 1e-2
STEPS = 40
CERTAIN = 16.0
"""A logit beyond this is a chance within 1 in 10 million of 0 or 1: it has no finite maximum to go to."""

GONE = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Propensity:
    """A fitted score.

    Attributes
    ----------
    coef : array (1 + k,)
        Intercept, then one a column, in the columns' own units. With groups the intercept is their mean over
        people.
    effects : array (n_groups,) or None
        Intercepts of the groups less ``coef[0]``, in the order of the sorted codes.
    linear : array (n,)
        The logit.
    score : array (n,)
        The chance.
    iterations : int
        Newton steps over all rows.
    converged : bool
    max_gradient : float
        Largest mean derivative of the log likelihood, columns standardised.
    """

    coef: Array
    effects: Array | None
    linear: Array
    score: Array
    iterations: int
    converged: bool
    max_gradient: float


def fit(x: Array, treated: Array, *, groups: Array | None = None) -> Propensity:
    """Fit the score to everybody.

    Parameters
    ----------
    x : array (n, k)
        Covariates, finite; float32 is enough for large n. The intercept is added here.
    treated : array (n,) of bool
    groups : array (n,) of int, optional
        Codes of groups with intercepts of their own. Each must hold pilot and comparison people.

    Raises
    ------
    EstimationError
        Where a column is constant or a combination of others, or where it parts pilot from comparison people,
        so that the likelihood has no maximum. The message names the column by its number, from 0.
    """
    treated = np.asarray(treated, dtype=bool)
    pilot = int(treated.sum())
    if not 0 < pilot < len(treated):
        raise EstimationError(
            f"a propensity score needs pilot and comparison people; here {pilot} of {len(treated)} are pilot"
        )
    if not _finite(x):
        raise EstimationError("a covariate of the propensity score has a missing or infinite value")
    logit = _Logit(x, treated, *_standards(x), *_groups(groups, treated))
    state = _State(np.zeros(x.shape[1]), np.full(logit.n_groups, np.log(pilot / (len(treated) - pilot))))
    if len(treated) - pilot >= WARM_FROM:
        state = _warm(logit, state)
    state, steps, converged = logit.climb(state, tolerance=CLOSE)
    return logit.result(state, steps, converged)


@dataclass(frozen=True, eq=False)
class _State:
    beta: Array
    alpha: Array


@dataclass(frozen=True, eq=False)
class _Logit:
    """The likelihood over standardised columns."""

    x: Array
    treated: Array
    centre: Array
    scale: Array
    groups: Array | None
    n_groups: int

    def blocks(self) -> Iterator[tuple[slice, Array, Array, Array | None]]:
        """Rows, their standardised columns, their arm and their group."""
        for start in range(0, len(self.treated), BLOCK):
            rows = slice(start, min(start + BLOCK, len(self.treated)))
            columns = self.x[rows].astype(np.float64)
            columns -= self.centre
            columns /= self.scale
            yield rows, columns, self.treated[rows], None if self.groups is None else self.groups[rows]

    def logits(self, state: _State, columns: Array, groups: Array | None) -> Array:
        """Added up column by column: two people with the same columns have the same logit to the last bit,
        which a matrix product does not promise, and so are a tie to the matching."""
        sums = np.full(len(columns), state.alpha[0]) if groups is None else state.alpha[groups]
        for column, coef in zip(columns.T, state.beta, strict=True):
            sums += coef * column
        return sums

    def by_group(self, values: Array, groups: Array | None) -> Array:
        """Sums of ``values`` (rows,) over the groups."""
        if groups is None:
            return np.array([values.sum()])
        return np.bincount(groups, weights=values, minlength=self.n_groups)

    def step(self, state: _State) -> tuple[_State, float]:
        """One Newton step, and the largest logit before it."""
        k = len(state.beta)
        curvature, cross = np.zeros((k, k)), np.zeros((self.n_groups, k))
        slope, diagonal, slope_groups = np.zeros(k), np.zeros(self.n_groups), np.zeros(self.n_groups)
        furthest = 0.0
        for _, columns, treated, groups in self.blocks():
            logits = self.logits(state, columns, groups)
            furthest = max(furthest, float(np.abs(logits).max()))
            chance = expit(logits)
            left, weight = treated - chance, chance * (1 - chance)
            weighted = columns * weight[:, None]
            curvature += columns.T @ weighted
            slope += left @ columns
            diagonal += self.by_group(weight, groups)
            slope_groups += self.by_group(left, groups)
            if groups is None:
                cross += weighted.sum(axis=0)
            else:
                cross += np.column_stack([self.by_group(column, groups) for column in weighted.T])
        diagonal = np.maximum(diagonal, np.finfo(float).tiny)
        share = cross / diagonal[:, None]
        beta = np.linalg.lstsq(curvature - cross.T @ share, slope - share.T @ slope_groups, rcond=1e-14)[0]
        return _State(beta, slope_groups / diagonal - share @ beta), furthest

    def climb(self, state: _State, tolerance: float) -> tuple[_State, int, bool]:
        """Newton steps until one is smaller than ``tolerance``, and how many there were."""
        for steps in range(1, STEPS + 1):
            move, furthest = self.step(state)
            largest = float(max(np.abs(move.beta).max(initial=0.0), np.abs(move.alpha).max()))
            if furthest > CERTAIN and largest > tolerance:
                self._refuse(move)
            state = _State(state.beta + move.beta, state.alpha + move.alpha)
            if largest <= tolerance:
                return state, steps, True
        self._refuse(move)
        return state, STEPS, False

    def _refuse(self, move: _State) -> None:
        """Raise where the logits still run away: a column, or a few, part the two arms."""
        still = np.abs(move.beta)
        if not still.size or still.max() < 0.05 * np.abs(move.alpha).max() or still.max() <= ROUGH:
            return
        column = int(still.argmax())
        raise EstimationError(
            f"column {column} of the covariates (perhaps with others) tells some pilot people from others "
            f"without error, so the propensity score has no maximum. Leave it out, join its rare categories, "
            f"or match exactly on it"
        )

    def result(self, state: _State, steps: int, converged: bool) -> Propensity:
        linear = np.empty(len(self.treated))
        slope, slope_groups = np.zeros(len(state.beta)), np.zeros(self.n_groups)
        for rows, columns, treated, groups in self.blocks():
            linear[rows] = self.logits(state, columns, groups)
            left = treated - expit(linear[rows])
            slope += left @ columns
            slope_groups += self.by_group(left, groups)
        gradient = max(np.abs(slope).max(initial=0.0), np.abs(slope_groups).max()) / len(linear)
        beta = state.beta / self.scale
        alpha = state.alpha - self.centre @ beta
        sizes = self.by_group(np.ones(len(linear)), self.groups)
        mean = float(alpha @ sizes / sizes.sum())
        return Propensity(
            coef=np.concatenate([[mean], beta]),
            effects=None if self.groups is None else alpha - mean,
            linear=linear,
            score=expit(linear),
            iterations=steps,
            converged=converged,
            max_gradient=float(gradient),
        )


def _warm(logit: _Logit, state: _State) -> _State:
    """A start from all pilot people and one in ``ONE_IN`` others, intercepts moved for the sampling."""
    few = logit.treated.copy()
    few[np.flatnonzero(~logit.treated)[::ONE_IN]] = True
    groups = None if logit.groups is None else logit.groups[few]
    sample = _Logit(logit.x[few], logit.treated[few], logit.centre, logit.scale, groups, logit.n_groups)
    shift = np.log(ONE_IN)
    begun = _State(state.beta, state.alpha + shift)
    found, _, _ = sample.climb(begun, tolerance=ROUGH)
    return _State(found.beta, found.alpha - shift)


def _finite(x: Array) -> bool:
    return all(np.isfinite(x[start : start + BLOCK]).all() for start in range(0, len(x), BLOCK))


def _standards(x: Array) -> tuple[Array, Array]:
    """Means and standard deviations of the columns, none of which may be a combination of the others."""
    n, k = x.shape
    centre = np.zeros(k)
    for start in range(0, n, BLOCK):
        centre += x[start : start + BLOCK].sum(axis=0, dtype=np.float64)
    centre /= n
    products = np.zeros((k, k))
    for start in range(0, n, BLOCK):
        columns = x[start : start + BLOCK] - centre
        products += columns.T @ columns
    scale = np.sqrt(np.diag(products) / n)
    if (constant := np.flatnonzero(scale <= GONE * np.maximum(np.abs(centre), 1e-300))).size:
        raise EstimationError(
            f"column {constant[0]} of the covariates is the same for everybody: leave it out"
        )
    correlation = products / np.outer(scale, scale) / n
    for column in range(1, k):
        before = correlation[:column, :column]
        with_before = correlation[:column, column]
        left = 1.0 - with_before @ np.linalg.lstsq(before, with_before, rcond=None)[0]
        if left < GONE:
            raise EstimationError(
                f"column {column} of the covariates is a combination of the columns before it: leave it out"
            )
    return centre, scale


def _groups(groups: Array | None, treated: Array) -> tuple[Array | None, int]:
    """Codes from 0, each group with people of both arms."""
    if groups is None:
        return None, 1
    found, codes = np.unique(groups, return_inverse=True)
    pilot = np.bincount(codes, weights=treated, minlength=len(found))
    size = np.bincount(codes, minlength=len(found))
    if (alone := int(((pilot == 0) | (pilot == size)).sum())) > 0:
        raise EstimationError(
            f"{alone} of {len(found)} groups hold only pilot or only comparison people, so they have no "
            f"intercept. Leave their rows out of the score"
        )
    return codes, len(found)
