r"""What was expected without the pilot, by unit and period, and what each cell adds to a ratio of counts.

Cells without the pilot give unit effects :math:`\alpha_i` and period effects :math:`\gamma_t`; these give
what was expected in the others, :math:`E_{it} = n_{it}\exp(\alpha_i + \gamma_t)`. For a set k of cells

.. math:: b_k = \log \sum_k y_{it} - \log \sum_k E_{it} .

Where the people of units of one start grow alike this is the saturated Poisson regression with an effect for
every start and period; where they do not, no unit's own effect can move what is expected of another
(Wooldridge 2023, *Econometrics Journal* 26(3): with the canonical link the two are one estimator).

The derivative of :math:`b_k` by a cell is :math:`1/\sum_k y` inside the set and, in cells without the pilot,

.. math:: a_{it} = -\frac{1}{E_k}\bigl[R_{ik} + \lambda_{kt} - \bar\lambda_{ki}\bigr], \qquad
          R_{ik} = \frac{\sum_k n_{it} e^{\gamma_t}}{\sum_{free} n_{it} e^{\gamma_t}}, \qquad
          \lambda_k = S^{-1}\Bigl(E_{tk} - \sum_i R_{ik}\mu_{it}\Bigr),

with S of :mod:`ucimpact.inference.ppml` and :math:`\bar\lambda_{ki}` the mean over a unit's cells, weighted
by :math:`\mu`. The same holds for least squares with weights :math:`n_{it}` and :math:`n` in place of
:math:`\mu`: parallel changes on the level of the rate and not of its logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.inference.count_places import Contributions
from ucimpact.inference.linear import TwoWay, sum_by
from ucimpact.inference.ppml import Family, PpmlFit, ppml

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of units by periods, and who they belong to.

    Attributes
    ----------
    y, people, weights : array (n_units, n_periods)
        Count times weight, people times weight, and weight; 0 where nothing was seen.
    cohort : int array (n_units,)
        Code of the start; the largest is for units that never start.
    places : int array (n_units,)
    never : bool array (n_units,)
    """

    y: Array
    people: Array
    weights: Array
    cohort: Array
    places: Array
    never: Array

    @cached_property
    def seen(self) -> Array:
        """Cells with a row."""
        return np.asarray(self.weights > 0)

    @cached_property
    def place_pilot(self) -> Array:
        """Whether a place has the pilot, shape (n_places,)."""
        return np.asarray(np.bincount(self.places[~self.never], minlength=int(self.places.max()) + 1) > 0)


@dataclass(frozen=True, eq=False)
class Expected:
    """What was expected without the pilot, and how it hangs on the cells without it.

    Attributes
    ----------
    counts : Counts
    free : bool array (n_units, n_periods)
        Cells that show what happens without the pilot.
    value : array (n_units, n_periods)
        :math:`E`; ``nan`` where it cannot be had (a unit or a period without a free cell).
    lift : array (n_units, n_periods)
    below : array (n_units,)
        Over a set of cells the sum of ``lift`` over ``below`` is the derivative of what is expected of a unit
        by its own free cells: :math:`R_{ik}`.
    structure : array (n_units, n_periods)
        Working weights of the free cells: :math:`\\mu`, n, or the analysis weight.
    tilt : array (n_units, n_periods)
        Derivative of the expected by its period effect.
    shaping : bool array (n_units,)
        Units that shape the period effects.
    bread : array (n_periods, n_periods)
        :math:`S^{-1}`, 0 for periods held.
    mean : array (n_units, n_periods)
        Positive means, for drift and for the counting variance.
    residual, moved : array (n_units, n_periods)
        Scores of the free cells, and what a drift of 1 in the log of a cell adds to its score; 0 elsewhere.
    counted : bool
        Whether the counting variance is known.
    """

    counts: Counts
    free: Array
    value: Array
    lift: Array
    below: Array
    structure: Array
    tilt: Array
    shaping: Array
    bread: Array
    mean: Array
    residual: Array
    moved: Array
    counted: bool = True


