"""How an analysis was done, as facts a reader can follow: what the rule chose, what the model left over.

The facts are in the document; their names are in :mod:`ucimpact.report.names`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.report import course
from ucimpact.report.figures import noun_of, primary
from ucimpact.report.names import (
    CHECK_CELLS,
    CHECK_COLUMNS,
    CHECK_COLUMNS_OF_PEOPLE,
    DISTANCES,
    MATCHING,
    METHOD,
    NOT_FOR_READERS,
    PEOPLE,
    ROUTES,
    RULE,
    SEASONS,
    SERIES,
    SERIES_METHODS,
    TERMS,
)
from ucimpact.report.phrases import plainly_named, stopped
from ucimpact.report.tables import Table, table
from ucimpact.words import capital, number
from ucimpact.words.trials import ASKED

BY_PERIOD = ("event", "event_log", "group", "calendar", "group_time")
"""Effects that have a chart or a table of their own, or stand in the document alone."""

OF_PEOPLE = ("matched-cohort", "weighted-cohort", "doubly-robust-cohort", "sequential-trials")
"""Methods that compare people with people beside them."""

OF_MATCHING = ("distance", "caliper", "ratio", "replace", "order", "reuse_within_day")
"""Choices that say nothing where people are weighted."""

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


def explained(method: str, noun: str = "month") -> tuple[str, str]:
    """What the method does: one sentence, then how and on what it rests. Empty for one not known here."""
    bold, rest = METHOD.get(method, ("", ""))
    return bold.format(noun=noun), rest.format(noun=noun)


def facts(document: Mapping[str, Any]) -> Facts:
    """What the rule or the route chose, and why."""
    entry = primary(document)
    extras = entry.get("extras") or {}
    rule = extras.get("rule") or {}
    told: list[tuple[str, str]] = []
    if entry.get("draws_from"):
        told.append(("Procedure", glossed(str(entry["draws_from"]), noun_of(document))))
    if entry.get("method") not in OF_PEOPLE:
        told += named({key: rule.get(key) for key in RULE}, RULE)
    second = rule.get("second_opinion") or {}
    if second.get("procedure"):
        told.append(("Second opinion", f"{second['procedure']}: p-value {p_value(second.get('p_value'))}"))
    if entry.get("method") in SERIES_METHODS:
        told += named({key: extras.get(key) for key in SERIES}, SERIES)
        season = extras.get("season") or {}
        if season.get("name"):
            name = SEASONS.get(season["name"], str(season["name"]))
            told.append(("Season", stopped(capital(season.get("why") or name))))
        rows = entry.get("counterfactual") or ()
        for text in course.changes_told(
            document["data"], rows, str(document["finding"].get("chart_per") or "")
        ):
            told.append(("Another change in the series", text))
        if text := course.not_counted_told(document["data"], rows, noun_of(document)):
            told.append(("Periods that do not count", text))
        told += _routes(extras.get("route") or {}, noun_of(document))
    return tuple(told + _of_people(entry, extras))


def _of_people(entry: Mapping[str, Any], extras: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was chosen in a comparison of people, and what its audit and its gauge of the unrecorded say."""
    if entry.get("method") not in OF_PEOPLE:
        return []
    spec = entry.get("spec") or {}
    weighted = spec.get("by") == "weights"
    chosen = {key: spec.get(key) for key in MATCHING if not (weighted and key in OF_MATCHING)}
    chosen["question"] = ASKED.get(str(spec.get("question")), spec.get("question"))
    chosen.pop("every" if spec.get("trigger") else "within", None)
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


def glossed(procedure: str, noun: str) -> str:
    """A procedure with what AR means in it, said in the periods of the data."""
    found = re.search(r"\bAR\((\d)\)", procedure)
    if found is None:
        return procedure
    order = "the one" if found[1] == "1" else f"the {found[1]}"
    return f"{procedure} ({found[0]}: what is left over in one {noun} leans on {order} before)"


