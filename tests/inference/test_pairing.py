"""Sets against pairs found by hand, by brute force and by R's MatchIt, and rules that no set may break."""

from __future__ import annotations

from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.errors import EstimationError, UsageError
from ucimpact.inference import propensity, searching
from ucimpact.inference.pairing import Sets, audit, mahalanobis_scale, nearest, robust_scale

RULES = ("strata", "forbid", "caliper", "calipers", "ratio", "replace", "reuse_max")
LALONDE = ["age", "educ", "race_black", "race_hispan", "race_white", "married", "nodegree", "re74", "re75"]
SIM = ["age", "female", "imd_quintile", "ltc", "frailty", "lives_alone", "prior_admissions", "prior_cost"]


def rules_of(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: asked[name] for name in RULES if name in asked}


# By hand


def match(pilot: list[float], others: list[float], **asked: Any) -> list[list[int]]:
    """Pilot people first; the places (from 0) of the comparison people of each set."""
    distance = np.array(pilot + others, float)
    sets = nearest(distance, np.arange(len(distance)) < len(pilot), **asked)
    found = dict(zip(sets.treated.tolist(), sets.controls.tolist(), strict=True))
    return [[c - len(pilot) for c in found.get(row, []) if c >= 0] for row in range(len(pilot))]


def test_by_hand_the_largest_chooses_first() -> None:
    assert match([5, 6], [5.5, 1]) == [[1], [0]]
    assert match([5, 6], [5.5, 1], order="smallest") == [[0], [1]]
    assert match([5, 6], [5.5, 1], order="data") == [[0], [1]]
    assert match([5, 5.6], [5.5, 1], order="closest") == [[1], [0]]
    assert match([5, 6], [5.5, 1], replace=True) == [[0], [0]]


def test_by_hand_everybody_gets_a_first_before_anybody_a_second() -> None:
    assert match([6, 5.8], [5.9, 6.0, 6.1, 1], ratio=2) == [[1, 2], [0, 3]]
    assert match([6, 5.8], [6.0, 5.0], ratio=2) == [[0], [1]]


def test_by_hand_the_caliper_holds_where_the_difference_equals_it() -> None:
    assert match([5], [5.5], caliper=0.5) == [[0]]
    assert match([5], [5.5], caliper=0.49) == [[]]
    assert match([5, 6], [5.5, 1], caliper=1) == [[], [0]]


def test_by_hand_of_those_equally_far_the_one_who_stands_nearest_is_taken_below_before_above() -> None:
    """On the line 4 (1), 4 (2), pilot, 6 (0), 6 (3): from the pilot person downwards, then upwards."""
    assert match([5], [6, 4, 4, 6]) == [[2]]
    assert match([5], [6, 6]) == [[0]]
    assert match([5], [7, 4, 4, 6, 6], ratio=3) == [[2, 1, 3]]
    assert match([5, 5], [5, 5]) == [[0], [1]]
    forbid = [np.array([1, 0, 0, 0, 0])]
    assert match([5], [6, 4, 4, 6], ratio=4, forbid=forbid) == [[2, 1, 0, 3]]
    between = nearest(np.full(3, 5.0), np.array([False, True, False]))
    assert between.controls.tolist() == [[0]], "who has the same score stands below if earlier in the data"


def test_by_hand_a_limit_on_reuse() -> None:
    assert match([5, 5.1, 5.2], [5, 9], replace=True, reuse_max=2) == [[1], [0], [0]]
    assert match([5, 5.1], [5, 5.4, 9], replace=True, ratio=2) == [[0, 1], [0, 1]]


def test_by_hand_strata_and_codes_that_must_differ() -> None:
    far_apart = np.array([2**31 - 1, -(2**31), -(2**31), 2**31 - 1], dtype=np.int32)
    assert match([5, 6], [5, 6], strata=far_apart) == [[1], [0]]
    assert match([5, 6], [5, 6], strata=np.array([1, 0, 0, 1])) == [[1], [0]]
    assert match([5, 6], [5, 6], forbid=[np.array([1, 0, 1, 0])]) == [[1], [0]]
    assert match([5, 6], [5, 6], calipers=[(np.array([70.0, 80, 74, 86]), 5.0)]) == [[0], []]


