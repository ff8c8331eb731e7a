"""A plan that was fixed: what it holds, when it counts as fixed in time, and what the report makes of it."""

import datetime as dt
import json
import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.small_study import PANEL, SERIES, VISITS, edited, panel_table, series_table, write
from ucimpact import cli
from ucimpact.errors import UsageError
from ucimpact.evaluation import evaluate, judge
from ucimpact.evaluation.ended import ended
from ucimpact.evaluation.planned import compared, planned
from ucimpact.report.planned import in_a_line
from ucimpact.report.planned import planned as section
from ucimpact.study import read_records, read_study
from ucimpact.study.lock import entries_of, governing, hash_of, lock, lock_path, plan_of, state_of
from ucimpact.words import robust

WHEN = "2022-09-03T10:00:00+00:00"
"""Before the pilot of the small panel, which is analysed up to March 2023."""
AFTER = "2025-05-03T10:00:00+00:00"
ENDED = dt.date(2023, 3, 31)
WIDE = ('kind = "count"\n', 'kind = "count"\nworthwhile = -0.05\n')


def study_of(folder, *edits, **options):
    return read_study(write(folder, *edits, **options), judge=judge, with_data=False)


def locked(folder, *edits, again=False, when=WHEN, **options):
    study = study_of(folder, *edits, **options)
    return lock(study, when=when, version="1.2.3", again=again)


def before(table: pd.DataFrame) -> pd.DataFrame:
    """The practices as they stood before anybody had the pilot, with its start planned."""
    return table[table["month"] < "2022-10"]


# -- what is locked ----------------------------------------------------------------------


def test_a_lock_holds_what_was_declared_and_when(tmp_path):
    path, entry = locked(tmp_path, WIDE)
    assert path == tmp_path / "study.lock.json"
    body = json.loads(path.read_text())
    assert body["locks"] == [entry]
    assert entry["locked_at"] == WHEN and entry["version"] == "1.2.3"
    assert entry["plan"]["method"] == {"name": "did"}
    assert entry["plan"]["outcome"]["admissions"]["worthwhile"]["change"] == -0.05
    assert entry["hash"] == hash_of(entry["plan"])
    assert entry["data"]["state"] == "there"
    assert re.fullmatch(r"[0-9a-f]{64}", entry["data"]["fingerprints"][0]["sha256"])


def test_a_key_that_stands_at_its_default_is_no_part_of_the_plan(tmp_path):
    """So that a key which a later version adds does not change an earlier plan."""
    plan = plan_of(study_of(tmp_path, WIDE))
    assert plan["outcome"]["admissions"]["worthwhile"] == {"kind": "Worthwhile", "change": -0.05}
    assert set(plan["data"]) == {"kind", "unit", "period", "start", "population"}
    assert "release" not in plan and "context" not in plan


def test_layout_and_where_the_file_lies_are_no_part_of_the_plan(tmp_path):
    plain = plan_of(study_of(tmp_path))
    moved = plan_of(
        study_of(
            tmp_path, ("practices.csv", "elsewhere/practices.csv"), ("[method]", "# the method\n[method]")
        )
    )
    assert moved == plain
    assert plan_of(study_of(tmp_path, ('name = "did"', 'name = "did"\nlog = true'))) != plain


@pytest.mark.parametrize(
    ("text", "table", "state"),
    [
        (PANEL, None, "there"),
        (PANEL, before(panel_table()), "before"),
        (PANEL, panel_table().assign(admissions=lambda t: t["admissions"].where(t["month"] < "2022-10", "")), "before"),
        (PANEL, panel_table().assign(joined=""), "unknown"),
        (PANEL, panel_table().drop(columns="admissions"), "unknown"),
        (SERIES, None, "there"),
        (SERIES, series_table(36), "before"),
        (SERIES, series_table(37), "there"),
    ],
)  # fmt: skip
def test_whether_outcome_data_were_there(tmp_path, text, table, state):
    assert state_of(study_of(tmp_path, text=text, table=table))[0] == state


def test_without_a_file_no_data_were_there(tmp_path):
    study = study_of(tmp_path)
    (tmp_path / "practices.csv").unlink()
    assert state_of(study) == ("absent", [])


