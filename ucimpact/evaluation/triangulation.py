"""The same question by other designs, whose comparison comes from elsewhere, and whether they agree.

Designs are held beside one another in per cent, the one unit that all of them have. Two agree where both
likely ranges lie on one side of no change and each estimate lies within the other's; they are in conflict
where the ranges lie on opposite sides of no change; else they cannot tell. A design whose own key checks fail
is shown and not counted; one that compares with the same as ours is refused
(:mod:`ucimpact.evaluation.one_comparison`). Agreement of two is one of the routes by which certainty earns a
step back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.panel import Panel
from ucimpact.data.periods import as_periods
from ucimpact.data.series import Series
from ucimpact.errors import DataError, DesignError, EstimationError, UsageError
from ucimpact.evaluation.document import Evaluation
from ucimpact.evaluation.one_comparison import Percent, one_comparison, one_result, own_past_twice
from ucimpact.study import Data, Method, Outcome, Records, Study
from ucimpact.study.robust import Triangulation
from ucimpact.words import benefit, robust

TOTALS = ("count", "cost")
"""Kinds of outcome of which several places have a sum."""


@dataclass(frozen=True, kw_only=True)
class Others:
    """How other studies are evaluated: from a file, or from records that are there already."""

    from_file: Callable[[Path], tuple[Study, Evaluation]]
    of_records: Callable[[Study, Records], Evaluation]


@dataclass(frozen=True, kw_only=True)
class Triangulated:
    """What other designs say.

    ``designs`` are effects with limits in per cent, the main one first, of those that may be counted.
    """

    document: dict[str, Any] | None = None
    designs: list[tuple[float, float, float]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, eq=False)
class Summed(Records):
    """Records of places added up: there is no other window to take of them."""

    def within(self, window: Any) -> Records:
        raise DesignError(f"places added up have no window of their own ({window})")


def triangulated(
    study: Study,
    records: Records,
    found: Mapping[str, Any],
    data: Mapping[str, Any],
    others: Others | None,
    tell: Callable[[str], None],
) -> Triangulated:
    """Every other design that the study names, beside the main one.

    Parameters
    ----------
    found, data : mapping
        Finding and data of the main analysis, as the document has them.
    others : Others or None
        None where this study is itself one of the others.

    Raises
    ------
    UsageError
        For a study file that cannot be read, or is this one.
    """
    if not study.triangulation or others is None:
        return Triangulated()
    ours = _percent(found)
    rows = [
        _row(study.method.name, study.method.name, study.comparator, found, level=None)
        | {"main": True, "verdict": None, "why": ""}
    ]
    designs = [ours] if ours is not None else []
    for entry in study.triangulation:
        label = entry.note or robust.ADDED_UP.get(str(entry.method)) or str(entry.study)
        tell(label)
        row = _other(entry, label, study, records, data, others, ours)
        theirs = None if row["est"] is None else (row["est"], row["low"], row["high"])
        if row["refused"] is None and ours is not None and theirs is not None:
            row["verdict"], row["why"] = _held(ours, theirs, found["better"], usable=row["usable"])
            if row["usable"]:
                designs.append(theirs)
        rows.append(row)
    verdicts = [row["verdict"] for row in rows if row.get("verdict") and row["usable"]]
    document = {
        "rows": rows,
        "answer": robust.triangulation_answer(verdicts),
        "text": [
            robust.HOW_HELD,
            *([robust.SHARED_PILOT] if verdicts else []),
            *([robust.CONFLICT_NO_STEP] if robust.CONFLICT in verdicts else []),
        ],
    }
    return Triangulated(document=document, designs=designs)


def _other(
    entry: Triangulation,
    label: str,
    study: Study,
    records: Records,
    data: Mapping[str, Any],
    others: Others,
    ours: Percent | None,
) -> dict[str, Any]:
    """One other design, or why it is refused."""
    comparison = robust.OWN_PAST
    try:
        if entry.method is not None:
            theirs, summed = added_up(study, records, entry.method)
            evaluation = others.of_records(theirs, summed)
            differs: list[str] = []
            same = own_past_twice(study, records)
        else:
            theirs, evaluation = others.from_file(study_path(study, str(entry.study)))
            comparison = theirs.comparator
            differs = _differs(study, theirs, data, evaluation.data)
            controls = (evaluation.comparable or {}).get("controls")
            same = [robust.SAME_WORDS] if study.comparator.casefold() == comparison.casefold() else []
            if controls is not None and not same:
                same = one_comparison(study, records, theirs, evaluation.data, controls)
    except (DataError, DesignError, EstimationError) as error:
        return _refused(label, entry.method or "", comparison, str(error))
    other = evaluation.finding
    same = same or one_result(ours, _percent(other))
    if differs or same:
        why = robust.not_alike(differs) if differs else robust.no_other(same)
        return _refused(label, theirs.method.name, comparison, why)
    if _percent(other) is None:
        why = other["refused"] or "it gives no change in per cent with a likely range"
        return _refused(label, theirs.method.name, comparison, str(why))
    row = _row(label, theirs.method.name, comparison, other, level=evaluation.certainty["level"])
    counts = evaluation.data["counts"]
    people = evaluation.data.get("rows_are") == "people"
    events = {name: counts.get(name) for name in ("events_pilot", "events_comparison")} if people else None
    return row | {"main": False, "events": events}


def _row(
    label: str, method: str, comparison: str, found: Mapping[str, Any], *, level: str | None
) -> dict[str, Any]:
    est, low, high = _percent(found) or (None, None, None)
    usable = not (found["key_fail"] or found["confounded"] or found["refused"])
    return {
        "label": label, "method": method, "comparison": comparison, "est": est, "low": low, "high": high,
        "level": level, "usable": usable, "refused": None, "events": None,
    }  # fmt: skip


def _refused(label: str, method: str, comparison: str, why: str) -> dict[str, Any]:
    return {
        "label": label, "method": method, "comparison": comparison, "est": None, "low": None, "high": None,
        "level": None, "usable": False, "refused": why, "events": None, "main": False, "verdict": None,
        "why": "",
    }  # fmt: skip


def _percent(found: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """The effect in per cent of what was expected, with its limits."""
    told = found.get("percent")
    if not told:
        return None
    est, low, high = (100 * (told[name] - 1) for name in ("ratio", "lo", "hi"))
    return est, low, high


def _held(
    one: tuple[float, float, float], other: tuple[float, float, float], better: str, *, usable: bool
) -> tuple[str, str]:
    """Whether two designs agree, and why."""
    if not usable:
        return robust.UNCLEAR, robust.verdict_reason(robust.UNCLEAR, usable=False)
    (_, low, high), (_, far_low, far_high) = benefit(*one, better), benefit(*other, better)
    inside = one[1] <= other[0] <= one[2] and other[1] <= one[0] <= other[2]
    gain, harm = low > 0 and far_low > 0, high < 0 and far_high < 0
    if (low > 0 and far_high < 0) or (high < 0 and far_low > 0):
        verdict = robust.CONFLICT
    else:
        verdict = robust.AGREE if inside and (gain or harm) else robust.UNCLEAR
    return verdict, robust.verdict_reason(verdict, includes=not (gain or harm), harm=harm)


# -- another study -----------------------------------------------------------------------


def study_path(study: Study, named: str) -> Path:
    """Where the study file lies that a study names.

    Raises
    ------
    UsageError
        Where it is this study itself.
    """
    path = (study.folder / named).resolve()
    path = path / "study.toml" if path.is_dir() else path
    if study.file and path == (study.folder / study.file).resolve():
        raise UsageError(f'[[triangulation]] study = "{named}" is this study itself. Name another')
    return path


def _differs(study: Study, other: Study, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """What keeps two studies from answering one question; empty where nothing does."""
    one, two = study.primary, other.primary
    pairs = [
        ("outcome", one.label.casefold(), two.label.casefold()),
        ("kind", one.kind, two.kind),
        ("better", one.better, two.better),
        ("pilot", study.pilot.casefold(), other.pilot.casefold()),
        ("population", study.population.casefold(), other.population.casefold()),
    ]
    if "cohort" not in (ours["kind"], theirs["kind"]):
        pairs.append(("start", str(ours["start"]), str(theirs["start"])))
        pairs.append(("last period", str(ours["window"][-1]), str(theirs["window"][-1])))
    return [f"its {name} is “{b}”, and here “{a}”" for name, a, b in pairs if a != b]


# -- the pilot places added up -----------------------------------------------------------


def added_up(study: Study, records: Records, method: str) -> tuple[Study, Summed]:
    """The pilot places of a panel as one series of their total, and a study of it by this method.

    All that the file holds before the start is used, up to the last period of the study's window.

    Raises
    ------
    DesignError
        For places that start at different times, an outcome without a total, or periods in which a pilot
        place has no value.
    """
    panel, outcome = records.data, study.primary
    assert isinstance(panel, Panel)
    if len(panel.starts) != 1:
        raise DesignError(
            "The pilot places start at different times, so their total has no one start. Name a study of "
            'them with the method "multi-site-its" instead'
        )
    if outcome.kind not in TOTALS or outcome.each:
        raise DesignError(f"{outcome.label} of several places has no total. Name another study instead")
    whole = _whole_past(records, panel)
    series = _summed(whole, panel, outcome)
    data = Data(
        kind="series",
        period="period",
        start=series.start,
        source=study.data.source,
        population=series.population,
        covid=study.data.covid,
        rows=study.data.rows,
    )
    agreed = outcome.worthwhile
    keeps = agreed is not None and agreed.form in ("relative", "absolute")
    made = replace(
        study,
        data=data,
        outcomes=(replace(outcome, value=None, worthwhile=agreed if keeps else None),),
        method=Method(name=method),
        sensitivity=(),
        curve=None,
        triangulation=(),
        cost=None,
        decision=None,
        comparator=robust.OWN_PAST,
        text="",
        file="",
    )
    kept = {name: getattr(records, name) for name in ("coercions", "fingerprints", "rows_read", "converted")}
    return made, Summed(study=made, data=series, left_out=(), missing={}, **kept)


def _whole_past(records: Records, panel: Panel) -> Panel:
    """All that the file holds of before the start, where it can be read; else what was analysed."""
    try:
        whole = records.within("all").data
    except (DataError, DesignError):
        return panel
    assert isinstance(whole, Panel)
    keep = whole.ordinals[whole.period_codes] <= panel.ordinals[-1]
    return whole.where(keep) if keep.any() else panel


def _summed(whole: Panel, panel: Panel, outcome: Outcome) -> Series:
    """The total of the pilot places by period, from the first period that all of them have."""
    names = [name for name, pilot in zip(panel.units, panel.pilot_units, strict=True) if pilot]
    ours = np.isin(np.asarray(whole.units, dtype=object)[whole.unit_codes], np.asarray(names, dtype=object))
    ordinals = whole.ordinals[whole.period_codes][ours]
    columns = [outcome.column, *([whole.population] if whole.population else [])]
    frame = pd.DataFrame({name: whole.values(name)[ours] for name in columns}).assign(at=ordinals)
    complete = frame.dropna().groupby("at").size() == len(names)
    full = complete.index[complete.to_numpy()].to_numpy()
    lacking = sorted(set(range(int(ordinals.min()), int(ordinals.max()) + 1)) - set(full.tolist()))
    first = max([at for at in lacking if at < panel.starts[0]], default=int(ordinals.min()) - 1) + 1
    if any(at >= panel.starts[0] for at in lacking) or first >= panel.starts[0]:
        raise DesignError(
            "A pilot place has no value in some period, so the places have no total there. Name another study"
        )
    total = frame[frame["at"] >= first].groupby("at").sum().sort_index()
    at = total.index.to_numpy()
    table = total.reset_index(drop=True)
    table.insert(0, "period", as_periods(whole.frequency, at))
    return Series(
        table,
        period="period",
        start=int(panel.starts[0])
        if whole.frequency.kind == "number"
        else _first_day(whole, panel.starts[0]),
        population=whole.population,
    )


def _first_day(panel: Panel, ordinal: int) -> Any:
    return panel.frequency.first_day(int(ordinal))
