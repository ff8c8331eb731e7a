"""A table by hand, a useless service that looks good and is found out, and what is refused or said."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ucimpact.data.cohort import Cohort
from ucimpact.errors import DesignError, UsageError
from ucimpact.methods import BeforeAfter
from ucimpact.methods.before_after_meter import READINGS

METHOD = BeforeAfter(outcome="after", before_days=180, at_least=2)


def people(seed, n=300, *, shape=0.4, mean=0.225, mark=2, ratio=1.0, leavers=0.1, days=180.0, others=0):
    """A referral list: people with ``mark`` or more admissions in 180 days; ``ratio`` is what the service does.

    With ``others`` as many again were picked in the same way and had no service.
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(shape, mean / shape, 400 * (n + others))
    before = rng.poisson(rate)
    kept = np.flatnonzero(before >= mark)[: n + others]
    assert len(kept) == n + others
    had = np.arange(n + others) < n
    followed = np.where(rng.random(n + others) < leavers, rng.integers(20, int(days), n + others), days)
    after = rng.poisson(rate[kept] * np.where(had, ratio, 1.0) * followed / 180)
    return pd.DataFrame(
        {
            "id": np.arange(n + others),
            "had": had * 1,
            "before": before[kept],
            "after": after,
            "days": followed,
        }
    )


def cohort(table, **roles):
    roles = {"follow_up": "days", "horizon": 180.0, "before": ("before",), **roles}
    if "had" in table and not table["had"].all():
        roles["pilot"] = "had"
    return Cohort(table, person="id", **roles)


def fit(table, method=METHOD, **roles):
    return method.fit(cohort(table, **roles))


def meter(table, method=METHOD, **roles):
    return fit(table, method, **roles).extras["regression"]


# --- the change ------------------------------------------------------------------------------------


def by_hand(**more):
    """Five people: 10 events in 100 days before, 4 in 250 days after out of 5 x 50."""
    table = {"id": list("abcde"), "before": [2, 2, 3, 1, 2], "after": [1, 0, 2, 0, 2], "days": 50.0}
    return pd.DataFrame({**table, **more})


def test_a_table_by_hand():
    method = BeforeAfter(outcome="after", before="before", before_days=100)
    estimate = method.fit(Cohort(by_hand(), person="id", follow_up="days"))
    att = estimate.effect("att")
    assert estimate.extras["expected"] == pytest.approx(10 / 5 * 50 / 100)  # half as long a time after
    assert estimate.extras["observed"] == pytest.approx(5 / 5)
    assert att["estimate"] == pytest.approx(1.0 - 1.0)
    moves = np.array([1, 0, 2, 0, 2]) - 0.5 * np.array([2, 2, 3, 1, 2])
    assert att["std_error"] == pytest.approx(moves.std(ddof=1) / np.sqrt(5))
    assert att["conf_high"] == pytest.approx(stats.t.ppf(0.975, 4) * moves.std(ddof=1) / np.sqrt(5))
    assert estimate.effect("cumulative")["estimate"] == pytest.approx(5 * att["estimate"])


def test_people_who_leave_early_count_by_their_days():
    table = by_hand(days=[50.0, 25, 50, 25, 50])
    estimate = BeforeAfter(outcome="after", before_days=100).fit(
        Cohort(table, person="id", follow_up="days", before=("before",))
    )
    assert estimate.extras["observed"] == pytest.approx(5 / 200 * 50)
    assert estimate.extras["person_time"] == pytest.approx(4.0)
    assert estimate.effect("cumulative")["estimate"] == pytest.approx(4 * (5 / 200 * 50 - 1.0))


def test_a_score_is_compared_as_it_stands():
    table = by_hand(before=[10.5, 12, 9, 14, 11], after=[12.0, 13, 9.5, 13, 15])
    estimate = BeforeAfter(outcome="after").fit(Cohort(table, person="id", before=("before",)))
    paired = stats.ttest_rel(table["after"], table["before"])
    assert estimate.headline["statistic"] == pytest.approx(paired.statistic)
    assert estimate.headline["p_value"] == pytest.approx(paired.pvalue)
    ends = paired.confidence_interval(0.95)
    assert (estimate.headline["conf_low"], estimate.headline["conf_high"]) == pytest.approx(
        (ends.low, ends.high)
    )


