"""Two small studies that are right, for tests that then spoil one thing in them, and how a third begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.errors import UsageError
from ucimpact.study import Records, read_records, read_study

PANEL = """\
schema = 1

[study]
title = "Visits in Eastvale"
question = "Did the visits reduce emergency admissions?"
pilot = "Home visits on the day"
population = "Patients of 12 practices"
comparator = "9 practices without visits"
by = "Eastvale evaluation team"

[data]
kind = "panel"
source = "practices.csv"
unit = "practice"
period = "month"
start = "joined"
population = "list_size"

[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"

[method]
name = "did"
"""

VISITS = """schema = 1

[study]
title = "Visits after discharge"
question = "Did visits reduce emergency admissions?"
pilot = "Visits"
population = "People aged 65 or over"
comparator = "People without visits"
by = "Evaluation team"

[data]
kind = "cohort"
source = "people.csv"
person = "client"
"""
"""How a study of people begins, up to what its own table holds."""

SERIES = """\
schema = 1

[study]
title = "Crisis response in Marrowdale"
question = "Did the crisis response reduce emergency admissions?"
pilot = "A nurse within two hours"
population = "Residents of Marrowdale"
comparator = "What the years before would have led us to expect"
by = "Marrowdale evaluation team"

[data]
kind = "series"
source = "months.csv"
period = "month"
start = 2024-07-01

[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"

[method]
name = "its"
"""


def panel_table(units: int = 12, pilots: int = 3, months: int = 12) -> pd.DataFrame:
    """Practices by months from April 2022; the first few join in October 2022. All cells are text."""
    rng = np.random.default_rng(1)
    month = pd.date_range("2022-04-01", periods=months, freq="MS").strftime("%Y-%m")
    frame = pd.DataFrame(
        {
            "practice": np.repeat([f"Practice {u + 1:02d}" for u in range(units)], months),
            "month": np.tile(month, units),
            "joined": np.repeat(["2022-10" if u < pilots else "" for u in range(units)], months),
            "list_size": np.repeat(1000 + 250 * np.arange(units), months),
            "admissions": rng.poisson(40, units * months) + 5,
            "imd": np.repeat(np.round(rng.uniform(5, 60, units), 1), months),
            "town": np.repeat([f"Town {u // 2 + 1}" for u in range(units)], months),
        }
    )
    return frame.astype(str)


def series_table(months: int = 48) -> pd.DataFrame:
    """Months from July 2021, all after the pandemic months; the pilot starts after three years."""
    rng = np.random.default_rng(2)
    month = pd.date_range("2021-07-01", periods=months, freq="MS").strftime("%Y-%m")
    admissions = rng.poisson(300 + 20 * np.cos(2 * np.pi * np.arange(months) / 12))
    return pd.DataFrame({"month": month, "admissions": admissions}).astype(str)


def edited(text: str, *edits: tuple[str, str]) -> str:
    """The text with each first string, which has to be there, replaced by the second."""
    for old, new in edits:
        assert old in text, f"{old!r} is not in the study"
        text = text.replace(old, new, 1)
    return text


def write(
    folder: Path, *edits: tuple[str, str], text: str = PANEL, table: pd.DataFrame | str | bytes | None = None
) -> Path:
    """Write the study file and its data; return the path of the file."""
    if table is None:
        table = panel_table() if text == PANEL else series_table()
    name = "practices.csv" if 'source = "practices.csv"' in text else "months.csv"
    if isinstance(table, pd.DataFrame):
        table = table.to_csv(index=False)
    (folder / name).write_bytes(table if isinstance(table, bytes) else table.encode())
    path = folder / "study.toml"
    path.write_text(edited(text, *edits), encoding="utf-8")
    return path


def changed(table: pd.DataFrame, column: str, row: int, value: object) -> pd.DataFrame:
    """The table with one cell changed; ``row`` is its line in the file."""
    table = table.copy()
    table.loc[row - 2, column] = value
    return table


def refused(
    tmp_path: Path, *edits: tuple[str, str], text: str = PANEL, table: Any = None, judge: Any = None
) -> list[str]:
    """The lines of what is said against a study file."""
    with pytest.raises(UsageError) as caught:
        read_study(write(tmp_path, *edits, text=text, table=table), judge=judge)
    return str(caught.value).splitlines()


def records(tmp_path: Path, *edits: tuple[str, str], **options: Any) -> Records:
    """The records of a study file and its data."""
    return read_records(read_study(write(tmp_path, *edits, **options)))
