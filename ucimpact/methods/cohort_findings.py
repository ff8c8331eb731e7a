"""What every comparison of people refuses of the columns named, and of how many stand beside each."""

from __future__ import annotations

from collections.abc import Callable, Container

import numpy as np

from ucimpact.errors import DataError
from ucimpact.methods.design_finding import Finding

MANY_TO_ONE = 3
"""More comparison people each are ever less alike: 1:10 was 2% out where 1:3 was not."""

INFINITE = "an infinite number"
"""What is said of a cell that is a number without end."""


def nothing_named(what: str, way_out: str) -> Finding:
    """Nobody can be made alike in nothing; ``what`` says who should be."""
    return Finding("refuse", f"nothing is named {what} should be alike", way_out)


def number_findings(
    name: str, values: Callable[[str], np.ndarray], columns: Container[str], alike: str
) -> list[Finding]:
    """Whether a covariate is a column of numbers that differ.

    Parameters
    ----------
    name : str
    values : callable
        The numbers of a column.
    columns : container of str
        Those that there are; what is said of an absent one is passed on.
    alike : str
        What can be done with a column of words instead, "match on it exactly".
    """
    try:
        found = values(name)
    except DataError as error:
        if name not in columns:
            raise
        if all(problem.what == INFINITE for problem in error.problems):
            text = f"`{name}` is not finite in {_rows(len(error.problems))}, and a covariate is a number"
            return [Finding("refuse", text, "Write the number, or leave the cell empty if it is not known")]
        text = f"`{name}` holds words, and a covariate is a number"
        way_out = f'Make a column of 1 and 0 for each kind, or {alike}: exact = ["{name}"]'
        return [Finding("refuse", text, way_out)]
    known = found[np.isfinite(found)]
    if not known.size or known.min() == known.max():
        return [Finding("refuse", f"`{name}` is the same for everybody or empty", "Leave it out")]
    return []


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"


def many_to_one(ratio: float, who: str, note: str = "") -> list[Finding]:
    """More comparison people each than are alike; ``who`` is sought, and for whom."""
    if ratio <= MANY_TO_ONE:
        return []
    text = f"{ratio:g} comparison {who}: the later are less alike{note}"
    return [Finding("warn", text, f"Compare ratio = {MANY_TO_ONE} or fewer")]
