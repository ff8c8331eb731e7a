"""The board page: the first screen, two lines on whether it holds up, and what nobody can say."""

from __future__ import annotations

import cohorts
import documents
import pytest
from test_render import Page

from ucimpact.report.board import board
from ucimpact.report.render import render_board
from ucimpact.words import breaks, brief, steps

PER = "per 100 people supported over 90 days"
FINDING = {"kind": "count", "scale": "identity", "per": PER, "est": -5.3, "lo": -9.9, "hi": -0.7}


def others(*values):
    return [{"est": value} for value in values]


def ranged(est, lo, hi, role="sensitivity"):
    return {"est": est, "lo": lo, "hi": hi, "role": role}


def checks(*answers):
    return [{"answer": answer, "question": f"Question {k}?"} for k, answer in enumerate(answers)]


def test_the_page_holds_the_parts_of_the_first_screen_and_no_more_than_three_denials():
    document = cohorts.visits()
    made = board(document)
    text = " ".join(Page(render_board(document)).words().split())
    for part in (
        "How sure are we?",
        "Is it worth the money?",
        "What to do next",
        "Does it hold up?",
        "You cannot say",
    ):
        assert part in text
    for column in ("Cash released", "Capacity released", "Full economic value"):
        assert column in text
    assert document["finding"]["sentences"]["headline"] in text and document["decision"]["verdict"] in text
    assert len(made.robust) == 2 and len(made.cannot) == 3
    assert list(made.cannot) == document["finding"]["cannot_say"][:3]


def test_the_two_lines_by_hand():
    told = brief.analyses_line(FINDING, others(-5.6, -4.3, None, -4.9), True)
    assert told == f"Three other analyses of the question: all point the same way (4.3 to 5.6 fewer {PER})."
    told = brief.analyses_line(FINDING, others(-5.6, 1.2), True)
    assert (
        told == f"Two other analyses of the question: one points the same way (5.6 fewer to 1.2 more {PER})."
    )
    told = brief.analyses_line(FINDING, others(-5.6, 1.2, -1.0), True)
    assert "two point the same way" in told
    assert brief.analyses_line(FINDING, others(2.0, 1.2), True).count("none point the same way") == 1
    assert brief.analyses_line(FINDING, others(-4.2), True).endswith(f"gives 4.2 fewer {PER}.")
    assert brief.analyses_line(FINDING, others(None), True) == brief.NO_OTHERS
    assert brief.analyses_line(FINDING, others(-4.2, -3.0), False) == brief.NO_FINDING
    log = {**FINDING, "scale": "log"}
    assert "(4% to 6% fewer)" in brief.analyses_line(log, others(-4.0, -6.0), True)


def test_other_analyses_are_counted_as_the_certainty_counts_them_and_moved_dates_apart():
    agree, wide = ranged(-5.6, -9.0, -2.0), ranged(-4.3, -9.0, 0.4)
    told = brief.analyses_line(FINDING, [agree, agree, wide], True)
    assert told == (
        "Three other analyses of the question: two point the same way, one is too wide to say "
        f"(4.3 to 5.6 fewer {PER})."
    )
    step = steps.analyses_step(-5.3, [(-5.6, -9.0, -2.0)] * 2 + [(-4.3, -9.0, 0.4)], 2.0, lo=-9.9, hi=-0.7)
    assert step.text == "2 of 3 analyses agree; the other is too wide to say."
    moved = [ranged(-6.0, -9, -1, "dates"), ranged(-5.0, -8, -1, "dates")]
    told = brief.analyses_line(FINDING, [agree, ranged(-4.0, -9.0, -2.0), *moved], True)
    assert told == (
        f"Two other analyses of the question: both point the same way (4.0 to 5.6 fewer {PER}). "
        f"With the dates moved, two more: both point the same way (5.0 to 6.0 fewer)."
    )
    assert "both are too wide to say" in brief.analyses_line(FINDING, [wide, wide], True)
    assert brief.analyses_line(FINDING, [wide], True).endswith(f"4.3 fewer {PER}, and is too wide to say.")
    assert brief.analyses_line(FINDING, moved[:1], True) == (
        f"{brief.NO_OTHERS} With the dates moved, one more gives 6.0 fewer."
    )


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (("holds",) * 12, "Twelve checks made, and all hold."),
        (("holds",), "One check made, and it holds."),
        (("holds", "holds", "cannot tell"), "Three checks made: two hold; one cannot be answered."),
        (("holds", "doubtful"), "Two checks made: one holds; “Question 1?” is in doubt."),
        (("fails", "doubtful", "doubtful"), "Three checks made: none hold; “Question 0?” does not hold; two are in doubt."),
        ((), "No check could be made."),
    ],
)  # fmt: skip
def test_the_checks_in_a_line(answers, said):
    assert brief.checks_line(checks(*answers)) == said
    assert breaks(said) == []


def test_worth_it_or_not_in_a_line():
    document = cohorts.visits()
    told = brief.worth_line(document["valuation"], document["decision"])
    column, price = document["valuation"]["columns"]["economic"], document["valuation"]["cost"]["per_person"]
    assert told.startswith(f"£{column['per_person']:.0f} a person of full economic value, for £{price:.0f}: ")
    assert told.endswith("% chance of being worth more than it cost.")
    assert "Cash" not in told and "Capacity" not in told  # never a sentence with another column's figure
    under = {
        "counted": "economic",
        "columns": {"economic": {"per_person": 3.0, "chance": 0.001}},
        "cost": {"per_person": 9},
    }
    assert "a chance under 1% of" in brief.worth_line(under, {})
    under["cost"] = {}
    assert (
        brief.worth_line(under, {})
        == "£3 a person of full economic value; what it cost a person is not known."
    )
    alone = cohorts.befriending()
    told = brief.worth_line({"not_worked_out": "there is nobody to compare with"}, alone["decision"])
    assert told == "What it was worth is not worked out: there is nobody to compare with."


def test_where_no_value_is_declared_the_page_says_what_is_missing():
    said = "Cannot say yet: the study gives no price per person"
    assert brief.worth_line(None, {"verdict": said}) == (
        "What it was worth is not worked out: the study gives no price per person."
    )
    assert brief.not_worked_out({"verdict": "Stop"}, "The pilot cost £5.") == (
        "The pilot cost £5. What it was worth is not worked out: the study gives no value for what is avoided."
    )
    document = documents.hub()
    document["valuation"] = None
    text = " ".join(Page(render_board(document)).words().split())
    assert "What it was worth is not worked out" in text and "What this evaluation could have found" in text


def test_a_page_with_much_text_is_set_smaller():
    document = documents.practices()
    assert not board(cohorts.befriending()).small
    document["decision"]["would_change"] = [
        "the price rose above what anybody here would ever agree to pay"
    ] * 12
    assert board(document).small
