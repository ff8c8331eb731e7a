"""ucimpact: did a health-service pilot change admissions and costs, by how much, and how sure are we?

Public names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ucimpact.data.cohort import Cohort
    from ucimpact.data.histories import Histories
    from ucimpact.data.panel import Panel
    from ucimpact.data.series import Series
    from ucimpact.diagnostics.check import Check
    from ucimpact.diagnostics.honest_did import HonestDiD
    from ucimpact.estimate import Estimate
    from ucimpact.evaluation import Evaluation, evaluate
    from ucimpact.methods.its_many import fit_many
    from ucimpact.methods.many_estimates import ManyEstimates
    from ucimpact.publish import save
    from ucimpact.study import Outcome, Study, read_study

_HOME = {
    "Check": "diagnostics.check",
    "Cohort": "data.cohort",
    "Estimate": "estimate",
    "Evaluation": "evaluation",
    "Histories": "data.histories",
    "HonestDiD": "diagnostics.honest_did",
    "ManyEstimates": "methods.many_estimates",
    "Outcome": "study",
    "Panel": "data.panel",
    "Series": "data.series",
    "Study": "study",
    "evaluate": "evaluation",
    "fit_many": "methods.its_many",
    "read_study": "study",
    "save": "publish",
}

__all__ = [
    "Check",
    "Cohort",
    "Estimate",
    "Evaluation",
    "Histories",
    "HonestDiD",
    "ManyEstimates",
    "Outcome",
    "Panel",
    "Series",
    "Study",
    "evaluate",
    "fit_many",
    "read_study",
    "save",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"ucimpact.{_HOME[name]}"), name)
    raise AttributeError(f"module 'ucimpact' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
