"""A small sample of each calibration; ``make calibrate`` prints the whole. And the examples are what they say."""

from functools import partial

import calibrate
import make_examples
import numpy as np
import pytest
from workbooks import members

from ucimpact.study import read_records, read_study


@pytest.mark.parametrize("name", make_examples.MADE)
def test_an_example_is_the_draw_of_its_seed(name):
    for file, text in make_examples.texts(name).items():
        assert (make_examples.EXAMPLES / name / file).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", make_examples.PEOPLE)
def test_a_workbook_is_the_draw_of_its_seed(name):
    for file, body in make_examples.books(name).items():
        shipped = (make_examples.EXAMPLES / name / file).read_bytes()
        assert members(shipped) == members(body)  # packed as hard as the machine likes


@pytest.mark.parametrize("name", make_examples.PEOPLE)
def test_a_messy_workbook_is_read_as_the_tidy_table_it_was_made_from(name):
    study = read_study(make_examples.EXAMPLES / name / "study.toml")
    records = read_records(study)
    design, _ = make_examples.PEOPLE[name]
    tidy = design.draw(make_examples.SEEDS[name]).table
    assert records.data.counts()["rows"] == len(tidy)
    columns = [o.column for o in study.outcomes] + [o.before for o in study.outcomes if o.before]
    for column in (*columns, *study.covariates, study.data.follow_up):
        np.testing.assert_allclose(records.data.values(column), tidy[column].to_numpy(float), err_msg=column)
    read = records.data.table[study.data.index_date].to_numpy("datetime64[D]")
    assert (read == tidy[study.data.index_date].to_numpy("datetime64[D]")).all()
    assert sum(row["n"] for row in records.left_out) == 1  # the row of totals


@pytest.mark.parametrize("name", make_examples.MADE)
def test_a_readme_of_an_example_has_ten_lines(name):
    assert len((make_examples.EXAMPLES / name / "README.md").read_text().splitlines()) == 10


@pytest.mark.parametrize("name", [name for name in make_examples.PLACES if name != "acute_visiting_staggered"])
def test_intervals_of_an_example_hold_the_planted_truth(name):
    study = read_study(calibrate.EXAMPLES / name / "study.toml")
    held = calibrate.run(partial(getattr(calibrate, name), study), 30, 1)
    assert held["headline"].mean() >= 0.83  # of 30 at 95%: fewer than 25 happens once in 300
    assert held["relative"].mean() >= 0.83


def test_the_matched_interval_holds_the_effect_on_those_matched():
    study = read_study(calibrate.EXAMPLES / "soft_landing" / "study.toml")
    found = calibrate.run(partial(calibrate.soft_landing, study), 12, 1)
    name = study.primary.column
    assert found[f"{name}: held"].sum() >= 9  # of 12 at 95%: fewer than 9 happens once in 400
    bias = found[f"{name}: error"].mean() / found[f"{name}: std_error"].mean()
    assert abs(bias) < 0.9  # 12 draws: three sd of their mean
    assert (found["share"] > 0.85).all()  # nearly all of the fall is there without the service
    assert (found["fall"] > 1).all()


def test_a_charity_s_fall_is_put_down_to_picking_people_at_their_worst():
    study = read_study(calibrate.EXAMPLES / "befriending" / "study.toml")
    found = calibrate.run(partial(calibrate.befriending, study), 20, 1)
    assert found["after held"].sum() >= 16
    assert found["share"].mean() > 0.85
    assert (found["fall"] > 0.5).all()


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
