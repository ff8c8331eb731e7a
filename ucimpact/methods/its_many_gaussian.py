"""Interrupted time series of many series with one design: the procedure of one, all at once.

The rules are those of :mod:`ucimpact.methods.its_ranges`: a t on Satterthwaite degrees of freedom; the
average over rho where they are under 5; from 48 periods on AR(1) plus white noise beside it, and the
wider of the two where the residuals still have a pattern or it is more than a quarter wider. The
relative effect is found by inversion, with the procedure of the average.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from ucimpact.inference.crossing import crossings
from ucimpact.inference.many_series import ManyAr1, ManyStatistics, SharedDesign, fit_ar1
from ucimpact.inference.many_series_mixture import ManyMixture, NoiseCells, RhoCells
from ucimpact.inference.many_series_residuals import ResidualCheck
from ucimpact.inference.timeseries import LEAST_DF
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_findings import (
    BEYOND,
    HIGH_RHO,
    LONG_ENOUGH_FOR_HIGH_RHO,
    PATTERN,
    SMALL_MEAN,
)
from ucimpact.methods.its_many_effects import NUMBERS, ManyEffects, two_sided
from ucimpact.methods.its_ranges import LEAST_FOR_NOISE, OF_THE_AVERAGE, ROUTES, TOO_WIDE

ROUTE = tuple(ROUTES)
ALONE, AVERAGED, NOISE, PLAIN = (
    ROUTE.index(name) for name in ("kenward-roger", "rho-averaged", "ar1-plus-noise", "least-squares")
)
RELATIVE = "relative"
PROPORTIONAL = 1e-9


class ManyGaussian:
    """The fit of a design to any number of series.

    Parameters
    ----------
    design : SegmentedDesign
        Of any one of the series: what depends on the outcome is not read.
    lags : int
        Of the residual check.
    level : float
    independent : bool
        Least squares with independent errors.
    """

    def __init__(self, design: SegmentedDesign, *, lags: int, level: float, independent: bool) -> None:
        contrasts = design.contrasts()
        self.terms = (*contrasts, RELATIVE)
        self._design, self._level, self._independent = design, level, independent
        self._contrasts = np.vstack([*contrasts.values(), design.expected_average()])
        self._shared = SharedDesign.of(design.x)
        self._added = self._shared.added(self._contrasts)
        self._check = ResidualCheck(design.named, design.used, lags)
        self._averaged = RhoCells(self._shared, self._contrasts)
        self._noise = None
        self._used = int(design.used.sum())
        if self._used >= LEAST_FOR_NOISE and not independent:
            self._noise = NoiseCells(self._shared, self._contrasts)

    def room(self, count: int) -> ManyEffects:
        """Where the effects of ``count`` series go."""
        return ManyEffects.empty(self.terms, ROUTE, count)

    def fit(self, y: np.ndarray, into: ManyEffects) -> None:
        """Fit series ``y`` (N, n), without holes, and write their effects."""
        statistics = ManyStatistics.of(y, self._shared)
        fit = fit_ar1(statistics, self._contrasts, self._added, independent=self._independent)
        pattern = self._check.p_values(fit.residuals, fit.rho, (fit.var_rho > 0).astype(int)) < PATTERN
        chunk = _Chunk(fit, pattern, self._averaged, self._noise, self._level)
        last = len(self._contrasts) - 1
        for at, term in enumerate(self.terms[:-1]):
            if term not in OF_THE_AVERAGE or at == 0:
                chunk.decide(at)
            else:
                chunk.follow(at, 0)
            for name, values in zip(NUMBERS, chunk.row(at), strict=True):
                into.put(at, **{name: values})
            into.route[at] = chunk.routes[at]
        for name, values in zip(NUMBERS, chunk.relative(0, last), strict=True):
            into.put(last, **{name: values})
        into.route[last] = chunk.routes[0]
        into.care[:] = self._care(y, fit, pattern, into)

    def _care(self, y: np.ndarray, fit: ManyAr1, pattern: np.ndarray, into: ManyEffects) -> np.ndarray:
        """How many cautions each result calls for, as :func:`ucimpact.methods.its_findings.care` does."""
        design, routes = self._design, into.route[:-1]
        expected = (self._shared.in_basis(design.expected[design.after]) @ fit.coef).T
        seen = y[:, design.before]
        low, high = seen.min(axis=1), seen.max(axis=1)
        margin = BEYOND * (high - low)
        negative = (low >= 0) & (expected.min(axis=1) < 0)
        outside = (expected.min(axis=1) < low - margin) | (expected.max(axis=1) > high + margin)
        wider = (routes == NOISE).any(axis=0)
        counts = y[:, design.used]
        small = (counts == np.round(counts)).all(axis=1) & (counts >= 0).all(axis=1)
        small &= counts.mean(axis=1) < SMALL_MEAN
        strong = (fit.rho > HIGH_RHO) & (self._used < LONG_ENOUGH_FOR_HIGH_RHO)
        signs = (strong, (routes == AVERAGED).any(axis=0), pattern, wider, negative | outside, small)
        no_ratio = ~np.isfinite(into.numbers[0, -1])
        return np.sum([sign.astype(np.int16) for sign in (*signs, no_ratio)], axis=0)


class _Chunk:
    """Procedures and intervals of one chunk of series."""

    def __init__(
        self, fit: ManyAr1, pattern: np.ndarray, averaged: RhoCells, noise: NoiseCells | None, level: float
    ) -> None:
        self.fit, self.pattern, self.level = fit, pattern, level
        self.count = len(fit.rho)
        self.known = fit.var_rho == 0
        self._tail = (1 - level) / 2
        self.low_df = (fit.dfs < LEAST_DF) & ~self.known
        self._some = np.flatnonzero(self.low_df.any(axis=0))
        self._place = np.full(self.count, -1)
        self._place[self._some] = np.arange(len(self._some))
        self._averaged = averaged.of(fit.statistics.take(self._some)) if len(self._some) else None
        self._noise = noise.of(fit.statistics) if noise else None
        m = len(fit.contrasts)
        self.routes = np.zeros((m, self.count), dtype=np.int8)
        self.limits = np.zeros((m, 2, self.count))

    def decide(self, at: int) -> None:
        """The procedure of each series for a contrast, and its limits."""
        everyone = np.arange(self.count)
        self.routes[at] = np.where(self.known, PLAIN, np.where(self.low_df[at], AVERAGED, ALONE))
        self.limits[at] = self._of_routes(at)
        if self._noise is None:
            return
        usual = self.limits[at, 1] - self.limits[at, 0]
        beside = self._noise.limits(at, everyone, self.level)
        wider = beside[1] - beside[0] > usual * np.where(self.pattern, 1.0, TOO_WIDE)
        wider &= ~self.known
        self.routes[at, wider] = NOISE
        self.limits[at][:, wider] = beside[:, wider]

    def follow(self, at: int, leader: int) -> None:
        """Take the procedures of another contrast; where it is a multiple of it, the limits as well."""
        self.routes[at] = self.routes[leader]
        own, other = self.fit.contrasts[at], self.fit.contrasts[leader]
        times = float(own @ other / (other @ other))
        if times > 0 and np.abs(own - times * other).max() <= PROPORTIONAL * np.abs(own).max():
            self.limits[at] = times * self.limits[leader]
        else:
            self.limits[at] = self._of_routes(at)

    def _mixed(self, which: np.ndarray, route: int) -> tuple[ManyMixture, np.ndarray]:
        """The mixture of a route, and the places of series in it."""
        mixture = self._noise if route == NOISE else self._averaged
        assert mixture is not None
        return mixture, which if route == NOISE else self._place[which]

    def _of_routes(self, at: int) -> np.ndarray:
        fit, routes = self.fit, self.routes[at]
        half = fit.std_errors[at] * stdtrit(fit.dfs[at], (1 + self.level) / 2)
        limits = np.stack([fit.estimates[at] - half, fit.estimates[at] + half])
        for route in (AVERAGED, NOISE):
            which = np.flatnonzero(routes == route)
            if len(which):
                mixture, places = self._mixed(which, route)
                limits[:, which] = mixture.limits(at, places, self.level)
        return limits

    def row(self, at: int) -> tuple[np.ndarray, ...]:
        """Estimate, standard error, df, p-value and limits of a contrast."""
        fit, routes = self.fit, self.routes[at]
        estimate, error, df = fit.estimates[at], fit.std_errors[at].copy(), fit.dfs[at].copy()
        low, high = self.limits[at]
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = np.where(error > 0, two_sided(estimate / error, df), np.where(estimate == 0, 1.0, 0.0))
        for route in (AVERAGED, NOISE):
            which = np.flatnonzero(routes == route)
            if len(which):
                mixture, places = self._mixed(which, route)
                below = mixture.below(at, places)
                p_value[which] = np.clip(2 * np.minimum(below, 1 - below), 0.0, 1.0)
        self._like_normal(routes, error, df, low, high)
        return estimate, error, df, p_value, low, high

    def _like_normal(
        self, routes: np.ndarray, error: np.ndarray, df: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> None:
        """Where no single t gave the limits: half their width over the normal quantile, and no df."""
        mixed = (routes == AVERAGED) | (routes == NOISE)
        error[mixed] = (high - low)[mixed] / 2 / ndtri((1 + self.level) / 2)
        df[mixed] = np.nan

    def _below(self, top: int, bottom: int, which: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Chance that one contrast less ``theta`` times another is below 0."""
        out, routes = np.empty(len(which)), self.routes[top, which]
        alone = (routes == ALONE) | (routes == PLAIN)
        if alone.any():
            estimate, error, df = self.fit.along(top, bottom, theta[alone], which[alone])
            with np.errstate(divide="ignore", invalid="ignore"):
                t = -estimate / error
            out[alone] = np.where(error > 0, stdtr(df, t), np.where(estimate < 0, 1.0, 0.0))
        for route in (AVERAGED, NOISE):
            here = routes == route
            if here.any():
                mixture, places = self._mixed(which[here], route)
                out[here] = mixture.ratio_below(top, bottom, places, theta[here])
        return out

    def relative(self, top: int, bottom: int) -> tuple[np.ndarray, ...]:
        """The same for one contrast over another; ``nan`` where the other cannot be told from 0."""
        fit = self.fit
        self.routes[bottom] = self.routes[top]
        clear = np.flatnonzero(self._of_routes(bottom)[0] > 0)
        out = tuple(np.full(self.count, np.nan) for _ in NUMBERS)
        ratio = fit.estimates[top, clear] / fit.estimates[bottom, clear]
        _, error, df = fit.along(top, bottom, ratio, clear)
        error = error / fit.estimates[bottom, clear]

        def below(which: np.ndarray, theta: np.ndarray) -> np.ndarray:
            return self._below(top, bottom, clear[which], theta)

        low, high = ratio.copy(), ratio.copy()
        some = np.flatnonzero(error > 0)
        for ends, q in ((low, self._tail), (high, 1 - self._tail)):
            ends[some] = crossings(
                lambda which, theta: below(some[which], theta), ratio[some], error[some], q
            )
        self._like_normal(self.routes[top, clear], error, df, low, high)
        chance = below(np.arange(len(clear)), np.zeros(len(clear)))
        p_value = np.clip(2 * np.minimum(chance, 1 - chance), 0.0, 1.0)
        for values, found in zip(out, (ratio, error, df, p_value, low, high), strict=True):
            values[clear] = found
        return out
