"""Draws of places from their past: the same ranges as full fits, the chances of the textbook, and short files."""

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.panel import Panel
from ucimpact.inference.covariance import CR1, CR3
from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.panel_draws import Size, draw
from ucimpact.inference.panel_past import Histories, fitting, stretches
from ucimpact.inference.panel_power import Power
from ucimpact.inference.power import Precision, change_of_means
from ucimpact.methods import DifferenceInDifferences


def past_of(rng, places, periods, *, units=1, unequal=0.0, ar=0.5):
    """Places of one or more units with AR(1) noise that falls with size, levels of their own and a season."""
    place = np.repeat(np.arange(places), units)
    size = 1000 * np.exp(unequal * rng.standard_normal(len(place)))
    noise = rng.standard_normal((len(place), periods))
    for t in range(1, periods):
        noise[:, t] += ar * noise[:, t - 1]
    level = 10 + rng.standard_normal((len(place), 1))
    y = level + noise / np.sqrt(size / 1000)[:, None] + np.sin(np.arange(periods))
    return Histories(y, size, size, place)


def white(places, periods=24, seed=3):
    y = 10 + np.random.default_rng(seed).standard_normal((places, periods))
    return Histories(y, np.ones(places), np.ones(places), np.arange(places))


def panel_of(lots, k, effect):
    """Draw k as a table, with an effect in the pilot places."""
    size, rows = lots.size, []
    for seat, place in enumerate(lots.seats[k]):
        for unit in lots.past.members[place]:
            for t in range(size.before + size.after):
                pilot = seat < size.pilot
                y = lots.past.outcome[unit, lots.start[k] + t] + effect * (pilot and t >= size.before)
                start = size.before + 1 if pilot else np.nan
                rows.append((f"{seat:02d}-{unit}", f"{seat:02d}", t + 1, start, y, lots.past.weights[unit]))
    names = ["unit", "place", "period", "start", "y", "people"]
    return Panel(pd.DataFrame(rows, columns=names), weight="people", population="people", cluster="place")


# -- the same numbers as a full fit ------------------------------------------------------

DESIGNS = [
    (1, 8, 1, 0.5),
    (3, 5, 1, 0.0),
    (1, 12, 2, 0.6),
    (2, 10, 1, 0.0),
    (3, 9, 1, 0.5),
    (4, 10, 2, 0.4),
    (5, 9, 1, 0.0),
    (6, 8, 2, 0.4),
    (7, 9, 1, 0.5),
]


@pytest.mark.parametrize(("pilot", "others", "units", "unequal"), DESIGNS)
def test_a_draw_gives_the_range_of_a_full_fit(pilot, others, units, unequal):
    """Nine designs by 25 draws, on every branch of the rule; half of them with an effect put in."""
    rng = np.random.default_rng(100 * pilot + others)
    auto = Auto(permutations=199)
    size = Size(pilot=pilot, comparison=others, before=6, after=8)
    lots = draw(past_of(rng, 20, 24, units=units, unequal=unequal), size, auto, draws=25, seed=2, widen=False)
    low, high = (ends[0] for ends in lots.ranges())
    for k in range(25):
        effect = -0.7 * (k % 2)
        fit = DifferenceInDifferences(outcome="y", cov=auto).fit(panel_of(lots, k, effect))
        att = fit.effect("att")
        assert att["conf_low"] - effect == pytest.approx(low[k], abs=1e-8)
        assert att["conf_high"] - effect == pytest.approx(high[k], abs=1e-8)


def test_the_designs_reach_every_branch_of_the_rule():
    seen = set()
    for pilot, others, units, unequal in DESIGNS:
        rng = np.random.default_rng(100 * pilot + others)
        size = Size(pilot=pilot, comparison=others, before=6, after=8)
        seen |= set(
            draw(
                past_of(rng, 20, 24, units=units, unequal=unequal), size, Auto(), draws=25, seed=2
            ).procedures
        )
    assert seen >= {"pooled", "pooled+permutation", "size", "size+permutation", "wider", "robust"}


@pytest.mark.parametrize(("kind", "cov"), [("CR1", CR1()), ("CR3", CR3())])
def test_a_variance_that_is_asked_for_is_used(kind, cov):
    lots = draw(
        past_of(np.random.default_rng(5), 12, 20, units=2, unequal=0.4),
        Size(pilot=3, comparison=7, before=6, after=6),
        kind, draws=5, seed=1, widen=False,
    )  # fmt: skip
    low, high = (ends[0] for ends in lots.ranges())
    for k in range(5):
        att = DifferenceInDifferences(outcome="y", cov=cov).fit(panel_of(lots, k, 0.0)).effect("att")
        assert (att["conf_low"], att["conf_high"]) == pytest.approx((low[k], high[k]), abs=1e-8)


# -- known truths ------------------------------------------------------------------------


@pytest.mark.parametrize(("pilot", "others"), [(1, 20), (3, 5)])
def test_the_chances_are_those_of_the_noncentral_t(pilot, others):
    """Normal places of one variance and no permutation beside the pooled t: the analytic answer is exact."""
    past = white(600)
    size = Size(pilot=pilot, comparison=others, before=12, after=12)
    power = Power(draw(past, size, Auto(), draws=4_000, seed=1), -1, "shift")
    assert set(power.draws.procedures) == {"pooled"}
    variance = past.by_place(power.draws.parts.change)[0].var()
    exact = Precision.by_t(np.sqrt(variance * (1 / pilot + 1 / others)), pilot + others - 2)
    level = past.level
    assert power.smallest(0.8) * level == pytest.approx(exact.findable(), abs=3.5 * power.error(0.8) * level)
    for effect in (0.3, 0.8, 1.2):
        chance = exact.chance(effect)
        error = np.sqrt(chance * (1 - chance) / 4_000)
        assert power.chance(effect / level) == pytest.approx(chance, abs=4 * error)
    assert power.false_positives == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 4_000))


