r"""Before and after alone: what people had before the service against what the same people had after it.

.. math:: \widehat\tau_{naive} = H \left( \frac{\sum_i y_i}{\sum_i t_i}
   - \frac{1}{n} \sum_i \frac{n_i}{t_0} \right)

with :math:`n_i` events in the :math:`t_0` days before, :math:`y_i` in the :math:`t_i` days at risk after,
and :math:`H` the days for which people were meant to be followed. It would be the effect of the service
if nothing else moved anybody's rate. **It is never taken as one here**: people are picked when things are
bad, and most get better whatever is done (regression to the mean). Season, age, illness that ends of
itself and everything else that changed at the same time stand in it too.

So it is worked out for two uses: beside a real method, to show what would have been claimed; and alone,
to say what may and may not be said. With it comes the meter of
:mod:`ucimpact.inference.regression_to_mean`: the fall that picking people by their count would produce with
no service, and the share of the fall that was seen which that explains,

.. math:: \text{share} = \frac{\bar n - A}{\bar n - \bar y}

Where comparison people are in the data, :math:`A` is what those picked by the same rule went on to have;
else it comes from the gamma-Poisson and the counts of the pilot people alone.

The interval of the change is by person (or by ``cluster`` of the cohort): each person's own change, on
one degree of freedom less than there are of them. It says how well the *change* is known, not the effect.

References
----------
.. [1] Barnett, A. G., van der Pols, J. C. and Dobson, A. J. (2005). Regression to the mean: what it is and
   how to deal with it. *International Journal of Epidemiology* 34(1), 215-220.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from ucimpact import serialise, words
from ucimpact.data.cohort import Cohort
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.methods import before_after_meter as meter
from ucimpact.methods.before_after_rows import People
from ucimpact.methods.design_finding import Finding, enforce, need
from ucimpact.methods.field_checks import below, level_problem, refuse_fields

Array = np.ndarray

ESTIMAND = "before/after change (naive)"
NAIVE = (
    "this is plain before and after, and nothing in it says what would have happened without the service; "
    "the change is not its effect"
)
FEW_CLUSTERS = 10


@dataclass(frozen=True, kw_only=True)
class BeforeAfter:
    """Compare what the same people had before and after, and say how much of it picking them explains.

    Parameters
    ----------
    outcome : str
        Cohort column of what was counted over the days at risk after the index date.
    before : str, default ""
        Column of the same thing before it; by default the one ``before`` column of the cohort.
    before_days : float, optional
        Days over which ``before`` was counted. Without it the two columns are compared as they stand, as a
        score is.
    at_least : int, optional
        The rule by which people were picked: so many events before, or more. 0 says that the count
        played no part. Without it the meter needs comparison people.
    chosen_by : str, default ""
        Column that the rule looked at, where it is not ``before``.
    at_event : bool, default False
        People were picked at an event that ``before`` counts, such as the stay they were discharged from.
        That one is there by the picking and says nothing of their rate.
    level : float, default 0.95
        Coverage of the intervals.
    """

    takes: ClassVar[type] = Cohort

    outcome: str
    before: str = ""
    before_days: float | None = None
    at_least: int | None = None
    chosen_by: str = ""
    at_event: bool = False
    level: float = 0.95

    def __post_init__(self) -> None:
        days = self.before_days is None or 0 < self.before_days < np.inf
        refuse_fields(
            level_problem(self.level),
            None
            if days
            else f"before_days = {self.before_days}: give the days that `before` was counted over",
            below("at_least", self.at_least, 0, "the least number of events, 0 or more"),
            f"before = `{self.outcome}` is the outcome itself: name the column of the time before"
            if self.before == self.outcome
            else None,
        )

    def check_design(self, cohort: Cohort) -> list[Finding]:
        """What these data refuse, and what needs care. That it is naive is always said."""
        need(cohort, Cohort, "Cohort(table, person=..., pilot=...)")
        column = self._column(cohort)
        if column is None:
            named = f"the cohort names {len(cohort.before)}"
            text = f"before and after needs one column of the time before, and {named}"
            return [Finding("refuse", text, 'Say which: before = "admissions_before"')]
        found = []
        people = self._people(cohort, column, cohort.is_pilot)
        who = "people" if cohort.clusters is None else "clusters"
        if people.units < 2:
            text = f"{people.units} {who} had the service and have both figures"
            found.append(Finding("refuse", text, "Bring more of them, with a figure before and after"))
        if self.before_days is not None and cohort.horizon is None:
            text = "before_days is given, and nothing says over how many days the outcome was counted"
            way_out = "Name the column of days at risk, or give the horizon of the cohort"
            found.append(Finding("refuse", text, way_out))
        if found:
            return found
        found.append(Finding("warn", NAIVE, "Compare people who did not have it"))
        if self.before_days is None and cohort.days is not None and np.ptp(cohort.days):
            text = "people were followed for unlike times, and the two figures are compared as they stand"
            way_out = "Give before_days, the days over which the column before was counted"
            found.append(Finding("warn", text, way_out))
        if cohort.clusters is not None and people.units < FEW_CLUSTERS:
            text = f"with {people.units} clusters the likely range may be too narrow"
            found.append(Finding("warn", text))
        elif cohort.recurs:
            text = "some people have several rows: the range allows for it, the share from picking does not"
            found.append(Finding("warn", text))
        if people.is_rare:
            before, after = int(people.before.sum()), int(people.after.sum())
            found.append(Finding("warn", words.rare(before, after).rstrip(".")))
        return [*found, *_late(cohort)]

    def fit(self, cohort: Cohort) -> Estimate:
        """The change per person (``att``), in all (``cumulative``) and relative; the meter is in ``extras``.

        Raises
        ------
        DesignError
            Where there is nothing to set against one another.
        """
        warnings = enforce(self.check_design(cohort))
        column = self._column(cohort)
        assert column is not None
        people = self._people(cohort, column, cohort.is_pilot)
        rows, influence = people.effects(self.level)
        regression = self._meter(cohort, column, people)
        warnings += tuple(filter(None, [regression.pop("misfit", "")]))
        without = int(cohort.is_pilot.sum()) - people.n
        return Estimate(
            method="before-after",
            estimand=ESTIMAND,
            outcome=self.outcome,
            effects=effects_frame(rows),
            influence=influence,
            sampling_units=tuple(f"unit {number + 1}" for number in range(people.units)),
            counts={
                **cohort.counts(),
                "analysed": people.n,
                "events_before": float(people.before.sum()),
                "events_after": float(people.after.sum()),
                "left_out": [{"n": without, "reason": "no figure before or after"}] if without else [],
            },
            warnings=warnings,
            spec={f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)},
            provenance=_provenance(),
            draws_from=f"the change of each {'person' if cohort.clusters is None else 'cluster'} (naive)",
            extras={
                "naive": True,
                "observed": people.mean_after,
                "expected": people.mean_before,
                "horizon": cohort.horizon,
                "before_days": self.before_days,
                "person_time": people.person_time,
                "df": float(people.units - 1),
                "regression": regression,
            },
        )

    def _column(self, cohort: Cohort) -> str | None:
        """The column of the time before."""
        if self.before:
            return self.before
        return cohort.before[0] if len(cohort.before) == 1 else None

    def _people(self, cohort: Cohort, column: str, keep: Array) -> People:
        """Those of the rows marked True who have both figures."""
        both = np.isfinite(cohort.values(column)) & np.isfinite(cohort.values(self.outcome))
        return People.of(cohort, column, self.outcome, self.before_days, keep & both)

    def _meter(self, cohort: Cohort, column: str, people: People) -> dict[str, Any]:
        """What picking alone would give: from comparison people where there are any, else from the counts."""
        by = self.chosen_by or column
        others = ~cohort.is_pilot
        if self.at_least is not None:
            others = others & (cohort.values(by) >= self.at_least)
        try:
            if others.any():
                beside = self._people(cohort, column, others)
                return meter.from_comparison(people, beside, self.level)
            if self.at_least is None and not self.at_event:
                raise EstimationError(
                    "nothing says by which rule people were picked, and there is nobody without the service"
                )
            if by != column:
                raise EstimationError(
                    "people were picked by another column than the one compared, so its counts cannot tell"
                )
            return meter.from_model(people, self.at_least or 0, self.level, at_event=self.at_event)
        except EstimationError as error:
            return meter.unread(error)


def _late(cohort: Cohort) -> list[Finding]:
    """People whose service began after the clock started."""
    delay = cohort.delay
    if delay is None or not (late := delay[delay > 0]).size:
        return []
    text = (
        f"the service began after the clock started for {late.size} of {delay.size} people, "
        f"{np.median(late):g} days after in the middle case"
    )
    return [Finding("warn", text, "Start the clock on the day on which the service began")]


def _provenance() -> dict[str, Any]:
    from ucimpact import __version__

    return {"version": __version__, "seed": None}
