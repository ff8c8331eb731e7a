r"""What a matched cohort refuses, and what needs care, before an outcome is compared.

**Immortal time.** Where the clock of the pilot people starts at discharge and the service began :math:`d_i`
days later, nothing that shuts a person out of the service can have happened to them in those days; whoever it
did happen to stayed among the comparison people. With one hazard on each of the :math:`t_i` days at risk a
service that does nothing would show a ratio of rates of

.. math:: R_0 = \frac{1 - D / T_1}{1 + D / T_0}, \quad
          D = \sum_{i \in 1} \min(d_i, t_i), \; T_1 = \sum_{i \in 1} t_i, \; T_0 = \sum_{i \in 0} t_i ,

since the days D, in which pilot people could have no event, belong to the time without the service [1]_. It
is lower still where events come thickest at first, as readmissions do. There is no repair after the fact, so
the design is refused.

References
----------
.. [1] Suissa, S. (2008). Immortal time bias in pharmacoepidemiology. *American Journal of Epidemiology*
   167(4), 492-499.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.methods.cohort_findings import many_to_one, nothing_named, number_findings
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.matched_cohort_effects import COUNTS, LINEAR
from ucimpact.methods.matched_cohort_rules import Rules


def clock_findings(cohort: Cohort, outcome: str) -> list[Finding]:
    """Whether the service began on the day on which the clock started."""
    delay = delay_of(cohort, outcome)
    if delay is None:
        return []
    found = []
    if late := delay["after"]:
        text = (
            f"the service began after the clock had started for {late:,} of {delay['known']:,} pilot people, "
            f"{delay['mean']:.1f} days later on average over all of them. Nothing that bars a person from "
            "the service can have happened to them in those days, though it could to the comparison people. "
            "This is immortal time"
        )
        if delay["ratio"] is not None:
            text += (
                f": a service that does nothing would show a ratio of about {delay['ratio']:.2f} in these "
                "data, and a lower one where events come thickest in the first days"
            )
        if delay["events_per_100"] is not None:
            rate = delay["events_per_100"]
            text += f". In as many days 100 comparison people had {rate:.1f} of `{outcome}` on average"
        way_out = (
            "Start everybody's clock on the day on which the service began, with comparison people who were "
            "still free of the event on that same day after their own index date. Or, where people were "
            "given the service on the index date whether or not it ever reached them, count all of them as "
            "pilot and leave service_start out"
        )
        found.append(Finding("refuse", text, way_out))
    if early := delay["before"]:
        found.append(
            Finding(
                "warn",
                f"the service had begun before the clock started for {early:,} of {delay['known']:,} pilot "
                "people: what it did before is not counted, and those whom it lost early are not here",
                "Take the day on which the service began as the index date",
            )
        )
    return found


def delay_of(cohort: Cohort, outcome: str) -> dict[str, Any] | None:
    """Days from the index date to the service, and the ratio that a service without effect would show."""
    days = cohort.delay
    if days is None:
        return None
    known = np.isfinite(days)
    late = np.where(known, np.maximum(days, 0.0), 0.0)
    pilot, others = cohort.is_pilot, ~cohort.is_pilot
    ratio = rate = None
    if cohort.horizon is not None and known.any() and others.any():
        risk = np.full(len(pilot), cohort.horizon) if cohort.days is None else cohort.days
        immortal = float(np.minimum(late, risk[pilot])[known].sum())
        ratio = (1 - immortal / float(risk[pilot][known].sum())) / (1 + immortal / float(risk[others].sum()))
        events = cohort.values(outcome)[others]
        seen = np.isfinite(events)
        if seen.any() and (events[seen] >= 0).all():
            rate = float(events[seen].sum() / risk[others][seen].sum() * late[known].mean() * 100)
    return {
        "known": int(known.sum()),
        "unknown": int((~known).sum()),
        "after": int((days[known] > 0).sum()),
        "before": int((days[known] < 0).sum()),
        "mean": float(late[known].mean()) if known.any() else None,
        "ratio": ratio,
        "events_per_100": rate,
    }


def group_findings(cohort: Cohort) -> list[Finding]:
    """Whether there is anybody to compare."""
    pilot = int(cohort.is_pilot.sum())
    if pilot == len(cohort.table):
        return [
            Finding(
                "refuse",
                "everybody in these data had the service, so there is nobody to compare them with",
                "Bring people who had not, or use before-after, which says what may be said without them",
            )
        ]
    if not pilot:
        return [Finding("refuse", "nobody in these data had the service", "Mark those who had with 1")]
    return []


def column_findings(
    cohort: Cohort, covariates: Sequence[str], distance: str | None, kinds: Sequence[str]
) -> list[Finding]:
    """Whether the columns named to match on can be matched on."""
    found = []
    later = {
        cohort.follow_up: "was only known when follow-up ended",
        cohort.pilot: "says who had the service",
        cohort.service_start: "was not known at the index date",
        cohort.person: "tells people apart",
    }
    for name in dict.fromkeys((*covariates, *([distance] if distance else []), *kinds)):
        if name in later:
            found.append(Finding("refuse", f"`{name}` {later[name]}, so nobody can be matched on it"))
    for name in (*covariates, *([distance] if distance else [])):
        if name in later:
            continue
        found += number_findings(name, cohort.values, cohort.table.columns, "match on it exactly")
    for name in kinds:
        cohort.codes(name)  # an absent column is told with those that there are
    return found


def matching_findings(rules: Rules, recurs: bool = False) -> list[Finding]:
    """Whether the rules of the matching match anything."""
    found = []
    if not (rules.covariates or rules.exact or rules.column):
        way_out = "Name covariates (age, use of care before the index date), or kinds under exact"
        return [nothing_named("on which people", way_out)]
    if rules.distance in ("mahalanobis", "robust-mahalanobis") and not rules.covariates:
        found.append(Finding("refuse", f"distance {rules.distance} needs covariates", "Name them"))
    if rules.learner is not None and not rules.covariates:
        found.append(Finding("refuse", "a learner of the score needs covariates", "Name them"))
    if rules.matching == "subclass" and (not (rules.covariates or rules.column) or _mahalanobis(rules)):
        text = "subclasses are cut by a score, and there is none"
        found.append(Finding("refuse", text, 'Name covariates, with distance = "logit" or a column'))
    if rules.matching == "nearest" and rules.max_ratio is not None and _mahalanobis(rules):
        text = "how many comparison people each pilot person gets follows from a score, and there is none"
        found.append(Finding("refuse", text, 'Use distance = "logit", or one ratio for all'))
    if recurs and not rules.by_pairs:
        text = f'people recur, and a set of matching = "{rules.matching}" may hold somebody on both sides'
        found.append(Finding("refuse", text, 'Use matching = "nearest", "optimal" or "full"'))
    if rules.by_pairs and rules.caliper is None and not rules.calipers and (rules.covariates or rules.column):
        found.append(
            Finding(
                "warn",
                "there is no caliper, so people are matched however unlike they are, and where the groups "
                "are of one size nothing is adjusted for at all",
                "Compare caliper = 0.2",
            )
        )
    return [*found, *many_to_one(rules.ratio, "people are sought for each pilot person")]


def _mahalanobis(rules: Rules) -> bool:
    return rules.distance in ("mahalanobis", "robust-mahalanobis")


def outcome_findings(cohort: Cohort, outcome: str, family: str) -> list[Finding]:
    """Whether the outcome can be analysed by the family."""
    y = cohort.values(outcome)
    known = np.isfinite(y)
    if not known[cohort.is_pilot].any() or not known[~cohort.is_pilot].any():
        return [
            Finding(
                "refuse", f"`{outcome}` is empty for one of the two groups", "Bring the same records for both"
            )
        ]
    below, none = int((y[known] < 0).sum()), int((y[known] == 0).sum())
    if family not in LINEAR and below:
        return [
            Finding(
                "refuse",
                f"family {family} needs amounts of at least 0, and {below:,} of `{outcome}` are below",
                'Use family = "gaussian"',
            )
        ]
    if family == "gamma" and none:
        return [
            Finding(
                "refuse",
                f"family gamma needs amounts above 0, and {none:,} of `{outcome}` are 0",
                'Use family = "two-part", which asks first whether there is any',
            )
        ]
    if family == "two-part" and not none:
        return [
            Finding(
                "refuse",
                f"family two-part asks whether there is any `{outcome}`, and everybody has some",
                'Use family = "gamma"',
            )
        ]
    if family in (*COUNTS, "two-part"):
        for group, name in ((cohort.is_pilot, "pilot"), (~cohort.is_pilot, "comparison")):
            if not (y[known & group] > 0).any():
                return [
                    Finding(
                        "refuse",
                        f"none of the {name} people has any `{outcome}`, so no ratio can be had",
                        "Follow people for longer, or take an outcome that happens more often",
                    )
                ]
    return []
