"""Studies: what is declared, how a study file is read, and the records that it names."""

from ucimpact.study.base import Window
from ucimpact.study.declare import (
    Context,
    Counted,
    Data,
    Event,
    Method,
    Outcome,
    Plan,
    Release,
    Sensitivity,
    Study,
)
from ucimpact.study.money import (
    Attribution,
    Budget,
    Cost,
    DecisionRule,
    Mix,
    Payers,
    Qaly,
    Share,
    Value,
)
from ucimpact.study.records import Records, read_records
from ucimpact.study.toml import read_study
from ucimpact.study.worthwhile import Worthwhile

__all__ = [
    "Attribution",
    "Budget",
    "Context",
    "Cost",
    "Counted",
    "Data",
    "DecisionRule",
    "Event",
    "Method",
    "Mix",
    "Outcome",
    "Payers",
    "Plan",
    "Qaly",
    "Records",
    "Release",
    "Sensitivity",
    "Share",
    "Study",
    "Value",
    "Window",
    "Worthwhile",
    "read_records",
    "read_study",
]
