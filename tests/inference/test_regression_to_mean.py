"""The meter against sums worked out term by term, planted truths, and an identity that needs no model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson
from scipy.stats import t as student

from ucimpact.errors import EstimationError
from ucimpact.inference import regression_to_mean as rtm
from ucimpact.inference.regression_to_mean import at_their_rate, explained, from_comparison, gamma_poisson

PUBLISHED = {0.4: (54, 58, 60), 0.7: (62, 68, 70)}
"""Apparent falls, in per cent, of a useless service whose clients had 1, 2, 3 or more admissions in six months."""


def truth(shape: float, mean: float, mark: int) -> tuple[float, float]:
    """Mean before of those picked, and their mean over as long again, by adding up the distribution."""
    counts = np.arange(mark, 6000)
    weight = nbinom.pmf(counts, shape, shape / (shape + mean))
    rate = (shape + counts) / (shape / mean + 1)
    return float(weight @ counts / weight.sum()), float(weight @ rate / weight.sum())


def picked(
    rng: np.random.Generator, n: int, shape: float, mean: float, mark: int
) -> tuple[np.ndarray, np.ndarray]:
    """Counts and true rates of the first ``n`` people who reach the mark."""
    counts, rates = np.zeros(0), np.zeros(0)
    while len(counts) < n:
        rate = rng.gamma(shape, mean / shape, 40 * n)
        count = rng.poisson(rate)
        counts = np.concatenate([counts, count[count >= mark]])
        rates = np.concatenate([rates, rate[count >= mark]])
    return counts[:n], rates[:n]


@pytest.mark.parametrize("shape", [0.05, 0.4, 2.0, 60.0])
@pytest.mark.parametrize("mean", [0.1, 0.9, 6.0])
@pytest.mark.parametrize("mark", [1, 2, 5])
def test_the_closed_forms_are_the_sums(shape, mean, mark):
    model = rtm._Truncated(np.array([mark, mark + 1.0]), mark)
    before, after = truth(shape, mean, mark)
    u = np.log(mean / shape)
    assert float(model.seen(shape, u)) == pytest.approx(before, rel=1e-9)
    assert float(model.after(shape, u)) == pytest.approx(after, rel=1e-9)
    at_mark = nbinom.pmf(mark, shape, shape / (shape + mean)) / nbinom.sf(
        mark - 1, shape, shape / (shape + mean)
    )
    assert before - after == pytest.approx(mark * at_mark, rel=1e-9)


def test_the_likelihood_is_that_of_the_negative_binomial_cut_off():
    counts = np.array([2, 2, 2, 3, 3, 5, 8.0])
    model = rtm._Truncated(counts, 2)
    for shape, mean in ((0.4, 0.3), (3.0, 2.0)):
        p = shape / (shape + mean)
        by_hand = nbinom.logpmf(counts, shape, p).sum() - len(counts) * nbinom.logsf(1, shape, p)
        assert float(model.loglik(shape, np.log(mean / shape))) == pytest.approx(by_hand, rel=1e-10)


@pytest.mark.parametrize("shape", PUBLISHED)
def test_the_falls_of_a_useless_service_that_were_published(shape):
    """Picked for 1, 2, 3 or more admissions in six months, at 0.45 a year on average: a fall of 54%, 58% and 60%."""
    falls = [1 - after / before for before, after in (truth(shape, 0.225, mark) for mark in (1, 2, 3))]
    assert [100 * fall for fall in falls] == pytest.approx(PUBLISHED[shape], abs=0.6)


@pytest.mark.parametrize("shape", PUBLISHED)
@pytest.mark.parametrize("mark", [1, 2, 3])
def test_the_fit_finds_those_falls_from_the_counts_alone(shape, mark):
    """The expected distribution itself as the sample: a fit must give back the truth."""
    counts = np.arange(mark, 40)
    weight = nbinom.pmf(counts, shape, shape / (shape + 0.225))
    found = gamma_poisson(np.repeat(counts, np.round(4e5 * weight / weight.sum()).astype(int)), mark)
    before, after = truth(shape, 0.225, mark)
    assert found.fall[0] / found.before == pytest.approx(1 - after / before, rel=2e-3)
    assert found.shape == pytest.approx(shape, rel=0.05) and not found.edge


def test_a_table_by_hand():
    """Of 100 people with one or more, 60 had exactly one: those 60 events do not come back, whatever the rates."""
    counts = np.repeat([1, 2, 3], [60, 25, 15])
    found = gamma_poisson(counts, 1)
    assert found.before == pytest.approx(1.55)
    assert found.free_fall == pytest.approx(0.60)
    assert found.expected == pytest.approx(1.55 - 0.60, abs=0.05)


def test_people_all_alike_give_the_poisson_cut_off_at_one():
    """Under-dispersed counts have no best shape; at the end the fit is the Poisson without its zeros."""
    counts = np.repeat([1, 2, 3], [34, 56, 10])
    found = gamma_poisson(counts, 1)
    rates = np.linspace(0.5, 3, 200_001)
    fit = rates[np.argmin(np.abs(rates / -np.expm1(-rates) - counts.mean()))]
    assert found.edge == "alike" and found.shape == np.inf
    assert found.expected == pytest.approx(fit, rel=2e-3)
    assert found.low < found.expected < found.high
    assert not found.fits  # 34 of 100 at the mark, where a Poisson has 49


def test_no_rule_is_no_fall():
    counts = np.random.default_rng(1).poisson(1.0, 50)
    found = gamma_poisson(counts, 0)
    assert found.fall == (0, 0, 0)
    assert found.expected == found.before == pytest.approx(counts.mean())


def test_the_interval_covers_what_these_people_would_have_had():
    """Weakly known shapes and marks up to 3, from 30 people; pooled over 480 sets two sd are 2 points."""
    rng, held = np.random.default_rng(20), []
    cases = ((30, 0.4, 0.225, 1), (60, 0.4, 0.225, 2), (120, 0.7, 0.225, 3), (60, 2.0, 1.0, 2))
    for n, shape, mean, mark in cases:
        for _ in range(120):
            counts, _ = picked(rng, n, shape, mean, mark)
            found = gamma_poisson(counts, mark)
            held.append(found.low <= mean / (shape + mean) * (shape + counts.mean()) <= found.high)
    assert 0.92 <= np.mean(held) <= 0.985


@pytest.mark.parametrize("kind", ["log-normal", "two kinds"])
def test_the_interval_does_not_need_the_gamma(kind):
    """Rates of another spread: what people with each count have on average is added up from a large population."""
    rng, held = np.random.default_rng(21), []
    size = 400_000
    rate = (
        rng.lognormal(-2.2, 1.2, size) if kind == "log-normal" else rng.choice([0.1, 1.5], size, p=[0.9, 0.1])
    )
    count = rng.poisson(rate)
    by_count = np.bincount(count, weights=rate) / np.maximum(np.bincount(count), 1)
    pool = np.flatnonzero(count >= 2)
    for _ in range(120):
        counts = count[rng.choice(pool, 80)]
        found = gamma_poisson(counts, 2)
        held.append(found.low <= by_count[counts].mean() <= found.high)
    assert np.mean(held) > 0.915  # two sd of 120 draws below 0.955


def test_a_higher_mark_or_fewer_people_widen_the_interval():
    rng = np.random.default_rng(22)
    few, many = (gamma_poisson(picked(rng, n, 0.4, 0.225, 2)[0], 2) for n in (40, 640))
    assert few.high - few.low > 2 * (many.high - many.low)


def test_the_influence_gives_the_spread_of_the_estimate():
    """Over all who would be picked, and for these people, whose error is smaller or larger by a known multiple."""
    rng, fits, errors = np.random.default_rng(23), [], []
    named, given = [], []
    for _ in range(200):
        counts, _ = picked(rng, 300, 2.0, 1.0, 2)
        found, model = gamma_poisson(counts, 2), rtm._Truncated(counts, 2)
        k, u, edge = model.best()
        influence = model.influence(k, u, profiled=not edge)
        named.append(np.sqrt((model.often * influence**2).sum()) / 300)
        given.append(named[-1] * model.these(k, u, profiled=not edge))
        fits.append(found.expected)
        errors.append(found.expected - (2 + counts.mean()) / 3)
    assert np.mean(named) == pytest.approx(np.std(fits), rel=0.15)
    assert np.mean(given) == pytest.approx(np.std(errors), rel=0.15)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=20, max_size=80), st.integers(1, 4))
def test_whatever_the_counts_the_meter_keeps_its_order(extra, mark):
    counts = np.array(extra) + mark
    if not (counts > mark).any():
        with pytest.raises(EstimationError, match="exactly"):
            gamma_poisson(counts, mark)
        return
    found = gamma_poisson(counts, mark)
    assert 0 <= found.low <= found.expected <= found.high
    assert 0 <= found.fall[0] <= mark
    assert found.fall[1] <= found.fall[0] <= found.fall[2]
    assert found.free_low <= found.free_fall <= found.free_high
    again = gamma_poisson(counts[::-1], mark)
    assert again.expected == pytest.approx(found.expected, rel=1e-9)


@pytest.mark.parametrize(
    "counts, mark, told",
    [
        (np.full(19, 3), 2, "19 people are too few"),
        (np.r_[np.full(30, 3), 1, 1], 2, "2 of 32 people had fewer than 2"),
        (np.full(40, 2), 2, "exactly 2"),
        (np.r_[np.full(30, 3), 2.5], 2, "1 of 31 values"),
        (np.r_[np.full(30, 3), np.nan], 2, "1 of 31 values"),
    ],
)
def test_what_cannot_be_told_is_refused_with_its_number(counts, mark, told):
    with pytest.raises(EstimationError, match=told):
        gamma_poisson(counts, mark)


# --- comparison people -----------------------------------------------------------------------------


def test_comparison_people_by_hand():
    """After = 0.2 + 0.5 x before, exactly: at the pilot's mean of 3 that is 1.7, whoever was followed how long."""
    before = np.tile([1.0, 2, 3, 4], 10)
    days = np.tile([1.0, 0.5], 20)
    found = from_comparison(before, days * (0.2 + 0.5 * before), days, 3.0)
    assert found.expected == pytest.approx(1.7)
    assert found.fall == pytest.approx((1.3, 1.3, 1.3))


