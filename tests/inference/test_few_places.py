"""A sample of what ``benchmarks/few_places.py`` measures: the numbers of ``docs/few_clusters.md`` come out again.

300 data sets: 5% has a standard error of 1.3 points, 50% one of 2.9; four of them are allowed.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.few_places import changes, contrasts, half_power, procedures

DRAWS = 300
PAGE = Path(__file__).parents[2] / "docs" / "few_clusters.md"


def printed(name: str, cell: str) -> tuple[float, float]:
    """False positives and power of a procedure on the page, as shares."""
    table = PAGE.read_text().split("## Measured")[1]
    heads = [head.strip() for head in re.search(r"\| procedure \|(.*)\|", table)[1].split("|")]  # type: ignore[index]
    row = next(line for line in table.splitlines() if line.startswith(f"| {name} |"))
    found = row.split("|")[2:-1][heads.index(cell)].strip().split("/")
    return float(found[0]) / 100, float(found[1]) / 100


@pytest.mark.parametrize("name", procedures(199))
@pytest.mark.parametrize(("units", "pilots"), [(12, 3), (30, 6)])
def test_the_page_says_what_comes_out(name: str, units: int, pilots: int) -> None:
    p_values = procedures(199)[name][1]
    change = changes(DRAWS, units, 7, pilots, 1.0)
    for effect, expected in zip(
        (0.0, half_power(units, pilots)), printed(name, f"{units}/{pilots}"), strict=True
    ):
        moved = contrasts(change + effect * (np.arange(units) < pilots), pilots)
        error = np.sqrt(max(expected, 0.02) * (1 - expected) / DRAWS)
        assert (p_values(moved) <= 0.05 + 1e-12).mean() == pytest.approx(expected, abs=4 * error)


def test_the_effect_is_what_a_pooled_t_finds_half_the_time() -> None:
    made = contrasts(changes(2000, 12, 3, 3, 1.0) + half_power(12, 3) * (np.arange(12) < 3), 3)
    assert (procedures(99)["pooled t"][1](made) <= 0.05).mean() == pytest.approx(0.5, abs=0.045)
