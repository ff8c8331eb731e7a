"""Many series at once have the numbers of each by itself, and say why some have none."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

import ucimpact
from ucimpact import Series, fit_many
from ucimpact.errors import DataError, DesignError, UsageError
from ucimpact.inference.newey_west import NeweyWest
from ucimpact.inference.timeseries import Ols
from ucimpact.methods import ArimaITS, BeforeAfter, InterruptedTimeSeries
from ucimpact.methods.many_estimates import ManyEstimates

NUMBERS = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")
NOT_AT_ONCE = ("cumulative_realised",)
"""Effects that need another fit, of the periods before alone: a method gives them for one series."""


OF_OTHER_FITS = ("With March 2020 to June 2021", "path from before the start the average effect")
"""Warnings that come from fitting a series again."""


def errors(count: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """AR(1) errors of shape (count, n), some near the bound of the autocorrelation."""
    rho = np.where(np.arange(count) % 7 == 0, 0.99, rng.uniform(-0.4, 0.9, count))
    out = rng.normal(size=(count, n))
    for t in range(1, n):
        out[:, t] = rho * out[:, t - 1] + np.sqrt(1 - rho**2) * out[:, t]
    return out


def a_table(count: int, months: int, seed: int, *, starts: int = 3) -> pd.DataFrame:
    """Practices by month, with a few different starts and some empty cells, in no order."""
    rng = np.random.default_rng(seed)
    values = 40 + 5 * errors(count, months, rng)
    values[::5] -= 38  # what is expected is near 0: no ratio for some
    values[rng.uniform(size=values.shape) < 0.004] = np.nan
    names = np.array([f"P{at:03d}" for at in range(count)])
    dates = pd.period_range("2015-01", periods=months, freq="M").astype(str).to_numpy()
    first = round(0.55 * months)
    begins = dates[first + 2 * (np.arange(count) % starts)]
    table = pd.DataFrame(
        {
            "practice": np.repeat(names, months),
            "month": np.tile(dates, count),
            "rate": values.ravel(),
            "begins": np.repeat(begins, months),
        }
    )
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def one(table: pd.DataFrame, name: str, method: InterruptedTimeSeries) -> ucimpact.Estimate:
    """The method's own answer for one practice."""
    rows = table[table["practice"] == name]
    return method.fit(Series(rows, period="month", start=rows["begins"].iloc[0]))


@pytest.mark.parametrize(
    ("count", "months", "choices"),
    [
        (120, 60, {}),
        (50, 30, {}),
        (8, 108, {}),
        (15, 40, {"shape": "level", "season": "fourier-1", "phase_in": 2}),
        (15, 48, {"errors": Ols(), "level": 0.9}),
    ],
)
def test_each_series_has_its_own_numbers(count: int, months: int, choices: dict[str, object]) -> None:
    method = InterruptedTimeSeries(outcome="rate", covid="none", **choices)
    table = a_table(count, months, seed=months)
    found = fit_many(table, by="practice", period="month", start="begins", method=method)
    routes = set()
    for name, rows in found.effects.groupby("practice"):
        alone = one(table, name, method)
        effects = alone.effects[~alone.effects["term"].isin(NOT_AT_ONCE)]
        assert list(rows["term"]) == list(effects["term"])
        spread = effects["std_error"].to_numpy()[:, None]
        got, want = rows[list(NUMBERS)].to_numpy(), effects[list(NUMBERS)].to_numpy(dtype=float)
        assert np.array_equal(np.isnan(got), np.isnan(want))
        assert np.nanmax(np.abs(got - want) / np.maximum(spread, 1e-9)) < 1e-6
        if "event_time" in effects:
            assert np.array_equal(rows["event_time"], effects["event_time"], equal_nan=True)
        assert dict(zip(rows["term"], rows["route"], strict=True)).items() >= alone.extras["route"].items()
        routes |= set(rows["route"])
        said = [text for text in alone.warnings if not any(words in text for words in OF_OTHER_FITS)]
        assert rows["warnings"].iloc[0] == len(said), said
    for name in found.refused["practice"]:
        with pytest.raises(DesignError):
            one(table, name, method)
    assert found.counts == {
        "series": count,
        "fitted": count - len(found.refused),
        "refused": len(found.refused),
    }
    assert found.counts["fitted"] > 0.8 * count
    if months == 30:
        assert routes == {"kenward-roger", "rho-averaged"}


