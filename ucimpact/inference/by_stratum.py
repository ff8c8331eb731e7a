"""Matching stratum by stratum: a kernel that knows nothing but its own people, and an engine that maps it.

Nobody is matched across strata, so any way of cutting the people along strata gives the same sets. A
:class:`Piece` holds whole strata, their rows renumbered from 0, and nothing else: it can be sent to another
process, or to another machine, and what comes back is put together by row. Pieces are made of about the
same number of people. Together they are as large as the people, never as the product of the two groups.

An order of turns by distance, by closeness or by row is that of each stratum, whatever the pieces. Turns at
random are drawn over everybody, so they are matched in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ucimpact.inference.matched_sets import Sets
from ucimpact.inference.pairing import nearest

Array = np.ndarray
Map = Callable[[Callable[["Piece"], Sets], Iterable["Piece"]], Iterable[Sets]]
"""``map``, the ``map`` of a pool of processes, or that of a cluster of machines."""

PIECES_A_WORKER = 4
"""More pieces than workers, so that none waits long for the last."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """The people of whole strata.

    Attributes
    ----------
    rows : array (n,) of int
        Who they are among everybody, rising.
    distance, treated, strata, covariates : array (n,), (n, p)
        What :func:`~ucimpact.inference.pairing.nearest` takes, of these people.
    forbid : tuple of array (n,)
    calipers : tuple of (array (n,), float)
    """

    rows: Array
    distance: Array | None
    treated: Array
    strata: Array
    covariates: Array | None
    forbid: tuple[Array, ...]
    calipers: tuple[tuple[Array, float], ...]


def match_piece(piece: Piece, **rules: Any) -> Sets:
    """The kernel: the sets of one piece, by the row numbers of everybody."""
    found = nearest(
        piece.distance,
        piece.treated,
        strata=piece.strata,
        forbid=piece.forbid,
        calipers=piece.calipers,
        covariates=piece.covariates,
        **rules,
    )
    controls = np.where(found.controls >= 0, piece.rows[found.controls], -1)
    return Sets(piece.rows[found.treated], controls, piece.rows[found.unmatched])


def pieces(
    distance: Array | None,
    treated: Array,
    strata: Array,
    number: int,
    *,
    forbid: Iterable[Array] = (),
    calipers: Iterable[tuple[Array, float]] = (),
    covariates: Array | None = None,
) -> Iterator[Piece]:
    """Whole strata with somebody to match, cut into at most ``number`` pieces of about the same size.

    Pilot people in a stratum with nobody else go along, so that they come back as not matched. Comparison
    people of strata without a pilot person are left out.
    """
    treated, forbid, calipers = np.asarray(treated, dtype=bool), tuple(forbid), tuple(calipers)
    codes = np.unique(strata, return_inverse=True)[1].reshape(-1)
    size = np.bincount(codes)
    wanted = np.bincount(codes, weights=treated) > 0
    load = np.cumsum(np.where(wanted, size, 0))
    piece_of = np.minimum((load - 1) * number // max(int(load[-1]), 1), number - 1)
    piece_of = np.where(wanted, piece_of, -1)[codes].astype(np.int32)
    for which in range(number):
        rows = np.flatnonzero(piece_of == which)
        if len(rows):
            yield Piece(
                rows=rows,
                distance=None if distance is None else distance[rows],
                treated=treated[rows],
                strata=codes[rows],
                covariates=None if covariates is None else covariates[rows],
                forbid=tuple(column[rows] for column in forbid),
                calipers=tuple((column[rows], width) for column, width in calipers),
            )


def nearest_by_stratum(
    distance: Array | None,
    treated: Array,
    strata: Array,
    *,
    workers: int = 1,
    mapped: Map | None = None,
    forbid: Iterable[Array] = (),
    calipers: Iterable[tuple[Array, float]] = (),
    covariates: Array | None = None,
    **rules: Any,
) -> Sets:
    """The sets that :func:`~ucimpact.inference.pairing.nearest` finds, worked out piece by piece.

    Parameters
    ----------
    distance, treated, strata, forbid, calipers, covariates
        As ``nearest`` takes them; strata are needed.
    workers : int, default 1
        Processes to work on pieces side by side; 1 is this one alone.
    mapped : callable, optional
        What maps the kernel over the pieces instead of a pool of ``workers``.
    **rules
        ``caliper``, ``ratio``, ``replace``, ``reuse_max``, ``order``, ``inverse_cov``, ``seed``.

    Returns
    -------
    Sets
        The same, in the same order, for any number of pieces.
    """
    number = 1 if rules.get("order") == "random" else PIECES_A_WORKER * workers if workers > 1 else 1
    number = (
        PIECES_A_WORKER if mapped is not None and number == 1 and rules.get("order") != "random" else number
    )
    cut = pieces(distance, treated, strata, number, forbid=forbid, calipers=calipers, covariates=covariates)
    kernel = partial(match_piece, **rules)
    if mapped is not None:
        return _together(mapped(kernel, cut), rules.get("ratio", 1))
    if workers == 1 or number == 1:
        return _together(map(kernel, cut), rules.get("ratio", 1))
    with ProcessPoolExecutor(workers) as pool:
        return _together(pool.map(kernel, cut), rules.get("ratio", 1))


def _together(found: Iterable[Sets], ratio: int) -> Sets:
    """Sets of several pieces as one, by rising row of the pilot person."""
    every = list(found)
    treated = np.concatenate([np.zeros(0, dtype=np.int64), *(sets.treated for sets in every)])
    controls = np.concatenate([np.zeros((0, ratio), dtype=np.int64), *(sets.controls for sets in every)])
    unmatched = np.concatenate([np.zeros(0, dtype=np.int64), *(sets.unmatched for sets in every)])
    order = np.argsort(treated, kind="stable")
    return Sets(treated[order], controls[order], np.sort(unmatched))
