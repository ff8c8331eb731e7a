r"""A pilot as a league sees it: its evaluation, and what of it is counted.

Effects stand as benefits on the log scale, :math:`\theta = \mp \log r`, plus is good; a reader meets them as
events per so many people, :math:`E (e^{\mp\theta} - 1)` with :math:`E` what was expected without the service.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

import numpy as np

from ucimpact import words
from ucimpact.economics.unit_costs import inflator
from ucimpact.errors import ImpactError, UsageError
from ucimpact.words import league as said
from ucimpact.words.numbers import mid_sentence

SCHEMA = 1
NOT_COUNTED = ("unmeasured",)
"""Key checks that never bar a verdict by a doubt."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An evaluation as it was handed in, and what the league says of it.

    Attributes
    ----------
    document : mapping
        A released evaluation.
    source : str
        Where it came from, for messages.
    """

    document: Mapping[str, Any]
    source: str
    name: str | None = None
    place: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    price: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Pilot:
    """One pilot of a league.

    Attributes
    ----------
    id, name, place, hash : str
    log, low, high, std_error, used_se : float
        The logarithm of its rate ratio; ``used_se`` is the error of a normal with the printed range.
    each : float or None
        Events expected without the service for each person whom it is paid for.
    unit_value, price, people : float or None
        Pounds of one event and of one person, in the prices of the league; people of a year.
    short : str
        By what a sentence names it: its place, or its name where another has the same place or it has none.
    agreed : bool
        Whether the price was agreed since its own report.
    notes : tuple of str
        What was done to its numbers.
    """

    id: str
    name: str
    place: str | None
    short: str
    hash: str
    source: str
    document: Mapping[str, Any]
    log: float
    low: float
    high: float
    std_error: float
    used_se: float
    df: float | None
    each: float | None
    unit_value: float | None
    price: float | None
    people: float | None
    analysed: float | None
    price_year: str | None
    at_least: float = 1.0
    at_most: float = 1.0
    agreed: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def comparable(self) -> Mapping[str, Any]:
        """What the evaluation tells a league."""
        told: Mapping[str, Any] = self.document["comparable"]
        return told

    @property
    def found(self) -> Mapping[str, Any]:
        """The finding of its own report."""
        told: Mapping[str, Any] = self.document["finding"]
        return told

    @property
    def called(self) -> str:
        """In a sentence: "link workers in Oldcastle"."""
        return called(self.name, self.place)

    @property
    def doubt(self) -> str | None:
        """The question of the first key check in doubt."""
        return next((check["question"] for check in self.key_checks if check["answer"] == "doubtful"), None)

    @property
    def key_checks(self) -> list[Mapping[str, Any]]:
        """The checks that a decision looks at."""
        return [
            check
            for check in self.document["checks"]
            if check.get("counted", True)
            and check["name"] in words.QUESTIONS
            and check["name"] not in NOT_COUNTED
        ]

    @property
    def value(self) -> float | None:
        """Pounds of the outcome that a person has without the service."""
        if self.each is None or self.unit_value is None:
            return None
        return self.each * self.unit_value * float(self.comparable.get("own_share", 1.0))

    @property
    def is_priced(self) -> bool:
        """Whether its worth can be set against its price."""
        return None not in (self.value, self.price) and bool(self.people)


def called(name: str, place: str | None) -> str:
    """ "link workers in Oldcastle"."""
    said = mid_sentence(name)
    return f"{said} in {place}" if place else said


def checked(entry: Entry) -> None:
    """Refuse what is no evaluation of this version.

    Raises
    ------
    UsageError
        With the way out.
    """
    document = entry.document
    again = f"{entry.source}: run the study again with this version"
    if document.get("kind") == "league":
        raise UsageError(f"{entry.source} is a league; name the evaluations that it is made of")
    if document.get("schema") != SCHEMA or "finding" not in document or "study" not in document:
        raise UsageError(f"{entry.source} is no evaluation that this version reads. {again}")
    if document.get("comparable") is None:
        raise UsageError(f"{entry.source} was written before evaluations could be compared. {again}")


def name_of(entry: Entry) -> tuple[str, str | None]:
    """The name and place by which a pilot stands in a league."""
    study = entry.document["study"]
    own = study.get("league") or {}
    given = own.get("name")
    if not given:
        subject = str(study["subject"])
        given = study["pilot"] if subject == "the pilot" else subject.removeprefix("the ")
    return words.capital(str(entry.name or given)), entry.place or own.get("place")


def pilots_of(entries: Sequence[Entry], year: str | None) -> list[Pilot]:
    """The pilots of entries that may stand together, in the prices of one year."""
    places = [name_of(entry)[1] for entry in entries]
    made: list[Pilot] = []
    for entry in entries:
        taken = [pilot.id for pilot in made]
        made.append(_pilot(entry, taken, year, alone=places.count(name_of(entry)[1]) == 1))
    return made


def _pilot(entry: Entry, taken: Sequence[str], year: str | None, *, alone: bool) -> Pilot:
    """One pilot; ``alone`` where no other is in its place."""
    told = entry.document["comparable"]
    name, place = name_of(entry)
    own_year, notes = told["price_year"], []
    decision = entry.document["decision"]
    price, unit = decision.get("price"), told["unit_value"]
    price = _own_price(entry.document) if price is None else price
    if own_year and year and own_year != year:
        times = inflator(own_year, year)
        price, unit = (None if pounds is None else pounds * times for pounds in (price, unit))
        notes.append(said.moved_prices(own_year, year))
    if entry.price is not None:
        price = entry.price
    if told.get("value_in_doubt"):
        notes.append(said.VALUE_IN_DOUBT)
    people = told["people"] or told["analysed"]
    return Pilot(
        id=_identifier(place if place and alone else name, taken),
        name=name,
        place=place,
        short=place if place and alone else mid_sentence(name),
        hash=str(entry.document["study"]["hash"]),
        source=entry.source,
        document=entry.document,
        **{key: float(told[key]) for key in ("log", "low", "high", "std_error", "used_se")},
        df=told["df"],
        each=told["expected_each"],
        unit_value=unit,
        price=price,
        people=people,
        analysed=told["analysed"],
        price_year=year or own_year,
        at_least=1.0 if entry.at_least is None else entry.at_least,
        at_most=1.0 if entry.at_most is None else entry.at_most,
        agreed=entry.price is not None,
        notes=tuple(notes),
    )


def _own_price(document: Mapping[str, Any]) -> float | None:
    """Price a person of an evaluation that could give no verdict."""
    cost = (document.get("valuation") or {}).get("cost") or {}
    return cost.get("per_person")


def league_year(entries: Sequence[Entry]) -> str | None:
    """The financial year of most pilots' prices, the latest of several; None where none has any."""
    years = [entry.document["comparable"]["price_year"] for entry in entries]
    known = [year for year in years if year]
    return max(known, key=lambda year: (known.count(year), year)) if known else None