def test_row_order_and_other_series_do_not_matter() -> None:
    table = a_table(12, 48, seed=4)
    whole = fit_many(table, by="practice", period="month", start="begins", outcome="rate")
    part = table[table["practice"] < "P005"].sort_values(["practice", "month"])
    some = fit_many(part, by=["practice"], period="month", start="begins", outcome="rate")
    both = whole.effects.merge(some.effects, on=["practice", "term", "event_time"], suffixes=("", "_some"))
    assert len(both) == len(some.effects) > 0
    assert np.allclose(both["conf_low"], both["conf_low_some"], rtol=1e-8, equal_nan=True)


def test_table_is_not_changed_and_jobs_change_nothing() -> None:
    table = a_table(8, 48, seed=4)
    before = table.copy(deep=True)
    found = fit_many(table, by="practice", period="month", start="begins", outcome="rate")
    pd.testing.assert_frame_equal(table, before)
    again = fit_many(table, by="practice", period="month", start="begins", outcome="rate", jobs=3)
    pd.testing.assert_frame_equal(found.effects, again.effects)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.level = 0.5


def test_every_series_that_cannot_answer_is_counted_with_its_reason() -> None:
    months = pd.period_range("2016-01", periods=40, freq="M").astype(str)
    rng = np.random.default_rng(1)
    names = ["fine", "gap", "twice", "late", "never", "constant", "holes", "odd", "changes"]
    table = pd.concat(
        [
            pd.DataFrame({"ward": name, "month": months, "n": rng.normal(30, 4, 40), "start": "2018-01"})
            for name in names
        ],
        ignore_index=True,
    )
    mine = {name: table.index[table["ward"] == name] for name in names}
    table.loc[mine["late"], "start"] = "2031-01"
    table.loc[mine["never"], "start"] = None
    table.loc[mine["odd"], "start"] = "soon"
    table.loc[mine["changes"][3], "start"] = "2018-02"
    table.loc[mine["constant"], "n"] = 7.0
    table.loc[mine["holes"][5:20], "n"] = np.nan
    table = pd.concat([table, table.loc[mine["twice"][[3]]]]).drop(mine["gap"][9])
    found = fit_many(table, by="ward", period="month", start="start", outcome="n")
    reasons = dict(zip(found.refused["ward"], found.refused["reason"], strict=True))
    assert set(found.effects["ward"]) == {"fine"}
    said = {
        "gap": "has no row",
        "twice": "stands 2 times",
        "late": "outside its periods",
        "never": "never starts",
        "odd": "not a date",
        "changes": "changes from row to row",
        "constant": "very month has the same value of n",
        "holes": "one in ten is the most",
    }
    assert set(reasons) == set(said)
    for name, words in said.items():
        assert words in reasons[name]
    assert found.reasons().sum() == 8
    assert "1 of 9 series have an answer" in found.summary()


def test_several_outcomes_are_series_of_their_own() -> None:
    table = a_table(4, 48, seed=2)
    table["double"] = 2 * table["rate"]
    found = fit_many(table, by="practice", period="month", start="2017-06", outcome=["rate", "double"])
    assert found.by == ("practice", "outcome")
    assert found.counts["series"] == 8
    rate, double = (found.effects[found.effects["outcome"] == name] for name in ("rate", "double"))
    same = rate["term"].to_numpy() != "relative"
    assert np.allclose(2 * rate["estimate"].to_numpy()[same], double["estimate"].to_numpy()[same])


