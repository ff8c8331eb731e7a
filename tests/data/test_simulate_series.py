"""Series with a neighbour, a changed definition and many sites: the truth is what was planted."""

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.simulate_series import (
    CrisisResponse,
    DelayedTransfers,
    Measure,
    VanguardSites,
    pandemic_months,
)

DESIGNS = (CrisisResponse(), DelayedTransfers(), VanguardSites())


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: type(design).__name__)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(design):
    first, again, other = (design.draw(seed).table.to_csv(index=False) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_pandemic_lies_on_march_2020_to_june_2021_and_on_both_areas():
    month = pd.period_range("2019-01", "2022-12", freq="M")
    weight = pandemic_months(month)
    touched = month[weight > 0]
    assert (str(touched[0]), str(touched[-1]), len(touched)) == ("2020-03", "2021-06", 16)
    assert str(month[weight.argmax()]) == "2020-04"
    table = CrisisResponse().draw(1).table.set_index("month")
    for name in ("", "neighbour_"):
        admissions = table[f"{name}emergency_admissions"]
        assert admissions["2020-04"] < 0.75 * admissions["2019-04"]


def test_two_crisis_draws_differ_by_the_truth_where_counting_noise_is_small():
    huge = {"residents": 40_000_000, "dispersion": 1.0}
    with_it = CrisisResponse(**huge).draw(3)
    without = CrisisResponse(level_change=0.0, slope_change=0.0, **huge).draw(3)
    gap = with_it.table["emergency_admissions"] - without.table["emergency_admissions"]
    truth = with_it.truth["emergency_admissions"]
    counted = slice(84 + 3, None)
    assert gap[counted].sum() == pytest.approx(truth["cumulative"], rel=0.02)
    assert abs(gap[:84].sum()) < 0.01 * abs(truth["cumulative"])
    rate = gap / with_it.table["residents"] * 1000
    assert (rate[84], rate[85]) == pytest.approx((-2.2 / 4, -2.23 / 2), rel=0.1)  # as the team is built up
    assert truth["level_change"] == pytest.approx(-2.2 - 3 * 0.03)


def test_shared_shocks_make_the_neighbour_move_alike():
    def alike(shared: float) -> float:
        table = (
            CrisisResponse(shared=shared, winters=0.0, pandemic=0.0, shock=3.0, level_change=0.0)
            .draw(4)
            .table
        )
        own = table["emergency_admissions"] / table["residents"]
        theirs = table["neighbour_emergency_admissions"] / table["neighbour_residents"]
        return float(np.corrcoef(np.diff(own, 12), np.diff(theirs, 12))[0, 1])

    assert alike(0.95) > 0.8 > 0.5 > alike(0.0)


def test_a_narrower_definition_and_the_service_are_both_in_the_delayed_days():
    huge = {"residents": 50_000_000, "dispersion": 1.0}
    drawn = DelayedTransfers(**huge).draw(2)
    plain = DelayedTransfers(definition=0.0, effect=0.0, **huge).draw(2)
    ratio = np.log(drawn.table["delayed_days"] / plain.table["delayed_days"])
    assert ratio[:48].mean() == pytest.approx(0.0, abs=1e-3)
    assert ratio[48:66].mean() == pytest.approx(-0.25, abs=1e-3)
    assert ratio[66:].mean() == pytest.approx(-0.25 - 0.16, abs=1e-3)
    truth = drawn.truth["delayed_days"]
    assert truth["relative"] == pytest.approx(np.expm1(-0.16))
    avoided = drawn.table["delayed_days"][66:].sum() * -np.expm1(0.16)
    assert truth["cumulative"] == pytest.approx(avoided, rel=0.005)
    assert truth["average"] == pytest.approx(truth["cumulative"] / 17)
    changes = drawn.table["counted_as"].ne(drawn.table["counted_as"].shift())
    assert list(drawn.table["month"][changes]) == ["2013-04", "2017-04"]


def test_sites_start_in_three_waves_and_share_eight_measures():
    table = VanguardSites().draw(1).table
    assert table["site"].nunique() == 12 and len(table) == 12 * 60
    assert sorted(table["joined"].unique()) == ["2015-04", "2015-07", "2015-10"]
    assert len(VanguardSites().measures) == 8


def test_effects_over_sites_have_the_mean_and_the_spread_that_were_planted():
    loud = {"visits": Measure(rate=9e4, effect=-0.1, dispersion=1.0)}
    found = []
    for seed in range(20):
        drawn = VanguardSites(measures=loud).draw(seed).table
        plain = (
            VanguardSites(measures={"visits": Measure(rate=9e4, dispersion=1.0)}, between=0.0)
            .draw(seed)
            .table
        )
        after = drawn["month"] >= drawn["joined"]
        ratio = np.log(drawn["visits"] / plain["visits"])[after]
        found.append(ratio.groupby(drawn["site"][after]).mean())
    effects = pd.concat(found)
    assert effects.mean() == pytest.approx(-0.1, abs=3 * 0.03 / np.sqrt(240))
    assert effects.std() == pytest.approx(0.03, rel=0.15)
