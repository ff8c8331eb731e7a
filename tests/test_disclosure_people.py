"""No number of 1 to 7 people can be worked out from what is said of 137, by whatever they are multiplied."""

from __future__ import annotations

import copy
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ucimpact import serialise
from ucimpact.diagnostics import cohort_checks
from ucimpact.disclosure import release
from ucimpact.disclosure.alike import is_season
from ucimpact.disclosure.cohort import is_count
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.evaluation import Evaluation
from ucimpact.inference.sensitivity import Control, Pooled
from ucimpact.methods.matched_cohort import NegativeControls
from ucimpact.publish import save

sys.path.insert(0, str(Path(__file__).parent / "report"))
import cohorts

N, OTHERS = 137, 411
SMALL = range(1, 8)
RATES = ("pilot", "comparison", "others", "comparison_before", "pilot_before", "lost", "matched", "outside")
"""Fields that are a count over people, or 100 times it."""


def measure(
    name: str, events: int, *, before: float = 0.3, yes_no: bool = False, **more: Any
) -> dict[str, Any]:
    mean = events / N
    row = {
        "name": name,
        "label": name,
        "pilot_before": mean,
        "pilot": mean,
        "comparison_before": before,
        "comparison": mean + 0.001,
        "smd_before": -0.20412,
        "smd": 0.00652,
        "variance_ratio_before": 0.61,
        "variance_ratio": 1.07,
        "ks_before": 0.0548,
        "ks": 0.00145,
        "strength": 0.2,
        "strong": False,
    }
    return {**row, "yes_no": yes_no, **more}


def month(k: int, events: int, *, comparison: float = 6.883) -> dict[str, Any]:
    return {
        "month": k,
        "pilot": 100 * events / N,
        "comparison": comparison,
        "others": 6.5,
        "events_pilot": events,
        "events_comparison": 155,
        "events_others": 155,
        "difference": 100 * events / N - comparison,
        "std_error": 1.67,
    }


def groups() -> dict[str, Any]:
    """What a method says of 137 people, with a handful planted in every part."""
    return {
        "balance": [
            measure("age", 10613, before=76.9),
            measure("contact, last 7 days", 4, before=0.0246),
            measure("admissions at discharge", 139, before=1.02),
            measure("falls", 26),
            measure("lives alone", 61, before=0.45, yes_no=True),
            measure("needs an interpreter", 3, before=0.05, yes_no=True),
            measure("season (cosine)", -40),
        ],
        "balance_by_site": [
            {"site": f"Practice {k}", "n_pilot": 27, "n_comparison": 90, "max_smd": 0.31234, "worst": "falls"}
            for k in "ABC"
        ]
        + [{"site": "Practice D", "n_pilot": 5, "n_comparison": 90, "max_smd": 0.41234, "worst": "age"}],
        "trajectory": {
            "per": 100,
            "event": "admission",
            "rows": [month(-12, 9), month(-8, 1), month(-7, 8), month(-4, 6), month(-1, 138, comparison=101.1)],
        },
        "overlap": {"coefficient": 0.83456, "outside": 3 / N},
        "weights": {"ess": 172.896, "of": 250, "largest_share": 0.0143, "trimmed": 2},
        "lost": {"n": 4, "of": N + 4, "differ": [
            {"name": "falls", "label": "falls", "lost": 0.75, "matched": 0.19, "smd": 0.8},
        ], "reasons": [{"n": 4, "reason": "nobody was alike"}]},
        "trials": {
            "trigger": "admission", "mean_delay": 4 / N, "later_share": 3 / OTHERS, "later": "Of them 0.7% had it.", "served": 141, "placed": N,
            "delays": [{"day": 0, "n": 133}, {"day": 1, "n": 4}],
        },
    }  # fmt: skip


