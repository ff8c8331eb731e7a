"""Checks that change dates, outcomes and places: what they find where the truth is planted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.panel import Panel
from ucimpact.diagnostics.check import Check
from ucimpact.diagnostics.robustness import (
    carried_by,
    comparisons_used,
    leave_one_place_out,
    moved_back,
    placebo_outcomes,
    placebo_starts,
    scales,
)
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.words.never import breaks

DID = DifferenceInDifferences(outcome="y")


def table(
    seed: int = 0, units: int = 30, pilots: int = 10, periods: int = 24, before: int = 12, **planted: Any
) -> pd.DataFrame:
    """Units by month, independent noise of 1; ``effect`` after the start, ``early`` from month 4 on."""
    rng = np.random.default_rng(seed)
    t, pilot = np.arange(periods), np.arange(units) < pilots
    y = rng.normal(size=(units, periods)) * planted.get("sd", 1.0) + rng.normal(size=(units, 1))
    y += pilot[:, None] * planted.get("effect", 0.0) * (t >= before)
    y += pilot[:, None] * planted.get("early", 0.0) * (t >= 4)
    return pd.DataFrame(
        {
            "unit": np.repeat([f"p{k:02d}" for k in range(units)], periods),
            "period": np.tile(pd.period_range("2022-01", periods=periods, freq="M").astype(str), units),
            "start": np.repeat(np.where(pilot, str(pd.Period("2022-01", "M") + before), ""), periods),
            "y": y.reshape(-1),
        }
    )


def head(estimate: float, low: float, high: float, p: float, **more: Any) -> Estimate:
    rows = [{"term": "att", "estimate": estimate, "conf_low": low, "conf_high": high, "p_value": p}]
    if "relative" in more:
        rows.append({**rows[0], "term": "relative", **more.pop("relative")})
    return Estimate(method="did", estimand="ATT", outcome="y", effects=effects_frame(rows), **more)


def well_said(check: Check | None) -> Check:
    assert check is not None and not breaks(check.text) and not check.counted
    assert Check.from_dict(check.to_dict()).answer == check.answer
    return check


# -- other dates -------------------------------------------------------------------------


def test_calm_months_show_nothing_at_earlier_dates() -> None:
    panel = Panel(table(effect=-3.0))
    found = well_said(placebo_starts(DID.fit, panel, DID.fit(panel)))
    assert found.answer == "holds" and len(found.table) == 3
    assert all(abs(row["estimate"]) < 1.5 for row in found.table)


def test_a_change_before_the_pilot_is_found() -> None:
    panel = Panel(table(effect=-1.0, early=-3.0))
    found = well_said(placebo_starts(DID.fit, panel, DID.fit(panel)))
    assert found.answer == "doubtful" and found.p_value is not None and found.p_value < 0.01
    by_move = {row["periods_earlier"]: row["estimate"] for row in found.table}
    assert by_move[8 if 8 in by_move else max(by_move)] == pytest.approx(-3.0, abs=1.0)


def test_an_unsteady_past_cannot_tell() -> None:
    panel = Panel(table(effect=-0.2))
    assert placebo_starts(DID.fit, panel, DID.fit(panel)).answer == "cannot tell"


def test_the_time_of_the_pilot_is_left_out() -> None:
    """A fake start is worked out from the months before alone: the effect does not matter."""
    calm, strong = (Panel(table(effect=e)) for e in (0.0, -50.0))
    rows = [placebo_starts(DID.fit, p, DID.fit(p)).table for p in (calm, strong)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("kind", ["month", "number", "quarter"])
def test_starts_are_moved_in_any_calendar(kind: str) -> None:
    made = table(effect=-3.0)
    if kind == "number":
        code = {p: k for k, p in enumerate(sorted(made["period"].unique()), start=1)}
        made = made.assign(period=made["period"].map(code), start=made["start"].map(code).fillna(0))
    elif kind == "quarter":
        day = {p: pd.Timestamp("2018-01-01") + pd.DateOffset(months=3 * k)
               for k, p in enumerate(sorted(made["period"].unique()))}  # fmt: skip
        made = made.assign(period=made["period"].map(day), start=made["start"].map(day))
    panel = Panel(made)
    moved = moved_back(panel, 5)
    assert moved is not None
    assert moved.starts == (panel.starts[0] - 5,)
    assert moved.ordinals[-1] == panel.starts[0] - 1
    assert int(moved.pilot_units.sum()) == 10


def test_units_that_start_too_soon_are_left_out_of_a_moved_panel() -> None:
    made = table()
    sooner = made["unit"].isin(["p00", "p01"])
    made.loc[sooner, "start"] = "2022-05"
    moved = moved_back(Panel(made), 4)
    assert moved is not None and "p00" not in moved.units and int(moved.pilot_units.sum()) == 8
    assert moved_back(Panel(made), 11) is None
    assert moved_back(Panel(table().assign(start="")), 2) is None


def test_a_short_past_cannot_be_asked() -> None:
    panel = Panel(table(before=3))
    found = well_said(placebo_starts(DID.fit, panel, DID.fit(panel)))
    assert found.answer == "cannot tell" and "too little time" in found.text


def test_a_method_that_refuses_an_earlier_date_is_passed_over() -> None:
    def refuses(panel: Panel) -> Estimate:
        raise DesignError("no")

    panel = Panel(table())
    assert placebo_starts(refuses, panel, DID.fit(panel)).answer == "cannot tell"


def test_a_panel_whose_pilots_stop_can_be_moved() -> None:
    made = table().assign(stop="")
    made.loc[made["start"] != "", "stop"] = "2023-06"
    moved = moved_back(Panel(made, end="stop"), 4)
    assert moved is not None and moved.end is None


# -- other outcomes ----------------------------------------------------------------------


def test_outcomes_that_cannot_change() -> None:
    part = {"estimate": -0.2, "conf_low": -0.3, "conf_high": -0.1}
    main = head(-3, -4, -2, 0.001, relative=part)
    calm = {"estimate": 0.01, "conf_low": -0.1, "conf_high": 0.12}
    wide = {"estimate": 0.01, "conf_low": -0.5, "conf_high": 0.52}
    quiet, moved = head(0.1, -1, 1.2, 0.6, relative=calm), head(-2, -3, -1, 0.01, relative=part)
    assert well_said(placebo_outcomes([("falls", quiet)], main)).answer == "holds"
    doubt = well_said(placebo_outcomes([("falls", quiet), ("cuts", moved)], main))
    assert doubt.answer == "doubtful" and doubt.p_value == pytest.approx(0.02)
    assert [row["outcome"] for row in doubt.table] == ["falls", "cuts"]
    vague = head(0.1, -5, 5.2, 0.9, relative=wide)
    assert well_said(placebo_outcomes([("falls", vague)], main)).answer == "cannot tell"
    assert placebo_outcomes([], main) is None


def test_many_looks_are_allowed_for() -> None:
    part = {"estimate": -0.2, "conf_low": -0.3, "conf_high": -0.1}
    main = head(-3, -4, -2, 0.001, relative=part)
    quiet = head(0.1, -1, 1.2, 0.03, relative={"estimate": 0.05, "conf_low": 0.01, "conf_high": 0.09})
    assert well_said(placebo_outcomes([("a", quiet)], main)).answer == "doubtful"
    assert well_said(placebo_outcomes([(str(k), quiet) for k in range(5)], main)).answer == "holds"


def test_outcomes_without_a_common_scale_or_range_cannot_tell() -> None:
    main = head(-3, -4, -2, 0.001)
    assert well_said(placebo_outcomes([("a", head(0.1, -1, 1, 0.9))], main)).answer == "cannot tell"
    nothing = head(0.1, np.nan, np.nan, np.nan)
    assert well_said(placebo_outcomes([("a", nothing)], main)).answer == "cannot tell"


# -- other places ------------------------------------------------------------------------


def test_leaving_one_out_is_the_fit_without_it() -> None:
    made = table(effect=-3.0)
    panel = Panel(made)
    found = well_said(leave_one_place_out(DID.fit, panel, DID.fit(panel)))
    assert found.answer == "holds" and len(found.table) == 10  # the ten that move it most
    row = found.table[0]
    without = DID.fit(Panel(made[made["unit"] != row["place"]])).headline["estimate"]
    assert row["estimate"] == pytest.approx(without)
    assert abs(row["change"]) == max(abs(r["change"]) for r in found.table) == found.statistic


def test_one_place_that_turns_the_sign_is_a_doubt() -> None:
    made = table(sd=0.2, pilots=6)
    made.loc[(made["unit"] == "p00") & (made["period"] >= "2023-01"), "y"] -= 6.0
    made.loc[made["unit"].isin([f"p{k:02d}" for k in range(1, 6)]) & (made["period"] >= "2023-01"), "y"] += (
        0.5
    )
    panel = Panel(made)
    found = well_said(leave_one_place_out(DID.fit, panel, DID.fit(panel)))
    assert found.answer == "doubtful" and "one place" in found.text and "other way" in found.text
    assert found.table[0]["place"] == "p00" and found.table[0]["pilot"] is True
    carried = well_said(carried_by(DID.fit(panel)))
    assert carried.answer == "doubtful" and carried.table[0]["place"] == "p00"


def test_whole_places_are_left_out_and_the_most_influential_first() -> None:
    made = table(effect=-3.0).assign(town=lambda d: d["unit"].str[:3].map(lambda u: f"t{int(u[1:]) // 2}"))
    panel = Panel(made, cluster="town")
    estimate = DID.fit(panel)
    found = leave_one_place_out(DID.fit, panel, estimate, at_most=4)
    assert len(found.table) == 4 and "the 4 that bring most" in found.text
    row = found.table[0]
    without = DID.fit(Panel(made[made["town"] != row["place"]], cluster="town"))
    assert row["estimate"] == pytest.approx(without.headline["estimate"])
    size = dict(zip(estimate.sampling_units, np.abs(estimate.influence[:, 0]), strict=True))
    told = {row["place"] for row in found.table}
    assert told == set(sorted(size, key=lambda k: -size[k])[:4])


def test_a_lone_pilot_place_cannot_be_left_out() -> None:
    panel = Panel(table(effect=-9.0, pilots=1))
    found = well_said(leave_one_place_out(DID.fit, panel, DID.fit(panel)))
    assert found.answer == "cannot tell" and "one pilot place" in found.text


def test_nothing_is_left_when_every_fit_is_refused() -> None:
    def refuses(panel: Panel) -> Estimate:
        raise DesignError("no")

    panel = Panel(table())
    assert leave_one_place_out(refuses, panel, DID.fit(panel)).answer == "cannot tell"


def test_spread_influence_is_counted() -> None:
    even = head(-3, -4, -2, 0.001, influence=np.ones((20, 1)), sampling_units=tuple("abcdefghijklmnopqrst"))
    found = well_said(carried_by(even))
    assert found.answer == "holds" and found.statistic == pytest.approx(0.05) and "20 of 20" in found.text
    assert carried_by(head(-3, -4, -2, 0.001)) is None
    assert carried_by(replace(even, influence=np.zeros((20, 1)))) is None


# -- what is compared --------------------------------------------------------------------


def bacon(weight: float, late: float, clean: float = -2.0) -> Estimate:
    rows = [
        {"kind": "pilot against never", "weight": 1 - weight, "estimate": clean},
        {"kind": "later against earlier", "weight": weight, "estimate": late},
    ]
    return head(-3, -4, -2, 0.001, extras={"bacon": {"by_kind": rows if weight else rows[:1]}})


def test_comparisons_with_units_that_had_the_pilot() -> None:
    assert well_said(comparisons_used(bacon(0.0, 0.0))).answer == "holds"
    assert well_said(comparisons_used(bacon(0.05, -1.0))).answer == "holds"
    assert well_said(comparisons_used(bacon(0.30, -1.0))).answer == "doubtful"
    turned = well_said(comparisons_used(bacon(0.09, 30.0)))
    assert turned.answer == "doubtful" and "other way" in turned.text
    why = head(-3, -4, -2, 0.001, extras={"bacon": {"why": "It needs every unit in every period."}})
    assert well_said(comparisons_used(why)).answer == "cannot tell"
    assert comparisons_used(head(-3, -4, -2, 0.001)) is None


@pytest.mark.parametrize(
    ("ratios", "numbers", "effects", "answer", "words"),
    [
        (0.5, 0.6, (-1, -1), "holds", "Either would do"),
        (0.5, 0.02, (-1, -1), "holds", "it matters"),
        (0.02, 0.5, (-1, -1), "doubtful", "supposes"),
        (0.5, 0.6, (-1, 1), "doubtful", "opposite"),
        (None, 0.6, (-1, -1), "cannot tell", "one month"),
    ],
)
def test_ratios_beside_numbers(
    ratios: float | None, numbers: float, effects: tuple[int, int], answer: str, words: str
) -> None:
    told = {
        "log": {"p_value": ratios, "effect": effects[0], "why": "With one month before there is no path."},
        "level": {"p_value": numbers, "effect": effects[1], "why": None},
    }
    found = well_said(scales(head(-3, -4, -2, 0.001, extras={"scales": told})))
    assert found.answer == answer and words in found.text
    assert [row["scale"] for row in found.table] == ["log", "level"]


def test_scales_are_asked_of_counts_alone() -> None:
    assert scales(head(-3, -4, -2, 0.001)) is None


def test_earlier_starts_without_a_range_say_why() -> None:
    panel = Panel(table(seed=1))
    whole, nan = DID.fit(panel), float("nan")

    def without_range(moved: Panel) -> Estimate:
        return head(-1.0, nan, nan, nan, extras={"rule": {"refused": "There are 3 comparison places."}})

    found = well_said(placebo_starts(without_range, panel, whole))
    assert found.answer == "cannot tell"
    assert found.text.endswith("none has a likely range: there are 3 comparison places.")
    assert "too little time" not in found.text


@pytest.mark.parametrize(("pilot", "answer"), [(1, "cannot tell"), (2, "cannot tell"), (3, "holds")])
def test_one_or_two_pilot_places_carry_the_result(pilot: int, answer: str) -> None:
    even = head(-3, -4, -2, 0.001, influence=np.ones((20, 1)), sampling_units=tuple("abcdefghijklmnopqrst"))
    found = well_said(carried_by(replace(even, counts={**even.counts, "pilot_places": pilot})))
    assert found.answer == answer
    assert ("carr" in found.text) == (pilot < 3)
