"""What a study's own file shows of its places before any of them has the pilot.

Nothing of a pilot is needed here: every start may be empty, or lie beyond the last period of the file.
Where some places have started already, the periods before the first start are taken. Only the last
stretch without a gap counts, the months of the pandemic count as a gap unless they are declared to stay,
and a unit that lacks a figure in it is left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ucimpact import words
from ucimpact.data.panel import Panel, Rate
from ucimpact.data.periods import Frequency, as_periods, one_period
from ucimpact.data.reading import Table
from ucimpact.design import OF_COUNTS
from ucimpact.errors import DataError, DesignError, UsageError
from ucimpact.evaluation.prepared import prepare
from ucimpact.inference.covariance import Kind
from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.panel_past import Histories
from ucimpact.methods import build
from ucimpact.study import Study
from ucimpact.study.convert import Converted
from ucimpact.study.places import path_of
from ucimpact.study.records import COVID
from ucimpact.study.source import read_source

Array = np.ndarray
FEWEST_PERIODS = 6
"""Periods from which it can be seen how places vary."""
YEAR = 12
"""Periods taken before and after where nothing says how many and a year is not known."""
NOUNS = (
    *("practice", "surgery", "town", "trust", "hospital", "ward", "site", "team", "district", "borough"),
    *("county", "school", "clinic", "network", "locality", "area", "place", "home", "neighbourhood"),
)
"""Names of columns that a sentence can use as they are, by their last word."""


class TooShort(DesignError):
    """The file does not reach back far enough."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Past:
    """Places before the pilot, and what the study says of the pilot to come.

    Attributes
    ----------
    histories : Histories
    form : str
        How an effect is planted: see :class:`~ucimpact.inference.panel_power.Power`.
    cov : Auto or str
        The rule by which the evaluation will judge.
    frequency : Frequency
    first, last : int
        Ordinals of the first and last period.
    units : int
        Units in the places.
    rate : Rate, optional
        How the outcome was made from counts.
    level, per_unit : float
        Mean of the outcome as it is analysed, before any logarithm; and as it stands in the file, a unit
        and period.
    pilot, before, after : int, optional
        Pilot places, and periods on each side of the first start, where the file or its window say.
    starts : int
        Different starts.
    noun, unit_noun : str
        "town", "practice".
    left_out : tuple of str
    """

    histories: Histories
    form: str
    cov: Auto | Kind
    frequency: Frequency
    first: int
    last: int
    units: int
    rate: Rate | None
    level: float
    per_unit: float
    pilot: int | None
    before: int | None
    after: int | None
    starts: int
    noun: str
    unit_noun: str
    left_out: tuple[str, ...]

    @property
    def places(self) -> str:
        """ "20 towns"."""
        return f"{self.histories.number} {words.plural_of(self.noun)}"

    @property
    def year(self) -> int:
        """Periods of a year, or as many as are taken for one."""
        return YEAR if self.frequency.per_year is None else max(1, round(self.frequency.per_year))


def past_of(study: Study) -> Past | None:
    """The past of a study's places, or None where there is no file yet, or no row in it.

    Raises
    ------
    DataError
        For what is wrong in the rows before the pilot.
    TooShort
        For a past too short to show how places vary.
    DesignError
        For an outcome that never varies.
    """
    table = table_of(study)
    if table is None:
        return None
    whole = Converted(study, table)
    if whole.general:
        raise DataError(whole.general, source=table.file)
    starts = whole.starts[np.isfinite(whole.starts)]
    first_start = int(starts.min()) if starts.size else None
    ends = _stretch(study, whole, first_start)
    panel, left_out = _panel(study, whole, *ends)
    if panel is None or ends[1] - ends[0] + 1 < FEWEST_PERIODS:
        _too_short(whole.frequency, 0 if panel is None else ends[1] - ends[0] + 1)
    assert panel is not None
    return _past(study, whole, panel, first_start, ends, left_out)


