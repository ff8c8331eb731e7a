"""Practices that join in waves: as unkind as they say, with the truth that was planted."""

import numpy as np
import pytest

from ucimpact.data.panel import Panel
from ucimpact.data.simulate_staggered import PRICE, StaggeredPractices, staggered_practices

ROLES = {"unit": "practice", "period": "month", "start": "joined", "population": "list_size"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    first, again, other = (staggered_practices(seed).to_csv(index=False) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_practices_join_over_fourteen_months_and_some_never_do():
    panel = Panel(staggered_practices(1), **ROLES)
    counts = panel.counts()
    assert (counts["units"], counts["pilot_units"], counts["periods"]) == (60, 28, 36)
    assert panel.is_balanced
    assert [panel.frequency.label(start) for start in panel.starts] == [
        *("October 2022", "January 2023", "April 2023", "August 2023", "November 2023")
    ]
    assert panel.starts[-1] - panel.starts[0] + 1 == 14


def test_lists_lie_between_two_and_twenty_thousand_and_change():
    lists = staggered_practices(1).groupby("practice")["list_size"]
    assert lists.min().min() >= 2_000 and lists.max().max() <= 20_000
    assert lists.max().max() / lists.min().min() > 5
    assert (lists.nunique() > 10).mean() > 0.8
    assert (lists.max() / lists.min()).max() > 1.1  # a neighbour closed


def test_the_truth_is_the_ratio_planted_where_the_effect_is_whole_at_once():
    truth = StaggeredPractices(effect=-0.2, settling=1).draw(3).truth
    assert truth["emergency_admissions"]["relative"] == pytest.approx(-0.2)
    assert truth["ae_attendances"]["relative"] == pytest.approx(-0.2 / 3)
    whole = StaggeredPractices(effect=-0.2).draw(3).truth["emergency_admissions"]
    assert -0.2 < whole["relative"] < -0.17  # the first two months of each practice have less of it


def test_two_draws_that_differ_by_the_effect_alone_differ_by_the_truth():
    """Without counting noise to speak of: a rate so high that a month holds a million events."""
    huge = {"rate": 80_000.0, "dispersion": 1.0}
    with_it, without = (StaggeredPractices(effect=effect, **huge).draw(5) for effect in (-0.12, 0.0))
    gap = with_it.table["emergency_admissions"].sum() - without.table["emergency_admissions"].sum()
    truth = with_it.truth["emergency_admissions"]
    assert gap == pytest.approx(truth["cumulative"], rel=1e-3)
    running = with_it.table["joined"].ne("") & (with_it.table["month"] >= with_it.table["joined"])
    people = with_it.table.loc[running, "list_size"].sum()
    assert truth["att"] == pytest.approx(1_000 * truth["cumulative"] / people)
    assert truth["att_unit"] == pytest.approx(truth["cumulative"] / running.sum())
    assert truth["pilot_periods"] == running.sum()


def test_counts_are_overdispersed_months_carry_over_and_pounds_follow_admissions():
    calm = {"drift": 0.0, "luck": 0.0, "season": 0.0, "effect": 0.0, "months": 240, "waves": (100,)}
    table = StaggeredPractices(shock=0.2, ar=0.8, rate=2_000.0, **calm).draw(1).table
    rate = np.log(table["emergency_admissions"] / table["list_size"]).to_numpy().reshape(60, 240)
    rate = rate - rate.mean(axis=1, keepdims=True)
    assert 0.6 < (rate[:, 1:] * rate[:, :-1]).sum() / (rate**2).sum() < 0.9
    drawn = staggered_practices(1)
    assert drawn["admission_cost"].sum() / drawn["emergency_admissions"].sum() == pytest.approx(
        PRICE, rel=0.02
    )
    each = drawn["admission_cost"] / drawn["emergency_admissions"]
    assert each.max() / each.median() > 1.6


@pytest.mark.parametrize(
    "design",
    [{"pilots": 0}, {"pilots": 60}, {"waves": ()}, {"waves": (0, 5)}, {"waves": (40,)}, {"settling": 0}],
)
def test_a_design_without_a_comparison_or_a_month_before_is_refused(design):
    with pytest.raises(ValueError):
        StaggeredPractices(**design)