def test_the_line_of_comparison_people_is_least_squares_with_its_robust_error():
    """Judged by the usual matrices: HC1 of weighted least squares, at the pilot's mean."""
    rng = np.random.default_rng(25)
    before, days = rng.poisson(2.0, 60) + 2.0, rng.uniform(0.3, 1.0, 60)
    after = rng.poisson(days * (0.3 + 0.4 * before))
    x = np.column_stack([np.ones(60), before])
    bread = np.linalg.inv(x.T @ (days[:, None] * x))
    coef = bread @ (x.T @ after)
    residual = after - days * (x @ coef)
    cov = 60 / 58 * bread @ (x.T * residual**2) @ x @ bread
    at = np.array([1.0, 4.4])
    found = from_comparison(before, after, days, 4.4)
    assert found.expected == pytest.approx(at @ coef)
    assert found.high - found.expected == pytest.approx(student.ppf(0.975, 58) * np.sqrt(at @ cov @ at))


def test_comparison_people_all_at_one_count_give_their_mean():
    found = from_comparison(np.full(30, 2.0), np.tile([0.0, 1, 2], 10), np.ones(30), 2.0)
    assert found.expected == pytest.approx(1.0)


def test_the_interval_by_comparison_people_covers():
    """Pilot people sicker than the comparison people, both picked for two or more; some leave early."""
    rng, held = np.random.default_rng(24), []
    for _ in range(200):
        own, _ = picked(rng, 60, 1.0, 1.5, 2)
        counts, rates = picked(rng, 90, 1.0, 1.0, 2)
        days = np.where(rng.random(90) < 0.2, 0.5, 1.0)
        found = from_comparison(counts, rng.poisson(rates * days), days, float(own.mean()))
        held.append(found.low <= 0.5 * (1 + own.mean()) <= found.high)
    assert 0.91 <= np.mean(held) <= 0.985


