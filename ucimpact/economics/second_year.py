r"""What a second year of evidence of the same size is worth to the people of the year after it.

With :math:`X_i` the draws of the value per person, :math:`P` the price and :math:`N` people, the choice is to
pay or not. What is expected of :math:`X` after a second year is not known before it: its spread is that of
:math:`X` over :math:`\sqrt 2`, for two years' mean holds half of the variance. It is taken to have the shape
of the draws :math:`E_i` of what a second year would teach, the changes alone, with shares and unit costs at
their best guesses [1]_, [2]_:

.. math:: M_i = \bar X + \frac{E_i - \bar E}{\sqrt 2}, \qquad
   EVSI = N \left\{ \frac1n \sum_i \max(0, M_i - P) - \max(0, \bar X - P) \right\}

Where :math:`X` is normal and all of its spread is of the changes, this is the textbook's [3]_

.. math:: N \, s L(|\bar X - P| / s), \qquad s = sd(X) / \sqrt 2, \qquad L(x) = \phi(x) - x (1 - \Phi(x))

A likely range that is wider on one side gives draws with a tail, and the tail counts. :math:`M` is the
draws drawn in towards their mean, and a convex function gains less from less spread: so a second year is
never worth more than knowing the truth (EVPI), which is the same figure with :math:`X_i` in place of
:math:`M_i`. As :math:`E` and the shares are drawn apart, the two are held to that draw by draw as well.
The worth is greatest at :math:`P = \bar X` and falls on either side.

References
----------
.. [1] Jalal, H. and Alarid-Escudero, F. (2018). A Gaussian approximation approach for value of information
   analysis. *Medical Decision Making* 38(2), 174-188.
.. [2] Heath, A., Manolopoulou, I. and Baio, G. (2018). Efficient Monte Carlo estimation of the expected value
   of sample information using moment matching. *Medical Decision Making* 38(2), 163-173.
.. [3] Raiffa, H. and Schlaifer, R. (1961). *Applied Statistical Decision Theory*, chapter 5: preposterior
   analysis with a normal prior and a linear loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ucimpact.economics.amounts import Array
from ucimpact.economics.uncertainty import worth_of_knowing

HALVINGS = 40
"""Of the way to a price: to far below a penny."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SecondYear:
    """What is believed of a value per person, and what another year would say of it.

    Attributes
    ----------
    value : array (n,)
        Draws of the value per person, everything uncertain.
    taught : array (n,)
        The same with only that uncertain which a second year would teach.
    people : float
        Of the year after.
    """

    value: Array
    taught: Array
    people: float

    @property
    def expected(self) -> Array:
        """Draws of what will be expected of the value once the second year is in."""
        return np.asarray(self.value.mean() + (self.taught - self.taught.mean()) / math.sqrt(2))

    @property
    def teaches(self) -> bool:
        """Whether anything is uncertain that a second year would narrow."""
        return bool(np.ptp(self.taught) > 0)

    def worth(self, price: float) -> float | None:
        """Pounds that the second year is worth at a price of one person; None where it can teach nothing."""
        if not self.teaches:
            return None
        nets = [np.column_stack([np.zeros(len(x)), x - price]) for x in (self.expected, self.value)]
        return self.people * min(worth_of_knowing(net) for net in nets)

    def pays(self, cost: float, price: float) -> tuple[float, ...]:
        """The lowest and highest price at which it is worth more than it costs; empty where there is none.

        ``price`` is today's, which lies between the two if and only if it is worth more today.
        """
        if not self.teaches:
            return ()
        gains, middle = [_Gain(draws) for draws in (self.expected, self.value)], float(self.value.mean())

        def enough(at: float) -> bool:
            return self.people * min(gain.at(at) for gain in gains) > cost

        inside = next((at for at in (price, middle) if enough(at)), None)
        if inside is None:
            return ()
        reach = float(np.abs(self.value - middle).max() + np.abs(self.expected - middle).max())
        ends = []
        for outside in (min(middle - reach, price), max(middle + reach, price)):
            near, far = inside, outside
            for _ in range(HALVINGS):
                half = (near + far) / 2
                near, far = (half, far) if enough(half) else (near, half)
            ends.append(near)
        return tuple(ends)


class _Gain:
    """The gain of choosing after seeing one of the draws, by its price; sorted once for many prices."""

    def __init__(self, draws: Array) -> None:
        self.ordered, self.mean = np.sort(draws), float(draws.mean())
        self.above = np.append(self.ordered[::-1].cumsum()[::-1], 0.0)

    def at(self, price: float) -> float:
        k = int(np.searchsorted(self.ordered, price, side="right"))
        n = len(self.ordered)
        return float(self.above[k] - (n - k) * price) / n - max(self.mean - price, 0.0)
