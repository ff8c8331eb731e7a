"""A ratio of mean costs by hand, scores that are zero, and ranges that are refused where nothing is settled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tests.conftest import golden
from ucimpact.data.panel import Panel
from ucimpact.errors import DesignError, UsageError
from ucimpact.methods.cost_did import CostDiD

Array = np.ndarray
BY_POUND = CostDiD(outcome="cost", family="poisson")


def draw(
    seed: int, units: int = 40, pilots: int = 12, periods: int = 16, *, ratio: float = 1.0
) -> tuple[Panel, dict[str, float]]:
    """Costs with a fifth of zeros and a long tail, lasting levels, AR(1) shocks; half start in each of two periods."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.normal(9, 0.3, (units, 1)))
    shock = np.zeros((units, periods))
    fresh = rng.standard_normal((units, periods))
    for t in range(periods):
        shock[:, t] = fresh[:, t] if t == 0 else 0.5 * shock[:, t - 1] + np.sqrt(0.75) * fresh[:, t]
    start = np.zeros(units, dtype=int)
    start[:pilots] = np.where(np.arange(pilots) % 2, 8, 10)
    running = (start[:, None] > 0) & (np.arange(1, periods + 1) >= start[:, None])
    mean = level * np.exp(0.05 * np.sin(np.arange(periods)) + 0.1 * shock - 0.005)
    cost = rng.gamma(1.5, 1 / 1.5, mean.shape) * mean / 0.8 * (rng.random(mean.shape) < 0.8)
    change = (mean * (ratio - 1))[running]
    table = pd.DataFrame(
        {
            "unit": np.repeat([f"practice {u:02d}" for u in range(units)], periods),
            "period": np.tile(np.arange(1, periods + 1), units),
            "start": np.repeat(start, periods),
            "cost": (cost * np.where(running, ratio, 1.0)).ravel(),
        }
    )
    return Panel(table), {"rate_ratio": ratio, "att": float(change.mean())}


# -- by hand -----------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["gamma", "poisson"])
def test_by_hand_a_ratio_of_mean_costs(family: Any) -> None:
    """Others go from 100 and 300 to 120 and 240. By pound: 0.9; by ratio: the gamma fit makes them alike, below."""
    rows = [("a", 0, 1, 200.0), ("a", 1, 1, 150.0), ("b", 0, None, 100.0), ("b", 1, None, 120.0)]
    rows += [("c", 0, None, 300.0), ("c", 1, None, 240.0)]
    table = pd.DataFrame(rows, columns=["unit", "period", "start", "cost"])
    found = CostDiD(outcome="cost", family=family).fit(Panel(table))
    moved = (120 + 240) / (100 + 300)
    if family == "gamma":  # both units' ratios of after to before count alike: moves m with sum of scores 0
        moves = np.linspace(0.5, 2, 1_500_001)
        ratios = np.array([1.2, 0.8])
        levels = (1 + ratios[:, None] / moves) / 2  # a unit's level over its cost before
        score = (ratios[:, None] / (levels * moves) - 1).sum(axis=0)
        moved = moves[np.argmin(np.abs(score))]
    assert found.effect("rate_ratio")["estimate"] == pytest.approx(150 / 200 / moved, rel=1e-5)
    assert found.headline["estimate"] == pytest.approx(150 - 200 * moved, rel=1e-4)
    assert found.effect("cumulative")["estimate"] == pytest.approx(found.headline["estimate"])
    assert found.extras["scales"]["level"]["effect"] == pytest.approx((150 - 200) - (20 - 60) / 2)


