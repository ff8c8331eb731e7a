"""The reader on the forty golden sentences, typed by hand, and on texts that no page of words allows.

The reader is the judge of `test_grid`; here it is judged itself, without the code that writes the sentences.
"""

from __future__ import annotations

import pytest
import reader
from reader import Headline, Number, Range, Switch, Unreadable, Verdict

EA = "emergency admissions"
VISITS = "Soft-landing visits"
HUB = "The clinical hub"

HEADLINES = {
    "G01": (
        "Soft-landing visits may reduce emergency admissions, but probably not by enough to repay today’s price",
        Headline(
            kind="effect",
            subject=VISITS,
            outcome=EA,
            direction=-1,
            modal="may",
            singular=None,
            pay="probably not",
        ),
    ),
    "G10": (
        "We could not tell whether our volunteers changed emergency admissions",
        Headline(kind="could not tell", subject="our volunteers", outcome=EA),
    ),
    "G16": (
        "Soft-landing visits may make little or no difference to emergency admissions",
        Headline(kind="little", subject=VISITS, outcome=EA, modal="may"),
    ),
    "G17": (
        "We could not tell whether soft-landing visits changed emergency admissions; a worthwhile fall is unlikely",
        Headline(kind="could not tell", subject="soft-landing visits", outcome=EA, unlikely="fall"),
    ),
    "G18": (
        "The clinical hub probably reduces emergency admissions by a worthwhile amount",
        Headline(
            kind="effect",
            subject=HUB,
            outcome=EA,
            direction=-1,
            modal="probably",
            singular=True,
            amount="worthwhile",
        ),
    ),
    "G19": (
        "The clinical hub probably reduces emergency admissions, but by less than is worthwhile",
        Headline(
            kind="effect",
            subject=HUB,
            outcome=EA,
            direction=-1,
            modal="probably",
            singular=True,
            amount="less than worthwhile",
        ),
    ),
    "G20": (
        "The clinical hub may increase emergency admissions, perhaps by an amount that matters",
        Headline(kind="effect", subject=HUB, outcome=EA, direction=1, modal="may", amount="perhaps matters"),
    ),
    "G21": (
        "It is very uncertain whether soft-landing visits changed emergency admissions",
        Headline(kind="very uncertain", subject="soft-landing visits", outcome=EA),
    ),
    "G22": (
        "We cannot say whether soft-landing visits changed emergency admissions: the comparison is not sound",
        Headline(kind="not sound", subject="soft-landing visits", outcome=EA),
    ),
    "G23": (
        "The falls service probably increases days at home, but we cannot tell whether by a worthwhile amount",
        Headline(
            kind="effect",
            subject="The falls service",
            outcome="days at home",
            direction=1,
            modal="probably",
            singular=True,
            amount="not known",
        ),
    ),
    "G27": (
        "We cannot give a likely range for emergency admissions: there are 3 comparison places and at least 5 are needed",
        Headline(
            kind="no range", outcome=EA, reason="there are 3 comparison places and at least 5 are needed"
        ),
    ),
}


@pytest.mark.parametrize("row", HEADLINES)
def test_a_golden_headline_is_read(row):
    text, expected = HEADLINES[row]
    assert reader.read_headline(text) == expected


def ends(found: Range) -> tuple[float, float]:
    return found.first.value, found.second.value


def test_g02_the_lead_with_what_was_expected_and_what_happened():
    lead = reader.read_lead(
        "About 5 fewer emergency admissions per 100 people supported, over 90 days (likely range 1 to 10 fewer). "
        "38 were expected without the visits; 33 happened."
    )
    assert (lead.outcome, lead.base, lead.who, lead.when) == (EA, 100, "people supported", ", over 90 days")
    assert (lead.size, ends(lead.range), lead.range.words) == (Number(value=-5.0), (-1, -10), ("fewer",))
    assert lead.range.in_order() and lead.range.holds(lead.size)
    assert (lead.expected.value, lead.observed.value, lead.without) == (38, 33, "the visits")


