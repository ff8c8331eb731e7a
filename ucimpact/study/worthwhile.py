"""The smallest change worth having, as a study declares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ucimpact.study.base import Declared, Number


@dataclass(frozen=True, kw_only=True)
class Worthwhile(Declared):
    """The smallest change worth having, and what it is a change of.

    ``form`` is ``"relative"`` (``change`` -0.05 is 5% fewer), ``"per"`` (so many for every ``base``
    people over the pilot), ``"absolute"`` (events over the pilot; the outcome's own units for a cost,
    score or duration) or ``"break-even"``: what would repay the price, worked out from ``[cost]`` and the
    value of an event in the column that decides.
    """

    change: Number
    form: Literal["relative", "per", "absolute", "break-even"] = "relative"
    base: Number | None = None


def as_worthwhile(value: Any) -> Any:
    """``-0.05``, ``{ per = -4, base = 100 }``, ``{ absolute = -50 }`` or ``"break-even"`` as fields."""
    if value is None or isinstance(value, Worthwhile):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return {"change": value, "form": "relative"}
    if isinstance(value, dict) and set(value) == {"per", "base"}:
        return {"change": value["per"], "form": "per", "base": value["base"]}
    if isinstance(value, dict) and set(value) == {"absolute"}:
        return {"change": value["absolute"], "form": "absolute"}
    if value == "break-even":
        return {"change": 0.0, "form": "break-even"}
    raise ValueError('write -0.05 (5% fewer), { per = -4, base = 100 }, { absolute = -50 } or "break-even"')