def test_by_ratio_what_was_expected_is_a_dense_gamma_regression() -> None:
    """A table of dummies on the rows without the pilot, in statsmodels; it takes no zeros, so there are none."""
    panel, _ = draw(7, units=16, pilots=6, ratio=0.8)
    table = panel.table.assign(cost=panel.table["cost"] + 500)
    x = np.hstack([pd.get_dummies(table[c]).to_numpy(float)[:, k:] for k, c in enumerate(("unit", "period"))])
    begun = ((table["start"] > 0) & (table["period"] >= table["start"])).to_numpy()
    family = sm.families.Gamma(sm.families.links.Log())
    fit = sm.GLM(table["cost"].to_numpy()[~begun], x[~begun], family=family).fit(tol=1e-14, maxiter=300)
    expected = np.exp(x @ np.asarray(fit.params))[begun].sum()
    ratio = CostDiD(outcome="cost").fit(Panel(table)).effect("rate_ratio")["estimate"]
    assert ratio == pytest.approx(table["cost"].to_numpy()[begun].sum() / expected, rel=1e-6)


def test_by_pound_with_one_start_is_close_to_fixest_on_all_rows(reference: Path) -> None:
    """fixest's two-way ratio weighs starts against one another; ours compares with those not started."""
    table = pd.read_csv(reference / "sim_staggered_practices.csv")
    expected = golden(reference / "sim_staggered_did_regression.json")["ppml_cost"]
    found = BY_POUND.fit(Panel(table, start="first_treat"))
    b = np.log(found.effect("rate_ratio")["estimate"])
    assert abs(b - expected["estimate"]["treated"]) < 0.1 * expected["se"]["treated"]
    assert found.effect("rate_ratio")["std_error"] == pytest.approx(expected["se"]["treated"], rel=0.1)


# -- what must hold ------------------------------------------------------------------------


def test_with_one_start_and_by_pound_it_is_the_two_way_poisson_regression() -> None:
    """One start, no gaps, no population: the saturated cells add up to one effect."""
    from ucimpact.inference.ppml import ppml

    panel, _ = draw(1, ratio=0.8)
    table = panel.table.assign(start=np.where(panel.table["start"] > 0, 9, 0))
    found = BY_POUND.fit(Panel(table))
    y = table["cost"].to_numpy().reshape(40, 16)
    begun = (table["start"].to_numpy().reshape(40, 16) > 0) & (np.arange(1, 17) >= 9)
    fit = ppml(y, np.ones_like(y), x=begun[None].astype(float))
    assert np.log(found.effect("rate_ratio")["estimate"]) == pytest.approx(fit.coef[0], rel=1e-8)


def test_a_population_makes_costs_per_person() -> None:
    panel, _ = draw(2, ratio=0.9)
    table = panel.table.assign(people=2_000.0)
    per_person = CostDiD(outcome="cost", per=1).fit(Panel(table, population="people"))
    plain = CostDiD(outcome="cost").fit(panel)
    assert per_person.headline["estimate"] == pytest.approx(plain.headline["estimate"] / 2_000)
    for name in ("estimate", "conf_low", "conf_high"):
        assert per_person.effect("cumulative")[name] == pytest.approx(plain.effect("cumulative")[name])


def test_units_that_never_cost_anything_are_counted() -> None:
    panel, _ = draw(3)
    table = panel.table.copy()
    table.loc[table["unit"] == "practice 39", "cost"] = 0.0
    found = CostDiD(outcome="cost").fit(Panel(table))
    assert found.counts["silent_units"] == 1 and found.extras["silent"]["units"] == ["practice 39"]


def test_costs_recorded_from_the_start_on_are_left_out_and_named() -> None:
    panel, _ = draw(3)
    table = panel.table.copy()
    late = table["unit"].isin(["practice 00", "practice 02"])
    table.loc[late & (table["period"] < 10), "cost"] = 0.0
    found = CostDiD(outcome="cost").fit(Panel(table))
    without = CostDiD(outcome="cost").fit(Panel(table[~late].reset_index(drop=True)))
    assert found.headline["estimate"] == pytest.approx(without.headline["estimate"], rel=1e-12)
    assert found.extras["rule"]["n1"] == 10
    assert any("practice 00, practice 02" in text for text in found.warnings)


