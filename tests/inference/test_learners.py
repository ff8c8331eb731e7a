"""Learners that never foresee those they were fitted to, and parts that go by people and not by rows."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from ucimpact.errors import EstimationError, UsageError
from ucimpact.inference import learners, propensity
from ucimpact.inference.folds import deal
from ucimpact.inference.overlap import overlap

Array = np.ndarray


def people(seed: int = 1, n: int = 600) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.normal(size=n), rng.random(n) < 0.4]).astype(float)
    true = 1 / (1 + np.exp(0.8 - x[:, 0] - 0.5 * x[:, 2]))
    return x, rng.random(n) < true, true


class Remembers:
    """Knows everybody it was fitted to by heart, and says a half of all others."""

    def __init__(self, random_state: int | None = None) -> None:
        self.random_state = random_state

    def get_params(self, **_: Any) -> dict[str, Any]:
        return {"random_state": self.random_state}

    def set_params(self, **values: Any) -> Remembers:
        self.random_state = values["random_state"]
        return self

    def fit(self, x: Array, y: Array) -> Remembers:
        self.seen = {tuple(row): float(value) for row, value in zip(x, y, strict=True)}
        return self

    def predict_proba(self, x: Array) -> Array:
        found = np.array([self.seen.get(tuple(row), 0.5) for row in x])
        return np.column_stack([1 - found, found])


def test_nobody_is_foreseen_by_a_model_that_has_seen_them() -> None:
    x, treated, _ = people()
    assert (learners.chance(Remembers(), x, treated) == 0.5).all()


def test_the_rows_of_a_person_stay_together() -> None:
    x, treated, _ = people()
    twice = np.tile(np.arange(300), 2)
    x = np.tile(x[:300], (2, 1))
    assert (learners.chance(Remembers(), x, treated) != 0.5).any()
    assert (learners.chance(Remembers(), x, treated, units=twice) == 0.5).all()
    part = deal(x, treated, 4, units=7 * twice)
    assert (part[:300] == part[300:]).all()


def test_parts_go_by_people_and_not_by_rows() -> None:
    x, treated, _ = people()
    order = np.random.default_rng(3).permutation(len(x))
    part = deal(x, treated, 5, 9)
    assert (deal(x[order], treated[order], 5, 9) == part[order]).all()
    assert (deal(x, treated, 5, 10) != part).any()
    alike, person = np.zeros((600, 2)), np.random.default_rng(4).permutation(600)
    same = deal(alike, treated, 5, 9, units=person)
    assert (deal(alike[order], treated[order], 5, 9, units=person[order]) == same[order]).all()
    for arm in (treated, ~treated):
        assert np.ptp(np.bincount(part[arm])) <= 1


def test_parts_are_the_same_in_other_units() -> None:
    x, treated, _ = people()
    part = deal(x, treated, 5, 9)
    assert (deal(x * [10.0] + 7, treated, 5, 9) == part).all()
    assert (deal(np.column_stack([x[:, :1] * 10, x[:, 1:]]), treated, 5, 9) == part).all()


def test_parts_are_at_random_and_not_runs_of_people_alike() -> None:
    x, treated, _ = people(n=3_000)
    part = deal(x, treated, 3, 1)
    means = [x[part == k, 0].mean() for k in range(3)]
    assert np.ptp(means) < 0.15  # six standard errors of a mean of 1,000 is 0.19


def test_our_logit_is_the_score_where_all_are_in_the_fit() -> None:
    x, treated, _ = people()
    fitted = learners.Logistic().fit(np.column_stack([x, x[:, 0] + 2 * x[:, 1], np.ones(len(x))]), treated)
    again = np.column_stack([x, x[:, 0] + 2 * x[:, 1], np.ones(len(x))])
    assert fitted.predict_proba(again) == pytest.approx(propensity.fit(x, treated).score, rel=1e-9)


@pytest.mark.parametrize("word", ["logistic", "gradient-boosting", "random-forest"])
def test_every_word_learns_the_chance(word: str) -> None:
    x, treated, true = people(n=1_000)
    found = learners.chance(word, x, treated, folds=2)
    assert np.corrcoef(found, true)[0, 1] > 0.7
    assert (learners.chance(word, x, treated, folds=2) == found).all()


def test_a_learner_of_scikit_learn_is_taken_as_it_is_and_left_as_it_was() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, treated, _ = people()
    given = make_pipeline(StandardScaler(), LogisticRegression(C=np.inf, tol=1e-10))
    part = deal(x, treated, 5, 1)
    ours = learners.chance_by_part("logistic", x, treated, part)
    assert learners.chance(given, x, treated) == pytest.approx(ours, rel=1e-5)
    assert not hasattr(given[-1], "coef_")


def test_an_open_random_state_is_given_the_seed() -> None:
    assert learners.classifier(Remembers(), 7).random_state == 7
    assert learners.classifier(Remembers(3), 7).random_state == 3


def test_a_mean_is_that_of_the_model_and_a_column_without_events_is_left_out() -> None:
    rng = np.random.default_rng(2)
    x, _, _ = people()
    y = rng.poisson(np.exp(0.2 + 0.5 * x[:, 1])).astype(float)
    rare = np.zeros(len(x))
    rare[:4] = 1.0
    y[:4] = 0.0
    fitted = learners.Linear("poisson").fit(np.column_stack([x, rare]), y)
    plain = learners.Linear("poisson").fit(x, y)
    assert fitted.predict(np.column_stack([x, rare])) == pytest.approx(plain.predict(x), rel=1e-9)
    assert plain.predict(x).sum() == pytest.approx(y.sum(), rel=1e-9)


def test_what_is_no_learner_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    x, treated, _ = people()
    with pytest.raises(UsageError, match=r'no learner "xgb".*"logistic", "gradient-boosting"'):
        learners.chance("xgb", x, treated)
    with pytest.raises(UsageError, match="no predict_proba"):
        learners.classifier(learners.Linear("poisson"))
    with pytest.raises(UsageError, match="get_params"):
        learners.classifier(learners.Logistic())
    with pytest.raises(EstimationError, match="pilot people cannot be dealt into 5 parts"):
        learners.chance("logistic", x, np.arange(len(x)) < 3)
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(UsageError, match=r"needs scikit-learn.*ucimpact\[learners\]"):
        learners.chance("random-forest", x, treated)


def test_overlap_of_two_normals() -> None:
    """Two normal densities a distance d apart share 2 Phi(-d/2): 0.617 at d = 1."""
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(1, 1, 20_000), rng.normal(0, 1, 60_000)])
    found = overlap(values, np.arange(80_000) < 20_000)
    assert found["coefficient"] == pytest.approx(0.617, abs=0.01)
    assert found["outside"] < 1e-3


def test_overlap_counts_pilot_people_beyond_all_others() -> None:
    values = np.array([5.0, -1.0, 1.5, 1.0, 2.0, 0.0])
    found = overlap(values, np.arange(6) < 3)
    assert found["outside"] == pytest.approx(2 / 3)
    assert overlap(np.ones(6), np.arange(6) < 3)["coefficient"] == 1.0
