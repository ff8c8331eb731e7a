"""Procedures that may be asked for by name, beside the rule: what each needs, and where each goes wrong.

The numbers are false positives at a nominal 5% measured with Gaussian months, AR(1) 0.5, and units of one
size (``docs/few_clusters.md``, ``benchmarks/few_places.py``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ucimpact.inference.conley_taber import ConleyTaber
from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.covariance import CR1, CR2, CR3
from ucimpact.inference.ferman_pinto import FermanPinto, Rescaled
from ucimpact.inference.few_clusters import (
    ENOUGH,
    FEWEST_COMPARISON,
    NO_FLAG,
    Chosen,
    Places,
    account_of,
    flag_of,
)
from ucimpact.inference.ibragimov_muller import IbragimovMuller
from ucimpact.inference.permutation_of_t import Randomisation
from ucimpact.inference.randomisation import number_of_choices, smallest_p
from ucimpact.inference.two_groups import Inferred, Procedure, Robust
from ucimpact.inference.wild import WildBootstrap, smallest_wild_p

Array = np.ndarray
Named = CR1 | CR2 | CR3 | WildBootstrap | ConleyTaber | FermanPinto | IbragimovMuller | Randomisation
CHANCE = (
    "measured false positives at a nominal 5% are 70%, 28%, 18% and 8% with 1, 2, 3 and 6 pilot units of 30"
)
MANY = 100
"""Comparison places from which Conley and Taber's test holds its false positives."""

WORDS = {
    "CR1": "CR1 variance with one degree of freedom less than there are places",
    "CR2": "CR2 variance with Bell-McCaffrey degrees of freedom",
    "CR3": "CR3 (jackknife) variance with Satterthwaite degrees of freedom",
    "WildBootstrap": "wild cluster bootstrap with the null imposed",
    "ConleyTaber": "Conley and Taber's test: what comparison places do by themselves",
    "FermanPinto": "Ferman and Pinto's test: deviations of all places, rescaled by list size",
    "IbragimovMuller": "Ibragimov and Muller's two-sample t",
}
CODES = {
    "WildBootstrap": "wild-bootstrap",
    "ConleyTaber": "conley-taber",
    "FermanPinto": "ferman-pinto",
    "IbragimovMuller": "ibragimov-muller",
}


def by_place(cov: Named) -> bool:
    """Whether it works on one number a place, so that a place has the pilot or has it not."""
    return not isinstance(cov, CR1 | CR2 | CR3 | WildBootstrap)


def hindrance(cov: Named, n1: int, n0: int, level: float) -> tuple[str, str] | None:
    """Why it cannot work with so many pilot and comparison places, and the way out; None where it can."""
    name, few = type(cov).__name__, min(n1, n0)
    which = "pilot" if n1 <= n0 else "comparison"
    if few == 1 and isinstance(cov, CR1 | CR2 | CR3):
        return (
            f"{name} needs two {which} places or more: the residual of a lone one is 0 by arithmetic, so its "
            "interval would be far too narrow",
            "Use cov=Auto()",
        )
    if few == 1 and isinstance(cov, IbragimovMuller):
        return (
            f"{name} needs two {which} places or more: a lone one shows no spread of its own",
            "Use cov=Auto()",
        )
    if few == 1 and isinstance(cov, Randomisation) and cov.statistic == "t":
        return (
            f"a t cannot be worked out for a lone {which} place",
            'Use cov=Randomisation(statistic="coefficient"), or Auto()',
        )
    if isinstance(cov, ConleyTaber | FermanPinto) and n0 < FEWEST_COMPARISON:
        return (
            f"{name} needs {FEWEST_COMPARISON} comparison places or more, and there are {n0}",
            "Use cov=Auto()",
        )
    least = smallest_p_of(cov, n1, n0)
    if least is not None and least > 1 - level + 1e-12:
        return (
            f"{name} with {n1} pilot and {n0} comparison places cannot give a p-value below {least:.3g}, so "
            f"there is no {level:.0%} interval",
            "Use cov=Auto(), or bring more places",
        )
    return None


def care(cov: Named, n1: int, n0: int) -> str | None:
    """Where its measured false positives or power are bad for so many places; None where they are not."""
    few = min(n1, n0)
    if isinstance(cov, ConleyTaber):
        if n0 >= MANY:
            return None
        return (
            f"with fewer than {MANY} comparison places it refuses too often: measured false positives were "
            "11% and 15% with 1 and 3 pilot places of 12, and 8%, 11% and 15% with 1, 6 and 10 of 30"
        )
    if few >= ENOUGH:
        return None
    shaky = "where pilot places are twice as changeable as others, measured false positives are"
    if isinstance(cov, CR1):
        return f"{CHANCE} for CR1"
    if isinstance(cov, WildBootstrap):
        return (
            "below four it hardly ever finds anything (measured power 0%, 0% and 15% with 1, 2 and 3 pilot "
            "units of 30, where a t has 50%), and with 4 or 5 false positives were 6% to 8%"
        )
    if isinstance(cov, Randomisation) and cov.statistic == "coefficient":
        return f"it supposes that all places are alike: {shaky} 23% to 25% with 1 to 3 of 30"
    if isinstance(cov, Randomisation):
        return f"it has less power than the rule there, and {shaky} 8% to 10%"
    if isinstance(cov, FermanPinto):
        return (
            f"it supposes that places differ by list size alone: {shaky} 24% to 32% with 1 to 3 of 30; "
            "where they are the smallest it hardly ever finds anything"
        )
    return "it has little power there"


