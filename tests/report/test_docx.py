"""A Word copy with headings, tables that have header rows, pictures with their text, and no empty cell."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import cohorts
import documents
import pytest

from tests.test_evaluation import study_in
from ucimpact import publish
from ucimpact.errors import UsageError
from ucimpact.evaluation import evaluate
from ucimpact.report.docx import word_copy
from ucimpact.report.paper import paper
from ucimpact.report.view import view

docx = pytest.importorskip("docx", reason="python-docx is not installed")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MAKERS = {
    "practices": documents.practices,
    "winter": documents.winter,
    "hostile": documents.hostile,
    "discharges": cohorts.discharges,
    "befriending": cohorts.befriending,
}


@pytest.fixture(scope="module")
def copies():
    return {name: docx.Document(io.BytesIO(word_copy(make()))) for name, make in MAKERS.items()}


def text_of(copy) -> str:
    cells = [cell.text for grid in copy.tables for row in grid.rows for cell in row.cells]
    return " ".join([*(paragraph.text for paragraph in copy.paragraphs), *cells])


@pytest.mark.parametrize("name", MAKERS)
def test_it_has_the_headings_of_the_paper_in_their_order(copies, name):
    page = paper(view(MAKERS[name]()))
    headings = [p.text for p in copies[name].paragraphs if p.style.name in ("Title", "Heading 1")]
    assert headings[0] == page.answer.headline
    assert headings[1:4] == ["What to do next", "How sure are we?", "Is it worth the money?"]
    own = [section.heading for section in page.sections]
    assert headings[-len(own) :] == own


@pytest.mark.parametrize("name", MAKERS)
def test_every_table_has_a_header_row_and_no_cell_is_empty(copies, name):
    for grid in copies[name].tables:
        head = grid.rows[0]._tr.find(f"{W}trPr/{W}tblHeader")
        assert head is not None and head.get(f"{W}val") == "true"
        assert len(grid.rows) > 1
        assert all(cell.text.strip() for row in grid.rows for cell in row.cells)


@pytest.mark.parametrize("name", MAKERS)
def test_every_picture_has_the_text_of_its_chart(copies, name):
    page = paper(view(MAKERS[name]()))
    figures = [section.figure for section in page.sections if section.figure]
    shapes = list(copies[name].inline_shapes)
    assert len(shapes) == len(figures)
    for shape, figure in zip(shapes, figures, strict=True):
        assert shape._inline.docPr.get("descr").startswith(figure.name)


def test_it_says_its_title_and_language_and_keeps_nobody_s_name(copies):
    for copy in copies.values():
        told = copy.core_properties
        assert told.language == "en-GB" and told.author == "" and told.title
        assert copy.styles["Normal"].element.find(f"{W}rPr/{W}lang").get(f"{W}val") == "en-GB"


def test_it_says_what_the_paper_says(copies):
    document, text = cohorts.discharges(), text_of(copies["discharges"])
    finding = document["finding"]
    for sentence in (
        finding["sentences"]["headline"],
        document["decision"]["verdict"],
        *finding["can_say"],
        *finding["cannot_say"],
    ):
        assert sentence in text
    assert "Full economic value" in text and "None" not in text.replace("None back", "")


def test_hostile_names_are_text(copies):
    assert documents.HOSTILE[0] in text_of(copies["hostile"])


def test_the_same_document_gives_the_same_parts():
    first, second = (zipfile.ZipFile(io.BytesIO(word_copy(documents.trust()))) for _ in range(2))
    assert first.namelist() == second.namelist()
    assert all(first.read(name) == second.read(name) for name in first.namelist())


def test_without_python_docx_it_is_refused_with_the_way_out_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    made = evaluate(study_in(tmp_path))
    with pytest.raises(UsageError, match=r'pip install "ucimpact\[docx\]", or run without --docx'):
        publish.save(made, tmp_path / "out", word=True)
    assert not (tmp_path / "out").exists()
    monkeypatch.undo()
    assert [path.name for path in publish.save(made, tmp_path / "out", word=True)][4] == "report.docx"


def test_the_package_asks_for_it_only_when_a_copy_is_written():
    code = "import sys, ucimpact.report.docx; print('docx' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "False"