def table_of(study: Study) -> Table | None:
    """The table that the study names, or None where it is not there or holds no row."""
    named = study.data.source or study.data.sql
    if named is None or not path_of(named, study.folder).is_file():
        return None
    try:
        return read_source(study.data, study.folder)
    except DataError as error:
        if any("there are no rows" in problem.what for problem in error.problems):
            return None
        raise


def _too_short(frequency: Frequency, periods: int) -> None:
    noun = frequency.noun
    many = f"{periods} {noun}{'' if periods == 1 else 's'}"
    raise TooShort(
        f"The file holds {many} in a row before the pilot, and it takes {FEWEST_PERIODS} to see how places "
        f"vary. Add earlier {noun}s, best a year or two"
    )


def _stretch(study: Study, whole: Converted, first_start: int | None) -> tuple[int, int]:
    """First and last ordinal of the last unbroken stretch before the first start."""
    known = np.unique(whole.ordinals if first_start is None else whole.ordinals[whole.ordinals < first_start])
    if study.data.covid != "none" and whole.frequency.kind != "number":
        known = known[[not in_covid(whole.frequency, int(o)) for o in known]]
    if not known.size:
        return 0, -1
    breaks = np.flatnonzero(np.diff(known) > 1)
    first = known[breaks[-1] + 1] if breaks.size else known[0]
    window = study.data.window
    if window is not None and window.first is not None:
        opens = ordinal_of(window.first, whole.frequency)
        spoilt = [at for at in whole.by_row if first <= whole.ordinals[at] < opens]
        first = opens if spoilt and opens <= known[-1] else first
    return int(first), int(known[-1])


def in_covid(frequency: Frequency, ordinal: int) -> bool:
    return frequency.first_day(ordinal) <= COVID[1] and frequency.first_day(ordinal + 1) > COVID[0]


def ordinal_of(day: object, frequency: Frequency) -> int:
    try:
        return int(one_period(day, frequency))
    except (ValueError, TypeError):
        raise UsageError(f"the window's {day} does not fit the {frequency.noun}s of the file") from None


def _panel(study: Study, whole: Converted, first: int, last: int) -> tuple[Panel | None, tuple[str, ...]]:
    """The rows of the stretch, of units that have a figure in each of its periods; nobody has the pilot."""
    data = study.data
    keep = (whole.ordinals >= first) & (whole.ordinals <= last)
    wrong = [problem for at in sorted(whole.by_row) if keep[at] for problem in whole.by_row[at]]
    if wrong:
        raise DataError(wrong, source=whole.table.file)
    if not keep.any():
        return None, ()
    units = whole.names[str(data.unit)]
    known = keep & np.isfinite(whole.numbers[study.primary.column])
    names, codes = np.unique(units.astype(str), return_inverse=True)
    seen = np.bincount(codes[known], minlength=len(names))
    whole_units = (seen >= last - first + 1)[codes]
    gone = len(np.unique(codes[keep & ~whole_units]))
    keep = keep & whole_units
    if not keep.any():
        return None, ()
    columns: dict[str, object] = {str(data.period): as_periods(whole.frequency, whole.ordinals[keep])}
    columns |= {name: pd.Series(values[keep]) for name, values in (whole.numbers | whole.names).items()}
    columns[str(data.start)] = as_periods(whole.frequency, np.full(int(keep.sum()), np.nan))
    try:
        panel = Panel(
            pd.DataFrame(columns),
            unit=str(data.unit),
            period=str(data.period),
            start=str(data.start),
            population=data.population,
            weight=data.weight,
            cluster=data.places,
        )
    except DataError as error:
        raise DataError(whole.placed(error, whole.table.rows[keep]), source=whole.table.file) from None
    if not gone:
        return panel, ()
    noun = f"unit{'' if gone == 1 else 's'}"
    return panel, (f"{gone} {noun} without a figure in each of these {whole.frequency.noun}s",)


