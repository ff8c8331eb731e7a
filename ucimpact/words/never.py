"""Patterns that no sentence of ours may hold; a quotation of what cannot be said may.

They are data, so that a test can hold every sentence against them.
"""

from __future__ import annotations

import re

NEVER = (
    r"\bno effect\b|(?<!not evidence that the service )\b(made|makes|make|found|is|was) no difference\b",
    r"\bstatistically\b|\b(in)?significan(t|tly|ce)\b|\bp ?[=<>] ?0?\.\d|\btrend(ed|ing)? towards\b",
    r"\bprov(e|es|ed|en)\b|\bworks\b|\bcaused\b|\bguarantee|\bassociated with\b",
    r"\bsav(e|es|ed|ing|ings)\b|\b95% (sure|certain|chance|probab)",
    r"\bfailed\b|\bbest performing\b|\branked \d",
    r"\b(nan|inf|null|n/a)\b|\bNone (to|fewer|more|per)\b|\d\.\d{2,} ?(%|fewer|more|per)"
    r"|(?<![\d.,])0 (fewer|more)\b",
)
LONGEST = 32
"""Words in a sentence, at most."""

_COMPILED = tuple(re.compile(pattern, re.IGNORECASE) for pattern in NEVER)
_QUOTED = re.compile("“[^”]*”")


def breaks(text: str) -> list[str]:
    """What a text holds that it must not: the offending words, and any sentence that is too long."""
    found = [match.group(0) for pattern in _COMPILED for match in pattern.finditer(text)]
    if re.search(r"(?<!\w)-\d", text):
        found.append("a hyphen as a minus")
    return found + [f"{len(s.split())} words: {s}" for s in sentences(text) if len(s.split()) > LONGEST]


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part for part in re.split(r"(?<=[.!?])[”)]*\s+", text) if part]


def unquoted(text: str) -> str:
    """A text without what stands between quotation marks."""
    return _QUOTED.sub("", text)
