"""Interrupted time series of many series with one design: the procedure of one, all at once.

The rule is that of :mod:`ucimpact.methods.its_ranges`: from 36 periods on the average over errors of two
orders; with fewer a t on Satterthwaite degrees of freedom, or the average over rho where they are under 5.
The relative effect is found by inversion, with the procedure of the average.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from ucimpact.data.periods import Frequency
from ucimpact.inference.crossing import crossings
from ucimpact.inference.many_series import ManyAr1, ManyStatistics, fit_ar1
from ucimpact.inference.many_series_design import SharedDesign
from ucimpact.inference.many_series_mixture import ManyMixture, RhoCells
from ucimpact.inference.many_series_residuals import ResidualCheck
from ucimpact.inference.many_series_second_order import SecondOrderCells
from ucimpact.inference.second_order import LEAST_POINTS
from ucimpact.inference.timeseries import LEAST_DF
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_findings import (
    BEYOND,
    HIGH_RHO,
    LONG_ENOUGH_FOR_HIGH_RHO,
    PATTERN,
    SMALL_MEAN,
    WANDERING,
)
from ucimpact.methods.its_many_effects import NUMBERS, ManyEffects, two_sided
from ucimpact.methods.its_ranges import OF_THE_AVERAGE, ROUTES

ROUTE = tuple(ROUTES)
ALONE, AVERAGED, SECOND, PLAIN = (
    ROUTE.index(name) for name in ("kenward-roger", "rho-averaged", "second-order", "least-squares")
)
MIXED = (AVERAGED, SECOND)
RELATIVE, AT = "relative", "effect_at"
PROPORTIONAL = 1e-9


class ManyGaussian:
    """The fit of a design to any number of series.

    Parameters
    ----------
    design : SegmentedDesign
        Of any one of the series: what depends on the outcome is not read.
    frequency : Frequency
    lags : int
        Of the residual check.
    level : float
    independent : bool
        Least squares with independent errors.
    """

    def __init__(
        self,
        design: SegmentedDesign,
        frequency: Frequency,
        *,
        lags: int,
        level: float,
        independent: bool,
    ) -> None:
        effects, later = design.contrasts(), design.at_periods(frequency)
        self.terms = (*effects, RELATIVE, *[AT] * len(later))
        self._event_times = (*[np.nan] * (len(effects) + 1), *later)
        self._relative = len(effects)
        self._design, self._level, self._independent = design, level, independent
        self._contrasts = np.vstack([*effects.values(), *later.values(), design.expected_average()])
        self._shared = SharedDesign.of(design.x)
        self._added = self._shared.added(self._contrasts)
        self._check = ResidualCheck(design.named, design.used, lags)
        self._used = int(design.used.sum())
        long = self._used >= LEAST_POINTS
        self._cells = (SecondOrderCells if long else RhoCells)(self._shared, self._contrasts)

    def room(self, count: int) -> ManyEffects:
        """Where the effects of ``count`` series go."""
        return ManyEffects.empty(self.terms, self._event_times, ROUTE, count)

    def fit(self, y: np.ndarray, people: np.ndarray | None, into: ManyEffects) -> None:
        """Fit series ``y`` (N, n), without holes, and write their effects; ``people`` play no part."""
        del people
        statistics = ManyStatistics.of(y, self._shared)
        fit = fit_ar1(statistics, self._contrasts, self._added, independent=self._independent)
        pattern = self._check.p_values(fit.residuals, fit.rho, (fit.var_rho > 0).astype(int)) < PATTERN
        chunk = _Chunk(fit, self._cells, self._level)
        last = len(self._contrasts) - 1
        for at in range(last):
            slot = at + (at >= self._relative)
            if at and self.terms[slot] in OF_THE_AVERAGE:
                chunk.follow(at, 0)
            else:
                chunk.decide(at)
            into.numbers[:, slot], into.route[slot] = chunk.row(at), chunk.routes[at]
        into.numbers[:, self._relative] = chunk.relative(0, last)
        into.route[self._relative] = chunk.routes[0]
        into.care[:] = self._care(y, fit, pattern, into)

    def limits(self, y: np.ndarray, term: str = "average") -> np.ndarray:
        """Limits of one effect alone of series ``y`` (N, n), shape (N, 2)."""
        at = self.terms.index(term, 0, self._relative)
        statistics = ManyStatistics.of(y, self._shared)
        fit = fit_ar1(statistics, self._contrasts, self._added, independent=self._independent)
        chunk = _Chunk(fit, self._cells, self._level)
        chunk.decide(at)
        return np.asarray(chunk.limits[at].T)

    def _care(self, y: np.ndarray, fit: ManyAr1, pattern: np.ndarray, into: ManyEffects) -> np.ndarray:
        """How many cautions each result calls for, as :func:`ucimpact.methods.its_findings.care` does."""
        design, routes = self._design, into.route[: self._relative]
        expected = (self._shared.in_basis(design.expected[design.after]) @ fit.coef).T
        seen = y[:, design.before]
        low, high = seen.min(axis=1), seen.max(axis=1)
        margin = BEYOND * (high - low)
        negative = (low >= 0) & (expected.min(axis=1) < 0)
        outside = (expected.min(axis=1) < low - margin) | (expected.max(axis=1) > high + margin)
        counts = y[:, design.used]
        small = (counts == np.round(counts)).all(axis=1) & (counts >= 0).all(axis=1)
        small &= counts.mean(axis=1) < SMALL_MEAN
        strong = (fit.rho > HIGH_RHO) & (self._used < LONG_ENOUGH_FOR_HIGH_RHO)
        signs = (
            strong,
            fit.rho > WANDERING,
            (routes == AVERAGED).any(axis=0),
            pattern,
            negative | outside,
            small,
        )
        no_ratio = ~np.isfinite(into.numbers[0, self._relative])
        return np.asarray(np.sum([sign.astype(np.int16) for sign in (*signs, no_ratio)], axis=0))


class _Chunk:
    """Procedures and intervals of one chunk of series."""

    def __init__(self, fit: ManyAr1, cells: SecondOrderCells | RhoCells, level: float) -> None:
        self.fit, self.level = fit, level
        self.count = len(fit.rho)
        self._tail = (1 - level) / 2
        estimated = fit.var_rho > 0
        self._usual = np.where(estimated, ALONE, PLAIN) + np.zeros_like(fit.dfs, dtype=np.int8)
        if isinstance(cells, SecondOrderCells):
            self._usual[:, estimated] = SECOND
        else:
            self._usual[(fit.dfs < LEAST_DF) & estimated] = AVERAGED
        mixed = np.flatnonzero(np.isin(self._usual, MIXED).any(axis=0))
        self._place = np.full(self.count, -1)
        self._place[mixed] = np.arange(len(mixed))
        self._mixture: ManyMixture | None = None
        if len(mixed):
            whole = len(mixed) == self.count
            self._mixture = cells.of(fit.statistics if whole else fit.statistics.take(mixed))
        m = len(fit.contrasts)
        self.routes = np.zeros((m, self.count), dtype=np.int8)
        self.limits = np.zeros((m, 2, self.count))

    def decide(self, at: int) -> None:
        """The procedure of each series for a contrast, and its limits."""
        self.routes[at] = self._usual[at]
        self.limits[at] = self._of_routes(at)

    def follow(self, at: int, leader: int) -> None:
        """Take the procedures of another contrast; where it is a multiple of it, the limits as well."""
        self.routes[at] = self.routes[leader]
        own, other = self.fit.contrasts[at], self.fit.contrasts[leader]
        times = float(own @ other / (other @ other))
        if times > 0 and np.abs(own - times * other).max() <= PROPORTIONAL * np.abs(own).max():
            self.limits[at] = times * self.limits[leader]
        else:
            self.limits[at] = self._of_routes(at)

    def _mixed(self, routes: np.ndarray) -> tuple[ManyMixture | None, np.ndarray]:
        """The mixture, if any of these routes needs it, and which of them do."""
        which = np.flatnonzero((routes == AVERAGED) | (routes == SECOND))
        return (self._mixture if len(which) else None), which

    def _of_routes(self, at: int) -> np.ndarray:
        fit = self.fit
        half = fit.std_errors[at] * stdtrit(fit.dfs[at], (1 + self.level) / 2)
        limits = np.stack([fit.estimates[at] - half, fit.estimates[at] + half])
        mixture, which = self._mixed(self.routes[at])
        if mixture:
            limits[:, which] = mixture.limits(at, self._place[which], self.level)
        return limits

    def row(self, at: int) -> tuple[np.ndarray, ...]:
        """Estimate, standard error, df, p-value and limits of a contrast."""
        fit, routes = self.fit, self.routes[at]
        estimate, error, df = fit.estimates[at], fit.std_errors[at].copy(), fit.dfs[at].copy()
        low, high = self.limits[at]
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = np.where(error > 0, two_sided(estimate / error, df), np.where(estimate == 0, 1.0, 0.0))
        mixture, which = self._mixed(routes)
        if mixture:
            below = mixture.below(at, self._place[which])
            p_value[which] = np.clip(2 * np.minimum(below, 1 - below), 0.0, 1.0)
        self._like_normal(routes, error, df, low, high)
        return estimate, error, df, p_value, low, high

    def _like_normal(
        self, routes: np.ndarray, error: np.ndarray, df: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> None:
        """Where no single t gave the limits: half their width over the normal quantile, and no df."""
        mixed = (routes == AVERAGED) | (routes == SECOND)
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
        mixture, mixed = self._mixed(routes)
        if mixture:
            places = self._place[which[mixed]]
            out[mixed] = mixture.ratio_below(top, bottom, places, theta[mixed])
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
