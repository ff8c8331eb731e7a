r"""What a comparison with other pilots asks of an evaluation, as plain values.

Pilots are compared on the logarithm of the rate ratio. With the ratio :math:`r` of what happened to what was
expected and its printed limits,

.. math:: b = \log r, \qquad s = \frac{\log r_{high} - \log r_{low}}{2 t}, \qquad
          s^* = s \cdot \frac{t}{1.96}

:math:`t` is the quantile of the estimate's own degrees of freedom, and :math:`s^*` the error of a normal
distribution with the same 95% range: that is what a league works with. An interval that comes of no
:math:`t` (a permutation, a posterior) has :math:`s = s^*`.

What a person would have had without the service, times what one such event is worth, is what there was to
gain. Of the comparison it says as much as pilots that share one must know: its name, its files, what each
organisation added to :math:`b`, or else the variance of its own logarithm. People are never listed.

With :math:`a` the effect, :math:`x` what was expected, so that :math:`r = (x + a) / x`, and
:math:`\phi_u` what organisation :math:`u` added to :math:`a`, it added

.. math:: \psi_u = \phi_u / x

to :math:`b` (of a comparison organisation :math:`-dx_u / x`, by the delta method). It stands as it is: the
wider error that few organisations ask for is that of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ucimpact.data.cohort import Cohort
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.economics.prices import worth_of_one
from ucimpact.economics.valuation import Valuation
from ucimpact.estimate import Estimate
from ucimpact.evaluation.people_document import analysed
from ucimpact.study import DecisionRule, Mix, Outcome, Records, Share, Study
from ucimpact.study.league_file import league_line

CRITICAL = 1.959963984540054
NOTHING = 1e-12
NO_RATIO = "it gives no ratio of what happened to what was expected, with a likely range"
BELOW_NOTHING = "the range of its ratio reaches 100% fewer, which has no logarithm"
OF_RATIOS = "its analysis is of ratios of typical values, which give no numbers of events"
ALONE = "before and after alone is no comparison"


def comparable(
    study: Study,
    outcome: Outcome,
    data: Panel | Series | Cohort,
    records: Records,
    estimate: Estimate,
    found: Mapping[str, Any],
    worth: Valuation | None,
) -> dict[str, Any]:
    """What of an evaluation stands beside those of other pilots, or why nothing does.

    Parameters
    ----------
    study, outcome : Study, Outcome
    data : Panel, Series or Cohort
        As it was analysed.
    records : Records
    estimate : Estimate
        Of the main outcome.
    found : mapping
        The numbers of the finding.
    worth : Valuation, optional
    """
    refused = refusal(estimate, found)
    return {
        "refused": refused,
        "estimand": estimand(study, outcome, data, estimate, found),
        **({} if refused else log_ratio(estimate)),
        **_worth(study, outcome, data, estimate, worth),
        "rule": _rule(study),
        "controls": _controls(study, data, records, estimate, refused=refused is not None),
    }


def refusal(estimate: Estimate, found: Mapping[str, Any]) -> str | None:
    """Why an evaluation cannot stand beside others; None where it can."""
    if found.get("design") == "before-after" or estimate.method == "before-after":
        return ALONE
    if found["key_fail"] or found["confounded"]:
        return "its comparison does not pass its checks"
    if found["refused"] is not None or found["claim"] is None:
        return f"it has no likely range: {found['refused'] or 'none could be worked out'}"
    if estimate.scale == "log":
        return OF_RATIOS
    if "relative" not in set(estimate.effects["term"]):
        return NO_RATIO
    row = estimate.effect("relative")
    limits = [float(row[name]) for name in ("estimate", "conf_low", "conf_high")]
    if not np.isfinite(limits).all():
        return NO_RATIO
    return BELOW_NOTHING if min(limits) <= -1 else None


def log_ratio(estimate: Estimate) -> dict[str, float | None]:
    """The logarithm of the ratio with its limits, its error and its degrees of freedom."""
    row = estimate.effect("relative")
    log, low, high = (float(np.log1p(row[name])) for name in ("estimate", "conf_low", "conf_high"))
    df = float(row["df"]) if np.isfinite(row["df"]) and row["df"] > 0 else None
    half = (high - low) / 2
    return {
        "log": log,
        "low": low,
        "high": high,
        "std_error": half / (CRITICAL if df is None else float(stdtrit(df, 0.975))),
        "df": df,
        "used_se": half / CRITICAL,
    }


def estimand(
    study: Study,
    outcome: Outcome,
    data: Panel | Series | Cohort,
    estimate: Estimate,
    found: Mapping[str, Any],
) -> dict[str, Any]:
    """What was measured, of whom, over how long, against what: alike in all pilots of a league."""
    over, days = _follow_up(data, estimate, outcome)
    return {
        "outcome": found["outcome"],
        "label": outcome.label,
        "kind": outcome.kind,
        "better": outcome.better,
        "contrast": estimate.estimand,
        "compared": "people"
        if isinstance(data, Cohort)
        else "places"
        if isinstance(data, Panel)
        else "months",
        "follow_up": over,
        "length": days,
        "people": study.people,
    }


def _follow_up(
    data: Panel | Series | Cohort, estimate: Estimate, outcome: Outcome
) -> tuple[str, float | None]:
    """Over how long an effect is counted, in words and as a number."""
    if outcome.each:
        return outcome.each, None
    if isinstance(data, Cohort):
        days = data.horizon
        return (f"{days:,.0f} days", float(days)) if days else ("one count for each person", None)
    periods = estimate.extras.get("after")
    if isinstance(data, Panel) and estimate.counts.get("pilot_periods"):
        periods = round(estimate.counts["pilot_periods"] / estimate.counts["pilot_units"])
    noun = data.frequency.noun
    if not periods:
        return f"a {noun}", None
    return f"{periods:,.0f} {noun}{'s' if periods != 1 else ''}", float(periods)


def _worth(
    study: Study,
    outcome: Outcome,
    data: Panel | Series | Cohort,
    estimate: Estimate,
    worth: Valuation | None,
) -> dict[str, Any]:
    """What there was to gain: events without the service for each person, the price of one, and the rest."""
    cost = None if worth is None else worth.cost
    people = cost["people"] if cost and cost["people"] else None
    among = analysed(estimate, data) if isinstance(data, Cohort) else None
    each = _expected_each(data, estimate, people)
    counted = "economic" if worth is None else worth.counted
    own = Share(share=1.0) if study.attribution is None else study.attribution.told
    others = [
        {
            "label": row["label"],
            "per_person": row[counted] * own.best / people if people else None,
        }
        for row in ([] if worth is None else worth.outcomes)
        if row["column"] != outcome.column and row.get(counted)
    ]
    unit = worth_of_one(study, outcome, counted) / own.best if worth is not None and worth.columns else 0.0
    return {
        "expected_each": each,
        "unit_value": unit or None,
        "own_share": own.best,
        "value_in_doubt": own.ranged or _mix_in_doubt(outcome, counted),
        "counted": None if worth is None else counted,
        "price_year": cost["price_year"] if cost else None,
        "people": people,
        "analysed": among,
        "others": others,
    }


def _mix_in_doubt(outcome: Outcome, column: str) -> bool:
    """Whether it is uncertain which kinds of event are avoided."""
    told = outcome.value
    mix = None if told is None or column != "economic" else told.economic
    return isinstance(mix, Mix) and any(part.share.ranged for part in mix.parts)


def _rule(study: Study) -> dict[str, Any]:
    """What the study would be made permanent by."""
    rule = study.decision or DecisionRule()
    return {
        "chance": rule.mainstream_if.chance_worth_its_cost,
        "min_certainty": rule.mainstream_if.min_certainty,
        "another_year_costs": rule.another_year_costs,
    }


def _expected_each(data: Panel | Series | Cohort, estimate: Estimate, people: float | None) -> float | None:
    """Events, or pounds, without the service for each person whom the cost is for."""
    if isinstance(data, Cohort):
        value = estimate.extras.get("expected")
        return None if value is None else float(value)
    terms = set(estimate.effects["term"])
    if people is None or not {"cumulative", "relative"} <= terms:
        return None
    total, share = (float(estimate.effect(term)["estimate"]) for term in ("cumulative", "relative"))
    if not np.isfinite([total, share]).all() or abs(share) < NOTHING:
        return None
    return total / share / people


def _controls(
    study: Study, data: Panel | Series | Cohort, records: Records, estimate: Estimate, *, refused: bool
) -> dict[str, Any]:
    """What is known of those who were compared with, for pilots that share them."""
    named = study.league
    told: dict[str, Any] = {
        "pool": None if named is None else named.controls,
        "files": [row["sha256"] for row in records.fingerprints],
        "influence": None,
        "units": None,
        "pilot_units": None,
        "until": None,
        "arm_variance": None if refused else estimate.extras.get("comparison_log_variance"),
    }
    if not isinstance(data, Panel) or not study.data.show or not (~data.pilot_units).any():
        return told
    starts = _starts(data)
    told["units"] = [str(name) for name in data.place_names if name not in starts]
    told["pilot_units"] = starts
    told["until"] = _day(data, int(data.ordinals[-1]))
    if not refused:
        told["influence"] = influence_of(estimate, data.place_names)
    return told


def _starts(data: Panel) -> dict[str, str | None]:
    """The places with the pilot, and the first day of the earliest start in each."""
    places = np.asarray(data.place_names)[data.cluster_codes]
    found: dict[str, int] = {}
    for at in np.flatnonzero(data.pilot_units):
        name, start = str(places[at]), int(data.start_ordinals[at])
        found[name] = min(start, found.get(name, start))
    return {name: _day(data, start) for name, start in found.items()}


def _day(data: Panel, ordinal: int) -> str | None:
    """The first day of a period; None where periods are plain numbers."""
    if data.frequency.kind == "number":
        return None
    return data.frequency.first_day(ordinal).isoformat()


def influence_of(estimate: Estimate, places: Sequence[str]) -> dict[str, float] | None:
    """What each place added to the logarithm of the ratio; None where the estimate does not say."""
    names, expected = estimate.sampling_units, _expected(estimate)
    if estimate.influence is None or expected is None or set(names) - {str(name) for name in places}:
        return None
    parts = np.asarray(estimate.influence[:, 0], dtype=float) / expected
    if not np.isfinite(parts).all() or not parts.any():
        return None
    return {name: float(part) for name, part in zip(names, parts, strict=True)}


def _expected(estimate: Estimate) -> float | None:
    """What was expected without the pilot, on the scale of the effect.

    Taken from the effect and its share, or where they are nothing from their limits: what was seen is in all
    three the same.
    """
    if "att" not in set(estimate.effects["term"]):
        return None
    effect, share = estimate.effect("att"), estimate.effect("relative")
    for name in ("estimate", "conf_low", "conf_high"):
        a, r = float(effect[name]), float(share[name])
        if np.isfinite([a, r]).all() and abs(r) > NOTHING:
            found = a * (1 + r) / r - float(effect["estimate"])
            return found if found > 0 else None
    return None


def line_of(study: Study) -> str | None:
    """What a league that was written says of the pilot, for its own report; None where it names none."""
    if study.league is None or study.league.result is None:
        return None
    return league_line((study.folder / study.league.result).resolve(), study.hash, study.league.name)
