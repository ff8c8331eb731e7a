"""Every matching of a cohort against R's MatchIt, by hand, and against its own rules in ten thousand sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from tests.soft_landing import SIM
from ucimpact.data.cohort import Cohort
from ucimpact.errors import DesignError, EstimationError, UsageError
from ucimpact.inference import glm
from ucimpact.inference.grouped_sets import Groups
from ucimpact.inference.matched_sets import Sets
from ucimpact.methods import MatchedCohort, build, matched_cohort_matching
from ucimpact.methods.matched_cohort_effects import Effects, Model, compare
from ucimpact.methods.matched_cohort_pairs import Pairs
from ucimpact.methods.matched_cohort_rules import Bins, Caliper
from ucimpact.methods.matched_cohort_sample import Sample

# R's MatchIt

LALONDE = ("age", "educ", "race_black", "race_hispan", "married", "nodegree", "re74", "re75")
EVERY_KIND = (*LALONDE[:4], "race_white", *LALONDE[4:])
"""MatchIt gives a category a column for each of its values in Mahalanobis distance."""

CASES: dict[str, dict[str, Any]] = {
    "nearest": {"distance": "score", "caliper": None},
    "nearest_replace": {"distance": "score", "caliper": None, "replace": True},
    "nearest_ratio2_caliper": {"distance": "score", "caliper": 0.2, "ratio": 2},
    "nearest_caliper_std": {"distance": "score", "caliper": 0.1},
    "nearest_logit": {"distance": "logit", "caliper": 0.2},
    "nearest_exact": {"distance": "score", "caliper": None, "exact": ("race", "married")},
    "mahalanobis": {"distance": "mahalanobis", "caliper": None, "covariates": EVERY_KIND},
    "robust_mahalanobis": {"distance": "robust-mahalanobis", "caliper": None, "covariates": EVERY_KIND},
    "cem": {"matching": "cem"},
    "cem_cut": {"matching": "cem", "bins": {"age": 5, "educ": 4, "re74": 4, "re75": 4}},
    "subclass6": {"matching": "subclass", "distance": "score", "subclasses": 6},
}
"""Fields of each case."""


@pytest.fixture(scope="module")
def lalonde(shared: Path) -> tuple[Cohort, dict[str, Any]]:
    table = pd.read_csv(shared / "reference/data/lalonde.csv")
    for race in ("black", "hispan", "white"):
        table[f"race_{race}"] = (table["race"] == race).astype(float)
    table["id"] = range(len(table))
    judges = golden(shared / "reference/golden/lalonde_matchit.json")
    return Cohort(table, person="id", pilot="treat"), judges


def lalonde_method(case: str) -> MatchedCohort:
    fields = {"covariates": LALONDE, "outcome": "re78", "family": "gaussian", "adjust": False}
    return MatchedCohort(**{**fields, **CASES[case]})


def rows_of(judge: dict[str, Any]) -> dict[int, int]:
    both = zip(judge["pairs"]["treated_row"], judge["pairs"]["control_row"], strict=True)
    return {pilot - 1: other - 1 for pilot, other in both if other is not None}


def with_sets(ours: Pairs, theirs: dict[int, int]) -> Pairs:
    """Our pairs with R's people in them."""
    pilot = np.array(sorted(theirs))
    matched = Sets(pilot, np.array([[theirs[row]] for row in pilot.tolist()]), ours.matched.unmatched)
    return Pairs(**{**vars(ours), "matched": matched, "sets": matched.members()})


