"""Errors and bands of the multiplier bootstrap against what they estimate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ucimpact.inference import multiplier
from ucimpact.inference.multiplier import multiplied, multiplier_bands


def influence(seed: int = 0, n: int = 400, k: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)) @ rng.normal(size=(k, k)) / n


@pytest.mark.parametrize("signs", ["rademacher", "mammen"])
def test_draws_have_the_covariance_of_the_influence(signs: str) -> None:
    psi = influence()
    drawn = multiplied(psi, 40_000, 3, signs).drawn
    expected = psi.T @ psi
    size = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(
        drawn.T @ drawn / 40_000 / np.outer(size, size), expected / np.outer(size, size), atol=0.03
    )
    np.testing.assert_allclose(drawn.mean(axis=0) / size, 0, atol=0.02)


def test_mammens_signs_have_a_third_moment_of_1() -> None:
    drawn = multiplied(np.eye(1), 100_000, 1, "mammen").drawn[:, 0]
    assert [np.mean(drawn**p) for p in (1, 2, 3)] == pytest.approx([0, 1, 1], abs=0.03)
    assert len(np.unique(drawn.round(6))) == 2


def test_errors_are_the_distance_between_quartiles_on_the_normal_scale() -> None:
    psi = influence()
    found = multiplied(psi, 20_000, 1)
    q = np.quantile(found.drawn, [0.25, 0.75], axis=0)
    np.testing.assert_allclose(found.std_error, (q[1] - q[0]) / 1.3489795)
    np.testing.assert_allclose(found.std_error, np.sqrt((psi**2).sum(axis=0)), rtol=0.03)


def test_bands_widen_with_the_number_of_effects_that_hold_together() -> None:
    independent = np.random.default_rng(2).normal(size=(3_000, 10))
    found = multiplied(independent, 20_000, 1)
    for k in (1, 4, 10):
        exact = stats.norm.ppf((1 + 0.95 ** (1 / k)) / 2)
        assert found.critical(0.95, np.arange(k)) == pytest.approx(exact, rel=0.02)


def test_effects_that_are_one_and_the_same_need_no_wider_bands() -> None:
    psi = np.repeat(influence()[:, :1], 5, axis=1)
    assert multiplied(psi, 20_000, 1).critical(0.95) == pytest.approx(1.96, rel=0.02)


def test_the_seed_gives_the_same_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    psi = influence(1, 301)
    for signs in ("rademacher", "mammen"):
        whole = multiplied(psi, 99, 5, signs).drawn
        monkeypatch.setattr(multiplier, "BLOCK", 64)
        parts = multiplied(psi, 99, 5, signs).drawn
        monkeypatch.undo()
        np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-6 * np.abs(whole).max())
        assert np.abs(multiplied(psi, 99, 6, signs).drawn - whole).max() > 0


def test_an_effect_without_spread_has_an_error_of_0_and_no_say() -> None:
    psi = np.column_stack([influence()[:, 0], np.zeros(400)])
    bands = multiplier_bands(psi, np.array([0, 1]), 999, 1, 0.95)
    assert bands.std_error[1] == 0
    alone = multiplier_bands(psi[:, :1], np.array([0]), 999, 1, 0.95)
    assert bands.critical == pytest.approx(alone.critical, rel=1e-5)
    assert np.isnan(multiplier_bands(psi, np.array([1]), 999, 1, 0.95).critical)
