"""How an analysis was done, as facts a reader can follow: what the rule chose, what the model left over.

The facts are in the document; here they get names. A key that has no name here is printed by its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.report.figures import primary
from ucimpact.report.tables import Table, table
from ucimpact.words import capital, number

METHOD = {
    "did": (
        "We set the change in the pilot against the change elsewhere.",
        "For each unit, and each period, the comparison units show what else was going on. What the pilot "
        "did beyond that is taken as the pilot’s effect, if without it both would have moved in parallel.",
    ),
    "its": (
        "We carried the past forward and looked at the gap.",
        "The level, slope and season before the pilot were carried on into the months with it. The gap "
        "between that line and what happened is taken as the pilot’s effect, if nothing else changed at the "
        "same time.",
    ),
    "callaway-santanna": (
        "We set the change in the units of each start against the change in units without the pilot.",
        "Each start is compared by itself, with units that never start or have not started yet, from the "
        "last period before it. Units that already have the pilot never serve as a comparison. The "
        "differences are then averaged, and are the pilot’s effect if without it all would have moved in "
        "parallel.",
    ),
    "imputation": (
        "We worked out what each pilot unit would have seen without the pilot, from all that was seen "
        "without it.",
        "The level of each unit and the ups and downs that all share are taken from where and when the "
        "pilot did not run. What happened beyond them is the pilot’s effect, if without it all would have "
        "moved in parallel throughout.",
    ),
    "sun-abraham": (
        "We followed the units of each start on a path of their own, and averaged the paths.",
        "Each path is held against units that never start. The differences are the pilot’s effect if "
        "without it all would have moved in parallel.",
    ),
    "event-study": (
        "We followed the gap between pilot and comparison by time since the start, all starts as one.",
        "Where units start at different times this compares some of them with others that already have the "
        "pilot. It is shown beside the other methods, not in their stead.",
    ),
    "count-did": (
        "We counted, and set the change in the units of each start against the change elsewhere, as ratios.",
        "The number of people at risk stands beside each count, so lists may grow and shrink. Each start "
        "has an effect of its own in each period. What happened is held against what ratios without the "
        "pilot foretell; the difference is its effect, if without it all would have moved by the same "
        "ratio.",
    ),
    "cost-did": (
        "We set the change in cost in the units of each start against the change elsewhere, as ratios.",
        "What happened is held against what ratios without the pilot foretell; the difference is its "
        "effect, if without it all would have moved by the same ratio.",
    ),
    "matched-cohort": (
        "We tried to copy the trial that nobody could run.",
        "What was recorded is alike in the two groups; what was not recorded may still differ.",
    ),
    "before-after": (
        "We looked at the same people before and after, and had nobody to compare them with.",
        "So the change holds everything that happened to them, not only the service. People who are picked "
        "at a bad time mostly get better; how much of the change that explains stands beside it.",
    ),
}
PEOPLE = {
    "att": "Difference for each person supported",
    "cumulative": "Difference in all, among those matched",
    "relative": "Change as a share of what was expected",
    "rate_ratio": "Ratio of rates",
    "rate_difference": "Difference for each 1,000 person-years",
    "mean_difference": "Difference of means",
}
"""Names of effects where rows are people."""
TERMS = {
    "att": "Average effect of the pilot, in each unit and period",
    "cumulative": "Total over the pilot so far",
    "relative": "Change as a share of what was expected",
    "average": "Average effect in each period with the pilot",
    "level_change": "Step in the first period of the pilot",
    "slope_change": "Change of slope, each period",
    "rate_ratio": "Ratio of what happened to what was expected",
    "rate_difference": "Difference of rates",
    "mean_difference": "Difference of means",
    "avoided": "Number of events over the pilot so far",
    "dynamic_average": "Average over times since the start, each alike, measured from the period before it",
    "group_average": "Average over units, each counting alike however long it had the pilot",
    "calendar_average": "Average over calendar periods, each counting alike",
}
RULE = {
    "reason": "Why this one",
    "n1": "Pilot places",
    "n0": "Comparison places",
    "places": "Places",
    "sizes_alike": "Sizes alike",
    "size_ratio": "Largest size over smallest",
    "variance_flag": "Pilot unusually changeable before the start",
    "flag_ratio": "Variance of the pilot before the start, over that of the others",
    "breakdown_ratio": "How many times as changeable as the others the pilot may be, before the range "
    "reaches no change",
    "smallest_p": "Smallest p-value that choosing other places could give",
    "permutations": "Other choices of pilot places tried",
    "df": "Degrees of freedom",
}
SERIES = {
    "n": "Periods used",
    "before": "Periods before the start",
    "after": "Periods with the pilot",
    "rho": "Carry-over from one period to the next (autocorrelation)",
}
COUNTS = {
    "rows": "Rows used",
    "units": "Units",
    "pilot_units": "Pilot units",
    "comparison_units": "Comparison units",
    "places": "Places",
    "pilot_places": "Places with the pilot",
    "pilot_periods": "Rows with the pilot running",
    "silent_units": "Units without a single event",
    "periods": "Periods",
    "before": "Periods before the start",
    "after": "Periods with the pilot",
    "used": "Periods used",
    "before_used": "Used before the start",
    "after_used": "Used with the pilot",
    "events": "Events counted",
    "persons": "Different people",
    "pilot": "People supported",
    "comparison": "People to choose from",
    "matched_pilot": "Supported and matched",
    "matched_comparison": "Similar people matched",
    "sets": "Matched sets",
    "events_pilot": "Events among those supported",
    "events_comparison": "Events among similar people",
    "analysed": "People analysed",
    "people": "Different people analysed",
    "events_before": "Events before",
    "events_after": "Events after",
}
DISTANCES = {
    "logit": "the chance of being supported, on the logit scale",
    "score": "the chance of being supported",
    "mahalanobis": "all measures together (Mahalanobis)",
    "robust-mahalanobis": "the ranks of all measures together (robust Mahalanobis)",
}
MATCHING = {
    "distance": "How near two people are is judged by",
    "caliper": "Furthest apart that a match may be (standard deviations)",
    "ratio": "Most similar people for each person supported",
    "replace": "A similar person may be used more than once",
    "order": "Order in which people are matched",
    "family": "Model of the outcome",
    "adjust": "Adjusted for the same measures after matching",
}
ROUTES = {
    "kenward-roger": "REML with the Kenward-Roger correction",
    "rho-averaged": "t averaged over the autocorrelation",
    "ar1-plus-noise": "AR(1) with fresh noise beside it, t averaged over both; the wider of two",
}

BY_PERIOD = ("event", "event_log", "group", "calendar", "group_time")
"""Effects that have a chart or a table of their own, or stand in the document alone."""

Facts = tuple[tuple[str, str], ...]


def figure(value: float) -> str:
    """A number to about four figures."""
    size = abs(value)
    if size and size < 0.0001:
        return "under 0.0001"
    decimals = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3 if size >= 1 else 4
    text = number(value, decimals)
    return text.rstrip("0").rstrip(".") if decimals else text


def shown(value: Any) -> str:
    """A plain value as it is printed."""
    if value is None:
        return "not worked out"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e15):
        return number(value)
    return figure(value) if isinstance(value, float) else str(value)


def named(values: Mapping[str, Any], names: Mapping[str, str]) -> Facts:
    """The single values of a mapping under their names: known ones first, in the order of ``names``."""
    single = {k: v for k, v in values.items() if v is not None and not isinstance(v, (Mapping, list, tuple))}
    order = [*(k for k in names if k in single), *(k for k in single if k not in names)]
    return tuple((names.get(k, capital(k.replace("_", " "))), shown(single[k])) for k in order)


def explained(method: str) -> tuple[str, str]:
    """What the method does: one sentence, then how and on what it rests. Empty for one not known here."""
    return METHOD.get(method, ("", ""))


def facts(document: Mapping[str, Any]) -> Facts:
    """What the rule or the route chose, and why."""
    entry = primary(document)
    extras = entry.get("extras") or {}
    rule = extras.get("rule") or {}
    told: list[tuple[str, str]] = []
    if entry.get("draws_from"):
        told.append(("Procedure", str(entry["draws_from"])))
    if entry.get("method") != "matched-cohort":
        told += named({key: rule.get(key) for key in RULE}, RULE)
    second = rule.get("second_opinion") or {}
    if second.get("procedure"):
        told.append(("Second opinion", f"{second['procedure']}: p-value {p_value(second.get('p_value'))}"))
    if entry.get("method") == "its":
        told += named({key: extras.get(key) for key in SERIES}, SERIES)
        season = extras.get("season") or {}
        if season.get("name"):
            why = f": {season['why']}" if season.get("why") else ""
            told.append(("Season", f"{season['name']}{why}"))
        told += _routes(extras.get("route") or {})
    return tuple(told + _of_people(entry, extras))


def _of_people(entry: Mapping[str, Any], extras: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was chosen in a comparison of people, and what its audit and its gauge of the unrecorded say."""
    if entry.get("method") != "matched-cohort":
        return []
    spec = entry.get("spec") or {}
    chosen = {key: spec.get(key) for key in MATCHING}
    chosen["distance"] = DISTANCES.get(str(spec.get("distance")), spec.get("distance"))
    told = list(named(chosen, MATCHING))
    if extras.get("max_smd") is not None:
        told.append(
            ("Largest difference left after matching (standard deviations)", figure(extras["max_smd"]))
        )
    strength = extras.get("e_value") or {}
    if strength.get("estimate") is not None:
        told.append(("E-value of the estimate", figure(strength["estimate"])))
    if strength.get("limit") is not None:
        told.append(("E-value of the limit nearest no change", figure(strength["limit"])))
    if extras.get("df") is not None:
        told.append((RULE["df"], figure(extras["df"])))
    if extras.get("audit"):
        told.append(("Audit", "Every matched set was checked again against every rule, and none was broken."))
    return told


