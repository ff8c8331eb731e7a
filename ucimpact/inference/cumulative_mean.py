r"""The mean of what has happened by each day, where people leave early and some of them die.

Person :math:`i` is watched until :math:`T_i` and brings amounts :math:`dR_i(u)` on days
:math:`u \le T_i`: 1 for an event, pounds for a cost. Something may end it for good at :math:`T_i`
(:math:`e_i = 1`, a death). With weights :math:`w_i`, :math:`Y(u) = \sum_i w_i 1\{T_i \ge u\}` still watched
and :math:`\Delta\Lambda(u) = \sum_i w_i 1\{T_i = u\} e_i / Y(u)`,

.. math:: \mu(t) = \sum_{u \le t} S(u^-) \frac{\sum_i w_i\, dR_i(u)}{Y(u)}, \qquad
          S(t) = \prod_{u \le t} \bigl(1 - \Delta\Lambda(u)\bigr) .

People who died stay in the mean with nothing more to come; people who left are stood in for by those still
watched, which is right when leaving says nothing of what was to come. Every curve of a cohort is this one:

==================================== ================================= ==================================
curve                                 amounts                          what ends it
==================================== ================================= ==================================
cumulative incidence (Aalen-Johansen) the first event                  the first event, or death
Kaplan-Meier (less 1)                 the event                        the event
mean cumulative count                 every event                      death
mean cumulative cost                  every cost                       death
==================================== ================================= ==================================

What a person adds to :math:`\mu(t)` (the influence, whose sum of squares is the variance) follows by the
chain rule; with equal weights and one cause it gives Greenwood's formula [1]_:

.. math:: \psi_i(t) = w_i \sum_{u \le t \wedge T_i} \frac{S(u^-)}{Y(u)}
          \Bigl(dR_i(u) - \frac{dR(u)}{Y(u)}\Bigr)
          - w_i \sum_{u \le t \wedge T_i} \frac{\mu(t) - \mu(u)}{(1 - \Delta\Lambda(u))\, Y(u)}
          \bigl(1\{T_i = u\}\, e_i - \Delta\Lambda(u)\bigr) .

References
----------
.. [1] Ghosh, D. and Lin, D. Y. (2000). Nonparametric analysis of recurrent events and death. *Biometrics*
   56(2), 554-562.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.sandwich import Clusters

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Watched:
    """People, when the watch over each ended and whether for good, and what happened to them.

    Attributes
    ----------
    until : array (n,)
        Last day watched, counted from time zero.
    ended : array of bool (n,)
        Whether nothing more could happen after it.
    weight : array (n,)
    row : array of int (m,)
        Whose each happening is.
    day : array (m,)
        Not after the last day watched of its person.
    amount : array (m,)
    """

    until: Array
    ended: Array
    weight: Array
    row: Array
    day: Array
    amount: Array

    def __post_init__(self) -> None:
        if not len(self.until) or not (self.weight > 0).any():
            raise EstimationError("there is nobody to follow")
        if not np.isfinite(self.until).all() or (self.until < 0).any():
            raise EstimationError("the last day watched of everybody must be a number of days from 0")
        if (self.day > self.until[self.row]).any() or (self.day < 0).any():
            raise EstimationError("something happened on a day on which its person was not watched")


class Curve:
    """The mean by each day, with what everybody adds to it.

    Parameters
    ----------
    watched : Watched
    """

    def __init__(self, watched: Watched) -> None:
        self.watched = w = watched
        self.times = np.unique(np.concatenate([w.until, w.day]))
        size = len(self.times)
        self._exit = np.searchsorted(self.times, w.until)
        self._event = np.searchsorted(self.times, w.day)
        leaving = np.bincount(self._exit, w.weight, size)
        self.watched_still = np.maximum(np.cumsum(leaving[::-1])[::-1], 0.0)
        self.events = np.bincount(self._event, w.weight[w.row] * w.amount, size)
        hazard = _over(np.bincount(self._exit, w.weight * w.ended, size), self.watched_still)
        self.hazard = np.minimum(hazard, 1.0)
        left = 1 - self.hazard
        self.left = np.cumprod(left)
        self._before = np.concatenate([[1.0], self.left[:-1]])
        rate = _over(self.events, self.watched_still)
        self.value = np.cumsum(self._before * rate)
        # the parts of the influence that are the same for all who were still watched
        self._gain = _over(self._before, self.watched_still)
        self._gained = np.cumsum(self._gain * rate)
        self._loss = _over(np.ones(size), left * self.watched_still)
        self._lost = np.cumsum(self._loss * self.hazard)
        self._lost_before = np.cumsum(self._loss * self.value * self.hazard)

    def _place(self, day: float) -> int:
        """Of the last time that is not after a day; -1 before the first."""
        return int(np.searchsorted(self.times, day, side="right")) - 1

    def at(self, days: Array) -> Array:
        """The mean by each day, shape (n_days,); refused beyond the day until which anybody was watched."""
        if max(days) > self.times[-1] and self.left[-1] > 0:
            raise EstimationError(
                f"nobody was watched until day {max(days):g}: the longest was {self.times[-1]:g} days"
            )
        return np.array([self.value[k] if (k := self._place(day)) >= 0 else 0.0 for day in days])

    def surviving(self, days: Array) -> Array:
        """Share for whom nothing has ended it by each day, shape (n_days,)."""
        return np.array([self.left[k] if (k := self._place(day)) >= 0 else 1.0 for day in days])

    def mean_until(self, day: float) -> float:
        """Mean days until the end, up to a day: the area under :meth:`surviving`."""
        steps = np.concatenate([[0.0], self.times[self.times < day], [day]])
        return float(np.diff(steps) @ self.surviving(steps[:-1]))

    def influences(self, days: Array) -> Iterator[Array]:
        """What everybody adds to the mean by each day, one array (n,) a day; ``days`` rise."""
        w = self.watched
        own = np.zeros(len(w.until))
        order = np.argsort(self._event, kind="stable")
        sorted_event = self._event[order]
        done = 0
        for day in days:
            k = self._place(day)
            if k < 0:
                yield np.zeros(len(w.until))
                continue
            now = int(np.searchsorted(sorted_event, k, side="right"))
            new = order[done:now]
            own += np.bincount(w.row[new], self._gain[self._event[new]] * w.amount[new], len(own))
            done = max(done, now)
            cap = np.minimum(self._exit, k)
            ended = w.ended & (self._exit <= k)
            ahead = self._loss[self._exit] * (self.value[k] - self.value[self._exit])
            still = self.value[k] * self._lost[cap] - self._lost_before[cap]
            yield np.asarray(w.weight * (own - self._gained[cap] - np.where(ended, ahead, 0.0) + still))

    def influence(self, day: float) -> Array:
        """The same by one day, shape (n,)."""
        return next(self.influences(np.array([day])))


def _over(numerator: Array, denominator: Array) -> Array:
    """A quotient, 0 where nobody is left to divide by."""
    return np.asarray(np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0))


class Summed:
    """Variances of influences summed by cluster, the codes worked out once.

    Each row its own without clusters (HC0); else G/(G-1) times the sum of squares by cluster; for two ways
    both, less that of the groups where they agree (the larger of the two where that leaves nothing).
    """

    def __init__(self, clusters: Clusters | None) -> None:
        ways: list[Array] = []
        if clusters is not None:
            ways = list(clusters) if isinstance(clusters, tuple) else [clusters]
        if len(ways) == 2:
            pair = np.column_stack([np.unique(way, return_inverse=True)[1].reshape(-1) for way in ways])
            joint = pair[:, 0].astype(np.int64) * (int(pair[:, 1].max()) + 1) + pair[:, 1]
            ways.append(joint)
        self.codes = [np.unique(way, return_inverse=True)[1].reshape(-1) for way in ways]
        if self.codes and min(int(codes.max()) + 1 for codes in self.codes) < 2:
            raise EstimationError("a variance between clusters needs 2 clusters or more; there is 1")

    def of(self, influence: Array) -> float:
        """Variance of the sum of influences, shape (n,)."""
        if not self.codes:
            return float(influence @ influence)
        parts = []
        for codes in self.codes:
            sums = np.bincount(codes, influence)
            parts.append(float(sums @ sums) * len(sums) / (len(sums) - 1))
        if len(parts) == 1:
            return parts[0]
        both = parts[0] + parts[1] - parts[2]
        return both if both > 0 else max(parts[0], parts[1])
