"""The collapse to binomials, the restricted likelihood by hand, quantiles of a mixture, and Neyman's variance."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ucimpact.inference.count_dealing import dealings, dealt
from ucimpact.inference.count_effects import (
    Counts,
    Sets,
    expected_by_level,
    expected_by_ratio,
    found_in,
    loadings,
)
from ucimpact.inference.count_places import (
    GRID,
    PRIOR_SCALE,
    Contributions,
    Uncertainty,
    borrowed,
    own_spread,
    posterior,
)

Array = np.ndarray


def counted(seed: int = 1, *, starts: tuple[int, ...] = (6, 6, 6), units: int = 14, periods: int = 10) -> Any:
    """Counts, their free cells, and the cells with the pilot."""
    rng = np.random.default_rng(seed)
    start = np.full(units, 10**6)
    start[: len(starts)] = starts
    people = np.exp(rng.normal(8, 0.5, (units, 1)) + 0.05 * rng.standard_normal((units, periods)))
    y = rng.poisson(people * 0.01 * np.exp(0.2 * rng.standard_normal((units, periods)))).astype(float)
    begun = np.arange(periods) >= start[:, None]
    cohort = np.unique(start, return_inverse=True)[1].reshape(-1)
    counts = Counts(y, people, np.ones_like(y), cohort, np.arange(units), start > 10**5)
    return counts, ~begun, Sets(np.where(begun, 0, -1), 1)


# -- what each cell adds -------------------------------------------------------------------


@pytest.mark.parametrize("scale", ["ratio", "level"])
@pytest.mark.parametrize("never_only", [False, True])
def test_loadings_are_derivatives(scale: str, never_only: bool) -> None:
    counts, free, sets = counted(2, starts=(4, 6, 6, 8))

    def log_expected(y: Array) -> float:
        made = Counts(y, counts.people, counts.weights, counts.cohort, counts.places, counts.never)
        expected, _ = expected_by_ratio(made, free, never_only=never_only)
        if scale == "level":
            expected = expected_by_level(made, expected)
        return float(np.log(sets.totals(np.where(sets.label >= 0, expected.value, 0.0))[0]))

    expected, _ = expected_by_ratio(counts, free, never_only=never_only)
    if scale == "level":
        expected = expected_by_level(counts, expected)
    found = loadings(expected, sets)[0]
    for unit, period in ((0, 1), (1, 5), (3, 0), (9, 4), (13, 9)):
        up, down = counts.y.copy(), counts.y.copy()
        up[unit, period] += 1e-3
        down[unit, period] -= 1e-3
        slope = (log_expected(up) - log_expected(down)) / 2e-3
        assert found[unit, period] == pytest.approx(slope, rel=1e-4, abs=1e-9)


def test_with_one_start_places_are_binomials_given_their_totals() -> None:
    """Deviation (y - n p)/(n p q) and noise 1/(n p q), as in the binomial random-effects model.

    Exactly so where lists do not change; their changes tilt the months of a place against one another.
    """
    counts, free, sets = counted(3)
    people = np.broadcast_to(counts.people[:, :1], counts.y.shape)
    counts = Counts(counts.y, people, counts.weights, counts.cohort, counts.places, counts.never)
    expected, _ = expected_by_ratio(counts, free)
    found = found_in(expected, sets, 1.0)
    value, noise = found.contributions.deviation
    others = ~counts.place_pilot
    after, before = slice(6, None), slice(None, 6)
    mean_after, mean_before = expected.mean[:, after].sum(axis=1), expected.mean[:, before].sum(axis=1)
    n, p = mean_after + mean_before, mean_after / (mean_after + mean_before)
    late = counts.y[:, after].sum(axis=1)
    total = counts.y.sum(axis=1)
    np.testing.assert_allclose(-value[0, others], ((late - total * p) / (n * p * (1 - p)))[others], rtol=1e-6)
    np.testing.assert_allclose(noise[0, others], (1 / (n * p * (1 - p)))[others], rtol=1e-6)
    np.testing.assert_allclose(found.contributions.drift[0], -value[0, others], rtol=1e-6)
    np.testing.assert_allclose(found.contributions.drift_noise[0], noise[0, others], rtol=1e-6)
    size = found.contributions.size[0]
    assert size[others].sum() == pytest.approx(1) and size[~others].sum() == pytest.approx(1)
    assert found.contributions.added[0].sum() == pytest.approx(0, abs=1e-10)


# -- uncertainty -----------------------------------------------------------------------------


def made(seed: int = 1, pilots: int = 3, others: int = 9, noise: float = 0.01) -> Contributions:
    rng = np.random.default_rng(seed)
    n = pilots + others
    pilot = np.arange(n) < pilots
    size = np.where(pilot, 1 / pilots, 1 / others)[None, :]
    value = 0.15 * rng.standard_normal(n)
    for group in (pilot, ~pilot):
        value[group] -= value[group].mean()
    added = value[None, :] * size * np.where(pilot, 1, -1)
    return Contributions(
        estimate=np.array([-0.2]),
        added=added,
        size=size,
        noise=size**2 * noise,
        own=pilot[None, :],
        pilot=pilot,
        row=np.array([0]),
        share=np.array([1.0]),
        drift=value[None, ~pilot],
        drift_noise=np.full((1, others), noise),
    )


def test_weights_of_the_drift_are_the_restricted_likelihood_times_the_prior() -> None:
    given = made()
    value = given.deviation[0][0]
    logs = []
    for tau in GRID:
        log = 0.0
        for group in (given.pilot, ~given.pilot):
            v = np.full(int(group.sum()), 0.01 + tau**2)
            x = np.ones((len(v), 1))
            inverse = np.diag(1 / v)
            projection = inverse - inverse @ x @ np.linalg.inv(x.T @ inverse @ x) @ x.T @ inverse
            quadratic = value[group] @ projection @ value[group]
            log -= 0.5 * (np.log(v).sum() + np.log((x.T @ inverse @ x)[0, 0]) + quadratic)
        logs.append(log - tau**2 / (2 * PRIOR_SCALE**2))
    middle = (GRID[1:] + GRID[:-1]) / 2
    widths = np.diff(np.concatenate([[0.0], middle, [GRID[-1]]]))
    expected = np.exp(np.array(logs) - max(logs)) * widths
    np.testing.assert_allclose(posterior(given)[0], expected / expected.sum(), rtol=1e-8)


def test_p_value_and_interval_are_those_of_the_mixture() -> None:
    given = made()
    sure = borrowed(given, np.ones(12), posterior(given))
    for level in (0.8, 0.95, 0.99):
        half = sure.half(level)[0]
        outside = (sure.weights[0] * 2 * stats.norm.sf(half / sure.sd[0])).sum()
        assert outside == pytest.approx(1 - level, rel=1e-9)
        assert sure.p_value(np.array([half]))[0] == pytest.approx(1 - level, rel=1e-9)
    variance = (sure.weights[0] * sure.sd[0] ** 2).sum()
    assert sure.std_error[0] == pytest.approx(np.sqrt(variance))


def test_a_spread_that_is_allowed_widens_the_pilot_alone() -> None:
    given = made()
    weights = posterior(given)
    spread = np.where(given.pilot, 4.0, 1.0)
    tau2 = weights[0] @ GRID**2
    mine = ((given.size**2 * tau2 + given.noise)[0])[given.pilot].sum()
    one, four = (borrowed(given, s, weights).std_error[0] ** 2 for s in (np.ones(12), spread))
    assert four - one == pytest.approx(3 * mine)


@pytest.mark.parametrize(("pilots", "others"), [(6, 24), (3, 9), (10, 20)])
def test_with_equal_parts_own_spread_is_neymans_with_bell_mccaffrey(pilots: int, others: int) -> None:
    given = made(5, pilots, others, noise=0.0)
    weights = np.zeros((1, len(GRID)))
    weights[0, 20] = 1.0
    error, df = own_spread(given, weights)
    value = given.deviation[0][0]
    spread = [value[group].var(ddof=1) for group in (given.pilot, ~given.pilot)]
    assert error[0] ** 2 == pytest.approx(spread[0] / pilots + spread[1] / others)
    below = 1 / (pilots**2 * (pilots - 1)) + 1 / (others**2 * (others - 1))
    assert df[0] == pytest.approx((1 / pilots + 1 / others) ** 2 / below)


def test_own_spread_is_right_on_average_where_parts_differ() -> None:
    """With the supposed variances true the mean of the variance is the truth: 20,000 draws."""
    rng = np.random.default_rng(7)
    size = np.concatenate([rng.dirichlet(np.ones(6)), rng.dirichlet(3 * np.ones(12))])
    pilot = np.arange(18) < 6
    tau, noise = GRID[28], 0.02 * rng.random(18)
    sd = np.sqrt(size**2 * tau**2 + noise * size**2)
    x = sd * rng.standard_normal((20_000, 18))
    for group in (pilot, ~pilot):
        x[:, group] -= size[group] * x[:, group].sum(axis=1, keepdims=True)
    weights = np.zeros((len(x), len(GRID)))
    weights[:, 28] = 1.0
    rows = np.ones((len(x), 1))
    given = Contributions(
        estimate=np.zeros(len(x)),
        added=x,
        size=size * rows,
        noise=noise * size**2 * rows,
        own=np.broadcast_to(pilot, x.shape),
        pilot=pilot,
        row=np.zeros(0, dtype=int),
        share=np.zeros(0),
        drift=np.zeros((0, 12)),
        drift_noise=np.zeros((0, 12)),
    )
    error, df = own_spread(given, weights)
    truth = (sd**2).sum()
    assert (error**2).mean() == pytest.approx(truth, rel=0.03)
    assert df[0] == pytest.approx(2 * truth**2 / (error**2).var(), rel=0.05)


def test_t_and_mixture_stand_side_by_side() -> None:
    given = made()
    weights = posterior(given)
    mixed = borrowed(given, np.ones(12), weights)
    both = Uncertainty(
        np.vstack([mixed.weights, mixed.weights]),
        np.vstack([mixed.sd, mixed.sd]),
        np.array([mixed.std_error[0], 0.1]),
        np.array([np.nan, 5.0]),
    )
    half = both.half(0.95)
    assert half[0] == pytest.approx(mixed.half(0.95)[0])
    assert half[1] == pytest.approx(stats.t.ppf(0.975, 5) * 0.1)
    assert both.p_value(half).tolist() == pytest.approx([0.05, 0.05])
    assert both.own_spread.tolist() == [False, True]


# -- dealing ---------------------------------------------------------------------------------


def by_hand(drift: Array, noise: Array, seats: dict[int, int], share: Array, tau2: float) -> list[float]:
    """How far out every way of seating is, the data's own first, one place after the other."""
    sd = np.sqrt(noise + tau2)
    z = drift / sd
    z = z - z.mean(axis=1, keepdims=True)
    places, starts = list(seats), list(seats.values())
    weight = [share[j] * sd[starts[j], places[j]] for j in range(len(places))]
    n = z.shape[1]
    out = []
    for sat in [tuple(places), *itertools.permutations(range(n), len(places))]:
        rest = [i for i in range(n) if i not in sat]
        gaps = (w * (z[s, i] - z[s, rest].mean()) for w, s, i in zip(weight, starts, sat, strict=True))
        out.append(abs(sum(gaps)))
    return out


