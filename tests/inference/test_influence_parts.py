"""Influence in parts is the array that it stands for, without making it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ucimpact.inference import influence_parts
from ucimpact.inference.influence_parts import InParts, Part, Parts

COHORT = np.arange(90) % 3


def made() -> tuple[InParts, np.ndarray]:
    rng = np.random.default_rng(1)
    numbers, matrices = rng.normal(size=(90, 4)), rng.normal(size=(3, 4, 6))
    array = np.einsum("in,ink->ik", numbers, matrices[COHORT])

    def make(whole: bool) -> Iterator[Part]:
        for c in range(3):
            units = np.flatnonzero(c == COHORT)
            for some in [units] if whole else np.array_split(units, 4):
                yield Part(some, numbers[some], matrices[c])

    return InParts(Parts(make), (90, 6)), array


@pytest.fixture(params=[10**6, 0], ids=["kept", "made anew"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[InParts, np.ndarray]:
    monkeypatch.setattr(influence_parts, "HELD", request.param)
    return made()


def test_it_is_the_array(pair: tuple[InParts, np.ndarray]) -> None:
    parts, array = pair
    np.testing.assert_allclose(np.asarray(parts), array)
    np.testing.assert_allclose(parts.T, array.T)
    np.testing.assert_allclose(np.asarray(parts[:, 1:3]), array[:, 1:3])
    np.testing.assert_allclose(np.asarray(parts[:, [4, 0]]), array[:, [4, 0]])
    matrix = np.random.default_rng(2).normal(size=(6, 2))
    np.testing.assert_allclose(np.asarray(parts @ matrix), array @ matrix)
    np.testing.assert_allclose(np.asarray((parts @ matrix)[:, :1]), (array @ matrix)[:, :1])
    assert len(parts) == 90 and parts[:, [4, 0]].shape == (90, 2)
    with pytest.raises(IndexError, match="all units"):
        parts[:3, 0:1]


def test_second_moments_are_those_of_the_array(pair: tuple[InParts, np.ndarray]) -> None:
    parts, array = pair
    np.testing.assert_allclose(parts.second_moments(), array.T @ array)
    np.testing.assert_allclose(parts[:, [2, 5]].second_moments(), (array.T @ array)[np.ix_([2, 5], [2, 5])])
    for weight in (np.array([1.0, 2.0, 0.5])[COHORT], np.linspace(1, 2, 90)):
        np.testing.assert_allclose(parts.second_moments(weight), (array * weight[:, None]).T @ array)


def test_places_add_up_their_units(pair: tuple[InParts, np.ndarray]) -> None:
    parts, array = pair
    places = COHORT * 5 + (np.arange(90) // 3) % 5
    summed = np.zeros((15, 6))
    np.add.at(summed, places, array)
    np.testing.assert_allclose(np.asarray(parts.by_place(places)), summed, atol=1e-12)
    np.testing.assert_allclose(
        parts.by_place(places)[:, :2].second_moments(), summed[:, :2].T @ summed[:, :2]
    )
    assert parts.by_place(np.arange(90)) is parts


def test_draws_have_the_spread_of_the_array(pair: tuple[InParts, np.ndarray]) -> None:
    parts, array = pair
    drawn = parts.multiplied(20_000, 3).drawn
    np.testing.assert_allclose(
        drawn.T @ drawn / 20_000, array.T @ array, rtol=0.1, atol=7
    )  # three sd of a covariance are 5
