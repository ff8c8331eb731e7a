"""The report on people in a real browser: with small numbers hidden, with long names, and printed whole."""

from __future__ import annotations

from pathlib import Path

import cohorts
import pytest

from tests.looking import PHONE, WIDE, Opened, squeezed, texts_of, violations
from ucimpact.disclosure import Log
from ucimpact.disclosure.cohort import released
from ucimpact.report.render import render

pytestmark = pytest.mark.browser

LONG = "Emergency admissions in the 90 days to the discharge, of any length, in any hospital of the region"
COUNTS = {"matched_pilot": 742, "matched_comparison": 3720, "events_pilot": 302, "events_comparison": 1760}


def as_released():
    """The same with small numbers hidden, in half as many people."""
    document = cohorts.discharges()
    for row in document["data"]["cohort"]["trajectory"]["rows"][::2]:
        row["events_pilot"] = 5
    document["data"]["cohort"] = released(document["data"]["cohort"], COUNTS, Log())
    document["disclosure"]["suppressed"] = 12
    return document


def with_long_names():
    """The same with names as long as records have them."""
    document = cohorts.discharges()
    held = document["data"]["cohort"]
    for k, row in enumerate(held["balance"]):
        row["label"] = f"{LONG} ({k})"
    for row in held["subgroups"][0]["rows"]:
        row["group"] = LONG
    for row in (*held["trials"]["naive"], *held["trials"]["alternatives"]):
        row["label"] = LONG
    for row in held["balance_by_site"]:
        row["worst"] = LONG
    held["incidence"]["event"] = LONG
    held["trials"]["delays"] = [{"day": day, "n": 2000 - 9 * day} for day in range(91)]
    return document


CASES = {
    "discharges": cohorts.discharges,
    "released": as_released,
    "long": with_long_names,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("people")
    made = {}
    for name, make in CASES.items():
        made[name] = folder / f"{name}.html"
        made[name].write_text(render(make()), encoding="utf-8")
    return made


TEXTS = """() => [...document.querySelectorAll('svg[role=img]')].filter(s => s.getClientRects().length).map(
    s => [...s.querySelectorAll('text')].map(t => {const b = t.getBoundingClientRect(), f = s.getBoundingClientRect();
    return [t.textContent, b.left, b.top, b.right, b.bottom, f.left, f.right]}))"""


@pytest.mark.parametrize("name", ["released", "long"])
def test_the_page_is_quiet_fits_and_can_be_read(browser, files, name):
    for size in (WIDE, PHONE):
        with Opened(browser, files[name], size) as opened:
            for summary in opened.page.locator("summary").all():
                summary.click()
            opened.page.wait_for_timeout(50)
            assert opened.said == [] and opened.asked == [files[name].as_uri()]
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            for texts in opened.page.evaluate(TEXTS):
                for k, (text, left, top, right, bottom, start, end) in enumerate(texts):
                    assert left >= start - 2 and right <= end + 2, text
                    assert bottom - top >= 11, text
                    for other, x0, y0, x1, y1, *_ in texts[k + 1 :]:
                        across, down = min(right, x1) - max(left, x0), min(bottom, y1) - max(top, y0)
                        assert across < 1 or down < 4, f"{text!r} lies on {other!r}"


@pytest.mark.parametrize("name", ["discharges", "released"])
def test_the_first_screen_holds_the_answer_and_its_question(browser, files, name):
    with Opened(browser, files[name], WIDE) as opened:
        box = opened.page.locator(".answer").bounding_box()
        assert box["y"] + box["height"] <= 900
        shown = opened.page.locator(".answer").inner_text()
        for text in (
            "per 100 people supported",
            "The question answered:",
            "How sure are we?",
            "What to do next",
        ):
            assert text in shown


@pytest.mark.parametrize("name", ["long"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["1280", "360"])
def test_axe_finds_nothing(browser, files, name, size):
    assert violations(browser, files[name], size) == []


def test_the_first_page_of_print_is_the_answer_and_every_picture_is_printed(browser, files, tmp_path):
    with Opened(browser, files["discharges"], WIDE) as opened:
        pdf = tmp_path / "people.pdf"
        opened.page.pdf(path=str(pdf), prefer_css_page_size=True)
    pages = texts_of(pdf)
    assert 6 <= len(pages) <= 24
    assert "What to do next" in pages[0] and squeezed("The question answered:") in squeezed(pages[0])
    assert squeezed("Did emergency admissions change?") in squeezed(pages[1])
    every = squeezed("".join(pages))
    for text in (
        "After weighting the groups are alike on every measure", "the same path before the start", "days since the start",
        "days since emergency discharge", "A simpler comparison: no finding", "You cannot say",
    ):  # fmt: skip
        assert squeezed(text) in every, text
    assert all(len(squeezed(text)) > 60 for text in pages)
