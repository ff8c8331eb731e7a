"""One pilot in the document of a league: as measured, allowing for luck, its worth, its verdict and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.league.funding import Funded
from ucimpact.league.own import own_numbers
from ucimpact.league.pilot import Pilot, Scale
from ucimpact.league.reading import Reading
from ucimpact.league.verdicts import Judged, changes, reasons
from ucimpact.words import league as said


def pilot_row(
    k: int,
    main: Reading,
    judged: Judged,
    funded: Funded,
    sceptical: Funded,
    ranks: Mapping[str, np.ndarray],
    *,
    governs: bool,
) -> dict[str, Any]:
    """All that the document says of pilot ``k``.

    Parameters
    ----------
    k : int
    main : Reading
    judged : Judged
    funded, sceptical : Funded
        What the budget buys; the same under the more doubtful belief.
    ranks : mapping
        Of all pilots: ``low, high, best, top``.
    governs : bool
        Whether the league and not the pilot's own report decides.
    """
    pilot, scale, rules = main.pilots[k], main.scale, main.rules
    raw = as_measured(pilot, scale)
    low, high = (float(limits[k]) for limits in main.limits)
    lo, hi = scale.ends(low, high, k)
    est = scale.natural(float(main.shrunk.mean[k]), k)
    corrected = None
    if k == main.leader and not main.is_tied:
        first, last = scale.ends(main.corrected.low, main.corrected.high, k)
        corrected = {"lo": first, "hi": last, "est": scale.natural(main.corrected.estimate, k)}
    told = own_numbers(pilot)
    number = (est, lo, hi) if governs else (raw["est"], raw["lo"], raw["hi"])
    money = _money(k, main) if k in main.priced else dict.fromkeys(("value", "year", "evsi"))
    own_decision = pilot.document["decision"]
    value = float(main.together[k]) if money["value"] else None
    return {
        "id": pilot.id,
        "name": pilot.name,
        "place": pilot.place,
        "called": pilot.called,
        "title": words.capital(pilot.called),
        "short": pilot.short,
        "hash": pilot.hash,
        "people": pilot.analysed or pilot.people,
        "paid": pilot.people,
        "method": pilot.document["study"]["method"],
        "price": pilot.price,
        "agreed": pilot.agreed,
        "cost": pilot.price * pilot.people if pilot.is_priced and pilot.price and pilot.people else None,
        "expected": float(scale.expected[k]),
        "worthwhile": scale.worthwhile[k],
        "raw": raw,
        "shrunk": {
            "est": est,
            "lo": lo,
            "hi": hi,
            "log": scale.toward * float(main.shrunk.mean[k]),
            "sd": float(main.shrunk.sd[k]),
        },
        "hybrid": corrected,
        "rank": {name: ranks[name][k].item() for name in ("low", "high", "best", "top")},
        **money,
        "claim": judged.claim,
        "level": judged.level,
        "steps": list(judged.steps),
        "verdict": {"row": judged.made.row, "name": judged.made.name, "text": judged.made.text},
        "because": reasons(main, k, judged, est=number[0], lo=number[1], hi=number[2]),
        "would_change": changes(pilot, judged, rules),
        "own": {
            "value": told["value"],
            "price": own_decision.get("price"),
            "verdict": own_decision["verdict"],
            "chance": told["chance"],
            "level": pilot.document["certainty"]["level"],
            "claim": pilot.found["claim"],
            "est": raw["est"],
            "lo": raw["lo"],
            "hi": raw["hi"],
        },
        "governs": None
        if value is None or pilot.price is None
        else said.governs(value, pilot.price, told["value"], league=governs),
        "line": said.line(len(main.pilots), judged.made.text, value, told["value"]),
        "funded": bool(funded.scale[k] > 0),
        "scale": float(funded.scale[k]),
        "in_best": _share(funded.in_best[k]),
        "in_best_sceptical": _share(sceptical.in_best[k]),
        "others": said.others_text(pilot.comparable.get("others") or ()) if governs else "",
        "warnings": list(pilot.notes),
    }


def as_measured(pilot: Pilot, scale: Scale) -> dict[str, Any]:
    """As measured, in the units of the league."""
    found = pilot.found
    times = 1.0
    if scale.base is not None:
        times = scale.base / found["base"]
    elif scale.percent:
        shown = [100 * float(np.expm1(value)) for value in (pilot.log, pilot.low, pilot.high)]
    if not scale.percent:
        shown = [found[name] * times for name in ("est", "lo", "hi")]
    return {
        **dict(zip(("est", "lo", "hi"), shown, strict=True)),
        "log": pilot.log,
        "std_error": pilot.std_error,
        "df": pilot.df,
        "used_se": pilot.used_se,
    }


def _money(k: int, main: Reading) -> dict[str, Any]:
    """Worth a person and in a year, with the chance of being worth the price."""
    low, high = (float(limits[k]) for limits in main.value_limits)
    people, price = float(main.stakes.people[k]), float(main.stakes.price[k])
    value, cost = float(main.per_person[k]), people * price
    return {
        "value": {
            "per_person": value,
            "low": low,
            "high": high,
            "chance": float(main.chance[k]),
            "price_at_rule": float(main.at_rule[k]),
        },
        "year": {
            "cost": cost,
            "value": people * value,
            "net": people * value - cost,
            "low": people * low - cost,
            "high": people * high - cost,
        },
        "evsi": float(main.evsi[k]),
    }


def _share(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
