"""A series worked by hand, R's numbers, planted truth, and the refusals that save a wrong answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.conftest import golden
from ucimpact.data.series import Series
from ucimpact.data.simulate import gaussian_series
from ucimpact.errors import DesignError
from ucimpact.inference.timeseries import Ols, Reml
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.its_ranges import Ranges
from ucimpact.methods.structural import StructuralTimeSeries

ITS = InterruptedTimeSeries(outcome="y")


def months(first: str, n: int) -> np.ndarray:
    return np.asarray(pd.period_range(first, periods=n, freq="M").astype(str), dtype=object)


def monthly(y: Any, *, before: int, first: str = "2010-01", **columns: Any) -> Series:
    y = np.asarray(y, dtype=float)
    table = pd.DataFrame({"period": months(first, len(y)), "y": y, **columns})
    population = "residents" if "residents" in columns else None
    return Series(table, start=table["period"][before], population=population)


def drawn(seed: int, n: int = 60, rho: float = 0.3, **effects: float) -> Series:
    table = gaussian_series(np.random.default_rng(seed), n=n, rho=rho, **effects)
    return Series(table, start=table["period"][round(0.6 * n)])


def straight(n: int = 40, before: int = 25, level: float = -5.0, slope: float = -0.5) -> np.ndarray:
    since = np.arange(n) - before
    wave = 3 * np.cos(2 * np.pi * since / 12)
    return 100 + 0.4 * since + wave + np.where(since >= 0, level + slope * since, 0.0)


def estimates(found: Any) -> dict[str, float]:
    """The effects by term, without those at single periods."""
    rows = found.effects[found.effects["term"] != "effect_at"]
    return dict(zip(rows["term"], rows["estimate"], strict=True))


# -- by hand ---------------------------------------------------------------------------------------


def test_by_hand() -> None:
    """Fifteen months after: -5 in the first and half a unit more each month; the last is -12."""
    found = ITS.fit(monthly(straight(), before=25))
    expected = 100 + 0.4 * np.arange(15) + 3 * np.cos(2 * np.pi * np.arange(15) / 12)
    assert estimates(found) == pytest.approx(
        {
            "average": (-5 - 12) / 2,
            "level_change": -5,
            "slope_change": -0.5,
            "cumulative": -8.5 * 15,
            "relative": -8.5 / expected.mean(),
            "cumulative_realised": -8.5 * 15,
        }
    )
    later = found.effects[found.effects["term"] == "effect_at"]
    assert dict(zip(later["event_time"], later["estimate"], strict=True)) == pytest.approx(
        {5: -5 - 0.5 * 5, 11: -5 - 0.5 * 11, 14: -5 - 0.5 * 14}
    )
    assert found.effects["term"].iloc[0] == found.headline["term"] == "average"
    frame = found.counterfactual
    np.testing.assert_allclose(frame["expected"][frame["since"] >= 0], expected)
    np.testing.assert_allclose(frame["expected"][:25], frame["observed"][:25])


def test_the_phase_in_is_left_out_and_the_level_is_that_of_the_first_month_after_it() -> None:
    y = straight()
    y[25:28] += [40, -70, 15]
    series = monthly(y, before=25)
    found = InterruptedTimeSeries(outcome="y", phase_in=3).fit(series)
    assert estimates(found)["level_change"] == pytest.approx(-5 - 3 * 0.5)
    assert estimates(found)["slope_change"] == pytest.approx(-0.5)
    assert estimates(found)["average"] == pytest.approx(np.mean(-5 - 0.5 * np.arange(3, 15)))
    assert estimates(found)["cumulative"] == pytest.approx(12 * estimates(found)["average"])
    assert found.counts["left_out"] == [{"n": 3, "reason": "phase-in: the first 3 months from the start"}]
    assert found.extras["after"] == 12
    assert found.counterfactual["since"][25] == 0


def test_the_total_of_a_rate_is_a_number_of_events() -> None:
    residents = np.linspace(50_000, 80_000, 40)
    rate = straight()
    series = monthly(rate, before=25, residents=residents)
    days = np.array([series.frequency.length(int(o)) for o in series.ordinals])
    people = residents * days  # February counts for 28 days, March for 31
    series = monthly(rate, before=25, residents=residents, events=rate * people / 1000)
    series = series.with_rate("events", per=1000, name="rate")
    found = InterruptedTimeSeries(outcome="rate").fit(series)
    effect = -5 - 0.5 * np.arange(15)
    assert estimates(found)["cumulative"] == pytest.approx(np.sum(effect * people[25:] / 1000))
    assert estimates(found)["cumulative_realised"] == pytest.approx(np.sum(effect * people[25:] / 1000))
    assert estimates(found)["average"] == pytest.approx(effect.mean())


def test_without_a_trend_the_level_from_before_goes_on() -> None:
    y = np.r_[np.tile([9.0, 11.0], 10), np.tile([4.0, 6.0], 5)]
    found = InterruptedTimeSeries(outcome="y", trend="none", season="none").fit(monthly(y, before=20))
    expected = found.counterfactual["expected"]
    assert np.ptp(expected) == pytest.approx(0, abs=1e-9)
    assert estimates(found)["average"] == pytest.approx(-5, abs=0.6)


# -- R ---------------------------------------------------------------------------------------------


def simulated(reference: Path) -> Series:
    d = pd.read_csv(reference / "sim_its_monthly.csv")
    return monthly(d["rate"], before=48)


def coefficients(found: Any) -> dict[str, tuple[float, float]]:
    return {row["name"]: (row["estimate"], row["std_error_reml"]) for row in found.extras["coefficients"]}


@pytest.mark.parametrize(("errors", "case"), [(Reml(), "gls_ar1"), (Ols(), "ols")])
def test_dates_and_choices_make_the_regression_of_r(reference: Path, errors: Any, case: str) -> None:
    """Both count 0 in the first month after; R's SEs take rho as known."""
    values = golden(reference / "sim_its_monthly.json")[case]
    found = coefficients(InterruptedTimeSeries(outcome="y", errors=errors).fit(simulated(reference)))
    names = {"slope before": "time", "level change": "post", "slope change": "time_since"}
    for ours, theirs in names.items():
        wanted = (values["estimate"][theirs], values["se"][theirs])
        assert found[ours] == pytest.approx(wanted, rel=1e-5), ours


