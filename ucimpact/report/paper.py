"""The commissioner's paper: the answer, then what a decision needs, in about four A4 pages.

Its sections are those of the technical appendix, cut to what a decision turns on: checks that hold are
named in a line and the others told in full, years ahead stand in the first of their columns, rows of other
analyses go without moved dates, what could have been found goes without its curve, and of the method stands
what was compared and how. Nothing is worked out here that the appendix has not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ucimpact.report.editions import APPENDIX, PAPER, elsewhere, of_paper
from ucimpact.report.included import FAR
from ucimpact.report.phrases import count, first_sentence, stopped
from ucimpact.report.section import Note, Section
from ucimpact.report.view import View
from ucimpact.words import joint

COMPARED = ("The pilot", "The population", "The comparison", FAR)
"""Facts of who was included that the paper keeps."""


def paper(whole: View) -> View:
    """What the page shows, from what the technical appendix shows."""
    about = next((dict(section.facts) for section in whole.sections if section.ident == "who"), {})
    return replace(
        whole,
        title=whole.title.replace(APPENDIX.name.lower(), "evaluation report"),
        kicker=(whole.kicker[0].replace(APPENDIX.name, "Evaluation"), whole.kicker[1]),
        sections=tuple(filter(None, (_cut(section, about) for section in of_paper(whole.sections)))),
        footer=f"{whole.footer} {elsewhere(PAPER)}".strip(),
    )


def _cut(section: Section, about: Mapping[str, str]) -> Section | None:
    """A section as the paper has it; None where nothing is left of it."""
    match section.ident:
        case "trust":
            return _trust(section)
        case "agree":
            return _agree(section)
        case "found":
            return replace(section, figure=None, note=None)
        case "budget":
            return replace(section, tables=section.tables[:1], note=None)
        case "money":
            return replace(section, note=_short(section.note))
        case "how":
            return _how(section, about)
        case _:
            return section


def _trust(section: Section) -> Section:
    """The checks that do not hold in full, and the questions of the others in a line."""
    held = [check.question for check in section.checks if check.answer == "holds"]
    open_ = tuple(replace(check, table=None) for check in section.checks if check.answer != "holds")
    closing = ""
    if held:
        noun = "check holds" if len(held) == 1 else "checks hold"
        closing = f"{count(len(held))} {noun}: {joint([f'“{question}”' for question in held])}."
    return replace(section, checks=open_, closing=closing, note=None)


def _agree(section: Section) -> Section | None:
    """Other analyses without the moved dates; None where those were all."""
    if section.rows is None:
        return section
    first = section.rows.groups[0]
    if len(first.rows) < 2 and not section.refused:
        return None
    return replace(section, rows=replace(section.rows, groups=(first,)))


def _short(note: Note | None) -> Note | None:
    """The figures of a note without the list of its sources."""
    if note is None:
        return None
    kept = tuple(part for part in note.paragraphs if "come from" not in part[0])
    return replace(note, paragraphs=kept) if kept or note.facts else None


def _how(section: Section, about: Mapping[str, str]) -> Section:
    """Who was compared with whom, and the method in its first words."""
    facts = tuple((name, stopped(about[name])) for name in COMPARED if about.get(name))
    method = f"{section.bold} {first_sentence(' '.join(section.text))[0]}".strip()
    return Section(
        ident="how",
        heading="Who was compared, and how?",
        kind="data",
        facts=(*facts, ("The method", method)),
    )
