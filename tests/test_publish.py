"""Files are written whole or not at all, from the document alone, and a spreadsheet runs none of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_evaluation import PANEL_STUDY, panel_table, study_in
from ucimpact import publish
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.report.effect_units import unit_of
from ucimpact.report.render import pages, render
from ucimpact.report.tables import csv_text


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return evaluate(study_in(tmp_path_factory.mktemp("study")))


def test_every_file_is_there(evaluation: Evaluation, tmp_path: Path) -> None:
    written = publish.save(evaluation, tmp_path / "out")
    names = {path.relative_to(tmp_path / "out").as_posix() for path in written}
    assert written[0].name == "report.html"
    assert names >= {
        "report.html",
        "board.html",
        "impact-statement.html",
        "appendix.html",
        "evaluation.json",
        "disclosure_log.json",
        "tables/effects.csv",
        "tables/observed_expected.csv",
        "tables/checks.csv",
    }
    assert all(path.stat().st_size for path in written)


def test_the_report_is_made_from_the_document_alone(evaluation: Evaluation, tmp_path: Path) -> None:
    publish.save(evaluation, tmp_path)
    document = json.loads((tmp_path / "evaluation.json").read_text())
    for name, text in pages(document).items():
        assert text == (tmp_path / name).read_text()
    assert render(document) == (tmp_path / "appendix.html").read_text()
    assert Evaluation.from_dict(document).to_dict() == document


def test_what_only_some_runs_write_goes_with_a_run_that_does_not(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    publish.save(evaluation, tmp_path, word=True)
    (tmp_path / "tables" / "left_out.csv").write_text("of an earlier run")
    assert (tmp_path / "report.docx").exists()
    publish.save(evaluation, tmp_path)
    assert not (tmp_path / "report.docx").exists()
    assert not (tmp_path / "tables" / "left_out.csv").exists()


def test_a_failed_run_leaves_what_was_there(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.html").write_text("before")
    (tmp_path / "mine.txt").write_text("mine")

    def broken(*_: object) -> str:
        raise RuntimeError("no ink")

    monkeypatch.setattr("ucimpact.report.render.pages", broken)
    with pytest.raises(RuntimeError, match="no ink"):
        publish.save(evaluation, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.txt", "report.html"]
    assert (tmp_path / "report.html").read_text() == "before"


def test_a_second_run_replaces_the_first_and_nothing_else(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    first = publish.save(evaluation, tmp_path)
    second = publish.save(evaluation, tmp_path)
    assert first == second and (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@cmd", "  =1", "\t=1", "＝1"])
def test_a_cell_that_would_run_is_disarmed(text: str) -> None:
    line = csv_text([{"name": text}]).split("\n", 1)[1]
    assert line.strip('"').startswith("'")


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    assert csv_text([{"a": -5.5, "b": None}]) == "a,b\n-5.5,\n"


def test_hostile_column_names_arrive_escaped(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    table = panel_table().rename(columns={"admissions": name})
    text = PANEL_STUDY.replace('column = "admissions"', f'column = "{name}"').replace(
        'label = "Emergency admissions"', f'label = "{name}"'
    )
    publish.save(evaluate(study_in(tmp_path, text, table)), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page


def test_effects_carry_the_outcome_and_the_unit_of_each_number(evaluation: Evaluation) -> None:
    rows = publish.tables(evaluation.to_dict())["effects"]
    main = {row["term"]: row for row in rows if row["role"] == "primary"}
    assert {row["outcome"] for row in main.values()} == {evaluation.finding["label"]}
    units = {term: main[term]["unit"] for term in ("att", "cumulative", "relative")}
    assert units == {
        "att": "per 1,000 people a month",
        "cumulative": "events",
        "relative": "share of what was expected",
    }
    assert list(rows[0])[:5] == ["analysis", "role", "outcome", "term", "unit"]
    assert all(row["unit"] for row in rows)


@pytest.mark.parametrize(
    ("kind", "outcome", "per", "data", "term", "unit"),
    [
        ("count", "visits", 10_000.0, "panel", "att", "per 10,000 people a month"),
        ("cost", "cost per 1,000", None, "panel", "att", "pounds per 1,000 people a month"),
        ("cost", "cost", None, "panel", "cumulative", "pounds"),
        ("score", "wellbeing", None, "panel", "att", "points a ward and month"),
        ("count", "visits", None, "series", "att", "events a month"),
        ("count", "visits", None, "panel", "rate_ratio", "ratio"),
        ("binary", "died", None, "cohort", "att", "share of people"),
        ("binary", "died", None, "cohort", "cumulative", "people"),
        ("count", "visits", None, "cohort", "rate_difference", "events per 1,000 people a year"),
    ],
)
def test_the_unit_of_a_number_goes_by_what_was_counted(
    kind: str, outcome: str, per: float | None, data: str, term: str, unit: str
) -> None:
    entry = {"role": "primary", "kind": kind, "outcome": outcome, "extras": {"per": per}}
    about = {"kind": data, "frequency": "month", "unit_noun": "ward"}
    assert unit_of(entry, {"term": term}, {"estimates": [entry], "data": about}) == unit


def test_counts_are_whole_numbers(evaluation: Evaluation) -> None:
    rows = publish.tables(evaluation.to_dict())["observed_expected"]
    assert rows and all(isinstance(row["events"], int) for row in rows)
