r"""How far the results of pilots hang together because they share those they are compared with.

Two pilots share a comparison where both name the same pool, where they were worked out from the same file,
or where places of the same name stand in both. Of the log ratios of such a pair, and of no other,

.. math:: \Sigma_{jk} = \sum_{g,h} c_{gh} \sum_{u \in g \cap h} \psi_{ju} \psi_{ku} \quad\text{or}\quad
          \Sigma_{jk} = \sqrt{v_j v_k}, \qquad
          c_{gh} = \Big(1 - \frac{1}{n_g} - \frac{1}{n_h} + \frac{n_{gh}}{n_g n_h}\Big)^{-1}

with :math:`\psi_{ju}` what organisation :math:`u` added to :math:`j`, by sign, where both say: one that is
a comparison in both links them, one that had the pilot of :math:`j` and is a comparison of :math:`k` sets
them against each other. :math:`g` and :math:`h` are those with or without the pilot in either, and :math:`c`
repays that the mean of each group was taken out of what its :math:`n` members added: with the same group in
both it is :math:`n / (n - 1)`, as in any variance. Otherwise :math:`v` is the variance of the logarithm of
what came of the comparison, as if its people were the same throughout. Both are errors of what is shared
alone: a range that is wider because there are few organisations is wider on the diagonal. Where neither is
known, every figure is worked out twice, with a correlation of 0 and of .5, and both are told: to take shared
controls for separate ones is the dearest mistake a league can make.

Two pilots that share nothing are apart, though a third shares with both: to link them too would make their
difference look surer than it is. Links that are each as strong as they could be may then be more than can
hold together; such a group has all of its links weakened by one factor, the largest with which they can.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from ucimpact.league.pilot import Pilot
from ucimpact.words import league_shared as said

Array = np.ndarray

RHO = 0.5
"""Correlation of the upper bound, where how much is shared is not known."""
LEAST = 1e-6
"""The least eigenvalue of correlations that are taken to hold together."""
NOTHING_LEFT = 1e-9
"""A group of one has nothing left once its mean is out."""
KINDS = ("influence", "control arm", "bounds")
"""How a link can be known, the least known last."""

Pair = tuple[int, int]


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
        Pilots that share, by their places, directly or through a third.
    kept : float
        The part of every link that was kept, where not all of them can hold together; else 1.
    """

    how: str
    cov: Array
    low: Array | None = None
    rho: float | None = None
    groups: tuple[tuple[int, ...], ...] = ()
    text: str = ""
    kept: float = 1.0