def test_the_relative_change_has_its_own_limits():
    row = fit(people(1)).effect("relative")
    assert -1 < row["conf_low"] < row["estimate"] < row["conf_high"] < 0
    assert (1 + row["conf_low"]) * (1 + row["conf_high"]) == pytest.approx((1 + row["estimate"]) ** 2)


def test_people_who_come_twice_are_one_for_chance():
    table = people(2, 200)
    twice = pd.concat([table, table], ignore_index=True)
    once, again = fit(table), fit(twice)
    assert again.headline["df"] == once.headline["df"] == 199
    assert again.headline["std_error"] == pytest.approx(once.headline["std_error"], rel=1e-9)
    assert any("several rows" in text for text in again.warnings)


def test_clusters_are_counted_where_they_are_named():
    table = people(3, 200).assign(team=np.arange(200) % 8)
    estimate = fit(table, cluster="team")
    assert estimate.headline["df"] == 7
    assert any("8 clusters" in text for text in estimate.warnings)


def test_the_influence_gives_the_variance():
    estimate = fit(people(4))
    variance = (estimate.influence[:, 0] ** 2).sum() * 300 / 299
    assert np.sqrt(variance) == pytest.approx(estimate.headline["std_error"])
    assert not any(name.isdigit() for name in estimate.sampling_units)


def test_the_interval_of_the_change_covers_it():
    truth = None
    held = []
    for seed in range(200):
        table = people(seed, 120, ratio=0.7)
        if truth is None:
            large = people(999, 20_000, ratio=0.7)
            truth = fit(large).headline["estimate"]
        row = fit(table).headline
        held.append(row["conf_low"] <= truth <= row["conf_high"])
    assert 0.91 <= np.mean(held) <= 0.985


# --- the meter -------------------------------------------------------------------------------------


def test_a_service_that_does_nothing_looks_good_and_is_found_out():
    """The fall is 58% with no service at all; the meter puts it all down to picking."""
    found = [fit(people(seed, 200)) for seed in range(60)]
    falls = [1 + estimate.effect("relative")["estimate"] for estimate in found]
    assert 1 - np.mean(falls) == pytest.approx(0.58, abs=0.02)
    shares = [estimate.extras["regression"]["uncapped"] for estimate in found]
    assert np.mean(shares) == pytest.approx(1.0, abs=0.04)
    assert np.mean([estimate.extras["regression"]["share_high"] for estimate in found]) > 0.99


@pytest.mark.parametrize("ratio", [1.0, 0.6])
def test_the_share_covers_the_truth_as_often_as_it_says(ratio):
    """The truth by adding up the negative binomial: a person with n has B (k + n) afterwards."""
    counts = np.arange(2, 200)
    weight = stats.nbinom.pmf(counts, 0.4, 0.4 / 0.625)
    before = weight @ counts / weight.sum()
    after = 0.225 / 0.625 * (0.4 + before)
    truth = (before - after) / (before - ratio * after)
    readings = [meter(people(1_000 + seed, 120, ratio=ratio)) for seed in range(200)]
    held = [told["share_low"] <= truth <= told["share_high"] for told in readings]
    assert 0.92 <= np.mean(held) <= 0.995
    assert np.mean([told["uncapped"] for told in readings]) == pytest.approx(truth, abs=0.03)


def test_comparison_people_are_preferred_and_hold_what_time_did():
    """Everybody's rate halves with the season: the model cannot know, comparison people do."""
    table = people(7, 400, others=800, leavers=0.0)
    table["after"] = np.random.default_rng(8).binomial(table["after"], 0.5)
    told = meter(table)
    assert told["from"] == "comparison people"
    assert told["uncapped"] == pytest.approx(1.0, abs=0.08)
    alone = meter(table[table["had"] == 1])
    assert alone["from"] == "gamma-Poisson" and alone["share"] < 0.85


