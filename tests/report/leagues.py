"""Documents of leagues, as ``ucimpact compare`` writes them: seven invented winter pilots and their kin.

The seven are those of the target picture and of the decision table: numbers are invented, agree with one
another, and none was worked out here but the logs, which follow from 38 admissions expected per 100.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

EXPECTED, WORTH = 38.0, 4.0
A = {
    "code": "A", "cost": 2, "head": "Two steps down:",
    "text": "people were not chosen by lot. Those visited may have been different in ways records miss.",
}  # fmt: skip
P1 = {
    "code": "P1",
    "cost": 1,
    "head": "One step down:",
    "text": "the range runs from 7 fewer to 2 more.",
}
P2 = {
    "code": "P2",
    "cost": 2,
    "head": "Two steps down:",
    "text": "the range holds a worthwhile fall and a rise that matters.",
}

# id, name, place, people, price, raw, shrunk, ranks, chance of best, value, chance, evsi, year, claim, level, row, verdict
PILOTS = (
    ("westow", "Carer support calls", "Westow", 1650, 60, (-3.4, -7.1, 0.3), (-3.4, -6.5, -0.1), (1, 7), 0.05,
     115.4, 0.85, 7_900, (190_400, 91_400, -92_700, 268_800), "B", "low", 1, "Mainstream", 68, 118, "Extend with evaluation"),
    ("harle", "Crisis sitting service", "Harle", 880, 160, (-8.4, -13.5, -3.3), (-5.6, -10.6, -1.7), (1, 7),
     0.39, 193.3, 0.63, 14_300, (170_100, 29_300, -88_500, 179_400), "B", "low", 3,
     "Extend with evaluation", 120, 290, "Mainstream"),
    ("saltby", "Welcome-home volunteers", "Saltby", 540, 95, (-1.2, -8.1, 5.7), (-2.9, -7.2, 2.3), (1, 7),
     0.06, 98.5, 0.55, 16_000, (53_200, 1_900, -93_400, 81_200), "U", "very low", 3,
     "Extend with evaluation", 30, 41, "Stop at this price"),
    ("merebridge", "Soft-landing visits", "Merebridge", 1240, 230, (-5.3, -9.9, -0.7), (-4.3, -8.2, -0.8),
     (1, 7), 0.13, 147.6, 0.10, 4_400, (183_000, -102_200, -249_300, 65_000), "B", "low", 5,
     "Extend if cheaper", 95, 181.7, "Extend with evaluation"),
    ("oldcastle", "Discharge link workers", "Oldcastle", 310, 265, (-10.9, -21.1, -0.7), (-5.1, -12.0, -0.1),
     (1, 7), 0.28, 174.2, 0.16, 3_900, (54_000, -28_200, -81_000, 45_500), "X", "very low", 6,
     "Stop at this price", 60, 374, "Mainstream"),
    ("thornham", "Meals and medicines", "Thornham", 220, 180, (7.4, -3.6, 18.4), (-1.4, -6.5, 7.0), (2, 7),
     0.04, 47.3, 0.08, 600, (10_400, -29_200, -92_200, 9_100), "X", "very low", 6, "Stop at this price", 0,
     -254, "Stop at this price"),
    ("penmarsh", "Falls follow-up", "Penmarsh", 460, 210, (1.9, -5.5, 9.3), (-1.9, -6.4, 4.4), (1, 7), 0.04,
     64.8, 0.03, 500, (29_800, -66_800, -166_600, 3_500), "X", "very low", 6, "Stop at this price", 0, -65,
     "Stop at this price"),
)  # fmt: skip

WHY = {
    "westow": (
        "85% chance of being worth £60 a person; the rule asks for 80%, and the checks hold.",
        "the price rose above £68 (extend), or £115 (only if cheaper).",
    ),
    "harle": (
        "About 6 fewer per 100, worth £193 against £160, but the range is wide. A second year of evidence is "
        "worth about £14,000 and costs £6,000.",
        "a second year agreed (mainstream), or the price passed £193 (only if cheaper).",
    ),
    "saltby": (
        "We could not tell if emergency admissions changed. A second year of evidence is worth about £16,000 "
        "and costs £6,000.",
        "a second year showed fewer than 3 avoided per 100 (stop).",
    ),
    "merebridge": (
        "About 4 fewer per 100, worth £148 a person against £230.",
        "a price of £148 or less is agreed (extend), or is refused (stop).",
    ),
    "oldcastle": (
        "About 5 fewer per 100, worth £174 a person against £265; only 310 people.",
        "the price fell to £174 (extend).",
    ),
    "thornham": (
        "About 1 fewer per 100, worth £47 a person against £180.",
        "it is bought for something else, and judged on that.",
    ),
    "penmarsh": (
        "About 2 fewer per 100, worth £65 a person against £210.",
        "it is bought for something else, and judged on that.",
    ),
}
TEXTS = {"westow": "Mainstream", "merebridge": "Extend if cheaper: £148 a person or less"}
IN_BEST = {
    "westow": (0.84, 0.71), "harle": (0.60, 0.44), "saltby": (0.52, 0.40), "merebridge": (0.10, 0.05),
    "oldcastle": (0.16, 0.09), "thornham": (0.08, 0.05), "penmarsh": (0.03, 0.02),
}  # fmt: skip


def _log(est: float) -> float:
    return math.log((EXPECTED + est) / EXPECTED)


def _range(values: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("est", "lo", "hi"), values, strict=True))


def pilot(row: tuple[Any, ...]) -> dict[str, Any]:
    """One pilot of the seven, in the keys of the contract."""
    (ident, name, place, people, price, raw, shrunk, places, best, value, chance, evsi, year, claim, level,
     number, verdict, at_rule, own_value, own_verdict) = row  # fmt: skip
    error = (_log(raw[2]) - _log(raw[1])) / 3.92
    because, change = WHY[ident]
    governs = f"Worth about £{value:.0f} a person here; the price is £{price}."
    governs += f" Its own report, read alone, says {'−' * (own_value < 0)}£{abs(own_value):.0f}."
    return {
        "id": ident, "name": name, "place": place, "people": people, "method": "matched-cohort",
        "price": float(price), "cost": float(people * price), "expected": EXPECTED, "worthwhile": WORTH,
        "raw": {**_range(raw), "log": _log(raw[0]), "std_error": error, "df": 250.0, "used_se": 1.005 * error},
        "shrunk": {**_range(shrunk), "log": _log(shrunk[0]), "sd": (_log(shrunk[2]) - _log(shrunk[1])) / 3.92},
        "hybrid": {"est": -5.0, "lo": -20.5, "hi": 6.2} if ident == "oldcastle" else None,
        "rank": {"low": places[0], "high": places[1], "best": best, "top": min(1.0, 2 * best)},
        "value": {
            "per_person": value, "low": value - 110.0, "high": value + 110.0, "chance": chance,
            "price_at_rule": float(at_rule),
        },
        "year": dict(zip(("cost", "value", "net", "low", "high"), (people * price, *year), strict=True)),
        "evsi": float(evsi), "claim": claim, "level": level,
        "steps": [A] if level == "low" else [A, P1] if claim == "U" else [A, P2],
        "verdict": {"row": number, "name": verdict, "text": TEXTS.get(ident, verdict)},
        "because": because, "would_change": change,
        "own": {
            "value": float(own_value), "price": float(price), "verdict": own_verdict, "chance": 0.28,
            "level": level, "claim": claim, **_range(raw),
        },
        "governs": governs, "funded": ident in ("westow", "harle", "saltby"),
        "scale": 1.0 if ident in ("westow", "harle", "saltby") else 0.0,
        "in_best": IN_BEST[ident][0], "in_best_sceptical": IN_BEST[ident][1],
        "others": "Falls themselves were not measured." if ident == "penmarsh" else "", "warnings": [],
    }  # fmt: skip


def prior(
    name: str, leader: tuple[float, float, float], funded: tuple[str, ...], claim: float
) -> dict[str, Any]:
    """A row of the table of beliefs."""
    est, lo, hi = leader
    return {
        "name": name,
        "leader_est": est,
        "leader_lo": lo,
        "leader_hi": hi,
        "funded": list(funded),
        "claim": claim,
    }


THREE = ("westow", "harle", "saltby")


def challenge() -> dict[str, Any]:
    """The seven winter pilots, with a budget of £400,000."""
    pilots = [pilot(row) for row in PILOTS]
    return {
        "schema": 1, "kind": "league", "created": "2026-08-03T10:00:00+00:00", "version": "0.1.0", "seed": 1,
        "league": {
            "title": "Challenge fund: seven winter pilots compared", "question": "Which pilots to fund for another year",
            "by": "Northmoor integrated care board", "example": True, "budget": 400_000.0, "years": 1,
            "discount": 0.035, "rule": {"chance": 0.8, "keep": 0.7, "floor": 0.5, "min_certainty": "low"},
            "another_year_costs": 6_000.0, "who": "People aged 65 or over, home after an emergency stay",
            "text": '[league]\ntitle = "Challenge fund: seven winter pilots compared"\nbudget = 400000\n',
            "hash": "3f5a" * 16,
        },
        "estimand": {
            "outcome": "emergency admissions", "label": "Emergency admissions", "kind": "count",
            "better": "lower", "contrast": "with the pilot against without it", "window": "90 days",
            "people": "People aged 65 or over, home after an emergency stay", "base": 100, "unit_value": 3428.0,
            "counted": "economic", "price_year": "2024/25",
            "sentence": "All seven report the same outcome (emergency admissions at any hospital within 90 days), "
            "for the same kind of person, over the same months, by the same method.",
        },
        "pilots": pilots, "left_out": [], "notes": [], "leader": "oldcastle",
        "best": {
            "said": False, "could_be_first": 6, "could_be_last": 7,
            "text": "No pilot can be called the best. On these data, six of the seven could be in first place.",
        },
        "spread": {
            "est": 0.065, "lo": 0.003, "hi": 0.18, "chance_matters": 0.52,
            "text": "The true effects may differ by about 6% from pilot to pilot (likely range 0.3% to 18%).",
        },
        "covariance": {
            "how": "none shared", "rho": 0.0, "bounds": None,
            "text": "No two pilots were compared with the same people, so their errors are not linked.",
        },
        "portfolio": {
            "budget": 400_000.0, "funded": list(THREE), "cost": 291_100.0, "value": 413_800.0, "net": 122_700.0,
            "low": -144_600.0, "high": 399_800.0, "chance": 0.81, "unspent": 108_900.0,
            "raw": {"funded": ["westow", "harle", "oldcastle"], "claimed": 239_600.0, "expected": 92_600.0},
            "sceptical": {"net": 61_400.0, "same": True},
            "text": "Choosing by the results as measured would have swapped Saltby for Oldcastle, claimed £239,600 of net "
            "value, and could expect £92,600. If such services are believed to change little on average, "
            "the same set could expect £61,400 of net value.",
        },
        "priors": [
            prior("As used here", (-5.1, -12.0, -0.1), THREE, 122_700),
            prior("Nothing known of the average", (-5.6, -12.7, -0.4), THREE, 151_300),
            prior("The average is close to none", (-4.2, -10.8, 0.9), THREE, 61_400),
            prior("Pilots are much alike", (-4.4, -9.6, -0.6), THREE, 109_000),
            prior("Pilots may differ widely", (-6.0, -14.6, 0.3), ("westow", "harle"), 127_400),
            prior("A few may stand far apart", (-5.9, -16.8, 0.2), THREE, 125_500),
        ],
        "funnel": [
            {"id": p["id"], "est": p["raw"]["log"], "std_error": p["raw"]["std_error"]} for p in pilots
        ],
        "sentences": {
            "headline": "One pilot is ready to mainstream; the biggest claim is about half luck",
            "lead": "Carer support calls in Westow will probably be worth more than they cost (85 chances in "
            "100). Discharge link workers in Oldcastle claim the largest fall, 11 fewer emergency "
            "admissions per 100 people. After allowing for luck, 5 fewer is a better guess, and the "
            "corrected range runs from 21 fewer to 6 more.",
            "second": "No pilot can be called the best. On these data, six of the seven could be in first place.",
        },
        "decision": {
            "verdict": "Fund three pilots, £291,100 of the £400,000",
            "because": "Together they are worth about £122,700 more than they cost (likely range −£144,600 to "
            "£399,800). The chance that they are worth it is 81%.",
            "unspent": "No other pilot is worth its price. Use it to buy a lower price in Merebridge, or evidence.",
            "would_change": "a price changed, or value means cash. None of the seven releases cash.",
        },
    }  # fmt: skip


def two() -> dict[str, Any]:
    """Two pilots; the rest were left out."""
    document = challenge()
    kept = [p for p in document["pilots"] if p["id"] in ("westow", "oldcastle")]
    for p in kept:
        p["rank"].update(low=1, high=2)
    document["left_out"] = [
        {
            "name": f"{p['name']}, {p['place']}",
            "why": f"{p['name']} is left out: it measured bed days, the others emergency admissions.",
        }
        for p in document["pilots"]
        if p not in kept
    ]
    document["notes"] = ["Two pilots are too few to learn from one another: their own reports decide."]
    document["pilots"] = kept
    document["funnel"] = [row for row in document["funnel"] if row["id"] in ("westow", "oldcastle")]
    document["best"] = {
        "said": False,
        "could_be_first": 2,
        "text": "Neither pilot can be called the best. On these data, either could be in first place.",
    }
    document["sentences"]["second"] = document["best"]["text"]
    document["portfolio"].update(
        funded=["westow"], cost=99_000.0, value=190_400.0, net=91_400.0, unspent=301_000.0
    )
    document["portfolio"].update(low=-92_700.0, high=268_800.0, chance=0.85)
    document["portfolio"]["raw"] = {
        "funded": ["westow", "oldcastle"],
        "claimed": 210_000.0,
        "expected": 63_200.0,
    }
    document["decision"]["verdict"] = "Fund one pilot, £99,000 of the £400,000"
    for row in document["priors"]:
        row["funded"] = ["westow"]
    return document


def none_funded() -> dict[str, Any]:
    """A budget, and no pilot that is worth its price."""
    document = challenge()
    for p in document["pilots"]:
        p.update(funded=False, scale=0.0, in_best=0.03, in_best_sceptical=0.01)
        p["verdict"] = {"row": 6, "name": "Stop at this price", "text": "Stop at this price"}
        p["value"]["chance"] = min(p["value"]["chance"], 0.31)
    document["portfolio"].update(funded=[], cost=0.0, value=0.0, net=0.0, low=0.0, high=0.0, chance=None)
    document["portfolio"].update(unspent=400_000.0, sceptical={"net": 0.0, "same": True})
    for row in document["priors"]:
        row.update(funded=[], claim=0.0)
    document["decision"].update(
        verdict="Fund none of the seven",
        because="None has an even chance of being worth its price.",
        unspent="Ask for lower prices before spending it.",
    )
    document["sentences"].update(
        headline="No pilot is ready to fund", lead="None of the seven is likely to be worth its price."
    )
    return document


def bounds() -> dict[str, Any]:
    """Pilots that share comparison people, with nothing to say how their errors are linked."""
    document = challenge()
    document["covariance"] = {
        "how": "bounds", "rho": 0.5,
        "text": "Four pilots share comparison people, and their reports do not say how that links their errors. "
        "So the league was worked out twice, and the choice below is the more cautious of the two.",
        "bounds": {
            "text": "Both give every pilot the same verdict.",
            "rows": [
                prior("Errors not linked (0)", (-5.1, -12.0, -0.1), THREE, 122_700),
                prior("Errors linked by half (0.5)", (-4.6, -11.2, 0.4), ("westow", "harle"), 98_300),
            ]
        },
    }  # fmt: skip
    return document


def no_budget() -> dict[str, Any]:
    """No budget was given: the set is all that the rule allows."""
    document = challenge()
    document["league"]["budget"] = None
    document["portfolio"].update(budget=None, unspent=None)
    document["decision"].update(verdict="Fund three pilots, £291,100", unspent="")
    return document


def no_prices() -> dict[str, Any]:
    """No pilot has a price, so no set is chosen and no verdict is given."""
    document = challenge()
    document["league"]["budget"] = None
    document["portfolio"] = None
    text = "Cannot say yet: a price per person"
    for p in document["pilots"]:
        p.update(price=None, cost=None, value=None, year=None, evsi=None, governs=None)
        p.update(in_best=None, in_best_sceptical=None, funded=False, scale=0.0)
        p.update(because="", would_change="a price is agreed.")
        p["verdict"] = {"row": 0, "name": "Cannot say yet", "text": text}
        p["own"].update(value=None, price=None, verdict=text, chance=None)
    for row in document["priors"]:
        row.update(funded=[], claim=None)
    document["decision"].update(
        verdict="Agree prices first", because="No pilot has a price.", unspent="", would_change=""
    )
    document["sentences"]["headline"] = "No pilot can be decided on yet"
    return document


LONG = "community urgent response and home-from-hospital volunteers"


def long_names() -> dict[str, Any]:
    """Names of about sixty letters, and places of thirty."""
    document = challenge()
    for p in document["pilots"]:
        p["name"] = f"{p['id'].capitalize()} {LONG}"[:60]
        p["place"] = f"{p['place']} and the northern valleys"
    document["league"]["title"] = (
        "Winter resilience challenge fund for the whole of the integrated care system"
    )
    document["sentences"]["lead"] = (
        f"{document['pilots'][0]['name']} in {document['pilots'][0]['place']} will probably be worth more "
        f"than it costs (85 chances in 100). {document['pilots'][4]['name']} in "
        f"{document['pilots'][4]['place']} claims the largest fall, 11 fewer emergency admissions per 100 "
        "people. After allowing for luck, 5 fewer is a better guess, and the corrected range runs from 21 "
        "fewer to 6 more."
    )
    return document


def many(n: int) -> dict[str, Any]:
    """As many pilots, made of the seven with their names numbered."""
    document = challenge()
    pilots = []
    for k in range(n):
        made = copy.deepcopy(document["pilots"][k % 7])
        if k >= 7:
            made.update(
                id=f"{made['id']}-{k}", place=f"{made['place']} {k // 7 + 1}", hybrid=None, funded=False
            )
            made["funded"] = k % 7 < 3 and k < 21
        low = 1 + max(0, k - n // 2)
        made["rank"].update(low=low, high=max(low, n - max(0, 3 - k)), best=max(0.002, 0.4 / (k + 1)))
        made["raw"]["log"] *= 1 - 0.3 * k / n
        made["raw"]["std_error"] *= 0.6 + 0.7 * k / n
        pilots.append(made)
    document["pilots"] = pilots
    document["funnel"] = [
        {"id": p["id"], "est": p["raw"]["log"], "std_error": p["raw"]["std_error"]} for p in pilots
    ]
    document["best"].update(
        could_be_first=n - 2,
        text=f"No pilot can be called the best. On these data, {n - 2} of the {n} could be in first place.",
    )
    document["sentences"]["second"] = document["best"]["text"]
    document["portfolio"]["funded"] = [p["id"] for p in pilots if p["funded"]]
    return document


def more_is_better() -> dict[str, Any]:
    """Days at home: more is better, in days and not in counts of events."""
    document = challenge()
    document["estimand"].update(
        outcome="days at home", label="Days at home", kind="duration", better="higher", unit_value=45.0
    )
    for p in document["pilots"]:
        for part in ("raw", "shrunk", "own"):
            held = p[part]
            held.update(est=-held["est"], lo=-held["hi"], hi=-held["lo"])
            if "log" in held:
                held["log"] = -held["log"]
        if p["hybrid"]:
            p["hybrid"].update(est=5.0, lo=-6.2, hi=20.5)
    for row in document["priors"]:
        row.update(leader_est=-row["leader_est"], leader_lo=-row["leader_hi"], leader_hi=-row["leader_lo"])
    document["sentences"]["lead"] = (
        "Carer support calls in Westow will probably be worth more than they cost."
    )
    return document


def unpriced() -> dict[str, Any]:
    """A pilot without a price, which no verdict can be given on, among the others."""
    document = challenge()
    p = document["pilots"][6]
    p.update(price=None, cost=None, year=None, evsi=None, in_best=None, in_best_sceptical=None)
    p["value"] = None
    text = "Cannot say yet: a price per person"
    p["verdict"] = {"row": 0, "name": "Cannot say yet", "text": text}
    p["own"] = {"value": None, "price": None, "verdict": text, "chance": None, "level": "very low", "claim": "X",
                "est": 1.9, "lo": -5.5, "hi": 9.3}  # fmt: skip
    p.update(because="", would_change="a price is agreed.")
    return document


def shares() -> dict[str, Any]:
    """Evaluations of ratios: changes in per cent, without a league file."""
    document = challenge()
    document["estimand"].update(base=None, percent=True)
    document["league"].update(text="", hash="")
    document["notes"] = ["The studies ask for different chances, so 80% was taken."]
    document["sentences"]["lead"] = "Discharge link workers in Oldcastle claim the largest fall, 11%."
    return document


LEAGUES: dict[str, Callable[[], dict[str, Any]]] = {
    "challenge": challenge,
    "two": two,
    "none funded": none_funded,
    "bounds": bounds,
    "no budget": no_budget,
    "no prices": no_prices,
    "shares": shares,
    "long names": long_names,
    "twelve": lambda: many(12),
    "fifty": lambda: many(50),
    "more is better": more_is_better,
    "unpriced": unpriced,
}
