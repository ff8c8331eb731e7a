r"""The multiplier bootstrap: how far effects move when each place's influence gets a random sign.

With :math:`\psi_p` the influence of place p on K effects (the variance being the sum of its squares) and
:math:`V_{pb}` independent with mean 0 and variance 1,

.. math:: R_b = \sum_p V_{pb}\,\psi_p, \qquad
          \hat\sigma_k = \frac{q_{0.75}(R_{\cdot k}) - q_{0.25}(R_{\cdot k})}{z_{0.75} - z_{0.25}}, \qquad
          c = q_{1-\alpha}\Bigl(\max_k \frac{|R_{bk}|}{\hat\sigma_k}\Bigr) .

:math:`\hat\theta_k \pm c\,\hat\sigma_k` covers all K effects together (algorithm 1 of [1]_).
Signs are those of Rademacher (1 or -1) or Mammen's two points, whose third moment is 1. Nothing is estimated
again, so that 999 draws cost one product of matrices; it is made in blocks of places, each with its own
signs, and the result does not depend on their size.

References
----------
.. [1] Callaway, B. and Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
   *Journal of Econometrics* 225(2), 200-230.
.. [2] Mammen, E. (1993). Bootstrap and wild bootstrap for high dimensional linear models. *Annals of
   Statistics* 21(1), 255-285.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from scipy.special import ndtri

Array = np.ndarray
Signs = Literal["rademacher", "mammen"]
BLOCK = 2_048
"""Places worked on at a time: 999 draws of them take 8 MB."""
ROOT5 = float(np.sqrt(5.0))


@dataclass(frozen=True)
class Multiplied:
    """Draws of the error of each effect.

    Attributes
    ----------
    drawn : array (n_draws, n_effects)
    """

    drawn: Array

    @cached_property
    def std_error(self) -> Array:
        """From the distance between quartiles, shape (n_effects,)."""
        low, high = np.quantile(self.drawn, [0.25, 0.75], axis=0)
        return np.asarray((high - low) / (ndtri(0.75) - ndtri(0.25)))

    def critical(self, level: float, which: Array | None = None) -> float:
        """Factor of the standard errors at which the intervals hold together; ``nan`` without any effect.

        Parameters
        ----------
        level : float
        which : array of indices, optional
            Effects that are to hold together; all without. One without spread is left out.
        """
        which = np.arange(self.drawn.shape[1]) if which is None else np.asarray(which)
        which = which[self.std_error[which] > 0]
        if not len(which):
            return float("nan")
        largest = (np.abs(self.drawn[:, which]) / self.std_error[which]).max(axis=1)
        return float(np.quantile(largest, level))


def multiplied(influence: Array, draws: int = 999, seed: int = 1, signs: Signs = "rademacher") -> Multiplied:
    """Draw the errors of effects.

    Parameters
    ----------
    influence : array (n_places, n_effects)
        One row an independent place; the variance is the sum of squares.
    draws : int
    seed : int
    signs : {"rademacher", "mammen"}
    """
    return Multiplied(flips(np.random.default_rng(seed), influence, draws, signs))


def flips(generator: np.random.Generator, values: Array, draws: int, signs: Signs) -> Array:
    """Sums of the rows of ``values`` (n, k) with random signs, shape (n_draws, k)."""
    size = np.sqrt((values**2).sum(axis=0))
    size = np.where(size > 0, size, 1.0)
    out = np.zeros((draws, values.shape[1]))
    low, step = (-1.0, 2.0) if signs == "rademacher" else ((1 - ROOT5) / 2, ROOT5)
    for start in range(0, len(values), BLOCK):
        part = values[start : start + BLOCK] / size
        coins = _coins(generator, len(part), draws, signs)
        out += low * part.sum(axis=0)
        out += step * (coins.T @ part.astype(np.float32))
    return np.asarray(out * size)


def _coins(generator: np.random.Generator, places: int, draws: int, signs: Signs) -> Array:
    """0 or 1 for each place and draw, place by place."""
    if signs == "rademacher":
        bits = generator.integers(0, 256, size=(places, -(-draws // 8)), dtype=np.uint8)
        return np.asarray(np.unpackbits(bits, axis=1, count=draws), dtype=np.float32)
    chance = (ROOT5 - 1) / (2 * ROOT5)
    return (generator.random((places, draws)) < chance).astype(np.float32)


@dataclass(frozen=True)
class Bands:
    """Errors of all effects, and the factor at which some of them hold together."""

    std_error: Array
    critical: float


class Drawable(Protocol):
    """Influence that can draw its own errors."""

    def multiplied(self, draws: int, seed: int) -> Multiplied:
        """The multiplier bootstrap."""
        ...


def multiplier_bands(
    influence: Array | Drawable, together: Array, draws: int, seed: int, level: float
) -> Bands:
    """Errors (n_effects,) by the bootstrap, and the factor over the effects ``together`` (indices)."""
    if isinstance(influence, np.ndarray):
        found = multiplied(influence, draws, seed)
    else:
        found = influence.multiplied(draws, seed)
    return Bands(found.std_error, found.critical(level, together))
