"""A small sample of each family of cells, a wrong method that is seen to fail, and the sums of the board.

``make calibrate`` runs the whole. Limits here are wide: they are there to catch a break, not to measure.
"""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.calibration import beside, did, examples, its, matched, trials
from benchmarks.calibration.board import Cell, Method, Target, processes, read_draws, summarise
from benchmarks.calibration.headlines import headline
from benchmarks.calibration.panels import Pilots, stated_effect
from benchmarks.calibration.writer import page
from ucimpact.errors import DesignError
from ucimpact.methods import METHODS

FAMILIES = {f.name: f for part in (did, its, beside, examples, matched, trials) for f in part.FAMILIES}


def cell_of(family, name):
    """A cell with our methods alone: tests need no peer."""
    cell = next(cell for cell in FAMILIES[family].cells if cell.name == name)
    return dataclasses.replace(cell, methods=tuple(m for m in cell.methods if m.ours))


def share(found, measure, term=None):
    part = found if term is None else found[found["term"] == term]
    return part[measure].dropna().astype(float).mean()


# -- the sums ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Numbers:
    """A draw that is its own seed."""

    def draw(self, seed):
        return seed


def read_seed(seed):
    yield {"term": "x", "coverage": seed % 4 > 0, "bias": float(seed), "std_error": 2.0, "reason": "odd"}


def read_refusing(seed):
    if seed % 2:
        raise DesignError("too few places. Bring more")
    yield {"term": "x", "refused": False, "false positives": 0.0}


def read_falling(seed):
    raise ZeroDivisionError("a peer's fault")


def numbers(*methods, draws=8, targets=()):
    return Cell(name="numbers", process=Numbers(), methods=methods, draws=draws, targets=targets)


def test_measures_and_their_monte_carlo_errors_by_hand():
    target = Target(measure="coverage", low=0.8)
    cell = numbers(Method(name="seed", read=read_seed), targets=(target,))
    table = summarise(cell, read_draws(cell, 8)).set_index("measure")
    assert table.loc["coverage", "value"] == 6 / 8
    assert table.loc["coverage", "mc_error"] == pytest.approx(math.sqrt(0.75 * 0.25 / 8))
    assert table.loc["bias", "value"] == 4.5
    assert table.loc["bias", "mc_error"] == pytest.approx(np.std(np.arange(8), ddof=1) / math.sqrt(8))
    assert table.loc["bias in SE", "value"] == pytest.approx(2.25)
    assert table.loc["SE over SD", "value"] == pytest.approx(2 / np.std(np.arange(8), ddof=1))
    assert table.loc["coverage", "ok"] == "NO"
    assert table.loc["reason", "text"] == "odd"


def test_a_refusal_is_counted_with_its_reason_and_is_no_false_positive():
    cell = numbers(Method(name="refusing", read=read_refusing))
    table = summarise(cell, read_draws(cell, 8)).set_index("measure")
    assert table.loc["refused", "value"] == 0.5
    assert table.loc["false positives", "draws"] == 4
    assert table.loc["reason", "text"] == "too few places. Bring more"


def test_a_peer_that_falls_over_is_a_finding_and_ours_stops_the_run():
    peer = Method(name="peer", read=read_falling, package="numpy")
    found = read_draws(numbers(peer), 3)
    assert found["refused"].all()
    assert found["reason"].str.contains("ZeroDivisionError").all()
    with pytest.raises(ZeroDivisionError):
        read_draws(numbers(Method(name="ours", read=read_falling)), 3)


def test_a_peer_that_is_not_installed_is_left_out():
    absent = Method(name="absent", read=read_falling, package="no_such_package_anywhere")
    found = read_draws(numbers(Method(name="seed", read=read_seed), absent), 3)
    assert set(found["method"]) == {"seed"}


def test_a_slow_method_reads_the_first_draws():
    found = read_draws(numbers(Method(name="seed", read=read_seed, most=3)), 8)
    assert list(found["draw"]) == [1, 2, 3]


