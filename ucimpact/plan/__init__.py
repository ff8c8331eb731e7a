"""Before a pilot: how many people or places it takes, for how long, and the smallest change to be found.

For people, and for places of which there is no file yet, everything follows from what the study file
declares in ``[plan]`` and ``worthwhile``, by the arithmetic of :mod:`ucimpact.inference.power`, which the
report of the finished evaluation uses too. Where the file of places is there, the plan is drawn from
their own past (:mod:`ucimpact.plan.drawn`).
"""

from __future__ import annotations

from ucimpact.errors import UsageError
from ucimpact.plan.people import people
from ucimpact.plan.places import places
from ucimpact.plan.planned import Planned
from ucimpact.study import Study
from ucimpact.study.starting import PLAN

__all__ = ["Planned", "make"]


def make(study: Study) -> Planned:
    """The plan of a study that compares people or places.

    Raises
    ------
    UsageError
        For one series, or where the study file does not say what to expect.
    DesignError
        For fewer comparison places than any range needs.
    """
    kind = study.data.kind
    if kind == "series":
        raise UsageError(
            "a plan for one series is not in this version. If other places can be counted beside yours, "
            'declare kind = "panel"; if not, collect 24 months or more before the start'
        )
    if study.plan is None:
        raise UsageError(
            "the study file does not say what to expect. Add, with your own numbers:\n\n"
            f"{PLAN[kind]}\nThen plan again."
        )
    return people(study, study.plan) if kind == "cohort" else places(study, study.plan)
