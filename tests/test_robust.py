"""Choices, designs and many questions in a study: what is asked, what is fitted, and what is said of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.robust_study import STUDY, practices, written
from tests.small_study import SERIES, edited, refused, series_table, write
from ucimpact import cli
from ucimpact.disclosure import release
from ucimpact.errors import DesignError, UsageError
from ucimpact.evaluation import Evaluation, evaluate, judge
from ucimpact.evaluation.curve import NOT_THIS, specifications
from ucimpact.evaluation.multiplicity import multiplicity
from ucimpact.evaluation.one_comparison import one_comparison, own_past_twice
from ucimpact.evaluation.triangulation import Others, _held, added_up, triangulated
from ucimpact.report.curve import curve as curve_section
from ucimpact.report.multiplicity import chances
from ucimpact.report.multiplicity import multiplicity as many_section
from ucimpact.report.render import render
from ucimpact.report.triangulation import triangulation as design_section
from ucimpact.study import Method, Window, read_records, read_study
from ucimpact.words import NEVER, breaks, robust

CURVE = """
[curve]
methods = ["callaway-santanna"]
windows = [{ from = "2023-07", to = "2025-06" }, { from = "2021-07", to = "2024-05" }]
log = [true]
"""
OWN_PAST = '\n[[triangulation]]\nmethod = "its"\n'


@pytest.fixture(scope="module")
def firm(tmp_path_factory) -> Evaluation:
    path = written(tmp_path_factory.mktemp("firm"), CURVE, OWN_PAST)
    return evaluate(read_study(path, judge=judge))


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Evaluation:
    return evaluate(read_study(written(tmp_path_factory.mktemp("plain")), judge=judge))


# -- what may be asked -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("[curve]\nmethds = []\n", "`methds`: there is no such key. Did you mean `methods`"),
        ("[curve]\nlog = [false]\n", "names no choice beside those of the main analysis"),
        ('[curve]\nmethods = ["dad"]\n', 'there is no method "dad"'),
        ('[curve]\nmethods = ["its"]\n', '"its" works on'),
        ('[curve]\nadjust = [["imd"]]\n', '`adjust`: is for kind = "series" only'),
        ('[curve]\nwindows = [{ from = "2023-01", to = "2022-01" }]\n', "before it begins"),
        ('[[triangulation]]\nnote = "x"\n', "names one of two"),
        ('[[triangulation]]\nmethod = "did"\n', 'is "its" or "count-its" here'),
        ('[[triangulation]]\nmethod = "its"\nstudy = "a.toml"\n', "names one of two"),
    ],
)
def test_what_cannot_be_asked_is_told_with_its_line(tmp_path, added, told):
    lines = refused(tmp_path, ('name = "did"\n', f'name = "did"\n{added}'), judge=judge)
    assert any(told in line and "line 2" in line for line in lines), lines


def test_more_than_sixty_combinations_are_refused(tmp_path):
    months = [f'{{ from = "2022-04", to = "2023-0{k}" }}' for k in range(1, 4)]
    sets = ", ".join(["[]", '["imd"]', '["list_size"]', '["imd", "list_size"]'])
    methods = '["callaway-santanna", "imputation", "sun-abraham"]'
    added = f"[curve]\nmethods = {methods}\nwindows = [{', '.join(months)}]\ncovariates = [{sets}]\nlog = [true]\n"
    (head, line) = refused(tmp_path, ('name = "did"\n', f'name = "did"\n{added}'), judge=judge)
    assert "asks for 128 combinations, and 60 are the most" in line  # 4 methods x 4 windows x 4 sets x 2
    assert head.startswith("1 problem")


def test_an_option_that_no_method_has_is_refused(tmp_path):
    edits = ('name = "did"\n', 'name = "count-did"\n[curve]\nlog = [true]\n')
    assert "count-did cannot take" in refused(tmp_path, edits, judge=judge)[1]


# -- the curve ---------------------------------------------------------------------------


def test_every_combination_stands_once_with_the_main_analysis_first(tmp_path):
    text = edited(STUDY, ('name = "did"\n', 'name = "did"\ncovariates = ["falls"]\n'))
    added = CURVE.replace('"]\nwin', '", "cost-did"]\nwin').replace(
        "log = [true]", 'log = [true]\ncovariates = [[], ["falls", "list_size"]]'
    )
    found = specifications(read_study(written(tmp_path, added, text=text), judge=judge))
    assert found[0].main and found[0].told["covariates"] == "falls"
    did = [spec for spec in found if spec.name == "did"]
    assert len(did) == 3 * 3 * 2  # windows, covariates, log
    # Callaway and Sant'Anna have covariates and no log, the model of costs has neither
    assert [sum(s.name == name for s in found) for name in ("callaway-santanna", "cost-did")] == [9, 3]
    ours = next(spec for spec in found if spec.name == "callaway-santanna")
    assert ours.options == {"covariates": ["falls"]} and ours.told["log"] == NOT_THIS
    bare = [spec for spec in did if spec.told["covariates"] == "none"]
    assert bare and all("covariates" not in spec.options for spec in bare)
    assert {type(spec.window) for spec in found} == {str, Window}


def test_the_curve_fits_what_can_be_fitted_and_says_why_not(firm):
    held = firm.robust["curve"]
    fitted = [analysis for analysis in firm.analyses if analysis.role == "curve"]
    assert len(fitted) == held["tried"] == 5
    assert len(held["refused"]) == 3  # nobody has the pilot before it starts
    assert all("2021-07 to 2024-05" in row["label"] and "pilot" in row["why"] for row in held["refused"])
    main = firm.primary
    assert held["same"] == sum(a.est * main.est > 0 for a in fitted)
    assert held["outside"] == sum(not a.lo <= main.est <= a.hi for a in fitted)
    assert held["answer"].startswith("All 5 analyses point the same way")


def test_a_combination_is_the_analysis_that_a_person_would_have_declared(tmp_path, firm):
    added = '[[sensitivity]]\nname = "did"\nlog = true\nwindow = { from = "2023-07", to = "2025-06" }\nnote = "one"\n'
    declared = evaluate(read_study(written(tmp_path, added), judge=judge))
    (one,) = [a for a in declared.analyses if a.role == "sensitivity"]
    label = "window: 2023-07 to 2025-06; as a logarithm: yes"
    (same,) = [a for a in firm.analyses if a.role == "curve" and a.label == label]
    assert (same.est, same.lo, same.hi) == pytest.approx((one.est, one.lo, one.hi))


def test_the_curve_changes_neither_numbers_nor_certainty(firm, plain):
    for name in ("est", "lo", "hi", "w"):
        assert firm.finding[name] == plain.finding[name]
    assert not [step for step in firm.certainty["steps"] if step["code"] == "N"]
    assert "curve" not in plain.robust and "triangulation" not in plain.robust
    assert robust.NO_STEP in firm.robust["curve"]["text"]


def test_the_page_shows_the_curve_sorted_with_its_choices(firm):
    document = release(firm).to_dict()
    section = curve_section(document)
    dots = section.figure.chart.dots
    assert [dot.estimate for dot in dots] == sorted(dot.estimate for dot in dots)
    assert sum(dot.main for dot in dots) == 1 and len(dots) == 6
    assert section.tables[0].head[2:] == ("Method", "Window", "As a logarithm")
    assert len(section.tables[0].rows) == 6 and len(section.refused) == 3
    page = render(document)
    for part in ('id="curve"', 'id="triangulation"', 'id="multiplicity"', "Chance finding, one question"):
        assert part in page


SERIES_CURVE = '[curve]\nmethods = ["count-its"]\nwindows = ["all"]\ncontrols = [["beds"]]\n'


def test_a_series_has_a_curve_too(tmp_path):
    text = edited(
        SERIES,
        ("start = 2024-07-01\n", "start = 2024-07-01\nwindow = { from = 2021-10-01, to = 2025-06-01 }\n"),
    )
    path = write(tmp_path, text=text, table=series_table())
    path.write_text(path.read_text() + SERIES_CURVE.replace('controls = [["beds"]]\n', ""))
    held = evaluate(read_study(path, judge=judge)).robust["curve"]
    assert held["tried"] == 3 and {row["choices"]["window"] for row in held["rows"]} == {
        "as planned",
        "the whole file",
    }


@pytest.mark.parametrize(
    ("same", "tried", "outside", "text"),
    [
        (6, 6, 0, "All 6 analyses point the same way; none leaves our result outside."),
        (5, 6, 1, "5 of 6 analyses point the same way; 1 leaves our result outside."),
        (0, 6, 6, "0 of 6 analyses point the same way; 6 leave our result outside."),
        (1, 1, 0, "The one other analysis points the same way; its range holds our result."),
        (0, 1, 1, "The one other analysis points the other way; it leaves our result outside."),
    ],
)
def test_what_is_said_of_a_curve(same, tried, outside, text):
    assert robust.curve_answer(same, tried, outside) == text


# -- other designs -----------------------------------------------------------------------


def test_places_added_up_are_their_sum(tmp_path):
    table = practices()
    study = read_study(written(tmp_path, OWN_PAST, table=table))
    made, records = added_up(study, read_records(study), "its")
    total = table[table["joined"] != ""].groupby("month")[["admissions", "list_size"]].sum()
    assert records.data.values("admissions") == pytest.approx(total["admissions"].to_numpy())
    assert records.data.values("list_size") == pytest.approx(total["list_size"].to_numpy())
    assert records.data.start_ordinal - records.data.ordinals[0] == 36
    assert (made.method.name, made.data.kind, made.sensitivity) == ("its", "series", ())


def test_all_that_is_known_of_the_time_before_is_added_up(tmp_path):
    text = edited(
        STUDY,
        (
            'population = "list_size"\n',
            'population = "list_size"\nwindow = { from = "2023-07", to = "2025-03" }\n',
        ),
    )
    study = read_study(written(tmp_path, OWN_PAST, text=text))
    _, records = added_up(study, read_records(study), "its")
    assert len(records.data.ordinals) == 36 + 9


@pytest.mark.parametrize("what", ["starts", "kind", "gap"])
def test_places_that_have_no_sum_are_refused(tmp_path, what):
    table, text = practices(), STUDY
    if what == "starts":
        table.loc[table["practice"] == "Practice 01", "joined"] = "2024-09"
    elif what == "kind":
        text = edited(text, ('kind = "count"\nprimary', 'kind = "score"\nprimary'))
    else:
        gone = (table["practice"] == "Practice 02") & (table["month"] == "2025-01")
        table = table.astype({"admissions": object})
        table.loc[gone, "admissions"] = ""
    study = read_study(written(tmp_path, OWN_PAST, text=text, table=table))
    told = {
        "starts": "start at different times",
        "kind": "has no total",
        "gap": "has no value in some period",
    }
    with pytest.raises(DesignError, match=told[what]):
        added_up(study, read_records(study), "its")


def test_two_designs_that_agree_earn_a_step_back(firm, plain):
    assert firm.robust["triangulation"]["answer"] == "A second design, with another comparison, agrees."
    assert (plain.certainty["level"], firm.certainty["level"]) == ("low", "moderate")
    assert firm.certainty["steps"][-1]["text"] == "two independent designs agree."
    section = design_section(release(firm).to_dict())
    assert section.ident == "triangulation" and len(section.rows.groups[0].rows) == 2
    ours, theirs = firm.robust["triangulation"]["rows"]
    assert ours["est"] == pytest.approx(100 * (firm.finding["percent"]["ratio"] - 1))
    assert theirs["est"] == pytest.approx(-15, abs=3)


def other_study(folder, *edits):
    """A study of the same pilot held against other places, in a folder beside."""
    other = folder / "other"
    other.mkdir()
    table = practices(effect=0.2, seed=9)
    beside = table["joined"] == ""
    table.loc[beside, "practice"] = table.loc[beside, "practice"].str.replace("Practice", "Surgery")
    text = edited(STUDY, ("22 practices without visits", "Practices of the next county"), *edits)
    return written(other, text=text, table=table)


def test_designs_on_opposite_sides_are_in_conflict(tmp_path):
    other_study(tmp_path)
    path = written(tmp_path, '\n[[triangulation]]\nstudy = "other/study.toml"\nnote = "The next county"\n')
    evaluation = evaluate(read_study(path, judge=judge))
    row = evaluation.robust["triangulation"]["rows"][1]
    assert (row["label"], row["verdict"], row["comparison"]) == (
        "The next county",
        "conflict",
        "Practices of the next county",
    )
    assert "in conflict" in evaluation.robust["triangulation"]["answer"]
    assert evaluation.certainty["level"] == "low"


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ([('label = "Emergency admissions"', 'label = "Falls"')], "its outcome is “falls”, and here “emergency admissions”"),
        ([("Patients of 30 practices", "Adults")], "its population is “adults”"),
        ([("Practices of the next county", "22 practices without visits")], "it compares with the same"),
        ([('population = "list_size"\n', 'population = "list_size"\nwindow = { from = "2021-07", to = "2025-05" }\n')], "its last period is"),
    ],
)  # fmt: skip
def test_a_study_of_another_question_is_refused_and_what_differs_is_said(tmp_path, plain, edits, told):
    text = edited(STUDY, ("22 practices without visits", "Practices of the next county"), *edits)
    study = read_study(written(tmp_path, '\n[[triangulation]]\nstudy = "other"\n'), judge=judge)
    records = read_records(study)
    (tmp_path / "study.toml").write_text(text)
    shorter = {**plain.data, "window": [plain.data["window"][0], "May 2025"]}
    theirs = replace(plain, data=shorter) if "window" in text else plain
    others = Others(from_file=lambda _: (read_study(tmp_path), theirs), of_records=lambda *_: plain)
    found = triangulated(study, records, plain.finding, plain.data, others, print)
    row = found.document["rows"][1]
    assert told in row["refused"] and row["verdict"] is None and len(found.designs) == 1
    document = {**plain.to_dict(), "robust": {"triangulation": found.document}}
    assert design_section(document).refused == ((row["label"], f"{row['refused']}."),)


def beside(folder, plain, edits=(), **controls):
    """What is said of a study that is named beside the plain one, whose comparison is in other words only."""
    text = edited(STUDY, ("22 practices without visits", "Practices next door"), *edits)
    study = read_study(written(folder, '\n[[triangulation]]\nstudy = "other"\n'), judge=judge)
    records = read_records(study)
    (folder / "study.toml").write_text(text)
    theirs = read_study(folder, judge=judge)
    own = {**plain.comparable["controls"], **controls}
    shifted = {name: value + 1e-3 for name, value in plain.finding["percent"].items()}
    evaluated = replace(
        plain,
        comparable={**plain.comparable, "controls": own},
        finding={**plain.finding, "percent": plain.finding["percent"] if controls.get("same") else shifted},
    )
    others = Others(from_file=lambda _: (theirs, evaluated), of_records=lambda *_: plain)
    return triangulated(study, records, plain.finding, plain.data, others, print)


COUNTED = ('name = "did"', 'name = "count-did"')


@pytest.mark.parametrize(
    ("edits", "controls", "told"),
    [
        ((), {}, robust.ONE_METHOD),
        ((COUNTED,), {}, "22 of the same places"),
        ((COUNTED,), {"files": ["saved anew"]}, "22 of the same places"),
        ((COUNTED,), {"files": ["x"], "units": [f"Practice {k:02d}" for k in range(8, 12)] + ["A", "B", "C"]}, "four of the same places"),
        ((), {"files": ["x"], "units": ["A", "B"], "same": True}, robust.ONE_RESULT),
    ],
)  # fmt: skip
def test_one_comparison_in_other_words_is_no_second_design(tmp_path, plain, edits, controls, told):
    found = beside(tmp_path, plain, edits, **controls)
    row = found.document["rows"][1]
    assert row["refused"].startswith("It is no other design: ") and told in row["refused"]
    assert (row["verdict"], len(found.designs)) == (None, 1)
    assert found.document["answer"] == "No second design could be set beside this one."


def test_places_of_which_half_or_fewer_are_shared_are_another_comparison(tmp_path, plain):
    few = [f"Practice {k:02d}" for k in range(8, 11)] + ["A", "B", "C"]
    found = beside(tmp_path, plain, (COUNTED,), files=["x"], units=few)
    assert found.document["rows"][1]["verdict"] == "agree" and len(found.designs) == 2


def test_the_same_file_of_people_holds_no_other_comparison(tmp_path, plain):
    study = read_study(written(tmp_path), judge=judge)
    records = read_records(study)
    people = replace(study, data=replace(study.data, kind="cohort"), method=Method(name="weighted-cohort"))
    matched = replace(people, method=Method(name="matched-cohort"))
    files = [row["sha256"] for row in records.fingerprints]
    assert one_comparison(people, records, matched, {"counts": {}}, {"files": files, "units": None}) == [
        robust.ONE_PEOPLE
    ]
    assert not one_comparison(people, records, matched, {"counts": {}}, {"files": ["x"], "units": None})


@pytest.mark.parametrize(
    ("name", "ours", "theirs", "files", "told"),
    [
        ("count-its", {}, {}, ["x"], [robust.BOTH_OWN_PAST]),
        ("its", {}, {}, None, [robust.ONE_METHOD]),
        ("structural", {"controls": ["next"]}, {}, None, []),
        ("structural", {"controls": ["next"]}, {"controls": ["next"]}, None, [robust.one_series(1)]),
        ("structural", {"controls": "next"}, {"controls": ["other"]}, None, []),
    ],
)
def test_two_series_against_their_own_past_are_one_design(tmp_path, name, ours, theirs, files, told):
    study = read_study(write(tmp_path, text=SERIES))
    records = read_records(study)
    first = replace(study, method=Method(name="its", options=ours))
    second = replace(study, method=Method(name=name, options=theirs))
    held = {"files": files or [row["sha256"] for row in records.fingerprints], "units": None}
    assert one_comparison(first, records, second, {"counts": {}}, held) == told


def test_sites_each_against_its_own_past_have_it_already(tmp_path):
    table = practices()
    table = table[table["joined"] != ""]
    text = edited(STUDY, ('name = "did"', 'name = "multi-site-its"'))
    study = read_study(written(tmp_path, OWN_PAST, text=text, table=table))
    assert own_past_twice(study, read_records(study)) == [robust.BOTH_OWN_PAST]
    whole = read_study(written(tmp_path, OWN_PAST, text=text))
    assert own_past_twice(whole, read_records(whole)) == []


def test_a_study_is_no_second_design_of_itself(tmp_path, plain):
    study = read_study(written(tmp_path, '\n[[triangulation]]\nstudy = "study.toml"\n'), judge=judge)
    others = Others(from_file=lambda _: (study, plain), of_records=lambda *_: plain)
    with pytest.raises(UsageError, match="this study itself"):
        triangulated(study, read_records(study), plain.finding, plain.data, others, print)


@pytest.mark.parametrize(
    ("verdicts", "text"),
    [
        ([], "No second design could be set beside this one."),
        (["agree"], "A second design, with another comparison, agrees."),
        (["cannot tell"], "A second design neither confirms nor contradicts this one."),
        (["agree", "agree"], "Two other designs, each with another comparison, agree with this one."),
        (["agree", "conflict", "agree"], "Of three other designs two agree and one finds the opposite."),
    ],
)
def test_what_is_said_of_other_designs(verdicts, text):
    assert robust.triangulation_answer(verdicts) == text


@pytest.mark.parametrize(
    ("one", "other", "better", "verdict", "why"),
    [
        ((-10, -15, -5), (-8, -14, -2), "lower", "agree", "on the side of benefit"),
        ((24, 15, 33), (20, 12, 28), "lower", "agree", "on the side of harm"),
        ((24, 15, 33), (20, 12, 28), "higher", "agree", "on the side of benefit"),
        ((24, 15, 33), (10, 2, 18), "lower", "cannot tell", "outside the other’s range"),
        ((24, 15, 33), (20, -1, 41), "lower", "cannot tell", "includes no change"),
        ((-10, -15, -5), (20, 12, 28), "lower", "conflict", "opposite sides"),
    ],
)
def test_two_designs_agree_on_either_side_of_no_change(one, other, better, verdict, why):
    said, reason = _held(one, other, better, usable=True)
    assert said == verdict and why in reason


@pytest.mark.parametrize(
    ("theirs", "ranges"),
    [
        (
            (-6.2, -10.1, -2.3),
            ["5.4% to 14.6% fewer", "2.3% to 10.1% fewer"],
        ),  # 10.2 is outside, and printed within
        (
            (-6.2, -10.17, -2.3),
            ["5.40% to 14.60% fewer", "2.30% to 10.17% fewer"],
        ),  # and 10.2 is printed on 10.2
        ((-8.0, -12.0, -4.0), ["5% to 15% fewer", "4% to 12% fewer"]),
    ],
)
def test_what_lies_within_a_range_is_seen_in_what_is_printed(plain, theirs, ranges):
    rows = [
        {"label": "did", "comparison": "A", "main": True, "est": -10.2, "low": -14.6, "high": -5.4},
        {"label": "B", "comparison": "B", "est": theirs[0], "low": theirs[1], "high": theirs[2], "verdict": "cannot tell", "why": ""},
    ]  # fmt: skip
    held = {"rows": rows, "answer": "", "text": []}
    section = design_section({**plain.to_dict(), "robust": {"triangulation": held}})
    assert [row.range for row in section.rows.groups[0].rows] == ranges


@pytest.mark.parametrize("ask", ["check", "run"])
def test_files_that_are_named_and_not_there_are_all_told_before_anything_is_worked_out(tmp_path, ask):
    other = tmp_path / "other"
    other.mkdir()
    (other / "study.toml").write_text(edited(STUDY, ('name = "did"', 'name = "dud"')))
    added = [
        '[[triangulation]]\nstudy = "nope.toml"\n',
        '[[triangulation]]\nstudy = "other"\n',
        '[[triangulation]]\nstudy = "study.toml"\n',
        '[league]\nresult = "nope/league.json"\n',
    ]
    path = written(tmp_path, *added)
    said = CliRunner().invoke(
        cli.app, [ask, str(path), *(["--out", str(tmp_path / "out")] if ask == "run" else [])]
    )
    assert said.exit_code == 2 and "Ready" not in said.output
    told = said.output.splitlines()
    lines = path.read_text().splitlines()
    assert told[0] == "4 problems in study.toml"
    for at, (line, words) in enumerate(
        [
            (
                'study = "nope.toml"',
                '[[triangulation]] number 1 `study`: there is no study file at "nope.toml"',
            ),
            ('study = "other"', "[[triangulation]] number 2 `study`: 2 problems in study.toml line"),
            ('study = "study.toml"', "[[triangulation]] number 3 `study`: [[triangulation]] study = "),
            ('result = "nope/league.json"', "[league] `result`: there is no league file league.json"),
        ],
        start=1,
    ):
        assert told[at].startswith(f"  line {lines.index(line) + 1}, {words}")
    assert not (tmp_path / "out").exists()


# -- many questions ----------------------------------------------------------------------


def test_outcomes_of_the_same_places_are_allowed_for_together(plain):
    held = plain.robust["multiplicity"]
    assert (held["how"], held["asked"]) == ("romano-wolf", 2)
    main, other = held["rows"]
    assert main["main"] and main["alone"] < 0.001 and other["alone"] > 0.05
    for row in held["rows"]:
        assert row["alone"] <= row["romano_wolf"] <= row["holm"] + 0.01
        assert row["alone"] <= row["false_share"] <= row["holm"]
    assert held["answer"] == "The finding on emergency admissions stands when both questions are allowed for."


def test_what_the_pilot_cannot_change_is_no_question(tmp_path):
    added = '[[outcome]]\ncolumn = "falls"\nlabel = "Falls"\nkind = "count"\n'
    three = evaluate(read_study(written(tmp_path, added), judge=judge))
    assert three.robust["multiplicity"]["asked"] == 3
    two = evaluate(read_study(written(tmp_path, added + "negative_control = true\n"), judge=judge))
    held = two.robust["multiplicity"]
    assert held["asked"] == 2 and robust.NOT_COUNTED in held["text"]
    assert [row["label"] for row in held["rows"]] == ["Emergency admissions", "A&E attendances"]


def test_without_shared_units_the_more_careful_rule_is_used(plain):
    study = read_study_of(plain)
    pairs = [(o, strip(a)) for o, a in zip(study, plain.analyses[:2], strict=True)]
    held = multiplicity(pairs, named=robust.NAMED_FIRST, seed=1)
    assert held["how"] == "holm" and all(row["romano_wolf"] is None for row in held["rows"])
    assert [row["allowing"] for row in held["rows"]] == [row["holm"] for row in held["rows"]]
    assert robust.NAMED_FIRST in held["text"]
    assert multiplicity(pairs[:1], named="", seed=1) is None


def read_study_of(evaluation):
    """The outcomes of a study, from its text."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(evaluation.study["text"])
        return read_study(path, with_data=False).outcomes