def controls() -> NegativeControls:
    """Two deaths, and what lay two years before."""
    parts = (
        Control("deaths", "deaths", -1.16234, 0.65712, -1.5, 11),
        Control("earlier", "before", -0.01523, 0.10123, -0.15, 451),
    )
    pooled = Pooled(log_ratio=-0.041741, std_error=0.099612, z=-0.41904, weights=np.array([0.0231, 0.9769]))
    counts = {"deaths": (2, 9), "earlier": (121, 330)}
    rows = tuple(
        {
            "column": c.name,
            "label": c.name,
            "reach": c.reach,
            "ratio": float(np.exp(c.log_ratio)),
            **{
                end: float(np.exp(c.log_ratio + by * c.std_error))
                for end, by in (("low", -1.96), ("high", 1.96))
            },
            "log_ratio": c.log_ratio,
            "std_error": c.std_error,
            "z": c.z,
            "why": None,
            **dict(zip(("events_pilot", "events_comparison"), counts[c.name], strict=True)),
        }
        for c in parts
    )
    return NegativeControls(rows=rows, controls=parts, pooled=pooled, cov=np.eye(2))


@pytest.fixture(scope="module")
def full() -> Evaluation:
    """The evaluation before its release."""
    document = copy.deepcopy(cohorts.discharges())
    document["study"]["release"] = {"profile": "hes2018", "seed": 1}
    document["estimates"] = [{**document["estimates"][0], "kind": "count"}]
    cohort, asked_of = groups(), controls()
    row = {"term": "att", "estimate": 0.03, "conf_low": -0.05, "conf_high": 0.11}
    made = Estimate(
        method="sequential-trials", estimand="ATT", outcome="y", effects=effects_frame([row]),
        counts={"matched_pilot": N}, extras=cohort,
    )  # fmt: skip
    asked = [
        cohort_checks.balance(made),
        cohort_checks.trajectory(made),
        cohort_checks.negative_controls(asked_of, made),
        cohort_checks.overlap(made),
        cohort_checks.weights(made),
        cohort_checks.served_later(made),
        cohort_checks.balance_by_site(made),
        cohort_checks.who_was_lost(made),
    ]
    document["checks"] = [check.to_dict() for check in asked if check is not None]
    people = {"pilot": N, "matched_pilot": N, "comparison": 2400, "matched_comparison": OTHERS}
    document["data"]["counts"] |= people
    document["data"]["cohort"] = {**cohort, "controls": serialise.plain(asked_of.to_dict())}
    return Evaluation.from_dict(document)


@pytest.fixture(scope="module")
def told(full: Evaluation) -> dict[str, Any]:
    return dict(release(full).to_dict())


def handfuls(value: Any, where: str = "") -> list[str]:
    """Where a count of 1 to 7 stands, or a share or mean that times the people it is of is one."""
    if isinstance(value, dict):
        if is_season(str(value.get("name", ""))):
            return []
        return [told for name, item in value.items() for told in handfuls(item, f"{where}.{name}")]
    if isinstance(value, list):
        return [told for item in value for told in handfuls(item, where)]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return []
    name = where.rsplit(".", 1)[-1]
    if is_count(name):
        return [f"{where} = {value}"] if round(value) in SMALL else []
    if name not in RATES:
        return []
    sizes = [n / per for n in (N, 135) for per in (1, 100)]
    near = [value * size for size in sizes if any(abs(value * size - k) < 0.04 * k for k in SMALL)]
    return [f"{where} = {value}: {near}"] if near else []


def test_what_is_planted_is_found_before_the_release(full: Evaluation) -> None:
    """Else the next test could not fail."""
    found = " ".join(handfuls({"checks": [c.to_dict() for c in full.checks], **full.data}))
    assert all(
        f"{part}." in found for part in ("checks", "balance", "trajectory", "overlap", "lost", "delays")
    )


def test_no_handful_can_be_worked_out_of_any_rate_share_or_mean(told: dict[str, Any]) -> None:
    assert handfuls({"checks": told["checks"], **told["data"]}) == []


