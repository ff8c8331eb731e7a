"""The sets of each kind of matching, and their audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.inference.by_stratum import nearest_by_stratum
from ucimpact.inference.coarsened import coarsened, cut_points, sturges
from ucimpact.inference.full_matching import full
from ucimpact.inference.grouped_sets import Groups, audit_groups
from ucimpact.inference.matched_sets import Calipers, Sets, audit
from ucimpact.inference.optimal_pairing import optimal
from ucimpact.inference.pairing import nearest, wanted_by_score
from ucimpact.inference.subclasses import score_cuts, subclasses
from ucimpact.methods.matched_cohort_rules import Rules

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class People:
    """Everybody who can be matched, and by what.

    Attributes
    ----------
    treated : array (n,) of bool
    strata : array (n,) of int or None
    forbid : sequence of array (n,)
    x : array (n, k)
        The covariates, in the order of the rules.
    distance : array (n,) or None
    covariates, inverse_cov : arrays or None
        Of Mahalanobis distance.
    caliper : float or None
    calipers : sequence of (array (n,), float)
    """

    treated: Array
    strata: Array | None
    forbid: Sequence[Array]
    x: Array
    distance: Array | None
    covariates: Array | None
    inverse_cov: Array | None
    caliper: float | None
    calipers: Calipers


def sets_of(rules: Rules, people: People) -> tuple[Sets | Groups, dict[str, int]]:
    """The sets that the rules ask for, and what was checked of them again.

    Raises
    ------
    EstimationError
        Where they are too many to be matched so, or the audit finds a broken rule.
    """
    if rules.matching == "cem":
        return _cells(rules, people)
    if rules.matching == "subclass":
        return _subclasses(rules, people)
    if rules.matching == "full":
        return _full(rules, people)
    return _pairs(rules, people)


def _pairs(rules: Rules, people: People) -> tuple[Sets, dict[str, int]]:
    kept: dict[str, Any] = {
        "strata": people.strata,
        "forbid": people.forbid,
        "caliper": people.caliper,
        "calipers": people.calipers,
    }
    near: dict[str, Any] = {"covariates": people.covariates, "inverse_cov": people.inverse_cov}
    if rules.matching == "optimal":
        ratio = int(rules.ratio)
        found = optimal(people.distance, people.treated, ratio=ratio, **kept, **near)
        return found, audit(found, people.distance, people.treated, ratio=ratio, **kept)
    wanted = _wanted(rules, people)
    ratio = int(rules.ratio) if wanted is None else int(wanted.max(initial=1))
    most: dict[str, Any] = {"replace": rules.replace, "reuse_max": rules.reuse_max}
    turns: dict[str, Any] = {"order": rules.order, "seed": rules.seed}
    if rules.workers > 1 and people.strata is not None and wanted is None:
        found = nearest_by_stratum(
            people.distance,
            people.treated,
            workers=rules.workers,
            ratio=ratio,
            **kept,
            **near,
            **most,
            **turns,
        )
    else:
        found = nearest(
            people.distance,
            people.treated,
            ratio=ratio,
            wanted=wanted,
            **kept,
            **near,
            **most,
            **turns,
        )
    checked = audit(
        found,
        people.distance,
        people.treated,
        ratio=ratio,
        wanted=wanted,
        **kept,
        **most,
    )
    return found, checked


def _wanted(rules: Rules, people: People) -> Array | None:
    """How many comparison people each pilot person should have, where that varies."""
    if rules.max_ratio is None or people.distance is None:
        return None
    fewest = 1 if rules.min_ratio is None else int(rules.min_ratio)
    return wanted_by_score(people.distance, people.treated, rules.ratio, fewest, int(rules.max_ratio))


def _full(rules: Rules, people: People) -> tuple[Groups, dict[str, int]]:
    kept: dict[str, Any] = {
        "strata": people.strata,
        "forbid": people.forbid,
        "caliper": people.caliper,
        "calipers": people.calipers,
        "fewest": 0.0 if rules.min_ratio is None else _whole_share(rules.min_ratio),
        "most": np.inf if rules.max_ratio is None else float(int(rules.max_ratio)),
    }
    found = full(
        people.distance,
        people.treated,
        covariates=people.covariates,
        inverse_cov=people.inverse_cov,
        **kept,
    )
    return found, audit_groups(found, people.treated, distance=people.distance, stars=True, **kept)


def _whole_share(fewest: float) -> float:
    """One over the whole number of pilot people who may share a comparison person."""
    return 1 / int(1 / fewest + 1e-9)


def _cells(rules: Rules, people: People) -> tuple[Groups, dict[str, int]]:
    named = {bins.column: bins for bins in rules.bins}
    columns = [people.x[:, place].astype(float) for place in range(people.x.shape[1])]
    cuts = []
    for name, column in zip(rules.covariates, columns, strict=True):
        bins = named.get(name)
        if bins is not None and bins.at:
            cuts.append(np.array(bins.at))
        else:
            number = sturges(len(column)) if bins is None or bins.number is None else bins.number
            cuts.append(cut_points(column, number))
    found = coarsened(columns, cuts, people.treated, people.strata)
    cells = list(zip(columns, cuts, strict=True))
    return found, audit_groups(found, people.treated, strata=people.strata, cells=cells)


def _subclasses(rules: Rules, people: People) -> tuple[Groups, dict[str, int]]:
    assert people.distance is not None
    cuts = score_cuts(people.distance, people.treated, rules.subclasses)
    found = subclasses(people.distance, people.treated, cuts, people.strata)
    cells = [(people.distance, cuts)]
    return found, audit_groups(found, people.treated, strata=people.strata, cells=cells)
