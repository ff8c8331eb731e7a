"""From an estimate to the numbers a reader meets: natural units, what was expected, what it may claim.

An estimate speaks in the units of its column: admissions per 1,000 patients a month in a practice. A
reader wants "about 2 fewer per 100 people over 12 months". With ``k`` the factor between the two,

.. math:: est = k \\cdot b, \\qquad [lo, hi] = k \\cdot [b_{low}, b_{high}], \\qquad
          expected = observed - est

where ``observed`` is what the pilot saw. Four scales are used:

- **persons**: a cohort. Per ``base`` people over the days of follow-up, ``k`` = base; for a cost, score or
  duration the mean of a person, ``k`` = 1.

- **people**: a count in a panel with a population. Per ``base`` people over the pilot, ``k`` = pilot
  periods x base / per; base is the first of 100, 1,000, 10,000, 100,000 at which the expected number
  is 1 or more.
- **places**: a total with no population, or one series. Per period, in the pilot place or area.
- **per cent**: a model of logarithms gives ratios of typical values and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.data.cohort import Cohort
from ucimpact.data.panel import Panel, Rate
from ucimpact.data.series import Series
from ucimpact.diagnostics.check import Check
from ucimpact.errors import UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.few_clusters import FEWEST_COMPARISON
from ucimpact.inference.power import HALF_RANGE, Precision
from ucimpact.study import Outcome, Study


@dataclass(frozen=True, kw_only=True)
class Units:
    """How an effect in the units of its column becomes the headline.

    Attributes
    ----------
    factor : float
        ``k`` above; 100 on the log scale, where the effect is the relative one.
    term : str
        The effect that is multiplied: ``att``, ``average``, ``relative``, or ``cumulative``, which is
        also divided by the estimate's own number of periods.
    base : int or None
        People the headline counts by.
    per, when, chart_per : str
        "per 100 registered patients over 12 months"; ", over 12 months"; the units of the chart.
    observed, expected : float or None
        What the pilot saw, and what was expected without it, in headline units.
    observed_events : float or None
        The number of events behind it, for small-number rules.
    events_per_unit : float or None
        Events over the whole pilot for an effect of 1 in headline units.
    """

    factor: float
    term: str
    base: int | None
    per: str
    when: str
    chart_per: str
    observed: float | None
    expected: float | None
    observed_events: float | None
    events_per_unit: float | None

    def of(self, estimate: Estimate) -> dict[str, float | None]:
        """``est, lo, hi, se`` of an estimate in headline units; None where there is no interval.

        An analysis of ratios beside a main analysis in numbers is shown as that share of what the main
        one expected.
        """
        if estimate.scale == "log" and self.term != "relative":
            effect = estimate.effect("relative")
            factor = np.nan if self.expected is None else self.expected
        else:
            effect = estimate.effect(self.term)
            factor = self.factor
            if self.term == "cumulative":
                factor /= estimate.extras["after"]
        columns = {"est": "estimate", "lo": "conf_low", "hi": "conf_high", "se": "std_error"}
        named = {name: float(effect[column]) * factor for name, column in columns.items()}
        return {name: value if np.isfinite(value) else None for name, value in named.items()}


def units_of(
    estimate: Estimate, data: Panel | Series | Cohort, rate: Rate | None, study: Study, outcome: Outcome
) -> Units:
    """The headline's units for an estimate of this outcome on these data."""
    if isinstance(data, Cohort):
        return _person_units(estimate, data, study, outcome)
    total = outcome.kind in ("count", "cost")
    each = outcome.each or (f"a {data.frequency.noun}" if total else "on average")
    if estimate.scale == "log":
        return Units(
            factor=100.0, term="relative", base=None, per="%", when="", chart_per=each,
            observed=None, expected=None, observed_events=None, events_per_unit=None,
        )  # fmt: skip
    frame = estimate.counterfactual
    assert frame is not None
    after = frame[(frame["since"] >= 0) & frame["observed"].notna()]
    if "used" in after:
        after = after[after["used"].astype(bool)]
    if isinstance(data, Panel):
        return _panel_units(estimate, data, rate, study, outcome, after, each)
    return _series_units(estimate, rate, study, outcome, after, each)


