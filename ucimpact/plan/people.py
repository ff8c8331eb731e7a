"""A plan for people: how many with the service, for how long, from what the study file expects of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ucimpact import words
from ucimpact.errors import UsageError
from ucimpact.inference.power import FOUR_IN_FIVE, TwoGroups
from ucimpact.plan.planned import CHANCE_ONLY, FOUND, Beside, Planned, caption_of
from ucimpact.study import Outcome, Plan, Study
from ucimpact.words.numbers import mid_sentence

DISPERSION = 1.5
"""Variance over mean of admissions per person where nothing is declared: some people come again and again."""
PEOPLE = (60, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
MONTHS = (3, 6, 12, 24, 36, 60, 120)
SHARES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
"""Changes, as shares of what is expected, of the table that says what each takes."""
YEAR = 365.25


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


@dataclass(frozen=True, kw_only=True)
class _Reach:
    """What so many people supported find, when some cannot be compared and some others are served later.

    Attributes
    ----------
    design : TwoGroups
        Of the people who are compared.
    kept : float
        Share of those supported who can be matched and followed.
    seen : float
        Share of what the service does that the number shows: the people compared with who have it later hide
        the rest.
    sign : int
    """

    design: TwoGroups
    kept: float
    seen: float
    sign: int

    def chance(self, supported: float, size: float) -> float:
        """That a change of this size is found."""
        return self.design.chance(supported * self.kept, self.sign * size * self.seen)

    def findable(self, supported: float) -> float | None:
        """The smallest change found four times in five; None: not even all."""
        found = self.design.findable(supported * self.kept, self.sign)
        if found is None:
            return None
        room = self.design.mean if self.sign < 0 else 1 - self.design.mean
        size = found / self.seen
        limited = self.design.kind == "binary" or (self.design.kind == "count" and self.sign < 0)
        return None if limited and size > room else size

    def needed(self, size: float) -> int | None:
        """The fewest people supported with whom a change of this size is found four times in five."""
        found = self.design.people_needed(self.sign * size * self.seen)
        return None if found is None else math.ceil(found / self.kept - 1e-9)


def people(study: Study, plan: Plan) -> Planned:
    """The plan of a study of people."""
    assert plan.base is not None
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
        design_effect=plan.design_effect or 1.0,
    )
    reach = _Reach(design=design, kept=plan.found_match or 1.0, seen=1 - (plan.later or 0.0), sign=units.sign)
    w = _worthwhile_per_person(units)
    needed = None if w is None else reach.needed(w)
    return Planned(
        title=f"{study.title}: what an evaluation could find",
        taken=_taken_of_people(study, plan, design, units),
        caption=caption_of(outcome, units.noun),
        head=_head(plan, units, w),
        rows=tuple(_row(n, plan, reach, units, w) for n in _numbers(plan, needed)),
        key="",
        answer=_answer(needed, w, plan, units),
        notes=(f"{FOUND} {_lost(plan)}The last of them {_must_be_followed(study)}.", CHANCE_ONLY),
        beside=_other_sizes(study, plan, reach, units),
    )


def _lost(plan: Plan) -> str:
    if plan.found_match:
        return ""
    return "People who cannot be matched, or are lost before the end, do not count: plan for more. "


def _other_sizes(study: Study, plan: Plan, reach: _Reach, units: _Units) -> Beside:
    """How many people, and how long, a change of each size takes."""
    days, pace = study.data.follow_up_days, plan.people_per_month
    head = [f"A {units.noun} of", "That is", "People supported"]
    head += ["People offered it"] if plan.uptake else []
    head += [f"Time, at {words.plainly(pace)} a month"] if pace else []
    head += [f"And {days:,.0f} days to follow the last"] if pace and days else []
    rows = []
    for share in SHARES:
        size = share * units.mean
        needed = reach.needed(size) if _has_room(share, units) else None
        cells = [f"{words.number(100 * share)}%", units.size(size)]
        if needed is None:
            rows.append((*cells, "no number is enough", *[""] * (len(head) - 3)))
            continue
        cells.append(words.about(needed))
        cells += [words.about(needed / plan.uptake)] if plan.uptake else []
        cells += [words.lasting(needed / pace / 12)] if pace else []
        cells += [words.lasting(needed / pace / 12 + days / YEAR)] if pace and days else []
        rows.append(tuple(cells))
    caption = (
        f"What a {units.noun} of each size in {mid_sentence(units.outcome.label)} takes to be found four "
        "times in five"
    )
    return Beside(caption=caption, head=tuple(head), rows=tuple(rows))


def _has_room(share: float, units: _Units) -> bool:
    """A yes or no cannot rise beyond everybody."""
    return not (units.sign > 0 and units.outcome.kind == "binary") or units.mean * (1 + share) < 1


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
    if study.data.events is not None:
        lines.append(
            f"The people compared with are those whose day in `{study.data.service_start}` (service_start, "
            "under [data]) is empty or still to come, so this supposes that the table of people holds them "
            "too. From clients alone no number could tell."
        )
    elif study.data.pilot is None:
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
    if plan.design_effect:
        more = 100 * (plan.design_effect - 1)
        lines.append(
            f"People are alike in ways that take {words.number(more)}% more of them (design effect "
            f"{plan.design_effect:g}, as declared)."
        )
    if plan.uptake:
        lines.append(f"Of people offered it {words.number(100 * plan.uptake)}% take it (as declared).")
    if plan.found_match:
        lines.append(
            f"Of people supported {words.number(100 * plan.found_match)}% can be matched and followed (as "
            "declared); the tables count all who are supported."
        )
    if plan.later:
        lines.append(
            f"Of the people compared with {words.number(100 * plan.later)}% will have it later (as "
            "declared), which hides about as much of what it does. Sizes here are against never having it."
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


def _row(n: int, plan: Plan, reach: _Reach, units: _Units, w: float | None) -> tuple[str, ...]:
    smallest = reach.findable(n)
    cells = [words.number(n)]
    cells += [words.lasting(n / plan.people_per_month / 12)] if plan.people_per_month else []
    if smallest is None:
        cells += ["none", "too few people"]
    else:
        cells += [units.size(smallest), f"{words.number(100 * smallest / units.mean)}%"]
    if w is None:
        return tuple(cells)
    chance = reach.chance(n, w)
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
