"""clubSandwich, fixest and plain deletion are the judges of the cluster-robust variances.

Conventions: clubSandwich's CR1 is G/(G-1) alone and its CR1S is G/(G-1) (n-1)/(n-p), which is our CR1 where
no effect is nested in the clusters; its CR3 has no (G-1)/G, as ours. For ``lm`` with weights its target is
the identity, so ours is too: with the inverse weights as target the golden numbers are missed by several
per cent.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference.covariance import (
    Design,
    Kind,
    cluster_covariance,
    iid_covariance,
    row_covariance,
    two_way_covariance,
)

KINDS: tuple[Kind, ...] = ("CR0", "CR1", "CR2", "CR3")
THEIRS = {"CR0": "CR0", "CR1": "CR1S", "CR2": "CR2", "CR3": "CR3"}


def codes(column: pd.Series) -> np.ndarray:
    return np.unique(column, return_inverse=True)[1].reshape(-1)


def dummies(column: pd.Series) -> np.ndarray:
    """All levels but the first, as R's factor()."""
    at = codes(column)
    return np.eye(at.max() + 1)[at][:, 1:]


def regression(
    y: np.ndarray, x: np.ndarray, clusters: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, Design]:
    w = np.ones(len(y)) if weights is None else weights
    coef = np.linalg.solve((x * w[:, None]).T @ x, (x * w[:, None]).T @ y)
    return coef, Design(x, y - x @ coef, np.eye(x.shape[1]), clusters, weights)


@pytest.fixture(scope="module")
def few(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "sim_few_clusters.csv")


@pytest.fixture(scope="module")
def robust(reference: Path) -> dict:
    return golden(reference / "sim_few_clusters_robust.json")


def columns_of(few: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    names = ["(Intercept)", "treated", *(f"factor(period){p}" for p in sorted(few["period"].unique())[1:])]
    tp = few["treated"] * few["post"]
    return [*names, "treated:post"], np.column_stack(
        [np.ones(len(few)), few["treated"], dummies(few["period"]), tp]
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prefix", ["", "weighted_"])
def test_every_term_equals_club_sandwich(few: pd.DataFrame, robust: dict, kind: Kind, prefix: str) -> None:
    names, x = columns_of(few)
    weights = few["weight"].to_numpy(dtype=float) if prefix else None
    coef, design = regression(few["y"].to_numpy(), x, codes(few["cluster"]), weights)
    found = cluster_covariance(design, kind)
    for row in robust[prefix + THEIRS[kind]]:
        k = names.index(row["term"])
        assert coef[k] == pytest.approx(row["beta"], rel=1e-9)
        assert np.sqrt(found.cov[k, k]) == pytest.approx(row["SE"], rel=1e-9)
        assert found.df[k] == pytest.approx(row["df_Satt"], rel=1e-9)


@pytest.mark.parametrize("prefix", ["", "weighted_"])
def test_club_sandwich_cr1_is_cr0_times_the_clusters_alone(
    few: pd.DataFrame, robust: dict, prefix: str
) -> None:
    names, x = columns_of(few)
    weights = few["weight"].to_numpy(dtype=float) if prefix else None
    _, design = regression(few["y"].to_numpy(), x, codes(few["cluster"]), weights)
    cov = cluster_covariance(design, "CR0").cov * 10 / 9
    for row in robust[f"{prefix}CR1"]:
        k = names.index(row["term"])
        assert np.sqrt(cov[k, k]) == pytest.approx(row["SE"], rel=1e-9)


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2"])
@pytest.mark.parametrize("effect", ["cluster", "site"])
def test_effects_as_dummies_equal_club_sandwich(
    few: pd.DataFrame, robust: dict, effect: str, kind: Kind
) -> None:
    tp = (few["treated"] * few["post"]).to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(few)), dummies(few[effect]), dummies(few["period"]), tp])
    _, design = regression(few["y"].to_numpy(), x, codes(few["cluster"]))
    found = cluster_covariance(design, kind)
    row = robust[f"{effect}FE_{THEIRS[kind]}"][0]
    assert np.sqrt(found.cov[-1, -1]) == pytest.approx(row["SE"], rel=1e-9)
    if kind == "CR0":
        alone = robust[f"{effect}FE_CR1"][0]["SE"]
        assert np.sqrt(found.cov[-1, -1] * 10 / 9) == pytest.approx(alone, rel=1e-9)
    assert found.df[-1] == pytest.approx(row["df_Satt"], rel=1e-9)


