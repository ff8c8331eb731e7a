r"""Degrees of freedom that a variance is worth where a few clusters carry most of it.

A variance :math:`\sum_g u_g^2` of :math:`G` influences has, if they are taken as a sample,

.. math:: \nu = \frac{2 (\sum_g u_g^2)^2}{\sum_g u_g^4 - (\sum_g u_g^2)^2 / G}

degrees of freedom: twice its square over its own variance, as the chi-squared distribution has [1]_. That is
about :math:`G` or more for even influences (never more than G - 1 is used) and few where some weigh much more
than others.

References
----------
.. [1] Pan, W. and Wall, M. M. (2002). Small-sample adjustments in using the sandwich variance estimator in
   generalized estimating equations. *Statistics in Medicine* 21(10), 1429-1441, section 2.
"""

from __future__ import annotations

import numpy as np

from ucimpact.inference.sandwich import Clusters

Array = np.ndarray


def worth(influence: Array, codes: Array) -> float:
    """Degrees of freedom of the variance of an effect, shape (n_rows,), by clusters of these codes."""
    squares: Array = np.bincount(np.unique(codes, return_inverse=True)[1].reshape(-1), influence) ** 2
    number, total = len(squares), float(squares.sum())
    uneven = float((squares**2).sum()) - total**2 / number
    return float(number - 1) if uneven <= 0 else max(1.0, min(number - 1.0, 2 * total**2 / uneven))


def fewest(influence: Array, clusters: Clusters | None) -> float:
    """The same for one way, for the fewer of two ways, or for rows that are each their own."""
    if clusters is None:
        return worth(influence, np.arange(len(influence)))
    ways = clusters if isinstance(clusters, tuple) else (clusters,)
    return min(worth(influence, codes) for codes in ways)