def test_sicily(shared: Path) -> None:
    """R counts 1 in the first month after the ban, so its level is ours less one change of slope."""
    d = pd.read_csv(shared / "reference/data/sicily.csv")
    series = monthly(d["aces"] / d["stdpop"] * 1e5, before=36, first="2002-01")
    values = golden(shared / "reference/golden/sicily_its.json")["gls_ar1_reml"]
    found = InterruptedTimeSeries(outcome="y", season="none").fit(series)
    ours = estimates(found)
    assert ours["level_change"] - ours["slope_change"] == pytest.approx(
        values["estimate"]["smokban"], rel=1e-5
    )
    assert coefficients(found)["level change"] == pytest.approx((-23.889961, 9.553878), rel=1e-6)
    assert found.extras["rho"] == pytest.approx(values["phi"], rel=1e-6)
    assert found.extras["df"]["level_change"] == pytest.approx(16.8, abs=0.05)
    assert found.extras["route"]["average"] == "second-order"


# -- what must hold --------------------------------------------------------------------------------


def test_a_months_own_noise_does_not_matter_where_covid_is_dropped() -> None:
    """The months count for nothing: not in rho, an estimate, a limit, or the residual check."""
    rng = np.random.default_rng(5)
    y = 100 + rng.normal(0, 3, 72)
    covid = slice(26, 42)  # March 2020 is month 26 from January 2018
    other = y.copy()
    other[covid] = rng.normal(40, 50, 16)
    drop = InterruptedTimeSeries(outcome="y", covid="drop")
    first = drop.fit(monthly(y, before=50, first="2018-01"))
    second = drop.fit(monthly(other, before=50, first="2018-01"))
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        np.testing.assert_allclose(second.effects[column], first.effects[column], rtol=1e-6)
    assert second.extras["rho"] == pytest.approx(first.extras["rho"], rel=1e-6)
    assert second.extras["ljung_box"] == pytest.approx(first.extras["ljung_box"], rel=1e-6)
    assert first.counts["left_out"] == [{"n": 16, "reason": "March 2020 to June 2021"}]
    assert (first.extras["before"], first.extras["after"]) == (34, 22)
    assert first.extras["residuals"][26] is None


