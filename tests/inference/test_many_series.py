"""Many series at once give what each gives by itself."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.inference.many_series import ManySlopes, ManyStatistics, fit_ar1
from ucimpact.inference.many_series_design import OverRho, SharedDesign
from ucimpact.inference.many_series_mixture import RhoCells, TDistribution
from ucimpact.inference.many_series_second_order import SecondOrderCells
from ucimpact.inference.second_order import second_order
from ucimpact.inference.timeseries import RHO_BOUND, Ar1Fit, Ols, Reml


def design(n: int, before: int) -> tuple[np.ndarray, np.ndarray]:
    """Level, trend, their changes and two waves; contrasts for the average, the level and the slope."""
    since = np.arange(n) - before
    after = since >= 0
    turn = 2 * np.pi * np.arange(n) / 12
    waves = [f(k * turn) for k in (1, 2) for f in (np.sin, np.cos)]
    x = np.column_stack([np.ones(n), since, after, np.maximum(since, 0), *waves]).astype(float)
    average = np.zeros(x.shape[1])
    average[2:4] = 1, since[after].mean()
    return x, np.vstack([average, np.eye(x.shape[1])[2:4]])


def series(count: int, n: int, seed: int) -> np.ndarray:
    """Series of shape (count, n), of autocorrelation from -0.5 to 0.99."""
    rng = np.random.default_rng(seed)
    rho, fresh = rng.uniform(-0.5, 0.99, count), rng.normal(size=(count, n))
    out = fresh.copy()
    for t in range(1, n):
        out[:, t] = rho * out[:, t - 1] + np.sqrt(1 - rho**2) * fresh[:, t]
    return 200 + 7 * out


def with_missing(x: np.ndarray, contrasts: np.ndarray, absent: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The design with a column for each absent period, and the contrasts to match."""
    more = np.eye(len(x))[:, absent]
    return np.column_stack([x, more]), np.column_stack([contrasts, np.zeros((len(contrasts), len(absent)))])


CASES = [(60, 36, 80, []), (24, 14, 80, []), (60, 40, 30, [0, 17, 18, 59]), (150, 90, 20, [3])]


@pytest.mark.parametrize(("n", "before", "count", "absent"), CASES)
def test_each_series_gets_its_own_fit(n: int, before: int, count: int, absent: list[int]) -> None:
    x, contrasts = with_missing(*design(n, before), absent)
    y = series(count, n, seed=n)
    shared = SharedDesign.of(x)
    many = fit_ar1(ManyStatistics.of(y, shared), contrasts, shared.added(contrasts))
    bounds = 0
    for i in range(count):
        one = Reml().of(y[i], x)
        error = one.std_errors(contrasts)
        bounds += one.at_bound
        assert many.at_bound[i] == one.at_bound
        assert many.rho[i] == pytest.approx(one.rho, abs=1e-9)
        assert many.estimates[:, i] == pytest.approx(one.estimates(contrasts), abs=1e-8 * error.min())
        assert many.std_errors[:, i] == pytest.approx(error, rel=1e-7)
        assert many.dfs[:, i] == pytest.approx(one.dfs(contrasts), rel=1e-6)
        assert many.sigma[i] == pytest.approx(one.sigma, rel=1e-8)
        assert many.residuals[i] == pytest.approx(one.residuals, abs=1e-8 * one.sigma)
    assert bounds or n != 24, "no series near its bound: the hard case is not tested"


def test_a_handful_is_worked_without_a_table_and_gives_the_same() -> None:
    x, contrasts = design(48, 30)
    shared, y = SharedDesign.of(x), series(90, 48, seed=3)
    whole = fit_ar1(ManyStatistics.of(y, shared), contrasts, shared.added(contrasts))
    few = fit_ar1(ManyStatistics.of(y[:9], shared), contrasts, shared.added(contrasts))
    assert few.std_errors == pytest.approx(whole.std_errors[:, :9], rel=1e-9)
    assert few.rho == pytest.approx(whole.rho[:9], abs=1e-10)