def effect_in(cohort: Cohort, pairs: Pairs, outcome: str) -> tuple[float, float, float]:
    """Difference of means, its HC1 error over people, and its CR1 error by set."""
    y = cohort.values(outcome)
    sample = Sample.of(cohort, pairs, np.isfinite(y))
    model = Model(family="gaussian", covariates=(), level=0.95)
    row = Effects(model, sample, compare(model, sample, y, offset=False).contrast, y).rows[0]
    weights = pairs.matched.weights(len(y))
    used = weights > 0
    x = np.column_stack([np.ones(used.sum()), cohort.is_pilot[used]])
    plain = glm.gaussian(y[used], x, weights[used])
    assert plain.coef[1] == pytest.approx(row["estimate"], rel=1e-9)
    return row["estimate"], float(np.sqrt(plain.cov("HC1")[1, 1])), row["std_error"]


def compare_balance(pairs: Pairs, judge: dict[str, Any]) -> float:
    """Largest difference of any mean (relative) or standardised difference (absolute) from R's."""
    theirs = {row["variable"].replace("race", "race_"): row for row in judge["matched"]}
    worst = 0.0
    for row in pairs.balance_after:
        judged = theirs[row["name"]]
        for our, their in (
            ("pilot_mean", "mean_treated"),
            ("comparison_mean", "mean_control"),
            ("smd", "smd"),
        ):
            worst = max(worst, abs(row[our] - judged[their]) / max(abs(judged[their]), 1.0))
    return worst


@pytest.mark.parametrize("case", CASES)
def test_the_sets_and_effects_of_matchit(lalonde: tuple[Cohort, dict[str, Any]], case: str) -> None:
    """The pairs to the last person, whoever ties; weights, balance, the difference of means and both errors."""
    cohort, judges = lalonde
    judge = judges[case]
    pairs = lalonde_method(case).pairs(cohort)
    counts = judge["n"]["Matched"]
    weights = pairs.matched.weights(len(cohort.table))[~cohort.is_pilot]
    assert len(pairs.matched.treated) == counts["Treated"]
    assert np.count_nonzero(weights) == counts["Control"]
    effective = weights.sum() ** 2 / (weights**2).sum()
    assert effective == pytest.approx(judge["n"]["Matched (ESS)"]["Control"], rel=1e-9)
    assert weights.sum() == pytest.approx(judge["weights_sum_control"], rel=1e-9)
    assert pairs.lost["n"] == judge["n"]["Unmatched"]["Treated"]
    if judge["matched"] is not None:
        assert compare_balance(pairs, judge) < 1e-6
    if "pairs" in judge:
        assert pairs_of(pairs) == rows_of(judge)
    check_effect(effect_in(cohort, pairs, "re78"), judge["effect"])


def pairs_of(pairs: Pairs) -> dict[int, int]:
    assert isinstance(pairs.matched, Sets)
    return dict(zip(pairs.matched.treated.tolist(), pairs.matched.controls[:, 0].tolist(), strict=True))


def check_effect(found: tuple[float, float, float], effect: dict[str, float]) -> None:
    estimate, hc1, by_set = found
    assert estimate == pytest.approx(effect["att"], rel=1e-6)
    assert hc1 == pytest.approx(effect["se_hc1"], rel=1e-4)
    if "se_cluster_pair_cr1" in effect:
        assert by_set == pytest.approx(effect["se_cluster_pair_cr1"], rel=1e-4)


@pytest.mark.parametrize("case", ["mahvars_caliper", "optimal", "genetic"])
def test_effects_in_the_pairs_of_r(lalonde: tuple[Cohort, dict[str, Any]], case: str) -> None:
    """Pairs that a cohort has no field for (they are compared in tests/inference), that cost R's rounding more than
    ours, or that are found by chance: given R's pairs, effect and errors are R's."""
    cohort, judges = lalonde
    pairs = with_sets(lalonde_method("nearest").pairs(cohort), rows_of(judges[case]))
    check_effect(effect_in(cohort, pairs, "re78"), judges[case]["effect"])


