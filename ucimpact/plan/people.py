"""A plan for people: how many with the service, for how long, from what the study file expects of them."""

from __future__ import annotations

from dataclasses import dataclass

from ucimpact import words
from ucimpact.errors import UsageError
from ucimpact.inference.power import FOUR_IN_FIVE, TwoGroups
from ucimpact.plan.planned import CHANCE_ONLY, FOUND, Planned, caption_of
from ucimpact.study import Outcome, Plan, Study

DISPERSION = 1.5
"""Variance over mean of admissions per person where nothing is declared: some people come again and again."""
PEOPLE = (60, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
MONTHS = (3, 6, 12, 24, 36, 60, 120)


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
    )
    w = _worthwhile_per_person(units)
    needed = None if w is None else design.people_needed(units.sign * w)
    return Planned(
        title=f"{study.title}: what an evaluation could find",
        taken=_taken_of_people(study, plan, design, units),
        caption=caption_of(outcome, units.noun),
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
