"""Peers on the panel cells, by their own defaults or what their pages advise: never part of the package.

Each takes the table of a draw and gives estimate, standard error, p-value and 95% limits of one effect.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

Answer = tuple[float, float, float, float, float]
"""Estimate, standard error, p-value, lower and upper limit."""


def diff_diff_twfe(table: pd.DataFrame) -> Answer:
    """Two-way effects of one start, errors clustered by unit."""
    from diff_diff import TwoWayFixedEffects

    first = table.loc[table["start"] > 0, "start"].iloc[0]
    made = table.assign(pilot=(table["start"] > 0).astype(int), post=(table["period"] >= first).astype(int))
    names = {"outcome": _outcome(table), "treatment": "pilot", "time": "post", "unit": "unit"}
    return _answer(TwoWayFixedEffects(cluster="unit").fit(made, **names))


def diff_diff_cs(table: pd.DataFrame) -> Answer:
    """Callaway and Sant'Anna, analytic errors, never-treated comparison."""
    from diff_diff import CallawaySantAnna

    return _overall(CallawaySantAnna().fit(table, **_roles(table, "first_treat")))


def diff_diff_imputation(table: pd.DataFrame) -> Answer:
    """Borusyak, Jaravel and Spiess."""
    from diff_diff import ImputationDiD

    return _overall(ImputationDiD(cluster="unit").fit(table, **_roles(table, "first_treat")))


def diff_diff_sun_abraham(table: pd.DataFrame) -> Answer:
    """Sun and Abraham, errors clustered by unit."""
    from diff_diff import SunAbraham

    return _overall(SunAbraham(cluster="unit").fit(table, **_roles(table, "first_treat")))


def diff_diff_poisson(table: pd.DataFrame) -> Answer:
    """Wooldridge's extended two-way Poisson: events a unit and month; it has no offset."""
    from diff_diff import WooldridgeDiD

    method = WooldridgeDiD(method="poisson", cluster="unit")
    return _overall(method.fit(table, outcome="events", unit="unit", time="period", cohort="start"))


def pyfixest_feols(table: pd.DataFrame) -> Answer:
    """Two-way effects, CRV1 by unit."""
    import pyfixest

    made = table.assign(outcome=_values(table))
    return _pyfixest(pyfixest.feols("outcome ~ running | unit + period", made, vcov={"CRV1": "unit"}))


def pyfixest_fepois(table: pd.DataFrame) -> Answer:
    """Two-way Poisson with the logarithm of the list as offset, CRV1 by unit: a log ratio."""
    import pyfixest

    made = table.assign(log_size=np.log(table["size"]))
    formula = "events ~ running | unit + period"
    return _pyfixest(pyfixest.fepois(formula, made, vcov={"CRV1": "unit"}, offset="log_size"))


def csdid_cs(table: pd.DataFrame) -> Answer:
    """Callaway and Sant'Anna as R's did has it, analytic errors."""
    from csdid.att_gt import ATTgt

    made = table.assign(outcome=_values(table))
    names = {"yname": "outcome", "tname": "period", "idname": "unit", "gname": "start"}
    fit = ATTgt(data=made, control_group="nevertreated", **names).fit("dr", bstrap=False)
    found = fit.aggte("simple", bstrap=False).atte
    estimate, error = float(found["overall_att"]), float(np.ravel(found["overall_se"])[0])
    half = NormalDist().inv_cdf(0.975) * error
    p = 2 * (1 - NormalDist().cdf(abs(estimate) / error)) if error > 0 else float("nan")
    return estimate, error, p, estimate - half, estimate + half


def _outcome(table: pd.DataFrame) -> str:
    return "rate" if "rate" in table else "y"


def _values(table: pd.DataFrame) -> pd.Series:
    return table[_outcome(table)]


def _roles(table: pd.DataFrame, start: str) -> dict[str, str]:
    return {"outcome": _outcome(table), "unit": "unit", "time": "period", start: "start"}


def _answer(found: Any) -> Answer:
    return (found.att, found.se, found.p_value, *found.conf_int)


def _overall(found: Any) -> Answer:
    return (found.overall_att, found.overall_se, found.overall_p_value, *found.overall_conf_int)


def _pyfixest(fit: Any) -> Answer:
    limits = fit.confint().loc["running"].to_numpy(dtype=float)
    return (fit.coef()["running"], fit.se()["running"], fit.pvalue()["running"], *limits)