def _past(
    study: Study,
    whole: Converted,
    panel: Panel,
    first_start: int | None,
    ends: tuple[int, int],
    left_out: tuple[str, ...],
) -> Past:
    outcome = study.primary
    prepared = prepare(panel, outcome)
    assert isinstance(prepared.data, Panel)
    data = prepared.data
    y = _grid(data, data.values(prepared.column))
    counts = _grid(data, data.values(outcome.column))
    if np.ptp(y) == 0:
        raise DesignError(f"every value of `{outcome.column}` before the pilot is the same. Check the column")
    ones = np.ones(len(data.units))
    weights = ones if data.weight is None else _grid(data, data.values(data.weight)).mean(axis=1)
    level = float(np.average(y.mean(axis=1), weights=weights))
    if level <= 0:
        raise DesignError(
            f"a plan tells changes as shares of the mean, and the mean of `{outcome.column}` is {level:g}. "
            "Choose an outcome whose mean is above 0"
        )
    form = "thinned" if outcome.kind == "count" else "shift"
    if study.method.name in OF_COUNTS and form == "thinned":
        form = "ratio"
    if study.method.options.get("log"):
        if y.min() <= 0:
            raise DesignError(
                f"log = true needs values above 0, and `{outcome.column}` has 0 or less. Leave log out"
            )
        y, form = np.log(y), "log"
    people = data.population or data.weight
    histories = Histories(
        y,
        weights,
        ones if people is None else _grid(data, data.values(people)).mean(axis=1),
        data.cluster_codes,
        None if form in ("shift", "log") else counts,
    )
    noun = _noun(study.data.places or study.data.unit)
    return Past(
        histories=histories,
        form=form,
        cov=_rule(study, prepared.column),
        frequency=whole.frequency,
        first=ends[0],
        last=ends[1],
        units=len(data.units),
        rate=prepared.rate,
        level=level,
        per_unit=float(counts.mean()),
        pilot=_pilots(study, whole),
        before=_before(study, whole, first_start),
        after=_after(study, whole, first_start),
        starts=len(np.unique(whole.starts[np.isfinite(whole.starts)])),
        noun=noun,
        unit_noun=_noun(study.data.unit),
        left_out=left_out,
    )


def _grid(panel: Panel, values: Array) -> Array:
    out = np.empty((len(panel.units), len(panel.ordinals)))
    out[panel.unit_codes, panel.period_codes] = values
    return out


def _noun(column: str | None) -> str:
    """A column's own name where it is a word for a place, else "place"."""
    name = str(column or "").lower().replace("_", " ")
    return name if name.split(" ")[-1] in NOUNS else "place"


def _rule(study: Study, column: str) -> Auto | Kind:
    """How the evaluation will measure uncertainty, with the study's seed."""
    method = build(study.method.name, study.method.options, outcome=column)
    cov = getattr(method, "cov", None)
    names: dict[str, Kind] = {"CR1": "CR1", "CR2": "CR2", "CR3": "CR3"}
    if type(cov).__name__ in names:
        return names[type(cov).__name__]
    return replace(cov if isinstance(cov, Auto) else Auto(), seed=study.release.seed)


# -- the pilot that is planned -----------------------------------------------------------


def _pilots(study: Study, whole: Converted) -> int | None:
    """Places that have a start, in the file or beyond it."""
    starting = np.isfinite(whole.starts)
    column = study.data.places or study.data.unit
    number = len(set(whole.names[str(column)][starting]))
    return number or None


def _before(study: Study, whole: Converted, first_start: int | None) -> int | None:
    """Periods from where the window opens to the first start."""
    window = study.data.window
    if first_start is None or window is None or window.first is None:
        return None
    before = first_start - ordinal_of(window.first, whole.frequency)
    return before if before > 0 else None


def _after(study: Study, whole: Converted, first_start: int | None) -> int | None:
    """Periods from the first start to the end of the window, else of the file."""
    if first_start is None:
        return None
    window = study.data.window
    last = int(whole.ordinals.max())
    if window is not None and window.last is not None:
        last = ordinal_of(window.last, whole.frequency)
    return last - first_start + 1 if last >= first_start else None
