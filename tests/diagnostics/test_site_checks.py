"""Sites that differ by more than chance are told; few sites cannot say."""

from __future__ import annotations

from typing import Any

import pytest

from ucimpact.data.panel import Panel
from ucimpact.data.simulate_sites import PilotSites
from ucimpact.diagnostics.site_checks import sites_differ, small_sites
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


def test_a_comparison_of_places_is_not_asked() -> None:
    design = PilotSites(spread=0).draw(1).table
    estimate = DifferenceInDifferences(outcome="admissions").fit(
        Panel(design, unit="site", period="month", start="start")
    )
    assert sites_differ(estimate) is None and small_sites(estimate) is None
