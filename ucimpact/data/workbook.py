"""One sheet of an .xlsx workbook: cells with their types, errors that must not pass for empty cells.

A workbook is a zip of XML, and a small one can unpack to gigabytes or hold one cell a million rows away.
Each part is measured as it is unpacked, and the sheet before it is opened; what the reader is given is a
copy of what was measured, because a zip may say one thing of its size and hold another.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ucimpact.data.layout import Rows, Span
from ucimpact.errors import DataError, Problem, UsageError

UNPACKED_LIMIT = 250_000_000
"""Bytes; a workbook that unpacks to more is refused before it is opened."""
PARTS_LIMIT = 2_000
AREA_LIMIT = 20_000_000
"""Cells from the first to the last row and column that hold something, empty ones among them."""
CHUNK = 1_000_000

NAMED = r"(?:[^\s<>/:]+:)?"
ATTRIBUTES = r"""((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)"""
CELL = re.compile(rf"<{NAMED}c{ATTRIBUTES}\s*(?:/>|>(.*?)</{NAMED}c\s*>)", re.DOTALL)
ROW = re.compile(rf"<{NAMED}row{ATTRIBUTES}\s*/?>")
STARTS = re.compile(rf"<{NAMED}(?:c|row)(?=[\s/>])")
"""Cells and rows of a sheet's XML; and whatever else a reader might take for the start of one."""
ATTRIBUTE = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
PLAIN = re.compile(r"""\s+r="([A-Z]{1,3}[0-9]{1,7})"(?:\s+[st]="\w*")*""")
"""Attributes as nearly every workbook has them."""
PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
"""The name of a cell: B7."""
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
VALUE = re.compile(r"<(?:\w+:)?v\b[^>]*>([^<]*)</")


def read_workbook(path: Path, sheet: str | None) -> tuple[Rows, list[Span], list[str]]:
    """The rows of a sheet with their lines, its merged ranges, and notes.

    Raises
    ------
    UsageError
        Where the sheet is not there, or there are several and none is named.
    DataError
        For what is no workbook, or unpacks to too much.
    """
    not_one = Problem(
        "this is not an .xlsx workbook, or it is locked with a password",
        "Save it as .xlsx without a password, or as CSV",
        file=path.name,
    )
    import python_calamine

    try:
        parts = _unpacked(path)
        book = python_calamine.CalamineWorkbook.from_filelike(_packed(parts))
        chosen, notes = _sheet(book, sheet, path.name)
        xml = _xml(parts, chosen)
        cells = _cells(xml)
        _measure(cells, xml, path.name)
        opened = book.get_sheet_by_name(chosen)
        rows = opened.to_python(skip_empty_area=False)
        spans = [(first, last) for first, last in opened.merged_cell_ranges or ()]
        lost = list(_unread(cells))
        hidden = sum(_attribute(tag, "hidden") in ("1", "true") for tag in ROW.findall(xml))
    except (UsageError, DataError):
        raise
    except (python_calamine.CalamineError, zipfile.BadZipFile, zlib.error, OSError, EOFError):
        raise DataError(not_one) from None
    except (RuntimeError, NotImplementedError, UnicodeError, ValueError, KeyError, OverflowError):
        raise DataError(not_one) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the reader's own language; no class to name
            raise
        raise DataError(not_one) from None
    for row, column, text in lost:
        if 0 <= row < len(rows) and column < len(rows[row]) and rows[row][column] == "":
            rows[row][column] = text
    if hidden:
        were = "row that the sheet hides was" if hidden == 1 else "rows that the sheet hides were"
        notes.append(f"{hidden:,} {were} read with the rest")
    return list(enumerate(rows, start=1)), spans, notes


def _unpacked(path: Path) -> dict[str, bytes]:
    """Every part, unpacked with a limit on all together."""
    too_much = Problem(
        f"the workbook unpacks to more than {UNPACKED_LIMIT // 1_000_000} MB",
        "Save the one sheet as CSV",
        file=path.name,
    )
    parts: dict[str, bytes] = {}
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if len(infos) > PARTS_LIMIT or sum(info.file_size for info in infos) > UNPACKED_LIMIT:
            raise DataError(too_much)
        left = UNPACKED_LIMIT
        for info in infos:
            pieces = []
            with archive.open(info) as part:
                while piece := part.read(CHUNK):
                    left -= len(piece)
                    if left < 0:
                        raise DataError(too_much)
                    pieces.append(piece)
            parts[info.filename] = b"".join(pieces)
    return parts


def _packed(parts: dict[str, bytes]) -> io.BytesIO:
    """The parts as a zip again, stored as they are."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    packed.seek(0)
    return packed


def _sheet(book: Any, sheet: str | None, file: str) -> tuple[str, list[str]]:
    """The name of the sheet to read; the one that is not hidden, where only one is not."""
    import python_calamine

    names = list(book.sheet_names)
    visible = [
        known.name
        for known in book.sheets_metadata
        if known.visible == python_calamine.SheetVisibleEnum.Visible
        and known.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    listed = ", ".join(f'"{name}"' for name in visible or names)
    if sheet is not None:
        if sheet not in names:
            raise UsageError(f'{file} has no sheet "{sheet}"; it has {listed}')
        return sheet, []
    if len(names) == 1:
        return names[0], []
    if len(visible) == 1:
        hidden = len(names) - 1
        were = "1 hidden sheet was" if hidden == 1 else f"{hidden} hidden sheets were"
        return visible[0], [f"{were} not read"]
    raise UsageError(
        f"{file} has {len(visible) or len(names)} sheets ({listed}): "
        f'say which, as in sheet = "{(visible or names or [""])[0]}" under [data]'
    )


def _xml(parts: dict[str, bytes], sheet: str) -> str:
    """The XML of a sheet."""
    book, links = (parts[name].decode("utf-8") for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"))
    relations = re.findall(rf"<{NAMED}Relationship{ATTRIBUTES}", links)
    targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in relations}
    for tag in re.findall(rf"<{NAMED}sheet{ATTRIBUTES}", book):
        if html.unescape(_attribute(tag, "name")) == sheet:
            link = next((value for name, value, _ in ATTRIBUTE.findall(tag) if name.endswith(":id")), "")
            target = targets.get(link, "").lstrip("/")
            return parts[target if target.startswith("xl/") else f"xl/{target}"].decode("utf-8")
    raise KeyError("sheet")


Cell = tuple[int, int, str, str]
"""Row and column from 1 (noughts for a cell without a name), attributes and body of a cell not empty."""


def _cells(xml: str) -> list[Cell]:
    """The cells of a sheet.

    Raises
    ------
    ValueError
        For names that are none, or what another reader might read in another way.
    """
    found = CELL.findall(xml)
    if len(STARTS.findall(xml)) != len(found) + len(ROW.findall(xml)):
        raise ValueError("cells within cells")
    columns: dict[str, int] = {}
    cells = []
    for attributes, body in found:
        if not body:
            continue
        plain = PLAIN.fullmatch(attributes)
        name = plain[1] if plain else _attribute(attributes, "r").upper()
        place = PLACE.fullmatch(name)
        if name and place is None:
            raise ValueError("no name of a cell")
        letters, row = (place[1], int(place[2])) if place else ("", 0)
        if letters not in columns:
            columns[letters] = sum((ord(c) - 64) * 26**k for k, c in enumerate(reversed(letters)))
        cells.append((row, columns[letters], attributes, body))
    return cells


def _measure(cells: list[Cell], xml: str, file: str) -> None:
    """Refuse a sheet whose cells lie so far apart that the table between them could not be held.

    Raises
    ------
    DataError
        For such a sheet.
    ValueError
        For one that is larger than any sheet.
    """
    rows = [int(_attribute(tag, "r") or 0) for tag in ROW.findall(xml)]
    last_row = max((row for row, *_ in cells), default=0)
    last_column = max((column for _, column, *_ in cells), default=0)
    unnamed = sum(not row for row, *_ in cells)
    if unnamed:  # they follow one another, in rows that may have numbers
        last_row, last_column = max([last_row, len(rows), *rows]), last_column + unnamed
    if max([last_row, *rows]) > LAST_ROW or last_column > LAST_COLUMN:
        raise ValueError("no sheet is as large")
    if last_row * last_column > AREA_LIMIT:
        what = f"the sheet reaches to row {last_row:,} and column {last_column:,}"
        raise DataError(Problem(what, "Delete what stands far from the table, or save it as CSV", file=file))


def _unread(cells: list[Cell]) -> Iterator[tuple[int, int, str]]:
    """Cells that the reader gives as empty and that are not: errors, and formulas never worked out.

    Row and column from 0, and the text that stands for the cell: "#N/A" in a column of starts must not
    make a pilot place a comparison.
    """
    for row, column, attributes, body in cells:
        formula = "<f" in body or ":f" in body
        error = ('"e"' in attributes or "'e'" in attributes) and _attribute(attributes, "t") == "e"
        if not (formula or error):
            continue
        value = VALUE.search(body)
        written = "" if value is None else value[1].strip()
        text = value is not None and _attribute(attributes, "t") == "str"  # worked out, and found to be ""
        if error or not (written or text):
            yield row - 1, column - 1, written if error and written else "#NOT-WORKED-OUT"


def _attribute(attributes: str, name: str) -> str:
    """An attribute of a tag; a name that stands twice has no value that every reader agrees on."""
    found = [double or single for known, double, single in ATTRIBUTE.findall(attributes) if known == name]
    if len(found) > 1:
        raise ValueError("an attribute twice")
    return found[0] if found else ""
