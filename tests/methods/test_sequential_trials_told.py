"""What an estimate of sequential trials carries: balance, flow, other ways, naive answers and immortal time."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ucimpact import serialise
from ucimpact.data.histories import Histories
from ucimpact.data.simulate_histories import ServiceHistories
from ucimpact.inference import balance
from ucimpact.methods.sequential_trials import Measured, SequentialTrials
from ucimpact.methods.sequential_trials_naive import naive
from ucimpact.study.declare import Counted

STAY = "emergency admission"
PLAN = {
    "outcome": "Emergency admissions",
    "counted": Counted(event=STAY, days=(0, 90)),
    "trigger": STAY,
    "covariates": ("Age", "Long-term conditions", "Lives alone"),
    "measured": (
        *(Measured(event=STAY, days=days, at="trigger") for days in ((-30, 0), (-90, -30), (-365, -90))),
        Measured(event="contact", days=(-7, 0)),
    ),
}
CONTROLS = {
    "deaths": (Counted(event="death", days=(0, 90)), "deaths"),
    "injuries": (Counted(event="injury", days=(0, 90)), "after"),
    "injuries before": (Counted(event="injury", days=(-365, 0)), "before"),
    "old admissions": (Counted(event=STAY, days=(-730, -366)), "before"),
    "nurse visits before": (Counted(event="nurse visit", days=(-180, 0)), "before"),
}


def histories(seed: int, **fields) -> Histories:
    draw = ServiceHistories(**fields).draw(seed)
    roles = {"person": "Person", "service_start": "First visit", "date": "Date", "kind": "Kind"}
    roles |= {"end": "Discharged", "died": "Died", "left": "Left", "registered": "Registered"}
    return Histories(draw.table, draw.events, cluster="Practice", **roles)


def method(**fields) -> SequentialTrials:
    return SequentialTrials(**{**PLAN, **fields})


@pytest.fixture(scope="module")
def made() -> Histories:
    return histories(1)


@pytest.fixture(scope="module")
def estimate(made):
    return method(subgroups=("Sex",)).fit(made)


def test_every_key_of_the_report_is_plain(estimate):
    told = serialise.plain(estimate.extras)
    json.dumps(told, allow_nan=False)
    keys = {"balance", "balance_by_site", "overlap", "trajectory", "incidence", "cumulative_count", "flow"}
    assert keys | {"weights", "lost", "subgroups", "trials", "audit", "max_smd"} <= set(told)
    trials = told["trials"]
    assert trials["placed"] == sum(row["n"] for row in trials["delays"])
    assert trials["mean_delay"] == pytest.approx(2.3, abs=0.3)
    assert 0.1 < trials["later_share"] < 0.3
    assert "not having it that day and perhaps later" in trials["question"]
    assert trials["estimand"] == "usual-care"


def test_everybody_in_the_flow_is_accounted_for(estimate):
    steps = estimate.extras["flow"]
    discharges = steps[0]["n"]
    at = next(k for k, step in enumerate(steps) if step["text"] == "discharges in the trials")
    assert discharges - sum(step["n"] for step in steps[1:at]) == steps[at]["n"]
    later = steps[at + 1 :]
    began = next(step["n"] for step in later if step["text"].startswith("people who began the service on"))
    ends = [step["n"] for step in later if step["kind"] == "end"]
    assert ends[0] == estimate.counts["matched_pilot"] == began - estimate.extras["lost"]["n"]
    assert ends[1] == estimate.counts["matched_comparison"]


def test_balance_is_told_in_numbers_and_not_in_logarithms(made, estimate):
    emulation = method().emulation(made)
    rows = emulation.rows
    contacts = made.measure("contact", rows.person, rows.day, -7, 0)
    found = next(row for row in estimate.extras["balance"] if row["name"] == "contact, last 7 days")
    assert found["pilot"] == pytest.approx(contacts[rows.treated].mean())
    weight = np.where(rows.treated, 0, emulation.weight)
    assert found["comparison"] == pytest.approx(weight @ contacts / weight.sum())
    assert estimate.extras["max_smd"] == balance.max_smd(emulation.balance("weights")[1]) < 0.1
    assert {row["strong"] for row in estimate.extras["balance"]} == {True, False}


def test_the_last_month_before_is_that_of_the_records(made, estimate):
    rows = method().emulation(made).rows
    counts = made.measure(STAY, rows.person[rows.treated], rows.day[rows.treated], -30, 0)
    last = estimate.extras["trajectory"]["rows"][-1]
    assert last["month"] == -1 and last["pilot"] == pytest.approx(100 * counts.mean())
    assert len(estimate.extras["trajectory"]["rows"]) == 12


def test_first_events_and_their_number_by_hand(made, estimate):
    rows = method().emulation(made).rows
    person, day = rows.person[rows.treated], rows.day[rows.treated]
    whole = made.at_risk(person, day, 90) == 90
    assert whole.mean() > 0.9
    drawn = estimate.extras["incidence"]
    assert drawn["horizon"] == 30 and len(drawn["rows"]) == 30
    by_30 = made.measure(STAY, person, day, 0, 30) > 0
    assert drawn["rows"][-1]["pilot"] == pytest.approx(by_30.mean(), abs=0.01)
    many = estimate.extras["cumulative_count"]["rows"]
    assert many[-1]["day"] == 90
    assert many[-1]["pilot"] == pytest.approx(100 * made.measure(STAY, person, day, 0, 90).mean(), rel=0.05)


def test_the_other_of_weights_and_matching_comes_first(made, estimate):
    other = method(by="matching").fit(made, pictures=False).effect("rate_ratio")
    first = estimate.extras["trials"]["alternatives"][0]
    assert (first["ratio"], first["low"], first["high"]) == pytest.approx(
        (other["estimate"], other["conf_low"], other["conf_high"])
    )
    assert estimate.extras["trials"]["agree"] is True
    labels = [row["label"] for row in estimate.extras["trials"]["alternatives"]]
    assert labels[0] == "The 3 nearest of the same day" and "Over 30 days" in labels
    assert "Against no service after this stay" in labels


def test_an_estimate_without_pictures_has_the_same_numbers(made, estimate):
    bare = method().fit(made, pictures=False)
    np.testing.assert_array_equal(bare.effects["estimate"], estimate.effects["estimate"])
    assert "trials" not in bare.extras and "trajectory" not in bare.extras


def test_naive_answers_are_wrong_as_they_are_known_to_be():
    """A service that does nothing: before and after falls, from discharge falls, beside the never served rises."""
    logs: dict[str, list[float]] = {}
    for seed in range(20, 22):
        made = histories(seed)
        rows, ratio = naive(method().emulation(made), method().counting)
        for row in rows:
            logs.setdefault(row["name"], []).append(np.log(row["ratio"]))
        logs.setdefault("immortal", []).append(np.log(ratio))
        logs.setdefault("trials", []).append(
            np.log(method().fit(made, pictures=False).effect("rate_ratio")["estimate"])
        )
    mean = {name: float(np.exp(np.mean(values))) for name, values in logs.items()}
    assert mean["before-after"] < 0.4
    assert 0.75 < mean["visited-unvisited-adjusted"] < 0.92
    assert mean["never-served"] > 1.2
    assert mean["static"] < 0.95
    assert 0.9 < mean["trials"] < 1.1
    artefact = mean["visited-unvisited-adjusted"] / mean["trials"]
    assert mean["immortal"] == pytest.approx(artefact, abs=0.05)


def test_a_longer_wait_is_a_larger_artefact():
    ratios = []
    for delay in (1.1, 6.0):
        made = histories(3, delay=delay, people=2500)
        ratios.append(naive(method().emulation(made), method().counting)[1])
    assert ratios[1] < ratios[0] - 0.05 < 0.95


def test_controls_hold_in_a_clean_cohort_and_speak_of_what_was_matched(made):
    found = method().controls(
        made, {**CONTROLS, "matched on": (Counted(event="contact", days=(-7, 0)), "before")}
    )
    why = {row["column"]: row["why"] for row in found.rows}
    assert "so it shows nothing" in why.pop("matched on")
    assert set(why.values()) == {None}
    assert len(found.controls) == 5 and abs(found.pooled.z) < 2.58
    by_hand = {row["column"]: row for row in found.rows}["old admissions"]
    emulation = method().emulation(made)
    rows, weight = emulation.rows, emulation.weight
    y = made.measure(STAY, rows.person, rows.known, -730, -366)
    seen = rows.known - 729 >= np.fmax(made.enter, made.first_day)[rows.person]
    assert seen.mean() > 0.9
    kept = np.zeros(len(weight))
    kept[seen] = emulation.rescaled(np.flatnonzero(seen), weight[seen])
    one, none = (np.sum(kept[arm] * y[arm]) / kept[arm].sum() for arm in (rows.treated, ~rows.treated))
    assert by_hand["ratio"] == pytest.approx(one / none, rel=1e-7)


def test_controls_see_a_hidden_cause():
    """Hidden choosing of the size that moves the answer by a third: never clean, in either of two cohorts."""
    for seed in range(2):
        assert abs(method().controls(histories(seed, hidden=0.6), CONTROLS).pooled.z) > 1.64


def test_a_control_that_is_not_what_it_says_is_told(made):
    odd = {
        "after": (Counted(event=STAY, days=(-30, 0)), "after"),
        "before": (Counted(event=STAY, days=(-30, 30)), "before"),
        "nothing": (Counted(event="unicorns", days=(0, 30)), "after"),
    }
    found = method().controls(made, odd)
    assert found.pooled is None and all(row["why"] for row in found.rows)


def test_trials_as_people_for_whoever_reads_a_cohort(made):
    trials = method().trials(made)
    cohort = trials.cohort
    assert cohort.is_pilot.sum() == len(method().emulation(made).sets.treated)
    assert len(trials.cohort_person) == len(cohort.table) == len(trials.cohort_day)
    assert cohort.horizon == 90 and (cohort.delay == 0).all()
    np.testing.assert_array_equal(cohort.days, made.at_risk(trials.cohort_person, trials.cohort_day, 90))
    assert np.isfinite(cohort.values("Age")).all()


def test_costs_and_any_and_bed_days(made):
    cost = method(outcome="Cost", counted=Counted(event=STAY, days=(0, 90), value="Cost"), family="gaussian")
    estimate = cost.fit(made, pictures=False)
    emulation = cost.emulation(made)
    assert set(estimate.effects["term"]) >= {"att", "cumulative", "mean_difference"}
    assert estimate.counts["matched_pilot"] <= emulation.rows.treated.sum()
    nights = method(outcome="Nights", counted=Counted(event=STAY, days=(0, 90), value="bed days")).fit(
        made, pictures=False
    )
    assert np.isfinite(nights.effect("rate_ratio")["estimate"])
    once = method(outcome="Any", counted=Counted(event=STAY, days=(0, 30), any=True))
    assert once.fit(made, pictures=False).extras["observed"] < 1
    stay = method(outcome="Any", counted=Counted(event=STAY, days=(0, 30), any=True), question="this-stay")
    assert 0.5 < stay.fit(made, pictures=False).effect("rate_ratio")["estimate"] < 1.6


def test_the_example_of_the_page_runs():
    page = Path(__file__).parents[2] / "docs" / "methods" / "sequential_trials.md"
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        exec(block, names)
    assert np.isfinite(names["estimate"].headline["estimate"])


def test_what_nobody_had_before_is_drawn_by_what_people_had(made):
    died = method(outcome="Deaths", counted=Counted(event="death", days=(0, 90))).fit(made)
    assert died.extras["trajectory"]["event"] == STAY
    assert method().fit(made).extras["trajectory"]["event"] == STAY
    contacts = method(outcome="Contacts", counted=Counted(event="contact", days=(0, 90))).fit(made)
    assert contacts.extras["trajectory"]["event"] == "contact"
