"""Before a pilot: how many people or places it takes, for how long, and the smallest change to be found.

Everything follows from what the study file declares in ``[plan]`` and ``worthwhile``; no record is read.
The arithmetic is that of :mod:`ucimpact.inference.power`, which the report of the finished evaluation
uses too.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ucimpact import words
from ucimpact.errors import DesignError, UsageError
from ucimpact.finding import mid_sentence
from ucimpact.inference.few_clusters import FEWEST_COMPARISON
from ucimpact.inference.power import FOUR_IN_FIVE, PlaceChanges, TwoGroups
from ucimpact.study import Outcome, Plan, Study
from ucimpact.study.starting import PLAN

WIDTH = 100
COLUMN = 17
"""Characters at which a heading is broken."""
DISPERSION = 1.5
"""Variance over mean of admissions per person where nothing is declared: some people come again and again."""
PEOPLE = (60, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
MONTHS = (3, 6, 12, 24, 36, 60, 120)
TIMES_THE_PLACES = (1.0, 1.5, 2.0, 3.0, 4.0)
MOST_PLACES = 500
MOST_MONTHS = 120

FOUND = "Found means that the likely range would leave out no change."
CHANCE_ONLY = (
    "This counts chance only. People picked at their worst get better anyway, and so do places picked "
    "for a bad spell; no number of either mends that, only a fair comparison does."
)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan as a provider reads it.

    Attributes
    ----------
    title : str
    taken : tuple of str
        What was taken for granted.
    caption : str
    head : tuple of str
    rows : tuple of tuple of str
    key : str
        What a mark in the table means.
    answer : str
        The one sentence.
    notes : tuple of str
    """

    title: str
    taken: tuple[str, ...]
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    key: str
    answer: str
    notes: tuple[str, ...]

    def text(self) -> str:
        """For a terminal."""
        parts = [
            self.title,
            "\n".join(_wrapped(line) for line in self.taken),
            f"{self.caption}\n\n{_aligned(self.head, self.rows)}",
            self.key,
            _wrapped(self.answer),
            "\n".join(_wrapped(line) for line in self.notes),
        ]
        return "\n\n".join(part for part in parts if part)


def make(study: Study) -> Planned:
    """The plan of a study that compares people or places.

    Raises
    ------
    UsageError
        For one series, or where the study file does not say what to expect.
    DesignError
        For fewer comparison places than any range needs.
    """
    kind = study.data.kind
    if kind == "series":
        raise UsageError(
            "a plan for one series is not in this version. If other places can be counted beside yours, "
            'declare kind = "panel"; if not, collect 24 months or more before the start'
        )
    if study.plan is None:
        raise UsageError(
            "the study file does not say what to expect. Add, with your own numbers:\n\n"
            f"{PLAN[kind]}\nThen plan again."
        )
    return _people(study, study.plan) if kind == "cohort" else _places(study, study.plan)


# -- people ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Units:
    """How an effect per person is written: ``base`` people of a count, else pounds or points a person."""

    outcome: Outcome
    mean: float
    base: int | None

    @property
    def sign(self) -> int:
        return -1 if self.outcome.better == "lower" else 1

    @property
    def noun(self) -> str:
        return "fall" if self.sign < 0 else "rise"

    @property
    def per(self) -> str:
        return "" if self.base else "a person"

    def shown(self, effect: float) -> float:
        return effect * (self.base or 1)

    def size(self, effect: float) -> str:
        """ "4 per 100", "£90 a person"."""
        value = self.shown(effect)
        pound = "£" if self.outcome.kind == "cost" else ""
        unit = f"per {self.base:,}" if self.base else self.per
        return f"{pound}{words.number(value) if value >= 100 else words.plainly(value)} {unit}"


def _people(study: Study, plan: Plan) -> Planned:
    outcome = study.primary
    counted = outcome.kind in ("count", "binary")
    mean = plan.base / 100 if counted else plan.base
    units = _Units(outcome=outcome, mean=mean, base=words.base_for(mean) if counted else None)
    design = TwoGroups(
        kind=outcome.kind if outcome.kind in ("binary", "count") else "measured",
        mean=mean,
        dispersion=plan.dispersion or DISPERSION,
        sd=plan.sd or 1.0,
        ratio=_ratio(study, plan),
        cluster_size=plan.cluster_size or 1.0,
        icc=plan.icc or 0.0,
    )
    w = _worthwhile_per_person(units)
    needed = None if w is None else design.people_needed(units.sign * w)
    return Planned(
        title=f"{study.title}: what an evaluation could find",
        taken=_taken_of_people(study, plan, design, units),
        caption=_caption(outcome, units.noun),
        head=_head(plan, units, w),
        rows=tuple(_row(n, plan, design, units, w) for n in _numbers(plan, needed)),
        key="",
        answer=_answer(needed, w, plan, units),
        notes=(
            f"{FOUND} People who cannot be matched, or are lost before the end, do not count: plan for more. "
            f"The last of them {_must_be_followed(study)}.",
            CHANCE_ONLY,
        ),
    )


