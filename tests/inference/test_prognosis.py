"""Strength that was planted is found, and what repeats another is judged alone."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.inference import prognosis as module
from ucimpact.inference.prognosis import prognosis, with_strength


def people(n: int = 4000, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(80, 7, n), rng.gamma(2.0, 1.0, n), rng.random(n) < 0.5])
    days = rng.integers(30, 91, n).astype(float)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    return rng.poisson(days / 60 * np.exp(scaled @ [0.02, 0.4, -0.2])).astype(float), x, days


def test_the_log_ratio_of_one_standard_deviation_is_found() -> None:
    y, x, days = people()
    found = prognosis(y, x, exposure=days)
    np.testing.assert_allclose(found.beta, [0.02, 0.4, -0.2], atol=0.05)
    np.testing.assert_array_equal(found.strong, [False, True, True])
    np.testing.assert_array_equal(found.strength, np.abs(found.beta))


def test_days_at_risk_are_no_prognosis() -> None:
    rng = np.random.default_rng(5)
    days = rng.integers(10, 91, 4000).astype(float)
    x = np.column_stack([days + rng.normal(0, 5, 4000), rng.normal(size=4000)])
    y = rng.poisson(days / 60).astype(float)
    assert not prognosis(y, x, exposure=days).strong.any()
    assert prognosis(y, x).strong[0]


def test_scale_and_shift_of_a_covariate_change_nothing() -> None:
    y, x, days = people()
    one, other = prognosis(y, x, exposure=days), prognosis(y, x * [1000, 1, -1] + [5, 1e6, 0], exposure=days)
    np.testing.assert_allclose(other.beta, one.beta * [1, 1, -1], rtol=1e-6)


def test_two_that_say_the_same_are_each_as_strong_as_alone() -> None:
    y, x, days = people()
    rng = np.random.default_rng(2)
    twin = x[:, 1] + rng.normal(0, 0.02, len(x))
    found = prognosis(y, np.column_stack([x, twin, 2 * x[:, 1] + 3]), exposure=days)
    assert found.strong[[1, 3, 4]].all()
    np.testing.assert_allclose(found.beta[[1, 3, 4]], 0.4, atol=0.06)


def test_noise_of_few_events_is_not_strong() -> None:
    rng = np.random.default_rng(3)
    strong = [
        prognosis((rng.random(200) < 0.05).astype(float), rng.normal(size=(200, 2))).strong
        for _ in range(100)
    ]
    assert np.mean(strong) < 0.09  # beyond 1.96 standard errors about one in twenty


def test_what_cannot_be_worked_out_is_0() -> None:
    y, x, _ = people(300)
    flat = np.column_stack([x, np.full(300, 7.0)])
    assert prognosis(y, flat).beta[3] == 0
    assert not prognosis(np.zeros(300), x).beta.any()
    assert not prognosis(np.full(300, np.nan), x).strong.any()


def test_an_outcome_below_0_is_in_its_own_standard_deviations() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(5000, 1)) * 9
    y = 50 * (x[:, 0] / 9 * 0.6 + rng.normal(0, 0.8, 5000))
    assert prognosis(y, x).beta[0] == pytest.approx(0.6, abs=0.03)


def test_millions_are_sampled_and_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    y, x, days = people(20_000)
    whole = prognosis(y, x, exposure=days)
    monkeypatch.setattr(module, "MOST", 5_000)
    part = prognosis(y, x, exposure=days)
    assert (part.beta != whole.beta).all()
    np.testing.assert_allclose(part.beta, whole.beta, atol=0.05)


def test_rows_of_the_balance_table_get_their_strength() -> None:
    y, x, days = people()
    rows = with_strength([{"name": "frailty", "smd": 0.1}, {"name": "other"}], ["age", "frailty", "sex"],
                         prognosis(y, x, exposure=days))  # fmt: skip
    assert rows[0]["strong"] and rows[0]["strength"] == pytest.approx(0.4, abs=0.05) and rows[0]["smd"] == 0.1
    assert rows[1] == {"name": "other", "strength": 0.0, "strong": False}
