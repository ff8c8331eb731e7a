r"""Pilot units whose events seem to have been recorded only from the start on, or later.

A unit without an event before its start is expected to have none after it. Where that is chance (small
lists, rare events) it is right in a sum: as many units had too many before as too few, and to leave out those
with none would count only one side. Where recording began late, all that was recorded looks like an effect of
the pilot. The two are told apart by what came after: if the unit's rate after was its rate before too, all of
its :math:`Y_1` events fell after the start with probability

.. math:: p = \Bigl(\frac{B_1}{B_0 + B_1}\Bigr)^{Y_1/\phi}, \qquad B = \sum n_{it} e^{\gamma_t},

where :math:`\phi`, events that come together, is the larger of the dispersion of all units and of the unit's
own months after the start, and at least 1 for counts. Of amounts, whose size says less, it is also asked how
likely it is that all months that have any fall after the start. Below :data:`HARDLY` such units are left out;
as chance makes fewer than one in a hundred of them, leaving them out moves nothing else.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from ucimpact.inference.count_effects import Counts
from ucimpact.inference.ppml import PpmlFit
from ucimpact.methods.design_finding import Finding

Array = np.ndarray
HARDLY = 0.01
"""Probability below which no event before the start is not put down to chance."""
MUCH = 0.1
"""Part of the pilot's events from which units that had none before are told of."""
NAMED = 5


def none_before(
    counts: Counts, free: Array, treated: Array, fit: PpmlFit, *, counted: bool
) -> tuple[Array, Array]:
    """Pilot units with events after the start alone, and those of them for which that is hardly chance.

    Parameters
    ----------
    free, treated : bool array (n_units, n_periods)
        Cells without the pilot, and with it.
    fit : PpmlFit
        Of the cells without it.
    counted : bool
        Whether the outcome is a count.

    Returns
    -------
    silent, late : bool array (n_units,)
        ``late`` lies within ``silent``.
    """
    w = np.where(counts.weights > 0, counts.weights, 1.0)
    y, people = counts.y / w, counts.people / w
    gamma = fit.period_effects
    base = people * np.exp(np.where(np.isnan(gamma), -np.inf, gamma))
    before, after = free & (base > 0), treated & (base > 0)
    total = np.where(after, y, 0.0).sum(axis=1)
    silent = ~counts.never & before.any(axis=1) & ~(before & (y > 0)).any(axis=1) & (total > 0)
    if not silent.any():
        return silent, silent
    b0, b1 = (np.where(side, base, 0.0).sum(axis=1) for side in (before, after))
    months = after.sum(axis=1)
    mean = np.where(after, base * (total / np.where(b1 > 0, b1, 1.0))[:, None], 0.0)
    square = np.where(mean > 0, (y - mean) ** 2 / np.where(mean > 0, mean, 1.0), 0.0).sum(axis=1)
    own = np.where(months > 1, square / np.maximum(months - 1, 1), 0.0)
    known = np.isfinite(fit.dispersion)
    pooled = fit.dispersion / float(w[counts.seen].mean()) if known else 1.0
    if fit.family == "gamma":  # a squared coefficient of variation
        pooled = pooled * total / np.maximum(months, 1)
    together = np.maximum(np.maximum(own, pooled), 1.0 if counted else 1e-12 * np.maximum(total, 1e-300))
    there = (b0 > 0) & (b1 > 0)
    share = np.where(there, b1 / np.where(there, b0 + b1, 1.0), 1.0)
    chance = total / together * np.log(share)
    if not counted:
        chance = np.minimum(chance, _all_after(before.sum(axis=1), months, (after & (y > 0)).sum(axis=1)))
    return silent, silent & (chance < np.log(HARDLY))


def _all_after(before: Array, after: Array, with_some: Array) -> Array:
    """Log probability that chance puts all months ``with_some`` after the start."""

    def ways(months: Array) -> Array:
        left = np.maximum(months - with_some, 0)
        return np.asarray(gammaln(months + 1.0) - gammaln(left + 1.0))

    return np.asarray(ways(after) - ways(before + after))


def late_finding(names: list[str], events: float, *, counted: bool) -> tuple[str, Finding]:
    """The reason for which rows are left out, and the warning that names their units."""
    number = len(names)
    units = f"{number} pilot units" if number > 1 else "one pilot unit"
    what = "events" if counted else "amounts"
    reason = f"rows of {units} with no {what} before the start and some after, so that no ratio can be had"
    many = f"{events:,.0f} event{'' if round(events) == 1 else 's'}" if counted else f"{events:,.0f}"
    return reason, Finding(
        "warn",
        f"{units} had nothing before the start and {many} after it, more than chance gives "
        f"({named(names)}): recording seems to have begun late, so {'they are' if number > 1 else 'it is'} "
        "left out of the effect",
        "Bring the earlier figures, or leave these units out yourself",
    )


def silent_finding(names: list[str], part: float) -> Finding:
    """The warning where units without an event before the start stay in the sum, and weigh."""
    number = len(names)
    units = f"{number} pilot units" if number > 1 else "one pilot unit"
    return Finding(
        "warn",
        f"{units} had nothing before the start but {part:.0%} of what the pilot units had after it "
        f"({named(names)}): that may be chance, and {'they stay' if number > 1 else 'it stays'} in the sum",
        "If recording began late there, leave them out",
    )


def named(names: list[str]) -> str:
    """The first few names, and how many more."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
