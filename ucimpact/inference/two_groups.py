r"""Two groups of one number a place, one of them very small: t procedures that borrow spread.

A lone pilot place shows no spread of its own, so its variance must come from the others. With contrasts
:math:`c_i`, shares :math:`\omega_i` and relative variances :math:`h_i` (1 unless something is known):

**Pooled t** (Donald and Lang 2007, *REStat* 89(2); exact for normal contrasts of equal variance, from
one pilot place up): :math:`s^2 = \sum_i r_i^2/h_i / (N-2)` about group means, :math:`v =
s^2\sum_i\omega_i^2 h_i`, t on N - 2 degrees of freedom.

**Size-model t**: variances fall with the size :math:`M_i` of a place, :math:`f_i = A + B/M_i` with
:math:`A, B \ge 0` fitted to squared residuals with the effect :math:`e` imposed (Ferman and Pinto 2019,
*REStat* 101(3)), then rescaled by the residuals about group means,

.. math:: v(e) = \frac{1}{N-2}\sum_i \frac{r_i^2}{f_i(e)} \; \sum_i \omega_i^2 f_i(e) ,

so that the place's own effect cannot swell its variance without limit. The estimate stays the unweighted
one. The interval is every :math:`e` with :math:`|b - e| \le t_{N-2}\sqrt{v(e)}`: it leaves out 0 exactly
when the p-value is below 1 - level, and moves with the effect. Where the fit gives B = 0 this is the
pooled t."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from scipy.special import stdtr, stdtrit

from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.covariance import Kind, cluster_covariance

Array = np.ndarray
ALL_ALIKE = 1e-12
"""A spread this small beside the outcome itself is rounding, not noise."""


@dataclass(frozen=True)
class Inferred:
    """Uncertainty of each effect; every array has shape (n_effects,), ``nan`` where there is none."""

    estimate: Array
    std_error: Array
    df: Array
    p_value: Array
    low: Array
    high: Array

    @property
    def statistic(self) -> Array:
        """Estimate over standard error."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.estimate / self.std_error)

    def part(self, which: slice) -> Inferred:
        """Some of the effects."""
        return Inferred(*(getattr(self, f.name)[which] for f in fields(self)))


class Procedure(Protocol):
    """A way from contrasts to uncertainty."""

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """Standard error, p-value and interval of each effect."""
        ...


def critical(level: float, df: Array) -> Array:
    """Two-sided quantile of Student's t."""
    return np.asarray(stdtrit(df, (1 + level) / 2))


def two_sided(statistic: Array, df: Array) -> Array:
    """p-value of Student's t."""
    return np.asarray(2 * stdtr(df, -np.abs(statistic)))


def by_t(estimate: Array, std_error: Array, df: Array, level: float) -> Inferred:
    """The usual interval; ``nan`` where the standard error is 0 or there are no degrees of freedom."""
    sound = np.isfinite(std_error) & (std_error > 0) & (df > 0)
    se, nu = np.where(sound, std_error, np.nan), np.where(sound, df, np.nan)
    half = critical(level, nu) * se
    return Inferred(estimate, se, nu, two_sided(estimate / se, nu), estimate - half, estimate + half)


def none(estimate: Array) -> Inferred:
    """The estimate alone."""
    gap = np.full(len(estimate), np.nan)
    return Inferred(estimate, gap, gap, gap, gap, gap)


@dataclass(frozen=True)
class Refused:
    """No p-value and no interval."""

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:  # noqa: ARG002  one shape for all
        """The estimates alone."""
        return none(contrasts.estimate)


@dataclass(frozen=True)
class PooledT:
    """Pooled t; ``spread`` (n_places,) holds relative variances."""

    spread: Array

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """See the module."""
        df = contrasts.heard.sum(axis=1) - 2.0
        spread = self.spread * contrasts.relative
        squares = (contrasts.residuals(spread) ** 2 / spread).sum(axis=1)
        variance = squares / df * contrasts.noise(spread)
        return by_t(contrasts.estimate, _real(np.sqrt(variance), contrasts), df, level)


