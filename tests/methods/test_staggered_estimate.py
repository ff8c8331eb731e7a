"""What is made of the terms of any estimator of staggered starts."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.staggered_by_hand import ByHand, staggered_table, terms_by_hand
from ucimpact.data.panel import Panel
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate
from ucimpact.inference.permutation_of_t import Randomisation
from ucimpact.inference.staggered import Analytic
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.staggered_estimate import estimate_of, place_findings
from ucimpact.methods.staggered_sample import sample_of


def fitted(table: pd.DataFrame, *, roles: dict[str, str] | None = None, **choices) -> Estimate:
    sample, _ = sample_of(Panel(table, **(roles or {})), "y")
    return estimate_of(ByHand(outcome="y", **choices), "by-hand", sample, terms_by_hand(sample))


def one_start(seed: int, pilots: int = 3) -> pd.DataFrame:
    return staggered_table(seed, pilots=pilots, starts=(13, 14))


@pytest.mark.parametrize("pilots", [1, 2, 3, 6, 10])
def test_with_one_start_the_last_period_alone_is_compared_as_did_would(pilots: int) -> None:
    """Two periods, one start: every rule must give what it gives for one start."""
    table = one_start(pilots, pilots)
    table = table[table["period"].isin([12, 13])]
    ours = fitted(table).effect("att")
    did = DifferenceInDifferences(outcome="y").fit(Panel(table)).effect("att")
    for name in ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high"):
        np.testing.assert_allclose(ours[name], did[name], rtol=1e-9, err_msg=name)


def test_pooled_variance_by_hand() -> None:
    """Two pilot units of different starts: the formula with a variance for each start, written out."""
    table = staggered_table(5, units=12, pilots=2, starts=(8, 18))
    wide = table.pivot(index="unit", columns="period", values="y").to_numpy()
    start = table.groupby("unit")["start"].first().to_numpy()
    assert start[0] != start[1]
    estimate = fitted(table)
    contrast = {g: wide[:, start[g] - 1 :].mean(axis=1) - wide[:, start[g] - 2] for g in (0, 1)}
    treated_periods = np.array([24 - start[g] + 1 for g in (0, 1)])
    share = treated_periods / treated_periods.sum()
    tau = np.array([contrast[g][g] - contrast[g][2:].mean() for g in (0, 1)])
    b = float(share @ tau)
    both = share[0] * contrast[0][2:] + share[1] * contrast[1][2:]
    v0 = both.var(ddof=1)
    h = np.array([contrast[g][2:].var(ddof=1) for g in (0, 1)]) / v0
    centre = (tau / h).sum() / (1 / h).sum()
    s2 = (((tau - centre) ** 2 / h).sum() + ((both - both.mean()) ** 2).sum()) / 10
    se = np.sqrt(s2 * ((share**2 * h).sum() + 1 / 10))
    found = estimate.effect("att")
    np.testing.assert_allclose(found["estimate"], b, rtol=1e-10)
    np.testing.assert_allclose(found["std_error"], se, rtol=1e-10)
    assert found["df"] == 10


def test_own_spread_of_large_starts_is_the_sum_of_their_variances() -> None:
    table = pd.concat([staggered_table(7, 20, 8, starts=(10, 11)), staggered_table(8, 20, 7, starts=(15, 16)).assign(unit=lambda d: d["unit"] + 20)])  # fmt: skip
    sample, _ = sample_of(Panel(table), "y")
    terms = terms_by_hand(sample)
    found = estimate_of(ByHand(outcome="y"), "by-hand", sample, terms).effect("att")
    number = np.bincount(sample.cohort)[sample.cohort]
    variance = (terms.influence[:, 0] ** 2 * number / (number - 1)).sum()
    np.testing.assert_allclose(found["std_error"], np.sqrt(variance), rtol=1e-10)


def test_analytic_errors_are_the_squares_of_influence() -> None:
    sample, _ = sample_of(Panel(staggered_table(3, pilots=12)), "y")
    terms = terms_by_hand(sample)
    found = estimate_of(ByHand(outcome="y", cov=Analytic()), "by-hand", sample, terms).effect("att")
    np.testing.assert_allclose(found["std_error"], np.sqrt((terms.influence[:, 0] ** 2).sum()), rtol=1e-12)
    assert np.isnan(found["df"])


def test_places_are_added_up_before_anything_is_measured() -> None:
    """Every unit doubled within its place says nothing new."""
    table = staggered_table(4, pilots=3)
    once = fitted(table)
    twice = pd.concat([table, table.assign(unit=table["unit"] + 1000)])
    twice["place"] = twice["unit"] % 1000
    again = fitted(twice, roles={"cluster": "place"})
    for name in ("estimate", "std_error", "p_value", "conf_low"):
        np.testing.assert_allclose(again.effect("att")[name], once.effect("att")[name], rtol=1e-9)


def test_a_place_with_two_starts_is_refused_with_the_way_out() -> None:
    table = staggered_table(4, pilots=4)
    table["place"] = table["unit"] // 2
    sample, _ = sample_of(Panel(table, cluster="place"), "y")
    found = place_findings(ByHand(outcome="y"), sample)
    assert any("start at different times" in f.text and f.level == "refuse" for f in found)


def test_few_places_with_covariates_get_no_range() -> None:
    sample, _ = sample_of(Panel(staggered_table(4, pilots=3)), "y")
    terms = replace(terms_by_hand(sample), loadings=None)
    method = ByHand(outcome="y", covariates=("imd",))
    estimate = estimate_of(method, "by-hand", sample, terms)
    head = estimate.headline
    assert np.isfinite(head["estimate"]) and np.isnan(head["p_value"]) and np.isnan(head["conf_low"])
    assert "Leave the covariates out" in estimate.extras["rule"]["refused"]
    assert any("no p-value" in f.text for f in place_findings(method, sample))


def test_few_comparison_places_are_refused() -> None:
    estimate = fitted(staggered_table(4, units=12, pilots=10))
    assert np.isnan(estimate.headline["p_value"])
    assert "at least 5 are needed" in estimate.extras["rule"]["refused"]


def test_the_estimate_says_what_a_report_needs() -> None:
    estimate = fitted(staggered_table(4, pilots=8, effect=-4.0))
    assert estimate.extras["reference"] == {"event_time": -1}
    assert sum(row["units"] for row in estimate.extras["starts"]) == 8
    assert estimate.extras["rule"]["n1"] == 8 and estimate.extras["rule"]["n0"] == 22
    assert 0 < estimate.extras["pre_trend"]["p_value"] < 1
    path, frame = estimate.path(), estimate.counterfactual
    assert (path["conf_low_simultaneous"] <= path["conf_low"]).all()
    gap = (frame["observed"] - frame["expected"]).to_numpy()
    at = frame["since"].isin(path["event_time"]).to_numpy()
    np.testing.assert_allclose(gap[at], path["estimate"], rtol=1e-9)
    assert np.all(gap[~at] == 0)
    att, total = estimate.effect("att"), estimate.effect("cumulative")
    np.testing.assert_allclose(total["estimate"], att["estimate"] * estimate.counts["pilot_periods"])
    observed = estimate.extras["observed"]
    np.testing.assert_allclose(
        estimate.effect("relative")["estimate"], att["estimate"] / (observed - att["estimate"])
    )
    events = estimate.effects.index[estimate.effects["term"] == "event"]
    errors = estimate.effects.loc[events, "std_error"].to_numpy()
    np.testing.assert_allclose(np.sqrt(np.diag(estimate.cov))[events], errors, rtol=1e-9)
    again = Estimate.from_dict(json.loads(json.dumps(estimate.to_dict(), allow_nan=False)))
    assert again.aggregate("dynamic" if "dynamic_average" in set(again.effects["term"]) else "simple")


def test_a_late_effect_of_few_places_does_not_swallow_the_band() -> None:
    estimate = fitted(staggered_table(1, pilots=6))
    path = estimate.path()
    width = path["conf_high_simultaneous"] - path["conf_low_simultaneous"]
    assert width.max() < 12  # a spread of 2 places on 1 degree of freedom gave 200


def test_false_positives_hold_where_starts_differ() -> None:
    """A sample of the calibration: 40 draws a cell, no effect planted."""
    for pilots, most in ((1, 7), (3, 7), (10, 7)):
        found = [fitted(staggered_table(900 + k, pilots=pilots), level=0.95) for k in range(40)]
        assert sum(e.headline["p_value"] < 0.05 for e in found) <= most
        assert all(np.isfinite(e.headline["p_value"]) for e in found)


def test_a_pilot_that_stops_is_refused() -> None:
    table = staggered_table(2, pilots=4).assign(end=lambda d: np.where(d["start"] > 0, 20.0, np.nan))
    panel = Panel(table, end="end")
    sample, found = sample_of(panel, "y")
    assert sample is None and "stops in 4 units" in found[0].text
    with pytest.raises(DesignError, match="stops in 4 units"):
        DifferenceInDifferences(outcome="y").fit(panel)


@pytest.mark.parametrize("statistic", ["t", "coefficient"])
def test_randomisation_of_starts_holds_its_level_and_turns_round(statistic: str) -> None:
    cov = Randomisation(statistic=statistic, draws=199)
    estimate = fitted(staggered_table(4, pilots=6, effect=-2.0), cov=cov)
    head = estimate.headline
    assert head["conf_low"] < head["estimate"] < head["conf_high"]
    table = staggered_table(4, pilots=6, effect=-2.0)
    running = (table["period"] >= table["start"]) & (table["start"] > 0)
    for limit in (head["conf_low"], head["conf_high"]):  # at a limit the p-value is the level
        inside, outside = limit + 0.02 * (head["estimate"] - limit), limit - 0.02 * (head["estimate"] - limit)
        p = [
            fitted(table.assign(y=table["y"] - e * running), cov=cov).headline["p_value"]
            for e in (inside, outside)
        ]
        assert p[0] > 0.05 >= p[1]
    path = estimate.path()
    assert (path["conf_low_simultaneous"] < path["conf_low"]).all()
    assert estimate.extras["rule"]["permutations"] == 199


def test_randomisation_needs_an_estimate_that_starts_can_be_dealt_for() -> None:
    sample, _ = sample_of(Panel(staggered_table(4, pilots=6)), "y")
    terms = replace(terms_by_hand(sample), loadings=None)
    found = estimate_of(ByHand(outcome="y", cov=Randomisation()), "by-hand", sample, terms)
    assert "cannot be dealt anew" in found.extras["rule"]["refused"] and np.isnan(found.headline["p_value"])
    lone = fitted(staggered_table(4, pilots=1), cov=Randomisation())
    assert "coefficient" in lone.extras["rule"]["refused"]


@pytest.mark.parametrize(("pilots", "starts"), [(2, (13, 14)), (2, (8, 18)), (3, (8, 18))])
def test_a_sound_path_of_two_or_three_pilots_is_seldom_called_a_drift(
    pilots: int, starts: tuple[int, int]
) -> None:
    """Weighted by shares, two residuals stood for all: 45% to 64% false alarms."""
    found = [
        fitted(staggered_table(3000 + k, pilots=pilots, starts=starts)).extras["pre_trend"]["p_value"]
        for k in range(40)
    ]
    assert sum(p < 0.05 for p in found) <= 6


@pytest.mark.parametrize("pilots", [2, 8])
def test_the_covariance_of_the_path_gives_back_the_errors_of_what_is_made_of_it(pilots: int) -> None:
    """With one start every event is of the same places: their mean is itself an effect of the design."""
    sample, _ = sample_of(Panel(staggered_table(9, pilots=pilots, starts=(13, 14))), "y")
    terms = terms_by_hand(sample)
    estimate = estimate_of(ByHand(outcome="y"), "by-hand", sample, terms)
    rows = estimate.effects
    late = rows.index[(rows["term"] == "event") & (rows["event_time"] >= 0)].to_numpy()
    w = np.full(len(late), 1 / len(late))
    made = np.sqrt(w @ estimate.cov[np.ix_(late, late)] @ w)
    np.testing.assert_allclose(made, estimate.effect("att")["std_error"], rtol=1e-6)


def test_analytic_errors_and_their_correlation_come_from_one_influence() -> None:
    sample, _ = sample_of(Panel(staggered_table(9, pilots=12)), "y")
    terms = terms_by_hand(sample)
    rng = np.random.default_rng(2)
    moved = replace(terms, fixed=terms.influence + 0.2 * rng.normal(size=terms.influence.shape))
    estimate = estimate_of(ByHand(outcome="y", cov=Analytic()), "by-hand", sample, moved)
    late = estimate.effects.index[estimate.effects["term"] == "event"].to_numpy()
    events = terms.where("event")
    whole = terms.influence[:, events].T @ terms.influence[:, events]
    np.testing.assert_allclose(estimate.cov[np.ix_(late, late)], whole, rtol=1e-8, atol=1e-12)


def test_gaps_that_leave_few_units_of_a_start_give_no_range() -> None:
    sample, _ = sample_of(Panel(staggered_table(4, pilots=12)), "y")
    thin = replace(terms_by_hand(sample), loadings=None, fewest=2)
    found = estimate_of(ByHand(outcome="y"), "by-hand", sample, thin)
    assert "Gaps leave 2 units" in found.extras["rule"]["refused"]
    assert np.isnan(found.headline["conf_low"]) and np.isfinite(found.headline["estimate"])
