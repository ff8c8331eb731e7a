"""Which evaluations may stand in one league: the same question, of the same people, told in the same pounds.

The estimand of most is that of the league. An evaluation that differs in any part of it is left out with a
sentence that says in what; so is one that has no comparison, no likely range, or none on the scale of ratios.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ucimpact import words
from ucimpact.economics.unit_costs import inflator
from ucimpact.errors import DesignError, UsageError
from ucimpact.league.pilot import Entry, called, checked, league_year, movable, name_of
from ucimpact.words import league as said

ALIKE = 0.005
"""Relative difference up to which two prices of one event are the same price."""
FEWEST = 2

Told = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Those who may stand together, and those who may not.

    Attributes
    ----------
    kept : tuple of Entry
    left_out : tuple of dict
        ``name, place, hash, why``.
    year : str or None
        In whose prices the league counts.
    note : str
        What was taken as the same by a declaration alone; empty where nothing was.
    """

    kept: tuple[Entry, ...]
    left_out: tuple[dict[str, Any], ...]
    year: str | None
    note: str = ""


def _words(told: Told, key: str) -> str:
    return " ".join(str(told[key]).lower().split())


PARTS: tuple[tuple[Callable[[Told], Any], Callable[[Told], str]], ...] = (
    (lambda e: _words(e, "label"), lambda e: words.numbers.mid_sentence(str(e["label"]))),
    (lambda e: e["kind"], lambda e: said.KIND[e["kind"]]),
    (lambda e: e["better"], lambda e: f"{e['outcome']} as better when {e['better']}"),
    (lambda e: e["compared"], lambda e: said.COMPARED[e["compared"]]),
    (lambda e: _words(e, "contrast"), lambda e: said.contrast(str(e["contrast"]))),
    (lambda e: _words(e, "follow_up"), lambda e: f"{e['outcome']} over {e['follow_up']}"),
    (lambda e: _words(e, "people"), lambda e: f"{e['outcome']} of {e['people']}"),
)
"""The parts of an estimand: what is compared, and how a sentence names it."""
PEOPLE = len(PARTS) - 1


def alike(entries: Sequence[Entry], *, who: str | None = None) -> Alike:
    """Part those who answer one question from those who answer another.

    Parameters
    ----------
    entries : sequence of Entry
    who : str, optional
        Vouches that all pilots are for the same people, whatever their studies call them.

    Raises
    ------
    UsageError
        For what is no evaluation, and for one that is given twice.
    DesignError
        Where fewer than two are left, naming all that were left out.
    """
    for entry in entries:
        checked(entry)
    _refuse_twice(entries)
    refused = [(entry, entry.document["comparable"]["refused"]) for entry in entries]
    out = [(entry, said.left_out_alone(_called(entry), why)) for entry, why in refused if why]
    left = [entry for entry, why in refused if not why]
    left, others = _same_question(left, who)
    out += others
    year = league_year(left)
    for entry in list(left):
        if told := movable(entry, year):
            left.remove(entry)
            out.append((entry, said.left_out_alone(_called(entry), told)))
    left, others = _same_pounds(left, year)
    out += others
    names = {id(entry): name_of(entry) for entry in entries}
    told_out = tuple(
        {
            "name": names[id(entry)][0],
            "place": names[id(entry)][1],
            "hash": entry.document["study"]["hash"],
            "why": why,
        }
        for entry, why in out
    )
    if len(left) < FEWEST:
        head = f"A league needs {FEWEST} pilots that answer one question; {len(left)} can be compared"
        raise DesignError("\n".join([head, *(f"  {row['why']}" for row in told_out), f"  {said.WAY_OUT}"]))
    return Alike(kept=tuple(left), left_out=told_out, year=year, note=_vouched(left, who))


def _called(entry: Entry) -> str:
    return words.capital(called(*name_of(entry)))


