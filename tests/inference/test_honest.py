"""HonestDiD against R, against linear programs solved by brute force, and against a truth we planted.

R's intervals lie on its grid: 1,000 targets from -20 to 20 standard errors of the target. Its end is the last
grid point inside, so ours is at most one step further out; a step more is left for the 1,000 draws behind
R's first critical value. Where R's interval ends with its grid, ours goes on.

R's quantile of the folded normal is simulated from a million draws with seed 0 (1.96224 where the normal has
1.95996), which moves its ends under smoothness by up to 0.1% of the half length. With R's draws in place of
the exact quantile the intervals are the same.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.special import ndtri
from scipy.stats import norm

from tests.conftest import golden
from ucimpact.errors import EstimationError, UsageError
from ucimpact.inference.honest import KINDS, breakdown, confidence, identified, in_differences, original
from ucimpact.inference.honest_magnitudes import pieces
from ucimpact.inference.honest_path import EventPath, differenced
from ucimpact.inference.honest_smooth import (
    deviation,
    folded_quantile,
    largest_bias,
    shortest,
    trade,
)
from ucimpact.inference.lasso_path import lasso_path

Array = np.ndarray
FILES = ("honestdid_bc", "honestdid_mpdta")
GRID_HALF, GRID_POINTS = 20, 1000


def path_of(cases: dict[str, Any]) -> EventPath:
    given = cases["first_input"]
    pre, post = (int(np.ravel(given[name])[0]) for name in ("numPrePeriods", "numPostPeriods"))
    times = np.concatenate([np.arange(-pre, 0), np.arange(1, post + 1)]).astype(float)
    return EventPath(np.ravel(given["betahat"]), np.array(given["sigma"]), times, 0.0)


def target(path: EventPath, which: str) -> Array:
    number = int(path.after.sum())
    return np.eye(number)[0] if which == "first" else np.full(number, 1 / number)


def made_up(pre: int = 4, post: int = 3, seed: int = 1, ar: float = 0.5, sd: float = 0.4) -> EventPath:
    """Effects measured from the last period before the start, noise that carries over."""
    t = np.arange(pre + 1 + post)
    spread = sd**2 * ar ** np.abs(t[:, None] - t)
    change = np.delete(np.eye(len(t)) - np.eye(len(t))[pre], pre, axis=0)
    cov = change @ spread @ change.T
    mean = np.concatenate([np.zeros(pre), np.full(post, 2.0)])
    estimate = np.random.default_rng(seed).multivariate_normal(mean, cov)
    return EventPath(estimate, cov, np.delete(t - pre - 1.0, pre), -1.0)


def r_normals(number: int) -> Array:
    """What R's ``set.seed(0); rnorm(number)`` gives (Mersenne-Twister, inversion)."""
    seed, state = 0, []
    for k in range(675):
        seed = (69069 * seed + 1) & 0xFFFFFFFF
        if k > 50:
            state.append(seed)
    twister = np.random.MT19937()
    inside = dict(twister.state)
    inside["state"] = {"key": np.array(state, dtype=np.uint32), "pos": 624}
    twister.state = inside
    uniform = twister.random_raw(2 * number).astype(float) * 2.3283064365386963e-10
    big = 134217728.0
    return np.asarray(ndtri((np.floor(big * uniform[::2]) + uniform[1::2]) / big))


# -- against R ---------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["first", "average"])
@pytest.mark.parametrize("file", FILES)
def test_the_original_interval_is_that_of_r(shared: Path, file: str, which: str) -> None:
    cases = golden(shared / f"reference/golden/{file}.json")
    path, row = path_of(cases), cases[f"{which}_original"][0]
    found = original(path, target(path, which), 0.95)
    assert found == pytest.approx((row["lb"][0], row["ub"][0]), rel=1e-9)


