r"""A path of effects: bands that hold together, and whether two groups moved alike before.

**Simultaneous bands.** With R the correlation of the effects over places (pooled within groups: with few
pilot places, that of the comparison places' own paths), the largest of :math:`|Z_1|, \dots, |Z_K|`, Z ~
N(0, R), stays below its quantile :math:`q` at the level asked. Each band takes the quantile of its own t
at the level that :math:`q` has for one normal variable, so that a path of one effect has its ordinary
interval (sup-t; Montiel Olea and Plagborg-Moller 2019, *J. Applied Econometrics* 34(1)).

**Joint test before the pilot.** Each place's path is summed up by its first few orthogonal polynomials
in time (slope, bend, S-bend), one number a place each, and the two groups' mean vectors :math:`b` are
compared by Hotelling's T squared, with places as the only unit of replication. For groups of one
covariance matrix, spread pooled,

.. math:: T^2 = b'V^{-1}b, \qquad \frac{N - 1 - q}{q (N-2)}\, T^2 \sim F(q, N - 1 - q)

exactly for normal contrasts, whatever the serial correlation and even with one pilot place. With six or
more in each group the covariances are not taken to be equal: V is the sum of the two, with the degrees
of freedom of Krishnamoorthy and Yu (2004, *Statistics & Probability Letters* 66(2)). A chi-square from a
cluster-robust variance is never used: it finds drifts that are not there when clusters are few."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import fdtrc, ndtr

from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.two_groups import ALL_ALIKE, Inferred, critical

Array = np.ndarray
SHAPES = 3
"""At most so many polynomials: slope, bend, S-bend."""
MANY = 1e9
"""Degrees of freedom of a normal variable."""


def simultaneous_critical(correlation: Array, df: Array, level: float, *, draws: int, seed: int) -> Array:
    """Factors for bands that all hold at once with probability ``level``, shape (n_effects,)."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    largest = np.abs(_normals(draws, len(df), seed) @ root.T).max(axis=1)
    quantile = np.quantile(largest, level)
    joint = 1 - 2 * (1 - float(ndtr(quantile)))
    return np.asarray(np.fmax(critical(joint, df), critical(level, df)))


@lru_cache(maxsize=8)
def _normals(draws: int, width: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal((draws, width))


def polynomials(periods: Array, number: int) -> Array:
    """Orthonormal polynomials of degree 1 to ``number`` in ``periods``, shape (number, n_periods)."""
    t = (periods - periods.mean()) / max(float(np.ptp(periods)), 1.0)
    powers = np.vander(t, number + 1, increasing=True)
    basis, triangle = np.linalg.qr(powers)
    return np.asarray((basis * np.sign(np.diag(triangle)))[:, 1:].T)


@dataclass(frozen=True)
class JointTest:
    """A statistic with an F distribution under no difference."""

    statistic: float
    df_num: float
    df_den: float
    p_value: float


def enough_shapes(places: int, periods: int) -> int:
    """How many polynomials this many places and periods can bear, three degrees of freedom left over."""
    return max(0, min(SHAPES, periods - 1, places - 4))


def hotelling(contrasts: Contrasts, spread: Array, *, pooled: bool) -> JointTest | None:
    """Joint test that all effects are 0; None where the spread is nothing or too few places remain.

    Parameters
    ----------
    contrasts : Contrasts
        One effect a polynomial.
    spread : array (n_places,)
        Relative variances.
    pooled : bool
        Whether the groups share a covariance matrix.
    """
    groups = (contrasts.pilot, ~contrasts.pilot)
    q, n = len(contrasts.values), len(contrasts.pilot)
    residuals = np.where(contrasts.heard, contrasts.residuals(spread) / np.sqrt(spread), 0.0)
    means, squared = [], []
    for group in groups:  # the mean that its own residuals are independent of
        w = contrasts.heard[:, group] / spread[group]
        means.append((w * contrasts.values[:, group]).sum(axis=1) / w.sum(axis=1))
        squared.append(1 / w.sum(axis=1).min())
    b = means[0] - means[1]
    inner = [residuals[:, group] @ residuals[:, group].T for group in groups]
    if pooled:
        df = n - 2.0
        variance = (inner[0] + inner[1]) / df * (squared[0] + squared[1])
    else:
        number = [int(group.sum()) for group in groups]
        parts = [inner[k] / (number[k] - 1) * squared[k] for k in (0, 1)]
        variance = parts[0] + parts[1]
    scale = np.sqrt(np.diag(variance))
    if (
        not np.all(scale > ALL_ALIKE * contrasts.scale)
        or np.linalg.cond(variance / np.outer(scale, scale)) > 1e10
    ):
        return None
    if not pooled:
        ratio = [part @ np.linalg.inv(variance) for part in parts]
        df = (q + q**2) / sum(
            (np.trace(r @ r) + np.trace(r) ** 2) / (m - 1) for r, m in zip(ratio, number, strict=True)
        )
    t2 = float(b @ np.linalg.solve(variance, b))
    df_den = float(df - q + 1)
    if df_den <= 0:
        return None
    statistic = t2 * df_den / (q * df)
    return JointTest(float(statistic), float(q), df_den, float(fdtrc(q, df_den, statistic)))


def joint_f(found: Inferred, correlation: Array) -> JointTest | None:
    """Hotelling's F from the effects' own standard errors and degrees of freedom and their correlation.

    The smallest degrees of freedom are taken; None where the spread is nothing or too few are left.
    """
    q = len(found.estimate)
    if not np.all(np.isfinite(found.std_error)) or np.linalg.cond(correlation) > 1e10:
        return None
    t = found.estimate / found.std_error
    t2 = float(t @ np.linalg.solve(correlation, t))
    df = float(np.where(np.isfinite(found.df), found.df, MANY).min())
    df_den = float(df - q + 1)
    if df_den <= 0:
        return None
    statistic = t2 * df_den / (q * df)
    return JointTest(float(statistic), float(q), df_den, float(fdtrc(q, df_den, statistic)))
