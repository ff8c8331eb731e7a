"""What an evaluation tells a league, as it may leave the building.

The ratio and its range are a model's, so nobody is counted by them; where rows are people they are told to
three figures, for a model with a constant fits the count of those with the service to the last digit. What
one organisation added is its figure less others, so it goes wherever a count was hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.disclosure.counts import Log, coarse, coarsely

NUMBERS = ("log", "low", "high", "std_error", "df", "used_se")
VARIANCE_FIGURES = 2
"""To more figures a variance of a log count would give the count back."""


def comparable(
    told: Mapping[str, Any],
    log: Log,
    *,
    of_people: bool,
    unsaid: str | None,
    times: float | None,
    bare: bool,
) -> dict[str, Any]:
    """The same as it may be shown.

    Parameters
    ----------
    told : mapping
        From :func:`ucimpact.evaluation.comparable.comparable`.
    of_people : bool
        Whether a row is a person.
    unsaid : str or None
        Why the main analysis is not shown at all.
    times : float or None
        From the count of events of those with the service to that count as it is shown.
    bare : bool
        Whether what each organisation added may not be shown.
    """
    made = dict(told)
    controls = dict(told["controls"])
    if bare or of_people:
        controls["influence"] = None
    if of_people:
        controls |= {"units": None, "pilot_units": None}
    if controls.get("arm_variance") is not None:
        controls["arm_variance"] = float(f"{controls['arm_variance']:.{VARIANCE_FIGURES}g}")
    made["controls"] = controls
    if not of_people:
        return made
    if made.get("analysed") is not None:
        made["analysed"] = log.count(made["analysed"], "people analysed")
    made["others"] = coarsely(made.get("others"))
    if unsaid is not None:
        made |= {"refused": unsaid, "expected_each": None, **dict.fromkeys(NUMBERS)}
        controls["arm_variance"] = None
        return made
    if made.get("expected_each") is not None:
        made["expected_each"] = coarse(made["expected_each"] * (times or 1.0))
    return {**made, **{name: coarse(made[name]) for name in NUMBERS if made.get(name) is not None}}
