"""Where a rising chance reaches a quantile."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from ucimpact.inference.crossing import crossings


@pytest.mark.parametrize("q", [0.025, 0.975, 0.4])
def test_a_quantile_is_found_from_afar(q: float) -> None:
    middle, spread = np.linspace(-50, 50, 30), np.geomspace(1e-3, 30, 30)

    def below(which: np.ndarray, at: np.ndarray) -> np.ndarray:
        return ndtr((at - middle[which]) / spread[which])

    found = crossings(below, middle, spread / 3, q)
    assert (found - middle) / spread == pytest.approx(ndtri(q), abs=1e-8)


def test_heavy_tails_and_a_start_beyond_the_quantile() -> None:
    def below(which: np.ndarray, at: np.ndarray) -> np.ndarray:
        return stdtr(3.0, at)

    start = np.array([0.0, -1.0, 9.0])
    assert crossings(below, start, np.ones(3), 0.975) == pytest.approx(stdtrit(3, 0.975), abs=1e-7)


def test_a_chance_that_never_gets_there_has_no_crossing() -> None:
    def below(which: np.ndarray, at: np.ndarray) -> np.ndarray:
        return np.where(which == 1, ndtr(at), 0.3 + 0.2 * ndtr(at))

    found = crossings(below, np.zeros(2), np.ones(2), 0.025)
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(ndtri(0.025))
