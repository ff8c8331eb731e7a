"""A budget spent by hand, by trying everything, and by the program; the rule and what it lets through."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from ucimpact import words
from ucimpact.decision import funding
from ucimpact.decision.funding import Rule, by_raw, fund, keep, weigh
from ucimpact.decision.information import Stakes, chance, expected, normal, sample
from ucimpact.decision.portfolio import Option, affordable, best, best_set

NAMES = ("Westow", "Harle", "Saltby")


@pytest.fixture(autouse=True)
def few_programs(monkeypatch):
    monkeypatch.setattr("ucimpact.decision.portfolio.SOLVED", 50)


def option(name: str, cost: float, *draws: float, **more) -> Option:
    return Option(name=name, cost=cost, draws=np.array(draws), **more)


BY_HAND = (option("a", 60, 30, 50), option("b", 50, 20, 10), option("c", 45, 40, -20))


def random_options(seed: int, k: int, **more) -> list[Option]:
    rng = np.random.default_rng(seed)
    draws = rng.normal(rng.normal(5, 20, k), 30, (50, k))
    return [
        Option(name=str(i), cost=cost, draws=draws[:, i], **more)
        for i, cost in enumerate(rng.uniform(30, 160, k))
    ]


# -- a budget ----------------------------------------------------------------------------------


def test_by_hand():
    # Means 40, 15 and 10. Of 100 pounds: a alone leaves 40; b with c costs 95 and leaves 25.
    found = best(BY_HAND, 100)
    assert found.funded == ("a",)
    assert (found.cost, found.unspent, found.mean, found.chance) == (60, 40, 40, 1)
    # In the first draw b and c leave 60 against 30; in the second a leaves 50 against 10.
    assert found.in_best.tolist() == [0.5, 0.5, 0.5]
    assert found.solved == 2
    assert best(BY_HAND, 105).funded == ("a", "c")


def test_the_whole_budget_may_be_spent_and_no_more():
    assert best(BY_HAND, 0.1 + 0.2 + 154.7).funded == ("a", "b", "c")
    assert best(BY_HAND, 154.99).cost < 155
    nothing = best(BY_HAND, 40)
    assert nothing.funded == ()
    assert (nothing.cost, nothing.unspent, nothing.mean, nothing.chance) == (0, 40, 0, 0)


def test_without_a_budget_each_is_decided_alone():
    found = best((*BY_HAND, option("d", 10, -5, 4)))
    assert found.funded == ("a", "b", "c")
    assert found.unspent is None
    assert found.in_best.tolist() == [1, 1, 0.5, 0.5]


def test_what_loses_is_not_bought_however_much_money_there_is():
    assert best((option("a", 10, -5, -1), option("b", 10, 3, 1)), 1e6).funded == ("b",)


def test_what_is_barred_is_not_chosen_but_counts_in_what_would_be_best():
    barred = (replace(BY_HAND[0], allowed=False), *BY_HAND[1:])
    found = best(barred, 100)
    assert found.funded == ("b", "c")
    assert found.in_best.tolist() == best(BY_HAND, 100).in_best.tolist()


def test_worth_beyond_the_year_moves_the_choice_and_not_the_years_figures():
    found = best((BY_HAND[0], replace(BY_HAND[1], worth=200.0), BY_HAND[2]), 100)
    assert found.funded == ("b", "c")
    assert found.mean == 25


@pytest.mark.parametrize("seed", range(3))
def test_all_sets_the_search_the_program_and_brute_force_agree(seed, monkeypatch):
    options = random_options(seed, 7)
    found = best(options, 300)
    cost, worth = (np.array([getattr(o, what) for o in options]) for what in ("cost", "counted"))
    sets = [np.array(s) for s in itertools.product((0, 1), repeat=7) if np.array(s) @ cost <= 300]
    assert found.chosen @ worth == pytest.approx(max(s @ worth for s in sets))
    monkeypatch.setattr("ucimpact.decision.portfolio.ALL_SETS", 3)
    for branches in (2_000, 0):  # of none, all is left to the program
        monkeypatch.setattr("ucimpact.decision.portfolio.BRANCHES", branches)
        searched = best(options, 300)
        assert searched.chosen.tolist() == found.chosen.tolist()
        assert searched.in_best == pytest.approx(found.in_best)
    assert best_set(worth, cost, 300).tolist() == (found.chosen > 0).tolist()


def test_affordable_sets_begin_with_nothing():
    assert affordable(np.array([1.0, 2.0])).tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]
    assert affordable(np.array([1.0, 2.0]), 2.5).tolist() == [[0, 0], [1, 0], [0, 1]]


def test_the_range_is_the_middle_of_the_draws():
    found = best([option("a", 1, *np.arange(1, 102.0))], 1, level=0.9)
    assert (found.low, found.mean, found.high) == pytest.approx((6, 51, 96))


# -- scales ------------------------------------------------------------------------------------


def test_a_scale_fills_what_is_left_but_not_below_its_least():
    # a leaves 2 pounds a pound, b 1. Of 100: a at most 1 (60), then b at 40/50.
    a, b = option("a", 60, 120.0), option("b", 50, 50.0, at_least=0.5)
    found = best((a, b), 100)
    assert found.chosen == pytest.approx([1, 0.8])
    assert found.mean == pytest.approx(160)
    assert best((a, replace(b, at_least=0.9)), 100).chosen == pytest.approx([1, 0])
    assert best((replace(a, at_most=2.0, at_least=0.25), b), 100).chosen == pytest.approx([100 / 60, 0])
    assert best((replace(a, at_least=0.0, at_most=0.5), b), 100).chosen == pytest.approx([0.5, 1])
    assert best((replace(a, at_least=0.0), replace(b, at_least=0.0)), 30).chosen == pytest.approx([0.5, 0])
    assert best((replace(a, at_most=2.0),), None).chosen == pytest.approx([2])


@pytest.mark.parametrize("seed", range(3))
def test_scales_are_as_good_as_a_fine_grid_of_them(seed):
    options = random_options(seed, 3, at_least=0.4, at_most=1.2)
    found = best(options, 150)
    cost, worth = (np.array([getattr(o, what) for o in options]) for what in ("cost", "counted"))
    grid = np.array(list(itertools.product(np.r_[0, np.linspace(0.4, 1.2, 41)], repeat=3)))
    grid = grid[grid @ cost <= 150]
    assert found.cost <= 150 * (1 + 1e-9)
    assert 0 <= found.chosen @ worth - (grid @ worth).max() < 2
    assert all(scale == 0 or 0.4 <= scale <= 1.2 for scale in found.chosen)


@pytest.mark.parametrize("seed", range(3))
def test_all_sets_the_search_and_the_program_agree_on_scales(seed, monkeypatch):
    options = random_options(seed, 6, at_least=0.3, at_most=1.5)
    options[0] = replace(options[0], at_least=1.0, at_most=1.0)
    found = best(options, 250)
    monkeypatch.setattr("ucimpact.decision.portfolio.ALL_SETS", 3)
    for branches in (2_000, 0):
        monkeypatch.setattr("ucimpact.decision.portfolio.BRANCHES", branches)
        searched = best(options, 250)
        assert searched.chosen == pytest.approx(found.chosen)
        assert searched.in_best == pytest.approx(found.in_best)


def test_pilots_that_are_all_alike_do_not_make_the_search_long():
    alike = [option(str(n), 100, 7.0) for n in range(30)]
    found = best(alike, 1_050)
    assert (found.chosen.sum(), found.cost) == (10, 1000)


def test_many_draws_are_tried_a_part_at_a_time(monkeypatch):
    options = random_options(4, 5, at_least=0.5)
    whole = best(options, 250)
    monkeypatch.setattr("ucimpact.decision.portfolio.AT_ONCE", 7 * 32)
    assert best(options, 250).in_best.tolist() == whole.in_best.tolist()


# -- the rule ----------------------------------------------------------------------------------

STAKES = Stakes(
    value=np.full(3, 1200.0), price=np.array([60.0, 95.0, 95.0]), people=np.array([1650.0, 880.0, 540.0])
)
HELD = normal(np.array([0.115, 0.09, 0.03]), np.diag([0.05, 0.06, 0.07]) ** 2)
NOISE = np.array([0.06, 0.1, 0.15]) ** 2


def test_the_rule_in_figures():
    found = weigh(HELD, STAKES, NOISE)
    assert found.kind == ("mainstream", "extend", "stop")
    assert found.chance == pytest.approx(chance(HELD, STAKES))
    assert found.evsi == pytest.approx(4 * sample(HELD, STAKES, NOISE))
    net, evsi = expected(HELD, STAKES), found.evsi
    assert found.to_extend[1] == pytest.approx(6000 + max(0.0, -net[1]))
    assert found.to_extend[2] > 6000
    assert found.worth[0] == pytest.approx(5 * net[0])
    assert found.worth[1] == pytest.approx(net[1] + evsi[1] + 4 * max(0.0, net[1]) - 6000)
    assert found.worth[2] == 0


def test_each_bar_of_the_rule_bars():
    kind = weigh(HELD, STAKES, NOISE).kind
    sure = chance(HELD, STAKES)
    assert weigh(HELD, STAKES, NOISE, rule=Rule(chance=float(sure[0]) + 0.001)).kind[0] != kind[0]
    assert weigh(HELD, STAKES, NOISE, rule=Rule(floor=float(sure[1]) + 0.001)).kind[1] == "stop"
    assert weigh(HELD, STAKES, NOISE, rule=Rule(another_year_costs=1e6)).kind[1] == "stop"
    evsi = float(weigh(HELD, STAKES, NOISE).evsi[2])
    generous = Rule(floor=0.0, another_year_costs=evsi - 1)  # the year is expected to lose money besides
    assert weigh(HELD, STAKES, NOISE, rule=generous).kind[2] == "stop"
    assert weigh(HELD, STAKES, NOISE, rule=Rule(floor=0.0), years=1).kind[1] == "stop"


def test_later_years_count_less():
    now, later = weigh(HELD, STAKES, NOISE), weigh(HELD, STAKES, NOISE, discount=0.035)
    left = sum(1.035**-t for t in range(1, 5))
    assert later.evsi == pytest.approx(now.evsi * left / 4)
    assert later.worth[0] == pytest.approx(expected(HELD, STAKES)[0] * (1 + left))


def test_a_budget_goes_to_what_the_rule_lets_through():
    draws = HELD.means[0] + np.random.default_rng(1).standard_normal((4000, 3)) * [0.05, 0.06, 0.07]
    found = fund(NAMES, HELD, STAKES, NOISE, draws, budget=400_000)
    assert found.portfolio.funded == ("Westow", "Harle")
    assert found.portfolio.cost == pytest.approx(1650 * 60 + 880 * 95)
    assert found.portfolio.mean == pytest.approx(expected(HELD, STAKES)[:2].sum(), abs=6000)
    assert fund(NAMES, HELD, STAKES, NOISE, draws, budget=100_000).portfolio.funded == ("Westow",)
    assert fund(NAMES, HELD, STAKES, NOISE, draws, budget=90_000).portfolio.funded == ("Harle",)
    barred = fund(NAMES, HELD, STAKES, NOISE, draws, budget=400_000, allowed=(False, True, True))
    assert barred.portfolio.funded == ("Harle",)
    half = fund(NAMES, HELD, STAKES, NOISE, draws, budget=130_000, at_least=(0.25, 0.25, 1))
    assert half.portfolio.chosen[0] == 1
    assert 0.25 <= half.portfolio.chosen[1] < 0.5


def test_a_year_that_is_expected_to_lose_a_little_is_bought_for_what_it_teaches():
    t = STAKES.switching()
    even = normal(np.array([0.0, t[1] + 0.002, 0.0]), np.diag([0.01, 0.09, 0.01]) ** 2)
    found = weigh(even, STAKES, NOISE)
    assert found.kind == ("stop", "extend", "stop")
    assert found.net[1] < 0 < found.worth[1]
    assert found.worth[1] == pytest.approx(found.net[1] + found.evsi[1] - 6000)
    draws = even.means[0] + np.random.default_rng(1).standard_normal((4000, 3)) * [0.01, 0.09, 0.01]
    assert fund(NAMES, even, STAKES, NOISE, draws, budget=400_000).portfolio.funded == ("Harle",)


def test_after_the_second_year_the_bar_is_that_for_keeping():
    sure = chance(HELD, STAKES)
    assert keep(HELD, STAKES).tolist() == (sure >= 0.7).tolist() == [True, False, False]
    assert keep(HELD, STAKES, Rule(keep=float(sure[1]))).tolist() == [True, True, False]


@pytest.mark.parametrize("seed", range(20))
def test_the_verdict_in_words_funds_what_the_rule_funds(seed):
    rng = np.random.default_rng(seed)
    held = normal(rng.normal(0.08, 0.05, 3), np.diag(rng.uniform(0.03, 0.1, 3)) ** 2)
    found = weigh(held, STAKES, NOISE)
    for k, kind in enumerate(found.kind):
        value = found.net[k] / STAKES.people[k] + STAKES.price[k]
        said = words.verdict(
            value=value,
            price=STAKES.price[k],
            chance_=found.chance[k],
            price_at_rule=50.0,
            level="moderate",
            claim_code="B",
            evsi=found.evsi[k] if found.chance[k] >= 0.5 else 0.0,
            evsi_cost=6000.0,
        )
        funded = said.row == 1 or (said.row == 3 and value >= STAKES.price[k])
        assert funded == (kind != "stop" and found.net[k] >= 0)
        assert (said.row == 1) == (kind == "mainstream")


def test_raw_results_claim_more_than_they_may_expect():
    measured = np.array([0.04, 0.02, 0.31])
    found = by_raw(measured, HELD, STAKES, budget=400_000)
    assert found.funded.tolist() == [False, False, True]
    assert found.claimed == pytest.approx(540 * (1200 * (1 - np.exp(-0.31)) - 95))
    assert found.expected == pytest.approx(expected(HELD, STAKES)[2])
    assert found.expected < 0 < found.claimed


def test_the_rule_of_the_package_is_the_one_that_was_tried():
    assert funding.Rule() == Rule(chance=0.8, keep=0.7, floor=0.5, another_year_costs=6000.0)
