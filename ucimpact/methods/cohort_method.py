"""What every method on the people of a cohort is told, and how it is asked of what the service cannot change.

A method on a :class:`~ucimpact.data.cohort.Cohort` is a subclass with fields of its own: it says what speaks
against the comparison (``_findings``) and how any column is compared (``_asked``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ucimpact.data.cohort import Cohort
from ucimpact.estimate import Estimate
from ucimpact.methods.cohort_controls import Asked, NegativeControls, controls_of, reaches
from ucimpact.methods.design_finding import Finding, need


@dataclass(frozen=True, kw_only=True)
class CohortMethod(ABC):
    """A comparison of people who had the service with people who had not.

    Parameters
    ----------
    outcome : str
        Cohort column: a count, 0/1, a cost or a score after the index date.
    """

    takes: ClassVar[type] = Cohort

    outcome: str

    def _as_tuples(self, *names: str) -> None:
        """A single name, or a list, as the tuple it stands for."""
        for name in names:
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))

    def check_design(self, cohort: Cohort) -> list[Finding]:
        """What these data refuse, and what needs care, before anybody is compared."""
        need(cohort, Cohort, "Cohort(table, person=..., pilot=...)")
        cohort.values(self.outcome)
        return self._findings(cohort)

    @abstractmethod
    def fit(self, cohort: Cohort) -> Estimate:
        """The effect per person over the horizon, in all, and as a ratio."""

    def controls(
        self,
        cohort: Cohort,
        columns: Sequence[str],
        *,
        deaths: Sequence[str] = (),
        before: Sequence[str] = (),
    ) -> NegativeControls:
        """Outcomes that the service cannot have changed, of the same people compared in the same way.

        Parameters
        ----------
        columns : sequence of str
            Counts or 0/1 columns.
        deaths : sequence of str
            Those of them that are deaths, which the service may have changed a little.
        before : sequence of str
            Those from before the index date on which nobody was made alike; ``cohort.before`` are too.
        """
        return controls_of(self._asked(cohort), reaches(columns, deaths, (*before, *cohort.before)))

    @abstractmethod
    def _findings(self, cohort: Cohort) -> list[Finding]:
        """What speaks against the comparison in data that hold the outcome."""

    @abstractmethod
    def _asked(self, cohort: Cohort) -> Asked[Any]:
        """The comparison, to be asked of any column; no outcome is looked at."""
