r"""How unequal the chances of the service within a matched set may be before a result could be chance.

Two people of one set are alike in what was recorded. Suppose that something unrecorded made one of them up to
:math:`\Gamma` times as likely (in odds) to have had the service. The p-value is then no longer one number: it
lies between two bounds [1]_, and the least :math:`\Gamma` at which the upper one passes 5% says how much
the result bears.

**Pairs, a measured outcome.** With differences :math:`d_i` (pilot less comparison, zeros left out), ranks
:math:`q_i` of :math:`|d_i|` and :math:`T = \sum_{d_i > 0} q_i`, T lies between sums of independent terms that
are :math:`q_i` with chance :math:`p = \Gamma/(1 + \Gamma)` and with :math:`1 - p`:

.. math:: E\,T^{\pm} = p^{\pm} \sum q_i, \qquad \operatorname{var} T = p(1 - p) \sum q_i^2 .

**Its size.** :math:`T(\tau)`, of :math:`d_i - \tau`, is the number of Walsh averages :math:`(d_i + d_j)/2, i
\le j` above :math:`\tau`, so the estimates of Hodges and Lehmann that :math:`\Gamma` allows are the quantiles
:math:`1 - p` and :math:`p` of these averages; with :math:`\Gamma = 1` their median. They are found by
bisection, n log n a step.

**Pairs, yes or no.** Of D pairs that differ, the number in which the pilot person had the event lies between
binomials with :math:`1 - p` and p (McNemar's test under :math:`\Gamma`), by exact sums that hold the table
seen and all more extreme.

**Sets of one pilot person and several others** (or one other and several pilot people). For scores
:math:`q_{s1} \ge q_{s2} \ge \ldots` of a set of J, the pilot person has the mean score, at worst,

.. math:: \mu_s = \max_a \frac{\Gamma \sum_{j \le a} q_{sj} + \sum_{j > a} q_{sj}}{\Gamma a + J - a}

and, of the a that give it, the largest variance :math:`\nu_s`; the sum of the pilot scores is then near
normal with :math:`\sum \mu_s` and :math:`\sum \nu_s` (the separable approximation [2]_). A score is what is
left of the outcome when days at risk and covariates, but not the service, are allowed for.

References
----------
.. [1] Rosenbaum, P. R. (2002). *Observational Studies*, 2nd ed., chapter 4. Springer.
.. [2] Gastwirth, J. L., Krieger, A. M. and Rosenbaum, P. R. (2000). Asymptotic separability in sensitivity
   analysis. *Journal of the Royal Statistical Society B* 62(3), 545-555.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc, ndtr
from scipy.stats import rankdata

from ucimpact.errors import EstimationError

Array = np.ndarray

GAMMAS = (1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""Ratios of odds that a table goes through."""
MOST = 20.0
"""A result that bears a ratio of odds of 20 is said to bear more than that."""
_HALVINGS, _STEPS = 100, 36
_AS_GOOD = 1e-12
"""Sums that differ by less, as a share, are the same but for rounding."""


@dataclass(frozen=True)
class Bounds:
    """What hidden odds of up to ``gamma`` allow.

    Attributes
    ----------
    gamma : float
        The ratio of odds within a set, at most.
    low, high : float
        Least and largest p-value, or estimate.
    """

    gamma: float
    low: float
    high: float


def signed_rank(differences: Array, gammas: Sequence[float] = GAMMAS) -> list[Bounds]:
    """Bounds of the one-sided p-value of Wilcoxon's signed-rank test that pilot people have more.

    Parameters
    ----------
    differences : array (n_pairs,)
        Pilot less comparison; turn the sign to ask for less. Pairs that are equal are left out.
    gammas : sequence of float
        Each 1 or more.
    """
    apart = _finite(differences, "differences")
    apart = apart[apart != 0]
    if not len(apart):
        raise EstimationError("no pair differs, so there is nothing to explain")
    ranks = rankdata(np.abs(apart))
    seen, mean, square = ranks[apart > 0].sum(), ranks.sum(), float(ranks @ ranks)
    found = []
    for gamma in _from_one(gammas):
        p = gamma / (1 + gamma)
        spread = math.sqrt(square * p * (1 - p))
        low, high = (float(ndtr((mean * chance - seen) / spread)) for chance in (1 - p, p))
        found.append(Bounds(gamma, low, high))
    return found