def _person_units(estimate: Estimate, data: Cohort, study: Study, outcome: Outcome) -> Units:
    """Per ``base`` people over the days of follow-up; the mean of a person where nothing is counted."""
    observed, expected = (float(estimate.extras[name]) for name in ("observed", "expected"))
    att = float(estimate.effect("att")["estimate"])
    counted = outcome.kind in ("count", "binary")
    span = outcome.each or (f"over {data.horizon:,.0f} days" if data.horizon else "")
    base = words.base_for(expected) if counted and expected > 0 else 100 if counted else None
    factor = float(base or 1)
    who = f"per {base:,} {study.people}" if base else "for each person"
    total = float(estimate.effect("cumulative")["estimate"])
    return Units(
        factor=factor,
        term="att",
        base=base,
        per=f"{who} {span}".strip(),
        when=f", {span}" if span and not outcome.each else f" {span}".rstrip(),
        chart_per=f"{who} {span}".strip(),
        observed=observed * factor,
        expected=expected * factor,
        observed_events=estimate.counts.get("events_pilot") if counted else None,
        events_per_unit=total / att / factor if counted and att else None,
    )


def _panel_units(
    estimate: Estimate, data: Panel, rate: Rate | None, study: Study, outcome: Outcome, after: Any, each: str
) -> Units:
    observed, att = float(after["observed"].mean()), float(estimate.effect("att")["estimate"])
    if rate is None:
        unit = str(study.data.unit or "")
        unit = unit if unit.isalpha() and unit.islower() else "unit"
        where = "" if data.pilot_units.sum() == 1 else f" in each pilot {unit}"
        scale, per, base = 1.0, f"{each}{where}", None
        if outcome.kind == "binary":
            scale, per, base = 100.0, f"per 100 {unit}-{data.frequency.noun}s", 100
        total = float(estimate.counts.get("pilot_periods") or np.nan)
        return Units(
            factor=scale, term="att", base=base, per=per, when="", chart_per=f"{each}{where}",
            observed=observed * scale, expected=(observed - att) * scale, observed_events=_events(after),
            events_per_unit=None if outcome.each else total / scale,
        )  # fmt: skip
    assert data.population is not None
    periods = len(after)
    span = "" if outcome.each else f"{periods} {data.frequency.noun}{'s' if periods > 1 else ''}"
    times = 1 if outcome.each else periods
    base = words.base_for((observed - att) * times / rate.per)
    factor = times * base / rate.per
    people = data.values(data.population)[data.treated & np.isfinite(data.values(rate.numerator))]
    within = f" {outcome.each}" if outcome.each else f" in {span}"
    return Units(
        factor=factor, term="att", base=base, per=f"per {base:,} {study.people}{within}",
        when=within if outcome.each else f", over {span}",
        chart_per=f"per {rate.per:,.0f} {study.people} {each}",
        observed=observed * factor, expected=(observed - att) * factor, observed_events=_events(after),
        events_per_unit=None if outcome.each else float(people.sum()) / rate.per / factor,
    )  # fmt: skip


def _series_units(
    estimate: Estimate, rate: Rate | None, study: Study, outcome: Outcome, after: Any, each: str
) -> Units:
    counted = float(estimate.effect("cumulative")["estimate"])
    average = float(estimate.effect("average")["estimate"])
    periods = len(after)
    if rate is None:
        observed = float(after["observed"].mean())
        return Units(
            factor=1.0, term="average", base=None, per=each, when="", chart_per=each, observed=observed,
            expected=observed - average, observed_events=_events(after),
            events_per_unit=None if outcome.each else float(periods),
        )  # fmt: skip
    events = _events(after)
    observed = (events if events is not None else np.nan) / periods
    return Units(
        factor=1.0, term="cumulative", base=None, per=each, when="",
        chart_per=f"per {rate.per:,.0f} {study.people} {each}",
        observed=observed, expected=observed - counted / periods,
        observed_events=events, events_per_unit=float(periods),
    )  # fmt: skip


def _events(after: Any) -> float | None:
    return float(after["events"].sum()) if "events" in after and after["events"].notna().all() else None


