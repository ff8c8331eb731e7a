"""A plan that was fixed: what was declared, when, and whether outcome data were there by then.

``study.lock.json`` stands beside ``study.toml``. It holds the declared plan as plain values with its hash,
the time, the version, and the name of the data file with what it held. A plan counts as locked before outcome
data where the pilot that is analysed had not ended by then, and at that time

- the file that the study names was not there; or
- it held no outcome of a place or a series in or after the first pilot period; no outcome of any person; or,
  of people with a table of events, no event on or after the first day of the service.

Anything else, and a file that could not be read well enough to tell, counts as data that were there. Once
they were there every later lock is after them. A file that is not there, or holds little, shows nothing of a
pilot that has ended: it can be moved, renamed or cut. The lock shows what was in the file; what somebody had
seen elsewhere it cannot show. Its own checksum finds a lock that was edited or damaged; it is no signature.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ucimpact import serialise
from ucimpact.data.cells import is_empty
from ucimpact.data.dates import read_dates
from ucimpact.data.periods import one_period
from ucimpact.data.reading import Table
from ucimpact.errors import ImpactError, UsageError
from ucimpact.study.convert import Converted
from ucimpact.study.declare import Context, Data, Outcome, Release, Sensitivity, Study
from ucimpact.study.money import Attribution, Budget, Cost, DecisionRule, Payers, Qaly
from ucimpact.study.robust import Curve, Triangulation
from ucimpact.study.source import has_file, of_events, read_source

State = Literal["absent", "before", "there", "unknown"]
BEFORE = ("absent", "before")
"""States in which no outcome data were there."""
Timing = Literal["before", "there", "late", "undated"]
"""When a plan was locked: before the outcome data; when they were there; with none in the file, but after the
pilot that is analysed had ended, or of records that tell no days."""
KIND, SCHEMA = "ucimpact lock", 1
NO_PLAN = ("league", "plan", "folder", "text", "file")
"""Parts of a study that are no plan of its analysis."""
WHERE = ("source", "sql", "sheet", "folders", "dates")
"""Keys of ``[data]`` that say where the records are."""
LEARNT = ("coding", "events_logged", "events")
"""Keys of ``[context]`` that are learnt while the pilot runs."""
KINDS: Mapping[str, type[Any]] = {
    "study": Study, "data": Data, "outcome": Outcome, "sensitivity": Sensitivity, "curve": Curve,
    "triangulation": Triangulation, "cost": Cost, "decision": DecisionRule, "context": Context,
    "release": Release, "attribution": Attribution, "budget": Budget, "payers": Payers, "qaly": Qaly,
}  # fmt: skip
"""What each table of a plan declares."""

Plan = dict[str, Any]
Entry = dict[str, Any]


def lock_path(study: Study) -> Path | None:
    """Where the lock of a study stands; None for a study that was not read from a file."""
    return study.folder / f"{Path(study.file).stem}.lock.json" if study.file else None


# -- the plan as plain values ------------------------------------------------------------


def plan_of(study: Study) -> Plan:
    """What is declared, by table and key; whatever stands at its default is left out.

    Outcomes go by their column, sensitivity analyses by their note.
    """
    about: Plan = {}
    plan: Plan = {"study": about}
    for field in dataclasses.fields(study):
        value = getattr(study, field.name)
        if field.name in NO_PLAN or _is_default(field, value):
            continue
        if field.name == "outcomes":
            plan["outcome"] = {outcome.column: _declared(outcome) for outcome in value}
        elif field.name in ("sensitivity", "triangulation"):
            plan[field.name] = _by_name(value)
        elif dataclasses.is_dataclass(value):
            plan[field.name] = _declared(value)
        else:
            about[field.name] = _plain(value)
    for table, keys in (("data", WHERE), ("context", LEARNT)):
        plan[table] = {key: value for key, value in plan.get(table, {}).items() if key not in keys}
    return {table: keys for table, keys in plan.items() if keys}


def _declared(table: Any) -> dict[str, Any]:
    """The keys of a table that do not stand at their default; a method's options beside its name."""
    found = {
        field.name: _plain(getattr(table, field.name))
        for field in dataclasses.fields(table)
        if not _is_default(field, getattr(table, field.name))
    }
    options = found.pop("options", {})
    return {**found, **options}


