"""The example of the page on outcomes runs as it is printed, and its figures are those of the tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[1] / "docs/outcomes.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 1
    exec(blocks[0], names)
    shares, home = names["shares"], names["home"]
    assert shares.pilot.share[-1] == pytest.approx(1 - 0.99**30, abs=0.1)  # those who die first hardly count
    assert shares.low < 0 < shares.high
    assert home.estimate == pytest.approx(home.pilot - home.comparison)
    assert names["counts"].pilot.mean[-1] >= shares.pilot.share[-1]


@pytest.mark.parametrize(
    ("module", "constant", "said"),
    [
        ("cost_bootstrap", "DRAWS", "2,000 times"),
        ("cost_bootstrap", "LEAST_CLUSTERS", "needs twenty clusters"),
        ("prognosis", "STRONG", "`strong` from 0.1,"),
        ("prognosis", "REPEATS", "variance inflation above 4"),
        ("prognosis", "MOST", "Above 100,000 people"),
    ],
)
def test_figures_of_the_page_are_those_of_the_code(module: str, constant: str, said: str) -> None:
    values = {"DRAWS": 2000, "LEAST_CLUSTERS": 20, "STRONG": 0.1, "REPEATS": 4.0, "MOST": 100_000}
    held = __import__(f"ucimpact.inference.{module}", fromlist=[constant])
    assert getattr(held, constant) == values[constant]
    assert said in " ".join(PAGE.split())