def test_optimal_pairs_take_about_the_people_of_r(lalonde: tuple[Cohort, dict[str, Any]]) -> None:
    """R's sum of distances is 0.00075 above the least, which is 39.69280."""
    cohort, judges = lalonde
    judge = judges["optimal"]
    fields = {"covariates": LALONDE, "outcome": "re78", "family": "gaussian", "adjust": False}
    pairs = MatchedCohort(**fields, matching="optimal", distance="score", caliper=None).pairs(cohort)
    assert isinstance(pairs.matched, Sets) and len(pairs.matched.treated) == judge["n_matched_pairs"]
    known = cohort.table[list(LALONDE)].to_numpy(float)
    ours = {tuple(known[row]) for row in pairs.matched.controls[:, 0]}
    theirs = {tuple(known[row]) for row in rows_of(judge).values()}
    assert len(ours & theirs) >= 0.95 * len(theirs)


@pytest.mark.parametrize(
    ("case", "outcome", "fields"),
    [
        ("nearest_readm", "readmissions", {"caliper": 0.2}),
        ("nearest_cost", "cost", {"caliper": 0.2}),
        ("exact_imd", "readmissions", {"caliper": 0.1, "exact": ("imd_quintile", "female")}),
    ],
)
def test_the_simulated_cohort_of_r(reference: Path, case: str, outcome: str, fields: dict[str, Any]) -> None:
    cohort = Cohort(pd.read_csv(reference / "sim_cohort_softlanding.csv"), person="id", pilot="treated")
    judge = golden(reference / "sim_cohort_matching.json")[case]
    pairs = MatchedCohort(outcome=outcome, covariates=SIM, distance="score", **fields).pairs(cohort)
    assert pairs_of(pairs) == rows_of(judge)
    assert compare_balance(pairs, judge) < 1e-6
    check_effect(effect_in(cohort, pairs, outcome), judge["effect"])


# By hand


def by_hand() -> Cohort:
    rows = [
        ("a", 1, 4.0),
        ("a", 1, 6.0),
        ("a", 0, 2.0),
        ("b", 1, 12.0),
        ("b", 0, 5.0),
        ("b", 0, 7.0),
        ("c", 0, 8.0),
    ]
    table = pd.DataFrame(rows, columns=["kind", "had", "y"]).assign(id=range(7), age=[70.0] * 6 + [90.0])
    return Cohort(table, person="id", pilot="had")


@pytest.mark.parametrize("matching", ["full", "cem"])
def test_a_set_weighs_as_much_as_it_has_pilot_people(matching: str) -> None:
    """Kind a: 4 and 6 beside 2, twice. Kind b: 12 beside the mean of 5 and 7. So 22/3 - (2 + 2 + 6)/3 = 4."""
    made = MatchedCohort(outcome="y", exact=("kind",), matching=matching, family="gaussian").fit(by_hand())
    assert made.headline["estimate"] == pytest.approx(4.0)
    assert (made.counts["matched_pilot"], made.counts["matched_comparison"], made.counts["sets"]) == (3, 3, 2)
    assert len(made.sampling_units) == 2 and made.influence is not None and len(made.influence) == 2
    assert made.extras["weights"]["ess"] == pytest.approx(9 / 4.5)
    assert made.extras["flow"] == [
        {"kind": "in", "n": 7, "text": "people on the list"},
        {"kind": "out", "n": 1, "text": "people without the service who were in no set"},
        {"kind": "end", "n": 3, "text": "people supported and analysed"},
        {"kind": "end", "n": 3, "text": "people beside them"},
    ]


def test_an_empty_outcome_changes_the_weights_of_its_set() -> None:
    cohort = by_hand()
    table = cohort.table.copy()
    table.loc[0, "y"] = np.nan
    made = MatchedCohort(outcome="y", exact=("kind",), matching="full", family="gaussian").fit(
        Cohort(table, person="id", pilot="had")
    )
    assert made.headline["estimate"] == pytest.approx((6 + 12) / 2 - (2 + 6) / 2)
    assert made.counts["left_out"][-1]["n"] == 1


