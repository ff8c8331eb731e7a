"""Sentences of a value: typed whole, no two columns in one, none longer than a reader can hold."""

from __future__ import annotations

import itertools

import pytest

from ucimpact import words
from ucimpact.words import value as said

KINDS = [("short stays", 0.45, 826.0), ("long stays", 0.55, 5419.0)]

WHOLE = {
    "mix": (
        lambda: said.mix("admissions", KINDS, "B"),
        "45% of the admissions avoided would have been short stays (£826) and 55% long stays (£5,419).",
    ),
    "mix of three": (
        lambda: said.mix("admissions", [*KINDS[:1], ("long stays", 0.35, 5419.0), ("weeks", 0.2, 700.0)], "W+"),
        "45% of the admissions avoided would have been short stays (£826), 35% long stays (£5,419) and 20% weeks "
        "(£700).",
    ),
    "mix of a rise": (
        lambda: said.mix("admissions", KINDS, "H"),
        "Of the admissions added, 45% are taken to be short stays (£826) and 55% long stays (£5,419).",
    ),
    "mix where nobody can tell": (
        lambda: said.mix("admissions", KINDS, "X"),
        "Of any admissions avoided, 45% would have been short stays (£826) and 55% long stays (£5,419).",
    ),
    "mix range": (
        lambda: said.mix_range("short stays", 0.3, 0.6, 4041.1, 2663.2),
        "If 30% to 60% are short stays, one is worth £2,663 to £4,041.",
    ),
    "usually": (
        lambda: said.usually("emergency admissions", "short stays", 826.0, 2711.0, 54_516.0, row=178_926.0, whole=54_516.0),
        "£2,711 is the average of all emergency admissions, and those avoided are usually short stays. At £826 each "
        "the value would be £54,500.",
    ),
    "usually, with other outcomes counted": (
        lambda: said.usually("emergency admissions", "short stays", 826.0, 2711.0, 1_043_400.0, row=3_424_400.0, whole=8_206_200.0),
        "£2,711 is the average of all emergency admissions, and those avoided are usually short stays. At £826 each "
        "the £3,424,400 counted for them would be £1,043,400, and the whole value £8,206,200.",
    ),
    "a part that is dearer than the whole": (
        lambda: said.dearer_part("emergency admission", "bed day", 12.0, 4852.3, 2711.0),
        "An emergency admission is taken to free 12 bed days, at £4,852 in all, and to cost the NHS £2,711 in full. "
        "A part cannot cost more than the whole: one of the two figures is not of the events avoided.",
    ),
    "freed": (
        lambda: said.freed(0.4, 0.3, 0.5, 71_570.0, 10_800.0, 136_000.0),
        "If 40% (30% to 50%) of the full cost is really freed in the short run, the value is £71,600 (likely range "
        "£10,800 to £136,000).",
    ),
    "attributed": (
        lambda: said.attributed(0.75, 0.6, 0.9, "a virtual ward ran beside it."),
        "Between 60% and 90% of the change is taken to be the pilot’s own, and 75% is counted. The reason given: a "
        "virtual ward ran beside it.",
    ),
    "attributed for certain": (
        lambda: said.attributed(0.5, 0.5, 0.5, "so agreed"),
        "50% of the change is taken to be the pilot’s own. The reason given: so agreed.",
    ),
    "attributed value": (
        lambda: said.attributed_value(0.6, 0.9, 107_400.0, 161_000.0),
        "At 60% of the change the best estimate is £107,400, at 90% it is £161,000.",
    ),
    "own share": (
        lambda: said.own_share(0.75, 0.6, 0.9),
        "Other services worked on the same people: 75% of the change is counted (it may be 60% to 90%).",
    ),
    "prices": (
        lambda: said.prices(254.2, 230.0, 274.5),
        "The price of £254 a person holds what was spent once on starting; once running it is £230. With volunteers’ "
        "time at what a paid person would cost it is £275; nobody pays that part, so it does not decide.",
    ),
    "area": (
        lambda: said.area(1.07),
        "Unit costs of the NHS are multiplied once by 1.07, the area’s cost factor. What the pilot cost, and pounds "
        "that the study gives, are not.",
    ),
    "haircut": (
        lambda: said.haircut("low", 0.25, 105.4, 230.0),
        "Certainty is low. Taking 25% off for it leaves £105 a person, which does not repay the price. A rule of "
        "thumb, no estimate: it never decides.",
    ),
    "no haircut": (
        lambda: said.haircut("high", 0.0, 140.0, 100.0),
        "Certainty is high, so nothing is taken off for it.",
    ),
    "knowing": (
        lambda: said.knowing(31_000.0, 20_400.0),
        "A second year of evidence is worth about £20,000. Knowing the truth would be worth £31,000 to the people of "
        "one year, and no evaluation can be worth more to them.",
    ),
    "curve": (
        lambda: said.curve(230.0, 0.28, 0.8, 107.4, "full economic value"),
        "At £230 a person the chance that the full economic value exceeds the price is 28%; it is 80%, which the rule "
        "asks for, at £107.",
    ),
    "curve without a price": (
        lambda: said.curve(230.0, 0.02, 0.8, -14.0, "full economic value"),
        "At £230 a person the chance that the full economic value exceeds the price is 2%; at no price is it 80%, "
        "which the rule asks for.",
    ),
    "budget": (
        lambda: said.budget(3, 552_000.0, 527_427.0, 0.035, 2400.0),
        "Over 3 years the service would cost £552,000 for 2,400 people: £527,400 where later years count 3.5% less a "
        "year.",
    ),
    "one year": (
        lambda: said.budget(1, 92_000.0, 92_000.0, 0.035, 400.0),
        "Over a year the service would cost £92,000 for 400 people.",
    ),
    "gainers": (
        lambda: said.gainers([("The ICB", 0.6), ("the council", 0.4)], [("the trust", 0.7), ("the council", 0.3)], "full economic value"),
        "The ICB pays 60% and the council pays 40% of the cost. Of the full economic value 70% is with the trust and "
        "30% with the council.",
    ),
    "a ratio": (
        lambda: said.per_qaly(11_368.7, -1_401.0, 121_072.0),
        "Each quality-adjusted life year gained cost £11,400 (likely range up to £121,100), after what was freed.",
    ),
    "most moved": (
        lambda: said.most_moved("how many are short stays", -24.0, -54.0),
        "What moves the answer most is how many are short stays: across its range the net runs from −£54 to −£24 a "
        "person.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_the_sentence_is_this_one(name):
    made, wanted = WHOLE[name]
    assert made() == wanted


@pytest.mark.parametrize("name", WHOLE)
def test_it_breaks_no_rule_and_holds_one_kind_of_value(name):
    text = WHOLE[name][0]()
    assert words.breaks(text) == []
    for sentence in words.split_sentences(text):
        assert sum(kind in sentence for kind in words.COLUMNS) < 2


def test_the_standing_sentences_keep_the_rules_too():
    standing = (said.LATER, said.IN_STEP, said.PARTIES, said.DRAWN, said.JUDGED, said.NO_RATIO, said.DOMINATES, said.DOMINATED)  # fmt: skip
    told = said.scale(False, False, 7_000.0, 0.0) + said.scale(True, True, None, 30_000.0, 30.0)
    assert words.breaks(" ".join((*standing, *told))) == []
    assert "set up again" in told[2] and "is not spent again" in told[-1]


@pytest.mark.parametrize(("x", "text"), [(0.45, "45%"), (0.004, "0.4%"), (0.996, "99.6%"), (0.0, "0%"), (1.0, "100%"), (0.0001, "under 0.1%")])  # fmt: skip
def test_a_share_never_reads_as_none_or_all_where_it_is_not(x, text):
    assert said.share(x) == text


def test_the_lower_the_certainty_the_more_is_taken_off():
    cuts = [said.HAIRCUT[level] for level in ("high", "moderate", "low", "very low")]
    assert all(a < b for a, b in itertools.pairwise(cuts)) and cuts[0] == 0