def test_by_hand_mahalanobis_distance() -> None:
    """Columns that vary by 1 and by 10: a gap of 5 in the second is nearer than one of 1 in the first."""
    x = np.array([[0.0, 0], [1, 0], [0, 5]])
    sets = nearest(None, np.array([True, False, False]), covariates=x, inverse_cov=np.diag([1, 0.01]))
    assert sets.controls.tolist() == [[2]]


def test_covariates_that_nobody_varies_in_leave_a_tie() -> None:
    x, treated = np.full((4, 2), 7.0), np.array([False, True, False, False])
    columns, inverse_cov = mahalanobis_scale(x, treated)
    assert nearest(None, treated, covariates=columns, inverse_cov=inverse_cov).controls.tolist() == [[0]]


def test_by_hand_weights() -> None:
    """Person 4 serves both sets (1/2 + 1), person 5 one (1/2): scaled by 2/2 people used."""
    sets = Sets(np.array([0, 1]), np.array([[4, 5], [4, -1]]), np.array([2]))
    assert sets.weights(7).tolist() == [1, 1, 0, 0, 1.5, 0.5, 0]
    assert sets.found.tolist() == [2, 1]
    members = sets.members()
    assert members["set"].tolist() == [0, 0, 0, 1, 1]
    assert members["row"].tolist() == [0, 4, 5, 1, 4]
    assert members["weight"].tolist() == [1, 0.5, 0.5, 1, 1]
    assert members["treated"].tolist() == [True, False, False, True, False]


def test_nobody_to_match_leaves_everybody_unmatched() -> None:
    sets = nearest(np.array([1.0, 2, 9]), np.array([True, True, False]), caliper=1.0)
    assert (len(sets.treated), sets.unmatched.tolist()) == (0, [0, 1])
    assert sets.weights(3).tolist() == [0, 0, 0]
    assert audit(sets, np.array([1.0, 2, 9]), np.array([True, True, False]), caliper=1.0)["pairs"] == 0
    assert nearest(np.ones(2), np.array([True, True])).unmatched.tolist() == [0, 1]


# Brute force


def by_brute_force(distance: np.ndarray | None, treated: np.ndarray, **asked: Any) -> dict[int, list[int]]:
    """The greedy rule as its sentences say it, over every pair."""
    rows = np.arange(len(treated))
    if asked.get("covariates") is None:
        far = np.abs(distance[:, None] - distance[None, :])
    else:
        gaps = asked["covariates"][:, None, :] - asked["covariates"][None, :, :]
        far = np.einsum("ijk,kl,ijl->ij", gaps, asked["inverse_cov"], gaps)
    allowed = treated[:, None] & ~treated[None, :]
    if (strata := asked.get("strata")) is not None:
        allowed &= strata[:, None] == strata[None, :]
    for codes in asked.get("forbid", ()):
        allowed &= codes[:, None] != codes[None, :]
    if (caliper := asked.get("caliper")) is not None:
        allowed &= np.abs(distance[:, None] - distance[None, :]) <= caliper
    for column, width in asked.get("calipers", ()):
        allowed &= np.abs(column[:, None] - column[None, :]) <= width
    limit = asked.get("reuse_max") or (len(rows) if asked.get("replace") else 1)
    uses = np.zeros(len(rows), int)
    place_of = np.empty(len(rows), int)
    place_of[rows if distance is None else np.lexsort((rows, distance))] = rows
    sets: dict[int, list[int]] = {int(row): [] for row in rows[treated]}

    def choice(row: int) -> tuple[float, int] | None:
        open_to = [c for c in rows[allowed[row] & (uses < limit)] if c not in sets[row]]
        return min(((far[row, c], turn(row, c), c) for c in open_to), default=None)

    def turn(row: int, other: int) -> tuple[int, int]:
        if asked.get("covariates") is not None:
            return 0, other
        below = (distance[other], other) < (distance[row], row)
        return (0, -place_of[other]) if below else (1, place_of[other])

    order, pilot = asked.get("order", "largest"), rows[treated]
    if order in ("largest", "smallest") and distance is not None:
        sign = -1 if order == "largest" else 1
        pilot = np.array(sorted(pilot, key=lambda row: (sign * distance[row], row)), dtype=int)
    for place in range(asked.get("ratio", 1)):
        waiting = [int(row) for row in pilot if len(sets[row]) == place]
        while waiting:
            choices = {row: choice(row) for row in waiting}
            row = waiting[0]
            if order == "closest":
                row = min(waiting, key=lambda r: (np.inf if choices[r] is None else choices[r][0], r))
            if choices[row] is not None:
                sets[row].append(int(choices[row][-1]))
                uses[choices[row][-1]] += 1
            waiting.remove(row)
    return {row: found for row, found in sets.items() if found}


