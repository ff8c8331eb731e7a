"""Read a study file and say everything that is wrong with it at once.

Each problem has its line, the key, what was found, and the way out: the nearest key that exists, or an
example. The declarations of :mod:`ucimpact.study.declare` and :mod:`ucimpact.study.money` say what may
stand at each key; :mod:`ucimpact.study.rules` what one key demands of another.
"""

from __future__ import annotations

import tomllib
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ucimpact.errors import DataError, ImpactError, UsageError
from ucimpact.study import declare, league, money, robust
from ucimpact.study.base import Window
from ucimpact.study.declare import NUMBERS, Data, Method, Outcome, Sensitivity, Study, named_in
from ucimpact.study.lines import Path as KeyPath
from ucimpact.study.money_rules import money_problems
from ucimpact.study.robust_rules import (
    break_even_problems,
    curve_problems,
    judged_curve,
    triangulation_problems,
)
from ucimpact.study.rules import Outcomes, missing_files, plan_problems, rule_problems
from ucimpact.study.said import EXAMPLES, Said, message, near, no_such, shown
from ucimpact.study.source import absent_columns, columns_named, columns_of_events, of_events, read_source

SCHEMA = 1
TABLES: dict[str, type] = {
    "study": declare.About,
    "data": Data,
    "method": Method,
    "cost": money.Cost,
    "decision": money.DecisionRule,
    "context": declare.Context,
    "release": declare.Release,
    "plan": declare.Plan,
    "league": league.InLeague,
    "curve": robust.Curve,
    "attribution": money.Attribution,
    "budget": money.Budget,
    "payers": money.Payers,
    "qaly": money.Qaly,
}
ARRAYS: dict[str, type] = {
    "outcome": Outcome,
    "sensitivity": Sensitivity,
    "triangulation": robust.Triangulation,
}
NEEDED = ("study", "data", "outcome", "method")
NESTED: dict[str, type] = {
    "window": Window,
    "windows": Window,
    "dates": declare.Dates,
    "value": money.Value,
    "chosen": declare.Chosen,
    "mainstream_if": money.Mainstream,
    "keep_if": league.KeepIf,
    "extend_if": league.ExtendIf,
    "event": declare.Event,
    "counted": declare.Counted,
    "events": declare.Events,
}
EXPECTED = {
    "string_type": "text in quotation marks",
    "string_too_short": "text that is not empty",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "date_type": "a date such as 2022-04-01",
    "tuple_type": 'a list such as ["a", "b"]',
    "dict_type": "a table",
    "dataclass_type": "a table",
}

PLACEHOLDERS = ("NAME OF THE PLACE", "WHO IS ANSWERABLE FOR THIS REPORT")

Judge = Callable[[str, Mapping[str, Any], str | None], Sequence[tuple[str | KeyPath | None, str]]]
"""Asked of each method named: its name, its options, the kind of data; answers (option, problem).

In place of an option there may be the path of an entry of its tables, such as ``("changes", 0, "shape")``.
"""


def read_study(path: str | Path, *, judge: Judge | None = None, with_data: bool = True) -> Study:
    """Read a study file.

    Parameters
    ----------
    path : path
        The file, or the folder that holds it as ``study.toml``.
    judge : callable, optional
        Asked about the methods named, so that their problems are listed with the rest;
        :func:`ucimpact.methods.building.problems` is one.
    with_data : bool, default True
        Whether the records must be there, and nothing of a template be left unwritten; a plan is made
        before.

    Raises
    ------
    UsageError
        Listing every problem with its line.
    """
    path = Path(path)
    path = path / "study.toml" if path.is_dir() else path
    text = _text(path)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        way_out = 'Text stands in quotation marks ("..."), lists in [ ], and each key once'
        raise UsageError(f"{path.name} cannot be read as TOML: {error}. {way_out}") from None
    problems = _unknown_tables(raw)
    parts = {name: _table(name, raw, problems) for name in TABLES}
    arrays = {name: _array(name, raw, problems) for name in ARRAYS}
    folder = path.resolve().parent
    about, data, method = parts.pop("study"), parts.pop("data"), parts.pop("method")
    outcomes = _with_primary(arrays["outcome"])
    sensitivity = _as_main(arrays["sensitivity"], method, problems)
    release, context, plan = parts["release"], parts["context"], parts["plan"]
    problems += rule_problems(data, outcomes, sensitivity, release, context)
    problems += plan_problems(plan, data, outcomes)
    problems += money_problems(parts, outcomes, None if data is None else data.eligible)
    problems += curve_problems(parts["curve"], data, method)
    problems += break_even_problems(outcomes, parts["cost"], parts["decision"])
    problems += triangulation_problems(arrays["triangulation"], data)
    if with_data:
        problems += missing_files(data, folder) + _unfilled(raw)
    if judge is not None:
        problems += _judged(judge, data, method, sensitivity, outcomes)
        problems += judged_curve(judge, parts["curve"], data, method)
    if problems and with_data and data is not None:
        problems += _absent(data, outcomes, method, folder)
    if problems:
        raise UsageError(message(path.name, problems, text))
    return Study(
        **{field.name: getattr(about, field.name) for field in fields(declare.About)},
        **{name: part for name, part in parts.items() if part is not None},
        data=data,
        method=method,
        outcomes=tuple(outcome for outcome in outcomes if outcome is not None),
        sensitivity=tuple(entry for entry in sensitivity if entry is not None),
        triangulation=tuple(entry for entry in arrays["triangulation"] if entry is not None),
        folder=folder,
        text=text,
        file=path.name,
    )


