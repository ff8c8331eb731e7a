"""The gate for identifiable data: a column of NHS numbers is refused before anything else is done.

An NHS number has ten digits; the last is a check digit (modulus 11). Of ten digits taken at random
one in eleven passes, so a column in which nine of ten values pass holds NHS numbers, whatever its
name is. The refusal never shows a value.

References
----------
.. [1] NHS Data Dictionary, attribute *NHS NUMBER*: the modulus 11 check digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ucimpact.errors import DataError, Problem

REFUSED_SHARE = 0.9
"""Share of a column's non-empty values that pass the check, from which the column is refused."""

AT_ONCE = 10_000
"""Cells looked at before asking whether so many can still pass."""

_SCIENTIFIC = re.compile(r"[0-9]\.[0-9]{1,9}[eE]\+?0?9")
_NOUGHTS = re.compile(r"\.0+$")
_SEPARATORS = str.maketrans("", "", " -\u00a0\u2010\u2011\u2013")


def is_nhs_number(value: object) -> bool:
    """Whether a cell reads as an NHS number: ten digits with a right check digit.

    Spaces and dashes are allowed between the digits; a spreadsheet's ``9434765919.0``, ``9.434765919E+9``
    and ``'9434765919`` count.
    """
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")) or value != int(value):
            return False
        value = int(value)
    digits = str(value)
    if len(digits) < 10:
        return False
    digits = digits.strip().lstrip("'")
    if _SCIENTIFIC.fullmatch(digits):
        digits = f"{float(digits):.0f}"
    digits = _NOUGHTS.sub("", digits.translate(_SEPARATORS))
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False))
    check = 11 - total % 11
    return (0 if check == 11 else check) == int(digits[9])


def holds_nhs_numbers(cells: Iterable[Any]) -> bool:
    """Whether 90% or more of the non-empty cells pass the check."""
    filled = [cell for cell in cells if not (cell is None or cell == "" or cell != cell)]
    if not filled:
        return False
    least, passed = REFUSED_SHARE * len(filled), 0
    for at in range(0, len(filled), AT_ONCE):
        passed += sum(map(is_nhs_number, filled[at : at + AT_ONCE]))
        if passed + max(len(filled) - at - AT_ONCE, 0) < least:
            return False
    return True


def refuse_nhs_numbers(columns: Mapping[str, Sequence[Any]], *, file: str) -> None:
    """Refuse a table in which any column, used or not, holds NHS numbers.

    Raises
    ------
    DataError
        Naming each such column and no value.
    """
    found = [
        Problem(
            "the values look like NHS numbers (ten digits with a right check digit)",
            "Take the column out of the file, or put other numbers in its place, before using it here",
            file=file,
            column="(its name is a number too)" if is_nhs_number(name) else name,
        )
        for name, cells in columns.items()
        if holds_nhs_numbers(cells)
    ]
    if found:
        raise DataError(found)
