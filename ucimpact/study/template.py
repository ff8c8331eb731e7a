"""An empty workbook to fill in: a header, an example of a row, and what each column holds.

An .xlsx file is a zip of a few small XML files, which are written here as they are. The example row
begins with a word by which it is known, and is left out when the file is read
(:data:`ucimpact.data.layout.EXAMPLE`).
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

EPOCH = dt.date(1899, 12, 30)
"""Day nought of a spreadsheet, for days after February 1900."""
PLAIN, BOLD, DATE, ITALIC, ITALIC_DATE, WRAPPED = range(6)
"""Places of the styles in :data:`STYLES`."""
WIDEST = 70
TOLD = "columns"
"""The sheet that says what each column holds."""

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
TYPES = f"""{HEAD}<Types xmlns="{PACKAGE}/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="xml" ContentType="application/xml"/>\
<Override PartName="/xl/workbook.xml" \
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>\
<Override PartName="/xl/styles.xml" \
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>%s</Types>"""
ROOT = f"""{HEAD}<Relationships xmlns="{PACKAGE}/relationships">\
<Relationship Id="rId1" Type="{OFFICE}/relationships/officeDocument" Target="xl/workbook.xml"/>\
</Relationships>"""
LINKS = f"""{HEAD}<Relationships xmlns="{PACKAGE}/relationships">%s</Relationships>"""
STYLES = f"""{HEAD}<styleSheet xmlns="{MAIN}">\
<numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts>\
<fonts count="3"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font>\
<font><i/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="2"><fill><patternFill patternType="none"/></fill>\
<fill><patternFill patternType="gray125"/></fill></fills>\
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>\
<cellXfs count="6"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>\
<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>\
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="0" fontId="2" fillId="0" borderId="0" xfId="0" applyFont="1"/>\
<xf numFmtId="164" fontId="2" fillId="0" borderId="0" xfId="0" applyFont="1" applyNumberFormat="1"/>\
<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" applyAlignment="1"><alignment wrapText="1" \
vertical="top"/></xf></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>\
</styleSheet>"""

Value = str | int | float | dt.date


@dataclass(frozen=True)
class Column:
    """A column of the data file: its name, what it holds in a sentence, and an example of a cell."""

    name: str
    holds: str
    example: Value


def workbook(tables: Mapping[str, Sequence[Column]]) -> bytes:
    """A workbook with a sheet a table (header and example) and one, "columns", of what each column holds."""
    names = (*tables, TOLD)
    several = len(tables) > 1
    told: list[list[tuple[Value, int]]] = [
        [*([("Sheet", BOLD)] if several else []), ("Column", BOLD), ("What it holds", BOLD)]
    ]
    for name, columns in tables.items():
        told += [
            [*([(name, PLAIN)] if several else []), (column.name, PLAIN), (column.holds, WRAPPED)]
            for column in columns
        ]
    widest = [max(12, *(len(str(row[at][0])) + 3 for row in told)) for at in range(len(told[0]) - 1)]
    sheets = [_filled(columns) for columns in tables.values()]
    sheets.append(_sheet(told, [*widest, WIDEST], [PLAIN] * len(told[0])))
    listed = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(names, 1)
    )
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{SHEET_TYPE}"/>'
        for at, _ in enumerate(names, 1)
    )
    targets = [("worksheet", f"worksheets/sheet{at}.xml") for at, _ in enumerate(names, 1)]
    links = "".join(
        f'<Relationship Id="rId{at}" Type="{OFFICE}/relationships/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate([*targets, ("styles", "styles.xml")], 1)
    )
    parts = {
        "[Content_Types].xml": TYPES % types,
        "_rels/.rels": ROOT,
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}/relationships"><sheets>{listed}'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": LINKS % links,
        "xl/styles.xml": STYLES,
        **{f"xl/worksheets/sheet{at}.xml": sheet for at, sheet in enumerate(sheets, 1)},
    }
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return kept.getvalue()


def _filled(columns: Sequence[Column]) -> str:
    """A sheet with a header and an example."""
    header: list[tuple[Value, int]] = [(column.name, BOLD) for column in columns]
    example: list[tuple[Value, int]] = [
        (column.example, ITALIC_DATE if isinstance(column.example, dt.date) else ITALIC) for column in columns
    ]
    widths = [max(12, len(column.name) + 3, len(str(column.example)) + 2) for column in columns]
    days = [DATE if isinstance(column.example, dt.date) else PLAIN for column in columns]
    return _sheet([header, example], widths, days)


def _sheet(rows: Sequence[Sequence[tuple[Value, int]]], widths: Sequence[int], styles: Sequence[int]) -> str:
    """A sheet whose first row stays in view; ``styles`` are of the cells that are still to be filled."""
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{width}" style="{style}" customWidth="1"/>'
        for at, (width, style) in enumerate(zip(widths, styles, strict=True), 1)
    )
    lines = ""
    for at, cells in enumerate(rows, 1):
        filled = "".join(_cell(f"{_letters(n)}{at}", *cell) for n, cell in enumerate(cells, 1))
        lines += f'<row r="{at}">{filled}</row>'
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{columns}</cols><sheetData>{lines}</sheetData></worksheet>"
    )


def _cell(place: str, value: Value, style: int) -> str:
    if isinstance(value, str):
        text = escape(value)
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    number = (value - EPOCH).days if isinstance(value, dt.date) else value
    return f'<c r="{place}" s="{style}"><v>{number}</v></c>'


def _letters(number: int) -> str:
    """The letters of a column from its number: A for 1, AB for 28."""
    letters = ""
    while number:
        number, left = divmod(number - 1, 26)
        letters = chr(65 + left) + letters
    return letters
