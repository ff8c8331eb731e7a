"""Season and COVID as columns of a regression, decided by dates and never by an outcome.

A season is told from a change only by seeing it twice without the change: two years before the
start are the least. What ``"auto"`` chooses follows from the frequency and the number of periods
before the start alone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from ucimpact.data.periods import Frequency
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


@dataclass(frozen=True, kw_only=True)
class Season:
    """What stands for the season, why, and whether it can be told from a change at the start.

    Attributes
    ----------
    name : str
        ``"none"``, ``"fourier-1"``, ``"fourier-2"``, ``"month"`` or ``"quarter"``.
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
