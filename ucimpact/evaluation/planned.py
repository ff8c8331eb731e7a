"""Planned against done: what a locked plan said, key by key, and what the study that was run says.

A change bears on the main answer where it is of the main outcome, the window or another part of the data that
are analysed, the method, or a declared analysis, choice or other design beside it that was left out or made
otherwise. What was added does not. Where the smallest worthwhile effect is what would repay the price, what
makes that price and the worth of an event bear too. A key that is not declared stands at its default, and is
held against that.

The lock that governs is the last made before outcome data were there and before the pilot had ended; where
none was, the first of all, so that locking again hides nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ucimpact.evaluation.document import Analysis
from ucimpact.methods import METHODS
from ucimpact.study import Study
from ucimpact.study.lock import (
    Timing,
    default_of,
    entries_of,
    governing,
    lock_path,
    named_in,
    plan_of,
    timing_of,
)
from ucimpact.words import MINUS
from ucimpact.words import lock as words

NO_ANALYSIS = ("label", "value", "proxy", "note")
"""Keys of an outcome or an analysis that change no estimate."""
ENTRIES = ("outcome", "sensitivity", "triangulation")
"""Tables of a plan that hold entries by name."""
ALWAYS = ("study", "data", "method", "decision", "context", "release")
"""Tables whose defaults hold where they are not in the file."""
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
    timing : str, optional
        When the plan was locked, as :func:`~ucimpact.study.lock.timing_of` says; None without a lock.
    changed : bool
        Whether what was done differs from it in what bears on the main answer.
    """

    timing: Timing | None = None
    changed: bool = False
    entry: Mapping[str, Any] | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    locks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def locked(self) -> bool:
        """Whether a plan was locked before the outcome data."""
        return self.timing == "before"

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
            "timing": self.timing,
            "when": self.entry["locked_at"],
            "version": self.entry["version"],
            "hash": self.entry["hash"],
            "state": self.entry["data"]["state"],
            "changed": changed,
            "other": other,
            "rows": rows,
            "locks": self.locks,
        }


def planned(study: Study, ended: dt.date | None) -> Planned:
    """What the lock beside the study file says; no more than that there is none, where there is none.

    Parameters
    ----------
    study : Study
    ended : date, optional
        The last day of the pilot as it is analysed, from :func:`ucimpact.evaluation.ended.ended`.

    Raises
    ------
    UsageError
        For a lock that was edited.
    """
    path = lock_path(study)
    locks = [] if path is None else entries_of(path)
    found = governing(locks, ended)
    if found is None:
        return Planned()
    entry, timing = found
    rows = [*compared(entry["plan"], plan_of(study)), *_source(entry, study)]
    return Planned(
        timing=timing,
        changed=any(row["bears"] for row in rows),
        entry=entry,
        rows=rows,
        locks=[
            {
                "when": each["locked_at"],
                "version": each["version"],
                "state": each["data"]["state"],
                "timing": timing_of(each, ended),
            }
            for each in locks
        ],
    )


def _source(entry: Mapping[str, Any], study: Study) -> list[dict[str, Any]]:
    """The file of records where it is another than the lock looked into."""
    was, now = entry["data"].get("source"), named_in(study)
    if was is None or was == now:
        return []
    told = {"planned": _told(was) if was else ABSENT, "done": _told(now) if now else ABSENT}
    return [{"table": "data", "key": "file", **told, "what": "changed", "bears": False}]


