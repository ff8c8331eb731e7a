"""Each question of a comparison of people: what holds, what is doubtful, what fails, and in which words."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.cohort import Cohort
from ucimpact.diagnostics import cohort_checks
from ucimpact.diagnostics.check import Check
from ucimpact.disclosure import rounded_in
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.sensitivity import Control, Pooled
from ucimpact.methods.matched_cohort import NegativeControls
from ucimpact.words.certainty import QUESTIONS
from ucimpact.words.never import breaks
from ucimpact.words.trials import later_sentence


def estimate(att: tuple[float, float, float] = (-0.2, -0.3, -0.1), **extras: Any) -> Estimate:
    row = {"term": "att", "estimate": att[0], "conf_low": att[1], "conf_high": att[2]}
    made = Estimate(method="matched-cohort", estimand="ATT", outcome="y", effects=effects_frame([row]))
    return replace(made, extras=extras)


def rows(**smd: float | None) -> list[dict[str, Any]]:
    return [
        {"name": name, "label": name.replace("_", " "), "smd_before": 0.5, "smd": value}
        for name, value in smd.items()
    ]


def reads_well(check: Check) -> None:
    assert not breaks(check.text), check.text
    assert check.question == QUESTIONS.get(check.name, check.question)
    assert Check.from_dict(check.to_dict()) == check
    if check.name in ("balance", "negative_controls", "unmeasured", "agreement", "overlap"):
        assert rounded_in(check.text) == check.text, "it holds no number of people, so none is rounded"


@pytest.mark.parametrize(
    ("smd", "answer"),
    [
        (0.0, "holds"),
        (-0.10, "holds"),
        (0.101, "doubtful"),
        (-0.25, "doubtful"),
        (0.251, "fails"),
        (None, "fails"),
    ],
)
def test_balance_is_a_gate_at_a_tenth_and_a_quarter(smd, answer):
    check = cohort_checks.balance(estimate(balance=rows(age=0.01, prior_use=smd)))
    assert check.answer == answer
    assert answer == "holds" or "prior use" in check.text
    reads_well(check)


def test_balance_names_the_worst_and_says_that_nothing_can_be_claimed():
    spread = {f"measure_{k}": 0.3 + k / 100 for k in range(7)}
    check = cohort_checks.balance(estimate(balance=rows(**spread)), {"measure_6": "frailty"})
    assert "frailty, measure 5, measure 4" in check.text and "3 more" in check.text
    assert "Nothing can be claimed" in check.text
    assert check.statistic == pytest.approx(0.36)
    reads_well(check)


def strongly(**smd: float) -> list[dict[str, Any]]:
    return [{**row, "strength": 0.4, "strong": row["name"] != "weak"} for row in rows(**smd)]


@pytest.mark.parametrize(
    ("smd", "answer", "said"),
    [
        ({"use": 0.10, "weak": 0.05}, "holds", "none of the 2 measures"),
        ({"use": 0.05, "weak": 0.15}, "doubtful", "differ a little in weak"),
        ({"use": 0.11, "weak": 0.15}, "fails", "still differ in use, which predicts the outcome strongly, by up to 0.11"),
        ({"use": -0.11, "age": 0.2}, "fails", "in age and use, which predict"),
        ({"use": 0.0, "weak": 0.3}, "fails", "unlike in weak"),
    ],
)  # fmt: skip
def test_a_strong_predictor_fails_at_a_tenth(smd, answer, said):
    check = cohort_checks.balance(estimate(balance=strongly(**smd)))
    assert check.answer == answer and said in check.text
    assert ("Nothing can be claimed" in check.text) == (answer == "fails")
    assert check.table[0]["strong"] is True
    reads_well(check)


def test_weighted_people_are_said_to_be_weighted():
    told = {"ess": 300, "of": 2_000, "largest_share": 0.01, "trimmed": 0}
    assert cohort_checks.balance(estimate(balance=rows(age=0.01), weights=told)).text.startswith(
        "After weighting"
    )


def test_balance_of_nothing_cannot_tell():
    assert cohort_checks.balance(estimate(balance=[])).answer == "cannot tell"


def people(delays: list[float | None], **roles: str) -> Cohort:
    days = [None if d is None else pd.Timestamp("2024-03-01") + pd.Timedelta(days=d) for d in delays]
    table = pd.DataFrame({"id": range(len(delays) + 2), "had": [1] * len(delays) + [0, 0]})
    table["out"] = pd.Timestamp("2024-03-01")
    table["began"] = pd.to_datetime(pd.Series([*days, None, None]))
    return Cohort(table, person="id", pilot="had", **roles)


BOTH = {"index_date": "out", "service_start": "began"}


@pytest.mark.parametrize(
    ("cohort", "answer", "said"),
    [
        (people([0, 0, 0], **BOTH), "holds", "the day on which the service was given"),
        (people([0, 0, None], **BOTH), "doubtful", "1 of 3 people"),
        (people([0, -4, 0], **BOTH), "doubtful", "had begun before"),
        (people([0, 3, None], **BOTH), "fails", "1 of 3 people"),
        (people([0, 0], index_date="out"), "doubtful", "inferred"),
        (people([0, 0]), "cannot tell", "not recorded"),
    ],
)
def test_the_clock(cohort, answer, said):
    check = cohort_checks.clock(cohort)
    assert check.answer == answer
    assert said in check.text
    reads_well(check)


def controls(
    pooled: float, se: float, *, deaths: float = 0.0, number: int = 4, events: float = 50
) -> NegativeControls:
    made = [Control("deaths", "deaths", deaths * 0.1, 0.1, deaths, events)]
    made += [Control(f"held_out_{k}", "before", pooled, se, pooled / se, 80) for k in range(number - 1)]
    told = [
        {
            "column": c.name,
            "label": c.name,
            "reach": c.reach,
            "ratio": float(np.exp(c.log_ratio)),
            "low": float(np.exp(c.log_ratio - 1.96 * c.std_error)),
            "high": float(np.exp(c.log_ratio + 1.96 * c.std_error)),
            "events_pilot": 20.0,
            "events_comparison": 30.0,
            "why": None,
        }
        for c in made
    ]
    told.append(
        {
            "column": "age",
            "label": "age",
            "ratio": None,
            "why": "people were matched on it, so it shows nothing",
        }
    )
    whole = Pooled(pooled, se, pooled / se, np.full(number, 1 / number))
    return NegativeControls(tuple(told), tuple(made), whole, np.eye(number))


@pytest.mark.parametrize(
    ("made", "answer", "said"),
    [
        (controls(0.01, 0.02), "holds", "no further from 1"),
        (controls(0.04, 0.02), "doubtful", "Chance alone would seldom"),
        (controls(-0.06, 0.02), "fails", "Nothing can be claimed"),
        (controls(0.0, 0.02, deaths=-2.1), "doubtful", "Deaths differ"),
        (controls(0.0, 0.02, deaths=2.1), "holds", "no further from 1"),
        (controls(0.0, 0.02, number=2), "cannot tell", "At least 3"),
    ],
)
def test_negative_controls_by_the_rule(made, answer, said):
    check = cohort_checks.negative_controls(made, estimate(), {"deaths": "deaths within 90 days"})
    assert check.answer == answer
    assert said in check.text
    assert "Deaths within 90 days:" in check.text and "Age is not counted" in check.text
    assert made.pooled is not None
    room = 100 * math.expm1(4 * (abs(made.pooled.log_ratio) + 1.64 * made.pooled.std_error))
    assert f"bias of the result by up to {room:.0f}%" in check.text, "whatever the answer"
    assert "the result four times as far" in check.text, "with what it assumes"
    reads_well(check)


def test_another_multiple_is_the_readers_to_choose():
    made = controls(0.01, 0.02)
    check = cohort_checks.negative_controls(made, estimate(), times=2.0)
    assert f"up to {100 * math.expm1(2 * (0.01 + 1.64 * 0.02)):.0f}%" in check.text or "8.9%" in check.text
    assert "the result two times as far" in check.text and check.answer == "holds"


def test_the_size_of_bias_is_a_key_of_its_own_with_other_multiples():
    told = cohort_checks.bias(controls(-0.01, 0.02))
    assert told["not_excluded"] == pytest.approx(4 * (0.01 + 1.64 * 0.02))
    assert told["ratio"] == pytest.approx(math.exp(told["not_excluded"])) and told["times"] == 4
    assert [row["times"] for row in told["rows"]] == [1, 2, 4, 6]
    assert told["rows"][1]["not_excluded"] == pytest.approx(told["not_excluded"] / 2)
    assert not breaks(told["text"]) and "four times as far" in told["text"]
    assert cohort_checks.bias(None) == {
        "not_excluded": None, "ratio": None, "times": 4.0, "rows": [],
        "text": "Without outcomes that the service cannot change, no size of bias can be ruled out.",
    }  # fmt: skip


def test_a_doubt_names_what_differed():
    contacts = controls(0.04, 0.02)
    check = cohort_checks.negative_controls(contacts, estimate(), {"held_out_1": "contacts"})
    assert "also differed in held out 0, contacts and held out 2 before it." in check.text
    assert cohort_checks.differing(contacts, -0.2) == (["held out 0", "held out 1", "held out 2"], [])
    fewer_deaths = controls(0.0, 0.02, deaths=-2.1)
    assert cohort_checks.differing(fewer_deaths, -0.2, {"deaths": "deaths"}) == ([], ["deaths"])
    assert "also differed in deaths." in cohort_checks.negative_controls(fewer_deaths, estimate()).text
    assert cohort_checks.differing(controls(0.0, 0.02), -0.2) == ([], [])
    assert cohort_checks.differing(controls(0.06, 0.02), -0.2) == ([], []), "a failure is no doubt"


def test_deaths_on_the_other_side_explain_nothing_and_are_not_named():
    sooner, later = (
        Control("sooner", "deaths", 0.5, 0.2, 2.5, 20),
        Control("later", "deaths", -0.2, 0.1, -2.1, 40),
    )
    made = (sooner, later, *controls(0.0, 0.02).controls[1:])
    told = NegativeControls((), made, Pooled(0.0, 0.02, 0.0, np.full(5, 0.2)), np.eye(5))
    assert cohort_checks.differing(told, -0.2) == ([], ["later"])
    assert cohort_checks.differing(told, 0.2) == ([], ["sooner"])


def test_where_no_single_control_is_far_the_one_that_pulls_most_is_named():
    made = [Control(name, "before", 0.03, 0.02, 1.5, 80) for name in ("a", "b")]
    made += [Control("c", "before", 0.01, 0.02, 0.5, 80)]
    whole = Pooled(0.035, 0.02, 1.75, np.array([0.2, 0.7, 0.1]))
    told = NegativeControls((), tuple(made), whole, np.eye(3))
    assert cohort_checks.differing(told, -0.2) == (["b"], [])


def test_deaths_say_what_would_not_have_been_noticed():
    check = cohort_checks.negative_controls(controls(0.01, 0.02), estimate())
    # 1.00 times (0.82 to 1.22): 18% fewer to 22% more
    assert "Anything between 18% fewer and 22% more would not have been noticed." in check.text


def test_no_negative_controls_cannot_tell():
    check = cohort_checks.negative_controls(None, estimate())
    assert check.answer == "cannot tell" and "no size of bias can be ruled out" in check.text
    reads_well(check)
    empty = NegativeControls((), (), None, np.zeros((0, 0)))
    assert cohort_checks.negative_controls(empty, estimate()).answer == "cannot tell"


@pytest.mark.parametrize(
    ("att", "limit", "answer"),
    [
        ((-0.2, -0.3, -0.1), 1.5, "holds"),
        ((-0.2, -0.3, -0.1), 1.49, "doubtful"),
        ((-0.2, -0.5, 0.1), 1.0, "cannot tell"),
        ((-0.2, -0.5, 0.0), 1.0, "cannot tell"),
        ((0.2, 0.1, 0.5), None, "cannot tell"),
    ],
)
def test_the_strength_of_something_unrecorded(att, limit, answer):
    check = cohort_checks.unmeasured(estimate(att, e_value={"estimate": 2.0, "limit": limit}))
    assert check.answer == answer
    reads_well(check)
    assert cohort_checks.unmeasured(estimate(att), includes_no_change=True).answer == "cannot tell"


def test_who_was_lost_is_told_and_takes_no_step():
    lost = {
        "n": 60,
        "of": 300,
        "reasons": [{"n": 60, "reason": "nobody else was near enough"}],
        "differ": [{"name": "f", "label": "frailty", "lost": 5.0, "matched": 3.0, "smd": 0.8}],
    }
    check = cohort_checks.who_was_lost(estimate(lost=lost))
    assert check is not None and check.answer == "doubtful" and not check.counted
    assert "60 of 300" in check.text and "frailty" in check.text
    reads_well(check)
    assert cohort_checks.who_was_lost(estimate(lost={**lost, "n": 30})).answer == "holds"
    assert cohort_checks.who_was_lost(estimate(lost={"n": 0, "of": 300})) is None


def test_every_key_check_of_a_cohort_has_its_question():
    trials = {"trigger": "stay", "alternatives": [{"label": "matching", "ratio": 0.9}], "agree": True}
    full = estimate(balance=rows(age=0.0), trajectory={"rows": months(0.0)}, trials=trials)
    made = cohort_checks.of_estimate(people([0], **BOTH), full)
    names = ["balance", "trajectory", "clock", "negative_controls", "agreement", "unmeasured"]
    assert [check.name for check in made] == names
    assert {*names} <= {*QUESTIONS}
    assert all(one.question != other.question for one, other in itertools.combinations(made, 2))


def months(*gaps: float, events: float | None = 200, error: float | None = 1.0) -> list[dict[str, Any]]:
    """Twelve months at 10 a month per 100; ``gaps`` are of the last months, the last one last."""
    rates = [10.0] * (12 - len(gaps)) + [10.0 + gap for gap in gaps]
    made = []
    for month, rate in zip(range(-12, 0), rates, strict=True):
        row = {
            "month": month,
            "pilot": rate,
            "comparison": 10.0,
            "events_pilot": events,
            "events_comparison": events,
        }
        made.append(row if error is None else {**row, "std_error": error})
    return made


# with twelve months 2.87 standard errors are chance in one of twenty, and 3.34 in one of a hundred
@pytest.mark.parametrize(
    ("rows_", "answer", "said"),
    [
        (
            months(1.0, 2.8),
            "holds",
            "The largest gap is 12.8 a month per 100, against 10.0, in the last month",
        ),
        (
            months(-2.9),
            "doubtful",
            "on different paths: 7.1 a month per 100, against 10.0, in the last month",
        ),
        (months(4.0, 0.0, 0.0), "fails", "in month 3 before the start. Nothing can be claimed"),
        (months(4.0, 0.0, 0.0, 0.0), "doubtful", "in month 4 before the start"),
        (months(2.4, error=0.5), "doubtful", "12.4 a month per 100, against 10.0"),
        (months(3.0), "doubtful", "different paths"),
        (months(4.0, events=1), "cannot tell", "too few events"),
        (months(0.1, error=None, events=None), "cannot tell", "not known"),
    ],
)
def test_the_course_before_the_start(rows_, answer, said):
    check = cohort_checks.trajectory(estimate(trajectory={"per": 100, "rows": rows_}))
    assert check is not None
    assert check.answer == answer and said in check.text
    assert not breaks(check.text) and rounded_in(check.text) == check.text
    assert [row["month"] for row in check.table] == list(range(-12, 0))


def test_what_cannot_happen_before_has_no_course():
    nothing = [{**row, "pilot": 0.0, "comparison": 0.0} for row in months(0.0, events=0, error=0.0)]
    assert cohort_checks.trajectory(estimate(trajectory={"per": 100, "rows": nothing})) is None
    nothing[0]["comparison"] = 0.1
    check = cohort_checks.trajectory(estimate(trajectory={"per": 100, "rows": nothing}))
    assert check is not None and check.answer == "cannot tell"


def test_a_gap_without_an_error_is_judged_by_counting():
    # 12 and 10 on 400 events each: 2 / sqrt(0.36 + 0.25) = 2.56; on 600 each 3.14
    check = cohort_checks.trajectory(estimate(trajectory={"rows": months(2.0, events=400, error=None)}))
    assert check is not None and check.answer == "holds"
    assert check.statistic == pytest.approx(2 / math.sqrt(12**2 / 400 + 10**2 / 400))
    check = cohort_checks.trajectory(estimate(trajectory={"rows": months(2.0, events=600, error=None)}))
    assert check is not None and check.answer == "doubtful"
    assert cohort_checks.trajectory(estimate()) is None


def test_months_that_differ_by_chance_alone_are_seldom_doubted():
    rng, doubted = np.random.default_rng(5), []
    for _ in range(600):
        told = {"per": 100, "rows": months(*rng.normal(size=12))}
        check = cohort_checks.trajectory(estimate(trajectory=told))
        assert check is not None
        doubted.append(check.answer != "holds")
    assert np.mean(doubted) == pytest.approx(0.05, abs=0.018)


def site(name: str, n: int, smd: float) -> dict[str, Any]:
    return {"site": name, "n_pilot": n, "n_comparison": n, "max_smd": smd, "worst": "prior_use"}


def test_sites_are_alike_unless_they_differ_by_more_than_chance():
    measures = rows(**{f"m{k}": 0.01 for k in range(10)})
    # ten measures at two sites: 3.10 standard errors (t on 99 degrees of freedom), each sqrt(2 / 100)
    calm = estimate(balance=measures, balance_by_site=[site("A", 100, 0.42), site("B", 100, 0.1)])
    check = cohort_checks.balance_by_site(calm)
    assert check is not None and check.answer == "holds" and not check.counted
    reads_well(check)
    apart = estimate(balance=measures, balance_by_site=[site("A", 100, 0.45), site("B", 100, 0.1)])
    check = cohort_checks.balance_by_site(apart, {"prior_use": "stays in hospital"})
    assert check is not None and check.answer == "doubtful" and "most in stays in hospital" in check.text
    many = [
        {**site("A", 100, 0.35), "n_comparison": 9_000},
        site("B", 100, 0.1),
    ]  # as three beside each: 0.36
    assert cohort_checks.balance_by_site(estimate(balance=measures, balance_by_site=many)).answer == "holds"
    large = estimate(balance=measures, balance_by_site=[site("A", 9_000, 0.2), site("B", 9_000, 0.26)])
    assert cohort_checks.balance_by_site(large).answer == "doubtful"
    assert cohort_checks.balance_by_site(estimate(balance_by_site=[site("A", 10, 1.0)])) is None
    assert cohort_checks.balance_by_site(estimate()) is None


@pytest.mark.parametrize(
    ("outside", "answer", "said"),
    [
        (0.0, "holds", "None of those"),
        (0.1, "holds", "10% of those"),
        (0.11, "doubtful", "leans on the model"),
    ],
)
def test_overlap(outside, answer, said):
    check = cohort_checks.overlap(estimate(overlap={"coefficient": 0.62, "outside": outside}))
    assert check is not None and check.answer == answer and said in check.text and not check.counted
    assert "overlap by 62%" in check.text
    reads_well(check)
    assert cohort_checks.overlap(estimate()) is None


@pytest.mark.parametrize(
    ("ess", "share", "answer", "said"),
    [
        (500, 0.05, "holds", "as sure as 500 people"),
        (499, 0.01, "doubtful", "under half of those"),
        (900, 0.06, "doubtful", "hang on one"),
    ],
)
def test_weights(ess, share, answer, said):
    made = replace(estimate(weights={"ess": ess, "largest_share": share}), counts={"matched_pilot": 1_000})
    check = cohort_checks.weights(made)
    assert check is not None and check.answer == answer and said in check.text and not check.counted
    reads_well(check)
    assert cohort_checks.weights(estimate()) is None


TRIALS = {
    "trigger": "emergency stay",
    "mean_delay": 2.31,
    "immortal": {"ratio": 0.77},
    "alternatives": [
        {"label": "no ratio", "ratio": None},
        {"label": "matching three to one", "ratio": 0.9, "low": 0.76, "high": 1.06},
        {"label": "30 days", "ratio": 0.5, "low": 0.3, "high": 0.7},
    ],
    "agree": True,
}


def test_the_clock_of_trials_says_how_long_people_waited_and_what_that_would_have_made():
    made = estimate(trials=TRIALS)
    check = cohort_checks.clock(people([3]), made, {"y": "Emergency admissions"})
    assert check.answer == "holds"
    assert "began 2.3 days after discharge" in check.text
    assert "about 23% fewer emergency admissions even if the service changed nothing" in check.text
    reads_well(check)
    told = cohort_checks.clock(people([3]), estimate(trials={**TRIALS, "delay": "Weeks start at their end."}))
    assert told.text.startswith("Weeks start at their end. A naive analysis")
    calendar = cohort_checks.clock(
        people([3]), estimate(trials={"trigger": None, "immortal": {"ratio": 0.5}})
    )
    assert "had not had it by that day" in calendar.text and "naive" not in calendar.text
    reads_well(calendar)


def test_two_ways_of_comparing_are_held_against_each_other():
    ratio = {"term": "relative", "estimate": -0.11, "conf_low": -0.24, "conf_high": 0.04}
    main = estimate()
    main = replace(main, effects=effects_frame([*main.effects.to_dict("records"), ratio]))
    check = cohort_checks.agreement(replace(main, extras={"trials": TRIALS}))
    assert check is not None and check.answer == "holds"
    assert check.text.startswith(
        "The result: 11% fewer (likely range 24% fewer to 4% more). Matching three to one: 10%"
    )
    assert "30 days" not in check.text
    reads_well(check)
    for agree, answer in ((False, "doubtful"), (None, "cannot tell")):
        check = cohort_checks.agreement(replace(main, extras={"trials": {**TRIALS, "agree": agree}}))
        assert check is not None and check.answer == answer
        reads_well(check)
    assert cohort_checks.agreement(estimate()) is None
    assert cohort_checks.agreement(estimate(trials={"alternatives": []})) is None


def test_what_a_result_bears_is_said_beside_the_e_value():
    told = {"rosenbaum": {"gamma": 1.3, "text": "Within a matched set the result bears a little."}}
    check = cohort_checks.unmeasured(estimate(e_value={"estimate": 2.0, "limit": 1.6}, sensitivity=told))
    assert check.text.endswith("bears a little.")


def test_skewed_counts_at_many_small_sites_are_seldom_called_unlike():
    """Forty sites of twenty pilot people and three beside each, twelve measures, most people with nothing."""
    rng, named = np.random.default_rng(6), []
    for _ in range(100):
        pilot = np.log1p(rng.negative_binomial(0.3, 0.3, (40, 20, 12)))
        others = np.log1p(rng.negative_binomial(0.3, 0.3, (40, 60, 12)))
        apart = np.abs(pilot.mean(axis=1) - others.mean(axis=1)) / pilot.reshape(-1, 12).std(axis=0)
        told = [{**site(str(k), 20, float(row.max())), "n_comparison": 600} for k, row in enumerate(apart)]
        check = cohort_checks.balance_by_site(
            estimate(balance=rows(**{f"m{k}": 0.01 for k in range(12)}), balance_by_site=told)
        )
        assert check is not None
        named.append(check.answer == "doubtful")
    assert np.mean(named) <= 0.05
    tiny = [site("A", 9, 3.0), site("B", 9, 3.0)]
    assert cohort_checks.balance_by_site(estimate(balance_by_site=tiny)).answer == "holds"


@pytest.mark.parametrize(("share", "answer"), [(0.21, "holds"), (0.5, "holds"), (0.62, "doubtful")])
def test_a_result_held_against_people_mostly_served_later_is_in_doubt(share: float, answer: str) -> None:
    later = later_sentence("usual-care", share, horizon=90)
    check = cohort_checks.served_later(estimate(trials={"later_share": share, "later": later}))
    assert check is not None and check.answer == answer and not check.counted
    assert ("starting sooner" in check.text) == (answer == "doubtful")
    assert check.text.startswith(later)
    reads_well(check)


def test_nothing_is_asked_of_later_starts_where_none_are_told() -> None:
    assert cohort_checks.served_later(estimate()) is None
    assert cohort_checks.served_later(estimate(trials={"later_share": None, "later": ""})) is None
