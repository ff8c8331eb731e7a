r"""A structural time series: what a series would have done, learned before the start and carried forward.

.. math::
   y_t = \mu_t + \gamma_t + x_t'b + z_t'c + \epsilon_t, \qquad
   \mu_{t+1} = \mu_t + \delta_t + \eta_t, \qquad t < t_1

with a level :math:`\mu_t` that wanders, control series :math:`x_t` among which the model chooses, known
columns :math:`z_t` (season, calendar, what is adjusted for) that stay in, and, if asked for, a slope
:math:`\delta_t` and a pattern :math:`\gamma_t` that repeats and may slowly change. The periods before the
start :math:`t_1` alone are fitted. Each draw from the posterior is carried forward with the control series as
they were after the start, and the effect is what was observed less what the draw would have shown [1]_:
priors, sampler and simulation are in :mod:`ucimpact.inference.structural`, the arithmetic of effects in
:mod:`ucimpact.methods.structural_effects`.

It is the pilot's effect if the pilot did not touch the control series and they go with the outcome after the
start as they did before. A control that the pilot moved takes away a part of the effect, unseen.

Limits are quantiles of the posterior and hold the noise of the periods themselves. They hold a stated share
of truths as far as the priors fit: the steps of the level are thought near 1% of the standard deviation of
the outcome before the start, which suits outcomes that the control series explain well. Where the level
wanders more the limits are too narrow, and ``level_sd`` has to say so: ``docs/methods/structural.md`` has the
measured coverage.

Not for small counts, nor where no series is free of the pilot: then
:class:`~ucimpact.methods.its.InterruptedTimeSeries` says more plainly what is assumed.

References
----------
.. [1] Brodersen, K. H. et al. (2015). Inferring causal impact using Bayesian structural time-series models.
   *Annals of Applied Statistics* 9(1), 247-274.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ucimpact import serialise
from ucimpact.data.calendar import Season
from ucimpact.data.series import Series
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.convergence import Convergence
from ucimpact.inference.structural import Draws, StructuralModel
from ucimpact.inference.structural_state import Form
from ucimpact.methods import series_findings, structural_findings
from ucimpact.methods.design_finding import Finding, enforce, need
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.series_account import lags, season_account
from ucimpact.methods.series_choices import SegmentedChoices, SeriesChoices
from ucimpact.methods.series_refusals import choice_refusals
from ucimpact.methods.structural_effects import Effects, covariance, shares_of_mean, tail_area
from ucimpact.methods.structural_findings import HELPS

COMPONENTS = ("auto", "level", "line", "trend")
WEEK = 7
LEAST_WEEKS = 3
LEVEL_SD, LEVEL_WEIGHT = 0.01, 32.0
ALONE_SD, ALONE_WEIGHT = 0.1, 8.0
"""Prior guess of the level's steps without control series, which then take what these would have."""

LOOSE_SD, LOOSE_DRAWS, LOOSE_BURN = 0.1, 1000, 200
"""A level thought to wander ten times as much, set beside the usual one."""

UNUSED = {
    "shape": "the effect has no shape here: it is what was observed less what was expected, period by period",
    "until": "the effect has no shape here, so there is no end of it to give",
    "changes": "the periods before the start alone are fitted",
    "trend": "the path before the start is a level that wanders",
    "phase": "the effect has no shape here that could grow",
    "season_from": "a series that shares the season is a control series here",
}
"""Choices of other methods on a series that mean nothing here, and why."""

WAY_OUT = {
    "season_from": "name it in controls",
    "changes": "take it out: choose a window after the change, or give its periods as a column to adjust for",
    "trend": 'take it out: components = "trend" adds a slope',
    "phase": "take it out: phase_in leaves the first periods out of the effect",
}