def test_draws_do_not_depend_on_the_number_of_processes():
    cell = cell_of("did", "3 of 12, equal lists")
    with processes(2) as pool:
        many = read_draws(cell, 6, pool, 2)
    pd.testing.assert_frame_equal(many.drop(columns="cpu"), read_draws(cell, 6).drop(columns="cpu"))


def test_one_draw_feeds_every_method():
    drawn = Pilots(units=12, pilots=2).draw(2)
    assert drawn.panels is drawn.panels
    again = Pilots(units=12, pilots=2).draw(2)
    pd.testing.assert_frame_equal(drawn.planted, again.planted)
    change = drawn.planted["y"] - drawn.without["y"]
    np.testing.assert_allclose(change, drawn.truth["att"] * drawn.without["running"], atol=1e-12)


def test_the_page_names_what_missed_and_why_a_cell_was_refused():
    target = Target(measure="coverage", low=0.8)
    methods = (Method(name="seed", read=read_seed), Method(name="refusing", read=read_refusing))
    cell = numbers(*methods, targets=(target,))
    table = summarise(cell, read_draws(cell, 8))
    table.insert(0, "cell", cell.name)
    table.insert(0, "family", "its")
    table["date"] = "2026-01-02"
    family = dataclasses.replace(FAMILIES["its"], cells=(cell,), layout="by method")
    note = {"date": "2026-01-02", "python": "3.11", "versions": {"ucimpact": "0"}}
    text = page([family], table, {"its": note})
    assert "**Missed, 1 of 1 targets**" in text
    assert "- refusing: too few places. Bring more In: numbers (50%)." in text
    assert "| numbers | **75.0 (15.3)** / – |" in text
    assert "2026-01-02" in text


# -- difference-in-differences -----------------------------------------------------------------


def collapsed_cr1(drawn):
    """What a lone pilot must never get: one number a unit and a cluster-robust t."""
    table = drawn.without
    change = table.pivot_table(index=["unit", "start"], columns=table["period"] >= 13, values="y")
    change = (change[True] - change[False]).reset_index("start")
    pilot, other = change[change["start"] > 0][0], change[change["start"] == 0][0]
    n1, n0 = len(pilot), len(other)
    squares = ((pilot - pilot.mean()) ** 2).sum() / n1**2 + ((other - other.mean()) ** 2).sum() / n0**2
    factor = (n1 + n0) / (n1 + n0 - 1)
    t = (pilot.mean() - other.mean()) / math.sqrt(factor * squares)
    p = 2 * stats.t.sf(abs(t), n1 + n0 - 1)
    yield {"term": "att", "refused": False, "false positives": float(p < 0.05)}


def test_the_usual_errors_with_a_lone_pilot_are_seen_to_fail():
    wrong = Method(name="CR1", read=collapsed_cr1)
    cell = dataclasses.replace(cell_of("did", "1 of 30, equal lists"), methods=(wrong,))
    table = summarise(cell, read_draws(cell, 60)).set_index("measure")
    assert table.loc["false positives", "value"] > 0.5
    assert table.loc["false positives", "ok"] == "NO"


FITTED = ("did", "callaway-santanna", "imputation", "sun-abraham", "count-did")
SAMPLED = [
    ("did", "1 of 30, equal lists"),
    ("did", "2 of 12, unequal lists, pilot in the smallest"),
    ("did", "6 of 30, unequal lists, pilot in random units"),
    ("did", "1 of 40, unequal lists (300 to 6,000)"),
    ("did-counts", "6 of 30, unequal lists, pilot in the largest"),
    ("did-staggered", "2 of 12, equal lists"),
    ("did-staggered-counts", "1 of 30, unequal lists, pilot in random units"),
]


@pytest.mark.parametrize(("family", "name"), SAMPLED)
def test_nothing_is_seldom_called_something(family, name):
    cell = cell_of(family, name)
    if not cell.methods:
        pytest.skip(f"no method of this version reads {family}")
    found = read_draws(cell, 40)
    for _, part in found.groupby(["method", "term"]):
        assert part["false positives"].sum() <= 7  # of 40 at 5%: more than 7 happens once in 1,000
        known = part["coverage"].count()
        assert known - part["coverage"].sum() <= stats.binom.ppf(0.999, known, 0.06)


