"""Counts worked by hand, R's numbers through the public method, planted truth, and refusals with a way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.conftest import golden
from ucimpact.data.series import Series
from ucimpact.data.simulate_counts import count_series
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate
from ucimpact.inference.count_series import CountSeries
from ucimpact.inference.count_series_errors import (
    HacPoisson,
    Mixture,
    NegativeBinomial,
    QuasiPoisson,
    WeightedReml,
)
from ucimpact.methods.building import build
from ucimpact.methods.count_its import CountITS

ITS = CountITS(outcome="y")
KINDS = (Mixture(), WeightedReml(), QuasiPoisson(), HacPoisson())


def monthly(y: Any, *, before: int, first: str = "2010-01", **columns: Any) -> Series:
    y = np.asarray(y, dtype=float)
    period = np.asarray(pd.period_range(first, periods=len(y), freq="M").astype(str), dtype=object)
    table = pd.DataFrame({"period": period, "y": y, **columns})
    return Series(table, start=period[before], population="people" if "people" in columns else None)


def drawn(seed: int, n: int = 60, **truth: Any) -> Series:
    table, _ = count_series(np.random.default_rng(seed), n=n, **truth)
    return Series(table, start=table["period"][round(0.6 * n)])


def told(found: Estimate, term: str, *columns: str) -> Any:
    row = found.effect(term)
    return row["estimate"] if not columns else tuple(row[name] for name in columns)


# -- by hand ---------------------------------------------------------------------------------------


def test_by_hand() -> None:
    """Two halves without trend or season: the ratio of two means, and what it makes of the second."""
    y = np.r_[np.tile([90, 110], 10), np.tile([60, 84, 66], 5)]
    method = CountITS(
        outcome="y", errors=QuasiPoisson(), shape="level", trend="none", season="none", days=False
    )
    found = method.fit(monthly(y, before=20))
    ratio = 70 / 100
    assert told(found, "relative") == pytest.approx(ratio - 1)
    assert told(found, "log_average") == pytest.approx(np.log(ratio))
    assert told(found, "log_level_change") == pytest.approx(np.log(ratio))
    assert told(found, "cumulative") == pytest.approx(15 * (70 - 100))
    assert (told(found, "average"), told(found, "level_change")) == pytest.approx((-30, -30))
    pearson = (20 * 10**2 / 100 + 5 * (10**2 + 14**2 + 4**2) / 70) / 33
    error = np.sqrt(pearson * (1 / 2000 + 1 / 1050))
    assert found.extras["dispersion"] == pytest.approx(pearson)
    assert told(found, "log_average", "std_error", "df") == pytest.approx((error, 33))
    low, high = told(found, "log_average", "conf_low", "conf_high")
    assert told(found, "cumulative", "conf_low", "conf_high") == pytest.approx(
        (1050 * (1 - np.exp(-low)), 1050 * (1 - np.exp(-high)))
    )
    assert told(found, "relative", "conf_low", "conf_high") == pytest.approx(
        (np.exp(low) - 1, np.exp(high) - 1)
    )
    np.testing.assert_allclose(found.counterfactual["expected"], 100)
    assert "slope_change" not in set(found.effects["term"])


def test_an_exact_course_is_given_back() -> None:
    """A ratio of 0.8 that falls by 1% a month, seasons and days in the month beside it."""
    since = np.arange(60) - 36
    wave = np.exp(0.1 * np.cos(2 * np.pi * since / 12))
    path = 1e8 * np.exp(0.003 * since) * wave
    effect = np.where(since >= 0, np.log(0.8) + np.log(0.99) * since, 0.0)
    series = monthly(path, before=36)
    lengths = np.array([series.frequency.length(int(o)) for o in series.ordinals])
    rng = np.random.default_rng(1)
    series = monthly(rng.poisson(path * lengths * np.exp(effect)), before=36)
    found = ITS.fit(series)
    expected = (path * lengths)[36:]
    assert told(found, "log_level_change") == pytest.approx(np.log(0.8), abs=1e-3)
    assert told(found, "log_slope_change") == pytest.approx(np.log(0.99), abs=1e-4)
    assert told(found, "relative") == pytest.approx(
        (expected * np.exp(effect[36:])).sum() / expected.sum() - 1, abs=1e-3
    )
    at = found.effects[found.effects["term"] == "effect_at"]
    assert at["event_time"].tolist() == [5, 11, 23]
    np.testing.assert_allclose(at["estimate"], (expected * np.expm1(effect[36:]))[[5, 11, 23]], rtol=2e-3)
    np.testing.assert_allclose(found.counterfactual["expected"][36:], expected, rtol=2e-3)


@pytest.mark.parametrize("errors", KINDS)
def test_all_effects_of_the_whole_pilot_are_one_number(errors: Any) -> None:
    found = CountITS(outcome="y", errors=errors).fit(drawn(3, mean=80))
    seen = found.counterfactual["observed"][36:].sum()
    for column in ("estimate", "conf_low", "conf_high"):
        theta = told(found, "log_average", column)[0]
        assert told(found, "cumulative", column)[0] == pytest.approx(seen * (1 - np.exp(-theta)))
        assert told(found, "average", column)[0] == pytest.approx(seen * (1 - np.exp(-theta)) / 24)
        assert told(found, "relative", column)[0] == pytest.approx(np.expm1(theta))
    p_values = [told(found, term, "p_value")[0] for term in ("average", "cumulative", "relative")]
    assert p_values == [told(found, "log_average", "p_value")[0]] * 3
    outside = told(found, "log_average", "conf_high")[0] < 0 or told(found, "log_average", "conf_low")[0] > 0
    assert outside == (p_values[0] < 0.05)


# -- people, days and rates ------------------------------------------------------------------------


def test_a_growing_population_is_no_effect() -> None:
    people = np.linspace(50_000, 100_000, 60)
    y = np.random.default_rng(2).poisson(people / 20)
    alone = CountITS(outcome="y", trend="none", season="none", days=False)
    with_people = alone.fit(monthly(y, before=36, people=people))
    without = alone.fit(monthly(y, before=36))
    assert abs(told(with_people, "relative")) < 0.02 < told(without, "relative")
    assert with_people.extras["exposure"] == "people (people)"
    assert ITS.fit(monthly(y, before=36, people=people)).extras["exposure"] == (
        "people (people) times days in the month"
    )
    assert without.extras["exposure"] == "each month alike"


def test_a_short_february_is_no_fall() -> None:
    series = monthly(np.zeros(60), before=36)
    lengths = np.array([series.frequency.length(int(o)) for o in series.ordinals])
    y = np.random.default_rng(3).poisson(1e6 * lengths)
    counted, ignored = (
        CountITS(outcome="y", season="none", days=days).fit(monthly(y, before=36)) for days in (True, False)
    )
    assert counted.extras["dispersion"] < 2 < 500 < ignored.extras["dispersion"]


def test_where_there_is_a_rate_effects_are_told_in_it_and_totals_in_events() -> None:
    people = np.linspace(50_000, 60_000, 60)
    y = np.random.default_rng(4).poisson(people / 500)
    series = monthly(y, before=36, people=people)
    rated = series.with_rate("y", per=1000, name="rate")
    plain, found = ITS.fit(series), ITS.fit(rated)
    assert told(found, "cumulative") == pytest.approx(told(plain, "cumulative"))
    assert told(found, "average") == pytest.approx(
        told(plain, "cumulative") / series.exposure[36:].sum() * 1000
    )
    np.testing.assert_allclose(found.counterfactual["observed"], rated.values("rate"))
    for column in ("expected", "low", "high"):
        np.testing.assert_allclose(
            found.counterfactual[column], plain.counterfactual[column] / series.exposure * 1000
        )


def test_expected_events_add_up_to_the_total() -> None:
    found = ITS.fit(drawn(5, mean=30, level=-0.3))
    frame = found.counterfactual
    seen = frame["observed"][36:].sum()
    ratio = np.exp(told(found, "log_average"))
    # Fitted and seen totals agree but for what carries over.
    assert frame["expected"][36:].sum() * ratio == pytest.approx(seen, rel=0.02)
    assert ((frame["low"] < frame["expected"]) & (frame["expected"] < frame["high"])).all()
    assert (frame["low"] > 0).all()


# -- R ---------------------------------------------------------------------------------------------


def sicily(shared: Path) -> Series:
    d = pd.read_csv(shared / "reference/data/sicily.csv")
    return monthly(d["aces"], before=36, first="2002-01", people=d["stdpop"].to_numpy())


def coefficients(found: Estimate) -> dict[str, tuple[float, float]]:
    return {row["name"]: (row["estimate"], row["std_error"]) for row in found.extras["coefficients"]}


def test_sicily_is_that_of_the_published_tutorial(shared: Path) -> None:
    """R counts months from 1 and takes the standardised population without days."""
    values = golden(shared / "reference/golden/sicily_its.json")["qp_fourier"]
    method = CountITS(outcome="y", shape="level", days=False, errors=QuasiPoisson())
    found = method.fit(sicily(shared))
    ours = coefficients(found)
    for name, theirs in {"level change": "smokban", "slope before": "time"}.items():
        assert ours[name] == pytest.approx((values["estimate"][theirs], values["se"][theirs]), rel=1e-6)
    assert told(found, "relative") + 1 == pytest.approx(values["rr"], rel=1e-6)
    assert found.extras["dispersion"] == pytest.approx(values["dispersion"], rel=1e-6)
    assert found.extras["deviance"] == pytest.approx(values["deviance"], rel=1e-6)
    assert found.extras["residual_df"] == values["df_residual"]
    frame, theirs = found.counterfactual, values["counterfactual"]
    assert frame["expected"][36:].sum() == pytest.approx(theirs["expected_without"], rel=1e-6)
    assert told(found, "cumulative") == pytest.approx(
        theirs["observed"] - theirs["expected_without"], rel=1e-6
    )


def test_sicilys_slope_counts_from_the_ban(shared: Path) -> None:
    """R's level is that of month 0: ours, in month 37, lies 37 changes of slope on."""
    values = golden(shared / "reference/golden/sicily_its.json")["qp_fourier_slope"]["estimate"]
    found = CountITS(outcome="y", days=False, errors=QuasiPoisson()).fit(sicily(shared))
    ours = coefficients(found)
    assert ours["slope change"][0] == pytest.approx(values["smokban:time"], rel=1e-6)
    assert ours["level change"][0] == pytest.approx(values["smokban"] + 37 * values["smokban:time"], rel=1e-6)
    other = golden(shared / "reference/golden/sicily_its.json")["qp_level_slope"]["estimate"]
    plain = CountITS(outcome="y", days=False, season="none", errors=QuasiPoisson()).fit(sicily(shared))
    ours = coefficients(plain)
    assert ours["slope change"][0] == pytest.approx(other["since"], rel=1e-6)
    assert ours["level change"][0] == pytest.approx(other["smokban"] + other["since"], rel=1e-6)