def movable(entry: Entry, year: str | None) -> str | None:
    """Why the prices of a pilot cannot be moved to the league's year; None where they can."""
    own = entry.document["comparable"]["price_year"]
    if not own or not year:
        return None
    try:
        inflator(own, year)
    except ImpactError as error:
        return str(error)
    return None


def _identifier(text: str, taken: Sequence[str]) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "pilot"
    made, at = stem, 2
    while made in taken:
        made, at = f"{stem}-{at}", at + 1
    return made


# -- units ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Scale:
    """In what a league is told: events per ``base`` people, a mean of each person, or per cent.

    Attributes
    ----------
    expected : array (K,)
        Of each pilot without the service; 100 where per cent are told.
    worthwhile : tuple of float or None
        The smallest worthwhile effect of each.
    """

    base: int | None
    percent: bool
    kind: str
    better: Literal["lower", "higher"]
    expected: np.ndarray
    worthwhile: tuple[float | None, ...]

    @property
    def toward(self) -> float:
        """The sign of a benefit on the scale of the log ratio."""
        return -1.0 if self.better == "lower" else 1.0

    @property
    def measure(self) -> words.Measure:
        """How a difference is written."""
        return words.measure(self.kind, percent=self.percent)

    @property
    def per(self) -> str:
        """ " per 100", or nothing."""
        return "" if self.percent or self.base is None else f" per {self.base:,}"

    def natural(self, theta: float, k: int) -> float:
        """A benefit on the log scale as a difference, negative = fewer."""
        return float(self.expected[k] * np.expm1(self.toward * theta))

    def ends(self, low: float, high: float, k: int) -> tuple[float, float]:
        """Limits of a benefit as limits of a difference, the lower first."""
        first, last = self.natural(low, k), self.natural(high, k)
        return min(first, last), max(first, last)


def scale_of(pilots: Sequence[Pilot]) -> Scale:
    """The units in which all pilots of a league can be told."""
    estimand = pilots[0].comparable["estimand"]
    bases = np.array([pilot.found.get("base") or np.nan for pilot in pilots], dtype=float)
    expected = np.array([pilot.found.get("expected") or np.nan for pilot in pilots], dtype=float)
    base, percent, times = None, True, 100 / expected
    if np.isfinite(expected / bases).all():
        base, percent = words.base_for(median(expected / bases)), False
        times = base / bases
    elif estimand["compared"] == "people" and np.isnan(bases).all() and (expected > 0).all():
        percent, times = False, np.ones(len(pilots))
    without = np.full(len(pilots), 100.0) if percent else expected * times
    agreed = [pilot.found.get("w") for pilot in pilots]
    return Scale(
        base=base,
        percent=percent,
        kind=estimand["kind"],
        better=estimand["better"],
        expected=without,
        worthwhile=tuple(
            None if w is None or not np.isfinite(t) else float(w * t)
            for w, t in zip(agreed, times, strict=True)
        ),
    )