def strip(analysis):
    return replace(analysis, estimate=replace(analysis.estimate, influence=None, sampling_units=()))


def test_the_page_holds_the_wider_range_and_the_chances(plain):
    document = plain.to_dict()
    section = many_section(document)
    assert [row[-1] for row in section.tables[0].rows] == ["yes", "could not tell"]
    table = chances(document)
    assert table.head[1] == "Chance finding, one question" and table.rows[0][1] == "under 0.001"
    failed = {**document, "finding": {**document["finding"], "key_fail": True}}
    assert many_section(failed) is None and chances(failed) is None


@pytest.mark.parametrize(
    ("alone", "together", "asked", "text"),
    [
        ([], [], 2, "Neither outcome changed by more than chance would give."),
        ([], [], 5, "None of the five outcomes changed by more than chance would give."),
        (["A&E attendances"], [], 3, "Nothing stands when all three questions are allowed for: A&E attendances would have, asked alone."),
        (["Bed days", "Falls"], ["Falls"], 3, "The finding on falls stands when all three questions are allowed for; that on bed days does not."),
        (["Bed days", "Falls"], ["Bed days", "Falls"], 3, "The findings on bed days and falls stand when all three questions are allowed for."),
        (["Bed days", "Falls"], ["Bed days", "Falls"], 2, "Both outcomes changed by more than chance would give, allowing for both questions."),
    ],
)  # fmt: skip
def test_what_is_said_of_many_questions(alone, together, asked, text):
    assert robust.multiplicity_answer(alone, together, asked) == text