def _must_be_followed(study: Study) -> str:
    days = study.data.follow_up_days
    return f"need {days:,.0f} days of follow-up" if days else "need time to be followed up"


def _ratio(study: Study, plan: Plan) -> float:
    """Declared for the plan, else for the method."""
    declared = study.method.options.get("ratio", 1)
    return plan.ratio or float(declared)


def _worthwhile_per_person(units: _Units) -> float | None:
    """The smallest worthwhile effect per person, above 0."""
    agreed, outcome = units.outcome.worthwhile, units.outcome
    if agreed is None:
        return None
    size = abs(agreed.change)
    if agreed.form == "relative":
        size *= units.mean
    elif agreed.form == "per":
        size /= agreed.base or 1
    elif units.base:
        raise UsageError(
            f"worthwhile of {outcome.label}: a plan knows no total. Agree a share, as in worthwhile = -0.1, "
            "or so many for every 100 people: { per = -4, base = 100 }"
        )
    room = 1 - units.mean if units.sign > 0 and outcome.kind == "binary" else units.mean
    if units.base and (units.sign < 0 or outcome.kind == "binary") and size >= room:
        raise UsageError(
            f"worthwhile of {outcome.label}: a {units.noun} of {units.size(size)} has no room beside the "
            f"{units.size(units.mean)} that [plan] expects. Agree a smaller one, or correct base"
        )
    return size


def _taken_of_people(study: Study, plan: Plan, design: TwoGroups, units: _Units) -> tuple[str, ...]:
    outcome, days = units.outcome, study.data.follow_up_days
    over = f" over {days:,.0f} days" if days else ""
    lines = [
        f"Expected without {study.subject}: {units.size(units.mean)} people{over}."
        if units.base
        else f"Expected without {study.subject}: {units.size(units.mean)}{over}, give or take "
        f"{units.size(design.sd).removesuffix(' a person')} (standard deviation)."
    ]
    lines.append(
        f"Compared with {words.plainly(design.ratio)} similar {'person' if design.ratio == 1 else 'people'} "
        "for each person supported."
    )
    if study.data.pilot is None:
        lines.append(
            "The study file names nobody without the service (pilot, under [data]), so this supposes that "
            "similar people can be found. From clients alone no number could tell."
        )
    if outcome.kind == "count":
        guess = "" if plan.dispersion else " (taken, because nothing was declared)"
        lines.append(f"Variance of the count over its mean: {words.plainly(design.dispersion)}{guess}.")
    if plan.icc:
        more = 100 * (design.cluster_size - 1) * design.icc
        lines.append(
            f"People come in clusters of {words.plainly(design.cluster_size)} who are alike (correlation "
            f"{design.icc:g}), which takes {words.number(more)}% more people."
        )
    return tuple(lines)


def _head(plan: Plan, units: _Units, w: float | None) -> tuple[str, ...]:
    head = ["People supported"]
    head += [f"Time, at {words.plainly(plan.people_per_month)} a month"] if plan.people_per_month else []
    head += [f"Smallest {units.noun} found", "As a share"]
    return (*head, *([] if w is None else [f"A {units.noun} of {units.size(w)} is found", ""]))


def _numbers(plan: Plan, needed: int | None) -> list[int]:
    """Rows of the table: round numbers of people or months up to the first that is enough, and that one."""
    if plan.people_per_month:
        grid = [round(plan.people_per_month * months) for months in MONTHS]
    else:
        grid = list(PEOPLE)
    grid = [n for n in dict.fromkeys(grid) if n >= 2]
    if needed is None:
        return grid[:8]
    return sorted({*[n for n in grid if n < needed], needed, *[n for n in grid if n > needed][:1]})


def _row(n: int, plan: Plan, design: TwoGroups, units: _Units, w: float | None) -> tuple[str, ...]:
    smallest = design.findable(n, units.sign)
    cells = [words.number(n)]
    cells += [words.lasting(n / plan.people_per_month / 12)] if plan.people_per_month else []
    if smallest is None:
        cells += ["none", "too few people"]
    else:
        cells += [units.size(smallest), f"{words.number(100 * smallest / units.mean)}%"]
    if w is None:
        return tuple(cells)
    chance = design.chance(n, units.sign * w)
    return (*cells, words.times(chance), "enough" if chance >= FOUR_IN_FIVE else "")


def _answer(needed: int | None, w: float | None, plan: Plan, units: _Units) -> str:
    if w is None:
        return f"{words.NO_WORTHWHILE} Agree it now, as worthwhile = -0.1 in [[outcome]], and plan for that."
    if needed is None:
        return f"A {units.noun} of {units.size(w)} is too small for any number of people to find."
    pace = plan.people_per_month
    return words.takes(
        needed,
        units.shown(w),
        units.base,
        per_year=12 * pace if pace else None,
        better=units.outcome.better,
        kind=units.outcome.kind,
        per=units.per,
        pace="at that pace",
    )


# -- places ------------------------------------------------------------------------------


