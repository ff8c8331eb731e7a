"""The page on many series does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "many_series.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def ran() -> dict[str, Any]:
    """The names that the example leaves behind."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(block, names)
    return names


def test_the_example_runs_and_the_table_under_it_is_what_it_gives(ran: dict[str, Any]) -> None:
    found = ran["found"]
    assert found.counts["fitted"] == 800
    rows, points = found.adjusted("relative"), found.funnel("log_average").points
    ways = (
        rows[rows["p_value"] < 0.05]["practice"],
        rows[rows["q_value"] < 0.1]["practice"],
        points[points["outside_99_8"]]["practice"],
    )
    counts = re.findall(r"^\| .* \| (\d+) \| (\d+) \|$", PAGE, flags=re.MULTILINE)
    assert [(str(len(names)), str((names < "P040").sum())) for names in ways] == counts
