"""Three services of people with histories, whose first visit comes at a bad moment: those of the examples.

Soft landing visits people in the fortnight after an emergency discharge; planning ahead goes to people on a
risk list on any day, most often after a bad month; palliative in-reach to people near the end of life, of
whom nobody knows who will die.
"""

from __future__ import annotations

from ucimpact.data.simulate_histories import ServiceHistories

SOFT_LANDING = ServiceHistories(ratio=0.65, practices=24, contacts=0.004, nurses=0.005)
"""Fewer contacts than by default, so that the files of an example stay small."""

DISCHARGE_PLANNING = ServiceHistories(
    entry="any day",
    people=4000,
    practices=18,
    days=365,
    after=190,
    ratio=0.72,
    uptake=0.010,
    month=2.2,
    rate=0.0010,
    frailty=0.6,
    contacts=0.004,
    nurses=0.005,
)

PALLIATIVE_INREACH = ServiceHistories(
    entry="any day",
    people=3600,
    practices=18,
    days=365,
    after=190,
    ratio=0.6,
    uptake=0.04,
    month=1.8,
    rate=0.0010,
    frailty=0.6,
    deaths=0.0025,
    ending=4.8,
    ends_in=20.0,
    stay=13.0,
    contacts=0.004,
    nurses=0.005,
)

SERVICES = {
    "soft_landing": (SOFT_LANDING, 90),
    "discharge_planning": (DISCHARGE_PLANNING, 180),
    "palliative_inreach": (PALLIATIVE_INREACH, 180),
}
"""The design of each example and the days of follow-up of its truth."""
