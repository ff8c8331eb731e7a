"""Posteriors known in closed form or by integration, statsmodels' smoother, and the joint distribution."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.special import logsumexp

from ucimpact.inference.structural import Scan, StructuralModel
from ucimpact.inference.structural_regression import SpikeAndSlab
from ucimpact.inference.structural_state import Form, Start, StatePath
from ucimpact.inference.structural_variance import VariancePrior

# -- variances -------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [10.0, 1.1, 0.8])
def test_a_variance_has_its_posterior_cut_off_above(most: float) -> None:
    prior, rng = VariancePrior(guess=0.5, weight=4.0, most=most), np.random.default_rng(3)
    draws = np.array([prior.draw(rng, 16, 19.0) for _ in range(6000)])
    whole = stats.invgamma(10.0, scale=(4 * 0.25 + 19) / 2)
    shares = whole.cdf(draws) / whole.cdf(most**2)
    assert stats.kstest(shares, "uniform").pvalue > 0.01
    assert prior.log_within(10.0, 10.0) == pytest.approx(np.log(whole.cdf(most**2)), abs=1e-12)


# -- the path --------------------------------------------------------------------------------------

FORMS = {
    "level": Form(),
    "slope": Form(slope=True),
    "season": Form(season=4),
    "both": Form(slope=True, season=3),
}
VARIANCES = {"level": 0.09, "slope": 0.02, "season": 0.05}


def known(form: Form, y: np.ndarray) -> Any:
    """statsmodels' model of the same path, all variances and the first states' prior given."""
    unobserved = pytest.importorskip("statsmodels.tsa.statespace.structural").UnobservedComponents
    level = "lltrend" if form.slope else "llevel"
    model = unobserved(y, level, seasonal=form.season or None, stochastic_seasonal=bool(form.season))
    sd, mean = 1.7, np.zeros(model.k_states)
    mean[0] = 0.8
    model.loglikelihood_burn = model.ssm.loglikelihood_burn = 0
    model.ssm.initialize_known(mean, np.eye(model.k_states) * sd**2)
    return model, [0.3, *(VARIANCES[name] for name in form.noises)]


@pytest.mark.parametrize("name", sorted(FORMS))
def test_path_and_likelihood_are_those_of_a_kalman_smoother(name: str) -> None:
    form, rng = FORMS[name], np.random.default_rng(6)
    y = rng.normal(size=15).cumsum()
    y[[3, 4, 14]] = np.nan
    model, params = known(form, y)
    judge = model.smooth(params)

    seen = np.isfinite(y)
    path = StatePath(form, Start(level=0.8, sd=1.7), seen)
    band = path.precision(params[0], params[1:])
    factor = cholesky_banded(band, lower=True)
    mean = cho_solve_banded((factor, True), path.pull(y[seen], params[0]))
    covariance = cho_solve_banded((factor, True), np.eye(path.size))
    np.testing.assert_allclose(mean[path.level], judge.smoothed_state[0], rtol=1e-8)
    np.testing.assert_allclose(np.diag(covariance)[path.level], judge.smoothed_state_cov[0, 0], rtol=1e-8)

    noises = zip(path.squares(mean), params[1:], [r.shape[0] for r in path.noises.values()], strict=True)
    states = sum(-0.5 * (s / v + k * np.log(2 * np.pi * v)) for s, v, k in noises)
    first = np.flatnonzero(path.precision(1e300, [1e300] * len(form.noises))[0] > 1e-12)
    starts = np.where(first == path.level[0], 0.8, 0.0)
    states += stats.norm.logpdf(mean[first], starts, 1.7).sum()
    values = stats.norm.logpdf(y[seen], path.picks @ mean, np.sqrt(params[0])).sum()
    given = np.log(factor[0]).sum() - path.size / 2 * np.log(2 * np.pi)
    assert values + states - given == pytest.approx(judge.llf, rel=1e-9)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_draw_of_the_path_has_its_mean_and_covariance(name: str) -> None:
    form, rng = FORMS[name], np.random.default_rng(8)
    path = StatePath(form, Start(level=1.0), np.array([True, True, False, True, True, True]))
    target, variances = rng.normal(size=5), [VARIANCES[noise] for noise in form.noises]
    draws = np.array([path.draw(rng, target, 0.4, variances) for _ in range(20_000)])
    band = path.precision(0.4, variances)
    factor = (cholesky_banded(band, lower=True), True)
    mean, covariance = (
        cho_solve_banded(factor, path.pull(target, 0.4)),
        cho_solve_banded(factor, np.eye(path.size)),
    )
    scale = np.sqrt(np.diag(covariance))
    assert np.max(np.abs(draws.mean(axis=0) - mean) / scale) < 4.5 / np.sqrt(20_000)
    found = np.cov(draws.T) / np.outer(scale, scale)
    np.testing.assert_allclose(found, covariance / np.outer(scale, scale), atol=0.04)


def test_a_level_alone_goes_on_where_it_was_with_a_growing_spread() -> None:
    path = StatePath(Form(), Start(level=0.0), np.ones(5, dtype=bool))
    states = np.tile([0.0, 0.0, 0.0, 0.0, 3.0], (40_000, 1))
    ahead = path.ahead(np.random.default_rng(1), states, np.full((40_000, 1), 0.25), 9)
    np.testing.assert_allclose(ahead.mean(axis=0), 3.0, atol=0.04)
    np.testing.assert_allclose(ahead.var(axis=0), 0.25 * np.arange(1, 10), rtol=0.04)


def test_a_slope_and_a_season_without_noise_go_on_as_they_were() -> None:
    form = Form(slope=True, season=4)
    path = StatePath(form, Start(level=0.0), np.ones(8, dtype=bool))
    t, pattern = np.arange(20), np.array([1.0, -2.0, 3.0, -2.0])
    states = np.zeros((1, path.size))
    states[0, path.level], states[0, path.slope] = 5 + 0.5 * t[:8], 0.5
    states[0, path.season] = np.resize(np.roll(pattern, 2), 10)
    np.testing.assert_allclose(path.squares(states[0]), 0, atol=1e-20)
    whole = 5 + 0.5 * t + pattern[t % 4]
    np.testing.assert_allclose(path.mean(states)[0], whole[:8])
    found = path.ahead(np.random.default_rng(1), states, np.zeros((1, 3)), 12)
    np.testing.assert_allclose(found[0], whole[8:], atol=1e-12)


# -- the regression --------------------------------------------------------------------------------


def regression(seed: int = 4, n: int = 14, most: float = 50.0) -> tuple[SpikeAndSlab, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    x[:, 2] += 0.8 * x[:, 0]
    noise = VariancePrior(guess=0.7, weight=6.0, most=most)
    return SpikeAndSlab(x, np.array([0.4, 0.25, 1.0]), noise), x[:, 0] * 1.1 + rng.normal(size=n)


def test_columns_are_in_as_often_as_the_integral_says() -> None:
    """Without b and the variance, the values of a pattern are a multivariate t."""
    made, y = regression()
    n, chances = len(y), []
    patterns = [(a, b, 1) for a, b in product((0, 1), repeat=2)]
    for pattern in patterns:
        at = np.flatnonzero(pattern)
        spread = np.eye(n) + made.x[:, at] @ np.linalg.solve(made.slab[np.ix_(at, at)], made.x[:, at].T)
        log = stats.multivariate_t(shape=0.49 * spread, df=6.0).logpdf(y)
        prior = np.where(np.array(pattern) == 1, made.chance, 1 - made.chance).clip(1e-300)
        chances.append(log + np.log(prior).sum())
    expected = np.exp(np.array(chances) - logsumexp(chances))

    rng, key, met = np.random.default_rng(1), made.all_in, dict.fromkeys(patterns, 0)
    for _ in range(8000):
        key, coef, _ = made.draw(rng, y, key)
        met[(key & 1, key >> 1 & 1, key >> 2 & 1)] += 1
        assert np.all((coef != 0) == [key >> j & 1 for j in range(3)])
    np.testing.assert_allclose([met[p] / 8000 for p in patterns], expected, atol=0.025)
    assert expected.max() < 0.9  # an easy choice would show little


def test_coefficients_and_noise_have_their_conjugate_posterior() -> None:
    made, y = regression()
    rng = np.random.default_rng(2)
    kept = SpikeAndSlab(made.x, np.ones(3), made.noise)
    drawn = [kept.draw(rng, y, kept.all_in) for _ in range(20_000)]
    coef, noise = np.array([d[1] for d in drawn]), np.array([d[2] for d in drawn])
    v = made.x.T @ made.x + made.slab
    mean = np.linalg.solve(v, made.x.T @ y)
    shape, rate = (6 + 14) / 2, (6 * 0.49 + y @ y - y @ made.x @ mean) / 2
    spread = rate / (shape - 1) * np.linalg.inv(v)
    np.testing.assert_allclose(coef.mean(axis=0), mean, atol=4.5 * np.sqrt(np.diag(spread).max() / 20_000))
    np.testing.assert_allclose(np.cov(coef.T), spread, rtol=0.08, atol=0.002)
    assert noise.mean() == pytest.approx(rate / (shape - 1), rel=0.02)


def test_a_bound_on_the_noise_moves_the_odds_of_a_pattern() -> None:
    """With the noise held under 0.8 a pattern that leaves much over loses: by integration over it."""
    made, y = regression(most=0.8)
    score, total, n = made.x.T @ y, float(y @ y), len(y)
    grid = np.linspace(0.02, 0.64, 6000)

    def by_grid(key: int) -> float:
        at = np.array([j for j in range(3) if key >> j & 1])
        spread = np.eye(n) + made.x[:, at] @ np.linalg.solve(made.slab[np.ix_(at, at)], made.x[:, at].T)
        form, log_size = y @ np.linalg.solve(spread, y), np.linalg.slogdet(spread)[1]
        log = stats.invgamma(3.0, scale=6 * 0.49 / 2).logpdf(grid)
        return float(logsumexp(log - n / 2 * np.log(grid) - log_size / 2 - form / (2 * grid)))

    odds = made.log_posterior(0b101, score, total, n) - made.log_posterior(0b100, score, total, n)
    prior = np.log(0.4 / 0.6)
    assert odds - prior == pytest.approx(by_grid(0b101) - by_grid(0b100), abs=1e-3)


# -- all together ----------------------------------------------------------------------------------


def test_a_local_level_agrees_with_integration_over_both_variances() -> None:
    rng = np.random.default_rng(12)
    y = np.append(rng.normal(size=14).cumsum() * 0.4 + rng.normal(size=14) * 0.5, np.zeros(6))
    model = StructuralModel(level_sd=0.3, level_weight=32.0, draws=20_000, burn=500, seed=5)
    found = model.sample(y, np.empty((20, 0)), before=14)

    centre, scale = y[:14].mean(), y[:14].std(ddof=1)
    z, step = (y[:14] - centre) / scale, np.minimum.outer(np.arange(20), np.arange(20)).astype(float)
    wander = np.exp(np.linspace(np.log(0.05), np.log(0.999), 90))
    noise = np.exp(np.linspace(np.log(0.003), np.log(1.199), 140))
    logs, means, spreads = [], [], []
    level_prior, noise_prior = stats.invgamma(16, scale=16 * 0.09), stats.invgamma(0.005, scale=0.005)
    pick = np.full(6, 1 / 6)
    for t, s in product(wander, noise):
        path = 1.0 + t**2 * step
        both = path[:14, :14] + s**2 * np.eye(14)
        factor = np.linalg.cholesky(both)
        white = np.linalg.solve(factor, z - z[0])
        to = np.linalg.solve(factor, path[:14, 14:] @ pick)
        logs.append(
            -np.log(np.diag(factor)).sum() - white @ white / 2
            + level_prior.logpdf(t**2) + noise_prior.logpdf(s**2) + 2 * np.log(t) + 2 * np.log(s)
        )  # fmt: skip
        means.append(z[0] + to @ white)
        spreads.append(pick @ path[14:, 14:] @ pick - to @ to)
    weights = np.exp(np.array(logs) - logsumexp(logs))
    mean = float(weights @ means)
    sd = float(np.sqrt(weights @ (np.array(spreads) + np.square(means)) - mean**2))
    average = found.expected[:, 14:].mean(axis=1)
    assert (average.mean() - centre) / scale == pytest.approx(mean, abs=0.03)
    assert average.std() / scale == pytest.approx(sd, rel=0.03)
    expected_noise = float(weights @ np.square([s for _, s in product(wander, noise)]))
    assert np.square(found.noise_sd / scale).mean() == pytest.approx(expected_noise, rel=0.05)


def test_the_sampler_keeps_the_joint_distribution() -> None:
    """Geweke (2004): values drawn from the model, then a scan, over and over, give the priors back."""
    rng, n = np.random.default_rng(21), 7
    x = rng.normal(size=(n, 2))
    noise = VariancePrior(guess=0.6, weight=12.0, most=0.9)
    wander = (VariancePrior(guess=0.4, weight=10.0, most=0.6), VariancePrior(guess=0.3, weight=9.0, most=1.0))
    made = SpikeAndSlab(x, np.array([0.5, 0.7]), noise)
    made.slab = made.slab * 400
    path = StatePath(Form(season=3), Start(level=0.5, sd=0.8), np.ones(n, dtype=bool))
    scan = Scan(path=path, wander=wander, noise=noise, regression=made)

    now, chain = scan.first(), []
    for _ in range(30_000):
        mean = path.picks @ now.states + x @ now.coef
        now = scan.step(rng, mean + np.sqrt(now.noise) * rng.standard_normal(n), now)
        chain.append(
            (now.noise, *now.variances, now.key & 1, now.key >> 1, now.coef[0] ** 2, *now.states[[1, -2]])
        )
    found = np.array(chain)

    def prior(of: VariancePrior) -> float:
        draws = stats.invgamma(of.weight / 2, scale=of.weight * of.guess**2 / 2)
        grid = draws.ppf((np.arange(4000) + 0.5) / 4000 * draws.cdf(of.most**2))
        return float(grid.mean())

    half = 0.5 * prior(noise) * np.linalg.inv(made.slab)[0, 0]
    alone = 0.5 * prior(noise) / made.slab[0, 0]
    expected = [
        prior(noise),
        prior(wander[0]),
        prior(wander[1]),
        0.5,
        0.7,
        0.7 * half + 0.3 * alone,
        0.5,
        0.5,
    ]
    batches = found.reshape(60, -1, found.shape[1]).mean(axis=1)
    z = (batches.mean(axis=0) - expected) / (batches.std(axis=0, ddof=1) / np.sqrt(60))
    assert np.abs(z).max() < 3.5, z


def test_what_the_chain_starts_from_is_forgotten() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 4)).cumsum(axis=0)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = 0.8 * x[:, 0] + 0.4 * rng.normal(size=60)
    scan = StructuralModel().scan(y, x, np.ones(4, dtype=bool))
    ends = []
    for key in (0, 0b11111):
        now = scan.first()
        now = type(now)(
            states=now.states,
            variances=(0.5,) if key == 0 else now.variances,
            noise=1.0,
            key=key,
            coef=now.coef,
        )
        coef = []
        for at in range(1500):
            now = scan.step(rng, y, now)
            if at >= 300:
                coef.append(now.coef[0])
        ends.append(np.mean(coef))
    assert ends[0] == pytest.approx(ends[1], abs=0.02)
    assert ends[0] == pytest.approx(0.8, abs=0.15)


def test_values_after_the_start_are_not_read_and_gaps_before_are_bridged() -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(size=(50, 2)).cumsum(axis=0)
    y = 10 + 2 * x[:, 0] + 0.1 * rng.normal(size=50)
    model = StructuralModel(draws=300, burn=100)
    whole = model.sample(y, x, before=35)
    other = model.sample(np.append(y[:35], np.full(15, np.nan)), x, before=35)
    np.testing.assert_array_equal(whole.seen, other.seen)
    gaps = y.copy()
    gaps[[5, 6, 7, 34]] = np.nan
    bridged = model.sample(gaps, x, before=35)
    assert np.isfinite(bridged.expected).all()
    np.testing.assert_allclose(bridged.expected[:, 5:8].mean(axis=0), y[5:8], atol=0.3)


def test_the_size_of_coefficients_is_judged_by_all_rows() -> None:
    """The slab is worth a hundredth of a period of all rows, whether they have a value or not."""
    rng = np.random.default_rng(11)
    x = np.column_stack([rng.normal(size=30), 5 * rng.normal(size=30)])
    y = np.append(np.nan, rng.normal(size=19))
    scan = StructuralModel().scan(y, x, np.ones(2, dtype=bool))
    rows = np.column_stack([x, np.ones(30)])
    mean = rows.T @ rows / 30
    assert scan.regression is not None
    np.testing.assert_allclose(scan.regression.slab, 0.005 * (mean + np.diag(np.diag(mean))))
    np.testing.assert_array_equal(scan.regression.x, rows[1:20])


def test_columns_that_are_to_stay_stay() -> None:
    rng = np.random.default_rng(10)
    x, y = rng.normal(size=(40, 6)), rng.normal(size=40)
    free = np.arange(6) != 1
    found = StructuralModel(draws=300, burn=50).sample(y, x, before=30, free=free)
    assert found.included[1] == 1
    assert found.included[free].max() < 0.9