def _routes(routes: Mapping[str, str]) -> Facts:
    """How each range was made; in one line where all were made alike."""
    names = {term: ROUTES.get(route, str(route)) for term, route in routes.items()}
    if len(set(names.values())) == 1:
        return (("How every range was made", next(iter(names.values()))),)
    return tuple((f"Range of: {TERMS.get(term, term).lower()}", name) for term, name in names.items())


def residuals(document: Mapping[str, Any]) -> Table | None:
    """What the model of a series left over."""
    extras = primary(document).get("extras") or {}
    test = extras.get("ljung_box") or {}
    if test.get("p_value") is None:
        return None
    rows = [
        ["Ljung-Box statistic", figure(test["statistic"])],
        ["Lags", shown(test.get("lags"))],
        ["p-value", p_value(test["p_value"])],
    ]
    return table("What the model left over: is any pattern in it?", ["Test", "Value"], rows, (1,))


def p_value(p: float | None) -> str:
    """A p-value for a table."""
    if p is None:
        return "not worked out"
    return "under 0.001" if p < 0.001 else number(p, 3)


def mid(document: Mapping[str, Any]) -> str:
    """The main outcome by its label, with what its effects count, in mid-sentence."""
    finding = document["finding"]
    per = finding.get("chart_per") if finding.get("scale") != "log" else ""
    panel = document["data"].get("kind") == "panel"
    return f"{finding['outcome']} {per}" if panel and per else str(finding["outcome"])


