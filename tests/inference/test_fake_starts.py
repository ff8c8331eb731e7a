"""Fake starts: one whitening for all gives what one regression each would."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ar1_series import ar1, correlation
from ucimpact.inference.fake_starts import LEAST_EITHER_SIDE, MOST, fake_starts, rank
from ucimpact.inference.timeseries import Ols, Reml


def before_the_pilot(n: int = 36, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    common = np.column_stack([np.ones(n), np.arange(n)]).astype(float)
    return 40 + ar1(np.random.default_rng(seed), n, 0.4), common, np.ones(n, dtype=bool)


def test_each_fake_start_is_a_generalised_regression_of_its_own() -> None:
    y, common, used = before_the_pilot()
    found = fake_starts(y, common, used, Reml(), level=0.9)
    rho = Reml().of(y, common).rho
    w = np.linalg.inv(correlation(len(y), rho))
    for k in (0, len(found.position) // 2, len(found.position) - 1):
        since = np.arange(len(y)) - found.position[k]
        x = np.column_stack([common, since >= 0, np.maximum(since, 0)]).astype(float)
        cov = np.linalg.inv(x.T @ w @ x)
        coef = cov @ x.T @ w @ y
        rest = y - x @ coef
        cov *= rest @ w @ rest / (len(y) - 4)
        mean = np.array([0, 0, 1, since[since >= 0].mean()])
        assert found.level_change[k] == pytest.approx(coef[2], rel=1e-8)
        assert found.average[k] == pytest.approx(mean @ coef, rel=1e-8)
        assert found.t[k] == pytest.approx(mean @ coef / np.sqrt(mean @ cov @ mean), rel=1e-8)
        assert found.conf_high[k] - found.level_change[k] == pytest.approx(
            1.69388875 * np.sqrt(cov[2, 2]),
            rel=1e-7,  # t(32) at 0.95
        )


def test_six_periods_that_count_stand_on_either_side() -> None:
    y, common, used = before_the_pilot()
    used[[2, 30]] = False
    common = np.column_stack([common, np.eye(len(y))[:, ~used]])
    found = fake_starts(y, common, used, Reml(), level=0.95)
    assert found.position[0] == LEAST_EITHER_SIDE + 1
    assert found.position[-1] == len(y) - LEAST_EITHER_SIDE - 1
    assert 30 not in found.position


def test_a_break_that_was_there_stands_out() -> None:
    y, common, used = before_the_pilot(48)
    y[30:] += 8
    found = fake_starts(y, common, used, Ols(), level=0.95)
    assert found.position[np.argmax(np.abs(found.t))] == 30


def test_a_long_series_has_forty_evenly_spread() -> None:
    found = fake_starts(*before_the_pilot(200), Reml(), level=0.95)
    assert len(found.position) == MOST
    assert np.ptp(np.diff(found.position)) <= 1


@pytest.mark.parametrize("n", [9, 11, 13])
def test_a_short_series_has_few_or_none(n: int) -> None:
    found = fake_starts(*before_the_pilot(n), Reml(), level=0.95)
    assert len(found.position) == max(n - 11, 0)
    assert len(found.t) == len(found.position)


def test_a_start_that_the_design_already_holds_is_left_out() -> None:
    y, common, used = before_the_pilot()
    held = np.arange(len(y)) - 20
    common = np.column_stack([common, held >= 0, np.maximum(held, 0)]).astype(float)
    found = fake_starts(y, common, used, Ols(), level=0.95)
    # One period away the two together are a single period's own level and the break at 20 again.
    assert not {19, 20, 21} & set(found.position)
    assert {18, 22} <= set(found.position)


def test_rank_counts_the_real_one() -> None:
    assert rank(3.0, np.array([1.0, -2.0, -3.5])) == 0.5
    assert rank(4.0, np.full(19, 1.0)) == 0.05
    assert rank(4.0, np.empty(0)) is None
