r"""Stationary ARMA errors: their parameters, their autocovariances, and what is new in each period.

.. math:: u_t = \sum_{i=1}^p \phi_i u_{t-i} + \epsilon_t + \sum_{j=1}^q \theta_j \epsilon_{t-j},
   \qquad \mathrm{var}\,\epsilon_t = 1

**Parameters.** Partial autocorrelations :math:`r_1, \ldots, r_p`, each between -1 and 1, give every
stationary :math:`\phi` by the Durbin-Levinson recursion [1]_; in the same way, with the sign turned,
every invertible :math:`\theta`.

**Whitening** [2]_. With :math:`m = \max(p, q)`, the transform that leaves :math:`u_1, \ldots, u_m` alone
and takes :math:`u_t - \sum_i \phi_i u_{t-i}` from there on has determinant 1, and the covariance of
what it gives is a band of width :math:`m`:

.. math:: \gamma_{|t-s|} \;\; (t, s \le m), \qquad
   \sum_{j \ge s-t} \theta_j \psi_{j-(s-t)} \;\; (t \le m < s), \qquad
   \sum_j \theta_j \theta_{j+|t-s|} \;\; (t, s > m)

Its Cholesky factor gives the exact likelihood in one pass over the series.

References
----------
.. [1] Monahan, J. F. (1984). A note on enforcing stationarity in autoregressive-moving average models.
   *Biometrika* 71(2), 403-404.
.. [2] Ansley, C. F. (1979). An algorithm for the exact likelihood of a mixed autoregressive-moving
   average process. *Biometrika* 66(1), 59-65.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky_banded
from scipy.linalg.lapack import dtbtrs


def from_partial(partial: np.ndarray) -> np.ndarray:
    """Autoregressive coefficients of partial autocorrelations, by the Durbin-Levinson recursion."""
    phi = np.empty(0)
    for r in partial:
        phi = np.append(phi - r * phi[::-1], r)
    return phi


@dataclass(frozen=True, eq=False)
class ArmaErrors:
    """An ARMA process with innovations of variance 1.

    Attributes
    ----------
    phi : array (p,)
    theta : array (q,)
    """

    phi: np.ndarray
    theta: np.ndarray

    @classmethod
    def of_partial(cls, partial: np.ndarray, p: int) -> ArmaErrors:
        """From ``p`` partial autocorrelations of the autoregression, then those of the moving average."""
        return cls(from_partial(partial[:p]), -from_partial(partial[p:]))

    @property
    def span(self) -> int:
        """Periods that the process looks back on, 1 at least."""
        return max(len(self.phi), len(self.theta), 1)

    def _psi(self, count: int) -> np.ndarray:
        """How an innovation lives on: psi_0, ..., psi_count."""
        psi = np.zeros(count + 1)
        psi[0] = 1.0
        for k in range(1, count + 1):
            psi[k] = self.theta[k - 1] if k <= len(self.theta) else 0.0
            for i, phi in enumerate(self.phi[:k], start=1):
                psi[k] += phi * psi[k - i]
        return psi

    def _shared(self) -> np.ndarray:
        """Sum over j of theta_j psi_{j-k}, for k = 0, ..., span: what u_t shares with w_{t+k}."""
        moving = np.concatenate([[1.0], self.theta])
        psi, out = self._psi(len(self.theta)), np.zeros(self.span + 1)
        for k in range(len(moving)):
            out[k] = moving[k:] @ psi[: len(moving) - k]
        return out

    def autocovariances(self, count: int) -> np.ndarray:
        """gamma_0, ..., gamma_{count - 1}."""
        p, shared = len(self.phi), self._shared()
        system = np.eye(p + 1)
        for k in range(p + 1):
            for i, phi in enumerate(self.phi, start=1):
                system[k, abs(k - i)] -= phi
        start = np.linalg.solve(system, np.append(shared, np.zeros(p + 1))[: p + 1])
        out = np.zeros(max(count, p + 1))
        out[: p + 1] = start
        for k in range(p + 1, len(out)):
            back = self.phi @ out[k - 1 : k - 1 - p : -1] if k > p else 0.0
            out[k] = back + (shared[k] if k < len(shared) else 0.0)
        return out[:count]

    def factor(self, n: int) -> np.ndarray:
        """Lower Cholesky factor of the filtered covariance as a band, shape (span + 1, n)."""
        m, shared = self.span, self._shared()
        moving = np.concatenate([[1.0], self.theta])
        gamma = self.autocovariances(m)
        band = np.zeros((m + 1, n))
        for k in range(m + 1):
            late = moving[k:] @ moving[: len(moving) - k] if k < len(moving) else 0.0
            band[k, :] = late
            early = min(m, n)
            for t in range(early):
                band[k, t] = gamma[k] if t + k < m else shared[k]
            band[k, n - k :] = 0.0
        return np.asarray(cholesky_banded(band, lower=True, check_finite=False))

    def filtered(self, rows: np.ndarray) -> np.ndarray:
        """Rows of shape (n, k), from period ``span`` on less what the autoregression carries over."""
        out, m, n = np.array(rows, dtype=float), self.span, len(rows)
        for i, phi in enumerate(self.phi, start=1):
            out[m:] -= phi * rows[m - i : n - i]
        return out

    def whitened(self, rows: np.ndarray) -> tuple[np.ndarray, float]:
        """Rows of shape (n, k) made independent with variance 1, and log|V| of the whole."""
        factor = self.factor(len(rows))
        solved, info = dtbtrs(factor, self.filtered(rows), uplo="L")
        if info:
            raise np.linalg.LinAlgError("the errors have no density")
        return np.asarray(solved), float(2 * np.log(factor[0]).sum())
