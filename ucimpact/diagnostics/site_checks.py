"""Questions asked of sites that were each held against their own past, and pooled."""

from __future__ import annotations

import numpy as np

from ucimpact.diagnostics.check import Answer, Check
from ucimpact.estimate import Estimate

SITES_DIFFER = "Is the effect alike from site to site?"
SMALL_SITES = "Do sites that say little show other effects than sites that say much?"

DOUBT = 0.10
FEW = 5
"""Sites under which a test of how far they differ sees next to nothing."""

ENOUGH_FOR_SMALL = 10
"""Sites from which a difference between sure and unsure ones can be seen."""


def sites_differ(estimate: Estimate) -> Check | None:
    """Whether sites differ by more than chance: Cochran's Q, with the spread between them.

    Each site counts with the variance that its own interval stands for.

    Holds where the scatter is what chance alone would give (10%); doubtful where it is more, for the average
    then need not hold at any one site. With fewer than five sites that find nothing it cannot tell.
    """
    found = estimate.extras.get("heterogeneity")
    if not found:
        return None
    sites = estimate.extras["sites"]
    logs = estimate.extras["pooled"]["scale"] == "log"
    spread = f"{100 * found['tau']:.0f} per cent" if logs else f"{found['tau']:.3g}"
    share = f"{100 * found['i2']:.0f}%"
    answer: Answer = "holds"
    if found["careful_p_value"] < DOUBT:
        answer = "doubtful"
        text = (
            f"The {len(sites)} sites differ by more than chance: {share} of their scatter (I squared), a "
            f"spread of {spread} around the average. The average need not hold at any one of them."
        )
    elif len(sites) < FEW:
        answer = "cannot tell"
        text = f"{len(sites)} sites are too few to show whether the effect differs between them."
    else:
        text = (
            f"The {len(sites)} sites differ by no more than chance would give, which leaves room for small "
            "differences."
        )
    return Check(
        name="sites_differ",
        question=SITES_DIFFER,
        answer=answer,
        text=text,
        statistic=float(found["q"]),
        p_value=float(found["careful_p_value"]),
        counted=False,
    )


def small_sites(estimate: Estimate) -> Check | None:
    """Egger's regression: whether the effect goes with how little a site says. Under ten, cannot tell."""
    found = estimate.extras.get("small_sites")
    if not found or not np.isfinite(found["p_value"]):
        return None
    sites, p = len(estimate.extras["sites"]), float(found["p_value"])
    answer: Answer = "cannot tell"
    if p < DOUBT:
        answer = "doubtful"
        text = "Sites that say little show other effects than those that say much, beyond chance."
    elif sites < ENOUGH_FOR_SMALL:
        text = f"{sites} sites are too few to show it."
    else:
        answer, text = "holds", "No such pattern was found."
    return Check(
        name="small_sites",
        question=SMALL_SITES,
        answer=answer,
        text=text,
        statistic=float(found["statistic"]),
        p_value=p,
        counted=False,
    )
