r"""Draws of a share that is known within a range.

A share :math:`x` with best guess :math:`m` and likely range :math:`l` to :math:`h` has the beta distribution
with that mean that holds 95% of its chance between the two:

.. math:: x \sim \mathrm{Beta}(m \nu, (1 - m) \nu), \qquad I_h(m\nu, (1-m)\nu) - I_l(m\nu, (1-m)\nu) = 0.95

with :math:`I` the regularised incomplete beta function. The concentration :math:`\nu` is the largest root,
and at least 2: a range so wide that more than 95% lies within it even then gives the broadest there is (at
:math:`m = 1/2` the uniform distribution).
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaincinv

from ucimpact.study import Share

Array = np.ndarray
WITHIN = 0.95
BROADEST = 2.0


def concentration(mean: float, low: float, high: float) -> float:
    """The concentration of the beta distribution with this mean and 95% of its chance from low to high."""

    def held(nu: float) -> float:
        return float(betainc(mean * nu, (1 - mean) * nu, high) - betainc(mean * nu, (1 - mean) * nu, low))

    tight = max(4 * BROADEST, 100 * mean * (1 - mean) / ((high - low) / 4) ** 2)
    while held(tight) < WITHIN:
        tight *= 4
    loose = tight
    while held(loose) >= WITHIN:
        if loose <= BROADEST:
            return BROADEST
        tight, loose = loose, max(loose / 1.5, BROADEST)
    for _ in range(80):
        middle = (tight * loose) ** 0.5
        tight, loose = (middle, loose) if held(middle) >= WITHIN else (tight, middle)
    return tight


def draws_of(share: Share, n: int, stream: tuple[int, ...]) -> Array:
    """Draws of a share in an order of their own, shape (n,); its best guess throughout where it is certain.

    Parameters
    ----------
    stream : tuple of int
        Seeds the order, which is independent of everything drawn with another.
    """
    if not share.ranged:
        return np.full(n, share.best)
    assert share.low is not None and share.high is not None
    nu = concentration(share.best, share.low, share.high)
    quantiles = (np.random.default_rng(stream).permutation(n) + 0.5) / n
    return np.asarray(betaincinv(share.best * nu, (1 - share.best) * nu, quantiles))