def test_draws_with_replacement_spread_as_places_do():
    past = white(8)
    size = Size(pilot=1, comparison=7, before=12, after=12)
    change = past.outcome[:, 12:].mean(axis=1) - past.outcome[:, :12].mean(axis=1)
    lots = draw(past, size, Auto(), draws=20_000, seed=1)
    assert lots.values.var() == pytest.approx(change.var(ddof=1), rel=0.02)


def test_an_effect_in_the_wrong_direction_is_not_the_smallest_found():
    power = Power(
        draw(white(40), Size(pilot=3, comparison=20, before=12, after=12), Auto(), draws=500, seed=1),
        1,
        "shift",
    )
    share = power.smallest(0.8)
    assert power.chance(share) == pytest.approx(0.8, abs=0.005)
    assert power.smallest(0.5) < share < power.smallest(0.9)


def counted(rng, places=60, periods=24, mean=300.0):
    people = rng.uniform(2_000, 8_000, places)
    events = rng.poisson(mean * people[:, None] / people.mean(), (places, periods)).astype(float)
    return Histories(events / people[:, None] * 1_000, people, people, np.arange(places), events)


def test_shares_of_events_are_taken_away_and_added():
    past = counted(np.random.default_rng(1))
    lots = draw(past, Size(pilot=4, comparison=20, before=12, after=12), Auto(), draws=400, seed=1)
    fall, rise = Power(lots, -1, "thinned"), Power(lots, 1, "thinned")
    assert np.all(fall.planted(1.0) == -1.0)
    assert fall.planted(0.1).mean() == pytest.approx(-0.1, abs=0.001)
    assert rise.planted(0.1).mean() == pytest.approx(0.1, abs=0.001)
    events = lots.events[:, :4]
    gone = -fall.planted(0.1) * events
    assert gone == pytest.approx(np.rint(gone))
    assert ((gone - 0.1 * events) ** 2).mean() == pytest.approx(0.09 * events.mean(), rel=0.1)


def test_a_share_that_is_planted_is_found_as_often_as_it_says():
    past = counted(np.random.default_rng(2))
    power = Power(
        draw(past, Size(pilot=3, comparison=20, before=12, after=12), Auto(), draws=1_000, seed=1),
        -1,
        "thinned",
    )
    share = power.smallest(0.8)
    assert power.chance(share) == pytest.approx(0.8, abs=0.02)
    shifted = Power(power.draws, -1, "shift").smallest(0.8)
    assert share == pytest.approx(shifted, rel=0.1)


def test_a_logarithm_is_a_shift_of_the_log():
    rng = np.random.default_rng(4)
    past = Histories(np.log(100) + 0.1 * rng.standard_normal((50, 24)), *(np.ones(50),) * 2, np.arange(50))
    power = Power(
        draw(past, Size(pilot=3, comparison=20, before=12, after=12), Auto(), draws=500, seed=1), -1, "log"
    )
    assert power.smallest(0.8) == pytest.approx(1 - np.exp(-power.shifted(0.8)))


# -- files shorter than the plan ---------------------------------------------------------


def test_a_plan_that_the_file_can_show_is_taken_from_it_alone():
    past = white(10, 30)
    parts = stretches(past, 12, 12, widen=False)
    assert (parts.before, parts.after, parts.narrowed) == (12, 12, 1.0)
    assert parts.change.shape == (7, 10)
    by_hand = past.outcome[3, 16:28].mean() - past.outcome[3, 4:16].mean()
    assert parts.change[4, 3] == pytest.approx(by_hand)


def test_a_longer_plan_is_divided_in_its_own_proportion():
    assert fitting(24, 12, 12) == (12, 12)
    assert fitting(12, 12, 12) == (6, 6)
    assert fitting(24, 12, 24) == (8, 16)
    assert fitting(6, 1, 100) == (1, 5)


@pytest.mark.parametrize(
    ("ar", "periods", "asked"), [(0.0, 12, (12, 12)), (0.5, 12, (12, 12)), (0.5, 24, (12, 24))]
)
def test_beyond_the_file_contrasts_spread_as_those_of_the_plan_would(ar, periods, asked):
    """Mean over 40 files; the spread is that of AR(1) noise over as many periods as the plan has."""
    rng = np.random.default_rng(6)
    spreads = []
    for _ in range(40):
        noise = rng.standard_normal((40, periods + 50))
        for t in range(1, periods + 50):
            noise[:, t] = ar * noise[:, t - 1] + np.sqrt(1 - ar**2) * noise[:, t]
        past = Histories(noise[:, 50:], np.ones(40), np.ones(40), np.arange(40))
        spreads.append(stretches(past, *asked, widen=False).change.std(axis=1, ddof=1).mean())
    assert np.mean(spreads) == pytest.approx(np.sqrt(change_of_means(*asked, ar)), rel=0.1)


@pytest.mark.parametrize("pilot", [3, 8])
def test_a_lasting_drift_can_be_added(pilot):
    size = Size(pilot=pilot, comparison=20, before=12, after=12)
    still, drifting = (
        Power(draw(white(40), size, Auto(), draws=500, seed=1, drift=drift), -1, "shift")
        for drift in (0.0, 0.4)
    )
    by_hand = np.sqrt(still.draws.values.var() + 0.4**2) / still.draws.values.std()
    assert drifting.smallest(0.8) / still.smallest(0.8) == pytest.approx(by_hand, rel=0.1)
    assert drifting.half_width / still.half_width == pytest.approx(by_hand, rel=0.1)
