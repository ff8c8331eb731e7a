"""By hand: the years ahead, who pays and who gains, and a year of full health."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from tests.economics.test_beside import MEAN, worth
from tests.economics.test_valuation import COST, estimate
from ucimpact.economics.ahead import discount_factors
from ucimpact.economics.health import thresholds
from ucimpact.study import Budget, Payers, Qaly

EACH = 66 * MEAN / 1240
"""Pounds of full economic value per person."""
PAYERS = Payers(
    pays={"ICB": 0.6, "Council": 0.4},
    gains={"economic": {"Council": 0.3, "Trust": 0.7}, "capacity": {"Trust": 1.0}},
)
QALY = Qaly(per_person=0.01, low=0.002, high=0.02, source="A published trial")


# -- the years ahead ---------------------------------------------------------------------


def test_a_pound_of_next_year_counts_3_5_per_cent_less():
    assert discount_factors(3, 0.035) == pytest.approx([1.0, 1 / 1.035, 1 / 1.071225])
    assert discount_factors(3, 0.015)[2] == pytest.approx(0.970662, abs=1e-6)
    assert discount_factors(2, 0.0) == [1.0, 1.0]


def test_three_years_by_hand():
    found = worth(budget=Budget(years=3, people=(400, 800, 1200), inflation=0.02)).budget
    assert [row["cost"] for row in found["rows"]] == [92_000.0, 184_000.0, 276_000.0]
    assert found["total"]["cost"] == 552_000.0
    assert found["total"]["cost_discounted"] == pytest.approx(92_000 + 184_000 / 1.035 + 276_000 / 1.071225)
    assert found["total"]["cost_in_its_pounds"] == pytest.approx(92_000 + 184_000 * 1.02 + 276_000 * 1.0404)
    assert found["total"]["people"] == 2400
    value = [row["columns"]["economic"]["value"] for row in found["rows"]]
    assert value == pytest.approx([400 * EACH, 800 * EACH, 1200 * EACH])
    total = found["total"]["columns"]["economic"]
    assert (total["low"], total["high"]) == pytest.approx(
        (2400 * 10 * MEAN / 1240, 2400 * 122 * MEAN / 1240), rel=1e-6
    )
    late = found["total"]["columns_discounted"]["economic"]["value"]
    assert late == pytest.approx(EACH * (400 + 800 / 1.035 + 1200 / 1.071225))
    assert set(found["total"]["columns"]) == {"cash", "capacity", "economic"}
    assert worth().budget is None


def test_people_costs_and_effects_of_another_scale():
    """Uptake of those eligible; fixed pounds a year; set up again; half the effect in the second year."""
    told = Budget(
        years=2,
        uptake=(0.25, 0.5),
        eligible=2000,
        discount=0.0,
        effect=(1.0, 0.5),
        fixed=50_000,
        set_up=7_000,
    )
    found = worth(budget=told).budget
    assert [row["people"] for row in found["rows"]] == [500.0, 1000.0]
    assert [row["cost"] for row in found["rows"]] == [50_000 + 230 * 500 + 7_000, 50_000 + 230 * 1000]
    assert [row["columns"]["economic"]["value"] for row in found["rows"]] == pytest.approx(
        [500 * EACH, 500 * EACH]
    )
    assert found["total"]["cost"] == found["total"]["cost_discounted"]


def test_residents_over_thirty_months_cost_and_gain_two_fifths_in_a_year():
    told = Budget(years=1, people=(1240,), months=30.0)
    row = worth(budget=told).budget["rows"][0]
    assert row["cost"] == pytest.approx(0.4 * 230 * 1240)
    assert row["columns"]["economic"]["value"] == pytest.approx(0.4 * 66 * MEAN)
    fixed = worth(budget=replace(told, fixed=1_000.0)).budget["rows"][0]
    assert fixed["cost"] == pytest.approx(1_000 + 0.4 * 230 * 1240)
    assert worth(budget=told).budget["chance"] == worth().deciding["chance"]


def test_what_was_spent_once_is_not_spent_again():
    cost = replace(COST, set_up=124_000.0)
    made = worth(cost=cost, budget=Budget(years=1, people=(100,)))
    assert made.cost["per_person"] == 330.0
    assert made.budget["rows"][0]["cost"] == 23_000.0


def test_as_many_people_a_year_at_the_same_price_have_the_same_chance():
    made = worth(budget=Budget(years=4, people=(1240,) * 4))
    assert made.budget["chance"] == made.deciding["chance"]


# -- who pays and who gains --------------------------------------------------------------


def test_each_party_by_hand():
    made = worth(payers=PAYERS)
    total, cost = 66 * MEAN, 230 * 1240
    rows = {row["name"]: row for row in made.payers["rows"]}
    assert list(rows) == ["ICB", "Council", "Trust"]
    assert (rows["ICB"]["pays"], rows["ICB"]["gains"]) == (pytest.approx(0.6 * cost), 0.0)
    assert (rows["Council"]["pays"], rows["Council"]["gains"]) == pytest.approx((0.4 * cost, 0.3 * total))
    assert (rows["Trust"]["pays"], rows["Trust"]["gains"]) == pytest.approx((0.0, 0.7 * total))
    assert rows["Trust"]["gains_low"] == pytest.approx(0.7 * 10 * MEAN, rel=1e-6)
    assert made.payers["gains"]["capacity"][0]["value"] == pytest.approx(made.columns["capacity"]["value"])


def test_the_matrix_adds_up_to_what_each_bought_and_each_had():
    made = worth(payers=PAYERS)
    total = 66 * MEAN
    matrix = {row["name"]: row["to"] for row in made.payers["matrix"]}
    assert matrix["ICB"]["Trust"] == pytest.approx(0.6 * 0.7 * total)
    assert sum(matrix["Council"].values()) == pytest.approx(0.4 * total)
    assert sum(row["Council"] for row in matrix.values()) == pytest.approx(0.3 * total)
    assert worth().payers is None


# -- years of full health ----------------------------------------------------------------


def test_the_cost_of_a_year_of_full_health_by_hand():
    found = worth(qaly=QALY).qaly
    extra = 230 - EACH
    assert found["extra_cost"] == pytest.approx(extra)
    assert found["side"] == "ratio" and found["ratio"]["value"] == pytest.approx(extra / 0.01)
    at = {row["pounds"]: row for row in found["rows"]}
    assert at[20_000]["value"] == pytest.approx(20_000 * 0.01 - extra)
    sd = np.hypot(28.571 * MEAN / 1240, 20_000 * (0.018 / 3.92))
    assert at[20_000]["chance"] == pytest.approx(norm.cdf(at[20_000]["value"] / sd), abs=0.03)
    assert [row["chance"] for row in found["rows"]] == sorted(row["chance"] for row in found["rows"])
    assert worth().qaly is None


@pytest.mark.parametrize(
    ("qaly", "price", "side"),
    [
        (replace(QALY, low=-0.001, high=0.012), 230.0, "no range"),
        (QALY, 100.0, "dominates"),
        (replace(QALY, per_person=-0.005, low=-0.01), 230.0, "dominated"),
    ],
)
def test_a_ratio_that_means_nothing_is_not_given(qaly, price, side):
    found = worth(cost=replace(COST, per_person=price), qaly=qaly).qaly
    assert (found["side"], found["ratio"]) == (side, None)


def test_a_gain_that_is_certain_leaves_the_doubt_of_the_cost():
    found = worth(qaly=replace(QALY, low=0.01, high=0.01)).qaly
    made = worth()
    assert found["ratio"]["low"] == pytest.approx((230 - EACH - 1.96 * made.sd) / 0.01, rel=1e-3)
    row = found["rows"][0]
    assert row["low"] == pytest.approx(20_000 * 0.01 - (230 - 10 * MEAN / 1240), rel=1e-5)


def test_every_threshold_has_its_source():
    assert [row["pounds"] for row in thresholds()] == [20_000, 25_000, 30_000, 35_000]
    assert all(row["source"] and row["label"] for row in thresholds())


def test_what_stands_beside_never_moves_the_value():
    plain = worth().to_dict()
    whole = worth(budget=Budget(years=1, people=(1240,)), payers=PAYERS, qaly=QALY).to_dict()
    new = {"budget", "payers", "qaly"}
    assert {key: v for key, v in plain.items() if key not in new} == {
        k: v for k, v in whole.items() if k not in new
    }
    assert worth(
        estimate(0.0, -50, 50), budget=Budget(years=1, people=(10,)), payers=PAYERS, qaly=QALY
    ).budget
