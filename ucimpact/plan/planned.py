"""A plan as a provider reads it, and how it is set out on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact.finding import mid_sentence
from ucimpact.study import Outcome

WIDTH = 100
COLUMN = 17
"""Characters at which a heading is broken."""

FOUND = "Found means that the likely range would leave out no change."
CHANCE_ONLY = (
    "This counts chance only. People picked at their worst get better anyway, and so do places picked "
    "for a bad spell; no number of either mends that, only a fair comparison does."
)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The smallest change found four times in five, in per cent, as lines over one size of the study.

    Attributes
    ----------
    ident, title : str
        For the page.
    axis : str
        What lies along it: "Months after the start".
    at : tuple of int
        The sizes, rising.
    lines : tuple
        A name ("3 practices") and a value for each of ``at``, None where no change is found.
    own : int or None
        Which line is the study's own.
    worthwhile : float, optional
        The change worth having, in per cent.
    noun : str
        "fall" or "rise".
    """

    ident: str
    title: str
    axis: str
    at: tuple[int, ...]
    lines: tuple[tuple[str, tuple[float | None, ...]], ...]
    own: int | None
    worthwhile: float | None
    noun: str


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A second table, with nothing but text in it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan as a provider reads it.

    Attributes
    ----------
    title : str
    taken : tuple of str
        What was taken for granted.
    caption : str
    head : tuple of str
    rows : tuple of tuple of str
    key : str
        What a mark in the table means.
    answer : str
        The one sentence.
    notes : tuple of str
    records : tuple of dict
        The table as numbers, one row a size; empty where the table is all there is.
    curves : tuple of Curve
    beside : Beside or None
        A table of what other sizes take.
    """

    title: str
    taken: tuple[str, ...]
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    key: str
    answer: str
    notes: tuple[str, ...]
    records: tuple[dict[str, Any], ...] = ()
    curves: tuple[Curve, ...] = ()
    beside: Beside | None = None

    def text(self) -> str:
        """For a terminal."""
        parts = [
            self.title,
            "\n".join(_wrapped(line) for line in self.taken),
            f"{self.caption}\n\n{_aligned(self.head, self.rows)}",
            self.key,
            _wrapped(self.answer),
            f"{self.beside.caption}\n\n{_aligned(self.beside.head, self.beside.rows)}" if self.beside else "",
            "\n".join(_wrapped(line) for line in self.notes),
        ]
        return "\n\n".join(part for part in parts if part)


def caption_of(outcome: Outcome, noun: str) -> str:
    return f"The smallest {noun} in {mid_sentence(outcome.label)} that would be found four times in five"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns set to the right under headings that are broken over lines."""
    heads = [textwrap.wrap(name, COLUMN) or [""] for name in head]
    depth = max(map(len, heads))
    lines = [
        [column[k - depth + len(column)] if k >= depth - len(column) else "" for column in heads]
        for k in range(depth)
    ]
    wide = [max(len(line[c]) for line in [*lines, *rows]) for c in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, wide, strict=True)).rstrip()
        for line in [*lines, *rows]
    )
