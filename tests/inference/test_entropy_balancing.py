"""Weights by hand, R's weights of two data sets, and targets that no weights reach, named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference import entropy_balancing
from ucimpact.inference.entropy_balancing import balance

Array = np.ndarray
SIM = ["age", "female", "imd_quintile", "ltc", "frailty", "lives_alone", "prior_admissions", "prior_cost"]


def lalonde(shared: Path) -> tuple[Array, Array, Array]:
    table = pd.read_csv(shared / "reference/data/lalonde.csv")
    race = [table["race"] == kind for kind in ("black", "hispan", "white")]
    columns = [table["age"], table["educ"], *race, table["married"], table["nodegree"]]
    x = np.column_stack([*columns, table["re74"], table["re75"]]).astype(float)
    return x, table["treat"].to_numpy() == 1, table["re78"].to_numpy()


def spread_of(x: Array) -> Array:
    binary = np.isin(x, (0.0, 1.0)).all(axis=0)
    share = x.mean(axis=0)
    return np.where(binary, np.sqrt(np.maximum(share * (1 - share), 0)), x.std(axis=0, ddof=1))


def test_by_hand_a_yes_or_no() -> None:
    """1 of 4 is to become a half: the one weighs three times each of the others."""
    found = balance(np.array([[1.0], [0.0], [0.0], [0.0]]), np.array([0.5]))
    assert found.weights == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3], rel=1e-12)
    assert found.coef == pytest.approx([np.log(3)], rel=1e-12)


def test_what_is_balanced_already_weighs_the_same() -> None:
    x = np.random.default_rng(1).normal(size=(50, 3))
    assert balance(x, x.mean(axis=0)).weights == pytest.approx(np.ones(50), abs=1e-9)


def test_columns_that_say_the_same_thrice_do_no_harm() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([rng.random((200, 2)) < 0.5, np.ones(200)]).astype(float)
    more = np.column_stack([x, x[:, 0] + x[:, 1], 1 - x[:, 0]])
    target = np.array([0.6, 0.4, 1.0])
    plain, with_more = balance(x, target), balance(more, np.append(target, [1.0, 0.4]))
    assert with_more.weights == pytest.approx(plain.weights, rel=1e-7)
    assert with_more.max_difference < 1e-9


def test_units_are_irrelevant() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 3))
    target = np.array([0.4, -0.2, 0.1])
    plain, other = balance(x, target), balance(1e6 + x * 1e-3, 1e6 + target * 1e-3)
    assert other.weights == pytest.approx(plain.weights, rel=1e-6)


def test_lalonde_balances_to_the_last_digit_and_gives_the_effect_of_r(shared: Path) -> None:
    """WeightIt's entropy balancing stops at 1e-5; the equivalent CBPS and the package ebal go further."""
    x, treated, y = lalonde(shared)
    judge = golden(shared / "reference/golden/lalonde_weighting.json")
    pilot = x[treated]
    found = balance(x[~treated], pilot.mean(axis=0), spread_of(pilot))
    assert found.max_difference < 1e-9
    att = y[treated].mean() - found.weights @ y[~treated] / found.weights.sum()
    assert att == pytest.approx(judge["cbps_ATT"]["effect"], rel=1e-6)
    assert att == pytest.approx(judge["ebal_package"]["att"], rel=1e-6)
    assert att == pytest.approx(judge["ebal_ATT"]["effect"], rel=2e-5)
    ess = found.weights.sum() ** 2 / (found.weights**2).sum()
    assert ess == pytest.approx(judge["cbps_ATT"]["ess"]["0"], rel=1e-6)
    even = np.array(judge["ebal_package"]["weights_control"])
    assert found.weights * treated.sum() / (~treated).sum() == pytest.approx(even, rel=2e-5)
    shape = judge["cbps_ATT"]["max_weight"]["0"] / judge["cbps_ATT"]["mean_weight"]["0"]
    assert found.weights.max() == pytest.approx(shape, rel=1e-6)


def test_two_moments_of_lalonde(shared: Path) -> None:
    x, treated, y = lalonde(shared)
    more = np.column_stack([x, x[:, [0, 1, 7, 8]] ** 2])
    judge = golden(shared / "reference/golden/lalonde_weighting.json")["ebal_ATT_moments2"]
    found = balance(more[~treated], more[treated].mean(axis=0), spread_of(more[treated]))
    assert found.max_difference < 1e-9
    att = y[treated].mean() - found.weights @ y[~treated] / found.weights.sum()
    assert att == pytest.approx(judge["effect"], rel=1e-4)
    ess = found.weights.sum() ** 2 / (found.weights**2).sum()
    assert ess == pytest.approx(judge["ess"]["0"], rel=1e-4)


