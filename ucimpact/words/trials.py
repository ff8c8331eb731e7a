"""A comparison of people whose clocks start together, in words: which question its number answers, what
waiting for the service makes of naive counts, whether two ways agree, and what could not have been seen.

Each sentence is a function of plain numbers, so that the checks, the estimator and the report print one text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.words.numbers import capital, joint, measure, mid_sentence, number
from ucimpact.words.planning import counted, per_cent
from ucimpact.words.sentences import percent

ASKED = {
    "usual-care": "carrying on as usual (some started later)",
    "this-stay": "not starting after the same stay in hospital",
    "never": "never starting",
    "strategy": "starting it for nobody",
}
"""What starting the service is held against, by the question that was asked."""
TIME_OF_YEAR = {"season (cosine)": "winter or summer", "season (sine)": "spring or autumn"}
"""The time of year as measures: a cosine is 1 at New Year and -1 in July, a sine in April and October."""
HARDLY = 0.005
"""Shares and changes below this are hardly any."""
READS_HIGH = (2, 3)
"""Per cent by which ratios against "never" came out too high in simulated services with a known answer."""
MANY_TIMES = 2.0
"""A ratio from here on is said as times as many."""


# -- which question ----------------------------------------------------------------------


def question_sentence(question: str, *, horizon: float | None = None) -> str:
    """Which question the number answers.

    Parameters
    ----------
    question : {"usual-care", "this-stay", "never", "strategy"}
    horizon : float, optional
        Days followed.
    """
    if question not in ASKED:
        raise ValueError(f"a question is one of {', '.join(ASKED)}; this is {question!r}")
    over = f" within {number(horizon)} days" if horizon and question in ("never", "strategy") else ""
    if question == "strategy":
        first = "what would starting the service for everybody, on the days it was started here, change"
    else:
        first = "what did starting that day change"
    return f"The question answered: {first}{over}, compared with {ASKED[question]}?"


def later_sentence(question: str, share: float, *, horizon: float | None = None) -> str:
    """How many comparison people had the service later, and what that does to the number.

    Parameters
    ----------
    question : {"usual-care", "this-stay", "never", "strategy"}
    share : float
        Of the comparison people, 0 to 1, with their weights.
    horizon : float, optional
        Days within which later starts were counted.
    """
    if question not in ASKED:
        raise ValueError(f"a question is one of {', '.join(ASKED)}; this is {question!r}")
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1; this is {share}")
    within = f" within the {number(horizon)} days" if horizon else ""
    if share < HARDLY:
        return f"Hardly any of the comparison people had the service later{within}."
    first = f"Of the comparison people {per_cent(100 * share)} had the service later{within}."
    if question == "usual-care":
        more = share / (1 - share) if share < 1 else math.inf
        size = f"roughly {number(max(100 * more, 1))}% larger" if more < 1 else "twice as large or more"
        return (
            f"{first} That draws the number towards no change: held against people who never have it, the "
            f"difference may be {size}."
        )
    follow = (
        "They are followed until that day, and others like them who had not had it count for more after it."
    )
    if question == "strategy":
        return f"{first} {follow}"
    if question == "this-stay":
        return f"{first} {follow} What is done in later stays is left as it was."
    low, high = READS_HIGH
    return (
        f"{first} {follow} Where the answer was known this way of counting read {low}% to {high}% too high, "
        "and its range is wider."
    )


# -- waiting for the service -------------------------------------------------------------


def delay_sentence(mean: float | None, *, since: str | None = "discharge") -> str:
    """How long people waited for the service, and what the clocks do about it.

    Parameters
    ----------
    mean : float or None
        Days from the event that opened the trials to the service.
    since : str or None
        That event in words; None where trials are opened by the calendar alone.
    """
    if since is None or mean is None:
        return (
            "Both clocks start on the day the service began: each person is compared with people who had not "
            "had it by that day."
        )
    days = number(mean, 1).removesuffix(".0")
    waited = "less than a tenth of a day" if mean < 0.05 else f"{days} day{'' if days == '1' else 's'}"
    return (
        f"On average the service began {waited} after {since}. Only people who were alive and out of "
        "hospital by then could have it, so both clocks start on that day."
    )


def immortal_sentence(
    ratio: float, *, outcome: str = "events", kind: str = "count", since: str = "discharge"
) -> str:
    """What a comparison with unlike clocks would have shown of a service that changes nothing.

    Parameters
    ----------
    ratio : float
        Of the naive comparison where the service changes nothing: 0.77.
    outcome : str
        "emergency admissions".
    since : str
        Where the naive clock starts.
    """
    if not (math.isfinite(ratio) and ratio > 0):
        raise ValueError(f"a ratio is a number above 0; this is {ratio}")
    if abs(ratio - 1) < HARDLY:
        return f"Clocks that start at {since} for everybody would have moved the result by under 1%."
    how = measure(kind)
    size = (
        f"{number(ratio, 1)} times as many"
        if ratio >= MANY_TIMES
        else f"about {per_cent(100 * abs(1 - ratio))} {how.word(ratio - 1)}"
    )
    return (
        f"A naive analysis of these data, whose clocks all start at {since}, would have shown {size} "
        f"{outcome} even if the service changed nothing."
    )


def naive_sentences(rows: Sequence[Mapping[str, Any]], *, kind: str = "count") -> list[str]:
    """What other ways of counting would have said of these data, and what is wrong with each.

    Parameters
    ----------
    rows : sequence of mapping
        ``label, ratio, low, high, why``; a ratio of None is left out.
    """
    said = []
    for row in rows:
        if row.get("ratio") is None:
            continue
        text = f"{capital(row['label'])}: {_ratio(row, kind)}."
        if why := str(row.get("why") or "").strip().rstrip("."):
            text += f" {capital(why)}."
        said.append(text)
    return said


# -- two ways of comparing ---------------------------------------------------------------


def agreement_sentence(rows: Sequence[Mapping[str, Any]], agree: bool | None, *, kind: str = "count") -> str:
    """What each way of comparing gives, and whether they differ by more than chance between them.

    Parameters
    ----------
    rows : sequence of mapping
        ``label, ratio, low, high``; the first is the number of the headline.
    agree : bool or None
        None where that was not worked out.
    """
    told = [f"{capital(row['label'])}: {_ratio(row, kind)}." for row in rows if row.get("ratio") is not None]
    if agree is None or len(told) < 2:
        return " ".join([*told, "There is no second way to hold it against."])
    last = (
        "They agree: chance between ways of comparing the same people gives such a gap."
        if agree
        else "They differ by more than chance between them would give. Few people without the service may be "
        "like those who had it."
    )
    return " ".join([*told, last])


def _ratio(row: Mapping[str, Any], kind: str) -> str:
    if row.get("low") is None or row.get("high") is None:
        return change(row["ratio"], kind)
    return percent(row["ratio"], row["low"], row["high"], kind)


def change(ratio: float, kind: str = "count") -> str:
    """A ratio alone: "14% fewer", "2.4 times as many", "no change"."""
    if ratio > MANY_TIMES:
        return f"{number(ratio, 1)} times as {'many' if kind in ('count', 'binary') else 'high'}"
    if ratio == 1:
        return "no change"
    return f"{per_cent(100 * abs(ratio - 1))} {measure(kind).word(ratio - 1)}"


# -- what could not have been seen -------------------------------------------------------


def size_sentence(not_excluded: float | None, times: float = 4.0) -> str:
    """The size of bias that outcomes beyond the service's reach leave room for, with what that assumes.

    Parameters
    ----------
    not_excluded : float or None
        Log ratio; None where no such outcome could be worked out.
    times : float
        How many times as far as those outcomes the result is taken to be moved.
    """
    if not_excluded is None:
        return "Without outcomes that the service cannot change, no size of bias can be ruled out."
    room = math.exp(not_excluded)
    size = (
        f"by up to {per_cent(100 * (room - 1))}" if room < MANY_TIMES else f"of up to {number(room, 1)} times"
    )
    far = counted(round(times)) if times in range(2, 13) else number(times, 1)
    return (
        f"Outcomes that the service cannot change do not rule out a bias of the result {size}. This assumes "
        f"that whatever moves them moves the result {far} times as far."
    )


def unseen_sentence(low: float, high: float) -> str:
    """What an outcome beyond the service's reach would have missed, from the limits of its ratio."""
    half = (math.log(high) - math.log(low)) / 2
    less, more = change(math.exp(-half)), change(math.exp(half))
    return f"Anything between {less} and {more} would not have been noticed."


