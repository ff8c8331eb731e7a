"""The result that every method returns."""

from __future__ import annotations

import pytest

from ucimpact.estimate import Estimate, effects_frame

ROWS = [
    {"term": "att", "estimate": -2.0, "conf_low": -3.0, "conf_high": -1.0},
    {"term": "cumulative", "estimate": -20.0, "conf_low": -30.0, "conf_high": -10.0},
    {"term": "event", "estimate": 1.0, "event_time": 3},
    {"term": "event", "estimate": 0.0, "event_time": -2},
]


def made(**fields: object) -> Estimate:
    return Estimate(method="did", estimand="ATT", outcome="y", effects=effects_frame(ROWS), **fields)  # type: ignore[arg-type]


def test_the_first_effect_is_the_headline() -> None:
    assert made().headline["term"] == "att"


def test_the_path_runs_in_time() -> None:
    assert list(made().path()["event_time"]) == [-2, 3]


def test_ratios_give_no_numbers_avoided() -> None:
    assert made().avoided()["estimate"] == -20.0
    with pytest.raises(ValueError, match="per cent and no numbers avoided"):
        made(scale="log").avoided()


def test_an_unknown_effect_names_those_there_are() -> None:
    with pytest.raises(KeyError, match="att, cumulative, event"):
        made().effect("level_change")


def test_the_summary_repeats_every_warning() -> None:
    text = made(warnings=("9 clusters",), draws_from="a t on 28 df").summary()
    assert "-2 (95% interval -3 to -1), a t on 28 df" in text and "Care: 9 clusters" in text


def test_an_effect_needs_a_term() -> None:
    with pytest.raises(ValueError, match="needs a term"):
        effects_frame([{"estimate": 1.0}])


def test_the_notebook_form_escapes_column_names() -> None:
    bad = Estimate(method="did", estimand="ATT", outcome="<script>", effects=effects_frame(ROWS[:1]))
    assert "<script>" not in bad._repr_html_()