def _text(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"there is no study file {path}. Write one with: ucimpact init SERVICE")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path.name} is not UTF-8 text. Save it as UTF-8") from None
    return text.replace("\r\n", "\n")


def _unfilled(raw: Mapping[str, Any]) -> list[Said]:
    """What a template left for a person to write; it would stand on the first page."""
    about = raw.get("study")
    if not isinstance(about, Mapping):
        return []
    return [
        Said(("study", key), f"still holds the template's {mark}. Write your own")
        for key, text in about.items()
        for mark in PLACEHOLDERS
        if isinstance(text, str) and mark in text
    ]


def _with_primary(outcomes: Outcomes) -> Outcomes:
    """A study's only outcome is its primary one."""
    only = outcomes[0] if len(outcomes) == 1 else None
    return outcomes if only is None else (replace(only, primary=True),)


def _as_main(
    entries: tuple[Sensitivity | None, ...], method: Method | None, problems: list[Said]
) -> tuple[Sensitivity | None, ...]:
    """Sensitivity analyses with the fields of the main method, where they say so, under their own."""
    whole = list(entries)
    for at, entry in enumerate(entries):
        if entry is None or not entry.as_main or method is None:
            continue
        if entry.name != method.name:
            text = f'takes the fields of [method], which is "{method.name}". Name it, or take the key out'
            problems.append(Said(("sensitivity", at, "as_main"), text))
            continue
        whole[at] = replace(entry, options={**method.options, **entry.options})
    return tuple(whole)


# -- tables ------------------------------------------------------------------------------


def _unknown_tables(raw: Mapping[str, Any]) -> list[Said]:
    known = ["schema", *TABLES, *ARRAYS]
    problems = [Said((name,), no_such("table or key", name, known)) for name in raw if name not in known]
    if "schema" not in raw:
        problems.append(Said((), f"`schema` is missing. Write schema = {SCHEMA} in the first line"))
    elif raw["schema"] != SCHEMA or isinstance(raw["schema"], bool):
        found = shown(raw["schema"])
        problems.append(Said(("schema",), f"this version reads schema {SCHEMA}, found {found}"))
    for name in NEEDED:
        if name not in raw:
            header = f"[[{name}]]" if name in ARRAYS else f"[{name}]"
            problems.append(
                Said((), f"the table {header} is missing. Add it: ucimpact init writes an example")
            )
    return problems


def _table(name: str, raw: Mapping[str, Any], problems: list[Said]) -> Any:
    """One table as its declaration, or None."""
    return declared(TABLES[name], raw[name], (name,), problems) if name in raw else None


def _array(name: str, raw: Mapping[str, Any], problems: list[Said]) -> tuple[Any, ...]:
    """Each entry as its declaration, or None, in its place."""
    entries = raw.get(name, [])
    if not isinstance(entries, list):
        problems.append(Said((name,), f"write [[{name}]] with two brackets: there can be more than one"))
        return ()
    return tuple(declared(ARRAYS[name], entry, (name, at), problems) for at, entry in enumerate(entries))


def declared(declaration: type, given: Any, path: KeyPath, problems: list[Said]) -> Any:
    if declaration in (Method, Sensitivity) and isinstance(given, dict):
        own = {"name", "as_main", "note", "window"} if declaration is Sensitivity else {"name"}
        options = {key: value for key, value in given.items() if key not in own}
        given = {**{key: value for key, value in given.items() if key in own}, "options": options}
    try:
        return _adapter(declaration).validate_python(given)
    except ValidationError as error:
        problems += _sentences(error, declaration, given, path)
        return None


@cache
def _adapter(declaration: type) -> TypeAdapter[Any]:
    return TypeAdapter(declaration)


