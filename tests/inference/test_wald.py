"""clubSandwich's HTZ, the t that it is for one effect, brute force, and its size with few clusters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.conftest import golden
from tests.inference.test_covariance import codes, columns_of, regression
from ucimpact.inference.covariance import Design, Kind, cluster_covariance
from ucimpact.inference.wald import wald


def test_two_effects_equal_club_sandwich(reference: Path) -> None:
    """Wald_test(m, constrain_zero(c("treated", "treated:post")), "CR2", "HTZ")."""
    few = pd.read_csv(reference / "sim_few_clusters.csv")
    names, x = columns_of(few)
    coef, design = regression(few["y"].to_numpy(), x, codes(few["cluster"]))
    which = [names.index("treated"), names.index("treated:post")]
    found = wald(replace(design, directions=np.eye(len(names))[:, which]), coef[which])
    judge = golden(reference / "sim_few_clusters_robust.json")["wald_CR2"]
    assert found is not None
    assert found.statistic == pytest.approx(judge["Fstat"], rel=1e-9)
    assert found.df_num == judge["df_num"]
    assert found.df_den == pytest.approx(judge["df_denom"], rel=1e-9)
    assert found.p_value == pytest.approx(judge["p_val"], rel=1e-9)


def uneven(seed: int = 1, groups: int = 9) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    at = np.repeat(np.arange(groups), rng.integers(3, 7, groups))
    x = np.column_stack([np.ones(len(at)), rng.normal(size=(len(at), 3)) + rng.normal(size=(groups, 3))[at]])
    y = rng.normal(size=len(at)) + rng.normal(size=groups)[at]
    return y, x, at, rng.uniform(0.5, 2, len(at))


@pytest.mark.parametrize("kind", ["CR0", "CR2", "CR3"])
def test_for_one_effect_it_is_the_t_squared(kind: Kind) -> None:
    coef, design = regression(*uneven())
    one = replace(design, directions=np.eye(4)[:, 1:2])
    found, clustered = wald(one, coef[1:2], kind), cluster_covariance(one, kind)
    assert found is not None
    assert found.statistic == pytest.approx(coef[1] ** 2 / clustered.cov[0, 0])
    assert found.df_den == pytest.approx(clustered.df[0] if kind == "CR2" else found.df_den)
    t = abs(coef[1]) / np.sqrt(clustered.cov[0, 0])
    assert found.p_value == pytest.approx(2 * stats.t.sf(t, found.df_den))


def test_degrees_of_freedom_are_those_of_normal_errors() -> None:
    """The variance of every entry of D, from 40,000 draws of errors of the working model."""
    y, x, at, w = uneven(2)
    coef, design = regression(y, x, at, w)
    three = replace(design, directions=np.eye(4)[:, 1:])
    found = wald(three, coef[1:])
    assert found is not None
    rng = np.random.default_rng(1)
    bread = np.linalg.inv((x * w[:, None]).T @ x)
    hat = x @ bread @ (x * w[:, None]).T
    residuals = (np.eye(len(y)) - hat) @ rng.normal(size=(len(y), 40_000))
    omega = (bread @ (x * w[:, None] ** 2).T @ x @ bread)[1:, 1:]
    values, vectors = np.linalg.eigh(omega)
    root = vectors / np.sqrt(values) @ vectors.T
    each = []
    for e in root.T:  # scores are linear in the residuals, so many data sets are many effects
        direction = np.concatenate([[0.0], e])
        many = Design(x, residuals, np.tile(direction[:, None], (1, 40_000)), at, w)
        each.append(_scores(many))
    d = np.einsum("sgr,tgr->str", np.array(each), np.array(each))
    assert d.mean(axis=2) == pytest.approx(np.eye(3), abs=0.03)
    eta = 3 * 4 / d.var(axis=2).sum()
    assert found.df_den == pytest.approx(eta - 2, rel=0.04)


def _scores(design: Design) -> np.ndarray:
    """CR2 scores of many data sets with one design: the adjustment is made once."""
    one = replace(design, residuals=np.eye(len(design.columns)), directions=design.directions[:, :1])
    wide = replace(one, directions=np.repeat(one.directions, len(design.columns), axis=1))
    return np.asarray(cluster_covariance(wide, "CR2").scores @ design.residuals)


def test_effects_that_clusters_cannot_judge_have_no_test() -> None:
    y, x, at, w = uneven(3, groups=2)
    coef, design = regression(y, x, at, w)
    assert wald(replace(design, directions=np.eye(4)[:, 1:]), coef[1:]) is None
    twice = np.column_stack([np.eye(4)[:, 1], np.eye(4)[:, 1]])
    assert wald(replace(design, directions=twice), coef[[1, 1]]) is None


def test_few_clusters_hold_their_false_positives_where_a_chi_square_does_not() -> None:
    """12 clusters, 2 effects, 400 draws: 5% is known to 1.1."""
    ours, plain = [], []
    for seed in range(400):
        y, x, at, _ = uneven(seed + 10, groups=12)
        coef, design = regression(y, x, at)
        two = replace(design, directions=np.eye(4)[:, 1:3])
        found = wald(two, coef[1:3])
        assert found is not None
        cov = cluster_covariance(two, "CR1").cov
        ours.append(found.p_value)
        plain.append(stats.chi2.sf(coef[1:3] @ np.linalg.solve(cov, coef[1:3]), 2))
    assert (np.array(ours) <= 0.05).mean() < 0.08
    assert (np.array(plain) <= 0.05).mean() > 0.12
