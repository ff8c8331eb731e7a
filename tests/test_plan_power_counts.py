"""Plans of ratios of counts: the ranges of full fits, and longer plans than the file."""

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.panel import Panel
from ucimpact.inference.covariance import CR1
from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.panel_draws import Size
from ucimpact.inference.panel_past import Histories
from ucimpact.inference.panel_power import Power
from ucimpact.inference.panel_power_counts import draw_counts, totals
from ucimpact.methods import CountDiD


def past_of(rng, places, periods, *, units=1, mean=40.0, together=1, drift=0.1):
    """Admissions that come ``together`` at a time, drifting from month to month, in lists of unequal size."""
    place = np.repeat(np.arange(places), units)
    people = np.rint(rng.uniform(1_000, 6_000, len(place)))
    course = np.exp(drift * rng.standard_normal((len(place), periods)) + 0.1 * np.sin(np.arange(periods)))
    events = together * rng.poisson(mean * people[:, None] / people.mean() * course / together).astype(float)
    return Histories(events / people[:, None] * 1_000, people, people, place, events)


def panel_of(lots, k, share=None):
    """Draw k as a table; ``share`` (n_pilot,) changes each pilot place's later events."""
    size, rows = lots.size, []
    for seat, place in enumerate(lots.seats[k]):
        for unit in lots.past.members[place]:
            for t in range(size.before + size.after):
                pilot = seat < size.pilot
                y = lots.past.events[unit, lots.start[k] + t]
                if pilot and t >= size.before and share is not None:
                    y = y * (1 + share[seat])
                start = size.before + 1 if pilot else np.nan
                rows.append((f"{seat:02d}-{unit}", f"{seat:02d}", t + 1, start, y, lots.past.sizes[unit]))
    names = ["unit", "place", "period", "start", "y", "people"]
    return Panel(pd.DataFrame(rows, columns=names), population="people", cluster="place")


DESIGNS = [(1, 8, 1, 1), (2, 9, 2, 3), (4, 10, 1, 1), (5, 7, 1, 3), (6, 8, 2, 3), (7, 9, 1, 1)]


@pytest.mark.parametrize(("pilot", "others", "units", "together"), DESIGNS)
def test_a_draw_gives_the_range_of_a_full_fit(pilot, others, units, together):
    past = past_of(np.random.default_rng(10 * pilot + others), 18, 22, units=units, together=together)
    size = Size(pilot=pilot, comparison=others, before=6, after=8)
    lots = draw_counts(past, size, Auto(), draws=10, seed=1, widen=False)
    share = np.full((10, pilot), 1.0)
    low, high = lots.ranges([None, share])
    seen = set()
    for k in range(10):
        for e, planted in enumerate((None, share[k])):
            fit = CountDiD(outcome="y").fit(panel_of(lots, k, planted))
            ratio = fit.effect("rate_ratio")
            assert np.log(ratio["conf_low"]) == pytest.approx(low[e, k], abs=1e-7)
            assert np.log(ratio["conf_high"]) == pytest.approx(high[e, k], abs=1e-7)
            seen.add(fit.extras["rule"]["procedure"])
    assert seen <= {"own-spread", "random-effects"}
    assert ("own-spread" in lots.procedures) or pilot < 6


def test_noise_of_counting_is_read_where_events_come_together():
    """Or the designs above would hold it at 1 and say nothing about it."""
    past = past_of(np.random.default_rng(3), 18, 22, together=3)
    lots = draw_counts(past, Size(pilot=5, comparison=10, before=6, after=8), Auto(), draws=50, seed=1)
    assert lots._allowed[2].max() > 1.5


def test_a_variance_that_is_asked_for_is_used():
    past = past_of(np.random.default_rng(4), 18, 22)
    size = Size(pilot=4, comparison=9, before=6, after=8)
    lots = draw_counts(past, size, "CR1", draws=4, seed=1, widen=False)
    low, high = (ends[0] for ends in lots.ranges())
    for k in range(4):
        ratio = CountDiD(outcome="y", cov=CR1()).fit(panel_of(lots, k)).effect("rate_ratio")
        assert np.log(ratio["conf_low"]) == pytest.approx(low[k], abs=1e-7)
        assert np.log(ratio["conf_high"]) == pytest.approx(high[k], abs=1e-7)


def test_too_few_events_have_no_range_and_find_nothing():
    past = past_of(np.random.default_rng(5), 10, 24, mean=0.02)
    power = Power(
        draw_counts(past, Size(pilot=1, comparison=9, before=6, after=6), Auto(), draws=50, seed=1),
        -1,
        "ratio",
    )
    assert power.false_positives == 0.0
    assert np.isnan(power.smallest(0.8)) and np.isnan(power.half_width)


@pytest.mark.parametrize("pilot", [3, 8])
def test_false_positives_are_as_agreed_and_a_planted_fall_is_found_as_often_as_it_says(pilot):
    past = past_of(np.random.default_rng(6), 60, 24, mean=100.0)
    lots = draw_counts(past, Size(pilot=pilot, comparison=20, before=12, after=12), Auto(), draws=600, seed=1)
    power = Power(lots, -1, "ratio")
    assert 0.005 < power.false_positives < 0.085  # three standard errors of 600 draws are 0.027
    share = power.smallest(0.8)
    assert power.chance(share) == pytest.approx(0.8, abs=0.03)
    assert power.smallest(0.5) < share


def test_totals_of_a_longer_plan_are_for_as_many_periods_and_keep_each_places_size():
    past = past_of(np.random.default_rng(7), 20, 12)
    parts = totals(past, 12, 24, widen=False)
    assert parts.months.shape == (1, 20, 12) and parts.shown == 4
    assert parts.before.sum() == pytest.approx(past.events[:, :4].sum() * 3)
    assert parts.after.sum() == pytest.approx(past.events[:, 4:].sum() * 3)
    spread = [np.std(np.log(p.after / p.before)) for p in (parts, totals(past, 4, 8, widen=False))]
    assert spread[0] < spread[1]
