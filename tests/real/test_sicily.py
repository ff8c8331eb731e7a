"""Sicily's smoking ban: the published ratio again, and what the published model leaves over is said.

The plain model is fitted here without the package. Its Ljung-Box p-value at lag 12 is 0.005; that test rejects
too often with seven terms and 59 months, and the package's own, which allows for them, agrees that a pattern is left.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.diagnostic import acorr_ljungbox

from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.publish import save
from ucimpact.study import read_study

STUDY = Path(__file__).parent / "sicily" / "study.toml"


@pytest.fixture(scope="module")
def sicily(shared: Path) -> Evaluation:
    return evaluate(read_study(STUDY))


@pytest.fixture(scope="module")
def plain(shared: Path):
    """The published model, by another program."""
    table = pd.read_csv(shared / "reference" / "data" / "sicily.csv")
    turn = 2 * np.pi * np.outer(table["time"], [1, 2]) / 12
    columns = [np.ones(59), table["smokban"], table["time"], *np.sin(turn).T, *np.cos(turn).T]
    model = sm.GLM(
        table["aces"], np.column_stack(columns), family=sm.families.Poisson(), offset=np.log(table["stdpop"])
    )
    return model.fit(scale="X2")


def check(evaluation: Evaluation, name: str):
    return next(check for check in evaluation.checks if check.name == name)


def test_the_ratio_is_the_published_one(sicily: Evaluation, plain) -> None:
    estimate = sicily.primary.estimate
    assert estimate is not None
    found = estimate.effect("log_level_change")
    assert found["estimate"] == pytest.approx(plain.params.iloc[1], abs=1e-7)
    assert found["std_error"] == pytest.approx(plain.bse.iloc[1], rel=1e-6)
    assert np.exp(found["estimate"]) == pytest.approx(0.885, abs=0.0005)


def test_autocorrelation_that_the_published_model_leaves_is_said(sicily: Evaluation, plain) -> None:
    textbook = acorr_ljungbox(plain.resid_pearson, [12])["lb_pvalue"].item()
    assert textbook == pytest.approx(0.0048, abs=0.0001)
    estimate = sicily.primary.estimate
    assert estimate is not None
    test = estimate.extras["ljung_box"]
    assert test["lags"] == 12
    assert test["p_value"] == pytest.approx(0.0096, abs=0.0005)
    left = check(sicily, "residuals")
    assert left.answer == "doubtful"
    assert left.text.startswith("Some autocorrelation is left")
    assert [row["lags"] for row in left.table] == ["1 to 12", "1 to 12", "1", "1 to 3", "1 to 12"]
    assert left.table[1]["test"].endswith("as other programs print it")
    assert left.table[1]["p_value"] == pytest.approx(0.0048, abs=0.0001)
    assert left.table[-1]["p_value"] < 0.05


def test_the_estimate_alone_says_it_too(sicily: Evaluation) -> None:
    estimate = sicily.primary.estimate
    assert estimate is not None
    assert any("pattern" in text or "autocorrelation" in text for text in estimate.warnings)


def test_the_trend_is_shown_to_matter(sicily: Evaluation) -> None:
    """Without a trend the ban would have raised admissions; the series tells that such a model fits worse."""
    ways = check(sicily, "trend_multiverse")
    without = [row for row in ways.table if row["trend"] == "none"]
    assert all(row["estimate"] > 0 for row in without)
    assert {row["fits"] for row in without} == {"worse"}
    assert ways.answer == "holds"


def test_the_report_prints_it(sicily: Evaluation, tmp_path: Path) -> None:
    save(sicily, tmp_path)
    page = (tmp_path / "appendix.html").read_text()
    assert "Some autocorrelation is left after season, trend and carry-over" in page
    assert "How could the service be watched from here on?" in page
