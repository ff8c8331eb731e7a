"""From a study of people to a released document: the numbers of the finding, the checks, and what is hidden."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.test_study_people import STUDY, study_in
from ucimpact.disclosure import release, rounded_in
from ucimpact.disclosure.counts import nearest
from ucimpact.disclosure.people import _of_people
from ucimpact.errors import DesignError, DisclosureError, UsageError
from ucimpact.evaluation import Evaluation, evaluate
from ucimpact.words.never import breaks

HEAD = STUDY[: STUDY.index("[[outcome]]")]


def people(n: int = 2400, ratio: float = 0.7, seed: int = 3, served: float = 0.2) -> pd.DataFrame:
    """People picked on recorded things alone, whose later admissions the service multiplies by ``ratio``."""
    rng = np.random.default_rng(seed)
    age = rng.integers(65, 96, n)
    alone = rng.random(n) < 0.4
    rate = rng.gamma(2.0, 0.5, n) * np.exp(0.02 * (age - 80) + 0.3 * alone)
    before = 1 + rng.poisson(rate)
    chance = served * np.exp(0.03 * (age - 80) + 0.4 * alone) * (1 + 0.2 * (before > 2))
    supported = rng.random(n) < np.clip(chance, 0, 0.8)
    days = np.where(rng.random(n) < 0.06, rng.integers(5, 90, n), 90)
    admissions = rng.poisson(0.5 * rate * days / 90 * np.where(supported, ratio, 1.0))
    start = pd.Timestamp("2025-04-01") + pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    text = start.strftime("%d/%m/%y")
    return pd.DataFrame(
        {
            "client": [f"Anon{k:05d}" for k in range(n)],
            "supported": np.where(supported, "Yes", "No"),
            "discharged": text,
            "first_visit": np.where(supported, text, ""),
            "days": days,
            "admissions_before": before,
            "admissions": admissions,
            "injuries": rng.poisson(0.08, n),
            "falls": rng.poisson(0.1, n),
            "died": np.where(days < 90, "yes", "no"),
            "cost": np.round(admissions * rng.gamma(2, 1300, n), 2),
            "ward": rng.choice(["A", "B", "C"], n),
            "age": age,
            "alone": np.where(alone, "Y", "N"),
        }
    )


TEXT = f"""{HEAD}
[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"
before = "admissions_before"
primary = true
worthwhile = {{ per = -4, base = 100 }}
value = {{ cash = 0, capacity = "bed-day", capacity_per_event = 6, economic = 2711, marginal = 0.4 }}

[[outcome]]
column = "cost"
label = "Hospital cost"
kind = "cost"

[[outcome]]
column = "injuries"
label = "Injuries"
kind = "count"
negative_control = true

[[outcome]]
column = "falls"
label = "Falls"
kind = "count"
negative_control = true

[[outcome]]
column = "died"
label = "Deaths"
kind = "binary"
negative_control = "deaths"

[method]
name = "matched-cohort"
exact = ["ward"]
covariates = ["age", "alone", "admissions_before"]

[[sensitivity]]
name = "matched-cohort"
covariates = ["age", "alone", "admissions_before"]
ratio = 3
note = "Three to one"

[cost]
per_person = 210
people = 480
price_year = "2024/25"

[decision]
value_counted = "economic"
another_year_costs = 6000
"""

ALONE = (
    STUDY.replace('pilot = "supported"\n', "")
    .replace('service_start = "first_visit"\n', "")
    .replace("at_least = 1", "at_least = 1, at_event = true")
    .replace(
        'name = "matched-cohort"\nexact = ["ward"]\ncovariates = ["age", "alone"]', 'name = "before-after"'
    )
)


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory) -> Evaluation:
    return evaluate(study_in(tmp_path_factory.mktemp("people"), people(), TEXT))


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Evaluation:
    table = people(n=400, ratio=1.0, served=9.0)
    return evaluate(study_in(tmp_path_factory.mktemp("alone"), table, ALONE))


def test_the_finding_is_per_people_over_the_follow_up(evaluation):
    found = evaluation.finding
    assert (found["base"], found["when"]) == (100, ", over 90 days")
    assert found["est"] == pytest.approx(found["observed"] - found["expected"])
    head = evaluation.primary.estimate.headline
    assert found["est"] == pytest.approx(100 * head["estimate"])
    assert found["lo"] < found["est"] < found["hi"] < 0
    assert found["w"] == 4
    assert found["design"] == "comparison"


def test_every_declared_outcome_has_its_part(evaluation):
    roles = [(a.role, a.label) for a in evaluation.analyses]
    assert roles[0] == ("primary", "Main analysis")
    assert ("control", "Injuries") in roles and ("control", "Deaths") in roles
    assert ("outcome", "Hospital cost") in roles
    assert ("sensitivity", "Three to one") in roles
    assert roles[-1] == ("naive", "Before and after alone")
    assert not [a.label for a in evaluation.analyses if a.refused]


def test_the_key_checks_of_a_cohort_are_asked(evaluation):
    answers = {check.name: check.answer for check in evaluation.checks}
    assert answers["balance"] == "holds"
    assert answers["clock"] == "holds"
    assert answers["negative_controls"] in ("holds", "doubtful", "cannot tell")
    assert {"other_change", "same_coding", "unmeasured"} <= set(answers)


def test_no_lot_and_one_place_is_low_at_most(evaluation):
    assert evaluation.certainty["level"] in ("low", "very low")
    assert evaluation.certainty["steps"][0]["text"].startswith("people were not chosen by lot")


def test_before_and_after_claims_what_selection_gives(evaluation):
    naive = evaluation.finding["naive"]
    assert naive["after"] < naive["before"]
    assert naive["change"] == pytest.approx(naive["after"] / naive["before"] - 1)
    assert naive["from"] == "comparison people"


def test_alone_it_is_never_a_finding(alone):
    found, told = alone.finding, alone.finding["sentences"]
    assert found["design"] == "before-after"
    assert alone.certainty["level"] == "very low"
    assert told["headline"].startswith("It is very uncertain whether")
    assert not [text for text in alone.finding["can_say"] if breaks(text)]
    assert alone.decision["verdict"].startswith("Cannot say yet")
    assert [found[name] for name in ("est", "lo", "hi", "avoided", "expected")] == [None] * 5


def test_alone_most_of_the_fall_is_put_down_to_picking(alone):
    naive = alone.finding["naive"]
    assert naive["from"] == "gamma-Poisson"
    assert naive["share_low"] < 1.0 <= naive["share_high"] + 1e-9 or naive["less_than_selection"]


def test_a_released_document_gives_no_count_of_people_back(evaluation):
    document = release(evaluation).to_dict()
    text = json.dumps(document)
    assert "Anon" not in text
    for name, value in document["data"]["counts"].items():
        assert value is None or value % 5 == 0, name
    exact = evaluation.primary.estimate.counts
    shown = document["estimates"][0]
    assert shown["influence"] is None and not shown["sampling_units"]
    again = shown["extras"]["observed"] * evaluation.primary.estimate.extras["person_time"]
    assert round(again) % 5 == 0 or exact["events_pilot"] % 5 == 0


def test_a_handful_is_not_to_be_counted_from_the_balance_table(tmp_path):
    table = people(n=1500)
    table["rare"] = 0
    served = table.index[table["supported"] == "Yes"]
    table.loc[[*served[:3], *table.index[table["supported"] == "No"][:40]], "rare"] = 1
    text = TEXT.replace('covariates = ["age", "alone", "admissions_before"]', 'covariates = ["age", "rare"]')
    document = release(evaluate(study_in(tmp_path, table, text))).to_dict()
    rare = next(row for row in document["data"]["cohort"]["balance"] if row["name"] == "rare")
    assert rare["pilot"] is None
    assert rare["pilot_before"] is None


def test_the_effects_give_only_the_rounded_count_back(evaluation):
    """A Poisson model fits the pilot mean exactly, so att x ratio / (ratio - 1) x people is its number of events."""
    document = release(evaluation).to_dict()
    exact = [a.estimate.counts.get("events_pilot") for a in evaluation.analyses]
    assert any(n and n % 5 for n in exact)
    for entry, analysis in zip(document["estimates"], evaluation.analyses, strict=True):
        if not entry.get("effects") or analysis.kind not in ("count", "binary") or analysis.role == "naive":
            continue
        rows = {row["term"]: row for row in entry["effects"]}
        ratio = 1 + rows["relative"]["estimate"]
        held = analysis.estimate.effects.set_index("term")["std_error"]
        time = held["cumulative"] / held["att"]
        again = rows["att"]["estimate"] * ratio / (ratio - 1) * time
        shown = entry["counts"]["events_pilot"]
        assert again == pytest.approx(shown, rel=0.03 / abs(1 - ratio) + 0.01)
        assert rows["cumulative"]["std_error"] is None
        assert rows["att"]["estimate"] == float(f"{rows['att']['estimate']:.3g}")


def test_a_total_is_one_number_wherever_it_stands_and_says_whose_it_is(evaluation):
    released = release(evaluation)
    estimate, found = released.primary.estimate, released.finding
    assert estimate is not None and found["avoided"] is not None
    total = estimate.effect("cumulative")
    assert found["avoided"]["est"] == -total["estimate"]
    assert (found["avoided"]["lo"], found["avoided"]["hi"]) == (-total["conf_high"], -total["conf_low"])
    n, events = found["people_analysed"], found["avoided"]["est"]
    said = f"About {events:,.0f} emergency admissions may have been avoided among the {n:,.0f} analysed"
    assert found["sentences"]["avoided"].startswith(said)
    assert any(said in text for text in found["can_say"])
    row = released.valuation["outcomes"][0]
    assert row["economic"] == pytest.approx(-row["change"] * row["unit_cost"], abs=2.6 * row["unit_cost"])


def test_a_total_is_rounded_once_and_not_to_the_scale_of_a_rounded_count(evaluation):
    """The sentence and the pounds have it so: scaled too, one table would say 50 and the sentence 45."""
    estimate = evaluation.primary.estimate
    counts = {**estimate.counts, "events_pilot": 1.2 * estimate.counts["events_pilot"]}
    made, _, times = _of_people(estimate, {k: v for k, v in counts.items() if k != "left_out"})
    assert times == pytest.approx(1.2)
    total = made.effect("cumulative")["estimate"]
    assert total == nearest(estimate.effect("cumulative")["estimate"])
    assert made.effect("att")["estimate"] == pytest.approx(1.2 * estimate.effect("att")["estimate"], rel=0.01)


def test_an_outcome_with_a_handful_of_events_is_not_shown_at_all(tmp_path):
    table = people(n=900)
    table["falls"] = 0
    served = table.index[table["supported"] == "Yes"]
    table.loc[served[:40:10], "falls"] = 1
    table.loc[table.index[table["supported"] == "No"][:300:10], "falls"] = 1
    released = release(evaluate(study_in(tmp_path, table, TEXT)))
    falls = next(a for a in released.analyses if a.label == "Falls")
    assert falls.estimate is None
    assert falls.refused == "Too few people had it for figures to be shown."
    check = next(check for check in released.checks if check.name == "negative_controls")
    row = next(row for row in check.table if row["column"] == "falls")
    assert row["ratio"] is None
    assert "Falls: too few to be shown." in check.text


def test_the_document_reads_back(evaluation):
    document = release(evaluation).to_dict()
    assert Evaluation.from_dict(json.loads(json.dumps(document))).to_dict() == document


def test_a_handful_of_people_is_not_reported_on(tmp_path):
    table = people(n=1200)
    table["admissions"] += 1
    first = table.index[table["supported"] == "Yes"][:6]
    table = table[(table["supported"] == "No") | table.index.isin(first)]
    with pytest.raises(DisclosureError, match="Fewer than 8 people"):
        release(evaluate(study_in(tmp_path, table, TEXT)))


def test_a_service_that_begins_later_is_refused(tmp_path):
    table = people(n=600)
    late = (pd.to_datetime(table["discharged"], format="%d/%m/%y") + pd.Timedelta(days=5)).dt.strftime(
        "%d/%m/%y"
    )
    table["first_visit"] = np.where(table["supported"] == "Yes", late, "")
    with pytest.raises(DesignError, match="immortal"):
        evaluate(study_in(tmp_path, table, TEXT))


def test_before_and_after_needs_the_days_before(tmp_path):
    with pytest.raises(UsageError, match="before_days = 90"):
        evaluate(study_in(tmp_path, people(n=200), ALONE.replace("before_days = 180\n", "")))


def test_a_score_is_compared_as_it_stands(tmp_path):
    """Days before say nothing of a score: halving them must not halve the score before."""
    score = '[[outcome]]\ncolumn = "after"\nlabel = "Wellbeing"\nkind = "score"\nbetter = "higher"\nbefore = "start"\n'
    table = people(n=300).assign(start=20.0 + np.arange(300) % 5, after=22.0 + np.arange(300) % 7)
    told = evaluate(study_in(tmp_path, table, ALONE.replace("[method]", f"{score}\n[method]")))
    wellbeing = next(one for one in told.analyses if one.label == "Wellbeing").estimate
    assert wellbeing.extras["expected"] == pytest.approx(table["start"].mean())
    assert wellbeing.headline["estimate"] == pytest.approx((table["after"] - table["start"]).mean())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("131 of 702 people had no match", "about 130 of about 700 people had no match"),
        ("3 people were lost", "a few people were lost"),
        ("1,482 similar people", "about 1,480 similar people"),
        ("over 90 days", "over 90 days"),
        ("0 people", "0 people"),
        ("1.12 times the others", "1.12 times the others"),
        ("£1,250 people", "£1,250 people"),
    ],
)
def test_numbers_of_people_inside_sentences_are_rounded(text, said):
    assert rounded_in(text) == said
