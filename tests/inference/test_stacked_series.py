"""Series fitted together: R's numbers, one series as before, and the whole matrix written out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag, toeplitz

from tests.conftest import golden
from ucimpact.inference.stacked_series import Stacked, stacked_reml
from ucimpact.inference.timeseries import Reml


def pilot_and_control(reference: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Rates per 100,000 of the control, then of the pilot, on group times everything and one season."""
    d = pd.read_csv(reference / "sim_its_monthly.csv")
    n, angle = len(d), 2 * np.pi * d["period_in_year"] / 12
    control = d["control_admissions"] / d["control_population"] * 1e5
    pilot = d["admissions"] / d["population"] * 1e5
    own = np.column_stack([np.ones(n), d["time"], d["post"], d["time_since"]])
    waves = np.column_stack([np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)])
    x = np.vstack([np.hstack([own, 0 * own, waves]), np.hstack([own, own, waves])])
    names = ["(Intercept)", "time", "post", "since"]
    names += ["grp", "grp:time", "grp:post", "grp:since", "s1", "c1", "s2", "c2"]
    return np.concatenate([control, pilot]), x, names


def test_two_series_and_one_rho_as_r_has_them(reference: Path) -> None:
    y, x, names = pilot_and_control(reference)
    fit = stacked_reml(y, x, [len(y) // 2] * 2)
    values = golden(reference / "sim_its_monthly.json")["controlled_gls_ar1"]
    assert dict(zip(names, fit.coef, strict=True)) == pytest.approx(values["estimate"], rel=1e-5)
    errors = dict(zip(names, np.sqrt(np.diag(fit.cov)), strict=True))
    assert errors == pytest.approx(values["se"], rel=1e-5)
    assert fit.rho == pytest.approx(values["phi"], rel=1e-5)
    assert fit.sigma == pytest.approx(values["sigma"], rel=1e-5)


def shocks(rng: np.random.Generator, n: int, rho: float) -> np.ndarray:
    """AR(1) noise of standard deviation 1."""
    out = rng.normal(size=n)
    for t in range(1, n):
        out[t] = rho * out[t - 1] + np.sqrt(1 - rho**2) * out[t]
    return out


def small(seed: int = 2) -> tuple[np.ndarray, np.ndarray, list[int]]:
    rng, lengths = np.random.default_rng(seed), [30, 22, 17]
    y = np.concatenate([shocks(rng, n, 0.5) for n in lengths])
    return y, np.column_stack([np.ones(len(y)), rng.normal(size=len(y))]), lengths


def test_one_series_is_what_it_was_alone() -> None:
    y, x, _ = small()
    alone, stacked = Reml().of(y, x), stacked_reml(y, x, [len(y)])
    np.testing.assert_allclose(stacked.kenward_roger, alone.kenward_roger, rtol=1e-10)
    np.testing.assert_allclose(stacked.dfs(np.eye(2)), alone.dfs(np.eye(2)), rtol=1e-8)


def deviance(y: np.ndarray, x: np.ndarray, lengths: list[int], rho: float) -> float:
    """The restricted deviance with every matrix written out, up to a constant."""
    v = block_diag(*(toeplitz(rho ** np.arange(n)) for n in lengths))
    information = x.T @ np.linalg.solve(v, x)
    coef = np.linalg.solve(information, x.T @ np.linalg.solve(v, y))
    rest = y - x @ coef
    squares = rest @ np.linalg.solve(v, rest)
    sizes = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return float((len(y) - x.shape[1]) * np.log(squares) + sizes)


def test_the_deviance_and_its_slopes_are_those_of_the_whole_matrix() -> None:
    y, x, lengths = small()
    statistics = Stacked.of_series(y, x, lengths)
    rhos = np.array([-0.4, 0.0, 0.3, 0.7])
    by_hand = np.array([deviance(y, x, lengths, rho) for rho in rhos])
    found = statistics.at(rhos)[0]
    np.testing.assert_allclose(found - found[1], by_hand - by_hand[1], rtol=1e-9, atol=1e-9)
    step = 1e-4
    for rho in rhos:
        near = [deviance(y, x, lengths, rho + k * step) for k in (-1, 0, 1)]
        assert statistics.slopes(rho).first == pytest.approx((near[2] - near[0]) / (2 * step), rel=1e-5)
        second = (near[2] - 2 * near[1] + near[0]) / step**2
        assert statistics.slopes(rho).second == pytest.approx(second, rel=1e-4)


def test_what_estimating_rho_adds_is_that_of_the_whole_matrix() -> None:
    y, x, lengths = small()
    statistics, rho, step = Stacked.of_series(y, x, lengths), 0.4, 1e-5

    def precision(at: float) -> np.ndarray:
        return np.linalg.inv(block_diag(*(toeplitz(at ** np.arange(n)) for n in lengths)))

    basis = statistics.basis
    moved = (precision(rho + step) - precision(rho - step)) / (2 * step)
    phi = np.linalg.inv(basis.T @ precision(rho) @ basis)
    p = basis.T @ moved @ basis
    q = basis.T @ moved @ np.linalg.solve(precision(rho), moved) @ basis
    found = statistics.kackar_harville(rho, phi / (1 - rho**2))
    np.testing.assert_allclose(found, phi @ (q - p @ phi @ p) @ phi, rtol=1e-5, atol=1e-10)


def test_lengths_have_to_add_up() -> None:
    y, x, _ = small()
    with pytest.raises(ValueError, match="lengths"):
        stacked_reml(y, x, [10, 10])
