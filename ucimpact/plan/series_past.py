"""What a file of one series shows of it before the pilot, for a plan.

The start may be still to come. Only the last stretch without a gap before it counts; months of the pandemic
end the stretch unless they are declared to stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.data.calendar import season_columns, season_for
from ucimpact.data.periods import Frequency
from ucimpact.errors import DataError, DesignError
from ucimpact.inference.series_power import Learnt, learnt
from ucimpact.methods import build
from ucimpact.plan.past import in_covid, ordinal_of, table_of
from ucimpact.study import Study
from ucimpact.study.convert import Converted

LEAST = 18
"""Periods from which it can be seen how a series varies."""

CORRECTED = ("month", "quarter")
"""Periods whose lengths differ, so that a rate is taken by their days."""


@dataclass(frozen=True, kw_only=True)
class SeriesPast:
    """A series before the pilot.

    Attributes
    ----------
    frequency : Frequency
    start : int
        Ordinal of the first pilot period: declared, else the one after the file.
    first, last : int
        Ordinals of the stretch that was looked at.
    before : int
        Periods with a figure before the start, in the whole file.
    after : int
        Periods from the start on, in the file or its window; 0 where there are none.
    learnt : Learnt, optional
        None where the stretch is too short.
    """

    frequency: Frequency
    start: int
    first: int
    last: int
    before: int
    after: int
    learnt: Learnt | None

    @property
    def periods(self) -> int:
        """Periods of the stretch."""
        return self.last - self.first + 1


def series_past(study: Study, *, dispersion: float) -> SeriesPast | None:
    """The past of the study's series, or None where there is no file yet, or no row in it.

    Raises
    ------
    DataError
        For what is wrong in the rows before the pilot.
    DesignError
        For a series that never varies, or is 0 on average.
    """
    table = table_of(study)
    if table is None:
        return None
    whole = Converted(study, table)
    if whole.general:
        raise DataError(whole.general, source=table.file)
    frequency, ordinals = whole.frequency, whole.ordinals
    window = study.data.window
    start = int(ordinals.max()) + 1 if study.data.start is None else ordinal_of(study.data.start, frequency)
    keep = ordinals < start
    if window is not None and window.first is not None:
        keep &= ordinals >= ordinal_of(window.first, frequency)
    wrong = [problem for at in sorted(whole.by_row) if keep[at] for problem in whole.by_row[at]]
    if wrong:
        raise DataError(wrong, source=table.file)
    values = _values(study, whole)
    keep &= np.isfinite(values)
    if study.data.covid != "none" and frequency.kind != "number":
        keep &= np.array([not in_covid(frequency, int(o)) for o in ordinals])
    order = np.argsort(ordinals[keep])
    known, y = ordinals[keep][order], values[keep][order]
    if len(np.unique(known)) < len(known):
        raise DesignError(f"a {frequency.noun} stands twice in {table.file}. Keep one row for each")
    breaks = np.flatnonzero(np.diff(known) > 1)
    opens = int(breaks[-1]) + 1 if breaks.size else 0
    stretch, y = known[opens:], y[opens:]
    after = np.unique(ordinals[ordinals >= start])
    if window is not None and window.last is not None:
        ends = max(ordinal_of(window.last, frequency) - start + 1, 0)
    else:
        ends = len(after)
    return SeriesPast(
        frequency=frequency,
        start=start,
        first=int(stretch[0]) if len(stretch) else start,
        last=int(stretch[-1]) if len(stretch) else start - 1,
        before=len(known),
        after=ends,
        learnt=_learnt(study, frequency, stretch, y, dispersion) if len(stretch) >= LEAST else None,
    )


def _values(study: Study, whole: Converted) -> np.ndarray:
    """The outcome at the mean exposure, so that neither people nor the days of a month move it."""
    outcome, people = study.primary, study.data.population
    values = np.asarray(whole.numbers[outcome.column], dtype=float)
    if people is None or outcome.kind not in ("count", "cost"):
        return values
    exposure = np.asarray(whole.numbers[people], dtype=float)
    if whole.frequency.kind in CORRECTED:
        exposure = exposure * [whole.frequency.length(int(o)) for o in whole.ordinals]
    return np.asarray(values / exposure * np.nanmean(exposure))


def _other_changes(study: Study, frequency: Frequency, ordinals: np.ndarray) -> list[np.ndarray]:
    """Columns of the other changes that the study declares: they are no straying."""
    if (declared := study.method.options.get("changes")) is None:
        return []
    made = build(study.method.name, {"changes": declared}, outcome="y")
    return [column for change in made.changes for column in change.columns(frequency, ordinals).values()]


def _learnt(
    study: Study, frequency: Frequency, ordinals: np.ndarray, y: np.ndarray, dispersion: float
) -> Learnt:
    if not y.mean() > 0 or np.ptp(y) == 0:
        raise DesignError(
            f"a plan tells changes as shares of the mean, and `{study.primary.column}` is "
            f"{'always the same' if np.ptp(y) == 0 else 'not above 0 on average'}. Check the column"
        )
    season = season_for(frequency, before=len(y)).name
    columns = [np.ones(len(y)), np.arange(len(y), dtype=float)]
    columns += list(season_columns(frequency, ordinals, season).values())
    columns += [column for column in _other_changes(study, frequency, ordinals) if np.ptp(column) > 0]
    return learnt(y, np.column_stack(columns), dispersion=dispersion, counted=study.primary.kind == "count")
