"""From numbers to strings and places: axes, interval rows, the first screen, small parts of text."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable
from typing import Any

import cohorts
import documents
import pytest

from ucimpact import words
from ucimpact.report import answer, figures, findable, intervals, method, phrases, placebos, scale
from ucimpact.report.intervals import Result
from ucimpact.report.names import TERMS
from ucimpact.report.render import environment
from ucimpact.report.tables import csv_text, download, slug
from ucimpact.report.view import view
from ucimpact.words import measure

FEWER = measure("count", decimals=1)


def section(document: dict[str, Any], ident: str) -> Any:
    return next((made for made in view(document).sections if made.ident == ident), None)


# Axes


def test_ticks_are_round_hold_the_values_and_are_few():
    for low, high, most in itertools.product(
        (-3000.0, -7.3, -0.02, 0.0), (0.011, 0.4, 9.7, 120.0, 5e6), (3, 4, 6)
    ):
        marks = scale.ticks(low, high, most)
        assert 2 <= len(marks) <= most and marks[0] <= low and marks[-1] >= high
        step = marks[1] - marks[0]
        assert f"{step:.6e}"[:3] in ("1.0", "2.0", "2.5", "5.0")


def test_ticks_by_hand():
    assert scale.ticks(0, 41.2, 6) == [0, 10, 20, 30, 40, 50]
    assert scale.ticks(-1.2, 0.9, 6) == [-1.5, -1.0, -0.5, 0.0, 0.5, 1.0]
    assert scale.ticks_within(-4.3, 0.4, 5) == [-4, -3, -2, -1, 0]
    assert scale.ticks(3.0, 3.0, 4)[-1] > 3.0


def test_decimals():
    assert [scale.decimals_for(v) for v in ([1200.0, 3.0], [12.0, None], [0.4], [])] == [0, 1, 2, 2]
    assert [scale.decimals_of_step(v) for v in ([0, 10], [0, 0.5], [0, 0.25])] == [0, 1, 2]


def test_a_place_is_held_inside_its_axis():
    axis = scale.Axis(low=-2.0, high=2.0)
    assert [axis.place(v) for v in (-9.0, -2.0, 0.0, 1.0, 9.0)] == [0, 0, 50, 75, 100]
    assert axis.holds(2.0) and not axis.holds(2.1)


# Interval rows


def made_rows(*results: tuple[float, float | None, float | None], w: float | None = None) -> intervals.Rows:
    told = [Result(label=str(k), est=e, lo=lo, hi=hi) for k, (e, lo, hi) in enumerate(results)]
    return intervals.rows("c", "h", [("", told)], FEWER, worthwhile=w)


def test_a_row_tells_what_its_drawing_shows():
    rows = made_rows((-5.3, -9.9, -0.7), (1.0, -2.0, 4.0), (3.0, 1.0, 5.0), (-2.0, None, None), w=-4.0)
    first, second, third, bare = rows.groups[0].rows
    assert (first.difference, first.range, first.answer) == ("5.3 fewer", "0.7 to 9.9 fewer", "fell")
    assert (second.difference, second.range, second.answer) == ("1.0 more", "2.0 fewer to 4.0 more", "unsure")
    assert third.answer == "rose"
    assert (bare.range, bare.bar_left, bare.answer) == ("no likely range", "", "unsure")
    axis = (-9.9 - 0.06 * 14.9, 5.0 + 0.06 * 14.9)
    assert float(first.dot[:-1]) == pytest.approx(100 * (-5.3 - axis[0]) / (axis[1] - axis[0]), abs=0.06)
    assert float(first.bar_width[:-1]) == pytest.approx(100 * 9.2 / (axis[1] - axis[0]), abs=0.06)
    assert rows.shown == ("fell", "rose", "unsure")
    assert float(rows.worthwhile[:-1]) < float(rows.zero[:-1])


def test_the_ends_of_an_axis_say_which_way():
    ticks = [tick.text for tick in made_rows((-5.0, -10.0, 4.0)).ticks]
    assert ticks == ["10 fewer", "5", "0"]
    assert [t.text for t in made_rows((0.5, -1.0, 2.0)).ticks] == ["1 fewer", "0", "1", "2 more"]


def test_a_far_row_leaves_the_axis_and_is_counted():
    rows = made_rows((-5.0, -9.0, -1.0), (40.0, -80.0, 160.0))
    assert rows.off_axis == 1
    assert rows.groups[0].rows[1].dot == ""
    assert rows.groups[0].rows[1].difference == "40.0 more"


def test_every_place_lies_on_the_plot():
    for a, b, c, w in itertools.product((-900.0, -0.3, 2.0), (0.01, 5.0), (0.02, 7.0), (None, -3.0, 4.0)):
        rows = made_rows((a, a - b, a + c), (2 * a, 2 * a - 40 * b, 2 * a + c), w=w)
        for row in rows.groups[0].rows:
            left, width = float(row.bar_left[:-1]), float(row.bar_width[:-1])
            assert left >= 0 and width >= 0 and left + width <= 100.11
        for tick in rows.ticks:
            assert 0 <= float(tick.left[:-1]) <= 100


# The first screen


def finding(est: float, lo: float, hi: float, expected: float, **more: Any) -> dict[str, Any]:
    return {
        "est": est, "lo": lo, "hi": hi, "expected": expected, "observed": expected + est, "base": 100, "kind": "count", "w": 4.0,
        "outcome": "emergency admissions", "label": "Emergency admissions", "per": "per 100 people over 90 days",
        "scale": "identity", "refused": None, "key_fail": False, **more,
    }  # fmt: skip


def test_squares_tell_the_lead():
    made = answer.picture(finding(-5.3, -9.9, -0.7, 38.1))
    assert made is not None and not made.bars
    wide, narrow = made.strips
    kinds = [square.kind for square in wide.squares]
    assert (kinds.count("was"), kinds.count("not")) == (33, 5) and len(kinds) == 38
    assert [text for *_, text in wide.texts] == ["33 happened", "5 did not (likely range 1 to 10)"]
    assert made.caption == "The 38 emergency admissions expected per 100 people over 90 days"
    assert wide.bracket == "M506 22v6H671v-6"  # 38 - 9.9 = 28.1 to 38 - 0.7 = 37.3 squares of 18 pixels
    assert {square.y for square in wide.squares} == {1} and {square.y for square in narrow.squares} == {1, 25}


def test_squares_beyond_what_was_expected():
    made = answer.picture(finding(5.3, 0.7, 9.9, 38.1))
    assert made is not None
    kinds = [square.kind for square in made.strips[0].squares]
    assert (kinds.count("was"), kinds.count("more")) == (38, 5)
    assert "5 more happened (likely range 1 to 10)" in made.strips[0].texts[1][2]


@pytest.mark.parametrize(
    "change",
    [
        {"est": -1.2, "lo": -8.1, "hi": 5.7, "observed": 36.9},  # could not tell
        {"base": None},
        {"kind": "cost"},
        {"expected": 38.6, "observed": 33.3},  # 39 - 33 is not 5
        {"expected": 380.0, "observed": 374.7},
        {"est": -0.4, "lo": -0.7, "hi": -0.1, "observed": 37.7},
    ],
)
def test_bars_where_squares_would_mislead(change):
    made = answer.picture({**finding(-5.3, -9.9, -0.7, 38.1), **change})
    assert made is not None and not made.strips
    expected, observed = made.bars
    assert expected.range_left and not observed.range_left
    assert (float(expected.width[:-1]) > float(observed.width[:-1])) == (
        made.name.split()[0] > made.name.split()[3]
    )


@pytest.mark.parametrize(
    "change",
    [{"refused": "three places"}, {"key_fail": True}, {"confounded": True}, {"lo": None}, {"expected": None}],
)
def test_no_picture_where_nothing_may_be_claimed(change):
    assert answer.picture({**finding(-5.3, -9.9, -0.7, 38.1), **change}) is None


def test_a_long_headline_is_set_smaller():
    document = documents.hub()
    assert not view(document).answer.long
    document["finding"]["sentences"]["headline"] += "; a worthwhile fall is unlikely, and so is a rise"
    assert view(document).answer.long


def test_certainty_fills_every_level_reached():
    levels = view(documents.practices()).answer.certainty.levels
    assert levels == (
        ("Very low", True, False),
        ("Low", True, True),
        ("Moderate", False, False),
        ("High", False, False),
    )


# Sections


def test_refused_analyses_are_listed_with_their_reason():
    agree = section(documents.practices(), "agree")
    assert agree.refused == (("From April 2019", "The file begins in April 2021: 24 months are not there."),)
    assert [group.heading for group in agree.rows.groups] == ["", "With the dates moved by a month or more"]
    assert agree.rows.groups[0].rows[0].main and len(agree.rows.groups[1].rows) == 6
    assert agree.rows.worthwhile_text == "Smallest worthwhile fall, 1.9"


def test_other_outcomes_stand_beside_the_main_one_as_shares():
    others = section(documents.practices(), "others")
    assert [row.label for row in others.rows.groups[0].rows] == [
        "Emergency admissions",
        "A&E attendances",
        "GP contacts",
    ]
    assert others.rows.groups[0].rows[2].difference == "6% more"
    assert others.refused[0][0] == "Ambulance journeys"


def test_better_higher_puts_the_worthwhile_mark_on_the_other_side():
    document = documents.practices()
    document["finding"]["better"] = "higher"
    agree = section(document, "agree")
    assert float(agree.rows.worthwhile[:-1]) > float(agree.rows.zero[:-1])
    assert "rise" in agree.rows.worthwhile_text


def test_a_step_reached_through_the_other_analyses_is_the_answer():
    document = documents.practices()
    assert section(document, "agree").bold == "3 analyses point the same way."
    document["certainty"]["steps"] = document["certainty"]["steps"][:1]
    assert section(document, "agree").bold == ""


def test_what_is_left_out_is_told_once():
    document = documents.practices()
    assert section(document, "who").tables == ()
    document["data"]["left_out"].append({"n": 4, "reason": "no postcode"})
    [untold] = section(document, "who").tables
    assert untold.rows == (("No postcode", "4"),)
    assert [step.n for step in section(document, "who").flow] == ["1,056", "72", "hidden", "960"]


def test_a_hidden_cell_is_called_hidden_and_an_absent_one_missing():
    document = documents.practices()
    document["estimates"][0]["counterfactual"][3]["observed"] = None
    assert figures.observed_expected(document).table.rows[3][1] == "hidden"
    document["disclosure"]["suppressed"] = 0
    assert figures.observed_expected(document).table.rows[3][1] == "missing"


def test_a_distant_comparison_is_left_to_the_table():
    document = documents.practices()
    assert figures.observed_expected(document).chart.comparison_label is not None
    for row in document["estimates"][0]["extras"]["comparison"]:
        row["mean"] *= 10
    far = figures.observed_expected(document)
    assert far.chart.comparison_label is None and not any(far.chart.comparison)
    assert far.table.head[-1] == "Comparison"


def test_a_unit_is_called_what_the_document_calls_it():
    assert figures.observed_expected(documents.practices()).chart.observed_label.rest == (
        "mean of 12 pilot practices",
    )
    assert figures.observed_expected(documents.trust()).chart.observed_label.rest == ("the pilot unit",)
    assert figures.observed_expected(documents.hub()).chart.observed_label.rest == ()


def test_the_band_begins_with_the_pilot():
    chart = figures.observed_expected(documents.practices()).chart
    assert chart.low[:12] == [None] * 12 and None not in chart.low[12:]
    assert chart.start == 12 and chart.labels[12] == "Apr 2022"


def test_a_model_of_logarithms_is_drawn_in_per_cent():
    document = documents.trust()
    first = next(row for row in document["estimates"][0]["effects"] if row["term"] == "event")
    figure = figures.path(document)
    assert figure.chart.estimates[0] == pytest.approx(100 * (2.718281828459045 ** first["estimate"] - 1))
    assert figure.chart.worthwhile == -5.0 and "per cent" in figure.measure
    assert placebos.placebo(document).chart.worded(-10.0, 0) == "10% fewer"


def test_the_worthwhile_effect_of_a_path_is_that_share_of_what_was_expected():
    document = documents.practices()
    found = document["finding"]
    after = [row["expected"] for row in document["estimates"][0]["counterfactual"] if row["since"] >= 0]
    assert figures.path(document).chart.worthwhile == pytest.approx(-0.05 * sum(after) / len(after))
    assert found["w"] / found["expected"] == pytest.approx(0.05)


def test_the_period_before_the_start_is_in_the_path_as_nought():
    figure = figures.path(documents.practices())
    assert figure.chart.estimates[11] == 0.0 and figure.chart.low[11] is None
    assert figure.table.rows[11][1:] == ("0.0", *["none: the others are measured against it"] * 2)


def test_the_curve_says_four_in_five_at_two_point_eight_standard_errors():
    document = documents.practices()
    figure = findable.power(document)
    chart = figure.chart
    assert chart.found_at == pytest.approx(2.8 * document["finding"]["found_se"])
    near = min(range(81), key=lambda k: abs(chart.sizes[k] - chart.found_at))
    assert chart.chances[near] == pytest.approx(80, abs=2)
    assert f"a fall of {chart.found_label[0].split()[0]} per 100" in document["finding"]["sentences"]["found"]
    half = (document["finding"]["hi"] - document["finding"]["lo"]) / 2
    middle = min(range(81), key=lambda k: abs(chart.sizes[k] - half))
    assert chart.chances[middle] == pytest.approx(50, abs=3)  # half the range is found as often as not
    assert chart.chances == sorted(chart.chances) and chart.chances[0] < 5


def test_too_few_people_are_told_how_many_it_takes():
    """540 people found 9.86 per 100: about six times as many find 4."""
    document = cohorts.volunteers()
    found = document["finding"]
    took = section(document, "found").text[-1]
    assert took == words.takes(words.people_needed(540, found["found_se"], 4), 4, 100, analysed=540)
    assert took.startswith("To find a fall of 4 per 100 four times in five takes about 3,2")
    document["finding"]["w"] = 12.0
    assert not findable.people_it_takes(document)
    assert not findable.people_it_takes(documents.practices())


def test_a_curve_needs_no_standard_error_of_its_own():
    document = documents.practices()
    document["finding"]["se"] = None
    chart = findable.power(document).chart
    assert chart.found_at == pytest.approx(2.8 * document["finding"]["found_se"])


def test_where_nothing_may_be_claimed_no_chart_or_row_claims_it():
    for bar in ("key_fail", "confounded", "refused"):
        document = documents.practices()
        document["finding"][bar] = "one winter"
        assert findable.power(document) is None
        assert figures.observed_expected(document).title == "Emergency admissions, observed and expected"
        assert "None of these figures is a finding" in section(document, "agree").text[0]
    assert "None of these figures" not in section(documents.practices(), "agree").text[0]


def test_checks_are_counted_in_words():
    assert phrases.tally(["holds", "holds", "fails"]) == "Two checks hold and one fails."
    assert phrases.tally(["doubtful"]) == "One check is doubtful."
    assert phrases.tally(["cannot tell"] * 2) == "Two checks cannot be answered."
    assert section(documents.hub(), "trust").bold == "Two checks hold, two are doubtful and one fails."


def test_facts_have_names_and_unknown_ones_their_own():
    told = method.named({"zeta_value": 2.5, "n1": 3, "gone": None, "rows": [1]}, {"n1": "Pilot units"})
    assert told == (("Pilot units", "3"), ("Zeta value", "2.5"))
    facts = dict(method.facts(documents.practices()))
    assert facts["Pilot unusually changeable before the start"] == "no"
    hub = dict(method.facts(documents.hub()))
    assert hub["Season"].startswith("36 months")
    assert hub["Range of: change of slope, each period"] == "t averaged over the autocorrelation"
    document = documents.hub()
    document["estimates"][0]["extras"]["route"] = {
        "average": "kenward-roger",
        "level_change": "kenward-roger",
    }
    assert dict(method.facts(document))["How every range was made"].startswith("REML")
    document = documents.practices()
    opinion = {"procedure": "permutation of t", "p_value": 0.0076}
    document["estimates"][0]["extras"]["rule"]["second_opinion"] = opinion
    assert dict(method.facts(document))["Second opinion"] == "permutation of t: p-value 0.008"


def test_effects_in_full_leave_the_path_to_its_own_table():
    table = method.effects_in_full(documents.practices())
    assert [row[0] for row in table.rows] == [TERMS[name] for name in ("att", "cumulative", "relative")]
    assert table.rows[2][2] == "not worked out"


def test_figures_and_p_values():
    assert [method.figure(v) for v in (-1.7289, 123.456, 4321.9, 0.05591, 0.00001, 0.0)] == [
        "−1.729", "123.5", "4,322", "0.0559", "under 0.0001", "0"
    ]  # fmt: skip
    assert [method.p_value(p) for p in (0.0214, 0.0001, None)] == ["0.021", "under 0.001", "not worked out"]


# What a document may lack


def drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        *way, last = path
        for key in way:
            document = document[key]  # type: ignore[index]
        del document[last]  # type: ignore[arg-type]

    return change


ABSENT = [
    ("finding", "can_say"), ("finding", "cannot_say"), ("finding", "limits"), ("finding", "procedure"), ("finding", "interval_note"),
    ("finding", "w"), ("finding", "se"), ("finding", "found_se"), ("finding", "confounded"), ("finding", "expected"), ("finding", "observed"), ("finding", "key_fail"), ("finding", "refused"),
    ("finding", "sentences", "found"), ("finding", "sentences", "percent"), ("finding", "sentences", "avoided"),
    ("finding", "sentences", "extra"), ("finding", "sentences", "lead"), ("finding", "sentences", "alt"), ("finding", "sentences", "chart_title"),
    ("certainty", "line"), ("decision", "cost"), ("decision", "because"), ("decision", "would_change"),
    ("estimates", 0, "counterfactual"), ("estimates", 0, "extras"), ("estimates", 0, "effects"), ("estimates", 0, "warnings"),
    ("estimates", 0, "draws_from"), ("estimates", 0, "spec"), ("data", "frequency"), ("data", "window"), ("data", "coercions"),
    ("study", "unused"), ("study", "method"), ("disclosure", "profile"), ("disclosure", "log"), ("checks", 0, "table"),
]  # fmt: skip


def page(document: dict[str, Any]) -> str:
    """The page with a word in place of each drawing."""
    made = environment()
    made.filters["drawn"] = lambda figure: f"[{figure.ident}]"
    return made.get_template("evaluation.html.j2").render(view=view(document))


@pytest.mark.parametrize("path", ABSENT, ids=lambda path: "-".join(map(str, path)))
def test_a_part_that_may_be_absent_may_be_absent_or_none(path):
    for make in (documents.practices, documents.hub):
        document = make()
        drop(*path)(document)
        absent = page(document)
        document = make()
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = None
        assert page(document) == absent
        assert not re.search(r"\bNone\b(?! back)", absent)


@pytest.mark.parametrize(
    "path",
    [("finding", "sentences", "headline"), ("decision", "verdict"), ("study", "hash"), ("finding", "label")],
)
def test_a_part_that_must_be_there_is_missed(path):
    document = documents.practices()
    drop(*path)(document)
    with pytest.raises(KeyError):
        view(document)


# Small parts


def test_stops_and_first_sentences():
    assert [phrases.stopped(t) for t in ("A fall", "Why?", "", "“Quoted.”")] == [
        "A fall.",
        "Why?",
        "",
        "“Quoted.”",
    ]
    assert phrases.first_sentence("About 5 fewer, 1.2 to 9. The rest. More.") == (
        "About 5 fewer, 1.2 to 9.",
        "The rest. More.",
    )
    assert phrases.first_sentence("Only one.") == ("Only one.", "")


def test_the_size_in_the_lead_stands_out():
    lead = "About 5 fewer emergency admissions per 100 people supported, over 90 days (likely range 1 to 10 fewer)."
    assert phrases.emphasised(lead)[1] == ("5 fewer emergency admissions per 100 people supported", True)
    assert "".join(text for text, _ in phrases.emphasised(lead)) == lead
    assert phrases.emphasised("£1,200 lower cost a month")[0] == ("£1,200 lower cost a month", True)
    assert phrases.emphasised("The likely range is 1 to 2 fewer.") == (
        ("The likely range is 1 to 2 fewer.", False),
    )
    assert phrases.emphasised("") == ()


def test_days():
    assert phrases.day("2026-08-03T10:00:00+00:00") == "3 August 2026"
    assert phrases.day("last week") == "last week"
    assert figures.short_period("2022-04", "April 2022") == "Apr 2022"
    assert figures.short_period("2023-01-05", "week from 5 January 2023") == "5 Jan 2023"
    assert figures.short_period("2022-Q2", "April to June 2022") == "Apr 2022"
    assert figures.short_period("2022/23", "2022/23") == "2022/23"


def test_formulas_are_disarmed_in_every_cell_and_heading():
    traps = ["=1+1", " =1", "+A1", "-A1", "@x", "\tx", "＝1", "safe", "a=b"]
    text = csv_text([{"=h": trap, "n": -5} for trap in traps])
    lines = text.splitlines()
    assert lines[0] == "'=h,n" and lines[1] == "'=1+1,-5"
    assert [line.startswith(("'", "\"'")) for line in lines[1:]] == [True] * 7 + [False] * 2
    assert download("A&E / month", [{"a": 1.23456789}]).name == "a-e-month.csv"
    assert slug("???") == "table"


def test_tidying_keeps_text_and_drops_what_cannot_be_seen():
    document = {"a": "x\x00y\u202ez\n\tü", "b": [1, None, {"c": "\x1b[0m"}]}
    before = copy.deepcopy(document)
    assert phrases.tidy(document) == {"a": "xyz\n\tü", "b": [1, None, {"c": "[0m"}]}
    assert document == before
