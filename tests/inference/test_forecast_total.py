"""The sum of what comes after: against the whole covariance matrix, worked without a recursion."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.inference.forecast_total import forecast_total


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.55, 0.9])
def test_one_rho_is_the_best_forecast_of_the_whole_covariance_matrix(rho: float) -> None:
    """Goldberger's formula with matrices: Sigma_AB Sigma_BB^-1, and the error of the coefficients."""
    rng = np.random.default_rng(7)
    n, h = 20, 7
    t = np.arange(n + h)
    x = np.column_stack([np.ones(n + h), t, np.sin(t)])
    y = rng.normal(0, 1, n + h)
    weights = rng.uniform(0, 2, h)
    weights[3] = 0
    sigma = rho ** np.abs(np.subtract.outer(t, t)) / (1 - rho**2)
    inverse = np.linalg.inv(sigma[:n, :n])
    information = np.linalg.inv(x[:n].T @ inverse @ x[:n])
    b = information @ x[:n].T @ inverse @ y[:n]
    left = y[:n] - x[:n] @ b
    scale = left @ inverse @ left / (n - 3)
    carry = sigma[n:, :n] @ inverse
    wanted = weights @ (x[n:] @ b + carry @ left)
    toward = weights @ (x[n:] - carry @ x[:n])
    to_come = sigma[n:, n:] - carry @ sigma[:n, n:]
    variance = scale * (weights @ to_come @ weights + toward @ information @ toward)
    found = forecast_total(y[:n], x[:n], x[n:], weights, rhos=np.array([rho]))
    assert found.coef[0, 0] == pytest.approx(wanted, rel=1e-9)
    assert found.cov[0, 0, 0] == pytest.approx(variance, rel=1e-9)
    assert found.df == n - 3


def test_the_average_over_rho_lies_among_its_cells_and_weighs_to_one() -> None:
    rng = np.random.default_rng(2)
    y = np.cumsum(rng.normal(0, 1, 40))
    x = np.column_stack([np.ones(46), np.arange(46)])
    found = forecast_total(y, x[:40], x[40:], np.ones(6))
    assert found.weights.sum() == pytest.approx(1)
    low, high = found.limits(np.ones((1, 1)), 0.95)[0]
    assert low < found.weights @ found.coef[:, 0] < high
