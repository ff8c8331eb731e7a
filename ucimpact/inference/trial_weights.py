r"""Weights of sequential trials: who stands in for those who start, and for those whose follow-up is cut.

**Odds.** Among those eligible on day :math:`d` whoever starts counts 1, and a comparison row

.. math:: w_{ed} = \frac{h_{ed}}{1-h_{ed}} \Big/ \sum_{e' \in C_d} \frac{h_{e'd}}{1-h_{e'd}} \cdot n_d ,

so that the comparison rows of each day weigh as much as the :math:`n_d` who start on it: the effect is that
on those who start (ATT) [1]_. Nothing is clipped; the effective sample :math:`(\sum w)^2/\sum w^2` and the
largest share are shown instead.

**Censoring.** Where comparison rows are followed until the service begins for them, what is left stands in
for what is lost. The service may begin on the days :math:`s_1 < s_2 < \dots` after the trial day, each with
hazard :math:`h`; the exposure of day :math:`t` weighs

.. math:: W(t) = \prod_{s_j < t} \frac{1}{1 - h(s_j)} ,

a step function, so an outcome and its days at risk are sums over the steps [2]_.

References
----------
.. [1] Keogh, R. H., Gran, J. M., Seaman, S. R., Davies, G. and Vansteelandt, S. (2023). Causal inference in
   survival analysis using longitudinal observational data: sequential trials and marginal structural models.
   *Statistics in Medicine* 42(13), 2191-2225.
.. [2] Hernan, M. A. et al. (2008). Observational studies analyzed like randomized experiments. *Epidemiology*
   19(6), 766-779.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray
LARGEST = 0.05
"""Share of all weight above which one row decides too much."""
Counting = Callable[[Array, Array, Array], Array]
"""What happened to some rows after one day and up to another: (rows, after, up_to) to (rows,)."""


def odds(chance: Array, started: Array, day: Array) -> Array:
    """Weights of the rows of each day, shape (n,).

    Parameters
    ----------
    chance : array (n,)
        Hazard of each row.
    started : array (n,) of bool
    day : array (n,) of int
        Codes of days. A day without both arms has no weight at all.
    """
    started = np.asarray(started, dtype=bool)
    weight = np.where(started, 1.0, chance / np.maximum(1 - chance, np.finfo(float).tiny))
    return rescaled(weight, started, day)


def rescaled(weight: Array, started: Array, day: Array) -> Array:
    """Weights whose comparison rows weigh in each day as much as those who start in it."""
    codes = np.unique(day, return_inverse=True)[1].reshape(-1)
    n = int(codes.max(initial=-1)) + 1
    here = np.bincount(codes, np.where(started, weight, 0.0), n)
    there = np.bincount(codes, np.where(started, 0.0, weight), n)
    both = (here > 0) & (there > 0)
    factor = np.where(both, here / np.where(both, there, 1.0), 0.0)
    return np.where(started, np.where(both[codes], weight, 0.0), weight * factor[codes])


def effective(weight: Array) -> float:
    """Rows of equal weight that would say as much."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def largest_share(weight: Array) -> float:
    """Share of the largest weight in all."""
    total = float(weight.sum())
    return float(weight.max()) / total if total > 0 else 0.0


@dataclass(frozen=True, eq=False)
class Steps:
    """Chances to start after each row, for rows that are followed until the service begins.

    Attributes
    ----------
    order : array (n,) of int
        Rows by unit and day.
    unit, day : array (n,) of int
        Of the rows in that order; a unit is a discharge (this stay) or a person (every stay).
    rest : array (n,)
        1 - hazard of the rows in that order.
    """

    order: Array
    unit: Array
    day: Array
    rest: Array

    @classmethod
    def of(cls, unit: Array, day: Array, chance: Array) -> Steps:
        order = np.lexsort((day, unit))
        return cls(order, unit[order], day[order], 1 - chance[order])

    def measured(self, ends: Array, wanted: Array, count: Counting) -> tuple[Array, Array, Array]:
        """Weighted outcome, weighted days at risk and last weight of every row, shape (n,) each.

        Parameters
        ----------
        ends : array (n,)
            Last day of follow-up of every row, in the order in which rows were given.
        wanted : array (n,) of bool
            Rows to be weighted; the others have weight 1 throughout.
        count : callable
        """
        n = len(self.order)
        end, ask = np.asarray(ends)[self.order], np.asarray(wanted, dtype=bool)[self.order]
        total, time, weight = np.zeros(n), np.zeros(n), np.ones(n)
        begin = self.day.copy()
        going = np.arange(n)
        lag = 0
        while len(going):
            lag += 1
            later = going + lag
            there = later < n
            place = np.minimum(later, n - 1)
            there &= ask[going] & (self.unit[place] == self.unit[going]) & (self.day[place] < end[going])
            stop = np.where(there, self.day[place], end[going])
            after = begin[going]
            total[going] += weight[going] * count(self.order[going], after, stop)
            time[going] += weight[going] * (stop - after)
            weight[going[there]] /= self.rest[place[there]]
            begin[going] = stop
            going = going[there]
        back = np.empty(n, dtype=np.int64)
        back[self.order] = np.arange(n)
        return total[back], time[back], weight[back]


def enough(weight: Array, plain: Array) -> str | None:
    """Why weights after censoring carry no answer; None where they do.

    Parameters
    ----------
    weight, plain : array (n,)
        Of comparison rows at the end of follow-up, and without the censoring.
    """
    if not len(weight) or not np.isfinite(weight).all():
        raise EstimationError("a weight after censoring is not a number: somebody was certain to start")
    left, was = effective(weight), effective(plain)
    if left < was / 2:
        return (
            f"the comparison people who are left weigh so unevenly that they say no more than {left:,.0f} "
            f"rows, under half of the {was:,.0f} without censoring"
        )
    if (share := largest_share(weight)) > LARGEST:
        return f"one row carries {share:.0%} of the weight of all comparison rows"
    return None
