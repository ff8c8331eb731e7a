"""Parts of the people, dealt at random, so that nobody is foreseen by a model that has seen them.

Everybody of one person is in one part. Dealing goes by what is known of people and not by where their rows
stand: they are put in order of a mixture of the ranks of their columns, and that order is shuffled by the
seed. So the same people in another order of rows, or with a column in other units, are in the same parts, and
a part is random all the same.
"""

from __future__ import annotations

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray
MIXTURE = 20_210_401
"""Seed of the mixture of columns, the same for every seed of the dealing."""


def deal(
    x: Array,
    treated: Array,
    folds: int,
    seed: int = 1,
    *,
    units: Array | None = None,
) -> Array:
    """The part of each row, from 0, shape (n,).

    Parameters
    ----------
    x : array (n, k)
    treated : array (n,) of bool
        Pilot people are dealt by themselves, so that every part has its share of them.
    folds : int
        How many parts, 2 or more.
    units : array (n,) of int, optional
        Rows that belong together, such as those of one person; the codes also put people in order whose
        columns are the same, whom nothing but the order of rows would tell apart.

    Raises
    ------
    EstimationError
        Where there are fewer pilot or comparison people than parts.
    """
    n = len(treated)
    weights: Array = np.random.default_rng(MIXTURE).normal(size=(x.shape[1],))
    key = np.zeros(n)
    for k, weight in enumerate(weights):  # row by row the same sum, which a matrix product does not promise
        key += weight * _ranks(x[:, k])
    units = np.arange(n) if units is None else np.unique(units, return_inverse=True)[1].reshape(-1)
    place = np.empty(n, dtype=np.int64)
    place[np.lexsort((units, treated, key))] = np.arange(n)
    number = int(units.max()) + 1
    first, pilot = np.full(number, n), np.zeros(number, dtype=bool)
    np.minimum.at(first, units, place)
    np.logical_or.at(pilot, units, treated)
    part = np.empty(number, dtype=np.int64)
    draw = np.random.default_rng(seed)
    for arm, name in ((False, "comparison"), (True, "pilot")):
        members = np.flatnonzero(pilot == arm)
        if 0 < len(members) < folds:
            raise EstimationError(
                f"{len(members)} {name} people cannot be dealt into {folds} parts. Use fewer folds, or bring "
                "more people"
            )
        members = members[np.argsort(first[members])]
        part[members] = draw.permutation(len(members)) % folds
    return np.asarray(part[units])


def _ranks(column: Array) -> Array:
    """Places among the different values, from 0 to 1: the same in pounds as in pence."""
    place = np.unique(column, return_inverse=True)[1].reshape(-1)
    return np.asarray(place / max(int(place.max(initial=0)), 1))
