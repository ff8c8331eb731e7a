r"""What people visited have with and without the visit, by living the days after it many times over.

Over :math:`K` copies of each person visited, with the same illness, death and luck in both arms,

.. math:: \rho = \frac{\sum_i \sum_k y^1_{ik}}{\sum_i \sum_k y^0_{ik}}

for what is counted. Days at risk are the same in both arms, since the visit changes neither death nor
leaving, so this is the ratio of rates too. A yes or no is a share of the people whose whole window is seen,
or ended by death: the same people in both arms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ucimpact.data.simulate_courses import NEVER, Course, Question

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MONTH = 30
ADMISSIONS, READMITTED, BED_DAYS, COST, PLACE, LAST_COST = (
    "Emergency admissions",
    "Admitted within 30 days",
    "Emergency bed days",
    "Cost of emergency stays",
    "Died in hospital",
    "Cost in the last 30 days of life",
)
COUNTED = (ADMISSIONS, BED_DAYS)
"""Told over days at risk; the others a person."""
YES_OR_NO = (READMITTED, PLACE)
"""Told of the people whose whole window is seen."""


def expected(
    course: Course, people: Ints, rng: np.random.Generator, copies: int, horizon: int
) -> dict[str, dict[str, float]]:
    """What was planted.

    By outcome, against usual care: ``att`` a person (of what is counted, over ``horizon`` days at risk),
    ``per_100``, ``cumulative`` and ``relative``. ``ratios`` of admissions by question. ``people``: how many,
    and how many times the horizon they were followed. ``before_after`` of admissions: in as many days
    up to the visit, expected after without and with it, and the share of the fall that comes by itself.
    """
    seed, ill = rng.integers(2**63), course.illness
    asked: list[Question] = ["usual-care", "never"]
    if course.visits.since_discharge:
        asked.insert(1, "this-stay")

    def lived(question: Question | None) -> dict[str, float]:
        again = course.again(people, copies, question, horizon)
        again.run(np.random.default_rng(seed), horizon)
        return {name: values / copies for name, values in _had(again, horizon).items()}

    with_it = lived(None)
    without = {question: lived(question) for question in asked}
    end = np.minimum(np.minimum(ill.death, ill.left)[people], ill.days - 1)
    followed = np.minimum(end - course.visited[people], horizon).sum() / horizon
    truth: dict[str, dict[str, float]] = {}
    for name, served in with_it.items():
        plain = without["usual-care"][name]
        over = float(followed) if name in COUNTED else float(len(people))
        if name in YES_OR_NO:
            days = MONTH if name == READMITTED else horizon
            over = float(_whole(course, people, course.visited[people], days).sum())
        truth[name] = {
            "att": (served - plain) / over,
            "per_100": 100 * (served - plain) / over,
            "cumulative": served - plain,
            "relative": served / plain - 1 if plain else 0.0,
        }
    truth["ratios"] = {question: with_it[ADMISSIONS] / had[ADMISSIONS] for question, had in without.items()}
    truth["people"] = {"visited": float(len(people)), "followed": float(followed)}
    plain, served = (had[ADMISSIONS] / followed for had in (without["usual-care"], with_it))
    before = _before(course, people, horizon) / len(people)
    truth["before_after"] = {
        "before": before,
        "expected_after_without": float(plain),
        "expected_after_with": float(served),
        "share_of_fall_without_service": float((before - plain) / (before - served)),
    }
    return truth


def _whole(course: Course, people: Ints, visited: Ints, days: int) -> NDArray[np.bool_]:
    """Whether so many days from a visit are seen of each of those people, or ended by death."""
    until, left, death = visited + days, course.illness.left[people], course.illness.death[people]
    return np.asarray((until < course.illness.days) & ((left >= until) | (death <= left)))


def _before(course: Course, people: Ints, horizon: int) -> int:
    """Admissions of those people in the days up to their first visit."""
    stays = course.stays()
    since = course.visited[stays.row] - stays.day
    return int((np.isin(stays.row, people) & (since >= 0) & (since < horizon)).sum())


def _had(course: Course, horizon: int) -> dict[str, float]:
    """Sums over all rows of a course that has been lived."""
    stays, start = course.stays(), course.day - 1
    death = course.illness.death[course.person]
    final = np.minimum(start + horizon, course.illness.days - 1)
    nights = np.minimum(stays.end, final[stays.row]) - stays.day
    whole, of_month = (_whole(course, course.person, start, days) for days in (horizon, MONTH))
    month = stays.row[(stays.day - start[stays.row] <= MONTH) & of_month[stays.row]]
    dies = np.flatnonzero((death <= final) & (death < NEVER) & whole)
    last = (death[stays.row] - stays.day <= MONTH) & (death[stays.row] <= final[stays.row])
    return {
        ADMISSIONS: float(len(stays.row)),
        READMITTED: float(len(np.unique(month))),
        BED_DAYS: float(nights.sum()),
        COST: float(stays.cost.sum()),
        PLACE: float(course.in_hospital(dies, death[dies]).sum()),
        LAST_COST: float(stays.cost[last].sum()),
    }
