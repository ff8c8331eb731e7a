"""The sections of a report on people: the groups, what before and after would claim, and one range on its axis."""

from __future__ import annotations

import re

import cohorts
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from test_render import Page

from ucimpact.report import chart_parts, cohort, single
from ucimpact.report.canvas import settings, svg
from ucimpact.report.figures import may_claim, primary
from ucimpact.report.render import drawing, render
from ucimpact.report.view import view
from ucimpact.words import measure

WIDTHS = (chart_parts.WIDE, chart_parts.NARROW)


def section(document, ident):
    return next((s for s in view(document).sections if s.ident == ident), None)


def headings(document):
    return [s.heading for s in view(document).sections]


def test_a_cohort_has_its_sections_in_the_order_of_the_page():
    assert headings(cohorts.visits()) == [
        "Did emergency admissions change?",
        "What would a simple before-and-after have claimed?",
        "What you can say, and what you cannot",
        "What would make it pay?",
        "What happened to the other outcomes?",
        "Can the result be trusted?",
        "Do other analyses agree?",
        "What could this evaluation have found?",
        "Who and what was included?",
        "Were the two groups alike at the start?",
        "How it was done",
        "About the data",
        "Do these reports follow the reporting guidelines?",
        "Appendix: the analysis in full",
    ]


def test_there_is_no_chart_of_months_and_the_range_stands_in_its_place():
    for make in (cohorts.visits, cohorts.volunteers, cohorts.frailty):
        document = make()
        assert primary(document)["counterfactual"] is None
        assert isinstance(section(document, "effect").figure.chart, single.Interval)
    for make in (cohorts.unlike, cohorts.befriending):
        assert section(make(), "effect").figure is None


def test_before_and_after_alone_is_no_finding_anywhere_on_the_page():
    document = cohorts.befriending()
    assert not may_claim(document["finding"])
    page = Page(render(document)).words()
    assert "What could this evaluation have found?" not in page
    assert "Were the two groups alike" not in page
    assert 'stroke-dasharray="3 2"' not in render(document)  # no squares, and no bars, of what was expected
    assert 'class="pair"' not in render(document)
    assert "nobody to compare them with" in page


def test_a_panel_keeps_its_sections():
    import documents

    for name in ("practices", "hub"):
        made = headings(documents.DOCUMENTS[name]())
        assert "Were the two groups alike at the start?" not in made
        assert "What would a simple before-and-after have claimed?" not in made


# The groups


def test_the_groups_at_the_start_by_hand():
    made = section(cohorts.visits(), "groups")
    table, lost = made.tables
    assert table.head == (
        "Measure", "Supported (1,240)", "Matched (3,720)", "Everyone else (11,460)", "After matching",
    )  # fmt: skip
    assert table.rows[0] == ("Age", "81.2", "81.1", "77.9", "alike (0.01)")
    assert table.rows[1] == ("Women", "57%", "57%", "53%", "alike (0.00)")
    assert table.rows[4][1:4] == ("1.41", "1.41", "1.22")  # a mean number of admissions is no per cent
    assert lost.rows == (("Age", "91.4", "81.2"),)
    assert "35 people supported had nobody like them to compare with." in " ".join(made.text)


@pytest.mark.parametrize(
    ("smd", "said"),
    [
        (0.1, "alike (0.10)"), (-0.1001, "nearly alike (0.10)"), (0.25, "nearly alike (0.25)"), (-0.31, "unlike (0.31)"),
        (None, "cannot tell"),
    ],
)  # fmt: skip
def test_alike_is_said_by_the_limits_of_the_check(smd, said):
    document = cohorts.visits()
    document["data"]["cohort"]["balance"][0]["smd"] = smd
    assert section(document, "groups").tables[0].rows[0][-1] == said


def test_why_people_had_no_match_is_told_with_their_number():
    document = cohorts.visits()
    document["data"]["cohort"]["lost"] = {
        "n": 35, "of": 1275, "differ": [],
        "reasons": [{"n": 20, "reason": "nobody else was alike in `main_practice`"}, {"n": None, "reason": "hidden"}],
    }  # fmt: skip
    text = " ".join(section(document, "groups").text)
    assert (
        "35 of 1,275 people supported had nobody like them to compare with (20: nobody else was alike in main practice)."
        in text
    )
    assert "hidden" not in text


def test_a_document_without_balance_has_no_section_of_groups():
    document = cohorts.visits()
    document["data"]["cohort"] = {"balance": None, "lost": None, "max_smd": None}
    assert section(document, "groups") is None


# Before and after


