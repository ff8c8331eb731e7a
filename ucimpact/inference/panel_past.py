r"""The past of places as plans draw from it: every stretch of it, and what more periods are worth.

Where a file of :math:`T` periods is shorter than a plan, :math:`T < T_0 + T_1`, contrasts are taken over
the longest stretch there is, divided in the plan's proportion :math:`t_0 : t_1`, and narrowed to the
spread that contrasts of the plan's length should have: with :math:`s^2` the variance over places that is
seen and :math:`v(a, b)` that of a mean of b periods less a mean of the a before,

.. math:: c_i \sqrt{v(T_0, T_1)} / s, \qquad
          v(a, b) = \sigma_m^2\, w'Rw + \sigma_w^2(1/a + 1/b), \quad R_{jk} = \rho^{|j-k|},

fitted by least squares to the contrasts of every length that the file holds (w is :math:`-1/a` before and
:math:`1/b` after). Whole years drawn one after another are no way out: with one year in the file each
would equal the next, and no place would ever change. What lasts longer than the file is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import nnls

from ucimpact.inference.linear import sum_by
from ucimpact.inference.power import change_of_means

Array = np.ndarray
CORRELATIONS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Of one period with the next, that are tried."""


@dataclass(frozen=True, eq=False)
class Histories:
    """What places were like while none of them had the pilot.

    Attributes
    ----------
    outcome : array (n_units, n_periods)
        As it is analysed, nothing missing.
    weights, sizes : array (n_units,)
        Weight of a unit in the analysis, and its people (or 1).
    places : array (n_units,)
        Place of each unit, coded from 0.
    events : array (n_units, n_periods), optional
        Counts behind the outcome; without them an effect is a shift.
    """

    outcome: Array
    weights: Array
    sizes: Array
    places: Array
    events: Array | None = None

    @property
    def number(self) -> int:
        """Places."""
        return int(self.places.max()) + 1

    @property
    def periods(self) -> int:
        """Periods."""
        return int(self.outcome.shape[1])

    @property
    def level(self) -> float:
        """Mean outcome."""
        return float(np.average(self.outcome.mean(axis=1), weights=self.weights))

    @cached_property
    def place_weights(self) -> Array:
        """Weight of each place, shape (n_places,)."""
        return np.bincount(self.places, self.weights)

    @cached_property
    def place_sizes(self) -> Array:
        """People of each place, shape (n_places,)."""
        return np.bincount(self.places, self.sizes)

    @cached_property
    def members(self) -> list[Array]:
        """Units of each place."""
        return [np.flatnonzero(self.places == place) for place in range(self.number)]

    def by_place(self, values: Array) -> Array:
        """Weighted mean over the units of each place, shape (..., n_places), of values (..., n_units)."""
        flat = sum_by(np.atleast_2d(values) * self.weights, self.places) / self.place_weights
        return np.asarray(flat.reshape(*values.shape[:-1], self.number))


# -- stretches of the past ---------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Stretches:
    """Every stretch of the past that a plan could have been: arrays of shape (n_stretches, n_units).

    Attributes
    ----------
    before, after : int
        Periods taken on each side of the start.
    narrowed : float
        Factor of the contrasts where the plan is longer than the file; else 1.
    change : array
        Mean after less mean before, widened and narrowed as the module says.
    level : array
        Mean after.
    events : array, optional
        Events after, over as many periods as the plan has.
    early : array (n_stretches, n_places, before)
        Means of the places before the start, their own mean out.
    """

    before: int
    after: int
    narrowed: float
    change: Array
    level: Array
    events: Array | None
    early: Array


def fitting(periods: int, before: int, after: int) -> tuple[int, int]:
    """Periods before and after, in the same proportion, that a file of ``periods`` can show."""
    if before + after <= periods:
        return before, after
    short = min(max(round(periods * before / (before + after)), 1), periods - 1)
    return short, periods - short


def stretches(past: Histories, before: int, after: int, *, widen: bool = True) -> Stretches:
    """The stretches of a past; ``widen`` makes up for drawing places with replacement."""
    b, a = fitting(past.periods, before, after)
    narrowed = 1.0 if b + a == before + after else narrowing(past, (before, after), (b, a))
    factor = narrowed * (np.sqrt(past.number / (past.number - 1)) if widen else 1.0)
    first = range(past.periods - b - a + 1)
    y = past.outcome
    early = [past.by_place(y[:, s : s + b].T).T for s in first]
    level = np.array([y[:, s + b : s + b + a].mean(axis=1) for s in first])
    change = level - np.array([y[:, s : s + b].mean(axis=1) for s in first])
    events = None
    if past.events is not None:
        counted = np.array([past.events[:, s + b : s + b + a].sum(axis=1) for s in first])
        events = np.rint(counted * after / a)
    centred = np.array([e - e.mean(axis=1, keepdims=True) for e in early])
    return Stretches(b, a, narrowed, factor * change, level, events, centred)


def narrowing(past: Histories, asked: tuple[int, int], shown: tuple[int, int]) -> float:
    """Factor that gives contrasts over the periods ``shown`` the spread of contrasts over those ``asked``.

    The spread asked for is the fitted one, and the spread shown the one that is seen, so that a stretch in
    which places happen to differ much, or little, does not do so in every longer plan.
    """
    y = past.by_place(past.outcome.T).T
    sums = np.concatenate([np.zeros((len(y), 1)), np.cumsum(y, axis=1)], axis=1)

    def seen(before: int, after: int) -> float:
        """Variance over places, averaged over every stretch of that length."""
        middle = np.arange(before, past.periods - after + 1)
        late = (sums[:, middle + after] - sums[:, middle]) / after
        change = late - (sums[:, middle] - sums[:, middle - before]) / before
        centred = change - np.average(change, axis=0, weights=past.place_weights)
        squares = np.average(centred**2, axis=0, weights=past.place_weights)
        return float(squares.mean()) * past.number / (past.number - 1)

    lengths = [(h, h) for h in range(1, past.periods // 2 + 1)]
    spread = np.array([seen(*pair) for pair in lengths])
    own = seen(*shown)
    if not np.all(spread > 0) or own <= 0:
        return 1.0
    weight = 1 / (spread * np.sqrt([h for h, _ in lengths]))

    def shapes(pairs: list[tuple[int, int]], correlation: float) -> Array:
        return np.array([[change_of_means(b, a, correlation), 1 / b + 1 / a] for b, a in pairs])

    fits = []
    for correlation in CORRELATIONS:
        parts, misfit = nnls(shapes(lengths, correlation) * weight[:, None], spread * weight)
        fits.append((misfit, correlation, parts))
    _, correlation, parts = min(fits, key=lambda fit: fit[0])
    fitted = shapes([asked], correlation) @ parts
    return float(np.sqrt(fitted[0] / own))
