r"""An AR(1) process seen through white noise: what each cell of a grid makes of some columns.

.. math:: V(\rho, c) = (1-c)\,I + c\,R(\rho) = R\,[(1-c) R^{-1} + c I]

with :math:`R` the AR(1) correlation and :math:`c` the share of the variance that carries over. As
:math:`R^{-1}` is tridiagonal, :math:`V^{-1} = [(1-c)R^{-1} + cI]^{-1} R^{-1}` costs a banded solve and no
n by n matrix.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded


def behind_noise(
    rows: np.ndarray, rhos: np.ndarray, shares: np.ndarray
) -> Iterator[tuple[np.ndarray, float]]:
    r"""``rows' V^-1 rows``, shape (q, q), and :math:`\log|V|`, of each cell; shares change first.

    Parameters
    ----------
    rows : array (n, q)
    rhos, shares : array
        The grid: :math:`|\rho| < 1` and :math:`0 < c \le 1`.
    """
    n = len(rows)
    for rho in rhos:
        rest = 1 - rho**2
        diagonal = np.full(n, 1 + rho**2) / rest
        diagonal[[0, -1]] = 1 / rest
        beside = -rho / rest
        turned = diagonal[:, None] * rows
        turned[1:] += beside * rows[:-1]
        turned[:-1] += beside * rows[1:]
        for share in shares:
            band = np.empty((2, n))
            band[0] = (1 - share) * diagonal + share
            band[1] = (1 - share) * beside
            factor = cholesky_banded(band, lower=True, check_finite=False)
            products = rows.T @ cho_solve_banded((factor, True), turned, check_finite=False)
            yield products, 2 * np.log(factor[0]).sum() + (n - 1) * np.log1p(-(rho**2))
