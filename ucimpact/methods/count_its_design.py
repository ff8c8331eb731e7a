"""A series of counts as it is fitted: exposure, units, and which counts cannot be analysed as such."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.data.series import Series
from ucimpact.errors import EstimationError
from ucimpact.inference.count_series import CountSeries
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.series_changes import LEVEL
from ucimpact.methods.series_choices import SeriesChoices
from ucimpact.methods.series_fit import LogRatio

RATES_ONLY = "Report rates as they were seen, or use longer periods or a larger area"

LEAST_EVENTS = 5
"""Events on either side of the start below which a ratio says next to nothing."""

FEW_EVENTS = 30
"""Events with the pilot below which its range is not that of the ratio but of a difference of totals."""


@dataclass(frozen=True, kw_only=True)
class CountChoices(SeriesChoices):
    """What a method of counts on one series is told beside what every method on a series is.

    Parameters
    ----------
    days : bool, default True
        Whether a month or quarter counts by its days.
    """

    days: bool = True

    def wrong_choices(self) -> list[str]:
        """What is wrong with the fields, whatever the data."""
        wrong = super().wrong_choices()
        if self.days and "days" in self.calendar:
            wrong.append(
                'calendar holds "days", by which months already count; take it out, or say days = false'
            )
        return wrong


@dataclass(frozen=True, kw_only=True, eq=False)
class CountDesign:
    """Counts with their regression; n periods, p columns.

    Attributes
    ----------
    data : Series
    outcome : str
    segments : SegmentedDesign
    exposure : array (n,)
        People times the length of the period over the average; whichever of the two is known and asked for.
    unit : array (n,)
        What one event is in the units of the effects: 1, or events per so many people in an average period.
    per : float, optional
        People that the rate counts by, where there is one.
    """

    data: Series
    outcome: str
    segments: SegmentedDesign
    exposure: np.ndarray
    unit: np.ndarray
    per: float | None

    @classmethod
    def of(cls, data: Series, choices: CountChoices) -> CountDesign:
        """The design of these choices on a series."""
        lengths = np.array([data.frequency.length(int(o)) for o in data.ordinals])
        exposure = np.ones(len(lengths)) if data.population is None else data.values(data.population)
        rate = next((rate for rate in data.rates.values() if rate.numerator == choices.outcome), None)
        return cls(
            data=data,
            outcome=choices.outcome,
            segments=choices.design(data),
            exposure=exposure * lengths if choices.days else exposure,
            unit=np.ones(len(lengths)) if rate is None else rate.per / data.exposure,
            per=None if rate is None else float(rate.per),
        )

    @cached_property
    def y(self) -> np.ndarray:
        """Counts, 0 where they do not count; shape (n,)."""
        return np.where(self.segments.used, self.segments.y, 0.0)

    @cached_property
    def series(self) -> CountSeries:
        """The regression."""
        return CountSeries(
            y=self.y, x=self.segments.named, offset=np.log(self.exposure), used=self.segments.used
        )

    @cached_property
    def before(self) -> tuple[CountSeries, np.ndarray] | None:
        """The regression of the periods before the start alone, and which of the others it has to foretell.

        None where the periods with the pilot have something in them that was not there before the start.
        """
        if self.segments.ahead() is None:
            return None
        segments = self.segments
        x = np.delete(segments.named, [segments.names.index(name) for name in segments.pilot], axis=1)
        seen = np.abs(x[segments.before]).sum(axis=0) > 0
        return CountSeries(
            y=self.y, x=x[:, seen], offset=self.series.offset, used=segments.before
        ), segments.after

    def narrow(self, contrast: np.ndarray) -> np.ndarray:
        """A contrast of the segmented design without its columns of periods that do not count, shape (p,)."""
        return np.asarray(contrast[..., : self.series.columns])

    def ratio(self, coef: np.ndarray) -> LogRatio:
        """The log of what happened over what was expected, over the periods with the pilot."""
        at = self.segments.after
        without = self.narrow(self.segments.expected)[at]
        with_it = without + self.narrow(self.segments.effect)[at]
        offset = self.series.offset[at]
        log_means = np.column_stack([offset + with_it @ coef, offset + without @ coef])
        return LogRatio.of_log_means(log_means, with_it, without)

    def totals(self, coef: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The log totals over the periods with the pilot, without it and with it, as contrasts."""
        at = self.segments.after
        without = self.narrow(self.segments.expected)[at]
        with_it = without + self.narrow(self.segments.effect)[at]
        first, second = (
            np.exp(log_mean - log_mean.max())
            for log_mean in (self.series.offset[at] + rows @ coef for rows in (without, with_it))
        )
        return first @ without / first.sum(), second @ with_it / second.sum()

    @property
    def few(self) -> bool:
        """Whether the ratio to the events seen with the pilot has no useful range in numbers."""
        return float(self.y[self.segments.after].sum()) < FEW_EVENTS

    def whole(self) -> int:
        """Place of the first period with the pilot in which its level is whole, or of the last of all."""
        after = np.flatnonzero(self.segments.after)
        there = self.segments.columns[LEVEL][after] >= 1
        return int(after[there.argmax()] if there.any() else after[-1])

    @property
    def each(self) -> float:
        """An average effect, in the units of effects, for one event over the periods with the pilot."""
        at = self.segments.after
        return 1 / int(at.sum()) if self.per is None else self.per / float(self.data.exposure[at].sum())


