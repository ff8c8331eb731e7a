"""The examples are what they say: the draw of their seed, tidy or messy."""

import make_examples
import numpy as np
import pytest
from workbooks import members

from ucimpact.study import read_records, read_study


@pytest.mark.parametrize("name", make_examples.MADE)
def test_an_example_is_the_draw_of_its_seed(name):
    for file, text in make_examples.texts(name).items():
        assert (make_examples.EXAMPLES / name / file).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", [*make_examples.PEOPLE, *make_examples.HISTORIES])
def test_a_workbook_is_the_draw_of_its_seed(name):
    for file, body in make_examples.books(name).items():
        shipped = (make_examples.EXAMPLES / name / file).read_bytes()
        assert members(shipped) == members(body)  # packed as hard as the machine likes


@pytest.mark.parametrize("name", make_examples.PEOPLE)
def test_a_messy_workbook_is_read_as_the_tidy_table_it_was_made_from(name):
    study = read_study(make_examples.EXAMPLES / name / "study.toml")
    records = read_records(study)
    design, _ = make_examples.PEOPLE[name]
    tidy = design.draw(make_examples.SEEDS[name]).table
    assert records.data.counts()["rows"] == len(tidy)
    columns = [o.column for o in study.outcomes] + [o.before for o in study.outcomes if o.before]
    for column in (*columns, *study.covariates, study.data.follow_up):
        np.testing.assert_allclose(records.data.values(column), tidy[column].to_numpy(float), err_msg=column)
    read = records.data.table[study.data.index_date].to_numpy("datetime64[D]")
    assert (read == tidy[study.data.index_date].to_numpy("datetime64[D]")).all()
    assert sum(row["n"] for row in records.left_out) == 1  # the row of totals


@pytest.mark.parametrize("name", make_examples.HISTORIES)
def test_histories_are_read_as_the_tidy_tables_they_were_made_from(name):
    study = read_study(make_examples.EXAMPLES / name / "study.toml")
    records = read_records(study)
    design, file = make_examples.HISTORIES[name]
    made = design.draw(make_examples.SEEDS[name])
    read = records.data
    assert read.counts() == {"people": len(made.table), "events": len(made.events), "served": made.visited}
    for column in study.covariates:
        np.testing.assert_allclose(read.values(column), made.table[column].to_numpy(float), err_msg=column)
    days = (
        made.table[column].to_numpy("datetime64[D]").astype(float)
        for column in ("First visit", "Died", "Left")
    )
    for read_days, told in zip((read.start, read.death, read.leave), days, strict=True):
        np.testing.assert_array_equal(read_days, np.where(told < -1e6, np.nan, told))
    assert sum(row["n"] for row in records.left_out) == file.endswith(".xlsx")  # the row of totals


@pytest.mark.parametrize("name", make_examples.MADE)
def test_a_readme_of_an_example_has_ten_lines(name):
    assert len((make_examples.EXAMPLES / name / "README.md").read_text().splitlines()) == 10
