r"""How far a contrast of a series moves when some periods are left out, without fitting again.

To leave periods :math:`J` out and keep the distances between the others is to give each a column of its own.
With :math:`\tilde X = W_\rho X` and :math:`\tilde y` whitened by an AR(1) of the fitted :math:`\rho`,
:math:`M` the projection off :math:`\tilde X` and :math:`D_J` the whitened columns of :math:`J`,

.. math:: c'\hat\beta_{-J} - c'\hat\beta = -\,c'(\tilde X'\tilde X)^{-1}\tilde X'D_J\,
   (D_J'MD_J)^{-1}D_J'M\tilde y

exact for that :math:`\rho` (Belsley, Kuh and Welsch's deletion diagnostics [1]_ with correlated errors). The
contrast stays what it was: an average effect still speaks of all its periods.

References
----------
.. [1] Belsley, D. A., Kuh, E. and Welsch, R. E. (1980). *Regression Diagnostics*, chapter 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

HELD = 1e-8
"""Share of a period's own size under which the regression rests on it and it cannot be left out."""


def moved_by_leaving_out(
    y: np.ndarray, x: np.ndarray, contrast: np.ndarray, blocks: Sequence[Sequence[int]], *, rho: float
) -> np.ndarray:
    """What is added to the contrast when each block of periods is left out, shape (len(blocks),).

    Parameters
    ----------
    y : array (n,)
    x : array (n, p)
        Of full column rank, with a column for each period that does not count.
    contrast : array (p,)
    blocks : sequence of sequences of int
        Rows to leave out together. nan where the regression cannot do without them.
    rho : float
        Autocorrelation that was fitted.
    """
    n = len(y)
    every = np.column_stack([x, y, np.eye(n)])
    white = every - rho * np.vstack([np.zeros((1, every.shape[1])), every[:-1]])
    white[0] = every[0] * np.sqrt(1 - rho**2)
    p = x.shape[1]
    basis, turn = np.linalg.qr(white[:, :p])
    towards = np.linalg.solve(turn.T, contrast)
    columns = white[:, p + 1 :]
    beyond = columns - basis @ (basis.T @ columns)
    left = white[:, p] - basis @ (basis.T @ white[:, p])
    leans = towards @ (basis.T @ columns)
    moved = np.full(len(blocks), np.nan)
    for k, block in enumerate(blocks):
        own = beyond[:, list(block)]
        inner = own.T @ own
        if np.linalg.eigvalsh(inner)[0] > HELD:
            moved[k] = -float(leans[list(block)] @ np.linalg.solve(inner, own.T @ left))
    return moved
