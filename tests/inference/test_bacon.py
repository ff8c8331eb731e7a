"""The parts add up to the two-way coefficient, whatever the starts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.staggered_panels import dense, drawn, of_cells
from ucimpact.inference.bacon import by_kind, decompose


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    starts=st.lists(st.integers(2, 8), min_size=1, max_size=4, unique=True),
    never=st.integers(0, 4),
    weights=st.sampled_from(["one", "unit"]),
)
def test_the_parts_add_up_to_the_two_way_coefficient(
    seed: int, starts: list[int], never: int, weights: str
) -> None:
    rng = np.random.default_rng(seed)
    if len(starts) == 1 and never == 0:
        never = 2
    sizes = (*(int(s) for s in rng.integers(1, 5, len(starts))), never)
    data = drawn(seed, sizes=sizes, starts=tuple(sorted(starts)), periods=8, weights=weights, effect=1.0)
    panel = data.panel
    mass = panel.mass[:, 0]
    means = panel.sums(data.w * data.y) / np.where(mass > 0, mass, 1.0)[:, None]
    parts = decompose(means, mass, data.cohorts - 1)
    run = np.vstack([data.since >= 0, np.zeros(8)])[None].astype(float)
    static = dense(data, of_cells(data, run)).coef[0]
    assert sum(c.weight for c in parts) == pytest.approx(1)
    assert all(c.weight >= 0 for c in parts)
    assert sum(c.weight * c.estimate for c in parts) == pytest.approx(static, rel=1e-8, abs=1e-10)


def test_by_hand() -> None:
    """Three periods, one unit each: starts 2 and 3, and never. Weights from n n D (1 - D) and so on, over 9."""
    means = np.array([[1.0, 4, 4], [2, 2, 7], [3, 3, 4]])
    parts = decompose(means, np.ones(3), np.array([1, 2]))
    known = {(c.pilot, c.other, c.kind): c for c in parts}
    # D is 2/3 and 1/3: against never 2/9 and 2/9; early 1/3 x 1/3; late 1/3 x 1/3
    total = 2 / 9 + 2 / 9 + 1 / 9 + 1 / 9
    early = known[0, 1, "earlier against later"]
    assert early.estimate == pytest.approx((4 - 1) - (2 - 2)) and early.weight == pytest.approx(1 / 9 / total)
    late = known[1, 0, "later against earlier"]
    assert late.estimate == pytest.approx((7 - 2) - (4 - 4)) and late.weight == pytest.approx(1 / 9 / total)
    never = known[0, None, "pilot against never"]
    assert never.estimate == pytest.approx(3 - 0.5) and never.weight == pytest.approx(2 / 9 / total)
    kinds = {row["kind"]: row for row in by_kind(parts)}
    assert kinds["pilot against never"]["weight"] == pytest.approx(4 / 6)
    assert kinds["pilot against never"]["estimate"] == pytest.approx((2.5 + (7 - 2 - 1)) / 2)


def test_growing_effects_turn_the_forbidden_comparison_round() -> None:
    data = drawn(2, effect=5.0, sizes=(6, 6, 6, 6), starts=(3, 6, 8))
    panel = data.panel
    means = panel.sums(data.y) / panel.mass
    late = [
        c for c in decompose(means, panel.mass[:, 0], data.cohorts - 1) if c.kind == "later against earlier"
    ]
    assert min(c.estimate for c in late) < 0 < 5
