"""Which report shows which section: the paper a few in its own order, the appendix all of them.

Four reports are made of one released document. The board page and the impact statement have layouts of
their own and take no sections; the commissioner's paper and the technical appendix are lists of the same
sections, known by their idents. Every ident stands in one of the two tables below, so that a section that
is added is put into the paper or kept out of it on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ucimpact.report.section import Section


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One of the reports: its file, and what it calls itself at the head of the page."""

    file: str
    name: str
    about: str


PAPER = Edition(
    file="report.html",
    name="Commissioner’s paper",
    about="what a decision needs, in about four pages",
)
BOARD = Edition(file="board.html", name="Board page", about="the answer on one page")
STATEMENT = Edition(
    file="impact-statement.html",
    name="Impact statement",
    about="what a provider can say",
)
APPENDIX = Edition(
    file="appendix.html",
    name="Technical appendix",
    about="every analysis, check and choice",
)
EDITIONS = (PAPER, BOARD, STATEMENT, APPENDIX)

IN_PAPER = (
    "say", "effect", "naive", "sites", "money", "budget", "payers", "others", "trust", "agree",
    "triangulation", "found", "limits", "how",
)  # fmt: skip
"""Sections of the commissioner's paper, in its order."""
IN_APPENDIX_ALONE = (
    "path", "placebo", "first", "mean", "simpler", "decide-money", "subgroups", "unrecorded",
    "alternatives", "curve", "multiplicity", "planned", "who", "groups", "before", "monitor", "data",
    "checklists", "appendix",
)  # fmt: skip


def of_paper(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Those of the sections that the paper shows, in its order."""
    by_ident = {section.ident: section for section in sections}
    return tuple(by_ident[ident] for ident in IN_PAPER if ident in by_ident)


def elsewhere(own: Edition) -> str:
    """Where the rest is, by the names of the files beside this one."""
    others = [f"{one.file} ({one.about})" for one in EDITIONS if one is not own]
    return f"Beside this page: {', '.join(others)}."
