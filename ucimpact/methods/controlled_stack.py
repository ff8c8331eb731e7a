"""A pilot's series and its control as one regression: group times everything that is a place's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.methods.its_design import SegmentedDesign


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack:
    """The control's n periods, then the pilot's.

    The columns are those that each place has of its own (level, line, change, other changes), those once more
    for the pilot alone, those that both share (season, calendar, COVID), and one for each period of each
    series that does not count.

    Attributes
    ----------
    design : SegmentedDesign
        Of the pilot's series.
    shared : tuple of str
        Columns of the design that both series have in common.
    """

    design: SegmentedDesign
    shared: tuple[str, ...]

    @property
    def lengths(self) -> tuple[int, int]:
        """Periods of each series."""
        n = len(self.design.since)
        return n, n

    @cached_property
    def own(self) -> list[str]:
        """Columns that each place has of its own."""
        return [name for name in self.design.names if name not in self.shared]

    @cached_property
    def names(self) -> list[str]:
        """The columns but for those of periods that do not count."""
        return [*self.own, *(f"pilot: {name}" for name in self.own), *self.shared]

    @cached_property
    def used(self) -> np.ndarray:
        """Periods that count, shape (2n,)."""
        return np.concatenate([self.design.used, self.design.used])

    @cached_property
    def pilot(self) -> np.ndarray:
        """The pilot's rows of the named columns, shape (n, p)."""
        own, shared = self._columns(self.own), self._columns(list(self.shared))
        return np.hstack([own, own, shared])

    @cached_property
    def named(self) -> np.ndarray:
        """The named columns, shape (2n, p)."""
        own, shared = self._columns(self.own), self._columns(list(self.shared))
        return np.vstack([np.hstack([own, np.zeros_like(own), shared]), self.pilot])

    @cached_property
    def x(self) -> np.ndarray:
        """All columns, shape (2n, p + k)."""
        return np.column_stack([self.named, np.eye(len(self.used))[:, ~self.used]])

    def contrast(self, of_pilot: np.ndarray) -> np.ndarray:
        """A contrast of the pilot's own change, from one of the pilot's design; (.., p) to (.., p + k)."""
        out = np.zeros((*of_pilot.shape[:-1], self.x.shape[1]))
        for name in self.design.pilot:
            out[..., self.names.index(f"pilot: {name}")] = of_pilot[..., self.design.names.index(name)]
        return out

    @cached_property
    def expected(self) -> np.ndarray:
        """The pilot's mean in each period without its own change, as contrasts of shape (n, p + k)."""
        rows = np.zeros((len(self.design.since), self.x.shape[1]))
        rows[:, : len(self.names)] = self.pilot
        for name in self.design.pilot:
            rows[:, self.names.index(f"pilot: {name}")] = 0.0
        return rows

    def _columns(self, names: list[str]) -> np.ndarray:
        columns = [self.design.columns[name] for name in names]
        return np.column_stack(columns) if columns else np.zeros((len(self.design.since), 0))