def smallest_p_of(cov: Named, n1: int, n0: int) -> float | None:
    """The smallest p-value that the procedure can give with so many places; None where there is none."""
    if isinstance(cov, WildBootstrap):
        return smallest_wild_p(n1 + n0, cov.weights, cov.draws)
    if isinstance(cov, Randomisation):
        return smallest_p(n1, n0) if _all_choices(cov, n1, n0) else 1 / (cov.draws + 1)
    if isinstance(cov, FermanPinto):
        return 1 / (cov.draws + 1)
    if isinstance(cov, ConleyTaber):
        return 0.0 if n0**n1 <= cov.draws else 1 / (cov.draws + 1)
    return None


def chosen_by_name(cov: Named, effect: Contrasts, places: Places, level: float) -> Chosen:
    """What was asked for, with the same account as the rule gives."""
    first = effect.only(slice(1))
    flag = flag_of(places, by_size=False) if min(places.n1, places.n0) < ENOUGH else NO_FLAG
    kind = type(cov).__name__
    procedure: Procedure
    if isinstance(cov, CR1 | CR2 | CR3):
        procedure = Robust(kind)  # type: ignore[arg-type]
    elif isinstance(cov, FermanPinto):
        procedure = Ended(Rescaled(places.sizes, cov.draws, cov.seed))
    else:
        procedure = Ended(cov)
    found = procedure.infer(first, level)
    name, drawn = _described(cov, places)
    least = smallest_p_of(cov, places.n1, places.n0)
    if least:
        name = f"{name} (no p-value below {least:.2g})"
    account = account_of(first, places, flag, level) | {
        "procedure": CODES.get(kind, kind.lower()),
        "reason": "asked for",
        "df": float(found.df[0]) if np.isfinite(found.df[0]) else None,
        "procedure_smallest_p": least,
    }
    refused = None
    if np.isfinite(found.p_value[0]) and not np.isfinite(found.low[0] + found.high[0]):
        refused = (
            "No likely range can be had: with so few places this procedure refuses no effect on one side, "
            "however large. Use cov=Auto()."
        )
    warnings = () if refused is None else (refused,)
    return Chosen(procedure, name, account | drawn, warnings, refused, np.ones(len(places.pilot)))


@dataclass(frozen=True)
class Ended:
    """A procedure whose intervals without an end on some side are no intervals."""

    procedure: Procedure

    def infer(self, contrasts: Contrasts, level: float) -> Inferred:
        """As the procedure does."""
        found = self.procedure.infer(contrasts, level)
        ends = np.isfinite(found.low + found.high)
        return replace(found, low=np.where(ends, found.low, np.nan), high=np.where(ends, found.high, np.nan))


def _described(cov: Named, places: Places) -> tuple[str, dict[str, Any]]:
    """The procedure in words, and what was drawn."""
    n1, n0 = places.n1, places.n0
    if isinstance(cov, Randomisation):
        every = _all_choices(cov, n1, n0)
        number = number_of_choices(n1 + n0, min(n1, n0)) if every else cov.draws
        way = f"all {number:,} reassignments" if every else f"{number:,} reassignments at random"
        drawn = {"permutations": number, "all_permutations": every, "seed": cov.seed}
        return f"permutation of the {cov.statistic}, {way}", drawn | {
            "procedure": f"randomisation-{cov.statistic}"
        }
    name = WORDS[type(cov).__name__]
    if isinstance(cov, WildBootstrap):
        every = cov.weights == "rademacher" and 2 ** (n1 + n0) <= cov.draws
        how = (
            f"all {2 ** (n1 + n0):,} sign changes"
            if every
            else f"{cov.draws:,} draws of {cov.weights} weights"
        )
        return f"{name}, {how}", {"seed": cov.seed, "draws": 2 ** (n1 + n0) if every else cov.draws}
    if isinstance(cov, ConleyTaber | FermanPinto):
        return f"{name}, {_number_drawn(cov, n1, n0)}", {"seed": cov.seed, "draws": cov.draws}
    if isinstance(cov, IbragimovMuller):
        return f"{name} on {min(n1, n0) - 1} degrees of freedom", {}
    return name, {}


def _number_drawn(cov: ConleyTaber | FermanPinto, n1: int, n0: int) -> str:
    if isinstance(cov, ConleyTaber) and n0**n1 <= cov.draws:
        return f"all {n0**n1:,} choices"
    return f"{cov.draws:,} draws"


def _all_choices(cov: Randomisation, n1: int, n0: int) -> bool:
    return number_of_choices(n1 + n0, min(n1, n0)) <= cov.draws
