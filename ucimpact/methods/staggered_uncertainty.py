"""How sure an estimate of staggered starts is: places counted first, then the procedure, bands and tests.

With covariates or gaps what a lone place adds cannot be told from its effect: with fewer than six pilot or
comparison places the p-value and the range are then refused, with the design that would have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy.special import ndtr, ndtri

from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.few_clusters import ALIKE, ENOUGH, Auto, Chosen, Places, account_of, choose, flag_of
from ucimpact.inference.influence_parts import InParts
from ucimpact.inference.linear import TwoWay, sum_by
from ucimpact.inference.multiplier import Bands, multiplier_bands
from ucimpact.inference.paths import enough_shapes, joint_f, polynomials, simultaneous_critical
from ucimpact.inference.permutation_of_t import Randomisation
from ucimpact.inference.staggered import (
    Analytic,
    Assigned,
    Multiplier,
    Terms,
    assigned,
    contrasts_of,
    groups_of,
)
from ucimpact.inference.two_groups import (
    Inferred,
    PooledT,
    Refused,
    SizeModelT,
    by_t,
    correlation_of,
    none,
)
from ucimpact.methods.staggered_sample import Sample

Array = np.ndarray
BAND_DRAWS = 4_999
THIN = 'Use imputation, or gaps = "drop"'
MANY = 5_000_000
"""Places times effects above which no number a place is held: groups' own spread is summed instead."""
MANY_IN_PARTS = 300_000
"""The same where influence is kept in parts, from which sums cost next to nothing."""
Covariance = Auto | Analytic | Multiplier | Randomisation
CHOICES = "Auto(), Analytic(), Multiplier() or Randomisation()"


class Method(Protocol):
    """What is read of a method."""

    @property
    def outcome(self) -> str: ...

    @property
    def covariates(self) -> tuple[str, ...]: ...

    @property
    def cov(self) -> Covariance: ...

    @property
    def level(self) -> float: ...


def no_answer(method: Method, n1: int, n0: int) -> str:
    what = "covariates" if method.covariates else "gaps in the panel"
    return (
        f"with {what}, {n1} pilot and {n0} comparison places nothing tells the noise of so few places, so no "
        "p-value and no likely range are given"
    )


def way_out(method: Method) -> str:
    if method.covariates:
        return f"Leave the covariates out, or bring {ENOUGH} pilot and {ENOUGH} comparison places"
    return "Take the periods or units with gaps out"


