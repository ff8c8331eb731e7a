"""What a league says, by cases; nothing that may not be said, nothing too long, and a page that can be read."""

from __future__ import annotations

import itertools

import pytest

from tests.reading_grade import grade
from ucimpact import words
from ucimpact.words import league as said
from ucimpact.words import league_shared as linked

HOW = words.measure("count")


@pytest.mark.parametrize(
    ("rows", "share", "text"),
    [
        (
            [1, 3, 3, 5, 6, 6, 6],
            0.53,
            "One pilot is ready to mainstream; the biggest claim is about half luck",
        ),
        ([1, 1, 6], 0.0, "Two pilots are ready to mainstream"),
        ([6, 6, 6], 0.95, "No pilot is worth its price yet; the biggest claim is nearly all luck"),
        (
            [3, 2, 6],
            0.65,
            "No pilot is ready to mainstream; two are worth a second year, and the biggest claim is about two "
            "thirds luck",
        ),
        ([3, 6, 6], None, "No pilot is ready to mainstream; one is worth a second year"),
        ([0, 0], 0.3, "The two pilots cannot be told apart yet; the biggest claim is about a third luck"),
        ([0, 6, 5], 0.2, "No pilot can be shown to be worth its price yet; the biggest claim is partly luck"),
    ],
)
def test_headlines_by_cases(rows, share, text):
    assert said.headline(rows, share) == text


def test_the_part_of_a_claim_that_is_luck():
    assert said.cut(10.9, 5.1) == pytest.approx(0.532, abs=1e-3)
    assert said.cut(-1.0, 0.5) is None
    assert said.cut(10.0, -2.0) == 1.0
    assert said.cut(10.0, 12.0) == 0.0


def test_the_lead_of_the_picture():
    told = said.lead(
        ready=[("carer support calls in Westow", 0.85)],
        leader="link workers in Oldcastle",
        how=HOW,
        per=" per 100 people",
        outcome="emergency admissions",
        raw=(-10.9, -21.1, -0.7),
        shrunk=-5.1,
        corrected=(-20.5, 6.2),
    )
    assert told == (
        "Carer support calls in Westow will probably be worth more than the price (85 chances in 100). The "
        "largest fall is claimed by link workers in Oldcastle: 11 fewer emergency admissions per 100 people. "
        "After allowing for having been picked as the largest, 5 fewer is a better guess, and the range runs "
        "from 21 fewer to 6 more."
    )
    assert grade(told.replace("emergency admissions", "stays")) <= 10


def test_the_lead_where_nobody_measured_a_benefit_and_where_many_are_ready():
    asked = {
        "leader": "x in Y", "how": HOW, "per": "", "outcome": "falls", "shrunk": 0.1, "corrected": (-1.0, 1.0),
    }  # fmt: skip
    none = said.lead(ready=[], raw=(0.5, 0.1, 0.9), **asked)
    assert none == "No pilot measured a change for the better in falls."
    many = said.lead(ready=[(f"pilot {k}", 0.9) for k in range(6)], raw=(0.5, 0.1, 0.9), **asked)
    assert "pilot 3 (90%) and two more." in many
    higher = said.lead(ready=[], raw=(3.0, 1.0, 5.0), better="higher", **asked)
    assert higher.startswith("The largest rise is claimed by x in Y: 3 more")


def test_who_could_be_first():
    assert said.nobody_best(6, 7, 0.39, "Harle") == (
        "No pilot can be called the best. On these data, six of the seven could be in first place."
    )
    assert said.nobody_best(2, 2, 0.55, "Harle").endswith("either could be in first place.")
    assert said.nobody_best(1, 3, 0.99, "visits in Harle") == (
        "Visits in Harle is ahead of all the others on these data."
    )
    assert "likely to be the best (72 chances in 100)" in said.nobody_best(2, 3, 0.72, "Harle")


def test_both_worths_in_one_sentence():
    assert said.governs(147.6, 230, 181.7) == (
        "Worth about £148 a person here; the price is £230. Its own report, read alone, says £182."
    )
    assert said.governs(147.6, 230, None) == "Worth about £148 a person here; the price is £230."
    assert said.governs(-20, 230, 181.7, league=False).endswith("says £182, and decides.")


def test_what_raw_results_would_have_done():
    assert said.raw_text(["Saltby"], ["Oldcastle"], 239_590, 92_600) == (
        "Choosing by the results as measured would have swapped Saltby for Oldcastle, claimed £239,600 of net "
        "value, and could expect £92,600."
    )
    assert "bought the same, claimed" in said.raw_text([], [], 1_000, 500)
    assert "added Oldcastle" in said.raw_text([], ["Oldcastle"], 1_000, 500)
    assert "left out Saltby" in said.raw_text(["Saltby"], [], 1_000, 500)


def test_no_sentence_says_what_may_not_be_said():
    texts = [said.headline(list(rows), share) for rows in itertools.product(range(7), repeat=3)
             for share in (None, 0.0, 0.2, 0.5, 0.95)]  # fmt: skip
    chances = (0.004, 0.2, 0.5, 0.55, 0.6, 0.95, 0.999)
    texts += [
        said.nobody_best(k, n, p, "x in Y") for n in (2, 3, 7, 13) for k in range(1, n + 1) for p in chances
    ]
    texts += [said.worth_sentence("visits in Y", p) for p in chances]
    texts += [
        said.fund_because(n, net, net - 5e4, net + 5e4, p)
        for n in (0, 1, 3)
        for net in (-2e4, 9e4)
        for p in chances
    ]
    texts += [
        said.likely_but_short(p, 62, 0.96, *money)
        for p in chances
        for money in ((None, None), (9e3, 6e3), (2e3, 6e3))
    ]
    texts += [said.spread(0.08, 0.004, 0.19, p) for p in (None, *chances)]
    texts += [said.line(n, "Mainstream", v, o) for n in (2, 7) for v in (None, 100.0) for o in (None, -65.0)]
    texts += [said.cash_clause(7, k, column) for k in (0, 1, 3, 7) for column in ("cash", "economic")]
    texts += [
        said.unspent_text(list(c), list(o))
        for c in ((), ("A",), ("A", "B"))
        for o in ((), ("C",), ("C", "D"))
    ]
    texts += [linked.shared([(kind, ["A", "B"])], n) for kind in linked.SHARED for n in (2, 7)] + [
        linked.shared([], 7)
    ]
    texts += [
        said.sceptical_changes(["A"], ["B"]),
        said.sceptical_text(-5_000),
        said.TWO_ONLY,
        said.NO_MONEY_WHY,
    ]
    texts += [linked.bounds_differ(names) for names in ([], ["A"], ["A", "B"])]
    for text in texts:
        assert not words.breaks(text), text
        for sentence in words.split_sentences(text):
            assert len(sentence.split()) <= words.LONGEST, sentence


def test_long_names_are_told_as_far_as_a_sentence_holds_them():
    long = "a scheme of visits and calls for people at home in Upper Town"
    told = said.lead(
        ready=[(long, 0.9)] * 5, leader="x", how=HOW, per="", outcome="falls", raw=(0.5, 0.1, 0.9), shrunk=0.1,
        corrected=(-1.0, 1.0),
    )  # fmt: skip
    assert told.startswith(f"Probably worth more than their price: {long} (90%) and four more.")
