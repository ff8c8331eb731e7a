"""One analysis of a series, for every practice, ward and measure at once.

:func:`fit_many` gives the numbers that the method gives for each series by itself. Series that share
their periods, start and missing periods share a design and are fitted together: see
:mod:`ucimpact.inference.many_series` for how. What a method would refuse for one series is refused for
that series, with the reason, and the others go on.

A design with a column of the table that differs from series to series (``adjust``), a season borrowed
from elsewhere, and errors other than the default or independent ones are fitted one by one.

What needs another fit of the same series is left to the method itself: the total with the noise of its
periods (``cumulative_realised``), fake starts, and the answer under other trends or without COVID. So the
number of ``warnings`` is that of what the design and the fit call for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ucimpact import serialise
from ucimpact.data.many_series import ManySeries
from ucimpact.data.series import Series
from ucimpact.errors import DataError, DesignError, EstimationError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.count_series_errors import Mixture, QuasiPoisson
from ucimpact.inference.timeseries import Ols, Reml
from ucimpact.methods import METHODS
from ucimpact.methods.count_its_design import CountDesign
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_many_account import OUTCOME, Account
from ucimpact.methods.its_many_counts import ManyCounts
from ucimpact.methods.its_many_effects import NUMBERS, ManyEffects
from ucimpact.methods.its_many_gaussian import ManyGaussian
from ucimpact.methods.many_estimates import SHOWN, ManyEstimates
from ucimpact.methods.series_account import lags
from ucimpact.methods.series_choices import SeriesChoices

CHUNK = 1024
"""Series fitted at a time: their numbers stay near the processor, and add 20 MB or so."""


class Fitter(Protocol):
    """A design that can be fitted to many series."""

    def room(self, count: int) -> ManyEffects:
        """Where the effects of ``count`` series go."""

    def fit(self, y: np.ndarray, people: np.ndarray | None, into: ManyEffects) -> None:
        """Fit series (N, n), of ``people`` (N, n) where they are known, and write their effects."""


def fit_many(
    frame: pd.DataFrame,
    *,
    by: str | Sequence[str],
    period: str,
    start: Any,
    outcome: str | Sequence[str] | None = None,
    population: str | None = None,
    method: SeriesChoices | None = None,
    jobs: int = 1,
) -> ManyEstimates:
    """Fit one method to each of many series of a long table.

    Parameters
    ----------
    frame : DataFrame
        One row a series and period, in any order; not changed. A period without a row inside a series
        is refused, as in :class:`~ucimpact.data.series.Series`: add the row, empty where the number is
        not known and 0 where there were none.
    by : str or sequence of str
        Columns that tell series apart: ``("practice", "measure")``.
    period : str
        Column of dates, months, weeks or numbers.
    start : object
        The first pilot period of all ("2022-04"), or the name of a column that says it for each series.
        Series that never start are refused.
    outcome : str or sequence of str, optional
        The columns to be analysed; that of ``method`` if left out. More than one gives each a series of
        its own, told apart by a column ``outcome``.
    population : str, optional
        The denominator, for methods that use one.
    method : SeriesChoices, optional
        The choices, as for one series: ``InterruptedTimeSeries(outcome=..., season="fourier-1")``. An
        interrupted time series with everything by default if left out.
    jobs : int, default 1
        Chunks of series worked on at the same time.

    Raises
    ------
    UsageError
        Without an outcome, for a method that takes no series, or for columns that cannot stand beside the
        effects.
    DataError
        For a table that cannot be read as series at all.
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    outcomes = (outcome,) if isinstance(outcome, str) else tuple(outcome or ())
    if method is None and outcomes:
        method = METHODS["its"](outcome=outcomes[0])
    if not isinstance(method, SeriesChoices):
        raise UsageError(
            "a method on a series is needed: give outcome=..., or method=InterruptedTimeSeries(...)"
        )
    outcomes = outcomes or (method.outcome,)
    _refuse_names(names, outcomes)
    if jobs < 1:
        raise UsageError(f"jobs = {jobs} is below 1")
    table = ManySeries.of(frame, by=names, period=period, start=start)
    people = None if population is None else (population, table.values(frame, population))
    account = Account()
    with ThreadPoolExecutor(jobs) as pool:
        for each in outcomes:
            work = _Work(
                frame=frame,
                table=table,
                method=replace(method, outcome=each),
                values=table.values(frame, each),
                population=people,
                period=period,
            )
            _fit(work, account, pool)
            account.close(table.keys, each if len(outcomes) > 1 else None)
    spec = {f.name: serialise.plain(getattr(method, f.name)) for f in fields(method)}
    refused, total = account.refused(), len(table.keys) * len(outcomes)
    return ManyEstimates(
        effects=account.effects(),
        by=names if len(outcomes) == 1 else (*names, OUTCOME),
        refused=refused,
        cautions=account.cautioned(),
        level=method.level,
        spec=spec | {"outcome": list(outcomes), "by": list(names)},
        counts={"series": total, "fitted": total - len(refused), "refused": len(refused)},
    )


