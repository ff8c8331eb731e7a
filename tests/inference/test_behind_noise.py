"""An AR(1) behind noise against the matrix written out."""

import numpy as np
import pytest

from tests.ar1_series import correlation
from ucimpact.inference.behind_noise import behind_noise


def test_every_cell_is_the_inverse_of_its_matrix():
    rows = np.random.default_rng(2).standard_normal((30, 4))
    rhos, shares = np.array([-0.4, 0.0, 0.9]), np.array([0.2, 1.0])
    cells = iter(behind_noise(rows, rhos, shares))
    for rho in rhos:
        for share in shares:
            products, log_size = next(cells)
            v = (1 - share) * np.eye(30) + share * correlation(30, rho)
            np.testing.assert_allclose(products, rows.T @ np.linalg.solve(v, rows), rtol=1e-9)
            assert log_size == pytest.approx(np.linalg.slogdet(v)[1], rel=1e-9)
    assert next(cells, None) is None
