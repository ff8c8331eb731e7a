"""The two examples of people, from the messy file to what is said and what it would have to be worth."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ucimpact.data.examples import folder
from ucimpact.evaluation import evaluate
from ucimpact.study import read_study

AFTER = "Admissions 90 days after"


def document(name: str) -> dict[str, Any]:
    return dict(evaluate(read_study(folder(name) / "study.toml")).to_dict())


@pytest.fixture(scope="module")
def landing() -> dict[str, Any]:
    return document("soft_landing")


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    return document("befriending")


def planted(name: str) -> dict[str, dict[str, float]]:
    truth: dict[str, dict[str, float]] = json.loads((folder(name) / "truth.json").read_text())["truth"]
    return truth


def test_the_matched_range_holds_what_was_planted(landing: dict[str, Any]) -> None:
    for estimate in landing["estimates"]:
        if estimate["role"] in ("primary", "outcome", "sensitivity"):
            att = estimate["effects"][0]
            assert att["term"] == "att"
            truth = planted("soft_landing")[estimate["outcome"]]["att"]
            assert att["conf_low"] < truth < att["conf_high"], estimate["label"]
        if estimate["role"] == "control":
            assert estimate["effects"][0]["conf_low"] < 0 < estimate["effects"][0]["conf_high"]


def test_nothing_that_was_declared_is_refused(landing: dict[str, Any], clients: dict[str, Any]) -> None:
    for made in (landing, clients):
        assert [estimate.get("refused") for estimate in made["estimates"] if estimate.get("refused")] == []
    roles = [estimate["role"] for estimate in landing["estimates"]]
    assert (roles.count("sensitivity"), roles.count("control"), roles.count("outcome")) == (3, 4, 3)


def test_the_checks_of_a_clean_comparison_hold(landing: dict[str, Any]) -> None:
    answers = {check["name"]: check["answer"] for check in landing["checks"]}
    for name in ("balance", "clock", "negative_controls", "other_change", "same_coding"):
        assert answers[name] == "holds", name


def test_before_and_after_would_have_claimed_ten_times_as_much(landing: dict[str, Any]) -> None:
    naive, planted_here = landing["finding"]["naive"], planted("soft_landing")["before_after"]
    assert naive["from"] == "comparison people"
    fall = naive["before"] - naive["after"]
    assert fall > 10 * abs(planted("soft_landing")[AFTER]["per_100"])
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
