r"""Cohort-and-period effects put together: over all, by time since the start, by cohort, by calendar.

An effect is a weighted sum of cells :math:`ATT(g,t)`. With :math:`p_g` the share of cohort g in all units

================ ===================================================================== ================
term             weights                                                               equation of [1]_
================ ===================================================================== ================
simple           :math:`p_g` over all cells with :math:`t \ge g`                       3.10
event            :math:`p_g` over the cells with :math:`t - g = e`                     3.4
dynamic_average  every ``event`` with :math:`e \ge 0` alike                            3.8
group            every :math:`t \ge g` of one cohort alike                             3.7
group_average    :math:`p_g` over ``group``                                            3.11
calendar         :math:`p_g` over the cohorts that have started by t                   3.5
calendar_average every ``calendar`` alike                                              3.9
================ ===================================================================== ================

``balance = e`` makes ``event`` of the cohorts that were seen e periods after their start or longer, and of
times up to e: the mix of cohorts is then the same at every time after the start.

**Shares are estimated.** With :math:`\theta` the effect, :math:`W` the sum of weights :math:`w_i` and
:math:`G_i` the cohort of unit i, the unit adds

.. math:: \psi_i(\theta) = \sum_{gt} a_{gt}\,\psi_i(ATT(g,t)) +
          \frac{w_i}{W} \frac{\partial \theta}{\partial p_{G_i}} .

:math:`\theta` does not change when all shares grow alike, so that the second part adds up to 0 over units. It
leaves when the shares are taken as they are, for the average over *these* pilots.

R's did 2.1.2 takes the k-th cohort in the second part of ``group_average`` to be that of the k-th cell, so
that all of it falls on the first cohort. That error is not made here; ``as_in_did`` makes it, to compare.

References
----------
.. [1] Callaway, B. and Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
   *Journal of Econometrics* 225(2), 200-230.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Aggregates:
    """Weighted sums of cells.

    Attributes
    ----------
    rows : tuple of mappings
        ``term``, and ``event_time``, ``group`` or ``period`` (ordinals) where they apply.
    weights : array (n_cells, n_effects)
    slope : array (n_cohorts, n_effects)
        Derivative of each effect by the share of each cohort.
    """

    rows: tuple[Mapping[str, Any], ...]
    weights: Array
    slope: Array

    def shares(self, cohort: Array, estimate: Array) -> tuple[Array, Array]:
        """Share of each cohort in each effect, and its own effect, both (n_cohorts, n_effects).

        Parameters
        ----------
        cohort, estimate : array (n_cells,)
        """
        share, sums = np.zeros_like(self.slope), np.zeros_like(self.slope)
        np.add.at(share, cohort, self.weights)
        np.add.at(sums, cohort, self.weights * estimate[:, None])
        return share, np.where(share > 0, sums / np.where(share > 0, share, 1.0), 0.0)


@dataclass
class _Making:
    """Rows of effects in the making."""

    cohort: Array
    estimate: Array
    part: Array
    rows: list[dict[str, Any]] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)
    slopes: list[Array] = field(default_factory=list)

    def by_share(self, which: Array) -> tuple[Array, Array]:
        """Cells weighted by the share of their cohort."""
        weight = np.where(which, self.part[self.cohort], 0.0)
        total = weight.sum()
        weight /= total
        effect = weight @ self.estimate
        slope = np.bincount(self.cohort, np.where(which, self.estimate - effect, 0.0) / total, len(self.part))
        return weight, slope

    def add(self, weight: Array, slope: Array, **row: Any) -> None:
        self.rows.append(row)
        self.weights.append(weight)
        self.slopes.append(slope)

    def average(self, first: int, term: str) -> None:
        """The plain mean of the rows since ``first``."""
        if len(self.rows) > first:
            self.add(np.mean(self.weights[first:], axis=0), np.mean(self.slopes[first:], axis=0), term=term)


def aggregate(
    cohort: Array,
    period: Array,
    estimate: Array,
    *,
    ordinals: Array,
    cohorts: Array,
    part: Array,
    reference: Array | None = None,
    balance: int | None = None,
    as_in_did: bool = False,
) -> Aggregates:
    """Every average that the cells give, in the order of the table above.

    Parameters
    ----------
    cohort, period : array (n_cells,)
        Codes. Cells that are 0 by definition (``reference``) count in an event time that others share.
    estimate : array (n_cells,)
    ordinals : array (n_periods,)
    cohorts : array (n_cohorts,)
        Ordinals of the starts.
    part : array (n_cohorts,)
        Weight of each cohort over that of all units, the comparison's too.
    reference : bool array (n_cells,), optional
        Cells of the base period itself.
    balance : int, optional
        Event time up to which the mix of cohorts is held.
    as_in_did : bool
        Give ``group_average`` the slope by shares that R's did 2.1.2 gives it.
    """
    reference = np.zeros(len(cohort), dtype=bool) if reference is None else reference
    since = ordinals[period] - cohorts[cohort]
    post = since >= 0
    making = _Making(cohort, estimate, np.asarray(part, dtype=float))
    if post.any():
        making.add(*making.by_share(post), term="simple")
    _dynamic(making, since, reference, ordinals, cohorts, balance)
    _by_group(making, post, cohorts, as_in_did=as_in_did)
    _by_calendar(making, post, period, ordinals)
    return Aggregates(tuple(making.rows), np.stack(making.weights, axis=1), np.stack(making.slopes, axis=1))


def _dynamic(
    making: _Making, since: Array, reference: Array, ordinals: Array, cohorts: Array, balance: int | None
) -> None:
    include = np.ones(len(since), dtype=bool)
    if balance is not None:
        span = ordinals[-1] - ordinals[0]
        include = (ordinals[-1] - cohorts >= balance)[making.cohort]
        include &= (since <= balance) & (since >= balance - span)
    after: list[int] = []
    for e in np.unique(since[include]):
        which = include & (since == e)
        if reference[which].all():
            continue
        if e >= 0:
            after.append(len(making.rows))
        making.add(*making.by_share(which), term="event", event_time=int(e))
    if after:
        making.average(after[0], "dynamic_average")


def _by_group(making: _Making, post: Array, cohorts: Array, *, as_in_did: bool) -> None:
    first, present = len(making.rows), []
    for g, start in enumerate(cohorts):
        which = post & (making.cohort == g)
        if which.any():
            present.append(g)
            making.add(which / which.sum(), np.zeros(len(cohorts)), term="group", group=int(start))
    if present:
        part = making.part[present] / making.part[present].sum()
        weights = making.weights[first:]
        effects = np.array([weight @ making.estimate for weight in weights])
        total = making.part[present].sum()
        slope = np.zeros(len(cohorts))
        if as_in_did:  # whose k-th cohort is that of the k-th cell
            theirs = making.cohort[: len(present)]
            np.add.at(slope, theirs, (effects - part @ effects) / total)
        else:
            slope[present] = (effects - part @ effects) / total
        making.add(part @ np.stack(weights), slope, term="group_average")


def _by_calendar(making: _Making, post: Array, period: Array, ordinals: Array) -> None:
    first = len(making.rows)
    for t in np.unique(period[post]):
        making.add(*making.by_share(post & (period == t)), term="calendar", period=int(ordinals[t]))
    making.average(first, "calendar_average")
