r"""A path of effects by event time, and the differences that bounds on drifts are written in.

Effects before the start should be 0, so they show how far the two groups drifted apart by themselves:
:math:`\beta = \delta + \tau` with :math:`\tau = 0` before the start. Effects are measured from a
reference period, where :math:`\delta = 0`. With periods one apart the first and second differences are

.. math:: \Delta\delta_t = \delta_t - \delta_{t-1}, \qquad
          \Delta^2\delta_t = \delta_{t+1} - 2\delta_t + \delta_{t-1} ;

with gaps they are slopes, and changes of slope per period. The differences after the start (:math:`R`)
determine the effects after it, so a target :math:`\theta = l'\tau_{post}` is a combination
:math:`c` of differences, and

.. math:: a = R'c, \qquad a'\beta = \theta + c'R\delta .

With first differences :math:`a'\hat\beta = l'\hat\beta_{post}`; with second differences it also takes
out the line through the last two periods before the start. The differences before the start (:math:`V`)
are what the bounds compare with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.lasso_path import lasso_path

Array = np.ndarray


@dataclass(frozen=True)
class EventPath:
    """Effects by event time with their covariance, the reference period left out.

    Attributes
    ----------
    estimate : array (n_events,)
    cov : array (n_events, n_events)
    times : array (n_events,)
        Event times in rising order.
    reference : float
        The event time that effects are measured from; effects are supposed to be 0 up to it.
    sizes : array (n_events,), optional
        Periods behind each effect, where several were pooled.
    also : array (n_events, n_events), optional
        A second covariance; where weights are chosen, the larger of the two variances counts.
    """

    estimate: Array
    cov: Array
    times: Array
    reference: float
    sizes: Array | None = None
    also: Array | None = None

    def __post_init__(self) -> None:
        k = len(self.times)
        if np.shape(self.estimate) != (k,) or np.shape(self.cov) != (k, k):
            raise ValueError(f"{k} event times need {k} effects and their covariance")
        if not np.all(np.diff(self.times) > 0) or np.any(self.times == self.reference):
            raise ValueError("event times must rise and leave out the reference")
        if not np.isfinite(self.estimate).all() or not np.isfinite(self.cov).all():
            raise EstimationError("some effects by event time have no estimate or no covariance")

    @property
    def before(self) -> Array:
        """Which effects come before the reference."""
        return np.asarray(self.times < self.reference)

    @property
    def after(self) -> Array:
        """Which effects come after it."""
        return np.asarray(self.times > self.reference)

    @property
    def since(self) -> Array:
        """Periods since the reference, shape (n_events,)."""
        return np.asarray(self.times - self.reference)

    def std_error(self, weights: Array) -> float:
        """Standard error of a combination of all effects."""
        return float(np.sqrt(max(weights @ self.cov @ weights, 0.0)))

    def loading(self, weights: Array) -> Array:
        """Weights of the effects after the reference, laid out over all effects."""
        if np.shape(weights) != (int(self.after.sum()),):
            number = int(self.after.sum())
            raise ValueError(f"{number} effects come after the reference, and {np.size(weights)} weights")
        out = np.zeros(len(self.times))
        out[self.after] = weights
        return out

    def widened(self, factors: Array) -> EventPath:
        """The path with every standard error multiplied, the correlations kept."""
        return replace(self, cov=self.cov * np.outer(factors, factors))

    def shrunk(self, share: float) -> EventPath:
        r"""The covariance drawn towards that of independent periods, for when few places gave it.

        With fewer places than periods some combination of effects has no variance at all, and a
        procedure that may choose weights would find it. ``share`` of the covariance is replaced by
        :math:`s^2(I + 11')`, periods of one variance measured from the reference, with the same trace.
        The covariance as it was is kept beside it: independent periods alone would make a line through
        the past look surer than it is where shocks last.
        """
        k = len(self.times)
        alone = (np.eye(k) + 1.0) * np.trace(self.cov) / (2 * k)
        return replace(self, cov=(1 - share) * self.cov + share * alone, also=self.cov)

    def pooled(self, together: int, shares: Array | None = None) -> EventPath:
        """Means of so many neighbouring periods, measured from those that end with the reference.

        Blocks are counted from the reference both ways. The first block is left out if it is not whole;
        the last is kept, so that every period of the pilot stays. Times are then in blocks.

        Parameters
        ----------
        together : int
        shares : array (n_events,), optional
            What each period counts within its block; alike unless given, and where a block has none.
        """
        if together <= 1:
            return self
        block = np.ceil(np.append(self.since, 0.0) / together)
        middle = np.append(self.since, 0.0)
        numbers = np.unique(block)
        if (block == numbers[0]).sum() < together and numbers[0] < 0:
            numbers = numbers[1:]
        counts = np.ones(len(block)) if shares is None else np.append(shares, 1.0)
        means = []
        for number in numbers:
            own = (block == number).astype(float)
            if (own * counts).sum() > 0:
                own = own * counts
            means.append(own / own.sum())
        at = int(np.flatnonzero(numbers == 0)[0])
        keep = np.arange(len(numbers)) != at
        moved = np.array(means) - means[at]
        change, times = moved[keep][:, :-1], (moved @ middle)[keep] / together
        sizes = np.array([(block == b).sum() for b in numbers], dtype=float)[keep]
        return EventPath(change @ self.estimate, change @ self.cov @ change.T, times, 0.0, sizes)

    @cached_property
    def _points(self) -> tuple[Array, Array]:
        """Event times with the reference among them, and each point as a combination of effects."""
        times = np.append(self.times, self.reference)
        order = np.argsort(times)
        rows = np.vstack([np.eye(len(self.times)), np.zeros(len(self.times))])
        return times[order], rows[order]

    def differences(self, order: int) -> tuple[Array, Array]:
        """First or second differences before (V) and after (R) the start, one a row."""
        times, rows = self._points
        gap = np.diff(times)
        slopes = np.diff(rows, axis=0) / gap[:, None]
        if order == 1:
            late = times[1:] > self.reference
            return slopes[~late], slopes[late]
        bends = np.diff(slopes, axis=0) / ((gap[1:] + gap[:-1]) / 2)[:, None]
        late = times[2:] > self.reference
        return bends[~late], bends[late]


@dataclass(frozen=True)
class Differenced:
    """A target written in differences of one order.

    Attributes
    ----------
    path : EventPath
    before, after : arrays (n_before, n_events), (n_after, n_events)
        :math:`V` and :math:`R`.
    shares : array (n_after,)
        :math:`c`.
    loading : array (n_events,)
        :math:`a`.
    """

    path: EventPath
    before: Array
    after: Array
    shares: Array
    loading: Array

    @property
    def estimate(self) -> float:
        """:math:`a'\\hat\\beta`."""
        return float(self.loading @ self.path.estimate)

    @cached_property
    def knots(self) -> Array:
        """Knots of the lasso that trades bias against variance, shape (n_knots, n_before)."""
        on_before = self.before @ self.path.cov
        return lasso_path(on_before @ self.before.T, on_before @ self.loading)


def differenced(path: EventPath, weights: Array, order: int) -> Differenced:
    """The target with these weights on the effects after the reference, in differences.

    Raises
    ------
    EstimationError
        With too few periods before the start for such differences.
    """
    path.loading(weights)
    number = int(path.before.sum())
    if number < 1:
        raise EstimationError("there is one period before the start, so no drift can be seen before it")
    before, after = path.differences(order)
    triangle = after[:, path.after]
    shares = np.linalg.solve(triangle.T, np.asarray(weights, dtype=float))
    return Differenced(path, before, after, shares, after.T @ shares)
