"""The outcome model of a matched or weighted cohort, and the effects that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from ucimpact.errors import DesignError, EstimationError
from ucimpact.inference import glm, negative_binomial, sensitivity, two_part
from ucimpact.inference.cost_bootstrap import Redrawn, redraw
from ucimpact.inference.gcomputation import Contrast, gcomputation
from ucimpact.inference.linear import collinear
from ucimpact.inference.sandwich import sandwich
from ucimpact.methods.cohort_sample import CohortSample
from ucimpact.methods.design_finding import Finding

Array = np.ndarray
Family = Literal["poisson", "gaussian", "gamma", "two-part", "negative-binomial", "bootstrap"]

COUNTS: tuple[Family, ...] = ("poisson", "negative-binomial")
"""Families of counts, which are rates where days at risk are known."""

LINEAR: tuple[Family, ...] = ("gaussian", "bootstrap")

PEOPLE_A_COLUMN = 10
"""With fewer matched people for each column of the model, covariates would fit noise."""

YEAR = 365.25
NO_SPREAD = 1e-12
"""Standard errors of a difference as a share of the means that are nothing but rounding."""
SURE = 2.0
"""A mean of a linear model that is not so many standard errors above 0 has no ratio."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """How the outcome is modelled; the fields of ``MatchedCohort`` that do not match."""

    family: Family
    covariates: tuple[str, ...]
    level: float
    seed: int = 1


@dataclass(frozen=True, eq=False)
class Compared:
    """Mean outcomes of the matched pilot people, had they had the service and had they not."""

    contrast: Contrast
    adjusted: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class RedrawnContrast(Contrast):
    """A difference of means with limits by the bootstrap."""

    redrawn: Redrawn


def compare(model: Model, sample: CohortSample, y: Array, *, offset: bool) -> Compared:
    """Fit the outcome model, with the covariates where they can stand in it."""
    exposure = np.log(sample.days) if offset and sample.days is not None else None
    plain = np.column_stack([np.ones(len(sample.row)), sample.treated.astype(float)])
    names, columns = adjusting(model, sample)
    why = None
    if names and len(sample.row) < PEOPLE_A_COLUMN * (len(names) + 2):
        why = f"{len(sample.row)} matched people are too few for {len(names)} covariates"
    elif names:
        try:
            x = np.column_stack([plain, columns])
            contrast, cares = _contrast(model, y[sample.row], x, exposure, sample)
            return Compared(contrast, names, cares)
        except EstimationError as error:
            why = f"the model with covariates has no solution ({error})"
            for place, name in enumerate(names):
                why = why.replace(f"column {place + 2} of the model", f"`{name}`")
    contrast, cares = _contrast(model, y[sample.row], plain, exposure, sample)
    if why is None:
        return Compared(contrast, (), cares)
    care = Finding("warn", f"{why}, so the groups are compared as matched, without adjustment")
    return Compared(contrast, (), (str(care), *cares))


def adjusting(model: Model, sample: CohortSample) -> tuple[tuple[str, ...], Array]:
    """Covariates of the matched people, standardised; none that says nothing beyond the others."""
    if not model.covariates:
        return (), np.zeros((len(sample.row), 0))
    columns = np.column_stack([sample.cohort.values(name)[sample.row] for name in model.covariates])
    spread = columns.std(axis=0)
    columns = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    columns[:, spread <= 1e-12 * np.abs(columns).max(initial=1.0)] = 0.0
    every = np.vstack([np.ones(len(columns)), sample.treated.astype(float), columns.T])
    lost = {k - 2 for k in collinear(every, every, sample.weight)}
    keep = [k for k in range(len(model.covariates)) if k not in lost]
    return tuple(model.covariates[k] for k in keep), columns[:, keep]


def _contrast(
    model: Model, y: Array, x: Array, exposure: Array | None, sample: CohortSample
) -> tuple[Contrast, tuple[str, ...]]:
    weight, treated = sample.weight, sample.treated
    if model.family == "two-part":
        return two_part.gcomputation(two_part.two_part(y, x, weight), 1, treated), ()
    if model.family == "negative-binomial":
        try:
            return gcomputation(negative_binomial.fit(y, x, exposure, weight)[0], 1, treated), ()
        except negative_binomial.NoSpread:
            text = "the counts vary no more than Poisson counts, so a Poisson model stands in for the other"
            fit = glm.poisson(y, x, exposure, weight)
            return gcomputation(fit, 1, treated), (str(Finding("warn", text)),)
    if model.family == "bootstrap":
        return _redrawn(model, y, x, sample), ()
    return gcomputation(glm.fit(model.family, y, x, exposure, weight), 1, treated), ()


def _redrawn(model: Model, y: Array, x: Array, sample: CohortSample) -> RedrawnContrast:
    """Draws of sets or people, whichever are the less certain, as wide as the variance of both says."""
    contrast = gcomputation(glm.gaussian(y, x, sample.weight), 1, sample.treated)
    influence, parameters = contrast.difference_influence[:, None], contrast.parameters
    ways = sample.clusters if isinstance(sample.clusters, tuple) else (sample.clusters,)
    one_way = [float(sandwich(influence, codes, "CR1", parameters)[0, 0]) for codes in ways]
    widest = int(np.argmax(one_way))
    found = redraw(y, x, 1, weights=sample.weight, clusters=ways[widest], level=model.level, seed=model.seed)
    whole = float(sample.cov(influence, parameters)[0, 0])
    wider = np.sqrt(whole / one_way[widest]) if one_way[widest] > 0 else 1.0
    return RedrawnContrast(
        contrast.with_service,
        contrast.without,
        contrast.with_influence,
        contrast.without_influence,
        parameters,
        found.stretched(float(wider)),
    )


class Effects:
    """The rows of the estimate, their joint covariance and what each set adds to them."""

    def __init__(self, model: Model, sample: CohortSample, contrast: Contrast, y: Array) -> None:
        self.model, self.sample, self.contrast = model, sample, contrast
        horizon, days = sample.cohort.horizon, sample.days if model.family in COUNTS else None
        per, last = 1.0, ("mean_difference", 1.0)
        if days is not None and horizon is not None:
            weight = sample.weight[sample.treated]
            per = horizon * float(weight.sum()) / float(weight @ days[sample.treated])
            last = ("rate_difference", per / horizon * YEAR * 1000)
        self.att = contrast.difference * per
        pilot = y[sample.row[sample.treated]]
        self.observed = float(np.average(pilot, weights=sample.weight[sample.treated]) * per)
        self.df = sample.df(contrast.difference_influence)
        error = self._error(contrast.difference_influence)
        if not error > NO_SPREAD * max(abs(contrast.with_service), abs(contrast.without)):
            raise DesignError(
                "Those who are compared, or the sets they stand in, differ in nothing, so nothing says how "
                "far a difference comes by chance. Take an outcome in which people differ, or bring more "
                "people."
            )

        differences = {}
        parts = {}
        for term, times in (("att", per), ("cumulative", float(sample.size)), last):
            row = self._row(term, contrast.difference * times, error * times)
            differences[term] = self._redraw(row, times)
            parts[term] = contrast.difference_influence * times
        self.ratio = self._one_ratio()
        self.comparison_log_variance = self._comparison_log_variance()
        ratios = self._as_ratios()
        for term in ratios:
            parts[term] = self._ratio_influence()
        _agree(differences, [*ratios.values(), *([self.ratio] if self.ratio else [])])
        rows = {**differences, **ratios}
        order = [t for t in ("att", "cumulative", "relative", "rate_ratio", last[0]) if t in rows]
        self.rows = [rows[term] for term in order]
        self._join(np.column_stack([parts[term] for term in order]))

    def _join(self, influence: Array) -> None:
        self.by_set = self.sample.by_set(influence)
        self.cov = self.sample.cov(np.nan_to_num(influence), self.contrast.parameters)
        unknown = np.isnan(influence).any(axis=0)
        self.cov[unknown] = self.cov[:, unknown] = np.nan

    def _error(self, influence: Array) -> float:
        return float(np.sqrt(self.sample.cov(influence[:, None], self.contrast.parameters)[0, 0]))

    def _row(self, term: str, estimate: float, error: float) -> dict[str, Any]:
        half = float(stdtrit(self.df, (1 + self.model.level) / 2)) * error
        statistic = estimate / error if error > 0 else np.nan
        return {
            "term": term,
            "estimate": estimate,
            "std_error": error,
            "statistic": statistic,
            "df": self.df,
            "p_value": float(2 * stdtr(self.df, -abs(statistic))),
            "conf_low": estimate - half,
            "conf_high": estimate + half,
        }

    def _redraw(self, row: dict[str, Any], times: float) -> dict[str, Any]:
        """The same with limits and p-value of the bootstrap, where that is asked for."""
        if not isinstance(self.contrast, RedrawnContrast):
            return row
        drawn = self.contrast.redrawn
        limits = {"conf_low": drawn.low * times, "conf_high": drawn.high * times}
        return row | limits | {"p_value": drawn.p_value}

    @property
    def draws_from(self) -> str:
        """By what the likely range was worked out."""
        if isinstance(self.contrast, RedrawnContrast):
            number = len(self.contrast.redrawn.draws)
            return f"{number:,} bootstrap draws by {self.sample.words}, bias-corrected and accelerated"
        return f"CR1 variance by {self.sample.words} with {self.df:.1f} degrees of freedom"

    def _one_ratio(self) -> dict[str, Any] | None:
        """The ratio with limits of the log scale; None where a mean is not above 0 beyond doubt."""
        c = self.contrast
        for mean, influence in (
            (c.with_service, c.with_influence),
            (c.without, c.without_influence),
        ):
            if mean <= 0 or (self.model.family in LINEAR and mean <= SURE * self._error(influence)):
                return None
        log = self._row("rate_ratio", c.log_ratio, self._error(c.log_ratio_influence))
        shown = {name: float(np.exp(log[name])) for name in ("estimate", "conf_low", "conf_high")}
        return {**log, **shown, "std_error": shown["estimate"] * log["std_error"]}

    def _comparison_log_variance(self) -> float | None:
        """Variance of the logarithm of what came of the comparison people; None where it has none."""
        if self.ratio is None:
            return None
        return self._error(self.contrast.without_influence / self.contrast.without) ** 2

    def _as_ratios(self) -> dict[str, dict[str, Any]]:
        """The rows ``relative`` and ``rate_ratio``; a linear model has no ``rate_ratio``."""
        if self.ratio is None:
            return {"relative": {"term": "relative"}}
        less = {name: self.ratio[name] - 1 for name in ("estimate", "conf_low", "conf_high")}
        rows = {"relative": {**self.ratio, "term": "relative", **less}}
        return rows if self.model.family in LINEAR else {**rows, "rate_ratio": dict(self.ratio)}

    def _ratio_influence(self) -> Array:
        if self.ratio is None:
            return np.full(len(self.sample.row), np.nan)
        return np.asarray(self.contrast.log_ratio_influence * self.ratio["estimate"])

    def e_value(self) -> dict[str, float | None] | None:
        """E-values of the ratio and of its limit nearer 1; None where there is no ratio."""
        if self.ratio is None:
            return None
        limits = (self.ratio[name] for name in ("estimate", "conf_low", "conf_high"))
        found = sensitivity.e_value(*limits)
        return {"estimate": found.estimate, "limit": found.limit}


def _agree(differences: Mapping[str, dict[str, Any]], ratios: Sequence[dict[str, Any]]) -> None:
    """Let difference and ratio say the same of "no change".

    Their limits come of two scales, and where a result is at the edge one may leave out what the other
    holds. Then the surer one is moved to touch no change, with the larger p-value: a finding is no surer
    than either.
    """
    att = differences["att"]
    if not ratios or "conf_low" not in ratios[0]:
        return
    ratio = next(row for row in ratios if row["term"] == "relative")
    kept = {id(row): 1.0 if row["term"] == "rate_ratio" else 0.0 for row in (*differences.values(), *ratios)}
    holds = [row["conf_low"] <= 0 <= row["conf_high"] for row in (att, ratio)]
    if holds[0] == holds[1]:
        return
    p_value = max(att["p_value"], ratio["p_value"])
    for row in differences.values() if holds[1] else ratios:
        near = "conf_high" if row["estimate"] < kept[id(row)] else "conf_low"
        row |= {near: kept[id(row)], "p_value": p_value}
