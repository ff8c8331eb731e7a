"""Arrays for the tests of series: noise that carries over, and a segmented design."""

from __future__ import annotations

import numpy as np


def ar1(rng: np.random.Generator, n: int, rho: float) -> np.ndarray:
    """A stationary AR(1) of variance 1."""
    noise = rng.standard_normal(n)
    noise[1:] *= np.sqrt(1 - rho**2)
    for t in range(1, n):
        noise[t] += rho * noise[t - 1]
    return noise


def correlation(n: int, rho: float) -> np.ndarray:
    """Its correlation matrix."""
    return rho ** np.abs(np.subtract.outer(np.arange(n), np.arange(n)))


def segmented(n: int, before: int) -> np.ndarray:
    """Level, trend, change of level, change of slope, and one wave of twelve periods."""
    since = np.arange(n) - before
    after = since >= 0
    wave = 2 * np.pi * since / 12
    columns = [np.ones(n), since, after, np.where(after, since, 0), np.sin(wave), np.cos(wave)]
    return np.column_stack(columns).astype(float)