def effects_in_full(document: Mapping[str, Any]) -> Table | None:
    """Every effect of the main analysis but the path, in the units of its column."""
    entry = primary(document)
    level = (entry.get("spec") or {}).get("level") or 0.95
    names = TERMS | (PEOPLE if document["data"].get("kind") == "cohort" else {})
    rows = [
        [
            names.get(row["term"], str(row["term"])),
            *(_or_absent(row.get(name)) for name in ("estimate", "std_error", "df")),
            p_value(row.get("p_value")),
            *(_or_absent(row.get(name)) for name in ("conf_low", "conf_high")),
        ]
        for row in entry.get("effects") or ()
        if row["term"] not in BY_PERIOD
    ]
    if not rows:
        return None
    where = f"Effects on {mid(document)}, as estimated"
    if entry["scale"] == "log":
        where += " (logarithms, but for the share)"
    interval = f"{100 * level:g}%"
    head = ["Effect", "Estimate", "Standard error", "df", "p-value", f"{interval} low", f"{interval} high"]
    return table(where, head, rows, range(1, 7))


def second_model(document: Mapping[str, Any]) -> Table | None:
    """Intervals of a series under a second model of its errors."""
    mixture = (primary(document).get("extras") or {}).get("mixture") or {}
    rows = [
        [TERMS.get(term, term), _or_absent(row.get("conf_low")), _or_absent(row.get("conf_high"))]
        for term, row in mixture.items()
        if isinstance(row, Mapping)
    ]
    if not rows:
        return None
    caption = "The same effects, if part of the month-to-month noise is fresh each time"
    return table(caption, ["Effect", "95% low", "95% high"], rows, (1, 2))