def hodges_lehmann(
    differences: Array, gammas: Sequence[float] = GAMMAS, *, step: float | None = None
) -> list[Bounds]:
    """Bounds of the Hodges-Lehmann estimate of the difference.

    Parameters
    ----------
    differences : array (n_pairs,)
        Pilot less comparison.
    gammas : sequence of float
    step : float, optional
        Widen each bound to the next point beyond it of a grid of this step around the estimate, as
        ``hlsens`` of the R package rbounds gives them.
    """
    if step is not None and not step > 0:
        raise EstimationError("the step of the grid must be above 0")
    ordered = np.sort(_finite(differences, "differences"))
    if not len(ordered):
        raise EstimationError("there are no pairs")
    number = len(ordered) * (len(ordered) + 1) / 2
    centre = _walsh(ordered, number / 2)
    found = []
    for gamma in _from_one(gammas):
        p = gamma / (1 + gamma)
        low, high = _walsh(ordered, number * (1 - p)), _walsh(ordered, number * p)
        if gamma == 1:
            low = high = centre
        elif step is not None:
            low = centre - step * _beyond((centre - low) / step)
            high = centre + step * _beyond((high - centre) / step)
        found.append(Bounds(gamma, low, high))
    return found


def _beyond(steps: float) -> int:
    """The first whole number strictly above, but for rounding."""
    return math.floor(steps + 1e-9) + 1


def _walsh(ordered: Array, place: float) -> float:
    """The value that ``place`` of the Walsh averages lie below: between two of them, their middle."""
    whole = round(place)
    if abs(place - whole) < 1e-9:
        return (_smallest(ordered, whole) + _smallest(ordered, whole + 1)) / 2
    return _smallest(ordered, math.ceil(place))


