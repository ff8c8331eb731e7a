r"""What familiar ways of counting would have said of the same data, and how much of it is immortal time.

None of these is an answer. They are shown because somebody will work them out: each with what is wrong with
it.

**Immortal time.** Who is readmitted or dies before a visit stands with the unvisited, with all that follows.
The daily hazard says how likely each of them was to be visited on the days that were taken away, :math:`p_i =
1 - \prod_{u > s_i} (1 - h_i(u))`. Given back to the visited in these shares, they leave the two rates that a
fair count from discharge would have compared; the ratio of the naive count to it is what unlike clocks do by
themselves [1]_.

References
----------
.. [1] Suissa, S. (2008). Immortal time bias in pharmacoepidemiology. *American Journal of Epidemiology*
   167(4), 492-499.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit, ndtri

from ucimpact.errors import EstimationError
from ucimpact.inference import glm, propensity, trial_weights
from ucimpact.inference.pairing import nearest
from ucimpact.inference.sandwich import sandwich
from ucimpact.methods.sequential_trials_covariates import columns_of
from ucimpact.methods.sequential_trials_emulation import Emulation
from ucimpact.methods.sequential_trials_table import Rows, lengthy
from ucimpact.methods.sequential_trials_whole import Counting, seen_whole, yes_or_no

Array = np.ndarray

MOST = 100_000
"""Discharges that stand in the naive answers; of more, every k-th."""

WHY = {
    "before-after": "People are given the service at a bad moment, and later use falls by itself",
    "visited-unvisited": (
        "Nothing can have happened to the visited between discharge and visit, and the visited are those who "
        "staff were worried about"
    ),
    "visited-unvisited-adjusted": (
        "Adjustment takes away what staff saw, and leaves the days in which nothing can have happened to the "
        "visited"
    ),
    "never-served": "People who are never served are those with few later stays: they are chosen by their "
    "future",
    "static": (
        "The visited are followed from the visit, which they lived to see at home, and the others from "
        "discharge, when most readmissions come"
    ),
}
LABELS = {
    "before-after": "Before and after, the same people",
    "visited-unvisited": "Visited beside unvisited discharges",
    "visited-unvisited-adjusted": "Visited beside unvisited, adjusted for all that is recorded",
    "never-served": "Visited beside people never served, adjusted",
    "static": "One matched person each, from visit and from discharge",
}


@dataclass(frozen=True, eq=False)
class Discharges:
    """One row a discharge (or, without a trigger, a person who begins): what naive ways look at.

    Attributes
    ----------
    rows : Rows
        On day 0; ``treated`` says who began within the days that count.
    delay : array (n,)
        Days to the service; 0 for the others.
    """

    rows: Rows
    delay: Array

    @classmethod
    def of(cls, emulation: Emulation) -> Discharges | None:
        every = emulation.everybody
        if every.closed is None:
            return None
        person, delay = np.full(every.units, -1), np.zeros(every.units)
        person[every.unit] = every.person
        started = np.zeros(every.units, dtype=bool)
        started[every.unit[every.treated]] = True
        delay[every.unit[every.treated]] = every.trial[every.treated]
        there = np.flatnonzero(person >= 0)
        there = there[:: max(1, -(-len(there) // MOST))]
        day = every.closed[there]
        none = np.zeros(len(there), dtype=np.int64)
        rows = replace(
            every, unit=there, person=person[there], trial=none, day=day, known=day, treated=started[there]
        )
        return cls(rows, delay[there])


def naive(
    emulation: Emulation, counted: Counting, level: float = 0.95
) -> tuple[list[dict[str, Any]], float | None]:
    """The naive answers (``name, label, ratio, low, high, why``), and the ratio of immortal time alone."""
    key = ("naive", counted.event, tuple(counted.days), counted.value, getattr(counted, "any", False), level)
    if key not in emulation.cache:
        emulation.cache[key] = _worked_out(emulation, counted, level)
    found: tuple[list[dict[str, Any]], float | None] = emulation.cache[key]
    return found


def _worked_out(
    emulation: Emulation, counted: Counting, level: float
) -> tuple[list[dict[str, Any]], float | None]:
    asked = _Asked(emulation, counted)
    ways = {"before-after": asked.before_after}
    whole = Discharges.of(emulation)
    if whole is not None:
        ways |= {
            "visited-unvisited": lambda: asked.crude(whole),
            "visited-unvisited-adjusted": lambda: asked.adjusted(whole, whole.rows.treated | True),
            "never-served": lambda: asked.adjusted(whole, whole.rows.treated | ~asked.served(whole)),
            "static": lambda: asked.static(whole),
        }
    else:
        ways["never-served"] = asked.never_served_rows
    rows = []
    for name, way in ways.items():
        try:
            log, error = way()
        except EstimationError:
            continue
        if not (np.isfinite(log) and np.isfinite(error)):
            continue
        half = float(ndtri((1 + level) / 2)) * error
        ratio, low, high = (float(np.exp(v)) for v in (log, log - half, log + half))
        rows.append(
            {"name": name, "label": LABELS[name], "ratio": ratio, "low": low, "high": high, "why": WHY[name]}
        )
    return rows, None if whole is None else asked.immortal(whole)


@dataclass(frozen=True, eq=False)
class _Asked:
    emulation: Emulation
    counted: Counting

    def count(self, person: Array, day: Array) -> tuple[Array, Array]:
        """The outcome and the days at risk after some days."""
        histories, (first, last) = self.emulation.histories, self.counted.days
        y = histories.measure(self.counted.event, person, day, first, last, value=self.counted.value)
        if getattr(self.counted, "any", False):
            y = (y > 0).astype(float)
        if yes_or_no(self.counted):
            whole = seen_whole(histories, person, day, last)
            return np.where(whole, y, 0.0), np.where(whole, float(last - first), 0.0)
        days = histories.at_risk(person, day, last)
        return y, days - (histories.at_risk(person, day, first) if first > 0 else 0.0)

    def served(self, whole: Discharges) -> Array:
        """Whether the person of each discharge is ever served."""
        return np.asarray(np.isfinite(self.emulation.histories.start[whole.rows.person]))

    def before_after(self) -> tuple[float, float]:
        rows = self.emulation.everybody
        person, day = rows.person[rows.treated], rows.day[rows.treated]
        y, days = self.count(person, day)
        first, last = self.counted.days
        before = self.emulation.histories.measure(
            self.counted.event, person, day, -last, -first, value=self.counted.value
        )
        if getattr(self.counted, "any", False):
            before = (before > 0).astype(float)
        n = len(person)
        after = np.repeat([True, False], n)
        known = np.concatenate([days > 0, np.ones(n, dtype=bool)])
        length = np.concatenate([days, np.full(n, float(last - first))])
        both = np.concatenate([y, before])
        return _ratio(both[known], length[known], after[known], None, np.tile(person, 2)[known])

    def crude(self, whole: Discharges) -> tuple[float, float]:
        rows = whole.rows
        y, days = self.count(rows.person, rows.day)
        known = days > 0
        return _ratio(y[known], days[known], rows.treated[known], None, rows.person[known])

    def adjusted(self, whole: Discharges, keep: Array) -> tuple[float, float]:
        rows = whole.rows
        x, keep = self._columns(whole, keep)
        y, days = self.count(rows.person, rows.day)
        keep = keep & (days > 0)
        full = np.column_stack([np.ones(int(keep.sum())), rows.treated[keep], _standard(x[keep])])
        fit = glm.poisson(y[keep], full, np.log(days[keep]))
        error = sandwich(fit.influence[:, [1]], rows.person[keep], "CR1", full.shape[1])
        return float(fit.coef[1]), float(np.sqrt(error[0, 0]))

    def static(self, whole: Discharges) -> tuple[float, float]:
        rows = whole.rows
        x, keep = self._columns(whole, np.ones(len(rows.day), dtype=bool))
        use = np.flatnonzero(keep)
        score = propensity.fit(_standard(x[use]), rows.treated[use]).linear
        sets = nearest(score, rows.treated[use], caliper=0.2 * float(score.std(ddof=1)))
        _, pilot, other = sets.pairs()
        lines = use[np.concatenate([pilot, other])]
        day = rows.day[lines] + np.where(rows.treated[lines], whole.delay[lines], 0).astype(np.int64)
        y, days = self.count(rows.person[lines], day)
        known = days > 0
        return _ratio(y[known], days[known], rows.treated[lines][known], None, rows.person[lines][known])

    def never_served_rows(self) -> tuple[float, float]:
        """The trials with none but people who are never served beside those who start."""
        emulation = self.emulation
        rows = emulation.rows
        keep = np.flatnonzero((emulation.weight > 0) & (rows.treated | ~np.isfinite(emulation.start)))
        weight = trial_weights.rescaled(emulation.weight[keep], rows.treated[keep], emulation.strata[keep])
        y, days = self.count(rows.person[keep], rows.day[keep])
        known = (days > 0) & (weight > 0)
        keep, weight, y, days = keep[known], weight[known], y[known], days[known]
        return _ratio(y, days, rows.treated[keep], weight, rows.person[keep])

    def immortal(self, whole: Discharges) -> float | None:
        """By how much a service without effect is out, where clocks start at discharge."""
        if self.emulation.everybody.rate < 1:
            return None  # the last day of a discharge may not have been drawn
        chance = self._might_have_begun(whole)
        rows = whole.rows
        y, days = self.count(rows.person, rows.day)
        started = rows.treated.astype(float)
        given_back = np.where(rows.treated, 1.0, chance)
        logs = []
        for share in (started, 1 - started, given_back, 1 - given_back):
            events, time = float(share @ y), float(share @ days)
            if events <= 0 or time <= 0:
                return None
            logs.append(np.log(events / time))
        return float(np.exp(logs[0] - logs[1] - (logs[2] - logs[3])))

    def _might_have_begun(self, whole: Discharges) -> Array:
        """The chance to begin on the days that a readmission or death took away, one a discharge."""
        emulation = self.emulation
        rows, histories = emulation.rows, emulation.histories
        within = emulation.plan.opening.within
        logit = emulation.hazard.linear
        size = np.bincount(rows.trial, minlength=within + 1)
        level = np.bincount(rows.trial, logit, within + 1) / np.maximum(size, 1)
        order = np.lexsort((rows.trial, rows.unit))
        last = order[np.append(np.diff(rows.unit[order]) > 0, True)]
        last = last[~rows.treated[last] & (rows.trial[last] < within)]
        person, day = rows.person[last], rows.day[last]
        ended = histories.death[person] == day + 1
        for kind in lengthy(histories):
            ended |= histories.measure(kind, person, day, 0, 1) > 0
        last = last[ended]
        left = np.ones(len(last))
        for later in range(1, within + 1):
            there = (later > rows.trial[last]) & (size[later] > 0)
            h = expit(logit[last] + level[later] - level[rows.trial[last]])
            left *= np.where(there, 1 - h, 1.0)
        chance = np.zeros(emulation.everybody.units)
        chance[rows.unit[last]] = 1 - left
        return np.asarray(chance[whole.rows.unit])

    def _columns(self, whole: Discharges, keep: Array) -> tuple[Array, Array]:
        """Covariates on the day of discharge, and where all are known."""
        x, _ = columns_of(self.emulation.histories, self.emulation.plan, whole.rows)
        keep = keep & np.isfinite(x).all(axis=1)
        spread = x[keep].std(axis=0)
        return x[:, spread > 1e-9], keep


def _ratio(y: Array, days: Array, treated: Array, weight: Array | None, person: Array) -> tuple[float, float]:
    """Log ratio of two rates and its error between persons."""
    w = np.ones(len(y)) if weight is None else weight
    influence, logs = np.zeros(len(y)), []
    for sign, arm in ((1.0, treated), (-1.0, ~treated)):
        events, time = float((w * y)[arm].sum()), float((w * days)[arm].sum())
        if events <= 0 or time <= 0:
            raise EstimationError("a ratio needs events on both sides")
        logs.append(np.log(events / time))
        influence[arm] = sign * (w * (y - events / time * days))[arm] / events
    error = sandwich(influence[:, None], person, "CR1", 0)
    return float(logs[0] - logs[1]), float(np.sqrt(error[0, 0]))


def _standard(x: Array) -> Array:
    spread = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
