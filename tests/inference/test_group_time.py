"""Cells and averages against a plain slow loop over the paper's definitions, and influence against weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ucimpact.inference.aggregation import Aggregates, aggregate
from ucimpact.inference.drdid import Estimator
from ucimpact.inference.group_time import Design, GroupTime, Impossible, on_panel, on_sections

# -- the slow loop -------------------------------------------------------------------------


def logit_by_hand(x: np.ndarray, d: np.ndarray, w: np.ndarray) -> np.ndarray:
    coef = np.zeros(x.shape[1])
    for _ in range(60):
        chance = 1 / (1 + np.exp(-x @ coef))
        step = np.linalg.solve((x.T * (w * chance * (1 - chance))) @ x, x.T @ (w * (d - chance)))
        coef = coef + step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))
    return 1 / (1 + np.exp(-x @ coef))


def two_by_two(change: np.ndarray, d: np.ndarray, x: np.ndarray, w: np.ndarray, estimator: str) -> float:
    """Sant'Anna and Zhao (2020), equations 2.2, 2.3 and 2.5 in sample means."""
    x = np.column_stack([np.ones(len(d)), x])
    root = np.sqrt(w[d == 0])
    beta = np.linalg.lstsq(x[d == 0] * root[:, None], change[d == 0] * root, rcond=None)[0]
    if estimator == "ipw":
        beta = 0 * beta
    left = change - x @ beta
    pilot = np.average(left, weights=w * d)
    if estimator == "reg":
        return float(pilot)
    chance = logit_by_hand(x, d, w)
    return float(pilot - np.average(left, weights=w * (1 - d) * chance / (1 - chance)))


def slow(
    start: np.ndarray,
    y: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    seen: np.ndarray,
    how: dict,
) -> dict[tuple[int, int], float]:
    """ATT(g, t), equations 2.5 to 2.7 of Callaway and Sant'Anna (2021), one cell at a time."""
    periods = y.shape[1]
    delta, out = how["anticipation"], {}
    for g in sorted(set(start[np.isfinite(start)].astype(int))):
        before = max(t for t in range(periods) if t + delta < g)
        for t in range(periods):
            base = before if how["base"] == "universal" or t + delta >= g else t - 1
            if base < 0 or base == t:
                continue
            others = np.isinf(start)
            if how["control"] == "not-yet-treated":
                others = (start > max(t, base) + delta) & (start != g)
            use = ((start == g) | others) & seen[:, t] & seen[:, base]
            d = (start[use] == g).astype(float)
            if 0 < d.sum() < len(d):
                change = y[use, t] - y[use, base]
                out[g, t] = two_by_two(change, d, x[use, min(t, base)], w[use], how["estimator"])
    return out


def averages(cells: dict[tuple[int, int], float], start: np.ndarray, w: np.ndarray) -> dict[object, float]:
    """Table 1 of Callaway and Sant'Anna (2021), written out."""
    share = {g: w[start == g].sum() / w.sum() for g, _ in cells}
    post = {gt: value for gt, value in cells.items() if gt[1] >= gt[0]}

    def mean(part: dict[tuple[int, int], float]) -> float:
        return sum(share[g] * v for (g, _), v in part.items()) / sum(share[g] for g, _ in part)

    out: dict[object, float] = {"simple": mean(post)}
    for e in sorted({t - g for g, t in cells}):
        out["event", e] = mean({gt: v for gt, v in cells.items() if gt[1] - gt[0] == e})
    out["dynamic_average"] = np.mean([v for k, v in out.items() if k[0] == "event" and k[1] >= 0])
    groups = {g: np.mean([v for (h, _), v in post.items() if h == g]) for g in {g for g, _ in post}}
    out |= {("group", g): v for g, v in groups.items()}
    out["group_average"] = sum(share[g] * v for g, v in groups.items()) / sum(share[g] for g in groups)
    times = sorted({t for _, t in post})
    calendar = {("calendar", t): mean({gt: v for gt, v in post.items() if gt[1] == t}) for t in times}
    out |= calendar
    out["calendar_average"] = np.mean(list(calendar.values()))
    return out


