"""The outcome without the service, foreseen by models that have not seen the person."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.prognostic_score import prognostic_score

Array = np.ndarray


def people(n: int = 900) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, 2))
    treated = rng.random(n) < 0.3
    y = rng.poisson(np.exp(0.3 + 0.6 * x[:, 0])) * np.where(treated, 5.0, 1.0)
    return x, y, treated


class Remembers:
    """Knows the outcome of everybody it has seen, and says -1 of all others."""

    def get_params(self, **_: Any) -> dict[str, Any]:
        return {}

    def fit(self, x: Array, y: Array) -> Remembers:
        self.seen = {tuple(row): float(value) for row, value in zip(x, y, strict=True)}
        return self

    def predict(self, x: Array) -> Array:
        return np.array([self.seen.get(tuple(row), -1.0) for row in x])


def test_it_is_the_mean_without_the_service() -> None:
    x, y, treated = people()
    found = prognostic_score("log-linear", x, y, treated)
    assert np.log(found) == pytest.approx(0.3 + 0.6 * x[:, 0], abs=0.35)
    assert np.corrcoef(np.log(found), x[:, 0])[0, 1] > 0.99
    changed = np.where(treated, np.nan, y)
    assert (prognostic_score("log-linear", x, changed, treated) == found).all()


def test_nobody_is_foreseen_by_their_own_outcome() -> None:
    x, y, treated = people()
    assert (prognostic_score(Remembers(), x, y, treated) == -1).all()
    assert (prognostic_score(Remembers(), np.tile(x, (2, 1)), np.tile(y, 2), np.tile(treated, 2)) != -1).any()


def test_a_pilot_row_of_somebody_who_was_among_the_others_is_not_either() -> None:
    x, y, _ = people(200)
    twice, outcome = np.tile(x, (2, 1)), np.tile(y, 2)
    later = np.arange(400) >= 200
    units = np.tile(np.arange(200), 2)
    assert (prognostic_score(Remembers(), twice, outcome, later, units=units) == -1).all()
    assert (prognostic_score(Remembers(), twice, outcome, later) != -1).any()


def test_it_may_be_learned_before_the_pilot() -> None:
    x, y, treated = people()
    before = ~treated & (np.arange(900) < 400)
    later = np.where(np.arange(900) < 400, y, np.nan)
    found = prognostic_score("log-linear", x, later, treated, fit_to=before)
    assert np.isfinite(found).all()
    assert np.corrcoef(np.log(found), x[:, 0])[0, 1] > 0.98


def test_pilot_people_are_never_learned_from() -> None:
    x, y, treated = people()
    with pytest.raises(EstimationError, match="pilot people are among them"):
        prognostic_score("log-linear", x, y, treated, fit_to=np.ones(900, dtype=bool))