def task(seed: int, *, whole_numbers: bool) -> tuple[np.ndarray | None, np.ndarray, dict[str, Any]]:
    """People and rules drawn at random; whole numbers make ties."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 70))
    treated = rng.random(n) < rng.uniform(0.1, 0.6)
    distance = rng.integers(0, 12, n) / 2.0 if whole_numbers else rng.normal(size=n)
    asked: dict[str, Any] = {
        "ratio": int(rng.integers(1, 4)),
        "order": rng.choice(["largest", "smallest", "data", "closest"]),
    }
    if rng.random() < 0.5:
        asked["strata"] = rng.integers(-1, 4, n)
    if rng.random() < 0.6:
        asked["caliper"] = float(rng.integers(0, 4)) / 2 if whole_numbers else float(rng.uniform(0.05, 1))
    if rng.random() < 0.4:
        asked |= {"replace": True, "reuse_max": rng.choice([None, 1, 2, 3])}
    if rng.random() < 0.3:
        asked["forbid"] = [rng.integers(0, 3, n)]
    if rng.random() < 0.3:
        asked["calipers"] = [(rng.integers(60, 90, n).astype(float), float(rng.integers(3, 15)))]
    if rng.random() < 0.4:
        p = int(rng.integers(1, 4))
        asked["covariates"] = (
            rng.integers(0, 4, (n, p)).astype(float) if whole_numbers else rng.normal(size=(n, p))
        )
        root = np.eye(p) if whole_numbers else rng.normal(size=(p, p)) + 2 * np.eye(p)
        asked["inverse_cov"] = root @ root.T
        if "caliper" not in asked and rng.random() < 0.5:
            return None, treated, asked
    return distance, treated, asked


@pytest.mark.parametrize("whole_numbers", [True, False])
def test_the_sets_are_those_of_brute_force(whole_numbers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """400 tasks of each kind: with ties (whole numbers, exact in arithmetic) and without. The first look is at
    one person a side, so that the search has to know when it may stop."""
    monkeypatch.setattr(searching, "FIRST_LOOK", 1)
    total = 0
    for seed in range(400):
        distance, treated, asked = task(seed, whole_numbers=whole_numbers)
        sets = nearest(distance, treated, **asked)
        ours = {
            int(row): [int(c) for c in found if c >= 0]
            for row, found in zip(sets.treated, sets.controls, strict=True)
        }
        assert ours == by_brute_force(distance, treated, **asked), f"task {seed}: {asked}"
        total += len(ours)
    assert total > 3_000


# Rules


def broken(sets: Sets, distance: np.ndarray | None, treated: np.ndarray, asked: dict[str, Any]) -> list[str]:
    """Each rule that a set breaks, found pair by pair; and anybody left out who could still be served."""
    faults = []
    limit = asked.get("reuse_max") or (len(treated) if asked.get("replace") else 1)
    uses: dict[int, int] = {}

    def may(row: int, other: int) -> bool:
        return (
            not treated[other]
            and ("strata" not in asked or asked["strata"][row] == asked["strata"][other])
            and all(codes[row] != codes[other] for codes in asked.get("forbid", ()))
            and ("caliper" not in asked or abs(distance[row] - distance[other]) <= asked["caliper"])
            and all(abs(column[row] - column[other]) <= width for column, width in asked.get("calipers", ()))
        )

    found = {
        int(row): [int(c) for c in cs if c >= 0] for row, cs in zip(sets.treated, sets.controls, strict=True)
    }
    for row, others in found.items():
        faults += [] if treated[row] and others else ["pilot"]
        faults += [] if len(set(others)) == len(others) <= asked.get("ratio", 1) else ["set"]
        faults += ["pair" for other in others if not may(row, other)]
        for other in others:
            uses[other] = uses.get(other, 0) + 1
    faults += ["reuse" for count in uses.values() if count > limit]
    free = [other for other in np.flatnonzero(~treated) if uses.get(int(other), 0) < limit]
    for row in np.flatnonzero(treated):
        others = found.get(int(row), [])
        if len(others) < asked.get("ratio", 1) and any(may(row, c) for c in free if c not in others):
            faults.append("left out")
    return faults


def test_ten_thousand_sets_break_no_rule_and_leave_out_nobody_who_could_be_served() -> None:
    total, seed = 0, 10_000
    while total < 10_000:
        distance, treated, asked = task(seed, whole_numbers=seed % 2 == 0)
        sets = nearest(distance, treated, **asked)
        assert broken(sets, distance, treated, asked) == [], f"task {seed}"
        counts = audit(sets, distance, treated, **rules_of(asked))
        assert counts["sets"] + counts["unmatched"] == treated.sum()
        total += counts["sets"]
        seed += 1


@pytest.mark.parametrize("strata", [200, 1_000, 2_000])
def test_mahalanobis_in_small_strata_with_an_age_caliper(strata: int) -> None:
    """The pattern of kosukeimai/MatchIt#236: there 71-84% of pairs broke the caliper, or were lost."""
    rng = np.random.default_rng(strata)
    treated = np.arange(4_400) < 400
    stratum, age = rng.integers(0, strata, 4_400), rng.integers(40, 95, 4_400).astype(float)
    x = np.column_stack([age, rng.normal(size=(4_400, 4))])
    columns, inverse_cov = mahalanobis_scale(x, treated)
    asked = {"strata": stratum, "calipers": [(age, 5.0)]}
    sets = nearest(None, treated, covariates=columns, inverse_cov=inverse_cov, **asked)
    assert broken(sets, None, treated, asked) == []
    pairs = (stratum[:400, None] == stratum[None, 400:]) & (np.abs(age[:400, None] - age[None, 400:]) <= 5)
    assert len(sets.treated) >= 0.9 * pairs.any(axis=1).sum()
    alone = nearest(None, treated, covariates=columns, inverse_cov=inverse_cov, replace=True, **asked)
    assert np.array_equal(alone.treated, np.flatnonzero(pairs.any(axis=1)))


