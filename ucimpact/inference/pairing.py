r"""Nearest-neighbour matching: to each pilot person the most alike comparison people that the rules allow.

Greedy: pilot people are taken in a stated order and each takes the nearest of those left. With ``ratio``
:math:`k` everybody gets a first comparison person before anybody gets a second. *Near* is

.. math:: |d_i - d_j| \quad\text{or}\quad \sqrt{(x_i - x_j)' S^{-1} (x_i - x_j)},

the second where ``covariates`` and ``inverse_cov`` are given; the caliper is always on :math:`d` [1]_. A pair
must also share its stratum, differ in every ``forbid`` code and lie within every covariate caliper. Calipers
hold where the difference *equals* them.

Conventions (those of the R package MatchIt, ``method = "nearest"``, whose pairs are reproduced): people with
the same score stand in the order of the data, pilot and comparison people together, and of those equally far
the one who stands nearest is taken, below before above; by Mahalanobis distance the one who stands first in
the data. An order by distance breaks its ties by the data too. Mahalanobis distance uses the covariance
pooled within the two arms, robust Mahalanobis distance that of ranks [2]_.

The search on :math:`d` alone sorts the comparison people once by stratum and distance. Two union-find
structures give the next free place to the right and to the left of a pilot person in nearly constant time
[3]_, so there is no table of distances. Other rules and distances look outward from the same place, block by
block, until nothing nearer can follow: exact, not approximate.

References
----------
.. [1] Rubin, D. B. and Thomas, N. (2000). Combining propensity score matching with additional adjustments for
   prognostic covariates. *Journal of the American Statistical Association* 95(450), 573-585.
.. [2] Rosenbaum, P. R. (2010). *Design of Observational Studies*. Springer, section 8.3.
.. [3] Tarjan, R. E. (1975). Efficiency of a good but not linear set union algorithm. *Journal of the ACM*
   22(2), 215-225.
.. [4] Ming, K. and Rosenbaum, P. R. (2000). Substantial gains in bias reduction from matching with a variable
   number of controls. *Biometrics* 56(1), 118-124.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from ucimpact.errors import EstimationError, UsageError
from ucimpact.inference.matched_sets import Calipers, Sets, audit, most_uses
from ucimpact.inference.searching import Field, Line, Outward, Search

__all__ = [
    "Calipers",
    "Order",
    "Sets",
    "audit",
    "mahalanobis_scale",
    "nearest",
    "robust_scale",
    "wanted_by_score",
]

Array = np.ndarray
Order = Literal["largest", "smallest", "closest", "random", "data"]


def nearest(
    distance: Array | None,
    treated: Array,
    *,
    strata: Array | None = None,
    forbid: Sequence[Array] = (),
    caliper: float | None = None,
    ratio: int = 1,
    replace: bool = False,
    reuse_max: int | None = None,
    order: Order = "largest",
    covariates: Array | None = None,
    inverse_cov: Array | None = None,
    calipers: Calipers = (),
    wanted: Array | None = None,
    seed: int = 1,
) -> Sets:
    """Match every pilot person for whom the rules leave somebody.

    Parameters
    ----------
    distance : array (n,) or None
        The score; None for Mahalanobis distance without a score.
    treated : array (n,) of bool
    strata : array (n,) of int, optional
        Codes that must be the same within a pair.
    forbid : sequence of array (n,) of int
        Codes that must each differ within a pair (anti-exact).
    caliper : float, optional
        Largest difference of ``distance``, in its own units.
    ratio : int
        Comparison people sought for each pilot person.
    replace : bool
        Whether a comparison person may serve many sets; never twice in one set.
    reuse_max : int, optional
        At most so many sets each: 1 is without replacement, more is with.
    order : {"largest", "smallest", "closest", "random", "data"}
        Whose turn is first: by falling or rising distance (by row where there is no distance), the closest
        pair of all that are left, at random by ``seed``, or by row.
    covariates : array (n, p), optional
    inverse_cov : array (p, p), optional
        Both make nearness Mahalanobis distance: see :func:`mahalanobis_scale` and :func:`robust_scale`.
    calipers : sequence of (array (n,), float)
        Columns and the largest difference of each within a pair.
    wanted : array (n_pilot,) of int, optional
        Comparison people sought for each pilot person, by row, in place of one ``ratio``: see
        :func:`wanted_by_score`.

    Returns
    -------
    Sets
    """
    treated = np.asarray(treated, dtype=bool)
    ratio = ratio if wanted is None else int(wanted.max(initial=1))
    check_matching(distance, covariates, inverse_cov, calipers, ratio, reuse_max, order, caliper)
    field = Field.lay(distance, treated, strata, covariates, inverse_cov, caliper)
    limit = most_uses(replace, reuse_max, len(treated))
    alone = covariates is None and not forbid and not calipers
    search: Search = (
        Line(field, caliper, limit) if alone else Outward(field, caliper, limit, forbid, calipers)
    )
    pilot = field.pilot
    chosen = np.full((len(pilot), ratio), -1, dtype=np.int64)
    if order == "closest":
        _closest_first(search, chosen, wanted)
    else:
        _in_turn(search, chosen, _turns(order, distance, pilot, seed), wanted)
    matched = chosen[:, 0] >= 0
    return Sets(pilot[matched], chosen[matched], pilot[~matched])


def wanted_by_score(distance: Array, treated: Array, ratio: float, fewest: int, most: int) -> Array:
    """Comparison people to seek for each pilot person, ``ratio`` on average, shape (n_pilot,).

    As many as can be get ``most`` and all but one of the others ``fewest`` (extremal matching [4]_): many go
    to the pilot people whose score is most like that of the comparison people, of whom there are plenty near.
    """
    pilot = distance[treated]
    number = len(pilot)
    total = round(ratio * number)
    high = min(max((total - fewest * (number - 1)) // (most - fewest), 0), number - 1)
    one = total - fewest * (number - 1 - high) - most * high
    sought = np.repeat([fewest, one, most], [number - 1 - high, 1, high])
    sign = -1.0 if pilot.mean() > distance[~treated].mean() else 1.0
    wanted = np.empty(number, dtype=np.int64)
    wanted[np.argsort(sign * pilot, kind="stable")] = sought
    return wanted


def mahalanobis_scale(x: Array, treated: Array) -> tuple[Array, Array]:
    """Columns and inverse covariance for Mahalanobis distance, the covariance pooled within the two arms.

    A column that is a combination of others (all the dummies of a category) does no harm: the inverse is the
    generalised one.

    Returns
    -------
    columns : array (n, p)
        ``x`` itself.
    inverse_cov : array (p, p)
    """
    treated = np.asarray(treated, dtype=bool)
    columns = np.asarray(x, dtype=float)
    within = np.zeros((columns.shape[1], columns.shape[1]))
    for arm in (treated, ~treated):
        rest = columns[arm] - columns[arm].mean(axis=0)
        within += rest.T @ rest
    return columns, _inverse(within / max(len(columns) - 2, 1))


def robust_scale(x: Array) -> tuple[Array, Array]:
    """Ranks and inverse covariance for robust Mahalanobis distance.

    Ranks (ties averaged) take the weight from outliers; their covariance, over everybody, is rescaled so that
    each column varies as ranks without ties would, which keeps a rare category from counting too much.

    Returns
    -------
    columns : array (n, p)
        Ranks.
    inverse_cov : array (p, p)
    """
    from scipy.stats import rankdata  # 20 MB that nothing else here needs

    ranks = np.column_stack([rankdata(column) for column in np.asarray(x, dtype=float).T])
    n = len(ranks)
    cov = np.atleast_2d(np.cov(ranks, rowvar=False))
    spread = np.sqrt(np.diag(cov))
    raise_to = np.where(spread > 0, np.sqrt(n * (n + 1) / 12) / np.where(spread > 0, spread, 1.0), 0.0)
    return ranks, _inverse(cov * np.outer(raise_to, raise_to))


def _inverse(cov: Array) -> Array:
    """Generalised inverse, worked on the scale of correlations so that units do not matter."""
    spread = np.sqrt(np.diag(cov))
    scale = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1.0), 0.0)
    return np.asarray(
        np.linalg.pinv(cov * np.outer(scale, scale), rcond=1e-10, hermitian=True) * np.outer(scale, scale)
    )


def check_matching(
    distance: Array | None,
    covariates: Array | None,
    inverse_cov: Array | None,
    calipers: Calipers,
    ratio: int,
    reuse_max: int | None,
    order: str,
    caliper: float | None,
) -> None:
    """Refuse what no matching can be asked.

    Raises
    ------
    UsageError, EstimationError
    """
    if distance is None and covariates is None:
        raise UsageError("matching needs a distance, or covariates with their inverse covariance")
    if (covariates is None) != (inverse_cov is None):
        raise UsageError("covariates and inverse_cov go together")
    if caliper is not None and (distance is None or not caliper >= 0):
        raise UsageError("a caliper needs a distance, and is 0 or more")
    if ratio < 1 or (reuse_max is not None and reuse_max < 1):
        raise UsageError("ratio and reuse_max are whole numbers from 1")
    if order not in get_args(Order):
        raise UsageError(f"order {order!r} is none of {', '.join(get_args(Order))}")
    for values in (distance, covariates, *(column for column, _ in calipers)):
        if values is not None and not np.isfinite(values).all():
            raise EstimationError("a distance or a covariate of the matching has a missing or infinite value")


def _turns(order: Order, distance: Array | None, pilot: Array, seed: int) -> Array:
    """Numbers of the pilot people in the order of their turns."""
    if order == "random":
        return np.random.default_rng(seed).permutation(len(pilot))
    if order == "data" or distance is None:
        return np.arange(len(pilot))
    sign = -1.0 if order == "largest" else 1.0
    return np.argsort(sign * distance[pilot], kind="stable")


def _in_turn(search: Search, chosen: Array, turns: Array, wanted: Array | None) -> None:
    """One pass for each comparison person of a set; who found none in one pass finds none in the next."""
    waiting = turns.tolist()
    for place in range(chosen.shape[1]):
        served = []
        if wanted is not None:
            waiting = [person for person in waiting if wanted[person] > place]
        for person in waiting:
            if (found := search.take(person)) is not None:
                chosen[person, place] = found
                served.append(person)
        waiting = served


def _closest_first(search: Search, chosen: Array, wanted: Array | None) -> None:
    """In each pass the closest pair of all those left. Distances only grow, so a stale one is asked again."""
    waiting = list(range(len(chosen)))
    for place in range(chosen.shape[1]):
        heap = []
        if wanted is not None:
            waiting = [person for person in waiting if wanted[person] > place]
        for person in waiting:
            if (near := search.peek(person)) is not None:
                heap.append((near, person))
        heapq.heapify(heap)
        served = []
        while heap:
            was, person = heapq.heappop(heap)
            now = search.peek(person)
            if now is None:
                continue
            if now > was:
                heapq.heappush(heap, (now, person))
                continue
            found = search.take(person)
            assert found is not None
            chosen[person, place] = found
            served.append(person)
        waiting = sorted(served)