def test_the_parts_of_the_fall_add_up_by_hand():
    chart = section(cohorts.visits(), "naive").figure.chart
    assert chart.total == pytest.approx(141.0 - 32.8)
    assert chart.total - chart.anyway == pytest.approx(5.3)
    assert chart.linked and chart.rest_text[0] == "5 linked to soft-landing visits"
    assert chart.anyway_text[0] == "103 would have happened without soft-landing visits too"
    assert chart.range_text == "likely range 1 to 10"


def test_with_nobody_to_compare_with_the_rest_of_the_fall_is_linked_to_nothing():
    made = section(cohorts.befriending(), "naive")
    chart = made.figure.chart
    assert (chart.total, chart.anyway, chart.linked) == (141.0, 134.0, False)  # 212 - 71, 212 - 78
    assert "not shown to be the service" in chart.rest_text[0]
    assert chart.range_text == "likely range of the expected fall 114 to 151"
    assert made.bold.startswith("A fall of 67%: ")
    assert "The likely range of that share: 81% to all of it." in made.text


def test_a_fall_no_larger_than_picking_people_gives_leaves_nothing_to_explain():
    document = cohorts.befriending()
    document["finding"]["naive"].update(fall=147.0, fall_low=130.0, fall_high=160.0, share=1.0)
    chart = section(document, "naive").figure.chart
    assert chart.anyway == chart.total == 141.0
    assert chart.anyway_text[0] == "all of it, or more: 147 expected of people picked at a bad time"
    assert len(drawing(chart, chart_parts.WIDE).figure.axes[0].patches) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"before": 30.0}, {"before": None}, {"after": None}, {"before": 33.0},
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_in_a_fall_are_not_drawn(change):
    document = cohorts.visits()
    document["finding"]["naive"].update(change)
    made = section(document, "naive")
    assert made is None or made.figure is None


def test_a_harm_has_no_part_of_a_fall():
    assert section(cohorts.frailty(), "naive").figure is None


def test_an_unsound_comparison_shows_no_part_of_the_fall_as_the_services():
    assert section(cohorts.unlike(), "naive").figure is None


# How it was done


def test_how_it_was_done_tells_the_choices_of_this_matching():
    made = section(cohorts.visits(), "how")
    assert made.bold == "We tried to copy the trial that nobody could run."
    text = " ".join(made.text)
    assert "matched with up to three others who were not" in text
    assert "the same in: hospital and month" in text and "judged from six recorded measures" in text
    facts = dict(made.facts)
    assert facts["E-value of the limit nearest no change"] == "1.2"
    assert facts["Furthest apart that a match may be (standard deviations)"] == "0.2"
    assert "none was broken" in facts["Audit"]


def test_effects_of_people_are_named_as_such():
    names = [row[0] for row in section(cohorts.visits(), "appendix").tables[0].rows]
    assert names == [
        "Difference for each person supported", "Difference in all, among those analysed",
        "Change as a share of what was expected", "Ratio of rates",
    ]  # fmt: skip


# Drawings

HOW = measure("count")
INTERVALS = [
    single.Interval(est=-5.3, lo=-9.9, hi=-0.7, worthwhile=-4.0, how=HOW, unit="per 100 people"),
    single.Interval(est=0.4, lo=-0.03, hi=1.1, worthwhile=None, how=HOW, unit="per 1,000 people"),
    single.Interval(est=12.0, lo=5.0, hi=19.0, worthwhile=4.25, how=measure("score"), unit=""),
    single.Interval(
        est=-1240.0, lo=-2600.0, hi=120.0, worthwhile=-50.0, how=measure("cost"), unit="per 100 people"
    ),
    single.Interval(
        est=-0.0004, lo=-0.0009, hi=0.0001, worthwhile=-0.0002, how=HOW, unit="per 100,000 people"
    ),
    single.Interval(est=0.0, lo=0.0, hi=0.0, worthwhile=None, how=HOW, unit=""),
]
CLAIMS = [
    single.Claim(total=total, anyway=anyway, head=("A fall of 108 per 100.", "Before and after would claim it all."),
                 anyway_text=("103 would have happened without the community urgent response service too", "103 anyway"),
                 rest_text=("5 linked to the community urgent response service", "5 linked to the service"),
                 range_text=limits, linked=linked)
    for total, anyway, limits, linked in ((108.0, 103.0, "likely range 1 to 10", True), (108.0, 2.0, "", False), (108.0, 107.99, "", True))
]  # fmt: skip


def texts(chart, width):
    made = drawing(chart, width)
    with settings():
        renderer = FigureCanvasAgg(made.figure).get_renderer()
        made.figure.draw(renderer)
        return made, [(t.get_text(), t.get_window_extent(renderer)) for t in made.labels]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("chart", [*INTERVALS, *CLAIMS])
