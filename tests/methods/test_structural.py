"""R's recorded output, planted effects, choices that mean nothing here, and what a control must be."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.ar1_series import ar1
from tests.conftest import golden
from ucimpact.data.series import Series
from ucimpact.data.simulate_controls import SeriesWithControls
from ucimpact.errors import DataError, DesignError
from ucimpact.estimate import Estimate
from ucimpact.inference.convergence import effective_size, split_r_hat
from ucimpact.methods.series_changes import Change
from ucimpact.methods.series_choices import SeriesChoices
from ucimpact.methods.structural import UNUSED, StructuralTimeSeries

X = ("x1", "x2", "x3")
FEW: dict[str, Any] = {"draws": 600, "burn": 150}


def table(
    n: int = 60, *, effect: float = -10.0, before: int = 40, seed: int = 1, **columns: Any
) -> pd.DataFrame:
    """Periods 1 to n: an outcome that is twice x1 and little noise, x2 beside it that is not in it."""
    rng = np.random.default_rng(seed)
    x = 50 + rng.standard_normal((n, 2)).cumsum(axis=0)
    y = 100 + 2 * x[:, 0] + 0.5 * rng.standard_normal(n) + np.where(np.arange(n) >= before, effect, 0)
    return pd.DataFrame({"period": np.arange(1, n + 1), "y": y, "x1": x[:, 0], "x2": x[:, 1], **columns})


def fit(data: pd.DataFrame, *, start: Any = 41, series: Any = None, **choices: Any) -> Estimate:
    choices = {"controls": ("x1", "x2"), **FEW, **choices}
    return StructuralTimeSeries(outcome="y", **choices).fit(Series(data, start=start, **(series or {})))


# -- R -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def google(shared: Path) -> tuple[Estimate, dict[str, Any]]:
    data = pd.read_csv(shared / "reference" / "data" / "ci_google.csv").rename(columns={"date": "period"})
    series = Series(data, start=data["period"][61])
    method = StructuralTimeSeries(outcome="y", controls=("x1", "x2"), season="none", covid="none")
    return method.fit(series), golden(shared / "reference" / "golden" / "ci_google.json")["google"]


def test_effects_are_those_that_r_recorded(google: tuple[Estimate, dict[str, Any]]) -> None:
    """CausalImpact's own defaults. R draws 1,000 times, so its ends move by some 3% with the seed."""
    found, r = google
    for term in ("average", "cumulative", "relative"):
        row = found.effect(term)
        printed = 0.03 if term != "average" else 0.03 + 0.5 / 27  # whole numbers
        assert row["estimate"] == pytest.approx(r[f"effect_{term}"], rel=printed)
        ends = [row["conf_low"], row["conf_high"]]
        assert ends == pytest.approx(r[f"effect_{term}_95"], rel=0.08)
    total = found.effect("cumulative")
    assert total["std_error"] == pytest.approx(r["effect_cumulative_sd"], rel=0.05)
    assert found.extras["observed_total"] == r["actual_cumulative"]
    assert found.extras["expected_total"] == pytest.approx(r["predicted_cumulative"], rel=0.01)
    predicted = [found.extras["observed_total"] - total[end] for end in ("conf_high", "conf_low")]
    assert predicted == pytest.approx(r["predicted_cumulative_95"], rel=0.02)
    older = found.extras["relative_to_mean"]
    assert [older["low"], older["high"]] == pytest.approx(r["effect_relative_95"], rel=0.08)
    assert found.extras["tail_area"] < 0.002  # R prints 0.001, of 1,000 draws


