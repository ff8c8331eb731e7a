"""Sentences on robustness: how many questions were asked, other choices, another design."""

from __future__ import annotations

from collections.abc import Sequence

from ucimpact.words.numbers import capital, joint, mid_sentence

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

HOW_JOINT = (
    "The outcomes share their places or people, so what moves one by chance moves the others. That was taken "
    "into account (Romano and Wolf’s steps)."
)
HOW_HOLM = (
    "How the outcomes move together by chance is not known here, so the more careful rule was used, which "
    "holds whatever they share (Holm’s steps)."
)
NAMED_FIRST = (
    "The main outcome was named in a plan locked before the outcome data, so the answer at the top is one "
    "question and stands by itself."
)
NAMED = (
    "The study file names one main outcome, and the answer at the top is about that one alone. No plan was "
    "locked before the outcome data, so nobody can show that it was named first."
)
NAMED_THEN_CHANGED = (
    "The study file names one main outcome, and the answer at the top is about that one alone. The plan that "
    "was locked has been changed since in what bears on it."
)
NOT_COUNTED = (
    "Outcomes that the pilot cannot have changed are no questions of this kind, and are not counted."
)
NO_STEP = (
    "This picture takes no step of certainty. Only the other analyses that the study file declares one by "
    "one do, for they were chosen for a reason and not for their number."
)
CONFLICT_NO_STEP = "A conflict takes no step of certainty by itself: read it beside the finding."


def counted(n: int) -> str:
    """A number as a word up to nine: "three", "12"."""
    return _NUMBERS[n] if 0 <= n < len(_NUMBERS) else f"{n:,}"


# -- multiplicity ------------------------------------------------------------------------


def multiplicity_answer(alone: Sequence[str], together: Sequence[str], asked: int) -> str:
    """Which outcomes stand when the number of questions is allowed for.

    Parameters
    ----------
    alone, together : sequence of str
        Labels of the outcomes that changed by more than chance would give, asked alone and asked with all.
    asked : int
        Outcomes asked about.
    """
    every, whole = f"all {counted(asked)} questions", f"All {counted(asked)} outcomes"
    if asked == 2:
        every, whole = "both questions", "Both outcomes"
    if not alone:
        none = "Neither outcome" if asked == 2 else f"None of the {counted(asked)} outcomes"
        return f"{none} changed by more than chance would give."
    if list(together) == list(alone):
        if len(together) == asked:
            return f"{whole} changed by more than chance would give, allowing for {every}."
        return f"{_findings(together)} when {every} are allowed for."
    fallen = [label for label in alone if label not in together]
    if not together:
        return f"Nothing stands when {every} are allowed for: {_named(fallen)} would have, asked alone."
    falls = "that on" if len(fallen) == 1 else "those on"
    does = "does" if len(fallen) == 1 else "do"
    return f"{_findings(together)} when {every} are allowed for; {falls} {_named(fallen)} {does} not."


def _findings(labels: Sequence[str]) -> str:
    one = len(labels) == 1
    return f"The finding{'' if one else 's'} on {_named(labels)} {'stands' if one else 'stand'}"


def _named(labels: Sequence[str]) -> str:
    if len(labels) > 4:
        return f"{counted(len(labels))} outcomes"
    return joint([mid_sentence(label) for label in labels])


def why_many(asked: int) -> str:
    """Why the number of questions matters."""
    return (
        f"Who asks about {counted(asked)} outcomes will sooner or later see one move by chance. Asked alone, "
        "an outcome stands if its likely range leaves out no change. The wider range holds every outcome at "
        "once, 95 times in 100; the steps that decide ask less of those that follow the clearest."
    )


# -- the curve of choices ----------------------------------------------------------------


def curve_answer(same: int, tried: int, outside: int) -> str:
    """How many analyses point the same way, and how many leave our result outside their range."""
    if same == tried:
        way = (
            f"All {tried:,} analyses point the same way"
            if tried > 1
            else "The one other analysis points the same way"
        )
    elif tried == 1:
        way = "The one other analysis points the other way"
    else:
        way = f"{same:,} of {tried:,} analyses point the same way"
    if not outside:
        return (
            f"{way}; its range holds our result." if tried == 1 else f"{way}; none leaves our result outside."
        )
    leaves = "it leaves" if tried == 1 else f"{outside:,} leaves" if outside == 1 else f"{outside:,} leave"
    return f"{way}; {leaves} our result outside."


