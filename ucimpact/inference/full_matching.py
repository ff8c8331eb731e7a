r"""Full matching: everybody in the set that suits them best, with one person at the centre of each.

Among all divisions of the people into sets with one person on one side and one or more on the other, the
rules kept, the one with the least sum of distances from the centres [1]_. Nobody with an allowed partner is
left out, and no other division into sets has a smaller sum.

A set with a centre is a star, and stars that reach everybody at the least cost are a cheapest *edge cover*.
With :math:`c_i` the distance of person i to the nearest allowed partner,

.. math:: \sum_{\text{pairs}} d_{ij} = \sum_i c_i + \sum_j c_j - \sum_{(i,j) \in M} (c_i + c_j - d_{ij}) ,

where M are the pairs of which neither has gone to his or her nearest; everybody else has. So the best cover
is a matching M of largest total saving, an assignment problem in which only pairs with a saving above 0
stand: few, since both must gain [2]_. With a limit on the size of sets it is a flow of least cost
(:mod:`ucimpact.inference.least_cost`).

The R package optmatch solves the same with distances rounded, so that its sum may be a little larger. Where
people tie, several divisions are equally good.

References
----------
.. [1] Rosenbaum, P. R. (1991). A characterization of optimal designs for observational studies. *Journal of
   the Royal Statistical Society B* 53(3), 597-610.
.. [2] Schrijver, A. (2003). *Combinatorial Optimization*. Springer, section 19.3 (edge covers from matchings)
   and theorem 27.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ucimpact.inference.assignment import ALONE, cheapest
from ucimpact.inference.grouped_sets import UNUSED, Groups
from ucimpact.inference.least_cost import Limits, capped
from ucimpact.inference.matched_sets import Calipers
from ucimpact.inference.neighbours import Neighbours, refuse_many
from ucimpact.inference.pairing import check_matching
from ucimpact.inference.searching import SLACK, Field

Array = np.ndarray


def full(
    distance: Array | None,
    treated: Array,
    *,
    strata: Array | None = None,
    forbid: Sequence[Array] = (),
    caliper: float | None = None,
    covariates: Array | None = None,
    inverse_cov: Array | None = None,
    calipers: Calipers = (),
    fewest: float = 0.0,
    most: float = np.inf,
) -> Groups:
    """Divide everybody who has an allowed partner into sets.

    Parameters
    ----------
    distance, treated, strata, forbid, caliper, covariates, inverse_cov, calipers
        As in :func:`~ucimpact.inference.pairing.nearest`.
    fewest, most : float
        Comparison people for each pilot person of a set, at least and at most: 0.25 lets up to four pilot
        people share one, 1 none. People whom the limits leave no room for are in no set, as few as can be.

    Returns
    -------
    Groups

    Raises
    ------
    EstimationError
        Where the pairs to be weighed are too many, naming the way out.
    """
    treated = np.asarray(treated, dtype=bool)
    check_matching(distance, covariates, inverse_cov, calipers, 1, None, "data", caliper)
    field = Field.lay(distance, treated, strata, covariates, inverse_cov, caliper)
    near = Neighbours.around(field, caliper, forbid, calipers)
    pairs = _cover(near)
    if fewest > 0 or most < np.inf:
        wide = len(near.field.rows) if most == np.inf else int(most + 1e-9)
        shared = near.number if fewest <= 0 else int(1 / fewest + 1e-9)
        pairs = capped(near, Limits(most=max(wide, 1), shared=max(shared, 1)), pairs)
    return _stars(near, *pairs, treated)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pilot people by number, places on the line and distances."""

    pilots: Array
    places: Array
    far: Array


def _cover(near: Neighbours) -> tuple[Array, Array, Array]:
    """The pairs of the cheapest cover: pilot numbers, places on the line, distances."""
    nearest, to_pilot, to_other, own = _nearest(near)
    pairs = _saving(near, to_pilot, to_other)
    saving = to_pilot[pairs.pilots] + to_other[pairs.places] - pairs.far
    chosen = cheapest(pairs.pilots, pairs.places, -saving, np.zeros(near.number), len(to_other))
    paired = np.flatnonzero(chosen != ALONE)
    # Everybody else goes to the nearest.
    lone = np.flatnonzero((chosen == ALONE) & np.isfinite(to_pilot))
    left = np.isfinite(to_other)
    left[chosen[paired]] = False
    places = np.flatnonzero(left)
    pilots = np.concatenate([paired, lone, own[places]])
    where = np.concatenate([chosen[paired], nearest[lone], places])
    far = np.full(len(pilots), np.nan)
    far[len(paired) : len(paired) + len(lone)] = to_pilot[lone]
    far[len(paired) + len(lone) :] = to_other[places]
    key = pairs.pilots * len(to_other) + pairs.places
    order = np.argsort(key)
    far[: len(paired)] = pairs.far[
        order[np.searchsorted(key[order], paired * len(to_other) + chosen[paired])]
    ]
    return pilots, where, far


def _nearest(near: Neighbours) -> tuple[Array, Array, Array, Array]:
    """Nearest place and distance of each pilot person, distance and nearest pilot person of each place."""
    line = len(near.field.rows)
    place, to_pilot = np.full(near.number, -1), np.full(near.number, np.inf)
    own, to_other = np.full(line, -1), np.full(line, np.inf)
    if near.on_line:
        return _nearest_on_line(near, place, to_pilot, to_other, own)
    for person in range(near.number):
        found = near.all_of(person)
        if not len(found.places):
            continue
        best = int(found.far.argmin())
        place[person], to_pilot[person] = found.places[best], found.far[best]
        closer = found.far < to_other[found.places]
        to_other[found.places[closer]], own[found.places[closer]] = found.far[closer], person
    return place, to_pilot, to_other, own


