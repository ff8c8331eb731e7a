"""The interval of a ratio of two estimates, by Fieller's theorem.

With numerator :math:`a`, denominator :math:`b`, their variances and covariance and the critical value
:math:`t`, the limits are the roots in :math:`\\theta` of

.. math:: (a - \\theta b)^2 = t^2 (v_a - 2 \\theta v_{ab} + \\theta^2 v_b)

They bound an interval only where :math:`b^2 > t^2 v_b`, that is where the interval of the denominator
leaves out 0. Otherwise the ratio is not defined: any value, with either sign, would fit [1]_.

References
----------
.. [1] Fieller, E. C. (1954). Some problems in interval estimation. *Journal of the Royal Statistical
   Society B* 16(2), 175-185.
"""

from __future__ import annotations

import math


def fieller(
    numerator: float,
    denominator: float,
    *,
    var_numerator: float = 0.0,
    var_denominator: float,
    cov: float = 0.0,
    critical: float = 1.959963984540054,
) -> tuple[float, float] | None:
    """Limits of ``numerator / denominator``, lower first; None where it is not defined.

    Parameters
    ----------
    numerator, denominator : float
        Such as cost in pounds and admissions avoided.
    var_numerator, var_denominator, cov : float
        A cost known without error has variance 0, and then the limits are the cost over the limits of the
        denominator.
    """
    if var_numerator < 0 or var_denominator < 0:
        raise ValueError("a variance is not below 0")
    t2 = critical**2
    a = denominator**2 - t2 * var_denominator
    if a <= 0:
        return None
    b = numerator * denominator - t2 * cov
    c = numerator**2 - t2 * var_numerator
    root = math.sqrt(max(b * b - a * c, 0.0))
    return (b - root) / a, (b + root) / a
