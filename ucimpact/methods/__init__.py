"""The register of methods. Adding one is a file, its test, and one line here."""

from __future__ import annotations

from typing import Any

from ucimpact.methods.arima_its import ArimaITS
from ucimpact.methods.before_after import BeforeAfter
from ucimpact.methods.building import build
from ucimpact.methods.callaway_santanna import CallawaySantAnna
from ucimpact.methods.controlled_its import ControlledITS
from ucimpact.methods.cost_did import CostDiD
from ucimpact.methods.count_did import CountDiD
from ucimpact.methods.count_its import CountITS
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.doubly_robust_cohort import DoublyRobustCohort
from ucimpact.methods.event_study import EventStudy
from ucimpact.methods.imputation import ImputationDiD
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.matched_cohort import MatchedCohort
from ucimpact.methods.multi_site_its import MultiSiteITS
from ucimpact.methods.sequential_trials import Measured, SequentialTrials
from ucimpact.methods.structural import StructuralTimeSeries
from ucimpact.methods.sun_abraham import SunAbraham
from ucimpact.methods.weighted_cohort import WeightedCohort

METHODS: dict[str, type[Any]] = {
    "arima-its": ArimaITS,
    "before-after": BeforeAfter,
    "callaway-santanna": CallawaySantAnna,
    "controlled-its": ControlledITS,
    "cost-did": CostDiD,
    "count-did": CountDiD,
    "count-its": CountITS,
    "did": DifferenceInDifferences,
    "doubly-robust-cohort": DoublyRobustCohort,
    "event-study": EventStudy,
    "imputation": ImputationDiD,
    "its": InterruptedTimeSeries,
    "matched-cohort": MatchedCohort,
    "multi-site-its": MultiSiteITS,
    "sequential-trials": SequentialTrials,
    "structural": StructuralTimeSeries,
    "sun-abraham": SunAbraham,
    "weighted-cohort": WeightedCohort,
}

__all__ = [
    "METHODS",
    "ArimaITS",
    "BeforeAfter",
    "CallawaySantAnna",
    "ControlledITS",
    "CostDiD",
    "CountDiD",
    "CountITS",
    "DifferenceInDifferences",
    "DoublyRobustCohort",
    "EventStudy",
    "ImputationDiD",
    "InterruptedTimeSeries",
    "MatchedCohort",
    "Measured",
    "MultiSiteITS",
    "SequentialTrials",
    "StructuralTimeSeries",
    "SunAbraham",
    "WeightedCohort",
    "build",
]