@pytest.mark.parametrize(
    "choices",
    [
        {"adjust": ("strikes",)},
        {"season_profile": (110.0, 105, 101, 99, 98, 97, 96, 95, 97, 99, 101, 102)},
        {"errors": NeweyWest()},
    ],
)
def test_what_cannot_be_shared_is_fitted_one_by_one(choices: dict[str, object]) -> None:
    table = a_table(3, 48, seed=2)
    table["strikes"] = np.random.default_rng(3).poisson(1.0, len(table)).astype(float)
    method = InterruptedTimeSeries(outcome="rate", **choices)
    found = fit_many(table, by="practice", period="month", start="begins", method=method)
    for name, rows in found.effects.groupby("practice"):
        assert rows["conf_low"].to_numpy() == pytest.approx(
            one(table, name, method).effects["conf_low"].to_numpy(), nan_ok=True
        )


def test_any_method_on_a_series_can_be_fitted() -> None:
    table = a_table(2, 48, seed=2)
    method = ArimaITS(outcome="rate", order=(1, 0, 0), seasonal=(0, 0, 0), trend="none")
    found = fit_many(table, by="practice", period="month", start="begins", method=method)
    for name, rows in found.effects.groupby("practice"):
        effects = one(table, name, method).effects
        assert rows["conf_low"].to_numpy() == pytest.approx(effects["conf_low"].to_numpy(), nan_ok=True)
    assert found.spec["order"] == [1, 0, 0]


def test_designs_that_need_care_say_so_once_with_a_number() -> None:
    table = a_table(6, 30, seed=9)
    found = fit_many(table, by="practice", period="month", start="begins", outcome="rate")
    assert found.cautions["series"].max() <= 6
    assert found.cautions["caution"].str.contains("under 36").any()
    assert (found.effects["warnings"] >= 1).all()


def test_what_cannot_be_read_at_all() -> None:
    table = a_table(3, 40, seed=1)
    with pytest.raises(UsageError, match="method on a series"):
        fit_many(table, by="practice", period="month", start="begins")
    with pytest.raises(UsageError, match="method on a series"):
        fit_many(table, by="practice", period="month", start="begins", method=BeforeAfter(outcome="rate"))
    with pytest.raises(DataError, match="no such column"):
        fit_many(table, by="gp", period="month", start="begins", outcome="rate")
    with pytest.raises(DataError, match="neither a column nor a date"):
        fit_many(table, by="practice", period="month", start="begin", outcome="rate")
    for names, said in (([], "once"), (["practice", "practice"], "once")):
        with pytest.raises(UsageError, match=said):
            fit_many(table, by=names, period="month", start="begins", outcome="rate")
    with pytest.raises(UsageError, match="columns of its own called term"):
        fit_many(
            table.rename(columns={"practice": "term"}),
            by="term",
            period="month",
            start="begins",
            outcome="rate",
        )
    with pytest.raises(UsageError, match="more than once"):
        fit_many(table, by="practice", period="month", start="begins", outcome=["rate", "rate"])
    with pytest.raises(UsageError, match="no series has an answer"):
        fit_many(table, by="practice", period="month", start="2031-01", outcome="rate").funnel()
    with pytest.raises(DataError, match="no name"):
        fit_many(
            table.assign(practice=table["practice"].where(table.index > 2)),
            by="practice",
            period="month",
            start="begins",
            outcome="rate",
        )


@pytest.fixture(scope="module")
def planted() -> ManyEstimates:
    """300 numbered series of noise, of which the first 20 fall by 4 standard deviations."""
    rng = np.random.default_rng(6)
    values = rng.normal(50, 2, size=(300, 48))
    values[:20, 30:] -= 8
    table = pd.DataFrame(
        {"ward": np.repeat(np.arange(300), 48), "t": np.tile(np.arange(48), 300), "n": values.ravel()}
    )
    return fit_many(table, by="ward", period="t", start=30, outcome="n", method=None)


