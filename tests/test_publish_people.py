"""A study of people: all its pages from one released document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ucimpact import publish
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.report.render import pages
from ucimpact.study import read_study

EXAMPLE = Path(__file__).parents[1] / "examples" / "befriending" / "study.toml"


@pytest.fixture(scope="module")
def people() -> Evaluation:
    return evaluate(read_study(EXAMPLE))


def test_every_page_is_made_from_the_document_alone(people: Evaluation, tmp_path: Path) -> None:
    written = publish.save(people, tmp_path)
    names = ["report.html", "board.html", "impact-statement.html", "appendix.html"]
    assert [path.name for path in written[:4]] == names
    document = json.loads((tmp_path / "evaluation.json").read_text())
    for name, text in pages(document).items():
        assert text == (tmp_path / name).read_text()


def test_no_count_of_a_handful_reaches_the_statement(people: Evaluation, tmp_path: Path) -> None:
    publish.save(people, tmp_path)
    document = json.loads((tmp_path / "evaluation.json").read_text())
    counts = [value for value in document["data"]["counts"].values() if value]
    assert counts and all(value % 5 == 0 for value in counts)
