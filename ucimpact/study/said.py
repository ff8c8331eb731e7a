"""How a problem in a study file is told: its line, its key, what was found, and the way out."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact.study.lines import Path as KeyPath
from ucimpact.study.lines import line_numbers, line_of

VALUE_LENGTH = 60
EXAMPLES = {
    "title": '"Acute visiting service, Eastvale"',
    "question": '"Did the service reduce emergency admissions of people aged 65 or over?"',
    "pilot": '"Same-day home visits, on request of the GP"',
    "population": '"Registered patients aged 65+ of 40 practices"',
    "comparator": '"28 practices in the same county without the service"',
    "by": '"Eastvale integrated care team", who is answerable for this report',
    "kind": '"panel" (one row a place and period) or "series" (one row a period)',
    "period": '"month", the column of periods',
    "start": '"joined", the column of first pilot periods; for a series the first pilot period itself',
    "column": '"emergency_admissions"',
    "label": '"Emergency admissions"',
    "name": '"did"',
    "format": '"%d/%m/%Y"',
    "date": "2022-04-01",
    "what": '"A new front door opened"',
    "price_year": '"2024/25"',
    "base": "38, what is expected without the pilot",
}


@dataclass(frozen=True)
class Said:
    """Something wrong at a key of the file."""

    path: KeyPath
    text: str


def message(name: str, problems: Iterable[Said], text: str) -> str:
    """All problems of a study file, each once, in the order of its lines."""
    lines = line_numbers(text)
    told = sorted({(line_of(said.path, lines), _where(said.path), said.text) for said in problems})
    head = f"{len(told)} problem{'s' if len(told) != 1 else ''} in {name}"
    return "\n".join([head, *(f"  line {line}, {where}: {what}" for line, where, what in told)])


def _where(path: KeyPath) -> str:
    """A path as a reader sees it: ``[data] `window` ``, ``[[outcome]] number 2 `kind` ``."""
    if not path:
        return "the file"
    if len(path) > 1 and isinstance(path[1], int):
        table, rest = f"[[{path[0]}]] number {path[1] + 1}", path[2:]
    elif len(path) > 1:
        table, rest = f"[{path[0]}]", path[1:]
    else:
        table, rest = "", path
    key = ".".join(str(part) for part in rest if not isinstance(part, int))
    return " ".join(part for part in (table, f"`{key}`" if key else "") if part)


def no_such(what: str, name: str, known: Sequence[str]) -> str:
    """That a name does not exist, with the nearest that does, or all of them."""
    listed = ", ".join(known)
    return f"there is no such {what}{near(name, known) or f'. There are: {listed}'}"


def near(word: str, known: Sequence[str]) -> str:
    """The nearest name that exists, as a question; empty where none is near."""
    close = difflib.get_close_matches(word.lower(), known, 1, 0.6)
    return f". Did you mean `{close[0]}`?" if close else ""


def shown(value: Any) -> str:
    """A value as it could stand in the file."""
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= VALUE_LENGTH else f"{text[: VALUE_LENGTH - 3]}..."