PEOPLE = (
    VISITS
    + """pilot = "visited"
index_date = "discharged"
follow_up_days = 90

[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"

[method]
name = "matched-cohort"
covariates = ["age"]
"""
)


@pytest.mark.parametrize(("cell", "state"), [("", "before"), ("0", "there")])
def test_of_people_any_outcome_of_anybody_counts(tmp_path, cell, state):
    rows = [f"{k},{k % 2},2024-05-0{k},70," for k in range(1, 8)] + [f"8,1,2024-05-08,70,{cell}"]
    (tmp_path / "people.csv").write_text("\n".join(["client,visited,discharged,age,admissions", *rows]))
    (tmp_path / "study.toml").write_text(PEOPLE)
    assert state_of(read_study(tmp_path / "study.toml"))[0] == state


@pytest.mark.parametrize(("day", "state"), [("2024-05-31", "before"), ("2024-06-01", "there")])
def test_of_events_those_from_the_first_day_of_the_service_count(tmp_path, day, state):
    text = edited(
        PEOPLE,
        ('pilot = "visited"\nindex_date = "discharged"\n', 'service_start = "first_visit"\n'),
        ("follow_up_days = 90\n", 'follow_up_days = 90\n[data.events]\nsource = "events.csv"\nfrom = 2023-01-01\nto = 2024-12-31\n'),
        ('kind = "count"\n', 'kind = "count"\ncounted = { event = "admission", days = [0, 90] }\n'),
        ('name = "matched-cohort"\n', 'name = "sequential-trials"\n'),
    )  # fmt: skip
    (tmp_path / "people.csv").write_text("client,first_visit,age\n1,2024-06-01,70\n2,,71\n")
    (tmp_path / "events.csv").write_text(f"client,date,kind\n2,2024-01-05,admission\n2,{day},admission\n")
    (tmp_path / "study.toml").write_text(text)
    assert state_of(read_study(tmp_path / "study.toml"))[0] == state


# -- locking again, and locks that were edited -------------------------------------------


def test_a_plan_is_locked_once_unless_again_is_said_and_the_first_is_kept(tmp_path):
    locked(tmp_path)
    with pytest.raises(UsageError, match=r"locked on 2022-09-03.*--again"):
        locked(tmp_path)
    path, _ = locked(
        tmp_path, ('name = "did"', 'name = "did"\nlog = true'), again=True, when="2026-01-01T00:00:00+00:00"
    )
    first, second = entries_of(path)
    assert first["locked_at"] == WHEN and "log" not in first["plan"]["method"]
    assert second["plan"]["method"] == {"name": "did", "log": True}


@pytest.mark.parametrize(
    "edit", [("2022-09-03", "2022-08-03"), ('"did"', '"its"'), ('"there"', '"before"'), ("{", "")]
)
def test_a_lock_that_was_edited_is_refused(tmp_path, edit):
    path, _ = locked(tmp_path)
    path.write_text(edited(path.read_text(), edit))
    with pytest.raises(UsageError, match="does not fit its own checksum"):
        entries_of(path)
    with pytest.raises(UsageError, match="does not fit its own checksum"):
        evaluate(read_study(tmp_path / "study.toml"))
    assert CliRunner().invoke(cli.app, ["run", str(tmp_path / "study.toml")]).exit_code == 2


def entry(state, method="did", when=WHEN):
    return {"locked_at": when, "version": "1", "data": {"state": state}, "plan": {"method": {"name": method}}}


def test_the_last_plan_before_the_data_governs_and_locking_again_hides_nothing():
    early, later, late = entry("absent"), entry("before", "its"), entry("there", "count-did")
    assert governing([], ENDED) is None
    assert governing([early], ENDED) == (early, "before")
    assert governing([early, later, late], ENDED) == (later, "before")
    assert governing([late, entry("there")], ENDED) == (late, "there")
    assert governing([late, early], ENDED) == (
        late,
        "there",
    )  # the file was taken away after it had been there
    assert governing([entry("unknown"), later], ENDED)[1] == "there"


