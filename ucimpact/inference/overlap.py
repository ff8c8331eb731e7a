r"""How far the scores of pilot and comparison people lie over one another.

The *overlap coefficient* is the area under both densities of the score,

.. math:: \int \min\{f_1(u), f_0(u)\}\, du ,

1 where the groups are spread alike and 0 where nobody has a counterpart [1]_. Densities are by a Gaussian
kernel on a fine grid, each with a width of :math:`0.9 \min(s, q/1.34)\, n^{-1/5}` [2]_.

References
----------
.. [1] Inman, H. F. and Bradley, E. L. (1989). The overlapping coefficient as a measure of agreement between
   probability distributions. *Communications in Statistics - Theory and Methods* 18(10), 3851-3874.
.. [2] Silverman, B. W. (1986). *Density Estimation for Statistics and Data Analysis*. Chapman and Hall, eq.
   3.31.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

Array = np.ndarray
GRID = 2_048
MARGIN = 4.0


def overlap(linear: Array, treated: Array) -> dict[str, float]:
    """``coefficient``, and ``outside``: the share of pilot people beyond all comparison people.

    Parameters
    ----------
    linear : array (n,)
        The score, on the scale of the logit.
    treated : array (n,) of bool
    """
    pilot, others = linear[treated], linear[~treated]
    low, high = float(others.min()), float(others.max())
    slack = 1e-12 * max(abs(low), abs(high), 1.0)
    outside = float(((pilot < low - slack) | (pilot > high + slack)).mean())
    widths = [_width(group) for group in (pilot, others)]
    if min(widths) == 0:
        return {"coefficient": float(np.isin(pilot, others).mean()), "outside": outside}
    edge = MARGIN * max(widths)
    ends = (float(linear.min()) - edge, float(linear.max()) + edge)
    step = (ends[1] - ends[0]) / GRID
    shares = [
        gaussian_filter1d(np.histogram(group, GRID, ends)[0] / len(group), width / step, mode="constant")
        for group, width in zip((pilot, others), widths, strict=True)
    ]
    return {"coefficient": float(min(np.minimum(*shares).sum(), 1.0)), "outside": outside}


def _width(values: Array) -> float:
    if len(values) < 2:
        return 0.0
    spread = float(values.std(ddof=1))
    quarters = float(np.subtract(*np.percentile(values, [75, 25]))) / 1.34
    return float(0.9 * (min(spread, quarters) if quarters > 0 else spread) / len(values) ** 0.2)
