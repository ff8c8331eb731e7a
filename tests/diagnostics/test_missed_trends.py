"""What the test before the pilot could have missed, in the size it gives the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.panel import Panel
from ucimpact.data.simulate import PracticePanel
from ucimpact.diagnostics.honest_did import HonestDiD, HonestResult
from ucimpact.diagnostics.missed_trends import (
    missed,
    missed_sentence,
    pre_trend_equivalence,
    pre_trend_power,
)
from ucimpact.diagnostics.panel_checks import pre_trend, unmeasured
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.words.never import breaks

DID = DifferenceInDifferences(outcome="y")


def panel(seed: int, slope: float = 0.0, sd: float = 1.0, units: int = 30, pilots: int = 10) -> Panel:
    """Independent noise; the pilot units drift by ``slope`` a month from the first month to the last."""
    rng = np.random.default_rng(seed)
    t, pilot = np.arange(16), np.arange(units) < pilots
    y = rng.normal(size=(units, 16)) * sd + slope * pilot[:, None] * t
    return Panel(
        pd.DataFrame(
            {
                "unit": np.repeat(np.arange(units), 16),
                "period": np.tile(t + 1, units),
                "start": np.repeat(np.where(pilot, 10, 0), 16),
                "y": y.reshape(-1),
            }
        )
    )


def test_a_drift_of_the_slope_told_is_seen_half_of_the_time() -> None:
    """The power that is printed, against the share of new data sets in which the check's own test sees it."""
    told = missed(DID.fit(panel(0)))
    for slope, power in ((told.half, 0.5), (told.mostly, 0.8), (0.0, 0.1)):
        seen = [DID.fit(panel(seed, slope)).extras["pre_trend"]["p_value"] < 0.10 for seed in range(1, 81)]
        assert np.mean(seen) == pytest.approx(power, abs=0.15)  # one data set told the slope, 80 judge it


def test_what_the_drift_adds_is_what_the_headline_moves_by() -> None:
    plain, tilted = (DID.fit(panel(3, slope)) for slope in (0.0, 0.2))
    told = missed(plain)
    moved = tilted.headline["estimate"] - plain.headline["estimate"]
    assert told.half_adds / told.half == pytest.approx(moved / 0.2)


def test_the_check_of_the_past_says_what_it_would_have_missed() -> None:
    estimate = DID.fit(panel(1))
    found = pre_trend(estimate, worthwhile=10.0)
    assert found.answer == "holds" and found.text.endswith("would have been missed half of the time.")
    assert not breaks(found.text)


def test_power_holds_where_a_drift_that_matters_would_be_seen() -> None:
    estimate = DID.fit(panel(1))
    told = missed(estimate)
    enough = pre_trend_power(estimate, worthwhile=1.01 * told.mostly_adds)
    short = pre_trend_power(estimate, worthwhile=0.99 * told.mostly_adds)
    assert (enough.answer, short.answer) == ("holds", "cannot tell")
    assert pre_trend_power(estimate, worthwhile=None).answer == "cannot tell"
    assert [row["seen"] for row in enough.table] == [0.5, 0.8]
    assert not breaks(enough.text) and not breaks(short.text) and not enough.counted


def test_equivalence_holds_where_gaps_that_matter_are_ruled_out() -> None:
    estimate = DID.fit(panel(1))
    largest = pre_trend_equivalence(estimate, worthwhile=1.0).statistic
    assert largest is not None
    enough = pre_trend_equivalence(estimate, worthwhile=1.01 * largest)
    short = pre_trend_equivalence(estimate, worthwhile=0.99 * largest)
    little = pre_trend_equivalence(estimate, worthwhile=0.01 * largest)
    assert (enough.answer, short.answer, little.answer) == ("holds", "cannot tell", "cannot tell")
    assert "all periods together" in short.text and "leaves room" in little.text
    assert pre_trend_equivalence(estimate, worthwhile=None).answer == "cannot tell"
    for check in (enough, short, little):
        assert not breaks(check.text) and not check.counted
    margins = {row["gap"]: row["ruled_out_above"] for row in enough.table}
    assert margins["mean"] < margins["largest"] <= margins["largest, by two one-sided tests"] + 1e-9


