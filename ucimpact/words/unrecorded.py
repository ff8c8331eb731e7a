"""What something unrecorded would have to be like, in words that a reader can picture.

Numbers are written so that no release rule takes them for counts of people.
"""

from __future__ import annotations

import math

from ucimpact.words.numbers import number
from ucimpact.words.planning import per_cent
from ucimpact.words.sentences import percent

MEND = "This is an assumption: it shows how much hangs on it, and mends nothing."


def hidden_odds_sentence(gamma: float | None, most: float = 20.0) -> str:
    """How unequal the odds of the service within a set may be.

    Parameters
    ----------
    gamma : float or None
        The largest ratio of odds that the result bears; None where chance alone could give it, infinite
        where it bears ``most``.
    """
    if gamma is None:
        return (
            "Within the matched sets chance alone could give this difference, so no hidden cause is needed."
        )
    if math.isinf(gamma):
        size = f"{number(most)} to 1"
    else:
        decimals = 1 if gamma >= 1.1 else 2
        down = math.floor(gamma * 10**decimals + 1e-9) / 10**decimals
        size = f"{number(down, decimals)} to 1, but none stronger"
    return (
        "Within a matched set the result bears a hidden cause that makes the odds of having had the service "
        f"as unequal as {size}."
    )


def tipping_sentence(
    strength: float,
    comparison: float,
    estimate: float,
    limit: float | None = None,
    *,
    outcome: str = "the outcome",
) -> str:
    """A factor that would explain the result, with the shares who would have to have it.

    Parameters
    ----------
    strength : float
        How many times the outcome is among those who have it, above 1.
    comparison : float
        Share of comparison people who have it.
    estimate, limit : float
        Shares of those with the service at which the estimate, and its nearer limit, are no change.
    """
    does = f"multiplies {outcome} by {number(strength, 1)}" if strength != 2 else f"doubles {outcome}"
    text = (
        f"For example: something that {does} and that {per_cent(100 * comparison)} of the comparison people "
        f"have would explain the result if {_share(estimate)} of those with the service had it."
    )
    if limit is not None:
        text += f" With {_share(limit)} the likely range would reach no change."
    return text


def untipped_sentence(strength: float, comparison: float, *, outcome: str = "the outcome") -> str:
    """That no factor of up to this strength, and this share among comparison people, would explain it."""
    return (
        f"Nothing that multiplies {outcome} by up to {number(strength, 1)}, and that up to "
        f"{per_cent(100 * comparison)} of the comparison people have, would explain the result."
    )


def _share(share: float) -> str:
    return "none" if share == 0 else "all" if share == 1 else per_cent(100 * share)


def controls_bias_sentence(
    times: tuple[float, float],
    left: tuple[float, float, float],
    *,
    kind: str = "count",
) -> str:
    """What is left if the result is moved so many times as far as what it cannot change.

    Parameters
    ----------
    times : (low, high)
    left : (ratio, low, high)
    """
    far = " to ".join(number(end, 1) for end in times)
    return (
        f"If the result is moved {far} times as far as outcomes that the service cannot change, what is left "
        f"is {percent(*left, kind)}. {MEND}"
    )


def belief_sentence(
    name: str,
    pilot: tuple[float, float],
    comparison: tuple[float, float],
    strength: tuple[float, float],
    left: tuple[float, float, float],
    *,
    outcome: str = "the outcome",
    kind: str = "count",
) -> str:
    """What is left if an unrecorded factor is as stated.

    Parameters
    ----------
    name : str
        "living alone".
    pilot, comparison, strength : (low, high)
        Ranges that somebody is 95% sure of.
    left : (ratio, low, high)
    """
    with_it, without = (" to ".join(per_cent(100 * end) for end in ends) for ends in (pilot, comparison))
    far = " to ".join(number(end, 1) for end in strength)
    return (
        f"Stated of {name}: {with_it} of those with the service, {without} of the others, and {outcome} "
        f"multiplied by {far}. What is left is {percent(*left, kind)}. {MEND}"
    )
