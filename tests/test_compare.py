"""`ucimpact compare`: from studies, documents or one file to a page, a document and a table, or a refusal."""

from __future__ import annotations

import csv
import html
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.small_study import SERIES, series_table
from ucimpact import cli, publish
from ucimpact.errors import UsageError
from ucimpact.report import render
from ucimpact.study.league import About, InLeague, PilotEntry
from ucimpact.study.league_file import league_line, read_league
from ucimpact.study.toml import keys_of

TOWNS = ("Ash", "Elm", "Oak")
STUDY = """\
schema = 1

[study]
title = "Visits in {town}"
question = "Did the visits reduce emergency admissions?"
pilot = "Home visits on the day"
population = "Patients of 4 practices in {town}"
comparator = "10 practices without visits"
by = "County evaluation team"
subject = "home visits"
plural = true
people = "registered patients"

[data]
kind = "panel"
source = "practices.csv"
unit = "practice"
period = "month"
start = "joined"
population = "list_size"

[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"
worthwhile = -0.05
value = {{ economic = 2711 }}

[method]
name = "did"

[cost]
per_person = {price}
people = 1000
price_year = "2024/25"

[decision]
another_year_costs = 1000

[league]
name = "Home visits"
place = "{town}"
"""
LEAGUE = """\
schema = 1

[league]
title = "Visits in three towns"
question = "Which should go on?"
by = "County fund team"
budget = 150000
"""


def practices(town, effect, seed):
    """Four practices of a town that begin halfway, beside ten of the county that are in every town's file."""
    beside, months = np.random.default_rng(1), 24
    own = np.random.default_rng(seed)
    month = pd.date_range("2022-04-01", periods=months, freq="MS").strftime("%Y-%m")
    rows = []
    for unit in range(14):
        pilot = unit < 4
        rng = own if pilot else beside
        rate = np.full(months, 40.0)
        if pilot:
            rate[12:] *= effect
        counts = rng.poisson(rate)
        name = f"{town} {unit + 1}" if pilot else f"County {unit - 3}"
        joined = "2023-04" if pilot else ""
        rows += [(name, m, joined, 2000, n) for m, n in zip(month, counts, strict=True)]
    return pd.DataFrame(rows, columns=["practice", "month", "joined", "list_size", "admissions"])


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    """A folder for each town with its study, and one with a single series of months."""
    home = tmp_path_factory.mktemp("fund")
    for k, (town, effect) in enumerate(zip(TOWNS, (0.85, 0.95, 1.0), strict=True)):
        folder = home / town.lower()
        folder.mkdir()
        practices(town, effect, 10 + k).to_csv(folder / "practices.csv", index=False)
        (folder / "study.toml").write_text(STUDY.format(town=town, price=60 + 20 * k))
    other = home / "series"
    other.mkdir()
    series_table().to_csv(other / "months.csv", index=False)
    (other / "study.toml").write_text(SERIES)
    return home