def worthwhile_in(outcome: Outcome, units: Units) -> float | None:
    """The smallest worthwhile effect in headline units, positive; None where none was agreed.

    Raises
    ------
    UsageError
        For a number of events agreed where the analysis is of ratios.
    """
    agreed = outcome.worthwhile
    if agreed is None:
        return None
    size = abs(agreed.change)
    if agreed.form == "relative":
        if units.term == "relative":
            return 100 * size
        return None if units.expected is None else size * abs(units.expected)
    if units.term == "relative":
        raise UsageError(
            f"worthwhile of {outcome.label}: an analysis of ratios knows no numbers of events. Agree a share "
            "of what is expected, such as worthwhile = -0.05, or take log = true out"
        )
    if agreed.form == "per":
        return size * units.base / agreed.base if units.base and agreed.base else None
    if outcome.kind == "count" and units.events_per_unit and np.isfinite(units.events_per_unit):
        return size / abs(units.events_per_unit)
    return size


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
    w = worthwhile_in(outcome, units)
    rule = estimate.extras.get("rule") or {}
    barred = _too_few(estimate, outcome) or _below_nothing(units)
    if barred:
        shown = {**shown, "lo": None, "hi": None}
    limits = (shown["est"], shown["lo"], shown["hi"])
    counts = data.counts()
    n1, n0 = _places(rule, counts)
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
        "people": study.people if outcome.kind != "binary" else units.per.removeprefix("per 100 "),
        "base": units.base,
        "per": units.per,
        "when": units.when,
        "time": "among those analysed" if isinstance(data, Cohort) else _time(estimate),
        "chart_per": units.chart_per,
        "scale": estimate.scale,
        **shown,
        "found_se": _found_se(shown),
        "w": w,
        "expected": units.expected,
        "observed": units.observed,
        "observed_events": units.observed_events,
        "claim": _claim(limits, w, outcome.better),
        "refused": barred or (_refusal(estimate) if None in limits else None),
        "key_fail": any(c.answer == "fails" and c.name in words.QUESTIONS for c in checks),
        "confounded": confounded,
        "percent": None if barred else _percent(estimate),
        "avoided": None if barred else _avoided(estimate, outcome),
        "naive": _naive(estimate) if confounded else None,
        "procedure": estimate.draws_from,
        "interval_note": None
        if None in limits or estimate.method == "before-after"
        else words.procedure_note(_procedure(estimate)),
        "p_value": _known(estimate.headline["p_value"]),
        "smallest_p": _known(rule.get("smallest_p")),
        "breakdown": _known(rule.get("breakdown_ratio")),
        "n1": n1,
        "n0": n0,
        "one_place": one_place,
    }


def pilot_groups(data: Cohort) -> int | None:
    """The number of groups, such as teams or towns, that those with the service belong to."""
    if data.clusters is None:
        return None
    return len(np.unique(data.clusters[data.is_pilot]))


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


def _procedure(estimate: Estimate) -> str:
    """Which of the notes on likely ranges belongs to this one."""
    if estimate.method == "matched-cohort":
        return "sets"
    if estimate.method == "its":
        route = estimate.extras["route"]["average"]
        return {"kenward-roger": "kenward-roger", "least-squares": "t"}.get(route, "mixture")
    code = str((estimate.extras.get("rule") or {}).get("procedure", "own-spread"))
    if code.endswith("+permutation"):
        return "union"
    return {"pooled-t": "t", "size-model-t": "size-model"}.get(code, "own-spread")


def _claim(limits: tuple[float | None, ...], w: float | None, better: str) -> str | None:
    est, lo, hi = limits
    if est is None or lo is None or hi is None:
        return None
    return words.claim(est, lo, hi, w, better)


def _refusal(estimate: Estimate) -> str:
    """Why there is no likely range: what the rule said, else the first warning."""
    rule = estimate.extras.get("rule") or {}
    if rule.get("n0", np.inf) < FEWEST_COMPARISON:
        return words.few_comparison_reason(rule["n0"])
    return str(rule.get("reason") or next(iter(estimate.warnings), "the analysis gave none"))


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
    slopes = estimate.effects["term"] == "slope_change"
    slope = float(estimate.effects.loc[slopes, "estimate"].iloc[0]) if slopes.any() else 0.0
    after = frame[(frame["since"] >= 0) & frame["used"].astype(bool)]
    run = float(after["since"].iloc[-1] - after["since"].iloc[0])
    effect = float(estimate.effect("level_change")["estimate"]) + slope * run
    expected = float(after["expected"].iloc[-1])
    return effect / expected if expected > 0 else None


