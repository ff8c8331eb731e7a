"""The table of verdicts, that better news never makes a verdict worse, and that switches switch."""

from __future__ import annotations

import itertools
import math
import re
from statistics import NormalDist
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ucimpact import words

ORDER = ("Mainstream", "Extend with evaluation", "Extend if cheaper", "Stop at this price")
C = 6000


@pytest.mark.parametrize(
    ("pilot", "given", "row", "text"),
    [
        ("Merebridge, own report", (181.7, 230, 0.28, 107, 20_000, "B", "low"), 3, "Extend with evaluation, at £180 a person or less"),
        ("Westow", (115.4, 60, 0.85, 68, 7_900, "B", "low"), 1, "Mainstream"),
        ("Harle", (193, 160, 0.63, 120, 14_300, "B", "low"), 3, "Extend with evaluation"),
        ("Saltby", (99, 95, 0.55, 30, 16_000, "U", "very low"), 3, "Extend with evaluation"),
        ("Merebridge, league", (147.6, 230, 0.10, 95, 4_400, "B", "low"), 5, "Extend if cheaper: £148 a person or less"),
        ("Oldcastle", (174.2, 265, 0.16, 60, 3_900, "X", "very low"), 6, "Stop at this price"),
        ("Thornham", (47, 180, 0.08, 5, 600, "X", "very low"), 6, "Stop at this price"),
        ("Penmarsh", (65, 210, 0.03, 20, 500, "X", "very low"), 6, "Stop at this price"),
    ],
)  # fmt: skip
def test_the_pilots_of_the_table(pilot, given, row, text):
    value, price, p, at_rule, evsi, claim, level = given
    got = words.verdict(
        value=value,
        price=price,
        chance_=p,
        price_at_rule=at_rule,
        evsi=evsi,
        evsi_cost=C,
        claim_code=claim,
        level=level,
    )
    assert (got.row, got.text) == (row, text)


BASE: dict[str, Any] = {
    "value": 100.0, "price": 90.0, "chance_": 0.6, "price_at_rule": 70.0, "level": "low", "claim_code": "B",
    "evsi": 1_000, "evsi_cost": C,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        ({"chance_": 0.8}, 1), ({"chance_": 0.8, "claim_code": "X"}, 1), ({"chance_": 0.799}, 4),
        ({"chance_": 0.8, "level": "very low"}, 2), ({"chance_": 0.8, "key_doubt": True}, 2),
        ({"chance_": 0.8, "level": "low", "min_certainty": "moderate"}, 2), ({"chance_": 0.75, "rule": 0.7}, 1),
        ({"chance_": 0.8, "claim_code": "h"}, 6), ({"chance_": 0.8, "claim_code": "H", "level": "very low"}, 6),
        ({"evsi": 6_001}, 3), ({"evsi": 6_000}, 4), ({"evsi": 9_000, "value": 0}, 6), ({"claim_code": "U"}, 4),
        ({"claim_code": "U", "level": "very low"}, 4), ({"claim_code": "h"}, 6), ({"claim_code": "U", "value": 89.0}, 6),
        ({"price": 200.0}, 5), ({"price": 201.0}, 6), ({"price": 200.0, "level": "very low"}, 6), ({"value": -5}, 6),
        ({"key_fail": True}, 0), ({"price": None}, 0), ({"value": None}, 0), ({"claim_code": None}, 0),
        ({"missing": ["people"]}, 0),
    ],
)  # fmt: skip
def test_the_first_row_that_matches(changed, row):
    assert words.verdict(**{**BASE, **changed}).row == row


def test_what_is_missing_is_named_in_order():
    assert words.decide(level="low", claim_code="B", missing=["value", "people"]) == (
        "Cannot say yet: the study gives no price per person, number of people or value for what is avoided"
    )
    assert words.decide(level="low", missing=["value", "people"]) == (
        "Cannot say yet: a price per person, the number of people, a likely range and a value for what is avoided"
    )
    assert (
        words.decide(**{**BASE, "missing": ["people"]})
        == "Cannot say yet: the study gives no number of people"
    )
    assert words.decide(**{**BASE, "key_fail": True}) == "Cannot say yet: a comparison that passes its checks"
    assert words.decide(**{**BASE, "claim_code": None}) == "Cannot say yet: a likely range"
    assert words.decide(**{**BASE, "value": None}).endswith("the study gives no value for what is avoided")


