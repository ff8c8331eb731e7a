"""The forest plot: every site and the average, on one axis, with the numbers behind it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ucimpact.report import render
from ucimpact.report.canvas import svg
from ucimpact.report.chart_parts import NARROW, WIDE
from ucimpact.report.forest import REACH, Forest, Line, forest, limits, runs_off
from ucimpact.report.sites import MOST_DRAWN, spread
from ucimpact.report.sites import forest as figure_of


def site(name: str, estimate: float, half: float, weight: float) -> dict[str, Any]:
    return {
        "site": name,
        "start": "April 2022",
        "estimate": estimate,
        "low": estimate - half,
        "high": estimate + half,
        "weight": weight,
        "before": 36,
        "after": 24,
    }


SITES = [
    site("Ashcombe", -0.2, 0.1, 0.5),
    site("Birchover", -0.1, 0.3, 0.3),
    site("Cleverstoke", 0.2, 0.1, 0.2),
]


def document(sites: list[dict[str, Any]] = SITES, **pooled: Any) -> dict[str, Any]:
    whole = {"scale": "log", "estimate": -0.1, "low": -0.15, "high": -0.05}
    whole |= {"prediction_low": -0.3, "prediction_high": 0.1, **pooled}
    return {
        "estimates": [{"role": "primary", "scale": "identity", "extras": {"sites": sites, "pooled": whole}}],
        "finding": {"label": "Admissions", "kind": "count", "chart_per": "a month", "scale": "identity"},
        "data": {"unit_noun": "hospital", "window": ["April 2019", "March 2024"]},
        "study": {"fingerprints": [{"file": "sites.csv"}], "example": False},
    }


def drawn(chart: Forest, width: int = WIDE) -> str:
    with render.settings():
        return svg(forest(chart, width), ident="x", css="wideonly", title="t", description="d")


def test_log_ratios_are_told_in_per_cent() -> None:
    figure = figure_of(document())
    assert figure is not None and isinstance(figure.chart, Forest)
    assert [line.name for line in figure.chart.lines] == ["Ashcombe", "Birchover", "Cleverstoke"]
    assert figure.chart.lines[0].estimate == pytest.approx(100 * math.expm1(-0.2))
    assert figure.chart.average.text == "−10% (−14% to −5%)"
    assert figure.chart.reach_text == "−26% to 11%"
    assert "Ashcombe, −18% (−26% to −10%), to Cleverstoke, 22% (11% to 35%)" in figure.description
    plain = figure_of(document(scale="identity", estimate=-1.5, low=-2.0, high=-1.0))
    assert plain is not None and isinstance(plain.chart, Forest)
    assert plain.chart.average.text == "−1.50 (−2.00 to −1.00)"
    assert plain.chart.axis_label == "change, a month"


def test_the_table_behind_it_holds_every_site_the_average_and_the_range_for_another() -> None:
    figure = figure_of(document())
    assert figure is not None and figure.table is not None and figure.download is not None
    assert figure.table.rows[0] == ("Ashcombe", "April 2022", "−18%", "−26% to −10%", "50%", "36", "24")
    assert figure.table.rows[-2][:5] == ("Average", "", "−10%", "−14% to −5%", "100%")
    assert figure.table.rows[-1][0] == "Another hospital"
    assert len(figure.table.rows) == len(SITES) + 2


def test_names_and_numbers_stand_beside_each_row_and_only_names_on_the_narrow_drawing() -> None:
    figure = figure_of(document())
    assert figure is not None and isinstance(figure.chart, Forest)
    wide, narrow = drawn(figure.chart), drawn(figure.chart, NARROW)
    for name in ("Ashcombe", "Birchover", "Cleverstoke"):
        assert name in wide and name in narrow
    assert "Average of 3 hospitals" in wide and "−10% (−14% to −5%)" in wide
    assert ">Average<" in narrow and "Another hospital" in narrow and "−14%" not in narrow


def test_two_sites_have_no_range_for_another() -> None:
    figure = figure_of(document(prediction_low=None, prediction_high=None))
    assert figure is not None and isinstance(figure.chart, Forest) and figure.table is not None
    assert figure.chart.reach is None
    assert "Another hospital" not in drawn(figure.chart)
    assert figure.table.rows[-1][0] == "Average"


def test_a_site_that_says_next_to_nothing_does_not_squeeze_the_others() -> None:
    wild = [*SITES, site("Dovemarsh", 0.1, 4.0, 0.001)]
    figure = figure_of(document(wild))
    assert figure is not None and isinstance(figure.chart, Forest)
    high = limits(figure.chart)[1]
    assert high < REACH * 30 and runs_off(figure.chart) == 1
    assert "The range of one hospital runs off the plot." in figure.source


def test_of_very_many_sites_those_that_weigh_most_are_drawn() -> None:
    many = [site(f"Site {k}", -0.1 + k / 1000, 0.1, (k + 1) / 5000) for k in range(90)]
    figure = figure_of(document(many))
    assert figure is not None and isinstance(figure.chart, Forest) and figure.table is not None
    assert len(figure.chart.lines) == MOST_DRAWN
    assert "Site 0" not in {line.name for line in figure.chart.lines}
    assert len(figure.table.rows) == 92
    assert f"Drawn are the {MOST_DRAWN} that weigh most" in figure.source


def test_the_mark_of_a_site_has_its_weight_as_area() -> None:
    lines = [
        Line(name=f"s{k}", estimate=0.0, low=-1, high=1, weight=w, text="") for k, w in enumerate((0.8, 0.2))
    ]
    chart = Forest(
        lines=lines,
        average=lines[0],
        average_short="Average",
        reach=None,
        reach_name="",
        reach_short="",
        reach_text="",
        worded=lambda value, decimals: f"{value:.{decimals}f}",
        axis_label="",
    )
    with render.settings():
        axes = forest(chart, WIDE).figure.axes[0]
    sizes = [line.get_markersize() for line in axes.lines if line.get_marker() == "o"]
    assert sizes[0] > sizes[1] > 0
    assert (sizes[0] - 3.5) ** 2 / (sizes[1] - 3.5) ** 2 == pytest.approx(4)


def test_how_far_sites_differ_is_told_with_its_range() -> None:
    told = document()
    extras = told["estimates"][0]["extras"]
    extras["heterogeneity"] = {"tau2": 0.0025, "tau2_low": 0.0004, "tau2_high": 0.0144, "i2": 0.36}
    assert spread(told) == (
        "The true effects of single hospitals spread by about 5.0 per cent around the average (standard "
        "deviation; likely range 2.0 to 12.0). Of the scatter that is seen 36% is not chance (I squared)."
    )
    extras["heterogeneity"]["tau2_low"] = 0.0
    assert spread(told) == (
        "These hospitals are too few, or each too uncertain, to show whether their true effects differ: the "
        "likely range of their spread (standard deviation) is 0.0 to 12.0 per cent."
    )
    extras["heterogeneity"]["tau2_low"] = 0.0004
    extras["heterogeneity"]["careful_p_value"] = 0.2  # the check says that chance would give as much
    assert spread(told).startswith("These hospitals are too few, or each too uncertain")
    assert "not chance" not in spread(told)
    extras["heterogeneity"]["careful_p_value"] = 0.02
    extras["pooled"]["scale"] = "identity"
    assert "about 0.05 around the average" in spread(told)
    del extras["heterogeneity"]
    assert spread(told) == ""


def test_an_analysis_without_sites_has_no_such_chart() -> None:
    told = document()
    told["estimates"][0]["extras"] = {}
    assert figure_of(told) is None
