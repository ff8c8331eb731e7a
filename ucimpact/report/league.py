"""From the document of a league to its page: the whole answer first, then one question a section.

The document is what ``ucimpact compare`` writes; ``docs/report.md`` says what may be absent. As in
:mod:`ucimpact.report.view`, sentences about the result arrive with the document or come from
:mod:`ucimpact.words.league_page`, and templates get finished strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ucimpact.report import league_money, league_rows, league_why
from ucimpact.report.figures import Figure
from ucimpact.report.funnel import Funnel, Point, average, in_words
from ucimpact.report.league_answer import LeagueAnswer, answer
from ucimpact.report.league_parts import Field, field_of
from ucimpact.report.phrases import css_string, day, stopped, tidy
from ucimpact.report.section import Note, Section
from ucimpact.report.tables import download, table
from ucimpact.words import capital, measure, number
from ucimpact.words import league_page as said

FEWEST_MARKS = 3
"""Pilots below which a funnel plot shows nothing."""


@dataclass(frozen=True, kw_only=True)
class LeagueView:
    """The page."""

    title: str
    example: bool
    margin: str
    kicker: tuple[str, str]
    answer: LeagueAnswer
    sections: tuple[Section, ...]
    footer: str


def league(document: Mapping[str, Any]) -> LeagueView:
    """What the page shows of a league's document."""
    document = tidy(document)
    field, about = field_of(document), document["league"]
    who = [about.get("who") or field.estimand.get("people") or "", f"Report of {day(document['created'])}"]
    window = field.estimand.get("window") or ""
    if window and not window[:1].isdigit():
        who.insert(1, window)
    made = (
        league_rows.luck(field), league_rows.ranks(field), league_rows.winner(field), funnel(field),
        league_money.budget(field), league_money.beliefs(field), league_why.why(field),
        league_why.sure(field), league_why.own(field), league_why.left_out(field), league_money.shared(field),
        league_why.how(field), league_why.appendix(field),
    )  # fmt: skip
    return LeagueView(
        title=f"{document['sentences']['headline']} – {about['title']} – league report",
        example=bool(about["example"]),
        margin=css_string("Example with invented numbers" if about["example"] else about["title"]),
        kicker=(stopped(about["title"]), " ".join(stopped(capital(text)) for text in who if text)),
        answer=answer(field),
        sections=tuple(section for section in made if section is not None),
        footer=footer(about),
    )


def funnel(field: Field) -> Section | None:
    """Raw results by their standard errors, about what they would have in common."""
    if field.n < FEWEST_MARKS:
        return None
    leader = field.document.get("leader")
    points = [
        Point(
            name=field.short[p["id"]],
            log=p["raw"]["log"],
            error=p["raw"]["used_se"],
            strong=p["id"] == leader,
        )
        for p in field.pilots
    ]
    how = measure(field.estimand["kind"], percent=True)
    centre = average(points)
    by_error = sorted(points, key=lambda point: -point.error)
    place = next((k for k, point in enumerate(by_error, start=1) if point.strong), len(points))
    title = said.funnel_title(place, len(points))
    rows = [
        [point.name, in_words(point.log, how.fewer, how.more), number(100 * point.error, 1)]
        for point in by_error
    ]
    middle = in_words(centre, how.fewer, how.more)
    drawn = Figure(
        ident="funnel-chart",
        title=title,
        measure=f"Change in {field.outcome} as measured, and how uncertain it is",
        chart=Funnel(
            points=points, centre=centre, fewer=how.fewer, more=how.more, centre_name=f"average: {middle}",
        ),
        name=f"Funnel plot of {len(points)} pilots",
        description=f"Raw changes in {field.outcome} by standard error, about an average of {middle}.",
        key=tuple([("f", "The largest claim")] * any(p.strong for p in points) + [("", "The other pilots")]),
        table=table(
            "Raw results and their standard errors, the least certain first",
            ["Pilot", "Change as measured", "Standard error, in points of the log ratio"], rows, (1, 2),
        ),
        download=download(
            "funnel", [{"pilot": p.name, "log_ratio": p.log, "std_error": p.error} for p in by_error]
        ),
    )  # fmt: skip
    return Section(
        ident="funnel", heading="How far does luck alone spread them?", kind="chart",
        bold=_outside(points, centre), text=(said.FUNNEL_CARE,), figure=drawn,
        note=Note(name="How to read the funnel", paragraphs=(("How to read this", said.FUNNEL_READING),)),
    )  # fmt: skip


def _outside(points: list[Point], centre: float) -> str:
    """How many marks lie beyond what luck alone would spread."""
    return said.outside(sum(abs(p.log - centre) > 1.96 * p.error for p in points), len(points))


def footer(about: Mapping[str, Any]) -> str:
    """The last line of the page."""
    if about["example"]:
        return (
            "Example with invented numbers, made to show how a comparison reads. "
            "Not evidence about any real service."
        )
    return stopped(f"{about['title']}. {about.get('by') or ''}".strip(". "))
