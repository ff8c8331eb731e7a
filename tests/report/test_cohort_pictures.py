"""Pictures of a study of people: alike or not, the path before, day by day, delays, simpler answers, groups."""

from __future__ import annotations

import json
import re

import cohorts
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from test_render import Page

from ucimpact.report import chart_parts, love
from ucimpact.report.canvas import settings
from ucimpact.report.columns import Columns
from ucimpact.report.lines import Group, Lines
from ucimpact.report.love import Love, Measured
from ucimpact.report.render import drawing, render
from ucimpact.report.view import view
from ucimpact.words import breaks

WIDTHS = (chart_parts.WIDE, chart_parts.NARROW)


@pytest.fixture
def document():
    return cohorts.discharges()


def section(document, ident):
    return next((s for s in view(document).sections if s.ident == ident), None)


def held(document):
    return document["data"]["cohort"]


def test_every_picture_has_its_place_on_the_page(document):
    idents = [s.ident for s in view(document).sections]
    assert idents == [
        "effect", "first", "mean", "naive", "simpler", "say", "money", "subgroups", "others", "trust", "unrecorded",
        "agree", "alternatives", "found", "who", "groups", "before", "how", "data", "checklists", "appendix",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "idents"),
    [
        ("incidence", ["first"]), ("cumulative_count", ["mean"]), ("subgroups", ["subgroups"]), ("trajectory", ["before"]),
        ("trials", ["simpler", "alternatives"]),
    ],
)  # fmt: skip
def test_what_a_document_lacks_is_left_out(document, key, idents):
    before = {s.ident for s in view(document).sections}
    del held(document)[key]
    assert before - {s.ident for s in view(document).sections} == set(idents)


def test_every_chart_has_a_table_and_a_text_of_its_own(document):
    figures = [s.figure for s in view(document).sections if s.figure and s.ident not in ("effect", "naive")]
    assert {f.ident for f in figures} >= {
        "first-chart",
        "mean-chart",
        "love-chart",
        "before-chart",
        "delay-chart",
    }
    for figure in figures:
        assert figure.table and figure.table.rows and figure.name and figure.description and figure.title
    assert len({f.ident for f in figures}) == len(figures)


def test_the_sentences_of_the_pictures_hold_no_word_that_a_report_may_not(document):
    for s in view(document).sections:
        if s.ident in (
            "first",
            "mean",
            "simpler",
            "alternatives",
            "subgroups",
            "unrecorded",
            "before",
            "groups",
        ):
            for text in (s.heading, s.bold, *s.text):
                assert breaks(text) == [], text


# The first screen


def test_the_first_screen_asks_the_question_that_the_number_answers(document):
    head, rest = view(document).answer.question
    assert head == "The question answered:"
    assert rest.startswith("What did starting that day change, compared with")
    page = Page(render(document)).words()
    assert page.index("The question answered:") < page.index("How sure are we?")
    del held(document)["trials"]
    assert view(document).answer.question == ("", "")
    assert "The question answered:" not in Page(render(document)).words()


# Alike or not


def test_the_love_plot_says_what_still_differs(document):
    figure = section(document, "groups").figure
    assert figure.title == "After weighting the groups are alike on every measure"
    assert [row.name for row in figure.chart.rows][:2] == ["Age", "Frailty score"]  # the least alike first
    assert figure.description.startswith("Before, the largest difference was 0.41 standard deviations (age).")
    held(document)["balance"][3]["smd"] = -0.31
    figure = section(document, "groups").figure
    assert figure.title == "After weighting the groups still differ on frailty score"
    assert ("r", "After weighting: not alike") in figure.key
    document["estimates"][0]["spec"]["by"] = "matching"
    assert section(document, "groups").figure.title.startswith("After matching")


def test_what_says_most_of_the_outcome_is_in_bold(document):
    made = section(document, "groups")
    assert {row.name for row in made.figure.chart.rows if row.strong} == {
        "Frailty score", "Emergency admissions in the 90 days to discharge",
    }  # fmt: skip
    assert "In bold" in [head for head, _ in made.note.paragraphs]
    for row in held(document)["balance"]:
        row["strong"] = False
    assert "In bold" not in [head for head, _ in section(document, "groups").note.paragraphs]


def test_sites_overlap_and_weights_are_told(document):
    made = section(document, "groups")
    sites = next(t for t in made.tables if t.head[0] == "Site")
    assert [row[0] for row in sites.rows] == ["Saltby Royal", "Harle Infirmary", "Merebridge General"]
    text = " ".join(made.text)
    assert "overlap by 83% in the two groups, and 2% of the people supported lie outside" in text
    assert (
        "as much as 1,840 people would say who all counted alike, out of 3,720; the largest is 0.4% of all"
        in text
    )


