"""Where a handful had the outcome, nothing that is worked out from its effect may stand in for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ucimpact.disclosure import release
from ucimpact.evaluation import Evaluation, evaluate, judge
from ucimpact.report.render import pages
from ucimpact.study import read_study

FUND = Path(__file__).parents[1] / "examples/challenge_fund/garden_groups"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Evaluation:
    """A pilot of a dozen clients, of whom a handful were admitted."""
    folder = tmp_path_factory.mktemp("few") / "garden_groups"
    shutil.copytree(FUND, folder)
    table = pd.read_csv(folder / "people.csv", dtype=str)
    clients = table["Client"] == "1"
    pd.concat([table[clients].head(12), table[~clients]]).to_csv(folder / "people.csv", index=False)
    return evaluate(read_study(folder / "study.toml", judge=judge))


def test_a_hidden_effect_takes_its_value_and_its_verdict_with_it(whole):
    assert whole.finding["est"] is not None
    assert whole.valuation["columns"]["economic"]["value"]
    told = release(whole)
    assert told.finding["est"] is None
    assert told.finding["pay"] is None
    assert told.decision["verdict"] == "Cannot say yet: a likely range"
    assert set(told.decision) & {"value", "chance", "price_at_rule", "evsi"} == set()
    assert told.valuation["not_worked_out"] == "too few people had it for figures to be shown"
    assert told.valuation["cost"]["total"] == 17_000
    assert not told.valuation["columns"] and not told.valuation["outcomes"]


def test_no_page_and_no_document_of_it_gives_the_effect_back(whole):
    document = release(whole).to_dict()
    value = whole.valuation["columns"]["economic"]
    hidden = [value["per_person"], value["value"], value["low"], value["high"], whole.decision["chance"]]
    hidden += [whole.finding[name] for name in ("est", "lo", "hi")]
    text = json.dumps(document)
    assert not [figure for figure in hidden if f"{figure:.6g}" in text]
    money = {f"£{abs(figure):,.0f}" for figure in hidden[:4]} | {f"£{round(hidden[1], -2):,.0f}"}
    for name, page in pages(document).items():
        assert not [said for said in money if said in page], name
        assert "already includes no change" not in page, name


def test_a_verdict_about_people_has_its_figures_to_three_figures():
    study = read_study(FUND.parent / "falls_checks/study.toml", judge=judge)
    full = evaluate(study)
    told = release(full).decision
    assert told["value"] == float(f"{full.decision['value']:.3g}") != full.decision["value"]
    assert told["verdict"] == full.decision["verdict"]
