"""Group-time differences from never-treated units, written cell by cell, and panels to try them on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.staggered import Analytic, Multiplier, Terms
from ucimpact.methods.staggered_sample import Sample


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """The fields that every method for staggered starts has."""

    outcome: str
    covariates: tuple[str, ...] = ()
    cov: Auto | Analytic | Multiplier = field(default_factory=Auto)
    level: float = 0.95


def terms_by_hand(sample: Sample) -> Terms:
    """Each treated cell less its cohort's last period before, against units that never start."""
    starts, periods = sample.cohorts, sample.ordinals
    last = len(starts)
    weight = sample.unit_weights
    totals = np.bincount(sample.cohort, weight, last + 1)
    means = np.array(
        [np.average(sample.outcome[sample.cohort == g], axis=0, weights=weight[sample.cohort == g]) for g in range(last + 1)]
    )  # fmt: skip
    rows, loadings, shares, effects = [], [], [], []

    def add(row, cells):
        whole = sum(totals[g] for g, _ in cells)
        lag, share, effect = np.zeros((last + 1, len(periods))), np.zeros(last), np.zeros(last)
        for g, t in cells:
            base = np.flatnonzero(periods < starts[g])[-1]
            part = totals[g] / whole
            for who, sign in ((g, part), (last, -part)):
                lag[who, t] += sign
                lag[who, base] -= sign
            share[g] += part
            effect[g] += part * ((means[g, t] - means[g, base]) - (means[last, t] - means[last, base]))
        rows.append(row)
        loadings.append(lag)
        shares.append(share)
        effects.append(np.where(share > 0, effect / np.where(share > 0, share, 1), 0))

    cells = [(g, t) for g in range(last) for t in range(len(periods))]
    since = {(g, t): int(periods[t] - starts[g]) for g, t in cells}
    add({"term": "simple"}, [c for c in cells if since[c] >= 0])
    for e in sorted(set(since.values()) - {-1}):
        add({"term": "event", "event_time": e}, [c for c in cells if since[c] == e])
    lag, share, effect = np.array(loadings).transpose(1, 0, 2), np.array(shares).T, np.array(effects).T
    centred = (sample.outcome - means[sample.cohort]) * (weight / totals[sample.cohort])[:, None]
    influence = np.einsum("it,ikt->ik", centred, lag[sample.cohort])
    return Terms(tuple(rows), (share * effect).sum(axis=0), influence, share, effect, loadings=lag)


def staggered_table(
    seed: int,
    units: int = 30,
    pilots: int = 6,
    periods: int = 24,
    *,
    effect: float = 0.0,
    starts: tuple[int, int] = (8, 18),
    rho: float = 0.5,
) -> pd.DataFrame:
    """Units with AR(1) noise of variance 1; ``pilots`` of them start in a period drawn between ``starts``."""
    rng = np.random.default_rng(seed)
    noise = np.zeros((units, periods))
    noise[:, 0] = rng.normal(size=units)
    for t in range(1, periods):
        noise[:, t] = rho * noise[:, t - 1] + rng.normal(size=units) * np.sqrt(1 - rho**2)
    start = np.zeros(units, dtype=int)
    start[:pilots] = rng.integers(*starts, pilots)
    running = (np.arange(1, periods + 1)[None, :] >= start[:, None]) & (start[:, None] > 0)
    y = 40 + 3 * rng.normal(size=(units, 1)) + rng.normal(size=periods) + noise + effect * running
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "period": np.tile(np.arange(1, periods + 1), units),
            "start": np.repeat(start, periods),
            "y": y.ravel(),
        }
    )
