"""What being picked at a bad time gives by itself, as an estimate of a comparison of people carries it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.selection_alone import same_rule
from ucimpact.words.numbers import base_for, mid_sentence
from ucimpact.words.trials import selection_sentence

Array = np.ndarray


def selection(
    before: Array,
    after: Array,
    treated: Array,
    *,
    days_before: float,
    days_after: Array | float,
    horizon: float,
    weights: Array | None = None,
    clusters: Array | None = None,
    outcome: str = "events",
    level: float = 0.95,
) -> dict[str, Any] | None:
    """The fall of those with the service beside that of people picked by the same rule; None without both.

    Parameters
    ----------
    before, after, treated, days_before, days_after, horizon, weights, clusters, level
        As of :func:`ucimpact.inference.selection_alone.same_rule`.
    outcome : str
        In words.

    Returns
    -------
    dict or None
        ``pilot`` and ``comparison`` (each ``before, after, fall, low, high`` per person over the horizon),
        ``share, share_low, share_high`` (None where the pilot people's fall is not clear of 0), ``base`` and
        ``text``.
    """
    try:
        found = same_rule(
            before,
            after,
            treated,
            days_before=days_before,
            days_after=days_after,
            horizon=horizon,
            weights=weights,
            clusters=clusters,
            level=level,
        )
    except EstimationError:
        return None
    means = (found.pilot.before, found.pilot.after, found.comparison.before, found.comparison.after)
    if min(means) < 0 or max(means[0], means[2]) == 0:  # what nobody had before is not how people were picked
        return None
    base = base_for(min(mean for mean in means if mean > 0))
    share = (
        None
        if found.share is None or found.share_low is None or found.share_high is None
        else (found.share, found.share_low, found.share_high)
    )
    text = selection_sentence(means[:2], means[2:], share, outcome=mid_sentence(outcome), base=base)
    return {**found.to_dict(), "base": base, "text": text}