def call(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def compared(towns, tmp_path_factory):
    """One run over three studies and a series: what it said and what it wrote."""
    out = tmp_path_factory.mktemp("out") / "league"
    found = call(
        "compare", *(towns / t.lower() for t in TOWNS), towns / "series", "--budget", 150_000, "--out", out
    )
    assert found.exit_code == 0, found.output
    return found.output, out, json.loads((out / "league.json").read_text(encoding="utf-8"))


def test_it_writes_the_page_the_document_and_the_table(compared):
    said, out, document = compared
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files == {"league.html", "league.json", "tables/league.csv"}
    flat = " ".join(said.split())
    assert document["league"]["budget"] == 150_000
    assert document["sentences"]["headline"] in flat
    assert all(f"{pilot['title']}: {pilot['verdict']['text']}." in flat for pilot in document["pilots"])
    with (out / "tables" / "league.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["place"] for row in rows] == list(TOWNS)
    assert [row["verdict"] for row in rows] == [pilot["verdict"]["text"] for pilot in document["pilots"]]
    page = (out / "league.html").read_text(encoding="utf-8")
    assert document["sentences"]["headline"] in page


def test_the_series_is_left_out_by_name(compared):
    said, _, document = compared
    assert [pilot["place"] for pilot in document["pilots"]] == list(TOWNS)
    why = document["left_out"][0]["why"]
    assert re.fullmatch(r".+ is left out: it measured .+, the others .+\.", why)
    assert " ".join(why.split()) in " ".join(said.split())


def test_shared_practices_link_the_results_through_their_influences(compared):
    _, _, document = compared
    assert document["covariance"]["how"] == "influence"
    assert document["covariance"]["text"].startswith("All three share a comparison.")


def test_a_written_evaluation_stands_for_its_study(towns, compared, tmp_path):
    _, _, whole = compared
    assert call("run", towns / "ash", "--out", tmp_path / "ash").exit_code == 0
    assert "Beside other pilots" not in (tmp_path / "ash" / "report.html").read_text(encoding="utf-8")
    league = tmp_path / "out"
    found = call("compare", tmp_path / "ash", towns / "elm", towns / "oak" / "study.toml", "--budget", 150_000,
                 "--out", league)  # fmt: skip
    assert found.exit_code == 0, found.output
    document = json.loads((league / "league.json").read_text(encoding="utf-8"))
    assert document["pilots"] == whole["pilots"]
    again = call("compare", tmp_path / "ash", tmp_path / "ash" / "evaluation.json", "--out", league)
    assert again.exit_code == 2
    assert "the same evaluation is given twice" in again.output


def test_one_file_names_the_pilots_the_budget_and_the_rule(towns, compared, tmp_path):
    _, _, whole = compared
    entries = "".join(f'\n[[pilot]]\nstudy = "{t.lower()}"\n' for t in TOWNS)
    extra = 'price = 20.0\nname = "Visits again"\nat_most = 2.0\n'
    (towns / "league.toml").write_text(LEAGUE + entries + extra)
    found = call("compare", towns, "--out", tmp_path / "out")
    assert found.exit_code == 0, found.output
    document = json.loads((tmp_path / "out" / "league.json").read_text(encoding="utf-8"))
    assert document["league"]["title"] == "Visits in three towns"
    assert document["league"]["budget"] == 150_000
    assert document["league"]["hash"] == read_league(towns).hash
    last = document["pilots"][-1]
    assert (last["name"], last["price"]) == ("Visits again", 20.0)
    assert last["shrunk"] == whole["pilots"][-1]["shrunk"]
    if last["funded"]:
        assert last["scale"] == 2.0


def test_a_pilots_own_report_says_what_the_league_made_of_it(towns, compared, tmp_path):
    _, out, document = compared
    folder = tmp_path / "ash"
    folder.mkdir()
    (folder / "practices.csv").write_bytes((towns / "ash" / "practices.csv").read_bytes())
    result = os.path.relpath(out / "league.json", folder)
    text = (towns / "ash" / "study.toml").read_text() + f'result = "{result}"\n'
    (folder / "study.toml").write_text(text)
    assert call("run", folder, "--out", tmp_path / "out").exit_code == 0
    evaluation = json.loads((tmp_path / "out" / "evaluation.json").read_text(encoding="utf-8"))
    assert evaluation["league"] == document["pilots"][0]["line"]
    assert evaluation["league"].startswith("Beside two other pilots")
    for name in ("report.html", "board.html"):
        page = html.unescape((tmp_path / "out" / name).read_text(encoding="utf-8"))
        assert f"<dt>Beside other pilots</dt><dd>{evaluation['league']}</dd>" in re.sub(
            r"[\u2060\xa0]", "", page
        )
    assert evaluation["study"]["hash"] == document["pilots"][0]["hash"]
    (folder / "study.toml").write_text(text.replace(result, "none.json"))
    refused = call("run", folder, "--out", tmp_path / "other")
    assert refused.exit_code == 2
    assert "there is no league file none.json" in " ".join(refused.output.split())
    with pytest.raises(UsageError, match="does not stand in"):
        league_line(out / "league.json", "another hash", "Another name")
    assert league_line(out / "league.json", "another hash", "Home visits") == document["pilots"][0]["line"]


def test_a_page_that_cannot_be_drawn_leaves_what_was_there(compared, tmp_path, monkeypatch):
    _, _, document = compared
    publish.save_league(document, tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}

    def broken(*_):
        raise ValueError("no page")

    monkeypatch.setattr(render, "render_league", broken)
    with pytest.raises(ValueError, match="no page"):
        publish.save_league({**document, "seed": 2}, tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budgett = 3\n", "line 7, [league] `budgett`: there is no such key. Did you mean `budget`?"),
        ("budget = -3\n", "line 7, [league] `budget`: expects a number greater than 0, found -3"),
        ("keep_if = { chance = 0.7 }\n", "[league] `keep_if.chance`: there is no such key"),
        ('[[pilot]]\nstudy = "a"\nevaluation = "b"\n', "give one of study"),
        ('[[pilot]]\nname = "a"\n', "give one of study"),
        ('[[pilot]]\nstudy = "a"\nat_least = 2.0\n', "at_least = 2 is above at_most = 1. Put them in order"),
        ('[[pilots]]\nstudy = "a"\n', "there is no such table or key. Did you mean `pilot`?"),
        ("", "a league needs two pilots or more. Add a [[pilot]] for each"),
    ],
)
def test_a_league_file_is_refused_with_its_line_and_the_way_out(text, said, tmp_path):
    (tmp_path / "league.toml").write_text(LEAGUE.replace("budget = 150000\n", "") + text)
    found = call("compare", tmp_path / "league.toml", "--out", tmp_path / "out")
    assert found.exit_code == 2
    assert said in found.output
    assert not (tmp_path / "out").exists()


def test_what_is_not_there_is_named_all_at_once(tmp_path):
    (tmp_path / "notes.json").write_text("[1]")
    found = call("compare", tmp_path / "a", tmp_path / "b.json", "--out", tmp_path / "out")
    assert found.exit_code == 2
    assert "no evaluation and no study is at" in found.output
    assert all(name in found.output for name in ("/a\n", "/b.json\n"))
    alone = call("compare", tmp_path / "notes.json")
    assert alone.exit_code == 2 and "name two evaluations or studies" in alone.output
    wrong = call("compare", tmp_path / "notes.json", tmp_path / "notes.json")
    assert wrong.exit_code == 2 and "is not a document that ucimpact wrote" in wrong.output
    none = call("compare", tmp_path / "a", tmp_path / "b", "--budget", "0")
    assert none.exit_code == 2 and "--budget is an amount in pounds above 0" in none.output


def test_a_league_of_unlike_pilots_ends_with_the_code_of_a_design(towns, tmp_path):
    found = call("compare", towns / "ash", towns / "series", "--out", tmp_path / "out")
    assert found.exit_code == 4
    assert "1 can be compared" in found.output
    assert "is left out: it measured" in found.output
    assert not (tmp_path / "out").exists()


def test_the_example_of_the_page_is_a_league_file(tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "league.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "league.toml").write_text(example)
    league = read_league(tmp_path)
    assert league.about is not None
    assert (league.about.budget, league.about.years) == (400_000, 5)
    assert [pilot.price for pilot in league.pilots] == [None, 240]
    keys = {*keys_of(About), *keys_of(PilotEntry), *keys_of(InLeague)}
    assert not {key for key in keys if not re.search(rf"\b{key}\b", page)}


def test_a_pilot_that_is_missing_is_named_by_its_place_in_the_league_file(tmp_path):
    two = '[[pilot]]\nstudy = "here"\n[[pilot]]\nstudy = "nothere"\n'
    (tmp_path / "league.toml").write_text(LEAGUE.replace("budget = 150000\n", "") + two)
    found = call("compare", tmp_path / "league.toml", "--out", tmp_path / "out")
    assert found.exit_code == 2
    assert "nothere ([[pilot]] number 2 of the league file)" in " ".join(found.output.split())


def test_a_folder_that_cannot_be_made_is_the_users_to_change(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(UsageError, match=r"cannot write in .*Name another folder with --out"):
        publish._write(blocked / "out", {"a.txt": "a"}, ())