def test_an_arma_series_has_the_effect_that_r_recorded() -> None:
    """R's ends come from some 1,000 draws, so they have a standard error of 0.08 of its s.d. each."""
    rng, n = np.random.RandomState(12345), 100
    x = np.zeros(n)
    for t, shock in enumerate(rng.normal(size=n)):
        x[t] = shock - 0.9 * x[t - 1]
    y = 1.2 * (100 + x) + rng.normal(size=n) + np.where(np.arange(n) >= 70, 1.0, 0.0)
    found = fit(
        pd.DataFrame({"period": np.arange(1, n + 1), "y": y, "x": 100 + x}),
        start=71, controls=("x",), draws=5000, burn=500,
    )  # fmt: skip
    total = found.effect("cumulative")
    assert round(found.extras["observed_total"]) == 3637
    assert total["estimate"] == pytest.approx(26.67, rel=0.03)
    assert total["std_error"] == pytest.approx(9.1, rel=0.05)
    assert [total["conf_low"], total["conf_high"]] == pytest.approx([7.99, 44.4], abs=0.2 * 9.1)
    share = found.effect("relative")
    assert share["estimate"] == pytest.approx(0.0074, abs=0.0003)
    assert [share["conf_low"], share["conf_high"]] == pytest.approx([0.0022, 0.012], abs=0.0006)


def test_a_pattern_of_the_week_hardly_moves_it(google: tuple[Estimate, dict[str, Any]], shared: Path) -> None:
    data = pd.read_csv(shared / "reference" / "data" / "ci_google.csv").rename(columns={"date": "period"})
    method = StructuralTimeSeries(outcome="y", controls=("x1", "x2"), covid="none", **FEW)
    found = method.fit(Series(data, start=data["period"][61]))
    assert found.extras["season"]["name"] == "pattern of 7 days"
    assert found.effect("cumulative")["estimate"] == pytest.approx(google[1]["effect_cumulative"], rel=0.05)


# -- planted -----------------------------------------------------------------------------------------


def test_a_planted_effect_is_found_and_its_control_chosen() -> None:
    found = fit(table(), expected_model_size=1.0)
    assert found.effect("average")["estimate"] == pytest.approx(-10, abs=0.6)
    chance = {row["name"]: row["probability"] for row in found.extras["inclusion"]}
    assert chance["x1"] > 0.99 and chance["x2"] < 0.6
    coefficient = found.extras["inclusion"][0]["coefficient"]
    assert coefficient == pytest.approx(2, abs=0.25)


def test_effects_are_one_effect_on_several_scales() -> None:
    data = table()
    found = fit(data)
    average, total = found.effect("average"), found.effect("cumulative")
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        assert total[name] == pytest.approx(20 * average[name])
        assert found.effect("cumulative_realised")[name] == total[name]
    expected = data["y"][40:].mean() - average["estimate"]
    share = found.effect("relative")
    assert share["estimate"] == pytest.approx(average["estimate"] / expected)
    low = data["y"][40:].mean() / (data["y"][40:].mean() - average["conf_low"]) - 1
    assert share["conf_low"] == pytest.approx(low, rel=1e-3)
    assert found.cov is not None
    np.testing.assert_allclose(np.sqrt(np.diag(found.cov)), found.effects["std_error"])
    last = found.effects[found.effects["term"] == "effect_at"].iloc[-1]
    path = found.counterfactual
    assert path is not None
    assert last["event_time"] == 19
    assert last["estimate"] == pytest.approx((path["observed"] - path["expected"]).iloc[-1])
    assert path["observed"].iloc[-1] - path["high"].iloc[-1] == pytest.approx(last["conf_low"])


@pytest.mark.parametrize("effect", [-10.0, -0.3, 0.0])
def test_the_interval_leaves_out_0_where_the_p_value_is_small(effect: float) -> None:
    row = fit(table(effect=effect), draws=2000).effect("average")
    outside = not row["conf_low"] <= 0 <= row["conf_high"]
    assert outside == (row["p_value"] < 0.05)
    assert row["p_value"] >= 2 / 2001


def test_chance_comes_from_the_seed_alone() -> None:
    data = table()
    one, same, other = (fit(data, seed=seed).effect("average") for seed in (3, 3, 4))
    names = ["estimate", "std_error", "conf_low", "conf_high"]
    assert [one[name] for name in names] == [same[name] for name in names]
    assert one["estimate"] != other["estimate"]
    assert one["estimate"] == pytest.approx(other["estimate"], abs=0.2)


