"""The score against a two-by-two table, R's and statsmodels' maximum, and data that have no maximum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.api import Logit, add_constant

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference import propensity

SIM = ["age", "female", "imd_quintile", "ltc", "frailty", "lives_alone", "prior_admissions", "prior_cost"]


def people(seed: int = 1, n: int = 3_000, groups: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariates in unlike units, who had the service, and a practice that matters."""
    rng = np.random.default_rng(seed)
    x = np.column_stack(
        [rng.normal(75, 9, n), rng.poisson(1.2, n), rng.gamma(1.0, 3_000.0, n), rng.random(n) < 0.3]
    )
    practice = rng.integers(0, groups, n)
    logit = (
        -1.8 + 0.04 * (x[:, 0] - 75) + 0.3 * x[:, 1] + 4e-5 * x[:, 2] - 0.5 * x[:, 3] + 0.3 * (practice - 3)
    )
    return x, rng.random(n) < 1 / (1 + np.exp(-logit)), practice


def test_by_hand_a_table_of_two_by_two() -> None:
    """30 of 100 without and 60 of 100 with: log odds log(3/7) and log(6/4)."""
    x = np.repeat([0.0, 1.0], 100)[:, None]
    treated = np.concatenate([np.arange(100) < 30, np.arange(100) < 60])
    fitted = propensity.fit(x, treated)
    assert fitted.coef == pytest.approx([np.log(3 / 7), np.log(6 / 4) - np.log(3 / 7)], rel=1e-12)
    assert fitted.score[[0, 199]] == pytest.approx([0.3, 0.6], rel=1e-12)
    assert fitted.converged


def test_the_maximum_is_the_one_that_statsmodels_finds() -> None:
    x, treated, _ = people()
    judge = Logit(treated.astype(float), add_constant(x)).fit(disp=0, method="newton", tol=1e-14, maxiter=50)
    fitted = propensity.fit(x, treated)
    assert fitted.coef == pytest.approx(judge.params, rel=1e-9)
    assert fitted.linear == pytest.approx(judge.fittedvalues, rel=1e-9)
    assert fitted.max_gradient < 1e-12


def test_groups_are_the_dummies_that_nobody_had_to_make() -> None:
    x, treated, practice = people()
    dummies = np.column_stack([x, practice[:, None] == np.arange(1, 8)])
    by_dummies, by_groups = propensity.fit(dummies, treated), propensity.fit(x, treated, groups=10 * practice)
    assert by_groups.linear == pytest.approx(by_dummies.linear, rel=1e-9)
    assert by_groups.coef[1:] == pytest.approx(by_dummies.coef[1:5], rel=1e-9)
    assert by_groups.effects is not None
    assert by_groups.effects[1:] - by_groups.effects[0] == pytest.approx(by_dummies.coef[5:], rel=1e-8)
    intercepts = by_groups.coef[0] + by_groups.effects[practice]
    assert intercepts + x @ by_groups.coef[1:] == pytest.approx(by_groups.linear, rel=1e-9)


@pytest.mark.parametrize("grouped", [False, True])
def test_a_start_from_a_tenth_ends_at_the_same_maximum(
    monkeypatch: pytest.MonkeyPatch, grouped: bool
) -> None:
    x, treated, practice = people(n=30_000)
    groups = practice if grouped else None
    cold = propensity.fit(x, treated, groups=groups)
    monkeypatch.setattr(propensity, "WARM_FROM", 1_000)
    monkeypatch.setattr(propensity, "BLOCK", 1_024)
    warm = propensity.fit(x, treated, groups=groups)
    assert warm.linear == pytest.approx(cold.linear, rel=1e-9)
    assert warm.iterations < cold.iterations


def test_a_rare_category_lost_in_the_tenth_is_found_by_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    x, treated, _ = people(n=30_000)
    x[:, 3] = 0.0
    x[[*np.flatnonzero(treated)[:3], *np.flatnonzero(~treated)[1:8]], 3] = (
        1.0  # the tenth takes 0, 10, 20, ...
    )
    monkeypatch.setattr(propensity, "WARM_FROM", 1_000)
    assert propensity.fit(x, treated).score[x[:, 3] == 1].sum() == pytest.approx(3.0, rel=1e-9)


def test_columns_kept_in_half_the_memory_are_worked_on_in_full() -> None:
    x, treated, _ = people()
    small = x.astype(np.float32)
    assert propensity.fit(small, treated).linear == pytest.approx(
        propensity.fit(small.astype(float), treated).linear, rel=1e-12
    )


