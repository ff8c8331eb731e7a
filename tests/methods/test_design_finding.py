"""A person meets every refusal at once, each with its way out."""

from __future__ import annotations

import pytest

from ucimpact.errors import DesignError
from ucimpact.methods.design_finding import Finding, enforce


def test_refusals_are_raised_together_with_their_ways_out() -> None:
    found = [
        Finding("refuse", "there is no pilot", "Name the start"),
        Finding("warn", "the series is short"),
        Finding("refuse", "`y` never changes", "Choose another outcome."),
    ]
    with pytest.raises(DesignError) as error:
        enforce(found)
    assert (
        str(error.value) == "There is no pilot. Name the start.\n`y` never changes. Choose another outcome."
    )


def test_warnings_are_kept_as_sentences() -> None:
    assert enforce([Finding("warn", "weak: 6 comparison units")]) == ("Weak: 6 comparison units.",)
    assert enforce([]) == ()
