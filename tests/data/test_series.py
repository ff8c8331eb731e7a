"""One row a period, evenly spaced, with the first pilot period."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.series import Series
from ucimpact.errors import DataError


def table(**columns):
    month = pd.date_range("2022-04-01", periods=6, freq="MS").strftime("%Y-%m")
    return pd.DataFrame({"period": month, "y": np.arange(6.0), "people": 1000.0}).assign(**columns)


def found(*args, **options):
    with pytest.raises(DataError) as caught:
        Series(*args, **options)
    return caught.value.problems


@pytest.mark.parametrize("start", ["2022-07", dt.date(2022, 7, 1), "15/07/2022", "July 2022"])
def test_periods_since_the_start_are_counted_from_nought(start):
    series = Series(table(), start=start)
    assert list(series.since) == [-3, -2, -1, 0, 1, 2]
    assert series.counts() == {"rows": 6, "periods": 6, "before": 3, "after": 3}


def test_rows_may_stand_in_any_order():
    series = Series(table().sample(frac=1, random_state=3), start="2022-07")
    assert list(series.values("y")) == [0, 1, 2, 3, 4, 5]


def test_gaps_are_named():
    (problem,) = found(table().drop(index=[2, 3]), start="2022-08")
    assert problem.what == "the series has gaps: June 2022, July 2022"


@pytest.mark.parametrize("day", ["12", "28"])
def test_months_dated_by_a_day_inside_them_are_told_how_to_write_months(day):
    months = table()["period"]
    (problem,) = found(table(period=months + "-" + day), start="2022-07-" + day)
    assert problem.do == "These look like one row a month: write 2022-09, without the day"
    months = pd.Series(["2022-04", "2022-05", "2022-07", "2022-08", "2022-09", "2022-10"])  # June is missing
    (problem,) = found(table(period=months + "-" + day), start="2022-07-" + day)
    assert "one row a month" in problem.do
    days = [f"2022-04-{at:02d}" for at in (1, 2, 4, 5, 6, 7)]
    (problem,) = found(table(period=days), start="2022-04-05")
    assert problem.do.startswith("Add a row for each")


def test_a_gap_of_a_million_periods_is_named_without_listing_them():
    (problem,) = found(table(period=[1, 2, 3, 4, 5, 999_999_999]), start=3)
    assert "6, 7, 8, 9, 10, 11 and 999,999,987 more" in problem.what


def test_a_period_twice_is_refused_at_the_row_of_the_second():
    bad = table()
    bad.loc[4, "period"] = "2022-05"
    problems = found(bad, start="2022-07")
    assert (problems[0].row, problems[0].what) == (6, "May 2022 stands twice")
    assert "gaps: August 2022" in problems[1].what


def test_a_start_outside_the_series_or_no_date_is_refused():
    assert "outside the data (April 2022 to September 2022)" in found(table(), start="2023-07")[0].what
    assert found(table(), start="soon")[0].value == "soon"


def test_a_population_that_is_not_above_nought_is_refused():
    (problem,) = found(table(people=[1, 2, 0, 4, 5, 6]), start="2022-07", population="people")
    assert (problem.row, problem.column) == (4, "people")


def test_absent_columns_and_no_rows_are_refused():
    assert found(table(), start="2022-07", period="month")[0].column == "month"
    assert "no rows" in found(table().iloc[:0], start="2022-07")[0].what


def test_a_rate_says_how_it_was_made():
    series = Series(table(), start="2022-07", population="people").with_rate("y", per=100)
    length = series.frequency.length(int(series.ordinals[5]))
    assert series.values("y per 100")[5] == pytest.approx(0.5 / length)
    with pytest.raises(DataError, match="needs a population"):
        Series(table(), start="2022-07").with_rate("y", per=100)


def test_part_of_a_series_keeps_its_start_or_takes_another():
    series = Series(table(), start="2022-07")
    assert list(series.where(series.since >= -2).since) == [-2, -1, 0, 1, 2]
    assert list(series.where(series.since >= -2, start="2022-08").since) == [-3, -2, -1, 0, 1]


def test_a_series_is_shown_by_its_dates_and_columns_and_not_by_its_table():
    series = Series(table(**{"<b>": 1.25}), start="2022-07", population="people")
    said = repr(series)
    assert said == (
        "Series of 6 months, April 2022 to September 2022: 3 before the start in July 2022 and 3 from it on; "
        "columns y, people, <b>"
    )
    shown = series._repr_html_()
    assert shown.startswith("<p>Series of 6 months") and "<b>" not in shown
    assert shown.count("<tr") == 7  # the names of columns and six months
    long = pd.DataFrame({"period": np.arange(500), "y": np.arange(500.0)})
    assert Series(long, start=400)._repr_html_().count("<tr") < 20