# -- the same by the engine ----------------------------------------------------------------


def design_of(start: np.ndarray, periods: int, how: dict) -> Design:
    cohorts = np.unique(start[np.isfinite(start)])
    return Design(
        ordinals=np.arange(periods),
        cohorts=cohorts,
        cohort=np.searchsorted(cohorts, start),
        control=how["control"],
        base=how["base"],
        anticipation=how["anticipation"],
    )


def averaged(design: Design, found: GroupTime, w: np.ndarray, **options: object) -> Aggregates:
    part = np.bincount(design.cohort, w, len(design.cohorts) + 1)[:-1] / w.sum()
    return aggregate(
        found.cohort,
        found.period,
        found.estimate,
        ordinals=design.ordinals,
        cohorts=design.cohorts,
        part=part,
        **options,
    )


def label(row: dict) -> object:
    value = next((row[name] for name in ("event_time", "group", "period") if name in row), None)
    return row["term"] if value is None else (row["term"], value)


def panel(seed: int, n: int, periods: int, *, gaps: bool, moving: bool) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    start = rng.choice([2.0, 3.0, 4.0, np.inf], n, p=[0.25, 0.2, 0.2, 0.35])
    start[:4] = [2.0, 3.0, 4.0, np.inf]
    x = np.repeat(rng.normal(size=(n, 1)), periods, axis=1)
    if moving:
        x = x + 0.5 * rng.normal(size=(n, periods))
    y = rng.normal(size=(n, 1)) + x * np.arange(periods) + rng.normal(size=(n, periods))
    y += np.where(np.arange(periods) >= start[:, None], 1.0, 0.0)
    seen = rng.random((n, periods)) > (0.1 if gaps else 0)
    return start, y, x, rng.uniform(0.5, 2, n), seen


def both(data: tuple[np.ndarray, ...], how: dict) -> tuple[dict, GroupTime, Design]:
    start, y, x, w, seen = data
    design = design_of(start, y.shape[1], how)
    whole, constant = bool(seen.all()), bool((x == x[:, :1]).all())
    covariates = x[None, :, 0] if constant and whole else x[None]
    found = on_panel(design, y, w, covariates, None if whole else seen, how["estimator"])
    return slow(*data, how), found, design


