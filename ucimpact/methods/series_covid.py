"""What March 2020 to June 2021 has to do with the answer: the same analysis with each way of treating it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from ucimpact.data.calendar import covid_periods
from ucimpact.data.series import Series
from ucimpact.methods.series_choices import SeriesChoices

WAYS = ("drop", "dummy", "segment")
"""What can be done with those periods, other than nothing."""

Method = TypeVar("Method", bound=SeriesChoices)


def covid_choices(
    method: Method, data: Series, average: Callable[[Method], Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The average effect under each way; empty where no such period is in the series.

    Parameters
    ----------
    method : Method
    data : Series
    average : callable
        The row of the average effect by a method.

    Returns
    -------
    list of dict
        ``covid``, ``chosen`` (the way of ``method``), then ``estimate, conf_low, conf_high`` or, where that
        way cannot be fitted, ``refused`` with the reason.
    """
    if not covid_periods(data.frequency, data.ordinals).any():
        return []
    rows = []
    for way in WAYS:
        other = replace(method, covid=way)
        row: dict[str, Any] = {"covid": way, "chosen": way == method.covid}
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
    return [
        f'With covid = "{row["covid"]}" the average effect comes out at {row["estimate"]:.4g}, outside the '
        f"range that is given: the answer hangs on what is done with March 2020 to June 2021."
        for row in rows
        if "estimate" in row
        and np.isfinite(headline["conf_low"])
        and not headline["conf_low"] <= row["estimate"] <= headline["conf_high"]
    ]
