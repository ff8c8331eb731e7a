r"""Whether draws of a Markov chain have settled, and how many independent draws they are worth.

Split :math:`\hat R` holds the two halves of a chain of :math:`2m` draws against one another [1]_:

.. math:: \hat R = \sqrt{\frac{(m - 1) W / m + B / m}{W}}

with :math:`B/m` the variance of the two means and :math:`W` the mean of the two variances: near 1 once the
chain has forgotten its start. With autocorrelations :math:`\rho_k` the effective sample size is

.. math:: m_{\text{eff}} = \frac{2m}{-1 + 2\sum_{k \ge 0} P_k}, \qquad P_k = \rho_{2k} + \rho_{2k+1}

summed while :math:`P_k` is positive, each kept at or under the one before it [2]_.

References
----------
.. [1] Gelman, A. et al. (2013). *Bayesian Data Analysis*, 3rd ed., section 11.4.
.. [2] Geyer, C. J. (1992). Practical Markov chain Monte Carlo. *Statistical Science* 7(4), 473-483.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Convergence:
    """How a chain of draws of one quantity behaves."""

    r_hat: float
    effective: float

    @classmethod
    def of(cls, draws: np.ndarray) -> Convergence:
        """Of draws of shape (m,), in the order in which they were made; at least 4."""
        return cls(split_r_hat(draws), effective_size(draws))


def split_r_hat(draws: np.ndarray) -> float:
    """Split R-hat of draws of shape (m,)."""
    half = len(draws) // 2
    halves = np.stack([draws[:half], draws[-half:]])
    within = float(halves.var(axis=1, ddof=1).mean())
    between = float(halves.mean(axis=1).var(ddof=1))
    return float(np.sqrt((half - 1) / half + between / within)) if within > 0 else 1.0


def effective_size(draws: np.ndarray) -> float:
    """Independent draws that would fix the mean as well as these of shape (m,); at most m."""
    m = len(draws)
    about = draws - draws.mean()
    transform = np.fft.rfft(about, 2 * m)
    covariance = np.fft.irfft(transform * transform.conj(), 2 * m)[:m]
    if covariance[0] <= 0:
        return float(m)
    rho = covariance / covariance[0]
    pairs = rho[0 : 2 * (m // 2) : 2] + rho[1 : 2 * (m // 2) : 2]
    ends = np.flatnonzero(pairs <= 0)
    falling = np.minimum.accumulate(pairs[: ends[0]] if len(ends) else pairs)
    return float(min(m, m / max(2 * falling.sum() - 1, 1e-12)))
