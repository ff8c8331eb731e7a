"""A plan for places drawn from their own past: a table over months and pilot places, and the plan as declared.

The statistics are those of :mod:`ucimpact.inference.panel_power`; here a study becomes the sizes to look at,
and what is found becomes a table, sentences and the rows of a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.errors import DesignError, UsageError
from ucimpact.finding import mid_sentence, plural
from ucimpact.inference.few_clusters import FEWEST_COMPARISON
from ucimpact.inference.panel_power import Power, Size, draw
from ucimpact.inference.power import FOUR_IN_FIVE
from ucimpact.plan.past import Past
from ucimpact.plan.planned import CHANCE_ONLY, FOUND, Curve, Planned, caption_of
from ucimpact.study import Outcome, Study

DRAWS = 2_000
HALF = 0.5
PILOTS = (1, 2, 3, 6, 10, 15, 25, 40)
"""Pilot places of the table, as far as there are places to compare with."""
MOST_ROWS = 6
YEARS = (0.5, 1.0, 1.5, 2.0)
"""After the start, of the table."""
YEARS_BEFORE = (0.5, 1.0, 2.0, 3.0)
AGREED = 0.05
FROM_ONE_START = ("did",)
"""Methods that the plan judges as they are; others are told that they are planned as the first of these."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one size of a study could find; shares of what is expected, None where there is none.

    Attributes
    ----------
    size : Size
    four_in_five, half : float or None
        The smallest change found with these chances.
    error : float or None
        Monte Carlo standard error of ``four_in_five``.
    worthwhile, chance : float or None
        The smallest change worth having, and the chance that it is found.
    false_positives : float
    half_width : float or None
        Half of the likely range, in the middle of the draws.
    narrowed : float
        See :class:`~ucimpact.inference.panel_past.Stretches`.
    """

    size: Size
    four_in_five: float | None
    half: float | None
    error: float | None
    worthwhile: float | None
    chance: float | None
    false_positives: float
    half_width: float | None
    narrowed: float


def quiet(*_: object) -> None:
    """Tell nobody."""


def drawn(study: Study, past: Past, *, draws: int = DRAWS, progress: Progress = quiet) -> Planned:
    """The plan of a study of places whose file is there.

    Raises
    ------
    DesignError
        For fewer comparison places than any range needs.
    """
    sizes = _Sizes.of(study, past)
    asked = sizes.all
    seen: dict[Size, Found] = {}
    for done, size in enumerate(asked):
        progress("Drawing", done, len(asked))
        seen[size] = _found(study, past, size, draws)
    sign = _sign(study.primary)
    noun = "fall" if sign < 0 else "rise"
    own = seen[sizes.own]
    return Planned(
        title=f"{study.title}: what an evaluation could find",
        taken=_taken(study, past, sizes, own, draws),
        caption=caption_of(study.primary, noun),
        head=(
            f"Pilot {plural(past.noun)}",
            f"Other {plural(past.noun)}",
            *(f"{_periods(past, m)} after" for m in sizes.after),
        ),
        rows=tuple(
            (str(n1), str(sizes.others(n1)), *(_cell(seen[sizes.at(n1, m)]) for m in sizes.after))
            for n1 in sizes.pilots
        ),
        key=_key(seen, sizes, noun),
        answer=_answer(past, sizes, seen, noun),
        notes=_notes(past, sizes, seen, noun, draws),
        records=tuple(_record(found, sizes) for found in seen.values()),
        curve=_curve(study, past, sizes, seen, noun),
    )


# -- sizes -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Sizes:
    """The sizes that are looked at: a table of pilot places by periods after, and other periods before.

    ``declared`` says whether ``own`` is what the study declares, or an example.
    """

    own: Size
    declared: bool
    places: int
    pilots: tuple[int, ...]
    after: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of(cls, study: Study, past: Past) -> _Sizes:
        number, plan = past.histories.number, study.plan
        room = number - FEWEST_COMPARISON
        if room < 1:
            raise DesignError(
                f"{words.few_comparison(max(number - 1, 0), past.noun)} The file has {past.places} in all: "
                f"add the figures of {plural(past.noun)} that will not have {study.subject}"
            )
        pilot = (plan.pilot_places if plan else None) or past.pilot
        others = (plan.comparison_places if plan else None) or (number - pilot if pilot else None)
        if others is not None and others < FEWEST_COMPARISON:
            raise DesignError(
                f"{words.few_comparison(others, past.noun)} Start in fewer of the {past.places}, or add the "
                f"figures of {plural(past.noun)} that will not have {study.subject}"
            )
        after = (plan.months_after if plan else None) or past.after or past.year
        before = (plan.months_before if plan else None) or past.before or past.year
        example = max(n for n in (1, 2, 3) if n <= room)
        own = Size(pilot=pilot or example, comparison=others or number - example, before=before, after=after)
        table = [n for n in PILOTS if n <= min(room, max(number // 2, own.pilot))][:MOST_ROWS]
        pilots = tuple(sorted({*table, own.pilot}))
        spans = {max(1, round(years * past.year)) for years in YEARS}
        earlier = {max(1, round(years * past.year)) for years in YEARS_BEFORE}
        return cls(
            own=own,
            declared=pilot is not None,
            places=number,
            pilots=pilots,
            after=tuple(sorted({*spans, own.after})),
            before=tuple(sorted({b for b in earlier if b <= past.histories.periods} | {own.before})),
        )

    def others(self, pilot: int) -> int:
        """Comparison places beside so many pilot places."""
        return self.own.comparison if pilot == self.own.pilot else self.places - pilot

    def at(self, pilot: int, after: int) -> Size:
        """A size of the table."""
        return replace(self.own, pilot=pilot, comparison=self.others(pilot), after=after)

    @property
    def all(self) -> list[Size]:
        """Each once, the table first."""
        table = [self.at(n1, m) for n1 in self.pilots for m in self.after]
        return list(dict.fromkeys([*table, *(replace(self.own, before=b) for b in self.before)]))


def _sign(outcome: Outcome) -> int:
    return -1 if outcome.better == "lower" else 1


def _worthwhile(study: Study, past: Past, size: Size) -> float | None:
    """The smallest change worth having, as a share of what is expected."""
    outcome = study.primary
    agreed = outcome.worthwhile
    if agreed is None:
        return None
    change = abs(agreed.change)
    if agreed.form == "relative":
        return change
    if agreed.form == "absolute":
        if outcome.kind != "count":
            return change / past.per_unit
        return change / (past.per_unit * size.pilot * past.units / past.histories.number * size.after)
    assert past.rate is not None and agreed.base is not None
    return change / (past.level / past.rate.per * agreed.base * size.after)


# -- one size ----------------------------------------------------------------------------


def _found(study: Study, past: Past, size: Size, draws: int) -> Found:
    lots = draw(past.histories, size, past.cov, draws=draws, seed=study.release.seed)
    power = Power(lots, _sign(study.primary), past.form)
    worthwhile = _worthwhile(study, past, size)
    return Found(
        size=size,
        four_in_five=_known(power.smallest(FOUR_IN_FIVE)),
        half=_known(power.smallest(HALF)),
        error=_known(power.error(FOUR_IN_FIVE)),
        worthwhile=worthwhile,
        chance=None if worthwhile is None else power.chance(worthwhile),
        false_positives=power.false_positives,
        half_width=_known(power.half_width),
        narrowed=lots.parts.narrowed,
    )


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _record(found: Found, sizes: _Sizes) -> dict[str, Any]:
    """A row of the file."""
    size = found.size
    return {
        "pilot_places": size.pilot,
        "comparison_places": size.comparison,
        "periods_before": size.before,
        "periods_after": size.after,
        "declared": "yes" if sizes.declared and size == sizes.own else "",
        "smallest_found_four_in_five_percent": _percent(found.four_in_five),
        "monte_carlo_error_percent": _percent(found.error),
        "smallest_found_half_the_time_percent": _percent(found.half),
        "worthwhile_percent": _percent(found.worthwhile),
        "chance_worthwhile_is_found": _rounded(found.chance),
        "false_positives": _rounded(found.false_positives),
        "half_of_likely_range_percent": _percent(found.half_width),
        "longer_than_the_file": "yes" if found.narrowed < 1 else "",
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def _rounded(chance: float | None) -> float | None:
    return None if chance is None else round(chance, 4)


# -- words -------------------------------------------------------------------------------


def _periods(past: Past, n: int) -> str:
    return f"{n} {past.frequency.noun}{'' if n == 1 else 's'}"


def _places(past: Past, n: int) -> str:
    return past.noun if n == 1 else plural(past.noun)


def _cell(found: Found) -> str:
    if found.four_in_five is None:
        return "none"
    worthwhile = found.worthwhile
    mark = "" if worthwhile is None else " *" if _is_enough(found) else "  "
    return f"{words.plainly(100 * found.four_in_five)}%{mark}"


def _is_enough(found: Found) -> bool:
    return found.chance is not None and found.chance >= FOUR_IN_FIVE


def _key(seen: dict[Size, Found], sizes: _Sizes, noun: str) -> str:
    own = seen[sizes.own]
    if own.worthwhile is None:
        return ""
    relative = len({found.worthwhile for found in seen.values()}) == 1
    change = f"the {noun} of {words.plainly(100 * own.worthwhile)}% worth having"
    change = change if relative else f"the {noun} worth having"
    table = [seen[sizes.at(n1, m)] for n1 in sizes.pilots for m in sizes.after]
    if any(map(_is_enough, table)):
        return f"* finds {change}"
    return f"No size in the table finds {change}."


def _taken(study: Study, past: Past, sizes: _Sizes, own: Found, draws: int) -> tuple[str, ...]:
    label, own_size = past.frequency.label, sizes.own
    periods = past.histories.periods
    units = f"{past.units} {plural(past.unit_noun)} in " if past.units > past.histories.number else ""
    span = f"{label(past.first)} to {label(past.last)}"
    lines = [
        f"From {units}{past.places} over the {_periods(past, periods)} before the pilot ({span}): "
        f"{_level(study, past)}."
    ]
    lines += [f"Left out: {text}." for text in past.left_out]
    lines.append(
        f"Each figure comes from {words.number(draws)} draws of {plural(past.noun)} from these, each with all of "
        f"its {past.frequency.noun}s, judged as the report will judge. {_planting(past)}"
    )
    lines.append(f"{_periods(past, own_size.before)} before the start are compared with those after it.")
    if own.narrowed < 1:
        lines.append(
            f"The file has {periods} {past.frequency.noun}s, and {own_size.before + own_size.after} are asked. Beyond "
            f"the file this supposes that the past repeats: {past.frequency.noun}s as changeable as those, and no "
            f"{past.noun} that drifts away for good. With more years in the file it would be seen and not supposed."
        )
    lines += _beside(study)
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
    if past.form == "thinned":
        return "Changes were planted in the counts themselves."
    if past.form == "log":
        return "Changes were planted as a share of every figure, on the log scale."
    return f"Changes were planted as the same amount in each {past.noun}."


def _beside(study: Study) -> list[str]:
    """What the study declares and a plan from the file does not use."""
    lines = []
    name, plan = study.method.name, study.plan
    if name not in FROM_ONE_START:
        lines.append(f'Planned as "did" from one start; the study’s own method is "{name}".')
    if study.covariates:
        lines.append("Covariates are left out here.")
    given = () if plan is None else ("dispersion", "change_sd", "month_sd", "autocorrelation")
    if any(getattr(plan, key) is not None for key in given):
        lines.append("How places vary is taken from the file, and not from [plan].")
    return lines


def _answer(past: Past, sizes: _Sizes, seen: dict[Size, Found], noun: str) -> str:
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
        larger = [n for n in sizes.pilots if n > size.pilot and _is_enough(seen[sizes.at(n, size.after)])]
        longer = [m for m in sizes.after if m > size.after and _is_enough(seen[sizes.at(size.pilot, m)])]
        told.append(
            words.reach_needs(
                (larger[0], plural(past.noun)) if larger else None,
                (longer[0], f"{past.frequency.noun}s") if longer else None,
            )
        )
    return " ".join(told)


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _notes(past: Past, sizes: _Sizes, seen: dict[Size, Found], noun: str, draws: int) -> tuple[str, ...]:
    own = seen[sizes.own]
    error = np.sqrt(AGREED * (1 - AGREED) / draws)
    told = [words.either_way(_hundred(own.half_width)), words.false_alarms(own.false_positives)]
    if own.false_positives > AGREED + 3 * error:
        told.append("That is more than agreed: take the ranges for too narrow here.")
    lines = [" ".join(told)]
    other = [
        f"{words.per_cent(100 * share)} with {_periods(past, b)}"
        for b in sizes.before
        if b != sizes.own.before and (share := seen[replace(sizes.own, before=b)].four_in_five) is not None
    ]
    if other and own.four_in_five is not None:
        lines.append(
            f"The {noun} found four times in five would be {words.joint(other)} before the start in place of "
            f"{_periods(past, sizes.own.before)}."
        )
    errors = [found.error for found in seen.values() if found.error is not None]
    if errors:
        lines.append(
            f"With {words.number(draws)} draws sizes are right to about {words.plainly(200 * max(errors))} "
            f"points, and chances to about {words.number(200 * np.sqrt(0.25 / draws))} in 100."
        )
    return (*lines, FOUND, CHANCE_ONLY)


def _curve(study: Study, past: Past, sizes: _Sizes, seen: dict[Size, Found], noun: str) -> Curve:
    own = seen[sizes.own]
    relative = study.primary.worthwhile is not None and study.primary.worthwhile.form == "relative"
    return Curve(
        after=sizes.after,
        lines=tuple(
            (
                f"{n1} {_places(past, n1)}",
                tuple(_hundred(seen[sizes.at(n1, m)].four_in_five) for m in sizes.after),
            )
            for n1 in sizes.pilots
        ),
        worthwhile=_hundred(own.worthwhile) if relative else None,
        period=past.frequency.noun,
        noun=noun,
    )
