"""A table worked by hand, outside judges, truths we planted, and the refusals that stop a wrong answer."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS

from ucimpact.data.panel import Panel
from ucimpact.data.simulate import gaussian_panel
from ucimpact.errors import DataError, DesignError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.covariance import CR1, CR2, CR3
from ucimpact.inference.few_clusters import Auto
from ucimpact.methods.did import DifferenceInDifferences

DID = DifferenceInDifferences(outcome="y")


def table(
    seed: int = 1,
    units: int = 16,
    pilots: int = 3,
    periods: int = 12,
    effect: float = 0.0,
    start: int | None = None,
) -> pd.DataFrame:
    """Numbered periods from 1; the first units start half way."""
    rng = np.random.default_rng(seed)
    start = start or periods // 2 + 1
    noise = np.zeros((units, periods))
    for t in range(periods):
        noise[:, t] = 0.5 * noise[:, t - 1] * (t > 0) + rng.standard_normal(units)
    y = 30 + rng.normal(0, 3, (units, 1)) + rng.normal(0, 1, periods) + noise
    y += effect * ((np.arange(units) < pilots)[:, None] & (np.arange(1, periods + 1) >= start))
    return pd.DataFrame(
        {
            "unit": np.repeat([f"practice {u:02d}" for u in range(units)], periods),
            "period": np.tile(np.arange(1, periods + 1), units),
            "start": np.repeat(np.where(np.arange(units) < pilots, start, 0), periods),
            "y": y.ravel(),
        }
    )


def by_hand(**roles: Any) -> Panel:
    rows = [("a", 0, 1, 10), ("a", 1, 1, 8), ("b", 0, None, 20), ("b", 1, None, 21)]
    rows += [("c", 0, None, 30), ("c", 1, None, 33)]
    return Panel(pd.DataFrame(rows, columns=["unit", "period", "start", "y"]), **roles)


# -- by hand -----------------------------------------------------------------------------


def test_by_hand() -> None:
    change_pilot, change_comparison = 8 - 10, ((21 - 20) + (33 - 30)) / 2
    found = DID.fit(by_hand())
    assert found.headline["estimate"] == pytest.approx(change_pilot - change_comparison)
    assert found.effect("cumulative")["estimate"] == pytest.approx(-4)  # one pilot unit for one period
    assert found.effect("relative")["estimate"] == pytest.approx(-4 / (8 + 4))
    assert found.path()["estimate"].tolist() == pytest.approx([-4])
    assert found.counterfactual is not None
    assert found.counterfactual["expected"].tolist() == pytest.approx([10, 12])
    assert found.extras["placebo"]["estimates"] == pytest.approx([-2, 2])


def test_two_comparison_units_give_the_estimate_and_no_interval() -> None:
    found = DID.fit(by_hand())
    assert np.isnan(found.headline["p_value"]) and np.isnan(found.headline["conf_low"])
    text = "No p-value or likely range can be had: 2 comparison places, and at least 5 are needed."
    assert found.warnings[0].startswith(text)
    assert found.extras["rule"]["refused"].startswith(text)
    assert found.effects[["std_error", "p_value", "conf_low", "conf_high"]].isna().all(axis=None)
    assert "no interval" in found.summary()


def test_the_effects_come_in_their_order() -> None:
    terms = list(dict.fromkeys(DID.fit(Panel(table())).effects["term"]))
    assert terms == ["att", "cumulative", "relative", "event"]


# -- outside judges ----------------------------------------------------------------------


def ragged() -> pd.DataFrame:
    made = table(seed=4, units=20, pilots=7)
    rng = np.random.default_rng(5)
    made = made.assign(
        x=rng.normal(size=len(made)), z=rng.normal(size=len(made)), w=rng.uniform(0.5, 2, len(made))
    )
    made["y"] += 0.5 * made["x"]
    return made[rng.random(len(made)) > 0.1].reset_index(drop=True)


@pytest.mark.parametrize("covariates", [(), ("x", "z")])
@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("gaps", [False, True])
def test_estimate_and_cr1_equal_linearmodels(
    covariates: tuple[str, ...], weight: str | None, gaps: bool
) -> None:
    """linearmodels has the factor G/(G-1) (n-1)/(n-k) with k regressors, neither effect counted.

    Ours counts the period effects, which are not nested in the clusters: n - k - T in place of n - k.
    """
    data = ragged()
    if not gaps:
        rng = np.random.default_rng(6)
        data = table(seed=4, units=20, pilots=7)
        data = data.assign(**{name: rng.uniform(0.5, 2, len(data)) for name in "xzw"})
    indexed = data.set_index(["unit", "period"])
    started = (indexed["start"] > 0) & (indexed.index.get_level_values("period") >= 7)
    indexed["pilot"] = started.astype(float)
    model = PanelOLS(
        indexed["y"],
        indexed[["pilot", *covariates]],
        entity_effects=True,
        time_effects=True,
        weights=None if weight is None else indexed[weight],
    )
    theirs = model.fit(
        cov_type="clustered", cluster_entity=True, group_debias=True, auto_df=False, count_effects=False
    )
    ours = DifferenceInDifferences(outcome="y", covariates=covariates, cov=CR1()).fit(
        Panel(data, weight=weight)
    )
    assert ours.headline["estimate"] == pytest.approx(theirs.params["pilot"], rel=1e-8)
    n, k = len(data), 1 + len(covariates)
    factor = np.sqrt((n - k) / (n - k - 12))
    assert ours.headline["std_error"] == pytest.approx(theirs.std_errors["pilot"] * factor, rel=1e-8)
    assert ours.headline["df"] == 19


def test_cr2_and_cr3_equal_club_sandwich_on_the_few_clusters(reference: Path) -> None:
    """Places of several sites; ``clusterFE`` and ``siteFE`` agree on a balanced panel without weights."""
    from tests.conftest import golden

    data = pd.read_csv(reference / "sim_few_clusters.csv")
    first = int(data.loc[data["post"] == 1, "period"].min())
    data["start"] = np.where(data["treated"] == 1, first, 0)
    panel = Panel(data, unit="site", cluster="cluster")
    cases = golden(reference / "sim_few_clusters_robust.json")
    expected = cases["siteFE_CR2"][0]
    found = DifferenceInDifferences(outcome="y", cov=CR2()).fit(panel).headline
    assert found["estimate"] == pytest.approx(expected["beta"], rel=1e-9)
    assert found["std_error"] == pytest.approx(expected["SE"], rel=1e-9)
    assert found["df"] == pytest.approx(expected["df_Satt"], rel=1e-9)
    # clubSandwich has no CR3 with effects as dummies; the treated:post of the pooled fit is the same number here
    three = next(row for row in cases["CR3"] if row["term"] == "treated:post")
    found = DifferenceInDifferences(outcome="y", cov=CR3()).fit(panel).headline
    assert found["estimate"] == pytest.approx(three["beta"], rel=1e-9)
    assert found["std_error"] == pytest.approx(three["SE"], rel=1e-9)
    assert found["df"] == pytest.approx(three["df_Satt"], rel=1e-9)


def test_the_path_equals_a_regression_with_one_dummy_a_period() -> None:
    data = ragged()
    indexed = data.set_index(["unit", "period"])
    pilot = (indexed["start"] > 0).to_numpy()
    times = [t for t in range(1, 13) if t != 6]
    for t in times:
        indexed[f"d{t}"] = (pilot & (indexed.index.get_level_values("period") == t)).astype(float)
    model = PanelOLS(indexed["y"], indexed[[f"d{t}" for t in times]], entity_effects=True, time_effects=True)
    path = DID.fit(Panel(data)).path()
    assert path["event_time"].tolist() == [t - 7 for t in times]
    np.testing.assert_allclose(path["estimate"], model.fit().params, rtol=1e-8)


# -- the estimate ------------------------------------------------------------------------


@pytest.mark.parametrize("pilots", [1, 3, 8])
def test_every_route_has_an_interval_for_every_effect(pilots: int) -> None:
    found = DID.fit(Panel(table(pilots=pilots)))
    assert np.isfinite(found.effects[["estimate", "p_value", "conf_low", "conf_high"]]).all(axis=None)
    path = found.path()
    assert (path["conf_low_simultaneous"] <= path["conf_low"]).all()
    assert (path["conf_high_simultaneous"] >= path["conf_high"]).all()
    assert found.draws_from and found.extras["rule"]["reason"].startswith(f"{pilots} pilot")
    assert found.spec["cov"] == {"kind": "Auto", "seed": 1, "permutations": 9999}


@pytest.mark.parametrize("cov", [Auto(), CR1(), CR2(), CR3()])
def test_the_estimate_does_not_depend_on_the_procedure(cov: Any) -> None:
    panel = Panel(ragged(), weight="w")
    ours = DifferenceInDifferences(outcome="y", cov=cov).fit(panel)
    assert ours.headline["estimate"] == pytest.approx(DID.fit(panel).headline["estimate"], rel=1e-12)
    assert ours.cov is not None
    assert ours.cov[0, 0] == pytest.approx(ours.headline["std_error"] ** 2)


def test_unequal_lists_do_not_change_the_estimate_either() -> None:
    data = table()
    lists = np.repeat(np.geomspace(1000, 20000, 16), 12)
    unlike = DID.fit(Panel(data.assign(size=lists), population="size"))
    assert unlike.extras["rule"]["procedure"].startswith("size-model-t")
    assert unlike.headline["estimate"] == pytest.approx(DID.fit(Panel(data)).headline["estimate"], rel=1e-12)


def test_cumulative_is_the_number_of_unit_periods_or_of_events() -> None:
    data = table(effect=-4).assign(people=np.repeat(np.linspace(1000, 1400, 16), 12))
    plain = DID.fit(Panel(data))
    assert plain.avoided()["estimate"] == pytest.approx(plain.headline["estimate"] * 3 * 6)
    panel = Panel(data, population="people").with_rate("y", per=1000, name="rate")
    rate = DifferenceInDifferences(outcome="rate").fit(panel)
    people = data.loc[(data["start"] > 0) & (data["period"] >= 7), "people"].sum()
    for column in ("estimate", "conf_low", "conf_high", "std_error"):
        assert rate.avoided()[column] == pytest.approx(rate.headline[column] * people / 1000)


def test_relative_maps_the_limits_with_the_observed_mean_held() -> None:
    data = table(effect=-6)
    found = DID.fit(Panel(data))
    observed = data.loc[(data["start"] > 0) & (data["period"] >= 7), "y"].mean()
    relative, att = found.effect("relative"), found.headline
    for column in ("estimate", "conf_low", "conf_high"):
        assert relative[column] == pytest.approx(att[column] / (observed - att[column]))
    assert relative["p_value"] == att["p_value"]


def test_log_gives_ratios_and_no_numbers_avoided() -> None:
    data = table(effect=-6)
    found = DifferenceInDifferences(outcome="y", log=True).fit(Panel(data))
    plain = DID.fit(Panel(data.assign(y=np.log(data["y"]))))
    assert found.scale == "log"
    assert found.headline["estimate"] == pytest.approx(plain.headline["estimate"])
    assert found.effect("relative")["conf_low"] == pytest.approx(np.expm1(plain.headline["conf_low"]))
    assert "cumulative" not in set(found.effects["term"])
    with pytest.raises(ValueError, match="ratios"):
        found.avoided()
    frame = found.counterfactual
    assert frame is not None
    geometric = np.exp(np.log(data["y"])[data["start"] > 0].groupby(data["period"]).mean())
    np.testing.assert_allclose(frame["observed"], geometric)


def test_observed_less_expected_averages_to_the_effect() -> None:
    found = DID.fit(Panel(table(effect=-4)))
    frame = found.counterfactual
    assert frame is not None and len(frame) == 12
    after = frame[frame["since"] >= 0]
    assert (after["observed"] - after["expected"]).mean() == pytest.approx(found.headline["estimate"])
    before = frame[frame["since"] < 0]
    assert (before["observed"] - before["expected"]).mean() == pytest.approx(0, abs=1e-12)
    assert ((frame["low"] <= frame["expected"]) & (frame["expected"] <= frame["high"])).all()


def test_months_are_named_and_every_period_of_the_panel_is_in_the_chart() -> None:
    data = table()
    months = pd.date_range("2022-04-01", periods=12, freq="MS").strftime("%Y-%m")
    data["period"] = [months[p - 1] for p in data["period"]]
    data["start"] = np.where(data["start"] > 0, "2022-10", "")
    data.loc[(data["start"] == "") & (data["period"] == "2022-06"), "y"] = np.nan
    found = DID.fit(Panel(data))
    frame = found.counterfactual
    assert frame is not None
    assert frame["period"].tolist() == list(months)
    assert frame["label"].iloc[6] == "October 2022" and frame["since"].iloc[6] == 0
    assert np.isnan(frame["expected"].iloc[2])  # no comparison unit was seen then
    assert len(found.extras["comparison"]) == 12 and found.extras["noun"] == "month"
    assert found.extras["reference"] == {"event_time": -1, "period": "2022-09"}


def test_one_pilot_shows_what_every_other_unit_would_have_shown() -> None:
    data = table(pilots=1, effect=-3)
    found = DID.fit(Panel(data)).extras["placebo"]
    assert found["units"] == [f"practice {u:02d}" for u in range(1, 16)]
    others = data[data["unit"] != "practice 00"]
    as_pilot = others.assign(start=np.where(others["unit"] == "practice 05", 7, 0))
    alone = DID.fit(Panel(as_pilot))
    assert found["estimates"][4] == pytest.approx(alone.headline["estimate"])
    np.testing.assert_allclose(found["paths"][4], alone.path()["estimate"])
    assert "placebo" not in DID.fit(Panel(table(pilots=2))).extras


def test_influence_adds_up_to_nothing_and_a_lone_pilot_has_none() -> None:
    found = DID.fit(Panel(table(pilots=3)))
    assert found.influence is not None and found.influence.shape == (16, 1)
    assert found.sampling_units[0] == "practice 00"
    assert found.influence.sum() == pytest.approx(0, abs=1e-12)
    lone = DID.fit(Panel(table(pilots=1)))
    assert lone.influence is not None and lone.influence[0, 0] == 0


def test_units_of_one_place_count_once() -> None:
    data = table(units=24, pilots=6)
    data["town"] = [f"town {int(u[-2:]) // 3}" for u in data["unit"]]
    found = DID.fit(Panel(data, cluster="town"))
    rule = found.extras["rule"]
    assert (rule["n1"], rule["n0"], rule["noun"]) == (2, 6, "places")
    assert len(found.sampling_units) == 8 and found.sampling_units[0] == "town 0"
    # three practices a town: the same as one row a town that holds their mean
    towns = data.groupby(["town", "period", "start"], as_index=False)["y"].mean()
    merged = DID.fit(Panel(towns, unit="town"))
    for column in ("estimate", "std_error", "conf_low", "conf_high", "p_value"):
        assert found.headline[column] == pytest.approx(merged.headline[column])


def test_what_is_missing_is_left_out_and_counted() -> None:
    data = table()
    data.loc[[3, 20], "y"] = np.nan
    data.loc[(data["unit"] == "practice 09") & (data["period"] < 7), "y"] = np.nan
    data["w"] = np.where(data.index == 50, 0.0, 1.0)
    found = DID.fit(Panel(data, weight="w"))
    assert found.counts["left_out"] == [
        {"n": 8, "reason": "rows without a value of `y`"},
        {"n": 1, "reason": "rows with a weight of 0"},
        {"n": 6, "reason": "rows of 1 unit seen on one side of the start alone"},
    ]
    assert found.counts["units"] == 15 and found.counts["rows"] == 192 - 15
    clean = data[data["y"].notna() & (data["w"] > 0) & (data["unit"] != "practice 09")]
    assert found.headline["estimate"] == pytest.approx(DID.fit(Panel(clean)).headline["estimate"])


def test_many_missing_rows_are_warned_about() -> None:
    data = table()
    data.loc[np.random.default_rng(1).random(len(data)) < 0.2, "y"] = np.nan
    assert any(re.search(r"\d+ of 192 rows could not be used", w) for w in DID.fit(Panel(data)).warnings)


def test_few_places_with_covariates_or_a_named_variance_are_warned_about() -> None:
    data = table().assign(x=np.random.default_rng(2).normal(size=192))
    with_covariate = DifferenceInDifferences(outcome="y", covariates=("x",)).fit(Panel(data))
    assert any("With covariates, 3 pilot" in text for text in with_covariate.warnings)
    assert np.isfinite(with_covariate.headline["estimate"])
    assert np.isnan(with_covariate.headline["p_value"]) and np.isnan(with_covariate.headline["conf_low"])
    assert "Leave the covariates out" in with_covariate.extras["rule"]["refused"]
    named = DifferenceInDifferences(outcome="y", cov=CR1()).fit(Panel(data))
    assert any("CR1 with 3 pilot" in text and "Auto()" in text for text in named.warnings)
    assert DID.fit(Panel(table(pilots=8))).warnings == ()


def test_a_drift_before_the_pilot_is_found_and_carried_to_its_middle() -> None:
    data = table(units=30, pilots=4, periods=24)
    data["y"] += 0.6 * data["period"] * (data["start"] > 0)
    found = DID.fit(Panel(data)).extras["pre_trend"]
    assert found["p_value"] < 0.01
    assert found["slope"] == pytest.approx(0.6, abs=0.15)
    assert found["slope_low"] < 0.6 < found["slope_high"]
    assert found["slope_at_middle"] == pytest.approx(found["slope"] * 12)
    assert DID.fit(Panel(table(units=30, pilots=4, periods=24))).extras["pre_trend"]["p_value"] > 0.05


def test_with_one_period_before_there_is_no_path_to_compare() -> None:
    found = DID.fit(Panel(table(periods=2, start=2)))
    assert "With one period before the pilot" in found.extras["pre_trend"]["why"]
    assert np.isfinite(found.headline["p_value"])


def test_a_path_that_cannot_be_worked_out_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from ucimpact.inference import comparison

    monkeypatch.setattr(comparison, "LARGEST_PATH", 10)
    found = DID.fit(Panel(ragged()))
    assert set(found.effects["term"]) == {"att", "cumulative", "relative"}
    assert any(text.startswith("No path over time is given") for text in found.warnings)
    assert found.counterfactual is not None and found.counterfactual["expected"].isna().all()


# -- known truth -------------------------------------------------------------------------


def fits(
    draws: int, *, units: int, pilots: int, sizes: Any = "equal", effect: float = -1.0, gaps: float = 0.0
) -> list[Estimate]:
    rng = np.random.default_rng(2024 + units + pilots)
    found = []
    for _ in range(draws):
        data = gaussian_panel(rng, units=units, pilots=pilots, sizes=sizes, effect=effect)
        data = data[rng.random(len(data)) >= gaps].reset_index(drop=True)
        found.append(DID.fit(Panel(data, population="size")))
    return found


@pytest.mark.parametrize(
    ("units", "pilots", "sizes", "gaps", "route"),
    [
        (40, 1, "equal", 0.0, "pooled-t"),
        (30, 3, "equal", 0.0, "pooled-t+permutation"),
        (30, 3, "unequal", 0.0, "size-model-t"),
        (20, 6, "equal", 0.0, "cr2"),
        (30, 3, "equal", 0.1, "pooled-t+permutation"),  # a tenth of the cells is missing
    ],
)
def test_the_interval_covers_the_truth_as_often_as_it_says(
    units: int, pilots: int, sizes: str, gaps: float, route: str
) -> None:
    found = fits(200, units=units, pilots=pilots, sizes=sizes, gaps=gaps)
    rows = [f.headline for f in found]
    covered = np.mean([row["conf_low"] <= -1 <= row["conf_high"] for row in rows])
    assert covered >= 0.95 - 0.046  # 200 draws: three sd
    assert covered <= 0.995
    errors = np.array([row["estimate"] for row in rows]) + 1
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(200)
    assert np.mean([f.extras["rule"]["procedure"].startswith(route) for f in found]) > 0.8


@pytest.mark.parametrize("pilots", [1, 3, 8])
def test_bands_hold_whole_paths_and_paths_alike_are_seldom_called_different(pilots: int) -> None:
    held, p = [], []
    for found in fits(200, units=24, pilots=pilots):
        path = found.path()
        truth = np.where(path["event_time"] >= 0, -1.0, 0.0)
        low, high = path["conf_low_simultaneous"], path["conf_high_simultaneous"]
        held.append(((low <= truth) & (truth <= high)).all())
        p.append(found.extras["pre_trend"]["p_value"])
    assert np.mean(held) >= 0.95 - 0.046  # 200 draws: three sd
    assert np.mean(np.array(p) < 0.1) < 0.1 + 0.064


def test_a_pilot_twice_as_changeable_is_flagged_and_its_own_spread_used() -> None:
    rng = np.random.default_rng(5)
    flagged, rejected = [], {"auto": 0, "cr1": 0}
    for _ in range(150):
        data = gaussian_panel(rng, units=24, pilots=4, drift=0.0)
        y = data["y"]
        own = y - data.groupby("unit")["y"].transform("mean") - data.groupby("period")["y"].transform("mean")
        data["y"] = np.where(data["start"] > 0, y + own + y.mean(), y)
        found = DID.fit(Panel(data))
        flagged.append(found.extras["rule"]["variance_flag"])
        rejected["auto"] += found.headline["p_value"] < 0.05
        plain = DifferenceInDifferences(outcome="y", cov=CR1()).fit(Panel(data))
        rejected["cr1"] += plain.headline["p_value"] < 0.05
    assert np.mean(flagged) > 0.9
    assert rejected["auto"] <= 150 * 0.05 + 8 < rejected["cr1"]  # three sd of 150 draws at 5% are 8


def test_a_fit_with_its_path_and_permutations_is_quick() -> None:
    rng = np.random.default_rng(1)
    panel = Panel(gaussian_panel(rng, units=40, pilots=3))
    DID.fit(panel)
    start = time.process_time()
    DID.fit(panel)
    assert time.process_time() - start < 0.5


# -- refusals ----------------------------------------------------------------------------


def changed(**columns: Any) -> pd.DataFrame:
    return table().assign(**columns)


def test_no_pilot_is_refused() -> None:
    with pytest.raises(DesignError, match=r"no pilot: no unit has a start. Write the first pilot period"):
        DID.fit(Panel(changed(start=0)))


def test_pilot_everywhere_is_refused_with_the_way_out() -> None:
    with pytest.raises(DesignError, match=r"All 16 units have the pilot.*InterruptedTimeSeries"):
        DID.fit(Panel(changed(start=7)))


def test_staggered_starts_are_refused_with_the_way_out() -> None:
    data = table()
    data.loc[data["unit"] == "practice 00", "start"] = 9
    with pytest.raises(DesignError, match=r"2 different times \(7, 9\).*one start at a time"):
        DID.fit(Panel(data))


def test_a_start_in_the_first_period_is_refused() -> None:
    data = table()
    with pytest.raises(DesignError, match=r"no period before the start \(7\)"):
        DID.fit(Panel(data[data["period"] >= 7]))


def test_a_constant_outcome_is_refused() -> None:
    with pytest.raises(DesignError, match="`y` is 4 throughout"):
        DID.fit(Panel(changed(y=4.0)))


def test_log_of_zeros_is_refused_with_their_number() -> None:
    data = table()
    data.loc[[1, 2, 3], "y"] = [0.0, 0.0, -1.0]
    with pytest.raises(DesignError, match=r"3 of 192 values of `y` are 0 or less. Leave log out"):
        DifferenceInDifferences(outcome="y", log=True).fit(Panel(data))


@pytest.mark.parametrize(
    "x", [lambda d: d["period"] * 2.0, lambda d: d["unit"].str[-2:].astype(float), lambda d: 0 * d["y"]]
)
def test_a_covariate_that_the_effects_hold_is_refused_by_name(x: Any) -> None:
    data = table()
    with pytest.raises(DesignError, match="Covariate `x` does not change over time within units"):
        DifferenceInDifferences(outcome="y", covariates=("x",)).fit(Panel(data.assign(x=x(data))))


@pytest.mark.parametrize("cov", [CR1(), CR2(), CR3()])
def test_a_variance_from_a_lone_pilot_is_refused(cov: Any) -> None:
    with pytest.raises(DesignError, match=r"needs two pilot places or more.*Use cov=Auto\(\)"):
        DifferenceInDifferences(outcome="y", cov=cov).fit(Panel(table(pilots=1)))


def test_places_that_hold_both_kinds_are_refused() -> None:
    data = table()
    data["town"] = [int(u[-2:]) // 2 for u in data["unit"]]
    with pytest.raises(DesignError, match="1 places hold both pilot and comparison units"):
        DID.fit(Panel(data, cluster="town"))


def test_an_outcome_missing_for_one_group_is_refused() -> None:
    data = table()
    data.loc[(data["start"] > 0) & (data["period"] >= 7), "y"] = np.nan
    with pytest.raises(DesignError, match="No pilot unit has a value of `y` both before and after"):
        DID.fit(Panel(data))


def test_groups_never_seen_together_are_refused() -> None:
    data = table()
    data = data[(data["start"] > 0) == (data["period"] % 2 == 0)]
    with pytest.raises(DesignError, match="never seen in the same period"):
        DID.fit(Panel(data))


def test_text_in_the_outcome_is_named_by_its_row() -> None:
    data = table().astype({"y": object})
    data.loc[5, "y"] = "many"
    with pytest.raises(DataError, match="row 7, column `y`: not a number"):
        DID.fit(Panel(data))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"level": 95}, "level = 95"),
        ({"covariates": ("y",)}, "`y` is the outcome"),
        ({"cov": "CR2"}, "cov = 'CR2'"),
    ],
)
def test_options_that_mean_nothing_are_refused_at_once(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DifferenceInDifferences(outcome="y", **fields)


def test_a_design_can_be_asked_about_without_working_anything_out() -> None:
    found = DID.check_design(Panel(changed(start=7)))
    assert [finding.level for finding in found] == ["refuse"]
    assert DID.check_design(Panel(table(pilots=8))) == []


# -- real records ------------------------------------------------------------------------


def test_weston_overnight_closure(shared: Path) -> None:
    data = pd.read_csv(shared / "data/weston_overnight_closure_2017_trust_month.csv")
    data = data[(data["role"] != "neighbour") & data["period"].between("2016-07-01", "2018-06-01")]
    data = data.assign(start=np.where(data["role"] == "closed_overnight", "2017-07-01", ""))
    found = DifferenceInDifferences(outcome="attendances", log=True).fit(Panel(data, unit="org_code"))
    rule, relative = found.extras["rule"], found.effect("relative")
    assert (rule["n1"], rule["n0"], rule["procedure"]) == (1, 126, "pooled-t")
    assert relative["estimate"] == pytest.approx(-0.140, abs=0.0005)
    assert 0.01 < relative["p_value"] < 0.12
    assert len(found.extras["placebo"]["estimates"]) == 126
