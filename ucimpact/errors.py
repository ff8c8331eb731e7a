"""One family of errors; each says what is wrong and the way out.

A :class:`DataError` carries every problem found, so that a person mends a file once and not
problem by problem. Messages about rows that are people never hold a value: say so with
``Problem(value=None)``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SHOWN_PER_KIND = 5
"""Problems of one kind (one column, one way out) printed in full; the rest are counted."""


class ImpactError(Exception):
    """Base of all errors that ucimpact raises on purpose.

    ``parts`` are the things that are wrong, one by one, where the message strings several together.
    """

    exit_code = 1

    def __init__(self, message: str = "", *, parts: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.parts = tuple(parts) or (message,)


class UsageError(ImpactError):
    """The command, the study file or an argument does not say something we understand."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the data, and what to do about it."""

    what: str
    do: str = ""
    file: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        where = [f"row {self.row}" if self.row is not None else ""]
        where.append(f"column `{self.column}`" if self.column is not None else "")
        place = ", ".join(part for part in where if part)
        shown = f" (found {self.value!r})" if self.value is not None else ""
        head = f"{place}: {self.what}{shown}" if place else f"{self.what}{shown}"
        return f"{head}. {self.do}" if self.do else head


class DataError(ImpactError):
    """The data cannot be used as they are. ``problems`` lists everything found."""

    exit_code = 3

    def __init__(self, problems: Problem | str | Iterable[Problem], *, source: str | None = None):
        if isinstance(problems, str):
            problems = Problem(problems)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems = tuple(problems)
        self.source = source or next((p.file for p in self.problems if p.file), None)
        super().__init__(self._message())

    def _message(self) -> str:
        number = len(self.problems)
        where = f" in {self.source}" if self.source else ""
        lines = [f"{number} problem{'s' if number != 1 else ''}{where}"]
        seen: dict[tuple[str | None, str], int] = {}
        for problem in self.problems:
            kind = (problem.column, problem.do or problem.what)
            seen[kind] = seen.get(kind, 0) + 1
            if seen[kind] <= SHOWN_PER_KIND:
                lines.append(f"  {problem}")
        for (column, _), count in seen.items():
            if count > SHOWN_PER_KIND:
                named = f" in column `{column}`" if column else ""
                lines.append(f"  and {count - SHOWN_PER_KIND} more like these{named}")
        return "\n".join(lines)


class DesignError(ImpactError):
    """These data cannot answer the question by this method; the message names what could."""

    exit_code = 4


class EstimationError(ImpactError):
    """The arithmetic did not reach an answer that can be trusted."""

    exit_code = 4


class DisclosureError(ImpactError):
    """Releasing this would tell too much about too few people."""

    exit_code = 5
