"""R's numbers, one start as a special case, what cannot be imputed, and intervals that cover."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from tests.staggered_panels import Drawn, dense, drawn, repeated
from ucimpact.data.panel import Panel
from ucimpact.errors import DesignError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.cell_averages import averages
from ucimpact.inference.imputation import Imputation
from ucimpact.inference.staggered import Analytic, Multiplier
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.imputation import ImputationDiD

IMPUTATION = ImputationDiD(outcome="y")
PLAIN = {"cov": Analytic(), "leave_out": False}
ESTIMATES, ERRORS = 1e-6, 1e-4


def panel_of(data: Drawn, **roles: Any) -> Panel:
    return Panel(data.table(), **roles)


# -- R's didimputation -------------------------------------------------------------------


def same(found: Estimate, rows: list[dict[str, Any]]) -> None:
    """didimputation 0.5.0: no leave-out, no small-sample factor, normal quantiles.

    Its coefficients before the start come from fixest and have fixest's CR1 factor; its intervals are normal.
    """
    path = found.path().set_index("event_time")
    for row in rows:
        ours = found.headline if row["term"] == "treat" else path.loc[int(row["term"])]
        assert ours["estimate"] == pytest.approx(row["estimate"], rel=ESTIMATES)
        assert ours["std_error"] == pytest.approx(row["std.error"], rel=ERRORS)
        for end in ("low", "high"):
            assert ours[f"conf_{end}"] == pytest.approx(row[f"conf.{end}"], abs=ERRORS * row["std.error"])


@pytest.mark.parametrize("case", ["imputation_static", "imputation_event", "imputation_event_pre"])
def test_teen_employment_equals_r(case: str, shared: Path) -> None:
    data = pd.read_csv(shared / "reference/data/mpdta.csv")
    panel = Panel(data, unit="countyreal", period="year", start="first.treat")
    found = ImputationDiD(outcome="lemp", **PLAIN).fit(panel)
    same(found, golden(shared / "reference/golden/mpdta_did_regression.json")[case])


@pytest.mark.parametrize(
    ("case", "outcome"),
    [("imputation_rate", "rate"), ("imputation_rate_event", "rate"), ("imputation_cost", "cost")],
)
def test_the_simulated_practices_equal_r(case: str, outcome: str, reference: Path) -> None:
    data = pd.read_csv(reference / "sim_staggered_practices.csv")
    panel = Panel(data, unit="unit", period="period", start="first_treat")
    found = ImputationDiD(outcome=outcome, **PLAIN).fit(panel)
    same(found, golden(reference / "sim_staggered_did_regression.json")[case])


def test_the_planted_effect_is_inside_the_interval(reference: Path) -> None:
    data = pd.read_csv(reference / "sim_staggered_practices.csv")
    truth = golden_truth(reference)["expected_att_rate_per_1000py_post"]
    head = ImputationDiD(outcome="rate").fit(Panel(data, start="first_treat")).headline
    assert head["conf_low"] < truth < head["conf_high"]


def golden_truth(reference: Path) -> dict[str, Any]:
    import json

    return json.loads((reference / "truth_sim_staggered_practices.json").read_text())["values"]


# -- the estimate ------------------------------------------------------------------------


def test_by_hand() -> None:
    """a starts in period 2 and b in period 3; b is a comparison in period 2, c in both."""
    rows = [("a", 1, 2, 10), ("a", 2, 2, 15), ("a", 3, 2, 16)]
    rows += [("b", 1, 3, 20), ("b", 2, 3, 21), ("b", 3, 3, 30)]
    rows += [("c", 1, 0, 30), ("c", 2, 0, 33), ("c", 3, 0, 35)]
    found = IMPUTATION.fit(Panel(pd.DataFrame(rows, columns=["unit", "period", "start", "y"])))
    step = ((21 - 20) + (33 - 30)) / 2  # period 2 less period 1, from b and c
    a2 = 15 - 10 - step
    # untreated in period 3: c alone. Its unit effect is the mean of its three less the period effects
    fit = dense_effects(rows)
    cells = {
        (row.group, row.period): row.estimate
        for row in found.effects.query("term == 'group_time'").itertuples()
    }
    assert cells["2", "2"] == pytest.approx(a2)
    assert cells == pytest.approx(fit)
    assert found.headline["estimate"] == pytest.approx(np.mean(list(fit.values())))


def dense_effects(rows: list[tuple[str, int, int, float]]) -> dict[tuple[str, str], float]:
    free = [row for row in rows if not row[2] or row[1] < row[2]]
    columns = [[u == r[0] for u in "abc"] + [t == r[1] for t in (1, 2, 3)] for r in rows]
    x = np.array(columns, dtype=float)
    known = [rows.index(row) for row in free]
    coef = np.linalg.lstsq(x[known], np.array([row[3] for row in free], dtype=float), rcond=None)[0]
    return {(str(r[2]), str(r[1])): float(r[3] - x[k] @ coef) for k, r in enumerate(rows) if k not in known}


@pytest.mark.parametrize(
    "kind", [{}, {"gaps": 0.15, "weights": "cell", "covariates": 2}], ids=["whole", "ragged"]
)
def test_effects_are_those_of_a_regression_with_an_effect_for_every_treated_row(kind: dict) -> None:
    """Units, periods, covariates and one dummy a treated row: untreated rows alone shape the rest."""
    data = drawn(21, **kind)
    treated = data.treated & (data.w > 0)
    columns = np.zeros((int(treated.sum()), *data.y.shape))
    columns[np.arange(len(columns)), *np.nonzero(treated)] = 1.0
    effects = dense(data, columns).coef[: len(columns)]
    names = tuple(f"x{k}" for k in range(len(data.x)))
    found = ImputationDiD(outcome="y", covariates=names).fit(panel_of(data, weight="w"))
    weights = data.w[treated]
    assert found.headline["estimate"] == pytest.approx(np.average(effects, weights=weights), rel=1e-8)
    time = (data.periods - data.start[:, None])[treated]
    for row in found.path().query("event_time >= 0").itertuples():
        at = time == row.event_time
        assert row.estimate == pytest.approx(np.average(effects[at], weights=weights[at]), rel=1e-7)


@pytest.mark.parametrize("pilots", [1, 3, 7])
def test_one_start_is_difference_in_differences(pilots: int) -> None:
    """On a balanced panel the estimate, its range and its p-value are those of the two groups' means."""
    panel = panel_of(drawn(22, sizes=(pilots, 12), starts=(6,)))
    ours, theirs = IMPUTATION.fit(panel), DifferenceInDifferences(outcome="y").fit(panel)
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "p_value"]
    if pilots >= 6:  # the two say the same variance in two ways; degrees of freedom differ a little
        numbers = numbers[:2]
    for term in ("att", "cumulative"):
        for name in numbers:
            assert ours.effect(term)[name] == pytest.approx(theirs.effect(term)[name], rel=1e-7)
    before = ours.path().query("event_time < 0")["estimate"].to_numpy()
    np.testing.assert_allclose(before, theirs.path().query("event_time < 0")["estimate"], rtol=1e-8)


