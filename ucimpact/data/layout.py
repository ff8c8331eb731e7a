"""Where the table stands in a sheet that people made: titles, header, rows, totals and notes.

The header is the first row that names every column which most rows below it fill, give or take one
without a name. What stands above it is a title. A line of groups above it ("Attendances" over "Type 1"
and "Type 2") is put in front of the names. Totals under or among the rows, notes under the table and a
header that stands again on the next page are left out, each with its row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from ucimpact.data.cells import ABSENT, COMMAS, PERCENT, PLAIN, POUNDS, is_empty, read_numbers

Rows = list[tuple[int, Sequence[Any]]]
"""The line of each row in the file, and its cells."""
Span = tuple[tuple[int, int], tuple[int, int]]
"""First and last cell of a merged range: row and column, from 0."""

LOOKED_AT = 60
"""Rows under a row that tell whether it is the header."""
TITLES = 30
"""Rows above a header, at most."""
UNNAMED = 0.2
"""Share of the columns that may have no name."""
NAME_COLUMNS = 4
"""Columns from the left in which a row is called a total."""
ROWS_NAMED = 5

DAY = re.compile(r"[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}(?:[ T].*)?")
TOTAL = re.compile(
    r"(?:(?:grand|sub|overall|column|england|national|all)[ -]?)?totals?"
    r"(?:,? \(?(?:england|all [a-z ]+)\)?)?:?|totals? for (?:england|all [a-z ]+)",
    re.IGNORECASE,
)
WHOLE = re.compile(
    r"england|united kingdom|uk|national|overall|everyone|all(?: (?:practices|places|areas|trusts|sites"
    r"|providers|regions|hospitals|patients|clients|people|persons|ages))?",
    re.IGNORECASE,
)
FOOT = re.compile(r"sum|average|mean|median|count", re.IGNORECASE)
"""What the last rows of a sheet work out."""
NEARLY = 0.9
"""Share of the sum of the rest that a whole has to reach, because some of its parts may be missing."""
ROUNDED = 0.01
LAST = 4
EXAMPLE = re.compile(r"EXAMPLE\b.*")
"""What the first cell of a template's example row begins with."""
REMARK = re.compile(
    r"(?:source|notes?|footnotes?|contact|produced|prepared|copyright)\b|©|\*+ *\w|\(?[0-9]{1,2}[).] +[a-z]",
    re.I,
)


@dataclass
class Layout:
    """The table in a sheet.

    Attributes
    ----------
    header : list of str
        The names as they stand, single spaces between words; empty for a column without one.
    lines : tuple of int
        The line of the header, or the two lines.
    rows : list
        Rows under the header that are neither empty nor left out.
    notes, left_out :
        As on :class:`ucimpact.data.reading.Table`.
    """

    header: list[str]
    lines: tuple[int, ...]
    rows: Rows
    notes: list[str] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)


def lay_out(rows: Rows, spans: Sequence[Span] = ()) -> Layout:
    """Find the table. ``rows`` must hold something; ``spans`` are the merged ranges of a workbook."""
    top, bottom = _header(rows, spans)
    names = [plain_name(cell) for cell in rows[bottom][1]]
    lines: tuple[int, ...] = (rows[bottom][0],)
    notes = []
    above = sum(_holds(cells) for _, cells in rows[:top])
    if above:
        left = "row of titles above it was" if above == 1 else f"{above} rows of titles above it were"
        notes.append(f"the header is row {rows[top][0]}; the {left} not read")
    if top != bottom:
        names = _joined([plain_name(cell) for cell in rows[top][1]], names, _ranges(rows[top][0], spans))
        lines = (rows[top][0], rows[bottom][0])
        notes.append(f"the header stands in rows {lines[0]} and {lines[1]}, whose names were put together")
    laid = Layout(names, lines, rows[bottom + 1 :], notes)
    _spread(laid, spans)
    read = len(laid.rows)
    laid.rows, gaps = _without_gaps(laid.rows)
    empty = read - len(laid.rows)
    if empty:
        laid.left_out.append({"n": empty, "reason": "empty row" if empty == 1 else "empty rows"})
    _leave_out(laid, gaps)
    return laid


# -- the header --------------------------------------------------------------------------


