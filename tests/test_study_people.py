"""Reading a study of people: columns in their roles, windows, and problems without a value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.small_study import VISITS
from ucimpact.data.cohort import Cohort
from ucimpact.errors import DataError
from ucimpact.study import read_records, read_study

STUDY = (
    VISITS
    + """pilot = "supported"
index_date = "discharged"
service_start = "first_visit"
follow_up = "days"
follow_up_days = 90
before_days = 180
window = { from = 2025-04-01, to = 2025-12-31 }
chosen = { column = "admissions_before", at_least = 1 }

[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"
before = "admissions_before"
primary = true

[[outcome]]
column = "died"
label = "Deaths"
kind = "binary"
negative_control = true

[method]
name = "matched-cohort"
exact = ["ward"]
covariates = ["age", "alone"]
"""
)


def people(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    days = pd.Timestamp("2025-04-02") + pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    return pd.DataFrame(
        {
            "client": [f"Anon{k:03d}" for k in range(n)],
            "supported": ["Yes" if k % 3 == 0 else "No" for k in range(n)],
            "discharged": days.strftime("%d/%m/%y"),
            "first_visit": ["" if k % 3 else days[k].strftime("%d/%m/%y") for k in range(n)],
            "days": [90] * n,
            "admissions_before": rng.integers(1, 4, n),
            "admissions": rng.integers(0, 3, n),
            "died": ["no"] * (n - 1) + ["yes"],
            "ward": ["A ", "B"] * (n // 2),
            "age": rng.integers(65, 95, n),
            "alone": ["Y", "N"] * (n // 2),
        }
    )


def study_in(folder, table, text=STUDY):
    table.to_csv(folder / "people.csv", index=False)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return read_study(folder)


def test_columns_are_read_in_their_roles(tmp_path):
    records = read_records(study_in(tmp_path, people()))
    cohort = records.data
    assert isinstance(cohort, Cohort)
    assert cohort.counts()["pilot"] == 14
    assert cohort.horizon == 90
    assert set(cohort.values("alone")) == {0.0, 1.0}
    assert cohort.values("died").sum() == 1
    assert len(np.unique(cohort.codes("ward"))) == 2
    assert cohort.table["client"].iloc[0] == "person 1"
    assert any("yes or no" in note for note in records.coercions)


def test_a_window_takes_people_by_their_index_date(tmp_path):
    table = people()
    table.loc[3, "discharged"] = "01/03/25"
    records = read_records(study_in(tmp_path, table))
    assert records.data.counts()["rows"] == 39
    assert records.left_out == ({"n": 1, "reason": "people whose index date lies outside the window"},)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("supported", "perhaps", "neither yes nor no"),
        ("supported", "", "not said whether this person had the service"),
        ("discharged", "", "no date"),
        ("discharged", "31/02/25", "date"),
        ("client", "", "no person"),
        ("admissions", "many Zebra", "text, where a number belongs"),
        ("days", "0", "days at risk"),
    ],
)
def test_what_is_wrong_is_told_by_row_and_without_the_value(tmp_path, column, value, said):
    table = people().astype(object)
    table.loc[7, column] = value
    with pytest.raises(DataError) as told:
        read_records(study_in(tmp_path, table))
    text = str(told.value)
    assert said in text and "row 9" in text and f"`{column}`" in text
    assert "Anon" not in text and "Zebra" not in text and "perhaps" not in text
