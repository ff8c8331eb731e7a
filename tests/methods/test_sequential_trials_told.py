"""Where no score of who begins the service can be learned, a person meets the words of the study file."""

from __future__ import annotations

import numpy as np
import pytest

from tests.methods.test_sequential_trials import STAY, histories
from ucimpact.errors import EstimationError
from ucimpact.methods.sequential_trials import Measured, SequentialTrials
from ucimpact.methods.sequential_trials_emulation import FEW_STARTS


def emulated(starts: int, *, by_age: bool = False, one_day: bool = False):
    """Eighty people; those who begin had a contact in the week before, and nobody else did."""
    rng = np.random.default_rng(4)
    people, stays, contacts = [], [], []
    for k in range(80):
        out = 120 if one_day else 120 + int(rng.integers(0, 100))
        begins = k < starts
        old = begins if by_age else rng.random() < 0.5
        people.append({"id": k, "age": 90 if old else 70, "start": out + 1 if begins else None})
        stays.append((k, out - int(rng.integers(2, 9)), out))
        if begins and not by_age:
            contacts.append((k, out))
    method = SequentialTrials(
        outcome=STAY, trigger=STAY, within=2, lookback=60, horizon=30, covariates=("age",), season=False,
        measured=(Measured(event=STAY, days=(-60, 0)), Measured(event="contact", days=(-7, 0))),
    )  # fmt: skip
    return method.emulation(histories(people, stays, contacts or [(79, 3)]))


def said(starts: int, **how) -> str:
    with pytest.raises(EstimationError) as error:
        emulated(starts, **how)
    return str(error.value)


def test_what_is_measured_is_named_by_its_table():
    told = said(12)
    assert told.startswith("What is measured under [[method.measured]] number 2 (event = ")
    assert '"contact", days = [-7, 0])' in told and "some of the 12 who begin" in told
    assert "maximum" not in told and "hazard" not in told


def test_a_column_of_people_is_named_as_it_is():
    assert said(12, by_age=True).startswith("The covariate `age` (perhaps with others)")


@pytest.mark.parametrize("starts", [2, FEW_STARTS - 1])
def test_so_few_starts_are_too_few_before_any_covariate_is_to_blame(starts):
    told = said(starts)
    assert told.startswith(f"{starts} people begin the service in the trials, and so few are too few")
    assert "Bring more people, 5 who begin" in told


def test_that_all_begin_on_one_day_is_said():
    assert "all of them begin on one day" in said(12, one_day=True)
    assert "on one day" not in said(12)
