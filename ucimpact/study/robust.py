"""What a study declares of other ways to answer: every combination of choices, and other designs.

``[curve]`` lists choices that could as well have been made; each combination is an analysis. Whatever the
main analysis chose is always among them, so a list need only name the others. ``[[triangulation]]`` names a
second design that compares the pilot with something else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ucimpact.study.base import Declared, Text, Window, YesNo
from ucimpact.study.lines import Path as KeyPath

MOST = 60
"""Combinations that one report may hold: a picture of more could not be read, nor waited for."""
OWN_PAST = ("its", "count-its")
"""Methods for the pilot places added up and held against their own past."""
COLUMN_SETS = ("covariates", "adjust", "controls")
"""Choices that are sets of columns of numbers."""


@dataclass(frozen=True, kw_only=True)
class Curve(Declared):
    """Choices whose every combination is fitted.

    Attributes
    ----------
    methods : tuple of str
        Keys of the register of methods.
    windows : tuple of Window or "all"
        Windows of the same file.
    covariates, adjust, controls : tuple of tuple of str
        Sets of columns for the option of that name; an empty set is none.
    log : tuple of bool
        Whether the outcome is analysed as a logarithm.
    """

    methods: tuple[Text, ...] = ()
    windows: tuple[Window | Literal["all"], ...] = ()
    covariates: tuple[tuple[Text, ...], ...] = ()
    adjust: tuple[tuple[Text, ...], ...] = ()
    controls: tuple[tuple[Text, ...], ...] = ()
    log: tuple[YesNo, ...] = ()

    @property
    def columns(self) -> list[tuple[KeyPath, str]]:
        """Each column of numbers that a set names, with its key."""
        return [
            (("curve", key), column)
            for key in COLUMN_SETS
            for chosen in getattr(self, key)
            for column in chosen
        ]


@dataclass(frozen=True, kw_only=True)
class Triangulation(Declared):
    """A second design of the same question, with another source of comparison.

    Attributes
    ----------
    study : str, optional
        Another study file, relative to this one.
    method : str, optional
        For a panel: one of :data:`OWN_PAST`, on the pilot places added up.
    note : str
        What it is called in the report.
    """

    study: Text | None = None
    method: Text | None = None
    note: str = ""


def number_of_combinations(curve: Curve, name: str, options: dict[str, object], window: object) -> int:
    """How many combinations the lists make with the choices of the main analysis among them, at most."""
    return math.prod(len(choices) for choices in axes(curve, name, options, window).values())


def axes(curve: Curve, name: str, options: dict[str, object], window: object) -> dict[str, list[object]]:
    """Every choice, the main analysis's own first; one that the table does not list has that alone."""
    own: dict[str, object] = {
        "method": name,
        "window": window,
        **{key: _columns(options.get(key, ())) for key in COLUMN_SETS},
        "log": bool(options.get("log", False)),
    }
    listed: dict[str, Sequence[object]] = {
        "method": curve.methods,
        "window": curve.windows,
        **{key: getattr(curve, key) for key in COLUMN_SETS},
        "log": curve.log,
    }
    return {key: _each_once([own[key], *listed[key]]) if listed[key] else [own[key]] for key in own}


def _columns(value: object) -> tuple[str, ...]:
    """One column or several, as a set of them."""
    if isinstance(value, str):
        return (value,)
    return tuple(str(name) for name in value) if isinstance(value, list | tuple) else ()


def _each_once(choices: Sequence[object]) -> list[object]:
    found: list[object] = []
    for choice in choices:
        if not any(_alike(choice, other) for other in found):
            found.append(choice)
    return found


def _alike(one: object, other: object) -> bool:
    """Whether two choices are one; ``False`` is not 0."""
    return type(one) is type(other) and one == other