def test_what_follows_from_another_thing_missing_is_not_named_too():
    barred = {**BASE, "value": None, "chance_": None}
    assert words.decide(**{**barred, "claim_code": None}) == "Cannot say yet: a likely range"
    assert words.decide(**{**barred, "claim_code": None, "key_fail": True}) == (
        "Cannot say yet: a likely range and a comparison that passes its checks"
    )
    assert words.decide(**barred, missing=["worth"]) == "Cannot say yet: a value that can be worked out"


def test_what_is_worth_nothing_has_no_price():
    told = {value: words.decide(**{**BASE, "value": value, "chance_": 0.0}) for value in (-5, 0, 0.01)}
    assert told == {
        -5: "Stop: no price would repay it", 0: "Stop: no price would repay it", 0.01: "Stop at this price"
    }  # fmt: skip


def test_what_a_verdict_asks_for():
    assert words.decide(**{**BASE, "price_at_rule": -3.0}) == "Extend if cheaper, at a price to be agreed"
    assert words.decide(**{**BASE, "evsi": 9_000, "value": 89.9, "months": 12}) == (
        "Extend for 12 months, with evaluation, at £80 a person or less"
    )
    assert words.decide(**{**BASE, "evsi": 9_000, "value": 7.6}).endswith("at £7 a person or less")
    assert words.verdict(**{**BASE, "value": -5}).price is None


def rank(**facts: Any) -> int:
    return ORDER.index(words.verdict(**facts).name)


SHARED = {
    "value": st.floats(-50, 400), "price": st.floats(1, 400), "chance_": st.floats(0, 1), "evsi": st.floats(0, 20_000),
    "evsi_cost": st.just(C), "price_at_rule": st.floats(-50, 400), "level": st.sampled_from(words.LEVELS),
    "claim_code": st.sampled_from(words.CLAIMS), "key_doubt": st.booleans(),
}  # fmt: skip


@given(st.fixed_dictionaries(SHARED), st.sampled_from(["chance_", "value", "evsi", "price"]), st.floats(0, 1))
def test_better_news_never_moves_the_verdict_down(facts, name, share):
    if name == "price":
        better = {**facts, "price": facts["price"] * share + 0.01}
        assume(better["price"] <= facts["price"])
    elif name == "chance_":
        better = {**facts, "chance_": facts["chance_"] + share * (1 - facts["chance_"])}
    else:
        better = {**facts, name: facts[name] + 200 * share * (100 if name == "evsi" else 1)}
    assert rank(**better) <= rank(**facts)


@given(st.fixed_dictionaries(SHARED))
def test_every_verdict_keeps_the_language_rules(facts):
    got = words.verdict(**facts)
    assert words.breaks(got.text) == []
    why = words.because(
        got.name, p=facts["chance_"], price=facts["price"], size="About 4 fewer per 100", value=facts["value"],
        claim_code=facts["claim_code"], outcome="admissions", evsi=facts["evsi"], evsi_cost=C,
        doubt="Did they move alike?" if facts["key_doubt"] else None, largest_step="P1", people=310,
    )  # fmt: skip
    assert words.breaks(why) == []
    assert 1 <= len(words.split_sentences(why.replace("?”", "”"))) <= 2
    switch = words.would_change(
        got.name, value=facts["value"], price=facts["price"], price_at_rule=facts["price_at_rule"], evsi=facts["evsi"],
        evsi_cost=C, claim_code=facts["claim_code"], level=facts["level"],
        doubt="Did they move alike?" if facts["key_doubt"] else None,
    )  # fmt: skip
    assert words.breaks(switch) == []
    assert switch.endswith(".")


