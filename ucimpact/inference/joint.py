r"""Several estimates and how they vary together: what is asked of them, and covariances made from less.

Estimates :math:`y` of K effects have sampling covariance :math:`\Sigma`. Where each was worked out by
itself, :math:`\Sigma` follows from the standard errors and what the evaluations share:

.. math:: \Sigma_{jk} = \rho\, s_j s_k, \qquad\text{or}\qquad
   \Sigma_{jk} = \sqrt{a_j a_k} \text{ within a pool of comparison people or places}

with :math:`a_j \le s_j^2` the sampling variance of the comparison arm on the scale of :math:`y` (one pool,
one window: all :math:`a_j` are equal). Leaving out what is shared treats the noise of the common arm as
news from each pilot.

A standard error on few degrees of freedom is widened to the one that gives the same interval with a
normal (:func:`inflate`):

.. math:: s^{*} = s \; t_{(1 + level)/2,\,\nu} \,/\, z_{(1 + level)/2}
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtrit

from ucimpact.errors import EstimationError

Array = np.ndarray

NEGATIVE = 1e-8
"""How far below 0 rounding may carry the least eigenvalue of the correlations."""

LOPSIDED = 1e-8
"""How far, in standard deviations, the two triangles of a covariance may differ."""

FURTHEST = 1e6
"""Ratio of standard errors beyond which a unit is mistaken, and arithmetic no longer exact."""

SHOWN = 5
"""Pilots named in one fault."""


def checked(y: Array, cov: Array) -> tuple[Array, Array]:
    """Estimates (K,) and their covariance (K, K), fit to be worked with.

    A covariance may be singular (estimates that move as one), never one that no estimates can have.

    Raises
    ------
    EstimationError
        With everything that is wrong, in ``parts``.
    """
    y, cov = np.asarray(y, dtype=float), np.asarray(cov, dtype=float)
    if y.ndim != 1 or len(y) == 0:
        raise EstimationError(f"estimates are a row of numbers, one a pilot; these have the shape {y.shape}")
    if cov.shape != (len(y), len(y)):
        raise EstimationError(
            f"{len(y)} estimates need a covariance of {len(y)} by {len(y)}; this one has the shape "
            f"{cov.shape}. Variances alone become one by numpy.diag"
        )
    faults = []
    if not np.isfinite(y).all():
        faults.append(f"no number for {_which(~np.isfinite(y))}: leave it out")
    if not np.isfinite(cov).all():
        faults.append("the covariance has cells without a number: leave out the pilots without one")
    variance = np.diag(cov)
    if (variance <= 0).any():
        faults.append(
            f"a variance that is not above 0 for {_which(variance <= 0)}: no estimate is without error; "
            "give its standard error, or leave it out"
        )
    if not faults:
        faults = _unlikely(cov)
    if faults:
        raise EstimationError("; ".join(faults), parts=faults)
    return y, (cov + cov.T) / 2


def _unlikely(cov: Array) -> list[str]:
    """What no covariance of estimates with positive variances can be."""
    std_error = np.sqrt(np.diag(cov))
    if std_error.max() > FURTHEST * std_error.min():
        return [
            f"standard errors run from {std_error.min():.3g} to {std_error.max():.3g}, more than "
            f"{FURTHEST:,.0f} times as far: put all estimates on one scale"
        ]
    correlation = cov / std_error / std_error[:, None]
    if np.abs(correlation - correlation.T).max() > LOPSIDED:
        return ["the covariance is not the same above and below its diagonal"]
    if not np.any(correlation - np.diag(np.diag(correlation))):
        return []
    least = float(np.linalg.eigvalsh((correlation + correlation.T) / 2)[0])
    if least < -NEGATIVE:
        return [
            "no estimates vary together like this: the least eigenvalue of their correlations is "
            f"{least:.3g}, below 0. Take all covariances from one calculation, or put them together by "
            "equal_correlation() or shared_arm()"
        ]
    return []


def spectrum(cov: Array) -> tuple[Array, Array]:
    """Eigenvalues, none below 0, and eigenvectors (columns) of a checked covariance."""
    values, vectors = np.linalg.eigh(cov)
    return np.maximum(values, 0.0), vectors


def normals(cov: Array, n: int, seed: int) -> Array:
    """Draws (n, K) of a normal with mean 0 and a checked covariance, singular or not."""
    values, vectors = spectrum(cov)
    return np.asarray(
        np.random.default_rng(seed).standard_normal((n, len(cov))) @ (vectors * np.sqrt(values)).T
    )


def inflate(std_error: Array | float, df: Array | float, level: float = 0.95) -> Array:
    """Standard errors that give, with a normal, the interval that the t gives; infinite df change nothing.

    Parameters
    ----------
    std_error, df : array or float
        Above 0; ``df`` may be infinite.
    level : float
        The interval at which both agree.
    """
    std_error, df = np.asarray(std_error, dtype=float), np.asarray(df, dtype=float)
    proper(level)
    if not ((std_error > 0) & np.isfinite(std_error)).all():
        raise EstimationError("every standard error has to be a number above 0")
    if not (df > 0).all():
        raise EstimationError("degrees of freedom have to be above 0; write infinity where a normal was used")
    tail = (1 + level) / 2
    finite = np.isfinite(df)
    quantile = np.where(finite, stdtrit(np.where(finite, df, 1.0), tail), ndtri(tail))
    return np.asarray(std_error * quantile / ndtri(tail))


def equal_correlation(std_error: Array, rho: float) -> Array:
    """Covariance (K, K) of estimates that all have correlation ``rho`` with one another."""
    std_error = np.asarray(std_error, dtype=float)
    k = len(std_error)
    least = -1 / (k - 1) if k > 1 else -1.0
    if not least <= rho <= 1:
        raise ValueError(f"{k} estimates can have an equal correlation from {least:.3g} to 1; {rho} is none")
    cov = rho * np.outer(std_error, std_error)
    np.fill_diagonal(cov, std_error**2)
    return cov


def shared_arm(std_error: Array, arm_variance: Array | float, pool: Array | None = None) -> Array:
    """Covariance (K, K) of estimates with comparison arms in common.

    Parameters
    ----------
    std_error : array (K,)
        Of the whole estimates.
    arm_variance : float or array (K,)
        Sampling variance of the comparison arm, on the scale of the estimates; no more than the whole.
    pool : array (K,), optional
        Which arm each estimate was held against, by any names; all against one if left out.
    """
    std_error = np.asarray(std_error, dtype=float)
    arm = np.broadcast_to(np.asarray(arm_variance, dtype=float), std_error.shape)
    wrong = ~((arm >= 0) & (arm <= std_error**2 * (1 + 1e-9)))
    if wrong.any():
        raise EstimationError(
            f"the comparison arm has more variance than the whole estimate, or none that is a number, for "
            f"{_which(wrong)}: give both on the same scale"
        )
    cov = np.sqrt(np.outer(arm, arm))
    if pool is not None:
        pool = np.asarray(pool)
        if pool.shape != std_error.shape:
            raise ValueError(
                f"{len(std_error)} estimates need as many names of pools; there are {pool.shape}"
            )
        cov = np.where(pool[:, None] == pool, cov, 0.0)
    np.fill_diagonal(cov, std_error**2)
    return cov


def proper(level: float) -> None:
    """Refuse a coverage that is none."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1; {level} does not")


def _which(faulty: Array) -> str:
    """Places in the row, from 1, as a person counts."""
    places = [str(place + 1) for place in np.flatnonzero(faulty)]
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return f"pilot{'s' if len(places) > 1 else ''} {', '.join(places[:SHOWN])}{more} in the row"
