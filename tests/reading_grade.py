"""How many years of school a text asks for, by Flesch and Kincaid."""

from __future__ import annotations

import re

from ucimpact import words


def syllables(word: str) -> int:
    """Groups of vowels, a silent e at the end apart; numbers count as two."""
    if not re.search(r"[a-z]", word.lower()):
        return 2
    found = len(re.findall(r"[aeiouy]+", word.lower()))
    return max(1, found - (word.lower().endswith("e") and not word.lower().endswith("le") and found > 1))


def grade(text: str) -> float:
    """Flesch-Kincaid grade of a text."""
    told = words.split_sentences(text)
    tokens = [re.sub(r"[^\w]", "", word) for word in text.split()]
    tokens = [word for word in tokens if word]
    return 0.39 * len(tokens) / len(told) + 11.8 * sum(map(syllables, tokens)) / len(tokens) - 15.59
