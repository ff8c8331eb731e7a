"""What an event avoided cost, and how many events would repay a price."""

from __future__ import annotations

from typing import Any

from ucimpact import words
from ucimpact.economics.amounts import CRITICAL
from ucimpact.economics.prices import Row
from ucimpact.economics.ratios import fieller
from ucimpact.words import value as said


def per_event(
    row: Row,
    scale: float,
    total: float,
    claim: str,
    *,
    own: float = 1.0,
    own_limits: tuple[float, float] | None = None,
) -> dict[str, Any] | None:
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
    own, own_limits
        Share of the change that is the pilot's, and limits of the events that it avoided where the share has
        a range.
    """
    if row.outcome.kind != "count" or row.outcome.better == "higher":
        return None
    effect = row.estimate.effect("cumulative")
    avoided, low, high = (
        -float(effect[name]) * scale * own for name in ("estimate", "conf_high", "conf_low")
    )
    if own_limits is not None:
        low, high = own_limits
    event = words.one_of(row.outcome.label)
    text = words.cost_per_event(total, avoided, low, high, claim, event)
    half = (high - low) / 2 / CRITICAL
    limits = fieller(total, avoided, var_denominator=half**2) if low > 0 else None
    if limits is not None and abs((high + low) / 2 - avoided) > 1e-9 * avoided:
        limits = (total / high, total / low)  # a range that leans to one side: its own limits
    shown = {} if limits is None else {"value": total / avoided, "low": limits[0], "high": limits[1]}
    return {"defined": limits is not None, "text": text, "event": event, **shown}


def break_even(row: Row, price: float, own: float = 1.0) -> dict[str, Any]:
    """How many events of an outcome, per 100 people, would repay a price per person, at each worth of one.

    The events are those of the pilot's own share, ``own``, of the change.
    """
    event = words.one_of(row.outcome.label)
    lines: list[tuple[str, float, tuple[float, float] | None]] = []
    if row.economic is not None:
        pounds = row.economic.pounds
        lines.append((f"Full average cost of each {event}", pounds, None))
        told = row.marginal
        if told is not None:
            ends = None
            size = said.share(told.best)
            if told.ranged:
                assert told.low is not None and told.high is not None
                size, ends = (
                    f"{size} ({said.share(told.low)} to {said.share(told.high)})",
                    (told.low, told.high),
                )
            freed = f"The {size} of it that is really freed in the short run"
            lines.append(
                (freed, told.best * pounds, None if ends is None else (ends[0] * pounds, ends[1] * pounds))
            )
    if row.capacity is not None and row.units:
        plural = "" if row.units == 1 else "s"
        what = f"{row.units:g} {row.capacity.unit}{plural}"
        lines.append((f"Freed with each {event}: {what}", row.each["capacity"], None))
    if row.each["cash"]:
        lines.append((f"Cash released with each {event}", row.each["cash"], None))
    rows: list[dict[str, Any]] = []
    for label, each, ends in lines:
        if each <= 0:
            continue
        made: dict[str, Any] = {
            "label": label,
            "per_event": each,
            "events_per_100": 100 * price / (each * own),
        }
        if ends is not None and ends[0] > 0:
            made |= {
                "events_low": 100 * price / (ends[1] * own),
                "events_high": 100 * price / (ends[0] * own),
            }
        rows.append(made)
    return {"price": price, "base": None, "rows": rows, "effect": None}
