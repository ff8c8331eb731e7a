"""From an evaluation document to what the page shows: finished strings, chart data, and nothing else.

The view is the only place between document and template where anything is worked out, ordered or
formatted. Sentences about the result arrive in the document; the view adds headings, captions and how
to read things. A section whose content the document lacks is not made.

Which parts of a document may be absent is said in ``docs/report.md``; the rest is required, and a
document without it is a ``KeyError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ucimpact.report import (
    before,
    cohort,
    groups,
    incidence,
    included,
    monitoring,
    subgroups,
    trials,
    unrecorded,
)
from ucimpact.report import curve as choices
from ucimpact.report import multiplicity as many
from ucimpact.report import planned as plans
from ucimpact.report import triangulation as designs
from ucimpact.report.answer import Answer, answer
from ucimpact.report.checklists import checklists
from ucimpact.report.editions import APPENDIX
from ucimpact.report.money import money
from ucimpact.report.money_beside import beside_money
from ucimpact.report.phrases import css_string, day, stopped, tidy
from ucimpact.report.section import Section
from ucimpact.report.sections import (
    agree,
    appendix,
    effect,
    found,
    how,
    limits,
    others,
    path,
    placebo,
    say,
    sites,
    trust,
)
from ucimpact.words import capital


@dataclass(frozen=True, kw_only=True)
class View:
    """The page."""

    title: str
    example: bool
    margin: str
    kicker: tuple[str, str]
    answer: Answer
    sections: tuple[Section, ...]
    footer: str


def view(document: Mapping[str, Any]) -> View:
    """What the page shows of a document."""
    document = tidy(document)
    study, finding = document["study"], document["finding"]
    made = _of_people(document) if cohort.is_cohort(document) else _of_places(document)
    about = [
        study["population"],
        _dates(document),
        f"Report of {day(document['created'])}",
    ]
    return View(
        title=f"{finding['sentences']['headline']} – {study['title']} – {APPENDIX.name.lower()}",
        example=bool(study["example"]),
        margin=css_string("Example with invented numbers" if study["example"] else study["title"]),
        kicker=(
            f"{APPENDIX.name}: {stopped(study['title'])}",
            " ".join(stopped(text) for text in about if text),
        ),
        answer=answer(document),
        sections=_with_checklists(document, tuple(section for section in made if section is not None)),
        footer=footer(document),
    )


def _with_checklists(document: Mapping[str, Any], made: tuple[Section, ...]) -> tuple[Section, ...]:
    """The reporting guidelines before the last section, which is the analysis in full."""
    return (*made[:-1], checklists(document, made), *made[-1:])


def _dates(document: Mapping[str, Any]) -> str:
    """From when to when, unless the population says so."""
    window = document["data"].get("window") or ()
    if window and all(str(end) in document["study"]["population"] for end in window):
        return ""
    return capital(" to ".join(window))


def _of_places(document: Mapping[str, Any]) -> tuple[Section | None, ...]:
    """The sections of a report on places or a series, in the order of the page."""
    return (
        effect(document), path(document), placebo(document), sites(document), say(document), money(document),
        *beside_money(document),
        limits(document), others(document), many.multiplicity(document), trust(document), agree(document),
        choices.curve(document), designs.triangulation(document), found(document),
        included.who(document), monitoring.section(document), how(document),
        plans.planned(document), included.data(document), appendix(document),
    )  # fmt: skip


def _of_people(document: Mapping[str, Any]) -> tuple[Section | None, ...]:
    """The sections of a report on people, in the order of the page."""
    return (
        cohort.effect(document), incidence.first_time(document), incidence.mean_count(document),
        cohort.naive(document), trials.simpler(document), say(document), money(document),
        *beside_money(document), limits(document),
        subgroups.subgroups(document), others(document), many.multiplicity(document), trust(document),
        unrecorded.unrecorded(document), agree(document), choices.curve(document),
        designs.triangulation(document), trials.alternatives(document), found(document),
        included.who(document), groups.groups(document), before.before(document), how(document),
        plans.planned(document), included.data(document), appendix(document),
    )  # fmt: skip


def footer(document: Mapping[str, Any]) -> str:
    """The last line of the page."""
    study = document["study"]
    if study["example"]:
        return (
            "Example with invented numbers, made to show how an evaluation reads. "
            "Not evidence about any real service."
        )
    return stopped(f"{study['title']}. {study['by']}".strip(". "))
