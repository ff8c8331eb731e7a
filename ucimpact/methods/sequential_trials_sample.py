"""The rows of sequential trials with an outcome, as the outcome model and the effects take them.

A person is evidence once however many trials he or she stands in, as pilot or comparison, so influences are
summed by person first (or by practice). The t distribution has the degrees of freedom that so uneven a sum of
squares is worth; with a hundred or more events among those who start, and sixty degrees of freedom or more,
the interval is a normal one. Events alone do not make it one: a hundred may be those of a few people.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.histories import Histories
from ucimpact.errors import DesignError
from ucimpact.inference import trial_weights
from ucimpact.inference.sandwich import sandwich
from ucimpact.inference.uneven import worth
from ucimpact.methods.sequential_trials_emulation import Emulation
from ucimpact.methods.sequential_trials_whole import Counting, left_out, seen_whole

Array = np.ndarray

MANY_EVENTS = 100
"""From so many events among those who start, quantiles are those of the normal distribution ..."""
EVEN = 60.0
"""... where the variance is worth so many degrees of freedom."""


@dataclass(frozen=True, eq=False)
class Columns:
    """What an outcome model reads of a cohort."""

    horizon: float
    days: Array
    clusters: Array | None
    cluster: str | None
    x: Array
    names: tuple[str, ...]
    histories: Histories
    person: Array

    def values(self, column: str) -> Array:
        """A covariate of every line."""
        return np.asarray(self.x[:, self.names.index(column)], dtype=float)

    @property
    def persons(self) -> Array:
        """The person of each line."""
        return self.person

    def codes(self, column: str) -> Array:
        """A column of people as kinds, one a line."""
        return np.asarray(self.histories.codes(column)[self.person])

    @property
    def table(self) -> pd.DataFrame:
        """The columns of people, one row a line."""
        return self.histories.people.iloc[self.person]


@dataclass(frozen=True, eq=False)
class TrialSample:
    """Lines with an outcome: one a person and trial (or, for strategies, a person and strategy)."""

    cohort: Any
    """A :class:`Columns`, which is all that is asked of a cohort here."""
    place: Array
    """Row of the emulation of each line."""
    treated: Array
    weight: Array
    person: Array
    unit: Array
    codes: Array
    """Units of evidence, from 0: persons or practices."""
    words: str
    people: Array
    """Persons who stand in any trial of the emulation, rising."""
    sure: bool
    """Whether there are events enough for a normal interval."""
    per_day: bool = True
    """Whether the outcome is counted over days at risk; a share, a cost or a duration is not."""

    @property
    def row(self) -> Array:
        return np.arange(len(self.treated))

    @property
    def size(self) -> int:
        """Lines of people who start."""
        return int(self.treated.sum())

    @property
    def days(self) -> Array | None:
        """Days at risk; None where the outcome is of whole windows."""
        return np.asarray(self.cohort.days) if self.per_day else None

    @property
    def person_time(self) -> float:
        """Days at risk of those who start."""
        return float(np.asarray(self.cohort.days)[self.treated].sum())

    @property
    def clusters(self) -> Array:
        return self.codes

    @property
    def ways(self) -> tuple[Array, ...]:
        return (self.codes,)

    @property
    def recurs(self) -> bool:
        return True

    @property
    def names(self) -> tuple[str, ...]:
        """A name for every person in the trials, the same for every outcome."""
        mark = hashlib.sha256(self.people.tobytes()).hexdigest()[:6]
        return tuple(f"person {k + 1} of {mark}" for k in range(len(self.people)))

    def cov(self, influence: Array, parameters: int) -> Array:
        """Covariance of what has these influences, between persons (or practices)."""
        return sandwich(influence, self.codes, "CR1", parameters)

    def df(self, influence: Array) -> float:
        """Degrees of freedom."""
        found = worth(influence, self.codes)
        return float("inf") if self.sure and found >= EVEN else found

    def by_set(self, influence: Array) -> Array:
        """Influence of every person."""
        at = np.searchsorted(self.people, self.person)
        sums = [np.bincount(at, column, len(self.people)) for column in influence.T]
        return np.column_stack(sums)

    def events(self, y: Array) -> tuple[float, float]:
        """Sum of an outcome over those who start, and over the different discharges beside them."""
        others = np.flatnonzero(~self.treated)
        most = np.zeros(int(self.unit.max(initial=0)) + 1)
        np.maximum.at(most, self.unit[others], y[others])
        return float(y[self.treated].sum()), float(most.sum())

    def share(self, y: Array) -> float:
        """Mean of an outcome over all lines."""
        return float(y.mean())

    def enforce(self, outcome: str, events: tuple[float, float] | None) -> None:
        """Refuse what nothing can be worked out from."""
        if self.size < 2:
            raise DesignError(
                f"{self.size} people begin the service on a day on which others could have, with a known "
                "outcome; at least 2 are needed. Bring more people"
            )
        if events is not None and min(events) == 0:
            raise DesignError(
                f"`{outcome}` happened {events[0]:g} times among those who began the service and "
                f"{events[1]:g} times among the people beside them: too few to judge. Follow people for "
                "longer, or take an outcome that happens more often"
            )


@dataclass(frozen=True, eq=False)
class Followed:
    """An outcome of rows: the sum, the days at risk, and whether both are known; shape (n,) each."""

    y: Array
    days: Array
    known: Array
    last_weight: Array
    refused: str | None = None
    """Why weights after censoring carry no answer."""
    left_out: tuple[dict[str, Any], ...] = ()
    """Lines whose window was cut, where all of it is needed."""
    cares: tuple[str, ...] = ()


def followed(emulation: Emulation, counted: Counting, rows: Array, question: str, *, whole: bool) -> Followed:
    """Count an outcome for some rows of the emulation.

    Parameters
    ----------
    counted : Counted
    rows : array of int
    question : {"usual-care", "this-stay", "never"}
    whole : bool
        Whether rows count only with the whole window seen or ended by death, as shares of people and sums
        without days at risk need.
    """
    histories, trials = emulation.histories, emulation.rows
    person, day = trials.person[rows], trials.day[rows]
    first, last = counted.days
    if last <= 0:
        return _before(emulation, counted, rows)
    if question == "usual-care":
        y = histories.measure(counted.event, person, day, first, last, value=counted.value)
        if getattr(counted, "any", False):
            y = np.where(np.isfinite(y), y > 0, np.nan)
        days = histories.at_risk(person, day, last) - (
            histories.at_risk(person, day, first) if first > 0 else 0.0
        )
        weight = np.ones(len(rows))
    else:
        y, days, weight = (part[rows] for part in _censored(emulation, counted, question))
    known = (days > 0) & np.isfinite(y)
    if whole:
        known &= seen_whole(histories, person, day, last)
    return Followed(y, days, known, weight)


def _before(emulation: Emulation, counted: Counting, rows: Array) -> Followed:
    """What happened in a window before the trial day, where all of it was seen."""
    histories, trials = emulation.histories, emulation.rows
    person, day = trials.person[rows], trials.known[rows]
    y = histories.measure(counted.event, person, day, *counted.days, value=counted.value)
    if getattr(counted, "any", False):
        y = (y > 0).astype(float)
    since = np.fmax(histories.enter, histories.first_day)[person]
    length = float(counted.days[1] - counted.days[0])
    seen = (day + counted.days[0] + 1 >= since) & np.isfinite(y)
    return Followed(y, np.full(len(rows), length), seen, np.ones(len(rows)))


def _censored(emulation: Emulation, counted: Counting, question: str) -> tuple[Array, Array, Array]:
    """Outcome, days at risk and last weight of every row, followed until the service begins."""
    key = (
        "censored",
        question,
        counted.event,
        tuple(counted.days),
        counted.value,
        getattr(counted, "any", False),
    )
    if key not in emulation.cache:
        emulation.cache[key] = _followed_until(emulation, counted, question)
    found: tuple[Array, Array, Array] = emulation.cache[key]
    return found


def _followed_until(emulation: Emulation, counted: Counting, question: str) -> tuple[Array, Array, Array]:
    histories, rows = emulation.histories, emulation.rows
    ends = rows.day + histories.at_risk(rows.person, rows.day, counted.days[1])
    if question == "this-stay":
        unit = rows.unit
        began = np.full(emulation.everybody.units, np.inf)
        here = emulation.everybody.treated
        began[emulation.everybody.unit[here]] = emulation.everybody.day[here]
        stop = began[unit]
    else:
        unit, stop = rows.person, emulation.start
    others = ~rows.treated
    ends = np.where(others, np.minimum(ends, stop), ends)
    steps = trial_weights.Steps.of(unit, rows.day, emulation.hazard.chance)
    return steps.measured(ends, others, counter(histories, counted, rows.person, rows.day))


def counter(histories: Histories, counted: Counting, person: Array, day: Array) -> trial_weights.Counting:
    """What happened to rows after one day and up to another; of yes or no, the first time only."""
    if not getattr(counted, "any", False):

        def count(rows: Array, after: Array, up_to: Array) -> Array:
            return histories.measure(
                counted.event, person[rows], after, 0, up_to - after, value=counted.value
            )

        return count
    once = histories.first_after(counted.event, person, day)

    def first(rows: Array, after: Array, up_to: Array) -> Array:
        return np.asarray((once[rows] > after) & (once[rows] <= up_to), dtype=float)

    return first


def sample_of(
    emulation: Emulation,
    counted: Counting,
    *,
    by: str,
    question: str = "usual-care",
    per_day: bool = True,
    cluster_by: str = "person",
) -> tuple[TrialSample, Array, Followed]:
    """Lines with weight and a known outcome, the outcome, and how they were followed.

    Parameters
    ----------
    per_day : bool
        Whether days at risk stand below the outcome. Without them only lines count whose whole window was
        seen.
    """
    weight, whole = emulation.weights(by), not per_day
    used = np.flatnonzero(weight > 0)
    what = followed(emulation, counted, used, question, whole=whole)
    keep = what.known
    if whole and counted.days[1] > 0:
        person, own = emulation.rows.person[used], emulation.rows.treated[used]
        seen = seen_whole(emulation.histories, person, emulation.rows.day[used], counted.days[1])
        cut, cares = left_out(person, weight[used], own, seen)
        what = replace(what, left_out=tuple(cut), cares=cares)
    rows, y, days = used[keep], what.y[keep], what.days[keep]
    treated = emulation.rows.treated[rows]
    kept = weight[rows] if keep.all() else emulation.rescaled(rows, weight[rows])
    if not keep.all():
        there = kept > 0
        rows, y, days, treated, kept = rows[there], y[there], days[there], treated[there], kept[there]
    if question != "usual-care" and counted.days[1] > 0:
        others = ~treated
        last = what.last_weight[np.searchsorted(used, rows)]
        what = replace(what, refused=trial_weights.enough((kept * last)[others], kept[others]))
    sample = lines(
        emulation,
        place=rows,
        treated=treated,
        weight=kept,
        days=days,
        y=y,
        horizon=float(counted.days[1] - counted.days[0]),
        cluster_by=cluster_by,
        per_day=per_day,
    )
    return sample, y, what


def lines(
    emulation: Emulation,
    *,
    place: Array,
    treated: Array,
    weight: Array,
    days: Array,
    y: Array,
    horizon: float,
    cluster_by: str,
    per_day: bool = True,
) -> TrialSample:
    """Lines of the emulation with what the outcome model reads."""
    histories, trials = emulation.histories, emulation.rows
    person = trials.person[place]
    of_cluster = None if histories.clusters is None else histories.clusters[person]
    by_cluster = cluster_by == "cluster" and of_cluster is not None
    evidence = of_cluster if by_cluster and of_cluster is not None else person
    codes = np.unique(evidence, return_inverse=True)[1].reshape(-1)
    return TrialSample(
        cohort=Columns(
            horizon,
            days,
            of_cluster,
            histories.cluster,
            emulation.x[place],
            emulation.names,
            histories,
            person,
        ),
        place=place,
        treated=treated,
        weight=weight,
        person=person,
        unit=trials.unit[place],
        codes=codes,
        words=str(histories.cluster).replace("_", " ") if by_cluster else "person",
        people=np.unique(trials.person),
        sure=not by_cluster and float(np.maximum(y, 0)[treated].sum()) >= MANY_EVENTS,
        per_day=per_day,
    )


def with_events(sample: TrialSample, y: Array) -> TrialSample:
    """The sample with its interval chosen by how many had any of an amount, such as a cost."""
    return replace(
        sample, sure=sample.words == "person" and int((y[sample.treated] != 0).sum()) >= MANY_EVENTS
    )
