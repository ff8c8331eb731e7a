"""What is known of people on a trial day: the plan of the trials and the covariates of their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.data.histories import Histories
from ucimpact.inference.learners import Learner
from ucimpact.methods.sequential_trials_table import Measured, Opening, Rows

Array = np.ndarray

STAY = "length of the stay"
SEASON = ("season (cosine)", "season (sine)")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The fields of ``SequentialTrials`` that no outcome changes."""

    opening: Opening
    covariates: tuple[str, ...]
    measured: tuple[Measured, ...]
    exact: tuple[str, ...]
    season: bool
    ratio: int
    caliper: float | None
    reuse_within_day: int
    learner: str | Learner | None = None


def columns_of(histories: Histories, plan: Plan, rows: Rows) -> tuple[Array, tuple[str, ...]]:
    """Covariates of rows, shape (n, k), and their names."""
    columns: list[Array] = [histories.values(name)[rows.person] for name in plan.covariates]
    names = list(plan.covariates)
    for what in plan.measured:
        columns.append(measured(histories, what, rows))
        names.append(what.name)
    if rows.opened is not None and rows.closed is not None:
        columns.append(np.log1p(rows.closed - rows.opened)[rows.unit])
        names.append(STAY)
        if plan.season:
            angle = 2 * np.pi * rows.day / 365.25
            columns += [np.cos(angle), np.sin(angle)]
            names += SEASON
    x = np.column_stack(columns) if columns else np.zeros((len(rows.day), 0))
    return x.astype(float), tuple(names)


def measured(histories: Histories, what: Measured, rows: Rows) -> Array:
    """What had happened to the people of rows, as a covariate."""
    if what.at == "trigger" and rows.closed is not None:
        own = np.zeros(len(rows.closed), dtype=np.int64)
        own[rows.unit] = rows.person
        found = histories.measure(what.event, own, rows.closed, *what.days, value=what.value)[rows.unit]
    else:
        found = histories.measure(what.event, rows.person, rows.known, *what.days, value=what.value)
    return np.asarray(np.log1p(np.maximum(found, 0.0)) if what.log else found, dtype=float)


def complete(
    histories: Histories, plan: Plan, rows: Rows
) -> tuple[Rows, Array, tuple[str, ...], list[dict[str, Any]]]:
    """Rows with every covariate and kind known; the others counted at their first empty cell."""
    x, names = columns_of(histories, plan, rows)
    keep = np.ones(len(rows.day), dtype=bool)
    left_out = []
    empty = [(name, histories.codes(name)[rows.person] < 0) for name in plan.exact]
    empty += [(name, ~np.isfinite(x[:, place])) for place, name in enumerate(names)]
    for name, lacking in empty:
        gone = keep & lacking
        if gone.any():
            people = len(np.unique(rows.person[gone]))
            reason = f"`{name}` was empty, so they could not be compared"
            left_out.append({"n": people, "pilot": int(rows.treated[gone].sum()), "reason": reason})
        keep &= ~lacking
    return rows.where(keep), x[keep], names, left_out
