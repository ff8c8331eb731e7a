"""People: the matched effect on those matched, and the fall that before and after shows.

People discharged once each are made again: does the matched interval hold the effect on the
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
from ucimpact.data.simulate_people import Befriending, PeopleDraw, SoftLanding, soft_landing_truth
from ucimpact.methods.before_after import BeforeAfter
from ucimpact.methods.matched_cohort import MatchedCohort
from ucimpact.study import read_study

RECORDED = (
    "Age",
    "Deprivation fifth",
    "Long-term conditions",
    "Frailty score",
    "Lives alone",
    "Admissions 90 days before",
    "Admissions 91 to 365 days before",
)
FAMILY_OF = {
    "Admissions 90 days after": "poisson",
    "Readmitted within 30 days": "poisson",
    "Bed days 90 days after": "poisson",
    "Cost 90 days after": "gaussian",
}
OVER_DAYS = ("Admissions 90 days after", "Bed days 90 days after")


@dataclass(frozen=True, kw_only=True)
class Discharges:
    """People discharged once each, who have the service from that day or not."""

    def draw(self, seed: int) -> tuple[Cohort, PeopleDraw, BeforeAfter]:
        """The people of a seed, and how before and after is read of them."""
        drawn = SoftLanding().draw(seed)
        cohort = Cohort(
            drawn.table,
            person="Person",
            pilot="Soft landing",
            index_date="Discharge date",
            service_start="First contact",
            follow_up="Days followed",
            horizon=90,
        )
        before, after = "Admissions 90 days before", "Admissions 90 days after"
        return (
            cohort,
            drawn,
            BeforeAfter(outcome=after, before=before, before_days=90, at_least=1, at_event=True),
        )


@dataclass(frozen=True, kw_only=True)
class Clients:
    """The clients of the befriending example, drawn again."""

    def draw(self, seed: int) -> tuple[Cohort, PeopleDraw, BeforeAfter]:
        """The people of a seed, and how before and after is read of them."""
        study, drawn = read_study(EXAMPLES / "befriending" / "study.toml"), Befriending().draw(seed)
        roles, outcome = study.data, study.primary
        cohort = Cohort(
            drawn.table,
            person=str(roles.person),
            index_date=roles.index_date,
            service_start=roles.service_start,
            follow_up=roles.follow_up,
            horizon=roles.follow_up_days,
        )
        chosen = roles.chosen
        assert chosen is not None
        assert roles.before_days is not None
        asked = {"before_days": roles.before_days, "at_least": chosen.at_least, "at_event": chosen.at_event}
        return cohort, drawn, BeforeAfter(outcome=outcome.column, before=str(outcome.before), **asked)


def read_matched(drawn: tuple[Cohort, PeopleDraw, BeforeAfter]) -> Iterator[Record]:
    """Each planted effect and what was found of it, on the people who were matched."""
    cohort, draw, _ = drawn
    without_days = replace(cohort, follow_up=None)
    matched = None
    for outcome, family in FAMILY_OF.items():
        method = MatchedCohort(
            outcome=outcome, covariates=RECORDED, exact=("Hospital", "Sex"), ratio=2, family=family
        )
        if matched is None:
            sets = method.pairs(cohort).sets
            matched = np.isin(np.arange(len(draw.table)), sets["row"][sets["treated"].astype(bool)])
        effect = method.fit(cohort if outcome in OVER_DAYS else without_days).effect("att")
        truth = soft_landing_truth(draw.table, draw.potential, matched)[outcome]["att"]
        yield {
            "term": outcome,
            "coverage": bool(effect["conf_low"] <= truth <= effect["conf_high"]),
            "bias": effect["estimate"] - truth,
            "std_error": effect["std_error"],
        }


def read_before_after(drawn: tuple[Cohort, PeopleDraw, BeforeAfter]) -> Iterator[Record]:
    """What is made of a fall, much or all of which is picking."""
    cohort, draw, method = drawn
    estimate = method.fit(cohort)
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
                name="one discharge a person",
                process=Discharges(),
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
                process=process,
                methods=(Method(name="before-after", read=read_before_after),),
                draws=100,
                targets=(Target(measure="share too much", low=-0.05, high=0.05),),
            )
            for name, process in (("one discharge a person", Discharges()), ("befriending", Clients()))
        ),
    ),
)
