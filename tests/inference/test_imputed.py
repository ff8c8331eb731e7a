"""Imputed effects, their loadings and their variance, against the same things written out row by row."""

from __future__ import annotations

import numpy as np
import pytest

from tests.staggered_panels import Drawn, dense, drawn
from ucimpact.inference.cell_averages import Averages, averages
from ucimpact.inference.imputation import Imputation, pooled_cells
from ucimpact.inference.two_way import CohortPanel

Array = np.ndarray
KINDS = [
    {},
    {"weights": "unit"},
    {"gaps": 0.15},
    {"covariates": 2},
    {"gaps": 0.15, "weights": "cell", "covariates": 2},
]


def laid_out(data: Drawn) -> tuple[Imputation, Averages]:
    found = Imputation(data.panel, data.treated)
    sizes = np.bincount(data.cohort)[: len(data.cohorts)].astype(float)
    mass = found.mass[:-1]
    return found, averages(mass, data.cohorts, data.periods, sizes, mass > 0)


def written_out(data: Drawn) -> tuple[Array, Array, Array]:
    """Effects (n, T), residuals of the untreated (n, T), and the loadings of each average (K, n, T)."""
    fit = dense(data, np.zeros((0, *data.y.shape)), where=~data.treated)
    n, periods = data.y.shape
    k = len(data.x)
    expected = np.tensordot(fit.coef[:k], data.x, axes=1)
    expected = expected + fit.coef[k : k + n, None] + fit.coef[k + n :]
    known = data.treated & (data.w > 0)
    effects = np.where(known, data.y - expected, 0.0)
    residuals = np.zeros_like(data.y)
    residuals[~data.treated & (data.w > 0)] = fit.residuals
    _, average = laid_out(data)
    loadings = np.zeros((len(average.rows), n, periods))
    unit, period = np.nonzero(known)
    dummies = [(unit == u).astype(float) for u in range(n)] + [
        (period == t).astype(float) for t in range(periods)
    ]
    z1 = np.column_stack([x[known] for x in data.x] + dummies)
    mass = data.panel.sums(np.where(known, data.w, 0.0))
    for m, table in enumerate(average.table):
        share = np.vstack([table, np.zeros(periods)]) / np.where(mass > 0, mass, 1.0)
        v1 = (data.w * share[data.cohort])[known]
        loadings[m][known] = v1
        loadings[m][~data.treated & (data.w > 0)] = -fit.weights * (fit.columns @ (fit.inverse @ (z1.T @ v1)))
    return effects, residuals, loadings


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_effects_and_variance_are_those_of_the_regression_on_untreated_rows(kind: dict) -> None:
    data = drawn(11, **kind)
    ours, average = laid_out(data)
    effects, residuals, loadings = written_out(data)
    np.testing.assert_allclose(ours.effects, effects, atol=1e-9)
    np.testing.assert_allclose(average.of(ours.cells[:-1]), (loadings * data.y).sum(axis=(1, 2)), rtol=1e-8)
    places = np.arange(len(data.y))
    aside = [ours.deviations(places, data.since, leave_out=out) for out in (False, True)]
    for found, each in zip(ours.influence(average, *aside), aside, strict=True):
        np.testing.assert_allclose(found, (loadings * (residuals + each)).sum(axis=2).T, atol=1e-9)


@pytest.mark.parametrize("places_of_two", [False, True])
@pytest.mark.parametrize("weights", ["one", "cell"])
def test_auxiliary_averages_leave_out_the_place_itself(places_of_two: bool, weights: str) -> None:
    """By brute force: sum W T / sum W^2 over the other places of the start at that time since it.

    The plain form, as R's didimputation has it, weighs rows: sum w^2 tau / sum w^2 over the start at that time.
    """
    data = drawn(12, sizes=(6, 4, 4, 6), weights=weights)
    ours, _ = laid_out(data)
    order = np.argsort(data.cohort, kind="stable")
    places = np.empty(len(order), dtype=int)
    places[order] = np.arange(len(order)) // (2 if places_of_two else 1)
    plain = ours.deviations(places, data.since, leave_out=False)
    out = ours.deviations(places, data.since, leave_out=True)
    for unit, t in zip(*np.nonzero(ours.known), strict=True):
        peers = (data.cohort == data.cohort[unit]) & ours.known[:, t]
        sums = {}
        for place in np.unique(places[peers]):
            mine = peers & (places == place)
            weight = data.w[mine, t].sum()
            sums[place] = weight, (data.w[mine, t] * ours.effects[mine, t]).sum()
        every = np.average(ours.effects[peers, t], weights=data.w[peers, t] ** 2)
        rest = [pair for place, pair in sums.items() if place != places[unit]]
        others = sum(w * e for w, e in rest) / sum(w**2 for w, _ in rest)
        assert plain[unit, t] == pytest.approx(ours.effects[unit, t] - every, abs=1e-9)
        assert out[unit, t] == pytest.approx(ours.effects[unit, t] - others, abs=1e-9)


def test_leaving_out_undoes_the_shrinking_of_a_residual() -> None:
    """With m places of one weight the plain residual is (m - 1)/m of the one that leaves its place out."""
    data = drawn(13, sizes=(4, 4, 4, 6))
    ours, _ = laid_out(data)
    places = np.arange(len(data.y))
    plain = ours.deviations(places, data.since, leave_out=False)
    out = ours.deviations(places, data.since, leave_out=True)
    np.testing.assert_allclose(plain, 0.75 * out, atol=1e-10)


