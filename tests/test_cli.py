"""The commands as a person meets them: what they say, what they write, the code they leave with."""

import dataclasses
import datetime as dt
import json
import re
import resource
import shutil
import subprocess
import sys

import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import ucimpact
from tests.small_study import PANEL, SERIES, changed, panel_table, series_table, write
from ucimpact import cli, evaluation
from ucimpact.data.examples import folder, names
from ucimpact.methods import METHODS
from ucimpact.study.services import LEAGUES, SERVICES, service_named
from ucimpact.study.starting import sheets_of
from ucimpact.study.toml import PLACEHOLDERS

HEAVY = {"pandas", "scipy", "numpy", "pydantic", "duckdb", "matplotlib", "jinja2", "statsmodels", "sklearn"}


def call(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def filled(service) -> dict[str, pd.DataFrame]:
    """Rows that such a service could have, in the columns of each sheet of its data file."""
    rng = np.random.default_rng(5)
    names = {sheet: [column.name for column in columns] for sheet, columns in sheets_of(service).items()}
    if service.events:
        return {sheet: table[names[sheet]] for sheet, table in people_and_events(rng).items()}
    if service.kind == "cohort":
        return {"data": people(rng).rename(columns={"first_visit": service.clock})[names["data"]]}
    places = 16 if service.kind == "panel" else 1
    month = pd.date_range("2021-07-01", periods=48, freq="MS").strftime("%Y-%m")
    table = pd.DataFrame({"month": np.tile(month, places)})
    unit = np.repeat(np.arange(places), len(month))
    table[service.place or "area"] = [f"place {u:02d}" for u in unit]
    table[service.given_to or "within"] = [f"town {u // 2}" for u in unit]
    table["joined"] = np.where(unit < 6, "2023-07", "")
    table[service.population] = 4000
    table[service.column] = rng.poisson(120, len(table))
    table[service.second[1]] = rng.poisson(300, len(table))
    return {"data": table[names["data"]]}


def people(rng, n=400) -> pd.DataFrame:
    """A list of people who all had the service."""
    day = pd.date_range("2024-01-01", periods=n).strftime("%d/%m/%Y")
    table = pd.DataFrame({"client": np.arange(n), "first_visit": day, "days_followed": 180})
    for column, before in (("admissions", 1), ("ae_attendances", 2)):
        table[f"{column}_before"] = 1 + rng.poisson(before, n)
        table[f"{column}_after"] = rng.poisson(before, n)
    return table


def people_and_events(rng, n=400) -> dict[str, pd.DataFrame]:
    """People and their events, one in four of whom was visited some days after an admission."""
    of_people = pd.DataFrame({"person": np.arange(n), "first_visit": "", "died": "", "left": ""})
    of_people["registered"] = "01/04/2015"
    of_people["practice"] = rng.choice(["North", "South"], n)
    of_people["sex"] = rng.choice(["F", "M"], n)
    of_people["age"] = rng.integers(65, 95, n)
    of_people["long_term_conditions"] = rng.integers(0, 6, n)
    who = np.repeat(np.arange(n), 9)
    date = pd.Timestamp("2021-04-01") + pd.to_timedelta(rng.integers(0, 1461, len(who)), unit="D")
    kind = rng.choice(["emergency admission", "A&E attendance", "contact"], len(who))
    end = date + pd.to_timedelta(rng.integers(0, 9, len(who)), unit="D")
    of_events = pd.DataFrame({"person": who, "kind": kind, "date": date.strftime("%d/%m/%Y")})
    of_events["discharged"] = np.where(kind == "emergency admission", end.strftime("%d/%m/%Y"), "")
    late = (date > "2023-04-01") & (date < "2024-12-01") & (kind == "emergency admission") & (who % 4 == 0)
    visits = pd.Series((end + pd.Timedelta(days=2)).strftime("%d/%m/%Y")[late], index=who[late])
    of_people.loc[visits.index.unique(), "first_visit"] = visits.groupby(level=0).first()
    return {"people": of_people, "events": of_events}


# -- run, demo ---------------------------------------------------------------------------


def test_run_writes_the_report_and_says_the_answer_and_where_it_is(tmp_path):
    done = call("run", write(tmp_path), "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    said = " ".join(done.stdout.split())
    assert written["finding"]["sentences"]["headline"] in said
    assert written["certainty"]["line"] in said
    assert f"Report: {tmp_path / 'out' / 'report.html'} Beside it: board.html, " in said
    assert said.endswith("evaluation.json, disclosure_log.json and tables/.")
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert done.stderr == ""


def test_the_terminal_shows_no_number_that_the_report_hides(tmp_path):
    """With the small-number rule on, what is said is what was written, not what was worked out."""
    table = panel_table(pilots=1).assign(admissions="1")
    table.loc[::2, "admissions"] = "0"
    done = call("run", write(tmp_path, table=table), "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    lead = json.loads((tmp_path / "out" / "evaluation.json").read_text())["finding"]["sentences"]["lead"]
    assert lead.split(".")[0] in " ".join(done.stdout.split())


SAVED_ELSEWHERE = ("discharge_planning", "palliative_inreach")
"""Examples that tests/test_examples_people.py works out once and writes whole: they take ten seconds each."""


@pytest.mark.parametrize("name", [name for name in names() if name not in SAVED_ELSEWHERE])
def test_demo_runs_an_example_and_its_reports_can_be_read(tmp_path, name, look):
    done = call("demo", name, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    if (folder(name) / "study.toml").is_file():
        assert "Beside it: board.html, impact-statement.html, appendix.html" in done.stdout
        look(tmp_path)


def test_demo_runs_acute_visiting_unless_told_otherwise(tmp_path):
    done = call("demo", "--out", tmp_path)
    assert "acute visiting service" in done.stdout
    assert call("demo", "nothing").exit_code == 2


def test_run_writes_a_word_copy_and_the_colours_that_are_asked_for(tmp_path):
    path = write(tmp_path)
    done = call("run", path, "--out", tmp_path / "out", "--theme", "nhs", "--docx")
    assert done.exit_code == 0, done.output
    told = " ".join(done.stdout.split())
    assert f"Report: {tmp_path / 'out' / 'report.html'}" in told
    assert "Beside it: board.html, impact-statement.html, appendix.html, report.docx, evaluation.json" in told
    assert (tmp_path / "out" / "report.docx").stat().st_size > 20_000
    assert "#005eb8" in (tmp_path / "out" / "board.html").read_text()


def test_a_theme_or_a_copy_that_cannot_be_had_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    missing = tmp_path / "study.toml"
    done = call("run", missing, "--theme", "pink")
    assert (done.exit_code, done.stderr) == (2, 'there is no theme "pink": there are neutral and nhs.\n')
    monkeypatch.setitem(sys.modules, "docx", None)
    done = call("run", missing, "--docx")
    assert done.exit_code == 2 and 'pip install "ucimpact[docx]"' in done.stderr


# -- check -------------------------------------------------------------------------------


def test_check_says_what_was_read_and_which_designs_are_open_and_writes_nothing(tmp_path):
    table = changed(panel_table(), "admissions", 2, "1,017")
    table = pd.concat([table, table.iloc[:1] * 0]).astype(str)  # an empty row at the end
    table = changed(table, "admissions", 5, "")
    window = ("unit =", "window = { from = 2022-05-01 }\nunit =")
    path = write(tmp_path, window, ("[method]", "[method]\nlog = true\n"), table=table)
    before = sorted(tmp_path.iterdir())
    done = call("check", path)
    assert done.exit_code == 0, done.output
    for line in (
        "Visits in Eastvale",
        "145 rows read, 132 used",
        "left out: 1 empty row\n",
        "left out: 12 rows outside the window, from May 2022",
        "empty: 1 cell of `admissions`",
        "`admissions`: 1 value with thousands commas",
        "3 pilot and 9 comparison units, 11 months, May 2022 to March 2023",
        "did: open, as declared",
        "its: ",
    ):
        assert line in done.stdout, done.stdout
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", [name for name in names() if (folder(name) / "study.toml").is_file()])
def test_check_finds_nothing_wrong_with_the_examples(name):
    done = call("check", folder(name))
    assert done.exit_code == 0
    assert "Ready. Next: ucimpact run" in done.stdout


def test_check_asks_every_method_with_what_the_study_says_of_the_pandemic_months():
    told = call("check", folder("crisis_response")).stdout
    assert "does not say what is done with" not in " ".join(told.split())
    opened = ", ".join(re.findall(r"^ {2}(\S.*?): open", told, re.MULTILINE)).split(", ")
    assert {"arima-its", "count-its", "its", "structural"} <= set(opened), told


def test_check_holds_sites_against_their_own_past_to_no_comparison():
    told = " ".join(call("check", folder("vanguard_kpis")).stdout.split())
    sites = re.search(r"multi-site-its: open, as declared(.*?)(?: [a-z-]+(?:, [a-z-]+)*: |$)", told)
    assert sites and "comparison unit" not in sites[1], told
    assert "The pilot starts at 3 different times, and two-way fixed effects" in told


def test_check_says_how_many_people_were_read_and_with_whom_they_can_be_compared():
    done = call("check", folder("soft_landing"))
    assert done.exit_code == 0, done.output
    who = r"\d,\d{3} people, \d{3} of them with the service; \d{2},\d{3} events\n"
    assert re.search(who, done.stdout), done.stdout
    assert "sequential-trials: open, as declared" in done.stdout
    assert re.search(r"callaway-santanna, .*\bdid\b[^:]*: not open", done.stdout, re.DOTALL)
    alone = call("check", folder("befriending"))
    assert "160 people, all with the service; followed for up to 180 days" in alone.stdout
    assert "before-after: open, as declared" in alone.stdout
    assert re.search(r"^  .*\bmatched-cohort\b[^:]*: not open$", alone.stdout, re.MULTILINE)


def test_check_refuses_a_design_that_the_declared_method_refuses(tmp_path):
    table = changed(panel_table(), "admissions", 9, "0")
    done = call("check", write(tmp_path, ("[method]", "[method]\nlog = true"), table=table))
    assert done.exit_code == 4
    assert "0" in done.stderr
    assert "Ready" not in done.stdout


def test_check_says_which_designs_are_open_where_the_declared_one_is_not(tmp_path):
    """A method that compares, told no control: its on the series alone would do."""
    done = call("check", write(tmp_path, ('name = "its"', 'name = "controlled-its"'), text=SERIES))
    assert done.exit_code == 4
    assert "Ready" not in done.stdout
    designs = done.stdout.split("\nDesigns\n")[1]
    assert re.search(r"^  (?!.*not open).*\bits\b.*: open", designs, re.MULTILINE), designs
    assert "controlled-its: not open, as declared" in designs
    assert done.stderr.startswith("No control is named")


def test_check_and_run_refuse_alike(tmp_path):
    path = write(tmp_path, table=changed(panel_table(), "admissions", 9, "many"))
    checked, ran = call("check", path), call("run", path, "--out", tmp_path / "out")
    assert (checked.exit_code, checked.stderr) == (ran.exit_code, ran.stderr)
    assert not (tmp_path / "out").exists()


def test_check_makes_the_trials_so_that_it_refuses_what_run_refuses(tmp_path):
    """Of two who begin no score can be learned, which is seen only by trying."""
    for file in folder("discharge_planning").iterdir():
        shutil.copy(file, tmp_path / file.name)
    people = pd.read_csv(tmp_path / "people.csv", dtype=str)
    people.loc[people.index[people["First visit"].notna()][2:], "First visit"] = None
    people.to_csv(tmp_path / "people.csv", index=False)
    path = tmp_path / "study.toml"
    checked, ran = call("check", path), call("run", path, "--out", tmp_path / "out")
    assert checked.exit_code == 4 and "so few are too few" in checked.stderr
    assert "Ready" not in checked.stdout
    assert (checked.exit_code, checked.stderr) == (ran.exit_code, ran.stderr)


# -- init --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_init_writes_what_passes_check_once_there_are_rows(tmp_path, name):
    into = tmp_path / "new"
    done = call("init", name, "--into", into)
    assert done.exit_code == 0, done.output
    study, data = sorted(into.iterdir(), key=lambda path: path.suffix)
    assert str(study) in done.stdout
    assert str(data) in done.stdout
    unfilled = call("check", study)
    assert unfilled.exit_code == 2
    assert unfilled.stderr.count("still holds the template's") == 3
    text = study.read_text()
    for mark in PLACEHOLDERS:
        text = text.replace(mark, "Eastvale")
    study.write_text(text)
    empty = call("check", study)
    assert (empty.exit_code, "no rows under the header" in empty.stderr) == (3, True)
    book = openpyxl.load_workbook(data)
    for sheet, table in filled(SERVICES[name]).items():
        for row in table.itertuples(index=False):
            book[sheet].append(list(row))
    book.save(data)
    checked = call("check", study)
    assert checked.exit_code == 0, checked.output
    assert "left out: 1 example row of the template (row 2)" in checked.stdout


def test_init_writes_a_workbook_that_says_what_each_column_holds(tmp_path):
    call("init", "soft-landing", "--into", tmp_path)
    book = openpyxl.load_workbook(tmp_path / "people.xlsx")
    assert book.sheetnames == ["people", "events", "columns"]
    told = [[cell.value for cell in row] for row in book["columns"].iter_rows(min_row=2)]
    held = [[name, cell.value] for name in ("people", "events") for cell in book[name][1]]
    assert [row[:2] for row in told] == held
    assert all(cell.value is not None for name in ("people", "events") for cell in book[name][2])
    assert all(len(row[2]) > 5 for row in told)
    assert book["people"]["C2"].value == dt.datetime(2024, 4, 5)
    assert book["people"]["C2"].number_format == "dd/mm/yyyy"


def test_a_workbook_of_one_table_says_what_its_columns_hold(tmp_path):
    call("init", "befriending", "--into", tmp_path)
    book = openpyxl.load_workbook(tmp_path / "people.xlsx")
    told = [[cell.value for cell in row] for row in book["columns"].iter_rows(min_row=2)]
    assert [row[0] for row in told] == [cell.value for cell in book["data"][1]]
    assert all(len(row) == 2 and len(row[1]) > 5 for row in told)


def test_init_explains_every_key_that_is_to_be_changed(tmp_path):
    call("init", "acute-visiting", "--into", tmp_path)
    text = (tmp_path / "study.toml").read_text()
    uncommented = "\n".join(line.removeprefix("# ") if "=" in line else line for line in text.splitlines())
    for key in ("window", "covid", "coding", "date", "what"):
        assert f"\n{key} = " in uncommented
    assert max(map(len, text.splitlines())) <= 120


def test_init_writes_over_nothing(tmp_path):
    (tmp_path / "practices.xlsx").write_text("mine")
    done = call("init", "acute-visiting", "--into", tmp_path)
    assert done.exit_code == 2
    assert "not written over" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["practices.xlsx"]
    assert (tmp_path / "practices.xlsx").read_text() == "mine"


def test_init_takes_the_name_of_every_example(tmp_path):
    pilots = [name for name in names() if name.replace("_", "-") not in LEAGUES]
    assert {service_named(name).kind for name in pilots} == {"panel", "series", "cohort"}
    assert service_named("Soft Landing") is service_named("soft_landing") is SERVICES["soft-landing"]
    assert call("init", "acute_visiting", "--into", tmp_path).exit_code == 0
    assert "acute visiting" in (tmp_path / "study.toml").read_text()
    league = call("init", "challenge_fund", "--into", tmp_path / "fund")
    assert league.exit_code == 2 and "begin a study for each" in league.stderr


def test_init_lists_the_services_there_are(tmp_path):
    done = call("init", "acute-visit", "--into", tmp_path)
    assert done.exit_code == 2
    assert 'Did you mean "acute-visiting"?' in done.stderr
    assert all(name in done.stderr for name in SERVICES)


# -- the rest ----------------------------------------------------------------------------


def test_methods_lists_the_register_and_every_field():
    done = call("methods")
    assert done.exit_code == 0
    for name, method in METHODS.items():
        fields = [field.name for field in dataclasses.fields(method)]
        assert f"{name}: " in done.stdout
        assert all(f"  {field} = " in done.stdout for field in fields if field != "outcome")


def test_methods_shows_one_method_by_name():
    done = call("methods", "its")
    assert done.exit_code == 0
    assert done.stdout.startswith("its: ")
    assert done.stdout.count("  needs ") == 1
    wrong = call("methods", "controled-its")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert wrong.stderr == 'there is no method "controled-its". Did you mean `controlled-its`?\n'


def test_help_of_a_plan_names_a_series_and_loses_no_word():
    for words in (("plan", "--help"), ("--help",)):
        shown = " ".join(call(*words).stdout.replace("│", " ").split())
        assert (
            "people, places or months it takes: from the file of before the pilot, or from its plan." in shown
        )


def test_version_and_help():
    assert call("--version").stdout == f"ucimpact {ucimpact.__version__}\n"
    shown = call("--help").stdout
    assert all(command in shown for command in ("demo", "run", "check", "init", "methods"))


@pytest.mark.parametrize(
    "words", [["rum"], ["run"], ["check", "a", "b"], ["run", "x.toml"], ["init", "--nto"]]
)
def test_a_command_that_says_nothing_we_know_leaves_with_2(words):
    assert call(*words).exit_code == 2


def test_an_error_of_ours_is_short_and_shows_no_record(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("Ada Byron, 943 476 5919")

    monkeypatch.setattr(evaluation, "evaluate", broken)
    path = write(tmp_path)
    done = call("run", path, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "Something went wrong inside ucimpact (ValueError)" in done.stderr
    assert "Ada" not in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "out").exists()
    told = call("--debug", "run", path, "--out", tmp_path / "out").stderr
    assert "Traceback" in told
    assert "in broken\n" in told
    assert told.endswith("ValueError\n")


def test_a_file_cannot_write_to_the_terminal_what_it_likes(tmp_path):
    table = changed(panel_table(), "admissions", 3, "\x1b[2J\x1b[31mgone").rename(
        columns={"imd": "\x1b[5mx\x07\x08"}
    )
    done = call("check", write(tmp_path, ("[method]", '[method]\ncovariates = ["y"]'), table=table))
    assert done.exit_code == 3
    assert not set("\x1b\x07\x08") & set(done.output)


def test_a_bar_is_shown_on_a_terminal_and_nowhere_else(tmp_path, monkeypatch, capsys):
    with cli._progress() as tell:
        tell("Main analysis", 1, 3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with cli._progress() as tell:
        tell("Main analysis", 1, 3)
    assert "Main analysis" in capsys.readouterr().err


def cpu_seconds(*words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_is_quick_and_loads_nothing_heavy():
    help_ = "import sys; sys.argv = ['ucimpact', '--help']\nfrom ucimpact.cli import main\ntry: main()\nexcept SystemExit: pass"
    assert min(cpu_seconds("-c", help_) for _ in range(3)) < 0.6
    done = subprocess.run(
        [sys.executable, "-c", f"{help_}\nimport json; print(json.dumps(sorted(sys.modules)))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & HEAVY


def test_the_study_of_these_tests_is_right(tmp_path):
    assert call("check", write(tmp_path, text=PANEL)).exit_code == 0


def test_what_lies_outside_the_window_does_not_stop_a_series(tmp_path):
    """Moving the window by whole years looks at the rest of the file, where months may be of the pandemic or hidden."""
    table = series_table(months=66)
    table["month"] = pd.date_range("2020-01-01", periods=66, freq="MS").strftime("%Y-%m")
    table = changed(table, "admissions", 2, "*")
    window = ("period =", "window = { from = 2021-07-01 }\nperiod =")
    path = write(tmp_path, window, text=SERIES, table=table)
    assert call("check", path).exit_code == 0
    done = call("run", path, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