# -- reasons -------------------------------------------------------------------------------


def test_reasons_for_extending():
    size = "About 6 fewer per 100"
    assert words.because(
        "Extend with evaluation", size=size, value=193, price=160, claim_code="B", evsi=14_300, evsi_cost=C
    ) == (
        "About 6 fewer per 100, worth £193 against £160, but the range is wide. "
        "A second year of evidence is worth about £14,000 and costs £6,000."
    )
    assert words.because(
        "Extend with evaluation",
        value=99,
        price=95,
        claim_code="U",
        outcome="admissions",
        evsi=16_000,
        evsi_cost=C,
    ) == (
        "We could not tell if admissions changed. A second year of evidence is worth about £16,000 and costs £6,000."
    )
    assert (
        words.because(
            "Extend with evaluation",
            size=size,
            value=193,
            price=60,
            claim_code="W+",
            doubt="Did they move alike?",
        )
        == "About 6 fewer per 100, worth £193 against £60. “Did they move alike?” is in doubt."
    )
    assert words.because(
        "Extend with evaluation", size=size, value=193, price=60, claim_code="W+", level="very low"
    ) == ("About 6 fewer per 100, worth £193 against £60. Certainty is very low, and the rule asks for low.")


def test_reasons_for_stopping_name_the_largest_step():
    about = {"size": "About 5 fewer per 100", "value": 174.2, "price": 265}
    assert words.because("Stop at this price", **about, largest_step="P2", people=310) == (
        "About 5 fewer per 100, worth £174 a person against £265; only 310 people."
    )
    assert words.because("Stop at this price", **about, largest_step="S") == (
        "About 5 fewer per 100, worth £174 a person against £265; the series is short."
    )
    assert words.because("Cannot say yet", missing=["value", "price"]) == (
        "Still needed: a price per person and a value for what is avoided."
    )


# -- switches ------------------------------------------------------------------------------


def normal(value: float, sd: float, price: float, **facts: Any) -> dict[str, Any]:
    """Facts of a pilot whose value per person is normal: the chance follows the price."""
    return {
        "value": value, "price": price, "chance_": NormalDist(value, sd).cdf(2 * value - price), "claim_code": "B",
        "level": "low", "price_at_rule": words.normal_price_at_rule(value, sd), "evsi_cost": C, "evsi": 0, **facts,
    }  # fmt: skip


@pytest.mark.parametrize("evsi", [0, 9_000])
def test_the_printed_price_switches_the_verdict_within_a_pound(evsi):
    value, sd = 115.4, 55.8
    at_rule = words.normal_price_at_rule(value, sd)
    text = words.would_change("Mainstream", value=value, price_at_rule=at_rule, evsi=evsi, evsi_cost=C)
    low, high = (
        words.verdict(**normal(value, sd, 67.4, evsi=evsi)),
        words.verdict(**normal(value, sd, 69.4, evsi=evsi)),
    )
    assert (low.name, round(at_rule)) == ("Mainstream", 68)
    assert high.name == ("Extend with evaluation" if evsi else "Extend if cheaper")
    if evsi:
        assert text == "the price rose above £68 (extend), or £115 (only if cheaper)."
        assert words.verdict(**normal(value, sd, 114.4, evsi=evsi)).text == "Extend with evaluation"
        assert words.verdict(**normal(value, sd, 116.4, evsi=evsi)).text.endswith("at £110 a person or less")
    else:
        assert text == "the price rose above £68 (only if cheaper), or £231 (stop)."
        assert words.verdict(**normal(value, sd, 229.8)).row == 5
        assert words.verdict(**normal(value, sd, 231.8)).row == 6


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("Extend with evaluation", {"value": 193, "price": 160, "price_at_rule": 120}, "a second year agreed (mainstream), or the price passed £193 (only if cheaper)."),
        ("Extend with evaluation", {"value": 181.7, "price": 230, "price_at_rule": 107}, "the price fell to £107 (mainstream), or £180 a person cannot be agreed (stop)."),
        ("Extend with evaluation", {"value": 115, "price": 60, "price_at_rule": 68, "doubt": "Did they move alike?"}, "“Did they move alike?” were settled (mainstream), or the price passed £115 (only if cheaper)."),
        ("Extend with evaluation", {"value": 115, "price": 60, "price_at_rule": 68, "level": "very low"}, "certainty rose to low (mainstream), or the price passed £115 (stop)."),
        ("Extend if cheaper", {"value": 90, "price": 80, "price_at_rule": 61}, "a price of £61 or less is agreed (mainstream), or is refused (stop)."),
        ("Stop at this price", {"value": 174.2, "price": 265, "claim_code": "X", "level": "very low"}, "the price fell to £174 (extend)."),
        ("Stop at this price", {"value": 100, "price": 210}, "the price fell to £200 (only if cheaper), or £100 (extend)."),
        ("Stop at this price", {"value": 47, "price": 180, "claim_code": "X"}, "it is bought for something else, and judged on that."),
        ("Stop at this price", {"value": -4, "price": 180}, "it is bought for something else, and judged on that."),
    ],
)  # fmt: skip
def test_what_would_change_the_verdict(name, given, text):
    assert words.would_change(name, **given) == text


