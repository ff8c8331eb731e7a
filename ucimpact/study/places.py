"""Where a study's files lie: beside the study file, in the folders it names, or with shared data.

A study reads its own folder and the folders in ``[data] folders``, and no other. ``{shared}`` in a
path or in SQL stands for a folder of data that several studies share: the one that ``UCIMPACT_SHARED``
names, else the folder ``shared`` beside the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

from ucimpact.data.reading import SUFFIXES
from ucimpact.errors import UsageError
from ucimpact.study.declare import Data

SHARED = "{shared}"


def shared_folder() -> Path:
    """The folder that ``{shared}`` stands for.

    Raises
    ------
    UsageError
        Where there is none, with the way out.
    """
    named = os.environ.get("UCIMPACT_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared"
    if not folder.is_dir():
        where = f"UCIMPACT_SHARED names {folder}" if named else "UCIMPACT_SHARED is not set"
        raise UsageError(f"the folder of shared data is not there ({where}): set UCIMPACT_SHARED to it")
    return folder.resolve()


def filled(sql: str) -> str:
    """SQL with ``{shared}`` filled in."""
    return sql.replace(SHARED, shared_folder().as_posix().replace("'", "''")) if SHARED in sql else sql


def path_of(name: str, folder: Path) -> Path:
    """The file or folder that a study names, seen from the study's folder."""
    if SHARED in name:
        name = name.replace(SHARED, shared_folder().as_posix())
    try:
        path = (folder / name).resolve()
        path.exists()
    except (OSError, ValueError):
        raise UsageError("this cannot be the name of a file or folder. Correct it") from None
    return path


def folders_of(data: Data, folder: Path) -> list[Path]:
    """The other folders a study may read."""
    return [path_of(name, folder) for name in data.folders]


def file_problems(data: Data, folder: Path) -> list[tuple[str, str]]:
    """What is wrong with the files and folders that ``[data]`` names, each with its key."""
    problems: list[tuple[str, str]] = []
    folders = [folder.resolve()]
    for name in data.folders:
        try:
            path = path_of(name, folder)
        except UsageError as error:
            problems.append(("folders", str(error)))
            continue
        if path.is_dir():
            folders.append(path)
        else:
            problems.append(("folders", f'there is no folder "{name}", seen from {folder}'))
    for key, suffixes in (("source", SUFFIXES), ("sql", (".sql",))):
        name = getattr(data, key)
        if name is None:
            continue
        try:
            path = path_of(name, folder)
        except UsageError as error:
            problems.append((key, str(error)))
            continue
        if path.suffix.lower() not in suffixes:
            problems.append((key, f'"{name}" is not a {" or ".join(suffixes)} file. Save it as one'))
        elif not any(path.is_relative_to(known) for known in folders):
            problems.append((key, f'"{name}" lies outside the study\'s folder. Add its folder to folders'))
        elif not path.is_file():
            problems.append((key, _no_file(name, path, suffixes)))
    return problems


def _no_file(name: str, path: Path, suffixes: tuple[str, ...]) -> str:
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    there = sorted(p.name for p in beside if p.suffix.lower() in suffixes)
    listed = f"There {'is' if len(there) == 1 else 'are'} {', '.join(there[:8])}" if there else "Put it there"
    return f'there is no file "{name}" in {path.parent}. {listed}'
