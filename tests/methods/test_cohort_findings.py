"""What every comparison of people says of a covariate that is no column of numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.people_columns import numbers_unseen
from ucimpact.methods.cohort_findings import number_findings


def said(cells: list[object]) -> str:
    table = pd.DataFrame({"age": cells})
    found = number_findings("age", lambda name: numbers_unseen(table, name), table.columns, "match on it")
    return " ".join(map(str, found))


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([70.0, np.inf, 81.0], "`age` is not finite in 1 row, and a covariate is a number. Write the number"),
        ([70.0, -np.inf, np.inf], "is not finite in 2 rows"),
        (["old", "young", "old"], "`age` holds words"),
        (["old", np.inf, 3.0], "`age` holds words"),
        ([70.0, 70.0, None], "same for everybody"),
    ],
)
def test_words_and_numbers_without_end_are_told_apart(cells: list[object], told: str) -> None:
    assert told in said(cells)


def test_numbers_that_differ_need_no_word() -> None:
    assert said([70.0, 81.0, None]) == ""
