r"""Several series fitted together: one regression, one autocorrelation, errors that do not cross.

.. math:: y_{gt} = x_{gt}'\beta + u_{gt}, \qquad u_{gt} = \rho u_{g,t-1} + \epsilon_{gt}, \qquad
   \mathrm{cov}(u_{gt}, u_{hs}) = 0 \text{ for } g \ne h

All of :mod:`ucimpact.inference.timeseries` holds with block-diagonal :math:`D_k` and, for :math:`m` series
and :math:`n` points in all,

.. math:: f(\rho) = (n-p)\log s - m\log(1-\rho^2) + \log|N| .

It is the generalised least squares of a pilot and its control in one regression [1]_. Two series of one
region share shocks. The blocks know nothing of that: where the shared part is large the interval of the
difference between them is too wide, and the difference series itself is the better thing to fit.

References
----------
.. [1] Linden, A. (2015). Conducting interrupted time-series analysis for single- and multiple-group
   comparisons. *Stata Journal* 15(2), 480-500.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ucimpact.inference.timeseries import Ar1Fit, Slopes, Statistics, precision_moves, reml


@dataclass(frozen=True, kw_only=True, eq=False)
class Stacked(Statistics):
    """The products with D0, D1 and D2 of series that lie one after the other.

    Attributes
    ----------
    lengths : tuple of int
        Points of each series, adding up to n.
    """

    lengths: tuple[int, ...]

    @classmethod
    def of_series(cls, y: np.ndarray, x: np.ndarray, lengths: Sequence[int]) -> Stacked:
        """The statistics of ``y`` (n,) and ``x`` (n, p), series after series, each in time order."""
        if sum(lengths) != len(y) or min(lengths) < 2:
            raise ValueError("the lengths are those of the series: two points or more each, n in all")
        whole = Statistics.of(y, x)
        both = np.column_stack([whole.basis, y - whole.basis @ whole.least_squares])
        products = np.zeros((3, both.shape[1], both.shape[1]))
        for part in _parts(both, lengths):
            products[0] += part.T @ part
            products[1] += part[1:].T @ part[:-1] + part[:-1].T @ part[1:]
            products[2] += part[1:-1].T @ part[1:-1]
        return cls(
            y=y,
            x=x,
            from_basis=whole.from_basis,
            least_squares=whole.least_squares,
            basis=whole.basis,
            xx=products[:, :-1, :-1],
            xe=products[:, :-1, -1],
            ee=products[:, -1, -1],
            lengths=tuple(lengths),
        )

    @property
    def _more(self) -> int:
        """Series beyond the first, which the deviance of one series does not count."""
        return len(self.lengths) - 1

    def kackar_harville(self, rho: float, inverse: np.ndarray) -> np.ndarray:
        """What estimating rho adds to the variance, over twice its own and sigma squared; shape (p, p)."""
        moves = [precision_moves(part, rho) for part in _parts(self.basis, self.lengths)]
        p, q = sum(first for first, _ in moves), sum(second for _, second in moves)
        phi = (1 - rho**2) * inverse
        return np.asarray(phi @ (q - p @ phi @ p) @ phi)

    def at(self, rhos: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Deviance, coefficients, N inverse and s at each rho: shapes (k,), (k, p), (k, p, p), (k,)."""
        deviance, coef, inverse, squares = super().at(rhos)
        return deviance - self._more * np.log1p(-(rhos**2)), coef, inverse, squares

    def slopes(self, rho: float) -> Slopes:
        """The deviance at one rho, with its first two derivatives and what they are made of."""
        found, rest = super().slopes(rho), 1 - rho**2
        return replace(
            found,
            first=found.first + self._more * 2 * rho / rest,
            second=found.second + self._more * (2 / rest + 4 * rho**2 / rest**2),
        )


def stacked_reml(y: np.ndarray, x: np.ndarray, lengths: Sequence[int]) -> Ar1Fit:
    """Series with one regression and one rho, by REML; ``lengths`` in the order in which they lie.

    Raises
    ------
    EstimationError
        For no more points than terms.
    """
    return reml(Stacked.of_series(y, x, lengths))


def _parts(rows: np.ndarray, lengths: Sequence[int]) -> list[np.ndarray]:
    return np.split(rows, np.cumsum(lengths)[:-1])
