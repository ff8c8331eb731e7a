"""A yes or no is told as the share of people, whatever their days at risk.

Somebody dies once. As a rate over the days at risk, times the horizon, a service of whose people half die
early would show more deaths than people: the days end with the event, so the events are divided by what they
cut short. So an outcome that is 0 or 1 for everybody is compared without days at risk: the mean is the share
of people to whom it happened, and the ratio one of risks. Who was followed for less than the horizon and
did not have it counts as not having had it, which is right for those who died and not for those who left.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.matched_cohort_effects import COUNTS

SHORT = 0.05
"""Where more of the people without the event were followed for less than the horizon, it is told."""


def told_as_share(cohort: Cohort, outcome: str, family: str) -> tuple[Cohort, tuple[str, ...]]:
    """The cohort as the outcome is compared, a yes or no without days at risk, and what a reader should know.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    family : str
        Only those of counts have to do with days at risk.
    """
    if cohort.days is None or cohort.horizon is None or family not in COUNTS:
        return cohort, ()
    y = cohort.values(outcome)
    if not np.isin(y[np.isfinite(y)], (0.0, 1.0)).all():
        return cohort, ()
    none = y == 0
    short = int((none & (cohort.days < cohort.horizon)).sum())
    shown = replace(cohort, follow_up=None)
    if short <= SHORT * none.sum():
        return shown, ()
    text = (
        f"`{outcome}` is a yes or no, so it is told as the share of people. {short:,} of the "
        f"{int(none.sum()):,} who did not have it were followed for less than {cohort.horizon:g} days, and "
        "count as not having had it: that is right for those who died of something else, and not for those "
        "who left"
    )
    return shown, (str(Finding("warn", text, f"Empty `{outcome}` for those who left before the end")),)
