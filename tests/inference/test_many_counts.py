"""Many series of counts at once give what each gives by itself."""

from __future__ import annotations

import numpy as np
import pytest

from tests.inference.test_many_series import design, series
from ucimpact.errors import EstimationError
from ucimpact.inference.count_series import CountSeries
from ucimpact.inference.many_counts import ManyPoisson, many_poisson
from ucimpact.inference.many_counts_noise import CountCells
from ucimpact.inference.many_small import backward, cholesky, forward
from ucimpact.inference.mixture import COUNTED, ar1_plus_noise


def counts(count: int, n: int, seed: int, low: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Counts with a mean from ``low`` to 1,000 and a rate that wanders, and log populations; (count, n)."""
    rng = np.random.default_rng(seed)
    wandering = 0.15 * (series(count, n, seed) - 200) / 7
    people = rng.uniform(1000, 9000, (count, 1)) * (1 + 0.02 * rng.normal(size=(count, n)))
    mean = np.geomspace(low, 1000, count)[:, None]
    return rng.poisson(mean * np.exp(wandering) * people / 5000).astype(float), np.log(people)


def fitted(y: np.ndarray, x: np.ndarray, offset: np.ndarray, used: np.ndarray) -> ManyPoisson:
    return many_poisson(y[:, used].T.copy(), x[used], offset[:, used].T.copy())


@pytest.mark.parametrize("absent", [[], [4, 50]])
def test_each_series_gets_its_own_mean_and_average(absent: list[int]) -> None:
    x, contrasts = design(60, 36)
    y, offset = counts(60, 60, seed=7)
    used = ~np.isin(np.arange(60), absent)
    many = fitted(y, x, offset, used)
    mixture = CountCells(used, COUNTED).of(many)
    cells = [mixture.cells(many.from_basis.T @ row) for row in contrasts]
    limits = np.array([mixture.limits(*pair, 0.9) for pair in cells])
    below = np.array([mixture.below(*pair) for pair in cells])
    wide = np.column_stack([contrasts, np.zeros((3, len(absent)))])
    assert many.sound.all()
    for i in range(60):
        one = CountSeries(y=y[i], x=x, offset=offset[i], used=used)
        error = np.sqrt(np.diag(one.poisson.bread) * one.dispersion)
        assert (many.from_basis @ many.coef[:, i] - one.poisson.coef) / error == pytest.approx(0, abs=1e-8)
        assert many.dispersion[i] == pytest.approx(one.dispersion, rel=1e-9)
        alone = ar1_plus_noise(*one.working, COUNTED)
        expected = alone.limits(wide, 0.9)
        width = np.ptp(expected, axis=1)[:, None]
        assert limits[:, :, i] / width == pytest.approx(expected / width, abs=1e-7)
        assert below[:, i] == pytest.approx(alone.below(wide), abs=1e-8)
        mean = many.from_basis @ mixture.mean()[:, i]
        assert (mean - (alone.weights @ alone.coef)[:8]) / error == pytest.approx(0, abs=1e-8)


def test_series_without_an_answer_are_marked_as_one_by_one() -> None:
    x, _ = design(48, 30)
    y, offset = counts(40, 48, seed=3, low=0.05)
    y[5] = 0
    y[6, 30:] = 0
    y[7] = -1
    used = np.ones(48, dtype=bool)
    many = fitted(y, x, offset, used)
    refused = []
    for i in range(40):
        one = CountSeries(y=y[i], x=x, offset=offset[i], used=used)
        try:
            assert one.dispersion > 0
        except EstimationError:
            refused.append(i)
    assert {5, 6, 7} <= set(refused) and len(refused) < 30
    assert list(np.flatnonzero(~many.sound)) == refused


def test_wild_counts_have_an_answer_when_one_by_one_they_have() -> None:
    """A mean of hundreds beside a median of 1."""
    x, _ = design(36, 20)
    y = np.floor(np.random.default_rng(4).lognormal(0, 4, (60, 36)))
    used = np.ones(36, dtype=bool)
    many = fitted(y, x, np.zeros((60, 36)), used)
    assert 10 < many.sound.sum() < 50
    for i in range(60):
        one = CountSeries(y=y[i], x=x, offset=np.zeros(36), used=used)
        if many.sound[i]:
            assert many.from_basis @ many.coef[:, i] == pytest.approx(one.poisson.coef, rel=1e-8, abs=1e-8)
        else:
            with pytest.raises(EstimationError):
                assert one.dispersion > 0


def test_small_matrices_side_by_side() -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(7, 4, 4))
    matrices = root @ root.transpose(0, 2, 1) + np.eye(4)
    right = rng.normal(size=(7, 4))
    factors = cholesky(matrices.transpose(1, 2, 0))
    assert factors.transpose(2, 0, 1) == pytest.approx(np.linalg.cholesky(matrices))
    half = forward(factors, right.T)
    solved = np.linalg.solve(matrices, right[:, :, None])[:, :, 0]
    assert pytest.approx(solved) == backward(factors, half).T
    assert np.isnan(cholesky(-matrices.transpose(1, 2, 0))).any(axis=(0, 1)).all()
