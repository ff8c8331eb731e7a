"""The last day of the pilot as it was analysed: what was locked after it was locked after the fact."""

from __future__ import annotations

import datetime as dt

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.data.histories import Histories
from ucimpact.data.panel import Panel
from ucimpact.data.periods import Frequency
from ucimpact.data.series import Series
from ucimpact.study import Records, Study


def ended(study: Study, records: Records) -> dt.date | None:
    """The last day of the last period, or of the follow-up, of those with the pilot.

    None where the records tell no days: numbered periods, people without an index date.
    """
    data = records.data
    if isinstance(data, Panel):
        return _last_day(data.frequency, _last_of_panel(data))
    if isinstance(data, Series):
        return _last_day(data.frequency, _last_of_series(study, data))
    return _of_people(data) if isinstance(data, Cohort) else _of_histories(study, data)


def _last_day(frequency: Frequency, ordinal: int) -> dt.date | None:
    if frequency.kind == "number":
        return None
    return frequency.first_day(ordinal + 1) - dt.timedelta(days=1)


def _last_of_panel(panel: Panel) -> int:
    ends = panel.end_ordinals[panel.pilot_units]
    last = int(panel.ordinals[-1])
    return last if np.isnan(ends).any() or not ends.size else min(last, int(ends.max()))


def _last_of_series(study: Study, series: Series) -> int:
    last, options = int(series.ordinals[-1]), study.method.options
    if options.get("shape") == "pulse":
        return min(last, int(series.start_ordinal))
    until = options.get("until")
    return last if until is None else min(last, series.ordinal(until))


def _of_people(cohort: Cohort) -> dt.date | None:
    if cohort.index_date is None or not cohort.is_pilot.any():
        return None
    began = cohort.table[cohort.index_date].to_numpy(dtype="datetime64[D]")[cohort.is_pilot]
    days = cohort.horizon or 0.0
    followed = np.full(len(began), days) if cohort.days is None else cohort.days[cohort.is_pilot]
    last: dt.date = np.max(began + np.floor(followed).astype("timedelta64[D]")).astype(object)
    return last


def _of_histories(study: Study, histories: Histories) -> dt.date | None:
    """The last day on which an event of the main outcome would count, in the records that there are."""
    begun = histories.start[np.isfinite(histories.start)]
    if not begun.size:
        return None
    counted = study.primary.counted
    days = float(counted.days[1]) if counted is not None else study.data.follow_up_days or 0.0
    last = min(float(begun.max()) + days, float(histories.last_day))
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(last))
