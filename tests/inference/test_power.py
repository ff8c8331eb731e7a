"""Figures that others measured, cases worked by hand, and the chances seen in simulated evaluations."""

import math

import numpy as np
import pytest
from scipy import stats

from ucimpact.inference.few_clusters import ENOUGH
from ucimpact.inference.power import PlaceChanges, Precision, TwoGroups, change_of_means, fewest

READMISSION = TwoGroups(kind="binary", mean=0.18, ratio=3)
DRAWS = 4_000
WITHIN = 3 * math.sqrt(0.8 * 0.2 / DRAWS)


@pytest.mark.parametrize(("people", "in_100"), [(60, 10), (300, 32), (1_000, 78)])
def test_readmissions_of_18_in_100_and_a_fifth_fewer(people, in_100):
    """Measured by simulation elsewhere: 1 to 3, 30-day readmission 18%, ratio 0.8."""
    assert round(100 * READMISSION.chance(people, -0.2 * 0.18)) == in_100


def test_on_many_degrees_of_freedom_the_smallest_effect_is_2_8_standard_errors():
    normal = Precision(1.0, stats.norm.ppf(0.975))
    assert normal.findable() == pytest.approx(2.801585, abs=1e-6)
    assert Precision.by_t(1.0, 1e7).findable() == pytest.approx(normal.findable(), abs=1e-5)
    assert normal.chance(2.801585) == pytest.approx(0.8, abs=1e-5)
    assert normal.chance(0.0) == pytest.approx(0.05)


@pytest.mark.parametrize("df", [3, 4, 10, 60])
def test_few_degrees_of_freedom_by_the_noncentral_t(df):
    precision = Precision.by_t(2.0, df)
    judge = stats.nct(df, precision.findable() / 2.0)
    bound = stats.t.ppf(0.975, df)
    assert judge.sf(bound) + judge.cdf(-bound) == pytest.approx(0.8, abs=1e-4)
    assert precision.chance(precision.findable()) == pytest.approx(0.8, abs=1e-4)
    assert precision.chance(-3.0) == pytest.approx(precision.chance(3.0), abs=1e-9)
    assert precision.chance(0.0) == pytest.approx(0.05, abs=1e-9)


def test_half_the_range_is_found_as_often_as_not():
    assert Precision(1.0, 2.5).chance(2.5) == pytest.approx(0.5, abs=1e-6)


def test_a_precision_that_finds_an_effect_four_times_in_five_finds_no_smaller_one():
    precision = Precision.finding(5.0, 1.4)
    assert precision.chance(5.0) == pytest.approx(0.8, abs=1e-6)
    assert precision.findable() == pytest.approx(5.0)


def test_standard_error_by_hand():
    design = TwoGroups(kind="count", mean=0.4, dispersion=1.5, ratio=2, cluster_size=11, icc=0.05)
    expected = math.sqrt(1.5 * (1.5 * 0.3 / 200 + 1.5 * 0.4 / 400))
    precision = design.at(200, -0.1)
    assert precision.se == pytest.approx(expected)
    assert precision.df == pytest.approx(600 / 11 - 2)
    costs = TwoGroups(kind="measured", mean=900.0, sd=2_000.0)
    assert costs.at(100, -50.0).se == pytest.approx(2_000 * math.sqrt(2 / 100))


def test_people_needed_is_the_fewest():
    need = READMISSION.people_needed(-0.036)
    assert READMISSION.chance(need, -0.036) >= 0.8 > READMISSION.chance(need - 1, -0.036)
    assert need == pytest.approx(1_046, rel=0.01)  # (1.96 + 0.8416)^2 (0.1233 + 0.1476 / 3) / 0.036^2


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(
    "design",
    [
        READMISSION,
        TwoGroups(kind="count", mean=0.38, dispersion=1.6, ratio=3),
        TwoGroups(kind="measured", mean=900.0, sd=2_000.0),
        TwoGroups(kind="count", mean=0.38, dispersion=1.6, cluster_size=20, icc=0.03),
    ],
)
def test_the_smallest_effect_and_the_people_needed_are_each_others_inverse(design, sign):
    smallest = design.findable(800, sign)
    assert design.chance(800, sign * smallest) == pytest.approx(0.8, abs=1e-6)
    assert design.people_needed(sign * smallest) == pytest.approx(800, abs=1)


def test_where_not_even_a_fall_of_all_would_be_found_there_is_no_smallest():
    rare = TwoGroups(kind="binary", mean=0.01)
    assert rare.findable(100) is None
    assert rare.findable(100, +1) is not None  # a rise has room
    assert rare.findable(1) is None  # two people have no spread
    assert rare.chance(1, -0.005) == 0.0


def test_more_of_anything_finds_smaller_effects():
    sizes = [READMISSION.findable(n) for n in (300, 600, 1_200, 4_800)]
    assert sizes == sorted(sizes, reverse=True)
    ratios = [TwoGroups(kind="binary", mean=0.18, ratio=r).findable(600) for r in (1, 2, 3, 5)]
    assert ratios == sorted(ratios, reverse=True)
    clustered = TwoGroups(kind="binary", mean=0.18, ratio=3, cluster_size=20, icc=0.05)
    assert clustered.findable(600) > READMISSION.findable(600)


