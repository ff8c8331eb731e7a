"""A season from other series or other years: given back without noise, never taken as better known than it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.methods.test_series_choices import monthly, noisy, refusal, warned
from ucimpact.inference.timeseries import Ols, Reml
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.series_season import BORROWED, widened

N, BEFORE = 30, 18
T = np.arange(N)
SEASON = 0.08 * np.cos(2 * np.pi * (T - 1) / 12) + 0.03 * np.sin(4 * np.pi * T / 12)
EFFECT = np.where(T >= BEFORE, -4 - 0.3 * (T - BEFORE), 0.0)
FROM = InterruptedTimeSeries(outcome="y", season_from=("a", "b"))


def autoregressive(rng: np.random.Generator, rho: float, n: int = N) -> np.ndarray:
    noise = rng.standard_normal(n + 20)
    for t in range(1, n + 20):
        noise[t] += rho * noise[t - 1]
    return noise[20:] * np.sqrt(1 - rho**2)


def test_without_noise_the_effect_comes_back_whatever_the_size_of_the_season() -> None:
    """The others have another level, a trend and a step of their own; the season here is 0.7 of theirs."""
    a, b = 20 * (1 + SEASON), 350 * (1 + SEASON)
    y = 100 * (1 + 0.7 * SEASON) + 0.2 * T + EFFECT
    found = FROM.fit(monthly(y, before=BEFORE, a=a, b=b))
    assert found.headline["estimate"] == pytest.approx(EFFECT[BEFORE:].mean())
    assert found.effect("level_change")["estimate"] == pytest.approx(-4)
    coefficient = next(row for row in found.extras["coefficients"] if row["name"] == BORROWED)
    assert coefficient["estimate"] == pytest.approx(70 * (1 + SEASON.mean()))  # theirs is over their own mean
    assert found.extras["season"]["name"] == "borrowed"
    assert "The season is that of a and b" in found.extras["season"]["why"]
    own = InterruptedTimeSeries(outcome="y").fit(monthly(y, before=BEFORE))
    assert abs(own.headline["estimate"] - EFFECT[BEFORE:].mean()) > 0.5  # no season: 18 months before


def test_a_step_of_the_others_at_the_start_is_no_season() -> None:
    a = 50 * (1 + SEASON) + np.where(T >= BEFORE, 8 + 0.5 * (T - BEFORE), 0) - 0.1 * T
    y = 100 * (1 + SEASON) + EFFECT
    design = FROM.design(monthly(y, before=BEFORE, a=a, b=a))
    assert np.corrcoef(design.columns[BORROWED], SEASON)[0, 1] == pytest.approx(1)


def test_a_stated_season_is_taken_as_known() -> None:
    numbers = tuple(100 * (1 + SEASON[:12]))
    y = 100 * (1 + 0.7 * SEASON) + 0.2 * T + EFFECT
    method = InterruptedTimeSeries(outcome="y", season_profile=numbers)
    found = method.fit(monthly(y, before=BEFORE))
    assert found.headline["estimate"] == pytest.approx(EFFECT[BEFORE:].mean())
    assert warned(found, "The season is stated by the study and taken as known")
    series = monthly(noisy(N), before=BEFORE)
    design = method.design(series)
    fit = Reml().of(design.y, design.x)
    assert design.profile is not None
    assert design.profile.adds(design, fit, design.contrasts()["average"]) == 0
    later = method.design(monthly(y[3:], before=BEFORE - 3, first="2010-04"))
    np.testing.assert_allclose(
        later.columns[BORROWED], method.design(monthly(y, before=BEFORE)).columns[BORROWED][3:]
    )


def borrowed(seed: int, rho: float = 0.3) -> Any:
    rng = np.random.default_rng(seed)
    others = {name: 100 * (1 + SEASON) + 3 * autoregressive(rng, rho) for name in ("a", "b")}
    y = 100 * (1 + SEASON) + EFFECT + 3 * autoregressive(rng, rho)
    return monthly(y, before=BEFORE, **others)


def test_what_the_season_adds_is_how_far_the_effect_moves_with_it() -> None:
    """Own values without noise: the effect moves by exactly -c a'BF with each coefficient of the waves."""
    series = borrowed(1)
    y = 100 + 0.2 * T + EFFECT + 90 * FROM.design(series).columns[BORROWED]
    design = FROM.design(monthly(y, before=BEFORE, a=series.table["a"], b=series.table["b"]))
    average = design.contrasts()["average"]
    moved = []
    for wave in design.profile.waves.T:
        columns = design.columns | {BORROWED: design.columns[BORROWED] + 1e-6 * wave}
        other = replace(design, columns=columns)
        moved.append((Ols().of(y, other.x).coef - Ols().of(y, design.x).coef) @ average / 1e-6)
    wanted = np.array(moved) @ design.profile.cov @ np.array(moved)
    fit = Ols().of(y, design.x)
    assert design.profile.adds(design, fit, average)[0] == pytest.approx(wanted, rel=1e-4)
    assert wanted > 0