@pytest.mark.parametrize(
    ("case", "errors"),
    [("qp", QuasiPoisson()), ("nb", NegativeBinomial()), ("qp_nw3", HacPoisson(lags=3))],
)
def test_a_simulated_series_is_that_of_r(reference: Path, case: str, errors: Any) -> None:
    """Both count 0 in the first month after."""
    values = golden(reference / "sim_its_monthly.json")[case]
    d = pd.read_csv(reference / "sim_its_monthly.csv")
    series = monthly(d["admissions"], before=48, people=d["population"].to_numpy())
    found = CountITS(outcome="y", days=False, errors=errors).fit(series)
    names = {"slope before": "time", "level change": "post", "slope change": "time_since"}
    for ours, theirs in names.items():
        wanted = (values["estimate"][theirs], values["se"][theirs])
        assert coefficients(found)[ours] == pytest.approx(wanted, rel=1e-5), ours
    if case == "nb":
        assert found.extras["theta"] == pytest.approx(values["theta"], rel=1e-4)
        assert found.extras["theta_std_error"] == pytest.approx(values["se_theta"], rel=1e-4)
        assert found.extras["log_likelihood"] == pytest.approx(values["loglik"], rel=1e-8)
        assert found.extras["deviance"] == pytest.approx(values["deviance"], rel=1e-5)
    else:
        assert found.extras["dispersion"] == pytest.approx(values["dispersion"], rel=1e-6)
        expected = golden(reference / "sim_its_monthly.json")["qp"]["counterfactual"]["expected_without"]
        assert found.counterfactual["expected"][48:].sum() == pytest.approx(expected, rel=1e-6)


