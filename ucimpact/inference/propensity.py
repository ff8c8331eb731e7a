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
FLAT = 1e-8
STEPS, WARM_STEPS = 25, 10
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
    state, steps, move = logit.climb(state, CLOSE, STEPS)
    if move.size > CLOSE:
        # Where arms can be told apart each step adds about 1 to the logits, for ever.
        column = int(np.abs(move.beta).argmax())
        raise EstimationError(
            f"column {column} of the covariates (perhaps with others) tells some pilot people from "
            f"others without error, so the propensity score has no maximum. Leave it out, join its rare "
            f"categories, or match exactly on it"
        )
    return logit.result(state, steps)


@dataclass(frozen=True, eq=False)
class _State:
    beta: Array
    alpha: Array

    @property
    def size(self) -> float:
        return float(max(np.abs(self.beta).max(initial=0.0), np.abs(self.alpha).max()))


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

    def step(self, state: _State) -> _State:
        """The move of one Newton step."""
        k = len(state.beta)
        curvature, cross = np.zeros((k, k)), np.zeros((self.n_groups, k))
        slope, diagonal, slope_groups = np.zeros(k), np.zeros(self.n_groups), np.zeros(self.n_groups)
        for _, columns, treated, groups in self.blocks():
            chance = expit(self.logits(state, columns, groups))
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
        share = cross / diagonal[:, None]
        beta = _solve(curvature - cross.T @ share, slope - share.T @ slope_groups)
        return _State(beta, slope_groups / diagonal - share @ beta)

    def climb(self, state: _State, tolerance: float, most: int) -> tuple[_State, int, _State]:
        """At most so many Newton steps, fewer once one is within ``tolerance``; how many, and the last."""
        steps, move = 0, state
        while steps < most and (steps == 0 or move.size > tolerance):
            move = self.step(state)
            state = _State(state.beta + move.beta, state.alpha + move.alpha)
            steps += 1
        return state, steps, move

    def result(self, state: _State, steps: int) -> Propensity:
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
            converged=bool(gradient < FLAT),
            max_gradient=float(gradient),
        )


def _warm(logit: _Logit, state: _State) -> _State:
    """A start from all pilot people and one in ``ONE_IN`` others, intercepts moved for the sampling.

    A rare category may lose its last comparison person to the sampling: then ``state`` as it came.
    """
    few = logit.treated.copy()
    few[np.flatnonzero(~logit.treated)[::ONE_IN]] = True
    groups = None if logit.groups is None else logit.groups[few]
    sample = _Logit(logit.x[few], logit.treated[few], logit.centre, logit.scale, groups, logit.n_groups)
    shift = np.log(ONE_IN)
    found, _, move = sample.climb(_State(state.beta, state.alpha + shift), ROUGH, WARM_STEPS)
    return _State(found.beta, found.alpha - shift) if move.size <= ROUGH else state


def _solve(matrix: Array, right: Array) -> Array:
    """Solution on a unit diagonal, where a rare category is as well conditioned as any."""
    scale = 1 / np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    return np.asarray(scale * np.linalg.lstsq(matrix * np.outer(scale, scale), scale * right, rcond=None)[0])


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
