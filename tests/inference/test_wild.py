"""fwildclusterboot and plain refitting of every draw are the judges of the wild cluster bootstrap.

Conventions: fwildclusterboot (as boottest) counts the draws strictly further out than the data, so its p-value
can be 0; ours counts ties and the data as one draw. Of 1,024 sign vectors two are the data themselves, hence
376 against 374 of 1,024. Its fit has the clusters as effects, which the factor of its t counts.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from tests.inference.test_covariance import codes, dummies
from ucimpact.errors import EstimationError, UsageError
from ucimpact.inference import wild
from ucimpact.inference.comparison import Comparison
from ucimpact.inference.covariance import Design
from ucimpact.inference.studentised import Studentised, turned_round
from ucimpact.inference.wild import POINTS, WildBootstrap, signs, smallest_wild_p, wild_bootstrap


def small(
    groups: int = 6, nested: bool = False, weighted: bool = False, seed: int = 1
) -> tuple[np.ndarray, ...]:
    """y, x, clusters, weights and units of an uneven regression; the last column is the effect."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 8, groups)
    at = np.repeat(np.arange(groups), sizes)
    treated = (at < groups // 2) * (np.concatenate([np.arange(s) for s in sizes]) >= 2)
    x = np.column_stack([rng.normal(size=len(at)), treated]).astype(float)
    y = rng.normal(size=len(at)) + rng.normal(size=groups)[at] + 0.5 * x[:, 0]
    w = rng.uniform(0.5, 2, len(at)) if weighted else np.ones(len(at))
    x = np.column_stack([np.eye(groups)[at] if nested else np.ones(len(at)), x])
    return y, x, at, w


def design_of(y: np.ndarray, x: np.ndarray, at: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, Design]:
    coef = np.linalg.solve((x * w[:, None]).T @ x, (x * w[:, None]).T @ y)
    return coef[-1:], Design(x, y - x @ coef, np.eye(x.shape[1])[:, -1:], at, w)


def t_of(y: np.ndarray, x: np.ndarray, at: np.ndarray, w: np.ndarray, effect: float, kind: str) -> float:
    """t of the last coefficient against ``effect``, fitted from scratch, without the factor of CR1."""
    normal = (x * w[:, None]).T @ x
    coef = np.linalg.solve(normal, (x * w[:, None]).T @ y)
    each = []
    for g in np.unique(at):
        here = at == g
        if kind == "CR3":
            rest = np.linalg.solve(
                (x[~here] * w[~here, None]).T @ x[~here], (x[~here] * w[~here, None]).T @ y[~here]
            )
            each.append((rest - coef)[-1])
        else:
            score = (x[here] * w[here, None]).T @ (y[here] - x[here] @ coef)
            each.append(np.linalg.solve(normal, score)[-1])
    return float((coef[-1] - effect) / np.sqrt(np.square(each).sum()))


def refitted(data: tuple[np.ndarray, ...], effect: float, kind: str, restricted: bool) -> np.ndarray:
    """t of every sign vector, every draw fitted anew, the data first."""
    y, x, at, w = data
    keep = x[:, :-1] if restricted else x
    imposed = y - effect * x[:, -1] if restricted else y
    coef = np.linalg.solve((keep * w[:, None]).T @ keep, (keep * w[:, None]).T @ imposed)
    fitted = keep @ coef + (effect * x[:, -1] if restricted else 0)
    residuals = y - fitted
    truth = effect if restricted else coef[-1]
    every = itertools.product([1.0, -1.0], repeat=int(at.max()) + 1)
    t = [t_of(fitted + np.array(v)[at] * residuals, x, at, w, truth, kind) for v in every]
    return np.array([t_of(y, x, at, w, effect, kind), *t])


def agrees(found: Studentised, factor: float, t: np.ndarray, effect: float) -> None:
    """Every t, and the share of those at least as far out as the data's."""
    d = found.estimate - effect
    squares = found.squares + 2 * d * found.cross + d**2 * found.squares_move
    ours = (found.top + d * found.top_move) / np.sqrt(squares) * np.sqrt(factor)
    np.testing.assert_allclose(np.sort(np.abs(ours)), np.sort(np.abs(t[1:])), rtol=1e-7, atol=1e-10)
    assert d / found.std_error * np.sqrt(factor) == pytest.approx(t[0])
    assert found.p_value(effect) == np.mean(np.abs(t[1:]) >= abs(t[0]) * (1 - 1e-9))


@pytest.mark.parametrize("effect", [0.0, -0.7, 2.0])
@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize(("nested", "weighted"), [(False, False), (True, True)])
def test_every_draw_is_as_if_fitted_anew(
    nested: bool, weighted: bool, restricted: bool, effect: float
) -> None:
    data = small(nested=nested, weighted=weighted)
    b, design = design_of(*data)
    found = wild_bootstrap(design, b, weights="rademacher", restricted=restricted)[0]
    n, p = design.columns.shape
    agrees(found, 6 / 5 * (n - 1) / (n - p), refitted(data, effect, "CR1", restricted), effect)


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_the_jackknife_bootstrap_leaves_each_cluster_out_of_every_draw(effect: float) -> None:
    data = small(weighted=True, seed=4)
    b, design = design_of(*data)
    found = wild_bootstrap(design, b, weights="rademacher", kind="CR3")[0]
    agrees(found, 1.0, refitted(data, effect, "CR3", True), effect)


def test_effects_taken_out_give_what_dummies_give() -> None:
    y, x, at, w = small(nested=True, weighted=True)
    b, design = design_of(y, x, at, w)
    means = np.array([np.average(x[at == g, -2:], axis=0, weights=w[at == g]) for g in range(6)])
    within = Design(x[:, -2:] - means[at], design.residuals, np.eye(2)[:, 1:], at, w, nested=at)
    for effect in (0.0, 1.3):
        one, two = (wild_bootstrap(d, b, weights="webb", draws=999)[0] for d in (design, within))
        assert one.p_value(effect) == two.p_value(effect)


def test_by_hand_for_two_and_two_places() -> None:
    """d = (1, 3 | 0, 2): with the mean 1.5 imposed residuals are -.5, 1.5, -1.5, .5 and b is 1.

    Sixteen sign vectors; the t of each is the difference of means over root of sum of r^2/4 in each group.
    Groups with means of .5 or -.5 have a sum of squares of 2, those with 1 or -1 one of .5. So |t| is 0 or 1
    (two each), .5/.79 or 1.5/.79 (four each), 0 or 4 (two each): eight reach the data's 1.
    """
    d, x = np.array([1.0, 3.0, 0.0, 2.0]), np.array([[1, 1], [1, 1], [1, 0], [1, 0]], dtype=float)
    b, design = design_of(d, x, np.arange(4), np.ones(4))
    r, t = np.array([-0.5, 1.5, -1.5, 0.5]), []
    for v in itertools.product([1, -1], repeat=4):
        a, c = (r * v)[:2], (r * v)[2:]
        t.append(
            (a.mean() - c.mean()) / np.sqrt(((a - a.mean()) ** 2).sum() / 4 + ((c - c.mean()) ** 2).sum() / 4)
        )
    own = 1 / np.sqrt(2 / 4 + 2 / 4)
    expected = np.mean(np.abs(t) >= own * (1 - 1e-9))
    assert expected == 8 / 16
    assert wild_bootstrap(design, b, weights="rademacher")[0].p_value() == expected


# -- outside judges ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def few(reference: Path) -> tuple[np.ndarray, Design]:
    """As in R: lm(y ~ factor(cluster) + factor(period) + tp)."""
    data = pd.read_csv(reference / "sim_few_clusters.csv")
    tp = (data["treated"] * data["post"]).to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(data)), dummies(data["cluster"]), dummies(data["period"]), tp])
    return design_of(data["y"].to_numpy(), x, codes(data["cluster"]), np.ones(len(data)))