def _header(rows: Rows, spans: Sequence[Span]) -> tuple[int, int]:
    """Places of the first and the last line of the header in ``rows``."""
    standing = list(islice((at for at, (_, cells) in enumerate(rows) if _holds(cells)), TITLES + 1))
    first = standing[0]
    for at in standing:
        below = _columns_below(rows, at)
        named = _filled(rows[at][1])
        lacking = below - named
        if at != first and not _is_heading(rows[at][1]):
            continue
        if not _titles(rows, first, at, len(below or named)):
            break
        if lacking and _second_line(rows, at, lacking):
            return at, at + 1
        if _stands_alone(rows, at):
            continue
        if not lacking or lacking == {min(below)} or len(lacking) <= UNNAMED * len(below):
            return (at - 1, at) if at > first and _is_group(rows, at, spans) else (at, at)
    return first, first


def _titles(rows: Rows, first: int, at: int, width: int) -> bool:
    """Whether what stands above a row can be titles: short rows, or rows parted from it by an empty one."""
    gap = max((k for k in range(first, at) if not _filled(rows[k][1])), default=-1)
    return all(2 * len(_filled(cells)) <= width for _, cells in rows[gap + 1 if gap > 0 else first : at])


def _stands_alone(rows: Rows, at: int) -> bool:
    """Whether an empty row parts a row from what is under it, and that begins with a header of its own."""
    if at + 1 == len(rows) or _holds(rows[at + 1][1]):
        return False
    under = [cells for _, cells in rows[at + 1 : at + 1 + LOOKED_AT] if _holds(cells)]
    if len(under) < 2 or not _is_heading(under[0]) or _is_heading(under[1]):
        return False
    return _filled(under[1]) <= _filled(under[0])


def _columns_below(rows: Rows, at: int) -> set[int]:
    """Columns that most rows under a row fill."""
    counts: dict[int, int] = {}
    looked = 0
    for _, cells in rows[at + 1 :]:
        filled = _filled(cells)
        looked += bool(filled)
        for column in filled:
            counts[column] = counts.get(column, 0) + 1
        if looked == LOOKED_AT:
            break
    return {column for column, n in counts.items() if 2 * n > looked}


def _second_line(rows: Rows, at: int, lacking: set[int]) -> bool:
    """Whether the next row gives the names that this one lacks: "Month, Seen," over ", Men, Women"."""
    if at + 2 >= len(rows):
        return False
    upper, lower = _filled(rows[at][1]), _filled(rows[at + 1][1])
    if not lower or not (_is_heading(rows[at][1]) and _is_heading(rows[at + 1][1])):
        return False
    return min(upper) not in lower and lacking <= lower and min(upper) < min(lower)


def _is_group(rows: Rows, at: int, spans: Sequence[Span]) -> bool:
    """Whether the row above the header names groups of its columns, and is no title."""
    group, names = rows[at - 1][1], rows[at][1]
    upper, lower = _filled(group), _filled(names)
    if not upper or not _is_heading(group):
        return False
    spread = [span for span in _ranges(rows[at - 1][0], spans) if span[0] > min(lower)]
    if min(lower) not in upper:
        texts = [plain_name(names[column]) for column in sorted(lower)]
        return len(upper) > 1 or bool(spread) or len(set(texts)) < len(texts)
    texts = [plain_name(names[column]) for column in sorted(lower)]
    return len(upper) > 1 and len(set(texts)) < len(texts)