CHOICES = {
    "control": st.sampled_from(["never-treated", "not-yet-treated"]),
    "base": st.sampled_from(["universal", "varying"]),
    "anticipation": st.integers(0, 2),
    "estimator": st.sampled_from(["dr", "ipw", "reg"]),
}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries(CHOICES), st.integers(0, 10_000), st.booleans(), st.booleans())
def test_every_cell_is_that_of_the_slow_loop(how: dict, seed: int, gaps: bool, moving: bool) -> None:
    start, *rest = panel(seed, 90, 7, gaps=gaps, moving=moving)
    data = (start + 1, *rest)  # so that two periods of anticipation leave one before
    try:
        cells, found, design = both(data, how)
    except (Impossible, np.linalg.LinAlgError):
        return  # a small start that the covariate tells apart
    assert [(int(design.cohorts[c.cohort]), c.period) for c in found.cells] == list(cells)
    np.testing.assert_allclose(found.estimate, list(cells.values()), rtol=1e-7, atol=1e-8)
    if found.dropped == 0:
        by_hand = averages(cells, data[0], data[3])
        made = averaged(design, found, data[3])
        assert {label(row) for row in made.rows} == set(by_hand)
        expected = [by_hand[label(row)] for row in made.rows]
        np.testing.assert_allclose(made.weights.T @ found.estimate, expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("control", ["never-treated", "not-yet-treated"])
@pytest.mark.parametrize("estimator", ["dr", "ipw", "reg", "dr-improved"])
@pytest.mark.parametrize("gaps", [False, True])
def test_influence_is_the_derivative_by_the_weight_of_a_unit(
    control: str, estimator: Estimator, gaps: bool
) -> None:
    how = {"control": control, "base": "universal", "anticipation": 0, "estimator": estimator}
    start, y, x, w, seen = panel(3, 100, 5, gaps=gaps, moving=False)
    design = design_of(start, 5, how)

    def effects(weights: np.ndarray) -> tuple[np.ndarray, Aggregates, GroupTime]:
        found = on_panel(design, y, weights, x[None], None if not gaps else seen, estimator)
        made = averaged(design, found, weights)
        return np.concatenate([made.weights.T @ found.estimate, found.estimate]), made, found

    _, made, found = effects(w)
    influence = found.influence(np.hstack([made.weights, np.eye(len(found.cells))]))
    slope = np.vstack([made.slope, np.zeros(made.slope.shape[1])])
    influence[:, : len(made.rows)] += slope[design.cohort] * (w / w.sum())[:, None]
    for i in range(0, 100, 9):
        step = np.zeros(100)
        step[i] = 1e-4 * w[i]
        moved = (effects(w + step)[0] - effects(w - step)[0]) / 2e-4
        np.testing.assert_allclose(influence[i], moved, rtol=1e-4, atol=1e-6)


def test_cells_of_one_start_share_one_score(monkeypatch: pytest.MonkeyPatch) -> None:
    from ucimpact.inference import group_time

    calls = []
    real: Callable = group_time.two_groups
    monkeypatch.setattr(group_time, "two_groups", lambda *a: calls.append(1) or real(*a))
    start, y, x, _, _ = panel(5, 200, 6, gaps=False, moving=False)
    how = {"control": "never-treated", "base": "universal", "anticipation": 0}
    found = on_panel(design_of(start, 6, how), y, None, x[None, :, 0])
    assert len(calls) == 3 and len(found.cells) == 15
    calls.clear()
    on_panel(design_of(start, 6, how | {"control": "not-yet-treated"}), y, None, x[None, :, 0])
    assert len(calls) == 3 + 2 + 1  # against those still to start: one more for each start still to come


def test_blocks_of_rows_do_not_change_influence(monkeypatch: pytest.MonkeyPatch) -> None:
    start, y, x, w, _ = panel(6, 120, 5, gaps=False, moving=False)
    how = {"control": "not-yet-treated", "base": "varying", "anticipation": 0}
    found = on_panel(design_of(start, 5, how), y, w, x[None, :, 0])
    whole = found.cell_influence(np.arange(len(found.cells)))
    monkeypatch.setattr("ucimpact.inference.group_time.BLOCK_ROWS", 7)
    np.testing.assert_allclose(found.cell_influence(np.arange(len(found.cells))), whole, rtol=1e-12)


def test_units_in_another_order_give_the_same() -> None:
    start, y, x, w, seen = panel(7, 80, 5, gaps=True, moving=True)
    how = {"control": "not-yet-treated", "base": "universal", "anticipation": 1}
    order = np.random.default_rng(0).permutation(80)
    plain = on_panel(design_of(start, 5, how), y, w, x[None], seen)
    mixed = on_panel(design_of(start[order], 5, how), y[order], w[order], x[None, order], seen[order])
    np.testing.assert_allclose(mixed.estimate, plain.estimate, rtol=1e-9)
    every = np.arange(len(plain.cells))
    np.testing.assert_allclose(
        mixed.cell_influence(every), plain.cell_influence(every)[order], rtol=1e-6, atol=1e-9
    )


def test_weights_that_change_over_time_are_those_of_the_earlier_period() -> None:
    start, y, _, _, _ = panel(8, 60, 5, gaps=False, moving=False)
    w = np.random.default_rng(8).uniform(0.5, 2, y.shape)
    how = {"control": "never-treated", "base": "varying", "anticipation": 0}
    found = on_panel(design_of(start, 5, how), y, w)
    for cell, estimate in zip(found.cells, found.estimate, strict=True):
        change, weight = y[:, cell.period] - y[:, cell.base], w[:, min(cell.period, cell.base)]
        pilot, others = start == [2, 3, 4][cell.cohort], np.isinf(start)
        by_hand = np.average(change[pilot], weights=weight[pilot]) - np.average(
            change[others], weights=weight[others]
        )
        assert estimate == pytest.approx(by_hand)


# -- rows of other people in each period ---------------------------------------------------


def test_a_whole_panel_as_sections_has_the_same_effects_without_covariates() -> None:
    start, y, _, w, _ = panel(9, 70, 5, gaps=False, moving=False)
    how = {"control": "not-yet-treated", "base": "universal", "anticipation": 0}
    design = design_of(start, 5, how)
    unit, period = np.repeat(np.arange(70), 5), np.tile(np.arange(5), 70)
    sections = on_sections(design, unit, period, y.ravel(), np.repeat(w, 5))
    as_panel = on_panel(design, y, w)
    np.testing.assert_allclose(sections.estimate, as_panel.estimate, rtol=1e-9)
    every = np.arange(len(as_panel.cells))  # influence is summed by unit, so it is the same too
    np.testing.assert_allclose(
        sections.cell_influence(every), as_panel.cell_influence(every), rtol=1e-7, atol=1e-10
    )


def test_cells_that_nobody_was_seen_for_are_named() -> None:
    start, y, _, _, seen = panel(10, 40, 5, gaps=False, moving=False)
    seen[start == 3, 4] = False
    how = {"control": "never-treated", "base": "universal", "anticipation": 0}
    found = on_panel(design_of(start, 5, how), y, None, None, seen)
    assert [(c.cohort, c.period) for c in found.missing] == [(1, 4)]
    assert (1, 4) not in [(c.cohort, c.period) for c in found.cells]


# -- averages ------------------------------------------------------------------------------


def test_balancing_holds_the_mix_of_starts_after_the_start() -> None:
    start, y, _, w, _ = panel(11, 60, 6, gaps=False, moving=False)
    how = {"control": "never-treated", "base": "varying", "anticipation": 0}
    design = design_of(start, 6, how)
    found = on_panel(design, y, w)
    made = averaged(design, found, w, balance=2)
    events = [k for k, row in enumerate(made.rows) if row["term"] == "event"]
    shares, _ = made.shares(found.cohort, found.estimate)
    after = [k for k in events if made.rows[k]["event_time"] >= 0]
    assert [made.rows[k]["event_time"] for k in after] == [0, 1, 2]
    assert (shares[2, events] == 0).all()  # the last start was seen for one period after it
    np.testing.assert_allclose(shares[:, after], shares[:, [after[0]] * 3])
    assert all(row["event_time"] >= 2 - 5 for row in made.rows if row["term"] == "event")


def test_a_base_period_is_0_at_an_event_time_that_others_share() -> None:
    # nothing was seen in 2: the start at 3 is measured from 1, two before it; that at 5 from 4, one before it
    cohort, period = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 2, 3, 4, 0, 1, 2, 4])
    estimate = np.array([0.5, 1.0, 2.0, 2.5, -0.3, 0.1, 0.7, 3.0])
    made = aggregate(
        np.append(cohort, [0, 1]),
        np.append(period, [1, 3]),
        np.append(estimate, [0.0, 0.0]),
        ordinals=np.array([0, 1, 3, 4, 5]),
        cohorts=np.array([3, 5]),
        part=np.array([0.2, 0.3]),
        reference=np.arange(10) >= 8,
    )
    at = {label(row): k for k, row in enumerate(made.rows)}
    effects = made.weights.T @ np.append(estimate, [0.0, 0.0])
    assert ("event", -1) not in at  # the base of the second start, and nobody else's time
    assert effects[at["event", -2]] == pytest.approx(0.3 * 0.7 / 0.5)


def test_estimated_shares_add_nothing_when_all_grow_alike() -> None:
    start, y, _, w, _ = panel(12, 60, 5, gaps=False, moving=False)
    design = design_of(start, 5, {"control": "never-treated", "base": "universal", "anticipation": 0})
    made = averaged(design, on_panel(design, y, w), w)
    part = np.bincount(design.cohort, w, 4)[:-1]
    np.testing.assert_allclose(part @ made.slope, 0, atol=1e-12)
