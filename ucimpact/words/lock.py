"""Sentences on a plan that was locked, and on what became of it."""

from __future__ import annotations

from ucimpact.words.robust import counted

NOT_LOCKED = "No plan was locked for this study, so planned and done cannot be held against one another."
BREAK_EVEN = "what would repay the price"
SHOWS = (
    "The lock shows what the data file held when the plan was fixed, by the clock of the computer. What "
    "somebody had seen elsewhere it cannot show."
)


def checkable(plan_hash: str) -> str:
    """Who can check the day of a lock, and by what."""
    return (
        f"The SHA-256 of the plan begins with {plan_hash[:16]}. Whoever holds a copy that was given away on "
        "that day can check this; the file alone cannot show it."
    )


LATE = (
    "The file that was named held no outcome data, and the pilot had ended by then. That shows nothing of "
    "what was known: the plan was made after the fact."
)
UNDATED = (
    "The file that was named held no outcome data, and the records tell no days, so nobody can show that the "
    "pilot had not ended by then. The plan counts as made after the fact."
)
STATES = {
    "absent": "The data file was not there yet.",
    "before": "The data file held nothing from the start of the pilot on.",
    "there": "Outcome data from the time of the pilot were in the file already.",
    "unknown": "Whether the file held outcome data could not be told, so they are taken to have been there.",
}
"""What the data file held when a plan was locked."""


def when_locked(day: str, timing: str) -> str:
    """ "locked on 3 May 2025, before the outcome data were there"."""
    told = {
        "before": "before the outcome data were there",
        "there": "when the outcome data were there",
        "late": "after the pilot had ended",
        "undated": "on a day that the records cannot be held against",
    }
    return f"locked on {day}, {told[timing]}"


def state_told(state: str, timing: str) -> str:
    """What the data file held when a plan was locked, and whether that shows anything."""
    return {"late": LATE, "undated": UNDATED}.get(timing, STATES[state])


def planned_answer(day: str, timing: str, *, changed: int, other: int) -> str:
    """Whether a locked plan was kept.

    Parameters
    ----------
    day : str
        "3 May 2025".
    timing : str
        When it was locked, as :func:`ucimpact.study.lock.timing_of` says.
    changed, other : int
        Changes that bear on the main answer, and others.
    """
    plan = f"the plan {when_locked(day, timing)}"
    places = f"{counted(changed)} place{'s' if changed != 1 else ''}"
    bears = f"{places} that {'bears' if changed == 1 else 'bear'} on the main answer"
    if timing in ("late", "undated"):
        since = f"It was changed since in {bears}" if changed else "It was kept"
        return f"No plan was locked before the outcome data: {plan}, was made after the fact. {since}."
    if not changed and not other:
        return f"Yes: {plan}, was kept."
    if not changed:
        return f"Yes, for the main answer: {plan}, was changed only in what does not bear on it."
    return f"No: {plan}, was changed in {bears}."


def locked_now(file: str, state: str) -> list[str]:
    """What `ucimpact lock` says when it is done."""
    before = state in ("absent", "before")
    second = (
        "This plan counts as locked before the outcome data if the pilot that will be analysed ends after "
        "today; else it counts as made after the fact."
        if before
        else "This plan does not count as locked before the outcome data; changes from now on will be shown."
    )
    return [
        f"Locked in {file}. {STATES[state]} {second}",
        "Keep the file with the study, and give a copy away today: the time in it is that of this computer.",
    ]
