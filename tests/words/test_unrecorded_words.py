"""Sentences of what was not recorded: exact texts, nothing that reads as a count of people, no forbidden word."""

from __future__ import annotations

import itertools
import math

import pytest

from ucimpact.disclosure import rounded_in
from ucimpact.words import breaks
from ucimpact.words.trials import size_sentence
from ucimpact.words.unrecorded import (
    belief_sentence,
    controls_bias_sentence,
    hidden_odds_sentence,
    tipping_sentence,
)

TEXTS = [
    (
        hidden_odds_sentence(1.29),
        "Within a matched set the result bears a hidden cause that makes the odds of having had the service as "
        "unequal as 1.2 to 1, but none stronger.",
    ),
    (
        hidden_odds_sentence(1.049),
        "Within a matched set the result bears a hidden cause that makes the odds of having had the service as "
        "unequal as 1.04 to 1, but none stronger.",
    ),
    (
        hidden_odds_sentence(math.inf),
        "Within a matched set the result bears a hidden cause that makes the odds of having had the service "
        "as unequal as 20 to 1.",
    ),
    (
        hidden_odds_sentence(None),
        "Within the matched sets chance alone could give this difference, so no hidden cause is needed.",
    ),
    (
        tipping_sentence(2.0, 0.3, 0.04, 0.235, outcome="emergency admissions"),
        "For example: something that doubles emergency admissions and that 30% of the comparison people have "
        "would explain the result if 4% of those with the service had it. With 24% the likely range would "
        "reach no change.",
    ),
    (
        tipping_sentence(1.5, 0.2, 0.0),
        "For example: something that multiplies the outcome by 1.5 and that 20% of the comparison people have "
        "would explain the result if none of those with the service had it.",
    ),
    (
        controls_bias_sentence((3.2, 4.2), (0.92, 0.76, 1.12)),
        "If the result is moved 3.2 to 4.2 times as far as outcomes that the service cannot change, what is "
        "left is 8% fewer (likely range 24% fewer to 12% more). This is an assumption: it shows how much hangs "
        "on it, and mends nothing.",
    ),
    (
        belief_sentence("living alone", (0.1, 0.3), (0.2, 0.4), (1.2, 2.0), (0.9, 0.8, 0.98)),
        "Stated of living alone: 10% to 30% of those with the service, 20% to 40% of the others, and the outcome "
        "multiplied by 1.2 to 2.0. What is left is 10% fewer (likely range 2% to 20% fewer). This is an "
        "assumption: it shows how much hangs on it, and mends nothing.",
    ),
]


@pytest.mark.parametrize(("made", "text"), TEXTS)
def test_the_text(made, text):
    assert made == text


def test_no_sentence_breaks_the_rules_or_reads_as_a_count_of_people():
    made = [text for text, _ in TEXTS]
    made += [hidden_odds_sentence(g) for g in (1.0, 1.001, 1.0999, 1.1, 3.0, 19.9)]
    made += [
        size_sentence(b, t) for b, t in itertools.product((0.001, 0.2, 2.0), (2, 3, 4.0, 4.5, 12, 13, 30))
    ]
    made += [
        tipping_sentence(s, 0.2, e, 1.0) for s, e in itertools.product((1.25, 2.0, 5.0), (0.001, 0.1, 1.0))
    ]
    assert [text for text in made if breaks(text)] == []
    assert [text for text in made if rounded_in(text) != text] == []
