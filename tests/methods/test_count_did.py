"""A table worked by hand, a dense regression as judge, truths we planted, and refusals with their reasons."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from ucimpact.data.panel import Panel
from ucimpact.errors import DesignError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.count_rule import QuasiPoisson
from ucimpact.inference.covariance import CR1
from ucimpact.methods.count_did import CountDiD

Array = np.ndarray
DID = CountDiD(outcome="y")


def draw(
    seed: int,
    units: int = 40,
    pilots: int = 8,
    periods: int = 24,
    *,
    staggered: bool = True,
    ratio: float = 1.0,
    rate: float = 0.008,
    equal: bool = False,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Lists of 2,000 to 20,000 that change, AR(1) shocks (sd 10%), lasting drift (sd 5%), variance 1.3 x mean."""
    rng = np.random.default_rng(seed)
    people = np.full(units, 6_000.0) if equal else np.exp(rng.uniform(np.log(2_000), np.log(20_000), units))
    growth = 0.03 * rng.standard_normal(units)[:, None] * np.arange(periods) / 12
    people = np.round(people[:, None] * np.exp(growth))
    starts = np.rint(np.linspace(9, 17, pilots)) if staggered and pilots > 1 else np.full(pilots, 13.0)
    start = np.zeros(units)
    start[rng.permutation(units)[:pilots]] = starts
    shock = np.zeros((units, periods))
    fresh = rng.standard_normal((units, periods))
    for t in range(periods):
        shock[:, t] = fresh[:, t] if t == 0 else 0.5 * shock[:, t - 1] + np.sqrt(0.75) * fresh[:, t]
    late = (np.arange(periods) - periods / 2) / 12
    log_rate = np.log(rate) + 0.15 * rng.standard_normal((units, 1)) + 0.1 * shock
    log_rate += 0.05 * rng.standard_normal((units, 1)) * late + 0.06 * np.cos(np.arange(periods) / 2)
    expected = people * np.exp(log_rate)
    running = (start[:, None] > 0) & (np.arange(1, periods + 1) >= start[:, None])
    mean = expected * np.where(running, ratio, 1.0)
    count = rng.poisson(rng.gamma(mean / 0.3, 0.3))
    table = pd.DataFrame(
        {
            "unit": np.repeat([f"practice {u:02d}" for u in range(units)], periods),
            "period": np.tile(np.arange(1, periods + 1), units),
            "start": np.repeat(start.astype(int), periods),
            "people": people.ravel(),
            "y": count.ravel(),
        }
    )
    change = (mean - expected)[running].sum()
    return table, {
        "rate_ratio": ratio,
        "cumulative": float(change),
        "att": float(1_000 * change / people[running].sum()),
    }


def panel(table: pd.DataFrame, **roles: Any) -> Panel:
    return Panel(table, population="people", **roles)


def fitted(seed: int, *, method: CountDiD = DID, **design: Any) -> Estimate:
    return method.fit(panel(draw(seed, **design)[0]))


# -- by hand -----------------------------------------------------------------------------


def two_by_two(**people: Any) -> pd.DataFrame:
    rows = [("a", 0, 1, 30), ("a", 1, 1, 20), ("b", 0, None, 60), ("b", 1, None, 48), ("c", 0, None, 40)]
    rows += [("c", 1, None, 42)]
    return pd.DataFrame(rows, columns=["unit", "period", "start", "y"]).assign(**people)


def test_by_hand_a_ratio_of_ratios() -> None:
    """Pilot 30 to 20, others 100 to 90: expected 27, ratio (20/30)/(90/100), 7 events fewer."""
    found = DID.fit(Panel(two_by_two()))
    assert found.effect("rate_ratio")["estimate"] == pytest.approx((20 / 30) / (90 / 100))
    assert found.effect("relative")["estimate"] == pytest.approx(20 / 27 - 1)
    assert found.effect("cumulative")["estimate"] == pytest.approx(-7)
    assert found.headline["estimate"] == pytest.approx(-7)  # one unit for one period, no population
    assert np.isnan(found.headline["conf_low"])  # two comparison units