@dataclass(frozen=True)
class Uncertainty:
    """What one method's terms on one sample amount to."""

    method: Method
    sample: Sample
    terms: Terms

    @cached_property
    def since(self) -> Array:
        """Event time of each cohort and period."""
        return np.asarray(self.sample.ordinals[None, :] - self.sample.cohorts[:, None])

    @cached_property
    def design(self) -> Assigned:
        return assigned_places(self.sample, self.since)[0]

    @cached_property
    def events(self) -> Array:
        return self.terms.where("event")

    @cached_property
    def reference(self) -> int:
        """The last event time before the start that has no row of its own."""
        have = {int(self.terms.rows[k]["event_time"]) for k in self.events}
        return next(e for e in range(-1, -len(self.sample.ordinals) - 2, -1) if e not in have)

    @property
    def noun(self) -> str:
        return "units" if self.sample.panel.cluster is None else "places"

    @cached_property
    def is_large(self) -> bool:
        """Whether groups' own spread is summed without one number a place: every group has enough."""
        number = np.bincount(self.design.cohort, minlength=self.design.n_cohorts + 1)
        most = MANY_IN_PARTS if isinstance(self.terms.held, InParts) else MANY
        return bool(len(self.design.cohort) * len(self.terms.rows) > most and number.min() >= ENOUGH)

    # -- the rule ------------------------------------------------------------------------

    @cached_property
    def places(self) -> Places:
        design = self.design
        return Places(
            pilot=design.pilot,
            sizes=_sizes(self.sample, len(design.cohort)),
            before=_variance_before(self.sample) if self._few else np.full(len(design.cohort), np.nan),
            periods_before=int(-self.since[:, 0].min()),
            noun=self.noun,
            groups=groups_of(design.cohort, design.n_cohorts, ENOUGH),
        )

    @property
    def _few(self) -> bool:
        pilot = self.design.pilot
        return bool(min(pilot.sum(), (~pilot).sum()) < ENOUGH)

    @cached_property
    def contrasts(self) -> Contrasts:
        terms = self.terms.only(np.array([0])) if self.is_large else self.terms
        return contrasts_of(terms, self.design, self.sample.places)

    @cached_property
    def chosen(self) -> Chosen:
        places, cov = self.places, self.method.cov
        if isinstance(cov, Auto):
            chosen = choose(self.contrasts, places, cov, self.method.level)
            if self.terms.loadings is not None or chosen.refused is not None:
                return chosen
            first = self.contrasts.only(slice(1))
            heard = first.heard[0]
            n1, n0 = int((heard & places.pilot).sum()), int((heard & ~places.pilot).sum())
            if min(n1, n0) < ENOUGH:
                text = no_answer(self.method, n1, n0)
                return chosen.refuse(f"{text[:1].upper()}{text[1:]}. {way_out(self.method)}.")
            fewest = self.terms.fewest
            if fewest is not None and fewest < ENOUGH:
                return chosen.refuse(
                    f"Gaps leave {fewest} unit{'s' if fewest != 1 else ''} of a start in some period, and "
                    f"the noise of so few cannot be told from their effect. {THIN}."
                )
            return chosen
        if isinstance(cov, Randomisation):
            return self._randomised(cov)
        flag = flag_of(places, by_size=False)
        name = "influence functions summed by place, normal quantiles"
        if isinstance(cov, Multiplier):
            name = f"multiplier bootstrap of influence functions, {cov.draws:,} draws"
        account = account_of(self.contrasts.only(slice(1)), places, flag, self.method.level)
        account |= {"procedure": type(cov).__name__.lower(), "reason": "asked for", "df": None}
        return Chosen(Refused(), name, account, (), None, np.ones(len(places.pilot)))

    def _randomised(self, cov: Randomisation) -> Chosen:
        """The starts dealt to other places, where that can be done."""
        places, first = self.places, self.contrasts.only(slice(1))
        account = account_of(first, places, flag_of(places, by_size=False), self.method.level)
        drawn = min(first.deal.choices(), cov.draws) if first.deal is not None else None
        account |= {"procedure": "randomisation", "reason": "asked for", "df": None, "seed": cov.seed}
        account |= {"permutations": drawn, "all_permutations": drawn is not None and drawn < cov.draws}
        what = "of t, and of the coefficient for its parts" if cov.statistic == "t" else "of the coefficient"
        name = f"randomisation of starts ({what}), {drawn or 0:,} dealings"
        chosen = Chosen(cov, name, account, (), None, np.ones(len(places.pilot)))
        if first.deal is None:
            return chosen.refuse(
                "With covariates or gaps an effect under other starts is not a sum of one number a place, so "
                "starts cannot be dealt anew. Use cov=Auto(), or leave covariates and gaps out."
            )
        if cov.statistic == "t" and min(places.n1, places.n0) < 2:
            return chosen.refuse(
                "A lone place has no spread for a t. Use Randomisation(statistic='coefficient') or Auto()."
            )
        return chosen

    @cached_property
    def found(self) -> Inferred:
        """Uncertainty of every effect."""
        cov, level = self.method.cov, self.method.level
        if isinstance(cov, Multiplier):
            return _normal(self.terms.estimate, self.bands.std_error, level)
        if isinstance(cov, Analytic):
            return _normal(self.terms.estimate, np.sqrt(_squares(self.terms.influence, self.sample)), level)
        if self.is_large and self.chosen.refused is None:
            return _by_groups(self.terms, self.design, self.sample, level)
        return self.chosen.procedure.infer(self.contrasts, level)

    @cached_property
    def bands(self) -> Bands:
        """Of the multiplier bootstrap: standard errors of all effects, and the factor over events."""
        cov = self.method.cov
        assert isinstance(cov, Multiplier)
        scores = _by_place(self.terms.influence, self.sample)
        return multiplier_bands(scores, self.events, cov.draws, cov.seed, self.method.level)

    @property
    def scores(self) -> Any:
        """The influence that the errors come from: ``Auto`` holds the cohorts' shares."""
        return self.terms.held if isinstance(self.method.cov, Auto) else self.terms.influence

    @cached_property
    def correlation(self) -> Array:
        """Correlation of the first effect and the events over places, shape (1 + n_events, 1 + n_events)."""
        which = np.concatenate([[0], self.events])
        if isinstance(self.method.cov, Auto) and not self.is_large:
            every = correlation_of(self.chosen.procedure, self.contrasts)
            return np.asarray(every[np.ix_(which, which)])
        parts = _by_place(self.scores[:, which], self.sample)
        cov = parts.second_moments() if isinstance(parts, InParts) else parts.T @ parts
        sd = np.sqrt(np.diag(cov))
        return np.asarray(cov / np.outer(np.where(sd > 0, sd, 1.0), np.where(sd > 0, sd, 1.0)))

    @cached_property
    def path(self) -> Array:
        """Half widths of the simultaneous bands over the events, shape (n_events,)."""
        part = self.found.std_error[self.events]
        if isinstance(self.method.cov, Multiplier):
            return np.asarray(self.bands.critical * part)
        if isinstance(self.method.cov, Randomisation):
            return self._stretched()
        usable = np.isfinite(part)
        if self.chosen.refused is not None or not usable.any():
            return np.full(len(part), np.nan)
        df = self.found.df[self.events]
        df = np.where(np.isfinite(df), df, 1e6 if isinstance(self.method.cov, Analytic) else 1.0)
        correlation = self.correlation[1:, 1:]
        seed = seed_of(self.method)
        factor = simultaneous_critical(correlation, df, self.method.level, draws=BAND_DRAWS, seed=seed)
        return np.asarray(factor * part)

    def _stretched(self) -> Array:
        """Intervals without a standard error, widened as normal ones would be to hold all at once."""
        found, level, which = self.found, self.method.level, self.events
        half = np.fmax(found.estimate - found.low, found.high - found.estimate)[which]
        many = np.full(len(half), 1e6)
        draws = {"draws": BAND_DRAWS, "seed": seed_of(self.method)}
        factor = simultaneous_critical(self.correlation[1:, 1:], many, level, **draws)
        return np.asarray(half * factor / float(ndtri((1 + level) / 2)))

    @cached_property
    def headline_influence(self) -> Array:
        if not self.is_large and isinstance(self.method.cov, Auto):
            return np.asarray(self.contrasts.only(slice(1)).influence())
        return np.asarray(_by_place(self.scores[:, :1], self.sample))

    def covariance(self, order: Array, rows: list[dict[str, Any]]) -> Array:
        """Covariance of ``att``, ``cumulative`` and the events; ``nan`` for other pairs."""
        size = len(rows)
        out = np.full((size, size), np.nan)
        place = {int(k): m for m, k in enumerate(np.concatenate([[0], self.events]))}
        at = [m for m in range(size) if m != 2 and int(order[m]) in place]
        index = np.array([place[int(order[m])] for m in at])
        errors = np.array([float(rows[m]["std_error"]) for m in at])
        out[np.ix_(at, at)] = self.correlation[np.ix_(index, index)] * np.outer(errors, errors)
        others = [m for m in range(size) if m not in at and m != 2]
        out[others, others] = [float(rows[m]["std_error"]) ** 2 for m in others]
        return out

    # -- before the start ----------------------------------------------------------------

    @cached_property
    def pre_trend(self) -> dict[str, Any]:
        """Joint test of the path's shape before the start, and its slope."""
        times = np.array([int(self.terms.rows[k]["event_time"]) for k in self.events])
        noun = self.sample.panel.frequency.noun
        before = times < self.reference
        common = before & (times >= self.since[:, 0].max())  # leads that every start has
        usable = common if common.sum() >= 2 else before
        if not usable.any():
            if self.chosen.refused is not None:
                return {"why": self.chosen.refused}
            return {"why": f"With one {noun} before the pilot there is no path to compare."}
        which = self.events[usable]
        line = np.append(times[usable], self.reference).astype(float)
        middle = line - line.mean()
        slope_row = (middle / (middle**2).sum())[:-1][None, :]
        places = self.places
        number = min(enough_shapes(places.n1 + places.n0, len(line)), len(line) - 1)
        shapes = polynomials(line, number)[:, :-1] if number > 0 else np.zeros((0, len(which)))
        combined = self.terms.only(which).combined(np.concatenate([slope_row, shapes]))
        found, correlation = self._infer(combined)
        late = times[times >= 0]
        half = self.path[before]
        known: dict[str, Any] = {
            "slope": float(found.estimate[0]),
            "slope_low": float(found.low[0]),
            "slope_high": float(found.high[0]),
            "slope_at_middle": float(found.estimate[0] * (late.mean() - line.mean())) if len(late) else None,
            "bands_half_width_max": float(np.max(half)) if len(half) else None,
            "leads": [int(t) for t in times[usable]],
        }
        if self.chosen.refused is not None:
            return {**known, "why": self.chosen.refused}
        if number < 1:
            return {**known, "why": "There are too few places to test the path before the pilot."}
        test = joint_f(found.part(slice(1, None)), correlation[1:, 1:])
        if test is None:
            return {**known, "why": "The places moved too much alike before the pilot to judge by."}
        words = ("slope", "bend", "S-bend")[:number]
        return {
            **known,
            "statistic": test.statistic,
            "df_num": test.df_num,
            "df_den": test.df_den,
            "p_value": test.p_value,
            "procedure": f"F of {', '.join(words)} over the path before the start",
        }

    def _infer(self, combined: Terms) -> tuple[Inferred, Array]:
        """Combinations of effects by the procedure of the effects, and their correlation."""
        if isinstance(self.method.cov, Auto) and not self.is_large:
            contrasts = contrasts_of(combined, self.design, self.sample.places)
            if self.chosen.refused is not None:
                return none(combined.estimate), np.eye(len(combined.rows))
            procedure = self.chosen.procedure
            if contrasts.deal is not None:  # own spread of a few leaves 3 degrees of freedom, and no power
                alike = self.places.size_ratio < ALIKE
                spread = self.chosen.spread
                procedure = PooledT(spread) if alike else SizeModelT(self.places.sizes, spread)
            return procedure.infer(contrasts, self.method.level), correlation_of(procedure, contrasts)
        automatic = isinstance(self.method.cov, Auto)
        scores = _by_place(combined.held if automatic else combined.influence, self.sample)
        cov = scores.second_moments() if isinstance(scores, InParts) else scores.T @ scores
        error = np.sqrt(np.diag(cov))
        scale = np.where(error > 0, error, 1.0)
        return _normal(combined.estimate, error, self.method.level), np.asarray(cov / np.outer(scale, scale))


