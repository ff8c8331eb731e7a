"""Pairs and sites with known truth: the truth is what was planted, and shocks are shared as asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.simulate_sites import PilotAndControl, PilotSites


@pytest.mark.parametrize("design", [PilotAndControl(), PilotSites(), PilotSites(as_counts=True)])
def test_the_same_seed_gives_the_same_table(design: PilotAndControl | PilotSites) -> None:
    first, again, other = (design.draw(seed).table for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_two_pairs_differ_by_the_planted_effect_in_the_pilot_alone() -> None:
    planted = PilotAndControl(level_change=-8.0, slope_change=0.5)
    with_it, without = planted.draw(4), PilotAndControl().draw(4)
    gap = with_it.table["admissions"] - without.table["admissions"]
    assert gap[:36].abs().max() == pytest.approx(0, abs=1e-9)
    assert gap[36:].to_numpy() == pytest.approx(-8 + 0.5 * np.arange(24))
    truth = with_it.truth["admissions"]
    assert truth["average"] == pytest.approx(gap[36:].mean())
    assert truth["cumulative"] == pytest.approx(gap.sum())
    pd.testing.assert_series_equal(with_it.table["neighbour"], without.table["neighbour"])
    assert planted.start == "2013-04" == with_it.table["month"][36]


def test_shocks_are_shared_by_as_much_as_asked() -> None:
    def correlation(shared: float) -> float:
        design = PilotAndControl(
            months=4_000, before=3_000, season=0.0, rho=0.0, shared=shared, first="1700-01"
        )
        table = design.draw(1).table
        return float(np.corrcoef(table["admissions"], table["neighbour"])[0, 1])

    assert correlation(0.0) == pytest.approx(0, abs=0.05)  # 4,000 months: sd .016
    assert correlation(0.5) == pytest.approx(0.5, abs=0.05)
    assert correlation(1.0) == pytest.approx(1.0)


def test_sites_start_around_the_middle_and_the_others_never() -> None:
    table = PilotSites(sites=5, never=2, spread=4).draw(1).table
    starts = table.groupby("site")["start"].first()
    assert list(starts) == ["2012-12", "2013-02", "2013-04", "2013-06", "2013-08", "", ""]


def test_sites_differ_by_the_planted_share() -> None:
    plain = PilotSites(tau=0.0, change=0.0, noise=0.0).draw(3)
    planted = PilotSites(tau=0.0, change=-0.2, noise=0.0).draw(3)
    ratio = planted.table["admissions"] / plain.table["admissions"]
    with_it = (planted.table["start"] != "") & (planted.table["month"] >= planted.table["start"])
    assert ratio[with_it].to_numpy() == pytest.approx(0.8)
    assert ratio[~with_it].to_numpy() == pytest.approx(1.0)
    added = (planted.table["admissions"] - plain.table["admissions"])[with_it]
    each = added.groupby(planted.table["site"][with_it]).mean()
    assert planted.truth["admissions"]["att"] == pytest.approx(each.mean())
    counted = PilotSites(as_counts=True).draw(1).table["admissions"]
    assert (counted == counted.round()).all() and (counted >= 0).all()