@pytest.mark.parametrize("state", ["absent", "before"])
@pytest.mark.parametrize(
    ("when", "ended", "timing"),
    [
        ("2023-03-31T23:00:00+00:00", ENDED, "before"),
        ("2023-04-01T00:00:00+00:00", ENDED, "late"),
        (WHEN, None, "undated"),
    ],
)
def test_a_file_without_outcomes_shows_nothing_of_a_pilot_that_has_ended(state, when, ended, timing):
    held = entry(state, when=when)
    assert governing([held], ended) == (held, timing)
    first = entry("absent", "its")
    if ended:
        assert governing([first, held], ended)[0] is (held if timing == "before" else first)


def test_hiding_the_file_of_a_pilot_that_has_ended_locks_nothing(tmp_path):
    """The file is named otherwise while the plan is locked, and put back."""
    bare = tmp_path / "bare"
    bare.mkdir()
    locked(tmp_path, WIDE, ("practices.csv", "not_yet.csv"), when=AFTER)
    assert planned(study_of(tmp_path, WIDE), ENDED).locked is False
    document = evaluate(read_study(write(tmp_path, WIDE))).to_dict()
    held = document["robust"]["planned"]
    assert (held["locked"], held["timing"], held["changed"], held["other"]) == ("after", "late", 0, 1)
    (row,) = [row for row in held["rows"] if row["what"] != "kept"]
    assert (row["key"], row["planned"], row["done"]) == ("file", "not_yet.csv", "practices.csv")
    told = section(document)
    assert told.bold.startswith("No plan was locked before the outcome data: ")
    assert (
        "locked on 3 May 2025, after the pilot had ended, was made after the fact. It was kept." in told.bold
    )
    assert "made after the fact" in told.text[0]
    assert any("was not locked" in step["text"] for step in document["certainty"]["steps"]) == any(
        "was not locked" in step["text"]
        for step in evaluate(read_study(write(bare, WIDE))).to_dict()["certainty"]["steps"]
    )


# -- planned against done ----------------------------------------------------------------

DESIGNS = {"Next county": {"study": "../b", "note": "Next county"}}
PLAN = {
    "study": {"title": "Visits"},
    "data": {"kind": "panel", "eligible": 900},
    "outcome": {"a": {"label": "A", "primary": True, "worthwhile": 4}, "b": {"label": "B"}},
    "method": {"name": "did"},
    "sensitivity": {"As ratios": {"name": "did", "log": True}},
    "cost": {"fixed": 10},
    "triangulation": DESIGNS,
    "curve": {"log": [True]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "done", "key", "what", "bears"),
    [
        ("triangulation", {}, "Next county: study", "left out", True),
        ("triangulation", {"Next county": {"study": "../c", "note": "Next county"}}, "Next county: study", "changed", True),
        ("triangulation", {**DESIGNS, "Own past": {"method": "its"}}, "Own past: method", "added", False),
        ("curve", {}, "log", "left out", True),
        ("curve", {"log": [True], "methods": ["its"]}, "methods", "added", False),
        ("study", {"title": "Other"}, "title", "changed", False),
        ("data", {"kind": "panel", "window": "w", "eligible": 900}, "window", "added", True),
        ("data", {"kind": "panel"}, "eligible", "left out", False),
        ("outcome", {**PLAN["outcome"], "a": {"label": "A", "primary": True, "worthwhile": 2}}, "a: worthwhile", "changed", True),
        ("outcome", {**PLAN["outcome"], "a": {"label": "AA", "primary": True, "worthwhile": 4}}, "a: label", "changed", False),
        ("outcome", {"a": PLAN["outcome"]["a"]}, "b: label", "left out", False),
        ("method", {"name": "count-did"}, "name", "changed", True),
        ("method", {"name": "did", "log": True}, "log", "changed", True),
        ("sensitivity", {"As ratios": {"name": "did"}}, "As ratios: log", "changed", True),
        ("sensitivity", {**PLAN["sensitivity"], "New": {"name": "its"}}, "New: name", "added", False),
        ("cost", {"fixed": 12}, "fixed", "changed", False),
    ],
)  # fmt: skip
def test_each_change_is_named_and_bears_on_the_answer_or_not(table, done, key, what, bears):
    rows = compared(PLAN, {**PLAN, table: done})
    row, *more = [row for row in rows if row["what"] != "kept"]
    assert (row["table"], row["key"], row["what"], row["bears"]) == (table, key, what, bears)
    assert [each["key"] for each in more] == (
        ["Next county: note"] if key.endswith("study") and not done else []
    )