# -- what must hold --------------------------------------------------------------------------------


def test_months_that_do_not_count_do_not_matter() -> None:
    y = np.random.default_rng(5).poisson(50, 60).astype(float)
    other = y.copy()
    other[36:39] = [500, 0, 900]
    phased = CountITS(outcome="y", phase_in=3)
    first, second = (phased.fit(monthly(values, before=36)) for values in (y, other))
    np.testing.assert_allclose(
        second.effects.select_dtypes(float), first.effects.select_dtypes(float), rtol=1e-7
    )
    assert first.counts["left_out"][0]["n"] == 3
    missing = y.copy()
    missing[10] = np.nan
    found = ITS.fit(monthly(missing, before=36))
    assert np.isnan(found.counterfactual["observed"][10]) and found.extras["residuals"][10] is None
    assert np.isfinite(found.counterfactual["expected"][10])


def test_the_realised_total_is_wider_than_the_expected_one_and_has_its_noise() -> None:
    found = ITS.fit(drawn(7, n=96, mean=100, rho=0.3, sd=0.02))
    expected, realised = found.effect("cumulative"), found.effect("cumulative_realised")
    assert realised["conf_high"] - realised["conf_low"] > 0
    seen = found.counterfactual["observed"][58:].sum()
    assert realised["conf_high"] < seen  # at the most, every event seen is the pilot's
    assert realised["estimate"] == pytest.approx(expected["estimate"], abs=3 * expected["std_error"])
    assert np.isnan(found.cov[-1, 0]) and found.cov[-1, -1] == pytest.approx(realised["std_error"] ** 2)
    hac = CountITS(outcome="y", errors=HacPoisson()).fit(drawn(7, n=96))
    assert "cumulative_realised" not in set(hac.effects["term"])


