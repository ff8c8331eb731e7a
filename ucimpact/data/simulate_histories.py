r"""Made-up histories of people around a service that begins at a bad moment, and the truth of its effect.

Each person's illness takes its own course, which no service changes. Person :math:`i` has a lasting frailty
:math:`f_i`, of which the records show a part :math:`x_i`, and crises that come at random and wear off,

.. math:: s_i(t) = \sum_{c_{ij} \le t} J e^{-(t - c_{ij})/\tau} + b\, e^{-(T_i - t)/\tau_b},

the last term being the time before death at :math:`T_i`, of which nobody knows. While at home, emergency
admissions come at the rate

.. math:: \lambda_i(t) = r \exp(x_i'\gamma + f_i + s_i(t))\, \rho^{[t > V_i]}

with :math:`V_i` the day of the first visit: an admission is a sign of a crisis, so that use rises before it
and falls after it by itself. Deaths depend on frailty and crises, contacts on both, injuries on frailty
alone. A first visit comes, on a day on which one is possible and the person is at home and was not admitted,
with the chance

.. math:: \operatorname{logit} h_i(t) = a_d + z_i(t)'\beta + u_{p(i)} + \eta (f_i + \tfrac12 s_i(t)),

where :math:`z_i(t)` is recorded up to that day, :math:`u_p` is the practice's zeal and :math:`d` the days
since the last discharge. With ``entry="discharge"`` it is possible on days 0 to ``within`` after each
discharge until the first visit; with ``entry="any day"`` always. With :math:`\eta = 0` nothing unrecorded
decides; :math:`\eta` is the hidden choosing.

**The truth** is by potential outcomes of the people visited: from the evening of the first visit each lives
the next days many times over, with the visit and without it, with the same illness, the same death and the
same luck in both. Without it, later visits come as they would (``"usual-care"``), none comes after this
discharge (``"this-stay"``) or none at all (``"never"``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ucimpact.data.histories import Histories
from ucimpact.data.simulate import Draw
from ucimpact.data.simulate_courses import NEVER, Course, Illness, Visits
from ucimpact.data.simulate_truth import expected

Entry = Literal["discharge", "any day"]
Array = NDArray[np.float64]
Ints = NDArray[np.int64]

BURN = 120
"""Days before the records, in which crises settle to their usual number."""
EMERGENCY, DAY_CASE, CONTACT, NURSE, INJURY, HOSPITAL_DEATH = (
    "emergency admission",
    "day case",
    "contact",
    "nurse visit",
    "injury",
    "death in hospital",
)


@dataclass(frozen=True, kw_only=True)
class HistoriesDraw(Draw):
    """A made-up list of people (``table``) and what happened to them.

    Attributes
    ----------
    events : DataFrame
        One row an event: Person, Date, Kind, Discharged, Cost, and Last 30 days, the cost of what began in
        somebody's last 30 days of life.
    visited : int
        People who had a first visit in the time that counts.
    """

    events: pd.DataFrame
    visited: int

    def histories(self) -> Histories:
        """The two tables in their roles."""
        return Histories(
            self.table,
            self.events,
            person="Person",
            service_start="First visit",
            date="Date",
            kind="Kind",
            end="Discharged",
            died="Died",
            left="Left",
            registered="Registered",
            cluster="Practice",
        )


@dataclass(frozen=True, kw_only=True)
class ServiceHistories:
    """People, their histories, and a service that begins for some of them.

    Parameters
    ----------
    people, practices : int, default 5,100, 40
        On the list, most of whom are never admitted.
    first : str, default "2022-04-01"
        First day of the service.
    days, before, after : int, default 730, 760, 100
        Days of the service, and of records before and after them.
    ratio : float, default 1.0
        Rate of emergency admissions after a first visit over the rate without: of each admission to come.
    hidden : float, default 0.0
        How strongly what no record shows decides who is visited.
    delay : float, default 2.3
        Mean day of the first visit after discharge (entry "discharge").
    uptake : float, default 0.12
        Share of discharges followed by a first visit in people in little need (of all about a fifth); with
        entry "any day" their chance a month.
    entry : {"discharge", "any day"}
    within : int, default 14
        Last day after discharge on which a first visit can be.
    month : float, default 0.8
        Log odds of a visit by the log of 1 + admissions in the 30 days up to the discharge (or the day).
    busy : float, default 0.6
        Log odds of a visit by the log of 1 + contacts in the last 7 days.
    rate, frailty, crises, jump, wears_off : float
        Admissions a day of a person of average need out of crisis; standard deviation of the lasting log
        rate that no record shows; crises a day; log ratio of the admission rate in a crisis; days in
        which it falls to 37%.
    deaths : float
        A day, of an average person out of crisis.
    ending, ends_in : float, default 0.0, 20.0
        Log ratio of the admission rate on the last day of life, and days over which it rises to that.
    contacts, nurses : float
        Contacts (which staff see, and which decide) and nurse visits (which decide nothing) a day.
    stay : float, default 7.0
        Mean nights of a stay.
    """

    people: int = 5100
    practices: int = 40
    first: str = "2022-04-01"
    days: int = 730
    before: int = 760
    after: int = 100
    ratio: float = 1.0
    hidden: float = 0.0
    delay: float = 2.3
    uptake: float = 0.12
    entry: Entry = "discharge"
    within: int = 14
    month: float = 0.8
    rate: float = 0.0007
    frailty: float = 0.55
    crises: float = 0.0011
    jump: float = 3.6
    wears_off: float = 25.0
    deaths: float = 0.0003
    ending: float = 0.0
    ends_in: float = 20.0
    busy: float = 0.6
    contacts: float = 0.012
    nurses: float = 0.012
    stay: float = 7.0

    def draw(self, seed: int, *, copies: int = 0, horizon: int = 90) -> HistoriesDraw:
        """The data set of a seed: the same seed, the same bytes.

        With ``copies`` the truth is worked out: each person visited lives the ``horizon`` that many times.
        """
        for_people, for_illness, for_course, for_rest, for_truth = np.random.default_rng(seed).spawn(5)
        known = self._people(for_people)
        illness = self._illness(for_people, for_illness, known)
        visits = self._visits(for_people, known)
        course = Course.of_all(illness, visits, self.stay)
        course.run(for_course, days=illness.days)
        keep = (illness.death > self.before) & (illness.left > self.before)
        if self.entry == "discharge":
            keep &= course.was_discharged(self.before, self.before + self.days)
        table, events = self._tables(for_rest, known, illness, course, keep)
        seen = np.flatnonzero(keep & (course.visited < NEVER))
        truth: dict[str, dict[str, float]] = {}
        if copies:
            truth = expected(course, seen, for_truth, copies, horizon)
        return HistoriesDraw(table=table, truth=truth, events=events, visited=len(seen))

    # -- what people are and how they fare --------------------------------------------------

    def _people(self, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
        n = self.people
        age = np.clip(np.round(rng.normal(79, 8, n)), 60, 101).astype(int)
        return {
            "Practice": rng.choice(self.practices, n, p=_unequal(rng, self.practices)),
            "Age": age,
            "Sex": np.where(rng.random(n) < 0.55, "F", "M").astype(object),
            "Deprivation fifth": rng.integers(1, 6, n),
            "Long-term conditions": rng.poisson(np.exp(0.6 + 0.012 * (age - 79))),
            "Lives alone": (rng.random(n) < 0.4).astype(int),
        }

    def _illness(
        self,
        for_people: np.random.Generator,
        rng: np.random.Generator,
        known: dict[str, NDArray[np.generic]],
    ) -> Illness:
        n, days = self.people, self.before + self.days + self.after
        need = (
            0.02 * (_numbers(known["Age"]) - 79)
            + 0.14 * (_numbers(known["Long-term conditions"]) - 2)
            + 0.1 * _numbers(known["Lives alone"])
            - 0.05 * (_numbers(known["Deprivation fifth"]) - 3)
        )
        need = need + rng.normal(0, 0.12, self.practices)[known["Practice"].astype(int)]
        lasting = for_people.normal(0, self.frailty, n)
        often = self.crises * np.exp(0.5 * (need + lasting))
        crisis = np.zeros((BURN + days, n), dtype=np.float32)
        count = rng.poisson(often * (BURN + days))
        who = np.repeat(np.arange(n), count)
        np.add.at(crisis, (rng.integers(0, BURN + days, len(who)), who), self.jump)
        kept = np.float32(np.exp(-1 / self.wears_off))
        for day in range(1, BURN + days):
            crisis[day] += kept * crisis[day - 1]
        acute = np.ascontiguousarray(crisis[BURN:])

        day_rate = (self.deaths * np.exp(0.6 * need + 0.6 * lasting)).astype(np.float32)
        clock = np.cumsum(day_rate * np.exp(0.4 * acute[self.before :]), axis=0)
        target = rng.exponential(1.0, n)
        lived = (clock < target).sum(axis=0)
        death = np.where(lived < clock.shape[0], self.before + lived, NEVER)
        if self.ending:
            ahead = np.clip(death[None, :] - np.arange(days)[:, None], 0, 400).astype(np.float32)
            acute += self.ending * np.exp(-ahead / self.ends_in)
        left = np.where(rng.random(n) < 0.04, self.before + rng.integers(1, self.days, n), NEVER)
        registered = np.where(rng.random(n) < 0.04, rng.integers(0, self.before, n), -NEVER)
        admission = np.minimum(
            self.rate * np.exp((need + lasting).astype(np.float32) + np.minimum(acute, 6.0)), 0.5
        )
        season = 1 + 0.12 * np.cos(2 * np.pi * (np.arange(days) - self._january()) / 365.25)
        touched = np.exp(np.float32(0.3) * acute + (0.35 * lasting).astype(np.float32))
        contact = rng.random((days, n), dtype=np.float32) < self.contacts * touched
        nurse = rng.random((days, n), dtype=np.float32) < self.nurses * touched
        return Illness(
            lasting=lasting,
            acute=acute,
            admission=(admission * season[:, None].astype(np.float32)).astype(np.float32),
            contact=contact,
            nurse=nurse,
            death=death.astype(np.int64),
            left=left.astype(np.int64),
            registered=registered.astype(np.int64),
        )

    def _visits(self, rng: np.random.Generator, known: dict[str, NDArray[np.generic]]) -> Visits:
        fixed = (
            0.02 * (_numbers(known["Age"]) - 79)
            + 0.12 * (_numbers(known["Long-term conditions"]) - 2)
            + 0.35 * (_numbers(known["Lives alone"]) - 0.4)
            + rng.normal(0, 0.3, self.practices)[known["Practice"].astype(int)]
        )
        return Visits(
            by_day=self._by_day(),
            fixed=fixed,
            month=self.month,
            contacts=self.busy,
            hidden=self.hidden,
            first=self.before,
            last=self.before + self.days - 1,
            since_discharge=self.entry == "discharge",
            ratio=self.ratio,
        )

    def _by_day(self) -> Array:
        """Log odds of a first visit on each day after discharge, for a person of average need."""
        if self.entry == "any day":
            return np.array([_logit(np.array(self.uptake / 30.0))])
        day = np.arange(self.within + 1)
        low, high = 1e-4, 1 - 1e-6
        for _ in range(60):
            fall = (low + high) / 2
            share = fall**day / (fall**day).sum()
            low, high = (fall, high) if (share * day).sum() < self.delay else (low, fall)
        left = 1 - self.uptake * np.concatenate([[0.0], np.cumsum(share)[:-1]])
        return _logit(self.uptake * share / left)

    def _january(self) -> int:
        """Days from the first day of the records to a mid-January."""
        start = pd.Timestamp(self.first) - pd.Timedelta(days=self.before)
        return int((pd.Timestamp(start.year + 1, 1, 15) - start).days)

    # -- what was written down --------------------------------------------------------------

    def _tables(
        self,
        rng: np.random.Generator,
        known: dict[str, NDArray[np.generic]],
        illness: Illness,
        course: Course,
        keep: NDArray[np.bool_],
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        n, days, end = self.people, illness.days, np.minimum(illness.death, illness.left)
        origin = np.datetime64(self.first) - np.timedelta64(self.before, "D")
        codes = np.array([f"P{code:05d}" for code in 10_000 + rng.permutation(n)], dtype=object)

        def written(day: Ints) -> NDArray[np.datetime64]:
            told = origin + np.clip(day, 0, days).astype("timedelta64[D]")
            return np.where((day >= 0) & (day < days), told, np.datetime64("NaT"))

        table = pd.DataFrame(
            {
                "Person": codes,
                **{name: values for name, values in known.items() if name != "Practice"},
                "Practice": np.char.add("Practice ", (known["Practice"].astype(int) + 1).astype(str)),
                "Registered": written(illness.registered),
                "Left": written(np.where(illness.left < illness.death, illness.left, NEVER)),
                "Died": written(np.where(illness.death <= illness.left, illness.death, NEVER)),
                "First visit": written(course.visited),
            }
        )
        stays = course.stays()
        dead = np.flatnonzero((illness.death < days) & (illness.death <= illness.left))
        dead = dead[course.in_hospital(dead, illness.death[dead])]
        frail = np.exp(illness.lasting)
        made = {
            DAY_CASE: np.nonzero(rng.random((days, n), dtype=np.float32) < 0.0004),
            CONTACT: np.nonzero(illness.contact),
            NURSE: np.nonzero(illness.nurse),
            INJURY: np.nonzero(rng.random((days, n), dtype=np.float32) < (0.0006 * frail)[None, :]),
            HOSPITAL_DEATH: (illness.death[dead], dead),
        }
        parts = [_rows(EMERGENCY, stays.day, stays.row, stays.end, stays.cost)]
        for kind, (day, who) in made.items():
            fee = {DAY_CASE: 900.0, INJURY: 190.0}.get(kind, 0.0)
            parts.append(_rows(kind, day, who, day if kind == DAY_CASE else None, np.full(len(day), fee)))
        rows = pd.concat(parts, ignore_index=True)
        who, day = rows["who"].to_numpy(), rows["day"].to_numpy()
        rows = rows[keep[who] & (day >= illness.registered[who]) & (day <= end[who]) & (day < days)]
        who, day = rows["who"].to_numpy(), rows["day"].to_numpy()
        last_days = (illness.death[who] - day <= 30) & (illness.death[who] < NEVER)
        events = pd.DataFrame(
            {
                "Person": codes[who],
                "Date": origin + day.astype("timedelta64[D]"),
                "Kind": rows["kind"].to_numpy(),
                "Discharged": written(np.where(rows["end"].to_numpy() < 0, NEVER, rows["end"].to_numpy())),
                "Cost": np.round(rows["cost"].to_numpy(), 2),
                "Last 30 days": np.round(rows["cost"].to_numpy() * last_days, 2),
            }
        ).sort_values(["Date", "Person", "Kind"], kind="stable", ignore_index=True)
        table = table[keep].sort_values("Person", ignore_index=True)
        return table, events


def _rows(kind: str, day: Ints, who: Ints, end: Ints | None, cost: Array) -> pd.DataFrame:
    over = np.full(len(day), -1) if end is None else end
    return pd.DataFrame({"kind": kind, "day": day, "who": who, "end": over, "cost": cost})


def _unequal(rng: np.random.Generator, places: int) -> Array:
    size = rng.gamma(6.0, 1.0, places)
    return np.asarray(size / size.sum())


def _numbers(values: NDArray[np.generic]) -> Array:
    return values.astype(float)


def _logit(share: Array) -> Array:
    return np.asarray(np.log(share / (1 - share)))