BREAK_EVEN = {
    "outcome": {"a": {"label": "A", "worthwhile": {"kind": "Worthwhile", "change": 0.0, "form": "break-even"}, "value": 9}},
    "method": {"name": "did"},
    "cost": {"per_person": 62.0},
    "attribution": {"low": 0.5, "high": 0.9, "because": "Others"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("cost", "per_person", 9.0),
        ("cost", "set_up", 100.0),
        ("attribution", "low", 0.6),
        ("decision", "value_counted", "cash"),
        ("outcome", "value", 10),
    ],
)
def test_what_makes_the_price_bears_where_it_makes_the_worthwhile_effect(table, key, value):
    def bearing(plan):
        keys = plan.get(table, {})
        keys = {"a": {**keys["a"], key: value}} if table == "outcome" else {**keys, key: value}
        return [row["key"] for row in compared(plan, {**plan, table: keys}) if row["bears"]]

    agreed = {**BREAK_EVEN, "outcome": {"a": {**BREAK_EVEN["outcome"]["a"], "worthwhile": 4}}}
    assert bearing(BREAK_EVEN) == [f"a: {key}" if table == "outcome" else key]
    assert bearing(agreed) == []


@pytest.mark.parametrize(
    ("planned_as", "done_as", "key", "told"),
    [
        ({}, {"decision": {"mainstream_if": {"kind": "Mainstream", "chance_worth_its_cost": 0.5}}}, "mainstream_if", ("chance worth its cost 0.8", "chance worth its cost 0.5")),
        ({"decision": {"mainstream_if": {"kind": "Mainstream", "min_certainty": "high"}}}, {}, "mainstream_if", ("min certainty high", "min certainty low")),
        ({}, {"context": {"allocation": "lot"}}, "allocation", ("chosen", "lot")),
        ({"outcome": {"a": {"label": "A"}}}, {"outcome": {"a": {"label": "A", "better": "higher"}}}, "a: better", ("lower", "higher")),
        ({"method": {"name": "did", "log": True}}, {"method": {"name": "did"}}, "log", ("yes", "no")),
    ],
)  # fmt: skip
def test_a_key_that_is_not_declared_is_held_against_its_default(planned_as, done_as, key, told):
    rows = [row for row in compared(planned_as, done_as) if row["key"] == key]
    assert [(row["planned"], row["done"], row["what"]) for row in rows] == [(*told, "changed")]


def test_another_main_outcome_is_a_change_that_bears():
    outcomes = {"a": {"label": "A", "worthwhile": 4}, "b": {"label": "B", "primary": True}}
    rows = compared(PLAN, {**PLAN, "outcome": outcomes})
    assert {row["key"] for row in rows if row["bears"]} == {"a: primary", "b: primary"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"kind": "Window", "first": "2022-04-01", "last": "2024-03-31"}, "from 2022-04-01, to 2024-03-31"),
        ({"kind": "Worthwhile", "change": -0.05}, "−5%"),
        ({"kind": "Worthwhile", "change": -4, "form": "per", "base": 100}, "−4 per 100"),
        ({"kind": "Worthwhile", "change": 0.5, "form": "absolute"}, "0.5"),
        ({"kind": "Worthwhile", "change": 0.0, "form": "break-even"}, "what would repay the price"),
        (-2.5, "−2.5"),
        (1200, "1,200"),
        ([], "none"),
        (["imd", "age"], "imd, age"),
        (False, "no"),
        (180000.0, "180,000"),
        ("x" * 200, "x" * 89 + "…"),
    ],
)
def test_a_value_is_told_on_one_line(value, text):
    (row,) = compared({"method": {"a": value}}, {"method": {"a": value}})
    assert (row["planned"], row["done"], row["what"]) == (text, text, "kept")


