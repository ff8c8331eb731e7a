"""By hand: mixes of kinds, the pilot's own share, what stands beside the price, and what moves the answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from tests.economics.test_valuation import COST, FOUND, estimate, outcome, study
from ucimpact.economics import valuation
from ucimpact.economics.prices import Counted, worth_of_one
from ucimpact.economics.shares import concentration
from ucimpact.errors import UsageError
from ucimpact.study import Attribution, Cost, DecisionRule, Mix, Share
from ucimpact.study.money import Mainstream
from ucimpact.words.decision import normal_loss

SHORT, LONG, MEAN = 826.0, 5419.0, 2711.0
KINDS = {"non-elective-short-stay": 0.45, "non-elective-long-stay": 0.55}
RANGED = {"non-elective-short-stay": {"share": 0.45, "low": 0.3, "high": 0.6}, "non-elective-long-stay": 0.55}
OWN = Attribution(low=0.6, high=0.9, because="a virtual ward ran beside it")
RULE = DecisionRule(mainstream_if=Mainstream(chance_worth_its_cost=0.8), another_year_costs=6000.0)


def worth(est=None, cost=COST, level="low", told=None, **more):
    """66 fewer (10 to 122) among 1,240 people at £230, whatever else the study declares."""
    one = outcome(**{"marginal": None, **(told or {})})
    made = study(one, cost, decision=RULE, **more)
    counted = [Counted(outcome=one, estimate=est or estimate())]
    return valuation.value(made, counted, claim="B", found={**FOUND, "level": level}, people=1240.0)


# -- what one event is worth -------------------------------------------------------------


def test_a_mix_is_worth_its_parts():
    made = worth(told={"economic": Mix.of(KINDS)})
    each = 0.45 * SHORT + 0.55 * LONG
    assert each == pytest.approx(3352.15)
    assert made.outcomes[0]["unit_cost"] == pytest.approx(each)
    assert made.columns["economic"]["value"] == pytest.approx(66 * each)
    assert made.columns["economic"]["low"] == pytest.approx(10 * each, rel=1e-6)
    assert [(k["name"], k["share"], k["pounds"]) for k in made.outcomes[0]["mix"]["kinds"]] == [
        ("short stays", 0.45, SHORT), ("long stays", 0.55, LONG),
    ]  # fmt: skip


def test_an_uncertain_share_widens_the_range_and_leaves_the_best_estimate():
    certain, ranged = (worth(told={"economic": Mix.of(kinds)}) for kinds in (KINDS, RANGED))
    assert ranged.columns["economic"]["value"] == pytest.approx(certain.columns["economic"]["value"])
    assert ranged.sd > certain.sd
    assert ranged.evsi == pytest.approx(certain.evsi, rel=1e-3)  # a second year says nothing of the share
    mix = ranged.outcomes[0]["mix"]
    assert mix["worth_low"] == pytest.approx(0.3 * SHORT + 0.7 * LONG)
    assert mix["worth_high"] == pytest.approx(0.6 * SHORT + 0.4 * LONG)
    assert ranged.columns["capacity"] == certain.columns["capacity"]


def test_the_others_of_three_kinds_keep_their_proportions():
    kinds = {
        "non-elective-short-stay": {"share": 0.5, "low": 0.3, "high": 0.7},
        "non-elective-long-stay": 0.3,
        "a week at home": {"share": 0.2, "pounds": 700},
    }
    mix = worth(told={"economic": Mix.of(kinds)}).outcomes[0]["mix"]
    rest = (0.3 * LONG + 0.2 * 700) / 0.5
    assert mix["worth_low"] == pytest.approx(0.3 * SHORT + 0.7 * rest)
    assert mix["worth_high"] == pytest.approx(0.7 * SHORT + 0.3 * rest)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({**KINDS, "non-elective-long-stay": 0.5}, "add up to 0.95, and must add up to 1"),
        ({"non-elective-short-stay": 1.0}, "two kinds or more, found 1"),
        ({**KINDS, "non-elective-short-stay": 45}, "between 0 and 1, found 45"),
        ({**KINDS, "non-elective-short-stay": {"low": 0.3}}, "high is missing"),
        ({**KINDS, "non-elective-short-stay": {"share": 0.45, "low": 0.5, "high": 0.6}}, "lies outside 0.5 to 0.6"),
        ({**KINDS, "non-elective-short-stay": {"share": 0.45, "lo": 0.3}}, "no key `lo`"),
        ({**RANGED, "non-elective-long-stay": {"low": 0.5, "high": 0.6}}, "one share may have a range"),
        ({**KINDS, "non-elective-short-stay": {"share": 0.45, "pounds": -1}}, "pounds are a number from 0"),
    ],
)  # fmt: skip
def test_a_mix_that_is_none_is_refused_with_the_value_and_the_way_out(told, said):
    with pytest.raises(ValueError, match=r"Write \{ ") as found:
        Mix.of(told)
    assert said in str(found.value)


def test_a_kind_that_nobody_knows_is_told_with_those_near_it():
    mix = Mix.of({"non-elective-short-stays": 0.45, "non-elective-long-stay": 0.55})
    problems = valuation.value_problems(study(outcome(economic=mix), COST))
    assert len(problems) == 1 and "non-elective-short-stay" in problems[0]


def test_an_average_over_all_admissions_says_what_those_avoided_would_give():
    usual = worth(told={"economic": "non-elective-admission"}).outcomes[0]["usual"]
    assert (usual["name"], usual["mean"], usual["pounds"]) == ("short stays", MEAN, SHORT)
    assert usual["value"] == pytest.approx(66 * SHORT)
    assert "usual" not in worth(told={"economic": MEAN}).outcomes[0]


def test_the_area_factor_multiplies_unit_costs_once_and_nothing_else():
    cost = replace(COST, area_cost_factor=1.1)
    plain, dear = (worth(cost=c, told={"economic": "non-elective-admission"}) for c in (COST, cost))
    assert dear.columns["economic"]["value"] == pytest.approx(66 * MEAN * 1.1)
    assert dear.columns["capacity"]["value"] == pytest.approx(1.1 * plain.columns["capacity"]["value"])
    assert dear.columns["capacity"]["units"] == pytest.approx(plain.columns["capacity"]["units"])
    assert dear.cost == plain.cost
    own = worth(cost=cost, told={"economic": 2000.0})
    assert own.columns["economic"]["value"] == pytest.approx(66 * 2000)
    assert any("multiplied once by 1.1" in note for note in dear.notes)
    kinds = {**KINDS, "non-elective-long-stay": {"share": 0.55, "pounds": 5000}}
    mixed = worth(cost=cost, told={"economic": Mix.of(kinds)})
    assert mixed.outcomes[0]["unit_cost"] == pytest.approx(0.45 * SHORT * 1.1 + 0.55 * 5000)


def test_what_one_event_is_worth_for_others_who_ask():
    one = outcome(economic=Mix.of(KINDS))
    made = study(one, replace(COST, area_cost_factor=1.1), attribution=OWN)
    assert worth_of_one(made, one, "economic") == pytest.approx(0.75 * 1.1 * 3352.15)
    assert worth_of_one(made, one, "cash") == 0.0
    assert worth_of_one(study(one, COST), one, "capacity") == pytest.approx(6 * 404.36, abs=0.05)
    with pytest.raises(UsageError, match="no unit cost"):
        worth_of_one(study(outcome(economic="bed"), COST), outcome(economic="bed"), "economic")


# -- what the price holds ----------------------------------------------------------------


def test_what_was_spent_once_is_in_the_price_and_volunteers_are_beside_it():
    cost = Cost(
        fixed=10_000, per_person=100, people=1000, price_year="2024/25", set_up=30_000, ramp=5_000,
        volunteer_hours=2_000, volunteer_hour=14,
    )  # fmt: skip
    made = worth(cost=cost).cost
    assert made["total"] == 10_000 + 100 * 1000 + 35_000
    assert made["per_person"] == 145.0
    assert made["parts"]["price_running"] == 110.0
    assert made["parts"]["price_with_volunteers"] == 145.0 + 28.0
    assert "parts" not in worth().cost


# -- whose the change is -----------------------------------------------------------------


def test_the_share_that_is_the_pilots_is_counted_and_the_rest_is_told():
    made, whole = worth(attribution=OWN), worth()
    assert made.columns["economic"]["value"] == pytest.approx(0.75 * whole.columns["economic"]["value"])
    assert made.outcomes == whole.outcomes
    told = made.attribution
    assert (told["share"], told["low"], told["high"]) == (0.75, 0.6, 0.9)
    assert told["value_low"] == pytest.approx(0.6 * 66 * MEAN)
    assert told["value_high"] == pytest.approx(0.9 * 66 * MEAN)
    assert told["whole"] == pytest.approx(66 * MEAN)
    assert worth(attribution=replace(OWN, share=0.8)).attribution["share"] == 0.8
    assert made.break_even["rows"][0]["events_per_100"] == pytest.approx(100 * 230 / (0.75 * MEAN))
    assert whole.attribution is None


def test_a_share_that_is_certain_is_a_smaller_price_of_every_event():
    """Half of every change is half of every unit cost."""
    half = worth(
        attribution=replace(OWN, low=0.5, high=0.5), told={"economic": MEAN, "capacity_per_event": 6.0}
    )
    same = worth(told={"economic": MEAN / 2, "capacity_per_event": 3.0})
    for name in ("economic", "capacity"):
        for key in ("value", "low", "high", "chance"):
            assert half.columns[name][key] == pytest.approx(same.columns[name][key]), (name, key)
    assert half.evsi == pytest.approx(same.evsi)
    assert half.evpi == pytest.approx(same.evpi)
    assert half.cost_per_event["value"] == pytest.approx(230 * 1240 / 33)
    assert half.cost_per_event["low"] == pytest.approx(230 * 1240 / 61)


def test_an_uncertain_share_widens_the_range_of_a_cost_per_event_too():
    made = worth(attribution=OWN).cost_per_event
    assert made["value"] == pytest.approx(230 * 1240 / (66 * 0.75))
    assert made["low"] < 230 * 1240 / (122 * 0.75) * 1.02 and made["high"] > 230 * 1240 / (10 * 0.75) * 0.98


@pytest.mark.parametrize("price", [10.0, 14.0, 20.0, 60.0, 150.0])
def test_chance_and_range_agree_with_every_doubt_at_once(price):
    made = worth(
        estimate(df=4.0), cost=replace(COST, per_person=price), attribution=OWN, told={"economic": Mix.of(RANGED)}
    )  # fmt: skip
    assert (made.deciding["chance"] > 0.975) == (made.net["low"] > 0)
    assert made.curve["at_price"] == made.deciding["chance"]


# -- what is freed, and what a cautious reader might cut -----------------------------------


def test_what_is_freed_in_the_short_run_stands_beside_and_decides_nothing():
    made, full = worth(told={"marginal": 0.4}), worth()
    assert made.short_run["value"] == pytest.approx(0.4 * 66 * MEAN)
    assert made.short_run["low"] == pytest.approx(0.4 * 10 * MEAN, rel=1e-6)
    assert made.columns == full.columns and made.evsi == full.evsi
    assert full.short_run is None
    ranged = worth(told={"marginal": Share(low=0.3, high=0.5)})
    assert ranged.short_run["value"] == pytest.approx(0.4 * 66 * MEAN)
    assert ranged.short_run["high"] > made.short_run["high"]
    row = ranged.break_even["rows"][1]
    assert row["events_per_100"] == pytest.approx(100 * 230 / (0.4 * MEAN))
    assert row["events_low"] == pytest.approx(100 * 230 / (0.5 * MEAN))
    assert row["events_high"] == pytest.approx(100 * 230 / (0.3 * MEAN))


def test_the_cut_for_certainty_is_named_and_changes_nothing():
    cuts = {level: worth(level=level).haircut for level in ("high", "moderate", "low", "very low")}
    each = 66 * MEAN / 1240
    assert [cut["per_person"] / each for cut in cuts.values()] == pytest.approx([1.0, 0.9, 0.75, 0.5])
    assert worth(level="very low").net == worth(level="high").net
    assert worth(estimate(30, 5, 55)).haircut is None


# -- what moves the answer ---------------------------------------------------------------


def test_each_input_from_end_to_end_by_hand():
    cost = replace(COST, set_up=12_400.0, volunteer_hours=1240.0, volunteer_hour=5.0)
    made = worth(
        cost=cost, attribution=OWN, told={"economic": Mix.of(RANGED), "marginal": Share(low=0.3, high=0.5)}
    )
    rows = {row["key"]: row for row in made.inputs}
    each = 0.75 * 66 / 1240
    wanted = {
        "effect:admissions": (0.75 * 10 * 3352.15 / 1240, 0.75 * 122 * 3352.15 / 1240),
        "mix:admissions": (each * (0.3 * SHORT + 0.7 * LONG), each * (0.6 * SHORT + 0.4 * LONG)),
        "attribution": (0.6 * 66 * 3352.15 / 1240, 0.9 * 66 * 3352.15 / 1240),
        "short_run": (0.3 * each * 3352.15, 0.5 * each * 3352.15),
        "price": (each * 3352.15 - 5, each * 3352.15 + 10),
    }
    assert set(rows) == set(wanted)
    for key, (low, high) in wanted.items():
        assert (rows[key]["low"], rows[key]["high"]) == (pytest.approx(low), pytest.approx(high)), key
        assert rows[key]["best"] == pytest.approx((0.4 if key == "short_run" else 1) * each * 3352.15), key
    widths = [abs(row["high"] - row["low"]) for row in made.inputs]
    assert widths == sorted(widths, reverse=True)
    assert rows["price"]["low_told"] == "£245" and rows["price"]["high_told"] == "£230"


def test_at_its_switching_value_each_input_brings_value_and_price_together():
    cost = replace(COST, per_person=120.0)
    made = worth(cost=cost, attribution=OWN, told={"economic": Mix.of(RANGED)})
    at = {row["key"]: row["switch"] for row in made.inputs}
    more = worth(estimate(-66 * at["effect:admissions"], -122, -10), cost=cost, attribution=OWN, told={"economic": Mix.of(RANGED)})  # fmt: skip
    assert more.deciding["per_person"] == pytest.approx(120.0)
    share = at["mix:admissions"]
    mixed = Mix.of({"non-elective-short-stay": share, "non-elective-long-stay": 1 - share})
    assert worth(cost=cost, attribution=OWN, told={"economic": mixed}).deciding[
        "per_person"
    ] == pytest.approx(120.0)
    own = replace(OWN, low=at["attribution"], high=at["attribution"])
    assert worth(cost=cost, attribution=own, told={"economic": Mix.of(RANGED)}).deciding["per_person"] == pytest.approx(120.0)  # fmt: skip
    far = {
        row["key"]: row["switch"]
        for row in worth(cost=replace(COST, per_person=900.0), attribution=OWN).inputs
    }
    assert far["attribution"] is None


def test_what_is_freed_switches_beside_an_outcome_that_is_freed_in_full():
    """66 admissions at a share m of £2,711 and 100 visits fewer at £60 in full: equal at (price - visits) / admissions."""
    one = outcome(marginal=0.4)
    other = replace(outcome(economic=60.0, marginal=None), column="visits", label="Visits", primary=False)
    made = valuation.value(
        replace(study(one, replace(COST, per_person=60.0), decision=RULE), outcomes=(one, other)),
        [Counted(outcome=one, estimate=estimate()), Counted(outcome=other, estimate=estimate(-100.0, -150.0, -50.0))],
        claim="B", found=dict(FOUND), people=1240.0,
    )  # fmt: skip
    rows = {row["key"]: row for row in made.inputs}
    assert rows["short_run"]["switch"] == pytest.approx((60 * 1240 - 100 * 60) / (66 * MEAN))
    assert rows["short_run"]["low"] == pytest.approx((0.4 * 66 * MEAN + 6000) / 1240)
    assert rows["effect:visits"]["switch"] == pytest.approx(1 + (60 * 1240 - 66 * MEAN - 6000) / 6000)
    assert rows["effect:visits"]["switch"] < 0  # only if visits had gone the other way


def test_an_outcome_that_rose_moves_the_net_the_other_way():
    one, other = (
        outcome(),
        replace(outcome(economic=60.0), column="visits", label="Nurse visits", primary=False),
    )
    made = valuation.value(
        replace(study(one, COST, decision=RULE), outcomes=(one, other)),
        [Counted(outcome=one, estimate=estimate()), Counted(outcome=other, estimate=estimate(500.0, 300.0, 700.0))],
        claim="B", found=dict(FOUND), people=1240.0,
    )  # fmt: skip
    row = next(row for row in made.inputs if row["key"] == "effect:visits")
    assert row["low"] == pytest.approx((66 * MEAN - 700 * 60) / 1240)
    assert row["high"] == pytest.approx((66 * MEAN - 300 * 60) / 1240)
    known = {row["key"]: row["worth"] for row in made.known}
    assert set(known) == {"effect:admissions", "effect:visits"}
    for each in known.values():  # taken to move in step, so that to know one is to know both
        assert each == pytest.approx(made.evpi, rel=0.01)


def test_the_curve_goes_through_the_printed_figures():
    made = worth()
    at = dict(zip(made.curve["prices"], made.curve["chance"], strict=True))
    assert made.curve["prices"][0] == 0.0 and made.curve["prices"][-1] >= 1.5 * 230
    assert at[0.0] == pytest.approx(0.98951, abs=1e-4)  # 66 (10 to 122): z = 66 / 28.57
    assert made.curve["at_price"] == made.deciding["chance"]
    assert made.curve["chance"] == sorted(made.curve["chance"], reverse=True)
    freed = worth(told={"marginal": 0.5}).curve
    assert len(freed["prices"]) == len(freed["short_run"])
    twice = dict(zip(freed["prices"], freed["chance"], strict=True))
    once = dict(zip(freed["prices"], freed["short_run"], strict=True))
    assert once[60.0] == twice[120.0]


def test_perfect_information_is_worth_the_unit_normal_loss():
    for price in (100.0, 144.3, 230.0):
        made = worth(cost=replace(COST, per_person=price))
        value, sd = made.deciding["per_person"], made.sd
        assert made.evpi == pytest.approx(1240 * sd * normal_loss(abs(value - price) / sd), rel=2e-3)
        assert made.evpi > made.evsi
        assert made.known == []


@pytest.mark.parametrize("df", [3.0, 8.0, np.inf])
@pytest.mark.parametrize("price", [20.0, 100.0, 150.0, 300.0])
def test_no_evaluation_is_worth_more_than_knowing(df, price):
    made = worth(estimate(df=df), cost=replace(COST, per_person=price))
    assert made.evpi >= made.evsi


def test_knowing_the_share_alone_is_worth_an_integral_over_its_distribution():
    """E[net | share] = share x whole value - price, and the share is beta."""
    cost = replace(COST, per_person=108.0)
    made = worth(cost=cost, attribution=OWN)
    nu = concentration(0.75, 0.6, 0.9)
    whole, grid = 66 * MEAN / 1240, (np.arange(40_000) + 0.5) / 40_000
    net = beta.ppf(grid, 0.75 * nu, 0.25 * nu) * whole - 108.0
    wanted = 1240 * (np.maximum(net, 0).mean() - max(net.mean(), 0))
    known = {row["key"]: row["worth"] for row in made.known}
    assert known["attribution"] == pytest.approx(wanted, rel=0.01)
    assert max(known["attribution"], known["effects"]) < made.evpi < known["attribution"] + known["effects"]


def test_knowing_the_kinds_alone_is_worth_an_integral_over_their_share():
    cost = replace(COST, per_person=178.0)
    made = worth(cost=cost, told={"economic": Mix.of(RANGED)})
    nu = concentration(0.45, 0.3, 0.6)
    share = beta.ppf((np.arange(40_000) + 0.5) / 40_000, 0.45 * nu, 0.55 * nu)
    net = 66 * (share * SHORT + (1 - share) * LONG) / 1240 - 178.0
    wanted = 1240 * (np.maximum(net, 0).mean() - max(net.mean(), 0))
    assert {row["key"]: row["worth"] for row in made.known}["mix:admissions"] == pytest.approx(
        wanted, rel=0.01
    )