def _routes(routes: Mapping[str, str], noun: str) -> Facts:
    """How each range was made; in one line where all were made alike."""
    names = {term: ROUTES.get(route, str(route)).format(noun=noun) for term, route in routes.items()}
    if len(set(names.values())) == 1:
        return (("How every range was made", next(iter(names.values()))),)
    return tuple(
        (f"Range of: {TERMS.get(term, term).lower().format(noun=noun)}", name) for term, name in names.items()
    )


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
    noun = str((entry.get("extras") or {}).get("noun") or "period")
    rows = [
        [
            _effect_name(row, names, noun),
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


def _effect_name(row: Mapping[str, Any], names: Mapping[str, str], noun: str) -> str:
    """What an effect is called; one at a time of its own says when."""
    if row["term"] == "effect_at" and row.get("event_time") is not None:
        return f"Effect in {noun} {int(row['event_time']) + 1} from the start"
    if row["term"] == "site" and row.get("group") is not None:
        return f"At {row['group']}"
    return names.get(row["term"], str(row["term"])).format(noun=noun)


def second_model(document: Mapping[str, Any]) -> Table | None:
    """Intervals of a series under a plainer model of its errors."""
    as_ar1 = (primary(document).get("extras") or {}).get("as_ar1") or {}
    rows = [
        [
            TERMS.get(term, term).format(noun=noun_of(document)),
            _or_absent(row.get("conf_low")),
            _or_absent(row.get("conf_high")),
        ]
        for term, row in as_ar1.items()
        if isinstance(row, Mapping)
    ]
    if not rows:
        return None
    caption = f"The same effects, if only the last {noun_of(document)} carried over to the next"
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


LEFT_OUT = ("why",)
NAMED = ("label", "name", "worst")
"""Cells that hold the name of a measure."""


IN_CHART_UNITS = (
    "pre_trend", "unmeasured", "pre_trend_power", "pre_trend_equivalence",
    "placebo_starts", "leave_one_place_out", "scales",
)  # fmt: skip
"""Checks of places whose tables are in the units of the chart of gaps."""
IN_HEADLINE_UNITS = ("trend_multiverse", "leave_out_months", "covid_ways")
"""Checks of a series whose tables are in the units of the headline."""


def unit_of_check(document: Mapping[str, Any], name: str) -> str:
    """What the effects in the table of a check count; "" where that is not one thing."""
    finding = document["finding"]
    if name in IN_HEADLINE_UNITS:
        return "per cent" if finding["scale"] == "log" else f"{finding['label']}, {finding['per']}"
    if document["data"].get("kind") != "panel" or name not in (*IN_CHART_UNITS, "dates"):
        return ""
    if finding["scale"] == "log":
        return "" if name == "dates" else "effects as logarithms"
    return f"{finding['label']}, {finding['per'] if name == 'dates' else finding['chart_per']}"


def check_table(
    rows: Sequence[Mapping[str, Any]], question: str, unit: str = "", *, of_people: bool = False
) -> Table | None:
    """The rows behind a check, with headings for their keys; columns that hold nothing are left out.

    In a check of people a row goes by its label alone, and measures by the names that readers know.
    """
    if not rows:
        return None
    keys = list(dict.fromkeys(key for row in rows for key in row))
    names, absent = CHECK_COLUMNS, "not shown" if of_people else "none"
    if of_people:
        names = CHECK_COLUMNS | CHECK_COLUMNS_OF_PEOPLE
        again = ("name",) if "label" in keys else ()
        keys = [key for key in keys if key not in (*NOT_FOR_READERS, *again)]
        rows = [
            {key: capital(plainly_named(row[key])) if key in NAMED and row[key] else row[key] for key in row}
            for row in rows
        ]
    keys = [key for key in keys if key not in LEFT_OUT or any(row.get(key) for row in rows)]
    numeric = [k for k, key in enumerate(keys) if all(isinstance(r.get(key), (int, float)) for r in rows)]
    return table(
        f"{question} ({unit})" if unit else question,
        [names.get(key, capital(key.replace("_", " "))) for key in keys],
        [
            [
                absent if row.get(key) is None else CHECK_CELLS.get((key, row[key])) or shown(row[key])
                for key in keys
            ]
            for row in rows
        ],
        numeric,
    )


def _or_absent(value: float | None) -> str:
    return "not worked out" if value is None else figure(value)
