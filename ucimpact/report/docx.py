"""A Word copy of the commissioner's paper: the same words, tables and charts, to paste and to comment.

Headings are headings, tables have header rows that repeat, charts are pictures with alternative text, and
no cell is empty. The file says its title and that it is in British English. It is made in memory, so a
copy is whole or is not there. It needs python-docx, the extra ``docx``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ucimpact.errors import UsageError
from ucimpact.report.answer import Answer
from ucimpact.report.figures import Figure
from ucimpact.report.intervals import Rows
from ucimpact.report.money import Worth
from ucimpact.report.paper import paper
from ucimpact.report.section import Section
from ucimpact.report.tables import Table
from ucimpact.report.view import View, view

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Row

LANGUAGE = "en-GB"
DENSITY = 220
"""Dots an inch of a chart."""
WIDTH_CM = 16.0
NOTHING = "none"
"""What stands in a cell that the page leaves empty."""
Cells = Sequence[Sequence[str]]


def need_docx() -> None:
    """Refuse where python-docx is not installed.

    Raises
    ------
    UsageError
    """
    try:
        import docx
    except ImportError:
        raise UsageError(
            'a Word copy needs python-docx, which is not installed: pip install "ucimpact[docx]", or run '
            "without --docx"
        ) from None
    del docx


def word_copy(document: Mapping[str, Any]) -> bytes:
    """The commissioner's paper of a released document as a Word file."""
    need_docx()
    from docx import Document as new

    page = paper(view(document))
    made = new()
    _set_up(made, page, str(document["created"]))
    _first(made, page.answer)
    for section in page.sections:
        _section(made, section)
    made.add_paragraph(page.footer)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _set_up(made: Document, page: View, created: str) -> None:
    """Title, language, A4, and the head of the paper."""
    import datetime as dt

    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    told = made.core_properties
    told.title, told.language, told.author, told.comments = page.title, LANGUAGE, "", ""
    told.created = told.modified = dt.datetime.fromisoformat(created).replace(tzinfo=None)
    normal = made.styles["Normal"]
    normal.font.name, normal.font.size = "Arial", Pt(10.5)
    language = normal.element.get_or_add_rPr().makeelement(qn("w:lang"), {qn("w:val"): LANGUAGE})
    normal.element.get_or_add_rPr().append(language)
    for section in made.sections:
        section.page_width, section.page_height = Cm(21.0), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2.3)
        section.top_margin = section.bottom_margin = Cm(2.0)
    head = made.add_paragraph()
    head.add_run(page.kicker[0]).bold = True
    head.add_run(f" {page.kicker[1]}")
    if page.example:
        made.add_paragraph(
            "Example with invented numbers. The place, the providers and the people do not exist."
        )


def _first(made: Document, answer: Answer) -> None:
    """The first screen: finding, how sure, worth it, what next."""
    made.add_heading(answer.headline, 0)
    lead = made.add_paragraph()
    for part, strong in answer.lead:
        lead.add_run(part).bold = strong
    for text in answer.extra:
        made.add_paragraph(text)
    made.add_heading("What to do next", 1)
    made.add_paragraph().add_run(answer.decision.verdict).bold = True
    rows = [("Because", answer.decision.because)]
    rows += [("Until then", text) for text in answer.decision.next_steps]
    rows += [("It would change if", text) for text in answer.decision.would_change]
    rows.append(("Beside other pilots", answer.decision.league))
    _facts(made, [(name, text) for name, text in rows if text])
    made.add_heading("How sure are we?", 1)
    level = next(name for name, _, here in answer.certainty.levels if here)
    made.add_paragraph().add_run(f"{level} certainty").bold = True
    for head, text in answer.certainty.steps:
        item = made.add_paragraph(style="List Bullet")
        item.add_run(head).bold = True
        item.add_run(f" {text}")
    made.add_heading("Is it worth the money?", 1)
    _worth(made, answer.worth)
    if answer.found:
        made.add_heading("What this evaluation could have found", 1)
        made.add_paragraph(answer.found)


