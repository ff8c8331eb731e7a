"""Reporting guidelines, filled in where these reports answer an item and "needs you" where they do not.

TARGET is for people compared without a lot, STROBE and RECORD's items for routine records for every study,
and CHEERS where money is worked out. The items stand in ``checklists.toml``, in words of our own with the
source of each guideline. A journal asks for these tables; a reader of the appendix sees at a glance what is
not yet said.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ucimpact.report.cohort import is_cohort
from ucimpact.report.filled import filled
from ucimpact.report.phrases import first_sentence, stopped
from ucimpact.report.section import Section
from ucimpact.report.tables import Table, table
from ucimpact.words import number
from ucimpact.words.statement import is_naive

NEEDS = "Needs you"
FIRST = "The first screen"
HERE, NOWHERE = "In this table", "Not in these reports"
CHECK = (
    "The topics are in our own words: check topics and numbers against the published list before you submit."
)
"""Stands above each guideline's table."""
LONGEST = 420
"""Letters of a filled text; a longer one is cut after a whole sentence, for the section has the rest."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of a guideline.

    Attributes
    ----------
    n : str
        Its number there.
    topic, asks : str
    fill : tuple of str
        Names of :data:`~ucimpact.report.filled.FILLED`.
    where : str
        Ident of a section, "answer" for the first screen, "" for nowhere.
    needs : str
        What only the author can write.
    """

    n: str
    topic: str
    asks: str
    fill: tuple[str, ...]
    where: str
    needs: str


@dataclass(frozen=True, kw_only=True)
class Guideline:
    """A reporting guideline with its items; ``doubt`` says what of them was not compared with the source."""

    name: str
    source: str
    about: str
    doubt: str
    items: tuple[Item, ...]

    @property
    def numbers(self) -> list[str]:
        """The numbers of its items: 6a to 6h are one."""
        return list(dict.fromkeys(item.n.rstrip("abcdefgh") for item in self.items))


@cache
def guidelines() -> Mapping[str, Guideline]:
    """Every guideline by its key."""
    text = resources.files("ucimpact.report").joinpath("checklists.toml").read_text(encoding="utf-8")
    return {
        key: Guideline(
            name=held["name"],
            source=held["source"],
            about=held["about"],
            doubt=held.get("doubt", ""),
            items=tuple(
                Item(
                    n=item["n"],
                    topic=item["topic"],
                    asks=item["asks"],
                    fill=tuple(item["from"]),
                    where=item.get("where", ""),
                    needs=item.get("needs", ""),
                )
                for item in held["item"]
            ),
        )
        for key, held in tomllib.loads(text).items()
    }


def chosen(document: Mapping[str, Any]) -> list[Guideline]:
    """The guidelines that fit the design of a document."""
    keys = ["strobe", "record"]
    if is_cohort(document) and not is_naive(document["finding"]):
        keys.insert(0, "target")
    if (document.get("valuation") or {}).get("columns"):
        keys.append("cheers")
    return [guidelines()[key] for key in keys]


def checklists(document: Mapping[str, Any], sections: Sequence[Section]) -> Section:
    """The section of the appendix: a table for each guideline.

    Parameters
    ----------
    document : mapping
        Released.
    sections : sequence of Section
        Those of the appendix, to say where an item is answered.
    """
    headings = {section.ident: section.heading for section in sections} | {"answer": FIRST}
    made, told = [], []
    for guideline in chosen(document):
        rows = [(item, filled(item.fill, document)) for item in guideline.items]
        open_ = {item.n.rstrip("abcdefgh") for item, text in rows if not text}
        n = len(guideline.numbers)
        told.append(f"{guideline.name}: {number(n - len(open_))} of {n} filled in")
        made.append(_table(guideline, rows, headings))
    return Section(
        ident="checklists",
        heading="Do these reports follow the reporting guidelines?",
        kind="tables",
        bold=f"{'; '.join(told)}. The others need you.",
        text=(
            "Each line says what the guideline asks in our own words, where this appendix answers it, and "
            "what stands there in short. What needs you nobody but the author can write.",
            *(f"{guideline.name}: {guideline.about}" for guideline in chosen(document)),
        ),
        tables=tuple(made),
    )


def _table(guideline: Guideline, rows: Sequence[tuple[Item, str]], headings: Mapping[str, str]) -> Table:
    cells = [
        [
            f"{item.n} {item.topic}",
            item.asks,
            headings.get(item.where, HERE) if text else NOWHERE,
            _short(text)
            if text
            else f"{NEEDS}: {item.needs or 'not known from the study file or the data'}.",
        ]
        for item, text in rows
    ]
    caption = " ".join(
        stopped(text)
        for text in (f"{guideline.name}. Source: {guideline.source}", CHECK, guideline.doubt)
        if text
    )
    return table(caption, ["Item", "What it asks", "Where", "In this evaluation"], cells, ())


def _short(text: str) -> str:
    """Whole sentences up to the longest that a cell should hold, at least one."""
    kept, rest = first_sentence(text)
    while rest:
        more, rest = first_sentence(rest)
        if len(kept) + len(more) > LONGEST:
            break
        kept = f"{kept} {more}"
    return kept
