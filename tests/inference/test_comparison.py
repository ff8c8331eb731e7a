"""The short way (one row a unit) and the long way (the regression) must meet wherever both apply."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference import comparison as module
from ucimpact.inference.comparison import Comparison
from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.covariance import Kind, cluster_covariance
from ucimpact.inference.linear import TwoWay

N, T, BEFORE = 14, 10, 6


@dataclass(frozen=True)
class LongWay(Comparison):
    """The same data, worked out by regression though the short way is open."""

    @property
    def is_simple(self) -> bool:  # type: ignore[override]
        return False


def comparison(
    seed: int = 1, pilots: int = 4, per_place: int = 1, gaps: float = 0.0, weighted: bool = False
) -> Comparison:
    rng = np.random.default_rng(seed)
    y = rng.normal(10, 2, (N, 1)) + rng.normal(0, 1, T) + rng.standard_normal((N, T)).cumsum(axis=1) * 0.4
    weights = np.broadcast_to(rng.uniform(0.5, 2, (N, 1)) if weighted else 1.0, (N, T)).copy()
    weights[rng.random((N, T)) < gaps] = 0.0
    return Comparison(
        outcome=np.where(weights > 0, y, 0.0),
        covariates=np.zeros((0, N, T)),
        weights=weights,
        pilot=np.arange(N) < pilots,
        since=np.arange(T) - BEFORE,
        places=np.arange(N) // per_place,
    )


def long_way(made: Comparison) -> Comparison:
    names = ("outcome", "covariates", "weights", "pilot", "since", "places")
    return LongWay(**{name: getattr(made, name) for name in names})


def same(one: Contrasts, two: Contrasts) -> None:
    np.testing.assert_allclose(one.estimate, two.estimate, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(one.shares, two.shares, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.residuals(), two.residuals(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("per_place", [1, 2])
def test_a_balanced_panel_comes_down_to_one_number_a_unit(weighted: bool, per_place: int) -> None:
    made = comparison(per_place=per_place, weighted=weighted)
    other = long_way(made)
    assert made.is_simple
    same(made.effect, other.effect)
    for rows in (made.event_combinations(), made.gap_combinations(), made.slope_combination()):
        same(made.path(rows), other.path(rows))


def test_that_number_is_the_change_and_its_share_is_one_over_the_number_of_units() -> None:
    made = comparison()
    found = long_way(made).effect
    change = made.outcome[:, BEFORE:].mean(axis=1) - made.outcome[:, :BEFORE].mean(axis=1)
    np.testing.assert_allclose(found.shares[0], np.where(made.pilot, 1 / 4, -1 / 10))
    assert np.ptp(found.values[0] - change) < 1e-12  # but for a constant that all share
    assert found.estimate[0] == pytest.approx(change[:4].mean() - change[4:].mean())


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2", "CR3"])
@pytest.mark.parametrize(("weighted", "per_place"), [(False, 1), (False, 2), (True, 1), (True, 2)])
def test_the_variances_of_the_regression_are_those_of_one_number_a_unit(
    kind: Kind, weighted: bool, per_place: int
) -> None:
    made = comparison(per_place=per_place, weighted=weighted)
    other = long_way(made)
    pairs = [(made.effect, other.effect)]
    pairs.append((made.path(made.event_combinations()), other.path(made.event_combinations())))
    for short, long in pairs:
        one, two = cluster_covariance(short.design(), kind), cluster_covariance(long.design(), kind)
        np.testing.assert_allclose(one.cov, two.cov, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(one.df, two.df, rtol=1e-8)


def test_the_path_relative_to_the_last_period_before_is_the_difference_in_differences_of_means() -> None:
    made = comparison()
    gap = made.outcome[made.pilot].mean(axis=0) - made.outcome[~made.pilot].mean(axis=0)
    found = made.path(made.event_combinations()).estimate
    np.testing.assert_allclose(found, (gap - gap[BEFORE - 1])[made.events])


def test_gaps_from_the_mean_before_average_to_the_effect() -> None:
    made = comparison()
    gaps = made.path(made.gap_combinations()).estimate
    assert gaps[:BEFORE].mean() == pytest.approx(0, abs=1e-12)
    assert gaps[BEFORE:].mean() == pytest.approx(made.effect.estimate[0])


@pytest.mark.parametrize("pilots", [1, 4])
def test_with_gaps_contrasts_still_add_up_to_the_coefficient(pilots: int) -> None:
    made = comparison(seed=3, pilots=pilots, gaps=0.15)
    assert not made.is_simple
    assert made.effect.estimate[0] == pytest.approx(made.fit.coef[0])
    assert (made.effect.values * made.effect.shares).sum() == pytest.approx(made.fit.coef[0])
    assert made.effect.shares[0, made.place_pilot].sum() == pytest.approx(1, abs=0.05)
    assert made.effect.shares[0, ~made.place_pilot].sum() == pytest.approx(-1, abs=0.05)


def test_covariates_do_not_change_what_a_contrast_weighs() -> None:
    made = comparison(seed=4, gaps=0.1)
    x = np.where(made.weights > 0, np.random.default_rng(5).normal(size=(1, N, T)), 0.0)
    adjusted = replace(made, covariates=x)
    assert adjusted.effect.estimate[0] == pytest.approx(adjusted.fit.coef[0])
    np.testing.assert_allclose(adjusted.effect.shares, made.effect.shares, rtol=1e-9)


@pytest.mark.parametrize("gaps", [0.0, 0.08])
def test_a_placebo_is_the_estimate_with_that_unit_as_the_pilot_and_the_pilot_left_out(gaps: float) -> None:
    made = comparison(seed=6, pilots=1, gaps=gaps)
    assert np.all(made.weights[:, BEFORE:].any(axis=1))
    estimates, paths = made.placebos()
    for k, unit in enumerate(range(1, N)):
        alone = replace(
            made,
            outcome=made.outcome[1:],
            covariates=made.covariates[:, 1:],
            weights=made.weights[1:],
            pilot=np.arange(1, N) == unit,
            places=np.arange(N - 1),
        )
        assert estimates[k] == pytest.approx(alone.effect.estimate[0])
        path = alone.path(alone.event_combinations()).estimate
        there = {int(t): v for t, v in zip(alone.since[alone.events], path, strict=True)}
        if alone.reference != made.reference:
            continue  # the unit was not seen in the period that the path is measured from
        mine = dict(zip(made.since[made.events].tolist(), paths[k], strict=True))
        for t, value in mine.items():
            assert (np.isnan(value) and t not in there) or value == pytest.approx(there[t])


def test_the_variance_before_has_unit_and_period_effects_out() -> None:
    made = comparison(seed=7)
    before = made.outcome[:, :BEFORE]
    rest = before - before.mean(axis=1, keepdims=True) - before.mean(axis=0) + before.mean()
    np.testing.assert_allclose(made.variance_before(), rest.var(axis=1, ddof=1))
    places = comparison(seed=7, per_place=2)
    np.testing.assert_allclose(
        places.variance_before(), rest.reshape(-1, 2, BEFORE).mean(axis=1).var(axis=1, ddof=1)
    )


def test_a_path_too_large_to_work_out_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_PATH", 10)
    made = comparison(gaps=0.1)
    with pytest.raises(EstimationError, match="path of 9 periods is too large"):
        made.path(made.event_combinations())


def test_a_period_that_one_group_was_not_seen_in_has_no_place_in_the_path() -> None:
    made = comparison(seed=8)
    weights = made.weights.copy()
    weights[:4, 2] = 0.0
    weights[4:, 8] = 0.0
    gappy = replace(made, weights=weights)
    assert 2 not in gappy.events and 8 not in gappy.events
    assert len(gappy.path(gappy.event_combinations()).estimate) == T - 3
    # the effect still uses what the rest of those periods says
    assert gappy.effect.estimate[0] == pytest.approx(
        _by_dummies(gappy.outcome, weights, gappy.treated), rel=1e-9
    )


def _by_dummies(y: np.ndarray, weights: np.ndarray, treated: np.ndarray) -> float:
    d = TwoWay(weights).absorb(treated)
    return float((weights * d * y).sum() / (weights * d * treated).sum())
