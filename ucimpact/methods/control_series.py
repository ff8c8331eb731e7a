r"""The control of a pilot's series: one path in the pilot's own units, and what speaks against it.

Several controls are one control. Without populations it is their mean in each period; with
``control_populations`` it is their events together over their people together, told like the outcome
(per 1,000 where the outcome is a rate per 1,000, per the pilot's people where it is a number).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.data.series import Series
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.its_design import SegmentedDesign

NAMED = 6
APART = 1.25
"""A control whose level is this many times the pilot's, or the pilot this many times the control's."""

LIKE = 1.15
"""How far apart the levels may lie for the same number and the same per cent to be much the same."""

ALIKE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Controls:
    """Which columns are the control, and of how many people.

    Attributes
    ----------
    outcome : str
    columns : tuple of str
    populations : tuple of str
        One for each column, or none.
    """

    outcome: str
    columns: tuple[str, ...]
    populations: tuple[str, ...]

    def only(self, column: str) -> Controls:
        """One of them as the whole control."""
        at = self.columns.index(column)
        populations = self.populations[at : at + 1]
        return Controls(outcome=self.outcome, columns=(column,), populations=populations)

    def path(self, series: Series) -> np.ndarray:
        """The control in the pilot's units, shape (n,); ``nan`` where any part is missing."""
        values = np.stack([series.values(name) for name in self.columns])
        if not self.populations:
            return np.asarray(values.mean(axis=0))
        lengths = np.array([series.frequency.length(int(o)) for o in series.ordinals])
        people = np.stack([series.values(name) for name in self.populations]).sum(axis=0) * lengths
        rate = series.rates.get(self.outcome)
        per: float | np.ndarray = rate.per if rate is not None else series.exposure
        return np.asarray(values.sum(axis=0) / people * per)

    def scale(self, series: Series, before: np.ndarray) -> float:
        """What the control is multiplied by before it is taken from the pilot's series.

        1 where the two stood at like levels over the periods marked ``before``, or where either is ever at or
        below 0; else the ratio of their means there, so that what comes to both in the same per cent is as
        large in both.
        """
        pilot, control = series.values(self.outcome), self.path(series)
        both = np.isfinite(pilot) & np.isfinite(control)
        here = before & both
        if not here.any() or min(pilot[both].min(), control[both].min()) <= 0:
            return 1.0
        ratio = float(pilot[here].mean() / control[here].mean())
        return 1.0 if 1 / LIKE <= ratio <= LIKE else ratio

    def refusals(self, series: Series, *, positive: bool) -> list[Finding]:
        """Why these columns cannot be a control; ``positive`` where logs are taken of them."""
        if not self.columns:
            text = "no control is named, and this method compares the pilot's series with one"
            way_out = 'Name its column, as in controls = ["neighbour"], or use the method "its"'
            return [Finding("refuse", text, way_out)]
        if self.populations and len(self.populations) != len(self.columns):
            text = f"there are {len(self.columns)} controls and {len(self.populations)} control_populations"
            return [Finding("refuse", text, "Give one population for each control, or none")]
        if self.populations and self.outcome not in series.rates and series.population is None:
            text = "the controls have populations and the pilot has none: they cannot be told alike"
            return [Finding("refuse", text, "Name the pilot's population, or take control_populations out")]
        found = self._same(series)
        for name in (*self.columns, *self.populations):
            found += _lacking(series, name, self.outcome)
        for name in self.columns:
            found += _constant(series, name)
        if found:
            return found
        if positive:
            return [*_not_above_0(series, self.outcome, series.values(self.outcome)), *self._zeros(series)]
        return []

    def _zeros(self, series: Series) -> list[Finding]:
        return _not_above_0(series, ", ".join(self.columns), self.path(series))

    def _same(self, series: Series) -> list[Finding]:
        """Controls that are the outcome itself, or what it was made of."""
        rate = series.rates.get(self.outcome)
        made_of = {self.outcome, *((rate.numerator,) if rate else ())}
        pilot, found = series.values(self.outcome), []
        for name in dict.fromkeys(self.columns):
            control = series.values(name)
            both = np.isfinite(pilot) & np.isfinite(control)
            same = name in made_of
            if both.sum() > 2 and np.ptp(control[both]) > 0 and np.ptp(pilot[both]) > 0:
                same |= bool(np.corrcoef(pilot[both], control[both])[0, 1] > 1 - ALIKE)
            if same:
                text = (
                    f"the control {name} is the outcome itself: what the pilot changed, it changed there too"
                )
                found.append(Finding("refuse", text, "Name a service or an area without the pilot"))
            if self.columns.count(name) > 1:
                found.append(Finding("refuse", f"the control {name} is named more than once", "Name it once"))
        return found

    def cautions(self, series: Series, design: SegmentedDesign, *, form: str) -> list[Finding]:
        """What needs care whatever the result, where numbers and not ratios are compared."""
        here = design.before
        pilot, control = (
            float(series.values(self.outcome)[here].mean()),
            float(self.path(series)[here].mean()),
        )
        alike = control == 0 or pilot == 0 or 1 / APART <= control / pilot <= APART
        if alike or (form == "difference" and self.scale(series, here) != 1):
            return []
        text = (
            f"before the start the control stood at {control:,.3g} and the pilot at {pilot:,.3g}: here a "
            f"change that comes to both is taken as equally large in units of {self.outcome}"
        )
        way_out = (
            'form = "ratio" takes it as equally large in per cent, as "difference" does of numbers above 0'
        )
        if form == "difference":
            way_out = (
                "Values at or below 0 have no per cent; take longer periods, a control of like size, or for "
                'counts form = "regression" with family = "quasi-poisson"'
            )
        return [Finding("warn", text, way_out)]


def _lacking(series: Series, name: str, outcome: str) -> list[Finding]:
    values = series.values(name)
    lacking = np.isnan(values) & np.isfinite(series.values(outcome))
    if lacking.any():
        labels = series.labels()
        named = [labels[at] for at in np.flatnonzero(lacking)]
        more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        text = f"the control {name} has no value in {', '.join(named[:NAMED])}{more}"
        return [Finding("refuse", text, "Fill it in, or choose another control or a shorter window")]
    return []


def _constant(series: Series, name: str) -> list[Finding]:
    values = series.values(name)
    if np.ptp(values[np.isfinite(values)]) == 0:
        text = f"the control {name} has the same value in every {series.frequency.noun}: it shows nothing"
        return [Finding("refuse", text, "Check the column, or name another")]
    return []


def _not_above_0(series: Series, name: str, values: np.ndarray) -> list[Finding]:
    number = int((values[np.isfinite(values)] <= 0).sum())
    if not number:
        return []
    noun = series.frequency.noun
    text = (
        f"{name} is 0 or below in {number} {noun}{'s' if number > 1 else ''}, and a ratio needs more than 0"
    )
    return [Finding("refuse", text, f'Use form = "difference", or longer periods than {noun}s')]
