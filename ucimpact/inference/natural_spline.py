r"""A curve through time that goes straight on beyond its ends: the natural cubic spline.

With knots :math:`\xi_1 < \ldots < \xi_K` the curve is a line plus :math:`K - 2` columns, in truncated
powers [1]_:

.. math:: N_k(x) = d_k(x) - d_{K-1}(x), \qquad
   d_k(x) = \frac{(x - \xi_k)_+^3 - (x - \xi_K)_+^3}{\xi_K - \xi_k}, \qquad k = 1, \ldots, K - 2

Each is 0 before the first knot and a straight line beyond the last. They are divided by
:math:`(\xi_K - \xi_1)^2`, which makes them free of units.

Beyond the last knot the curve follows the slope it has there, which the last stretch alone decides: a spline
bends to fit, and carries forward badly.

References
----------
.. [1] Hastie, T., Tibshirani, R. and Friedman, J. (2009). *The Elements of Statistical Learning*, 2nd ed.,
   equations 5.4 and 5.5. Springer.
"""

from __future__ import annotations

import numpy as np


def natural_spline(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """The columns that bend the line, shape (n, n_knots - 2).

    Parameters
    ----------
    x : array (n,)
    knots : array (n_knots,)
        Rising, three or more.
    """
    last = np.maximum(x - knots[-1], 0.0) ** 3
    cubes = np.maximum(x[:, None] - knots[:-1], 0.0) ** 3
    slopes = (cubes - last[:, None]) / (knots[-1] - knots[:-1])
    return np.asarray((slopes[:, :-1] - slopes[:, -1:]) / (knots[-1] - knots[0]) ** 2)
