"""Small-number rules. The only place where a count is hidden or rounded.

An :class:`~ucimpact.evaluation.Evaluation` holds full numbers; what is written to a file, printed or
drawn is its released form. Under ``hes2018`` (the rule for hospital episode statistics) a count of 1
to 7 is hidden and every other count is rounded to the nearest 5. Rates that are a count over a
population are worked out again from the rounded count, and sentences are written again from the
released numbers, so that table, chart, alt text and sentence cannot differ.

Open organisation-level data may say ``profile = "none"``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ucimpact import serialise
from ucimpact.diagnostics.check import Check
from ucimpact.errors import DisclosureError
from ucimpact.estimate import Estimate
from ucimpact.evaluation import Analysis, Evaluation

HIDDEN = (1, 7)
ROUND_TO = 5
GIVE_BACK = (
    *("residuals", "placebo", "placebo_dates", "placebo_rank", "reference", "rho", "coefficients"),
    *("observed", "cells", "loadings", "bacon", "leave_one_out", "sites"),
)
"""Extras from which a hidden count could be worked out again."""
BY_PERIOD = ("event", "event_log", "group_time", "calendar", "group", "relative", "site")
"""Effects of single periods, starts or sites, which are a count less others."""
PROFILES = ("hes2018", "none")


@dataclass
class Log:
    """What was hidden and rounded, by place in the document; never the value itself."""

    hidden: list[str] = field(default_factory=list)
    rounded: int = 0

    def count(self, value: float | None, where: str) -> float | None:
        """The count as it may be shown: None where hidden."""
        if value is None or not math.isfinite(value):
            return None
        size = abs(value)
        if HIDDEN[0] <= round(size) <= HIDDEN[1]:
            self.hidden.append(where)
            return None
        self.rounded += 1
        return math.copysign(ROUND_TO * math.floor(size / ROUND_TO + 0.5), value) if size else 0.0


def release(evaluation: Evaluation) -> Evaluation:
    """The evaluation as it may leave the building.

    Raises
    ------
    DisclosureError
        For a profile that is not known, rather than guessing that it is safe.
    """
    profile = evaluation.study["release"]["profile"]
    if profile not in PROFILES:
        raise DisclosureError(f"release profile {profile!r} is not known; use one of: {', '.join(PROFILES)}")
    if profile == "none":
        return replace(evaluation, disclosure={"profile": "none", "suppressed": 0, "rounded": 0, "log": []})
    log = Log()
    if evaluation.data.get("rows_are") == "people":
        evaluation = _people(evaluation, log)
    analyses = tuple(_analysis(analysis, log) for analysis in evaluation.analyses)
    checks = tuple(_check(check, log) for check in evaluation.checks)
    people = evaluation.data.get("kind") == "cohort"
    finding = _finding(dict(evaluation.finding), log, people=people)
    data = _data(dict(evaluation.data), log)
    valuation = None if evaluation.valuation is None else _valuation(dict(evaluation.valuation), log)
    if people and valuation is not None:
        valuation = _valuation_of_people(valuation)
    summary = {
        "profile": profile,
        "suppressed": len(log.hidden),
        "rounded": log.rounded,
        "log": sorted(set(log.hidden)),
    }
    return replace(
        evaluation,
        analyses=analyses,
        checks=checks,
        finding=finding,
        data=data,
        valuation=valuation,
        disclosure=summary,
    ).rephrased()


def _analysis(analysis: Analysis, log: Log) -> Analysis:
    estimate = analysis.estimate
    if estimate is None or not estimate.extras.get("events"):
        return analysis
    extras = dict(estimate.extras)
    hidden = len(log.hidden)
    if extras.get("comparison"):
        extras["comparison"] = _rows(extras["comparison"], "mean", f"{analysis.label}: comparison", log)
    frame = estimate.counterfactual
    if extras.get("events_beside") is not None:
        extras["events_beside"] = log.count(extras["events_beside"], f"{analysis.label}: not with the pilot")
    if extras.get("observed") is not None and frame is not None and "events" in frame:
        extras["observed"] = _as_released(extras["observed"], frame, log, analysis.label)
    if frame is not None and "events" in frame:
        rows = _rows(serialise.plain(frame), "observed", f"{analysis.label}: by period", log)
        frame = pd.DataFrame(rows, columns=list(frame.columns))
    effects = estimate.effects
    of_site = (effects["term"] == "site").to_numpy()
    effects = effects[~of_site].reset_index(drop=True)
    made = _cumulative(replace(estimate, effects=effects, extras=extras, counterfactual=frame), log)
    if len(log.hidden) > hidden:
        made = _without_paths(made)
        log.hidden.append(f"{analysis.label}: effects by period and residuals, which would give counts back")
    if of_site.any():
        log.hidden.append(
            f"{analysis.label}: effects of single sites in numbers; a ratio beside gives counts"
        )
    return replace(analysis, estimate=made)


NAMING = {
    "leave_one_place_out": "place by place",
    "carried_by": "place by place",
    "leave_out_months": "period by period",
}
"""Checks whose rows are of single places or periods: they would give the figures of one back."""


def _check(check: Check, log: Log) -> Check:
    """A check without the rows that would give the figures of one place, or one period, back."""
    if check.name not in NAMING or not check.table:
        return check
    log.hidden.append(f"check: {check.question} The rows, {NAMING[check.name]}")
    return replace(check, table=[])


def _without_paths(estimate: Estimate) -> Estimate:
    """The estimate without what would give a hidden count back.

    The effect in a period is that period's figure less others, and a residual is a figure less its
    expectation: where one count is hidden all of them go, with what was expected beside a hidden figure.
    """
    keep = (~estimate.effects["term"].isin(BY_PERIOD)).to_numpy()
    extras = {name: value for name, value in estimate.extras.items() if name not in GIVE_BACK}
    frame = estimate.counterfactual
    if frame is not None:
        known = frame["observed"].notna()
        frame = frame.assign(**{name: frame[name].where(known) for name in ("expected", "low", "high")})
    return replace(
        estimate,
        effects=estimate.effects[keep].reset_index(drop=True),
        cov=None,
        influence=None,
        sampling_units=(),
        extras=extras,
        counterfactual=frame,
    )


def _as_released(observed: float, frame: pd.DataFrame, log: Log, label: str) -> float | None:
    """The mean over the pilot, worked out again from the number of events as it is shown."""
    events = float(np.nansum(frame.loc[frame["since"] >= 0, "events"]))
    shown = log.count(events, f"{label}: during the pilot")
    return None if shown is None else observed * (shown / events if events else 1.0)


def _rows(rows: list[dict[str, Any]], column: str, where: str, log: Log) -> list[dict[str, Any]]:
    """Rows with ``events`` released, and the rate in ``column`` worked out again from it."""
    out = []
    for row in rows:
        events = row.get("events")
        if events is None or not math.isfinite(events):
            out.append(dict(row))
            continue
        shown = log.count(events, f"{where}, {row.get('label', '')}")
        rate = row[column]
        again = np.nan if shown is None else (rate * shown / events if events else rate)
        out.append({**row, "events": np.nan if shown is None else shown, column: again})
    return out


def _cumulative(estimate: Estimate, log: Log) -> Estimate:
    """The number of events over the pilot, to the rounding of the rule."""
    effects = estimate.effects.copy()
    rows = effects.index[effects["term"].isin(["cumulative", "cumulative_realised"])]
    for row in rows:
        for column in ("estimate", "conf_low", "conf_high"):
            effects.loc[row, column] = _nearest(effects.loc[row, column])
        log.rounded += 1
    return replace(estimate, effects=effects)


def _nearest(value: float) -> float:
    """A modelled number of events to the nearest 5: it is no count of anybody, so none is hidden."""
    if value is None or not math.isfinite(value):
        return float("nan")
    return math.copysign(ROUND_TO * math.floor(abs(value) / ROUND_TO + 0.5), value) + 0.0


def _finding(finding: dict[str, Any], log: Log, *, people: bool = False) -> dict[str, Any]:
    events = finding.get("observed_events")
    if people and events:
        finding = _of_persons(finding, log.count(events, "observed during the pilot"), events)
    if events is not None:
        shown = log.count(events, "observed during the pilot")
        finding["observed_events"] = shown
        for name in ("observed", "expected"):
            if finding.get(name) is not None and shown is None:
                finding[name] = None
        if shown is not None and events and finding.get("observed") is not None:
            finding["observed"] *= shown / events
            if finding.get("est") is not None and finding["scale"] == "identity":
                finding["expected"] = finding["observed"] - finding["est"]
    if people and finding.get("starts"):
        finding["starts"] = None
    if finding.get("people_analysed") is not None:
        finding["people_analysed"] = log.count(finding["people_analysed"], "people analysed")
    if finding.get("naive"):
        finding["naive"] = _naive(finding["naive"], finding, events, log)
    if finding.get("avoided"):
        rounded = {name: _nearest(value) for name, value in finding["avoided"].items()}
        sides = [np.sign(value) for value in (finding["avoided"]["lo"], finding["avoided"]["hi"])]
        kept = [np.sign(rounded["lo"]), np.sign(rounded["hi"])] == sides and rounded["est"] != 0
        finding["avoided"] = rounded if kept else None
        log.rounded += 1
    return finding


def _of_persons(finding: dict[str, Any], shown: float | None, events: float) -> dict[str, Any]:
    """The finding on people at the scale of the count as it is shown; without a range where it is hidden."""
    if shown is None:
        names = ("est", "lo", "hi", "se", "found_se", "claim", "percent", "avoided", "expected", "observed")
        return {**finding, **dict.fromkeys(names), "refused": TOO_FEW[:1].lower() + TOO_FEW[1:-1]}
    made = dict(finding)
    for name in ("est", "lo", "hi", "se", "found_se"):
        if made.get(name) is not None:
            made[name] = coarse(made[name] * shown / events)
    if made.get("percent"):
        made["percent"] = _coarsely(made["percent"])
    return made


def _naive(
    naive: dict[str, Any] | float, finding: dict[str, Any], events: float | None, log: Log
) -> dict[str, Any] | float:
    """Before and after, each from its count as it is shown."""
    if not isinstance(naive, dict):
        return naive
    made = dict(naive)
    for name in ("before", "after"):
        n = made.pop(f"events_{name}", None)
        if n is None or made.get(name) is None:
            continue
        shown = log.count(n, f"events {name}")
        made[name] = None if shown is None else made[name] * (shown / n if n else 1)
    if events is not None and finding.get("observed") is None:
        made["after"] = None
    known = made.get("before") and made.get("after") is not None
    made["change"] = made["after"] / made["before"] - 1 if known else None
    return made


def _valuation(valuation: dict[str, Any], log: Log) -> dict[str, Any]:
    """The numbers of events that were valued, rounded as the same numbers are elsewhere; pounds stay.

    A modelled number that rounds to nothing is hidden: its pounds beside it are not nothing.
    """
    rows = []
    for row in valuation.get("outcomes") or ():
        shown: dict[str, float | None] = {name: _nearest(row[name]) for name in ("change", "low", "high")}
        if not shown["change"] and row["change"]:
            log.hidden.append(f"{row['label']}: number of events that were valued")
            shown = dict.fromkeys(shown, None)
        log.rounded += 1
        rows.append({**row, **shown})
    return {**valuation, "outcomes": rows}


POUNDS = ("columns", "net", "per_pound", "cost_per_event", "draws", "price_at_rule", "sd", "evsi")
"""Of a valuation: what is a modelled number of events times a price."""


def _valuation_of_people(valuation: dict[str, Any]) -> dict[str, Any]:
    """Pounds of people to three figures: to the penny they would give the number of events back."""
    made = {**valuation, **{name: _coarsely(valuation.get(name)) for name in POUNDS}}
    made["outcomes"] = [
        {**row, **{name: _coarsely(row.get(name)) for name in ("cash", "capacity", "economic")}}
        for row in valuation.get("outcomes") or ()
    ]
    return made


def _data(data: dict[str, Any], log: Log) -> dict[str, Any]:
    counts = dict(data["counts"])
    if counts.get("events") is not None:
        counts["events"] = log.count(counts["events"], "events in all")
    data["counts"] = counts
    if data.get("rows_are") != "people":
        return data
    data["counts"] = {name: log.count(value, name) for name, value in counts.items()}
    data["left_out"] = [
        {
            **{k: v for k, v in row.items() if k != "pilot"},
            "n": log.count(row["n"], f"left out: {row['reason']}"),
        }
        for row in data["left_out"]
    ]
    data["starts"] = [
        {**row, "units": log.count(row["units"], f"started {row['label']}")}
        for row in data.get("starts") or ()
    ]
    if data.get("cohort"):
        data["cohort"] = _cohort_data(data["cohort"], counts, log)
    data["flow"] = [{**row, "n": log.count(row["n"], f"flow: {row['text']}")} for row in data["flow"]]
    return data


def _people(evaluation: Evaluation, log: Log) -> Evaluation:
    """Where rows are people: nobody is counted out loud, and a handful of people are not reported on.

    Raises
    ------
    DisclosureError
        For a pilot or a comparison of fewer than 8 people.
    """
    counts = evaluation.data["counts"]
    groups = {
        "had the pilot": counts.get("pilot_units", counts.get("matched_pilot", counts.get("pilot"))),
        "had not": counts.get("comparison_units", counts.get("matched_comparison")),
    }
    few = [name for name, n in groups.items() if n is not None and n <= HIDDEN[1]]
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
        rows.append(_coarsely(made))
        if made.get("ratio") is None and row.get("ratio") is not None:
            label = re.escape(str(row.get("label") or row.get("column")))
            text = re.sub(rf"{label}: [^()]*\([^)]*\)\.", _few_had, text, flags=re.IGNORECASE)
    return replace(check, text=rounded_in(text), table=rows)


def _few_had(found: re.Match[str]) -> str:
    return f"{found[0].split(':', 1)[0]}: too few to be shown."


def _unsaid(analysis: Analysis) -> Analysis:
    """An analysis of which one count is hidden: nothing of it is shown."""
    return replace(analysis, estimate=None, est=None, lo=None, hi=None, refused=TOO_FEW)


TOO_FEW = "Too few people had it for figures to be shown."
KEPT = ("observed", "expected", "horizon", "max_smd", "e_value", "df", "regression", "naive", "clock", "rule")
"""What an estimate on people adds that may leave the building."""
FIGURES = 3
COUNTED = re.compile(
    r"(?<![\d.,£])(\d{1,3}(?:,\d{3})+|\d+)(?= (?:of \d|of the \d|\w+ ){0,3}"
    r"(?:people|persons|pilot|comparison|sets|clusters|rows|events|deaths|had|were|have|others|times)\b)"
)
"""A number of people in a sentence."""
REASON = re.compile(r"([(;] ?)(\d{1,3}(?:,\d{3})*|\d+):")
"""A number of people before its reason: "(12: nobody else was alike; 3: ...)"."""


def rounded_in(text: str) -> str:
    """A sentence with each number of people rounded as a count is, and a small one not said."""
    text = REASON.sub(lambda found: f"{found[1]}{_told(int(found[2].replace(',', '')))}:", text)

    return COUNTED.sub(lambda found: _told(int(found[1].replace(",", ""))), text)


def _told(n: int) -> str:
    """A number of people in words."""
    if not n:
        return "0"
    return "a few" if n <= HIDDEN[1] else f"about {int(_nearest(n)):,}"


def _of_people(
    estimate: Estimate, shown: dict[str, float | None]
) -> tuple[Estimate | None, dict[str, Any], float]:
    """An estimate on people, worked out again from the counts as they are shown; None where one is hidden.

    A model with a constant and the service in it fits the pilot mean to the last digit, so its effects give
    the count back. Here they are put to the scale of the rounded count and to three figures, and the error of
    the total, which beside that of the mean gives the days at risk, goes.
    """
    extras = {name: value for name, value in estimate.extras.items() if name in KEPT}
    events = [name for name in shown if name.startswith("events_") and estimate.counts.get(name)]
    if any(shown[name] is None for name in events):
        return None, {}, 1.0
    ratio = {name: float(shown[name] or 0) / estimate.counts[name] for name in events}
    effects = estimate.effects.copy()
    times = ratio.get("events_pilot", 1.0)
    natural = effects["term"].isin(["att", "cumulative", "rate_difference", "mean_difference"])
    numbers = ["estimate", "conf_low", "conf_high", "std_error"]
    effects.loc[natural, numbers] *= times
    if "events_after" in ratio:
        before, after = (extras[key] for key in ("expected", "observed"))
        extras |= {"expected": before * ratio["events_before"], "observed": after * ratio["events_after"]}
        moved = (extras["observed"] - extras["expected"]) - (after - before)
        effects.loc[effects["term"] == "att", ["estimate", "conf_low", "conf_high"]] += moved
        effects = effects[effects["term"] != "relative"].reset_index(drop=True)
        effects[["statistic", "p_value"]] = np.nan  # of a change that is no effect there is no test
    elif extras.get("observed") is not None:
        extras |= {name: extras[name] * times for name in ("observed", "expected")}
    total = effects["term"] == "cumulative"
    for column in ("estimate", "conf_low", "conf_high"):
        effects.loc[total, column] = effects.loc[total, column].map(_nearest)
    effects.loc[total, ["std_error", "statistic"]] = np.nan
    for column in (*numbers, "statistic", "df", "p_value"):
        effects[column] = effects[column].map(coarse)
    extras["regression"] = _coarsely(
        {k: v for k, v in (extras.get("regression") or {}).items() if k not in ("any_spread", "model")}
    )
    return replace(estimate, effects=effects), _coarsely(extras), times


def _scaled(value: float | None, times: float) -> float | None:
    return None if value is None else coarse(value * times)


def coarse(value: float) -> float:
    """A number to three figures."""
    return float(f"{value:.{FIGURES}g}") if value is not None and math.isfinite(value) else value


def _coarsely(value: Any) -> Any:
    """Every broken number inside, to three figures; whole ones stay."""
    if isinstance(value, dict):
        return {name: _coarsely(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_coarsely(entry) for entry in value]
    return coarse(value) if isinstance(value, float) and value != round(value) else value


def _row_of_people(row: dict[str, Any], log: Log) -> dict[str, Any]:
    """A row of a check: counts rounded, and no ratio beside a hidden one that would give it back."""
    counts = [name for name in row if name.startswith("events_") or name == "n"]
    made = {**row, **{name: log.count(row[name], f"check: {name}") for name in counts}}
    if any(made[name] is None and row[name] for name in counts):
        made |= {
            name: None for name in ("ratio", "low", "high", "log_ratio", "std_error", "z") if name in row
        }
    return made


def _cohort_data(cohort: dict[str, Any], counts: dict[str, Any], log: Log) -> dict[str, Any]:
    """Balance and who was lost, without the shares from which a handful of people could be counted."""
    arms = {"pilot": "matched_pilot", "comparison": "matched_comparison", "comparison_before": "comparison"}
    balance = []
    for row in cohort.get("balance") or ():
        made = dict(row)
        made["pilot_before"] = None  # beside `pilot` it would tell of the few who were lost
        for arm, n in arms.items():
            if row.get("yes_no") and _few(row.get(arm), counts.get(n)):
                made |= dict.fromkeys([arm, *(name for name in made if name.startswith(("smd", "ks")))])
                log.hidden.append(f"balance: {row['name']}, {arm}")
        if row.get("yes_no"):
            made |= {name: None for name in made if name.endswith("_before") and name != "comparison_before"}
        balance.append(_coarsely(made))
    lost = dict(cohort.get("lost") or {})
    exact = lost.get("n")
    yes_no = {row["name"] for row in balance if row.get("yes_no")}
    lost["differ"] = [
        {
            **row,
            "lost": None if row["lost"] is None else float(f"{row['lost']:.2g}"),
            "matched": coarse(row["matched"]),
            "smd": coarse(row["smd"]),
        }
        for row in lost.get("differ") or ()
        if not (row["name"] in yes_no and _few(row["lost"], exact))
    ]
    lost["reasons"] = [
        {**row, "n": log.count(row["n"], f"lost: {row['reason']}")} for row in lost.get("reasons") or ()
    ]
    lost |= {name: log.count(lost[name], f"lost: {name}") for name in ("n", "of") if name in lost}
    kept = {name: cohort.get(name) for name in ("max_smd", "horizon")}
    return {**kept, "balance": balance, "lost": lost}


def _few(share: float | None, n: float | None) -> bool:
    """Whether a share of so many people is of a handful, or of all but a handful."""
    if share is None or not n:
        return False
    return any(HIDDEN[0] <= round(part * n) <= HIDDEN[1] for part in (share, 1 - share))
