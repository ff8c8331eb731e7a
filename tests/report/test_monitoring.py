"""The chart for watching: whom it is for, what it marks, and that it never passes for an effect."""

from __future__ import annotations

from typing import Any

import documents
import pytest

from ucimpact.report.chart_parts import NARROW, WIDE
from ucimpact.report.monitoring import section
from ucimpact.report.render import drawing, render


def watched(after: list[float | None], *, better: str = "lower", before: int = 24) -> dict[str, Any]:
    """A document of a series with a quiet past of 10 and 12 and these months after the start."""
    document = documents.winter()
    entry = next(e for e in document["estimates"] if e["role"] == "primary")
    values = [10.0 + 2 * (k % 2) for k in range(before)] + after
    entry["counterfactual"] = [
        {
            "period": f"{2020 + k // 12}-{k % 12 + 1:02d}", "label": f"month {k + 1}", "since": k - before,
            "observed": value, "expected": 11.0, "low": 10.0, "high": 12.0, "used": True,
        }
        for k, value in enumerate(values)
    ]  # fmt: skip
    document["finding"]["better"] = better
    document["data"] |= {"kind": "series", "frequency": "month"}
    return document


def test_a_fall_beyond_the_limit_is_improving_where_fewer_is_better() -> None:
    found = section(watched([11.0, 4.0]))
    assert found.bold.endswith(
        "is out of the ordinary (special cause of an improving nature): beyond a limit."
    )
    assert found.figure.chart.marks[-2:] == ["", "better"]
    assert found.figure.table.rows[-1] == ("Month 26", "4.0", "special cause, improving", "beyond a limit")
    worse = section(watched([11.0, 4.0], better="higher"))
    assert "special cause of a concerning nature" in worse.bold
    assert worse.figure.chart.marks[-1] == "worse"


def test_an_ordinary_month_is_common_cause() -> None:
    found = section(watched([10.5, 11.5]))
    assert found.bold == "The latest month, month 26, is ordinary variation (common cause)."
    assert found.text[1] == "Of 2 months since the start none are marked."


def test_seven_in_a_row_are_told_as_such_and_counted_since_the_start() -> None:
    found = section(watched([9.5] * 7))
    assert "one of seven or more in a row on one side of the mean" in found.bold
    assert found.text[1].endswith("7 are marked: 7 improving, 0 concerning.")


def test_it_says_that_it_is_no_effect_and_no_range() -> None:
    found = section(watched([11.0]))
    assert "not an effect" in found.text[0]
    assert "no range for what the pilot did" in found.text[0]
    assert "Seasons" in dict(found.note.paragraphs)["What it does not know"]


def test_limits_are_of_the_months_before_that_count() -> None:
    document = watched([11.0])
    rows = next(e for e in document["estimates"] if e["role"] == "primary")["counterfactual"]
    for row in rows[:6]:
        row |= {"used": False, "observed": 500.0}
    chart = section(document).figure.chart
    assert chart.mean == 11.0
    assert (chart.low, chart.high) == pytest.approx((11 - 5.32, 11 + 5.32))
    assert "18 months before the start that count" in dict(section(document).note.paragraphs)["Locked"]


def test_a_lower_limit_below_nought_is_not_drawn_for_what_cannot_be() -> None:
    document = watched([3.0])
    rows = next(e for e in document["estimates"] if e["role"] == "primary")["counterfactual"]
    for k, row in enumerate(rows[:-1]):
        row["observed"] = 6.0 * (k % 2)
    found = section(document)
    assert found.figure.chart.low is None
    assert "no lower limit above 0" in found.figure.source


def test_no_chart_without_a_year_before_or_for_places() -> None:
    assert section(watched([11.0], before=11)) is None
    assert section(documents.practices()) is None


def test_a_month_without_a_number_is_no_dot_and_one_that_is_hidden_bars_the_chart() -> None:
    document = watched([11.0, None, 11.0])
    document["disclosure"]["suppressed"] = 0
    found = section(document)
    assert found.figure.chart.values[-2] is None
    assert found.figure.table.rows[-2][1] == "missing"
    document["disclosure"]["suppressed"] = 1
    assert section(document) is None


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_it_is_drawn_with_its_limits_and_the_start_named(width: int) -> None:
    sheet = drawing(section(watched([9.5] * 8)).figure.chart, width)
    texts = [label.get_text() for label in sheet.labels]
    assert any("imit" in text for text in texts)
    assert any(text.startswith("pilot starts") for text in texts)


def test_the_page_holds_it_under_its_own_heading() -> None:
    page = render(watched([9.5] * 8))
    assert 'id="monitor"' in page
    assert "How could the service be watched from here on?" in page
