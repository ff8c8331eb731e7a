"""Studies: what is declared, how a study file is read, and the records that it names."""

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
    Window,
    Worthwhile,
)
from ucimpact.study.money import Cost, DecisionRule, Value
from ucimpact.study.records import Records, read_records
from ucimpact.study.toml import read_study

__all__ = [
    "Context",
    "Cost",
    "Counted",
    "Data",
    "DecisionRule",
    "Event",
    "Method",
    "Outcome",
    "Plan",
    "Records",
    "Release",
    "Sensitivity",
    "Study",
    "Value",
    "Window",
    "Worthwhile",
    "read_records",
    "read_study",
]
