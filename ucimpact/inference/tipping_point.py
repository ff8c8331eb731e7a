r"""What something unrecorded would have to be like to bring a result to no change.

A yes or no that was not recorded (lives alone, is confused, was known to the team) stands with share
:math:`p_1` among the pilot people and :math:`p_0` among those beside them, who are alike in all that was
recorded, and multiplies the outcome by :math:`g`. The ratio seen is then the true one times [1]_

.. math:: B = \frac{1 + p_1 (g - 1)}{1 + p_0 (g - 1)} .

The *tipping points* are the :math:`g` (given the two shares) or the :math:`p_1` (given g and :math:`p_0`)
at which the true ratio, or its limit, is 1: B must be the ratio seen, so that

.. math:: g = 1 + \frac{R - 1}{p_1 - R p_0}, \qquad p_1 = R p_0 + \frac{R - 1}{g - 1} .

For a difference of means a factor that adds :math:`g` to the outcome shifts the difference by
:math:`g (p_1 - p_0)`, or, for something measured, by g per standard deviation times the gap in standard
deviations [1]_.

Unlike the E-value, which takes the worst of all shares, this asks of a factor that the reader can
picture. A grid of shares and strengths is a table with one line through it: beyond it the result is
explained.

References
----------
.. [1] Lin, D. Y., Psaty, B. M. and Kronmal, R. A. (1998). Assessing the sensitivity of regression results to
   unmeasured confounders in observational studies. *Biometrics* 54(3), 948-963, eq. 2.2 and 2.9.
.. [2] Ding, P. and VanderWeele, T. J. (2016). Sensitivity analysis without assumptions. *Epidemiology* 27(3),
   368-377.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray

STRENGTHS = (1.25, 1.5, 2.0, 3.0, 5.0)
"""Ratios by which a factor multiplies the outcome, in the table."""
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Shares of comparison people who have the factor, in the table."""
_NEAR = 1e-12


def bias(strength: Array | float, pilot: Array | float, comparison: Array | float) -> Array:
    """The ratio that a factor makes with no effect at all.

    Parameters
    ----------
    strength : array or float
        How many times the outcome is among those who have the factor, above 0.
    pilot, comparison : array or float
        Shares who have it, 0 to 1.
    """
    g, p1, p0 = (np.asarray(v, dtype=float) for v in (strength, pilot, comparison))
    if (g <= 0).any() or not np.isfinite(g).all():
        raise EstimationError("the strength of a factor is a ratio above 0")
    for share in (p1, p0):
        if not ((share >= 0) & (share <= 1)).all():
            raise EstimationError("a share who have the factor lies between 0 and 1")
    return np.asarray((1 + p1 * (g - 1)) / (1 + p0 * (g - 1)))


def strength_needed(ratio: float, pilot: float, comparison: float) -> float | None:
    """How many times the outcome the factor must be to make ``ratio`` by itself; None where no strength does.

    Above 1 where the factor and the ratio go the same way, below 1 where those with it have the event less.
    """
    _above_0(ratio)
    bias(1.0, pilot, comparison)
    gap = pilot - ratio * comparison
    if abs(ratio - 1) < _NEAR:
        return 1.0
    if abs(gap) < _NEAR:
        return None
    needed = 1 + (ratio - 1) / gap
    return float(needed) if needed > 0 else None


def share_needed(ratio: float, strength: float, comparison: float) -> float | None:
    """The share of pilot people who must have it to make ``ratio`` by itself; None where none does."""
    _above_0(ratio)
    bias(strength, 0.0, comparison)
    if abs(strength - 1) < _NEAR:
        return comparison if abs(ratio - 1) < _NEAR else None
    needed = ratio * comparison + (ratio - 1) / (strength - 1)
    return float(min(max(needed, 0.0), 1.0)) if -_NEAR <= needed <= 1 + _NEAR else None


def difference_needed(difference: float, gap: float) -> float | None:
    """How much the factor must add to the outcome to make ``difference`` by itself.

    Parameters
    ----------
    difference : float
        Pilot less comparison, or its limit.
    gap : float
        Share among pilot people less share among the others; or, of something measured, the gap of the means
        in standard deviations (the answer is then per standard deviation).
    """
    return None if abs(gap) < _NEAR else float(difference / gap)


@dataclass(frozen=True)
class Tipping:
    """The line through the table of one ratio, and of its limit.

    Attributes
    ----------
    rows : tuple of dict
        ``strength, comparison`` (share), ``estimate`` and ``limit`` (share of pilot people at which the
        estimate, or the limit nearest 1, is 1; None where no share is enough, or there is no such limit).
    """

    rows: tuple[dict[str, float | None], ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {"rows": [dict(row) for row in self.rows]}


def tipping(
    ratio: float,
    low: float | None = None,
    high: float | None = None,
    *,
    strengths: Sequence[float] = STRENGTHS,
    shares: Sequence[float] = SHARES,
) -> Tipping:
    """The shares of pilot people that would bring a ratio, and its nearer limit, to 1.

    A factor that lowers the outcome is one that raises it, seen from those without it, so strengths are
    above 1: with a ratio below 1 fewer pilot people than others would have to have it.
    """
    limit = high if ratio < 1 else low
    crossed = limit is None or (limit >= 1 if ratio < 1 else limit <= 1)
    rows: list[dict[str, float | None]] = []
    for strength in strengths:
        for share in shares:
            near = None if crossed or limit is None else share_needed(limit, strength, share)
            found = share_needed(ratio, strength, share)
            rows.append({"strength": strength, "comparison": share, "estimate": found, "limit": near})
    return Tipping(tuple(rows))


def _above_0(ratio: float) -> None:
    if not (np.isfinite(ratio) and ratio > 0):
        raise EstimationError("a ratio to be explained is a number above 0")
