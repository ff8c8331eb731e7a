"""Sentences on a plan that was locked, and on what became of it."""

from __future__ import annotations

from ucimpact.words.robust import counted

NOT_LOCKED = "No plan was locked for this study, so planned and done cannot be held against one another."
SHOWS = (
    "The lock shows what the data file held when the plan was fixed. What somebody had seen elsewhere it "
    "cannot show."
)
STATES = {
    "absent": "The data file was not there yet.",
    "before": "The data file held nothing from the start of the pilot on.",
    "there": "Outcome data from the time of the pilot were in the file already.",
    "unknown": "Whether the file held outcome data could not be told, so they are taken to have been there.",
}
"""What the data file held when a plan was locked."""


def when_locked(day: str, *, before: bool) -> str:
    """ "locked on 3 May 2025, before the outcome data were there"."""
    return f"locked on {day}, {'before' if before else 'when'} the outcome data were there"


def planned_answer(day: str, *, before: bool, changed: int, other: int) -> str:
    """Whether a locked plan was kept.

    Parameters
    ----------
    day : str
        "3 May 2025".
    before : bool
        Whether it was locked before the outcome data.
    changed, other : int
        Changes that bear on the main answer, and others.
    """
    plan = f"the plan {when_locked(day, before=before)}"
    if not changed and not other:
        return f"Yes: {plan}, was kept."
    places = f"{counted(changed)} place{'s' if changed != 1 else ''}"
    if not changed:
        return f"Yes, for the main answer: {plan}, was changed only in what does not bear on it."
    bears = "bears" if changed == 1 else "bear"
    return f"No: {plan}, was changed in {places} that {bears} on the main answer."


def locked_now(file: str, state: str) -> list[str]:
    """What `ucimpact lock` says when it is done."""
    before = state in ("absent", "before")
    second = (
        "This plan counts as locked before the outcome data."
        if before
        else "This plan does not count as locked before the outcome data; changes from now on will be shown."
    )
    return [
        f"Locked in {file}. {STATES[state]} {second}",
        "Keep the file with the study, and give a copy away.",
    ]
