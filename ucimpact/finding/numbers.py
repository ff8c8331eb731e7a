"""The numbers of the answer, and what they allow to be claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.data.cohort import Cohort
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.diagnostics.check import Check
from ucimpact.estimate import Estimate
from ucimpact.finding.units import Units, ran, unit_noun
from ucimpact.finding.worthwhile import worthwhile_of
from ucimpact.inference.few_clusters import FEWEST_COMPARISON
from ucimpact.inference.power import HALF_RANGE, Precision
from ucimpact.study import Outcome, Study
from ucimpact.words.refusals import NO_RANGE_GIVEN

OF_PEOPLE = "among those analysed"
"""Whose total it is where a row is a person."""


def finding(
    study: Study,
    outcome: Outcome,
    data: Panel | Series | Cohort,
    estimate: Estimate,
    units: Units,
    checks: Sequence[Check],
) -> dict[str, Any]:
    """The numbers of the answer as plain values; :func:`phrase` adds the sentences."""
    shown = units.of(estimate)
    w = worthwhile_of(study, outcome, data, units)
    rule = estimate.extras.get("rule") or {}
    barred = _too_few(estimate, outcome) or _below_nothing(units)
    if barred:
        shown = {**shown, "lo": None, "hi": None}
    limits = (shown["est"], shown["lo"], shown["hi"])
    reason, way_out = _refusal(estimate) if None in limits and not barred else ("", "")
    counts = data.counts()
    n1, n0 = _places(rule, counts) if compared(estimate) else (estimate.counts.get("pilot_units"), None)
    one_place = n1 in (1, None)
    if isinstance(data, Cohort):
        one_place = pilot_groups(data) in (1, None)
    confounded = any(check.answer == "fails" and check.name == "season" for check in checks)
    return {
        "outcome": mid_sentence(outcome.label),
        "label": outcome.label,
        "column": outcome.column,
        "kind": outcome.kind,
        "better": outcome.better,
        "proxy": outcome.proxy,
        "subject": study.subject,
        "plural": study.plural,
        "people": study.people
        if outcome.kind != "binary" or isinstance(data, Cohort)
        else units.per.removeprefix("per 100 "),
        "base": units.base,
        "per": units.per,
        "when": units.when,
        "time": OF_PEOPLE if isinstance(data, Cohort) else _time(estimate),
        "chart_per": units.chart_per,
        "scale": estimate.scale,
        **shown,
        "found_se": _found_se(shown),
        "w": w,
        "expected": units.expected,
        "observed": units.observed,
        "observed_events": units.observed_events,
        "claim": _claim(limits, w, outcome.better),
        "refused": barred or reason or None,
        "way_out": way_out,
        "alone": bool(reason) and shown["est"] is not None,
        "key_fail": any(c.answer == "fails" and c.name in words.QUESTIONS for c in checks),
        "confounded": confounded,
        "percent": None if barred else percent_of(estimate),
        "avoided": None if barred else _avoided(estimate, outcome),
        "naive": _naive(estimate) if confounded else None,
        "procedure": estimate.draws_from,
        "interval_note": None
        if None in limits or estimate.method == "before-after"
        else words.procedure_note(
            _procedure(estimate), "month" if isinstance(data, Cohort) else data.frequency.noun
        ),
        "p_value": known(estimate.headline["p_value"]),
        "smallest_p": known(rule.get("smallest_p")),
        "breakdown": known(rule.get("breakdown_ratio")),
        "n1": n1,
        "n0": n0,
        "starts": _starts(study, data, estimate),
        "one_place": one_place,
    }


def _starts(study: Study, data: Panel | Series | Cohort, estimate: Estimate) -> dict[str, Any] | None:
    """When the units started that were analysed; None where they all did at once."""
    told = list(estimate.extras.get("starts") or ())
    if not isinstance(data, Panel) or len(told) < 2:
        return None
    return {
        "first": told[0]["label"],
        "last": told[-1]["label"],
        "times": len(told),
        "units": sum(row["units"] for row in told),
        "plural": words.plural_of(unit_noun(study)),
    }


def pilot_groups(data: Cohort) -> int | None:
    """The number of groups, such as teams or towns, that those with the service belong to."""
    if data.clusters is None:
        return None
    return len(np.unique(data.clusters[data.is_pilot]))


def compared(estimate: Estimate) -> bool:
    """Whether something without the pilot stands beside it, or sites are held against their own past."""
    return bool(estimate.extras.get("compared", True))


def _places(rule: Mapping[str, Any], counts: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Pilot and comparison places that were analysed; None for a series and for people."""
    if "pilot_places" not in counts:
        return None, None
    if rule.get("n1") is not None:
        return int(rule["n1"]), int(rule["n0"])
    return counts["pilot_places"], counts["places"] - counts["pilot_places"]


