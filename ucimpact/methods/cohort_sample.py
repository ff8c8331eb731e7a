"""The people of a comparison, matched or weighted, as the outcome model and the effects need them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.errors import DesignError
from ucimpact.inference.sandwich import Clusters

Array = np.ndarray


class CohortSample(Protocol):
    """People whose outcome is known, one line a person (and set), with the weight of each line."""

    @property
    def cohort(self) -> Cohort: ...

    @property
    def place(self) -> Array:
        """Line of the whole comparison, known outcome or not, that each line here is."""
        ...

    @property
    def row(self) -> Array:
        """Row of the cohort of each line."""
        ...

    @property
    def treated(self) -> Array: ...

    @property
    def weight(self) -> Array: ...

    @property
    def size(self) -> int:
        """Pilot people."""
        ...

    @property
    def days(self) -> Array | None:
        """Days at risk of each line."""
        ...

    @property
    def person_time(self) -> float | None:
        """Days at risk of the pilot people."""
        ...

    @property
    def words(self) -> str:
        """The units of evidence."""
        ...

    @property
    def clusters(self) -> Clusters:
        """Codes of the units of evidence."""
        ...

    def cov(self, influence: Array, parameters: int) -> Array:
        """Covariance of what has these influences of the lines, shape (n_lines, n_effects)."""
        ...

    def df(self, influence: Array) -> float:
        """Degrees of freedom that the variance of one effect is worth."""
        ...

    def by_set(self, influence: Array) -> Array:
        """The same by the units in which an estimate hands influences on."""
        ...

    def events(self, y: Array) -> tuple[float, float]:
        """Sum of an outcome over the different pilot and comparison people."""
        ...

    def share(self, y: Array) -> float:
        """Mean of an outcome over all the different people."""
        ...


class AtRisk:
    """People and days of a sample, which follow from its lines."""

    @property
    def size(self: CohortSample) -> int:
        """Pilot people."""
        return int(self.treated.sum())

    @property
    def days(self: CohortSample) -> Array | None:
        """Days at risk of each line; None where the cohort has none."""
        return None if self.cohort.days is None else self.cohort.days[self.row]

    @property
    def person_time(self: CohortSample) -> float | None:
        """Days at risk of the pilot people: their own, or the horizon for each."""
        if self.days is not None:
            return float(self.days[self.treated].sum())
        return None if self.cohort.horizon is None else self.size * float(self.cohort.horizon)


def refuse_none(outcome: str, events: tuple[float, float] | None, pilot: str, others: str) -> None:
    """Refuse an outcome that one of the sides, here named, never had.

    Raises
    ------
    DesignError
        With the way out.
    """
    if events is not None and min(events) == 0:
        raise DesignError(
            f"`{outcome}` happened {events[0]:g} times among {pilot} and {events[1]:g} times among {others}: "
            "too few to judge. Follow people for longer, or take an outcome that happens more often."
        )
