"""The page on the mathematics of a league does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ucimpact.inference.winners import conditional

PAGE = (Path(__file__).parents[1] / "docs" / "league_maths.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def ran() -> dict[str, Any]:
    """The names that the example leaves behind."""
    names: dict[str, Any] = {}
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(block, names)
    return names


def test_the_example_gives_the_numbers_beside_it(ran: dict[str, Any]) -> None:
    found = ran["found"]
    assert found.mean[:2].round(2).tolist() == [0.11, 0.11]
    assert [limit[0].round(2) for limit in found.interval()] == [0, 0.26]
    assert found.chance_above(0.05)[:2].round(2).tolist() == [0.87, 0.90]
    assert found.best()[:3].round(2).tolist() == [0.22, 0.20, 0.16]
    assert round(found.chance_spread_above(0.05), 2) == 0.38
    assert ran["rank_sets"](ran["benefit"], ran["cov"]).could_be_first.sum() == 7
    leader = ran["hybrid"](ran["benefit"], ran["cov"])
    assert (leader.chosen, round(leader.low, 2), round(leader.high, 2)) == (0, -0.21, 0.53)
    sceptic = ran["shrink"](ran["benefit"], ran["cov"], ran["Prior"](mean_sd=0.05)).mean
    assert sceptic[:2].round(2).tolist() == [0.09, 0.09]


def test_the_published_five_come_out_as_the_page_says(ran: dict[str, Any]) -> None:
    said = re.search(
        r"conditional interval is (\S+) to (\S+) around (\S+), the hybrid (\S+) to (\S+)\s+around (\S+), as",
        PAGE,
    )
    assert said is not None
    given = [found for way in (conditional, ran["hybrid"]) for found in [way(np.arange(5.0), np.eye(5))]]
    numbers = [x for one in given for x in (one.low, one.high, one.estimate)]
    assert [float(x) for x in said.groups()] == pytest.approx(numbers, abs=6e-4)
