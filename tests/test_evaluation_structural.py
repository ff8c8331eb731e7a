"""A structural time series from a study file to the report: whose numbers, whose words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.small_study import SERIES, write
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.report.render import render
from ucimpact.study import read_study

METHOD = 'name = "structural"\ncontrols = ["north", "south"]\ndraws = 1000\nburn = 200'


def evaluated(folder: Path) -> Evaluation:
    rng = np.random.default_rng(1)
    months = pd.period_range("2021-07", periods=54, freq="M").astype(str)
    north, south = 200 + 6 * rng.standard_normal((2, 54)).cumsum(axis=1)
    admissions = 100 + north + 4 * rng.standard_normal(54) - 25 * (months >= "2024-07")
    columns = {"month": months, "admissions": admissions, "north": north, "south": south}
    table = pd.DataFrame(columns).round({"admissions": 0, "north": 0, "south": 0})
    study = write(folder, ('name = "its"', METHOD), text=SERIES, table=table)
    return evaluate(read_study(study))


def test_the_whole_of_it_is_told(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path)
    estimate = evaluation.primary.estimate
    assert estimate is not None and estimate.method == "structural"
    average = estimate.effect("average")
    assert average["conf_low"] < -25 < average["conf_high"]
    page = render(evaluation.to_dict())
    assert "Bayesian structural time series" in page
    assert "none of north and south was touched by the pilot" in page
    assert "each group of places at its own spread" not in page