def _refuse_twice(entries: Sequence[Entry]) -> None:
    seen: dict[tuple[Any, ...], str] = {}
    twice = []
    for entry in entries:
        study = entry.document["study"]
        files = sorted(row["sha256"] for row in study["fingerprints"])
        told = entry.document["comparable"]
        keys: list[tuple[Any, ...]] = [("study", study["hash"], *files)]
        if files and told.get("log") is not None:
            keys.append(("result", told["log"], told["std_error"], *files))
        if places := told["controls"].get("pilot_units"):
            keys.append(("places", _words(told["estimand"], "label"), *sorted(places.items())))
        found = next((seen[key] for key in keys if key in seen), None)
        if found is not None:
            twice.append(f"{found} and {entry.source}")
        for key in keys:
            seen.setdefault(key, entry.source)
    if twice:
        raise UsageError(f"the same evaluation is given twice: {'; '.join(twice)}. Take one of them out")


Parted = tuple[list[Entry], list[tuple[Entry, str]]]


def _same_question(entries: Sequence[Entry], who: str | None) -> Parted:
    """Those with the estimand of most, the earliest of several; of the others, in what they differ."""
    parts = [part for at, part in enumerate(PARTS) if at != PEOPLE or who is None]
    keys = [tuple(part(_estimand(entry)) for part, _ in parts) for entry in entries]
    if not keys:
        return [], []
    counts = Counter(keys)
    most = max(counts.values())
    chosen = next(key for key in keys if counts[key] == most)
    model = _estimand(entries[keys.index(chosen)])
    kept, out = [], []
    for entry, key in zip(entries, keys, strict=True):
        if key == chosen:
            kept.append(entry)
            continue
        at = next(k for k, part in enumerate(key) if part != chosen[k])
        tell = parts[at][1]
        out.append((entry, words.other_question(_called(entry), tell(_estimand(entry)), tell(model))))
    return kept, out


def _estimand(entry: Entry) -> Told:
    told: Told = entry.document["comparable"]["estimand"]
    return told


def _same_pounds(entries: Sequence[Entry], year: str | None) -> Parted:
    """Those whose events are priced alike, and in the same kind of pounds; one without a price stays."""
    priced = [entry for entry in entries if entry.document["comparable"]["unit_value"]]
    if not priced:
        return list(entries), []
    kinds = Counter(entry.document["comparable"]["counted"] for entry in priced)
    kind = max(kinds, key=lambda name: kinds[name])
    each = {id(entry): _pounds(entry, year) for entry in priced}
    same = [each[id(entry)] for entry in priced if entry.document["comparable"]["counted"] == kind]
    nearest = Counter(round(value) for value in same)
    most = max(nearest, key=lambda value: nearest[value])
    price = median(value for value in same if round(value) == most)
    kept, out = [], []
    for entry in entries:
        if id(entry) not in each:
            kept.append(entry)
            continue
        told, event = entry.document["comparable"], words.one_of(_estimand(entry)["label"])
        if told["counted"] != kind:
            x, y = (said.COUNTED[name] for name in (told["counted"], kind))
            out.append((entry, said.left_out_valued(_called(entry), x, y)))
        elif abs(each[id(entry)] / price - 1) > ALIKE:
            x, y = (said.priced(value, event, year) for value in (each[id(entry)], price))
            out.append((entry, said.left_out_valued(_called(entry), x, y)))
        else:
            kept.append(entry)
    return kept, out


def _pounds(entry: Entry, year: str | None) -> float:
    told = entry.document["comparable"]
    own = told["price_year"]
    return float(told["unit_value"]) * (inflator(own, year) if own and year else 1.0)


def _vouched(entries: Sequence[Entry], who: str | None) -> str:
    """What is the same by a declaration alone."""
    called_ = list(dict.fromkeys(str(_estimand(entry)["people"]) for entry in entries))
    return said.vouched(who, called_) if who is not None and len(called_) > 1 else ""
