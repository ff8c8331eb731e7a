"""A cohort checks its roles once, lists every problem, and never shows what a person's cell holds."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from ucimpact import Cohort
from ucimpact.errors import DataError

ROLES = {"person": "id", "pilot": "had", "index_date": "out", "service_start": "began", "follow_up": "days"}


def people(**columns: object) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "had": [1, 1, 0, 0],
            "out": ["2024-01-01", "2024-01-05", "2024-01-02", "2024-01-09"],
            "began": ["2024-01-01", "2024-01-09", None, ""],
            "days": [90, 45.5, 90, 12],
            "team": ["x", "x", "y", " "],
            "visits": [2, 0, 1, np.nan],
        }
    )
    return table.assign(**columns)


def test_roles_become_arrays():
    cohort = Cohort(people(), before=["visits"], **ROLES)
    assert cohort.is_pilot.tolist() == [True, True, False, False]
    assert cohort.days.tolist() == [90, 45.5, 90, 12]
    assert cohort.horizon == 90
    assert cohort.before == ("visits",)
    assert cohort.persons.tolist() == [0, 1, 2, 3]
    assert not cohort.recurs and cohort.clusters is None
    assert cohort.counts() == {"rows": 4, "persons": 4, "pilot": 2, "comparison": 2}
    np.testing.assert_array_equal(cohort.delay, [0, 4])
    np.testing.assert_array_equal(cohort.values("visits"), [2, 0, 1, np.nan])


def test_without_a_pilot_column_everybody_had_the_service():
    cohort = Cohort(people(), person="id")
    assert cohort.is_pilot.all() and cohort.days is None and cohort.horizon is None and cohort.delay is None


def test_the_table_is_copied_and_never_changed():
    table = people()
    before = table.copy(deep=True)
    cohort = Cohort(table, **ROLES)
    cohort.codes("team"), cohort.delay
    pd.testing.assert_frame_equal(table, before)
    table.loc[0, "days"] = 1
    assert cohort.table["days"].iloc[0] == 90


def test_kinds_are_numbered_by_their_text_and_an_empty_cell_is_no_kind():
    cohort = Cohort(people(), person="id")
    assert cohort.codes("team").tolist() == [0, 0, 1, -1]
    turned = Cohort(people().iloc[::-1], person="id")
    assert turned.codes("team").tolist() == [-1, 1, 0, 0]
    assert cohort.codes("visits").tolist() == [2, 0, 1, -1]


@pytest.mark.parametrize(
    "out",
    [
        pd.to_datetime(["2024-01-01", "2024-01-05", "2024-01-02", "2024-01-09"]),
        [dt.date(2024, 1, 1), dt.date(2024, 1, 5), dt.date(2024, 1, 2), dt.date(2024, 1, 9)],
        pd.to_datetime(["2024-01-01", "2024-01-05", "2024-01-02", "2024-01-09"]).tz_localize("UTC"),
    ],
)
def test_dates_may_be_typed_or_written(out):
    cohort = Cohort(people(out=out), **ROLES)
    np.testing.assert_array_equal(cohort.delay, [0, 4])


def test_days_on_a_clock_of_numbers_will_do():
    cohort = Cohort(people(out=[0, 0, 0, 0], began=[1.0, 2.0, np.nan, np.nan]), **ROLES)
    np.testing.assert_array_equal(cohort.delay, [1, 2])


def test_an_unknown_start_of_the_service_is_unknown():
    cohort = Cohort(people(began=[None, "2024-01-05", None, None]), **ROLES)
    np.testing.assert_array_equal(cohort.delay, [np.nan, 0])


def test_somebody_may_come_twice():
    cohort = Cohort(people(id=["a", "a", "b", "c"]), person="id", pilot="had")
    assert cohort.recurs
    assert cohort.counts()["persons"] == 3


def test_some_rows_keep_the_horizon_of_all():
    cohort = Cohort(people(), **ROLES).where(np.array([False, True, False, True]))
    assert cohort.horizon == 90
    assert cohort.counts()["rows"] == 2
    assert cohort.table.index.tolist() == [0, 1]


def test_every_problem_is_listed_at_once_and_no_value_is_shown():
    table = people(
        id=["a", None, "c", " "],
        had=[1, 2, None, "secret"],
        out=["2024-01-01", "SECRET", None, "2024-01-09"],
        began=["soon, secret", None, None, None],
        days=[0, np.nan, -3, 90],
        visits=[1, 2, 3, "secret"],
        team=["x", None, "y", "y"],
    )
    with pytest.raises(DataError) as caught:
        Cohort(table, cluster="team", before=("visits",), **ROLES)
    where = {(p.column, p.row) for p in caught.value.problems}
    assert where >= {("id", 3), ("id", 5), ("had", 5), ("out", 3), ("out", 4), ("began", 2), ("team", 3)}
    assert where >= {("days", 2), ("days", 3), ("days", 4), ("visits", 5)}
    assert "secret" not in str(caught.value).lower()
    assert all(problem.value is None for problem in caught.value.problems)


def test_a_pilot_that_is_a_number_but_not_1_or_0_is_told_by_its_row():
    with pytest.raises(DataError) as caught:
        Cohort(people(had=[1, 0.5, np.nan, 0]), person="id", pilot="had")
    assert [p.row for p in caught.value.problems] == [3, 4]
    assert "1 for people who had the service" in str(caught.value)


def test_columns_that_are_not_there_are_named_with_those_that_are():
    with pytest.raises(DataError, match="no such column for the follow up") as caught:
        Cohort(people(), person="who", follow_up="at_risk", before=("x",))
    assert len(caught.value.problems) == 3
    assert "id, had, out" in str(caught.value)
    with pytest.raises(DataError, match="no such column"):
        Cohort(people(), person="id").values("nothing")
    with pytest.raises(DataError, match="no such column"):
        Cohort(people(), person="id").codes("nothing")


def test_a_service_start_needs_an_index_date():
    with pytest.raises(DataError, match="index dates"):
        Cohort(people(), person="id", service_start="began")


def test_days_beyond_the_horizon_are_refused():
    with pytest.raises(DataError, match="more days at risk than the 60") as caught:
        Cohort(people(), person="id", follow_up="days", horizon=60)
    assert [p.row for p in caught.value.problems] == [2, 4]
    with pytest.raises(DataError, match="horizon is not above 0"):
        Cohort(people(), person="id", horizon=0)


def test_no_rows_is_told():
    with pytest.raises(DataError, match="there are no rows"):
        Cohort(people().iloc[:0], person="id")