def _places(study: Study, plan: Plan) -> Planned:
    design = PlaceChanges(
        base=plan.base,
        pilot=plan.pilot_places or 0,
        comparison=plan.comparison_places or 0,
        before=plan.months_before or 0,
        after=plan.months_after or 0,
        dispersion=plan.dispersion or 1.0,
        change_sd=plan.change_sd or 0.0,
        month_sd=plan.month_sd or 0.0,
        autocorrelation=plan.autocorrelation or 0.0,
    )
    if design.comparison < FEWEST_COMPARISON:
        raise DesignError(words.few_comparison(design.comparison))
    outcome = study.primary
    noun = "fall" if outcome.better == "lower" else "rise"
    share = _worthwhile_share(outcome, design)
    months = sorted({3, 6, 12, 24, design.after})
    rows = tuple(
        (
            str(n1),
            str(n0),
            *(_share(replace(design, pilot=n1, comparison=n0, after=m), share) for m in months),
        )
        for n1, n0 in _sizes(design)
    )
    return Planned(
        title=f"{study.title}: what an evaluation could find",
        taken=_taken_of_places(study, plan, design),
        caption=_caption(outcome, noun),
        head=("Pilot places", "Other places", *(f"{m} month{'s' if m > 1 else ''} after" for m in months)),
        rows=rows,
        key=_key(rows, share, noun),
        answer=_answer_of_places(design, share, noun),
        notes=(
            f"{FOUND} More months help only until what is left is how far places drift apart.",
            CHANCE_ONLY,
        ),
    )


def _worthwhile_share(outcome: Outcome, design: PlaceChanges) -> float | None:
    agreed = outcome.worthwhile
    if agreed is None:
        return None
    if agreed.form == "relative":
        return abs(agreed.change)
    if agreed.form == "absolute":
        return abs(agreed.change) / (design.pilot * design.after) / design.base
    raise UsageError(
        f"worthwhile of {outcome.label}: a plan of places knows events and not people. Agree a share, such "
        "as worthwhile = -0.05"
    )


def _taken_of_places(study: Study, plan: Plan, design: PlaceChanges) -> tuple[str, ...]:
    lines = [
        f"Expected without {study.subject}: {words.plainly(design.base)} a place and month; "
        f"{design.before} months before the start.",
    ]
    if plan.change_sd is not None:
        lines.append(
            f"Places drift apart from before to after by {100 * plan.change_sd:g}% (standard deviation)."
        )
    if plan.month_sd is not None:
        alike = (
            f", one month like the next (correlation {design.autocorrelation:g})"
            if plan.autocorrelation
            else ""
        )
        lines.append(f"A place’s months stray by {100 * plan.month_sd:g}% beyond counting{alike}.")
    return tuple(lines)


def _sizes(design: PlaceChanges) -> list[tuple[int, int]]:
    """Places as asked, and more of both in the same proportion."""
    return [(round(k * design.pilot + 1e-9), round(k * design.comparison + 1e-9)) for k in TIMES_THE_PLACES]


def _key(rows: Sequence[Sequence[str]], share: float | None, noun: str) -> str:
    if share is None:
        return ""
    change = f"the {noun} of {words.plainly(100 * share)}% worth having"
    if any("*" in cell for row in rows for cell in row):
        return f"* finds {change}"
    return f"No size in the table finds {change}."


def _share(design: PlaceChanges, worthwhile: float | None) -> str:
    size = design.precision.findable() / design.base
    if size > 1:
        return "none"
    mark = "" if worthwhile is None else " *" if size <= worthwhile else "  "
    return f"{words.plainly(100 * size)}%{mark}"


def _answer_of_places(design: PlaceChanges, share: float | None, noun: str) -> str:
    if share is None:
        return f"{words.NO_WORTHWHILE} Agree it now, as worthwhile = -0.05 in [[outcome]], and plan for that."
    effect = share * design.base

    def enough(other: PlaceChanges) -> bool:
        return other.precision.chance(effect) >= FOUR_IN_FIVE

    per_pilot = design.comparison / design.pilot
    more = ((n, max(FEWEST_COMPARISON, round(n * per_pilot))) for n in range(design.pilot, MOST_PLACES + 1))
    months = range(design.after, MOST_MONTHS + 1)
    return words.takes_places(
        100 * share,
        (design.pilot, design.comparison, design.after),
        design.precision.chance(effect),
        next((n for n in more if enough(replace(design, pilot=n[0], comparison=n[1]))), None),
        next((m for m in months if enough(replace(design, after=m))), None),
        noun,
    )


# -- text --------------------------------------------------------------------------------


def _caption(outcome: Outcome, noun: str) -> str:
    return f"The smallest {noun} in {mid_sentence(outcome.label)} that would be found four times in five"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns set to the right under headings that are broken over lines."""
    heads = [textwrap.wrap(name, COLUMN) or [""] for name in head]
    depth = max(map(len, heads))
    lines = [
        [column[k - depth + len(column)] if k >= depth - len(column) else "" for column in heads]
        for k in range(depth)
    ]
    wide = [max(len(line[c]) for line in [*lines, *rows]) for c in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, wide, strict=True)).rstrip()
        for line in [*lines, *rows]
    )
