"""Pictures of sequential trials: the months before, what came first, how often, each place apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from ucimpact.data.histories import DEATH, Histories
from ucimpact.errors import EstimationError
from ucimpact.inference.cumulative_incidence import compare_incidence, first_of
from ucimpact.inference.mean_cumulative_count import compare_mean_counts
from ucimpact.inference.trajectory import LENGTH, MONTHS, trajectory, windows
from ucimpact.methods.sequential_trials_covariates import SEASON
from ucimpact.methods.sequential_trials_emulation import Emulation
from ucimpact.methods.sequential_trials_sample import TrialSample
from ucimpact.methods.sequential_trials_whole import Counting

Array = np.ndarray

SHOWN = 30
"""Days over which the first event is drawn."""
MOST = 200_000
"""Rows of everybody who could have begun that stand in the months before; of more, every k-th."""
FEW_HERE = 5
"""A place with fewer starts is not told apart."""


def months_before(emulation: Emulation, counted: Counting, sample: TrialSample) -> dict[str, Any] | None:
    """The same event in each of the months, before the trial, that everybody's records hold.

    Of an event that nobody had before, such as a death, the first of the measured events stands in.
    """
    months = min(MONTHS, emulation.plan.opening.lookback // LENGTH)
    if months < 2:
        return None
    for event in (counted.event, *(what.event for what in emulation.plan.measured)):
        if event != DEATH and (told := _months(emulation, event, sample, months)) is not None:
            return {"event": event, **told}
    return None


def _months(emulation: Emulation, event: str, sample: TrialSample, months: int) -> dict[str, Any] | None:
    rows = emulation.rows
    others = np.flatnonzero(~rows.treated)[:: max(1, -(-int((~rows.treated).sum()) // MOST))]

    def counts(lines: Array) -> Array:
        found = [
            emulation.histories.measure(event, rows.person[lines], rows.known[lines], first, last)
            for _, first, last in windows(months)
        ]
        return np.column_stack(found)

    had = counts(sample.place)
    if not had.any():
        return None
    told = trajectory(
        had,
        sample.treated,
        weights=sample.weight,
        clusters=sample.codes,
        others=counts(others),
    )
    return told.to_dict()


def what_came_first(
    emulation: Emulation, counted: Counting, sample: TrialSample, label: str, level: float
) -> dict[str, Any] | None:
    """Shares with a first event, and with death before one, by each of the first days."""
    if counted.event == DEATH or counted.days[0] != 0 or counted.value is not None:
        return None
    histories, rows = emulation.histories, emulation.rows
    horizon = min(SHOWN, counted.days[1])
    person, day = rows.person[sample.place], rows.day[sample.place]
    until = histories.at_risk(person, day, horizon)
    time, cause = first_of(
        histories.first_after(counted.event, person, day) - day, histories.death[person] - day, until
    )
    try:
        found = compare_incidence(
            time,
            cause,
            sample.treated,
            days=np.arange(1, horizon + 1.0),
            weights=sample.weight,
            clusters=sample.codes,
            level=level,
        )
    except EstimationError:
        return None
    return found.to_dict(label)


def how_often(
    emulation: Emulation, counted: Counting, sample: TrialSample, label: str, level: float
) -> dict[str, Any] | None:
    """The mean number per 100 people by each day of follow-up, deaths ending it."""
    once = getattr(counted, "any", False)
    if counted.event == DEATH or counted.days[0] != 0 or counted.value is not None or once:
        return None
    histories, rows = emulation.histories, emulation.rows
    person, day = rows.person[sample.place], rows.day[sample.place]
    until = histories.at_risk(person, day, counted.days[1])
    line, after = _events(histories, counted.event, person, day, until)
    try:
        found = compare_mean_counts(
            until,
            histories.death[person] - day <= until,
            line,
            after,
            sample.treated,
            days=np.arange(1, counted.days[1] + 1.0),
            weights=sample.weight,
            clusters=sample.codes,
            level=level,
        )
    except EstimationError:
        return None
    return found.to_dict(label)


def _events(histories: Histories, event: str, person: Array, day: Array, until: Array) -> tuple[Array, Array]:
    """Line and day since time zero of every event in the follow-up of some lines."""
    stays = histories.stays(event)
    span = histories.last_day + 2
    keys = stays.person.astype(np.int64) * span + stays.day
    low = np.searchsorted(keys, person * span + day, side="right")
    high = np.searchsorted(keys, person * span + (day + until).astype(np.int64), side="right")
    number = high - low
    line = np.repeat(np.arange(len(person)), number)
    place = np.arange(len(line)) - np.repeat(np.cumsum(number) - number, number) + np.repeat(low, number)
    return line, (stays.day[place] - day[line]).astype(float)


def by_place(emulation: Emulation, sample: TrialSample) -> list[dict[str, Any]]:
    """The largest difference at each place with enough starts, in standard deviations of all who start.

    The time of year is no measure of people, and at a place it is that of a few weeks: it is not asked of.
    """
    histories = emulation.histories
    if histories.clusters is None or not len(emulation.names):
        return []
    place = histories.clusters[sample.person]
    n = int(place.max()) + 1
    x, w, own = emulation.shown(sample.place), sample.weight, sample.treated
    spread = x[own].std(axis=0)
    starts, weighed = np.bincount(place[own], minlength=n), np.bincount(place[~own], w[~own], n)
    squares = np.bincount(place[~own], w[~own] ** 2, n)
    apart = np.zeros((n, x.shape[1]))
    seasons = np.isin(emulation.names, SEASON)
    for k in np.flatnonzero((spread > 0) & ~seasons):
        here = np.bincount(place[own], x[own, k], n) / np.maximum(starts, 1)
        there = np.bincount(place[~own], (w * x[:, k])[~own], n) / np.where(weighed > 0, weighed, 1.0)
        apart[:, k] = np.abs(here - there) / spread[k]
    named = histories.people[histories.cluster].astype(str).to_numpy()
    first = {int(code): row for row, code in reversed(list(enumerate(histories.clusters.tolist())))}
    return [
        {
            "site": str(named[first[int(code)]]),
            "n_pilot": int(starts[code]),
            "n_comparison": round(float(weighed[code] ** 2 / squares[code])),
            "max_smd": float(apart[code].max()),
            "worst": emulation.names[int(apart[code].argmax())],
        }
        for code in np.flatnonzero((starts >= FEW_HERE) & (weighed > 0))
    ]
