r"""Days alive and out of hospital, of the first days after time zero.

Counting admissions rewards a service whose people die, since the dead are not admitted. Days alive and out of
hospital cannot be had that way [1]_: of the first :math:`H` days, those on which a person was alive, less the
nights in a bed,

.. math:: D = \int_0^H S(t)\,dt - \mu(H)

with :math:`S` the share alive and :math:`\mu` the mean cumulative nights
(:mod:`ucimpact.inference.cumulative_mean`), so that people who moved away or reached the end of the records
are stood in for by those still watched. Days are counted by their evenings: whoever dies on day :math:`d` was
alive on :math:`d - 1` of them, and a stay from day :math:`a` to day :math:`e` has the nights
:math:`a, \dots, e - 1`, of which those from day 1 count.

References
----------
.. [1] Jerath, A., Austin, P. C. and Wijeysundera, D. N. (2019). Days alive and out of hospital: validation
   of a patient-centered outcome for perioperative medicine. *Anesthesiology* 131(1), 84-93.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ucimpact.errors import EstimationError
from ucimpact.inference.cumulative_incidence import days_free
from ucimpact.inference.cumulative_mean import Curve, Summed, Watched
from ucimpact.inference.sandwich import Clusters
from ucimpact.inference.uneven import fewest

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class DaysAtHome:
    """Mean days a person of the pilot and of the comparison people.

    Attributes
    ----------
    pilot, comparison : float
        Days alive and out of hospital.
    alive : tuple of float
        Days alive, of the pilot and of the comparison people.
    nights : tuple of float
        Nights in a bed.
    estimate, std_error, low, high : float
        Pilot less comparison; a t distribution with what the variance is worth.
    influence : array (n,)
        What each row adds to it.
    """

    pilot: float
    comparison: float
    alive: tuple[float, float]
    nights: tuple[float, float]
    estimate: float
    std_error: float
    low: float
    high: float
    influence: Array


def nights(row: Array, admitted: Array, discharged: Array, until: Array) -> tuple[Array, Array]:
    """Whose each night in hospital is and on which day it begins, of the days from 1 that were watched.

    Parameters
    ----------
    row : array of int (m,)
        Line of the person of each stay.
    admitted, discharged : array (m,)
        Days from time zero; a stay may begin before it. Infinite for one that had not ended.
    until : array (n,)
        Last day watched of each person.

    Returns
    -------
    tuple of arrays
        ``(row, day)``, one entry a night. A night of two stays at once counts once.
    """
    row = np.asarray(row, dtype=np.int64)
    first = np.maximum(np.asarray(admitted, dtype=float), 1.0).astype(np.int64)
    last = np.minimum(np.asarray(discharged, dtype=float), np.floor(np.asarray(until)[row]) + 1)
    last = np.maximum(last, 0.0).astype(np.int64)
    length = np.maximum(last - first, 0)
    start = np.repeat(np.cumsum(length) - length, length)
    who = np.repeat(row, length)
    day = np.repeat(first, length) + np.arange(int(length.sum())) - start
    if not len(who):
        return who, day.astype(float)
    span = int(day.max()) + 1
    key = np.unique(who * span + day)
    return key // span, (key % span).astype(float)


def compare_days_at_home(
    until: Array,
    died: Array,
    row: Array,
    day: Array,
    treated: Array,
    *,
    horizon: float,
    weights: Array | None = None,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> DaysAtHome:
    """Mean days alive and out of hospital of the two groups.

    Parameters
    ----------
    until : array (n,)
        Last day watched, from time zero.
    died : array of bool (n,)
        Whether the watch ended with a death.
    row, day : array (m,)
        Of :func:`nights`.
    treated : array of bool (n,)
    horizon : float
        Days that count.
    weights : array (n,), optional
    clusters : array (n,) or two such arrays, optional
    level : float
    """
    until, died, treated = np.asarray(until, float), np.asarray(died, bool), np.asarray(treated, bool)
    w = np.ones(len(until)) if weights is None else np.asarray(weights, dtype=float)
    row, day = np.asarray(row, dtype=np.int64), np.asarray(day, dtype=float)
    held = ~(died[row] & (day >= until[row]))  # an evening that was not lived to see
    row, day = row[held], day[held]
    evenings = np.maximum(until - died, 0.0)
    alive, beds, influence = [], [], np.zeros(len(until))
    for sign, arm in ((1.0, treated), (-1.0, ~treated)):
        if not (w[arm] > 0).any():
            raise EstimationError("days alive and out of hospital need people on both sides")
        place, mine = np.cumsum(arm) - 1, arm[row]
        nightly = np.ones(int(mine.sum()))
        curve = Curve(Watched(until[arm], died[arm], w[arm], place[row[mine]], day[mine], nightly))
        home = days_free(evenings[arm], died[arm], horizon, weights=w[arm])
        alive.append(home.mean)
        beds.append(float(curve.at(np.array([horizon]))[0]))
        influence[arm] = sign * (home.influence - curve.influence(horizon))
    estimate = (alive[0] - beds[0]) - (alive[1] - beds[1])
    error = float(np.sqrt(Summed(clusters).of(influence)))
    half = float(stdtrit(fewest(influence, clusters), (1 + level) / 2)) * error
    return DaysAtHome(
        pilot=alive[0] - beds[0],
        comparison=alive[1] - beds[1],
        alive=(alive[0], alive[1]),
        nights=(beds[0], beds[1]),
        estimate=estimate,
        std_error=error,
        low=estimate - half,
        high=estimate + half,
        influence=influence,
    )
