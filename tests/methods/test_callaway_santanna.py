"""Numbers from R, a rare start by hand, what comes out of dates and gaps, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact import Panel
from ucimpact.errors import DesignError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.staggered import Analytic, Multiplier
from ucimpact.methods import callaway_santanna_terms, staggered_uncertainty
from ucimpact.methods.callaway_santanna import CallawaySantAnna
from ucimpact.methods.sun_abraham import SunAbraham

CONTROLS = {"nevertreated": "never-treated", "notyettreated": "not-yet-treated"}
AGGREGATES = {
    "group": ("group", "group_average", "group"),
    "dynamic": ("event", "dynamic_average", "event_time"),
    "calendar": ("calendar", "calendar_average", "period"),
}


# -- R -----------------------------------------------------------------------------------------


def numbers_of(
    estimate: Estimate, term: str, column: str | None = None, at: Any = None
) -> tuple[float, float]:
    rows = estimate.effects[estimate.effects["term"] == term]
    if column == "event_time":
        rows = rows[rows[column] == at]
    elif column is not None:
        rows = rows[rows[column].astype(str) == str(at)]
    (row,) = rows.to_dict("records")
    return row["estimate"], row["std_error"]


def agrees(judge: dict, plain: Estimate, balanced: Estimate) -> None:
    """Every number of a case: cells, averages, errors, the test before the start."""
    pairs = []
    for cell in judge["att_gt"]:
        rows = plain.effects[plain.effects["term"] == "group_time"]
        here = rows[
            (rows["group"].astype(str) == str(cell["group"]))
            & (rows["period"].astype(str) == str(cell["time"]))
        ]
        pairs.append(((here["estimate"].item(), here["std_error"].item()), (cell["att"], cell["se"])))
    simple = judge["simple"]
    pairs.append((numbers_of(plain, "att"), (simple["overall_att"], simple["overall_se"])))
    for name, (term, average, column) in AGGREGATES.items():
        part = judge[name]
        pairs.append((numbers_of(plain, average), (part["overall_att"], part["overall_se"])))
        for at, att, se in zip(part["egt"], part["att"], part["se"], strict=True):
            pairs.append((numbers_of(plain, term, column, at), (att, se)))
    part = judge["dynamic_balance_e1"]
    pairs.append((numbers_of(balanced, "dynamic_average"), (part["overall_att"], part["overall_se"])))
    for at, att, se in zip(part["egt"], part["att"], part["se"], strict=True):
        pairs.append((numbers_of(balanced, "event", "event_time", at), (att, se)))
    found, expected = np.array(pairs).transpose(1, 2, 0)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-4)
    wald = plain.extras["cells_before"]
    assert wald["statistic"] == pytest.approx(judge["pretest_wald"], rel=1e-4)
    assert wald["p_value"] == pytest.approx(judge["pretest_p"], abs=1e-5)


def both_fits(panel: Panel, outcome: str, **fields: Any) -> tuple[Estimate, Estimate]:
    # R's did 2.1.2 measures periods before the start from the one before each, and has analytic errors
    fields = {"base_period": "varying", "cov": Analytic(), **fields}
    plain = CallawaySantAnna(outcome=outcome, **fields).fit(panel)
    return plain, CallawaySantAnna(outcome=outcome, balance=1, **fields).fit(panel)


CASES = [
    f"cs_{control}_{estimator}_{cov}"
    for control in CONTROLS
    for estimator in ("reg", "ipw", "dr")
    for cov in ("nocov", "lpop")
]


@pytest.mark.parametrize("case", CASES)
def test_counties_and_the_minimum_wage_are_those_of_did(case: str, shared: Path) -> None:
    table = pd.read_csv(shared / "reference/data/mpdta.csv")
    panel = Panel(table, unit="countyreal", period="year", start="first.treat")
    _, control, estimator, covariates = case.split("_")
    fits = both_fits(
        panel,
        "lemp",
        control_group=CONTROLS[control],
        estimator=estimator,
        covariates=() if covariates == "nocov" else (covariates,),
    )
    agrees(golden(shared / "reference/golden/mpdta_callaway_santanna.json")[case], *fits)


@pytest.mark.parametrize("outcome", ["rate", "cost"])
@pytest.mark.parametrize("control", list(CONTROLS))
@pytest.mark.parametrize("how", ["reg_nocov", "dr_imd"])
def test_practices_are_those_of_did(outcome: str, control: str, how: str, reference: Path) -> None:
    table = pd.read_csv(reference / "sim_staggered_practices.csv")
    panel = Panel(table, unit="unit", period="period", start="first_treat")
    estimator, covariates = how.split("_")
    fits = both_fits(
        panel,
        outcome,
        control_group=CONTROLS[control],
        estimator=estimator,
        covariates=() if covariates == "nocov" else (covariates,),
    )
    judge = golden(reference / "sim_staggered_callaway_santanna.json")
    agrees(judge[f"cs_{outcome}_{control}_{how}"], *fits)


@pytest.mark.parametrize("case", ["cs_rcs_reg_cov", "cs_rcs_ipw_cov", "cs_rcs_dr_cov", "cs_rcs_nocov"])
def test_patients_are_those_of_did(case: str, reference: Path) -> None:
    table = pd.read_csv(reference / "sim_rcs_patients.csv")
    panel = Panel(table, unit="id", period="period", start="first_treat")
    fields: dict[str, Any] = {"estimator": case.split("_")[2], "covariates": ("age", "ltc")}
    if case == "cs_rcs_nocov":
        fields = {"estimator": "reg", "control_group": "not-yet-treated"}
    fits = both_fits(panel, "los", cross_sections=True, **fields)
    agrees(golden(reference / "sim_rcs_callaway_santanna.json")[case], *fits)


def test_an_error_of_did_is_made_by_analytic_alone(reference: Path) -> None:
    # did 2.1.2 gives the spread of all starts' shares to the first of them in the average by start: 6.75, where
    # the derivative by the shares gives 7.48. Everything else is the same to the last digit
    table = pd.read_csv(reference / "sim_staggered_practices.csv")
    panel = Panel(table, unit="unit", period="period", start="first_treat")
    as_in_r = CallawaySantAnna(outcome="rate", base_period="varying", cov=Analytic()).fit(panel)
    _, _, laid = CallawaySantAnna(outcome="rate", base_period="varying")._lay_out(panel)
    assert laid is not None
    cov = callaway_santanna_terms.influence_of(laid, with_shares=True).second_moments()
    rows = as_in_r.effects[~as_in_r.effects["term"].isin(["cumulative", "relative"])]
    ratio = np.sqrt(np.diag(cov)) / rows["std_error"].to_numpy()
    average = (rows["term"] == "group_average").to_numpy()
    np.testing.assert_allclose(ratio[~average], 1, rtol=1e-9)
    assert ratio[average] == pytest.approx(7.48351 / 6.74662, rel=1e-4)


# -- by hand -----------------------------------------------------------------------------------


def test_by_hand() -> None:
    rows = {
        "a": (2, [10, 11, 8, 7]),  # starts in 2
        "b": (2, [20, 22, 17, 15]),
        "c": (3, [5, 6, 8, 4]),  # starts in 3
        "d": (None, [30, 31, 32, 34]),
        "e": (None, [40, 43, 42, 46]),
    }
    table = pd.DataFrame(
        [(u, t, start, y) for u, (start, ys) in rows.items() for t, y in enumerate(ys)],
        columns=["unit", "period", "start", "y"],
    )
    others = {t: ((31, 43)[0] * 0 + (rows["d"][1][t] + rows["e"][1][t]) / 2) for t in range(4)}
    first = {t: (rows["a"][1][t] + rows["b"][1][t]) / 2 for t in range(4)}
    second = dict(enumerate(rows["c"][1]))
    att_22 = (first[2] - first[1]) - (others[2] - others[1])
    att_23 = (first[3] - first[1]) - (others[3] - others[1])
    att_33 = (second[3] - second[2]) - (others[3] - others[2])
    estimate = CallawaySantAnna(outcome="y").fit(Panel(table))
    assert estimate.headline["estimate"] == pytest.approx((2 * att_22 + 2 * att_23 + att_33) / 5)
    assert numbers_of(estimate, "event", "event_time", 0)[0] == pytest.approx((2 * att_22 + att_33) / 3)
    assert numbers_of(estimate, "group", "group", 2)[0] == pytest.approx((att_22 + att_23) / 2)
    assert numbers_of(estimate, "calendar", "period", 3)[0] == pytest.approx((2 * att_23 + att_33) / 3)
    assert estimate.effect("cumulative")["estimate"] == pytest.approx(2 * att_22 + 2 * att_23 + att_33)
    # c, not yet started in 2, joins the comparison there
    joined = (rows["d"][1][2] - 31 + rows["e"][1][2] - 43 + second[2] - second[1]) / 3
    later = CallawaySantAnna(outcome="y", control_group="not-yet-treated").fit(Panel(table))
    cells = later.effects[later.effects["term"] == "group_time"]
    here = cells[(cells["group"].astype(str) == "2") & (cells["period"].astype(str) == "2")]
    assert here["estimate"].item() == pytest.approx((first[2] - first[1]) - joined)


def rare_start(seed: int, n: int = 6_000, pilot: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A covariate, who of very many had the pilot, and a change that goes with its square."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    treated = np.zeros(n, dtype=bool)
    chance = np.exp(0.8 * x)
    treated[rng.choice(n, pilot, replace=False, p=chance / chance.sum())] = True
    return x, treated, 0.5 * x + 0.7 * x**2 + treated + rng.normal(size=n)


@pytest.mark.parametrize("seed", range(4))
def test_a_rare_start_is_that_of_the_formula(seed: int) -> None:
    # nearly every score is below 0.01: clipping them there moves the effect by up to a tenth
    x, treated, change = rare_start(seed)
    columns = np.column_stack([np.ones(len(x)), x])
    gamma = np.array([np.log(20 / 5_980), 0.0])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-columns @ gamma))
        information = (columns.T * (chance * (1 - chance))) @ columns
        gamma = gamma + np.linalg.solve(information, columns.T @ (treated - chance))
    chance = 1 / (1 + np.exp(-columns @ gamma))
    beta = np.linalg.lstsq(columns[~treated], change[~treated], rcond=None)[0]
    left = change - columns @ beta
    odds = (chance / (1 - chance))[~treated]
    by_hand = left[treated].mean() - (odds @ left[~treated]) / odds.sum()
    assert (chance < 0.01).mean() > 0.8

    n = len(x)
    table = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n), 2),
            "period": np.tile([1, 2], n),
            "start": np.repeat(np.where(treated, 2.0, np.nan), 2),
            "x": np.repeat(x, 2),
            "y": np.column_stack([np.zeros(n), change]).ravel(),
        }
    )
    estimate = CallawaySantAnna(outcome="y", covariates=("x",)).fit(Panel(table))
    assert estimate.headline["estimate"] == pytest.approx(by_hand, abs=1e-8)


# -- what a panel may look like ----------------------------------------------------------------


def practices(
    seed: int = 1, n: int = 60, periods: int = 12, effect: float = -2.0, **columns: Any
) -> pd.DataFrame:
    """Three starts and never; AR(1) noise; a covariate on which the trend hangs."""
    rng = np.random.default_rng(seed)
    start = np.array([5.0, 7.0, 9.0, np.nan])[np.minimum(np.arange(n) % 6, 3)]
    need = rng.normal(size=n) + 0.5 * ~np.isnan(start)
    noise = np.zeros((n, periods))
    for t in range(periods):
        noise[:, t] = (0.5 * noise[:, t - 1] if t else 0) + rng.normal(size=n)
    when = np.arange(1, periods + 1)
    y = 30 + 2 * rng.normal(size=(n, 1)) + 0.2 * need[:, None] * when + noise
    y = y + np.where(when >= start[:, None], effect, 0.0)
    table = {
        "unit": np.repeat([f"p{i:03d}" for i in range(n)], periods),
        "period": np.tile(when, n),
        "start": np.repeat(start, periods),
        "need": np.repeat(need, periods),
        "list": np.repeat(rng.integers(2_000, 20_000, n), periods),
        "y": y.ravel(),
    }
    return pd.DataFrame({**table, **columns})


NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]


def same(one: Estimate, other: Estimate, **tolerance: float) -> None:
    tolerance = {"rtol": 1e-9, "atol": 1e-9, **tolerance}
    np.testing.assert_allclose(one.effects[NUMBERS], other.effects[NUMBERS], **tolerance)


def test_months_quarters_and_numbers_give_the_same() -> None:
    table = practices()
    number = CallawaySantAnna(outcome="y").fit(Panel(table))
    month = pd.Timestamp("2022-01-01")
    for step in (1, 3):
        dates = [month + pd.DateOffset(months=step * (int(t) - 1)) for t in table["period"]]
        starts = [
            pd.NaT if np.isnan(s) else month + pd.DateOffset(months=step * (int(s) - 1))
            for s in table["start"]
        ]
        dated = CallawaySantAnna(outcome="y").fit(Panel(table.assign(period=dates, start=starts)))
        same(dated, number)
    assert dated.extras["starts"][0]["units"] == 10


@pytest.mark.parametrize("never", [0, np.inf, None, np.nan, pd.NaT])
def test_never_may_be_written_in_several_ways(never: object) -> None:
    table = practices(n=24)
    plain = CallawaySantAnna(outcome="y").fit(Panel(table))
    start = table["start"].astype(object).where(table["start"].notna(), never)
    same(CallawaySantAnna(outcome="y").fit(Panel(table.assign(start=start))), plain)


def test_a_weight_of_two_is_the_unit_twice() -> None:
    table = practices(n=36)
    twice = table["unit"].str[-1].isin(["1", "4", "6"]).to_numpy()
    weighted = Panel(table.assign(w=np.where(twice, 2.0, 1.0)), weight="w")
    copies = pd.concat([table, table[twice].assign(unit=table["unit"][twice] + "b")])
    copied = Panel(copies.assign(place=copies["unit"].str[:4]), cluster="place")
    for fields in (
        {},
        {"covariates": ("need",)},
        {"covariates": ("need",), "control_group": "not-yet-treated"},
    ):
        one, other = (
            CallawaySantAnna(outcome="y", cov=Analytic(), **fields).fit(p) for p in (weighted, copied)
        )
        terms = ~one.effects["term"].isin(["cumulative"])  # twice the units, twice the events
        np.testing.assert_allclose(one.effects[NUMBERS][terms], other.effects[NUMBERS][terms], rtol=1e-6)


@pytest.mark.parametrize("gaps", ["pairs", "drop", "sections"])
@pytest.mark.parametrize("covariates", [(), ("need",)])
def test_gaps_are_used_as_asked_for_and_counted(gaps: str, covariates: tuple[str, ...]) -> None:
    table = practices(seed=3, n=90)
    missing = np.random.default_rng(3).random(len(table)) < 0.01
    panel = Panel(table[~missing])
    estimate = CallawaySantAnna(outcome="y", gaps=gaps, covariates=covariates, cov=Analytic()).fit(panel)
    row = estimate.headline
    assert abs(row["estimate"] + 2) < 3.5 * row["std_error"] < 2
    whole = table[~missing].groupby("unit").size() == 12
    if gaps == "drop":
        keep = table["unit"].map(whole).to_numpy()
        same(
            CallawaySantAnna(outcome="y", covariates=covariates, cov=Analytic()).fit(Panel(table[keep])),
            estimate,
        )
        (left_out,) = estimate.counts["left_out"]
        assert left_out["n"] == int((~missing & ~keep).sum())
        assert "not seen in every period" in left_out["reason"]
    else:
        assert estimate.counts["units"] == 90


def test_a_whole_panel_is_the_same_whatever_is_asked_of_gaps() -> None:
    panel = Panel(practices(n=30))
    plain, *others = (
        CallawaySantAnna(outcome="y", gaps=gaps).fit(panel) for gaps in ("pairs", "drop", "sections")
    )
    for other in others:
        same(other, plain)


def test_places_add_up_their_units() -> None:
    table = practices(n=48)
    number = table["unit"].str[1:].astype(int)
    place = (number % 6).astype(str) + "-" + (number // 12).astype(str)
    panel = Panel(table.assign(place=place), cluster="place")
    estimate = CallawaySantAnna(outcome="y", cov=Analytic()).fit(panel)
    units = CallawaySantAnna(outcome="y", cov=Analytic()).fit(Panel(table))
    assert estimate.counts["places"] == 24
    assert estimate.headline["estimate"] == pytest.approx(units.headline["estimate"])
    assert estimate.headline["std_error"] != pytest.approx(units.headline["std_error"], rel=1e-3)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
def test_many_units_are_worked_on_in_parts_with_the_same_result(
    many: bool, clustered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = practices(n=120)
    number = table["unit"].str[1:].astype(int)
    place = (number % 6).astype(str) + "-" + (number // (12 if clustered else 1)).astype(str)
    panel = Panel(table.assign(place=place), cluster="place")
    fields = {"outcome": "y", "covariates": ("need",), "control_group": "not-yet-treated"}
    # of many places the mean of each start is not taken out of what they add, which the score leaves off 0
    ways = (
        ({}, 2e-2 if many else 1e-7),
        ({"cov": Analytic()}, 1e-7),
        ({"cov": Multiplier(draws=9_999)}, 0.1),
    )
    for cov, tolerance in ways:
        whole = CallawaySantAnna(**fields, **cov).fit(panel)
        monkeypatch.setattr(callaway_santanna_terms, "HELD", 0)
        monkeypatch.setattr(callaway_santanna_terms, "AT_ONCE", 7)
        monkeypatch.setattr(staggered_uncertainty, "MANY_IN_PARTS", 0 if many else 10**9)
        parts = CallawaySantAnna(**fields, **cov).fit(panel)
        monkeypatch.undo()
        np.testing.assert_allclose(parts.effects["estimate"], whole.effects["estimate"], rtol=1e-9)
        np.testing.assert_allclose(parts.effects["std_error"], whole.effects["std_error"], rtol=tolerance)


@pytest.mark.parametrize("weight", [None, "list"])
@pytest.mark.parametrize("control", list(CONTROLS.values()))
def test_loadings_make_every_effect_from_mean_outcomes(weight: str | None, control: str) -> None:
    table = practices(n=31)
    table["list"] = table.groupby("unit")["list"].transform("first")
    method = CallawaySantAnna(outcome="y", control_group=control, anticipation=1)
    _, sample, laid = method._lay_out(Panel(table, weight=weight))
    assert sample is not None and laid is not None
    influence = callaway_santanna_terms.influence_of(laid, with_shares=False)
    terms = callaway_santanna_terms.terms_of(laid, influence, influence, linear=True)
    weights = sample.weights[:, 0]
    means = [
        np.average(sample.outcome[sample.cohort == g], axis=0, weights=weights[sample.cohort == g])
        for g in range(4)
    ]
    assert terms.loadings is not None
    np.testing.assert_allclose(np.einsum("gkt,gt->k", terms.loadings, means), terms.estimate, atol=1e-9)
    np.testing.assert_allclose(
        (terms.cohort_share * terms.cohort_effect).sum(axis=0), terms.estimate, atol=1e-9
    )
    np.testing.assert_allclose(terms.cohort_share.sum(axis=0), 1)
    np.testing.assert_allclose(terms.loadings.sum(axis=2), 0, atol=1e-12)


def test_without_covariates_a_lone_pilot_unit_has_a_likely_range() -> None:
    table = practices(n=30)
    units = sorted(table["unit"].unique())
    table["start"] = np.where(
        table["unit"] == units[0], 5.0, np.where(table["unit"] == units[1], 8.0, np.nan)
    )
    estimate = CallawaySantAnna(outcome="y").fit(Panel(table))
    assert np.isfinite(estimate.headline["conf_low"])
    assert estimate.extras["rule"]["refused"] is None


def test_anticipation_moves_the_period_that_effects_are_measured_from() -> None:
    table = practices(effect=0.0)
    early = table["period"] >= table["start"] - 1
    table["y"] -= 3.0 * early
    estimate = CallawaySantAnna(outcome="y", anticipation=1).fit(Panel(table))
    assert estimate.extras["reference"] == {"event_time": -2}
    assert numbers_of(estimate, "event", "event_time", -1)[0] == pytest.approx(-3, abs=1)
    assert estimate.headline["estimate"] == pytest.approx(-3, abs=1)
    assert CallawaySantAnna(outcome="y").fit(Panel(table)).headline["estimate"] == pytest.approx(0, abs=1)


def test_a_period_nobody_was_seen_in_moves_the_reference_and_says_so() -> None:
    table = practices()
    panel = Panel(table[table["period"] != 4])
    estimate, other = (method(outcome="y").fit(panel) for method in (CallawaySantAnna, SunAbraham))
    assert any("last period before the start in 5" in text for text in estimate.warnings)
    # the period that the start in 5 is measured from is no effect two periods before it
    paths = [fit.path()[["event_time", "estimate"]] for fit in (estimate, other)]
    np.testing.assert_allclose(*paths, rtol=1e-9)
    cells = estimate.effects[estimate.effects["term"] == "group_time"]
    mine = cells[cells["event_time"] == -2]
    assert set(mine["group"].astype(str)) == {"7", "9"}
    assert numbers_of(estimate, "event", "event_time", -2)[0] == pytest.approx(mine["estimate"].mean())
    whole = CallawaySantAnna(outcome="y", anticipation=1).fit(Panel(table))
    assert not any("earlier one is the reference" in text for text in whole.warnings)


def test_a_varying_base_has_a_row_for_every_time_and_no_path_to_test() -> None:
    estimate = CallawaySantAnna(outcome="y", base_period="varying").fit(Panel(practices()))
    assert list(estimate.path()["event_time"]) == list(range(-7, 8))
    assert "universal" in estimate.extras["pre_trend"]["why"]
    universal = CallawaySantAnna(outcome="y").fit(Panel(practices()))
    assert -1 not in list(universal.path()["event_time"])
    # without covariates changes and sums of changes test the same
    tests = [fit.extras["cells_before"]["statistic"] for fit in (estimate, universal)]
    assert tests[0] == pytest.approx(tests[1], rel=1e-6)


def test_units_that_start_within_the_anticipation_are_left_out_and_counted() -> None:
    table = practices()
    table["start"] = table["start"].replace(5.0, 2.0)
    estimate = CallawaySantAnna(outcome="y", anticipation=1).fit(Panel(table))
    assert [row["units"] for row in estimate.extras["starts"]] == [10, 10]
    (left_out,) = estimate.counts["left_out"]
    assert left_out == {"n": 120, "reason": "rows of 10 units that were not seen before the anticipation"}


def test_without_units_that_never_start_the_last_are_the_comparison() -> None:
    table = practices().dropna(subset="start")
    for control in ("never-treated", "not-yet-treated"):
        estimate = CallawaySantAnna(outcome="y", control_group=control).fit(Panel(table))
        assert estimate.counts["periods"] == 8
        assert [row["units"] for row in estimate.extras["starts"]] == [10, 10]
        assert any("start last are the comparison" in text for text in estimate.warnings)


# -- what is refused -----------------------------------------------------------------------------


def refused(table: pd.DataFrame, match: str, **fields: Any) -> None:
    method = CallawaySantAnna(outcome="y", **fields)
    with pytest.raises(DesignError, match=match):
        method.fit(Panel(table))
    assert any(finding.level == "refuse" for finding in method.check_design(Panel(table)))


def test_a_start_of_one_unit_with_covariates_is_refused_with_the_way_out() -> None:
    table = practices()
    table.loc[table["unit"] == "p000", "start"] = 6.0
    refused(table, "1 or fewer units that started in 6.*Leave the covariates out", covariates=("need",))
    estimate = CallawaySantAnna(outcome="y", covariates=("need",), estimator="reg").fit(Panel(table))
    assert np.isfinite(estimate.headline["estimate"])


def test_a_covariate_that_tells_the_groups_apart_is_refused_by_name() -> None:
    table = practices()
    table["mark"] = table["start"].notna() * 1.0 + 0.01 * table["need"]
    refused(table, "covariate `mark`.*without error", covariates=("need", "mark"))
    table["twin"] = 2 * table["need"] + 1
    for estimator in ("dr", "dr-improved", "ipw", "reg"):
        way: dict[str, Any] = {"covariates": ("need", "twin"), "estimator": estimator}
        refused(table, "(?i)covariate `twin`.*nothing of its own", **way)


def test_units_seen_once_are_refused_as_a_panel() -> None:
    table = practices()
    table["unit"] = table["unit"] + table["period"].astype(str)
    refused(table, "Use cross_sections = true")


def test_a_constant_outcome_and_too_much_anticipation_are_refused() -> None:
    refused(practices().assign(y=3.0), "`y` is 3 throughout")
    refused(practices(), "No period is left before any start", anticipation=9)


def test_few_places_with_covariates_keep_the_estimate_and_lose_the_range() -> None:
    table = practices(n=40)
    few = table["unit"].isin(["p000", "p001", "p006", "p007", "p012"])
    table = table[few | table["start"].isna()]
    with_covariate = CallawaySantAnna(outcome="y", covariates=("need",), estimator="reg").fit(Panel(table))
    assert np.isfinite(with_covariate.headline["estimate"])
    assert np.isnan(with_covariate.headline["p_value"])
    assert with_covariate.extras["rule"]["refused"]


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"estimator": "aipw"}, "estimator = 'aipw': give one of"),
        ({"control_group": "never"}, "control_group"),
        ({"base_period": "last"}, "base_period"),
        ({"gaps": "fill"}, "gaps"),
        ({"anticipation": -1}, "anticipation"),
        ({"balance": -1}, "balance"),
        ({"level": 0.3}, "level"),
        ({"covariates": ("y",)}, "cannot be a covariate"),
        ({"cov": "auto"}, "give Auto"),
    ],
)
def test_a_choice_that_is_none_is_refused(fields: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        CallawaySantAnna(outcome="y", **fields)


# -- the truth ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("covariates", "draws"), [((), 30), (("need",), 150)])
def test_intervals_cover_the_truth_as_often_as_they_say(covariates: tuple[str, ...], draws: int) -> None:
    covered, estimates = [], []
    for seed in range(draws):
        table = practices(seed=seed, n=72)
        if not covariates:  # parallel without the covariate
            table["y"] -= 0.2 * table["need"] * table["period"]
        row = CallawaySantAnna(outcome="y", covariates=covariates).fit(Panel(table)).headline
        covered.append(row["conf_low"] <= -2 <= row["conf_high"])
        estimates.append(row["estimate"])
    assert np.mean(covered) == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / draws))
    assert np.mean(estimates) == pytest.approx(-2, abs=3.5 * np.std(estimates) / np.sqrt(draws))
