"""How much hidden bias the matched sets of a comparison of people bear, as its estimate carries it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.rosenbaum import MOST, MatchedSets, tolerated
from ucimpact.words.unrecorded import hidden_odds_sentence

Array = np.ndarray


def scores(y: Array, days: Array | None = None) -> Array:
    """What is left of an outcome when days at risk are allowed for and the service is not.

    Parameters
    ----------
    y : array (n_rows,)
    days : array (n_rows,), optional
        Days at risk.
    """
    expected = y.mean() if days is None else days * (y.sum() / days.sum())
    return np.asarray(y - expected)


def hidden_odds(
    left: Array, sets: Array, treated: Array, effect: float, *, alpha: float = 0.025
) -> dict[str, Any] | None:
    """The ``rosenbaum`` of ``extras["sensitivity"]``; None where the sets have no such bound.

    Parameters
    ----------
    left : array (n_rows,)
        Scores, as of :func:`scores`.
    sets : array (n_rows,) of int
    treated : array (n_rows,) of bool
    effect : float
        Of the estimate; its sign says which side is asked.
    alpha : float
        One-sided, so that a ratio of 1 goes with a 95% interval.

    Returns
    -------
    dict or None
        ``gamma`` (None where not even equal odds leave the result), ``over`` (whether it bears that and
        more), ``rows`` (``gamma, low, high``: bounds of the one-sided p-value), ``text``.
    """
    toward = left * (1.0 if effect > 0 else -1.0)

    try:
        ready = MatchedSets.of(toward, sets, treated)
    except EstimationError:
        return None
    rows, gamma = ready.bounds(), tolerated(ready.bounds, alpha=alpha)
    over = gamma is not None and math.isinf(gamma)
    return {
        "gamma": MOST if over else gamma,
        "over": over,
        "rows": [{"gamma": row.gamma, "low": row.low, "high": row.high} for row in rows],
        "text": hidden_odds_sentence(gamma, MOST),
    }
