"""F by hand at one date, the date found, size under carry-over, and what cannot be asked."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from statsmodels.regression.linear_model import OLS

from ucimpact.inference.unknown_break import RHOS, unknown_break


def parts(n: int) -> tuple[np.ndarray, np.ndarray]:
    t, start = np.arange(n), int(0.6 * n)
    turn = 2 * np.pi * t / 12
    common = np.column_stack([np.ones(n), t - start, np.sin(turn), np.cos(turn)]).astype(float)
    return common, np.column_stack([t >= start, np.maximum(t - start, 0)]).astype(float)


def series(n: int, seed: int, rho: float = 0.0, step: float = 0.0, at: int = 0) -> np.ndarray:
    new = np.random.default_rng(seed).normal(size=n + 50)
    return lfilter([1.0], [1.0, -rho], new)[50:] + step * (np.arange(n) >= at)


def test_each_f_is_that_of_the_whitened_regression_with_and_without_the_break() -> None:
    n = 60
    common, stated = parts(n)
    y, used = series(n, 1, rho=0.5), np.ones(n, dtype=bool)
    found = unknown_break(y, common, stated, used, seed=0, draws=9)

    def white(columns: np.ndarray) -> np.ndarray:
        out = columns[1:] - found.rho * columns[:-1]
        return np.concatenate([columns[:1] * np.sqrt(1 - found.rho**2), out])

    for at, f in zip(found.position[::7], found.f[::7], strict=True):
        since = np.arange(n) - at
        extra = np.column_stack([since >= 0, np.maximum(since, 0)]).astype(float)
        full = OLS(white(y), white(np.column_stack([common, extra]))).fit()
        assert f == pytest.approx(full.compare_f_test(OLS(white(y), white(common)).fit())[0], rel=1e-8)
    assert (found.position[0], found.position[-1]) == (9, 51)  # 15% of 60 on either side
    assert found.best == found.position[found.f.argmax()]
    assert found.rho in RHOS


def test_a_step_is_put_where_it_is_and_not_where_it_was_said_to_be() -> None:
    common, stated = parts(72)
    y = series(72, 3, rho=0.3, step=5.0, at=20)
    found = unknown_break(y, common, stated, np.ones(72, dtype=bool), seed=1, draws=199)
    assert abs(found.best - 20) <= 1
    assert found.p_value == 1 / 200


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_without_a_break_few_are_found(rho) -> None:
    common, stated = parts(48)
    used = np.ones(48, dtype=bool)
    p = [
        unknown_break(series(48, s, rho), common, stated, used, seed=s, draws=99).p_value for s in range(120)
    ]
    assert np.mean(np.array(p) <= 0.05) <= 0.11  # 120 draws: three sd is 0.06
    assert np.mean(np.array(p) <= 0.5) == pytest.approx(0.5, abs=0.16)


def test_units_and_level_of_the_outcome_do_not_matter_and_the_seed_fixes_the_rest() -> None:
    common, stated = parts(60)
    y, used = series(60, 5, rho=0.4), np.ones(60, dtype=bool)
    one = unknown_break(y, common, stated, used, seed=4, draws=99)
    other = unknown_break(1000 + 50 * y, common, stated, used, seed=4, draws=99)
    assert (one.best, one.p_value, one.rho) == (other.best, other.p_value, other.rho)
    np.testing.assert_allclose(one.f, other.f, rtol=1e-6)


def test_a_period_that_does_not_count_takes_no_break_and_changes_no_other() -> None:
    common, stated = parts(60)
    y, used = series(60, 6), np.ones(60, dtype=bool)
    used[30] = False
    wide = np.column_stack([common, np.eye(60)[:, 30]])
    one = unknown_break(y, wide, stated, used, seed=0, draws=9)
    y[30] += 1000
    other = unknown_break(y, wide, stated, used, seed=0, draws=9)
    assert 30 not in one.position
    np.testing.assert_allclose(one.f, other.f, rtol=1e-6)


def test_too_short_a_series_and_a_tangled_one_are_not_asked() -> None:
    common, stated = parts(12)
    assert unknown_break(series(12, 0), common, stated, np.ones(12, dtype=bool), seed=0) is None
    common, stated = parts(60)
    doubled = np.column_stack([common, common[:, :1]])
    assert unknown_break(series(60, 0), doubled, stated, np.ones(60, dtype=bool), seed=0) is None


def test_the_date_of_a_change_that_is_taken_out_is_passed_over_in_silence() -> None:
    n, known = 83, 48
    common, stated = parts(n)
    common = np.column_stack([common, np.arange(n) >= known])
    with np.errstate(all="raise"):
        found = unknown_break(series(n, 4), common, stated, np.ones(n, dtype=bool), seed=0, draws=99)
    assert known not in found.position
    assert {known - 1, known + 1} <= set(found.position)