def _too_few(estimate: Estimate, outcome: Outcome) -> str | None:
    """The plain sentence where too few events were seen to judge, without the numbers themselves.

    A comparison that saw next to nothing is as little use as a pilot that did: its path is flat whatever
    happened.
    """
    frame = estimate.counterfactual
    if outcome.kind in ("count", "binary") and "events_pilot" in estimate.counts:
        for name, where in (("events_pilot", ""), ("events_comparison", " in the comparison")):
            if (estimate.counts.get(name) or 0) < words.FEWEST_EVENTS:
                return f"there were fewer than {words.FEWEST_EVENTS}{where}, too few to judge"
        return None
    if outcome.kind != "count" or frame is None or "events" not in frame:
        return None
    after = (frame["since"] >= 0).to_numpy()
    beside = [row.get("events", np.nan) for row in estimate.extras.get("comparison") or ()]
    groups = [("", frame["events"].to_numpy(dtype=float))]
    if len(beside) == len(frame):
        groups.append((" in the comparison", np.asarray(beside, dtype=float)))
    for where, events in groups:
        for when, part in (("after", after), ("before", ~after)):
            if np.nansum(events[part]) < words.FEWEST_EVENTS:
                return (
                    f"there were fewer than {words.FEWEST_EVENTS}{where} {when} the start, too few to judge"
                )
    return None


def _below_nothing(units: Units) -> str | None:
    """Where the path without the pilot runs below 0, no number can be made of it."""
    if units.expected is None or units.observed is None or units.observed < 0 or units.expected >= 0:
        return None
    return "the number expected without the pilot comes out below 0, which cannot be"


PROCEDURES = {
    **dict.fromkeys(("pooled-t", "conley-taber"), "t"),
    **dict.fromkeys(("size-model-t", "ferman-pinto"), "size-model"),
    "random-effects": "random-effects",
    **dict.fromkeys(("analytic", "multiplier", "cr1", "cr3", "quasipoisson", "quasi-poisson"), "asked-for"),
}
"""The note on likely ranges for each procedure of the rule; own spread where it is not named."""


def _procedure(estimate: Estimate) -> str:
    """Which of the notes on likely ranges belongs to this one."""
    if estimate.method == "matched-cohort":
        return "sets"
    if estimate.method in ("weighted-cohort", "doubly-robust-cohort", "sequential-trials"):
        return "people"
    if estimate.method == "structural":
        return "posterior"
    if estimate.method == "multi-site-its":
        return "sites"
    if estimate.method in ("its", "count-its", "controlled-its"):
        route = estimate.extras["route"]["average"]
        averaged = dict.fromkeys(("second-order", "rho-averaged", "mixture"), "mixture")
        named = {**averaged, "kenward-roger": "kenward-roger"}
        return named.get(route, "kenward-roger" if route.startswith("arma") else "t")
    code = str((estimate.extras.get("rule") or {}).get("procedure", "own-spread"))
    if code.endswith("+permutation"):
        return "union"
    if code.startswith("randomisation"):
        return "permutation"
    return PROCEDURES.get(code, "own-spread")


def _claim(limits: tuple[float | None, ...], w: float | None, better: str) -> str | None:
    est, lo, hi = limits
    if est is None or lo is None or hi is None:
        return None
    return words.claim(est, lo, hi, w, better)


