"""Tables of finished strings, and the same numbers as a file behind a ``data:`` link."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet runs a text cell that begins with one of these."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text. The first cell of a row is its heading; ``numeric`` says which columns are numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file that the page carries within itself."""

    name: str
    href: str
    text: str


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int]) -> Table:
    """A table; ``numeric`` lists the places of columns of numbers."""
    return Table(
        caption=caption,
        head=tuple(head),
        rows=tuple(tuple(row) for row in rows),
        numeric=tuple(k in numeric for k in range(len(head))),
    )


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV. Text that a spreadsheet would run as a formula is given a leading apostrophe."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_cell(name) for name in names])
    writer.writerows([[_cell(row.get(name)) for name in names] for row in rows])
    return out.getvalue()


def download(name: str, rows: Sequence[Mapping[str, Any]]) -> Download:
    """The rows as a CSV file in a link that asks no network; floats to six figures."""
    short = [
        {key: float(f"{v:.6g}") if isinstance(v, float) else v for key, v in row.items()} for row in rows
    ]
    content = csv_text(short).encode()
    kilobytes = max(1, round(len(content) / 1024))
    return Download(
        name=f"{slug(name)}.csv",
        href=f"data:text/csv;charset=utf-8;base64,{base64.b64encode(content).decode()}",
        text=f"Download these numbers (CSV, {kilobytes} KB)",
    )


def slug(text: str) -> str:
    """Letters, digits and hyphens, for a file name or an id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "table"


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value
