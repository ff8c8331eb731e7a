r"""Which places each of several could hold: simultaneous confidence sets for ranks.

With :math:`y \sim N(\theta, \Sigma)`, place 1 for the largest :math:`\theta`, every ordered pair is tested at
once [1]_:

.. math:: T_{ij} = \frac{y_i - y_j}{d_{ij}}, \qquad d_{ij}^2 = \Sigma_{ii} + \Sigma_{jj} - 2\Sigma_{ij},

   c = \text{quantile of } \max_{(i,j)\ \text{live}} \frac{X_i - X_j}{d_{ij}}, \qquad X \sim N(0, \Sigma)

:math:`T_{ij} > c` puts i above j. Pairs so settled are taken out and c is found anew for the rest, until none
is added (stepdown [2]_). Then, with :math:`N_j^{+}` put above j and :math:`N_j^{-}` below,

.. math:: R_j = \{N_j^{+} + 1, \dots, K - N_j^{-}\}

hold all true ranks together as often as ``level`` says, where ties in truth count as every place they span.
j could be first where its set begins at 1.

Sets one pilot at a time, or "the intervals do not overlap", do not hold together as often; and the share of
resamples in which a pilot comes first is no such set.

References
----------
.. [1] Mogstad, M., Romano, J. P., Shaikh, A. M. and Wilhelm, D. (2024). Inference for ranks with applications
   to mobility across neighbourhoods and academic achievement across countries. *Review of Economic Studies*
   91(1), 476-518.
.. [2] Romano, J. P. and Wolf, M. (2005). Exact and approximate stepdown methods for multiple hypothesis
   testing. *Journal of the American Statistical Association* 100(469), 94-108.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.inference.joint import checked, normals, proper

Array = np.ndarray

ALIKE = 1e-12
"""Relative variance of a difference below which two estimates err by the same."""

NEAR = 50_000
"""Differences worked on at once: 0.4 MB."""

__all__ = ["RankSets", "rank_sets"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RankSets:
    """The places that each could hold.

    Attributes
    ----------
    low, high : int array (K,)
        First and last place, 1 the best.
    above : bool array (K, K)
        Whether the row was put above the column.
    critical : float
        The c of the last step; 0 where every difference is known without error.
    level : float
    """

    low: Array
    high: Array
    above: Array
    critical: float
    level: float

    @property
    def could_be_first(self) -> Array:
        """Which could be first, bool array (K,)."""
        return np.asarray(self.low == 1)


def rank_sets(
    y: Array,
    cov: Array,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 1,
    stepdown: bool = True,
) -> RankSets:
    """Confidence sets that hold the ranks of all together.

    Parameters
    ----------
    y : array (K,)
        Estimates, plus is good.
    cov : array (K, K)
        Leaving out what estimates share makes the sets wider or too narrow.
    level : float
    draws : int
        From which c is found; at 10,000 it is within about 0.02.
    seed : int
    stepdown : bool
        Find c anew for the pairs that are left. Beyond about 100 effects it takes long and adds little.
    """
    y, cov = checked(y, cov)
    proper(level)
    if draws * (1 - level) < 1:
        raise ValueError(f"{draws} draws cannot show what happens in {1 - level:.3g} of them; ask for more")
    variance = np.diag(cov)
    square = variance[:, None] + variance - 2 * cov
    settled = square <= ALIKE * (variance[:, None] + variance)
    d = np.sqrt(np.where(settled, 1.0, square))
    apart = y[:, None] - y
    statistic = np.where(settled, np.where(apart > 0, np.inf, -np.inf), apart / d)
    noise = normals(cov, draws, seed).T

    above = settled & (apart > 0)
    live = ~settled
    while True:
        critical = _critical(noise, d, live, level)
        found = live & (statistic > critical)
        above, live = above | found, live & ~found
        if not stepdown or not found.any() or not live.any():
            break
    return RankSets(
        low=1 + above.sum(axis=0),
        high=len(y) - above.sum(axis=1),
        above=above,
        critical=critical,
        level=level,
    )


def _critical(noise: Array, d: Array, live: Array, level: float) -> float:
    """Quantile of the largest live difference of ``noise`` (K, draws).

    One row of pairs is held at a time, for as many draws as stay near the processor; where all are live
    both ways, each pair is done once.
    """
    both_ways = bool((live == live.T).all())
    pairs = np.triu(live) if both_ways else live
    rows = [(i, np.flatnonzero(pairs[i])) for i in np.flatnonzero(pairs.any(axis=1))]
    if not rows:
        return 0.0
    largest = np.full(noise.shape[1], -np.inf)
    at_once = max(1, NEAR // len(noise))
    for start in range(0, noise.shape[1], at_once):
        some = np.ascontiguousarray(noise[:, start : start + at_once])
        top = largest[start : start + at_once]
        for i, rest in rows:
            apart = (some[i] - some[rest]) / d[i, rest, None]
            np.maximum(top, (np.abs(apart, out=apart) if both_ways else apart).max(axis=0), out=top)
    return float(np.quantile(largest, level, method="higher"))
