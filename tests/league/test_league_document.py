"""The document of a league on seven made-up pilots: numbers by other routes, and one story throughout."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.special import ndtr
from seven_pilots import EXPECTED, SEVEN, UNIT, W, Z, changed, evaluation, seven

from tests.reading_grade import grade
from ucimpact import words
from ucimpact.inference.shrinkage import Prior, shrink
from ucimpact.inference.winners import hybrid
from ucimpact.league import Entry, compare
from ucimpact.study.league import About, League, MainstreamIf

BUDGET = 400_000.0


@pytest.fixture(scope="module")
def document():
    return compare(seven(), budget=BUDGET)


@pytest.fixture(scope="module")
def pilots(document):
    return {pilot["id"]: pilot for pilot in document["pilots"]}


@pytest.fixture(scope="module")
def by_hand():
    """Benefits on the log scale and their errors, from the table of the seven alone."""
    logs = np.log1p(np.array([row[4:] for row in SEVEN]) / EXPECTED)
    y, error = -logs[:, 0], (logs[:, 2] - logs[:, 1]) / (2 * Z)
    return y, error, shrink(y, np.diag(error**2), Prior())


def test_it_is_plain_values_and_the_same_again(document):
    again = compare(seven(), budget=BUDGET)
    assert json.dumps({**again, "created": ""}) == json.dumps({**document, "created": ""})


def test_each_number_is_drawn_towards_the_others(pilots, by_hand):
    _, _, shrunk = by_hand
    low, high = shrunk.interval()
    for k, pilot in enumerate(pilots.values()):
        told = pilot["shrunk"]
        assert told["log"] == pytest.approx(-shrunk.mean[k])
        assert told["est"] == pytest.approx(EXPECTED * math.expm1(-shrunk.mean[k]))
        assert told["lo"] == pytest.approx(EXPECTED * math.expm1(-high[k]))
        assert told["hi"] == pytest.approx(EXPECTED * math.expm1(-low[k]))


def test_the_value_and_the_chance_are_means_over_the_posterior(pilots, by_hand):
    _, _, shrunk = by_hand
    for k, (pilot, row) in enumerate(zip(pilots.values(), SEVEN, strict=True)):
        baseline, sd = EXPECTED / 100 * UNIT, shrunk.sds[:, k]
        ratio = shrunk.weights @ np.exp(-shrunk.means[:, k] + sd**2 / 2)
        pays = -math.log(1 - row[3] / baseline)
        chance = shrunk.weights @ ndtr((shrunk.means[:, k] - pays) / sd)
        assert pilot["value"]["per_person"] == pytest.approx(baseline * (1 - ratio))
        assert pilot["value"]["chance"] == pytest.approx(chance)
        assert pilot["year"]["net"] == pytest.approx(row[2] * (baseline * (1 - ratio) - row[3]))
        worth_at_rule = -math.log(1 - pilot["value"]["price_at_rule"] / baseline)
        above = shrunk.weights @ ndtr((shrunk.means[:, k] - worth_at_rule) / sd)
        assert above == pytest.approx(0.8, abs=1e-6)


def test_only_the_leader_is_corrected_and_its_claim_is_of_that_range(document, pilots, by_hand):
    y, error, _ = by_hand
    assert document["leader"] == "oldcastle"
    assert [name for name, pilot in pilots.items() if pilot["hybrid"]] == ["oldcastle"]
    corrected = hybrid(y, np.diag(error**2))
    told = pilots["oldcastle"]
    assert told["hybrid"]["lo"] == pytest.approx(EXPECTED * math.expm1(-corrected.high))
    assert told["hybrid"]["hi"] == pytest.approx(EXPECTED * math.expm1(-corrected.low))
    assert told["own"]["claim"] == "B"
    assert (told["claim"], told["level"]) == ("X", "very low")
    assert [step["code"] for step in told["steps"]] == ["A", "P"]


def test_certainty_is_worked_out_again_with_the_new_range(pilots):
    harle, saltby = pilots["harle"], pilots["saltby"]
    assert (harle["claim"], harle["level"]) == ("B", "low")
    assert [step["cost"] for step in harle["steps"]] == [2, 0]
    assert saltby["own"]["claim"] == "X" and saltby["own"]["level"] == "very low"
    assert (saltby["claim"], saltby["level"]) == ("U", "very low")
    assert saltby["steps"][-1]["cost"] == 1


def test_other_steps_and_caps_of_the_pilot_stay():
    entries = seven()
    own = entries[0].document["certainty"]
    own["steps"].insert(1, {"code": "N", "cost": 1, "head": "One step down:", "text": "1 of 2 differs."})
    own["caps"] = [{"level": "low", "text": "one place."}]
    told = compare(entries)["pilots"][0]
    assert told["level"] == "very low"
    assert [step["code"] for step in told["steps"]] == ["A", "P", "N"]
    own["steps"] = []
    capped = compare(entries)["pilots"][0]
    assert capped["level"] == "low"
    assert capped["steps"][-1] == {"code": "cap", "cost": 0, "head": "At most low:", "text": "one place."}


def test_both_reports_are_told_and_the_league_decides(pilots):
    told = pilots["merebridge"]
    assert told["governs"] == (
        "Worth about £133 a person here; the price is £230. Its own report, read alone, says £182."
    )
    assert told["verdict"]["text"] == "Extend if cheaper: £133 a person or less"
    assert told["line"] == (
        "Beside six other pilots it is worth about £133 a person, where this report alone says £182. The verdict "
        "there is “Extend if cheaper: £133 a person or less”."
    )


def test_the_table_of_the_page_of_words():
    """The verdicts of section 4, from the figures of its table, whatever the model behind them."""
    table = [
        ("Westow", 115.4, 60, 0.85, 68, 7_900, "B", "low", "Mainstream"),
        ("Harle", 193, 160, 0.63, 120, 14_300, "B", "low", "Extend with evaluation"),
        ("Saltby", 99, 95, 0.55, 30, 16_000, "U", "very low", "Extend with evaluation"),
        ("Merebridge", 147.6, 230, 0.10, 95, 4_400, "B", "low", "Extend if cheaper: £148 a person or less"),
        ("Oldcastle", 174.2, 265, 0.16, 60, 3_900, "X", "very low", "Stop at this price"),
    ]
    from ucimpact.league.reading import Rules
    from ucimpact.league.verdicts import _judged

    entries = {row[1]: row for row in SEVEN}
    from ucimpact.league.pilot import pilots_of

    for place, value, price, p, at_rule, evsi, claim, level, text in table:
        entry = Entry(document=evaluation(*entries[place]), source=place)
        pilot = pilots_of([entry], "2024/25")[0]
        assert pilot.price == price
        got = _judged(
            pilot, Rules(another_year_costs=6_000.0), claim, level, (), value=value, chance=p,
            price_at_rule=at_rule, evsi=evsi,
        )  # fmt: skip
        assert got.made.text == text


def test_the_budget_buys_the_best_set_of_those_the_rule_lets_through(document, pilots):
    told = document["portfolio"]
    through = [
        name for name, pilot in pilots.items()
        if pilot["verdict"]["text"] in ("Mainstream", "Extend with evaluation")
    ]  # fmt: skip
    assert told["funded"] == through == [name for name, pilot in pilots.items() if pilot["funded"]]
    assert told["cost"] == pytest.approx(sum(pilots[name]["year"]["cost"] for name in through))
    assert told["net"] == pytest.approx(sum(pilots[name]["year"]["net"] for name in through))
    assert told["unspent"] == pytest.approx(BUDGET - told["cost"])
    small = compare(seven(), budget=pilots["westow"]["year"]["cost"] + 1)
    assert small["portfolio"]["funded"] == ["westow"]
    assert small["decision"]["unspent"].startswith("Harle is worth today’s price too")
    none = compare(seven(), budget=1_000.0)
    assert none["portfolio"]["funded"] == []
    assert none["decision"]["verdict"] == "The budget is too small for any of them"
    assert none["decision"]["because"] == "Two pilots pass the rule, and each costs more than there is."
    exact = compare(seven(), budget=told["cost"])
    assert (exact["portfolio"]["unspent"], exact["decision"]["unspent"]) == (0.0, "")


def test_the_raw_rule_claims_more_than_it_can_expect(document, pilots):
    told = document["portfolio"]["raw"]
    nets = {row[1].lower(): row[2] * (-row[4] / 100 * UNIT - row[3]) for row in SEVEN}
    worth = {name for name, net in nets.items() if net > 0}
    assert set(told["funded"]) == worth == {"harle", "oldcastle", "westow"}
    assert told["claimed"] == pytest.approx(sum(nets[name] for name in worth))
    assert told["expected"] == pytest.approx(sum(pilots[name]["year"]["net"] for name in worth))
    assert "claimed £239,600 of net value" in document["portfolio"]["text"]


def test_another_belief_is_shown_beside_and_said_where_it_funds_others(document):
    rows = {row["name"]: row for row in document["priors"]}
    assert len(rows) == 6
    assert rows["As shown"]["funded"] == document["portfolio"]["funded"]
    doubtful = rows["Such services change little on average"]
    assert (doubtful["funded"] == document["portfolio"]["funded"]) == document["portfolio"]["sceptical"][
        "same"
    ]
    assert not document["portfolio"]["sceptical"]["same"]
    assert "Harle and Westow would not be funded" in document["decision"]["because"]
    assert rows["Nothing believed of the average"]["leader_est"] < doubtful["leader_est"]


def test_nobody_is_called_the_best_where_all_could_be_first(document, pilots):
    assert not document["best"]["said"]
    assert document["sentences"]["second"] == (
        "No pilot can be called the best. On these data, any of the seven could be in first place."
    )
    assert sum(pilot["rank"]["best"] for pilot in pilots.values()) == pytest.approx(1)
    assert all(pilot["rank"]["low"] == 1 for pilot in pilots.values())


def test_one_far_ahead_is_called_the_best():
    ahead = Entry(document=evaluation("Night nurses", "Ford", 900, 100, -20, -22, -18), source="ford.json")
    document = compare([ahead, *seven()[1:]])
    assert document["best"]["said"]
    assert document["best"]["id"] == "ford"
    assert document["sentences"]["headline"].startswith("One pilot is ready to mainstream")


def test_with_two_pilots_each_ones_own_report_decides():
    document = compare(seven(2))
    assert any(text.startswith("With two pilots") for text in document["notes"])
    for pilot in document["pilots"]:
        assert pilot["claim"] == pilot["own"]["claim"]
        assert pilot["level"] == pilot["own"]["level"]
        assert pilot["governs"].endswith(", and decides.")


def test_wider_errors_of_few_degrees_of_freedom_are_used(document):
    entries = seven()
    told = entries[0].document["comparable"]
    wider = changed(entries[0], used_se=told["used_se"] * 1.3)
    other = compare([wider, *entries[1:]])
    assert other["pilots"][0]["shrunk"]["sd"] > document["pilots"][0]["shrunk"]["sd"]


def test_a_pilot_without_a_price_is_ranked_and_not_valued():
    entries = seven()
    entries[3].document["decision"]["price"] = None
    document = compare(entries, budget=BUDGET)
    told = document["pilots"][3]
    assert told["verdict"]["row"] == 0 and told["value"] is None and told["year"] is None
    assert told["shrunk"]["est"] < 0
    assert document["portfolio"]["funded"] == ["harle"]
    for entry in entries:
        entry.document["decision"]["price"] = None
    none = compare(entries)
    assert none["portfolio"] is None
    assert none["sentences"]["headline"].startswith("The seven pilots cannot be told apart yet")


def test_an_agreed_price_stands_before_that_of_the_report():
    entries = seven()
    entries[2] = Entry(document=entries[2].document, source="m.json", price=60.0)
    told = compare(entries)["pilots"][2]
    assert (told["price"], told["agreed"], told["own"]["price"]) == (60.0, True, 230.0)
    assert told["verdict"]["text"] == "Mainstream"


def test_the_rule_of_the_file_stands_before_that_of_the_studies():
    about = About(
        title="Fund",
        question="Which?",
        by="Team",
        budget=BUDGET,
        mainstream_if=MainstreamIf(chance_worth_its_cost=0.5),
    )
    document = compare(seven(), League(about=about, pilots=()))
    assert document["league"]["rule"]["chance"] == 0.5
    assert document["pilots"][0]["verdict"]["text"] == "Mainstream"
    unlike = [*seven()[:6], changed(seven()[6], rule={"chance": 0.9, "min_certainty": "low"})]
    assert "different chances" in compare(unlike)["notes"][0]


def test_below_the_floor_no_second_year_is_bought():
    entries = [
        changed(entry, rule={**entry.document["comparable"]["rule"], "another_year_costs": 100.0})
        for entry in seven()
    ]
    bought = {p["id"]: p for p in compare(entries)["pilots"]}
    assert bought["harle"]["verdict"]["row"] == 3
    from ucimpact.study.league import ExtendIf

    about = About(title="F", question="?", by="T", extend_if=ExtendIf(chance_worth_its_cost=0.75))
    barred = {p["id"]: p for p in compare(entries, League(about=about, pilots=()))["pilots"]}
    assert barred["harle"]["verdict"]["row"] == 4
    assert barred["harle"]["evsi"] == pytest.approx(bought["harle"]["evsi"])


def test_every_sentence_may_be_said(document):
    texts = [*document["sentences"].values(), *document["decision"].values(), document["portfolio"]["text"],
             document["spread"]["text"], document["covariance"]["text"], document["estimand"]["sentence"]]  # fmt: skip
    for pilot in document["pilots"]:
        texts += [pilot["because"], *pilot["would_change"], pilot["governs"], pilot["line"], pilot["others"]]
    for text in texts:
        assert not words.breaks(text), text
        for sentence in words.split_sentences(text):
            assert len(sentence.split()) <= words.LONGEST, sentence


def test_the_first_screen_can_be_read_by_many(document):
    texts = [*document["sentences"].values(), *document["decision"].values()]
    first = " ".join(text if text.endswith(".") else f"{text}." for text in texts if text)
    assert grade(first.replace("emergency admissions", "stays")) <= 10


def test_who_would_pay_and_is_not_funded_is_told_with_the_rule_and_the_money():
    from ucimpact.study.league import ExtendIf

    about = About(
        title="F", question="?", by="T", budget=BUDGET, extend_if=ExtendIf(chance_worth_its_cost=0.75)
    )
    document = compare(seven(), League(about=about, pilots=()))
    told, harle = document["portfolio"], document["pilots"][0]
    assert told["funded"] == ["westow"] and harle["verdict"]["row"] == 4 and harle["year"]["net"] > 0
    beyond = told["beyond"]
    assert beyond["ids"] == ["harle"]
    assert beyond["net"] == pytest.approx(harle["year"]["net"])
    assert beyond["cost"] == pytest.approx(880 * 160)
    every = words.money(told["net"] + harle["year"]["net"])
    sure = words.chance(harle["value"]["chance"])
    assert f"which makes {every} in all." in beyond["text"]
    assert f"The chance of that is {sure}; the rule asks for 80%." in beyond["text"]
    unspent = document["decision"]["unspent"]
    assert unspent.startswith(
        "No other pilot passes the rule at today’s price. Harle would be expected to add"
    )
    for text in (beyond["text"], unspent, told["text"]):
        assert not words.breaks(text), text
    assert compare(seven(), budget=BUDGET)["portfolio"]["beyond"] is None


def test_a_budget_below_every_pilot_that_passes_names_them_and_the_least_dear():
    none = compare(seven(), budget=1_000.0)["decision"]
    assert none["unspent"] == (
        "Harle and Westow pass the rule, and cannot be bought with it. The least dear is Westow, at £99,000."
    )


def test_a_pilot_near_certain_to_pay_has_a_chance_of_no_more_than_one():
    sure = [Entry(document=evaluation(*row[:3], 5, -20, -20.4, -19.6), source=row[1]) for row in SEVEN]
    for pilot in compare(sure, budget=BUDGET)["pilots"]:
        assert 0.999 < pilot["value"]["chance"] <= 1


def level_pegging(y=(-0.20, -0.20, -0.02), se=(0.05, 0.05, 0.05)):
    """Three pilots by their log ratios and errors."""
    entries = seven(3)
    for k, (log, error) in enumerate(zip(y, se, strict=True)):
        low, high = log - Z * error, log + Z * error
        entries[k] = changed(entries[k], log=log, low=low, high=high, std_error=error, used_se=error)
        found = entries[k].document["finding"]
        found |= {
            "est": EXPECTED * math.expm1(log),
            "lo": EXPECTED * math.expm1(low),
            "hi": EXPECTED * math.expm1(high),
        }
    return entries


def test_a_leader_in_a_dead_heat_is_judged_by_both_ranges_and_has_no_corrected_one():
    document = compare(level_pegging())
    told = document["pilots"][0]
    assert document["leader"] == told["id"] and told["hybrid"] is None
    # the interval is the point y - c s, about 2 fewer; the shrunken range reaches 6 fewer and more
    assert told["claim"] == "B"
    lead = document["sentences"]["lead"]
    assert lead.endswith(
        "The lead is too small for a range that allows for having been picked as the largest."
    )
    assert not words.breaks(lead)


def test_no_claim_of_harm_comes_of_a_corrected_range_that_misses_the_number():
    barely = compare(level_pegging((-0.201, -0.20, -0.02), (0.08, 0.05, 0.05)))["pilots"][0]
    assert barely["shrunk"]["est"] < -W and barely["claim"] in ("B", "X", "U", "V", "W+")


def test_two_pilots_are_funded_by_the_numbers_of_their_own_reports():
    entries = seven(2)
    document = compare(entries, budget=BUDGET)
    nets = {row[1].lower(): row[2] * (-row[4] / 100 * UNIT - row[3]) for row in SEVEN[:2]}
    for pilot, row in zip(document["pilots"], SEVEN[:2], strict=True):
        assert pilot["value"]["per_person"] == pytest.approx(-row[4] / 100 * UNIT)
        assert pilot["value"]["chance"] == pytest.approx(pilot["own"]["chance"])
        assert pilot["year"]["net"] == pytest.approx(nets[pilot["id"]])
        sd = (row[6] - row[5]) / 100 * UNIT / (2 * Z)
        assert pilot["year"]["high"] - pilot["year"]["low"] == pytest.approx(2 * Z * sd * row[2])
    told = document["portfolio"]
    assert told["funded"] == [
        "harle"
    ]  # 95% by its own report; Oldcastle has 73%, and evidence worth under £6,000
    assert told["net"] == pytest.approx(nets["harle"])
    assert told["beyond"]["net"] == pytest.approx(nets["oldcastle"])
    assert (told["low"] + told["high"]) / 2 == pytest.approx(told["net"], rel=0.03)


def test_the_floor_holds_for_two_pilots_as_well():
    entries = [
        changed(entry, rule={"chance": 0.8, "min_certainty": "low", "another_year_costs": 1.0})
        for entry in seven(3)[1:]
    ]
    for entry in entries:
        column = entry.document["valuation"]["columns"]["economic"]
        entry.document["decision"]["price"] = column["per_person"] + 1e-6
        column["chance"] = 0.46  # of draws that are skewed
    rows = [pilot["verdict"] for pilot in compare(entries)["pilots"]]
    assert [row["row"] for row in rows] == [3, 3]  # at a lower price, where the chance is even
    assert all("or less" in row["text"] for row in rows)
    for entry in entries:
        entry.document["decision"]["price"] -= 1
    assert [pilot["verdict"]["row"] for pilot in compare(entries)["pilots"]] == [4, 4]
