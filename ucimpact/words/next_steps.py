"""What to do next as far as the evidence goes, when the money is not worked out."""

from __future__ import annotations

from collections.abc import Sequence

from ucimpact.words.claims import BENEFIT, HARM, UNCLEAR, bad_change, good_change
from ucimpact.words.decision import MISSING
from ucimpact.words.numbers import joint, number, plainly
from ucimpact.words.sentences import settles


def next_steps(
    claim_code: str | None,
    level: str,
    missing: Sequence[str] = (),
    *,
    subject: str = "the service",
    outcome: str = "the outcome",
    better: str = "lower",
    plural: bool = False,
    key_fail: bool = False,
    refused: str | None = None,
    confounded: bool = False,
    one_place: bool = False,
    se: float | None = None,
    w: float | None = None,
    unit: str = "",
    event: str = "",
) -> list[str]:
    """What to do next as far as the evidence goes, when the money is not worked out.

    Parameters
    ----------
    claim_code : str or None
        Claim of the headline; None where there is no likely range.
    missing : sequence of str
        Keys of :data:`MISSING`: "price", "people", "value".
    refused, confounded, key_fail
        Why the result cannot be used: no likely range, one winter before the change, an unsound comparison.
    one_place : bool
        One place, or one decision to start, had the pilot.
    se, w : float, optional
        For what would settle it, in the headline's units.
    unit : str
        "per 100", "a month", "%": goes after a size.
    event : str
        What a value is agreed for: "admission".
    """
    unusable = _unusable(claim_code, key_fail=key_fail, refused=refused, confounded=confounded)
    steps = unusable or _by_claim(claim_code or "X", level, subject, outcome, better, plural=plural)
    if not unusable and claim_code in UNCLEAR and se is not None and w is not None:
        steps += _settling(settles(se, w), w, good_change(better), unit)
    if one_place and not unusable:
        steps.append(
            "Ask for more places before more months: one place cannot tell the pilot from local events."
        )
    if unusable or claim_code not in (*BENEFIT, "N"):
        return steps
    lacking = [MISSING[key] for key in ("price", "people") if key in missing]
    if "value" in missing:
        lacking.append(f"a value for each {event}" if event else MISSING["value"])
    if lacking:
        steps.append(f"Agree {joint(lacking)} before deciding whether it is worth the money.")
    return steps


def _unusable(claim_code: str | None, *, key_fail: bool, refused: str | None, confounded: bool) -> list[str]:
    if confounded:
        return [
            "Decide nothing on this result.",
            "Find a comparison that did not change, or counts that reach back two winters or more.",
        ]
    if refused is not None or claim_code is None:
        return [
            "Decide nothing on this result: find more places, or more months, that can give a likely range."
        ]
    return ["Decide nothing on this comparison: find one that passes its checks."] if key_fail else []


def _by_claim(code: str, level: str, subject: str, outcome: str, better: str, *, plural: bool) -> list[str]:
    good, bad = good_change(better), bad_change(better)
    if code in HARM:
        return [
            f"Look for a cause of the {bad} in {outcome} before anything else.",
            f"Do not extend {subject} until it is understood.",
        ]
    if code == "V":
        return [f"Do not extend {subject} in the hope of a {good}: one worth having is unlikely."]
    if code in UNCLEAR:
        it = "them" if plural else "it"
        return [f"Treat the question as open: this is no reason to stop {subject}, nor to extend {it}."]
    if code == "N":
        its = "their" if plural else "its"
        return [
            f"Judge {subject} on {its} price and other aims: a change in {outcome} that matters is unlikely."
        ]
    if level == "very low":
        return [f"Do not extend {subject} to other places on this evidence alone; go on counting."]
    if code == "b":
        return [f"Weigh the price: the {good} is smaller than was agreed to be worth having."]
    return [
        f"Go on counting while {subject} {'continue' if plural else 'continues'}, so that the range narrows."
    ]


def _settling(times: float, w: float, noun: str, unit: str) -> list[str]:
    if times <= 1:
        return []
    size = f"{plainly(w)}{unit if unit.startswith('%') else f' {unit}' if unit else ''}"
    more = number(times) if times >= 2 else plainly(times)
    return [
        f"To find a {noun} of {size} four times in five takes about {more} times as much evidence as this."
    ]