def test_every_printed_price_switches_the_verdict_when_evidence_follows_the_price():
    value, checked = 115.4, 0
    for claim, spread, people in itertools.product(("B", "X"), (0.2, 0.6, 1.2), (40, 400, 4_000)):
        sd = value * spread
        apart = sd / math.sqrt(2)

        def at(
            price: float, sd: float = sd, apart: float = apart, people: int = people, claim: str = claim
        ) -> dict[str, Any]:
            evsi = people * apart * words.normal_loss(abs(value - price) / apart)
            return normal(value, sd, price, evsi=evsi, claim_code=claim)

        for price in range(20, 341, 16):
            facts = at(price)
            today = words.verdict(**facts)
            facts.pop("chance_")
            text = words.would_change(today.name, **facts)
            shown = re.findall(r"(?:rose above|passed|fell to|, or) £([\d,]+) \(", text)
            for switch in (float(number.replace(",", "")) for number in shown):
                assert words.decide(**at(switch - 1)) != words.decide(**at(switch + 1)), (price, text)
            checked += len(shown)
    assert checked > 200


SHORT = ["mainstream", "extend", "only if cheaper", "stop"]


def test_a_higher_price_is_never_said_to_give_a_better_verdict_nor_a_lower_one_a_worse():
    """Where evidence pays only near an even bet, the verdict falls to "only if cheaper" and comes back there."""
    facts = {"value": 300, "price_at_rule": 225, "evsi_cost": C, "pays": (260, 340)}
    up = words.would_change("Mainstream", price=200, evsi=100, **facts)
    assert up == "the price rose above £225 (only if cheaper), or £600 (stop)."
    down = words.would_change("Stop at this price", price=700, evsi=0, **facts)
    assert down == "the price fell to £600 (only if cheaper), or £300 (extend)."
    checked = 0
    for spread, people, claim in itertools.product((0.1, 0.3, 0.5, 0.9), (60, 200, 700, 3_000), ("B", "X")):
        value, sd = 300.0, 300 * spread
        apart = sd / math.sqrt(2)
        for price in range(20, 900, 20):
            evsi = people * apart * words.normal_loss(abs(value - price) / apart)
            given = normal(value, sd, price, evsi=evsi, claim_code=claim)
            today = words.verdict(**given)
            given.pop("chance_")
            text = words.would_change(today.name, **given)
            told = [SHORT.index(name) for name in re.findall(r"£[\d,]+ \((.+?)\)", text)]
            if text.startswith("the price rose"):
                assert told == sorted(set(told)) and told[0] > 0, text
                checked += 1
            if text.startswith("the price fell"):
                assert told == sorted(set(told), reverse=True), text
                checked += 1
    assert checked > 300


