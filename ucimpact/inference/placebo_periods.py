r"""Periods in which the service cannot have changed anything, because it had not begun.

**A period held out.** The outcome counted over days :math:`(f, l]` relative to the trial day,
:math:`l \le 0`, is a negative control if it was *not matched on*: matched people are alike in what they were
matched on by construction, and that shows nothing [1]_. So the period must touch no window that was
measured, and one older window is best held out on purpose, before anything is matched.

**Why starts are not put back.** The same comparison with every start k days earlier looks like a test of
selection and is none: whoever has the service on a day was chosen by what happened in the months before it,
and lived until it. Putting starts back compares people by their future, and finds a difference where
nothing is hidden (22% more in a service with all that decides recorded).

**The earlier ratio taken off.** With :math:`\theta` the log ratio after and :math:`\theta_0` that of a period
held out, of the same people, :math:`\theta - \theta_0` is difference-in-differences in logs, with

.. math:: \operatorname{var}(\theta - \theta_0) = v + v_0 - 2c .

It removes what stays the same between the groups and not what is acute: about a quarter of the bias where
severity jumps and decays. A sensitivity analysis, never a correction.

References
----------
.. [1] Lipsitch, M., Tchetgen Tchetgen, E. and Cohen, T. (2010). Negative controls: a tool for detecting
   confounding and bias in observational studies. *Epidemiology* 21(3), 383-388.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray
Days = tuple[float, float]
"""First and last day (f, l] relative to the end of the trial day: ``(-730, -365)``."""


def touches(period: Days, others: Iterable[Days]) -> list[Days]:
    """Those of ``others`` that share a day with ``period``."""
    return [(first, last) for first, last in others if max(first, period[0]) < min(last, period[1])]


def problem(period: Days, measured: Iterable[Days]) -> str | None:
    """Why a period can be no negative control, in words; None where it can.

    Parameters
    ----------
    period : (first, last)
    measured : iterable of (first, last)
        Windows of the same kind of event that people were matched on.
    """
    first, last = period
    if not first < last:
        return f"its days {_written(period)} are empty: the first must come before the last"
    if last > 0:
        return f"its days {_written(period)} run beyond the trial day, when the service has begun"
    if shared := touches(period, measured):
        told = " and ".join(_written(one) for one in shared)
        return (
            f"people were matched on days {told}, which its days {_written(period)} touch, so it shows "
            "nothing. Hold one window out of the matching"
        )
    return None


def _written(period: Days) -> str:
    return f"{period[0]:g} to {period[1]:g}"


def free_periods(measured: Sequence[Days], *, length: float, back: float) -> list[Days]:
    """Windows of ``length`` days that nothing was measured in, the latest first.

    Parameters
    ----------
    measured : sequence of (first, last)
    length : float
        Days in each.
    back : float
        How many days before the trial day are recorded.
    """
    if not (length > 0 and back > 0):
        raise EstimationError("a period needs a length above 0 within the days that are recorded")
    found, last = [], 0.0
    while last - length >= -back:
        period = (last - length, last)
        shared = touches(period, measured)
        if not shared:
            found.append(period)
        last = min((one[0] for one in shared), default=period[0])
    return found


@dataclass(frozen=True)
class LessEarlier:
    """A log ratio less that of an earlier period."""

    log_ratio: float
    std_error: float


def less_the_earlier(after: float, earlier: float, cov: Array) -> LessEarlier:
    """The log ratio after, less that of a period held out, of the same people.

    Parameters
    ----------
    after, earlier : float
    cov : array (2, 2)
        Their joint covariance, from their influences side by side.
    """
    variance = float(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])
    if not (math.isfinite(variance) and variance >= 0):
        raise EstimationError("the two log ratios need a joint covariance")
    return LessEarlier(float(after - earlier), math.sqrt(variance))
