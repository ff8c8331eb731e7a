"""Days counted by period: by hand, by adding up, and against what only the study knows."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucimpact.data.calendar import (
    CALENDAR,
    CALENDAR_WORDS,
    calendar_columns,
    days_between,
    days_of,
    school_holidays,
)
from ucimpact.data.periods import Frequency
from ucimpact.errors import DesignError

MONTH, WEEK, DAY, YEAR = Frequency("month"), Frequency("week"), Frequency("day"), Frequency("financial-year")


def months(first: str, number: int) -> np.ndarray:
    return MONTH.ordinal(dt.date.fromisoformat(f"{first}-01")) + np.arange(number)


def test_a_year_by_hand() -> None:
    found = calendar_columns(
        MONTH, months("2024-01", 12), ("days", "working-days", "bank-holidays", "easter")
    )
    assert found["days"].tolist() == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert found["working-days"].tolist() == [22, 21, 20, 21, 21, 20, 23, 21, 21, 23, 21, 20]
    assert found["bank-holidays"].tolist() == [1, 0, 1, 1, 2, 0, 0, 1, 0, 0, 0, 2]
    assert found["easter"].tolist() == [0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0]  # 29 March to 1 April


def test_the_month_of_three_bank_holidays_and_the_scottish_year() -> None:
    assert calendar_columns(MONTH, months("2023-05", 1), ["working-days"])["working-days"] == [20]
    scottish = calendar_columns(MONTH, months("2024-01", 12), ["bank-holidays"], "scotland")["bank-holidays"]
    assert scottish.tolist() == [2, 0, 1, 0, 2, 0, 0, 1, 0, 0, 0, 3]


def test_winter_and_christmas_by_month_and_by_week() -> None:
    found = calendar_columns(MONTH, months("2023-11", 5), ("winter", "christmas"))
    assert found["winter"].tolist() == [0, 1, 1, 1, 0]
    assert found["christmas"].tolist() == [0, 7, 1, 0, 0]
    weeks = WEEK.ordinal(dt.date(2023, 11, 27)) + np.arange(6)
    found = calendar_columns(WEEK, weeks, ("winter", "christmas"))
    assert found["winter"] == pytest.approx([3 / 7, 1, 1, 1, 1, 1])
    assert found["christmas"].tolist() == [0, 0, 0, 0, 7, 1]


def test_a_series_that_begins_in_the_first_week_of_january_knows_it_is_christmas() -> None:
    day = DAY.ordinal(dt.date(2024, 1, 1)) + np.arange(2)
    assert calendar_columns(DAY, day, ["christmas"])["christmas"].tolist() == [1, 0]


def test_weekdays_are_six_columns_and_monday_is_the_one_compared_with() -> None:
    found = calendar_columns(DAY, DAY.ordinal(dt.date(2024, 7, 1)) + np.arange(7), ["weekdays"])
    assert list(found) == ["Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"]
    np.testing.assert_array_equal(np.column_stack(list(found.values())), np.eye(7)[:, 1:])
    in_march = calendar_columns(MONTH, months("2024-03", 1), ["weekdays"])
    assert [int(v[0]) for v in in_march.values()] == [4, 4, 4, 5, 5, 5]


@given(
    first=st.integers(1996, 2030), number=st.integers(1, 40), nation=st.sampled_from(["england", "scotland"])
)
def test_what_months_hold_is_what_their_days_hold(first, number, nation) -> None:
    ordinals = months(f"{first}-03", number)
    days = np.arange(
        MONTH.first_day(int(ordinals[0])).toordinal(), MONTH.first_day(int(ordinals[-1]) + 1).toordinal()
    )
    names = ("working-days", "weekdays", "bank-holidays", "easter", "christmas")
    by_month = calendar_columns(MONTH, ordinals, names, nation)
    by_day = calendar_columns(DAY, days, names, nation)
    assert {name: v.sum() for name, v in by_month.items()} == {name: v.sum() for name, v in by_day.items()}
    length = calendar_columns(MONTH, ordinals, ["days"])["days"]
    weekend = by_month["Saturdays"] + by_month["Sundays"]
    np.testing.assert_array_equal(by_month["working-days"] + by_month["bank-holidays"] + weekend, length)


def test_order_and_gaps_of_the_periods_do_not_matter() -> None:
    ordinals = months("2022-01", 24)
    some = np.array([17, 3, 8])
    for name in ("working-days", "easter", "winter"):
        whole = calendar_columns(MONTH, ordinals, [name])[name]
        np.testing.assert_array_equal(calendar_columns(MONTH, ordinals[some], [name])[name], whole[some])


def test_every_name_has_words_and_is_known() -> None:
    assert set(CALENDAR_WORDS) == set(CALENDAR)
    assert "working-days" in calendar_columns(YEAR, np.arange(2015, 2020), ["working-days", "easter"])


@pytest.mark.parametrize(
    ("frequency", "name", "told"),
    [
        (MONTH, "moon", '"moon" is not known; choose from: days, working-days'),
        (WEEK, "days", "a series of weeks has the same in every period; choose from: working-days, bank"),
        (YEAR, "winter", "a series of financial years has the same"),
        (Frequency("number"), "easter", "a series of periods has no dates; read the periods as dates"),
    ],
)
def test_what_a_frequency_cannot_carry_is_refused_with_what_it_can(frequency, name, told) -> None:
    with pytest.raises(DesignError, match=told):
        calendar_columns(frequency, np.arange(24) + 2000, [name])


def test_days_of_strikes_are_counted_once_each_where_they_fall() -> None:
    strikes = [
        "2023-12-20",
        "2023-12-21",
        "2023-12-21",
        dt.date(2024, 1, 3),
        "27/06/2024",
        dt.date(2020, 1, 1),
    ]
    assert days_of(strikes, MONTH, months("2023-12", 7)).tolist() == [2, 1, 0, 0, 0, 0, 1]
    assert days_of([], MONTH, months("2023-12", 3)).tolist() == [0, 0, 0]


def test_stretches_that_overlap_count_a_day_once() -> None:
    stretches = [("2024-01-30", "2024-02-02"), ("2024-02-01", "2024-02-03"), ("2025-01-01", "2025-02-01")]
    assert days_between(stretches, MONTH, months("2024-01", 3)).tolist() == [2, 3, 0]
    with pytest.raises(DesignError, match="ends before it begins"):
        days_between([("2024-02-02", "2024-02-01")], MONTH, months("2024-01", 3))


def test_school_holidays_are_the_weekdays_outside_terms_and_unknown_terms_are_refused() -> None:
    terms = [("2024-01-08", "2024-02-09"), ("2024-02-19", "2024-03-28")]
    with pytest.raises(DesignError, match="the terms do not cover the series, 2024-02-01 to 2024-03-31"):
        school_holidays(terms, MONTH, months("2024-02", 2))
    terms.append(("2024-04-15", "2024-05-24"))
    assert school_holidays(terms, MONTH, months("2024-02", 3)).tolist() == [5, 1, 10]


def test_a_date_that_is_none_and_periods_without_dates_are_refused() -> None:
    with pytest.raises(DesignError, match=r"not a date .* write it as 2024-06-27"):
        days_of(["strike"], MONTH, months("2024-01", 3))
    with pytest.raises(DesignError, match="numbered periods hold no days"):
        days_of(["2024-01-01"], Frequency("number"), np.arange(5))
