r"""What every fit of a series can say, whichever way its errors hang together.

An effect is a contrast :math:`c'b` with variance :math:`c'Vc` and its own degrees of freedom
:math:`\nu_c`; its interval is :math:`c'b \pm t_{\nu_c} \sqrt{c'Vc}`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
from scipy.special import stdtr, stdtrit


class Procedure(Protocol):
    """What gives an interval for contrasts of the coefficients."""

    def below(self, contrasts: np.ndarray) -> np.ndarray:
        """Chance, on this procedure's distribution, that each contrast is below 0; shape (m,)."""

    def limits(self, contrasts: np.ndarray, level: float) -> np.ndarray:
        """Limits of each contrast, shape (m, 2)."""


class FittedSeries(Procedure, Protocol):
    """Coefficients of a series, how sure they are, and what is left over."""

    @property
    def coef(self) -> np.ndarray:
        """Shape (p,)."""

    @property
    def cov(self) -> np.ndarray:
        """Covariance of the coefficients as other programs give it; shape (p, p)."""

    @property
    def adjusted_cov(self) -> np.ndarray:
        """Covariance that the intervals use; shape (p, p)."""

    @property
    def rho(self) -> float:
        """Autocorrelation from one period to the next."""

    @property
    def sigma(self) -> float:
        """Standard deviation of one period's error."""

    @property
    def fitted(self) -> int:
        """How many autocorrelations were estimated."""

    @property
    def residuals(self) -> np.ndarray:
        """What the design does not reach, shape (n,)."""

    @property
    def route(self) -> str:
        """Key of the procedure in ``methods.its_ranges.ROUTES``."""

    def estimates(self, contrasts: np.ndarray) -> np.ndarray:
        """Each contrast, shape (m,)."""

    def std_errors(self, contrasts: np.ndarray) -> np.ndarray:
        """Standard error of each contrast, shape (m,)."""

    def dfs(self, contrasts: np.ndarray) -> np.ndarray:
        """Degrees of freedom of each contrast, shape (m,)."""

    def whitened(self, values: np.ndarray, used: np.ndarray) -> np.ndarray:
        """What is new in each period after what carried over, shape (n,) or (n, k); 0 where not used."""

    def account(self) -> dict[str, Any]:
        """How the errors were fitted, as plain values."""


class WithT(ABC):
    """Intervals from the t of each contrast: to be joined with ``coef``, ``adjusted_cov`` and ``dfs``."""

    coef: np.ndarray

    @property
    @abstractmethod
    def adjusted_cov(self) -> np.ndarray:
        """Covariance that the intervals use; shape (p, p)."""

    @abstractmethod
    def dfs(self, contrasts: np.ndarray) -> np.ndarray:
        """Degrees of freedom of each contrast, shape (m,)."""

    def estimates(self, contrasts: np.ndarray) -> np.ndarray:
        """Each contrast, shape (m,)."""
        return np.asarray(np.atleast_2d(contrasts) @ self.coef)

    def std_errors(self, contrasts: np.ndarray) -> np.ndarray:
        """Standard error of each contrast, shape (m,)."""
        return np.asarray(np.sqrt(np.maximum(quadratic(np.atleast_2d(contrasts), self.adjusted_cov), 0.0)))

    def below(self, contrasts: np.ndarray) -> np.ndarray:
        """Chance, on the t of each contrast, that it is below 0; shape (m,)."""
        estimate, error = self.estimates(contrasts), self.std_errors(contrasts)
        with np.errstate(divide="ignore", invalid="ignore"):
            chance = stdtr(self.dfs(contrasts), -estimate / error)
        return np.where(error > 0, chance, np.where(estimate < 0, 1.0, np.where(estimate > 0, 0.0, 0.5)))

    def limits(self, contrasts: np.ndarray, level: float) -> np.ndarray:
        """Limits from the t of each contrast, shape (m, 2)."""
        half = stdtrit(self.dfs(contrasts), (1 + level) / 2) * self.std_errors(contrasts)
        estimate = self.estimates(contrasts)
        return np.column_stack([estimate - half, estimate + half])


def quadratic(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """``r' M r`` of each row, shape (m,)."""
    return np.asarray(((rows @ matrix) * rows).sum(axis=1))
