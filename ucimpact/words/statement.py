"""Sentences of the impact statement: the page that a provider may show beside the full report.

The headline, the lead and what can be said come from the finding itself. Here is what the page adds: a
paragraph to quote, figures for its strip, what the service cost and gave, and what would settle the
question where nothing was found. A finding is the mapping of :mod:`ucimpact.words.quotable`; where people
were only looked at before and after, its ``naive`` holds ``before`` and ``after`` in the headline's units,
``share`` of the fall that the choice of people alone explains, and ``design`` "before-after".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING
from typing import Any

from ucimpact.words.brief import counted
from ucimpact.words.claims import BENEFIT, HARM, UNCLEAR, claim
from ucimpact.words.numbers import COUNTED, capital, exact, joint, measure, number, rounded, spoken
from ucimpact.words.planning import people_needed, would_settle
from ucimpact.words.pounds import COLUMNS, NO_CASH, pence, per_person
from ucimpact.words.sentences import found, settles

Finding = Mapping[str, Any]

REMEDIES = {
    "pre_trend": "a longer stretch before the start, to see pilot and comparison move together",
    "season": "a second whole year before the start",
    "balance": "matching on what still differs between the groups",
    "trajectory": "matching on each of the months just before the start",
    "clock": "a record of the day on which each person could have begun",
    "negative_controls": "counts of things that the service cannot change, such as injuries",
    "agreement": "more people without the service who are like those with it",
    "other_change": "a log of what else changed nearby, and of who had it",
    "same_coding": "a note from the data team on whether coding changed",
    "unmeasured": "recording what the records miss and those who refer people know",
}
"""What would answer a key check that is in doubt, fails or cannot be answered."""
MOST_REMEDIES = 3

SETTLE_NAIVE = (
    "People to compare with. Most people referred at a bad time get better; only similar people who were not "
    "supported can show how much of that is the service."
)
ASK_NAIVE = (
    "Linked records of similar people who were not supported: those who could not be reached, those on a "
    "waiting list, or those in a place without the service."
)
SETTLE_REFUSED = "More people, or a longer follow-up, so that a likely range can be given."
REFUSED_OF_PLACES = "More places, or longer before and after the start, so that a likely range can be given."
ASK_POOLED = "A further year with evaluation, pooled with other services that use one method."
ELSEWHERE = "in more years, or in several places using one method"
STRIP_OF = {
    "matching": "similar people, not supported",
    "weights": "people beside them, not supported",
    "trials": "people beside them, not yet supported",
}
"""What those compared with are called in the strip, by how they were made comparable."""
HARDLY = 0.005
"""A share below this is hardly anybody."""
NO_COST = "What it cost was not declared."
NO_SIZE = (
    "Agreeing, before more data are seen, how large a change would be worth having. Then the number of "
    "people needed can be worked out."
)


def is_naive(finding: Finding) -> bool:
    """Whether people were only looked at before and after, so that there is no finding."""
    design = finding.get("design") or (finding["naive"] or {}).get("design") if _has_naive(finding) else None
    return design == "before-after"


def _has_naive(finding: Finding) -> bool:
    return isinstance(finding.get("naive"), Mapping)


def outcome_of(finding: Finding) -> str:
    """Which page it is: "benefit", "harm", "none" (N), "unclear", "unusable" or "naive"."""
    if is_naive(finding):
        return "naive"
    barred = finding.get("confounded") or finding["refused"] is not None or finding["key_fail"]
    if barred or None in (finding["est"], finding["lo"], finding["hi"]):
        return "unusable"
    code = claim(finding["est"], finding["lo"], finding["hi"], finding["w"], finding["better"])
    if code in UNCLEAR:
        return "unclear"
    return "benefit" if code in BENEFIT else "harm" if code in HARM else "none"


# The paragraph to quote


def paragraph(
    finding: Finding,
    *,
    title: str,
    analysed: float | None = None,
    beside: str = "similar people who were not supported",
    later: str = "",
    who: str = "",
) -> str:
    """A paragraph that may be quoted whole, with its quotation marks.

    Parameters
    ----------
    title : str
        Of the study: what was provided, and where.
    analysed : float, optional
        People supported, as released; None where hidden.
    beside : str
        People compared with, as :func:`beside` tells them.
    later : str
        Of :func:`had_it_later`.
    who : str, optional
        What was compared, where it is not people: "12 pilot practices".
    """
    kind = outcome_of(finding)
    people = finding["people"]
    who = who or (f"{number(analysed)} {people}" if analysed else people)
    if kind == "naive":
        return f"“{title}: {who} were looked at before and after. {_before_and_after(finding)}”"
    told = {
        "benefit": _found_effect, "harm": _found_effect, "none": _found_little, "unclear": _could_not_tell,
        "unusable": _cannot_say,
    }[kind](finding)  # fmt: skip
    return f"“{title}: an evaluation compared {who} with {beside}. {f'{later} ' if later else ''}{told}”"


def _found_effect(finding: Finding) -> str:
    subject, level = finding["subject"], finding["level"]
    what = "the fall" if finding["est"] < 0 else "the rise"
    part = {
        "very low": f"so it is very uncertain whether {subject} had a part in it",
        "low": f"and {subject} may have contributed to {what}",
        "moderate": f"and {subject} probably contributed to {what}",
        "high": f"and {subject} contributed to {what}",
    }[level]
    return f"{_difference(finding)} The certainty of this evidence is {level}, {part}."


def _difference(finding: Finding) -> str:
    said = spoken(finding["est"], finding["lo"], finding["hi"], measure(finding["kind"]), finding["w"])
    interval = f"(95% interval {said.range})"
    if finding["kind"] in COUNTED:
        return f"There were {said.about} {finding['outcome']} {finding['per']} than expected {interval}."
    return f"{capital(finding['outcome'])} stood {said.about} {finding['per']} than expected {interval}."


def _found_little(finding: Finding) -> str:
    return f"A change in {finding['outcome']} large enough to matter is unlikely. {_best(finding)}"


def _best(finding: Finding) -> str:
    said = spoken(finding["est"], finding["lo"], finding["hi"], measure(finding["kind"]), finding["w"])
    best = said.difference if said.size else "0"
    return f"The best estimate is {best} {finding['per']} (95% interval {said.range})."


def _could_not_tell(finding: Finding) -> str:
    text = f"It could not tell whether {finding['subject']} changed {finding['outcome']}. {_best(finding)}"
    if not finding.get("found_se"):
        return text
    could = found(
        finding["found_se"], finding["w"], finding["base"], better=finding["better"], kind=finding["kind"],
        per=finding["per"],
    )  # fmt: skip
    return f"{text} {could}"


def _cannot_say(finding: Finding) -> str:
    if finding["refused"] is not None:
        return f"It could not give a likely range for {finding['outcome']}: {finding['refused']}."
    return (
        f"It could not say whether {finding['subject']} changed {finding['outcome']}, because the comparison "
        "is not sound."
    )


def _before_and_after(finding: Finding) -> str:
    naive = finding["naive"]
    seen = ""
    if None not in (naive.get("before"), naive.get("after")):
        small = finding["kind"] not in COUNTED or max(naive["before"], naive["after"]) < 10
        how = measure(finding["kind"], decimals=1 if small and finding["kind"] != "cost" else 0)
        before, after = how.amount(naive["before"]), how.amount(naive["after"])
        seen = f"{capital(finding['outcome'])} {finding['per']} went from {before} to {after}. "
    return (
        f"{seen}{explained_by_choice(naive)} There was nobody to compare with, so this does not show what "
        f"{finding['subject']} changed."
    )


def claimed(finding: Finding) -> str:
    """What plain before and after would have claimed, in a sentence; "" where it saw nothing."""
    naive = finding["naive"]
    before, after = naive.get("before"), naive.get("after")
    if before is None or after is None or before <= 0:
        return ""
    how = measure(finding["kind"], decimals=0 if finding["kind"] == "cost" else 1)
    noun, size = "fall" if after < before else "rise", number(100 * abs(after / before - 1))
    first = f"A {noun} of {size}%" if size != "0" else "Next to no change"
    return (
        f"{first}: {finding['outcome']} {finding['per']} went from {how.amount(before)} before to "
        f"{how.amount(after)} after."
    )


def explained_by_choice(naive: Mapping[str, Any]) -> str:
    """How much of a fall would follow from choosing people at a bad time, in a sentence."""
    share = naive.get("share")
    falls = naive.get("before") is not None and naive.get("after") is not None
    if share is None or not falls or naive["after"] >= naive["before"]:
        return "How much of that would have happened anyway cannot be told."
    if share >= 0.995:
        return "All of that fall would be expected of people picked at a bad time."
    if share < 0.005:
        return "Picking people at a bad time explains hardly any of that fall."
    return f"About {number(100 * share)}% of that fall would be expected of people picked at a bad time."


# The strip of facts


def strip(
    *,
    supported: float | None = None,
    analysed: float | None = None,
    similar: float | None = None,
    how: str = "matching",
    days: float | None = None,
    price: float | None = None,
    price_year: str | None = None,
) -> list[tuple[str, str]]:
    """Up to four figures with their labels, from released counts; what is not known is left out."""
    facts = []
    if supported:
        facts.append((number(supported), "people supported"))
    if similar:
        facts.append((number(similar), STRIP_OF[how]))
    if similar and supported and analysed:
        share = min(analysed / supported, 1.0)
        shown = f"{number(100 * share)}%" if share < 0.995 or share == 1 else "over 99%"
        facts.append((shown, "of those supported analysed"))
    elif analysed and supported and exact(analysed) != exact(supported):
        facts.append((number(analysed), "of them analysed"))
    if days and len(facts) < 3:
        facts.append((f"{number(days)} days", "of follow-up for each person"))
    if price is not None:
        year = f", {price_year} prices" if price_year else ""
        facts.append((per_person(price), f"cost a person{year}"))
    return facts[:4]


def beside(people: float | None = None, *, how: str = "matching") -> str:
    """Whom people were compared with: "3,450 people who had not had the service by the same day".

    Parameters
    ----------
    people : float, optional
        How many, as released; None where hidden.
    how : {"matching", "weights", "trials"}
        Only people who were matched are called similar. In trials a person stands beside others up to the
        day of their own start, so nobody there is said to have gone without.
    """
    if how not in STRIP_OF:
        raise ValueError(f"people are compared by {', '.join(STRIP_OF)}; this is {how!r}")
    told = {
        "matching": "similar people who were not supported",
        "weights": "people who were not supported, counting for more the more they were alike",
        "trials": "people who had not had the service by the same day",
    }[how]
    return f"{number(people)} {told}" if people else told


def had_it_later(share: float | None, days: float | None = None) -> str:
    """How many of those in trials had it later, in a sentence; "" where hardly anybody did or none is shown.

    Parameters
    ----------
    share : float or None
        0 to 1.
    days : float, optional
        Within which later starts were counted.
    """
    if not share or share < HARDLY:
        return ""
    within = f" within the {number(days)} days after" if days else " later"
    return f"About {number(max(100 * share, 1))}% of those had it{within}."


def compared(analysed: float | None, beside: str, later: str = "", who: str = "") -> str:
    """The first sentences of the lead: who was set beside whom; ``who`` where it is not people."""
    people = f"{number(analysed)} people we supported" if analysed else "the people we supported"
    return f"We compared {who or people} with {beside}. {later}".strip()


# Places and series


def places_compared(
    one: str, many: str, pilot: float | None, comparison: float | None, *, own_past: bool = False
) -> tuple[str, str]:
    """What was set beside what, where places had the pilot: "12 pilot practices", "28 other practices".

    Parameters
    ----------
    one, many : str
        What a place is called.
    pilot, comparison : float or None
        How many, as released; None where hidden.
    own_past : bool, default False
        Each place was held against its own past.
    """
    who = counted(pilot, f"pilot {one}", f"pilot {many}")
    if own_past:
        return who, "its own past" if pilot == 1 else "their own past"
    return who, counted(comparison, f"other {one}", f"other {many}")


def periods_compared(
    one: str, many: str, before: float | None, after: float | None, *, controlled: bool = False
) -> tuple[str, str]:
    """What was set beside what in one series: periods from the start, and what was expected of them."""
    who = f"the {counted(after, one, many)} from the start"
    beside = f"what the {counted(before, one, many)} before made likely"
    return who, f"{beside}, and with places that did not have it" if controlled else beside


def strip_of_places(
    facts: Sequence[tuple[float | None, str, str]], price: float | None = None, price_year: str | None = None
) -> list[tuple[str, str]]:
    """Up to four figures with their labels: (how many, label of one, label of several), then the price."""
    told = [(number(n), one if round(n) == 1 else many) for n, one, many in facts if n]
    if price is not None:
        year = f", {price_year} prices" if price_year else ""
        told = [*told[:3], (per_person(price), f"cost a person{year}")]
    return told[:4]


# What it cost and gave, what would make it stronger


def cost_and_value(
    columns: Mapping[str, Mapping[str, Any]] | None,
    *,
    price: float | None = None,
    price_year: str | None = None,
    not_worked_out: str | None = None,
    spent: str = "",
) -> str:
    """Cost, then the three columns of value in their order, a sentence each.

    Parameters
    ----------
    spent : str
        What is said of the cost where the price of a person is not known; "" for nothing.
    """
    year = f", in {price_year} prices" if price_year else ""
    told = [f"{per_person(price)} a person{year}."] if price is not None else [spent or NO_COST]
    if not_worked_out or not columns:
        reason = f": {not_worked_out}" if not_worked_out else ""
        return " ".join([*told, f"What it was worth is not worked out{reason}."])
    shown = [
        text
        for key, name in zip(("cash", "capacity", "economic"), COLUMNS, strict=True)
        if key in columns and (text := _column(name, columns[key]))
    ]
    if len(shown) > 1:
        told.append("These are ways of counting one thing, never added.")
    told += shown
    return " ".join(text for text in told if text)


def _column(name: str, column: Mapping[str, Any]) -> str:
    each, low, high = (column.get(key) for key in ("per_person", "per_person_low", "per_person_high"))
    if each is None:
        return ""
    if not each and name == COLUMNS[0]:
        return f"{capital(name)}: £0, because {column.get('note') or NO_CASH}."
    value, limits = per_person(each), ""
    if low is not None and high is not None and low < high:
        ends = [per_person(low), per_person(high)]
        ends = ends if ends[0] != ends[1] else [pence(low), pence(high)]
        limits = f" (likely range {ends[0]} to {ends[1]})"
    return f"{capital(name)}: {value} a person{limits}."


def repays(finding: Finding, price: float, per_event: float) -> str:
    """How many fewer events would repay the price, rounded up; "" for what cannot be avoided."""
    if finding["kind"] not in COUNTED or finding["better"] != "lower" or per_event <= 0:
        return ""
    fewer = f"{int(rounded(100 * price / per_event, 0, ROUND_CEILING)):,} fewer {finding['outcome']}"
    return (
        f"At {per_person(price)} a person, {fewer} per 100 people would be enough to repay the cost, at "
        f"{per_person(per_event)} each."
    )


def stronger(checks: Sequence[Mapping[str, Any]]) -> str:
    """What would make a finding surer: more of the same, and answers to the checks that lack one."""
    open_ = [check["name"] for check in checks if check["answer"] != "holds" and check["name"] in REMEDIES]
    items = ["a second year, with the same question and the same rule"]
    items += [text for name, text in REMEDIES.items() if name in open_][:MOST_REMEDIES]
    return " ".join(f"{capital(item)}." for item in items)


def settle(finding: Finding, people: float | None = None, of: str = "people") -> str:
    """How many people would settle a question that this evaluation could not answer.

    Parameters
    ----------
    people : float, optional
        People supported who were analysed.
    of : str, default "people"
        What there would have to be more of: "practices".
    """
    se, w = finding.get("found_se"), finding["w"]
    if w is None or not se:
        return NO_SIZE
    units = {"better": finding["better"], "kind": finding["kind"], "per": finding["per"]}
    times = settles(se, w)
    if times <= 1:
        return f"{capital(of)} enough took part. A repeat with new {of} would narrow the range."
    if not people:
        return f"About {number(times, 1)} times as many {of} as here, {ELSEWHERE}."
    told = would_settle(people_needed(people, se, w), w, finding["base"], analysed=people, **units)
    return f"{told.removesuffix('.')}, {ELSEWHERE}."


def repair(checks: Sequence[Mapping[str, Any]]) -> str:
    """What would make an unsound comparison usable, from the checks that fail; "" where none is known."""
    failing = [
        REMEDIES[check["name"]]
        for check in checks
        if check["answer"] == "fails" and check["name"] in REMEDIES
    ]
    return f"{capital(joint(failing))}." if failing else ""