@dataclass(frozen=True)
class SizeModelT:
    """Size-model t; ``sizes`` and ``spread`` have shape (n_places,)."""

    sizes: Array
    spread: Array

    def shape(self, contrasts: Contrasts, effect: Array) -> Array:
        """:math:`f_i(e)` up to scale, shape (..., n_effects, n_places), for ``effect`` (...,
        n_effects)."""
        heard = contrasts.heard
        imposed = contrasts.values - (effect * contrasts.per_effect)[..., None] * contrasts.pilot
        number = heard.sum(axis=1)[:, None]
        mean = np.where(heard, imposed, 0.0).sum(axis=-1, keepdims=True) / number
        squares = np.where(heard, (imposed - mean) ** 2 / (self.spread * contrasts.relative), 0.0)
        constant, slope = fall_with_size(squares, 1 / self.sizes, heard)
        return np.asarray(constant[..., None] + slope[..., None] / self.sizes)

    def joint_shape(self, contrasts: Contrasts) -> Array:
        """One :math:`f_i` for several effects that are supposed to be 0, mean 1, shape (n_places,)."""
        centred = contrasts.values - contrasts.values.mean(axis=1, keepdims=True)
        squares = (centred**2).sum(axis=1, keepdims=True)
        share = (centred**2 / np.where(squares > 0, squares, 1.0)).mean(axis=0, keepdims=True)
        everyone = np.ones_like(share, dtype=bool)
        constant, slope = fall_with_size(share / self.spread, 1 / self.sizes, everyone)
        shape = constant[0] + slope[0] / self.sizes
        return np.asarray(shape / shape.mean() if np.all(shape > 0) else np.ones_like(shape))

    def falls(self, contrasts: Contrasts) -> bool:
        """Whether the variance of the first effect falls with size at all, at its estimate."""
        squares = contrasts.residuals() ** 2 / (self.spread * contrasts.relative)
        return bool(fall_with_size(squares, 1 / self.sizes, contrasts.heard)[1][0] > 0)

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """See the module."""
        df = contrasts.heard.sum(axis=1) - 2.0
        spread = self.spread * contrasts.relative
        own = contrasts.residuals(spread) ** 2 / spread

        def error(effect: Array) -> Array:
            shape = self.shape(contrasts, effect)
            with np.errstate(invalid="ignore", divide="ignore"):
                scale = (own / shape).sum(axis=-1) / df
            return np.asarray(np.sqrt(scale * contrasts.noise(shape * spread)))

        b = contrasts.estimate
        found = by_t(b, _real(error(np.zeros_like(b)), contrasts), df, level)
        if not np.all(np.isfinite(found.std_error)):
            return found
        low, high = invert(b, error, critical(level, df))
        return Inferred(b, found.std_error, found.df, found.p_value, low, high)


@dataclass(frozen=True)
class Robust:
    """A variance from each place's own residuals, with Satterthwaite degrees of freedom (CR1: G - 1)."""

    kind: Kind

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """See :mod:`ucimpact.inference.covariance`."""
        clustered = cluster_covariance(contrasts.design(), self.kind)
        df = np.full_like(clustered.df, len(clustered.scores) - 1.0) if self.kind == "CR1" else clustered.df
        error = _real(np.sqrt(np.diag(clustered.cov)), contrasts)
        return by_t(contrasts.estimate, error, df, level)