@dataclass(frozen=True, kw_only=True)
class StructuralTimeSeries(SeriesChoices):
    """Compare a series with what its own past and the series beside it foretell.

    ``shape``, ``until``, ``changes``, ``trend``, ``phase`` and ``season_from`` have no meaning here and are
    refused.

    Parameters
    ----------
    outcome : str
        Series column in natural units: a rate, or counts with a mean of 20 or more.
    controls : tuple of str, default ()
        Columns of the table, without gaps, that the pilot did not touch: the same service elsewhere, or
        another that shares what moves it. The model chooses among them.
    components : str, default "auto"
        ``"level"`` (wanders without direction), ``"line"`` (a level that wanders about a straight line) or
        ``"trend"`` (with a slope that wanders too: far wider limits). ``"auto"`` is a level with control
        series, which carry the growth, and a line without: a level alone takes ordinary growth for an effect.
    season_length : int, optional
        Periods after which a pattern repeats that may slowly change: 7 for days of the week, 12 for
        months, 52 for weeks; 1 for none. It takes the place of ``season``. Unless given, 7 for a series of
        days with three weeks before the start, and otherwise none.
    expected_model_size : float, default 3.0
        Columns thought to matter, the intercept among them.
    level_sd : float, optional
        Prior guess of the standard deviation of the level's steps, as a share of the outcome's before the
        start, worth 32 steps. Unless given, 0.01; without control series 0.1, worth 8 steps.
    draws : int, default 5000
        Draws from the posterior.
    burn : int, default 500
        Draws let go before them.
    seed : int, default 1
        Of all chance.
    """

    controls: tuple[str, ...] = ()
    components: str = "auto"
    season_length: int | None = None
    expected_model_size: float = 3.0
    level_sd: float | None = None
    draws: int = 5000
    burn: int = 500
    seed: int = 1

    takes_days: ClassVar[bool] = True

    def wrong_choices(self) -> list[str]:
        """What is wrong with the fields, whatever the data."""
        meant = {f.name: f.default for f in fields(SeriesChoices)}
        wrong = [
            f"{name} = {getattr(self, name)!r} does not fit: {why}; {WAY_OUT.get(name, 'take it out')}"
            for name, why in UNUSED.items()
            if getattr(self, name) != meant[name]
        ]
        wrong += super().wrong_choices() if not wrong else []
        if self.components not in COMPONENTS:
            wrong.append(
                f'components = "{self.components}" is not known; choose one of: {", ".join(COMPONENTS)}'
            )
        if self.season_length is not None and self.season_length < 1:
            wrong.append(
                f"season_length = {self.season_length} is below 1; give the periods, 1 for no pattern"
            )
        given = f'season = "{self.season}"' if self.season not in ("auto", "none") else ""
        given = "season_profile" if self.season_profile else given
        if (self.season_length or 1) > 1 and given:
            wrong.append(
                f"{given} and season_length = {self.season_length} are two seasons; take one of them out"
            )
        if twice := sorted({name for name in self.controls if self.controls.count(name) > 1}):
            wrong.append(f"controls holds {', '.join(twice)} more than once")
        if both := [name for name in self.controls if name in self.adjust]:
            wrong.append(f"{', '.join(both)} stands in controls and in adjust; name it once")
        if not self.expected_model_size > 0:
            wrong.append(f"expected_model_size = {self.expected_model_size} is not above 0; 3 is usual")
        if self.level_sd is not None and not 0 < self.level_sd < 1:
            wrong.append(f"level_sd = {self.level_sd} is not between 0 and 1; 0.01 is usual")
        wrong += [
            f"{name} = {getattr(self, name)} is below {least}; {usual} is usual"
            for name, least, usual in (("draws", 100, 5000), ("burn", 0, 500))
            if getattr(self, name) < least
        ]
        return wrong

    def check_design(self, data: Series) -> list[Finding]:
        """What speaks against this analysis of these data, each with the way out. Nothing is fitted."""
        need(data, Series, "Series(table, period=..., start=...)")
        if unfit := choice_refusals(data, self):
            return unfit
        design, plain = self.design(data), self._plain(data)
        own = structural_findings.refusals(
            data,
            design,
            outcome=self.outcome,
            controls=self.controls,
            fixed=fixed(design),
            length=self.pattern(data),
        )
        found = [*series_findings.refusals(data, design, plain), *own]
        if found:
            return found
        return [
            *series_findings.cautions(data, design, plain),
            *structural_findings.cautions(data, design, controls=self.controls),
        ]

    def pattern(self, data: Series) -> int:
        """Periods after which a pattern repeats in these data; 1 without one."""
        if self.season_length is not None:
            return self.season_length
        days = data.frequency.kind == "day" and self.season == "auto" and not self.season_profile
        return WEEK if days and int((data.since < 0).sum()) >= LEAST_WEEKS * WEEK else 1

    def design(self, data: Series) -> SegmentedDesign:
        """What counts, and the columns that stay in the model, of these choices on a series."""
        design, length = SegmentedDesign.of(data, self._plain(data)), self.pattern(data)
        if length == 1:
            return design
        before, noun = int(design.before.sum()), data.frequency.noun
        why = (
            f"A pattern of {length} {noun}s that may slowly change, seen {before / length:.1f} times before."
        )
        season = Season(name=f"pattern of {length} {noun}s", harmonics=0, why=why, separable=True)
        return replace(design, season=season)

    @property
    def has_line(self) -> bool:
        """Whether the level wanders about a straight line."""
        return self.components == "line" or (self.components == "auto" and not self.controls)

    def _plain(self, data: Series) -> SegmentedChoices:
        """The shared choices; without a line there is no trend, as the level takes its place."""
        return SegmentedChoices(
            outcome=self.outcome,
            shape="level",
            trend="linear" if self.has_line else "none",
            season=self.season if self.pattern(data) == 1 else "none",
            season_profile=self.season_profile,
            phase_in=self.phase_in,
            calendar=self.calendar,
            nation=self.nation,
            adjust=self.adjust,
            level=self.level,
            covid=self.covid,
        )

    def sample(self, data: Series, design: SegmentedDesign) -> Draws:
        """Draws of what would have been seen without the pilot."""
        staying = fixed(design)
        columns = [data.values(name) for name in self.controls]
        columns += [design.columns[name] for name in staying]
        x = np.column_stack(columns) if columns else np.empty((len(design.y), 0))
        given = self.level_sd is not None or bool(self.controls)
        usual, weight = (LEVEL_SD, LEVEL_WEIGHT) if given else (ALONE_SD, ALONE_WEIGHT)
        length = self.pattern(data)
        model = StructuralModel(
            form=Form(slope=self.components == "trend", season=length if length > 1 else 0),
            level_sd=usual if self.level_sd is None else self.level_sd,
            level_weight=weight,
            expected_model_size=self.expected_model_size,
            draws=self.draws,
            burn=self.burn,
            seed=self.seed,
        )
        free = np.arange(x.shape[1]) < len(self.controls)
        y = np.where(design.used, design.y, np.nan)
        return model.sample(y, x, before=int((design.since < 0).sum()), free=free)

    def fit(self, data: Series) -> Estimate:
        """Return the average effect after the start, the total, the share, and single periods."""
        warnings = enforce(self.check_design(data))
        design = self.design(data)
        draws = self.sample(data, design)
        after = design.after.astype(float)
        average = after / after.sum()
        events = after if design.events_each is None else after * design.events_each
        effects = Effects(y=design.y, draws=draws, level=self.level)

        later = self._later(data, design)
        terms = {"average": average, "cumulative": events, "relative": average}
        rows = [
            effects.relative(weights) if term == "relative" else effects.row(term, weights)
            for term, weights in terms.items()
        ]
        rows += [effects.row("effect_at", one) | {"event_time": since} for since, one in later.items()]
        rows += [effects.row("cumulative_realised", events)]
        drawn = {0: effects.drawn(average), 1: effects.drawn(events)}
        if has_share := "estimate" in rows[2]:
            drawn[2] = effects.relative_draws(average)
        drawn |= {3 + at: effects.drawn(one) for at, one in enumerate(later.values())}
        drawn |= {len(rows) - 1: drawn[1]}

        settled = Convergence.of(draws.expected @ average)
        expected = draws.expected.mean(axis=0)
        left_over = structural_findings.left_over(
            design, expected, self._helping(data, design, draws), lags(data, design)
        )
        loose = self._loose(data, design, average)
        warnings += tuple(
            structural_findings.care(
                data,
                design,
                draws,
                controls=self.controls,
                settled=settled,
                left_over=left_over,
                average=rows[0],
                loose=loose,
                relative=has_share,
            )
        )
        extras: dict[str, Any] = {
            "noun": data.frequency.noun,
            "before": int(design.before.sum()),
            "after": int(design.after.sum()),
            "n": int(design.used.sum()),
            "df": {"average": None},
            "season": season_account(design),
            "inclusion": inclusion(self.controls, fixed(design), draws),
            "convergence": {
                "draws": self.draws,
                "r_hat": settled.r_hat,
                "effective_draws": settled.effective,
            },
            "tail_area": tail_area(drawn[0]),
            "relative_to_mean": shares_of_mean(drawn[0], float(average @ expected), self.level),
            "level_sd": float(draws.level_sd.mean()),
            "noise_sd": float(draws.noise_sd.mean()),
            "expected_total": float(events @ expected),
            "observed_total": float(events @ design.y),
            "residuals": np.where(design.before, design.y - expected, np.nan),
            "ljung_box": {
                "statistic": left_over.statistic,
                "lags": left_over.lags,
                "p_value": left_over.p_value,
            },
            "loose_level": loose,
        }
        return Estimate(
            method="structural",
            estimand="average effect after the start",
            outcome=self.outcome,
            effects=effects_frame(rows),
            cov=covariance(drawn, len(rows)),
            counterfactual=self._counterfactual(data, design, draws),
            counts=data.counts() | {"used": int(design.used.sum()), "left_out": design.left_out},
            warnings=warnings,
            spec={f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)},
            provenance={"seed": self.seed},
            draws_from=(
                f"Bayesian structural time series fitted before the start, {self.draws:,} draws from the "
                f"posterior of what would have been seen"
            ),
            extras=serialise.plain(extras),
        )

    def _helping(self, data: Series, design: SegmentedDesign, draws: Draws) -> np.ndarray:
        """The level and the columns more likely in the model than out, shape (n, k)."""
        columns = [data.values(name) for name in self.controls] + [design.columns[n] for n in fixed(design)]
        kept = [c for c, chance in zip(columns, draws.included, strict=True) if chance >= HELPS]
        return np.column_stack([np.ones(len(design.y)), *kept])

    def _loose(self, data: Series, design: SegmentedDesign, average: np.ndarray) -> dict[str, float] | None:
        """Limits of the average effect if the level wanders far more; None where the study says how much."""
        if self.level_sd is not None or not self.controls:
            return None
        other = replace(self, level_sd=LOOSE_SD, draws=LOOSE_DRAWS, burn=LOOSE_BURN)
        row = Effects(y=design.y, draws=other.sample(data, design), level=self.level).row("average", average)
        return {"level_sd": LOOSE_SD} | {name: row[name] for name in ("estimate", "conf_low", "conf_high")}

    def _later(self, data: Series, design: SegmentedDesign) -> dict[int, np.ndarray]:
        """Half a year and a year after the start and the last period, as weights by time since the start."""
        year = data.frequency.per_year or 0.0
        asked = [round(year / 2) - 1, round(year) - 1, int(design.since[design.after][-1])]
        there = set(design.since[design.after].tolist())
        return {since: (design.since == since) * 1.0 for since in dict.fromkeys(asked) if since in there}

    def _counterfactual(self, data: Series, design: SegmentedDesign, draws: Draws) -> pd.DataFrame:
        """What was expected in every period without the pilot; before the start, the fitted path.

        The limits are of what would have been seen, noise included.
        """
        low, high = np.quantile(draws.seen, [(1 - self.level) / 2, (1 + self.level) / 2], axis=0)
        return pd.DataFrame(
            {
                "period": [data.frequency.iso(int(o)) for o in data.ordinals],
                "label": data.labels(),
                "since": design.since,
                "observed": data.values(self.outcome),
                "expected": draws.expected.mean(axis=0),
                "low": low,
                "high": high,
                "used": design.used,
            }
        )


def fixed(design: SegmentedDesign) -> list[str]:
    """Columns of a design that stay in the model: all but the level and what the pilot does.

    A column that never varies says nothing beside a level and is left out.
    """
    return [
        name
        for name, column in design.columns.items()
        if name != "level before" and name not in design.pilot and np.ptp(column) > 0
    ]


def inclusion(controls: tuple[str, ...], staying: list[str], draws: Draws) -> list[dict[str, Any]]:
    """How likely each column is in the model, and mean and spread of its coefficient over all draws."""
    return [
        {
            "name": name,
            "probability": float(draws.included[at]),
            "coefficient": float(draws.coef[:, at].mean()),
            "std_error": float(draws.coef[:, at].std(ddof=1)),
            "chosen": at < len(controls),
        }
        for at, name in enumerate([*controls, *staying])
    ]
