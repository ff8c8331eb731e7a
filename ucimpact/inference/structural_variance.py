r"""The prior of a variance of the structural model, and its draws.

.. math:: 1/\sigma^2 \sim \text{Gamma}(\nu/2,\; \nu g^2/2), \qquad \sigma < u

as if :math:`\nu` earlier deviations with root mean square :math:`g` had been seen. Given :math:`k`
deviations with sum of squares :math:`S` the posterior is the same with :math:`\nu + k` and
:math:`\nu g^2 + S`, cut off at :math:`u` alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc, gammainccinv

FAR = 0.25
"""Share of a gamma's mean under which its tail is nothing for the shapes met here (below 1e-4 at 25)."""


@dataclass(frozen=True, kw_only=True)
class VariancePrior:
    """A scaled inverse chi-squared prior, cut off above.

    Attributes
    ----------
    guess : float
        Root mean square :math:`g` of the deviations thought seen, in the outcome's standard deviations.
    weight : float
        How many they are, :math:`\\nu`.
    most : float
        Upper bound :math:`u` of the standard deviation.
    """

    guess: float
    weight: float
    most: float

    def draw(self, rng: np.random.Generator, number: int, squares: float) -> float:
        """A variance given ``number`` deviations with that sum of squares."""
        shape = (self.weight + number) / 2
        rate = (self.weight * self.guess**2 + squares) / 2
        variance = rate / max(rng.standard_gamma(shape), np.finfo(float).tiny)
        if variance < self.most**2:
            return float(variance)
        share = float(gammaincc(shape, rate / self.most**2))
        beyond = gammainccinv(shape, rng.uniform() * share)
        return float(min(rate / beyond, self.most**2)) if beyond > 0 else self.most**2

    def log_within(self, shape: float, rate: float) -> float:
        """Log of the share of a gamma of that shape and rate that keeps to the bound."""
        ends = rate / self.most**2
        if ends < FAR * shape and shape > 20:
            return 0.0
        return math.log(max(float(gammaincc(shape, ends)), 1e-300))
