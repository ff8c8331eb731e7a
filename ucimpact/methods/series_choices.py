"""What every method on one series is told: the shape of the change, and what else moved the series.

A method on a :class:`~ucimpact.data.series.Series` is a subclass with fields of its own: it fits what
:meth:`SegmentedChoices.design` makes, and adds what it refuses to :meth:`SeriesChoices.check_design`.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from ucimpact.data.bank_holidays import NATIONS
from ucimpact.data.calendar import CALENDAR, CHOICES
from ucimpact.data.series import Series
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate
from ucimpact.methods import series_findings
from ucimpact.methods.design_finding import Finding, need
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.series_changes import Change, Shape, shape_problems
from ucimpact.methods.series_refusals import choice_refusals
from ucimpact.methods.series_season import season_cautions

TRENDS = ("linear", "spline", "none")
PHASES = ("exclude", "ramp")
COVID_CHOICES = ("drop", "dummy", "segment", "none")


@dataclass(frozen=True, kw_only=True)
class SegmentedChoices:
    """How a series before and after a date is drawn, whatever brings the series.

    Parameters
    ----------
    outcome : str
        Series column in natural units.
    shape : str, default "level-slope"
        What the pilot may do: ``"level"`` (a step), ``"slope"`` (a bend), ``"level-slope"`` (both),
        ``"pulse"`` (one period only), ``"temporary"`` (a level until ``until``) or ``"ramp"`` (a level that
        grows in equal steps over ``phase_in`` periods). To be fixed before looking.
    until : str, date or int, optional
        The last period of a temporary change: "2024-09", a date, or a number that fits the periods.
    changes : tuple of Change, default ()
        Other changes with a date in the same series (a new definition, another service), which are taken
        out. Each is a table ``[[method.changes]]`` with ``start``, ``name``, ``shape``, ``until``, ``ramp``.
    season : str, default "auto"
        ``"none"``, ``"fourier-1"``, ``"fourier-2"`` (waves of a year and half a year), ``"month"`` or
        ``"quarter"`` (a level for each). ``"auto"`` looks at dates alone: with two years or more
        before the start, two waves for months and weeks and one for quarters; otherwise none.
    season_from : tuple of str, default ()
        Columns of other series of the table, without the pilot, whose season is borrowed where this one is
        too short to show its own.
    season_profile : tuple of float, default ()
        A season of other years instead: twelve numbers from January on (four for quarters), in any unit.
    trend : str, default "linear"
        How the path from before goes on: ``"linear"``, ``"none"``, or ``"spline"`` (a curve before the
        start, straight on from there: beside the line, to see how much hangs on it).
    phase_in : int, default 0
        Periods from the start in which the pilot is not whole yet. Time since the start still counts from
        the start.
    phase : str, default "exclude"
        ``"exclude"`` (they are left out of the fit and of every effect; ``level_change`` is the change in the
        first period after them) or ``"ramp"`` (the level grows over them in equal steps).
    calendar : tuple of str, default ()
        What the calendar holds in each period, taken out: ``"working-days"``, ``"bank-holidays"``,
        ``"easter"``, ``"christmas"``, ``"winter"``, ``"weekdays"``, ``"days"``.
    nation : str, default "england"
        Whose bank holidays: ``"england"``, ``"wales"``, ``"scotland"`` or ``"northern-ireland"``.
    adjust : tuple of str, default ()
        Columns of numbers that the pilot cannot have changed, taken out (days of strikes, flu).
    level : float, default 0.95
        Coverage of the interval.
    covid : str, optional
        What is done with March 2020 to June 2021: ``"drop"`` (those periods do not count),
        ``"dummy"`` (a level of their own), ``"segment"`` (a level and a slope of their own) or
        ``"none"`` (nothing). Has to be said where a dated series holds any of them.
    """

    outcome: str
    shape: str = "level-slope"
    until: str | dt.date | int | None = None
    changes: tuple[Change, ...] = ()
    season: str = "auto"
    season_from: tuple[str, ...] = ()
    season_profile: tuple[float, ...] = ()
    trend: str = "linear"
    phase_in: int = 0
    phase: str = "exclude"
    calendar: tuple[str, ...] = ()
    nation: str = "england"
    adjust: tuple[str, ...] = ()
    level: float = 0.95
    covid: str | None = None

    takes_days: ClassVar[bool] = False
    """Whether the method has a pattern of the week of its own."""
    widens_for_season: ClassVar[bool] = False
    """Whether the method's ranges hold what is not known of a borrowed season."""

    def __post_init__(self) -> None:
        self._take_in()
        if wrong := self.wrong_choices():
            raise DesignError(f"{type(self).__name__}: " + "; ".join(wrong), parts=wrong)
        if isinstance(self.until, dt.date):
            object.__setattr__(self, "until", self.until.isoformat())

    def _take_in(self) -> None:
        """A single name, or a list, as the tuple it stands for; a table of a change as the change."""
        for name in (f.name for f in fields(self) if f.default == () and f.name != "changes"):
            if isinstance(value := getattr(self, name), (str, list)):
                object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        alone = isinstance(self.changes, (Change, Mapping, str))
        given = (self.changes,) if alone else tuple(self.changes)
        object.__setattr__(self, "changes", tuple(_as_change(one) for one in given))

    def wrong_choices(self) -> list[str]:
        """What is wrong with the fields, whatever the data; a method with fields of its own adds to it."""
        choices: dict[str, tuple[Any, ...]] = {
            "season": CHOICES,
            "trend": TRENDS,
            "phase": PHASES,
            "covid": (None, *COVID_CHOICES),
            "nation": NATIONS,
        }
        wrong = [
            f'{name} = "{getattr(self, name)}" is not known; choose one of: '
            f"{', '.join(choice for choice in known if choice)}"
            for name, known in choices.items()
            if getattr(self, name) not in known
        ]
        wrong += [
            f'calendar = "{name}" is not known; choose from: {", ".join(CALENDAR)}'
            for name in self.calendar
            if name not in CALENDAR
        ]
        if self.season_from and self.season_profile:
            wrong.append("season_from and season_profile are two seasons; give one of them")
        if self.season != "auto" and (self.season_from or self.season_profile):
            wrong.append(
                f'season = "{self.season}" is a second season; take it out, or the one from elsewhere'
            )
        if any(isinstance(number, str) or not number > 0 for number in self.season_profile):
            wrong.append(
                "season_profile holds a number that is not above 0; give levels, such as 1.08 or 108"
            )
        for name in ("calendar", "adjust", "season_from"):
            if twice := sorted({one for one in getattr(self, name) if getattr(self, name).count(one) > 1}):
                wrong.append(f"{name} holds {', '.join(twice)} more than once")
        if self.phase_in < 0:
            wrong.append(f"phase_in = {self.phase_in} is below 0; give the number of periods")
        if self.shape == "pulse" and self.phase_in:
            wrong.append('shape = "pulse" is one period: phase_in has no place in it; take it out')
        grows = max(self.phase_in, 0) if self.phase == "ramp" or self.shape == "ramp" else 0
        wrong += shape_problems(self.shape, grows=grows, until=self.until, growing="phase_in")
        wrong += [f"changes holds {change!r}; give Change(start=...)" for change in self.not_changes()]
        if not 0 < self.level < 1:
            wrong.append(f"level = {self.level} is not between 0 and 1; 0.95 is usual")
        return wrong

    def not_changes(self) -> list[object]:
        """Entries of ``changes`` that are none."""
        return [change for change in self.changes if not isinstance(change, Change)]

    def own_shape(self, data: Series) -> Shape:
        """The pilot's change as it lies on a series."""
        grows = self.phase == "ramp" or self.shape == "ramp"
        return Shape(
            kind=self.shape,
            left_out=0 if grows else self.phase_in,
            grows=self.phase_in if grows else 0,
            last=None if self.until is None else data.ordinal(self.until) - data.start_ordinal,
        )

    def design(self, data: Series) -> SegmentedDesign:
        """The regression that these choices make of a series."""
        return SegmentedDesign.of(data, self)


@dataclass(frozen=True, kw_only=True)
class SeriesChoices(SegmentedChoices, ABC):
    """A method on one series before and after a date."""

    takes: ClassVar[type] = Series

    def check_design(self, data: Series) -> list[Finding]:
        """What speaks against this analysis of these data, each with the way out. Nothing is fitted."""
        need(data, Series, "Series(table, period=..., start=...)")
        if unfit := choice_refusals(data, self):
            return unfit
        design = self.design(data)
        return [
            *series_findings.refusals(data, design, self),
            *series_findings.cautions(data, design, self),
            *season_cautions(self),
        ]

    @abstractmethod
    def fit(self, data: Series) -> Estimate:
        """The effects after the start."""


def _as_change(given: Any) -> Any:
    """A table with the entries of a change as the change; anything else as it is, to be told."""
    known = {f.name for f in fields(Change)}
    if isinstance(given, Mapping) and "start" in given and set(given) <= known:
        return Change(**given)
    return given