def _refuse_names(names: tuple[str, ...], outcomes: tuple[str, ...]) -> None:
    """Refuse columns that could not stand beside the effects."""
    if not names or len(set(names)) < len(names):
        raise UsageError(f"by = {list(names)}: give each column that tells series apart, once")
    if len(set(outcomes)) < len(outcomes):
        raise UsageError(f"outcome = {list(outcomes)} holds a column more than once")
    taken = {*SHOWN, "reason", *([OUTCOME] if len(outcomes) > 1 else [])}
    if twice := sorted(taken & set(names)):
        raise UsageError(f"the result has columns of its own called {', '.join(twice)}: rename those of by")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Work:
    """One outcome of a table, to be fitted."""

    frame: pd.DataFrame
    table: ManySeries
    method: SeriesChoices
    values: np.ndarray
    population: tuple[str, np.ndarray] | None
    period: str

    def one(self, place: int) -> Series:
        """A series by itself, with every column of the table."""
        rows = self.frame.iloc[self.table.rows_of(place)].reset_index(drop=True)
        at = int(self.table.starts[place]) + self.table.first
        kind = self.table.frequency.kind
        start = at if kind == "number" else self.table.frequency.first_day(at)
        return Series(
            rows, period=self.period, start=start, population=self.population and self.population[0]
        )

    @property
    def shares(self) -> bool:
        """Whether series with the same periods have the same design."""
        return not (self.method.adjust or self.method.season_from)


def _fit(work: _Work, account: Account, pool: ThreadPoolExecutor) -> None:
    """Fit all series of one outcome."""
    table, there = work.table, work.table.there
    width = there.shape[1]
    first, last = there.argmax(axis=1), width - 1 - there[:, ::-1].argmax(axis=1)
    readable = np.ones(len(there), dtype=bool)

    def refuse(which: np.ndarray, reason: str) -> None:
        account.refuse(np.flatnonzero(which & readable), reason)
        readable[which] = False

    for place, reason in table.unfit.items():
        refuse(np.arange(len(there)) == place, reason)
    noun = table.frequency.noun
    refuse(
        there.sum(axis=1) < last - first + 1,
        f"A {noun} inside it has no row. Add one, empty where the number is not known.",
    )
    refuse(~((table.starts >= first) & (table.starts <= last)), "Its start is outside its periods.")
    if work.population is not None:
        people = work.population[1]
        refuse(np.asarray((there & ~(people > 0)).any(axis=1)), "The population is missing or not above 0.")
    places = np.flatnonzero(readable)
    if not work.shares:
        _one_by_one(work, places, account, pool)
        return
    for group in _groups(first, last, table.starts, there & np.isnan(work.values), places):
        _fit_group(work, group, slice(int(first[group[0]]), int(last[group[0]]) + 1), account, pool)


def _groups(
    first: np.ndarray, last: np.ndarray, starts: np.ndarray, missing: np.ndarray, places: np.ndarray
) -> Iterator[np.ndarray]:
    """Series that share their periods, start and missing periods, in the order of the table."""
    if not len(places):
        return
    ends = np.stack([first[places], last[places], starts[places]], axis=1).astype(np.int32)
    holes = np.packbits(missing[places], axis=1)
    key = np.ascontiguousarray(np.concatenate([ends.view(np.uint8).reshape(len(places), -1), holes], axis=1))
    _, group = np.unique(key.view(f"V{key.shape[1]}").ravel(), return_inverse=True)
    order = np.argsort(group, kind="stable")
    yield from np.split(places[order], np.flatnonzero(np.diff(group[order])) + 1)


