r"""Coarsened exact matching: people in the same cell of every column.

Each column is cut into stretches, and a set is everybody who lies in the same stretch of all of them (and
is alike in every exact kind). Cells without people on both sides are left out. How unlike a set may be is
fixed beforehand by the width of the stretches, whatever the other columns do [1]_; the price is that people
are lost, fast with the number of columns.

By default a column is cut into :math:`k = \lceil \log_2 n + 1 \rceil` stretches of one width [2]_; a value on
a cut belongs to the stretch above it (the conventions of the R package MatchIt, ``method = "cem"``).

References
----------
.. [1] Iacus, S. M., King, G. and Porro, G. (2012). Causal inference without balance checking: coarsened exact
   matching. *Political Analysis* 20(1), 1-24.
.. [2] Sturges, H. A. (1926). The choice of a class interval. *Journal of the American Statistical
   Association* 21(153), 65-66.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ucimpact.inference.grouped_sets import Groups

Array = np.ndarray


def sturges(n: int) -> int:
    """Stretches for a column of ``n`` people."""
    return int(np.ceil(np.log2(n) + 1))


def cut_points(column: Array, number: int) -> Array:
    """Where to cut a column into so many stretches of one width, shape (number - 1,)."""
    return np.asarray(np.linspace(column.min(), column.max(), number + 1)[1:-1])


def coarsened(
    columns: Sequence[Array], cuts: Sequence[Array], treated: Array, strata: Array | None
) -> Groups:
    """Everybody in a set with those in the same cell.

    Parameters
    ----------
    columns : sequence of array (n,)
        Finite numbers.
    cuts : sequence of array
        Rising cut points of each.
    treated : array (n,) of bool
    strata : array (n,) of int, optional
        Codes that must be the same within a set.
    """
    treated = np.asarray(treated, dtype=bool)
    cell = np.zeros(len(treated), dtype=np.int64)
    if strata is not None:
        cell = np.unique(strata, return_inverse=True)[1].reshape(-1)
    for column, at in zip(columns, cuts, strict=True):
        stretch = np.searchsorted(at, np.asarray(column, dtype=float), side="right")
        cell = np.unique(cell * (len(at) + 1) + stretch, return_inverse=True)[1].reshape(-1)
    return Groups.of(cell, treated)
