"""What every section of the league page needs: pilots in their order, their names, words for a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact.report.intervals import Row, Tick
from ucimpact.report.money import JOINED
from ucimpact.report.scale import decimals_for
from ucimpact.report.section import Section
from ucimpact.words import MINUS, VERDICTS, Measure, capital, measure, number, spoken

MANY = 14
"""More rows than this may be parted between two pages of print."""
NOT_WORKED_OUT = "not worked out"
TAGS = {VERDICTS[1]: "go", VERDICTS[4]: "stop"}
"""Class of the tag of a verdict; the others have the plain one."""
COLUMNS = {
    "economic": "full economic value, no cash",
    "cash": "cash released",
    "capacity": "capacity released",
}
"""What the column that decides is called in a caption."""


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A verdict as it is shown: its short name and the class of its box."""

    name: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class PilotRow:
    """A pilot as measured and allowing for luck; ``raw_at`` and ``worthwhile`` are "" where off the axis."""

    name: str
    place: str
    people: str
    raw: str
    raw_range: str
    raw_at: str
    worthwhile: str
    row: Row


@dataclass(frozen=True, kw_only=True)
class RankRow:
    """The places that a pilot could hold, and the chance of being best."""

    name: str
    places: str
    best: str
    left: str
    width: str


@dataclass(frozen=True, kw_only=True)
class ReasonRow:
    """A decision with its reason and what would change it."""

    name: str
    place: str
    tag: Tag
    price: str
    because: str
    would_change: str
    others: str


@dataclass(frozen=True, kw_only=True)
class MoneyRow:
    """A pilot in the table of money; ``funded`` is "" or what follows the name."""

    name: str
    funded: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LeagueSection(Section):
    """A section of the league page, with the parts that only such a page has; ``more`` are paragraphs."""

    more: tuple[str, ...] = ()
    title: str = ""
    measured: str = ""
    caption: str = ""
    head: tuple[str, ...] = ()
    ticks: tuple[Tick, ...] = ()
    zero: str = ""
    key: tuple[tuple[str, str], ...] = ()
    whole: bool = True
    pilots: tuple[PilotRow, ...] = ()
    readings: tuple[Row, ...] = ()
    ranks: tuple[RankRow, ...] = ()
    money: tuple[MoneyRow, ...] = ()
    total: MoneyRow | None = None
    reasons: tuple[ReasonRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Field:
    """The document with its pilots in the order of the page, the most favourable first.

    Attributes
    ----------
    short : mapping
        Id to place, or to name where places are not all there or not all different.
    full : mapping
        Id to "Carer support calls, Westow".
    how : Measure
        Words for a difference, with the decimals of a table.
    """

    document: Mapping[str, Any]
    pilots: tuple[Mapping[str, Any], ...]
    short: Mapping[str, str]
    full: Mapping[str, str]
    how: Measure

    @property
    def n(self) -> int:
        """How many pilots are compared."""
        return len(self.pilots)

    @property
    def estimand(self) -> Mapping[str, Any]:
        """What all of them measured."""
        found: Mapping[str, Any] = self.document["estimand"]
        return found

    @property
    def outcome(self) -> str:
        """ "emergency admissions"."""
        return str(self.estimand["outcome"])

    @property
    def towards_good(self) -> int:
        """-1 where fewer is better."""
        return 1 if self.estimand["better"] == "higher" else -1

    @property
    def per(self) -> str:
        """ "per 100 people", "a person", or what a share is of."""
        if self.estimand.get("percent"):
            return "as a share of what was expected"
        base = self.estimand.get("base")
        return "a person" if base is None else f"per {number(base)} people"

    @property
    def measured(self) -> str:
        """What a difference is of, for the line under a title."""
        window = self.estimand.get("window") or ""
        over = f" over {window}" if window[:1].isdigit() else ""
        word = "Change" if self.estimand.get("percent") else "Difference"
        return f"{word} in {self.outcome} {self.per}{over}, with 95% interval"

    def of(self, ident: str) -> Mapping[str, Any]:
        """The pilot with this id."""
        return next(p for p in self.pilots if p["id"] == ident)

    def names(self, idents: Sequence[str]) -> list[str]:
        """Short names, those with the largest net value first."""
        return [self.short[p["id"]] for p in by_net(self.pilots) if p["id"] in idents]

    def change(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """ "5.6 fewer" and its range; where there is none, what is missing."""
        if values.get("est") is None:
            return capital(NOT_WORKED_OUT), ""
        if values.get("lo") is None or values.get("hi") is None:
            said = spoken(values["est"], values["est"], values["est"], self.how)
            return said.difference, "no likely range"
        said = spoken(values["est"], values["lo"], values["hi"], self.how)
        return said.difference, said.range


def field_of(document: Mapping[str, Any]) -> Field:
    """The pilots of a document, ordered by what they gave once luck is allowed for."""
    better = document["estimand"]["better"]
    sign = -1 if better == "higher" else 1
    pilots = tuple(sorted(document["pilots"], key=lambda p: (sign * p["shrunk"]["est"], p["id"])))
    places = [p.get("place") or "" for p in pilots]
    by_place = all(places) and len(set(places)) == len(places)
    values = [v for p in pilots for part in ("raw", "shrunk") for v in _limits(p[part])]
    return Field(
        document=document,
        pilots=pilots,
        short={p["id"]: p["place"] if by_place else p["name"] for p in pilots},
        full={p["id"]: ", ".join(part for part in (p["name"], p.get("place")) if part) for p in pilots},
        how=_measure(document["estimand"], values),
    )


def _measure(estimand: Mapping[str, Any], values: Sequence[float]) -> Measure:
    """Words for a difference, with decimals for a table of such values."""
    decimals = 0 if decimals_for(values) == 0 else 1
    return measure(estimand["kind"], decimals=decimals, percent=bool(estimand.get("percent")))


def worth(pilot: Mapping[str, Any], name: str) -> float | None:
    """A figure of what a pilot is worth a person: "per_person", "chance"; None where it has no price."""
    found: float | None = (pilot.get("value") or {}).get(name)
    return found


def by_net(pilots: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Pilots by their net value over a year, those without one last."""
    nets = {p["id"]: (p.get("year") or {}).get("net") for p in pilots}
    return sorted(pilots, key=lambda p: (nets[p["id"]] is None, -(nets[p["id"]] or 0.0)))


def tag_of(pilot: Mapping[str, Any]) -> Tag:
    """The verdict of a pilot as a tag."""
    name = pilot["verdict"]["name"]
    return Tag(name=name, kind=TAGS.get(name, ""))


def asked(pilot: Mapping[str, Any]) -> str:
    """The figure that a verdict names: "£148 a person or less"; "" for none."""
    text, name = str(pilot["verdict"].get("text") or ""), str(pilot["verdict"]["name"])
    return text.removeprefix(name).lstrip(",: ")


def joined(text: str) -> str:
    """The text with a minus kept on the line of its pounds."""
    return text.replace(f"{MINUS}£", f"{MINUS}{JOINED}£")


def told(reasons: str | Sequence[str] | None) -> str:
    """One text of one or several reasons."""
    if not reasons:
        return ""
    return joined(reasons if isinstance(reasons, str) else " ".join(reasons))


def _limits(values: Mapping[str, Any]) -> list[float]:
    return [values[name] for name in ("est", "lo", "hi") if values.get(name) is not None]