def cohort(seed: int = 1, people: int = 400, **more: Any) -> Cohort:
    rng = np.random.default_rng(seed)
    age, need = rng.normal(80, 7, people).round(), rng.gamma(2.0, 1.0, people)
    had = rng.random(people) < 1 / (1 + np.exp(2.2 - 0.5 * need))
    table = {"id": range(people), "had": had.astype(int), "age": age, "need": need}
    table |= {"practice": rng.integers(0, 5, people), "team": rng.integers(0, 3, people)}
    y = rng.poisson(0.6 * np.exp(0.2 * need) * np.where(had, 0.8, 1.0))
    return Cohort(pd.DataFrame({**table, "y": y, **more}), person="id", pilot="had")


def test_a_varying_ratio_gives_many_to_those_like_the_others() -> None:
    """Extremal: all but one pilot person get 1 or 4, 2 on average, and the low scores get 4."""
    data = cohort(people=2_000)
    method = MatchedCohort(
        outcome="y", covariates=("age", "need"), ratio=2, min_ratio=1, max_ratio=4, caliper="none"
    )
    pairs = method.pairs(data)
    found = pairs.matched.found
    assert found.sum() == 2 * data.is_pilot.sum()
    assert np.isin(found, [1, 4]).sum() >= len(found) - 1
    score = data.values("need")[pairs.matched.treated]
    assert score[found == 4].max() < score[found == 1].mean()
    assert pairs.sets.groupby("set")["weight"].sum().tolist() == pytest.approx([2.0] * len(found))


def test_reuse_is_capped() -> None:
    data = cohort(people=150)
    uses = [
        MatchedCohort(
            outcome="y", covariates=("age", "need"), replace=replace, reuse_max=most, caliper="none"
        )
        .pairs(data)
        .audit["most_used"]
        for replace, most in ((False, None), (True, 2), (True, None))
    ]
    assert uses[0] == 1 and uses[1] == 2 and uses[2] > 2


def test_columns_have_calipers_of_their_own() -> None:
    data = cohort()
    for matching in ("nearest", "optimal", "full"):
        method = MatchedCohort(
            outcome="y", covariates=("age", "need"), matching=matching, calipers={"age": 3}
        )
        pairs = method.pairs(data)
        age = pd.Series(data.values("age")[pairs.sets["row"]])
        assert (age.groupby(pairs.sets["set"].to_numpy()).agg(np.ptp) <= 6).all()
        assert pairs.audit["calipers"] == pairs.audit["pairs"]
    written = build(
        "matched-cohort", {"calipers": [{"column": "age", "width": 3}], "covariates": ["need"]}, outcome="y"
    )
    assert written.calipers == (Caliper("age", 3),)


def test_a_learner_gives_the_score() -> None:
    class Threshold:
        """A classifier of two kinds, told apart by need."""

        classes_ = (0, 1)

        def get_params(self, **_: Any) -> dict[str, Any]:
            return {}

        def fit(self, x: np.ndarray, y: np.ndarray) -> Threshold:
            self.shares = [y[self.high(x) == side].mean() for side in (False, True)]
            return self

        def high(self, x: np.ndarray) -> np.ndarray:
            return np.asarray(x[:, 1] > 2)

        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            p = np.where(self.high(x), self.shares[1], self.shares[0])
            return np.column_stack([1 - p, p])

    data = cohort()
    method = MatchedCohort(outcome="y", covariates=("age", "need"), distance=Threshold(), caliper=0.5)
    made = method.fit(data)
    sets = method.pairs(data).sets
    high = pd.Series(data.values("need")[sets["row"]] > 2).groupby(sets["set"].to_numpy()).nunique()
    assert (high == 1).all()
    assert made.spec["distance"] == "Threshold"
    with pytest.raises(UsageError, match="predict_proba"):
        MatchedCohort(outcome="y", covariates=("age",), distance=3)


def test_workers_change_no_set() -> None:
    data = cohort(people=1_200)
    fields = {"outcome": "y", "exact": ("practice",), "covariates": ("age", "need")}
    one, two = (MatchedCohort(**fields, workers=number).pairs(data).sets for number in (1, 2))
    pd.testing.assert_frame_equal(one, two)


