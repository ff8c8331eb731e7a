"""A small sample of each calibration; ``make calibrate`` prints the whole. And the examples are what they say."""

from functools import partial

import calibrate
import make_examples
import numpy as np
import pytest

from ucimpact.study import read_study


@pytest.mark.parametrize("name", make_examples.MADE)
def test_an_example_is_the_draw_of_its_seed(name):
    for file, text in make_examples.texts(name).items():
        assert (make_examples.EXAMPLES / name / file).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", make_examples.MADE)
def test_a_readme_of_an_example_has_ten_lines(name):
    assert len((make_examples.EXAMPLES / name / "README.md").read_text().splitlines()) == 10


@pytest.mark.parametrize("name", make_examples.MADE)
def test_intervals_of_an_example_hold_the_planted_truth(name):
    study = read_study(calibrate.EXAMPLES / name / "study.toml")
    held = calibrate.run(partial(getattr(calibrate, name), study), 30, 1)
    assert held["headline"].mean() >= 0.83  # of 30 at 95%: fewer than 25 happens once in 300
    assert held["relative"].mean() >= 0.83


@pytest.mark.parametrize(
    ("units", "pilots", "sizes"), [(40, 1, "unequal"), (12, 2, "equal"), (40, 6, "unequal")]
)
def test_nothing_is_seldom_called_something(units, pilots, sizes):
    found = calibrate.run(partial(calibrate.did_draw, units, pilots, sizes, 0.0), 50, 1)
    assert found["false positive"].sum() <= 8  # of 50 at 5%: more than 8 happens once in 1,000
    assert (found["power"] == found["false positive"]).all()  # an effect of 0 changes nothing
    assert (found["held"] == ~found["false positive"]).mean() > 0.98  # p and interval tell one story


@pytest.mark.parametrize(("n", "rho"), [(24, 0.3), (48, 0.6)])
def test_intervals_of_a_short_series_hold_the_planted_truth(n, rho):
    held = calibrate.run(partial(calibrate.its_draw, n, rho), 40, 1)
    assert held[["level_change", "cumulative"]].mean().min() >= 0.85


def test_the_stated_effect_is_the_one_a_pooled_t_finds_half_the_time():
    rng = np.random.default_rng(1)
    effect, found = calibrate.stated_effect(40, 6), []
    for _ in range(400):
        table = calibrate.gaussian_panel(rng, units=40, pilots=6, effect=effect)
        change = table.pivot_table(index=["unit", "start"], columns=table["period"] > 12, values="y")
        change = (change[True] - change[False]).reset_index("start")
        pilot, other = change[change["start"] > 0][0], change[change["start"] == 0][0]
        pooled = np.sqrt((pilot.var() * 5 + other.var() * 33) / 38 * (1 / 6 + 1 / 34))
        found.append(abs(pilot.mean() - other.mean()) > 1.96 * pooled)
    assert np.mean(found) == pytest.approx(0.5, abs=0.07)
