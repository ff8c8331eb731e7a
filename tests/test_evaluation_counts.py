"""A series of counts from study file to report: in events, or in rates where people are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.small_study import SERIES, edited, series_table, write
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.report.render import render
from ucimpact.study import read_study

COUNTS = edited(SERIES, ('name = "its"', 'name = "count-its"\n\n[[sensitivity]]\nname = "its"'))


def with_pilot() -> pd.DataFrame:
    """Two fifths fewer from July 2024, seen in a growing number of people."""
    table = series_table(60)
    after = np.arange(60) >= 36
    table["admissions"] = np.where(after, 0.6, 1.0) * table["admissions"].astype(float)
    table["people"] = (50_000 + 100 * np.arange(60)).astype(str)
    return table.assign(admissions=table["admissions"].round().astype(int).astype(str))


@pytest.fixture(scope="module", params=[False, True], ids=["events", "people"])
def evaluation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    text = COUNTS
    if request.param:
        text = edited(text, ("start = 2024-07-01", 'start = 2024-07-01\npopulation = "people"'))
    folder: Path = tmp_path_factory.mktemp("counts")
    return evaluate(read_study(write(folder, text=text, table=with_pilot())))


def test_the_headline_is_a_number_of_events_a_month(evaluation: Evaluation) -> None:
    main = evaluation.primary.estimate
    assert main is not None and main.method == "count-its"
    finding, after = evaluation.finding, with_pilot()["admissions"].astype(float)[36:]
    assert finding["observed"] == pytest.approx(after.mean())
    assert finding["est"] == pytest.approx(main.effect("cumulative")["estimate"] / 24)
    assert finding["expected"] == pytest.approx(after.mean() - finding["est"])
    assert finding["est"] < -90 and finding["hi"] < 0
    assert main.effect("relative")["estimate"] == pytest.approx(-0.4, abs=0.08)


def test_it_points_the_same_way_as_the_line(evaluation: Evaluation) -> None:
    other = next(analysis for analysis in evaluation.analyses if analysis.role == "sensitivity")
    assert other.est is not None and other.est == pytest.approx(evaluation.finding["est"], rel=0.15)


def test_its_checks_are_those_of_a_series(evaluation: Evaluation) -> None:
    names = {check.name for check in evaluation.checks}
    assert {"season", "residuals", "placebo_dates"} <= names


def test_the_report_says_how_it_was_done(evaluation: Evaluation) -> None:
    page = render(evaluation.to_dict())
    assert "carried the past forward as counts" in page
    assert "averages over how alike neighbouring months may be" in page
    assert "takes each group of places" not in page


def test_a_mean_is_no_count(tmp_path: Path) -> None:
    from ucimpact.errors import DesignError

    text = edited(COUNTS, ('kind = "count"', 'kind = "score"'))
    with pytest.raises(DesignError, match="count-its is for counts, and Emergency admissions is a score"):
        evaluate(read_study(write(tmp_path, text=text, table=with_pilot())))
