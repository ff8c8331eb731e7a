"""What a cell says as a number, and what is said of one that says none."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from ucimpact.data.cells import read_numbers


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
        ("binary", True, "yes"),
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
