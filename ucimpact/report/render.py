"""One self-contained page from an evaluation document: nothing is fetched, nothing runs.

Templates hold words and layout; :mod:`ucimpact.report.view` hands them finished strings, and the
drawings come from :mod:`ucimpact.report.charts`. Everything else is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ucimpact.report import chart_parts, charts, columns, forest, funnel, lines, love, monitor, single
from ucimpact.report.canvas import Drawing, settings, svg
from ucimpact.report.figures import Drawn, Figure
from ucimpact.report.league import league
from ucimpact.report.statement import statement
from ucimpact.report.view import view

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render(document: Mapping[str, Any]) -> str:
    """The report as HTML.

    Parameters
    ----------
    document : mapping
        What ``Evaluation.to_dict()`` gives, released; see ``docs/report.md`` for what may be absent.
    """
    return environment().get_template("evaluation.html.j2").render(view=view(document))


def render_statement(document: Mapping[str, Any]) -> str:
    """The impact statement as HTML: one A4 page, from the same released document."""
    return environment().get_template("statement.html.j2").render(view=statement(document))


def render_league(document: Mapping[str, Any]) -> str:
    """The league report as HTML, from the document that ``ucimpact compare`` writes."""
    return environment().get_template("league.html.j2").render(view=league(document))


def environment() -> Environment:
    """Templates with everything escaped and nothing left undefined."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(templates()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["drawn"] = drawn
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
            case columns.Columns():
                return columns.columns(chart, width)
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
