"""The starts dealt to other places."""

from __future__ import annotations

import itertools

import numpy as np

from tests.staggered_by_hand import staggered_table, terms_by_hand
from ucimpact.data.panel import Panel
from ucimpact.inference.staggered import assigned, contrasts_of, groups_of
from ucimpact.methods.staggered_sample import sample_of


def dealt(table, which=slice(1)):
    sample, _ = sample_of(Panel(table), "y")
    terms = terms_by_hand(sample)
    since = sample.ordinals[None, :] - sample.cohorts[:, None]
    design, _ = assigned(sample.cohort, sample.places, np.ones(len(sample.start)), sample.outcome, since)
    return sample, terms, contrasts_of(terms, design, sample.places).only(which)


def test_every_dealing_is_the_estimate_on_the_table_dealt_anew() -> None:
    table = staggered_table(11, units=6, pilots=2, periods=12, starts=(4, 9))
    _, _, contrasts = dealt(table)
    starts = table.groupby("unit")["start"].first().to_numpy()
    assert len(set(starts)) == 3
    expected = set()
    for order in set(itertools.permutations(starts)):
        again = table.assign(start=np.repeat(order, 12))
        fresh, _ = sample_of(Panel(again), "y")
        expected.add(round(float(terms_by_hand(fresh).estimate[0]), 9))
    b_r, k_r = next(contrasts.deal.effects(9_999, 1))
    assert contrasts.deal.choices() == len(b_r) == 6 * 5
    assert {round(float(b), 9) for b in b_r} == expected
    np.testing.assert_allclose(b_r[0], contrasts.estimate[0], rtol=1e-12)
    np.testing.assert_allclose(k_r[0], 1.0, rtol=1e-12)
    assert np.abs(k_r).max() <= 1 + 1e-12


def test_an_effect_taken_out_leaves_what_the_dealing_says() -> None:
    """b_r - e k_r is the dealing's estimate on outcomes less an effect e."""
    table = staggered_table(12, units=8, pilots=3, periods=14, starts=(5, 10))
    _, _, one = dealt(table)
    _, _, two = dealt(
        table.assign(y=table["y"] - 2.5 * ((table["period"] >= table["start"]) & (table["start"] > 0)))
    )
    b_r, k_r = next(one.deal.effects(400, 5))
    labels = one.deal.labels(400, 5)
    less = two.deal
    sums = less.rest @ less.loadings[:, 0].T
    number = np.bincount(labels[0])
    again = (sums[np.arange(8), labels] / number[labels]).sum(axis=1)
    np.testing.assert_allclose(again, b_r - 2.5 * k_r, rtol=1e-9, atol=1e-9)


def test_dealings_at_random_keep_the_starts_and_begin_with_the_data() -> None:
    sample, _, contrasts = dealt(staggered_table(13, units=40, pilots=9))
    labels = contrasts.deal.labels(300, 2)
    assert labels.shape == (301, 40)
    np.testing.assert_array_equal(labels[0], sample.cohort)
    for row in labels[:20]:
        np.testing.assert_array_equal(np.bincount(row), np.bincount(sample.cohort))
    assert len(np.unique(labels, axis=0)) > 290
    np.testing.assert_array_equal(labels, contrasts.deal.labels(300, 2))


def test_dealing_does_not_hang_on_the_order_of_places() -> None:
    table = staggered_table(14, units=20, pilots=5)
    names = np.random.default_rng(1).permutation(20)
    _, _, one = dealt(table)
    _, _, two = dealt(table.assign(unit=names[table["unit"]]))
    np.testing.assert_allclose(
        np.sort(next(one.deal.effects(200, 3))[0]), np.sort(next(two.deal.effects(200, 3))[0]), rtol=1e-9
    )
    np.testing.assert_allclose(one.deal.of_t(200, 3), two.deal.of_t(200, 3), rtol=1e-9)


def test_the_studentised_effect_by_hand() -> None:
    table = staggered_table(15, units=9, pilots=4, starts=(8, 12))
    sample, terms, contrasts = dealt(table)
    t = contrasts.deal.of_t(99, 1)[0]
    lag = terms.loadings[:, 0]
    weight = np.abs(lag).sum(axis=1) / 2
    value = np.array(
        [
            lag[g]
            @ (sample.outcome[i] - sample.outcome[sample.cohort == len(lag) - 1].mean(axis=0))
            / weight[g]
            for i, g in enumerate(sample.cohort)
        ]
    )
    pilot = sample.pilot
    se = np.sqrt(value[pilot].var(ddof=1) / pilot.sum() + value[~pilot].var(ddof=1) / (~pilot).sum())
    np.testing.assert_allclose(t, terms.estimate[0] / se, rtol=1e-9)


def test_starts_with_enough_places_are_groups_of_their_own() -> None:
    cohort = np.repeat([0, 1, 2, 3], [7, 2, 3, 10])
    groups = groups_of(cohort, 3, 6)
    assert len(set(groups[:7])) == 1 and len(set(groups[7:12])) == 1 and len(set(groups[12:])) == 1
    assert groups[0] != groups[7] != groups[12]
    lone = groups_of(np.repeat([0, 1, 2], [7, 1, 10]), 2, 6)
    assert len(set(lone[:8])) == 1 and lone[0] != lone[-1]


def test_a_supposed_effect_moves_the_studentised_effect_as_its_parts_say() -> None:
    table = staggered_table(16, units=12, pilots=4, starts=(8, 12))
    running = (table["period"] >= table["start"]) & (table["start"] > 0)
    _, _, one = dealt(table)
    b = float(one.estimate[0])
    top, top_move, squares, cross, squares_move = one.deal.parts_of_t(b, 200, 4)
    labels = one.deal.labels(200, 4)
    for supposed in (0.0, 1.7):
        _, _, less = dealt(table.assign(y=table["y"] - supposed * running))
        sums = less.deal.rest @ less.deal.loadings[:, 0].T
        again = less.deal._spread(labels, sums, sums)
        delta = b - supposed
        np.testing.assert_allclose(squares + 2 * delta * cross + delta**2 * squares_move, again, rtol=1e-9)
        number = np.bincount(labels[0])
        b_r = (sums[np.arange(12), labels] / number[labels]).sum(axis=1)
        np.testing.assert_allclose(top + delta * top_move, b_r, rtol=1e-9, atol=1e-9)
