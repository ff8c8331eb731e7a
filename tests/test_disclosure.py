"""Small numbers are hidden in one place, and nothing that is written gives them away."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.test_evaluation import PANEL_STUDY, panel_table, study_in
from ucimpact.disclosure import Log, release
from ucimpact.errors import DisclosureError
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.publish import save

HES = PANEL_STUDY.replace('profile = "none"', 'profile = "hes2018"')


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, 0),
        (1, None),
        (7, None),
        (8, 10),
        (12, 10),
        (13, 15),
        (17.5, 20),
        (-3, None),
        (-12, -10),
        (np.nan, None),
    ],
)
def test_one_to_seven_are_hidden_and_the_rest_rounded(count: float, shown: float | None) -> None:
    assert Log().count(count, "here") == shown


def small_evaluation(path: Path) -> Evaluation:
    """One pilot place with 0 to about 12 admissions a month."""
    return evaluate(study_in(path, HES, panel_table(mean=4.0)))


def test_counts_of_people_leave_rounded_or_hidden(tmp_path: Path) -> None:
    evaluation = small_evaluation(tmp_path)
    assert evaluation.primary.estimate is not None
    raw = evaluation.primary.estimate.counterfactual
    released = release(evaluation).primary.estimate
    assert raw is not None and released is not None and released.counterfactual is not None
    shown = released.counterfactual
    small = raw["events"].between(1, 7).to_numpy()
    assert small.any() and not small.all()
    assert shown["events"][small].isna().all() and shown["observed"][small].isna().all()
    known = shown["events"].dropna()
    assert (known % 5 == 0).all()
    rates = shown["observed"].dropna().to_numpy() * raw["events"][known.index].to_numpy()
    np.testing.assert_allclose(rates, raw["observed"][known.index].to_numpy() * known.to_numpy())


def test_the_full_evaluation_is_left_as_it_was(tmp_path: Path) -> None:
    evaluation = small_evaluation(tmp_path)
    before = json.dumps(evaluation.to_dict())
    release(evaluation)
    assert json.dumps(evaluation.to_dict()) == before


def test_no_small_count_is_in_any_file(tmp_path: Path) -> None:
    evaluation = small_evaluation(tmp_path)
    assert evaluation.primary.estimate is not None
    raw = evaluation.primary.estimate.counterfactual
    assert raw is not None
    save(evaluation, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "tables" / "observed_expected.csv")
    small = raw["events"].between(1, 7).to_numpy()
    assert table["observed"][small].isna().all()
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    estimates = json.dumps(document["estimates"])
    page = (tmp_path / "out" / "report.html").read_text()
    rates = {f"{value:.6g}" for value in raw["observed"][small] if value}
    assert rates and not any(rate in text for rate in rates for text in (estimates, page))
    log = json.loads((tmp_path / "out" / "disclosure_log.json").read_text())
    assert log["suppressed"] >= small.sum() and log["profile"] == "hes2018"


def test_sentences_are_written_again_from_what_is_shown(tmp_path: Path) -> None:
    evaluation = evaluate(study_in(tmp_path, HES, panel_table(pilots=8)))
    released = release(evaluation)
    total = released.finding["avoided"]
    assert all(value % 5 == 0 for value in total.values())
    assert released.primary.estimate is not None
    assert released.primary.estimate.effect("cumulative")["estimate"] == -total["est"]
    numbers = re.findall(r"(?<![\d.,])([\d,]+) (?:fewer|more)", released.finding["sentences"]["avoided"])
    assert numbers and all(int(n.replace(",", "")) % 5 == 0 for n in numbers)


def test_open_data_leave_as_they_are(tmp_path: Path) -> None:
    evaluation = evaluate(study_in(tmp_path))
    assert release(evaluation).disclosure == {"profile": "none", "suppressed": 0, "rounded": 0, "log": []}
    assert replace(release(evaluation), disclosure={}).to_dict() == evaluation.to_dict()


def test_a_profile_nobody_knows_is_refused(tmp_path: Path) -> None:
    evaluation = evaluate(study_in(tmp_path))
    unknown = {**evaluation.study, "release": {"profile": "mine", "seed": 1}}
    with pytest.raises(DisclosureError, match="hes2018"):
        release(replace(evaluation, study=unknown))


def test_what_is_left_gives_no_hidden_count_back(tmp_path: Path) -> None:
    """Observed is expected plus the period's effect: where a count is hidden, none of these may stand."""
    released = release(small_evaluation(tmp_path)).primary.estimate
    assert released is not None and released.counterfactual is not None
    assert not set(released.effects["term"]) & {"event", "relative"}
    assert not set(released.extras) & {"residuals", "placebo", "reference", "coefficients"}
    hidden = released.counterfactual["observed"].isna()
    assert hidden.any() and released.counterfactual.loc[hidden, "expected"].isna().all()


PEOPLE = HES.replace('kind = "panel"', 'kind = "panel"\nrows = "people"')


def test_rows_of_people_are_not_counted_out_loud(tmp_path: Path) -> None:
    table = panel_table(units=41, pilots=12)
    evaluation = evaluate(study_in(tmp_path, PEOPLE, table))
    released = release(evaluation)
    shown = released.data["counts"]
    assert shown["pilot_units"] == 10 and shown["comparison_units"] == 30 and shown["rows"] % 5 == 0
    for analysis in released.analyses:
        assert analysis.estimate is not None
        assert all(n is None or n % 5 == 0 for n in analysis.estimate.counts.values())
        assert analysis.estimate.influence is None and analysis.estimate.counterfactual is None
    assert save(evaluation, tmp_path / "out")[0].exists()


def test_a_handful_of_people_are_not_reported_on(tmp_path: Path) -> None:
    evaluation = evaluate(study_in(tmp_path, PEOPLE, panel_table(units=30, pilots=6)))
    with pytest.raises(DisclosureError, match="Fewer than 8 people had the pilot"):
        save(evaluation, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_total_that_rounds_to_nothing_is_not_said(tmp_path: Path) -> None:
    evaluation = evaluate(study_in(tmp_path, HES))
    small = {**evaluation.finding, "avoided": {"est": 2.0, "lo": 0.6, "hi": 3.4}}
    released = release(replace(evaluation, finding=small))
    assert released.finding["avoided"] is None and not released.finding["sentences"]["avoided"]
