r"""The cheapest assignment of rows to columns, over the pairs that are listed and no others.

.. math:: \min_\sigma \sum_r c_{r \sigma(r)}, \qquad \sigma \text{ one-to-one},

by shortest augmenting paths [1]_. A row may stay alone at a price of its own, so there is always an answer.
Parts of the problem that share no pair are solved apart, a few at a time.

References
----------
.. [1] Jonker, R. and Volgenant, A. (1987). A shortest augmenting path algorithm for dense and sparse linear
   assignment problems. *Computing* 38(4), 325-340.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

Array = np.ndarray
TOGETHER = 2_000
"""Rows of separate parts solved in one go: far fewer cost time for the calls, far more for the sizes."""

ALONE = -1


def cheapest(rows: Array, cols: Array, cost: Array, price: Array, n_cols: int) -> Array:
    """The column of each row in the cheapest assignment; ``ALONE`` for one that pays its price instead.

    Parameters
    ----------
    rows, cols : array (n_pairs,) of int
        The pairs that may be; none twice.
    cost : array (n_pairs,)
    price : array (n_rows,)
        What it costs to leave a row alone.
    n_cols : int

    Returns
    -------
    array (n_rows,) of int
    """
    chosen = np.full(len(price), ALONE, dtype=np.int64)
    # The solver reads a 0 as no pair. Every row takes one column, so a constant changes nothing.
    low = float(min(cost.min(initial=np.inf), price.min(initial=np.inf)))
    lift = max(float(np.abs(price).max(initial=0.0)), float(np.abs(cost).max(initial=0.0)), 1.0) - low
    for part in _parts(rows, cols, len(price), n_cols):
        own, row = np.unique(rows[part], return_inverse=True)
        there, col = np.unique(cols[part], return_inverse=True)
        number = len(own)
        table = coo_array(
            (
                np.concatenate([cost[part], price[own]]) + lift,
                (
                    np.concatenate([row.reshape(-1), np.arange(number)]),
                    np.concatenate([col.reshape(-1), len(there) + np.arange(number)]),
                ),
            ),
            shape=(number, len(there) + number),
        )
        taken_rows, taken = min_weight_full_bipartite_matching(table.tocsr())
        paired = taken < len(there)
        chosen[own[taken_rows[paired]]] = there[taken[paired]]
    return chosen


def _parts(rows: Array, cols: Array, n_rows: int, n_cols: int) -> Iterator[Array]:
    """Numbers of the pairs of whole connected parts, about ``TOGETHER`` rows at a time."""
    if not len(rows):
        return
    graph = csr_array(
        (np.ones(len(rows), dtype=np.int8), (rows, n_rows + cols)), shape=(n_rows + n_cols,) * 2
    )
    part_of = connected_components(graph, directed=False)[1][:n_rows]
    used = np.unique(rows)
    size = np.bincount(part_of[used])
    batch_of = (np.cumsum(size) - size) // TOGETHER
    batch = batch_of[part_of[rows]]
    order = np.argsort(batch, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(batch[order])) + 1)
