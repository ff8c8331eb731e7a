"""A study of people is given two pages from one document: the report, and the impact statement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_evaluation import study_in
from ucimpact import publish
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.report.render import render, render_statement
from ucimpact.study import read_study

EXAMPLE = Path(__file__).parents[1] / "examples" / "befriending" / "study.toml"


@pytest.fixture(scope="module")
def people() -> Evaluation:
    return evaluate(read_study(EXAMPLE))


def test_both_pages_are_made_from_the_document_alone(people: Evaluation, tmp_path: Path) -> None:
    written = publish.save(people, tmp_path)
    assert [path.name for path in written[:2]] == ["report.html", "impact-statement.html"]
    document = json.loads((tmp_path / "evaluation.json").read_text())
    assert render(document) == (tmp_path / "report.html").read_text()
    assert render_statement(document) == (tmp_path / "impact-statement.html").read_text()


def test_no_count_of_a_handful_reaches_the_statement(people: Evaluation, tmp_path: Path) -> None:
    publish.save(people, tmp_path)
    document = json.loads((tmp_path / "evaluation.json").read_text())
    counts = [value for value in document["data"]["counts"].values() if value]
    assert counts and all(value % 5 == 0 for value in counts)


def test_places_are_given_no_statement_and_an_earlier_one_goes(
    people: Evaluation, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    publish.save(people, tmp_path)
    assert (tmp_path / "impact-statement.html").exists()
    publish.save(evaluate(study_in(tmp_path_factory.mktemp("study"))), tmp_path)
    assert not (tmp_path / "impact-statement.html").exists()
    assert (tmp_path / "report.html").exists()