def expected_by_ratio(
    counts: Counts,
    free: Array,
    *,
    never_only: bool = False,
    family: Family = "poisson",
    counted: bool = True,
) -> tuple[Expected, PpmlFit]:
    """Unit and period effects by Poisson pseudo-likelihood, or gamma quasi-likelihood, on the ``free`` cells.

    ``counted`` says that these are counts, so that chance gives them at least the variance of Poisson.
    """
    w = counts.weights
    shaping = counts.never if never_only else np.ones(len(w), dtype=bool)
    rate_people = np.where(w > 0, counts.people / np.where(w > 0, w, 1.0), 1.0)
    raw = np.where(w > 0, counts.y / np.where(w > 0, w, 1.0), 0.0)
    used = np.where(free & shaping[:, None], w, 0.0)
    fit = ppml(raw, used, exposure=rate_people, family=family)
    gamma = fit.period_effects
    base = counts.people * np.exp(np.where(np.isnan(gamma), -np.inf, gamma))
    told = free & ~np.isnan(gamma)
    if family == "gamma":  # a unit's level is the mean of its ratios to the periods, and not of its sums
        told = told & (base > 0)
        below = np.where(told, w, 0.0).sum(axis=1)
        ratios = np.where(told, w * counts.y / np.where(told, base, 1.0), 0.0)
    else:
        below = np.where(told, base, 0.0).sum(axis=1)
        ratios = np.where(told, counts.y, 0.0)
    level = ratios.sum(axis=1) / np.where(below > 0, below, 1.0)
    known = (told.any(axis=1) & (below > 0))[:, None] & ~np.isnan(gamma)
    value = np.where(known & counts.seen, level[:, None] * base, np.nan)
    mean = np.where(np.isnan(value), 0.0, value)
    bread = _padded(fit.bread, fit.columns, w)
    if family == "gamma":
        structure = np.where(told, w, 0.0)
        lift, moved = mean, structure
        left = np.where(told & (mean > 0), w * (counts.y / np.where(mean > 0, mean, 1) - 1), 0.0)
    else:
        structure = np.where(told, mean, 0.0)
        lift, left, moved = base, np.where(told, counts.y - mean, 0.0), structure
    found = (told, value, lift, below, structure, mean, shaping, bread, mean, left, moved, counted)
    return Expected(counts, *found), fit


def expected_by_level(counts: Counts, like: Expected) -> Expected:
    """The same by least squares on rates, weighted by people: parallel on the level scale."""
    people = counts.people
    used = np.where(like.free & like.shaping[:, None], people, 0.0)
    rate = np.where(used > 0, counts.y / np.where(people > 0, people, 1.0), 0.0)
    gamma = np.where(used.any(axis=0), TwoWay(used).period_effects(rate), np.nan)
    told = like.free & ~np.isnan(gamma)
    shape = np.where(told, people, 0.0)
    below = shape.sum(axis=1)
    gammas = np.where(np.isnan(gamma), 0.0, gamma)
    level = (np.where(told, counts.y, 0.0) - shape * gammas).sum(axis=1) / np.where(below > 0, below, 1.0)
    value = np.where(np.isnan(like.value), np.nan, people * (level[:, None] + gammas))
    totals = used.sum(axis=1)
    system = np.diag(used.sum(axis=0)) - used.T @ (used / np.where(totals > 0, totals, 1.0)[:, None])
    bread = np.linalg.pinv(system, rcond=1e-12, hermitian=True)
    left = np.where(told, counts.y - np.nan_to_num(value), 0.0)
    moved = np.where(told, like.mean, 0.0)
    found = (told, value, people, below, shape, people, like.shaping, bread, like.mean, left, moved)
    return Expected(counts, *found, counted=like.counted)


def _padded(bread: Array, columns: Array, like: Array) -> Array:
    out = np.zeros((like.shape[1], like.shape[1]))
    out[np.ix_(columns, columns)] = bread
    return out