def test_ten_of_twelve_are_refused_and_told_why():
    for family in ("did", "did-counts", "did-staggered", "did-staggered-counts"):
        cell = cell_of(family, "10 of 12, equal lists")
        if cell.methods:
            found = read_draws(cell, 2)
            assert found["refused"].all()
            assert found["reason"].str.len().min() > 20


@pytest.mark.parametrize("family", [family for family in FAMILIES if family.startswith("did")])
def test_every_cell_can_be_read(family):
    for cell in FAMILIES[family].cells:
        ours = cell_of(family, cell.name)
        if ours.methods:
            found = read_draws(ours, 1)
            assert set(found["method"]) == {method.name for method in ours.methods}


@pytest.mark.parametrize("name", [n for n in METHODS if n in FITTED])
@pytest.mark.parametrize("pilots", [1, 3])
def test_the_headline_is_that_of_the_whole_fit(name, pilots):
    outcome, staggered = ("counts", True) if name == "count-did" else ("gaussian", name != "did")
    panel = Pilots(units=12, pilots=pilots, staggered=staggered, outcome=outcome).draw(3).panels[0]
    method = METHODS[name](outcome="events" if outcome == "counts" else "y")
    brief, whole = headline(method, panel), method.fit(panel)
    for term in ("rate_ratio", "cumulative") if outcome == "counts" else ("att",):
        for column in ("estimate", "p_value", "conf_low", "conf_high"):
            assert brief.effect(term)[column] == pytest.approx(whole.effect(term)[column], rel=1e-7)
    assert brief.extras["rule"]["procedure"] == whole.extras["rule"]["procedure"]


@pytest.mark.parametrize("staggered", [False, True])
def test_the_stated_effect_is_the_one_a_pooled_t_finds_half_the_time(staggered):
    process, estimates = Pilots(units=30, pilots=3, staggered=staggered), []
    for seed in range(1, 401):
        table = process.draw(seed).without
        y = table["y"].to_numpy().reshape(30, 24)
        start = table["start"].to_numpy().reshape(30, 24)[:, 0]
        gaps = []
        for first in start[start > 0]:
            change = y[:, first - 1 :].mean(axis=1) - y[:, : first - 1].mean(axis=1)
            gaps.append((change[start == first].mean(), change[start == 0].mean()))
        estimates.append(np.subtract(*np.mean(gaps, axis=0)))
    assert 1.96 * np.std(estimates) == pytest.approx(stated_effect(30, process.starts), rel=0.1)


def test_counts_are_as_spread_as_they_say():
    drawn = [Pilots(units=12, pilots=2, outcome="counts").draw(seed) for seed in range(1, 61)]
    assert np.mean([d.truth["ratio"] for d in drawn]) == 0.75
    fell = [
        d.planted.loc[d.planted["running"] > 0, "events"].sum()
        / d.without.loc[d.without["running"] > 0, "events"].sum()
        for d in drawn
    ]
    assert np.mean(fell) == pytest.approx(0.75, abs=0.01)


# -- the other families ------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(examples.DESIGNS))
def test_intervals_of_an_example_hold_the_planted_truth(name):
    found = read_draws(cell_of("examples", name), 30)
    assert share(found, "coverage", "headline") >= 0.83  # of 30 at 95%: fewer than 25 happens once in 300
    assert share(found, "coverage", "relative") >= 0.83


def test_the_matched_interval_holds_the_effect_on_those_matched():
    found = read_draws(cell_of("matched", "one discharge a person"), 12)
    first = found[found["term"] == found["term"].iloc[0]]
    assert first["coverage"].sum() >= 9  # of 12 at 95%: fewer than 9 happens once in 400
    assert abs(first["bias"].mean() / first["std_error"].mean()) < 0.9  # 12 draws: three sd of their mean


