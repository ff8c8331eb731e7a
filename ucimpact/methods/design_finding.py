"""What a method says about a design before it works anything out.

A method lists everything it found; :func:`enforce` raises the refusals together and keeps the rest,
so that a person meets all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ucimpact.errors import DesignError, UsageError


@dataclass(frozen=True)
class Finding:
    """One thing about a design, and the way out.

    Attributes
    ----------
    level : {"refuse", "warn"}
        Whether the method cannot answer, or can with care.
    text : str
        What was found, with the numbers, without a full stop.
    way_out : str
        What to do about it; empty where a warning says it all.
    """

    level: Literal["refuse", "warn"]
    text: str
    way_out: str = ""

    def __str__(self) -> str:
        text = self.text[:1].upper() + self.text[1:]
        return f"{text}. {self.way_out.rstrip('.')}." if self.way_out else f"{text}."


def enforce(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The warnings as sentences.

    Raises
    ------
    DesignError
        Listing every refusal with its way out.
    """
    found = list(findings)
    refused = [str(finding) for finding in found if finding.level == "refuse"]
    if refused:
        raise DesignError("\n".join(refused))
    return tuple(str(finding) for finding in found if finding.level == "warn")


def need(data: object, kind: type, way: str) -> None:
    """Refuse data of another kind than a method takes, a plain table above all.

    Raises
    ------
    UsageError
        Saying what to give: ``way``, such as "Series(table, start=...)".
    """
    if not isinstance(data, kind):
        noun = kind.__name__.lower()
        raise UsageError(f"a {noun} is needed, found a {type(data).__name__}: give {way}")
