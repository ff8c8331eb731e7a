"""Self-contained pages from an evaluation document: nothing is fetched, nothing runs.

Templates hold words and layout; :mod:`ucimpact.report.view` hands them finished strings, and the
drawings come from :mod:`ucimpact.report.charts`. Everything else is escaped.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ucimpact.errors import UsageError
from ucimpact.report import (
    board,
    chart_parts,
    charts,
    columns,
    editions,
    forest,
    funnel,
    lines,
    love,
    money_curve,
    monitor,
    single,
    spread,
)
from ucimpact.report.canvas import Drawing, settings, svg
from ucimpact.report.figures import Drawn, Figure
from ucimpact.report.league import league
from ucimpact.report.paper import paper
from ucimpact.report.statement import statement
from ucimpact.report.view import view

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


THEMES = ("neutral", "nhs")
"""The colours and letters that a page may have; charts keep theirs in both."""


def pages(document: Mapping[str, Any], theme: str = "neutral") -> dict[str, str]:
    """The four reports by the names of their files, each chart drawn once.

    Parameters
    ----------
    document : mapping
        What ``Evaluation.to_dict()`` gives, released; see ``docs/report.md`` for what may be absent.
    theme : {"neutral", "nhs"}

    Raises
    ------
    UsageError
        Where there is no such theme.
    """
    drawer, whole = environment(theme), view(document)
    views = {
        editions.PAPER: ("paper", paper(whole)),
        editions.BOARD: ("board", board.board(document)),
        editions.STATEMENT: ("statement", statement(document)),
        editions.APPENDIX: ("evaluation", whole),
    }
    return {
        edition.file: drawer.get_template(f"{name}.html.j2").render(view=seen)
        for edition, (name, seen) in views.items()
    }


def render(document: Mapping[str, Any], theme: str = "neutral") -> str:
    """The technical appendix as HTML: everything that the document holds."""
    return environment(theme).get_template("evaluation.html.j2").render(view=view(document))


def render_paper(document: Mapping[str, Any], theme: str = "neutral") -> str:
    """The commissioner's paper as HTML: the answer, and what a decision needs, in about four A4 pages."""
    return environment(theme).get_template("paper.html.j2").render(view=paper(view(document)))


def render_board(document: Mapping[str, Any], theme: str = "neutral") -> str:
    """The board page as HTML: one A4 page."""
    return environment(theme).get_template("board.html.j2").render(view=board.board(document))


def render_statement(document: Mapping[str, Any], theme: str = "neutral") -> str:
    """The impact statement as HTML: one A4 page that a provider may show."""
    return environment(theme).get_template("statement.html.j2").render(view=statement(document))


def render_league(document: Mapping[str, Any], theme: str = "neutral") -> str:
    """The league of pilots as HTML, from the document of a league."""
    return environment(theme).get_template("league.html.j2").render(view=league(document))


def environment(theme: str = "neutral") -> Environment:
    """Templates with everything escaped and nothing left undefined; what one draws twice is drawn once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    if theme not in THEMES:
        raise UsageError(f'there is no theme "{theme}": there are {" and ".join(THEMES)}')
    made = Environment(
        loader=FileSystemLoader(templates()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["theme"] = theme
    done: dict[str, Markup] = {}

    def once(figure: Figure) -> Markup:
        key = repr(replace(figure, table=None, download=None))
        if key not in done:
            done[key] = drawn(figure)
        return done[key]

    made.filters["drawn"] = once
    return made


def templates() -> Path:
    """The folder of templates: within the package when installed, at the top of a checkout.

    Raises
    ------
    FileNotFoundError
        Where neither is there.
    """
    installed = Path(__file__).parent / "templates"
    checkout = Path(__file__).parents[2] / "reports" / "templates"
    for folder in (installed, checkout):
        if (folder / "evaluation.html.j2").is_file():
            return folder
    raise FileNotFoundError("the report templates are missing from this installation of ucimpact")


def drawing(chart: Drawn, width: int) -> Drawing:
    """The chart at a width."""
    with settings():
        match chart:
            case charts.ObservedExpected():
                return charts.observed_expected(chart, width)
            case charts.Path():
                return charts.path(chart, width)
            case charts.Placebo():
                return charts.placebo(chart, width)
            case forest.Forest():
                return forest.forest(chart, width)
            case charts.Power():
                return charts.power(chart, width)
            case funnel.Funnel():
                return funnel.funnel(chart, width)
            case monitor.Monitor():
                return monitor.monitor(chart, width)
            case lines.Lines():
                return lines.lines(chart, width)
            case love.Love():
                return love.love(chart, width)
            case spread.Spread():
                return spread.spread(chart, width)
            case columns.Columns():
                return columns.columns(chart, width)
            case money_curve.Chances():
                return money_curve.chances(chart, width)
            case single.Interval():
                return single.interval(chart, width, narrow=width == chart_parts.NARROW)
            case single.Claim():
                return single.claim(chart, width, narrow=width == chart_parts.NARROW)


def drawn(figure: Figure) -> Markup:
    """A figure's chart in both widths; page and print show one of them."""
    from markupsafe import Markup

    wide, narrow = (
        svg(
            drawing(figure.chart, width),
            ident=f"{figure.ident}-{css}",
            css=css,
            title=figure.name,
            description=figure.description,
        )
        for width, css in ((chart_parts.WIDE, "wideonly"), (chart_parts.NARROW, "narrow"))
    )
    return Markup(wide + narrow)  # noqa: S704  every text in it was escaped by canvas.svg or by matplotlib


def png(figure: Figure, density: int) -> bytes:
    """A figure's chart as a picture on white, of this many dots an inch at its wide size."""
    sheet = drawing(figure.chart, chart_parts.WIDE)
    out = io.BytesIO()
    with settings():
        sheet.figure.savefig(out, format="png", dpi=density, facecolor="white", metadata={"Software": None})
    return out.getvalue()
