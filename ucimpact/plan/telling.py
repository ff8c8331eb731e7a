"""A plan drawn from a file, in words: what was taken, the cells, the answer and what to know beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ucimpact import words
from ucimpact.finding import mid_sentence
from ucimpact.inference.panel_draws import Size
from ucimpact.inference.power import FOUR_IN_FIVE
from ucimpact.plan.past import Past
from ucimpact.plan.planned import CHANCE_ONLY, FOUND, Curve
from ucimpact.plan.sizes import Found, Sizes
from ucimpact.study import Study

AGREED = 0.05
DRIFT = 0.03
"""A lasting change of places from one year to the next, as a share, that a short file would not show."""
AS_PLANNED = ("did", "count-did", "imputation")
"""Methods that the plan judges as they are; with one start, imputation is the first of these."""
LAST_ALONE = ("callaway-santanna", "sun-abraham", "event-study")
"""Methods that compare with the last period before the start and not with the mean of all."""


def drift_of(study: Study) -> float:
    """The lasting change that the study declares, for periods beyond the file."""
    return (study.plan.change_sd if study.plan else None) or 0.0


def periods_of(past: Past, n: int) -> str:
    """ "12 months"."""
    return f"{n} {past.frequency.noun}{'' if n == 1 else 's'}"


def _places(past: Past, n: int) -> str:
    return past.noun if n == 1 else words.plural_of(past.noun)


def cell(found: Found) -> str:
    """A cell of the table."""
    if found.four_in_five is None:
        return "none"
    worthwhile = found.worthwhile
    mark = "" if worthwhile is None else " *" if found.is_enough else "  "
    return f"{words.plainly(100 * found.four_in_five)}%{mark}"


def key(seen: dict[Size, Found], sizes: Sizes, noun: str) -> str:
    """What the mark in the table means."""
    own = seen[sizes.own]
    if own.worthwhile is None:
        return ""
    relative = len({found.worthwhile for found in seen.values()}) == 1
    change = f"the {noun} of {words.plainly(100 * own.worthwhile)}% worth having"
    change = change if relative else f"the {noun} worth having"
    table = [seen[sizes.at(n1, m)] for n1 in sizes.pilots for m in sizes.after]
    if any(found.is_enough for found in table):
        return f"* finds {change}"
    return f"No size in the table finds {change}."


def taken(study: Study, past: Past, sizes: Sizes, own: Found, draws: int) -> tuple[str, ...]:
    """What the plan stands on."""
    label, own_size = past.frequency.label, sizes.own
    periods = past.histories.periods
    units = (
        f"{past.units} {words.plural_of(past.unit_noun)} in " if past.units > past.histories.number else ""
    )
    span = f"{label(past.first)} to {label(past.last)}"
    lines = [
        f"From {units}{past.places} over the {periods_of(past, periods)} before the pilot ({span}): "
        f"{_level(study, past)}."
    ]
    lines += [f"Left out: {text}." for text in past.left_out]
    lines.append(
        f"Each figure comes from {words.number(draws)} draws of {words.plural_of(past.noun)} from these, "
        f"each with all of its {past.frequency.noun}s, judged as the report will judge. {_planting(past)}"
    )
    lines.append(f"{periods_of(past, own_size.before)} before the start are compared with those after it.")
    if own.narrowed != 1:
        asked, noun = own_size.before + own_size.after, past.frequency.noun
        lines.append(
            f"The file has {periods} {noun}s and the plan takes {asked}: beyond the file it supposes that "
            f"the past repeats, with {noun}s as changeable as those."
        )
        if drift := drift_of(study):
            drifts = f"{past.noun} drifts for good, by {100 * drift:g}% (standard deviation)"
            lines.append(f"There each {drifts}, as [plan] declares.")
    lines += _beside(study, past)
    return tuple(lines)


def _level(study: Study, past: Past) -> str:
    """ "17.2 emergency admissions per 1,000 registered patients a month"."""
    outcome, noun = study.primary, past.frequency.noun
    label = mid_sentence(outcome.label)
    if past.rate is not None:
        per = f"per {past.rate.per:,.0f} {study.people} a {noun}"
        return f"{words.plainly(past.level)} {label} {per}"
    pound = "£" if outcome.kind == "cost" else ""
    value = words.number(past.per_unit) if past.per_unit >= 100 else words.plainly(past.per_unit)
    return f"{label} of {pound}{value} a {past.unit_noun} and {noun} on average"


def _planting(past: Past) -> str:
    if past.form in ("thinned", "ratio"):
        return "Changes were planted in the counts themselves."
    if past.form == "log":
        return "Changes were planted as a share of every figure, on the log scale."
    return f"Changes were planted as the same amount in each {past.noun}."


def _beside(study: Study, past: Past) -> list[str]:
    """What the study declares and a plan from the file does not use."""
    lines = []
    name, plan = study.method.name, study.plan
    if past.starts > 1:
        lines.append(f"Its {past.starts} different starts are planned as one.")
    if name not in AS_PLANNED:
        less = f" It compares with the last {past.frequency.noun} before the start alone, and finds less."
        lines.append(
            f'Planned as "did"; the study’s own method is "{name}".{less if name in LAST_ALONE else ""}'
        )
    if study.covariates:
        lines.append("Covariates are left out here.")
    given = () if plan is None else ("dispersion", "month_sd", "autocorrelation")
    if any(getattr(plan, key) is not None for key in given):
        lines.append("How places vary is taken from the file, and not from [plan].")
    return lines


def answer(past: Past, sizes: Sizes, seen: dict[Size, Found], noun: str) -> str:
    """What the study as declared could find, and the way out."""
    own, size = seen[sizes.own], sizes.own
    period = (size.after, past.frequency.noun + ("" if size.after == 1 else "s"))
    told = [
        words.missed(size.pilot, _places(past, size.pilot), period, _hundred(own.half), noun),
        words.found_four_in_five(_hundred(own.four_in_five), noun),
    ]
    if own.worthwhile is None or own.chance is None:
        told.append(f"{words.NO_WORTHWHILE} Agree it now, as worthwhile = -0.05 in [[outcome]].")
        return " ".join(told)
    told.append(words.within_reach(100 * own.worthwhile, own.chance, noun))
    if own.chance < FOUR_IN_FIVE:
        larger = [n for n in sizes.pilots if n > size.pilot and seen[sizes.at(n, size.after)].is_enough]
        longer = [m for m in sizes.after if m > size.after and seen[sizes.at(size.pilot, m)].is_enough]
        told.append(
            words.reach_needs(
                (larger[0], words.plural_of(past.noun)) if larger else None,
                (longer[0], f"{past.frequency.noun}s") if longer else None,
            )
        )
    return " ".join(told)


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share


def notes(
    past: Past, sizes: Sizes, seen: dict[Size, Found], noun: str, draws: int, drifting: float | None
) -> tuple[str, ...]:
    """What to know beside it."""
    own = seen[sizes.own]
    error = np.sqrt(AGREED * (1 - AGREED) / draws)
    told = [words.either_way(_hundred(own.half_width)), words.false_alarms(own.false_positives)]
    if own.false_positives > AGREED + 3 * error:
        told.append("That is more than agreed: take the ranges for too narrow here.")
    lines = [" ".join(told)]
    if drifting is not None:
        lines.append(
            f"Should {words.plural_of(past.noun)} also drift apart for good, by {100 * DRIFT:g}% (standard "
            f"deviation), a {noun} of {words.per_cent(100 * drifting)} would be found four times in five: so "
            "short a file cannot show that. Add earlier years, or declare it as change_sd in [plan]."
        )
    other = [
        f"{words.per_cent(100 * share)} with {periods_of(past, b)}"
        for b in sizes.before
        if b != sizes.own.before and (share := seen[replace(sizes.own, before=b)].four_in_five) is not None
    ]
    if other and own.four_in_five is not None:
        lines.append(
            f"The {noun} found four times in five would be {words.joint(other)} before the start in place of "
            f"{periods_of(past, sizes.own.before)}."
        )
    errors = [found.error for found in seen.values() if found.error is not None]
    if errors:
        lines.append(
            f"With {words.number(draws)} draws sizes are right to about {words.plainly(200 * max(errors))} "
            f"points, and chances to about {words.number(200 * np.sqrt(0.25 / draws))} in 100."
        )
    return (*lines, FOUND, CHANCE_ONLY)


def curves(study: Study, past: Past, sizes: Sizes, seen: dict[Size, Found], noun: str) -> tuple[Curve, ...]:
    """The table as lines over periods, and as lines over pilot places."""
    agreed, period, places = study.primary.worthwhile, past.frequency.noun, words.plural_of(past.noun)
    worthwhile = _hundred(seen[sizes.own].worthwhile) if agreed and agreed.form == "relative" else None
    table = [[_hundred(seen[sizes.at(n1, m)].four_in_five) for m in sizes.after] for n1 in sizes.pilots]
    over_periods = Curve(
        ident="periods",
        title=f"The smallest {noun} found, by {period}s after the start",
        axis=f"{words.capital(period)}s after the start",
        at=sizes.after,
        lines=tuple(
            (f"{n} {_places(past, n)}", tuple(row)) for n, row in zip(sizes.pilots, table, strict=True)
        ),
        own=sizes.pilots.index(sizes.own.pilot),
        worthwhile=worthwhile,
        noun=noun,
    )
    over_places = Curve(
        ident="places",
        title=f"The smallest {noun} found, by pilot {places}",
        axis=f"Pilot {places}",
        at=sizes.pilots,
        lines=tuple((periods_of(past, m), tuple(row[k] for row in table)) for k, m in enumerate(sizes.after)),
        own=sizes.after.index(sizes.own.after),
        worthwhile=worthwhile,
        noun=noun,
    )
    return tuple(curve for curve in (over_periods, over_places) if len(curve.at) > 1)
