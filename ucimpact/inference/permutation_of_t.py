r"""Permutation of a t that lets the two groups differ in spread, with its interval.

As in :mod:`ucimpact.inference.randomisation` the places are dealt anew to the seats, but what is compared is
(MacKinnon and Webb 2020, *J. Econometrics* 218(2); RI-t)

.. math:: t_r = \frac{\sum_i \omega_i c_{r(i)}}{\sqrt{V_1 + V_0}}, \qquad
          V_g = \frac{n_g}{n_g - 1} \sum_{i \in g} \omega_i^2 (c_{r(i)} - \bar c_g)^2 ,

with :math:`\bar c_g` weighted by the seats' shares: Welch's t where places count alike. Where the pilot
places are more changeable than the others, more of that goes into the denominator: measured false
positives at a nominal 5% with pilot places twice as changeable were 8% and 7% with 3 and 6 of 30, against 25%
and 18% for the coefficient itself. With a lone pilot place there is no spread to divide by.

The numerator moves with the supposed effect on a straight line and the variance on a parabola, so the test
is turned round as in :mod:`ucimpact.inference.studentised`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from ucimpact.errors import UsageError
from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.randomisation import Permutation, Reassignments, reassignments
from ucimpact.inference.studentised import NO_VARIANCE, Studentised, inferred
from ucimpact.inference.two_groups import Inferred

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Randomisation:
    """Other choices of pilot places, for pilots drawn by lot or places that are alike.

    Parameters
    ----------
    statistic : {"t", "coefficient"}
        What is compared. The coefficient has more power and works with one pilot place, and is misled by
        pilot places that are by nature more changeable.
    draws : int
        All choices are used where there are no more than this, else this many at random.
    seed : int
    """

    statistic: Literal["t", "coefficient"] = "t"
    draws: int = 9_999
    seed: int = 1

    def __post_init__(self) -> None:
        if self.statistic not in ("t", "coefficient"):
            raise UsageError(f'statistic = {self.statistic!r}: give "t" or "coefficient"')
        if self.draws < 99:
            raise UsageError(f"draws = {self.draws}: 99 is the least that can reach a 5% test")

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """p-value and interval; the t has a standard error, neither has degrees of freedom."""
        by_coefficient = Permutation(self.draws, self.seed)
        if self.statistic == "coefficient":
            return by_coefficient.infer(contrasts, level)
        if contrasts.deal is not None:  # many effects: the t for the first, which the others are parts of
            rest = by_coefficient.infer(contrasts, level)
            first = inferred(contrasts.only(slice(1)), [dealt_anew(contrasts, self.draws, self.seed)], level)
            return Inferred(
                *(np.append(getattr(first, f.name), getattr(rest, f.name)[1:]) for f in fields(rest))
            )
        each = [permuted(contrasts, k, self.draws, self.seed) for k in range(len(contrasts.estimate))]
        return inferred(contrasts, each, level)


def dealt_anew(contrasts: Contrasts, most: int, seed: int) -> Studentised:
    """The t of the first effect with the starts dealt to other places, the data's own first."""
    assert contrasts.deal is not None
    estimate = float(contrasts.estimate[0])
    top, move, squares, cross, squares_move = contrasts.deal.parts_of_t(estimate, most, seed)
    error = float(np.sqrt(squares[0]))
    return Studentised(estimate, error, top, move, squares, cross, squares_move, counts_itself=True)


def permuted(contrasts: Contrasts, k: int, most: int, seed: int) -> Studentised:
    """The t of effect ``k`` under each reassignment, the data's own first."""
    pilot = contrasts.pilot
    few = pilot if pilot.sum() <= (~pilot).sum() else ~pilot
    order = np.lexsort((contrasts.values[0], ~few))  # as for the permutation of the effect
    share = contrasts.shares[k, order]
    moves = (contrasts.per_effect[k] * pilot)[order].astype(float)
    base = contrasts.values[k, order] - contrasts.estimate[k] * moves  # the estimate imposed
    number = int(few.sum())
    drawn = reassignments(len(pilot), number, most, seed)
    top, top_move = (_summed(share, row, drawn, number) for row in (base, moves))
    squares, cross, squares_move = (np.zeros(drawn.number) for _ in range(3))
    roots = share**2
    seconds = [_summed(roots, row, drawn, number) for row in (base, moves, base**2, base * moves, moves**2)]
    for g, seats in enumerate((slice(None, number), slice(number, None))):
        total, size = share[seats].sum(), int((share[seats] != 0).sum())
        weight, factor = roots[seats].sum(), size / max(size - 1, 1)
        mean, mean_move = top[g] / total, top_move[g] / total
        first, first_move, second, mixed, second_move = (part[g] for part in seconds)
        squares += factor * (second - 2 * mean * first + mean**2 * weight)
        cross += factor * (mixed - mean * first_move - mean_move * first + mean * mean_move * weight)
        squares_move += factor * (second_move - 2 * mean_move * first_move + mean_move**2 * weight)
    floor = NO_VARIANCE * (roots * base**2).sum()
    squares = np.where(squares > floor, squares, 0.0)
    return Studentised(
        float(contrasts.estimate[k]),
        float(np.sqrt(squares[0])),
        top.sum(axis=0),
        top_move.sum(axis=0),
        squares,
        cross,
        squares_move,
        counts_itself=True,
    )


def _summed(share: Array, row: Array, drawn: Reassignments, few: int) -> Array:
    """Sums of ``share * row`` over the seats of the few and of the many, shape (2, n_reassignments)."""
    own = share * row
    total = np.repeat([[own[:few].sum()], [own[few:].sum()]], drawn.number, axis=1)
    for leaving, coming in zip(*drawn.swaps, strict=True):
        moved = row[coming] - row[leaving]
        total[0] += share[leaving] * moved
        total[1] -= np.where(coming == leaving, 0.0, share[coming]) * moved
    return total
