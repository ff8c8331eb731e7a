"""Values of people are planted in a file, and everything that check and run write is searched for them.

Written means: both streams, every file of the report, logs, warnings, and the traceback that --debug
shows. Numbers of people are searched for too where one person's number is like no other.
"""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.small_study import PANEL, VISITS, panel_table
from ucimpact import cli

PEOPLE = 240
MARKS = ("Zebedee", "Quillfeather", "Hollyhock", "ZQ9", "Brontosaurus", "48213", "48,213", "19.31", "731")
"""Parts of the planted values; none is a word or a number of any report of these studies."""
BORN = ("17/03/1931", "1931-03-17", "17 March 1931")

COHORT = (
    VISITS
    + """pilot = "supported"
index_date = "discharged"
service_start = "first_visit"
follow_up = "days"
follow_up_days = 90
before_days = 90
chosen = { column = "admissions_before", at_least = 1 }

[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"
before = "admissions_before"
primary = true

[[outcome]]
column = "pounds"
label = "Cost of care"
kind = "cost"

[[outcome]]
column = "died"
label = "Deaths"
kind = "binary"
negative_control = true

[method]
name = "matched-cohort"
exact = ["sex"]
covariates = ["age", "alone", "admissions_before"]
"""
)
OWN_CLIENTS = COHORT.replace('pilot = "supported"\n', "").replace('service_start = "first_visit"\n', "")
OWN_CLIENTS = OWN_CLIENTS[: OWN_CLIENTS.index('[[outcome]]\ncolumn = "pounds"')] + (
    '[method]\nname = "before-after"\n'
)
PANEL_OF_PEOPLE = PANEL.replace('kind = "panel"', 'kind = "panel"\nrows = "people"')


def people() -> pd.DataFrame:
    """A list of people: what a study uses, what it does not, and one person unlike the rest."""
    rng = np.random.default_rng(11)
    n, k = PEOPLE, np.arange(PEOPLE)
    day = pd.Timestamp("2025-04-02") + pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    supported = k % 3 == 0
    table = pd.DataFrame(
        {
            "client": [f"Zebedee-{at:03d}" for at in k],
            "name": [f"Zebedee Quillfeather {at}" for at in k],
            "postcode": [f"ZQ9 {at % 10}XX" for at in k],
            "born": ["17/03/1931"] * n,
            "notes": ["Fell at Hollyhock Cottage; keeps a Brontosaurus"] * n,
            "supported": np.where(supported, "Yes", "No"),
            "discharged": day.strftime("%d/%m/%Y"),
            "first_visit": np.where(supported, day.strftime("%d/%m/%Y"), ""),
            "days": rng.choice([90, 90, 90, 41], n),
            "admissions_before": rng.integers(1, 4, n),
            "admissions": rng.poisson(np.where(supported, 0.6, 0.9)),
            "pounds": np.round(rng.gamma(1.0, 900.0, n), 2),
            "died": np.where(rng.random(n) < 0.2, "yes", "no"),
            "sex": rng.choice(["F", "M"], n),
            "age": rng.integers(65, 95, n),
            "alone": rng.choice(["Y", "N"], n),
        }
    ).astype(object)
    table.loc[50, "pounds"] = 48213.77
    return table


def panel_of_people() -> pd.DataFrame:
    """The small panel with people for its units, and one number unlike the rest."""
    table = panel_table(pilots=9, units=24).astype(object)
    table["practice"] = "Zebedee " + table["practice"].astype(str)
    table["name"] = "Quillfeather"
    table.loc[20, "admissions"] = "731"
    return table


STUDIES = {
    "cohort": (COHORT, people, "people.csv"),
    "own clients": (OWN_CLIENTS, people, "people.csv"),
    "panel of people": (PANEL_OF_PEOPLE, panel_of_people, "practices.csv"),
}


def laid_out(folder: Path, kind: str, table: pd.DataFrame | str | bytes) -> Path:
    text, _, name = STUDIES[kind]
    if isinstance(table, pd.DataFrame):
        table = table.to_csv(index=False)
    (folder / name).write_bytes(table.encode() if isinstance(table, str) else table)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder / "study.toml"


def all_written(
    folder: Path, path: Path, caplog: pytest.LogCaptureFixture, *options: str
) -> tuple[str, set[int]]:
    """What check and run say, and every file that run writes, as one text; and their codes."""
    said, codes = [], set()
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        for words in (["check", str(path)], ["run", str(path), "--out", str(folder / "out")]):
            done = CliRunner().invoke(cli.app, [*options, *words])
            said += [done.stdout, done.stderr, repr(done.exception)]
            codes.add(done.exit_code)
    said += [str(warning.message) for warning in warned] + [caplog.text]
    files = [file for file in (folder / "out").rglob("*") if file.is_file()]
    said += [file.read_text(encoding="utf-8", errors="replace") for file in files]
    said += [str(file) for file in files]
    return "\n".join(said), codes


def without_hashes(text: str) -> str:
    """A fingerprint of 64 letters and digits may hold any three of them; so may a drawing's coordinates."""
    text = re.sub(r"[0-9a-f]{40,}", "", text)
    return re.sub(r"<svg.*?</svg>|<path [^>]*>", lambda svg: _words(svg[0]), text, flags=re.DOTALL)


def _words(svg: str) -> str:
    return " ".join(re.findall(r">([^<]+)<", svg))


