"""x"""

from __future__ import annotations

from typing import Any

from ucimpact.disclosure.counts import Log, coarse, coarsely, few


def released(cohort: dict[str, Any], counts: dict[str, Any], log: Log) -> dict[str, Any]:
    """Balance and who was lost, without the shares from which a handful of people could be counted."""
    arms = {"pilot": "matched_pilot", "comparison": "matched_comparison", "comparison_before": "comparison"}
    balance = []
    for row in cohort.get("balance") or ():
        made = dict(row)
        made["pilot_before"] = None  # beside `pilot` it would tell of the few who were lost
        for arm, n in arms.items():
            if row.get("yes_no") and few(row.get(arm), counts.get(n)):
                made |= dict.fromkeys([arm, *(name for name in made if name.startswith(("smd", "ks")))])
                log.hidden.append(f"balance: {row['name']}, {arm}")
        if row.get("yes_no"):
            made |= {name: None for name in made if name.endswith("_before") and name != "comparison_before"}
        balance.append(coarsely(made))
    lost = dict(cohort.get("lost") or {})
    exact = lost.get("n")
    yes_no = {row["name"] for row in balance if row.get("yes_no")}
    lost["differ"] = [
        {
            **row,
            "lost": None if row["lost"] is None else float(f"{row['lost']:.2g}"),
            "matched": coarse(row["matched"]),
            "smd": coarse(row["smd"]),
        }
        for row in lost.get("differ") or ()
        if not (row["name"] in yes_no and few(row["lost"], exact))
    ]
    lost["reasons"] = [
        {**row, "n": log.count(row["n"], f"lost: {row['reason']}")} for row in lost.get("reasons") or ()
    ]
    lost |= {name: log.count(lost[name], f"lost: {name}") for name in ("n", "of") if name in lost}
    kept = {name: cohort.get(name) for name in ("max_smd", "horizon")}
    return {**kept, "balance": balance, "lost": lost}
