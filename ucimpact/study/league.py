"""What a study says of its place among others, and what a file declares that names the pilots of a league.

:mod:`ucimpact.study.league_file` reads the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ucimpact import serialise
from ucimpact.study.base import Certainty, Declared, Number, Text, Whole, YesNo

SCHEMA = 1
YEARS = 2
"""The year that is decided on, and the one after it, for which what is learned counts."""
DISCOUNT = 0.035


@dataclass(frozen=True, kw_only=True)
class InLeague(Declared):
    """The ``[league]`` table of a study: how the pilot is called where several stand together.

    Attributes
    ----------
    name, place : str, optional
        "Carer support calls", "Westow"; by default what the study calls its pilot.
    controls : str, optional
        A name for the people or places it is compared with. Pilots that name the same share them.
    result : str, optional
        The ``league.json`` in which the pilot stands, relative to the study file: the pilot's own report then
        says what the league made of it.
    """

    name: Text | None = None
    place: Text | None = None
    controls: Text | None = None
    result: Text | None = None


@dataclass(frozen=True, kw_only=True)
class MainstreamIf(Declared):
    """When a pilot would be made permanent."""

    chance_worth_its_cost: Annotated[Number, Field(gt=0, lt=1)] = 0.8
    min_certainty: Certainty = "low"


@dataclass(frozen=True, kw_only=True)
class KeepIf(Declared):
    """The chance at which a pilot is kept after a second year."""

    chance_worth_its_cost: Annotated[Number, Field(gt=0, lt=1)] = 0.7


@dataclass(frozen=True, kw_only=True)
class ExtendIf(Declared):
    """The chance below which a second year is not bought, however much it would teach."""

    chance_worth_its_cost: Annotated[Number, Field(ge=0, lt=1)] = 0.5


@dataclass(frozen=True, kw_only=True)
class About(Declared):
    """The ``[league]`` table of a league file.

    Attributes
    ----------
    who : str, optional
        The people of all pilots, in one phrase. Given, it vouches that they are the same people though the
        studies call them by other words.
    budget : float, optional
        Pounds for one year of the pilots; absent, no money is shared out.
    years : int, default 2
        Years that the decision is for: what a second year teaches is worth something in those after it.
    discount : float, default 0.035
        By which each later year counts less.
    another_year_costs : float, optional
        What evaluating one pilot for a second year costs.
    controls : str, optional
        A name for the comparison people that all pilots share.
    """

    title: Text
    question: Text
    by: Text
    who: Text | None = None
    budget: Annotated[Number, Field(gt=0)] | None = None
    years: Annotated[Whole, Field(ge=1, le=60)] = YEARS
    discount: Annotated[Number, Field(ge=0, lt=1)] = DISCOUNT
    another_year_costs: Annotated[Number, Field(ge=0)] | None = None
    mainstream_if: MainstreamIf | None = None
    keep_if: KeepIf = KeepIf()
    extend_if: ExtendIf = ExtendIf()
    controls: Text | None = None
    seed: Annotated[Whole, Field(ge=0)] = 1
    example: YesNo = False


@dataclass(frozen=True, kw_only=True)
class PilotEntry(Declared):
    """One ``[[pilot]]``: where its evaluation or its study is, and what the league says of it.

    Attributes
    ----------
    study, evaluation : str, optional
        One of the two, relative to the league file: a study or its folder, evaluated on the way; or an
        ``evaluation.json`` or the folder that holds it.
    at_least, at_most : float, optional
        The smallest and largest scale at which it can run, as a share of today's; 1 is today's.
    price : float, optional
        The price per person that was agreed since, in pounds.
    """

    study: Text | None = None
    evaluation: Text | None = None
    name: Text | None = None
    place: Text | None = None
    at_least: Annotated[Number, Field(ge=0)] | None = None
    at_most: Annotated[Number, Field(gt=0)] | None = None
    price: Annotated[Number, Field(ge=0)] | None = None


@dataclass(frozen=True, kw_only=True)
class League:
    """A league as declared.

    Attributes
    ----------
    about : About
    pilots : tuple of PilotEntry
    folder : Path
        Where the file lies; its relative paths start here.
    text : str
        The file as it was read; empty where pilots were named on the command line.
    """

    about: About | None
    pilots: tuple[PilotEntry, ...]
    folder: Path = Path()
    text: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 of the file as it was read."""
        return serialise.fingerprint(self.text)