def test_g03_g04_one_number_in_the_cell_and_in_the_alt_text():
    cell = reader.read_cell("5.3 fewer; 0.7 to 9.9 fewer")
    alt = reader.read_alt(
        "Difference in emergency admissions per 100 people: best estimate 5.3 fewer, likely range 0.7 to 9.9 fewer"
    )
    assert cell.size == Number(value=-5.3, decimals=1) and ends(cell.range) == (-0.7, -9.9)
    assert (alt.size, alt.range, alt.outcome, alt.base) == (cell.size, cell.range, EA, 100)


def test_g05_g12_the_chart_titles():
    lies = reader.read_title("The likely range lies below zero, and most of it is worth having")
    assert (lies.side, lies.claim) == (-1, "mostly worth having")
    covers = reader.read_title("The likely range covers a worthwhile fall, no difference and a rise")
    assert (covers.side, covers.claim) == (-1, "could be either")


def test_g06_per_cent():
    percent = reader.read_percent("14% fewer (likely range 2% to 26% fewer)")
    assert (percent.size.value, ends(percent.range), percent.times) == (-14, (-2, -26), False)


def test_g07_g13_avoided_or_cannot_say():
    said = reader.read_avoided(
        "About 66 emergency admissions may have been avoided in the year (likely range 9 to 123)."
    )
    assert (said.outcome, said.size.value, said.modal, said.when) == (EA, -66, "may", "in the year")
    assert ends(said.range) == (-9, -123) and said.past == "avoided"
    unsaid = reader.read_avoided(
        "We cannot say how many emergency admissions were avoided: the range runs from 44 fewer to 31 more."
    )
    assert (unsaid.outcome, unsaid.size, ends(unsaid.range)) == (EA, None, (-44, 31))


def test_g08_g14_cost_of_one_avoided_or_not_defined():
    cost = reader.read_cost("Cost per admission avoided: £4,340 (likely range £2,320 to £32,860).")
    assert (cost.event, cost.size.value, ends(cost.range)) == ("admission", 4340, (2320, 32860))
    none = reader.read_cost(
        "Cost per admission avoided: not defined, because the likely range includes no change."
    )
    assert (none.size, none.range, none.reason) == (None, None, "the likely range includes no change")


def test_g09_g15_certainty():
    assert reader.read_certainty("Certainty is low: people were not chosen by lot.") == ("low", ("A",))
    assert reader.read_certainty(
        "Certainty is very low: people were not chosen by lot, and the range is very wide."
    ) == ("very low", ("A", "P2"))


def test_g11_the_lead_where_we_could_not_tell():
    lead = reader.read_lead(
        "People we supported had 35.7 emergency admissions per 100 over 90 days; 36.9 were expected. "
        "That is about 1 fewer, but the truth could be anything from 8 fewer to 6 more."
    )
    assert (lead.who, lead.outcome, lead.base, lead.when) == ("People we supported", EA, 100, " over 90 days")
    assert (lead.observed.value, lead.expected.value) == (35.7, 36.9)
    assert (lead.size.value, ends(lead.range), lead.range.words) == (-1, (-8, 6), ("fewer", "more"))
    assert lead.range.in_order() and lead.range.holds(lead.size) and not lead.not_evidence


def test_g24_g25_a_lead_without_what_was_expected():
    lead = reader.read_lead(
        "About 4 fewer deaths per 10,000 people supported, over 30 days (likely range 1 to 7 fewer)."
    )
    assert (lead.outcome, lead.base, lead.who) == ("deaths", 10_000, "people supported")
    assert (lead.size.value, ends(lead.range), lead.expected) == (-4, (-1, -7), None)
    small = reader.read_lead(
        "About 2 fewer emergency admissions per 100 people supported, over 90 days (likely range 0.3 to 3.9 fewer)."
    )
    assert small.size.value == -2 and ends(small.range) == (-0.3, -3.9) and small.range.first.decimals == 1


def test_g26_what_could_have_been_found():
    found = reader.read_found(
        "This evaluation could have found a fall of 6.6 per 100 or more, four times in five. "
        "A fall of 4 could have been missed."
    )
    assert (found.direction, found.size.value, found.base, found.missed.value) == (-1, 6.6, 100, 4)


def test_g28_a_column_of_money():
    gate = reader.read_gate(
        "£225,300 of full economic value (likely range £20,600 to £447,600); chance that it exceeds the cost: 28%"
    )
    assert (gate.column, gate.value.value, gate.chance.value) == ("full economic value", 225300, 28)
    assert ends(gate.range) == (20600, 447600)


