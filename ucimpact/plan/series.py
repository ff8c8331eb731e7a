"""A plan for one series: how many months before and after a date show a change of what size.

The statistics are those of :mod:`ucimpact.inference.series_power`. What a series varies by comes from
``[plan]``, else from its own past, else it is taken and said so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from ucimpact.data.periods import Frequency, parse_periods
from ucimpact.errors import DesignError, UsageError
from ucimpact.inference.power import FOUR_IN_FIVE
from ucimpact.inference.series_power import Law, SeriesPower
from ucimpact.methods.count_its import CountITS
from ucimpact.plan import series_telling as telling
from ucimpact.plan.planned import Planned, caption_of
from ucimpact.plan.series_judge import COUNTED, PLANNED, Plannable, judged, method_of, planned_as
from ucimpact.plan.series_past import SeriesPast, series_past
from ucimpact.study import Outcome, Plan, Study
from ucimpact.study.starting import PLAN

DRAWS = 1_000
HALF = 0.5
YEAR = 12
MONTH_SD = 0.08
RHO = 0.3
"""Ups and downs beyond counting, and their correlation, where nothing is declared or can be learnt."""

STRONG_RHO = 0.7
SOME_MONTH = "2030-04"
YEARS_BEFORE = (1.0, 2.0, 3.0, 5.0)
YEARS_AFTER = (0.5, 1.0, 2.0, 3.0)
LONGER_BEFORE = (7.0, 10.0)
LONGER_AFTER = (4.0, 5.0)
"""Beyond the table, looked at where nothing in it is long enough."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, order=True)
class Length:
    """Periods before the start, and from the start on."""

    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one length could find; shares of what is expected, None where there is none.

    Attributes
    ----------
    length : Length
    refused : str
        Why the method would refuse a series of this length; empty where it would not.
    four_in_five, error : float, optional
        The smallest change found four times in five, and its Monte Carlo standard error.
    false_positives, half_width : float, optional
    """

    length: Length
    refused: str = ""
    four_in_five: float | None = None
    error: float | None = None
    false_positives: float | None = None
    half_width: float | None = None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a series varies by, and where that comes from: "declared", "file" or "taken"."""

    law: Law
    sources: dict[str, str]
    past: SeriesPast | None


def series(study: Study, *, draws: int = DRAWS, progress: Progress) -> Planned:
    """The plan of a study of one series.

    Raises
    ------
    UsageError
        Where neither ``[plan]`` nor a file says how much to expect.
    DesignError
        Where the method would refuse a series of the declared length.
    """
    outcome, method = study.primary, method_of(study, planned_as(study))
    expected = expectation(study)
    if isinstance(method, CountITS) and outcome.kind != "count":
        raise DesignError(f'"count-its" is for a count, and {outcome.column} is none. Plan with "its"')
    frequency, start = _calendar(study, expected.past)
    year = YEAR if frequency.per_year is None else max(1, round(frequency.per_year))
    own = _own(study.plan, expected.past, year)
    before = sorted({*(max(1, round(y * year)) for y in YEARS_BEFORE), own.before})
    after = sorted({*(max(1, round(y * year)) for y in YEARS_AFTER), own.after})
    look = _Looking(
        method=method,
        frequency=frequency,
        start=start,
        law=expected.law,
        sign=_sign(outcome),
        draws=draws,
        seed=study.release.seed,
    )
    lengths = [Length(b, a) for b in before for a in after]
    seen: dict[Length, Found] = {}
    share = 0.0
    for done, length in enumerate(lengths):
        progress("Drawing", done, len(lengths))
        seen[length] = look.found(length, start=share)
        share = seen[length].four_in_five or 0.0
    if seen[own].refused:
        raise DesignError(seen[own].refused)
    worthwhile = worthwhile_share(outcome, expected.law.base, own.after)
    power = look.power(own)
    chance = None if worthwhile is None else power.chance(worthwhile)
    longer = {} if chance is None or chance >= FOUR_IN_FIVE else _longer(look, own, seen, worthwhile, year)
    beside = {
        "step": _beside(look, own, method=replace(method, shape="level")),
        "strong": _beside(look, own, law=replace(expected.law, rho=STRONG_RHO)),
    }
    if expected.law.counted and expected.law.base < telling.SMALL_COUNT and planned_as(study) == PLANNED:
        beside["counted"] = _beside(look, own, method=method_of(study, COUNTED))
    told = telling.Told(
        study=study,
        expected=expected,
        method=method,
        frequency=frequency,
        own=own,
        before=tuple(before),
        after=tuple(after),
        seen=seen,
        longer=longer,
        worthwhile=worthwhile,
        chance=chance,
        half=_known(power.smallest(HALF)[0]),
        beside=beside,
        draws=draws,
    )
    return Planned(
        title=f"{study.title}: what an evaluation could find",
        taken=told.taken(),
        caption=caption_of(outcome, told.noun),
        head=told.head(),
        rows=told.rows(),
        key=told.key(),
        answer=told.answer(),
        notes=told.notes(),
        records=tuple(
            _record(found, own, worthwhile, chance) for found in [*seen.values(), *longer.values()]
        ),
        curves=told.curves(),
    )


