"""What hangs on a choice: the same analysis with each other way, in a small table.

Two choices no data can settle are shown every time: what is done with March 2020 to June 2021, and how the
path from before goes on. A Tuscan smoking ban cut admissions by 5% on a straight trend and raised them by 1%
on a curved one, which fitted better [1]_.

References
----------
.. [1] Gasparrini, A., Gorini, G. and Barchielli, A. (2009). On the relationship between smoking bans and
   incidence of acute myocardial infarction. *European Journal of Epidemiology* 24, 597-602.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from ucimpact.data.calendar import covid_periods
from ucimpact.data.series import Series
from ucimpact.methods.its_design import LEAST_FOR_SPLINE
from ucimpact.methods.series_choices import TRENDS, SeriesChoices

COVID_WAYS = ("drop", "dummy", "segment")
"""What can be done with those periods, other than nothing."""

Method = TypeVar("Method", bound=SeriesChoices)
Average = Callable[[Method], Mapping[str, Any]]
"""The row of the average effect by a method."""


def covid_choices(method: Method, data: Series, average: Average[Method]) -> list[dict[str, Any]]:
    """The average effect under each way of treating COVID; empty where none of it is in the series.

    Returns
    -------
    list of dict
        ``covid``, ``chosen`` (the way of ``method``), then ``estimate, conf_low, conf_high`` or, where that
        way cannot be fitted, ``refused`` with the reason.
    """
    if not covid_periods(data.frequency, data.ordinals).any():
        return []
    ways = {way: replace(method, covid=way) for way in COVID_WAYS}
    return _each("covid", method.covid, ways, data, average)


def trend_choices(method: Method, data: Series, average: Average[Method]) -> list[dict[str, Any]]:
    """The average effect with a straight path, a curved one and a level one; as :func:`covid_choices`.

    A curve stands among them where the periods before the start are enough for one.
    """
    enough = int((data.since < 0).sum()) >= LEAST_FOR_SPLINE
    ways = {way: replace(method, trend=way) for way in TRENDS if way != "spline" or enough}
    return _each("trend", method.trend, ways, data, average)


def _each(
    field: str, chosen: str | None, ways: Mapping[str, Method], data: Series, average: Average[Method]
) -> list[dict[str, Any]]:
    rows = []
    for way, other in ways.items():
        row: dict[str, Any] = {field: way, "chosen": way == chosen}
        told = [finding for finding in other.check_design(data) if finding.level == "refuse"]
        if told:
            row["refused"] = str(told[0])
        else:
            found = average(other)
            row |= {name: found[name] for name in ("estimate", "conf_low", "conf_high")}
        rows.append(row)
    return rows


def depends_on_covid(rows: Sequence[Mapping[str, Any]], headline: Mapping[str, Any]) -> list[str]:
    """The ways whose average effect lies outside the range that is given, in a sentence each."""
    words = {
        "drop": "left out",
        "dummy": "given a level of its own",
        "segment": "given a level and a slope of its own",
        "none": "treated like any other time",
    }
    return [
        f"With March 2020 to June 2021 {words[row['covid']]} the average effect comes out "
        f"{'above' if row['estimate'] > headline['conf_high'] else 'below'} the range that is given: the "
        f"answer hangs on what is done with that time."
        for row in rows
        if "estimate" in row
        and np.isfinite(headline["conf_low"])
        and not headline["conf_low"] <= row["estimate"] <= headline["conf_high"]
    ]


def depends_on_trend(rows: Sequence[Mapping[str, Any]], headline: Mapping[str, Any]) -> list[str]:
    """Paths on which an effect that is told from 0 turns into its opposite, in a sentence each."""
    if not headline["conf_low"] * headline["conf_high"] > 0:
        return []
    words = {"linear": "a straight path", "spline": "a curved path", "none": "a level path"}
    return [
        f"On {words[row['trend']]} from before the start the average effect comes out with the opposite "
        f"sign: the answer hangs on how the past is carried on."
        for row in rows
        if "estimate" in row and row["estimate"] * headline["estimate"] < 0
    ]
