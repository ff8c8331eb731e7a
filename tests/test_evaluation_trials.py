"""A study of people with dated events, from two tables to one document."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ucimpact.data.examples import folder
from ucimpact.errors import UsageError
from ucimpact.evaluation import evaluate
from ucimpact.evaluation.trials import TrialsWork, counted_of
from ucimpact.study import Study, read_records, read_study


def study_with(tmp_path: Path, *changes: tuple[str, str]) -> Study:
    """The soft landing example without its sensitivity analyses, changed."""
    for file in folder("soft_landing").iterdir():
        shutil.copy(file, tmp_path / file.name)
    text = (tmp_path / "study.toml").read_text()
    head, _, rest = text.partition("[[sensitivity]]")
    text = head + rest[rest.index("[cost]") :]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (tmp_path / "study.toml").write_text(text)
    return read_study(tmp_path / "study.toml")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return study_with(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def document(study: Study) -> dict[str, Any]:
    return dict(evaluate(study).to_dict())


@pytest.fixture(scope="module")
def work(study: Study) -> TrialsWork:
    return TrialsWork(study, read_records(study), lambda *_: None)


def test_every_outcome_stands_once_in_its_role(document: dict[str, Any], study: Study) -> None:
    told = [(e["role"], e["outcome"]) for e in document["estimates"] if e["role"] != "naive"]
    controls = {o.column for o in study.outcomes if o.negative_control}
    assert told[0] == ("primary", "Emergency admissions")
    assert sorted(column for _, column in told) == sorted(o.column for o in study.outcomes)
    assert {column for role, column in told if role == "control"} == controls


def test_the_light_cohort_counts_what_the_trials_count(work: TrialsWork, study: Study) -> None:
    """The mean of those who start is the same in the trials and in what checks and money read."""
    cohort = work.cohort
    y, days = cohort.values("Emergency admissions")[cohort.is_pilot], cohort.days
    assert days is not None
    estimate = work.fit(work.main_outcome, study.method.name, study.method.options)
    observed = y.sum() / days[cohort.is_pilot].sum() * cohort.horizon
    assert observed == pytest.approx(estimate.extras["observed"], rel=1e-9)
    earlier = cohort.values("Emergency admissions before")[cohort.is_pilot]
    assert (earlier >= 1).mean() > 0.98  # everybody had just left hospital, a few after a stay of months


def test_the_light_cohort_holds_a_yes_or_no_of_those_seen_for_all_of_it(
    work: TrialsWork, study: Study
) -> None:
    """The share of those who start is the same in the trials and in what checks and money read."""
    outcome = next(o for o in study.outcomes if o.counted is not None and o.counted.event == "death")
    cohort = work.cohort
    y = cohort.values(outcome.column)[cohort.is_pilot]
    days = cohort.days
    assert days is not None
    short = (days[cohort.is_pilot] < counted_of(outcome).days[1]) & ~(y == 1)
    assert short.any()
    assert np.isnan(y[short]).all()
    assert set(np.unique(y[~short])) == {0.0, 1.0}
    estimate = work.fit(outcome, study.method.name, study.method.options)
    assert np.nanmean(y) == pytest.approx(estimate.extras["observed"], abs=0.003)  # a few match nobody


def test_the_light_cohort_starts_both_clocks_on_the_day_of_the_start(work: TrialsWork) -> None:
    assert work.cohort.delay is not None
    assert (work.cohort.delay == 0).all()


def test_the_question_is_printed_with_the_number(document: dict[str, Any]) -> None:
    trials = document["data"]["cohort"]["trials"]
    assert trials["estimand"] == "usual-care"
    assert "carrying on as usual (some started later)" in trials["question"]
    assert 0 < trials["later_share"] < 1
    assert trials["immortal"]["ratio"] < 0.95


def test_simpler_comparisons_stand_beside_with_what_is_wrong_with_them(document: dict[str, Any]) -> None:
    named = {row["name"]: row for row in document["data"]["cohort"]["trials"]["naive"]}
    assert set(named) >= {"before-after", "visited-unvisited-adjusted", "never-served", "static"}
    assert all(row["why"] for row in named.values())
    assert document["finding"]["naive"]["share"] > 0.5


def test_the_bias_that_nothing_excludes_is_told_and_its_verdict_is_that_of_the_rule(
    document: dict[str, Any],
) -> None:
    cohort = document["data"]["cohort"]
    pooled = cohort["controls"]["pooled"]
    told = 4 * (abs(pooled["log_ratio"]) + 1.64 * pooled["std_error"])
    assert cohort["bias"]["not_excluded"] == pytest.approx(told, rel=1e-9)
    check = next(c for c in document["checks"] if c["name"] == "negative_controls")
    assert f"{100 * np.expm1(told):.0f}%" in check["text"]
    assert check["answer"] == (
        "fails" if abs(pooled["z"]) > 2.58 else "doubtful" if abs(pooled["z"]) > 1.64 else "holds"
    )


def test_every_person_day_is_accounted_for(document: dict[str, Any]) -> None:
    flow = document["data"]["flow"]
    read = next(step["n"] for step in flow if "discharges from" in step["text"])
    kept = next(step["n"] for step in flow if step["text"] == "discharges in the trials")
    first = next(at for at, step in enumerate(flow) if "discharges from" in step["text"])
    last = next(at for at, step in enumerate(flow) if step["text"] == "discharges in the trials")
    assert read - sum(step["n"] for step in flow[first:last] if step["kind"] == "out") == kept


def test_no_person_is_in_the_document(document: dict[str, Any], work: TrialsWork) -> None:
    text = json.dumps(document)
    people = work.histories.people["Person"].astype(str)
    assert not [name for name in people.head(200) if f'"{name}"' in text]


def test_another_window_takes_other_trials(tmp_path: Path) -> None:
    text = '[[sensitivity]]\nname = "sequential-trials"\nas_main = true\nwindow = { from = 2022-04-01, to = 2023-03-31 }\n'
    study = study_with(tmp_path, ("[cost]", text + "\n[cost]"))
    estimates = evaluate(study).to_dict()["estimates"]
    whole, part = (next(e for e in estimates if e["role"] == role) for role in ("primary", "sensitivity"))
    assert 0.3 < part["counts"]["matched_pilot"] / whole["counts"]["matched_pilot"] < 0.7


@pytest.mark.parametrize("question", ["strategy"])
def test_a_question_about_other_people_is_refused(tmp_path: Path, question: str) -> None:
    study = study_with(tmp_path, ("within = 14 ", f'question = "{question}"\nwithin = 14 '))
    with pytest.raises(UsageError, match="of everybody who left hospital"):
        evaluate(study)


def test_an_outcome_says_what_is_counted(study: Study) -> None:
    from dataclasses import replace

    with pytest.raises(UsageError, match=r"counted = \{ event"):
        counted_of(replace(study.primary, counted=None))


def test_no_place_is_unlike_by_the_time_of_year(document: dict[str, Any]) -> None:
    rows = document["data"]["cohort"]["balance_by_site"]
    assert len(rows) > 10
    assert not [row for row in rows if "season" in row["worst"]]
