"""What a cell says as a number, and what is said of one that says none."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from ucimpact.data.cells import Hidden, read_numbers, yes_no


def one(cell, kind="count"):
    """The value and the problem of a column of one cell."""
    read = read_numbers([cell], kind)
    return read.values[0], read.problems[0].what if read.problems else None


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("+12", 12),
        ("12.0", 12),
        ("1.2e3", 1200),
        ("17,035", 17035),
        ("1,234,567.0", 1234567),
        (12, 12),
        (12.0, 12),
        (Decimal("12"), 12),
        (np.int64(12), 12),
        (10**30, 1e30),
    ],
)
def test_numbers_are_read(cell, number):
    assert one(cell) == (number, None)


@pytest.mark.parametrize("cell", [None, "", "   ", float("nan")])
def test_an_empty_cell_is_missing_and_no_problem(cell):
    value, problem = one(cell)
    assert np.isnan(value)
    assert problem is None


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("seven", "text, where"),
        ("12 beds", "text, where"),
        ("1,23", "text, where"),
        ("1 234", "text, where"),
        ("12,34,567", "text, where"),
        ("٣", "text, where"),
        ("=1+1", "text, where"),
        ("*", "hidden"),
        ("<5", "hidden"),
        ("< 8", "hidden"),
        ("1-7", "hidden"),
        ("c", "hidden"),
        ("-", "a sign for a missing number"),
        ("n/a", "a sign for a missing number"),
        ("#DIV/0!", "a sign for a missing number"),
        ("77.70%", "a percentage"),
        ("£1,234.50", "an amount of money"),
        ("inf", "an infinite number"),
        ("1e999", "an infinite number"),
        (float("-inf"), "an infinite number"),
        (10**400, "an infinite number"),
        (dt.date(2022, 4, 1), "a date or time"),
        (True, "true or false"),
        ("-3", "a number below 0"),
        ("2.5", "not a whole number"),
    ],
)
def test_what_is_no_count_is_named_and_never_becomes_a_number(cell, what):
    value, problem = one(cell)
    assert np.isnan(value)
    assert what in problem


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("count", "0", "-1"),
        ("cost", "£1,234.50", "-5"),
        ("cost", "12.34", "-£5"),
        ("duration", "2.5", "-0.1"),
        ("score", "-2.5", "£5"),
        ("binary", "1", "2"),
        ("binary", True, "perhaps"),
        ("binary", "Yes", "-"),
        ("score", "77.70%", "*"),
        ("covariate", "£5", "#N/A"),
        ("cost", "(£0)", "(£250)"),
        ("covariate", "(250)", "65-74"),
        ("population", "0.5", "0"),
        ("population", "1,000", None),
        ("weight", "0", "-1"),
        ("weight", "2", ""),
        ("covariate", "-7.25", "north"),
    ],
)
def test_each_kind_takes_what_it_can_be(kind, good, bad):
    assert one(good, kind)[1] is None
    assert one(bad, kind)[1] is not None


def test_pounds_are_read_in_a_cost():
    assert one("£ 1,234.50", "cost")[0] == 1234.5


def test_every_problem_has_its_place_and_a_way_out():
    read = read_numbers(["1", "*", None, "x", "-2"], "count")
    assert [problem.at for problem in read.problems] == [1, 3, 4]
    assert all(problem.do for problem in read.problems)


def test_what_was_read_otherwise_than_as_it_stands_is_counted():
    read = read_numbers(["1,000", "2,000", "3"], "count")
    assert read.notes == ("2 values with thousands commas, such as 1,000, read without them",)
    assert read_numbers(["£1,000"], "cost").notes == ("1 value with a pound sign, read as pounds",)
    assert read_numbers([True, False, 1], "binary").notes == ("2 values true or false, read as 1 or 0",)
    assert read_numbers(["1", "2"], "count").notes == ()


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("£1,234.50", 1234.5),
        ("-£5", -5),
        ("£-5", -5),
        ("(250)", -250),
        ("(£1,250.50)", -1250.5),
        ("£(250)", -250),
        ("−7.5", -7.5),
        ("77.70%", 77.7),
        ("1,000.5 %", 1000.5),
        ("(2.5)", -2.5),
    ],
)
def test_numbers_as_people_write_them_are_read_and_noted(cell, number):
    read = read_numbers([cell], "covariate")
    assert read.values[0] == pytest.approx(number)
    assert read.problems == ()
    assert read.notes


@pytest.mark.parametrize(
    ("cell", "low", "high"),
    [
        ("*", 0, np.inf),
        ("[c]", 0, np.inf),
        ("<5", 0, 4),
        ("< 8", 0, 7),
        ("fewer than 5", 0, 4),
        ("≤5", 0, 5),
        ("5 or fewer", 0, 5),
        ("1-7", 1, 7),
        ("1 to 7", 1, 7),
        (">100", 101, np.inf),
        ("100+", 100, np.inf),
    ],
)
def test_a_hidden_number_is_an_interval_and_a_problem_of_an_outcome(cell, low, high):
    read = read_numbers(["0", cell], "count")
    assert read.hidden == (Hidden(1, low, high),)
    assert np.isnan(read.values[1])
    assert "hidden" in read.problems[0].what


def test_a_hidden_number_is_counted_where_it_may_stand():
    read = read_numbers(["1", "<5", "2", "*"], "covariate")
    assert read.problems == ()
    assert read.hidden == (Hidden(1, -np.inf, 5), Hidden(3, -np.inf, np.inf))
    assert list(np.isnan(read.values)) == [False, True, False, True]
    assert read.notes[0].startswith("2 values hidden (suppressed)")


def test_age_bands_are_not_taken_for_hidden_numbers():
    read = read_numbers(["65-74", "75-84", "85+", "<65", "70"], "covariate")
    assert [problem.at for problem in read.problems] == [0, 1, 2, 3]
    assert "match exactly" in read.problems[0].do


def test_a_dash_is_missing_where_it_cannot_be_nought_and_refused_where_it_can():
    for kind in ("score", "covariate"):
        read = read_numbers(["-", "n/a", "3"], kind)
        assert read.problems == ()
        assert read.notes == ("2 values written as a sign for a missing number, read as empty and not as 0",)
    for kind in ("count", "cost", "duration", "binary", "population", "weight"):
        assert len(read_numbers(["-", "1"], kind).problems) == 1


def test_a_share_and_a_percentage_in_one_column_are_refused_with_the_rows():
    read = read_numbers(["77.7%", "0.777", "0", "80%", 0.8], "score")
    assert [problem.at for problem in read.problems] == [1, 4]
    assert list(np.isnan(read.values)) == [False, True, False, False, True]


def test_yes_and_no_are_one_and_nought():
    read = yes_no(["Yes ", "n", "TRUE", "0", 1.0, False, None, "No"])
    assert list(read.values[:6]) == [1, 0, 1, 0, 1, 0]
    assert np.isnan(read.values[6])
    assert read.notes == ("4 values yes or no, read as 1 or 0", "1 value true or false, read as 1 or 0")
    wrong = yes_no(["maybe", "2", "unknown", "*", dt.date(2022, 1, 1)])
    assert [problem.at for problem in wrong.problems] == [0, 1, 2, 3, 4]
