"""Balance by hand and as R's cobalt and MatchIt print it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.inference import balance, pairing, propensity

LALONDE = ["age", "educ", "race_black", "race_hispan", "race_white", "married", "nodegree", "re74", "re75"]


def lalonde(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_csv(shared / "reference/data/lalonde.csv")
    for race in ("black", "hispan", "white"):
        table[f"race_{race}"] = (table["race"] == race).astype(float)
    return table[LALONDE].to_numpy(float), table["treat"].to_numpy() == 1


def one(x: list[float], treated: list[int], weights: list[float] | None = None) -> dict[str, float]:
    given = None if weights is None else np.array(weights, float)
    (row,) = balance.table(np.array(x, float)[:, None], ["x"], np.array(treated) == 1, given)
    return row  # type: ignore[return-value]


def test_by_hand() -> None:
    """Pilot 2, 4, 6: mean 4, variance 4. Comparison 1, 4, 4, 7: mean 4, variance 6."""
    row = one([2, 4, 6, 1, 4, 4, 7], [1, 1, 1, 0, 0, 0, 0])
    assert (row["pilot_mean"], row["comparison_mean"], row["smd"]) == (4, 4, 0)
    assert row["variance_ratio"] == pytest.approx(4 / 6)
    assert row["ks"] == pytest.approx(1 / 4)  # at 1: none of the pilot and a quarter of the others


def test_by_hand_with_weights() -> None:
    """Comparison 1 (weight 1) and 7 (weight 2): mean 5, variance 3/(9-5) x (16 + 2 x 4) = 18."""
    row = one([2, 4, 6, 1, 4, 4, 7], [1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 2])
    assert row["comparison_mean"] == pytest.approx(5)
    assert row["smd"] == pytest.approx((4 - 5) / 2)
    assert row["variance_ratio"] == pytest.approx(4 / 18)
    assert row["ks"] == pytest.approx(2 / 3)


def test_by_hand_a_column_of_yes_and_no() -> None:
    row = one([1, 1, 1, 0, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0])
    assert row["smd"] == pytest.approx((0.75 - 0.25) / np.sqrt(0.75 * 0.25))
    assert row["variance_ratio"] is None
    assert row["ks"] == pytest.approx(0.5)


def test_a_column_that_does_not_vary_in_the_pilot_has_no_standardised_difference() -> None:
    assert one([3, 3, 3, 3, 1, 2], [1, 1, 1, 0, 0, 0])["smd"] is None
    assert one([3, 3, 3, 3, 3, 3], [1, 1, 1, 0, 0, 0])["smd"] == 0
    rows = balance.table(np.array([[3.0], [3.0], [1.0], [2.0]]), ["x"], np.array([1, 1, 0, 0]) == 1)
    assert balance.max_smd(rows) == np.inf


def test_the_standard_deviation_is_that_of_all_pilot_people_whoever_was_matched() -> None:
    x, treated = [0, 2, 10, 1, 1, 1], [1, 1, 1, 0, 0, 0]
    before, after = one(x, treated), one(x, treated, [1, 1, 0, 1, 1, 0])
    assert before["smd"] == pytest.approx((4 - 1) / np.std([0, 2, 10], ddof=1))
    assert after["smd"] == pytest.approx((1 - 1) / np.std([0, 2, 10], ddof=1))


def test_before_matching_it_is_cobalt(shared: Path) -> None:
    x, treated = lalonde(shared)
    rows = golden(shared / "reference/golden/lalonde_weighting.json")["bal_un"]
    ours = balance.table(x, LALONDE, treated)
    assert len(ours) == len(rows)
    for row, judge in zip(ours, rows, strict=True):
        assert row["name"] == judge["variable"]
        assert row["smd"] == pytest.approx(judge["Diff.Un"], rel=1e-6)
        assert row["ks"] == pytest.approx(judge["KS.Un"], rel=1e-6)
        if judge["V.Ratio.Un"] is None:
            assert row["variance_ratio"] is None
        else:
            assert row["variance_ratio"] == pytest.approx(judge["V.Ratio.Un"], rel=1e-6)


def test_after_matching_it_is_matchit(shared: Path) -> None:
    """Two to one with some sets short, so that comparison weights differ."""
    x, treated = lalonde(shared)
    score = propensity.fit(np.delete(x, 4, axis=1), treated).score
    sets = pairing.nearest(score, treated, caliper=0.2 * score.std(ddof=1), ratio=2)
    judge = {
        row["variable"].replace("race", "race_"): row
        for row in golden(shared / "reference/golden/lalonde_matchit.json")["nearest_ratio2_caliper"][
            "matched"
        ]
    }
    for row in balance.table(x, LALONDE, treated, sets.weights(len(treated))):
        of_r = judge[str(row["name"])]
        assert row["pilot_mean"] == pytest.approx(of_r["mean_treated"], rel=1e-6)
        assert row["comparison_mean"] == pytest.approx(of_r["mean_control"], rel=1e-6)
        assert row["smd"] == pytest.approx(of_r["smd"], rel=1e-6, abs=1e-9)
        assert row["ks"] == pytest.approx(of_r["ecdf_max"], rel=1e-6)
        if row["variance_ratio"] is not None:
            assert row["variance_ratio"] == pytest.approx(of_r["var_ratio"], rel=1e-6)


def test_units_and_order_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    x, treated, weights = rng.normal(size=(80, 1)), rng.random(80) < 0.4, rng.random(80)
    mixed = rng.permutation(80)
    (row,) = balance.table(x, ["x"], treated, weights)
    (other,) = balance.table(100 + 7 * x[mixed], ["x"], treated[mixed], 3 * weights[mixed])
    for key in ("smd", "variance_ratio", "ks"):
        assert other[key] == pytest.approx(row[key], rel=1e-9)


def test_places_by_hand() -> None:
    """At the first place 12 of age 1 beside others of age 0; at the second all are alike."""
    place = np.repeat([0, 1, 2], [24, 40, 5])
    treated = np.concatenate([np.arange(24) < 12, np.arange(40) < 20, np.arange(5) < 3])
    x = np.column_stack([np.where(place == 0, treated, 0.5), np.ones(69)])
    weights = np.where(treated, 1.0, 2.0)
    weights[40:44] = 0.0  # four pilot people at the second place who are not used
    rows = balance.by_place(x, ["age", "one"], treated, weights, place, ["north", "south", "few"])
    spread = x[treated, 0].std(ddof=1)
    assert [row["site"] for row in rows] == ["north", "south"]
    assert rows[0] == {
        "site": "north",
        "n_pilot": 12,
        "n_comparison": 12,
        "max_smd": pytest.approx(1 / spread),
        "worst": "age",
    }
    assert rows[1]["max_smd"] == 0 and rows[1]["n_pilot"] == 16