def test_few_comparison_people_are_refused():
    with pytest.raises(EstimationError, match="19 comparison people"):
        from_comparison(np.ones(19), np.ones(19), np.ones(19), 1.0)


# --- the share -------------------------------------------------------------------------------------


@given(st.floats(0.2, 3), st.floats(1.0, 3), st.floats(0.02, 0.3), st.floats(0.02, 0.3))
def test_even_limits_give_fiellers_interval(top, bottom, se_top, se_bottom):
    """Roots of (top - r bottom)^2 = 1.96^2 (var_top + r^2 var_bottom)."""
    up, down = 1.96 * se_top, 1.96 * se_bottom
    share = explained((top, top - up, top + up), (bottom, bottom - down, bottom + down))
    roots = np.roots([bottom**2 - down**2, -2 * top * bottom, top**2 - up**2])
    assert [share.low, share.high] == pytest.approx(sorted(roots.real), rel=1e-6, abs=1e-9)
    assert share.value == pytest.approx(top / bottom)


def test_a_fall_that_may_be_nothing_has_no_share():
    with pytest.raises(ValueError, match="clear of 0"):
        explained((1.0, 0.8, 1.2), (0.5, -0.1, 1.1))


def test_mixing_any_poissons_gives_the_robbins_identity():
    """The line that needs no gamma: two kinds of people, summed term by term."""
    counts = np.arange(0, 400)
    mixed = 0.7 * poisson.pmf(counts, 0.3) + 0.3 * poisson.pmf(counts, 4.0)
    rate = 0.7 * poisson.pmf(counts, 0.3) * 0.3 + 0.3 * poisson.pmf(counts, 4.0) * 4.0
    kept = counts >= 2
    fall = (mixed[kept] @ counts[kept] - rate[kept].sum()) / mixed[kept].sum()
    assert fall == pytest.approx(2 * mixed[2] / mixed[kept].sum(), rel=1e-9)


def test_people_picked_at_an_event_have_a_range_that_covers():
    """The event is taken off; how many others they have again is known as surely as a mean is."""
    rng, held = np.random.default_rng(8), 0
    for _ in range(300):
        rate = rng.gamma(1.5, 0.5, 80)
        found = at_their_rate(rng.poisson(rate))
        held += found.low <= 0.75 <= found.high
    assert 0.91 <= held / 300 <= 0.98
