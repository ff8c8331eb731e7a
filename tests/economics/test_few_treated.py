"""Where one, two or three places had the pilot, the chance of repaying the cost agrees with the printed range.

With so few the range is a permutation's or a few-clusters one and often leans to one side: a chance read from a
bell round the estimate would contradict it.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.economics.test_valuation import FOUND, outcome, study
from tests.methods.test_did import table
from ucimpact.data.panel import Panel
from ucimpact.economics import valuation
from ucimpact.economics.prices import Counted
from ucimpact.inference.conley_taber import ConleyTaber
from ucimpact.inference.covariance import CR2
from ucimpact.inference.ferman_pinto import FermanPinto
from ucimpact.inference.few_clusters import Auto
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.study import Attribution, Cost, DecisionRule

OWN = Attribution(low=0.6, high=0.9, because="a virtual ward ran beside it")


def repaid(est, cost, own=None):
    """The valuation at a cost: £100 for each event fewer."""
    one = outcome(economic=100.0, capacity=None, capacity_per_event=None, marginal=None)
    paid = Cost(fixed=cost, people=100.0, price_year="2024/25")
    made = study(one, paid, decision=DecisionRule(), attribution=own)
    return valuation.value(made, [Counted(outcome=one, estimate=est)], claim="B", found=dict(FOUND))


ASKED = [
    (Auto(), 1),
    (Auto(), 2),
    (Auto(), 3),
    (FermanPinto(), 1),
    (ConleyTaber(), 2),
    (CR2(), 2),
    (CR2(), 3),
]


@pytest.mark.parametrize(("cov", "pilots"), ASKED, ids=[f"{type(cov).__name__}-{n}" for cov, n in ASKED])
def test_the_chance_that_the_net_is_above_nothing_agrees_with_its_range(cov, pilots):
    est = DifferenceInDifferences(outcome="y", cov=cov).fit(
        Panel(table(units=24, pilots=pilots, effect=-3.0))
    )
    total = est.effect("cumulative")
    assert np.isfinite([total["conf_low"], total["conf_high"]]).all()
    worst, best = (-100 * total[name] for name in ("conf_high", "conf_low"))
    prices = [worst - 20, worst + 20, best - 20, best + 20]
    for cost in (price for price in prices if price > 0):
        plain, shared = repaid(est, cost), repaid(est, cost, OWN)
        for made in (plain, shared):
            assert (made.deciding["chance"] > 0.975) == (made.net["low"] > 0)
            assert (made.deciding["chance"] < 0.025) == (made.net["high"] < 0)
        assert plain.columns["economic"]["low"] == pytest.approx(worst, rel=1e-6)
        assert plain.columns["economic"]["high"] == pytest.approx(best, rel=1e-6)
        assert (plain.deciding["chance"] > 0.975) == (cost < worst)
        assert (plain.deciding["chance"] < 0.025) == (cost > best)
