"""Seven made-up evaluations of one winter fund, as their studies would have written them, in a few lines each."""

from __future__ import annotations

import copy
import math
from typing import Any

from ucimpact import words
from ucimpact.league import Entry
from ucimpact.words.numbers import mid_sentence

UNIT = 3428.0
EXPECTED = 38.1
"""Emergency admissions per 100 people without any of the services."""
W = 4.0
Z = 1.959963984540054

# name, place, people, price, est, lo, hi per 100
SEVEN = (
    ("Crisis sitting service", "Harle", 880, 160, -8.4, -13.5, -3.3),
    ("Discharge link workers", "Oldcastle", 310, 265, -10.9, -21.1, -0.7),
    ("Soft-landing visits", "Merebridge", 1240, 230, -5.3, -9.9, -0.7),
    ("Carer support calls", "Westow", 1650, 60, -3.4, -7.1, 0.3),
    ("Welcome-home volunteers", "Saltby", 540, 95, -1.2, -8.1, 5.7),
    ("Falls follow-up", "Penmarsh", 460, 210, 1.9, -5.5, 9.3),
    ("Meals and medicines", "Thornham", 220, 180, 7.4, -3.6, 18.4),
)


def evaluation(
    name: str,
    place: str,
    people: float,
    price: float,
    est: float,
    lo: float,
    hi: float,
    *,
    expected: float = EXPECTED,
    df: float | None = None,
    **comparable: Any,
) -> dict[str, Any]:
    """One released evaluation of people, with what a league reads of it; ``comparable`` overrides."""
    code = words.claim(est, lo, hi, W)
    logs = [math.log1p(value / expected) for value in (est, lo, hi)]
    half = (logs[2] - logs[1]) / 2
    per_person, sd = -est / 100 * UNIT, (hi - lo) / 100 * UNIT / (2 * Z)
    p = 0.5 * math.erfc((price - per_person) / sd / math.sqrt(2))
    grade = words.grade(
        allocation="comparison", claim=code, est=est, lo=lo, hi=hi, w=W, n1=people, n0=people,
        checks={"balance": "holds", "other_change": "holds", "same_coding": "holds", "unmeasured": "cannot tell"},
    ).to_dict()  # fmt: skip
    made = words.verdict(
        value=per_person, price=price, chance_=p, price_at_rule=per_person - 0.8416 * sd, level=grade["level"],
        claim_code=code, evsi=None, evsi_cost=None,
    )  # fmt: skip
    column = {
        "value": per_person * people, "low": -hi / 100 * UNIT * people, "high": -lo / 100 * UNIT * people,
        "chance": p, "per_person": per_person, "per_person_low": -hi / 100 * UNIT,
        "per_person_high": -lo / 100 * UNIT,
    }  # fmt: skip
    told: dict[str, Any] = {
        "refused": None,
        "estimand": {
            "outcome": "emergency admissions", "label": "Emergency admissions", "kind": "count", "better": "lower",
            "contrast": "ATT", "compared": "people", "follow_up": "90 days", "length": 90.0,
            "people": "people aged 65 or over",
        },
        "log": logs[0], "low": logs[1], "high": logs[2], "std_error": half / Z, "df": df, "used_se": half / Z,
        "expected_each": expected / 100, "unit_value": UNIT, "counted": "economic", "price_year": "2024/25",
        "people": float(people), "analysed": float(people), "others": [],
        "rule": {"chance": 0.8, "min_certainty": "low", "another_year_costs": 6000.0},
        "controls": {
            "pool": None, "files": [f"{place} file"], "influence": None, "units": None, "arm_variance": half**2 / 8,
        },
    }  # fmt: skip
    return {
        "schema": 1, "created": "2026-08-03T09:00:00+00:00", "version": "0", "seed": 1,
        "study": {
            "title": name, "question": "?", "pilot": name, "population": "People", "comparator": "Others",
            "by": "Fund team", "subject": mid_sentence(name), "plural": True, "people": "people aged 65 or over",
            "hash": f"hash of {place}", "example": True, "method": "matched-cohort",
            "fingerprints": [{"file": "people.csv", "sha256": f"{place} file"}],
            "league": {"name": name, "place": place, "controls": None, "result": None},
        },
        "finding": {
            "outcome": "emergency admissions", "kind": "count", "better": "lower", "est": est, "lo": lo, "hi": hi,
            "expected": expected, "base": 100, "w": W, "claim": code, "scale": "identity",
        },
        "certainty": grade,
        "valuation": {"counted": "economic", "columns": {"cash": {"value": 0.0}, "economic": column}},
        "decision": {"verdict": made.text, "row": made.row, "value": per_person, "price": float(price), "chance": p},
        "estimates": [],
        "checks": [{"name": "balance", "question": "Were they alike?", "answer": "holds", "counted": True}],
        "data": {}, "disclosure": {}, "league": None, "comparable": {**told, **comparable},
    }  # fmt: skip


def seven(n: int = 7, **comparable: Any) -> list[Entry]:
    """The first so many of the fund."""
    return [
        Entry(document=evaluation(*row, **comparable), source=f"{row[1]}/evaluation.json")
        for row in SEVEN[:n]
    ]


def changed(entry: Entry, **told: Any) -> Entry:
    """The entry with some of what it tells a league replaced; an estimand's parts one by one."""
    document = copy.deepcopy(dict(entry.document))
    estimand = told.pop("estimand", {})
    controls = told.pop("controls", {})
    document["comparable"] |= told
    document["comparable"]["estimand"] |= estimand
    document["comparable"]["controls"] |= controls
    return Entry(
        document=document, source=entry.source, name=entry.name, place=entry.place, price=entry.price
    )
