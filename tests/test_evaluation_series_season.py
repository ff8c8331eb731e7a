"""A study whose season comes from elsewhere is evaluated, asked and printed like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.small_study import SERIES, write
from tests.test_evaluation_series_checks import table
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.publish import save
from ucimpact.study import read_study

PROFILE = "[112, 109, 104, 98, 95, 92, 90, 91, 95, 101, 105, 110]"


def evaluated(folder: Path, method: str, start: str = "2024-07-01", months: int = 48) -> Evaluation:
    edits = (('name = "its"', method), ("start = 2024-07-01", f"start = {start}"))
    return evaluate(read_study(write(folder, *edits, text=SERIES, table=table()[:months])))


def ways(evaluation: Evaluation) -> list[dict]:
    check = next(check for check in evaluation.checks if check.name == "trend_multiverse")
    return check.table


@pytest.mark.parametrize("name", ["its", "count-its", "arima-its"])
def test_a_borrowed_season_is_held_against_every_other(tmp_path: Path, name: str) -> None:
    found = evaluated(tmp_path, f'name = "{name}"\nseason_from = ["elsewhere"]')
    assert [row["season"] for row in ways(found)[:4]] == [
        "that of other series", "no season", "one yearly wave", "a yearly and a half-yearly wave",
    ]  # fmt: skip
    save(found, tmp_path / "out")
    page = (tmp_path / "out/appendix.html").read_text()
    assert "that of other series" in page


def test_a_stated_season_of_a_short_series_is_held_against_none(tmp_path: Path) -> None:
    found = evaluated(tmp_path, f'name = "its"\nseason_profile = {PROFILE}', start="2023-01-01", months=30)
    assert {row["season"] for row in ways(found)} == {"as the study states it", "no season"}
