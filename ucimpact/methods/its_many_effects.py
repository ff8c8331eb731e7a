"""The effects of many series as arrays, before they become a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

NUMBERS = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True, kw_only=True, eq=False)
class ManyEffects:
    """Effects of N series: T terms.

    Attributes
    ----------
    terms : tuple of str
    event_times : tuple of float
        Periods since the start, of effects in one period; ``nan`` for the others.
    numbers : array (6, T, N)
        In the order of :data:`NUMBERS`; ``nan`` where a series has no such effect.
    route : array of int (T, N)
        Place of the procedure in :attr:`routes`.
    routes : tuple of str
    care : array of int (N,)
        How many cautions a series has by its result.
    refused : array of str (N,)
        Why a series has no answer; empty where it has one.
    """

    terms: tuple[str, ...]
    event_times: tuple[float, ...]
    numbers: np.ndarray
    route: np.ndarray
    routes: tuple[str, ...]
    care: np.ndarray
    refused: np.ndarray

    @classmethod
    def empty(
        cls, terms: tuple[str, ...], event_times: tuple[float, ...], routes: tuple[str, ...], count: int
    ) -> ManyEffects:
        """Room for ``count`` series: the numbers of each lie side by side, as rows of a table."""
        return cls(
            terms=terms,
            event_times=event_times,
            numbers=np.full((len(NUMBERS), count, len(terms)), np.nan).transpose(0, 2, 1),
            route=np.zeros((count, len(terms)), dtype=np.int8).T,
            routes=routes,
            care=np.zeros(count, dtype=np.int16),
            refused=np.full(count, "", dtype=object),
        )

    def part(self, which: slice) -> ManyEffects:
        """Some of the series, sharing memory with these."""
        return ManyEffects(
            terms=self.terms,
            event_times=self.event_times,
            numbers=self.numbers[:, :, which],
            route=self.route[:, which],
            routes=self.routes,
            care=self.care[which],
            refused=self.refused[which],
        )


def two_sided(t: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Chance of a t as far from 0."""
    return np.asarray(2 * stdtr(df, -np.abs(t)))
