"""A pilot beside its control: R's regressions, what comes to both, refusals, and how often it errs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.data.series import Series
from ucimpact.data.simulate_sites import PilotAndControl
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate
from ucimpact.inference.stacked_counts import stacked_counts
from ucimpact.methods.controlled_forms import _exposure, _stack, count_series, told
from ucimpact.methods.controlled_its import ControlledITS
from ucimpact.methods.its import InterruptedTimeSeries

FORMS = ("difference", "ratio", "regression")
PAIR = PilotAndControl()


def series(design: PilotAndControl = PAIR, seed: int = 1, **columns: Any) -> Series:
    table = design.draw(seed).table.assign(**columns)
    return Series(table, period="month", start=design.start)


def method(**fields: Any) -> ControlledITS:
    return ControlledITS(**{"outcome": "admissions", "controls": ("neighbour",), **fields})


def effect(estimate: Estimate, term: str = "average") -> float:
    return float(estimate.effect(term)["estimate"])


@pytest.fixture(scope="module")
def area(reference: Path) -> Series:
    """The simulated area of the golden file, its months dated, per 100,000 people."""
    d = pd.read_csv(reference / "sim_its_monthly.csv")
    d["period"] = pd.date_range("2012-01-01", periods=len(d), freq="MS").strftime("%Y-%m")
    dated = Series(d, start="2016-01")
    lengths = np.array([dated.frequency.length(int(o)) for o in dated.ordinals])
    for name in ("population", "control_population"):  # months of one length, as R had them
        d[name] = d[name] / lengths
    series = Series(d, start="2016-01", population="population")
    return series.with_rate("admissions", per=100_000, name="rate")


R_NAMES = {
    "level change": "post",
    "slope change": "since",
    "slope before": "time",
}
AREA = ControlledITS(
    outcome="rate",
    controls=("control_admissions",),
    control_populations=("control_population",),
    form="regression",
)


def test_dates_and_choices_make_the_stacked_regression_of_r(area: Series, reference: Path) -> None:
    values = golden(reference / "sim_its_monthly.json")["controlled_gls_ar1"]
    estimate = AREA.fit(area)
    found = {row["name"]: row for row in estimate.extras["coefficients"]}
    for ours, theirs in R_NAMES.items():
        for prefix, name in (("", theirs), ("pilot: ", f"grp:{theirs}")):
            row = found[prefix + ours]
            assert row["estimate"] == pytest.approx(values["estimate"][name], rel=1e-5)
            assert row["std_error_reml"] == pytest.approx(values["se"][name], rel=1e-5)
    assert estimate.extras["rho"] == pytest.approx(values["phi"], rel=1e-5)
    assert effect(estimate, "level_change") == pytest.approx(values["estimate"]["grp:post"], rel=1e-5)


def test_the_stacked_counts_are_those_of_r_before_errors_carry_over(area: Series, reference: Path) -> None:
    values = golden(reference / "sim_its_monthly.json")["controlled_its_qp"]
    counts = replace(AREA, family="quasi-poisson")
    stack = _stack(counts, area)
    made = count_series(counts, area, stack, _exposure(counts, area))
    coef = dict(zip(stack.names, made.poisson.coef, strict=True))
    errors = np.sqrt(np.diag(made.poisson.cov("model")) * made.dispersion)
    spread = dict(zip(stack.names, errors, strict=True))
    for ours, theirs in R_NAMES.items():
        for prefix, name in (("", theirs), ("pilot: ", f"grp:{theirs}")):
            assert coef[prefix + ours] == pytest.approx(values["estimate"][name], rel=1e-6)
            assert spread[prefix + ours] == pytest.approx(values["se"][name], rel=1e-6)
    assert made.dispersion == pytest.approx(values["dispersion"], rel=1e-6)
    fit = stacked_counts(made, stack.lengths)
    estimate = counts.fit(area)
    assert effect(estimate, "log_level_change") == pytest.approx(
        fit.coef[stack.names.index("pilot: level change")]
    )
    seen = area.values("admissions")[estimate.counterfactual["since"] >= 0].sum()
    theta = effect(estimate, "log_average")
    assert effect(estimate, "cumulative") == pytest.approx(-seen * np.expm1(-theta))
    assert effect(estimate, "relative") == pytest.approx(np.expm1(theta))


def test_a_difference_is_the_plain_method_on_the_gap() -> None:
    data = series()
    gap = data.values("admissions") - data.values("neighbour")
    plain = InterruptedTimeSeries(outcome="gap").fit(series(gap=gap))
    estimate = method().fit(data)
    for term in ("average", "level_change", "slope_change", "cumulative"):
        for column in ("estimate", "conf_low", "conf_high", "p_value"):
            assert estimate.effect(term)[column] == pytest.approx(plain.effect(term)[column], rel=1e-8)
    frame = estimate.counterfactual
    after = frame["since"] >= 0
    told = frame.loc[after, "observed"].mean() - frame.loc[after, "expected"].mean()
    assert told == pytest.approx(effect(estimate), abs=1.0)  # residuals of the fit do not average to 0
    expected = plain.counterfactual["expected"] + data.values("neighbour")
    np.testing.assert_allclose(frame["expected"], expected, rtol=1e-10)
    assert effect(estimate, "relative") == pytest.approx(effect(estimate) / expected[after].mean(), rel=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_what_comes_to_both_is_no_effect(form: str) -> None:
    """One draw with and without a change that comes to both: only the one series alone sees it."""
    with_change = PilotAndControl(common_change=-20.0, gap=0.0, shared=0.9)
    before, after = (
        method(form=form).fit(series(d)) for d in (replace(with_change, common_change=0), with_change)
    )
    assert effect(after) == pytest.approx(effect(before), abs=0.7)
    single = [e.extras["single"]["estimate"] for e in (before, after)]
    assert single[1] - single[0] == pytest.approx(-20, abs=1e-6)
    assert after.extras["control"]["conf_high"] < 0
    told = [text for text in after.warnings if "control changed at the start too" in text]
    assert len(told) == 1
    size = abs(after.extras["control"]["estimate"])
    assert told[0].startswith(f"The control changed at the start too (down by {size:.3g} a month). ")


@pytest.mark.parametrize("form", FORMS)
def test_a_planted_effect_is_found_in_the_units_of_the_outcome(form: str) -> None:
    design = PilotAndControl(level_change=-15.0, noise=1.0, months=72, before=48)
    estimate = method(form=form).fit(series(design, seed=2))
    average = estimate.effect("average")
    assert average["estimate"] == pytest.approx(-15, abs=1.5)
    assert average["conf_low"] < -15 < average["conf_high"] < -12
    assert effect(estimate, "cumulative") == pytest.approx(24 * average["estimate"], rel=1e-6)
    frame = estimate.counterfactual[estimate.counterfactual["since"] >= 0]
    assert (frame["expected"] - frame["observed"]).mean() == pytest.approx(15, abs=1.5)
    assert (frame["low"] < frame["expected"]).all() and (frame["expected"] < frame["high"]).all()


def test_the_ratio_does_not_mind_the_size_of_the_control() -> None:
    data = series()
    large = series(neighbour=40 * data.values("neighbour"))
    first, second = (method(form="ratio").fit(one) for one in (data, large))
    np.testing.assert_allclose(second.effects["estimate"], first.effects["estimate"], rtol=1e-8)
    with pytest.raises(DesignError, match=r"0 or below in 1 month.*difference"):
        method(form="ratio").fit(series(neighbour=np.where(np.arange(60) == 5, 0, data.values("neighbour"))))


UNITS = "equally large in units of admissions"


@pytest.mark.parametrize("times", [0.5, 0.8, 1.3, 2.0, 10.0])
def test_what_comes_to_both_in_the_same_per_cent_is_no_effect_at_any_level(times: float) -> None:
    """Both fall by a tenth: a difference without scale leaves a tenth of the gap between their levels."""
    data = series(PilotAndControl(shared=0.9, noise=1.5, gap=0.0, months=72, before=44))
    after = data.since >= 0
    neighbour = times * data.values("neighbour")

    tables = [
        data.table.assign(admissions=data.values("admissions") * both, neighbour=neighbour * both)
        for both in (np.ones(72), np.where(after, 0.9, 1.0))
    ]
    steady, fallen = (method().fit(Series(table, period="month", start=data.start)) for table in tables)
    assert effect(fallen) == pytest.approx(effect(steady), abs=0.3)
    scale = fallen.extras["control_scale"]
    assert scale == pytest.approx(
        data.values("admissions")[~after].mean() / neighbour[~after].mean(), rel=1e-9
    )
    assert any(f"multiplied by {scale:.3g}" in text and "same per cent" in text for text in fallen.warnings)
    assert not any(UNITS in text for text in fallen.warnings)
    frame = fallen.counterfactual[fallen.counterfactual["since"] >= 0]
    told_apart = frame["observed"].mean() - frame["expected"].mean()
    assert told_apart == pytest.approx(effect(fallen), abs=0.3)


def test_at_like_levels_what_comes_to_both_in_the_same_number_is_no_effect() -> None:
    estimate = method().fit(series(PilotAndControl(common_change=-20.0, shared=0.9)))
    assert estimate.extras["control_scale"] == 1
    assert any("same number is no effect" in text for text in estimate.warnings)


def test_values_without_a_per_cent_are_compared_as_they_are_and_told() -> None:
    data = series()
    at = np.arange(60) == 5
    for fields, neighbour in (
        ({}, np.where(at, 0.0, 1.6 * data.values("neighbour"))),
        ({"form": "regression"}, 1.6 * data.values("neighbour")),
    ):
        estimate = method(**fields).fit(series(neighbour=neighbour))
        assert estimate.extras["control_scale"] == 1
        assert any(UNITS in text for text in estimate.warnings)
    near = method(form="regression").fit(series(neighbour=1.3 * data.values("neighbour")))
    assert not any(UNITS in text for text in near.warnings)


def test_several_controls_are_their_mean_and_populations_make_rates() -> None:
    data = series()
    control = data.values("neighbour")
    split = series(one=control + 7, two=control - 7 + 0.1 * np.arange(60) - 0.1 * np.arange(60))
    several = method(controls=("one", "two")).fit(split)
    np.testing.assert_allclose(several.effects["estimate"], method().fit(data).effects["estimate"], rtol=1e-6)
    lengths = np.array([data.frequency.length(int(o)) for o in data.ordinals])
    people = np.full(60, 5_000.0)
    table = data.table.assign(people=people, far=3 * control * lengths, far_people=3 * people)
    with_people = Series(table, period="month", start=PAIR.start, population="people")
    chosen = method(controls=("far",), control_populations=("far_people",))
    np.testing.assert_allclose(chosen.control.path(with_people), control * lengths)


def test_a_gap_that_widens_before_the_start_is_told() -> None:
    steady, widening = (
        method().fit(series(PilotAndControl(gap_slope=slope, noise=1.5), seed=5)) for slope in (0.0, 0.4)
    )
    assert steady.extras["pre_trend"]["p_value"] > 0.1
    found = widening.extras["pre_trend"]
    assert found["conf_low"] < 0.4 < found["conf_high"] and found["p_value"] < 0.01
    assert found["slope_at_middle"] == pytest.approx(found["slope"] * 12.5)
    assert any("did not move in parallel" in text for text in widening.warnings)
    assert effect(widening) == pytest.approx(effect(steady), abs=1e-6)  # the line is taken out
    flat = method(trend="none").fit(series(PilotAndControl(gap_slope=0.4, noise=1.5), seed=5))
    assert flat.extras["pre_trend"]["slope"] == pytest.approx(found["slope"])
    assert any("it counts as effect" in text for text in flat.warnings)


def test_shared_shocks_narrow_a_difference_and_a_regression_says_what_it_misses() -> None:
    data = series(PilotAndControl(shared=0.9, months=96, before=60))
    difference, regression = (method(form=form).fit(data) for form in ("difference", "regression"))

    def width(estimate: Estimate) -> float:
        return float(estimate.headline["conf_high"] - estimate.headline["conf_low"])

    assert width(difference) < 0.7 * width(regression)
    assert any("takes them as independent" in text for text in regression.warnings)
    apart = method().fit(series(PilotAndControl(shared=0.0, months=96, before=60), seed=2))
    assert any("share few of their ups and downs" in text for text in apart.warnings)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"controls": ()}, "No control is named"),
    ({"controls": ("admissions",)}, "is the outcome itself"),
    ({"controls": ("copy",)}, "is the outcome itself"),
    ({"controls": ("flat",)}, "same value in every month"),
    ({"controls": ("holes",)}, "no value in October 2010, November 2010"),
    ({"controls": ("neighbour", "neighbour")}, "named more than once"),
    ({"control_populations": ("flat", "flat")}, "1 controls and 2 control_populations"),
    ({"control_populations": ("flat",)}, "the pilot has none"),
]


@pytest.mark.parametrize(("fields", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_a_control_is_refused(fields: dict[str, Any], said: str) -> None:
    plain = series()
    holes = np.where(np.isin(np.arange(60), [6, 7]), np.nan, plain.values("neighbour"))
    copy = 2 * plain.values("admissions") + 1
    with pytest.raises(DesignError, match=said):
        method(**fields).fit(series(copy=copy, flat=3.0, holes=holes))


def test_choices_that_are_not_known_are_listed_together() -> None:
    with pytest.raises(DesignError, match=r"form = .*family = "):
        method(form="offset", family="poisson")
    with pytest.raises(DesignError, match="belongs to form"):
        method(family="quasi-poisson")


@pytest.mark.parametrize("form", ["difference", "regression"])
def test_it_errs_no_more_often_than_it_says(form: str) -> None:
    """No effect, half of the shocks shared, a change that comes to both: the range leaves out 0 in 5%."""
    design = PilotAndControl(months=48, before=30, rho=0.4, shared=0.5, common_change=12.0)
    chosen = method(form=form, season="fourier-1")
    found = [told(chosen, series(design, seed=seed)).rows[0] for seed in range(80)]
    wrong = np.mean([not row["conf_low"] <= 0 <= row["conf_high"] for row in found])
    assert wrong <= 0.125  # 80 draws at 5%: mean .05, sd .024


def test_an_outcome_that_never_varies_is_refused_beside_a_control_that_does() -> None:
    months, rng = pd.period_range("2014-01", periods=60, freq="M").astype(str), np.random.default_rng(1)
    for value in (0.0, 1.0):
        table = pd.DataFrame({"period": months, "y": value, "c": rng.poisson(150, 60).astype(float)})
        with pytest.raises(DesignError, match=r"(?i)every month has the same value of y"):
            ControlledITS(outcome="y", controls=("c",)).fit(Series(table, start=months[36]))
