"""People are made as the file says: confounded by what is recorded alone, chosen at their worst, truth by person."""

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.cohort import Cohort
from ucimpact.data.simulate_people import HORIZON, Befriending, SoftLanding, soft_landing_truth
from ucimpact.inference import glm

AFTER = "Admissions 90 days after"
BEFORE = "Admissions 90 days before"
RECORDED = [
    "Age",
    "Deprivation fifth",
    "Long-term conditions",
    "Frailty score",
    "Lives alone",
    BEFORE,
    "Admissions 91 to 365 days before",
]


def log_ratio(table: pd.DataFrame, column: str, known: list[str]) -> tuple[float, float]:
    """Log rate ratio of the service, with what is named held alike, and its standard error."""
    x = np.column_stack([np.ones(len(table)), table[["Soft landing", *known]].to_numpy(float)])
    days = np.log(table["Days followed"].to_numpy(float))
    fit = glm.poisson(table[column].to_numpy(float), x, days if column == AFTER else None)
    return float(fit.coef[1]), float(np.sqrt(fit.cov("HC1")[1, 1]))


@pytest.mark.parametrize("design", [SoftLanding(people=500), Befriending()])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(design):
    first, again, other = (design.draw(seed).table.to_csv(index=False) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_cohort_reads_both_and_the_clock_starts_with_the_service():
    table = SoftLanding(people=800).draw(1).table
    cohort = Cohort(
        table,
        person="Person",
        pilot="Soft landing",
        index_date="Discharge date",
        service_start="First contact",
        follow_up="Days followed",
        horizon=HORIZON,
    )
    assert not cohort.recurs
    assert cohort.delay is not None
    assert (cohort.delay == 0).all()
    clients = Cohort(Befriending().draw(1).table, person="Client", follow_up="Days followed", horizon=180)
    assert clients.is_pilot.all()


def test_there_are_enough_people_on_each_side():
    for seed in range(1, 6):
        counts = SoftLanding().draw(seed).table["Soft landing"].value_counts()
        assert 600 <= counts[1] <= 1200
        assert 4 <= counts[0] / counts[1] <= 8


def test_what_is_recorded_hides_the_effect_until_it_is_held_alike():
    tables = [SoftLanding().draw(seed).table for seed in range(1, 21)]
    raw = np.mean([log_ratio(table, AFTER, [])[0] for table in tables])
    held = np.mean([log_ratio(table, AFTER, RECORDED)[0] for table in tables])
    assert raw > -0.05  # people in greater need are chosen: it looks as if nothing came of it
    assert held == pytest.approx(np.log(0.76), abs=0.05)  # 20 draws of SE 0.085: two sd is 0.038


def test_nothing_unrecorded_decides_who_gets_the_service():
    """With everybody's own rate known, it adds nothing to what is recorded."""
    z = []
    for seed in range(1, 31):
        draw = SoftLanding(people=2000).draw(seed)
        recorded = np.column_stack([np.ones(2000), draw.table[RECORDED].to_numpy(float)])
        rate = np.log(draw.potential[AFTER][:, 0] / draw.table["Days followed"].to_numpy(float))
        served = draw.table["Soft landing"].to_numpy(float)
        fit = glm.logit(served, np.column_stack([recorded, rate]))
        z.append(fit.coef[-1] / np.sqrt(fit.cov("HC0")[-1, -1]))
    assert abs(np.mean(z)) < 0.45  # 30 draws: two sd is 0.37
    assert np.std(z) == pytest.approx(1, abs=0.35)


@pytest.mark.parametrize(
    "control", ["Died within 90 days", "Injuries 90 days after", "Admissions two years before"]
)
def test_negative_controls_are_alike_once_what_is_recorded_is(control):
    z = []
    for seed in range(1, 31):
        estimate, error = log_ratio(SoftLanding(people=2500).draw(seed).table, control, RECORDED)
        z.append(estimate / error)
    assert abs(np.mean(z)) < 0.6  # three sd of a mean of 30, which leaves room for a curve in the covariates


def test_the_effect_is_that_of_the_potential_outcomes_of_those_served():
    draw = SoftLanding().draw(3)
    served = draw.table["Soft landing"].to_numpy() == 1
    without, with_it = draw.potential[AFTER][served].sum(axis=0)
    planted = draw.truth[AFTER]
    assert with_it / without == pytest.approx(0.76)
    assert planted["relative"] == pytest.approx(-0.24)
    assert planted["cumulative"] == pytest.approx(with_it - without)
    periods = draw.table.loc[served, "Days followed"].sum() / 90
    assert planted["att"] * periods == pytest.approx(planted["cumulative"])
    assert planted["per_100"] == pytest.approx(100 * planted["att"])
    # of fewer people, that of those people
    half = served & (np.arange(len(served)) % 2 == 0)
    assert soft_landing_truth(draw.table, draw.potential, half)[AFTER]["cumulative"] == pytest.approx(
        (draw.potential[AFTER][half, 1] - draw.potential[AFTER][half, 0]).sum()
    )


@pytest.mark.parametrize(
    "outcome", [AFTER, "Readmitted within 30 days", "Bed days 90 days after", "Cost 90 days after"]
)
def test_what_happened_is_what_was_expected_but_for_noise(outcome):
    surplus, spread = 0.0, 0.0
    for seed in range(1, 21):
        draw = SoftLanding(people=3000).draw(seed)
        served = draw.table["Soft landing"].to_numpy()
        left = draw.table[outcome].to_numpy(float) - draw.potential[outcome][np.arange(3000), served]
        surplus, spread = surplus + left.sum(), spread + left.var() * 3000
    assert abs(surplus) < 3 * np.sqrt(spread)


def test_costs_have_many_noughts_and_a_long_tail_and_death_cuts_follow_up():
    table = SoftLanding().draw(1).table
    cost = table["Cost 90 days after"]
    assert 0.6 < (cost == 0).mean() < 0.9
    assert ((cost == 0) == (table[AFTER] == 0)).all()
    assert cost.skew() > 3
    died = table["Died within 90 days"] == 1
    assert 0.02 < died.mean() < 0.08
    assert (table.loc[~died, "Days followed"] == 90).all()
    assert (table.loc[died, "Days followed"] <= 90).all()
    assert (table["Days followed"] >= 1).all()


def test_admissions_fall_by_themselves_after_a_bad_month():
    draw = SoftLanding(ratio=1.0).draw(1)
    for _, people in draw.table.groupby("Soft landing"):
        assert people[BEFORE].min() >= 1  # the stay they were discharged from
        assert people[AFTER].mean() < 0.4 * people[BEFORE].mean()
    assert draw.truth["before_after"]["share_of_fall_without_service"] == pytest.approx(1.0)
    assert SoftLanding().draw(1).truth["before_after"]["share_of_fall_without_service"] < 1


def test_a_charity_that_changes_nothing_sees_admissions_halve():
    draws = [Befriending().draw(seed) for seed in range(1, 11)]
    before = np.mean([draw.table["Admissions 180 days before"].mean() for draw in draws])
    after = np.mean([draw.table["Admissions 180 days after"].mean() for draw in draws])
    assert min(draw.table["Admissions 180 days before"].min() for draw in draws) == 2
    assert after < 0.6 * before
    assert all(draw.truth["Admissions 180 days after"]["att"] == 0 for draw in draws)
    expected = np.mean([draw.truth["before_after"]["expected_after_without"] for draw in draws])
    assert after == pytest.approx(expected, rel=0.1)


def test_a_client_s_expected_rate_is_that_of_the_gamma_poisson_model():
    # with n admissions before, the mean of a gamma(a, b) rate is (a + n) / (b + 1)
    draw = Befriending(clients=20_000, mean=0.55, shape=0.7).draw(1)
    before = draw.table["Admissions 180 days before"].to_numpy()
    rate = draw.potential["Admissions 180 days after"][:, 0] * 180 / draw.table["Days followed"].to_numpy()
    for n in (2, 3):
        assert rate[before == n].mean() == pytest.approx((0.7 + n) / (0.7 / 0.55 + 1), rel=0.03)