def test_dropped_months_do_not_help_to_know_the_season() -> None:
    drop = InterruptedTimeSeries(outcome="y", covid="drop")
    enough = drop.fit(monthly(noisy(70), before=50, first="2018-01")).extras["season"]
    short = drop.fit(monthly(noisy(70), before=39, first="2018-12")).extras["season"]
    assert (enough["name"], short["name"]) == ("fourier-2", "none")
    assert "23 months before the start" in short["why"]


def test_a_level_or_a_segment_of_their_own_takes_up_the_covid_months() -> None:
    since = np.arange(72) - 50
    y = 100 + 0.2 * since + np.where(since >= 0, -4.0, 0.0)
    y[26:42] += -30
    series = monthly(y, before=50, first="2018-01")
    dummy = InterruptedTimeSeries(outcome="y", covid="dummy").fit(series)
    assert estimates(dummy)["average"] == pytest.approx(-4)
    assert coefficients(dummy)["COVID level"][0] == pytest.approx(-30)
    y[26:42] += 2.0 * np.arange(16)
    segment = InterruptedTimeSeries(outcome="y", covid="segment").fit(monthly(y, before=50, first="2018-01"))
    assert estimates(segment)["average"] == pytest.approx(-4)
    assert coefficients(segment)["COVID slope"][0] == pytest.approx(2)
    nothing = InterruptedTimeSeries(outcome="y", covid="none").fit(series)
    assert abs(estimates(nothing)["average"] + 4) > 0.5
    assert any("like any other time" in text for text in nothing.warnings)


def test_a_month_without_a_value_is_counted_and_changes_nothing_else() -> None:
    y = straight(60, 36)
    y[[4, 50]] = np.nan
    found = ITS.fit(monthly(y, before=36))
    assert estimates(found)["level_change"] == pytest.approx(-5)
    assert found.counts["left_out"] == [{"n": 2, "reason": "no value of y"}]
    assert np.isnan(found.counterfactual["observed"][4])
    whole = ITS.fit(monthly(straight(60, 36), before=36))
    np.testing.assert_allclose(found.counterfactual["expected"], whole.counterfactual["expected"])


def test_the_relative_interval_is_fiellers_where_errors_are_independent() -> None:
    series = drawn(3)
    found = InterruptedTimeSeries(outcome="y", errors=Ols()).fit(series)
    design = InterruptedTimeSeries(outcome="y", errors=Ols()).design(series)
    fit = Ols().of(design.y, design.x)
    a, e = design.contrasts()["average"], design.expected_average()
    t2 = stats.t.ppf(0.975, fit.residual_df) ** 2
    top, bottom = a @ fit.coef, e @ fit.coef
    # Roots of (top - theta bottom)^2 = t2 var(top - theta bottom).
    roots = np.roots(
        [
            bottom**2 - t2 * e @ fit.cov @ e,
            -2 * (top * bottom - t2 * a @ fit.cov @ e),
            top**2 - t2 * a @ fit.cov @ a,
        ]
    )
    row = found.effect("relative")
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((roots.min(), roots.max()), rel=1e-6)
    assert row["estimate"] == pytest.approx(top / bottom)


def test_per_cent_leaves_out_0_exactly_when_the_average_does() -> None:
    seen = set()
    for seed in range(60):
        found = drawn(seed, n=24 if seed % 2 else 48, rho=0.5, level_change=-1.5)
        average, relative = (ITS.fit(found).effect(term) for term in ("average", "relative"))
        off = [not row["conf_low"] <= 0 <= row["conf_high"] for row in (average, relative)]
        assert off[0] == off[1] == (average["p_value"] < 0.05)
        assert relative["p_value"] == pytest.approx(average["p_value"], rel=1e-6)
        seen.add(off[0])
    assert seen == {True, False}


def test_no_per_cent_of_an_expected_value_that_may_be_0() -> None:
    table = drawn(2).table
    found = ITS.fit(monthly(table["y"] - table["y"][36:].mean(), before=36))
    assert np.isnan(found.effect("relative")["estimate"])
    assert any("cannot be told from 0" in text for text in found.warnings)


