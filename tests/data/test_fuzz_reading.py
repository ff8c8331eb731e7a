"""Files that nobody meant to write: the reader gives a table or one of its own errors, and nothing else.

Bytes at random, files with some bytes changed, text put together from what troubles readers, and
workbooks whose XML was changed inside a zip that is whole. What is read then goes through every reading
of cells. ``FUZZ_SECONDS`` is for the long one.
"""

from __future__ import annotations

import io
import os
import random
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ucimpact.data.cells import read_numbers, yes_no
from ucimpact.data.dates import read_dates
from ucimpact.data.reading import SUFFIXES, Table, read_table
from ucimpact.errors import ImpactError

KINDS = ("count", "cost", "binary", "score", "duration", "population", "weight", "covariate")
SECONDS = float(os.environ.get("FUZZ_SECONDS", "300"))
PIECES = (
    *(
        ",",
        ";",
        "\t",
        "|",
        "\n",
        "\r",
        "\r\n",
        '"',
        '""',
        "'",
        " ",
        "\u00a0",
        "\u200b",
        "\ufeff",
        "\x00",
        "\x1a",
    ),
    *(
        "\x1b[2J",
        "\u202e",
        "\ud7ff",
        "é",
        "٣",
        "²",
        "½",
        "−",
        "–",
        "£",
        "%",
        "(",
        ")",
        "(250)",
        "£1,234.50",
        "-£5",
    ),
    *("17,035", "77.7%", "<5", "*", "-", "..", "n/a", "#N/A", "1e999", "-0", "nan", "inf", "0x10", "1_000"),
    *(
        "31/02/2023",
        "01/01/1900",
        "12/31/2023",
        "2023-04-01",
        "45021",
        "99999",
        "Apr-22",
        "ongoing",
        "9" * 30,
    ),
    *("Total", "Grand total", "England", "Source: x", "EXAMPLE", "month", "unit", "n", "sep=;\n", "=1+1"),
    *("9434765919", "9434765919.0", "yes", "No", "true", "1", "2", "a" * 300),
)
TEXT = "Report\n\nunit,month,n,size\na,01/04/2023,12,400\na,01/05/2023,15,401\nb,01/04/2023,7,250\nTotal,,34,1051\n"


def a_workbook() -> bytes:
    book = openpyxl.Workbook()
    rows = [line.split(",") for line in TEXT.splitlines()]
    for row in rows:
        book.active.append([None if cell == "" else cell for cell in row])
    book.active["F9"] = "=SUM(C4:C6)"
    book.active["E4"] = pd.Timestamp("2023-04-01").to_pydatetime()
    book.active.merge_cells("A1:D1")
    book.create_sheet("more").sheet_state = "hidden"
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def a_parquet() -> bytes:
    kept = io.BytesIO()
    pd.DataFrame({"unit": ["a", None], "n": [1.5, 2], "l": [[1], None]}).to_parquet(kept)
    return kept.getvalue()


WHOLE = {
    ".csv": TEXT.encode(),
    ".tsv": TEXT.replace(",", "\t").encode(),
    ".xlsx": a_workbook(),
    ".parquet": a_parquet(),
}


def changed(content: bytes, random: random.Random, most: int = 8) -> bytes:
    """Bytes changed, taken out, put in, cut off and doubled."""
    made = bytearray(content)
    for _ in range(random.randint(1, most)):
        at = random.randrange(len(made) + 1)
        match random.randrange(6):
            case 0 if made:
                made[at % len(made)] = random.randrange(256)
            case 1:
                del made[at : at + random.randint(1, 20)]
            case 2:
                made[at:at] = random.choice(PIECES).encode()
            case 3:
                made[at:at] = made[at : at + random.randint(1, 40)]
            case 4:
                made[at:at] = str(random.choice((0, -1, 2**31, 2**63, 10**9, 1048576))).encode()
            case 5 if random.random() < 0.1:
                del made[at:]
    return bytes(made)


def with_xml_changed(random: random.Random) -> bytes:
    """A workbook whose parts were changed, in a zip without a fault."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHOLE[".xlsx"])) as whole, zipfile.ZipFile(kept, "w") as made:
        names = whole.namelist()
        spoilt = random.sample(names, random.randint(1, 2))
        for name in names:
            content = whole.read(name)
            made.writestr(name, changed(content, random, 4) if name in spoilt else content)
    return kept.getvalue()


def pieced(random: random.Random) -> bytes:
    text = "".join(random.choice(PIECES) for _ in range(random.randint(0, 120)))
    encoding = random.choice(("utf-8", "utf-16", "utf-16-le", "cp1252", "utf-8-sig", "utf-32"))
    return text.encode(encoding, errors="replace")


def attempt(content: bytes, suffix: str, folder: Path) -> Table | None:
    """Read a file, and each of its columns in every way; what the package refuses is None."""
    path = folder / f"file{suffix}"
    path.write_bytes(content)
    try:
        table = read_table(path)
    except ImpactError as error:
        assert str(error)
        return None
    for cells in table.columns.values():
        assert len(cells) == len(table)
        for kind in KINDS:
            numbers = read_numbers(cells, kind)
            assert len(numbers.values) == len(table)
        days, answers = read_dates(cells), yes_no(cells)
        assert len(days.days) == len(answers.values) == len(table)
        read_dates(cells, "%d/%m/%Y")
    return table


def one(random: random.Random, folder: Path) -> None:
    """One file of one kind."""
    suffix = random.choice(SUFFIXES)
    match random.randrange(4):
        case 0:
            attempt(random.randbytes(random.randint(0, 300)), suffix, folder)
        case 1:
            attempt(changed(WHOLE[suffix], random), suffix, folder)
        case 2:
            attempt(with_xml_changed(random), ".xlsx", folder)
        case 3:
            attempt(pieced(random), random.choice((".csv", ".tsv")), folder)


def test_the_files_that_are_changed_can_be_read(tmp_path):
    for suffix, content in WHOLE.items():
        assert attempt(content, suffix, tmp_path) is not None


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_a_spoilt_file_gives_a_table_or_an_error_of_ours(tmp_path_factory, seed):
    one(random.Random(seed), tmp_path_factory.getbasetemp())


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=6), max_size=12))
def test_any_text_gives_a_table_or_an_error_of_ours(tmp_path_factory, rows):
    content = "\n".join(",".join(row) for row in rows).encode("utf-8", errors="replace")
    attempt(content, ".csv", tmp_path_factory.getbasetemp())


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(max_size=12), st.dates(),
    st.datetimes(), st.times(), st.timedeltas(), st.sampled_from(PIECES), st.just([1]), st.just({"a": 1}),
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(CELLS, max_size=12), st.sampled_from(KINDS))
def test_any_cells_give_numbers_and_days_or_problems(cells, kind):
    numbers, days = read_numbers(cells, kind), read_dates(cells)
    assert len(numbers.values) == len(days.days) == len(cells)
    assert not [
        problem for problem in numbers.problems if numbers.values[problem.at] == numbers.values[problem.at]
    ]


@pytest.mark.slow
def test_five_minutes_of_spoilt_files(tmp_path):
    end, seed = time.monotonic() + SECONDS, random.SystemRandom().randrange(2**32)
    while time.monotonic() < end:
        try:
            one(random.Random(seed), tmp_path)
        except BaseException:
            print(f"the seed is {seed}")
            raise
        seed += 1
