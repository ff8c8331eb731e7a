"""The page from a document alone: complete, escaped, self-contained, the same bytes each time."""

from __future__ import annotations

import base64
import copy
import csv
import io
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import documents
import pytest
from jinja2 import UndefinedError

from ucimpact.report import render as rendering
from ucimpact.report.render import environment, render, templates
from ucimpact.words import breaks, unquoted

NAMES = [name for name in documents.DOCUMENTS if name != "hostile"]
VOID = {"meta", "br", "link", "img", "input", "hr", "path", "rect", "circle", "use"}


class Page(HTMLParser):
    """Elements, ids, text, and whether every tag was closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append((self.open[-1] if self.open else "", data))

    def words(self, *, without: tuple[str, ...] = ("style", "pre", "title", "desc")) -> str:
        return " ".join(text for tag, text in self.text if tag not in without)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: render(make()) for name, make in documents.DOCUMENTS.items()}


@pytest.mark.parametrize("name", documents.DOCUMENTS)
def test_every_tag_closes_and_every_id_is_used_once_and_every_link_lands(pages, name):
    page = Page(pages[name])
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    linked = [v for _, attrs in page.tags for k, v in attrs.items() if k == "href" and v and v[0] == "#"]
    named = [n for _, attrs in page.tags for n in (attrs.get("aria-labelledby") or "").split()]
    assert linked and set(linked) <= {f"#{ident}" for ident in page.ids}
    assert set(named) <= set(page.ids)


@pytest.mark.parametrize("name", documents.DOCUMENTS)
def test_nothing_runs_and_nothing_is_fetched(pages, name):
    page = Page(pages[name])
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    for _, attrs in page.tags:
        assert not [attribute for attribute in attrs if attribute.startswith("on")]
        for attribute in ("href", "src"):
            target = attrs.get(attribute)
            assert target is None or target.startswith(("#", "data:text/csv;"))
    assert "http://" not in pages[name] and "https://" not in pages[name] and "url(http" not in pages[name]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in pages[name]


@pytest.mark.parametrize("name", documents.DOCUMENTS)
def test_the_same_document_gives_the_same_bytes_and_is_left_as_it_was(pages, name):
    document = documents.DOCUMENTS[name]()
    before = copy.deepcopy(document)
    assert render(document) == pages[name]
    assert document == before


@pytest.mark.parametrize("name", NAMES)
def test_the_first_screen_says_what_the_document_says(pages, name):
    document = documents.DOCUMENTS[name]()
    text = " ".join(Page(pages[name]).words().split())
    finding, told = document["finding"], document["finding"]["sentences"]
    for sentence in (told["headline"], told["found"] or "", *told["extra"], document["decision"]["verdict"]):
        assert sentence in text
    assert told["lead"].replace(" ", "") in text.replace(" ", "")  # the size stands in an element of its own
    for reason in (*document["decision"].get("next_steps", ()), *document["decision"]["would_change"]):
        assert reason in text
    for step in document["certainty"]["steps"]:
        assert f"{step['head']}  {step['text']}".replace("  ", " ") in text
    for sentence in (*finding["can_say"], *finding["cannot_say"], *finding["limits"]):
        assert sentence in text
    for check in document["checks"]:
        assert check["question"] in text and check["text"] in text
    assert document["study"]["hash"] in text
    assert document["study"]["text"] in Page(pages[name]).words(without=("style",))


@pytest.mark.parametrize("name", NAMES)
def test_no_word_that_must_not_be_said_outside_quotation(pages, name):
    prose = unquoted(Page(pages[name]).words())
    assert [found for found in breaks(prose) if "words:" not in found] == []


def test_a_section_without_content_is_absent_and_the_contents_know_it(pages):
    def headings(name: str) -> list[str]:
        return re.findall(r"<h2[^>]*>([^<]+)</h2>", pages[name])

    def contents(name: str) -> list[str]:
        return re.findall(r'<li><a href="#[^"]+">([^<]+)</a></li>', pages[name])

    for name in NAMES:
        assert contents(name) == headings(name)[-len(contents(name)) :]
    assert "How did the gap move, month by month?" in headings("practices")
    assert "How did the gap move, month by month?" not in headings("hub")
    assert "Do places without the pilot show changes as large?" in headings("trust")
    assert "Do other dates show changes as large?" in headings("hub")
    assert "What happened to the other outcomes?" in headings("practices")
    assert "What happened to the other outcomes?" not in headings("trust")
    assert "Do other analyses agree?" not in headings("winter")
    assert "What could this evaluation have found?" not in headings("winter")
    assert "What are the limits of this answer?" not in headings("winter")
    assert "You can say" not in pages["winter"] and "You cannot say" in pages["winter"]


def test_a_refused_range_shows_no_number_for_the_effect(pages):
    page = Page(pages["winter"]).words()
    assert "fewer" not in page.replace("2.5% fewer", "")  # only the check of other years speaks of fewer
    assert "pair" not in [attrs.get("class") for _, attrs in Page(pages["winter"]).tags]


def test_squares_only_where_whole_numbers_add_up(pages):
    assert pages["practices"].count('stroke-dasharray="3 2"') == 2 * 2
    document = documents.practices()
    document["finding"].update(expected=33.6, observed=31.4, est=-2.2)  # 34, 31 and 2: no squares
    assert 'class="pair"' in render(document)
    document["finding"].update(expected=33.6, observed=31.4, est=-2.6)  # 34, 31 and 3
    again = render(document)
    assert 'class="pair"' not in again and "31 happened" in again and "3 did not" in again


def test_every_file_behind_a_link_is_a_table_without_formulas(pages):
    for text in pages.values():
        for link in re.findall(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', text):
            rows = list(csv.reader(io.StringIO(base64.b64decode(link).decode())))
            assert len({len(row) for row in rows}) == 1
            for cell in (cell for row in rows for cell in row):
                assert not cell.startswith(("=", "+", "@", "\t")) and not re.match(r"-\D", cell)


def test_the_file_holds_the_numbers_of_the_chart(pages):
    document = documents.practices()
    [link] = re.findall(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', pages["practices"])
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(link).decode())))
    frame = document["estimates"][0]["counterfactual"]
    assert [row["period"] for row in rows] == [line["period"] for line in frame]
    for row, line in zip(rows, frame, strict=True):
        assert float(row["observed"]) == pytest.approx(line["observed"], rel=1e-5)
        assert float(row["expected_low"]) == pytest.approx(line["low"], rel=1e-5)


# Traps


def test_hostile_names_come_out_as_text(pages):
    page = pages["hostile"]
    assert "<script" not in page and "<img" not in page and "\u202e" not in page
    assert page.count("</style>") == page.count("<style>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    text = Page(page).words()
    for trap in documents.HOSTILE[:3]:
        assert trap in text
    svg = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert "&lt;script&gt;" in svg and "&quot;&gt;&lt;img" in svg
    [link] = re.findall(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', page)
    assert base64.b64decode(link).decode().splitlines()[1].startswith("'=1+1 0,")


def test_the_margin_of_print_holds_no_markup_and_closes_no_string(pages):
    [content] = re.findall(r'@page\{@bottom-left\{content:"(.*?)"\}\}', render(untitled('"}</style><b>x\\')))
    assert re.fullmatch(r"[A-Za-z0-9 \\]*", content)
    assert content.startswith("\\22 \\7d \\3c ")


def untitled(title: str) -> dict[str, Any]:
    document = documents.trust()
    document["study"]["title"] = title
    return document


def test_dollars_in_a_name_are_no_mathematics():
    document = documents.practices()
    document["data"]["frequency"] = "$x^2$"
    document["estimates"][0]["counterfactual"][0].update(period="$a_b$", label="$a_b$")
    assert "$a_b$</text>" in render(document)


def test_templates_leave_nothing_undefined():
    template = environment().from_string("{{ view.nothing }}")
    with pytest.raises(UndefinedError):
        template.render(view={})


def test_templates_do_no_arithmetic_and_say_nothing_of_a_result():
    for path in templates().rglob("*.j2"):
        for code in re.findall(r"\{[{%].*?[%}]\}", path.read_text(), flags=re.DOTALL):
            bare = re.sub(r'"[^"]*"', "", code).strip("{}%")
            assert not re.search(
                r"[*/]|(?<![\w-])-(?![\w-]*%)|\bround\b|\|\s*(int|float|sum|abs|format)\b", bare.strip("-")
            ), code
        said = re.sub(r"\{[{%].*?[%}]\}|<[^>]+>", " ", path.read_text())
        assert not re.search(r"\b(fewer|reduce[sd]?|increase[sd]?|avoided)\b", said), path.name


# Where it runs


def test_the_templates_are_found_in_an_installed_package(tmp_path, monkeypatch):
    package = tmp_path / "ucimpact" / "report"
    shutil.copytree(templates(), package / "templates")
    monkeypatch.setattr(rendering, "__file__", str(package / "render.py"))
    assert templates() == package / "templates"
    assert "</html>" in render(documents.winter())


def test_missing_templates_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "__file__", str(tmp_path / "a" / "b" / "render.py"))
    with pytest.raises(FileNotFoundError, match="templates are missing"):
        templates()


def test_importing_the_report_loads_neither_jinja_nor_matplotlib():
    root = Path(__file__).parents[2]
    code = "import sys; import ucimpact.report.render; print({'jinja2', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_report_takes_under_three_seconds_of_processor_time_from_a_cold_start():
    code = (
        "import time; import documents; from ucimpact.report.render import render\n"
        "document = documents.trust(); start = time.process_time(); render(document)\n"
        "print(time.process_time() - start)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env={"PYTHONPATH": f"{root}:{Path(__file__).parent}", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert float(done.stdout) < 3.0


def test_the_style_sheet_stays_small():
    assert len((templates() / "style.css").read_text()) < 13_600


def test_what_a_person_set_in_matplotlib_changes_nothing(pages):
    import matplotlib

    with matplotlib.rc_context({"axes.grid": True, "lines.linewidth": 9, "font.size": 30, "figure.dpi": 300}):
        assert render(documents.practices()) == pages["practices"]


def test_rendering_leaves_matplotlib_as_it_was():
    import matplotlib

    before = dict(matplotlib.rcParams)
    render(documents.winter())
    assert dict(matplotlib.rcParams) == before
