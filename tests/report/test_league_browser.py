"""The league page in a real browser: the whole answer on one screen, quiet, readable, printable, for 2 to 50 pilots."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import leagues
import pytest

from tests.looking import PHONE, WIDE, Opened, squeezed, texts_of, violations
from ucimpact.report.render import render_league

pytestmark = pytest.mark.browser

NAMES = list(leagues.LEAGUES)
JUDGED = ["two", "bounds", "unpriced"]
"""Those that between them have every part of the page; more pilots add rows, not parts."""
PRINTED = ["challenge", "two", "none funded", "long names", "fifty"]

LAYOUT = """() => ({
  width: document.documentElement.scrollWidth,
  answer: document.querySelector('.answer').getBoundingClientRect().bottom,
  shown: [...document.querySelectorAll('svg.wideonly, svg.narrow')].map(
    s => [s.classList.contains('wideonly'), s.getClientRects().length > 0]),
  texts: [...document.querySelectorAll('svg[role=img]')].filter(s => s.getClientRects().length).map(
    s => [...s.querySelectorAll('text')].map(t => {const b = t.getBoundingClientRect(), f = s.getBoundingClientRect();
      return [t.textContent, b.left, b.top, b.right, b.bottom, f.left, f.right]})),
  axes: [...document.querySelectorAll('.iv')].map(t => [...t.querySelectorAll('.t')].map(
    s => {const b = s.getBoundingClientRect(); return [s.textContent, b.left, b.right]})),
  spilt: [...document.querySelectorAll('td, th')].filter(
    c => c.scrollWidth > c.clientWidth + 1 && !c.classList.contains('plot') && c.clientWidth).map(c => c.textContent)})"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("leagues")
    made = {}
    for number, (name, make) in enumerate(leagues.LEAGUES.items()):
        made[name] = folder / f"{number}.html"
        made[name].write_text(render_league(make()), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def seen(browser: Any, files: dict[str, Path]) -> dict[tuple[str, int], dict[str, Any]]:
    """Every page at both widths: what it said and asked for, and where its parts lie."""
    found = {}
    for name, size in itertools.product(NAMES, (WIDE, PHONE)):
        with Opened(browser, files[name], size) as opened:
            above = _above(opened.page, 900)
            opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            laid = opened.page.evaluate(LAYOUT)
            opened.page.wait_for_timeout(20)
            laid.update(said=opened.said, asked=opened.asked, above=above)
            found[name, size["width"]] = laid
    return found


def _above(page: Any, height: int) -> str:
    """The text that lies wholly above a height."""
    script = """h => {const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), out = [];
      while (walk.nextNode()) {const r = document.createRange(); r.selectNodeContents(walk.currentNode);
        const b = r.getBoundingClientRect(); if (b.height && b.bottom <= h && b.left >= 0) out.push(walk.currentNode.data)}
      return out.join(' ')}"""
    return " ".join(str(page.evaluate(script, height)).split()).replace("\u2060", "")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_quiet_asks_for_nothing_and_scrolls_only_down(seen, files, name):
    for width in (1280, 360):
        laid = seen[name, width]
        assert laid["said"] == [] and laid["asked"] == [files[name].as_uri()]
        assert laid["width"] <= width
        assert all(wide == (width == 1280) for wide, visible in laid["shown"] if visible)


@pytest.mark.parametrize("name", NAMES)
def test_four_answers_are_found_above_900_pixels(seen, name):
    document = leagues.LEAGUES[name]()
    text = seen[name, 1280]["above"]
    assert seen[name, 1280]["answer"] <= 900
    happened, sure = document["sentences"]["headline"], "How sure are we? Certainty is"
    worth, following = document["decision"]["because"], document["decision"]["verdict"]
    for answer in (happened, sure, worth, "What to do next", following, document["sentences"]["second"]):
        assert answer in text
    for verdict in {p["verdict"]["name"] for p in document["pilots"]}:
        assert verdict in text


def test_the_longest_answer_we_can_think_of_still_fits_one_screen(browser, tmp_path):
    document = leagues.long_names()
    unpriced = leagues.unpriced()["pilots"][6]
    document["pilots"][6].update(
        {k: unpriced[k] for k in ("price", "cost", "year", "evsi", "verdict", "own")}
    )
    document["sentences"]["headline"] = (
        "One pilot is ready to mainstream, two more deserve another year of evidence, and the biggest claim is half luck"
    )
    document["decision"]["unspent"] += " Nobody gains by spending it before the winter is over and counted."
    document["decision"]["would_change"] += " Nor do any of them free a bed that can be closed."
    path = tmp_path / "long.html"
    path.write_text(render_league(document), encoding="utf-8")
    with Opened(browser, path, WIDE) as opened:
        box = opened.page.locator(".answer").bounding_box()
        assert box["y"] + box["height"] <= 900


@pytest.mark.parametrize("name", NAMES)
def test_names_in_the_funnel_keep_apart_and_on_the_drawing(seen, name):
    for width in (1280, 360):
        for texts in seen[name, width]["texts"]:
            for k, (text, left, top, right, bottom, start, end) in enumerate(texts):
                assert left >= start - 2 and right <= end + 2 and bottom - top >= 11, text
                for other, x0, y0, x1, y1, *_ in texts[k + 1 :]:
                    across, down = min(right, x1) - max(left, x0), min(bottom, y1) - max(top, y0)
                    assert across < 1 or down < 4, f"{text!r} lies on {other!r}"


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_an_axis_keep_apart_and_no_cell_spills(seen, name):
    for width in (1280, 360):
        assert seen[name, width]["axes"]
        for ticks in seen[name, width]["axes"]:
            assert ticks[0][1] >= 0 and ticks[-1][2] <= width
            for (one, _, right), (other, left, _) in itertools.pairwise(ticks):
                assert left - right >= 2, f"{one!r} and {other!r}"
        assert seen[name, width]["spilt"] == []


@pytest.mark.parametrize("name", JUDGED)
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["1280", "360"])
def test_axe_finds_nothing(browser, files, name, size):
    assert violations(browser, files[name], size) == []


@pytest.mark.parametrize("name", PRINTED)
def test_the_first_page_of_print_is_the_answer_alone(browser, files, name, tmp_path):
    with Opened(browser, files[name], WIDE) as opened:
        pdf = tmp_path / "league.pdf"
        opened.page.pdf(path=str(pdf), prefer_css_page_size=True)
    pages = texts_of(pdf)
    assert squeezed("What to do next") in squeezed(pages[0]) and squeezed("How sure are we?") in squeezed(
        pages[0]
    )
    asked = squeezed("What did each pilot change?")
    assert asked not in squeezed(pages[0]) and asked in squeezed(pages[1])
    assert re.search(rf"1\s*of\s*{len(pages)}", pages[0])
    assert all(len(squeezed(text)) > 60 for text in pages)
    most = 10 if len(leagues.LEAGUES[name]()["pilots"]) <= 7 else 22
    assert len(pages) <= most