# -- parts ---------------------------------------------------------------------------------


def assigned_places(sample: Sample, since: Array | None) -> tuple[Assigned, int]:
    if since is None:
        since = sample.ordinals[None, :] - sample.cohorts[:, None]
    weights = sample.unit_weights
    if weights is None:
        rows = np.bincount(sample.unit, minlength=len(sample.start))
        weights = np.bincount(sample.unit, sample.w, len(sample.start)) / np.maximum(rows, 1)
    outcome = sample.outcome if sample.balanced and sample.unit_weights is not None else None
    return assigned(sample.cohort, sample.places, weights, outcome, since)


def _by_place(scores: Any, sample: Sample) -> Any:
    """Influence of units summed by place, shape (n_places, n_effects)."""
    if isinstance(scores, InParts):
        return scores.by_place(sample.places)
    if len(sample.place_names) == len(scores):
        return scores
    return sum_by(scores.T, sample.places).T


def _squares(scores: Any, sample: Sample, weight: Array | None = None) -> Array:
    """Weighted sums over places of their squared influence, shape (n_effects,)."""
    if isinstance(scores, InParts):
        return np.asarray(np.diag(scores.by_place(sample.places).second_moments(weight)))
    out = np.empty(scores.shape[1])
    for first in range(0, len(out), 16):
        part = _by_place(scores[:, first : first + 16], sample) ** 2
        out[first : first + 16] = part.sum(axis=0) if weight is None else weight @ part
    return out


