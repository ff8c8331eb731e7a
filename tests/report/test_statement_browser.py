"""The impact statement in a real browser: one A4 page whatever the labels, quiet, readable, for every case."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cohorts
import documents
import pytest

from tests.looking import PHONE, WIDE, Opened, squeezed, texts_of, violations
from ucimpact import words
from ucimpact.report.render import render_paper, render_statement

pytestmark = pytest.mark.browser

TITLE = (
    "Community urgent response, soft-landing visits and home-from-hospital volunteers, Northmoor and Eastvale"
)
OUTCOME = "emergency admissions of people aged 65 or over with any respiratory diagnosis"
SUBJECT = "the home-from-hospital volunteers of the voluntary sector alliance"


def lengthened(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the longest labels that a study is likely to have, in every sentence."""
    finding, study = document["finding"], document["study"]
    old = {finding["outcome"]: OUTCOME, finding["subject"]: SUBJECT}

    def longer(value: Any) -> Any:
        if isinstance(value, str):
            for short, long in old.items():
                value = value.replace(words.capital(short), words.capital(long)).replace(short, long)
            return value
        if isinstance(value, dict):
            return {key: longer(item) for key, item in value.items()}
        return [longer(item) for item in value] if isinstance(value, list) else value

    document["finding"] = longer(finding)
    document["checks"], document["decision"] = longer(document["checks"]), longer(document["decision"])
    document["finding"].update(outcome=OUTCOME, label=words.capital(OUTCOME), subject=SUBJECT)
    study.update(title=TITLE, by="Northmoor and Eastvale voluntary sector alliance")
    return document


CASES = cohorts.COHORTS
LONG_CASES = {f"{name}, long labels": (lambda make=make: lengthened(make())) for name, make in CASES.items()}
ALL = {**CASES, **LONG_CASES}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("statements")
    made = {}
    for number, (name, make) in enumerate(ALL.items()):
        made[name] = folder / f"{number}.html"
        made[name].write_text(render_statement(make()), encoding="utf-8")
    return made


@pytest.mark.parametrize("name", ALL)
def test_it_prints_as_one_page_of_a4(browser, pages, name, tmp_path):
    with Opened(browser, pages[name], WIDE) as opened:
        pdf = tmp_path / "statement.pdf"
        opened.page.pdf(path=str(pdf), prefer_css_page_size=True)
    printed = texts_of(pdf)
    assert len(printed) == 1
    text = squeezed(printed[0])
    assert squeezed("What we can say") in text and squeezed("A paragraph you may quote") in text
    assert squeezed("full method in the evaluation report of") in text and "1of1" in text


def wordy(document: dict[str, Any]) -> dict[str, Any]:
    """With quotations and a lead that are half as long again."""
    document = lengthened(document)
    finding = document["finding"]
    for key in ("can_say", "cannot_say"):
        finding[key] = [f"{text} {text[: len(text) // 2]}" for text in finding.get(key) or ()]
    lead = finding["sentences"]["lead"]
    finding["sentences"]["lead"] = f"{lead} {lead[: len(lead) // 2]}"
    return document


@pytest.mark.parametrize("change", [dict, lengthened, wordy], ids=["as it is", "long labels", "wordy"])
@pytest.mark.parametrize(
    "make", [documents.practices, documents.hub, documents.trust, documents.winter], ids=lambda m: m.__name__
)
def test_places_and_series_print_as_one_page_of_a4(browser, make, change, tmp_path):
    page, pdf = tmp_path / "statement.html", tmp_path / "statement.pdf"
    page.write_text(render_statement(change(make())), encoding="utf-8")
    with Opened(browser, page, WIDE) as opened:
        opened.page.pdf(path=str(pdf), prefer_css_page_size=True)
    assert len(texts_of(pdf)) == 1


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [WIDE, {"width": 768, "height": 1024}, PHONE], ids=["1280", "768", "360"])
def test_it_is_quiet_and_scrolls_only_down(browser, pages, name, size):
    with Opened(browser, pages[name], size) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        opened.page.wait_for_timeout(20)
        assert opened.said == [] and opened.asked == [pages[name].as_uri()]
        shown = ".narrow" if size is PHONE else ".wideonly"
        for svg in opened.page.locator("svg.wideonly, svg.narrow").all():
            assert svg.is_visible() == (shown[1:] in (svg.get_attribute("class") or ""))


@pytest.mark.parametrize("name", ALL)
def test_text_in_its_drawing_is_large_enough_and_does_not_touch(browser, pages, name):
    script = """() => [...document.querySelectorAll('svg[role=img]')].filter(s => s.getClientRects().length).map(
        s => [...s.querySelectorAll('text')].map(t => {const b = t.getBoundingClientRect(), f = s.getBoundingClientRect();
        return [t.textContent, b.left, b.top, b.right, b.bottom, f.left, f.right]}))"""
    for size in (WIDE, PHONE):
        with Opened(browser, pages[name], size) as opened:
            for texts in opened.page.evaluate(script):
                for k, (text, left, top, right, bottom, start, end) in enumerate(texts):
                    assert left >= start - 2 and right <= end + 2 and bottom - top >= 11, text
                    for other, x0, y0, x1, y1, *_ in texts[k + 1 :]:
                        across, down = min(right, x1) - max(left, x0), min(bottom, y1) - max(top, y0)
                        assert across < 1 or down < 4, f"{text!r} lies on {other!r}"


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["1280", "360"])
def test_axe_finds_nothing(browser, pages, name, size):
    assert violations(browser, pages[name], size) == []


PAIRS = {
    "Do other analyses agree?": "Main analysis",
    "What could this evaluation have found?": "four times in five",
}


@pytest.mark.parametrize("lines", (0, 24))
def test_a_question_of_the_paper_stands_on_the_page_of_its_answer(browser, tmp_path, lines):
    page, pdf = tmp_path / "paper.html", tmp_path / "paper.pdf"
    pushed = f'<main><div style="height:{lines}em"></div>'
    text = re.sub(r"<main[^>]*>", pushed, render_paper(documents.hub()), count=1)
    assert pushed in text
    page.write_text(text, encoding="utf-8")
    with Opened(browser, page, WIDE) as opened:
        opened.page.pdf(path=str(pdf), prefer_css_page_size=True)
    printed = [squeezed(text) for text in texts_of(pdf)]
    for question, answer in PAIRS.items():
        with_question = [text for text in printed if squeezed(question) in text]
        assert with_question and squeezed(answer) in with_question[0].partition(squeezed(question))[2], (
            question
        )