# -- the rule --------------------------------------------------------------------------------


@pytest.mark.parametrize(("pilots", "refused"), [(3, True), (5, True), (6, False)])
def test_few_pilots_have_an_estimate_and_no_range(pilots: int, refused: bool) -> None:
    found = CostDiD(outcome="cost").fit(draw(4, pilots=pilots)[0])
    rule = found.extras["rule"]
    assert np.isfinite(found.effects["estimate"]).all()
    assert (rule["refused"] is not None) == refused
    assert np.isnan(found.headline["p_value"]) == refused
    if refused:
        assert "has not been settled, and 6 of each are needed" in rule["refused"]
        assert "did, or imputation where starts differ" in rule["refused"]
        assert rule["refused"] in found.warnings


def test_a_place_that_carries_the_result_is_named_and_warned_of() -> None:
    panel, _ = draw(5)
    table = panel.table.copy()
    one = (table["unit"] == "practice 00") & (table["period"] == 12)
    table.loc[one, "cost"] = 60 * table["cost"].max()
    found = BY_POUND.fit(Panel(table))
    carried = found.extras["carried"]
    assert carried["places"][0]["place"] == "practice 00"
    assert carried["places"][0]["share"] > 0.5
    without = BY_POUND.fit(Panel(table[table["unit"] != "practice 00"].reset_index(drop=True)))
    assert carried["places"][0]["att"] == pytest.approx(without.headline["estimate"], rel=1e-8)
    assert any("carries the result" in text for text in found.warnings)
    calm = BY_POUND.fit(draw(5, ratio=0.5)[0])
    assert not any("carries" in text for text in calm.warnings)


# -- truths that were planted ----------------------------------------------------------------


@pytest.mark.parametrize("family", ["gamma", "poisson"])
def test_ratio_and_pounds_are_covered(family: Any) -> None:
    method = CostDiD(outcome="cost", family=family)
    held: dict[str, list[bool]] = {"rate_ratio": [], "att": []}
    for seed in range(60):
        panel, truth = draw(seed, ratio=0.85)
        found = method.brief(panel)
        for term, answers in held.items():
            row = found.effect(term)
            answers.append(row["conf_low"] <= truth[term] <= row["conf_high"])
    for answers in held.values():
        assert np.mean(answers) >= 0.86  # 60 draws: three sd are 8 points


# -- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [False, True])
def test_a_cost_that_never_varies_is_refused(people: bool) -> None:
    table = draw(3)[0].table.assign(people=lambda t: 1_000.0 + t["period"])
    cost = 5.0 * table["people"] if people else 5.0
    panel = Panel(table.assign(cost=cost), population="people" if people else None)
    said = "the same for each person" if people else "5"
    with pytest.raises(DesignError, match=f"`cost` is {said} throughout. Choose an outcome that varies"):
        CostDiD(outcome="cost").fit(panel)


def test_places_that_moved_exactly_alike_are_refused_a_range() -> None:
    table = draw(3)[0].table.assign(cost=lambda t: 100.0 + t["period"])
    found = CostDiD(outcome="cost").fit(Panel(table))
    assert "moved exactly alike" in found.extras["rule"]["refused"]
    assert found.extras["pre_trend"]["why"] == found.extras["rule"]["refused"]
    assert found.headline["estimate"] == pytest.approx(0, abs=1e-9)


def test_costs_below_nothing_are_refused() -> None:
    panel, _ = draw(6)
    with pytest.raises(DesignError, match="below 0"):
        CostDiD(outcome="cost").fit(Panel(panel.table.assign(cost=panel.table["cost"] - 1e6)))


@pytest.mark.parametrize("fields", [{"family": "normal"}, {"level": 0.2}, {"anticipation": -2}, {"per": -1}])
def test_choices_that_mean_nothing_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(fields))):
        CostDiD(outcome="cost", **fields)
