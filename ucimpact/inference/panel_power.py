r"""What a comparison of places could find, by drawing places from a file of their own past.

A plan has :math:`n_1` pilot and :math:`n_0` comparison places, :math:`T_0` periods before the start and
:math:`T_1` after. Each draw takes a stretch of :math:`T_0 + T_1` periods of the past, the same for all,
so that months are common, and :math:`n_1 + n_0` places with replacement, each with its whole history:
its size, its season and how one of its months follows from the last (Burlig, Preonas and Woerman 2020
[1]_). On a balanced panel the two-way regression is a comparison of one number a place,

.. math:: c_i = \bar y_{i,\text{after}} - \bar y_{i,\text{before}}, \qquad
          b = \sum_{i \le n_1}\omega_i c_i - \sum_{i > n_1}\omega_i c_i ,

so a draw needs these numbers alone, and the rule that the finished evaluation will use gives each draw
its range :math:`[l, u]` (:mod:`ucimpact.inference.few_clusters`). Nothing happened in the past: the share
of draws whose range leaves out 0 is the rule's rate of false positives on these places.

**A shift** :math:`\tau` in every pilot place moves :math:`b` and the range and nothing else, whichever
procedure the rule picks, so that it is found exactly where :math:`-\tau` lies outside :math:`[l, u]`: one
simulation without an effect gives the chance of finding each. Used for outcomes that are measured, and
for logarithms, where a change of a share :math:`\delta` is a shift of :math:`\log(1 + \delta)`.

**A share** :math:`\delta` of the events of the pilot places is planted in their counts and each draw is
worked out again: a fall takes away a binomial share of a place's :math:`N_i` events after the start (each
event with chance :math:`\delta`), a rise adds a Poisson number of mean :math:`\delta N_i`.

Draws with replacement from N places spread by :math:`(N-1)/N` of what places do; contrasts are widened
by the root of its inverse.

Where the file is shorter than the plan see :mod:`ucimpact.inference.panel_past`.

References
----------
.. [1] Burlig, F., Preonas, L. and Woerman, M. (2020). Panel data and experimental design. *Journal of
   Development Economics* 144, 102458.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from ucimpact.inference.panel_draws import Size
from ucimpact.inference.panel_past import Histories

Array = np.ndarray
BELOW, ABOVE, POINTS = 0.75, 1.35, 7
"""Shares at which effects are planted: so many, from and to these multiples of what a shift suggests."""
LOGS, PLANTED = ("log", "ratio"), ("thinned", "ratio")
"""Forms whose ranges are of logarithms, and forms whose effects are planted in counts."""


class Lots(Protocol):
    """Draws, of whatever kind, as :class:`Power` reads them."""

    @property
    def past(self) -> Histories: ...

    @property
    def size(self) -> Size: ...

    @property
    def seed(self) -> int: ...

    @property
    def number(self) -> int: ...

    @property
    def narrowed(self) -> float: ...

    @property
    def events(self) -> Array: ...

    @property
    def procedures(self) -> dict[str, float]: ...

    def ranges(self, planted: Sequence[Array | None] = (None,)) -> tuple[Array, Array]:
        """Lower and upper ends, shape (n_effects, n_draws) each."""
        ...


@dataclass(frozen=True, eq=False)
class Power:
    """The chance of finding an effect, from draws; effects are shares of the expected level.

    Attributes
    ----------
    draws : Lots
    sign : int
        -1 where a fall is looked for, 1 for a rise.
    form : str
        ``"shift"``, ``"log"``, ``"thinned"``, or ``"ratio"``: thinned, and told as a log ratio.
    """

    draws: Lots
    sign: int
    form: str

    @cached_property
    def null(self) -> tuple[Array, Array]:
        """Ranges without an effect, lower and upper; an absent range finds nothing."""
        low, high = (ends[0] for ends in self.draws.ranges())
        gone = np.isnan(low)
        return np.where(gone, -np.inf, low), np.where(gone, np.inf, high)

    @property
    def false_positives(self) -> float:
        """Part of the draws whose range leaves out 0 though nothing happened."""
        return self._outside(0.0)

    def _outside(self, shift: float) -> float:
        low, high = self.null
        return float(((low > -shift) | (high < -shift)).mean())

    def _shift(self, share: float) -> float:
        """A share of the expected level in units of the analysis."""
        if self.form in LOGS:
            return float(np.log1p(self.sign * share))
        return self.sign * share * self.draws.past.level

    def _share(self, shift: float) -> float:
        if self.form in LOGS:
            return float(self.sign * np.expm1(self.sign * shift))
        return shift / self.draws.past.level

    def chance(self, share: float) -> float:
        """The chance that a change of this share (above 0) is found."""
        return float(self.chances(np.array([share]))[0])

    def chances(self, shares: Array) -> Array:
        """The chances that changes of these shares are found, each above 0."""
        if self.form in PLANTED:
            low, high = self.draws.ranges([self.planted(float(share)) for share in shares])
            return np.asarray(((low > 0) | (high < 0)).mean(axis=1))
        most = 1.0 if self.form == "log" and self.sign < 0 else np.inf
        return np.array([self._outside(self._shift(share)) if share < most else 1.0 for share in shares])

    def planted(self, share: float) -> Array:
        """Change of each pilot place as a share of its own level, shape (n_draws, n_pilot)."""
        events = self.draws.events[:, self.draws.size.mask]
        rng = np.random.default_rng([self.draws.seed, 7])
        counted = np.where(events > 0, events, 1.0)
        if self.sign < 0:
            return np.asarray(-rng.binomial(events.astype(np.int64), min(share, 1.0)) / counted)
        return np.asarray(rng.poisson(share * events) / counted)

    def shifted(self, chance: float) -> float:
        """The smallest shift found with this chance, above 0; infinite where none is."""
        low, high = self.null
        right = np.sort(high if self.sign < 0 else -low)
        return float(right[min(max(math.ceil(chance * len(right)) - 1, 0), len(right) - 1)])

    def smallest(self, chance: float) -> float:
        """The smallest change found with this chance, as a share; ``nan`` where not even all would be."""
        at = self.shifted(chance)
        if not np.isfinite(at) or at <= 0:
            return float("nan")
        if self.form not in PLANTED:
            share = self._share(at)
            return share if self.sign > 0 or share < 1 else float("nan")
        shares, found = self._around
        if not len(found) or found[-1] < chance:
            return float("nan")
        return float(np.interp(chance, found, shares))

    @cached_property
    def _around(self) -> tuple[Array, Array]:
        """Shares around those that a shift suggests, and their chances, both rising."""
        ends = [self._share(at) for c in (0.5, 0.8) if np.isfinite(at := self.shifted(c)) and at > 0]
        if not ends:
            return np.empty(0), np.empty(0)
        shares = np.geomspace(BELOW * ends[0], ABOVE * ends[-1], POINTS)
        if self.sign < 0:
            shares = np.unique(np.minimum(shares, 1.0))
        return shares, np.maximum.accumulate(self.chances(shares))

    def error(self, chance: float) -> float:
        """Monte Carlo standard error of :meth:`smallest`, as a share."""
        step = np.sqrt(chance * (1 - chance) / self.draws.number)
        ends = [self.shifted(min(max(chance + k * step, 0.0), 1.0)) for k in (-1, 1)]
        if not np.all(np.isfinite(ends)):
            return float("nan")
        return abs(self._share(ends[1]) - self._share(ends[0])) / 2

    @property
    def half_width(self) -> float:
        """Half of the likely range, as a share of the expected level: the middle one of the draws."""
        low, high = self.null
        half = float(np.median(high - low)) / 2
        return self._share(half) if np.isfinite(half) else float("nan")