def test_fewest_gives_up_where_no_number_is_enough():
    assert fewest(lambda n: min(0.79, n), most=10_000) is None
    assert fewest(lambda n: 0.9 * n) == 1
    assert fewest(lambda n: n / 100) == 80


def test_change_of_means_by_hand():
    assert change_of_means(12, 6, 0.0) == pytest.approx(1 / 12 + 1 / 6)
    assert change_of_means(1, 1, 0.5) == pytest.approx(2 - 2 * 0.5)
    # before (a, b), after c: var(c - (a + b) / 2) with correlations 0.5, 0.5, 0.25
    assert change_of_means(2, 1, 0.5) == pytest.approx(1 + 0.5 + 0.25 - 0.5 - 0.25)


def test_places_by_hand():
    design = PlaceChanges(base=40, pilot=4, comparison=8, before=12, after=6, change_sd=0.1, dispersion=1.2)
    spread = 16 + 1.2 * 40 * (1 / 12 + 1 / 6)
    assert design.precision.se == pytest.approx(math.sqrt(spread * (1 / 4 + 1 / 8)))
    assert design.precision.df == 10


def test_degrees_of_freedom_of_two_large_groups():
    many = PlaceChanges(base=40, pilot=12, comparison=12, before=12, after=12, change_sd=0.1)
    assert many.df == pytest.approx(22)
    uneven = PlaceChanges(base=40, pilot=ENOUGH, comparison=60, before=12, after=12, change_sd=0.1)
    assert ENOUGH - 1 < uneven.df < 10  # Welch: the small group's spread is its own


def found(pilot: np.ndarray, other: np.ndarray, df: float) -> float:
    """How often the range of the difference leaves out 0, each group at its own spread; rows are studies."""
    n1, n0 = pilot.shape[1], other.shape[1]
    gap = pilot.mean(axis=1) - other.mean(axis=1)
    se = np.sqrt(pilot.var(axis=1, ddof=1) / n1 + other.var(axis=1, ddof=1) / n0)
    return float(np.mean(np.abs(gap) > stats.t.ppf(0.975, df) * se))


def test_simulated_cohorts_find_what_the_formula_says():
    """Negative binomial counts: variance 1.6 times the mean."""
    rng = np.random.default_rng(11)
    design = TwoGroups(kind="count", mean=0.38, dispersion=1.6, ratio=3)
    people, smallest = 300, design.findable(300)

    def counts(mean: float, n: int) -> np.ndarray:
        return rng.poisson(rng.gamma(mean / 0.6, 0.6, (DRAWS, n)))

    seen = found(counts(0.38 - smallest, people), counts(0.38, 3 * people), 4 * people - 2)
    assert seen == pytest.approx(0.8, abs=WITHIN + 0.01)


def test_simulated_clusters_find_what_the_formula_says():
    """Analysed by cluster: means of 20 people with a shared part, 12 clusters against 12."""
    rng = np.random.default_rng(12)
    design = TwoGroups(kind="measured", mean=50.0, sd=10.0, cluster_size=20, icc=0.1)
    smallest = design.findable(240)

    def means(shift: float) -> np.ndarray:
        shared = rng.normal(0, math.sqrt(10.0), (DRAWS, 12))
        return 50 + shift + shared + rng.normal(0, math.sqrt(90 / 20), (DRAWS, 12))

    assert found(means(-smallest), means(0), 22) == pytest.approx(0.8, abs=WITHIN)


def test_simulated_places_find_what_the_formula_says():
    """Four pilot places and eight others: lasting changes, AR(1) months, counting noise; pooled t on 10."""
    rng = np.random.default_rng(13)
    design = PlaceChanges(
        base=60, pilot=4, comparison=8, before=12, after=12, change_sd=0.05, month_sd=0.1, autocorrelation=0.4
    )
    smallest = design.precision.findable()

    def changes(n: int, shift: float) -> np.ndarray:
        noise = rng.normal(0, 1, (DRAWS, n, 24))
        for t in range(1, 24):
            noise[:, :, t] = 0.4 * noise[:, :, t - 1] + math.sqrt(1 - 0.16) * noise[:, :, t]
        level = 60 * (1 + 0.1 * noise)
        level[:, :, 12:] += 60 * rng.normal(0, 0.05, (DRAWS, n, 1)) + shift
        seen = rng.poisson(np.maximum(level, 0))
        return seen[:, :, 12:].mean(axis=2) - seen[:, :, :12].mean(axis=2)

    pilot, other = changes(4, -smallest), changes(8, 0.0)
    pooled = (3 * pilot.var(axis=1, ddof=1) + 7 * other.var(axis=1, ddof=1)) / 10
    gap = pilot.mean(axis=1) - other.mean(axis=1)
    seen = np.mean(np.abs(gap) > stats.t.ppf(0.975, 10) * np.sqrt(pooled * (1 / 4 + 1 / 8)))
    assert seen == pytest.approx(0.8, abs=WITHIN + 0.01)
