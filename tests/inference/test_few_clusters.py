"""The rule chooses as it is written down, and what it chooses holds its false positives.

Places here are one number each (what a balanced panel comes down to), so that thousands of data sets are one
array. Sizes that are measured have a tolerance of three standard deviations of their number of draws.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ucimpact.errors import UsageError
from ucimpact.inference.contrasts import Contrasts, from_units
from ucimpact.inference.covariance import Design
from ucimpact.inference.few_clusters import Auto, Chosen, Places, breakdown_ratio, choose, flag_of
from ucimpact.inference.two_groups import Inferred, PooledT, Robust, SizeModelT, Wider

DRAWS = 3000


def contrasts(values: np.ndarray, n1: int) -> Contrasts:
    """Each row of ``values`` a data set of one number a place, the first ``n1`` with the pilot."""
    values = np.atleast_2d(values)
    n = values.shape[1]
    pilot = np.arange(n) < n1
    share = np.where(pilot, 1 / n1, -1 / (n - n1))

    def design() -> Design:
        means = np.where(
            pilot, values[:, pilot].mean(1, keepdims=True), values[:, ~pilot].mean(1, keepdims=True)
        )
        columns = np.column_stack([np.ones(n), pilot])
        return Design(columns, (values - means).T, np.tile([[0.0], [1.0]], (1, len(values))), np.arange(n))

    size = np.broadcast_to(np.abs(share), values.shape)
    return from_units(values * share, size, np.arange(n), pilot, design, 1.0)


def places(
    n: int, n1: int, sizes: np.ndarray | None = None, before: np.ndarray | None = None, months: int = 12
) -> Places:
    return Places(
        pilot=np.arange(n) < n1,
        sizes=np.full(n, 2000.0) if sizes is None else sizes,
        before=np.ones(n) if before is None else before,
        periods_before=months,
    )


def chosen(n: int, n1: int, **known: Any) -> Chosen:
    values = np.random.default_rng(n + n1).normal(size=n)
    if "sizes" in known:  # a variance that plainly falls with size
        values = values * np.sqrt(2000 / known["sizes"]) + 0.0
    return choose(contrasts(values, n1), places(n, n1, **known), Auto(), 0.95)


def lists(n: int, largest_first: bool = False) -> np.ndarray:
    sizes = np.geomspace(2000, 20000, n)
    return sizes[::-1] if largest_first else sizes


@pytest.mark.parametrize(
    ("n", "n1", "procedure", "df"),
    [
        (30, 1, "pooled-t", 28),
        (30, 2, "pooled-t+permutation", 28),
        (30, 5, "pooled-t+permutation", 28),
        (12, 2, "pooled-t+permutation", 10),
        (8, 2, "pooled-t", 6),  # 28 reassignments are too few
        (8, 3, "pooled-t", 6),  # 56 are too few
        (9, 3, "pooled-t+permutation", 7),  # 84
        (12, 6, "cr2", 10),
        (30, 6, "cr2", 7.7),
        (25, 20, "pooled-t+permutation", 23),  # the comparison places are the few
        (26, 20, "cr2", None),
        (4, 1, "refused", None),
        (10, 6, "refused", None),
    ],
)
def test_the_rule_for_lists_alike(n: int, n1: int, procedure: str, df: float | None) -> None:
    found = chosen(n, n1)
    assert found.account["procedure"] == procedure
    if df is not None:
        assert found.account["df"] == pytest.approx(df, abs=0.05)


@pytest.mark.parametrize(("n1", "procedure"), [(1, "size-model-t"), (3, "size-model-t"), (6, "cr2")])
def test_the_rule_for_lists_unlike(n1: int, procedure: str) -> None:
    found = chosen(30, n1, sizes=lists(30))
    assert found.account["procedure"] == procedure
    assert found.account["size_ratio"] == pytest.approx(10)


def test_lists_unlike_with_a_variance_that_does_not_fall_count_as_alike() -> None:
    sizes = lists(20)
    values = np.random.default_rng(1).normal(size=20) * sizes / 5000
    found = choose(contrasts(values, 3), places(20, 3, sizes), Auto(), 0.95)
    assert found.account["sizes_alike"] and found.account["procedure"] == "size-model-t+permutation"
    # and the size model is then the pooled t
    assert isinstance(found.procedure, Wider)
    alone = found.procedure.first.infer(contrasts(values, 3), 0.95)
    assert alone.p_value[0] == pytest.approx(
        PooledT(np.ones(20)).infer(contrasts(values, 3), 0.95).p_value[0]
    )


def test_unlike_lists_have_a_standardised_permutation_printed_and_not_used() -> None:
    found = chosen(30, 3, sizes=lists(30))
    assert "divided by their spread" in found.account["second_opinion"]["procedure"]
    assert isinstance(found.procedure, SizeModelT)


def test_from_six_of_each_the_permutation_of_t_is_printed_beside() -> None:
    found = chosen(14, 7)
    assert found.account["second_opinion"]["procedure"] == "permutation of t, all 3,432 reassignments"
    assert 0 < found.account["second_opinion"]["p_value"] <= 1


def test_fewer_than_five_comparison_places_have_no_p_and_no_interval_but_keep_the_estimate() -> None:
    data = contrasts(np.arange(5.0) ** 2, 1)
    found = choose(data, places(5, 1), Auto(), 0.95)
    assert found.refused == (
        "No p-value or likely range can be had: 4 comparison places, and at least 5 are needed. "
        "More comparison places could answer, or a longer series of the pilot's own (its)."
    )
    result = found.procedure.infer(data, 0.95)
    assert result.estimate[0] == pytest.approx(-7.5)
    assert all(np.isnan(v[0]) for v in (result.p_value, result.low, result.high, result.std_error))


def test_one_pilot_with_five_to_nine_others_is_called_weak() -> None:
    assert any(
        text.startswith("Weak: one pilot unit and 9 comparison units") for text in chosen(10, 1).warnings
    )
    assert not any(text.startswith("Weak") for text in chosen(11, 1).warnings)


def test_one_pilot_with_few_unlike_others_takes_the_wider_of_two() -> None:
    data = contrasts(np.random.default_rng(2).normal(size=8) * np.sqrt(2000 / lists(8)), 1)
    found = choose(data, places(8, 1, lists(8)), Auto(), 0.95)
    result = found.procedure.infer(data, 0.95)
    for part in (PooledT(np.ones(8)), SizeModelT(lists(8), np.ones(8))):
        alone = part.infer(data, 0.95)
        assert result.low[0] <= alone.low[0] and alone.high[0] <= result.high[0]
        assert result.p_value[0] >= alone.p_value[0]


# -- the flag ----------------------------------------------------------------------------


def changeable(n: int, n1: int, ratio: float, spread: float = 0.0) -> np.ndarray:
    others = np.linspace(1 - spread, 1 + spread, n - n1)
    return np.concatenate([np.full(n1, ratio), others])


@pytest.mark.parametrize(
    ("ratio", "spread", "raised"),
    [(1.0, 0.5, False), (1.9, 0.95, False), (2.1, 1.9, True), (1.6, 0.5, True), (0.3, 0.5, False)],
)
def test_the_flag_is_twice_the_others_or_above_every_one_of_them(
    ratio: float, spread: float, raised: bool
) -> None:
    flag = flag_of(places(30, 1, before=changeable(30, 1, ratio, spread)), by_size=False)
    assert flag.raised is raised
    assert flag.ratio == pytest.approx(ratio)


def test_a_flag_widens_by_the_shrunk_ratio_and_never_narrows() -> None:
    known = places(30, 2, before=changeable(30, 2, 3.0), months=12)
    spread = flag_of(known, by_size=False).spread(known)
    nu = 0.6 * 11
    np.testing.assert_allclose(spread[:2], (4 + nu * 3) / (4 + nu))
    np.testing.assert_allclose(spread[2:], 1.0)
    mixed = places(30, 2, before=np.concatenate([[0.2, 9.0], np.ones(28)]))
    spread = flag_of(mixed, by_size=False).spread(mixed)
    assert spread[0] == 1.0 and spread[1] > 1.0


def test_the_widened_t_is_the_plain_one_times_the_root() -> None:
    data = contrasts(np.random.default_rng(3).normal(size=20), 1)
    plain = PooledT(np.ones(20)).infer(data, 0.95)
    wide = PooledT(np.where(np.arange(20) < 1, 3.0, 1.0)).infer(data, 0.95)
    assert wide.std_error[0] / plain.std_error[0] == pytest.approx(np.sqrt((3 + 1 / 19) / (1 + 1 / 19)))


@pytest.mark.parametrize(("n1", "procedure"), [(3, "pooled-t+permutation"), (4, "cr2"), (5, "cr2")])
def test_a_flag_with_four_or_five_pilot_places_means_their_own_spread(n1: int, procedure: str) -> None:
    found = chosen(30, n1, before=changeable(30, n1, 3.0))
    assert found.account["procedure"] == procedure
    assert "varied from period to period 3.0 times as much" in found.warnings[0]


def test_small_lists_are_not_flagged_for_being_small() -> None:
    sizes = lists(30)
    before = 2000 / sizes
    assert flag_of(places(30, 1, sizes, before), by_size=False).raised
    assert not flag_of(places(30, 1, sizes, before * np.linspace(1.0, 1.01, 30)), by_size=True).raised


def test_too_few_periods_before_to_see_are_said() -> None:
    found = chosen(30, 2, before=changeable(30, 2, 9.0), months=2)
    assert found.account["variance_flag"] is False
    assert any("2 periods before the pilot nobody can see" in text for text in found.warnings)


# -- the breakdown ratio -----------------------------------------------------------------


@pytest.mark.parametrize("n1", [1, 2, 5])
def test_at_the_breakdown_ratio_the_interval_just_reaches_0(n1: int) -> None:
    rng = np.random.default_rng(n1)
    data = contrasts(rng.normal(size=25) + 4 * (np.arange(25) < n1), n1)
    ratio = breakdown_ratio(data, places(25, n1), 0.95)
    s0 = data.values[0, n1:].std(ddof=1)
    b, q = data.estimate[0], 2.0686576  # t, 23 degrees of freedom
    assert ratio == pytest.approx(np.sqrt(n1 * ((b / (q * s0)) ** 2 - 1 / (25 - n1))), rel=1e-6)
    assert b / np.sqrt((ratio * s0) ** 2 / n1 + s0**2 / (25 - n1)) == pytest.approx(q, rel=1e-6)


def test_with_one_pilot_the_breakdown_ratio_passes_1_when_the_interval_leaves_0() -> None:
    for shift in np.linspace(0, 4, 25):
        data = contrasts(np.random.default_rng(5).normal(size=20) + shift * (np.arange(20) < 1), 1)
        found = PooledT(np.ones(20)).infer(data, 0.95)
        assert (breakdown_ratio(data, places(20, 1), 0.95) > 1) == bool(found.p_value[0] < 0.05)


# -- the procedures ----------------------------------------------------------------------


def noise(n: int, seed: int, sd: np.ndarray | float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((DRAWS, n)) * sd


def rejected(found: Inferred) -> float:
    return float(np.mean(found.p_value < 0.05))


NEAR_5 = 3 * np.sqrt(0.05 * 0.95 / DRAWS)  # 1.2 points


@pytest.mark.parametrize(("n", "n1"), [(30, 1), (30, 3), (12, 1), (12, 3)])
def test_the_pooled_t_is_exact_for_normal_places_alike(n: int, n1: int) -> None:
    found = PooledT(np.ones(n)).infer(contrasts(noise(n, 1), n1), 0.95)
    assert rejected(found) == pytest.approx(0.05, abs=NEAR_5)
    covered = np.mean((found.low <= 0) & (found.high >= 0))
    assert covered == pytest.approx(0.95, abs=NEAR_5)


@pytest.mark.parametrize("treated_sd", [1.0, 2.0])
def test_cr2_from_six_does_not_ask_for_equal_spread(treated_sd: float) -> None:
    sd = np.where(np.arange(30) < 6, treated_sd, 1.0)
    assert rejected(Robust("CR2").infer(contrasts(noise(30, 2, sd), 6), 0.95)) < 0.05 + 2 * NEAR_5
    if treated_sd > 1:
        assert rejected(PooledT(np.ones(30)).infer(contrasts(noise(30, 2, sd), 6), 0.95)) > 0.12


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("largest_first", [False, True])
@pytest.mark.parametrize(("n", "n1"), [(30, 1), (30, 3), (12, 1), (12, 3)])
def test_the_size_model_holds_its_size_where_the_pooled_t_does_not(
    n: int, n1: int, largest_first: bool, share: float
) -> None:
    sizes = lists(n, largest_first)
    sd = np.sqrt(1 - share + share / sizes / np.mean(1 / sizes))
    data = contrasts(noise(n, 3, sd), n1)
    found = SizeModelT(sizes, np.ones(n)).infer(data, 0.95)
    assert rejected(found) < 0.07
    pooled = rejected(PooledT(np.ones(n)).infer(data, 0.95))
    assert pooled < 0.04 if largest_first else pooled > 0.075  # too few, or too many


def test_the_size_model_interval_leaves_out_0_just_when_p_is_small_and_moves_with_the_effect() -> None:
    sizes = lists(15)
    values = np.random.default_rng(4).standard_normal((300, 15)) * np.sqrt(5000 / sizes)
    model, shift = SizeModelT(sizes, np.ones(15)), 7.0 * (np.arange(15) < 2)
    found = model.infer(contrasts(values + 1.5 * (np.arange(15) < 2), 2), 0.95)
    outside = (found.low > 0) | (found.high < 0)
    np.testing.assert_array_equal(outside, found.p_value < 0.05)
    assert 20 < outside.sum() < 280
    moved = model.infer(contrasts(values + 1.5 * (np.arange(15) < 2) + shift, 2), 0.95)
    np.testing.assert_allclose(moved.low, found.low + 7, rtol=1e-8)
    np.testing.assert_allclose(moved.high, found.high + 7, rtol=1e-8)


def test_scaling_values_scales_the_size_model_interval() -> None:
    sizes = lists(15)
    data = np.random.default_rng(4).standard_normal((50, 15))
    one = SizeModelT(sizes, np.ones(15)).infer(contrasts(data, 2), 0.95)
    ten = SizeModelT(sizes, np.ones(15)).infer(contrasts(10 * data, 2), 0.95)
    np.testing.assert_allclose(ten.low, 10 * one.low, rtol=1e-8)


def test_the_gate_takes_the_larger_p_and_joins_the_intervals() -> None:
    data = contrasts(np.random.default_rng(9).normal(size=12), 3)
    found = choose(data, places(12, 3), Auto(), 0.95)
    assert isinstance(found.procedure, Wider)
    joined = found.procedure.infer(data, 0.95)
    one, two = found.procedure.first.infer(data, 0.95), found.procedure.second.infer(data, 0.95)
    assert joined.p_value[0] == max(one.p_value[0], two.p_value[0])
    assert joined.low[0] == min(one.low[0], two.low[0]) and joined.high[0] == max(one.high[0], two.high[0])


def test_what_does_not_vary_at_all_has_no_interval() -> None:
    found = PooledT(np.ones(10)).infer(contrasts(3.0 * (np.arange(10) < 1), 1), 0.95)
    assert found.estimate[0] == 3.0 and np.isnan(found.p_value[0]) and np.isnan(found.low[0])
    found = SizeModelT(lists(10), np.ones(10)).infer(contrasts(3.0 * (np.arange(10) < 1), 1), 0.95)
    assert np.isnan(found.p_value[0]) and np.isnan(found.low[0])


def test_too_few_permutations_to_test_at_5_per_cent_are_refused() -> None:
    with pytest.raises(UsageError, match="99 is the least"):
        Auto(permutations=50)
