"""Regressions on tables of cohorts and periods equal the same regressions with one column an effect."""

from __future__ import annotations

import numpy as np
import pytest

from tests.staggered_panels import Drawn, dense, drawn, of_cells
from ucimpact.errors import EstimationError
from ucimpact.inference.saturated import levels_of, linked_periods, within
from ucimpact.inference.two_way import CohortPanel, cr1_factor, lost_columns, regress, telling_columns

Array = np.ndarray
KINDS = [
    {},
    {"weights": "unit"},
    {"weights": "cell"},
    {"gaps": 0.2},
    {"gaps": 0.2, "weights": "cell", "covariates": 2},
    {"covariates": 2},
]


def tables(data: Drawn, *times: int) -> Array:
    """One table for each time since the start; with none, the pilot itself."""
    made = [data.since >= 0] if not times else [data.since == e for e in times]
    return np.array([np.vstack([table, np.zeros(len(data.periods))]) for table in made], dtype=float)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("times", [(), (-3, -2, 0, 1, 2)], ids=["static", "path"])
def test_a_regression_on_tables_is_the_regression_with_dummies(kind: dict, times: tuple[int, ...]) -> None:
    data = drawn(3, **kind)
    columns = tables(data, *times)
    ours, theirs = regress(data.panel, columns), dense(data, of_cells(data, columns))
    k, with_x = len(columns), len(columns) + len(data.x)
    np.testing.assert_allclose(ours.coef, theirs.coef[:k], rtol=1e-9)
    np.testing.assert_allclose(ours.slopes, theirs.coef[k:with_x], rtol=1e-9)
    np.testing.assert_allclose(ours.residuals[data.w > 0], theirs.residuals, atol=1e-10)
    assert not ours.residuals[data.w == 0].any()
    np.testing.assert_allclose(ours.inverse, theirs.inverse[:with_x, :with_x], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.influence(np.eye(k)), theirs.scores(slice(k)), atol=1e-10)
    nested = (data.w > 0).any(axis=1).sum()
    assert ours.n_parameters == theirs.rank - nested + 1