def test_the_rows_of_a_t_interval_hang_together() -> None:
    found = ITS.fit(drawn(11, rho=0.2))
    for row in found.effects.iloc[:4].itertuples():
        if found.extras["route"][row.term] == "kenward-roger":
            half = stats.t.ppf(0.975, row.df) * row.std_error
            assert (row.conf_low, row.conf_high) == pytest.approx((row.estimate - half, row.estimate + half))
            assert row.p_value == pytest.approx(2 * stats.t.sf(abs(row.statistic), row.df))
            assert row.df == pytest.approx(found.extras["df"][row.term])
    np.testing.assert_allclose(np.sqrt(np.diag(found.cov)), found.effects["std_error"], rtol=1e-9)
    correlation = found.cov[0, 3] / np.sqrt(found.cov[0, 0] * found.cov[3, 3])
    assert correlation == pytest.approx(1)


def test_the_band_lies_about_what_was_expected_and_widens_as_it_is_carried_forward() -> None:
    series = drawn(12, n=60, level_change=-8.0)
    frame = ITS.fit(series).counterfactual
    assert ((frame["low"] < frame["expected"]) & (frame["expected"] < frame["high"])).all()
    width = (frame["high"] - frame["low"]).to_numpy()
    assert width[-1] > 2 * width[18]
    assert (frame["observed"][36:] < frame["low"][36:]).mean() > 0.5


def test_a_wider_level_widens_every_interval() -> None:
    series = drawn(4, n=24, rho=0.6)
    widths = [
        np.ptp(
            InterruptedTimeSeries(outcome="y", level=level).fit(series).effects[["conf_low", "conf_high"]],
            axis=1,
        )
        for level in (0.8, 0.95, 0.99)
    ]
    assert (widths[0] < widths[1]).all() and (widths[1] < widths[2]).all()


# -- which interval --------------------------------------------------------------------------------


def test_few_degrees_of_freedom_lead_to_the_average_over_rho_and_are_told() -> None:
    found = next(
        fit
        for fit in (ITS.fit(drawn(seed, n=24, rho=0.7)) for seed in range(20))
        if fit.extras["route"]["average"] == "rho-averaged"
    )
    row = found.effect("average")
    assert found.extras["df"]["average"] < 5 and np.isnan(row["df"])
    assert row["std_error"] == pytest.approx((row["conf_high"] - row["conf_low"]) / 2 / 1.959964, rel=1e-5)
    assert "averaged over the autocorrelation" in found.draws_from
    assert any("the average effect" in text and "averages over it" in text for text in found.warnings)


def test_a_pattern_left_over_is_told() -> None:
    rng = np.random.default_rng(3)
    noise = rng.standard_normal(146)
    for t in range(3, 146):
        noise[t] += 0.1 * noise[t - 1] + 0.6 * noise[t - 3]
    found = ITS.fit(monthly(100 + noise[50:], before=58))
    assert found.extras["ljung_box"]["p_value"] < 0.05
    assert any("still has a pattern from month to month" in text for text in found.warnings)


def test_errors_that_remember_two_months_widen_the_interval() -> None:
    """With errors that truly do, the interval is wider than that of an AR(1) in most series."""
    rng, wider = np.random.default_rng(4), []
    for _ in range(12):
        noise = rng.standard_normal(146)
        for t in range(2, 146):
            noise[t] += 0.2 * noise[t - 1] + 0.4 * noise[t - 2]
        found = ITS.fit(monthly(100 + noise[50:], before=58))
        row, as_ar1 = found.effect("average"), found.extras["as_ar1"]["average"]
        wider.append(row["conf_high"] - row["conf_low"] > 1.1 * (as_ar1["conf_high"] - as_ar1["conf_low"]))
    assert sum(wider) > 8
    assert "the last two periods" in found.draws_from


def test_two_periods_are_allowed_for_from_36_months_only() -> None:
    long, short = ITS.fit(drawn(1, n=36)), ITS.fit(drawn(1, n=35))
    assert set(long.extras["route"].values()) == {"second-order"}
    assert long.extras["as_ar1"].keys() == long.extras["route"].keys()
    assert "second-order" not in short.extras["route"].values()
    assert short.extras["as_ar1"] == {}


