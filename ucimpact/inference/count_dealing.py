"""A second opinion on a ratio of counts: the starts dealt to other places.

Places differ in how much chance moves them, so deviations are divided by their spread before they are dealt.
The data's own dealing is always one of those counted, so a p-value is never below one in their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from ucimpact.inference.count_effects import Expected, Sets, drifts, expected_by_ratio
from ucimpact.inference.count_places import Contributions
from ucimpact.inference.few_clusters import Auto

Array = np.ndarray


def second_opinion(
    expected: Expected, sets: Sets, contributions: Contributions, tau2: float, kappa: float, auto: Auto
) -> dict[str, Any]:
    """The starts dealt to other places, deviations divided by their spread."""
    counts = expected.counts
    pilot = np.flatnonzero(counts.place_pilot)
    n1, n0 = len(pilot), int((~counts.place_pilot).sum())
    if n1 < 1 or n0 < 2:
        return {}
    every = counts.seen & ~np.isnan(expected.value)
    null, _ = expected_by_ratio(counts, every)
    codes = np.unique(counts.cohort[~counts.never])
    inside = sets.label >= 0
    after = np.array([inside[counts.cohort == c].any(axis=0) for c in codes], dtype=float)
    before = np.array([expected.free[counts.cohort == c].any(axis=0) for c in codes], dtype=float)
    drift, noise = drifts(null, after, before, places=np.ones(n1 + n0, dtype=bool))
    noise = noise * kappa
    first = {int(p): int(counts.cohort[(counts.places == p) & ~counts.never].min()) for p in pilot}
    seats = {place: int(np.searchsorted(codes, c)) for place, c in first.items()}
    share = contributions.size[0, pilot]
    found = dealt(drift, noise, seats, share, tau2, auto.permutations, auto.seed)
    if found is None:
        return {}
    way = f"{'all ' if found.every else ''}{found.number:,} dealings of the starts"
    way += "" if found.every else " at random"
    return {
        "permutations": found.number,
        "all_permutations": found.every,
        "second_opinion": {
            "procedure": f"permutation of deviations divided by their spread, {way}",
            "p_value": found.p_value,
            "smallest_p": found.smallest,
        },
    }


@dataclass(frozen=True)
class Dealt:
    """What dealing the starts to other places says.

    Attributes
    ----------
    p_value, smallest : float
        And the smallest that it can be: one in the draws and the data's own, or, where all dealings were gone
        through, the part of them that is as far out as the farthest.
    number : int
        Dealings gone through, the data's own among them where they are all.
    every : bool
        Whether they are all there are.
    """

    p_value: float
    smallest: float
    number: int
    every: bool


def dealt(
    drift: Array, noise: Array, seats: Mapping[int, int], share: Array, tau2: float, most: int, seed: int
) -> Dealt | None:
    """Deal the starts to other places, by deviations over their own spread; None with nobody to deal to.

    Two seats of one start and one weight are the same seat to a place, so that all different dealings are
    gone through where there are no more than ``most``.

    Parameters
    ----------
    drift, noise : array (n_starts, n_places)
        Log ratio of each place over the periods of each start, with no effect imposed, and its counting
        variance.
    seats : mapping
        Place of each pilot seat and its start.
    share : array (n_seats,)
        Part of each seat in the effect; a place with no part in it is not dealt to either.
    """
    told = np.isfinite(noise)
    places, starts = np.array(list(seats)), np.array(list(seats.values()))
    apart = share <= 0
    there = told.any(axis=0)
    there[places[apart]] = False
    sits = ~apart & there[places]
    drift, noise, told = drift[:, there], noise[:, there], told[:, there]
    places, starts, share = np.cumsum(there)[places[sits]] - 1, starts[sits], share[sits]
    n, k = drift.shape[1], len(places)
    if not k or n - k < 2:
        return None
    sd = np.sqrt(np.where(told, noise, 1.0) + tau2)
    z = np.where(told, drift, 0.0) / sd
    z = z - z.mean(axis=1, keepdims=True)
    scale = share * sd[starts, places]
    # seats of one start and one weight side by side
    by_seat = np.lexsort((scale, starts))
    places, starts, scale = places[by_seat], starts[by_seat], scale[by_seat]
    new = np.ones(k, dtype=bool)
    new[1:] = (np.diff(starts) > 0) | (np.diff(scale) > 1e-9 * scale.max())
    alike = tuple(int(m) for m in np.bincount(np.cumsum(new) - 1))
    every = dealings(n, alike) <= most
    order = _every_order(n, alike) if every else _orders(n, k, most, seed)
    others = np.setdiff1d(np.arange(n), places)
    # the data's own seats first; the rest in the order of their values, whatever they are called
    line = np.concatenate([places, others[np.argsort(z[0, others], kind="stable")]])
    sat = line[order]  # (draws, k)
    value = z[starts[None, :], sat]
    taken = np.stack([z[s][sat].sum(axis=1) for s in starts], axis=1)
    mean = (z.sum(axis=1)[starts] - taken) / (n - k)
    drawn = np.abs((scale * (value - mean)).sum(axis=1))
    p_value = float((drawn >= drawn[0] * (1 - 1e-9)).mean())
    farthest = float((drawn >= drawn.max() * (1 - 1e-9)).mean())
    return Dealt(p_value, farthest if every else 1 / (most + 1), len(order) if every else most, every)


def dealings(places: int, alike: tuple[int, ...]) -> int:
    """How many different ways there are of dealing classes of ``alike`` seats to ``places``."""
    ways, left = 1, places
    for seats in alike:
        ways *= comb(left, seats)
        left -= seats
    return ways


@lru_cache(maxsize=8)
def _every_order(places: int, alike: tuple[int, ...]) -> Array:
    """All different dealings, shape (n_dealings, n_seats); the data's own, in order, first."""
    rows: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((), tuple(range(places)))]
    for seats in alike:
        rows = [
            ((*sat, *chosen), tuple(p for p in free if p not in chosen))
            for sat, free in rows
            for chosen in combinations(free, seats)
        ]
    return np.array([sat for sat, _ in rows], dtype=np.intp)


@lru_cache(maxsize=8)
def _orders(places: int, seats: int, most: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    out = np.empty((most + 1, seats), dtype=np.intp)
    out[0] = np.arange(seats)
    out[1:] = np.argsort(rng.random((most, places)), axis=1)[:, :seats]
    return out