def _plain(value: Any) -> Any:
    """As plain values, tables within tables without what stands at its default.

    So a key that a later version adds is no change of an earlier plan.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__, **_declared(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return serialise.plain(value)


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return field.default is not dataclasses.MISSING and bool(value == field.default)


def default_of(table: str, key: str) -> Any:
    """What a key stands at where it is not declared, in full as plain values; None for nothing."""
    kind = KINDS.get(table)
    field = None if kind is None else kind.__dataclass_fields__.get(key)
    if field is None or field.default is dataclasses.MISSING:
        return None
    return _whole(field.default)


def _whole(value: Any) -> Any:
    """As plain values, with whatever stands at its default."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            "kind": type(value).__name__,
            **{each.name: _whole(getattr(value, each.name)) for each in dataclasses.fields(value)},
        }
    return _plain(value)


def _by_name(entries: Sequence[Any]) -> dict[str, Any]:
    """Entries by what they are called; a name that comes again has its number."""
    found: dict[str, Any] = {}
    for entry in entries:
        name = entry.note or getattr(entry, "name", None) or entry.study or entry.method
        again = sum(known == name or known.startswith(f"{name} (") for known in found)
        found[name if not again else f"{name} ({again + 1})"] = _declared(entry)
    return found


def hash_of(plan: Mapping[str, Any]) -> str:
    """SHA-256 of a plan, whatever the order of its keys."""
    return serialise.fingerprint(json.dumps(plan, sort_keys=True, ensure_ascii=False))


# -- the outcome data at that time -------------------------------------------------------


def state_of(study: Study) -> tuple[State, list[dict[str, Any]]]:
    """Whether outcome data are there, and the fingerprint of each file that was read."""
    if study.data.source is not None and not has_file(study.data, study.folder):
        return "absent", []
    try:
        table = read_source(study.data, study.folder)
        prints = [dict(row) for row in table.fingerprints]
        if study.data.kind != "cohort":
            return _of_places(study, table), prints
        if study.data.events is None:
            return _of_people(study, table), prints
        events = read_source(of_events(study.data), study.folder)
        prints += [dict(row) for row in events.fingerprints if row not in table.fingerprints]
        return _of_events(study, table, events), prints
    except (ImpactError, ValueError):
        return "unknown", []


def _of_places(study: Study, table: Table) -> State:
    """Any outcome of any place in or after the first pilot period."""
    read = Converted(study, table)
    if read.general:
        return "unknown"
    if study.data.kind == "panel":
        started = read.starts[np.isfinite(read.starts)]
        if not started.size:
            return "unknown"
        first = float(started.min())
    else:
        first = float(one_period(study.data.start, read.frequency))
    after = np.asarray(read.ordinals) >= first
    for outcome in study.outcomes:
        told = np.array([not is_empty(cell) for cell in table.columns[outcome.column]])
        if (after & told).any():
            return "there"
    return "before"


def _of_people(study: Study, table: Table) -> State:
    """Any outcome of any person."""
    columns = [outcome.column for outcome in study.outcomes]
    cells = (cell for column in columns for cell in table.columns.get(column, ()))
    return "before" if all(is_empty(cell) for cell in cells) else "there"


def _of_events(study: Study, people: Table, events: Table) -> State:
    """Any event on or after the first day of the service."""
    declared, start = study.data.events, study.data.service_start
    assert declared is not None
    if start is None or start not in people.columns or declared.date not in events.columns:
        return "unknown"
    began, seen = (_days(table.columns[name]) for table, name in ((people, start), (events, declared.date)))
    if began is None or seen is None or not began.size:
        return "unknown"
    return "there" if seen.size and seen.max() >= began.min() else "before"