def test_the_realised_total_covers_what_would_have_happened() -> None:
    """Of 80 series without any effect, the difference from nothing lies inside as often as it says."""
    held = []
    for seed in range(80):
        row = ITS.fit(drawn(1000 + seed, n=60, mean=60, rho=0.3, sd=0.05)).effect("cumulative_realised")
        held.append(row["conf_low"] <= 0 <= row["conf_high"])
    assert 0.9 <= np.mean(held) <= 1.0


@pytest.mark.parametrize(("mean", "rho", "least"), [(200, 0.8, 0.85), (20, 0.3, 0.9)])
def test_the_interval_covers_the_truth_as_often_as_it_says(mean: float, rho: float, least: float) -> None:
    """With 100 draws of 48 months two sd are 0.044 at 0.95 and 0.058 at 0.91."""
    held = []
    for seed in range(100):
        table, truth = count_series(
            np.random.default_rng(seed), n=48, mean=mean, rho=rho, level=-0.1, slope=-0.004
        )
        found = ITS.fit(Series(table, start=table["period"][29]))
        terms = ("log_level_change", "log_slope_change", "log_average")
        rows = [found.effect(term) for term in terms]
        held.append([r["conf_low"] <= truth[r["term"]] <= r["conf_high"] for r in rows])
    assert (np.mean(held, axis=0) >= least).all()


def test_quasi_poisson_is_far_too_sure_where_rates_wander() -> None:
    held = []
    for seed in range(60):
        table, truth = count_series(np.random.default_rng(seed), n=48, mean=200, rho=0.8)
        found = CountITS(outcome="y", errors=QuasiPoisson()).fit(Series(table, start=table["period"][29]))
        row = found.effect("log_average")
        held.append(row["conf_low"] <= truth["log_average"] <= row["conf_high"])
    assert np.mean(held) < 0.8
    assert any("too narrow where rates wander" in text for text in found.warnings)


