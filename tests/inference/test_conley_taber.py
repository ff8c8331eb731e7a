"""Deviations counted by hand, the interval against the test, and how often it refuses a true null."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.inference.test_randomisation import contrasts
from ucimpact.errors import UsageError
from ucimpact.inference.conley_taber import ConleyTaber


def test_by_hand_with_one_pilot_place() -> None:
    """Others 1, 2, 3, 6 have the mean 3: deviations -2, -1, 0, 3. The pilot's 5 is 2 above: two reach that."""
    found = ConleyTaber().infer(contrasts(np.array([5.0, 1, 2, 3, 6]), 1), 0.75)
    assert found.estimate[0] == 2
    assert found.p_value[0] == 2 / 4
    # at 25% one of four may be further out: the interval is as wide as the second largest deviation
    assert (found.low[0], found.high[0]) == (0.0, 4.0)
    assert found.std_error[0] == pytest.approx(np.sqrt((4 + 1 + 0 + 9) / 4))


def test_two_pilot_places_take_every_pair_of_deviations() -> None:
    d = np.random.default_rng(1).normal(size=9)
    shares = np.array([0.7, 0.3, *np.full(7, -1 / 7)])
    made = contrasts(d, 2, shares)
    deviations = d[2:] - d[2:].mean()
    noise = [0.7 * one + 0.3 * two for one, two in itertools.product(deviations, repeat=2)]
    found = ConleyTaber().infer(made, 0.9)
    assert found.p_value[0] == np.mean(np.abs(noise) >= abs(made.estimate[0]))
    assert found.high[0] - found.estimate[0] == pytest.approx(
        np.sort(np.abs(noise))[::-1][4]
    )  # 10% of 49 is 4.9


@pytest.mark.parametrize("pilots", [1, 2, 5])
def test_the_p_value_crosses_its_level_at_the_ends_of_the_interval(pilots: int) -> None:
    d = np.random.default_rng(pilots).normal(size=30)
    found = ConleyTaber().infer(contrasts(d, pilots), 0.95)
    for end, inward in ((found.low[0], 1e-6), (found.high[0], -1e-6)):
        for effect, kept in ((end + inward, True), (end - inward, False)):
            moved = d - effect * (np.arange(30) < pilots)
            assert (ConleyTaber().infer(contrasts(moved, pilots), 0.95).p_value[0] > 0.05) == kept


def test_names_of_places_make_no_difference() -> None:
    rng = np.random.default_rng(2)
    d = rng.normal(size=40)
    order = np.concatenate([rng.permutation(4), 4 + rng.permutation(36)])
    one, two = (ConleyTaber(draws=999).infer(contrasts(values, 4), 0.95) for values in (d, d[order]))
    assert one.p_value[0] == two.p_value[0] and one.low[0] == pytest.approx(two.low[0])


def test_places_that_do_not_differ_give_no_interval() -> None:
    found = ConleyTaber().infer(contrasts(np.array([5.0, 1, 1, 1, 1]), 1), 0.95)
    assert np.isnan([found.std_error[0], found.p_value[0], found.low[0]]).all()


def test_fewer_than_99_draws_are_refused() -> None:
    with pytest.raises(UsageError, match="draws = 20: 99"):
        ConleyTaber(draws=20)


def test_it_refuses_too_often_with_few_places_and_not_with_a_hundred() -> None:
    """1,500 draws of one number a place: 12/1 is 11.7% in the research note, 100/1 is 4.9%; error 0.8 and 0.6."""
    rates = []
    for places in (12, 100):
        d = np.random.default_rng(places).normal(size=(1500, places))
        rates.append((ConleyTaber().infer(contrasts(d, 1), 0.95).p_value <= 0.05).mean())
    assert rates[0] == pytest.approx(0.117, abs=0.025)
    assert rates[1] == pytest.approx(0.05, abs=0.017)
