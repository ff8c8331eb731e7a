"""Small panels with holes: a refusal that says why, or an estimate, and never anything else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.staggered_panels import drawn
from ucimpact.data.panel import Panel
from ucimpact.errors import DataError, DesignError
from ucimpact.inference.staggered import Analytic
from ucimpact.methods.event_study import EventStudy
from ucimpact.methods.imputation import ImputationDiD
from ucimpact.methods.sun_abraham import SunAbraham


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", [ImputationDiD, SunAbraham, EventStudy])
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 100_000),
    starts=st.lists(st.integers(2, 8), min_size=1, max_size=3, unique=True),
    gaps=st.sampled_from([0.0, 0.1, 0.4, 0.6]),
    weights=st.sampled_from(["one", "unit", "cell"]),
    covariates=st.integers(0, 1),
)
def test_a_refusal_or_an_estimate(
    method: type[Any], seed: int, starts: list[int], gaps: float, weights: str, covariates: int
) -> None:
    rng = np.random.default_rng(seed)
    sizes = (*(int(s) for s in rng.integers(1, 4, len(starts))), int(rng.integers(0, 7)))
    shape = {"periods": max(max(starts), int(rng.integers(2, 9))), "gaps": gaps, "weights": weights}
    data = drawn(seed, sizes=sizes, starts=tuple(sorted(starts)), covariates=covariates, **shape)
    try:
        panel = Panel(data.table(), weight="w")
    except DataError:  # nothing left, or a start outside what was seen
        return
    asked = method(outcome="y", covariates=("x0",)[:covariates], cov=Analytic())
    refused = [finding for finding in asked.check_design(panel) if finding.level == "refuse"]
    if refused:
        with pytest.raises(DesignError):
            asked.fit(panel)
        return
    found = asked.fit(panel)
    assert np.isfinite(found.headline["estimate"])
    assert np.isfinite(found.effects.query("term != 'relative'")["estimate"]).all()
    assert (found.effects["std_error"].dropna() >= 0).all()
