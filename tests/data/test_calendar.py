"""Season and COVID follow from dates alone."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from ucimpact.data.calendar import covid_periods, season_columns, season_for, year_position
from ucimpact.data.periods import Frequency
from ucimpact.errors import DesignError

MONTH, QUARTER, WEEK = Frequency("month"), Frequency("quarter"), Frequency("week", anchor=3)


@pytest.mark.parametrize(
    ("frequency", "before", "name", "separable"),
    [
        (MONTH, 24, "fourier-2", True),
        (MONTH, 23, "none", False),
        (MONTH, 12, "none", False),
        (WEEK, 104, "fourier-2", True),
        (WEEK, 103, "none", False),
        (WEEK, 36, "none", False),
        (QUARTER, 8, "fourier-1", True),
        (QUARTER, 7, "none", False),
        (Frequency("financial-year"), 5, "none", True),
        (Frequency("number"), 90, "none", None),
    ],
)
def test_auto_looks_at_frequency_and_periods_before(frequency, before, name, separable) -> None:
    season = season_for(frequency, before=before)
    assert (season.name, season.separable) == (name, separable)


def test_under_two_years_the_reason_names_the_winter() -> None:
    assert season_for(WEEK, before=36).why == (
        "One winter before the change cannot separate season from effect: there are 36 weeks before the "
        "start, and two full years (104) are the least."
    )
    assert season_for(WEEK, before=36, asked="fourier-1").separable is False


def test_a_season_that_does_not_fit_is_refused_with_those_that_do() -> None:
    with pytest.raises(DesignError, match="series of weeks; choose one of: auto, none, fourier-1, fourier-2"):
        season_for(WEEK, before=200, asked="month")


def test_waves_repeat_after_a_year_and_months_have_a_level_each() -> None:
    months = np.arange(36) + MONTH.ordinal(dt.date(2021, 4, 1))
    for name, columns in (("fourier-1", 2), ("fourier-2", 4), ("month", 11)):
        found = np.column_stack(list(season_columns(MONTH, months, name).values()))
        assert found.shape == (36, columns)
        np.testing.assert_allclose(found[:12], found[24:], atol=1e-12)
        with_level = np.column_stack([np.ones(36), found])
        assert np.linalg.matrix_rank(with_level) == columns + 1


def test_weeks_keep_step_with_the_calendar_over_ten_years() -> None:
    christmas = np.array([WEEK.ordinal(dt.date(year, 12, 25)) for year in range(2010, 2020)])
    position = year_position(WEEK, christmas)
    assert np.ptp(position) < 8 / 365.25  # a week holds the day anywhere; leap years add one


def test_covid_is_march_2020_to_june_2021() -> None:
    months = np.arange(MONTH.ordinal(dt.date(2019, 12, 1)), MONTH.ordinal(dt.date(2022, 1, 1)))
    inside = [MONTH.iso(int(o)) for o in months[covid_periods(MONTH, months)]]
    assert (inside[0], inside[-1], len(inside)) == ("2020-03", "2021-06", 16)
    quarters = np.arange(QUARTER.ordinal(dt.date(2019, 10, 1)), QUARTER.ordinal(dt.date(2021, 12, 1)))
    assert covid_periods(QUARTER, quarters).tolist() == [False, True, True, True, True, True, True, False]
    assert not covid_periods(Frequency("number"), np.arange(2019, 2022)).any()
