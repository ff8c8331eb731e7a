r"""What a budget should buy: which pilots, at what scale.

Each pilot is left out or funded at a scale between its least and its most; cost and net benefit go with the
scale. Of the draws of net benefit the mean is what counts, so the choice is

.. math:: \max_x \sum_k x_k\, E(NB_k) \quad\text{with}\quad \sum_k x_k c_k \le \text{budget}, \qquad
   x_k \in \{0\} \cup [l_k, u_k]

Of twelve pilots or fewer every set is tried: once each of a set has its least scale, what is left goes to the
largest net benefit a pound first. More are searched by branch and bound, or solved as a mixed integer
program where the search grows long. The same is done in every draw, as if the truth were known: how often a
pilot is in the best set then says how far the choice hangs on what is not known. It is not a chance that
other data would choose it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

Array = np.ndarray

ALL_SETS = 12
"""Up to so many pilots every set is tried."""

ROUNDING = 1 + 1e-12
"""What a sum of costs may pass the budget by."""

AT_ONCE = 4_000_000
"""Draws times sets that are held at a time."""

FILLED = 4_000
"""Draws of which the best scales are sought."""

SOLVED = 400
"""Draws of which the best set is sought where each needs a search."""

BRANCHES = 2_000
"""Of a search, before it is left to a mixed integer program."""

TINY = 1e-9
"""Pounds that stand for none where something is divided by them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Option:
    """A pilot that money could go to.

    Attributes
    ----------
    name : str
    cost : float
        Pounds a year at a scale of one.
    draws : array (n,)
        Net benefit in pounds a year at a scale of one, in each draw of the truth.
    at_least, at_most : float
        Scales between which it can be funded, if it is.
    allowed : bool
        Whether the choice may fall on it. It still counts in what would be best if the truth were known.
    worth : float, optional
        What the choice counts it at, where that is not the mean of its draws: a year that may be the last.
    """

    name: str
    cost: float
    draws: Array
    at_least: float = 1.0
    at_most: float = 1.0
    allowed: bool = True
    worth: float | None = None

    @property
    def counted(self) -> float:
        """Expected pounds at a scale of one."""
        return float(self.draws.mean()) if self.worth is None else self.worth


@dataclass(frozen=True, kw_only=True, eq=False)
class Portfolio:
    """What to fund, and what to expect of it.

    Attributes
    ----------
    names : tuple of str
    chosen : array (K,)
        Scale of each, 0 where it is not funded.
    cost : float
        Pounds a year.
    unspent : float or None
        What is left of the budget.
    mean, low, high : float
        Net benefit a year of all that is funded: expected, and the middle 95% of the draws.
    chance : float
        That it is above nothing; 0 where nothing is funded.
    in_best : array (K,)
        Share of draws of which the best set, were that draw the truth, has each.
    solved : int
        Draws that ``in_best`` is a share of.
    """

    names: tuple[str, ...]
    chosen: Array
    cost: float
    unspent: float | None
    mean: float
    low: float
    high: float
    chance: float
    in_best: Array
    solved: int

    @property
    def funded(self) -> tuple[str, ...]:
        """Names of those that are funded."""
        return tuple(name for name, scale in zip(self.names, self.chosen, strict=True) if scale > 0)


def best(options: Sequence[Option], budget: float | None = None, *, level: float = 0.95) -> Portfolio:
    """Choose what to fund.

    Parameters
    ----------
    options : sequence of Option
        With draws of one length, drawn together.
    budget : float, optional
        Pounds a year at most. Without one, each is decided alone.
    level : float
        Share of the draws between ``low`` and ``high``.
    """
    cost = np.array([option.cost for option in options])
    counted = np.array([option.counted if option.allowed else -np.inf for option in options])
    draws = np.column_stack([option.draws for option in options])
    scales = np.array([[option.at_least for option in options], [option.at_most for option in options]])
    if budget is None:
        chosen = np.where(counted > 0, scales[1], 0.0)
        in_best, solved = (draws > 0).mean(axis=0), len(draws)
    elif len(options) <= ALL_SETS:
        sets = affordable(cost * scales[0], budget)
        allowed = np.where(np.isfinite(counted), counted, 0.0)[None]
        among = sets[~sets[:, ~np.isfinite(counted)].any(axis=1)]
        chosen = _filled(allowed, cost, budget, scales, among)[0]
        some = draws if (scales == 1).all() else _thinned(draws, FILLED)
        in_best, solved = (_filled(some, cost, budget, scales, sets) > 0).mean(axis=0), len(some)
    else:
        chosen = _searched(counted, cost, budget, scales)
        some = _thinned(draws, SOLVED)
        in_best = np.mean([_searched(row, cost, budget, scales) > 0 for row in some], axis=0)
        solved = len(some)
    total = draws @ chosen
    low, high = np.quantile(total, [(1 - level) / 2, (1 + level) / 2])
    spent = float(cost @ chosen)
    return Portfolio(
        names=tuple(option.name for option in options),
        chosen=chosen,
        cost=spent,
        unspent=None if budget is None else budget - spent,
        mean=float(total.mean()),
        low=float(low),
        high=float(high),
        chance=float((total > 0).mean()),
        in_best=in_best,
        solved=solved,
    )


def affordable(cost: Array, budget: float | None = None) -> Array:
    """Every set that a budget allows as rows of 0 and 1, the empty one first, shape (S, K)."""
    k = len(cost)
    sets = (np.arange(2**k)[:, None] >> np.arange(k) & 1).astype(float)
    return sets if budget is None else sets[sets @ cost <= budget * ROUNDING]


