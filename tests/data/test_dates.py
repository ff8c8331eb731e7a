"""Days as they are written in lists of people: one form a column, day first, nothing guessed in silence."""

import datetime as dt

import numpy as np
import pytest

from ucimpact.data.dates import days_in_numbers, read_dates

APRIL = np.datetime64("2023-04-05")


@pytest.mark.parametrize(
    "cell",
    [
        "05/04/2023",
        "5/4/2023",
        "05/04/23",
        "05-04-2023",
        "05.04.2023",
        "2023-04-05",
        "2023/04/05",
        "20230405",
        "5 April 2023",
        "5th April 2023",
        "05-Apr-23",
        "5 Apr 2023",
        "05/04/2023 09:30",
        "2023-04-05T09:30:00Z",
        "2023-04-05 00:00:00",
        " 05/04/2023\u00a0",
        "45021",
        45021,
        45021.75,
        20230405.0,
        dt.date(2023, 4, 5),
        dt.datetime(2023, 4, 5, 9, 30),
        np.datetime64("2023-04-05T10"),
    ],
)
def test_a_day_is_read(cell):
    read = read_dates([cell])
    assert read.problems == ()
    assert read.days[0] == APRIL


@pytest.mark.parametrize("cell", [None, "", "  ", float("nan"), "-", "n/a", "01/01/1900", 0, 1.0])
def test_no_date_is_no_problem(cell):
    read = read_dates([cell, "13/04/2023"])
    assert np.isnat(read.days[0])
    assert read.problems == ()


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("ongoing", "not a date"),
        ("31/02/2023", "not in the calendar"),
        ("2023-04-05", "a date of another form; the others are like 05/04/2023"),
        ("5/4/23", "a date of another form"),
        ("April 2023", "not a date"),
        ("2023", "not a date"),
        (2023, "not a date"),
        (True, "not a date"),
        (dt.time(9, 30), "not a date"),
        ("31/12/9999", "a year that is not between"),
        (dt.date(2923, 1, 1), "a year that is not between"),
        ("99999999999", "not a date"),
    ],
)
def test_what_is_no_date_is_named_with_its_row_and_without_its_value(cell, what):
    read = read_dates(["13/04/2023", cell, "14/04/2023"])
    assert [problem.at for problem in read.problems] == [1]
    assert what in read.problems[0].what
    assert read.problems[0].do
    assert np.isnat(read.days[1])


def test_a_problem_holds_no_value():
    read = read_dates(["13/04/2023", "Ann Other", "29/02/2023", "1987-06-05", 7])
    assert len(read.problems) == 4
    assert not any(part in repr(read.problems) for part in ("Ann", "29/02", "1987", "13/04"))


def test_the_note_says_when_no_row_shows_which_way_round_the_dates_are():
    assert "no row shows" in read_dates(["03/04/2023", "05/06/2023"]).notes[0]
    assert read_dates(["03/04/2023", "15/06/2023"]).notes == ()
    assert read_dates(["2023-04-05"]).notes == ()


def test_dates_that_can_only_be_month_first_are_refused_with_the_way_out():
    read = read_dates(["04/03/2023", "04/13/2023"])
    assert [(problem.at, problem.what) for problem in read.problems] == [(1, "these dates are month first")]
    assert "%m/%d/%Y" in read.problems[0].do
    said = read_dates(["04/03/2023", "04/13/2023"], "%m/%d/%Y")
    assert list(said.days) == [np.datetime64("2023-04-03"), np.datetime64("2023-04-13")]


def test_a_mixture_of_day_first_and_month_first_is_refused_with_the_rows():
    read = read_dates(["13/04/2023", "03/04/2023", "04/15/2023", "04/16/2023", "20/04/2023"])
    assert [problem.at for problem in read.problems] == [2, 3]
    assert "can only be month first" in read.problems[0].what


def test_a_column_that_a_spreadsheet_has_swapped_is_refused():
    dates = [dt.date(2023, day, 4) for day in range(1, 6)]
    read = read_dates([*dates, *(f"{day}/04/2023" for day in range(13, 18))])
    assert [problem.at for problem in read.problems] == [5]
    assert "swapped day and month" in read.problems[0].do


def test_text_beside_dates_is_read_and_noted():
    read = read_dates([dt.date(2023, 4, 20), "05/04/2023", "21/04/2023"])
    assert read.problems == ()
    assert read.notes == ("2 of 3 dates are text, and were read beside the rest",)


def test_a_form_that_is_given_is_the_only_one():
    read = read_dates(["2023.04.05", "05/04/2023"], "%Y.%m.%d")
    assert read.days[0] == APRIL
    assert [problem.at for problem in read.problems] == [1]
    assert '"%Y.%m.%d"' in read.problems[0].what


def test_each_reading_that_is_not_plain_is_counted():
    read = read_dates([45021, "01/01/1900", "-", "05/04/23", "14/04/23 10:15"])
    assert read.problems == ()
    assert read.notes == (
        "years of two digits were read as 1969 to 2068",
        "1 cell held as the day number of a spreadsheet, read as a date",
        "1 cell with a time of day, which is left out",
        "1 cell of 1 January 1900, which stands for no date, read as empty",
        "1 cell that is a sign for a missing date, read as empty",
    )


@pytest.mark.parametrize(
    "cells", [[45017.0, None, 45047], ["20230401", None, "20230501"], [202304, None, 202305.0]]
)
def test_periods_that_are_written_as_numbers_are_days(cells):
    days, _ = days_in_numbers(cells)
    assert days == [dt.date(2023, 4, 1), None, dt.date(2023, 5, 1)]


@pytest.mark.parametrize(
    "cells", [[1, 2, 3], [2021, 2022], ["2023-04"], [True], [None], ["202313"], [45017, "April"], [99999]]
)
def test_other_periods_are_what_they_are(cells):
    assert days_in_numbers(cells) is None