def test_the_cohort_of_the_reference_set(reference: Path) -> None:
    table = pd.read_csv(reference / "sim_cohort_softlanding.csv")
    judge = golden(reference / "sim_cohort_matching.json")
    x, treated = table[SIM].to_numpy(float), table["treated"].to_numpy() == 1
    found = balance(x[~treated], x[treated].mean(axis=0), spread_of(x[treated]))
    assert found.max_difference < 1e-9
    weights = np.ones(len(x))
    weights[~treated] = found.weights
    assert weights[:20] == pytest.approx(judge["ebal_readm"]["weights_head"], rel=5e-5)
    for case, column in (("ebal_readm", "readmissions"), ("ebal_cost", "cost")):
        y = table[column].to_numpy()
        att = y[treated].mean() - np.average(y[~treated], weights=found.weights)
        assert att == pytest.approx(judge[case]["effect"], rel=2e-5)


@pytest.mark.parametrize("beyond", [2.1, -0.5])
def test_a_mean_beyond_everybody_is_refused_by_name(beyond: float) -> None:
    x = np.random.default_rng(4).random((80, 3))
    with pytest.raises(EstimationError, match=r"column 1 of the covariates: .*beyond everybody"):
        balance(x, np.array([0.5, beyond, 0.5]))


def test_a_mean_at_the_edge_is_refused_by_name() -> None:
    x = np.column_stack([np.random.default_rng(5).random((80, 1)), np.arange(80) < 9]).astype(float)
    with pytest.raises(EstimationError, match=r"column 1 of the covariates: .*very edge"):
        balance(x, np.array([0.5, 1.0]))


def test_means_that_only_clash_together_are_refused_by_name() -> None:
    """Two shares that nobody has together cannot both be 0.7; without the second the third is no trouble."""
    rng = np.random.default_rng(6)
    first = rng.random(300) < 0.5
    x = np.column_stack([rng.normal(size=300), first, ~first & (rng.random(300) < 0.9)]).astype(float)
    with pytest.raises(EstimationError, match=r"column [12] of the covariates: no weights give") as caught:
        balance(x, np.array([0.0, 0.7, 0.7]))
    assert "column 0" not in str(caught.value)


def test_two_columns_that_are_one_cannot_have_two_means() -> None:
    x = np.random.default_rng(7).normal(size=(100, 1))
    with pytest.raises(EstimationError, match="no weights give the mean"):
        balance(np.column_stack([x, x]), np.array([0.1, 0.2]))


def test_a_gap_in_a_cloud_of_many_columns_is_never_called_converged() -> None:
    """40 people cannot have any 60 means: whatever comes back balances, or nothing comes back."""
    rng = np.random.default_rng(8)
    with pytest.raises(EstimationError, match="no weights give the means that are asked for together"):
        balance(rng.normal(size=(40, 60)), np.full(60, 0.3))


def test_weights_that_do_not_balance_yet_are_not_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entropy_balancing, "STEPS", 2)
    x = np.random.default_rng(10).normal(size=(200, 3))
    with pytest.raises(EstimationError, match="no weights give"):
        balance(x, np.array([1.0, 0.5, -0.5]))


def test_missing_values_are_refused() -> None:
    x = np.ones((5, 2)) * np.arange(5)[:, None]
    x[2, 1] = np.nan
    with pytest.raises(EstimationError, match="missing or infinite"):
        balance(x, np.ones(2))


def test_a_start_from_a_tenth_ends_at_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    x, target = rng.gamma(1.0, 2_000.0, (30_000, 3)), np.array([3_000.0, 1_800.0, 2_500.0])
    cold = balance(x, target)
    monkeypatch.setattr(entropy_balancing, "WARM_FROM", 1_000)
    monkeypatch.setattr(entropy_balancing, "BLOCK", 1_024)
    warm = balance(x, target)
    assert warm.weights == pytest.approx(cold.weights, rel=1e-8)
    assert warm.iterations < cold.iterations


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(0.0, 3.0))
def test_every_answer_balances_and_every_refusal_is_true(seed: int, k: int, far: float) -> None:
    """The judge of a refusal is a linear programme: whether any weights at all give these means."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=(30, k)), rng.random(30) < 0.3])
    target = np.append(rng.normal(size=k) * far, 0.5) * 0.6
    rows = np.vstack([x.T, np.ones(30)])
    there = linprog(np.zeros(30), A_eq=rows, b_eq=np.append(target, 1.0), bounds=(0, None)).status == 0
    try:
        found = balance(x, target)
    except EstimationError:
        assert not there
    else:
        assert there and (found.weights >= 0).all()
        assert np.abs(found.weights @ x / 30 - target).max() < 1e-5
