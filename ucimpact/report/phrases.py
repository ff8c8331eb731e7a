"""Small parts of text: full stops, the first sentence, counts in words, days, what is not printed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.words import MINUS, capital, joint
from ucimpact.words.numbers import few
from ucimpact.words.trials import TIME_OF_YEAR

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def tidy(value: Any) -> Any:
    """The document without characters that no reader can see and no page may hold."""
    if isinstance(value, str):
        return "".join(
            c for c in value if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in BIDI)
        )
    if isinstance(value, Mapping):
        return {key: tidy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [tidy(item) for item in value]
    return value


BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Marks that turn the reading direction: with them a text can look like another."""


def stopped(text: str) -> str:
    """With a full stop, unless it has an end already; "" stays ""."""
    text = text.strip()
    return text if not text or text[-1] in ".?!:”" else f"{text}."


def quoted(text: str) -> str:
    """Names of columns as a reader quotes them: `age` as “age”; a minus is a true one."""
    return true_minus(re.sub(r"`([^`]+)`", r"“\1”", text))


def true_minus(text: str) -> str:
    """A hyphen before a number that follows nothing as a minus: "days −30 to 0"."""
    return re.sub(r"(?<![\w-])-(?=\d)", MINUS, text)


def first_sentence(text: str) -> tuple[str, str]:
    """The first sentence, which stands in bold, and the rest."""
    first, *rest = re.split(r"(?<=[.!?])\s+(?=[A-Z“])", text.strip(), maxsplit=1)
    return first, rest[0] if rest else ""


SIZE = re.compile(r"(?:£?[\d,.]+%? |no )(?:fewer|more|lower|higher)\b[^(,;.]*")


def emphasised(lead: str, *, found: bool = True) -> tuple[tuple[str, bool], ...]:
    """The lead in parts, the first difference in bold; none where nothing was ``found``."""
    match = SIZE.search(lead) if found else None
    if match is None or "range" in lead[: match.start()]:
        return ((lead, False),) if lead else ()
    start, end = match.start(), match.start() + len(match[0].rstrip())
    parts = ((lead[:start], False), (lead[start:end], True), (lead[end:], False))
    return tuple(part for part in parts if part[0])


def tally(answers: Sequence[str]) -> str:
    """ "Three checks hold, one is doubtful and one cannot be answered."."""
    verbs = {
        "holds": ("holds", "hold"),
        "doubtful": ("is doubtful", "are doubtful"),
        "fails": ("fails", "fail"),
        "cannot tell": ("cannot be answered", "cannot be answered"),
    }
    parts: list[str] = []
    for name, (one, many) in verbs.items():
        if n := answers.count(name):
            noun = "" if parts else " check" if n == 1 else " checks"
            parts.append(f"{count(n) if not parts else count(n).lower()}{noun} {one if n == 1 else many}")
    return f"{joint(parts)}."


def count(n: int) -> str:
    """A count as the first word of a sentence: "No", "Eleven", "13"."""
    return capital(few(n)) if n else "No"


def number_of(n: int | None, one: str, many: str) -> str:
    if not n:
        return f"No {one}."
    return f"{count(n)} {one if n == 1 else many}."


def day(stamp: str) -> str:
    """ "2026-08-03T10:00:00+00:00" as "3 August 2026"; another text as it is."""
    if match := re.match(r"(\d{4})-(\d\d)-(\d\d)", stamp):
        year, month, day_of_month = match.groups()
        return f"{int(day_of_month)} {MONTHS[int(month) - 1]} {year}"
    return stamp


def css_string(text: str) -> str:
    """The inside of a CSS string: everything but letters, digits and spaces as an escape."""
    return "".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text[:90])


def plainly_named(reason: Any) -> str:
    """A column or a reason as a reader meets it."""
    text = TIME_OF_YEAR.get(str(reason), str(reason))
    return true_minus(text.replace("`", "").replace("_", " "))