VERDICTS = {
    "G29": ("Extend with evaluation, at £180 a person or less", "Extend with evaluation", 180),
    "G30": ("Extend if cheaper: £148 a person or less", "Extend if cheaper", 148),
    "G31": ("Stop at this price", "Stop at this price", None),
    "G32": ("Mainstream", "Mainstream", None),
    "G33": ("Extend with evaluation", "Extend with evaluation", None),
    "G34": ("Extend if cheaper: £61 a person or less", "Extend if cheaper", 61),
}


@pytest.mark.parametrize("row", VERDICTS)
def test_a_golden_verdict_is_read(row):
    text, verdict, price = VERDICTS[row]
    assert reader.read_verdict(text) == Verdict(verdict=verdict, price=price)


def test_g35_g36_steps():
    none = reader.read_step(
        "No step down: the range leaves out no change, though it cannot tell a small fall from a large one."
    )
    assert none.cost == 0
    few = reader.read_step(
        "One step down: 1 pilot place and 20 others. The finding stands only if the pilot place is by nature "
        "less than 1.6 times as changeable."
    )
    assert (few.cost, few.numbers) == (-1, (1, 20, 1.6))
    assert reader.read_step("Two steps down: people were not chosen by lot.").cost == -2
    assert reader.read_step("One step back: two independent designs agree.").cost == 1


def test_g37_g38_because():
    chance = reader.read_because(
        "85% chance of being worth £60 a person; the rule asks for 80%, and the checks hold."
    )
    assert (chance.chance.value, chance.price, chance.rule.value) == (85, 60, 80)
    worth = reader.read_because("About 4 fewer per 100, worth £148 a person against £230.")
    assert (worth.size, worth.value, worth.price) == ("About 4 fewer per 100", 148, 230)


def test_g39_g40_switches():
    assert reader.read_switches("the price rose above £68 (extend), or £115 (only if cheaper).") == (
        Switch(to="extend", cause="the price rose above £68", price=68, rises=True),
        Switch(to="only if cheaper", cause="£115", price=115, rises=True),
    )
    assert reader.read_switches("a price of £148 or less is agreed (extend), or is refused (stop).") == (
        Switch(to="extend", cause="a price of £148 or less is agreed", price=148),
        Switch(to="stop", cause="is refused"),
    )


def test_the_forty_rows_are_all_here():
    """Rows typed in the tables above, and rows named in a test: none of the forty is left out."""
    named = {*HEADLINES, *VERDICTS}
    for test in [name for name in globals() if name.startswith("test_g")]:
        named |= {part.upper() for part in test.split("_") if part[1:].isdigit()}
    assert named == {f"G{i:02d}" for i in range(1, 41)}


@pytest.mark.parametrize(
    ("read", "text"),
    [
        ("headline", "The clinical hub may reduces emergency admissions"),
        ("headline", "The clinical hub reduced emergency admissions"),
        ("headline", "The clinical hub reduces emergency admissions, by a worthwhile amount"),
        (
            "headline",
            "We could not tell whether the hub changed emergency admissions; a worthwhile change is unlikely",
        ),
        ("headline", "Visits may reduce emergency admissions, and may repay today's price"),
        ("headline", "We think visits reduce emergency admissions"),
        ("cell", "5.3; 0.7 to 9.9 fewer"),
        ("cell", "-5.3 fewer; 0.7 to 9.9 fewer"),
        ("cell", "5.3 fewer, 0.7 to 9.9 fewer"),
        (
            "lead",
            "About 5 fewer emergency admissions per 100 people supported (likely range 1 to 10 fewer). And so on.",
        ),
        (
            "lead",
            "About 1204 fewer emergency admissions per 100 people supported (likely range 1 to 10 fewer).",
        ),
        ("title", "The likely range covers a worthwhile fall, no difference and a fall"),
        ("title", "The likely range lies below zero, and most of it is good"),
        ("percent", "14 fewer (likely range 2 to 26 fewer)"),
        ("cost", "Cost per admission avoided: £-4,340 (likely range £2,320 to £32,860)."),
        ("certainty", "Certainty is fair: people were not chosen by lot."),
        ("certainty", "Certainty is low: people were not chosen by lot, and it rained."),
        ("verdict", "Extend"),
        ("switches", "the price rose above £68, or £115."),
    ],
)
def test_a_sentence_outside_the_grammar_is_refused(read, text):
    with pytest.raises(Unreadable):
        getattr(reader, f"read_{read}")(text)


