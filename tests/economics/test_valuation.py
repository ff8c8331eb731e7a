"""Values by hand, chances that agree with ranges, kinds that cannot be mixed, and what is not worked out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ucimpact.economics import valuation
from ucimpact.economics.money import Capacity, Cash, Economic
from ucimpact.economics.valuation import Counted
from ucimpact.errors import UsageError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.study import Cost, Data, DecisionRule, Method, Outcome, Study, Value
from ucimpact.study.money import Mainstream
from ucimpact.words.decision import normal_loss

FOUND = {"est": -5.3, "base": 100}


def outcome(**told) -> Outcome:
    value = Value(
        **{"economic": 2711.0, "capacity": "bed-day", "capacity_per_event": 6.0, "marginal": 0.4, **told}
    )
    return Outcome(column="admissions", label="Emergency admissions", kind="count", primary=True, value=value)


def study(one: Outcome, cost: Cost | None = None, **more) -> Study:
    about = dict.fromkeys(("title", "question", "pilot", "population", "comparator", "by"), "x")
    return Study(
        **about, data=Data(kind="cohort", person="id", follow_up_days=90.0), outcomes=(one,),
        method=Method(name="matched-cohort"), cost=cost, folder=Path(), **more,
    )  # fmt: skip


def estimate(best=-66.0, low=-122.0, high=-10.0, df=np.inf, influence=None, units=()) -> Estimate:
    row = {"term": "cumulative", "estimate": best, "conf_low": low, "conf_high": high, "df": df}
    return Estimate(
        method="matched-cohort", estimand="ATT", outcome="admissions", effects=effects_frame([row]),
        influence=influence, sampling_units=units, spec={"level": 0.95},
    )  # fmt: skip


COST = Cost(per_person=230.0, people=1240.0, price_year="2024/25")


def worth(est=None, cost=COST, people=1240.0, claim="B", refused=None, **told):
    one = outcome(**told)
    rule = DecisionRule(mainstream_if=Mainstream(chance_worth_its_cost=0.8), another_year_costs=6000.0)
    counted = [Counted(outcome=one, estimate=est or estimate())]
    made = study(one, cost, decision=rule)
    return valuation.value(made, counted, claim=claim, found=dict(FOUND), people=people, refused=refused)


def test_each_column_is_the_change_at_what_one_event_is_worth_in_it():
    columns = worth().columns
    assert columns["economic"]["value"] == pytest.approx(66 * 2711)
    assert columns["capacity"]["units"] == pytest.approx(66 * 6)
    assert columns["capacity"]["unit_price"] == pytest.approx(404.36, abs=0.01)
    assert columns["cash"]["value"] == 0
    assert columns["cash"]["note"] == "the hospital contract is fixed"


def test_limits_of_a_value_are_the_limits_of_the_effect_at_its_price():
    shown = worth().columns["economic"]
    assert shown["low"] == pytest.approx(10 * 2711, rel=1e-6)
    assert shown["high"] == pytest.approx(122 * 2711, rel=1e-6)


@pytest.mark.parametrize(
    "kinds", [(Cash, Economic), (Capacity, Economic), (Economic, Cash), (Cash, Capacity)]
)
def test_two_kinds_of_value_cannot_be_added(kinds):
    one, other = kinds
    with pytest.raises(TypeError, match="different kinds"):
        one(1.0) + other(1.0)
    with pytest.raises(TypeError):
        sum([one(1.0), other(1.0)])
    assert (one(1.0) + one(2.0)).value == 3.0


@pytest.mark.parametrize("high", np.linspace(-80, 10, 19))
def test_the_chance_is_above_39_in_40_if_and_only_if_the_net_range_is_above_nothing(high):
    best = (high - 130) / 2
    for price in (20.0, 60.0, 90.0, 140.0):
        made = worth(estimate(best, -130.0, high), cost=replace(COST, per_person=price))
        assert (made.deciding["chance"] > 0.975) == (made.net["low"] > 0)


def test_the_arithmetic_of_a_soft_landing():
    """Seven visits of an hour at £25 and 20% on top: £210 a person."""
    made = worth(cost=Cost(per_person=7 * 25 * 1.2, people=1240.0, price_year="2024/25"))
    told = [row["events_per_100"] for row in made.break_even["rows"]]
    assert told[0] == pytest.approx(7.7, abs=0.05)
    assert told[1] == pytest.approx(19.4, abs=0.05)
    at_345 = worth(
        cost=replace(COST, per_person=210.0), capacity=None, capacity_per_event=None, economic=6 * 345.0
    )
    assert at_345.break_even["rows"][0]["events_per_100"] == pytest.approx(10.1, abs=0.05)


def test_the_cost_of_an_event_avoided_is_the_cost_over_the_limits():
    made = worth().cost_per_event
    total = 230.0 * 1240
    assert made["defined"]
    assert made["value"] == pytest.approx(total / 66)
    assert (made["low"], made["high"]) == pytest.approx((total / 122, total / 10))


def test_it_is_not_defined_where_the_range_includes_no_change():
    made = worth(estimate(-20, -60, 20), claim="X").cost_per_event
    assert not made["defined"]
    assert "not defined, because the likely range includes no change" in made["text"]


def test_what_a_second_year_is_worth_is_the_expected_gain_of_deciding_after_it():
    """By simulation: the truth from the first year, a second year beside it, and the better of the two choices."""
    made = worth()
    m, s, price, n = made.deciding["per_person"], made.sd, 230.0, 1240.0
    rng = np.random.default_rng(4)
    truth = rng.normal(m, s, 400_000)
    mean = (m + truth + rng.normal(0, s, truth.size)) / 2
    gain = n * (np.where(mean > price, truth - price, 0).mean() - max(m - price, 0))
    assert made.evsi == pytest.approx(gain, rel=0.04)
    assert made.evsi == pytest.approx(n * s / np.sqrt(2) * normal_loss(abs(m - price) / (s / np.sqrt(2))))


def test_the_price_at_the_rule_is_exceeded_with_its_chance():
    made = worth()
    again = worth(cost=replace(COST, per_person=made.price_at_rule))
    assert again.deciding["chance"] == pytest.approx(0.8, abs=1e-3)


def test_those_whom_the_cost_is_for_and_were_not_analysed_gain_as_much_and_it_is_said():
    made = worth(people=620.0)
    assert made.columns["economic"]["value"] == pytest.approx(2 * 66 * 2711)
    assert made.deciding["per_person"] == pytest.approx(66 * 2711 / 620)
    assert any("could not be analysed" in note for note in made.notes)


def test_outcomes_on_the_same_units_are_drawn_together():
    rng = np.random.default_rng(0)
    pull = rng.normal(size=(300, 1))
    units = tuple(map(str, range(300)))
    one, other = outcome(), replace(outcome(), column="beds", label="Bed days", primary=False)
    pairs = {
        "against": [estimate(influence=pull, units=units), estimate(influence=-pull, units=units)],
        "with": [estimate(influence=pull, units=units), estimate(influence=pull, units=units)],
        "unknown": [estimate(), estimate()],
    }
    spread = {}
    for name, (a, b) in pairs.items():
        made = valuation.value(
            replace(study(one, COST), outcomes=(one, other)),
            [Counted(outcome=one, estimate=a), Counted(outcome=other, estimate=b)],
            claim="B", found=dict(FOUND), people=1240.0,
        )  # fmt: skip
        spread[name] = made.sd
        assert any("in step" in note for note in made.notes) == (name == "unknown")
    assert spread["against"] < 1e-6 * spread["with"]
    assert spread["unknown"] == pytest.approx(spread["with"], rel=1e-6)


def test_a_rise_is_a_loss():
    made = worth(estimate(30, 5, 55), claim="H")
    assert made.columns["economic"]["value"] == pytest.approx(-30 * 2711)
    assert made.columns["economic"]["high"] < 0
    assert made.evsi >= 0


def test_what_cannot_be_valued_says_why_and_keeps_its_cost():
    made = worth(refused="the comparison does not pass its checks")
    assert made.not_worked_out == "the comparison does not pass its checks"
    assert not made.columns
    assert made.cost["total"] == pytest.approx(230 * 1240)


def test_a_study_without_value_or_cost_has_no_valuation():
    one = replace(outcome(), value=None)
    assert valuation.value(study(one), [], claim="B", found=dict(FOUND)) is None


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"economic": "emergency-admision"}, "no unit cost"),
        ({"capacity_per_event": None}, "Give both"),
    ],
)
def test_what_cannot_be_priced_is_told(told, said):
    assert any(said in text for text in valuation.value_problems(study(outcome(**told), COST)))


def test_a_price_year_outside_the_index_is_refused():
    with pytest.raises(UsageError, match="2031/32"):
        worth(cost=replace(COST, price_year="2031/32"))


def test_more_of_what_is_better_higher_is_a_benefit():
    one = replace(outcome(cash=None), label="Days at home", better="higher")
    made = valuation.value(
        study(one, COST), [Counted(outcome=one, estimate=estimate(50.0, 10.0, 90.0))], claim="B", found=dict(FOUND), people=1240.0,
    )  # fmt: skip
    assert made.columns["economic"]["value"] == pytest.approx(50 * 2711)
    assert made.columns["economic"]["low"] == pytest.approx(10 * 2711)
    assert made.outcomes[0]["economic"] == pytest.approx(50 * 2711)
    assert made.cost_per_event is None


@pytest.mark.parametrize("df", [3.0, 12.5, np.inf])
def test_chance_and_range_agree_whatever_the_spread(df):
    for price in (21.0, 22.0, 150.0):
        made = worth(estimate(df=df), cost=replace(COST, per_person=price))
        assert (made.deciding["chance"] > 0.975) == (made.net["low"] > 0)
