"""Of the outcomes asked about, which stand when the number of questions is allowed for.

Every outcome whose estimate has a likely range is a question; an outcome that the pilot cannot have changed
is none. Where all estimates say how much each of the same sampling units moved them, chance moves them
together as their influence says; else nothing is taken for granted. The numbers follow from the printed
ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.estimate import Estimate, correlation, share_units
from ucimpact.evaluation.document import Analysis
from ucimpact.inference.multiple import (
    benjamini_hochberg,
    bonferroni_stretch,
    chance_of,
    holm,
    null_sizes,
    romano_wolf,
    size_of,
    stretch,
)
from ucimpact.study import Outcome
from ucimpact.words import robust

LIMIT = 0.05
"""Chance below which an outcome is said to stand: what a likely range that leaves out no change means."""


def multiplicity(
    pairs: Sequence[tuple[Outcome, Analysis]], *, named: str, seed: int
) -> dict[str, Any] | None:
    """The rows of the outcomes with their chances, and the answer in words; None for fewer than two.

    Parameters
    ----------
    pairs : sequence of (Outcome, Analysis)
        Every declared outcome with its analysis, the main one first.
    named : str
        What is known of when the main outcome was named.
    """
    counted = [(o, a) for o, a in pairs if not o.negative_control and _ranged(a)]
    if len(counted) < 2:
        return None
    estimates = [a.estimate for _, a in counted if a.estimate is not None]
    ranges = [(float(a.est or 0.0), float(a.lo or 0.0), float(a.hi or 0.0)) for _, a in counted]
    df = [_freedom(estimate) for estimate in estimates]
    sizes = [size_of(*limits) for limits in ranges]
    alone = [chance_of(size, own) for size, own in zip(sizes, df, strict=True)]
    together: list[float] | None = None
    if share_units(estimates):
        drawn = null_sizes(correlation(estimates), df, seed=seed)
        together = np.maximum(romano_wolf(sizes, drawn), alone).tolist()
        wider = [stretch(drawn)] * len(df)
    else:
        wider = bonferroni_stretch(df).tolist()
    by_holm, by_share = holm(alone), benjamini_hochberg(alone)
    decides = by_holm.tolist() if together is None else together
    rows: list[dict[str, Any]] = [
        {
            "label": o.label,
            "column": o.column,
            "main": o.primary,
            "alone": alone[k],
            "holm": float(by_holm[k]),
            "false_share": float(by_share[k]),
            "romano_wolf": None if together is None else together[k],
            "allowing": decides[k],
            "stretch": wider[k],
            "df": None if np.isinf(df[k]) else df[k],
        }
        for k, (o, _) in enumerate(counted)
    ]
    stand_alone = [row["label"] for row in rows if row["alone"] < LIMIT]
    stand = [row["label"] for row in rows if row["allowing"] < LIMIT and row["alone"] < LIMIT]
    left = [(o, a) for o, a in pairs if not o.negative_control and not _ranged(a)]
    return {
        "how": "romano-wolf" if together is not None else "holm",
        "asked": len(rows),
        "rows": rows,
        "answer": robust.multiplicity_answer(stand_alone, stand, len(rows)),
        "text": [
            robust.why_many(len(rows)),
            robust.HOW_JOINT if together is not None else robust.HOW_HOLM,
            named,
            *([robust.NOT_COUNTED] if any(o.negative_control for o, _ in pairs) else []),
        ],
        "left_out": [
            {"label": o.label, "why": words.capital(a.refused or "there is no likely range")} for o, a in left
        ],
    }


def _ranged(analysis: Analysis) -> bool:
    return analysis.estimate is not None and None not in (analysis.est, analysis.lo, analysis.hi)


def _freedom(estimate: Estimate) -> float:
    """Degrees of freedom of the headline; infinite where its range has none."""
    df = float(estimate.headline["df"])
    return df if np.isfinite(df) and df > 0 else float("inf")
