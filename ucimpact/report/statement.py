"""The impact statement: what a provider may say on one page, from the document of the full report.

Under the headline stand how sure it is, whether it is worth the money and what to do next, so that the page
answers what the other reports answer. Everything printed comes from the released document; sentences are
those of the finding and of :mod:`ucimpact.words.statement`. Which blocks the page has follows from what was
found: a benefit, harm or little difference shows what the service cost and gave; a question that stays open,
what would settle it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ucimpact.report.board import worse
from ucimpact.report.cohort import interval, taken_apart
from ucimpact.report.compared import METHODS, Compared, compared, price_of
from ucimpact.report.figures import Figure, may_claim, primary
from ucimpact.report.phrases import css_string, day, emphasised, stopped, tidy
from ucimpact.words import MINUS
from ucimpact.words import statement as words
from ucimpact.words.brief import not_quoted, worth_line

MOST_SAID, MOST_NOT = 3, 4
"""Quotations under each heading; the certainty line comes after those that can be said."""
LONG_HEADLINE, LONG_PAGE, FULL_PAGE, TIGHT_PAGE = 88, 2000, 2700, 3200
"""Letters beyond which the headline, and the page, are set smaller to stay on one A4 page."""
PICTURED = 300
"""Letters whose room the drawing takes."""

JOINED = "\u2060"
"""Keeps a minus on the line of its number."""

Parts = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The page, as finished strings."""

    title: str
    example: bool
    margin: str
    kicker: tuple[str, str]
    headline: str
    long: bool
    small: bool
    full: bool
    tight: bool
    lead: Parts
    answers: tuple[tuple[str, Parts], ...]
    facts: tuple[tuple[str, str], ...]
    figure: Figure | None
    can: tuple[str, ...]
    cannot: tuple[str, ...]
    quote: str
    panels: tuple[tuple[str, str], ...]
    footer: str


def statement(document: Mapping[str, Any]) -> Statement:
    """What the page shows of a released document."""
    document = tidy(document)
    study, finding = document["study"], document["finding"]
    told, held = finding["sentences"], compared(document)
    lead = " ".join(stopped(text) for text in (told.get("lead") or "", *(told.get("extra") or ())) if text)
    if not words.is_naive(finding) and not finding.get("refused") and not finding.get("key_fail"):
        first = words.compared(held.analysed, held.beside, held.later, held.who)
        lead = f"{first} {lead}"
    can = [text for text in finding.get("can_say") or () if text.strip("“”.") != told["headline"]]
    made = Statement(
        title=f"Impact statement – {study['title']}",
        example=bool(study["example"]),
        margin=css_string("Example with invented numbers" if study["example"] else study["title"]),
        kicker=("Impact statement.", stopped(f"{study['by']}: {study['title']}".removeprefix(": "))),
        headline=told["headline"],
        long=len(told["headline"]) > LONG_HEADLINE,
        small=False,
        full=False,
        tight=False,
        lead=emphasised(lead, found=may_claim(finding)),
        answers=_answers(document),
        facts=tuple(held.facts),
        figure=_figure(document),
        can=_can(document, can),
        cannot=(*not_quoted(worse(document)), *(finding.get("cannot_say") or ()))[:MOST_NOT],
        quote=words.paragraph(
            finding,
            title=study["title"],
            analysed=held.analysed,
            beside=held.quoted,
            later=held.later,
            who=held.who,
        ),
        panels=_panels(document, held),
        footer=_footer(document),
    )
    return _set_smaller(made)


def _answers(document: Mapping[str, Any]) -> tuple[tuple[str, Parts], ...]:
    """How sure, worth it or not, what next: each in a line or two."""
    decided = document["decision"]
    return (
        ("How sure are we?", _certainty(document)),
        ("Is it worth the money?", ((_joined(worth_line(document.get("valuation"), decided)), False),)),
        ("What to do next", ((stopped(decided["verdict"]), True),)),
    )