def test_a_wider_level_widens_every_interval() -> None:
    series = drawn(4)
    widths = [
        np.ptp(CountITS(outcome="y", level=level).fit(series).effects[["conf_low", "conf_high"]], axis=1)
        for level in (0.8, 0.95)
    ]
    assert (widths[0] < widths[1]).all()


def test_the_covariance_has_the_standard_errors_and_one_number_on_several_scales() -> None:
    found = ITS.fit(drawn(8))
    np.testing.assert_allclose(np.sqrt(np.diag(found.cov)), found.effects["std_error"])
    terms = found.effects["term"].tolist()
    a, b = terms.index("average"), terms.index("relative")
    assert found.cov[a, b] == pytest.approx(np.sqrt(found.cov[a, a] * found.cov[b, b]))


# -- what stands beside ----------------------------------------------------------------------------


def test_placebo_dates_see_nothing_of_the_pilot() -> None:
    series = drawn(6, n=80, mean=60)
    found = ITS.fit(series)
    more = series.table.assign(y=series.table["y"] * np.where(series.since >= 0, 3, 1))
    again = ITS.fit(Series(more, start=series.start))
    assert again.extras["placebo_dates"] == found.extras["placebo_dates"]
    rank = again.extras["placebo_rank"]
    assert abs(rank.pop("t")) > max(abs(row["t"]) for row in again.extras["placebo_dates"])
    assert rank == {"p_value": 1 / (1 + rank["starts"]), "starts": 37, "enough": True}


def test_a_placebo_date_weighs_each_month_by_its_mean() -> None:
    """One fake start done the long way: a weighted step and slope beside the columns of the months before."""
    y = np.random.default_rng(1).poisson(np.linspace(5, 400, 60))
    method = CountITS(outcome="y", errors=QuasiPoisson(), season="none", days=False)
    row = method.fit(monthly(y, before=36)).extras["placebo_dates"][4]
    assert row["start"] == "November 2010"
    t, since = np.arange(36), np.arange(36) - 10
    x = np.column_stack([np.ones(36), t])
    series = CountSeries(y=y[:36].astype(float), x=x, offset=np.zeros(36), used=np.ones(36, dtype=bool))
    response, columns = series.working
    root = np.sqrt(series.poisson.mu)
    both = np.column_stack([columns, root * (since >= 0), root * np.maximum(since, 0)])
    level, slope = np.linalg.lstsq(both, response, rcond=None)[0][2:]
    assert row["level_change"] == pytest.approx(y[:36].mean() * np.expm1(level), rel=1e-6)
    assert row["average"] == pytest.approx(y[:36].mean() * np.expm1(level + slope * 12.5), rel=1e-6)


@pytest.mark.parametrize(("errors", "fitted"), [(Mixture(), 1), (QuasiPoisson(), 0)])
def test_the_residual_check_counts_the_autocorrelation_that_was_fitted(errors: Any, fitted: int) -> None:
    found = CountITS(outcome="y", errors=errors).fit(drawn(2, rho=0.5))
    test = found.extras["ljung_box"]
    assert test["p_value"] == pytest.approx(stats.chi2.sf(test["statistic"], test["lags"] - fitted))
    assert (found.extras["rho"] != 0) == bool(fitted)


def test_a_rhythm_that_no_season_holds_is_told() -> None:
    rng = np.random.default_rng(9)
    y = rng.poisson(300 * np.exp(0.15 * np.cos(np.pi * np.arange(96) / 1.5)))
    found = ITS.fit(monthly(y, before=58))
    assert found.extras["ljung_box"]["p_value"] < 0.001
    assert any("still has a pattern" in text for text in found.warnings)


def said(series: Series, text: str, **fields: Any) -> bool:
    return any(text in warning for warning in CountITS(outcome="y", **fields).fit(series).warnings)


