"""What an event avoided cost, and how many events would repay a price."""

from __future__ import annotations

from typing import Any

from ucimpact import words
from ucimpact.economics.amounts import CRITICAL
from ucimpact.economics.prices import Row
from ucimpact.economics.ratios import fieller
from ucimpact.study import Value


def per_event(row: Row, scale: float, total: float, claim: str) -> dict[str, Any] | None:
    """The cost of each event of an outcome avoided, by Fieller's interval where it is defined.

    Parameters
    ----------
    row : Row
        The main outcome.
    scale : float
        From those it was analysed in to those whom the cost is for.
    total : float
        What the pilot cost.
    claim : str
        The claim of the headline.
    """
    if row.outcome.kind != "count" or row.outcome.better == "higher":
        return None
    effect = row.estimate.effect("cumulative")
    avoided, low, high = (-float(effect[name]) * scale for name in ("estimate", "conf_high", "conf_low"))
    event = words.one_of(row.outcome.label)
    text = words.cost_per_event(total, avoided, low, high, claim, event)
    half = (high - low) / 2 / CRITICAL
    limits = fieller(total, avoided, var_denominator=half**2) if low > 0 else None
    if limits is not None and abs((high + low) / 2 - avoided) > 1e-9 * avoided:
        limits = (total / high, total / low)  # a range that leans to one side: its own limits
    shown = {} if limits is None else {"value": total / avoided, "low": limits[0], "high": limits[1]}
    return {"defined": limits is not None, "text": text, "event": event, **shown}


def break_even(row: Row, price: float) -> dict[str, Any]:
    """How many events of an outcome, per 100 people, would repay a price per person, at each worth of one."""
    told = row.outcome.value or Value()
    event = words.one_of(row.outcome.label)
    lines = []
    if row.economic is not None:
        lines.append((f"Full average cost of each {event}", row.economic.pounds))
        if told.marginal is not None:
            share = f"{100 * told.marginal:.0f}%"
            freed = f"The {share} of it that is really freed in the short run"
            lines.append((freed, told.marginal * row.economic.pounds))
    if row.capacity is not None and row.units:
        plural = "" if row.units == 1 else "s"
        what = f"{row.units:g} {row.capacity.unit}{plural}"
        lines.append((f"Freed with each {event}: {what}", row.each["capacity"]))
    if row.each["cash"]:
        lines.append((f"Cash released with each {event}", row.each["cash"]))
    rows = [
        {"label": label, "per_event": each, "events_per_100": 100 * price / each}
        for label, each in lines
        if each > 0
    ]
    return {"price": price, "base": None, "rows": rows, "effect": None}
