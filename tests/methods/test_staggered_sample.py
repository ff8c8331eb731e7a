"""Rows laid out around many starts, and every row that is left out counted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.staggered_by_hand import staggered_table
from ucimpact.data.panel import Panel
from ucimpact.methods.common_start import unweighted_total
from ucimpact.methods.staggered_sample import sample_of


def test_rows_in_any_order_lay_out_alike() -> None:
    table = staggered_table(1)
    one, _ = sample_of(Panel(table), "y")
    two, _ = sample_of(Panel(table.sample(frac=1, random_state=3)), "y")
    np.testing.assert_array_equal(one.outcome, two.outcome)
    np.testing.assert_array_equal(one.start, two.start)
    np.testing.assert_array_equal(one.cohort, two.cohort)
    assert one.balanced and two.balanced and one.is_whole


def test_what_is_left_out_is_counted_by_reason() -> None:
    table = staggered_table(2).assign(x=1.0, w=1.0)
    table.loc[table["unit"] == 29, "start"] = 1
    table.loc[[3, 4], "y"] = np.nan
    table.loc[40, "x"] = np.nan
    table.loc[50, "w"] = 0.0
    sample, found = sample_of(Panel(table, weight="w"), "y", ("x",))
    reasons = {entry["reason"]: entry["n"] for entry in sample.counts["left_out"]}
    assert reasons == {
        "rows without a value of `y`": 2,
        "rows without a value of a covariate": 1,
        "rows with a weight of 0": 1,
        "rows of 1 unit with the pilot from the first period on": 24,
    }
    assert sample.counts["rows"] + sum(reasons.values()) == len(table)
    assert sample.shape == (29, 24) and not sample.balanced and found == []


def test_gaps_are_cells_without_weight() -> None:
    table = staggered_table(3)
    sample, _ = sample_of(Panel(table.drop(index=[7, 100])), "y")
    assert (sample.weights == 0).sum() == 2
    assert sample.weights.sum() == len(table) - 2


def test_without_units_that_never_start_the_last_are_the_comparison_until_they_do() -> None:
    table = staggered_table(4, units=10, pilots=10)
    last = table["start"].max()
    sample, found = sample_of(Panel(table), "y")
    assert sample.ordinals[-1] == last - 1
    assert (~sample.pilot).sum() == (table.groupby("unit")["start"].first() == last).sum()
    assert "every unit has the pilot in the end" in found[0].text and found[0].level == "warn"
    assert sum(entry["n"] for entry in sample.counts["left_out"]) == len(table) - sample.counts["rows"]


def test_starts_as_dates_missing_infinite_or_nought() -> None:
    table = staggered_table(5)
    plain, _ = sample_of(Panel(table), "y")
    for never in (np.nan, np.inf, 0):
        forms = table.assign(start=table["start"].astype(float).replace(0.0, never))
        again, _ = sample_of(Panel(forms), "y")
        np.testing.assert_array_equal(again.start, plain.start)
    month = pd.date_range("2021-04-01", periods=24, freq="MS")
    dates = table.assign(
        period=month[table["period"] - 1],
        start=[pd.NaT if s == 0 else month[s - 1] for s in table["start"]],
    )
    dated, _ = sample_of(Panel(dates), "y")
    np.testing.assert_array_equal(dated.cohort, plain.cohort)
    np.testing.assert_array_equal(dated.outcome, plain.outcome)


def test_a_pilot_unit_not_seen_before_its_start_is_left_out_and_counted() -> None:
    table = staggered_table(6, pilots=6)
    start = table.groupby("unit")["start"].transform("first")
    new = (table["unit"] == 2) & (table["period"] < start)
    sample, _ = sample_of(Panel(table[~new]), "y")
    lost = int(((table["unit"] == 2) & ~new).sum())
    assert sample.counts["pilot_units"] == 5
    assert sample.counts["left_out"] == [
        {"n": lost, "reason": "rows of 1 pilot unit not seen before the start"}
    ]
    kept, _ = sample_of(Panel(table[~new]), "y", seen_before=False)
    assert kept.counts["pilot_units"] == 6


def test_a_number_of_events_from_units_that_count_alike_is_warned_of() -> None:
    table = staggered_table(6, pilots=6).assign(n=lambda d: np.where(d["unit"] < 3, 1000.0, 9000.0))
    panel = Panel(table, population="n").with_rate("y", per=100, name="rate")
    assert "counts alike" in unweighted_total(panel, "rate")[0].text
    assert unweighted_total(panel.weighted_by_people(), "rate") == []
    assert unweighted_total(panel, "y") == []
