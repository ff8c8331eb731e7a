"""Every price has a source and a year, and moves between years as the index says."""

from __future__ import annotations

import pytest

from ucimpact.economics.unit_costs import (
    changes,
    inflator,
    price_years,
    unit_cost,
    unit_costs,
    vintages,
)
from ucimpact.errors import UsageError


def test_a_bed_day_of_2020_21_in_prices_of_2024_25():
    """1.0258 x 1.0732 x 1.0247 x 1.0402 = 1.1734; £344.60 x 1.1734 = £404.36."""
    assert inflator("2020/21", "2024/25") == pytest.approx(1.0258 * 1.0732 * 1.0247 * 1.0402)
    assert inflator("2020/21", "2024/25") == pytest.approx(1.173, abs=0.0005)
    assert unit_cost("bed-day").in_prices_of("2024/25") == pytest.approx(404.36, abs=0.01)


def test_there_and_back_is_the_same_price():
    assert inflator("2016/17", "2022/23") * inflator("2022/23", "2016/17") == pytest.approx(1.0)
    assert inflator("2024/25", "2024/25") == 1.0


def test_a_year_outside_the_index_is_refused_with_the_years_there_are():
    for of, to in (("2012/13", "2024/25"), ("2020/21", "2025/26")):
        with pytest.raises(UsageError, match="2014/15 to 2024/25"):
            inflator(of, to)
    assert inflator("2025/26", "2025/26") == 1.0  # nothing is moved, so nothing need be known


def test_the_index_says_what_is_revised():
    """2023/24 was 4.31% when provisional: with that a price carried over it would be 1.8% higher."""
    assert changes()["2023/24"] == 2.47 and vintages()["2023/24"] == "revised"
    assert changes()["2024/25"] == 4.02 and vintages()["2024/25"] == "provisional"
    moved = 1.0431 / 1.0247
    assert moved == pytest.approx(1.018, abs=0.0005)
    assert price_years()[0] == "2014/15" and len(price_years()) == 11


@pytest.mark.parametrize(
    ("item", "pounds"),
    [
        ("ae-attendance", 280), ("ae-attendance-vb11z", 127), ("ae-attendance-vb09z", 182), ("ae-attendance-vb08z", 269),
        ("ae-attendance-vb07z", 367), ("ae-attendance-vb01z", 1180), ("non-elective-short-stay", 826),
        ("non-elective-long-stay", 5419), ("non-elective-admission", 2711), ("critical-care-bed-day", 2027),
        ("frailty-long-stay", 4690), ("frailty-short-stay", 692), ("ambulance-hear-and-treat", 62),
        ("ambulance-see-and-treat", 364), ("ambulance-see-and-convey", 489), ("district-nurse-visit", 60),
        ("district-nurse-contact-remote", 43), ("community-matron-visit", 145), ("crisis-response-contact", 126),
        ("intermediate-care-home-contact", 115), ("palliative-nurse-visit", 155), ("stroke-rehab-contact", 143),
        ("multi-condition-rehab-contact", 143), ("mh-crisis-contact", 357), ("mh-liaison-contact", 346),
        ("bed-day", 344.60), ("average-bed-day", 1032), ("non-elective-bed-day", 901), ("critical-care-bed-day-2020", 1881),
    ],
)  # fmt: skip
def test_the_figures_are_those_of_their_source(item, pounds):
    assert unit_cost(item).pounds == pounds


def test_every_price_has_a_source_a_licence_and_a_year_of_the_index():
    for cost in unit_costs().values():
        assert cost.source and cost.licence and cost.vintage and cost.unit
        assert cost.price_year in price_years() and cost.pounds > 0


def test_all_stays_are_the_mixture_of_short_and_long_ones():
    """6.61 million short stays and 4.60 million long ones."""
    short, long = unit_cost("non-elective-short-stay").pounds, unit_cost("non-elective-long-stay").pounds
    assert (6.61 * short + 4.60 * long) / 11.21 == pytest.approx(2711, rel=0.001)


def test_no_figure_of_the_manual_that_may_not_be_shipped_is_there():
    for cost in unit_costs().values():
        assert "PSSRU" not in cost.source and not cost.item.startswith("gp")


def test_an_unknown_item_names_those_nearest_to_it():
    with pytest.raises(UsageError, match="bed-day"):
        unit_cost("bed-days")


def test_a_price_that_was_moved_says_so():
    cost = unit_cost("bed-day")
    assert cost.told("2024/25").endswith("2020/21 figure, raised to 2024/25 prices")
    assert unit_cost("ae-attendance").told("2022/23").endswith("2024/25 figure, taken back to 2022/23 prices")
    assert cost.told("2020/21").endswith("in 2020/21 prices")
