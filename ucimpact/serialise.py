"""Results to plain values and back, so that a document can be read years later, without the data.

Plain values are what JSON holds: dict, list, str, int, float, bool, None. Numbers that JSON has no
word for (not a number, infinities) become None: a result that was not estimated is None, never
zero. Frames become a list of rows; arrays become nested lists.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

SCHEMA = 1


def plain(value: Any) -> Any:
    """The value as plain values."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, pd.DataFrame):
        columns = list(map(str, value.columns))
        return [
            {name: plain(cell) for name, cell in zip(columns, row, strict=True)}
            for row in value.itertuples(index=False, name=None)
        ]
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, (dt.date, dt.datetime, pd.Timestamp)):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if hasattr(value, "to_dict"):
            return plain(value.to_dict())
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        return {"kind": type(value).__name__, **fields}
    raise TypeError(f"{type(value).__name__} has no plain form")


def frame(rows: list[dict[str, Any]] | None, columns: tuple[str, ...] = ()) -> pd.DataFrame | None:
    """The rows of :func:`plain` as a frame again; None stays None."""
    if rows is None:
        return None
    made = pd.DataFrame(rows, columns=list(rows[0]) if rows else list(columns))
    for name in made.columns:
        if made[name].map(_is_number).all():
            made[name] = pd.to_numeric(made[name])
    return made


def _is_number(cell: Any) -> bool:
    return cell is None or (isinstance(cell, (int, float)) and not isinstance(cell, bool))


def text_of(document: Mapping[str, Any]) -> str:
    """The document as JSON text: keys in the order given, two spaces, a line end."""
    return json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def fingerprint(content: bytes | str) -> str:
    """SHA-256 of bytes or text, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
