"""Values by hand, chances that agree with ranges, kinds that cannot be mixed, and what is not worked out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

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
    loss = normal_loss(abs(m - price) / (s / np.sqrt(2)))
    assert made.evsi == pytest.approx(n * s / np.sqrt(2) * loss, rel=0.002)


def test_by_hand_where_the_value_is_normal():
    """£144.30 a person against £230, and a spread of £62.47: 1,240 x £44.17 x L(1.940) = 1,240 x £0.4394 = £545."""
    assert worth().evsi == pytest.approx(545, rel=0.01)


@pytest.mark.parametrize("price", [20.0, 60.0, 120.0, 230.0, 400.0])
@pytest.mark.parametrize(
    ("best", "low", "high"), [(-20, -122, -1), (-100, -122, -1), (-66, -122, -10), (5, -3, 90)]
)
@pytest.mark.parametrize("df", [np.inf, 4.0])
def test_a_second_year_is_never_worth_more_than_the_truth(best, low, high, df, price):
    """Also where the range is far wider on one side; and by the definition, on the draws of the value."""
    made = worth(estimate(best, low, high, df), cost=replace(COST, per_person=price))
    assert 0 <= made.evsi <= made.evpi


def test_a_tail_counts_in_what_a_second_year_is_worth():
    """Limits 50 beyond on one side and 1 on the other: draws by hand, drawn in to their mean."""
    made = worth(estimate(-20, -70, -19), cost=replace(COST, per_person=80.0))
    z = NormalDist().inv_cdf(0.975)
    unit = np.array([NormalDist().inv_cdf((k + 0.5) / 20_020) for k in range(20_020)]) / z
    value = (20 + unit * np.where(unit > 0, 50, 1)) * 2711 / 1240
    after = value.mean() + (value - value.mean()) / np.sqrt(2)
    gain = 1240 * (np.maximum(after - 80, 0).mean() - max(value.mean() - 80, 0))
    assert made.evsi == pytest.approx(gain, rel=1e-6)


@pytest.mark.parametrize("price", [40.0, 100.0, 144.0, 190.0])
def test_the_prices_between_which_a_second_year_pays_are_those_at_which_it_is_worth_its_cost(price):
    low, high = worth(cost=replace(COST, per_person=price)).evsi_pays
    for end, into in ((low, 1.0), (high, -1.0)):
        inside, outside = (worth(cost=replace(COST, per_person=end + k * into)).evsi for k in (1, -1))
        assert outside < 6000 < inside
    assert low < 66 * 2711 / 1240 < high


def test_a_second_year_that_pays_at_no_price_has_none():
    assert worth().evsi_pays
    assert worth(estimate(-66, -66.1, -65.9)).evsi_pays == []


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


def test_a_part_that_is_dearer_than_the_whole_is_told():
    """12 bed days at £404 are £4,852, and the admission £2,711; 6 are £2,426."""
    told = [note for note in worth(capacity_per_event=12.0).notes if "A part cannot cost more" in note]
    assert len(told) == 1
    assert told[0].startswith(
        "An emergency admission is taken to free 12 bed days, at £4,852 in all, and to cost the NHS £2,711"
    )
    for fine in (
        worth(),
        worth(capacity_per_event=12.0, economic=None),
        worth(capacity=None, capacity_per_event=None),
    ):
        assert not any("A part cannot" in note for note in fine.notes)


def test_what_those_avoided_usually_cost_is_told_for_the_whole_value_too():
    """66 admissions and 66 attendances: at a short stay's £826 the first are £54,516 and all £54,516 + 66 x £200."""
    one = outcome(economic="non-elective-admission")
    other = replace(outcome(economic=200.0), column="attendances", label="Attendances", primary=False)
    made = valuation.value(
        replace(study(one, COST), outcomes=(one, other)),
        [Counted(outcome=one, estimate=estimate()), Counted(outcome=other, estimate=estimate())],
        claim="B", found=dict(FOUND), people=1240.0,
    )  # fmt: skip
    usual = made.outcomes[0]["usual"]
    assert usual["value"] == pytest.approx(66 * 826)
    assert usual["whole"] == pytest.approx(66 * 826 + 66 * 200)
    assert worth(economic="non-elective-admission").outcomes[0]["usual"]["whole"] == pytest.approx(66 * 826)