@pytest.mark.parametrize("which", ["first", "average"])
@pytest.mark.parametrize("file", FILES)
def test_relative_magnitudes_end_where_r_ends(shared: Path, file: str, which: str) -> None:
    cases = golden(shared / f"reference/golden/{file}.json")
    path = path_of(cases)
    weights = target(path, which)
    se = path.std_error(path.loading(weights))
    step = 2 * GRID_HALF * se / (GRID_POINTS - 1)
    for row in cases[f"{which}_rm"]:
        low, high = confidence(path, weights, "relative-magnitudes", row["Mbar"], 0.95)
        for ours, theirs, outward in ((low, row["lb"], -1), (high, row["ub"], 1)):
            if abs(theirs) == pytest.approx(GRID_HALF * se, rel=1e-9):
                assert outward * (ours - theirs) >= 0  # R's grid ends here
            else:
                assert -1.0 * step < outward * (ours - theirs) < 2.0 * step


@pytest.mark.parametrize("which", ["first", "average"])
@pytest.mark.parametrize("file", FILES)
def test_smoothness_gives_r_with_the_draws_of_r(shared: Path, file: str, which: str) -> None:
    cases = golden(shared / f"reference/golden/{file}.json")
    path = path_of(cases)
    draws = r_normals(1_000_000)
    np.testing.assert_allclose(draws[:2], [1.2629542848807933, -0.3262333607056494], rtol=1e-12)

    def simulated(shift: float) -> float:
        return float(np.quantile(np.abs(draws + shift), 0.95))

    bends = differenced(path, target(path, which), 2)
    for row in cases[f"{which}_sd_flci"]:
        found = shortest(bends, row["M"], 0.05)
        length = row["ub"] - row["lb"]
        for end, theirs in ((-1, row["lb"]), (1, row["ub"])):
            ours = found.estimate + end * found.half
            assert abs(ours - theirs) < 1.3e-3 * length  # the exact quantile
        half = found.std_error * simulated(found.bias / found.std_error)
        points = trade(bends)
        values = (bends.loading + points @ bends.before) @ path.estimate
        theirs_at = int(np.abs(values - (row["lb"] + row["ub"]) / 2).argmin())
        bias = float(largest_bias(bends, points[[theirs_at]], row["M"])[0])
        sd = float(deviation(bends, points[[theirs_at]])[0])
        assert length / 2 == pytest.approx(min(half, sd * simulated(bias / sd)), rel=2e-4)


def test_every_bound_of_a_monthly_path_has_a_range_that_widens() -> None:
    path, weights = made_up(18, 18), np.full(18, 1 / 18)
    for kind in KINDS:
        ranges = [confidence(path, weights, kind, bound, 0.95) for bound in (0.5, 1.0, 1.5, 2.0)]
        lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
        assert lows == sorted(lows, reverse=True) and highs == sorted(highs)
        assert breakdown(path, weights, kind, 0.95) >= 0


# -- against linear programs -------------------------------------------------------------


def moments(path: EventPath, weights: Array, order: int, bound: float, s: int, sign: int) -> Any:
    """The inequalities A (delta) <= 0 of one piece, and how the effects enter them."""
    before, after = path.differences(order)
    v = sign * before[s]
    rows = np.concatenate([after - bound * v, -after - bound * v])
    return rows, rows[:, path.after]


