"""A plan before there are records: figures worked apart, the sentences of the pictures, and every refusal."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.small_study import PANEL
from ucimpact import cli, words
from ucimpact.data.examples import folder
from ucimpact.errors import DesignError, UsageError
from ucimpact.evaluation import evaluate
from ucimpact.inference.power import PlaceChanges, TwoGroups
from ucimpact.plan import make
from ucimpact.plan.page import page
from ucimpact.study import read_records, read_study
from ucimpact.study.services import SERVICES
from ucimpact.study.starting import begin

PEOPLE = """\
schema = 1

[study]
title = "Saltby Welcome Home"
question = "Did volunteers reduce emergency admissions?"
pilot = "A volunteer on the day of going home"
population = "People going home from hospital"
comparator = "Similar people without a volunteer"
by = "Saltby evaluation team"
subject = "our volunteers"
plural = true

[data]
kind = "cohort"
source = "people.xlsx"
person = "id"
pilot = "visited"
follow_up_days = 90

[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"
worthwhile = { per = -4, base = 100 }

[method]
name = "matched-cohort"
ratio = 3

[plan]
base = 37
dispersion = 1.5
people_per_month = 45
"""
PLACES = PANEL.replace('kind = "count"\n', 'kind = "count"\nworthwhile = -0.1\n') + (
    "\n[plan]\nbase = 60\npilot_places = 4\ncomparison_places = 8\nmonths_before = 12\nmonths_after = 12\n"
    "change_sd = 0.05\n"
)


def planned(folder, text, *edits):
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return make(read_study(folder, with_data=False))


def refused(folder, text, *edits):
    with pytest.raises((UsageError, DesignError)) as caught:
        planned(folder, text, *edits)
    return str(caught.value)


# -- people ------------------------------------------------------------------------------


def test_a_plan_needs_no_file_of_records(tmp_path):
    assert planned(tmp_path, PEOPLE).title == "Saltby Welcome Home: what an evaluation could find"
    with pytest.raises(UsageError, match=r"people\.xlsx"):
        read_study(tmp_path)


def test_a_plan_may_come_before_the_template_is_filled_in(tmp_path):
    text = PEOPLE.replace("Saltby evaluation team", "WHO IS ANSWERABLE FOR THIS REPORT")
    assert planned(tmp_path, text).rows


def test_the_people_needed_by_hand(tmp_path):
    """(1.96 + 0.8416)^2 x 1.5 (0.33 + 0.37 / 3) / 0.04^2, and the time at 45 a month."""
    found = planned(tmp_path, PEOPLE)
    by_hand = (1.95996 + 0.84162) ** 2 * 1.5 * (0.33 + 0.37 / 3) / 0.04**2
    (row,) = [row for row in found.rows if row[4] == "80 times in 100"]
    assert float(row[0].replace(",", "")) == pytest.approx(by_hand, rel=2e-3)
    assert row[1:4] == ("seven years", "4 per 100", "11%")
    assert found.answer == (
        "To find a fall of 4 per 100 four times in five takes about 3,340 people: seven years at that pace, "
        "or 19 months shared by four places."
    )


def test_the_readmissions_that_were_measured_by_simulation(tmp_path):
    """1 to 3, 18 in 100 readmitted in 30 days, a fifth fewer: 60, 300 and 1,000 people."""
    edits = [
        ('kind = "count"', 'kind = "binary"'),
        ("{ per = -4, base = 100 }", "-0.2"),
        ("base = 37\ndispersion = 1.5\npeople_per_month = 45", "base = 18"),
    ]
    rows = {row[0]: row for row in planned(tmp_path, PEOPLE, *edits).rows}
    assert [rows[n][3] for n in ("60", "300", "1,000")] == [
        "10 times in 100", "32 times in 100", "78 times in 100",
    ]  # fmt: skip
    assert rows["1,000"][4] == ""
    assert rows["2,000"][4] == "enough"


def test_rows_go_up_to_the_first_that_is_enough_and_one_more(tmp_path):
    rows = planned(tmp_path, PEOPLE).rows
    marks = [row[-1] for row in rows]
    assert marks == [""] * (len(rows) - 2) + ["enough"] * 2
    falls = [float(row[2].split()[0]) for row in rows]
    assert falls == sorted(falls, reverse=True)


def test_without_a_pace_there_is_no_time(tmp_path):
    found = planned(tmp_path, PEOPLE, ("people_per_month = 45\n", ""))
    assert "Time" not in " ".join(found.head)
    assert found.answer.endswith("takes about 3,340 people.")


def test_the_ratio_is_the_plans_or_the_methods_or_one(tmp_path):
    need = [
        planned(tmp_path, PEOPLE, *edits).answer
        for edits in (
            [("ratio = 3\n", "")],
            [("ratio = 3\n", ""), ("dispersion", "ratio = 3\ndispersion")],
            [],
        )
    ]
    assert need[1] == need[2] != need[0]


def test_clusters_take_more_people_and_say_so(tmp_path):
    edit = ("dispersion = 1.5\n", "dispersion = 1.5\ncluster_size = 21\nicc = 0.05\n")
    found = planned(tmp_path, PEOPLE, edit)
    assert any("takes 100% more people" in line for line in found.taken)
    twice = next(row for row in found.rows if row[-1] == "enough")
    assert float(twice[0].replace(",", "")) == pytest.approx(2 * 3_337, rel=0.02)


def test_where_nothing_is_declared_of_the_spread_the_guess_is_said(tmp_path):
    found = planned(tmp_path, PEOPLE, ("dispersion = 1.5\n", ""))
    assert any("1.5 (taken, because nothing was declared)." in line for line in found.taken)


def test_own_clients_alone_are_told_that_no_number_of_them_could_tell(tmp_path):
    alone = planned(tmp_path, PEOPLE, ('pilot = "visited"\n', ""))
    assert any("From clients alone no number could tell." in line for line in alone.taken)
    assert not any("clients alone" in line for line in planned(tmp_path, PEOPLE).taken)


def test_a_table_of_events_knows_those_without_the_service_by_the_day_it_began():
    """Nothing is said of a key that such a study refuses."""
    found = make(read_study(folder("soft_landing") / "study.toml", with_data=False))
    said = " ".join(found.taken)
    assert "pilot" not in said and "`First visit` (service_start, under [data]) is empty" in said
    assert "From clients alone no number could tell" in said


def test_costs_are_in_pounds_a_person(tmp_path):
    edits = [
        ('kind = "count"', 'kind = "cost"'),
        ("{ per = -4, base = 100 }", "{ absolute = -200 }"),
        ("base = 37\ndispersion = 1.5", "base = 1800\nsd = 4000"),
    ]
    found = planned(tmp_path, PEOPLE, *edits)
    by_hand = (1.95996 + 0.84162) ** 2 * 4000**2 * (1 + 1 / 3) / 200**2
    row = next(row for row in found.rows if row[-1] == "enough")
    assert float(row[0].replace(",", "")) == pytest.approx(by_hand, rel=2e-3)
    assert row[2] == "£200 a person"
    assert found.answer.startswith(
        "To find a fall of £200 a person four times in five takes about 4,190 people"
    )


def test_better_higher_is_a_rise(tmp_path):
    edits = [
        ('kind = "count"', 'kind = "binary"\nbetter = "higher"'),
        ("{ per = -4, base = 100 }", "{ per = 5, base = 100 }"),
        ("dispersion = 1.5\n", ""),
    ]
    found = planned(tmp_path, PEOPLE, *edits)
    assert "smallest rise" in found.caption
    assert found.answer.startswith("To find a rise of 5 per 100")


def test_too_few_people_to_find_even_a_fall_of_all(tmp_path):
    edits = [("base = 37", "base = 0.5"), ("{ per = -4, base = 100 }", "-0.5"), ("= 45", "= 10")]
    found = planned(tmp_path, PEOPLE, *edits)
    assert found.rows[0][2:4] == ("none", "too few people")
    assert "5 per 1,000 people" in found.taken[0]


def declared(**keys):
    """Edits that add keys to the plan."""
    lines = "".join(f"{name} = {value}\n" for name, value in keys.items())
    return ("dispersion = 1.5\n", f"dispersion = 1.5\n{lines}")


def supported(found, place=0):
    return [float(row[place].replace(",", "")) for row in found.beside.rows]


def test_what_each_size_takes_by_hand(tmp_path):
    """(1.96 + 0.8416)^2 x 1.5 (0.37 (1 - share) + 0.37 / 3) / (0.37 share)^2, at 45 a month and 90 days more."""
    beside = planned(tmp_path, PEOPLE).beside
    for share, needed in zip((0.05, 0.1, 0.15, 0.2), supported(planned(tmp_path, PEOPLE), 2), strict=False):
        by_hand = (1.95996 + 0.84162) ** 2 * 1.5 * (0.37 * (1 - share) + 0.37 / 3) / (0.37 * share) ** 2
        assert needed == pytest.approx(by_hand, rel=5e-3)
    row = next(row for row in beside.rows if row[0] == "20%")
    assert row[1] == "7.4 per 100"
    assert row[3] == words.lasting(903 / 45 / 12) == "21 months"
    assert row[4] == words.lasting(903 / 45 / 12 + 90 / 365.25) == "23 months"
    bare = planned(tmp_path, PEOPLE, ("people_per_month = 45\n", ""))
    assert bare.beside.head == ("A fall of", "That is", "People supported")


def test_the_page_has_both_tables(tmp_path):
    found = planned(tmp_path, PEOPLE)
    made = page(found, read_study(tmp_path, with_data=False))
    assert "What other sizes take" in made and found.beside.caption in made
    assert all(cell in made for row in found.beside.rows for cell in row)
    assert "What other sizes take" not in page(
        replace(found, beside=None), read_study(tmp_path, with_data=False)
    )


def test_a_design_effect_multiplies_the_people(tmp_path):
    once, twice = planned(tmp_path, PEOPLE), planned(tmp_path, PEOPLE, declared(design_effect=2))
    assert supported(twice, 2) == pytest.approx([2 * n for n in supported(once, 2)], rel=0.02)
    assert "take 100% more of them (design effect 2, as declared)" in " ".join(twice.taken)


def test_people_who_cannot_be_matched_are_counted_and_those_offered_it_too(tmp_path):
    edits = declared(found_match=0.8, uptake=0.5)
    once, more = planned(tmp_path, PEOPLE), planned(tmp_path, PEOPLE, edits)
    assert supported(more, 2) == pytest.approx([n / 0.8 for n in supported(once, 2)], rel=6e-3)
    assert supported(more, 3) == pytest.approx([n / 0.4 for n in supported(once, 2)], rel=6e-3)
    assert more.beside.head[3] == "People offered it"
    told = " ".join(more.taken)
    assert "80% can be matched and followed" in told and "Of people offered it 50% take it" in told
    assert "plan for more" not in " ".join(more.notes) and "plan for more" in " ".join(once.notes)


def test_people_compared_with_who_have_it_later_hide_as_much(tmp_path):
    once, later = planned(tmp_path, PEOPLE), planned(tmp_path, PEOPLE, declared(later=0.2))
    # an effect of 20% then shows as 16%
    by_hand = (1.95996 + 0.84162) ** 2 * 1.5 * (0.37 * 0.84 + 0.37 / 3) / (0.37 * 0.16) ** 2
    place = [row[0] for row in later.beside.rows].index("20%")
    assert supported(later, 2)[place] == pytest.approx(by_hand, rel=5e-3)
    falls = [float(found.rows[0][2].split()[0]) for found in (once, later)]
    assert falls[1] == pytest.approx(falls[0] / 0.8, abs=0.1)
    chances = [int(found.rows[3][4].split()[0]) for found in (once, later)]
    shown = TwoGroups(kind="count", mean=0.37, dispersion=1.5, ratio=3).chance(1_080, -0.04 * 0.8)
    assert chances[1] == round(100 * shown) < chances[0]
    assert "hides about as much of what it does" in " ".join(later.taken)
    hidden = planned(tmp_path, PEOPLE, declared(later=0.97), ("= 45", "= 5"))
    assert hidden.rows[0][2] == "none", "even a fall of all would show as 3%"


def test_the_plan_is_as_sure_as_750_visits_were():
    """10.4 readmissions per 100 people and 30 days, three beside each: the log ratio spread by 0.088."""
    design = TwoGroups(kind="count", mean=0.312, dispersion=1.5, ratio=3)
    assert design.at(750, 0.0).se / 0.312 == pytest.approx(0.088, rel=0.1)


def test_a_yes_or_no_cannot_rise_beyond_everybody(tmp_path):
    edits = [
        ('kind = "count"', 'kind = "binary"\nbetter = "higher"'),
        ("{ per = -4, base = 100 }", "{ per = 5, base = 100 }"),
        ("base = 37\ndispersion = 1.5\n", "base = 80\n"),
    ]
    told = {row[0]: row[2] for row in planned(tmp_path, PEOPLE, *edits).beside.rows}
    assert told["25%"] == told["40%"] == "no number is enough" != told["20%"]


def test_without_a_worthwhile_effect_the_plan_asks_for_one(tmp_path):
    found = planned(tmp_path, PEOPLE, ("worthwhile = { per = -4, base = 100 }\n", ""))
    assert found.answer.startswith(words.NO_WORTHWHILE)
    assert len(found.head) == len(found.rows[0]) == 4


# -- places ------------------------------------------------------------------------------


def test_places_by_hand(tmp_path):
    found = planned(tmp_path, PLACES)
    assert found.head[2:] == ("3 months after", "6 months after", "12 months after", "24 months after")
    se = math.sqrt((3**2 + 60 * 2 / 12) * (1 / 4 + 1 / 8))
    fall = 3.11 * se / 60  # t on 10 degrees of freedom: 3.11 standard errors
    assert float(found.rows[0][4].split("%")[0]) == pytest.approx(100 * fall, abs=0.06)
    assert found.rows[0][:2] == ("4", "8")
    assert found.rows[-1][:2] == ("16", "32")


def test_marks_stand_where_the_worthwhile_fall_is_found(tmp_path):
    found = planned(tmp_path, PLACES)
    for row in found.rows:
        for cell in row[2:]:
            assert ("*" in cell) == (float(cell.split("%")[0]) <= 10)
    assert found.key == "* finds the fall of 10% worth having"
    none = planned(tmp_path, PLACES, ("worthwhile = -0.1", "worthwhile = -0.01"))
    assert none.key == "No size in the table finds the fall of 1% worth having."


def test_the_places_needed_find_it_and_one_fewer_do_not(tmp_path):
    answer = planned(tmp_path, PLACES).answer
    assert answer == (
        "To find a fall of 10% four times in five takes eight pilot places and 16 others, twelve months after the "
        "start. With four pilot places and eight others no number of months is enough."
    )
    for n, enough in ((8, True), (7, False)):
        design = PlaceChanges(base=60, pilot=n, comparison=2 * n, before=12, after=12, change_sd=0.05)
        assert (design.precision.chance(6) >= 0.8) is enough


def test_enough_places_are_told_so(tmp_path):
    edits = [("pilot_places = 4", "pilot_places = 10"), ("comparison_places = 8", "comparison_places = 40")]
    answer = planned(tmp_path, PLACES, *edits).answer
    assert answer.startswith("A fall of 10% would be found ")
    assert "with ten pilot places and 40 others, twelve months after the start." in answer


def test_more_months_where_they_help(tmp_path):
    steady = ("change_sd = 0.05", "month_sd = 0.05\nautocorrelation = 0.3")
    edits = [
        steady,
        ("worthwhile = -0.1", "worthwhile = -0.07"),
        ("months_before = 12", "months_before = 36"),
    ]
    answer = planned(tmp_path, PLACES, *edits, ("months_after = 12", "months_after = 3")).answer
    assert "With four pilot places and eight others it takes " in answer
    assert answer.endswith(" months.")


def test_a_total_agreed_is_a_share_of_what_is_expected(tmp_path):
    edit = ("worthwhile = -0.1", "worthwhile = { absolute = -288 }")  # of 4 x 12 x 60 = 2,880
    assert planned(tmp_path, PLACES, edit).answer == planned(tmp_path, PLACES).answer


# -- text --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [PEOPLE, PLACES], ids=["people", "places"])
def test_the_command_prints_a_table_a_provider_can_read(tmp_path, text):
    found = planned(tmp_path, text)
    done = CliRunner().invoke(cli.app, ["plan", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert done.stdout == found.text() + "\n"
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert list(tmp_path.iterdir()) == [tmp_path / "study.toml"]
    for line in (*found.taken, found.answer, *found.notes):
        assert not words.breaks(line), line
    full = planned(tmp_path, PEOPLE, declared(design_effect=1.3, uptake=0.6, found_match=0.9, later=0.2))
    assert not [line for line in (*full.taken, *full.notes) if words.breaks(line)]
    assert max(map(len, full.text().splitlines())) <= 110


@pytest.mark.parametrize("name", SERVICES)
def test_a_plan_can_be_made_from_a_template_before_anything_else_is_filled_in(tmp_path, name):
    study = begin(name, tmp_path)[0]
    kept = study.read_text()
    refused = CliRunner().invoke(cli.app, ["plan", str(study)])
    assert refused.exit_code == 2
    assert "[plan]" in refused.stderr
    before, _, table = kept.partition("# [plan]")
    study.write_text(before + "[plan]" + table.replace("\n# ", "\n"))
    assert CliRunner().invoke(cli.app, ["plan", str(study)]).exit_code == 0


# -- refusals ----------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "key"), [(PEOPLE, "people_per_month"), (PLACES, "change_sd")])
def test_a_study_without_a_plan_is_told_what_to_write(tmp_path, text, key):
    message = refused(tmp_path, text, (text[text.index("[plan]") :], ""))
    assert "[plan]" in message and key in message
    written = message[message.index("[plan]") :].removesuffix("Then plan again.")
    assert planned(tmp_path, text[: text.index("[plan]")] + written).rows


def test_fewer_comparison_places_than_any_range_needs(tmp_path):
    message = refused(tmp_path, PLACES, ("comparison_places = 8", "comparison_places = 4"))
    assert message == words.few_comparison(4)


@pytest.mark.parametrize(
    ("text", "edit", "told"),
    [
        (PEOPLE, ("base = 37", "basis = 37"), "`base`?"),
        (PEOPLE, ("base = 37", "base = 0"), "greater than 0"),
        (PEOPLE, ("base = 37", "base = 37\nicc = 0.02"), "cluster_size and icc go together"),
        (PEOPLE, ("base = 37", "base = 37\nsd = 2.0"), "is for a cost, score or duration"),
        (PEOPLE, ("base = 37", "base = 37\npilot_places = 3"), 'is for kind = "panel" only'),
        (PEOPLE, ('kind = "count"', 'kind = "cost"'), "how far people differ in admissions"),
        (PEOPLE, ('kind = "count"', 'kind = "binary"'), "is for a count"),
        (PEOPLE, ("per = -4", "per = -40"), "has no room beside the 37 per 100"),
        (PEOPLE, ("{ per = -4, base = 100 }", "{ absolute = -40 }"), "a plan knows no total"),
        (PLACES, ("change_sd = 0.05", "ratio = 3"), "how far places drift apart"),
        (PLACES, ("change_sd = 0.05", "autocorrelation = 0.3"), "is of ups and downs"),
        (PLACES, ("pilot_places = 4\n", ""), "Add pilot_places = 4"),
        (PLACES, ('kind = "count"', 'kind = "score"'), "is for counts where places are compared"),
    ],
)
def test_what_is_wrong_is_told_with_the_way_out(tmp_path, text, edit, told):
    assert told in refused(tmp_path, text, edit)


def test_a_plan_of_places_knows_no_people(tmp_path):
    edit = ("worthwhile = -0.1", "worthwhile = { per = -4, base = 100 }")
    assert "Agree a share" in refused(tmp_path, PLACES, edit)


# -- what came of it ---------------------------------------------------------------------


def test_a_plan_foresees_what_the_finished_evaluation_could_have_found():
    """With what was expected, how uneven it was and how many were matched, as they came out."""
    study = read_study(folder("soft_landing"))
    records = read_records(study)
    document = evaluate(study, records=records).to_dict()
    finding, primary = document["finding"], document["estimates"][0]
    histories, window = records.data, study.primary.counted
    served = np.flatnonzero(np.isfinite(histories.start))
    counted = histories.measure(window.event, served, histories.start[served].astype(int), *window.days)
    design = TwoGroups(
        kind="count",
        mean=finding["expected"] / finding["base"],
        dispersion=counted.var() / counted.mean(),
        ratio=study.plan.ratio,
    )
    smallest = finding["base"] * design.findable(primary["counts"]["matched_pilot"])
    assert smallest == pytest.approx(words.POWER * finding["found_se"], rel=0.1)


# -- the page about planning -------------------------------------------------------------

PAGE = (Path(__file__).parents[1] / "docs" / "plan.md").read_text(encoding="utf-8")
STUDIES = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
PRINTED = re.findall(r"```text\n(.*?)\n```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("text", "printed"), list(zip(STUDIES, PRINTED, strict=True)), ids=["people", "places", "series"]
)
def test_the_page_shows_what_is_printed(tmp_path, text, printed):
    assert planned(tmp_path, text).text() == printed


def test_the_numbers_in_python_on_the_page():
    design = TwoGroups(kind="binary", mean=0.18, ratio=3)
    for call, value in (
        ("design.chance(300, -0.036)", f"{design.chance(300, -0.036):.2f}"),
        ("design.findable(300)", f"{design.findable(300):.3f}"),
        ("design.people_needed(-0.036)", str(design.people_needed(-0.036))),
    ):
        assert f"{call}  # {value}" in PAGE
