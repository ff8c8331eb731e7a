"""R's numbers, each start by hand, the regression with a dummy a cell, and what has no comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from tests.staggered_panels import Drawn, dense, drawn, of_cells, repeated
from ucimpact.data.panel import Panel
from ucimpact.errors import DesignError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.staggered import Analytic
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.sun_abraham import SunAbraham

SUN_ABRAHAM = SunAbraham(outcome="y")
ESTIMATES, ERRORS = 1e-6, 1e-4
KINDS = [{}, {"gaps": 0.15, "weights": "cell", "covariates": 2}]


def fit(data: Drawn, **fields: Any) -> Estimate:
    names = tuple(f"x{k}" for k in range(len(data.x)))
    return SunAbraham(outcome="y", covariates=names, **fields).fit(Panel(data.table(), weight="w"))


# -- R's fixest --------------------------------------------------------------------------


def same(found: Estimate, case: dict[str, Any]) -> None:
    """fixest 0.13.2 ``sunab``: CR1 with shares held fixed. Its p-values are of t on G - 1, ours here normal."""

    def pairs(part: str) -> list[tuple[str, float, float]]:
        values = case[part]
        return [(key, values["estimate"][key], values["se"][key]) for key in values["estimate"]]

    rows = found.effects
    known = [(rows[rows["term"] == "att"], *values[1:]) for values in pairs("att")]
    for key, *values in pairs("event_time"):
        known.append((rows.query(f"term == 'event' and event_time == {key.split('::')[1]}"), *values))
    for key, *values in pairs("cohort"):
        known.append((rows.query(f"term == 'group' and group == '{key.split('::')[1]}'"), *values))
    for key, *values in pairs("cohort_by_event_raw"):  # "year::-4:cohort::2007"
        event, group = key.split("::")[1].split(":")[0], key.split("::")[2]
        period = str(int(group) + int(event))
        known.append(
            (rows.query(f"term == 'group_time' and group == '{group}' and period == '{period}'"), *values)
        )
    for row, estimate, error in known:
        assert row["estimate"].item() == pytest.approx(estimate, rel=ESTIMATES)
        assert row["std_error"].item() == pytest.approx(error, rel=ERRORS)


def test_teen_employment_equals_r(shared: Path) -> None:
    data = pd.read_csv(shared / "reference/data/mpdta.csv")
    panel = Panel(data, unit="countyreal", period="year", start="first.treat")
    found = SunAbraham(outcome="lemp", cov=Analytic()).fit(panel)
    same(found, golden(shared / "reference/golden/mpdta_did_regression.json")["sunab"])


def test_the_simulated_practices_equal_r(reference: Path) -> None:
    data = pd.read_csv(reference / "sim_staggered_practices.csv")
    found = SunAbraham(outcome="rate", cov=Analytic()).fit(Panel(data, start="first_treat"))
    same(found, golden(reference / "sim_staggered_did_regression.json")["sunab_rate"])


# -- the estimate ------------------------------------------------------------------------


def test_each_cell_is_a_difference_in_differences_from_the_period_before_the_start() -> None:
    data = drawn(41)
    found = fit(data).effects.query("term == 'group_time'")
    never = data.y[data.cohort == 3].mean(axis=0)
    assert len(found) == 3 * 8
    for row in found.itertuples():
        start, period = int(row.group), int(row.period)
        own = data.y[data.start == start].mean(axis=0)
        by_hand = own[period - 1] - own[start - 2] - never[period - 1] + never[start - 2]
        assert row.estimate == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS, ids=["whole", "ragged"])
@pytest.mark.parametrize("also", [None, -3], ids=["one reference", "two references"])
def test_effects_and_errors_are_those_of_a_dummy_a_cell(kind: dict, also: int | None) -> None:
    data = drawn(42, **kind)
    out = {-1, also}
    cells = [(g, t) for g in range(3) for t in range(9) if data.since[g, t] not in out]
    tables = np.zeros((len(cells), 4, 9))
    for k, (g, t) in enumerate(cells):
        tables[k, g, t] = 1.0
    theirs = dense(data, of_cells(data, tables))
    scores = theirs.scores(slice(len(cells)))
    mass = np.array([data.panel.mass[cell] for cell in cells])
    factor = dense_cr1(data, theirs)
    found = fit(data, cov=Analytic(), also_reference=also)
    for event in sorted({int(data.since[cell]) for cell in cells}):
        at = np.array([data.since[cell] == event for cell in cells])
        share = np.where(at, mass, 0) / mass[at].sum()
        row = found.path().query(f"event_time == {event}")
        assert row["estimate"].item() == pytest.approx(theirs.coef[: len(cells)] @ share, rel=1e-7)
        error = np.sqrt(factor * ((scores @ share) ** 2).sum())
        assert row["std_error"].item() == pytest.approx(error, rel=1e-7)
    assert also is None or also not in set(found.path()["event_time"])


def dense_cr1(data: Drawn, fitted: Any) -> float:
    units = len(data.y)
    rows, parameters = len(fitted.residuals), fitted.rank - units + 1
    return units / (units - 1) * (rows - 1) / (rows - parameters)


@pytest.mark.parametrize("pilots", [1, 3, 7])
def test_one_start_gives_the_path_of_difference_in_differences(pilots: int) -> None:
    panel = Panel(drawn(43, sizes=(pilots, 12), starts=(6,)).table())
    ours, theirs = SUN_ABRAHAM.fit(panel), DifferenceInDifferences(outcome="y").fit(panel).path()
    names = ["estimate", "std_error"] + (["p_value", "conf_low", "conf_high"] if pilots < 6 else [])
    np.testing.assert_allclose(ours.path()[names], theirs[names], rtol=1e-7)
    later = theirs.query("event_time >= 0")["estimate"].mean()
    assert ours.headline["estimate"] == pytest.approx(later, rel=1e-9)


def test_a_weight_of_three_is_the_unit_three_times() -> None:
    data = drawn(44)
    times = np.random.default_rng(2).integers(1, 4, len(data.y))
    weighted = Drawn(data.y, data.w * times[:, None], data.start, data.x)
    one, many = fit(weighted), fit(repeated(weighted, times))
    keep = one.effects["term"] != "cumulative"
    np.testing.assert_allclose(
        one.effects.loc[keep, "estimate"], many.effects.loc[keep, "estimate"], rtol=1e-8
    )


def test_the_terms_come_in_their_order() -> None:
    terms = list(dict.fromkeys(fit(drawn(45)).effects["term"]))
    assert terms == [
        *("att", "cumulative", "relative", "event", "dynamic_average", "group", "group_average"),
        *("calendar", "calendar_average", "group_time"),
    ]


# -- comparisons -------------------------------------------------------------------------


def test_without_units_that_never_start_the_last_are_the_comparison() -> None:
    data = drawn(46, sizes=(4, 5, 6, 0))
    found = fit(data)
    assert any("those that start last are the comparison" in warning for warning in found.warnings)
    start = np.where(data.start == 7, np.inf, data.start)
    short = Drawn(data.y[:, :6], data.w[:, :6], start, data.x[:, :, :6])
    np.testing.assert_allclose(found.effects["estimate"], fit(short).effects["estimate"], rtol=1e-10)


def test_a_start_not_seen_just_before_it_is_measured_from_an_earlier_period() -> None:
    table = drawn(48).table()
    gone = (table["start"] == 6) & (table["period"] == 5)
    found = SUN_ABRAHAM.fit(Panel(table[~gone]))
    assert any("othing was seen in the last period before the start in 6" in w for w in found.warnings)
    cells = found.effects.query("term == 'group_time' and group == '6'")
    assert "4" not in set(cells["period"])  # the reference now


def test_a_start_never_seen_before_it_is_left_out_and_counted() -> None:
    table = drawn(49).table()
    gone = (table["start"] == 6) & (table["period"] < 6)
    found = SUN_ABRAHAM.fit(Panel(table[~gone]))
    (left_out,) = found.counts["left_out"]
    assert "not seen before the start" in left_out["reason"]
    assert set(found.effects["group"].dropna()) == {"4", "7"}


def test_a_covariate_that_cells_hold_is_refused() -> None:
    table = drawn(50, covariates=1).table()
    table["x0"] = table.groupby(["start", "period"])["x0"].transform("mean")
    with pytest.raises(DesignError, match="ovariate `x0` does not change"):
        SunAbraham(outcome="y", covariates=("x0",)).fit(Panel(table))


@pytest.mark.parametrize(
    "fields",
    [{"level": 1.0}, {"covariates": ("y",)}, {"cov": "CR1"}, {"also_reference": -1}],
    ids=lambda f: next(iter(f)),
)
def test_fields_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SunAbraham(outcome="y", **fields)