def test_the_interval_of_an_ar1_stands_beside() -> None:
    design = ITS.design(series := drawn(2, n=60))
    fit, contrasts = Reml().of(design.y, design.x), design.contrasts()
    beside = ITS.fit(series).extras["as_ar1"]
    for term in ("level_change", "slope_change"):
        wanted = fit.procedure(contrasts[term]).limits(contrasts[term], 0.95)[0]
        assert tuple(beside[term].values()) == pytest.approx(tuple(wanted))


def ranges_of(series: Series) -> tuple[Ranges, dict[str, np.ndarray]]:
    design = ITS.design(series)
    contrasts = design.contrasts()
    fit = Reml().of(design.y, design.x)
    return Ranges.of(fit, contrasts["average"], used=int(design.used.sum()), level=0.95), contrasts


def test_the_average_decides_for_the_total_whatever_its_weights() -> None:
    for seed in range(20):
        ranges, contrasts = ranges_of(drawn(seed, n=24, rho=0.6))
        level = contrasts["level_change"]
        if ranges.route("level_change", level) != ranges.route("average", contrasts["average"]):
            assert ranges.route("cumulative", level) == ranges.route("average", contrasts["average"])
            return
    raise AssertionError("no series tells the two apart")


def test_independent_errors_are_named_as_such() -> None:
    found = InterruptedTimeSeries(outcome="y", errors=Ols()).fit(drawn(1))
    assert set(found.extras["route"].values()) == {"least-squares"}
    assert found.spec["errors"] == {"kind": "Ols"}
    assert "independent errors" in found.draws_from


@pytest.mark.parametrize(("n", "rho", "term"), [(24, 0.6, "level_change"), (48, 0.3, "cumulative")])
def test_the_interval_covers_the_truth_as_often_as_it_says(n: int, rho: float, term: str) -> None:
    after = n - round(0.6 * n)
    truth = {"level_change": -1.0, "cumulative": after * (-1.0 + 0.05 * (after - 1) / 2)}[term]
    held = []
    for seed in range(300):
        row = ITS.fit(drawn(seed, n=n, rho=rho, level_change=-1.0, slope_change=0.05)).effect(term)
        held.append(row["conf_low"] <= truth <= row["conf_high"])
    assert np.mean(held) == pytest.approx(0.95, abs=0.032)  # 300 draws: two and a half sd


# -- placebo dates ---------------------------------------------------------------------------------


def test_placebo_dates_lie_before_the_pilot_and_see_nothing_of_it() -> None:
    series = drawn(6, n=80)
    found = ITS.fit(series)
    rows = found.extras["placebo_dates"]
    assert [rows[0]["start"], rows[-1]["start"]] == ["July 2010", "July 2013"]  # 48 months before
    shifted = series.table.assign(y=series.table["y"] + np.where(series.since >= 0, 500.0, 0.0))
    again = ITS.fit(Series(shifted, start="2014-01"))
    assert again.extras["placebo_dates"] == rows
    ranked = again.extras["placebo_rank"]
    assert ranked.pop("t") > max(abs(row["t"]) for row in rows)
    assert ranked == {"p_value": 1 / (1 + len(rows)), "starts": 37, "enough": True}


def test_few_placebo_dates_are_said_to_be_few() -> None:
    rank = ITS.fit(drawn(6, n=40)).extras["placebo_rank"]
    assert rank["starts"] < 19 and rank["enough"] is False


# -- refusals and warnings -------------------------------------------------------------------------


def refusal(series: Series, **choices: Any) -> str:
    method = InterruptedTimeSeries(outcome="y", **choices)
    assert any(finding.level == "refuse" for finding in method.check_design(series))
    with pytest.raises(DesignError) as error:
        method.fit(series)
    return str(error.value)


def noisy(n: int) -> np.ndarray:
    return 100 + np.random.default_rng(9).normal(0, 5, n)


