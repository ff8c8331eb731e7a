"""R's numbers, the closed form of equal clusters, and errors checked against the sampling they describe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference import glm
from ucimpact.inference.gee import exchangeable

NAMES = ["(Intercept)", "treated", "frailty", "prior_admissions"]


def cohort(reference: Path) -> tuple[np.ndarray, ...]:
    table = pd.read_csv(reference / "sim_cohort_softlanding.csv")
    x = np.column_stack([np.ones(len(table)), table[NAMES[1:]].to_numpy(float)])
    days = np.log(table["followup_days"].to_numpy(float))
    return table["readmissions"].to_numpy(float), x, days, table["site"].to_numpy()


def test_exchangeable_is_that_of_r(reference: Path, shared: Path) -> None:
    # geepack::geeglm(..., id = site, family = poisson, corstr = "exchangeable"), rows sorted by site
    case = golden(shared / "reference/golden/gee_mixed.json")["gee_exch"]
    y, x, days, site = cohort(reference)
    found = exchangeable("poisson", y, x, site, offset=days)
    np.testing.assert_allclose(found.fit.coef, [case["estimate"][k] for k in NAMES], rtol=1e-7)
    error = np.sqrt(np.diag(found.fit.cov("CR0", site)))
    np.testing.assert_allclose(error, [case["robust_se"][k] for k in NAMES], rtol=1e-7)
    assert found.alpha == pytest.approx(case["alpha"], rel=1e-6)
    assert found.scale == pytest.approx(case["scale"], rel=1e-7)


def test_independence_is_a_poisson_model_with_errors_by_cluster(reference: Path, shared: Path) -> None:
    case = golden(shared / "reference/golden/gee_mixed.json")["gee_ind"]
    y, x, days, site = cohort(reference)
    fit = glm.poisson(y, x, days)
    np.testing.assert_allclose(fit.coef, [case["estimate"][k] for k in NAMES], rtol=1e-9)
    error = np.sqrt(np.diag(fit.cov("CR0", site)))
    np.testing.assert_allclose(error, [case["robust_se"][k] for k in NAMES], rtol=1e-9)
    scale = fit.dispersion * (len(y) - 4) / len(y)  # theirs is not corrected for the coefficients
    assert scale == pytest.approx(case["scale"], rel=1e-9)


def test_equal_clusters_of_one_kind_have_the_plain_mean() -> None:
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(30), 5)
    y = rng.normal(10, 1, 150) + rng.normal(0, 1, 30)[clusters]
    found = exchangeable("gaussian", y, np.ones((150, 1)), clusters)
    assert found.fit.coef[0] == pytest.approx(y.mean())
    means = y.reshape(30, 5).mean(axis=1)
    assert found.fit.cov("CR0", clusters)[0, 0] == pytest.approx(means.var() / 30)
    assert 0.2 < found.alpha < 0.8


def test_order_of_rows_and_names_of_clusters_change_nothing() -> None:
    rng = np.random.default_rng(2)
    clusters = rng.integers(0, 20, 200)
    x = np.column_stack([np.ones(200), rng.random(200) < 0.5])
    y = rng.poisson(np.exp(0.5 * rng.normal(size=20))[clusters]).astype(float)
    one = exchangeable("poisson", y, x, clusters)
    order = rng.permutation(200)
    other = exchangeable("poisson", y[order], x[order], 900 - clusters[order])
    np.testing.assert_allclose(one.fit.coef, other.fit.coef, rtol=1e-9)
    assert one.alpha == pytest.approx(other.alpha)


def test_uneven_places_are_weighed_so_that_the_answer_varies_less() -> None:
    rng = np.random.default_rng(3)
    size = np.concatenate([np.full(20, 4), np.full(4, 60)])
    clusters = np.repeat(np.arange(24), size)
    x = np.column_stack([np.ones(len(clusters)), clusters % 2])
    gee, plain, errors = [], [], []
    for _ in range(300):
        y = 0.7 * rng.normal(size=24)[clusters] + rng.normal(size=len(clusters))
        found = exchangeable("gaussian", y, x, clusters).fit
        gee.append(found.coef[1])
        errors.append(found.cov("CR0", clusters)[1, 1])
        plain.append(glm.gaussian(y, x).coef[1])
    assert np.std(gee) < 0.85 * np.std(plain)
    assert np.mean(errors) == pytest.approx(np.var(gee), rel=0.25)


def test_nobody_beside_anybody_is_refused() -> None:
    with pytest.raises(EstimationError, match="no cluster has two"):
        exchangeable("gaussian", np.arange(9.0), np.ones((9, 1)), np.arange(9))
