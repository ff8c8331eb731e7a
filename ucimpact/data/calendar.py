"""Season, calendar and COVID as columns of a regression, decided by dates and never by an outcome.

A season is told from a change only by seeing it twice without the change: two years before the
start are the least. What ``"auto"`` chooses follows from the frequency and the number of periods
before the start alone.

:func:`calendar_columns` counts the days of each period that a count follows: how many there are, how
many are worked, where Easter fell. Days that only the study knows (strikes, terms of schools) are
counted by :func:`days_of`, :func:`days_between` and :func:`school_holidays`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ucimpact.data.bank_holidays import bank_holidays, easter_sunday
from ucimpact.data.periods import WEEKDAYS, Frequency, parse_day
from ucimpact.errors import DesignError

COVID = (dt.date(2020, 3, 1), dt.date(2021, 6, 30))
"""First and last day of the period that no series may hold without saying what is done with it."""

SEASONS: dict[str, tuple[str, ...]] = {
    "month": ("none", "fourier-1", "fourier-2", "month"),
    "quarter": ("none", "fourier-1", "quarter"),
    "week": ("none", "fourier-1", "fourier-2"),
    "financial-year": ("none",),
    "number": ("none",),
}
"""The seasons that each frequency can carry; days are added up to weeks first."""

BY_ITSELF = {"month": "fourier-2", "week": "fourier-2", "quarter": "fourier-1"}
IN_WORDS = {
    "none": "no season",
    "fourier-1": "one yearly wave",
    "fourier-2": "a yearly and a half-yearly wave",
    "month": "a level for each calendar month",
    "quarter": "a level for each quarter of the year",
}
CHOICES = ("auto", *IN_WORDS)

CALENDAR = ("days", "working-days", "weekdays", "bank-holidays", "easter", "christmas", "winter")
"""What :func:`calendar_columns` can count in each period."""

CALENDAR_WORDS = {
    "days": "the number of days",
    "working-days": "Mondays to Fridays that are no bank holiday",
    "weekdays": "how many Tuesdays, Wednesdays ... Sundays there are (Monday is compared with)",
    "bank-holidays": "bank holidays, on the day on which they are kept",
    "easter": "days from Good Friday to Easter Monday",
    "christmas": "days from 25 December to 1 January",
    "winter": "the share of its days in December, January or February",
}
NEVER_VARIES = {
    "day": ("days",),
    "week": ("days", "weekdays"),
    "financial-year": ("christmas", "winter"),
    "number": CALENDAR,
}
"""What is the same in every period of a kind, or unknown there."""

DAY_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
SATURDAY = WEEKDAYS.index("SAT")
WINTER = (12, 1, 2)


@dataclass(frozen=True, kw_only=True)
class Season:
    """What stands for the season, why, and whether it can be told from a change at the start.

    Attributes
    ----------
    name : str
        ``"none"``, ``"fourier-1"``, ``"fourier-2"``, ``"month"`` or ``"quarter"``; ``"borrowed"`` or
        ``"stated"`` where it comes from elsewhere.
    harmonics : int
        Pairs of waves; 0 for none and for calendar levels.
    why : str
        The rule that decided, in words.
    separable : bool, optional
        Whether there are two full years before the start. Yearly totals have no season to separate;
        None where periods are numbered and not dated.
    """

    name: str
    harmonics: int
    why: str
    separable: bool | None


def season_for(frequency: Frequency, *, before: int, asked: str = "auto") -> Season:
    """The season of a series with ``before`` periods before its start.

    Raises
    ------
    DesignError
        For a season that this frequency cannot carry; it lists those it can.
    """
    can = SEASONS.get(frequency.kind, ("none",))
    if asked not in ("auto", *can):
        raise DesignError(
            f'season = "{asked}" does not fit a series of {frequency.noun}s; '
            f"choose one of: {', '.join(('auto', *can))}"
        )
    least, count = _two_years(frequency), f"{before} {frequency.noun}s before the start"
    enough = least is None or before >= least
    name, chosen = asked, f"the study chose {IN_WORDS.get(asked)}"
    if asked == "auto":
        name = BY_ITSELF.get(frequency.kind, "none") if enough else "none"
        chosen = f"by the rule the season is {IN_WORDS[name]}"
    separable: bool | None = enough
    if frequency.kind == "number":
        why, separable = "Numbered periods without dates show no season, so none is in the model.", None
    elif least is None:
        why = f"A {frequency.noun} holds every season, so none is in the model."
    elif enough:
        why = f"{count} hold each time of year at least twice; {chosen}."
    else:
        why = (
            f"One winter before the change cannot separate season from effect: there are {count}, "
            f"and two full years ({least}) are the least."
        )
    harmonics = int(name[-1]) if name.startswith("fourier") else 0
    return Season(name=name, harmonics=harmonics, why=why, separable=separable)


def _two_years(frequency: Frequency) -> int | None:
    """The fewest periods that make two years; None where there is no season within the period."""
    if frequency.per_year is None or frequency.kind == "financial-year":
        return None
    return int(2 * frequency.per_year)


def season_columns(frequency: Frequency, ordinals: np.ndarray, name: str) -> dict[str, np.ndarray]:
    """Named columns of shape (n_periods,): waves of one year, or a level for each calendar period."""
    if name == "none":
        return {}
    if name.startswith("fourier"):
        turn = 2 * np.pi * year_position(frequency, ordinals)
        columns = {}
        for wave in range(1, int(name[-1]) + 1):
            columns[f"sine {wave}"] = np.sin(wave * turn)
            columns[f"cosine {wave}"] = np.cos(wave * turn)
        return columns
    parts = 12 if name == "month" else 4
    return {f"{name} {part + 1}": (ordinals % parts == part).astype(float) for part in range(1, parts)}


def year_position(frequency: Frequency, ordinals: np.ndarray) -> np.ndarray:
    """Where in its year each period lies, from 0 to 1; a week by its middle day."""
    if frequency.kind in ("month", "quarter"):
        parts = 12 if frequency.kind == "month" else 4
        return np.asarray(ordinals % parts / parts)
    middle = np.array([frequency.first_day(int(o)).toordinal() + 3 for o in ordinals])
    return np.asarray(middle / 365.25 % 1)


def covid_periods(frequency: Frequency, ordinals: np.ndarray) -> np.ndarray:
    """Whether each period holds a day of March 2020 to June 2021; shape (n_periods,)."""
    if frequency.kind == "number":
        return np.zeros(len(ordinals), dtype=bool)
    first, last = COVID
    return np.array(
        [frequency.first_day(int(o)) <= last and frequency.first_day(int(o) + 1) > first for o in ordinals],
        dtype=bool,
    )


def calendar_columns(
    frequency: Frequency, ordinals: np.ndarray, names: Sequence[str], nation: str = "england"
) -> dict[str, np.ndarray]:
    """Named columns of shape (n_periods,) of what the calendar holds in each period.

    Each name of :data:`CALENDAR` gives a column of its own name; ``"weekdays"`` gives six,
    "Tuesdays" to "Sundays". A column may still be constant over the periods asked for (no Easter in a
    single summer).

    Parameters
    ----------
    frequency : Frequency
    ordinals : array of int, shape (n_periods,)
    names : sequence of str
        From :data:`CALENDAR`.
    nation : str
        Whose bank holidays count: ``"england"``, ``"wales"``, ``"scotland"``, ``"northern-ireland"``.

    Raises
    ------
    DesignError
        For a name that is not known, or does not vary between periods of this frequency; a nation that
        is not known; bank holidays before 1995.
    """
    for name in names:
        if name not in CALENDAR:
            raise DesignError(f'calendar = "{name}" is not known; choose from: {", ".join(CALENDAR)}')
    never = NEVER_VARIES.get(frequency.kind, ())
    for name in names:
        if name in never:
            left = [other for other in CALENDAR if other not in never]
            way_out = (
                f"choose from: {', '.join(left)}" if left else "read the periods as dates, or leave it out"
            )
            what = "has no dates" if frequency.kind == "number" else "has the same in every period"
            raise DesignError(f'calendar = "{name}": a series of {frequency.noun}s {what}; {way_out}')
    if not names or not len(ordinals):
        return {name: np.zeros(0) for name in names}
    span = _Days(frequency, ordinals, nation)
    columns: dict[str, np.ndarray] = {}
    for name in names:
        if name == "weekdays":
            columns |= {DAY_NAMES[day]: span.total(span.weekday == day) for day in range(1, 7)}
        else:
            columns[name] = _COUNTS[name](span)
    return columns


def days_of(dates: Iterable[dt.date | str], frequency: Frequency, ordinals: np.ndarray) -> np.ndarray:
    """How many of these dates fall in each period, shape (n_periods,): days of strikes, of a breakdown.

    A date named twice counts once; one outside every period counts nowhere.

    Raises
    ------
    DesignError
        Where a text is not a date, or the periods are numbered and hold no dates.
    """
    return days_between(((day, day) for day in dates), frequency, ordinals)


def days_between(
    stretches: Iterable[tuple[dt.date | str, dt.date | str]], frequency: Frequency, ordinals: np.ndarray
) -> np.ndarray:
    """How many days of each period lie in one of the stretches, each from a first to a last day.

    Stretches may touch or overlap; a day counts once. Shape (n_periods,).
    """
    ends = [(_day(first), _day(last)) for first, last in stretches]
    span = _Days(frequency, ordinals)
    return span.total(span.inside(ends))


def school_holidays(
    terms: Iterable[tuple[dt.date | str, dt.date | str]], frequency: Frequency, ordinals: np.ndarray
) -> np.ndarray:
    """Mondays to Fridays outside the terms of schools in each period, shape (n_periods,).

    Parameters
    ----------
    terms : pairs of a first and a last day
        Terms or half terms, of the place; they differ between councils and are not in this package.

    Raises
    ------
    DesignError
        Where a period begins before the first term or ends after the last: what is not known is not a
        holiday.
    """
    ends = [(_day(first), _day(last)) for first, last in terms]
    span = _Days(frequency, ordinals)
    if not ends or min(ends)[0] > span.first or max(last for _, last in ends) < span.last:
        raise DesignError(
            f"the terms do not cover the series, {span.first} to {span.last}: give every term from the one "
            "that holds its first day, or ended before it, to the one that holds its last"
        )
    return span.total(~span.inside(ends) & (span.weekday < SATURDAY))


def _day(value: dt.date | str) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return parse_day(value)
    except ValueError as error:
        raise DesignError(f"{error}; write it as 2024-06-27") from error


class _Days:
    """Every day from the first period to the last, to be added up by period."""

    def __init__(self, frequency: Frequency, ordinals: np.ndarray, nation: str = "england") -> None:
        if frequency.kind == "number":
            raise DesignError("numbered periods hold no days: read the periods as dates")
        starts = np.array([frequency.first_day(int(o)).toordinal() for o in ordinals])
        ends = np.array([frequency.first_day(int(o) + 1).toordinal() for o in ordinals])
        self.nation, self.offset = nation, int(starts.min())
        self.from_day, self.to_day = starts - self.offset, ends - self.offset
        self.number = int(ends.max()) - self.offset
        self.first = dt.date.fromordinal(self.offset)
        self.last = dt.date.fromordinal(self.offset + self.number - 1)
        self.years = range(self.first.year, self.last.year + 1)
        self.weekday = (np.arange(self.number) + self.offset - 1) % 7

    def total(self, marked: np.ndarray) -> np.ndarray:
        """Marked days in each period."""
        so_far = np.concatenate([[0.0], np.cumsum(marked)])
        return np.asarray(so_far[self.to_day] - so_far[self.from_day])

    def inside(self, ends: Iterable[tuple[dt.date, dt.date]]) -> np.ndarray:
        """Days from a first to a last, both counted."""
        marked = np.zeros(self.number, dtype=bool)
        for first, last in ends:
            if last < first:
                raise DesignError(f"{first} to {last} ends before it begins: exchange the two days")
            low = max(first.toordinal() - self.offset, 0)
            marked[low : max(last.toordinal() - self.offset + 1, 0)] = True
        return marked

    def bank_holidays(self) -> np.ndarray:
        return self.inside((day, day) for year in self.years for day in bank_holidays(year, self.nation))

    def easter(self) -> np.ndarray:
        two, one = dt.timedelta(2), dt.timedelta(1)
        return self.inside((sunday - two, sunday + one) for sunday in map(easter_sunday, self.years))

    def christmas(self) -> np.ndarray:
        return self.inside(
            (dt.date(year - 1, 12, 25), dt.date(year, 1, 1)) for year in (*self.years, self.years.stop)
        )

    def winter(self) -> np.ndarray:
        months = [dt.date.fromordinal(self.offset + at).month for at in range(self.number)]
        return np.asarray(np.isin(months, WINTER))


_COUNTS: dict[str, Callable[[_Days], np.ndarray]] = {
    "days": lambda span: span.total(np.ones(span.number)),
    "working-days": lambda span: span.total((span.weekday < SATURDAY) & ~span.bank_holidays()),
    "bank-holidays": lambda span: span.total(span.bank_holidays()),
    "easter": lambda span: span.total(span.easter()),
    "christmas": lambda span: span.total(span.christmas()),
    "winter": lambda span: np.asarray(span.total(span.winter()) / (span.to_day - span.from_day)),
}
