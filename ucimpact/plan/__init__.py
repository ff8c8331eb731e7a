"""Before a pilot: how many people or places it takes, for how long, and the smallest change to be found.

For people, and for places of which there is no file yet, everything follows from what the study file
declares in ``[plan]`` and ``worthwhile``, by the arithmetic of :mod:`ucimpact.inference.power`, which the
report of the finished evaluation uses too. Where the file of places is there, the plan is drawn from
their own past (:mod:`ucimpact.plan.drawn`). A plan for one series draws series that vary as declared, or as
its file shows (:mod:`ucimpact.plan.series`).
"""

from __future__ import annotations

from dataclasses import replace

from ucimpact.errors import UsageError
from ucimpact.plan.drawn import DRAWS, Progress, drawn, quiet
from ucimpact.plan.page import write
from ucimpact.plan.past import TooShort, past_of
from ucimpact.plan.people import people
from ucimpact.plan.places import places
from ucimpact.plan.planned import Planned
from ucimpact.plan.series import DRAWS as SERIES_DRAWS
from ucimpact.plan.series import series
from ucimpact.study import Study
from ucimpact.study.starting import PLAN

__all__ = ["Planned", "make", "write"]

OR_FILE = (
    "Put the file of places where [data] names it, with a year of figures or two from before the pilot and "
    "every start empty: then nothing has to be guessed. Or add, with your own numbers:"
)


def make(study: Study, *, draws: int | None = None, progress: Progress = quiet) -> Planned:
    """The plan of a study of people, places or one series.

    Parameters
    ----------
    study : Study
    draws : int, optional
        Where a plan is drawn: from a file of places 2,000 if left out, for one series 1,000 a length.
    progress : callable, optional
        Told what is done, how many steps of it, and of how many.

    Raises
    ------
    UsageError
        Where the study file does not say what to expect.
    DataError
        For what is wrong in the file of places, or of the series, before the pilot.
    DesignError
        For fewer comparison places than any range needs, or a series too short for the method.
    """
    kind, agreed = study.data.kind, study.primary.worthwhile
    if agreed is not None and agreed.form == "break-even":
        raise UsageError(
            f'worthwhile of {study.primary.label}: "break-even" is a number of events once the pilot has '
            "run. For a plan agree a share, such as worthwhile = -0.05"
        )
    if kind == "series":
        return series(study, draws=SERIES_DRAWS if draws is None else draws, progress=progress)
    if kind == "panel" and (found := _from_file(study, draws or DRAWS, progress)) is not None:
        return found
    if study.plan is None or study.plan.base is None:
        way_out = OR_FILE if kind == "panel" else "Add, with your own numbers:"
        raise UsageError(
            f"the study file does not say what to expect. {way_out}\n\n{PLAN[kind]}\nThen plan again."
        )
    return people(study, study.plan) if kind == "cohort" else places(study, study.plan)


def _from_file(study: Study, draws: int, progress: Progress) -> Planned | None:
    """The plan from the places' own past; None where there is no file to draw from."""
    try:
        past = past_of(study)
    except TooShort as short:
        if study.plan is None or study.plan.base is None:
            raise
        found = places(study, study.plan)
        return replace(found, taken=(f"{short}. Until then [plan] is used.", *found.taken))
    return None if past is None else drawn(study, past, draws=draws, progress=progress)
