r"""Balance: how alike the pilot people and their comparison people are, covariate by covariate.

With :math:`\bar x_1` the mean of the pilot people and :math:`\bar x_0` that of the comparison people,
each with its weights,

.. math:: \text{SMD} = \frac{\bar x_1 - \bar x_0}{s_1}, \qquad
          \text{variance ratio} = \frac{v_1}{v_0}, \qquad
          \text{KS} = \max_x |F_1(x) - F_0(x)| .

Conventions (those of the R package cobalt for the effect on the treated, ``s.d.denom = "treated"``,
``binary = "std"``): :math:`s_1` is the standard deviation of *all* pilot people without weights, so that it
is the same before and after matching; a column of 0 and 1 has :math:`s_1 = \sqrt{p(1-p)}`, no variance
ratio, and is standardised like any other. For an effect that is not on the treated ``pooled`` takes the root
of the mean of both groups' variances (``s.d.denom = "pooled"``). Weighted variances are those of reliability
weights [1]_:

.. math:: v = \frac{\sum w}{(\sum w)^2 - \sum w^2} \sum_i w_i (x_i - \bar x)^2 .

A difference under 0.1 is by custom called small [2]_; it is a fact about these columns only.

References
----------
.. [1] Austin, P. C. (2009). Balance diagnostics for comparing the distribution of baseline covariates between
   treatment groups in propensity-score matched samples. *Statistics in Medicine* 28(25), 3083-3107.
.. [2] Stuart, E. A. (2010). Matching methods for causal inference: a review and a look forward.
   *Statistical Science* 25(1), 1-21.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray

FEWEST_AT_A_PLACE = 10
"""With fewer pilot people at a place a difference there is chance, and tells of each."""


def table(
    x: Array,
    names: Sequence[str],
    treated: Array,
    weights: Array | None = None,
    *,
    pooled: bool = False,
) -> list[dict[str, str | float | None]]:
    """One row a covariate: ``name, pilot_mean, comparison_mean, smd, variance_ratio, ks``.

    Parameters
    ----------
    x : array (n, p)
        Everybody, matched or not: the standard deviation of the SMD is that of all pilot people.
    names : sequence of str
    treated : array (n,) of bool
    weights : array (n,), optional
        0 for people not used; without them everybody counts 1.
    pooled : bool, default False
        Standardise by both groups, not by the pilot people.

    Returns
    -------
    list of dict
        ``smd`` is None where the pilot people do not vary and the means differ (0 where they do not);
        ``variance_ratio`` is None for a column of 0 and 1 or where a group does not vary.
    """
    treated = np.asarray(treated, dtype=bool)
    weights = np.ones(len(treated)) if weights is None else np.asarray(weights, dtype=float)
    rows: list[dict[str, str | float | None]] = []
    for number, name in enumerate(names):
        column = x[:, number].astype(float)
        pilot, comparison = (_Group(column[arm], weights[arm]) for arm in (treated, ~treated))
        binary = _is_binary(column)
        spread = _spread(column[treated], binary)
        if pooled:
            spread = float(np.hypot(spread, _spread(column[~treated], binary)) / np.sqrt(2))
        gap = pilot.mean - comparison.mean
        rows.append(
            {
                "name": name,
                "pilot_mean": pilot.mean,
                "comparison_mean": comparison.mean,
                "smd": gap / spread if spread > 0 else (0.0 if gap == 0 else None),
                "variance_ratio": None if binary else _ratio(pilot.variance, comparison.variance),
                "ks": abs(gap) if binary else _ks(pilot, comparison),
            }
        )
    return rows


def max_smd(rows: Sequence[dict[str, str | float | None]]) -> float:
    """Largest absolute standardised difference of a balance table; infinite where one is undefined."""
    return max((np.inf if row["smd"] is None else abs(float(row["smd"])) for row in rows), default=0.0)


class _Group:
    """The used people of one arm."""

    def __init__(self, values: Array, weights: Array) -> None:
        used = weights > 0
        self.values, self.weights = values[used], weights[used]

    @property
    def mean(self) -> float:
        return (
            float((self.weights * self.values).sum() / self.weights.sum())
            if len(self.values)
            else float("nan")
        )

    @property
    def variance(self) -> float:
        total = self.weights.sum()
        free = total**2 - (self.weights**2).sum()
        if free <= 0:
            return float("nan")
        return float(total / free * (self.weights * (self.values - self.mean) ** 2).sum())

    def shares_up_to(self, places: Array) -> Array:
        """Weighted share of people below each place, then at or below it: shape (2, n_places)."""
        if self.weights.min() == self.weights.max():  # numbers alone sort in half the time of their places
            values = np.sort(self.values)
            shares = np.arange(len(values) + 1) / len(values)
        else:
            order = np.argsort(self.values)
            values = self.values[order]
            shares = np.concatenate([[0.0], np.cumsum(self.weights[order])]) / self.weights.sum()
        return np.stack([shares[np.searchsorted(values, places, side)] for side in ("left", "right")])


def _is_binary(column: Array) -> bool:
    return bool(np.all((column == 0) | (column == 1)))


def _spread(pilot: Array, binary: bool) -> float:
    """Standard deviation of the pilot people, without weights."""
    if binary:
        share = pilot.mean()
        return float(np.sqrt(share * (1 - share)))
    return float(pilot.std(ddof=1)) if len(pilot) > 1 else 0.0


def _ratio(pilot: float, comparison: float) -> float | None:
    return pilot / comparison if pilot > 0 and comparison > 0 else None


def _ks(pilot: _Group, comparison: _Group) -> float | None:
    """Largest gap between the two weighted distribution functions.

    Between two people of the smaller group its function stands still and the other only rises, so the largest
    gap is at one of its people or just before.
    """
    if not len(pilot.values) or not len(comparison.values):
        return None
    groups = sorted((pilot, comparison), key=lambda group: len(group.values))
    places = np.unique(groups[0].values)
    few, many = (group.shares_up_to(places) for group in groups)
    return float(np.abs(few - many).max())


def by_place(
    x: Array, names: Sequence[str], treated: Array, weights: Array, place: Array, labels: Sequence[str]
) -> list[dict[str, Any]]:
    """The largest standardised difference at each place, in standard deviations of all pilot people.

    Parameters
    ----------
    x : array (n, p)
    treated : array (n,) of bool
    weights : array (n,)
        0 for people not used.
    place : array (n,) of int
        Code of each row's place, from 0.
    labels : sequence of str
        Of the places.

    Returns
    -------
    list of dict
        ``site, n_pilot, n_comparison, max_smd, worst`` of places with at least 10 pilot people; comparison
        people as many as would tell as much without weights.
    """
    number, others = len(labels), ~treated
    spread = np.array([_spread(column[treated], _is_binary(column)) for column in x.T.astype(float)])
    pilot = np.bincount(place[treated], weights[treated], number)
    there, squares = (np.bincount(place[others], weights[others] ** k, number) for k in (1, 2))
    apart = np.zeros((number, x.shape[1]))
    for k in np.flatnonzero(spread > 0):
        column = weights * x[:, k]
        own = np.bincount(place[treated], column[treated], number) / np.where(pilot > 0, pilot, 1.0)
        other = np.bincount(place[others], column[others], number) / np.where(there > 0, there, 1.0)
        apart[:, k] = np.abs(own - other) / spread[k]
    people = np.bincount(place[treated & (weights > 0)], minlength=number)
    return [
        {
            "site": str(labels[int(code)]),
            "n_pilot": int(people[code]),
            "n_comparison": round(float(there[code] ** 2 / squares[code])),
            "max_smd": float(apart[code].max()),
            "worst": str(names[int(apart[code].argmax())]),
        }
        for code in np.flatnonzero((people >= FEWEST_AT_A_PLACE) & (there > 0) & (x.shape[1] > 0))
    ]
