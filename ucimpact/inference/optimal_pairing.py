r"""Optimal pair matching: the sets whose distances sum to least, found all at once.

Greedy matching gives the first the nearest and the last what is left. Here, among all ways of giving each
pilot person up to :math:`k` comparison people of his or her own, the rules kept, the one is taken that

1. serves the most pilot people,
2. then gives away the most comparison people,
3. then has the least :math:`\sum_{(i,j)} d_{ij}` [1]_.

The first two settle what a caliper leaves open; they never pull against one another, for the places that can
be filled form a matroid. It is an assignment problem with :math:`k` places a pilot person, and a place left
empty costs more than all distances together.

It is exact without looking at all pairs. Each pilot person lists the nearest few; whoever's list is used up
by the answer gets one twice as long, and the problem is solved again. Once every list that was cut short has
somebody on it who is left over, nobody beyond the lists can make the sum smaller: the price (the dual) of a
person left over is 0, so whoever stands further down a list costs more than he or she could save.

On a score alone many answers are equally good (two neighbours may swap), and the effect can differ between
them where the people taken differ.

References
----------
.. [1] Rosenbaum, P. R. (1989). Optimal matching for observational studies. *Journal of the American
   Statistical Association* 84(408), 1024-1032.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ucimpact.inference.assignment import ALONE, cheapest
from ucimpact.inference.matched_sets import Calipers, Sets
from ucimpact.inference.neighbours import Near, Neighbours, refuse_many
from ucimpact.inference.pairing import check_matching
from ucimpact.inference.searching import Field

Array = np.ndarray
FIRST_LIST = 16
"""People on a list to begin with, for each comparison person sought."""


def optimal(
    distance: Array | None,
    treated: Array,
    *,
    strata: Array | None = None,
    forbid: Sequence[Array] = (),
    caliper: float | None = None,
    ratio: int = 1,
    covariates: Array | None = None,
    inverse_cov: Array | None = None,
    calipers: Calipers = (),
) -> Sets:
    """Match for the least sum of distances, without replacement.

    Parameters
    ----------
    distance, treated, strata, forbid, caliper, ratio, covariates, inverse_cov, calipers
        As in :func:`~ucimpact.inference.pairing.nearest`.

    Returns
    -------
    Sets
        The comparison people of each set from the nearest on.

    Raises
    ------
    EstimationError
        Where the pairs to be weighed are too many, naming the way out.
    """
    treated = np.asarray(treated, dtype=bool)
    check_matching(distance, covariates, inverse_cov, calipers, ratio, None, "data", caliper)
    field = Field.lay(distance, treated, strata, covariates, inverse_cov, caliper)
    near = Neighbours.around(field, caliper, forbid, calipers)
    length = np.full(near.number, FIRST_LIST * ratio)
    lists = [near.closest(person, length[person]) for person in range(near.number)]
    while True:
        chosen = _solve(lists, ratio, len(near.field.rows))
        left_over = np.ones(len(near.field.rows), dtype=bool)
        left_over[chosen[chosen != ALONE]] = False
        short = [
            person
            for person, near_by in enumerate(lists)
            if near_by.cut and not left_over[near_by.places].any()
        ]
        if not short:
            return _sets(chosen, lists, near, ratio)
        for person in short:
            length[person] *= 2
            lists[person] = near.closest(person, length[person])


def _solve(lists: Sequence[Near], ratio: int, n_line: int) -> Array:
    """Place taken by each place of each set, shape (n_pilot, ratio)."""
    number = len(lists)
    refuse_many(ratio * sum(len(near.places) for near in lists))
    sizes = np.array([len(near.places) for near in lists], dtype=np.int64)
    places = np.concatenate([near.places for near in lists]) if number else np.zeros(0, np.int64)
    far = np.concatenate([near.far for near in lists]) if number else np.zeros(0)
    longest = float(far.max(initial=0.0))
    cost = far / longest if longest > 0 else far
    # An empty place costs more than all distances together; the first place of a set as much again.
    empty = number * ratio + 1.0
    price = np.full((number, ratio), empty)
    price[:, 0] *= 2
    rows = np.repeat(np.arange(number) * ratio, sizes)
    chosen = cheapest(
        (rows[None, :] + np.arange(ratio)[:, None]).ravel(),
        np.tile(places, ratio),
        np.tile(cost, ratio),
        price.ravel(),
        n_line,
    )
    return chosen.reshape(number, ratio)


def _sets(chosen: Array, lists: Sequence[Near], near: Neighbours, ratio: int) -> Sets:
    """The places taken as rows, from the nearest on."""
    controls = np.full((len(lists), ratio), -1, dtype=np.int64)
    for person, near_by in enumerate(lists):
        here = np.isin(near_by.places, chosen[person])
        rows = near.field.rows[near_by.places[here]]
        order = np.lexsort((rows, near_by.far[here]))
        controls[person, : len(rows)] = rows[order]
    matched = controls[:, 0] >= 0
    pilot = near.field.pilot
    return Sets(pilot[matched], controls[matched], pilot[~matched])
