"""The register of methods. Adding one is a file, its test, and one line here."""

from __future__ import annotations

from typing import Any

from ucimpact.methods.building import build
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.matched_cohort import MatchedCohort

METHODS: dict[str, type[Any]] = {
    "did": DifferenceInDifferences,
    "its": InterruptedTimeSeries,
    "matched-cohort": MatchedCohort,
}

__all__ = ["METHODS", "DifferenceInDifferences", "InterruptedTimeSeries", "MatchedCohort", "build"]
