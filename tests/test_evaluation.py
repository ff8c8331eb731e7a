"""From a study file to one document: what was asked is what is answered, and in which units."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.examples import folder
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.study import Study, read_study

PANEL_STUDY = """
schema = 1
[study]
title = "Test"
question = "Did it?"
pilot = "A pilot"
population = "People"
comparator = "Others"
by = "A team"
subject = "the visits"
plural = true
people = "people"
[data]
kind = "panel"
source = "table.csv"
unit = "unit"
period = "month"
start = "start"
population = "people"
[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"
primary = true
worthwhile = -0.05
[method]
name = "did"
[release]
profile = "none"
"""


def panel_table(units: int = 20, pilots: int = 1, periods: int = 24, mean: float = 60.0) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    months = pd.date_range("2022-04-01", periods=periods, freq="MS").strftime("%Y-%m")
    people = rng.integers(2_000, 4_000, units)
    rows = []
    for u in range(units):
        level = mean * people[u] / 3_000
        counts = rng.poisson(level * np.exp(rng.normal(0, 0.05, periods)))
        rows += [
            {
                "unit": f"place {u:02d}",
                "month": month,
                "start": "2023-04" if u < pilots else "",
                "people": int(people[u]),
                "admissions": int(count),
            }
            for month, count in zip(months, counts, strict=True)
        ]
    return pd.DataFrame(rows)


def study_in(path: Path, text: str = PANEL_STUDY, table: pd.DataFrame | None = None) -> Study:
    (panel_table() if table is None else table).to_csv(path / "table.csv", index=False)
    (path / "study.toml").write_text(text)
    return read_study(path / "study.toml")


@pytest.fixture(scope="module")
def acute() -> Evaluation:
    return evaluate(read_study(folder("acute_visiting") / "study.toml"))


@pytest.fixture(scope="module")
def crisis() -> Evaluation:
    return evaluate(read_study(folder("crisis_response") / "study.toml"))


def test_the_document_survives_json(acute: Evaluation, crisis: Evaluation) -> None:
    for evaluation in (acute, crisis):
        text = json.dumps(evaluation.to_dict(), allow_nan=False)
        again = Evaluation.from_dict(json.loads(text))
        assert json.dumps(again.to_dict(), allow_nan=False) == text


def test_the_same_study_gives_the_same_document(acute: Evaluation) -> None:
    again = evaluate(read_study(folder("acute_visiting") / "study.toml"))
    assert replace(again, created="").to_dict() == replace(acute, created="").to_dict()


def test_the_planted_truth_is_inside_the_range(acute: Evaluation, crisis: Evaluation) -> None:
    for evaluation, name in ((acute, "acute_visiting"), (crisis, "crisis_response")):
        truth = json.loads((folder(name) / "truth.json").read_text())["truth"]["emergency_admissions"]
        assert evaluation.primary.estimate is not None
        term = "att" if name == "acute_visiting" else "average"
        row = evaluation.primary.estimate.effect(term)
        assert row["conf_low"] <= truth[term] <= row["conf_high"]


def test_a_rate_becomes_a_number_for_every_hundred_people(acute: Evaluation) -> None:
    found, estimate = acute.finding, acute.primary.estimate
    assert estimate is not None
    months, per = 12, 1_000
    assert found["base"] == 100
    assert found["est"] == pytest.approx(estimate.headline["estimate"] * months * 100 / per)
    assert found["expected"] == pytest.approx(found["observed"] - found["est"])
    assert found["w"] == pytest.approx(0.05 * found["expected"])
    assert found["avoided"]["est"] == pytest.approx(-estimate.effect("cumulative")["estimate"])


def test_a_series_speaks_of_events_a_month(crisis: Evaluation) -> None:
    found, estimate = crisis.finding, crisis.primary.estimate
    assert estimate is not None
    assert found["per"] == "a month" and found["base"] is None
    months = 24 - 3  # the phase-in does not count
    assert found["est"] == pytest.approx(estimate.effect("cumulative")["estimate"] / months)
    assert found["observed"] == pytest.approx(found["observed_events"] / months)


def test_every_analysis_is_in_the_units_of_the_main_one(acute: Evaluation, crisis: Evaluation) -> None:
    for evaluation in (acute, crisis):
        main = evaluation.primary
        for analysis in evaluation.analyses:
            if analysis.role in ("sensitivity", "dates") and analysis.refused is None:
                assert analysis.est == pytest.approx(main.est, rel=0.4)


def test_every_sentence_keeps_the_language(acute: Evaluation, crisis: Evaluation) -> None:
    from ucimpact import words

    for evaluation in (acute, crisis):
        said = evaluation.finding["sentences"]
        texts = [t for t in said.values() if isinstance(t, str)] + list(said["extra"])
        texts += [check.text for check in evaluation.checks] + [check.question for check in evaluation.checks]
        texts += evaluation.decision["next_steps"] + [evaluation.decision["verdict"]]
        for text in texts:
            assert not words.breaks(text), text


def test_one_place_is_told_what_it_can_show(tmp_path: Path) -> None:
    evaluation = evaluate(study_in(tmp_path))
    assert evaluation.finding["one_place"] and evaluation.finding["limits"]
    assert evaluation.certainty["level"] in ("low", "very low")
    assert {check.name for check in evaluation.checks} >= {"placebo_units", "pre_trend"}
    estimate = evaluation.primary.estimate
    assert estimate is not None and estimate.draws_from.startswith("t on 18 degrees of freedom")


def test_too_few_comparison_places_give_no_range_and_say_why(tmp_path: Path) -> None:
    evaluation = evaluate(study_in(tmp_path, table=panel_table(units=4)))
    found = evaluation.finding
    assert found["lo"] is None and found["claim"] is None
    assert found["sentences"]["headline"] == (
        "We cannot give a likely range for emergency admissions: there are 3 comparison places and at least 5 "
        "are needed"
    )
    assert "a likely range" in evaluation.decision["verdict"]


def test_a_change_that_acts_on_the_same_outcome_ends_the_claim(tmp_path: Path) -> None:
    event = '\n[context]\nevents_logged = true\n[[context.event]]\ndate = 2023-04-12\nwhat = "A ward closed"\nsame_outcome = true\n'
    evaluation = evaluate(study_in(tmp_path, PANEL_STUDY + event))
    assert evaluation.finding["key_fail"] and evaluation.certainty["level"] == "very low"
    headline = evaluation.finding["sentences"]["headline"]
    assert headline.endswith("the comparison is not sound")
    assert "A ward closed" in evaluation.finding["sentences"]["lead"]


def test_a_refused_sensitivity_analysis_is_kept_with_its_reason(tmp_path: Path) -> None:
    table = panel_table()
    table.loc[3, "admissions"] = 0
    text = PANEL_STUDY + '\n[[sensitivity]]\nname = "did"\nlog = true\nnote = "On the log scale"\n'
    evaluation = evaluate(study_in(tmp_path, text, table))
    refused = [a for a in evaluation.analyses if a.role == "sensitivity"]
    assert len(refused) == 1 and refused[0].refused is not None and refused[0].est is None


def test_the_cost_is_stated_and_its_worth_is_not_made_up(tmp_path: Path) -> None:
    text = PANEL_STUDY + '\n[cost]\nfixed = 1000\nper_person = 10\npeople = 50\nprice_year = "2024/25"\n'
    evaluation = evaluate(study_in(tmp_path, text))
    assert (
        evaluation.decision["cost"]["text"]
        == "The pilot cost £1,500: £30 for each of 50 people, in 2024/25 prices."
    )
    assert evaluation.decision["verdict"].startswith("Cannot say yet")
    assert evaluation.study["unused"] == []
    assert evaluation.valuation is not None
    assert evaluation.valuation["cost"]["total"] == 1500 and evaluation.valuation["columns"] == {}


def test_a_report_has_one_level(tmp_path: Path) -> None:
    from ucimpact.errors import UsageError

    study = study_in(tmp_path, PANEL_STUDY.replace('name = "did"', 'name = "did"\nlevel = 0.9'))
    with pytest.raises(UsageError, match="95% interval"):
        evaluate(study)


def test_progress_is_told_and_never_runs_over(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    evaluate(study_in(tmp_path), progress=lambda *step: told.append(step))
    assert told and all(done < steps for _, done, steps in told)


def test_a_document_of_another_schema_is_refused(acute: Evaluation) -> None:
    from ucimpact.errors import UsageError

    with pytest.raises(UsageError, match="schema 9"):
        Evaluation.from_dict({**acute.to_dict(), "schema": 9})


def test_the_date_can_be_fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert evaluate(study_in(tmp_path)).created == "1970-01-01T00:00:00+00:00"


# -- units and limits, each from a case that once went wrong -------------------------------


def two_practices(small_falls_by: float) -> pd.DataFrame:
    """Twelve comparison practices at 20 per 1,000; a pilot of one small busy practice and one large one."""
    months = pd.date_range("2022-04-01", periods=24, freq="MS").strftime("%Y-%m")
    rng = np.random.default_rng(2)
    rows = []
    for u in range(14):
        people, rate = (500, 40.0) if u == 0 else (9_500, 10.0) if u == 1 else (5_000, 20.0)
        for t, month in enumerate(months):
            fall = 1 - small_falls_by if u == 0 and t >= 12 else 1.0
            count = people * rate / 1_000 * fall + rng.integers(-1, 2)
            start = "2023-04" if u < 2 else ""
            rows.append(
                {
                    "unit": f"p{u:02d}",
                    "month": month,
                    "start": start,
                    "people": people,
                    "admissions": round(count),
                }
            )
    return pd.DataFrame(rows)


def test_a_fall_in_a_small_place_is_no_fall_for_everybody(tmp_path: Path) -> None:
    """72 fewer of 1,380 a year truly: the small practice had 20 a month and has 14."""
    table = two_practices(0.3)
    found = evaluate(study_in(tmp_path, table=table)).finding
    assert found["avoided"]["est"] == pytest.approx(72, abs=15)
    pilot = table[(table["start"] != "") & (table["month"] >= "2023-04")]
    happened = pilot["admissions"].sum() / 10_000 * 100
    assert found["observed"] == pytest.approx(happened, rel=1e-9)


def test_the_base_of_a_rate_is_the_same_in_every_window(tmp_path: Path) -> None:
    """With a mean of about 1 per 1,000 one window would count per 1,000 and another per 10,000."""
    rng = np.random.default_rng(5)
    months = pd.date_range("2022-04-01", periods=24, freq="MS").strftime("%Y-%m")
    rows = [
        {"unit": f"p{u:02d}", "month": m, "start": "2023-04" if u < 6 else "", "people": 200_000,
         "admissions": int(rng.poisson(201 * (0.9 if u < 6 and t >= 12 else 1) * (1.03 if t < 3 else 0.995)))}
        for u in range(20) for t, m in enumerate(months)
    ]  # fmt: skip
    evaluation = evaluate(study_in(tmp_path, table=pd.DataFrame(rows)))
    moved = [a.est for a in evaluation.analyses if a.role == "dates"]
    assert all(est == pytest.approx(evaluation.finding["est"], rel=0.3) for est in moved)


def test_too_few_events_are_not_judged_and_not_told(tmp_path: Path) -> None:
    table = panel_table()
    pilot = table["start"] != ""
    table.loc[pilot, "admissions"] = 0
    table.loc[pilot & (table["month"] == "2022-06"), "admissions"] = 3
    found = evaluate(study_in(tmp_path, table=table)).finding
    assert found["sentences"]["headline"] == (
        "We cannot give a likely range for emergency admissions: there were fewer than 5 after the start, too few to judge"
    )
    assert found["avoided"] is None and found["percent"] is None


def test_a_comparison_in_which_nothing_happens_is_no_comparison(tmp_path: Path) -> None:
    table = panel_table()
    table.loc[table["start"] == "", "admissions"] = 0
    found = evaluate(study_in(tmp_path, table=table)).finding
    assert found["refused"] == "there were fewer than 5 in the comparison after the start, too few to judge"
    assert found["claim"] is None and found["avoided"] is None


def test_places_that_could_not_be_analysed_do_not_count(tmp_path: Path) -> None:
    table = panel_table(units=16)
    late = table["unit"].isin([f"place {u:02d}" for u in range(11, 16)]) & (table["month"] >= "2023-04")
    table["admissions"] = table["admissions"].astype("Int64")
    table.loc[late, "admissions"] = pd.NA
    evaluation = evaluate(study_in(tmp_path, table=table))
    assert evaluation.finding["n0"] == 10
    assert evaluation.data["counts"]["comparison_units"] == 10


def test_a_stock_is_counted_on_a_day_and_never_added_up(tmp_path: Path) -> None:
    text = PANEL_STUDY.replace(
        "worthwhile = -0.05", 'worthwhile = { absolute = -30 }\neach = "on an average day"'
    )
    text = text.replace('population = "people"\n', "")
    found = evaluate(study_in(tmp_path, text)).finding
    assert found["w"] == 30 and found["avoided"] is None and found["per"] == "on an average day"
    rated = PANEL_STUDY.replace("worthwhile = -0.05", 'each = "on an average day"')
    found = evaluate(study_in(tmp_path, rated)).finding
    assert "months" not in found["per"] and "months" not in found["sentences"]["lead"]
    assert found["observed"] < 10


def test_a_number_agreed_beside_an_analysis_of_ratios_is_refused(tmp_path: Path) -> None:
    from ucimpact.errors import UsageError

    text = PANEL_STUDY.replace("worthwhile = -0.05", "worthwhile = { absolute = -30 }")
    text = text.replace('name = "did"', 'name = "did"\nlog = true')
    with pytest.raises(UsageError, match="Agree a share"):
        evaluate(study_in(tmp_path, text))


def test_the_seed_of_the_study_is_the_seed_of_the_analysis(tmp_path: Path) -> None:
    text = PANEL_STUDY.replace('profile = "none"', 'profile = "none"\nseed = 777')
    estimate = evaluate(study_in(tmp_path, text)).primary.estimate
    assert estimate is not None and estimate.extras["rule"]["seed"] == 777


def test_a_price_for_nobody_is_not_a_cost_of_nothing(tmp_path: Path) -> None:
    text = PANEL_STUDY + '\n[cost]\nper_person = 230\nprice_year = "2024/25"\n'
    cost = evaluate(study_in(tmp_path, text)).decision["cost"]
    assert cost == {"text": "The pilot cost £230 a person, and for how many is not said, in 2024/25 prices."}


SERIES_STUDY = (
    PANEL_STUDY.replace('kind = "panel"', 'kind = "series"')
    .replace('unit = "unit"\n', "")
    .replace('start = "start"', "start = 2013-04-01")
    .replace('population = "people"', "window = { from = 2011-04-01, to = 2015-03-31 }")
    .replace('name = "did"', 'name = "its"')
)


def long_series(before: float = 400.0) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    months = pd.date_range("2005-04-01", periods=168, freq="MS").strftime("%Y-%m")
    level = np.where(months >= "2013-04", 0.8 * before, before)
    return pd.DataFrame({"month": months, "admissions": rng.poisson(level)})


def test_other_years_do_not_hold_the_pilot_against_itself(tmp_path: Path) -> None:
    evaluation = evaluate(study_in(tmp_path, SERIES_STUDY, long_series()))
    check = next(check for check in evaluation.checks if check.name == "placebo_years")
    assert all(abs(row["percent"]) < 0.15 for row in check.table)
    assert check.answer == "cannot tell"


def test_a_total_says_over_how_much_of_the_pilot_it_runs(tmp_path: Path) -> None:
    text = SERIES_STUDY.replace('name = "its"', 'name = "its"\nphase_in = 6')
    found = evaluate(study_in(tmp_path, text, long_series())).finding
    assert found["time"] == "over 18 of the pilot’s 24 months"


def test_choosing_no_season_is_in_doubt(tmp_path: Path) -> None:
    text = SERIES_STUDY.replace('name = "its"', 'name = "its"\nseason = "none"')
    evaluation = evaluate(study_in(tmp_path, text, long_series()))
    assert next(check for check in evaluation.checks if check.name == "season").answer == "doubtful"
