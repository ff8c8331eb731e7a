r"""How far the furthest of several standard normals goes: the critical value of all at once.

.. math:: P(\max_j |\xi_j| \le c) = p, \qquad \xi \sim N(0, R)

Where one common cause makes all correlations, :math:`R_{ij} = a_i a_j`, as with an equal correlation or one
comparison arm for all,

.. math:: P(\max_j |\xi_j| \le c) = \int \phi(f)\, df \prod_j \Big[
   \Phi\Big(\frac{c - a_j f}{\sqrt{1 - a_j^2}}\Big) - \Phi\Big(\frac{-c - a_j f}{\sqrt{1 - a_j^2}}\Big)\Big],

one integral, done by Gauss and Legendre in panels; otherwise by simulation from a fixed seed.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from ucimpact.inference.joint import normals

Array = np.ndarray

REACH = 9.0
"""Where the common cause is taken to end: 2e-19 of a normal lies beyond."""

PANELS, NODES = 30, 12
STEEP = 0.2
"""Standard deviation of what an estimate has of its own, in its whole, under which panels are narrowed."""

ALIKE = 1e-9
"""How near correlations have to come to those of one common cause."""

DRAWS, CELLS = 200_000, 20_000_000
MARGIN = 1e-6
"""What rounding may move the value for one, and for K without anything in common, between which c lies."""


def widest(cov: Array, chance: float, seed: int = 1) -> float:
    """The c that all of K standardised normals stay within with ``chance``; ``cov`` (K, K) is checked."""
    std_error = np.sqrt(np.diag(cov))
    correlation = cov / std_error / std_error[:, None]
    k = len(cov)
    loadings = common_cause(correlation)
    if loadings is None:
        draws = max(CELLS // k, 1000) if k * DRAWS > CELLS else DRAWS
        furthest = np.abs(normals(correlation, draws, seed)).max(axis=1)
        return float(np.quantile(furthest, chance))
    values, counts = np.unique(np.round(np.abs(loadings), 12), return_counts=True)
    low, high = float(ndtri((1 + chance) / 2)), float(ndtri(1 - (1 - chance) / (2 * k)))
    if k == 1 or values[0] == 1:
        return low  # all move as one
    if values[-1] == 0:
        return float(ndtri((1 + chance ** (1 / k)) / 2))
    return float(
        brentq(lambda c: _within(c, values, counts) - chance, low - MARGIN, high + MARGIN, xtol=1e-12)
    )


def common_cause(correlation: Array) -> Array | None:
    """The a of ``R_ij = a_i a_j``, shape (K,); ``None`` where correlations have no such form."""
    k = len(correlation)
    apart = correlation - np.diag(np.diag(correlation))
    if not np.any(np.abs(apart) > ALIKE):
        return np.zeros(k)
    i, j = np.unravel_index(int(np.argmax(np.abs(apart))), apart.shape)
    if k == 2:
        return np.asarray(np.sqrt(np.abs(apart[i, j])) * np.array([1.0, np.sign(apart[i, j])]))
    third = np.minimum(np.abs(apart[i]), np.abs(apart[j]))
    third[[i, j]] = 0.0
    h = int(np.argmax(third))
    if third[h] <= ALIKE:  # i and j have more in common than with anyone: two alone may be of one cause
        own = np.sqrt(np.abs(apart[i, j]))
        loadings = np.zeros(k)
        loadings[i], loadings[j] = own, np.sign(apart[i, j]) * own
    else:
        square = apart[i, j] * apart[i, h] / apart[j, h]
        if not 0 < square <= 1 + ALIKE:
            return None
        loadings = apart[i] / np.sqrt(square)
        loadings[i] = np.sqrt(square)
    made = np.outer(loadings, loadings)
    np.fill_diagonal(made, 0.0)
    fits = np.abs(made - apart).max() <= ALIKE and np.abs(loadings).max() <= 1 + ALIKE
    return np.clip(loadings, -1.0, 1.0) if fits else None


def _within(c: float, loadings: Array, counts: Array) -> float:
    """Chance that all stay within c, ``counts`` of them with each of ``loadings`` of 0 or more."""
    whole = loadings >= 1 - ALIKE
    a, number = loadings[~whole], counts[~whole]
    own = np.sqrt(1 - a**2)
    nodes, weights = _panels(c if whole.any() else REACH, c, own[own < STEEP])
    moved = a * nodes[:, None]
    inside = ndtr((c - moved) / own) - ndtr((-c - moved) / own)
    return float(weights @ np.prod(inside**number, axis=1))


@lru_cache(maxsize=1)
def _legendre() -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(NODES)


def _panels(reach: float, c: float, own: Array) -> tuple[Array, Array]:
    """Nodes between -reach and reach, and their weights times the normal density.

    Where little of an estimate is its ``own``, the chance that it stays within c falls steeply at c: there
    the panels are as narrow as the fall.
    """
    steps = c + np.outer(own, np.arange(-8, 9)).ravel()
    edges = np.concatenate([np.linspace(-reach, reach, PANELS + 1), steps, -steps])
    edges = np.unique(np.clip(edges, -reach, reach))
    half = np.diff(edges)[:, None] / 2
    x, w = _legendre()
    nodes = (edges[:-1, None] + half * (1 + x)).ravel()
    weights = (half * w).ravel() * np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi)
    return nodes, weights