def test_fewer_than_three_points_on_a_side_are_refused() -> None:
    wanted = "Three periods before and after are the least; there are 18 and 2. Add months"
    assert wanted in refusal(monthly(noisy(20), before=18))
    assert "there are 17 and 2" in refusal(monthly(noisy(20), before=17), phase_in=1)
    assert "there are 2 and 18" in refusal(monthly(noisy(20), before=2))


def test_too_few_points_for_the_terms_are_refused() -> None:
    assert "11 months less 4 terms leave 7" in refusal(monthly(noisy(11), before=6))
    ITS.fit(monthly(noisy(12), before=6))
    text = refusal(monthly(noisy(22), before=16), season="month")
    assert "22 months less 15 terms leave 7" in text and 'season = "none"' in text


def test_covid_without_a_word_is_refused_with_the_choices() -> None:
    text = refusal(monthly(noisy(60), before=30, first="2018-01"))
    assert text.startswith("16 months of March 2020 to June 2021 are inside the series")
    assert all(f'"{choice}"' in text for choice in ("drop", "dummy", "segment", "none"))
    assert "1 month of" in refusal(monthly(noisy(60), before=30, first="2015-04"))
    ITS.fit(monthly(noisy(60), before=30, first="2015-03"))  # ends in February 2020
    ITS.fit(monthly(noisy(60), before=30, first="2021-07"))


def test_a_constant_outcome_is_refused() -> None:
    assert "same value of y" in refusal(monthly(np.full(40, 7.0), before=20))


def test_many_missing_values_or_several_at_the_start_are_refused() -> None:
    y = noisy(40)
    y[[0, 5, 9, 30, 35]] = np.nan
    assert "5 of 40 months (12%) have no value of y" in refusal(monthly(y, before=20))
    y = noisy(40)
    y[[17, 19]] = np.nan
    assert "2 of the 3 months before the start have no value" in refusal(monthly(y, before=20))
    y[[17]] = 100.0
    ITS.fit(monthly(y, before=20))
    y[[20, 22]] = np.nan
    assert "2 of the 3 months that count first after it have no value" in refusal(monthly(y, before=20))
    assert refusal.__name__ and InterruptedTimeSeries(outcome="y", phase_in=3).fit(monthly(y, before=20))


def test_parts_that_cannot_be_told_apart_are_named() -> None:
    text = refusal(monthly(noisy(42), before=26, first="2018-01"), covid="segment", season="none")
    assert "level change, slope change, COVID level, COVID slope" in text


def test_days_are_sent_to_weeks() -> None:
    day = pd.date_range("2022-01-01", periods=60).strftime("%Y-%m-%d")
    series = Series(pd.DataFrame({"period": day, "y": noisy(60)}), start="2022-02-01")
    assert 'Add the days up to weeks, or use the method "structural"' in refusal(series)
    assert not [f for f in StructuralTimeSeries(outcome="y").check_design(series) if "weekly" in f.text]


def test_a_season_that_does_not_fit_is_refused() -> None:
    assert "Choose one of: auto, none, fourier-1, fourier-2, month" in refusal(
        monthly(noisy(60), before=30), season="quarter"
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"season": "harmonic"}, "choose one of: auto, none, fourier-1, fourier-2, month, quarter"),
        ({"trend": "quadratic"}, "choose one of: linear, spline, none"),
        ({"covid": "ignore"}, "choose one of: drop, dummy, segment, none"),
        ({"phase_in": -1}, "phase_in = -1 is below 0"),
        ({"level": 95}, "level = 95 is not between 0 and 1"),
        ({"errors": "newey-west"}, "errors must be Reml"),
    ],
)
def test_choices_that_do_not_exist_are_refused(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message.replace("(", r"\(")):
        InterruptedTimeSeries(outcome="y", **choices)


def warned(series: Series, text: str, **choices: Any) -> bool:
    return any(
        text in warning for warning in InterruptedTimeSeries(outcome="y", **choices).fit(series).warnings
    )