def _days(cells: Sequence[Any]) -> np.ndarray | None:
    """The days of a column, without empty cells; None where one could not be read."""
    told = [cell for cell in cells if not is_empty(cell)]
    days = read_dates(told).days
    return None if np.isnat(days).any() else days


# -- the file ----------------------------------------------------------------------------


def lock(study: Study, *, when: str, version: str, again: bool = False) -> tuple[Path, Entry]:
    """Write the lock of a study beside it.

    Parameters
    ----------
    when, version : str
        The time, and the version of the package.
    again : bool, default False
        Whether an earlier lock may be followed by this one; it is kept in the file.

    Returns
    -------
    path, entry
        Where it was written, and what was locked.

    Raises
    ------
    UsageError
        For a study without a file, a lock that is there already, or one that was edited.
    """
    path = lock_path(study)
    if path is None:
        raise UsageError("only a study file can be locked: read the study from one")
    known = entries_of(path)
    if known and not again:
        raise UsageError(
            f"{study.file} was locked on {known[-1]['locked_at'][:10]}. A plan is locked once; to lock one "
            "that was changed since, use --again: the earlier one stays in the file and in the report"
        )
    plan = plan_of(study)
    state, prints = state_of(study)
    entry: Entry = {
        "locked_at": when,
        "version": version,
        "hash": hash_of(plan),
        "data": {"state": state, "source": named_in(study), "fingerprints": prints},
        "plan": plan,
    }
    body = {"kind": KIND, "schema": SCHEMA, "study": study.file, "locks": [*known, entry]}
    _write(path, serialise.text_of({**body, "checksum": _checksum(body)}))
    return path, entry


def entries_of(path: Path) -> list[Entry]:
    """Every lock in a file, the earliest first; none where there is no file.

    Raises
    ------
    UsageError
        For a lock that does not fit its own checksum.
    """
    if not path.is_file():
        return []
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        checksum = body.pop("checksum")
        locks = body["locks"]
        sound = body["kind"] == KIND and checksum == _checksum(body) and len(locks) > 0
        sound = sound and all(entry["hash"] == hash_of(entry["plan"]) for entry in locks)
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise UsageError(
            f"{path.name} was changed after it was written: it does not fit its own checksum. Put back the "
            "file that `ucimpact lock` wrote. A lock that was edited is no lock"
        )
    return list(locks)


def named_in(study: Study) -> str:
    """The files of records as the study names them."""
    data = study.data
    events = None if data.events is None else data.events.source or data.events.sql
    return ", ".join(name for name in (data.source or data.sql, events) if name)


def timing_of(entry: Entry, ended: dt.date | None) -> Timing:
    """When a lock was made, of a pilot whose last day that is analysed is ``ended``."""
    if entry["data"]["state"] not in BEFORE:
        return "there"
    if ended is None:
        return "undated"
    return "before" if entry["locked_at"][:10] <= ended.isoformat() else "late"


def governing(locks: Sequence[Entry], ended: dt.date | None) -> tuple[Entry, Timing] | None:
    """The lock that a result is held against, and when it was made.

    The last of those before the data were there; where none was, the first of all, so that locking again
    never hides a change. None without a lock.
    """
    if not locks:
        return None
    early = locks[0]
    for entry in locks:
        if timing_of(entry, ended) != "before":
            break
        early = entry
    return early, timing_of(early, ended)


def _checksum(body: Mapping[str, Any]) -> str:
    return serialise.fingerprint(json.dumps(serialise.plain(body), sort_keys=True, ensure_ascii=False))


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=".ucimpact-", delete=False
    ) as scratch:
        scratch.write(text)
    made = Path(scratch.name)
    made.chmod(0o644)
    made.replace(path)
