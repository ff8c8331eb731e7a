"""A study of places from its file to its value: what is counted, what is not worked out, what is released."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_evaluation import PANEL_STUDY, panel_table, study_in
from ucimpact.disclosure import release
from ucimpact.errors import UsageError
from ucimpact.evaluation import Evaluation, evaluate

VALUE = 'value = { capacity = "bed-day", capacity_per_event = 6, economic = "non-elective-admission" }'
COST = """
[cost]
fixed = 20000
per_person = 100
people = 400
price_year = "2024/25"
[decision]
another_year_costs = 5000
"""
VALUED = PANEL_STUDY.replace("worthwhile = -0.05", f"worthwhile = -0.05\n{VALUE}") + COST


def evaluated(path: Path, text: str = VALUED) -> Evaluation:
    return evaluate(study_in(path, text, panel_table(pilots=6)))


def test_the_value_is_the_number_avoided_at_the_price_of_one(tmp_path: Path) -> None:
    made = evaluated(tmp_path)
    assert made.valuation is not None and made.primary.estimate is not None
    total = made.primary.estimate.effect("cumulative")
    shown = made.valuation["columns"]["economic"]
    assert shown["value"] == pytest.approx(-2711 * total["estimate"])
    assert shown["low"] == pytest.approx(-2711 * total["conf_high"], rel=1e-6)
    assert shown["high"] == pytest.approx(-2711 * total["conf_low"], rel=1e-6)
    assert made.valuation["cost"]["total"] == 20_000 + 100 * 400
    assert made.valuation["columns"]["economic"]["per_person"] == pytest.approx(shown["value"] / 400)
    assert made.decision["price"] == 150.0
    assert made.study["unused"] == []


def test_a_figure_that_does_not_add_up_has_no_value(tmp_path: Path) -> None:
    text = VALUED.replace('kind = "count"', 'kind = "count"\neach = "on an average day"')
    made = evaluated(tmp_path, text)
    assert made.valuation is not None
    assert made.valuation["columns"] == {}
    assert "on an average day" in made.valuation["not_worked_out"]
    assert made.valuation["cost"]["total"] == 60_000
    assert made.decision["verdict"].startswith("Cannot say yet")


def test_an_analysis_of_ratios_has_no_value(tmp_path: Path) -> None:
    made = evaluated(tmp_path, VALUED.replace('name = "did"', 'name = "did"\nlog = true'))
    assert made.valuation is not None
    assert made.valuation["not_worked_out"] == "an analysis of ratios gives no numbers avoided"


def test_a_total_is_not_worked_out_without_one_of_its_parts(tmp_path: Path) -> None:
    other = f'[[outcome]]\ncolumn = "people"\nlabel = "People listed"\nkind = "score"\n{VALUE}\n[method]'
    made = evaluated(tmp_path, VALUED.replace("[method]", other))
    assert made.valuation is not None
    assert made.valuation["columns"] == {} and "People listed: " in made.valuation["not_worked_out"]


def test_a_year_without_an_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2014/15 to 2024/25"):
        evaluated(tmp_path, VALUED.replace('price_year = "2024/25"', 'price_year = "2026/27"'))


def test_numbers_of_events_leave_rounded_and_pounds_as_they_are(tmp_path: Path) -> None:
    made = evaluated(tmp_path, VALUED.replace('profile = "none"', 'profile = "hes2018"'))
    released = release(made).valuation
    assert made.valuation is not None and released is not None
    row = released["outcomes"][0]
    shown = [row[name] for name in ("change", "low", "high") if row[name] is not None]
    assert all(value % 5 == 0 for value in shown)
    assert released["columns"] == made.valuation["columns"]