def test_all_signs_equal_fwildclusterboot(few: tuple[np.ndarray, Design], reference: Path) -> None:
    judge = golden(reference / "sim_few_clusters_robust.json")["wcb_rademacher"]
    found = wild_bootstrap(few[1], few[0], weights="rademacher")[0]
    assert len(found.top) == judge["n_boot"] and found.counts_itself
    assert found.estimate / found.std_error == pytest.approx(judge["t"], rel=1e-9)
    assert found.p_value(ties=False) == judge["p"]
    assert found.p_value() == judge["p"] + 2 / 1024

    def strictly(effect: float) -> float:
        return found.p_value(effect, ties=False)

    low, high = turned_round(strictly, found.estimate, found.std_error, 0.05)
    assert low == pytest.approx(judge["ci_low"], abs=1e-4)  # their solver stops there
    assert high == pytest.approx(judge["ci_high"], abs=1e-4)


def test_webb_weights_are_near_those_of_fwildclusterboot(
    few: tuple[np.ndarray, Design], reference: Path
) -> None:
    """9,999 draws each: a p-value of .36 has a standard error of .005, and a difference of two .007."""
    judge = golden(reference / "sim_few_clusters_robust.json")["wcb_webb"]
    found = wild_bootstrap(few[1], few[0], weights="webb")[0]
    assert found.p_value() == pytest.approx(judge["p"], abs=0.01)
    low, high = found.interval(0.95)
    assert (low, high) == pytest.approx((judge["ci_low"], judge["ci_high"]), abs=0.1)


# -- what must hold ----------------------------------------------------------------------


@pytest.mark.parametrize("tails", ["symmetric", "equal"])
@pytest.mark.parametrize("weights", ["rademacher", "webb", "mammen"])
@pytest.mark.parametrize("restricted", [True, False])
def test_the_p_value_crosses_its_level_at_the_ends_of_the_interval(
    weights: Literal["rademacher", "webb", "mammen"], restricted: bool, tails: Literal["symmetric", "equal"]
) -> None:
    b, design = design_of(*small(12, nested=True, seed=3))
    found = wild_bootstrap(design, b, weights=weights, draws=1999, restricted=restricted, tails=tails)[0]
    low, high = found.interval(0.9)
    assert low < b[0] < high
    for inside, outside in ((low + 1e-6, low - 1e-6), (high - 1e-6, high + 1e-6)):
        assert found.p_value(inside) > 0.1 >= found.p_value(outside)


