"""Values far beyond their column are named, and left as they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.small_study import PANEL, panel_table, write
from ucimpact.evaluation.record import _far
from ucimpact.study import Records, read_records, read_study


def read(folder: Path, table: pd.DataFrame, text: str = PANEL) -> Records:
    folder.mkdir(exist_ok=True)
    return read_records(read_study(write(folder, text=text, table=table)))


def test_a_slip_of_the_keyboard_is_named_with_its_place_time_and_row(tmp_path: Path) -> None:
    table = panel_table()
    assert read(tmp_path / "before", table).far == ()
    row = table.iloc[7]
    table.loc[7, "admissions"] = "200000"
    made = read(tmp_path / "after", table)
    (told,) = made.far
    assert told.startswith(f"`admissions` of {row['practice']} in ") and "(row 9) is 200,000, " in told
    assert "times what is usual there" in told and told.endswith("it is used as it stands.")
    assert made.rows_read == len(table) and not made.left_out
    assert float(made.data.table["admissions"].max()) == 200_000  # named, and not left out


def test_few_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    table = panel_table()
    table.loc[[3, 30, 60, 90, 120, 140], "admissions"] = "50000"
    told = read(tmp_path, table).far
    assert len(told) == 5 and told[-1] == "2 more values lie as far out."


@pytest.mark.parametrize("profile", ["none", "hes2018"])
def test_no_figure_is_told_under_a_rule_for_small_numbers(tmp_path: Path, profile: str) -> None:
    text = PANEL.partition("[release]")[0] + f'\n[release]\nprofile = "{profile}"\nseed = 1\n'
    table = panel_table()
    table.loc[7, "admissions"] = "200000"
    records = read(tmp_path, table, text)
    (told,) = _far(records.study, records.far)
    assert ("200,000" in told) == (profile == "none")
