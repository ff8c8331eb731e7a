"""Lines of the short pages: is it worth the money, does it hold up, how the other analyses lie.

The board page and the impact statement have no room for tables, so each of these answers is one sentence
of the numbers. A value is told with its price and its chance, and never beside the figure of another column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.words.numbers import Measure, capital, chance, few, measure, mid_sentence, number, spoken
from ucimpact.words.pounds import COLUMNS, per_person

KINDS = ("cash", "capacity", "economic")
NOT_DECLARED = "the study gives no value for what is avoided"
NO_FINDING = "Nothing is claimed here, so no other analysis is set beside it."
NO_OTHERS = "No other analysis of the question was declared."
DOUBT = {
    "fails": ("does not hold", "do not hold"),
    "doubtful": ("is in doubt", "are in doubt"),
    "cannot tell": ("cannot be answered", "cannot be answered"),
}
"""What is said of one check, and of several, that do not hold: worst first."""


def not_worked_out(decision: Mapping[str, Any], cost: str = "") -> str:
    """Why the money is not worked out where the study declares no value, after what it cost."""
    _, found, missing = str(decision.get("verdict") or "").partition("Cannot say yet: ")
    reason = missing.removeprefix("the study gives ") if found else ""
    why = f"the study gives {reason}" if reason.startswith("no ") else NOT_DECLARED
    return f"{cost} What it was worth is not worked out: {why}.".strip()


def worth_line(valuation: Mapping[str, Any] | None, decision: Mapping[str, Any]) -> str:
    """Value a person in the column that decides, against the price, with the chance that it exceeds it."""
    held = valuation or {}
    if held.get("not_worked_out"):
        return f"What it was worth is not worked out: {held['not_worked_out'].rstrip('.')}."
    column = (held.get("columns") or {}).get(held.get("counted") or "economic")
    each = (column or {}).get("per_person")
    if column is None or each is None:
        return not_worked_out(decision)
    name = COLUMNS[KINDS.index(held.get("counted") or "economic")]
    price = (held.get("cost") or {}).get("per_person")
    text = f"{per_person(each)} a person of {name}"
    if price is None:
        return f"{text}; what it cost a person is not known."
    text += f", for {per_person(price)}"
    p = column.get("chance")
    return f"{text}: {_chance(p)} of being worth more than it cost." if p is not None else f"{text}."


def _chance(p: float) -> str:
    told = chance(p)
    return f"{told} chance" if told[0].isdigit() else f"a chance {told}"


def checks_line(checks: Sequence[Mapping[str, Any]]) -> str:
    """How many checks were made, how many hold, and the worst answer by its question."""
    if not checks:
        return "No check could be made."
    held = sum(check["answer"] == "holds" for check in checks)
    many = f"{capital(few(len(checks)))} check{'s' if len(checks) > 1 else ''} made"
    if held == len(checks):
        return f"{many}, and {'all hold' if held > 1 else 'it holds'}."
    told = [f"{few(held)} hold{'s' if held == 1 else ''}"]
    for answer, (one, several) in DOUBT.items():
        questions = [check["question"] for check in checks if check["answer"] == answer]
        if len(questions) == 1 and answer != "cannot tell":
            told.append(f"“{questions[0]}” {one}")
        elif questions:
            told.append(f"{few(len(questions))} {one if len(questions) == 1 else several}")
    return f"{many}: {'; '.join(told)}."


def not_quoted(worse: str) -> tuple[str, ...]:
    """What nobody may say where something else went the wrong way; nothing where nothing did."""
    return (f"“Nothing else got worse.” {worse}",) if worse else ()


def worse_line(outcomes: Sequence[Mapping[str, Any]]) -> str:
    """Which other outcomes went the wrong way, by ranges that leave out no change; empty where none did.

    Parameters
    ----------
    outcomes : sequence of mapping
        ``label, kind, better``, and ``est, lo, hi`` as shares of what was expected.
    """
    told = []
    for entry in outcomes:
        est, lo, hi = (entry[name] for name in ("est", "lo", "hi"))
        if None in (est, lo, hi) or (hi >= 0 if entry["better"] == "higher" else lo <= 0):
            continue
        said = spoken(100 * est, 100 * lo, 100 * hi, measure(entry["kind"], percent=True))
        told.append(f"{mid_sentence(entry['label'])} {said.difference} (likely range {said.range})")
    if not told:
        return ""
    worse = "Another outcome" if len(told) == 1 else f"{capital(few(len(told)))} other outcomes"
    return f"{worse} went the wrong way: {'; '.join(told)}."


def analyses_line(finding: Mapping[str, Any], others: Sequence[Mapping[str, Any]], claimed: bool) -> str:
    """On which side of no change the other analyses of the question lie, and between which figures.

    Those that the study declares are counted as the step of certainty counts them; moved dates are told apart
    from them. One whose range includes no change points nowhere: it is too wide to say.

    Parameters
    ----------
    others : sequence of mapping
        Analyses of the same question, each with ``est`` in the units of the headline or None, ``lo`` and
        ``hi`` where it has a range, and ``role`` "dates" where only the dates were moved.
    claimed : bool
        Whether an effect may be claimed at all.
    """
    if not claimed:
        return NO_FINDING
    made = [entry for entry in others if entry.get("est") is not None]
    moved = [entry for entry in made if entry.get("role") == "dates"]
    declared = [entry for entry in made if entry.get("role") != "dates"]
    first, per = NO_OTHERS, "" if finding.get("scale") == "log" else f" {finding['per']}"
    if len(declared) == 1:
        first = f"One other analysis of the question {_one(finding, declared[0], per)}."
    elif declared:
        many = capital(few(len(declared)))
        first = f"{many} other analyses of the question: {_several(finding, declared, per)}."
    if not moved:
        return first
    if len(moved) == 1:
        return f"{first} With the dates moved, one more {_one(finding, moved[0], per='')}."
    return f"{first} With the dates moved, {few(len(moved))} more: {_several(finding, moved, per='')}."


def _one(finding: Mapping[str, Any], entry: Mapping[str, Any], per: str) -> str:
    """What a single analysis gives."""
    value = float(entry["est"])
    told = spoken(value, value, value, _how(finding)).difference
    wide = ", and is too wide to say" if _too_wide(entry) else ""
    return f"gives {told}{per}{wide}"


def _several(finding: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], per: str) -> str:
    """How many lie on our side, how many on the other, how many cannot tell, and between which figures."""
    values = [float(entry["est"]) for entry in entries]
    wide = sum(_too_wide(entry) for entry in entries)
    same = sum(float(entry["est"]) * finding["est"] > 0 and not _too_wide(entry) for entry in entries)
    n = len(entries)
    every = "both" if n == 2 else "all"
    if wide == n:
        told = f"{every} are too wide to say"
    else:
        point = "point" if same != 1 else "points"
        told = f"{every if same == n else few(same)} {point} the same way"
        if wide:
            told += f", {few(wide)} {'is' if wide == 1 else 'are'} too wide to say"
    span = spoken(sum(values) / n, min(values), max(values), _how(finding)).range
    return f"{told} ({span}{per})"


def _too_wide(entry: Mapping[str, Any]) -> bool:
    low, high = entry.get("lo"), entry.get("hi")
    return low is not None and high is not None and low <= 0 <= high


def _how(finding: Mapping[str, Any]) -> Measure:
    return measure(finding["kind"], decimals=1, percent=finding.get("scale") == "log")


def counted(value: float | None, one: str, many: str) -> str:
    """ "12 practices", "1 practice"; the plural alone where the number is hidden."""
    if value is None:
        return many
    return f"{number(value)} {one if round(value) == 1 else many}"