@dataclass(frozen=True, kw_only=True)
class _Looking:
    """Everything about a plan but its length."""

    method: Plannable
    frequency: Frequency
    start: int
    law: Law
    sign: int
    draws: int
    seed: int

    def power(self, length: Length) -> SeriesPower:
        judge = judged(
            self.method,
            self.frequency,
            self.start,
            before=length.before,
            after=length.after,
            base=self.law.base,
        )
        return SeriesPower(
            law=self.law, profile=judge.profile, judge=judge, sign=self.sign, draws=self.draws, seed=self.seed
        )

    def found(self, length: Length, *, start: float = 0.0) -> Found:
        """What a length could find; the search begins at ``start``."""
        try:
            power = self.power(length)
        except DesignError as refused:
            return Found(length=length, refused=str(refused))
        share, error = power.smallest(FOUR_IN_FIVE, start=start)
        return Found(
            length=length,
            four_in_five=_known(share),
            error=_known(error),
            false_positives=power.false_positives,
            half_width=_known(power.half_width()),
        )


def _known(value: float) -> float | None:
    return value if value < float("inf") else None


def _sign(outcome: Outcome) -> int:
    return -1 if outcome.better == "lower" else 1


def expectation(study: Study) -> Expected:
    """The law of the series: what ``[plan]`` declares, else its own past, else what is taken."""
    plan, outcome = study.plan or Plan(), study.primary
    counted = outcome.kind == "count"
    past = series_past(study, dispersion=max(plan.dispersion or 1.0, 1.0))
    own = past.learnt if past else None
    if plan.base is None and own is None:
        short = ""
        if past is not None:
            short = f" The file holds {past.periods} in a row before the start, too few to learn from."
        raise UsageError(
            f"the study file does not say what to expect.{short} Put the file of the series where [data] "
            f"names it, with two years of figures or more, or add, with your own numbers:\n\n"
            f"{PLAN['series']}\nThen plan again."
        )
    sources: dict[str, str] = {}

    def chosen(name: str, declared: float | None, learnt: float | None, taken: float) -> float:
        known = learnt is not None and learnt == learnt  # nan: too little to tell
        sources[name] = "declared" if declared is not None else "file" if known else "taken"
        return declared if declared is not None else learnt if known and learnt is not None else taken

    base = chosen("base", plan.base, own.base if own else None, 0.0)
    sd = chosen("month_sd", plan.month_sd, own.sd if own else None, MONTH_SD)
    rho = chosen("autocorrelation", plan.autocorrelation, own.rho if own else None, RHO)
    dispersion = chosen("dispersion", plan.dispersion, None, 1.0)
    law = Law(base=base, sd=sd, rho=rho, dispersion=max(dispersion, 1.0), counted=counted)
    return Expected(law=law, sources=sources, past=past)


def _calendar(study: Study, past: SeriesPast | None) -> tuple[Frequency, int]:
    """The frequency, months where there is no file; and a start."""
    if past is not None:
        return past.frequency, past.start
    day = study.data.start
    parsed = parse_periods(pd.Series([f"{day:%Y-%m}" if isinstance(day, dt.date) else SOME_MONTH]))
    return parsed.frequency, int(parsed.ordinals[0])


def _own(plan: Plan | None, past: SeriesPast | None, year: int) -> Length:
    before = (plan.months_before if plan else None) or (past.before if past else None) or 2 * year
    after = (plan.months_after if plan else None) or (past.after if past else None) or year
    return Length(before, after)


def worthwhile_share(outcome: Outcome, base: float, after: int) -> float | None:
    """The smallest change worth having, as a share of what is expected."""
    agreed = outcome.worthwhile
    if agreed is None:
        return None
    if agreed.form == "relative":
        return abs(agreed.change)
    if agreed.form == "absolute":
        return abs(agreed.change) / (base * after if outcome.kind in ("count", "cost") else base)
    raise UsageError(
        f"worthwhile of {outcome.label}: a plan of one series knows events and not people. Agree a share, "
        "such as worthwhile = -0.05"
    )


def _longer(
    look: _Looking, own: Length, seen: dict[Length, Found], worthwhile: float | None, year: int
) -> dict[Length, Found]:
    """Longer lengths than the table has, where it has none on that side that is enough."""
    asked: list[Length] = []
    before, after = ([round(y * year) for y in years] for years in (LONGER_BEFORE, LONGER_AFTER))
    if not telling.first_enough(seen.values(), worthwhile, before=own.before):
        asked += [Length(own.before, a) for a in after if a > own.after]
    if not telling.first_enough(seen.values(), worthwhile, after=own.after):
        asked += [Length(b, own.after) for b in before if b > own.before]
    asked.append(Length(max(before[-1], own.before), max(after[-1], own.after)))
    return {length: look.found(length) for length in asked if length not in seen}


def _beside(look: _Looking, own: Length, **other: Any) -> float | None:
    """The change found four times in five at the declared length, with one thing otherwise."""
    share = replace(look, **other).power(own).smallest(FOUR_IN_FIVE)[0]
    return _known(share)


def _record(found: Found, own: Length, worthwhile: float | None, chance: float | None) -> dict[str, Any]:
    """A row of the file."""
    mine = found.length == own
    return {
        "periods_before": found.length.before,
        "periods_after": found.length.after,
        "declared": "yes" if mine else "",
        "smallest_found_four_in_five_percent": _percent(found.four_in_five),
        "monte_carlo_error_percent": _percent(found.error),
        "worthwhile_percent": _percent(worthwhile),
        "chance_worthwhile_is_found": None if chance is None or not mine else round(chance, 4),
        "false_positives": None if found.false_positives is None else round(found.false_positives, 4),
        "half_of_likely_range_percent": _percent(found.half_width),
        "refused": found.refused,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)