# Rules


def test_ten_thousand_sets_by_cells_and_subclasses_break_no_rule() -> None:
    total, seed = 0, 0
    bins = Bins("age", at=(70.0, 75.0, 80.0, 85.0))
    while total < 10_000:
        data = cohort(seed, people=3_000)
        fields = {"outcome": "y", "covariates": ("age", "need"), "exact": ("practice",) if seed % 2 else ()}
        cem = MatchedCohort(**fields, matching="cem", bins=(bins,))
        sub = MatchedCohort(**fields, matching="subclass", subclasses=100 + seed)
        for method in (cem, sub):
            sets = method.pairs(data).sets
            code, row, arm = (sets[name].to_numpy() for name in ("set", "row", "treated"))
            age, need, practice = (data.values(name)[row] for name in ("age", "need", "practice"))
            assert len(np.unique(row)) == len(row)
            pilot, weight = np.bincount(code, arm), np.bincount(code, np.where(arm, 0, sets["weight"]))
            assert (pilot >= 1).all() and np.allclose(pilot, weight, rtol=1e-12)
            groups = pd.DataFrame(
                {"practice": practice, "band": np.digitize(age, bins.at), "need": need}
            ).groupby(code)
            assert seed % 2 == 0 or (groups["practice"].nunique() == 1).all()
            if method is cem:
                width = np.ptp(data.values("need")) / np.ceil(np.log2(3_000) + 1)
                assert (groups["band"].nunique() == 1).all()
                assert (groups["need"].max() - groups["need"].min() <= width * (1 + 1e-12)).all()
            total += len(pilot)
        seed += 1


@pytest.mark.parametrize("matching", ["nearest", "optimal", "full", "cem", "subclass"])
def test_the_order_of_rows_changes_no_result_but_by_ties(matching: str) -> None:
    data = cohort(3, people=800)
    method = MatchedCohort(outcome="y", exact=("practice",), covariates=("age", "need"), matching=matching)
    made = method.fit(data)
    order = np.random.default_rng(1).permutation(800)
    again = method.fit(Cohort(data.table.iloc[order], person="id", pilot="had"))
    assert again.counts["matched_pilot"] == made.counts["matched_pilot"]
    error = made.headline["std_error"]
    assert (
        abs(again.headline["estimate"] - made.headline["estimate"])
        < (0.5 if matching != "cem" else 1e-9) * error
    )
    assert made.extras["audit"]["sets"] == method.pairs(data).matched.number
    assert {row["name"] for row in made.extras["balance"]} == {"age", "need"}
    assert all(row["strength"] >= 0 for row in made.extras["balance"])


def test_the_balance_is_told_place_by_place_and_the_scores_overlap() -> None:
    """At each practice: the mean of the pilot people less the weighted one of the others, over the spread of all."""
    data = cohort(5, people=900)
    placed = Cohort(data.table, person="id", pilot="had", cluster="practice")
    method = MatchedCohort(outcome="y", covariates=("age", "need"), matching="full")
    made, sets = method.fit(placed), method.pairs(placed).sets
    sets = sets.assign(need=data.values("need")[sets["row"]], age=data.values("age")[sets["row"]])
    sets["practice"] = data.values("practice")[sets["row"]]
    spread = {name: data.values(name)[data.is_pilot].std(ddof=1) for name in ("age", "need")}
    for row in made.extras["balance_by_site"]:
        here = sets[sets["practice"] == int(row["site"])]
        arms = here[here["treated"]], here[~here["treated"]]
        apart = {
            name: abs(np.subtract(*(np.average(arm[name], weights=arm["weight"]) for arm in arms)))
            / spread[name]
            for name in spread
        }
        assert row["worst"] == max(apart, key=lambda name: apart[name])
        assert row["max_smd"] == pytest.approx(max(apart.values()))
        assert row["n_pilot"] == len(arms[0])
    assert len(made.extras["balance_by_site"]) == 5
    assert 0.5 < made.extras["overlap"]["coefficient"] <= 1
    assert made.extras["sensitivity"]["rosenbaum"] is None or made.extras["sensitivity"]["rosenbaum"]["rows"]


