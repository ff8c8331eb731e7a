"""fixest to the last digit, a dense regression as judge, and silence that is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference.ppml import ppml

Array = np.ndarray


@pytest.fixture(scope="module")
def practices(reference: Path) -> dict[str, Array]:
    table = pd.read_csv(reference / "sim_staggered_practices.csv").sort_values(["unit", "period"])
    return {c: table[c].to_numpy(float).reshape(72, 30) for c in table if c != "region"}


@pytest.fixture(scope="module")
def cases(reference: Path) -> dict[str, Any]:
    return golden(reference / "sim_staggered_did_regression.json")


# -- fixest ------------------------------------------------------------------------------
# Its convention: G/(G-1) (N-1)/(N-K), unit effects nested in the clusters and so not counted, all 30 period
# effects counted. Its own convergence leaves 1e-9 in estimates and 5e-6 in errors.


@pytest.mark.parametrize(
    ("case", "outcome", "exposure"),
    [("ppml_twfe", "admissions", "person_years"), ("ppml_cost", "cost", None)],
)
def test_two_way_poisson_equals_fixest(
    practices: dict[str, Array], cases: dict[str, Any], case: str, outcome: str, exposure: str | None
) -> None:
    people = None if exposure is None else practices[exposure]
    fit = ppml(practices[outcome], np.ones((72, 30)), exposure=people, x=practices["treated"][None])
    assert fit.coef[0] == pytest.approx(cases[case]["estimate"]["treated"], rel=1e-8)
    assert np.sqrt(fit.cov()[0, 0]) == pytest.approx(cases[case]["se"]["treated"], rel=1e-5)


def saturated(practices: dict[str, Array]) -> tuple[Any, Array, Array]:
    """One cell for each start and period but the last before the start; its event time and units."""
    cells, since, units = np.full((72, 30), -1), [], []
    for start in (13, 19, 25):
        for period in range(1, 31):
            if period != start - 1:
                member = (practices["first_treat"] == start) & (practices["period"] == period)
                cells[member] = len(since)
                since.append(period - start)
                units.append(int(member.sum()))
    fit = ppml(practices["admissions"], np.ones((72, 30)), exposure=practices["person_years"], cells=cells)
    return fit, np.array(since), np.array(units)


def test_saturated_poisson_equals_fixest_sunab(practices: dict[str, Array], cases: dict[str, Any]) -> None:
    """By time since the start, and over the whole pilot, weighted by the units in each cell."""
    fit, since, units = saturated(practices)
    cov = fit.cov()
    expected = cases["sunab_ppml"]
    times = {int(key.split("::")[1]): key for key in expected["event_time"]["estimate"]}
    for time_since, key in times.items():
        share = np.where(since == time_since, units, 0) / units[since == time_since].sum()
        assert share @ fit.cell_effects == pytest.approx(expected["event_time"]["estimate"][key], rel=1e-7)
        error = np.sqrt(share @ cov @ share)
        assert error == pytest.approx(expected["event_time"]["se"][key], rel=1e-5)
    share = np.where(since >= 0, units, 0) / units[since >= 0].sum()
    assert share @ fit.cell_effects == pytest.approx(expected["att"]["estimate"]["ATT"], rel=1e-7)
    assert np.sqrt(share @ cov @ share) == pytest.approx(expected["att"]["se"]["ATT"], rel=1e-5)


# -- a dense regression ------------------------------------------------------------------


def ragged(seed: int = 4) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    people = np.exp(rng.normal(7, 0.5, (12, 1)) + 0.1 * rng.standard_normal((12, 9)))
    x = rng.standard_normal((2, 12, 9))
    rate = 0.01 * np.exp(0.3 * rng.standard_normal((12, 1)) + 0.2 * x[0])
    weights = rng.uniform(0.5, 2, (12, 9)) * (rng.random((12, 9)) > 0.15)
    return {"y": rng.poisson(people * rate).astype(float), "people": people, "x": x, "weights": weights}


def dense(made: dict[str, Array], family: Any, cells: Array | None = None) -> Any:
    """The same with a table of dummies, in statsmodels."""
    rows = made["weights"] > 0
    unit, period = (codes[rows] for codes in np.indices(rows.shape))
    columns = [pd.get_dummies(unit).to_numpy(float), pd.get_dummies(period).to_numpy(float)[:, 1:]]
    if cells is not None:
        columns.append(pd.get_dummies(cells[rows]).to_numpy(float)[:, 1:])
    columns.append(made["x"][:, rows].T)
    model = sm.GLM(
        made["y"][rows],
        np.hstack(columns),
        family=family,
        offset=np.log(made["people"][rows]),
        var_weights=made["weights"][rows],
    )
    return model.fit(tol=1e-14, maxiter=200), unit


@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_weights_gaps_covariates_and_cells_equal_a_dense_regression(family: str) -> None:
    made = ragged()
    cells = np.full((12, 9), -1)
    cells[:4, 5], cells[:4, 6] = 0, 1
    judge = sm.families.Poisson() if family == "poisson" else sm.families.Gamma(sm.families.links.Log())
    if family == "gamma":
        made["y"] = made["y"] + 0.5
    theirs, unit = dense(made, judge, cells)
    ours = ppml(
        made["y"],
        made["weights"],
        exposure=made["people"],
        cells=cells,
        x=made["x"],
        family=family,  # type: ignore[arg-type]
    )
    found = np.concatenate([ours.cell_effects, ours.coef])
    np.testing.assert_allclose(found, theirs.params[-4:], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.mu[made["weights"] > 0], theirs.mu, rtol=1e-8)
    scores = theirs.model.score_obs(theirs.params, scale=1.0)
    if family == "poisson":
        by_unit = np.zeros((12, scores.shape[1]))
        np.add.at(by_unit, unit, scores)
        bread = np.linalg.inv(-theirs.model.hessian(theirs.params, scale=1.0))
        cov = (bread @ by_unit.T @ by_unit @ bread)[-4:, -4:]
        np.testing.assert_allclose(ours.cov(adjust=False), cov, rtol=1e-6)


def test_clusters_of_units_are_summed() -> None:
    made = ragged(7)
    fit = ppml(made["y"], made["weights"], exposure=made["people"], x=made["x"])
    places = np.arange(12) // 3
    added = fit.influence()[:, -2:]
    by_place = added.reshape(4, 3, 2).sum(axis=1)
    np.testing.assert_allclose(fit.cov(places, adjust=False), by_place.T @ by_place, rtol=1e-10)


def test_zeros_are_allowed_in_amounts() -> None:
    """The gamma quasi-score of every column is 0 at the estimate, zeros and all."""
    rng = np.random.default_rng(2)
    y = rng.gamma(0.5, 200, (20, 10)) * (rng.random((20, 10)) > 0.3)
    x = (np.arange(20)[:, None] < 8) & (np.arange(10) >= 5)
    fit = ppml(y, np.ones_like(y), x=x[None].astype(float), family="gamma")
    left = y / fit.mu - 1
    assert abs(left[x].sum()) < 1e-8
    assert np.abs(left.sum(axis=0)).max() < 1e-8 and np.abs(left.sum(axis=1)).max() < 1e-8


# -- silence -----------------------------------------------------------------------------


def test_units_periods_and_cells_without_an_event_are_named_and_left_out() -> None:
    made = ragged(3)
    y = made["y"].copy()
    y[2], y[:, 4] = 0, 0
    cells = np.full(y.shape, -1)
    cells[7, 6] = 0
    y[7, 6] = 0
    made["weights"][7, 6] = 1.0
    fit = ppml(y, made["weights"], exposure=made["people"], cells=cells, x=made["x"])
    assert fit.silent_units.tolist() == [2]
    assert fit.silent_periods.tolist() == [4]
    assert fit.silent_cells.tolist() == [0]
    assert np.isneginf([fit.unit_effects[2], fit.period_effects[4], fit.cell_effects[0]]).all()
    weights = made["weights"].copy()
    weights[2], weights[:, 4], weights[7, 6] = 0, 0, 0
    without = ppml(y, weights, exposure=made["people"], x=made["x"])
    np.testing.assert_allclose(fit.coef, without.coef, rtol=1e-10)


def test_silence_spreads_until_none_is_left() -> None:
    """A unit with events in one cell alone, which is silent with it once the cell has an effect of its own."""
    y = np.ones((5, 4))
    y[0] = [0, 0, 0, 3]
    y[1:, 3] = 0
    cells = np.full(y.shape, -1)
    cells[1:, 3] = 0
    fit = ppml(y, np.ones_like(y), cells=cells)
    assert fit.silent_cells.tolist() == [0]
    assert fit.silent_units.tolist() == [0]
    assert fit.used.sum() == 12
    assert np.isfinite(fit.unit_effects[1:]).all()


def test_units_that_share_no_period_are_fitted_side_by_side() -> None:
    rng = np.random.default_rng(8)
    y = rng.poisson(9, (8, 8)).astype(float)
    weights = np.zeros_like(y)
    weights[:4, :4], weights[4:, 4:] = 1, 1
    x = rng.standard_normal((1, 8, 8))
    fit = ppml(y, weights, x=x)
    assert fit.period_effects[[0, 4]].tolist() == [0, 0]
    assert np.abs((weights * (y - fit.mu)).sum(axis=0)).max() < 1e-8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("nothing", "never happened"),
        ("negative", "at least 0"),
        ("twin", "cannot be told from"),
        ("separated", "no finite value"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change: str, said: str) -> None:
    made = ragged(5)
    y, x = made["y"], made["x"]
    if change == "nothing":
        y = np.zeros_like(y)
    elif change == "negative":
        y = y - 100
    elif change == "twin":
        x = np.stack([x[0], np.broadcast_to(np.arange(12.0)[:, None], y.shape)])
    else:
        marked = np.zeros_like(y)
        marked[0, 2] = marked[1, 3] = 1.0
        y = np.where(marked > 0, 0.0, y + 1)
        x = np.stack([x[0], marked])
    with pytest.raises(EstimationError, match=said):
        ppml(y, np.where(made["weights"] > 0, 1.0, 1.0), exposure=made["people"], x=x)


def test_three_hundred_cells_are_estimated_at_once() -> None:
    rng = np.random.default_rng(1)
    cells = np.full((200, 48), -1)
    cells[:100, 18:] = np.repeat(np.arange(10), 10)[:, None] * 30 + np.arange(30)
    y = rng.poisson(5, (200, 48)).astype(float)
    fit = ppml(y, np.ones_like(y), cells=cells)
    assert fit.free == 300
    assert np.isfinite(fit.cell_effects).all() and len(fit.cell_effects) == 300
