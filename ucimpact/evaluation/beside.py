"""The files that a study names beside its own records: other studies, and a league that was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ucimpact.errors import UsageError
from ucimpact.evaluation.comparable import line_of
from ucimpact.evaluation.triangulation import study_path
from ucimpact.study import Study
from ucimpact.study.said import Said, message


def refuse_beside(study: Study, read: Callable[[Path], Study]) -> None:
    """Refuse a study that names files which are not there or cannot be used, before anything is worked out.

    Parameters
    ----------
    study : Study
    read : callable
        Reads the study file at a path, with its data.

    Raises
    ------
    UsageError
        Listing each with its line and the way out.
    """
    problems = []
    for at, entry in enumerate(study.triangulation):
        if entry.study is not None and (wrong := _unread(study, entry.study, read)):
            problems.append(Said(("triangulation", at, "study"), wrong))
    try:
        line_of(study)
    except UsageError as error:
        problems.append(Said(("league", "result"), str(error)))
    if problems:
        raise UsageError(message(study.file or "the study", problems, study.text))


def _unread(study: Study, named: str, read: Callable[[Path], Study]) -> str:
    """Why another study cannot be set beside this one; empty where it can be read."""
    try:
        path = study_path(study, named)
        if not path.is_file():
            return (
                f'there is no study file at "{named}". Name one, seen from the folder of this file, or take '
                "the table out"
            )
        read(path)
    except UsageError as error:
        return " ".join(str(error).split())
    return ""
