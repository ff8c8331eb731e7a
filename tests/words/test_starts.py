"""When a pilot started, how long it ran, and an estimate that stands without a range."""

import pytest

from ucimpact import words
from ucimpact.inference.count_rule import RANDOM_EFFECTS


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (1, "4 practices started in April 2022."),
        (2, "4 practices started, some in April 2022 and some in June 2023."),
        (5, "4 practices started between April 2022 and June 2023, at 5 different times."),
    ],
)
def test_starts_are_told_by_first_and_last(times, text):
    said = words.started(4, "April 2022", "June 2023", times, plural="practices")
    assert said == text
    assert not words.breaks(said)


@pytest.mark.parametrize(
    ("mean", "text"), [(14.96, "15 months"), (2.4, "2.4 months"), (1.0, "1 month"), (3.2, "3 months")]
)
def test_the_periods_of_an_average_unit_are_whole_unless_few(mean, text):
    assert words.periods_each(mean, "month") == text


@pytest.mark.parametrize(
    ("noun", "plural", "article"),
    [
        ("practice", "practices", "a"),
        ("surgery", "surgeries", "a"),
        ("unit", "units", "a"),
        ("area", "areas", "an"),
        ("bus", "buses", "a"),
        ("day", "days", "a"),
    ],
)
def test_units_go_by_their_own_name(noun, plural, article):
    assert words.plural_of(noun) == plural
    assert words.article_of(noun) == article


def test_an_estimate_without_a_range_is_a_number_and_no_finding():
    told = {"who": "people", "when": ", over 12 months"}
    assert words.estimate_alone("emergency admissions", -12.4, 1_000, **told) == (
        "The best estimate is about 12 fewer emergency admissions per 1,000 people, over 12 months. "
        "How far it could be out is not known."
    )
    assert words.estimate_alone("cost", 310.0, None, per="a month in each pilot practice", kind="cost") == (
        "The best estimate puts cost about £310 higher a month in each pilot practice. "
        "How far it could be out is not known."
    )
    assert "is what was expected per 100 people" in words.estimate_alone("deaths", 0.0, 100)
    assert "about 8% fewer admissions." in words.estimate_alone("admissions", -8.0, percent=True)
    for est in (-12.4, 0.0, 0.03):
        assert not words.breaks(words.estimate_alone("deaths", est, 100, **told))


def test_whole_numbers_are_left_where_they_would_not_give_the_difference():
    numbers = {"outcome": "admissions", "base": 100, "lo": -3.4, "hi": -1.1}
    apart = words.lead(**numbers, est=-1.7, expected=16.2, observed=14.5)
    assert apart.endswith("16.2 were expected; 14.5 happened.")  # 16 less 15 is not 2
    whole = words.lead(**numbers, est=-1.7, expected=16.7, observed=15.0)
    assert whole.endswith("17 were expected; 15 happened.")


def test_every_procedure_of_a_rule_has_a_note_of_its_own():
    from ucimpact.finding.numbers import PROCEDURES

    for kind in PROCEDURES.values():
        assert words.procedure_note(kind).startswith(words.LIKELY_RANGE)
    assert "every place drifting up or down by chance" in words.procedure_note("random-effects")


def test_the_limits_tell_a_procedure_in_plain_words():
    told = words.limits_of_one_place(1, 14, RANDOM_EFFECTS, 2.1)[-1]
    assert told == (
        "The likely range comes from the chance in counts of this size and from how far all the places drift."
    )
    assert words.limits_of_one_place(1, 14, "a t distribution", 2.1)[-1].endswith("a t distribution.")


def test_a_place_without_a_range_is_told_nothing_of_one():
    with_it = words.limits_of_one_place(1, 30, "a t", rho=2.0, smallest_p=1 / 31)
    without = words.limits_of_one_place(1, 30, "a t", rho=2.0, smallest_p=1 / 31, ranged=False)
    assert set(without) < set(with_it)
    assert not any("range" in item for item in without)
