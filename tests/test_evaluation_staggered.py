"""Practices that join one after another, from the study file to the document: units, dates, checks, refusals."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact import words
from ucimpact.data.examples import folder
from ucimpact.data.periods import Frequency
from ucimpact.data.simulate_staggered import StaggeredPractices
from ucimpact.diagnostics.context import other_change
from ucimpact.disclosure import release
from ucimpact.errors import DesignError, UsageError
from ucimpact.evaluation import Evaluation, evaluate, judge
from ucimpact.evaluation.dates import moved
from ucimpact.study import Event, Study, read_records, read_study

EXAMPLE = "acute_visiting_staggered"

STUDY = """
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
unit = "practice"
period = "month"
start = "joined"
population = "list_size"
[[outcome]]
column = "emergency_admissions"
label = "Emergency admissions"
kind = "count"
primary = true
worthwhile = -0.05
[method]
name = "imputation"
[release]
profile = "none"
"""
SMALL: dict[str, Any] = {"units": 24, "pilots": 9, "months": 24, "waves": (10, 13, 15)}


def written(path: Path, text: str = STUDY, table: pd.DataFrame | None = None, **design: Any) -> Study:
    if table is None:
        table = StaggeredPractices(**(SMALL | design)).draw(1).table
    table.to_csv(path / "table.csv", index=False)
    (path / "study.toml").write_text(text)
    return read_study(path / "study.toml", judge=judge)


def evaluated(path: Path, text: str = STUDY, table: pd.DataFrame | None = None, **design: Any) -> Evaluation:
    return evaluate(written(path, text, table, **design))


def check(evaluation: Evaluation, name: str) -> Any:
    return next(check for check in evaluation.checks if check.name == name)


@pytest.fixture(scope="module")
def waves() -> Evaluation:
    return evaluate(read_study(folder(EXAMPLE) / "study.toml", judge=judge))


# -- the example ---------------------------------------------------------------------------


def test_what_was_planted_lies_in_the_ranges(waves: Evaluation) -> None:
    planted = json.loads((folder(EXAMPLE) / "truth.json").read_text())["truth"]
    named = {
        "emergency_admissions": waves.primary,
        "ae_attendances": waves.analyses[1],
        "admission_cost": waves.analyses[2],
    }
    for name, analysis in named.items():
        assert analysis.estimate is not None
        for term in ("att", "cumulative", "relative"):
            row = analysis.estimate.effect(term)
            assert row["conf_low"] <= planted[name][term] <= row["conf_high"], (name, term)
    for analysis in waves.analyses:
        if analysis.role == "sensitivity":
            row = analysis.estimate.effect("att")
            assert row["conf_low"] <= planted["emergency_admissions"]["att"] <= row["conf_high"]


def test_effects_are_told_over_the_months_of_an_average_practice(waves: Evaluation) -> None:
    found, estimate = waves.finding, waves.primary.estimate
    assert estimate is not None
    months = estimate.counts["pilot_periods"] / estimate.counts["pilot_units"]
    assert months == pytest.approx(419 / 28)
    assert found["base"] == 100
    assert found["est"] == pytest.approx(estimate.effect("att")["estimate"] * months * 100 / 1_000)
    assert found["when"] == ", over the pilot so far, on average 15 months a practice"
    assert found["expected"] == pytest.approx(found["observed"] - found["est"])
    assert found["w"] == pytest.approx(0.05 * found["expected"])
    assert found["avoided"]["est"] == pytest.approx(-estimate.effect("cumulative")["estimate"])
    assert found["observed_events"] == estimate.counterfactual.query("since >= 0")["events"].sum()


def test_the_starts_are_told(waves: Evaluation) -> None:
    assert waves.finding["sentences"]["starts"] == (
        "28 practices started between October 2022 and November 2023, at 5 different times."
    )
    assert [row["units"] for row in waves.data["starts"]] == [6, 6, 6, 5, 5]
    assert waves.data["unit_noun"] == "practice"
    assert waves.data["flow"][-1]["text"].endswith("28 pilot and 32 comparison practices over 36 months")


def test_every_analysis_answers_in_the_units_of_the_main_one(waves: Evaluation) -> None:
    for analysis in waves.analyses:
        if analysis.role in ("sensitivity", "dates"):
            assert analysis.refused is None
            assert analysis.est == pytest.approx(waves.primary.est, rel=0.4)


def test_pounds_are_told_per_person_and_by_a_method_of_their_own(waves: Evaluation) -> None:
    cost = waves.analyses[2]
    assert cost.estimate is not None and cost.estimate.method == "callaway-santanna"
    assert cost.note == "per 100 registered patients in 15 months on average"


def test_the_finding_is_held_against_drift_in_words(waves: Evaluation) -> None:
    said = check(waves, "unmeasured")
    found = re.match(
        r"The finding survives a violation up to (0\.\d) of the worst seen before the pilot", said.text
    )
    assert found and float(found[1]) <= said.statistic < float(found[1]) + 0.1
    assert said.answer == "doubtful"  # below 1
    names = [check.name for check in waves.checks]
    assert names[0] == "pre_trend" and names[-1] == "dates"
    assert {"scales", "placebo_starts", "leave_one_place_out", "carried_by", "pre_trend_power"} <= set(names)


def test_what_could_have_been_found_is_told(waves: Evaluation) -> None:
    found = waves.finding
    assert 0 < found["found_se"] * words.POWER < found["w"]
    assert found["sentences"]["found"].startswith("This evaluation could have found a fall of 0.5 per 100")


def test_every_sentence_keeps_the_language(waves: Evaluation) -> None:
    said = waves.finding["sentences"]
    texts = [text for text in said.values() if isinstance(text, str)] + list(said["extra"])
    texts += [check.text for check in waves.checks] + [check.question for check in waves.checks]
    texts += [step["text"] for step in waves.certainty["steps"]]
    for text in texts:
        assert not words.breaks(text), text


def test_the_document_survives_json_and_leaves_single_cells_out(waves: Evaluation) -> None:
    text = json.dumps(waves.to_dict(), allow_nan=False)
    assert len(text) < 1_500_000
    again = Evaluation.from_dict(json.loads(text))
    assert json.dumps(again.to_dict(), allow_nan=False) == text
    for analysis in waves.analyses:
        terms = set(analysis.estimate.effects["term"])
        assert "group_time" not in terms
        main = analysis.role == "primary"
        assert ("calendar" in terms) == (main or analysis.role not in ("sensitivity", "outcome", "dates"))
    cov = waves.primary.estimate.cov
    assert cov.shape == (len(waves.primary.estimate.effects),) * 2


def test_intervals_of_the_example_drawn_again_hold_what_was_planted() -> None:
    """Of 20 at 95% fewer than 16 happens once in 400; the board draws 200."""
    from benchmarks.calibration.examples import Example, read

    example = Example(name=EXAMPLE)
    records = [record for seed in range(1, 21) for record in read(example.draw(seed))]
    for term in ("headline", "cumulative", "relative"):
        assert sum(record["coverage"] for record in records if record["term"] == term) >= 16


# -- dates ---------------------------------------------------------------------------------


def test_moved_dates_leave_out_and_count_those_whose_start_they_cut_off(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path, waves=(3, 12, 22))
    dates = {analysis.label: analysis for analysis in evaluation.analyses if analysis.role == "dates"}
    late, early = dates["2 months fewer at the end"], dates["3 months later to begin"]
    assert late.note == "Without 66 rows of 3 units that start outside the window"  # 3 practices, 22 months
    assert early.note == "Without 63 rows of 3 units that start outside the window"
    assert dates["1 month fewer at the end"].note == ""
    assert all(analysis.refused is None for analysis in dates.values())


def test_no_unit_is_left_without_a_month_before_its_start(tmp_path: Path) -> None:
    records = read_records(written(tmp_path))
    part, _ = moved(records, 10, end=False)
    assert (part.data.start_ordinals[part.data.pilot_units] > part.data.ordinals[0]).all()
    assert len(part.data.starts) == 2


def test_another_window_leaves_out_the_units_that_start_outside_it(tmp_path: Path) -> None:
    text = STUDY + ('[[sensitivity]]\nname = "imputation"\nwindow = { to = 2022-09-30 }\nnote = "Shorter"\n')
    evaluation = evaluated(tmp_path, text)
    shorter = next(analysis for analysis in evaluation.analyses if analysis.role == "sensitivity")
    assert shorter.refused is None and shorter.estimate.counts["pilot_units"] == 6
    records = read_records(read_study(tmp_path / "study.toml", judge=judge))
    window = read_study(tmp_path / "study.toml", judge=judge).sensitivity[0].window
    told = [row["reason"] for row in records.within(window).left_out]
    assert "rows of 3 units that start outside the window" in told


# -- context -------------------------------------------------------------------------------


def test_a_change_in_the_month_of_one_start_is_in_doubt_and_no_more(tmp_path: Path) -> None:
    text = STUDY + (
        "[context]\nevents_logged = true\n[[context.event]]\ndate = 2022-05-12\n"
        'what = "A ward closed"\nsame_outcome = true\n'
    )
    evaluation = evaluated(tmp_path, text)
    assert check(evaluation, "other_change").answer == "doubtful"
    assert not evaluation.finding["key_fail"]


def test_the_log_is_read_from_half_a_year_before_the_first_start_to_half_a_year_after_the_last() -> None:
    line = Frequency("month")
    first, last = line.ordinal(dt.date(2022, 5, 1)), line.ordinal(dt.date(2022, 10, 1))
    for day, answer in (
        (dt.date(2021, 10, 31), "holds"),
        (dt.date(2021, 11, 1), "doubtful"),
        (dt.date(2023, 4, 30), "doubtful"),
        (dt.date(2023, 5, 1), "holds"),
    ):
        event = Event(date=day, what="A front door")
        told = other_change([event], logged=True, frequency=line, start=first, last_start=last)
        assert told.answer == answer, day
    assert "any start" in told.text


def test_an_outcome_that_the_pilot_cannot_change_is_a_check(tmp_path: Path) -> None:
    text = STUDY.replace(
        "[method]",
        '[[outcome]]\ncolumn = "ae_attendances"\nlabel = "Injuries"\nkind = "count"\nnegative_control = true\n'
        "[method]",
    )
    told = check(evaluated(tmp_path, text), "placebo_outcomes")
    assert told.text.startswith("1 outcome that the pilot cannot change was analysed alike.")


# -- few -----------------------------------------------------------------------------------


def test_with_few_to_compare_the_estimate_stands_without_a_range_and_the_way_out_is_told(
    tmp_path: Path,
) -> None:
    evaluation = evaluated(tmp_path, units=12, pilots=9)
    found = evaluation.finding
    assert found["lo"] is None and found["alone"] and found["claim"] is None
    assert found["sentences"]["headline"].endswith("there are 3 comparison places and at least 5 are needed")
    assert (
        "or a longer series of the pilot's own (its). The best estimate is about"
        in found["sentences"]["lead"]
    )
    assert found["sentences"]["lead"].endswith("How far it could be out is not known.")
    assert "likely range" not in " ".join(found["limits"])
    assert not words.breaks(found["sentences"]["lead"])


def test_few_pilot_places_are_told_how_changeable_they_may_be(tmp_path: Path) -> None:
    text = STUDY.replace('"imputation"', '"count-did"')
    evaluation = evaluated(tmp_path, text, units=30, pilots=2, waves=(10, 15), effect=-0.25)
    limits = evaluation.finding["limits"]
    assert limits[0].startswith("Two pilot places can show whether they moved apart from 28 others")
    assert any("times as changeable, it would reach no change" in item for item in limits)
    assert not any("p-value below 1 in" in item for item in limits)  # no dealing of starts was made
    assert "drifting up or down by chance" in evaluation.finding["interval_note"]


def test_one_place_never_exceeds_low_and_is_told_so(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path, units=30, pilots=1, waves=(12,), effect=-0.3)
    assert evaluation.certainty["level"] in ("low", "very low")
    assert "So certainty never exceeds low with one pilot place." in evaluation.finding["limits"]
    assert evaluation.finding["when"] == ", over 12 months"


def test_gaps_and_few_places_give_an_estimate_and_the_design_that_would_have_a_range(tmp_path: Path) -> None:
    text = STUDY.replace("[data]\n", '[data]\nincomplete = "keep"\n')
    table = StaggeredPractices(**(SMALL | {"pilots": 3})).draw(1).table.drop(index=[5, 40])
    found = evaluated(tmp_path, text, table).finding
    assert found["lo"] is None and found["est"] is not None
    assert "so no p-value" not in found["sentences"]["headline"]
    assert found["way_out"] == "Take the periods or units with gaps out."


# -- methods and outcomes ------------------------------------------------------------------


def test_a_count_of_people_becomes_a_rate_for_linear_methods_alone(tmp_path: Path) -> None:
    linear = evaluated(tmp_path).primary.estimate
    counts = evaluated(tmp_path, STUDY.replace('"imputation"', '"count-did"')).primary.estimate
    assert linear.outcome == "emergency_admissions per 1,000"
    assert counts.outcome == "emergency_admissions" and counts.extras["per"] == 1_000
    assert counts.effect("att")["estimate"] == pytest.approx(linear.effect("att")["estimate"], rel=0.15)


def test_a_cost_beside_a_method_of_counts_is_told_to_name_its_own(tmp_path: Path) -> None:
    outcome = '[[outcome]]\ncolumn = "admission_cost"\nlabel = "Cost"\nkind = "cost"\n'
    text = STUDY.replace('"imputation"', '"count-did"').replace("[method]", f"{outcome}[method]")
    refused = next(a for a in evaluated(tmp_path, text).analyses if a.role == "outcome")
    assert refused.refused is not None and 'such as method = "callaway-santanna"' in refused.refused
    named = text.replace(outcome, f'{outcome}method = "imputation"\n')
    assert next(a for a in evaluated(tmp_path, named).analyses if a.role == "outcome").refused is None


def test_an_unknown_method_of_an_outcome_is_told_with_its_line(tmp_path: Path) -> None:
    outcome = '[[outcome]]\ncolumn = "admission_cost"\nlabel = "Cost"\nkind = "cost"\nmethod = "imputatoin"\n'
    with pytest.raises(UsageError, match=r"\[\[outcome\]\] number 2 `method`: .*Did you mean `imputation`"):
        evaluated(tmp_path, STUDY.replace("[method]", f"{outcome}[method]"))
    primary = STUDY.replace("worthwhile", 'method = "did"\nworthwhile')
    with pytest.raises(UsageError, match="the primary outcome is analysed by"):
        evaluated(tmp_path, primary)


def test_a_pilot_that_stops_is_refused_with_what_to_do(tmp_path: Path) -> None:
    table = StaggeredPractices(**SMALL).draw(1).table
    first = table["joined"].ne("").to_numpy() & (
        table["joined"] == table["joined"][table["joined"] > ""].min()
    )
    table["left"] = np.where(first, "2023-02", "")
    text = STUDY.replace('start = "joined"', 'start = "joined"\nend = "left"')
    with pytest.raises(
        DesignError, match=r"pilot stops in 3 units .*leave out the rows of those units after"
    ):
        evaluated(tmp_path, text, table)
    table["left"] = np.where(first, "2025-02", "")  # after the data: as far as they say, it goes on
    assert evaluated(tmp_path, text, table).primary.est is not None


def test_an_end_that_is_no_month_is_told_with_its_row(tmp_path: Path) -> None:
    from ucimpact.errors import DataError

    table = StaggeredPractices(**SMALL).draw(1).table
    table["left"] = ""
    table.loc[3, "left"] = "soon"
    text = STUDY.replace('start = "joined"', 'start = "joined"\nend = "left"')
    with pytest.raises(DataError, match="not an end that fits months"):
        read_records(written(tmp_path, text, table))


# -- what may leave the building -----------------------------------------------------------


def test_under_small_number_rules_no_figure_of_one_practice_or_month_gives_a_count_back(
    tmp_path: Path,
) -> None:
    text = STUDY.replace('profile = "none"', 'profile = "hes2018"').replace('"imputation"', '"count-did"')
    evaluation = evaluated(tmp_path, text, rate=0.05, units=24, pilots=9)
    released = release(evaluation)
    assert released.disclosure["suppressed"] > 0
    estimate = released.primary.estimate
    assert estimate is not None
    events = estimate.counterfactual["events"].dropna()
    assert ((events % 5 == 0) & ~events.between(1, 7)).all() and len(events) < len(estimate.counterfactual)
    hidden = estimate.counterfactual["events"].isna()
    assert estimate.counterfactual.loc[hidden, ["observed", "expected", "low", "high"]].isna().all().all()
    terms = set(estimate.effects["term"])
    assert not terms & {"event", "event_log", "group", "calendar", "group_time", "relative"}
    assert estimate.cov is None and estimate.influence is None
    assert not {"observed", "placebo", "reference"} & set(estimate.extras)
    for name in ("leave_one_place_out", "carried_by"):
        assert all(not check.table for check in released.checks if check.name == name)


def test_effects_of_single_times_go_where_one_count_is_hidden(waves: Evaluation) -> None:
    main, estimate = waves.primary, waves.primary.estimate
    assert estimate is not None and {"event_log", "calendar"} <= set(estimate.effects["term"])
    frame = estimate.counterfactual.copy()
    frame.loc[0, "events"] = 3.0
    part = replace(main, estimate=replace(estimate, counterfactual=frame))
    study = {**waves.study, "release": {"profile": "hes2018", "seed": 1}}
    shown = release(replace(waves, study=study, analyses=(part, *waves.analyses[1:]))).primary.estimate
    released = release(replace(waves, study=study))
    for analysis in released.analyses:
        if analysis.kind == "count" and analysis.role in ("primary", "sensitivity", "dates"):
            assert analysis.estimate.effect("cumulative")["estimate"] % 5 == 0, analysis.label
    assert shown is not None
    assert set(shown.effects["term"]) == {
        *("att", "cumulative", "rate_ratio", "dynamic_average", "group_average", "calendar_average")
    }


def test_where_nothing_is_hidden_the_mean_over_the_pilot_follows_the_rounded_count(tmp_path: Path) -> None:
    text = STUDY.replace('profile = "none"', 'profile = "hes2018"')
    evaluation = evaluated(tmp_path, text, rate=40.0)
    before, after = evaluation.primary.estimate, release(evaluation).primary.estimate
    events = before.counterfactual.query("since >= 0")["events"].sum()
    rounded = 5 * np.floor(events / 5 + 0.5)
    assert after.extras["observed"] == pytest.approx(before.extras["observed"] * rounded / events)
    assert set(after.effects["term"]) == set(before.effects["term"])


# -- every practice joins ------------------------------------------------------------------


def where_all_join() -> pd.DataFrame:
    """The practices that never join do so in the last month but two."""
    table = StaggeredPractices(**SMALL).draw(1).table
    last = sorted(table["month"].astype(str).unique())[-3]
    return table.assign(joined=table["joined"].astype("string").replace("", pd.NA).fillna(last))


@pytest.mark.parametrize("name", ["count-did", "callaway-santanna", "imputation", "cost-did"])
def test_practices_that_all_join_at_different_times_are_held_against_the_last(
    tmp_path: Path, name: str
) -> None:
    text = STUDY.replace('name = "imputation"', f'name = "{name}"')
    found = evaluated(tmp_path, text, where_all_join())
    assert found.primary.estimate is not None
    counts = found.primary.estimate.counts
    assert counts["comparison_units"] == 15 and counts["pilot_units"] == 9
    assert np.isfinite(found.primary.estimate.effect("att")["estimate"])


def test_practices_that_all_join_at_once_have_nothing_to_be_held_against(tmp_path: Path) -> None:
    table = StaggeredPractices(**SMALL).draw(1).table.assign(joined="2023-01")
    with pytest.raises(DesignError, match="very unit has the same start in column `joined`"):
        read_records(written(tmp_path, table=table))


def test_did_refuses_starts_that_differ_by_itself(tmp_path: Path) -> None:
    study = written(tmp_path, STUDY.replace('name = "imputation"', 'name = "did"'), where_all_join())
    with pytest.raises(DesignError):
        evaluate(study)


def test_several_starts_are_told_from_the_first_to_the_last(waves: Evaluation) -> None:
    assert waves.data["start"] == "October 2022 to November 2023"