def _sentences(error: ValidationError, declaration: type, given: Any, path: KeyPath) -> list[Said]:
    """Pydantic's findings in our words, one for each key."""
    by_key: dict[KeyPath, list[Any]] = {}
    for found in error.errors(include_url=False, include_context=True):
        by_key.setdefault(_key_path(found, given), []).append(found)
    outer = {key[:length] for key in by_key for length in range(1, len(key))}
    return [
        Said((*path, *key), _sentence(found, key, declaration))
        for key, found in by_key.items()
        if key not in outer
    ]


def _key_path(found: Mapping[str, Any], given: Any) -> KeyPath:
    """Where an error lies in the file: its location without the names of the types that were tried."""
    path: list[str | int] = []
    here = given
    location = found["loc"]
    for at, part in enumerate(location):
        if (isinstance(here, dict) and part in here) or (isinstance(here, list) and isinstance(part, int)):
            path.append(part)
            here = here[part]
        elif at == len(location) - 1 and found["type"] == "missing":
            path.append(part)
    return tuple(path)


def _sentence(found: Sequence[Any], key: KeyPath, declaration: type) -> str:
    name = str(next((part for part in reversed(key) if isinstance(part, str)), ""))
    first = found[0]
    kind = first["type"]
    if kind == "missing":
        example = EXAMPLES.get(name)
        return f"is missing. Add {name} = {example}" if example else "is missing. Add it"
    if kind == "unexpected_keyword_argument":
        holder = next(
            (NESTED[p] for p in reversed(key[:-1]) if isinstance(p, str) and p in NESTED), declaration
        )
        return no_such("key", name, keys_of(holder))
    if kind == "value_error":
        return str(first["ctx"]["error"])
    value = first["input"]
    literals = [f["ctx"]["expected"] for f in found if f["type"] == "literal_error"]
    bounds = [
        f["msg"].removeprefix("Input should be ")
        for f in found
        if f["type"] in ("greater_than_equal", "greater_than", "less_than_equal", "less_than")
    ]
    wanted = [EXPECTED[f["type"]] for f in found if f["type"] in EXPECTED]
    wanted += [f"one of {text}".replace("'", '"').replace(" or ", ", ") for text in literals]
    wanted += [f"a number {text}" for text in bounds]
    if kind == "string_pattern_mismatch":
        wanted = [f"text such as {EXAMPLES.get(name, first['ctx']['pattern'])}"]
    choices = [word for text in literals for word in text.replace("' or '", "', '").strip("'").split("', '")]
    return f"expects {' or '.join(wanted)}, found {shown(value)}{near(str(value), choices)}"


def keys_of(declaration: type) -> list[str]:
    """The keys of a table as they are written in a file."""
    hints = typing.get_type_hints(declaration, include_extras=True)
    keys = []
    for field in fields(declaration):
        extras = getattr(hints[field.name], "__metadata__", ())
        alias = next((e.alias for e in extras if isinstance(e, FieldInfo) and e.alias), None)
        keys.append(alias or field.name)
    return keys


def _judged(
    judge: Judge,
    data: Data | None,
    method: Method | None,
    sensitivity: tuple[Sensitivity | None, ...],
    outcomes: Outcomes,
) -> list[Said]:
    asked: list[tuple[KeyPath, Method | Sensitivity]] = [(("method",), method)] if method else []
    asked += [(("sensitivity", at), entry) for at, entry in enumerate(sensitivity) if entry is not None]
    kind = None if data is None else data.shape
    of_main = judge(method.name, method.options, kind) if method else ()
    found = [
        Said((*path, *(key if isinstance(key, tuple) else (key or "name",))), text)
        for path, entry in asked
        for key, text in (of_main if entry is method else judge(entry.name, entry.options, kind))
        if entry is method or not (getattr(entry, "as_main", False) and (key, text) in of_main)
    ]
    return found + [
        Said(("outcome", at, "method"), text)
        for at, outcome in enumerate(outcomes)
        if outcome is not None and outcome.method is not None
        for _, text in judge(outcome.method, {}, kind)
    ]


def _absent(data: Data, outcomes: Outcomes, method: Method | None, folder: Path) -> list[Said]:
    """Columns the file does not have, where the rest of the study file is wrong too."""
    named = columns_named(data, outcomes, [] if method is None else named_in(method, NUMBERS))
    tables = [(data, named)]
    if data.events is not None and data.person is not None:
        tables.append((of_events(data), columns_of_events(data)))
    found: list[Said] = []
    for source, columns in tables:
        try:
            table = read_source(source, folder)
        except ImpactError:
            continue
        try:
            absent = absent_columns(columns, table, show=data.show)
        except DataError as error:
            found += [Said(("data", "source"), str(problem)) for problem in error.problems]
            continue
        found += [Said(path, f"column `{column}`: {what}. {do}") for path, column, what, do in absent]
    return found
