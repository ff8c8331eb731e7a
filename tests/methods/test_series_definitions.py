"""A series that is counted in another way from some month on is no longer one series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.methods.test_series_choices import noisy
from ucimpact.data.series import Series
from ucimpact.errors import DesignError
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.series_changes import Change

OLD, NEW = "days delayed", "beds occupied"
STEP = Change(start="2011-04", shape="level")


def counted(names: list[Any], *, y: Any = None) -> Series:
    """Sixty months from January 2010; the pilot starts in July 2012 (month 30)."""
    period = np.asarray(pd.period_range("2010-01", periods=60, freq="M").astype(str), dtype=object)
    table = pd.DataFrame({"period": period, "y": noisy() if y is None else y, "counted": names})
    return Series(table, start="2012-07", definition="counted")


def refusal(series: Series, **choices: Any) -> str:
    with pytest.raises(DesignError) as error:
        InterruptedTimeSeries(outcome="y", **choices).fit(series)
    return str(error.value)


def test_a_new_definition_without_a_change_is_refused_with_what_to_write() -> None:
    assert refusal(counted([OLD] * 15 + [NEW] * 45)) == (
        "The definition of y changed in April 2011: figures before and after are not one series. Say "
        '[[method.changes]] with start = "2011-04" and shape = "level" (or "level-slope"), or choose a window '
        "within one definition."
    )


@pytest.mark.parametrize("shape", ["level", "level-slope"])
def test_with_the_change_it_is_taken_out(shape: str) -> None:
    y = np.where(np.arange(60) >= 15, 140.0, 100.0) + 0.2 * np.arange(60)
    y -= np.where(np.arange(60) >= 30, 6.0, 0.0)
    series = counted([OLD] * 15 + [NEW] * 45, y=y)
    method = InterruptedTimeSeries(
        outcome="y", changes=(Change(start="2011-04", shape=shape),), shape="level"
    )
    assert method.fit(series).headline["estimate"] == pytest.approx(-6)


def test_a_change_of_another_shape_or_month_does_not_stand_for_it() -> None:
    series = counted([OLD] * 15 + [NEW] * 45)
    text = refusal(series, changes=(Change(start="2011-04", shape="pulse"),))
    assert 'and a change of shape = "pulse" does not stand for that' in text
    assert "changed in April 2011" in refusal(series, changes=(Change(start="2011-05", shape="level"),))
    InterruptedTimeSeries(outcome="y", changes=(STEP,)).fit(series)


@pytest.mark.parametrize(
    ("start", "name", "said"),
    [
        ("2011-05", "new codes", "new codes, which is declared for May 2011, 1 month later, does not stand"),
        ("2011-02", "", "the change that is declared for February 2011, 2 months earlier, does not stand"),
    ],
)
def test_a_change_declared_a_little_off_is_named(start: str, name: str, said: str) -> None:
    series = counted([OLD] * 15 + [NEW] * 45)
    text = refusal(series, changes=(Change(start=start, name=name, shape="level"),))
    assert said in text
    assert text.endswith('Correct its start to "2011-04", or say what else it is.')
    far = refusal(series, changes=(Change(start="2010-08", shape="level"),))
    assert "declared for" not in far and "Say [[method.changes]]" in far


def test_with_the_start_of_the_pilot_it_cannot_be_told_apart() -> None:
    text = refusal(counted([OLD] * 30 + [NEW] * 30))
    assert text.startswith(
        "The definition of y changed in July 2012, with the start of the pilot: what the pilot"
    )
    assert "compare with a series that has the new definition and not the pilot" in text
    within = counted([OLD] * 32 + [NEW] * 28)
    assert "changed in October 2012, with the start" in refusal(within, phase_in=3)
    assert "are not one series" in refusal(within)


def test_a_change_in_months_that_do_not_count_may_stand_anywhere_among_them() -> None:
    y = noisy()
    y[14:17] = np.nan
    series = counted([OLD] * 15 + [NEW] * 45, y=y)
    assert "changed in June 2011" in refusal(series)
    for start in ("2011-03", "2011-06"):
        InterruptedTimeSeries(outcome="y", changes=(Change(start=start, shape="level"),)).fit(series)
    assert "changed in June 2011" in refusal(series, changes=(Change(start="2011-02", shape="level"),))


def test_every_change_of_definition_needs_its_own() -> None:
    series = counted([OLD] * 15 + [NEW] * 5 + [OLD] * 40)
    text = refusal(series, changes=(STEP,))
    assert "changed in September 2011" in text and "April" not in text
    text = refusal(series)
    assert text.count("are not one series") == 2


def test_a_month_without_a_definition_is_named() -> None:
    text = refusal(counted([OLD] * 5 + [None] + [OLD] * 54))
    assert (
        text
        == "The column counted says nothing of June 2010. Say under which definition each period was counted."
    )


def test_one_definition_changes_nothing() -> None:
    series = counted([f" {OLD}"] * 20 + [OLD] * 40)
    assert InterruptedTimeSeries(outcome="y").fit(series).counts["used"] == 60
