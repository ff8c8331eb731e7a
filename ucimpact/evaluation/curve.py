"""Every combination of the choices that a study lists, each fitted, and how far the answer hangs on them.

A method that lacks an option is fitted once for it. Beside the main method, another takes over those of the
main one's options that mean the same in both. The curve takes no step of certainty: only analyses that are
declared one by one do.

References
----------
Simonsohn, U., Simmons, J. P. and Nelson, L. D. (2020). Specification curve analysis. *Nature Human Behaviour*
4, 1208-1214.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ucimpact.errors import DataError, DesignError, EstimationError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.evaluation.document import Analysis, analysis_of
from ucimpact.finding import Units
from ucimpact.methods import METHODS
from ucimpact.study import Study, Window
from ucimpact.study.robust import COLUMN_SETS, axes
from ucimpact.words import capital, robust

SHARED = (
    *("covariates", "adjust", "controls", "control_populations", "log", "covid", "season", "phase_in"),
    *("phase", "changes", "anticipation", "control_group", "exact", "kinds", "family"),
    *("trigger", "within", "horizon", "lookback"),
)
"""Options that mean the same in every method that has them."""
TERMS = ("att", "average", "cumulative", "relative", "rate_ratio", "rate_difference", "mean_difference")
EXTRAS = ("events", "observed", "expected", "after", "horizon")
"""What is kept of an estimate of the curve: effects over the whole pilot, and what small-number rules ask."""
NAMES = {
    "method": "Method",
    "window": "Window",
    "covariates": "Covariates",
    "adjust": "Adjusted for",
    "controls": "Controls",
    "log": "As a logarithm",
}
NOT_THIS = "not an option"
NO_SUCH_UNITS = "It gives no effect in the units of the main analysis"


@dataclass(frozen=True, kw_only=True)
class Specification:
    """One combination: how it is set up, and its choices in words."""

    name: str
    options: Mapping[str, Any]
    window: Any
    told: Mapping[str, str]
    main: bool

    def label(self, main: Mapping[str, str]) -> str:
        """What it does otherwise than the main analysis."""
        if self.main:
            return "Main analysis"
        away = [
            value if key == "method" else f"{NAMES[key].lower()}: {value}"
            for key, value in self.told.items()
            if value not in (main[key], NOT_THIS)
        ]
        return "; ".join(away)


Fit = Callable[[str, Mapping[str, Any], Any], Estimate]
"""A method with its options on the main outcome in a window; ``"all"`` is the whole file."""


def specifications(study: Study) -> list[Specification]:
    """The combinations, the main analysis first, each once."""
    if study.curve is None:
        return []
    main = study.method
    lists = axes(study.curve, main.name, main.options, study.data.window or "all")
    found: list[Specification] = []
    seen: list[Any] = []
    for at, chosen in enumerate(itertools.product(*lists.values())):
        choices = dict(zip(lists, chosen, strict=True))
        name = str(choices["method"])
        fields = METHODS[name].__dataclass_fields__
        options = {
            key: value
            for key, value in main.options.items()
            if name == main.name or (key in SHARED and key in fields)
        }
        told = {"method": name, "window": _window(choices["window"], study)}
        for key in (*COLUMN_SETS, "log"):
            if key not in fields:
                told[key] = NOT_THIS
                continue
            if len(lists[key]) > 1:
                options.pop(key, None)
                if choices[key]:
                    chosen_here: Any = choices[key]
                    options[key] = True if key == "log" else list(chosen_here)
            told[key] = _choice(choices[key])
        made = (name, options, choices["window"])
        if made in seen:
            continue
        seen.append(made)
        found.append(
            Specification(name=name, options=options, window=choices["window"], told=told, main=at == 0)
        )
    varied = {key for key, values in lists.items() if len(values) > 1}
    return [replace(s, told={k: v for k, v in s.told.items() if k in varied}) for s in found]


def _window(window: Any, study: Study) -> str:
    if not isinstance(window, Window):
        return "the whole file"
    if window == study.data.window:
        return "as planned"
    return f"{window.first or 'the first'} to {window.last or 'the last'}"


def _choice(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if value else "none"


def curve(
    study: Study, main: Analysis, units: Units, fit: Fit, tell: Callable[[str], None]
) -> tuple[list[Analysis], dict[str, Any] | None]:
    """Analyses of the curve and what is said of them; none where the study asks for none.

    Parameters
    ----------
    main : Analysis
    units : Units
        Of the main analysis, in which all are told.
    fit, tell : callable
        One combination; what is being done.
    """
    specs = specifications(study)
    if not specs or main.est is None:
        return [], None
    named = specs[0].told
    analyses, rows, refused = [], [], []
    for spec in specs:
        label = spec.label(named)
        if spec.main:
            rows.append({"label": label, "main": True, "choices": dict(spec.told)})
            continue
        tell(label)
        try:
            estimate = fit(spec.name, spec.options, spec.window)
            made = analysis_of("curve", label, "", _lightly(estimate), units)
        except KeyError:
            refused.append({"label": label, "why": NO_SUCH_UNITS})
            continue
        except (DesignError, EstimationError, DataError, UsageError) as error:
            refused.append({"label": label, "why": str(error)})
            continue
        if made.est is None:
            refused.append({"label": label, "why": NO_SUCH_UNITS})
            continue
        analyses.append(replace(made, kind=main.kind))
        rows.append({"label": label, "main": False, "choices": dict(spec.told)})
    return analyses, {
        "axes": [{"key": key, "label": NAMES[key]} for key in named],
        "rows": rows,
        "refused": refused,
        **_summed_up(main, analyses),
    }


def _summed_up(main: Analysis, analyses: Sequence[Analysis]) -> dict[str, Any]:
    """How many point the same way, and leave the main result outside their range."""
    assert main.est is not None
    same = sum((a.est or 0.0) * main.est > 0 for a in analyses)
    outside = sum(a.lo is not None and a.hi is not None and not a.lo <= main.est <= a.hi for a in analyses)
    clear = sum(a.lo is not None and a.hi is not None and (a.lo > 0 or a.hi < 0) for a in analyses)
    n = len(analyses)
    told = "None of the other combinations could be fitted."
    if n:
        told = f"{robust.curve_answer(same, n, outside)} {robust.curve_clear(clear, n)}"
    return {
        "tried": n,
        "same": same,
        "outside": outside,
        "clear": clear,
        "answer": capital(told),
        "text": [robust.NO_STEP],
    }


def _lightly(estimate: Estimate) -> Estimate:
    """The estimate without path, influence and diagnostics, of which a document would hold sixty."""
    effects = estimate.effects[estimate.effects["term"].isin(TERMS)].reset_index(drop=True)
    return replace(
        estimate,
        effects=effects if len(effects) else estimate.effects.iloc[:1],
        cov=None,
        influence=None,
        sampling_units=(),
        counterfactual=None,
        warnings=(),
        extras={name: estimate.extras[name] for name in EXTRAS if name in estimate.extras},
    )
