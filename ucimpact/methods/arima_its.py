r"""Interrupted time series with ARIMA errors: a change on top of a series that hangs on its own past.

.. math:: y_t = x_t'\beta + u_t, \qquad
   \phi(B)\,\Phi(B^s)\,(1-B)^d(1-B^s)^D u_t = \theta(B)\,\Theta(B^s)\,\epsilon_t

:math:`x_t` holds the pilot's change (a step, a line from the start, a pulse) with the trend, season and
calendar of :class:`~ucimpact.methods.series_choices.SeriesChoices`. Both sides are differenced, so what is
constant, or repeats every year, drops out where :math:`d` or :math:`D` is 1. The change is the pilot's effect
if nothing else changed at that date and the series would otherwise have gone on hanging together as before.

The order is given, or chosen: :math:`d` and :math:`D` by two stated rules, the rest as the least AICc of a
small grid (:mod:`ucimpact.inference.arima_order`). The fit is by exact maximum likelihood, never below that
of a nested model (:mod:`ucimpact.inference.arima`).

**Interval.** ``"averaged"``: restricted likelihood, and the t distribution of each effect averaged over the
polynomials (:mod:`ucimpact.inference.arima_averaged`). ``"normal"``: maximum likelihood with the observed
information and normal limits, as other programs print; in 48 months its 95% covered 60% to 85%.

**What would have been** is what was observed less the estimated effect: with :math:`d` or :math:`D` the
level of the series is not a parameter, so there is no other line to hold it against. With the average
effect :math:`A` and the observed mean :math:`O` over the same periods, the relative effect is
:math:`A / (O - A)`, both limits transformed.

Set it beside :class:`~ucimpact.methods.its.InterruptedTimeSeries` where what that leaves over still has a
pattern, or where the level wanders. The design follows [1]_.

References
----------
.. [1] Schaffer, A. L., Dobbins, T. A. and Pearson, S.-A. (2021). Interrupted time series analysis using
   autoregressive integrated moving average (ARIMA) models: a guide for evaluating large-scale health
   interventions. *BMC Medical Research Methodology* 21, 58.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from ucimpact import serialise
from ucimpact.data.periods import Frequency
from ucimpact.data.series import Series
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.arima import ArimaFit, Fitting
from ucimpact.inference.arima_averaged import averaged, over_orders
from ucimpact.inference.arima_likelihood import Differenced, Order
from ucimpact.inference.arima_order import YEARS_FOR_SEASON, Candidate, Differences, candidates, differences
from ucimpact.inference.fitted_series import Procedure
from ucimpact.inference.residuals import ljung_box
from ucimpact.methods import arima_account as account
from ucimpact.methods import its_findings
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.series_account import lags, season_account
from ucimpact.methods.series_choices import SeriesChoices
from ucimpact.methods.series_findings import LEAST_RESIDUAL_DF, counted

GRID = "grid"
INTERVALS = ("averaged", "normal")
MOST = (5, 2, 5)
MOST_SEASONAL = (2, 1, 2)
SHOWN = 5
"""Orders of the grid that are told."""

ENOUGH_TO_SEE_DRIFT = 96
"""Periods from which the test for drift finds most levels that wander."""

NEAR = 4.0
"""AICc above the least up to which an order of the grid has a part in the interval."""

ROUTES = {
    "averaged": "ARIMA{order}, restricted likelihood, t averaged over its coefficients",
    "normal": "ARIMA{order}, maximum likelihood, normal limits from the observed information",
}


@dataclass(frozen=True, kw_only=True)
class ArimaITS(SeriesChoices):
    """Compare a series after a date with its own path before, by a model of how it hangs on its past.

    Parameters
    ----------
    outcome : str
        Series column in natural units: a rate, or counts with a mean of 20 or more.
    order : tuple of int or "grid", default "grid"
        ``(p, d, q)``: terms of the past values, differences, terms of the past surprises. ``"grid"`` chooses:
        ``d`` by a test for drift, the others with ``p + q`` up to 2 by AICc.
    seasonal : tuple of int, optional
        ``(P, D, Q)``: the same from year to year. Left out, it is chosen with the grid, and ``(0, 0, 0)``
        where an order is given.
    interval : str, default "averaged"
        ``"averaged"`` (over the coefficients of the model, which short series cannot tell) or ``"normal"``
        (as other programs print; too narrow in short series).
    seed : int, default 1
        For the draws behind the test for drift.
    """

    order: tuple[int, ...] | str = GRID
    seasonal: tuple[int, ...] | None = None
    interval: str = "averaged"
    seed: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("order", "seasonal"):
            if isinstance(value := getattr(self, name), list):
                object.__setattr__(self, name, tuple(value))

    def wrong_choices(self) -> list[str]:
        """What is wrong with the fields, whatever the data."""
        wrong = super().wrong_choices()
        if isinstance(self.order, str):
            if self.order != GRID:
                wrong.append(f'order = "{self.order}" is not known; give (p, d, q) or "{GRID}"')
        else:
            wrong += _order_problems("order", self.order, MOST)
        if self.seasonal is not None:
            wrong += _order_problems("seasonal", self.seasonal, MOST_SEASONAL)
        if self.interval not in INTERVALS:
            wrong.append(f'interval = "{self.interval}" is not known; choose one of: {", ".join(INTERVALS)}')
        return wrong

    def check_design(self, data: Series) -> list[Finding]:
        """What speaks against this analysis of these data, each with the way out. Nothing is fitted."""
        found = super().check_design(data)
        if any(finding.level == "refuse" for finding in found):
            return found
        design = self.design(data)
        if refused := self._refusals(data, design):
            return [*refused, *found]
        return [*found, *its_findings.small_counts(data, design, outcome=self.outcome)]

    def _refusals(self, data: Series, design: SegmentedDesign) -> list[Finding]:
        """What speaks against these differences of this series."""
        s = _year(data.frequency)
        if self.seasonal is not None and any(self.seasonal) and s == 1:
            text = f"seasonal terms need periods within a year, and this series has {data.frequency.noun}s"
            return [Finding("refuse", text, "Leave seasonal out")]
        order = replace(self._given(s), d=self._differences(data, design).d)
        order = replace(order, seasonal_d=self._differences(data, design).seasonal_d)
        try:
            differenced = Differenced.of(design.y, design.named, design.used, order)
        except EstimationError as error:
            way_out = "Choose fewer differences, a plainer season or a longer window"
            return [Finding("refuse", str(error), way_out)]
        names = np.array(design.names)
        if lost := [name for name in design.pilot if name in names[~differenced.kept]]:
            text = f"differencing as ARIMA{order} asks takes out what the pilot does ({', '.join(lost)})"
            return [Finding("refuse", text, "Choose fewer differences")]
        spare = differenced.points - differenced.regressors - order.terms
        if spare < LEAST_RESIDUAL_DF:
            text = (
                f"{counted(differenced.points, data.frequency.noun)} after differencing less "
                f"{differenced.regressors + order.terms} terms leave {spare} to measure chance by, and "
                f"{LEAST_RESIDUAL_DF} are the least"
            )
            return [Finding("refuse", text, "Choose a plainer order or season, or a longer window")]
        return []

    def _given(self, s: int) -> Order:
        """The terms that the study gives; 0 where they are chosen."""
        p, d, q = (0, 0, 0) if isinstance(self.order, str) else self.order
        seasonal = self.seasonal or (0, 0, 0)
        return Order(
            p=p, d=d, q=q, seasonal_p=seasonal[0], seasonal_d=seasonal[1], seasonal_q=seasonal[2], s=s
        )

    def _differences(self, data: Series, design: SegmentedDesign) -> Differences:
        """How often to difference: as given, or by the rules."""
        given, s = self._given(_year(data.frequency)), _year(data.frequency)
        if not isinstance(self.order, str):
            return Differences(
                d=given.d, seasonal_d=given.seasonal_d, season_left=np.nan, drift=np.nan, drift_limit=np.nan
            )
        fixed = None if self.seasonal is None else given.seasonal_d
        return differences(design.y, design.named, design.used, s, seed=self.seed, seasonal_d=fixed)

    def _chosen(
        self, data: Series, design: SegmentedDesign
    ) -> tuple[Order, Differences, list[Candidate], Fitting]:
        """The order, how it was chosen, and the maximum likelihood fits looked at on the way."""
        s = _year(data.frequency)
        by = self._differences(data, design)
        order = replace(self._given(s), d=by.d, seasonal_d=by.seasonal_d)
        fitting = Fitting(design.y, design.named, design.used)
        if not isinstance(self.order, str):
            return order, by, [], fitting
        enough = s > 1 and int(design.used.sum()) - order.lost >= YEARS_FOR_SEASON * s
        found = candidates(fitting, order, seasonal=self.seasonal is None and enough)
        return found[0].order, by, found, fitting

    def fit(self, data: Series) -> Estimate:
        """Return the average effect after the start, then those it is made of and those that follow."""
        warnings = enforce(self.check_design(data))
        design = self.design(data)
        order, by, grid, by_likelihood = self._chosen(data, design)
        restricted = self.interval == "averaged"
        fitting = (
            Fitting(design.y, design.named, design.used, restricted=True) if restricted else by_likelihood
        )
        fit = fitting.fit(order)
        near = [one for one in grid if one.aicc - grid[0].aicc <= NEAR][:SHOWN]
        if not restricted:
            procedure: Procedure = fit
        elif near:
            procedure = over_orders(
                [averaged(fitting.data(one.order), len(design.names)) for one in near],
                np.exp([(near[0].aicc - one.aicc) / 2 for one in near]),
            )
        else:
            procedure = averaged(fitting.data(order), len(design.names))
        reported = fit if not restricted else by_likelihood.fit(order)
        left_over = ljung_box(
            fit.white,
            fit.design,
            np.ones(len(fit.white), dtype=bool),
            min(max(lags(data, design), order.terms + 3), len(fit.white) - 1),
            fitted=order.terms,
        )
        named = {term: c[: len(design.names)] for term, c in design.contrasts().items()}
        later = {since: c[: len(design.names)] for since, c in design.at_periods(data.frequency).items()}
        rows = [account.row(term, c, fit, procedure, self.level) for term, c in named.items()]
        relative = account.relative(rows[0], float(np.mean(design.y[design.after])))
        rows.append(relative)
        rows += [
            account.row("effect_at", c, fit, procedure, self.level) | {"event_time": since}
            for since, c in later.items()
        ]
        effects = effects_frame(rows)
        directions = np.vstack([*named.values(), named["average"], *later.values()])
        warnings += tuple(account.care(data, fit, left_over, relative))
        if grid and not order.d and fit.points < ENOUGH_TO_SEE_DRIFT:
            noun = data.frequency.noun
            warnings += (
                f"{fit.points} {noun}s often do not show that a level wanders, and then the range is too "
                f"narrow. If it may, set order = (0, 1, 1) beside this.",
            )
        residuals = np.full(len(design.y), np.nan)
        residuals[order.lost :] = np.where(design.used[order.lost :], fit.white, np.nan)
        extras = {
            "noun": data.frequency.noun,
            "order": str(order),
            "season": season_account(design),
            "before": int(design.before.sum()),
            "after": int(design.after.sum()),
            "n": int(design.used.sum()),
            "differenced_away": [name for name, kept in zip(design.names, fit.kept, strict=True) if not kept],
            "differences": {
                "given": not isinstance(self.order, str),
                "d": order.d,
                "seasonal": order.seasonal_d,
                "season_left": by.season_left,
                "drift": by.drift,
                "drift_limit": by.drift_limit,
            },
            "grid": [
                {"order": str(one.order), "aicc": one.aicc, "averaged": restricted and one in near}
                for one in grid[:SHOWN]
            ],
            "arma": account.arma(fit),
            "coefficients": account.coefficients(design, fit),
            "maximum_likelihood": {
                "log_likelihood": reported.log_likelihood,
                "nested": reported.nested,
                "aicc": reported.aicc,
                "sigma2": reported.sigma2,
                "points": reported.points,
                "arma": account.arma(reported),
                "coefficients": account.coefficients(design, reported),
            },
            "sigma": float(np.sqrt(fit.sigma2)),
            "residuals": residuals,
            "ljung_box": {
                "statistic": left_over.statistic,
                "lags": left_over.lags,
                "p_value": left_over.p_value,
            },
        }
        return Estimate(
            method="arima-its",
            estimand="average effect after the start",
            outcome=self.outcome,
            effects=effects,
            cov=account.covariance(effects["std_error"].to_numpy(), directions, fit),
            counterfactual=self._counterfactual(data, design, fit, procedure),
            counts=data.counts() | {"used": int(design.used.sum()), "left_out": design.left_out},
            warnings=warnings,
            spec={f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)},
            draws_from=ROUTES[self.interval].format(order=order)
            + (f" and {len(near) - 1} orders nearly as good" if restricted and len(near) > 1 else ""),
            extras=serialise.plain(extras),
        )

    def _counterfactual(
        self, data: Series, design: SegmentedDesign, fit: ArimaFit, procedure: Procedure
    ) -> pd.DataFrame:
        """What was observed less the effect, with the limits of the effect; no effect before the start.

        A period without a value stands with what is expected of it from those around it.
        """
        effect = design.effect[:, : len(design.names)]
        limits = np.zeros((len(effect), 2))
        moved = np.abs(effect).max(axis=1) > 0
        if moved.any():
            limits[moved] = procedure.limits(effect[moved], self.level)
        return pd.DataFrame(
            {
                "period": [data.frequency.iso(int(o)) for o in data.ordinals],
                "label": data.labels(),
                "since": design.since,
                "observed": data.values(self.outcome),
                "expected": fit.filled - fit.estimates(effect),
                "low": fit.filled - limits[:, 1],
                "high": fit.filled - limits[:, 0],
                "used": design.used,
            }
        )


def _order_problems(name: str, value: tuple[int, ...], most: tuple[int, ...]) -> list[str]:
    if len(value) != 3:
        return [f"{name} holds {len(value)} numbers; give three, as in {name} = (1, 0, 0)"]
    if any(number < 0 or number > limit for number, limit in zip(value, most, strict=True)):
        return [f"{name} = {tuple(value)} has a number below 0 or above {most}"]
    return []


def _year(frequency: Frequency) -> int:
    """Periods after which the season returns; 1 where there is none."""
    if frequency.per_year is None or frequency.kind == "financial-year":
        return 1
    return max(round(frequency.per_year), 1)
