"""Beside a good verdict, an outcome that went the wrong way is named."""

from __future__ import annotations

import pytest

from ucimpact.words.brief import not_quoted, worse_line
from ucimpact.words.never import breaks


def entry(label: str, est: float, lo: float, hi: float, better: str = "lower") -> dict[str, object]:
    return {"label": label, "kind": "count", "better": better, "est": est, "lo": lo, "hi": hi}


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([entry("Care home admissions", 0.08, 0.01, 0.16)],
         "Another outcome went the wrong way: care home admissions 8% more (likely range 1% to 16% more)."),
        ([entry("Calls to 111", 0.11, 0.05, 0.17), entry("Days at home", -0.1, -0.2, -0.04, "higher")],
         "Two other outcomes went the wrong way: calls to 111 11% more (likely range 5% to 17% more); "
         "days at home 10% fewer (likely range 4% to 20% fewer)."),
        ([entry("Deaths", 0.08, -0.01, 0.16), entry("A&E attendances", -0.2, -0.3, -0.1)], ""),
        ([entry("Days at home", 0.1, 0.04, 0.2, "higher")], ""),
        ([], ""),
    ],
)  # fmt: skip
def test_what_went_the_wrong_way(entries, text):
    said = worse_line(entries)
    assert said == text
    assert not breaks(said)
    assert not_quoted(said) == ((f"“Nothing else got worse.” {text}",) if text else ())


def test_an_outcome_without_a_range_is_not_told():
    assert worse_line([{**entry("Deaths", 0.1, 0.0, 0.2), "lo": None}]) == ""
