"""Read the file that names the pilots of a league, and what a league that was written says of a pilot.

A league file is TOML, checked as a study file is: each problem has its line, the key, what was found and
the way out, and all of them are told at once. Its ``[[pilot]]`` entries name evaluations that were made, or
studies to be evaluated on the way.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ucimpact.errors import UsageError
from ucimpact.study.league import SCHEMA, About, League, PilotEntry
from ucimpact.study.said import Said, message, no_such, shown
from ucimpact.study.toml import declared


def read_league(path: str | Path) -> League:
    """Read a league file, or the folder that holds it as ``league.toml``.

    Raises
    ------
    UsageError
        Listing every problem with its line.
    """
    path = Path(path)
    path = path / "league.toml" if path.is_dir() else path
    if not path.is_file():
        raise UsageError(f"there is no league file {path}. Name one, or two evaluations or more")
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        raw = tomllib.loads(text)
    except UnicodeDecodeError:
        raise UsageError(f"{path.name} is not UTF-8 text. Save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        way_out = 'Text stands in quotation marks ("..."), lists in [ ], and each key once'
        raise UsageError(f"{path.name} cannot be read as TOML: {error}. {way_out}") from None
    known = ["schema", "league", "pilot"]
    problems = [Said((name,), no_such("table or key", name, known)) for name in raw if name not in known]
    if raw.get("schema") != SCHEMA or isinstance(raw.get("schema"), bool):
        found = f", found {shown(raw['schema'])}" if "schema" in raw else ""
        problems.append(
            Said(("schema",) if found else (), f"write schema = {SCHEMA} in the first line{found}")
        )
    about = None
    if "league" in raw:
        about = declared(About, raw["league"], ("league",), problems)
    else:
        problems.append(Said((), "the table [league] is missing. Add it, with title, question and by"))
    entries = raw.get("pilot", [])
    if not isinstance(entries, list):
        problems.append(Said(("pilot",), "write [[pilot]] with two brackets: there are more than one"))
        entries = []
    made = [declared(PilotEntry, entry, ("pilot", at), problems) for at, entry in enumerate(entries)]
    pilots = [pilot for pilot in made if pilot is not None]
    for at, pilot in enumerate(made):
        problems += [] if pilot is None else [Said(("pilot", at, *key), told) for key, told in _wrong(pilot)]
    if len(entries) < 2:
        problems.append(Said((), "a league needs two pilots or more. Add a [[pilot]] for each"))
    if problems:
        raise UsageError(message(path.name, problems, text))
    return League(about=about, pilots=tuple(pilots), folder=path.resolve().parent, text=text)


def _wrong(pilot: PilotEntry) -> list[tuple[tuple[str, ...], str]]:
    """What one key of a pilot demands of another."""
    found: list[tuple[tuple[str, ...], str]] = []
    if (pilot.study is None) == (pilot.evaluation is None):
        found.append(
            ((), 'give one of study = "folder/study.toml" and evaluation = "out/evaluation.json", not both')
        )
    low = 1.0 if pilot.at_least is None else pilot.at_least
    high = 1.0 if pilot.at_most is None else pilot.at_most
    if low > high:
        found.append((("at_least",), f"at_least = {low:g} is above at_most = {high:g}. Put them in order"))
    return found


def league_line(path: Path, study_hash: str, name: str | None) -> str:
    """What a written league says of a pilot, found by the hash of its study or by its name.

    Raises
    ------
    UsageError
        Where there is no such file, it is no league, or the pilot does not stand in it.
    """
    way_out = "Run ucimpact compare first, or take `result` out of [league]"
    if not path.is_file():
        raise UsageError(f"there is no league file {path.name} at [league] result. {way_out}")
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        document = None
    if not isinstance(document, Mapping) or document.get("kind") != "league":
        raise UsageError(f"{path.name} is not the league.json that ucimpact compare writes. {way_out}")
    pilots = [*document.get("pilots", ()), *document.get("left_out", ())]
    found = next((row for row in pilots if row.get("hash") == study_hash), None)
    found = found or next((row for row in pilots if name is not None and row.get("name") == name), None)
    if found is None:
        raise UsageError(f"the pilot does not stand in {path.name}. {way_out}")
    return str(found.get("line") or found.get("why") or "")
