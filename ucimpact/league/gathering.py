"""Find the evaluations of a league: those that were written, and studies to be evaluated on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ucimpact.errors import UsageError
from ucimpact.league.pilot import Entry
from ucimpact.study.league import League, PilotEntry

Evaluated = Callable[[Path], Mapping[str, Any]]
"""From a study file to its evaluation as it may leave the building."""

EVALUATION, STUDY, LEAGUE = "evaluation.json", "study.toml", "league.toml"
KNOWN = f"an {EVALUATION} or its folder, or a {STUDY} or its folder"


def is_league(path: Path) -> bool:
    """Whether a path names a league file, or a folder with one and no evaluation or study of its own."""
    if path.is_dir():
        return (path / LEAGUE).is_file() and not any((path / name).is_file() for name in (EVALUATION, STUDY))
    return path.suffix == ".toml" and path.name != STUDY


def gather(paths: Sequence[Path], evaluated: Evaluated) -> list[Entry]:
    """Return the entries of pilots named one by one.

    Raises
    ------
    UsageError
        Naming every path at which there is no evaluation and no study.
    """
    return _entries([(path, str(path), None) for path in paths], evaluated)


def gather_declared(league: League, evaluated: Evaluated) -> list[Entry]:
    """Return the entries of a league file.

    Raises
    ------
    UsageError
        Naming every path at which there is no evaluation and no study.
    """
    named = []
    for pilot in league.pilots:
        told = pilot.study if pilot.study is not None else pilot.evaluation
        assert told is not None
        named.append((league.folder / told, told, pilot))
    return _entries(named, evaluated)


def _entries(named: Sequence[tuple[Path, str, PilotEntry | None]], evaluated: Evaluated) -> list[Entry]:
    found = [(_found(path, pilot), told, pilot) for path, told, pilot in named]
    missing = [
        told if pilot is None else f"{told} ([[pilot]] number {at} of the league file)"
        for at, (file, told, pilot) in enumerate(found, start=1)
        if file is None
    ]
    if missing:
        listed = "\n".join(f"  {told}" for told in missing)
        raise UsageError(f"no evaluation and no study is at\n{listed}\nName {KNOWN}")
    entries = []
    for file, told, pilot in found:
        assert file is not None
        document = evaluated(file) if file.suffix == ".toml" else _read(file)
        given = {} if pilot is None else {
            name: getattr(pilot, name) for name in ("name", "place", "at_least", "at_most", "price")
        }  # fmt: skip
        entries.append(Entry(document=document, source=told, **given))
    return entries


def _found(path: Path, pilot: PilotEntry | None) -> Path | None:
    """The file that a path stands for; None where there is none."""
    wanted: tuple[str, ...] = (EVALUATION, STUDY)
    if pilot is not None:
        wanted = (STUDY,) if pilot.study is not None else (EVALUATION,)
    if path.is_dir():
        return next((path / name for name in wanted if (path / name).is_file()), None)
    suffixes = {EVALUATION: ".json", STUDY: ".toml"}
    return path if path.is_file() and path.suffix in {suffixes[name] for name in wanted} else None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        document = None
    if not isinstance(document, dict):
        raise UsageError(f"{path} is not a document that ucimpact wrote. Name {KNOWN}")
    return document