def _worth(made: Document, worth: Worth) -> None:
    """The three columns of money, or why they are not worked out."""
    if worth.spent:
        made.add_paragraph(f"The pilot cost {worth.spent}{worth.each}.")
    if worth.columns:
        head = ["Whole pilot", *(column.head for column in worth.columns)]
        rows = [
            ["Value", *(_two(column.value, column.value_note) for column in worth.columns)],
            ["Chance it exceeds the cost", *(_two(c.chance, c.chance_note) for c in worth.columns)],
        ]
        _grid(made, "Three kinds of value, never added together", head, rows)
    if worth.notes:
        made.add_paragraph(worth.notes)


def _two(value: str, note: str) -> str:
    return f"{value} ({note})" if value and note else value or "not worked out"


def _section(made: Document, section: Section) -> None:
    """A section of the paper: its answer in bold, text, chart, rows, checks, lists and tables."""
    made.add_heading(section.heading, 1)
    if section.bold or section.text:
        paragraph = made.add_paragraph()
        paragraph.add_run(section.bold).bold = True
        paragraph.add_run(f" {' '.join(section.text)}" if section.text else "")
    if section.figure:
        _picture(made, section.figure)
    if section.rows:
        _rows(made, section.rows)
    if section.kind == "say":
        _say(made, section)
    elif section.kind == "limits":
        for item in section.items:
            made.add_paragraph(item, style="List Bullet")
    if section.checks:
        checks = [[check.question, check.word, check.text] for check in section.checks]
        _grid(made, "Checks that do not hold in full", ["Question", "Answer", "Why"], checks)
    _facts(made, [*section.facts, *section.refused])
    for table in section.tables:
        _table(made, table)
    if section.note:
        for name, text in section.note.paragraphs:
            _facts(made, [(name, text)] if text else [])
        _facts(made, section.note.facts)
    if section.closing:
        made.add_paragraph(section.closing)


def _say(made: Document, section: Section) -> None:
    """What can be said and what cannot, each a list."""
    for heading, items in (("You can say", section.items), ("You cannot say", section.cannot)):
        if items:
            made.add_heading(heading, 2)
            for item in items:
                made.add_paragraph(item, style="List Bullet")


def _facts(made: Document, facts: Sequence[tuple[str, str]]) -> None:
    for name, text in facts:
        paragraph = made.add_paragraph()
        paragraph.add_run(f"{name}: ").bold = True
        paragraph.add_run(text)


def _picture(made: Document, figure: Figure) -> None:
    """The chart as a picture with its text alternative, under its title and above the numbers behind it."""
    from docx.shared import Cm

    from ucimpact.report.render import png

    made.add_heading(figure.title, 2)
    made.add_paragraph(figure.measure)
    shape = made.add_picture(io.BytesIO(png(figure, DENSITY)), width=Cm(WIDTH_CM))
    told = shape._inline.docPr
    told.set("descr", f"{figure.name}. {figure.description}".strip())
    told.set("title", figure.title)
    if figure.source:
        made.add_paragraph(figure.source)


def _rows(made: Document, rows: Rows) -> None:
    """Rows of ranges as a table of their numbers."""
    cells = [
        [f"{row.label} ({row.detail})" if row.detail else row.label, row.difference, row.range or NOTHING]
        for group in rows.groups
        for row in group.rows
    ]
    _grid(made, rows.caption, [rows.head, "Difference", "95% interval"], cells)


def _table(made: Document, table: Table) -> None:
    _grid(made, table.caption, table.head, table.rows)


def _grid(made: Document, caption: str, head: Sequence[str], rows: Cells) -> None:
    """A table with a caption, a header row that repeats on every page, and no empty cell."""
    made.add_paragraph(caption, style="Caption")
    grid = made.add_table(rows=0, cols=len(head), style="Light Grid Accent 1")
    for cells in (head, *rows):
        row = grid.add_row()
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text.strip() or NOTHING
    _repeat(grid.rows[0])


def _repeat(row: _Row) -> None:
    """The row as the header of its table."""
    from docx.oxml.ns import qn

    properties = row._tr.get_or_add_trPr()
    properties.append(properties.makeelement(qn("w:tblHeader"), {qn("w:val"): "true"}))