def test_a_weight_of_three_is_the_unit_three_times() -> None:
    """Errors too, when the three are one place: the leave-out form weighs places. (The plain one weighs rows.)"""
    data = drawn(23, sizes=(5, 5, 5, 8))
    times = np.random.default_rng(1).integers(1, 4, len(data.y))
    weighted = Drawn(data.y, data.w * times[:, None], data.start, data.x)
    many = repeated(weighted, times)
    table = many.table()
    table["place"] = np.repeat([f"p{k:03d}" for k in range(len(times))], times)[
        table["unit"].str[-3:].astype(int)
    ]
    method = ImputationDiD(outcome="y", cov=Analytic())
    one, other = method.fit(panel_of(weighted, weight="w")), method.fit(Panel(table, cluster="place"))
    after = one.effects["event_time"].isna() | (one.effects["event_time"] >= 0)
    after &= one.effects["term"] != "cumulative"  # a weight is no number of units
    columns = ["estimate", "std_error"]
    np.testing.assert_allclose(
        one.effects.loc[after, columns], other.effects.loc[after, columns], rtol=1e-7, atol=1e-9
    )


def test_the_estimate_says_that_the_two_halves_of_the_path_are_measured_apart() -> None:
    reference = IMPUTATION.fit(panel_of(drawn(24))).extras["reference"]
    assert reference == {"event_time": -1, "after": "the mean of all that was seen before"}


def test_leaving_out_gives_the_larger_error() -> None:
    panel = panel_of(drawn(24))
    out = ImputationDiD(outcome="y", cov=Analytic()).fit(panel).headline["std_error"]
    assert out > ImputationDiD(outcome="y", **PLAIN).fit(panel).headline["std_error"]


def test_the_default_procedure_is_not_given_the_leave_out_twice() -> None:
    """With gaps it reads places' own spread from what they add, and undoes the shrinking itself."""
    panel = panel_of(drawn(24, sizes=(6, 7, 6, 9), gaps=0.05))
    out, plain = (ImputationDiD(outcome="y", leave_out=leave_out).fit(panel) for leave_out in (True, False))
    pd.testing.assert_frame_equal(out.effects, plain.effects)
    assert out.headline["std_error"] > 0


def test_the_terms_come_in_their_order() -> None:
    terms = list(dict.fromkeys(IMPUTATION.fit(panel_of(drawn(25))).effects["term"]))
    assert terms == [
        *("att", "cumulative", "relative", "event", "dynamic_average", "group", "group_average"),
        *("calendar", "calendar_average", "group_time"),
    ]


