r"""CR2 of a difference of two weighted means for many draws at once: places of one or more units.

With :math:`S = \sum w` and :math:`S_2 = \sum w^2` of a group's units, the adjustment of
:mod:`ucimpact.inference.covariance` for a place of m units of weights w acts within the plane of 1 and w
alone. In the basis of :math:`1/\sqrt m` and :math:`(w - \bar w)/d`, :math:`d = \|w - \bar w\|`,

.. math:: Q = \begin{pmatrix} 1 - 2m\bar w/S + m S_2/S^2 & -\sqrt m\,d/S \\ -\sqrt m\,d/S & 1 \end{pmatrix},
          \qquad u = \frac1S \begin{pmatrix} \sqrt m\,\bar w \\ d \end{pmatrix}, \qquad v = Q^{-1/2}u .

The score of a place is v times its residuals; with :math:`\alpha = \sqrt m v_1`, :math:`\beta = \sqrt m\bar
w v_1 + d v_2` the degrees of freedom come from :math:`P_{gh} = [g = h]\,v_g'v_g - (\alpha_g\beta_h +
\beta_g\alpha_h)/S + \alpha_g\alpha_h S_2/S^2` within groups and 0 between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.inference.panel_past import Histories

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Planes:
    """What the plane of each place holds; arrays of shape (n_places,).

    Attributes
    ----------
    units, mean, spread : array
        m, :math:`\\bar w` and d.
    squares : array
        Sum of squared weights.
    """

    units: Array
    mean: Array
    spread: Array
    squares: Array

    @classmethod
    def of(cls, past: Histories) -> Planes:
        """The planes of a past."""
        units = np.bincount(past.places).astype(float)
        mean = past.place_weights / units
        squares = np.bincount(past.places, past.weights**2)
        spread = np.sqrt(np.bincount(past.places, (past.weights - mean[past.places]) ** 2))
        spread = np.where(spread > 1e-9 * mean, spread, 0.0)
        return cls(units, mean, spread, squares)

    def coordinates(self, past: Histories, values: Array) -> Array:
        """Values (..., n_units) in the basis, shape (2, ..., n_places)."""
        codes, number = past.places, past.number
        flat = values.reshape(-1, values.shape[-1])
        weight = past.weights - self.mean[codes]
        first = np.array([np.bincount(codes, row, number) for row in flat]) / np.sqrt(self.units)
        second = np.array([np.bincount(codes, row * weight, number) for row in flat])
        second = second / np.where(self.spread > 0, self.spread, 1.0)
        shape = (*values.shape[:-1], number)
        return np.array([first.reshape(shape), np.where(self.spread > 0, second, 0.0).reshape(shape)])


@dataclass(frozen=True, eq=False)
class OwnSpread:
    """Standard errors of draws from each group's own spread.

    Attributes
    ----------
    v : array (2, n_draws, n_places)
    root, part : array (n_draws, n_places)
        :math:`\\sqrt m`, and the weight of a place in its group.
    df : array (n_draws,)
    pilot : bool array (n_places,)
    """

    v: Array
    root: Array
    part: Array
    df: Array
    pilot: Array

    @classmethod
    def of(cls, planes: Planes, seats: Array, pilot: Array) -> OwnSpread:
        """For draws of places ``seats`` (n_draws, n_places), of which ``pilot`` have the pilot."""
        m, mean, d = planes.units[seats], planes.mean[seats], planes.spread[seats]
        total = _in_group(m * mean, pilot)
        squares = _in_group(planes.squares[seats], pilot)
        root, tilt = np.sqrt(m), squares / total**2
        q = np.empty((*seats.shape, 2, 2))
        q[..., 0, 0] = 1 - 2 * m * mean / total + m * tilt
        q[..., 0, 1] = q[..., 1, 0] = -root * d / total
        q[..., 1, 1] = 1.0
        u = np.stack([root * mean, d], axis=-1) / total[..., None]
        values, vectors = np.linalg.eigh(q)
        kept = values > 1e-10
        inverse = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
        turned = np.einsum("knij,kni->knj", vectors, u) * inverse
        v = np.moveaxis(np.einsum("knij,knj->kni", vectors, turned), -1, 0)
        alpha, beta = root * v[0], root * mean * v[0] + d * v[1]
        own = (v**2).sum(axis=0)
        x = alpha * tilt / 2 - beta / total
        diagonal = own + 2 * alpha * x
        aa, xx, ax = (_in_group(part, pilot) for part in (alpha**2, x**2, alpha * x))
        once = np.zeros(len(pilot))
        once[[int(np.argmax(pilot)), int(np.argmin(pilot))]] = 1.0  # each group's sums once
        square = (own**2 + 4 * own * alpha * x).sum(axis=1) + ((2 * aa * xx + 2 * ax**2) * once).sum(axis=1)
        return cls(v, root, m * mean / total, diagonal.sum(axis=1) ** 2 / square, pilot)

    def error(self, values: Array, means: Array) -> Array:
        """Standard errors, shape (n_draws,).

        Parameters
        ----------
        values : array (2, n_draws, n_places)
            Contrasts of units in the basis.
        means : array (n_draws, n_places)
            Their weighted mean in each place.
        """
        first = values[0] - self.root * _in_group(self.part * means, self.pilot)
        score = self.v[0] * first + self.v[1] * values[1]
        return np.asarray(np.sqrt((score**2).sum(axis=1)))


def _in_group(values: Array, pilot: Array) -> Array:
    """The sum over the group of each place, shape like ``values``."""
    sums = [values[..., group].sum(axis=-1, keepdims=True) for group in (pilot, ~pilot)]
    return np.asarray(np.where(pilot, *sums))
