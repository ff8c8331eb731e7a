r"""What moves the answer: each uncertain input from end to end of its range, the others as they are.

With :math:`V(x)` the value per person where input :math:`x` has another value and :math:`P` the price, the
net is :math:`V(x) - P`. An input *switches* the answer where :math:`V(x) = P`: every input enters the value
in proportion or along a straight line, so that is one division.

What it would be worth to know an input, to the :math:`N` people of a year, is the value of partial perfect
information (:mod:`ucimpact.economics.uncertainty`). Shares and unit costs are independent of the effects and
enter as products, so the expectation of the net given one of them is exact: the others at their means. For
one outcome among several, which move together, it is the regression.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ucimpact.economics.amounts import Amount, Array
from ucimpact.economics.uncertainty import partial_information, worth_of_knowing
from ucimpact.economics.work import Work
from ucimpact.words import value as said
from ucimpact.words.numbers import mid_sentence
from ucimpact.words.pounds import per_person


def one_at_a_time(work: Work, price: float) -> list[dict[str, Any]]:
    """Rows of inputs, that which moves the net most first.

    Each has ``key, label, low_told, best_told, high_told``, the value per person ``low, best, high`` at
    either end and at the best guess, and ``switch`` with ``switch_kind``: the share, or pounds, or how many
    times what was found, at which value and price are equal; None where no possible value does it. Another
    price counts as so much more or less of value, so that every row can be held against today's.
    """
    name = work.rule.value_counted
    rows = [*_effects(work, name, price), *_mixes(work, name, price)]
    rows += [*_own(work, name, price), *_short_run(work, name, price), *_prices(work, name, price)]
    return sorted(rows, key=lambda row: -abs(row["high"] - row["low"]))


def _row(
    key: str, label: str, told: tuple[str, str, str], worth: tuple[float, float, float]
) -> dict[str, Any]:
    names = ("low_told", "best_told", "high_told", "low", "best", "high")
    return {"key": key, "label": label, **dict(zip(names, (*told, *worth), strict=True))}


def _within(x: float, low: float, high: float) -> float | None:
    return x if low <= x <= high else None


def _effects(work: Work, name: str, price: float) -> list[dict[str, Any]]:
    n, best = work.people or np.nan, work.best_value(name)
    rows = []
    for k, row in enumerate(work.rows):
        if not row.each.get(name):
            continue
        effect = row.estimate.effect("cumulative")
        ends = []
        for end in ("conf_low", "conf_high"):
            changes = [float(effect[end]) if j == k else change for j, change in enumerate(work.best)]
            ends.append(work.best_value(name, changes=changes) / n)
        changes = [change if j == k else 0.0 for j, change in enumerate(work.best)]
        own = work.best_value(name, changes=changes)
        label = said.EFFECT.format(mid_sentence(row.outcome.label))
        ends = ends if row.toward > 0 else ends[::-1]
        made = _row(f"effect:{row.outcome.column}", label, said.EFFECT_ENDS, (ends[0], best / n, ends[1]))
        times = 1 + (price * n - best) / own if own else None
        rows.append({**made, "switch": times, "switch_kind": "times"})
    return rows


def _mixes(work: Work, name: str, price: float) -> list[dict[str, Any]]:
    n, best, rows = work.people or np.nan, work.best_value(name), []
    for k, row in enumerate(work.rows):
        kind = None if name != "economic" or row.economic is None else row.economic.uncertain
        if row.economic is None or kind is None:
            continue
        low, high = float(kind.share.low or 0.0), float(kind.share.high or 0.0)

        def at(share: float, k: int = k, priced: Any = row.economic) -> float:
            each = [
                float(priced.at(share)) if j == k else r.each.get(name, 0.0) for j, r in enumerate(work.rows)
            ]
            return work.best_value(name, each=each) / n

        slope = at(1.0) - at(0.0)
        made = _row(
            f"mix:{row.outcome.column}", said.MIXED.format(kind.name), _told(low, kind.share.best, high),
            (at(low), best / n, at(high)),
        )  # fmt: skip
        switch = _within((price - at(0.0)) / slope, 0.0, 1.0) if slope else None
        rows.append({**made, "switch": switch, "switch_kind": "share"})
    return rows


def _own(work: Work, name: str, price: float) -> list[dict[str, Any]]:
    if not work.own.ranged:
        return []
    n, whole = work.people or np.nan, work.best_value(name, own=1.0)
    low, high, best = float(work.own.low or 0.0), float(work.own.high or 0.0), work.own.best
    ends = (whole * low / n, whole * best / n, whole * high / n)
    switch = _within(price * n / whole, 0.0, 1.0) if whole > 0 else None
    return [
        {
            **_row("attribution", said.OWN, _told(low, best, high), ends),
            "switch": switch,
            "switch_kind": "share",
        }
    ]


def _short_run(work: Work, name: str, price: float) -> list[dict[str, Any]]:
    """What is really freed, as if it alone counted: end to end, or against the full cost without a range."""
    marginal = [row.marginal for row in work.rows]
    if name != "economic" or not any(share is not None for share in marginal):
        return []
    n = work.people or np.nan

    def at(end: str) -> float:
        each = []
        for row, share in zip(work.rows, marginal, strict=True):
            size = 1.0 if share is None else (getattr(share, end) if share.ranged else share.best)
            each.append(size * row.each.get(name, 0.0))
        return work.best_value(name, each=each) / n

    first = next(share for share in marginal if share is not None)
    whole = work.best_value(name) / n
    if any(share is not None and share.ranged for share in marginal):
        ends = first if first.ranged else next(s for s in marginal if s is not None and s.ranged)
        told = _told(float(ends.low or 0.0), ends.best, float(ends.high or 0.0))
        made = _row("short_run", said.SHORT_RUN, told, (at("low"), at("best"), at("high")))
    else:
        told = (said.share(first.best), said.ALL, said.ALL)
        made = _row("short_run", said.SHORT_RUN, told, (at("best"), whole, whole))
    each = [
        0.0 if share is None else row.each.get(name, 0.0)
        for row, share in zip(work.rows, marginal, strict=True)
    ]
    freed = work.best_value(name, each=each)
    rest = work.best_value(name) - freed
    switch = _within((price * n - rest) / freed, 0.0, 1.0) if freed > 0 else None
    return [{**made, "switch": switch, "switch_kind": "share"}]


def _prices(work: Work, name: str, price: float) -> list[dict[str, Any]]:
    """The price with and without what stands beside it."""
    parts = (work.cost or {}).get("parts")
    if not parts:
        return []
    low = price if parts["price_running"] is None else parts["price_running"]
    high = price if parts["price_with_volunteers"] is None else parts["price_with_volunteers"]
    each = work.best_value(name) / (work.people or np.nan)
    told = (per_person(high), per_person(price), per_person(low))
    made = _row("price", said.PRICE, told, (each - (high - price), each, each + (price - low)))
    return [{**made, "switch": each if each > 0 else None, "switch_kind": "pounds"}]


def _told(low: float, best: float, high: float) -> tuple[str, str, str]:
    return said.share(low), said.share(best), said.share(high)


# -- what it would be worth to know --------------------------------------------------------


def knowing(work: Work, deciding: Amount, price: float) -> dict[str, Any]:
    """What perfect information is worth to the people of a year, and each input's part in it.

    ``known`` is empty where the effect is all that is uncertain.
    """
    assert work.people
    n, name = work.people, work.rule.value_counted
    net = deciding.draws / n - price
    found: dict[str, Any] = {"evpi": n * worth_of_knowing(_against_nothing(net)), "known": []}
    effects = work.column(name, only_effects=True)
    counted = [k for k, row in enumerate(work.rows) if row.each.get(name)]
    uncertain = work.own.ranged or (name == "economic" and any(work.mixed[k] is not None for k in counted))
    if effects is None or not (uncertain or len(counted) > 1):
        return found
    parts: list[tuple[str, str, float]] = []
    if uncertain:
        label = said.EFFECTS if len(counted) > 1 else said.EFFECT.format(_named(work, counted[0]))
        parts.append(("effects", label, worth_of_knowing(_against_nothing(effects.draws / n - price))))
    if len(counted) > 1:
        parts += [
            (
                f"effect:{work.rows[k].outcome.column}",
                said.EFFECT.format(_named(work, k)),
                partial_information(_against_nothing(net), work.drawn[:, k]),
            )
            for k in counted
        ]
    means = [
        work.rows[k].toward * work.rows[k].each[name] * work.scale[k] * float(work.drawn[:, k].mean()) / n
        for k in counted
    ]
    if work.own.ranged:
        expected = work.own_draws * sum(means) - price
        parts.append(("attribution", said.OWN, worth_of_knowing(_against_nothing(expected))))
    for k, mean in zip(counted, means, strict=True):
        mixed, priced = work.mixed[k], work.rows[k].economic
        if name == "economic" and mixed is not None and priced is not None and priced.uncertain is not None:
            expected = work.own.best * (sum(means) + mean * (mixed - 1)) - price
            label = said.MIXED.format(priced.uncertain.name)
            parts.append(
                (f"mix:{work.rows[k].outcome.column}", label, worth_of_knowing(_against_nothing(expected)))
            )
    found["known"] = [
        {"key": key, "label": label, "worth": n * worth}
        for key, label, worth in sorted(parts, key=lambda part: -part[2])
    ]
    return found


def _named(work: Work, k: int) -> str:
    return mid_sentence(work.rows[k].outcome.label)


def _against_nothing(net: Array) -> Array:
    """The choice: not to pay, with a net of 0, or to pay."""
    return np.column_stack([np.zeros(len(net)), net])
