r"""The lasso for every penalty at once.

.. math:: \arg\min_q \tfrac12 q'Hq + h'q + \lambda |q|_1

is a path of straight pieces in :math:`\lambda` [1]_: with the coefficients that are off 0 and their signs
held, the solution is linear, until one of them returns to 0 or the pull :math:`-(h + Hq)` of another reaches
:math:`\lambda`.

References
----------
.. [1] Osborne, M., Presnell, B. and Turlach, B. (2000). A new approach to variable selection in least
   squares problems. *IMA Journal of Numerical Analysis* 20(3), 389-403.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
ROUNDING = 1e-12
TIE = 1e-9


def lasso_path(square: Array, linear: Array) -> Array:
    r"""Knots of :math:`\arg\min_q \tfrac12 q'Hq + h'q + \lambda |q|_1` from the largest penalty to none.

    Parameters
    ----------
    square : array (n, n)
        H, positive semi-definite; it is given a floor where it is singular.
    linear : array (n,)
        h.

    Returns
    -------
    array (n_knots, n)
        The first is 0; between two the solution is straight.
    """
    n = len(linear)
    q = np.zeros(n)
    if not n or not np.abs(linear).max() > 0:
        return np.zeros((1, n))
    apart = TIE * np.abs(linear).max() * np.sqrt(np.arange(2, n + 2))  # so that no two join at once
    linear = linear + apart
    h = square + ROUNDING * np.trace(square) / n * np.eye(n)
    penalty = float(np.abs(linear).max())
    first = int(np.abs(linear).argmax())
    active, signs = [first], [-float(np.sign(linear[first]))]
    knots = [q]
    for _ in range(50 * n):
        pull = -(linear + h @ q)
        change = np.linalg.solve(h[np.ix_(active, active)], np.array(signs))
        fall = h[:, active] @ change
        step, joins, leaves, way = penalty, -1, -1, 1.0
        for k, j in enumerate(active):  # one that returns to 0 leaves
            to_zero = -q[j] / change[k] if change[k] != 0 else np.inf
            if ROUNDING * penalty < to_zero < step:
                step, joins, leaves = to_zero, -1, k
        for j in set(range(n)) - set(active):  # one whose pull reaches the penalty joins
            for side in (1.0, -1.0):
                closing = 1 - side * fall[j]
                if closing > ROUNDING:
                    reached = max((penalty - side * pull[j]) / closing, 0.0)
                    if reached < step:
                        step, joins, leaves, way = reached, j, -1, side
        q = q.copy()
        q[active] += step * change
        penalty -= step
        if leaves >= 0:
            q[active.pop(leaves)] = 0.0
            signs.pop(leaves)
        elif joins >= 0:
            active.append(joins)
            signs.append(way)
        knots.append(q)
        if joins < 0 and leaves < 0:
            break
    return np.array(knots)
