r"""A t statistic against its own value in other draws, and the interval by turning the test round.

At a supposed effect :math:`e`, with :math:`\delta = b - e`, the data give :math:`t = \delta / s`. Each draw
(a vector of random signs, a reassignment of places) gives a t whose parts move with :math:`\delta`:

.. math:: t_r = \frac{m_r + \delta\, m'_r}{\sqrt{q_r + 2\delta\, q'_r + \delta^2 q''_r}} .

So thousands of draws are made once, and a p-value at any :math:`e` is one pass over five numbers a draw.
The interval is every :math:`e` whose p-value is above 1 - level, up to the outermost crossing on either
side; where the p-value never falls so low a side has no end.

The p-value counts draws at least as far out as the data, ties in, and the data themselves as one draw, so it
is never 0 (Davison and Hinkley 1997, eq. 4.11); other software counts draws strictly further out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.two_groups import ALL_ALIKE, Inferred

Array = np.ndarray
Tails = Literal["symmetric", "equal"]
TIE = 1e-9
NO_VARIANCE = 1e-12
STEPS = 16


@dataclass(frozen=True)
class Studentised:
    """Draws of a t statistic; every array has shape (n_draws,).

    Attributes
    ----------
    estimate, std_error : float
        b and s.
    top, top_move : array
        :math:`m` and :math:`m'`.
    squares, cross, squares_move : array
        :math:`q, q'` and :math:`q''`.
    counts_itself : bool
        Whether the data are among the draws (all draws there are), or have to be added as one more.
    tails : {"symmetric", "equal"}
        :math:`|t_r| \\ge |t|`, or twice the smaller tail.
    """

    estimate: float
    std_error: float
    top: Array
    top_move: Array
    squares: Array
    cross: Array
    squares_move: Array
    counts_itself: bool
    tails: Tails = "symmetric"

    def p_value(self, effect: float = 0.0, *, ties: bool = True) -> float:
        """p-value at a supposed effect; with ``ties=False`` the share of draws strictly further out."""
        delta = self.estimate - effect
        top = self.top + delta * self.top_move
        squares = np.maximum(self.squares + delta * (2 * self.cross + delta * self.squares_move), 0.0)
        t2 = (delta / self.std_error) ** 2
        if self.tails == "symmetric":
            return self._share(_beyond(top**2, t2 * squares, ties=ties), ties=ties)
        t = np.sign(delta) * np.sqrt(t2 * squares)  # both sides times the root of the draw's variance
        slack = TIE * np.abs(t)
        above = top >= t - slack if ties else top > t + slack
        below = top <= t + slack if ties else top < t - slack
        return min(1.0, 2 * min(self._share(above, ties=ties), self._share(below, ties=ties)))

    def interval(self, level: float) -> tuple[float, float]:
        """Every effect that is not refused at ``1 - level``."""
        return turned_round(self.p_value, self.estimate, self.std_error, 1 - level)

    def _share(self, counted: Array, *, ties: bool) -> float:
        number, size = int(counted.sum()), len(counted)
        return (number + 1) / (size + 1) if ties and not self.counts_itself else number / size


def inferred(contrasts: Contrasts, drawn: Sequence[Studentised], level: float) -> Inferred:
    """p-value and interval of each effect; no degrees of freedom, and nothing where places do not differ."""
    errors = real_errors(np.array([one.std_error for one in drawn]), contrasts)
    rows = np.full((3, len(drawn)), np.nan)
    for k, one in enumerate(drawn):
        if np.isfinite(errors[k]):
            rows[:, k] = one.p_value(), *one.interval(level)
    return Inferred(contrasts.estimate, errors, np.full(len(drawn), np.nan), *rows)


def real_errors(std_error: Array, contrasts: Contrasts) -> Array:
    """Standard errors, ``nan`` where they are 0 but for rounding."""
    floor = ALL_ALIKE * np.fmax(np.abs(contrasts.values).max(axis=1), contrasts.scale)
    return np.where(std_error > floor, std_error, np.nan)


def _beyond(one: Array, other: Array, *, ties: bool) -> Array:
    """Whether a square is at least, or beyond, another, but for rounding."""
    return np.asarray(one >= other * (1 - 2 * TIE) if ties else one > other * (1 + 2 * TIE))


def turned_round(
    p_value: Callable[[float], float],
    estimate: float,
    step: float,
    alpha: float,
    *,
    near: float = 1e-10,
    doublings: int = 40,
) -> tuple[float, float]:
    """The ends of every effect with a p-value above ``alpha``; infinite where it never falls so low.

    Distances from the estimate are doubled from ``step`` until the test refuses, the last crossing within
    is found on a grid and halved until it is known to the part ``near``.
    """
    ends = []
    for sign in (-1.0, 1.0):

        def kept(distance: float, sign: float = sign) -> bool:
            return p_value(estimate + sign * distance) > alpha * (1 + TIE)

        far = step
        for _ in range(doublings):
            if not kept(far):
                break
            far *= 2
        else:
            ends.append(sign * np.inf)
            continue
        grid = np.linspace(0.0, far, STEPS + 1)
        last = max((k for k in range(STEPS) if kept(float(grid[k]))), default=0)
        inside, far = float(grid[last]), float(grid[last + 1])
        while far - inside > near * (far + abs(estimate)):
            middle = (inside + far) / 2
            inside, far = (middle, far) if kept(middle) else (inside, middle)
        ends.append(estimate + sign * far)
    return float(ends[0]), float(ends[1])
