"""Drawings: labels keep clear of one another and of the edge, the palette can be read, the SVG can be named."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import documents
import pytest

from ucimpact.report import canvas, chart_parts, figures, findable, monitoring, placebos
from ucimpact.report.canvas import measure, svg
from ucimpact.report.chart_parts import Label, spread
from ucimpact.report.charts import ObservedExpected, Path, Power
from ucimpact.report.marks import Mark
from ucimpact.report.render import drawing

WIDTHS = (chart_parts.WIDE, chart_parts.NARROW)
SPARE = 0.2
MAKERS = (figures.observed_expected, figures.path, placebos.placebo, placebos.fake_starts, findable.power)
MONTHS = [name for name, _ in documents.months(4, 24, 2021)]


def worded(value: float, decimals: int) -> str:
    return f"{abs(value):.{decimals}f} {'fewer' if value < 0 else 'more'}" if value else "0"


def observed_expected(level: float, gap: float, comparison: float, **change: Any) -> ObservedExpected:
    line = [level + math.sin(k / 3) * 0.1 * abs(level) for k in range(24)]
    made = ObservedExpected(
        labels=[figures.short_period(m, m) for m in MONTHS],
        observed=[v + (gap if k >= 12 else 0) for k, v in enumerate(line)],
        expected=line,
        low=[None] * 12 + [v * 0.95 for v in line[12:]],
        high=[None] * 12 + [v * 1.05 for v in line[12:]],
        comparison=[v + comparison for v in line],
        start=12,
        start_label="pilot starts, Apr 2022",
        observed_label=Label(head="Observed", rest=("mean of 12 pilot units",), short=("Observed, mean of 12 pilot units",)),
        expected_label=Label(head="Expected", rest=("without the pilot", "(shaded: likely range)"),
                             short=("Expected without the pilot", "Likely range of what was expected")),
        comparison_label=Label(head="Comparison", rest=("mean of 28 other units",), short=("Comparison, mean of 28 others",)),
    )  # fmt: skip
    return replace(made, **change)


def power(w: float | None, found_at: float) -> Power:
    top = max(1.8 * found_at, 1.25 * (w or 0))
    sizes = [top * k / 80 for k in range(81)]
    return Power(
        sizes=sizes, chances=[100 * (1 - math.exp(-((v / found_at) ** 2) * 1.6)) for v in sizes], found_at=found_at,
        found_label=(f"{found_at:g} fewer:", "four times", "in five"), worthwhile=w,
        worthwhile_label=(f"{w} fewer, smallest worthwhile:", "found 41 times in 100"), axis_label="true size of the fall",
    )  # fmt: skip


def every_chart() -> Iterator[tuple[str, Any]]:
    for name, make in documents.DOCUMENTS.items():
        document = make()
        for maker in MAKERS:
            figure = maker(document)
            if figure is not None:
                yield f"{name}-{figure.ident}", figure.chart
        watched = monitoring.section(document)
        if watched is not None:
            yield f"{name}-monitor", watched.figure.chart
    for gap, comparison in itertools.product((-4.0, -0.01, 0.0, 4.0), (-6.0, 0.0, 0.02)):
        yield f"lines-{gap}-{comparison}", observed_expected(20.0, gap, comparison)
    yield "large", observed_expected(1_234_567.0, -1e5, 0.0)
    yield "tiny", observed_expected(0.012, -0.001, 0.0)
    yield "below-zero", observed_expected(-5.0, -1.0, 0.5)
    yield "flat", observed_expected(0.0, 0.0, 0.0)
    yield "late-start", observed_expected(20.0, -1.0, 0.0, start=23)
    yield "early-start", observed_expected(20.0, -1.0, 0.0, start=1)
    yield "no-start", observed_expected(20.0, -1.0, 0.0, start=None)
    long = Label(head="The longest name that anybody gave to a line", rest=("and more",), short=("W" * 80,))
    yield "long-names", observed_expected(20.0, -1.0, 0.0, comparison_label=long)
    many = (Mark(first=10, label="the new guidance, Apr 2022"), Mark(first=11, last=12, label="phase-in, not counted"),
            Mark(first=2, last=5, label="pandemic, not counted"), Mark(first=20, label="W" * 60))  # fmt: skip
    yield "marks", observed_expected(20.0, -1.0, 0.0, marks=many)
    for w, found_at in itertools.product((None, 0.5, 2.9, 3.0, 3.3, 3.6, 4.0, 20.0), (2.5, 4.0)):
        yield f"power-{w}-{found_at}", power(w, found_at)


CHARTS = dict(every_chart())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CHARTS)
def test_no_label_touches_another_or_leaves_the_drawing(name, width):
    with canvas.settings():
        made = drawing(CHARTS[name], width)
        renderer = made.figure.canvas.get_renderer() if hasattr(made.figure.canvas, "get_renderer") else None
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in made.labels]
    assert boxes
    for text, box in boxes:
        assert box.x0 >= -1 and box.x1 <= width + 1, (
            f"{text!r} leaves the drawing at {box.x0:.0f} to {box.x1:.0f}"
        )
        assert box.y0 >= -4 and box.y1 <= made.height + 1, text
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 1 or down < 4, f"{one!r} lies on {other!r}"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [name for name in CHARTS if "power" in name])
def test_what_is_found_stands_clear_of_the_worthwhile_mark_and_of_the_curve(name, width):
    chart = CHARTS[name]
    with canvas.settings():
        made = drawing(chart, width)
        renderer = None
        boxes = [
            text.get_window_extent(renderer) for text in made.labels if text.get_text() in chart.found_label
        ]
        axes = made.figure.axes[0]
        curve = axes.transData.transform(list(zip(chart.sizes, chart.chances, strict=True)))
        mark = math.nan if chart.worthwhile is None else axes.transData.transform((chart.worthwhile, 0))[0]
    assert len(boxes) == len(chart.found_label)
    for box in boxes:
        assert not box.x0 - 2 < mark < box.x1 + 2
        assert not any(box.x0 < x < box.x1 and box.y0 < y < box.y1 for x, y in curve)


@pytest.mark.parametrize("width", WIDTHS)
def test_names_of_periods_leave_a_fifth_of_the_width_spare(width):
    for count in (3, 12, 24, 48, 60, 120, 400):
        labels = [figures.short_period(iso, "") for iso, _ in documents.months(1, count, 1990)]
        chart = observed_expected(20.0, -1.0, 0.0)
        none = [None] * count
        chart = replace(
            chart, labels=labels, observed=[20.0] * count, expected=[21.0] * count, low=none, high=none,
            comparison=none, comparison_label=None, start=count // 2,
        )  # fmt: skip
        with canvas.settings():
            made = drawing(chart, width)
            shown = [text.get_window_extent() for text in made.labels if text.get_text() in labels]
        left, _, right, _ = made.box
        assert len(shown) >= min(2, count)
        assert sum(box.width for box in shown[:-1]) <= (1 - SPARE) * (right - left) + shown[0].width


def test_labels_beside_the_lines_are_pushed_apart_and_kept_in_order():
    assert spread([100, 200], [40, 40], 0, 300) == [100, 200]
    assert spread([100, 101], [40, 40], 0, 300) == [100, 140]
    assert spread([290, 280, 285], [40, 40, 40], 0, 300) == [280, 200, 240]


def test_an_axis_that_does_not_start_at_zero_says_so():
    def notes(chart: ObservedExpected) -> list[str]:
        return [t.get_text() for t in drawing(chart, chart_parts.WIDE).labels if "scale" in t.get_text()]

    assert notes(observed_expected(20.0, -1.0, 0.0)) == ["The scale starts at 16, not at 0."]
    assert notes(observed_expected(20.0, -12.0, 0.0)) == []


def test_a_band_below_what_can_be_is_cut_off_at_zero():
    def foot(chart: ObservedExpected) -> float:
        return float(drawing(chart, chart_parts.WIDE).figure.axes[0].get_ylim()[0])

    below = [None] * 12 + [-6.0] * 12
    assert foot(observed_expected(20.0, -12.0, 0.0, low=below)) == 0
    assert foot(observed_expected(-20.0, -12.0, 0.0)) < 0  # a score may lie below 0
    none = [None] * 4
    chart = Path(
        labels=["a", "b", "c", "d"], estimates=[0.1, -2.0, 2.0, -0.5], low=[-1.0, -3.0, 1.0, -1.5], high=[1.2, -1.0, 3.0, 0.5],
        band_low=none, band_high=none, start=1, before_label="before", after_label="after", worded=worded,
    )  # fmt: skip
    axes = drawing(chart, chart_parts.WIDE).figure.axes[0]
    dots = [
        (line.get_marker(), line.get_markerfacecolor())
        for line in axes.lines
        if line.get_marker() in ("o", "D")
    ]
    assert dots == [("o", "#fff"), ("o", chart_parts.BLUE), ("D", chart_parts.PLUM), ("o", "#fff")]


def test_the_wider_band_decides_where_there_are_two():
    chart = Path(
        labels=["a", "b"], estimates=[0.0, -2.0], low=[-1.0, -3.0], high=[1.0, -1.0], band_low=[-2.0, -4.5],
        band_high=[2.0, 0.5], start=1, before_label="before", after_label="after", worded=worded,
    )  # fmt: skip
    axes = drawing(chart, chart_parts.WIDE).figure.axes[0]
    assert [line.get_markerfacecolor() for line in axes.lines if line.get_marker() == "o"] == ["#fff", "#fff"]


def test_paths_off_the_scale_are_counted():
    document = documents.trust()
    paths = document["estimates"][0]["extras"]["placebo"]["paths"]
    paths[0] = [5.0] * 24
    figure = placebos.placebo(document)
    assert figure is not None
    limit = figure.chart.limit
    away = sum(any(abs(v) > limit for v in values) for values in figure.chart.others)
    assert away and f"{away} of the 126 run off the scale" in figure.source


# SVG


def one(width: int = chart_parts.WIDE, ident: str = "x") -> str:
    return svg(
        drawing(CHARTS["practices-effect-chart"], width),
        ident=ident,
        css="c",
        title="T <i>",
        description='D "&',
    )


def test_an_svg_has_a_name_a_description_and_ids_of_its_own():
    text = one(ident="left")
    assert text.startswith('<svg viewBox="0 0 700 ') and 'role="img"' in text
    assert 'aria-labelledby="left-t left-d"' in text
    assert '<title id="left-t">T &lt;i&gt;</title><desc id="left-d">D &quot;&amp;</desc>' in text
    ids = set(re.findall(r'id="([^"]+)"', text))
    assert all(ident.startswith("left-") for ident in ids)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    assert used and used <= ids


def test_text_stays_text_in_the_font_of_the_page():
    text = one()
    assert ">Observed</text>" in text and "DejaVu" not in text and "font-family" not in text
    assert "font-weight" in text
    assert "<metadata" not in text and "<style" not in text and "xlink" not in text and "http" not in text


def test_the_same_chart_gives_the_same_bytes_and_is_light():
    assert one() == one()
    assert len(one()) < 12_000
    placebo = CHARTS["trust-placebo-chart"]
    assert len(svg(drawing(placebo, chart_parts.WIDE), ident="p", css="c", title="", description="")) < 60_000


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str, ground: str) -> float:
    light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_and_lines_stand_out_from_white_and_from_the_band():
    for colour in (canvas.INK, chart_parts.MUTED, chart_parts.BLUE):
        assert contrast(colour, "#ffffff") >= 4.5
        assert contrast(colour, chart_parts.BAND) >= 4.5
    for colour in (chart_parts.GHOST, chart_parts.PLUM, chart_parts.TEAL):
        assert contrast(colour, "#ffffff") >= 3


@pytest.mark.parametrize("name", CHARTS)
def test_every_text_is_in_a_colour_that_can_be_read(name):
    for width in WIDTHS:
        for text in drawing(CHARTS[name], width).labels:
            assert contrast(str(text.get_color()), "#ffffff") >= 4.5, text.get_text()


def test_measured_widths_leave_room_for_the_font_of_the_page():
    assert measure("Expected without the pilot") > 150
    assert measure("Expected", bold=True) > measure("Expected") > measure("Expected", 13)