def test_what_cannot_be_learned_is_said() -> None:
    assert said(
        drawn(1, n=36), "variation that persists cannot be learned from 36 months; the range averages"
    )
    assert said(drawn(1, n=36), "takes all of it to persist alike", errors=WeightedReml())
    assert not said(drawn(1, n=48), "cannot be learned")
    strong = next(s for s in (drawn(seed, mean=500, rho=0.9, sd=0.2) for seed in range(20)))
    assert said(strong, "a nominal 95% covered 91% to 98%")
    assert not said(drawn(1, mean=5, rho=0.0), "a nominal 95% covered 91% to 98%")


def test_counts_too_even_for_chance_are_told() -> None:
    y = np.round(200 + np.random.default_rng(1).normal(0, 4, 60))
    assert said(monthly(y, before=36), "vary less than chance alone")


def test_a_range_far_beyond_what_was_seen_is_told() -> None:
    y = np.random.default_rng(2).poisson(20 * np.exp(0.05 * np.arange(60)))
    assert said(monthly(y, before=24), "lies far from all that was seen")


def test_the_answer_is_shown_under_each_way_of_treating_covid_and_the_trend() -> None:
    rng = np.random.default_rng(3)
    y = rng.poisson(np.where((np.arange(84) >= 26) & (np.arange(84) < 42), 60, 100))
    series = monthly(y, before=60, first="2018-01")
    found = CountITS(outcome="y", covid="drop").fit(series)
    rows = {row["covid"]: row for row in found.extras["covid_choices"]}
    assert rows["drop"]["chosen"] and rows["drop"]["estimate"] == pytest.approx(told(found, "average"))
    other = CountITS(outcome="y", covid="dummy").fit(series)
    assert rows["dummy"]["estimate"] == pytest.approx(told(other, "average"))
    trends = {row["trend"]: row for row in found.extras["trend_choices"]}
    level = CountITS(outcome="y", covid="drop", trend="none").fit(series)
    assert trends["none"]["conf_low"] == pytest.approx(told(level, "average", "conf_low")[0])


# -- refusals --------------------------------------------------------------------------------------


def refusal(series: Series, outcome: str = "y", **fields: Any) -> str:
    method = CountITS(outcome=outcome, **fields)
    assert any(finding.level == "refuse" for finding in method.check_design(series))
    with pytest.raises(DesignError) as error:
        method.fit(series)
    return str(error.value)


def test_what_is_no_count_is_refused() -> None:
    rng = np.random.default_rng(1)
    assert "no counts (below 0, or not whole)" in refusal(monthly(rng.normal(50, 5, 60), before=36))
    assert "no counts" in refusal(monthly(np.r_[-1, rng.poisson(9, 59)], before=36))
    rated = monthly(rng.poisson(50, 60), before=36, people=np.full(60, 1000.0)).with_rate(
        "y", per=100, name="rate"
    )
    assert "Give the count itself, y" in refusal(rated, outcome="rate")


def test_no_events_on_a_side_are_refused_with_the_way_out() -> None:
    rng = np.random.default_rng(1)
    text = refusal(monthly(np.r_[rng.poisson(3, 36), np.zeros(24)], before=36))
    assert "no y at all in the 24 months with the pilot" in text.lower()
    assert "Report rates as they were seen" in text
    text = refusal(monthly(np.r_[np.zeros(36), rng.poisson(3, 24)], before=36))
    assert "36 months before the start" in text


def test_a_log_that_has_no_value_is_refused() -> None:
    """All events lie in one month of the year, so the others have a mean next to nothing."""
    y = np.where(np.arange(72) % 12 == 0, 40, 0)
    y[12::12] += 3
    text = refusal(monthly(y, before=36), season="month")
    assert "No ratio can be fitted" in text and "no log of nothing" in text and "longer periods" in text


def test_few_events_are_told() -> None:
    y = np.zeros(60)
    y[[3, 14, 25, 30, 33, 40, 52]] = 1
    assert said(monthly(y, before=36), "under 5 a ratio says next to nothing", season="none", shape="level")


def few(seed: int, seen: float = 0.3) -> Series:
    """About four events a month for 28 months, and next to none in the 20 after them."""
    rng = np.random.default_rng(seed)
    return monthly(rng.poisson(np.where(np.arange(48) < 28, 4, seen)), before=28)


