"""Whether the effect differs between kinds of people: a ratio (or difference) for each, and one test.

One model holds an effect for each kind beside the covariates; the test asks whether all of them are the same,
which is not whether each differs from no change. Kinds are compared fairly where people were matched
on the column exactly; elsewhere the covariates have to do the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy.special import chdtrc, fdtrc, stdtrit

from ucimpact.data.cohort import MISSING, Cohort
from ucimpact.errors import EstimationError
from ucimpact.inference import glm
from ucimpact.inference.linear import collinear
from ucimpact.methods.cohort_sample import CohortSample
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.matched_cohort_effects import COUNTS, LINEAR, Model, adjusting

Array = np.ndarray

MOST_KINDS = 12
FEW_EVENTS = 5
"""A kind with fewer events on a side has no range that can be trusted, and stays out of the test."""


def subgroup_findings(
    cohort: Cohort, columns: Sequence[str], known_after: Iterable[str] = ()
) -> list[Finding]:
    """Refuse columns by which people cannot be told apart."""
    found = []
    for column in columns:
        if column in known_after:
            text = f"`{column}` is not known at the index date, so people cannot be grouped by it"
            found.append(Finding("refuse", text, "Name what was known at the index date"))
            continue
        kinds = np.unique(cohort.codes(column))
        number = int((kinds != MISSING).sum())
        if number < 2:
            text = f"`{column}` is the same for all, so there are no kinds of people to compare"
            found.append(Finding("refuse", text, "Leave it out of subgroups"))
        elif number > MOST_KINDS:
            text = f"`{column}` has {number:,} kinds of people, and at most {MOST_KINDS} can be compared"
            found.append(Finding("refuse", text, "Put it into bands first"))
    return found


def subgroups(model: Model, sample: CohortSample, y: Array, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Effects by kind of people for each column, with a test of whether they differ.

    Returns
    -------
    list of dict
        ``by, label, scale, p_interaction, df, rows``; ``scale`` is "ratio" or "difference" and each row
        ``group, n_pilot, n_comparison, events_pilot, events_comparison, estimate, conf_low, conf_high,
        why``. ``why`` says why a kind has no estimate; ``p_interaction`` is None where fewer than two have.
    """
    return [_by(model, sample, y, column) for column in columns]


def _by(model: Model, sample: CohortSample, y: Array, column: str) -> dict[str, Any]:
    every = sample.cohort.codes(column)
    names = _names(sample.cohort, column, every)
    codes = every[sample.row]
    kinds = [int(code) for code in np.unique(codes) if code != MISSING]
    rows = {code: _counts(sample, y, codes == code, names[code]) for code in kinds}
    for code in kinds:
        rows[code]["why"] = _why(rows[code], model)
    able = [code for code in kinds if rows[code]["why"] is None]
    p_value, df = None, None
    if able:
        try:
            p_value, df = _fit(model, sample, y, codes, able, rows)
        except EstimationError:
            for code in able:
                rows[code]["why"] = "the model has no solution"
    return {
        "by": column,
        "label": column.replace("_", " "),
        "scale": "difference" if model.family in LINEAR else "ratio",
        "p_interaction": p_value,
        "df": df,
        "rows": [rows[code] for code in kinds],
    }


def _names(cohort: Cohort, column: str, codes: Array) -> dict[int, str]:
    """How each kind is called."""
    held = cohort.table[column]
    found = {}
    for code, place in zip(*np.unique(codes, return_index=True), strict=True):
        value = held.iloc[int(place)]
        plain = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
        found[int(code)] = f"{value:.12g}" if plain else str(value)
    return found


def _counts(sample: CohortSample, y: Array, mine: Array, name: str) -> dict[str, Any]:
    pilot, others = (np.unique(sample.row[mine & side]) for side in (sample.treated, ~sample.treated))
    row: dict[str, Any] = {"group": name, "n_pilot": len(pilot), "n_comparison": len(others)}
    row |= {"events_pilot": float(y[pilot].sum()), "events_comparison": float(y[others].sum())}
    return {**row, "estimate": None, "conf_low": None, "conf_high": None, "why": None}


def _why(row: dict[str, Any], model: Model) -> str | None:
    """Why a kind of people has no effect of its own."""
    if min(row["n_pilot"], row["n_comparison"]) < FEW_EVENTS:
        return "too few people"
    few = min(row["events_pilot"], row["events_comparison"])
    if (model.family in COUNTS and few < FEW_EVENTS) or (model.family not in LINEAR and few <= 0):
        return "too few events"
    return None


def _fit(
    model: Model,
    sample: CohortSample,
    y: Array,
    codes: Array,
    able: list[int],
    rows: dict[int, dict[str, Any]],
) -> tuple[float | None, float | None]:
    """Fill in the effects of the kinds that have one; the p-value of their being the same, and its df."""
    use = np.isin(codes, able)
    kinds = (codes[use][:, None] == np.array(able)).astype(float)
    effects = kinds * sample.treated[use][:, None]
    x = np.column_stack([kinds, effects, adjusting(model, sample)[1][use]])
    lost = set(collinear(x.T, x.T, sample.weight[use]))
    x = x[:, [k for k in range(x.shape[1]) if k not in lost]]
    linear = model.family in LINEAR
    offset = np.log(sample.days[use]) if model.family in COUNTS and sample.days is not None else None
    values = y[sample.row[use]]
    weight = sample.weight[use]
    fit = glm.gaussian(values, x, weight) if linear else glm.poisson(values, x, offset, weight)
    number = len(able)
    influence = np.zeros((len(sample.row), number))
    influence[use] = fit.influence[:, number : 2 * number]
    coef, cov = fit.coef[number : 2 * number], sample.cov(influence, x.shape[1])
    for place, code in enumerate(able):
        error = float(np.sqrt(cov[place, place]))
        half = float(stdtrit(sample.df(influence[:, place]), (1 + model.level) / 2)) * error
        shown = coef[place] + np.array([0.0, -half, half])
        numbers = map(float, shown if linear else np.exp(shown))
        rows[code] |= dict(zip(("estimate", "conf_low", "conf_high"), numbers, strict=True))
    return _alike(coef, cov, influence, sample)


def _alike(
    coef: Array, cov: Array, influence: Array, sample: CohortSample
) -> tuple[float | None, float | None]:
    """Wald test that all effects are the same, by F with the df its variance is worth; df None for normal."""
    q = len(coef) - 1
    if q < 1:
        return None, None
    apart = np.column_stack([-np.ones(q), np.eye(q)])
    df = min(sample.df(influence @ row) for row in apart) - q + 1
    spread = apart @ cov @ apart.T
    if df <= 0 or np.linalg.matrix_rank(spread) < q:
        return None, None
    gap = apart @ coef
    wald = float(gap @ np.linalg.solve(spread, gap))
    if np.isinf(df):  # a sample whose effects are taken for normal
        return float(chdtrc(q, wald)), None
    return float(fdtrc(q, df, wald * df / ((df + q - 1) * q))), float(df)
