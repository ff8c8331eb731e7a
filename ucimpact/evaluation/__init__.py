"""Study in, Evaluation out: the only orchestrator.

It reads the records, fits the declared method on every outcome, repeats it as declared for sensitivity,
asks the checks, grades the certainty, values the effect, and puts the answer into words. The result is
one document of plain values; the report is written from it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.data.cohort import Cohort
from ucimpact.data.histories import Histories
from ucimpact.economics.valuation import value_problems
from ucimpact.errors import UsageError
from ucimpact.evaluation.document import Analysis, Evaluation, Progress, level_problem
from ucimpact.evaluation.people import PeopleWork
from ucimpact.evaluation.places import PlacesWork
from ucimpact.evaluation.prepared import Prepared, prepare
from ucimpact.evaluation.trials import TrialsWork
from ucimpact.methods.building import Problems, problems
from ucimpact.study import Records, Study, read_records

__all__ = ["Analysis", "Evaluation", "Prepared", "evaluate", "judge", "prepare", "refuse_values"]


def evaluate(study: Study, *, records: Records | None = None, progress: Progress | None = None) -> Evaluation:
    """Answer the study's question.

    Parameters
    ----------
    study : Study
        From :func:`ucimpact.study.read_study`.
    records : Records, optional
        The study's data, if they have been read already.
    progress : callable, optional
        Told what is being done, how many steps are done, and of how many.

    Raises
    ------
    DataError, DesignError, UsageError
        Listing what is wrong with data, design or study file, each with the way out.
    """
    refuse_values(study)
    records, progress = records or read_records(study), progress or (lambda *_: None)
    if isinstance(records.data, Histories):
        return TrialsWork(study, records, progress).evaluation()
    if isinstance(records.data, Cohort):
        return PeopleWork(study, records, progress).evaluation()
    work = PlacesWork(study, records, progress)
    return work.evaluation()


def refuse_values(study: Study) -> None:
    """Refuse a study whose values cannot be priced, before anything is worked out.

    Raises
    ------
    UsageError
        Listing each with the way out.
    """
    found = value_problems(study)
    if found:
        many = "1 value" if len(found) == 1 else f"{len(found)} values"
        raise UsageError("\n".join([f"{many} cannot be priced", *(f"  {text}" for text in found)]))


def judge(name: str, options: Mapping[str, Any], kind: str | None = None) -> Problems:
    """What is wrong with a method as a study file sets it up, for :func:`ucimpact.study.read_study`."""
    found = problems(name, options, kind)
    told = level_problem(options)
    return found if not told or "level" in dict(found) else [*found, ("level", told)]