def smallest_room(y: Array, x: Array, sd: Array, weights: Array, theta: float) -> float:
    """min eta: y - x tau <= sd eta and weights' tau = theta, by HiGHS."""
    k = x.shape[1]
    found = linprog(
        np.append(np.zeros(k), 1.0),
        A_ub=np.column_stack([-x, -sd]),
        b_ub=-y,
        A_eq=np.append(weights, 0.0)[None, :],
        b_eq=[theta],
        bounds=[(None, None)] * (k + 1),
    )
    assert found.status == 0
    return float(found.x[-1])


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("weights", [[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3], [-1.0, 0.5, 2.0]])
def test_the_statistic_is_the_linear_program(order: int, weights: list[float]) -> None:
    path, w = made_up(seed=3), np.array(weights)
    made = pieces(differenced(path, w, order), 0.7, 0.05)
    number = len(made.worst) // 2
    values, with_target, _ = made._terms
    for s in range(number):
        for sign in (1, -1):
            rows, x = moments(path, w, order, 0.7, s, sign)
            sd = np.sqrt(np.diag(rows @ path.cov @ rows.T))
            for theta in (-2.0, 1.0, 5.0):
                k = s + (0 if sign == 1 else number)
                ours = (values[k] + with_target[k] * theta).max()
                assert ours == pytest.approx(
                    smallest_room(rows @ path.estimate, x, sd, w, theta), rel=1e-7, abs=1e-9
                )


def test_the_first_critical_value_is_that_of_simulated_programs() -> None:
    path, w = made_up(seed=5), np.array([0.2, 0.3, 0.5])
    made = pieces(differenced(path, w, 1), 1.0, 0.05)
    draws = np.random.default_rng(1).multivariate_normal(np.zeros(7), path.cov, 400_000)
    before = path.differences(1)[0]
    centred = draws @ (differenced(path, w, 1).loading)
    for s in range(len(before)):
        v = draws @ before[s]
        terms = [
            (-centred - made.room * v) / made.upper[s],
            (centred - made.room * v) / made.lower[s],
            -2 * v / made.tight[s],
            -2 * v / made.loose[s],
        ]
        refused = np.mean(np.max(terms, axis=0) > made.first_critical[s])
        assert refused == pytest.approx(0.005, abs=0.0005)


def test_the_truncation_is_where_the_same_term_stays_the_largest() -> None:
    """Move the data along the direction of the largest term: the program follows it between the ends."""
    path, w = made_up(seed=8), np.array([0.2, 0.3, 0.5])
    made = pieces(differenced(path, w, 1), 0.5, 0.05)
    values, with_target, cov = made._terms
    for theta in (1.0, 2.5, 4.0):
        for k in range(len(made.worst)):
            z = values[k] + with_target[k] * theta
            top = int(z.argmax())
            slope = cov[k, top] / cov[k, top, top]
            crossed = [
                ((z[j] - slope[j] * z[top]) / (1 - slope[j]), slope[j] < 1)
                for j in range(4)
                if abs(1 - slope[j]) > 1e-9
            ]
            low = max((at for at, from_below in crossed if from_below), default=-np.inf)
            high = min((at for at, from_below in crossed if not from_below), default=np.inf)
            for eta in np.linspace(-3, 3, 61):
                moved = z + slope * (eta - z[top])
                stays = moved.max() <= moved[top] + 1e-12
                if abs(eta - low) > 1e-9 and abs(eta - high) > 1e-9:
                    assert stays == (low <= eta <= high)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_identified_is_the_linear_program(kind: str) -> None:
    path, w = made_up(seed=2), np.array([0.5, 0.2, 0.3])
    bound = 3.0 if kind == "smoothness" else 0.8
    order = 1 if kind == "relative-magnitudes" else 2
    before, after = path.differences(order)
    worst = np.abs(before @ path.estimate).max()
    room = bound if kind == "smoothness" else bound * worst
    k = len(path.times)
    ends = []
    for sign in (1, -1):  # delta: before as seen, after within the bound
        found = linprog(
            sign * path.loading(w),
            A_ub=np.concatenate([after, -after]),
            b_ub=np.full(2 * len(after), room),
            A_eq=np.eye(k)[path.before],
            b_eq=path.estimate[path.before],
            bounds=[(None, None)] * k,
        )
        ends.append(path.loading(w) @ (path.estimate - found.x))
    assert identified(path, w, kind, bound) == pytest.approx((min(ends), max(ends)), rel=1e-8)  # type: ignore[arg-type]


def test_a_drift_that_breaks_the_bound_leaves_nothing_identified() -> None:
    assert np.isnan(identified(made_up(), np.array([1.0, 0, 0]), "smoothness", 0.01)[0])


