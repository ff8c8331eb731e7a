"""Which designs can answer this question with these data, and which cannot, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.cohort import Cohort
from ucimpact.data.histories import Histories
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.errors import DataError
from ucimpact.inference.few_clusters import ENOUGH, FEWEST_COMPARISON
from ucimpact.methods import METHODS, build
from ucimpact.methods.design_finding import Finding

OF_COUNTS = ("count-did", "count-its")
"""Methods that take a count as it is, with the people at risk beside it."""
OF_OWN_PAST = ("multi-site-its",)
"""Methods that hold each place against its own past, and need none without the pilot."""


@dataclass(frozen=True, kw_only=True)
class OpenDesign:
    """One method of the register, asked whether it can work here.

    ``note`` says what it would analyse where that is not the data as declared.
    """

    method: str
    is_open: bool
    findings: tuple[Finding, ...] = ()
    note: str = ""


def open_designs(
    data: Panel | Series | Cohort | Histories,
    column: str,
    *,
    options: dict[str, Any] | None = None,
    counted: tuple[Panel | Series, str] | None = None,
) -> list[OpenDesign]:
    """Ask every method of the register for its findings on these data.

    Parameters
    ----------
    data : Panel, Series, Cohort or Histories
    column : str
        The outcome as it is analysed.
    options : dict, optional
        Fields that the study declares for a method, by method key.
    counted : (Panel or Series, str), optional
        The data and the column for methods of counts, where the outcome is a rate for the others.
    """
    designs = []
    places = _places(data) if isinstance(data, Panel) else ()
    for name, method in METHODS.items():
        fields = (options or {}).get(name, {})
        if isinstance(data, method.takes):
            asked = counted if name in OF_COUNTS and counted is not None else (data, column)
            made = _asked(name, fields, *asked)
            few = places if made.is_open and name not in OF_OWN_PAST else ()
            designs.append(replace(made, findings=made.findings + few))
        elif isinstance(data, Cohort | Histories) or method.takes in (Cohort, Histories):
            designs.append(
                OpenDesign(method=name, is_open=False, findings=(_other_rows(data, method.takes),))
            )
        elif isinstance(data, Panel):
            count = counted[1] if name in OF_COUNTS and counted is not None else None
            designs.append(_pilot_series(name, fields, data, count or column, total=count is not None))
        else:
            way_out = "Bring the same figures for places without the pilot, one row a place and period"
            finding = Finding("refuse", "one series has nothing to compare with", way_out)
            designs.append(OpenDesign(method=name, is_open=False, findings=(finding,)))
    return designs


def _places(panel: Panel) -> tuple[Finding, ...]:
    """What so few pilot or comparison places can give, whatever the method."""
    counts = panel.counts()
    n1, n0 = counts["pilot_places"], counts["places"] - counts["pilot_places"]
    noun = "unit" if panel.cluster is None else "place"
    if n0 < FEWEST_COMPARISON:
        text = f"{n0} comparison {noun}{'' if n0 == 1 else 's'} give an estimate and no likely range"
        own = "hold each unit against its own past with multi-site-its"
        if len(panel.starts) == 1:
            own = "analyse the pilot’s own series with its"
        way_out = f"Bring {FEWEST_COMPARISON} or more, or {own}"
        return (Finding("warn", text, way_out),)
    if n1 == 1:
        text = f"one pilot {noun} is held against how {n0} others move, and certainty never exceeds low"
        return (Finding("warn", text, "Compare its, on the pilot’s own series"),)
    if n1 < ENOUGH:
        text = f"{n1} pilot {noun}s are too few to show a spread of their own, so that of the others is used"
        return (Finding("warn", text, "Look at the breakdown ratio in the report"),)
    return ()


def _other_rows(data: Panel | Series | Cohort | Histories, takes: type) -> Finding:
    """A row is a person, and the method wants places over time, or the other way about."""
    people = isinstance(data, Cohort | Histories)
    if people and takes is Histories:
        text = "one row a person says nothing of dates, and this method follows people from day to day"
        way_out = "Bring a second table of dated events, under [data.events]"
    elif people and takes is Cohort:
        text = "people come with dated events, and this method takes one row a person, counted from one day"
        way_out = "Use sequential-trials, which sets everybody’s clock by the day on which the service began"
    elif people:
        text = "a row is a person, and this method follows places over time"
        way_out = "Bring counts of places, one row a place and period, before and after the start"
    else:
        text = "a row is a place or a month, and this method compares people"
        way_out = "Bring one row a person, with the day on which the clock starts"
    return Finding("refuse", text, way_out)


def _asked(
    name: str, fields: dict[str, Any], data: Panel | Series | Cohort | Histories, column: str, note: str = ""
) -> OpenDesign:
    found = tuple(build(name, fields, outcome=column).check_design(data))
    return OpenDesign(method=name, is_open=all(f.level != "refuse" for f in found), findings=found, note=note)


def _pilot_series(
    name: str, fields: dict[str, Any], panel: Panel, column: str, *, total: bool = False
) -> OpenDesign:
    """A series method, asked about the mean of the pilot units, or a method of counts about their total."""
    if len(panel.starts) != 1:
        finding = Finding(
            "refuse",
            "the pilot units start at different times, so their mean has no one start",
            "Take the units of one start, or a method for staggered starts",
        )
        return OpenDesign(method=name, is_open=False, findings=(finding,))
    rows = panel.pilot_units[panel.unit_codes]
    codes, values = panel.period_codes[rows], panel.values(column)[rows]
    known = np.isfinite(values)
    size = len(panel.ordinals)
    seen = np.bincount(codes[known], minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = np.where(seen == panel.pilot_units.sum(), 1.0, np.nan)
        told = np.bincount(codes[known], values[known], size) / (whole if total else seen)
    frequency = panel.frequency
    periods: list[Any] = [
        int(o) if frequency.kind == "number" else frequency.first_day(int(o)) for o in panel.ordinals
    ]
    start = panel.starts[0]
    first: Any = start if frequency.kind == "number" else frequency.first_day(start)
    try:
        series = Series(pd.DataFrame({"period": periods, column: told}), start=first)
    except DataError as error:
        finding = Finding("refuse", str(error.problems[0]), "Add the missing periods")
        return OpenDesign(method=name, is_open=False, findings=(finding,))
    note = f"on the {'total' if total else 'mean'} of the pilot units, without the comparison"
    return _asked(name, fields, series, column, note=note)