def test_prices_between_which_evidence_pays_are_taken_where_they_are_known():
    facts = {"value": 115.4, "price": 60, "price_at_rule": 68, "evsi": 9_000, "evsi_cost": C}
    told = words.would_change("Mainstream", **facts, pays=(50, 200))
    assert told == "the price rose above £68 (extend), or £115 (only if cheaper)."
    assert (
        words.would_change("Mainstream", **facts, pays=(50, 90))
        == "the price rose above £68 (extend), or £90 (only if cheaper)."
    )
    assert (
        words.would_change("Mainstream", **facts, pays=())
        == "the price rose above £68 (only if cheaper), or £231 (stop)."
    )


@pytest.mark.parametrize("answer", ["cannot tell", "doubtful", "fails"])
def test_checks_hold_only_where_every_key_check_holds(answer):
    held = [{"name": name, "answer": "holds"} for name in ("pre_trend", "same_coding", "unmeasured")]
    assert words.keys_hold(held)
    assert not words.keys_hold([*held, {"name": "other_change", "answer": answer}])
    assert not words.keys_hold([*held[:2], {"name": "unmeasured", "answer": answer}])
    assert words.keys_hold([*held, {"name": "dates", "answer": answer}])
    assert words.keys_hold([*held, {"name": "season", "answer": answer, "counted": False}])


def test_nothing_would_change_a_verdict_that_was_not_given():
    with pytest.raises(ValueError, match="can change"):
        words.would_change("Cannot say yet", value=1)


def test_switching_figures_of_the_worked_pilot():
    assert words.switching_effect(-5.3, 230, 181.7) == pytest.approx(6.7, abs=0.05)
    assert words.second_year_for_mainstream(-5.3, 181.7, 87.8, 180) == 9
    assert words.up(95 / 34.28) == 3
    assert words.up(4.0) == 4
    assert words.normal_price_at_rule(181.7, 87.8) == pytest.approx(107.8, abs=0.05)


# -- what to do next without money ---------------------------------------------------------


def steps(claim: str | None, level: str = "low", **facts: Any) -> list[str]:
    return words.next_steps(
        claim, level, ["price", "value"], subject="the hub", outcome="admissions", event="admission", **facts
    )


def test_harm_looks_for_a_cause_first():
    for claim in words.HARM:
        assert steps(claim)[0] == "Look for a cause of the rise in admissions before anything else."
    assert steps("H", better="higher")[0].startswith("Look for a cause of the fall")


def test_an_open_question_says_what_would_settle_it():
    said = steps("X", se=2.347, w=4, unit="per 100", one_place=True)
    assert said == [
        "Treat the question as open: this is no reason to stop the hub, nor to extend it.",
        "To find a fall of 4 per 100 four times in five takes about 3 times as much evidence as this.",
        "Ask for more places before more months: one place cannot tell the pilot from local events.",
    ]


def test_a_benefit_asks_for_the_money_before_a_decision():
    assert steps("B")[-1] == (
        "Agree a price per person and a value for each admission before deciding whether it is worth the money."
    )


def test_an_unusable_result_decides_nothing_and_asks_for_no_price():
    for facts in ({"key_fail": True}, {"refused": "too few"}, {"confounded": True}):
        said = steps("B", **facts)
        assert said[0].startswith("Decide nothing")
        assert not any("price" in text for text in said)
    assert steps(None)[0].startswith("Decide nothing")


def test_next_steps_keep_the_language_rules():
    for claim, level, better, plural in itertools.product(
        words.CLAIMS, words.LEVELS, ("lower", "higher"), (True, False)
    ):
        for text in steps(
            claim, level, better=better, plural=plural, se=3.0, w=2.0, unit="%", one_place=True
        ):
            assert words.breaks(text) == []


def test_95_in_100_is_not_said_as_a_likely_range_is_misread():
    text = words.because("Mainstream", p=0.953, price=60)
    assert text.startswith("A 95 in 100 chance of being worth £60 a person") and not words.breaks(text)