GOOD = Sets(np.array([0, 1]), np.array([[3, 4], [5, -1]]), np.array([2]))
SCORE, ARM = np.array([1.0, 2, 9, 1.1, 1.2, 2.1, 5]), np.array([1, 1, 1, 0, 0, 0, 0]) == 1
STRATA = np.array([0, 1, 1, 0, 0, 1, 1])


@pytest.mark.parametrize(
    ("sets", "rules", "named"),
    [
        (changed(GOOD, treated=np.array([0, 3])), {}, "each pilot person once"),
        (changed(GOOD, treated=np.array([0, 0])), {}, "each pilot person once"),
        (changed(GOOD, unmatched=np.array([], int)), {}, "each pilot person once"),
        (changed(GOOD, controls=np.array([[3, 4], [2, -1]])), {}, "not pilot people"),
        (changed(GOOD, controls=np.array([[3, 4], [9, -1]])), {}, "a row that there is not"),
        (changed(GOOD, controls=np.array([[3, 4], [-1, -1]])), {}, "at least one"),
        (GOOD, {"ratio": 1}, "at most 1 comparison"),
        (changed(GOOD, controls=np.array([[3, 3], [5, -1]])), {"replace": True}, "nobody twice"),
        (changed(GOOD, controls=np.array([[3, 4], [3, -1]])), {}, "at most 1 sets"),
        (
            changed(GOOD, controls=np.array([[3, 4], [6, -1]])),
            {"strata": STRATA[[0, 1, 1, 0, 0, 1, 0]]},
            "stratum",
        ),
        (GOOD, {"forbid": [np.array([0, 1, 2, 3, 0, 5, 6])]}, "anti-exact"),
        (GOOD, {"caliper": 0.15}, "caliper on the distance"),
        (GOOD, {"calipers": [(SCORE, 5.0), (SCORE[::-1].copy(), 0.1)]}, "caliper 1 on a covariate"),
    ],
)
def test_the_audit_names_the_rule_that_is_broken(sets: Sets, rules: dict[str, Any], named: str) -> None:
    with pytest.raises(EstimationError, match=named):
        audit(sets, SCORE, ARM, **({"ratio": 2} | rules))


