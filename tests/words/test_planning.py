"""The two sentences of the pictures, their neighbours, and a sweep held against the never-patterns."""

import itertools

import pytest

from ucimpact import words

SE = 4 * 6**0.5 / 2.8  # what 540 people found: six times as many find 4 per 100


def test_the_sentences_of_the_pictures():
    people = words.people_needed(540, SE, 4)
    assert people == pytest.approx(3_240)
    assert words.takes(people, 4, 100, per_year=540) == (
        "To find a fall of 4 per 100 four times in five takes about 3,240 people: six years at this year’s pace, "
        "or two years shared by three places."
    )
    assert words.would_settle(people, 4, 100, per_year=540) == (
        "About 3,240 people to find a fall of 4 per 100 four times in five: six years here alone, "
        "or two years shared by three places using one method."
    )


def test_where_the_pace_is_not_known_the_people_so_far_are_the_measure():
    text = words.takes(3_240, 4, 100, analysed=540)
    assert text == (
        "To find a fall of 4 per 100 four times in five takes about 3,240 people: six times as many as here."
    )
    assert words.takes(900, 4, 100, analysed=600).endswith(
        "takes about 900 people: 1.5 times as many as here."
    )
    assert words.takes(300, 4, 100, analysed=600).endswith("takes about 300 people.")
    assert (
        words.would_settle(900, 4, 100) == "About 900 people to find a fall of 4 per 100 four times in five."
    )


def test_a_short_time_is_in_months_and_is_shared_with_nobody():
    assert words.takes(270, 10, 100, per_year=540).endswith(
        "about 270 people: six months at this year’s pace."
    )
    assert words.takes(1_080, 5, 100, per_year=540).endswith("two years at this year’s pace.")


@pytest.mark.parametrize(
    ("years", "text"),
    [
        (0.01, "one month"), (0.5, "six months"), (0.51, "seven months"), (1.0, "one year"),
        (1.3, "16 months"), (1.99, "two years"), (2.0, "two years"), (2.3, "three years"), (13.0, "13 years"),
    ],
)  # fmt: skip
def test_a_time_is_rounded_up(years, text):
    assert words.lasting(years) == text


@pytest.mark.parametrize(
    ("people", "text"),
    [(36.2, "37"), (999, "999"), (3_241.4, "3,240"), (12_345, "12,300"), (99_960, "100,000")],
)
def test_people_to_three_figures(people, text):
    assert words.about(people) == text


def test_other_kinds_of_outcome():
    assert words.takes(500, 90, kind="cost", per="a person").startswith("To find a fall of £90 a person four")
    assert words.takes(500, 2, kind="score", better="higher").startswith(
        "To find a rise of 2 four times in five"
    )


def test_no_sentence_breaks_a_rule():
    for people, w, base, pace, analysed in itertools.product(
        (1, 37, 540.2, 3_240, 1e6),
        (0.04, 1, 4.25, 120),
        (100, 10_000, None),
        (None, 12, 540, 9_000),
        (None, 200),
    ):
        for say in (words.takes, words.would_settle):
            text = say(people, w, base, per_year=pace, analysed=analysed)
            assert not words.breaks(text), text
