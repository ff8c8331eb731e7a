r"""Which procedure to trust when few places have the pilot: a measured rule.

The usual cluster-robust interval fails where few places are treated: measured false positives at a
nominal 5% are 70%, 28%, 18% and 8% with 1, 2, 3 and 6 treated of 30. The rule counts places first. With
n1 pilot and n0 comparison places (the level at which the pilot was given out), roles changed where the
pilot places are the many:

- n0 < 5: no p-value and no interval;
- n1 = 1: pooled t; size-model t where lists differ by half or more; "weak" with fewer than 10 others
  (there the wider of the two);
- n1 = 2 to 5: the same; where lists are alike and there are 60 reassignments or more, the permutation
  of the same effect as well: the larger p-value, and both intervals joined;
- n1 = 4 or 5 and flagged, or both 6 or more: CR2 with Bell-McCaffrey degrees of freedom; the
  permutation of t is printed beside it. Where starts differ this is the spread of each start's places
  about their own mean (starts of fewer than 6 places together); an effect that fewer than 6 pilot places
  say anything about, such as the last months of the first to start, borrows spread as above.

Lists are alike where the largest is under 1.5 times the smallest, or where the variance does not fall
with size.

**Flag** (n1 <= 5): the pilot places' variance from period to period before the pilot, period effects
out, is more than twice that of the others, or above every other. Their variance is then multiplied by
the shrunk ratio where that exceeds 1, never divided: :math:`h_i = \max\bigl(1, (4 m + \nu s_i^2)/((4 +
\nu) m)\bigr)`, with :math:`m` the others' mean variance and :math:`\nu = 0.6(T_0 - 1)` for :math:`T_0`
periods. Where the size model is used, both are first divided by what list size explains.

**Breakdown ratio** (n1 <= 5): the standard deviation of the pilot places, as a multiple of the others',
at which the interval would just reach 0. With q the t quantile and s0 the others' standard deviation,

.. math:: \rho^* = \sqrt{\Bigl[(b/(q s_0))^2 - \textstyle\sum_0\omega_i^2\Bigr]
          \Big/ \textstyle\sum_1\omega_i^2} .

The estimate itself never depends on the procedure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.errors import UsageError
from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.randomisation import (
    Permutation,
    number_of_choices,
    permutation_of_t,
    smallest_p,
    standardised_permutation,
)
from ucimpact.inference.two_groups import (
    Either,
    OwnSpread,
    PooledT,
    Procedure,
    Refused,
    Robust,
    SizeModelT,
    Wider,
    critical,
    fall_with_size,
)

Array = np.ndarray
FEWEST_COMPARISON = 5
OTHERWISE = "More comparison places could answer, or a longer series of the pilot's own (its)."
WEAK_BELOW = 10
ENOUGH = 6
FEWEST_OWN_SPREAD = 4
ENOUGH_REASSIGNMENTS = 60
MOST_DEALT = 1_000
"""Places above which no second opinion is asked for where their own spread is used: the two then agree, and
dealing so many anew takes longer than all the rest."""
ALIKE = 1.5
FLAG = 2.0
FEWEST_PERIODS_FOR_FLAG = 3
PRIOR_DF = 4.0
DF_PER_PERIOD = 0.6


@dataclass(frozen=True, kw_only=True)
class Auto:
    """Count the places, choose the procedure that held its false positives there, and say which.

    Parameters
    ----------
    seed : int, default 1
        For reassignments drawn at random.
    permutations : int, default 9999
        All reassignments are used where there are no more than this, else this many at random.
    """

    seed: int = 1
    permutations: int = 9_999

    def __post_init__(self) -> None:
        if self.permutations < 99:
            raise UsageError(f"permutations = {self.permutations}: 99 is the least that can reach a 5% test")


@dataclass(frozen=True)
class Places:
    """What is known of each place beside its contrast; arrays of shape (n_places,).

    Attributes
    ----------
    pilot : bool array
    sizes : array
        People, or units, in the place.
    before : array
        Variance from period to period before the pilot, effects of place and period out.
    periods_before : int
    noun : str
        "places" or "units", for sentences.
    groups : int array, optional
        Groups whose own spread is used where there are enough of both, where starts differ.
    """

    pilot: Array
    sizes: Array
    before: Array
    periods_before: int
    noun: str = "units"
    groups: Array | None = None

    @property
    def n1(self) -> int:
        """Pilot places."""
        return int(self.pilot.sum())

    @property
    def n0(self) -> int:
        """Comparison places."""
        return int((~self.pilot).sum())

    @property
    def few(self) -> Array:
        """The smaller group: the pilot places, unless they are the many."""
        return self.pilot if self.n1 <= self.n0 else ~self.pilot

    @property
    def size_ratio(self) -> float:
        """Largest over smallest."""
        return float(self.sizes.max() / self.sizes.min())


@dataclass(frozen=True)
class Chosen:
    """A procedure, why, and what a reader should be told.

    Attributes
    ----------
    procedure : Procedure
    name : str
        In plain words, for "interval by ...".
    account : mapping
        Plain values: the counts and ratios that the rule looked at.
    warnings : tuple of str
    refused : str or None
        Why there is no p-value and no interval.
    spread : array (n_places,)
        Relative variances that the procedure allows for.
    """

    procedure: Procedure
    name: str
    account: Mapping[str, Any]
    warnings: tuple[str, ...]
    refused: str | None
    spread: Array

    def refuse(self, why: str) -> Chosen:
        """The same places and no p-value and no interval, with the reason."""
        account = {**self.account, "procedure": "refused", "reason": why}
        account |= {"breakdown_ratio": None, "second_opinion": None}
        return Chosen(Refused(), "no interval", account, self.warnings, why, self.spread)


@dataclass(frozen=True)
class Flag:
    """How changeable the few were before the pilot, beside the others.

    Attributes
    ----------
    ratio : float
        Of variances; ``nan`` where it is not known.
    raised : bool
    allowed : array (n_places,), optional
        Relative variance to allow each place, 1 or more, where raised.
    """

    ratio: float
    raised: bool
    allowed: Array | None = None

    def spread(self, places: Places) -> Array:
        """Relative variance to allow each place, shape (n_places,)."""
        return np.ones(len(places.pilot)) if self.allowed is None else self.allowed


NO_FLAG = Flag(float("nan"), False)


def choose(contrasts: Contrasts, places: Places, auto: Auto, level: float) -> Chosen:
    """The procedure for these places.

    Parameters
    ----------
    contrasts : Contrasts
        Of the main effect (the first is used).
    places : Places
    auto : Auto
    level : float
        For the breakdown ratio.
    """
    first = contrasts.only(slice(1))
    n1, n0, noun = places.n1, places.n0, places.noun
    few = min(n1, n0)
    alike = sizes_alike(first, places)
    flag = flag_of(places, by_size=not alike) if few < ENOUGH else NO_FLAG
    account = account_of(first, places, flag, level) | {"seed": auto.seed}
    if n0 < FEWEST_COMPARISON:
        refused = (
            f"No p-value or likely range can be had: {n0} comparison places, and at least "
            f"{FEWEST_COMPARISON} are needed. {OTHERWISE}"
        )
        account |= {"procedure": "refused", "reason": refused, "breakdown_ratio": None}
        return Chosen(Refused(), "no interval", account, (refused,), refused, flag.spread(places))
    if few >= ENOUGH or (flag.raised and few >= FEWEST_OWN_SPREAD):
        procedure, name, details = _own_spread(first, places, auto)
    else:
        procedure, name, details = _pooled(first, places, auto, flag, alike)
    account |= details
    account["df"] = float(procedure.infer(first, level).df[0])
    warnings = []
    if flag.raised:
        warnings.append(_flag_words(flag, places))
    if n1 == 1 and n0 < WEAK_BELOW:
        warnings.append(
            f"Weak: one pilot {noun[:-1]} and {n0} comparison {noun}, so the range leans on those {n0} alone."
        )
    if few < ENOUGH and places.periods_before < FEWEST_PERIODS_FOR_FLAG:
        number = f"{places.periods_before} period{'s' if places.periods_before > 1 else ''}"
        warnings.append(
            f"With {number} before the pilot nobody can see whether the pilot was as steady as the others; "
            "the range supposes it."
        )
    return Chosen(procedure, name, account, tuple(warnings), None, flag.spread(places))


def _own_spread(first: Contrasts, places: Places, auto: Auto) -> tuple[Procedure, str, dict[str, Any]]:
    """CR2, with the permutation of t beside it."""
    way, details = _reassigning(first, places, auto)
    why = "enough of both for their own spread to be used"
    if min(places.n1, places.n0) < ENOUGH:
        why = "the few are more changeable than the others, so their own spread is used"
    details |= {"procedure": "cr2", "reason": f"{_counted(places)}: {why}"}
    if len(places.pilot) > MOST_DEALT:
        details |= {"permutations": None, "all_permutations": None}
    elif first.deal is not None or places.groups is None:
        details["second_opinion"] = {
            "procedure": f"permutation of t, {way}",
            "p_value": permutation_of_t(first, auto.permutations, auto.seed),
        }
    if places.groups is not None:
        details["procedure"] = "own-spread"
        name = "spread of each group of places about its own mean, with Bell-McCaffrey degrees of freedom"
        borrowed: Procedure = Refused()
        if first.deal is not None:
            everyone = np.ones(len(places.pilot))
            alike = places.size_ratio < ALIKE
            borrowed = PooledT(everyone) if alike else SizeModelT(places.sizes, everyone)
        enough = min(ENOUGH, places.n1, places.n0)
        return Either(OwnSpread(places.groups), borrowed, enough), name, details
    return Robust("CR2"), "CR2 variance with Bell-McCaffrey degrees of freedom", details


def _pooled(
    first: Contrasts, places: Places, auto: Auto, flag: Flag, alike: bool
) -> tuple[Procedure, str, dict[str, Any]]:
    """The t that borrows spread, by list size where lists differ, and the permutation beside it."""
    n1, n0 = places.n1, places.n0
    spread = flag.spread(places)
    size_model, pooled = SizeModelT(places.sizes, spread), PooledT(spread)
    t = f"t on {n1 + n0 - 2} degrees of freedom"
    procedure: Procedure = pooled
    code, name = "pooled-t", f"pooled {t}"
    if places.size_ratio >= ALIKE:  # where the variance does not fall with size this is the pooled t
        procedure, code, name = size_model, "size-model-t", f"{t}, variance by list size"
        if n1 == 1 and n0 < WEAK_BELOW:
            procedure, name = Wider(pooled, size_model), f"pooled {t}, or by list size where that is wider"
    details: dict[str, Any] = {}
    choices = choices_of(first, places)
    if min(n1, n0) >= 2 and choices >= ENOUGH_REASSIGNMENTS:
        way, details = _reassigning(first, places, auto)
        if alike:
            procedure = Wider(procedure, Permutation(auto.permutations, auto.seed))
            code, name = f"{code}+permutation", f"{name}, and {way}: the larger p-value and the wider limits"
        else:
            sd = np.sqrt(size_model.shape(first, np.zeros(1))[0] * spread)
            details["second_opinion"] = {
                "procedure": f"permutation of deviations divided by their spread by list size, {way}",
                "p_value": standardised_permutation(first, sd, auto.permutations, auto.seed),
            }
    which = "with the pilot" if n1 <= n0 else "without it"
    why = f"too few {places.noun} {which} to show a spread of their own, so all are pooled"
    return procedure, name, details | {"procedure": code, "reason": f"{_counted(places)}: {why}"}


def choices_of(first: Contrasts, places: Places) -> int:
    """How many ways there are of dealing the pilot, with its starts, to the places."""
    if first.deal is not None:
        return first.deal.choices()
    return number_of_choices(places.n1 + places.n0, min(places.n1, places.n0))


def _reassigning(first: Contrasts, places: Places, auto: Auto) -> tuple[str, dict[str, Any]]:
    choices = choices_of(first, places)
    every = choices <= auto.permutations
    drawn = choices if every else auto.permutations
    way = f"all {choices:,} reassignments" if every else f"{drawn:,} reassignments at random"
    return way, {"permutations": drawn, "all_permutations": every}


def _counted(places: Places) -> str:
    return f"{places.n1} pilot and {places.n0} comparison {places.noun}"


def account_of(first: Contrasts, places: Places, flag: Flag, level: float) -> dict[str, Any]:
    """What can be counted and compared before any procedure is chosen, as plain values."""
    n1, n0 = places.n1, places.n0
    return {
        "n1": n1,
        "n0": n0,
        "places": n1 + n0,
        "noun": places.noun,
        "size_ratio": places.size_ratio,
        "sizes_alike": sizes_alike(first, places),
        "flag_ratio": flag.ratio,
        "variance_flag": flag.raised,
        "breakdown_ratio": breakdown_ratio(first, places, level) if min(n1, n0) < ENOUGH else None,
        "smallest_p": smallest_p(n1, n0) if first.deal is None else 1 / choices_of(first, places),
        "permutations": None,
        "all_permutations": None,
        "second_opinion": None,
        "df": None,
    }


def sizes_alike(first: Contrasts, places: Places) -> bool:
    """Whether the largest is under 1.5 times the smallest, or the variance does not fall with size."""
    if places.size_ratio < ALIKE:
        return True
    return not SizeModelT(places.sizes, np.ones(len(places.pilot))).falls(first)


def flag_of(places: Places, *, by_size: bool) -> Flag:
    """Ratio of the few's variance before the pilot to the others', and what to allow for it."""
    few = places.few
    variance = places.before
    known = np.isfinite(variance)
    if places.periods_before < FEWEST_PERIODS_FOR_FLAG or not known[few].any() or not known[~few].any():
        return NO_FLAG
    if by_size:
        others = known & ~few
        constant, slope = fall_with_size(
            np.where(others, variance, 0.0)[None, :], 1 / places.sizes, others[None, :]
        )
        fitted = constant[0] + slope[0] / places.sizes
        variance = variance / np.where(fitted > 0, fitted, 1.0)
    mean = float(variance[~few & known].mean())
    if mean <= 0:
        return NO_FLAG
    ratio = float(variance[few & known].mean()) / mean
    raised = ratio > FLAG or ratio * mean > variance[~few & known].max()
    if not raised:
        return Flag(ratio, False)
    nu = DF_PER_PERIOD * (places.periods_before - 1)
    shrunk = (PRIOR_DF * mean + nu * variance) / ((PRIOR_DF + nu) * mean)
    return Flag(ratio, True, np.where(few & known, np.maximum(1.0, shrunk), 1.0))


def breakdown_ratio(first: Contrasts, places: Places, level: float) -> float:
    """How many times as changeable the few may be before the interval reaches 0 (0: it does anyway)."""
    few = places.few
    shape = np.ones(len(few))
    squares = first.residuals() ** 2 / first.relative
    if places.size_ratio >= ALIKE:
        constant, slope = fall_with_size(
            np.where(few, 0.0, squares), 1 / places.sizes, first.heard & ~few[None, :]
        )
        shape = constant[0] + slope[0] / places.sizes
    number = int((first.heard[0] & ~few).sum())
    if number < 2 or not np.all(shape > 0):
        return float("nan")
    s0 = (squares[0] / shape)[~few].sum() / (number - 1)
    if s0 <= 0:
        return float("nan")
    q = float(critical(level, np.array(len(few) - 2.0)))
    part = first.shares[0] ** 2 * shape * first.relative[0] * s0
    beside = 0.0 if first.beside is None else float(first.beside[0]) * s0
    room = (float(first.estimate[0]) / q) ** 2 - part[~few].sum() - beside
    return float(np.sqrt(max(room, 0.0) / part[few].sum()))


def _flag_words(flag: Flag, places: Places) -> str:
    which = "pilot" if places.n1 <= places.n0 else "comparison"
    others = "comparison" if which == "pilot" else "pilot"
    return (
        f"Before the pilot the {which} {places.noun} varied from period to period {flag.ratio:.1f} times "
        f"as much (in variance) as the {others} {places.noun}; the range allows for it as far as it can."
    )