def best_set(worth: Array, cost: Array, budget: float | None = None) -> Array:
    """Which to fund, whole or not at all, so that the sum of ``worth`` is largest; shape (K,) of bool."""
    if budget is None:
        return np.asarray(worth > 0)
    if len(worth) <= ALL_SETS:
        sets = affordable(cost, budget)
        return np.asarray(sets[(sets @ worth).argmax()] > 0)
    return _searched(worth, cost, budget, np.ones((2, len(worth)))) > 0


def _thinned(draws: Array, most: int) -> Array:
    """So many of the draws at most, spread evenly."""
    return np.asarray(draws[np.linspace(0, len(draws) - 1, min(most, len(draws))).astype(int)])


def _filled(worth: Array, cost: Array, budget: float, scales: Array, sets: Array) -> Array:
    """Best scales in each row of ``worth`` (n, K), by trying every set."""
    at_once = max(1, AT_ONCE // len(sets))
    rows = range(0, len(worth), at_once)
    parts = [_fill(worth[at : at + at_once], cost, budget, scales, sets) for at in rows]
    return np.concatenate(parts)


def _fill(worth: Array, cost: Array, budget: float, scales: Array, sets: Array) -> Array:
    least, most = scales
    value = worth @ (sets * least).T
    if not (most > least).any():
        return np.asarray(sets[value.argmax(axis=1)])
    spent = np.maximum(cost, TINY)
    order = np.argsort(-worth / spent, axis=1)
    rows = np.arange(len(worth))
    left = np.broadcast_to(budget - sets @ (least * cost), value.shape).copy()
    for k in order.T:
        gain = worth[rows, k]
        more = np.minimum(left, ((most - least) * cost)[k, None]) * sets.T[k] * (gain > 0)[:, None]
        value += (gain / spent[k])[:, None] * more
        left -= more
    funded = sets[value.argmax(axis=1)]
    chosen = funded * least
    left_of_best = budget - chosen @ cost
    for k in order.T:
        room = (most - least)[k] * funded[rows, k] * (worth[rows, k] > 0)
        more = np.minimum(room, np.maximum(left_of_best, 0.0) / spent[k])
        chosen[rows, k] += more
        left_of_best -= more * cost[k]
    return np.asarray(chosen)


def _searched(worth: Array, cost: Array, budget: float, scales: Array) -> Array:
    """Best scales by branch and bound on which are funded.

    Without least scales the best is to fill the budget in the order of net benefit a pound. That is a bound;
    the one pilot that it leaves below its least scale is then left out in one branch and funded in the other.
    """
    open_to = np.flatnonzero(worth > 0)
    open_to = open_to[np.argsort(-worth[open_to] / np.maximum(cost[open_to], TINY))]
    w, c, (least, most) = worth[open_to], np.maximum(cost[open_to], TINY), scales[:, open_to]
    chosen, best_yet, top = np.zeros(len(worth)), np.zeros(len(open_to)), 0.0
    branches = [np.zeros(len(open_to), dtype=int)]
    for _ in range(BRANCHES):
        if not branches:
            break
        branch = branches.pop()
        base = np.where(branch > 0, least, 0.0)
        left = budget * ROUNDING - base @ c
        room = (np.where(branch < 0, 0.0, most) - base) * c
        scale = base + np.clip(left - np.cumsum(room) + room, 0.0, room) / c
        if left < 0 or w @ scale <= top * ROUNDING:
            continue
        short = np.flatnonzero((scale > 0) & (scale < least / ROUNDING))
        kept = scale.copy()
        kept[short] = 0.0
        if w @ kept > top:
            top, best_yet = float(w @ kept), kept
        for k in short[:1]:
            for way in (-1, 1):
                branches.append(np.where(np.arange(len(w)) == k, way, branch))
    if branches:
        return _program(worth, cost, budget, scales)
    chosen[open_to] = best_yet
    return chosen


def _program(worth: Array, cost: Array, budget: float, scales: Array) -> Array:
    """Best scales; variables are whether each is funded, and how far above its least those go that can."""
    open_to = np.flatnonzero(worth > 0)
    chosen = np.zeros(len(worth))
    if not len(open_to) or budget <= 0:
        return chosen
    least, most = scales[:, open_to]
    more = np.flatnonzero(most > least)
    k, room = len(open_to), (most - least)[more]
    pounds = np.concatenate([cost[open_to] * least, cost[open_to][more]]) / budget
    only_if = np.zeros((len(more), k + len(more)))
    only_if[np.arange(len(more)), more] = -room
    only_if[np.arange(len(more)), k + np.arange(len(more))] = 1
    found = milp(
        -np.concatenate([worth[open_to] * least, worth[open_to][more]]) / worth.max(),
        integrality=np.repeat([1, 0], [k, len(more)]),
        bounds=Bounds(0, np.concatenate([np.ones(k), room])),
        constraints=LinearConstraint(
            np.vstack([pounds, only_if]), ub=np.concatenate([[ROUNDING], np.zeros(len(more))])
        ),
        options={"mip_rel_gap": 0.0},
    )
    assert found.x is not None, found.message  # nothing at all is always allowed
    funded = np.round(found.x[:k])
    chosen[open_to] = funded * least
    chosen[open_to[more]] += funded[more] * np.clip(found.x[k:], 0.0, room)
    return chosen
