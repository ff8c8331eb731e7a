r"""Who pays and who gains.

Payer :math:`i` pays the share :math:`a_i` of the cost :math:`C` and gainer :math:`j` has the share
:math:`b_{cj}` of the value :math:`V_c` in column :math:`c`. Of the value that the money of :math:`i` bought,

.. math:: M_{ij} = a_i \, b_{cj} \, V_c

went to :math:`j`: its rows add up to what each payer bought, its columns to what each gainer had. A party
that does both has a net in the column that decides, its gain less what it paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.economics.amounts import Amount
from ucimpact.study import Payers


def parties(payers: Payers, totals: Mapping[str, Amount], counted: str, cost: float) -> dict[str, Any]:
    """What each pays, what each gains by column, and the matrix of the column that decides."""
    gains: dict[str, list[dict[str, Any]]] = {}
    for name, shares in payers.gains.items():
        if name not in totals:
            continue
        low, high = totals[name].interval()
        best = totals[name].best
        gains[name] = [
            {"name": who, "share": share, "value": share * best, "low": share * low, "high": share * high}
            for who, share in _largest_first(shares)
        ]
    pays: list[dict[str, Any]] = [
        {"name": who, "share": share, "cost": share * cost} for who, share in _largest_first(payers.pays)
    ]
    rows = []
    for who in dict.fromkeys([row["name"] for row in pays] + [row["name"] for row in gains.get(counted, [])]):
        paid = next((row["cost"] for row in pays if row["name"] == who), 0.0)
        had = next((row for row in gains.get(counted, []) if row["name"] == who), None)
        value, low, high = (0.0, 0.0, 0.0) if had is None else (had["value"], had["low"], had["high"])
        rows.append({"name": who, "pays": paid, "gains": value, "gains_low": low, "gains_high": high})
    matrix = [
        {"name": payer["name"], "to": {row["name"]: payer["share"] * row["value"] for row in gains[counted]}}
        for payer in pays
        if counted in gains
    ]
    return {"counted": counted, "pays": pays, "gains": gains, "rows": rows, "matrix": matrix}


def _largest_first(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(shares.items(), key=lambda entry: -entry[1])