def _fit_group(
    work: _Work, group: np.ndarray, window: slice, account: Account, pool: ThreadPoolExecutor
) -> None:
    """Fit series of one design."""
    table, method = work.table, work.method
    values = work.values[group[0], window]
    columns = {method.outcome: np.where(np.isnan(values), np.nan, _any_numbers(len(values)))}
    if work.population is not None:
        columns.setdefault(work.population[0], work.population[1][group[0], window])
    like = table.series(
        window,
        int(table.starts[group[0]]),
        columns,
        period=work.period,
        population=work.population and work.population[0],
    )
    findings = method.check_design(like)
    if refusals := [str(finding) for finding in findings if finding.level == "refuse"]:
        account.refuse(group, " ".join(refusals))
        return
    design = method.design(like)
    flat = np.zeros(len(group), dtype=bool)
    for part in _chunks(len(group)):
        used = work.values[group[part], window][:, design.used]
        flat[part] = used.min(axis=1) == used.max(axis=1)
    if flat.any():
        why = [str(f) for f in method.check_design(work.one(int(group[flat][0]))) if f.level == "refuse"]
        account.refuse(group[flat], " ".join(why))
        group = group[~flat]
    fitter = _fitter(method, design, like)
    if fitter is None:
        _one_by_one(work, group, account, pool)
        return
    cautions = [str(finding) for finding in findings]
    room = fitter.room(len(group))

    def chunk(part: slice) -> None:
        y = work.values[group[part], window]
        people = None if work.population is None else work.population[1][group[part], window]
        fitter.fit(_filled(y), people, room.part(part))

    list(pool.map(chunk, _chunks(len(group))))
    account.caution(cautions, len(group))
    account.add(group, room, cautions=len(cautions))


def _chunks(count: int) -> list[slice]:
    return [slice(at, at + CHUNK) for at in range(0, count, CHUNK)]


def _any_numbers(count: int) -> np.ndarray:
    """Numbers that no check of a design has anything against: whole, not small, not all alike."""
    return 1000.0 + np.arange(count) * 37 % 101


def _filled(y: np.ndarray) -> np.ndarray:
    """The mean of each series in place of what is missing: such periods have a column of their own."""
    missing = np.isnan(y)
    return np.where(missing, np.nanmean(y, axis=1)[:, None], y) if missing.any() else y


def _fitter(method: SeriesChoices, design: SegmentedDesign, like: Series) -> Fitter | None:
    """What fits a design to many series; None where series have to be fitted one by one."""
    if design.profile is not None:
        return None
    errors = getattr(method, "errors", None)
    if type(method) is METHODS["its"] and isinstance(errors, (Reml, Ols)):
        return ManyGaussian(
            design,
            like.frequency,
            lags=lags(like, design),
            level=method.level,
            independent=isinstance(errors, Ols),
        )
    if type(method) is METHODS["count-its"] and isinstance(errors, (Mixture, QuasiPoisson)):
        chosen: Any = method
        lengths = [like.frequency.length(int(o)) if chosen.days else 1.0 for o in like.ordinals]
        return ManyCounts(
            CountDesign.of(like, chosen),
            np.array(lengths),
            level=method.level,
            independent=isinstance(errors, QuasiPoisson),
        )
    return None


def _one_by_one(work: _Work, places: np.ndarray, account: Account, pool: ThreadPoolExecutor) -> None:
    """Fit series by the method itself."""

    def one(place: int) -> tuple[Estimate | None, str]:
        try:
            return work.method.fit(work.one(place)), ""
        except (DesignError, DataError, EstimationError) as error:
            return None, str(error)

    for place, (estimate, reason) in zip(places, pool.map(one, places.tolist()), strict=True):
        at = np.array([place])
        if estimate is None:
            account.refuse(at, reason)
            continue
        effects = estimate.effects
        given = estimate.extras.get("route")
        known = given if isinstance(given, dict) else {}
        routes = [str(known.get(term, estimate.method)) for term in effects["term"]]
        names = tuple(dict.fromkeys(routes))
        nothing = np.full(len(effects), np.nan)
        found = ManyEffects.empty(tuple(effects["term"]), tuple(effects.get("event_time", nothing)), names, 1)
        found.numbers[:, :, 0] = effects[list(NUMBERS)].to_numpy(dtype=float).T
        found.route[:, 0] = [names.index(route) for route in routes]
        found.care[0] = len(estimate.warnings)
        account.caution(estimate.warnings, 1)
        account.add(at, found, cautions=0)
