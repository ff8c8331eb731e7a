r"""What other places would have shown: the effect under every other choice of pilot places.

For a reassignment :math:`r` the same weighted sum is worked out with the places dealt to other seats,
:math:`b_r = \sum_i \omega_i c_{r(i)}`, and :math:`k_r = \sum_i \omega_i W_{r(i)}` is what it makes of
the pilot itself (MacKinnon and Webb 2020, *J. Econometrics* 218(2); RI-beta). At a supposed effect
:math:`e` reassignment :math:`r` is at least as far out as the data when :math:`|b_r - e k_r| \ge |b -
e|`, that is, when :math:`e` lies between

.. math:: \frac{b - b_r}{1 - k_r} \quad\text{and}\quad \frac{b + b_r}{1 + k_r},

so the interval needs no search: of :math:`B` reassignments, with :math:`m = \lfloor\alpha B\rfloor`, its
lower end is the (m+1)-th smallest of the lower ends and its upper end the (m+1)-th largest of the upper
ends. The data themselves and a full exchange of the groups count as the whole line.

Exact where places are alike or the pilot was drawn by lot; not robust to a pilot place that is by nature
more changeable than the others. The smallest p-value is 1/B. Sums are compared with a relative tolerance
of 1e-9, or a reassignment equal to the data would look smaller for rounding."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.two_groups import Inferred

Array = np.ndarray
TIE = 1e-9
AT_ONCE = 2_000_000
"""Random numbers drawn at a time."""


@dataclass(frozen=True)
class Reassignments:
    """Which places take the seats of the few, shape (n_few, B); column 0 is the data's own.

    Places are numbered with the few first.
    """

    seats: Array
    complete: bool

    @property
    def number(self) -> int:
        """How many, the data's own included."""
        return int(self.seats.shape[1])

    @cached_property
    def swaps(self) -> tuple[Array, Array]:
        """Seats of the few and of the many that change places, shape (n_few, B) each; equal where none do.

        A place of the many that is drawn changes seats with one of the few that is not; all others stay.
        """
        few = len(self.seats)
        own = np.arange(few)
        kept = (self.seats[None, :, :] == own[:, None, None]).any(axis=1)
        leaving = np.argsort(kept, axis=0, kind="stable")
        arrives = self.seats >= few
        order = np.argsort(~arrives, axis=0, kind="stable")
        coming = np.take_along_axis(self.seats, order, axis=0)
        moves = np.take_along_axis(arrives, order, axis=0)
        return np.ascontiguousarray(leaving), np.ascontiguousarray(np.where(moves, coming, leaving))


COUNTLESS = 10**400
"""More ways than anybody counts: the exact number of a large panel has thousands of digits."""


def number_of_choices(places: int, few: int) -> int:
    """How many ways there are of picking ``few`` of ``places``; no more than ``COUNTLESS``."""
    if min(few, places - few) > 1_500:
        return COUNTLESS
    return min(math.comb(places, few), COUNTLESS)