def compared(plan: Mapping[str, Any], done: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each key of either, in the order of the plan: ``table, key, planned, done, what, bears``."""
    before, after = _flat(plan), _flat(done)
    main = {column for each in (plan, done) for column in _main(each)}
    repaid = any(_break_even(each) for each in (plan, done))
    rows = []
    for key in [*before, *(key for key in after if key not in before)]:
        was, is_ = _both(key, before, after, plan, done)
        what = "kept" if was == is_ else "added" if was is None else "left out" if is_ is None else "changed"
        table, name = key[0], ": ".join(key[1:])
        rows.append(
            {
                "table": table,
                "key": name,
                "planned": ABSENT if was is None else _told(was),
                "done": ABSENT if is_ is None else _told(is_),
                "what": what,
                "bears": what != "kept"
                and (_bears(key, main, plan, what) or (repaid and _moves_price(key, main))),
            }
        )
    return rows


def _both(
    key: Key,
    before: Mapping[Key, Any],
    after: Mapping[Key, Any],
    plan: Mapping[str, Any],
    done: Mapping[str, Any],
) -> tuple[Any, Any]:
    """A key planned and done, each at its default where it is not declared and the default says something."""
    was, is_ = before.get(key), after.get(key)
    if was is None and _has(plan, key):
        was = _default(key, plan)
    if is_ is None and _has(done, key):
        is_ = _default(key, done)
    if isinstance(was, Mapping) and isinstance(is_, Mapping):
        # Within a table too: "chance 0.8" was planned where the file had left it unsaid.
        names = [*was, *(name for name in is_ if name not in was)]
        spoken = before.get(key) or {}, after.get(key) or {}
        names = [name for name in names if name == "kind" or any(name in each for each in spoken)]
        whole = _default(key, plan) or {}
        if isinstance(whole, Mapping):
            was, is_ = (
                {name: each.get(name, whole.get(name)) for name in names if name in each or name in whole}
                for each in (was, is_)
            )
    return was, is_


def _has(plan: Mapping[str, Any], key: Key) -> bool:
    """Whether the table or entry of a key is there, so that its other keys stand at their defaults."""
    if key[0] in ENTRIES:
        return key[1] in plan.get(key[0], {})
    return key[0] in ALWAYS or key[0] in plan


def _default(key: Key, plan: Mapping[str, Any]) -> Any:
    """What a key stands at where it is not declared; None where that says nothing."""
    found = default_of(key[0], key[-1])
    entry = plan.get("method", {}) if key[0] == "method" else {}
    if key[0] == "sensitivity":
        entry = plan["sensitivity"].get(key[1], {})
    method = METHODS.get(entry.get("name", ""))
    if found is None and method is not None:
        field = method.__dataclass_fields__.get(key[-1])
        found = None if field is None else field.default
        found = found if isinstance(found, bool | int | float | str) else None
    return None if found in ("", [], ()) else found


Key = tuple[str, ...]


def _flat(plan: Mapping[str, Any]) -> dict[Key, Any]:
    """By table and key; of outcomes and other analyses by table, entry and key."""
    found: dict[Key, Any] = {}
    for table, keys in plan.items():
        for key, value in keys.items():
            if table in ENTRIES:
                found |= {(table, key, name): of_entry for name, of_entry in value.items()}
            else:
                found[(table, key)] = value
    return found


def _main(plan: Mapping[str, Any]) -> list[str]:
    """The column of the primary outcome."""
    outcomes = plan.get("outcome", {})
    return [column for column, keys in outcomes.items() if keys.get("primary") or len(outcomes) == 1]


def _break_even(plan: Mapping[str, Any]) -> bool:
    """Whether the smallest worthwhile effect is what would repay the price."""
    outcomes = plan.get("outcome", {})
    agreed = [outcomes[column].get("worthwhile") for column in _main(plan)]
    return any(isinstance(each, Mapping) and each.get("form") == "break-even" for each in agreed)


def _moves_price(key: Key, main: set[str]) -> bool:
    """Whether a change of a key moves what would repay the price."""
    table = key[0]
    if table == "outcome":
        return key[1] in main and key[-1] == "value"
    return table in ("cost", "attribution") or key == ("decision", "value_counted")


def _bears(key: Key, main: set[str], plan: Mapping[str, Any], what: str) -> bool:
    """Whether a change of a key could move the main answer."""
    table = key[0]
    if table == "outcome":
        return key[1] in main and key[-1] not in NO_ANALYSIS
    if table == "data":
        return key[1] not in OF_DIRECTNESS
    if table in ("sensitivity", "triangulation"):
        new = key[1] not in plan.get(table, {})
        return not new and key[-1] not in NO_ANALYSIS
    if table == "curve":
        return what != "added"
    if table == "context":
        return key[1] == "allocation"
    return table == "method"


def _size(agreed: Mapping[str, Any]) -> str:
    """The smallest change worth having: "−5%", "−4 per 100"."""
    change, form = agreed["change"], agreed.get("form", "relative")
    if form == "break-even":
        return words.BREAK_EVEN
    if form == "per":
        return f"{_told(change)} per {_told(agreed['base'])}"
    return f"{_told(100 * change)}%" if form == "relative" else _told(change)


def _told(value: Any) -> str:
    """A value as a reader meets it, on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.10g}".replace("-", MINUS)
    if isinstance(value, Mapping) and value.get("kind") == "Worthwhile":
        return _size(value)
    if isinstance(value, Mapping):
        parts = (
            f"{ENDS.get(str(key), str(key))} {_told(item)}" for key, item in value.items() if key != "kind"
        )
        return ", ".join(part.replace("_", " ") for part in parts)
    if isinstance(value, list):
        return ", ".join(map(_told, value)) or "none"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