def test_marks_beyond_what_is_alike_are_diamonds_and_none_leaves_the_plot():
    chart = Love(
        rows=[
            Measured(name="near", before=0.3, after=0.05),
            Measured(name="far", before=0.3, after=0.2, strong=True),
            Measured(name="off", before=9.0, after=None),
        ],
        alike=0.1, nearly=0.25, axis_label="in standard deviations",
    )  # fmt: skip
    lines = drawing(chart, chart_parts.WIDE).figure.axes[0].lines
    marks = [(line.get_marker(), line.get_xdata()[0]) for line in lines if line.get_marker() != "None"]
    assert ("D", 0.2) in marks and ("o", 0.05) in marks and (">", chart.end) in marks
    assert chart.end == pytest.approx(love.REACH * 0.25)


def test_its_names_above_stay_within_the_drawing():
    chart = Love(
        rows=[Measured(name="near", before=0.05, after=0.02)],
        alike=0.1, nearly=0.25, axis_label="in standard deviations",
    )  # fmt: skip
    made = drawing(chart, chart_parts.WIDE)
    renderer = FigureCanvasAgg(made.figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in made.figure.texts if text.get_text() == "unlike"]
    assert boxes and all(box.x1 <= made.figure.bbox.x1 for box in boxes)


# Day by day


def test_the_shares_on_the_last_day_by_hand(document):
    made = section(document, "first")
    last = held(document)["incidence"]["rows"][-1]
    assert made.bold == (
        f"By day 30 it had happened to {100 * last['pilot']:.1f} of 100 people supported, "
        f"and to {100 * last['comparison']:.1f} of 100 similar people."
    )
    assert "That is 2.3 fewer of 100 (likely range 5.1 fewer to 0.6 more)." in made.text
    assert made.figure.title == "By day 30 the two groups are too close to tell apart"
    chart = made.figure.chart
    assert len(chart.labels) == 31 and chart.labels[0] == "0" and chart.groups[0].values[0] == 0.0
    assert [group.thin for group in chart.groups] == [False, False, True, True]
    assert len(made.figure.table.rows) <= 16 and made.figure.table.rows[-1][0] == "30"


@pytest.mark.parametrize(
    ("low", "high", "title"),
    [
        (-0.06, -0.01, "By day 30 it had happened to fewer"),
        (0.01, 0.06, "By day 30 it had happened to more"),
        (-0.01, 0.02, "By day 30 the two groups"),
    ],
)
def test_a_title_claims_no_more_than_the_range(document, low, high, title):
    held(document)["incidence"]["difference"].update(conf_low=low, conf_high=high)
    assert section(document, "first").figure.title.startswith(title)
    document["finding"]["key_fail"] = True
    made = section(document, "first")
    assert made.figure.title == "Emergency readmission, day by day"
    assert not any("likely range" in text for text in made.text)


def test_days_that_are_hidden_are_a_gap_and_a_word(document):
    rows = held(document)["incidence"]["rows"]
    for row in rows[:6]:
        row["pilot"] = row["pilot_low"] = row["pilot_high"] = None
    document["disclosure"]["suppressed"] = 6
    made = section(document, "first")
    assert made.figure.chart.groups[0].values[1:7] == [None] * 6
    assert "hidden" in {cell for row in made.figure.table.rows for cell in row}
    assert "begin once 8 had had it" in made.figure.source
    for row in rows:
        row["pilot"] = None
    assert section(document, "first") is None


def test_the_main_outcome_goes_by_its_label_and_not_its_column(document):
    held(document)["incidence"]["event"] = document["finding"]["column"]
    assert section(document, "first").heading == "Emergency admissions: to how many, day by day?"


# The path before


def test_what_nobody_had_before_has_no_path(document):
    for row in held(document)["trajectory"]["rows"]:
        row.update(pilot=0.0, comparison=0.0, others=0.0)
    assert section(document, "before") is None


def test_a_last_month_that_towers_above_the_others_is_told_and_not_drawn(document):
    held(document)["trajectory"]["rows"][-1].update(pilot=104.0, comparison=103.0, others=96.0)
    figure = section(document, "before").figure
    assert figure.chart.labels[-1] == "−2" and all(len(g.values) == 11 for g in figure.chart.groups)
    assert "left out of the chart: 104.0 and 103.0. The table has it." in figure.source
    assert figure.table.rows[-1][0] == "−1"