def test_moving_the_outcome_by_the_effect_moves_the_interval() -> None:
    y, x, at, w = small(9, nested=True, seed=5)
    intervals = []
    for moved in (y, y + 3 * x[:, -1]):
        b, design = design_of(moved, x, at, w)
        intervals.append(wild_bootstrap(design, b, draws=999)[0].interval(0.95))
    assert np.subtract(*intervals) == pytest.approx([-3, -3])


def test_names_of_clusters_make_no_difference() -> None:
    y, x, at, w = small(9, nested=True, seed=6)
    named = np.random.default_rng(1).permutation(9)[at]
    one, two = (wild_bootstrap(d, b, draws=499)[0] for b, d in (design_of(y, x, c, w) for c in (at, named)))
    assert one.p_value(0.3) == two.p_value(0.3)


@pytest.mark.parametrize("weights", list(POINTS))
def test_weights_have_mean_0_and_variance_1(weights: str) -> None:
    points, chances = POINTS[weights]
    third = 1.0 if weights == "mammen" else 0.0
    moments = [(chances * points**k).sum() for k in range(4)]
    assert moments == pytest.approx([1, 0, 1, third])


def test_all_signs_are_used_where_they_are_few_and_begin_with_the_data() -> None:
    drawn = signs(5, "rademacher", 99, 1)
    values = drawn.values(np.arange(5))
    assert drawn.complete and np.unique(values, axis=1).shape == (5, 32)
    np.testing.assert_array_equal(values[:, 0], 1.0)
    assert not signs(5, "webb", 99, 1).complete
    assert smallest_wild_p(5, "rademacher", 99) == 2 / 32
    assert smallest_wild_p(5, "webb", 99) == 1 / 100


@pytest.mark.parametrize("weights", list(POINTS))
def test_drawn_weights_come_as_often_as_they_should(weights: Literal["rademacher", "webb", "mammen"]) -> None:
    points, chances = POINTS[weights]
    values = signs(40, weights, 5_000, 2).values(np.arange(40))
    shares = [(values == point).mean() for point in points]
    assert shares == pytest.approx(list(chances), abs=0.004)  # 200,000 draws: 0.0011


def test_draws_made_in_blocks_are_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    b, design = design_of(*small(12, nested=True, seed=3))
    whole = wild_bootstrap(design, b, draws=999)[0]
    monkeypatch.setattr(wild, "AT_ONCE", 12 * 100)
    parts = wild_bootstrap(design, b, draws=999)[0]
    np.testing.assert_allclose(parts.squares, whole.squares)
    np.testing.assert_allclose(parts.top, whole.top)


def test_with_one_treated_place_the_test_says_next_to_nothing() -> None:
    """An effect of 3 standard deviations has a p-value far above 5%: why the rule never takes it there."""
    d = np.random.default_rng(1).normal(size=30)
    d[0] = 3
    x = np.column_stack([np.ones(30), np.arange(30) < 1])
    b, design = design_of(d, x, np.arange(30), np.ones(30))
    assert wild_bootstrap(design, b, weights="rademacher")[0].p_value() > 0.2


def test_without_a_cluster_nothing_is_left_for_the_jackknife() -> None:
    b, design = design_of(*small(nested=True))
    with pytest.raises(EstimationError, match="leaves out each cluster in turn"):
        wild_bootstrap(design, b, kind="CR3")


def test_choices_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="give one of rademacher, webb, mammen"):
        WildBootstrap(weights="normal")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="draws = 50: 99 is the least"):
        WildBootstrap(draws=50)


def comparison(gaps: bool) -> Comparison:
    rng = np.random.default_rng(1)
    y = rng.normal(size=(60, 36)) + rng.normal(size=(60, 1))
    weights = np.ones((60, 36)) if not gaps else (rng.random((60, 36)) > 0.05).astype(float)
    none = np.empty((0, 60, 36))
    return Comparison(y, none, weights, np.arange(60) < 12, np.arange(36) - 18, np.arange(60))


@pytest.mark.parametrize("gaps", [False, True])
def test_9999_draws_on_60_units_and_36_months_give_an_interval(gaps: bool) -> None:
    effect = comparison(gaps).effect
    signs(60, "webb", 9_999, 1)  # drawn once for all effects
    found = WildBootstrap().infer(effect, 0.95)
    assert found.low[0] < found.estimate[0] < found.high[0]


def test_a_panel_without_gaps_has_the_same_result_by_rows_and_by_one_number_a_unit() -> None:
    simple = comparison(False)
    weights = np.ones((60, 36))
    weights[0, 0] = 1 + 1e-9  # no longer one weight a unit: the long way round
    long = Comparison(simple.outcome, simple.covariates, weights, simple.pilot, simple.since, simple.places)
    one, two = (WildBootstrap(draws=999).infer(c.effect, 0.95) for c in (simple, long))
    for name in ("estimate", "std_error", "p_value", "low", "high"):
        assert getattr(one, name)[0] == pytest.approx(getattr(two, name)[0], rel=1e-6)
