"""Tables worked by hand, a known truth, R's pairs, and the clock that is refused with the ratio it would show."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.data.cohort import Cohort
from ucimpact.design import open_designs
from ucimpact.errors import DataError, DesignError, EstimationError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.matched_sets import Sets
from ucimpact.methods import METHODS, MatchedCohort, build, matched_cohort_matching, matched_cohort_pairs
from ucimpact.methods.matched_cohort_effects import Effects, Model, compare
from ucimpact.methods.matched_cohort_sample import Sample, worth
from ucimpact.words.never import breaks

TRUE_RATIO = 0.8


def service(
    seed: int, people: int = 600, ratio: float = TRUE_RATIO, hidden: float = 0.0, again: bool = False
) -> pd.DataFrame:
    """People of whom the frail are supported more often; counts with a gamma frailty, follow-up cut by death."""
    rng = np.random.default_rng(seed)
    age, frailty = rng.normal(80, 7, people), rng.gamma(2.0, 1.0, people)
    unseen = rng.normal(0, 1, people)
    practice = rng.integers(0, 6, people)
    lean = -2.3 + 0.45 * frailty + 0.03 * (age - 80) + hidden * unseen
    had = rng.random(people) < 1 / (1 + np.exp(-lean))
    days = np.where(rng.random(people) < 0.1, rng.integers(1, 90, people), 90).astype(float)
    spread = rng.gamma(2.0, 0.5, people)
    rate = 0.5 * np.exp(0.25 * (frailty - 2) + 0.01 * (age - 80) + 0.5 * unseen) * spread
    stays = rng.poisson(rate * np.where(had, ratio, 1.0) * days / 90)
    table = {"id": np.arange(people) if not again else np.arange(people) // 2, "had": had.astype(int)}
    table |= {"age": age, "frailty": frailty, "practice": [f"practice {p}" for p in practice]}
    table |= {"days": days, "stays": stays, "cost": stays * rng.gamma(2.0, 1400, people)}
    table |= {
        "deaths": (days < 90).astype(int),
        "injuries": rng.poisson(0.2 * spread),
        "contacts": rng.poisson(3 * np.exp(0.3 * unseen) * spread),
    }
    return pd.DataFrame(table)


ROLES = {"person": "id", "pilot": "had", "follow_up": "days", "horizon": 90}
PLAIN = MatchedCohort(outcome="stays", covariates=("age", "frailty"))


def cohort(seed: int = 1, **fields: Any) -> Cohort:
    return Cohort(service(seed, **fields), **ROLES)


# -- by hand -------------------------------------------------------------------------------


def by_hand() -> pd.DataFrame:
    rows = [  # kind, had, days, stays, cost
        ("a", 1, 30, 1, 10.0), ("a", 0, 60, 3, 40.0),
        ("b", 1, 60, 1, 20.0), ("b", 0, 60, 2, 15.0),
        ("c", 1, 60, 0, 5.0), ("c", 0, 45, 1, 30.0),
        ("d", 1, 60, 9, 99.0),
        ("e", 0, 60, 9, 99.0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["kind", "had", "days", "stays", "cost"])
    return table.assign(id=range(len(table)))


def fit_by_hand(**fields: Any) -> Estimate:
    return MatchedCohort(**{"outcome": "stays", "exact": ("kind",), **fields}).fit(
        Cohort(by_hand(), **{**ROLES, "horizon": 60})
    )


def test_rates_by_hand():
    made = fit_by_hand()
    pilot, others = 2 / 150, 6 / 165
    assert made.effect("rate_ratio")["estimate"] == pytest.approx(pilot / others)
    assert made.effect("relative")["estimate"] == pytest.approx(pilot / others - 1)
    assert made.headline["estimate"] == pytest.approx(60 * (pilot - others))
    assert made.avoided()["estimate"] == pytest.approx(150 * (pilot - others))
    assert made.effect("rate_difference")["estimate"] == pytest.approx(365_250 * (pilot - others))
    assert made.extras["observed"] == pytest.approx(60 * pilot)
    assert made.extras["expected"] == pytest.approx(60 * others)
    assert made.extras["person_time"] == 150
    counts = {
        "matched_pilot": 3,
        "matched_comparison": 3,
        "sets": 3,
        "events_pilot": 2,
        "events_comparison": 6,
    }
    assert {name: made.counts[name] for name in counts} == counts


def test_means_by_hand_with_the_error_of_pairs():
    made = fit_by_hand(outcome="cost", family="gaussian")
    apart = np.array([10 - 40, 20 - 15, 5 - 30])
    assert made.headline["estimate"] == pytest.approx(apart.mean())
    error = np.sqrt(((apart - apart.mean()) ** 2).sum()) / 3 * np.sqrt(3 / 2 * 5 / 4)  # G/(G-1) (n-1)/(n-K)
    assert made.headline["std_error"] == pytest.approx(error)
    assert made.effect("mean_difference")["estimate"] == pytest.approx(apart.mean())
    with pytest.raises(KeyError):
        made.effect("rate_ratio")


def test_several_comparison_people_share_the_weight_of_their_set():
    rows = [("a", 1, 4.0), ("a", 0, 1.0), ("a", 0, 3.0), ("b", 1, 8.0), ("b", 0, 5.0), ("c", 0, 9.0)]
    table = pd.DataFrame(rows, columns=["kind", "had", "score"]).assign(id=range(6))
    method = MatchedCohort(outcome="score", exact=("kind",), family="gaussian", ratio=2)
    made = method.fit(Cohort(table, person="id", pilot="had"))
    assert made.headline["estimate"] == pytest.approx((4 + 8) / 2 - ((1 + 3) / 2 + 5) / 2)
    assert made.counts["matched_comparison"] == 3


def test_an_empty_outcome_leaves_its_set_out_and_keeps_the_names_of_all():
    table = by_hand().astype({"stays": float})
    whole = fit_by_hand()
    table.loc[0, "stays"] = np.nan
    made = MatchedCohort(outcome="stays", exact=("kind",)).fit(Cohort(table, **{**ROLES, "horizon": 60}))
    assert made.counts["sets"] == 2
    assert made.counts["left_out"][-1]["n"] == 1
    assert any("the outcome was empty" in text for text in made.warnings)
    assert made.sampling_units == whole.sampling_units
    assert made.influence is not None and not made.influence[0].any()


def test_an_uneven_variance_is_worth_few_degrees_of_freedom():
    even, heavy = np.array([1.0, -1.0] * 50), np.array([10.0] + [1.0] * 99)
    sets = np.arange(100)
    assert worth(even, sets) == 99
    assert worth(heavy, sets) == pytest.approx(2 * 199**2 / (10_099 - 199**2 / 100))
    assert worth(np.array([5.0, 5.0, 1.0]), np.array([0, 0, 1])) == 1


# -- a known truth -------------------------------------------------------------------------


def test_intervals_cover_the_truth_and_the_estimate_has_no_bias():
    """200 draws: two standard deviations of the coverage are 3 points."""
    fits = [PLAIN.fit(cohort(seed)).effect("rate_ratio") for seed in range(200)]
    logs = np.log([row["estimate"] for row in fits])
    covered = np.mean([row["conf_low"] <= TRUE_RATIO <= row["conf_high"] for row in fits])
    assert 0.92 <= covered <= 0.985
    errors = np.array([row["std_error"] / row["estimate"] for row in fits])
    assert abs(logs.mean() - np.log(TRUE_RATIO)) < errors.mean() / 5
    assert errors.mean() == pytest.approx(logs.std(), rel=0.12)


def test_plain_comparison_would_have_been_wrong():
    """The draws above are confounded: those supported had more stays to come."""
    tables = [service(seed) for seed in range(40)]
    crude = [
        np.divide(
            *[t.loc[t["had"] == arm, "stays"].sum() / t.loc[t["had"] == arm, "days"].sum() for arm in (1, 0)]
        )
        for t in tables
    ]
    assert np.mean(crude) > 1


def test_cost_in_two_parts_covers_the_truth():
    """Cost follows stays, so the ratio of means is the ratio of stays; nobody is cut short here."""
    method = MatchedCohort(outcome="cost", covariates=("age", "frailty"), family="two-part")
    found = []
    for seed in range(100):
        table = service(seed).assign(days=90.0)
        rng = np.random.default_rng(10_000 + seed)
        table["cost"] = rng.poisson(np.where(table["had"], TRUE_RATIO, 1.0) * table["frailty"] / 3) * 1000.0
        row = method.fit(Cohort(table, person="id", pilot="had")).effect("relative")
        found.append(row["conf_low"] <= TRUE_RATIO - 1 <= row["conf_high"])
    assert 0.90 <= np.mean(found) <= 0.99


# -- another implementation ------------------------------------------------------------------

COLUMNS = ("age", "female", "imd_quintile", "ltc", "frailty", "lives_alone", "prior_admissions", "prior_cost")


@pytest.fixture(scope="module")
def landing(reference):
    table = pd.read_csv(reference / "sim_cohort_softlanding.csv")
    return Cohort(table, person="id", pilot="treated", follow_up="followup_days")


RULES = {
    "nearest_readm": {"caliper": 0.2},
    "exact_imd": {"caliper": 0.1, "exact": ("imd_quintile", "female")},
}


@pytest.mark.parametrize("case", RULES)
def test_the_sets_of_matchit(reference, landing, case):
    """R: ``matchit(f, d, caliper = 0.2)``. People with the same score are ties, so distances are compared."""
    values = golden(reference / "sim_cohort_matching.json")[case]
    method = MatchedCohort(outcome="readmissions", covariates=COLUMNS, distance="score", **RULES[case])
    pairs = method.pairs(landing)
    theirs = pd.DataFrame(values["pairs"]).dropna().astype(int) - 1
    assert set(pairs.matched.treated) == set(theirs["treated_row"])
    known = landing.table[list(COLUMNS)].to_numpy()
    ours = dict(zip(pairs.matched.treated, pairs.matched.controls[:, 0], strict=True))
    for treated, control in theirs.itertuples(index=False):
        np.testing.assert_array_equal(known[ours[treated]], known[control])
    after = {row["variable"]: row for row in values["matched"]}
    for row in pairs.balance_after:
        for our, their in (("pilot_mean", "mean_treated"), ("comparison_mean", "mean_control")):
            assert row[our] == pytest.approx(after[row["name"]][their], rel=1e-6)
    assert pairs.lost["n"] == values["n"]["Unmatched"]["Treated"]
    assert pairs.audit["pairs"] == values["n_matched_pairs"]


@pytest.mark.parametrize("case", RULES)
def test_the_effect_and_error_in_the_sets_of_r(reference, landing, case):
    """R: difference of means of its pairs; ``vcovCL(cluster = pair, type = "HC1")``, which is our CR1."""
    values = golden(reference / "sim_cohort_matching.json")[case]
    theirs = pd.DataFrame(values["pairs"]).dropna().astype(int).sort_values("treated_row") - 1
    method = MatchedCohort(outcome="readmissions", covariates=COLUMNS, distance="score", **RULES[case])
    ours = method.pairs(landing)
    matched = Sets(
        theirs["treated_row"].to_numpy(), theirs["control_row"].to_numpy()[:, None], ours.matched.unmatched
    )
    pairs = matched_cohort_pairs.Pairs(**{**vars(ours), "matched": matched, "sets": matched.members()})
    y = landing.values("readmissions")
    sample = Sample.of(landing, pairs, np.isfinite(y))
    model = Model(family="gaussian", covariates=(), level=0.95)
    row = Effects(model, sample, compare(model, sample, y, offset=False).contrast, y).rows[0]
    assert row["estimate"] == pytest.approx(values["effect"]["att"], rel=1e-6)
    assert row["std_error"] == pytest.approx(values["effect"]["se_cluster_pair_cr1"], rel=1e-4)


# -- the clock ---------------------------------------------------------------------------------


def late_service(seed: int = 3, people: int = 6000, hazard: float = 0.01) -> pd.DataFrame:
    """A service that does nothing, given to those still at home on the day on which it could begin."""
    rng = np.random.default_rng(seed)
    event = rng.exponential(1 / hazard, people)
    start = rng.integers(0, 15, people)
    had = (rng.random(people) < 0.4) & (event > start)
    out = pd.Timestamp("2024-02-01")
    began = [out + pd.Timedelta(days=int(d)) if h else pd.NaT for d, h in zip(start, had, strict=True)]
    days = np.minimum(event, 90)
    table = {"id": range(people), "had": had.astype(int), "out": out, "began": began, "days": days}
    return pd.DataFrame({**table, "stays": (event <= 90).astype(int), "kind": rng.integers(0, 3, people)})


def test_a_service_that_began_late_is_refused_with_the_ratio_that_nothing_would_show():
    table = late_service()
    dated = Cohort(table, index_date="out", service_start="began", **ROLES)
    method = MatchedCohort(outcome="stays", exact=("kind",))
    with pytest.raises(DesignError, match="immortal time") as caught:
        method.fit(dated)
    said = str(caught.value)
    assert "6.7 days later on average" in said and "leave service_start out" in said
    ratio = float(said.split("a ratio of about ")[1][:4])
    pilot = table["had"] == 1
    rates = [table.loc[arm, "stays"].sum() / table.loc[arm, "days"].sum() for arm in (pilot, ~pilot)]
    assert ratio == pytest.approx(rates[0] / rates[1], abs=0.03)
    assert ratio < 0.9
    unaware = method.fit(Cohort(table, **ROLES)).effect("rate_ratio")
    assert unaware["conf_high"] < 1, "without its dates a service that does nothing looks useful"


def test_the_same_day_is_no_immortal_time_and_an_earlier_start_needs_care():
    table = service(4).assign(out=pd.Timestamp("2024-02-01"))
    table["began"] = table["out"].where(table["had"] == 1)
    roles = {**ROLES, "index_date": "out", "service_start": "began"}
    assert not any("clock" in text for text in PLAIN.fit(Cohort(table, **roles)).warnings)
    table["began"] -= pd.Timedelta(days=3)
    made = PLAIN.fit(Cohort(table, **roles))
    assert any("before the clock started" in text for text in made.warnings)
    assert made.extras["delay"]["before"] == int(table["had"].sum())


# -- what is refused, and what is told -----------------------------------------------------------


def refusal(table: pd.DataFrame, **fields: Any) -> str:
    method = MatchedCohort(**{"outcome": "stays", "covariates": ("age", "frailty"), **fields})
    with pytest.raises(DesignError) as caught:
        method.fit(Cohort(table, **ROLES))
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "fields", "said"),
    [
        ({"had": 1}, {}, "nobody to compare them with. Bring people"),
        ({"had": 0}, {}, "nobody in these data had the service"),
        ({}, {"covariates": ()}, "nothing is named"),
        ({}, {"covariates": ("age", "practice")}, "exact = [\"practice\"]"),
        ({}, {"covariates": ("age", "days")}, "only known when follow-up ended"),
        ({"age": 80.0}, {}, "same for everybody"),
        ({}, {"covariates": (), "exact": ("practice",), "distance": "mahalanobis"}, "needs covariates"),
        ({"stays": -1}, {}, 'family = "gaussian"'),
        ({"stays": 0}, {}, "no ratio can be had"),
        ({}, {"outcome": "cost", "family": "gamma"}, 'family = "two-part"'),
        ({"cost": 5.0}, {"outcome": "cost", "family": "two-part"}, 'family = "gamma"'),
        ({"stays": np.nan}, {}, "empty for one of the two groups"),
        ({"practice": [f"p{k}" for k in range(600)]}, {"exact": ("practice",)}, "nobody else was alike in `practice`"),
    ],
)  # fmt: skip
def test_designs_are_refused_with_the_way_out(change, fields, said):
    text = refusal(service(2).assign(**change), **fields)
    assert said.lower() in text.lower()


def test_a_column_that_is_not_there_is_a_matter_of_the_data():
    for fields in (
        {"covariates": ("shoe",)},
        {"exact": ("shoe",)},
        {"distance": "shoe"},
        {"outcome": "shoe"},
    ):
        with pytest.raises(DataError, match="no such column"):
            MatchedCohort(**{"outcome": "stays", "covariates": ("age",), **fields}).fit(cohort())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"caliper": 0}, 'caliper = 0: give a number above 0, such as 0.2, or "none"'),
        ({"ratio": 0}, "whole number from 1"),
        ({"level": 95}, "such as 0.95"),
        ({"family": "normal"}, '"poisson", "gaussian", "gamma", "two-part"'),
        ({"order": "best"}, '"largest", "smallest"'),
        ({"covariates": ("stays",)}, "outcome"),
        ({"distance": "stays"}, "outcome"),
    ],
)
def test_a_field_that_cannot_be_is_told(fields, said):
    with pytest.raises(UsageError, match=said.replace("(", "[(]")):
        MatchedCohort(**{"outcome": "stays", **fields})


def test_a_study_file_writes_no_caliper_as_none():
    made = build("matched-cohort", {"caliper": "none", "covariates": ["age"]}, outcome="stays")
    assert made.caliper is None
    warned = made.fit(cohort()).warnings
    assert any("no caliper" in text for text in warned)
    with pytest.raises(UsageError, match="caliper"):
        build("matched-cohort", {"caliper": True}, outcome="stays")


def test_unlike_groups_are_told_to_claim_nothing():
    table = service(3, people=200)
    table["frailty"] += 4 * table["had"]
    made = MatchedCohort(outcome="stays", covariates=("age", "frailty"), caliper=None).fit(
        Cohort(table, **ROLES)
    )
    assert made.extras["max_smd"] > 0.25
    assert any("nothing should be claimed" in text and "`frailty`" in text for text in made.warnings)


def test_few_sets_and_few_events_are_told():
    warned = " ".join(fit_by_hand().warnings)
    assert "3 matched sets are too few" in warned
    assert "2 events among the matched pilot people and 6" in warned


def test_who_could_not_be_matched_is_told_with_the_reason():
    table = service(5)
    table.loc[table.index[table["had"] == 1][:40], "frailty"] += 15
    made = PLAIN.fit(Cohort(table, **ROLES))
    lost = made.extras["lost"]
    assert lost["n"] >= 38 and sum(row["n"] for row in lost["reasons"]) == lost["n"]
    assert lost["differ"][0]["name"] == "frailty" and lost["differ"][0]["smd"] > 1
    assert any("had no match" in text for text in made.warnings)
    exact = MatchedCohort(outcome="stays", exact=("practice",)).pairs(
        Cohort(
            table.assign(
                practice=["x"] * 30 + list(table["practice"][30:]), had=[1] * 30 + list(table["had"][30:])
            ),
            **ROLES,
        )
    )
    assert {"n": 30, "reason": "nobody else was alike in `practice`"} in exact.lost["reasons"]


def test_who_came_too_late_for_a_comparison_person_is_told():
    table = pd.DataFrame(
        {"id": range(5), "had": [1, 1, 1, 0, 0], "need": [1.0, 1.1, 5.0, 1.0, 9.0], "y": 1.0}
    )
    method = MatchedCohort(outcome="y", covariates=("need",), distance="need", caliper=0.1)
    lost = method.pairs(Cohort(table, person="id", pilot="had")).lost
    assert lost["n"] == 2
    assert lost["reasons"] == [
        {"n": 1, "reason": "nobody else was near enough"},
        {"n": 1, "reason": "all who were near enough were matched to others"},
    ]


def test_few_lost_people_are_not_described():
    table = service(5)
    table.loc[table.index[table["had"] == 1][:3], "frailty"] += 25
    pairs = MatchedCohort(outcome="stays", covariates=("age", "frailty"), caliper=1.0).pairs(
        Cohort(table, **ROLES)
    )
    assert 3 <= pairs.lost["n"] < 10
    assert pairs.lost["differ"] == []


def test_empty_cells_of_what_is_matched_on_are_counted():
    table = service(6)
    table.loc[:4, "age"] = np.nan
    table.loc[3:9, "practice"] = None
    made = MatchedCohort(outcome="stays", exact=("practice",), covariates=("age", "frailty")).fit(
        Cohort(table, **ROLES)
    )
    assert [row["n"] for row in made.counts["left_out"]] == [7, 3]
    assert sum("left out" in text for text in made.warnings) == 2


def test_every_warning_reads_well():
    table = service(3, people=120)
    table["frailty"] += 3 * table["had"]
    table.loc[:3, "age"] = np.nan
    made = MatchedCohort(outcome="stays", covariates=("age", "frailty"), caliper="none", ratio=4).fit(
        Cohort(table.assign(team=table["practice"]), **ROLES, cluster="team")
    )
    assert len(made.warnings) >= 4
    assert not [found for text in made.warnings for found in breaks(text)]


# -- rules of the matching -------------------------------------------------------------------------


@pytest.mark.parametrize("distance", ["logit", "score", "mahalanobis", "robust-mahalanobis", "frailty"])
@pytest.mark.parametrize("extra", [{}, {"replace": True}, {"ratio": 2}, {"order": "closest"}])
def test_every_distance_and_rule_gives_audited_sets(distance, extra):
    method = MatchedCohort(
        outcome="stays", exact=("practice",), covariates=("age", "frailty"), distance=distance, **extra
    )
    data = cohort(7)
    pairs = method.pairs(data)
    assert pairs.audit["pairs"] == pairs.audit["strata"] == (~pairs.sets["treated"]).sum()
    practice = data.codes("practice")[pairs.sets["row"]]
    assert (pd.Series(practice).groupby(pairs.sets["set"].to_numpy()).nunique() == 1).all()
    assert np.isfinite(method.fit(data).headline["std_error"])


def test_a_broken_set_is_never_returned(monkeypatch):
    def wrong(*args: Any, **rules: Any) -> Sets:
        made = true_nearest(*args, **rules)
        return Sets(made.treated, made.controls[::-1], made.unmatched)

    true_nearest = matched_cohort_matching.nearest
    monkeypatch.setattr(matched_cohort_matching, "nearest", wrong)
    with pytest.raises(EstimationError, match="break a rule"):
        PLAIN.fit(cohort())


def test_kinds_must_differ_where_asked():
    data = cohort(8)
    pairs = MatchedCohort(outcome="stays", covariates=("age", "frailty"), antiexact=("practice",)).pairs(data)
    practice = data.codes("practice")[pairs.sets["row"]]
    assert (pd.Series(practice).groupby(pairs.sets["set"].to_numpy()).nunique() == 2).all()


def test_nobody_is_compared_with_himself_and_people_are_evidence_once():
    data = cohort(9, again=True)
    assert data.recurs
    made = PLAIN.fit(data)
    pairs = PLAIN.pairs(data)
    assert (
        pd.Series(data.persons[pairs.sets["row"]]).groupby(pairs.sets["set"].to_numpy()).nunique() == 2
    ).all()
    assert "matched set and person" in made.draws_from
    assert "matched set with" in PLAIN.fit(cohort(9)).draws_from


def test_use_before_that_was_not_matched_on_stands_in_the_balance():
    data = Cohort(service(1), **ROLES, before=("contacts", "frailty"))
    names = [row["name"] for row in PLAIN.fit(data).extras["balance"]]
    assert names == ["age", "frailty", "contacts"]


def test_adjustment_is_left_out_where_it_would_fit_noise_and_that_is_said():
    made = PLAIN.fit(cohort(2, people=60))
    assert made.extras["rule"]["adjusted_for"] == []
    assert any("too few for 2 covariates" in text for text in made.warnings)
    assert PLAIN.fit(cohort(2)).extras["rule"]["adjusted_for"] == ["age", "frailty"]


def test_difference_and_ratio_never_disagree_on_no_change():
    edge = 0
    for seed in range(120):
        made = PLAIN.fit(cohort(seed, people=150))
        rows = [made.effect(term) for term in ("att", "cumulative", "relative", "rate_difference")]
        holds = [row["conf_low"] <= 0 <= row["conf_high"] for row in rows]
        ratio = made.effect("rate_ratio")
        assert len({*holds, ratio["conf_low"] <= 1 <= ratio["conf_high"]}) == 1
        edge += any(0 in (row["conf_low"], row["conf_high"]) for row in rows)
        e_limit = made.extras["e_value"]["limit"]
        assert (e_limit == 1) == holds[0]
    assert edge, "no draw lay at the edge, so nothing was shown"


def test_influences_give_the_errors():
    made = PLAIN.fit(cohort())
    assert made.influence is not None and made.cov is not None
    squares = np.sqrt((made.influence**2).sum(axis=0))
    np.testing.assert_allclose(squares, np.sqrt(np.diag(made.cov)), rtol=0.02)


# -- outcomes beyond the service's reach ---------------------------------------------------------------


def test_negative_controls_show_what_was_hidden_and_little_else():
    columns = {"deaths": ("deaths",), "before": ("contacts", "injuries")}
    named = ["deaths", "injuries", "contacts"]
    clean, hidden = (
        [PLAIN.controls(cohort(s, people=2000, hidden=size), named, **columns) for s in range(1000, 1030)]
        for size in (0.0, 0.8)
    )
    assert sum(made.verdict(-0.2).state == "holds" for made in clean) >= 23  # 88 of 100 were seen
    assert sum(made.verdict(-0.2).state in ("doubtful", "fails") for made in hidden) >= 24  # 91 of 100
    made = clean[0]
    assert made.cov.shape == (3, 3) and made.pooled is not None
    assert [control.reach for control in made.controls] == ["deaths", "before", "before"]
    for row, variance in zip(made.rows, np.diag(made.cov), strict=True):
        assert row["std_error"] == pytest.approx(np.sqrt(variance), rel=0.02)
        assert row["low"] < row["ratio"] < row["high"]


def test_a_control_that_was_matched_on_or_never_happened_is_not_counted():
    table = service(1).assign(falls=0, rare=0)
    table.loc[table.index[table["had"] == 1][:4], "rare"] = 1
    made = PLAIN.controls(Cohort(table, **ROLES), ["frailty", "falls", "rare"])
    whys = {row["column"]: row["why"] for row in made.rows}
    assert "matched on it" in whys["frailty"] and "nobody" in whys["falls"] and whys["rare"] is None
    assert len(made.controls) == 1, "an outcome of one group only has a score test"
    assert 1 < made.controls[0].z < 3


def test_days_at_risk_count_after_the_index_date_and_not_before():
    data = cohort(3)
    method = MatchedCohort(outcome="stays", covariates=("age", "frailty"), adjust=False)
    pairs = method.pairs(data)
    pilot, others = pairs.matched.treated, pairs.matched.controls[:, 0]
    contacts, days = data.values("contacts"), data.values("days")
    times = contacts[pilot].sum() / contacts[others].sum()
    (row,) = method.controls(data, ["contacts"], before=("contacts",)).rows
    assert row["ratio"] == pytest.approx(times)
    (row,) = method.controls(data, ["contacts"]).rows
    assert row["ratio"] == pytest.approx(times / days[pilot].sum() * days[others].sum())


# -- the register ------------------------------------------------------------------------------------


def test_designs_open_to_people():
    designs = {
        design.method: design
        for design in open_designs(cohort(), "stays", options={"matched-cohort": {"covariates": ["age"]}})
    }
    assert designs["matched-cohort"].is_open
    assert not designs["did"].is_open and "a row is a person" in str(designs["did"].findings[0]).lower()
    assert not open_designs(cohort(), "stays")[list(METHODS).index("matched-cohort")].is_open


def test_one_matching_names_the_same_sets_for_every_outcome():
    data = cohort(1)
    units = [PLAIN.fit(data).sampling_units]
    units += [
        MatchedCohort(outcome="cost", covariates=("age", "frailty"), family="gaussian")
        .fit(data)
        .sampling_units
    ]
    units += [MatchedCohort(outcome="cost", covariates=("age",), family="gaussian").fit(data).sampling_units]
    same = [one == other for one, other in itertools.combinations(units, 2)]
    assert same == [True, False, False]
    assert not any(str(person) == unit for person, unit in zip(data.table["id"], units[0], strict=False))


@pytest.mark.parametrize("matching", ["nearest", "optimal", "full"])
def test_ties_do_not_hang_on_how_a_file_was_sorted(matching):
    rng = np.random.default_rng(8)
    n = 300
    table = pd.DataFrame(
        {
            "id": [f"p{k:03d}" for k in rng.permutation(n)],
            "had": (rng.random(n) < 0.3).astype(int),
            "need": rng.integers(0, 4, n),
            "stays": rng.poisson(1.0, n),
        }
    )
    method = MatchedCohort(outcome="stays", covariates=("need",), matching=matching, adjust=False)
    found = [
        method.fit(Cohort(table.sample(frac=1, random_state=seed), person="id", pilot="had")).effects
        for seed in range(4)
    ]
    for other in found[1:]:
        pd.testing.assert_frame_equal(other, found[0], rtol=1e-9)