def _time(estimate: Estimate) -> str:
    """Over what an effect is added up: the pilot so far, or the part of it that was analysed."""
    frame = estimate.counterfactual
    if frame is None or "used" not in frame:
        return words.SO_FAR
    after = frame[frame["since"] >= 0]
    used = int(after["used"].astype(bool).sum())
    if used == len(after):
        return words.SO_FAR
    return f"over {used} of the pilot’s {len(after)} {estimate.extras.get('noun', 'period')}s"


def _known(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _percent(estimate: Estimate) -> dict[str, float] | None:
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


def certainty(
    study: Study,
    data: Panel | Series | Cohort,
    estimate: Estimate,
    found: Mapping[str, Any],
    checks: Sequence[Check],
    sensitivity: Sequence[tuple[float | None, float | None, float | None]],
    dates: Sequence[tuple[float | None, float | None, float | None]],
) -> dict[str, Any]:
    """The level and its steps, from the facts of the study and the checks that count."""
    counted = [check for check in checks if check.counted and check.name in words.QUESTIONS]
    panel = isinstance(data, Panel)
    rule = estimate.extras.get("rule") or {}
    off_zero = found["lo"] is not None and not found["lo"] <= 0 <= found["hi"]
    facts: dict[str, Any] = {}
    if isinstance(data, Cohort):
        facts = _facts_of_people(study, data, estimate)
    elif panel:
        facts = {
            "place_level": True,
            "n1": found["n1"],
            "n0": found["n0"],
            "breakdown": found["breakdown"] if off_zero else None,
            "variance_flag": bool(rule.get("variance_flag")),
            "places": found["n1"],
        }
    else:
        facts = {
            "before": estimate.extras["before"],
            "after": estimate.extras["after"],
            "df": _known(estimate.extras["df"]["average"]),
            "per_year": int(data.frequency.per_year or 12),
            "periods": f"{data.frequency.noun}s",
        }
    random = study.context.allocation == "lot"
    grade = words.grade(
        allocation=_allocation(data, random=random),
        claim=found["claim"],
        est=found["est"],
        lo=found["lo"],
        hi=found["hi"],
        w=found["w"],
        better=found["better"],
        kind=found["kind"],
        percent=found["scale"] == "log",
        outcome=found["outcome"],
        chosen="people" if isinstance(data, Cohort) else "places",
        supported="supported" if isinstance(data, Cohort) else "with the pilot",
        checks={check.name: check.answer for check in counted},
        questions={check.name: check.question for check in counted},
        one_place=found["one_place"],
        sensitivity=() if found["key_fail"] else sensitivity,
        dates=dates,
        proxy=found["proxy"],
        **facts,
    )
    return grade.to_dict()


def _allocation(data: Panel | Series | Cohort, *, random: bool) -> str:
    if isinstance(data, Cohort):
        compared = data.pilot is not None and not data.is_pilot.all()
        return "random" if random and compared else "comparison" if compared else "before-after"
    if isinstance(data, Panel):
        return "random" if random else "comparison"
    return "series"


def _facts_of_people(study: Study, data: Cohort, estimate: Estimate) -> dict[str, Any]:
    """What the steps ask of a cohort: how many, in how many groups, out of how many, and their controls."""
    analysed = estimate.counts.get("matched_pilot", data.counts()["pilot"])
    value = (estimate.extras.get("e_value") or {}).get("limit")
    pooled = (estimate.extras.get("controls") or {}).get("pooled")
    ratio = _percent(estimate)
    facts: dict[str, Any] = {
        "n1": analysed,
        "n0": estimate.counts.get("matched_comparison"),
        "places": pilot_groups(data),
        "analysed": analysed / study.data.eligible if study.data.eligible else None,
        "e_value": _known(value),
    }
    if pooled and ratio and ratio["ratio"] > 0:
        facts["controls"] = (pooled["log_ratio"], pooled["std_error"], float(np.log(ratio["ratio"])))
    return facts


def phrase(
    found: Mapping[str, Any], grade: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The sentences of a finding, each from :mod:`ucimpact.words`."""
    if _is_naive(found):
        return _phrase_naive(found, grade)
    alone = found["one_place"] and found["n0"]
    return {
        "sentences": {**_sentences(found, checks), "certainty_line": grade["line"]},
        "can_say": words.can_say(found),
        "cannot_say": words.cannot_say(found, naive=_naive_change(found)),
        "limits": words.limits_of_one_place(
            found["n1"], found["n0"], found["procedure"], found["breakdown"], found["smallest_p"]
        )
        if alone
        else [],
    }


def _is_naive(found: Mapping[str, Any]) -> bool:
    """Whether before and after is all there is, with both figures to be shown."""
    naive = found["naive"]
    told = isinstance(naive, Mapping) and None not in (naive.get("before"), naive.get("after"))
    return found.get("design") == "before-after" and told


def _phrase_naive(found: Mapping[str, Any], grade: Mapping[str, Any]) -> dict[str, Any]:
    """The sentences where nobody was compared: what was counted, what picking gives, what would settle it."""
    empty = dict.fromkeys(("percent", "avoided", "found", "chart_title", "alt"))
    said = {
        **empty,
        "headline": words.naive_headline(subject=found["subject"], outcome=found["outcome"]),
        "lead": words.naive_lead(found),
        "extra": [words.naive_settles(found)],
        "certainty_line": grade["line"],
    }
    return {
        "sentences": said,
        "can_say": words.naive_can_say(found),
        "cannot_say": words.naive_cannot_say(found),
        "limits": [],
    }


def _naive_change(found: Mapping[str, Any]) -> float | None:
    """What plain before and after would claim, as a share."""
    naive = found["naive"]
    return naive.get("change") if isinstance(naive, Mapping) else naive


def _sentences(found: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    about = {"subject": found["subject"], "outcome": found["outcome"]}
    effect = {name: found[name] for name in ("est", "lo", "hi", "w")}
    kind, better, percent = found["kind"], found["better"], found["scale"] == "log"
    said: dict[str, Any] = {
        "headline": words.headline(
            **about, **effect, level=found["level"], better=better, plural=found["plural"],
            key_fail=found["key_fail"], refused=found["refused"], pay=found.get("pay"),
        ),
        "extra": [], "percent": None, "avoided": None, "found": None, "chart_title": None, "alt": None,
    }  # fmt: skip
    if found["confounded"]:
        said["headline"] = words.season_confounded(**about)
    if found["refused"] is not None or found["key_fail"]:
        failed = [c["text"] for c in checks if c["answer"] == "fails" and c["name"] in words.QUESTIONS]
        said["lead"] = " ".join(failed) or f"{words.capital(found['refused'])}."
        return said
    per = "" if found["base"] else found["per"]
    said["lead"], unclear = _lead(found, per), found["lo"] <= 0 <= found["hi"]
    said["chart_title"] = words.title(**effect, better=better)
    said["alt"] = words.alt(
        found["outcome"], found["base"], **effect, who=found["people"], per=per, kind=kind, percent=percent,
    )  # fmt: skip
    if unclear and found["claim"] != "N":
        said["extra"].append(words.NOT_EVIDENCE)
    if percent:
        said["extra"].append(words.RATIOS_ONLY)
    if found["w"] is None:
        said["extra"].append(words.NO_WORTHWHILE)
    if found["percent"] and not percent:
        said["percent"] = f"That is {words.percent(**found['percent'], kind=kind)}."
    if found["avoided"]:
        total = found["avoided"]
        said["avoided"] = words.avoided(
            total["est"], total["lo"], total["hi"], found["outcome"], found["level"], found["claim"],
            found["time"], better=better, kind=kind,
        )  # fmt: skip
    if found["found_se"]:
        said["found"] = words.found(
            found["found_se"], found["w"], found["base"], better=better, kind=kind, per=per, percent=percent
        )
    return said


def _lead(found: Mapping[str, Any], per: str) -> str:
    """The first sentences under the headline."""
    shared = {name: found[name] for name in ("outcome", "est", "lo", "hi", "w", "kind")}
    if found["scale"] == "log":
        return words.lead_percent(**shared)
    units = {"base": found["base"], "who": found["people"], "per": per}
    numbers = {"observed": found["observed"], "expected": found["expected"]}
    if found["lo"] <= 0 <= found["hi"] and None not in numbers.values():
        return words.lead_unclear(**shared, **numbers, **units, when=found["when"].removeprefix(","))
    return words.lead(**shared, **numbers, **units, when=found["when"], without=found["subject"])
