"""The page in a real browser with the network off: quiet, complete on the first screen, readable, printable.

Needs a Chromium on this machine, and axe-core for one test: ``UCIMPACT_AXE`` names its file, or
``make axe`` installs it beside this file. What is not there is skipped, and says so.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import documents
import pytest

from tests.looking import PHONE, WIDE, Opened, squeezed, texts_of, violations
from ucimpact.report.render import render

__all__ = ["PHONE", "WIDE", "Opened", "squeezed", "texts_of", "violations"]

pytestmark = pytest.mark.browser

NAMES = list(documents.DOCUMENTS)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    made = {}
    for name, make in documents.DOCUMENTS.items():
        made[name] = folder / f"{name}.html"
        made[name].write_text(render(make()), encoding="utf-8")
    return made


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_quiet_scrolls_only_down_and_shows_the_drawing_that_fits(browser, files, name):
    for size, shown in ((PHONE, "narrow"), ({"width": 768, "height": 1024}, "wideonly"), (WIDE, "wideonly")):
        with Opened(browser, files[name], size) as opened:
            opened.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
            opened.page.wait_for_timeout(50)
            assert opened.said == [] and opened.asked == [files[name].as_uri()]
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            for css in ("wideonly", "narrow"):
                seen = opened.page.evaluate(
                    f"[...document.querySelectorAll('svg.{css}')].map(s => s.getClientRects().length > 0)"
                )
                assert all(there == (css == shown) for there in seen)


def test_a_script_or_an_image_from_elsewhere_would_be_noticed(browser, files, tmp_path):
    spoilt = tmp_path / "spoilt.html"
    text = files["winter"].read_text(encoding="utf-8")
    spoilt.write_text(
        text.replace("<footer>", '<img src="https://example.org/x.png"><script>1</script><footer>')
    )
    with Opened(browser, spoilt, WIDE) as opened:
        assert any("Content Security Policy" in message for message in opened.said)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_screen_holds_the_whole_answer(browser, files, name):
    with Opened(browser, files[name], WIDE) as opened:
        box = opened.page.locator(".answer").bounding_box()
        assert box["y"] + box["height"] <= 900
        shown = opened.page.locator(".answer").inner_text()
        assert "What to do next" in shown and "How sure are we?" in shown
        document = documents.DOCUMENTS[name]()
        assert document["finding"]["sentences"]["headline"] in shown
        valued = "Is it worth the money?" in shown  # which then stands where this would
        if document["finding"]["sentences"]["found"] and not valued:
            assert document["finding"]["sentences"]["found"] in shown


def test_the_longest_answer_we_can_think_of_still_fits_the_first_screen(browser, tmp_path):
    document = documents.practices()
    told = document["finding"]["sentences"]
    told["headline"] = (
        "We could not tell whether the community urgent response service changed emergency admissions; a worthwhile fall is unlikely"
    )
    told["extra"] = [
        "This is not evidence that the service makes no difference.",
        "We had too few places to judge by, and one winter.",
    ]
    step = {
        "code": "S",
        "cost": 1,
        "head": "One step down:",
        "text": "14 months before and 7 after are too few to know season from change.",
    }
    document["certainty"]["steps"] += [step, step]
    document["decision"]["would_change"] = document["decision"]["would_change"][:2]
    path = tmp_path / "long.html"
    path.write_text(render(document), encoding="utf-8")
    with Opened(browser, path, WIDE) as opened:
        box = opened.page.locator(".answer").bounding_box()
        assert box["y"] + box["height"] <= 900


@pytest.mark.parametrize("name", NAMES)
def test_text_in_drawings_is_large_enough_and_does_not_touch(browser, files, name):
    script = """() => [...document.querySelectorAll('svg[role=img]')].filter(s => s.getClientRects().length).map(
        s => [...s.querySelectorAll('text')].map(t => {const b = t.getBoundingClientRect(), f = s.getBoundingClientRect();
        return [t.textContent, b.left, b.top, b.right, b.bottom, f.left, f.right]}))"""
    for size in (WIDE, PHONE):
        with Opened(browser, files[name], size) as opened:
            for texts in opened.page.evaluate(script):
                for k, (text, left, top, right, bottom, start, end) in enumerate(texts):
                    assert left >= start - 2 and right <= end + 2, text
                    assert bottom - top >= 11, text
                    for other, x0, y0, x1, y1, *_ in texts[k + 1 :]:
                        across, down = min(right, x1) - max(left, x0), min(bottom, y1) - max(top, y0)
                        assert across < 1 or down < 4, f"{text!r} lies on {other!r}"


@pytest.mark.parametrize("name", ["practices", "trust", "hub"])
def test_the_ends_of_an_axis_of_rows_keep_apart_and_on_the_page(browser, files, name):
    script = """() => [...document.querySelectorAll('.iv')].map(t => [...t.querySelectorAll('.t')].map(
        s => {const b = s.getBoundingClientRect(); return [s.textContent, b.left, b.right]}))"""
    for size in (WIDE, PHONE, {"width": 768, "height": 1024}):
        with Opened(browser, files[name], size) as opened:
            axes = opened.page.evaluate(script)
            assert axes
            for ticks in axes:
                assert ticks[0][1] >= 0 and ticks[-1][2] <= size["width"]
                for (one, _, right), (other, left, _) in itertools.pairwise(ticks):
                    assert left - right >= 4, f"{one!r} and {other!r}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["1280", "360"])
def test_axe_finds_nothing(browser, files, name, size):
    assert violations(browser, files[name], size) == []


def test_axe_would_find_a_fault(browser, files, tmp_path):
    spoilt = tmp_path / "spoilt.html"
    text = files["winter"].read_text(encoding="utf-8").replace('<html lang="en-GB">', "<html>")
    spoilt.write_text(text.replace("--muted:#4d5963", "--muted:#b0b8be"), encoding="utf-8")
    found = {name for name, _ in violations(browser, spoilt, WIDE)}
    assert {"html-has-lang", "color-contrast"} <= found


@pytest.mark.parametrize("name", NAMES)
def test_the_first_page_of_print_is_the_answer_alone(browser, files, name, tmp_path):
    with Opened(browser, files[name], WIDE) as opened:
        pdf = tmp_path / f"{name}.pdf"
        opened.page.pdf(path=str(pdf), prefer_css_page_size=True)
    pages = texts_of(pdf)
    assert 3 <= len(pages) <= 22
    assert "What to do next" in pages[0] and "How sure are we?" in pages[0]
    second = documents.DOCUMENTS[name]()["finding"]["outcome"]
    assert squeezed(f"Did {second} change?") not in squeezed(pages[0])
    assert squeezed(f"Did {second} change?") in squeezed(pages[1])
    assert f"1 of {len(pages)}" in pages[0]
    assert all(len(squeezed(text)) > 60 for text in pages)
    assert "In this report" not in "".join(pages) and "The numbers behind" not in "".join(pages)


def test_every_element_that_takes_the_keyboard_shows_that_it_has_it(browser, files):
    with Opened(browser, files["practices"], WIDE) as opened:
        page = opened.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
        assert page.locator("a.skip").bounding_box()["x"] >= 0
        for _ in range(6):
            page.keyboard.press("Tab")
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style == "solid"
