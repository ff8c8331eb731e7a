r"""How far the results of pilots hang together because they share those they are compared with.

Two pilots share a comparison where both name the same pool, where they were worked out from the same file,
or where places of the same name stand in both comparisons. Of the log ratios of such a pair,

.. math:: \Sigma_{jk} = \sum_u \psi_{ju} \psi_{ku} \quad\text{or}\quad \Sigma_{jk} = \sqrt{v_j v_k}

with :math:`\psi_{ju}` what comparison organisation :math:`u` added to :math:`j`, where both evaluations say;
otherwise :math:`v` is the variance of the logarithm of what came of the comparison, as if its people were the
same throughout. Where neither is known, every figure is worked out twice, with a correlation of 0 and of .5,
and both are told: to take shared controls for separate ones is the dearest mistake a league can make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ucimpact.inference.shrinkage import shared_arm
from ucimpact.league.pilot import Pilot
from ucimpact.words import league as said

Array = np.ndarray

RHO = 0.5
"""Correlation of the upper bound, where how much is shared is not known."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sharing:
    """The covariance of the results, or its two bounds.

    Attributes
    ----------
    how : str
        ``"none shared"``, ``"influence"``, ``"control arm"`` or ``"bounds"``; the least known of several.
    cov : array (K, K)
        What the league works with; at a correlation of ``rho`` where there are bounds.
    low : array (K, K) or None
        The same with a correlation of 0.
    groups : tuple of tuple of int
        Pilots that share, by their places.
    """

    how: str
    cov: Array
    low: Array | None = None
    rho: float | None = None
    groups: tuple[tuple[int, ...], ...] = ()
    text: str = ""
    kinds: tuple[str, ...] = field(default_factory=tuple)


def sharing(pilots: Sequence[Pilot], pool: str | None = None) -> Sharing:
    """The covariance of the log ratios of some pilots.

    Parameters
    ----------
    pilots : sequence of Pilot
    pool : str, optional
        A name for the comparison that all of them share.
    """
    used = np.array([pilot.used_se for pilot in pilots])
    cov, low = np.diag(used**2), np.diag(used**2)
    groups = _groups(pilots, pool)
    kinds = []
    for group in groups:
        at = np.ix_(group, group)
        kind, block = _block([pilots[k] for k in group])
        kinds.append(kind)
        cov[at] = block
        if kind != "bounds":
            low[at] = block
    order = ("none shared", "influence", "control arm", "bounds")
    how = max(kinds, key=order.index) if kinds else order[0]
    bounded = "bounds" in kinds
    names = [[pilots[k].short for k in group] for group in groups]
    return Sharing(
        how=how,
        cov=cov,
        low=low if bounded else None,
        rho=RHO if bounded else None,
        groups=tuple(groups),
        text=said.shared(list(zip(kinds, names, strict=True)), len(pilots)),
        kinds=tuple(kinds),
    )


def _groups(pilots: Sequence[Pilot], pool: str | None) -> list[tuple[int, ...]]:
    """Pilots that share with one another, directly or through a third; each group of two or more."""
    if pool is not None:
        return [tuple(range(len(pilots)))]
    group = list(range(len(pilots)))
    for j in range(len(pilots)):
        for k in range(j):
            if group[j] != group[k] and shares(pilots[j], pilots[k]):
                old, new = group[j], group[k]
                group = [new if g == old else g for g in group]
    found = [tuple(k for k, g in enumerate(group) if g == name) for name in dict.fromkeys(group)]
    return [members for members in found if len(members) > 1]


def shares(one: Pilot, other: Pilot) -> bool:
    """Whether two pilots are held against some of the same."""
    a, b = (pilot.comparable["controls"] for pilot in (one, other))
    pools = [str(c["pool"]).strip().lower() for c in (a, b) if c["pool"]]
    if len(pools) == 2 and pools[0] == pools[1]:
        return True
    if set(a["files"]) & set(b["files"]):
        return True
    return bool(set(a["units"] or ()) & set(b["units"] or ()))


def _block(pilots: Sequence[Pilot]) -> tuple[str, Array]:
    """The covariance of pilots that share, and by what it is known."""
    controls = [pilot.comparable["controls"] for pilot in pilots]
    used = np.array([pilot.used_se for pilot in pilots])
    wider = used / np.array([pilot.std_error for pilot in pilots])
    influences = [c["influence"] for c in controls]
    if all(influence is not None for influence in influences):
        units = list(dict.fromkeys(name for influence in influences for name in influence))
        parts = np.array([[influence.get(name, 0.0) for name in units] for influence in influences])
        block = (parts * wider[:, None]) @ (parts * wider[:, None]).T
        np.fill_diagonal(block, used**2)
        return "influence", block
    arms = [c["arm_variance"] for c in controls]
    if all(arm is not None for arm in arms):
        arm = np.minimum(np.array(arms) * wider**2, used**2)
        return "control arm", shared_arm(used, arm)
    block = RHO * np.outer(used, used)
    np.fill_diagonal(block, used**2)
    return "bounds", block
