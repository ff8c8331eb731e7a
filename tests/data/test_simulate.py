"""The simulators are as unkind as they say, and the truth they report is the one they planted."""

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.data.simulate import (
    MonthlySeries,
    PracticePanel,
    gaussian_panel,
    gaussian_series,
    monthly_series,
    practice_panel,
)

ROLES = {
    "unit": "practice",
    "period": "month",
    "start": "joined",
    "population": "list_size",
    "cluster": "town",
}


def lag_one(path: np.ndarray) -> float:
    return float(np.corrcoef(path[:-1], path[1:])[0, 1])


@pytest.mark.parametrize("design", [PracticePanel(), MonthlySeries()])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(design):
    first, again, other = (design.draw(seed).table.to_csv(index=False) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_panel_reads_the_practices_and_finds_twelve_that_start_together():
    panel = Panel(practice_panel(1), **ROLES)
    counts = panel.counts()
    assert (counts["units"], counts["pilot_units"], counts["places"], counts["pilot_places"]) == (
        40,
        12,
        20,
        6,
    )
    assert [panel.frequency.label(start) for start in panel.starts] == ["April 2023"]
    assert panel.is_balanced


def test_list_sizes_differ_unless_asked_to_be_equal_and_counts_suit_the_methods():
    unequal, equal = (practice_panel(1, sizes=sizes) for sizes in ("unequal", "equal"))
    spread = [t.groupby("practice")["list_size"].first() for t in (unequal, equal)]
    assert spread[0].max() / spread[0].min() > 3
    assert spread[1].nunique() == 1
    assert unequal["emergency_admissions"].min() > 0  # a log analysis is open
    assert 15 < unequal.groupby("practice")["emergency_admissions"].mean().median() < 60


def test_a_town_joins_whole_and_half_a_town_is_refused():
    table = practice_panel(3)
    assert (table.groupby("town")["joined"].nunique() == 1).all()
    with pytest.raises(ValueError, match="towns of 2"):
        PracticePanel(pilots=3)
    with pytest.raises(ValueError, match="comparison"):
        PracticePanel(pilots=40)


def test_a_practice_is_autocorrelated_where_asked_and_winter_is_worse():
    calm = {
        "dispersion": 1.0,
        "drift": 0.0,
        "luck": 0.0,
        "season": 0.0,
        "effect": 0.0,
        "rate": 20_000.0,
        "months": 480,
    }
    rates = {
        ar: practice_panel(1, ar=ar, shock=0.3, **calm)
        .assign(rate=lambda t: t["emergency_admissions"] / t["list_size"])
        .pivot_table(index="month", columns="practice", values="rate")
        for ar in (0.0, 0.7)
    }
    found = {ar: np.mean([lag_one(np.log(wide[name])) for name in wide]) for ar, wide in rates.items()}
    assert found[0.0] == pytest.approx(0.0, abs=0.05)
    assert found[0.7] == pytest.approx(0.7, abs=0.05)
    series = monthly_series(1, months=240)
    by_month = series.groupby(series["month"].str[-2:])["emergency_admissions"].mean()
    assert by_month[["12", "01", "02"]].mean() > 1.05 * by_month[["06", "07", "08"]].mean()


def test_counts_vary_more_than_poisson_by_the_dispersion_asked():
    flat = {
        "drift": 0.0,
        "luck": 0.0,
        "season": 0.0,
        "effect": 0.0,
        "shock": 0.0,
        "sizes": "equal",
        "months": 600,
    }
    for dispersion in (1.0, 2.5):
        table = practice_panel(4, dispersion=dispersion, **flat)
        days = pd.to_datetime(table["month"]).dt.days_in_month
        count = table["emergency_admissions"][days == 31]
        by = count.groupby(table["practice"])
        lists = table["list_size"].groupby(table["practice"])
        # lists drift slowly; take each count against its own list before looking at its spread
        expected = by.mean() / lists.mean()
        residual = count - table["list_size"] * table["practice"].map(expected)
        ratio = (residual**2).sum() / count.sum()
        assert ratio == pytest.approx(dispersion, rel=0.1)


def test_the_planted_truth_of_a_panel_is_the_gap_between_expected_rates():
    """No luck, no season: expected rates are known, and their ratio is the effect."""
    quiet = {"drift": 0.0, "luck": 0.0, "season": 0.0, "shock": 0.0, "level": 0.0, "sizes": "equal"}
    truth = PracticePanel(effect=-0.2, first="2022-01", **quiet).draw(1).truth["emergency_admissions"]
    assert truth["relative"] == pytest.approx(-0.2)
    assert truth["att"] == pytest.approx(-0.2 * 20.0, rel=1e-3)  # 20 per 1,000 a month of mean length
    assert truth["log_att"] == pytest.approx(np.log(0.8))


def test_differences_in_differences_are_right_on_average_about_the_planted_truth():
    errors = []
    for seed in range(150):
        draw = PracticePanel().draw(seed)
        table = draw.table.assign(rate=lambda t: t["emergency_admissions"] / t["list_size"] * 1000)
        pilot, after = table["joined"] != "", table["month"] >= "2023-04"
        mean = table["rate"].groupby([pilot, after]).mean()
        did = (mean[True, True] - mean[True, False]) - (mean[False, True] - mean[False, False])
        errors.append(did - draw.truth["emergency_admissions"]["att"])
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(len(errors))


def test_the_planted_truth_of_a_series_is_the_mean_and_the_sum_of_its_effects():
    draw = MonthlySeries(months=6, before=3, level_change=-2.0, slope_change=-0.5).draw(1)
    truth, residents = draw.truth["emergency_admissions"], draw.table["residents"].to_numpy()[3:]
    days = np.array([31, 30, 31]) / (365.25 / 12)  # October to December
    assert truth["average"] == pytest.approx((-2.0 - 2.5 - 3.0) / 3)
    assert truth["cumulative"] == pytest.approx(
        (np.array([-2.0, -2.5, -3.0]) * residents * days).sum() / 1000
    )


def test_an_effect_changes_the_pilot_and_nothing_else():
    with_effect, without = (practice_panel(5, effect=effect) for effect in (-0.12, 0.0))
    shared = ["practice", "town", "month", "joined", "list_size"]
    pd.testing.assert_frame_equal(with_effect[shared], without[shared])


@pytest.mark.parametrize("sizes", ["equal", "unequal"])
def test_changes_of_a_lean_panel_have_the_variance_the_size_model_says(sizes):
    rng = np.random.default_rng(1)
    changes, small = [], []
    for _ in range(60):
        table = gaussian_panel(rng, units=40, pilots=6, sizes=sizes, drift=0.3)
        wide = table.pivot_table(index="unit", columns=table["period"] > 12, values="y")
        change = wide[True] - wide[False]
        size = table.groupby("unit")["size"].first()
        changes.append((change - change.mean()).to_numpy())
        small.append((size < size.median()).to_numpy() if sizes == "unequal" else np.arange(40) < 20)
    change, is_small = np.concatenate(changes), np.concatenate(small)
    ratio = change[is_small].var() / change[~is_small].var()
    assert (ratio > 1.8) if sizes == "unequal" else (ratio == pytest.approx(1.0, abs=0.15))


def test_lean_generators_make_what_panel_and_series_read():
    rng = np.random.default_rng(1)
    panel = Panel(gaussian_panel(rng, units=12, pilots=3), population="size")
    assert (panel.pilot_units.sum(), panel.starts) == (3, (13,))
    table = gaussian_series(rng, n=48, rho=0.6)
    series = Series(table, start=table["period"][29])
    assert series.counts()["before"] == 29
    long = gaussian_series(rng, n=4000, rho=0.6, level_change=3.0)
    y = long["y"] - 0.1 * np.arange(4000)
    assert lag_one(y[:2000].to_numpy()) == pytest.approx(0.6, abs=0.05)
    assert y[2500:].mean() - y[:2300].mean() == pytest.approx(3.0, abs=0.3)
