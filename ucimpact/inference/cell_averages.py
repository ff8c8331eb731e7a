r"""Which cells of cohorts and periods each effect averages, and with what weights.

.. math:: \tau_k = \sum_{gt} a_{kgt}\, \tau_{gt}, \qquad \sum_{gt} a_{kgt} = 1 .

``simple`` averages every unit and period with the pilot; ``event`` those so many periods since the start;
``group`` those of one cohort; ``calendar`` those of one period; ``group_time`` is one cell. Within each,
cells count by what was seen in them (rows, or their weights). ``dynamic_average`` and ``calendar_average``
count every event time from 0 on and every period alike; ``group_average`` counts cohorts by their units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Averages:
    """Effects as averages of cells.

    Attributes
    ----------
    rows : tuple of dict
        ``term`` and, where they apply, ``group``, ``period`` (ordinals) and ``event_time``.
    table : array (n_effects, n_cohorts, n_periods)
        :math:`a`.
    """

    rows: tuple[dict[str, Any], ...]
    table: Array

    @property
    def cohort_share(self) -> Array:
        """Share of each cohort in each effect, shape (n_cohorts, n_effects)."""
        return np.asarray(self.table.sum(axis=2).T)

    def of(self, cells: Array) -> Array:
        """The effects, from the effect in each cell (n_cohorts, n_periods)."""
        return np.asarray(np.tensordot(self.table, cells, axes=2))

    def by_cohort(self, cells: Array) -> Array:
        """Each effect in each cohort by itself, shape (n_cohorts, n_effects); 0 where it has no share."""
        share = self.cohort_share
        total = np.einsum("kgt,gt->gk", self.table, cells)
        return np.asarray(total / np.where(share != 0, share, 1.0))


def averages(
    mass: Array, starts: Array, ordinals: Array, sizes: Array, known: Array, *, lone_cells: bool = True
) -> Averages:
    """Every average of the cells that are known.

    Parameters
    ----------
    mass : array (n_cohorts, n_periods)
        Rows, or weights, seen in each cell.
    starts : array (n_cohorts,)
        Ordinals of the first pilot period.
    ordinals : array (n_periods,)
    sizes : array (n_cohorts,)
        Units, or their weights, of each cohort.
    known : bool array (n_cohorts, n_periods)
        Cells with an effect. Those before the start make event rows and cells of their own, no averages.
    lone_cells : bool, default True
        Whether each cell is a row too.
    """
    since = ordinals[None, :] - starts[:, None]
    cells = np.where(known, mass, 0.0)
    run = np.where(since >= 0, cells, 0.0)
    rows: list[dict[str, Any]] = [{"term": "simple"}]
    tables = [run]
    for time in np.unique(since[cells > 0]):
        rows.append({"term": "event", "event_time": int(time)})
        tables.append(np.where(since == time, cells, 0.0))
    found = _normal(tables)
    later = [k for k, row in enumerate(rows) if row.get("event_time", -1) >= 0]
    rows.append({"term": "dynamic_average"})
    found.append(np.mean([found[k] for k in later], axis=0))

    there = np.flatnonzero(run.sum(axis=1) > 0)
    own = _normal([np.where(np.arange(len(starts))[:, None] == g, run, 0.0) for g in there])
    rows += [{"term": "group", "group": int(starts[g])} for g in there]
    rows.append({"term": "group_average"})
    found += [*own, np.tensordot(sizes[there] / sizes[there].sum(), np.array(own), axes=1)]

    there = np.flatnonzero(run.sum(axis=0) > 0)
    own = _normal([np.where(np.arange(len(ordinals)) == t, run, 0.0) for t in there])
    rows += [{"term": "calendar", "period": int(ordinals[t])} for t in there]
    rows.append({"term": "calendar_average"})
    found += [*own, np.mean(own, axis=0)]
    if lone_cells:
        for g, t in np.argwhere(cells > 0):
            since = int(ordinals[t] - starts[g])
            named = {"group": int(starts[g]), "period": int(ordinals[t]), "event_time": since}
            rows.append({"term": "group_time", **named})
            found.append(np.zeros_like(run))
            found[-1][g, t] = 1.0
    return Averages(tuple(rows), np.array(found))


def _normal(tables: list[Array]) -> list[Array]:
    return [table / table.sum() for table in tables]
