"""Planned against done: what a locked plan said, key by key, and what the study that was run says.

A change bears on the main answer where it is of the main outcome, the window or another part of the data that
are analysed, the method, or a declared analysis beside it that was left out or made otherwise. What was added
does not. The lock that governs is the last made before outcome data were there; where none was, the first of
all, so that locking again hides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ucimpact.evaluation.document import Analysis
from ucimpact.study import Study
from ucimpact.study.lock import entries_of, governing, lock_path, plan_of
from ucimpact.words import lock as words

NO_ANALYSIS = ("label", "value", "proxy", "note")
"""Keys of an outcome or an analysis that change no estimate."""
OF_DIRECTNESS = ("eligible", "linked", "asked_days", "chosen")
"""Keys of ``[data]`` that change no estimate."""
ABSENT = "–"
ENDS = {"first": "from", "last": "to"}
LONGEST = 90
"""Letters of a value; the whole of it stands in the study file."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a lock says of a study.

    Attributes
    ----------
    locked : bool
        Whether a plan was locked before the outcome data.
    changed : bool
        Whether what was done differs from it in what bears on the main answer.
    """

    locked: bool = False
    changed: bool = False
    entry: Mapping[str, Any] | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    locks: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self, analyses: Sequence[Analysis] = ()) -> dict[str, Any]:
        """As plain values; ``analyses`` that were planned and refused are told as left out."""
        if self.entry is None:
            return {"locked": "no", "answer": words.NOT_LOCKED, "rows": [], "locks": []}
        refused = [
            {
                "table": "sensitivity",
                "key": analysis.label,
                "planned": "declared",
                "done": analysis.refused,
                "what": "left out",
                "bears": False,
            }
            for analysis in analyses
            if analysis.role == "sensitivity" and analysis.refused
        ]
        rows = [*self.rows, *refused]
        changed = sum(row["bears"] for row in rows)
        other = sum(row["what"] != "kept" for row in rows) - changed
        return {
            "locked": "before" if self.locked else "after",
            "when": self.entry["locked_at"],
            "version": self.entry["version"],
            "hash": self.entry["hash"],
            "state": self.entry["data"]["state"],
            "changed": changed,
            "other": other,
            "rows": rows,
            "locks": self.locks,
        }


def planned(study: Study) -> Planned:
    """What the lock beside the study file says; no more than that there is none, where there is none.

    Raises
    ------
    UsageError
        For a lock that was edited.
    """
    path = lock_path(study)
    locks = [] if path is None else entries_of(path)
    found = governing(locks)
    if found is None:
        return Planned()
    entry, before = found
    rows = compared(entry["plan"], plan_of(study))
    return Planned(
        locked=before,
        changed=any(row["bears"] for row in rows),
        entry=entry,
        rows=rows,
        locks=[
            {"when": each["locked_at"], "version": each["version"], "state": each["data"]["state"]}
            for each in locks
        ],
    )


def compared(plan: Mapping[str, Any], done: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each key of either, in the order of the plan: ``table, key, planned, done, what, bears``."""
    before, after = _flat(plan), _flat(done)
    main = {column for each in (plan, done) for column in _main(each)}
    rows = []
    for key in [*before, *(key for key in after if key not in before)]:
        was, is_ = before.get(key), after.get(key)
        what = "kept" if was == is_ else "added" if was is None else "left out" if is_ is None else "changed"
        table, name = key[0], ": ".join(key[1:])
        rows.append(
            {
                "table": table,
                "key": name,
                "planned": ABSENT if was is None else _told(was),
                "done": ABSENT if is_ is None else _told(is_),
                "what": what,
                "bears": what != "kept" and _bears(key, main, plan),
            }
        )
    return rows


Key = tuple[str, ...]


def _flat(plan: Mapping[str, Any]) -> dict[Key, Any]:
    """By table and key; of outcomes and other analyses by table, entry and key."""
    found: dict[Key, Any] = {}
    for table, keys in plan.items():
        for key, value in keys.items():
            if table in ("outcome", "sensitivity", "triangulation"):
                found |= {(table, key, name): of_entry for name, of_entry in value.items()}
            else:
                found[(table, key)] = value
    return found


def _main(plan: Mapping[str, Any]) -> list[str]:
    """The column of the primary outcome."""
    outcomes = plan.get("outcome", {})
    return [column for column, keys in outcomes.items() if keys.get("primary") or len(outcomes) == 1]


def _bears(key: Key, main: set[str], plan: Mapping[str, Any]) -> bool:
    """Whether a change of a key could move the main answer."""
    table = key[0]
    if table == "outcome":
        return key[1] in main and key[-1] not in NO_ANALYSIS
    if table == "data":
        return key[1] not in OF_DIRECTNESS
    if table == "sensitivity":
        new = key[1] not in plan.get("sensitivity", {})
        return not new and key[-1] not in NO_ANALYSIS
    if table == "context":
        return key[1] == "allocation"
    return table == "method"


def _told(value: Any) -> str:
    """A value as a reader meets it, on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.10g}"
    if isinstance(value, Mapping):
        parts = (
            f"{ENDS.get(str(key), str(key))} {_told(item)}" for key, item in value.items() if key != "kind"
        )
        return ", ".join(part.replace("_", " ") for part in parts)
    if isinstance(value, list):
        return ", ".join(map(_told, value)) or "none"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
