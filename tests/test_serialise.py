"""Plain values are what JSON holds, and nothing that was not estimated becomes a number."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from ucimpact import serialise
from ucimpact.data.panel import Rate
from ucimpact.estimate import Estimate, effects_frame


def test_numbers_that_json_cannot_say_become_none() -> None:
    assert serialise.plain([np.nan, np.inf, np.float64(1.5), np.int64(2), pd.NaT]) == [
        None,
        None,
        1.5,
        2,
        None,
    ]


def test_dates_frames_and_choices_have_a_plain_form() -> None:
    assert serialise.plain(dt.date(2022, 4, 1)) == "2022-04-01"
    assert serialise.plain(pd.DataFrame({"a": [1, 2]})) == [{"a": 1}, {"a": 2}]
    assert serialise.plain(Rate("y", 1000.0)) == {"kind": "Rate", "numerator": "y", "per": 1000.0}


def test_what_has_no_plain_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no plain form"):
        serialise.plain(object())


def test_an_estimate_comes_back_as_it_was() -> None:
    effects = effects_frame(
        [
            {"term": "att", "estimate": -1.0, "std_error": 0.5, "conf_low": -2.0, "conf_high": 0.0},
            {"term": "event", "estimate": 0.1, "event_time": -2, "period": "2022-01"},
        ]
    )
    made = Estimate(
        method="did",
        estimand="ATT",
        outcome="y",
        effects=effects,
        cov=np.array([[0.25, np.nan], [np.nan, 1.0]]),
    )
    again = Estimate.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again.to_dict() == made.to_dict()
    assert again.headline["estimate"] == -1.0 and np.isnan(again.path()["conf_low"].item())


def test_text_of_refuses_nothing_and_hides_nothing() -> None:
    assert json.loads(serialise.text_of({"a": float("nan"), "b": "£"})) == {"a": None, "b": "£"}