def test_no_sentence_of_these_breaks_the_language_rules(firm, plain):
    said = [firm.robust["curve"]["answer"], *firm.robust["curve"]["text"], robust.CONFLICT_NO_STEP]
    said += [firm.robust["triangulation"]["answer"], *firm.robust["triangulation"]["text"]]
    said += [plain.robust["multiplicity"]["answer"], *plain.robust["multiplicity"]["text"], robust.HOW_HOLM]
    said += [robust.multiplicity_answer(["A", "B"], ["A"], 4), robust.not_alike(["its pilot is other"])]
    assert NEVER
    for text in said:
        assert not list(breaks(text)), text


# -- people ------------------------------------------------------------------------------

PEOPLE = edited(
    STUDY,
    ('kind = "panel"\nsource = "practices.csv"\nunit = "practice"\nperiod = "month"\nstart = "joined"\npopulation = "list_size"\n',
     'kind = "cohort"\nsource = "practices.csv"\nperson = "person"\npilot = "visited"\nindex_date = "day"\nfollow_up_days = 90\n'),
    ('name = "did"\n', 'name = "weighted-cohort"\ncovariates = ["age"]\n[curve]\nmethods = ["matched-cohort"]\ncovariates = [["age", "frail"]]\n'),
    ('profile = "none"', 'profile = "hes2018"'),
)  # fmt: skip