def test_by_hand_people_that_change() -> None:
    """The pilot's list grows from 1,000 to 2,000, so 54 were expected; the others' lists stay."""
    people = [1_000, 2_000, 5_000, 5_000, 4_000, 4_000]
    found = DID.fit(panel(two_by_two(people=people)))
    assert found.effect("rate_ratio")["estimate"] == pytest.approx(20 / 54)
    assert found.effect("cumulative")["estimate"] == pytest.approx(20 - 54)
    assert found.headline["estimate"] == pytest.approx((20 - 54) / 2_000 * 1_000)
    assert found.extras["observed"] == pytest.approx(10)
    assert found.counterfactual is not None
    assert found.counterfactual["expected"].tolist() == pytest.approx([30, 27])
    assert found.counterfactual["events"].tolist() == [30, 20]


def test_by_hand_two_scales() -> None:
    """By ratio 27 were expected; by the same change in events a unit, 30 - 5 = 25."""
    scales = DID.fit(Panel(two_by_two())).extras["scales"]
    assert scales["log"]["effect"] == pytest.approx(-7)
    assert scales["level"]["effect"] == pytest.approx(-5)


# -- a dense regression ------------------------------------------------------------------


def dense_expected(table: pd.DataFrame) -> Array:
    """Unit and period effects from the rows without the pilot, by a table of dummies, for every row."""
    unit, period = pd.get_dummies(table["unit"]), pd.get_dummies(table["period"])
    x = np.hstack([unit.to_numpy(float), period.to_numpy(float)[:, 1:]])
    free = ~((table["start"] > 0) & (table["period"] >= table["start"])).to_numpy()
    offset = np.log(table["people"].to_numpy(float))
    model = sm.GLM(table["y"][free], x[free], family=sm.families.Poisson(), offset=offset[free])
    params = model.fit(tol=1e-14, maxiter=100).params
    return np.asarray(np.exp(offset + x @ params))


