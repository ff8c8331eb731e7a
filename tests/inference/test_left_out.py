"""Against fitting again without the periods, at the same autocorrelation."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.regression.linear_model import GLS

from ucimpact.inference.left_out import moved_by_leaving_out


def example(n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    t, rng = np.arange(n), np.random.default_rng(2)
    x = np.column_stack([np.ones(n), t, t >= 24, np.maximum(t - 24, 0)]).astype(float)
    y = 50 + 0.3 * t - 4 * (t >= 24) + rng.normal(size=n).cumsum() * 0.4 + rng.normal(size=n)
    return y, x, np.array([0.0, 0.0, 1.0, 7.5])


@pytest.mark.parametrize("rho", [0.0, 0.55, -0.3])
@pytest.mark.parametrize("block", [[30], [23, 24, 25], [0], [37, 38, 39], [4, 20]])
def test_it_is_the_estimate_without_the_rows_less_the_one_with_them(rho, block) -> None:
    y, x, contrast = example()
    apart = np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    v = np.float64(rho) ** apart
    keep = np.setdiff1d(np.arange(40), block)
    whole = contrast @ GLS(y, x, v).fit().params
    without = contrast @ GLS(y[keep], x[keep], v[np.ix_(keep, keep)]).fit().params
    assert moved_by_leaving_out(y, x, contrast, [block], rho=rho)[0] == pytest.approx(
        without - whole, rel=1e-7
    )


def test_what_the_regression_rests_on_cannot_be_left_out() -> None:
    y, x, contrast = example()
    moved = moved_by_leaving_out(y, x, contrast, [list(range(24, 40)), [3]], rho=0.2)
    assert np.isnan(moved[0])
    assert np.isfinite(moved[1])


def test_a_period_that_does_not_count_changes_nothing_when_left_out() -> None:
    y, x, contrast = example()
    x = np.column_stack([x, np.eye(40)[:, 10]])
    contrast = np.append(contrast, 0.0)
    moved = moved_by_leaving_out(y, x, contrast, [[10], [11]], rho=0.4)
    assert np.isnan(moved[0])  # nothing of it is left to leave out
    assert moved[1] != 0