@pytest.mark.parametrize(
    ("name", "fall", "draws"), [("one discharge a person", 1, 12), ("befriending", 0.5, 20)]
)
def test_a_fall_is_put_down_to_picking_people_at_their_worst(name, fall, draws):
    found = read_draws(cell_of("before-after", name), draws)
    assert found["share"].mean() > 0.85  # nearly all of the fall is there without the service
    assert (found["fall"] > fall).all()
    if name == "befriending":
        assert found["coverage"].sum() >= 16


@pytest.mark.parametrize(("months", "rho"), [(24, 0.3), (48, 0.6)])
def test_intervals_of_a_short_series_hold_the_planted_truth(months, rho):
    found = read_draws(cell_of("its", f"{months} months, AR(1) {rho}"), 40)
    held = found.groupby("term")["coverage"].mean()
    assert held[["level_change", "cumulative"]].min() >= 0.85


def test_the_earlier_effect_is_the_one_a_pooled_t_finds_half_the_time():
    process, found = did.EarlierPanel(units=40, pilots=6, lists="equal"), []
    for seed in range(1, 401):
        table = process.draw(seed).planted
        y, start = (table[column].to_numpy().reshape(40, 24) for column in ("y", "start"))
        change = y[:, 12:].mean(axis=1) - y[:, :12].mean(axis=1)
        pilot, other = change[start[:, 0] > 0], change[start[:, 0] == 0]
        pooled = np.sqrt((pilot.var(ddof=1) * 5 + other.var(ddof=1) * 33) / 38 * (1 / 6 + 1 / 34))
        found.append(abs(pilot.mean() - other.mean()) > 1.96 * pooled)
    assert np.mean(found) == pytest.approx(0.5, abs=0.07)


def test_every_cell_has_a_name_of_its_own():
    for family in FAMILIES.values():
        names = [cell.name for cell in family.cells]
        assert len(names) == len(set(names))


# -- people with histories ---------------------------------------------------------------------


def test_sequential_trials_hold_the_truth_where_familiar_answers_are_far_off():
    cell = FAMILIES["trials"].cells[0]
    told = ("before/after", "visited v unvisited, adjusted", "never-visited people, adjusted")
    methods = tuple(m for m in cell.methods if m.name in (*told, "odds weights", "1:3 match") or m.asked)
    found = read_draws(dataclasses.replace(cell, methods=methods), 6)
    at = found[found["term"] == "90 days"].groupby("method")["log ratio"].mean()
    assert at["before/after"] < -1.2
    assert at["visited v unvisited, adjusted"] < -0.05
    assert at["never-visited people, adjusted"] > 0.2
    own = found[found["method"].isin(["odds weights", "1:3 match"]) & (found["term"] == "90 days")]
    assert own["coverage"].mean() >= 0.7  # of 12 at 95%: fewer than 9 happens once in 400
    assert abs(own["bias"].mean()) < 0.11  # 6 draws of SE 0.088: three of their mean is 0.108
    assert found.loc[found["term"] == "pooled control", "false positives"].sum() <= 3


def test_hidden_choosing_is_flagged_and_never_said_to_hold():
    found = read_draws(cell_of("trials", "hidden +0.6"), 4)
    assert found.loc[found["method"] == "odds weights", "log ratio"].mean() > 0.2
    flagged = found[found["term"] == "pooled control"]
    assert flagged["power"].mean() >= 0.5
    assert flagged["warned"].mean() >= 0.5


def test_the_planted_ratio_of_a_row_is_that_of_its_question():
    planted = trials.planted.__wrapped__
    trials.LIVES, lives = range(10_001, 10_003), trials.LIVES
    try:
        ratios = np.exp(list(planted(trials.ServiceHistories(ratio=0.85, people=2500), 90).values()))
    finally:
        trials.LIVES = lives
    assert ratios == pytest.approx([0.89, 0.875, 0.865], abs=0.025)
    assert ratios[0] > ratios[1] > ratios[2]
