r"""Whether two ways of comparing the same people differ by more than chance between the two would give.

Weighting and matching answer one question from one set of people, so their estimates :math:`\theta_a` and
:math:`\theta_b` go together and the error of their gap is far smaller than either's own. With
:math:`\psi_a, \psi_b` what each row adds to each estimate,

.. math:: \operatorname{var}(\theta_a - \theta_b) = \frac{G}{G - 1} \sum_g
   \Bigl(\sum_{i \in g} \psi_{a,i} - \psi_{b,i}\Bigr)^2

over people or other clusters g. A gap beyond two of its standard errors is a warning: the two lean on
different comparison people, as they do where few are like the pilot people. It is the test of Hausman, with
the variance of the gap itself and no assumption that one of the two is efficient.

References
----------
.. [1] Hausman, J. A. (1978). Specification tests in econometrics. *Econometrica* 46(6), 1251-1271.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray

FAR = 2.0
"""Standard errors of a gap beyond which two ways are said to differ."""
_SAME = 1e-9


@dataclass(frozen=True)
class Agreement:
    """The gap of two estimates.

    Attributes
    ----------
    gap, std_error : float
    z : float
        0 where the two are the same, infinite where they differ by more than their rows do.
    """

    gap: float
    std_error: float
    z: float

    @property
    def agree(self) -> bool:
        """Whether chance between the two would give the gap."""
        return abs(self.z) <= FAR


def agreement(
    first: float, of_first: Array, second: float, of_second: Array, clusters: Array | None = None
) -> Agreement:
    """Hold two estimates against each other.

    Parameters
    ----------
    first, second : float
        Log ratios, or differences in one unit.
    of_first, of_second : array (n_rows,)
        What each row adds to each; the same rows in the same order, 0 for one that an estimate does not use.
    clusters : array (n_rows,), optional
        People, where they have several rows.
    """
    one, other = np.asarray(of_first, dtype=float), np.asarray(of_second, dtype=float)
    if one.shape != other.shape or one.ndim != 1 or not len(one):
        raise EstimationError("two estimates are held against each other row by row: give the same rows")
    apart = one - other
    if clusters is not None:
        apart = np.bincount(np.unique(clusters, return_inverse=True)[1].reshape(-1), weights=apart)
    groups = len(apart)
    if groups < 2:
        raise EstimationError("a gap between estimates needs 2 people or more")
    gap = float(first - second)
    error = float(np.sqrt(groups / (groups - 1) * (apart @ apart)))
    if abs(gap) <= _SAME:
        return Agreement(gap, error, 0.0)
    return Agreement(gap, error, gap / error if error > _SAME * abs(gap) else float(np.copysign(np.inf, gap)))
