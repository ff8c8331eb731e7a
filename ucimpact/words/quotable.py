"""What a finding lets people say, and what it does not, as sentences to quote.

A finding is the mapping that an evaluation holds: ``outcome, subject, plural, kind, better, base, per,
est, lo, hi, w, level, key_fail, refused, scale, observed, avoided, found_se`` and ``confounded`` where
season and effect cannot be told apart. On the log scale the effect is in per cent.

Every quotation stands in quotation marks. Under "you cannot say" the reason follows the quotation, and
only there may a quotation hold words that we never use ourselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.words.claims import BENEFIT, HARM, UNCLEAR, bad_change, benefit, claim, good_change
from ucimpact.words.numbers import COUNTED, Measure, Spoken, capital, likely, limit, measure, spoken
from ucimpact.words.sentences import RATIOS_ONLY, avoided, found, possible

SO_FAR = "over the pilot so far"

Finding = Mapping[str, Any]


def can_say(finding: Finding) -> list[str]:
    """Sentences that may be quoted as they stand.

    Where nothing was found these are the range and what could have been found: an honest answer to
    "so what did it show?".
    """
    outcome, subject = finding["outcome"], finding["subject"]
    if not _is_usable(finding):
        looked = f"“We looked, and could not tell whether {subject} changed {outcome}.”"
        return [looked, *_what_was_seen(finding)]
    code = _claimed(finding)
    if code in (*BENEFIT, *HARM):
        return _effect(finding)
    first = f"“We could not tell whether {subject} changed {outcome}.”"
    if code == "N":
        first = f"“A change in {outcome} large enough to matter is unlikely.”"
    items = [first, f"“The truth could be anything from {_spoken(finding).range}{_unit(finding)}.”"]
    low, high = _sizes(finding)
    if code != "N" and finding["lo"] < 0 < finding["hi"]:
        both = f"“A fall of more than {low} is unlikely, and so is a rise of more than {high}.”"
        items.append(f"“A rise of more than {high} is unlikely.”" if _beyond(finding) else both)
    if finding.get("found_se") is not None and not _beyond(finding):
        could = found(
            finding["found_se"], finding["w"], finding["base"], better=finding["better"],
            kind=finding["kind"], per=finding["per"], percent=_is_of_ratios(finding),
        )  # fmt: skip
        items.append(f"“{could}”")
    return items


def _what_was_seen(finding: Finding) -> list[str]:
    """What happened, and no more."""
    if finding["observed"] is None or _is_of_ratios(finding):
        return []
    seen = measure(finding["kind"]).amount(finding["observed"])
    if finding["kind"] in COUNTED:
        return [f"“There were {seen} {finding['outcome']}{_unit(finding)}.”"]
    return [f"“{capital(finding['outcome'])} stood at {seen}{_unit(finding)}.”"]


def _effect(finding: Finding) -> list[str]:
    outcome, subject, about = finding["outcome"], finding["subject"], _spoken(finding).about
    tail = f"{_unit(finding)} than expected without {subject}"
    items = []
    if finding["level"] == "very low":
        items.append(f"“It is very uncertain whether {subject} changed {outcome}.”")
    if finding["kind"] in COUNTED:
        items.append(f"“There were {about} {outcome}{tail}.”")
    else:
        items.append(f"“{capital(outcome)} stood {about}{tail}.”")
    text = _spoken(finding).range
    between = f"lie between {text.replace(' to ', ' and ', 1)}" if " to " in text else f"be {text}"
    items.append(f"“The true figure is likely to {between}{_short_unit(finding)}.”")
    total = finding["avoided"]
    if total is not None and finding["level"] != "very low" and finding["kind"] in COUNTED:
        events = avoided(
            total["est"], total["lo"], total["hi"], outcome, finding["level"], _claimed(finding),
            finding.get("time", SO_FAR),
            better=finding["better"], kind=finding["kind"],
        )  # fmt: skip
        items.append(f"“{events}”")
    return items


def cannot_say(finding: Finding, naive: float | None = None) -> list[str]:
    """Quotations that the evidence does not bear, each with the reason after it.

    Parameters
    ----------
    naive : float, optional
        Relative change by plain before and after, e.g. -0.21: what somebody would be tempted to say.
    """
    outcome, subject = finding["outcome"], capital(finding["subject"])
    usable = _is_usable(finding)
    code = _claimed(finding) if usable else ""
    items = [_naive(finding, naive)] if naive else []
    if not usable:
        items.append(
            f"“{subject} had no effect on {outcome}.” The question is open: it could not be answered here."
        )
    elif code in UNCLEAR:
        items += _unclear(finding, code)
    elif code == "N":
        items.append(
            f"“{subject} had no effect on {outcome}.” A change too small to matter is possible, up or down."
        )
    else:
        items += _too_much(finding, code)
    if usable and _is_of_ratios(finding) and finding["kind"] in COUNTED:
        items.append(f"“So many {outcome} were avoided.” {RATIOS_ONLY}")
    if usable and finding.get("n1") is not None and finding.get("n0") is None:
        alone = "Each place is held against its own past: what came to all of them at once counts as effect."
        items.append(f"“Nothing but {finding['subject']} can have changed {outcome}.” {alone}")
    no_money = (
        "Beds and time may be worth having; what cash is released stands in a column of its own."
        if finding.get("valued")
        else "No money is worked out here, and a change in activity need not release cash."
    )
    here = "These figures are for one time, and for the places studied."
    if code in HARM:
        no_money = f"Nothing is freed by a {bad_change(finding['better'])} in {outcome}."
    elif usable and finding.get("valued") and not _gains(finding):
        no_money = "What cash is released stands in a column of its own."
    items.append(f"“{subject} saved the NHS money.” {no_money}")
    items.append(f"“It will work the same elsewhere, or another year.” {here}")
    return items


def _naive(finding: Finding, change: float) -> str:
    size = limit(100 * change, measure(finding["kind"], percent=True)).rsplit(" ", 1)[0]
    did = "cut" if change < 0 else "raised"
    reason = "Before and after alone takes no account of season, trend or what happened elsewhere."
    told = finding.get("naive")
    if isinstance(told, Mapping):
        reason = _why_not(told)
    if finding.get("confounded"):
        reason = "With one winter before the change, season alone could do that."
    return f"“{capital(finding['subject'])} {did} {finding['outcome']} by {size}.” {reason}"


NEARLY_ALL = 0.8
"""Share of a fall from which similar people, or picking alone, explain nearly all of it (a judgement)."""


def _why_not(naive: Mapping[str, Any]) -> str:
    """Why a change from before to after in people who were picked is no effect."""
    share = naive.get("share")
    if share is None:
        return "People picked at a bad time have fewer afterwards whatever is done."
    much = "nearly all" if share >= NEARLY_ALL else "part"
    if naive.get("from") == "comparison people":
        if naive.get("less_than_selection"):
            return "Similar people without it fell further."
        return f"Similar people without it show {much} of that change too."
    return f"Picking people at a bad time would by itself give {much} of that change."


def _unclear(finding: Finding, code: str) -> list[str]:
    outcome, subject, said = finding["outcome"], capital(finding["subject"]), _spoken(finding)
    better = finding["better"]
    reason = {
        "U": f"The range holds a {good_change(better)} that would be worth having.",
        "V": f"The range holds a {bad_change(better)} that would matter.",
        "X": "The range holds changes that would matter, up and down.",
    }[code]
    if finding["w"] is None:
        reason = f"The range runs from {said.range}."
    items = [f"“{subject} had no effect on {outcome}.” {reason}"]
    if said.size:
        noun, size = "fell" if finding["est"] < 0 else "rose", f"{said.size}{_short_unit(finding)}"
        items.append(f"“{capital(outcome)} {noun} by {size}.” That figure cannot be told apart from chance.")
    return items


def _too_much(finding: Finding, code: str) -> list[str]:
    outcome, subject, level = finding["outcome"], finding["subject"], finding["level"]
    change, verb = ("fall", "reduced") if finding["est"] < 0 else ("rise", "increased")
    reason = f"Certainty is {level}, for the reasons given."
    items = []
    if level == "very low":
        items.append(f"“{capital(subject)} {verb} {outcome}.” {reason}")
    elif level != "high":
        items.append(f"“It is certain that {subject} {verb} {outcome}.” {reason}")
    if code == "B" and finding["w"] is not None:
        items.append(f"“The {change} is large enough to be worth having.” The range holds smaller ones too.")
    if code in HARM:
        have = "have" if finding["plural"] else "has"
        several = f"A {change} in {outcome} can have several causes; look for them first."
        items.append(f"“{capital(subject)} {have} harmed people.” {several}")
    return items


def _is_usable(finding: Finding) -> bool:
    """Whether the effect may be spoken of at all."""
    barred = finding.get("confounded") or finding["refused"] is not None or finding["key_fail"]
    return not barred and finding["lo"] is not None


def _is_of_ratios(finding: Finding) -> bool:
    return bool(finding["scale"] == "log")


def _claimed(finding: Finding) -> str:
    return claim(finding["est"], finding["lo"], finding["hi"], finding["w"], finding["better"])


def _gains(finding: Finding) -> bool:
    """Whether the best estimate is to the good."""
    return benefit(finding["est"], finding["lo"], finding["hi"], finding["better"])[0] > 0


def _how(finding: Finding) -> Measure:
    return measure(finding["kind"], percent=_is_of_ratios(finding))


def _spoken(finding: Finding) -> Spoken:
    low = min(_low(finding), finding["est"])
    return spoken(finding["est"], low, finding["hi"], _how(finding), finding["w"])


def _low(finding: Finding) -> float:
    """The lower limit, at what was expected where it passes it."""
    if _is_of_ratios(finding):
        return float(finding["lo"])
    return possible(finding["lo"], finding.get("expected"), finding["kind"])


def _beyond(finding: Finding) -> bool:
    """Whether the range holds a fall of more than was expected."""
    return bool(_low(finding) > finding["lo"])


def _sizes(finding: Finding) -> tuple[str, str]:
    """The two ends of the range as the range itself prints them, without their words."""
    fewer, _, more = likely(_low(finding), finding["hi"], _how(finding), finding["w"]).partition(" to ")
    return fewer.rsplit(" ", 1)[0], more.rsplit(" ", 1)[0]


def _unit(finding: Finding) -> str:
    return "" if _is_of_ratios(finding) else f" {finding['per']}"


def _short_unit(finding: Finding) -> str:
    """After a size, where the whole unit has been said: " per 100"."""
    if _is_of_ratios(finding):
        return ""
    return f" per {finding['base']:,}" if finding["base"] is not None else f" {finding['per']}"