@pytest.mark.parametrize("kind", ["CR0", "CR2"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("effect", ["cluster", "site"])
def test_effects_taken_out_give_what_dummies_give(
    few: pd.DataFrame, effect: str, weighted: bool, kind: Kind
) -> None:
    tp = (few["treated"] * few["post"]).to_numpy(dtype=float)
    w = few["weight"].to_numpy(dtype=float) if weighted else np.ones(len(few))
    rest = np.column_stack([dummies(few["period"]), tp])
    x = np.column_stack([np.ones(len(few)), dummies(few[effect]), rest])
    _, design = regression(few["y"].to_numpy(), x, codes(few["cluster"]), w)
    whole = cluster_covariance(design, kind)
    at = codes(few[effect])
    share = np.eye(at.max() + 1)[at]
    means = (share * w[:, None]).T @ rest / (share.T @ w)[:, None]
    within = replace(design, columns=rest - means[at], directions=np.eye(rest.shape[1]), nested=at)
    found = cluster_covariance(within, kind)
    assert found.cov[-1, -1] == pytest.approx(whole.cov[-1, -1], rel=1e-9)
    assert found.df[-1] == pytest.approx(whole.df[-1], rel=1e-9)


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2"])
def test_mortality_equals_club_sandwich(shared: Path, kind: Kind) -> None:
    data = pd.read_csv(shared / "reference/data/mortality_rates_mv.csv")
    data = data.dropna(subset=["mrate", "legal", "beertaxa"])
    x = np.column_stack(
        [np.ones(len(data)), data["legal"], data["beertaxa"], dummies(data["state"]), dummies(data["year"])]
    )
    coef, design = regression(data["mrate"].to_numpy(), x, codes(data["state"]))
    found = cluster_covariance(design, kind)
    for k, row in enumerate(golden(shared / "reference/golden/mortality_robust.json")[THEIRS[kind]], start=1):
        assert coef[k] == pytest.approx(row["beta"], rel=1e-9)
        assert np.sqrt(found.cov[k, k]) == pytest.approx(row["SE"], rel=1e-9)
        assert found.df[k] == pytest.approx(row["df_Satt"], rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_cr3_is_the_sum_over_estimates_without_each_cluster(few: pd.DataFrame, weighted: bool) -> None:
    _, x = columns_of(few)
    y, at = few["y"].to_numpy(), codes(few["cluster"])
    w = few["weight"].to_numpy(dtype=float) if weighted else None
    coef, design = regression(y, x, at, w)
    without = [
        regression(y[at != g], x[at != g], at[at != g], None if w is None else w[at != g])[0]
        for g in range(10)
    ]
    moves = np.array(without) - coef
    np.testing.assert_allclose(cluster_covariance(design, "CR3").cov, moves.T @ moves, rtol=1e-8, atol=1e-12)


def test_one_number_a_place_gives_the_two_sample_formulas() -> None:
    rng = np.random.default_rng(1)
    n1, n0 = 4, 9
    d, pilot = rng.normal(size=n1 + n0), np.arange(n1 + n0) < n1
    x = np.column_stack([np.ones(n1 + n0), pilot])
    _, design = regression(d, x, np.arange(n1 + n0))
    s1, s0 = d[pilot].var(ddof=1), d[~pilot].var(ddof=1)
    two, three = cluster_covariance(design, "CR2"), cluster_covariance(design, "CR3")
    assert two.cov[1, 1] == pytest.approx(s1 / n1 + s0 / n0)
    assert three.cov[1, 1] == pytest.approx(s1 / (n1 - 1) + s0 / (n0 - 1))
    bell_mccaffrey = (1 / n1 + 1 / n0) ** 2 / (1 / (n1**2 * (n1 - 1)) + 1 / (n0**2 * (n0 - 1)))
    assert two.df[1] == pytest.approx(bell_mccaffrey)


def test_each_effect_may_have_residuals_of_its_own() -> None:
    rng = np.random.default_rng(2)
    d, pilot = rng.normal(size=(12, 3)), np.arange(12) < 5
    x = np.column_stack([np.ones(12), pilot])
    alone = []
    for k in range(3):
        _, design = regression(d[:, k], x, np.arange(12))
        alone.append(cluster_covariance(design, "CR2").cov[1, 1])
    residuals = d - np.where(pilot[:, None], d[pilot].mean(axis=0), d[~pilot].mean(axis=0))
    together = replace(design, residuals=residuals, directions=np.tile([[0.0], [1.0]], (1, 3)))
    np.testing.assert_allclose(np.diag(cluster_covariance(together, "CR2").cov), alone)


def test_cr3_refuses_where_nothing_is_left_without_a_cluster() -> None:
    pilot = np.arange(8) < 1
    _, design = regression(np.arange(8.0) ** 2, np.column_stack([np.ones(8), pilot]), np.arange(8))
    with pytest.raises(EstimationError, match=r"CR3 leaves out each cluster.*Auto\(\)"):
        cluster_covariance(design, "CR3")


def test_cr1_counts_period_effects_and_not_the_nested_unit_effects_as_fixest(shared: Path) -> None:
    """feols(lemp ~ tp | countyreal + year, cluster = ~countyreal): K = 1 + number of years."""
    data = pd.read_csv(shared / "reference/data/mpdta.csv")
    expected = golden(shared / "reference/golden/mpdta_did_regression.json")["twfe_cluster"]
    at = codes(data["countyreal"])
    started = (data["first.treat"] > 0) & (data["year"] >= data["first.treat"])
    rest = np.column_stack([dummies(data["year"]), started]).astype(float)
    y = data["lemp"].to_numpy()
    counts = np.bincount(at)
    within = rest - (np.eye(at.max() + 1)[at].T @ rest / counts[:, None])[at]
    inside = y - (np.bincount(at, y) / counts)[at]
    coef = np.linalg.lstsq(within, inside, rcond=None)[0]
    assert coef[-1] == pytest.approx(expected["estimate"]["tp"], rel=1e-9)
    design = Design(
        within, inside - within @ coef, np.eye(5)[:, -1:], at, nested=at, n_parameters=within.shape[1] + 1
    )
    found = cluster_covariance(design, "CR1")
    assert np.sqrt(found.cov[0, 0]) == pytest.approx(expected["se"]["tp"], rel=1e-9)


# -- rows, and clusters in two ways ------------------------------------------------------


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", "HC4"])
def test_rows_equal_sandwich(few: pd.DataFrame, robust: dict, kind: str) -> None:
    _, x = columns_of(few)
    _, design = regression(few["y"].to_numpy(), x, codes(few["cluster"]))
    found = row_covariance(design, kind)
    assert np.sqrt(found[-1, -1]) == pytest.approx(robust["hc"][kind], rel=1e-9)


def test_two_ways_equal_sandwich_with_a_factor_for_each(few: pd.DataFrame, robust: dict) -> None:
    _, x = columns_of(few)
    _, design = regression(few["y"].to_numpy(), x, codes(few["cluster"]))
    found = two_way_covariance(design, codes(few["period"]), "sandwich")
    assert np.sqrt(found[-1, -1]) == pytest.approx(robust["twoway"]["se"], rel=1e-9)
    theirs = two_way_covariance(design, codes(few["period"]), "fixest")[-1, -1]
    assert np.sqrt(theirs) < 0.99 * robust["twoway"]["se"]  # the conventions differ by 3% here


@pytest.mark.parametrize(("case", "parameters"), [("iid", None), ("hetero", None), ("twoway", 2)])
def test_fixest_on_county_employment(shared: Path, case: str, parameters: int | None) -> None:
    """feols(lemp ~ tp | countyreal + year, vcov = ...).

    For "iid" and "hetero" K counts the 505 effects and coefficients. In two ways both effects are nested in
    clusters, so K is the coefficient and 1.
    """
    data = pd.read_csv(shared / "reference/data/mpdta.csv")
    expected = golden(shared / "reference/golden/mpdta_did_regression.json")[f"twfe_{case}"]
    at, years = codes(data["countyreal"]), codes(data["year"])
    started = (data["first.treat"] > 0) & (data["year"] >= data["first.treat"])
    rest = np.column_stack([dummies(data["year"]), started]).astype(float)
    y, counts = data["lemp"].to_numpy(), np.bincount(at)
    within = rest - (np.eye(at.max() + 1)[at].T @ rest / counts[:, None])[at]
    inside = y - (np.bincount(at, y) / counts)[at]
    coef = np.linalg.lstsq(within, inside, rcond=None)[0]
    design = Design(within, inside - within @ coef, np.eye(5)[:, -1:], at, nested=at)
    cov = {
        "iid": lambda: iid_covariance(design),
        "hetero": lambda: row_covariance(design, "HC1"),
        "twoway": lambda: two_way_covariance(design, years, "fixest", parameters),
    }[case]()
    assert np.sqrt(cov[0, 0]) == pytest.approx(expected["se"]["tp"], rel=1e-9)


@pytest.mark.parametrize("kind", ["HC0", "HC2", "HC3", "HC4"])
@pytest.mark.parametrize("weighted", [False, True])
def test_rows_with_effects_taken_out_are_as_with_dummies(
    few: pd.DataFrame, weighted: bool, kind: str
) -> None:
    tp = (few["treated"] * few["post"]).to_numpy(dtype=float)
    w = few["weight"].to_numpy(dtype=float) if weighted else np.ones(len(few))
    rest = np.column_stack([dummies(few["period"]), tp])
    at = codes(few["site"])
    share = np.eye(at.max() + 1)[at]
    _, design = regression(few["y"].to_numpy(), np.column_stack([share, rest]), codes(few["cluster"]), w)
    within = rest - ((share * w[:, None]).T @ rest / (share.T @ w)[:, None])[at]
    out = replace(design, columns=within, directions=np.eye(rest.shape[1]), nested=at)
    for cov in (lambda d: row_covariance(d, kind), iid_covariance):
        assert cov(out)[-1, -1] == pytest.approx(cov(design)[-1, -1], rel=1e-9)


def test_the_wild_bootstrap_standard_error_is_near_that_of_sandwich(few: pd.DataFrame, robust: dict) -> None:
    """``vcovBS(type = "wild-rademacher", R = 2000)``: the spread of b over signs, which is CR0's error.

    2,000 draws have a standard error of 1.6% of theirs.
    """
    _, x = columns_of(few)
    _, design = regression(few["y"].to_numpy(), x, codes(few["cluster"]))
    found = np.sqrt(cluster_covariance(design, "CR0").cov[-1, -1])
    assert found == pytest.approx(robust["bs"]["se"], rel=0.05)


def test_rows_fitted_exactly_are_refused() -> None:
    x = np.column_stack([np.ones(5), np.arange(5) == 0])
    _, design = regression(np.arange(5.0), x, np.arange(5))
    with pytest.raises(EstimationError, match=r"HC3 cannot be had.*Use HC1"):
        row_covariance(design, "HC3")