def test_every_term_equals_a_dense_regression_on_the_rows_without_the_pilot() -> None:
    table, _ = draw(3, units=14, pilots=5, periods=16, ratio=0.8)
    table.loc[table["start"] > 16, "start"] = 0
    table = table.drop(index=[5, 70, 133]).reset_index(drop=True)
    found = DID.fit(panel(table))
    table["expected"] = dense_expected(table)
    pilot = table[(table["start"] > 0) & (table["period"] >= table["start"])]

    def rate(rows: pd.DataFrame) -> float:
        return float(1_000 * (rows["y"] - rows["expected"]).sum() / rows["people"].sum())

    assert found.headline["estimate"] == pytest.approx(rate(pilot), rel=1e-8)
    ratio = pilot["y"].sum() / pilot["expected"].sum()
    assert found.effect("rate_ratio")["estimate"] == pytest.approx(ratio, rel=1e-8)
    for term, column in (("group", "start"), ("calendar", "period")):
        rows = found.effects[found.effects["term"] == term]
        expected = [rate(part) for _, part in pilot.groupby(column)]
        np.testing.assert_allclose(rows["estimate"], expected, rtol=1e-7)
    cells = found.effects[found.effects["term"] == "group_time"]
    expected = [rate(part) for _, part in pilot.groupby(["start", "period"])]
    np.testing.assert_allclose(cells["estimate"], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("lone", [True, False])
def test_it_is_the_saturated_regression(lone: bool) -> None:
    """One effect a start and period in one Poisson regression, as fixest or a dense fit would have it.

    With one unit a start whatever the lists do; with several where their lists stay as they are.
    """
    table, _ = draw(4, units=12, pilots=4, periods=14, ratio=0.8)
    table.loc[table["start"] > 14, "start"] = 0
    if not lone:
        table.loc[table["start"] > 9, "start"] = 12
        table["people"] = table.groupby("unit")["people"].transform("first")
    begun = (table["start"] > 0) & (table["period"] >= table["start"])
    of_start = table["unit"] if lone else table["start"].astype(str) + "-"
    cell = np.where(begun, of_start + table["period"].astype(str), "none")
    x = np.hstack(
        [
            pd.get_dummies(table["unit"]).to_numpy(float),
            pd.get_dummies(table["period"]).to_numpy(float)[:, 1:],
            pd.get_dummies(cell).drop(columns="none").to_numpy(float),
        ]
    )
    model = sm.GLM(
        table["y"], x, family=sm.families.Poisson(), offset=np.log(table["people"].to_numpy(float))
    )
    named = pd.get_dummies(cell).drop(columns="none").columns
    effects = np.asarray(model.fit(tol=1e-14, maxiter=200).params)[-len(named) :]
    events = table.assign(cell=cell)[begun].groupby("cell")["y"].sum().loc[list(named)].to_numpy(float)
    ratio = DID.fit(panel(table)).effect("rate_ratio")["estimate"]
    assert ratio == pytest.approx(events.sum() / (events * np.exp(-effects)).sum(), rel=1e-7)


def test_the_path_is_the_regression_with_one_period_before_as_reference() -> None:
    """By time since the start the rate of fixest's cells, put together by events and not by units.

    With several units a start fixest's cells also shift a unit's level, so the data here have one a start.
    """
    table, _ = draw(6, units=12, pilots=4, periods=14, ratio=0.8)
    table.loc[table["start"] > 14, "start"] = 0
    since = (table["period"] - table["start"]).where(table["start"] > 0)
    cell = np.where(since.notna() & (since != -1), table["unit"] + table["period"].astype(str), "none")
    dummies = pd.get_dummies(cell).drop(columns="none")
    x = np.hstack(
        [
            pd.get_dummies(table["unit"]).to_numpy(float),
            pd.get_dummies(table["period"]).to_numpy(float)[:, 1:],
            dummies.to_numpy(float),
        ]
    )
    model = sm.GLM(
        table["y"], x, family=sm.families.Poisson(), offset=np.log(table["people"].to_numpy(float))
    )
    effects = pd.Series(
        np.asarray(model.fit(tol=1e-14, maxiter=200).params)[-dummies.shape[1] :], dummies.columns
    )
    inside = table.assign(cell=cell, since=since)[cell != "none"]
    inside["expected"] = inside["y"] * np.exp(-effects.loc[list(inside["cell"])].to_numpy())
    path = DID.fit(panel(table)).path()
    groups = inside.groupby("since")
    expected = 1_000 * (groups["y"].sum() - groups["expected"].sum()) / groups["people"].sum()
    assert path["event_time"].tolist() == expected.index.tolist()
    np.testing.assert_allclose(path["estimate"], expected, rtol=1e-6, atol=1e-8)


# -- what must hold ------------------------------------------------------------------------


def test_a_start_without_its_reference_month_is_measured_from_the_one_before() -> None:
    table, _ = draw(6, staggered=True)
    starts = sorted(set(table["start"]) - {0})
    first = starts[0]
    gone = (table["start"] == first) & (table["period"] == first - 1)
    found = DID.fit(panel(table[~gone].reset_index(drop=True)))
    (text,) = (w for w in found.warnings if "the path measures" in w)
    assert "all that start in" in text and str(first) in text
    number = int(table.loc[table["start"] == first, "unit"].nunique())
    assert found.extras["reference"] == {"event_time": -1, "moved": number}
    path = found.path()
    # the earliest start alone reaches the latest event times
    assert path["event_time"].max() == table["period"].max() - first
    whole = DID.fit(panel(table))
    assert whole.extras["reference"] == {"event_time": -1} and not any(
        "measures" in w for w in whole.warnings
    )
    # one start alone: the path from the month before, by hand as if the pilot had begun there
    one = table[table["start"].isin([0, first])]
    late = one[~((one["start"] == first) & (one["period"] == first - 1))].reset_index(drop=True)
    early = one.assign(start=one["start"].where(one["start"] == 0, first - 1))
    early = early[~((early["start"] > 0) & (early["period"] == first - 1))].reset_index(drop=True)
    a = DID.fit(panel(late)).path().set_index("event_time")["estimate"]
    b = DID.fit(panel(early)).path().set_index("event_time")["estimate"]
    assert (a.index == [t - 1 for t in b.index]).all()
    assert a.to_numpy() == pytest.approx(b.to_numpy(), rel=1e-9)


def test_one_number_on_four_scales() -> None:
    """Events and rate are the limits of the log ratio with the pilot's events as they were seen."""
    found = fitted(1, ratio=0.85)
    rows = {term: found.effect(term) for term in ("att", "cumulative", "relative", "rate_ratio")}
    seen = float(panel(draw(1, ratio=0.85)[0]).values("y")[panel(draw(1, ratio=0.85)[0]).treated].sum())
    for name in ("estimate", "conf_low", "conf_high"):
        ratio = rows["rate_ratio"][name]
        assert rows["relative"][name] == pytest.approx(ratio - 1)
        assert rows["cumulative"][name] == pytest.approx(seen * (1 - 1 / ratio))
        assert rows["att"][name] / rows["cumulative"][name] == pytest.approx(
            rows["att"]["estimate"] / rows["cumulative"]["estimate"]
        )
    assert len({row["p_value"] for row in rows.values()}) == 1


def test_people_counted_in_other_units_change_nothing_but_the_rate() -> None:
    table, _ = draw(2)
    one = DID.fit(panel(table))
    ten = DID.fit(panel(table.assign(people=10 * table["people"])))
    columns = ["estimate", "conf_low", "conf_high"]
    for term in ("cumulative", "rate_ratio"):
        np.testing.assert_allclose(
            [ten.effect(term)[c] for c in columns], [one.effect(term)[c] for c in columns], rtol=1e-8
        )
    assert ten.headline["estimate"] == pytest.approx(one.headline["estimate"] / 10, rel=1e-8)


def test_a_rate_of_the_panel_is_analysed_as_the_count_behind_it() -> None:
    """Weights by people would count them twice, so they are left out."""
    table, _ = draw(2)
    rated = panel(table).weighted_by_people().with_rate("y", per=10_000, name="rate")
    by_rate = CountDiD(outcome="rate").fit(rated)
    by_count = CountDiD(outcome="y", per=10_000).fit(panel(table))
    np.testing.assert_allclose(by_rate.effects["estimate"], by_count.effects["estimate"], rtol=1e-12)
    noted = CountDiD(outcome="y").fit(rated)
    assert noted.headline["estimate"] == pytest.approx(by_count.headline["estimate"])


def test_the_estimate_does_not_hang_on_the_procedure() -> None:
    table, _ = draw(5)
    choices = (
        CountDiD(outcome="y"),
        CountDiD(outcome="y", cov=CR1()),
        CountDiD(outcome="y", cov=QuasiPoisson()),
    )
    found = [method.fit(panel(table)) for method in choices]
    for other in found[1:]:
        np.testing.assert_array_equal(other.effects["estimate"], found[0].effects["estimate"])
    assert [e.extras["rule"]["procedure"] for e in found] == ["own-spread", "cr1", "quasi-poisson"]


def test_a_start_later_by_what_was_expected_of_it_gives_the_same_free_rows() -> None:
    """With anticipation the rows just before the start say nothing, and the reference lies before them."""
    table, _ = draw(7, ratio=0.8)
    found = CountDiD(outcome="y", anticipation=2).fit(panel(table))
    assert found.extras["reference"] == {"event_time": -3}
    changed = table.copy()
    since = changed["period"] - changed["start"]
    ahead = (changed["start"] > 0) & since.isin([-1, -2])
    changed.loc[ahead, "y"] = 3 * changed.loc[ahead, "y"] + 7
    again = CountDiD(outcome="y", anticipation=2).fit(panel(changed))
    assert again.headline["estimate"] == pytest.approx(found.headline["estimate"], rel=1e-10)


def test_never_treated_units_alone_can_say_how_rates_moved() -> None:
    """Moving the pilots' own time before the start then changes their level and nothing else."""
    table, _ = draw(8, ratio=0.8)
    method = CountDiD(outcome="y", control_group="never-treated")
    begun = (table["start"] > 0) & (table["period"] >= table["start"])
    never = table[table["start"] == 0]
    x = np.hstack([pd.get_dummies(never[c]).to_numpy(float)[:, k:] for k, c in enumerate(("unit", "period"))])
    model = sm.GLM(
        never["y"], x, family=sm.families.Poisson(), offset=np.log(never["people"].to_numpy(float))
    )
    moves = np.append(0.0, model.fit(tol=1e-14, maxiter=100).params[-23:])
    base = table["people"] * np.exp(moves[table["period"].to_numpy() - 1])
    expected = 0.0
    for _, rows in table[table["start"] > 0].groupby("unit"):
        before = ~begun.loc[rows.index]
        level = rows["y"][before].sum() / base[rows.index][before].sum()
        expected += level * base[rows.index][~before].sum()
    ratio = method.fit(panel(table)).effect("rate_ratio")["estimate"]
    assert ratio == pytest.approx(table["y"][begun].sum() / expected, rel=1e-8)


def test_places_are_the_sums_of_their_units() -> None:
    """Two halves of a practice with the same course are one place: its estimate and its range."""
    table, _ = draw(9, staggered=False, pilots=4, units=20)
    halves = pd.concat([table.assign(unit=table["unit"] + half, place=table["unit"]) for half in "ab"])
    halves["people"] /= 2
    first = halves["unit"].str.endswith("a")
    halves["y"] = np.where(first, halves["y"] // 2, halves["y"] - halves["y"] // 2)
    whole, parts = DID.fit(panel(table)), DID.fit(panel(halves, cluster="place"))
    assert parts.counts["places"] == 20 and parts.counts["units"] == 40
    for name in ("estimate", "conf_low", "conf_high"):
        assert parts.effect("rate_ratio")[name] == pytest.approx(whole.effect("rate_ratio")[name], rel=5e-3)


# -- silence -------------------------------------------------------------------------------


def test_practices_without_an_event_stay_among_the_people_and_are_counted() -> None:
    table, _ = draw(10, ratio=0.8)
    pilot = table.loc[table["start"] > 0, "unit"].iloc[0]
    other = table.loc[table["start"] == 0, "unit"].iloc[0]
    silent = table["unit"].isin([pilot, other])
    with_them = DID.fit(panel(table.assign(y=table["y"].where(~silent, 0))))
    without = DID.fit(panel(table[~silent].reset_index(drop=True)))
    assert with_them.counts["silent_units"] == 2
    assert with_them.extras["silent"]["units"] == sorted([pilot, other])
    assert any("2 units had no event at all" in text for text in with_them.warnings)
    for term in ("rate_ratio", "cumulative"):
        assert with_them.effect(term)["estimate"] == pytest.approx(without.effect(term)["estimate"], rel=1e-9)
    assert abs(with_them.headline["estimate"]) < abs(without.headline["estimate"])


@pytest.mark.parametrize("late", [3, 5])
def test_pilots_recorded_from_the_start_on_are_left_out_and_named(late: int) -> None:
    table, _ = draw(15, units=30, pilots=6, staggered=False)
    pilots = sorted(table.loc[table["start"] > 0, "unit"].unique())
    unrecorded = table["unit"].isin(pilots[:late])
    zeroed = table.assign(y=table["y"].where(~(unrecorded & (table["period"] < 13)), 0))
    found = DID.fit(panel(zeroed))
    without = DID.fit(panel(table[~unrecorded].reset_index(drop=True)))
    pd.testing.assert_frame_equal(found.effects, without.effects)
    rule = found.extras["rule"]
    assert (rule["n1"], rule["n0"], rule["places"]) == (6 - late, 24, 30 - late)
    assert rule["procedure"] == "random-effects"
    assert found.extras["observed"] == pytest.approx(without.extras["observed"], rel=1e-12)
    (text,) = (w for w in found.warnings if "recording seems to have begun late" in w)
    assert all(name in text for name in pilots[:late])
    assert found.counts["pilot_units"] == 6 - late
    assert found.counts["left_out"][-1]["n"] == 24 * late
    assert "no events before the start" in found.counts["left_out"][-1]["reason"]


def test_nothing_expected_of_any_pilot_is_refused() -> None:
    table, _ = draw(15, units=30, pilots=6, staggered=False)
    unrecorded = (table["start"] > 0) & (table["period"] < 13)
    with pytest.raises(DesignError, match="Nothing was expected without the pilot"):
        DID.fit(panel(table.assign(y=table["y"].where(~unrecorded, 0))))


def test_no_event_before_by_chance_stays_in_the_sum() -> None:
    table, _ = draw(18, units=30, pilots=10, staggered=False, rate=0.00003)
    before = table[(table["start"] > 0) & (table["period"] < 13)].groupby("unit")["y"].sum()
    after = table[(table["start"] > 0) & (table["period"] >= 13)].groupby("unit")["y"].sum()
    assert ((before == 0) & (after > 0)).any()
    found = DID.fit(panel(table))
    assert found.counts["pilot_units"] == 10 and not found.counts["left_out"]
    rule = found.extras["rule"]
    assert rule["n1"] == (before > 0).sum()
    assert rule["n1"] + rule["n0"] + rule["silent_places"] == 30
    (text,) = (w for w in found.warnings if "that may be chance" in w)
    assert "stay" in text


def test_silent_places_do_not_count_as_evidence() -> None:
    table, _ = draw(17, units=30, pilots=6, staggered=False)
    pilots = sorted(table.loc[table["start"] > 0, "unit"].unique())
    found = DID.fit(panel(table.assign(y=table["y"].where(~table["unit"].isin(pilots[1:]), 0))))
    rule = found.extras["rule"]
    assert (rule["n1"], rule["silent_places"]) == (1, 5)
    assert rule["procedure"] == "random-effects" and rule["breakdown_ratio"] is not None


def test_months_without_an_event_do_not_stop_the_path() -> None:
    found = fitted(11, rate=0.0001, ratio=0.6)
    assert np.isfinite(found.path()["estimate"]).all()
    assert "event_log" not in set(found.effects["term"])


# -- the rule --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pilots", "procedure"),
    [(1, "random-effects"), (3, "random-effects"), (6, "own-spread"), (10, "own-spread")],
)
def test_the_rule_goes_by_the_number_of_places(pilots: int, procedure: str) -> None:
    found = fitted(12, units=30, pilots=pilots)
    rule = found.extras["rule"]
    assert rule["procedure"] == procedure
    assert (rule["breakdown_ratio"] is None) == (pilots >= 6)
    second = rule["second_opinion"]
    assert rule["smallest_p"] is None
    assert second["smallest_p"] <= second["p_value"] <= 1
    if pilots == 1:  # all 30 are gone through
        assert (rule["permutations"], rule["all_permutations"]) == (30, True)
        assert second["smallest_p"] == 1 / 30
    else:
        assert second["smallest_p"] == 1 / 10_000 and not rule["all_permutations"]
    assert rule["prior"] == {"on": "drift", "kind": "half-normal", "scale": 0.3}
    assert np.isfinite(found.effects[["estimate", "conf_low", "conf_high"]]).all(axis=None)


def test_few_comparison_places_are_refused_a_range() -> None:
    found = fitted(13, units=12, pilots=8)
    assert np.isnan(found.effects["conf_low"]).all() and np.isnan(found.effects["p_value"]).all()
    refused = found.extras["rule"]["refused"]
    assert "4 comparison units, and at least 5 are needed" in refused
    assert refused.endswith(
        "More comparison places could answer, or a longer series of the pilot's own (its)."
    )
    assert found.extras["pre_trend"]["why"] == refused
    assert {scale["why"] for scale in found.extras["scales"].values()} == {refused}
    one = fitted(13, units=9, pilots=8)
    assert "1 comparison unit, and" in one.extras["rule"]["refused"]
    assert np.isfinite(found.effects["estimate"]).all()


def test_few_events_are_told_and_not_judged() -> None:
    table, _ = draw(14, units=30, pilots=1)
    pilot = table["start"] > 0
    table.loc[pilot, "y"] = 0
    table.loc[table.index[pilot][[0, 3, 7]], "y"] = 1
    found = DID.fit(panel(table))
    assert found.extras["rule"]["refused"] == "There were 3 before and 0 after: too few to judge."
    assert np.isnan(found.headline["p_value"])


def test_a_breakdown_ratio_of_one_is_where_the_interval_reaches_no_effect() -> None:
    """A pilot as changeable as the model says just reaches 0 when the interval does."""
    ratios, reaches = [], []
    for seed in range(12):
        found = fitted(seed, units=30, pilots=2, ratio=0.87)
        ratios.append(found.extras["rule"]["breakdown_ratio"] > 1)
        reaches.append(found.headline["conf_high"] < 0 or found.headline["conf_low"] > 0)
    assert ratios == reaches
    assert 0 < sum(ratios) < 12


def test_a_wild_pilot_is_flagged_and_allowed_for() -> None:
    table, _ = draw(15, units=30, pilots=1, staggered=False)
    calm = DID.fit(panel(table))
    pilot = (table["start"] > 0) & (table["period"] < 13)
    wild = table.copy()
    wild.loc[pilot, "y"] = (wild.loc[pilot, "y"] * np.tile([0.4, 1.6], 6)).round().astype(int)
    found = DID.fit(panel(wild))
    assert found.extras["rule"]["variance_flag"] and found.extras["rule"]["flag_ratio"] > 2
    assert not calm.extras["rule"]["variance_flag"]
    width = [
        np.log(e.effect("rate_ratio")["conf_high"] / e.effect("rate_ratio")["conf_low"])
        for e in (calm, found)
    ]
    assert width[1] > 1.2 * width[0]
    assert any("varied about their expected course" in text for text in found.warnings)


def test_bands_hold_the_intervals_and_the_table_of_scales_is_whole() -> None:
    found = fitted(16, ratio=0.85)
    path = found.path()
    assert (path["conf_low_simultaneous"] <= path["conf_low"]).all()
    assert (path["conf_high_simultaneous"] >= path["conf_high"]).all()
    for scale in ("log", "level"):
        row = found.extras["scales"][scale]
        assert row["effect_low"] <= row["effect"] <= row["effect_high"]
        assert 0 <= row["p_value"] <= 1 and np.isfinite(row["slope"])
    events = (found.effects["term"] == "event").to_numpy()
    assert found.cov is not None
    cov = found.cov[np.ix_(events, events)]
    assert np.linalg.eigvalsh(cov).min() > -1e-9
    np.testing.assert_allclose(np.sqrt(np.diag(cov)), path["std_error"])


def test_a_drift_before_the_start_is_found() -> None:
    table, _ = draw(17, units=40, pilots=10, staggered=False)
    rng = np.random.default_rng(1)
    pilot = table["start"] > 0
    grown = table.loc[pilot, "y"] * np.exp(0.04 * (table.loc[pilot, "period"] - 1))
    table.loc[pilot, "y"] = rng.poisson(grown)
    trend = DID.fit(panel(table)).extras["pre_trend"]
    assert trend["p_value"] < 0.01
    assert trend["slope"] > 0 and trend["slope_at_middle"] > 0


def test_one_pilot_place_is_shown_beside_the_others() -> None:
    found = fitted(18, units=20, pilots=1)
    placebo = found.extras["placebo"]
    assert len(placebo["units"]) == len(placebo["estimates"]) == len(placebo["paths"]) == 19
    assert len(placebo["paths"][0]) == len(placebo["event_time"]) == len(found.path())
    assert [row["label"] for row in found.extras["comparison"]] == [str(t) for t in range(1, 25)]


# -- truths that were planted ----------------------------------------------------------------


def test_rate_ratio_and_events_are_covered_and_nothing_is_seldom_found() -> None:
    """8 of 40 with staggered starts: 60 draws here; 1,500 draws give 96% to 97% and 2% to 4%."""
    covered: dict[str, list[bool]] = {"rate_ratio": [], "cumulative": [], "att": []}
    wrong = []
    for seed in range(60):
        table, truth = draw(seed, ratio=0.85)
        found = DID.brief(panel(table))
        for term, held in covered.items():
            row = found.effect(term)
            held.append(row["conf_low"] <= truth[term] <= row["conf_high"])
        wrong.append(DID.brief(panel(draw(seed)[0])).headline["p_value"] < 0.05)
    for held in covered.values():
        assert np.mean(held) >= 0.88  # 60 draws: three sd are 8 points
    assert np.mean(wrong) <= 0.12


@pytest.mark.parametrize(("units", "pilots"), [(30, 1), (30, 3), (12, 1), (12, 3)])
def test_few_pilots_seldom_find_what_is_not_there(units: int, pilots: int) -> None:
    wrong = [DID.brief(panel(draw(seed, units, pilots)[0])).headline["p_value"] < 0.05 for seed in range(40)]
    assert np.mean(wrong) <= 0.15  # 40 draws at 5%: three sd are 10 points


def test_a_fit_is_fast_enough_to_be_repeated_a_thousand_times() -> None:
    ready = panel(draw(1)[0])
    DID.fit(ready)
    begun = time.process_time()
    for _ in range(5):
        DID.fit(ready)
    assert (time.process_time() - begun) / 5 < 0.2  # 0.05 s on a quiet machine


# -- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.assign(y=t["y"] + 0.5), "numbers that are not counts"),
        (lambda t: t.assign(y=t["y"] - 1_000), "values below 0"),
        (lambda t: t.assign(y=0), "0 throughout"),
        (lambda t: t.assign(start=0), "there is no pilot"),
        (lambda t: t.assign(y=t["y"].where(t["start"] == 0, 0)), "nothing was expected"),
    ],
)
def test_what_cannot_be_answered_is_refused(change: Any, said: str) -> None:
    with pytest.raises(DesignError, match=f"(?i){said}"):
        DID.fit(panel(change(draw(1, units=20)[0])))


