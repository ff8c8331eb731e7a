"""Before and after: what would have been claimed, how much of it picking people explains, what may be said.

Alone it is never a finding. The headline says that it is very uncertain; the lead says what was counted and
how much of the fall people picked at a bad time have anyway; what cannot be said is quoted with the
reason. Beside a real method it is the claim that the method takes apart.

A finding is the mapping of :mod:`ucimpact.words.quotable` with ``people, horizon`` and, under ``naive``:
``before, after, expected_after, fall, fall_low, fall_high`` in the headline's units (``fall`` is that by
picking alone), ``share`` from 0 to 1, ``change`` (-0.77), ``from`` ("gamma-Poisson" or "comparison
people"), ``before_days``, ``dispersion`` (variance over mean of counts after) and ``why`` there is no meter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.inference.power import TwoGroups
from ucimpact.words.numbers import COUNTED, Measure, bare, capital, measure, number
from ucimpact.words.planning import would_settle
from ucimpact.words.sentences import headline

Finding = Mapping[str, Any]

PICKED = "People picked at a bad time have {fewer} afterwards whatever is done"
BETTER = "People picked at a bad time get better whatever is done"
NO_METER = "How much of that picking people at a bad time gives by itself cannot be told here"
NOBODY = "There is nobody to compare with"
UNMATCHED = "Nobody was matched with them"
SMALL = 10
"""Below this many per base a whole number says too little: one decimal."""


def naive_headline(*, subject: str, outcome: str) -> str:
    """Before and after alone says nothing sure, whatever its numbers."""
    return headline(subject=subject, outcome=outcome, est=-1.0, lo=-1.0, hi=-1.0, level="very low")


def naive_lead(finding: Finding) -> str:
    """What was counted before and after, and how much of the change picking people gives by itself."""
    return f"{before_and_after(finding)} {rtm_sentence(finding)}"


def before_and_after(finding: Finding) -> str:
    """ "People supported had 141 admissions per 100 in the 90 days before and 33 in the 90 days after." """
    told, how = finding["naive"], _how(finding)
    before, after = how.amount(told["before"]), how.amount(told["after"])
    unit = f" per {finding['base']:,}" if finding.get("base") else ""
    past, then, note = _times(finding)
    if finding["kind"] in COUNTED:
        who = capital(finding["people"])
        return f"{who} had {before} {finding['outcome']}{unit} {past} and {after} {then}.{note}"
    return f"{capital(finding['outcome'])} stood at {before}{unit} {past} and at {after} {then}.{note}"


def rtm_sentence(finding: Finding) -> str:
    """How much of the fall would be expected of people picked at a bad time, or why that cannot be told."""
    told, how = finding["naive"], _how(finding)
    seen = _seen(finding)
    unknown = f"{_alone(finding)}, so this does not show what {finding['subject']} changed."
    if finding["better"] == "higher":
        return f"{BETTER if seen < 0 else 'That is no rise'}. {unknown}"
    if seen <= 0:
        return f"That is no fall. {unknown}"
    if told.get("fall") is None:
        return f"{NO_METER}. {told['why']}" if told.get("why") else f"{NO_METER}."
    fewer, fall = how.fewer, told["fall"]
    if told.get("from") == "comparison people":
        return _from_others(finding)
    if not fall:
        return (
            "People were not picked by how much they had before, so picking them explains none of the fall."
        )
    first = PICKED.format(fewer=fewer if finding["kind"] in COUNTED else f"{fewer} figures")
    size, whole = _size(fall, how), _size(seen, how)
    limits = _limits(told, how)
    if fall >= seen:
        alone = f"By that alone about {size} {fewer} would be expected{limits}"
        return f"{first}. {alone}: no less than the {whole} seen."
    fell = _fewer(finding)
    return f"{first}: here about {size} of the {whole} {fell} would be expected by that alone{limits}."


def _from_others(finding: Finding) -> str:
    """The same where people without the service show it."""
    told, how = finding["naive"], _how(finding)
    fewer, fall, seen = how.fewer, told["fall"], _seen(finding)
    size, whole, limits = _size(abs(fall), how), _size(seen, how), _limits(told, how)
    first = "People without the service were picked in the same way"
    if fall <= 0:
        return f"{first}, and had no fall afterwards."
    if fall >= seen:
        return f"{first}. They had about {size} {fewer} too{limits}: no less than the {whole} seen."
    return f"{first}, and they had about {size} of the {whole} {_fewer(finding)} too{limits}."


# Beside a real method


def naive_beside(finding: Finding) -> list[str]:
    """What before and after would have claimed, and what the comparison leaves of it, in sentences.

    The finding is that of the real method: ``est`` and ``expected`` are its own.
    """
    told, how = finding["naive"], measure(finding["kind"], decimals=0 if finding["kind"] == "cost" else 1)
    whole, seen = measure(finding["kind"]), _seen(finding)
    before, after = how.amount(told["before"]), how.amount(told["after"])
    unit = f" per {finding['base']:,}" if finding.get("base") else ""
    past, then, note = _times(finding)
    if finding["kind"] in COUNTED:
        first = f"{capital(finding['people'])} had {before} {finding['outcome']}{unit} {past}"
    else:
        first = f"{capital(finding['outcome'])} stood at {before}{unit} {past}"
    said = [f"{first}; {then}, {after}.{note}"]
    if seen <= 0:
        return [*said, "Before and after would have claimed no fall."]
    said.append("But people are referred at their worst, and most get better whatever is done.")
    barred = (
        finding.get("key_fail") or finding.get("refused") or None in (finding["est"], finding["expected"])
    )
    if barred:
        return said
    wanted = how.amount(finding["expected"])
    said.append(f"By what happened to similar people, {wanted} would be expected without it.")
    left, total = -finding["est"], _size(seen, whole)
    if left <= 0:
        said.append(f"By the best estimate all of the {total} {_fewer(finding)} would have happened anyway.")
    elif left < seen:
        part = f"all but {_size(left, whole)} of the {total} {_fewer(finding)}"
        said.append(f"By the best estimate {part} would have happened anyway.")
    return said


# What may and may not be said


def naive_can_say(finding: Finding) -> list[str]:
    """Sentences that a provider with no comparison may quote as they stand."""
    items = [f"“{before_and_after(finding)}”"]
    if _seen(finding) > 0 and finding["naive"].get("fall") and finding["better"] == "lower":
        items += [f"“{rtm_sentence(finding)}”"]
    uncertain = naive_headline(subject=finding["subject"], outcome=finding["outcome"])
    alone = _alone(finding)
    return [*items, f"“{uncertain}: {alone[:1].lower()}{alone[1:]}.”"]


def naive_cannot_say(finding: Finding) -> list[str]:
    """Quotations that before and after alone does not bear, each with the reason after it."""
    subject, outcome, told = capital(finding["subject"]), finding["outcome"], finding["naive"]
    items = []
    seen = _seen(finding)
    if seen and told.get("change"):
        verb = "cut" if seen > 0 else "raised"
        size = f"{number(100 * abs(told['change']))}%"
        items.append(f"“{subject} {verb} {outcome} by {size}.” {_why_not(finding)}")
    if seen > 0 and finding["kind"] in COUNTED and finding["better"] == "lower":
        whole = _size(seen, _how(finding))
        unit = f" per {finding['base']:,}" if finding.get("base") else ""
        reason = "A fall is not a number avoided: nobody knows how many would have happened."
        items.append(f"“{whole} {outcome}{unit} were avoided.” {reason}")
    items.append(f"“{subject} had no effect on {outcome}.” {_alone(finding)}, so the question is open.")
    items.append(f"“{subject} saved the NHS money.” With no finding there is nothing to value.")
    return items


def naive_settles(finding: Finding) -> str:
    """What would settle it: a comparison, and with how many people."""
    first = "A comparison would settle it: people picked in the same way, who were not supported."
    told, w, base = finding["naive"], finding.get("w"), finding.get("base") or 1
    expected = told.get("expected_after")
    if not w or not expected or finding["kind"] not in COUNTED or w >= expected:
        return first
    groups = TwoGroups(
        kind="count" if finding["kind"] == "count" else "binary",
        mean=min(expected / base, 0.999) if finding["kind"] == "binary" else expected / base,
        dispersion=max(told.get("dispersion") or 1.0, 1.0),
    )
    people = groups.people_needed(-w / base)
    if people is None:
        return first
    need = would_settle(
        people, w, finding.get("base"), better=finding["better"], kind=finding["kind"], per=finding["per"]
    )
    return f"{first} {need.removesuffix('.')}, with as many to compare with."


# Parts


def _why_not(finding: Finding) -> str:
    told = finding["naive"]
    share = told.get("share")
    if _seen(finding) <= 0 or share is None:
        return f"{NOBODY}, and people picked at a bad time change whatever is done."
    if told.get("from") == "comparison people":
        return f"People without it, picked in the same way, show {_part(share)} of that fall."
    return f"{NOBODY}, and picking people at a bad time gives {_part(share)} of that fall by itself."


def _alone(finding: Finding) -> str:
    """Why the change is no effect: nobody without the service, or nobody made comparable."""
    return UNMATCHED if finding["naive"].get("from") == "comparison people" else NOBODY


def _fewer(finding: Finding) -> str:
    """ "the 108 fewer", "the £40 fall"."""
    return "fewer" if finding["kind"] in COUNTED else "fall"


def _part(share: float) -> str:
    if share >= 0.995:
        return "all"
    return f"about {number(100 * share)}%" if share >= 0.005 else "hardly any"


def _seen(finding: Finding) -> float:
    """The fall, positive for fewer."""
    return float(finding["naive"]["before"] - finding["naive"]["after"])


def _how(finding: Finding) -> Measure:
    told = finding["naive"]
    if finding["kind"] == "cost":
        return measure("cost")
    small = finding["kind"] not in COUNTED or max(told["before"], told["after"]) < SMALL
    return measure(finding["kind"], decimals=1 if small else 0)


def _size(value: float, how: Measure) -> str:
    return how.amount(value)


def _limits(told: Mapping[str, Any], how: Measure) -> str:
    low, high = told.get("fall_low"), told.get("fall_high")
    if low is None or high is None or low < 0 or not high > low:
        return ""
    return f" (likely range {bare(low, high, how)})"


def _times(finding: Finding) -> tuple[str, str, str]:
    """ "in the 90 days before", "in the 90 days after", and a note where the two are not as long."""
    past, horizon = finding["naive"].get("before_days"), finding.get("horizon")
    if not past or not horizon:
        return "before", "after", ""
    if past == horizon:
        return f"in the {number(past)} days before", f"in the {number(horizon)} days after", ""
    counted = f"The figure before was counted over {number(past)} days"
    note = f" {counted}, and is put at the length of the time after."
    return "before", f"in the {number(horizon)} days after", note
