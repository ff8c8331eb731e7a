"""Weston General's A&E closed at night from 4 July 2017: one closed trust, 126 others, real counts.

The plain figure is worked out here from the file, without the package; the package must agree with it,
say by which rule its range was found, and say what one closed trust can and cannot show.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ucimpact import words
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.publish import save
from ucimpact.study import read_study

STUDY = Path(__file__).parent / "weston" / "study.toml"


@pytest.fixture(scope="module")
def weston(shared: Path) -> Evaluation:
    return evaluate(read_study(STUDY))


@pytest.fixture(scope="module")
def log_means(shared: Path) -> pd.DataFrame:
    """Mean log attendances before and after, by trust: July 2016 to June 2018."""
    table = pd.read_csv(
        shared / "data" / "weston_overnight_closure_2017_trust_month.csv", parse_dates=["period"]
    )
    table = table[table["role"].isin(["closed_overnight", "donor"])]
    table = table[table["period"].between("2016-07-01", "2018-06-30")]
    logs = np.log(table["attendances"]).groupby([table["org_code"], table["period"] >= "2017-07-01"]).mean()
    return logs.unstack()


def test_the_estimate_is_the_plain_difference_in_logs(weston: Evaluation, log_means: pd.DataFrame) -> None:
    change = log_means[True] - log_means[False]
    plain = change["RA3"] - change.drop("RA3").mean()
    estimate = weston.primary.estimate
    assert estimate is not None
    assert estimate.headline["estimate"] == pytest.approx(plain, rel=1e-9)
    assert weston.finding["est"] == pytest.approx(-14.0, abs=0.05)
    assert weston.data["counts"]["comparison_units"] == 126


def test_the_rule_for_one_place_gave_the_range_and_is_named(weston: Evaluation) -> None:
    estimate = weston.primary.estimate
    assert estimate is not None
    assert estimate.draws_from == "pooled t on 125 degrees of freedom"
    assert 0.01 < estimate.headline["p_value"] < 0.12
    rule = estimate.extras["rule"]
    assert rule["n1"] == 1 and rule["n0"] == 126 and rule["smallest_p"] == pytest.approx(1 / 127)


def test_no_plain_cluster_robust_p_value_stands_anywhere(weston: Evaluation) -> None:
    """With one trust CR1 gives a t beyond 10; no main effect may carry such a p-value."""
    for analysis in weston.analyses:
        assert analysis.estimate is not None
        assert analysis.estimate.spec["cov"]["kind"] == "Auto"
        assert analysis.estimate.headline["p_value"] > 0.01
    assert "CR1" not in json.dumps(weston.to_dict())


def test_both_windows_are_shown(weston: Evaluation) -> None:
    whole = [a for a in weston.analyses if a.role == "sensitivity"]
    assert len(whole) == 1 and whole[0].estimate is not None
    assert whole[0].estimate.counts["periods"] == 36
    assert whole[0].est is not None and whole[0].est < 0


def test_every_other_trust_is_drawn_beside_it(weston: Evaluation) -> None:
    assert weston.primary.estimate is not None
    placebo = weston.primary.estimate.extras["placebo"]
    assert len(placebo["estimates"]) == len(placebo["paths"]) == 126


def test_the_words_say_what_one_trust_can_show(weston: Evaluation) -> None:
    limits = " ".join(weston.finding["limits"])
    assert "can show whether" in limits and "cannot show whether" in limits and "1 in 127" in limits
    assert weston.certainty["level"] in ("very low", "low")
    assert weston.finding["avoided"] is None
    said = weston.finding["sentences"]
    assert "reduce" not in said["headline"] or "may" in said["headline"]
    for text in [*weston.finding["limits"], said["headline"], said["lead"]]:
        assert not words.breaks(text), text


def test_the_report_is_written(weston: Evaluation, tmp_path: Path) -> None:
    page = save(weston, tmp_path)[0].read_text()
    assert "14%" in page and "126" in page
