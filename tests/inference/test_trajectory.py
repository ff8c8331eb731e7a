"""Months by hand, with weights and the errors of pairs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.trajectory import trajectory, windows


def test_the_last_month_ends_at_time_zero_and_months_do_not_overlap() -> None:
    found = windows()
    assert found[-1] == (-1, -30, 0) and found[0] == (-12, -360, -330)
    assert all(last == first for (_, _, last), (_, first, _) in itertools.pairwise(found))


def test_rates_by_hand() -> None:
    counts = np.array([[1, 2], [0, 4], [0, 1], [2, 1], [1, 0]], float)
    treated = np.array([True, True, False, False, False])
    weights = np.array([1, 1, 1, 0.5, 0.5])
    found = trajectory(counts, treated, weights=weights, others=np.array([[1, 0], [0, 0], [0, 1], [0, 0.0]]))
    np.testing.assert_array_equal(found.month, [-2, -1])
    np.testing.assert_allclose(found.pilot, [50, 300])
    np.testing.assert_allclose(found.comparison, [75, 75])
    np.testing.assert_allclose(found.others, [25, 25])
    np.testing.assert_allclose(found.events_comparison, [3, 2])
    rows = found.to_dict()["rows"]
    assert rows[0]["month"] == -2 and rows[1]["difference"] == pytest.approx(225)
    assert rows[1]["events_others"] == 1
    alone = trajectory(counts, treated).to_dict()["rows"][0]
    assert "others" not in alone and alone["events_pilot"] == 1


def test_the_error_of_the_difference_is_that_of_pairs() -> None:
    rng = np.random.default_rng(1)
    frail = rng.gamma(1.0, 1.0, 200)
    counts = rng.poisson(np.concatenate([frail, frail])[:, None] * np.ones(3)).astype(float)
    treated, pair = np.arange(400) < 200, np.arange(400) % 200
    found = trajectory(counts, treated, clusters=pair)
    apart = counts[:200] - counts[200:]
    np.testing.assert_allclose(found.std_error, 100 * apart.std(axis=0, ddof=1) / np.sqrt(200))


def test_one_group_alone_is_refused() -> None:
    with pytest.raises(EstimationError, match="both sides"):
        trajectory(np.ones((3, 2)), np.ones(3, bool))
    with pytest.raises(EstimationError, match="months of the others"):
        trajectory(np.ones((3, 2)), np.array([True, False, False]), others=np.ones((3, 4)))