def test_places_with_both_kinds_of_unit_are_refused() -> None:
    table, _ = draw(1, units=20)
    table["place"] = table["unit"].str[-1]
    with pytest.raises(DesignError, match="places hold both pilot and comparison units"):
        DID.fit(panel(table, cluster="place"))


@pytest.mark.parametrize(
    "fields",
    [{"level": 1.0}, {"anticipation": -1}, {"per": 0}, {"control_group": "others"}, {"cov": "auto"}],
)
def test_choices_that_mean_nothing_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(fields))):
        CountDiD(outcome="y", **fields)


def test_the_last_to_start_are_the_comparison_where_all_do() -> None:
    table, _ = draw(19, units=12, pilots=4)
    table.loc[table["start"] == 0, "start"] = 22
    found = DID.fit(panel(table))
    assert found.counts["comparison_units"] == 8 and found.counts["pilot_units"] == 4
    assert any("Every unit has the pilot in the end" in text for text in found.warnings)


def test_the_luck_of_the_reference_month_does_not_set_the_width_of_the_path() -> None:
    """A month with half its events moves the whole path; it is no reason to be surer of it."""
    table, _ = draw(20, units=20, pilots=1)
    low = (table["start"] > 0) & (table["period"] == table["start"] - 1)
    halved = table.assign(y=table["y"].where(~low, table["y"] // 2))
    one, two = (DID.fit(panel(made)).path() for made in (table, halved))
    assert (two["estimate"] > one["estimate"] + 1).all()
    np.testing.assert_allclose(two["std_error"], one["std_error"], rtol=0.15)
