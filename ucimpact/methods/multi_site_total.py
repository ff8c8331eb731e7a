r"""The sites that took part, added up: the effect in all of them together.

With :math:`Y_i` seen at site i with the pilot and :math:`y_i` the log of what was seen over the expected,
:math:`Y^0_i = Y_i e^{-y_i}` was expected, and in all

.. math:: \Theta = \log\frac{\sum_i Y_i}{\sum_i Y^0_i}, \qquad
   \mathrm{var}(\hat\Theta) = \sum_i w_i^2 v_i, \qquad w_i = \frac{Y^0_i}{\sum_j Y^0_j}

so that :math:`\sum_i Y_i (1 - e^{-\Theta})` is the sum of the sites' own effects. On the natural scale
:math:`A = \sum_i w_i y_i`, :math:`w_i` the share of the periods (of a rate: of the people) with the pilot.
The t has Satterthwaite's degrees of freedom,
:math:`\nu = (\sum_i w_i^2 v_i)^2 / \sum_i (w_i^4 v_i^2 / \nu_i)`. What sites share is added by
:mod:`ucimpact.methods.multi_site_shared`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ucimpact.methods.multi_site_series import SiteEffect


@dataclass(frozen=True, kw_only=True, eq=False)
class Total:
    """Sites added up, as if independent.

    Attributes
    ----------
    estimate : float
        The log ratio of all, or the average in units of the outcome.
    weights : array (k,)
        What each site counts for, adding up to 1.
    std_error, df : float
    """

    estimate: float
    weights: np.ndarray
    std_error: float
    df: float

    @classmethod
    def of(cls, found: Sequence[SiteEffect], scale: str) -> Total:
        """The sum of sites whose effects are on this scale, ``"log"`` or ``"identity"``."""
        y = np.array([one.estimate for one in found])
        if scale == "log":
            seen = np.array([one.site.events[one.site.told].sum() for one in found])
            expected = seen * np.exp(-y)
            weights = expected / expected.sum()
            estimate = float(np.log(seen.sum() / expected.sum()))
        else:
            people = np.array([one.site.people[one.site.told].sum() for one in found])
            weights = people / people.sum()
            estimate = float(weights @ y)
        parts = weights**2 * np.array([one.std_error for one in found]) ** 2
        dfs = np.array([one.own_df for one in found])
        df = float(parts.sum() ** 2 / (parts**2 / dfs).sum())
        return cls(estimate=estimate, weights=weights, std_error=float(np.sqrt(parts.sum())), df=df)

    def half(self, level: float) -> float:
        """Half-width of the range with independent sites."""
        return float(stdtrit(self.df, (1 + level) / 2) * self.std_error)
