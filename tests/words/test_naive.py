"""Before and after in words: what was counted, what picking people explains, and what may not be said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_grid import grade

from ucimpact import words


def finding(**changed):
    """The 141 and 33 of the soft-landing example, of whose fall of 108 picking alone would give 77."""
    naive = {
        "before": 141.0, "after": 32.8, "change": -0.767, "expected_after": 64.0, "fall": 77.0, "fall_low": 71.2,
        "fall_high": 82.6, "share": 0.712, "share_low": 0.64, "share_high": 0.78, "from": "gamma-Poisson",
        "before_days": 90.0, "dispersion": 1.4, "why": None,
    }  # fmt: skip
    made = {
        "outcome": "emergency admissions", "subject": "soft-landing visits", "people": "people we supported",
        "plural": True, "kind": "count", "better": "lower", "base": 100, "per": "per 100 people supported over 90 days",
        "est": -5.3, "lo": -9.9, "hi": -0.7, "w": 4.0, "expected": 38.1, "observed": 32.8, "level": "very low",
        "refused": None, "key_fail": False, "horizon": 90.0, "naive": naive,
    }  # fmt: skip
    told = {name: changed.pop(name) for name in list(changed) if name in naive}
    told |= {"from": changed.pop("origin")} if "origin" in changed else {}
    return {**made, **changed, "naive": {**naive, **told}}


def texts(found):
    """All that may be said, and all that may not."""
    said = [
        words.naive_headline(subject=found["subject"], outcome=found["outcome"]), words.naive_lead(found),
        *words.naive_beside(found), *words.naive_can_say(found), words.naive_settles(found),
    ]  # fmt: skip
    return said, words.naive_cannot_say(found)


def test_the_headline_is_the_same_whatever_the_numbers():
    assert words.naive_headline(subject="our befriending", outcome="emergency admissions") == (
        "It is very uncertain whether our befriending changed emergency admissions"
    )


def test_the_lead_counts_first_and_then_takes_apart():
    assert words.naive_lead(finding()) == (
        "People we supported had 141 emergency admissions per 100 in the 90 days before and 33 in the 90 days after. "
        "People picked at a bad time have fewer afterwards whatever is done: here about 77 of the 108 fewer would be "
        "expected by that alone (likely range 71 to 83)."
    )


def test_a_fall_smaller_than_picking_gives_is_said_to_be():
    assert words.rtm_sentence(finding(fall=118.0, fall_low=110.4, fall_high=125.2)) == (
        "People picked at a bad time have fewer afterwards whatever is done. By that alone about 118 fewer would be "
        "expected (likely range 110 to 125): no less than the 108 seen."
    )


def test_people_without_the_service_speak_for_themselves():
    assert words.rtm_sentence(
        finding(origin="comparison people", fall=103.0, fall_low=98.0, fall_high=107.0)
    ) == (
        "People without the service were picked in the same way, and they had about 103 of the 108 fewer too (likely "
        "range 98 to 107)."
    )


def test_no_meter_no_rule_and_no_fall_are_each_said():
    why = "Everybody had exactly 2 before, so nothing tells how much people differ."
    assert words.rtm_sentence(finding(fall=None, share=None, why=why)) == (
        f"How much of that picking people at a bad time gives by itself cannot be told here. {why}"
    )
    assert words.rtm_sentence(finding(fall=0.0, fall_low=0.0, fall_high=0.0)).startswith(
        "People were not picked by"
    )
    assert words.rtm_sentence(finding(after=150.0)) == (
        "That is no fall. There is nobody to compare with, so this does not show what soft-landing visits changed."
    )


def test_a_rise_that_is_to_the_good_is_taken_apart_too():
    """Wellbeing rises from a bad day as admissions fall from one; no meter of counts is put on it."""
    risen = finding(
        kind="score", better="higher", outcome="wellbeing", base=None, before=18.2, after=22.6, change=0.24
    )
    assert words.naive_lead(risen) == (
        "Wellbeing stood at 18.2 in the 90 days before and at 22.6 in the 90 days after. People picked at a bad time get "
        "better whatever is done. There is nobody to compare with, so this does not show what soft-landing visits changed."
    )
    assert len(words.naive_can_say(risen)) == 2
    assert words.naive_cannot_say(risen)[0].startswith("“Soft-landing visits raised wellbeing by 24%.” ")
    assert words.rtm_sentence({**risen, "naive": {**risen["naive"], "after": 15.0}}).startswith(
        "That is no rise."
    )


def test_windows_of_unlike_length_are_said_to_be():
    assert words.before_and_after(finding(before_days=180.0)) == (
        "People we supported had 141 emergency admissions per 100 before and 33 in the 90 days after. The figure before "
        "was counted over 180 days, and is put at the length of the time after."
    )


def test_beside_a_real_method_the_claim_is_taken_apart():
    assert words.naive_beside(finding()) == [
        "People we supported had 141.0 emergency admissions per 100 in the 90 days before; in the 90 days after, 32.8.",
        "But people are referred at their worst, and most get better whatever is done.",
        "By what happened to similar people, 38.1 would be expected without it.",
        "By the best estimate all but 5 of the 108 fewer would have happened anyway.",
    ]
    assert words.naive_beside(finding(est=2.0))[-1] == (
        "By the best estimate all of the 108 fewer would have happened anyway."
    )


@pytest.mark.parametrize("barred", [{"key_fail": True}, {"refused": "there are 3 places"}, {"est": None}])
def test_an_unsound_comparison_takes_nothing_apart(barred):
    assert len(words.naive_beside(finding(**barred))) == 2


def test_what_cannot_be_said_is_quoted_with_its_reason():
    assert words.naive_cannot_say(finding()) == [
        "“Soft-landing visits cut emergency admissions by 77%.” There is nobody to compare with, and picking people at a "
        "bad time gives about 71% of that fall by itself.",
        "“108 emergency admissions per 100 were avoided.” A fall is not a number avoided: nobody knows how many would "
        "have happened.",
        "“Soft-landing visits had no effect on emergency admissions.” There is nobody to compare with, so the question is "
        "open.",
        "“Soft-landing visits saved the NHS money.” With no finding there is nothing to value.",
    ]


def test_what_would_settle_it_has_a_number_of_people():
    """By hand: (1.96 + 0.84)^2 x 1.4 x (0.64 + 0.60) / 0.04^2 = 8,520."""
    assert words.naive_settles(finding()).endswith(
        "About 8,520 people to find a fall of 4 per 100 four times in five, with as many to compare with."
    )
    assert words.naive_settles(finding(w=None)) == (
        "A comparison would settle it: people picked in the same way, who were not supported."
    )


@given(
    before=st.floats(1, 900), after=st.floats(0, 900), fall=st.floats(0.06, 900),
    width=st.floats(0.3, 200), days=st.sampled_from([None, 90.0, 182.0]),
    kind=st.sampled_from(["count", "binary", "cost", "score", "duration"]),
    origin=st.sampled_from(["gamma-Poisson", "comparison people", None]), better=st.sampled_from(["lower", "higher"]),
)  # fmt: skip
def test_every_text_keeps_the_rules_of_words(before, after, fall, width, days, kind, origin, better):
    """No word that we never use, no long sentence, and nothing harder to read than grade ten."""
    why = "2 of 32 people had fewer than 2 before, so 2 or more was not the rule by which they were picked."
    share = min(fall / (before - after), 1.0) if before > after else None
    found = finding(
        before=before, after=after, change=after / before - 1, expected_after=max(before - fall, 0.1), kind=kind,
        fall=fall if origin else None, fall_low=max(fall - width, 0.0), fall_high=fall + width, share=share,
        before_days=days, origin=origin, why=None if origin else why, better=better,
    )  # fmt: skip
    said, denied = texts(found)
    for text in said:
        assert words.breaks(text) == []
    for text in denied:
        assert words.breaks(words.unquoted(text)) == []
        assert text.startswith("“") and len(words.split_sentences(text)) == 2
    plain = [re.sub(found["outcome"], "stays", text) for text in (words.naive_lead(found), *said[2:])]
    assert grade(*plain) <= 10


@given(st.floats(1, 900), st.floats(0, 1))
def test_the_share_never_exceeds_the_whole(before, part):
    """Where the part is smaller than the whole the sentence says of; else it says no less than."""
    text = words.rtm_sentence(
        finding(before=before, after=0.0, fall=part * before, fall_low=0.0, fall_high=before)
    )
    if part * before and part < 1:
        numbers = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
        assert "of the" not in text or numbers[0] <= numbers[1]
