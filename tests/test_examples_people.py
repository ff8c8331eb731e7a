"""The examples of people, from their files to what is said and what it would have to be worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.looking import REPORTS
from ucimpact.data.examples import folder
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.publish import save
from ucimpact.study import read_study

TRIALS = ("soft_landing", "discharge_planning", "palliative_inreach")


@pytest.fixture(scope="module")
def evaluations() -> dict[str, Evaluation]:
    return {name: evaluate(read_study(folder(name) / "study.toml")) for name in (*TRIALS, "befriending")}


@pytest.fixture(scope="module")
def documents(evaluations: dict[str, Evaluation]) -> dict[str, dict[str, Any]]:
    return {name: dict(evaluation.to_dict()) for name, evaluation in evaluations.items()}


@pytest.fixture
def landing(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return documents["soft_landing"]


@pytest.fixture
def clients(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return documents["befriending"]


def planted(name: str) -> dict[str, dict[str, float]]:
    truth: dict[str, dict[str, float]] = json.loads((folder(name) / "truth.json").read_text())["truth"]
    return truth


@pytest.mark.parametrize("name", TRIALS)
def test_the_range_of_every_outcome_holds_what_was_planted(
    documents: dict[str, dict[str, Any]], name: str
) -> None:
    found = 0
    for estimate in documents[name]["estimates"]:
        if estimate["role"] not in ("primary", "outcome") or estimate.get("refused"):
            continue
        att = estimate["effects"][0]
        assert att["term"] == "att"
        assert att["conf_low"] < planted(name)[estimate["outcome"]]["att"] < att["conf_high"], estimate[
            "label"
        ]
        found += 1
    assert found >= 3


@pytest.mark.parametrize("name", TRIALS)
def test_other_ways_of_the_same_question_agree_and_at_most_one_thing_out_of_reach_seems_to_move(
    documents: dict[str, dict[str, Any]], name: str
) -> None:
    truth, controls = planted(name), []
    for estimate in documents[name]["estimates"]:
        assert estimate.get("refused") is None, (estimate["label"], estimate["refused"])
        att = estimate["effects"][0]
        if estimate["role"] == "sensitivity":
            assert att["conf_low"] < truth[estimate["outcome"]]["att"] < att["conf_high"], estimate["label"]
        if estimate["role"] == "control":
            controls.append(att["conf_low"] < 0 < att["conf_high"])
    assert len(controls) == 5
    assert sum(controls) >= 4  # five tests at 5%: two or more of them in 2% of studies


@pytest.mark.parametrize("name", TRIALS)
def test_the_checks_of_a_clean_comparison_hold(documents: dict[str, dict[str, Any]], name: str) -> None:
    answers = {check["name"]: check["answer"] for check in documents[name]["checks"]}
    for check in ("balance", "clock", "negative_controls", "other_change", "same_coding"):
        assert answers[check] == "holds", check


@pytest.mark.parametrize("name", [name for name in TRIALS if name != "soft_landing"])
def test_the_reports_of_an_example_are_written_whole(
    evaluations: dict[str, Evaluation], name: str, tmp_path: Path, look: Callable[[Path], None]
) -> None:
    save(evaluations[name], tmp_path)
    written = {path.name for path in tmp_path.iterdir()}
    assert written >= {*REPORTS, "evaluation.json", "tables"}
    look(tmp_path)


def test_nothing_that_was_declared_is_refused_of_clients_alone(clients: dict[str, Any]) -> None:
    assert [estimate.get("refused") for estimate in clients["estimates"] if estimate.get("refused")] == []


def test_before_and_after_would_have_claimed_ten_times_as_much(landing: dict[str, Any]) -> None:
    naive, planted_here = landing["finding"]["naive"], planted("soft_landing")["before_after"]
    fall = naive["before"] - naive["after"]
    assert fall > 10 * abs(planted("soft_landing")["Emergency admissions"]["per_100"])
    assert naive["share"] == pytest.approx(planted_here["share_of_fall_without_service"], abs=0.05)


def test_break_even_is_the_arithmetic_of_seven_visits(landing: dict[str, Any]) -> None:
    # £25 x 7 x 1.2 = £210; £2,711 an admission: 7.7 of 100 people, and 19.4 where 40% of it is freed
    found = landing["valuation"]["break_even"]
    assert found["price"] == 25 * 7 * 1.2
    full, marginal = found["rows"][:2]
    assert (full["per_event"], full["events_per_100"]) == pytest.approx((2711, 7.7), abs=0.05)
    assert (marginal["per_event"], marginal["events_per_100"]) == pytest.approx((0.4 * 2711, 19.4), abs=0.05)


def test_a_charity_without_comparison_makes_no_finding(clients: dict[str, Any]) -> None:
    naive = clients["finding"]["naive"]
    assert clients["finding"]["design"] == "before-after"
    assert clients["certainty"]["level"] == "very low"
    assert naive["before"] - naive["after"] > 80  # of 250: a claim that looks grand
    assert naive["share"] > 0.85  # and is what picking people at their worst gives by itself
    assert planted("befriending")["Admissions 180 days after"]["att"] == 0