@dataclass(frozen=True)
class OwnSpread:
    r"""A variance from the spread of each group about its own mean, as CR2 is for two groups.

    With :math:`s_i` a place's part of the share of its group, :math:`r_i` its distance from the group's
    weighted mean and :math:`a_i = \omega_i^2 h_i`,

    .. math:: v = \sum_i \frac{\omega_i^2 r_i^2}{1 - s_i}, \qquad
              df = \Bigl(\sum_i a_i\Bigr)^2 \Big/ \sum_{groups} \frac{m}{m-1} \sum_i a_i^2 .

    ``groups`` (n_places,) codes groups from 0: the pilot places of a start, if there are enough of them, and
    the comparison places. What places add as comparison alone comes with the comparison group's own variance.
    """

    groups: Array

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """See the class."""
        variance = np.zeros(len(contrasts.estimate))
        total, squares = np.zeros_like(variance), np.zeros_like(variance)
        for group in range(int(self.groups.max()) + 1):
            v, a, a2 = self._group(contrasts, self.groups == group)
            variance, total, squares = variance + v, total + a, squares + a2
        with np.errstate(invalid="ignore", divide="ignore"):
            df = total**2 / squares
        error = _real(np.sqrt(variance + self._beside(contrasts)), contrasts)
        return by_t(contrasts.estimate, error, df, level)

    def parts(self, contrasts: Contrasts) -> Array:
        """What each place adds about its group's mean, shape (n_effects, n_places); squares add up to v."""
        out = np.zeros_like(contrasts.values)
        for group in range(int(self.groups.max()) + 1):
            here = self.groups == group
            out[:, here] = self._residuals(contrasts, here)
        return out

    def _residuals(self, contrasts: Contrasts, here: Array) -> Array:
        shares, values = contrasts.shares[:, here], contrasts.values[:, here]
        total = shares.sum(axis=1, keepdims=True)
        part = shares / np.where(total != 0, total, 1.0)
        residuals = np.where(shares != 0, values - (part * values).sum(axis=1, keepdims=True), 0.0)
        return np.asarray(shares * residuals / np.sqrt(np.where(part < 1, 1 - part, 1.0)))

    def _group(self, contrasts: Contrasts, here: Array) -> tuple[Array, Array, Array]:
        shares = contrasts.shares[:, here]
        number = (shares != 0).sum(axis=1)
        alone = number == 1  # a lone place has no spread of its own: nothing can be said
        variance = (self._residuals(contrasts, here) ** 2).sum(axis=1)
        a = shares**2 * contrasts.relative[:, here]
        factor = number / np.where(number > 1, number - 1, 1)
        return np.where(alone, np.nan, variance), a.sum(axis=1), factor * (a**2).sum(axis=1)

    def _beside(self, contrasts: Contrasts) -> Array | float:
        if contrasts.beside is None:
            return 0.0
        others = ~contrasts.pilot
        residuals = contrasts.residuals()[:, others]
        number = contrasts.heard[:, others].sum(axis=1)
        return np.asarray((residuals**2).sum(axis=1) / (number - 1) * contrasts.beside)


@dataclass(frozen=True)
class Either:
    """One procedure for effects that ``enough`` places of either group say something about, else another."""

    many: Procedure
    few: Procedure
    enough: int

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """See the class."""
        plenty = self.plenty(contrasts)
        if plenty.all():
            return self.many.infer(contrasts, level)
        one, two = self.many.infer(contrasts, level), self.few.infer(contrasts, level)
        return Inferred(*(np.where(plenty, getattr(one, f.name), getattr(two, f.name)) for f in fields(one)))

    def plenty(self, contrasts: Contrasts) -> Array:
        """Which effects ``many`` is used for, shape (n_effects,)."""
        heard, pilot = contrasts.heard, contrasts.pilot
        fewer = np.minimum(heard[:, pilot].sum(axis=1), heard[:, ~pilot].sum(axis=1))
        return np.asarray(fewer >= self.enough)


def correlation_of(procedure: Procedure, contrasts: Contrasts) -> Array:
    """Correlation of the effects over places as the procedure reads their noise, (n_effects, n_effects).

    Where spread is pooled every place's distance from its group's mean counts alike, in units of its own
    noise; weighting them by shares, as an effect does, would let two pilot places stand for all.
    """
    parts = _directions(procedure, contrasts)
    size = np.sqrt((parts**2).sum(axis=1))
    unit = parts / np.where(size > 0, size, 1.0)[:, None]
    out = np.clip(unit @ unit.T, -1.0, 1.0)
    np.fill_diagonal(out, 1.0)
    return np.asarray(out)


