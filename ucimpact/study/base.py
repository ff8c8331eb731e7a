"""What the declarations of a study share: kinds of value, and a table that refuses keys it does not know."""

from __future__ import annotations

import datetime as dt
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
