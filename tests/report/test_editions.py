"""Four reports from one document: each answers four questions at once, prints as it should, and is whole."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import cohorts
import documents
import pytest
from test_render import Page
from test_statement_browser import lengthened

from tests.looking import PHONE, REPORTS, WIDE, Opened, looked_at, texts_of, violations
from ucimpact.errors import UsageError
from ucimpact.report import editions
from ucimpact.report.render import (
    THEMES,
    environment,
    pages,
    render,
    render_board,
    render_statement,
    templates,
)
from ucimpact.report.view import view
from ucimpact.words import breaks, unquoted

EVERY = {name: make for name, make in {**documents.DOCUMENTS, **cohorts.COHORTS}.items() if name != "waves"}
"""All but the one that works out an example: the examples are looked at where they are run."""
NAMES = [name for name in EVERY if name != "hostile"]
JUDGED = {"practices": "report.html", "hub": "impact-statement.html"}
"""Whose board page, and which page beside it, the judge of accessibility sees."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return {name: pages(make()) for name, make in EVERY.items()}


@pytest.fixture(scope="module")
def folders(written: dict[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name, files in written.items():
        made[name] = tmp_path_factory.mktemp("reports")
        for file, text in files.items():
            (made[name] / file).write_text(text, encoding="utf-8")
    return made


@pytest.mark.parametrize("name", EVERY)
def test_every_page_is_whole_fetches_nothing_and_runs_nothing(written, name):
    assert tuple(written[name]) == REPORTS
    for file, text in written[name].items():
        page = Page(text)
        assert page.open == [] and len(page.ids) == len(set(page.ids)), file
        assert not {"script", "link", "img", "iframe", "form"} & {tag for tag, _ in page.tags}, file
        linked = [v for _, attrs in page.tags for k, v in attrs.items() if k == "href" and v]
        assert all(v.startswith("data:") or v[1:] in page.ids for v in linked), file
        assert "http://" not in text and "https://" not in text, file
        assert not re.search(r"\b(None|nan) (to|fewer|more|per|people)\b", page.words()), file


@pytest.mark.parametrize("name", NAMES)
def test_no_page_says_what_must_not_be_said(written, name):
    for file, text in written[name].items():
        prose = unquoted(Page(text).words(without=("style", "pre", "title", "desc")))
        assert [found for found in breaks(prose) if "words:" not in found] == [], file


@pytest.mark.parametrize("name", ["practices", "visits"])
def test_the_pages_of_a_run_are_those_that_are_made_one_by_one(written, name):
    document = EVERY[name]()
    before = copy.deepcopy(document)
    assert written[name]["appendix.html"] == render(document)
    assert written[name]["impact-statement.html"] == render_statement(document)
    assert pages(document) == written[name] and document == before


@pytest.mark.browser
@pytest.mark.parametrize("name", NAMES)
def test_each_of_the_four_answers_at_once_and_prints_as_it_should(browser, folders, name):
    looked_at(browser, folders[name], EVERY[name]())


@pytest.mark.browser
@pytest.mark.parametrize("name", JUDGED)
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["1280", "360"])
def test_axe_finds_nothing_on_the_short_pages(browser, folders, name, size):
    for file in ("board.html", JUDGED[name]):
        assert violations(browser, folders[name] / file, size) == [], file


@pytest.mark.browser
def test_a_page_without_one_of_the_answers_would_be_noticed(browser, folders, tmp_path):
    for file in REPORTS:
        text = (folders["practices"] / file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(text.replace("How sure are we?", "On certainty"), encoding="utf-8")
    with pytest.raises(AssertionError, match="how sure"):
        looked_at(browser, tmp_path, EVERY["practices"]())


# Which section stands where


@pytest.mark.parametrize("name", NAMES)
def test_every_section_is_in_the_paper_or_kept_out_of_it_on_purpose(name):
    known = {*editions.IN_PAPER, *editions.IN_APPENDIX_ALONE}
    assert not set(editions.IN_PAPER) & set(editions.IN_APPENDIX_ALONE)
    assert {section.ident for section in view(EVERY[name]()).sections} <= known


def test_the_paper_has_its_sections_in_its_own_order_and_cut_to_what_a_decision_needs(written):
    idents = re.findall(r'<section id="([^"]+)"', written["practices"]["report.html"])
    assert idents == [ident for ident in editions.IN_PAPER if ident in idents]
    assert {"say", "effect", "money", "trust", "agree", "how"} <= set(idents) | {"money"}
    assert not set(idents) & set(editions.IN_APPENDIX_ALONE)
    document = documents.practices()
    paper = " ".join(Page(written["practices"]["report.html"]).words().split())
    for check in document["checks"]:
        assert check["question"] in paper
        assert (check["text"] in paper) == (check["answer"] != "holds")
    for entry in document["estimates"]:
        assert (entry["label"] in paper) == (entry["role"] in ("primary", "sensitivity", "outcome"))


def test_each_page_names_the_others(written):
    for file, text in written["hub"].items():
        if file in ("report.html", "board.html"):
            assert all(other in text for other in REPORTS if other != file)


# The theme


def test_the_nhs_theme_changes_colours_and_letters_alone():
    document = documents.trust()
    plain, nhs = pages(document), pages(document, "nhs")
    for file in REPORTS:
        assert "#005eb8" not in plain[file] and "#005eb8" in nhs[file]
        css = nhs[file].index("/* The colours of the NHS")
        end = nhs[file].index("@page{@bottom-left", css)
        assert nhs[file][:css] + nhs[file][end:] == plain[file]
        assert "logo" not in re.sub(r"/\*.*?\*/", "", nhs[file])


def test_a_theme_that_there_is_not_is_refused_by_name():
    with pytest.raises(UsageError, match='no theme "pink": there are neutral and nhs'):
        pages(documents.trust(), "pink")


def luminance(colour: str) -> float:
    """Of WCAG 2.2: relative luminance of "#rrggbb"."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_by_hand():
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the known near miss


@pytest.mark.parametrize("theme", THEMES)
def test_text_stands_out_from_what_is_behind_it(theme):
    css = (templates() / "style.css").read_text()
    if theme == "nhs":
        css += (templates() / "nhs.css").read_text()
    colours = dict(re.findall(r"--(\w+):(#[0-9a-fA-F]{6})", css))
    for text in ("ink", "muted", "brand"):
        for behind in ("#ffffff", colours["wash"]):
            assert contrast(colours[text], behind) >= 4.5, (text, behind)
    assert contrast("#ffffff", colours["brand"]) >= 4.5  # the decision is white on it
    palette = {"blue": "#12436D", "teal": "#28A197", "plum": "#801650", "orange": "#F46A25"}
    assert {name: colours[name] for name in palette} == palette  # of charts, in every theme


def test_a_theme_is_known_to_every_template():
    assert environment("nhs").globals["theme"] == "nhs"


def test_places_and_series_have_a_statement_of_their_own(written):
    told: dict[str, Any] = {
        name: " ".join(Page(written[name]["impact-statement.html"]).words().split())
        for name in ("practices", "hub", "winter")
    }
    assert "We compared 12 pilot practices with 28 other practices." in told["practices"]
    assert "practices with the pilot" in told["practices"] and "practices beside them" in told["practices"]
    assert "an evaluation compared the" in told["hub"] and "before made likely" in told["hub"]
    assert "could not give a likely range" in told["winter"] and "We compared" not in told["winter"]


# Charts


GREYS = (
    "#1b2733",
    "#4d5963",
    "#69757f",
    "#a9b2ba",
    "#c3ccd4",
    "#d3d9df",
    "#dfe4e9",
    "#e6eaee",
    "#ffffff",
    "#000000",
)
PALETTE = ("#12436d", "#28a197", "#801650", "#f46a25", "#1d7a72", "#8aa4bd", "#b9cbdb", "#c6d6e4", "#dcbccd")
"""The Government Analysis Function's four, the teal that can be read, and paler shades of blue and plum."""
MOST_SERIES = 4


def figures_of(name: str) -> list[Any]:
    return [section.figure for section in view(EVERY[name]()).sections if section.figure]


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_has_its_numbers_behind_it_and_at_most_four_series(name):
    for figure in figures_of(name):
        assert figure.table is not None and figure.table.rows, figure.ident
        series = len(getattr(figure.chart, "groups", ()))
        if hasattr(figure.chart, "comparison"):
            series = sum(
                any(v is not None for v in line)
                for line in (figure.chart.observed, figure.chart.expected, figure.chart.comparison)
            )
        assert series <= MOST_SERIES, figure.ident


def test_charts_keep_to_the_palette_in_every_theme(written):
    for name in NAMES:
        for file, text in written[name].items():
            drawn = " ".join(re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)).lower()
            found = set(re.findall(r"(?:fill|stroke)(?:: |=\")(#[0-9a-f]{6})", drawn))
            assert found <= {*GREYS, *PALETTE}, (name, file, found - {*GREYS, *PALETTE})
            assert len(found & set(PALETTE[:4])) <= MOST_SERIES


@pytest.mark.browser
@pytest.mark.parametrize("name", ["frailty", "practices", "hub"])
def test_the_board_page_stays_one_a4_with_the_longest_labels(browser, tmp_path, name):
    file, pdf = tmp_path / "board.html", tmp_path / "board.pdf"
    file.write_text(render_board(lengthened(EVERY[name]())), encoding="utf-8")
    with Opened(browser, file, WIDE) as opened:
        opened.page.pdf(path=str(pdf), prefer_css_page_size=True)
    assert len(texts_of(pdf)) == 1