def differed_clause(before: Sequence[str] = (), others: Sequence[str] = ()) -> str:
    """ "but those who had the service also differed in contacts before it": beside a finding in doubt.

    Parameters
    ----------
    before : sequence of str
        Labels of what lies before the service and was not matched on; one that says "before" is not told
        so twice.
    others : sequence of str
        Labels of outcomes after it that it cannot change.
    """
    if not before and not others:
        return ""
    parts = [f"in {joint([mid_sentence(label) for label in others])}"] if others else []
    if before:
        told = [mid_sentence(label) for label in before]
        when = "" if any(re.search(r"\bbefore\b", label) for label in told) else " before it"
        parts.append(f"in {joint(told)}{when}")
    return f"but those who had the service also differed {', and '.join(parts)}"


def differed_sentence(before: Sequence[str] = (), others: Sequence[str] = ()) -> str:
    """The same as a sentence of its own."""
    clause = differed_clause(before, others)
    return f"{capital(clause.removeprefix('but '))}." if clause else ""


# -- what being picked gives -------------------------------------------------------------


def selection_sentence(
    pilot: tuple[float, float],
    comparison: tuple[float, float],
    share: tuple[float, float, float] | None = None,
    *,
    outcome: str = "events",
    base: int = 100,
) -> str:
    """What people picked by the same rule and not served went on to have.

    Parameters
    ----------
    pilot, comparison : (before, after)
        Per person over the same number of days.
    share : (share, low, high), optional
        The part of the pilot people's fall that the others had too.
    """
    how = measure("count", decimals=1)
    had, has, others_had, others_have = (how.amount(base * value) for value in (*pilot, *comparison))
    text = (
        f"Those with the service went from {had} to {has} {outcome} per {base:,}. Similar people "
        f"without it, picked in the same way, went from {others_had} to {others_have}."
    )
    if share is None:
        return text
    part, low, high = share
    if part >= 1:
        return f"{text} So being picked at a bad time gives all of that fall by itself."
    if part <= 0:
        return f"{text} So being picked at a bad time gives none of that fall."
    ends = " to ".join(per_cent(100 * min(max(end, 0.0), 1.0)) for end in (low, high))
    return (
        f"{text} So being picked at a bad time gives about {per_cent(100 * part)} of that fall by itself "
        f"(likely range {ends})."
    )