def test_few_events_with_the_pilot_do_not_make_the_total_boundless() -> None:
    """The ratio of some 80 expected to 6 seen may be anything; what was expected may not."""
    for seed in (1, 2, 3):
        found = ITS.fit(few(seed))
        seen = found.counterfactual["observed"][28:].sum()
        total, log, realised = (
            found.effect(term) for term in ("cumulative", "log_average", "cumulative_realised")
        )
        assert seen < 30
        by_ratio = seen * (1 - np.exp(-log["conf_low"]))
        assert by_ratio < 1.3 * total["conf_low"] < total["estimate"] < 0
        assert total["conf_low"] == pytest.approx(realised["conf_low"], rel=0.35)
        assert total["conf_high"] == pytest.approx(seen * (1 - np.exp(-log["conf_high"])))
        average = found.effect("average")
        assert average["conf_low"] == pytest.approx(total["conf_low"] / 20)
        assert average["std_error"] == pytest.approx(total["std_error"] / 20)
        assert total["std_error"] < seen * np.exp(-log["estimate"]) * log["std_error"]
        assert any("under 30" in text and "held to" in text for text in found.warnings)
    line = next(row for row in found.extras["trend_choices"] if row["trend"] == "linear")
    assert line["conf_low"] == pytest.approx(average["conf_low"])


def test_few_events_before_are_told_too() -> None:
    rng = np.random.default_rng(3)
    y = rng.poisson(np.where(np.arange(48) < 28, 0.7, 4))
    assert said(monthly(y, before=28), "under 30 hardly say what was expected", season="none", shape="level")


def test_a_total_of_few_events_holds_the_truth_as_often_as_it_says() -> None:
    """Mean 112 events before the start, 15 after, 80 expected: 60 draws."""
    held = []
    for seed in range(60):
        row = CountITS(outcome="y", season="none", days=False).brief(few(seed, 0.75)).effect("cumulative")
        held.append(row["conf_low"] <= -65 <= row["conf_high"])
    assert np.mean(held) >= 0.9


@pytest.mark.parametrize(
    "fields", [{"shape": "ramp", "phase_in": 3}, {"shape": "level-slope", "phase_in": 3, "phase": "ramp"}]
)
def test_the_level_change_of_a_ramp_is_the_whole_level(fields: dict[str, Any]) -> None:
    y = np.where(np.arange(60) >= 36, 160, 200) + np.arange(60) % 3
    found = CountITS(outcome="y", season="none", days=False, **fields).fit(monthly(y, before=36))
    d, level = (found.effect(term) for term in ("log_level_change", "level_change"))
    without = found.counterfactual["expected"][39]
    for ours, log in (("estimate", "estimate"), ("conf_low", "conf_low"), ("conf_high", "conf_high")):
        share = 1 - np.exp(-d[log])
        assert level[ours] == pytest.approx(without * np.exp(d["estimate"]) * share)
    assert level["p_value"] == pytest.approx(d["p_value"])


def test_even_counts_have_no_negative_binomial_and_are_told_what_has() -> None:
    y = np.round(200 + np.random.default_rng(1).normal(0, 4, 60))
    with pytest.raises(DesignError, match=r"no more than Poisson counts.*QuasiPoisson"):
        CountITS(outcome="y", errors=NegativeBinomial()).fit(monthly(y, before=36))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"errors": "poisson"}, "errors must be Mixture"),
        ({"calendar": ("days",)}, "by which months already count"),
        ({"season": "weekly"}, "choose one of"),
    ],
)
def test_choices_that_do_not_exist_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        CountITS(outcome="y", **fields)


def test_errors_are_chosen_by_name_in_a_study_file() -> None:
    made = build("count-its", {"errors": "quasipoisson", "days": False}, outcome="y")
    assert made == CountITS(outcome="y", errors=QuasiPoisson(), days=False)
    assert made.fit(drawn(2)).spec["errors"] == {"kind": "QuasiPoisson"}
