"""The first screen of a league: what was found, how sure, what to fund, and a line for each verdict.

However many pilots there are, a line names as many as fit and counts the rest: all stand in the table of
decisions below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact import words
from ucimpact.report.league_parts import TAGS, Field, Tag, asked, told, worth
from ucimpact.report.phrases import emphasised, stopped
from ucimpact.words import VERDICTS, chance, per_person
from ucimpact.words import league_page as said
from ucimpact.words.numbers import few

LONG_HEADLINE, LONG_LEAD, LONG_BOX, LONG = 88, 330, 520, 1400
"""Letters beyond which headline, lead, decision, and all of it are set smaller, to stay on one screen."""
NAMES = 150
"""Letters of names in the line of a verdict; the first name is always there."""

BARRED, EVIDENCE = 2, 3
"""Rows of the rule: barred from being mainstreamed, and worth another year of evidence."""

Parts = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, kw_only=True)
class Box:
    """What to do next: the verdict on the fund, then heads with their texts."""

    verdict: str
    rows: tuple[tuple[str, str], ...]
    long: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    """The pilots under one verdict: names in bold with what is to be said of them."""

    tag: Tag
    parts: Parts


@dataclass(frozen=True, kw_only=True)
class LeagueAnswer:
    """The first screen."""

    headline: str
    long: bool
    lead: Parts
    small: bool
    extra: tuple[str, ...]
    sure: str
    box: Box
    heading: str
    lines: tuple[Line, ...]
    tight: bool


def answer(field: Field) -> LeagueAnswer:
    """The first screen, from the sentences and verdicts of the document."""
    document = field.document
    texts = document["sentences"]
    lead = texts.get("lead") or ""
    box, under = _box(document), lines(field)
    letters = len(texts["headline"]) + len(lead) + sum(len(text) for _, text in box.rows)
    letters += sum(len(text) for line in under for text, _ in line.parts)
    extra = dict.fromkeys(text for text in (texts.get("second"), document["best"].get("text")) if text)
    return LeagueAnswer(
        headline=texts["headline"],
        long=len(texts["headline"]) > LONG_HEADLINE,
        lead=emphasised(lead),
        small=len(lead) > LONG_LEAD,
        extra=tuple(stopped(text) for text in list(extra)[:1]),
        sure=_sure(field),
        box=box,
        heading=f"The {few(field.n)} decisions",
        lines=under,
        tight=letters > LONG,
    )


def _sure(field: Field) -> str:
    costs = [next((s["cost"] for s in p["steps"] if s["code"] == "A"), 0) for p in field.pilots]
    wide = sum(any(s["code"].startswith("P") and s["cost"] for s in p["steps"]) for p in field.pilots)
    return said.certainties(
        [p["level"] for p in field.pilots], by_lot=False if all(costs) else None, wide=wide
    )


def _box(document: Mapping[str, Any]) -> Box:
    """The decision on the fund."""
    decided, portfolio = document["decision"], document.get("portfolio")
    unspent = (portfolio or {}).get("unspent") or 0.0
    left = f"Leave {words.money(unspent)} unspent" if unspent > 0 else "The rest of the budget"
    rows = [
        ("Because", told(decided.get("because"))),
        (left, told(decided.get("unspent"))),
        ("This would change if", told(decided.get("would_change"))),
    ]
    kept = tuple((head, text) for head, text in rows if text)
    return Box(verdict=decided["verdict"], rows=kept, long=sum(len(text) for _, text in kept) > LONG_BOX)


def lines(field: Field) -> tuple[Line, ...]:
    """A line for each verdict that was given, in the order of the rule."""
    made = []
    for name in sorted(VERDICTS, key=said.order):
        under = [p for p in field.pilots if p["verdict"]["name"] == name]
        if under:
            under.sort(key=lambda p: -(worth(p, "chance") or 0.0))
            tag = Tag(name=name, kind=TAGS.get(name, ""))
            made.append(Line(tag=tag, parts=LINES[name](field, under)))
    return tuple(made)


def _one(field: Field, pilot: Mapping[str, Any], text: str) -> Parts:
    """A single pilot: its name, and a sentence or two."""
    return ((f"{field.full[pilot['id']]}.", True), (f" {stopped(text)}" if text else "", False))


def _several(field: Field, pilots: Sequence[Mapping[str, Any]], beside: Sequence[str], text: str) -> Parts:
    """Names in bold, each with what stands beside it in brackets, as many as fit, and the sentence."""
    shown, letters = 0, 0
    for pilot, note in zip(pilots, beside, strict=True):
        letters += len(field.full[pilot["id"]]) + len(note) + 4
        if shown and letters > NAMES:
            break
        shown += 1
    parts: list[tuple[str, bool]] = []
    rest = len(pilots) - shown
    for k, pilot in enumerate(pilots[:shown]):
        last = k == shown - 1 and not rest
        if k:
            parts.append((" and " if last else ", " if any(beside) else "; ", False))
        name = field.full[pilot["id"]]
        parts.append((name if not k else words.numbers.mid_sentence(name), True))
        if beside[k]:
            parts.append((f" ({beside[k]})", False))
    if rest:
        parts.append((f" and {few(rest)} {'other' if rest == 1 else 'others'}", False))
    parts.append((f". {text}".rstrip(), False))
    return tuple(parts)


def _chances(pilots: Sequence[Mapping[str, Any]]) -> list[float]:
    return [found for p in pilots if (found := worth(p, "chance")) is not None]


def _mainstream(field: Field, pilots: Sequence[Mapping[str, Any]]) -> Parts:
    if len(pilots) == 1:
        return _one(field, pilots[0], told(pilots[0].get("because")))
    rule = field.document["league"]["rule"]["chance"]
    return _several(field, pilots, [""] * len(pilots), said.chance_told(_chances(pilots), rule))


def _extend(field: Field, pilots: Sequence[Mapping[str, Any]]) -> Parts:
    if len(pilots) == 1:
        return _one(field, pilots[0], told(pilots[0].get("because")))
    evidence = [p["evsi"] for p in pilots if p["verdict"]["row"] == EVIDENCE and p.get("evsi") is not None]
    cost = field.document["league"].get("another_year_costs")
    barred = sum(p["verdict"]["row"] == BARRED for p in pilots)
    beside = [", ".join(part for part in (_chance(p), asked(p).removeprefix("at ")) if part) for p in pilots]
    sentences = (said.worth_of_evidence(evidence, cost, of=len(pilots)), said.barred(barred, len(pilots)))
    return _several(field, pilots, beside, " ".join(text for text in sentences if text))


def _cheaper(field: Field, pilots: Sequence[Mapping[str, Any]]) -> Parts:
    if len(pilots) > 1:
        return _several(field, pilots, [_price_to_agree(p) for p in pilots], "")
    p = pilots[0]
    value, price = worth(p, "per_person"), p.get("price")
    if value is None or price is None or value >= price:
        parts = (said.lower_price(asked(p)), stopped(told(p.get("because"))))
        return _one(field, p, " ".join(part for part in parts if part))
    return _one(field, p, said.cheaper(value, price, (p.get("own") or {}).get("value")))


def _price_to_agree(p: Mapping[str, Any]) -> str:
    """ "£148 a person or less, price £230"."""
    price = "" if p.get("price") is None else f"price {per_person(p['price'])}"
    return ", ".join(part for part in (asked(p), price) if part)


def _stop(field: Field, pilots: Sequence[Mapping[str, Any]]) -> Parts:
    return _several(field, pilots, [""] * len(pilots), said.chance_told(_chances(pilots)))


def _missing(field: Field, pilots: Sequence[Mapping[str, Any]]) -> Parts:
    lacking = [asked(p) or told(p.get("because")) for p in pilots]
    if len(set(lacking)) > 1:
        return _several(field, pilots, lacking, "")
    text = said.NOT_KNOWN.format(lacking[0]) if lacking[0] else ""
    return _several(field, pilots, [""] * len(pilots), text)


def _chance(pilot: Mapping[str, Any]) -> str:
    p = worth(pilot, "chance")
    return "" if p is None else chance(p)


LINES = dict(zip(VERDICTS, (_missing, _mainstream, _extend, _cheaper, _stop), strict=True))
"""How the line of each verdict is told."""