def test_dated_periods_give_half_a_year_and_a_year() -> None:
    data = table()
    data["period"] = pd.period_range("2012-01", periods=60, freq="M").astype(str)
    found = fit(data, start="2015-05").effects
    assert found.loc[found["term"] == "effect_at", "event_time"].tolist() == [5, 11, 19]


def test_periods_without_a_value_are_bridged_and_left_out_of_the_total() -> None:
    data = table()
    whole = fit(data)
    data.loc[[4, 5, 20, 50], "y"] = np.nan
    found = fit(data)
    assert found.extras["noise_sd"] == pytest.approx(whole.extras["noise_sd"], rel=0.1)
    assert found.counts["left_out"] == [{"n": 4, "reason": "no value of y"}]
    assert found.effect("average")["estimate"] == pytest.approx(-10, abs=0.6)
    assert found.effect("cumulative")["estimate"] == pytest.approx(19 * found.effect("average")["estimate"])
    assert found.counterfactual is not None
    assert np.isfinite(found.counterfactual[["expected", "low", "high"]]).all(axis=None)


def test_a_phase_in_is_left_out_of_every_effect() -> None:
    data = table()
    data.loc[40:43, "y"] += 500
    found = fit(data, phase_in=4)
    assert found.effect("average")["estimate"] == pytest.approx(-10, abs=0.6)
    assert found.extras["after"] == 16


def test_a_rate_is_summed_as_events() -> None:
    data = table(residents=np.linspace(1000, 3000, 60))
    data["count"] = data["y"] * data["residents"] / 1000
    series = Series(data, start=41, population="residents").with_rate("count", per=1000, name="rate")
    found = StructuralTimeSeries(outcome="rate", controls=("x1", "x2"), **FEW).fit(series)
    people = data["residents"][40:].sum() / 1000
    assert found.effect("average")["estimate"] == pytest.approx(-10, abs=0.6)
    assert found.effect("cumulative")["estimate"] == pytest.approx(-10 * people, rel=0.08)


def test_what_is_adjusted_for_stays_in() -> None:
    strikes = np.zeros(60)
    strikes[[7, 19, 30, 44, 52, 57]] = 1
    data = table(strikes=strikes)
    data["y"] -= 60 * strikes
    found = fit(data, adjust=("strikes",))
    assert found.effect("average")["estimate"] == pytest.approx(-10, abs=0.8)
    row = next(row for row in found.extras["inclusion"] if "strikes" in row["name"])
    assert row["probability"] == 1 and not row["chosen"]
    assert row["coefficient"] == pytest.approx(-60, abs=1.5)


def test_a_pattern_that_repeats_is_taken_out() -> None:
    """Fridays and Saturdays stand 40 above the rest; without the pattern the noise is all of that."""
    data = table(n=70, before=50)
    data["y"] += 40 * np.isin(np.arange(70) % 7, (4, 5))
    without = fit(data, start=51, season_length=1).effect("average")
    with_it = fit(data, start=51, season_length=7).effect("average")
    assert with_it["estimate"] == pytest.approx(-10, abs=1)
    assert with_it["std_error"] < without["std_error"] * 0.6


@pytest.mark.parametrize(
    ("frequency", "season"),
    [("D", "pattern of 7 days"), ("W", "none"), ("M", "fourier-2"), ("Q", "fourier-1")],
)
def test_every_spacing_is_read(frequency: str, season: str) -> None:
    data = table()
    days = pd.period_range("2002-01-01", periods=60, freq=frequency)
    data["period"] = days.start_time.strftime("%Y-%m-%d") if frequency in "DW" else days.astype(str)
    if frequency == "Q":
        data["period"] = [f"{p.year}-Q{p.quarter}" for p in days]
    found = fit(data, start=data["period"][40])
    assert found.extras["season"]["name"] == season
    assert found.effect("average")["estimate"] == pytest.approx(-10, abs=1)


