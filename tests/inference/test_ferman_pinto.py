"""The draws written out plainly, the interval against the test, and how often it refuses a true null."""

from __future__ import annotations

import numpy as np
import pytest

from tests.inference.test_randomisation import contrasts
from ucimpact.errors import UsageError
from ucimpact.inference.ferman_pinto import FermanPinto, Rescaled
from ucimpact.inference.two_groups import Inferred


def infer(d: np.ndarray, n1: int, sizes: np.ndarray, level: float = 0.95, draws: int = 999) -> Inferred:
    return Rescaled(sizes, draws, seed=1).infer(contrasts(d, n1), level)


def lists(n: int) -> np.ndarray:
    return np.geomspace(2000, 20000, n)


def test_draws_are_deviations_brought_to_the_size_of_the_place_they_stand_for() -> None:
    """Squares that lie on 1 + 4000/M to the letter, so the fit is known without fitting.

    Places come in twos of one size, one above and one below a mean of 0; shares of 1/2 and -1/4.
    """
    sizes = np.array([1000.0, 1000, 2000, 2000, 4000, 4000])
    sd = np.sqrt(1 + 4000 / sizes)
    sign = np.array([1.0, -1, 1, -1, 1, -1])
    values = np.array([1.0, -1, 1, -1, 1, -1]) * sd
    drawn = Rescaled(sizes, 4000, seed=3).drawn(contrasts(values, 2), 0.0)
    shares = np.array([0.5, 0.5, -0.25, -0.25, -0.25, -0.25])
    reached = {
        round(float((shares * sd * v).sum()), 9)
        for v in np.array(np.meshgrid(*[sign[:2]] * 6)).reshape(6, -1).T
    }
    assert {round(float(b), 9) for b in drawn} <= reached
    assert drawn.std() == pytest.approx(np.sqrt((shares**2 * sd**2).sum()), rel=0.04)


def test_with_one_size_it_is_a_bootstrap_of_the_deviations() -> None:
    d = np.random.default_rng(1).normal(size=20)
    drawn = Rescaled(np.full(20, 3000.0), 9_999, seed=1).drawn(contrasts(d, 3), 0.0)
    assert drawn.std() == pytest.approx(d.std() * np.sqrt(1 / 3 + 1 / 17), rel=0.03)


@pytest.mark.parametrize("pilots", [2, 4])
def test_the_p_value_crosses_its_level_at_the_ends_of_the_interval(pilots: int) -> None:
    sizes = np.random.default_rng(9).permutation(lists(30))
    d = np.random.default_rng(pilots).normal(size=30) * np.sqrt(0.2 + 4000 / sizes)
    found = infer(d, pilots, sizes)
    assert found.low[0] < found.estimate[0] < found.high[0]
    for end, inward in ((found.low[0], 1e-4), (found.high[0], -1e-4)):
        for effect, kept in ((end + inward, True), (end - inward, False)):
            moved = d - effect * (np.arange(30) < pilots)
            assert (infer(moved, pilots, sizes).p_value[0] > 0.05) == kept


def test_names_of_places_make_no_difference() -> None:
    rng = np.random.default_rng(2)
    d, sizes = rng.normal(size=20), lists(20)
    order = np.concatenate([rng.permutation(4), 4 + rng.permutation(16)])
    assert infer(d, 4, sizes).p_value[0] == infer(d[order], 4, sizes[order]).p_value[0]


def test_places_that_do_not_differ_give_no_interval() -> None:
    assert np.isnan(infer(np.ones(8), 2, lists(8)).p_value[0])


def test_fewer_than_99_draws_are_refused() -> None:
    with pytest.raises(UsageError, match="draws = 20: 99"):
        FermanPinto(draws=20)


@pytest.mark.parametrize(("first", "expected"), [("smallest", 0.033), ("largest", 0.031)])
def test_size_where_variance_falls_with_size(first: str, expected: float) -> None:
    """30/3, nine tenths of the variance falls as 1/size: the research note has 3.3% and 3.1%; error 0.6."""
    sizes = lists(30) if first == "smallest" else lists(30)[::-1]
    shape = 0.1 + 0.9 * (1 / sizes) / (1 / sizes).mean()
    d = np.random.default_rng(1).normal(size=(800, 30)) * np.sqrt(shape)
    test = Rescaled(sizes, 499, seed=1)
    rows = contrasts(d, 3)
    reached = [
        (1 + (np.abs(test.drawn(rows.only(slice(k, k + 1)), 0.0)) >= abs(rows.estimate[k])).sum()) / 500
        for k in range(800)
    ]
    assert np.mean(np.array(reached) <= 0.05) == pytest.approx(expected, abs=0.02)