def test_independent_errors_are_least_squares() -> None:
    x, contrasts = design(48, 30)
    shared, y = SharedDesign.of(x), series(5, 48, seed=3)
    many = fit_ar1(ManyStatistics.of(y, shared), contrasts, shared.added(contrasts), independent=True)
    for i in range(5):
        one = Ols().of(y[i], x)
        assert many.std_errors[:, i] == pytest.approx(one.std_errors(contrasts), rel=1e-9)
        assert many.dfs[:, i] == pytest.approx(one.dfs(contrasts))


def test_a_line_without_noise_has_no_error() -> None:
    x, contrasts = design(48, 30)
    y = np.vstack([x @ np.arange(1.0, 9.0), series(1, 48, seed=3)])
    shared = SharedDesign.of(x)
    many = fit_ar1(ManyStatistics.of(y, shared), contrasts, shared.added(contrasts))
    assert list(many.statistics.exact) == [True, False]
    assert many.estimates[1:, 0] == pytest.approx([3, 4])
    assert many.var_rho[0] == 0 and many.std_errors[1, 0] < 1e-9


def test_slopes_are_the_derivatives_of_the_deviance() -> None:
    x, _ = design(48, 30)
    statistics = ManyStatistics.of(series(4, 48, seed=8), SharedDesign.of(x))
    for rho in (-0.6, 0.0, 0.4, 0.9):
        slopes = ManySlopes.of(statistics, np.full(4, rho))
        step = 1e-4
        below, here, above = statistics.deviances(np.array([rho - step, rho, rho + step]))
        assert slopes.first == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-3)
        assert slopes.second == pytest.approx((above - 2 * here + below) / step**2, rel=1e-3)


@pytest.mark.parametrize(
    ("n", "before", "absent"), [(60, 36, []), (24, 14, []), (60, 36, [2, 40]), (100, 60, [7])]
)
def test_mixtures_are_those_of_one_series(n: int, before: int, absent: list[int]) -> None:
    x, contrasts = with_missing(*design(n, before), absent)
    y = series(40, n, seed=n + 1)
    shared = SharedDesign.of(x)
    statistics, all_ = ManyStatistics.of(y, shared), np.arange(40)

    def averaged(fit: Ar1Fit) -> object:
        return fit.averaged

    for cells, alone in (
        (RhoCells(shared, contrasts), averaged),
        (SecondOrderCells(shared, contrasts), lambda fit: second_order(fit.statistics.y, fit.statistics.x)),
    ):
        many = cells.of(statistics)
        limits = np.array([many.limits(j, all_, 0.9) for j in range(3)])
        below = np.array([many.below(j, all_) for j in range(3)])
        ratio = many.ratio_below(0, 1, all_, np.full(40, 0.7))
        for i in range(40):
            one = alone(Reml().of(y[i], x))
            expected = one.limits(contrasts, 0.9)
            width = np.ptp(expected, axis=1)[:, None]
            assert limits[:, :, i] / width == pytest.approx(expected / width, abs=1e-7)
            assert below[:, i] == pytest.approx(one.below(contrasts), abs=1e-9)
            assert ratio[i] == pytest.approx(one.below(contrasts[0] - 0.7 * contrasts[1])[0], abs=1e-9)


def test_a_table_over_rho_is_as_good_as_the_function() -> None:
    table = OverRho(lambda rho: np.array([np.exp(rho), 1 / (1.2 - rho)]))
    rhos = np.linspace(-RHO_BOUND, RHO_BOUND, 300)
    assert table.at(rhos) == pytest.approx(np.array([np.exp(rhos), 1 / (1.2 - rhos)]), rel=1e-9)


def test_tabled_t_distribution() -> None:
    from scipy.special import stdtr
    from scipy.stats import t

    for df in (8, 52):
        z = np.linspace(-45, 45, 4001)
        below, density = TDistribution(df).below_and_density(z)
        assert below == pytest.approx(stdtr(df, z), abs=2e-9)
        assert density == pytest.approx(t.pdf(z, df), abs=1e-6)
