"""R's numbers, one start as a special case, the warning, and the average taken apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from tests.staggered_panels import Drawn, dense, drawn, of_cells
from ucimpact.data.panel import Panel
from ucimpact.errors import DesignError, UsageError
from ucimpact.inference.staggered import Analytic
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.event_study import EventStudy

EVENT_STUDY = EventStudy(outcome="y")
ESTIMATES, ERRORS = 1e-6, 1e-4


# -- R's fixest and bacondecomp ----------------------------------------------------------


@pytest.fixture(scope="module")
def teens(shared: Path) -> Panel:
    data = pd.read_csv(shared / "reference/data/mpdta.csv")
    for year in range(2004, 2008):
        data[f"lpop {year}"] = data["lpop"] * (data["year"] == year)
    return Panel(data, unit="countyreal", period="year", start="first.treat")


@pytest.fixture(scope="module")
def practices(reference: Path) -> Panel:
    return Panel(pd.read_csv(reference / "sim_staggered_practices.csv"), start="first_treat")


def same(row: Any, estimate: float, error: float) -> None:
    """fixest 0.13.2: CR1 with G/(G-1) (n-1)/(n-K), K without the unit effects; its p-values are of t on G - 1."""
    assert row["estimate"] == pytest.approx(estimate, rel=ESTIMATES)
    assert row["std_error"] == pytest.approx(error, rel=ERRORS)


@pytest.mark.parametrize(
    ("case", "covariates"),
    [("twfe_cluster", ()), ("twfe_cov", ("lpop 2004", "lpop 2005", "lpop 2006", "lpop 2007"))],
)
def test_teen_employment_equals_r(case: str, covariates: tuple[str, ...], teens: Panel, shared: Path) -> None:
    values = golden(shared / "reference/golden/mpdta_did_regression.json")[case]
    found = EventStudy(outcome="lemp", covariates=covariates, cov=Analytic()).fit(teens)
    same(found.headline, values["estimate"]["tp"], values["se"]["tp"])


@pytest.mark.parametrize("case", ["twfe_iid", "twfe_hetero", "twfe_twoway"])
def test_the_estimate_of_teen_employment_is_r_s_whatever_its_errors(
    case: str, teens: Panel, shared: Path
) -> None:
    """Errors that take rows for independent are no choice of a panel method: see the covariances themselves."""
    values = golden(shared / "reference/golden/mpdta_did_regression.json")[case]
    found = EventStudy(outcome="lemp").fit(teens).headline
    assert found["estimate"] == pytest.approx(values["estimate"]["tp"], rel=ESTIMATES)


def test_the_path_of_teen_employment_equals_r(teens: Panel, shared: Path) -> None:
    values = golden(shared / "reference/golden/mpdta_did_regression.json")["event_study"]
    path = EventStudy(outcome="lemp", cov=Analytic()).fit(teens).path().set_index("event_time")
    assert len(path) == len(values["estimate"])
    for key, estimate in values["estimate"].items():
        same(path.loc[int(key.split("::")[1])], estimate, values["se"][key])


def test_the_simulated_practices_equal_r(practices: Panel, reference: Path) -> None:
    cases = golden(reference / "sim_staggered_did_regression.json")
    plain = EventStudy(outcome="rate", cov=Analytic()).fit(practices)
    weighted = Panel(practices.table, start="first_treat", weight="person_years")
    by_people = EventStudy(outcome="rate", cov=Analytic()).fit(weighted)
    for case, found in (("twfe_rate", plain), ("twfe_rate_weighted", by_people)):
        same(found.headline, cases[case]["estimate"]["treated"], cases[case]["se"]["treated"])


KINDS = {
    "Treated vs Untreated": "pilot against never",
    "Earlier vs Later Treated": "earlier against later",
    "Later vs Earlier Treated": "later against earlier",
}


def taken_apart(bacon: dict[str, Any], case: dict[str, Any]) -> None:
    """bacondecomp 0.1.3."""
    ours = {(c["pilot"], c["other"]): c for c in bacon["components"]}
    assert len(ours) == len(case["components"])
    for theirs in case["components"]:
        other = theirs["untreated"]
        mine = ours[str(theirs["treated"]), None if other is None else str(other)]
        assert mine["kind"] == KINDS[theirs["type"]]
        assert mine["estimate"] == pytest.approx(theirs["estimate"], rel=1e-9)
        assert mine["weight"] == pytest.approx(theirs["weight"], rel=1e-9)
    sums = {row["kind"]: row for row in bacon["by_kind"]}
    for theirs in case["by_type"]:
        mine = sums[KINDS[theirs["type"]]]
        assert mine["weight"] == pytest.approx(theirs["weight"], rel=1e-9)
        assert mine["estimate"] == pytest.approx(theirs["avg_estimate"], rel=1e-9)
    assert bacon["static"] == pytest.approx(case["twfe"], rel=1e-9)


def test_teen_employment_is_taken_apart_as_in_r(teens: Panel, shared: Path) -> None:
    case = golden(shared / "reference/golden/mpdta_did_regression.json")["bacon"]
    taken_apart(EventStudy(outcome="lemp").fit(teens).extras["bacon"], case)


def test_the_simulated_practices_are_taken_apart_as_in_r(practices: Panel, reference: Path) -> None:
    case = golden(reference / "sim_staggered_did_regression.json")["bacon_rate"]
    taken_apart(EventStudy(outcome="rate").fit(practices).extras["bacon"], case)


# -- the estimate ------------------------------------------------------------------------


@pytest.mark.parametrize("pilots", [1, 3, 7])
def test_one_start_is_difference_in_differences(pilots: int) -> None:
    panel = Panel(drawn(61, sizes=(pilots, 12), starts=(6,)).table())
    ours, theirs = EVENT_STUDY.fit(panel), DifferenceInDifferences(outcome="y").fit(panel)
    names = ["estimate", "std_error"] + (["p_value", "conf_low", "conf_high"] if pilots < 6 else [])
    for name in names:
        assert ours.headline[name] == pytest.approx(theirs.headline[name], rel=1e-7)
    np.testing.assert_allclose(ours.path()[names], theirs.path()[names], rtol=1e-7)
    assert not ours.warnings or "two-way" not in " ".join(ours.warnings)
    assert [c["kind"] for c in ours.extras["bacon"]["components"]] == ["pilot against never"]


@pytest.mark.parametrize(
    "kind", [{}, {"gaps": 0.15, "weights": "cell", "covariates": 2}], ids=["whole", "ragged"]
)
def test_effects_are_those_of_a_regression_with_dummies(kind: dict) -> None:
    data = drawn(62, **kind)
    times = [e for e in range(-6, 6) if e != -1 and (data.since == e).any()]
    none = np.zeros((1, 9))
    path = dense(
        data, of_cells(data, np.array([np.vstack([data.since == e, none]) for e in times], dtype=float))
    )
    static = dense(data, of_cells(data, np.vstack([data.since >= 0, none])[None].astype(float)))
    names = tuple(f"x{k}" for k in range(len(data.x)))
    found = EventStudy(outcome="y", covariates=names).fit(Panel(data.table(), weight="w"))
    assert found.headline["estimate"] == pytest.approx(static.coef[0], rel=1e-8)
    assert found.path()["event_time"].tolist() == times
    np.testing.assert_allclose(found.path()["estimate"], path.coef[: len(times)], rtol=1e-7)
    later = np.mean([c for c, e in zip(path.coef, times, strict=False) if e >= 0])
    assert found.effect("dynamic_average")["estimate"] == pytest.approx(later, rel=1e-7)


def test_starts_that_differ_are_warned_of_with_the_weight_of_the_wrong_comparison() -> None:
    found = EVENT_STUDY.fit(Panel(drawn(63).table()))
    late = [row for row in found.extras["bacon"]["by_kind"] if row["kind"] == "later against earlier"]
    warning = found.warnings[0]
    assert warning.startswith("The pilot starts at 3 different times, and two-way fixed effects")
    assert f"({late[0]['weight']:.0%} of the weight)" in warning and "Use callaway-santanna" in warning


def test_growing_effects_turn_the_sign_of_a_comparison_which_is_why_it_warns() -> None:
    """The effect grows by 5 a period, so it is 5 or more in every treated row."""
    data = drawn(64, sizes=(8, 8, 2), starts=(3, 6), effect=5.0)
    found = EVENT_STUDY.fit(Panel(data.table()))
    parts = found.extras["bacon"]["components"]
    assert min(c["estimate"] for c in parts) < 0
    average = 5 * np.mean((data.periods[None, :] - data.start[:, None] + 1)[data.treated])
    assert found.headline["estimate"] < 0.8 * average


def test_times_that_cannot_be_told_apart_are_left_out_by_number() -> None:
    """Comparison units are seen once: without them a straight drift could be anybody's effect."""
    data = drawn(65, sizes=(6, 6, 6), starts=(5, 6))
    seen = np.where((data.start == np.inf)[:, None] & (data.periods > 1), 0.0, data.w)
    found = EventStudy(outcome="y", cov=Analytic()).fit(
        Panel(Drawn(data.y, seen, data.start, data.x).table())
    )
    given = set(found.path()["event_time"])
    assert any(warning.startswith("No effect is given at -5 periods") for warning in found.warnings)
    assert given == {-4, -3, -2, 0, 1, 2, 3, 4}
    assert np.isfinite(found.effects.query("term == 'event'")["std_error"]).all()


