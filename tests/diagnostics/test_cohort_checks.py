"""Each question of a comparison of people: what holds, what is doubtful, what fails, and in which words."""

from __future__ import annotations

import itertools
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
    if check.name in ("balance", "negative_controls", "unmeasured"):
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
        (controls(0.01, 0.02), "holds", "could not have been seen"),
        (controls(0.04, 0.02), "doubtful", "Chance alone would seldom"),
        (controls(-0.06, 0.02), "fails", "Nothing can be claimed"),
        (controls(0.0, 0.02, deaths=-2.1), "doubtful", "Deaths differ"),
        (controls(0.0, 0.02, deaths=2.1), "holds", "could not have been seen"),
        (controls(0.0, 0.02, number=2), "cannot tell", "At least 3"),
    ],
)
def test_negative_controls_by_the_rule(made, answer, said):
    check = cohort_checks.negative_controls(made, estimate(), {"deaths": "deaths within 90 days"})
    assert check.answer == answer
    assert said in check.text
    assert "Deaths within 90 days:" in check.text and "Age is not counted" in check.text
    reads_well(check)


def test_no_negative_controls_cannot_tell():
    check = cohort_checks.negative_controls(None, estimate())
    assert check.answer == "cannot tell"
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
    made = [
        cohort_checks.balance(estimate(balance=rows(age=0.0))),
        cohort_checks.clock(people([0], **BOTH)),
        cohort_checks.negative_controls(None, estimate()),
        cohort_checks.unmeasured(estimate()),
    ]
    assert [check.name for check in made] == ["balance", "clock", "negative_controls", "unmeasured"]
    assert all(one.question != other.question for one, other in itertools.combinations(made, 2))