def test_one_winter_before_the_change_is_told() -> None:
    week = pd.date_range("2022-04-07", periods=64, freq="7D").strftime("%Y-%m-%d")
    series = Series(pd.DataFrame({"period": week, "y": noisy(64)}), start="2022-12-15")
    found = ITS.fit(series)
    assert found.extras["season"]["separable"] is False
    assert found.extras["season"]["name"] == "none"
    wanted = "One winter before the change cannot separate season from effect: there are 36 weeks before"
    assert any(wanted in text for text in found.warnings)
    assert warned(series, "The season in the model leans on that winter", season="fourier-1")
    long = ITS.fit(monthly(noisy(60), before=36))
    assert long.extras["season"]["separable"] is True
    assert not any("winter" in text for text in long.warnings)


def test_numbered_periods_are_said_to_have_no_calendar() -> None:
    series = Series(pd.DataFrame({"period": np.arange(1, 41), "y": noisy(40)}), start=25)
    assert "separable" not in ITS.fit(series).extras["season"]
    assert warned(series, "numbered and not dated")


def test_a_change_of_slope_from_under_six_months_is_withheld() -> None:
    found = ITS.fit(monthly(noisy(35), before=30))
    assert "slope_change" not in set(found.effects["term"])
    assert any("no change of slope is given. Wait until there are 6" in text for text in found.warnings)
    assert "slope_change" in set(ITS.fit(monthly(noisy(36), before=30)).effects["term"])


def test_small_counts_are_warned_about_and_small_rates_are_not() -> None:
    counts = np.random.default_rng(1).poisson(12, 60).astype(float)
    assert warned(monthly(counts, before=36), "The mean count of y is")
    assert not warned(monthly(counts + 20, before=36), "The mean count")
    assert not warned(monthly(counts + 0.5, before=36), "The mean count")
    series = monthly(noisy(60), before=36, residents=np.full(60, 4000.0), events=counts)
    series = series.with_rate("events", per=10_000, name="rate")
    assert any(
        "The mean count of rate is" in text
        for text in InterruptedTimeSeries(outcome="rate").fit(series).warnings
    )


@pytest.mark.parametrize(
    ("series", "text"),
    [
        (monthly(noisy(30), before=22), "30 months in all: under 36"),
        (monthly(noisy(44), before=36), "8 months after the start are under a year"),
        (monthly(noisy(60), before=36), "carried forward 24 months"),
        (monthly(noisy(36), before=26), "8 terms are fitted to 36 months, more than one for every 5"),
    ],
)
def test_short_series_are_warned_about(series: Series, text: str) -> None:
    assert warned(series, text)


def test_an_expected_path_far_from_what_was_seen_is_told() -> None:
    falling = np.r_[np.linspace(60, 10, 30), np.full(12, 9.0)] + noisy(42) / 100
    assert warned(monthly(falling, before=30), "falls below 0")
    rising = np.r_[np.linspace(10, 60, 24), np.full(24, 60.0)] + noisy(48) / 100
    assert warned(monthly(rising, before=24), "lies far from all that was seen before the start")
    assert not warned(monthly(noisy(60), before=48), "far from all that was seen")


def test_strong_carry_over_in_a_short_series_is_told() -> None:
    found = [ITS.fit(drawn(seed, n=40, rho=0.95)) for seed in range(8)]
    told = [any("carries over strongly" in text for text in fit.warnings) for fit in found]
    assert told == [fit.extras["rho"] > 0.7 for fit in found]
    assert True in told


def test_a_series_that_wanders_is_told() -> None:
    walk = np.cumsum(np.random.default_rng(11).normal(0, 1, 90))
    found = ITS.fit(monthly(100 + walk, before=60))
    assert found.extras["rho"] > 0.8
    assert any("may wander of its own accord" in text for text in found.warnings)
    assert not any("may wander" in text for text in ITS.fit(drawn(3)).warnings)


def test_warnings_hold_no_word_that_reports_may_not_use() -> None:
    """A selection of WORDS.md section 3 that a method's own sentences could break."""
    import re

    never = (
        r"signific|statistically|\bp ?[=<>]|\bsav(e|ing)|\bprov(e|ed|es)\b|\bnan\b|\bNone\b|works|guarantee"
    )
    for seed in range(6):
        for n in (20, 24, 48):
            for text in ITS.fit(drawn(seed, n=n, rho=0.7)).warnings:
                assert not re.search(never, text), text
                assert not text[0].islower() and text.endswith(".") and ".." not in text