def test_the_report_says_whether_the_plan_was_kept(tmp_path):
    locked(tmp_path, WIDE, table=before(panel_table()))
    kept = evaluate(read_study(write(tmp_path, WIDE))).to_dict()
    told = section(kept)
    assert (
        told.bold == "Yes: the plan locked on 3 September 2022, before the outcome data were there, was kept."
    )
    held = kept["robust"]["planned"]
    assert (
        f"begins with {held['hash'][:16]}." in told.text[2]
        and "the file alone cannot show it" in told.text[2]
    )
    assert told.ident == "planned" and told.tables[0].caption == "Kept as planned"
    assert in_a_line(kept) == ""
    assert not any("locked" in step["text"] for step in kept["certainty"]["steps"])
    changed = evaluate(
        read_study(write(tmp_path, WIDE, ('name = "did"', 'name = "did"\nlog = true')))
    ).to_dict()
    said = section(changed)
    assert (
        said.bold.startswith("No: the plan locked on 3 September 2022")
        and "one place that bears" in said.bold
    )
    assert said.tables[0].rows == (("Method: log", "no", "yes", "changed, bears on the main answer"),)
    steps = [step for step in changed["certainty"]["steps"] if step["code"] == "W"]
    assert [step["cost"] for step in steps] == [1]
    assert "the plan was changed after the data were seen" in steps[0]["text"]


def test_a_lock_made_when_the_data_were_there_earns_nothing(tmp_path):
    locked(tmp_path, WIDE)
    study = read_study(tmp_path / "study.toml")
    held = planned(study, ENDED)
    assert (held.locked, held.changed) == (False, False)
    document = evaluate(study).to_dict()
    assert "when the outcome data were there" in section(document).bold


def test_what_a_lock_says_of_the_main_outcome(tmp_path):
    second = (
        'kind = "count"\n',
        'kind = "count"\nprimary = true\n\n[[outcome]]\ncolumn = "other"\nlabel = "Other"\nkind = "count"\n',
    )
    table = panel_table().assign(other=lambda t: t["admissions"].astype(int) + 3)
    told = []
    for edits, when in (((), False), ((), True), ((('name = "did"', 'name = "did"\nlog = true'),), True)):
        if when and not told[1:]:
            locked(tmp_path, second, table=before(table))
        document = evaluate(read_study(write(tmp_path, second, *edits, table=table))).to_dict()
        told.append(document["robust"]["multiplicity"]["text"][-1])
    assert told == [robust.NAMED, robust.NAMED_FIRST, robust.NAMED_THEN_CHANGED]


def test_a_study_without_a_lock_says_so_in_a_line(tmp_path):
    document = evaluate(read_study(write(tmp_path))).to_dict()
    assert section(document) is None
    assert in_a_line(document).startswith("No plan was locked for this study")


# -- the day on which the pilot ended ----------------------------------------------------


@pytest.mark.parametrize(
    ("edits", "day"),
    [
        ((), dt.date(2023, 3, 31)),
        ((('name = "did"', 'name = "did"\n'), ('start = "joined"', 'start = "joined"\nend = "stopped"')), dt.date(2022, 12, 31)),
        ((('population = "list_size"', 'population = "list_size"\nwindow = { to = "2023-01" }'),), dt.date(2023, 1, 31)),
    ],
)  # fmt: skip
def test_a_panel_ends_with_its_last_pilot_period(tmp_path, edits, day):
    table = panel_table().assign(stopped=lambda t: t["joined"].where(t["joined"] == "", "2022-12"))
    study = study_of(tmp_path, *edits, table=table)
    assert ended(study, read_records(study)) == day


@pytest.mark.parametrize(
    ("method", "day"),
    [
        ('name = "its"', None),
        ('name = "its"\nshape = "pulse"', dt.date(2024, 7, 31)),
        ('name = "its"\nshape = "temporary"\nuntil = "2024-09"', dt.date(2024, 9, 30)),
    ],
)
def test_a_series_ends_with_its_window_or_with_the_pilot(tmp_path, method, day):
    study = study_of(tmp_path, ('name = "its"', method), text=SERIES)
    records = read_records(study)
    last = records.data.frequency.first_day(int(records.data.ordinals[-1]) + 1) - dt.timedelta(days=1)
    assert ended(study, records) == (day or last)


