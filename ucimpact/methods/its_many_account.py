"""What is found for many series, gathered group by group and made into tables once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.methods.its_many_effects import NUMBERS, ManyEffects
from ucimpact.methods.many_estimates import SHOWN

OUTCOME = "outcome"


class Account:
    """What is found, as it comes in."""

    def __init__(self) -> None:
        self._tables: dict[str, list[pd.DataFrame]] = {"effects": [], "refused": []}
        self._cautions: dict[str, int] = {}
        self._terms: list[str] = []
        self._routes: list[str] = []
        self._rows: list[dict[str, np.ndarray]] = []
        self._reasons: dict[int, str] = {}

    def refuse(self, places: np.ndarray, reason: str) -> None:
        """Series without an answer."""
        self._reasons.update(dict.fromkeys(places.tolist(), reason))

    def caution(self, texts: Sequence[str], count: int) -> None:
        """What the design of some series calls for."""
        for text in texts:
            self._cautions[text] = self._cautions.get(text, 0) + count

    def add(self, places: np.ndarray, found: ManyEffects, *, cautions: int) -> None:
        """Effects of the series at these places."""
        for place, reason in zip(
            places[found.refused != ""], found.refused[found.refused != ""], strict=True
        ):
            self._reasons[int(place)] = reason
        answered = found.refused == ""
        keep: slice | np.ndarray = slice(None) if answered.all() else np.flatnonzero(answered)
        count, terms = int(answered.sum()), len(found.terms)
        term = np.array([self._code(self._terms, name) for name in found.terms], dtype=np.int8)
        route = np.array([self._code(self._routes, name) for name in found.routes], dtype=np.int8)
        rows = {
            "place": np.repeat(places[keep], terms),
            "term": np.tile(term, count),
            "event_time": np.tile(np.array(found.event_times, dtype=float), count),
            "route": route[found.route[:, keep]].T.ravel(),
            "warnings": np.repeat(found.care[keep] + cautions, terms),
        }
        numbers = zip(NUMBERS, found.numbers, strict=True)
        self._rows.append(rows | {name: part[:, keep].T.ravel() for name, part in numbers})

    @staticmethod
    def _code(known: list[str], name: str) -> int:
        if name not in known:
            known.append(name)
        return known.index(name)

    def close(self, keys: pd.DataFrame, outcome: str | None) -> None:
        """Put the series of one outcome down under their names."""
        refused = np.array(sorted(self._reasons), dtype=np.int64)
        place = _joined([rows.pop("place") for rows in self._rows]).astype(np.int64)
        order = np.argsort(place, kind="stable")
        sorted_ = bool((order[1:] > order[:-1]).all())
        place = place if sorted_ else place[order]
        columns: dict[str, Any] = {}
        for name in SHOWN:
            values = _joined([rows.pop(name) for rows in self._rows])
            columns[name] = values if sorted_ else values[order]
        reasons = {"reason": [self._reasons[int(at)] for at in refused]}
        for table, places, more in (("refused", refused, reasons), ("effects", place, columns)):
            names: dict[Any, Any] = {name: keys[name].array.take(places) for name in keys}
            if outcome is not None:
                names[OUTCOME] = np.full(len(places), outcome, dtype=object)
            self._tables[table].append(pd.DataFrame({**names, **more}, copy=False))
        self._rows, self._reasons = [], {}

    def effects(self) -> pd.DataFrame:
        """One row a series and term."""
        tables = self._tables["effects"]
        frame = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
        for name, known in (("term", self._terms), ("route", self._routes)):
            codes = frame[name].to_numpy().astype(np.int64)
            frame[name] = pd.Categorical.from_codes(codes, categories=pd.Index(known))
        return frame

    def refused(self) -> pd.DataFrame:
        """One row a series without an answer."""
        return pd.concat(self._tables["refused"], ignore_index=True)

    def cautioned(self) -> pd.DataFrame:
        """Cautions of designs, and how many series each is about, most first."""
        rows = sorted(self._cautions.items(), key=lambda pair: -pair[1])
        return pd.DataFrame(rows, columns=["caution", "series"])


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """Parts one after the other; one part as it is."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0)
