"""The evaluation document: analyses with their part, and everything that was asked, done and found."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

import ucimpact
from ucimpact import finding as findings
from ucimpact import serialise
from ucimpact.diagnostics.check import Check
from ucimpact.economics import valuation
from ucimpact.economics.valuation import Counted, Valuation
from ucimpact.errors import UsageError
from ucimpact.estimate import Estimate
from ucimpact.study import Outcome, Records, Study

Role = Literal["primary", "outcome", "sensitivity", "dates", "control", "naive", "curve"]
Progress = Callable[[str, int, int], None]

LEVEL = 0.95
DECLARED = (
    *("title", "question", "pilot", "population", "comparator", "by"),
    *("subject", "plural", "people"),
)
OWN = ("role", "label", "note", "kind", "better", "refused", "est", "lo", "hi")
"""What an analysis adds to its estimate in the document."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysis:
    """One estimate and its part in the evaluation, or why it was refused.

    ``est, lo, hi`` are in the units of the finding, for comparison beside the main analysis.
    """

    role: Role
    label: str
    note: str = ""
    kind: str = "count"
    better: str = "lower"
    refused: str | None = None
    est: float | None = None
    lo: float | None = None
    hi: float | None = None
    estimate: Estimate | None = None

    def to_dict(self) -> dict[str, Any]:
        """The analysis as plain values, the estimate's beside its own."""
        own = {name: getattr(self, name) for name in OWN}
        return {**serialise.plain(own), **(self.estimate.to_dict() if self.estimate else {})}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Analysis:
        """The analysis that :meth:`to_dict` wrote; one that does not say which way is better has lower."""
        values = {"better": "lower", **document}
        own = {name: values.pop(name) for name in OWN}
        return cls(**own, estimate=Estimate.from_dict(values) if values else None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Everything that was asked, done and found; see the module for the order of work.

    ``comparable`` is what a league of pilots asks of it, ``league`` the line of one that was written;
    ``robust`` holds the plan that was locked, other choices, other designs and how many questions were asked.
    """

    study: dict[str, Any]
    data: dict[str, Any]
    analyses: tuple[Analysis, ...]
    checks: tuple[Check, ...]
    finding: dict[str, Any]
    certainty: dict[str, Any]
    decision: dict[str, Any]
    valuation: dict[str, Any] | None = None
    comparable: dict[str, Any] | None = None
    league: str | None = None
    robust: dict[str, Any] = field(default_factory=dict)
    disclosure: dict[str, Any] = field(default_factory=dict)
    schema: int = serialise.SCHEMA
    created: str = ""
    version: str = ucimpact.__version__
    seed: int = 1

    @property
    def primary(self) -> Analysis:
        """The main analysis."""
        return next(analysis for analysis in self.analyses if analysis.role == "primary")

    def rephrased(self) -> Evaluation:
        """The evaluation with its sentences written again from the numbers it holds now."""
        spoken = findings.phrase(self.finding, self.certainty, [check.to_dict() for check in self.checks])
        return replace(self, finding={**self.finding, **spoken})

    def to_dict(self) -> dict[str, Any]:
        """The document, in the order in which a reader would want it."""
        return {
            "schema": self.schema,
            "created": self.created,
            "version": self.version,
            "seed": self.seed,
            "study": serialise.plain(self.study),
            "finding": serialise.plain(self.finding),
            "certainty": serialise.plain(self.certainty),
            "valuation": serialise.plain(self.valuation),
            "decision": serialise.plain(self.decision),
            "league": self.league,
            "comparable": serialise.plain(self.comparable),
            "estimates": [analysis.to_dict() for analysis in self.analyses],
            "checks": [check.to_dict() for check in self.checks],
            "robust": serialise.plain(self.robust),
            "data": serialise.plain(self.data),
            "disclosure": serialise.plain(self.disclosure),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Evaluation:
        """The evaluation that :meth:`to_dict` wrote.

        Raises
        ------
        UsageError
            For a document of another schema.
        """
        if document.get("schema") != serialise.SCHEMA:
            raise UsageError(
                f"this document has schema {document.get('schema')!r}; this version reads {serialise.SCHEMA}"
            )
        values = dict(document)
        values["analyses"] = tuple(Analysis.from_dict(entry) for entry in values.pop("estimates"))
        values["checks"] = tuple(Check.from_dict(entry) for entry in values["checks"])
        return cls(**values)


def valued(
    study: Study,
    found: dict[str, Any],
    counted: Sequence[tuple[Outcome, Analysis]],
    people: float | None = None,
) -> Valuation | None:
    """What the effects on these outcomes were worth, or why that is not worked out."""
    declared = [(outcome, analysis) for outcome, analysis in counted if outcome.value is not None]
    refused = None
    if found["key_fail"] or found["confounded"]:
        refused = "the comparison does not pass its checks"
    elif found["refused"] is not None:
        refused = found["refused"]
    else:
        unknown = [(outcome.label, _no_total(outcome, analysis)) for outcome, analysis in declared]
        refused = next(
            (why if len(unknown) == 1 else f"{label}: {why}" for label, why in unknown if why), None
        )
    told = [
        Counted(outcome=outcome, estimate=analysis.estimate)
        for outcome, analysis in declared
        if analysis.estimate is not None
    ]
    return valuation.value(study, told, claim=found["claim"], found=found, people=people, refused=refused)


def _no_total(outcome: Outcome, analysis: Analysis) -> str:
    """Why an outcome with a value has no number of events with a range; empty where it has one.

    A total without one of its parts would be no total, so one such outcome leaves the whole not worked out.
    """
    estimate = analysis.estimate
    if estimate is None:
        return analysis.refused or "it could not be estimated"
    if estimate.scale == "log":
        return "an analysis of ratios gives no numbers avoided"
    if outcome.each:
        return f"a figure {outcome.each} does not add up to a number of events"
    limits = [estimate.effect("cumulative")[name] for name in ("conf_low", "conf_high")]
    return "" if np.isfinite(limits).all() else "there is no likely range"


def spoken_of(worth: Valuation | None, column: str) -> dict[str, Any]:
    """What a headline says of the value: whether there is one, and the chance that it exceeds the price.

    The chance is of what all outcomes with a value are worth together. Where the main one, in ``column``, is
    not among them, its headline says nothing of the price.
    """
    deciding = None if worth is None else worth.deciding
    own = worth is not None and column in worth.carried
    return {
        "valued": worth is not None and bool(worth.columns),
        "pay": deciding["chance"] if deciding is not None and own else None,
    }


def intervals_of(analyses: Sequence[Analysis]) -> list[tuple[float | None, float | None, float | None]]:
    """Estimates with their limits."""
    return [(analysis.est, analysis.lo, analysis.hi) for analysis in analyses]


CELLS = ("group_time",)
"""Effects of one start in one period, which a report does not show."""
MAIN_ONLY = (*CELLS, "event_log", "calendar")


def analysis_of(role: Role, label: str, note: str, estimate: Estimate, units: findings.Units) -> Analysis:
    """An estimate in the units of the finding."""
    shown = units.of(estimate)
    estimate = trimmed(estimate, CELLS if role == "primary" else MAIN_ONLY)
    return Analysis(
        role=role, label=label, note=note, estimate=estimate, est=shown["est"], lo=shown["lo"], hi=shown["hi"]
    )


def trimmed(estimate: Estimate, terms: Sequence[str]) -> Estimate:
    """The estimate of many starts without effects of these terms, which would fill most of a document.

    Beside the main analysis their covariance goes too; Python still gives all of them.
    """
    told = estimate.effects["term"]
    if not told.isin(CELLS).any():
        return estimate
    keep = np.flatnonzero(~told.isin(list(terms)).to_numpy())
    cov = None if estimate.cov is None or "event_log" in terms else estimate.cov[np.ix_(keep, keep)]
    return replace(estimate, effects=estimate.effects.iloc[keep].reset_index(drop=True), cov=cov)


def level_problem(options: Mapping[str, Any]) -> str:
    """What is wrong with a level that a study file asks for; empty where nothing is."""
    level = options.get("level", LEVEL)
    if level == LEVEL:
        return ""
    return (
        f"level = {level}: a report speaks of the 95% interval, so that every report means the same by its "
        "likely range. Take the key out; use another level from Python"
    )


def now() -> str:
    """The time to the second; ``SOURCE_DATE_EPOCH`` fixes it."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = dt.datetime.fromtimestamp(int(epoch), dt.UTC) if epoch else dt.datetime.now(dt.UTC)
    return moment.replace(microsecond=0).isoformat()


def study_document(study: Study, records: Records) -> dict[str, Any]:
    """What was asked, as the report prints it."""
    return {
        **{name: getattr(study, name) for name in DECLARED},
        "text": study.text,
        "hash": study.hash,
        "example": study.release.example,
        "release": {"profile": study.release.profile, "seed": study.release.seed},
        "unused": list(study.unused),
        "fingerprints": list(records.fingerprints),
        "method": study.method.name,
        "league": None if study.league is None else serialise.plain(study.league),
    }
