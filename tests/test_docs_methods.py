"""The examples of the pages on series and on checks run as they are printed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from tests.league.seven_pilots import SEVEN, evaluation
from ucimpact.diagnostics.check import Check
from ucimpact.estimate import Estimate
from ucimpact.methods import METHODS

DOCS = Path(__file__).parents[1] / "docs"
BLOCKS_OF_CHECKS = re.findall(
    r"```python\n(.*?)```", (DOCS / "checks.md").read_text(encoding="utf-8"), flags=re.DOTALL
)
HONEST = (DOCS / "honest_did.md").read_text(encoding="utf-8")


def ran(page: str) -> dict[str, Any]:
    """The names that the Python of a page leaves behind; it starts with none."""
    names: dict[str, Any] = {}
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert blocks, f"{page} has no example"
    for block in blocks:
        exec(block, names)
    return names


@pytest.mark.parametrize(
    ("page", "method"),
    [
        ("its", "its"),
        ("count_its", "count-its"),
        ("controlled_its", "controlled-its"),
        ("multi_site_its", "multi-site-its"),
        ("arima_its", "arima-its"),
        ("structural", "structural"),
    ],
)
def test_the_example_of_a_method_runs_and_gives_the_effects_it_names(page: str, method: str) -> None:
    estimate = ran(f"methods/{page}.md")["estimate"]
    assert isinstance(estimate, Estimate)
    assert estimate.method == method
    text = (DOCS / f"methods/{page}.md").read_text(encoding="utf-8")
    named = re.search(r"^estimate\.effects  # (.*)$", text, flags=re.MULTILINE)
    assert named is not None
    terms = re.findall(r"\b[a-z]+(?:_[a-z]+)*\b", named[1].split(", then")[0])
    assert set(terms) <= set(estimate.effects["term"])


@pytest.mark.parametrize(
    "page",
    [
        "before_after",
        "callaway_santanna",
        "cost_did",
        "count_did",
        "did",
        "event_study",
        "imputation",
        "matched_cohort",
        "weighted_cohort",
        "doubly_robust_cohort",
        "sun_abraham",
    ],
)
def test_the_example_of_places_or_people_runs(page: str) -> None:
    estimate = ran(f"methods/{page}.md")["estimate"]
    assert estimate.method == page.replace("_", "-")
    assert math.isfinite(estimate.headline["estimate"])


def test_the_example_of_a_drift_that_a_finding_survives_runs() -> None:
    found = ran("honest_did.md")["found"]
    said = re.findall(
        r"^found\.(?:sentence  # \"(.*)\"|breakdown  # (0\.\d\d)).*$", HONEST, flags=re.MULTILINE
    )
    assert said == [(found.sentence, ""), ("", f"{found.breakdown:.2f}")]


@pytest.mark.parametrize("block", BLOCKS_OF_CHECKS, ids=range(len(BLOCKS_OF_CHECKS)))
def test_each_example_of_the_page_on_checks_runs_alone(block: str) -> None:
    exec(block, {})


def test_the_example_of_a_league_runs_where_two_evaluations_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, place, row in zip(("home_visits", "link_workers"), ("Harle", "Westow"), SEVEN[:2], strict=True):
        (tmp_path / "out" / name).mkdir(parents=True)
        text = json.dumps(evaluation(name.replace("_", " ").capitalize(), place, *row[2:]))
        (tmp_path / "out" / name / "evaluation.json").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = ran("league.md")
    assert [pilot["name"] for pilot in names["league"]["pilots"]] == ["Home visits", "Link workers"]
    assert (tmp_path / "out" / "fund" / "league.html").is_file()


def test_the_examples_of_checks_give_checks() -> None:
    names = ran("checks.md")
    made = [
        names["pre_trend_power"](names["estimate"], worthwhile=1.5),
        names["residuals"](names["method"].fit(names["series"])),
    ]
    assert all(isinstance(check, Check) for check in made)
    assert isinstance(names["check"], Check)
    assert names["found"]["bias_analysis"]["rows"][1]["name"] == "living alone"


def test_the_example_of_the_calendar_counts_days_by_month() -> None:
    names = ran("calendar.md")
    ordinals, frequency = names["series"].ordinals, names["series"].frequency
    days = names["days_of"](["2024-01-03", "2024-03-29"], frequency, ordinals)
    assert days.tolist() == [1, 0, 1, 0, 0, 0]
    off = names["school_holidays"](names["terms"], frequency, ordinals)
    assert off.tolist() == [5, 5, 1, 10, 5, 0]


def test_the_front_page_names_every_method_and_the_words_explain_those_of_a_series() -> None:
    front = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert not [name for name in METHODS if f"`{name}`" not in front]
    words = (DOCS.parent / "GLOSSARY.md").read_text(encoding="utf-8")
    terms = ", ".join(re.findall(r"\*\*(.+?)\*\*", words, flags=re.DOTALL)).lower()
    for term in (
        "xmr",
        "special cause",
        "common cause",
        "phase-in",
        "arima",
        "structural",
        "definition change",
    ):
        assert term in terms