def test_only_comparison_people_under_the_same_rule_are_taken():
    table = people(9, 200, others=300)
    outsiders = table[table["had"] == 0].head(100).assign(before=0, after=5, id=np.arange(9_000, 9_100))
    mixed = pd.concat([table, outsiders], ignore_index=True)
    assert meter(mixed)["expected_after"] == pytest.approx(meter(table)["expected_after"])


def test_a_rule_on_another_column_needs_comparison_people():
    table = people(10, 200, others=200).assign(calls=5)
    method = BeforeAfter(outcome="after", before="before", before_days=180, at_least=5, chosen_by="calls")
    assert meter(table, method)["from"] == "comparison people"
    assert "another column" in meter(table[table["had"] == 1], method)["why"]


def test_the_event_at_which_people_were_picked_never_comes_back():
    """People met at a discharge: one event each is there by the picking, the others are their rate."""
    rng = np.random.default_rng(11)
    rate = rng.gamma(1.4, 0.5, 2_000)  # by length of stay among discharges: shape one up
    table = pd.DataFrame(
        {"id": np.arange(2_000), "before": 1 + rng.poisson(rate), "after": rng.poisson(rate), "days": 180.0}
    )
    told = meter(table, BeforeAfter(outcome="after", before_days=180, at_event=True))
    assert told["fall"] == pytest.approx(1.0)
    assert told["expected_after"] == pytest.approx(table["before"].mean() - 1)
    assert told["share"] == pytest.approx(1.0, abs=0.05)
    sicker = table[table["before"] >= 2]
    told = meter(sicker, BeforeAfter(outcome="after", before_days=180, at_event=True, at_least=2))
    assert told["expected_after"] == pytest.approx(sicker["after"].mean(), rel=0.08)


def test_no_rule_by_count_explains_nothing():
    table = people(12, 300, shape=2.0, mean=1.0, mark=0)
    told = meter(table, BeforeAfter(outcome="after", before_days=180, at_least=0))
    assert (told["fall"], told["fall_low"], told["fall_high"]) == (0, 0, 0)


def test_the_meter_is_put_at_the_length_of_the_time_after():
    table = people(13, 300, leavers=0.0)
    half = table.assign(days=90.0)
    whole, part = meter(table), meter(half, horizon=90.0)
    assert part["expected_after"] == pytest.approx(whole["expected_after"] / 2)
    assert part["fall"] == pytest.approx(whole["fall"] / 2)


def test_a_smaller_fall_than_picking_gives_is_capped_and_said():
    told = meter(people(14, 400, ratio=1.5))
    assert told["uncapped"] > 1 and told["share"] == 1.0 and told["less_than_selection"]


def test_rates_that_are_no_gamma_are_said_to_be_so():
    table = pd.DataFrame(
        {"id": range(400), "before": np.repeat([2, 3, 4], [80, 240, 80]), "after": 1, "days": 180.0}
    )
    estimate = fit(table)
    assert any("gamma" in text for text in estimate.warnings)
    assert estimate.extras["regression"]["any_spread"]["fall"] == pytest.approx(2 * 80 / 400)


@pytest.mark.parametrize(
    "table, method, told",
    [
        (people(15, 60).assign(before=2), METHOD, "Everybody had exactly 2"),
        (people(15, 60, mark=1), METHOD, "people had fewer than 2 before"),
        (people(15, 19), METHOD, "19 people are too few"),
        (people(15, 60), BeforeAfter(outcome="after", before_days=180), "Nothing says by which rule"),
        (
            people(15, 60, mark=0),
            BeforeAfter(outcome="after", before_days=180, at_event=True),
            "not picked at one",
        ),
    ],
)
def test_a_meter_that_cannot_be_read_says_why_and_leaves_the_change(table, method, told):
    estimate = fit(table, method)
    reading = estimate.extras["regression"]
    assert told in reading["why"] and reading["share"] is None
    assert set(reading) == set(READINGS)
    assert np.isfinite(estimate.headline["estimate"])


