"""The sensitivity of an estimate's extras: each part from known numbers, and nothing where there is no ratio."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from ucimpact.diagnostics.unrecorded import sensitivity
from ucimpact.disclosure import rounded_in
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.bias_analysis import Belief, Stated
from ucimpact.inference.rosenbaum import MOST, matched_sets
from ucimpact.inference.sensitivity import Pooled
from ucimpact.methods.cohort_hidden_odds import hidden_odds, scores
from ucimpact.methods.matched_cohort import NegativeControls
from ucimpact.words import breaks


def estimate(ratio: float | None = 0.8, error: float = 0.05, df: float = 400, **extras: Any) -> Estimate:
    rows = [{"term": "att", "estimate": -0.2, "conf_low": -0.3, "conf_high": -0.1}]
    if ratio is not None:
        ends = [ratio * math.exp(by * 1.96 * error) - 1 for by in (-1, 1)]
        row = {"term": "relative", "estimate": ratio - 1, "std_error": ratio * error, "df": df}
        rows.append({**row, "conf_low": ends[0], "conf_high": ends[1]})
    return Estimate(
        method="matched-cohort", estimand="ATT", outcome="y", effects=effects_frame(rows), extras=extras
    )


def controls(log_ratio: float, error: float) -> NegativeControls:
    whole = Pooled(log_ratio, error, log_ratio / error, np.ones(1))
    return NegativeControls((), (), whole, np.eye(1))


def test_what_the_controls_leave_of_the_result():
    found = sensitivity(estimate(0.8, 0.05), controls(-0.02, 1e-9), times=Stated(4.0, 4.0, "ratio"))
    (row,) = found["bias_analysis"]["rows"]
    assert row["ratio"] == pytest.approx(0.8 * math.exp(0.08), rel=3e-3)
    assert math.log(row["high"] / row["low"]) == pytest.approx(2 * 1.966 * 0.05, rel=0.02)
    assert found["bias_analysis"]["text"] == row["text"] and "4.0 to 4.0 times as far" in row["text"]


def test_a_picture_of_what_would_explain_it():
    found = sensitivity(estimate(0.8), outcome="Emergency admissions")
    # doubling, 30% of the others: 0.8 x 0.3 - 0.2
    assert "doubles emergency admissions" in found["tipping"]["text"]
    assert "if 4% of those with the service had it" in found["tipping"]["text"]
    assert len(found["tipping"]["rows"]) == 25
    large = sensitivity(estimate(0.25))["tipping"]
    assert all(row["estimate"] is None for row in large["rows"])
    assert large["text"].startswith("Nothing that multiplies the outcome by up to 5.0, and that up to 50% of")
    small = sensitivity(estimate(0.5))["tipping"]
    assert all(row["estimate"] is None for row in small["rows"] if row["strength"] < 3)
    assert "multiplies the outcome by" in small["text"]


def test_a_stated_factor_is_taken_off():
    known = (Stated(0.2, 0.2, "share"), Stated(0.4, 0.4, "share"), Stated(2.0, 2.0, "ratio"))
    found = sensitivity(estimate(0.8), beliefs=[Belief("living alone", *known)])
    (row,) = found["bias_analysis"]["rows"]
    assert row["ratio"] == pytest.approx(0.8 * 1.4 / 1.2, rel=3e-3)
    assert "Stated of living alone: 20% to 20%" in row["text"]


def test_what_a_method_worked_out_is_kept_and_the_e_value_put_beside():
    told = {"rosenbaum": {"gamma": 1.2, "text": "It bears a little."}}
    found = sensitivity(
        estimate(e_value={"estimate": 1.8, "limit": 1.4}, sensitivity=told), controls(0.0, 0.02)
    )
    assert list(found) == ["rosenbaum", "e_value", "tipping", "bias_analysis"]
    assert found["e_value"]["limit"] == 1.4
    json.dumps(found, allow_nan=False)


def test_without_a_ratio_there_is_nothing_to_explain_away():
    assert sensitivity(estimate(None), controls(0.0, 0.02)) == {}


def test_sentences_keep_the_rules():
    beliefs = [Belief("x", Stated(0.1, 0.3, "share"), Stated(0.2, 0.4, "share"), Stated(1.2, 2.0, "ratio"))]
    for ratio in (0.25, 0.8, 0.98, 1.05, 1.6, 2.5):
        found = sensitivity(estimate(ratio), controls(0.01, 0.02), beliefs=beliefs)
        texts = [found["tipping"]["text"], *(row["text"] for row in found["bias_analysis"]["rows"])]
        assert not [text for text in texts if breaks(text) or rounded_in(text) != text]


# -- sets --------------------------------------------------------------------------------


def test_scores_allow_for_days_and_not_for_the_service():
    y, days = np.array([1.0, 0.0, 3.0]), np.array([90.0, 30.0, 80.0])
    assert scores(y, days) == pytest.approx(y - days * 4 / 200)
    assert scores(y) == pytest.approx(y - 4 / 3)


def test_the_odds_that_sets_bear_lie_on_the_side_of_the_effect():
    rng = np.random.default_rng(1)
    sets, treated = np.repeat(np.arange(200), 4), np.tile([True, False, False, False], 200)
    y = rng.poisson(np.where(treated, 0.6, 1.2)).astype(float)
    found = hidden_odds(scores(y), sets, treated, -0.6)
    assert found is not None and 1.5 < found["gamma"] < 3 and not found["over"]
    at, beyond = matched_sets(-scores(y), sets, treated, [found["gamma"], found["gamma"] + 1e-6])
    assert at.high <= 0.025 < beyond.high
    assert hidden_odds(scores(y), sets, treated, 0.6)["gamma"] is None
    large = hidden_odds(scores(y + 50 * treated), sets, treated, 1.0)
    assert large is not None and large["over"] and large["gamma"] == MOST
    json.dumps([found, large], allow_nan=False)


def test_sets_without_a_bound_have_none():
    four = np.array([1.0, 0.0, 2.0, 1.0])
    assert hidden_odds(four, np.zeros(4), np.array([1, 1, 0, 0]), 1.0) is None
    assert hidden_odds(np.ones(4), np.array([0, 0, 1, 1]), np.array([1, 0, 1, 0]), 1.0) is None