def check(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(entry) for entry in document["checks"] if entry["name"] == name)


def test_the_months_of_the_check_are_those_of_the_page(full: Evaluation, told: dict[str, Any]) -> None:
    shown = {row["month"]: row for row in told["data"]["cohort"]["trajectory"]["rows"]}
    asked = check(told, "trajectory")
    assert [row["month"] for row in asked["table"]] == sorted(shown)
    assert all(
        row[arm] == shown[row["month"]][arm] for row in asked["table"] for arm in ("pilot", "comparison")
    )
    assert asked["table"][1]["pilot"] is None and asked["table"][0]["pilot"] == 7.3  # 10 of 137
    assert "0.7 a month" in check(full.to_dict(), "trajectory")["text"]
    assert "0.7" not in asked["text"] and "too few had any for figures to be shown" in asked["text"]
    assert "month eight" in asked["text"] or "month 8" in asked["text"]
    assert asked["statistic"] is None and asked["answer"] == check(full.to_dict(), "trajectory")["answer"]


def test_a_gap_that_may_be_shown_is_told_as_the_table_tells_it(full: Evaluation) -> None:
    data = copy.deepcopy(full.data)
    rows = data["cohort"]["trajectory"]["rows"]
    rows[1].update(month(-8, 12, comparison=16.0))
    made = Estimate(
        method="m", estimand="ATT", outcome="y", extras={"trajectory": data["cohort"]["trajectory"]},
        effects=effects_frame([{"term": "att", "estimate": 0.1, "conf_low": 0.0, "conf_high": 0.2}]),
    )  # fmt: skip
    asked = cohort_checks.trajectory(made)
    assert asked is not None and "8.8 a month per 100" in asked.text
    told = release(replace(full, data=data, checks=(asked,))).checks[0]
    assert "7.3 a month per 100" in told.text and "8.8" not in told.text  # 12 is shown as 10


def test_a_mean_of_a_handful_goes_with_all_that_gives_it_back(told: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in told["data"]["cohort"]["balance"]}
    for name in ("contact, last 7 days", "needs an interpreter"):
        beside = (
            "pilot",
            "comparison",
            "comparison_before",
            "smd_before",
            "ks",
            "ks_before",
            "variance_ratio",
        )
        assert all(rows[name][field] is None for field in beside)
        assert rows[name]["smd"] == 0.01
    assert rows["admissions at discharge"]["pilot"] == pytest.approx(140 / N, abs=0.005)  # and not 139
    assert rows["falls"]["pilot"] == pytest.approx(25 / N, abs=0.0005)
    assert rows["age"]["pilot"] == 77.5 and rows["season (cosine)"]["pilot"] is not None
    asked = {row["name"]: row for row in check(told, "balance")["table"]}
    assert asked["contact, last 7 days"]["smd_before"] is None
    assert asked["falls"]["smd_before"] == -0.2


def test_a_control_that_is_hidden_is_in_no_pool_and_no_sentence(told: dict[str, Any]) -> None:
    pooled = told["data"]["cohort"]["controls"]["pooled"]
    assert "weights" not in pooled
    assert (pooled["log_ratio"], pooled["std_error"], pooled["z"]) == (-0.04, 0.1, -0.4)
    text = check(told, "negative_controls")["text"]
    assert "Deaths: too few to be shown." in text and "would not have been noticed" not in text
    assert "Earlier: 0.98 times" in text


