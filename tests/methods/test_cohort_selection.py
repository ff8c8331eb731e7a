"""The meter of selection as an estimate carries it: numbers, text and when there is none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ucimpact.disclosure import rounded_in
from ucimpact.methods.cohort_selection import selection
from ucimpact.words import breaks


def people(pilot_after: float, others_after: float, n: int = 400):
    rng = np.random.default_rng(1)
    treated = np.arange(n) < n // 4
    before = rng.poisson(1.4, n).astype(float)
    after = rng.poisson(np.where(treated, pilot_after, others_after)).astype(float)
    return before, after, treated


def told(*sizes: float, **options):
    return selection(
        *people(*sizes), days_before=90, days_after=90, horizon=90, outcome="Emergency admissions", **options
    )


def test_numbers_and_text_agree():
    found = told(0.3, 0.5)
    before, after, treated = people(0.3, 0.5)
    assert found["pilot"]["before"] == pytest.approx(before[treated].mean())
    assert found["comparison"]["fall"] == pytest.approx((before - after)[~treated].mean())
    assert found["share"] == pytest.approx(found["comparison"]["fall"] / found["pilot"]["fall"])
    assert found["base"] == 100
    text = found["text"]
    assert (
        f"from {100 * before[treated].mean():.1f} to {100 * after[treated].mean():.1f} emergency admissions per 100"
        in text
    )
    assert f"about {100 * found['share']:.0f}% of that fall" in text
    assert not breaks(text) and rounded_in(text) == text
    json.dumps(found, allow_nan=False)


def test_rare_events_climb_to_a_base_that_shows_them():
    before, after, treated = people(0.3, 0.5)
    rare = selection(before / 500, after / 500, treated, days_before=90, days_after=90, horizon=90)
    assert rare["base"] == 10_000


def test_no_fall_has_no_share():
    found = told(2.0, 2.0)
    assert found["share"] is None and "of that fall" not in found["text"]


def test_without_both_groups_there_is_none():
    before, after, treated = people(0.3, 0.5)
    call = {"days_before": 90, "days_after": 90, "horizon": 90}
    assert selection(before, after, np.ones_like(treated), **call) is None
    assert selection(before * 0, after, treated, **call) is None, "deaths cannot have happened before"