def _directions(procedure: Procedure, contrasts: Contrasts) -> Array:
    if isinstance(procedure, OwnSpread):
        return procedure.parts(contrasts)
    pooled = contrasts.residuals(contrasts.relative) / np.sqrt(contrasts.relative)
    if isinstance(procedure, Either):
        own = _directions(procedure.many, contrasts)
        return np.where(procedure.plenty(contrasts)[:, None], own, pooled)
    return np.asarray(pooled)


@dataclass(frozen=True)
class Wider:
    """Two procedures: the larger p-value, and the smallest interval that holds both.

    Standard error and degrees of freedom are those of the first.
    """

    first: Procedure
    second: Procedure

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """See the class."""
        one, two = self.first.infer(contrasts, level), self.second.infer(contrasts, level)
        return Inferred(
            one.estimate,
            one.std_error,
            one.df,
            np.where(np.isnan(one.p_value), np.nan, np.fmax(one.p_value, two.p_value)),
            np.where(np.isnan(one.low), np.nan, np.fmin(one.low, two.low)),
            np.where(np.isnan(one.high), np.nan, np.fmax(one.high, two.high)),
        )


def fall_with_size(squares: Array, inverse_size: Array, heard: Array) -> tuple[Array, Array]:
    """Least squares of ``squares`` (..., n_effects, n_places) on 1 and 1/size, neither below 0."""
    n = heard.sum(axis=-1)
    x = np.where(heard, inverse_size, 0.0)
    mean_x, mean = x.sum(axis=-1) / n, squares.sum(axis=-1) / n
    centred = np.where(heard, inverse_size - mean_x[..., None], 0.0)
    across = (centred**2).sum(axis=-1)
    slope = (squares * centred).sum(axis=-1) / np.where(across > 0, across, 1.0)
    slope = np.where((slope < 0) | (across <= 0), 0.0, slope)
    constant = mean - slope * mean_x
    through_origin = (squares * x).sum(axis=-1) / (x**2).sum(axis=-1)
    return np.where(constant < 0, 0.0, constant), np.where(constant < 0, through_origin, slope)


def invert(estimate: Array, error: Callable[[Array], Array], factor: Array) -> tuple[Array, Array]:
    """The ends of every effect e with ``|estimate - e| <= factor * error(e)``, shape (n_effects,) each.

    The outermost crossing is found on a grid of distances and refined by false position (Illinois rule).
    """
    sign = np.array([-1.0, 1.0])[:, None]

    def room(distance: Array) -> Array:
        return np.asarray(factor * error(estimate + sign * distance) - distance)

    reach = np.broadcast_to(factor * error(estimate), (2, len(estimate)))
    for _ in range(60):
        still = room(reach) >= 0
        if not still.any():
            break
        reach = np.where(still, 2 * reach, reach)
    steps = np.linspace(0.0, 1.0, 17)
    rooms = np.array([room(step * reach) for step in steps])
    last = len(steps) - 1 - np.argmax(rooms[::-1] >= 0, axis=0)
    near, far = steps[last] * reach, steps[np.minimum(last + 1, 16)] * reach
    at_near = np.take_along_axis(rooms, last[None], axis=0)[0]
    at_far = np.take_along_axis(rooms, np.minimum(last + 1, 16)[None], axis=0)[0]
    root = far
    for _ in range(40):
        gap = at_near - at_far
        root = np.where(gap > 0, far + (far - near) * at_far / np.where(gap > 0, gap, 1.0), far)
        at = room(root)
        inside = at >= 0
        near, far = np.where(inside, root, near), np.where(inside, far, root)
        at_near, at_far = np.where(inside, at, at_near / 2), np.where(inside, at_far / 2, at)
        if np.all(np.abs(at) <= 1e-11 * (np.abs(root) + np.abs(estimate))):
            break
    return estimate - root[0], estimate + root[1]


def _real(std_error: Array, contrasts: Contrasts) -> Array:
    """The standard error, ``nan`` where it is 0 but for rounding."""
    floor = ALL_ALIKE * np.fmax(np.abs(contrasts.values).max(axis=1), contrasts.scale)
    return np.where(std_error > floor, std_error, np.nan)
