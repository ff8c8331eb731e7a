"""What a section of the page is: a heading that asks, an answer, and the parts that a component shows."""

from __future__ import annotations

from dataclasses import dataclass

from ucimpact.report.figures import Figure
from ucimpact.report.intervals import Rows
from ucimpact.report.method import Facts
from ucimpact.report.tables import Table


@dataclass(frozen=True, kw_only=True)
class Note:
    """A note in the margin: paragraphs with a bold head, then single figures."""

    name: str
    paragraphs: tuple[tuple[str, str], ...]
    facts: Facts = ()


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """A question with its answer in a word and a shape."""

    answer: str
    word: str
    question: str
    text: str
    table: Table | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A line of the flow: in, out or end."""

    kind: str
    n: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A question with its answer; ``kind`` names the component that shows it, what it lacks is empty."""

    ident: str
    heading: str
    kind: str
    bold: str = ""
    text: tuple[str, ...] = ()
    figure: Figure | None = None
    note: Note | None = None
    rows: Rows | None = None
    items: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    checks: tuple[CheckRow, ...] = ()
    flow: tuple[Step, ...] = ()
    facts: Facts = ()
    tables: tuple[Table, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    spec: str = ""
    hash: str = ""
    closing: str = ""