def test_without_a_path_nothing_is_said() -> None:
    rows = [{"term": "att", "estimate": -2.0, "conf_low": -3.0, "conf_high": -1.0}]
    bare = Estimate(method="its", estimand="ATT", outcome="y", effects=effects_frame(rows))
    assert missed_sentence(bare) == ""
    assert pre_trend_power(bare, worthwhile=1.0).answer == "cannot tell"
    assert pre_trend_equivalence(bare, worthwhile=1.0).answer == "cannot tell"
    with pytest.raises(EstimationError):
        missed(bare)


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (100.0, "under 1% of the result"),
        (2.0, "% of the result"),
        (0.1, "times the result"),
    ],
)
def test_the_size_is_told_beside_the_result(effect: float, words: str) -> None:
    made = DID.fit(panel(1))
    effects = made.effects.copy()
    effects.loc[0, "estimate"] = effect
    assert words in missed_sentence(Estimate(**{**vars(made), "effects": effects}))


def test_few_places_have_less_power() -> None:
    few, many = (missed(DID.fit(panel(5, units=n, pilots=n // 3))) for n in (9, 90))
    assert few.half > 2 * many.half


# -- what is unrecorded ------------------------------------------------------------------


def honest(value: float | None, **more: Any) -> HonestResult:
    return HonestResult(
        kind=more.get("kind", "relative-magnitudes"),
        target="average effect over all months since the start",
        outcome="y",
        noun="month",
        together=more.get("together", 6),
        level=0.95,
        original={"estimate": -2.0, "std_error": 0.5, "conf_low": -3.0, "conf_high": -1.0},
        rows=({"bound": 1.0, "conf_low": -4.0, "conf_high": 0.1, "holds": False},),
        breakdown=value,
        before=2,
        after=2,
    )


@pytest.mark.parametrize(
    ("value", "answer", "words"),
    [
        (1.0, "holds", "up to 1.0 times the worst"),
        (0.99, "doubtful", "up to 0.9 of the worst seen before the pilot"),
        (0.0, "doubtful", "does not survive"),
        (10.0, "holds", "10 times the worst"),
        (None, "cannot tell", "last 6 months before the pilot alone"),
    ],
)
def test_a_finding_that_survives_the_worst_seen_holds(value: float | None, answer: str, words: str) -> None:
    found = unmeasured(includes_no_change=False, controlled=True, honest=honest(value))
    assert found.answer == answer and words in found.text and not breaks(found.text)
    assert found.statistic == value and len(found.table) == 1


def test_other_bounds_and_other_reasons_cannot_tell() -> None:
    bend = honest(2.0, kind="both")
    assert unmeasured(includes_no_change=False, controlled=True, honest=bend).answer == "cannot tell"
    assert unmeasured(includes_no_change=True, controlled=True, honest=honest(2.0)).answer == "cannot tell"
    assert unmeasured(includes_no_change=False, controlled=False, honest=honest(2.0)).answer == "cannot tell"
    monthly = unmeasured(includes_no_change=False, controlled=True, honest=honest(1.3, together=1))
    assert "from month to month" in monthly.text


def test_practices_are_answered_from_their_own_path() -> None:
    made = PracticePanel(units=60, pilots=20, months=36, before=18).draw(0)
    practices = Panel(
        made.table, unit="practice", period="month", start="joined", population="list_size", cluster="town"
    ).weighted_by_people()
    estimate = DifferenceInDifferences(outcome="rate").fit(
        practices.with_rate("emergency_admissions", per=1000, name="rate")
    )
    found = unmeasured(
        includes_no_change=False, controlled=True, honest=HonestDiD(together="auto").of(estimate)
    )
    assert found.answer == "holds" and "spell of 6 months" in found.text