# -- smoothness --------------------------------------------------------------------------


def test_the_largest_bias_is_the_linear_program() -> None:
    path, w = made_up(seed=4), np.array([0.2, 0.3, 0.5])
    bends = differenced(path, w, 2)
    found = shortest(bends, 0.3, 0.05)
    rows = np.concatenate(path.differences(2))
    program = linprog(
        -found.weights,
        A_ub=np.concatenate([rows, -rows]),
        b_ub=np.full(2 * len(rows), 0.3),
        bounds=[(None, None)] * len(path.times),
    )
    assert found.bias == pytest.approx(-program.fun, rel=1e-8)
    assert found.weights @ path.since == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found.weights[path.after], w, atol=1e-10)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bound", [0.0, 0.02, 0.1, 1.0])
def test_no_other_estimator_has_a_shorter_interval(seed: int, bound: float) -> None:
    path, w = made_up(6, 3, seed=seed, ar=0.1 * seed), np.array([0.2, 0.3, 0.5])
    bends = differenced(path, w, 2)
    found = shortest(bends, bound, 0.05)
    rng = np.random.default_rng(seed)
    nudged = found.along + rng.normal(size=(4000, 5)) * 10.0 ** rng.uniform(-5, 0, (4000, 1))
    bias, sd = largest_bias(bends, nudged, bound), deviation(bends, nudged)
    assert found.half <= (sd * folded_quantile(bias / sd, 0.05)).min() + 1e-9


@pytest.mark.parametrize("seed", range(12))
def test_the_path_of_the_lasso_is_optimal_at_every_knot(seed: int) -> None:
    """Pull equals the penalty where a coefficient is off 0, and nowhere exceeds it; at the end there is
    none. Seeds divisible by three have independent periods, where several join at once."""
    path = made_up(6 + 2 * seed, 1 + seed % 3, seed=seed, ar=0.3 * (seed % 3))
    bends = differenced(path, np.full(1 + seed % 3, 1.0), 2)
    square = bends.before @ path.cov @ bends.before.T
    linear = bends.before @ path.cov @ bends.loading
    knots = lasso_path(square, linear)
    for q in knots[:-1]:
        pull = -(linear + square @ q)
        on = np.abs(q) > 1e-7 * np.abs(knots).max()
        rounding = 1e-7 * np.abs(linear).max()
        np.testing.assert_allclose((pull * np.sign(q))[on], np.abs(pull).max(), rtol=1e-5, atol=rounding)
    np.testing.assert_allclose(square @ knots[-1], -linear, atol=1e-7 * np.abs(linear).max())


def test_no_bend_is_least_squares_with_a_line() -> None:
    """With M = 0 the estimator is generalised least squares of effects on a line and the pilot."""
    path, w = made_up(seed=6), np.array([1.0, 0, 0])
    found = shortest(differenced(path, w, 2), 0.0, 0.05)
    columns = np.column_stack([path.since, np.eye(7)[:, 4:]])
    inverse = np.linalg.inv(path.cov)
    cov = np.linalg.inv(columns.T @ inverse @ columns)
    coef = cov @ columns.T @ inverse @ path.estimate
    assert found.estimate == pytest.approx(coef[1], rel=1e-6)
    assert found.half == pytest.approx(norm.ppf(0.975) * np.sqrt(cov[1, 1]), rel=1e-7)


def test_the_folded_normal_at_both_ends() -> None:
    found = folded_quantile(np.array([0.0, 0.3, 40.0]), 0.05)
    assert found[0] == pytest.approx(norm.ppf(0.975)) and found[2] == pytest.approx(40 + norm.ppf(0.95))
    assert norm.cdf(found[1] - 0.3) - norm.cdf(-found[1] - 0.3) == pytest.approx(0.95, abs=1e-13)