def test_a_season_of_other_years_is_taken_out() -> None:
    data, months = table(), np.tile([1.3, 1.2, 1.0, 0.9, 0.8, 0.9, 0.8, 0.9, 1.0, 1.0, 1.1, 1.1], 5)
    data["y"] += 60 * (months - 1)
    data["period"] = pd.period_range("2012-01", periods=60, freq="M").astype(str)
    plain = fit(data, start="2015-05", season="none").effect("average")
    known = fit(data, start="2015-05", season_profile=tuple(months[:12])).effect("average")
    assert known["estimate"] == pytest.approx(-10, abs=0.8)
    assert known["std_error"] < plain["std_error"]


def test_a_trend_is_carried_forward_where_it_is_asked_for() -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"period": np.arange(80), "y": 100 + 0.8 * np.arange(80) + 0.5 * rng.normal(size=80)})
    level = fit(data, start=60, controls=())
    trend = fit(data, start=60, controls=(), components="trend", level_sd=0.001)
    assert level.effect("average")["estimate"] > 5
    assert abs(trend.effect("average")["estimate"]) < 2


def test_limits_hold_the_truth_and_true_controls_are_chosen() -> None:
    """40 series, ten wandering controls, three of them true; in the docs 300 of each length."""
    made, held, chosen = SeriesWithControls(n=100, explained=0.9), 0, []
    for seed in range(40):
        found = fit(made.draw(seed), start=made.draw(seed)["period"][made.start], season="none",
                    controls=tuple(f"x{j}" for j in range(1, 11)))  # fmt: skip
        row = found.effect("average")
        held += row["conf_low"] <= made.effect <= row["conf_high"]
        chosen.append([entry["probability"] for entry in found.extras["inclusion"]])
    assert 35 <= held <= 40  # 38 expected, standard deviation 1.4
    assert np.mean(chosen, axis=0)[:3].min() > 0.8
    assert np.mean(chosen, axis=0)[3:].max() < 0.2


# -- refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"shape": "level"}, "shape = 'level' does not fit.*take it out"),
        ({"shape": "temporary", "until": 50}, "until = 50 does not fit"),
        ({"changes": (Change(start=10),)}, "changes.*alone are fitted; take it out: choose a window"),
        ({"trend": "none"}, "trend = 'none' does not fit.*components = \"trend\""),
        ({"phase": "ramp", "phase_in": 3}, "phase = 'ramp' does not fit.*phase_in leaves"),
        ({"components": "slope"}, 'components = "slope" is not known.*level, line, trend'),
        ({"season_length": 0}, "season_length = 0 is below 1"),
        ({"season_length": 12, "season": "month"}, "two seasons"),
        ({"season_length": 12, "season_profile": (1.0,) * 12}, "season_profile and.*are two seasons"),
        ({"season_from": ("x2",)}, "shares the season is a control series here; name it in controls"),
        ({"controls": ("x1", "x1")}, "x1 more than once"),
        ({"adjust": ("x1",)}, "x1 stands in controls and in adjust"),
        ({"expected_model_size": 0.0}, "expected_model_size = 0.0 is not above 0"),
        ({"level_sd": 1.5}, "level_sd = 1.5 is not between 0 and 1"),
        ({"draws": 10}, "draws = 10 is below 100"),
        ({"burn": -1}, "burn = -1 is below 0"),
        ({"season": "weekly"}, 'season = "weekly" is not known'),
    ],
)
def test_choices_that_mean_nothing_are_refused_with_the_way_out(choice: dict[str, Any], told: str) -> None:
    with pytest.raises(DesignError, match=told):
        fit(table(), **choice)


def test_every_shared_choice_is_used_or_refused() -> None:
    used = {
        "outcome",
        "season",
        "season_profile",
        "phase_in",
        "calendar",
        "nation",
        "adjust",
        "level",
        "covid",
    }
    assert used | set(UNUSED) == {field.name for field in dataclasses.fields(SeriesChoices)}


