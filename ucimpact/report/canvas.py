"""A sheet of pixels on which a chart is drawn, and the SVG element that it becomes.

Text stays text (``svg.fonttype = "none"``) and is measured in DejaVu Sans, which comes with matplotlib and
is a tenth wider than the fonts a page shows: labels keep spare room, and the same drawing gives the
same bytes on every machine. Ids are prefixed, fonts and metadata left out.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

INK = "#1b2733"
SIZE, SMALL = 14, 13
DASHES = (2.8, 2.0)
SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ucimpact",
    "font.family": ["DejaVu Sans"],
    "path.simplify": False,
}


@dataclass
class Drawing:
    """A figure under way, in pixels, with the labels it holds."""

    figure: Figure
    width: int
    height: int
    box: tuple[float, float, float, float] = (0, 0, 0, 0)
    labels: list[Text] = field(default_factory=list)

    def axes(self, left: float, right: float, top: float, bottom: float) -> Axes:
        """The one plot, with margins in pixels."""
        self.box = (left, bottom, self.width - right, self.height - top)
        made = self.figure.add_axes(
            (
                left / self.width,
                bottom / self.height,
                (self.width - left - right) / self.width,
                (self.height - top - bottom) / self.height,
            )
        )
        made.patch.set_visible(False)
        for spine in made.spines.values():
            spine.set_visible(False)
        made.tick_params(length=0, labelbottom=False, labelleft=False)
        return made

    def write(
        self, x: float, y: float, text: str, *, colour: str = INK, size: int = SIZE, bold: bool = False,
        align: str = "left", middle: bool = False,
    ) -> None:  # fmt: skip
        """Text at a pixel, from the bottom left; baseline there unless ``middle``."""
        self.labels.append(
            self.figure.text(
                x / self.width, y / self.height, text, color=colour, fontsize=size,
                fontweight="bold" if bold else "normal", ha=align,
                va="center_baseline" if middle else "baseline", parse_math=False,
            )
        )  # fmt: skip

    def line(
        self, *points: tuple[float, float], colour: str, width: float = 1.0, dashed: bool = False
    ) -> None:
        """A line through pixels."""
        from matplotlib.lines import Line2D

        xs, ys = zip(*points, strict=True)
        made = Line2D([x / self.width for x in xs], [y / self.height for y in ys], color=colour, lw=width)
        made.set_solid_capstyle("butt")
        made.set_zorder(-1)
        if dashed:
            made.set_dashes(DASHES)
        self.figure.add_artist(made)


def measure(text: str, size: int = SIZE, *, bold: bool = False) -> float:
    """Width of a text in pixels."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=["DejaVu Sans"], size=size, weight="bold" if bold else "normal")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that DejaVu lacks still has a width
        return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


@contextmanager
def settings() -> Iterator[None]:
    """Matplotlib as it comes, whatever a person set, with what these drawings need; as it was afterwards."""
    import matplotlib

    asked = {
        name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"
    } | SETTINGS
    with warnings.catch_warnings(), matplotlib.rc_context(asked):  # type: ignore[arg-type]
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def blank(width: int, height: int) -> Drawing:
    """A sheet of this many pixels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    figure.patch.set_visible(False)
    return Drawing(figure, width, height)


TAG = re.compile(r"<[^>]+>")
USED = re.compile(r'(?:url\(#|href="#)([^)"]+)')
EMPTY = re.compile(r"<g ?/>|<g></g>|<defs ?/>|<defs></defs>")
LONG = re.compile(r"(-?\d+\.\d)\d+")
FONT = re.compile(r"font: (?:(\w+) )?([\d.]+)px [^;\"]*")
FAMILY = re.compile(r"font-family: [^;\"]*;? ?| transform=\"rotate\(-?0 [^\"]*\"")


def svg(drawing: Drawing, *, ident: str, css: str, title: str, description: str) -> str:
    """The drawing as an inline SVG element with a name, a description and ids of its own.

    Parameters
    ----------
    drawing : Drawing
    ident : str
        Prefix of every id; letters, digits and hyphens.
    css : str
        Class of the element.
    title, description : str
        Text alternative; escaped here.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.StringIO()
    with settings():
        FigureCanvasSVG(drawing.figure).print_svg(  # type: ignore[no-untyped-call]
            out, metadata={"Date": None}
        )
    text = out.getvalue()
    text = text[text.index("<svg") :]
    body = text[text.index(">") + 1 : text.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    used = {name for tag in TAG.findall(body) for name in USED.findall(tag)}
    body = TAG.sub(lambda found: _tag(found[0], ident, used), body)
    body = re.sub(r">\s+<", "><", re.sub(r" *\n *", " ", body)).strip()
    while (lighter := EMPTY.sub("", body)) != body:
        body = lighter
    return (
        f'<svg viewBox="0 0 {drawing.width} {drawing.height}" role="img" class="{css}" '
        f'aria-labelledby="{ident}-t {ident}-d" stroke-linejoin="round">'
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(description)}</desc>'
        f"{body}</svg>"
    )


def _tag(tag: str, ident: str, used: set[str]) -> str:
    """One tag of the body: its id prefixed or dropped, numbers to one decimal, the font left to the page."""
    tag = tag.replace("xlink:href", "href")
    tag = re.sub(r' id="([^"]*)"', lambda m: f' id="{ident}-{m[1]}"' if m[1] in used else "", tag)
    tag = re.sub(r"url\(#([^)]+)\)", rf"url(#{ident}-\1)", tag)
    tag = re.sub(r'href="#([^"]+)"', rf'href="#{ident}-\1"', tag)
    tag = FONT.sub(lambda m: f"font-size:{m[2]}px" + (f";font-weight:{m[1]}" if m[1] else ""), tag)
    return LONG.sub(r"\1", FAMILY.sub("", tag))