def _smallest(ordered: Array, rank: int) -> float:
    """The ``rank``-th smallest Walsh average, counted from 1."""
    n = len(ordered)
    own = np.arange(n)
    rank = min(max(rank, 1), n * (n + 1) // 2)

    def partners(at: float) -> Array:
        """For each i the number of j >= i whose average with it is at or below."""
        return np.asarray(np.maximum(np.searchsorted(ordered, 2 * at - ordered, side="right") - own, 0))

    low, high = float(ordered[0]), float(ordered[-1])
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if partners(middle).sum() >= rank else (middle, high)
    first = partners(low) + own  # the nearest average above `low` is the one that was looked for
    inside = first < n
    if partners(low).sum() >= rank or not inside.any():
        return low
    return float(((ordered[own[inside]] + ordered[first[inside]]) / 2).min())


def discordant(pilot: int, comparison: int, gammas: Sequence[float] = GAMMAS) -> list[Bounds]:
    """Bounds of the one-sided exact p-value of McNemar's test that pilot people have the event more.

    Parameters
    ----------
    pilot, comparison : int
        Pairs in which the pilot person alone had the event, and in which the comparison person alone had.
    gammas : sequence of float

    Notes
    -----
    The p-value is the chance of ``pilot`` such pairs *or more*. ``binarysens(x, y)`` of the R package rbounds
    gives that of more than ``y``: it is ``discordant(y + 1, x - 1)``.
    """
    if min(pilot, comparison) < 0 or pilot + comparison < 1:
        raise EstimationError("no pair differs, so there is nothing to explain")
    total = pilot + comparison
    found = []
    for gamma in _from_one(gammas):
        p = gamma / (1 + gamma)
        low, high = (1.0 if pilot == 0 else float(bdtrc(pilot - 1, total, c)) for c in (1 - p, p))
        found.append(Bounds(gamma, low, high))
    return found


@dataclass(frozen=True, eq=False)
class MatchedSets:
    """Sets of one person beside several, made ready for bounds under many ratios of odds.

    Attributes
    ----------
    seen : float
        Sum of the scores of the single people.
    worst, best : list of tables
        For each size of set the sums from which the largest mean of the single person's score follows, and
        the same with signs turned.
    """

    seen: float
    worst: list[_Sums]
    best: list[_Sums]

    @classmethod
    def of(cls, scores: Array, sets: Array, treated: Array) -> MatchedSets:
        """Sort each set once.

        Parameters
        ----------
        scores : array (n_rows,)
            The outcome, or what is left of it once days at risk and covariates are allowed for but not the
            service; with the sign turned to ask for less.
        sets : array (n_rows,) of int
        treated : array (n_rows,) of bool

        Raises
        ------
        EstimationError
            Where a set has several people on both sides: it has no such bound.
        """
        scores, treated = _finite(scores, "scores"), np.asarray(treated, dtype=bool)
        codes, size = np.unique(sets, return_inverse=True, return_counts=True)[1:]
        codes = codes.reshape(-1)
        pilot = np.bincount(codes, weights=treated, minlength=len(size))
        if ((pilot > 1) & (size - pilot > 1)).any():
            raise EstimationError(
                "a set with several people on both sides has no bound. Match one to several"
            )
        both = (pilot > 0) & (pilot < size)
        if not both.any():
            raise EstimationError("no set has people of both groups")
        # One comparison person beside several pilot people: ask of that one, with the signs turned.
        turned = np.where(pilot > 1, -1.0, 1.0)[codes]
        single = np.where(turned > 0, treated, ~treated)
        value = scores * turned
        ordered = value[np.lexsort((-value, codes))]
        first = np.r_[0, np.cumsum(size)[:-1]]
        tables = [ordered[first[(size == j) & both][:, None] + np.arange(j)] for j in np.unique(size[both])]
        if not any((table[:, 0] > table[:, -1]).any() for table in tables):
            raise EstimationError("nobody differs within a set, so there is nothing to explain")
        seen = float(value[single & both[codes]].sum())
        return cls(
            seen, [_Sums.of(table) for table in tables], [_Sums.of(-table[:, ::-1]) for table in tables]
        )

    def bounds(self, gammas: Sequence[float] = GAMMAS) -> list[Bounds]:
        """Bounds of the one-sided p-value that pilot people have the larger scores."""
        return [Bounds(gamma, self._low(gamma), self._high(gamma)) for gamma in _from_one(gammas)]

    def _high(self, gamma: float) -> float:
        mean, variance = map(sum, zip(*(part.worst(gamma) for part in self.worst), strict=True))
        return float(ndtr((mean - self.seen) / math.sqrt(variance)))

    def _low(self, gamma: float) -> float:
        mean, variance = map(sum, zip(*(part.worst(gamma) for part in self.best), strict=True))
        return float(ndtr((-mean - self.seen) / math.sqrt(variance)))


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the a largest scores of sets of one size, a from 1, and over all; and the same of squares."""

    size: int
    top: Array
    total: Array
    top_square: Array
    total_square: Array
    scale: Array

    @classmethod
    def of(cls, table: Array) -> _Sums:
        """From scores that fall along each row."""
        sums, squares = table.cumsum(axis=1), (table**2).cumsum(axis=1)
        scale = np.abs(table).max(axis=1)[:, None]
        return cls(table.shape[1], sums[:, :-1], sums[:, -1:], squares[:, :-1], squares[:, -1:], scale)

    def worst(self, gamma: float) -> tuple[float, float]:
        """Sum over sets of the largest mean of the single person's score, and of its largest variance."""
        weight = self.size + (gamma - 1) * np.arange(1, self.size)
        mean = (self.total + (gamma - 1) * self.top) / weight
        largest = mean.max(axis=1, keepdims=True)
        square = (self.total_square + (gamma - 1) * self.top_square) / weight
        variance = np.where(mean >= largest - _AS_GOOD * self.scale, square - mean**2, 0.0).max(axis=1)
        return float(largest.sum()), float(variance.sum())


def matched_sets(
    scores: Array, sets: Array, treated: Array, gammas: Sequence[float] = GAMMAS
) -> list[Bounds]:
    """Bounds of the one-sided p-value that pilot people have the larger scores, within their sets.

    As :meth:`MatchedSets.of` and then :meth:`MatchedSets.bounds`.
    """
    return MatchedSets.of(scores, sets, treated).bounds(gammas)


def tolerated(bounds: Callable[[Sequence[float]], list[Bounds]], *, alpha: float = 0.05) -> float | None:
    """The largest ratio of odds that leaves the upper p-value at or below ``alpha``.

    Parameters
    ----------
    bounds : callable
        From ratios to bounds of a p-value, as ``lambda g: signed_rank(differences, g)``.
    alpha : float

    Returns
    -------
    float or None
        None where not even a ratio of 1 does; ``inf`` where :data:`MOST` does.
    """
    if bounds((1.0,))[0].high > alpha:
        return None
    if bounds((MOST,))[0].high <= alpha:
        return math.inf
    low, high = 1.0, MOST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if bounds((middle,))[0].high <= alpha else (low, middle)
    return low


def _from_one(gammas: Sequence[float]) -> list[float]:
    if not gammas or not all(math.isfinite(gamma) and gamma >= 1 for gamma in gammas):
        raise EstimationError("a ratio of odds (gamma) is a number from 1")
    return [float(gamma) for gamma in gammas]


def _finite(values: Array, what: str) -> Array:
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        raise EstimationError(f"{what} must be numbers. Leave out sets in which somebody has none")
    return values
