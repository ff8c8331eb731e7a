"""From a study file to the answer: sites against their own past, and a series beside its control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ucimpact import evaluate, read_study
from ucimpact.data.simulate_sites import PilotAndControl, PilotSites
from ucimpact.disclosure import release
from ucimpact.report.render import render

HEAD = """\
schema = 1

[study]
title = "Crisis teams"
question = "Did the teams reduce emergency admissions?"
pilot = "A crisis team"
population = "Residents"
comparator = "What went before"
by = "Evaluation team"

[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"
"""
SITES = """
[data]
kind = "panel"
source = "data.csv"
unit = "site"
period = "month"
start = "start"
population = "people"

[method]
name = "multi-site-its"
"""
PAIR = """
[data]
kind = "series"
source = "data.csv"
period = "month"
start = 2013-04-01

[method]
name = "controlled-its"
controls = ["neighbour"]
"""


def evaluated(folder: Path, text: str, design: PilotSites | PilotAndControl) -> dict[str, Any]:
    table = design.draw(3).table
    columns = [name for name in ("admissions", "neighbour") if name in table]
    table.assign(**{name: table[name].round().astype(int) for name in columns}).to_csv(
        folder / "data.csv", index=False
    )
    (folder / "study.toml").write_text(HEAD + text)
    return evaluate(read_study(folder / "study.toml")).to_dict()


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    design = PilotSites(as_counts=True, change=-0.15, noise=0.02, base=300)
    return evaluated(tmp_path_factory.mktemp("sites"), SITES, design)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    design = PilotAndControl(base=400, level_change=-40, noise=8)
    return evaluated(tmp_path_factory.mktemp("pair"), PAIR, design)


def test_sites_are_told_per_person_and_graded_as_series(sites: dict[str, Any]) -> None:
    found = sites["finding"]
    assert found["per"].startswith("per 100 people")
    assert found["percent"]["ratio"] == pytest.approx(0.85, abs=0.03)
    assert found["hi"] < 0 and found["n0"] is None and found["n1"] == 8
    assert not any("stand beside the pilot" in step["text"] for step in sites["certainty"]["steps"])
    names = {check["name"]: check for check in sites["checks"]}
    assert {"season", "sites_differ", "unmeasured", "leave_one_place_out"} <= set(names)
    assert "pre_trend" not in names
    assert "each site’s own past" in names["unmeasured"]["text"]


def test_the_report_of_sites_has_a_forest_plot_with_the_numbers_behind_it(sites: dict[str, Any]) -> None:
    page = render(sites)
    assert "What did each site show?" in page and "Average of 8 sites" in page
    assert "Another site like these" in page and 'id="sites-chart-wideonly-t"' in page
    assert "what comes to all of them at once" in page
    assert "Units that never start" in page or "units that never start" in page


def test_what_came_to_all_sites_is_said_to_count_as_effect(sites: dict[str, Any]) -> None:
    cannot = " ".join(sites["finding"]["cannot_say"])
    assert "what came to all of them at once counts as effect" in cannot
    assert "a change that came to all sites at once counts as effect" in render(sites)


def test_a_series_beside_its_control_is_not_said_to_stand_alone(pair: dict[str, Any]) -> None:
    assert "counts as effect" not in " ".join(pair["finding"]["cannot_say"])


def test_released_numbers_of_sites_are_ratios_alone(tmp_path: Path) -> None:
    design = PilotSites(as_counts=True, change=-0.15, noise=0.02, base=300)
    text = SITES + '\n[release]\nprofile = "hes2018"\n'
    evaluated(tmp_path, text, design)
    released = release(evaluate(read_study(tmp_path / "study.toml"))).to_dict()
    main = next(entry for entry in released["estimates"] if entry["role"] == "primary")
    assert "site" not in {row["term"] for row in main["effects"]}
    assert any("single sites in numbers" in row for row in released["disclosure"]["log"])
    assert "Average of 8 sites" in render(released)


def test_a_series_beside_its_control_is_asked_whether_they_moved_alike(pair: dict[str, Any]) -> None:
    found = pair["finding"]
    assert found["est"] == pytest.approx(-40, abs=8) and found["hi"] < 0
    names = {check["name"]: check for check in pair["checks"]}
    assert names["pre_trend"]["p_value"] > 0.05
    page = render(pair)
    assert "Comparison" in page and "averages over how alike neighbouring months may be" in page