def _by_groups(terms: Terms, design: Assigned, sample: Sample, level: float) -> Inferred:
    """Each start's own spread, where every one has enough places: :class:`OwnSpread` without its array."""
    number = np.bincount(design.cohort, minlength=design.n_cohorts + 1)
    share = np.concatenate([terms.cohort_share, np.ones((1, len(terms.rows)))])
    squared = np.bincount(design.cohort, design.part**2)[:, None] * share**2
    fourth = np.bincount(design.cohort, design.part**4)[:, None] * share**4
    factor = (number / np.maximum(number - 1, 1))[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        df = squared.sum(axis=0) ** 2 / (factor * fourth).sum(axis=0)
    variance = _squares(terms.held, sample, 1 / (1 - design.part))
    return by_t(terms.estimate, np.sqrt(variance), df, level)


def _normal(estimate: Array, std_error: Array, level: float) -> Inferred:
    error = np.where(std_error > 0, std_error, np.nan)
    half = float(ndtri((1 + level) / 2)) * error
    p_value = 2 * ndtr(-np.abs(estimate / error))
    gap = np.full(len(estimate), np.nan)
    return Inferred(estimate, error, gap, np.asarray(p_value), estimate - half, estimate + half)


def _variance_before(sample: Sample) -> Array:
    """Variance of each place from period to period before any pilot, effects out, shape (n_places,)."""
    w = np.where(sample.ordinals[None, :] < sample.cohorts.min(), sample.weights, 0.0)
    rest = TwoWay(w).absorb(sample.outcome) * w
    total, rest = sum_by(w.T, sample.places).T, sum_by(rest.T, sample.places).T
    means = np.where(total > 0, rest / np.where(total > 0, total, 1.0), 0.0)
    months = (total > 0).sum(axis=1)
    variance = (means**2).sum(axis=1) / np.where(months > 1, months - 1, 1)
    return np.where(months > 1, variance, np.nan)


def _sizes(sample: Sample, places: int) -> Array:
    """People in each place: mean population of its units added up; else weights; else units."""
    each = np.ones(len(sample.start))
    values = sample.people if sample.people is not None else sample.w if sample.panel.weight else None
    if values is not None:
        rows = np.bincount(sample.unit, minlength=len(sample.start))
        each = np.bincount(sample.unit, values, len(sample.start)) / np.maximum(rows, 1)
    return np.bincount(sample.places, each, places)


def seed_of(method: Method) -> int:
    return 1 if isinstance(method.cov, Analytic) else method.cov.seed