def sharing(pilots: Sequence[Pilot], pool: str | None = None) -> Sharing:
    """The covariance of the log ratios of some pilots.

    Parameters
    ----------
    pilots : sequence of Pilot
    pool : str, optional
        A name for the comparison that all of them share.
    """
    used = np.array([pilot.used_se for pilot in pilots])
    cov = np.diag(used**2)
    kinds: dict[Pair, str] = {}
    for pair in combinations(range(len(pilots)), 2):
        if pool is None and not shares(pilots[pair[0]], pilots[pair[1]]):
            continue
        kinds[pair], link = _link(pilots[pair[0]], pilots[pair[1]])
        cov[pair] = cov[pair[::-1]] = link
    low = cov.copy()
    for pair in (pair for pair, kind in kinds.items() if kind == "bounds"):
        low[pair] = low[pair[::-1]] = 0.0
    groups = _groups(kinds, len(pilots))
    bounded = "bounds" in kinds.values()
    parts = [_weaken(cov, group) for group in groups]
    if bounded:
        for group in groups:
            _weaken(low, group)
    names = [
        (kind, [pilots[k].short for k in clique])
        for kind in KINDS
        for clique in _cliques([pair for pair, known in kinds.items() if known == kind])
    ]
    kept = min(parts, default=1.0)
    apart = len(kinds) < sum(len(group) * (len(group) - 1) // 2 for group in groups)
    return Sharing(
        how=max(kinds.values(), key=KINDS.index, default="none shared"),
        cov=cov,
        low=low if bounded else None,
        rho=RHO if bounded else None,
        groups=tuple(groups),
        text=said.shared(names, len(pilots), apart=apart, kept=kept),
        kept=kept,
    )


def _groups(pairs: Iterable[Pair], n: int) -> list[tuple[int, ...]]:
    """Pilots that share with one another, directly or through a third; each group of two or more."""
    group = list(range(n))
    for j, k in pairs:
        old, new = group[k], group[j]
        group = [new if g == old else g for g in group]
    found = [tuple(k for k, g in enumerate(group) if g == name) for name in dict.fromkeys(group)]
    return [members for members in found if len(members) > 1]


def _cliques(pairs: Sequence[Pair]) -> list[tuple[int, ...]]:
    """Sets of pilots that all share with one another, until every pair stands in one."""
    linked = {frozenset(pair) for pair in pairs}
    found: list[tuple[int, ...]] = []
    for pair in pairs:
        if any(set(pair) <= set(members) for members in found):
            continue
        members = list(pair)
        for k in sorted({k for other in pairs for k in other}):
            if k not in members and all(frozenset((k, member)) in linked for member in members):
                members.append(k)
        found.append(tuple(sorted(members)))
    return found


def _weaken(cov: Array, group: tuple[int, ...]) -> float:
    """Weaken the links of a group in place until they can hold together; the part of each that is kept."""
    at = np.ix_(group, group)
    own = np.diag(np.diag(cov[at]))
    root = np.sqrt(np.diag(own))
    least = float(np.linalg.eigvalsh(cov[at] / np.outer(root, root))[0])
    if least >= LEAST:
        return 1.0
    part = (1 - LEAST) / (1 - least)
    cov[at] = own + part * (cov[at] - own)
    return part


def shares(one: Pilot, other: Pilot) -> bool:
    """Whether two pilots are held against some of the same, or have places in common whose part is known."""
    a, b = (pilot.comparable["controls"] for pilot in (one, other))
    pools = [str(c["pool"]).strip().lower() for c in (a, b) if c["pool"]]
    if len(pools) == 2 and pools[0] == pools[1]:
        return True
    if set(a["files"]) & set(b["files"]) or _common(one, other):
        return True
    return any(set(a.get(name) or ()) & set(b.get(name) or ()) for name in ("units", "pilot_units"))


def _common(one: Pilot, other: Pilot) -> list[str]:
    """Organisations of both of which both say what they added."""
    first, second = (pilot.comparable["controls"]["influence"] or {} for pilot in (one, other))
    return [name for name in first if name in second]


def _together(one: Pilot, other: Pilot, names: Sequence[str]) -> float:
    """The covariance that these organisations make."""
    pair = (one, other)
    added = [pilot.comparable["controls"]["influence"] for pilot in pair]
    with_pilot = [set(pilot.comparable["controls"].get("pilot_units") or ()) for pilot in pair]
    sizes = [
        Counter(name in group for name, part in psi.items() if part)
        for psi, group in zip(added, with_pilot, strict=True)
    ]
    total = 0.0
    for roles in product((False, True), repeat=2):
        shared = [
            added[0][name] * added[1][name]
            for name in names
            if (name in with_pilot[0], name in with_pilot[1]) == roles
        ]
        heard = sum(part != 0 for part in shared)
        n, m = sizes[0][roles[0]], sizes[1][roles[1]]
        if heard:
            left = 1 - 1 / n - 1 / m + heard / (n * m)
            total += sum(shared) / (left if left > NOTHING_LEFT else 1.0)
    return total


def _link(one: Pilot, other: Pilot) -> tuple[str, float]:
    """The covariance of two pilots that share, and by what it is known."""
    pair = (one, other)
    if common := _common(one, other):
        return "influence", _together(one, other, common)
    arms = [pilot.comparable["controls"]["arm_variance"] for pilot in pair]
    if all(arm is not None for arm in arms):
        held = [min(arm, pilot.used_se**2) for arm, pilot in zip(arms, pair, strict=True)]
        return "control arm", math.sqrt(held[0] * held[1])
    return "bounds", RHO * one.used_se * other.used_se
