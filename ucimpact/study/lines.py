"""On which line of a TOML text each table and key stands, so that a message can say so."""

from __future__ import annotations

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]

_PART = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_HEADER = re.compile(rf"^(\[\[?)\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]\]?")
_KEY = re.compile(rf"^({_PART}(?:\s*\.\s*{_PART})*)\s*=")


def line_numbers(text: str) -> dict[Path, int]:
    """The line of each table, array entry and key.

    ``("outcome", 1, "label")`` is a key of the second ``[[outcome]]``. Keys within an inline table or
    an array are not followed: look them up with :func:`line_of`.
    """
    found: dict[Path, int] = {(): 1}
    entries: dict[Path, int] = {}
    table: Path = ()
    open_value = _Value()
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        if open_value.goes_on:
            open_value.read(line)
        elif header := _HEADER.match(bare):
            table = _located(_parts(header[2]), entries, new=header[1] == "[[")
            found.setdefault(table, number)
        elif key := _KEY.match(bare):
            found.setdefault((*table, *_parts(key[1])), number)
            open_value.read(bare[key.end() :])
    return found


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of a path, or of the nearest table that holds it."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _located(parts: Path, entries: dict[Path, int], *, new: bool) -> Path:
    """The path of a header, with the number of the array entry it lies in."""
    path: Path = ()
    for at, part in enumerate(parts):
        path = (*path, part)
        if new and at == len(parts) - 1:
            entries[path] = entries.get(path, -1) + 1
        if path in entries:
            path = (*path, entries[path])
    return path


class _Value:
    """Whether a value goes on to the next line: an open bracket or a triple quote."""

    def __init__(self) -> None:
        self.depth = 0
        self.quote = ""

    @property
    def goes_on(self) -> bool:
        return self.depth > 0 or len(self.quote) == 3

    def read(self, text: str) -> None:
        at = 0
        while at < len(text):
            rest = text[at:]
            if self.quote:
                if self.quote[0] == '"' and rest[0] == "\\":
                    at += 2
                    continue
                if rest.startswith(self.quote):
                    at += len(self.quote)
                    self.quote = ""
                    continue
            elif rest[0] in "\"'":
                self.quote = rest[:3] if rest[:3] == rest[0] * 3 else rest[0]
                at += len(self.quote)
                continue
            elif rest[0] == "#":
                break
            else:
                self.depth += (rest[0] in "[{") - (rest[0] in "]}")
            at += 1
        if len(self.quote) == 1:
            self.quote = ""
