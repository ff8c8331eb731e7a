r"""Entropy balancing: weights nearest to even under which people have the means that were asked for.

Of all weights with :math:`\sum_i w_i x_i / \sum_i w_i = m` those of least :math:`\sum_i w_i \log w_i` are

.. math:: w_i \propto \exp(z_i'\lambda), \qquad z_i = (x_i - m) / s,

where :math:`\lambda` makes the convex function :math:`f(\lambda) = \log \sum_i \exp(z_i'\lambda)` least
[1]_: its slope is the difference of means that is left, its curvature the weighted covariance of z. Newton's
steps are halved while they do not go down. Columns are standardised first: a tolerance in pounds or years
says nothing of an index from 0 to 1.

**Converged** means that every mean is as asked for, to a millionth of a standard deviation. Nothing else is
handed back. No weights do that where m lies outside of the hull of the rows: then there is a direction
:math:`\lambda` in which everybody lies on one side, :math:`\max_i z_i'\lambda < 0`, and once a step finds one
the columns that are to blame are named.

Rows are read in blocks and worked on as float64, and a large sample begins from a tenth of itself, so two
million people need no copy of their columns.

References
----------
.. [1] Hainmueller, J. (2012). Entropy balancing for causal effects: a multivariate reweighting method to
   produce balanced samples in observational studies. *Political Analysis* 20(1), 25-46, eq. 8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray

BLOCK = 65_536
"""Rows worked on at a time: 12 columns of them fill the cache of a processor, not its memory."""

ONE_IN = 10
WARM_FROM = 200_000

BALANCED = 1e-6
"""Largest difference of means, in standard deviations, that is called balanced."""
CLOSE = 1e-11
"""No step is taken for less: it is what rounding leaves of a mean."""
STEPS = 200
ENOUGH = 1e-4
"""Share of the descent foreseen by the slope that a step has to bring."""
SMALLEST = 1e-10
RIDGE = 1e-12
GONE = 1e-9
TRIED, NAMED = 8, 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Balanced:
    """Weights that balance.

    Attributes
    ----------
    weights : array (n,)
        Mean 1.
    coef : array (k,)
        Log weights a unit of each column.
    iterations : int
        Passes over all rows.
    difference : array (k,)
        Weighted mean less what was asked for, in the standard deviations given.
    """

    weights: Array
    coef: Array
    iterations: int
    difference: Array

    @property
    def max_difference(self) -> float:
        return float(np.abs(self.difference).max(initial=0.0))


def balance(x: Array, target: Array, spread: Array | None = None) -> Balanced:
    """The weights of the rows.

    Parameters
    ----------
    x : array (n, k)
        Covariates, finite, without a column of ones; float32 is enough for large n.
    target : array (k,)
        The means that the weighted rows are to have.
    spread : array (k,), optional
        Standard deviations in which a difference is judged (those of the pilot people); where 0 or not given
        those of the rows.

    Raises
    ------
    EstimationError
        Where no weights give these means. The message names the column by its number, from 0.
    """
    target = np.asarray(target, dtype=float)
    ends = _Ends.of(x, target)
    if told := _beyond(ends, target):
        raise EstimationError(told)
    vary = np.flatnonzero(ends.high > ends.low)
    judged = ends.spread if spread is None else np.where(spread > 0, spread, ends.spread)
    problem = _Dual(x, vary, target[vary], ends.spread[vary])
    found = _climb(problem, _warm(problem))
    if found.apart or found.largest(judged[vary] / problem.scale) > BALANCED:
        raise EstimationError(_blame(problem, found.at))
    coef, difference = np.zeros(len(target)), np.zeros(len(target))
    coef[vary] = found.at / problem.scale
    difference[vary] = found.slope * problem.scale / judged[vary]
    weights = problem.weights(found.at)
    return Balanced(weights=weights, coef=coef, iterations=found.steps, difference=difference)


@dataclass(frozen=True, eq=False)
class _Ends:
    low: Array
    high: Array
    spread: Array

    @classmethod
    def of(cls, x: Array, target: Array) -> _Ends:
        """Smallest and largest value and standard deviation of each column."""
        k = x.shape[1]
        low, high, sums, squares = np.full(k, np.inf), np.full(k, -np.inf), np.zeros(k), np.zeros(k)
        for start in range(0, len(x), BLOCK):
            rows = x[start : start + BLOCK].astype(np.float64)
            low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
            rows -= target
            sums += rows.sum(axis=0)
            squares += (rows * rows).sum(axis=0)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise EstimationError("a covariate to be balanced has a missing or infinite value")
        spread = np.sqrt(np.maximum(squares / len(x) - (sums / len(x)) ** 2, 0.0))
        return cls(low, high, np.where(spread > 0, spread, 1.0))


def _beyond(ends: _Ends, target: Array) -> str | None:
    """What no weights can give, column by column."""
    slack = GONE * np.maximum(ends.high - ends.low, np.maximum(np.abs(target), 1e-300))
    beyond = (target < ends.low - slack) | (target > ends.high + slack)
    for k in np.flatnonzero(beyond):
        return (
            f"column {k} of the covariates: no weights give the mean that is asked for, which lies beyond "
            "everybody who could be weighted. Leave it out, or leave out the people who are beyond"
        )
    edge = (ends.high > ends.low) & ((target < ends.low + slack) | (target > ends.high - slack))
    for k in np.flatnonzero(edge):
        return (
            f"column {k} of the covariates: the mean that is asked for is at the very edge, so only people "
            "at that edge could be given any weight. Leave the others out of the data, or name it under exact"
        )
    return None


@dataclass(frozen=True, eq=False)
class _Point:
    """The dual function at a point."""

    at: Array
    value: float
    slope: Array
    curvature: Array
    top: float
    """Largest of the exponents: below 0 only where everybody lies on one side."""
    steps: int = 0

    @property
    def apart(self) -> bool:
        return self.top < -GONE * max(float(np.abs(self.at).max(initial=0.0)), 1.0)

    def largest(self, spread: Array | None = None) -> float:
        return float(np.abs(self.slope if spread is None else self.slope / spread).max(initial=0.0))


@dataclass(frozen=True, eq=False)
class _Dual:
    """The columns ``keep`` of some rows, less the means asked for."""

    x: Array
    keep: Array
    target: Array
    scale: Array

    def block(self, start: int) -> Array:
        rows = self.x[start : start + BLOCK]
        rows = (
            rows.astype(np.float64) if len(self.keep) == rows.shape[1] else rows[:, self.keep].astype(float)
        )
        rows -= self.target
        rows /= self.scale
        return np.asarray(rows)

    def __call__(self, at: Array) -> _Point:
        k = len(at)
        top, total, first, second = -np.inf, 0.0, np.zeros(k), np.zeros((k, k))
        for start in range(0, len(self.x), BLOCK):
            rows = self.block(start)
            exponent = rows @ at
            here = float(exponent.max())
            if here > top:
                shrink = float(np.exp(top - here))
                total, first, second, top = total * shrink, first * shrink, second * shrink, here
            weight = np.exp(exponent - top)
            total += float(weight.sum())
            first += weight @ rows
            second += rows.T @ (rows * weight[:, None])
        slope = first / total
        value = top + float(np.log(total / len(self.x)))
        return _Point(at, value, slope, second / total - np.outer(slope, slope), top)

    def weights(self, at: Array) -> Array:
        """Mean 1."""
        exponent = np.concatenate([self.block(start) @ at for start in range(0, len(self.x), BLOCK)])
        exponent -= exponent.max()
        np.exp(exponent, out=exponent)
        exponent /= exponent.mean()
        return exponent

    def some(self, rows: slice) -> _Dual:
        return _Dual(self.x[rows], self.keep, self.target, self.scale)

    def without(self, place: int) -> _Dual:
        keep, target, scale = (np.delete(v, place) for v in (self.keep, self.target, self.scale))
        return _Dual(self.x, keep, target, scale)


def _climb(problem: _Dual, start: Array) -> _Point:
    """Down to where no difference of means is left, or to where everybody lies on one side."""
    here, passes = problem(start), 1
    while here.largest() > CLOSE and not here.apart and passes < STEPS:
        move = -_solve(here.curvature, here.slope)
        foreseen, share = float(here.slope @ move), 1.0
        while True:
            there = problem(here.at + share * move)
            passes += 1
            down = there.value <= here.value + ENOUGH * share * foreseen
            # Near the end the value no longer tells, and the slope does.
            if there.apart or down or there.largest() < here.largest() / 2:
                break
            share /= 2
            if share < SMALLEST or passes >= STEPS:
                return _Point(here.at, here.value, here.slope, here.curvature, here.top, passes)
        here = there
    return _Point(here.at, here.value, here.slope, here.curvature, here.top, passes)


def _warm(problem: _Dual) -> Array:
    """A start from one row in ``ONE_IN``, where there are many; from even weights otherwise."""
    even = np.zeros(len(problem.keep))
    if len(problem.x) < WARM_FROM:
        return even
    found = _climb(problem.some(slice(None, None, ONE_IN)), even)
    return found.at if found.largest() <= BALANCED and not found.apart else even


def _solve(matrix: Array, right: Array) -> Array:
    """Solution on a unit diagonal; what combinations of columns leave open a trace of a ridge holds."""
    scale = 1 / np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    even = matrix * np.outer(scale, scale) + RIDGE * np.eye(len(matrix))
    return np.asarray(scale * np.linalg.solve(even, scale * right))


def _blame(problem: _Dual, at: Array) -> str:
    """Which column stands in the way: the one without which the others balance."""
    order = np.argsort(-np.abs(at))
    for place in order[:TRIED]:
        rest = problem.without(int(place))
        if not len(rest.keep):
            break
        found = _climb(rest, _warm(rest))
        if not found.apart and found.largest() <= BALANCED:
            return (
                f"column {problem.keep[place]} of the covariates: no weights give the mean that is asked for "
                "together with those of the others. Leave it out, or leave out people who have no counterpart"
            )
    named = ", ".join(f"column {problem.keep[place]} of the covariates" for place in order[:NAMED])
    return (
        f"{named}: no weights give the means that are asked for together. Leave some of them out, or leave "
        "out people who have no counterpart"
    )
