"""One SELECT reads the study's folders, and nothing gets out of them or into them."""

from pathlib import Path

import pandas as pd
import pytest

from ucimpact.data.query import files_named, locked, select
from ucimpact.errors import DataError, UsageError


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "study"
    (folder / "more").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "study2").mkdir()
    for place in ("study/a.csv", "study/more/b.csv", "other/o.csv", "study2/s.csv"):
        (tmp_path / place).write_text("unit,n\nx,1\ny,2\n")
    return folder


def run(sql, study, folders=(), **options):
    return select(sql, folder=study, folders=list(folders), name="weekly.sql", **options)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT unit, n FROM 'a.csv'",
        "select unit, n from read_csv('a.csv');",
        "FROM 'more/b.csv'",
        "-- why\nWITH x AS (SELECT * FROM 'a.csv') SELECT unit, n FROM x -- and how",
    ],
)
def test_files_of_the_study_are_read_by_the_names_they_have_there(study, sql):
    assert run(sql, study) == (["unit", "n"], [("x", 1), ("y", 2)])


def test_a_folder_that_the_study_names_may_be_read_and_no_other(study):
    other = study.parent / "other"
    assert run("FROM '../other/o.csv'", study, [other])[1] == [("x", 1), ("y", 2)]
    assert run(f"FROM '{other.as_posix()}/o.csv'", study, [other])[1] == [("x", 1), ("y", 2)]
    with pytest.raises(DataError, match=r"may not read .*o\.csv.*folders in|may not read .*o\.csv"):
        run(f"FROM '{other.as_posix()}/o.csv'", study)


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_text('/etc/passwd')",
        "FROM read_csv('/etc/passwd')",
        "FROM read_blob('/etc/passwd')",
        "FROM '/etc/passwd'",
        "FROM read_text('../../../../../../../../etc/passwd')",
        "FROM '../study2/s.csv'",
        "FROM glob('/etc/*')",
        "FROM glob('../*')",
        "FROM read_csv('https://example.org/x.csv')",
        "FROM read_text('link.csv')",
        "FROM query('COPY (SELECT 1) TO ''out.csv''')",
        "SELECT getenv('HOME')",
        "FROM sqlite_scan('a.csv', 'x')",
    ],
)
def test_nothing_outside_is_read(study, sql):
    (study / "link.csv").symlink_to("/etc/passwd")
    before = sorted(study.parent.rglob("*"))
    with pytest.raises((DataError, UsageError)) as caught:
        run(sql, study)
    assert "root:" not in str(caught.value)
    assert sorted(study.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("INSTALL httpfs", "LOAD"),
        ("LOAD httpfs", "LOAD"),
        ("ATTACH 'x.db'", "ATTACH"),
        ("COPY (SELECT 1) TO 'out.csv'", "COPY"),
        ("EXPORT DATABASE 'out'", "EXPORT"),
        ("CREATE TABLE x AS SELECT 1", "CREATE"),
        ("SET enable_external_access = true", "SET"),
        ("PRAGMA version", "PRAGMA"),
        ("SELECT 1; SELECT 2", "SELECT and SELECT"),
        ("SELECT 1; COPY (SELECT 1) TO 'out.csv'", "SELECT and COPY"),
        ("DELETE FROM x", "DELETE"),
        ("-- nothing", "nothing"),
    ],
)
def test_anything_but_one_select_is_refused_before_it_runs(study, sql, kind):
    before = sorted(study.parent.rglob("*"))
    with pytest.raises(UsageError, match=f"must hold one SELECT; it holds {kind}"):
        run(sql, study)
    assert sorted(study.parent.rglob("*")) == before


def test_the_lock_cannot_be_undone_and_holds_without_the_check_on_statements(study):
    import duckdb

    with locked([study]) as connection:
        for sql in (
            "SET enable_external_access = true",
            "SET lock_configuration = false",
            "SET allowed_directories = ['/']",
            "INSTALL httpfs",
            "LOAD httpfs",
            "ATTACH '/tmp/elsewhere.db'",
            "COPY (SELECT 1) TO '/tmp/elsewhere.csv'",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
    assert not Path("/tmp/elsewhere.csv").exists()


def test_variables_of_python_are_not_tables(study):
    import duckdb

    secret = pd.DataFrame({"n": [1]})
    with locked([study]) as connection, pytest.raises(duckdb.Error):
        connection.execute("FROM secret")
    assert len(secret) == 1


def test_sql_that_cannot_be_read_or_run_is_told_in_duckdbs_words(study):
    with pytest.raises(UsageError, match=r"weekly\.sql is not SQL that DuckDB reads: syntax error"):
        run("SELECT FROM WHERE", study)
    with pytest.raises(DataError, match="nothere"):
        run("FROM 'nothere.csv'", study)
    with pytest.raises(DataError, match="x,1"):
        run("SELECT CAST(unit AS INTEGER) FROM 'a.csv'", study)


def test_the_words_of_the_database_are_left_out_where_rows_are_people(study):
    with pytest.raises(DataError) as caught:
        run("SELECT CAST(unit AS INTEGER) FROM 'a.csv'", study, show=False)
    assert "x,1" not in str(caught.value)
    assert "ConversionException" in str(caught.value)


def test_a_folder_with_a_quotation_mark_is_only_a_folder(tmp_path):
    odd = tmp_path / "o'clock [1], LOS (days)"
    odd.mkdir()
    (odd / "a.csv").write_text("n\n1\n2\n")
    assert run("FROM 'a.csv'", odd)[1] == [(1,), (2,)]


def test_the_files_that_a_query_names_are_found_for_their_fingerprints(study):
    other = study.parent / "other"
    sql = (
        f"FROM 'a.csv' JOIN read_csv('*/b.csv') JOIN '{other.as_posix()}/o.csv' WHERE n = 'x' -- 'more/c.csv'"
    )
    named = files_named(sql, study, [other])
    assert [path.name for path in named] == ["a.csv", "b.csv", "o.csv"]
    assert [path.name for path in files_named(sql, study)] == ["a.csv", "b.csv"]