def _nearest_on_line(
    near: Neighbours, place: Array, to_pilot: Array, to_other: Array, own: Array
) -> tuple[Array, Array, Array, Array]:
    """The same, where who is nearest stands beside."""
    field = near.field
    for persons, low, high in _strata(near):
        along, stand = field.along[low:high], field.stand[persons]
        for step in (-1, 0):
            beside = field.at[persons] + step
            ok = (beside >= low) & (beside < high)
            far = np.where(ok, np.abs(field.along[np.clip(beside, low, max(high - 1, low))] - stand), np.inf)
            closer = far < to_pilot[persons]
            to_pilot[persons[closer]], place[persons[closer]] = far[closer], beside[closer]
        beside = np.searchsorted(stand, along)
        for step in (-1, 0):
            which = np.clip(beside + step, 0, len(persons) - 1)
            far = np.abs(stand[which] - along)
            closer = far < to_other[low:high]
            to_other[low:high][closer], own[low:high][closer] = far[closer], persons[which[closer]]
    if near.allowed.caliper is not None:
        to_pilot[to_pilot > near.allowed.caliper] = np.inf
        to_other[to_other > near.allowed.caliper] = np.inf
    return place, to_pilot, to_other, own


def _strata(near: Neighbours) -> list[tuple[Array, int, int]]:
    """Numbers of the pilot people of each stratum by rising score, and its ends on the line; none empty."""
    field = near.field
    order = np.lexsort((field.stand, field.low))
    cuts = np.flatnonzero(np.diff(field.low[order]) | np.diff(field.high[order])) + 1
    parts = np.split(order, cuts) if len(order) else []
    ends = [(part, int(field.low[part[0]]), int(field.high[part[0]])) for part in parts]
    return [(part, low, high) for part, low, high in ends if low < high]


def _saving(near: Neighbours, to_pilot: Array, to_other: Array) -> _Pairs:
    """Pairs in which both together gain by not going to their nearest."""
    start, stop = _stretches(near, to_pilot) if near.on_line else _windows(near)
    found = []
    held = 0
    for person in np.flatnonzero(np.isfinite(to_pilot)).tolist():
        all_of = near.all_of(person, int(start[person]), int(stop[person]))
        gain = all_of.far < to_pilot[person] + to_other[all_of.places]
        found.append((np.full(int(gain.sum()), person), all_of.places[gain], all_of.far[gain]))
        held += len(found[-1][0])
        refuse_many(held)
    if not found:
        return _Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return _Pairs(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _windows(near: Neighbours) -> tuple[Array, Array]:
    ends = np.array([near.allowed.window(person) for person in range(near.number)], dtype=np.int64)
    return ends.reshape(-1, 2)[:, 0], ends.reshape(-1, 2)[:, 1]


def _stretches(near: Neighbours, to_pilot: Array) -> tuple[Array, Array]:
    """Where on a line a pair can gain.

    The nearest pilot person w of whoever stands beyond w is at most :math:`c_i` from i; whoever stands on
    this side of w is at most :math:`c_i / 2` beyond the middle of i and w.
    """
    start, stop = _windows(near)
    field = near.field
    for persons, low, high in _strata(near):
        stand, reach = field.stand[persons], to_pilot[persons]
        reach = np.where(np.isfinite(reach), reach, 0.0)
        reach = reach + SLACK * (np.abs(stand) + reach)
        first = np.searchsorted(stand, stand - reach, side="left")
        last = np.searchsorted(stand, stand + reach, side="right") - 1
        middle = np.concatenate([[-np.inf], (stand[1:] + stand[:-1]) / 2, [np.inf]])
        along = field.along[low:high]
        left, right = middle[first], middle[last + 1]
        beyond = reach + SLACK * (np.abs(stand) + reach)
        start[persons] = np.maximum(start[persons], low + np.searchsorted(along, left - beyond, side="left"))
        stop[persons] = np.minimum(stop[persons], low + np.searchsorted(along, right + beyond, side="right"))
    return start, np.maximum(start, stop)


def _stars(near: Neighbours, pilots: Array, places: Array, far: Array, treated: Array) -> Groups:
    """Sets from pairs; a pair whose both ends have another partner is dropped, the longest first."""
    n = len(treated)
    ends = near.field.pilot[pilots], near.field.rows[places]
    degree = np.bincount(np.concatenate(ends), minlength=n) if len(pilots) else np.zeros(n, np.int64)
    keep = np.ones(len(pilots), dtype=bool)
    double = np.flatnonzero((degree[ends[0]] > 1) & (degree[ends[1]] > 1))
    for pair in double[np.argsort(-far[double], kind="stable")]:
        one, other = ends[0][pair], ends[1][pair]
        if degree[one] > 1 and degree[other] > 1:
            keep[pair] = False
            degree[one] -= 1
            degree[other] -= 1
    graph = csr_array((np.ones(int(keep.sum()), np.int8), (ends[0][keep], ends[1][keep])), shape=(n, n))
    label = connected_components(graph, directed=False)[1].astype(np.int64)
    used = np.zeros(n, dtype=bool)
    used[ends[0][keep]] = used[ends[1][keep]] = True
    label[~used] = UNUSED
    # Numbered by their first row, whatever found them.
    first = np.unique(label[used], return_index=True)[1]
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    label[used] = (
        rank[np.unique(label[used], return_inverse=True)[1].reshape(-1)] if used.any() else label[used]
    )
    return Groups(label, treated)