def curve_clear(clear: int, tried: int) -> str:
    """How many have a range that leaves out no change."""
    if not clear:
        return "No range of theirs leaves out no change." if tried > 1 else "Its range includes no change."
    if clear == tried:
        return "Every range leaves out no change." if tried > 1 else "Its range leaves out no change."
    return f"{clear:,} of their ranges {'leaves' if clear == 1 else 'leave'} out no change."


# -- triangulation -----------------------------------------------------------------------

AGREE, CONFLICT, UNCLEAR = "agree", "conflict", "cannot tell"


def triangulation_answer(verdicts: Sequence[str]) -> str:
    """What the other designs say of ours, in a sentence."""
    n = len(verdicts)
    if not n:
        return "No second design could be set beside this one."
    if n == 1:
        return {
            AGREE: "A second design, with another comparison, agrees.",
            CONFLICT: "A second design, with another comparison, finds the opposite: they are in conflict.",
            UNCLEAR: "A second design neither confirms nor contradicts this one.",
        }[verdicts[0]]
    same = {
        AGREE: "agree with this one",
        CONFLICT: "find the opposite: they are in conflict with this one",
        UNCLEAR: "neither confirm nor contradict this one",
    }
    if len(set(verdicts)) == 1:
        return f"{capital(counted(n))} other designs, each with another comparison, {same[verdicts[0]]}."
    told = []
    for verdict, one, many in (
        (AGREE, "agrees", "agree"),
        (CONFLICT, "finds the opposite", "find the opposite"),
        (UNCLEAR, "cannot tell", "cannot tell"),
    ):
        k = sum(each == verdict for each in verdicts)
        if k:
            told.append(f"{counted(k)} {one if k == 1 else many}")
    return f"Of {counted(n)} other designs {joint(told)}."


def verdict_reason(verdict: str, *, includes: bool = False, harm: bool = False, usable: bool = True) -> str:
    """Why two designs agree, conflict or cannot tell."""
    if not usable:
        return "its own checks do not hold, so it is not counted"
    if verdict == AGREE:
        side = "harm" if harm else "benefit"
        return f"both ranges lie on the side of {side}, and each estimate lies within the other’s range"
    if verdict == CONFLICT:
        return "the two ranges lie on opposite sides of no change"
    if includes:
        return "a range includes no change"
    return "an estimate lies outside the other’s range"


SHARED_PILOT = (
    "Each design counts what happened with the pilot and sets it against something else, so they share the "
    "luck of those months. Agreement speaks for the comparison, and not for the number of events."
)
HOW_HELD = (
    "Two designs agree if both ranges lie on the same side of no change and each estimate lies within the "
    "other’s range. They are in conflict if the ranges lie on opposite sides of no change. Else they cannot "
    "tell."
)
OWN_PAST = "The same places before the pilot"
ADDED_UP = {
    "its": "The pilot places added up, against their own past",
    "count-its": "The pilot places added up, as counts, against their own past",
}
"""What the designs on the pilot places alone are called, unless the study says otherwise."""


SAME_WORDS = "it says that it compares with the same"
ONE_RESULT = "its estimate and range are ours to the last digit"
ONE_METHOD = "it applies the same method to the same file"
ONE_PEOPLE = "it compares people of the same file"
ONE_FILE = "it compares places of the same file that have the pilot later, as ours does"
BOTH_OWN_PAST = "both hold the pilot against its own past"
"""Why another study is no second design."""


def one_places(same: int) -> str:
    """That two designs compare with the same places."""
    return f"it compares with {counted(same)} of the same places"


def one_series(same: int) -> str:
    """That two designs compare with the same series."""
    return f"it compares with {counted(same)} of the same series"


def not_alike(what: Sequence[str]) -> str:
    """What another study differs in, so that it answers another question."""
    return f"It answers another question: {joint(list(what))}. Bring studies of the same question"


def no_other(why: Sequence[str]) -> str:
    """Why another study is one design with ours."""
    return f"It is no other design: {joint(list(why))}. Bring one whose comparison comes from elsewhere"