@pytest.mark.parametrize(
    ("seats", "share", "number"),
    [
        ({4: 0}, [1.0], 9),
        ({4: 0, 1: 1}, [0.4, 0.6], 72),
        ({4: 0, 1: 0}, [0.5, 0.5], 36),
        ({4: 1, 1: 0, 7: 1}, [0.3, 0.4, 0.3], 252),
    ],
)
def test_all_different_dealings_are_gone_through_where_they_are_few(
    seats: dict[int, int], share: list[float], number: int
) -> None:
    rng = np.random.default_rng(3)
    drift, noise = rng.standard_normal((2, 9)), np.full((2, 9), 0.3)
    found = dealt(drift, noise, seats, np.array(share), 0.02, 9_999, 1)
    assert found is not None and found.every and found.number == number
    far = np.array(by_hand(drift, noise, seats, np.array(share), 0.02))
    assert found.p_value == pytest.approx((far[1:] >= far[0] * (1 - 1e-9)).mean(), rel=1e-12)
    assert found.smallest == pytest.approx((far[1:] >= far.max() * (1 - 1e-9)).mean(), rel=1e-12)
    assert found.smallest >= 1 / number - 1e-12 and found.p_value >= found.smallest


def test_drawn_dealings_count_the_datas_own_and_never_fall_below_it() -> None:
    rng = np.random.default_rng(4)
    drift, noise = 0.1 * rng.standard_normal((1, 30)), np.full((1, 30), 0.01)
    drift[0, :4] += 50.0
    found = dealt(drift, noise, {0: 0, 1: 0, 2: 0, 3: 0}, np.array([0.1, 0.2, 0.3, 0.4]), 0.0, 199, 1)
    assert found is not None and not found.every
    assert found.smallest == 1 / 200 and found.p_value >= 1 / 200
    assert dealings(30, (1, 1, 1, 1)) == 30 * 29 * 28 * 27 and dealings(9, (2, 1)) == 252


def test_a_place_that_says_nothing_has_no_seat() -> None:
    rng = np.random.default_rng(5)
    drift, noise = rng.standard_normal((1, 12)), np.full((1, 12), 0.3)
    with_them = noise.copy()
    with_them[0, 11] = np.inf
    found = dealt(drift, with_them, {0: 0, 5: 0}, np.array([1.0, 0.0]), 0.02, 9_999, 1)
    heard = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    alone = dealt(drift[:, heard], noise[:, heard], {0: 0}, np.array([1.0]), 0.02, 9_999, 1)
    assert found == alone and alone is not None and alone.number == 10
    assert dealt(drift, noise, {0: 0}, np.array([0.0]), 0.02, 99, 1) is None