def found(text: str, marks: tuple[str, ...]) -> list[str]:
    """The marks that stand in a text, a number only where it is not part of a longer one."""
    text = without_hashes(text)
    return [
        mark
        for mark in marks
        if re.search(
            rf"(?<![0-9.]){re.escape(mark)}(?![0-9])" if mark[0].isdigit() else re.escape(mark), text
        )
    ]


@pytest.mark.parametrize("kind", STUDIES)
def test_nothing_that_is_written_holds_a_value_of_a_person(kind, tmp_path, caplog):
    text, codes = all_written(tmp_path, laid_out(tmp_path, kind, STUDIES[kind][1]()), caplog)
    assert codes == {0}, text[:3000]
    assert "person" in text
    assert found(text, MARKS + BORN) == []


@pytest.mark.parametrize("kind", [kind for kind in STUDIES if "discharged" in STUDIES[kind][1]()])
def test_no_date_of_a_person_is_written(kind, tmp_path, caplog):
    """A panel has months, and no days of people."""
    table = STUDIES[kind][1]()
    text, _ = all_written(tmp_path, laid_out(tmp_path, kind, table), caplog)
    days = pd.to_datetime(table["discharged"], format="%d/%m/%Y").unique()
    between = sorted(days)[1:-1]  # the first and the last day may be the window of the report
    forms = ("%d/%m/%Y", "%Y-%m-%d")
    assert not [day for day in between for form in forms if pd.Timestamp(day).strftime(form) in text]


SPOILT = (
    "Zebedee",
    "Quillfeather 19.31",
    "-731",
    "£48,213 Hollyhock",
    "17/03/1931",
    "ZQ9",
    "<731",
    "731%",
    "31/02/1931",
)


@pytest.mark.parametrize("kind", STUDIES)
@pytest.mark.parametrize("value", SPOILT)
def test_a_problem_names_the_row_and_not_the_value(kind, value, tmp_path, caplog):
    table = STUDIES[kind][1]().drop(columns="name")
    used = [column for column in table if f'"{column}"' in STUDIES[kind][0]]
    for at, column in enumerate(used):
        table.loc[7 + at, column] = value
        table.loc[17 + at, column] = value
    text, codes = all_written(tmp_path, laid_out(tmp_path, kind, table), caplog)
    assert codes == {3}
    assert "row 1" in text
    assert found(text, (*MARKS, *BORN, value)) == []


BROKEN = {
    "no header": lambda text: text.split("\n", 1)[1],
    "a row too long": lambda text: text.replace("Zebedee-100,", "Zebedee-100,Hollyhock,", 1),
    "a quotation mark left open": lambda text: text.replace("Zebedee-100", '"Zebedee-100', 1),
    "a person twice": lambda text: text + text.split("\n")[5] + "\n",
    "a name instead of a number of days": lambda text: text.replace("days", "dayz", 1),
    "half a file": lambda text: text[: len(text) // 2],
    "one person": lambda text: "\n".join(text.split("\n")[:2]),
    "nobody in the window": lambda text: text.replace("/2025", "/1931"),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("kind", ["cohort", "own clients"])
def test_a_broken_file_of_people_is_refused_without_a_value(kind, broken, tmp_path, caplog):
    content = BROKEN[broken](people().to_csv(index=False))
    text, _ = all_written(tmp_path, laid_out(tmp_path, kind, content), caplog)
    assert found(text, MARKS + BORN) == []


def test_a_sheet_of_people_is_refused_without_a_value(tmp_path, caplog):
    book = openpyxl.Workbook()
    book.active.append(["Clients of Zebedee Quillfeather"])
    table = people()
    table.loc[60, "days"] = "Hollyhock"
    for row in [list(table), *table.to_numpy().tolist()]:
        book.active.append(row)
    book.save(tmp_path / "people.xlsx")
    (tmp_path / "study.toml").write_text(COHORT.replace("people.csv", "people.xlsx"), encoding="utf-8")
    text, codes = all_written(tmp_path, tmp_path / "study.toml", caplog)
    assert codes == {3}
    assert "row 63" in text
    assert found(text, MARKS + BORN) == []


@pytest.mark.parametrize("kind", ["cohort", "panel of people"])
def test_an_error_of_ours_holds_no_value_either(kind, tmp_path, caplog, monkeypatch):
    """ "could not convert string to float: 'Zebedee'" is what a language says of an error of ours."""

    def fails(*_: object, **__: object) -> None:
        try:
            float("Zebedee Quillfeather")
        except ValueError as error:
            raise KeyError("48213.77") from error

    monkeypatch.setattr("ucimpact.study.read_records", fails)
    path = laid_out(tmp_path, kind, STUDIES[kind][1]())
    text, codes = all_written(tmp_path, path, caplog, "--debug")
    assert 1 in codes
    assert "Traceback" in text
    assert "KeyError" in text
    said = text.replace('float("Zebedee Quillfeather")', "").replace('raise KeyError("48213.77")', "")
    assert found(said, MARKS) == []


def test_what_is_searched_for_would_be_found():
    assert found("row 3: Zebedee", MARKS) == ["Zebedee"]
    assert found("£48,213.77 and 731, not 97310", MARKS) == ["48,213", "731"]
    assert found("0" * 40 + "731" + "f" * 20, MARKS) == []
