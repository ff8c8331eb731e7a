"""The register of methods. Adding one is a file, its test, and one line here."""

from __future__ import annotations

from typing import Any

from ucimpact.methods.before_after import BeforeAfter
from ucimpact.methods.building import build
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.matched_cohort import MatchedCohort

METHODS: dict[str, type[Any]] = {
    "before-after": BeforeAfter,
    "did": DifferenceInDifferences,
    "its": InterruptedTimeSeries,
    "matched-cohort": MatchedCohort,
}

__all__ = [
    "METHODS",
    "BeforeAfter",
    "DifferenceInDifferences",
    "InterruptedTimeSeries",
    "MatchedCohort",
    "build",
]
