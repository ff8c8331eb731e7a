"""A pilot of every shape, from a study file to a page: what was seen less what was expected is the effect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.test_evaluation import SERIES_STUDY, long_series, study_in
from ucimpact.evaluation import evaluate
from ucimpact.methods.series_changes import SHAPES
from ucimpact.report.render import render

MORE = {"temporary": "\nuntil = 2014-03-01", "ramp": "\nphase_in = 4"}
MONTHS = pd.date_range("2005-04-01", periods=168, freq="MS").strftime("%Y-%m")


def told(text: str) -> str:
    return SERIES_STUDY.replace('name = "its"', f'name = "its"\n{text}')


@pytest.mark.parametrize("shape", SHAPES)
def test_the_numbers_of_each_shape_hang_together(tmp_path: Path, shape: str) -> None:
    study = study_in(tmp_path, told(f'shape = "{shape}"{MORE.get(shape, "")}'), long_series())
    evaluation = evaluate(study)
    found = evaluation.finding
    assert found["est"] == pytest.approx(
        found["observed"] - found["expected"], abs=0.1 * abs(found["hi"] - found["lo"])
    )
    if shape == "pulse":
        april = long_series().set_index("month")["admissions"]["2013-04"]
        assert found["observed"] == april and found["est"] == pytest.approx(
            found["observed"] - found["expected"]
        )
    if shape == "temporary":
        year = long_series().set_index("month")["admissions"]["2013-04":"2014-03"]
        assert found["observed"] == pytest.approx(year.mean())
    page = render(evaluation.to_dict())
    assert "nan" not in str(found["sentences"]) and "</html>" in page


@pytest.mark.parametrize("name", ["its", "count-its"])
@pytest.mark.parametrize(
    ("shape", "span", "when"),
    [
        ("pulse", slice("2013-04", "2013-04"), "in April 2013"),
        ("temporary", slice("2013-04", "2014-03"), "a month from April 2013 to March 2014"),
    ],
)
def test_a_change_that_does_not_last_is_told_with_its_time(
    tmp_path: Path, name: str, shape: str, span: slice, when: str
) -> None:
    """ "824 events a month" would be read as every month since the start."""
    text = told(f'shape = "{shape}"{MORE.get(shape, "")}').replace('name = "its"', f'name = "{name}"')
    found = evaluate(study_in(tmp_path, text, long_series())).finding
    seen = long_series().set_index("month")["admissions"][span]
    assert found["per"] == when and f"admissions {when}" in found["sentences"]["lead"]
    assert found["time"] == when.removeprefix("a month ")
    assert found["observed"] == pytest.approx(seen.mean())
    assert "April" not in found["chart_per"]


def test_a_change_that_stays_has_no_time_of_its_own(tmp_path: Path) -> None:
    found = evaluate(study_in(tmp_path, told('shape = "level"'), long_series())).finding
    assert found["per"] == "a month" and found["time"] == "over the pilot so far"


def test_another_change_of_the_study_file_is_taken_out(tmp_path: Path) -> None:
    """Admissions are counted in another way from April 2012: 150 more a month, a year before the pilot."""
    table = long_series()
    table["admissions"] += np.where(MONTHS >= "2012-04", 150, 0)
    table["counted"] = np.where(MONTHS >= "2012-04", "new", "old")
    tables = '\n\n[[method.changes]]\nname = "new coding"\nstart = 2012-04-01\nshape = "level"\n'
    text = told('season = "none"' + tables).replace(
        "start = 2013-04-01", 'start = 2013-04-01\ndefinition = "counted"'
    )
    taken = evaluate(study_in(tmp_path, text, table)).finding
    plain = evaluate(study_in(tmp_path, told('season = "none"' + tables), long_series())).finding
    assert taken["est"] == pytest.approx(plain["est"])
    assert taken["expected"] == pytest.approx(plain["expected"] + 150)
