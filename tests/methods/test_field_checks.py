"""Fields that are wrong whatever the data are told all at once, each with what to give."""

import pytest

from ucimpact.errors import UsageError
from ucimpact.methods import CallawaySantAnna, CostDiD, MatchedCohort


def test_every_wrong_field_is_told_at_once():
    with pytest.raises(UsageError) as found:
        CallawaySantAnna(
            outcome="y", covariates=("y",), level=1.2, estimator="best", anticipation=-1, cov="CR9"
        )
    told = str(found.value)
    for part in (
        "level = 1.2: give",
        "`y` is the outcome",
        "estimator = 'best'",
        "anticipation = -1",
        "cov = 'CR9'",
    ):
        assert part in told, told
    assert told.count("; ") == 4


def test_two_choices_are_joined_by_or_and_more_are_listed():
    with pytest.raises(UsageError, match='family = \'normal\': give "gamma" or "poisson"'):
        CostDiD(outcome="y", family="normal")
    with pytest.raises(UsageError, match=r'order = .*: give one of "'):
        MatchedCohort(outcome="y", order="alphabet")


def test_a_number_that_is_none_is_nothing_to_refuse():
    assert CallawaySantAnna(outcome="y", balance=None).balance is None
