"""Funds of several pilots: what is made, what is scored, by hand and in a small sample of the board."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration import league
from benchmarks.calibration.board import Target, read_draws, summarise
from benchmarks.calibration.funds import Fund, Funds
from benchmarks.calibration.writer import LAYOUTS
from ucimpact.decision.funding import Rule
from ucimpact.decision.information import Stakes

(FAMILY,) = league.FAMILIES


def by_hand(measured, *, truth=None, std_error=0.001, price=95.0, budget=1e9) -> Fund:
    y = np.asarray(measured, dtype=float)
    k = len(y)
    stakes = Stakes(value=np.full(k, 1200.0), price=np.full(k, price), people=np.full(k, 1000.0))
    true = y if truth is None else np.asarray(truth, dtype=float)
    return Fund(1, true, y, np.eye(k) * std_error**2, stakes, budget)


def record(read, fund: Fund, term: str = league.MONEY) -> dict:
    return next(found for found in read(fund) if found["term"] == term)


def test_a_seed_makes_the_same_fund_and_every_truth_has_its_sizes_and_prices():
    two, null = Funds(truth="two").draw(3), Funds(truth="null").draw(3)
    assert (Funds(truth="two").draw(3).measured == two.measured).all()
    assert (two.stakes.price == null.stakes.price).all()
    assert two.measured - null.measured == pytest.approx(two.truth)
    assert two.truth.tolist() == [0.15, 0.15, 0, 0, 0, 0, 0]
    made = [Funds(truth="re10").draw(seed) for seed in range(300)]
    errors = np.concatenate([(f.measured - f.truth) / f.std_error for f in made])
    assert errors.std() == pytest.approx(1, abs=0.05)
    assert np.std([f.truth for f in made]) == pytest.approx(0.10, abs=0.01)
    assert np.mean([f.stakes.cost.sum() for f in made]) == pytest.approx(585_000, rel=0.02)


@pytest.mark.parametrize("sharing", ["half", "one arm"])
def test_errors_are_shared_as_the_covariance_says(sharing):
    made = [Funds(truth="null", sharing=sharing).draw(seed) for seed in range(1500)]
    shared = np.mean([(f.measured[0] * f.measured[1]) for f in made])
    assert shared == pytest.approx(np.mean([f.cov[0, 1] for f in made]), rel=0.2)
    again = np.mean([np.prod(f.second_year(np.array([0, 1]))) for f in made])
    assert again == pytest.approx(shared, rel=0.3)
    assert np.mean([f.measured[0] * f.second_year(np.array([0]))[0] for f in made]) == pytest.approx(
        0, abs=1e-3
    )


def test_the_one_that_looks_best_is_scored_in_points():
    found = record(league.as_measured, by_hand([0.1, 0.3], truth=[0.1, 0.2], std_error=0.1), league.LEADER)
    assert found["bias"] == pytest.approx(10)
    assert found["width"] == pytest.approx(2 * 19.6, abs=0.01)
    assert found["coverage"]
    assert not record(
        league.as_measured, by_hand([0.1, 0.3], truth=[0.1, 0.0], std_error=0.1), league.LEADER
    )["coverage"]


def test_places_have_to_hold_every_tie():
    tied = by_hand([0.3, 0.2, 0.1], truth=[0.2, 0.2, 0.1])
    assert not record(league.in_order, tied, league.PLACES)["coverage"]
    assert record(league.in_order, replace(tied, truth=tied.measured), league.PLACES)["coverage"]
    found = record(league.apart, replace(tied, cov=np.eye(3)), league.PLACES)
    assert (found["coverage"], found["places"], found["could be first"]) == (True, 3, 3)
    assert record(league.places, replace(tied, truth=tied.measured), league.PLACES)["places"] == 1


def test_the_chance_of_being_best_is_shared_among_those_that_tie():
    fund = by_hand([0.3, 0.2, 0.1], truth=[0.2, 0.2, 0.1])
    assert league.posterior_chance(fund)["true"] == 0.5
    assert league.drawn_again(fund)["said"] == 1
    assert league.drawn_again(replace(fund, truth=np.array([0, 0, 1.0])))["true"] == 0


def test_money_that_goes_for_good():
    fund = by_hand([0.3, 0.02], truth=[0.05, 0.2])
    net = 5 * fund.stakes.net(fund.truth) / 1000
    found = record(lambda f: league.by_winner(f, net=False), fund)
    assert found["value"] == pytest.approx(net[0])
    assert found["loses"]
    assert found["claimed"] == pytest.approx(5 * fund.stakes.net(fund.measured)[0] / 1000)
    assert record(league.knowing, fund)["over the winner"] == pytest.approx(net[1] - net[0])


def test_the_rule_makes_a_sure_thing_mainstream_for_every_year():
    fund = by_hand([0.25, 0.0], std_error=0.005)
    found = record(league.by_rule, fund)
    assert found["value"] == pytest.approx(5 * fund.stakes.net(fund.truth)[0] / 1000)
    best = [r for r in league.by_rule(fund) if r["term"] == league.BEST_SET]
    assert [(r["said"], r["true"]) for r in best] == [(1, True)]


@pytest.mark.parametrize(("truth", "years"), [(-2.0, 1), (2.0, 5)])
def test_what_is_extended_is_stopped_or_kept_on_its_second_year(truth, years):
    fund = by_hand([0.22], truth=[truth], std_error=0.15)
    found = record(league.by_rule, fund)
    assert found["value"] == pytest.approx((years * fund.stakes.net(fund.truth)[0] - 6000) / 1000)
    barred = record(lambda f: league.by_rule(f, Rule(floor=1.0)), fund)
    assert barred["value"] == 0


def test_sharing_that_is_not_said_is_reckoned_as_none():
    fund = Funds(truth="two", sharing="half").draw(2)
    blind = record(league.unshared, fund)
    said = record(league.by_rule, replace(fund, assumed=np.diag(np.diag(fund.cov))))
    assert blind == said


def test_a_small_sample_of_the_board_shows_what_the_board_shows():
    cell = replace(FAMILY.cells[2], draws=60)
    assert cell.name == "effects differ by 10%"
    table = summarise(cell, read_draws(cell, 60)).set_index(["method", "term", "measure"])
    value = table["value"]
    assert value["shrunken", league.LEADER, "bias"] < 6 < 10 < value["as measured", league.LEADER, "bias"]
    assert value["shrunken", league.LEADER, "width"] < 40 < value["hybrid", league.LEADER, "width"]
    assert value["hybrid", league.LEADER, "coverage"] >= 0.85
    assert value["rank sets", league.PLACES, "coverage"] >= 0.9
    assert value["in order of results", league.PLACES, "coverage"] < 0.1
    said, true = (value["results drawn again", league.FIRST, which] for which in ("said", "true"))
    assert said > true
    assert value["best set as measured", league.MONEY, "claimed"] > 500
    assert value["truth known", league.MONEY, "value"] > value["the rule", league.MONEY, "value"]
    assert set(table.index[table["ok"] != ""].get_level_values("method")) == {
        "shrunken", "hybrid", "rank sets", "the rule",
    }  # fmt: skip


def test_a_bound_of_a_share_may_be_passed_by_the_error_it_has_there():
    target = Target(measure="coverage", low=0.93, high=0.99, beyond=2)
    assert target.met(1.0, 0.0, draws=60)  # two errors of 99% in 60 draws are 2.6%
    assert not target.met(1.0, 0.0, draws=1000)
    assert not target.met(0.90, 0.01, draws=1000)
    assert not Target(measure="coverage", low=0.93).met(0.929, 0.05, draws=10)
    money = Target(measure="value", low=10.0, beyond=2)
    assert money.met(8.1, 1.0, draws=100)
    assert not money.met(7.9, 1.0, draws=100)
    assert not Target(measure="bias", methods=("ours",)).asks("a", "bias", "theirs")


def test_the_page_has_a_table_a_question_with_methods_side_by_side():
    cell = replace(
        FAMILY.cells[0], methods=tuple(m for m in league.METHODS if m.name in ("shrunken", "places"))
    )
    rows = pd.DataFrame(
        [
            {"method": m, "term": "places", "measure": what, "value": v, "mc_error": 0.01, "ok": ok}
            for m, ok in (("ours", "NO"), ("theirs", ""))
            for what, v in (("coverage", 0.9), ("places", 46.04))
        ]
    ).assign(cell=cell.name, package="", draws=10, text="")
    head, table = LAYOUTS["by question"](replace(FAMILY, cells=(cell,)), rows)
    assert head.startswith("Places (coverage, % / places):")
    assert "| none works | **90.0 (1.0)** / **46 (0)** | 90.0 (1.0) / 46 (0) |" in table