def test_a_curve_of_people_is_released_with_the_rest(tmp_path):
    rng = np.random.default_rng(1)
    n = 600
    age, frail = rng.normal(78, 6, n).round(), rng.integers(0, 2, n)
    visited = rng.random(n) < 0.3 + 0.1 * frail
    table = pd.DataFrame({"person": np.arange(n), "visited": visited.astype(int), "age": age, "frail": frail})
    table["day"] = "2024-05-01"
    table["admissions"] = rng.poisson(0.8 * np.where(visited, 0.7, 1.0) * (1 + frail))
    table["attendances"] = rng.poisson(1.5, n)
    evaluation = evaluate(read_study(written(tmp_path, text=PEOPLE, table=table), judge=judge))
    held = evaluation.robust["curve"]
    assert held["tried"] == 3 and not held["refused"]
    shown = release(evaluation)
    for before, after in zip(evaluation.analyses, shown.analyses, strict=True):
        if before.role == "curve":
            assert after.est == float(f"{after.est:.3g}") and after.est != before.est
            assert after.estimate.influence is None and after.estimate.counterfactual is None
    rows = shown.robust["multiplicity"]["rows"]
    assert all(row["alone"] == float(f"{row['alone']:.3g}") for row in rows)
    assert curve_section(shown.to_dict()) is not None
