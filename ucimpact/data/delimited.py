"""Rows of a text file whose cells are parted by commas, semicolons, tabs or bars.

The separator is the one that parts most rows into as many cells as most rows have; a comma where
another is no better. Spreadsheets write semicolons where the decimal sign is a comma.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from ucimpact.data.encodings import decoded
from ucimpact.data.layout import Rows
from ucimpact.errors import DataError, Problem

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAID = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)
"""A first line by which a file tells a spreadsheet its separator."""
LOOKED_AT = 200
LONGEST_CELL = 131_072
"""Characters; a spreadsheet holds 32,767 in a cell, so that more is a quotation mark left open."""


def read_delimited(content: bytes, file: str) -> tuple[Rows, list[str]]:
    """The rows of a file with their lines, and notes.

    Raises
    ------
    DataError
        Where the file is empty, no text, or has an open quotation mark.
    """
    text, notes = decoded(content, file)
    line = 1
    if said := SAID.match(text):
        text, line = text[said.end() :], 2
    if not text.strip():
        raise DataError(Problem("the file is empty", "Check that the export finished", file=file))
    separator = said[1] if said else _separator(text)
    if separator != ",":
        notes.append(f"cells are parted by {SEPARATORS[separator]}")
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    rows: Rows = []
    begun = line
    try:
        for cells in reader:
            rows.append((line, cells))
            line = begun + reader.line_num
    except csv.Error as error:
        if "field limit" in str(error):
            what = f"a cell of more than {LONGEST_CELL:,} characters"
            do = "Close the quotation mark that was left open there, or take the cell out"
            raise DataError(Problem(what, do, file=file, row=line)) from None
        problem = Problem(
            "a quotation mark is opened and never closed, or stands inside a cell",
            'Write a quotation mark inside a cell twice (""), and put the cell in quotation marks',
            file=file,
            row=line,
        )
        raise DataError(problem) from None
    return rows, notes


def _separator(text: str) -> str:
    """The separator that gives most rows their common number of cells, the comma where it is as good."""
    best, most = ",", (0, 0)
    for separator in SEPARATORS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        widths: Counter[int] = Counter()
        try:
            for _, cells in zip(range(LOOKED_AT), reader, strict=False):
                if any(cells):
                    widths[len(cells)] += 1
        except csv.Error:
            continue
        parted = [(rows, width) for width, rows in widths.items() if width > 1]
        rows, width = max(parted, default=(0, 0))
        if rows > most[0] or (rows == most[0] and width > 2 * most[1]):
            best, most = separator, (rows, width)
    return best
