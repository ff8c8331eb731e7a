r"""Bounds that are multiples of the worst seen before the start: relative magnitudes, and of bends.

Each difference of the drift after the start is at most :math:`\bar M` times the largest before it [1]_:

.. math:: \Delta^{RM}(\bar M) = \Bigl\{\delta : |\Delta\delta_t| \le \bar M \max_{s} |\Delta\delta_s|
          \Bigr\} = \bigcup_{s, \pm} \{\delta : |\Delta\delta_t| \le \pm\bar M \Delta\delta_s\},

s before and t after the start; :math:`\Delta^{SDRM}` has second differences in place of first. The
confidence set is the union of those of the pieces. In a piece, with :math:`v = \pm V_s\beta`,
:math:`y = R\beta` and :math:`w = R\tau`, the target is :math:`c'w` and the bounds are

.. math:: y_t - w_t - \bar M v \le 0, \qquad w_t - y_t - \bar M v \le 0 ,

moment inequalities with nuisance parameters :math:`w`. The test of :math:`c'w = \theta` asks for the
smallest :math:`\eta` for which they hold once each is given room :math:`\eta` times its standard error
:math:`\sigma^\pm_t` [2]_. They say that :math:`w_t` lies in an interval, so :math:`w` can be eliminated by
hand: the linear program has the solution

.. math:: \hat\eta = \max\Bigl\{
      \frac{\theta - c'y - \bar M |c|_1 v}{S_1},\;
      \frac{c'y - \theta - \bar M |c|_1 v}{S_2},\;
      \max_t \frac{-2 \bar M v}{\sigma^+_t + \sigma^-_t} \Bigr\},

:math:`S_1 = \sum_t |c_t| \sigma_t^{-\mathrm{sgn} c_t}` and :math:`S_2 = \sum_t |c_t|
\sigma_t^{\mathrm{sgn} c_t}`. So the test depends on two normal variables, :math:`(c'\hat y, \hat v)`,
whatever the number of periods: no linear program is solved and nothing is simulated.

**Hybrid test.** (1) Refuse where :math:`\hat\eta` exceeds its least favourable critical value at
:math:`\kappa = \alpha/10`, here an integral over :math:`v`. (2) Else refuse where :math:`\hat\eta > 0`
exceeds the :math:`(1-\alpha)/(1-\kappa)` quantile of a normal variable truncated to where the same
term is the largest, and to below the first critical value.

The restrictions on differences before the start are not among the moments, but for the one that names
the largest.

References
----------
.. [1] Rambachan, A. and Roth, J. (2023). A more credible approach to parallel trends. *Review of
   Economic Studies* 90(5), 2555-2591: sections 2.4 and 3.
.. [2] Andrews, I., Roth, J. and Pakes, A. (2023). Inference for linear conditional moment inequalities.
   *Review of Economic Studies* 90(6), 2763-2791: sections 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from ucimpact.inference.honest_path import Differenced

Array = np.ndarray
FIRST_STAGE = 0.1
""":math:`\\kappa` as a share of :math:`\\alpha`."""
GRID = 257
PARTS, ROUNDS = 32, 6
PANELS, NODES = 12, np.polynomial.legendre.leggauss(16)
FAR = 9.0
"""Standard deviations beyond which a normal variable is not looked for."""
PARALLEL = 1e-9
"""Two terms whose regression slope is this near 1 never overtake one another."""


@dataclass(frozen=True)
class Pieces:
    """One piece a difference before the start and sign; arrays of shape (n_pieces,).

    Attributes
    ----------
    worst : array
        :math:`\\hat v`.
    spread : array (n_pieces, 2, 2)
        Covariance of :math:`(c'\\hat y, \\hat v)`.
    upper, lower, loose, tight : array
        :math:`S_1, S_2` and the largest and smallest :math:`\\sigma^+_t + \\sigma^-_t`.
    estimate, room, times, alpha : float
        :math:`c'\\hat y`, :math:`\\bar M |c|_1`, :math:`\\bar M` and the size of the test.
    """

    worst: Array
    spread: Array
    upper: Array
    lower: Array
    loose: Array
    tight: Array
    estimate: float
    room: float
    times: float
    alpha: float

    @property
    def first_size(self) -> float:
        """:math:`\\kappa`."""
        return FIRST_STAGE * self.alpha

    @cached_property
    def first_critical(self) -> Array:
        """Least favourable critical value of each piece; mirrored pieces share one."""
        half = len(self.worst) // 2
        return np.tile(_least_favourable(self, slice(half)), 2)

    @cached_property
    def reach(self) -> tuple[Array, Array]:
        """The ends of what the first stage does not refuse; the low end above the high where it refuses
        all."""
        c = self.first_critical
        possible = -2 * self.times * self.worst <= c * self.tight
        low = self.estimate - self.room * self.worst - c * self.lower
        high = self.estimate + self.room * self.worst + c * self.upper
        return np.where(possible, low, np.inf), np.where(possible, high, -np.inf)

    @cached_property
    def _terms(self) -> tuple[Array, Array, Array]:
        """Value at target 0, change with the target, and covariance of the four terms of the maximum."""
        n = len(self.worst)
        on = np.zeros((n, 4, 2))
        on[:, 0] = -np.stack([np.ones(n), np.full(n, self.room)], axis=1) / self.upper[:, None]
        on[:, 1] = np.stack([np.ones(n), np.full(n, -self.room)], axis=1) / self.lower[:, None]
        on[:, 2, 1] = -2 * self.times / self.tight
        on[:, 3, 1] = -2 * self.times / self.loose
        with_target = np.zeros((n, 4))
        with_target[:, 0], with_target[:, 1] = 1 / self.upper, -1 / self.lower
        values = on[:, :, 0] * self.estimate + on[:, :, 1] * self.worst[:, None]
        return values, with_target, on @ self.spread @ on.transpose(0, 2, 1)

    def accepts(self, target: Array) -> Array:
        """Whether each piece accepts each of its targets, shape (n_pieces, n_targets)."""
        values, with_target, cov = self._terms
        z = values[:, None, :] + with_target[:, None, :] * target[:, :, None]
        top = z.argmax(axis=2)[..., None]
        eta = np.take_along_axis(z, top, 2)[..., 0]
        with_top = np.take_along_axis(
            np.broadcast_to(cov[:, None], (*target.shape, 4, 4)), top[..., None], 2
        )[:, :, 0, :]
        variance = np.take_along_axis(with_top, top, 2)[..., 0]
        slope = with_top / np.where(variance > 0, variance, 1.0)[..., None]
        rest, gap = z - slope * eta[..., None], 1 - slope
        others = np.arange(4) != top
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = rest / gap
            low = np.where((gap > PARALLEL) & others, crossing, -np.inf).max(axis=2)
            high = np.where((gap < -PARALLEL) & others, crossing, np.inf).min(axis=2)
            high = np.minimum(high, self.first_critical[:, None])
            sd = np.sqrt(variance)
            tail_low, tail, tail_high = (log_ndtr(-end / sd) for end in (low, eta, high))
            chance = np.expm1(tail - tail_low) / np.expm1(tail_high - tail_low)
        second = (1 - self.alpha) / (1 - self.first_size)
        passes = (eta <= self.first_critical[:, None]) & ((variance <= 0) | (chance <= second))
        return np.asarray((eta <= 0) | passes)

    def interval(self) -> tuple[float, float]:
        """The smallest interval that holds every target that some piece accepts."""
        low, high = self.reach
        live = np.flatnonzero(low <= high)
        part = self._only(live)
        low, high = low[live], high[live]
        grid = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, GRID)
        accepted = part.accepts(grid)
        some = np.flatnonzero(accepted.any(axis=1))
        part, grid, accepted = part._only(some), grid[some], accepted[some]
        rows, last = np.arange(len(some)), GRID - 1
        first = accepted.argmax(axis=1)
        final = last - accepted[:, ::-1].argmax(axis=1)
        lowest = part._outermost(-1.0, grid[rows, first], grid[rows, np.maximum(first - 1, 0)])
        return lowest, part._outermost(1.0, grid[rows, final], grid[rows, np.minimum(final + 1, last)])

    def _outermost(self, way: float, inside: Array, outside: Array) -> float:
        """The furthest target that some piece accepts, between one that each accepts and one that it does
        not, shape (n_pieces,) each; ``way`` is 1 or -1."""
        share = np.linspace(0.0, 1.0, PARTS + 1)
        part = self
        for _ in range(ROUNDS):
            far = np.flatnonzero(way * outside >= (way * inside).max())  # the others cannot be the furthest
            part, inside, outside = part._only(far), inside[far], outside[far]
            points = inside[:, None] + (outside - inside)[:, None] * share
            ok = part.accepts(points)
            ok[:, 0] = True
            at = PARTS - ok[:, ::-1].argmax(axis=1)
            rows = np.arange(len(far))
            inside, outside = points[rows, at], points[rows, np.minimum(at + 1, PARTS)]
        return float(way * (way * inside).max())

    def _only(self, which: Array) -> Pieces:
        part = Pieces(
            self.worst[which],
            self.spread[which],
            self.upper[which],
            self.lower[which],
            self.loose[which],
            self.tight[which],
            self.estimate,
            self.room,
            self.times,
            self.alpha,
        )
        part.__dict__["first_critical"] = self.first_critical[which]
        return part


def pieces(target: Differenced, times: float, alpha: float) -> Pieces:
    """The pieces of the bound ``times`` the worst difference before the start.

    Parameters
    ----------
    target : Differenced
        In first differences for relative magnitudes, in second for bends.
    times : float
        :math:`\\bar M`.
    alpha : float
        Size of the test.
    """
    cov, beta = target.path.cov, target.path.estimate
    v = np.concatenate([target.before, -target.before])
    on_y, of_v = cov @ target.after.T, v @ cov
    spread = np.empty((len(v), 2, 2))
    spread[:, 0, 0] = target.loading @ cov @ target.loading
    spread[:, 1, 1] = variance = (of_v * v).sum(axis=1)
    spread[:, 0, 1] = spread[:, 1, 0] = of_v @ target.loading
    own = (target.after * on_y.T).sum(axis=1) + times**2 * variance[:, None]
    cross = 2 * times * (v @ on_y)
    above, below = (np.sqrt(np.clip(own + sign * cross, 0.0, None)) for sign in (-1, 1))
    c = target.shares
    rises = c > 0
    both = above + below
    return Pieces(
        v @ beta,
        spread,
        (np.abs(c) * np.where(rises, below, above)).sum(axis=1),
        (np.abs(c) * np.where(rises, above, below)).sum(axis=1),
        both.max(axis=1),
        both.min(axis=1),
        target.estimate,
        times * float(np.abs(c).sum()),
        times,
        alpha,
    )


def _least_favourable(these: Pieces, which: slice) -> Array:
    """The :math:`1 - \\kappa` quantile of the maximum where every moment is 0, by quadrature over v."""
    spread = these.spread[which]
    upper, lower, tight = these.upper[which], these.lower[which], these.tight[which]
    sd = np.sqrt(spread[:, 1, 1])
    slope = spread[:, 0, 1] / np.where(sd > 0, sd, 1.0)
    left = np.sqrt(np.maximum(spread[:, 0, 0] - slope**2, 1e-30 * spread[:, 0, 0] + 1e-300))
    points, weights = NODES
    share = ((np.arange(PANELS)[:, None] + (points + 1) / 2) / PANELS).reshape(-1)
    mass = np.tile(weights / (2 * PANELS), PANELS)
    low, high = np.zeros(len(sd)), np.full(len(sd), float(ndtri(1 - these.first_size / 3)))
    limit = 2 * these.times * sd
    for _ in range(24):
        c = (low + high) / 2
        start = np.where(limit > 0, -c * tight / np.where(limit > 0, limit, 1.0), -FAR).clip(-FAR, FAR)
        u = start[:, None] + (FAR - start)[:, None] * share
        above = ((c * lower)[:, None] + (these.room * sd - slope)[:, None] * u) / left[:, None]
        below = ((-c * upper)[:, None] - (these.room * sd + slope)[:, None] * u) / left[:, None]
        inside = np.clip(ndtr(above) - ndtr(below), 0.0, None) * np.exp(-(u**2) / 2)
        chance = (inside @ mass) * (FAR - start) / np.sqrt(2 * np.pi)
        enough = chance >= 1 - these.first_size
        high, low = np.where(enough, c, high), np.where(enough, low, c)
    return np.asarray(high)