def test_a_pool_that_is_mostly_hidden_is_not_told_in_any_way(full: Evaluation) -> None:
    """The pool of one control is that control; the size of bias and what is left beyond are the pool again."""
    alone = controls()
    alone = replace(
        alone, rows=alone.rows[:1], controls=alone.controls[:1],
        pooled=Pooled(log_ratio=-1.16234, std_error=0.65712, z=-1.5, weights=np.ones(1)),
    )  # fmt: skip
    made = Estimate(
        method="m", estimand="ATT", outcome="y",
        effects=effects_frame([{"term": "att", "estimate": 0.1, "conf_low": 0.0, "conf_high": 0.2}]),
    )  # fmt: skip
    data, asked = copy.deepcopy(full.data), cohort_checks.negative_controls(alone, made)
    assert "stood at 0.31 times" in asked.text and "do not rule out a bias" in asked.text
    data["cohort"] |= {
        "controls": serialise.plain(alone.to_dict()),
        "bias": cohort_checks.bias(alone),
        "sensitivity": {"e_value": {"estimate": 1.6}, "bias_analysis": {"text": "0.31", "rows": []}},
    }
    told = release(replace(full, data=data, checks=(asked,)))
    text = told.checks[0].text
    assert "0.31" not in text and "bias" not in text and told.checks[0].statistic is None
    assert "Too few had some of these outcomes" in text and "Deaths: too few to be shown." in text
    groups = told.data["cohort"]
    assert groups["controls"]["pooled"] is None and "bias" not in groups
    assert set(groups["sensitivity"]) == {"e_value"}


@pytest.mark.parametrize(("events", "hidden"), [(6, True), (12, False)])
def test_a_ratio_of_days_in_which_a_handful_had_it_is_not_told(
    full: Evaluation, events: int, hidden: bool
) -> None:
    """Times what the comparison people had by that day, it would be their number."""
    data = copy.deepcopy(full.data)
    ways = [
        {"label": "The 3 nearest", "ratio": 1.3, "low": 0.8, "high": 2.3, "note": "Matched"},
        {"label": "Over 30 days", "ratio": 1.71, "low": 0.91, "high": 3.23, "note": "A shorter follow-up"},
    ]
    data["cohort"]["trials"] |= {"alternatives": ways, "agree": True}
    data["cohort"]["incidence"] = {
        "n_pilot": N, "rows": [{"day": 30, "pilot": events / N, "comparison": 0.05}],
    }  # fmt: skip
    made = Estimate(
        method="m", estimand="ATT", outcome="y", extras={"trials": data["cohort"]["trials"]},
        effects=effects_frame([{"term": "att", "estimate": 0.1, "conf_low": 0.0, "conf_high": 0.2}]),
    )  # fmt: skip
    asked = cohort_checks.agreement(made)
    assert asked is not None
    told = release(replace(full, data=data, checks=(asked,)))
    for rows in (told.data["cohort"]["trials"]["alternatives"], told.checks[0].table):
        assert rows[0]["ratio"] == 1.3
        assert [rows[1][name] is None for name in ("ratio", "low", "high")] == [hidden] * 3


def test_shares_of_a_handful_are_told_without_their_size(told: dict[str, Any]) -> None:
    asked = check(told, "overlap")
    assert asked["text"].startswith("A few of those with the service") and asked["statistic"] is None
    assert told["data"]["cohort"]["trials"]["mean_delay"] == 0.0
    assert told["data"]["cohort"]["lost"]["differ"] == []
    assert told["data"]["cohort"]["trials"]["later"] == ""
    assert "0.7%" not in check(told, "served_later")["text"]
    assert check(told, "served_later")["statistic"] is None
    assert not re.search(r"\b[1-7] of \d", " ".join(entry["text"] for entry in told["checks"]))


def test_no_statistic_is_told_to_more_than_two_figures(told: dict[str, Any]) -> None:
    numbers = [entry["statistic"] for entry in told["checks"] if entry["statistic"] is not None]
    assert len(numbers) > 2 and all(float(f"{n:.2g}") == n for n in numbers)


def test_the_file_of_checks_holds_what_the_page_holds(full: Evaluation, tmp_path: Path) -> None:
    save(full, tmp_path)
    text = (tmp_path / "tables" / "checks.csv").read_text() + (tmp_path / "evaluation.json").read_text()
    assert "0.0292" not in text and "0.73" not in text and "4.38" not in text
