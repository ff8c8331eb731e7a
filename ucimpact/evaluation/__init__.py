"""Study in, Evaluation out: the only orchestrator.

It reads the records, fits the declared method on every outcome, repeats it as declared for sensitivity,
asks the checks, grades the certainty, values the effect, and puts the answer into words. The result is
one document of plain values; the report is written from it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ucimpact.data.cohort import Cohort
from ucimpact.data.histories import Histories
from ucimpact.economics.valuation import value_problems
from ucimpact.errors import UsageError
from ucimpact.evaluation.beside import refuse_beside
from ucimpact.evaluation.document import Analysis, Evaluation, Progress, level_problem
from ucimpact.evaluation.people import PeopleWork
from ucimpact.evaluation.places import PlacesWork
from ucimpact.evaluation.prepared import Prepared, prepare
from ucimpact.evaluation.trials import TrialsWork
from ucimpact.evaluation.triangulation import Others
from ucimpact.methods.building import Problems, problems
from ucimpact.study import Records, Study, read_records, read_study

__all__ = [
    "Analysis",
    "Evaluation",
    "Prepared",
    "evaluate",
    "judge",
    "prepare",
    "refuse_others",
    "refuse_values",
]


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
    refuse_others(study)
    records, progress = records or read_records(study), progress or (lambda *_: None)
    return _work(study, records, progress, Others(from_file=_other, of_records=_alone)).evaluation()


def _work(
    study: Study, records: Records, progress: Progress, others: Others | None
) -> PlacesWork | PeopleWork:
    """The work that these records ask for."""
    if isinstance(records.data, Histories):
        return TrialsWork(study, records, progress, others)
    if isinstance(records.data, Cohort):
        return PeopleWork(study, records, progress, others)
    return PlacesWork(study, records, progress, others)


def _alone(study: Study, records: Records) -> Evaluation:
    """A study that stands beside another: it names no further ones itself."""
    return _work(study, records, lambda *_: None, None).evaluation()


def _other(path: Path) -> tuple[Study, Evaluation]:
    """The study of a file, and its evaluation beside another."""
    study = replace(read_study(path, judge=judge), curve=None, triangulation=())
    refuse_values(study)
    return study, _alone(study, read_records(study))


def refuse_others(study: Study) -> None:
    """Refuse a study that names other studies, or a league, which are not there or cannot be used.

    Raises
    ------
    UsageError
        Listing each with its line and the way out.
    """
    refuse_beside(study, lambda path: read_study(path, judge=judge))


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
