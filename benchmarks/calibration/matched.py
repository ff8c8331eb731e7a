"""People: the matched effect on those matched, and the fall that before and after shows.

The people of the soft landing example are made again: does the matched interval hold the effect on the
people who were matched, how far off is it in standard errors, and how much of the fall that before and
after shows is put down to picking people at a bad time? Beside it, clients of a charity for whom nothing
changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.calibration.board import Cell, Family, Method, Record, Target
from benchmarks.calibration.examples import EXAMPLES
from ucimpact.data.cohort import Cohort
from ucimpact.data.simulate_people import Befriending, SoftLanding, soft_landing_truth
from ucimpact.evaluation.people import FAMILIES as FAMILY_OF
from ucimpact.methods import build
from ucimpact.methods.before_after import BeforeAfter
from ucimpact.study import Study, read_study

DESIGNS = {"soft_landing": SoftLanding(), "befriending": Befriending()}


@dataclass(frozen=True, kw_only=True)
class People:
    """The people of an example, drawn again."""

    name: str

    def draw(self, seed: int) -> tuple[Study, Cohort, object]:
        """The study, its people and the draw with its truth."""
        study = read_study(EXAMPLES / self.name / "study.toml")
        drawn, roles = DESIGNS[self.name].draw(seed), study.data
        cohort = Cohort(
            drawn.table,
            person=str(roles.person),
            pilot=roles.pilot,
            index_date=roles.index_date,
            service_start=roles.service_start,
            follow_up=roles.follow_up,
            horizon=roles.follow_up_days,
        )
        return study, cohort, drawn


def read_matched(drawn: tuple[Study, Cohort, object]) -> Iterator[Record]:
    """Each planted effect and what was found of it, on the people who were matched."""
    study, cohort, draw = drawn
    without_days = replace(cohort, follow_up=None)
    matched = None
    for outcome in study.outcomes:
        if outcome.column not in draw.potential:
            continue
        options = {"family": FAMILY_OF[outcome.kind], **study.method.options}
        method = build(study.method.name, options, outcome=outcome.column)
        if matched is None:
            sets = method.pairs(cohort).sets
            matched = np.isin(np.arange(len(draw.table)), sets["row"][sets["treated"].astype(bool)])
        effect = method.fit(cohort if outcome.kind == "count" else without_days).effect("att")
        truth = soft_landing_truth(draw.table, draw.potential, matched)[outcome.column]["att"]
        yield {
            "term": outcome.column,
            "coverage": bool(effect["conf_low"] <= truth <= effect["conf_high"]),
            "bias": effect["estimate"] - truth,
            "std_error": effect["std_error"],
        }


def read_before_after(drawn: tuple[Study, Cohort, object]) -> Iterator[Record]:
    """What is made of a fall, much or all of which is picking."""
    study, cohort, draw = drawn
    chosen, outcome = study.data.chosen, study.primary
    assert chosen is not None
    estimate = BeforeAfter(
        outcome=outcome.column,
        before=str(outcome.before),
        before_days=study.data.before_days,
        at_least=chosen.at_least,
        at_event=chosen.at_event,
    ).fit(cohort)
    planted, read = draw.truth["before_after"], estimate.extras["regression"]
    yield {
        "term": "expected after",
        "coverage": bool(read["low"] <= planted["expected_after_without"] <= read["high"]),
        "fall": -estimate.effect("att")["estimate"],
        "share": read["share"],
        "share planted": planted["share_of_fall_without_service"],
        "share too much": read["share"] - planted["share_of_fall_without_service"],
    }


FAMILIES = (
    Family(
        name="matched",
        title="Matched people (target: covered in 92% to 98.5%, bias under a fifth of a standard error)",
        about="The effect is that on the people who were matched.",
        cells=(
            Cell(
                name="soft_landing",
                process=People(name="soft_landing"),
                methods=(Method(name="matched-cohort", read=read_matched),),
                draws=200,
                targets=(
                    Target(measure="coverage", low=0.92, high=0.985),
                    Target(measure="bias in SE", low=-0.2, high=0.2),
                ),
            ),
        ),
    ),
    Family(
        name="before-after",
        title="The fall that before and after shows, and the share put down to picking (target: within 0.05)",
        about="People without soft landing at the same count before are in less need otherwise, so a little "
        "too much is put down to picking.",
        cells=tuple(
            Cell(
                name=name,
                process=People(name=name),
                methods=(Method(name="before-after", read=read_before_after),),
                draws=100,
                targets=(Target(measure="share too much", low=-0.05, high=0.05),),
            )
            for name in DESIGNS
        ),
    ),
)
