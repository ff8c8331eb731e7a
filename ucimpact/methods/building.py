"""A method from its name and the options of a study file, every problem listed at once.

Options are checked against the fields of the method's dataclass. A choice with behaviour is written
as its name: ``cov = "CR2"`` is ``CR2()``, ``errors = "ols"`` is ``Ols()``.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union

from ucimpact.errors import ImpactError, UsageError

PARAMETER = re.compile(r"^(\w+) : .*\n((?:    .*\n?)+)", re.MULTILINE)
"""A parameter of a numpydoc docstring, and what is said of it."""

WORDS = {str: "text in quotation marks", bool: "true or false", int: "a whole number", float: "a number"}

Problems = list[tuple[str | None, str]]
"""Option (None: the method itself) and what is wrong with it."""


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
        told = [f"{key}: {text}" if key else text for key, text in found]
        raise UsageError(
            "\n".join([f'the method "{name}" cannot be set up', *(f"  {line}" for line in told)])
        )
    return _made(_register()[name], options, outcome)


def problems(name: str, options: Mapping[str, Any], kind: str | None = None) -> Problems:
    """What is wrong with a method's name and options; empty where nothing is.

    ``kind`` is the kind of data they are meant for, ``"panel"`` or ``"series"``.
    """
    register = _register()
    if name not in register:
        return [("name", f'there is no method "{name}"{_near(name, list(register))}')]
    method = register[name]
    takes = method.takes.__name__.lower()
    found: Problems = []
    if kind is not None and takes != kind:
        fitting = [key for key, other in register.items() if other.takes.__name__.lower() == kind]
        way_out = f'Use {" or ".join(fitting)}, or bring the data as kind = "{takes}"'
        found.append(("name", f'"{name}" works on a {takes} and the data are a {kind}. {way_out}'))
    found += _option_problems(method, options)
    return found or _refused(method, options)


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
        elif open_to := choices(hints[key]):
            if _choice(open_to, value) is None:
                named = [choice.__name__ for choice in open_to]
                found.append(
                    (key, f"{_wanted(named)}, found {value!r}{_near(str(value), named, listed=False)}")
                )
        elif not _fits(value, hints[key]):
            found.append((key, f"expects {_described(hints[key])}, found {value!r}"))
    return found


def _refused(method: type, options: Mapping[str, Any]) -> Problems:
    """What the method itself says against its options."""
    try:
        _made(method, options, outcome="outcome")
    except (ImpactError, ValueError, TypeError) as error:
        text = str(error).removeprefix(f"{method.__name__}: ")
        return [(next((key for key in options if f"{key} " in text), None), text)]
    return []


def _made(method: type, options: Mapping[str, Any], outcome: str) -> Any:
    hints = typing.get_type_hints(method)
    fields = {}
    for key, value in options.items():
        open_to = choices(hints[key])
        fields[key] = (
            _choice(open_to, value) if open_to else tuple(value) if isinstance(value, list) else value
        )
    return method(outcome=outcome, **fields)


def choices(hint: Any) -> tuple[type, ...]:
    """What may be chosen in a field that holds a choice with behaviour; empty for any other field."""
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


def _fits(value: object, hint: Any) -> bool:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in inner)
    if origin is Literal:
        return value in inner
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

    All of it is read from the method's docstring and annotations, so it cannot fall behind.
    """
    text = inspect.cleandoc(method.__doc__ or "")
    told = {name: " ".join(body.replace("``", "").split()) for name, body in PARAMETER.findall(text)}
    found = [
        (field.name, _default(field), told.get(field.name, ""))
        for field in dataclasses.fields(method)
        if field.name != "outcome"
    ]
    return text.split("\n\n")[0].replace("\n", " "), found


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
