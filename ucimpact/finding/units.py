"""From an estimate to the numbers a reader meets: natural units, what was expected, what it may claim.

An estimate speaks in the units of its column: admissions per 1,000 patients a month in a practice. A
reader wants "about 2 fewer per 100 people over 12 months". With ``k`` the factor between the two,

.. math:: est = k \\cdot b, \\qquad [lo, hi] = k \\cdot [b_{low}, b_{high}], \\qquad
          expected = observed - est

where ``observed`` is what the pilot saw. Four scales are used:

- **persons**: a cohort. Per ``base`` people over the days of follow-up, ``k`` = base; for a cost, score or
  duration the mean of a person, ``k`` = 1.

- **people**: a count, or a cost, in a panel with a population. Per ``base`` people over the pilot, ``k`` =
  pilot periods x base / per; base is the first of 100, 1,000, 10,000, 100,000 at which the expected number
  is 1 or more. Where units start at different times, pilot periods are those of an average unit.
- **places**: a total with no population, or one series. Per period, in the pilot place or area.
- **per cent**: a model of logarithms gives ratios of typical values and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.data.cohort import Cohort
from ucimpact.data.panel import Panel, Rate
from ucimpact.data.series import Series
from ucimpact.errors import UsageError
from ucimpact.estimate import Estimate
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
    for which in ("used", "running"):
        if which in after:
            after = after[after[which].astype(bool)]
    if isinstance(data, Panel):
        return _panel_units(estimate, data, rate, study, outcome, after, each)
    return _series_units(estimate, rate, study, outcome, after, each)


def _person_units(estimate: Estimate, data: Cohort, study: Study, outcome: Outcome) -> Units:
    """Per ``base`` people over the days of follow-up; the mean of a person where nothing is counted."""
    observed, expected = (float(estimate.extras[name]) for name in ("observed", "expected"))
    att = float(estimate.effect("att")["estimate"])
    counted = outcome.kind in ("count", "binary")
    adds_up = outcome.kind != "score"  # a score is taken on a day, and nothing of it adds up over the days
    span = outcome.each or (f"over {data.horizon:,.0f} days" if data.horizon and adds_up else "")
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
    att = float(estimate.effect("att")["estimate"])
    told = estimate.extras.get("observed")
    observed = float(after["observed"].mean() if told is None else told)
    unit = unit_noun(study)
    if rate is None:
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
    span = Span.of(estimate, data, unit, periods=len(after))
    times = 1 if outcome.each else span.periods
    base = words.base_for((observed - att) * times / rate.per)
    factor = times * base / rate.per
    people = data.values(data.population)[data.treated & np.isfinite(data.values(rate.numerator))]
    within = f" {outcome.each}" if outcome.each else f" {span.within}"
    return Units(
        factor=factor, term="att", base=base, per=f"per {base:,} {study.people}{within}",
        when=within if outcome.each else f", {span.over}",
        chart_per=f"per {rate.per:,.0f} {study.people} {each}",
        observed=observed * factor, expected=(observed - att) * factor, observed_events=_events(after),
        events_per_unit=None if outcome.each else float(people.sum()) / rate.per / factor,
    )  # fmt: skip


@dataclass(frozen=True)
class Span:
    """Over how long an effect is added up, in numbers and in words.

    ``periods`` are those of an average pilot unit; ``within`` stands in a title, ``over`` in a sentence.
    """

    periods: float
    within: str
    over: str

    @classmethod
    def of(cls, estimate: Estimate, data: Panel, unit: str, *, periods: int) -> Span:
        """The pilot so far: the same for all units, or on average."""
        noun = data.frequency.noun
        if not is_staggered(estimate, data):
            same = f"{periods} {noun}{'s' if periods > 1 else ''}"
            return cls(float(periods), f"in {same}", f"over {same}")
        mean = estimate.counts["pilot_periods"] / estimate.counts["pilot_units"]
        each = words.periods_each(mean, noun)
        return cls(
            mean,
            f"in {each} on average",
            f"{words.SO_FAR}, on average {each} {words.article_of(unit)} {unit}",
        )


def is_staggered(estimate: Estimate, data: Panel) -> bool:
    """Whether the units that were analysed start at different times."""
    starts = estimate.extras.get("starts")
    return len(data.starts if starts is None else starts) > 1


def unit_noun(study: Study) -> str:
    """What a unit is called in a sentence: the column's own name where that is one plain word."""
    name = str(study.data.unit or "")
    plain = name.isalpha() and (name.islower() or name.istitle())
    return name.lower() if plain else "unit"


def _series_units(
    estimate: Estimate, rate: Rate | None, study: Study, outcome: Outcome, after: Any, each: str
) -> Units:
    chart_per, when = each, ran(estimate)
    each = (
        when if when and estimate.spec["shape"] == "pulse" and not outcome.each else f"{each} {when}".strip()
    )
    counted = float(estimate.effect("cumulative")["estimate"])
    average = float(estimate.effect("average")["estimate"])
    periods = len(after)
    if rate is None:
        observed = float(after["observed"].mean())
        return Units(
            factor=1.0, term="average", base=None, per=each, when="", chart_per=chart_per, observed=observed,
            expected=observed - average, observed_events=_events(after),
            events_per_unit=None if outcome.each else float(periods),
        )  # fmt: skip
    events = _events(after)
    observed = (events if events is not None else np.nan) / periods
    return Units(
        factor=1.0, term="cumulative", base=None, per=each, when="",
        chart_per=f"per {rate.per:,.0f} {study.people} {chart_per}",
        observed=observed, expected=observed - counted / periods,
        observed_events=events, events_per_unit=float(periods),
    )  # fmt: skip


def ran(estimate: Estimate) -> str:
    """ "in October 2015", "from October 2015 to June 2016": when a change that does not last was there.

    Empty for one that stays, for its time is that since the start.
    """
    frame = estimate.counterfactual
    if estimate.spec.get("shape") not in ("pulse", "temporary") or frame is None or "running" not in frame:
        return ""
    there = frame[frame["running"].astype(bool) & frame["used"].astype(bool)]
    labels = [str(label) for label in there["label"]]
    if not labels:
        return ""
    return f"in {labels[0]}" if len(labels) == 1 else f"from {labels[0]} to {labels[-1]}"


def _events(after: Any) -> float | None:
    return float(after["events"].sum()) if "events" in after and after["events"].notna().all() else None


def worthwhile_in(outcome: Outcome, units: Units, break_even: float | None = None) -> float | None:
    """The smallest worthwhile effect in headline units, positive; None where none was agreed.

    ``break_even`` is the number of events over the pilot that would repay it, where that is what was agreed.

    Raises
    ------
    UsageError
        For a number of events agreed where the analysis is of ratios.
    """
    agreed = outcome.worthwhile
    if agreed is None:
        return None
    if agreed.form == "break-even":
        each = abs(units.events_per_unit or np.nan)
        return break_even / each if break_even and np.isfinite(each) else None
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