def test_every_range_and_the_band_are_widened() -> None:
    series = borrowed(2)
    found = FROM.fit(series)
    design = FROM.design(series)
    fit = Reml().of(design.y, design.x)
    for term, contrast in design.contrasts().items():
        row = found.effect(term)
        adds = design.profile.adds(design, fit, contrast)[0]
        if np.isfinite(row["df"]):
            assert row["std_error"] ** 2 == pytest.approx(fit.std_errors(contrast)[0] ** 2 + adds)
        assert (row["p_value"] < 0.05) == (not row["conf_low"] <= 0 <= row["conf_high"])
    assert "cumulative_realised" not in set(found.effects["term"])
    known = replace(design, profile=replace(design.profile, cov=0 * design.profile.cov))
    ranges = FROM._ranges(design, fit)
    wide, thin = (
        np.ptp(FROM._counterfactual(series, which, fit, ranges)[["low", "high"]], axis=1)
        for which in (design, known)
    )
    assert (wide > thin).all() and (wide < 2 * thin).all()


def test_widening_keeps_range_and_chance_together() -> None:
    row = {"term": "average", "estimate": 3.0, "std_error": 1.0, "statistic": 3.0, "df": 8.0, "p_value": 0.01,
           "conf_low": 3 - stats.t.ppf(0.975, 8), "conf_high": 3 + stats.t.ppf(0.975, 8)}  # fmt: skip
    wide = widened(row, 3.0, df=8, level=0.95)
    assert wide["std_error"] == pytest.approx(2)
    assert wide["conf_low"] == pytest.approx(3 - 2 * stats.t.ppf(0.975, 8))
    assert wide["p_value"] == pytest.approx(2 * stats.t.sf(1.5, 8))
    assert wide["statistic"] == pytest.approx(1.5)
    assert widened(row, 0.0, df=8, level=0.95) == row
    skewed = row | {"df": np.nan, "conf_low": 1.0, "conf_high": 7.0, "std_error": 6 / 2 / 1.959964}
    wide = widened(skewed, 2.0, df=8, level=0.95)
    assert (wide["conf_high"] - 3) / (3 - wide["conf_low"]) == pytest.approx(2)
    assert (wide["p_value"] < 0.05) == (wide["conf_low"] > 0)


def test_the_range_with_a_borrowed_season_covers_the_truth() -> None:
    """18 + 12 months, two other series with as much noise; the page's simulation had 96% to 98%."""
    held = []
    for seed in range(200):
        row = FROM._average(borrowed(seed))
        held.append(row["conf_low"] <= EFFECT[BEFORE:].mean() <= row["conf_high"])
    assert 0.92 <= np.mean(held) <= 0.995  # 200 draws: two and a half sd


def test_a_borrowed_season_narrows_the_range_of_a_short_series() -> None:
    widths: dict[str, list[float]] = {"borrowed": [], "none": []}
    for seed in range(30):
        series = borrowed(seed, rho=0.0)
        for name, method in (("borrowed", FROM), ("none", InterruptedTimeSeries(outcome="y"))):
            row = method._average(series)
            widths[name].append(row["conf_high"] - row["conf_low"])
    assert np.mean(widths["borrowed"]) < 0.6 * np.mean(widths["none"])


def test_seasons_that_cannot_be_had_are_refused() -> None:
    series = borrowed(1)
    table = series.table.assign(zero=0.0, late=np.where(T < 8, np.nan, series.table["a"]))
    series = replace(series, table=table)
    assert "season_from holds y, which is the outcome itself" in refusal(series, season_from=("y",)).replace(
        "S", "s", 1
    )
    assert "Zero, whose season is borrowed, has no mean above 0" in refusal(series, season_from=("zero",))
    text = refusal(series, season_from=("a", "late"))
    assert (
        "22 months with a value of a and late, without March 2020 to June 2021, cannot show their season"
        in text
    )
    assert "holds 4 numbers for a series of months. Give 12, one for each month" in refusal(
        series, season_profile=(1.0, 2.0, 3.0, 4.0)
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"season_from": ("a",), "season_profile": (1.0,) * 12}, "are two seasons; give one of them"),
        ({"season_from": ("a",), "season": "month"}, 'season = "month" is a second season'),
        ({"season_profile": (0.0,) * 12}, "holds a number that is not above 0"),
        ({"season_from": ("a", "a")}, "season_from holds a more than once"),
    ],
)
def test_two_seasons_are_one_too_many(choices: dict[str, Any], message: str) -> None:
    from ucimpact.errors import DesignError

    with pytest.raises(DesignError, match=message):
        InterruptedTimeSeries(outcome="y", **choices)


def test_what_is_taken_for_granted_is_told() -> None:
    assert warned(
        FROM.fit(borrowed(3)), "The season is borrowed from a and b: the answer holds if this series"
    )


def test_a_method_that_takes_the_borrowed_season_as_known_says_so() -> None:
    class Plain(InterruptedTimeSeries):
        """A method that does not widen its ranges."""

        widens_for_season = False

    told = [str(finding) for finding in Plain(outcome="y", season_from=("a",)).check_design(borrowed(3))]
    assert any(text.startswith("The range takes the borrowed season as known") for text in told)
    assert not warned(FROM.fit(borrowed(3)), "as known")