def test_a_number_knows_its_own_rounding():
    """Halves go away from zero; float dust is not a half; under 0.1 is a promise with a sign."""
    assert Number(value=-3.0).is_rounding_of(-2.5) and not Number(value=-2.0).is_rounding_of(-2.5)
    assert Number(value=0.3, decimals=1).is_rounding_of(0.25)
    assert Number(value=2.0).is_rounding_of(0.05 * 49.99) and not Number(value=5.0).is_rounding_of(5.5)
    assert Number(value=38.0).is_rounding_of(0.05 * 750)  # 37.500000000000004 and 37.5 alike
    assert Number(value=4340.0).is_rounding_of(4335.0, step=10)
    assert Number(value=-0.1, decimals=1, bound="under").is_rounding_of(-0.02)
    assert not Number(value=-0.1, decimals=1, bound="under").is_rounding_of(0.02)
    assert reader.read_size("just under 4 fewer").is_rounding_of(-3.96)
    for wrong in (-4.0, -4.04, -3.9, 3.96):
        assert not reader.read_size("just under 4 fewer").is_rounding_of(wrong)


def test_the_order_of_a_range_is_told_apart():
    assert reader.read_range("1 to 10 fewer").in_order()
    assert reader.read_range("8 fewer to 6 more").in_order()
    assert reader.read_range("under 0.1 to 0.1 fewer").in_order()
    assert reader.read_range("just under 4 to 4.0 fewer").in_order()
    assert (
        reader.read_range("0 to 12 fewer").in_order()
        and reader.read_range("12 fewer to no change").in_order()
    )
    for wrong in ("10 to 1 fewer", "6 more to 8 fewer", "5 to 5 fewer", "1 fewer to 10 fewer"):
        assert not reader.read_range(wrong).in_order()


def test_a_minus_sign_and_pence_are_read():
    assert reader.number("−£3,400").value == -3400
    assert reader.number("79p").value == 0.79
    with pytest.raises(Unreadable):
        reader.number("-£3,400")


def test_kinds_that_are_not_counted_stand_or_fall():
    """Costs, scores and durations: lower and higher in a range, a fall or a rise in a sentence."""
    cost = reader.read_lead(
        "A fall of about £40 in hospital costs per 100 people supported, over 90 days (likely range £10 to £70 lower)."
        " £960 was expected without the visits; £920 was seen."
    )
    assert (cost.outcome, cost.size.value, cost.expected.value) == ("hospital costs", -40, 960)
    assert ends(cost.range) == (-10, -70) and cost.range.words == ("lower",)
    stay = reader.read_lead(
        "Length of stay stood at 9.4 a month; 9.1 was expected. That is about 0.3 higher, "
        "but the truth could be anything from 0.2 lower to 0.8 higher. "
        "This is not evidence that the service makes no difference."
    )
    assert (stay.outcome, stay.per, stay.size.value, stay.not_evidence) == (
        "Length of stay",
        "a month",
        0.3,
        True,
    )
    total = reader.read_lead("About 1,204 fewer admissions a month (likely range 40 to 2,300 fewer).")
    assert (total.outcome, total.per, total.base, total.size.value) == ("admissions", "a month", None, -1204)


def test_a_switch_back_and_a_switch_without_a_price():
    assert reader.read_switches(
        "the price fell to £68 (mainstream), or £110 a person cannot be agreed (stop)."
    ) == (
        Switch(to="mainstream", cause="the price fell to £68", price=68),
        Switch(to="stop", cause="£110 a person cannot be agreed"),
    )
    assert reader.read_switches("it is bought for something else, and judged on that.") == ()
    long = reader.read_verdict("Extend for 12 months, with evaluation, at £180 a person or less")
    assert long == Verdict(verdict="Extend with evaluation", price=180)