# -- a truth we planted ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "drift"), [(1.0, (0.4, 0.5, 0.5)), (0.5, (-0.6, 0.1, -0.3)), (1.0, (0, 0, 0))]
)
def test_the_set_covers_at_the_worst_drift_allowed(bound: float, drift: tuple[float, ...]) -> None:
    """Two periods before, one after; the drift after the start is as large as the bound allows."""
    base = made_up(2, 1, sd=0.3)
    steps = np.array(drift)
    delta = np.array([-steps[0] - steps[1], -steps[1], bound * np.abs(steps[:2]).max()])
    effect = np.array([0.0, 0.0, 1.5])
    rng = np.random.default_rng(11)
    covered = 0
    draws = 800
    for _ in range(draws):
        estimate = rng.multivariate_normal(delta + effect, base.cov)
        path = EventPath(estimate, base.cov, base.times, -1.0)
        made = pieces(differenced(path, np.ones(1), 1), bound, 0.05)
        covered += bool(made.accepts(np.full((len(made.worst), 1), 1.5)).any())
    assert covered / draws > 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / draws)


def test_without_noise_the_set_is_what_is_identified() -> None:
    noisy = made_up(seed=9)
    path = EventPath(noisy.estimate, noisy.cov * 1e-8, noisy.times, -1.0)
    for kind, bound in (("relative-magnitudes", 0.7), ("both", 0.7), ("smoothness", 4.0)):
        assert confidence(path, np.array([0.5, 0.5, 0.0]), kind, bound, 0.95) == pytest.approx(  # type: ignore[arg-type]
            identified(path, np.array([0.5, 0.5, 0.0]), kind, bound),  # type: ignore[arg-type]
            abs=2e-3,
        )