def test_the_audit_counts_what_it_checked() -> None:
    counts = audit(GOOD, SCORE, ARM, ratio=2, strata=STRATA, caliper=1.0, calipers=[(SCORE, 1.0)] * 2)
    assert counts == {
        "sets": 2, "pairs": 3, "unmatched": 1, "controls": 3, "most_used": 1, "strata": 3, "caliper": 3, "calipers": 6,
    }  # fmt: skip


def test_what_cannot_be_asked_is_refused() -> None:
    for asked, named in (
        ({"caliper": -1.0}, "0 or more"),
        ({"ratio": 0}, "from 1"),
        ({"order": "best"}, "none of largest"),
        ({"covariates": SCORE[:, None]}, "go together"),
    ):
        with pytest.raises(UsageError, match=named):
            nearest(SCORE, ARM, **asked)
    with pytest.raises(UsageError, match="a distance, or covariates"):
        nearest(None, ARM)
    with pytest.raises(EstimationError, match="missing or infinite"):
        nearest(np.array([1, np.nan, 1, 1, 1, 1, 1]), ARM)


def test_a_random_order_follows_its_seed() -> None:
    rng = np.random.default_rng(1)
    distance, treated = rng.normal(size=200), np.arange(200) < 80
    first, again, other = (nearest(distance, treated, order="random", seed=s).controls for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


# R's MatchIt


def lalonde(shared: Path) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    table = pd.read_csv(shared / "reference/data/lalonde.csv")
    for race in ("black", "hispan", "white"):
        table[f"race_{race}"] = (table["race"] == race).astype(float)
    return (
        table[LALONDE].to_numpy(float),
        table["treat"].to_numpy() == 1,
        golden(shared / "reference/golden/lalonde_matchit.json"),
    )


def score_of(x: np.ndarray, treated: np.ndarray) -> propensity.Propensity:
    return propensity.fit(np.delete(x, 4, axis=1), treated)


def pairs_of(judge: dict[str, Any]) -> dict[int, int]:
    """Rows from 0; MatchIt leaves an unmatched pilot person without a partner."""
    both = zip(judge["pairs"]["treated_row"], judge["pairs"]["control_row"], strict=True)
    return {pilot - 1: other - 1 for pilot, other in both if other is not None}


def first_pairs(sets: Sets) -> dict[int, int]:
    return dict(zip(sets.treated.tolist(), sets.controls[:, 0].tolist(), strict=True))


@pytest.mark.parametrize(
    ("case", "link", "caliper", "asked"),
    [
        ("nearest", "score", None, {}),
        ("nearest_replace", "score", None, {"replace": True}),
        ("nearest_caliper_std", "score", 0.1, {}),
        ("nearest_logit", "linear", 0.2, {}),
        ("nearest_exact", "score", None, {"exact": True}),
    ],
)
def test_pairs_by_score_are_matchits(
    shared: Path, case: str, link: str, caliper: float | None, asked: dict[str, Any]
) -> None:
    """Every pair the same, those of people with the same covariates too."""
    x, treated, judges = lalonde(shared)
    distance = getattr(score_of(x, treated), link)
    if asked.pop("exact", False):
        asked = {"strata": (x[:, 2] + 2 * x[:, 3] + 4 * x[:, 5]).astype(int)}
    if caliper is not None:
        asked["caliper"] = caliper * distance.std(ddof=1)
    sets = nearest(distance, treated, **asked)
    audit(sets, distance, treated, **rules_of(asked))
    ours, theirs = first_pairs(sets), pairs_of(judges[case])
    assert ours == theirs


def test_two_to_one_within_a_caliper_is_matchits(shared: Path) -> None:
    x, treated, judges = lalonde(shared)
    score, judge = score_of(x, treated).score, judges["nearest_ratio2_caliper"]
    sets = nearest(score, treated, ratio=2, caliper=0.2 * score.std(ddof=1))
    weights = sets.weights(len(treated))
    assert len(sets.treated) == judge["n"]["Matched"]["Treated"]
    assert sets.found.sum() == judge["n"]["Matched"]["Control"]
    assert weights[~treated].sum() == pytest.approx(judge["weights_sum_control"])
    effective = weights[~treated].sum() ** 2 / (weights[~treated] ** 2).sum()
    assert effective == pytest.approx(judge["n"]["Matched (ESS)"]["Control"], rel=1e-9)


@pytest.mark.parametrize("case", ["mahalanobis", "robust_mahalanobis", "mahvars_caliper"])
def test_pairs_by_mahalanobis_distance_are_matchits(shared: Path, case: str) -> None:
    """Every pair the same. MatchIt gives a category a column for each of its values (the inverse is generalised)."""
    x, treated, judges = lalonde(shared)
    score, asked = None, {}
    if case == "mahvars_caliper":
        score = score_of(x, treated).score
        asked = {"caliper": 0.25 * score.std(ddof=1)}
        x = x[:, 7:]
    columns, inverse_cov = robust_scale(x) if case.startswith("robust") else mahalanobis_scale(x, treated)
    sets = nearest(score, treated, covariates=columns, inverse_cov=inverse_cov, **asked)
    assert first_pairs(sets) == pairs_of(judges[case])


@pytest.mark.parametrize(
    ("case", "width", "exact"), [("nearest_readm", 0.2, False), ("exact_imd", 0.1, True)]
)
def test_pairs_of_the_simulated_cohort_are_matchits(
    reference: Path, case: str, width: float, exact: bool
) -> None:
    table = pd.read_csv(reference / "sim_cohort_softlanding.csv")
    x, treated = table[SIM].to_numpy(float), table["treated"].to_numpy() == 1
    score = propensity.fit(x, treated).score
    strata = (2 * table["imd_quintile"] + table["female"]).to_numpy() if exact else None
    sets = nearest(score, treated, strata=strata, caliper=width * score.std(ddof=1))
    ours, theirs = first_pairs(sets), pairs_of(golden(reference / "sim_cohort_matching.json")[case])
    assert ours == theirs


# Properties


def test_units_and_unneeded_columns_change_no_mahalanobis_pair() -> None:
    rng = np.random.default_rng(5)
    x, treated = rng.normal(size=(300, 3)), np.arange(300) < 60
    scaled = np.column_stack([x[:, 0] * 1e7, x[:, 1] * 1e-6, x[:, 2], x[:, 0] - x[:, 2]])
    sets = [
        nearest(None, treated, covariates=c, inverse_cov=i).controls
        for c, i in (mahalanobis_scale(x, treated), mahalanobis_scale(scaled, treated))
    ]
    assert np.array_equal(sets[0], sets[1])


def test_ranks_take_the_weight_from_an_outlier() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(200, 2))
    wild = x.copy()
    wild[x[:, 0].argmax(), 0] = 1e9
    for whole, moved in zip(robust_scale(x), robust_scale(wild), strict=True):
        assert np.array_equal(whole, moved)


