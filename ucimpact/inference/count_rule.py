r"""Which variance of a ratio of counts to trust: the measured rule, by how many places have the pilot.

With n1 pilot and n0 comparison places (the level at which the pilot was given out), the smaller deciding:

- n0 < 5, or fewer than 5 events in pilot places before or after: no p-value and no interval;
- up to 5: counting noise as known, drift between places integrated out, from all places together;
- 4 or 5 and flagged, or 6 and more of both: each group's own spread, a CR2 of one number a place with
  Satterthwaite degrees of freedom.

Effects of one start or one month, and the path, go by the second way until 20 pilot places have a part in
them: six deviations of one month each leave four or five degrees of freedom, and bands that say nothing.

**Counting noise** is Poisson's times a factor of 1 or more. Without the pilot, and about its expected course,
the variance of a comparison place's months over their mean is :math:`\kappa + \sigma^2\mu`: what does not
grow with the mean is noise of counting (admissions that come together), what does is the drift of months.
:math:`\kappa` is read from the comparison places.

**Flag** (up to 5): before the pilot, the pilot places' counts varied about their expected course more than
twice as much as those of the others (in variance, each over what its size makes likely), or more than every
other place. Their variance is then multiplied by the shrunk ratio, never divided.

Two more ways can be asked for: :class:`QuasiPoisson` and
:class:`~ucimpact.inference.covariance.CR1`. Both fail where few places have the pilot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ucimpact.inference.count_dealing import second_opinion
from ucimpact.inference.count_effects import Counts, Expected, Found, Sets
from ucimpact.inference.count_places import (
    FEWEST_EVENTS,
    GRID,
    PRIOR_SCALE,
    Contributions,
    Uncertainty,
    borrowed,
    breakdown,
    disagreement,
    own_spread,
    posterior,
)
from ucimpact.inference.covariance import CR1
from ucimpact.inference.few_clusters import (
    ENOUGH,
    FEWEST_COMPARISON,
    FEWEST_OWN_SPREAD,
    FEWEST_PERIODS_FOR_FLAG,
    NO_FLAG,
    OTHERWISE,
    WEAK_BELOW,
    Auto,
    Flag,
    Places,
    flag_of,
)
from ucimpact.inference.linear import sum_by

Array = np.ndarray
MANY = 20
"""Pilot places with which a part of the pilot goes by their own spread."""
RANDOM_EFFECTS = "random effects of places with Poisson noise, drift integrated out"
OWN_SPREAD = "own spread of pilot and of comparison places, small-sample corrected"


@dataclass(frozen=True, kw_only=True)
class QuasiPoisson:
    """Poisson variance times Pearson's dispersion, Student's t on two degrees of freedom less than places.

    It takes all months of a place as separate evidence: with the largest lists treated it is far too sure.
    """


Choice = Auto | CR1 | QuasiPoisson


@dataclass(frozen=True)
class Rule:
    """A choice made for these places, to be used for every effect.

    Attributes
    ----------
    kind : {"auto", "quasi-poisson", "cr1", "cost", "refused"}
    spread : array (n_places,)
        Relative variances allowed.
    enough : bool
        Whether both groups have enough places for their own spread.
    fewest : int
        Pilot places that an effect needs for its own spread.
    dispersion, noise : float
        Pearson's, and what Poisson's variance is multiplied by.
    name : str
        In plain words, for "interval by ...".
    account : mapping
    warnings : tuple of str
    refused : str or None
    """

    kind: str
    spread: Array
    enough: bool
    fewest: int
    dispersion: float
    name: str
    account: Mapping[str, Any]
    warnings: tuple[str, ...]
    refused: str | None
    noise: float = 1.0

    def scaled(self, contributions: Contributions) -> Contributions:
        """With the counting noise of these places."""
        if self.noise == 1.0:
            return contributions
        return replace(
            contributions,
            noise=contributions.noise * self.noise,
            drift_noise=contributions.drift_noise * self.noise,
        )

    def uncertainty(self, contributions: Contributions, *, whole: bool = False) -> tuple[Uncertainty, Array]:
        """Error of each effect, and the mean square of the drift, shape (K,).

        ``whole`` is for the effect of the whole pilot, not of a part of it.
        """
        number = len(contributions.estimate)
        if self.kind == "refused":
            gap = np.full(number, np.nan)
            return Uncertainty(np.ones((number, 1)), gap[:, None], gap, gap), np.zeros(number)
        if self.kind in ("cr1", "quasi-poisson"):
            return self._asked_for(contributions), np.zeros(number)
        if self.kind == "cost":
            return spread_alone(contributions, self.fewest), np.zeros(number)
        contributions = self.scaled(contributions)
        weights = posterior(contributions)
        tau2 = np.asarray(weights @ GRID**2)
        found = borrowed(contributions, self.spread, weights)
        if self.enough and (whole or contributions.pilot.sum() >= MANY):
            error, df = own_spread(contributions, weights)
            fewest = self.fewest if whole else MANY
            good = (contributions.number_own >= fewest) & (error > 0) & np.isfinite(df)
            found = Uncertainty(
                found.weights,
                found.sd,
                np.where(good, error, found.std_error),
                np.where(good, df, np.nan),
            )
        return found, tau2

    def _asked_for(self, contributions: Contributions) -> Uncertainty:
        places = len(contributions.pilot)
        if self.kind == "cr1":
            error = np.sqrt((contributions.added**2).sum(axis=1) * places / (places - 1))
            df = places - 1.0
        else:
            error = np.sqrt(contributions.noise.sum(axis=1) * self.dispersion)
            df = places - 2.0
        error = np.where(error > 0, error, np.nan)
        return Uncertainty(
            np.ones((len(error), 1)), error[:, None], error, np.where(np.isnan(error), np.nan, df)
        )


def choose(
    main: Found, expected: Expected, sets: Sets, choice: Choice, *, level: float, noun: str, dispersion: float
) -> Rule:
    """The rule for these places.

    Parameters
    ----------
    main : Found
        The main effect.
    expected : Expected
    sets : Sets
        Cells with the pilot.
    choice : Auto, CR1 or QuasiPoisson
    level : float
        For the breakdown ratio.
    noun : str
        "places" or "units".
    dispersion : float
        Pearson's, of the cells without the pilot.
    """
    counts, contributions = expected.counts, main.contributions
    n1, n0, silent = heard(contributions)
    few = min(n1, n0)
    places, kappa = places_before(expected, noun)
    flag = flag_of(places, by_size=False) if few < ENOUGH else NO_FLAG
    spread = flag.spread(places)
    account: dict[str, Any] = {
        "n1": n1,
        "n0": n0,
        "places": n1 + n0,
        "silent_places": silent,
        "noun": noun,
        "size_ratio": places.size_ratio,
        "flag_ratio": flag.ratio,
        "variance_flag": flag.raised,
        "breakdown_ratio": None,
        "smallest_p": None,  # neither a mixture nor a t has one
        "permutations": None,
        "all_permutations": None,
        "second_opinion": None,
        "df": None,
        "dispersion": dispersion,
        "events_before": _pilot_events(counts, expected.free),
        "events_after": float(main.observed[0]),
    }
    refused = _refused(account, noun)
    if refused is not None:
        account |= {"procedure": "refused", "reason": refused, "seed": getattr(choice, "seed", 1)}
        return Rule("refused", spread, False, ENOUGH, dispersion, "no interval", account, (refused,), refused)
    if not isinstance(choice, Auto):
        return _asked(choice, account, contributions, spread, dispersion, noun)
    own = few >= ENOUGH or (flag.raised and few >= FEWEST_OWN_SPREAD)
    fewest = ENOUGH if few >= ENOUGH else FEWEST_OWN_SPREAD
    name = OWN_SPREAD if own else RANDOM_EFFECTS
    rule = Rule("auto", spread, own, fewest, dispersion, name, {}, (), None, kappa)
    contributions = rule.scaled(contributions)
    uncertainty, tau2 = rule.uncertainty(main.contributions, whole=True)
    own = bool(uncertainty.own_spread[0])
    name = OWN_SPREAD if own else RANDOM_EFFECTS
    if own:
        account["df"] = float(uncertainty.df[0])
        why = "enough of both for their own spread to be used"
        if few < ENOUGH:
            why = "the few are more changeable than the others, so their own spread is used"
    else:
        why = "too few to show a spread of their own, so what places drift by themselves is taken from all"
    account |= {
        "procedure": "own-spread" if own else "random-effects",
        "reason": f"{n1} pilot and {number_of(n0, 'comparison', noun)}: {why}",
        "seed": choice.seed,
        "prior": {"on": "drift", "kind": "half-normal", "scale": PRIOR_SCALE},
        "drift": float(np.sqrt(tau2[0])),
        "noise": kappa,
        **disagreement(contributions, float(tau2[0])),
        **second_opinion(expected, sets, contributions, float(tau2[0]), kappa, choice),
    }
    if few < ENOUGH:
        account["breakdown_ratio"] = breakdown(contributions, uncertainty, float(tau2[0]), level)
    warnings = _warnings(account, places, flag, noun)
    return replace(rule, name=name, account=account, warnings=warnings)


def heard(contributions: Contributions) -> tuple[int, int, int]:
    """Pilot and comparison places that say something of the main effect, and places that do not.

    A place without an event in the cells without the pilot is in the sums and says nothing of their spread.
    """
    there = contributions.size[0] > 0
    pilot = contributions.pilot
    n1, n0 = int((there & contributions.own[0]).sum()), int((there & ~pilot).sum())
    return n1, n0, len(pilot) - n1 - n0


def number_of(number: int, kind: str, noun: str) -> str:
    """ "4 comparison places", "1 comparison place"."""
    return f"{number} {kind} {noun[:-1] if number == 1 else noun}"


def _refused(account: Mapping[str, Any], noun: str) -> str | None:
    if account["n0"] < FEWEST_COMPARISON:
        return (
            f"No p-value or likely range can be had: {number_of(account['n0'], 'comparison', noun)}, and at "
            f"least {FEWEST_COMPARISON} are needed. {OTHERWISE}"
        )
    before, after = account["events_before"], account["events_after"]
    if min(before, after) < FEWEST_EVENTS:
        return f"There were {before:,.0f} before and {after:,.0f} after: too few to judge."
    return None


def _asked(
    choice: CR1 | QuasiPoisson,
    account: dict[str, Any],
    contributions: Contributions,
    spread: Array,
    dispersion: float,
    noun: str,
) -> Rule:
    kind = "cr1" if isinstance(choice, CR1) else "quasi-poisson"
    name = {
        "cr1": f"spread of {noun} about the model (CR1), one degree of freedom less than there are {noun}",
        "quasi-poisson": "Poisson variance times the dispersion (quasi-Poisson)",
    }[kind]
    warning = {
        "cr1": "CR1 finds effects that are not there in 60% to 84% of data sets with one pilot place of 30, "
        "and in 8% to 13% with six (nominal 5%). Compare Auto().",
        "quasi-poisson": "Quasi-Poisson errors take the months of a place as separate evidence: in real "
        "attendances they found effects that are not there in 5% to 20% of placebo pilots. Compare Auto().",
    }[kind]
    found = Rule(kind, spread, False, ENOUGH, dispersion, name, {}, (), None)
    df = float(found.uncertainty(contributions)[0].df[0])
    account |= {"procedure": kind, "reason": "asked for", "df": df, "seed": 1}
    warnings = (warning,) if min(account["n1"], account["n0"]) < 10 or kind != "cr1" else ()
    return Rule(kind, spread, False, ENOUGH, dispersion, name, account, warnings, None)


def _warnings(account: Mapping[str, Any], places: Places, flag: Flag, noun: str) -> tuple[str, ...]:
    said = []
    n1, n0 = account["n1"], account["n0"]
    if flag.raised:
        which = "pilot" if n1 <= n0 else "comparison"
        said.append(
            f"Before the pilot the {which} {noun} varied about their expected course {flag.ratio:.1f} times "
            f"as much (in variance) as the others, for their size; the range allows for it as far as it can."
        )
    if n1 == 1 and n0 < WEAK_BELOW:
        said.append(
            f"Weak: one pilot {noun[:-1]} and {number_of(n0, 'comparison', noun)}, so the range "
            f"leans on those {n0} alone."
        )
    if min(n1, n0) < ENOUGH and places.periods_before < FEWEST_PERIODS_FOR_FLAG:
        number = f"{places.periods_before} period{'s' if places.periods_before > 1 else ''}"
        said.append(
            f"With {number} before the pilot nobody can see whether the pilot was as steady as the others; "
            "the range supposes it."
        )
    return tuple(said)


def _pilot_events(counts: Counts, free: Array) -> float:
    """Events in pilot places before the pilot, unweighted."""
    over = np.where(counts.weights > 0, counts.y / np.where(counts.weights > 0, counts.weights, 1.0), 0.0)
    return float(over[free & ~counts.never[:, None]].sum())


def places_before(expected: Expected, noun: str) -> tuple[Places, float]:
    """People in each place, its variance before the pilot over what its size makes likely, and kappa."""
    counts = expected.counts
    free = expected.free & counts.seen
    first = free[~counts.never].any(axis=0)
    cells = free & first
    y, mean = (sum_by(np.where(cells, v, 0.0).T, counts.places).T for v in (counts.y, expected.mean))
    noise = sum_by(np.where(cells, counts.weights * expected.mean, 0.0).T, counts.places).T
    there = mean > 0
    pearson = np.where(there, (y - mean) ** 2 / np.where(there, noise, 1.0), 0.0)
    periods = there.sum(axis=1)
    df = np.maximum(periods - 1.0, 1.0)
    variance = np.where(periods > 1, pearson.sum(axis=1) / df, np.nan)
    size = np.where(there, mean**2 / np.where(there, noise, 1.0), 0.0).sum(axis=1) / np.maximum(periods, 1)
    known = ~counts.place_pilot & np.isfinite(variance)
    kappa, slope = _noise(expected, known)
    people = np.where(counts.weights > 0, counts.people / np.where(counts.weights > 0, counts.weights, 1), 0)
    seen = np.maximum(counts.seen.sum(axis=1), 1)
    sizes = np.bincount(counts.places, people.sum(axis=1) / seen)
    found = Places(
        pilot=counts.place_pilot,
        sizes=np.maximum(sizes, 1e-300),
        before=variance / (kappa + slope * size),
        periods_before=int(cells[~counts.never].any(axis=0).sum()),
        noun=noun,
    )
    return found, kappa


def _noise(expected: Expected, known: Array) -> tuple[float, float]:
    """Kappa and sigma squared of the module: least squares over comparison places, kappa 1 or more.

    ``known`` (n_places,) marks those places that were seen in two periods or more.
    """
    counts = expected.counts
    free = expected.free & counts.seen
    y, mean, noise = (
        sum_by(np.where(free, v, 0.0).T, counts.places).T[known]
        for v in (counts.y, expected.mean, counts.weights * expected.mean)
    )
    there = mean > 0
    periods = there.sum(axis=1)
    use = periods > 2
    if not use.any():
        return 1.0, 0.0
    safe = np.where(there, noise, 1.0)
    df = periods[use] - 1.0
    variance = np.where(there, (y - mean) ** 2 / safe, 0.0).sum(axis=1)[use] / df
    size = np.where(there, mean**2 / safe, 0.0).sum(axis=1)[use] / periods[use]
    slope = max(0.0, float((df * (variance - 1)).sum() / max((df * size).sum(), 1e-300)))
    weight = df / (1 + slope * size) ** 2
    middle = np.average(size, weights=weight)
    across = float((weight * (size - middle) ** 2).sum())
    if len(size) < FEWEST_COMPARISON or across <= 1e-3 * float((weight * middle**2).sum()):
        return 1.0, slope  # places of one size cannot tell the two apart
    steep = float((weight * (size - middle) * variance).sum()) / across
    kappa = float(np.average(variance, weights=weight)) - steep * float(middle)
    if steep < 0:
        return max(1.0, float(np.average(variance, weights=weight))), 0.0
    return (kappa, steep) if kappa > 1 else (1.0, slope)


def spread_alone(contributions: Contributions, fewest: int) -> Uncertainty:
    """Own spread, all places supposed to drift alike for the degrees of freedom; ``nan`` with too few."""
    weights = np.zeros((len(contributions.estimate), len(GRID)))
    weights[:, len(GRID) // 2] = 1.0
    error, df = own_spread(contributions, weights)
    good = (contributions.number_own >= fewest) & (error > 0) & np.isfinite(df)
    error, df = np.where(good, error, np.nan), np.where(good, df, np.nan)
    return Uncertainty(np.ones((len(error), 1)), error[:, None], error, df)