def test_a_control_needs_values_that_vary_and_are_not_the_outcome() -> None:
    data = table(flat=np.where(np.arange(60) < 40, 3.0, 4.0), gappy=np.arange(60.0))
    data.loc[[2, 45], "gappy"] = np.nan
    for name, told in (
        ("flat", "flat has the same value in every period before the start"),
        ("gappy", "gappy has no value in 3, 46"),
        ("y", "y is the outcome itself"),
    ):
        with pytest.raises(DesignError, match=told):
            fit(data, controls=(name,))
    with pytest.raises(DataError, match="no such column"):
        fit(data, controls=("elsewhere",))


def test_too_little_before_the_start_is_refused() -> None:
    with pytest.raises(DesignError, match="There are 10 periods before the start, and 12 are the least"):
        fit(table(), start=11)
    with pytest.raises(DesignError, match=r"pattern of 30 periods has to be seen twice.*there are 40"):
        fit(table(), season_length=30)
    later = np.where(np.arange(60) == 50, 1.0, 0.0)
    with pytest.raises(DesignError, match="strikes only varies after the start"):
        fit(table(strikes=later), adjust=("strikes",))


def test_a_window_with_covid_has_to_say_what_is_done() -> None:
    data = table()
    data["period"] = pd.period_range("2017-01", periods=60, freq="M").astype(str)
    with pytest.raises(DesignError, match="June 2021"):
        fit(data, start="2020-05")
    dropped = fit(data, start="2020-05", covid="drop")
    assert dropped.extras["before"] == 38
    assert dropped.effect("average")["estimate"] == pytest.approx(-10, abs=0.8)


# -- care --------------------------------------------------------------------------------------------


def said(found: Estimate) -> str:
    return "\n".join(found.warnings)


def test_a_control_that_changes_at_the_start_is_named() -> None:
    rng = np.random.default_rng(8)
    data = table(touched=np.where(np.arange(60) < 40, 20.0, 12.0) + rng.normal(size=60))
    found = said(fit(data, controls=("x1", "touched")))
    assert "none of x1 and touched was touched by the pilot" in found
    assert "The control series touched itself changes at the start" in found
    assert "series x1 itself changes" not in found


def test_the_condition_is_that_no_control_was_touched() -> None:
    (one,) = [text for text in fit(table(), controls=("x1",)).warnings if "on condition" in text]
    assert one == "The answer holds on condition that x1 was not touched by the pilot."


def test_without_controls_it_says_that_all_else_counts_as_effect() -> None:
    assert "no control series is named" in said(fit(table(), controls=())).lower()
    assert "No control series is named" not in said(fit(table()))


def test_controls_that_do_not_help_are_told() -> None:
    data = table()
    data["y"] = np.random.default_rng(3).normal(50, 1, 60)
    assert "No control series is more likely in the model than out" in said(
        fit(data, expected_model_size=1.0)
    )


def test_a_control_far_from_where_it_was_is_told() -> None:
    data = table()
    data.loc[45:, "x1"] += 60
    assert "x1 lies far from all its values before the start in 15 of 20 periods" in said(fit(data))


def test_the_chain_that_is_watched_is_that_of_the_average_effect() -> None:
    method = StructuralTimeSeries(outcome="y", controls=("x1", "x2"), **FEW)
    series = Series(table(), start=41)
    drawn = method.sample(series, method.design(series)).expected[:, 40:].mean(axis=1)
    told = method.fit(series).extras["convergence"]
    assert told["r_hat"] == pytest.approx(split_r_hat(drawn))
    assert told["effective_draws"] == pytest.approx(effective_size(drawn))


