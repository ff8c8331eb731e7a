"""Strata are matched apart: any cut along them, in any process, gives the sets of one pass."""

import numpy as np
import pytest

from ucimpact.inference.by_stratum import nearest_by_stratum, pieces
from ucimpact.inference.pairing import mahalanobis_scale, nearest


def people(seed, n=600, strata=25):
    rng = np.random.default_rng(seed)
    return rng.normal(size=n).round(2), rng.random(n) < 0.3, rng.integers(0, strata, n), rng


def same(one, two):
    for name in ("treated", "controls", "unmatched"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("order", ["largest", "smallest", "closest", "data", "random"])
def test_a_cut_gives_the_sets_of_one_pass(seed, order):
    distance, treated, strata, _ = people(seed)
    rules = {"caliper": 0.4, "ratio": 2, "order": order, "seed": 3}
    whole = nearest(distance, treated, strata=strata, **rules)
    same(nearest_by_stratum(distance, treated, strata, mapped=map, **rules), whole)


def test_mahalanobis_with_forbidden_pairs_and_calipers_gives_the_same_too():
    distance, treated, strata, rng = people(11)
    x, inverse = mahalanobis_scale(rng.normal(size=(len(distance), 3)), treated)
    team, age = rng.integers(0, 4, len(distance)), rng.normal(80, 8, len(distance))
    rules = {"caliper": 0.8, "inverse_cov": inverse, "ratio": 3}
    more = {"forbid": [team], "calipers": [(age, 6.0)], "covariates": x}
    whole = nearest(distance, treated, strata=strata, **more, **rules)
    same(nearest_by_stratum(distance, treated, strata, mapped=map, **more, **rules), whole)


def test_other_processes_give_the_same():
    distance, treated, strata, _ = people(5)
    whole = nearest(distance, treated, strata=strata, caliper=0.3)
    same(nearest_by_stratum(distance, treated, strata, workers=2, caliper=0.3), whole)


def test_no_stratum_is_cut_and_nobody_to_match_is_lost():
    distance, treated, strata, _ = people(2, n=200, strata=60)
    cut = list(pieces(distance, treated, strata, 7))
    assert 2 <= len(cut) <= 7
    for one in cut:
        assert set(strata[one.rows][one.treated]) == set(strata[one.rows])
    rows = np.concatenate([piece.rows for piece in cut])
    assert len(rows) == len(set(rows))
    assert set(np.flatnonzero(treated)) <= set(rows)
    stratum_of = [set(strata[piece.rows]) for piece in cut]
    assert sum(map(len, stratum_of)) == len(set.union(*stratum_of))
    assert max(len(piece.rows) for piece in cut) < len(rows) / 2


def test_somebody_alone_in_a_stratum_comes_back_as_not_matched():
    found = nearest_by_stratum(np.array([0.0, 0.1]), np.array([True, False]), np.array([0, 1]), mapped=map)
    assert found.unmatched.tolist() == [0]
    assert found.controls.shape == (0, 1)