def _can(document: Mapping[str, Any], said: list[str]) -> tuple[str, ...]:
    """What can be said; where the question is open, with what would repay the price."""
    finding, broken = document["finding"], (document.get("valuation") or {}).get("break_even") or {}
    rows = broken.get("rows") or ()
    if words.outcome_of(finding) == "unclear" and rows and broken.get("price"):
        told = words.repays(finding, broken["price"], rows[0]["per_event"])
        said = [*said[: MOST_SAID - 1], *([f"“{told}”"] if told else [])]
    return tuple(said[:MOST_SAID])


def _figure(document: Mapping[str, Any]) -> Figure | None:
    """The likely range; with nobody to compare with, what was to be expected of the fall."""
    if not words.is_naive(document["finding"]):
        return interval(document)
    drawn = taken_apart(document)
    return None if drawn is None else replace(drawn, source="")


def _certainty(document: Mapping[str, Any]) -> Parts:
    """The certainty line with its level in bold."""
    level = document["certainty"]["level"]
    line = stopped(document["certainty"].get("line") or f"Certainty is {level}")
    before, found, after = line.partition(level)
    return ((before, False), (found, True), (after, False)) if found else ((line, False),)


def _joined(text: str) -> str:
    """With every minus kept on the line of its pounds."""
    return text.replace(f"{MINUS}£", f"{MINUS}{JOINED}£")


def _panels(document: Mapping[str, Any], held: Compared) -> tuple[tuple[str, str], ...]:
    """The two blocks below the quotation; one whose text is empty is left out."""
    finding, checks, decided = document["finding"], document["checks"], document["decision"]
    valuation = document.get("valuation") or {}
    steps = " ".join(stopped(text) for text in decided.get("next_steps") or ())
    price, year = price_of(document)
    cost = words.cost_and_value(
        valuation.get("columns"),
        price=price,
        price_year=year,
        not_worked_out=valuation.get("not_worked_out"),
        spent=(decided.get("cost") or {}).get("text") or "",
    )
    kind = words.outcome_of(finding)
    if kind == "naive":
        made = [
            ("What would settle it", words.SETTLE_NAIVE),
            ("What to ask a commissioner for", words.ASK_NAIVE),
        ]
    elif kind == "unusable":
        made = [
            ("What would settle it", words.repair(checks) or held.refused),
            ("What it cost", cost),
        ]
    elif kind == "unclear":
        verdict = "" if decided["verdict"].startswith("Cannot say") else decided["verdict"]
        ask = [words.ASK_POOLED, f"The full report says: {stopped(verdict)}" if verdict else ""]
        made = [
            ("What would settle it", words.settle(finding, held.analysed, held.more)),
            ("What to ask a commissioner for", " ".join(text for text in ask if text)),
        ]
    else:
        last = (
            ("What to do first", steps)
            if kind == "harm"
            else ("What would make this stronger", words.stronger(checks))
        )
        made = [("What it cost, and what it gave", cost), last]
    return tuple((heading, _joined(text)) for heading, text in made if text)


def _footer(document: Mapping[str, Any]) -> str:
    """How it was done in a few words, and where all of it stands."""
    study = document["study"]
    told = ["Example with invented numbers."] if study["example"] else []
    how = METHODS.get(str(primary(document).get("method")), "Evaluation")
    told.append(f"{how}; full method in the evaluation report of {day(document['created'])}.")
    if may_claim(document["finding"]):
        told.append("Likely range: a 95% interval.")
    return " ".join(told)


def _set_smaller(made: Statement) -> Statement:
    """The page with a smaller letter where it holds so much text that one A4 page would not do."""
    letters = [made.headline, made.quote, *made.can, *made.cannot, *(part for part, _ in made.lead)]
    letters += [text for _, text in made.panels]
    letters += [part for _, parts in made.answers for part, _ in parts]
    n = sum(map(len, letters)) + PICTURED * (made.figure is not None)
    return replace(made, small=n > LONG_PAGE, full=n > FULL_PAGE, tight=n > TIGHT_PAGE)