def coefficients(document: Mapping[str, Any]) -> Table | None:
    """Every coefficient of the model of a series."""
    rows = (primary(document).get("extras") or {}).get("coefficients") or ()
    if not rows:
        return None
    told = [
        [capital(str(row["name"])), *(_or_absent(row.get(k)) for k in ("estimate", "std_error"))]
        for row in rows
    ]
    return table(
        "Every coefficient of the model", ["Coefficient", "Estimate", "Standard error"], told, (1, 2)
    )


CHECK_COLUMNS = {
    "event_time": "Time since the start",
    "gap": "Gap",
    "low": "Low",
    "high": "High",
    "conf_low": "95% low",
    "conf_high": "95% high",
    "p_value": "p-value",
    "bound": "Drift, in multiples of the worst seen before",
    "holds": "Leaves out no change",
    "identified_low": "Low, without chance",
    "identified_high": "High, without chance",
    "seen": "Chance of being seen",
    "adds": "Adds to the result",
    "one_by_one": "Seen if each is tested by itself",
    "per": "Period",
    "ruled_out_above": "Larger ones are ruled out above",
    "effect": "Effect",
    "effect_low": "Effect, 95% low",
    "effect_high": "Effect, 95% high",
    "effect_p_value": "Effect, p-value",
    "slope_unit": "Slope is in",
    "slope": "Drift in each period",
    "slope_at_middle": "Drift by the middle of the pilot",
    "scale": "Moving alike",
    "label": "Dates",
    "drift": "Drift in each period",
    "slope_low": "Drift, 95% low",
    "slope_high": "Drift, 95% high",
    "relative": "As a share",
    "periods_earlier": "Periods earlier",
    "pilot": "Had the pilot",
    "change": "Moves the result by",
    "share": "Share of the uncertainty",
    "smd": "Difference (standard deviations)",
}
"""What the columns of a check's table are called; one that is not here goes by its own key."""
CHECK_CELLS: dict[tuple[str, Any], str] = {
    ("scale", "log"): "in per cent",
    ("scale", "level"): "in numbers",
}
"""Cells that are told in words."""
LEFT_OUT = ("why",)


IN_CHART_UNITS = (
    "pre_trend", "unmeasured", "pre_trend_power", "pre_trend_equivalence",
    "placebo_starts", "leave_one_place_out", "scales",
)  # fmt: skip
"""Checks of places whose tables are in the units of the chart of gaps."""


def unit_of_check(document: Mapping[str, Any], name: str) -> str:
    """What the effects in the table of a check count; "" where that is not one thing."""
    finding = document["finding"]
    if document["data"].get("kind") != "panel" or name not in (*IN_CHART_UNITS, "dates"):
        return ""
    if finding["scale"] == "log":
        return "" if name == "dates" else "effects as logarithms"
    return f"{finding['label']}, {finding['per'] if name == 'dates' else finding['chart_per']}"


def check_table(rows: Sequence[Mapping[str, Any]], question: str, unit: str = "") -> Table | None:
    """The rows behind a check, with headings for their keys; columns that hold nothing are left out."""
    if not rows:
        return None
    keys = list(dict.fromkeys(key for row in rows for key in row))
    keys = [key for key in keys if key not in LEFT_OUT or any(row.get(key) for row in rows)]
    numeric = [k for k, key in enumerate(keys) if all(isinstance(r.get(key), (int, float)) for r in rows)]
    return table(
        f"{question} ({unit})" if unit else question,
        [CHECK_COLUMNS.get(key, capital(key.replace("_", " "))) for key in keys],
        [
            [
                "none" if row.get(key) is None else CHECK_CELLS.get((key, row[key])) or shown(row[key])
                for key in keys
            ]
            for row in rows
        ],
        numeric,
    )


def _or_absent(value: float | None) -> str:
    return "not worked out" if value is None else figure(value)
