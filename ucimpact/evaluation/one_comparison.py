"""Whether a second design compares with the same as the first, and so is no second design.

Two designs are one where they come to the same numbers; where the same method is applied to the same file;
where they hold the pilot against the same places, people or series; and where both hold it against its own
past. What a study says of its comparison in words settles nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.study import Records, Study
from ucimpact.study.records import EACH_ALONE
from ucimpact.words import robust

SAME = 1e-9
"""Estimates that differ by less, as a share, are one."""
MOST = 0.5
"""Share of the comparison places of the smaller design that both may have."""

Percent = tuple[float, float, float]


def one_result(ours: Percent | None, theirs: Percent | None) -> list[str]:
    """That two designs come to the same estimate and range; empty where they do not."""
    if ours is None or theirs is None:
        return []
    return [robust.ONE_RESULT] if np.allclose(ours, theirs, rtol=SAME, atol=SAME) else []


def one_comparison(
    study: Study, records: Records, other: Study, evaluated: Mapping[str, Any], controls: Mapping[str, Any]
) -> list[str]:
    """What two designs have in common that makes them one; empty where nothing does.

    Parameters
    ----------
    study, records
        The main one.
    other : Study
    evaluated, controls : mapping
        ``data`` and ``comparable.controls`` of its evaluation.
    """
    files = {row["sha256"] for row in records.fingerprints} & set(controls["files"])
    if files and study.method.name == other.method.name:
        return [robust.ONE_METHOD]
    kinds = (study.data.kind, other.data.kind)
    if kinds == ("cohort", "cohort"):
        return [robust.ONE_PEOPLE] if files else []
    if own_past(study, _comparisons(records)) and own_past(
        other, evaluated["counts"].get("comparison_units", 0)
    ):
        return [robust.BOTH_OWN_PAST]
    if kinds == ("series", "series"):
        same = _shared(_columns(study), _columns(other)) if files else 0
        return [robust.one_series(same)] if same else []
    ours, theirs = _places(records), controls["units"]
    same = _shared(ours, theirs or ())
    if same:
        return [robust.one_places(same)]
    none_named = kinds == ("panel", "panel") and not ours and not theirs
    return [robust.ONE_FILE] if files and none_named else []


def own_past(study: Study, comparisons: int) -> bool:
    """Whether a design holds the pilot against nothing but its own past."""
    if study.data.kind == "series":
        return not _columns(study)
    return study.data.kind == "panel" and study.method.name in EACH_ALONE and not comparisons


def own_past_twice(study: Study, records: Records) -> list[str]:
    """That the pilot places added up are held against what the main design holds them against."""
    return [robust.BOTH_OWN_PAST] if own_past(study, _comparisons(records)) else []


def _comparisons(records: Records) -> int:
    data = records.data
    return int((~data.pilot_units).sum()) if isinstance(data, Panel) else 0


def _places(records: Records) -> list[str]:
    """Names of the comparison places of a panel of organisations."""
    data = records.data
    if not isinstance(data, Panel) or not records.study.data.show:
        return []
    names = np.asarray(data.place_names)
    with_pilot = set(names[data.cluster_codes[data.pilot_units]])
    return [str(name) for name in names if name not in with_pilot]


def _columns(study: Study) -> tuple[str, ...]:
    """The comparison series of a series."""
    told = study.method.options.get("controls", ())
    return (told,) if isinstance(told, str) else tuple(map(str, told))


def _shared(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """How many names both have, where they are more than so large a share of the shorter list."""
    same = set(ours) & set(theirs)
    return len(same) if len(same) > MOST * min(len(set(ours)), len(set(theirs))) else 0
