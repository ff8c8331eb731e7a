"""Starts put back: whom the comparison is then of, and what each outcome of it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.histories import Histories
from ucimpact.diagnostics.placebo_start import earlier, placebo_start
from ucimpact.disclosure import rounded_in
from ucimpact.errors import DesignError, EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.words import breaks


def day(n: int) -> pd.Timestamp:
    return pd.Timestamp("2020-01-01") + pd.Timedelta(days=n)


def histories(**roles: Any) -> Histories:
    people = pd.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "began": [day(1_000), day(700), None, day(1_000)],
            "since": [day(-50), day(-50), day(-50), day(600)],
        }
    )
    events = pd.DataFrame(
        {"id": [1, 2, 3, 4], "date": [day(900), day(600), day(900), day(1_100)], "kind": "stay"}
    )
    return Histories(
        people, events, person="id", service_start="began", registered="since",
        first=day(0).date(), last=day(1_200).date(), **roles,
    )  # fmt: skip


def test_starts_go_back_and_people_without_records_leave():
    window = {"index_from": day(500).date(), "index_to": day(1_100).date()}
    before = histories(**window)
    found = earlier(before, 270, horizon=90, lookback=365)
    assert found.people["id"].tolist() == [1, 2, 3]
    assert (found.start - before.start[:3]).tolist()[:2] == [-270, -270] and np.isnan(found.start[2])
    assert (found.index_from, found.index_to) == (day(230).date(), day(830).date())
    assert before.people["began"].iloc[0] == day(1_000), "the input is untouched"
    assert earlier(histories(), 400, horizon=90, lookback=365).people["id"].tolist() == [1, 3]
    with pytest.raises(EstimationError, match="into the time of the service"):
        earlier(before, 60, horizon=90, lookback=365)


def estimate(ratio: float | None, half: float = 0.1, **extras: Any) -> Estimate:
    rows = [{"term": "att", "estimate": 0.0}]
    if ratio is not None:
        ends = [ratio * np.exp(by * half) - 1 for by in (0, -1, 1)]
        rows.append(
            dict(zip(("estimate", "conf_low", "conf_high"), ends, strict=True)) | {"term": "relative"}
        )
    return Estimate(method="m", estimand="ATT", outcome="y", effects=effects_frame(rows), extras=extras)


@pytest.mark.parametrize(
    ("placebo", "answer", "said"),
    [
        (estimate(1.02), "holds", "the comparison gives 2% more (likely range 8% fewer to 13% more)"),
        (estimate(1.2), "doubtful", "differed before there was a service"),
        (estimate(0.85), "doubtful", "differed before there was a service"),
        (estimate(1.02, 0.3), "cannot tell", "could have been missed"),
        (estimate(None), "cannot tell", "no ratio"),
    ],
)
def test_what_it_says(placebo, answer, said):
    check = placebo_start(lambda _: placebo, histories(), estimate(0.8), horizon=90, lookback=365)
    assert check.answer == answer and said in check.text and not check.counted
    assert not breaks(check.text) and rounded_in(check.text) == check.text


def test_the_method_sees_the_starts_put_back():
    seen: list[Histories] = []

    def fit(given: Histories) -> Estimate:
        seen.append(given)
        return estimate(1.0)

    placebo_start(fit, histories(), estimate(0.8), days=200, horizon=90, lookback=365)
    assert seen[0].start[0] == histories().start[0] - 200


def test_what_cannot_be_run_cannot_tell():
    def refuse(_: Histories) -> Estimate:
        raise DesignError("nobody starts on a day that counts.")

    check = placebo_start(refuse, histories(), estimate(0.8), horizon=90, lookback=365)
    assert check.answer == "cannot tell" and check.text.endswith("nobody starts on a day that counts.")
    opened = estimate(0.8, trials={"trigger": "stay"})
    check = placebo_start(refuse, histories(), opened, horizon=90, lookback=365)
    assert "Hold a period out" in check.text
    assert not breaks(check.text)
