"""A handful planted in a study of people is in none of the files that are written, whatever key holds it."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import cohort_parts
import pytest

from tests.test_evaluation_people import TEXT, people
from tests.test_study_people import study_in
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.publish import save

NAMED = ("Needs an interpreter", "3.3123", "331%", "231% more", "7.1357", "614%", "4.4321", "0.006739")
"""Figures that a handful gives."""


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    made = evaluate(study_in(tmp_path_factory.mktemp("study"), people(900), TEXT))
    groups = cohort_parts.groups()
    groups["trajectory"]["rows"][3].update(events_pilot=4, pilot=4.4321)
    groups["balance_by_site"][2].update(n_pilot=4, max_smd=0.4567, worst="Needs an interpreter")
    groups["subgroups"][0]["rows"][1].update(events_pilot=6, estimate=3.3123, n_pilot=6)
    groups["controls"]["rows"][0].update(events_pilot=5, ratio=7.1357, low=7.1, high=7.2)
    groups["incidence"]["rows"][0].update(pilot=5 / 742, pilot_low=0.001, pilot_high=0.02)
    groups["flow"][4].update(n=6, text="visited with nobody like them on that day (6 people)")
    held = {**made.data["cohort"], **groups}
    check = replace(
        made.checks[0],
        text="The groups are alike. 6 people were left out (3 of them on the day they started).",
        table=[{"site": "A", "n_pilot": 5, "events_pilot": 3, "ratio": 7.1357}],
    )
    return replace(made, data={**made.data, "cohort": held}, checks=(check, *made.checks[1:]))


def test_a_planted_handful_is_in_no_file(evaluation, tmp_path):
    files = save(evaluation, tmp_path / "out")
    assert {path.name for path in files} >= {"report.html", "impact-statement.html", "evaluation.json"}
    for path in files:
        text = path.read_text(encoding="utf-8")
        inside = re.findall(r"data:text/csv;charset=utf-8;base64,([A-Za-z0-9+/=]+)", text)
        text += "".join(base64.b64decode(part).decode() for part in inside)
        for told in (*NAMED, "6 people", "3 of them"):
            assert told not in text, (path.name, told)
        if path.name == "appendix.html":
            assert inside and "a few of them on the day they started" in text


def test_what_was_planted_would_be_seen_without_the_rule(evaluation, tmp_path):
    study = {**evaluation.study, "release": {**evaluation.study["release"], "profile": "none"}}
    files = save(replace(evaluation, study=study), tmp_path / "out")
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert all(
        told in text
        for told in ("Needs an interpreter", "3.3123", "7.1357", "4.4321", "6 people", "3 of them")
    )


def test_the_released_document_is_drawn_whole(evaluation, tmp_path):
    folder = Path(save(evaluation, tmp_path / "out")[0]).parent
    document = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert {"incidence", "trajectory", "trials", "subgroups", "controls"} <= set(document["data"]["cohort"])
    page = (folder / "appendix.html").read_text(encoding="utf-8")
    for ident in ("love-chart", "before-chart", "first-chart", "mean-chart", "delay-chart"):
        assert f'id="{ident}-wideonly-t"' in page
    assert document["disclosure"]["suppressed"] >= 8
