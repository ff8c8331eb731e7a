"""Six worked examples, each step alone with its sentence, and the rules of stepping back and of caps."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ucimpact import words

HOLDS = dict.fromkeys(("pre_trend", "other_change", "same_coding", "unmeasured"), "holds")
B: dict[str, Any] = {"claim": "B", "est": -9.0, "lo": -14.0, "hi": -4.0, "w": 5.0, "percent": True}


def facts(**changed: Any) -> dict[str, Any]:
    """Eight of forty practices in six towns, 9% fewer (4 to 14), every check holds: the second worked example."""
    return {
        "allocation": "comparison", **B, "checks": HOLDS, "chosen": "practices", "supported": "with the pilot",
        "place": "practice", "place_level": True, "n1": 8, "n0": 32, "places": 6, "locked": True, **changed,
    }  # fmt: skip


def codes(certainty: words.Certainty) -> str:
    """The steps that cost or earn, e.g. "A2 F1"."""
    return " ".join(f"{step.code}{abs(step.cost)}" for step in certainty.steps if step.cost)


def head(certainty: words.Certainty, **effect: Any) -> str:
    effect = {name: effect[name] for name in ("est", "lo", "hi", "w")}
    return words.headline(
        subject="the service", outcome="admissions", plural=False, level=certainty.level, **effect
    )


# -- the six worked examples -------------------------------------------------------------

TRUST: dict[str, Any] = facts(
    est=-6.0, lo=-9.0, hi=-3.0, place="trust", n1=1, n0=20, places=1, one_place=True, breakdown=1.6
)
ITS: dict[str, Any] = facts(
    allocation="series", est=-8.0, lo=-13.0, hi=-3.0, place_level=False, before=36, after=12, df=20.0, one_place=True,
    checks={**HOLDS, "other_change": "cannot tell", "unmeasured": "cannot tell"},
)  # fmt: skip
COHORT: dict[str, Any] = facts(
    claim="W+", est=-7.6, lo=-10.6, hi=-4.6, w=4.0, percent=False, chosen="people", supported="visited",
    place_level=False, n1=1240, n0=3720, places=5, e_value=1.53, controls=(0.01, 0.02, -0.223),
    checks=dict.fromkeys(("balance", "clock", "negative_controls", "other_change", "same_coding", "unmeasured"), "holds"),
)  # fmt: skip


def test_one_trust_beside_twenty_others():
    graded = words.grade(**TRUST)
    assert (codes(graded), graded.level) == ("A2 F1", "very low")
    assert head(graded, **TRUST) == "It is very uncertain whether the service changed admissions"
    sounder = words.grade(**{**TRUST, "breakdown": 2.4})
    assert (codes(sounder), sounder.level) == ("A2", "low")
    assert head(sounder, **TRUST).startswith("The service may reduce admissions")


def test_eight_of_forty_practices_earn_a_step_back():
    graded = words.grade(**facts())
    assert (codes(graded), graded.level) == ("A2 back1", "moderate")
    assert head(graded, **facts()).startswith("The service probably reduces admissions")
    assert graded.steps[-1].sentence == (
        "One step back: every check holds, including those for what records miss."
    )


def test_a_series_of_one_place_stays_low():
    graded = words.grade(**ITS)
    assert (codes(graded), graded.level) == ("A2", "low")
    assert head(graded, **ITS).startswith("The service may reduce admissions")
    assert graded.steps[-1].sentence == (
        "None back: two key checks give no clear answer, and one place never exceeds low."
    )


def test_a_matched_cohort_whose_negative_controls_hold():
    graded = words.grade(**COHORT)
    assert (codes(graded), graded.level) == ("A2 back1", "moderate")
    assert head(graded, **COHORT) == "The service probably reduces admissions by a worthwhile amount"


def test_the_same_cohort_whose_negative_controls_fail_or_are_in_doubt():
    failing = {**COHORT, "checks": {**COHORT["checks"], "negative_controls": "fails"}}
    graded = words.grade(**failing)
    assert (codes(graded), graded.level) == ("A2 K1", "very low")
    assert graded.steps[1].sentence == (
        "One step down: “Did outcomes that the pilot cannot change stay the same?” fails."
    )
    doubtful = {**COHORT, "checks": {**COHORT["checks"], "negative_controls": "doubtful"}}
    graded = words.grade(**doubtful)
    assert (codes(graded), graded.level) == ("A2", "low")
    assert graded.steps[1].sentence == (
        "No step down, but none back: “Did outcomes that the pilot cannot change stay the same?” is in doubt."
    )


def test_the_course_before_and_a_second_way_are_key_checks_of_people():
    both = {"trajectory": "doubtful", "agreement": "doubtful"}
    for changed, found in (({}, "moderate"), ({"agreement": "doubtful"}, "low"), (both, "very low")):
        graded = words.grade(**{**COHORT, "checks": {**COHORT["checks"], **changed}})
        assert graded.level == found
    failed = words.grade(**{**COHORT, "checks": {**COHORT["checks"], "trajectory": "fails"}})
    assert failed.level == "very low" and "month by month" in " ".join(step.text for step in failed.steps)


def test_before_and_after_alone():
    effect = {"claim": "W+", "est": -77.0, "lo": -84.0, "hi": -70.0, "w": 5.0}
    graded = words.grade(allocation="before-after", **effect, locked=True, checks=HOLDS)
    assert (codes(graded), graded.level) == ("A3", "very low")
    assert head(graded, **effect) == "It is very uncertain whether the service changed admissions"
    assert graded.line == "Certainty is very low: there is nothing to compare with."


# -- each step alone ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "given", "text"),
    [
        ("A", {}, "Two steps down: people were not chosen by lot. Those supported may have been different in ways records miss."),
        ("A", {"allocation": "before-after"}, "Three steps down: there is nothing to compare with."),
        ("A", {"allocation": "random"}, "No step down: chosen by lot."),
        ("K", {"failed": ["Was it counted alike?"]}, "One step down: “Was it counted alike?” fails."),
        (
            "K",
            {"failed": ["Was it counted alike?"], "doubtful": ["Did they move alike?"]},
            "One step down: “Was it counted alike?” fails. “Did they move alike?” is in doubt.",
        ),
        ("K", {"doubtful": ["Did they move alike?"]}, "No step down, but none back: “Did they move alike?” is in doubt."),
        (
            "F",
            {"n1": 2, "n0": 20, "rho": 1.25, "place": "practice"},
            "One step down: 2 pilot practices and 20 others. "
            "The finding stands only if the pilot practices are by nature less than 1.3 times as changeable.",
        ),
        (
            "F",
            {"n1": 1, "n0": 126, "place": "trust"},
            "One step down: 1 pilot trust and 126 others. "
            "The range takes for granted that it is by nature as changeable as the others.",
        ),
        ("S", {"before": 59, "after": 9}, "One step down: only 9 months after the start, so not every season of the effect was seen."),
        ("S", {"before": 113, "after": 47, "per_year": 52, "periods": "weeks"}, "One step down: only 47 weeks after the start, so not every season of the effect was seen."),
        ("S", {"before": 14, "after": 7}, "One step down: 14 months before and 7 after are too few to know season from change."),
        ("S", {"before": 20, "after": 12}, "One step down: 20 months before and 12 after are too few to know season from change."),
        ("P1", {"lo": -8.1, "hi": 1.9, "w": 4}, "One step down: the range runs from 8 fewer to 2 more."),
        ("P1", {"lo": -8.1, "hi": 1.9, "better": "higher"}, "One step down: the range runs from 2 more to 8 fewer."),
        ("P2", {}, "Two steps down: the range holds a worthwhile fall and a rise that matters."),
        ("P2", {"better": "higher"}, "Two steps down: the range holds a worthwhile rise and a fall that matters."),
        ("N", {"k": 2, "m": 6}, "One step down: 2 of 6 analyses point the other way or leave out our result."),
        ("N", {"k": 1, "m": 1}, "One step down: the other analysis points the other way or leaves out our result."),
        ("N0", {"m": 6}, "No step down: 6 analyses point the same way."),
        ("W", {}, "One step down: the result depends on the dates chosen."),
        ("W", {"plan": True}, "One step down: the plan was changed after the data were seen."),
        ("D", {"proxy": "A&E attendances"}, "One step down: what was measured (A&E attendances) is not quite what was asked."),
        ("R1", {}, "One step back: every check holds, including those for what records miss."),
        ("R2", {}, "One step back: two independent designs agree."),
        ("R3", {}, "One step back: the effect is large, and no other analysis shrinks it below what is worthwhile."),
    ],
)  # fmt: skip
def test_the_sentence_of_a_step(code, given, text):
    assert words.step(code, **given) == text
    assert words.breaks(text) == []


def test_a_step_that_is_not_taken_has_no_sentence():
    with pytest.raises(ValueError, match="take no step"):
        words.step("S", before=36, after=12)
    with pytest.raises(ValueError, match="a step is one of"):
        words.step("Q")


def taken(code: str, **changed: Any) -> int:
    """What one step costs in the second worked example, with some facts changed."""
    return next((s.cost for s in words.grade(**facts(**changed)).steps if s.code == code and s.cost > 0), 0)


def test_checks_cost_a_step_when_one_fails_or_two_are_in_doubt():
    assert taken("K", checks={**HOLDS, "same_coding": "doubtful"}) == 0
    assert taken("K", checks={**HOLDS, "same_coding": "doubtful", "pre_trend": "doubtful"}) == 1
    assert taken("K", checks={**HOLDS, "same_coding": "fails"}) == 1
    assert taken("K", checks={**HOLDS, "same_coding": "doubtful", "unmeasured": "doubtful"}) == 0
    assert taken("K", checks={**HOLDS, "same_coding": "cannot tell", "pre_trend": "cannot tell"}) == 0
    assert taken("K", checks={**HOLDS, "residuals": "fails"}) == 0  # not a key check


def test_few_places_cost_a_step():
    assert taken("F", n1=2, breakdown=1.99) == 1
    assert taken("F", n1=2, breakdown=2.0) == 0
    assert taken("F", n1=2, breakdown=None) == 1
    assert taken("F", n1=3, breakdown=1.0) == 0
    assert taken("F", n1=3, breakdown=1.0, variance_flag=True) == 1
    assert taken("F", n1=3, breakdown=1.0, variance_flag=2.1) == 1
    assert taken("F", n1=3, breakdown=1.0, variance_flag=2.0) == 0
    assert taken("F", n0=9) == 1
    assert taken("F", n0=9, place_level=False) == 0


def test_short_series_cost_a_step():
    def costs(**length: Any) -> int:
        return taken("S", allocation="series", place_level=False, **{"before": 24, "after": 12, **length})

    assert costs() == 0
    assert costs(before=23) == costs(after=11) == costs(df=4.9) == 1
    assert costs(df=5.0) == 0
    assert costs(before=104, after=52, per_year=52, periods="weeks") == 0
    assert costs(before=103, after=52, per_year=52, periods="weeks") == 1
    assert costs(before=8, after=3, per_year=4, periods="quarters") == 1


def test_imprecision_is_judged_against_what_is_claimed():
    def costs(claim: str | None, lo: float, hi: float, w: float | None = 4.0) -> int:
        return taken("P", claim=claim, est=(lo + hi) / 2, lo=lo, hi=hi, w=w)

    assert [
        costs("W+", -9, -5),
        costs("b", -3, -1),
        costs("N", -3, 3),
        costs("h", 1, 3),
        costs("W-", 5, 9),
    ] == [0] * 5
    assert [costs("B", -16.9, -1), costs("B", -17.1, -1), costs("H", 1, 17.1)] == [0, 1, 1]
    assert [costs("U", -9, 3), costs("V", -3, 9), costs("X", -9, 9)] == [1, 1, 2]
    assert [costs("X", -9, 9, None), costs("B", -9, -1, None), costs(None, -9, 9)] == [1, 0, 2]


def test_a_found_effect_that_takes_no_step_says_so():
    sentences = [step.sentence for step in words.grade(**facts()).steps]
    assert words.step("P0") in sentences
    harm = words.grade(**facts(claim="H", est=9.0, lo=4.0, hi=14.0))
    assert words.step("P0", better="higher") in [step.sentence for step in harm.steps]


def test_other_analyses_cost_a_step_when_one_turns_or_leaves_out_the_result():
    main = {"est": -9.0, "lo": -14.0, "hi": -4.0, "w": 5.0}
    assert taken("N", **main, sensitivity=[(-8, -13, -3, "log"), (-11, -17, -5, "long")]) == 0
    assert taken("N", **main, sensitivity=[(2.4, -12, 7, "a")]) == 0  # the other way, by less than half of w
    assert taken("N", **main, sensitivity=[(2.5, -12, 7, "a")]) == 1
    assert taken("N", **main, sensitivity=[(-3, -6, -1, "a")]) == 1  # leaves out -9
    assert taken("N", **main, sensitivity=[(None, None, None, "refused")]) == 0
    sentences = [s.sentence for s in words.grade(**facts(sensitivity=[(-8, -13, -3), (-11, -17, -5)])).steps]
    assert "No step down: 2 analyses point the same way." in sentences


def test_moved_dates_and_changed_plans_cost_one_step_together():
    assert taken("W", dates=[(-5, -9, -1), (-13, -18, -8)]) == 0
    assert taken("W", dates=[(-3.9, -9, 1)]) == 1  # outside the range
    assert taken("W", dates=[(-15, -20, -10)], plan_changed=True) == 1
    assert taken("W", plan_changed=True) == 1
    assert taken("W", claim="X", lo=-14.0, hi=10.0, dates=[(1, -9, 11)]) == 1  # of the other sign


def test_directness():
    assert taken("D", proxy=True) == taken("D", analysed=0.49) == taken("D", linked=0.79) == 1
    assert taken("D", follow_up_short=True) == 1
    assert taken("D", analysed=0.5, linked=0.8) == 0


# -- back, and caps ----------------------------------------------------------------------


def back(**changed: Any) -> bool:
    return any(step.cost == -1 for step in words.grade(**facts(**changed)).steps)


def test_a_step_is_earned_back_only_when_nothing_was_lost():
    assert back()
    for lost in (
        {"checks": {**HOLDS, "pre_trend": "doubtful"}}, {"checks": {**HOLDS, "other_change": "cannot tell"}},
        {"checks": {**HOLDS, "unmeasured": "doubtful"}}, {"n0": 9}, {"claim": "U", "hi": 1.0}, {"proxy": True},
        {"plan_changed": True}, {"sensitivity": [(3, -2, 8)]}, {"locked": False}, {"n1": 5}, {"places": 1},
    ):  # fmt: skip
        assert not back(**lost), lost


def test_two_designs_that_agree_earn_a_step_back():
    alone = {"locked": False, "n1": 3}
    assert not back(**alone)
    assert back(**alone, designs=[(-9, -14, -4), (-7, -13, -1)])
    assert not back(**alone, designs=[(-9, -14, -4), (-7, -13, 0)])  # the second includes no change
    assert not back(**alone, designs=[(-9, -14, -4), (-3, -5, -1)])  # nine lies outside the second


def test_a_check_that_nobody_asked_is_not_a_pass():
    agreed = {"designs": [(-9, -14, -4), (-7, -13, -1)]}
    assert back(**agreed)
    assert not back(**agreed, checks={"pre_trend": "holds"})


def test_a_large_effect_earns_a_step_back():
    large = {"locked": False, "n1": 3, "claim": "W+", "est": -15.0, "lo": -20.0, "hi": -10.0, "e_value": 2.0}
    assert back(**large, sensitivity=[(-12, -20, -4)])
    assert not back(**large, sensitivity=[(-12, -20, -4), (-4, -16, 8)])  # shrinks below what is worthwhile
    assert not back(**{**large, "e_value": 1.9}, sensitivity=[(-12, -20, -4)])
    assert not back(**{**large, "hi": -9.9}, sensitivity=[(-12, -20, -4)])


def test_no_more_than_one_step_is_earned_back():
    every = facts(
        claim="W+", est=-15.0, lo=-20.0, hi=-10.0, e_value=3.0, sensitivity=[(-12, -20, -4)],
        designs=[(-15, -20, -10), (-14, -19, -9)],
    )  # fmt: skip
    graded = words.grade(**every)
    assert [s.code for s in graded.steps].count("back") == 1
    assert graded.level == "moderate"


def test_caps_hold_after_a_step_back():
    one_place = words.grade(**facts(one_place=True))
    assert one_place.level == "low"
    assert one_place.steps[-1].head == "At most low:"
    assert (
        one_place.line
        == "Certainty is low: practices were not chosen by lot, and only one place had the pilot."
    )
    room = words.grade(**{**COHORT, "controls": (0.03, 0.02, -0.223)})  # 4 (0.03 + 1.64 x 0.02) = 0.25
    assert (room.level, room.steps[-1].phrase) == ("low", "cap-controls")


def test_a_lot_is_capped_by_an_unlocked_plan():
    lot = {"allocation": "random", **B, "chosen": "people"}
    assert words.grade(**lot, locked=True).level == "high"
    assert words.grade(**lot, locked=True).line == "Certainty is high: people were chosen by lot."
    unlocked = words.grade(**lot)
    assert unlocked.level == "moderate"
    assert unlocked.line == "Certainty is moderate: the plan was not locked before the outcome data."
    assert words.grade(**lot, locked=True, one_place=True).level == "high"


def test_a_long_line_becomes_two_sentences():
    line = words.certainty_line("very low", ["A", "K", "W", "D"])
    assert line == (
        "Certainty is very low: people were not chosen by lot, and a check is in doubt or fails. "
        "The result depends on the dates chosen, and what was measured is not quite what was asked."
    )
    assert words.breaks(line) == []


def test_no_likely_range_is_very_low():
    graded = words.grade(allocation="comparison", claim=None, est=-5.0, locked=True)
    assert graded.level == "very low"
    assert (
        graded.line
        == "Certainty is very low: people were not chosen by lot, and no likely range can be given."
    )


FAULTS: list[dict[str, Any]] = [
    {"checks": {**HOLDS, "pre_trend": "fails"}}, {"checks": {**HOLDS, "pre_trend": "doubtful"}}, {"n0": 6},
    {"checks": {**HOLDS, "pre_trend": "doubtful", "same_coding": "doubtful"}}, {"proxy": True}, {"locked": False},
    {"sensitivity": [(9, 4, 14)]}, {"dates": [(3, -4, 9)]}, {"plan_changed": True}, {"one_place": True},
    {"before": 10, "after": 5}, {"variance_flag": True},
]  # fmt: skip


def test_adding_a_fault_never_raises_the_level():
    for one, other in itertools.permutations(FAULTS, 2):
        before, after = words.grade(**facts(**one)), words.grade(**facts(**{**other, **one}))
        assert words.rank(after.level) <= words.rank(before.level) or set(one) & set(other), (one, other)


def test_every_step_keeps_the_language_rules():
    for one, other in itertools.product(FAULTS, FAULTS):
        graded = words.grade(**facts(**{**one, **other}))
        for step in graded.steps:
            assert words.breaks(step.sentence) == [], step.sentence
            assert step.text.endswith(".") and step.head.endswith(":")
        assert words.breaks(graded.line) == []
        assert graded.to_dict()["steps"][0] == {
            "code": "A", "cost": 2, "head": "Two steps down:",
            "text": "practices were not chosen by lot. Those with the pilot may have been different in ways records miss.",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([(-88, -646, 374), (-190, -300, -80)], "1 of 2 analyses agrees; the other is too wide to say."),
        ([(-88, -646, 374), (-88, -646, 374), (-190, -300, -80), (-190, -300, -80)],
         "2 of 4 analyses agree; the other 2 are too wide to say."),
        ([(-88, -646, 374)], "the other analysis points the same way, and is too wide to say more."),
        ([(-88, -646, 374), (-9, -646, 374)], "2 analyses point the same way, and all are too wide to say more."),
        ([(-190, -300, -80), (-190, None, None)], "2 analyses point the same way."),
    ],
)  # fmt: skip
def test_an_analysis_that_includes_no_change_is_not_said_to_agree(others: list, said: str) -> None:
    made = words.grade(allocation="series", est=-227, lo=-380, hi=-74, w=100, claim="B", sensitivity=others)
    assert f"No step down: {said}" in [step.sentence for step in made.steps]
    unsure = words.grade(
        allocation="series", est=-227, lo=-480, hi=74, w=100, claim="U", sensitivity=others[:2]
    )
    told = [step.text for step in unsure.steps if step.code == "N"]
    assert told == [
        "2 analyses point the same way." if len(others) > 1 else "the other analysis points the same way."
    ]