def test_few_of_those_found_are_chance(planted: ManyEstimates) -> None:
    rows = planted.adjusted("level_change")
    found = rows[rows["q_value"] < 0.1]
    assert (found["ward"] < 20).sum() >= 15
    assert (found["ward"] >= 20).sum() <= 6
    assert (rows["p_holm"] >= rows["q_value"]).all() and (rows["q_value"] >= rows["p_value"]).all()


def test_shrunken_effects_lie_between_their_own_and_the_average(planted: ManyEstimates) -> None:
    rows = planted.shrunken("level_change")
    low = np.minimum(rows["estimate"], rows.attrs["mean"])
    high = np.maximum(rows["estimate"], rows.attrs["mean"])
    assert ((rows["shrunken"] >= low) & (rows["shrunken"] <= high)).all()
    assert rows["shrunken"].std() < rows["estimate"].std()


def test_funnel_marks_what_was_planted(planted: ManyEstimates) -> None:
    funnel = planted.funnel("level_change")
    outside = funnel.points.loc[funnel.points["outside_99_8"], "ward"]
    assert (outside < 20).sum() >= 15 and (outside >= 20).sum() <= 6
    width = funnel.limits["high_95"] - funnel.limits["low_95"]
    assert (np.diff(width) > 0).all()
    assert width.iloc[0] == pytest.approx(2 * 1.959964 * np.sqrt(funnel.tau2), rel=1e-6)
    assert planted.funnel("level_change", overdispersion="none").tau2 == 0
    with pytest.raises(UsageError, match="choose one of"):
        planted.funnel(overdispersion="some")
    with pytest.raises(UsageError, match="there are: average"):
        planted.funnel("speed")


def test_effect_in_one_period_is_asked_for_by_its_place(planted: ManyEstimates) -> None:
    assert set(planted.of("effect_at", 17)["event_time"]) == {17}
    with pytest.raises(UsageError, match="event_time, one of: 17"):
        planted.adjusted("effect_at")
    assert len(planted.shrunken("effect_at", 17)) == len(planted.funnel("effect_at", 17).points) == 300


def test_results_have_a_plain_form(planted: ManyEstimates) -> None:
    again = ManyEstimates.from_dict(json.loads(json.dumps(planted.to_dict())))
    pd.testing.assert_frame_equal(again.effects, planted.effects, check_dtype=False, check_categorical=False)
    pd.testing.assert_frame_equal(again.cautions, planted.cautions, check_dtype=False)
    assert (again.by, again.counts, again.spec) == (planted.by, planted.counts, planted.spec)
    assert again.terms == planted.terms and len(again.refused) == 0
    assert set(json.loads(json.dumps(planted.funnel().to_dict()))) >= {"centre", "points", "limits"}


def test_many_estimates_are_shown_by_what_they_say_and_one_row_a_series() -> None:
    table = a_table(6, 48, seed=3)
    found = fit_many(table, by="practice", period="month", start="begins", outcome="rate")
    assert repr(found) == found.summary()
    shown = found._repr_html_()
    assert shown.startswith(f"<p>{found.summary().splitlines()[0]}")
    rows = found.of(found.terms[0])
    assert shown.count("<tr") == 1 + len(rows) and "P001" in shown and "level_change" not in shown
    nothing = dataclasses.replace(found, effects=found.effects.iloc[:0], cautions=found.cautions.iloc[:0])
    marked = dataclasses.replace(nothing, refused=pd.DataFrame({"practice": ["A"], "reason": ["<script>"]}))
    assert "<script>" not in marked._repr_html_()


def test_a_method_over_sites_is_no_method_on_a_series() -> None:
    from ucimpact.methods import METHODS

    table = a_table(8, 48, seed=4)
    with pytest.raises(UsageError, match="a method on a series is needed"):
        fit_many(
            table,
            by="practice",
            period="month",
            start="begins",
            method=METHODS["multi-site-its"](outcome="rate"),
        )