def test_a_lone_start_deviates_from_itself_unless_it_is_put_with_others() -> None:
    data = drawn(16, sizes=(1, 4, 4, 6))
    ours, _ = laid_out(data)
    places = np.arange(len(data.y))
    lone = int(np.flatnonzero(data.cohort == 0)[0])
    apart, together = ours.within_cells, ours.deviations(places, data.since, leave_out=False)
    np.testing.assert_allclose(apart[lone], 0, atol=1e-10)
    assert np.abs(together[lone][ours.known[lone]]).min() > 0
    others = data.cohort == 2
    np.testing.assert_allclose(apart[others], together[others])


@pytest.mark.parametrize("kind", [{}, {"weights": "unit"}], ids=str)
def test_loadings_give_the_averages_from_the_means_of_cohorts(kind: dict) -> None:
    data = drawn(14, **kind)
    ours, average = laid_out(data)
    loadings = ours.loadings(average)
    assert loadings is not None
    means = data.panel.sums(data.w * data.y) / data.panel.mass
    np.testing.assert_allclose(
        np.einsum("gkt,gt->k", loadings, means), average.of(ours.cells[:-1]), rtol=1e-9
    )
    np.testing.assert_allclose(loadings.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(loadings.sum(axis=2), 0, atol=1e-12)
    gaps, _ = laid_out(drawn(14, gaps=0.1))
    assert gaps.loadings(average) is None


def test_what_nothing_untreated_speaks_for_has_no_effect() -> None:
    """Two islands: units 0 and 1 are seen in periods 0 to 2, units 2 and 3 in periods 3 to 5."""
    w = np.zeros((4, 6))
    w[:2, :3] = 1
    w[2:, 3:] = 1
    w[0, 4] = 1  # treated by then: nothing ties unit 0 to period 4 without the pilot
    treated = np.zeros((4, 6), dtype=bool)
    treated[0, 2:] = True
    treated[2, 5] = True
    found = Imputation(CohortPanel(np.ones((4, 6)), w, np.array([0, 2, 1, 2]), 3), treated)
    assert np.argwhere(found.known).tolist() == [[0, 2], [2, 5]]


# -- groups for the auxiliary averages ---------------------------------------------------


def groups(places: list[list[int]], starts: list[int]) -> tuple[Array, list[int]]:
    since = np.arange(1, len(places[0]) + 1)[None, :] - np.array(starts)[:, None]
    return pooled_cells(np.array(places), since)


def test_starts_of_several_places_keep_to_themselves() -> None:
    found, pooled = groups([[0, 2, 2, 2], [0, 0, 3, 3]], [2, 3])
    assert not pooled
    cells = [found[0, 1], found[0, 2], found[0, 3], found[1, 2], found[1, 3]]
    assert len(set(cells)) == 5


def test_a_lone_start_goes_with_the_nearest_at_the_same_time_since_it() -> None:
    found, pooled = groups([[0, 1, 1, 1, 1], [0, 0, 0, 2, 2], [0, 0, 0, 0, 2]], [2, 4, 5])
    assert pooled == [0]
    assert found[0, 1] == found[1, 3] and found[0, 2] == found[1, 4]  # event times 0 and 1
    assert found[0, 3] == found[0, 4] == found[1, 4]  # times that one place alone has reached
    assert found[2, 4] not in (found[0, 1], found[1, 3])


def test_lone_starts_are_put_together_until_none_is_alone() -> None:
    found, pooled = groups([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]], [2, 3, 4])
    assert pooled == [0, 1, 2]
    assert found[0, 1] == found[1, 2]


def test_the_only_pilot_place_has_nobody_to_go_with() -> None:
    found, pooled = groups([[0, 0, 1, 1]], [3])
    assert pooled == [0] and found[0, 2] == found[0, 3]


# -- averages ----------------------------------------------------------------------------


def test_averages_weigh_cells_as_they_say() -> None:
    mass = np.array([[0.0, 3, 3, 3], [0, 0, 0, 1]])
    found = averages(mass, np.array([2, 4]), np.arange(1, 5), np.array([3.0, 1]), mass > 0)
    cells = np.array([[0.0, 1, 2, 6], [0, 0, 0, 10]])
    values = {tuple(row.values()): v for row, v in zip(found.rows, found.of(cells), strict=True)}
    assert values["simple",] == pytest.approx((3 * (1 + 2 + 6) + 10) / 10)
    assert values["event", 0] == pytest.approx((3 * 1 + 10) / 4)
    assert values["dynamic_average",] == pytest.approx(((3 + 10) / 4 + 2 + 6) / 3)
    assert values["group", 2] == pytest.approx(3)
    assert values["group_average",] == pytest.approx((3 * 3 + 10) / 4)
    assert values["calendar", 4] == pytest.approx((3 * 6 + 10) / 4)
    assert values["calendar_average",] == pytest.approx((1 + 2 + 7) / 3)
    assert values["group_time", 4, 4, 0] == 10
    np.testing.assert_allclose(found.cohort_share.sum(axis=0), 1)
    np.testing.assert_allclose((found.cohort_share * found.by_cohort(cells)).sum(axis=0), found.of(cells))