def wandering(step: float, effect: float, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = table(n=200, before=150, effect=effect)
    data["y"] += step * rng.standard_normal(200).cumsum()
    return data


def test_a_level_that_wanders_more_than_was_thought_is_told() -> None:
    calm, wild = fit(wandering(0.0, -10), start=151), fit(wandering(0.6, -10), start=151)
    assert calm.extras["ljung_box"]["p_value"] > 0.05
    assert wild.extras["ljung_box"]["p_value"] < 0.01
    assert "still has a pattern from period to period" in said(wild)
    assert "still has a pattern" not in said(calm)


def test_an_answer_that_hangs_on_the_level_is_told_with_the_other_range() -> None:
    found = fit(table(effect=-0.9))
    loose = found.extras["loose_level"]
    assert loose["conf_high"] - loose["conf_low"] > 1.3 * (
        found.effect("average")["conf_high"] - found.effect("average")["conf_low"]
    )
    assert found.effect("average")["conf_high"] < 0 < loose["conf_high"]
    assert f"from −{-loose['conf_low']:.4g} to {loose['conf_high']:.4g}" in said(found)
    assert "hangs on how far" not in said(fit(table(effect=-10)))
    assert fit(table(), level_sd=0.02).extras["loose_level"] is None
    assert fit(table(), controls=()).extras["loose_level"] is None


def test_draws_that_have_not_settled_are_told() -> None:
    assert "have not settled" in said(fit(table(), draws=100, burn=0))
    assert "have not settled" not in said(fit(table(), draws=2000))


def test_no_per_cent_is_given_of_what_may_be_nothing() -> None:
    data = table()
    data["y"] -= data["y"][40:].mean() + 10
    found = fit(data)
    assert np.isnan(found.effect("relative")["estimate"])
    assert "no per cent is given" in said(found)


def test_texts_take_no_side() -> None:
    """A fall is no better than a rise before the study says so."""
    rise, fall = said(fit(table(effect=10))), said(fit(table(effect=-10)))
    assert rise == fall
    for word in ("improve", "better", "worse", "benefit", "harm"):
        assert word not in rise


def test_ordinary_growth_is_no_effect_where_no_control_carries_it() -> None:
    """3% a year, 20 series: a line finds one effect, a level alone seven."""
    months, rng = pd.period_range("2014-01", periods=60, freq="M").astype(str), np.random.default_rng(4)
    found = {"auto": 0, "level": 0}
    for _ in range(20):
        y = 1000 + 2.5 * np.arange(60) + 30 * ar1(rng, 60, 0.3)
        data = Series(pd.DataFrame({"period": months, "y": y}), start=months[42])
        for components in found:
            method = StructuralTimeSeries(outcome="y", draws=400, burn=100, components=components)
            head = method.fit(data).headline
            found[components] += not head["conf_low"] <= 0 <= head["conf_high"]
    assert found["auto"] <= 2
    assert found["level"] >= 5


def test_a_line_is_the_default_without_controls_and_only_there() -> None:
    assert StructuralTimeSeries(outcome="y").has_line
    assert not StructuralTimeSeries(outcome="y", controls=("x1",)).has_line
    assert not StructuralTimeSeries(outcome="y", components="level").has_line
    assert StructuralTimeSeries(outcome="y", controls=("x1",), components="line").has_line


def test_nothing_at_all_after_the_start_is_a_fall_of_all_of_it() -> None:
    """Every draw of the share is then -1, and has no spread."""
    months, rng = pd.period_range("2014-01", periods=60, freq="M").astype(str), np.random.default_rng(1)
    y = np.where(np.arange(60) < 36, rng.poisson(140, 60), 0).astype(float)
    data = Series(pd.DataFrame({"period": months, "y": y, "x1": rng.poisson(150, 60)}), start=months[36])
    found = StructuralTimeSeries(outcome="y", controls=("x1",), draws=200, burn=50).fit(data)
    share = found.effect("relative")
    assert share["estimate"] == share["conf_low"] == share["conf_high"] == -1.0
    assert np.isnan(share["statistic"])


@pytest.mark.parametrize(("value", "told"), [(200_000.0, True), (130.0, False)])
def test_one_month_that_carries_the_result_is_named(value: float, told: bool) -> None:
    months, rng = pd.period_range("2014-01", periods=60, freq="M").astype(str), np.random.default_rng(1)
    y = rng.poisson(140, 60).astype(float)
    y[50] = value
    data = Series(pd.DataFrame({"period": months, "y": y, "x1": rng.poisson(150, 60)}), start=months[36])
    found = StructuralTimeSeries(outcome="y", controls=("x1",), draws=200, burn=50).fit(data)
    assert any(text.startswith("March 2018 alone holds more than half") for text in found.warnings) is told
