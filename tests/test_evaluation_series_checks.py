"""A study of one series asks all that a series can be asked, whatever its method, and its report shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.small_study import SERIES, write
from ucimpact.disclosure import release
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.publish import save
from ucimpact.study import read_study

OTHER = """\
[[outcome]]
column = "fractures"
label = "Fractures"
kind = "count"
negative_control = true

[method]
"""


def table() -> pd.DataFrame:
    """Four years of months with a fall of a fifth after three, another place, and an outcome left alone."""
    rng, t = np.random.default_rng(6), np.arange(48)
    months = pd.date_range("2021-07-01", periods=48, freq="MS").strftime("%Y-%m")
    winter = 20 * np.cos(2 * np.pi * (t - 6) / 12)
    shared = rng.normal(0, 6, 48)
    return pd.DataFrame(
        {
            "month": months,
            "admissions": np.round(300 + winter + shared - 60 * (t >= 36) + rng.normal(0, 8, 48)).astype(int),
            "elsewhere": np.round(290 + winter + shared + rng.normal(0, 8, 48)).astype(int),
            "fractures": np.round(80 + rng.normal(0, 6, 48)).astype(int),
        }
    ).astype(str)


def evaluated(folder: Path, method: str = 'name = "its"') -> Evaluation:
    edits = (
        ("[method]\n", OTHER),
        ('name = "its"', method),
        ('kind = "count"\n', 'kind = "count"\nprimary = true\n'),
    )
    return evaluate(read_study(write(folder, *edits, text=SERIES, table=table())))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return evaluated(tmp_path_factory.mktemp("plain"))


def answers(evaluation: Evaluation) -> dict[str, str]:
    return {check.name: check.answer for check in evaluation.checks}


def test_a_large_fall_at_the_start_stands_every_question(plain: Evaluation) -> None:
    found = answers(plain)
    assert list(found) == [
        "season", "other_change", "same_coding", "unmeasured", "residuals", "unknown_break", "trend_multiverse",
        "leave_out_months", "placebo_outcomes", "placebo_dates", "dates",
    ]  # fmt: skip
    asked = ("residuals", "unknown_break", "trend_multiverse", "leave_out_months", "placebo_outcomes")
    assert {found[name] for name in asked} == {"holds"}
    assert not any(check.counted for check in plain.checks if check.name in asked)


def test_an_outcome_that_the_pilot_cannot_change_is_asked_by_the_same_method(plain: Evaluation) -> None:
    check = next(check for check in plain.checks if check.name == "placebo_outcomes")
    assert [row["outcome"] for row in check.table] == ["Fractures"]


def test_counts_are_asked_the_same(tmp_path: Path) -> None:
    found = evaluated(tmp_path, 'name = "count-its"')
    assert answers(found)["unknown_break"] == "holds"
    assert {"trend_multiverse", "leave_out_months"} <= set(answers(found))
    residuals = next(check for check in found.checks if check.name == "residuals")
    assert {row["test"].split(",")[0] for row in residuals.table} == {"Ljung and Box", "Cumby and Huizinga"}


def test_a_controlled_series_has_its_gap_before_the_start_as_a_key_check(tmp_path: Path) -> None:
    found = evaluated(tmp_path, 'name = "controlled-its"\ncontrols = ["elsewhere"]')
    first = found.checks[0]
    assert (first.name, first.counted) == ("pre_trend", True)
    assert first.answer == "cannot tell"
    assert "No worthwhile effect was agreed" in first.text
    unmeasured = next(check for check in found.checks if check.name == "unmeasured")
    assert "nothing to compare it with" not in unmeasured.text
    assert "this series would have had to drift away from those it is compared with" in unmeasured.text


def test_the_report_prints_questions_tables_and_the_chart_for_watching(
    plain: Evaluation, tmp_path: Path
) -> None:
    save(plain, tmp_path)
    page = (tmp_path / "appendix.html").read_text()
    assert "Would the series put a break there, not told the date?" in page
    assert "Of 12 ways to draw trend, season and phase-in" in page
    assert "a curve before the start" in page
    assert 'id="monitor"' in page
    assert "no range for what the pilot did" in page


def test_the_same_study_gives_the_same_checks(plain: Evaluation, tmp_path: Path) -> None:
    again = evaluated(tmp_path)
    assert [check.to_dict() for check in again.checks] == [check.to_dict() for check in plain.checks]


def test_a_release_under_small_number_rules_gives_no_answer_without_a_single_month(tmp_path: Path) -> None:
    rules = '[release]\nprofile = "hes2018"'
    released = release(evaluated(tmp_path, f'name = "its"\n\n{rules}'))
    check = next(check for check in released.checks if check.name == "leave_out_months")
    assert check.table == []
    assert check.text
    assert any("period by period" in line for line in released.disclosure["log"])
    ways = next(check for check in released.checks if check.name == "trend_multiverse")
    assert len(ways.table) == 12


def test_a_start_with_the_pandemic_or_beside_another_change_is_in_doubt(tmp_path: Path) -> None:
    long = pd.concat([table(), table()], ignore_index=True)
    long["month"] = pd.period_range("2015-07", periods=96, freq="M").astype(str)
    edits = (
        ("start = 2024-07-01", 'start = 2020-03-01\ncovid = "drop"'),
        ('name = "its"\n', 'name = "its"\n\n[context]\nevents_logged = true\n'),
    )
    found = evaluate(read_study(write(tmp_path, *edits, text=SERIES, table=long)))
    check = next(check for check in found.checks if check.name == "other_change")
    assert check.answer == "doubtful"
    assert check.text == "The pandemic, March 2020 to June 2021. How much it did is not known."
    change = '[[method.changes]]\nstart = "2024-03"\nname = "the new guidance"\nshape = "level"\n'
    folder = tmp_path / "change"
    folder.mkdir()
    edits = (('name = "its"\n', f'name = "its"\n\n{change}\n[context]\nevents_logged = true\n'),)
    found = evaluate(read_study(write(folder, *edits, text=SERIES, table=table())))
    check = next(check for check in found.checks if check.name == "other_change")
    assert check.text == "The new guidance, March 2024. How much it did is not known."
