"""A check is a question with an answer in words. It never changes an estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ucimpact import serialise

Answer = Literal["holds", "doubtful", "fails", "cannot tell"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question asked of an evaluation.

    Attributes
    ----------
    name : str
        Key, e.g. ``"pre_trend"``; the key checks of the certainty table go by it.
    question, text : str
        What was asked, and what was seen, in plain English.
    answer : str
        ``"holds"``, ``"doubtful"``, ``"fails"`` or ``"cannot tell"``, which is never a pass.
    statistic, p_value : float, optional
    table : list of rows
        The numbers behind the answer.
    counted : bool
        False for a check that is printed and takes no step in the certainty table.
    """

    name: str
    question: str
    answer: Answer
    text: str
    statistic: float | None = None
    p_value: float | None = None
    table: list[dict[str, Any]] = field(default_factory=list)
    counted: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The check as plain values."""
        return {name: serialise.plain(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Check:
        """The check that :meth:`to_dict` wrote."""
        return cls(**document)
