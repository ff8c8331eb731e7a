"""Sentences of a comparison whose clocks start together: exact texts, their numbers, and no forbidden word."""

from __future__ import annotations

import itertools
import math
import re

import pytest

from ucimpact.words import breaks
from ucimpact.words.trials import (
    ASKED,
    agreement_sentence,
    change,
    delay_sentence,
    differed_clause,
    differed_sentence,
    immortal_sentence,
    later_sentence,
    naive_sentences,
    question_sentence,
    selection_sentence,
    size_sentence,
    unseen_sentence,
)

TEXTS = [
    (
        question_sentence("usual-care", horizon=90),
        "The question answered: what did starting that day change, compared with carrying on as usual (some "
        "started later)?",
    ),
    (
        question_sentence("never", horizon=90),
        "The question answered: what did starting that day change within 90 days, compared with never "
        "starting?",
    ),
    (
        question_sentence("strategy", horizon=30),
        "The question answered: what would starting the service for everybody, on the days it was started "
        "here, change within 30 days, compared with starting it for nobody?",
    ),
    (
        later_sentence("usual-care", 0.21, horizon=90),
        "Of the comparison people 21% had the service later within the 90 days. That draws the number towards "
        "no change: held against people who never have it, the difference may be roughly 27% larger.",
    ),
    (
        later_sentence("this-stay", 0.21),
        "Of the comparison people 21% had the service later. They are followed until that day, and others like "
        "them who had not had it count for more after it. What is done in later stays is left as it was.",
    ),
    (
        later_sentence("usual-care", 0.076),
        "Of the comparison people 7.6% had the service later. That draws the number towards no change: held "
        "against people who never have it, the difference may be roughly 8% larger.",
    ),
    (later_sentence("usual-care", 0.001), "Hardly any of the comparison people had the service later."),
    (
        delay_sentence(2.34),
        "On average the service began 2.3 days after discharge. Only people who were alive and out of hospital "
        "by then could have it, so both clocks start on that day.",
    ),
    (
        immortal_sentence(0.77, outcome="emergency admissions"),
        "A naive analysis of these data, whose clocks all start at discharge, would have shown about 23% fewer "
        "emergency admissions even if the service changed nothing.",
    ),
    (
        immortal_sentence(1.002),
        "Clocks that start at discharge for everybody would have moved the result by under 1%.",
    ),
    (
        size_sentence(math.log(1.2)),
        "Outcomes that the service cannot change do not rule out a bias of the result by up to 20%. This "
        "assumes that whatever moves them moves the result four times as far.",
    ),
    (
        size_sentence(math.log(3.2), 2.5),
        "Outcomes that the service cannot change do not rule out a bias of the result of up to 3.2 times. This "
        "assumes that whatever moves them moves the result 2.5 times as far.",
    ),
    (
        size_sentence(None),
        "Without outcomes that the service cannot change, no size of bias can be ruled out.",
    ),
    (
        unseen_sentence(0.69, 1.36),
        "Anything between 29% fewer and 40% more would not have been noticed.",
    ),
    (
        differed_sentence(["contacts", "old admissions"], ["deaths"]),
        "Those who had the service also differed in deaths, and in contacts and old admissions before it.",
    ),
    (
        selection_sentence((0.62, 0.24), (0.61, 0.27), (0.895, 0.8, 1.02), outcome="emergency admissions"),
        "Those with the service went from 62.0 to 24.0 emergency admissions per 100. Similar people "
        "without it, picked in the same way, went from 61.0 to 27.0. So being picked at a bad time gives about "
        "90% of that fall by itself (likely range 80% to 100%).",
    ),
]


@pytest.mark.parametrize(("made", "text"), TEXTS)
def test_the_text(made, text):
    assert made == text


def test_two_ways_that_agree_and_two_that_do_not():
    rows = [
        {"label": "weighting", "ratio": 0.89, "low": 0.76, "high": 1.04},
        {"label": "matching three to one", "ratio": 0.90, "low": None, "high": None},
    ]
    assert agreement_sentence(rows, True) == (
        "Weighting: 11% fewer (likely range 24% fewer to 4% more). Matching three to one: 10% fewer. They "
        "agree: chance between ways of comparing the same people gives such a gap."
    )
    assert "more than chance" in agreement_sentence(rows, False)
    assert "no second way" in agreement_sentence(rows[:1], True)
    assert "no second way" in agreement_sentence(rows, None)


def test_naive_answers_are_told_with_what_is_wrong_with_them():
    rows = [
        {"label": "before and after", "ratio": 0.24, "low": 0.2, "high": 0.28, "why": "people were chosen at a crisis."},
        {"label": "left out", "ratio": None},
    ]  # fmt: skip
    assert naive_sentences(rows) == [
        "Before and after: 76% fewer (likely range 72% to 80% fewer). People were chosen at a crisis."
    ]


def test_a_clause_beside_a_finding_in_doubt():
    assert (
        differed_clause(["contacts"]) == "but those who had the service also differed in contacts before it"
    )
    assert differed_sentence(["Emergency admissions two years before"], ["A&E attendances", "Deaths"]) == (
        "Those who had the service also differed in A&E attendances and deaths, and in emergency admissions "
        "two years before."
    )
    assert differed_clause() == differed_sentence() == ""


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.86, "14% fewer"), (1.07, "7% more"), (2.4, "2.4 times as many"), (1, "no change"), (0.9996, "under 0.1% fewer")],
)  # fmt: skip
def test_a_ratio_in_words(ratio, text):
    assert change(ratio) == text


def test_the_share_that_later_starts_hide_is_what_was_measured_within_a_few_points():
    """21% later: 0.893 against usual care and 0.869 against never, a log difference 24% larger."""
    assert math.log(0.869) / math.log(0.893) - 1 == pytest.approx(0.21 / 0.79, abs=0.05)


def test_no_sentence_breaks_the_rules():
    made = [text for text, _ in TEXTS]
    shares = (0.0, 0.004, 0.006, 0.03, 0.5, 0.97, 1.0)
    made += [later_sentence(q, s, horizon=h) for q, s, h in itertools.product(ASKED, shares, (None, 90))]
    made += [question_sentence(q, horizon=h) for q, h in itertools.product(ASKED, (None, 30))]
    ratios = (0.05, 0.5, 0.9, 0.994, 0.996, 1.004, 1.006, 1.3, 1.99, 2.0, 4.0)
    made += [
        immortal_sentence(r, outcome="emergency admissions", kind=k)
        for r, k in itertools.product(ratios, ("count", "cost"))
    ]
    made += [size_sentence(b, t) for b, t in itertools.product((0.0001, 0.02, 0.3, 0.7, 3.0), (1, 2.5, 4))]
    made += [unseen_sentence(1 / r, r) for r in (1.01, 1.3, 3.0)]
    made += [delay_sentence(d) for d in (0.0, 0.04, 0.06, 1.0, 2.3)] + [delay_sentence(None, since=None)]
    sentence = selection_sentence((0.6, 0.2), (0.6, 0.2), (1.2, 0.9, 1.5))
    made += [sentence, selection_sentence((0.6, 0.2), (0.6, 0.7), (-0.2, -0.3, 0.1))]
    assert [text for text in made if breaks(text)] == []
    assert not [text for text in made if re.search(r"(?<![\d.])0%", text)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: question_sentence("best"),
        lambda: later_sentence("best", 0.1),
        lambda: later_sentence("never", 1.1),
        lambda: immortal_sentence(0.0),
        lambda: immortal_sentence(math.nan),
    ],
)
def test_what_has_no_words_is_refused(make):
    with pytest.raises(ValueError):
        make()