def test_no_fall_and_a_fall_by_chance_have_no_share():
    grown = people(16, 200).assign(after=9)
    assert meter(grown)["why_no_share"] == "There was no fall to explain."
    noisy = people(17, 40).assign(before=np.tile([6, 7], 20), after=np.tile([1, 11, 11, 1], 10), days=180.0)
    assert "no more than chance" in meter(noisy)["why_no_share"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(2, 9), st.integers(0, 9), st.integers(1, 180)), min_size=20, max_size=60),
    st.sampled_from([90.0, 180.0, 365.0]),
)
def test_whatever_the_list_the_readings_keep_their_order(rows, before_days):
    before, after, days = map(np.array, zip(*rows, strict=True))
    table = pd.DataFrame({"id": range(len(rows)), "before": before, "after": after, "days": days})
    estimate = fit(table, BeforeAfter(outcome="after", before_days=before_days, at_least=2))
    json.dumps(estimate.to_dict(), allow_nan=False)
    told = estimate.extras["regression"]
    if told["fall"] is None:
        assert told["why"]
        return
    assert told["low"] <= told["expected_after"] <= told["high"]
    assert told["fall_low"] <= told["fall"] <= told["fall_high"]
    assert told["fall"] + told["expected_after"] == pytest.approx(estimate.extras["expected"])
    if told["share"] is None:
        assert told["why_no_share"]
    else:
        assert 0 <= told["share_low"] <= told["share"] <= told["share_high"] <= 1


# --- what is said and refused ----------------------------------------------------------------------


def test_it_is_called_naive_everywhere():
    estimate = fit(people(18))
    assert "naive" in estimate.estimand and "naive" in estimate.draws_from and estimate.extras["naive"]
    assert any("not its effect" in text for text in estimate.warnings)


def test_too_few_events_have_no_range():
    table = people(19, 60)
    table["after"] = 0
    table.loc[:2, "after"] = 1
    estimate = fit(table)
    assert np.isnan(estimate.headline["conf_low"]) and np.isnan(estimate.effect("relative")["conf_low"])
    assert any("too few to judge" in text for text in estimate.warnings)
    assert "too few events" in estimate.extras["regression"]["why_no_share"]


def test_a_late_start_is_told_with_its_size():
    table = people(20, 50).assign(index="2024-01-01", began=["2024-01-05"] * 30 + ["2024-01-01"] * 20)
    estimate = fit(table, index_date="index", service_start="began")
    assert any("30 of 50 people, 4 days" in text for text in estimate.warnings)


def test_rows_without_a_figure_are_left_out_and_counted():
    table = people(21, 60).astype({"after": float})
    table.loc[:3, "after"] = np.nan
    counts = fit(table).counts
    assert counts["analysed"] == 56 and counts["left_out"] == [
        {"n": 4, "reason": "no figure before or after"}
    ]


def test_unlike_times_compared_as_they_stand_are_told():
    estimate = fit(people(22, 60), BeforeAfter(outcome="after", at_least=2))
    assert any("unlike times" in text for text in estimate.warnings)


@pytest.mark.parametrize(
    "roles, method, told",
    [
        ({"before": ()}, BeforeAfter(outcome="after"), "one column of the time before"),
        ({"before": ("before", "days")}, BeforeAfter(outcome="after"), "names 2"),
        ({"follow_up": None, "horizon": None}, METHOD, "over how many days"),
    ],
)
def test_a_design_without_two_figures_is_refused(roles, method, told):
    with pytest.raises(DesignError, match=told):
        fit(people(23, 40), method, **roles)


def test_nobody_with_the_service_is_refused():
    table = people(24, 30, others=30)
    with pytest.raises(DesignError, match="0 people had the service"):
        fit(table[table["had"] == 0])


@pytest.mark.parametrize(
    "options, told",
    [
        ({"level": 1.0}, "level"),
        ({"before_days": 0}, "before_days"),
        ({"at_least": -1}, "at_least"),
        ({"before": "after"}, "outcome itself"),
    ],
)
def test_choices_that_make_no_sense_are_refused(options, told):
    with pytest.raises(UsageError, match=told):
        BeforeAfter(outcome="after", **options)
