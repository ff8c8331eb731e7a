"""How alike two groups of people were, without a mean or a share from which a handful could be counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.disclosure.counts import HIDDEN, ROUND_TO, Log, coarse, coarsely, few, nearest


def balance(rows: Sequence[Mapping[str, Any]], counts: Mapping[str, Any], log: Log) -> list[dict[str, Any]]:
    """Balance without the shares and means from which a handful of people could be counted.

    A mean of something counted, times the people it is of, is a number of events; so each mean is worked out
    again from its total to the nearest 5. Where one is of a handful, all that would give it back goes with
    it: the means beside it, which matching has made equal, and the differences before.
    """
    arms = {"pilot": "matched_pilot", "comparison": "matched_comparison", "comparison_before": "comparison"}
    people = counts.get("matched_pilot") or counts.get("pilot")
    out = []
    for row in rows:
        made = dict(row)
        made["pilot_before"] = None  # beside `pilot` it would tell of the few who were lost
        for name in made:
            if name in DIFFERENCES and made[name] is not None:
                made[name] = round(made[name], 2) + 0.0
        if is_season(row["name"]):
            out.append(coarsely(made))
            continue
        small = [arm for arm, n in arms.items() if _of_a_few(row, arm, counts.get(n), people)]
        if small:
            before = [
                name for name in made if name.endswith("_before") or name.startswith(("ks", "variance"))
            ]
            made |= dict.fromkeys([*arms, *before])
            log.hidden.append(f"balance: {row['name']}")
        else:
            made |= {arm: in_fives(row.get(arm), people) for arm in ("pilot", "comparison")}
        if row.get("yes_no"):
            beside = [
                n for n in made if n.endswith("_before") and n not in ("comparison_before", "smd_before")
            ]
            made |= dict.fromkeys(beside)
            made["smd_before"] = _told_in_fives(made, counts.get("pilot") or counts.get("matched_pilot"))
        out.append(coarsely(made))
    return out


DIFFERENCES = ("smd_before", "smd", "ks_before", "ks")
"""Told to two places: more would tell the two means apart by a single person."""


def is_season(name: str) -> bool:
    """Whether a measure is a place in the year, which counts nobody."""
    return name.startswith("season (")


def _of_a_few(row: Mapping[str, Any], arm: str, n: float | None, people: float | None) -> bool:
    """Whether a share or a mean is of a handful of its own arm, or of the people supported."""
    value = row.get(arm)
    if value is None:
        return False
    sizes = [size for size in (n, people if arm == "comparison" else None) if size]
    if row.get("yes_no"):
        return few(value, n)
    return any(HIDDEN[0] <= round(abs(value) * size) <= HIDDEN[1] for size in sizes)


def in_fives(mean: float | None, people: float | None) -> float | None:
    """A mean of which the total is a multiple of five."""
    return mean if mean is None or not people else nearest(mean * people) / people


def _told_in_fives(row: Mapping[str, Any], people: float | None) -> float | None:
    """The difference of a yes or no before matching, no finer than five of the people supported.

    Beside the share of everyone else it gives the share of all who were supported back, and that beside the
    share of those matched tells of the few who were lost.
    """
    smd, share = row.get("smd_before"), row.get("comparison_before")
    if smd is None or share is None or not people or not 0 < share < 1:
        return None
    step = max(0.01, ROUND_TO / (people * (share * (1 - share)) ** 0.5))
    return float(round(smd / step) * step)


def lost(whom: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], log: Log) -> dict[str, Any]:
    """Who had nobody to be compared with."""
    made, exact = dict(whom), whom.get("n")
    yes_no = {row["name"] for row in rows if row.get("yes_no")}
    made["differ"] = [
        {
            **row,
            "lost": None if row["lost"] is None else float(f"{row['lost']:.2g}"),
            "matched": coarse(row["matched"]),
            "smd": coarse(row["smd"]) if row.get("smd") is not None else None,
        }
        for row in whom.get("differ") or ()
        if exact and exact > HIDDEN[1] and not _lost_few(row, exact, row["name"] in yes_no)
    ]
    made["reasons"] = [
        {**row, "n": log.count(row["n"], f"lost: {row['reason']}")} for row in whom.get("reasons") or ()
    ]
    return made | {name: log.count(made[name], f"lost: {name}") for name in ("n", "of") if name in made}


def _lost_few(row: Mapping[str, Any], n: float, yes_no: bool) -> bool:
    """Whether what is said of those who were lost is of a handful of them."""
    return _of_a_few({**row, "yes_no": yes_no}, "lost", n, None)
