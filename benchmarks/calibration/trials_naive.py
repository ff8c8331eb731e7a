"""The familiar answers to what a service after discharge did, each with a wrong clock or comparison.

They are written down here, not in the package, which refuses them: visits decide who counts as visited after
the day from which people are followed, or the future decides who counts as a comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.data.histories import Histories
from ucimpact.data.simulate_histories import CONTACT, EMERGENCY
from ucimpact.inference import glm, propensity
from ucimpact.inference.pairing import nearest

Array = np.ndarray

WITHIN = 14
WINDOWS = ((-30, 0), (-90, -30), (-365, -90))
Answer = tuple[float, float]
"""Log of the ratio of rates and its standard error."""


@dataclass(frozen=True, eq=False)
class Discharges:
    """Emergency discharges of people not visited before, one row each, by what became of them later.

    Attributes
    ----------
    person, day : array (n,)
        The person and the day of discharge.
    visited : array (n,) of bool
        Whether the first visit came within a fortnight, before the next admission.
    visit : array (n,)
        Day of that visit; of the discharge where there was none.
    ever : array (n,) of bool
        Whether the person was ever visited.
    year, windows, fixed : arrays
        Recorded at discharge: admissions of twelve months; of three windows, with contacts and nights;
        the person.
    """

    person: Array
    day: Array
    visited: Array
    visit: Array
    ever: Array
    year: Array
    windows: Array
    fixed: Array


def discharges(histories: Histories, first: int, last: int) -> Discharges:
    """The discharges of the days on which the service ran."""
    stays = histories.stays(EMERGENCY)
    start, death = (np.nan_to_num(days, nan=np.inf) for days in (histories.start, histories.death))
    leave = np.nan_to_num(histories.leave, nan=np.inf)[stays.person]
    own = (stays.end >= first) & (stays.end <= last) & (stays.end < death[stays.person]) & (stays.end < leave)
    own &= start[stays.person] >= stays.end
    person, day = stays.person[own], stays.end[own]
    again = np.nan_to_num(histories.first_after(EMERGENCY, person, day), nan=np.inf)
    delay = start[person] - day
    visited = (delay <= WITHIN) & (start[person] < again)
    counts = [histories.measure(EMERGENCY, person, day, *window) for window in WINDOWS]
    other = [
        histories.measure(CONTACT, person, day, -7, 0),
        histories.measure(EMERGENCY, person, day, -30, 0, value="bed days"),
    ]
    columns = ("Age", "Long-term conditions", "Lives alone", "Deprivation fifth")
    fixed = [histories.values(column)[person] for column in columns]
    fixed.append(histories.codes("Sex")[person])
    return Discharges(
        person=person,
        day=day,
        visited=visited,
        visit=np.where(visited, start[person], day).astype(np.int64),
        ever=np.isfinite(start[person]),
        year=np.log1p(sum(counts))[:, None],
        windows=np.log1p(np.column_stack([*counts, *other])),
        fixed=np.column_stack(fixed),
    )


def before_after(histories: Histories, horizon: int) -> Answer:
    """Admissions of people visited, after the first visit over before."""
    person = np.flatnonzero(np.isfinite(histories.start))
    day = histories.start[person].astype(np.int64)
    after = histories.measure(EMERGENCY, person, day, 0, horizon).sum()
    days = histories.at_risk(person, day, horizon).sum()
    before = histories.measure(EMERGENCY, person, day, -horizon, 0).sum()
    ratio = np.log((after / days) / (before / (horizon * len(person))))
    return float(ratio), float(np.sqrt(1 / after + 1 / before))


def regression(histories: Histories, rows: Discharges, horizon: int, *, adjust: bool, never: bool) -> Answer:
    """Visited discharges beside unvisited ones (or those of people never visited), all from the discharge."""
    keep = rows.visited | (~rows.ever if never else ~rows.visited)
    columns = [np.ones(keep.sum()), rows.visited[keep]]
    if adjust:
        columns += [*rows.fixed[keep].T, *rows.windows[keep].T]
    return _ratio(histories, rows, keep, np.column_stack(columns), rows.day, horizon)


def static(
    histories: Histories, rows: Discharges, horizon: int, *, windows: bool, from_visit: bool
) -> Answer:
    """One unvisited discharge for each visited one, nearest in the score; followed from the visit or not."""
    x = np.column_stack([rows.fixed, rows.windows if windows else rows.year])
    score = propensity.fit(x, rows.visited).linear
    sets = nearest(score, rows.visited, caliper=0.2 * float(score.std()))
    keep = np.zeros(len(rows.day), dtype=bool)
    keep[np.concatenate([sets.treated, sets.controls[:, 0]])] = True
    x = np.column_stack([np.ones(keep.sum()), rows.visited[keep]])
    return _ratio(histories, rows, keep, x, rows.visit if from_visit else rows.day, horizon)


def _ratio(histories: Histories, rows: Discharges, keep: Array, x: Array, day: Array, horizon: int) -> Answer:
    person, day = rows.person[keep], day[keep]
    days = histories.at_risk(person, day, horizon)
    y = histories.measure(EMERGENCY, person, day, 0, horizon)
    seen = days > 0
    fit = glm.poisson(y[seen], x[seen], np.log(days[seen]))
    return float(fit.coef[1]), float(np.sqrt(fit.cov("CR1", person[seen])[1, 1]))


NAIVE = {
    "before/after": lambda histories, _, horizon: before_after(histories, horizon),
    "visited v unvisited, crude": lambda *at: regression(*at, adjust=False, never=False),
    "visited v unvisited, adjusted": lambda *at: regression(*at, adjust=True, never=False),
    "never-visited people, adjusted": lambda *at: regression(*at, adjust=True, never=True),
    "static 1:1, 12 months, from visit": lambda *at: static(*at, windows=False, from_visit=True),
    "static 1:1, windows, from visit": lambda *at: static(*at, windows=True, from_visit=True),
    "static 1:1, windows, from discharge": lambda *at: static(*at, windows=True, from_visit=False),
}
"""By name: of the histories, the discharges and the horizon."""
