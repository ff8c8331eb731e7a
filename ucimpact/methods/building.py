"""A method from its name and the options of a study file, every problem listed at once.

Options are checked against the fields of the method's dataclass. A choice with behaviour is written
as its name: ``cov = "CR2"`` is ``CR2()``, ``errors = "ols"`` is ``Ols()``. A field of several things,
such as the other changes of a series, is a list of tables, ``[[method.changes]]``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import inspect
import re
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Literal, Union

from ucimpact.errors import ImpactError, UsageError

PARAMETER = re.compile(r"^(\w+) : (.*)\n((?:    .*\n?)+)", re.MULTILINE)
"""A parameter of a numpydoc docstring, its type, and what is said of it."""
CHOICES = re.compile(r"\{(.*?)\}")
ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")
"""A name that a page of documentation links to."""

WORDS = {
    str: "text in quotation marks",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dt.date: "a date",
}

A_KIND = {
    "panel": "a panel",
    "series": "a series",
    "cohort": "a cohort",
    "histories": "people with a table of events",
}
"""What data are called, by the class that holds them."""
BROUGHT = {
    "panel": 'kind = "panel"',
    "series": 'kind = "series"',
    "cohort": 'kind = "cohort", one row a person and no [data.events]',
    "histories": 'kind = "cohort" with a table of dated events under [data.events]',
}
"""How a study file brings them."""

Key = str | tuple[str | int, ...] | None
"""An option, or the path of an entry of its tables; None for the method itself."""

Problems = list[tuple[Key, str]]
"""What is wrong with each option."""


def build(name: str, options: Mapping[str, Any], *, outcome: str) -> Any:
    """A method of the register, with its options.

    Parameters
    ----------
    name : str
        Key of ``METHODS``.
    options : mapping
        Fields of the method as they stand in a study file.
    outcome : str
        The column to analyse.

    Raises
    ------
    UsageError
        Listing every problem with the way out.
    """
    found = problems(name, options)
    if found:
        told = [f"{option_of(key)}: {text}" if key else text for key, text in found]
        raise UsageError(
            "\n".join([f'the method "{name}" cannot be set up', *(f"  {line}" for line in told)])
        )
    return _made(_register()[name], options, outcome)


def problems(name: str, options: Mapping[str, Any], kind: str | None = None) -> Problems:
    """What is wrong with a method's name and options; empty where nothing is.

    ``kind`` is the kind of data they are meant for: ``"panel"``, ``"series"``, ``"cohort"``, or
    ``"histories"`` for people with a table of events.
    """
    if wrong := name_problem(name):
        return [("name", wrong)]
    register = _register()
    method = register[name]
    takes = method.takes.__name__.lower()
    found: Problems = []
    if kind is not None and takes != kind:
        fitting = [key for key, other in register.items() if other.takes.__name__.lower() == kind]
        way_out = f"Use {' or '.join(fitting)}, or bring the data as {BROUGHT.get(takes, takes)}"
        works = f"works on {A_KIND.get(takes, takes)} and the data are {A_KIND.get(kind, kind)}"
        found.append(("name", f'"{name}" {works}. {way_out}'))
    of_options = _option_problems(method, options)
    return found + of_options + _refused(method, options, {option_of(key) for key, _ in of_options})


def name_problem(name: str) -> str | None:
    """That there is no such method, with the nearest or all of them; None where there is one."""
    known = list(_register())
    return None if name in known else f'there is no method "{name}"{_near(name, known)}'


def _register() -> dict[str, Any]:
    from ucimpact import methods

    return methods.METHODS


def _option_problems(method: type, options: Mapping[str, Any]) -> Problems:
    hints = typing.get_type_hints(method)
    names = [f.name for f in dataclasses.fields(method) if f.name != "outcome"]
    found: Problems = []
    for key, value in options.items():
        if key == "outcome":
            found.append((key, "the outcome stands in [[outcome]]. Take it out here"))
        elif key not in names:
            found.append((key, f"this method has no such field{_near(key, names)}"))
        elif made_of := part(hints[key]):
            found += _table_problems(made_of, key, value)
        elif open_to := choices(hints[key]):
            if _choice(open_to, value) is None:
                named = [choice.__name__ for choice in open_to]
                found.append(
                    (key, f"{_wanted(named)}, found {value!r}{_near(str(value), named, listed=False)}")
                )
        elif not _fits(value, hints[key]):
            found.append((key, f"expects {_described(hints[key])}, found {value!r}"))
    return found


def _refused(method: type, options: Mapping[str, Any], wrong: Collection[str | None]) -> Problems:
    """What the method itself says against its options, those apart that are wrong in themselves."""
    right = {key: value for key, value in options.items() if key not in wrong}
    told = _said_against(method, lambda: _made(method, right, outcome="outcome"))
    return [
        (_first_named(text, list(right)), text)
        for text in told
        if _first_named(text.split(";")[0], [key for key in wrong if key]) is None
    ]


def _said_against(made: type, make: Callable[[], object]) -> list[str]:
    """What a class says against its own fields, one by one."""
    try:
        make()
    except ImpactError as error:
        return [part.removeprefix(f"{made.__name__}: ") for part in error.parts]
    except (ValueError, TypeError) as error:
        return [str(error).removeprefix(f"{made.__name__}: ")]
    return []


def _first_named(text: str, names: Sequence[str]) -> str | None:
    """The name that stands first in a text, as a word of its own; None where none does."""
    places = {name: found.start() for name in names if (found := re.search(rf"\b{re.escape(name)}\b", text))}
    return min(places, key=lambda name: places[name]) if places else None


def option_of(key: Key) -> str | None:
    """The option that a problem belongs to."""
    return str(key[0]) if isinstance(key, tuple) else key


def _made(method: type, options: Mapping[str, Any], outcome: str) -> Any:
    hints = typing.get_type_hints(method)
    fields = {}
    for key, value in options.items():
        open_to, made_of = choices(hints[key]), part(hints[key])
        if made_of:
            fields[key] = tuple(_part_made(made_of, entry) for entry in value)
        elif open_to:
            fields[key] = _choice(open_to, value)
        elif isinstance(value, str) and _takes_names(hints[key]):
            fields[key] = (value,)
        else:
            fields[key] = tuple(value) if isinstance(value, list) else value
    return method(outcome=outcome, **fields)


def part(hint: Any) -> type | None:
    """What each table of a field that is a list of tables makes; None for any other field."""
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is tuple and inner and dataclasses.is_dataclass(inner[0]):
        return inner[0] if isinstance(inner[0], type) else None
    return None


def _part_made(made_of: type, entry: Any) -> Any:
    """A table as what it makes; what is already made stays."""
    return entry if isinstance(entry, made_of) else made_of(**entry)


def _table_problems(made_of: type, key: str, value: object) -> Problems:
    """What is wrong with a list of tables, each table by its number and each entry by its name."""
    if not isinstance(value, (list, tuple)):
        return [(key, f"expects tables, each headed [[method.{key}]], found {value!r}")]
    hints = typing.get_type_hints(made_of)
    fields = {f.name: f for f in dataclasses.fields(made_of)}
    found: Problems = []
    for at, entry in enumerate(value):
        which = f"table {at + 1}: "
        if isinstance(entry, made_of):
            continue
        if not isinstance(entry, Mapping):
            found.append(((key, at), f"{which}expects entries such as {', '.join(fields)}, found {entry!r}"))
            continue
        told: list[tuple[str | None, str]] = [
            (name, f"`{name}` expects {_described(hints[name])}, found {given!r}")
            if name in fields
            else (name, f"there is no entry `{name}`{_near(name, list(fields))}")
            for name, given in entry.items()
            if name not in fields or not _fits(given, hints[name])
        ]
        told += [
            (None, f"`{name}` is missing")
            for name, f in fields.items()
            if _is_needed(f) and name not in entry
        ]
        if not told:
            said = _said_against(made_of, partial(made_of, **entry))
            told = [(_first_named(text, list(entry)), text) for text in said]
        found += [((key, at, *([name] if name else [])), which + text) for name, text in told]
    return found


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def choices(hint: Any) -> tuple[type, ...]:
    """What may be chosen in a field that holds a choice with behaviour; empty for any other field."""
    if typing.get_origin(hint) is tuple:
        return ()
    options = typing.get_args(hint) or (hint,)
    return tuple(
        option for option in options if isinstance(option, type) and dataclasses.is_dataclass(option)
    )


def _choice(open_to: tuple[type, ...], value: object) -> Any:
    """The choice a name stands for, or None; a choice already made stays."""
    if isinstance(value, open_to):
        return value
    named = {choice.__name__.lower(): choice for choice in open_to}
    chosen = named.get(value.lower()) if isinstance(value, str) else None
    return None if chosen is None else chosen()


def _takes_names(hint: Any) -> bool:
    """Whether a field is a list of names, of which a single one may stand alone."""
    inner = typing.get_args(hint)
    return typing.get_origin(hint) is tuple and len(inner) == 2 and inner[0] is str and inner[1] is ...


def _fits(value: object, hint: Any) -> bool:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in inner)
    if origin is Literal:
        return value in inner
    if isinstance(value, str) and _takes_names(hint):
        return True
    if origin is tuple:
        return isinstance(value, (list, tuple)) and all(_fits(item, inner[0]) for item in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _described(hint: Any) -> str:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_described(option) for option in inner if option is not type(None))
    if origin is Literal:
        return _wanted([str(option) for option in inner])
    if origin is tuple:
        return f"a list of {_described(inner[0])}, as in [...]"
    return WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _wanted(choices: Sequence[str]) -> str:
    return "one of " + ", ".join(f'"{choice}"' for choice in choices)


def _near(word: str, known: Sequence[str], *, listed: bool = True) -> str:
    close = difflib.get_close_matches(word, known, 1, 0.6)
    if close:
        return f". Did you mean `{close[0]}`?"
    return f". There are: {', '.join(known)}" if listed else ""


def described(method: type) -> tuple[str, list[tuple[str, str, str]]]:
    """What a method does, and each field a study file may set: name, default, what it is.

    All of it is read from the docstrings and annotations of the method and of what it builds on, so it
    cannot fall behind. Where both describe a field the method's own words stand.
    """
    texts = [
        inspect.cleandoc(base.__doc__ or "") for base in method.__mro__ if dataclasses.is_dataclass(base)
    ]
    told = {
        name: _told(kind, body) for text in reversed(texts) for name, kind, body in PARAMETER.findall(text)
    }
    found = [
        (field.name, _default(field), told.get(field.name, ""))
        for field in dataclasses.fields(method)
        if field.name != "outcome"
    ]
    return texts[0].split("\n\n")[0].replace("\n", " "), found


def _told(kind: str, body: str) -> str:
    """What a docstring says of a field, its choices first where the words do not give them."""
    said = " ".join(ROLE.sub(r"\1", body).replace("``", "").split())
    listed = CHOICES.search(kind)
    if listed is None or all(choice in said for choice in listed[1].split(", ")):
        return said
    return f"One of {listed[1]}. {said}"


def _default(field: dataclasses.Field[Any]) -> str:
    """A default as it would stand in a study file."""
    value = field.default_factory() if callable(field.default_factory) else field.default
    if value is None or value == ():
        return "(none)"
    if dataclasses.is_dataclass(value):
        return f'"{type(value).__name__}"'
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
