"""Interrupted time series of many series of counts with one design: the procedure of one, all at once.

The effects are those of :mod:`ucimpact.methods.count_its_effects`: log ratios from the average over AR(1)
plus noise (or from quasi-Poisson regression), and what they come to in events and as shares.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.special import ndtri, stdtrit

from ucimpact.inference.many_counts import ManyPoisson, many_poisson
from ucimpact.inference.many_counts_noise import CountCells, CountMixture
from ucimpact.inference.many_small import backward, forward
from ucimpact.inference.mixture import COUNTED
from ucimpact.methods.count_its_design import FEW_EVENTS, LEAST_EVENTS, RATES_ONLY, CountDesign
from ucimpact.methods.count_its_effects import held
from ucimpact.methods.count_its_findings import BEYOND, LEARNED_FROM, TOO_EVEN
from ucimpact.methods.its_many_effects import NUMBERS, ManyEffects, two_sided

BLOCK = 256
"""Series worked on at a time: the 28 cells of each hold 2,000 numbers."""

MIXTURE, INDEPENDENT = "mixture", "quasi-poisson"
Row = tuple[np.ndarray, ...]
"""Numbers in the order of :data:`~ucimpact.methods.its_many_effects.NUMBERS`, each of shape (N,)."""


class _Spread(Protocol):
    """How sure the coefficients of a block of series are."""

    def mean(self) -> np.ndarray:
        """Coefficients of the basis, shape (p, N)."""

    def row(self, contrast: np.ndarray, shift: np.ndarray | float = 0.0) -> Row:
        """A contrast of the basis plus ``shift``."""


class _Averaged:
    def __init__(self, mixture: CountMixture, level: float) -> None:
        self._mixture, self._level, self._mean = mixture, level, mixture.mean()

    def mean(self) -> np.ndarray:
        return self._mean

    def row(self, contrast: np.ndarray, shift: np.ndarray | float = 0.0) -> Row:
        own = contrast[:, None] if contrast.ndim == 1 else contrast
        estimate = (own * self._mean).sum(axis=0) + shift
        centre, scale = self._mixture.cells(contrast)
        centre = centre + shift
        low, high = self._mixture.limits(centre, scale, self._level)
        below = self._mixture.below(centre, scale)
        error = (high - low) / 2 / ndtri((1 + self._level) / 2)
        p_value = np.clip(2 * np.minimum(below, 1 - below), 0.0, 1.0)
        return estimate, error, np.full_like(error, np.nan), p_value, low, high


class _Independent:
    def __init__(self, fit: ManyPoisson, level: float) -> None:
        self._fit, self._level = fit, level
        self._df = float(fit.basis.shape[0] - fit.basis.shape[1])
        # the working regression is one step on from the Poisson fit
        half = forward(fit.factors, fit.basis.T @ (fit.y - fit.mu))
        self._mean: np.ndarray = fit.coef + backward(fit.factors, half)
        left = (fit.pearson**2).sum(axis=0) - (half**2).sum(axis=0)
        self._variance = left / self._df

    def mean(self) -> np.ndarray:
        return self._mean

    def row(self, contrast: np.ndarray, shift: np.ndarray | float = 0.0) -> Row:
        own = contrast[:, None] if contrast.ndim == 1 else contrast
        estimate = (own * self._mean).sum(axis=0) + shift
        error = np.sqrt(self._variance * np.square(forward(self._fit.factors, own)).sum(axis=0))
        half = stdtrit(self._df, (1 + self._level) / 2) * error
        df = np.full_like(error, self._df)
        return estimate, error, df, two_sided(estimate / error, df), estimate - half, estimate + half


class ManyCounts:
    """The fit of a design of counts to any number of series.

    Parameters
    ----------
    design : CountDesign
        Of any one of the series: what depends on counts and people is not read.
    lengths : array (n,)
        Length of each period over the average; ones where days do not count.
    level : float
    independent : bool
        Quasi-Poisson with independent periods, in place of the average.
    """

    def __init__(self, design: CountDesign, lengths: np.ndarray, *, level: float, independent: bool) -> None:
        segments = design.segments
        self._design, self._segments, self._lengths = design, segments, lengths
        self._level, self._independent = level, independent
        self._cells = None if independent else CountCells(segments.used, COUNTED)
        logs = segments.contrasts()
        later = segments.at_periods(design.data.frequency)
        self._logs = {name: logs[name] for name in ("level_change", "slope_change") if name in logs}
        self._later = later
        first = ["average", *(["level_change"] if "level_change" in logs else []), "cumulative", "relative"]
        names = [*first, "log_average", *(f"log_{name}" for name in self._logs)]
        self.terms = (*names, *["effect_at"] * len(later))
        self._event_times = (*[np.nan] * len(names), *map(float, later))

    def room(self, count: int) -> ManyEffects:
        """Where the effects of ``count`` series go."""
        route = INDEPENDENT if self._independent else MIXTURE
        return ManyEffects.empty(self.terms, self._event_times, (route,), count)

    def fit(self, y: np.ndarray, people: np.ndarray | None, into: ManyEffects) -> None:
        """Fit counts ``y`` (N, n) of ``people`` (N, n), and write their effects."""
        exposure = np.broadcast_to(self._lengths, y.shape) if people is None else people * self._lengths
        self._refuse(y, into)
        whole = np.flatnonzero(into.refused == "")
        for at in range(0, len(whole), BLOCK):
            which = whole[at : at + BLOCK]
            self._fit_block(y[which].T, exposure[which].T, which, into)

    def _refuse(self, y: np.ndarray, into: ManyEffects) -> None:
        """Series that are no counts, or have none on one side."""
        segments, outcome = self._segments, self._design.outcome
        noun = self._design.data.frequency.noun
        for which, side in ((segments.before, "before the start"), (segments.after, "with the pilot")):
            if which.any():
                periods = f"the {int(which.sum())} {noun}s {side}"
                text = f"No {outcome} at all in {periods}: a ratio has no value there. {RATES_ONLY}."
                into.refused[~y[:, which].any(axis=1)] = text
        counts = y[:, segments.used]
        wrong = ((counts < 0) | (counts != np.round(counts))).any(axis=1)
        into.refused[wrong] = (
            f"{outcome[:1].upper()}{outcome[1:]} has values that are no counts (below 0, or not whole). "
            'Give the count of events, or use the method "its".'
        )

    def _fit_block(self, y: np.ndarray, exposure: np.ndarray, which: np.ndarray, into: ManyEffects) -> None:
        """Fit a block of series (n, N) and write their effects at the places ``which``."""
        used = self._segments.used
        offset = np.log(exposure)
        fit = many_poisson(y[used], self._segments.named[used], offset[used])
        if not fit.sound.all():
            into.refused[which[~fit.sound]] = (
                "No ratio can be fitted to these counts: a fitted mean is next to nothing, a coefficient has "
                f"no finite value, or nothing is left over to measure chance by. {RATES_ONLY}."
            )
            keep = fit.sound
            if keep.any():
                self._fit_block(y[:, keep], exposure[:, keep], which[keep], into)
            return
        spread: _Spread = (
            _Independent(fit, self._level)
            if self._cells is None
            else _Averaged(self._cells.of(fit), self._level)
        )
        for at, row in enumerate(self._rows(y, offset, fit.from_basis, spread)):
            for number, values in enumerate(row):
                into.numbers[number, at, which] = values
        into.care[which] = self._care(y, exposure, fit, spread)

    def _rows(self, y: np.ndarray, offset: np.ndarray, from_basis: np.ndarray, spread: _Spread) -> list[Row]:
        """The effects in the order of the terms."""
        segments, coef = self._segments, spread.mean()
        after, columns = segments.after, len(segments.columns)

        def narrow(rows: np.ndarray) -> np.ndarray:
            return np.asarray(rows[..., :columns] @ from_basis)

        without = narrow(segments.expected)
        with_it = without + narrow(segments.effect)
        shares, totals = [], []
        for rows in (with_it[after], without[after]):
            log_means = offset[after] + rows @ coef
            top = log_means.max(axis=0)
            means = np.exp(log_means - top)
            total = means.sum(axis=0)
            shares.append(means / total)
            totals.append(np.log(total) + top)
        both = without[after].T @ shares[1], with_it[after].T @ shares[0]
        towards = both[1] - both[0]
        theta = totals[0] - totals[1]
        log_row = spread.row(towards, theta - (towards * coef).sum(axis=0))
        seen = y[after].sum(axis=0)
        few = seen < FEW_EVENTS

        def in_numbers(row: Row, seen: np.ndarray, means: tuple[np.ndarray, np.ndarray]) -> Row:
            told = as_counts(row, seen)
            if not few.any():
                return told
            return few_held(told, seen, *(spread.row(contrast) for contrast in means), few=few)

        def in_period(at: int, row: Row, contrast: np.ndarray) -> Row:
            there = without[at] + contrast
            return in_numbers(row, np.exp(offset[at] + there @ coef), (without[at], there))

        logs = {name: spread.row(narrow(contrast)) for name, contrast in self._logs.items()}
        found = [in_numbers(log_row, seen / int(after.sum()), both)]
        if "level_change" in logs:
            contrast = narrow(self._logs["level_change"])
            found.append(in_period(self._design.whole(), logs["level_change"], contrast))
        found += [in_numbers(log_row, seen, both), as_share(log_row), log_row, *logs.values()]
        for since, contrast in self._later.items():
            at = int(np.flatnonzero(segments.since == since)[0])
            found.append(in_period(at, spread.row(narrow(contrast)), narrow(contrast)))
        return found

    def _care(self, y: np.ndarray, exposure: np.ndarray, fit: ManyPoisson, spread: _Spread) -> np.ndarray:
        """How many cautions each result calls for, but for those about what is left over."""
        segments = self._segments
        rows = segments.expected[segments.after][:, : len(segments.columns)] @ fit.from_basis
        expected = np.exp(rows @ spread.mean())
        seen = y[segments.before] / exposure[segments.before]
        margin = BEYOND * np.ptp(seen, axis=0)
        outside = (expected < seen.min(axis=0) - margin) | (expected > seen.max(axis=0) + margin)
        sides = np.stack([y[segments.before].sum(axis=0), y[segments.after].sum(axis=0)])
        little = (sides < LEAST_EVENTS).any(axis=0) | (sides[0] < FEW_EVENTS)
        always = self._independent or int(segments.used.sum()) < LEARNED_FROM
        signs = (outside.any(axis=0), fit.dispersion < TOO_EVEN, little, sides[1] < FEW_EVENTS)
        return np.asarray(np.sum([sign.astype(np.int16) for sign in signs], axis=0) + int(always))


def as_counts(log_row: Row, seen: np.ndarray) -> Row:
    """An effect in numbers from the log ratio: ``seen * (1 - exp(-theta))``, limits transformed."""
    at = dict(zip(NUMBERS, log_row, strict=True))
    for name in ("conf_low", "conf_high"):
        at[name] = -seen * np.expm1(-at[name])
    at["std_error"] = np.abs(seen) * np.exp(-at["estimate"]) * at["std_error"]
    at["estimate"] = -seen * np.expm1(-at["estimate"])
    return tuple(at[name] for name in NUMBERS)


def few_held(told: Row, seen: np.ndarray, without: Row, with_it: Row, *, few: np.ndarray) -> Row:
    """Effects in numbers, those of the series marked ``few`` held to what both log means leave possible."""
    at, *means = (dict(zip(NUMBERS, row, strict=True)) for row in (told, without, with_it))
    for name, values in held(at, seen, *means).items():
        at[name] = np.where(few, values, at[name])
    return tuple(at[name] for name in NUMBERS)


def as_share(log_row: Row) -> Row:
    """The log ratio as a share of what was expected: ``exp(theta) - 1``."""
    at = dict(zip(NUMBERS, log_row, strict=True))
    for name in ("conf_low", "conf_high", "estimate"):
        at[name] = np.expm1(at[name])
    at["std_error"] = (1 + at["estimate"]) * at["std_error"]
    return tuple(at[name] for name in NUMBERS)
