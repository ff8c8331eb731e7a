"""Where rows are people: nobody is counted out loud, and a handful of people are not reported on."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from ucimpact.diagnostics.check import Check
from ucimpact.disclosure.cohort import is_count
from ucimpact.disclosure.counts import GIVE_BACK, HIDDEN, Log, coarse, coarsely, nearest, rounded_in
from ucimpact.errors import DisclosureError
from ucimpact.estimate import Estimate
from ucimpact.evaluation import Analysis, Evaluation

TOO_FEW = "Too few people had it for figures to be shown."
KEPT = ("observed", "expected", "horizon", "max_smd", "e_value", "df", "regression", "naive", "clock", "rule")
"""What an estimate on people adds that may leave the building."""
POUNDS = (
    *("columns", "net", "per_pound", "cost_per_event", "draws", "price_at_rule", "sd", "evsi", "evsi_pays"),
    *("short_run", "attribution", "haircut", "inputs", "curve", "evpi", "known", "qaly"),
)
"""Of a valuation: what is a modelled number of events times a price."""


def people(evaluation: Evaluation, log: Log) -> Evaluation:
    """Where rows are people: nobody is counted out loud, and a handful of people are not reported on.

    Raises
    ------
    DisclosureError
        For a pilot or a comparison of fewer than 8 people.
    """
    counts = evaluation.data["counts"]
    groups = {
        "had the pilot": counts.get("pilot_units", counts.get("matched_pilot", counts.get("pilot"))),
        "had not": counts.get("comparison_units", counts.get("matched_comparison", counts.get("comparison"))),
    }
    few = [name for name, n in groups.items() if n is not None and HIDDEN[0] <= n <= HIDDEN[1]]
    if few:
        raise DisclosureError(
            f"Fewer than {HIDDEN[1] + 1} people {' and '.join(few)}: a report would be about people who "
            "could be known. Add people, or report on places"
        )
    analyses = []
    for analysis in evaluation.analyses:
        estimate = analysis.estimate
        if estimate is not None:
            shown = {
                name: log.count(value, f"{analysis.label}: {name}")
                for name, value in estimate.counts.items()
                if name != "left_out"
            }
            drop = (*GIVE_BACK, "comparison")
            extras = {name: value for name, value in estimate.extras.items() if name not in drop}
            if evaluation.data["kind"] == "cohort":
                made, extras, times = _of_people(estimate, shown)
                if made is None:
                    log.hidden.append(f"{analysis.label}: effects, which would give counts back")
                    analyses.append(_unsaid(analysis))
                    continue
                estimate = made
                est, lo, hi = (_scaled(value, times) for value in (analysis.est, analysis.lo, analysis.hi))
                analysis = replace(analysis, est=est, lo=lo, hi=hi)
            rule = dict(extras.get("rule") or {})
            rule |= {
                name: log.count(rule[name], name) for name in ("n1", "n0", "places", "sets") if name in rule
            }
            estimate = replace(
                estimate,
                counts=shown,
                extras=extras | ({"rule": rule} if rule else {}),
                influence=None,
                sampling_units=(),
                counterfactual=None,
                effects=estimate.effects[estimate.effects["term"] != "event"].reset_index(drop=True),
                cov=None,
                warnings=tuple(rounded_in(text) for text in estimate.warnings),
            )
        refused = None if analysis.refused is None else rounded_in(analysis.refused)
        analyses.append(replace(analysis, estimate=estimate, refused=refused))
    checks = tuple(_check_of_people(check, log) for check in evaluation.checks)
    return replace(evaluation, analyses=tuple(analyses), checks=checks)


def _check_of_people(check: Check, log: Log) -> Check:
    """A check without the ratios that would give a hidden count back, in its table and in its sentences."""
    text, rows = check.text, []
    for row in check.table or ():
        made = _row_of_people(row, log)
        rows.append(coarsely(made))
        if made.get("ratio") is None and row.get("ratio") is not None:
            label = re.escape(str(row.get("label") or row.get("column")))
            missed = r"( Anything between [^.]*(?:\.\d[^.]*)*would not have been noticed\.)?"
            text = re.sub(rf"{label}: [^()]*\([^)]*\)\.{missed}", _few_had, text, flags=re.IGNORECASE)
    return replace(check, text=rounded_in(text), table=rows)


def _few_had(found: re.Match[str]) -> str:
    return f"{found[0].split(':', 1)[0]}: too few to be shown."


def _unsaid(analysis: Analysis) -> Analysis:
    """An analysis of which one count is hidden: nothing of it is shown."""
    return replace(analysis, estimate=None, est=None, lo=None, hi=None, refused=TOO_FEW)


def _of_people(
    estimate: Estimate, shown: dict[str, float | None]
) -> tuple[Estimate | None, dict[str, Any], float]:
    """An estimate on people, worked out again from the counts as they are shown; None where one is hidden.

    A model with a constant and the service in it fits the pilot mean to the last digit, so its effects give
    the count back. Here they are put to the scale of the rounded count and to three figures, and the error of
    the total, which beside that of the mean gives the days at risk, goes. The total itself is rounded as it
    stands, so that it is the same number here, in the sentence and beside the pounds.
    """
    extras = {name: value for name, value in estimate.extras.items() if name in KEPT}
    events = [name for name in shown if name.startswith("events_") and estimate.counts.get(name)]
    if any(shown[name] is None for name in events):
        return None, {}, 1.0
    ratio = {name: float(shown[name] or 0) / estimate.counts[name] for name in events}
    effects = estimate.effects.copy()
    times = ratio.get("events_pilot", 1.0)
    natural = effects["term"].isin(["att", "rate_difference", "mean_difference"])
    numbers = ["estimate", "conf_low", "conf_high", "std_error"]
    effects.loc[natural, numbers] *= times
    if "events_before" in ratio or "events_after" in ratio:
        before, after = (extras[key] for key in ("expected", "observed"))
        scale = [ratio.get(name, 1.0) for name in ("events_before", "events_after")]
        extras |= {"expected": before * scale[0], "observed": after * scale[1]}
        moved = (extras["observed"] - extras["expected"]) - (after - before)
        effects.loc[effects["term"] == "att", ["estimate", "conf_low", "conf_high"]] += moved
        effects = effects[effects["term"] != "relative"].reset_index(drop=True)
        effects[["statistic", "p_value"]] = np.nan  # of a change that is no effect there is no test
    elif extras.get("observed") is not None:
        extras |= {name: extras[name] * times for name in ("observed", "expected")}
    total = effects["term"] == "cumulative"
    for column in ("estimate", "conf_low", "conf_high"):
        effects.loc[total, column] = effects.loc[total, column].map(nearest)
    effects.loc[total, ["std_error", "statistic"]] = np.nan
    for column in (*numbers, "statistic", "df", "p_value"):
        effects[column] = effects[column].map(coarse)
    extras["regression"] = coarsely(
        {k: v for k, v in (extras.get("regression") or {}).items() if k not in ("any_spread", "model")}
    )
    return replace(estimate, effects=effects), coarsely(extras), times


def _scaled(value: float | None, times: float) -> float | None:
    return None if value is None else coarse(value * times)


def _row_of_people(row: dict[str, Any], log: Log) -> dict[str, Any]:
    """A row of a check: counts rounded, and no figure beside a hidden one that would give it back."""
    counts = [name for name in row if is_count(name) and not isinstance(row[name], str)]
    made = {**row, **{name: log.count(row[name], f"check: {name}") for name in counts}}
    if any(made[name] is None and row[name] for name in counts):
        made |= {name: None for name in row if isinstance(row[name], float) and name not in counts}
    return made


def of_persons(finding: dict[str, Any], shown: float | None, events: float) -> dict[str, Any]:
    """The finding on people at the scale of the count as it is shown; without a range where it is hidden."""
    if shown is None:
        names = (
            *("est", "lo", "hi", "se", "found_se", "claim", "percent", "avoided", "expected", "observed"),
            "pay",
        )
        return {**finding, **dict.fromkeys(names), "refused": TOO_FEW[:1].lower() + TOO_FEW[1:-1]}
    made = dict(finding)
    for name in ("est", "lo", "hi", "se", "found_se"):
        if made.get(name) is not None:
            made[name] = coarse(made[name] * shown / events)
    if made.get("percent"):
        made["percent"] = coarsely(made["percent"])
    return made


def valuation_of_people(valuation: dict[str, Any]) -> dict[str, Any]:
    """Pounds of people to three figures: to the penny they would give the number of events back."""
    made = {**valuation, **{name: coarsely(valuation.get(name)) for name in POUNDS}}
    made["outcomes"] = [
        {
            **row,
            **{
                name: coarsely(row.get(name))
                for name in ("cash", "capacity", "economic", "usual")
                if name in row
            },
        }
        for row in valuation.get("outcomes") or ()
    ]
    if made.get("budget"):
        made["budget"] = _years_of_people(made["budget"])
    if made.get("payers"):
        made["payers"] = {
            **made["payers"], **{name: coarsely(made["payers"][name]) for name in ("gains", "rows", "matrix")}
        }  # fmt: skip
    return made


def _years_of_people(budget: dict[str, Any]) -> dict[str, Any]:
    """The years ahead with their values to three figures; what they cost is no count of anybody."""
    total = {
        name: coarsely(entry) if name.startswith("columns") else entry
        for name, entry in budget["total"].items()
    }
    rows = [{**row, "columns": coarsely(row["columns"])} for row in budget["rows"]]
    return {**budget, "rows": rows, "total": total, "chance": coarsely(budget["chance"])}
