"""A plan for places from the figures that the study file expects of them, before there is a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ucimpact import words
from ucimpact.errors import DesignError, UsageError
from ucimpact.inference.few_clusters import FEWEST_COMPARISON
from ucimpact.inference.power import FOUR_IN_FIVE, PlaceChanges
from ucimpact.plan.planned import CHANCE_ONLY, FOUND, Planned, caption_of
from ucimpact.study import Outcome, Plan, Study

TIMES_THE_PLACES = (1.0, 1.5, 2.0, 3.0, 4.0)
MOST_PLACES = 500
MOST_MONTHS = 120


def places(study: Study, plan: Plan) -> Planned:
    """The plan of a study of places, from ``[plan]``."""
    assert plan.base is not None
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
        caption=caption_of(outcome, noun),
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