def _ranges(line: int, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """First and last column of the ranges merged across a line."""
    return [(c0, c1) for (r0, c0), (r1, c1) in spans if r0 == r1 == line - 1 and c1 > c0]


def _joined(groups: list[str], names: list[str], ranges: list[tuple[int, int]]) -> list[str]:
    """Names with the group they stand under; a group reaches to the next, or as far as it was merged."""
    width = max(len(groups), len(names))
    groups, names = groups + [""] * (width - len(groups)), names + [""] * (width - len(names))
    under = list(groups)
    for column in range(1, width):
        if under[column] or not names[column]:
            continue
        merged = any(c0 < column <= c1 for c0, c1 in ranges)
        if merged or not ranges:
            under[column] = under[column - 1]
    return [
        f"{group} {name}" if group and name and group != name else name or group
        for group, name in zip(under, names, strict=True)
    ]


def plain_name(cell: Any) -> str:
    """A cell of a header as a name: single spaces, nothing that cannot be seen."""
    if isinstance(cell, str) and cell.isprintable():
        return " ".join(cell.split())
    if is_empty(cell):
        return ""
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _is_heading(cells: Sequence[Any]) -> bool:
    """Whether every cell that holds something is text, and no number or day."""
    return all(
        isinstance(cell, str)
        and not any(form.fullmatch(cell.strip()) for form in (PLAIN, COMMAS, PERCENT, POUNDS, DAY))
        for cell in cells
        if not is_empty(cell)
    )


# -- what is left out --------------------------------------------------------------------


def _without_gaps(rows: Rows) -> tuple[Rows, set[int]]:
    """Rows that hold something, and the lines of those that an empty row stands above."""
    kept: Rows = []
    gaps = set()
    gap = False
    for line, cells in rows:
        if not _holds(cells):
            gap = True
            continue
        if gap:
            gaps.add(line)
        gap = False
        kept.append((line, cells))
    return kept, gaps


def _leave_out(laid: Layout, gaps: set[int]) -> None:
    """Take out the notes under the table, headers that stand again, and totals."""
    again = {line for line, cells in laid.rows if _same(cells, laid.header)}
    _drop(laid, again, "header that stands again", "headers that stand again")
    examples = {line for line, cells in laid.rows if isinstance(cells[0], str) and EXAMPLE.match(cells[0])}
    _drop(laid, examples, "example row of the template", "example rows of the template")
    _drop(laid, _remarks(laid, gaps), "note under the table", "notes under the table")
    _drop(laid, _totals(laid), "total row", "total rows")


def _drop(laid: Layout, lines: set[int], one: str, many: str) -> None:
    if not lines:
        return
    laid.rows = [row for row in laid.rows if row[0] not in lines]
    named = ", ".join(str(line) for line in sorted(lines)[:ROWS_NAMED])
    more = f" and {len(lines) - ROWS_NAMED:,} more" if len(lines) > ROWS_NAMED else ""
    where = f"row{'s' if len(lines) > 1 else ''} {named}{more}"
    laid.left_out.append({"n": len(lines), "reason": f"{one if len(lines) == 1 else many} ({where})"})


def _same(cells: Sequence[Any], header: list[str]) -> bool:
    """Whether a row is the header again; the first cell settles it for nearly all."""
    first = next((at for at, name in enumerate(header) if name), 0)
    if first >= len(cells) or plain_name(cells[first]) != header[first]:
        return False
    return [plain_name(cell) for cell in cells[: len(header)]] == header[: len(cells)]


def _remarks(laid: Layout, gaps: set[int]) -> set[int]:
    """The last rows, from the first that is short and stands apart or begins as a note does."""
    width = sum(bool(name) for name in laid.header)
    short = 1 if width < 5 else 2
    last: Rows = []
    for line, cells in reversed(laid.rows):
        filled = _filled(cells)
        if width < 3 or len(filled) > short or not isinstance(cells[min(filled)], str):
            break
        last.insert(0, (line, cells))
    for at, (line, cells) in enumerate(last):
        text = cells[min(_filled(cells))].strip()
        if (line in gaps or REMARK.match(text)) and not _is_total(text):
            return {line for line, _ in last[at:]}
    return set()


def _totals(laid: Layout) -> set[int]:
    """Lines of rows that add up, or average, the others; nothing where most rows would be.

    "Total" is enough of a name. "England" and "Average" are those of places, births and people too, so that
    the numbers of such a row have to bear it out.
    """
    texts = [_texts(laid.rows, column) for column in range(NAME_COLUMNS)]
    found = _named(laid.rows, texts, _is_total)
    wholes = _named(laid.rows, texts, WHOLE.fullmatch)
    feet = {line: cells for line, cells in laid.rows[-LAST:] if _foot(cells)}
    if wholes - found or feet:
        with np.errstate(all="ignore"):  # cells that hold 1e308
            found |= _borne_out(laid.rows, found, wholes - found, {line: _foot(feet[line]) for line in feet})
    return found if 2 * len(found) < len(laid.rows) else set()


def _is_total(text: str) -> bool:
    return "otal" in text.lower() and TOTAL.fullmatch(text.strip()) is not None


def _texts(rows: Rows, column: int) -> set[str]:
    """The different texts of a column."""
    return {cells[column] for _, cells in rows if column < len(cells) and isinstance(cells[column], str)}


def _named(rows: Rows, texts: Sequence[set[str]], names: Callable[[str], object]) -> set[int]:
    """Lines of rows with such a name in a first column; not of one that a cell before it names already."""
    found: set[int] = set()
    for column in range(NAME_COLUMNS):
        such = {text for text in texts[column] if names(text.strip())}
        if not such:
            continue
        cells = [cells[column] if column < len(cells) else None for _, cells in rows]
        counts = [Counter(str(cells[at]) for _, cells in rows if at < len(cells)) for at in range(column)]
        for (line, whole), cell in zip(rows, cells, strict=True):
            if isinstance(cell, str) and cell in such:
                before = [str(whole[at]) for at in range(column) if not is_empty(whole[at])]
                own = [counts[at][str(whole[at])] == 1 for at in range(column) if not is_empty(whole[at])]
                if not any(one and not ABSENT.fullmatch(text) for one, text in zip(own, before, strict=True)):
                    found.add(line)
    return found


def _foot(cells: Sequence[Any]) -> str:
    """What a row says that it works out: "sum", "average"; empty for other rows."""
    named = (FOOT.fullmatch(cell.strip()) for cell in cells[:NAME_COLUMNS] if isinstance(cell, str))
    return next((found[0].lower() for found in named if found), "")


def _borne_out(rows: Rows, totals: set[int], wholes: set[int], feet: dict[int, str]) -> set[int]:
    """Lines of rows whose numbers, half of them or more, are what their name says of the rest."""
    width = max(len(cells) for _, cells in rows)
    numbers = np.column_stack(
        [
            read_numbers([cells[at] if at < len(cells) else None for _, cells in rows], "covariate").values
            for at in range(width)
        ]
    )
    rest = numbers[np.array([line not in {*totals, *wholes, *feet} for line, _ in rows])]
    if len(rest) < 2:
        return set()
    highest = np.where(np.isnan(rest), -np.inf, rest).max(axis=0)
    above = np.maximum(highest, NEARLY * np.nansum(rest, axis=0) / max(len(wholes), 1))
    worked_out = {
        "sum": np.nansum(rest, axis=0),
        "average": np.nansum(rest, axis=0) / np.maximum(np.isfinite(rest).sum(axis=0), 1),
        "median": np.array(
            [np.median(known[np.isfinite(known)]) if np.isfinite(known).any() else np.nan for known in rest.T]
        ),
        "count": np.isfinite(rest).sum(axis=0),
    }
    worked_out["mean"] = worked_out["average"]
    found = set()
    for (line, _), own in zip(rows, numbers, strict=True):
        known = np.isfinite(own) & np.isfinite(highest)
        if line in wholes and known.any() and 2 * np.sum(own[known] > above[known]) >= known.sum():
            found.add(line)
        elif line in feet:
            like = np.isclose(own[known], worked_out[feet[line]][known], rtol=ROUNDED)
            found |= {line} if 2 * like.sum() > known.sum() else set()
    return found if wholes <= found else found - wholes


def _spread(laid: Layout, spans: Sequence[Span]) -> None:
    """Give each cell of a range merged down a column the value of the range."""
    place = {line - 1: cells for line, cells in laid.rows}
    left = sum(len(cells) for _, cells in laid.rows)
    filled = 0
    for (r0, column), (r1, last) in spans:
        if column != last or r0 not in place or column >= len(place[r0]) or is_empty(place[r0][column]):
            continue
        for row in range(r0 + 1, r1 + 1):
            cells = place.get(row)
            left -= 1
            if cells is None or left < 0:
                break
            if isinstance(cells, list) and column < len(cells) and is_empty(cells[column]):
                cells[column] = place[r0][column]
                filled += 1
    if filled:
        were = "cell of a merged range was" if filled == 1 else "cells of merged ranges were"
        laid.notes.append(f"{filled:,} {were} given the value of the range")


def _holds(cells: Sequence[Any]) -> bool:
    return not all(map(is_empty, cells))


def _filled(cells: Sequence[Any]) -> set[int]:
    return {at for at, cell in enumerate(cells) if not is_empty(cell)}
