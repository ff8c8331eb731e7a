"""Peers on single series, by their own defaults or what their pages advise: never part of the package.

Each takes a drawn series and gives limits by effect. The columns and the contrasts are those of our own
regression, so that only the way to an interval differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.calibration.board import Record
from benchmarks.calibration.series import Drawn
from ucimpact.methods.its import InterruptedTimeSeries

Z = 1.959963984540054
NEWEY_WEST = 4.0
"""Lags are the whole part of 4 (n / 100)^(2/9)."""


def _parts(drawn: Drawn) -> tuple[Any, np.ndarray, dict[str, np.ndarray]]:
    design = InterruptedTimeSeries(outcome="y").design(drawn.series)
    return design, design.named, {t: c for t, c in design.contrasts().items() if t in drawn.truth}


def _told(drawn: Drawn, limits: dict[str, tuple[float, float]]) -> Iterator[Record]:
    for term, (low, high) in limits.items():
        held = bool(low <= drawn.truth[term] <= high)
        yield {"term": term, "coverage": held, "width": high - low}


def _of_fit(
    drawn: Drawn, coef: Any, cov: Any, quantile: float, contrasts: dict[str, np.ndarray]
) -> Iterator[Record]:
    limits = {}
    for term, c in contrasts.items():
        estimate, half = float(c @ coef), quantile * float(np.sqrt(c @ cov @ c))
        limits[term] = (estimate - half, estimate + half)
    return _told(drawn, limits)


def least_squares(drawn: Drawn) -> Iterator[Record]:
    """statsmodels OLS, t."""
    import statsmodels.api as sm

    design, x, contrasts = _parts(drawn)
    fit = sm.OLS(design.y, x).fit()
    return _of_fit(drawn, fit.params, fit.cov_params(), stats.t.ppf(0.975, fit.df_resid), contrasts)


def newey_west(drawn: Drawn) -> Iterator[Record]:
    """statsmodels OLS with HAC errors, small-sample factor, t."""
    import statsmodels.api as sm

    design, x, contrasts = _parts(drawn)
    lags = int(NEWEY_WEST * (len(design.y) / 100) ** (2 / 9))
    asked = {"maxlags": lags, "use_correction": True}
    fit = sm.OLS(design.y, x).fit(cov_type="HAC", cov_kwds=asked, use_t=True)
    return _of_fit(drawn, fit.params, fit.cov_params(), stats.t.ppf(0.975, fit.df_resid), contrasts)


def glsar(drawn: Drawn) -> Iterator[Record]:
    """statsmodels GLSAR, iterated."""
    import statsmodels.api as sm

    design, x, contrasts = _parts(drawn)
    fit = sm.GLSAR(design.y, x, rho=1).iterative_fit(maxiter=20)
    return _of_fit(drawn, fit.params, fit.cov_params(), stats.t.ppf(0.975, fit.df_resid), contrasts)


def sarimax(drawn: Drawn) -> Iterator[Record]:
    """statsmodels SARIMAX(1, 0, 0) with the columns as regressors, its defaults."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    design, x, contrasts = _parts(drawn)
    fit = SARIMAX(design.y, exog=x, order=(1, 0, 0)).fit(disp=0)
    p = x.shape[1]
    cov = np.asarray(fit.cov_params())[:p, :p]
    return _of_fit(drawn, np.asarray(fit.params)[:p], cov, Z, contrasts)


def causalpy(drawn: Drawn) -> Iterator[Record]:
    """CausalPy's least-squares path: the line of the months before, carried on."""
    import causalpy as cp
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    design, _, _ = _parts(drawn)
    break_columns = ("level before", "level change", "slope change")
    names = {name: f"x{k}" for k, name in enumerate(design.columns) if name not in break_columns}
    index = pd.date_range("2010-01-01", periods=len(design.y), freq="MS")
    columns = {short: design.columns[name] for name, short in names.items()}
    frame = pd.DataFrame({"y": design.y, **columns}, index=index)
    fit = cp.InterruptedTimeSeries(
        frame,
        treatment_time=index[drawn.before],
        formula=f"y ~ 1 + {' + '.join(columns)}",
        model=LinearRegression(),
    )
    table = fit.effect_summary().table
    ends = table[["ci_lower", "ci_upper"]]
    return _told(drawn, {term: tuple(map(float, ends.loc[term])) for term in ("average", "cumulative")})


def _poisson(drawn: Drawn, **fitted: Any) -> Iterator[Record]:
    import statsmodels.api as sm

    design, x, _ = _parts(drawn)
    fit = sm.GLM(design.y, x, family=sm.families.Poisson(), offset=np.log(drawn.series.exposure)).fit(
        **fitted
    )
    names = list(design.columns)
    cov, coef = np.asarray(fit.cov_params()), np.asarray(fit.params)
    after = design.after
    with_it = drawn.series.exposure[after] * np.exp(x[after] @ coef)
    plain = x[after] - design.effect[after][:, : x.shape[1]]
    without = drawn.series.exposure[after] * np.exp(plain @ coef)
    gradient = with_it @ x[after] / with_it.sum() - without @ plain / without.sum()
    unit = np.eye(len(coef))
    contrasts = {
        "log_level_change": unit[names.index("level change")],
        "log_slope_change": unit[names.index("slope change")],
    }
    quantile = stats.t.ppf(0.975, fit.df_resid)
    yield from _of_fit(drawn, coef, cov, quantile, contrasts)
    theta = float(np.log(with_it.sum() / without.sum()))
    half = quantile * float(np.sqrt(gradient @ cov @ gradient))
    yield from _told(drawn, {"log_average": (theta - half, theta + half)})


def quasi_poisson(drawn: Drawn) -> Iterator[Record]:
    """statsmodels Poisson GLM with Pearson's dispersion, t."""
    return _poisson(drawn, scale="X2")


def poisson_newey_west(drawn: Drawn) -> Iterator[Record]:
    """statsmodels Poisson GLM with HAC errors."""
    lags = int(NEWEY_WEST * (len(drawn.series.ordinals) / 100) ** (2 / 9))
    return _poisson(drawn, cov_type="HAC", cov_kwds={"maxlags": lags})
