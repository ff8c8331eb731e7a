r"""The chance that the service begins on a trial day, for everybody who could begin on it.

One row is a person (or a discharge) on a day :math:`d` on which the service could begin. Pooled over days,

.. math:: \operatorname{logit} h_{ed} = a_d + g_{p(e)} + x_{ed}'\beta

by maximum likelihood: an intercept for every day, one for every group (practice) where groups are given, and
columns that may change from day to day. The pooled logit is the discrete-time form of a Cox model of the time
to the service [1]_, whose score makes people of one day comparable [2]_.

Day and group intercepts are never columns. Newton's step is solved after the intercepts of the larger of the
two families have been taken out by sums over their rows (their block is diagonal),

.. math:: (B - C'D^{-1}C)\,\Delta_b = r_b - C'D^{-1} r_a, \qquad \Delta_a = D^{-1}(r_a - C\Delta_b) ,

so 40,000 rows of fifteen columns and forty practices take hundredths of a second a step.

Comparison rows may be a sample, drawn at one rate within a day: only the intercept of the day moves, by the
log of the rate [3]_.

References
----------
.. [1] D'Agostino, R. B. et al. (1990). Relation of pooled logistic regression to time dependent Cox
   regression analysis. *Statistics in Medicine* 9(12), 1501-1515.
.. [2] Lu, B. (2005). Propensity score matching with time-dependent covariates. *Biometrics* 61(3), 721-728.
.. [3] Prentice, R. L. and Pyke, R. (1979). Logistic disease incidence models and case-control studies.
   *Biometrika* 66(3), 403-411.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ucimpact.errors import EstimationError

Array = np.ndarray

CLOSE = 1e-7
"""A largest step this small (columns standardised) is followed by one of about its square."""
STEPS = 30
LARGEST_STEP = 4.0
"""No logit moves further in one step: a first step from far away would overshoot."""
GONE = 1e-9


class Separated(EstimationError):
    """A covariate tells some who start from others without error; ``column`` is its number, from 0."""

    def __init__(self, column: int) -> None:
        self.column = column
        super().__init__(
            f"column {column} of the covariates (perhaps with others) tells some who start from others "
            "without error, so the hazard has no maximum. Leave it out or join its rare categories"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Hazard:
    """A fitted hazard.

    Attributes
    ----------
    coef : array (k,)
        One a column, in the columns' own units; 0 for a column in ``left_out``.
    left_out : tuple of int
        Columns that say nothing beyond day, group and the columns before them.
    linear, chance : array (n,)
        The logit and the chance of every row, in the rows that were given.
    iterations : int
    converged : bool
    """

    coef: Array
    left_out: tuple[int, ...]
    linear: Array
    chance: Array
    iterations: int
    converged: bool


def fit(x: Array, started: Array, day: Array, *, group: Array | None = None) -> Hazard:
    """Fit the hazard.

    Parameters
    ----------
    x : array (n, k)
        Finite columns, without an intercept.
    started : array (n,) of bool
        Whether the service began on the day of the row.
    day : array (n,) of int
        Codes of days; on each somebody starts and somebody does not.
    group : array (n,) of int, optional
        Codes of groups; in each somebody starts and somebody does not.

    Raises
    ------
    EstimationError
        Where a value is missing, or a day or group has no intercept.
    Separated
        Where a column tells some who start from others without error.
    """
    started = np.asarray(started, dtype=bool)
    if not np.isfinite(x).all():
        raise EstimationError("a covariate of the hazard has a missing or infinite value")
    days, groups = _codes(day), None if group is None else _codes(group)
    for codes, what in ((days, "day"), (groups, "group")):
        if codes is not None:
            _both_arms(codes, started, what)
    keep = _apart(x, days, groups)
    centre, scale = x[:, keep].mean(axis=0), x[:, keep].std(axis=0)
    columns = (x[:, keep] - centre) / scale
    big, small = _families(days, groups)
    problem = _Problem(columns, started.astype(float), big, small)
    inner, linear, steps, move = problem.climb()
    if move > CLOSE:
        worst = int(keep[int(np.abs(inner).argmax())]) if len(keep) else 0
        raise Separated(worst)
    coef = np.zeros(x.shape[1])
    coef[keep] = inner / scale
    return Hazard(
        coef=coef,
        left_out=tuple(k for k in range(x.shape[1]) if k not in set(keep.tolist())),
        linear=linear,
        chance=expit(linear),
        iterations=steps,
        converged=True,
    )


@dataclass(frozen=True, eq=False)
class _Problem:
    """The likelihood over standardised columns, one family of intercepts to be summed out and one kept."""

    x: Array
    y: Array
    big: Array
    small: Array | None

    def climb(self) -> tuple[Array, Array, int, float]:
        """Coefficients, logits, steps taken and the size of the last."""
        n_big = int(self.big.max()) + 1
        n_small = 0 if self.small is None else int(self.small.max()) + 1
        share = np.bincount(self.big, self.y, n_big) / np.bincount(self.big, minlength=n_big)
        linear = np.log(share / (1 - share))[self.big]
        coef, move, steps = np.zeros(self.x.shape[1]), np.inf, 0
        while steps < STEPS and move > CLOSE:
            step, alpha, gamma = self._step(linear, n_big, n_small)
            change = self.x @ step + alpha[self.big]
            if self.small is not None:
                change += gamma[self.small]
            furthest = float(np.abs(change).max())
            take = min(1.0, LARGEST_STEP / furthest) if furthest > 0 else 1.0
            linear = linear + take * change
            coef = coef + take * step
            parts = (step, alpha, gamma)
            move = max(float(np.abs(part).max(initial=0.0)) for part in parts)
            steps += 1
        return coef, linear, steps, move

    def _step(self, linear: Array, n_big: int, n_small: int) -> tuple[Array, Array, Array]:
        chance = expit(linear)
        weight, left = chance * (1 - chance), self.y - chance
        weighted = self.x * weight[:, None]
        k = self.x.shape[1]
        size = k + max(n_small - 1, 0)
        inner, right = np.zeros((size, size)), np.zeros(size)
        cross = np.zeros((n_big, size))
        inner[:k, :k] = self.x.T @ weighted
        right[:k] = left @ self.x
        for column in range(k):
            cross[:, column] = np.bincount(self.big, weighted[:, column], n_big)
        if self.small is not None and n_small > 1:
            inner[k:, k:][np.diag_indices(size - k)] = np.bincount(self.small, weight, n_small)[1:]
            right[k:] = np.bincount(self.small, left, n_small)[1:]
            for column in range(k):
                inner[column, k:] = np.bincount(self.small, weighted[:, column], n_small)[1:]
            inner[k:, :k] = inner[:k, k:].T
            both = np.bincount(self.big * n_small + self.small, weight, n_big * n_small)
            cross[:, k:] = both.reshape(n_big, n_small)[:, 1:]
        diagonal = np.maximum(np.bincount(self.big, weight, n_big), np.finfo(float).tiny)
        slope = np.bincount(self.big, left, n_big)
        shared = cross / diagonal[:, None]
        found = _solve(inner - cross.T @ shared, right - shared.T @ slope)
        alpha = slope / diagonal - shared @ found
        gamma = np.concatenate([[0.0], found[k:]]) if n_small else np.zeros(0)
        return found[:k], alpha, gamma


def _families(days: Array, groups: Array | None) -> tuple[Array, Array | None]:
    """The larger family of intercepts, to be summed out, and the smaller."""
    if groups is None:
        return days, None
    return (days, groups) if days.max() >= groups.max() else (groups, days)


def _apart(x: Array, days: Array, groups: Array | None) -> Array:
    """Columns that say something beyond day, group and the columns before them."""
    if not x.shape[1]:
        return np.zeros(0, dtype=np.int64)
    within = x - x.mean(axis=0)
    total = np.sqrt((within**2).sum(axis=0))
    families = [days] if groups is None else [days, groups]
    for _ in range(1 if groups is None else 4):
        for codes in families:
            size = np.bincount(codes)
            for column in range(x.shape[1]):
                within[:, column] -= (np.bincount(codes, within[:, column]) / size)[codes]
    length = np.sqrt((within**2).sum(axis=0))
    keep: list[int] = []
    basis = np.zeros((len(x), 0))
    for column in range(x.shape[1]):
        if length[column] <= 1e-6 * max(total[column], 1e-300):
            continue
        rest = within[:, column] / length[column]
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        if (left := float(np.linalg.norm(rest))) > 1e-6:
            basis = np.column_stack([basis, rest / left])
            keep.append(column)
    return np.array(keep, dtype=np.int64)


def _both_arms(codes: Array, started: Array, what: str) -> None:
    size, began = np.bincount(codes), np.bincount(codes, started)
    if alone := int(((began == 0) | (began == size)).sum()):
        raise EstimationError(
            f"on {alone} of {len(size)} {what}s nobody starts or everybody does, so there is no intercept. "
            "Leave their rows out of the hazard"
        )


def _codes(values: Array) -> Array:
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def _solve(matrix: Array, right: Array) -> Array:
    """Solution on a unit diagonal, where a rare category is as well conditioned as any."""
    if not len(right):
        return np.zeros(0)
    scale = 1 / np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    return np.asarray(scale * np.linalg.lstsq(matrix * np.outer(scale, scale), scale * right, rcond=None)[0])