@lru_cache(maxsize=32)
def reassignments(places: int, few: int, most: int, seed: int) -> Reassignments:
    """All ways of picking ``few`` of ``places`` if there are at most ``most``, else ``most`` at random.

    Those at random come after the data's own, which is so counted as one more.
    """
    if number_of_choices(places, few) <= most:
        every = np.array(list(itertools.combinations(range(places), few)), dtype=np.intp)
        return Reassignments(np.ascontiguousarray(every.T), True)
    rng = np.random.default_rng(seed)
    seats = np.empty((most + 1, few), dtype=np.intp)
    seats[0] = np.arange(few)
    rows = max(1, AT_ONCE // places)
    for first in range(1, most + 1, rows):
        block = seats[first : first + rows]
        block[:] = np.argpartition(rng.random((len(block), places)), few - 1, axis=1)[:, :few]
    return Reassignments(np.ascontiguousarray(seats.T), False)


def smallest_p(pilot: int, comparison: int) -> float:
    """The smallest p-value that a permutation can give: one in all choices, two where groups are equal."""
    choices = number_of_choices(pilot + comparison, min(pilot, comparison))
    return (2 if pilot == comparison else 1) / choices


@dataclass(frozen=True)
class Permutation:
    """Permutation of the effect, its p-value and its closed-form interval.

    ``most`` reassignments at most; more are drawn at random by ``seed``.
    """

    most: int
    seed: int

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """See the module; there is no standard error."""
        b = contrasts.estimate
        p_value, low, high = np.empty(len(b)), np.empty(len(b)), np.empty(len(b))
        for k, (b_r, k_r) in enumerate(reassigned(contrasts, self.most, self.seed)):
            p_value[k] = at_least(b_r, b_r[0])
            low[k], high[k] = closed_form(b_r, k_r, level)
        gap = np.full(len(b), np.nan)
        return Inferred(b, gap, gap, p_value, low, high)


def reassigned(contrasts: Contrasts, most: int, seed: int) -> Iterator[tuple[Array, Array]]:
    """For each effect its :math:`b_r` and :math:`k_r`, shape (B,) each; entry 0 is the data's own."""
    if contrasts.deal is not None:
        yield from contrasts.deal.effects(most, seed)
        return
    values, shares, pilot = _in_seats(contrasts)
    few = min(int(pilot.sum()), int((~pilot).sum()))
    drawn = reassignments(len(pilot), few, most, seed)
    treated = pilot.astype(float)
    weights, k_r = np.empty(0), np.empty(0)
    for row, share, unit in zip(values, shares, contrasts.per_effect, strict=True):
        if not np.array_equal(unit * share, weights):  # mostly the same for every effect
            weights, k_r = unit * share, _dealt(treated, unit * share, drawn)
        yield _dealt(row, share, drawn), k_r


def _dealt(row: Array, share: Array, drawn: Reassignments) -> Array:
    """Weighted sum of ``row`` under each reassignment."""
    total = np.full(drawn.number, (row * share).sum())
    for leaving, coming in zip(*drawn.swaps, strict=True):
        total += (share[leaving] - share[coming]) * (row[coming] - row[leaving])
    return total


def _in_seats(contrasts: Contrasts) -> tuple[Array, Array, Array]:
    """Values, shares and groups with the few first.

    Within a group places stand in the order of their first value, so that the same reassignments are
    drawn whatever the places are called."""
    pilot = contrasts.pilot
    last = ~pilot if pilot.sum() <= (~pilot).sum() else pilot
    order = np.lexsort((contrasts.values[0], last))
    return contrasts.values[:, order], contrasts.shares[:, order], pilot[order]


def at_least(drawn: Array, observed: float) -> float:
    """Part of ``drawn`` at least as far from 0 as ``observed``, ties counted."""
    return float((np.abs(drawn) >= abs(observed) * (1 - TIE)).mean())


def closed_form(b_r: Array, k_r: Array, level: float) -> tuple[float, float]:
    """The permutation interval of the module; entry 0 is the data's own."""
    whole = np.abs(k_r) >= 1 - TIE
    whole[0] = True
    one = (b_r[0] - b_r) / np.where(whole, 1.0, 1 - k_r)
    two = (b_r[0] + b_r) / np.where(whole, 1.0, 1 + k_r)
    low = np.where(whole, -np.inf, np.minimum(one, two))
    high = np.where(whole, np.inf, np.maximum(one, two))
    skip = int(np.floor((1 - level) * len(b_r) + TIE))
    last = len(b_r) - 1 - skip
    return float(np.partition(low, skip)[skip]), float(np.partition(high, last)[last])


def permutation_of_t(contrasts: Contrasts, most: int, seed: int) -> float:
    """p-value of the first effect by permuting the two-sample t of unequal variances (RI-t).

    Every place counts alike here. Two places or more are needed in each group.
    """
    if contrasts.deal is not None:
        drawn_t = contrasts.deal.of_t(most, seed)
        return at_least(drawn_t, drawn_t[0])
    values, _, pilot = _in_seats(contrasts)
    few = min(int(pilot.sum()), int((~pilot).sum()))
    drawn = reassignments(len(pilot), few, most, seed)
    c = values[0] - values[0].mean()
    total, squares = np.zeros(drawn.number), np.zeros(drawn.number)
    for place in drawn.seats:
        total += c[place]
        squares += c[place] ** 2
    many = len(c) - few
    spread_few = (squares - total**2 / few) / (few - 1)
    rest, rest_squares = -total, (c**2).sum() - squares
    spread_many = (rest_squares - rest**2 / many) / (many - 1)
    t = (total / few - rest / many) / np.sqrt(spread_few / few + spread_many / many)
    return float((np.abs(t) >= np.abs(t[0]) * (1 - TIE)).mean())


def standardised_permutation(contrasts: Contrasts, sd: Array, most: int, seed: int) -> float:
    """p-value of the first effect with deviations divided by ``sd`` (n_places,) before they are dealt.

    Each seat then gives a deviation its own spread again (Ferman and Pinto 2019).
    """
    if contrasts.deal is not None:
        dealt_b = contrasts.deal.standardised(sd, most, seed)
        return at_least(dealt_b, dealt_b[0])
    dealt = Contrasts(
        contrasts.estimate[:1],
        (contrasts.values[:1] - contrasts.values[:1].mean()) / sd,
        contrasts.shares[:1] * sd,
        contrasts.pilot,
        contrasts.design,
    )
    b_r, _ = next(reassigned(dealt, most, seed))
    return at_least(b_r, b_r[0])
