"""The planted effect, the share that the true series explain, and the seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.simulate_controls import SeriesWithControls


def test_the_effect_is_the_only_difference_it_makes() -> None:
    with_it, without = SeriesWithControls(effect=-3.0), SeriesWithControls(effect=0.0)
    difference = with_it.draw(4)["y"] - without.draw(4)["y"]
    assert with_it.start == 84
    np.testing.assert_allclose(difference, np.where(np.arange(120) >= 84, -3.0, 0.0), atol=1e-12)


@pytest.mark.parametrize("explained", [0.5, 0.9])
def test_true_series_explain_their_share_before_the_start(explained: float) -> None:
    made = SeriesWithControls(n=400, explained=explained, level_step=0.0)
    shares = []
    for seed in range(40):
        drawn = made.draw(seed)[: made.start]
        x = np.column_stack([np.ones(made.start), drawn[["x1", "x2", "x3"]]])
        left = drawn["y"] - x @ np.linalg.lstsq(x, drawn["y"].to_numpy(), rcond=None)[0]
        shares.append(1 - left.var() / drawn["y"].var())
        assert left.std() == pytest.approx(1, abs=0.15)
    assert np.mean(shares) == pytest.approx(explained, abs=0.02)


def test_the_level_steps_in_shares_of_the_rest() -> None:
    moved = SeriesWithControls(n=2000, level_step=0.2, explained=0.75, effect=0.0)
    still = SeriesWithControls(n=2000, level_step=0.0, explained=0.75, effect=0.0)
    level = moved.draw(2)["y"] - still.draw(2)["y"]
    assert np.diff(level).std() == pytest.approx(0.2 * 2, rel=0.05)


def test_without_controls_there_is_a_level_a_season_and_noise() -> None:
    drawn = SeriesWithControls(controls=0, season=5.0, level_step=0.0, effect=0.0, n=240).draw(1)
    assert list(drawn) == ["period", "y"]
    wave = 5 * np.cos(2 * np.pi * np.arange(240) / 12)
    assert (drawn["y"] - 100 - wave).std() == pytest.approx(1, abs=0.15)


def test_a_draw_comes_from_its_seed() -> None:
    made = SeriesWithControls()
    pd.testing.assert_frame_equal(made.draw(3), made.draw(3))
    assert not made.draw(3).equals(made.draw(4))
