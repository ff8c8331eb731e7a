"""Leagues of any pilots: what holds whatever they found, cost, share or lack."""

from __future__ import annotations

import numpy as np
import pytest
from seven_pilots import changed, evaluation

from ucimpact import words
from ucimpact.league import Entry, compare


def any_league(seed):
    """Two to nine pilots of any size and result, some of them without a price, in doubt, or linked."""
    rng = np.random.default_rng(seed)
    entries = []
    for k in range(int(rng.integers(2, 10))):
        error = rng.uniform(0.5, 8)
        est = max(round(rng.normal(rng.choice([-5, 0, 4]), 4), 3), -30.0)
        ends = (max(est - 2 * error, -37.5), est + 2 * error)
        price = float(rng.choice([5, 30, 60, 120, 300, 1000]))
        document = evaluation(f"Kind {k}", f"Town {k}", int(rng.integers(20, 4000)), price, est, *ends)
        document["comparable"]["rule"]["another_year_costs"] = [None, 100.0, 6e3, 5e4][rng.integers(4)]
        entry = Entry(document=document, source=f"{k}")
        link = rng.random()
        if link < 0.3:
            arm = {} if link < 0.15 else {"arm_variance": None}
            entry = changed(entry, controls={"pool": "county", **arm})
        if rng.random() < 0.15:
            entry.document["decision"]["price"] = None
        if rng.random() < 0.2:
            doubt = {
                "name": "clock",
                "question": "Did both start together?",
                "answer": "doubtful",
                "counted": True,
            }
            entry.document["checks"].append(doubt)
        entries.append(entry)
    return entries, [None, 500.0, 2e4, 2e5, 2e6][rng.integers(5)]


@pytest.mark.parametrize("seed", range(8))
def test_what_holds_of_any_league(seed):
    entries, budget = any_league(seed)
    document = compare(entries, budget=budget)
    pilots, money = document["pilots"], document["portfolio"]
    assert sum(pilot["rank"]["best"] for pilot in pilots) == pytest.approx(1)
    for pilot in pilots:
        lo, est, hi = (pilot["shrunk"][name] for name in ("lo", "est", "hi"))
        assert lo < est < hi
        assert pilot["rank"]["low"] <= pilot["rank"]["high"]
        if pilot["funded"]:
            assert pilot["verdict"]["text"] in ("Mainstream", "Extend with evaluation")
        if pilot["verdict"]["text"] == "Mainstream" and len(pilots) >= 3:
            assert pilot["value"]["chance"] >= 0.8
        if pilot["price"] is None:
            assert pilot["verdict"]["row"] == 0
    if money is not None and budget is not None:
        assert money["cost"] <= budget * (1 + 1e-9)
        assert money["unspent"] == pytest.approx(budget - money["cost"])
    if money is not None and money["funded"]:
        assert money["low"] <= money["net"] <= money["high"]
    texts = [*document["sentences"].values(), *document["decision"].values(), document["covariance"]["text"]]
    texts += [text for pilot in pilots for text in (pilot["because"], pilot["line"], *pilot["would_change"])]
    for text in texts:
        assert not words.breaks(text), text