def test_units_do_not_matter() -> None:
    x, treated, _ = people()
    moved = x * [12.0, 1.0, 1e-6, 1.0] + [0.0, 1e3, 0.0, 5.0]
    assert propensity.fit(moved, treated).linear == pytest.approx(propensity.fit(x, treated).linear, rel=1e-8)


def test_people_who_are_alike_have_the_same_score_to_the_last_bit() -> None:
    x, treated, _ = people(n=1_037)
    both = propensity.fit(np.vstack([x, x]), np.concatenate([treated, treated]))
    assert np.array_equal(both.linear[:1_037], both.linear[1_037:])


def test_the_score_of_lalonde_is_that_of_r(shared: Path) -> None:
    table = pd.read_csv(shared / "reference/data/lalonde.csv")
    race = [table["race"] == name for name in ("black", "hispan")]
    x = np.column_stack(
        [table[["age", "educ", "married", "nodegree", "re74", "re75"]].to_numpy(float), *race]
    )
    fitted = propensity.fit(x, table["treat"].to_numpy() == 1)
    head = golden(shared / "reference/golden/lalonde_weighting.json")["iptw_ATT"]["ps_head"]
    assert fitted.score[: len(head)] == pytest.approx(head, rel=1e-6)
    summary = golden(shared / "reference/golden/lalonde_matchit.json")["nearest"]["propensity_summary"]
    found = [fitted.score.min(), np.median(fitted.score), fitted.score.mean(), fitted.score.max()]
    assert found == pytest.approx([summary[name] for name in ("Min.", "Median", "Mean", "Max.")], rel=1e-6)


def test_the_score_of_the_simulated_cohort_is_that_of_r(reference: Path) -> None:
    table = pd.read_csv(reference / "sim_cohort_softlanding.csv")
    fitted = propensity.fit(table[SIM].to_numpy(float), table["treated"].to_numpy() == 1)
    head = golden(reference / "sim_cohort_matching.json")["iptw_ATT"]["ps_head"]
    assert fitted.score[: len(head)] == pytest.approx(head, rel=1e-6)


def test_a_column_that_parts_the_arms_is_named() -> None:
    x, treated, _ = people()
    whole, partly = x.copy(), x.copy()
    whole[:, 2] = np.where(treated, 5.0, 1.0) + 0.1 * np.arange(len(x)) / len(x)
    partly[:, 3] = (np.arange(len(x)) % 7 == 0) & ~treated  # a category in which nobody had the service
    with pytest.raises(EstimationError, match=r"column 2 .*no maximum.*match exactly"):
        propensity.fit(whole, treated)
    with pytest.raises(EstimationError, match=r"column 3 .*no maximum"):
        propensity.fit(partly, treated)


def test_a_rare_category_with_one_pilot_person_still_has_a_maximum() -> None:
    x, treated, _ = people()
    x[:, 3] = 0.0
    x[[*np.flatnonzero(treated)[:1], *np.flatnonzero(~treated)[:60]], 3] = 1.0
    fitted = propensity.fit(x, treated)
    assert fitted.converged
    assert fitted.score[x[:, 3] == 1].sum() == pytest.approx(1.0, rel=1e-9)


def test_an_outlier_that_is_told_apart_without_doubt_does_not_stop_the_fit() -> None:
    """One person 300 standard deviations out has a logit of 20 or so, and the maximum is still there."""
    x, treated, _ = people()
    x[np.flatnonzero(treated)[0], 2] = 1e6
    fitted = propensity.fit(x, treated)
    assert fitted.linear.max() > 15
    assert fitted.converged


def test_columns_that_say_nothing_new_are_named() -> None:
    x, treated, _ = people()
    with pytest.raises(EstimationError, match=r"column 4 .*combination of the columns before it"):
        propensity.fit(np.column_stack([x, 2 * x[:, 0] - x[:, 3]]), treated)
    with pytest.raises(EstimationError, match=r"column 1 .*same for everybody"):
        propensity.fit(np.column_stack([x[:, 0], np.full(len(x), 0.1)]), treated)


def test_groups_of_one_arm_and_samples_of_one_arm_are_refused() -> None:
    x, treated, practice = people()
    with pytest.raises(EstimationError, match="1 of 8 groups hold only pilot or only comparison"):
        propensity.fit(x, treated & (practice != 3), groups=practice)
    with pytest.raises(EstimationError, match="3000 of 3000 are pilot"):
        propensity.fit(x, np.ones(len(x), dtype=bool))
    x[5, 1] = np.nan
    with pytest.raises(EstimationError, match="missing or infinite"):
        propensity.fit(x, treated)