def test_what_cannot_be_taken_apart_says_why() -> None:
    gaps, x = drawn(66, gaps=0.1), drawn(66, covariates=1)
    assert "every unit in every period" in EVENT_STUDY.fit(Panel(gaps.table())).extras["bacon"]["why"]
    with_x = EventStudy(outcome="y", covariates=("x0",)).fit(Panel(x.table()))
    assert "no average of comparisons" in with_x.extras["bacon"]["why"]


def test_unit_weights_can_be_taken_apart_too() -> None:
    found = EVENT_STUDY.fit(Panel(drawn(67, weights="unit").table(), weight="w"))
    assert found.extras["bacon"]["static"] == pytest.approx(found.headline["estimate"], rel=1e-8)


def test_a_pilot_that_the_effects_hold_is_refused() -> None:
    data = drawn(68, sizes=(4, 4), starts=(5,))
    seen = Drawn(
        data.y, np.where((data.start == np.inf)[:, None] & (data.periods >= 5), 0, data.w), data.start, data.x
    )
    with pytest.raises(DesignError, match="cannot be told from unit and period effects"):
        EVENT_STUDY.fit(Panel(seen.table()))


@pytest.mark.parametrize("fields", [{"level": 0.2}, {"covariates": ("y",)}, {"cov": None}], ids=str)
def test_fields_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        EventStudy(outcome="y", **fields)


def test_many_places_need_no_second_opinion() -> None:
    data = drawn(69, sizes=(300, 300, 300, 400))
    found = EVENT_STUDY.fit(Panel(data.table()))
    rule = found.extras["rule"]
    assert rule["second_opinion"] is None and rule["permutations"] is None
    assert np.isfinite(found.headline["p_value"])
    few = EVENT_STUDY.fit(Panel(drawn(69).table())).extras["rule"]
    assert few["second_opinion"]["p_value"] > 0 and few["permutations"]
