"""Months, weeks and the rest as people write them, and what is refused."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucimpact.data.periods import Frequency, as_periods, one_period, parse_day, parse_periods
from ucimpact.errors import DataError


def read(*texts, **options):
    return parse_periods(pd.Series(list(texts), name="month"), **options)


@pytest.mark.parametrize(
    ("first", "second", "kind", "label"),
    [
        ("2022-04", "2022-05", "month", "April 2022"),
        ("01/04/2022", "01/05/2022", "month", "April 2022"),
        ("April 2022", "May 2022", "month", "April 2022"),
        ("Apr-22", "May-22", "month", "April 2022"),
        ("2022-04-30", "2022-05-31", "month", "April 2022"),
        ("2022 Q2", "2022 Q3", "quarter", "April to June 2022"),
        ("2022/23", "2023/24", "financial-year", "2022/23"),
        ("2022-W14", "2022-W15", "week", "week from 4 April 2022"),
        ("13/04/2022", "20/04/2022", "week", "week from 13 April 2022"),
        ("1 April 2022", "2 April 2022", "day", "1 April 2022"),
        ("1", "2", "number", "1"),
    ],
)
def test_periods_are_read_as_people_write_them(first, second, kind, label):
    parsed = read(first, second)
    assert parsed.frequency.kind == kind
    assert parsed.ordinals[1] - parsed.ordinals[0] == 1
    assert parsed.frequency.label(int(parsed.ordinals[0])) == label


def test_dates_of_a_workbook_are_months_like_any_other():
    stamps = parse_periods(pd.Series(pd.to_datetime(["2022-04-01", "2022-05-01"])))
    days = parse_periods(pd.Series([dt.date(2022, 4, 1), dt.date(2022, 5, 1)], dtype=object))
    assert stamps.frequency == days.frequency == Frequency("month")
    assert list(stamps.ordinals) == list(days.ordinals)


def test_a_column_that_could_be_either_way_round_is_read_day_first_and_says_so():
    parsed = read("01/04/2022", "01/05/2022")
    assert "day/month/year" in parsed.note
    assert not read("01/04/2022", "13/05/2022").note


def test_firsts_of_months_written_month_first_are_refused_with_the_two_forms():
    with pytest.raises(DataError, match=r'day first or month first.*"%d/%m/%Y" } or .* "%m/%d/%Y"'):
        read("04/01/2022", "05/01/2022", "06/01/2022")
    parsed = read("04/01/2022", "05/01/2022", "06/01/2022", form="%m/%d/%Y")
    assert parsed.frequency.kind == "month"


def test_a_column_that_needs_both_ways_round_is_refused_at_the_row_that_shows_it():
    with pytest.raises(DataError, match="mixed") as caught:
        read("13/04/2022", "20/04/2022", "04/27/2022")
    (problem,) = caught.value.problems
    assert (problem.row, problem.value) == (4, "04/27/2022")


def test_each_row_that_breaks_the_form_is_named():
    with pytest.raises(DataError) as caught:
        read("2022-04-01", "soon", "2022-06-01", "later")
    assert [(p.row, p.value) for p in caught.value.problems] == [(3, "soon"), (5, "later")]


@pytest.mark.parametrize(
    ("rest", "like"),
    [
        (["2022-04", "2022-05"], "2022-04"),
        (["April 2022", "May 2022"], "April 2022"),
        (["1", "2"], "1"),
        (["2022 Q2", "2022 Q3"], "2022 Q2"),
        (["2022/23", "2023/24"], "2022/23"),
        (["13/04/2022", "20/04/2022"], "01/04/2022"),
    ],
)
def test_only_the_row_that_breaks_the_form_is_named_and_the_form_is_shown(rest, like):
    with pytest.raises(DataError) as caught:
        read(*rest, "soon")
    (problem,) = caught.value.problems
    assert (problem.row, problem.value) == (4, "soon")
    assert problem.what.endswith(f"the rest are like {like}")


def test_weeks_and_quarters_that_no_year_has_are_refused():
    with pytest.raises(DataError) as caught:
        read("2022-W52", "2022-W60")
    assert [problem.value for problem in caught.value.problems] == ["2022-W60"]
    with pytest.raises(DataError):
        read("2022-W60", "2022-W61")


def test_dates_that_are_all_month_first_are_told_how_to_say_so():
    with pytest.raises(DataError, match=r'month first \(found .04/13/2022.\)\. Say so under .* "%m/%d/%Y"'):
        read("04/13/2022", "04/20/2022")


def test_a_year_that_cannot_be_right_is_refused():
    with pytest.raises(DataError, match="between 1800 and 2199") as caught:
        read("2022-04-01", "9999-12-31")
    assert [(problem.row, problem.value) for problem in caught.value.problems] == [(3, "9999-12-31")]
    with pytest.raises(ValueError, match="between 1800 and 2199"):
        one_period(dt.date(9999, 12, 31), Frequency("month"))


def test_a_form_that_the_study_gives_is_held_to():
    with pytest.raises(
        DataError, match=r'not a date of the form "%m/%d/%Y", such as 04/01/2022 \(found .13/04/2022'
    ):
        read("04/12/2022", "13/04/2022", form="%m/%d/%Y")


def test_an_empty_period_is_refused():
    with pytest.raises(DataError, match="no period"):
        parse_periods(pd.Series(["2022-04", None], name="month"))


def test_a_period_that_is_no_whole_number_is_refused():
    with pytest.raises(DataError, match="not a whole number"):
        parse_periods(pd.Series([1.0, 1.5], name="month"))


@pytest.mark.parametrize("kind", ["month", "quarter", "week", "day", "financial-year"])
@given(ordinal=st.integers(1_000, 20_000), anchor=st.integers(0, 6))
def test_an_ordinal_is_the_period_of_its_first_day_and_of_its_last(kind, ordinal, anchor):
    frequency = Frequency(kind, anchor=anchor if kind == "week" else 0)
    scale = {"month": 1, "quarter": 1, "week": 5, "day": 36, "financial-year": 0.1}[kind]
    ordinal = round(ordinal * scale)
    first, after = frequency.first_day(ordinal), frequency.first_day(ordinal + 1)
    assert frequency.ordinal(first) == ordinal
    assert frequency.ordinal(after - dt.timedelta(days=1)) == ordinal
    assert frequency.ordinal(after) == ordinal + 1


@pytest.mark.parametrize(
    "frequency",
    [
        Frequency("month"),
        Frequency("quarter"),
        Frequency("financial-year"),
        Frequency("day"),
        *(Frequency("week", anchor=day) for day in range(7)),
        Frequency("number"),
    ],
    ids=str,
)
def test_a_column_of_periods_keeps_its_frequency_where_guessing_would_lose_it(frequency):
    """Two quarters, or weeks with a gap, would be read as months or days from their dates alone."""
    first = 2022 if frequency.kind in ("financial-year", "number") else frequency.ordinal(dt.date(2022, 4, 1))
    ordinals = np.array([first + 3, first, first])
    parsed = parse_periods(as_periods(frequency, ordinals))
    assert parsed.frequency == frequency
    assert list(parsed.ordinals) == list(ordinals)


def test_a_missing_ordinal_is_a_missing_period():
    for frequency in (Frequency("month"), Frequency("number")):
        column = as_periods(frequency, np.array([24_267, np.nan]))
        assert list(column.isna()) == [False, True]


def test_a_start_within_a_period_means_that_period():
    assert one_period("15/04/2022", Frequency("month")) == one_period("2022-04", Frequency("month"))
    assert one_period(dt.date(2022, 5, 31), Frequency("quarter")) == one_period(
        "2022 Q2", Frequency("quarter")
    )
    with pytest.raises(ValueError, match="soon"):
        one_period("soon", Frequency("month"))
    with pytest.raises(ValueError, match="whole"):
        one_period(1.5, Frequency("number"))


def test_a_day_that_does_not_exist_is_no_date():
    with pytest.raises(ValueError, match="31/02/2022"):
        parse_day("31/02/2022")


def test_a_month_is_as_long_as_its_days():
    month, quarter = Frequency("month"), Frequency("quarter")
    february = month.ordinal(dt.date(2023, 2, 1))
    assert month.length(february) == pytest.approx(28 / 30.4375)
    assert month.length(february + 1) / month.length(february) == pytest.approx(31 / 28)
    assert quarter.length(quarter.ordinal(dt.date(2023, 1, 1))) == pytest.approx(90 / 91.3125)
    assert Frequency("week").length(5) == Frequency("number").length(5) == 1
