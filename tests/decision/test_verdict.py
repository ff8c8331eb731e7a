"""The verdict of a whole study: what is missing, what doubt bars, and that the figures are those of the value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.economics.test_valuation import COST, FOUND, estimate, outcome, study
from ucimpact.decision import decide
from ucimpact.economics import valuation
from ucimpact.economics.valuation import Counted
from ucimpact.evaluation.document import spoken_of
from ucimpact.study import DecisionRule
from ucimpact.words.never import breaks

FINDING = {
    **FOUND, "lo": -9.9, "hi": -0.7, "w": 4.0, "claim": "B", "kind": "count", "better": "lower", "scale": "identity",
    "outcome": "emergency admissions", "subject": "the visits", "plural": True, "per": "per 100 people over 90 days",
    "key_fail": False, "refused": None, "confounded": False, "one_place": True, "design": "comparison",
    "found_se": 2.3, "people_analysed": 1240.0, "column": "admissions",
}  # fmt: skip
LOW = {"level": "low", "steps": [{"code": "A", "cost": 2, "head": "", "text": ""}]}
HOLDS = [{"name": "balance", "question": "Were the two groups alike at the start?", "answer": "holds"}]


def decided(price: float, effect=None, /, *, checks=HOLDS, grade=LOW, rule=None, **changed):
    one = outcome(capacity=None, capacity_per_event=None)
    made = study(
        one, replace(COST, per_person=price), decision=rule or DecisionRule(another_year_costs=6000.0)
    )
    found = {**FINDING, **changed}
    counted = [Counted(outcome=one, estimate=effect or estimate())]
    refused = "the comparison does not pass its checks" if found["key_fail"] else None
    worth = valuation.value(made, counted, claim=found["claim"], found=found, people=1240.0, refused=refused)
    return decide(made, found, grade, checks, worth)


@pytest.mark.parametrize(
    ("price", "verdict"),
    [
        (60.0, "Mainstream"),
        (140.0, "Extend with evaluation"),
        (170.0, "Extend with evaluation, at £140 a person or less"),
        (1000.0, "Stop at this price"),
    ],
)
def test_the_verdict_follows_the_price(price, verdict):
    assert decided(price)["verdict"] == verdict


def test_without_a_dear_second_year_a_price_above_its_worth_is_only_if_cheaper():
    told = decided(170.0, rule=DecisionRule(another_year_costs=90_000.0))
    assert told["verdict"] == "Extend if cheaper: £144 a person or less"
    assert told["because"] == "About 5 fewer per 100, worth £144 a person against £170."


@pytest.mark.parametrize(("cost", "said"), [(1, "the range is wide."), (2, "the range is very wide.")])
def test_a_wide_range_is_named_where_how_many_people_is_not_known(cost, said):
    wide = {
        "level": "very low",
        "steps": [*LOW["steps"], {"code": "P", "cost": cost, "head": "", "text": ""}],
    }
    told = decided(1000.0, grade=wide, people_analysed=None)
    assert told["verdict"] == "Stop at this price" and told["because"].endswith(said)


def test_a_doubt_bars_mainstreaming_and_is_named():
    told = decided(60.0, checks=[{**HOLDS[0], "answer": "doubtful"}])
    assert told["verdict"] == "Extend with evaluation"
    assert "Were the two groups alike at the start?” is in doubt" in told["because"]


def test_a_doubt_about_what_is_not_recorded_bars_nothing():
    check = {"name": "unmeasured", "question": "?", "answer": "doubtful"}
    assert decided(60.0, checks=[check])["verdict"] == "Mainstream"


def test_a_failed_check_leaves_nothing_to_decide():
    told = decided(60.0, key_fail=True)
    assert told["verdict"].startswith("Cannot say yet")
    assert told["next_steps"] and not told["because"]


def test_a_rise_is_never_made_permanent_however_cheap():
    told = decided(1.0, estimate(60, 20, 100), claim="H")
    assert told["verdict"] == "Stop: no price would repay it" and told["next_steps"]
    assert told["would_change"] == []  # beside "do not extend it until it is understood"


def test_a_value_that_the_study_declares_is_not_said_to_be_missing():
    told = decided(60.0, key_fail=True)
    assert told["verdict"] == "Cannot say yet: a comparison that passes its checks"
    told = decided(60.0, key_fail=True, claim=None, refused="too few", est=None, lo=None, hi=None)
    assert told["verdict"] == "Cannot say yet: a likely range and a comparison that passes its checks"


def test_what_would_change_it_is_said_and_holds():
    told = decided(60.0)
    assert told["would_change"][0].startswith("the price rose above £")
    rule = told["price_at_rule"]
    assert decided(rule - 1)["verdict"] == "Mainstream"
    assert decided(rule + 1)["verdict"] != "Mainstream"


@pytest.mark.parametrize("price", [1.0, 60.0, 100.0, 140.0, 170.0, 250.0, 400.0, 1000.0])
def test_no_sentence_breaks_the_rules_of_words(price):
    told = decided(price)
    for text in (told["verdict"], told["because"], *told["would_change"], told["cost"]["text"]):
        assert not breaks(text), text


@pytest.mark.parametrize(
    ("rule", "verdict"), [(6000.0, "Extend with evaluation"), (90_000.0, "Extend if cheaper")]
)
def test_a_reason_names_the_outcomes_that_carry_the_value_and_not_the_main_one(rule, verdict):
    told = decided(
        170.0, rule=DecisionRule(another_year_costs=rule), column="died", outcome="deaths in hospital"
    )
    assert told["verdict"].startswith(verdict)
    assert told["because"].startswith("The change in emergency admissions, worth £144")
    assert "About" not in told["because"].partition(". ")[0] and "deaths" not in told["because"]


def test_a_headline_speaks_of_the_price_only_where_its_own_outcome_is_priced():
    one = outcome()
    counted = [Counted(outcome=one, estimate=estimate())]
    worth = valuation.value(study(one, COST), counted, claim="B", found=FINDING, people=1240.0)
    assert worth is not None and worth.deciding is not None
    assert spoken_of(worth, "admissions")["pay"] == worth.deciding["chance"]
    assert spoken_of(worth, "died") == {"valued": True, "pay": None}