@pytest.mark.parametrize("kind", [{}, {"weights": "unit"}], ids=str)
def test_loadings_give_the_coefficients_from_the_means_of_cohorts(kind: dict) -> None:
    data = drawn(4, **kind)
    fit = regress(data.panel, tables(data, -2, 0, 1))
    loadings = fit.loadings(np.eye(3))
    assert loadings is not None
    means = data.panel.sums(data.w * data.y) / data.panel.mass
    np.testing.assert_allclose(np.einsum("gkt,gt->k", loadings, means), fit.coef, rtol=1e-9)
    np.testing.assert_allclose(loadings.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(loadings.sum(axis=2), 0, atol=1e-12)


def test_loadings_stand_where_cohorts_are_cut_short_alike_and_nowhere_else() -> None:
    data = drawn(5)
    short = CohortPanel(
        data.y, np.where(data.treated, 0.0, data.w), data.cohort, data.panel.n_cohorts
    )  # untreated observations alone: every cohort ends at its start
    fit = regress(short, tables(data, -3, -2))
    loadings = fit.loadings(np.eye(2))
    assert loadings is not None and not short.is_plain and short.is_alike
    means = short.sums(short.weights * data.y) / np.where(short.mass > 0, short.mass, 1.0)
    np.testing.assert_allclose(np.einsum("gkt,gt->k", loadings, means), fit.coef, rtol=1e-9)
    for other in (drawn(5, gaps=0.2), drawn(5, weights="cell"), drawn(5, covariates=1)):
        assert regress(other.panel, tables(other)).loadings(np.eye(1)) is None


def test_a_column_that_the_effects_hold_is_named() -> None:
    data = drawn(6)
    columns = tables(data, -2, 0)
    twice = np.concatenate([columns, columns[:1] + columns[1:2]])
    assert lost_columns(data.panel, twice) == [2]
    with pytest.raises(EstimationError, match="regressor 2 is a combination"):
        regress(data.panel, twice)
    everyone = np.broadcast_to(data.periods == 5, (1, 4, 9)).astype(float)
    assert lost_columns(data.panel, everyone) == [0]


def test_covariates_that_do_not_move_are_lost() -> None:
    data = drawn(7, covariates=2)
    x = np.array([data.x[0], np.repeat(data.x[1][:, :1], 9, axis=1)])
    panel = CohortPanel(data.y, data.w, data.cohort, data.panel.n_cohorts, x)
    assert lost_columns(panel, tables(data)) == [2]


def test_where_a_covariate_and_a_column_say_the_same_the_last_column_gives_way() -> None:
    data = drawn(6)
    columns = tables(data, 1, 0, -2)
    clash = of_cells(data, columns[:1])[0] + of_cells(data, columns[2:])[0]
    panel = CohortPanel(data.y, data.w, data.cohort, data.panel.n_cohorts, clash[None])
    assert lost_columns(panel, columns) == [3]  # the covariate
    assert telling_columns(panel, columns) == [0, 1]
    assert telling_columns(data.panel, np.concatenate([columns, columns[:1]])) == [0, 1, 2]


def test_a_covariate_is_not_lost_for_its_level() -> None:
    data = drawn(7, covariates=1)
    high = CohortPanel(data.y, data.w, data.cohort, data.panel.n_cohorts, data.x * 1e-4 + 300)
    assert lost_columns(high, tables(data)) == []
    np.testing.assert_allclose(
        regress(high, tables(data)).slopes, 1e4 * regress(data.panel, tables(data)).slopes, rtol=1e-6
    )


def test_cr1_is_undefined_for_one_place_or_too_many_parameters() -> None:
    assert cr1_factor(10, 101, 21) == pytest.approx(10 / 9 * 100 / 80)
    assert np.isnan(cr1_factor(1, 100, 3)) and np.isnan(cr1_factor(10, 20, 20))


# -- an effect for every cohort in every period -------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_contrasts_of_levels_are_coefficients_of_cells(kind: dict) -> None:
    """Cohort by period dummies, the period before each start left out, never as the comparison."""
    data = drawn(8, **kind)
    cells = [(g, t) for g in range(3) for t in range(9) if data.since[g, t] != -1]
    columns = np.zeros((len(cells), 4, 9))
    for k, (g, t) in enumerate(cells):
        columns[k, g, t] = 1.0
    theirs = dense(data, of_cells(data, columns))
    ours = levels_of(data.panel)
    reference = [int(np.flatnonzero(data.since[g] == -1)[0]) for g in range(3)]
    contrasts = np.zeros_like(columns)
    for k, (g, t) in enumerate(cells):
        for cohort, sign in ((g, 1.0), (3, -1.0)):
            contrasts[k, cohort, t] += sign
            contrasts[k, cohort, reference[g]] -= sign
    found = np.einsum("kgt,gt->k", contrasts, ours.levels)
    np.testing.assert_allclose(found, theirs.coef[: len(cells)], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ours.residuals[data.w > 0], theirs.residuals, atol=1e-9)
    np.testing.assert_allclose(
        ours.influence(contrasts), theirs.scores(slice(len(cells))), rtol=1e-7, atol=1e-10
    )
    assert ours.n_parameters == theirs.rank - len(data.y) + 1


def test_periods_that_no_unit_joins_are_not_linked() -> None:
    w = np.array([[1.0, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]])
    panel = CohortPanel(np.zeros((3, 5)), w, np.zeros(3, dtype=int), 1)
    codes = linked_periods(panel.blocks[0])
    assert codes[0] == codes[1] != codes[2] == codes[3]
    assert codes[4] == -1  # seen once by a unit seen nowhere else


def test_what_is_within_units_and_cells_has_no_means_of_either() -> None:
    data = drawn(9, gaps=0.2, weights="cell")
    left = within(data.panel, data.y)
    np.testing.assert_allclose((data.w * left).sum(axis=1), 0, atol=1e-10)
    np.testing.assert_allclose(data.panel.sums(data.w * left), 0, atol=1e-10)