def _refusal(estimate: Estimate) -> tuple[str, str]:
    """Why there is no likely range, as the rule or the first warning says it, and what would give one."""
    rule = estimate.extras.get("rule") or {}
    told = rule.get("refused") or rule.get("reason") or next(iter(estimate.warnings), None)
    told = str(told or "the analysis gave none")
    for prefix in (words.NO_RANGE, NO_RANGE_GIVEN):
        told = told.removeprefix(prefix)
    reason, _, rest = told.partition(". ")
    if rule.get("n0", np.inf) < FEWEST_COMPARISON:
        reason = words.few_comparison_reason(rule["n0"])
    reason = reason.removesuffix(words.NONE_GIVEN)
    first = reason[:1].upper() if reason[1:2].isupper() else reason[:1].lower()
    return f"{first}{reason[1:].rstrip('.')}", rest


def mid_sentence(label: str) -> str:
    """A label as it stands inside a sentence: "Emergency admissions" but "A&E attendances"."""
    first = label.split(" ", 1)[0]
    return label if first[1:] != first[1:].lower() else label[:1].lower() + label[1:]


def _found_se(shown: Mapping[str, float | None]) -> float | None:
    """The standard error at which 2.8 of them is what this evaluation could have found.

    An effect is found four times in five at half the range (whatever procedure gave it) plus 0.84
    standard errors; with a normal interval that is 1.96 + 0.84 = 2.8 of them.
    """
    if shown["lo"] is None or shown["hi"] is None:
        return None
    half = (shown["hi"] - shown["lo"]) / 2
    se = shown["se"] if shown["se"] is not None else half / HALF_RANGE
    return Precision(se, half).findable() / words.POWER


def _naive(estimate: Estimate) -> float | None:
    """What a line through a single series would claim at its end, as a share of what it expects there."""
    frame = estimate.counterfactual
    if estimate.method != "its" or frame is None:
        return None
    terms = set(estimate.effects["term"]) & {"level_change", "slope_change"}
    found = {term: float(estimate.effect(term)["estimate"]) for term in terms}
    if not found:
        return None
    after = frame[(frame["since"] >= 0) & frame["used"].astype(bool)]
    if "running" in after:
        after = after[after["running"].astype(bool)]
    run = float(after["since"].iloc[-1] - after["since"].iloc[0])
    effect = found.get("level_change", 0.0) + found.get("slope_change", 0.0) * run
    expected = float(after["expected"].iloc[-1])
    return effect / expected if expected > 0 else None


def _time(estimate: Estimate) -> str:
    """Over what an effect is added up: the pilot so far, or the part of it that was analysed."""
    frame = estimate.counterfactual
    if frame is None or "used" not in frame:
        return words.SO_FAR
    if when := ran(estimate):
        return when
    after = frame[frame["since"] >= 0]
    used = int(after["used"].astype(bool).sum())
    if used == len(after):
        return words.SO_FAR
    return f"over {used} of the pilot’s {len(after)} {estimate.extras.get('noun', 'period')}s"


def known(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def percent_of(estimate: Estimate) -> dict[str, float] | None:
    """The effect as a ratio of what was expected."""
    if "relative" not in set(estimate.effects["term"]):
        return None
    row = estimate.effect("relative")
    found = {"ratio": 1 + row["estimate"], "lo": 1 + row["conf_low"], "hi": 1 + row["conf_high"]}
    return {k: float(v) for k, v in found.items()} if all(map(np.isfinite, found.values())) else None


def _avoided(estimate: Estimate, outcome: Outcome) -> dict[str, float] | None:
    """Events avoided over the pilot, positive = fewer; None for ratios and for what is not counted."""
    if outcome.kind not in ("count", "binary") or outcome.each or estimate.scale == "log":
        return None
    if outcome.kind == "binary" and "events_pilot" not in estimate.counts:
        return None
    row = estimate.avoided()
    found = {"est": -row["estimate"], "lo": -row["conf_high"], "hi": -row["conf_low"]}
    return {k: float(v) for k, v in found.items()} if all(map(np.isfinite, found.values())) else None