def test_starts_that_differ_are_taken_by_every_procedure() -> None:
    panel = panel_of(drawn(26))
    fits = [ImputationDiD(outcome="y", cov=cov).fit(panel) for cov in (Analytic(), Multiplier(draws=199))]
    fits.append(IMPUTATION.fit(panel))
    for found in fits:
        assert found.headline["estimate"] == pytest.approx(fits[0].headline["estimate"], rel=1e-12)
        assert np.isfinite(found.effects.query("term != 'relative'")["std_error"]).all()
    assert fits[2].cov is not None


# -- what cannot be imputed --------------------------------------------------------------


def test_where_every_unit_starts_the_last_are_the_comparison() -> None:
    data = drawn(27, sizes=(4, 5, 6, 0))
    found = IMPUTATION.fit(panel_of(data))
    assert any("those that start last are the comparison" in warning for warning in found.warnings)
    assert found.counts["comparison_units"] == 6 and found.counts["periods"] == 6
    assert set(found.effects["group"].dropna()) == {"4", "6"}


def test_a_period_without_anybody_untreated_is_left_out_by_name() -> None:
    table = drawn(28).table()
    gone = (table["start"] == 0) & (table["period"] == 8)
    found = IMPUTATION.fit(Panel(table[~gone]))
    text = (
        "12 of 53 unit-periods with the pilot have no effect and are left out: in 8 no unit without the pilot"
    )
    assert any(text in warning for warning in found.warnings)
    assert "8" not in set(found.effects.query("term == 'calendar'")["period"])
    whole = IMPUTATION.fit(Panel(table))
    assert found.headline["estimate"] != whole.headline["estimate"]


def test_a_unit_first_seen_with_the_pilot_is_left_out_by_number() -> None:
    table = drawn(29).table()
    unit = table.loc[table["start"] == 4, "unit"].iloc[0]
    late = Panel(table[(table["unit"] != unit) | (table["period"] >= 4)])
    found = IMPUTATION.fit(late)
    (left_out,) = found.counts["left_out"]
    assert left_out["reason"] == "rows of 1 pilot unit not seen before the start"
    alone = IMPUTATION.fit(Panel(table[table["unit"] != unit]))
    assert found.headline["estimate"] == pytest.approx(alone.headline["estimate"], rel=1e-9)


def test_nothing_to_impute_from_is_refused() -> None:
    table = drawn(30, sizes=(3, 6), starts=(5,)).table()
    never = table[(table["start"] > 0) | (table["period"] < 5)]  # comparison units end at the start
    with pytest.raises(DesignError, match="in 5, 6, 7, 8 and 1 more no unit without the pilot was seen"):
        IMPUTATION.fit(Panel(never))


def test_a_lone_start_is_held_against_the_nearest_and_said() -> None:
    panel = panel_of(drawn(31, sizes=(1, 4, 3, 8)))
    found = ImputationDiD(outcome="y", cov=Analytic()).fit(panel)
    assert any("ne place alone started in 4" in warning for warning in found.warnings)
    apart = found.effects.query("term == 'group' and group == '4'")["std_error"].item()
    assert np.isfinite(apart) and apart > 0


@pytest.mark.parametrize("column", ["same all along", "same for all"])
def test_a_covariate_that_the_effects_hold_is_refused(column: str) -> None:
    table = drawn(32, covariates=1).table()
    by = "unit" if column == "same all along" else "period"
    table["x0"] = table.groupby(by)["x0"].transform("mean")
    with pytest.raises(DesignError, match="ovariate `x0` does not change over time"):
        ImputationDiD(outcome="y", covariates=("x0",)).fit(Panel(table))


@pytest.mark.parametrize(
    "fields", [{"level": 0.4}, {"covariates": ("y",)}, {"cov": "Auto"}], ids=["level", "covariate", "cov"]
)
def test_fields_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ImputationDiD(outcome="y", **fields)


# -- known truth -------------------------------------------------------------------------


def test_the_leave_out_variance_covers_a_growing_effect_and_the_plain_one_falls_short() -> None:
    """AR(1) 0.5, 9 pilot units of 24 in three starts; 400 draws: two sd is 2.2 points at 95%."""
    covered = {True: 0, False: 0}
    for seed in range(400):
        data = drawn(seed, sizes=(3, 3, 3, 15), effect=-1.0)
        truth = -np.mean((data.periods[None, :] - data.start[:, None] + 1)[data.treated])
        found = Imputation(data.panel, data.treated)
        simple = averages(found.mass[:-1], data.cohorts, data.periods, np.ones(3), found.mass[:-1] > 0)
        estimate = simple.of(found.cells[:-1])[0]
        for leave_out in covered:
            aside = found.deviations(np.arange(24), data.since, leave_out=leave_out)
            error = np.sqrt((found.influence(simple, aside)[0][:, 0] ** 2).sum())
            covered[leave_out] += abs(estimate - truth) <= 1.96 * error
    assert covered[True] / 400 == pytest.approx(0.95, abs=0.03)
    assert covered[False] < covered[True] - 20
