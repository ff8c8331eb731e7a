"""What the declarations of a study share: kinds of value, and a table that refuses keys it does not know."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

Text = Annotated[str, Field(strict=True, min_length=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
YesNo = Annotated[bool, Field(strict=True)]
Date = Annotated[dt.date, Field(strict=True)]
Day = Date | Whole | Text
"""A day, a month such as "2022-04", or a numbered period."""

OutcomeKind = Literal["count", "cost", "binary", "score", "duration"]
Covid = Literal["drop", "dummy", "segment", "none"]
Certainty = Literal["very low", "low", "moderate", "high"]


class Declared:
    """A table in which a key that is not declared is an error."""

    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Window(Declared):
    """The periods fixed before looking; everything outside is counted as left out.

    A period that holds a day of the window belongs to it. In a study file the ends are ``from`` and
    ``to``.
    """

    first: Annotated[Day | None, Field(alias="from")] = None
    last: Annotated[Day | None, Field(alias="to")] = None
