r"""The two-way coefficient taken apart into comparisons of two groups (Goodman-Bacon).

On a balanced panel the static two-way coefficient is a weighted average of every difference-in-differences
of two groups in which one changes and the other does not [1]_. With :math:`n_k` the share of units in cohort
k, :math:`n_{kl} = n_k/(n_k + n_l)`, :math:`\bar D_k` the part of the time that cohort k has the pilot and
:math:`V` the variance of the pilot dummy once both effects are out (his equations 10e to 10g),

.. math:: s_{kU} &= (n_k + n_U)^2\, n_{kU}(1 - n_{kU})\, \bar D_k (1 - \bar D_k) / V \\
          s^k_{kl} &= \bigl((n_k + n_l)(1 - \bar D_l)\bigr)^2 n_{kl}(1 - n_{kl})\,
                     \frac{\bar D_k - \bar D_l}{1 - \bar D_l}\,\frac{1 - \bar D_k}{1 - \bar D_l} \Big/ V \\
          s^l_{kl} &= \bigl((n_k + n_l)\bar D_k\bigr)^2 n_{kl}(1 - n_{kl})\,
                     \frac{\bar D_l}{\bar D_k}\,\frac{\bar D_k - \bar D_l}{\bar D_k} \Big/ V

for cohort k against units that never start, an earlier cohort k against a later one l before l starts, and a
later one l against an earlier one k once k has the pilot. The last kind takes the change of units that
already have the pilot for what would have happened anyway: where effects grow, it has the wrong sign.

References
----------
.. [1] Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing. *Journal of
   Econometrics* 225(2), 254-277.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = np.ndarray
Kind = Literal["pilot against never", "earlier against later", "later against earlier"]


@dataclass(frozen=True)
class Component:
    """One comparison of two groups.

    Attributes
    ----------
    pilot : int
        Cohort that changes, as a row of the means.
    other : int or None
        Cohort it is held against; None for units that never start.
    kind : str
    estimate : float
    weight : float
    """

    pilot: int
    other: int | None
    kind: Kind
    estimate: float
    weight: float


def decompose(means: Array, mass: Array, first: Array) -> tuple[Component, ...]:
    """Every comparison with its weight; the weights add up to 1.

    Parameters
    ----------
    means : array (n_cohorts + 1, n_periods)
        Mean outcome of each cohort in each period; the last row is of units that never start.
    mass : array (n_cohorts + 1,)
        Weight of each cohort; the last may be 0.
    first : array (n_cohorts,)
        First pilot period of each cohort as an index, above 0, in increasing order.

    Returns
    -------
    tuple of Component
        ``sum(weight * estimate)`` is the static two-way coefficient.
    """
    periods = means.shape[1]
    time = np.arange(periods)
    share = mass / mass.sum()
    part = 1 - first / periods
    never = len(first)
    found: list[tuple[int, int | None, Kind, float, float]] = []

    def change(cohort: int, other: int, after: Array, before: Array) -> float:
        gap = means[cohort] - means[other]
        return float(gap[after].mean() - gap[before].mean())

    for k in range(never):
        after = time >= first[k]
        if share[never] > 0:
            weight = share[k] * share[never] * part[k] * (1 - part[k])
            found.append((k, None, "pilot against never", change(k, never, after, ~after), weight))
        for m in range(k + 1, never):
            late = time >= first[m]
            both = share[k] * share[m] * (part[k] - part[m])
            early = change(k, m, after & ~late, ~after)
            found.append((k, m, "earlier against later", early, both * (1 - part[k])))
            found.append((m, k, "later against earlier", change(m, k, late, after & ~late), both * part[m]))
    total = sum(row[-1] for row in found)
    return tuple(Component(*row[:-1], weight=float(row[-1] / total)) for row in found)


def by_kind(components: tuple[Component, ...]) -> list[dict[str, Any]]:
    """Weight and weighted mean of each kind that occurs."""
    out = []
    for kind in ("pilot against never", "earlier against later", "later against earlier"):
        rows = [c for c in components if c.kind == kind]
        weight = sum(c.weight for c in rows)
        if weight > 0:
            mean = sum(c.weight * c.estimate for c in rows) / weight
            out.append({"kind": kind, "weight": weight, "estimate": mean})
    return out