# -- properties --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_scale_and_sign_carry_through(kind: Any) -> None:
    path, w = made_up(seed=12), np.array([0.2, 0.3, 0.5])
    low, high = confidence(path, w, kind, 0.5, 0.95)
    other = EventPath(-10 * path.estimate, 100 * path.cov, path.times, -1.0)
    bound = 5.0 if kind == "smoothness" else 0.5
    assert confidence(other, w, kind, bound, 0.95) == pytest.approx((-10 * high, -10 * low), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wider_bound_never_gives_a_narrower_interval(kind: Any) -> None:
    path, w = made_up(seed=13), np.full(3, 1 / 3)
    ends = [confidence(path, w, kind, bound, 0.95) for bound in (0.25, 0.5, 1.0, 2.0, 4.0)]
    assert all(a[0] >= b[0] and a[1] <= b[1] for a, b in pairwise(ends))


@pytest.mark.parametrize("kind", KINDS)
def test_at_the_breakdown_the_interval_reaches_no_change(kind: Any) -> None:
    path, w = made_up(sd=0.15, ar=0.8), np.array([1.0, 0, 0])
    value = breakdown(path, w, kind, 0.95)
    assert value > 0
    assert confidence(path, w, kind, 0.99 * value, 0.95)[0] > 0
    assert confidence(path, w, kind, 1.01 * value, 0.95)[0] <= 0


def test_an_interval_that_holds_no_change_breaks_at_once() -> None:
    path = made_up(sd=3.0)
    assert breakdown(path, np.array([1.0, 0, 0]), "relative-magnitudes", 0.95) == 0


def test_the_search_ends_somewhere() -> None:
    path = made_up(sd=1e-3)
    flat = EventPath(np.where(path.before, 1e-3, 2.0), path.cov, path.times, -1.0)
    assert breakdown(flat, np.array([1.0, 0, 0]), "relative-magnitudes", 0.95, most=3.0) == 3.0


def test_gaps_between_periods_are_slopes() -> None:
    """A line through every other period has one slope: no bend, and moves of twice the size per step."""
    path = made_up()
    wide = EventPath(path.estimate, path.cov, 2 * path.times, -2.0)
    before, after = wide.differences(1)
    np.testing.assert_allclose(np.concatenate([before, after]) @ wide.since, 1.0)
    np.testing.assert_allclose(np.concatenate(wide.differences(2)) @ wide.since, 0.0, atol=1e-12)
    uneven = EventPath(np.zeros(5), np.eye(5), np.array([-6.0, -3.0, -2.0, 0.0, 4.0]), -1.0)
    np.testing.assert_allclose(np.concatenate(uneven.differences(2)) @ uneven.since**2, 2.0)


def test_pooled_periods_are_means_less_the_mean_of_the_last_block() -> None:
    path = made_up(5, 4)  # -6 .. -2 | -1 | 0 .. 3: blocks of two are (-4,-3), (-2,-1), (0,1), (2,3)
    pooled = path.pooled(2)
    b = dict(zip(path.times, path.estimate, strict=True)) | {-1.0: 0.0}
    last = (b[-2] + b[-1]) / 2
    expected = [(b[p] + b[p + 1]) / 2 - last for p in (-6, -4, 0, 2)]
    np.testing.assert_allclose(pooled.estimate, expected)
    np.testing.assert_allclose(pooled.times, [-2, -1, 1, 2])
    assert path.pooled(1) is path
    uneven = made_up(4, 3).pooled(2)  # -5 is alone and left out; the last block, month 2, is kept
    np.testing.assert_allclose(uneven.times, [-1, 1, 1.75])
    np.testing.assert_allclose(uneven.sizes, [2, 2, 1])


def test_shrinking_keeps_the_trace_and_gives_every_combination_a_variance() -> None:
    path = made_up(6, 6)
    poor = EventPath(path.estimate, np.outer(path.since, path.since), path.times, -1.0)
    steadied = poor.shrunk(0.3)
    assert np.trace(steadied.cov) == pytest.approx(np.trace(poor.cov))
    assert np.linalg.eigvalsh(steadied.cov).min() > 0


def test_a_shrunken_covariance_never_makes_an_interval_surer_than_either() -> None:
    """Shocks that last: independent periods alone would make a line through the past look surer."""
    path = made_up(10, 4, ar=0.8)
    steadied = path.shrunk(0.9)
    bends = differenced(steadied, np.full(4, 0.25), 2)
    found = shortest(bends, 0.0, 0.05)
    errors = [np.sqrt(found.weights @ cov @ found.weights) for cov in (path.cov, steadied.cov)]
    assert found.std_error == pytest.approx(max(errors)) and errors[0] > 1.3 * errors[1]


def test_what_cannot_be_done_is_refused() -> None:
    one = made_up(0, 2)
    with pytest.raises(EstimationError, match="no drift can be seen"):
        confidence(one, np.array([1.0, 0]), "relative-magnitudes", 1.0, 0.95)
    with pytest.raises(EstimationError, match="three periods before"):
        confidence(made_up(1, 2), np.array([1.0, 0]), "both", 1.0, 0.95)
    assert np.isfinite(confidence(made_up(1, 2), np.array([1.0, 0]), "smoothness", 0.1, 0.95)).all()
    with pytest.raises(UsageError, match="kind"):
        in_differences(made_up(), np.ones(3), "worst")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="bound"):
        confidence(made_up(), np.ones(3), "smoothness", -1.0, 0.95)
    with pytest.raises(ValueError, match="2 weights"):
        confidence(made_up(), np.ones(2), "smoothness", 1.0, 0.95)
    with pytest.raises(EstimationError, match="no estimate"):
        EventPath(np.array([np.nan, 1.0]), np.eye(2), np.array([-2.0, 0.0]), -1.0)
    with pytest.raises(ValueError, match="rise"):
        EventPath(np.zeros(2), np.eye(2), np.array([0.0, -2.0]), -1.0)
    with pytest.raises(ValueError, match="covariance"):
        EventPath(np.zeros(2), np.eye(3), np.array([-2.0, 0.0]), -1.0)
