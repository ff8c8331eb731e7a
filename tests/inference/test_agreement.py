"""Two ways of comparing the same people: by hand, and as often apart as chance says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.agreement import agreement


def test_a_gap_by_hand():
    # differences of influence 0.1, -0.2, 0.1 in three people: 3/2 x 0.06
    found = agreement(0.3, np.array([0.1, 0.0, 0.2]), 0.1, np.array([0.0, 0.2, 0.1]))
    assert found.gap == pytest.approx(0.2)
    assert found.std_error == pytest.approx(math.sqrt(1.5 * 0.06))
    assert found.z == pytest.approx(0.2 / math.sqrt(0.09))
    assert found.agree


def test_rows_of_one_person_are_summed_first():
    rows = np.array([0.3, -0.3, 0.1, 0.1])
    found = agreement(0.0, rows, -0.5, np.zeros(4), np.array([7, 7, 9, 9]))
    assert found.std_error == pytest.approx(math.sqrt(2 * 0.04))


def test_the_same_estimate_agrees_with_itself_and_one_moved_does_not():
    own = np.array([0.1, -0.1, 0.2])
    assert agreement(0.2, own, 0.2, own).agree
    assert agreement(0.2, own, 0.2, own).z == 0.0
    assert not agreement(0.2, own, 0.3, own).agree


def test_two_means_of_the_same_people_part_as_often_as_chance_says():
    rng, apart = np.random.default_rng(1), []
    for _ in range(600):
        y, w = rng.normal(size=300), rng.uniform(0.2, 1.8, 300)
        plain, weighted = y.mean(), (w * y).sum() / w.sum()
        found = agreement(plain, (y - plain) / 300, weighted, w * (y - weighted) / w.sum())
        assert found.std_error < 0.04  # of either mean alone it is 0.058
        apart.append(not found.agree)
    assert np.mean(apart) == pytest.approx(0.0455, abs=0.017)  # two sd of 600 draws


def test_rows_that_do_not_go_together_are_refused():
    with pytest.raises(EstimationError, match="same rows"):
        agreement(0, np.zeros(3), 0, np.zeros(4))
    with pytest.raises(EstimationError, match="2 people"):
        agreement(0, np.zeros(3), 0, np.zeros(3), np.zeros(3))
