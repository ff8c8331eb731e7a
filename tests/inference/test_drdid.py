"""Numbers from R, a table on paper, and influence against leaving rows out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.inference.drdid import Estimator, Indistinct, two_groups
from ucimpact.inference.drdid_sections import two_sections

ESTIMATORS: tuple[Estimator, ...] = ("dr", "dr-improved", "ipw", "reg", "ipw-ht")
IN_R = {
    "drdid_imp": "dr-improved",
    "drdid_trad": "dr",
    "ordid": "reg",
    "ipwdid_hajek": "ipw",
    "ipwdid_ht": "ipw-ht",
}


def people(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two outcomes' changes, who had the pilot, two covariates, weights."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(50, 12, n), rng.integers(0, 2, n)])
    treated = rng.random(n) < 1 / (1 + np.exp(-(x[:, 0] - 50) / 20))
    change = np.column_stack([0.1 * x[:, 0] + rng.normal(size=n), x[:, 1] + rng.normal(size=n)])
    return change + treated[:, None], treated, x, rng.integers(1, 4, n).astype(float)


# -- panels ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nsw(shared: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = pd.read_csv(shared / "reference/data/nsw_cps_long.csv").sort_values(["id", "year"])
    earnings = table["re"].to_numpy().reshape(-1, 2)
    first = table[table["year"] == 1975]
    names = ["age", "educ", "black", "married", "nodegree", "hisp", "re74"]
    x = first[names].to_numpy(float)
    return earnings[:, 1:] - earnings[:, :1], first["experimental"].to_numpy() == 1, x


@pytest.mark.parametrize("case", [*IN_R, "did_nocov"])
def test_a_panel_is_that_of_drdid(case: str, nsw: tuple, shared: Path) -> None:
    # drdid(), ordid(), ipwdid() with panel = TRUE; the analytic error is the root of the sum of squared
    # influence, without a factor for small samples
    change, treated, x = nsw
    judge = golden(shared / "reference/golden/nsw_cps_drdid.json")[case]
    fit = two_groups(treated, None if case == "did_nocov" else x, None, IN_R.get(case, "reg"))
    found = fit.effects(change)
    assert found.estimate[0] == pytest.approx(judge["att"], rel=1e-6)
    influence = found.influence(change)[:, 0]
    assert np.sqrt(influence @ influence) == pytest.approx(judge["se"], rel=1e-4)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_without_covariates_it_is_the_difference_of_two_changes(estimator: Estimator) -> None:
    change = np.array([[-2.0], [-4.0], [1.0], [3.0], [2.0]])
    treated = np.array([True, True, False, False, False])
    found = two_groups(treated, None, None, estimator).effects(change)
    assert found.estimate[0] == pytest.approx(-3 - 2)
    # each unit's distance from the mean of its group, over the size of the group
    expected = [1 / 2, -1 / 2, 1 / 3, -1 / 3, 0]
    np.testing.assert_allclose(found.influence(change)[:, 0], expected, atol=1e-12)


def test_one_yes_or_no_covariate_is_a_comparison_within_its_two_groups() -> None:
    # 3 of 4 pilot units have x = 1, so its difference counts three quarters, whatever the estimator
    x = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0], dtype=float)[:, None]
    treated = np.arange(9) < 4
    change = np.array([5, 6, 7, 1, 2, 4, 0, 1, 2], dtype=float)[:, None]
    by_hand = 0.75 * (6 - 3) + 0.25 * (1 - 1)
    for estimator in ("dr", "dr-improved", "ipw", "reg"):
        assert two_groups(treated, x, None, estimator).effects(change).estimate[0] == pytest.approx(by_hand)


def by_weight(effect: Callable[[np.ndarray], Any], n: int, rows: np.ndarray) -> np.ndarray:
    """Derivative of an effect by the weight of each row, which is what influence is."""
    out = []
    for i in rows:
        step = np.zeros(n)
        step[i] = 1e-4
        out.append((effect(1 + step) - effect(1 - step)) / 2e-4)
    return np.array(out)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_influence_on_a_panel_is_the_derivative_by_the_weight_of_a_row(estimator: Estimator) -> None:
    change, treated, x, _ = people(1)
    influence = two_groups(treated, x, None, estimator).effects(change).influence(change)
    np.testing.assert_allclose(influence.sum(axis=0), 0, atol=1e-9)
    moved = by_weight(
        lambda w: two_groups(treated, x, w, estimator).effects(change).estimate, 60, np.arange(60)
    )
    np.testing.assert_allclose(influence, moved, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_weight_of_two_is_the_row_twice(estimator: Estimator) -> None:
    change, treated, x, w = people(2)
    weighted = two_groups(treated, x, w, estimator).effects(change)
    twice = np.repeat(np.arange(len(w)), w.astype(int))
    repeated = two_groups(treated[twice], x[twice], None, estimator).effects(change[twice])
    np.testing.assert_allclose(weighted.estimate, repeated.estimate, rtol=1e-9)
    summed = np.zeros_like(change)
    np.add.at(summed, twice, repeated.influence(change[twice]))
    np.testing.assert_allclose(weighted.influence(change), summed, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_units_of_measurement_of_a_covariate_do_not_matter(estimator: Estimator) -> None:
    change, treated, x, w = people(3)
    plain = two_groups(treated, x, w, estimator).effects(change)
    other = two_groups(treated, np.column_stack([x[:, 1], 1e5 + x[:, 0] / 365]), w, estimator)
    again = other.effects(change)
    np.testing.assert_allclose(again.estimate, plain.estimate, rtol=1e-7)
    np.testing.assert_allclose(again.influence(change), plain.influence(change), rtol=1e-5, atol=1e-9)


def test_a_tilted_score_balances_the_covariates_exactly() -> None:
    _, treated, x, w = people(4)
    fit = two_groups(treated, x, w, "dr-improved")
    others = fit.odds / fit.odds.sum()
    np.testing.assert_allclose(others @ x, np.average(x[treated], axis=0, weights=w[treated]), rtol=1e-9)


def test_only_high_scores_of_comparison_units_are_dropped() -> None:
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(4, 1, 300), rng.normal(0, 1, 300), [6.5, 7.0]])[:, None]
    treated = np.arange(602) < 300
    fit = two_groups(treated, x, None, "ipw")
    assert fit.score is not None
    high = ~treated & (fit.score >= 0.995)
    assert fit.dropped == high.sum() > 0
    np.testing.assert_array_equal(fit.odds > 0, ~treated & ~high)
    assert fit.odds[fit.odds > 0].min() < 0.005 / 0.995  # low scores stay as they are


def test_what_cannot_be_told_apart_is_refused() -> None:
    _, treated, x, _ = people(6)
    with pytest.raises(Indistinct, match="needs pilot and comparison"):
        two_groups(np.zeros(60, dtype=bool), x)
    for estimator in ("dr", "dr-improved", "ipw"):
        with pytest.raises(Indistinct, match=r"column 1 .*without error") as caught:
            two_groups(treated, np.column_stack([x[:, 0], treated + 0.01 * x[:, 1]]), None, estimator)
        assert caught.value.column == 1
    with pytest.raises(Indistinct, match=r"column 1 .*nothing of its own") as caught:
        two_groups(treated, np.column_stack([x[:, 0], np.where(treated, x[:, 1], 2 * x[:, 0])]), None, "reg")
    assert caught.value.column == 1
    with pytest.raises(Indistinct, match="same in all units"):
        two_groups(treated, np.column_stack([x[:, 0], np.full(60, 3.3)]))


# -- repeated cross-sections -----------------------------------------------------------------


@pytest.fixture(scope="module")
def sections(shared: Path) -> tuple[np.ndarray, ...]:
    table = pd.read_csv(shared / "reference/data/drdid_sim_rc.csv")
    x = table[["x1", "x2", "x3", "x4"]].to_numpy(float)
    return table["y"].to_numpy(), table["d"].to_numpy() == 1, table["post"].to_numpy() == 1, x


@pytest.mark.parametrize("case", list(IN_R))
def test_cross_sections_are_those_of_drdid(case: str, sections: tuple, shared: Path) -> None:
    # with panel = FALSE. The influence is R's own: influence = "drdid"
    judge = golden(shared / "reference/golden/drdid_rc.json")[case]
    estimate, influence = two_sections(*sections, None, IN_R[case], "drdid")
    assert estimate == pytest.approx(judge["att"], rel=1e-6)
    assert np.sqrt(influence @ influence) == pytest.approx(judge["se"], rel=1e-4)


def test_the_derivative_is_ours_and_not_that_of_r(sections: tuple) -> None:
    # DRDID 1.2.3 subtracts where the regression of the earlier comparison adds: the errors are 0.9% apart
    n = len(sections[0])
    rows = np.random.default_rng(0).choice(n, 40, replace=False)
    derived, as_in_r = (two_sections(*sections, None, "dr", kind)[1] for kind in ("derived", "drdid"))
    moved = by_weight(lambda w: two_sections(*sections, w)[0], n, rows)
    np.testing.assert_allclose(derived[rows], moved, rtol=1e-4, atol=1e-7)
    assert np.abs(as_in_r[rows] - moved).max() > 0.05 * np.abs(moved).max()
    assert np.sqrt(derived @ derived) == pytest.approx(np.sqrt(as_in_r @ as_in_r), rel=0.01)


def draw(seed: int, n: int = 500) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    treated = rng.random(n) < 1 / (1 + np.exp(-0.5 * x[:, 0]))
    after = rng.random(n) < 0.5
    y = x @ [1.0, -1.0] + after * (1 + x[:, 0]) + 2.0 * (treated & after) + rng.normal(size=n)
    return y, treated, after, x


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_influence_in_cross_sections_is_the_derivative_by_the_weight_of_a_row(estimator: Estimator) -> None:
    data = draw(7, 300)
    _, influence = two_sections(*data, None, estimator)
    rows = np.arange(0, 300, 3)
    moved = by_weight(lambda w: two_sections(*data, w, estimator)[0], 300, rows)
    if estimator == "dr-improved":  # the comparison's regressions and the score are taken as given (paper)
        assert np.corrcoef(moved, influence[rows])[0, 1] > 0.99
    else:
        np.testing.assert_allclose(influence[rows], moved, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_weight_of_two_is_the_row_twice_in_cross_sections(estimator: Estimator) -> None:
    data = draw(8, 120)
    w = np.random.default_rng(8).integers(1, 4, 120)
    twice = np.repeat(np.arange(120), w)
    weighted, influence = two_sections(*data, w.astype(float), estimator)
    repeated, parts = two_sections(*(part[twice] for part in data), None, estimator)
    assert weighted == pytest.approx(repeated, rel=1e-9)
    np.testing.assert_allclose(influence, np.bincount(twice, parts), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_without_covariates_cross_sections_are_four_means(estimator: Estimator) -> None:
    y, treated, after, _ = draw(9, 200)
    means = [y[treated & after], y[treated & ~after], y[~treated & after], y[~treated & ~after]]
    estimate, influence = two_sections(y, treated, after, None, None, estimator)
    assert estimate == pytest.approx(means[0].mean() - means[1].mean() - means[2].mean() + means[3].mean())
    assert influence @ influence == pytest.approx(sum(m.var() / len(m) for m in means))


@pytest.mark.parametrize("estimator", ["dr", "dr-improved", "ipw", "reg"])
def test_the_truth_is_found_in_cross_sections(estimator: Estimator) -> None:
    estimate, influence = two_sections(*draw(10, 20_000), None, estimator)
    assert abs(estimate - 2) < 3.5 * np.sqrt(influence @ influence) < 0.3


def test_a_period_without_one_of_the_groups_is_refused() -> None:
    y, treated, after, x = draw(11, 60)
    with pytest.raises(Indistinct, match="nobody of the comparison group"):
        two_sections(y, treated | after, after, x)
