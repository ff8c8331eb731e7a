"""An empty workbook to fill in: a header, an example of a row, and what each column holds.

An .xlsx file is a zip of a few small XML files, which are written here as they are. The example row
begins with a word by which it is known, and is left out when the file is read
(:data:`ucimpact.data.layout.EXAMPLE`).
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

EPOCH = dt.date(1899, 12, 30)
"""Day nought of a spreadsheet, for days after February 1900."""
PLAIN, BOLD, DATE, ITALIC, ITALIC_DATE, WRAPPED = range(6)
"""Places of the styles in :data:`STYLES`."""
WIDEST = 70

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

TYPES = f"""{HEAD}<Types xmlns="{PACKAGE}/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="xml" ContentType="application/xml"/>\
<Override PartName="/xl/workbook.xml" \
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>\
<Override PartName="/xl/styles.xml" \
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>\
<Override PartName="/xl/worksheets/sheet1.xml" \
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>\
<Override PartName="/xl/worksheets/sheet2.xml" \
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"""
ROOT = f"""{HEAD}<Relationships xmlns="{PACKAGE}/relationships">\
<Relationship Id="rId1" Type="{OFFICE}/relationships/officeDocument" Target="xl/workbook.xml"/>\
</Relationships>"""
LINKS = f"""{HEAD}<Relationships xmlns="{PACKAGE}/relationships">\
<Relationship Id="rId1" Type="{OFFICE}/relationships/worksheet" Target="worksheets/sheet1.xml"/>\
<Relationship Id="rId2" Type="{OFFICE}/relationships/worksheet" Target="worksheets/sheet2.xml"/>\
<Relationship Id="rId3" Type="{OFFICE}/relationships/styles" Target="styles.xml"/></Relationships>"""
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


def workbook(columns: Sequence[Column]) -> bytes:
    """A workbook with the sheets "data" (header and example) and "columns" (what each one holds)."""
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="rId{at}"/>'
        for at, name in enumerate(("data", "columns"), 1)
    )
    header = [(column.name, BOLD) for column in columns]
    example = [
        (column.example, ITALIC_DATE if isinstance(column.example, dt.date) else ITALIC) for column in columns
    ]
    told = [[("Column", BOLD), ("What it holds", BOLD)]]
    told += [[(column.name, PLAIN), (column.holds, WRAPPED)] for column in columns]
    widths = [max(12, len(column.name) + 3, len(str(column.example)) + 2) for column in columns]
    days = [DATE if isinstance(column.example, dt.date) else PLAIN for column in columns]
    parts = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": ROOT,
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}/relationships"><sheets>{sheets}'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": LINKS,
        "xl/styles.xml": STYLES,
        "xl/worksheets/sheet1.xml": _sheet([header, example], widths, days),
        "xl/worksheets/sheet2.xml": _sheet(told, [max(widths), WIDEST], [PLAIN, PLAIN]),
    }
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return kept.getvalue()


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
