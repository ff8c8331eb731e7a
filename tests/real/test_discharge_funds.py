"""The discharge funds of winter 2022/23: a fall that season alone could make, on real counts.

The weekly series starts in April 2022, so no winter comes before the money. A segmented line without a
season gives about a fifth fewer by the end of June; the report must not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ucimpact.data.series import Series
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.publish import save
from ucimpact.study import read_records, read_study

STUDY = Path(__file__).parent / "discharge_funds" / "study.toml"


@pytest.fixture(scope="module")
def funds(shared: Path) -> Evaluation:
    return evaluate(read_study(STUDY))


def test_the_published_peak_comes_out_of_the_query(shared: Path) -> None:
    """Published: 14,385 in the week to Wednesday 11 January 2023."""
    series = read_records(read_study(STUDY)).data
    assert isinstance(series, Series)
    at = series.labels().index("week from 5 January 2023")
    value = series.values("still_in_hospital")[at]
    assert value == pytest.approx(14_384.9, abs=0.05)
    assert value == np.nanmax(series.values("still_in_hospital"))


def test_the_naive_fall_is_there_to_be_resisted(funds: Evaluation) -> None:
    """A line without a season, carried to the end of June, is about 21% below what it would expect."""
    estimate = funds.primary.estimate
    assert estimate is not None and estimate.counterfactual is not None
    last = estimate.counterfactual.iloc[-1]
    slope, level = estimate.effect("slope_change"), estimate.effect("level_change")
    fall = (level["estimate"] + slope["estimate"] * last["since"]) / last["expected"]
    assert fall == pytest.approx(-0.21, abs=0.02)


def test_the_fall_is_not_reported_as_a_finding(funds: Evaluation) -> None:
    found = funds.finding
    assert found["confounded"] and found["key_fail"]
    assert found["sentences"]["headline"] == (
        "We could not tell whether the discharge funds changed the number of people still in hospital: one winter before the change "
        "cannot separate season from effect"
    )
    assert funds.certainty["level"] == "very low"
    assert found["sentences"]["percent"] is None and found["sentences"]["avoided"] is None
    assert not any("%" in text for text in found["can_say"])
    assert any("19%" in text and "season alone" in text for text in found["cannot_say"])


def test_placebo_years_are_shown(funds: Evaluation) -> None:
    check = next(check for check in funds.checks if check.name == "placebo_years")
    assert [row["years"] for row in check.table] == [1, 2]
    assert "one year later" in check.text and "2 years later" in check.text


def test_the_report_says_it_and_claims_nothing(funds: Evaluation, tmp_path: Path) -> None:
    page = save(funds, tmp_path)[0].read_text()
    assert "one winter before the change" in page.lower()
    assert "may reduce" not in page and "probably reduces" not in page
