"""Roles of columns, and every problem of a table at once."""

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.panel import Panel
from ucimpact.errors import DataError

MONTHS = ["2022-04", "2022-05", "2022-06", "2022-07"]


def table(**columns):
    made = pd.DataFrame(
        {
            "unit": np.repeat(["a", "b", "c"], 4),
            "period": MONTHS * 3,
            "start": np.repeat(["2022-06", "", ""], 4),
            "y": np.arange(12.0),
            "people": np.repeat([100.0, 200.0, 400.0], 4),
        }
    )
    return made.assign(**columns)


def found(*args, **options):
    with pytest.raises(DataError) as caught:
        Panel(*args, **options)
    return caught.value.problems


def test_the_pilot_runs_from_its_start_in_its_units():
    panel = Panel(table())
    assert panel.units == ("a", "b", "c")
    assert list(panel.pilot_units) == [True, False, False]
    assert list(panel.treated) == [False, False, True, True] + [False] * 8
    assert panel.labels() == ["April 2022", "May 2022", "June 2022", "July 2022"]
    assert panel.is_balanced
    assert panel.counts() == {
        "rows": 12, "units": 3, "pilot_units": 1, "comparison_units": 2, "places": 3, "pilot_places": 1, "periods": 4,
    }  # fmt: skip


@pytest.mark.parametrize("never", [None, "", "never", np.nan, float("inf"), pd.NaT])
def test_each_way_of_never_starting_is_never(never):
    starts = pd.Series(["2022-06"] * 4 + [never] * 8, dtype=object)
    assert list(Panel(table(start=starts)).pilot_units) == [True, False, False]


def test_zero_before_the_first_numbered_period_is_never():
    numbered = table(period=[1, 2, 3, 4] * 3, start=np.repeat([3, 0, 0], 4))
    assert list(Panel(numbered).pilot_units) == [True, False, False]
    from_zero = table(period=[0, 1, 2, 3] * 3, start=np.repeat([2, 0, 0], 4))
    assert Panel(from_zero).pilot_units.all()


def test_the_table_is_not_changed():
    given = table()
    kept = given.copy()
    Panel(given, population="people").with_rate("y", per=1000)
    pd.testing.assert_frame_equal(given, kept)


def test_places_are_counted_where_the_pilot_was_given_to_places():
    panel = Panel(table(town=np.repeat(["x", "x", "y"], 4)), cluster="town")
    assert list(panel.cluster_codes) == [0, 0, 1]
    assert panel.counts()["places"] == 2


def test_a_rate_says_how_it_was_made_and_needs_a_population():
    panel = Panel(table(), population="people").with_rate("y", per=1000)
    assert panel.values("y per 1,000")[1] == pytest.approx(10.0)
    assert panel.rates["y per 1,000"].numerator == "y"
    with pytest.raises(DataError, match="needs a population"):
        Panel(table()).with_rate("y", per=1000)


def test_rows_marked_make_a_panel_of_their_own():
    part = Panel(table()).where(np.tile([False, True, True, True], 3))
    assert len(part.ordinals) == 3


def test_absent_columns_are_named_with_those_there_are():
    problems = found(table(), unit="practice", population="list_size")
    assert [p.column for p in problems] == ["practice", "list_size"]
    assert "unit, period, start" in problems[0].do


def test_every_problem_is_listed_at_once_with_its_row():
    bad = table()
    bad.loc[1, "period"] = "2022-04"
    bad.loc[2, "people"] = 0
    problems = found(bad, population="people")
    assert [(p.row, p.column) for p in problems] == [(3, None), (4, "people")]
    assert "a stands 2 times in April 2022" in problems[0].what


def test_a_start_outside_the_data_is_refused_with_its_unit_and_date():
    bad = table(start=np.repeat(["2023-06", "", ""], 4))
    (problem,) = found(bad)
    assert (problem.row, problem.value) == (2, "June 2023")
    assert "a starts outside the data (April 2022 to July 2022)" in problem.what


def test_a_start_that_changes_is_refused_where_it_first_does():
    bad = table()
    bad.loc[3, "start"] = "2022-05"
    (problem,) = found(bad)
    assert (problem.row, problem.value) == (5, "2022-05")
    assert "changes from row to row" in problem.what


def test_a_start_that_is_no_period_is_refused():
    bad = table(start=np.repeat(["soon", "", ""], 4))
    assert {p.value for p in found(bad)} == {"soon"}


def test_a_unit_in_two_places_is_refused():
    towns = ["x", "x", "x", "y"] + ["z"] * 8
    (problem,) = found(table(town=towns), cluster="town")
    assert "a is in more than one place" in problem.what


def test_a_row_without_a_unit_is_refused():
    bad = table()
    bad.loc[5, "unit"] = None
    (problem,) = found(bad)
    assert (problem.row, problem.what) == (7, "no unit")


def test_no_rows_is_refused():
    (problem,) = found(table().iloc[:0])
    assert "no rows" in problem.what


def test_text_and_infinite_values_are_refused_when_a_column_is_read():
    panel = Panel(table(y=["7"] * 10 + ["many", "inf"]))
    with pytest.raises(DataError) as caught:
        panel.values("y")
    assert [(p.row, p.what) for p in caught.value.problems] == [
        (12, "not a number"),
        (13, "an infinite number"),
    ]
    with pytest.raises(DataError, match="no such column"):
        panel.values("z")


def test_names_that_are_code_are_only_names():
    odd = "=1+1 `<script>\"' LOS (days)"
    panel = Panel(table().rename(columns={"y": odd, "unit": "__import__('os')"}), unit="__import__('os')")
    assert panel.values(odd)[3] == 3.0


def test_a_pilot_that_stops_is_known_by_its_last_period() -> None:
    table = pd.DataFrame(
        {
            "unit": ["a"] * 4 + ["b"] * 4,
            "period": [1, 2, 3, 4] * 2,
            "start": [2] * 4 + [0] * 4,
            "end": [3.0] * 4 + [np.nan] * 4,
            "y": range(8),
        }
    )
    panel = Panel(table, end="end")
    assert panel.stopped.tolist() == [True, False]
    assert panel.end_ordinals[0] == 3


def test_an_end_before_the_start_is_named() -> None:
    table = pd.DataFrame(
        {"unit": ["a"] * 3, "period": [1, 2, 3], "start": [3] * 3, "end": [2] * 3, "y": [1, 2, 3]}
    )
    with pytest.raises(DataError, match="a stops before it starts"):
        Panel(table, end="end")


def test_units_that_are_numbers_stand_in_order_of_size() -> None:
    table = pd.DataFrame({"unit": [10, 10, 9, 9], "period": [1, 2, 1, 2], "start": 0, "y": 1.0})
    assert Panel(table).units == ("9", "10")


def test_an_empty_cell_is_called_one() -> None:
    days = pd.to_datetime(["2022-05-01", None, None, None])
    table = pd.DataFrame({"unit": list("aabb"), "period": ["2022-04", "2022-05"] * 2, "start": days})
    with pytest.raises(DataError, match="changes from row to row \\(found an empty cell\\)") as caught:
        Panel(table)
    assert "NaT" not in str(caught.value)


def test_a_unit_that_starts_before_the_data_may_be_left_out_and_is_not_called_untreated() -> None:
    days = ["2022-03", "2022-03", "", ""]
    table = pd.DataFrame({"unit": list("aabb"), "period": ["2022-04", "2022-05"] * 2, "start": days})
    with pytest.raises(DataError) as caught:
        Panel(table)
    (problem,) = caught.value.problems
    assert problem.do.startswith("Leave the unit out") and problem.do.endswith("only if it never started")