def test_labels_stay_on_the_sheet_and_keep_apart(chart, width):
    made, placed = texts(chart, width)
    for k, (text, box) in enumerate(placed):
        assert box.x0 >= -1 and box.x1 <= made.width + 1 and box.y0 >= -4 and box.y1 <= made.height + 2, text
        for other, beside in placed[k + 1 :]:
            across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
            down = min(box.y1, beside.y1) - max(box.y0, beside.y0)
            assert across < 1 or down < 4, f"{text!r} lies on {other!r}"


@pytest.mark.parametrize(
    ("lo", "hi", "colour"), [(-9, -1, single.BLUE), (1, 9, single.PLUM), (-4, 5, single.GHOST)]
)
def test_colour_and_shape_say_which_side_of_no_change(lo, hi, colour):
    chart = single.Interval(est=(lo + hi) / 2, lo=lo, hi=hi, worthwhile=None, how=HOW, unit="")
    mark = drawing(chart, chart_parts.WIDE).figure.axes[0].lines[-1]
    assert mark.get_markeredgecolor() == colour
    assert mark.get_marker() == ("D" if lo > 0 else "o")
    assert (mark.get_markerfacecolor() == "#fff") == (lo < 0 < hi)


def test_the_axis_reaches_as_far_on_both_sides_with_round_ticks():
    _, placed = texts(INTERVALS[0], chart_parts.WIDE)
    assert [text for text, _ in placed if re.fullmatch(r"[\d.]+", text)] == ["10", "5", "0", "5", "10"]
    zero = next(box for text, box in placed if text == "0")
    assert (zero.x0 + zero.x1) / 2 == pytest.approx(chart_parts.WIDE / 2, abs=1)


def test_the_bar_of_a_claim_is_cut_where_the_parts_meet():
    bars = drawing(CLAIMS[0], chart_parts.WIDE).figure.axes[0].patches
    assert bars[0].get_width() / (chart_parts.WIDE - 2) == pytest.approx(103 / 108, abs=0.002)


def test_the_drawings_have_a_name_and_the_same_bytes_again():
    for chart in (INTERVALS[0], CLAIMS[0]):
        made = [
            svg(drawing(chart, 700), ident="x", css="wideonly", title="A <b>", description="d")
            for _ in range(2)
        ]
        assert made[0] == made[1] and "A &lt;b&gt;" in made[0]


def test_the_interval_needs_numbers_that_may_be_claimed():
    assert cohort.interval(cohorts.unlike()) is None
    assert cohort.interval(cohorts.befriending()) is None
    assert cohort.interval(cohorts.visits()).name.startswith("Difference in emergency admissions per 100")


def test_tables_of_checks_of_people_have_heads_that_anybody_reads():
    """Each column has a name in words, and no measure stands twice."""
    document = cohorts.discharges()
    rows = {
        "balance": [
            {"name": "season (cosine)", "label": "season (cosine)", "smd_before": -0.05, "smd": 0.0, "strong": True},
            {"name": "long_term_conditions", "label": "long term conditions", "smd_before": 0.2, "smd": 0.01, "strong": False},
        ],
        "trajectory": [{"month": -8, "pilot": None, "comparison": 6.83}],
        "negative_controls": [
            {
                "column": "deaths", "label": "Deaths", "reach": "deaths", "ratio": 0.9, "low": 0.4, "high": 2.0,
                "log_ratio": -0.1, "std_error": 0.4, "z": -0.25, "events_pilot": 10, "events_comparison": 30, "why": None,
            }
        ],
    }  # fmt: skip
    site = {
        "site": "Practice A",
        "n_pilot": 15,
        "n_comparison": 250,
        "max_smd": 0.57,
        "worst": "long_term_conditions",
    }
    for check in document["checks"]:
        check["table"] = rows.get(check["name"], [])
    document["checks"].append({**document["checks"][0], "name": "balance_by_site", "table": [site]})
    trust = next(s for s in view(document).sections if s.ident == "trust")
    tables = [check.table for check in trust.checks if check.table is not None]
    assert len(tables) >= 3
    text = str(tables)
    for jargon in (
        "Smd",
        "smd",
        "Log ratio",
        "Std",
        "N pilot",
        "Max ",
        "Strong",
        "season",
        "long_term",
        "'Z'",
    ):
        assert jargon not in text, jargon
    measures = next(t for t in tables if "Winter or summer" in str(t))
    assert str(measures).count("Long term conditions") == 1
    assert "Times the others" in text and "Month before the start" in text
