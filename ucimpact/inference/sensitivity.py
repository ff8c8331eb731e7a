r"""How strong something unrecorded would have to be, and what outcomes beyond the service's reach say.

**E-value.** A factor that is unrecorded, that raises the chance of the service by a ratio E and that
raises the outcome by a ratio E, could explain a risk ratio R away where

.. math:: E = R^* + \sqrt{R^*(R^* - 1)}, \quad R^* = \max(R / R_0,\, R_0 / R),

with :math:`R_0` the ratio to be moved to, mostly 1 [1]_. The E-value of the limit uses the limit nearer
to :math:`R_0`, and is 1 where the range holds :math:`R_0`. Other measures are first brought near to a
risk ratio [1]_:

================== ================================================================================
measure            risk ratio
================== ================================================================================
odds ratio         itself where the outcome is rare, else :math:`\sqrt{OR}`
hazard ratio       itself where rare, else :math:`(1 - 0.5^{\sqrt{HR}}) / (1 - 0.5^{\sqrt{1/HR}})`
difference         :math:`\exp(0.91 d)`, d in standard deviations; limits :math:`\exp(0.91 d \mp 1.78 s)`
================== ================================================================================

**Negative controls.** Outcomes that the service cannot have changed (injuries, what happened before)
or hardly (deaths) should show a ratio of 1. Their log ratios :math:`r_k` are pooled with weights
:math:`1/s_k^2`:

.. math:: r = \sum_k w_k r_k / \sum_k w_k, \qquad
          \operatorname{var} r = w'Vw / \bigl(\textstyle\sum_k w_k\bigr)^2,

where V is their joint covariance, from the influences of the same people. Pooled, five controls gave a
false alarm in 3-5% of clean cohorts, where any one of five did in 20-23% and Holm's rule had less power.
Deaths over several windows are one outcome: the window with the most is pooled, and any of them can cast
doubt. :func:`verdict` turns the pooled ratio into one of four words; it never changes an estimate.

**The size that is not excluded.** A hidden cause moves the outcome further than it moves the controls. With m
times as far (4 was measured; the reader may hold another),

.. math:: b = m \,(|r| + 1.64\, s_r)

is the log bias of the result that the controls leave room for. It is said whatever the verdict is, caps how
certain a finding may be called, and decides nothing else.

References
----------
.. [1] VanderWeele, T. J. and Ding, P. (2017). Sensitivity analysis in observational research:
   introducing the E-value. *Annals of Internal Medicine* 167(4), 268-274, and its appendix.
.. [2] Lipsitch, M., Tchetgen Tchetgen, E. and Cohen, T. (2010). Negative controls: a tool for detecting
   confounding and bias in observational studies. *Epidemiology* 21(3), 383-388.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray
Reach = Literal["deaths", "after", "before"]
State = Literal["holds", "doubtful", "fails", "cannot tell"]

FAILS = 2.58
DOUBTFUL = 1.64
DEATHS_DOUBTFUL = 1.96
FEWEST_CONTROLS = 3
FEWEST_DEATHS = 10
BIAS_A_UNIT = 4.0
"""Log bias of the outcome for one of the pooled log ratio: 3.2 to 4.2 was measured with severity that jumps
and decays. An assumption that the reader may change."""


@dataclass(frozen=True)
class Ratio:
    """A ratio with its limits; None where a limit is not known."""

    point: float
    lo: float | None = None
    hi: float | None = None


@dataclass(frozen=True)
class EValue:
    """How strongly an unrecorded factor would have to go with both the service and the outcome.

    Attributes
    ----------
    estimate : float
        To explain the estimate away.
    limit : float or None
        To bring the range of the estimate to the ratio of no effect; 1 where it is within the range.
    """

    estimate: float
    limit: float | None


def e_value(ratio: float, lo: float | None = None, hi: float | None = None, *, null: float = 1.0) -> EValue:
    """E-values of a ratio of risks, rates or means and of its nearer limit.

    Parameters
    ----------
    ratio, lo, hi : float
        Above 0.
    null : float, default 1
        The ratio that an unrecorded factor would have to move it to.
    """
    if min(value for value in (ratio, lo, hi, null) if value is not None) <= 0:
        raise EstimationError("an E-value needs ratios above 0")
    near = hi if ratio < null else lo
    if near is None:
        return EValue(_strength(ratio, null), None)
    crossed = near >= null if ratio < null else near <= null
    return EValue(_strength(ratio, null), 1.0 if crossed else _strength(near, null))


def _strength(ratio: float, null: float) -> float:
    apart = max(ratio / null, null / ratio)
    return float(apart + np.sqrt(apart * (apart - 1)))


def ratio_of_odds(odds: Ratio, *, rare: bool) -> Ratio:
    """Odds ratios as risk ratios. Rare: below 15% at the end of follow-up."""
    return odds if rare else _each(odds, np.sqrt)


def ratio_of_hazards(hazards: Ratio, *, rare: bool) -> Ratio:
    """Hazard ratios as risk ratios. Rare: below 15% at the end of follow-up."""
    return hazards if rare else _each(hazards, lambda h: (1 - 0.5**h**0.5) / (1 - 0.5 ** (1 / h) ** 0.5))


def ratio_of_difference(difference: float, std_error: float, sd: float = 1.0) -> Ratio:
    """A difference of means as a risk ratio. ``sd`` is the standard deviation of the outcome."""
    d, s = difference / sd, std_error / sd
    return Ratio(*(float(np.exp(0.91 * d + by * 1.78 * s)) for by in (0, -1, 1)))


def _each(ratio: Ratio, change: Callable[[float], float]) -> Ratio:
    lo, hi = (None if limit is None else float(change(limit)) for limit in (ratio.lo, ratio.hi))
    return Ratio(float(change(ratio.point)), lo, hi)


@dataclass(frozen=True)
class Control:
    """One negative-control outcome.

    Attributes
    ----------
    name : str
    reach : {"deaths", "after", "before"}
        Deaths in follow-up; another outcome in follow-up; or something from before the index date that
        was held out of the matching.
    log_ratio, std_error : float
    z : float
        Its test of a ratio of 1: of a score test where events are few.
    events : float
        How many there were in both groups.
    """

    name: str
    reach: Reach
    log_ratio: float
    std_error: float
    z: float
    events: float


@dataclass(frozen=True)
class Pooled:
    """Precision-weighted mean of the log ratios of several controls.

    Attributes
    ----------
    log_ratio, std_error, z : float
    weights : array (n_controls,)
        Summing to 1; 0 for one that stays out.
    """

    log_ratio: float
    std_error: float
    z: float
    weights: Array


def pooled_controls(log_ratios: Array, cov: Array) -> Pooled:
    """Pool the controls.

    Parameters
    ----------
    log_ratios : array (n_controls,)
    cov : array (n_controls, n_controls)
        Joint covariance, from their influences side by side, by
        :func:`ucimpact.inference.sandwich.sandwich`.
    """
    variances = np.diag(cov)
    if not (np.isfinite(log_ratios).all() and np.isfinite(cov).all() and (variances > 0).all()):
        raise EstimationError("a control without a ratio or a variance cannot be pooled. Leave it out.")
    weights = (1 / variances) / (1 / variances).sum()
    mean, std_error = float(weights @ log_ratios), float(np.sqrt(weights @ cov @ weights))
    return Pooled(mean, std_error, mean / std_error, weights)


@dataclass(frozen=True)
class Verdict:
    """What the negative controls say of the comparison.

    Attributes
    ----------
    state : {"holds", "doubtful", "fails", "cannot tell"}
    because : {"pooled", "deaths", "few controls", "few deaths", "none apart"}
        Which clause of the rule decided.
    not_excluded : float or None
        Log ratio of the bias of the outcome that the controls leave room for:
        4 x (\\|pooled\\| + 1.64 SE). It caps how certain a finding may be called, and gates nothing.
    """

    state: State
    because: str
    not_excluded: float | None


def in_pool(controls: Sequence[Control]) -> Array:
    """Which controls are pooled: all, but of deaths over several windows only the window with the most."""
    deaths = [place for place, control in enumerate(controls) if control.reach == "deaths"]
    most = max(deaths, key=lambda place: controls[place].events, default=None)
    return np.array([place not in deaths or place == most for place in range(len(controls))], dtype=bool)


def pool(controls: Sequence[Control], cov: Array) -> Pooled | None:
    """Pool controls by :func:`in_pool`; None where there are none.

    Parameters
    ----------
    controls : sequence of Control
    cov : array (n_controls, n_controls)
        Joint covariance of their log ratios.

    Returns
    -------
    Pooled or None
        Its ``weights`` are 0 for controls that stay out.
    """
    if not controls:
        return None
    keep = in_pool(controls)
    found = pooled_controls(np.array([c.log_ratio for c in controls])[keep], cov[np.ix_(keep, keep)])
    weights = np.zeros(len(controls))
    weights[keep] = found.weights
    return replace(found, weights=weights)


def bias_not_excluded(pooled: Pooled, times: float = BIAS_A_UNIT) -> float:
    """Log bias of the result that the controls leave room for.

    Parameters
    ----------
    pooled : Pooled
    times : float
        How many times as far as the controls the result is taken to be moved.
    """
    if not times > 0:
        raise EstimationError("how many times as far the result is moved is a number above 0")
    return float(times * (abs(pooled.log_ratio) + DOUBTFUL * pooled.std_error))


def verdict(
    controls: Sequence[Control], pooled: Pooled | None, effect: float, *, times: float = BIAS_A_UNIT
) -> Verdict:
    """Decide whether the groups look alike beyond what was recorded.

    1. *fails* where the pooled ratio is beyond 2.58 standard errors. Deaths alone never fail a study.
    2. *doubtful* beyond 1.64, or where deaths are beyond 1.96 in the direction that explains the effect.
    3. *cannot tell* with fewer than 3 controls (deaths over several windows are one), or fewer than 10 deaths
       and nothing held out from before.
    4. *holds* otherwise.

    Parameters
    ----------
    controls : sequence of Control
        Those that could be worked out.
    pooled : Pooled or None
        Of the same controls; None where there are none.
    effect : float
        Log ratio of the effect on the outcome: its sign says which difference in deaths would explain it.
    times : float, default 4
        How many times as far as the controls the result is taken to be moved; of ``not_excluded`` alone.
    """
    if pooled is None or not controls:
        return Verdict("cannot tell", "few controls", None)
    blind = bias_not_excluded(pooled, times)
    deaths = [control for control in controls if control.reach == "deaths"]
    only_deaths = len(deaths) == len(controls)
    if abs(pooled.z) > FAILS and not only_deaths:
        return Verdict("fails", "pooled", blind)
    if abs(pooled.z) > DOUBTFUL:
        return Verdict("doubtful", "pooled", blind)
    if any(abs(death.z) > DEATHS_DOUBTFUL and death.z * effect > 0 for death in deaths):
        return Verdict("doubtful", "deaths", blind)
    if in_pool(controls).sum() < FEWEST_CONTROLS:
        return Verdict("cannot tell", "few controls", blind)
    held_out = any(control.reach == "before" for control in controls)
    if not held_out and max((death.events for death in deaths), default=0.0) < FEWEST_DEATHS:
        return Verdict("cannot tell", "few deaths", blind)
    return Verdict("holds", "none apart", blind)
