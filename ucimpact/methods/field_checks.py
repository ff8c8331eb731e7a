"""What is wrong with the fields of a method, whatever the data: all of it at once.

Each question gives its problem in words, or None; :func:`refuse_fields` raises those there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ucimpact.errors import UsageError

PERIODS = "a number of periods, 0 for none"
PEOPLE = "a number of people, such as 1000"


def refuse_fields(*problems: str | None) -> None:
    """Raise what was found.

    Raises
    ------
    UsageError
        Naming every field that is wrong and what to give.
    """
    if found := [problem for problem in problems if problem]:
        raise UsageError("; ".join(found), parts=found)


def level_problem(level: float) -> str | None:
    """A coverage that no interval has."""
    if 0.5 <= level < 1:
        return None
    return f"level = {level}: give a number from 0.5 to below 1, such as 0.95"


def outcome_among(outcome: str, columns: Sequence[str], role: str = "be a covariate") -> str | None:
    """The outcome in a second part."""
    return f"`{outcome}` is the outcome, so it cannot {role} too" if outcome in columns else None


def not_one_of(name: str, value: object, allowed: Iterable[str]) -> str | None:
    """A word that is not among those known."""
    known = [*allowed]
    if value in known:
        return None
    named = [f'"{choice}"' for choice in known]
    listed = " or ".join(named) if len(named) == 2 else f"one of {', '.join(named)}"
    return f"{name} = {value!r}: give {listed}"


def below(name: str, value: float | None, least: float, give: str) -> str | None:
    """A number under the least it may be; None is no number and no problem."""
    return f"{name} = {value}: give {give}" if value is not None and not value >= least else None


def not_above(name: str, value: float | None, floor: float, give: str) -> str | None:
    """A number that has to lie above a floor; None is no number and no problem."""
    return f"{name} = {value}: give {give}" if value is not None and not value > floor else None


def no_covariance(cov: object, known: tuple[type, ...], give: str = "") -> str | None:
    """What is no way of this method to measure uncertainty."""
    if isinstance(cov, known):
        return None
    names = [f"{choice.__name__}()" for choice in known]
    return f"cov = {cov!r}: give {give or ', '.join(names[:-1]) + ' or ' + names[-1]}"
