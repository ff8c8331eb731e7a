"""Lines of the short pages: is it worth the money, does it hold up, how the other analyses lie.

The board page and the impact statement have no room for tables, so each of these answers is one sentence
of the numbers. A value is told with its price and its chance, and never beside the figure of another column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.words.numbers import capital, chance, measure, number, spoken
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
FEW = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


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
    name = capital(COLUMNS[KINDS.index(held.get("counted") or "economic")])
    price = (held.get("cost") or {}).get("per_person")
    text = f"{name}: {per_person(each)} a person"
    if price is None:
        return f"{text}; what it cost a person is not known."
    text += f", at a price of {per_person(price)}"
    p = column.get("chance")
    return f"{text}: {_chance(p)} of being worth more than it cost." if p is not None else f"{text}."


def _chance(p: float) -> str:
    told = chance(p)
    return f"a chance of {told}" if told[0].isdigit() else f"a chance {told}"


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


def analyses_line(finding: Mapping[str, Any], others: Sequence[Mapping[str, Any]], claimed: bool) -> str:
    """On which side of no change the other analyses of the question lie, and between which figures.

    Parameters
    ----------
    others : sequence of mapping
        Analyses of the same question, each with its ``est`` in the units of the headline or None.
    claimed : bool
        Whether an effect may be claimed at all.
    """
    if not claimed:
        return NO_FINDING
    values = [float(entry["est"]) for entry in others if entry.get("est") is not None]
    if not values:
        return NO_OTHERS
    percent = finding.get("scale") == "log"
    how = measure(finding["kind"], decimals=1, percent=percent)
    sides = [value for value in values if value * finding["est"] > 0]
    per = "" if percent else f" {finding['per']}"
    if len(values) == 1:
        told = spoken(values[0], values[0], values[0], how).difference
        return f"One other analysis of the question gives {told}{per}."
    span = spoken(sum(values) / len(values), min(values), max(values), how).range
    same = (
        "all point"
        if len(sides) == len(values)
        else f"{few(len(sides))} point{'s' if len(sides) == 1 else ''}"
    )
    return f"{capital(few(len(values)))} other analyses of the question: {same} the same way ({span}{per})."


def few(n: int) -> str:
    """A count in words up to ten."""
    return FEW[n] if n < len(FEW) else number(n)


def counted(value: float | None, one: str, many: str) -> str:
    """ "12 practices", "1 practice"; the plural alone where the number is hidden."""
    if value is None:
        return many
    return f"{number(value)} {one if round(value) == 1 else many}"
