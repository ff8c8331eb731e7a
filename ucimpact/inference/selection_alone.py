r"""What being picked at a bad time gives by itself, from people picked by the same rule and not served.

Pilot people fall from :math:`b_1` events before to :math:`a_1` after; comparison people who met the same rule
on the same day and are alike in what was recorded fall from :math:`b_0` to :math:`a_0`. Theirs is the fall
that selection (and time) gives alone, so of the pilot people's

.. math:: f_1 = b_1 - a_1, \qquad f_0 = b_0 - a_0, \qquad s = f_0 / f_1

the share s would have come about without the service. Each mean is a rate per person over the horizon,
:math:`\sum w y / \sum w t` times its days, with the weights of the comparison, and the range of s
is Fieller's, with the joint covariance of the two falls from what every person adds to them: those with
:math:`(f_0 - s f_1)^2 \le t^2\,(v_{00} - 2 s v_{01} + s^2 v_{11})`.

Here nothing is modelled: no steady rates and no gamma. What it needs is what the comparison itself needs,
that the two groups are alike beyond what was recorded.

References
----------
.. [1] Roland, M. and Abel, G. (2012). Reducing emergency admissions: are we on the right track? *BMJ* 345,
   e6017.
.. [2] Fieller, E. C. (1954). Some problems in interval estimation. *Journal of the Royal Statistical Society
   B* 16(2), 175-185.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ucimpact.errors import EstimationError
from ucimpact.inference.sandwich import sandwich

Array = np.ndarray


@dataclass(frozen=True)
class Fall:
    """What one group had per person over the horizon, before and after; ``fall`` is positive for fewer."""

    before: float
    after: float
    fall: float
    low: float
    high: float


@dataclass(frozen=True)
class SameRule:
    """The fall of pilot people beside the fall of people picked by the same rule.

    Attributes
    ----------
    pilot, comparison : Fall
    share, share_low, share_high : float or None
        The part of the pilot people's fall that the others had too; above 1 where they fell further. None
        where the pilot people's fall is not clear of 0.
    """

    pilot: Fall
    comparison: Fall
    share: float | None
    share_low: float | None
    share_high: float | None

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        shares = {name: getattr(self, name) for name in ("share", "share_low", "share_high")}
        falls = {
            name: {part: getattr(fall, part) for part in Fall.__dataclass_fields__}
            for name, fall in (("pilot", self.pilot), ("comparison", self.comparison))
        }
        return {**falls, **shares}


def same_rule(
    before: Array,
    after: Array,
    treated: Array,
    *,
    days_before: Array | float,
    days_after: Array | float,
    horizon: float,
    weights: Array | None = None,
    clusters: Array | None = None,
    level: float = 0.95,
) -> SameRule:
    """Hold the fall of pilot people against that of people picked by the same rule.

    Parameters
    ----------
    before, after : array (n_rows,)
        Events in the days before the trial day (without the one by which people were picked, if the
        rule is an event) and in the days after it.
    treated : array (n_rows,) of bool
    days_before, days_after : array (n_rows,) or float
        Days over which they were counted, above 0.
    horizon : float
        Days to which both are brought.
    weights : array (n_rows,), optional
    clusters : array (n_rows,), optional
        People, where they have several rows.
    level : float
    """
    treated = np.asarray(treated, dtype=bool)
    if not (treated.any() and (~treated).any()):
        raise EstimationError("the fall from selection needs people of both groups")
    n = len(treated)
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    spans = [np.broadcast_to(np.asarray(d, dtype=float), (n,)) for d in (days_before, days_after)]
    columns = [np.asarray(y, dtype=float) for y in (before, after)]
    used = w > 0
    if not all(np.isfinite(v[used]).all() for v in (*columns, *spans)) or not all(
        (span[used] > 0).all() for span in spans
    ):
        raise EstimationError("every row needs both counts, over days above 0")
    rates, influence = np.zeros((2, 2)), np.zeros((n, 2))  # group x (before, after); row x group's fall
    for group, mine in enumerate((~treated & used, treated & used)):
        for part, (y, span) in enumerate(zip(columns, spans, strict=True)):
            time = float(w[mine] @ span[mine])
            rates[group, part] = horizon * float(w[mine] @ y[mine]) / time
            adds = w[mine] * (horizon * y[mine] - rates[group, part] * span[mine]) / time
            influence[mine, group] += adds if part == 0 else -adds
    units = np.arange(n) if clusters is None else np.asarray(clusters)
    cov = sandwich(influence[used], units[used], "CR1", 1)
    t = float(stdtrit(np.unique(units[used]).size - 1, (1 + level) / 2))
    falls = rates[:, 0] - rates[:, 1]
    told = []
    for group in (0, 1):
        half = t * math.sqrt(float(cov[group, group]))
        had, has, fall = float(rates[group, 0]), float(rates[group, 1]), float(falls[group])
        told.append(Fall(had, has, fall, fall - half, fall + half))
    share = _share(falls, cov, t)
    return SameRule(told[1], told[0], *share)


def _share(falls: Array, cov: Array, t: float) -> tuple[float | None, float | None, float | None]:
    """Fieller's range of the fall of the others over that of pilot people."""
    top, bottom = falls.tolist()
    square = bottom**2 - t**2 * float(cov[1, 1])
    if not (bottom > 0 and square > 0):
        return None, None, None
    middle = top * bottom - t**2 * float(cov[0, 1])
    root = math.sqrt(max(middle**2 - square * (top**2 - t**2 * float(cov[0, 0])), 0.0))
    return top / bottom, (middle - root) / square, (middle + root) / square