def test_the_path_before_is_judged_by_its_check_alone(document):
    assert section(document, "before").figure.title == "The two groups were on the same path before the start"
    for answer, title in (
        ("fails", "The two groups were not on"),
        ("cannot tell", "Emergency admissions, month by month"),
    ):
        next(c for c in document["checks"] if c["name"] == "trajectory")["answer"] = answer
        assert section(document, "before").figure.title.startswith(title)
    chart = section(document, "before").figure.chart
    assert chart.labels[0] == "−12" and chart.labels[-1] == "−1" and len(chart.groups) == 3


# Simpler comparisons


def test_simpler_comparisons_are_no_findings_and_say_why(document):
    made = section(document, "simpler")
    assert made.bold == "Anything from a fall of 76% to a rise of 33%."
    rows = made.rows.groups[0].rows
    assert [row.raw for row in rows] == [False, True, True, True]
    assert rows[0].main and rows[0].difference == "14% fewer"
    assert rows[2].detail.startswith("To be visited one must first stay out of hospital")
    assert {row.answer for row in rows if row.raw} == {"unsure"}
    assert made.rows.raw and "rose" not in made.rows.shown
    assert 'class="dot o"' in render(document)
    document["finding"]["key_fail"] = True
    made = section(document, "simpler")
    assert all(row.raw for row in made.rows.groups[0].rows) and made.text[0].endswith(
        "None of these figures is a finding."
    )


def test_other_ways_agree_or_do_not(document):
    assert section(document, "alternatives").bold == "The other ways of comparing the same people agree."
    held(document)["trials"]["agree"] = False
    assert "do not agree" in section(document, "alternatives").bold
    held(document)["trials"]["agree"] = None
    assert section(document, "alternatives").bold == ""
    document["finding"]["refused"] = "too few"
    assert section(document, "alternatives") is None


# Groups of people


def test_groups_differ_only_by_the_test_between_them(document):
    made = section(document, "subgroups")
    assert made.bold == "No: the groups differ by no more than chance would give."
    first = made.rows.groups[0]
    assert first.heading == "Age (p-value of a difference between the groups: 0.43)"
    held(document)["subgroups"][1]["p_interaction"] = 0.03  # two sets of groups: 0.025 is the limit
    assert section(document, "subgroups").bold.startswith("No:")
    held(document)["subgroups"][1]["p_interaction"] = 0.02
    assert section(document, "subgroups").bold.startswith("It differed by lives alone")
    held(document)["subgroups"][0]["rows"][0]["estimate"] = None
    made = section(document, "subgroups")
    assert made.refused[0][0] == "Age: 65 to 74" and len(made.rows.groups[0].rows) == 2
    document["finding"]["key_fail"] = True
    assert section(document, "subgroups") is None


# What was not recorded


def test_what_the_service_cannot_change_is_pooled_first(document):
    made = section(document, "unrecorded")
    rows = made.rows.groups[0].rows
    assert rows[0].main and rows[0].label == "All 3 together" and rows[0].difference == "2% more"
    assert made.refused == (("Burns", "It happened to nobody."),)
    assert made.bold.startswith("A hidden difference") and "1.2 times" in made.text[0]
    sizes, tipping = made.tables
    assert sizes.rows == (("2", "21% more, or 18% fewer"), ("4", "47% more, or 32% fewer"))
    assert tipping.rows == (("2", "30%", "12%", "27%"), ("1.2", "10%", "no share would do", "8%"))
    held(document)["controls"] = None
    held(document)["bias"] = None
    assert section(document, "unrecorded") is None


# Who was included


def test_the_flow_and_the_delay(document):
    made = section(document, "who")
    assert [(step.kind, step.n) for step in made.flow] == [
        ("in", "3,742"), ("out", "118"), ("out", "64"), ("in", "3,560"), ("out", "6"), ("end", "742"),
    ]  # fmt: skip
    chart = made.figure.chart
    assert chart.labels[:2] == ["0", "1"] and chart.values[0] == 171 and not any(chart.together)
    assert made.figure.title == "The service began 2.3 days on average after emergency discharge"
    assert "had the service later" in made.text[0]
    held(document)["trials"]["delays"][9:] = [{"day": 9, "to": 14, "n": 20}]
    held(document)["trials"]["delays"][8]["n"] = None
    figure = section(document, "who").figure
    assert figure.chart.labels[-1] == "9–14" and figure.chart.together[-1]
    assert "On day 8 there were fewer than 8." in figure.source


