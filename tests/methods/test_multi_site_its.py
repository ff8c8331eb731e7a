"""Sites against their own past: the parts by hand, what is refused, and how often the average errs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.data.simulate_sites import PilotSites
from ucimpact.errors import DesignError, EstimationError
from ucimpact.estimate import Estimate
from ucimpact.inference.pooling import pool
from ucimpact.methods.count_its import CountITS
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.multi_site_its import MultiSiteITS
from ucimpact.methods.multi_site_series import SHARED, shared_season
from ucimpact.methods.multi_site_shared import Months, shared
from ucimpact.methods.multi_site_sites import lay_out
from ucimpact.methods.multi_site_told import _effects


def panel(seed: int = 1, *, rate: bool = False, **design: Any) -> Panel:
    table = PilotSites(**{"as_counts": rate, **design}).draw(seed).table
    made = Panel(table, unit="site", period="month", start="start", population="people")
    return made.with_rate("admissions", per=1_000, name="rate") if rate else made


def series_of(data: Panel, site: str) -> Series:
    table = data.table[data.table["site"] == site].reset_index(drop=True)
    return Series(table, period="month", start=table["start"].iloc[0])


def number(estimate: Estimate, term: str, column: str = "estimate") -> float:
    return float(estimate.effect(term)[column])


def test_each_site_is_the_plain_method_and_the_average_is_their_pooling() -> None:
    data = panel()
    estimate = MultiSiteITS(outcome="admissions").fit(data)
    rows = estimate.effects[estimate.effects["term"] == "site"]
    assert sorted(rows["group"]) == [f"site {k:02d}" for k in range(1, 9)]
    assert rows["estimate"].is_monotonic_increasing and rows["weight"].sum() == pytest.approx(1)
    for _, row in rows.iterrows():
        alone = InterruptedTimeSeries(outcome="admissions").fit(series_of(data, row["group"]))
        for column in ("estimate", "conf_low", "conf_high"):
            assert row[column] == pytest.approx(number(alone, "average", column), rel=1e-9)
    again = pool(rows["estimate"].to_numpy(), rows["std_error"].to_numpy() ** 2)
    assert number(estimate, "site_average") == pytest.approx(again.estimate)
    assert number(estimate, "site_average", "df") == 7
    low, high = again.limits()[0]
    wide = number(estimate, "site_average", "conf_high") - number(estimate, "site_average", "conf_low")
    more = (wide / 2) ** 2 - ((high - low) / 2) ** 2
    assert more >= -1e-9
    reach = [number(estimate, "prediction", c) for c in ("conf_low", "conf_high")]
    least, most = again.prediction()
    assert (reach[1] - reach[0]) / 2 == pytest.approx(np.sqrt(((most - least) / 2) ** 2 + more))
    assert sum(reach) / 2 == pytest.approx(again.estimate)
    assert len(estimate.extras["leave_one_out"]) == 8


def test_a_total_is_the_sum_of_what_the_sites_did() -> None:
    data = panel()
    estimate = MultiSiteITS(outcome="admissions").fit(data)
    months = data.treated.reshape(len(data.units), -1).sum(axis=1)
    own = {row["group"]: row["estimate"] for _, row in estimate.effects.iterrows() if row["term"] == "site"}
    total = sum(own[unit] * n for unit, n in zip(data.units, months, strict=True) if n)
    assert number(estimate, "cumulative") == pytest.approx(total)
    with_it = data.values("admissions")[data.treated]
    assert number(estimate, "cumulative") == pytest.approx(number(estimate, "att") * len(with_it))
    assert estimate.extras["observed"] == pytest.approx(with_it.mean())
    expected = with_it.mean() - number(estimate, "att")
    assert number(estimate, "relative") == pytest.approx(number(estimate, "att") / expected)
    assert estimate.counts["pilot_periods"] == len(with_it)


def test_counts_are_pooled_as_ratios_and_told_in_units_of_the_rate() -> None:
    data = panel(rate=True, change=-0.2, base=400, noise=0.02)
    estimate = MultiSiteITS(outcome="rate").fit(data)
    theta = number(estimate, "log_average")
    assert np.expm1(theta) == pytest.approx(-0.2, abs=0.03)
    sites = estimate.extras["sites"]
    y = np.array([row["estimate"] for row in sites])
    seen = [
        data.values("admissions")[data.treated & (data.table["site"] == row["site"]).to_numpy()].sum()
        for row in sites
    ]
    assert number(estimate, "cumulative") == pytest.approx(-np.sum(seen * np.expm1(-y)))
    assert number(estimate, "site_average") == pytest.approx(np.expm1(number(estimate, "log_site_average")))
    assert estimate.extras["pooled"]["estimate"] == number(estimate, "log_site_average")
    rows = data.treated
    events, people = data.values("admissions")[rows].sum(), data.values("people")[rows].sum()
    assert number(estimate, "relative") == pytest.approx(np.expm1(theta))
    assert number(estimate, "att") == pytest.approx(-events / people * 1_000 * np.expm1(-theta))
    assert number(estimate, "cumulative") == pytest.approx(-events * np.expm1(-theta))
    frame = estimate.counterfactual
    assert frame is not None and not frame["period"].any()
    after = frame["since"] >= 0
    assert frame.loc[after, "events"].sum() == events
    ratio = frame.loc[after, "observed"].mean() / frame.loc[after, "expected"].mean()
    assert ratio == pytest.approx(0.8, abs=0.03)
    natural = MultiSiteITS(outcome="rate", scale="natural").fit(data)
    assert "log_average" not in set(natural.effects["term"])
    assert number(natural, "relative") == pytest.approx(number(estimate, "relative"), abs=0.04)


def test_a_ratio_of_what_is_no_count_is_that_of_the_means() -> None:
    estimate = MultiSiteITS(outcome="admissions", scale="ratio").fit(panel(change=-0.15, noise=0.01))
    assert np.expm1(number(estimate, "log_average")) == pytest.approx(-0.15, abs=0.02)
    assert estimate.extras["pooled"]["scale"] == "log"


def test_units_that_never_start_are_counted_and_change_nothing() -> None:
    with_others, alone = panel(never=4), panel(never=4)
    keep = alone.pilot_units[alone.unit_codes]
    first = MultiSiteITS(outcome="admissions").fit(with_others)
    second = MultiSiteITS(outcome="admissions").fit(alone.where(keep))
    pd.testing.assert_frame_equal(first.effects, second.effects)
    assert first.counts["left_out"] == [
        {"n": 4, "reason": "units that never start: each site is its own past"}
    ]
    assert second.counts["left_out"] == []


def spoiled(**changes: Any) -> Panel:
    """The panel with cells of site 02 changed: a function of its rows for each column."""
    data = panel()
    table = data.table.copy()
    rows = (table["site"] == "site 02").to_numpy()
    for column, value in changes.items():
        table.loc[rows, column] = value
    return Panel(table, unit="site", period="month", start="start")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"start": "2015-02"}, "Three periods before and after are the least; there are 58 and 2"),
        ({"admissions": 7.0}, "every month has the same value"),
        ({"admissions": [np.nan] * 20 + [5.0, 9.0] * 20}, "20 of 60 months"),
    ],
)
def test_a_site_that_cannot_answer_is_left_out_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    estimate = MultiSiteITS(outcome="admissions").fit(spoiled(**changes))
    assert estimate.counts["sites"] == 7 and estimate.counts["sites_refused"] == 1
    told = [row["reason"] for row in estimate.counts["left_out"] if row["n"] == 1]
    assert len(told) == 1 and told[0].startswith("site 02: ") and reason in told[0]
    assert any("1 of 8 sites are left out: site 02" in text for text in estimate.warnings)


def test_a_site_with_a_hole_in_its_months_is_left_out() -> None:
    data = panel()
    hole = (data.table["site"] == "site 05") & (data.table["month"] == "2011-03")
    estimate = MultiSiteITS(outcome="admissions").fit(data.where(~hole.to_numpy()))
    assert estimate.counts["sites"] == 7
    assert "gaps: March 2011" in " ".join(row["reason"] for row in estimate.counts["left_out"])


def test_fewer_than_three_sites_and_nobody_starting_are_refused() -> None:
    with pytest.raises(DesignError, match="3 sites are the least that can be pooled; 2 can be used"):
        MultiSiteITS(outcome="admissions").fit(panel(sites=2))
    data = panel()
    with pytest.raises(DesignError, match=r"(?i)no unit starts the pilot"):
        never = Panel(data.table.assign(start=""), unit="site", period="month", start="start")
        MultiSiteITS(outcome="admissions").fit(never)
    with pytest.raises(DesignError, match="falls below 0"):
        low = Panel(
            data.table.assign(admissions=data.table["admissions"] - 200),
            unit="site",
            period="month",
            start="start",
        )
        MultiSiteITS(outcome="admissions", scale="ratio").fit(low)


def test_sites_without_events_give_no_ratio_and_are_named() -> None:
    data = panel(rate=True, sites=4)
    table = data.table.copy()
    dead = (table["site"] == "site 03") & (table["month"] >= "2013-04")
    table.loc[dead, "admissions"] = 0.0
    made = Panel(table, unit="site", period="month", start="start", population="people")
    estimate = MultiSiteITS(outcome="rate").fit(made.with_rate("admissions", per=1_000, name="rate"))
    assert estimate.counts["sites"] == 3
    assert any("site 03" in text and "are left out" in text for text in estimate.warnings)
    fewer = panel(rate=True, sites=3)
    table = fewer.table.copy()
    table.loc[(table["site"] == "site 03") & (table["month"] >= "2013-04"), "admissions"] = 0.0
    made = Panel(table, unit="site", period="month", start="start", population="people")
    with pytest.raises(EstimationError, match="2 sites gave an effect"):
        MultiSiteITS(outcome="rate").fit(made.with_rate("admissions", per=1_000, name="rate"))


def test_cautions_of_the_sites_are_gathered() -> None:
    found = MultiSiteITS(outcome="admissions").check_design(panel(months=40, before=33, spread=4))
    texts = [finding.text for finding in found if "under a year" in finding.text]
    assert len(texts) == 1 and re.match(r"at 8 of 8 sites: \d+ to 11 months", texts[0])
    alike = MultiSiteITS(outcome="admissions", season="none").check_design(panel())
    assert any(finding.text.startswith("at every site: no season") for finding in alike)


def test_a_shared_season_is_the_one_planted_and_leaves_more_to_measure_chance_by() -> None:
    data = panel(months=30, before=16, spread=2, noise=0.02, season=2.0)
    method = MultiSiteITS(outcome="admissions", shared_season=True)
    season = shared_season(data, method)
    truth = pd.Series(data.values("admissions")).groupby(data.period_codes).mean().to_numpy()
    assert np.corrcoef(season, truth)[0, 1] > 0.95
    estimate = method.fit(data)
    assert estimate.extras["season"]["name"] == "shared" and estimate.extras["season"]["separable"]
    without = MultiSiteITS(outcome="admissions", season="none").fit(data)

    def width(found: Estimate) -> float:
        return float(found.headline["conf_high"] - found.headline["conf_low"])

    assert width(estimate) < 0.6 * width(without)
    assert SHARED == "season of all units"
    with pytest.raises(DesignError, match='no place beside season = "none"'):
        MultiSiteITS(outcome="admissions", shared_season=True, season="none")


def test_one_start_for_all_is_told_by_the_calendar_and_warned_of() -> None:
    estimate = MultiSiteITS(outcome="admissions").fit(panel(spread=0))
    frame = estimate.counterfactual
    assert frame is not None and frame["period"].iloc[0] == "2010-04"
    assert any("All sites start at the same date" in text for text in estimate.warnings)
    assert estimate.extras["starts"] == [{"start": "2013-04", "label": "April 2013", "units": 8}]


def test_sites_that_differ_are_said_to() -> None:
    estimate = MultiSiteITS(outcome="admissions", scale="ratio").fit(panel(tau=0.25, noise=0.02))
    found = estimate.extras["heterogeneity"]
    assert found["careful_p_value"] < 0.01
    assert found["tau2_low"] < found["tau2"] < found["tau2_high"]
    assert any("differs between sites by more than chance" in text for text in estimate.warnings)
    alike = MultiSiteITS(outcome="admissions").fit(panel()).extras["heterogeneity"]
    assert 0.1 < alike["q_p_value"] < alike["careful_p_value"]  # wider ranges, less scatter in them
    fixed = MultiSiteITS(outcome="admissions", scale="ratio", pooling="fixed", interval="normal")
    again = fixed.fit(panel(tau=0.25, noise=0.02))
    assert again.extras["heterogeneity"]["tau2"] == 0
    wide, narrow = (
        number(found, "site_average", "conf_high") - number(found, "site_average", "conf_low")
        for found in (estimate, again)
    )
    assert narrow < 0.5 * wide


def test_choices_that_are_not_known_are_listed_together() -> None:
    with pytest.raises(DesignError, match=r"scale = .*pooling = .*interval = "):
        MultiSiteITS(outcome="y", scale="log", pooling="gh", interval="t")


def sizes(changes: list[float], people: list[float], seed: int = 8) -> tuple[Panel, float]:
    """Counts at sites of these sizes and changes, and what the changes did in all."""
    rng, month = np.random.default_rng(seed), pd.period_range("2014-01", periods=48, freq="M").astype(str)
    with_it, rows, truth = np.arange(48) >= 28, [], 0.0
    for at, (change, size) in enumerate(zip(changes, people, strict=True)):
        mean = size * np.exp(0.03 * rng.standard_normal(48))
        truth += change * mean[with_it].sum()
        seen = rng.poisson(mean * np.where(with_it, 1 + change, 1.0))
        rows += [(f"site {at}", *row, month[28]) for row in zip(month, seen, strict=True)]
    table = pd.DataFrame(rows, columns=["site", "month", "y", "start"])
    return Panel(table, unit="site", period="month", start="start"), truth


def test_a_large_site_without_an_effect_leads_the_total_and_not_the_average() -> None:
    data, truth = sizes([0.0] + [-0.25] * 7, [2000] + [60] * 7)
    estimate = MultiSiteITS(outcome="y").fit(data)
    total = estimate.effect("cumulative")
    assert total["conf_low"] < truth < total["conf_high"]
    assert number(estimate, "relative") == pytest.approx(-2100 / 48_400, abs=0.04)
    assert number(estimate, "site_average") < -0.1
    assert any("Large sites and small ones changed unlike" in text for text in estimate.warnings)
    assert any("site 0 alone has 8" in text and "in the total" in text for text in estimate.warnings)
    alike = MultiSiteITS(outcome="y").fit(sizes([-0.2] * 8, [300] * 8)[0])
    assert not any("changed unlike" in text for text in alike.warnings)


def moving(seed: int, together: float, sites: int = 8, apart: int = 0) -> Panel:
    """Sites without an effect, with AR(1) shocks of their own and one that comes to all."""
    rng, n = np.random.default_rng(seed), 48
    month = pd.period_range("2014-01", periods=n, freq="M").astype(str)

    def wander(sd: float) -> np.ndarray:
        path, fresh = np.zeros(n), sd * np.sqrt(0.75) * rng.standard_normal(n)
        path[0] = sd * rng.standard_normal()
        for t in range(1, n):
            path[t] = 0.5 * path[t - 1] + fresh[t]
        return path

    shock, rows = wander(together), []
    for at in range(sites):
        seen = rng.poisson(120 * np.exp(shock + wander(0.06)))
        rows += [(f"site {at}", *row, month[28 + at % 6 * apart]) for row in zip(month, seen, strict=True)]
    table = pd.DataFrame(rows, columns=["site", "month", "y", "start"])
    return Panel(table, unit="site", period="month", start="start")


def test_with_one_start_the_range_holds_what_the_sum_of_the_sites_does_by_itself() -> None:
    data = moving(3, 0.1)
    estimate = MultiSiteITS(outcome="y", season="none").fit(data)
    summed = data.table.groupby("month", as_index=False)["y"].sum()
    alone = CountITS(outcome="y", season="none").fit(Series(summed, period="month", start="2016-05"))
    assert number(estimate, "relative") == pytest.approx(number(alone, "relative"), abs=0.02)
    wide, narrow = (
        number(found, "log_average", "conf_high") - number(found, "log_average", "conf_low")
        for found in (estimate, alone)
    )
    assert wide == pytest.approx(narrow, rel=0.15)
    told = estimate.extras["shared"]
    assert told["correlation"] > 0.2 and told["widened"] > 2
    assert 2 * told["one_series_half_width"] == pytest.approx(narrow, rel=0.1)
    assert any("go up and down together" in text for text in estimate.warnings)
    assert "times as wide" in estimate.draws_from


def test_sites_with_nothing_in_common_are_hardly_made_wider_and_starts_apart_take_shocks_out() -> None:
    alone = [MultiSiteITS(outcome="y", season="none").fit(moving(seed, 0.0)) for seed in range(8)]
    told = [found.extras["shared"] for found in alone]
    assert np.mean([row["widened"] for row in told]) < 1.3
    assert abs(np.mean([row["correlation"] for row in told])) < 0.03
    apart = MultiSiteITS(outcome="y", season="none").fit(moving(3, 0.1, apart=3)).extras["shared"]
    assert apart["left_by_starts"] < 0.7 and apart["widened"] > 1.25


def test_where_the_sum_carries_no_regression_the_mean_correlation_stands_in() -> None:
    method, data = MultiSiteITS(outcome="y", season="none"), moving(3, 0.1)
    found, _ = _effects(method, lay_out(method, data))
    months = Months.of(found)
    twice = replace(
        months,
        columns={**months.columns, "again": months.columns["slope before"]},
        towards={**months.towards, "again": np.zeros(len(found))},
    )
    weights, errors = np.full(len(found), 1 / len(found)), np.full(len(found), 0.04)
    told = shared(twice, weights, errors, half=0.03, level=0.95)
    assert told.excess == pytest.approx(0.03**2 * 7 * months.correlation) and np.isnan(told.half)
    apart = replace(months, left=-months.left * np.where(np.arange(len(found)) % 2, 1, -1)[:, None])
    assert apart.correlation < 0 < months.correlation and months.alike and not apart.alike
    assert shared(replace(twice, left=apart.left), weights, errors, half=0.03, level=0.95).excess == 0


@pytest.mark.parametrize("apart", [0, 2])
def test_months_that_move_all_sites_are_not_taken_for_an_effect(apart: int) -> None:
    method, wrong, told = MultiSiteITS(outcome="y", season="none"), [], []
    for seed in range(30):
        found = method.fit(moving(seed, 0.06, apart=apart))
        wrong.append(not found.headline["conf_low"] <= 0 <= found.headline["conf_high"])
        told.append(found.extras["shared"]["widened"])
    assert np.mean(wrong) <= 0.17  # 30 draws at 5%: mean .05, sd .04
    assert np.mean(told) > 1.5


@pytest.mark.parametrize("tau", [0.0, 0.08])
def test_it_errs_no_more_often_than_it_says(tau: float) -> None:
    method, wrong = MultiSiteITS(outcome="admissions", season="fourier-1"), []
    for seed in range(40):
        found = method.fit(panel(seed, sites=6, never=0, months=36, before=24, spread=3, tau=tau))
        mean = found.effect("site_average" if tau else "att")  # of sites that differ the total is not 0
        wrong.append(not mean["conf_low"] <= 0 <= mean["conf_high"])
    assert np.mean(wrong) <= 0.15  # 40 draws at 5%: mean .05, sd .034
