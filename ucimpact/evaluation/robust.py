"""What shows how firm the answer is: the plan, other choices, other designs, many questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ucimpact.evaluation.curve import Fit, curve, specifications
from ucimpact.evaluation.document import Analysis
from ucimpact.evaluation.ended import ended
from ucimpact.evaluation.multiplicity import multiplicity
from ucimpact.evaluation.planned import planned
from ucimpact.evaluation.triangulation import Others, Triangulated, triangulated
from ucimpact.finding import Units
from ucimpact.study import Outcome, Records, Study
from ucimpact.words import robust as words
from ucimpact.words.lock import when_locked


class Robust:
    """The steps of one evaluation that are about robustness.

    Parameters
    ----------
    study, records
    others : Others or None
        How studies that are named beside this one are evaluated; None where this is such a one.
    tell : callable
        Told what is being done.

    Raises
    ------
    UsageError
        For a lock that was edited.
    """

    def __init__(
        self, study: Study, records: Records, others: Others | None, tell: Callable[[str], None]
    ) -> None:
        self.study, self.records, self.others, self.tell = study, records, others, tell
        self.plan = planned(study, ended(study, records))
        self.steps = max(len(specifications(study)) - 1, 0) + len(study.triangulation)
        self.analyses: list[Analysis] = []
        self._curve: dict[str, Any] | None = None
        self._others = Triangulated()

    def look(
        self, main: Analysis, units: Units, fit: Fit, found: Mapping[str, Any], data: Mapping[str, Any]
    ) -> None:
        """Fit every combination of choices, and ask the other designs."""
        self.analyses, self._curve = curve(self.study, main, units, fit, self.tell)
        self._others = triangulated(self.study, self.records, found, data, self.others, self.tell)

    @property
    def of_certainty(self) -> dict[str, Any]:
        """What the certainty asks of it."""
        return {
            "designs": self._others.designs,
            "locked": self.plan.locked,
            "plan_changed": self.plan.changed,
        }

    def _named(self) -> str:
        """What a lock says of when the main outcome was named."""
        if not self.plan.locked:
            return words.NAMED
        return words.NAMED_THEN_CHANGED if self.plan.changed else words.NAMED_FIRST

    def document(
        self,
        found: Mapping[str, Any],
        pairs: Sequence[tuple[Outcome, Analysis]],
        analyses: Sequence[Analysis],
    ) -> dict[str, Any]:
        """All of it as plain values; a part that was not asked for is not there."""
        barred = found["refused"] or found["key_fail"] or found["confounded"]
        parts = {
            "multiplicity": None
            if barred
            else multiplicity(pairs, named=self._named(), seed=self.study.release.seed),
            "curve": self._curve,
            "triangulation": self._others.document,
            "planned": self.plan.to_dict(analyses),
        }
        return {name: part for name, part in parts.items() if part is not None}


def told(study: Study, records: Records) -> list[str]:
    """Whether a plan was locked, and how many combinations of choices would be fitted, for a first look.

    Raises
    ------
    UsageError
        For a lock that was edited.
    """
    held, beside, lines = planned(study, ended(study, records)), len(specifications(study)) - 1, []
    if held.entry is not None and held.timing is not None:
        kept = "changed since in what bears on the main answer" if held.changed else "kept"
        lines.append(f"The plan was {when_locked(held.entry['locked_at'][:10], held.timing)}, and {kept}")
    if beside > 0:
        many = "combination" if beside == 1 else "combinations"
        lines.append(f"Curve: {beside} {many} beside the main analysis")
    return lines
