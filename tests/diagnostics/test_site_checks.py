"""Sites that differ by more than chance are told; few sites cannot say."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from ucimpact.data.panel import Panel
from ucimpact.data.simulate_sites import PilotSites
from ucimpact.diagnostics.robustness import leave_one_place_out, moved_back, placebo_starts
from ucimpact.diagnostics.site_checks import sites_differ, small_sites
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.multi_site_its import MultiSiteITS


def panel(seed: int, **design: Any) -> Panel:
    table = PilotSites(**{"noise": 0.02, **design}).draw(seed).table
    return Panel(table, unit="site", period="month", start="start")


def fitted(seed: int = 2, **design: Any) -> Estimate:
    return MultiSiteITS(outcome="admissions", scale="ratio").fit(panel(seed, **design))


@pytest.mark.parametrize(
    ("design", "answer", "said"),
    [
        ({"tau": 0.2}, "doubtful", "8 sites differ by more than chance"),
        ({"tau": 0.0}, "holds", "no more than chance would give"),
        ({"tau": 0.0, "sites": 4}, "cannot tell", "4 sites are too few"),
    ],
)
def test_the_scatter_between_sites_decides(design: dict[str, Any], answer: str, said: str) -> None:
    check = sites_differ(fitted(**design))
    assert check is not None
    assert (check.answer, check.counted) == (answer, False)
    assert said in check.text


def test_the_spread_is_told_in_per_cent_of_what_was_expected() -> None:
    estimate = fitted(tau=0.2)
    spread = 100 * estimate.extras["heterogeneity"]["tau"]
    check = sites_differ(estimate)
    assert check is not None and f"a spread of {spread:.0f} per cent" in check.text


def test_few_sites_say_nothing_of_small_ones() -> None:
    eight, fourteen = small_sites(fitted(5)), small_sites(fitted(5, sites=14))
    assert eight is not None and fourteen is not None
    assert eight.answer == "cannot tell" and "8 sites are too few" in eight.text
    assert fourteen.answer == "holds"


def without_the_past_of(names: list[str], sites: int) -> Panel:
    """Sites of which some have too short a past to be analysed."""
    table = PilotSites(noise=0.02, sites=sites).draw(3).table
    month, start = (pd.PeriodIndex(table[name].str[:7], freq="M") for name in ("month", "start"))
    late = month >= start - 2
    return Panel(table[~table["site"].isin(names) | late], unit="site", period="month", start="start")


def test_sites_without_a_comparison_are_tried_at_earlier_dates() -> None:
    method = MultiSiteITS(outcome="admissions", scale="ratio")
    data = panel(2, change=-0.2, never=0, before=42, months=66)
    assert data.pilot_units.all()
    check = placebo_starts(method.fit, data, method.fit(data))
    months = [row["periods_earlier"] for row in check.table]
    assert len(months) == 3 and months[0] == 6
    assert data.starts[0] - data.ordinals[0] - months[-1] == 24
    assert check.answer == "holds", check.text
    fake = moved_back(data, 6, alone=True)
    assert fake is not None and check.table[0]["estimate"] == method.fit(fake).headline["estimate"]
    assert not (fake.table["month"] >= data.table["start"].max()).any()


def test_sites_with_two_years_before_have_no_earlier_date() -> None:
    method = MultiSiteITS(outcome="admissions", scale="ratio")
    data = panel(2)
    late = data.ordinals[data.period_codes] >= data.starts[0] - 26
    check = placebo_starts(method.fit, data.where(late), method.fit(data))
    assert check.answer == "cannot tell" and check.table == []


def test_only_sites_that_were_pooled_are_left_out() -> None:
    method = MultiSiteITS(outcome="admissions", scale="ratio", shared_season=True)
    everything = PilotSites(noise=0.02, sites=6).draw(3).table["site"].unique()
    data = without_the_past_of(list(everything[:2]), 6)
    estimate = method.fit(data)
    assert estimate.counts["sites_refused"] == 2
    check = leave_one_place_out(method.fit, data, estimate)
    assert "(4 tried)" in check.text
    assert {row["place"] for row in check.table} == set(everything[2:6])
    assert all(row["change"] for row in check.table)


def test_sites_that_cannot_be_done_without_leave_it_open() -> None:
    method = MultiSiteITS(outcome="admissions", scale="ratio", shared_season=True)
    everything = PilotSites(noise=0.02, sites=5).draw(3).table["site"].unique()
    data = without_the_past_of(list(everything[:2]), 5)
    check = leave_one_place_out(method.fit, data, method.fit(data))
    assert check.answer == "cannot tell"
    assert check.text == "No place could be left out: too little would remain to compare."


def test_one_fit_that_is_refused_leaves_it_open() -> None:
    method = MultiSiteITS(outcome="admissions", scale="ratio")
    data = panel(2)

    def fit(part: Panel) -> Estimate:
        if data.units[0] not in part.units:
            raise DesignError("no")
        return method.fit(part)

    check = leave_one_place_out(fit, data, method.fit(data))
    assert check.answer == "cannot tell" and "(7 tried)" in check.text
    assert "Without one place too little would remain" in check.text


def test_a_comparison_of_places_is_not_asked() -> None:
    design = PilotSites(spread=0).draw(1).table
    estimate = DifferenceInDifferences(outcome="admissions").fit(
        Panel(design, unit="site", period="month", start="start")
    )
    assert sites_differ(estimate) is None and small_sites(estimate) is None