@dataclass(frozen=True, eq=False)
class Sets:
    """Sets of cells, one an effect: each cell belongs to one of them at most.

    Attributes
    ----------
    label : int array (n_units, n_periods)
        Effect of each cell, -1 for none.
    number : int
    """

    label: Array
    number: int

    def totals(self, values: Array) -> Array:
        """Sum of ``values`` (n_units, n_periods) over each set, shape (n_effects,)."""
        inside = self.label >= 0
        return np.asarray(np.bincount(self.label[inside], values[inside], self.number))


@dataclass(frozen=True, eq=False)
class Found:
    """What happened and what was expected in each set, and what each place adds.

    Attributes
    ----------
    observed, expected, people : array (K,)
    mean : array (K,)
        What was expected, by the steadier means that the noise is worked out from.
    rows : array (K,)
        Rows in each set.
    contributions : Contributions
    starts : array (P,)
        Cohort of each pattern of ``contributions``.
    """

    observed: Array
    expected: Array
    people: Array
    mean: Array
    rows: Array
    contributions: Contributions
    starts: Array


def found_in(expected: Expected, sets: Sets, ratio: float | None) -> Found:
    """Log ratios of sets of cells.

    Parameters
    ----------
    ratio : float or None
        Ratio at which counting noise is worked out where a set has too few events for its own; None for
        sets of cells without the pilot.
    """
    counts = expected.counts
    inside = (sets.label >= 0) & ~np.isnan(expected.value) & counts.seen
    label = np.where(inside, sets.label, -1)
    sets = Sets(label, sets.number)
    value = np.where(inside, expected.value, 0.0)
    observed = sets.totals(counts.y)
    total = sets.totals(value)
    mean_total = sets.totals(np.where(inside, expected.mean, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.log(observed) - np.log(np.maximum(total, 0.0))
    enough = (np.minimum(observed, mean_total) >= 5) & (ratio is not None)
    own_ratio = np.where(enough, observed / np.where(enough, mean_total, 1.0), ratio or 1.0)
    added, size, noise = _by_place(expected, sets, value, mean_total, own_ratio)
    pilot = counts.place_pilot
    own = np.zeros_like(added, dtype=bool)
    at = np.flatnonzero(inside)
    own[label.flat[at], counts.places[at // label.shape[1]]] = True
    row, share, drift, drift_noise, starts = _patterns(expected, label, mean_total)
    contributions = Contributions(
        estimate=estimate,
        added=added,
        size=size,
        noise=noise,
        own=own,
        pilot=pilot,
        row=row,
        share=share,
        drift=drift,
        drift_noise=drift_noise,
    )
    return Found(
        observed,
        total,
        sets.totals(counts.people),
        mean_total,
        sets.totals(np.ones_like(value)),
        contributions,
        starts,
    )


def loadings(expected: Expected, sets: Sets, over: Array | None = None) -> Array:
    """Derivative of the log of what was expected in each set by each free cell, (K, n_units, n_periods).

    By its score, that is: for Poisson and least squares that is the cell itself. ``over`` (K,) stands in for
    what was expected, where that is no more than the luck of one period.
    """
    n, length = sets.label.shape
    inside = sets.label >= 0
    unit, period = np.nonzero(inside)
    which = sets.label[inside]
    total = sets.totals(np.where(inside, expected.value, 0.0)) if over is None else over
    lift = np.zeros((sets.number, n))
    np.add.at(lift, (which, unit), expected.lift[inside])
    reach = lift / np.where(expected.below > 0, expected.below, 1.0)
    tilt = np.zeros((sets.number, length))
    np.add.at(tilt, (which, period), expected.tilt[inside])
    lam = (tilt - reach @ expected.structure) @ expected.bread
    q = np.where(expected.shaping[:, None], expected.structure, 0.0)
    totals = q.sum(axis=1)
    mean_lam = lam @ (q / np.where(totals > 0, totals, 1.0)[:, None]).T
    shaped = expected.shaping[None, :, None] * (lam[:, None, :] - mean_lam[:, :, None])
    by_cell = np.where(expected.free, reach[:, :, None] + shaped, 0.0)
    return np.asarray(by_cell / np.where(total > 0, total, np.nan)[:, None, None])


def _by_place(
    expected: Expected, sets: Sets, value: Array, total: Array, ratio: Array
) -> tuple[Array, Array, Array]:
    """psi, h and V of :mod:`ucimpact.inference.count_places`, by place."""
    counts = expected.counts
    inside = sets.label >= 0
    unit, period = np.nonzero(inside)
    which = sets.label[inside]
    safe = np.where(total > 0, total, np.nan)
    loading = -loadings(expected, sets, total)
    w = counts.weights
    parts = np.zeros((3, sets.number, len(w)))
    parts[0] = (loading * expected.residual).sum(axis=2)
    per = 1.0 / (ratio * safe)[which]
    np.add.at(parts[0], (which, unit), per * (counts.y[inside] - ratio[which] * value[inside]))
    # what a drift of 1 in the log of a cell adds
    shock = loading * expected.moved
    shock[which, unit, period] += expected.mean[inside] / safe[which]
    parts[1] = np.abs(shock).sum(axis=2) / 2
    if expected.counted:
        free_noise = np.where(expected.free, w * expected.mean, 0.0)
        parts[2] = (loading**2 * free_noise).sum(axis=2)
        noise = w[inside] * expected.mean[inside]
        both = np.where(expected.free[inside], 2 * loading[which, unit, period], 0.0)
        np.add.at(parts[2], (which, unit), per * (per * ratio[which] + both) * noise)
    added, size, variance = (np.nan_to_num(sum_by(part, counts.places)) for part in parts)
    size[size < 1e-10 * size.max(axis=1, keepdims=True, initial=1e-300)] = 0.0
    return added, size, variance


def _patterns(expected: Expected, label: Array, total: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Each comparison place over the periods of each start: after over before, less what was expected."""
    counts = expected.counts
    length = label.shape[1]
    unit, period = np.nonzero(label >= 0)
    key = label[unit, period] * (counts.cohort.max() + 1) + counts.cohort[unit]
    keys, at = np.unique(key, return_inverse=True)
    row, start = np.divmod(keys, counts.cohort.max() + 1)
    after = np.zeros((len(keys), length))
    after[at, period] = 1.0
    weight = np.bincount(at, expected.mean[unit, period], len(keys))
    share = weight / np.where(total > 0, total, 1.0)[row]
    cohorts, where = np.unique(start, return_inverse=True)
    told = [expected.free[counts.cohort == c].any(axis=0) for c in cohorts]
    before = np.array(told, dtype=float).reshape(-1, length)[where]
    drift, noise = drifts(expected, after, before, places=~counts.place_pilot)
    return row, share, drift, noise, start


def drifts(expected: Expected, after: Array, before: Array, places: Array) -> tuple[Array, Array]:
    """Log ratio of places over patterns of periods, less what was expected, and its counting variance.

    Parameters
    ----------
    after, before : array (P, n_periods)
        1 in the periods on either side.
    places : bool array (n_places,)

    Returns
    -------
    drift, noise : array (P, n_chosen)
    """
    counts = expected.counts
    told = ~np.isnan(expected.value)
    fitted = np.where(told, expected.value, 0.0)
    mean = np.where(told, expected.mean, 0.0)
    y = np.where(told, counts.y, 0.0)
    gaps, means, noises = (
        sum_by(values.T, counts.places)[:, places] for values in (y - fitted, mean, counts.weights * mean)
    )
    shape = (len(after), int(places.sum()))
    out, noise = np.zeros(shape), np.zeros(shape)
    for sign, side in ((1.0, after), (-1.0, before)):
        below = side @ means
        sound = below > 0
        safe = np.where(sound, below, 1.0)
        out = out + sign * np.where(sound, side @ gaps / safe, 0.0)
        noise = noise + np.where(sound, side @ noises / safe**2, np.inf)
    return out, noise