def test_how_it_was_done_tells_the_choices_of_these_trials(document):
    made = section(document, "how")
    assert made.bold == "We tried to copy a trial that begins anew every day."
    assert "on which each emergency discharge ends, and on each of the 14 days after" in made.text[0]
    assert dict(made.facts)["Last day on which the service may begin"] == "14"


# Drawings

LABEL = "People of the community urgent response service of Northmoor"


def _line(values, **more):
    name = more.pop("name", LABEL)
    return Group(values=values, label=chart_parts.Label(head=name, rest=("weighted",), short=(name,)), **more)


LINES = [
    Lines(labels=[str(k) for k in range(91)], axis_label="days since the start", days=True, groups=[
        _line([0.1 * k for k in range(91)], low=[0.08 * k for k in range(91)], high=[0.12 * k for k in range(91)], pilot=True),
        _line([0.1 * k for k in range(91)]), _line([0.0] * 91, thin=True), _line([0.001] * 91, thin=True, pilot=True)]),
    Lines(labels=["0", "1", "2"], axis_label="days", groups=[_line([None, None, 3.0], pilot=True), _line([None] * 3)]),
    Lines(labels=[f"−{k}" for k in range(12, 0, -1)], axis_label="30-day months before the start of the service and all that it brings", groups=[
        _line([None if k % 3 else 25.0 for k in range(12)], pilot=True), _line([24.9] * 12), _line([25.1] * 12, thin=True)]),
]  # fmt: skip
LOVES = [
    Love(rows=[Measured(name=f"{LABEL} {k}", before=0.02 * k, after=0.01 * k, strong=k % 2 == 0) for k in range(30)],
         alike=0.1, nearly=0.25, axis_label="difference between the groups, in standard deviations"),
    Love(rows=[Measured(name="Age", before=None, after=0.0)], alike=0.1, nearly=0.25, axis_label="in standard deviations"),
]  # fmt: skip
COLUMNS = [
    Columns(labels=[str(k) for k in range(15)], values=[171, None, 118, 92, 71, 49, 34, 22, 14, 9, 5, 2, 3, 0, None],
            together=[False] * 15, axis_label="days since emergency discharge"),
    Columns(labels=[*(str(k) for k in range(29)), "29–90"], values=[float(12345 - 9 * k) for k in range(30)],
            together=[False] * 29 + [True], axis_label="days since the person was put on the list of those at high risk"),
    Columns(labels=["0", "1–14"], values=[None, 10.0], together=[False, True], axis_label="days"),
]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("chart", [*LINES, *LOVES, *COLUMNS])
def test_labels_stay_on_the_sheet_and_keep_apart(chart, width):
    made = drawing(chart, width)
    with settings():
        renderer = FigureCanvasAgg(made.figure).get_renderer()
        made.figure.draw(renderer)
        placed = [(t.get_text(), t.get_window_extent(renderer)) for t in made.labels]
    assert len(placed) > 3
    for k, (text, box) in enumerate(placed):
        assert box.x0 >= -1 and box.x1 <= made.width + 1 and box.y0 >= -4 and box.y1 <= made.height + 2, text
        for other, beside in placed[k + 1 :]:
            across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
            down = min(box.y1, beside.y1) - max(box.y0, beside.y0)
            assert across < 1 or down < 4, f"{text!r} lies on {other!r}"


def test_a_column_stands_for_its_number_and_a_hidden_one_is_a_word():
    made = drawing(COLUMNS[0], chart_parts.WIDE)
    bars = made.figure.axes[0].patches
    assert [round(bar.get_height()) for bar in bars] == [171, 118, 92, 71, 49, 34, 22, 14, 9, 5, 2, 3]
    assert [t.get_text() for t in made.labels].count("few") == 2


def test_the_people_supported_are_drawn_over_the_others():
    axes = drawing(LINES[0], chart_parts.WIDE).figure.axes[0]
    assert [line.get_color() for line in axes.lines][-1] == chart_parts.BLUE
    assert [line.get_linestyle() for line in axes.lines].count("--") == 1


def test_names_that_are_traps_stay_text(document):
    trap = "<script>x</script> & =1+1"
    for key in ("incidence", "cumulative_count", "trajectory"):
        held(document)[key]["event"] = trap
    held(document)["trials"]["naive"][0]["label"] = trap
    held(document)["subgroups"][0]["label"] = trap
    held(document)["balance_by_site"][0]["site"] = trap
    page = render(document)
    assert "<script>x" not in page and "&lt;script&gt;" in page


def test_the_same_document_gives_the_same_bytes(document):
    assert render(document) == render(json.loads(json.dumps(document)))
    assert not re.search(r"\b(nan|inf|None)\b", Page(render(document)).words())