def test_people_end_with_the_follow_up_of_the_last_who_had_the_service(tmp_path):
    rows = [f"{k},{k % 2},2024-05-0{k},70,1" for k in range(1, 9)]
    (tmp_path / "people.csv").write_text("\n".join(["client,visited,discharged,age,admissions", *rows]))
    (tmp_path / "study.toml").write_text(PEOPLE)
    study = read_study(tmp_path / "study.toml")
    assert ended(study, read_records(study)) == dt.date(2024, 5, 7) + dt.timedelta(days=90)
    (tmp_path / "study.toml").write_text(edited(PEOPLE, ('index_date = "discharged"\n', "")))
    study = read_study(tmp_path / "study.toml")
    assert ended(study, read_records(study)) is None


def test_people_with_events_end_with_the_days_that_are_counted_or_with_the_records(tmp_path):
    (tmp_path / "people.csv").write_text("client,first_visit,age\n1,2024-06-01,70\n2,,71\n")
    (tmp_path / "events.csv").write_text("client,date,kind\n2,2024-01-05,admission\n2,2024-07-05,admission\n")
    for last, day in (("2024-12-31", dt.date(2024, 8, 30)), ("2024-07-31", dt.date(2024, 7, 31))):
        text = edited(
            PEOPLE,
            ('pilot = "visited"\nindex_date = "discharged"\n', 'service_start = "first_visit"\n'),
            ("follow_up_days = 90\n", f'follow_up_days = 90\n[data.events]\nsource = "events.csv"\nfrom = 2023-01-01\nto = {last}\n'),
            ('kind = "count"\n', 'kind = "count"\ncounted = { event = "admission", days = [0, 90] }\n'),
            ('name = "matched-cohort"\n', 'name = "sequential-trials"\n'),
        )  # fmt: skip
        (tmp_path / "study.toml").write_text(text)
        study = read_study(tmp_path / "study.toml")
        assert ended(study, read_records(study)) == day


# -- the command -------------------------------------------------------------------------


def test_the_command_locks_says_what_it_found_and_fixes_the_time(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1746266400")
    path = write(tmp_path, table=before(panel_table()))
    said = CliRunner().invoke(cli.app, ["lock", str(path)])
    assert said.exit_code == 0 and "counts as locked before the outcome data" in said.output.replace(
        "\n", " "
    )
    assert entries_of(tmp_path / "study.lock.json")[0]["locked_at"] == "2025-05-03T10:00:00+00:00"
    again = CliRunner().invoke(cli.app, ["lock", str(path)])
    assert again.exit_code == 2 and "--again" in again.output
    assert CliRunner().invoke(cli.app, ["lock", str(path), "--again"]).exit_code == 0


def test_check_says_whether_the_plan_was_kept_and_how_much_is_asked(tmp_path):
    locked(tmp_path, table=before(panel_table()))
    said = CliRunner().invoke(cli.app, ["check", str(write(tmp_path))])
    assert said.exit_code == 0
    assert "The plan was locked on 2022-09-03, before the outcome data were there, and kept" in said.output
    path = write(tmp_path, ('name = "did"\n', 'name = "did"\nlog = true\n[curve]\nlog = [false]\n'))
    again = CliRunner().invoke(cli.app, ["check", str(path)])
    assert "changed since in what bears" in again.output
    assert "Curve: 1 combination beside the main analysis" in again.output


def test_a_plan_can_be_locked_before_there_is_a_file(tmp_path):
    path = write(tmp_path)
    (tmp_path / "practices.csv").unlink()
    said = CliRunner().invoke(cli.app, ["lock", str(path)])
    assert said.exit_code == 0 and "not there yet" in said.output


def test_a_study_written_in_python_cannot_be_locked(tmp_path):
    from dataclasses import replace

    study = replace(study_of(tmp_path), file="")
    assert lock_path(study) is None
    with pytest.raises(UsageError, match="only a study file"):
        lock(study, when=WHEN, version="1")


def test_locks_of_two_studies_in_one_folder_stand_apart(tmp_path):
    write(tmp_path)
    (tmp_path / "other.toml").write_text(PANEL)
    study = read_study(tmp_path / "other.toml")
    assert lock(study, when=WHEN, version="1")[0].name == "other.lock.json"
    assert planned(read_study(tmp_path / "study.toml"), ENDED).entry is None
