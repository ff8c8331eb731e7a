"""The examples of every other service, from their files to what is said, and against what was planted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.examples import folder, home
from ucimpact.data.simulate_fund import OTHERS, PILOTS, ChallengeFund
from ucimpact.data.simulate_redesign import CommunityRedesign
from ucimpact.data.simulate_self_care import SelfCare
from ucimpact.data.simulate_winter import WinterFund
from ucimpact.evaluation import evaluate
from ucimpact.study import read_study

STUDIES = {
    "clinical_hub/study": "ae_attendances",
    "clinical_hub/beside_neighbours": "ae_attendances",
    "winter_fund/study": "delayed_days",
    "winter_fund/one_area": "delayed_days, Alderquillshire",
    "community_redesign/full_shift": "emergency_admissions, full",
    "community_redesign/half_shift": "emergency_admissions, half",
    "community_redesign/after_lag": "emergency_admissions, after half a year",
}
"""Study files and the truth of their main outcome."""


@cache
def document(study: str) -> dict[str, Any]:
    asked = read_study(home() / f"{study}.toml")
    if study.startswith("challenge_fund"):
        asked = replace(asked, sensitivity=())  # seven studies, of which only the main analysis is read
    return dict(evaluate(asked).to_dict())


def truth(name: str) -> dict[str, dict[str, float]]:
    told: dict[str, dict[str, float]] = json.loads((home() / name / "truth.json").read_text())["truth"]
    return told


def main(study: str, term: str = "relative") -> dict[str, Any]:
    rows = next(e for e in document(study)["estimates"] if e["role"] == "primary")["effects"]
    return next(row for row in rows if row["term"] == term)


def others(study: str, role: str) -> dict[str, dict[str, Any]]:
    """By label, the relative effect of the analyses of a role."""
    told = {}
    for estimate in document(study)["estimates"]:
        if estimate["role"] == role:
            assert not estimate.get("refused"), (estimate["label"], estimate["refused"])
            told[estimate["label"]] = next(e for e in estimate["effects"] if e["term"] == "relative")
    return told


@pytest.mark.parametrize("study", STUDIES)
def test_the_range_holds_what_was_planted(study: str) -> None:
    planted = truth(study.split("/")[0])[STUDIES[study]]["relative"]
    found = main(study)
    assert found["conf_low"] < planted < found["conf_high"]


@pytest.mark.parametrize("study", ["clinical_hub/study", "winter_fund/study"])
def test_every_door_is_counted_and_each_range_holds_what_was_planted(study: str) -> None:
    planted = truth(study.split("/")[0])
    names = [e["outcome"] for e in document(study)["estimates"] if e["role"] == "outcome"]
    for name, found in zip(names, others(study, "outcome").values(), strict=True):
        assert found["conf_low"] < planted[name]["relative"] < found["conf_high"], name


def test_one_hub_shows_what_was_moved_and_is_never_more_than_low_certainty() -> None:
    found = others("clinical_hub/study", "outcome")
    assert found["Ambulance conveyances"]["conf_high"] < 0 < found["Calls to 111"]["conf_low"]
    assert found["Emergency admissions"]["conf_low"] < 0 < found["Emergency admissions"]["conf_high"]
    assert document("clinical_hub/study")["certainty"]["level"] == "low"
    counted = {row["label"]: row for row in document("clinical_hub/study")["valuation"]["outcomes"]}
    assert len(counted) == 4


def test_another_way_to_the_hub_says_the_same() -> None:
    one, other = main("clinical_hub/study"), main("clinical_hub/beside_neighbours")
    assert one["conf_low"] < other["estimate"] < one["conf_high"]


def test_a_winter_looks_like_an_effect_to_an_area_beside_its_own_past() -> None:
    own = [found for label, found in others("winter_fund/study", "sensitivity").items() if "own" in label]
    together = main("winter_fund/study")
    assert own[0]["estimate"] < together["estimate"] - 0.03


def test_one_area_in_one_winter_says_far_less_than_six() -> None:
    six, one = (main(f"winter_fund/{name}") for name in ("study", "one_area"))
    assert one["conf_high"] - one["conf_low"] > 2 * (six["conf_high"] - six["conf_low"])
    assert document("winter_fund/one_area")["certainty"]["level"] == "very low"


def test_a_pilot_of_three_months_is_not_tried_without_them() -> None:
    labels = [e["label"] for e in document("winter_fund/study")["estimates"] if e["role"] == "dates"]
    assert "2 months fewer at the end" in labels
    assert "3 months fewer at the end" not in labels


def test_half_the_money_does_half_as_much_and_both_come_late() -> None:
    full, half = (main(f"community_redesign/{dose}_shift")["estimate"] for dose in ("full", "half"))
    assert full < half < 0
    path = [row for row in _rows("community_redesign/full_shift") if row["term"] == "event"]
    lag = np.mean([row["estimate"] for row in path if 0 <= row["event_time"] < 6])
    whole = np.mean([row["estimate"] for row in path if 18 <= row["event_time"] < 27])
    assert whole < lag - 1.5  # per 1,000 a month, of 21: 12% is 2.5
    assert (
        main("community_redesign/after_lag")["estimate"]
        < main("community_redesign/full_shift")["estimate"] / 2
    )


def _rows(study: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = next(e for e in document(study)["estimates"] if e["role"] == "primary")[
        "effects"
    ]
    return rows


def test_a_group_without_comparison_makes_no_finding() -> None:
    told = document("self_care/study")
    assert told["finding"]["design"] == "before-after"
    assert told["certainty"]["level"] == "very low"
    assert told["finding"]["est"] is None
    planted = truth("self_care")["Wellbeing after"]
    assert planted["share_without_group"] > 0.5  # of a rise that looks like the group's


# -- the fund ------------------------------------------------------------------------------------


def test_two_pilots_are_useful_and_the_two_smallest_come_first_on_their_own_results() -> None:
    planted = truth("challenge_fund")
    assert [name for name, told in planted.items() if told["relative"] < -0.14] == [
        "home_from_hospital",
        "falls_checks",
    ]
    assert all(told["relative"] == 0 for told in planted.values() if told["relative"] > -0.14)
    found = {name: main(f"challenge_fund/{name}/study") for name in PILOTS}
    first = sorted(found, key=lambda name: found[name]["estimate"])[:2]
    assert set(first) == set(sorted(PILOTS, key=lambda name: PILOTS[name].clients)[:2])
    for name, row in found.items():
        assert row["conf_low"] < planted[name]["relative"] < row["conf_high"], name


@pytest.mark.parametrize("name", PILOTS)
def test_groups_of_the_fund_are_alike_in_what_no_pilot_can_change(name: str) -> None:
    answers = {check["name"]: check["answer"] for check in document(f"challenge_fund/{name}/study")["checks"]}
    for check in ("balance", "clock", "other_change", "same_coding"):
        assert answers[check] == "holds", check
    assert answers["negative_controls"] in ("holds", "cannot tell")  # rare: room for a gap is left
    for estimate in document(f"challenge_fund/{name}/study")["estimates"]:
        if estimate["role"] == "control":
            assert estimate["effects"][0]["conf_low"] < 0 < estimate["effects"][0]["conf_high"]


def test_two_pilots_of_one_county_are_held_against_the_same_people() -> None:
    tables = {name: pd.read_csv(folder("challenge_fund") / name / "people.csv") for name in PILOTS}
    other = {name: set(table.loc[table["Client"] == 0, "Person"]) for name, table in tables.items()}
    assert other["welcome_calls"] == other["lunch_and_lifts"]
    assert len(other["welcome_calls"]) == OTHERS["Eskmere"]
    studies = {name: read_study(folder("challenge_fund") / name / "study.toml") for name in PILOTS}
    shared = {name for name, study in studies.items() if study.league and study.league.controls}
    assert shared == {"welcome_calls", "lunch_and_lifts"}


def test_the_fund_is_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in folder("challenge_fund").rglob("*.*")) < 2.5e6


# -- what is planted ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "outcome"),
    [
        (lambda seed: ChallengeFund(ratios=(1.0,) * 7).draw(seed).truth["falls_checks"], "relative"),
        (lambda seed: WinterFund(measures={}).draw(seed).truth, ""),
    ],
)
def test_a_truth_of_nothing_is_nothing(draw: Callable[[int], dict[str, float]], outcome: str) -> None:
    told = draw(3)
    assert (told.get(outcome, 0.0) if outcome else len(told)) == 0


def test_the_planted_ramp_by_hand() -> None:
    # nothing for 6 months; then 1/12, 2/12 ... of 12%; whole after 17 months; waves of 33, 30 and 27 months
    drawn = CommunityRedesign(level=0, drift=0, shock=0, luck=0, full=3, half=3, units=9).draw(1)
    growing = [0.0] * 6 + [k / 12 for k in range(1, 13)]
    months = [54 - wave for wave in (21, 24, 27)]
    mean = sum(sum([*growing, *[1.0] * (m - 18)]) for m in months) / sum(months)
    assert drawn.truth["emergency_admissions, full"]["relative"] == pytest.approx(-0.12 * mean, abs=0.004)


def test_the_planted_rise_of_wellbeing_is_seen_on_average() -> None:
    draws = [SelfCare().draw(seed) for seed in range(200)]
    seen = np.mean([(d.table["Wellbeing after"] - d.table["Wellbeing before"]).mean() for d in draws])
    told = np.mean([d.truth["Wellbeing after"]["before_after"] for d in draws])
    assert seen == pytest.approx(told, abs=0.12)  # 200 draws of 46: two standard errors
    assert all((d.table["GP contacts before"] >= 4).all() for d in draws)