@pytest.mark.parametrize("matching", ["full", "cem", "subclass"])
def test_a_broken_set_of_many_is_never_returned(matching: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = {"full": "full", "cem": "coarsened", "subclass": "subclasses"}[matching]
    true = getattr(matched_cohort_matching, name)

    def wrong(*args: Any, **rules: Any) -> Groups:
        made = true(*args, **rules)
        label = made.label.copy()
        used = np.flatnonzero((label >= 0) & ~made.is_treated)
        label[used] = label[used][::-1]
        return Groups(label, made.is_treated)

    monkeypatch.setattr(matched_cohort_matching, name, wrong)
    with pytest.raises(EstimationError, match="break a rule"):
        MatchedCohort(outcome="y", exact=("practice",), covariates=("age", "need"), matching=matching).fit(
            cohort()
        )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"matching": "closest"}, '"nearest", "optimal", "full", "cem", "subclass"'),
        ({"matching": "full", "ratio": 2}, 'ratio is not used by matching = "full"'),
        ({"matching": "cem", "caliper": 0.1}, "caliper is not used"),
        ({"matching": "subclass", "antiexact": ("team",)}, "antiexact is not used"),
        ({"matching": "optimal", "reuse_max": 2}, "reuse_max is not used"),
        ({"bins": {"age": 4}}, "bins is not used"),
        ({"matching": "cem", "bins": {"weight": 4}}, "`weight`, which is none of the covariates"),
        ({"ratio": 1.5}, "whole number from 1"),
        ({"ratio": 2, "min_ratio": 2, "max_ratio": 4}, "the average"),
        ({"matching": "full", "min_ratio": 2}, "up to four share one"),
        ({"matching": "subclass", "subclasses": 1}, "from 2"),
        ({"workers": 0}, "workers = 0"),
        ({"reuse_max": 0}, "reuse_max = 0"),
        ({"calipers": {"age": -1}}, "width = -1"),
        ({"calipers": {"y": 1}}, "have a caliper"),
    ],
)
def test_a_field_of_another_matching_is_told(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        MatchedCohort(**{"outcome": "y", "covariates": ("age", "need"), **fields})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"matching": "subclass", "covariates": (), "exact": ("practice",)}, "there is none"),
        ({"matching": "subclass", "distance": "mahalanobis"}, "there is none"),
        ({"distance": "mahalanobis", "ratio": 2, "max_ratio": 4}, "follows from a score"),
        ({"distance": "gradient-boosting", "covariates": (), "exact": ("practice",)}, "needs covariates"),
    ],
)
def test_designs_of_a_matching_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignError, match=said):
        MatchedCohort(**{"outcome": "y", "covariates": ("age", "need"), **fields}).fit(cohort())


def test_people_who_recur_are_matched_in_pairs_alone() -> None:
    data = cohort()
    table = data.table.assign(id=lambda t: t.index // 2)
    again = Cohort(table, person="id", pilot="had")
    for matching in ("cem", "subclass"):
        with pytest.raises(DesignError, match="somebody on both sides"):
            MatchedCohort(outcome="y", covariates=("age", "need"), matching=matching).fit(again)
    made = MatchedCohort(outcome="y", covariates=("age", "need"), matching="full")
    sets = made.pairs(again).sets
    both = pd.DataFrame({"set": sets["set"], "arm": sets["treated"], "id": again.persons[sets["row"]]})
    assert not both.groupby(["set", "id"])["arm"].nunique().gt(1).any()
    assert np.isfinite(made.fit(again).headline["std_error"])
