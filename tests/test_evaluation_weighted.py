"""A study of people whose others are weighed, or foreseen, from its file to a released document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_evaluation_people import TEXT, people
from tests.test_study_people import study_in
from ucimpact.disclosure import release
from ucimpact.evaluation import Evaluation, evaluate

MATCHED = 'name = "matched-cohort"\nexact = ["ward"]\n'
METHODS = {
    "weighted-cohort": 'name = "weighted-cohort"\nkinds = ["ward"]\n',
    "weighted-cohort by score": 'name = "weighted-cohort"\nkinds = ["ward"]\nby = "score"\ntrim = "common"\n',
    "doubly-robust-cohort": 'name = "doubly-robust-cohort"\nkinds = ["ward"]\nrepeats = 1\nfolds = 3\n',
}


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return evaluate(study_in(tmp_path_factory.mktemp("matched"), people(), TEXT))


@pytest.fixture(scope="module", params=sorted(METHODS))
def evaluation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    text = TEXT.replace(MATCHED, METHODS[request.param])
    assert text != TEXT
    return evaluate(study_in(tmp_path_factory.mktemp("weighted"), people(), text))


def test_it_answers_the_questions_that_matched_sets_answer(
    evaluation: Evaluation, matched: Evaluation
) -> None:
    assert not [a.label for a in evaluation.analyses if a.refused]
    assert [a.role for a in evaluation.analyses] == [a.role for a in matched.analyses]
    assert {c.name for c in matched.checks} - {"who_was_lost"} <= {c.name for c in evaluation.checks}
    answers = {check.name: check.answer for check in evaluation.checks}
    assert answers["balance"] == "holds" and answers["clock"] == "holds"
    assert set(matched.finding) <= set(evaluation.finding)
    gap = abs(evaluation.finding["est"] - matched.finding["est"])
    assert gap < matched.finding["hi"] - matched.finding["est"]


def test_the_naive_answer_is_of_the_same_people(evaluation: Evaluation) -> None:
    naive = next(a for a in evaluation.analyses if a.role == "naive")
    assert naive.estimate is not None and evaluation.primary.estimate is not None
    assert naive.estimate.counts["pilot"] == evaluation.primary.estimate.counts["matched_pilot"]


def test_it_is_released_and_read_again(evaluation: Evaluation, tmp_path: Path) -> None:
    written = json.dumps(release(evaluation).to_dict(), allow_nan=False)
    cohort = json.loads(written)["data"]["cohort"]
    assert cohort["balance"] and cohort["overlap"] is not None
    assert "Anon0" not in written