def refusals(design: CountDesign) -> list[Finding]:
    """Why counts have no ratio of what happened to what was expected."""
    segments, noun, outcome = design.segments, design.data.frequency.noun, design.outcome
    counts = design.y[segments.used]
    if outcome in design.data.rates:
        numerator = design.data.rates[outcome].numerator
        text = f"{outcome} is a rate, and counts are needed"
        return [
            Finding("refuse", text, f"Give the count itself, {numerator}; the people at risk stand beside it")
        ]
    if np.any(counts < 0) or np.any(counts != np.round(counts)):
        text = f"{outcome} has values that are no counts (below 0, or not whole)"
        return [Finding("refuse", text, 'Give the count of events, or use the method "its"')]
    for which, side in ((segments.before, "before the start"), (segments.after, "with the pilot")):
        if which.any() and not design.y[which].any():
            text = f"no {outcome} at all in the {int(which.sum())} {noun}s {side}: a ratio has no value there"
            return [Finding("refuse", text, RATES_ONLY)]
    if not design.segments.tangled() and design.segments.residual_df > 0:
        try:
            _ = design.series.poisson
        except EstimationError as error:
            return [Finding("refuse", f"no ratio can be fitted to these counts: {error}", RATES_ONLY)]
    return []


def cautions(design: CountDesign) -> list[Finding]:
    """What needs care about counts whatever the result."""
    segments = design.segments
    events = {
        "before the start": design.y[segments.before].sum(),
        "with the pilot": design.y[segments.after].sum(),
    }
    side, fewest = min(events.items(), key=lambda item: item[1])
    found = []
    if fewest < LEAST_EVENTS:
        text = (
            f"{fewest:.0f} {design.outcome} in all {side}: under {LEAST_EVENTS} a ratio says next to nothing"
        )
        found.append(Finding("warn", text, RATES_ONLY))
    elif events["before the start"] < FEW_EVENTS:
        text = (
            f"{events['before the start']:.0f} {design.outcome} in all before the start: under {FEW_EVENTS} "
            f"hardly say what was expected, and a total may reach far beyond anything that was seen"
        )
        found.append(Finding("warn", text, RATES_ONLY))
    if design.few:
        text = (
            f"{events['with the pilot']:.0f} {design.outcome} in all with the pilot: a ratio to under "
            f"{FEW_EVENTS} is known badly, and the range in numbers is held to what the forecast of what "
            f"was expected leaves possible"
        )
        found.append(Finding("warn", text, RATES_ONLY))
    return found