def test_by_hand_ranks_count_alike_whatever_their_ties() -> None:
    """Ranks 1 to 5 have variance 2.5; a category of one in five is given the same, correlation 0.707."""
    columns, inverse_cov = robust_scale(np.array([[1.0, 0], [3, 0], [4, 0], [9, 0], [10, 1]]))
    assert columns.T.tolist() == [[1, 2, 3, 4, 5], [2.5, 2.5, 2.5, 2.5, 5]]
    shared_part = 2.5 * np.sqrt(0.5)
    assert np.linalg.inv(inverse_cov) == pytest.approx(np.array([[2.5, shared_part], [shared_part, 2.5]]))


def test_the_order_of_rows_changes_no_set_without_ties() -> None:
    rng = np.random.default_rng(7)
    distance, treated, strata = rng.normal(size=400), rng.random(400) < 0.3, rng.integers(0, 9, 400)
    mixed = rng.permutation(400)
    sets = nearest(distance, treated, strata=strata, caliper=0.2)
    other = nearest(distance[mixed], treated[mixed], strata=strata[mixed], caliper=0.2)
    assert first_pairs(sets) == {
        int(mixed[row]): int(mixed[found]) for row, found in first_pairs(other).items()
    }


def test_three_hundred_thousand_people_need_no_table_of_distances() -> None:
    rng = np.random.default_rng(8)
    n = 300_000
    distance, treated = rng.normal(size=n), rng.random(n) < 0.02
    strata = rng.integers(0, 1_000, n).astype(np.int32)
    sets = nearest(distance, treated, strata=strata, caliper=0.1, ratio=3)
    assert audit(sets, distance, treated, strata=strata, caliper=0.1, ratio=3)["sets"] > 0.9 * treated.sum()
